"""The widgets that several windows share: what they show while work runs, and what a screen reader says."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from tray_app.desktop.widgets.busy_line import BusyLine
from tray_app.desktop.widgets.elided_label import ElidedLabel
from tray_app.desktop.widgets.work_button import WorkButton

PATH = "/home/a-trader/.local/share/kiwoom-token-tray/data/.token"


@pytest.fixture
def window(qtbot: QtBot) -> QWidget:
    window = QWidget()
    qtbot.addWidget(window)
    return window


@pytest.fixture
def button(window: QWidget) -> WorkButton:
    button = WorkButton("check", window)
    button.setText("Check with Kiwoom")
    return button


def test_a_button_asks_once_and_not_while_its_work_runs(button: WorkButton, qtbot: QtBot) -> None:
    asked: list[bool] = []
    button.asked.connect(lambda: asked.append(button.is_working()))

    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    button.show_progress("Asking Kiwoom…")
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    button.show_progress("")
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    assert asked == [False, False]


def test_a_screen_reader_says_what_a_button_is_doing(button: WorkButton) -> None:
    button.show_progress("Asking Kiwoom…")
    working = button.accessibleDescription()
    button.show_progress("")

    assert (working, button.accessibleDescription()) == ("Asking Kiwoom…", "")


def test_a_button_is_wide_enough_for_its_other_text_and_keeps_its_own(button: WorkButton) -> None:
    button.reserve_width_for("Copied · 30 s, which is a longer text")
    reserved = button.minimumWidth()

    button.setText("Copied · 30 s, which is a longer text")

    assert reserved >= button.sizeHint().width()


def test_reserving_width_does_not_change_the_text(button: WorkButton) -> None:
    button.reserve_width_for("another text")

    assert button.text() == "Check with Kiwoom"


def test_a_busy_line_is_on_while_something_is_in_progress(window: QWidget) -> None:
    line = BusyLine(window)
    before = line.is_on()
    line.show_progress("Reading the token…")

    assert (before, line.is_on(), line.accessibleName()) == (False, True, "Reading the token…")


def test_a_busy_line_takes_no_clicks(window: QWidget) -> None:
    assert BusyLine(window).testAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)


def test_a_path_without_room_loses_its_middle_and_stays_whole_in_the_tooltip(window: QWidget, qtbot: QtBot) -> None:
    label = ElidedLabel(window)
    window.show()
    label.resize(2000, 20)
    label.show_text(PATH)
    wide = label.text()
    label.resize(120, 20)
    qtbot.waitUntil(lambda: "…" in label.text())

    assert wide == PATH
    assert label.text().startswith("/")
    assert label.text().endswith("n")
    assert (label.toolTip(), label.accessibleName()) == (PATH, PATH)


def test_a_label_without_text_is_hidden(window: QWidget) -> None:
    label = ElidedLabel(window)
    label.show_text(PATH)
    shown = not label.isHidden()
    label.show_text("")

    assert (shown, label.isHidden()) == (True, True)
