"""The window and the questions: they render what they are given and answer by signals."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("PySide6.QtWidgets")

from PySide6.QtCore import (
    QCoreApplication,
    QEvent,
    QMimeData,
    QPoint,
    QPointF,
    QRect,
    QSize,
    QStandardPaths,
    Qt,
    QTimer,
    QUrl,
)
from PySide6.QtGui import (
    QAccessible,
    QAction,
    QColor,
    QDragEnterEvent,
    QDropEvent,
    QFontDatabase,
    QImage,
    QPalette,
    QRegion,
)
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QDialog,
    QLabel,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QScrollArea,
    QSizePolicy,
    QStyle,
    QWidget,
)
from pytestqt.qtbot import QtBot

from tray_app.core import language
from tray_app.core.errors import Remedy
from tray_app.core.secret import Secret
from tray_app.core.state import Action, LastResult, Result, TokenState
from tray_app.desktop.dialogs.clear import ask_clear
from tray_app.desktop.dialogs.keys import ask_keys
from tray_app.desktop.dialogs.rotate import ask_rotate
from tray_app.desktop.dialogs.scrolling_dialog import ScrollingDialog
from tray_app.desktop.icons.state_icon import IconSpec, Phase
from tray_app.desktop.status_window import action_bar, message_row
from tray_app.desktop.status_window import token_card as card_module
from tray_app.desktop.status_window import window as window_module
from tray_app.desktop.status_window.account_list import AccountList
from tray_app.desktop.status_window.dial import Dial
from tray_app.desktop.status_window.window import StatusWindow
from tray_app.desktop.theme.colours import window_tones
from tray_app.desktop.translation import install_translator
from tray_app.desktop.view.build import view_of
from tray_app.desktop.view.model import Overview, ProfileLine, View
from tray_app.desktop.view.question import QuestionView, question_of
from tray_app.desktop.widgets.busy_line import BusyLine
from tray_app.desktop.widgets.work_button import WorkButton
from tray_app.kiwoom.codes import error_for

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support", extend=True)

DAY = 86400
NOW = 1_763_780_820.0
KEY, SECRET = "AppKey-" + "k" * 36, "AppSecret-" + "s" * 33


def state(left: float | None = 79805, **changes: Any) -> TokenState:
    plain = TokenState("default", "real", place="keyring", busy=None, last=LastResult(Result.ISSUED, NOW - 60))
    if left is not None:
        plain = replace(plain, expires=NOW + left, created=NOW + left - DAY)
    return replace(plain, **changes)


def view(left: float | None = 79805, **changes: Any) -> View:
    return view_of(Overview((state(left, **changes),), "default"), NOW, "linux")


def refused(code: str) -> View:
    failed = LastResult(Result.FAILED, NOW, error_for(3, f"[{code}:x]"))
    return view(None, stopped_by=failed.error, last=failed)


@pytest.fixture
def shown(qtbot: QtBot) -> StatusWindow:
    one = StatusWindow()
    qtbot.addWidget(one)
    one.show_view(view())
    one.show()
    return one


@pytest.fixture(autouse=True)
def english_again(qapp: QApplication) -> Iterator[None]:
    yield
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)  # no closed window hears what follows
    speak("en")


def settle() -> None:
    for _ in range(4):
        QApplication.processEvents()


def on_a_screen_of(room: tuple[int, int], lang: str, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> StatusWindow:
    """Return a window in that language where it has so much room."""
    monkeypatch.setattr(window_module, "available_room", lambda _: QSize(*room))
    speak(lang)
    one = StatusWindow()
    qtbot.addWidget(one)
    return one


def speak(lang: str) -> None:
    app = QApplication.instance()
    assert app is not None
    language.use(lang)
    install_translator(app)
    settle()


def text(of: QWidget, name: str) -> str:
    found = of.findChild(QWidget, name)
    assert found is not None, name
    return str(found.text())  # type: ignore[attr-defined]


def button(of: QWidget, name: str) -> QAbstractButton:
    found = of.findChild(QAbstractButton, name)
    assert found is not None, name
    return found


def test_window_shows_what_the_view_says(shown: StatusWindow) -> None:
    one = view(place="file", place_path="/data/.token", place_problem="locked", profile="parents", skew_seconds=200.0)
    shown.show_view(one)
    assert text(shown, "countdown") == "22:10:05"
    assert text(shown, "headline") == one.headline
    assert text(shown, "end") == one.end
    assert text(shown, "badge0") == "Real"
    assert text(shown, "profile") == "parents"
    assert text(shown, "place") == "File"
    assert text(shown, "placePath") == "/data/.token"
    assert text(shown, "placeWhy") == one.place_why
    assert one.last in text(shown, "last")
    assert text(shown, "coming") == "–"
    assert text(shown, "skew") == one.skew
    assert shown.windowTitle() == "parents - Kiwoom Token Tray"


def test_that_kiwoom_confirmed_the_token_has_not_the_colour_of_the_failure_above_it(shown: StatusWindow) -> None:
    failed = LastResult(Result.FAILED, NOW, error_for(3, "[1700:x]"), is_once=True)
    shown.show_view(view(last=failed, confirmed_at=NOW - 3600))
    labels = {name: shown.findChild(QLabel, name) for name in ("last", "confirmed", "coming")}
    colours = {
        name: label.palette().color(QPalette.ColorRole.WindowText)
        for name, label in labels.items()
        if label is not None and label.isVisible()
    }
    assert "Confirmed by Kiwoom" not in text(shown, "last")
    assert text(shown, "confirmed").startswith("Confirmed by Kiwoom")
    assert colours["confirmed"] == colours["coming"] != colours["last"]


def test_without_a_token_no_digits_pretend_otherwise(shown: StatusWindow) -> None:
    shown.show_view(view(None))
    assert not any(character.isdigit() for character in text(shown, "countdown"))
    assert not button(shown, "clearButton").isEnabled()
    assert button(shown, "refreshButton").text() == "Issue a to&ken"


@pytest.mark.parametrize("left", [DAY, 79805, 36000, 35999, 3600, 605, 8])
def test_nothing_moves_as_the_digits_change(shown: StatusWindow, left: int) -> None:
    shown.show_view(view(left))
    QApplication.processEvents()
    places = {child: child.geometry() for child in shown.findChildren(QWidget) if child.isVisible()}
    for earlier in range(1, 8):
        shown.show_view(view(left - earlier))
        QApplication.processEvents()
        moved = [child.objectName() for child, place in places.items() if child.geometry() != place]
        assert [name for name in moved if name not in {"countdown", "headline", "end"}] == []


def ring(dial: Dial) -> tuple[int, int, int, int]:
    """The outermost columns and rows that the ring covers: left, top, right, bottom."""
    image = QImage(dial.size(), QImage.Format.Format_ARGB32)
    image.fill(0)
    dial.render(image, QPoint(), QRegion(), QWidget.RenderFlag(0))
    drawn = [(x, y) for y in range(image.height()) for x in range(image.width()) if image.pixelColor(x, y).alpha() > 8]
    columns, rows = {x for x, _ in drawn}, {y for _, y in drawn}
    return min(columns), min(rows), max(columns), max(rows)


def test_ring_stays_where_it_is_whatever_the_sentences_below(shown: StatusWindow) -> None:
    boxes = []
    for one in (view(), refused("8050"), view(place="file", place_path="/x/.token", place_problem="silent")):
        shown.show_view(one)
        settle()
        boxes.append(ring(shown.dial))
    assert boxes[0] == boxes[1] == boxes[2]


@pytest.mark.parametrize(
    ("name", "signal"),
    [
        ("refreshButton", "refresh_requested"),
        ("rotateButton", "rotate_requested"),
        ("copyButton", "copy_requested"),
        ("clearButton", "clear_requested"),
        ("historyButton", "history_requested"),
        ("settingsButton", "settings_requested"),
        ("openSettingsButton", "open_settings_file_requested"),
        ("quitButton", "quit_requested"),
    ],
)
def test_buttons_ask_by_signal(qtbot: QtBot, shown: StatusWindow, name: str, signal: str) -> None:
    with qtbot.waitSignal(getattr(shown, signal)):
        button(shown, name).click()


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        ("8001", Remedy.ENTER_KEYS),
        ("8030", Remedy.SWITCH_MODE),
        ("8050", Remedy.OPEN_PORTAL),
        ("8010", Remedy.ROTATE),
    ],
)
def test_remedy_button_mends_the_last_error(qtbot: QtBot, shown: StatusWindow, code: str, remedy: str) -> None:
    shown.show_view(refused(code))
    assert button(shown, "remedyButton").isVisible()
    with qtbot.waitSignal(shown.remedy_requested) as asked:
        button(shown, "remedyButton").click()
    assert asked.args == [remedy]


@pytest.mark.parametrize(
    ("action", "name"),
    [
        (Action.REFRESH, "refreshButton"),
        (Action.VERIFY, "refreshButton"),
        (Action.ROTATE, "rotateButton"),
        (Action.CLEAR, "clearButton"),
        (Action.REVOKE, "clearButton"),
        (Action.UNLOCK, "remedyButton"),
    ],
)
def test_pressed_button_shows_the_work_keeps_the_keyboard_and_asks_no_second_time(
    shown: StatusWindow, action: Action, name: str
) -> None:
    locked: dict[str, Any] = {"place": "file", "place_path": "/x", "place_problem": "locked"}
    shown.show_view(view(**locked))
    pressed = button(shown, name)
    pressed.setFocus()
    busy = view(busy=action, **locked)
    shown.show_view(busy)
    working = [one for one in shown.findChildren(WorkButton) if one.is_working()]
    assert working == [pressed]
    assert pressed.accessibleDescription() == busy.busy
    assert shown.focusWidget() is pressed
    asked: list[bool] = []
    working[0].asked.connect(lambda: asked.append(True))
    pressed.click()
    assert asked == []
    others = {"refreshButton", "rotateButton", "clearButton", "remedyButton"} - {name}
    assert not any(button(shown, other).isEnabled() for other in others)
    shown.show_view(view(**locked))
    pressed.click()
    assert asked == [True]


@pytest.mark.parametrize("name", ["remedyButton", "refreshButton", "rotateButton", "clearButton"])
def test_work_that_begins_by_itself_leaves_the_keyboard_where_it_is(
    qtbot: QtBot, shown: StatusWindow, name: str
) -> None:
    locked: dict[str, Any] = {"place": "file", "place_path": "/x", "place_problem": "locked"}
    shown.show_view(view(**locked))
    focused = button(shown, name)
    focused.setFocus()

    for action in (Action.VERIFY, Action.REFRESH, Action.ROTATE):
        shown.show_view(view(busy=action, **locked))
        assert shown.focusWidget() is focused
        with qtbot.assertNotEmitted(shown.refresh_requested), qtbot.assertNotEmitted(shown.remedy_requested):
            focused.click()

    shown.show_view(view(**locked))
    assert focused.isEnabled()


def test_trying_the_other_mode_keeps_the_keyboard(shown: StatusWindow) -> None:
    failed = LastResult(Result.FAILED, NOW, error_for(3, "[8030:x]"))
    shown.show_view(view(None, stopped_by=failed.error, last=failed))
    pressed = button(shown, "remedyButton")
    pressed.setFocus()

    shown.show_view(view(None, busy=Action.REFRESH, last=failed))

    assert shown.focusWidget() is pressed
    assert pressed.accessibleDescription() == "Asking Kiwoom for a token…"


def test_the_keyboard_returns_to_the_main_button_once_it_can_be_used(shown: StatusWindow) -> None:
    limited = LastResult(Result.FAILED, NOW, error_for(3, "[1700:x]"))
    shown.show_view(view(None, last=limited, renew_at=NOW + 60))
    assert not button(shown, "refreshButton").isEnabled()
    assert shown.focusWidget() is shown

    shown.show_view(view())

    assert shown.focusWidget() is button(shown, "refreshButton")


def test_looking_is_no_work_that_somebody_pressed(shown: StatusWindow) -> None:
    shown.show_view(view(busy=Action.READ))
    assert not any(one.is_working() for one in shown.findChildren(WorkButton))
    assert button(shown, "refreshButton").isEnabled()


def test_copy_button_counts_down_without_moving_its_neighbours(shown: StatusWindow) -> None:
    settle()
    before = [one.geometry() for one in shown.findChildren(WorkButton)]
    shown.show_view(replace(view(), copy_text="Copied · 30 s", is_copied=True))
    settle()
    assert button(shown, "copyButton").accessibleDescription() == "It is on the clipboard."
    assert "Copied · 30 s" in button(shown, "copyButton").text().replace("&", "")
    assert [one.geometry() for one in shown.findChildren(WorkButton)] == before


def test_broken_settings_are_told_and_their_file_can_be_opened(shown: StatusWindow) -> None:
    shown.show_view(replace(view(), settings_problem="settings.toml, line 3: no."))
    assert text(shown, "settingsProblem") == "settings.toml, line 3: no."
    assert button(shown, "openSettingsButton").isVisible()
    shown.show_view(view())
    assert not button(shown, "openSettingsButton").isVisible()


def test_end_in_trading_hours_is_red(shown: StatusWindow) -> None:
    label = shown.dial.end
    usual = label.palette().color(QPalette.ColorRole.WindowText)
    shown.show_view(replace(view(), end_is_alarming=True))
    assert label.palette().color(QPalette.ColorRole.WindowText) == window_tones(shown.palette()).bad != usual
    shown.show_view(view())
    assert label.palette().color(QPalette.ColorRole.WindowText) == usual


def several(chosen: str) -> View:
    states = (state(), state(5000, profile="swing", mode="demo"))
    return view_of(Overview(states, chosen), NOW, "linux")


def test_account_that_is_shown_is_named_in_the_head(shown: StatusWindow) -> None:
    shown.show_view(several("swing"))
    assert text(shown, "profile") == "swing"
    assert button(shown, "account1").isChecked()
    assert button(shown, "account1").accessibleDescription() == "Shown now."


def test_all_accounts_are_seen_at_a_glance_and_chosen_by_a_click(qtbot: QtBot, shown: StatusWindow) -> None:
    states = (
        state(),
        state(-5, profile="swing", mode="demo"),
        state(None, profile="day&2", stopped_by=error_for(3, "[8050:x]")),
    )
    shown.show_view(view_of(Overview(states, "default"), NOW, "linux"))
    rows = [button(shown, f"account{number}") for number in range(3)]
    assert all(row.isVisible() for row in rows)
    assert [row.text().partition(" · ")[0] for row in rows] == ["Default", "swing", "day&&2"]
    assert "· until " in rows[0].text()
    assert rows[1].text().endswith("Mock · Expired")
    assert rows[2].text().endswith("needs attention")
    assert [row.isChecked() for row in rows] == [True, False, False]
    with qtbot.waitSignal(shown.profile_chosen) as chosen:
        rows[2].click()
    assert chosen.args == ["day&2"]
    assert not rows[2].isChecked(), "it is shown as chosen when a view says so"
    shown.show_view(view())
    assert not rows[0].isVisible()


def test_warnings_can_be_put_off_and_are_said_to_be(qtbot: QtBot, shown: StatusWindow) -> None:
    for name, seconds in (("snooze1800", 1800), ("snooze3600", 3600), ("snooze28800", 28800)):
        with qtbot.waitSignal(shown.snooze_requested) as asked:
            entry(shown, name).trigger()
        assert asked.args == [seconds]
    assert not entry(shown, "snoozeEnd").isEnabled()
    quiet = view_of(Overview((state(),), "default", snoozed_until=NOW + 600), NOW, "linux")
    shown.show_view(quiet)
    assert quiet.snooze_text in text(shown, "coming")
    with qtbot.waitSignal(shown.snooze_requested) as asked:
        entry(shown, "snoozeEnd").trigger()
    assert asked.args == [0]


def entry(of: QWidget, name: str) -> QAction:
    found = of.findChild(QAction, name)
    assert found is not None, name
    return found


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_no_line_of_the_card_is_cut(qtbot: QtBot, lang: str) -> None:
    speak(lang)
    locked = view(place="file", place_path="/home/trader/.local/share/kiwoom-token-tray/.token", place_problem="locked")
    for one in (view(), locked, refused("8001"), refused("8030"), refused("8050"), refused("1700")):
        window = StatusWindow()
        qtbot.addWidget(window)
        window.show_view(one)
        window.show()
        settle()
        for name in ("placeWhy", "last", "confirmed", "coming"):
            label = window.findChild(QLabel, name)
            assert label is not None
            assert not label.isVisible() or label.height() >= label.heightForWidth(label.width()), label.text()


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_texts_beside_a_compact_ring_do_not_touch_it(qtbot: QtBot, lang: str) -> None:
    speak(lang)
    window = StatusWindow()
    qtbot.addWidget(window)
    window.show_view(several("default"))
    window.show()
    settle()
    right = ring(window.dial)[2]
    for label in (window.dial.headline, window.dial.countdown, window.dial.end):
        assert label.geometry().left() > right


@pytest.mark.parametrize("height", [400, 250])
def test_small_screen_keeps_the_buttons_in_reach(shown: StatusWindow, height: int) -> None:
    shown.show_view(replace(refused("8050"), settings_problem="settings.toml, line 3: " + "no " * 30))
    shown.resize(shown.width(), height)
    settle()
    assert shown.height() == height
    for name in ("refreshButton", "rotateButton", "copyButton", "clearButton", "settingsButton"):
        one = button(shown, name)
        assert shown.rect().contains(one.geometry())
    shown.activateWindow()
    settle()
    for name in ("remedyButton", "openSettingsButton"):
        one = button(shown, name)
        one.setFocus()
        settle()
        assert one.visibleRegion().boundingRect() == one.rect()


def test_rotate_is_asked_about_and_cancelling_is_what_return_does(qtbot: QtBot) -> None:
    dialog = ask_rotate(None, QuestionView())
    qtbot.addWidget(dialog)
    with qtbot.assertNotEmitted(dialog.confirmed):
        qtbot.keyClick(dialog, Qt.Key.Key_Return)
    dialog = ask_rotate(None, QuestionView())
    qtbot.addWidget(dialog)
    with qtbot.waitSignal(dialog.confirmed):
        button(dialog, "rotateAccept").click()


def test_remedy_button_unlocks_a_locked_keyring(qtbot: QtBot, shown: StatusWindow) -> None:
    shown.show_view(view(place="file", place_path="/x", place_problem="locked"))
    with qtbot.waitSignal(shown.remedy_requested) as asked:
        button(shown, "remedyButton").click()
    assert asked.args == [Remedy.UNLOCK_KEYRING]


@pytest.mark.parametrize("name", ["remedyButton", "clearButton", "copyButton"])
def test_keyboard_stays_with_the_token_when_a_button_is_of_no_use_any_more(
    qtbot: QtBot, shown: StatusWindow, name: str
) -> None:
    before = view(place="file", place_path="/x", place_problem="locked")
    shown.show_view(before)
    with qtbot.waitActive(shown):
        shown.activateWindow()
    button(shown, name).setFocus()
    shown.show_view(view(None))
    assert shown.focusWidget() is button(shown, "refreshButton")


def test_remedy_button_is_not_there_without_a_remedy(shown: StatusWindow) -> None:
    assert view().remedy == Remedy.NONE
    assert not button(shown, "remedyButton").isVisible()


def test_busy_line_runs_only_while_it_is_seen(shown: StatusWindow) -> None:
    line = shown.findChild(BusyLine, "busyLine")
    assert line is not None
    (timer,) = line.findChildren(QTimer)
    shown.show_view(view(busy=Action.REFRESH))
    assert line.text() == "Asking Kiwoom for a token…"
    duration = QStyle.StyleHint.SH_Widget_Animation_Duration  # 0 where the user has switched animations off
    assert timer.isActive() is (line.style().styleHint(duration, None, line) > 0)
    shown.hide()
    assert not timer.isActive()
    shown.show()
    shown.show_view(view())
    assert not timer.isActive()
    assert line.height() == 3


def test_window_tells_when_it_is_seen(qtbot: QtBot) -> None:
    one = StatusWindow()
    qtbot.addWidget(one)
    told: list[bool] = []
    one.shown.connect(told.append)
    one.show()
    one.hide()
    assert told == [True, False]


def test_escape_hides_the_window_and_keeps_it(qtbot: QtBot, shown: StatusWindow) -> None:
    qtbot.keyClick(shown, Qt.Key.Key_Escape)
    assert not shown.isVisible()
    shown.show()
    assert text(shown, "countdown") == "22:10:05"


def test_tab_goes_from_the_main_thing_over_the_dangerous_ones_to_the_head(shown: StatusWindow) -> None:
    order, one = [], button(shown, "remedyButton")
    current: QWidget | None = one
    for _ in range(200):
        if isinstance(current, QPushButton) and current.objectName() != "quitButton":
            order.append(current.objectName())
        current = current.nextInFocusChain()
        if current is one:
            break
    assert order == [
        "remedyButton",
        "refreshButton",
        "copyButton",
        "openSettingsButton",
        "rotateButton",
        "clearButton",
        "snoozeButton",
        "historyButton",
        "settingsButton",
    ]


def test_mnemonics_do_not_collide(shown: StatusWindow) -> None:
    for lang in ("en", "ko"):
        speak(lang)
        shown.show_quit(is_shown=True)
        for code in ("8001", "8030", "8050", "8010"):
            shown.show_view(replace(refused(code), settings_problem="The file is broken."))
            buttons = [one for one in shown.findChildren(QPushButton) if one.isVisible()]
            marks = [one.text().partition("&")[2][:1].lower() for one in buttons]
            assert len(set(marks)) == len(marks) == 10, [one.text() for one in buttons]
            assert "" not in marks


def test_screen_reader_hears_minutes_not_seconds(shown: StatusWindow) -> None:
    countdown = shown.dial.countdown
    before = countdown.accessibleName()
    shown.show_view(view(79804))
    assert countdown.text() == "22:10:04"
    assert countdown.accessibleName() == before == "22 h 10 min left"
    assert shown.dial.accessibleDescription() == before
    for one in shown.findChildren(QPushButton):
        interface = QAccessible.queryAccessibleInterface(one)
        assert interface.text(QAccessible.Text.Name) or not one.isVisible()


@pytest.mark.parametrize("lang", ["en", "ko"])
@pytest.mark.parametrize("room", [(1280, 760), (853, 490), (640, 360), (426, 226)], ids=["100", "150", "200", "300"])
def test_at_every_scale_of_a_small_screen_what_helps_is_in_sight_and_no_button_is_cut(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, room: tuple[int, int], lang: str
) -> None:
    one = on_a_screen_of(room, lang, qtbot, monkeypatch)
    for code in ("8001", "8030", "8050"):
        one.show_view(refused(code))
        one.show()
        settle()
        assert one.width() <= room[0]
        assert one.height() <= room[1]
        for name in ("remedyButton", "refreshButton", "settingsButton"):
            found = button(one, name)
            assert found.width() >= found.sizeHint().width(), found.text()
            corner = found.mapTo(one, found.rect().bottomRight())
            assert one.rect().contains(corner), found.text()


@pytest.mark.parametrize("lang", ["en", "ko"])
@pytest.mark.parametrize("room", [(1280, 760), (853, 490), (640, 360)], ids=["100", "150", "200"])
def test_an_error_and_wrong_settings_are_read_without_scrolling(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, room: tuple[int, int], lang: str
) -> None:
    one = on_a_screen_of(room, lang, qtbot, monkeypatch)
    problem = "" if room[1] < 400 else "/home/trader/.config/kiwoom-token-tray/settings.toml, line 12: policy is wrong."
    one.show_view(replace(refused("8050"), settings_problem=problem))
    one.show()
    settle()
    area = one.findChild(QScrollArea)
    assert area is not None
    last = one.findChild(QLabel, "last")
    assert last is not None
    viewport = area.viewport()
    assert viewport.rect().contains(last.mapTo(viewport, last.rect().bottomLeft()))


def test_a_refusal_in_the_keys_window_is_read_without_scrolling(qtbot: QtBot) -> None:
    dialog = ask_keys(None, "real")
    qtbot.addWidget(dialog)
    for field, content in zip(fields(dialog), (KEY, SECRET), strict=True):
        field.setText(content)
    button(dialog, "keysAccept").click()
    dialog.show_answer("Kiwoom refuses. " * 20, Remedy.OPEN_PORTAL)
    area = dialog.findChild(QScrollArea)
    assert area is not None
    qtbot.waitUntil(lambda: area.verticalScrollBar().maximum() == 0)
    room = dialog.screen().availableGeometry()
    assert dialog.height() <= room.height()


def test_screen_reader_hears_no_mnemonics_and_which_value_belongs_to_which_caption(shown: StatusWindow) -> None:
    speak("ko")
    shown.show_view(refused("8050"))
    names = {one.accessibleName() for one in shown.findChildren(QAbstractButton) if one.isVisible()}
    assert "이 IP 등록하기…" in names
    assert "다시 시도" in names
    assert not any("(" in name or "&" in name for name in names)
    for number, value in enumerate(("place", "last", "coming")):
        caption = shown.findChild(QLabel, f"name{number}")
        assert caption is not None
        assert caption.buddy() is shown.findChild(QLabel, value)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a screen reader says by itself."""
    told: list[str] = []
    for module in (card_module, action_bar, message_row):
        monkeypatch.setattr(module, "alert", lambda widget: told.append(f"{widget.objectName()}: {widget.text()}"))
    return told


def test_new_error_is_told_to_a_screen_reader_once(shown: StatusWindow, told: list[str]) -> None:
    for _ in range(3):
        shown.show_view(refused("8050"))
    assert len(told) == 1
    assert "[8050]" in told[0]


@pytest.mark.parametrize(
    ("result", "says"),
    [
        (Result.CONFIRMED, "Kiwoom confirms it is valid."),
        (Result.ISSUED, "A new token was issued."),
        (Result.REVOKED, "The token was revoked at Kiwoom"),
    ],
)
def test_what_came_of_a_click_is_told_to_a_screen_reader_once(
    shown: StatusWindow, told: list[str], result: Result, says: str
) -> None:
    for left in (300, 200, 100):
        shown.show_view(view(left, last=LastResult(result, NOW)))
    assert len(told) == 1
    assert says in told[0]
    shown.show_view(view(last=LastResult(result, NOW + 5)))
    assert len(told) == 2, "it was asked for again"


def test_a_screen_reader_is_told_of_another_account_only_what_is_wrong(qtbot: QtBot, told: list[str]) -> None:
    window = StatusWindow()
    qtbot.addWidget(window)
    window.show_view(view())
    window.show_view(view(profile="swing", last=LastResult(Result.CONFIRMED, NOW)))
    assert told == []
    window.show_view(view(profile="day", last=LastResult(Result.FAILED, NOW, error_for(3, "[8050:x]"))))
    assert len(told) == 1


def test_a_screen_reader_is_told_that_the_token_was_copied_and_warnings_are_put_off(
    shown: StatusWindow, told: list[str]
) -> None:
    plain = Overview((state(),), "default")
    for _ in range(2):
        shown.show_view(view_of(replace(plain, copied_until=NOW + 30), NOW, "linux"))
    assert [one.partition(":")[0] for one in told] == ["copyButton"]
    for _ in range(2):
        shown.show_view(view_of(replace(plain, snoozed_until=NOW + 3600), NOW, "linux"))
    assert [one.partition(":")[0] for one in told] == ["copyButton", "coming"]


def test_a_screen_reader_is_told_once_that_the_settings_are_damaged(shown: StatusWindow, told: list[str]) -> None:
    for _ in range(2):
        shown.show_view(view_of(Overview((state(),), "default", settings_problem="Line 3."), NOW, "linux"))
    assert told == ["settingsProblem: Line 3."]


def test_window_without_a_korean_font_says_how_to_get_one(shown: StatusWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    hint = shown.findChild(QLabel, "fontHint")
    assert hint is not None
    monkeypatch.setattr(QFontDatabase, "writingSystems", lambda *_: [])
    for program, told in (
        ("apt", "sudo apt install fonts-nanum"),
        ("dnf", "sudo dnf install google-noto-sans-cjk-fonts"),
        ("pacman", "sudo pacman -S noto-fonts-cjk"),
        ("", "for example Noto Sans CJK"),
    ):
        monkeypatch.setattr(
            shutil, "which", lambda name, program=program: f"/usr/bin/{name}" * (name == program) or None
        )
        speak("en")
        speak("ko")
        assert hint.isVisible() is (sys.platform == "linux")
        assert told in hint.text() or sys.platform != "linux"
    speak("en")
    assert not hint.isVisible()


def test_language_changes_while_the_window_is_open(shown: StatusWindow) -> None:
    speak("ko")
    shown.show_view(view())
    assert button(shown, "clearButton").text() == "삭제·폐기(&M)…"
    assert button(shown, "refreshButton").text() == "키움에 확인(&K)"
    assert text(shown, "name0") == "보관 위치"
    speak("en")
    assert text(shown, "name0") == "Stored in"


@pytest.mark.parametrize("ground", ["#202224", "#f0f0f0"])
def test_text_is_legible_when_the_theme_changes_live(
    shown: StatusWindow, qapp: QApplication, ground: str, request: pytest.FixtureRequest
) -> None:
    before, one = QPalette(qapp.palette()), shown
    request.addfinalizer(lambda: qapp.setPalette(before))
    one.show_view(refused("8050"))
    qapp.setPalette(QPalette(QColor(ground)))
    settle()
    window_colour = QColor(ground).lightnessF()
    for label in one.findChildren(QLabel):
        if label.isVisible() and label.text():
            colour = label.palette().color(QPalette.ColorRole.WindowText)
            assert abs(colour.lightnessF() - window_colour) > 0.25, label.objectName()


def test_high_contrast_uses_only_the_palette(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("status_window.dial", "status_window.badge", "theme.stylesheet", "theme.colours", "theme.dark_mode"):
        monkeypatch.setattr(f"tray_app.desktop.{module}.is_high_contrast", lambda: True)
    one = StatusWindow()
    qtbot.addWidget(one)
    assert "QPushButton" not in one.styleSheet()
    one.show_view(refused("8050"))
    last = one.findChild(QLabel, "last")
    assert last is not None
    assert last.palette().color(QPalette.ColorRole.WindowText) == one.palette().color(QPalette.ColorRole.WindowText)


def test_no_button_is_cut_off_where_much_is_to_be_said(shown: StatusWindow) -> None:
    crowded = view(place="file", place_path="/data/.token", place_problem="locked", skew_seconds=200.0)
    for one in (crowded, replace(crowded, settings_problem="no " * 40), refused("8050")):
        shown.show_view(one)
        settle()
        for seen in shown.findChildren(QPushButton):
            assert seen.height() >= seen.sizeHint().height() or not seen.isVisible(), seen.text()


def test_buttons_have_room_for_their_text(shown: StatusWindow) -> None:
    for lang in ("en", "ko"):
        speak(lang)
        for code in ("8001", "8030", "8050", "8010"):
            shown.show_view(refused(code))
            shown.resize(1, 1)
            settle()
            for one in shown.findChildren(QPushButton):
                assert one.width() >= one.sizeHint().width() or not one.isVisible(), one.text()


def test_clear_asks_without_blocking_and_the_safe_choice_is_chosen(qtbot: QtBot) -> None:
    dialog = ask_clear(None, QuestionView())
    qtbot.addWidget(dialog)
    assert dialog.isVisible()
    with qtbot.waitSignal(dialog.confirmed) as answer:
        button(dialog, "clearAccept").click()
    assert answer.args == [False]


def test_clear_can_revoke(qtbot: QtBot) -> None:
    dialog = ask_clear(None, QuestionView())
    qtbot.addWidget(dialog)
    button(dialog, "clearRevoke").click()
    assert button(dialog, "clearAccept").text() == "Revoke and re&move"
    with qtbot.waitSignal(dialog.confirmed) as answer:
        button(dialog, "clearAccept").click()
    assert answer.args == [True]


@pytest.mark.parametrize("how", ["button", "escape"])
def test_cancelled_clear_says_nothing(qtbot: QtBot, how: str) -> None:
    dialog = ask_clear(None, QuestionView())
    qtbot.addWidget(dialog)
    with qtbot.assertNotEmitted(dialog.confirmed):
        if how == "button":
            button(dialog, "clearCancel").click()
        else:
            qtbot.keyClick(dialog, Qt.Key.Key_Escape)


@pytest.mark.parametrize(
    ("ask", "korean", "english"),
    [
        (lambda: ask_clear(None, QuestionView()), "토큰 삭제·폐기", "Remove the token"),
        (lambda: ask_rotate(None, QuestionView()), "토큰 폐기 후 재발급", "Revoke and reissue"),
        (lambda: ask_keys(None, "real", "isa"), "키움 앱키 - isa", "Kiwoom app key - isa"),
    ],
)
def test_open_question_follows_the_language(
    qtbot: QtBot, qapp: QApplication, ask: Callable[[], QDialog], korean: str, english: str
) -> None:
    dialog = ask()
    qtbot.addWidget(dialog)
    try:
        language.use("ko")
        install_translator(qapp)
        settle()
        assert dialog.windowTitle() == korean
        assert "취소" in {one.text() for one in dialog.findChildren(QAbstractButton)}
    finally:
        language.use("en")
        install_translator(qapp)
    settle()
    assert dialog.windowTitle() == english
    assert "Cancel" in {one.text() for one in dialog.findChildren(QAbstractButton)}


@pytest.mark.parametrize("left", [None, -5])
def test_dead_token_cannot_be_revoked(qtbot: QtBot, left: float | None) -> None:
    dialog = ask_clear(None, question_of(state(left), NOW, named=False))
    qtbot.addWidget(dialog)
    assert not button(dialog, "clearRevoke").isEnabled()


def test_open_clear_follows_the_token(qtbot: QtBot) -> None:
    dialog = ask_clear(None, QuestionView())
    qtbot.addWidget(dialog)
    button(dialog, "clearRevoke").setFocus()
    button(dialog, "clearRevoke").click()

    dialog.show_view(QuestionView(can_revoke=False))

    assert dialog.focusWidget() is button(dialog, "clearLocal")
    assert not button(dialog, "clearRevoke").isEnabled()
    assert "nothing to revoke" in button(dialog, "clearRevoke").accessibleDescription()
    assert "stays valid" not in button(dialog, "clearLocal").accessibleDescription()
    assert (button(dialog, "clearAccept").text(), button(dialog, "clearAccept").accessibleName()) == (
        "Re&move",
        "Remove",
    )
    with qtbot.waitSignal(dialog.confirmed) as answer:
        button(dialog, "clearAccept").click()
    assert answer.args == [False]


def test_open_rotate_follows_the_token(qtbot: QtBot) -> None:
    dialog = ask_rotate(None, QuestionView())
    qtbot.addWidget(dialog)
    assert text(dialog, "rotateQuestion") == "Revoke this token and issue a new one now?"

    dialog.show_view(QuestionView(can_revoke=False))

    assert text(dialog, "rotateQuestion") == "Issue a new token now?"
    assert "nothing to revoke" in dialog.accessibleDescription()


@pytest.mark.parametrize(
    ("ask", "main", "key"),
    [(ask_clear, "clearAccept", Qt.Key.Key_Return), (ask_rotate, "rotateAccept", Qt.Key.Key_Space)],
)
def test_question_cannot_be_answered_while_something_else_is_done(
    qtbot: QtBot, ask: Callable[[None, QuestionView], QDialog], main: str, key: Qt.Key
) -> None:
    dialog = ask(None, QuestionView(can_answer=False))
    qtbot.addWidget(dialog)
    assert not button(dialog, main).isEnabled()
    with qtbot.assertNotEmitted(dialog.accepted):
        qtbot.keyClick(button(dialog, main) if ask is ask_rotate else button(dialog, "clearLocal"), key)


@pytest.mark.parametrize(("profile", "named"), [("", ""), ("default", " - Default"), ("swing", " - swing")])
def test_question_names_its_account_where_there_are_several(qtbot: QtBot, profile: str, named: str) -> None:
    for dialog in (
        ask_clear(None, QuestionView(profile)),
        ask_rotate(None, QuestionView(profile)),
        ask_keys(None, "real", profile),
    ):
        qtbot.addWidget(dialog)
        title, _, account = dialog.windowTitle().partition(" - ")
        assert title
        assert named.removeprefix(" - ") == account


def fields(dialog: QWidget) -> tuple[QLineEdit, QLineEdit]:
    key, secret = dialog.findChild(QLineEdit, "appKey"), dialog.findChild(QLineEdit, "appSecret")
    assert key is not None
    assert secret is not None
    return key, secret


def test_keys_are_handed_over_as_secrets_and_forgotten(qtbot: QtBot) -> None:
    dialog = ask_keys(None, "demo")
    qtbot.addWidget(dialog)
    key, secret = fields(dialog)
    assert not button(dialog, "keysAccept").isEnabled()
    QApplication.clipboard().setText(f" \t{KEY}\r\n")
    key.paste()
    assert key.text() == KEY
    secret.setText(f"{SECRET} ")
    with qtbot.waitSignal(dialog.keys_entered) as entered:
        button(dialog, "keysAccept").click()
    mode, keys = entered.args
    assert (mode, keys.app_key, keys.app_secret) == ("demo", Secret(KEY), Secret(SECRET))
    assert KEY not in repr(entered.args)
    assert not button(dialog, "keysAccept").isEnabled(), "one attempt at a time"
    dialog.show_answer("Refused. [8001]")
    assert (key.text(), secret.text()) == (KEY, SECRET), "they can be corrected"
    assert text(dialog, "keysComplaint") == "Refused. [8001]"
    button(dialog, "keysAccept").click()
    dialog.show_answer("")
    assert not dialog.isVisible()
    assert (key.text(), secret.text()) == ("", "")


def test_the_keyboard_is_not_left_at_cancel_while_keys_are_checked(qtbot: QtBot) -> None:
    dialog = ask_keys(None, "real")
    qtbot.addWidget(dialog)
    for field, content in zip(fields(dialog), (KEY, SECRET), strict=True):
        field.setText(content)
    checks = button(dialog, "keysAccept")
    checks.setFocus()

    for _ in range(2):
        qtbot.keyClick(dialog.focusWidget(), Qt.Key.Key_Return)

    assert dialog.isVisible()
    dialog.show_answer("Refused.")
    assert dialog.focusWidget() is fields(dialog)[0]


def test_keys_are_taken_from_the_files_of_the_portal(qtbot: QtBot, tmp_path: Path) -> None:
    for part, content in (("appkey", KEY), ("secretkey", SECRET)):
        (tmp_path / f"12345678_{part}.txt").write_text(content + "\r\n")
    dialog = ask_keys(None, "demo")
    qtbot.addWidget(dialog)
    dialog.form.sources.read([str(tmp_path / "12345678_secretkey.txt")])
    qtbot.waitUntil(lambda: [one.text() for one in fields(dialog)] == [KEY, SECRET])
    note = text(dialog, "keysFromFileNote")
    assert "****5678" in note
    assert "12345678" not in note
    settle()
    label = dialog.findChild(QLabel, "keysFromFileNote")
    assert label is not None
    assert label.height() >= label.heightForWidth(label.width()), "no line is cut"
    assert dialog.form.mode == "demo", "these files do not say"
    assert button(dialog, "keysAccept").isEnabled()


# Qt 6.12 wants a QPointF, which 6.11 does not take.
@pytest.mark.filterwarnings("ignore:Function. 'QDragEnterEvent:DeprecationWarning")
@pytest.mark.parametrize("on_form", [True, False])
def test_file_that_is_dropped_fills_the_form_with_its_mode_and_is_copied(
    qtbot: QtBot, tmp_path: Path, on_form: bool
) -> None:
    file = tmp_path / "bot.env"
    file.write_text(f"APP_KEY_MOCK={KEY}\nAPP_SECRET_MOCK={SECRET}\n")
    dialog = ask_keys(None, "real")
    qtbot.addWidget(dialog)
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(file))])
    actions = Qt.DropAction.CopyAction | Qt.DropAction.MoveAction
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    target = dialog.form if on_form else dialog
    entering = QDragEnterEvent(QPoint(5, 5), actions, data, buttons, keys)
    QApplication.sendEvent(target, entering)
    assert entering.isAccepted()
    dropped = QDropEvent(QPointF(5, 5), actions, data, buttons, keys)
    QApplication.sendEvent(target, dropped)
    assert (dropped.isAccepted(), dropped.dropAction()) == (True, Qt.DropAction.CopyAction)
    qtbot.waitUntil(lambda: [one.text() for one in fields(dialog)] == [KEY, SECRET])
    assert dialog.form.mode == "demo"
    assert "bot.env" in text(dialog, "keysFromFileNote")


def test_file_without_keys_is_refused_in_a_sentence(qtbot: QtBot, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing here")
    dialog = ask_keys(None, "real")
    qtbot.addWidget(dialog)
    dialog.form.sources.read([str(tmp_path / "notes.txt")])
    qtbot.waitUntil(lambda: bool(text(dialog, "keysComplaint")))
    assert text(dialog, "keysComplaint") == "There is no app key and secret in notes.txt."


def test_what_was_downloaded_is_offered_by_its_account(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for part, content in (("appkey", KEY), ("secretkey", SECRET)):
        (tmp_path / f"12345678_{part}.txt").write_text(content)
    monkeypatch.setattr(QStandardPaths, "writableLocation", lambda _: str(tmp_path))
    dialog = ask_keys(None, "real")
    qtbot.addWidget(dialog)
    offer = button(dialog, "keysOffer0")
    qtbot.waitUntil(offer.isVisible)
    assert offer.text() == "Use ****5678 from &Downloads"
    assert offer.accessibleName() == "Use ****5678 from Downloads"
    assert not button(dialog, "keysOffer1").isVisible()
    assert fields(dialog)[0].text() == "", "nothing is read before it is wanted"
    offer.click()
    qtbot.waitUntil(lambda: [one.text() for one in fields(dialog)] == [KEY, SECRET])
    assert f"{len(KEY)} characters" in {one.text() for one in dialog.findChildren(QLabel)}
    speak("ko")
    assert offer.accessibleName() == "다운로드의 ****5678 키 사용"
    assert f"{len(KEY)}자" in {one.text() for one in dialog.findChildren(QLabel)}


def test_keys_are_never_shown(qtbot: QtBot) -> None:
    dialog = ask_keys(None, "real")
    qtbot.addWidget(dialog)
    for field, content in zip(fields(dialog), (KEY, SECRET), strict=True):
        field.setText(content)
        assert field.displayText() == field.displayText()[0] * len(content)
        assert field.echoMode() is QLineEdit.EchoMode.Password
        assert content not in QAccessible.queryAccessibleInterface(field).text(QAccessible.Text.Value)
    assert [one.text() for one in dialog.findChildren(QLabel) if "43 characters" in one.text()] == ["43 characters"] * 2


def test_cancelled_keys_are_forgotten(qtbot: QtBot) -> None:
    dialog = ask_keys(None, "real")
    qtbot.addWidget(dialog)
    key, secret = fields(dialog)
    key.setText(KEY)
    secret.setText(SECRET)
    with qtbot.assertNotEmitted(dialog.keys_entered):
        button(dialog, "keysCancel").click()
    assert (key.text(), secret.text()) == ("", "")


@pytest.mark.parametrize(("key", "secret"), [("two parts", SECRET), (KEY, "시크릿"), (KEY, KEY)])
def test_what_cannot_be_keys_is_said_at_once_without_repeating_it(qtbot: QtBot, key: str, secret: str) -> None:
    dialog = ask_keys(None, "real")
    qtbot.addWidget(dialog)
    for field, content in zip(fields(dialog), (key, secret), strict=True):
        field.setText(content)
    with qtbot.assertNotEmitted(dialog.keys_entered):
        button(dialog, "keysAccept").click()
    complaint = dialog.findChild(QLabel, "keysComplaint")
    assert complaint is not None
    assert complaint.text()
    assert key not in complaint.text()
    assert secret not in complaint.text()
    assert dialog.isVisible()


@pytest.mark.parametrize(("letter", "field"), [(Qt.Key.Key_E, 0), (Qt.Key.Key_S, 1)])
def test_fields_are_reached_by_the_letter_of_their_name(qtbot: QtBot, letter: Qt.Key, field: int) -> None:
    dialog = ask_keys(None, "real")
    qtbot.addWidget(dialog)
    with qtbot.waitActive(dialog):
        fields(dialog)[1 - field].setFocus()
    qtbot.keyClick(dialog, letter, Qt.KeyboardModifier.AltModifier)
    assert fields(dialog)[field].hasFocus()


def test_keys_form_starts_with_the_mode_it_is_given(qtbot: QtBot) -> None:
    for mode, name in (("real", "modeReal"), ("demo", "modeDemo")):
        dialog = ask_keys(None, mode, "parents")
        qtbot.addWidget(dialog)
        chosen = dialog.findChild(QRadioButton, name)
        assert chosen is not None
        assert chosen.isChecked()
        assert dialog.windowTitle().endswith("parents")


def test_dialogs_delete_themselves(qtbot: QtBot) -> None:
    dialog = ask_clear(None, QuestionView())
    with qtbot.waitSignal(dialog.destroyed):
        dialog.reject()


def test_icons_of_the_accounts_follow_the_colours_of_the_window(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    accounts = AccountList(window)
    window.setPalette(QPalette(QColor("#ffffff")))
    accounts.show_profiles(several("default").profiles)
    light = button(accounts, "account0").icon().pixmap(16, 16).toImage()

    window.setPalette(QPalette(QColor("#202020")))

    assert button(accounts, "account0").icon().pixmap(16, 16).toImage() != light


@pytest.mark.parametrize(
    ("code", "mode", "says"),
    [
        ("8030", "real", "Try this key for mock trading"),
        ("8030", "demo", "Try this key for real trading"),
        ("8050", "real", "Register this IP…"),
    ],
)
def test_what_helps_is_the_main_button_of_the_keys_window(qtbot: QtBot, code: str, mode: str, says: str) -> None:
    dialog = ask_keys(None, mode)
    qtbot.addWidget(dialog)
    for field, content in zip(fields(dialog), (KEY, SECRET), strict=True):
        field.setText(content)
    helps, checks = button(dialog, "keysRemedy"), button(dialog, "keysAccept")
    assert not helps.isVisible()
    assert checks.property("main") == "true"
    checks.click()
    error = error_for(3, f"[{code}:x]")
    dialog.show_answer("Refused.", error.remedy)
    assert helps.isVisible()
    assert helps.accessibleName() == says
    assert helps.property("main") == "true"
    assert checks.property("main") == "false"
    assert dialog.focusWidget() is helps
    fields(dialog)[0].setText(KEY + "x")
    assert not helps.isVisible(), "it was about the keys before"
    assert checks.property("main") == "true"


def test_keys_for_the_other_mode_are_tried_for_it_by_one_click(qtbot: QtBot) -> None:
    dialog = ask_keys(None, "real")
    qtbot.addWidget(dialog)
    for field, content in zip(fields(dialog), (KEY, SECRET), strict=True):
        field.setText(content)
    button(dialog, "keysAccept").click()
    dialog.show_answer("Refused.", Remedy.SWITCH_MODE)
    with qtbot.waitSignal(dialog.keys_entered) as entered:
        button(dialog, "keysRemedy").click()
    mode, keys = entered.args
    assert (mode, keys.app_key, keys.app_secret) == ("demo", Secret(KEY), Secret(SECRET))


@pytest.mark.parametrize("lang", ["en", "ko"])
@pytest.mark.parametrize(
    "ask",
    [lambda: ask_clear(None, QuestionView()), lambda: ask_rotate(None, QuestionView()), lambda: ask_keys(None, "real")],
)
def test_questions_on_a_small_screen_at_300_percent_cut_no_word(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, ask: Callable[[], QDialog], lang: str
) -> None:
    class SmallScreen:
        def availableGeometry(self) -> QRect:
            return QRect(0, 0, 426, 258)

    monkeypatch.setattr(ScrollingDialog, "screen", lambda _: SmallScreen())
    speak(lang)
    dialog = ask()
    qtbot.addWidget(dialog)
    settle()
    assert dialog.width() <= 426
    assert dialog.height() <= 218
    for label in dialog.findChildren(QLabel):
        if label.isVisible() and label.wordWrap() and label.text():
            assert label.height() >= label.heightForWidth(label.width()), label.text()
    for one in dialog.findChildren(QPushButton):
        if one.isVisible():
            assert one.width() >= one.sizeHint().width(), one.text()
    area = dialog.findChild(QScrollArea)
    assert area is not None
    assert area.horizontalScrollBar().maximum() == 0
    for name in ("clearAccept", "clearCancel", "rotateAccept", "rotateCancel", "keysAccept", "keysCancel"):
        found = dialog.findChild(QPushButton, name)
        assert found is None or dialog.rect().contains(found.mapTo(dialog, found.rect().bottomRight()))


def test_a_long_account_name_leaves_its_state_in_sight(qtbot: QtBot) -> None:
    name = "a-very-long-name-of-a-second-account-for-practising-options · Mock"
    window = QWidget()
    qtbot.addWidget(window)
    accounts = AccountList(window)
    lines = [
        ProfileLine(one, one, "needs attention", chosen=False, icon=IconSpec(Phase.NONE)) for one in ("default", name)
    ]
    accounts.show_profiles(tuple(lines))
    row = button(accounts, "account1")
    width = row.sizeHint().width() * 2 // 3
    accounts.resize(width, accounts.sizeHint().height())
    window.show()

    assert row.width() <= width
    assert "…" in row.text()
    assert row.text().endswith("Mock · needs attention")
    assert row.toolTip() == row.accessibleName() == f"{name} · needs attention"
    assert button(accounts, "account0").text() == "default · needs attention"
    accounts.resize(width * 2, accounts.height())
    assert row.text() == f"{name} · needs attention"
    assert row.toolTip() == ""
    assert row.minimumSizeHint().width() < width
    assert row.sizePolicy().horizontalPolicy() is QSizePolicy.Policy.Preferred, "no window is wider for its sake"
