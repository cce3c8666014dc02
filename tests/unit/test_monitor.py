"""The monitor: what it knows, when it asks, and that it never turns in circles."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from tests.doubles import KEYS, START, Clock
from tray_app.core.errors import (
    BrokerUnavailable,
    KeyringUnavailable,
    KeysRefused,
    KiwoomTokenError,
    RateLimited,
    RevokeFailed,
    StoreError,
)
from tray_app.core.notices import Notice, NoticeKind
from tray_app.core.state import Action, Result, TokenState
from tray_app.core.token import Token, token_for
from tray_app.desktop.monitor import Monitor
from tray_app.service.token_service import Cleared, Outcome
from tray_app.settings.load import Settings, load_settings
from tray_app.stores.base import Place

DAY = 86400.0


class FakeStore:
    def __init__(self, folder: Path) -> None:
        self.path = folder / "kept" / ".token"
        self.number = 0
        self.asked = 0

    def version(self) -> object:
        self.asked += 1
        return self.number

    def watch_paths(self) -> list[str]:
        return [str(self.path)]

    def check(self) -> None:
        """Nothing is learnt."""


class FakeKeeper:
    """A keeper whose every call is counted, can be held up by `gate`, or where it reads by `eyes`, and can be made to
    fail."""

    def __init__(self, clock: Clock, folder: Path) -> None:
        self.clock = clock
        self.store = FakeStore(folder)
        self.token: Token | None = None
        self.unreadable: Exception | None = None
        self.failure: Exception | None = None
        self.answer: Outcome | None = None
        self.cleared: Cleared | None = None
        self.problem: KeyringUnavailable | None = None
        self.calls: list[str] = []
        self.interrupted = False
        self.reads = 0
        self.handed_out = 0
        self.gate = threading.Event()
        self.gate.set()
        self.way_back = threading.Event()
        self.way_back.set()
        self.eyes = threading.Event()
        self.eyes.set()

    def hold(self, token: Token | None) -> None:
        """Somebody else changes the token."""
        self.token = token
        self.store.number += 1

    def was_interrupted(self, lost: Token | None) -> bool:
        return lost is not None and self.interrupted

    def current(self) -> Token | None:
        self.reads += 1
        if self.unreadable is not None:
            raise self.unreadable
        token = self.token
        assert self.eyes.wait(10)
        return token

    def publish(self) -> tuple[KiwoomTokenError, ...]:
        self.handed_out += 1
        return ()

    def place(self) -> Place:
        return Place("memory", problem=self.problem)

    def refresh(self, *, rotate: bool = False) -> Outcome:
        return self._ask("rotate" if rotate else "refresh")

    def renew(self, seen: Token | None, *, rotate: bool = False) -> Outcome:
        return self._ask("renew by rotation" if rotate else "renew")

    def put(self, token: Token) -> None:
        self.calls.append("put")
        self.hold(token)

    def clear(self, *, revoke: bool = False) -> Cleared:
        self.calls.append("revoke" if revoke else "clear")
        self._wait()
        cleared = self.cleared or Cleared(there=self.token is not None, revoked=revoke)
        self.hold(None)
        return cleared

    def _ask(self, call: str) -> Outcome:
        self.calls.append(call)
        self._wait()
        outcome = self.answer or Outcome(token_for(f"token-{len(self.calls)}", DAY, self.clock()), Outcome.ISSUED)
        self.hold(outcome.token)
        assert self.way_back.wait(10)
        return outcome

    def _wait(self) -> None:
        assert self.gate.wait(10)
        if self.failure is not None:
            raise self.failure


class Watched:
    """A monitor, and what it told."""

    def __init__(self, qtbot: QtBot, clock: Clock, service: FakeKeeper, settings: Settings) -> None:
        self.qtbot = qtbot
        self.clock = clock
        self.service = service
        self.states: list[TokenState] = []
        self.notices: list[Notice] = []
        self.kept: list[str] = []
        self.keys_failure: Exception | None = None
        self.unlock_failure: Exception | None = None
        self.locked_up: Token | None = None
        self.settings = settings
        self.monitor = Monitor(settings, service, self._keep, self._unlock, clock=clock)  # type: ignore[arg-type]
        self.monitor.changed.connect(self.states.append)
        self.monitor.notice.connect(self.notices.append)

    def start(self) -> TokenState:
        self.monitor.start()
        return self.settled()

    def settled(self) -> TokenState:
        """Waits until nothing is under way any more."""
        self.qtbot.waitUntil(lambda: self.state.busy is None and not self.monitor._looking, timeout=10_000)
        return self.state

    def wait(self, condition: Callable[[], object]) -> None:
        self.qtbot.waitUntil(lambda: bool(condition()), timeout=10_000)

    @property
    def state(self) -> TokenState:
        return self.monitor.state

    def pause(self) -> float:
        """Seconds until the monitor's timer fires."""
        assert self.monitor._timer.isActive()
        return self.monitor._timer.interval() / 1000

    def advance(self, seconds: float) -> None:
        """Time passes and the timer fires."""
        self.clock.advance(seconds)
        self.monitor.tick()

    def _keep(self, settings: Settings, keys: object) -> Outcome:
        assert keys is KEYS
        self.kept.append(settings.mode)
        if self.keys_failure is not None:
            raise self.keys_failure
        return self.service._ask("keep")

    def _unlock(self) -> None:
        if self.unlock_failure is not None:
            raise self.unlock_failure
        self.service.calls.append("unlock")
        if self.locked_up is not None:
            self.service.hold(self.locked_up)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def service(clock: Clock, tmp_path: Path) -> FakeKeeper:
    return FakeKeeper(clock, tmp_path)


@pytest.fixture
def make(qtbot: QtBot, clock: Clock, service: FakeKeeper) -> Iterator[Callable[..., Watched]]:
    made: list[Watched] = []

    def watched(**chosen: Any) -> Watched:
        made.append(Watched(qtbot, clock, service, load_settings(**chosen)))
        return made[-1]

    yield watched
    service.gate.set()
    for one in made:
        one.monitor._timer.stop()
        one.monitor._files._settle.stop()
        one.wait(lambda one=one: not one.monitor._looking and one.state.busy in {None, Action.LOOK})


def test_start_without_a_token_gets_one_under_auto(make: Callable[..., Watched]) -> None:
    watched = make()
    watched.monitor.start()
    watched.wait(lambda: watched.state.expires is not None)
    state = watched.settled()
    assert watched.service.calls == ["renew"]
    assert state.last is not None
    assert state.last.result is Result.ISSUED
    assert state.renew_at == pytest.approx(START + DAY - 600)


def test_start_without_a_token_only_waits_under_notify(make: Callable[..., Watched]) -> None:
    watched = make(policy="notify")
    state = watched.start()
    assert (state.expires, state.renew_at, state.stopped, watched.service.calls) == (None, None, False, [])


def test_state_holds_no_token(make: Callable[..., Watched], service: FakeKeeper) -> None:
    service.hold(token_for("a-whole-token-of-a-test", DAY, START))
    state = make().start()
    assert state.expires is not None
    assert "a-who" not in repr(state)


def test_look_reads_the_store_only_when_its_stamp_changed(make: Callable[..., Watched], service: FakeKeeper) -> None:
    service.hold(token_for("a-token", DAY, START))
    watched = make()
    watched.start()
    read, asked = service.reads, service.store.asked
    for _ in range(5):
        watched.monitor.look()
        watched.settled()
    assert service.reads == read
    assert service.store.asked == asked + 5
    service.hold(None)
    watched.monitor.look()
    watched.wait(lambda: watched.state.expires is None)
    assert service.reads == read + 1


def test_many_events_at_once_are_one_look_and_none_is_put_off(
    make: Callable[..., Watched], service: FakeKeeper
) -> None:
    service.hold(token_for("a-token", DAY, START))
    watched = make()
    watched.start()
    asked = service.store.asked
    for _ in range(50):
        watched.monitor._files.settle()
    watched.wait(lambda: service.store.asked == asked + 1)
    watched.settled()
    assert service.store.asked == asked + 1


def made(folder: Path) -> bool:
    """On Windows a removed folder keeps its name until nobody watches it any more."""
    try:
        folder.mkdir()
    except OSError:
        assert sys.platform == "win32"
        return False
    return True


def test_change_of_the_file_is_seen_by_itself(make: Callable[..., Watched], service: FakeKeeper) -> None:
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
    make: Callable[..., Watched], service: FakeKeeper, clock: Clock, policy: str, situation: str
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


def test_computer_that_slept_is_noticed_within_a_minute(make: Callable[..., Watched], service: FakeKeeper) -> None:
    service.hold(token_for("a-token", DAY, START))
    watched = make(warn_before=None)
    watched.start()
    assert watched.pause() <= 60.1
    watched.advance(2 * DAY)
    watched.wait(lambda: "renew" in service.calls)
    watched.settled()
    assert service.calls == ["renew"]
    assert watched.notices == [], "what the renewal mended at once is no news"


def test_failures_are_tried_again_later_and_later(
    make: Callable[..., Watched], service: FakeKeeper, clock: Clock
) -> None:
    service.failure = BrokerUnavailable("Silent.")
    watched = make()
    watched.start()
    pauses = []
    for number in range(1, 5):
        watched.wait(lambda number=number: len(service.calls) == number and watched.state.busy is None)
        assert watched.state.renew_at is not None
        assert not watched.state.stopped
        pauses.append(watched.state.renew_at - clock())
        watched.settled()
        watched.advance(pauses[-1] + 0.1)
    assert all(10 * 2**n * 0.5 <= pause <= 10 * 2**n * 1.5 for n, pause in enumerate(pauses))
    assert [one.kind for one in watched.notices] == [NoticeKind.FAILED]


def test_wait_that_kiwoom_asks_for_is_kept(make: Callable[..., Watched], service: FakeKeeper, clock: Clock) -> None:
    service.failure = RateLimited("Wait.", retry_after=300)
    watched = make()
    watched.start()
    watched.wait(lambda: service.calls and watched.state.busy is None)
    assert watched.state.renew_at is not None
    assert watched.state.renew_at >= clock() + 300


def test_refusal_stops_and_is_told_once_at_once(make: Callable[..., Watched], service: FakeKeeper) -> None:
    service.failure = KeysRefused("Refused.", code="8001")
    watched = make()
    watched.start()
    watched.wait(lambda: watched.notices)
    state = watched.settled()
    assert (state.stopped, state.renew_at) == (True, None)
    for _ in range(3):
        watched.advance(3600)
        watched.settled()
    watched.monitor.refresh()
    watched.wait(lambda: len(service.calls) == 2)
    watched.settled()
    assert [one.kind for one in watched.notices] == [NoticeKind.STOPPED]
    service.failure = None
    watched.monitor.refresh()
    watched.wait(lambda: watched.state.expires is not None)
    assert not watched.settled().stopped


def test_same_answer_is_told_and_asks_next_after_the_end(make: Callable[..., Watched], service: FakeKeeper) -> None:
    token = token_for("a-token", DAY, START)
    service.hold(token)
    service.answer = Outcome(token, Outcome.SAME, skew_seconds=75.0)
    watched = make()
    watched.start()
    watched.monitor.refresh()
    watched.wait(lambda: watched.state.last is not None)
    state = watched.settled()
    assert state.last is not None
    assert state.last.result is Result.SAME
    assert state.skew_seconds == 75.0
    assert state.renew_at is not None
    assert START + DAY < state.renew_at <= START + DAY + 3


def test_wishes_while_something_is_under_way_are_dropped(make: Callable[..., Watched], service: FakeKeeper) -> None:
    service.hold(token_for("a-token", DAY, START))
    watched = make()
    watched.start()
    service.gate.clear()
    watched.monitor.refresh()
    assert watched.state.busy is Action.REFRESH
    watched.monitor.refresh()
    watched.monitor.rotate()
    watched.monitor.clear(revoke=True)
    watched.monitor.unlock()
    watched.monitor.enter_keys("demo", KEYS)
    service.gate.set()
    watched.settled()
    assert service.calls == ["refresh"]
    assert watched.kept == []
    assert watched.settings.mode == "real"


def test_change_is_seen_while_kiwoom_is_being_asked(make: Callable[..., Watched], service: FakeKeeper) -> None:
    service.hold(token_for("a-token", DAY, START))
    watched = make()
    watched.start()
    service.gate.clear()
    watched.monitor.refresh()
    service.hold(token_for("another-token", 7200, START))
    watched.monitor.look()
    watched.wait(lambda: watched.state.expires == START + 7200)
    assert watched.state.busy is Action.REFRESH
    assert watched.pause() >= 59, "it does not wake up for what it cannot do now"


def test_new_token_is_new_also_when_it_was_seen_before_the_answer_was_back(
    make: Callable[..., Watched], service: FakeKeeper
) -> None:
    service.hold(token_for("a-token", DAY, START))
    watched = make()
    watched.start()
    service.way_back.clear()
    service.answer = Outcome(token_for("another-token", 7200, START), Outcome.ISSUED)
    watched.monitor.refresh()
    watched.wait(lambda: service.calls == ["refresh"])
    watched.monitor.look()
    watched.wait(lambda: watched.state.expires == START + 7200)
    service.way_back.set()
    state = watched.settled()
    assert state.last is not None
    assert state.last.result is Result.ISSUED


def test_look_that_read_before_a_renewal_does_not_take_its_token_away(
    make: Callable[..., Watched], service: FakeKeeper
) -> None:
    watched = make(policy="notify")
    watched.start()
    service.eyes.clear()
    service.hold(None)
    watched.monitor.look()
    watched.wait(lambda: service.reads == 2)
    watched.monitor.refresh()
    watched.wait(lambda: watched.state.expires is not None)
    issued = len(watched.states)
    service.eyes.set()
    state = watched.settled()
    watched.monitor.look()
    state = watched.settled()
    assert state.last is not None
    assert state.last.result is Result.ISSUED
    assert [one for one in watched.states[issued:] if one.expires is None] == []


def test_clear_and_revoke_are_told_apart(make: Callable[..., Watched], service: FakeKeeper) -> None:
    watched = make()
    watched.start()
    for revoke, result in ((False, Result.CLEARED), (True, Result.REVOKED)):
        service.hold(token_for("a-token", DAY, START))
        watched.monitor.look()
        watched.wait(lambda: watched.state.expires is not None)
        watched.settled()
        watched.monitor.clear(revoke=revoke)
        watched.wait(lambda: watched.state.expires is None)
        state = watched.settled()
        assert state.last is not None
        assert state.last.result is result
        assert state.renew_at is None, "a user who clears wants none"


@pytest.mark.parametrize(("kept", "result"), [(True, Result.KEPT), (False, Result.GONE)])
def test_clear_that_found_no_token_of_this_account_claims_to_have_cleared_none(
    kept: bool, result: Result, make: Callable[..., Watched], service: FakeKeeper
) -> None:
    service.hold(token_for("a-token", DAY, START))
    service.cleared = Cleared(there=False)
    service.cleared.kept = kept
    watched = make()
    watched.start()
    watched.monitor.clear(revoke=True)
    watched.wait(lambda: watched.state.expires is None)
    state = watched.settled()
    assert state.last is not None
    assert (state.last.result, state.renew_at) == (result, None)


def test_last_thing_told_is_never_of_an_earlier_token(make: Callable[..., Watched], service: FakeKeeper) -> None:
    service.hold(token_for("a-token", DAY, START))
    watched = make()
    assert watched.start().last is None
    for token, result in ((None, Result.GONE), (token_for("of-a-bot", DAY, START), Result.ADOPTED)):
        service.hold(token)
        watched.monitor.look()
        watched.wait(lambda token=token: (watched.state.expires is None) is (token is None))
        last = watched.settled().last
        assert last is not None
        assert last.result is result


def test_token_that_comes_to_light_is_not_called_another_programs(
    make: Callable[..., Watched], service: FakeKeeper
) -> None:
    service.problem = KeyringUnavailable("The keyring is locked.", problem=KeyringUnavailable.LOCKED)
    watched = make(policy="notify")
    watched.start()
    service.problem = None
    service.hold(token_for("a-token", DAY, START))
    watched.monitor.look()
    watched.wait(lambda: watched.state.expires is not None)
    assert watched.settled().last is None


def test_failed_revoke_keeps_the_token_in_sight(make: Callable[..., Watched], service: FakeKeeper) -> None:
    service.hold(token_for("a-token", DAY, START))
    watched = make(policy="notify")
    watched.start()
    service.failure = KiwoomTokenError("Not revoked.", code="8015")
    watched.monitor.clear(revoke=True)
    watched.wait(lambda: watched.state.last is not None)
    state = watched.settled()
    assert state.last is not None
    assert state.last.result is Result.FAILED
    assert state.expires == START + DAY


@pytest.mark.parametrize(
    "failure", [RevokeFailed("Not revoked.", code="8015"), BrokerUnavailable("Kiwoom does not answer.")]
)
def test_failed_revoke_changes_nothing_about_the_renewal(
    make: Callable[..., Watched], service: FakeKeeper, failure: Exception
) -> None:
    service.hold(token_for("a-token", DAY, START))
    watched = make(policy="auto")
    planned = watched.start().renew_at
    service.failure = failure
    watched.monitor.clear(revoke=True)
    watched.wait(lambda: watched.state.last is not None)
    state = watched.settled()
    assert (state.renew_at, state.stopped) == (planned, False)
    assert watched.notices == []


def test_unreadable_store_keeps_the_token_in_sight_until_it_can_be_read(
    make: Callable[..., Watched], service: FakeKeeper
) -> None:
    service.hold(token_for("a-token", DAY, START))
    watched = make()
    watched.start()
    service.unreadable = StoreError("Unreadable.")
    service.store.number += 1
    watched.monitor.look()
    watched.wait(lambda: watched.state.last is not None)
    assert watched.settled().expires == START + DAY
    assert service.calls == []
    service.unreadable = None
    watched.monitor.look()
    watched.wait(lambda: watched.state.last is None)


def test_error_of_a_program_shows_its_kind_and_not_its_text(make: Callable[..., Watched], service: FakeKeeper) -> None:
    service.failure = ZeroDivisionError("a-whole-token-of-a-test")
    watched = make(policy="notify")
    watched.start()
    watched.monitor.refresh()
    watched.wait(lambda: watched.state.last is not None)
    assert watched.state.last is not None
    assert str(watched.state.last.error) == "Something unexpected happened (ZeroDivisionError)."


def test_unlocking_moves_the_token_into_the_keyring(make: Callable[..., Watched], service: FakeKeeper) -> None:
    service.hold(token_for("a-token", DAY, START))
    watched = make()
    watched.start()
    watched.monitor.unlock()
    watched.wait(lambda: watched.state.last is not None)
    assert service.calls == ["unlock", "put"]
    state = watched.settled()
    assert state.last is not None
    assert state.last.result is Result.UNLOCKED


def stopped_by_the_locked_keyring(make: Callable[..., Watched], service: FakeKeeper) -> Watched:
    service.failure = KeysRefused("The keys are in the keyring, which is locked.")
    watched = make()
    watched.start()
    watched.wait(lambda: watched.state.stopped)
    watched.settled()
    service.failure = None
    return watched


def test_token_that_lay_in_the_locked_keyring_is_neither_another_programs_nor_asked_for_again(
    make: Callable[..., Watched], service: FakeKeeper
) -> None:
    watched = stopped_by_the_locked_keyring(make, service)
    watched.locked_up = token_for("a-token", DAY, START)
    watched.monitor.unlock()
    watched.wait(lambda: watched.state.expires == START + DAY)
    state = watched.settled()
    assert state.last is not None
    assert (state.last.result, state.stopped, service.calls) == (Result.UNLOCKED, False, ["renew", "unlock", "put"])


def test_unlocking_lets_a_stopped_renewal_go_on(make: Callable[..., Watched], service: FakeKeeper) -> None:
    watched = stopped_by_the_locked_keyring(make, service)
    watched.monitor.unlock()
    watched.wait(lambda: watched.state.expires is not None)
    assert service.calls == ["renew", "unlock", "renew"]


def test_refused_password_changes_nothing(make: Callable[..., Watched], service: FakeKeeper) -> None:
    service.hold(token_for("a-token", DAY, START))
    watched = make()
    before = watched.start()
    watched.unlock_failure = KeyringUnavailable("The keyring is locked.", problem=KeyringUnavailable.LOCKED)
    watched.monitor.unlock()
    watched.wait(lambda: watched.state.last is not None)
    state = watched.settled()
    assert state.last is not None
    assert state.last.error is watched.unlock_failure
    assert service.calls == []
    assert (state.expires, state.stopped) == (before.expires, False)


def test_new_keys_change_the_mode_only_when_kiwoom_takes_them(make: Callable[..., Watched]) -> None:
    watched = make(policy="notify")
    entered: list[str] = []
    watched.monitor.mode_entered.connect(entered.append)
    watched.start()
    watched.keys_failure = KeysRefused("Refused.", code="8030")
    watched.monitor.enter_keys("demo", KEYS)
    watched.wait(lambda: watched.state.last is not None)
    assert (watched.settled().mode, entered) == ("real", [])
    watched.keys_failure = None
    watched.monitor.enter_keys("demo", KEYS)
    watched.wait(lambda: watched.state.expires is not None)
    assert (watched.settled().mode, entered) == ("demo", ["demo"])
    assert watched.kept == ["demo", "demo"]


def test_each_threshold_is_told_once(make: Callable[..., Watched], service: FakeKeeper) -> None:
    service.hold(token_for("a-token", DAY, START))
    watched = make(policy="notify", warn_before=["30m", "10m", "0m"])
    watched.start()
    for seconds in (DAY - 1801, 2, 2, 1200, 2, 600, 2):
        watched.advance(seconds)
        watched.settled()
    assert [one.kind for one in watched.notices] == [NoticeKind.ENDING, NoticeKind.ENDING, NoticeKind.ENDED]


def test_a_warning_is_over_when_another_program_renews(make: Callable[..., Watched], service: FakeKeeper) -> None:
    service.hold(token_for("a-token", DAY, START))
    watched = make(policy="notify", warn_before=["30m"])
    over: list[bool] = []
    watched.monitor.notice_over.connect(lambda: over.append(True))
    watched.start()
    watched.advance(DAY - 1000)
    watched.wait(lambda: watched.notices)
    watched.settled()
    assert over == []
    service.hold(token_for("another", DAY, watched.clock()))
    watched.monitor.look()
    watched.wait(lambda: over)
    watched.settled()
    assert (over, [one.kind for one in watched.notices]) == ([True], [NoticeKind.ENDING])


def test_what_cannot_be_told_to_a_locked_screen_does_not_keep_it_awake(
    make: Callable[..., Watched], service: FakeKeeper
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
    assert [one.kind for one in watched.notices] == [NoticeKind.ENDING]
