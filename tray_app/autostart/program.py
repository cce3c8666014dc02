"""The command that starts this very program, from any folder and without the environment of this process."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

PROGRAM = "kiwoom-token-tray"
BACKGROUND = "--background"


def start_command(environ: Mapping[str, str] = os.environ) -> list[str]:
    """The tray program and its arguments: the installed one, else this interpreter on this very package."""
    image = _app_image(environ)
    if image:
        return [image, BACKGROUND]
    if getattr(sys, "frozen", False):
        return [_beside(sys.executable) or sys.executable, BACKGROUND]
    for folder in _script_folders():
        script = os.path.join(folder, PROGRAM + _suffix())
        if os.path.isfile(script):
            return [script, BACKGROUND]
    return [_without_a_console(sys.executable), _package(), BACKGROUND]


def _app_image(environ: Mapping[str, str]) -> str:
    """The AppImage's own file. Every program started from an AppImage inherits the variable, so it may be another's."""
    image, mounted = environ.get("APPIMAGE", ""), environ.get("APPDIR", "")
    is_ours = bool(mounted) and _is_below(os.path.realpath(sys.executable), os.path.realpath(mounted))
    return image if is_ours else ""


def _is_below(path: str, folder: str) -> bool:
    return path.startswith(folder.rstrip(os.sep) + os.sep)


def _beside(executable: str) -> str:
    """The tray program, when it is the frozen command line that asks."""
    program = os.path.join(os.path.dirname(executable), PROGRAM + _suffix())
    return program if os.path.isfile(program) else ""


def _script_folders() -> list[str]:
    """Where an installer puts this interpreter's programs, the nearest first."""
    import sysconfig

    beside = os.path.dirname(sys.executable)
    users = sysconfig.get_path("scripts", sysconfig.get_preferred_scheme("user"))
    return [beside, sysconfig.get_path("scripts"), users]


def _suffix() -> str:
    return ".exe" if sys.platform == "win32" else ""


def _without_a_console(interpreter: str) -> str:
    """Windows opens a console window for python.exe."""
    folder, name = os.path.split(interpreter)
    windowed = os.path.join(folder, name.lower().replace("python", "pythonw", 1))
    return windowed if sys.platform == "win32" and os.path.isfile(windowed) else interpreter


def _package() -> str:
    return os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
