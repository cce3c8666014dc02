"""`kiwoom-token-tray --self-test`: the checks of the command line, and those that need Qt."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

from tray_app.cli.self_test import command_line_checks, import_modules, is_frozen, run_checks
from tray_app.core import language
from tray_app.core.errors import DONE
from tray_app.system.child_process import tray_command

if TYPE_CHECKING:
    from tray_app.cli.self_test import Check

_PATIENCE_SECONDS = 60.0
_SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><rect width="8" height="8" fill="red"/></svg>'


def self_test() -> int:
    """Print a line for each check; return 0 when all of them succeed, else 1."""
    checks: dict[str, Check] = {
        **command_line_checks(),
        "modules of the windows": lambda: import_modules(lambda name: name.startswith("tray_app.desktop")),
        "notices": _notices,
    }
    for platform in _platforms():
        checks[f"windows ({platform or 'this screen'})"] = partial(_windows, platform)
    return run_checks(checks)


def windows_self_test() -> int:
    """Check in this process what is drawn with the Qt platform plugin that the environment names."""
    return run_checks({"fonts": _fonts, "images": _images, "Qt's own words": _words_of_qt, "icon": _icon})


def _platforms() -> list[str]:
    """Return the values of `QT_QPA_PLATFORM` to try; an empty one stands for the system's own."""
    if sys.platform != "linux":
        return ["offscreen", ""]
    return ["offscreen", *(["xcb"] if os.environ.get("DISPLAY") else [])]


def _windows(platform: str) -> str:
    """In a process of its own: Qt ends the one in which its plugin does not load."""
    environ = {**os.environ, "QT_QPA_PLATFORM": platform}
    if not platform:
        del environ["QT_QPA_PLATFORM"]
    ran = subprocess.run(
        tray_command("--self-test", "windows"),
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=_PATIENCE_SECONDS,
        check=False,
    )
    if ran.returncode != DONE:
        raise AssertionError(f"status {ran.returncode}: {(ran.stdout + ran.stderr).strip()[-500:]}")
    return "drawn"


def _fonts() -> str:
    from PySide6.QtGui import QFontDatabase

    from tray_app.desktop.application import create_application

    create_application()
    families = QFontDatabase.families()
    if not families and not _is_without_fonts():
        raise LookupError("Qt finds no font")
    return f"{len(families)} families"


def _is_without_fonts() -> bool:
    """Tell whether this is the offscreen platform on Windows, which knows none of the system's fonts."""
    return sys.platform == "win32" and os.environ.get("QT_QPA_PLATFORM") == "offscreen"


def _images() -> str:
    from PySide6.QtGui import QImage, QImageReader

    formats = sorted(bytes(one.data()).decode() for one in QImageReader.supportedImageFormats())
    if QImage.fromData(_SVG).isNull():
        raise LookupError(f"no SVG among {formats}")
    return " ".join(formats)


def _words_of_qt() -> str:
    from PySide6.QtCore import QCoreApplication

    from tray_app.desktop.application import create_application
    from tray_app.desktop.translation import install_translator

    language.use(language.KOREAN)
    install_translator(create_application())
    word = QCoreApplication.translate("QPlatformTheme", "Cancel")
    if word == "Cancel":
        raise LookupError("qtbase_ko.qm is missing")
    return word.encode("ascii", "backslashreplace").decode()


def _icon() -> str:
    from tray_app.desktop.icons.app_icon import app_icon

    if app_icon().isNull():
        raise AssertionError("nothing was drawn")
    return "drawn"


def _notices() -> str:
    names = {"linux": ["jeepney"], "win32": ["desktop_notifier", "desktop_notifier.backends.winrt"]}
    found = names.get(sys.platform, ["desktop_notifier", "desktop_notifier.backends.macos"])
    for name in found if is_frozen() or sys.platform == "linux" else ():
        import_module(name)
    return ", ".join(found)
