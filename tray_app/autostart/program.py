"""The command that starts this copy of the program, from any folder and without this process's environment."""

from __future__ import annotations

import os
import sys

from tray_app.system.child_process import (
    PACKAGE_FOLDER,
    TRAY_PROGRAM,
    executable_suffix,
    frozen_tray_program,
    is_frozen,
)
from tray_app.system.user_folders import real_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

BACKGROUND = "--background"


def start_command(environ: Mapping[str, str] = os.environ) -> list[str]:
    """Return the tray program and its arguments: the installed one, else this interpreter on this very package.

    The package is named by its path: with `-m`, Python would look for it in the folder where the login starts it.
    """
    image = _app_image(environ)
    if image:
        return [image, BACKGROUND]
    if is_frozen():
        return [frozen_tray_program() or sys.executable, BACKGROUND]
    for folder in _script_folders():
        script = os.path.join(folder, TRAY_PROGRAM + executable_suffix())
        if os.path.isfile(script):
            return [script, BACKGROUND]
    return [_without_a_console(sys.executable), PACKAGE_FOLDER, BACKGROUND]


def _app_image(environ: Mapping[str, str]) -> str:
    """Return the path of the AppImage we run from, or an empty text. Child processes inherit its variable, so it may be
    another program's."""
    image, mounted = environ.get("APPIMAGE", ""), environ.get("APPDIR", "")
    is_ours = bool(mounted) and _is_below(real_path(sys.executable), real_path(mounted))
    return image if is_ours else ""


def _is_below(path: str, folder: str) -> bool:
    return path.startswith(folder.rstrip(os.sep) + os.sep)


def _script_folders() -> list[str]:
    """Return where an installer puts this interpreter's programs, the nearest first."""
    import sysconfig

    beside = os.path.dirname(sys.executable)
    users = sysconfig.get_path("scripts", sysconfig.get_preferred_scheme("user"))
    return [beside, sysconfig.get_path("scripts"), users]


def _without_a_console(interpreter: str) -> str:
    """Return `pythonw.exe` on Windows, which opens a console window for `python.exe`."""
    folder, name = os.path.split(interpreter)
    windowed = os.path.join(folder, name.lower().replace("python", "pythonw", 1))
    return windowed if sys.platform == "win32" and os.path.isfile(windowed) else interpreter
