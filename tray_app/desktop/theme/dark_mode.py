"""Dark panel and dark windows, which are two questions."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from PySide6 import QtCore  # `Qt` itself, with all its enumerations, only once the icon is there
from PySide6.QtGui import QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

if TYPE_CHECKING:
    from collections.abc import Mapping


_FOLLOWS_THE_WINDOWS = frozenset({"kde", "mate", "lxqt", "lxde"})
"""Desktops whose panel has the colours of the windows. On all others the default panel is dark:
GNOME, Unity, Cinnamon, Budgie, Pantheon, Deepin, and Xfce since 4.16.
"""

_NEVER_DARK = "windowsvista"
"""Qt's style on Windows 10, which is always light."""

_desktop_is_dark: bool | None = None
"""True if the desktop was dark before this program chose a theme of its own; None while it has not."""

_PERSONALIZE = r"Software\Microsoft\Windows\CurrentVersion\Themes\Personalize"


def window_is_dark() -> bool:
    """Return True if windows are dark: what the desktop says, else what the palette shows."""
    scheme = QGuiApplication.styleHints().colorScheme()
    if scheme == QtCore.Qt.ColorScheme.Unknown:
        return is_dark(QGuiApplication.palette())
    return scheme == QtCore.Qt.ColorScheme.Dark


def apply_window_theme(choice: str) -> None:
    """Switch the windows to `light` or `dark`, or with `auto` to the desktop's theme, at once."""
    global _desktop_is_dark  # noqa: PLW0603 - one for the process, as the colour scheme is
    if sys.platform == "win32" and QApplication.style().objectName() == _NEVER_DARK:
        QApplication.setStyle("Fusion")
    if choice == "auto" and _desktop_is_dark is None:
        return
    if choice == "auto":
        _desktop_is_dark = None
    elif _desktop_is_dark is None:
        _desktop_is_dark = window_is_dark()
    schemes = {"light": QtCore.Qt.ColorScheme.Light, "dark": QtCore.Qt.ColorScheme.Dark}
    QGuiApplication.styleHints().setColorScheme(schemes.get(choice, QtCore.Qt.ColorScheme.Unknown))


def panel_is_dark(choice: str = "auto", platform: str = sys.platform, environ: Mapping[str, str] = os.environ) -> bool:
    """Return True if the panel with the tray icon is dark: the user's choice, or with `auto` what can be found out.

    Cheap enough to call at every change of the icon, which is how a change of the taskbar's theme is noticed: Windows
    reports it, but Qt does not pass it on while the theme of the windows stays the same.
    """
    if choice != "auto":
        return choice == "dark"
    if platform == "win32":
        if is_high_contrast():
            return is_dark(QGuiApplication.palette())
        return not taskbar_is_light()
    desktops = set(environ.get("XDG_CURRENT_DESKTOP", "").lower().split(":"))
    if platform != "darwin" and not desktops & _FOLLOWS_THE_WINDOWS:
        return True
    return window_is_dark() if _desktop_is_dark is None else _desktop_is_dark


def taskbar_is_light() -> bool:
    """Return True if Windows' taskbar is light, which it could not be before Windows 10 1903."""
    if sys.platform == "win32":
        import winreg

        try:
            with winreg.OpenKey(winreg.HKEY_CURRENT_USER, _PERSONALIZE) as key:
                value, kind = winreg.QueryValueEx(key, "SystemUsesLightTheme")
        except OSError:
            return False
        return bool(kind == winreg.REG_DWORD and value)
    return False


def is_high_contrast() -> bool:
    """Return True if the user wants high contrast. Then only the palette's own colours are used."""
    hints = QGuiApplication.styleHints()
    accessibility = getattr(hints, "accessibility", None)  # since Qt 6.10
    if accessibility is None:
        return False
    return bool(accessibility().contrastPreference() == QtCore.Qt.ContrastPreference.HighContrast)


def is_dark(palette: QPalette) -> bool:
    return palette.color(QPalette.ColorGroup.Active, QPalette.ColorRole.Window).lightnessF() < 0.5
