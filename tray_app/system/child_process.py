"""Which code our own processes run: never anything that merely lies in the working folder.

A trader opens a terminal in a downloaded folder and types a command. Python looks for modules in that folder first
(`python -m`, an empty entry of `PYTHONPATH`), and Windows looks there for programs called by their bare name.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

TRAY_PROGRAM = "kiwoom-token-tray"
PACKAGE_FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

_SECRET_PREFIXES = ("KIWOOM_", "APP_KEY", "APP_SECRET")
_WITHOUT_SECRETS = frozenset({"KIWOOM_MODE", "KIWOOM_PROFILE", "KIWOOM_TRAY_CONFIG_DIR", "KIWOOM_TRAY_DATA_DIR"})


def tray_command(*arguments: str) -> list[str]:
    """Return the command that runs this copy of the tray program; an empty list when it cannot be found.

    The package is named by its path, because `-m` would look for it in the working folder first.
    """
    if getattr(sys, "frozen", False):
        program = frozen_tray_program()
        return [program, *arguments] if program else []
    return [sys.executable, "-P", PACKAGE_FOLDER, *arguments] if sys.executable else []


def frozen_tray_program() -> str:
    """Return the path of the tray program of a frozen distribution, or an empty text when it is not there."""
    folder, name = os.path.split(sys.executable)
    program = os.path.join(folder, TRAY_PROGRAM + executable_suffix())
    if os.path.isfile(program):
        return program
    return sys.executable if name.removesuffix(executable_suffix()) == TRAY_PROGRAM else ""


def executable_suffix() -> str:
    """Return the ending of programs' names on this system: `.exe` or nothing."""
    return ".exe" if sys.platform == "win32" else ""


def child_folder() -> str:
    """Return a working folder for our own processes that contains nothing but our own code."""
    return os.path.dirname(sys.executable if getattr(sys, "frozen", False) else PACKAGE_FOLDER)


def child_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return `environ` for a process of ours: without keys, tokens and passwords, and without the entries of
    `PYTHONPATH` that mean the working folder."""
    kept = {
        name: value
        for name, value in environ.items()
        if name in _WITHOUT_SECRETS or not name.upper().startswith(_SECRET_PREFIXES)
    }
    if "PYTHONPATH" in kept:
        folders = [one for one in kept.pop("PYTHONPATH").split(os.pathsep) if os.path.isabs(one)]
        if folders:
            kept["PYTHONPATH"] = os.pathsep.join(folders)
    return kept


def find_program(name: str, environ: Mapping[str, str]) -> str:
    """Return the path of the program that `name` means on Windows, without looking in the working folder.

    A name with a folder in it is returned as it is. An empty text means that there is no such program.
    """
    if os.path.dirname(name):
        return name
    suffixes = [one for one in environ.get("PATHEXT", ".COM;.EXE;.BAT;.CMD").split(";") if one]
    is_whole = any(name.lower().endswith(one.lower()) for one in suffixes)
    for folder in environ.get("PATH", "").split(os.pathsep):
        folder = folder.strip('"')  # noqa: PLW2901 - some installers quote the folder that they add
        if os.path.isabs(folder):
            for suffix in [""] if is_whole else suffixes:
                path = os.path.join(folder, name + suffix)
                if os.path.isfile(path):
                    return path
    return ""


def stop_importing_from_working_folder() -> None:
    """Take the working folder off `sys.path`, so that no `keyring.py` or `httpx.py` in it is imported.

    It stays when this package was found there: a checkout that is run from its own folder. Only entries before the
    standard library are removed: the script's folder, `python -m`'s own entry and `PYTHONPATH`. Called by our programs
    alone; a program that imports us decides about its own path.
    """
    try:
        working = os.path.realpath(os.getcwd())
    except OSError:  # it was deleted
        working = ""
    if working == os.path.realpath(os.path.dirname(PACKAGE_FOLDER)):
        return
    library = os.path.dirname(os.__file__)
    first = sys.path.index(library) if library in sys.path else 1
    sys.path[:first] = [one for one in sys.path[:first] if os.path.isabs(one) and os.path.realpath(one) != working]
