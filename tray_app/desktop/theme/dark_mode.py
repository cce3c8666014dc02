"""Whether panel and windows are dark. These are two questions."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

if TYPE_CHECKING:
    from collections.abc import Mapping


_FOLLOWS_THE_WINDOWS = frozenset({"kde", "mate", "lxqt", "lxde"})
"""Desktops whose panel takes the colours of the windows. The panels of the others are dark as they come:
GNOME, Unity, Cinnamon, Budgie, Pantheon, Deepin, and Xfce since 4.16."""


_NEVER_DARK = "windowsvista"
"""Qt's style on Windows 10, which stays light whatever is asked for."""


_desktop_is_dark: bool | None = None
"""What the desktop's own windows were before this program's were told to look otherwise; None while they were not."""


_PERSONALIZE = r"Software\Microsoft\Windows\CurrentVersion\Themes\Personalize"


def window_is_dark() -> bool:
    """Whether the windows of this session are dark: what the desktop says, else what the palette shows."""
    scheme = QGuiApplication.styleHints().colorScheme()
    if scheme == Qt.ColorScheme.Unknown:
        return is_dark(QGuiApplication.palette())
    return scheme == Qt.ColorScheme.Dark


def apply_window_theme(choice: str) -> None:
    """Shows the windows `light` or `dark`, or with `auto` as the desktop does, at once."""
    global _desktop_is_dark  # noqa: PLW0603 - one for the process, as the colour scheme is
    if choice == "auto":
        _desktop_is_dark = None
    elif _desktop_is_dark is None:
        _desktop_is_dark = window_is_dark()
    if sys.platform == "win32" and QApplication.style().objectName() == _NEVER_DARK:
        QApplication.setStyle("Fusion")
    schemes = {"light": Qt.ColorScheme.Light, "dark": Qt.ColorScheme.Dark}
    QGuiApplication.styleHints().setColorScheme(schemes.get(choice, Qt.ColorScheme.Unknown))


def panel_is_dark(choice: str = "auto", platform: str = sys.platform, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether the panel that holds the tray icon is dark: what the user says, or with `auto` what can be found out.

    Cheap enough to ask again at every change of the icon, which is how a change of the taskbar's theme is
    noticed: Windows tells programs about it, but Qt does not pass that on when the windows keep theirs.
    """
    if choice != "auto":
        return choice == "dark"
    if platform == "win32":
        if is_high_contrast():
            return is_dark(QGuiApplication.palette())
        return not windows_setting("SystemUsesLightTheme", default=0)
    desktops = set(environ.get("XDG_CURRENT_DESKTOP", "").lower().split(":"))
    if platform != "darwin" and not desktops & _FOLLOWS_THE_WINDOWS:
        return True
    return window_is_dark() if _desktop_is_dark is None else _desktop_is_dark


def windows_setting(name: str, *, default: int) -> int:
    """A number of Windows' personalisation settings; `default` where it is not set (Windows before 1903)."""
    if sys.platform == "win32":
        import winreg

        try:
            with winreg.OpenKey(winreg.HKEY_CURRENT_USER, _PERSONALIZE) as key:
                value, kind = winreg.QueryValueEx(key, name)
        except OSError:
            return default
        return int(value) if kind == winreg.REG_DWORD else default
    return default


def is_high_contrast() -> bool:
    """Whether the user asks for strong contrast. Then the palette's own colours are the only ones used."""
    hints = QGuiApplication.styleHints()
    accessibility = getattr(hints, "accessibility", None)  # since Qt 6.10
    if accessibility is None:
        return False
    return bool(accessibility().contrastPreference() == Qt.ContrastPreference.HighContrast)


def is_dark(palette: QPalette) -> bool:
    return palette.color(QPalette.ColorGroup.Active, QPalette.ColorRole.Window).lightnessF() < 0.5
