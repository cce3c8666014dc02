"""What is on a window can be seen: the contrast of its colours, computed from the theme."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("PySide6.QtGui")

from PySide6.QtGui import QColor, QPalette

from tray_app.desktop.theme.colours import Tone, edge_colour, faint_text_colour, text_colour, window_tones
from tray_app.desktop.theme.contrast import SHAPE_CONTRAST, TEXT_CONTRAST, contrast, mixed
from tray_app.desktop.theme.dark_mode import is_dark
from tray_app.desktop.theme.stylesheet import window_stylesheet

pytestmark = pytest.mark.usefixtures("qapp")

GROUNDS = ("#ffffff", "#fafafa", "#efefef", "#1e1e1e", "#202224", "#2b2d30", "#000000")


def palette_of(ground: str) -> QPalette:
    return QPalette(QColor(ground))


def card_of(palette: QPalette) -> QColor:
    """The ground of a card, which the style sheet names as a transparent colour."""
    found = re.search(r'card="true"\] \{ background: rgba\((\d+), \d+, \d+, ([0-9.]+)\)', window_stylesheet(palette))
    assert found is not None
    ink = QColor(int(found[1]), int(found[1]), int(found[1]))
    return mixed(palette.color(QPalette.ColorRole.Window), ink, float(found[2]))


@pytest.mark.parametrize("ground", GROUNDS)
def test_borders_rings_and_disabled_texts_can_be_seen(ground: str) -> None:
    palette = palette_of(ground)
    assert contrast(edge_colour(palette), QColor(ground)) >= SHAPE_CONTRAST
    for where in (QColor(ground), card_of(palette)):
        assert contrast(faint_text_colour(palette), where) >= SHAPE_CONTRAST
    style = window_stylesheet(palette)
    assert f"border: 1px solid {edge_colour(palette).name()}" in style
    assert f"color: {faint_text_colour(palette).name()}" in style


@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("tone", [None, *Tone])
def test_texts_are_legible_on_windows_and_cards(ground: str, tone: Tone | None) -> None:
    palette = palette_of(ground)
    colour = text_colour(palette) if tone is None else window_tones(palette).of(tone)
    for where in (QColor(ground), card_of(palette)):
        assert contrast(colour, where) >= TEXT_CONTRAST, where.name()


@pytest.mark.parametrize("ground", GROUNDS)
def test_text_of_the_main_button_is_legible(ground: str) -> None:
    palette = palette_of(ground)
    on_main = QColor("#06251f" if is_dark(palette) else "#ffffff")
    assert f"color: {on_main.name()}" in window_stylesheet(palette)
    assert contrast(on_main, window_tones(palette).good) >= TEXT_CONTRAST


def test_contrast_is_that_of_the_guidelines() -> None:
    assert contrast(QColor("black"), QColor("white")) == pytest.approx(21)
    assert contrast(QColor("#767676"), QColor("white")) == pytest.approx(4.54, abs=0.01)
