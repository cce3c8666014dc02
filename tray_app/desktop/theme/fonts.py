"""Tells if the texts of the windows can be read: Linux installations without Korean fonts show boxes."""

from __future__ import annotations

import shutil
import sys

from PySide6.QtGui import QFontDatabase

from tray_app.core.language import KOREAN, current

_HINT = "No Korean font is installed, so texts may be empty boxes."
_COMMANDS = {
    "apt": "sudo apt install fonts-nanum",
    "dnf": "sudo dnf install google-noto-sans-cjk-fonts",
    "pacman": "sudo pacman -S noto-fonts-cjk",
}
"""What installs a Korean font, by the program that installs packages."""


def korean_font_hint() -> str:
    """Return how to get a Korean font where one is needed and missing, in English; empty elsewhere."""
    if sys.platform != "linux" or current() != KOREAN:
        return ""
    if QFontDatabase.WritingSystem.Korean in QFontDatabase.writingSystems():
        return ""
    command = next((command for program, command in _COMMANDS.items() if shutil.which(program)), "")
    return f"{_HINT} Install one: {command}" if command else f"{_HINT} Install one, for example Noto Sans CJK."
