"""Notices on the desktop: what a bubble offers, what its buttons do, and what is shown where there are none."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from types import ModuleType
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from tests.doubles import START
from tray_app.core.errors import BrokerUnavailable
from tray_app.core.renewal_schedule import Notice, NoticeKind
from tray_app.desktop.notices.backend import OPEN, Bubble, NoNotices
from tray_app.desktop.notices.notifier import Notices
from tray_app.desktop.notices.windows_macos import NativeNotices

ENDING = Notice(NoticeKind.ENDING, START + 600, urgent=True)


class FakeBubbles:
    """The platform; `failure` is raised instead of a bubble."""

    def __init__(self) -> None:
        self.calls: list[Bubble | str] = []
        self.failure: Exception | None = None

    def show(self, bubble: Bubble) -> None:
        self._do(bubble)

    def withdraw(self, owner: str) -> None:
        self._do(owner)

    def _do(self, what: Bubble | str) -> None:
        assert threading.current_thread() is not threading.main_thread(), "it may wait"
        self.calls.append(what)
        if self.failure is not None:
            raise self.failure


class Desk:
    """Notices, and what came of them."""

    def __init__(self, qtbot: QtBot, bubbles: Any) -> None:
        self.qtbot = qtbot
        self.balloons: list[tuple[str, str, bool]] = []
        self.done: list[object] = []
        self.notices = Notices(lambda *words: self.balloons.append(words), bubbles=bubbles)
        self.notices.clicked.connect(lambda profile: self.done.append(("open", profile)))
        self.notices.refresh_requested.connect(lambda profile: self.done.append(("refresh", profile)))
        self.notices.snooze_requested.connect(lambda seconds: self.done.append(("snooze", seconds)))

    def wait(self, condition: Callable[[], object]) -> None:
        self.qtbot.waitUntil(lambda: bool(condition()), timeout=10_000)


@pytest.fixture
def bubbles() -> FakeBubbles:
    return FakeBubbles()


@pytest.fixture
def desk(qtbot: QtBot, bubbles: FakeBubbles) -> Desk:
    return Desk(qtbot, bubbles)


def shown(desk: Desk, bubbles: FakeBubbles, notice: Notice, **options: Any) -> Bubble:
    before = len(bubbles.calls)
    desk.notices.show(notice, "main", START, **options)
    desk.wait(lambda: len(bubbles.calls) > before)
    bubble = bubbles.calls[-1]
    assert isinstance(bubble, Bubble)
    return bubble


def test_warning_offers_to_refresh_and_to_snooze(desk: Desk, bubbles: FakeBubbles) -> None:
    bubble = shown(desk, bubbles, ENDING)
    assert (bubble.owner, bubble.title, bubble.urgent) == ("main", "The Kiwoom token ends in 10 min", True)
    assert [label for _, label in bubble.buttons] == ["Refresh", "Snooze 30 min", "1 h", "8 h"]


@pytest.mark.parametrize("kind", list(NoticeKind))
def test_what_needs_no_hand_has_no_buttons(kind: NoticeKind, desk: Desk, bubbles: FakeBubbles) -> None:
    bubble = shown(desk, bubbles, Notice(kind, START + 60, BrokerUnavailable("Down.")))
    needs_one = {NoticeKind.ENDING, NoticeKind.ENDED, NoticeKind.FAILED, NoticeKind.STOPPED}
    assert bool(bubble.buttons) is (kind in needs_one)
    assert bubble.fleeting is (kind is NoticeKind.RECOVERED)


def test_profile_is_named_where_there_are_several(desk: Desk, bubbles: FakeBubbles) -> None:
    assert shown(desk, bubbles, ENDING, named=True).title == "The Kiwoom token ends in 10 min - main"


def test_presses_come_back_on_the_gui_thread(desk: Desk, bubbles: FakeBubbles) -> None:
    keys = [OPEN, *(key for key, _ in shown(desk, bubbles, ENDING).buttons)]
    presser = threading.Thread(target=lambda: [desk.notices._press("main", key) for key in [*keys, "unheard-of"]])
    presser.start()
    presser.join()
    assert desk.done == [], "nothing happens on the other thread"
    desk.wait(lambda: len(desk.done) == 5)
    assert desk.done == [("open", "main"), ("refresh", "main"), ("snooze", 1800), ("snooze", 3600), ("snooze", 28800)]


def test_a_bubble_that_fails_becomes_a_balloon_and_the_next_is_tried_again(
    desk: Desk, bubbles: FakeBubbles, caplog: pytest.LogCaptureFixture
) -> None:
    bubbles.failure = OSError("no bus")
    for number in (1, 2):
        desk.notices.show(ENDING, "main", START)
        desk.wait(lambda number=number: len(desk.balloons) == number)
    assert desk.balloons[0][0] == "The Kiwoom token ends in 10 min"
    assert len(caplog.records) == 1, "said once"
    bubbles.failure = None
    shown(desk, bubbles, ENDING)
    assert len(desk.balloons) == 2


def test_where_there_will_never_be_bubbles_nobody_asks_for_them_again(
    desk: Desk, bubbles: FakeBubbles, caplog: pytest.LogCaptureFixture
) -> None:
    bubbles.failure = NoNotices("OSError")
    for number in (1, 2, 3):
        desk.notices.show(ENDING, "main", START)
        desk.notices.withdraw("main")
        desk.wait(lambda number=number: len(desk.balloons) == number)
    assert len([call for call in bubbles.calls if isinstance(call, Bubble)]) == 1
    assert len(caplog.records) == 1


def test_what_is_over_is_taken_away(desk: Desk, bubbles: FakeBubbles) -> None:
    shown(desk, bubbles, ENDING)
    desk.notices.withdraw("main")
    desk.wait(lambda: bubbles.calls[-1] == "main")


def test_at_the_end_of_the_program_all_are_taken_away(desk: Desk, bubbles: FakeBubbles) -> None:
    desk.notices.show(ENDING, "main", START)
    desk.notices.show(ENDING, "second", START)
    desk.notices.show(ENDING, "third", START)
    desk.notices.withdraw("third")
    desk.notices.close()
    assert sorted(call for call in bubbles.calls if isinstance(call, str)) == ["main", "second", "third"]


def test_a_platform_that_hangs_does_not_hold_up_the_end(qtbot: QtBot) -> None:
    hangs = threading.Event()

    class Hanging(FakeBubbles):
        def show(self, bubble: Bubble) -> None:
            hangs.wait(60)

    desk = Desk(qtbot, Hanging())
    desk.notices.show(ENDING, "main", START)
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
class Notification:
    title: str
    message: str
    urgency: Urgency = Urgency.Normal
    buttons: tuple[Button, ...] = ()
    on_dispatched: Callable[[], Any] | None = None
    identifier: str = ""


@dataclass
class Platform:
    """What the operating system does with the library's calls."""

    capabilities: frozenset[Capability] = frozenset(Capability)
    authorised: bool = True
    unmakeable: Exception | None = None
    fails: bool = False
    screen: dict[str, Notification] = field(default_factory=dict)
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

        async def send_notification(self, notification: Notification) -> str:
            made.threads.add(threading.current_thread().name)
            if not made.fails:
                made.screen[notification.identifier] = notification
                if notification.on_dispatched:
                    notification.on_dispatched()
            return notification.identifier

        async def clear(self, identifier: str) -> None:
            made.screen.pop(identifier, None)

    module = ModuleType("desktop_notifier")
    for one in (Button, Capability, DesktopNotifier, Icon, Notification, Urgency):
        setattr(module, one.__name__, one)
    monkeypatch.setitem(sys.modules, "desktop_notifier", module)
    monkeypatch.setattr(sys, "platform", "darwin")
    return made


@pytest.fixture
def native(platform: Platform) -> Iterator[NativeNotices]:
    pressed: list[tuple[str, str]] = []
    made = NativeNotices("AnId", "A name", "/icon.png", lambda *what: pressed.append(what))
    made.pressed = pressed  # type: ignore[attr-defined]
    yield made
    loop = made._loop
    if loop is not None:
        loop.call_soon_threadsafe(loop.stop)
        for thread in threading.enumerate():
            if thread.name == "notices":
                thread.join()
        loop.close()


def bubble(owner: str = "main", title: str = "Title", **options: Any) -> Bubble:
    return Bubble(owner, title, "Body", "Open", (("refresh", "Refresh"),), **options)


class TestNative:
    def test_shows_a_notice_with_its_buttons(self, native: NativeNotices, platform: Platform) -> None:
        native.show(bubble(urgent=True))
        ((notification,)) = platform.screen.values()
        assert (notification.title, notification.message, notification.urgency) == ("Title", "Body", Urgency.Critical)
        assert [(one.identifier, one.title) for one in notification.buttons] == [("refresh", "Refresh")]
        assert platform.threads == {"notices"}

    def test_puts_one_in_the_place_of_the_other_for_each_owner(self, native: NativeNotices, platform: Platform) -> None:
        for title in ("one", "two", "three"):
            native.show(bubble("main", title))
        native.show(bubble("a-second-one-with-a-very-" + "long" * 20))
        assert [one.title for one in platform.screen.values()] == ["three", "Title"]
        assert all(len(tag) <= 64 for tag in platform.screen)
        assert len(platform.notifiers) == 1

    def test_takes_one_away(self, native: NativeNotices, platform: Platform) -> None:
        native.withdraw("main")
        native.show(bubble("main"))
        native.show(bubble("second"))
        native.withdraw("main")
        assert len(platform.screen) == 1

    def test_tells_what_was_pressed_and_where(self, native: NativeNotices, platform: Platform) -> None:
        native.show(bubble("main"))
        native.show(bubble("second"))
        first, second = platform.screen
        notifier = platform.notifiers[0]
        notifier.on_clicked(first)
        notifier.on_button_pressed(second, "refresh")
        notifier.on_clicked("of another program's making")
        assert native.pressed == [("main", OPEN), ("second", "refresh")]  # type: ignore[attr-defined]

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
        self, trouble: dict[str, Any], native: NativeNotices, platform: Platform
    ) -> None:
        for name, value in trouble.items():
            setattr(platform, name, value)
        with pytest.raises(NoNotices):
            native.show(bubble())

    def test_without_the_library_there_are_none(self, native: NativeNotices, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "desktop_notifier", None)
        with pytest.raises(NoNotices, match="ModuleNotFoundError"):
            native.show(bubble())

    def test_balloons_stand_in_for_it(self, qtbot: QtBot, native: NativeNotices, platform: Platform) -> None:
        platform.unmakeable = OSError("Not implemented.")
        desk = Desk(qtbot, native)
        desk.notices.show(ENDING, "main", START)
        desk.wait(lambda: desk.balloons)
        assert desk.notices._bubbles is None
