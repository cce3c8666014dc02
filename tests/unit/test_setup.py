"""The set-up: what its pages ask for, what they say, and what is done to the machine."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("PySide6.QtWidgets")

from PySide6.QtCore import QCoreApplication, QEvent, QMimeData, QPoint, QPointF, QRect, Qt, QUrl
from PySide6.QtGui import QColor, QDesktopServices, QDragEnterEvent, QDropEvent, QPalette
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QCheckBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QScrollArea,
    QWidget,
)
from pytestqt.qtbot import QtBot

from tests.doubles import KEYS, MemoryKeyring, use_memory_keyring
from tray_app.core import language
from tray_app.core.errors import AutostartFailed, KeyringUnavailable, KeysRefused, SettingsError, StoreError
from tray_app.core.secret import Secret
from tray_app.core.token import token_for
from tray_app.desktop.setup import texts as setup_texts
from tray_app.desktop.setup.actions import (
    AcceptedKeys,
    FoundKeys,
    KeySearch,
    LocalSetupActions,
    StartupOptions,
    StorageInfo,
)
from tray_app.desktop.setup.flow import Activity, SetupResult, Step
from tray_app.desktop.setup.wizard import SetupWizard
from tray_app.desktop.translation import switch_language
from tray_app.kiwoom.codes import error_for
from tray_app.kiwoom.keys import AppKeys, store_keys
from tray_app.kiwoom.sandbox import SANDBOX_APP_KEY, SANDBOX_APP_SECRET, SandboxKiwoom
from tray_app.service.composition import open_service
from tray_app.settings import kwcli
from tray_app.settings.load import Settings, load_settings
from tray_app.settings.places import settings_file
from tray_app.settings.save import choose_data_dir, save_setting, unset_setting
from tray_app.stores.keyring_client import shared_keyring_client

KEY, SECRET = "AppKey-" + "k" * 36, "AppSecret-" + "s" * 33
IN_KEYRING = {"win32": "In Windows Credential Manager", "darwin": "In the Keychain"}.get(sys.platform, "In the keyring")
LOCKED = KeyringUnavailable("The keyring is locked. Unlock it.", problem=KeyringUnavailable.LOCKED)


@dataclass
class FakeActions:
    """Answers what it is told to; `done` lists what was asked of it.

    Keys are found once `looking` is set, at once unless `is_slow`, and checked once `checking` is.
    """

    search: KeySearch = field(default_factory=KeySearch)
    resting: StorageInfo = field(default_factory=lambda: StorageInfo("keyring"))
    daily: StartupOptions = field(default_factory=lambda: StartupOptions(autostart=False, share_kwcli=False))
    failure: Exception | None = None
    unlock_failure: Exception | None = None
    done: list[tuple[Any, ...]] = field(default_factory=list)
    looking: threading.Event = field(default_factory=threading.Event)
    checking: threading.Event = field(default_factory=threading.Event)
    is_slow: bool = False

    def __post_init__(self) -> None:
        if not self.is_slow:
            self.looking.set()
        self.checking.set()

    def find_keys(self) -> KeySearch:
        self.looking.wait(20)
        return self.search

    def use_keys(self, found: FoundKeys) -> AcceptedKeys:
        return self._accepted(found.mode, "use", found)

    def check_keys(self, mode: str, keys: AppKeys) -> AcceptedKeys:
        return self._accepted(mode, "check", mode, keys.app_key.reveal(), keys.app_secret.reveal())

    def unlock(self) -> None:
        self.done.append(("unlock",))
        if self.unlock_failure is not None:
            raise self.unlock_failure
        self.search = KeySearch((FoundKeys("real"),))
        self.resting = StorageInfo("keyring")

    def storage(self) -> StorageInfo:
        return self.resting

    def startup_options(self) -> StartupOptions:
        return self.daily

    def set_setting(self, name: str, value: object) -> None:
        self._do("set", name, value)

    def set_autostart(self, *, on: bool) -> None:
        self._do("autostart", on)

    def _accepted(self, mode: str, *what: object) -> AcceptedKeys:
        self.checking.wait(20)
        self._do(*what)
        return AcceptedKeys(mode, time.time() + 80_000)

    def _do(self, *what: object) -> None:
        self.done.append(what)
        if self.failure is not None:
            raise self.failure


class Setup:
    """A wizard before a user."""

    def __init__(self, qtbot: QtBot, actions: FakeActions, start: Step) -> None:
        self.bot = qtbot
        self.actions = actions
        self.wizard = SetupWizard(None, actions, start)
        self.wizard.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, on=False)
        qtbot.addWidget(self.wizard)
        self.endings: list[SetupResult] = []
        self.wizard.ended.connect(self.endings.append)
        self.wizard.show()

    @property
    def step(self) -> Step:
        return self.wizard.flow.state.step

    def known(self) -> Setup:
        """Waits until everything was looked up."""

        def all_known() -> bool:
            state = self.wizard.flow.state
            return None not in {state.search, state.storage, state.options}

        self.bot.waitUntil(all_known)
        return self

    def settle(self) -> None:
        self.bot.waitUntil(lambda: self.wizard.flow.state.activity is Activity.IDLE)

    def find(self, name: str) -> Any:
        found = self.wizard.page.findChild(QWidget, name) or self.wizard.findChild(QWidget, name)
        assert found is not None, name
        return found

    def press(self, name: str) -> None:
        button = self.find(name)
        assert button.isVisible(), name
        assert button.isEnabled(), name
        button.click()
        self.settle()

    def next(self) -> None:
        self.press("setupNext")

    def texts(self) -> list[str]:
        """All that can be read on the page."""
        widgets = self.wizard.findChildren(QLabel) + self.wizard.findChildren(QAbstractButton)
        return [one.text() for one in widgets if one.isVisible() and one.text()]

    def reads(self, text: str) -> bool:
        return any(text in one for one in self.texts())

    def type(self, key: str = KEY, secret: str = SECRET) -> None:
        self.find("appKey").setText(key)
        self.find("appSecret").setText(secret)


@pytest.fixture
def open_setup(qtbot: QtBot) -> Iterator[Callable[..., Setup]]:
    opened: list[Setup] = []

    def open_one(start: Step = Step.WELCOME, **actions: Any) -> Setup:
        opened.append(Setup(qtbot, FakeActions(**actions), start))
        return opened[-1]

    yield open_one
    for one in opened:
        one.actions.looking.set()
        one.actions.checking.set()
        one.wizard.close()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    speak("en")


def speak(lang: str) -> None:
    app = QApplication.instance()
    assert app is not None
    language.use(lang)
    switch_language(app)
    QApplication.processEvents()


def refused(code: str) -> Exception:
    return error_for(3, f"[{code}:x]")


def test_whole_way_from_welcome_to_the_end(open_setup: Callable[..., Setup]) -> None:
    setup = open_setup().known()
    setup.next()
    assert setup.step is Step.KEYS
    setup.type(f"  {KEY}\n", f"\t{SECRET} ")
    setup.find("modeDemo").click()
    setup.next()
    assert setup.actions.done == [("check", "demo", KEY, SECRET)]
    assert setup.step is Step.STORAGE
    setup.next()
    assert setup.step is Step.STARTUP
    setup.next()
    assert setup.actions.done[1:] == [("set", "share_kwcli", True), ("autostart", True)]
    assert setup.step is Step.DONE
    assert setup.reads("The first token is valid until ")
    assert setup.reads("kiwoom-token get")
    setup.next()
    assert setup.endings == [SetupResult.CONTINUE]
    assert not setup.wizard.isVisible()


def test_every_page_can_be_skipped_and_then_nothing_is_done(open_setup: Callable[..., Setup]) -> None:
    setup = open_setup().known()
    setup.next()
    for step in (Step.KEYS, Step.STORAGE, Step.STARTUP):
        assert setup.step is step
        setup.press("setupSkip")
    assert setup.step is Step.DONE
    assert setup.reads("You can enter it at any time")
    setup.next()
    assert setup.actions.done == []
    assert setup.endings == [SetupResult.CONTINUE]


def test_sandbox_needs_nothing_else(open_setup: Callable[..., Setup]) -> None:
    setup = open_setup().known()
    setup.find("useSandbox").click()
    assert setup.find("setupNext").text() == "Start practisi&ng"
    setup.next()
    assert setup.endings == [SetupResult.SANDBOX]
    assert setup.actions.done == []


@pytest.mark.parametrize("step", list(Step))
def test_escape_asks_nothing_and_ends_once(open_setup: Callable[..., Setup], qtbot: QtBot, step: Step) -> None:
    setup = open_setup(step).known()
    qtbot.keyClick(setup.wizard, Qt.Key.Key_Escape)
    assert setup.endings == [SetupResult.CONTINUE]
    assert not setup.wizard.isVisible()
    setup.wizard.close()
    assert len(setup.endings) == 1


def test_escape_keeps_what_was_done(open_setup: Callable[..., Setup], qtbot: QtBot) -> None:
    setup = open_setup(Step.STARTUP).known()
    setup.next()
    done = list(setup.actions.done)
    qtbot.keyClick(setup.wizard, Qt.Key.Key_Escape)
    assert setup.actions.done == done != []


def test_found_keys_are_offered_and_used_without_typing(open_setup: Callable[..., Setup]) -> None:
    found = (FoundKeys("real", "main"), FoundKeys("demo", in_environment=True))
    setup = open_setup(Step.KEYS, search=KeySearch(found)).known()
    assert setup.reads("Use kiwoomcli's keys for real trading (main)")
    assert setup.reads("Use APP_KEY_MOCK from the environment, for mock trading")
    assert not setup.find("appKey").isVisible()
    setup.find("found1").click()
    setup.next()
    assert setup.actions.done == [("use", found[1])]
    assert setup.step is Step.STORAGE


def test_form_starts_with_the_mode_of_the_settings(open_setup: Callable[..., Setup]) -> None:
    setup = open_setup(Step.KEYS, search=KeySearch(mode="demo")).known()
    setup.type()
    setup.next()
    assert setup.actions.done == [("check", "demo", KEY, SECRET)]


def test_found_keys_have_the_keyboard(open_setup: Callable[..., Setup], qtbot: QtBot) -> None:
    setup = open_setup(Step.KEYS, search=KeySearch((FoundKeys("real", "main"),)))
    with qtbot.waitActive(setup.wizard):
        setup.known()
    assert setup.wizard.focusWidget() is setup.find("found0")
    qtbot.keyClick(setup.find("found0"), Qt.Key.Key_Return)
    setup.settle()
    assert setup.step is Step.STORAGE


def test_tab_goes_from_the_files_to_the_mode_and_the_fields(open_setup: Callable[..., Setup], qtbot: QtBot) -> None:
    setup = open_setup(Step.KEYS)
    with qtbot.waitActive(setup.wizard):
        setup.known()
    setup.find("keysFromFile").setFocus()

    passed = []
    for _ in range(4):
        focused = setup.wizard.focusWidget()
        passed.append(focused.objectName())
        qtbot.keyClick(focused, Qt.Key.Key_Tab)

    assert passed == ["keysFromFile", "modeReal", "appKey", "appSecret"]


def test_other_keys_can_be_typed_where_some_were_found(open_setup: Callable[..., Setup]) -> None:
    setup = open_setup(Step.KEYS, search=KeySearch((FoundKeys("real", "main"),))).known()
    setup.find("otherKeys").click()
    assert setup.find("appKey").isVisible()
    assert not setup.find("setupNext").isEnabled()
    setup.type()
    setup.next()
    assert setup.actions.done == [("check", "real", KEY, SECRET)]


# Qt 6.12 wants a QPointF, which 6.11 does not take.
@pytest.mark.filterwarnings("ignore:Function. 'QDragEnterEvent:DeprecationWarning")
def test_files_that_are_dropped_on_the_wizard_are_other_keys(
    open_setup: Callable[..., Setup], qtbot: QtBot, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text(f"APP_KEY={KEY}\nAPP_SECRET={SECRET}\n")
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / ".env"))])
    setup = open_setup(Step.KEYS, search=KeySearch((FoundKeys("real", "main"),))).known()
    copy, buttons, keys = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(setup.wizard, QDragEnterEvent(QPoint(5, 5), copy, data, buttons, keys))
    QApplication.sendEvent(setup.wizard, QDropEvent(QPointF(5, 5), copy, data, buttons, keys))
    qtbot.waitUntil(lambda: setup.find("appKey").text() == KEY)
    assert setup.find("otherKeys").isChecked()
    note = setup.find("keysFromFileNote").text()
    assert note == "Delete afterwards: .env. The keys are still in there."
    setup.next()
    assert setup.actions.done == [("check", "real", KEY, SECRET)]


def test_page_does_not_wait_for_a_keyring_that_hangs(open_setup: Callable[..., Setup], qtbot: QtBot) -> None:
    setup = open_setup(is_slow=True)
    setup.next()
    assert setup.find("appKey").isVisible()
    setup.type()
    setup.actions.looking.set()


def test_keys_that_turn_up_late_do_not_take_away_what_was_typed(open_setup: Callable[..., Setup]) -> None:
    setup = open_setup(Step.KEYS, search=KeySearch((FoundKeys("real", "main"),)), is_slow=True)
    setup.type()
    setup.actions.looking.set()
    setup.known()
    assert setup.find("otherKeys").isChecked()
    assert setup.find("appKey").text() == KEY


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("8001", "Copy both again"),
        ("8002", "Copy both again"),
        ("8030", "This key is for mock trading."),
        ("8040", "could not authenticate this computer"),
        ("8050", "public IP is not registered"),
    ],
)
def test_refused_keys_stay_to_be_corrected_and_the_page_says_what_to_do(
    open_setup: Callable[..., Setup], code: str, says: str
) -> None:
    setup = open_setup(Step.KEYS, failure=refused(code)).known()
    setup.type()
    setup.next()
    assert setup.step is Step.KEYS
    assert setup.reads(says)
    assert setup.reads(f"[{code}]")
    assert setup.find("appKey").text() == KEY
    assert setup.find("setupNext").isEnabled()
    setup.find("appKey").setText(KEY + "x")
    assert not setup.reads(f"[{code}]")


def test_after_a_refusal_the_keyboard_is_at_the_key_and_typing_replaces_it(
    open_setup: Callable[..., Setup], qtbot: QtBot
) -> None:
    setup = open_setup(Step.KEYS, failure=refused("8001"))
    with qtbot.waitActive(setup.wizard):
        setup.known()
    setup.type()
    setup.next()
    assert setup.wizard.focusWidget() is setup.find("appKey")
    qtbot.keyClicks(setup.find("appKey"), "other")
    assert setup.find("appKey").text() == "other"


def test_return_takes_the_offer_to_check_for_the_other_mode(open_setup: Callable[..., Setup], qtbot: QtBot) -> None:
    setup = open_setup(Step.KEYS, failure=refused("8030"))
    with qtbot.waitActive(setup.wizard):
        setup.known()
    setup.type()
    setup.next()
    setup.actions.failure = None
    assert setup.wizard.focusWidget() is setup.find("keysRemedy")
    qtbot.keyClick(setup.find("keysRemedy"), Qt.Key.Key_Return)
    setup.settle()
    assert setup.actions.done[-1] == ("check", "demo", KEY, SECRET)


def test_keys_of_the_other_mode_are_checked_for_it_by_one_button(open_setup: Callable[..., Setup]) -> None:
    setup = open_setup(Step.KEYS, failure=refused("8030")).known()
    setup.type()
    setup.next()
    setup.actions.failure = None
    setup.press("keysRemedy")
    assert setup.actions.done[-1] == ("check", "demo", KEY, SECRET)
    assert setup.step is Step.STORAGE


def test_unregistered_address_leads_to_kiwooms_site(
    open_setup: Callable[..., Setup], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []

    def opens(url: QUrl) -> bool:
        opened.append(url.toString())
        return True

    monkeypatch.setattr(QDesktopServices, "openUrl", opens)
    setup = open_setup(Step.KEYS, search=KeySearch((FoundKeys("real"),)), failure=refused("8050")).known()
    setup.next()
    assert setup.reads("[8050]")
    setup.press("keysRemedy")
    assert opened == ["https://openapi.kiwoom.com"]


@pytest.mark.parametrize(("key", "secret"), [("가" * 20, SECRET), (KEY[:10] + " " + KEY[10:], SECRET), (KEY, KEY)])
def test_what_cannot_be_keys_is_said_before_anybody_is_asked(
    open_setup: Callable[..., Setup], key: str, secret: str
) -> None:
    setup = open_setup(Step.KEYS).known()
    setup.type(key, secret)
    setup.next()
    assert setup.actions.done == []
    assert setup.find("keysComplaint").text()
    assert not setup.reads(key)


def test_locked_keyring_is_unlocked_only_on_demand(open_setup: Callable[..., Setup]) -> None:
    setup = open_setup(Step.KEYS, search=KeySearch((), "locked"), resting=StorageInfo("file", "/x/.token", "locked"))
    setup.known()
    assert setup.actions.done == []
    setup.press("keysReach")
    assert setup.actions.done == [("unlock",)]
    setup.bot.waitUntil(lambda: setup.reads("Use the keys for real trading in the keyring"))
    setup.press("setupSkip")
    setup.bot.waitUntil(lambda: setup.reads(IN_KEYRING))


def test_keyring_that_was_only_slow_is_asked_again(
    open_setup: Callable[..., Setup], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tray_app.desktop.setup.flow.ASK_AGAIN_MILLISECONDS", 1)
    setup = open_setup(Step.KEYS, search=KeySearch((), "silent")).known()
    assert setup.reads("The keyring does not answer")
    setup.find("appKey").setText(KEY)
    setup.actions.search = KeySearch()
    setup.bot.waitUntil(lambda: not setup.reads("The keyring does not answer"))
    assert setup.find("appKey").text() == KEY
    assert not setup.find("keysReach").isVisible()


def test_refused_unlocking_is_told(open_setup: Callable[..., Setup]) -> None:
    setup = open_setup(Step.KEYS, search=KeySearch((), "locked"), unlock_failure=LOCKED).known()
    setup.press("keysReach")
    assert setup.reads("The keyring is locked. Unlock it.")


@pytest.mark.parametrize(
    ("step", "name", "refusal"),
    [
        (Step.KEYS, "keysReach", {"unlock_failure": LOCKED}),
        (Step.STORAGE, "placeUnlock", {"unlock_failure": LOCKED}),
        (Step.STARTUP, "setupNext", {"failure": LOCKED}),
    ],
)
def test_what_was_pressed_in_vain_keeps_the_keyboard(
    open_setup: Callable[..., Setup], qtbot: QtBot, step: Step, name: str, refusal: dict[str, Any]
) -> None:
    locked = StorageInfo("file", "/x/.token", "locked")
    setup = open_setup(step, search=KeySearch((), "locked"), resting=locked, **refusal)
    with qtbot.waitActive(setup.wizard):
        setup.known()
    pressed = setup.find(name)
    pressed.setFocus()

    setup.press(name)

    assert setup.reads("The keyring is locked. Unlock it.")
    assert setup.wizard.focusWidget() is pressed


def test_keyring_that_locks_while_keys_are_kept_can_be_unlocked(open_setup: Callable[..., Setup]) -> None:
    setup = open_setup(Step.KEYS, failure=LOCKED).known()
    setup.type()
    setup.next()
    remedy = setup.find("keysRemedy")
    assert (remedy.isVisible(), remedy.text().startswith("Unlock")) == (True, True)
    assert not setup.find("keysReach").isVisible()
    assert setup.find("setupNext").property("main") != "true"

    setup.actions.failure = None
    setup.press("keysRemedy")
    assert setup.actions.done[-1] == ("unlock",)
    assert not remedy.isVisible()
    assert setup.find("appKey").text() == KEY


def test_without_a_keyring_nobody_types_in_vain(open_setup: Callable[..., Setup]) -> None:
    setup = open_setup(Step.KEYS, search=KeySearch((), "missing")).known()
    assert not setup.find("appKey").isVisible()
    assert setup.reads("APP_KEY_MOCK")
    setup.next()
    assert setup.step is Step.STORAGE


@pytest.mark.parametrize("way", ["setupSkip", "setupBack", "escape"])
def test_nothing_typed_survives_the_page(open_setup: Callable[..., Setup], qtbot: QtBot, way: str) -> None:
    setup = open_setup(Step.KEYS).known()
    setup.type()
    fields = [setup.find(name) for name in ("appKey", "appSecret")]
    if way == "escape":
        qtbot.keyClick(setup.wizard, Qt.Key.Key_Escape)
    else:
        setup.press(way)
    assert [one.text() for one in fields] == ["", ""]


def test_accepted_keys_are_gone_from_the_page(open_setup: Callable[..., Setup]) -> None:
    setup = open_setup(Step.KEYS).known()
    setup.type()
    setup.next()
    setup.press("setupBack")
    assert setup.reads("Kiwoom has accepted the keys for real trading")
    assert [setup.find(name).text() for name in ("appKey", "appSecret")] == ["", ""]
    setup.next()
    assert setup.step is Step.STORAGE
    assert len(setup.actions.done) == 1, "they are not checked twice"


def test_keys_are_never_shown(open_setup: Callable[..., Setup]) -> None:
    setup = open_setup(Step.KEYS, failure=refused("8001")).known()
    setup.type()
    setup.next()
    for name in ("appKey", "appSecret"):
        assert setup.find(name).echoMode() == QLineEdit.EchoMode.Password
    said = [repr(setup.wizard.flow.state), *setup.texts()]
    for child in setup.wizard.findChildren(QWidget):
        said += [child.toolTip(), child.accessibleName(), child.accessibleDescription()]
    assert not any(KEY[:9] in one or SECRET[:12] in one for one in said)


def test_while_kiwoom_is_asked_nothing_else_can_be_pressed_but_escape(
    open_setup: Callable[..., Setup], qtbot: QtBot
) -> None:
    setup = open_setup(Step.KEYS).known()
    setup.actions.checking.clear()
    setup.type()
    setup.find("setupNext").click()
    assert setup.reads("Checking these keys with Kiwoom")
    assert [setup.find(name).isEnabled() for name in ("setupNext", "setupSkip", "setupBack", "appKey")] == [False] * 4
    qtbot.keyClick(setup.wizard, Qt.Key.Key_Escape)
    assert setup.endings == [SetupResult.CONTINUE]


def test_never_in_a_file_is_the_store_keyring(open_setup: Callable[..., Setup]) -> None:
    setup = open_setup(Step.STORAGE).known()
    setup.find("neverInFile").click()
    setup.next()
    assert setup.actions.done == [("set", "store", "keyring")]
    setup.press("setupBack")
    assert setup.find("neverInFile").isChecked()
    setup.find("neverInFile").click()
    setup.next()
    assert setup.actions.done[-1] == ("set", "store", "auto")


@pytest.mark.parametrize(
    ("place", "says", "has_choice"),
    [
        (StorageInfo("keyring"), IN_KEYRING, True),
        (StorageInfo("file", "/home/x/.token", "locked"), "Once it is unlocked", True),
        (StorageInfo("file", "/home/x/.token", "silent"), "does not answer", True),
        (StorageInfo("file", "/home/x/.token", "missing"), "has no keyring", False),
        (StorageInfo("keyring", "", "missing", "keyring"), "has no keyring", True),
        (StorageInfo("file", "/home/x/.token", store="file", is_fixed=True), "KIWOOM_TRAY_STORE", False),
        (StorageInfo("memory", store="memory"), "Set in the settings", False),
    ],
)
def test_place_is_told_and_a_choice_is_offered_only_where_it_matters(
    open_setup: Callable[..., Setup], monkeypatch: pytest.MonkeyPatch, place: StorageInfo, says: str, has_choice: bool
) -> None:
    monkeypatch.setattr(setup_texts.sys, "platform", "linux")  # type: ignore[attr-defined]
    setup = open_setup(Step.STORAGE, resting=place).known()
    assert setup.reads(says)
    assert setup.reads(place.path)
    assert setup.find("neverInFile").isVisible() is has_choice
    setup.next()
    assert setup.actions.done == []


@pytest.mark.parametrize(("platform", "says"), [("win32", "Windows Credential Manager"), ("darwin", "Keychain")])
def test_keyring_has_the_name_that_its_system_gives_it(platform: str, says: str) -> None:
    from tray_app.desktop.setup.flow import SetupState

    assert says in setup_texts.storage_text(SetupState(storage=StorageInfo("keyring")), platform)


def test_failure_to_save_is_told_and_the_page_stays(open_setup: Callable[..., Setup]) -> None:
    setup = open_setup(Step.STARTUP, failure=StoreError("The disk is full.")).known()
    setup.next()
    assert setup.step is Step.STARTUP
    assert setup.reads("The disk is full.")
    setup.press("setupSkip")
    assert setup.step is Step.DONE


def test_daily_renewal_says_that_it_cuts_every_tool_once(open_setup: Callable[..., Setup]) -> None:
    setup = open_setup(Step.STARTUP).known()
    policy: QComboBox = setup.find("policy")
    assert policy.currentData() == "auto"
    policy.setCurrentIndex(1)
    assert setup.reads("cut off once")
    setup.next()
    assert ("set", "policy", "daily 06:30") in setup.actions.done


def test_own_quiet_hour_is_kept(open_setup: Callable[..., Setup]) -> None:
    setup = open_setup(Step.STARTUP, daily=StartupOptions(policy="daily 21:10")).known()
    assert setup.find("policy").currentData() == "daily 21:10"
    setup.next()
    assert setup.actions.done == []


def test_what_is_not_here_is_not_offered(open_setup: Callable[..., Setup]) -> None:
    setup = open_setup(Step.STARTUP, daily=StartupOptions()).known()
    assert not setup.find("shareKwcli").isVisible()
    assert not setup.find("autostart").isVisible()


def test_unticked_is_not_suggested_again(open_setup: Callable[..., Setup]) -> None:
    setup = open_setup(Step.STARTUP).known()
    setup.find("autostart").click()
    setup.next()
    assert ("autostart", True) not in setup.actions.done
    setup.press("setupBack")
    assert not setup.find("autostart").isChecked()


def test_language_changes_at_once_and_is_kept(open_setup: Callable[..., Setup]) -> None:
    setup = open_setup().known()
    setup.press("language-ko")
    assert language.current() == "ko"
    setup.bot.waitUntil(lambda: setup.actions.done == [("set", "language", "ko")])
    setup.bot.waitUntil(lambda: setup.find("setupTitle").text() != "Welcome")
    setup.press("language-en")
    setup.bot.waitUntil(lambda: setup.find("setupTitle").text() == "Welcome")


def test_return_goes_on_from_a_choice_too(open_setup: Callable[..., Setup], qtbot: QtBot) -> None:
    setup = open_setup().known()
    setup.wizard.activateWindow()
    setup.find("useAccount").setFocus()
    qtbot.keyClick(setup.find("useAccount"), Qt.Key.Key_Return)
    assert setup.step is Step.KEYS


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_mnemonics_do_not_collide(open_setup: Callable[..., Setup], lang: str) -> None:
    speak(lang)
    for step in Step:
        setup = open_setup(step, search=KeySearch((FoundKeys("real", "main"),), "locked")).known()
        if step is Step.KEYS:
            setup.find("otherKeys").click()
        texts = [one for one in setup.texts() if "&" in one]
        letters = [one[one.index("&") + 1].lower() for one in texts]
        assert len(letters) == len(set(letters)), texts
        setup.wizard.close()


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_buttons_have_room_and_small_windows_scroll(open_setup: Callable[..., Setup], lang: str) -> None:
    speak(lang)
    for step in Step:
        setup = open_setup(step, search=KeySearch((FoundKeys("real", "main"),), "locked")).known()
        setup.wizard.resize(1, 1)
        QApplication.processEvents()
        for one in setup.wizard.findChildren(QPushButton):
            if one.isVisible():
                assert one.width() >= one.sizeHint().width(), one.text()
        assert setup.wizard.width() <= 460
        setup.wizard.close()


def test_every_control_has_a_name(open_setup: Callable[..., Setup]) -> None:
    from PySide6.QtGui import QAccessible

    for step in Step:
        setup = open_setup(step, search=KeySearch((FoundKeys("real", "main"),), "locked")).known()
        if step is Step.KEYS:
            setup.find("otherKeys").click()
        for kind in (QPushButton, QRadioButton, QCheckBox, QLineEdit, QComboBox):
            for one in setup.wizard.findChildren(kind):
                interface = QAccessible.queryAccessibleInterface(one)
                assert not one.isVisible() or interface.text(QAccessible.Text.Name), one.objectName()
        setup.wizard.close()


@pytest.mark.parametrize("ground", ["#202224", "#f0f0f0"])
def test_text_is_legible_when_the_theme_changes_live(
    open_setup: Callable[..., Setup], qapp: QApplication, ground: str, request: pytest.FixtureRequest
) -> None:
    before = QPalette(qapp.palette())
    request.addfinalizer(lambda: qapp.setPalette(before))
    setup = open_setup(Step.KEYS, failure=refused("8050")).known()
    setup.type()
    setup.next()
    qapp.setPalette(QPalette(QColor(ground)))
    for _ in range(4):
        QApplication.processEvents()
    for label in setup.wizard.findChildren(QLabel):
        if label.isVisible() and label.text():
            colour = label.palette().color(QPalette.ColorRole.WindowText)
            assert abs(colour.lightnessF() - QColor(ground).lightnessF()) > 0.25, label.objectName()


def test_high_contrast_uses_only_the_palette(open_setup: Callable[..., Setup], monkeypatch: pytest.MonkeyPatch) -> None:
    for place in ("theme.dark_mode", "theme.colours", "theme.stylesheet", "setup.step_dots"):
        monkeypatch.setattr(f"tray_app.desktop.{place}.is_high_contrast", lambda: True)
    assert open_setup().wizard.styleSheet() == ""


# What is done to the machine


@pytest.fixture
def entries(monkeypatch: pytest.MonkeyPatch) -> MemoryKeyring:
    """A keyring that works."""
    return use_memory_keyring(monkeypatch)


@pytest.fixture
def kiwoom(monkeypatch: pytest.MonkeyPatch) -> Iterator[SandboxKiwoom]:
    with SandboxKiwoom() as sandbox:
        monkeypatch.setenv("KIWOOM_TRAY_BASE_URL", sandbox.base_url)
        yield sandbox


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Those of a computer on which nothing was set up yet."""
    monkeypatch.delenv("KIWOOM_TRAY_DATA_DIR")
    monkeypatch.setattr("tray_app.settings.places.checkout_data_dir", lambda: None)
    return choose_data_dir(load_settings())


SANDBOX_KEYS = AppKeys(Secret(SANDBOX_APP_KEY), Secret(SANDBOX_APP_SECRET))


def environ() -> dict[str, str]:
    import os

    return dict(os.environ)


def written() -> dict[str, Any]:
    import tomllib

    path = Path(settings_file(environ()))
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def kwcli_accounts(**modes: str) -> None:
    for alias, mode in modes.items():
        kwcli.keep_alias(alias, mode)
        store_keys(alias, mode, SANDBOX_KEYS, shared_keyring_client())


def test_checked_keys_are_kept_and_the_token_is_there(
    entries: MemoryKeyring, kiwoom: SandboxKiwoom, settings: Settings
) -> None:
    kept = LocalSetupActions(settings).check_keys("demo", SANDBOX_KEYS)
    assert kept.mode == "demo"
    assert entries.entries["kiwoom-demo", "appkey"] == SANDBOX_APP_KEY
    again = load_settings()
    assert again.mode == "demo"
    assert again.data_dir == settings.data_dir
    token = open_service(again).current()
    assert token is not None
    assert token.expires == kept.expires


def test_refused_keys_are_not_kept(entries: MemoryKeyring, kiwoom: SandboxKiwoom, settings: Settings) -> None:
    kiwoom.set_fault("8001")
    with pytest.raises(KeysRefused):
        LocalSetupActions(settings).check_keys("real", KEYS)
    assert entries.entries == {}


def test_without_a_keyring_kiwoom_is_not_asked(kiwoom: SandboxKiwoom, settings: Settings) -> None:
    with pytest.raises(KeyringUnavailable):
        LocalSetupActions(settings).check_keys("real", SANDBOX_KEYS)
    assert kiwoom.counts()["issue"] == 0
    assert written() == {}


def test_keys_are_found_wherever_they_are_and_none_is_carried_along(
    entries: MemoryKeyring, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    kwcli_accounts(main="real", parents="real", play="demo")
    monkeypatch.setenv("APP_KEY_MOCK", KEY)
    monkeypatch.setenv("APP_SECRET_MOCK", SECRET)
    search = LocalSetupActions(settings).find_keys()
    assert search == KeySearch(
        (FoundKeys("demo", in_environment=True), FoundKeys("real", "main"), FoundKeys("real", "parents")), mode="demo"
    )
    assert SANDBOX_APP_KEY not in repr(search)
    assert written() == {}


def test_search_tells_why_the_keyring_could_not_be_asked(settings: Settings) -> None:
    assert LocalSetupActions(settings).find_keys() == KeySearch((), "missing")


def test_only_account_of_kiwoomcli_is_used_where_it_lies(
    entries: MemoryKeyring, kiwoom: SandboxKiwoom, settings: Settings
) -> None:
    kwcli_accounts(main="real")
    LocalSetupActions(settings).use_keys(FoundKeys("real", "main"))
    assert ("kiwoom-real", "appkey") not in entries.entries
    assert written()["mode"] == "real"
    assert open_service(load_settings()).current() is not None


def test_one_of_several_accounts_becomes_the_default_one(
    entries: MemoryKeyring, kiwoom: SandboxKiwoom, settings: Settings
) -> None:
    kwcli_accounts(main="demo", parents="demo")
    LocalSetupActions(settings).use_keys(FoundKeys("demo", "parents"))
    assert entries.entries["kiwoom-demo", "secretkey"] == SANDBOX_APP_SECRET
    assert open_service(load_settings()).refresh().token is not None


def test_place_is_the_keyring_or_says_why_not(settings: Settings, request: pytest.FixtureRequest) -> None:
    without = LocalSetupActions(settings).storage()
    assert (without.kind, without.problem, Path(without.path).name) == ("file", "missing", ".token")
    request.getfixturevalue("entries")
    assert LocalSetupActions(settings).storage() == StorageInfo("keyring")


def test_place_that_the_environment_fixes(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIWOOM_TRAY_STORE", "memory")
    assert LocalSetupActions(load_settings()).storage() == StorageInfo("memory", store="memory", is_fixed=True)


def test_token_leaves_the_file_that_it_must_not_lie_in(
    entries: MemoryKeyring, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries.broken = RuntimeError("locked")
    actions = LocalSetupActions(settings)
    actions.settle()
    open_service(settings).put(token_for("a-token-of-a-test", 80_000, time.time()))
    assert (Path(settings.data_dir) / ".token").exists()
    entries.broken = None
    actions.set_setting("store", "keyring")
    assert not (Path(settings.data_dir) / ".token").exists()
    moved = open_service(load_settings()).current()
    assert moved is not None
    assert moved.value.reveal() == "a-token-of-a-test"
    assert written()["store"] == "keyring"


def test_a_token_that_the_keyring_cannot_take_stays_in_the_file(entries: MemoryKeyring, settings: Settings) -> None:
    entries.broken = RuntimeError("locked")
    actions = LocalSetupActions(settings)
    actions.settle()
    open_service(settings).put(token_for("a-token-of-a-test", 80_000, time.time()))

    with pytest.raises(KeyringUnavailable):
        actions.set_setting("store", "keyring")

    kept = open_service(load_settings()).current()
    assert kept is not None
    assert kept.value.reveal() == "a-token-of-a-test"
    assert "store" not in written()


def test_language_is_written_with_the_first_thing_that_is_kept(settings: Settings) -> None:
    actions = LocalSetupActions(settings)
    actions.set_setting("language", "ko")
    assert written() == {}, "who only practises leaves nothing behind"
    actions.set_setting("policy", "notify")
    assert written() == {"data_dir": settings.data_dir, "language": "ko", "policy": "notify"}
    actions.set_setting("language", "en")
    assert written()["language"] == "en"


def test_a_profile_that_was_removed_meanwhile_does_not_come_back_without_its_mode(settings: Settings) -> None:
    save_setting("mode", "demo", "swing")
    actions = LocalSetupActions(load_settings("swing"))
    unset_setting("profiles")

    with pytest.raises(SettingsError):
        actions.set_setting("policy", "notify")

    assert "profiles" not in written()


def test_startup_options_are_those_of_the_profile_and_kiwoomcli_counts_only_where_it_is(
    entries: MemoryKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    settings = load_settings("parents")
    actions = LocalSetupActions(settings)
    assert actions.startup_options() == StartupOptions(autostart=False)
    kwcli_accounts(parents="real")
    assert actions.startup_options().share_kwcli is False
    actions.set_setting("share_kwcli", value=True)
    assert written()["profiles"] == {"parents": {"share_kwcli": True}}
    assert actions.startup_options().share_kwcli is True


def test_start_at_login_is_that_of_the_system(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    actions = LocalSetupActions(settings)
    actions.set_autostart(on=True)
    assert actions.startup_options().autostart is True
    actions.set_autostart(on=False)
    assert actions.startup_options().autostart is False

    def cannot_be_asked() -> None:
        raise AutostartFailed("It cannot be asked.")

    monkeypatch.setattr("tray_app.autostart.for_this_system", cannot_be_asked)
    assert actions.startup_options().autostart is None
    assert "autostart" not in written(), "the system knows it, no file"


def test_damaged_accounts_of_kiwoomcli_are_no_accounts(entries: MemoryKeyring, settings: Settings) -> None:
    path = Path(kwcli.settings_path())
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"profiles": 3}))
    assert LocalSetupActions(settings).find_keys() == KeySearch()


@pytest.mark.parametrize("lang", ["en", "ko"])
@pytest.mark.parametrize("code", ["8030", "8050"])
def test_on_a_small_screen_at_300_percent_what_helps_is_in_sight_and_no_word_is_cut(
    open_setup: Callable[..., Setup], monkeypatch: pytest.MonkeyPatch, code: str, lang: str
) -> None:
    class SmallScreen:
        def availableGeometry(self) -> QRect:
            return QRect(0, 0, 426, 258)

    monkeypatch.setattr(SetupWizard, "screen", lambda _: SmallScreen())
    speak(lang)
    setup = open_setup(Step.KEYS, failure=refused(code)).known()
    setup.type()
    setup.next()
    setup.bot.wait(50)
    wizard = setup.wizard
    assert (wizard.width(), wizard.height()) == (426, 218)
    assert wizard.focusWidget() is setup.find("keysRemedy")
    assert setup.find("keysRemedy").property("main") == "true"
    assert setup.find("setupNext").property("main") == "false"
    for name in ("keysRemedy", "setupNext", "setupSkip", "setupBack"):
        button = setup.find(name)
        assert wizard.rect().contains(button.mapTo(wizard, button.rect().bottomRight())), name
        assert button.width() >= button.sizeHint().width(), name
    for area in wizard.findChildren(QScrollArea):
        assert not area.isVisible() or area.horizontalScrollBar().maximum() == 0
    assert not setup.find("keysComplaint").visibleRegion().isEmpty(), "it is scrolled to"


def test_what_helps_goes_once_other_keys_are_typed(open_setup: Callable[..., Setup]) -> None:
    setup = open_setup(Step.KEYS, failure=refused("8030")).known()
    setup.type()
    setup.next()
    assert setup.find("keysRemedy").isVisible()
    setup.find("appKey").setText(KEY + "x")
    assert not setup.find("keysRemedy").isVisible()
    assert setup.find("setupNext").property("main") == "true"
