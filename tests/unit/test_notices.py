"""Notices on the desktop: what a notification offers, what its buttons do, and what is shown where there are none."""

from __future__ import annotations

import sys
import threading
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from enum import Enum
from types import ModuleType
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from tests.doubles import START
from tray_app.core import language
from tray_app.core.errors import (
    BrokerUnavailable,
    KeysMissing,
    KeysRefused,
    KiwoomTokenError,
    RateLimited,
    Remedy,
    RequestRefused,
    StoreError,
)
from tray_app.core.notices import Notice, NoticeKind
from tray_app.core.remedies import remedy_for
from tray_app.core.state import LastResult, Result, TokenState
from tray_app.desktop.notices.backend import OPEN, Notification, NotificationsUnavailable
from tray_app.desktop.notices.notifier import Notifier
from tray_app.desktop.notices.toast_activator import Buttons
from tray_app.desktop.notices.windows_macos import NativeBackend

ENDING = Notice(NoticeKind.EXPIRING, START + 600, urgent=True)
MAIN = TokenState("main", "real", expires=START + 600)
TITLE = "Kiwoom token expires at 23:23"


class FakeBackend:
    """The platform; `failure` is raised instead of a notification."""

    def __init__(self) -> None:
        self.calls: list[Notification | str] = []
        self.failure: Exception | None = None

    def show(self, notification: Notification) -> None:
        self._call(notification)

    def withdraw(self, owner: str) -> None:
        self._call(owner)

    def _call(self, what: Notification | str) -> None:
        assert threading.current_thread() is not threading.main_thread(), "it may wait"
        self.calls.append(what)
        if self.failure is not None:
            raise self.failure


class Center:
    """A notifier, and what came of them."""

    def __init__(self, qtbot: QtBot, backend: Any) -> None:
        self.qtbot = qtbot
        self.balloons: list[tuple[str, str, bool]] = []
        self.done: list[object] = []
        self.notices = Notifier(lambda *words: self.balloons.append(words), backend=backend)
        self.notices.clicked.connect(lambda profile: self.done.append(("open", profile)))
        self.notices.remedy_requested.connect(lambda profile, remedy: self.done.append((remedy, profile)))
        self.notices.snooze_requested.connect(lambda seconds: self.done.append(("snooze", seconds)))

    def wait(self, condition: Callable[[], object]) -> None:
        self.qtbot.waitUntil(lambda: bool(condition()), timeout=10_000)


@pytest.fixture
def backend() -> FakeBackend:
    return FakeBackend()


@pytest.fixture
def desk(qtbot: QtBot, backend: FakeBackend) -> Center:
    return Center(qtbot, backend)


def shown(desk: Center, backend: FakeBackend, notice: Notice, **options: Any) -> Notification:
    before = len(backend.calls)
    desk.notices.show(notice, MAIN, START, **options)
    desk.wait(lambda: len(backend.calls) > before)
    notification = backend.calls[-1]
    assert isinstance(notification, Notification)
    return notification


def test_warning_offers_to_reissue_and_to_snooze(desk: Center, backend: FakeBackend) -> None:
    notification = shown(desk, backend, ENDING)
    assert (notification.owner, notification.title, notification.urgent) == (
        "main",
        f"[Real] {TITLE}",
        True,
    )
    assert [label for _, label in notification.buttons] == ["Reissue now…", "Remind me later"]


@pytest.mark.parametrize(
    ("error", "helps"),
    [
        (BrokerUnavailable("Down."), "Try again"),
        (RequestRefused("Refused.", code="8200"), "Try again"),
        (KeysRefused("Refused.", code="8001", remedy=Remedy.ENTER_KEYS), "Enter the app key…"),
    ],
)
def test_a_warning_while_kiwoom_gives_no_token_does_not_offer_to_revoke_the_one_that_works(
    error: KiwoomTokenError, helps: str, desk: Center, backend: FakeBackend
) -> None:
    state = replace(MAIN, last=LastResult(Result.FAILED, START, error))
    notice = Notice(NoticeKind.EXPIRING, START + 300, error)

    notification = shown(desk, backend, notice, remedy=remedy_for(state, START))

    assert [label for _, label in notification.buttons] == [helps, "Remind me later"]


@pytest.mark.parametrize("kind", list(NoticeKind))
def test_what_needs_no_hand_has_no_buttons(kind: NoticeKind, desk: Center, backend: FakeBackend) -> None:
    notification = shown(desk, backend, Notice(kind, START + 60, BrokerUnavailable("Down.")))
    needs_one = set(NoticeKind) - {NoticeKind.RECOVERED, NoticeKind.NOT_ROTATED, NoticeKind.DIED}
    assert bool(notification.buttons) is (kind in needs_one)
    assert notification.transient is (kind is NoticeKind.RECOVERED)


@pytest.mark.parametrize(("lang", "profile", "columns"), [("en", "swing-2", 46), ("ko", "단타-2", 58)])
def test_no_title_is_so_long_that_a_desktop_cuts_it(
    lang: str, profile: str, columns: int, desk: Center, backend: FakeBackend
) -> None:
    """xfce4-notifyd gives it 378 pixels, which are so many columns of the language's letters."""
    remedies = {value for name, value in vars(Remedy).items() if name.isupper()}
    if sys.platform == "win32":
        remedies.remove(Remedy.UNLOCK_KEYRING)  # its vault is never locked
    errors = [KeysMissing("None."), *(StoreError("That fails.", code="8050", remedy=one) for one in sorted(remedies))]
    notices = [Notice(kind, START + 86400, error) for kind in NoticeKind for error in errors]
    language.use(lang)
    for notice in notices:
        desk.notices.show(notice, replace(MAIN, profile=profile), START, named=True)
    desk.notices.show_settings_problem("Line 3.")
    desk.wait(lambda: len(backend.calls) > len(notices))
    titles = {call.title for call in backend.calls if isinstance(call, Notification)}
    assert [title for title in titles if _columns(title) > columns] == []


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def test_settings_that_cannot_be_used_offer_their_file(desk: Center, backend: FakeBackend) -> None:
    desk.notices.show_settings_problem("settings.toml, line 3: no.")
    desk.wait(lambda: backend.calls)
    notification = backend.calls[-1]
    assert isinstance(notification, Notification)
    assert (notification.title, notification.body) == ("Check the settings file", "settings.toml, line 3: no.")
    assert notification.buttons == ((Remedy.FIX_SETTINGS, "Open the settings file"),)
    assert notification.urgent
    assert not notification.transient


def test_limit_of_requests_says_when_it_is_tried_again_and_offers_no_attempt_before(
    desk: Center, backend: FakeBackend
) -> None:
    error = RateLimited("The limit is reached. Try again later.", code="1700")
    waiting = replace(MAIN, expires=None, last=LastResult(Result.FAILED, START, error), renew_at=START + 120)
    desk.notices.show(Notice(NoticeKind.FAILED, error=error), waiting, START, remedy_for(waiting, START))
    desk.wait(lambda: backend.calls)
    notification = backend.calls[-1]
    assert isinstance(notification, Notification)
    assert "Trying again at" in notification.body
    assert [label for _, label in notification.buttons] == ["Remind me later"]


def test_a_token_that_cannot_be_stored_offers_another_folder_first(desk: Center, backend: FakeBackend) -> None:
    failure = StoreError("Nothing can be written there.", remedy=Remedy.CHOOSE_FOLDER)
    notification = shown(desk, backend, Notice(NoticeKind.NOT_STORED, START + 600, failure))
    assert notification.title == "[Real] Token could not be stored"
    assert notification.buttons[0] == (Remedy.CHOOSE_FOLDER, "Choose a folder…")


def test_missing_keys_are_told_without_the_command_because_the_button_enters_them(
    desk: Center, backend: FakeBackend
) -> None:
    error = KeysMissing("There are none. Enter them with: {command}", mode="real trading", command="kiwoom-token login")
    notification = shown(desk, backend, Notice(NoticeKind.STOPPED, error=error), remedy=Remedy.ENTER_KEYS)
    assert notification.body == "No app key for real trading yet. There is no valid token."
    assert notification.buttons[0] == (Remedy.ENTER_KEYS, "Enter the app key…")


def test_answer_about_a_failure_offers_what_helps(desk: Center, backend: FakeBackend) -> None:
    desk.notices.answer(MAIN, "Kiwoom does not answer.", Remedy.RETRY)
    desk.notices.answer(MAIN, "It was copied.")
    desk.wait(lambda: len(backend.calls) == 2)
    buttons = [one.buttons for one in backend.calls if isinstance(one, Notification)]
    assert buttons == [((Remedy.RETRY, "Try again"),), ()]


def test_profile_is_named_where_there_are_several(desk: Center, backend: FakeBackend) -> None:
    assert shown(desk, backend, ENDING, named=True).title == f"[main · Real] {TITLE}"


def others(count: int) -> list[TokenState]:
    return [TokenState(f"acct-{number}", "demo") for number in range(count)]


def stopped_by(error: KiwoomTokenError) -> Notice:
    return Notice(NoticeKind.STOPPED, error=error, urgent=True)


MISSING = KeysMissing("No app key is stored.", remedy=Remedy.ENTER_KEYS)


def test_accounts_with_one_cause_share_one_notice_that_names_some_of_them(desk: Center, backend: FakeBackend) -> None:
    for after, state in enumerate(others(11)):
        desk.notices.show(stopped_by(MISSING), state, START + after, Remedy.ENTER_KEYS, named=True)
    desk.wait(lambda: len(backend.calls) == 11)

    last = backend.calls[-1]
    assert isinstance(last, Notification)
    assert {one.owner for one in backend.calls if isinstance(one, Notification)} == {"acct-0"}
    assert last.title == "[11 accounts] Enter the Kiwoom app key"
    assert last.body == "acct-0 · Mock, acct-1 · Mock, acct-2 · Mock and 8 more\nNo app key is stored."
    assert last.buttons[0][0] == Remedy.ENTER_KEYS


@pytest.mark.parametrize(
    ("error", "after"), [(KeysRefused("Refused.", remedy=Remedy.ENTER_KEYS), 1.0), (MISSING, 3600.0)]
)
def test_another_cause_and_another_time_have_a_notice_of_their_own(
    desk: Center, backend: FakeBackend, error: KiwoomTokenError, after: float
) -> None:
    one, other = others(2)
    desk.notices.show(stopped_by(MISSING), one, START, named=True)
    desk.notices.show(stopped_by(error), other, START + after, named=True)
    desk.wait(lambda: len(backend.calls) == 2)

    assert [one.owner for one in backend.calls if isinstance(one, Notification)] == ["acct-0", "acct-1"]


def test_a_shared_notice_goes_once_it_holds_for_none_of_them(desk: Center, backend: FakeBackend) -> None:
    one, other = others(2)
    for state in (one, other):
        desk.notices.show(stopped_by(MISSING), state, START, named=True)
    desk.notices.withdraw(one.profile)
    desk.notices.withdraw(other.profile)
    desk.wait(lambda: backend.calls[-1:] == ["acct-0"])

    assert [call for call in backend.calls if isinstance(call, str)] == ["acct-0"]


def test_a_shared_notice_makes_way_for_what_its_button_opens(desk: Center, backend: FakeBackend) -> None:
    one, other = others(2)
    for state in (one, other):
        desk.notices.show(stopped_by(MISSING), state, START, named=True)
    desk.notices.make_way(other.profile)
    desk.wait(lambda: backend.calls[-1:] == ["acct-0"])


def test_a_shared_notice_goes_when_the_last_account_has_something_else_to_tell(
    desk: Center, backend: FakeBackend
) -> None:
    one, other = others(2)
    for state in (one, other):
        desk.notices.show(stopped_by(MISSING), state, START, named=True)
    desk.notices.withdraw(one.profile)
    desk.notices.answer(other, "Saved.", named=True)
    desk.wait(lambda: len(backend.calls) == 4)

    assert backend.calls[2] == "acct-0"


def test_what_else_is_told_about_the_first_account_leaves_the_group(desk: Center, backend: FakeBackend) -> None:
    one, other, third = others(3)
    for state in (one, other):
        desk.notices.show(stopped_by(MISSING), state, START, named=True)
    desk.notices.answer(one, "Saved.", named=True)
    desk.notices.show(stopped_by(MISSING), third, START + 1, named=True)
    desk.wait(lambda: len(backend.calls) == 4)

    last = backend.calls[-1]
    assert isinstance(last, Notification)
    assert last.owner == third.profile


def test_presses_come_back_on_the_gui_thread(desk: Center, backend: FakeBackend) -> None:
    keys = [OPEN, *(key for key, _ in shown(desk, backend, ENDING).buttons)]
    presser = threading.Thread(target=lambda: [desk.notices._press("main", key) for key in [*keys, "unheard-of"]])
    presser.start()
    presser.join()
    assert desk.done == [], "nothing happens on the other thread"
    desk.wait(lambda: len(desk.done) == 3)
    assert desk.done == [("open", "main"), (Remedy.ROTATE, "main"), ("snooze", 1800)]


def test_a_bubble_that_fails_becomes_a_balloon_and_the_next_is_tried_again(
    desk: Center, backend: FakeBackend, caplog: pytest.LogCaptureFixture
) -> None:
    backend.failure = OSError("no bus")
    for number in (1, 2):
        desk.notices.show(ENDING, MAIN, START)
        desk.wait(lambda number=number: len(desk.balloons) == number)  # type: ignore[misc]
    assert desk.balloons[0][0] == f"[Real] {TITLE}"
    assert len(caplog.records) == 1, "said once"
    backend.failure = None
    shown(desk, backend, ENDING)
    assert len(desk.balloons) == 2


def test_where_there_will_never_be_bubbles_nobody_asks_for_them_again(
    desk: Center, backend: FakeBackend, caplog: pytest.LogCaptureFixture
) -> None:
    backend.failure = NotificationsUnavailable("OSError")
    for number in (1, 2, 3):
        desk.notices.show(ENDING, MAIN, START)
        desk.notices.withdraw("main")
        desk.wait(lambda number=number: len(desk.balloons) == number)  # type: ignore[misc]
    assert len([call for call in backend.calls if isinstance(call, Notification)]) == 1
    assert len(caplog.records) == 1


def test_what_is_over_is_taken_away(desk: Center, backend: FakeBackend) -> None:
    shown(desk, backend, ENDING)
    desk.notices.withdraw("main")
    desk.wait(lambda: backend.calls[-1:] == ["main"])


def test_at_the_end_of_the_program_all_are_taken_away(desk: Center, backend: FakeBackend) -> None:
    desk.notices.show(ENDING, MAIN, START)
    desk.notices.show(ENDING, replace(MAIN, profile="second"), START)
    desk.notices.show(ENDING, replace(MAIN, profile="third"), START)
    desk.notices.withdraw("third")
    desk.notices.close()
    assert sorted(call for call in backend.calls if isinstance(call, str)) == ["main", "second", "third"]


def test_a_platform_that_hangs_does_not_hold_up_the_end(qtbot: QtBot) -> None:
    hangs = threading.Event()

    class Hanging(FakeBackend):
        def show(self, notification: Notification) -> None:
            hangs.wait(60)

    desk = Center(qtbot, Hanging())
    desk.notices.show(ENDING, MAIN, START)
    desk.notices.close()
    assert not hangs.is_set()
    hangs.set()


# Windows and macOS


class Urgency(Enum):
    Critical = "critical"
    Normal = "normal"


class Capability(Enum):
    TITLE = 1
    BUTTONS = 2


@dataclass(frozen=True)
class Icon:
    path: Any


@dataclass(frozen=True)
class Button:
    title: str
    on_pressed: Callable[[], Any] | None = None
    identifier: str = ""


@dataclass(frozen=True)
class Sound:
    name: str | None = None


@dataclass(frozen=True)
class NativeNotification:
    title: str
    message: str
    urgency: Urgency = Urgency.Normal
    buttons: tuple[Button, ...] = ()
    on_dispatched: Callable[[], Any] | None = None
    identifier: str = ""
    sound: Sound | None = None


@dataclass
class Platform:
    """What the operating system does with the library's calls."""

    capabilities: frozenset[Capability] = frozenset(Capability)
    authorised: bool = True
    unmakeable: Exception | None = None
    fails: bool = False
    screen: dict[str, NativeNotification] = field(default_factory=dict)
    notifiers: list[Any] = field(default_factory=list)
    threads: set[str] = field(default_factory=set)


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> Platform:
    """`desktop_notifier` as far as it is used: like it, sending never raises, and only success is dispatched."""
    made = Platform()

    class DesktopNotifier:
        def __init__(self, app_name: str, app_icon: Icon) -> None:
            if made.unmakeable is not None:
                raise made.unmakeable
            self.on_clicked: Callable[[str], Any] | None = None
            self.on_button_pressed: Callable[[str, str], Any] | None = None
            made.notifiers.append(self)

        async def get_capabilities(self) -> frozenset[Capability]:
            return made.capabilities

        async def request_authorisation(self) -> bool:
            return made.authorised

        async def send_notification(self, notification: NativeNotification) -> str:
            made.threads.add(threading.current_thread().name)
            if not made.fails:
                made.screen[notification.identifier] = notification
                if notification.on_dispatched:
                    notification.on_dispatched()
            return notification.identifier

        async def clear(self, identifier: str) -> None:
            made.screen.pop(identifier, None)

    module = ModuleType("desktop_notifier")
    for one in (Button, Capability, DesktopNotifier, Icon, Sound, Urgency):
        setattr(module, one.__name__, one)
    vars(module)["Notification"] = NativeNotification
    monkeypatch.setitem(sys.modules, "desktop_notifier", module)
    monkeypatch.setattr(sys, "platform", "darwin")
    return made


@pytest.fixture
def native(platform: Platform, request: pytest.FixtureRequest) -> Iterator[NativeBackend]:
    """`request.param` names the buttons, as on Windows."""
    pressed: list[tuple[str, str]] = []
    buttons = getattr(request, "param", None)
    made = NativeBackend("AnId", "A name", "/icon.png", lambda *what: pressed.append(what), buttons)
    made.pressed, made.buttons = pressed, buttons  # type: ignore[attr-defined]
    yield made
    loop = made._loop
    if loop is not None:
        loop.call_soon_threadsafe(loop.stop)
        for thread in threading.enumerate():
            if thread.name == "notices":
                thread.join()
        loop.close()


def notification(owner: str = "main", title: str = "Title", **options: Any) -> Notification:
    return Notification(owner, title, "Body", "Open", (("refresh", "Refresh"),), **options)


class TestNative:
    def test_shows_a_notice_with_its_buttons(self, native: NativeBackend, platform: Platform) -> None:
        native.show(notification(urgent=True))
        ((shown,)) = platform.screen.values()
        assert (shown.title, shown.message, shown.urgency) == ("Title", "Body", Urgency.Critical)
        assert [(one.identifier, one.title) for one in shown.buttons] == [("refresh", "Refresh")]
        assert platform.threads == {"notices"}

    def test_only_what_is_urgent_makes_a_sound(self, native: NativeBackend, platform: Platform) -> None:
        for urgent in (True, False):
            native.show(notification(urgent=urgent))
            ((shown,)) = platform.screen.values()
            assert (shown.sound is not None) is urgent

    def test_puts_one_in_the_place_of_the_other_for_each_owner(self, native: NativeBackend, platform: Platform) -> None:
        for title in ("one", "two", "three"):
            native.show(notification("main", title))
        native.show(notification("a-second-one-with-a-very-" + "long" * 20))
        assert [one.title for one in platform.screen.values()] == ["three", "Title"]
        assert all(len(tag) <= 64 for tag in platform.screen)
        assert len(platform.notifiers) == 1

    def test_takes_one_away(self, native: NativeBackend, platform: Platform) -> None:
        native.withdraw("main")
        native.show(notification("main"))
        native.show(notification("second"))
        native.withdraw("main")
        assert len(platform.screen) == 1

    def test_tells_what_was_pressed_and_where(self, native: NativeBackend, platform: Platform) -> None:
        native.show(notification("main"))
        native.show(notification("second"))
        first, second = platform.screen
        notifier = platform.notifiers[0]
        notifier.on_clicked(first)
        notifier.on_button_pressed(second, "refresh")
        notifier.on_clicked("of another program's making")
        assert native.pressed == [("main", OPEN), ("second", "refresh")]  # type: ignore[attr-defined]

    @pytest.mark.parametrize("native", [Buttons()], indirect=True)
    def test_one_press_is_answered_once_whoever_reports_it(self, native: NativeBackend, platform: Platform) -> None:
        for owner in ("main", "second"):
            native.show(notification(owner))
        (first, shown), (second, other) = platform.screen.items()
        name, other_name = shown.buttons[0].identifier, other.buttons[0].identifier
        notifier = platform.notifiers[0]
        assert native.buttons.press(name), "first by the class"  # type: ignore[attr-defined]
        notifier.on_button_pressed(first, name)
        notifier.on_button_pressed(second, other_name)
        assert native.buttons.press(other_name), "first by the handler"  # type: ignore[attr-defined]
        assert native.pressed == [("main", "refresh"), ("second", "refresh")]  # type: ignore[attr-defined]

    @pytest.mark.parametrize(
        "trouble",
        [
            {"unmakeable": OSError("Not implemented.")},
            {"capabilities": frozenset()},
            {"authorised": False},
            {"fails": True},
        ],
        ids=lambda trouble: next(iter(trouble)),
    )
    def test_knows_where_it_will_never_show_one(
        self, trouble: dict[str, Any], native: NativeBackend, platform: Platform
    ) -> None:
        for name, value in trouble.items():
            setattr(platform, name, value)
        with pytest.raises(NotificationsUnavailable):
            native.show(notification())

    def test_without_the_library_there_are_none(self, native: NativeBackend, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "desktop_notifier", None)
        with pytest.raises(NotificationsUnavailable, match="ModuleNotFoundError"):
            native.show(notification())

    def test_balloons_stand_in_for_it(self, qtbot: QtBot, native: NativeBackend, platform: Platform) -> None:
        platform.unmakeable = OSError("Not implemented.")
        desk = Center(qtbot, native)
        desk.notices.show(ENDING, MAIN, START)
        desk.wait(lambda: desk.balloons)
        platform.unmakeable = None
        desk.notices.show(ENDING, MAIN, START)
        desk.wait(lambda: len(desk.balloons) == 2)
        assert platform.screen == {}
