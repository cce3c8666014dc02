"""Tells if the texts of the windows can be read: Linux installations without Korean fonts show boxes."""

from __future__ import annotations

import sys

from PySide6.QtGui import QFontDatabase

from tray_app.core.language import KOREAN, current

_HINT = (
    "No Korean font is installed, so texts may be empty boxes. Install one, for example: sudo apt install fonts-nanum"
)


def korean_font_hint(platform: str = sys.platform) -> str:
    """Return how to get a Korean font where one is needed and missing, in English; empty elsewhere."""
    if platform != "linux" or current() != KOREAN:
        return ""
    return "" if QFontDatabase.WritingSystem.Korean in QFontDatabase.writingSystems() else _HINT
