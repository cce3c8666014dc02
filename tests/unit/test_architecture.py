"""Which room may import which: arrows run down only, and Qt, disk and network stay in the rooms that are for them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests import ROOT

PACKAGE = ROOT / "tray_app"
TESTS = ROOT / "tests"

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

MOST_METHODS = 25

MOST_PRIVATE_ACCESSES = 27
"""A test that reaches into the program breaks when the program is only tidied up; this number may only fall."""

PRIVATE = re.compile(r"_[a-z]\w*|tray_app\.[\w.]*\._\w+", re.IGNORECASE)

DOOR = "__init__"
"""What other programs import stands at the side and hands on what is wanted."""

CORE_MAY_IMPORT = {
    "__future__",
    "_json",
    "_sha2",
    "_sha256",
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
    "cryptography": {"stores", "cli"},  # `cli`: the certificate of the self-test
    "tomlkit": {"settings"},
}


def room_of(file: Path) -> str:
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


@cache
def imports_of(file: Path) -> tuple[str, ...]:
    """The full names of the modules that a file imports, wherever in it that stands."""
    return tuple(_imports_of(file))


def _imports_of(file: Path) -> Iterator[str]:
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


def test_no_widget_knows_the_window_that_it_is_in() -> None:
    used = {
        name.split(".")[2]
        for file in FILES
        if file.parent == PACKAGE / "desktop" / "widgets"
        for name in imports_of(file)
        if name.startswith("tray_app.desktop.")
    }

    assert used <= {"theme", "view", "widgets"}


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


def test_links_are_followed_in_one_place() -> None:
    """Windows raises where a network drive is away, though nothing has to be there."""
    users = [file.name for file in FILES if "os.path.realpath(" in file.read_text(encoding="utf-8")]
    assert users == ["user_folders.py"]


def test_no_file_is_mapped() -> None:
    """A page of a map that the disk has no room for ends the process."""
    assert [file.name for file in FILES if "mmap" in {name.split(".")[0] for name in imports_of(file)}] == []


@pytest.mark.parametrize("library", ONLY_IN)
def test_a_library_stays_in_its_rooms(library: str) -> None:
    used = {room_of(file) for file in FILES for name in imports_of(file) if name.split(".")[0] == library}

    assert used <= ONLY_IN[library]
    assert used, "it is not used any more"


def methods_of(node: ast.ClassDef) -> int:
    return sum(isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef) for one in node.body)


def test_no_class_does_everything() -> None:
    large = {
        node.name
        for file in FILES
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef) and methods_of(node) > MOST_METHODS
    }

    assert sorted(large) == []


def is_private(name: object) -> bool:
    return isinstance(name, str) and PRIVATE.fullmatch(name) is not None


def root_of(node: ast.expr) -> str:
    """The name that an expression like `a.b(c).d` begins with."""
    while isinstance(node, ast.Attribute | ast.Call | ast.Subscript):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def private_accesses(file: Path) -> Iterator[str]:
    """Where a test names what is private to the program: an attribute, an import, or the text that `setattr` takes."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    other_libraries = {
        alias.asname or alias.name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.name.split(".")[0] not in {"tray_app", "tests"}
    }
    for node in ast.walk(tree):
        names: list[object] = []
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) not in {"self", "cls"}:
            names = [node.attr] if root_of(node) not in other_libraries else []
        elif isinstance(node, ast.ImportFrom):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("setattr", "getattr", "delattr")):
            names = [one.value for one in node.args if isinstance(one, ast.Constant)]
            names = names if root_of(node.args[0]) not in other_libraries else []
        yield from (f"{file.name}:{getattr(node, 'lineno', 0)} {name}" for name in names if is_private(name))


def test_tests_use_what_callers_use() -> None:
    found = [one for file in sorted(TESTS.rglob("*.py")) for one in private_accesses(file)]

    assert len(found) <= MOST_PRIVATE_ACCESSES, "\n".join(found)
