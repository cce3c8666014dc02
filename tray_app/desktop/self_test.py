"""The checks of `kiwoom-token-tray --self-test` that need Qt or the notices' library: each returns what it found."""

from __future__ import annotations

import os
import sys
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

from tray_app.core import language
from tray_app.core.errors import DONE
from tray_app.system.child_process import child_environment, is_frozen, run_own, tray_command

if TYPE_CHECKING:
    from collections.abc import Callable

_PATIENCE_SECONDS = 60.0
_SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><rect width="8" height="8" fill="red"/></svg>'


def desktop_checks() -> dict[str, Callable[[], str]]:
    """Return the checks by name; windows are drawn in processes of their own, with each platform plugin of Qt."""
    drawn = {f"windows ({one or 'this screen'})": partial(_windows, one) for one in _platforms()}
    return {"notices": _notices, **drawn}


def drawing_checks() -> dict[str, Callable[[], str]]:
    """Return the checks of what this process draws, with the platform plugin that the environment names."""
    return {"fonts": _fonts, "images": _images, "Qt's own words": _words_of_qt, "icon": _icon}


def _platforms() -> list[str]:
    """Return the values of `QT_QPA_PLATFORM` to try; an empty one stands for the system's own."""
    if sys.platform != "linux":
        return ["offscreen", ""]
    return ["offscreen", *(["xcb"] if os.environ.get("DISPLAY") else [])]


def _windows(platform: str) -> str:
    """Draw windows in a process of its own: Qt ends the one in which its plugin does not load."""
    environ = {**child_environment(os.environ), "QT_QPA_PLATFORM": platform}
    if not platform:
        del environ["QT_QPA_PLATFORM"]
    ran = run_own(tray_command("--self-test", "windows"), _PATIENCE_SECONDS, environ)
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
    """Return True if this is the offscreen platform on Windows, which knows none of the system's fonts."""
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
