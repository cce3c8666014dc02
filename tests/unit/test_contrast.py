"""What is on a window can be seen: the contrast of its colours, computed from the theme."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

pytest.importorskip("PySide6.QtGui")

from PySide6.QtGui import QColor, QImage, QPalette
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QSpinBox,
    QTimeEdit,
    QVBoxLayout,
    QWidget,
)
from pytestqt.qtbot import QtBot

from tests.unit.test_accessibility import WINDOWS, opened
from tray_app.desktop.notices.bubble import Bubble
from tray_app.desktop.theme.colours import Tone, edge_colour, faint_text_colour, text_colour, window_tones
from tray_app.desktop.theme.contrast import SHAPE_CONTRAST, contrast, mixed
from tray_app.desktop.theme.dark_mode import is_dark
from tray_app.desktop.theme.stylesheet import fix_box_colours, window_stylesheet

pytestmark = pytest.mark.usefixtures("qapp")

TEXT_CONTRAST = 4.5
"""The least that a text needs by the Web Content Accessibility Guidelines (WCAG 2.2, 1.4.3)."""

GROUNDS = ("#ffffff", "#fafafa", "#efefef", "#1e1e1e", "#202224", "#2b2d30", "#000000")


@pytest.fixture(autouse=True)
def usual_palette(qapp: QApplication) -> Iterator[None]:
    before = QPalette(qapp.palette())
    yield
    if qapp.palette() != before:
        qapp.setPalette(before)


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


WIDGETS: dict[str, Callable[[], QWidget]] = {
    "check box": lambda: QCheckBox("■■■"),
    "radio button": lambda: QRadioButton("■■■"),
    "button": lambda: QPushButton("■■■"),
    "box": lambda: filled(QComboBox(), "addItem"),
    "line": lambda: filled(QLineEdit(), "setText"),
    "number": lambda: filled(QSpinBox(), "setSuffix"),
    "time": QTimeEdit,
    "label": lambda: QLabel("■■■"),
}
OUTLINED = sorted(WIDGETS.keys() - {"label"})


def filled(widget: Any, method: str) -> Any:
    getattr(widget, method)("■■■")
    return widget


def shown(qtbot: QtBot, name: str, ground: str, *, enabled: bool = True) -> QImage:
    """The picture of a window with this widget, 20 pixels from its edges."""
    QApplication.setPalette(palette_of(ground))
    window, widget = QWidget(), WIDGETS[name]()
    qtbot.addWidget(window)
    window.setStyleSheet(window_stylesheet(window.palette()))
    body = QVBoxLayout(window)
    body.setContentsMargins(20, 20, 20, 20)
    body.addWidget(widget)
    widget.setEnabled(enabled)
    fix_box_colours(window)
    window.show()
    QApplication.processEvents()
    return window.grab().toImage()


def strongest(image: QImage, columns: range, rows: range, ground: QColor) -> float:
    return max(contrast(image.pixelColor(x, y), ground) for x in columns for y in rows)


@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("enabled", [True, False])
@pytest.mark.parametrize("name", OUTLINED)
def test_outlines_of_what_can_be_used_are_seen_whatever_the_state(
    qtbot: QtBot, name: str, enabled: bool, ground: str
) -> None:
    image = shown(qtbot, name, ground, enabled=enabled)
    middle = range(image.height() // 2 - 1, image.height() // 2 + 2)
    assert strongest(image, range(18, 26), middle, QColor(ground)) >= SHAPE_CONTRAST


@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize(("enabled", "least"), [(True, TEXT_CONTRAST), (False, SHAPE_CONTRAST)])
@pytest.mark.parametrize("name", WIDGETS)
def test_texts_of_widgets_are_legible_whatever_the_state(
    qtbot: QtBot, name: str, enabled: bool, least: float, ground: str
) -> None:
    image = shown(qtbot, name, ground, enabled=enabled)
    has_mark = name in {"check box", "radio button"}
    picture = image.copy(image.rect().adjusted(44 if has_mark else 23, 23, -23, -23))
    pixels = [picture.pixelColor(x, y).rgb() for x in range(picture.width()) for y in range(picture.height())]
    behind = QColor.fromRgb(Counter(pixels).most_common(1)[0][0])
    assert max(contrast(QColor.fromRgb(one), behind) for one in set(pixels)) >= least


@pytest.mark.parametrize("ground", GROUNDS)
def test_placeholder_and_selection_are_legible(ground: str) -> None:
    palette = palette_of(ground)
    style = window_stylesheet(palette)
    for name, where in (
        ("placeholder-text-color", field_of(palette)),
        ("selection-color", named(style, "selection-background-color")),
    ):
        assert contrast(named(style, name), where) >= TEXT_CONTRAST, name


@pytest.mark.parametrize("ground", GROUNDS)
def test_the_focus_ring_and_the_handle_of_a_scroll_bar_are_seen(ground: str) -> None:
    palette = palette_of(ground)
    style = window_stylesheet(palette)
    ring = re.search(r"QPushButton:focus \{ border: 2px solid (#\w+)", style)
    handle = re.search(r"::handle:vertical \{ background: (#\w+)", style)
    assert ring is not None
    assert handle is not None
    assert contrast(QColor(ring[1]), QColor(ground)) >= SHAPE_CONTRAST
    track = mixed(QColor(ground), QColor("white" if is_dark(palette) else "black"), 0.10)
    for where in (QColor(ground), track):
        assert contrast(QColor(handle[1]), where) >= SHAPE_CONTRAST


@pytest.mark.parametrize("ground", GROUNDS)
def test_marks_and_texts_of_the_week_are_seen_in_trading_hours_too(ground: str) -> None:
    palette = palette_of(ground)
    tones, text = window_tones(palette), text_colour(palette)
    band = mixed(QColor(ground), text, 0.075)
    for tone in Tone:
        assert contrast(tones.of(tone), band) >= SHAPE_CONTRAST
        assert contrast(tones.of(tone), QColor(ground)) >= TEXT_CONTRAST
    assert contrast(edge_colour(palette), QColor(ground)) >= SHAPE_CONTRAST, "the edges of the trading hours"
    assert contrast(text, band) >= TEXT_CONTRAST


def named(style: str, name: str) -> QColor:
    found = re.search(rf"[ ;]{name}: (#\w+)", style)
    assert found is not None, name
    return QColor(found[1])


def field_of(palette: QPalette) -> QColor:
    """The ground of a field: black that is a quarter opaque, or white."""
    ground = palette.color(QPalette.ColorRole.Window)
    return mixed(ground, QColor("black"), 0.25) if is_dark(palette) else QColor("white")


def test_contrast_is_that_of_the_guidelines() -> None:
    assert contrast(QColor("black"), QColor("white")) == pytest.approx(21)
    assert contrast(QColor("#767676"), QColor("white")) == pytest.approx(4.54, abs=0.01)


@pytest.mark.usefixtures("private_places")
@pytest.mark.qt_log_ignore("This plugin does not support", extend=True)
@pytest.mark.parametrize("name", WINDOWS)
def test_a_window_follows_the_theme_while_it_is_open(name: str, qtbot: QtBot, qapp: QApplication) -> None:
    light, dark = palette_of("#efefef"), palette_of("#202224")
    qapp.setPalette(dark)
    expected = opened(name, "en", qtbot, qapp).grab().toImage()
    qapp.setPalette(light)
    window = opened(name, "en", qtbot, qapp)

    qapp.setPalette(dark)
    qtbot.wait(50)

    assert window.grab().toImage() == expected


@pytest.mark.parametrize("urgent", [True, False])
def test_a_notice_follows_the_theme_while_it_is_shown(qtbot: QtBot, qapp: QApplication, *, urgent: bool) -> None:
    qapp.setPalette(palette_of("#efefef"))
    bubble = Bubble()
    qtbot.addWidget(bubble)
    bubble.show_notice("No token", "Kiwoom does not answer.", urgent=urgent)

    qapp.setPalette(palette_of("#202224"))
    QApplication.processEvents()

    title = bubble.findChild(QLabel, "bubbleTitle")
    assert title is not None
    colour = title.palette().color(QPalette.ColorRole.WindowText)
    assert contrast(colour, QColor("#202224")) >= TEXT_CONTRAST
