"""The tray icon tells the panel only what changed: each change is a message on the bus."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from PySide6.QtCore import QMetaMethod, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QLabel, QSystemTrayIcon
from pytestqt.qtbot import QtBot

from tests import ROOT
from tray_app.core.errors import Remedy
from tray_app.core.state import Action, LastResult, Result, TokenState
from tray_app.desktop.early_requests import EarlyRequests, let_panel_draw
from tray_app.desktop.tray import tray_icon as tray_module
from tray_app.desktop.tray.menu import PROFILE_SLOTS, TrayMenu
from tray_app.desktop.tray.tray_icon import TrayIcon
from tray_app.desktop.view.build import view_of
from tray_app.desktop.view.model import Overview, View

NOW = 1_790_000_000.0


class FakeIcon(QObject):
    """In the place of Qt's: writes down what it is told."""

    ActivationReason = QSystemTrayIcon.ActivationReason
    MessageIcon = QSystemTrayIcon.MessageIcon
    activated = Signal(QSystemTrayIcon.ActivationReason)
    messageClicked = Signal()  # noqa: N815 - Qt's own name
    made: ClassVar[list[FakeIcon]] = []
    available = True

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.told: list[str] = []
        self.made.append(self)

    @classmethod
    def isSystemTrayAvailable(cls) -> bool:
        return cls.available

    def __getattr__(self, name: str) -> Any:
        if name not in {"setIcon", "setToolTip", "show", "hide", "showMessage", "setContextMenu"}:
            raise AttributeError(name)
        return lambda *_: self.told.append(name)


@pytest.fixture
def tray(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[TrayIcon]:
    monkeypatch.setattr(tray_module, "QSystemTrayIcon", FakeIcon)
    monkeypatch.setattr(FakeIcon, "made", [])
    monkeypatch.setattr(FakeIcon, "available", True)
    one = TrayIcon()
    yield one
    retry(one).stop()


def retry(tray: TrayIcon) -> QTimer:
    """What looks again for a panel that announces itself nowhere."""
    (timer,) = tray.findChildren(QTimer, options=Qt.FindChildOption.FindDirectChildrenOnly)
    return timer


def panel_comes(tray: TrayIcon) -> None:
    """On Linux a panel announces itself; elsewhere it is found by looking again."""
    if sys.platform == "linux":
        from PySide6.QtDBus import QDBusServiceWatcher

        watcher = tray.findChild(QDBusServiceWatcher)
        assert watcher is not None
        watcher.serviceRegistered.emit("org.kde.StatusNotifierWatcher")
    else:
        retry(tray).timeout.emit()


def panel_goes(tray: TrayIcon) -> None:
    if sys.platform == "linux":
        from PySide6.QtDBus import QDBusServiceWatcher

        watcher = tray.findChild(QDBusServiceWatcher)
        assert watcher is not None
        watcher.serviceUnregistered.emit("org.kde.StatusNotifierWatcher")
    else:
        retry(tray).start(0)


def view(**fields: Any) -> View:
    known = {"expires": NOW + 7200, "created": NOW - 100, "busy": None}
    return view_of(Overview((TokenState("default", "real", **{**known, **fields}),), "default"), NOW)


def action(tray: TrayIcon, name: str) -> QAction:
    found = tray.menu.findChild(QAction, name)
    assert isinstance(found, QAction)
    return found


def changes(tray: TrayIcon) -> list[str]:
    """The names of the entries that change from now on, sub-menus included."""
    seen: list[str] = []
    for entry in tray.menu.findChildren(QAction):
        entry.changed.connect(lambda entry=entry: seen.append(entry.objectName()))
    return seen


def test_until_there_is_a_view_it_says_that_the_program_starts(tray: TrayIcon) -> None:
    tray.start()
    (icon,) = FakeIcon.made
    assert icon.told.index("setIcon") < icon.told.index("show") < icon.told.index("setToolTip")
    can_be_chosen = {one.objectName() for one in tray.menu.actions() if one.isEnabled() and not one.isSeparator()}
    assert can_be_chosen == {"settings", "open", "quit"}
    assert action(tray, "status").text() == "Starting…"
    icon.told.clear()
    tray.show_view(view())
    assert icon.told == ["setIcon", "setToolTip"]
    assert action(tray, "snooze").isEnabled()
    assert action(tray, "policy").isEnabled()


def test_what_is_asked_for_before_anybody_listens_is_sent_again_in_its_order(tray: TrayIcon, qtbot: QtBot) -> None:
    early = EarlyRequests(*tray.requests)
    tray.show_view(view())
    action(tray, "open").trigger()
    tray.menu.snooze_requested.emit(1800)
    tray.clicked.emit()
    asked: list[object] = []
    tray.clicked.connect(lambda: asked.append("clicked"))
    tray.menu.open_requested.connect(lambda: asked.append("open"))
    tray.menu.snooze_requested.connect(asked.append)
    assert asked == []
    early.release()
    assert asked == ["open", 1800, "clicked"]
    tray.clicked.emit()
    assert asked == ["open", 1800, "clicked", "clicked"]


def test_every_request_of_the_menu_is_one_of_its_requests(tray: TrayIcon) -> None:
    own = {name for name, one in vars(TrayMenu).items() if isinstance(one, Signal)}
    names = {bytes(QMetaMethod.fromSignal(one).name().data()).decode() for one in tray.menu.requests}
    assert names == own


def test_the_event_loop_runs_for_a_moment_and_not_longer(qtbot: QtBot) -> None:
    came: list[bool] = []
    QTimer.singleShot(0, lambda: came.append(True))
    let_panel_draw()
    assert came == [True]


def test_the_first_icon_needs_none_of_the_enumerations_of_qt(tmp_path: Path) -> None:
    """They take a tenth of the time until the icon is there."""
    code = (
        "from PySide6 import QtCore; from PySide6.QtWidgets import QApplication; app = QApplication([])\n"
        "from tray_app.desktop.theme.dark_mode import apply_window_theme; apply_window_theme('auto')\n"
        "from tray_app.desktop.tray.tray_icon import TrayIcon; tray = TrayIcon('dark'); tray.start()\n"
        "print('Qt' in vars(QtCore))"
    )
    environ = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(ROOT)}
    told = subprocess.run(
        [sys.executable, "-c", code], env=environ, cwd=tmp_path, stdout=subprocess.PIPE, text=True, check=True
    )
    assert told.stdout == "False\n"


def test_same_view_is_told_once(tray: TrayIcon) -> None:
    tray.start()
    tray.show_view(view())
    (icon,) = FakeIcon.made
    icon.told.clear()
    seen = changes(tray)
    for _ in range(3):
        tray.show_view(view())
    assert icon.told == []
    assert seen == []


def test_seconds_of_the_window_are_no_news_for_the_panel(tray: TrayIcon) -> None:
    tray.start()
    shown = view()
    tray.show_view(shown)
    (icon,) = FakeIcon.made
    icon.told.clear()
    tray.show_view(replace(shown, countdown="1:59:59", fraction=0.5, last_at="12:00", coming="soon"))
    assert icon.told == []


def test_only_what_differs_is_told(tray: TrayIcon) -> None:
    tray.start()
    shown = view()
    tray.show_view(shown)
    (icon,) = FakeIcon.made
    icon.told.clear()
    seen = changes(tray)
    tray.show_view(replace(shown, tooltip="another"))
    assert icon.told == ["setToolTip"]
    tray.show_view(replace(shown, tooltip="another", can_clear=False))
    assert icon.told == ["setToolTip"]
    assert seen == ["clear"]
    tray.show_view(replace(shown, tooltip="another", can_clear=False, icon=view(expires=None).icon))
    assert icon.told == ["setToolTip", "setIcon"]


def test_menu_follows_the_view(tray: TrayIcon) -> None:
    tray.start()
    tray.show_view(view())
    assert [entry.objectName() for entry in tray.menu.actions() if not entry.isSeparator()] == [
        "status",
        "remedy",
        "refresh",
        "copy",
        "snooze",
        "profile",
        "policy",
        "settings",
        "clear",
        "open",
        "quit",
    ]
    assert not action(tray, "status").isEnabled()
    assert action(tray, "refresh").isEnabled()
    assert action(tray, "clear").isEnabled()
    tray.show_view(view(busy=Action.REFRESH))
    assert not action(tray, "refresh").isEnabled()
    assert not action(tray, "clear").isEnabled()
    tray.show_view(view(expires=None))
    assert not action(tray, "clear").isEnabled()
    tray.show_view(replace(view(), menu_status="A & B"))
    assert action(tray, "status").text() == "A && B"


def test_entry_of_what_helps_is_disabled_where_nothing_does(tray: TrayIcon) -> None:
    tray.start()
    for of, text, enabled in (
        (view(), "Nothing to fix", False),
        (view(expires=None, last=LastResult(Result.CLEARED, NOW)), "What helps: Issue a token", True),
        (view(expires=None, busy=Action.REFRESH), "What helps: Issue a token", False),
        (view(place="file", place_problem="locked"), "Unlock ", True),
        (view(place="file", place_problem="locked", busy=Action.UNLOCK), "Unlock ", False),
    ):
        tray.show_view(of)
        assert action(tray, "remedy").text().startswith(text)
        assert action(tray, "remedy").isEnabled() is enabled


def test_entry_of_what_helps_does_what_it_says(tray: TrayIcon, qtbot: QtBot) -> None:
    tray.start()
    tray.show_view(view(expires=None, last=LastResult(Result.CLEARED, NOW)))
    with qtbot.waitSignal(tray.menu.refresh_requested, timeout=1000):
        action(tray, "remedy").trigger()
    tray.show_view(view(place="file", place_problem="locked"))
    with qtbot.waitSignal(tray.menu.remedy_requested, timeout=1000) as asked:
        action(tray, "remedy").trigger()
    assert asked.args == [Remedy.UNLOCK_KEYRING]


def test_entries_send_wishes(tray: TrayIcon, qtbot: QtBot) -> None:
    tray.start()
    tray.show_view(view())
    for name, signal in (
        ("refresh", tray.menu.refresh_requested),
        ("copy", tray.menu.copy_requested),
        ("settings", tray.menu.settings_requested),
        ("clear", tray.menu.clear_requested),
        ("open", tray.menu.open_requested),
        ("quit", tray.menu.quit_requested),
    ):
        with qtbot.waitSignal(signal, timeout=1000):
            action(tray, name).trigger()


@pytest.mark.parametrize(("name", "seconds"), [("snooze1800", 1800), ("snooze3600", 3600), ("snooze28800", 28800)])
def test_warnings_can_be_put_off(tray: TrayIcon, qtbot: QtBot, name: str, seconds: int) -> None:
    with qtbot.waitSignal(tray.menu.snooze_requested) as asked:
        action(tray, name).trigger()
    assert asked.args == [seconds]


def test_snooze_says_until_when_and_can_be_ended(tray: TrayIcon, qtbot: QtBot) -> None:
    tray.start()
    tray.show_view(view())
    assert not action(tray, "snoozeEnd").isEnabled()
    state = TokenState("default", "real", expires=NOW + 7200, created=NOW - 100, busy=None)
    quiet = view_of(Overview((state,), "default", snoozed_until=NOW + 1800), NOW)
    tray.show_view(quiet)
    assert action(tray, "snooze").text() == quiet.snooze_text != view().snooze_text
    with qtbot.waitSignal(tray.menu.snooze_requested) as asked:
        action(tray, "snoozeEnd").trigger()
    assert asked.args == [0]


def several(count: int, chosen: int) -> View:
    states = tuple(TokenState(f"p&{number}", "real", expires=NOW + 7200, busy=None) for number in range(count))
    return view_of(Overview(states, f"p&{chosen}"), NOW)


def view_of_account(name: str, **fields: Any) -> View:
    return replace(view(**fields), account=name)


@pytest.mark.parametrize("clicked_first", [True, False], ids=["click, close", "close, click"])
def test_an_open_menu_stays_with_its_account_until_it_was_clicked(
    tray: TrayIcon, qtbot: QtBot, *, clicked_first: bool
) -> None:
    menu, meant = tray.menu, []
    menu.copy_requested.connect(lambda: meant.append(menu.account))
    menu.show_view(view_of_account("main"))
    menu.aboutToShow.emit()

    menu.show_view(view_of_account("swing", expires=NOW - 5))

    assert action(tray, "copy").isEnabled()
    for act in (action(tray, "copy").trigger, menu.aboutToHide.emit)[:: 1 if clicked_first else -1]:
        act()
    assert meant == ["main"]
    qtbot.waitUntil(lambda: menu.account == "swing")
    assert not action(tray, "copy").isEnabled()


def test_a_menu_that_was_clicked_or_is_opened_anew_is_about_the_account_that_needs_attention(
    tray: TrayIcon, qtbot: QtBot
) -> None:
    """As with a panel that never says that it closed the menu."""
    menu = tray.menu
    menu.show_view(view_of_account("main"))
    menu.aboutToShow.emit()
    menu.show_view(view_of_account("swing"))
    menu.aboutToShow.emit()
    assert menu.account == "swing"

    menu.show_view(view_of_account("main"))
    action(tray, "settings").trigger()
    qtbot.waitUntil(lambda: menu.account == "main")


def test_an_open_menu_follows_its_own_account(tray: TrayIcon) -> None:
    tray.menu.show_view(view_of_account("main"))
    tray.menu.aboutToShow.emit()
    tray.menu.show_view(view_of_account("swing"))
    tray.menu.show_view(view_of_account("main", expires=None))
    assert tray.menu.account == "main"
    assert not action(tray, "copy").isEnabled()


def test_profiles_take_slots_that_were_there_from_the_start(tray: TrayIcon, qtbot: QtBot) -> None:
    entries = [action(tray, f"profile{number}") for number in range(PROFILE_SLOTS)]
    assert not action(tray, "profile").isVisible()
    assert not any(entry.isVisible() for entry in entries)
    tray.start()
    tray.show_view(several(3, chosen=1))
    assert action(tray, "profile").isVisible()
    texts = [entry.text() for entry in entries if entry.isVisible()]
    assert [text.rpartition(" · until ")[0] for text in texts] == [f"p&&{n} · Real" for n in range(3)]
    assert [entry.isChecked() for entry in entries[:3]] == [False, True, False]
    with qtbot.waitSignal(tray.menu.profile_chosen) as chosen:
        entries[2].trigger()
    assert chosen.args == ["p&2"]
    assert entries[1].isChecked(), "it is shown as chosen when a view says so"
    tray.show_view(several(PROFILE_SLOTS + 2, chosen=9))
    assert all(entry.isVisible() for entry in entries)
    assert not any(entry.isChecked() for entry in entries), "the chosen one has no entry"
    entries[1].trigger()
    assert not any(entry.isChecked() for entry in entries)
    tray.show_view(view())
    assert not action(tray, "profile").isVisible()


@pytest.mark.parametrize(
    ("now", "name", "chosen"),
    [
        ("auto", "policyNotify", ["notify"]),
        ("notify", "policyAuto", ["auto"]),
        ("auto", "policyDaily", ["daily 06:30"]),
        ("daily 05:15", "policyDaily", []),
        ("auto", "policyAuto", []),
    ],
)
def test_policy_is_chosen_and_shown(tray: TrayIcon, now: str, name: str, chosen: list[str]) -> None:
    told: list[str] = []
    tray.menu.policy_chosen.connect(told.append)
    tray.start()
    tray.show_view(view(policy=now))
    before = {entry: action(tray, entry).isChecked() for entry in ("policyNotify", "policyAuto", "policyDaily")}
    assert before == {f"policy{kind}": now.startswith(kind.lower()) for kind in ("Notify", "Auto", "Daily")}
    action(tray, name).trigger()
    assert told == chosen
    assert {entry: action(tray, entry).isChecked() for entry in before} == before


def test_daily_entry_names_the_hour_of_the_settings(tray: TrayIcon) -> None:
    tray.start()
    tray.show_view(view(policy="daily 05:15"))
    assert "05:15" in action(tray, "policyDaily").text()


def test_every_entry_has_a_name_and_a_parent_and_none_is_ever_added(tray: TrayIcon) -> None:
    tray.start()
    tray.show_view(view())
    entries = tray.menu.findChildren(QAction)
    assert [entry.text() for entry in entries if not entry.isSeparator() and not entry.objectName()] == []
    tray.show_view(several(5, chosen=0))
    tray.show_view(view(expires=None, busy=Action.CLEAR, policy="notify"))
    assert tray.menu.findChildren(QAction) == entries


def test_no_entry_changes_while_only_the_copy_counts_down(tray: TrayIcon) -> None:
    tray.start()
    state = TokenState("default", "real", expires=NOW + 7200, created=NOW - 100, busy=None)
    tray.show_view(view_of(Overview((state,), "default", copied_until=NOW + 30), NOW))
    seen = changes(tray)
    tray.show_view(view_of(Overview((state,), "default", copied_until=NOW + 30), NOW + 0.5))
    assert seen == []


def test_icon_follows_the_panels_theme_when_it_is_told_and_the_user_above_all(
    tray: TrayIcon, monkeypatch: pytest.MonkeyPatch
) -> None:
    dark = [True]
    asked: list[str] = []

    def panel_is_dark(choice: str) -> bool:
        asked.append(choice)
        return dark[0]

    monkeypatch.setattr(tray_module, "panel_is_dark", panel_is_dark)
    tray.start()
    tray.show_view(view())
    (icon,) = FakeIcon.made
    icon.told.clear()
    tray.refresh_theme()
    assert icon.told == []
    dark[0] = False
    tray.refresh_theme()
    assert icon.told == ["setIcon"]
    tray.show_view(replace(view(), panel="light"))
    assert asked[-1] == "light"


def test_click_opens_and_right_click_does_not(tray: TrayIcon) -> None:
    opened: list[bool] = []
    tray.clicked.connect(lambda: opened.append(True))
    tray.start()
    (icon,) = FakeIcon.made
    icon.activated.emit(QSystemTrayIcon.ActivationReason.Context)
    icon.activated.emit(QSystemTrayIcon.ActivationReason.MiddleClick)
    assert opened == []
    icon.activated.emit(QSystemTrayIcon.ActivationReason.Trigger)
    assert opened == [True]


def test_a_click_on_macos_opens_the_menu_and_no_window(tray: TrayIcon, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[bool] = []
    tray.clicked.connect(lambda: opened.append(True))
    tray.start()
    monkeypatch.setattr(sys, "platform", "darwin")
    (icon,) = FakeIcon.made
    icon.activated.emit(QSystemTrayIcon.ActivationReason.Trigger)  # Qt tells it of the menu that opens
    icon.activated.emit(QSystemTrayIcon.ActivationReason.DoubleClick)
    assert opened == []


@pytest.mark.skipif(sys.platform != "linux", reason="Qt shows its own elsewhere")
def test_notice_that_no_service_shows_is_a_window_that_can_be_read(tray: TrayIcon, qtbot: QtBot) -> None:
    tray.start()
    body = "It will be reissued automatically right after it expires. Nothing to do."
    tray.show_balloon("[Real] Kiwoom token expires at 19:15", body, urgent=True)
    (bubble,) = (one for one in QApplication.topLevelWidgets() if one.objectName() == "bubble" and one.isVisible())
    label = bubble.findChild(QLabel, "bubbleBody")
    assert label is not None
    assert label.text() == body
    assert label.height() >= label.heightForWidth(label.width())
    assert bubble.screen().availableGeometry().contains(bubble.frameGeometry())
    with qtbot.waitSignal(tray.balloon_clicked):
        qtbot.mouseClick(bubble, Qt.MouseButton.LeftButton)
    assert not bubble.isVisible()


def test_new_panel_gets_a_new_icon_with_everything_on_it(tray: TrayIcon) -> None:
    came: list[bool] = []
    tray.available.connect(came.append)
    FakeIcon.available = False
    tray.start()
    tray.show_view(view())
    assert came == [False]
    assert retry(tray).isActive()
    FakeIcon.available = True
    panel_comes(tray)
    old, new = FakeIcon.made
    assert old.told[-1] == "hide"
    assert new.told.index("setIcon") < new.told.index("show") < new.told.index("setToolTip")
    assert came == [False, True]


def test_tray_that_announces_itself_nowhere_is_found_by_looking_again(tray: TrayIcon) -> None:
    FakeIcon.available = False
    tray.start()
    FakeIcon.available = True
    retry(tray).timeout.emit()
    assert len(FakeIcon.made) == 2
    retry(tray).timeout.emit()
    assert len(FakeIcon.made) == 2


def test_icon_that_is_there_already_stays_and_it_is_told_that_a_panel_has_it(tray: TrayIcon) -> None:
    tray.start()
    came: list[bool] = []
    tray.available.connect(came.append)
    tray.start()
    assert came == [True]
    assert len(FakeIcon.made) == 1


def test_panel_that_restarts_within_seconds_is_not_told_as_gone(tray: TrayIcon) -> None:
    came: list[bool] = []
    tray.available.connect(came.append)
    tray.start()
    panel_goes(tray)
    retry(tray).timeout.emit()
    assert came == [True]
