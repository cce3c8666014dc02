"""Which room may import which: arrows run down only, and Qt, disk and network stay in the rooms that are for them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "tray_app"

FLOORS = (
    {"core"},
    {"system"},
    {"settings"},
    {"stores", "kiwoom", "autostart", "history"},
    {"exports"},
    {"service"},
    {"supervisor", "api"},
    {"cli", "desktop"},
    {"app"},
    {"__main__"},
)
"""From the bottom up. A room may import those on lower floors; not its neighbours, and none above it."""

DOOR = "__init__"
"""What other programs import stands at the side and hands on what is wanted."""

ONLY_IN = {
    "PySide6": {"desktop", "app"},
    "shiboken6": {"desktop"},
    "httpx": {"api", "kiwoom"},
    "truststore": {"kiwoom"},
    "keyring": {"stores"},
    "redis": {"stores"},
    "sqlite3": {"history"},
    "cryptography": {"stores"},
    "tomlkit": {"settings"},
}


def room_of(file: Path) -> str:
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports_of(file: Path) -> Iterator[str]:
    """The full names of the modules that a file imports, wherever in it that stands."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module is not None, f"{file}: relative imports hide the room"
            assert node.level == 0, f"{file}: relative imports hide the room"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


FILES = sorted(PACKAGE.rglob("*.py"))
ARROWS = {
    (room_of(file), name.split(".")[1]) for file in FILES for name in imports_of(file) if name.startswith("tray_app.")
}
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}


def test_every_room_has_a_floor() -> None:
    assert {room_of(file) for file in FILES} == {*FLOOR, DOOR}


def test_arrows_run_down_only() -> None:
    wrong = [
        f"{above} -> {below}"
        for above, below in ARROWS
        if DOOR not in {above, below} and above != below and FLOOR[above] <= FLOOR[below]
    ]

    assert sorted(wrong) == []


def test_nothing_below_the_desktop_imports_qt() -> None:
    """A machine without a screen runs the same supervisor in a terminal."""
    below = {room for room in FLOOR if FLOOR[room] < FLOOR["desktop"]} | {"cli", DOOR}
    used = {
        room_of(file) for file in FILES for name in imports_of(file) if name.split(".")[0] in {"PySide6", "shiboken6"}
    }

    assert used & below == set()


@pytest.mark.parametrize("library", ONLY_IN)
def test_a_library_stays_in_its_rooms(library: str) -> None:
    used = {room_of(file) for file in FILES for name in imports_of(file) if name.split(".")[0] == library}

    assert used <= ONLY_IN[library]
    assert used, "it is not used any more"
