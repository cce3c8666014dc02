"""The settings window: it shows what it is given, hands on what the user sets, and speaks the user's language."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("PySide6.QtWidgets")

from PySide6.QtCore import QCoreApplication, QEvent, QPoint, QPointF, Qt, QTime, QTimer
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QCheckBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QListWidget,
    QPushButton,
    QRadioButton,
    QScrollArea,
    QSpinBox,
    QTimeEdit,
    QWidget,
)
from pytestqt.qtbot import QtBot

from tray_app import autostart
from tray_app.autostart.base import Status
from tray_app.core import language
from tray_app.core.errors import SettingsError
from tray_app.core.token import token_for
from tray_app.desktop.settings.controller import SettingsController
from tray_app.desktop.settings.fields.base import Field
from tray_app.desktop.settings.view import SettingsView, settings_view
from tray_app.desktop.settings.window import SettingsWindow
from tray_app.desktop.translation import install_translator
from tray_app.service.composition import open_service
from tray_app.settings.load import load_settings
from tray_app.settings.table import GROUPS, TABLE

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support", extend=True)

BOT_FILE = os.path.abspath("/home/trader/token.json")
OFF = Status("")
ON = Status(configured=True, as_it_should_be=True, enabled=True, place="", starts="x")
SWITCHED_OFF = Status(configured=True, as_it_should_be=True, enabled=False, place="", starts="x")
OTHER_COPY = Status(configured=True, as_it_should_be=False, enabled=True, place="", starts="/opt/old-tray")


@pytest.fixture
def file(private_places: Path) -> Path:
    folder = private_places / "places" / "settings"
    folder.mkdir(parents=True)
    return folder / "settings.toml"


@pytest.fixture
def shown(qtbot: QtBot) -> SettingsWindow:
    one = SettingsWindow()
    qtbot.addWidget(one)
    one.show_settings(view())
    one.show()
    return one


@pytest.fixture
def asked(shown: SettingsWindow) -> list[tuple[str, object]]:
    """What the window hands on."""
    wishes: list[tuple[str, object]] = []
    shown.change_requested.connect(lambda name, value: wishes.append((name, value)))
    return wishes


@pytest.fixture(autouse=True)
def english_again(qapp: QApplication) -> Iterator[None]:
    yield
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)  # no closed window hears what follows
    speak("en")


def speak(lang: str) -> None:
    app = QApplication.instance()
    assert app is not None
    language.use(lang)
    install_translator(app)
    for _ in range(4):
        QApplication.processEvents()


def view(profile: str | None = None, profiles: tuple[str, ...] = (), autostart: object = OFF) -> SettingsView:
    return settings_view(load_settings(profile), profiles, autostart)  # type: ignore[arg-type]


def find(window: QWidget, kind: type, name: str) -> Any:
    found = window.findChild(kind, name)
    assert found is not None, name
    return found


def note(window: SettingsWindow, name: str) -> str:
    label = find(window, QLabel, f"{name}_note")
    return "" if label.isHidden() else label.text().replace("\u200b", "")


def outcome(window: SettingsWindow, name: str) -> str:
    label = find(window, QLabel, f"{name}_outcome")
    return "" if label.isHidden() else label.text().replace("\u200b", "")


def settled(window: SettingsWindow) -> None:
    """What waits for more to follow need not wait."""
    for field in window.findChildren(Field):
        if any(timer.isActive() for timer in field.findChildren(QTimer)):
            field.commit()


class TestShows:
    def test_every_setting_of_the_table_in_its_section(self, shown: SettingsWindow) -> None:
        for group in GROUPS:
            page = find(shown, QScrollArea, f"page_{group}")
            cards = {one.objectName() for one in page.findChildren(QWidget) if one.objectName().startswith("card_")}
            assert cards == {f"card_{name}" for name, setting in TABLE.items() if setting.group == group}

    def test_what_the_file_says(self, shown: SettingsWindow, file: Path) -> None:
        file.write_text(
            'policy = "daily 05:45"\nrenew_before = "20m"\nwarn_before = ["2h", "0m"]\nquiet_hours = "23:00-06:30"\n'
            f"share_kwcli = true\nshare_bot_file = '{BOT_FILE}'\nstore = 'keyring'\n"
            'redis_url = "redis://localhost:6379/2"\nlanguage = "en"\n'
        )

        shown.show_settings(view())

        assert find(shown, QRadioButton, "policy_daily").isChecked()
        assert find(shown, QTimeEdit, "policy_time").time() == QTime(5, 45)
        assert find(shown, QSpinBox, "renew_before_number").value() == 20
        checked = {one.objectName() for one in shown.findChildren(QPushButton) if one.isCheckable() and one.isChecked()}
        assert checked == {"warn_before_7200", "warn_before_0"}
        assert find(shown, QCheckBox, "quiet_hours_switch").isChecked()
        assert find(shown, QTimeEdit, "quiet_hours_to").time() == QTime(6, 30)
        assert find(shown, QCheckBox, "share_kwcli_switch").isChecked()
        assert find(shown, QLineEdit, "share_bot_file_line").text() == BOT_FILE
        assert find(shown, QRadioButton, "store_keyring").isChecked()
        assert find(shown, QLineEdit, "redis_url_line").text() == "redis://localhost:6379/2"
        assert find(shown, QRadioButton, "language_en").isChecked()

    def test_seconds_where_the_file_has_seconds(self, shown: SettingsWindow, file: Path) -> None:
        file.write_text('renew_before = "90s"\n')

        shown.show_settings(view())

        assert find(shown, QSpinBox, "renew_before_number").text() == "90 s"

    def test_nothing_is_handed_on_because_something_is_shown(
        self, shown: SettingsWindow, asked: list[tuple[str, object]], file: Path
    ) -> None:
        file.write_text('policy = "notify"\nwarn_before = ["1h"]\nquiet_hours = "22:00-06:00"\nstore = "file"\n')

        shown.show_settings(view(autostart=ON))
        settled(shown)

        assert asked == []

    def test_never_the_password_of_redis(
        self, shown: SettingsWindow, asked: list[tuple[str, object]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("KIWOOM_TRAY_REDIS_URL", "rediss://trader:hunter2@store.example:6380/1")

        shown.show_settings(view())
        shown.close()

        assert find(shown, QLineEdit, "redis_url_line").text() == "rediss://store.example:6380/1"
        assert asked == []

    def test_what_a_variable_decides_is_named_and_cannot_be_changed(
        self, shown: SettingsWindow, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")

        shown.show_settings(view())

        assert find(shown, QRadioButton, "store_file").isChecked()
        assert not find(shown, QRadioButton, "store_file").isEnabled()
        assert "KIWOOM_TRAY_STORE" in note(shown, "store")
        assert find(shown, QRadioButton, "theme_dark").isEnabled()

    def test_a_screen_reader_what_each_way_of_renewing_means(self, shown: SettingsWindow, file: Path) -> None:
        file.write_text('policy = "daily 05:15"\n')

        shown.show_settings(view())

        for one in ("notify", "auto", "daily"):
            means = find(shown, QLabel, f"policy_{one}_means").text()
            assert means in find(shown, QRadioButton, f"policy_{one}").accessibleDescription()
        assert "05:15" in means

    def test_what_is_broken_with_line_and_key(
        self, shown: SettingsWindow, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        told: list[str] = []
        monkeypatch.setattr(
            "tray_app.desktop.settings.window.alert", lambda widget: told.append(widget.accessibleName())
        )
        file.write_text('policy = "sometimes"\ntheme = \n')

        for _ in range(2):
            shown.show_settings(view())

        assert len(told) == 1, "a screen reader says it once"
        text = find(shown, QLabel, "problems").text().replace("\u200b", "")
        assert [re.findall(r"line \d+|theme|policy", line)[:2] for line in text.splitlines()] == [
            ["line 2", "theme"],
            ["line 1", "policy"],
        ]
        file.write_text("")
        shown.show_settings(view())
        assert not find(shown, QLabel, "problems").isVisible()

    @pytest.mark.parametrize(
        ("status", "checked", "words"),
        [(OFF, False, ""), (ON, True, ""), (SWITCHED_OFF, False, "system's own"), (OTHER_COPY, False, "/opt/old-tray")],
    )
    def test_what_the_system_says_about_the_login(
        self, shown: SettingsWindow, file: Path, status: SimpleNamespace, checked: bool, words: str
    ) -> None:
        file.write_text("autostart = true\n")

        shown.show_settings(view(autostart=status))

        assert find(shown, QCheckBox, "autostart_switch").isChecked() is checked
        assert words in note(shown, "autostart")

    def test_that_a_daily_rotation_cuts_every_tool_once(self, shown: SettingsWindow) -> None:
        assert "cut off once" in find(shown, QLabel, "policy_daily_means").text()


class TestProfiles:
    def test_are_to_be_chosen_only_where_there_are_several(self, shown: SettingsWindow) -> None:
        box = find(shown, QComboBox, "profile")
        assert not box.isVisible()

        shown.show_settings(view(profiles=("default", "second")))

        assert box.isVisible()
        assert [box.itemData(row) for row in range(box.count())] == ["default", "second"]

    def test_choosing_one_asks_for_its_settings(self, shown: SettingsWindow, qtbot: QtBot) -> None:
        shown.show_settings(view(profiles=("default", "second")))
        box = find(shown, QComboBox, "profile")

        with qtbot.waitSignal(shown.profile_chosen) as chosen:
            box.setFocus()
            QTest.keyClick(box, Qt.Key.Key_Down)

        assert chosen.args == ["second"]

    def test_show_what_is_their_own_and_what_is_everybodys(self, shown: SettingsWindow, file: Path) -> None:
        file.write_text('policy = "notify"\n[profiles.second]\nrenew_before = "30m"\n')

        shown.show_settings(view("second", ("default", "second")))

        assert "as for all profiles" in note(shown, "policy")
        assert "profiles" not in note(shown, "renew_before")
        assert "The same for all profiles" in note(shown, "store")
        assert find(shown, QPushButton, "renew_before_default").text() == "Use the shared value"
        assert not find(shown, QPushButton, "renew_before_default").isHidden()
        assert find(shown, QPushButton, "policy_default").isHidden()


class TestChanging:
    def test_a_choice(self, shown: SettingsWindow, asked: list[tuple[str, object]]) -> None:
        find(shown, QRadioButton, "theme_dark").click()
        settled(shown)

        assert asked == [("theme", "dark")]

    def test_only_where_the_arrow_keys_stop(
        self, shown: SettingsWindow, asked: list[tuple[str, object]], qtbot: QtBot
    ) -> None:
        shown.findChild(QListWidget, "sections").setCurrentRow(3)
        first = find(shown, QRadioButton, "store_auto")
        first.setFocus()

        for _ in range(2):
            QTest.keyClick(QApplication.focusWidget() or first, Qt.Key.Key_Down)
        qtbot.waitUntil(lambda: asked != [])

        assert asked == [("store", "file")]

    @pytest.mark.parametrize("name", ["policy_daily", "policy_notify"])
    def test_tab_stops_at_the_chosen_radio_button(self, shown: SettingsWindow, name: str) -> None:
        find(shown, QRadioButton, name).click()

        for one in ("policy_notify", "policy_auto", "policy_daily"):
            stops = bool(find(shown, QRadioButton, one).focusPolicy() & Qt.FocusPolicy.TabFocus)
            assert stops is (one == name)

    def test_a_switch(self, shown: SettingsWindow, asked: list[tuple[str, object]]) -> None:
        find(shown, QCheckBox, "share_kwcli_switch").click()

        assert asked == [("share_kwcli", True)]

    def test_the_policy(self, shown: SettingsWindow, asked: list[tuple[str, object]]) -> None:
        find(shown, QRadioButton, "policy_daily").click()
        settled(shown)
        find(shown, QTimeEdit, "policy_time").setTime(QTime(7, 15))
        settled(shown)
        find(shown, QRadioButton, "policy_notify").click()
        settled(shown)

        assert asked == [("policy", "daily 06:30"), ("policy", "daily 07:15"), ("policy", "notify")]

    def test_a_span(self, shown: SettingsWindow, asked: list[tuple[str, object]]) -> None:
        find(shown, QSpinBox, "renew_before_number").setValue(90)
        settled(shown)

        assert asked == [("renew_before", "90m")]

    def test_thresholds(self, shown: SettingsWindow, asked: list[tuple[str, object]]) -> None:
        find(shown, QPushButton, "warn_before_1800").click()
        find(shown, QPushButton, "warn_before_3600").click()
        settled(shown)

        assert asked == [("warn_before", ["1h", "10m", "5m", "0m"])]

    def test_quiet_hours(self, shown: SettingsWindow, asked: list[tuple[str, object]]) -> None:
        find(shown, QCheckBox, "quiet_hours_switch").click()
        find(shown, QTimeEdit, "quiet_hours_from").setTime(QTime(21, 30))
        settled(shown)
        find(shown, QCheckBox, "quiet_hours_switch").click()

        assert asked == [("quiet_hours", "22:00-07:00"), ("quiet_hours", "21:30-07:00"), ("quiet_hours", "")]

    def test_a_line_once_it_is_finished(self, shown: SettingsWindow, asked: list[tuple[str, object]]) -> None:
        line = find(shown, QLineEdit, "redis_url_line")
        line.setFocus()
        QTest.keyClicks(line, "redis://localhost:6379/0")
        settled(shown)
        assert asked == []

        QTest.keyClick(line, Qt.Key.Key_Return)

        assert asked == [("redis_url", "redis://localhost:6379/0")]

    def test_an_empty_line_means_the_default(
        self, shown: SettingsWindow, asked: list[tuple[str, object]], file: Path
    ) -> None:
        file.write_text(f"share_bot_file = '{BOT_FILE}'\n")
        shown.show_settings(view())
        line = find(shown, QLineEdit, "share_bot_file_line")

        line.clear()
        line.editingFinished.emit()

        assert asked == [("share_bot_file", None)]

    def test_what_was_typed_last_counts_when_the_window_is_closed(
        self, shown: SettingsWindow, asked: list[tuple[str, object]]
    ) -> None:
        find(shown, QSpinBox, "renew_before_number").setValue(15)

        shown.close()

        assert asked == [("renew_before", "15m")]

    def test_nothing_counts_when_the_window_is_closed_before_the_settings_are_read(self, qtbot: QtBot) -> None:
        window = SettingsWindow()
        qtbot.addWidget(window)
        window.show()

        with qtbot.assertNotEmitted(window.change_requested):
            window.close()

    def test_what_is_half_typed_does_not_count_when_escape_closes_the_window(
        self, shown: SettingsWindow, asked: list[tuple[str, object]], file: Path, qtbot: QtBot
    ) -> None:
        file.write_text('share_bot_file = "/home/trader/token.json"\n')
        shown.show_settings(view())
        shown.show_section("sharing")
        line = find(shown, QLineEdit, "share_bot_file_line")
        before = line.text()
        with qtbot.waitActive(shown):
            shown.activateWindow()
        line.setFocus()
        line.selectAll()
        QTest.keyClicks(line, "/home/x")

        QTest.keyClick(line, Qt.Key.Key_Escape)

        assert not shown.isVisible()
        assert (asked, line.text()) == ([], before)

    def test_what_was_chosen_counts_when_escape_closes_the_window(
        self, shown: SettingsWindow, asked: list[tuple[str, object]]
    ) -> None:
        find(shown, QRadioButton, "theme_dark").click()

        QTest.keyClick(shown, Qt.Key.Key_Escape)

        assert asked == [("theme", "dark")]

    def test_back_to_the_default(self, shown: SettingsWindow, asked: list[tuple[str, object]], file: Path) -> None:
        button = find(shown, QPushButton, "theme_default")
        assert button.isHidden()
        file.write_text('theme = "dark"\n')
        shown.show_settings(view())

        button.click()

        assert asked == [("theme", None)]

    def test_what_is_being_edited_is_not_overwritten_by_what_comes_from_outside(
        self, shown: SettingsWindow, qtbot: QtBot
    ) -> None:
        shown.findChild(QListWidget, "sections").setCurrentRow(3)
        shown.activateWindow()
        line = find(shown, QLineEdit, "redis_url_line")
        line.setFocus()
        qtbot.waitUntil(line.hasFocus)
        QTest.keyClicks(line, "redis://lo")

        shown.show_settings(view())

        assert line.text() == "redis://lo"

    def test_what_is_being_edited_is_not_taken_for_another_account(
        self, shown: SettingsWindow, asked: list[tuple[str, object]], file: Path, qtbot: QtBot
    ) -> None:
        shared = file.parent / "token.json"
        file.write_text(f"[profiles.second]\nshare_bot_file = '{shared}'\n")
        shown.show_section("sharing")
        shown.activateWindow()
        line = find(shown, QLineEdit, "share_bot_file_line")
        line.setFocus()
        qtbot.waitUntil(line.hasFocus)
        QTest.keyClicks(line, "/tm")

        shown.show_settings(view("second", ("default", "second")))
        shown.close()

        assert line.text() == str(shared)
        assert asked == []

    def test_the_wheel_changes_nothing_that_passes_under_the_mouse(
        self, shown: SettingsWindow, asked: list[tuple[str, object]]
    ) -> None:
        number = find(shown, QSpinBox, "renew_before_number")
        at = QPointF(number.rect().center())
        turn = QWheelEvent(
            at,
            number.mapToGlobal(at),
            QPoint(),
            QPoint(0, 120),
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,  # noqa: FBT003 - Qt takes it by position only
        )
        shown.findChild(QListWidget, "sections").setFocus()

        QApplication.sendEvent(number, turn)

        assert number.value() == 10


class TestRefusals:
    def test_stand_beside_the_field_which_shows_again_what_holds(
        self, shown: SettingsWindow, asked: list[tuple[str, object]]
    ) -> None:
        find(shown, QRadioButton, "policy_daily").click()
        settled(shown)

        shown.show_refusal("policy", SettingsError("It takes something else."))

        assert outcome(shown, "policy") == "It takes something else."
        assert find(shown, QRadioButton, "policy_auto").isChecked()

    def test_are_gone_with_the_next_change(self, shown: SettingsWindow) -> None:
        shown.show_refusal("policy", SettingsError("It takes something else."))

        find(shown, QRadioButton, "policy_notify").click()
        settled(shown)

        assert outcome(shown, "policy") == ""

    def test_of_a_line_take_back_what_was_typed(self, shown: SettingsWindow) -> None:
        line = find(shown, QLineEdit, "redis_url_line")
        line.setText("nonsense")

        shown.show_refusal("redis_url", SettingsError("It takes an address."))

        assert line.text() == ""


class TestPeople:
    def test_the_language_changes_while_the_window_is_open(self, shown: SettingsWindow) -> None:
        speak("ko")

        assert find(shown, QLabel, "store_name").text() == "토큰 보관 위치"
        assert find(shown, QRadioButton, "mode_demo").text() == "모의투자"

    def test_everything_can_be_reached_by_keyboard_and_has_a_name(self, shown: SettingsWindow) -> None:
        for row in range(len(GROUPS)):
            shown.findChild(QListWidget, "sections").setCurrentRow(row)
            for card in shown.findChildren(QWidget):
                if not card.objectName().startswith("card_") or not card.isVisible():
                    continue
                for one in card.field.inputs():  # type: ignore[attr-defined]
                    by_arrows = isinstance(one, QRadioButton) and not one.isChecked()
                    assert one.focusPolicy() & Qt.FocusPolicy.TabFocus or by_arrows, one.objectName()
                    named = one.accessibleName() or (one.text() if isinstance(one, QAbstractButton) else "")
                    assert named, one.objectName()
                    assert one.accessibleDescription(), one.objectName()

    def test_a_small_screen_scrolls(self, shown: SettingsWindow, file: Path) -> None:
        file.write_text("stroe = 1\n")
        shown.show_settings(view(profiles=("default", "second")))
        shown.findChild(QListWidget, "sections").setCurrentRow(3)
        whole = find(shown, QScrollArea, "whole")
        shown.resize(whole.widget().minimumSizeHint().width(), 400)
        QApplication.processEvents()
        assert find(shown, QScrollArea, "page_storage").verticalScrollBar().maximum() > 0
        assert (whole.horizontalScrollBar().maximum(), whole.verticalScrollBar().maximum()) == (0, 0)

        shown.resize(320, 200)
        QApplication.processEvents()
        assert (shown.width(), shown.height()) == (320, 200)
        assert (whole.horizontalScrollBar().maximum(), whole.verticalScrollBar().maximum() > 0) == (0, True)

    def test_in_a_narrow_window_the_sections_are_chosen_above_the_page(self, shown: SettingsWindow) -> None:
        sections, box = find(shown, QListWidget, "sections"), find(shown, QComboBox, "sectionBox")
        assert sections.isVisible()
        assert not box.isVisible()
        sections.setCurrentRow(1)
        shown.resize(420, 400)
        QApplication.processEvents()
        assert not sections.isVisible()
        assert box.isVisible()
        assert box.currentText() == "Notices"
        box.setCurrentIndex(3)
        box.activated.emit(3)
        assert find(shown, QScrollArea, "page_storage").isVisible()
        assert box.accessibleName() == "Sections"

    @pytest.mark.parametrize("lang", ["en", "ko"])
    def test_a_small_screen_at_300_percent_needs_no_scrolling_sideways(self, shown: SettingsWindow, lang: str) -> None:
        speak(lang)
        shown.resize(400, 226)  # 1280 pixels at 300 %, less than that for fonts that are wider than these
        for row, group in enumerate(GROUPS):
            shown.findChild(QListWidget, "sections").setCurrentRow(row)
            QApplication.processEvents()
            assert find(shown, QScrollArea, f"page_{group}").horizontalScrollBar().maximum() == 0, group
        assert find(shown, QScrollArea, "whole").horizontalScrollBar().maximum() == 0

    def test_a_long_path_makes_nothing_wider(self, shown: SettingsWindow) -> None:
        card = find(shown, QWidget, "card_store")
        before = card.minimumSizeHint().width()

        shown.show_refusal("store", SettingsError("It does not open C:" + 9 * r"\a-folder-with-a-long-name"))

        assert "a-folder-with-a-long-name" in outcome(shown, "store")
        assert card.minimumSizeHint().width() == before

    def test_escape_closes(self, shown: SettingsWindow) -> None:
        QTest.keyClick(shown, Qt.Key.Key_Escape)

        assert not shown.isVisible()

    @pytest.mark.parametrize(
        ("button", "signal"), [("setUpAgain", "setup_requested"), ("openFile", "open_file_requested")]
    )
    def test_leads_on(self, shown: SettingsWindow, qtbot: QtBot, button: str, signal: str) -> None:
        with qtbot.waitSignal(getattr(shown, signal)):
            find(shown, QPushButton, button).click()

    def test_leads_to_the_keys_of_the_profile_that_is_shown(self, shown: SettingsWindow, qtbot: QtBot) -> None:
        shown.show_settings(view("second", ("default", "second")))

        with qtbot.waitSignal(shown.keys_requested) as asked:
            find(shown, QPushButton, "enterKeys").click()

        assert asked.args == ["second"]


class FakeAutostart:
    """An operating system that starts what it is told at login."""

    def __init__(self) -> None:
        self.on = False

    def for_this_system(self) -> FakeAutostart:
        return self

    def status(self) -> object:
        return ON if self.on else OFF

    def switch(self, *, on: bool) -> None:
        self.on = on


class TestActions:
    """Window and file together, as the tray joins them."""

    @pytest.fixture
    def system(self, monkeypatch: pytest.MonkeyPatch) -> FakeAutostart:
        fake = FakeAutostart()
        monkeypatch.setattr(autostart, "for_this_system", fake.for_this_system)
        monkeypatch.setattr(autostart, "switch", fake.switch)
        return fake

    @pytest.fixture
    def joined(self, qtbot: QtBot, system: FakeAutostart) -> Iterator[SettingsWindow]:
        controller = SettingsController(os.environ)
        self.actions = controller.actions
        with qtbot.waitSignal(self.actions.loaded):
            controller.open("default")
        assert controller.window is not None
        qtbot.addWidget(controller.window)
        self.controller = controller
        yield controller.window
        controller.deleteLater()

    def wait(self, qtbot: QtBot, act: Callable[[], object]) -> None:
        with qtbot.waitSignal(self.actions.loaded):
            act()

    def test_a_change_is_in_the_file_at_once(self, joined: SettingsWindow, qtbot: QtBot, file: Path) -> None:
        with qtbot.waitSignal(self.actions.written):
            find(joined, QRadioButton, "theme_dark").click()

        assert file.read_text() == 'theme = "dark"\n'
        qtbot.waitUntil(lambda: not find(joined, QPushButton, "theme_default").isHidden())

    def test_a_time_inside_the_trading_hours_is_refused(self, joined: SettingsWindow, qtbot: QtBot, file: Path) -> None:
        self.wait(qtbot, lambda: (find(joined, QRadioButton, "policy_daily").click(), settled(joined)))

        self.wait(qtbot, lambda: (find(joined, QTimeEdit, "policy_time").setTime(QTime(10, 0)), settled(joined)))

        assert "20:00" in outcome(joined, "policy")
        assert find(joined, QTimeEdit, "policy_time").time() == QTime(6, 30)
        assert file.read_text() == 'policy = "daily 06:30"\n'

    def test_redis_without_an_address_is_refused(self, joined: SettingsWindow, qtbot: QtBot, file: Path) -> None:
        self.wait(qtbot, lambda: (find(joined, QRadioButton, "store_redis").click(), settled(joined)))

        assert "KIWOOM_TRAY_REDIS_URL" in outcome(joined, "store")
        assert find(joined, QRadioButton, "store_auto").isChecked()
        assert not file.exists()

    def test_a_damaged_file_is_left_as_it_is(self, joined: SettingsWindow, qtbot: QtBot, file: Path) -> None:
        file.write_text("language = [\n")

        self.wait(qtbot, lambda: (find(joined, QRadioButton, "theme_dark").click(), settled(joined)))

        assert "line 1" in outcome(joined, "theme")
        assert find(joined, QRadioButton, "theme_auto").isChecked()
        assert file.read_text() == "language = [\n"

    def test_the_wizard_can_be_opened_again(self, joined: SettingsWindow) -> None:
        assert not find(joined, QPushButton, "setUpAgain").isHidden()

    def test_what_changes_outside_is_shown(self, joined: SettingsWindow, qtbot: QtBot, file: Path) -> None:
        file.write_text('theme = "light"\n')

        self.wait(qtbot, self.controller.poll)

        assert find(joined, QRadioButton, "theme_light").isChecked()

    def test_what_is_the_users_own_is_left_alone_while_practising(self, qtbot: QtBot, system: FakeAutostart) -> None:
        controller = SettingsController(os.environ, sandbox=True)
        with qtbot.waitSignal(controller.actions.loaded):
            controller.open("default")
        assert controller.window is not None
        qtbot.addWidget(controller.window)

        for name in ("autostart", "share_kwcli"):
            assert not find(controller.window, QCheckBox, f"{name}_switch").isEnabled()
            assert "practising" in note(controller.window, name)
        assert find(controller.window, QPushButton, "setUpAgain").isHidden()
        assert find(controller.window, QRadioButton, "theme_dark").isEnabled()
        controller.deleteLater()

    def test_a_profiles_own_value_comes_and_goes(self, joined: SettingsWindow, qtbot: QtBot, file: Path) -> None:
        file.write_text('[profiles.second]\nmode = "demo"\n')
        self.wait(qtbot, lambda: self.actions.choose("second"))

        self.wait(qtbot, lambda: (find(joined, QRadioButton, "policy_notify").click(), settled(joined)))
        assert load_settings("second").policy == "notify"
        assert load_settings().policy == "auto"

        self.wait(qtbot, lambda: find(joined, QPushButton, "policy_default").click())
        assert load_settings("second").policy == "auto"
        assert find(joined, QRadioButton, "policy_auto").isChecked()

    def test_the_login_is_switched_on_this_system(
        self, joined: SettingsWindow, qtbot: QtBot, system: FakeAutostart
    ) -> None:
        self.wait(qtbot, lambda: find(joined, QCheckBox, "autostart_switch").click())

        assert system.on
        assert load_settings().autostart is True
        assert find(joined, QCheckBox, "autostart_switch").isChecked()

    def test_a_profile_that_is_gone_offers_nothing_of_its_own_and_does_not_come_back(
        self, joined: SettingsWindow, qtbot: QtBot, file: Path
    ) -> None:
        file.write_text('[profiles.second]\nmode = "demo"\n')
        self.wait(qtbot, lambda: self.actions.choose("second"))
        file.write_text("")

        self.wait(qtbot, self.controller.poll)

        assert "no profile second" in find(joined, QLabel, "problems").text()
        for name in ("mode_real", "policy_notify"):
            assert not find(joined, QRadioButton, name).isEnabled()
        assert "practising" not in note(joined, "share_kwcli")
        assert find(joined, QRadioButton, "theme_dark").isEnabled(), "it is the same for all"
        box = find(joined, QComboBox, "profile")
        assert box.isVisible()
        self.wait(qtbot, lambda: self.actions.choose("default"))
        assert [box.itemData(row) for row in range(box.count())] == ["default"]
        assert find(joined, QRadioButton, "policy_notify").isEnabled()
        assert file.read_text() == ""

    def test_a_click_before_it_is_known_that_the_profile_is_gone_is_refused(
        self, joined: SettingsWindow, qtbot: QtBot, file: Path
    ) -> None:
        file.write_text('[profiles.second]\nmode = "demo"\n')
        self.wait(qtbot, lambda: self.actions.choose("second"))
        file.write_text("")

        self.wait(qtbot, lambda: (find(joined, QRadioButton, "policy_notify").click(), settled(joined)))

        assert "no profile second" in outcome(joined, "policy")
        assert find(joined, QRadioButton, "policy_auto").isChecked()
        assert file.read_text() == ""

    def test_a_change_is_for_the_account_that_is_shown_while_another_is_read(
        self, joined: SettingsWindow, qtbot: QtBot, file: Path
    ) -> None:
        file.write_text('[profiles.second]\nmode = "demo"\n')

        with qtbot.waitSignal(self.actions.written):
            self.actions.choose("second")
            find(joined, QCheckBox, "share_kwcli_switch").click()

        assert load_settings().share_kwcli
        assert not load_settings("second").share_kwcli

    def test_opened_again_for_another_account_the_window_shows_that_one(
        self, joined: SettingsWindow, qtbot: QtBot, file: Path
    ) -> None:
        file.write_text('[profiles.second]\nmode = "demo"\npolicy = "notify"\n')
        find(joined, QSpinBox, "renew_before_number").setValue(15)

        self.wait(qtbot, lambda: self.controller.open("second"))
        qtbot.waitUntil(lambda: find(joined, QComboBox, "profile").currentData() == "second")

        assert find(joined, QRadioButton, "policy_notify").isChecked()
        assert load_settings().renew_before == 900, "what was typed last was for the account before"

    @pytest.fixture
    def no_data_dir(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("KIWOOM_TRAY_DATA_DIR")

    @pytest.mark.usefixtures("no_data_dir")
    def test_a_valid_token_moves_along_and_that_is_told(
        self, joined: SettingsWindow, qtbot: QtBot, private_places: Path
    ) -> None:
        open_service(load_settings()).put(token_for("a-token-of-a-test", 3600, time.time()))
        self.wait(qtbot, self.actions.poll)
        line = find(joined, QLineEdit, "data_dir_line")
        line.setText(str(private_places / "other"))

        self.wait(qtbot, line.editingFinished.emit)

        kept = json.loads((private_places / "other" / ".token").read_text())
        assert kept["access_token"] == "a-token-of-a-test"
        assert str(private_places / "other") in outcome(joined, "data_dir")
