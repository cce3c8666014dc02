"""What joins monitor, tray, window and notices: who is told when, and how often it wakes up."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QEvent, QObject, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QLabel,
    QMessageBox,
    QPushButton,
    QRadioButton,
)
from pytestqt.qtbot import QtBot

from tests.doubles import START, Clock
from tray_app import autostart
from tray_app.core import language
from tray_app.core.errors import KeysMissing, KeysRefused, KiwoomTokenError, Remedy, SettingsError, StoreError
from tray_app.core.notices import Notice, NoticeKind
from tray_app.core.state import Action, LastResult, Result, TokenState
from tray_app.core.token import token_for
from tray_app.core.trading import ClosedDays, install_closed_days
from tray_app.desktop import autostart as autostart_module
from tray_app.desktop import windows as windows_module
from tray_app.desktop.controller import DesktopController
from tray_app.desktop.icons.state_icon import IconBadge
from tray_app.desktop.notices.backend import Notification
from tray_app.desktop.notices.notifier import Notifier
from tray_app.desktop.setup.flow import SetupResult
from tray_app.desktop.status_window.window import StatusWindow
from tray_app.desktop.view.build import view_of
from tray_app.desktop.view.model import View
from tray_app.kiwoom.codes import error_for
from tray_app.settings.load import load_settings
from tray_app.settings.save import save_setting

COPIED = token_for("a-token-of-a-test", 8200, START - 1000)
"""The one that the fake monitor shows."""


class FakeMonitor(QObject):
    changed = Signal(object)
    notice = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.state = TokenState("default", "real", expires=START + 7200, created=START - 1000, busy=None)
        self.settings = load_settings()
        self.wishes: list[Any] = []

    def start(self) -> None:
        self.wishes.append("start")

    def refresh(self) -> None:
        self.wishes.append("refresh")

    def verify(self) -> None:
        self.wishes.append("verify")

    def rotate(self) -> None:
        self.wishes.append("rotate")

    def unlock(self) -> None:
        self.wishes.append("unlock")

    def copy(self) -> None:
        self.wishes.append("copy")

    def clear(self, *, revoke: bool) -> None:
        self.wishes.append(("clear", revoke))

    def enter_keys(self, mode: str, keys: Any = None) -> None:
        self.wishes.append((mode, keys.app_key.reveal(), keys.app_secret.reveal()) if keys else (mode, "its own"))

    def show(self, **fields: Any) -> None:
        self.state = replace(self.state, **fields)
        self.changed.emit(self.state)


class FakeAccounts(QObject):
    changed = Signal()
    notice = Signal(str, object)
    notice_over = Signal(str)
    copied = Signal(str, object)
    reconfigured = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.monitors = {"default": FakeMonitor()}
        self.monitors["default"].changed.connect(self.changed)
        self.chosen_name = "default"
        self.problems: tuple[KiwoomTokenError, ...] = ()
        self.settings_file = "/nowhere/settings.toml"
        self.environ = dict(os.environ)
        self.wishes: list[Any] = []

    @property
    def chosen(self) -> FakeMonitor:
        return self.monitors[self.chosen_name]

    @property
    def states(self) -> tuple[TokenState, ...]:
        return tuple(monitor.state for monitor in self.monitors.values())

    def start(self) -> None:
        self.chosen.start()

    def mode_of(self, profile: str) -> str:
        return self.monitors[profile].state.mode

    def enter_keys(self, profile: str, mode: str, keys: Any) -> None:
        self.monitors[profile].enter_keys(mode, keys)

    def reload(self) -> None:
        self.wishes.append("reload")

    def tick(self) -> None:
        self.wishes.append("tick")

    def of(self, profile: str) -> FakeMonitor | None:
        return self.monitors.get(profile)

    def finders(self) -> dict[str, Any]:
        return dict.fromkeys(self.monitors, lambda: None)

    def choose(self, profile: str) -> None:
        self.chosen_name = profile
        self.changed.emit()

    def snooze(self, seconds: float) -> None:
        self.wishes.append(("snooze", seconds))

    def set(self, name: str, value: object, profile: str, then: Callable[[], object] = lambda: None) -> None:
        self.wishes.append((name, value, profile))
        self.saved = then

    def add(self, name: str, **fields: Any) -> None:
        monitor = self.monitors[name] = FakeMonitor()
        monitor.state = replace(monitor.state, profile=name, **fields)
        monitor.changed.connect(self.changed)


class FakeTray(QObject):
    """Tray icon and menu in one."""

    clicked = Signal()
    balloon_clicked = Signal()
    open_requested = Signal()
    copy_requested = Signal()
    snooze_requested = Signal(int)
    profile_chosen = Signal(str)
    policy_chosen = Signal(str)
    settings_requested = Signal()
    refresh_requested = Signal()
    remedy_requested = Signal(str)
    account_requested = Signal()
    clear_requested = Signal()
    quit_requested = Signal()
    available = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        self.menu = self
        self.views: list[View] = []
        self.balloons: list[tuple[str, str, bool]] = []
        self.is_there = True

    @property
    def account(self) -> str:
        return self.views[-1].account if self.views else ""

    def start(self) -> None:
        self.available.emit(self.is_there)

    def is_available(self) -> bool:
        return self.is_there

    def show_view(self, view: View) -> None:
        self.views.append(view)

    def show_balloon(self, title: str, body: str, urgent: bool) -> None:
        self.balloons.append((title, body, urgent))

    def retranslate(self) -> None:
        self.views.clear()


class FakeBackend:
    def __init__(self) -> None:
        self.shown: list[Notification] = []
        self.withdrawn: list[str] = []

    def show(self, notification: Notification) -> None:
        self.shown.append(notification)

    def withdraw(self, owner: str) -> None:
        self.withdrawn.append(owner)


class World:
    def __init__(self, qtbot: QtBot, *, is_new: bool = False) -> None:
        self.clock = Clock()
        self.accounts = FakeAccounts()
        self.monitor = self.accounts.monitors["default"]
        self.tray = FakeTray()
        self.backend = FakeBackend()
        self.notifier = Notifier(self.tray.show_balloon, backend=self.backend)
        self.controller = DesktopController(
            self.accounts,  # type: ignore[arg-type]
            self.tray,  # type: ignore[arg-type]
            load_settings(),
            self.clock,
            self.notifier,
            is_new=is_new,
        )
        self.qtbot = qtbot

    def notification(self) -> Notification:
        """The one that is shown next."""
        self.qtbot.waitUntil(lambda: bool(self.backend.shown), timeout=10_000)
        return self.backend.shown.pop(0)

    @property
    def window(self) -> StatusWindow:
        return self.controller.window

    def pause(self) -> float | None:
        """Seconds until the controller renders again by itself."""
        return self.timer.interval() / 1000 if self.timer.isActive() else None

    @property
    def timer(self) -> QTimer:
        (timer,) = self.controller.findChildren(QTimer, options=Qt.FindChildOption.FindDirectChildrenOnly)
        return timer

    def question(self, name: str) -> QDialog:
        question = self.controller.windows.dialog
        assert question is not None
        assert question.objectName() == name
        assert question.isVisible()
        return question


@pytest.fixture
def world(qtbot: QtBot) -> Iterator[World]:
    one = World(qtbot)
    qtbot.addWidget(one.window)
    yield one
    one.controller.windows.close_dialog()
    one.timer.stop()


def enter(question: QDialog) -> None:
    """Click the button that takes what was typed."""
    buttons = question.findChild(QDialogButtonBox)
    assert buttons is not None
    (button,) = (one for one in buttons.buttons() if buttons.buttonRole(one) is buttons.ButtonRole.AcceptRole)
    button.click()


def test_icon_is_rendered_before_anything_slow_begins(world: World) -> None:
    order: list[str] = []
    world.tray.start = lambda: order.append(f"tray after {len(world.tray.views)}")
    world.monitor.start = lambda: order.append("monitor")
    world.controller.start(background=False)
    assert order == ["tray after 1", "monitor"]
    assert not world.window.isVisible()


def test_it_wakes_once_a_minute_while_no_window_is_seen(world: World) -> None:
    world.monitor.show(expires=START + 7200)
    assert world.pause() == pytest.approx(1, abs=0.01), "two hours, then 1 h 59 min"
    world.clock.advance(1.001)
    world.controller.render()
    assert world.pause() == pytest.approx(60, abs=0.01)
    assert world.tray.views[-1].remaining == "1 h 59 min left"


def test_holidays_that_are_not_known_are_told(world: World) -> None:
    install_closed_days(ClosedDays())
    world.controller.render()
    assert "every weekday counts as a trading day" in world.tray.views[-1].skew


def test_window_is_built_when_it_is_first_wanted(qtbot: QtBot) -> None:
    def windows() -> set[StatusWindow]:
        return {one for one in QApplication.topLevelWidgets() if isinstance(one, StatusWindow)}

    others = windows()
    world = World(qtbot)
    world.controller.start(background=True)
    assert windows() == others
    world.tray.open_requested.emit()
    qtbot.waitUntil(lambda: any(one.isVisible() for one in windows() - others))
    qtbot.addWidget(world.window)
    assert world.window.findChild(QObject, "countdown").text() == "2:00:00"
    world.window.close()
    world.timer.stop()


def test_what_is_due_each_minute_is_done_when_the_tray_wakes_anyway(world: World) -> None:
    world.monitor.show(expires=START + 7200)
    world.timer.timeout.emit()
    assert world.accounts.wishes == ["tick"]
    world.controller.open_window()
    world.timer.timeout.emit()
    assert world.accounts.wishes == ["tick"], "not each second"


def test_it_wakes_once_a_second_while_the_window_is_seen(world: World) -> None:
    world.monitor.show(expires=START + 7200.25)
    world.controller.open_window()
    assert world.pause() == pytest.approx(0.25, abs=0.01)
    world.clock.advance(0.251)
    world.controller.render()
    assert world.pause() == pytest.approx(1, abs=0.01)
    assert world.window.findChild(QObject, "countdown").text() == "2:00:00"
    world.window.close()
    pause = world.pause()
    assert pause is not None
    assert pause > 0.9


def test_minimised_window_wakes_it_no_more_often_and_is_up_to_date_when_it_comes_back(world: World) -> None:
    world.monitor.show(expires=START + 7230.25)
    world.controller.open_window()
    world.window.showMinimized()
    assert world.pause() == pytest.approx(31.25, abs=0.01)
    world.clock.advance(10)
    world.window.showNormal()
    assert world.pause() == pytest.approx(0.25, abs=0.01)
    assert world.window.findChild(QObject, "countdown").text() == "2:00:21"


def test_without_a_token_it_sleeps(world: World) -> None:
    world.monitor.show(expires=None, created=None)
    assert world.pause() is None
    world.controller.open_window()
    assert world.pause() is None


def test_ended_token_does_not_wake_it_every_second(world: World) -> None:
    world.monitor.show(expires=START - 10)
    world.controller.open_window()
    pause = world.pause()
    assert pause is not None
    assert pause > 60


def test_hidden_window_is_not_rendered(world: World) -> None:
    shown: list[View] = []
    world.window.show_view = shown.append  # type: ignore[assignment]
    world.monitor.show(place="memory")
    assert shown == []
    world.controller.open_window()
    assert shown
    assert shown[-1].place.startswith("Memory")


def test_wishes_reach_the_monitor(world: World) -> None:
    world.tray.refresh_requested.emit()
    world.window.refresh_requested.emit()
    world.window.remedy_requested.emit(Remedy.UNLOCK_KEYRING)
    assert world.monitor.wishes == ["verify", "verify", "unlock"]


def test_no_notice_covers_the_question_of_the_keyring(world: World) -> None:
    world.accounts.notice.emit("default", Notice(NoticeKind.EXPIRING, START + 600))
    world.qtbot.waitUntil(lambda: bool(world.backend.shown), timeout=10_000)

    world.tray.remedy_requested.emit(Remedy.UNLOCK_KEYRING)

    world.qtbot.waitUntil(lambda: world.backend.withdrawn == ["default"], timeout=10_000)


@pytest.mark.parametrize("fields", [{"expires": None}, {"expires": START - 1}, {"stopped_by": KeysMissing("None.")}])
def test_without_a_token_that_may_work_one_is_asked_for(world: World, fields: dict[str, Any]) -> None:
    world.monitor.show(**fields)
    world.tray.refresh_requested.emit()
    assert world.monitor.wishes == ["refresh"]


@pytest.mark.parametrize(("answer", "wishes"), [("accept", ["rotate"]), ("reject", [])])
def test_rotate_asks_first(world: World, answer: str, wishes: list[str]) -> None:
    world.window.rotate_requested.emit()
    question = world.question("rotateDialog")
    assert world.monitor.wishes == []
    getattr(question, answer)()
    assert world.monitor.wishes == wishes


@pytest.mark.parametrize(("choice", "revoke"), [("clearLocal", False), ("clearRevoke", True)])
@pytest.mark.parametrize("window_is_open", [True, False])
def test_clear_asks_first(world: World, choice: str, revoke: bool, window_is_open: bool) -> None:
    if window_is_open:
        world.controller.open_window()
    world.tray.clear_requested.emit()
    question = world.question("clearDialog")
    assert world.monitor.wishes == []
    button = question.findChild(QRadioButton, choice)
    assert button is not None
    button.setChecked(True)
    question.accept()
    assert world.monitor.wishes == [("clear", revoke)]


def test_cancelled_clear_does_nothing(world: World) -> None:
    world.tray.clear_requested.emit()
    world.question("clearDialog").reject()
    assert world.monitor.wishes == []


def test_one_question_at_a_time(world: World) -> None:
    world.tray.clear_requested.emit()
    first = world.question("clearDialog")
    closed: list[int] = []
    first.finished.connect(closed.append)
    world.tray.clear_requested.emit()
    assert closed == [QDialog.DialogCode.Rejected.value]
    world.question("clearDialog").accept()
    assert world.monitor.wishes == [("clear", False)]


def test_keys_are_tried_for_the_other_mode_without_being_typed_again(world: World) -> None:
    world.window.remedy_requested.emit(Remedy.SWITCH_MODE)
    assert world.monitor.wishes == [("demo", "its own")]


@pytest.mark.parametrize("mode", ["real", "demo"])
def test_keys_are_handed_on_with_their_mode(world: World, mode: str) -> None:
    world.window.remedy_requested.emit(Remedy.ENTER_KEYS)
    question: Any = world.question("keysDialog")
    question.form.choose_mode(mode)
    question.form.key.setText("a-key")
    question.form.secret.setText("a-secret")
    enter(question)
    assert world.monitor.wishes == [(mode, "a-key", "a-secret")]


def test_portal_is_opened(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    def opens(url: QUrl) -> bool:
        opened.append(url.toString())
        return True

    monkeypatch.setattr(QDesktopServices, "openUrl", opens)
    world.window.remedy_requested.emit(Remedy.OPEN_PORTAL)
    assert opened == ["https://openapi.kiwoom.com"]


def test_what_no_program_opens_is_told_to_be_opened_by_hand(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda _: False)
    world.controller.open_window()
    for remedy, place in ((Remedy.OPEN_PORTAL, "https://openapi.kiwoom.com"), (Remedy.FIX_SETTINGS, "settings.toml")):
        world.window.remedy_requested.emit(remedy)
        [box] = world.window.findChildren(QMessageBox)
        assert place in box.text()
        box.done(0)
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


def test_what_no_program_opens_is_told_without_a_window_too(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda _: False)
    world.notifier.remedy_requested.emit("", Remedy.FIX_SETTINGS)
    gc.collect()
    [box] = [one for one in QApplication.topLevelWidgets() if one.objectName() == "notOpened"]
    assert box.isVisible()
    box.close()


def test_folder_is_chosen_for_everything_on_this_computer(world: World, tmp_path: Path) -> None:
    world.window.remedy_requested.emit(Remedy.CHOOSE_FOLDER)
    dialog = world.controller.windows.dialog
    assert isinstance(dialog, QFileDialog)
    dialog.fileSelected.emit(str(tmp_path))
    assert world.accounts.wishes == [("data_dir", str(tmp_path), "default")]


def test_dialog_for_the_folder_deletes_itself(world: World) -> None:
    world.controller.open_window()
    world.window.remedy_requested.emit(Remedy.CHOOSE_FOLDER)
    dialog = world.controller.windows.dialog
    assert dialog is not None
    dialog.reject()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    assert world.window.findChildren(QFileDialog) == []


def test_file_that_stands_in_the_way_is_shown_in_its_folder(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile()) is None)
    error = StoreError("{path} is a folder.", remedy=Remedy.SHOW_FILE, path="/data/folder/.token")
    world.monitor.show(expires=None, last=LastResult(Result.FAILED, START, error))
    view = world.tray.views[-1]
    assert (view.menu_remedy_text, view.remedy, view.icon.badge) == (
        "Show the file…",
        Remedy.SHOW_FILE,
        IconBadge.PROBLEM,
    )
    world.tray.remedy_requested.emit(view.remedy)
    assert opened == ["/data/folder"]


def test_settings_file_is_opened_where_it_is_what_to_mend(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    def opens(url: QUrl) -> bool:
        opened.append(url.toLocalFile())
        return True

    monkeypatch.setattr(QDesktopServices, "openUrl", opens)
    world.accounts.problems = (SettingsError("Line 3."),)
    world.controller.open_window()
    found = world.window.findChild(QPushButton, "remedyButton")
    assert found is not None
    assert found.isVisible()
    found.click()
    assert opened == ["/nowhere/settings.toml"]


def test_portal_comes_with_what_to_do_there(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda _: True)
    world.controller.open_window()
    world.window.remedy_requested.emit(Remedy.OPEN_PORTAL)
    assert "register this computer's public IP" in world.notification().body


def test_closed_window_is_hidden_where_there_is_an_icon_and_minimised_where_there_is_none(world: World) -> None:
    world.controller.open_window()
    world.window.close()
    assert not world.window.isVisible()
    world.tray.is_there = False
    world.controller.open_window()
    world.window.close()
    assert world.window.isMinimized()


def test_window_stands_in_for_the_icon(world: World) -> None:
    world.tray.is_there = False
    world.controller.start(background=False)
    assert world.window.isVisible()
    assert not world.window.isMinimized()


def test_window_stands_in_minimised_when_started_in_the_background(world: World) -> None:
    world.tray.is_there = False
    world.controller.start(background=True)
    assert world.window.isMinimized()
    world.tray.is_there = True
    world.tray.start()
    assert not world.window.isVisible()


def test_window_has_a_button_to_quit_only_where_no_menu_has_one(world: World) -> None:
    button = world.window.findChild(QPushButton, "quitButton")
    world.tray.is_there = False
    world.controller.start(background=False)
    assert button.isVisible()
    world.tray.is_there = True
    world.tray.start()
    assert not button.isVisible()


def test_open_window_stays_when_the_icon_comes(world: World) -> None:
    world.tray.is_there = False
    world.controller.start(background=False)
    world.tray.is_there = True
    world.tray.start()
    assert world.window.isVisible()


def test_notices_are_shown_and_a_click_opens_the_window(world: World) -> None:
    world.accounts.add("second")
    world.accounts.notice.emit("second", Notice(NoticeKind.EXPIRING, START + 600))
    notification = world.notification()
    assert notification.owner == "second"
    assert notification.title == "[second · Real] Kiwoom token expires at 23:23"
    world.notifier.clicked.emit("second")
    assert world.window.isVisible()
    assert world.tray.views[-1].profile == "second"


def test_click_on_a_balloon_opens_the_account_that_it_is_about(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.accounts.add("second")
    monkeypatch.setattr(world.backend, "show", broken)
    world.accounts.notice.emit("second", Notice(NoticeKind.EXPIRING, START + 600))
    world.qtbot.waitUntil(lambda: bool(world.tray.balloons), timeout=10_000)
    world.tray.balloon_clicked.emit()
    assert world.window.isVisible()
    assert world.accounts.chosen_name == "second"


def broken(_: Notification) -> None:
    raise OSError("no service")


def test_buttons_of_a_notice_are_for_its_account(world: World) -> None:
    world.accounts.add("second")
    world.notifier.remedy_requested.emit("second", Remedy.ISSUE)
    world.notifier.remedy_requested.emit("gone", Remedy.ISSUE)
    world.notifier.snooze_requested.emit(3600)
    assert (world.accounts.monitors["second"].wishes, world.monitor.wishes) == (["refresh"], [])
    assert world.accounts.wishes == [("snooze", 3600)]


def test_a_notice_that_is_over_is_taken_away(world: World) -> None:
    world.accounts.notice_over.emit("default")
    world.qtbot.waitUntil(lambda: world.backend.withdrawn == ["default"], timeout=10_000)


def test_second_start_brings_the_minimised_window_back(world: World) -> None:
    world.tray.is_there = False
    world.controller.start(background=True)
    world.controller.open_window()
    assert world.window.isVisible()
    assert not world.window.isMinimized()


def test_failure_is_rendered(world: World) -> None:
    error = KeysRefused("Refused.", code="8050")
    world.monitor.show(last=LastResult(Result.FAILED, START, error), stopped_by=error)
    assert "Refused. [8050]" in world.tray.views[-1].tooltip


def test_wishes_go_to_the_account_that_is_chosen(world: World) -> None:
    world.accounts.add("second")
    world.tray.profile_chosen.emit("second")
    world.tray.refresh_requested.emit()
    world.window.copy_requested.emit()
    assert (world.monitor.wishes, world.accounts.chosen.wishes) == ([], ["verify", "copy"])
    assert world.tray.views[-1].profile == "second"


def test_a_question_is_about_the_account_that_was_chosen_when_it_was_asked(world: World) -> None:
    world.accounts.add("second")
    world.window.rotate_requested.emit()
    question = world.question("rotateDialog")
    world.tray.profile_chosen.emit("second")
    question.accept()
    assert world.monitor.wishes == ["rotate"]


class TestOpenQuestions:
    """They are about the token that was there when they were asked, and about no other."""

    @pytest.fixture(params=["clear", "rotate"])
    def question(self, world: World, request: pytest.FixtureRequest) -> QDialog:
        world.controller.open_window()
        getattr(world.window, f"{request.param}_requested").emit()
        return world.question(f"{request.param}Dialog")

    @pytest.mark.parametrize(
        "fields",
        [
            {"created": START, "expires": START + 86400},
            {"created": None, "expires": None},
            {"created": None, "expires": None, "dead_at": START},
        ],
        ids=["replaced", "gone", "dead"],
    )
    def test_close_when_it_is_another(self, world: World, question: QDialog, fields: dict[str, Any]) -> None:
        world.monitor.show(**fields)
        assert not question.isVisible()
        assert world.monitor.wishes == []

    def test_close_with_their_account(self, world: World, question: QDialog) -> None:
        world.accounts.add("second")
        world.accounts.choose("second")
        assert question.isVisible()
        del world.accounts.monitors["default"]
        world.accounts.changed.emit()
        assert not question.isVisible()

    def test_stay_while_it_is_the_same(self, world: World, question: QDialog) -> None:
        world.monitor.show(busy=Action.VERIFY)
        world.monitor.show(busy=None, last=LastResult(Result.CONFIRMED, START), confirmed_at=START)
        assert question.isVisible()

    def test_say_once_there_is_nothing_to_revoke(self, world: World, question: QDialog) -> None:
        assert "nothing to revoke" not in shown_by(question)
        world.clock.advance(7200)
        world.timer.timeout.emit()
        assert "nothing to revoke" in shown_by(question)

    def test_name_the_account_once_there_are_several(self, world: World, question: QDialog) -> None:
        assert "Default" not in question.windowTitle()
        world.accounts.add("second")
        world.accounts.changed.emit()
        assert question.windowTitle().endswith(" - Default")

    def test_that_close_say_why_where_no_window_does(self, world: World) -> None:
        world.tray.clear_requested.emit()
        world.monitor.show(created=START, expires=START + 86400)
        assert "has changed in the meantime" in world.notification().body

    def test_that_were_answered_are_not_taken_back(self, world: World, question: QDialog) -> None:
        question.accept()
        world.monitor.show(created=None, expires=None)
        world.qtbot.wait(50)
        assert world.backend.shown == []


def shown_by(dialog: QDialog) -> str:
    return "\n".join(one.text() for one in dialog.findChildren(QLabel))


def test_dialogs_name_the_account_that_they_are_about(world: World) -> None:
    world.accounts.add("day-2", expires=START - 5)
    world.controller.render()
    world.tray.clear_requested.emit()
    assert world.question("clearDialog").windowTitle() == "Remove the token - day-2"
    world.window.rotate_requested.emit()
    assert world.question("rotateDialog").windowTitle() == "Revoke and reissue - Default"
    world.controller.windows.open_setup()
    assert world.question("setupWizard").windowTitle().endswith(" - Default")


def test_a_notice_names_its_account_where_there_are_several(world: World) -> None:
    world.accounts.notice.emit("default", Notice(NoticeKind.EXPIRING, START + 600))
    assert world.notification().title.startswith("[Real] Kiwoom token expires at")
    world.accounts.add("second")
    world.accounts.notice.emit("default", Notice(NoticeKind.EXPIRING, START + 600))
    assert world.notification().title.startswith("[Default · Real] Kiwoom token expires at")


def test_snooze_and_policy_are_passed_on(world: World) -> None:
    world.tray.snooze_requested.emit(1800)
    world.tray.policy_chosen.emit("daily 06:30")
    assert world.accounts.wishes == [("snooze", 1800), ("policy", "daily 06:30", "default")]


def test_snooze_is_shown(world: World) -> None:
    world.monitor.show(snoozed_until=START + 1800)
    assert world.tray.views[-1].is_snoozed


def test_copied_token_is_on_the_clipboard_and_the_view_says_for_how_long(world: World, qapp: QApplication) -> None:
    world.controller.open_window()
    world.accounts.copied.emit("default", COPIED)
    assert qapp.clipboard().text() == "a-token-of-a-test"
    assert "30" in view_of(world.controller.overview(), START).copy_text
    qapp.clipboard().clear()


def test_the_next_token_is_not_shown_as_copied_and_the_former_one_leaves_the_clipboard(
    world: World, qapp: QApplication
) -> None:
    world.controller.open_window()
    world.accounts.copied.emit("default", COPIED)

    world.monitor.show(created=START, expires=START + 86400)

    assert not view_of(world.controller.overview(), START).is_copied
    assert qapp.clipboard().text() == ""


def test_a_token_that_was_copied_before_it_is_shown_stays_and_is_shown_as_copied_then(
    world: World, qapp: QApplication
) -> None:
    world.controller.open_window()
    world.accounts.copied.emit("default", token_for("the-next-token", 86400, START))
    world.monitor.show(snoozed_until=None)
    assert not view_of(world.controller.overview(), START).is_copied

    world.monitor.show(created=float(START), expires=START + 86400)

    assert view_of(world.controller.overview(), START).is_copied
    assert qapp.clipboard().text() == "the-next-token"
    qapp.clipboard().clear()


def test_a_token_is_not_shown_as_copied_because_another_accounts_is(world: World, qapp: QApplication) -> None:
    world.controller.open_window()
    world.accounts.copied.emit("second", COPIED)

    assert not view_of(world.controller.overview(), START).is_copied
    qapp.clipboard().clear()


def test_broken_settings_are_told_in_the_window(world: World) -> None:
    world.accounts.problems = (SettingsError("{path}, line {line}: no.", path="settings.toml", line=3),)
    world.controller.open_window()
    assert world.controller.overview().settings_problem == "settings.toml, line 3: no."


def test_settings_that_cannot_be_used_are_told_once_and_withdrawn_when_mended(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile()) is None)
    first, second = SettingsError("Line 3."), SettingsError("Line 5.")
    world.accounts.problems = (first,)
    world.accounts.changed.emit()
    notification = world.notification()
    assert notification.body == "Line 3."
    world.notifier.remedy_requested.emit(notification.owner, notification.buttons[0][0])
    assert opened == ["/nowhere/settings.toml"]
    world.accounts.problems = (SettingsError("Line 3."), second)
    world.accounts.changed.emit()
    assert world.notification().body == "Line 5."
    world.accounts.problems = (second,)
    world.accounts.changed.emit()
    world.accounts.problems = ()
    world.accounts.changed.emit()
    world.qtbot.waitUntil(lambda: world.backend.withdrawn == [notification.owner], timeout=10_000)
    world.accounts.problems = (first,)
    world.accounts.changed.emit()
    assert world.notification().body == "Line 3.", "it came back"
    assert world.backend.shown == []


def test_another_language_applies_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    language.use("en")
    world.controller.open_window()
    settings = load_settings(language="ko")
    world.accounts.reconfigured.emit(settings)
    world.accounts.changed.emit()
    assert world.tray.views[-1].title == "키움 토큰 트레이"
    settings = load_settings(language="en")
    world.accounts.reconfigured.emit(settings)
    world.accounts.changed.emit()
    assert world.tray.views[-1].title == "Kiwoom Token Tray"


def test_history_is_of_the_chosen_account(world: World, qtbot: QtBot) -> None:
    world.accounts.add("second")
    world.tray.profile_chosen.emit("second")
    world.window.history_requested.emit()
    history = world.controller.windows.history
    assert history is not None
    qtbot.addWidget(history)
    assert history.isVisible()
    qtbot.waitUntil(lambda: history.profile.currentData() == "second", timeout=10_000)
    history.close()


@pytest.mark.parametrize("way", ["menu", "window"])
def test_settings_open_for_the_chosen_account(world: World, qtbot: QtBot, way: str) -> None:
    world.accounts.add("second")
    save_setting("policy", "notify", "second")
    world.tray.profile_chosen.emit("second")
    (world.tray.settings_requested if way == "menu" else world.window.settings_requested).emit()
    settings = world.controller.windows.settings
    assert settings is not None
    assert settings.window is not None
    qtbot.addWidget(settings.window)
    assert settings.window.isVisible()
    profile = settings.window.findChild(QComboBox, "profile")
    qtbot.waitUntil(lambda: profile.currentData() == "second", timeout=10_000)
    settings.window.close()


def test_what_is_set_there_applies_at_once(world: World, qtbot: QtBot) -> None:
    world.tray.settings_requested.emit()
    assert world.controller.windows.settings is not None
    world.controller.windows.settings.written.emit()
    assert world.accounts.wishes == ["reload"]


def test_keys_are_asked_for_the_account_that_the_settings_name(world: World) -> None:
    world.accounts.add("second", mode="demo")
    world.tray.settings_requested.emit()
    assert world.controller.windows.settings is not None
    world.controller.windows.settings.keys_requested.emit("second")
    question: Any = world.question("keysDialog")
    assert question.findChild(QRadioButton, "modeDemo").isChecked()
    question.form.key.setText("a-key")
    question.form.secret.setText("a-secret")
    enter(question)
    assert (world.monitor.wishes, len(world.accounts.monitors["second"].wishes)) == ([], 1)


@pytest.mark.posix
def test_start_at_login_follows_the_settings(world: World, qtbot: QtBot) -> None:
    settings = load_settings(autostart=True)
    world.accounts.reconfigured.emit(settings)
    qtbot.waitUntil(lambda: autostart.for_this_system().status().enabled, timeout=10_000)
    world.accounts.reconfigured.emit(load_settings())
    qtbot.waitUntil(lambda: not autostart.for_this_system().status().configured, timeout=10_000)


def test_the_set_up_opens_again_from_the_settings(world: World, qtbot: QtBot) -> None:
    world.tray.settings_requested.emit()
    assert world.controller.windows.settings is not None
    world.controller.windows.settings.setup_requested.emit()
    wizard = world.question("setupWizard")
    wizard.close()


def test_practising_from_the_set_up_is_a_program_of_its_own(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr(
        windows_module.QProcess,  # type: ignore[attr-defined]
        "startDetached",
        lambda program, rest: started.append([program, *rest]),
    )
    world.tray.settings_requested.emit()
    assert world.controller.windows.settings is not None
    world.controller.windows.settings.setup_requested.emit()
    wizard: Any = world.question("setupWizard")
    wizard.ended.emit(SetupResult.SANDBOX)
    assert [command[-1] for command in started] == ["--sandbox"]
    wizard.close()


def test_practising_leaves_the_start_at_login_alone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(autostart_module, "switch_if_different", lambda *, on: asked.append(on))
    world.monitor.show(sandbox=True)
    settings = load_settings(autostart=True)
    world.accounts.reconfigured.emit(settings)
    world.monitor.show(sandbox=False)
    world.accounts.reconfigured.emit(load_settings())
    world.qtbot.waitUntil(lambda: asked == [False], timeout=10_000)


def test_what_is_so_already_is_not_asked_of_the_system_again(monkeypatch: pytest.MonkeyPatch) -> None:
    switched: list[bool] = []
    monkeypatch.setattr(autostart_module.autostart, "switch", lambda *, on: switched.append(on))  # type: ignore[attr-defined]
    autostart_module.switch_if_different(on=False)
    autostart_module.switch_if_different(on=True)
    assert switched == [True]


@pytest.mark.parametrize("way", ["menu", "window", "notice"])
def test_trying_again_renews_a_token_that_still_works_wherever_it_is_pressed(world: World, way: str) -> None:
    error = error_for(None, None, http_status=503)
    world.monitor.show(expires=START + 480, renew_at=START + 60, last=LastResult(Result.FAILED, START, error))
    view = world.tray.views[-1]
    assert (view.refresh_text, view.refresh_is_main) == ("Try again", True)
    {
        "menu": world.tray.refresh_requested.emit,
        "window": world.window.refresh_requested.emit,
        "notice": lambda: world.notifier.remedy_requested.emit("default", Remedy.RETRY),
    }[way]()
    assert world.monitor.wishes == ["refresh"]


class TestAnswers:
    """No click is left without one: where no window shows it, a notice says it."""

    def test_what_a_check_found_is_said(self, world: World) -> None:
        world.tray.refresh_requested.emit()
        world.monitor.show(busy=Action.VERIFY)
        assert world.backend.shown == []
        world.monitor.show(busy=None, last=LastResult(Result.CONFIRMED, START))
        said = world.notification()
        assert said.title == "[Real] Kiwoom token"
        assert said.body.startswith("Kiwoom confirms it is valid. It still expires ")
        assert (said.buttons, said.urgent, said.transient) == ((), False, True)

    def test_a_dead_token_is_answered_with_what_came_of_replacing_it(self, world: World) -> None:
        world.tray.refresh_requested.emit()
        world.monitor.show(expires=None, dead_at=START, renew_at=START, last=LastResult(Result.DIED, START))
        world.monitor.show(busy=Action.REFRESH)
        error = error_for(5, "[1700:x]")
        world.monitor.show(busy=None, renew_at=START + 120, last=LastResult(Result.FAILED, START, error))
        assert "Trying again at" in world.notification().body
        assert world.backend.shown == []

    def test_a_dead_token_that_nobody_replaces_is_answered_with_the_button_that_does(self, world: World) -> None:
        world.tray.refresh_requested.emit()
        last = LastResult(Result.DIED, START)
        world.monitor.show(expires=None, dead_at=START, policy="notify", last=last)
        assert world.notification().buttons == ((Remedy.ISSUE, "Issue a token"),)

    def test_where_the_window_shows_it_no_notice_does(self, world: World) -> None:
        world.controller.open_window()
        world.window.refresh_requested.emit()
        world.monitor.show(last=LastResult(Result.CONFIRMED, START))
        world.qtbot.wait(50)
        assert world.backend.shown == []

    def test_what_nobody_asked_for_is_not_answered(self, world: World) -> None:
        world.monitor.show(last=LastResult(Result.CONFIRMED, START))
        world.qtbot.wait(50)
        assert world.backend.shown == []

    def test_what_happens_much_later_is_no_answer(self, world: World) -> None:
        world.tray.refresh_requested.emit()
        world.clock.advance(3600)
        world.monitor.show(last=LastResult(Result.ISSUED, START + 3600))
        world.qtbot.wait(50)
        assert world.backend.shown == []

    def test_keys_that_were_taken_are_answered(self, world: World) -> None:
        world.tray.remedy_requested.emit(Remedy.ENTER_KEYS)
        question: Any = world.question("keysDialog")
        question.form.key.setText("a-key")
        question.form.secret.setText("a-secret")
        enter(question)
        world.monitor.show(last=LastResult(Result.ISSUED, START))
        assert world.notification().body == "A new token was issued."

    def test_a_notice_about_it_is_answer_enough(self, world: World) -> None:
        world.tray.refresh_requested.emit()
        world.accounts.notice.emit("default", Notice(NoticeKind.RECOVERED, START + 7200))
        world.monitor.show(last=LastResult(Result.ISSUED, START))
        world.qtbot.waitUntil(lambda: bool(world.backend.shown), timeout=10_000)
        world.qtbot.wait(50)
        assert len(world.backend.shown) == 1

    def test_copy_says_that_it_copied_and_for_how_long(self, world: World, qapp: QApplication) -> None:
        world.tray.copy_requested.emit()
        world.accounts.copied.emit("default", COPIED)
        assert world.notification().body == "The token was copied. It is removed from the clipboard in 30 s."
        qapp.clipboard().clear()

    def test_copy_that_fails_says_why(self, world: World) -> None:
        world.tray.copy_requested.emit()
        world.monitor.show(last=LastResult(Result.FAILED, START, KeysRefused("There is none.")))
        assert world.notification().body == "There is none."

    def test_revoking_from_the_menu_is_answered(self, world: World) -> None:
        world.tray.clear_requested.emit()
        world.question("clearDialog").accept()
        world.monitor.show(expires=None, last=LastResult(Result.REVOKED, START))
        assert "revoked at Kiwoom" in world.notification().body


def test_menu_is_about_the_account_that_needs_attention(world: World) -> None:
    world.accounts.add("day-2", expires=START - 5)
    world.controller.render()
    shown = world.tray.views[-1]
    assert (shown.account, shown.menu_status) == ("day-2", "day-2 · Real · Expired — show")
    assert shown.can_show_account
    world.tray.refresh_requested.emit()
    assert (world.monitor.wishes, world.accounts.monitors["day-2"].wishes) == ([], ["refresh"])
    world.tray.account_requested.emit()
    assert world.window.isVisible()
    assert world.accounts.chosen_name == "day-2"


@pytest.mark.parametrize(
    ("remedy", "dialog"), [(Remedy.ENTER_KEYS, "keysDialog"), (Remedy.ROTATE, "rotateDialog"), (Remedy.ISSUE, "")]
)
def test_remedy_of_the_menu_does_what_that_of_the_window_does(world: World, remedy: str, dialog: str) -> None:
    for ask in (world.tray.remedy_requested, world.window.remedy_requested):
        ask.emit(remedy)
        if dialog:
            world.question(dialog).reject()
    assert world.monitor.wishes == ([] if dialog else ["refresh", "refresh"])


@pytest.mark.parametrize(("is_new", "titles"), [(True, 0), (False, 2)])
def test_what_was_not_told_after_the_wizard_is_not_said_to_be_over(qtbot: QtBot, is_new: bool, titles: int) -> None:
    world = World(qtbot, is_new=is_new)
    for notice in (
        Notice(NoticeKind.STOPPED, error=KeysMissing("There are none."), urgent=True),
        Notice(NoticeKind.RECOVERED, START + 3600),
    ):
        world.accounts.notice.emit("default", notice)
        world.qtbot.wait(50)
    assert len(world.backend.shown) == titles

    world.accounts.notice.emit("default", Notice(NoticeKind.RECOVERED, START + 3600))
    world.qtbot.waitUntil(lambda: len(world.backend.shown) == titles + 1)
    world.timer.stop()


def test_the_end_of_what_was_told_after_keys_were_entered_is_told(qtbot: QtBot) -> None:
    world = World(qtbot, is_new=True)
    for notice in (
        Notice(NoticeKind.STOPPED, error=KeysMissing("There are none."), urgent=True),
        Notice(NoticeKind.STOPPED, error=KeysRefused("Not from this IP.", code="8050"), urgent=True),
        Notice(NoticeKind.RECOVERED, START + 3600),
    ):
        world.accounts.notice.emit("default", notice)
    world.qtbot.waitUntil(lambda: len(world.backend.shown) == 2)
    world.timer.stop()


@pytest.mark.parametrize("is_new", [True, False])
def test_closed_wizard_raises_no_alarm(qtbot: QtBot, is_new: bool) -> None:
    world = World(qtbot, is_new=is_new)
    world.accounts.notice.emit("default", Notice(NoticeKind.STOPPED, error=KeysMissing("There are none."), urgent=True))
    world.qtbot.wait(50)
    assert bool(world.backend.shown) is not is_new
    world.timer.stop()


def test_refused_keys_stay_where_they_were_typed(world: World) -> None:
    world.window.remedy_requested.emit(Remedy.ENTER_KEYS)
    question: Any = world.question("keysDialog")
    question.form.key.setText("a-key")
    question.form.secret.setText("a-secret")
    enter(question)
    world.monitor.show(busy=Action.REFRESH)
    assert question.isVisible()
    world.monitor.show(busy=None, last=LastResult(Result.FAILED, START, KeysRefused("Refused.", code="8001")))
    assert question.isVisible()
    assert (question.form.key.text(), question.form.secret.text()) == ("a-key", "a-secret")
    enter(question)
    world.monitor.show(last=LastResult(Result.ISSUED, START + 1))
    assert not question.isVisible()


def test_keys_wait_for_what_is_being_done_and_get_no_answer_that_is_not_theirs(world: World) -> None:
    world.window.remedy_requested.emit(Remedy.ENTER_KEYS)
    question: Any = world.question("keysDialog")
    question.form.key.setText("a-key")
    question.form.secret.setText("a-secret")
    world.monitor.show(busy=Action.REFRESH)
    enter(question)
    assert world.monitor.wishes == []
    world.monitor.show(busy=None, last=LastResult(Result.ISSUED, START))
    assert question.isVisible()
    assert world.monitor.wishes == [("real", "a-key", "a-secret")]
    world.monitor.show(busy=Action.REFRESH)
    world.monitor.show(busy=None, last=LastResult(Result.ISSUED, START + 1))
    assert not question.isVisible()


def test_keys_of_an_account_that_is_removed_while_they_are_checked_get_an_answer(world: World) -> None:
    world.accounts.add("second")
    world.controller.windows.ask_keys("second")
    question: Any = world.question("keysDialog")
    question.form.key.setText("a-key")
    question.form.secret.setText("a-secret")
    enter(question)
    world.accounts.monitors["second"].show(busy=Action.REFRESH)
    del world.accounts.monitors["second"]
    world.accounts.changed.emit()
    assert question.isVisible()
    assert question.form.isEnabled()
    assert "no profile second" in question.findChild(QLabel, "keysComplaint").text()


@pytest.mark.parametrize(
    ("policy", "told"),
    [
        ("daily 06:30", "Every day at 06:30 (KST) the token is revoked and reissued: every tool is cut off once then."),
        ("notify", "From now on you are only warned before the token expires."),
        ("auto", "From now on a new token is issued automatically right after it expires."),
    ],
)
def test_policy_that_is_chosen_in_the_menu_says_what_it_means(world: World, policy: str, told: str) -> None:
    world.tray.policy_chosen.emit(policy)
    assert world.accounts.wishes == [("policy", policy, "default")]
    assert not world.backend.shown, "it may not be possible to save it"
    world.accounts.saved()
    assert world.notification().body == told
