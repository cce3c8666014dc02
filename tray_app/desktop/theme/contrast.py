"""Contrast between two colours, as the Web Content Accessibility Guidelines (WCAG 2.2, 1.4.3 and 1.4.11) define it."""

from __future__ import annotations

from PySide6.QtGui import QColor

SHAPE_CONTRAST = 3.0
"""For borders, rings and the texts of what cannot be used."""

_STEPS = 100


def contrast(one: QColor, other: QColor) -> float:
    """Return the ratio of the luminances, from 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def mixed(ground: QColor, ink: QColor, part: float) -> QColor:
    """Return the colour of ink of which `part` (0 to 1) covers the ground."""
    pairs = ((ground.redF(), ink.redF()), (ground.greenF(), ink.greenF()), (ground.blueF(), ink.blueF()))
    return QColor.fromRgbF(*(a + (b - a) * part for a, b in pairs))


def faded(ink: QColor, ground: QColor, ratio: float = SHAPE_CONTRAST) -> QColor:
    """Return the faintest mixture of ink and ground that still has this contrast to the ground."""
    for step in range(_STEPS):
        colour = mixed(ground, ink, step / _STEPS)
        if contrast(QColor(colour.name()), ground) >= ratio:
            return colour
    return ink


def _luminance(colour: QColor) -> float:
    parts = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (colour.redF(), colour.greenF(), colour.blueF())
    ]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
