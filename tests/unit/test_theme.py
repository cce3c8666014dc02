"""The style sheet of the windows: colours by the palette, roles by properties, and nothing in high contrast."""

from __future__ import annotations

import re

import pytest
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QCheckBox, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from tray_app.desktop.theme import colours, stylesheet
from tray_app.desktop.theme.colours import WINDOW_DARK, WINDOW_LIGHT, window_tones
from tray_app.desktop.theme.dark_mode import is_dark
from tray_app.desktop.theme.stylesheet import fix_box_colours, set_role, set_text_colour, window_stylesheet

DARK, LIGHT = QPalette(QColor("#202020")), QPalette(QColor("#f0f0f0"))


@pytest.fixture
def high_contrast(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (colours, stylesheet):
        monkeypatch.setattr(module, "is_high_contrast", lambda: True)


def test_a_palette_is_dark_by_its_window_colour() -> None:
    assert is_dark(DARK)
    assert not is_dark(LIGHT)


def test_the_tones_follow_the_palette() -> None:
    assert window_tones(DARK) == WINDOW_DARK
    assert window_tones(LIGHT) == WINDOW_LIGHT


def test_the_main_button_has_the_good_tone() -> None:
    for palette, tones in ((DARK, WINDOW_DARK), (LIGHT, WINDOW_LIGHT)):
        main = re.search(r'QPushButton\[main="true"\] \{ background: (#\w+)', window_stylesheet(palette))

        assert main is not None
        assert main[1] == tones.good.name()


def test_a_focused_button_is_not_larger_than_one_without_focus() -> None:
    sheet = window_stylesheet(LIGHT, button=(7, 14))

    assert "border: 1px solid" in sheet
    assert "padding: 7px 14px" in sheet
    assert re.search(r"QPushButton:focus \{ border: 2px .*padding: 6px 13px", sheet)


@pytest.mark.usefixtures("high_contrast")
def test_in_high_contrast_the_palette_alone_counts() -> None:
    tones = window_tones(DARK)
    text = DARK.color(QPalette.ColorGroup.Active, QPalette.ColorRole.WindowText)

    assert window_stylesheet(DARK) == ""
    assert {one.name() for one in (tones.good, tones.bad, tones.quiet)} == {text.name()}


def test_a_role_is_a_property_that_the_style_sheet_selects(qtbot: QtBot) -> None:
    widget = QWidget()
    qtbot.addWidget(widget)
    set_role(widget, "card")

    assert widget.property("card") == "true"
    assert 'QFrame[card="true"]' in window_stylesheet(LIGHT)


def test_a_check_box_on_a_dark_window_looks_empty(qtbot: QtBot) -> None:
    """Windows gives it the accent colour as its ground there, with which it looks ticked."""
    windows = QPalette(DARK)
    windows.setColor(QPalette.ColorRole.Base, QColor("#0078d7"))
    window = QWidget()
    qtbot.addWidget(window)
    window.setPalette(windows)
    box = QCheckBox("Also write the .token file")
    QVBoxLayout(window).addWidget(box)

    fix_box_colours(window)

    ground, around = box.palette().color(QPalette.ColorRole.Base), DARK.color(QPalette.ColorRole.Window)
    assert ground.saturation() == 0
    assert abs(ground.lightnessF() - around.lightnessF()) < 0.1


def test_a_label_takes_a_text_colour_without_a_style_sheet(qtbot: QtBot) -> None:
    from PySide6.QtWidgets import QLabel

    label = QLabel("Expired")
    qtbot.addWidget(label)
    set_text_colour(label, WINDOW_LIGHT.bad)

    assert label.palette().color(QPalette.ColorRole.WindowText) == WINDOW_LIGHT.bad
    assert label.styleSheet() == ""
