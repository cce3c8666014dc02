"""What the processes that we start run, and the environment they get.

They run nothing that merely lies in the working folder. A trader opens a terminal in a downloaded folder and types a
command: Python looks for modules in that folder first (`python -m`, an empty entry of `PYTHONPATH`), and Windows looks
there for programs called by their bare name.
"""

from __future__ import annotations

import os
import sys

from tray_app.system.user_folders import real_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from subprocess import CompletedProcess
    from typing import AnyStr

TRAY_PROGRAM = "kiwoom-token-tray"
COMMAND_LINE_PROGRAM = "kiwoom-token"
PACKAGE_FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

_SECRET_PREFIXES = ("KIWOOM_", "APP_KEY", "APP_SECRET")
_WITHOUT_SECRETS = frozenset({"KIWOOM_MODE", "KIWOOM_PROFILE", "KIWOOM_TRAY_CONFIG_DIR", "KIWOOM_TRAY_DATA_DIR"})

_LOADER_PATHS = ("LD_LIBRARY_PATH", "LIBPATH", "DYLD_LIBRARY_PATH", "DYLD_FRAMEWORK_PATH")
_QT_PATHS = ("QT_PLUGIN_PATH", "QML2_IMPORT_PATH")


def restore_environment(*, with_qt: bool = True) -> None:
    """Give `os.environ` back what the user's shell had, in a frozen program; change nothing elsewhere.

    Its boot loader and its hooks set paths into its own folder, which would reach every process that this one starts,
    also those of Qt (a browser), and break them. Without `with_qt`, Qt's own paths stay until Qt has been loaded.
    """
    initial = getattr(sys, "initial_environ", None)
    if initial is None:
        return
    users = user_environment(initial, sys.prefix)
    held = () if with_qt else _QT_PATHS
    for name in [one for one in os.environ if one not in users and one not in held]:
        del os.environ[name]
    os.environ.update({name: value for name, value in users.items() if name not in held})


def user_environment(initial: Mapping[AnyStr, AnyStr], bundle: str) -> dict[str, str]:
    """Return the environment of the shell that started a frozen program, whose boot loader has handed it `initial`.

    `bundle` is the folder of its libraries.
    """
    users = {os.fsdecode(name): os.fsdecode(value) for name, value in initial.items()}
    if sys.platform == "win32":
        users = {name.upper(): value for name, value in users.items()}
    users = {name: value for name, value in users.items() if not name.startswith(("_PYI_", "_MEIPASS"))}
    for name in _LOADER_PATHS:
        before = users.pop(f"{name}_ORIG", None)
        if before is not None:
            users[name] = before
        elif name in users:
            folders = [one for one in users.pop(name).split(os.pathsep) if not _is_within(one, bundle)]
            users.update({name: os.pathsep.join(folders)} if folders else {})
    return users


def _is_within(path: str, folder: str) -> bool:
    return os.path.join(os.path.normpath(path), "").startswith(os.path.join(os.path.normpath(folder), ""))


def leave_library_folder() -> None:
    """Let the next process look for its libraries where Windows does by itself: a frozen program's own folder, which
    the boot loader named, is inherited."""
    if sys.platform == "win32" and is_frozen():
        import ctypes

        ctypes.windll.kernel32.SetDllDirectoryW(None)


def is_frozen() -> bool:
    """Return whether this is a packaged program, which has no Python beside it."""
    return bool(getattr(sys, "frozen", False))


def command_line_program() -> list[str]:
    """Return the command that runs this copy of `kiwoom-token`, without its arguments."""
    if is_frozen():
        return [os.path.join(os.path.dirname(sys.executable), COMMAND_LINE_PROGRAM + executable_suffix())]
    start = "import sys; sys.path.insert(0, sys.argv.pop(1)); from tray_app.cli.main import run; run()"
    return [sys.executable, "-P", "-c", start, os.path.dirname(PACKAGE_FOLDER)]


UPDATE_HOLIDAYS_OPTION = "--update-holidays"
"""What makes a process of our own write the file of the exchange's holidays and end."""


def tray_command(*arguments: str) -> list[str]:
    """Return the command that runs this copy of the tray program; an empty list when it cannot be found.

    The package is named by its path, because `-m` would look for it in the working folder first.
    """
    if is_frozen():
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
    return os.path.dirname(sys.executable if is_frozen() else PACKAGE_FOLDER)


def child_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return `environ` for a process of ours: without keys, tokens and passwords, and without the entries of
    `PYTHONPATH` that mean the working folder."""
    kept = {
        name: value
        for name, value in environ.items()
        if name in _WITHOUT_SECRETS or not name.upper().startswith(_SECRET_PREFIXES)
    }
    if "PYTHONPATH" in kept:
        working = _foreign_working_folder()
        folders = [one for one in kept.pop("PYTHONPATH").split(os.pathsep) if _is_elsewhere(one, working)]
        if folders:
            kept["PYTHONPATH"] = os.pathsep.join(folders)
    return kept


def run_own(command: list[str], seconds: float, environ: dict[str, str] | None = None) -> CompletedProcess[str]:
    """Run a program of ours without input, in a folder of its own, and return what came of it. Without `environ` it
    gets what `child_environment` leaves of our own.

    Raises `OSError`, and `subprocess.TimeoutExpired` after so many seconds.
    """
    import subprocess

    return subprocess.run(
        command,
        cwd=child_folder(),
        env=child_environment(os.environ) if environ is None else environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=seconds,
        check=False,
    )


def stop_importing_from_working_folder() -> None:
    """Take the working folder off `sys.path`, so that no `keyring.py` or `httpx.py` in it is imported.

    It stays when this package was found there: a checkout that is run from its own folder. Only entries before the
    standard library are removed: the script's folder, `python -m`'s own entry and `PYTHONPATH`. Called by our programs
    alone; a program that imports us decides about its own path.
    """
    working = _foreign_working_folder()
    if working is None:
        return
    library = os.path.dirname(os.__file__)
    first = sys.path.index(library) if library in sys.path else 1
    sys.path[:first] = [one for one in sys.path[:first] if _is_elsewhere(one, working)]


def _foreign_working_folder() -> str | None:
    """Return the real path of the working folder, an empty one if it was deleted; None if this package is in it."""
    try:
        working = real_path(os.getcwd())
    except OSError:
        working = ""
    return None if working == real_path(os.path.dirname(PACKAGE_FOLDER)) else working


def _is_elsewhere(entry: str, working: str | None) -> bool:
    """Return whether an entry of Python's path names a folder that is not the working one."""
    return os.path.isabs(entry) and real_path(entry) != working
