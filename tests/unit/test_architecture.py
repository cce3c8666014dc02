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

CORE_MAY_IMPORT = {
    "__future__",
    "collections",
    "dataclasses",
    "datetime",
    "enum",
    "hashlib",
    "json",
    "logging",
    "re",
    "sys",
    "types",
    "typing",
    "unicodedata",
    "tray_app",
    "zoneinfo",
}
"""No files, network, processes or foreign functions: core is values and rules. `sys` tells what is loaded already."""

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


def test_core_imports_nothing_that_reaches_outside() -> None:
    used = {name.split(".")[0] for file in FILES if room_of(file) == "core" for name in imports_of(file)}

    assert sorted(used - CORE_MAY_IMPORT) == []


def test_core_opens_no_file() -> None:
    calls = {
        node.func.id
        for file in FILES
        if room_of(file) == "core"
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }

    assert calls.isdisjoint({"open", "__import__", "exec", "eval", "input", "print"})


def test_no_file_is_mapped() -> None:
    """A page of a map that the disk has no room for ends the process."""
    assert [file.name for file in FILES if "mmap" in {name.split(".")[0] for name in imports_of(file)}] == []


@pytest.mark.parametrize("library", ONLY_IN)
def test_a_library_stays_in_its_rooms(library: str) -> None:
    used = {room_of(file) for file in FILES for name in imports_of(file) if name.split(".")[0] == library}

    assert used <= ONLY_IN[library]
    assert used, "it is not used any more"
