"""The colours of panel and windows."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from PySide6.QtGui import QColor, QPalette

from tray_app.desktop.theme.contrast import SHAPE_CONTRAST, faded
from tray_app.desktop.theme.dark_mode import is_dark, is_high_contrast


class Tone(StrEnum):
    """The meaning of a colour, which shape and words always express too."""

    GOOD = "good"
    LOW = "low"
    BAD = "bad"
    QUIET = "quiet"


@dataclass(frozen=True, slots=True)
class Tones:
    """A colour for each `Tone`, with a contrast of at least 4.5:1 to its background; `halo` edges an icon."""

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
"""For a template image, of which the system uses only the alpha channel (the menu bar of macOS)."""

WINDOW_DARK = Tones(QColor("#3fd2b1"), QColor("#ffbd52"), QColor("#ff8d84"), QColor("#a4b0b8"), QColor(0, 0, 0, 0))

WINDOW_LIGHT = Tones(QColor("#056e59"), QColor("#945000"), QColor("#b3261e"), QColor("#5b666e"), QColor(0, 0, 0, 0))


def window_tones(palette: QPalette) -> Tones:
    """Return the colours for a window with this palette."""
    if is_high_contrast():
        text = text_colour(palette)
        return Tones(text, text, text, text, QColor(0, 0, 0, 0))
    return WINDOW_DARK if is_dark(palette) else WINDOW_LIGHT


def edge_colour(palette: QPalette) -> QColor:
    """Return the colour of borders and of the empty part of a ring."""
    return faded(text_colour(palette), palette.color(QPalette.ColorGroup.Active, QPalette.ColorRole.Window))


def faint_text_colour(palette: QPalette) -> QColor:
    """Return the text colour of what cannot be used: fainter than others, and still legible on a card."""
    ground = palette.color(QPalette.ColorGroup.Active, QPalette.ColorRole.Window)
    return faded(text_colour(palette), ground, SHAPE_CONTRAST + 1.2)


def on_accent_colour(palette: QPalette) -> QColor:
    """Return the text colour on the accent colour, which is the good tone."""
    return QColor("#06251f" if is_dark(palette) else "#ffffff")


def text_colour(palette: QPalette) -> QColor:
    """Return the text colour of an active window; some desktops fade that of inactive ones."""
    return palette.color(QPalette.ColorGroup.Active, QPalette.ColorRole.WindowText)
