"""The monitor: a supervisor across two threads, driven by a timer and by changed files."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt, QTimer
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from tests.doubles import KEYS, START, Clock
from tests.services import DAY, FakeService
from tray_app.core.errors import BrokerUnavailable, KeysRefused, StoreError
from tray_app.core.notices import Notice, NoticeKind
from tray_app.core.state import Action, LastResult, Result, TokenState
from tray_app.core.token import Token, token_for
from tray_app.desktop.file_watch import FileWatch
from tray_app.desktop.monitor import Monitor
from tray_app.service.outcome import Outcome
from tray_app.settings.load import Settings, load_settings


class Watched:
    """A monitor, and what it told."""

    def __init__(self, qtbot: QtBot, clock: Clock, service: FakeService, settings: Settings) -> None:
        self.qtbot = qtbot
        self.clock = clock
        self.service = service
        self.states: list[TokenState] = []
        self.notices: list[Notice] = []
        self.opened: list[str] = []
        self.kept: list[str] = []
        self.keys_failure: Exception | None = None
        self.settings = settings
        self.monitor = Monitor(settings, self._open, self._keep, lambda: None, clock=clock)
        self.opened.clear()
        self.monitor.changed.connect(self.states.append)
        self.monitor.notice.connect(self.notices.append)

    def start(self) -> TokenState:
        self.monitor.start()
        return self.settled()

    def settled(self) -> TokenState:
        """Wait until nothing is under way any more."""
        self.wait(lambda: self.monitor.is_idle)
        return self.state

    def wait(self, condition: Callable[[], object]) -> None:
        self.qtbot.waitUntil(lambda: bool(condition()), timeout=10_000)

    @property
    def state(self) -> TokenState:
        return self.monitor.state

    def pause(self) -> float:
        """Return the seconds until the monitor's timer fires."""
        (timer,) = self.monitor.findChildren(QTimer, options=Qt.FindChildOption.FindDirectChildrenOnly)
        assert timer.isActive()
        return timer.interval() / 1000

    def advance(self, seconds: float) -> None:
        """Let time pass, and the timer fire."""
        self.clock.advance(seconds)
        self.monitor.tick()

    def _open(self, settings: Settings) -> Any:
        self.opened.append(settings.mode)
        return self.service

    def _keep(self, settings: Settings, keys: object) -> Outcome:
        assert keys is KEYS
        self.kept.append(settings.mode)
        if self.keys_failure is not None:
            raise self.keys_failure
        return self.service.ask("keep")


@pytest.fixture
def service(clock: Clock, tmp_path: Path) -> FakeService:
    return FakeService(clock, tmp_path)


@pytest.fixture
def make(qtbot: QtBot, clock: Clock, service: FakeService) -> Iterator[Callable[..., Watched]]:
    made: list[Watched] = []

    def watched(**chosen: Any) -> Watched:
        made.append(Watched(qtbot, clock, service, load_settings(**chosen)))
        return made[-1]

    yield watched
    service.gate.set()
    for one in made:
        one.wait(lambda one=one: one.monitor.is_idle or one.state.busy is Action.READ)  # type: ignore[misc]
        if isValid(one.monitor):
            one.monitor.end()


def test_start_without_a_token_gets_one_under_auto(make: Callable[..., Watched]) -> None:
    watched = make()
    watched.monitor.start()
    watched.wait(lambda: watched.state.expires is not None)
    state = watched.settled()
    assert watched.service.calls == ["renew"]
    assert state.last is not None
    assert state.last.result is Result.ISSUED
    assert state.renew_at == pytest.approx(START + DAY - 600, abs=0.001)


def test_many_events_at_once_are_one_read_and_none_is_put_off(
    make: Callable[..., Watched], service: FakeService
) -> None:
    service.hold(token_for("a-token", DAY, START))
    watched = make(verify="off")
    watched.start()
    watched.qtbot.wait(100)  # the folder that the first read made is told, too
    watched.settled()
    asked = service.store.asked
    files = watched.monitor.findChild(FileWatch)
    assert files is not None
    for _ in range(50):
        files.settle()
    watched.wait(lambda: service.store.asked == asked + 1)
    watched.settled()
    assert service.store.asked == asked + 1


def made(folder: Path) -> bool:
    """Make a folder; on Windows a removed one keeps its name until nobody watches it any more."""
    try:
        folder.mkdir()
    except OSError:
        assert sys.platform == "win32"
        return False
    return True


def test_change_of_the_file_is_seen_by_itself(make: Callable[..., Watched], service: FakeService) -> None:
    watched = make(policy="notify")
    watched.start()
    service.hold(token_for("a-token", DAY, START))
    service.store.path.write_text("changed")
    watched.wait(lambda: watched.state.expires is not None)
    service.hold(None)
    service.store.path.unlink()
    watched.wait(lambda: watched.state.expires is None)
    service.store.path.parent.rmdir()
    watched.settled()
    watched.wait(lambda: made(service.store.path.parent))
    service.hold(token_for("another-token", DAY, START))
    service.store.path.write_text("changed again")
    watched.wait(lambda: watched.state.expires is not None)


@pytest.mark.parametrize("situation", ["none", "long", "ended", "refused", "silent", "same", "unreadable", "cleared"])
@pytest.mark.parametrize("policy", ["auto", "notify"])
def test_timer_never_turns_in_circles(
    make: Callable[..., Watched], service: FakeService, clock: Clock, policy: str, situation: str
) -> None:
    if situation in {"long", "cleared"}:
        service.hold(token_for("a-token", DAY, START))
    elif situation in {"ended", "same"}:
        service.hold(token_for("a-token", 100, START - (200 if situation == "ended" else 90)))
    if situation == "same":
        assert service.token is not None
        service.answer = Outcome(service.token, Outcome.SAME)
    if situation == "refused":
        service.failure = KeysRefused("Refused.", code="8050")
    if situation == "silent":
        service.failure = BrokerUnavailable("Silent.")
    if situation == "unreadable":
        service.unreadable = StoreError("Unreadable.")
    watched = make(policy=policy)
    watched.start()
    if situation == "cleared":
        watched.monitor.clear(revoke=False)
    watched.settled()
    watched.wait(lambda: watched.pause() > 0.5)
    watched.settled()
    assert 0.5 < watched.pause() <= 60.1
    assert len(service.calls) <= 2


@pytest.mark.parametrize("act", [lambda one: one.rotate(), lambda one: one.clear(revoke=True)], ids=["rotate", "clear"])
@pytest.mark.parametrize("after", [token_for("another-token", DAY, START), None], ids=["replaced", "gone"])
def test_another_token_than_the_one_that_was_shown_is_left_alone(
    make: Callable[..., Watched], service: FakeService, act: Callable[[Monitor], None], after: Token | None
) -> None:
    service.hold(token_for("a-token", DAY, START))
    watched = make(policy="notify", verify="off")
    watched.start()
    shown: list[LastResult | None] = []
    watched.monitor.changed.connect(lambda state: shown.append(state.last))

    service.hold(after)  # no change of a file tells it
    act(watched.monitor)

    watched.settled()
    assert service.calls == []
    assert service.token is after
    told = [str(last.error) for last in shown if last is not None and last.error is not None]
    assert "The token has changed in the meantime, so nothing was done." in told
    assert not watched.state.stopped
    assert NoticeKind.STOPPED not in [one.kind for one in watched.notices]


def test_a_token_that_cannot_be_read_can_be_removed(make: Callable[..., Watched], service: FakeService) -> None:
    service.hold(token_for("a-token", DAY, START))
    watched = make(policy="notify", verify="off")
    watched.start()

    service.unreadable = StoreError("Unreadable.")
    watched.monitor.clear(revoke=False)

    watched.settled()
    assert service.calls == ["clear"]


def test_computer_that_slept_is_noticed_within_a_minute(make: Callable[..., Watched], service: FakeService) -> None:
    service.hold(token_for("a-token", DAY, START))
    watched = make(warn_before=None)
    watched.start()
    assert watched.pause() <= 60.1
    watched.advance(2 * DAY)
    watched.wait(lambda: "renew" in service.calls)
    watched.settled()
    assert service.calls == ["renew"]
    assert watched.notices == [], "what the renewal mended at once is no news"


def test_change_is_seen_while_kiwoom_is_being_asked(make: Callable[..., Watched], service: FakeService) -> None:
    service.hold(token_for("a-token", DAY, START))
    watched = make()
    watched.start()
    service.gate.clear()
    watched.monitor.refresh()
    service.hold(token_for("another-token", 7200, START))
    watched.monitor.read()
    watched.wait(lambda: watched.state.expires == START + 7200)
    assert watched.state.busy is Action.REFRESH
    assert watched.pause() >= 59, "it does not wake up for what it cannot do now"


def test_new_keys_change_the_mode_only_when_kiwoom_takes_them(make: Callable[..., Watched]) -> None:
    watched = make(policy="notify")
    watched.start()
    watched.keys_failure = KeysRefused("Refused.", code="8030")
    watched.monitor.enter_keys("demo", KEYS)
    watched.wait(lambda: watched.state.last is not None)
    assert (watched.settled().mode, watched.opened) == ("real", [])
    watched.keys_failure = None
    watched.monitor.enter_keys("demo", KEYS)
    watched.wait(lambda: watched.state.expires is not None)
    assert (watched.settled().mode, watched.opened) == ("demo", ["demo"])
    assert watched.kept == ["demo", "demo"]


def test_answers_come_back_on_the_thread_of_the_windows(make: Callable[..., Watched], service: FakeService) -> None:
    threads: set[int] = set()
    watched = make()
    watched.monitor.changed.connect(lambda _: threads.add(threading.get_ident()))
    watched.start()
    watched.monitor.refresh()
    watched.wait(lambda: "refresh" in service.calls)
    watched.settled()
    assert threads == {threading.get_ident()}


def test_an_ended_monitor_asks_for_nothing_more(
    make: Callable[..., Watched], service: FakeService, qtbot: QtBot
) -> None:
    service.hold(token_for("a-token", DAY, START))
    watched = make()
    watched.start()
    watched.monitor.end()
    asked = service.store.asked
    watched.monitor.read()  # a changed file may still be told before Qt destroys the watcher
    service.store.path.write_text("changed")
    qtbot.wait(100)
    assert service.store.asked == asked
    assert watched.monitor.is_idle


def test_what_cannot_be_told_to_a_locked_screen_does_not_keep_it_awake(
    make: Callable[..., Watched], service: FakeService
) -> None:
    service.hold(token_for("a-token", DAY, START))
    watched = make(policy="notify", warn_before=["30m"])
    watched.start()
    watched.monitor.hold(is_held=True)
    watched.advance(DAY - 1000)
    watched.settled()
    assert (watched.notices, watched.pause() > 50) == ([], True)
    watched.monitor.hold(is_held=False)
    watched.settled()
    assert [one.kind for one in watched.notices] == [NoticeKind.EXPIRING]


def test_each_moment_is_met_though_the_store_need_not_be_read_between(
    make: Callable[..., Watched], service: FakeService
) -> None:
    """A tick that reads nothing sets the timer for the next moment all the same."""
    service.hold(token_for("a-token-of-a-test", 100, START))
    watched = make(policy="notify", warn_before=["60s", "30s"], verify="off")
    watched.start()
    for seconds in (41, 30):
        watched.advance(seconds)
        watched.settled()
        assert watched.pause() < 61
    assert [one.kind for one in watched.notices] == [NoticeKind.EXPIRING] * 2
