"""Colours, and whether what lies behind them is dark. The panel and the windows are two questions."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

if TYPE_CHECKING:
    from collections.abc import Mapping


class Tone(StrEnum):
    """What a colour says. Shape and words always say it too."""

    GOOD = "good"
    LOW = "low"
    BAD = "bad"
    QUIET = "quiet"


@dataclass(frozen=True, slots=True)
class Tones:
    """One colour for each `Tone`, with at least 4.5:1 to the ground they are made for; `halo` edges an icon."""

    good: QColor
    low: QColor
    bad: QColor
    quiet: QColor
    halo: QColor

    def of(self, tone: Tone) -> QColor:
        return {Tone.GOOD: self.good, Tone.LOW: self.low, Tone.BAD: self.bad, Tone.QUIET: self.quiet}[tone]


PANEL_DARK = Tones(
    QColor("#45d9b8"), QColor("#ffc04d"), QColor("#ff8a80"), QColor("#f2f4f5"), QColor.fromRgbF(0, 0, 0, 0.55)
)
PANEL_LIGHT = Tones(
    QColor("#00715e"), QColor("#9c5200"), QColor("#b71c1c"), QColor("#2b3237"), QColor.fromRgbF(1, 1, 1, 0.75)
)
MASK = Tones(QColor("black"), QColor("black"), QColor("black"), QColor("black"), QColor(0, 0, 0, 0))
"""For a template image, of which the system uses the alpha only (the menu bar of macOS)."""

_WINDOW_DARK = Tones(QColor("#3fd2b1"), QColor("#ffbd52"), QColor("#ff8d84"), QColor("#a4b0b8"), QColor(0, 0, 0, 0))
_WINDOW_LIGHT = Tones(QColor("#06765f"), QColor("#945000"), QColor("#b3261e"), QColor("#5b666e"), QColor(0, 0, 0, 0))

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


def window_tones(palette: QPalette) -> Tones:
    """The colours for a window with this palette."""
    if is_high_contrast():
        text = text_colour(palette)
        return Tones(text, text, text, text, QColor(0, 0, 0, 0))
    return _WINDOW_DARK if is_dark(palette) else _WINDOW_LIGHT


def is_dark(palette: QPalette) -> bool:
    return palette.color(QPalette.ColorGroup.Active, QPalette.ColorRole.Window).lightnessF() < 0.5


def text_colour(palette: QPalette) -> QColor:
    """That of the window in front: some desktops fade the text of the others, on which a countdown is read too."""
    return palette.color(QPalette.ColorGroup.Active, QPalette.ColorRole.WindowText)
