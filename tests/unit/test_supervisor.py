"""The supervisor: what it knows, when it asks, what it tells, and that no order of events confuses it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.doubles import KEYS, NO, START, Clock, FakeBroker
from tests.file_service import open_file_service
from tests.services import DAY, FakeService
from tray_app.core.errors import (
    BrokerUnavailable,
    KeyringUnavailable,
    KeysMissing,
    KeysRefused,
    KiwoomTokenError,
    LockTimeout,
    NoToken,
    RateLimited,
    Remedy,
    RevokeFailed,
    SettingsError,
    StoreError,
    TokenRefused,
    UnknownFailure,
)
from tray_app.core.notices import Notice, NoticeKind, notice_text
from tray_app.core.remedies import is_failing
from tray_app.core.state import Action, LastResult, Result, TokenState
from tray_app.core.token import KST, Token, token_for
from tray_app.kiwoom.keys import keys_of_alias
from tray_app.service.evidence import Evidence
from tray_app.service.last_attempt import LastAttempt
from tray_app.service.lock_record import LockRecord
from tray_app.service.outcome import Cleared, Outcome
from tray_app.settings.load import Settings, load_settings
from tray_app.supervisor.commands import Clear, EnterKeys, PlanRotation, Refresh, Rotate, Unlock, Verify
from tray_app.supervisor.jobs import Job
from tray_app.supervisor.supervisor import Callbacks, Supervisor


class Queue:
    """Runs each job at once; while `is_held`, the test runs and finishes those in `waiting` when it likes."""

    def __init__(self) -> None:
        self.is_held = False
        self.waiting: list[Job[Any]] = []

    def __call__(self, job: Job[Any]) -> None:
        if self.is_held:
            self.waiting.append(job)
        else:
            job.run()
            job.finish()

    def release(self) -> None:
        self.is_held = False
        while self.waiting:
            self(self.waiting.pop(0))


class Watched:
    """A supervisor over a service of the test, and what it told."""

    def __init__(self, clock: Clock, service: FakeService, settings: Settings) -> None:
        self.clock = clock
        self.service = service
        self.reads, self.acts = Queue(), Queue()
        self.states: list[TokenState] = []
        self.notices: list[Notice] = []
        self.states_when_told: list[TokenState] = []
        self.over = 0
        self.outcomes: list[Outcome] = []
        self.unpublished: list[tuple[KiwoomTokenError, ...]] = []
        self.unreadable: list[KiwoomTokenError] = []
        self.found: list[TokenState] = []
        self.opened: list[str] = []
        self.cannot_open: KiwoomTokenError | None = None
        self.kept: list[str] = []
        self.keys_failure: Exception | None = None
        self.unlock_failure: Exception | None = None
        self.locked_up = None
        self.settings = settings
        callbacks = Callbacks(
            changed=self.states.append,
            read=self.found.append,
            unreadable=self.unreadable.append,
            answered=self.outcomes.append,
            unpublished=self.unpublished.append,
            notice=self._notice,
            notice_over=self._notice_over,
        )
        self.supervisor = Supervisor(
            settings, self._open, callbacks, run_read=self.reads, run_act=self.acts, clock=clock
        )
        self.opened.clear()

    def _notice(self, notice: Notice) -> None:
        self.notices.append(notice)
        self.states_when_told.append(self.state)

    @property
    def state(self) -> TokenState:
        return self.supervisor.state

    @property
    def last(self) -> LastResult:
        assert self.state.last is not None
        return self.state.last

    @property
    def kinds(self) -> list[NoticeKind]:
        return [one.kind for one in self.notices]

    def start(self) -> TokenState:
        self.supervisor.read()
        return self.settle()

    def settle(self) -> TokenState:
        """Do whatever is due now, as a timer would."""
        for _ in range(10):
            moment = self.supervisor.next_moment()
            if moment is None or moment > self.clock():
                return self.state
            self.supervisor.tick()
        raise AssertionError("it turns in circles")

    def advance(self, seconds: float) -> TokenState:
        """Let time pass, and the timer fire."""
        self.clock.advance(seconds)
        self.supervisor.tick()
        return self.settle()

    def read(self) -> TokenState:
        self.supervisor.read()
        return self.settle()

    def unlock(self) -> TokenState:
        self.supervisor.do(Unlock(self._unlock))
        return self.settle()

    def enter_keys(self, mode: str) -> TokenState:
        self.supervisor.do(EnterKeys(self.supervisor.settings, mode, lambda: KEYS, self._keep))
        return self.settle()

    def _open(self, settings: Settings) -> Any:
        if self.cannot_open is not None:
            raise self.cannot_open
        self.opened.append(settings.mode)
        return self.service

    def _keep(self, settings: Settings, keys: object) -> Outcome:
        assert keys is KEYS
        self.kept.append(settings.mode)
        if self.keys_failure is not None:
            raise self.keys_failure
        return self.service.ask("keep")

    def _unlock(self) -> None:
        if self.unlock_failure is not None:
            raise self.unlock_failure
        self.service.calls.append("unlock")
        if self.locked_up is not None:
            self.service.hold(self.locked_up)

    def _notice_over(self) -> None:
        self.over += 1


Make = Callable[..., Watched]


@pytest.fixture
def service(clock: Clock, tmp_path: Path) -> FakeService:
    return FakeService(clock, tmp_path)


@pytest.fixture
def make(clock: Clock, service: FakeService) -> Make:
    return lambda **chosen: Watched(clock, service, load_settings(**chosen))


def test_start_without_a_token_gets_one_under_auto(make: Make) -> None:
    watched = make()
    state = watched.start()
    assert watched.service.calls == ["renew"]
    assert watched.last.result is Result.ISSUED
    assert state.renew_at == pytest.approx(START + DAY - 600, abs=0.001)


def test_start_without_a_token_only_waits_under_notify(make: Make) -> None:
    watched = make(policy="notify")
    state = watched.start()
    assert (state.expires, state.renew_at, state.stopped, watched.service.calls) == (None, None, False, [])


def test_state_holds_no_token(make: Make, service: FakeService) -> None:
    service.hold(token_for("a-whole-token-of-a-test", DAY, START))
    state = make().start()
    assert state.expires is not None
    assert "a-who" not in repr(state)


def test_store_is_read_only_when_its_version_changed(make: Make, service: FakeService) -> None:
    service.hold(token_for("a-token", DAY, START))
    watched = make()
    watched.start()
    read, asked = service.reads, service.store.asked
    for _ in range(5):
        watched.read()
    assert service.reads == read
    assert service.store.asked == asked + 5
    service.hold(None)
    assert watched.read().expires is None
    assert service.reads == read + 1


def test_calls_to_read_during_a_read_are_one_more_read(make: Make, service: FakeService) -> None:
    watched = make()
    watched.start()
    asked = service.store.asked
    watched.reads.is_held = True
    for _ in range(5):
        watched.supervisor.read()
    watched.reads.release()
    assert service.store.asked == asked + 2


def test_what_was_found_is_recorded_and_published_once(make: Make, service: FakeService) -> None:
    token = token_for("a-token", DAY, START)
    service.hold(token)
    watched = make()
    watched.start()
    watched.read()
    assert (service.recorded, service.published) == ([token], 1)
    assert [state.expires for state in watched.found] == [token.expires]


def test_other_tools_lose_a_token_that_somebody_else_cleared(make: Make, service: FakeService) -> None:
    token = token_for("a-token", DAY, START)
    service.hold(token)
    watched = make()
    watched.start()
    service.hold(None)
    watched.read()
    assert service.withdrawn == [None, token]


def test_why_other_tools_did_not_get_the_token_is_told(make: Make, service: FakeService) -> None:
    service.hold(token_for("a-token", DAY, START))
    service.unpublished = (StoreError("No room."),)
    watched = make()
    watched.start()
    assert watched.unpublished == [service.unpublished]


def with_unsaved(make: Make, service: FakeService) -> Watched:
    """Return a supervisor that has a token which could not be stored."""
    service.hold(token_for("a-token", DAY, START))
    watched = make()
    watched.start()
    service.unsaved = service.token
    return watched


def test_what_could_not_be_stored_is_stored_within_a_minute_of_there_being_room(
    make: Make, service: FakeService, clock: Clock
) -> None:
    watched = with_unsaved(make, service)
    before = service.published
    for _ in range(5):
        watched.advance(30)
    assert before + 2 <= service.published <= before + 3


def test_what_could_not_be_stored_is_stored_at_the_next_tick_of_a_face_that_ticks_each_minute(
    make: Make, service: FakeService, clock: Clock
) -> None:
    watched = with_unsaved(make, service)
    watched.advance(0.2)
    tried = service.published
    watched.advance(59.8)
    assert service.published == tried + 1


def test_failures_are_tried_again_later_and_later(make: Make, service: FakeService, clock: Clock) -> None:
    service.failure = BrokerUnavailable("Silent.")
    watched = make()
    watched.start()
    pauses = []
    for number in range(1, 4):
        assert len(service.calls) == number
        assert watched.state.renew_at is not None
        assert not watched.state.stopped
        pauses.append(watched.state.renew_at - clock())
        watched.advance(pauses[-1] + 0.1)
    assert all(10 * 2**n * 0.5 <= pause <= 10 * 2**n * 1.5 for n, pause in enumerate(pauses))
    assert watched.kinds == [NoticeKind.FAILED]


def test_wait_that_kiwoom_asks_for_is_kept(make: Make, service: FakeService, clock: Clock) -> None:
    service.failure = RateLimited("Wait.", retry_after=300)
    state = make().start()
    assert service.calls
    assert state.renew_at is not None
    assert state.renew_at >= clock() + 300


def test_refusal_stops_and_is_told_once_at_once(make: Make, service: FakeService) -> None:
    service.failure = KeysRefused("Refused.", code="8001")
    watched = make()
    state = watched.start()
    assert (state.stopped, state.renew_at) == (True, None)
    for _ in range(3):
        watched.advance(3600)
    watched.supervisor.do(Refresh())
    assert len(service.calls) == 2
    assert watched.kinds == [NoticeKind.STOPPED]
    service.failure = None
    watched.supervisor.do(Refresh())
    assert watched.state.expires is not None
    assert not watched.state.stopped


@pytest.mark.parametrize("refusal", [KeysMissing("None."), KeysRefused("Refused.", code="8001")])
def test_keys_entered_elsewhere_end_the_stop(make: Make, service: FakeService, refusal: Exception) -> None:
    service.failure = refusal
    watched = make()
    assert watched.start().stopped
    service.failure = None
    watched.advance(11)
    assert watched.state.stopped
    service.has_keys_entered_elsewhere = True
    watched.advance(11)
    assert not watched.state.stopped
    assert watched.state.expires is not None
    assert service.calls == ["renew", "renew"]


@pytest.mark.parametrize("answer", [None, BrokerUnavailable(NO), TokenRefused("Elsewhere.", code="8010")])
def test_keys_entered_elsewhere_end_the_stop_also_after_a_check(
    make: Make, service: FakeService, clock: Clock, answer: KiwoomTokenError | None
) -> None:
    """What the check says takes the place of why renewing stopped."""
    service.hold(token_for("a-token", DAY, START))
    watched = make()
    watched.start()
    clock.advance(3600)
    service.failure = KeysMissing("None.")
    watched.supervisor.do(Refresh())
    service.unreadable = answer
    watched.supervisor.do(Verify())
    service.failure = service.unreadable = None
    assert watched.state.stopped

    service.has_keys_entered_elsewhere = True
    watched.advance(11)
    assert not watched.state.stopped


@pytest.mark.parametrize(
    ("stop", "is_by_hand"),
    [(KeysMissing("None."), True), (KeysMissing("None."), False), (KeysRefused("Refused.", code="8001"), False)],
)
def test_keys_entered_elsewhere_end_the_stop_also_while_kiwoom_is_silent(
    make: Make, service: FakeService, stop: KiwoomTokenError, *, is_by_hand: bool
) -> None:
    """From then on there are no other keys than those of the last failed request."""
    service.failure = stop
    watched = make()
    watched.start()
    service.failure = BrokerUnavailable("Silent.")
    if is_by_hand:
        watched.supervisor.do(Refresh())
    else:
        service.has_keys_entered_elsewhere = True
        watched.advance(11)
        service.has_keys_entered_elsewhere = False
    assert (watched.last.error, watched.state.stopped) == (service.failure, False)

    for _ in range(3):
        watched.advance(61)
    assert watched.kinds == [NoticeKind.STOPPED, NoticeKind.FAILED]
    service.failure = None
    watched.advance(61)
    watched.advance(61)
    assert watched.state.expires is not None
    assert watched.kinds[2:] == [NoticeKind.RECOVERED]


def test_a_stop_that_other_keys_do_not_end_is_not_told_again(make: Make, service: FakeService) -> None:
    service.failure = KeysRefused("Refused.", code="8001")
    watched = make()
    watched.start()
    service.has_keys_entered_elsewhere = True
    for _ in range(3):
        watched.advance(11)
    assert len(service.calls) == 4
    assert watched.kinds == [NoticeKind.STOPPED]


def test_what_is_to_be_done_next_about_a_stop_is_told_as_well(make: Make, service: FakeService) -> None:
    service.failure = KeysMissing("None.")
    watched = make()
    watched.start()
    service.failure = KeysRefused("Not from this IP.", code="8050", remedy=Remedy.OPEN_PORTAL)
    service.has_keys_entered_elsewhere = True
    watched.advance(11)
    watched.advance(3600)
    first, second = watched.notices
    assert (first.kind, second.kind) == (NoticeKind.STOPPED, NoticeKind.STOPPED)
    assert notice_text(second, START)[0] == "Register this IP at Kiwoom"


class UnusableVault:
    """A keyring that cannot be read now, for one of the problems of `KeyringUnavailable`."""

    def __init__(self, problem: str) -> None:
        self._problem = problem

    def get(self, service: str, username: str) -> str | None:
        raise KeyringUnavailable("Not now.", problem=self._problem)


def assert_passes_by_itself(make: Make, service: FakeService) -> None:
    """Assert that the renewal goes on within a minute after the service's failure is over."""
    watched = make()
    assert not watched.start().stopped

    service.failure = None
    watched.advance(60)

    assert watched.state.expires is not None


@pytest.mark.parametrize(
    "problem", [KeyringUnavailable.SILENT, KeyringUnavailable.UNREACHABLE, KeyringUnavailable.FAILED]
)
def test_keys_that_cannot_be_read_for_a_while_stop_nothing(make: Make, service: FakeService, problem: str) -> None:
    vault: Any = UnusableVault(problem)
    with pytest.raises(KeysMissing) as raised:
        keys_of_alias("swing", vault)
    service.failure = raised.value
    assert_passes_by_itself(make, service)


def test_what_nobody_expected_may_pass_by_itself(make: Make, service: FakeService) -> None:
    service.failure = RuntimeError("can't start new thread")
    assert_passes_by_itself(make, service)


def test_same_answer_is_told_and_the_next_request_follows_the_expiry(make: Make, service: FakeService) -> None:
    token = token_for("a-token", DAY, START)
    service.hold(token)
    service.answer = Outcome(token, Outcome.SAME, skew_seconds=75.0)
    watched = make()
    watched.start()
    watched.supervisor.do(Refresh())
    assert watched.last.result is Result.SAME
    assert watched.state.skew_seconds == 75.0
    assert watched.state.renew_at is not None
    assert START + DAY < watched.state.renew_at <= START + DAY + 3
    assert watched.outcomes == [service.answer]


def test_commands_while_something_is_under_way_are_dropped(make: Make, service: FakeService) -> None:
    service.hold(token_for("a-token", DAY, START))
    watched = make()
    watched.start()
    watched.acts.is_held = True
    watched.supervisor.do(Refresh())
    assert watched.state.busy is Action.REFRESH
    for command in (Refresh(), Rotate(), Clear(revoke=True)):
        watched.supervisor.do(command)  # type: ignore[misc]
    watched.unlock()
    watched.enter_keys("demo")
    watched.acts.release()
    assert service.calls == ["refresh"]
    assert watched.kept == []
    assert watched.supervisor.settings.mode == "real"


def test_change_is_seen_while_kiwoom_is_being_asked(make: Make, service: FakeService) -> None:
    service.hold(token_for("a-token", DAY, START))
    watched = make()
    watched.start()
    watched.acts.is_held = True
    watched.supervisor.do(Refresh())
    service.hold(token_for("another-token", 7200, START))
    watched.read()
    assert watched.state.expires == START + 7200
    assert (watched.state.busy, watched.state.last) == (Action.REFRESH, None)
    assert watched.supervisor.next_moment() is None, "it does not wake up for what it cannot do now"


def test_new_token_is_new_also_when_it_was_seen_before_the_answer_was_back(make: Make, service: FakeService) -> None:
    service.hold(token_for("a-token", DAY, START))
    watched = make()
    watched.start()
    service.answer = Outcome(token_for("another-token", 7200, START), Outcome.ISSUED)
    watched.acts.is_held = True
    watched.supervisor.do(Refresh())
    (asking,) = watched.acts.waiting
    asking.run()
    assert watched.read().expires == START + 7200
    watched.acts.is_held = False
    asking.finish()
    assert watched.last.result is Result.ISSUED


def test_read_that_began_before_a_renewal_does_not_take_its_token_away(make: Make, service: FakeService) -> None:
    watched = make(policy="notify")
    watched.start()
    service.hold(None)
    watched.reads.is_held = True
    watched.supervisor.read()
    (reading,) = watched.reads.waiting
    reading.run()
    watched.supervisor.do(Refresh())
    assert watched.state.expires is not None
    issued = len(watched.states)
    watched.reads.waiting.clear()
    watched.reads.is_held = False
    reading.finish()
    assert watched.supervisor.is_idle
    watched.read()
    assert watched.last.result is Result.ISSUED
    assert [one for one in watched.states[issued:] if one.expires is None] == []


def test_clear_and_revoke_are_told_apart(make: Make, service: FakeService) -> None:
    watched = make()
    watched.start()
    for revoke, result in ((False, Result.CLEARED), (True, Result.REVOKED)):
        service.hold(token_for("a-token", DAY, START))
        assert watched.read().expires is not None
        watched.supervisor.do(Clear(revoke=revoke))
        assert watched.state.expires is None
        assert watched.last.result is result
        assert watched.state.renew_at is None, "a user who clears wants none"


@pytest.mark.parametrize(("kept", "result"), [(True, Result.KEPT), (False, Result.GONE)])
def test_clear_that_found_no_token_of_this_account_claims_to_have_cleared_none(
    kept: bool, result: Result, make: Make, service: FakeService
) -> None:
    service.hold(token_for("a-token", DAY, START))
    service.cleared = Cleared(was_there=False)
    service.cleared.of_other_keys = kept
    watched = make()
    watched.start()
    watched.supervisor.do(Clear(revoke=True))
    assert watched.state.expires is None
    assert (watched.last.result, watched.state.renew_at) == (result, None)


def test_a_cleared_token_that_had_expired_is_not_said_to_be_valid_at_kiwoom(
    make: Make, service: FakeService, clock: Clock
) -> None:
    service.hold(token_for("a-token", 60, START))
    service.cleared = Cleared(was_there=True)
    service.cleared.had_expired = True
    watched = make(policy="notify")
    watched.start()
    clock.advance(61)
    watched.supervisor.do(Clear(revoke=False))
    assert watched.last.result is Result.CLEARED_EXPIRED


@pytest.mark.parametrize(("was_sent", "checks"), [(True, 1), (False, 0)])
def test_a_request_whose_answer_was_lost_is_followed_by_a_check_of_the_token(
    was_sent: bool, checks: int, make: Make, service: FakeService, clock: Clock
) -> None:
    """Kiwoom may have carried it out; nobody knows for certain whether another token ends the present one."""
    service.hold(token_for("a-token", DAY, START))
    watched = make(policy="notify")
    watched.start()
    before = service.checks
    clock.advance(3600)
    service.failure = BrokerUnavailable("Kiwoom does not answer.")
    service.failure.was_sent = was_sent
    watched.supervisor.do(Refresh())
    service.failure = None

    watched.advance(1)
    assert service.checks == before + checks


def test_last_result_is_never_of_an_earlier_token(make: Make, service: FakeService) -> None:
    service.hold(token_for("a-token", DAY, START))
    watched = make()
    assert watched.start().last is None
    for token, result in ((None, Result.GONE), (token_for("of-a-bot", DAY, START), Result.ADOPTED)):
        service.hold(token)
        assert (watched.read().expires is None) is (token is None)
        assert watched.last.result is result


def test_why_there_is_no_other_token_stays_shown_when_the_expired_one_is_tidied_away(
    make: Make, service: FakeService
) -> None:
    service.hold(token_for("a-token", 60, START))
    service.failure = KeysRefused("Not registered.", code="8050", remedy=Remedy.OPEN_PORTAL)
    watched = make()
    watched.start()
    watched.advance(61)
    service.hold(None)

    watched.read()

    assert watched.state.stopped
    assert watched.last.error is service.failure


def test_a_token_that_cannot_be_stored_is_told_once_with_what_helps(make: Make, service: FakeService) -> None:
    failure = StoreError("Nothing can be written there.", remedy=Remedy.CHOOSE_FOLDER)
    service.answer = Outcome(token_for("a-token", DAY, START), Outcome.ISSUED, unsaved=failure)
    watched = make()
    watched.start()
    watched.advance(60)

    assert [(one.kind, one.error, one.urgent) for one in watched.notices] == [(NoticeKind.NOT_STORED, failure, True)]

    service.answer = Outcome(token_for("another-token", DAY, watched.clock()), Outcome.ISSUED)
    watched.supervisor.do(Refresh())
    service.answer = Outcome(token_for("a-third", DAY, watched.clock()), Outcome.ISSUED, unsaved=failure)
    watched.supervisor.do(Refresh())
    watched.settle()

    assert watched.kinds == [NoticeKind.NOT_STORED] * 2


def test_token_that_becomes_readable_is_not_called_another_programs(make: Make, service: FakeService) -> None:
    service.store.problem = KeyringUnavailable("The keyring is locked.", problem=KeyringUnavailable.LOCKED)
    watched = make(policy="notify")
    watched.start()
    service.store.problem = None
    service.hold(token_for("a-token", DAY, START))
    state = watched.read()
    assert state.expires is not None
    assert state.last is None


def test_a_keyring_that_locks_has_not_cleared_the_token(make: Make, service: FakeService) -> None:
    """Others cannot read it either, so it is asked for again, and stored in the file meanwhile."""
    token = token_for("one", DAY, START)
    service.hold(token)
    service.known = Evidence().confirmed(token, START)
    watched = make()
    watched.start()
    service.store.problem = KeyringUnavailable("The keyring is locked.", problem=KeyringUnavailable.LOCKED)
    service.hold(None)
    watched.read()
    watched.advance(11)
    assert service.calls == ["renew"]
    assert watched.notices == []


def test_a_clear_while_the_keyring_is_locked_is_one(make: Make, service: FakeService) -> None:
    token = token_for("one", DAY, START)
    service.hold(token)
    service.known = Evidence().confirmed(token, START)
    watched = make()
    watched.start()
    service.store.problem = KeyringUnavailable("The keyring is locked.", problem=KeyringUnavailable.LOCKED)
    watched.read()
    service.known = service.known.unknown()
    service.hold(None)
    watched.read()
    watched.advance(3600)
    assert (service.calls, watched.state.renew_at) == ([], None)


def test_interrupted_rotation_is_not_taken_for_a_clear(make: Make, service: FakeService) -> None:
    service.hold(token_for("a-token", DAY, START))
    watched = make()
    watched.start()
    service.interrupted = True
    service.hold(None)
    assert watched.read().last is None
    watched.advance(30)
    assert service.calls == ["renew"]
    assert watched.state.expires is not None


@pytest.mark.parametrize("is_slow", [False, True])
def test_a_rotation_that_cost_the_token_is_told_as_what_it_is(
    make: Make, service: FakeService, *, is_slow: bool
) -> None:
    service.hold(token_for("a-token", DAY, START))
    watched = make()
    watched.start()

    def refuse_after_the_revoke(**_: object) -> Outcome:
        service.interrupted = True
        service.hold(None)
        raise KeysRefused("Refused.", code="8001")

    service.refresh = refuse_after_the_revoke
    watched.reads.is_held = is_slow
    watched.supervisor.do(Rotate())
    watched.settle()
    if is_slow:
        assert watched.notices == []
        watched.reads.release()
        watched.settle()

    (notice,) = watched.notices
    assert notice_text(notice, START)[1] == "Refused. [8001] There is no valid token."


def test_failed_revoke_keeps_the_token_in_sight(make: Make, service: FakeService) -> None:
    service.hold(token_for("a-token", DAY, START))
    watched = make(policy="notify")
    watched.start()
    service.failure = KiwoomTokenError("Not revoked.", code="8015")
    watched.supervisor.do(Clear(revoke=True))
    assert (watched.last.result, watched.last.action) == (Result.FAILED, Action.REVOKE)
    assert watched.state.expires == START + DAY


@pytest.mark.parametrize(
    "failure", [RevokeFailed("Not revoked.", code="8015"), BrokerUnavailable("Kiwoom does not answer.")]
)
def test_failed_revoke_changes_nothing_about_the_renewal(make: Make, service: FakeService, failure: Exception) -> None:
    service.hold(token_for("a-token", DAY, START))
    watched = make(policy="auto")
    planned = watched.start().renew_at
    service.failure = failure
    watched.supervisor.do(Clear(revoke=True))
    assert watched.state.last is not None
    assert (watched.state.renew_at, watched.state.stopped) == (planned, False)
    assert watched.notices == []


def test_only_what_failed_of_renewing_is_tried_again_by_itself(make: Make, service: FakeService) -> None:
    service.hold(token_for("a-token", DAY, START))
    watched = make()
    watched.start()
    service.failure = BrokerUnavailable("Kiwoom does not answer.")
    watched.supervisor.do(Clear(revoke=True))
    assert watched.last.is_once

    watched.supervisor.do(Refresh())
    assert not watched.last.is_once

    watched.supervisor.do(Clear(revoke=True))
    assert not watched.last.is_once  # renewing still fails


def test_a_check_that_fails_does_not_hide_that_renewing_does(make: Make, service: FakeService, clock: Clock) -> None:
    failure = BrokerUnavailable("Kiwoom does not answer.")
    service.failure = failure
    watched = asked_in_vain(make, service, clock, failure)
    assert not is_failing(watched.state)
    watched.supervisor.do(Refresh())

    service.unreadable = failure
    watched.supervisor.do(Verify())
    assert (watched.last.is_failed_check, is_failing(watched.state)) == (True, True)


def asked_in_vain(make: Make, service: FakeService, clock: Clock, failure: KiwoomTokenError) -> Watched:
    """An hour after the start, the user asks Kiwoom whether the token works, and that fails."""
    service.hold(token_for("a-token", DAY, START))
    watched = make()
    watched.start()
    clock.advance(3600)
    service.unreadable = failure
    watched.supervisor.do(Verify())
    service.unreadable = None
    return watched


def test_a_check_that_the_user_asked_for_in_vain_is_repeated_until_kiwoom_answers(
    make: Make, service: FakeService, clock: Clock
) -> None:
    failure = BrokerUnavailable("Kiwoom does not answer.")
    watched = asked_in_vain(make, service, clock, failure)
    checks = service.checks
    assert watched.last.result is Result.FAILED

    watched.advance(30)
    assert service.checks == checks

    watched.advance(31)
    assert (service.checks, watched.last.result) == (checks + 1, Result.CONFIRMED)


def test_a_check_for_which_kiwoom_could_not_even_be_asked_is_repeated_as_well(
    make: Make, service: FakeService, clock: Clock
) -> None:
    failure = LockTimeout("Another program has been renewing this token for too long.")
    watched = asked_in_vain(make, service, clock, failure)
    assert watched.last.result is Result.FAILED

    watched.advance(61)
    assert watched.last.result is Result.CONFIRMED


def test_two_that_find_a_token_to_work_elsewhere_only_ask_no_more_often_than_one(
    clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tray and a `watch`, or the trays of two computers with one Redis."""
    broker, asked = FakeBroker(clock), list[float]()

    def verify(_: object) -> None:
        asked.append(clock())
        raise TokenRefused("Elsewhere.", code="8010", remedy=Remedy.ROTATE)

    monkeypatch.setattr(broker, "verify", verify)
    path = tmp_path / ".token"
    both = [
        Supervisor(load_settings(), lambda _: open_file_service(path, clock, broker), Callbacks(), clock=clock)
        for _ in range(2)
    ]
    for one in both:
        one.read()
        one.tick()
    clock.advance(300)
    for one in both:
        one.tick(resumed=True)
        clock.advance(37)
    for _ in range(4 * 720):
        clock.advance(5)
        for one in both:
            one.tick()
    assert 1 <= sum(at > clock() - 3600 for at in asked) <= 12


def test_a_check_that_another_program_made_in_vain_is_repeated_here(
    make: Make, service: FakeService, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`kiwoom-token verify` in the evening, say: no other check is due before the next morning."""
    token = token_for("a-token", DAY, START)
    service.hold(token)
    watched = make()
    watched.start()
    clock.advance(3600)
    record = service.read_record()
    check = LastAttempt.failed_check(BrokerUnavailable(NO), token, clock())
    failed = LockRecord(record.last, record.evidence, record.rotate_at, check)
    monkeypatch.setattr(service, "read_record", lambda: failed)
    watched.read()
    monkeypatch.undo()
    assert watched.last.is_failed_check

    watched.advance(61)
    assert watched.last.result is Result.CONFIRMED


def test_a_copy_that_failed_is_no_news_once_the_keyring_answers(make: Make, service: FakeService) -> None:
    service.hold(token_for("a-token", DAY, START))
    watched = make()
    watched.start()
    problem = KeyringUnavailable("The keyring does not answer.", problem=KeyringUnavailable.SILENT)
    service.store.problem = problem
    service.failure = NoToken(problem.message)  # as the service says it of a token that the keyring hides
    watched.supervisor.copy(lambda _: None)
    assert (watched.last.error, watched.last.is_once) == (service.failure, True)
    assert watched.state.place_problem == KeyringUnavailable.SILENT

    moment = watched.supervisor.next_moment()
    assert moment is not None
    assert moment <= watched.clock() + 10

    service.failure = service.store.problem = None
    watched.supervisor.snooze(0)  # whatever is shown next
    assert watched.state.last is None
    assert watched.state.place_problem == ""


@pytest.mark.parametrize("policy", ["notify", "auto"])
def test_what_a_keyring_hid_is_shown_once_it_answers(
    make: Make, service: FakeService, monkeypatch: pytest.MonkeyPatch, policy: str
) -> None:
    """Nothing else reports that: what is stored, and so its version, is what it was."""
    watched = make(policy=policy, verify="off")
    service.store.problem = KeyringUnavailable("It does not answer.", problem=KeyringUnavailable.SILENT)
    service.failure = BrokerUnavailable("Kiwoom does not answer.")  # as while a computer starts
    watched.start()
    assert watched.state.place_problem == KeyringUnavailable.SILENT

    def answer() -> None:
        service.store.problem = None
        service.token = token_for("a-token", DAY, START)

    monkeypatch.setattr(service.store, "check", answer)
    watched.states.clear()
    watched.advance(10)

    assert watched.state.expires == START + DAY
    assert watched.state.last is None, "no other program has brought it, and nothing fails any more"
    assert [one for one in watched.states if not one.place_problem and one.expires is None] == []


def test_what_cannot_be_read_once_the_keyring_is_unlocked_stays_in_sight(make: Make, service: FakeService) -> None:
    watched = make(policy="notify", verify="off")
    service.store.problem = KeyringUnavailable("It is locked.", problem=KeyringUnavailable.LOCKED)
    watched.start()
    service.store.problem = None
    service.unreadable = StoreError("No encryption key here opens the token.")
    service.hold(None)
    watched.read()

    assert watched.last.error is service.unreadable


def test_a_keyring_that_fails_though_it_says_that_it_works_is_not_asked_all_the_time(
    make: Make, service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = KeyringUnavailable("It failed.", problem=KeyringUnavailable.FAILED)

    def current() -> None:
        service.reads += 1
        service.store.problem = problem

    monkeypatch.setattr(service, "current", current)
    monkeypatch.setattr(service.store, "check", lambda: setattr(service.store, "problem", None))
    watched = make(policy="notify", verify="off")
    watched.start()
    for _ in range(60):
        watched.clock.advance(1)
        watched.supervisor.tick()

    assert service.reads <= 4


def test_unreadable_store_keeps_the_token_in_sight_until_it_can_be_read(make: Make, service: FakeService) -> None:
    service.hold(token_for("a-token", DAY, START))
    watched = make()
    watched.start()
    service.unreadable = StoreError("Unreadable.")
    service.store.number += 1
    assert watched.read().expires == START + DAY
    assert watched.last.error is service.unreadable
    assert watched.unreadable == [service.unreadable]
    assert service.calls == []
    service.unreadable = None
    assert watched.read().last is None


def test_what_the_state_keeps_of_a_failure_holds_nothing_else_in_memory(make: Make, service: FakeService) -> None:
    """An error's traceback has whatever was a local variable while it was raised: tokens, and whole programs."""
    watched = make()
    watched.start()
    service.unreadable = StoreError("Unreadable.")
    service.store.number += 1
    watched.read()
    assert watched.last.error.__traceback__ is None


def test_store_that_waits_for_the_user_is_reported_until_it_can_be_read(make: Make, service: FakeService) -> None:
    service.unreadable = KeyringUnavailable("Locked.", problem=KeyringUnavailable.LOCKED)
    watched = make(policy="notify")
    watched.start()
    assert [(one.kind, one.error) for one in watched.notices] == [(NoticeKind.STOPPED, service.unreadable)]
    watched.advance(60)
    assert (len(watched.notices), watched.over) == (1, 0)
    service.unreadable = None
    service.hold(token_for("a-token", DAY, watched.clock()))
    watched.read()
    watched.advance(1)
    assert (watched.kinds, watched.over) == ([NoticeKind.STOPPED], 1)


def test_store_that_may_come_back_by_itself_is_reported_the_second_time(make: Make, service: FakeService) -> None:
    service.unreadable = StoreError("Unreadable.")
    watched = make(policy="notify")
    watched.start()
    assert watched.notices == []
    watched.advance(60)
    assert watched.kinds == [NoticeKind.FAILED]


def test_notice_is_sent_when_the_state_says_when_kiwoom_is_asked_next(make: Make, service: FakeService) -> None:
    service.failure = RateLimited("Wait.", retry_after=120)
    watched = make()
    watched.start()
    assert [one.renew_at for one in watched.states_when_told] == [watched.state.renew_at]
    assert (watched.state.renew_at or 0) >= START + 120


def test_poll_tries_an_unreadable_store_once_a_minute_or_when_it_changes(make: Make, service: FakeService) -> None:
    watched = make(policy="notify")
    service.unreadable = StoreError("Unreadable.")
    for _ in range(59):
        watched.supervisor.poll()
        watched.clock.advance(1)
    assert service.reads == 1
    assert watched.state.last is not None, "that it was not tried does not mean that it can be read"
    service.store.number += 1
    watched.supervisor.poll()
    assert service.reads == 2
    watched.clock.advance(60)
    service.unreadable = None
    watched.supervisor.poll()
    assert service.reads == 3
    assert watched.state.last is None


def test_poll_renews_in_the_same_turn(make: Make, service: FakeService) -> None:
    watched = make()
    watched.supervisor.poll()
    assert service.calls == ["renew"]
    assert watched.state.expires is not None


def test_error_of_a_program_shows_its_kind_and_not_its_text(make: Make, service: FakeService) -> None:
    service.failure = ZeroDivisionError("a-whole-token-of-a-test")
    watched = make(policy="notify")
    watched.start()
    watched.supervisor.do(Refresh())
    assert str(watched.last.error) == "Something unexpected happened (ZeroDivisionError)."


def test_unlocking_moves_the_token_into_the_keyring(make: Make, service: FakeService) -> None:
    service.hold(token_for("a-token", DAY, START))
    watched = make()
    watched.start()
    watched.unlock()
    assert service.calls == ["unlock", "put"]
    assert watched.last.result is Result.UNLOCKED


def stopped_by_the_locked_keyring(make: Make, service: FakeService) -> Watched:
    service.failure = KeysRefused("The keys are in the keyring, which is locked.")
    watched = make()
    assert watched.start().stopped
    service.failure = None
    return watched


def test_token_from_the_unlocked_keyring_is_neither_another_programs_nor_asked_for_again(
    make: Make, service: FakeService
) -> None:
    watched = stopped_by_the_locked_keyring(make, service)
    watched.locked_up = token_for("a-token", DAY, START)  # type: ignore[assignment]
    state = watched.unlock()
    assert state.expires == START + DAY
    assert (watched.last.result, state.stopped, service.calls) == (
        Result.UNLOCKED,
        False,
        ["renew", "unlock", "put"],
    )


def test_unlocking_lets_a_stopped_renewal_go_on(make: Make, service: FakeService) -> None:
    watched = stopped_by_the_locked_keyring(make, service)
    state = watched.unlock()
    assert state.expires is not None
    assert service.calls == ["renew", "unlock", "renew"]


def test_refused_password_changes_nothing(make: Make, service: FakeService) -> None:
    service.hold(token_for("a-token", DAY, START))
    watched = make()
    before = watched.start()
    watched.unlock_failure = KeyringUnavailable("The keyring is locked.", problem=KeyringUnavailable.LOCKED)
    state = watched.unlock()
    assert watched.last.error is watched.unlock_failure
    assert service.calls == []
    assert (state.expires, state.stopped) == (before.expires, False)


def test_new_keys_change_the_mode_only_when_kiwoom_takes_them(make: Make) -> None:
    watched = make(policy="notify")
    watched.start()
    watched.keys_failure = KeysRefused("Refused.", code="8030")
    state = watched.enter_keys("demo")
    assert (watched.last.error, state.mode, watched.opened) == (watched.keys_failure, "real", [])
    watched.keys_failure = None
    state = watched.enter_keys("demo")
    assert state.expires is not None
    assert (state.mode, watched.supervisor.settings.mode, watched.opened) == ("demo", "demo", ["demo"])
    assert watched.kept == ["demo", "demo"]


@pytest.mark.parametrize(
    "failure", [KeysRefused("Refused.", code="8030"), SettingsError("settings.toml, line 1: damaged")]
)
def test_keys_that_are_not_taken_do_not_stop_the_renewal_with_the_present_ones(
    make: Make, service: FakeService, failure: KiwoomTokenError
) -> None:
    service.hold(token_for("a-token", DAY, START))
    service.answer = Outcome(token_for("another-token", 2 * DAY, START), Outcome.ISSUED)
    watched = make(policy="auto")
    planned = watched.start().renew_at
    watched.keys_failure = failure

    state = watched.enter_keys("real")

    assert watched.last.error is failure
    assert (state.stopped, state.renew_at) == (False, planned)
    assert watched.advance(DAY).last is not None
    assert watched.last.result is Result.ISSUED


def test_a_complaint_about_the_settings_ends_once_they_can_be_used(make: Make, service: FakeService) -> None:
    service.hold(token_for("a-token", DAY, START))
    watched = make(policy="auto")
    watched.start()
    watched.keys_failure = SettingsError("settings.toml, line 1: damaged")
    damaged = watched.supervisor.settings.replace(problems=(watched.keys_failure,))
    watched.enter_keys("real")

    watched.supervisor.apply(damaged)
    assert watched.settle().last is not None

    watched.supervisor.apply(damaged.replace(problems=()))
    assert watched.settle().last is None


def test_each_threshold_is_told_once(make: Make, service: FakeService) -> None:
    service.hold(token_for("a-token", DAY, START))
    watched = make(policy="notify", warn_before=["30m", "10m", "0m"])
    watched.start()
    for seconds in (DAY - 1801, 2, 2, 1200, 2, 600, 2):
        watched.advance(seconds)
    assert watched.kinds == [NoticeKind.EXPIRING, NoticeKind.EXPIRING, NoticeKind.EXPIRED]


def test_a_warning_is_over_when_another_program_renews(make: Make, service: FakeService) -> None:
    service.hold(token_for("a-token", DAY, START))
    watched = make(policy="notify", warn_before=["30m"])
    watched.start()
    watched.advance(DAY - 1000)
    assert (watched.kinds, watched.over) == ([NoticeKind.EXPIRING], 0)
    service.hold(token_for("another", DAY, watched.clock()))
    watched.read()
    assert (watched.kinds, watched.over) == ([NoticeKind.EXPIRING], 1)


def test_what_fell_due_while_nobody_was_there_is_told_afterwards(make: Make, service: FakeService) -> None:
    service.hold(token_for("a-token", DAY, START))
    watched = make(policy="notify", warn_before=["30m"], verify="off")
    watched.start()
    watched.supervisor.hold(is_held=True)
    watched.advance(DAY - 1000)
    assert (watched.notices, watched.supervisor.next_moment()) == ([], None)
    watched.supervisor.hold(is_held=False)
    assert watched.kinds == [NoticeKind.EXPIRING]


def test_a_snooze_is_shown_and_ends_when_the_user_says_so(make: Make, service: FakeService) -> None:
    service.hold(token_for("a-token", DAY, START))
    watched = make(policy="notify")
    watched.start()
    watched.supervisor.snooze(1800)
    assert watched.state.snoozed_until == START + 1800
    watched.supervisor.snooze(0)
    assert watched.state.snoozed_until is None


def test_copy_brings_the_token_itself(make: Make, service: FakeService) -> None:
    service.hold(token_for("a-token-of-a-test", DAY, START))
    watched = make()
    watched.start()
    copied: list[str] = []
    watched.supervisor.copy(lambda token: copied.append(token.value.reveal()))
    assert copied == ["a-token-of-a-test"]


class TestApply:
    def test_plans_anew_with_the_same_service(self, make: Make, service: FakeService) -> None:
        service.hold(token_for("a-token", DAY, START))
        watched = make(policy="notify")
        watched.start()
        watched.supervisor.apply(load_settings(policy="auto"))
        assert (watched.state.policy, watched.state.renew_at) == ("auto", START + DAY - 600)
        assert watched.opened == []

    def test_of_another_mode_begins_as_at_a_start(self, make: Make, service: FakeService) -> None:
        service.hold(token_for("a-token", DAY, START))
        watched = make(policy="notify")
        watched.start()
        watched.supervisor.apply(load_settings(policy="notify", mode="demo"))
        assert (watched.opened, watched.state.mode, watched.state.last) == (["demo"], "demo", None)

    def test_reads_nothing_before_the_token_has_moved(self, make: Make, service: FakeService) -> None:
        watched = make(policy="notify")
        watched.start()
        asked = service.store.asked
        watched.acts.is_held = True
        watched.supervisor.apply(load_settings(policy="notify", mode="demo"))
        service.hold(token_for("a-token", DAY, START))
        watched.read()
        assert service.store.asked == asked
        watched.acts.release()
        assert watched.state.expires == START + DAY

    def test_drops_a_read_that_ends_while_the_token_is_being_moved(self, make: Make, service: FakeService) -> None:
        watched = make(policy="notify")
        watched.start()
        service.hold(token_for("a-token", DAY, START))
        watched.reads.is_held = watched.acts.is_held = True
        watched.supervisor.read()
        (reading,) = watched.reads.waiting
        watched.reads.waiting.clear()
        reading.run()
        watched.supervisor.apply(load_settings(policy="notify", mode="demo"))
        reading.finish()
        assert (watched.state.mode, watched.state.expires) == ("real", None)
        watched.reads.release()
        watched.acts.release()
        assert (watched.state.mode, watched.state.expires) == ("demo", START + DAY)

    def test_drops_a_read_of_the_store_that_was_left(self, make: Make, service: FakeService) -> None:
        watched = make(policy="notify")
        watched.start()
        service.hold(token_for("a-token", DAY, START))
        watched.reads.is_held = True
        watched.supervisor.read()
        (reading,) = watched.reads.waiting
        watched.reads.waiting.clear()
        reading.run()
        watched.supervisor.apply(load_settings(policy="notify", mode="demo"))
        service.hold(None)
        watched.reads.is_held = False
        reading.finish()
        assert watched.state.expires is None
        assert [state for state in watched.states if state.expires is not None] == []

    def test_of_a_store_that_cannot_be_opened_changes_nothing(self, make: Make) -> None:
        watched = make(policy="notify")
        watched.start()
        before = watched.supervisor.settings
        watched.cannot_open = SettingsError("No address.")
        with pytest.raises(SettingsError):
            watched.supervisor.apply(load_settings(policy="auto", mode="demo"))
        assert watched.supervisor.settings is before
        assert watched.state.policy == "notify"


class TestDeadToken:
    """What Kiwoom says about a token in the background: found, shown, told, replaced, and asked no more than needed."""

    @pytest.fixture
    def held(self, service: FakeService) -> Token:
        token = token_for("a-token", DAY, START)
        service.hold(token)
        service.known = Evidence().confirmed(token, START - 3600)
        return token

    def test_found_at_the_start_is_replaced_at_once_under_auto(
        self, make: Make, service: FakeService, held: Token
    ) -> None:
        service.is_alive = False
        watched = make()
        state = watched.start()
        assert (service.checks, service.calls) == (1, ["renew"])
        assert state.expires != held.expires or state.life(watched.clock()) == "valid"
        assert (state.dead_at, watched.last.result) == (None, Result.ISSUED)
        assert watched.last.replaces_dead
        (told,) = watched.notices
        assert (told.kind, told.dead_expires, told.expires) == (NoticeKind.DIED, held.expires, state.expires)

    def test_is_only_told_under_notify(self, make: Make, service: FakeService, held: Token) -> None:
        service.is_alive = False
        watched = make(policy="notify")
        state = watched.start()
        assert (service.calls, state.life(watched.clock()), state.renew_at) == ([], "dead", None)
        assert (state.dead_at, state.dead_expires, watched.last.result) == (START, held.expires, Result.DIED)
        (told,) = watched.notices
        assert (told.kind, told.dead_expires, told.expires, told.urgent) == (
            NoticeKind.DIED,
            held.expires,
            0,
            True,
        )

    def test_that_cannot_be_replaced_is_told_once_with_the_reason(
        self, make: Make, service: FakeService, held: Token
    ) -> None:
        service.is_alive = False
        service.failure = RateLimited("Wait.", retry_after=120)
        watched = make()
        watched.start()
        for _ in range(10):
            watched.advance(60)
        (told,) = watched.notices
        assert (told.kind, told.dead_expires, told.expires, told.urgent) == (NoticeKind.DIED, held.expires, 0, True)
        assert isinstance(told.error, RateLimited)
        service.failure = None
        watched.advance(600)
        assert watched.kinds == [NoticeKind.DIED, NoticeKind.RECOVERED]

    def test_for_which_the_user_is_needed_is_told_with_what_to_do(
        self, make: Make, service: FakeService, held: Token
    ) -> None:
        service.is_alive = False
        service.failure = KeysRefused("No.", code="8001")
        watched = make()
        watched.start()
        watched.advance(600)
        (told,) = watched.notices
        assert (told.kind, told.dead_expires, told.urgent) == (NoticeKind.STOPPED, held.expires, True)

    @pytest.mark.parametrize("how", [Outcome.ISSUED, Outcome.SAME, Outcome.ADOPTED, Outcome.FOUND])
    def test_a_token_that_was_just_obtained_is_not_asked_about_before_its_record_is_read(
        self, make: Make, service: FakeService, how: str
    ) -> None:
        watched = make(policy="notify")
        watched.start()
        service.answer = Outcome(token_for("a-token", DAY, START), how)
        watched.reads.is_held = True
        watched.supervisor.do(Refresh())
        watched.supervisor.tick()
        watched.reads.release()
        watched.settle()
        assert service.checks == 0

    def test_is_told_once_although_a_read_was_under_way(self, make: Make, service: FakeService, held: Token) -> None:
        watched = make(policy="notify", verify="off")
        watched.start()
        watched.supervisor.apply(load_settings(policy="notify"))
        service.known = service.known.doubted(held, START)
        watched.read()
        checks = service.checks
        service.is_alive, service.known = False, service.known.doubted(held, START + 1)
        watched.clock.advance(60)
        watched.reads.is_held = True
        watched.supervisor.read()
        watched.supervisor.tick(resumed=True)
        watched.reads.release()
        watched.settle()
        assert service.checks == checks + 1
        assert watched.kinds == [NoticeKind.DIED]
        assert watched.state.life(watched.clock()) == "dead"

    def test_that_another_program_has_found_dead_is_replaced_at_once(
        self, make: Make, service: FakeService, held: Token
    ) -> None:
        watched = make()
        watched.start()
        service.known = service.known.died(held, START)
        service.hold(None)
        watched.read()
        assert service.calls == ["renew"]
        assert watched.kinds == [NoticeKind.DIED]

    def test_that_another_program_has_replaced_is_told_with_the_new_one(
        self, make: Make, service: FakeService, held: Token
    ) -> None:
        watched = make(policy="notify")
        watched.start()
        other = token_for("of-another-program", 2 * DAY, START)
        service.known = service.known.died(held, START).confirmed(other, START)
        service.hold(other)
        state = watched.read()
        assert (state.life(START), watched.last.result) == ("valid", Result.ADOPTED)
        (told,) = watched.notices
        assert (told.kind, told.expires, told.dead_expires) == (NoticeKind.DIED, other.expires, held.expires)

    def test_a_check_that_finds_it_alive_is_shown_as_a_confirmation_alone(
        self, make: Make, service: FakeService, held: Token
    ) -> None:
        watched = make()
        watched.start()
        assert (watched.state.confirmed_at, watched.state.last, watched.notices) == (START, None, [])
        assert service.token == held

    def test_one_without_an_answer_changes_and_shows_nothing(
        self, make: Make, service: FakeService, held: Token, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked = fail_checks(service, monkeypatch, BrokerUnavailable("Kiwoom does not answer."))
        watched = make()
        state = watched.start()
        assert len(asked) == 1
        assert (state.last, state.stopped, state.expires, watched.notices) == (None, False, held.expires, [])
        assert state.confirmed_at == START - 3600
        before = len(watched.states)
        watched.advance(59)
        assert len(asked) == 1
        assert all(one == state for one in watched.states[before:])
        watched.advance(2)
        assert len(asked) == 2

    @pytest.mark.parametrize("failure", [RateLimited("Wait.", retry_after=900), KeysRefused("No.", code="8010")])
    def test_whatever_the_failure_it_stops_no_renewal(
        self,
        make: Make,
        service: FakeService,
        held: Token,
        monkeypatch: pytest.MonkeyPatch,
        failure: KiwoomTokenError,
    ) -> None:
        fail_checks(service, monkeypatch, failure)
        watched = make()
        state = watched.start()
        assert (state.stopped, state.renew_at) == (False, held.expires - 600)

    def test_a_token_that_works_elsewhere_only_is_shown_until_it_works_here(
        self, make: Make, service: FakeService, held: Token, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The computer has come into another network: every order is refused, and the token looks valid."""
        with monkeypatch.context() as patch:
            asked = fail_checks(
                service, patch, failure := TokenRefused("Elsewhere.", code="8010", remedy=Remedy.ROTATE)
            )
            watched = make()
            state = watched.start()
            assert state.last is not None
            assert (state.last.result, state.last.error) == (Result.FAILED, failure)
            assert (state.stopped, state.renew_at, state.expires) == (False, held.expires - 600, held.expires)
            watched.advance(3600)
            assert len(asked) <= 9, "no more often than otherwise"
        watched.advance(700)
        assert watched.state.last is not None
        assert watched.state.last.result is Result.CONFIRMED

    def test_a_doubt_that_another_program_recorded_leads_to_a_check(
        self, make: Make, service: FakeService, held: Token, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        watched = make()
        watched.start()
        assert service.checks == 1
        service.known = service.known.confirmed(held, START).doubted(held, START + 5)
        watched.clock.advance(5)
        watched.supervisor.read()
        assert watched.state.life(watched.clock()) == "unconfirmed"
        watched.settle()
        assert service.checks == 2
        assert watched.state.life(watched.clock()) == "valid"

    def test_one_that_a_plain_program_stored_though_kiwoom_has_confirmed_another_since_leads_to_a_check(
        self, make: Make, service: FakeService, held: Token
    ) -> None:
        watched = make()
        watched.start()
        assert service.checks == 1
        older = token_for("of-a-plain-program", DAY, START - 1)
        service.hold(older)
        watched.clock.advance(5)
        watched.supervisor.read()
        assert watched.state.life(watched.clock()) == "unconfirmed"
        watched.settle()
        assert (service.checks, service.known.is_about(older.value)) == (2, True)
        assert watched.state.life(watched.clock()) == "valid"

    def test_while_a_check_runs_nothing_turns_in_circles(self, make: Make, service: FakeService, held: Token) -> None:
        watched = make()
        watched.acts.is_held = True
        watched.start()
        read = service.store.asked
        moment = watched.supervisor.next_moment()
        assert moment is not None
        assert moment > watched.clock()
        watched.settle()
        assert service.store.asked == read
        watched.acts.release()
        assert service.checks == 1

    def test_evidence_that_stays_the_same_costs_no_read(self, make: Make, service: FakeService, held: Token) -> None:
        watched = make()
        watched.start()
        reads = service.reads
        for _ in range(100):
            watched.clock.advance(1)
            watched.supervisor.poll()
        assert service.reads == reads

    def test_what_a_late_answer_says_about_the_token_before_changes_nothing(
        self, make: Make, service: FakeService, held: Token
    ) -> None:
        service.is_alive = False
        watched = make(policy="notify")
        watched.acts.is_held = True
        watched.start()
        check = watched.acts.waiting[-1]
        check.run()
        assert service.checks == 1
        other = token_for("of-another-program", 2 * DAY, START)
        service.known = service.known.confirmed(other, START)
        service.hold(other)
        watched.supervisor.read()
        watched.acts.waiting.remove(check)
        check.finish()
        watched.acts.release()
        watched.settle()
        assert (watched.state.expires, watched.state.life(START)) == (other.expires, "valid")
        assert watched.kinds == [NoticeKind.DIED]

    def test_that_came_while_the_clock_was_ahead_is_not_checked_all_the_time(
        self, make: Make, service: FakeService, held: Token
    ) -> None:
        """Another program brings it, and then the clock is set back: in trading hours one check is due, and no more."""
        watched = make()
        watched.clock.now = datetime(2026, 11, 26, 11, 0, tzinfo=KST).timestamp()
        service.hold(token_for("one", 3 * DAY, watched.clock()))
        watched.start()
        watched.clock.advance(7200)
        service.hold(token_for("of-another-program", 3 * DAY, watched.clock()))
        watched.read()
        watched.clock.advance(-7200)
        checks = service.checks
        watched.supervisor.tick(resumed=True)
        watched.settle()
        assert service.checks == checks + 1
        assert watched.supervisor.next_moment() == watched.clock() + 600

    def test_switched_off_only_the_user_asks(self, make: Make, service: FakeService, held: Token) -> None:
        watched = make(verify="off")
        watched.start()
        watched.supervisor.tick(resumed=True)
        watched.settle()
        assert service.checks == 0
        watched.supervisor.do(Verify())
        assert (service.checks, watched.last.result) == (1, Result.CONFIRMED)


def fail_checks(service: FakeService, monkeypatch: pytest.MonkeyPatch, failure: Exception) -> list[float]:
    """Let Kiwoom not say whether the token works; return when it was asked."""
    asked: list[float] = []

    def fail(*, is_patient: bool = False) -> None:
        asked.append(service.clock())
        raise failure

    monkeypatch.setattr(service, "verify", fail)
    return asked


@pytest.mark.parametrize("policy", ["notify", "auto", "daily 21:00"])
@pytest.mark.parametrize(
    ("failure", "most"),
    [
        (BrokerUnavailable(NO), 90),
        (UnknownFailure(NO, code="9999"), 15),
        (TokenRefused(NO, code="8010", remedy=Remedy.ROTATE), 1),
    ],
)
def test_a_planned_reissue_that_fails_is_tried_again_after_pauses_and_told_once(
    clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, policy: str, *, failure: KiwoomTokenError, most: int
) -> None:
    """The store goes on showing the plan as it was, and the present token works."""
    broker, asked, told = FakeBroker(clock), list[float](), list[Notice]()

    def revoke(*_: object) -> None:
        asked.append(clock())
        raise failure.again()

    monkeypatch.setattr(broker, "revoke", revoke)
    supervisor = Supervisor(
        load_settings(policy=policy),
        lambda _: open_file_service(tmp_path / ".token", clock, broker),
        Callbacks(notice=told.append),
        clock=clock,
    )
    supervisor.read()
    supervisor.do(Refresh())
    supervisor.do(PlanRotation(clock() + 60))
    for _ in range(720):
        clock.advance(5)
        for _ in range(3):
            supervisor.tick()

    assert 1 <= len(asked) <= most
    assert len(told) <= 1


@pytest.mark.parametrize("policy", ["notify", "auto"])
def test_a_reissue_that_the_user_plans_is_shown_and_carried_out(clock: Clock, tmp_path: Path, policy: str) -> None:
    watched = Watched(clock, FakeService(clock, tmp_path), load_settings(policy=policy))
    watched.service.hold(token_for("a-token-of-a-test", DAY, clock()))
    watched.start()
    at = clock() + 3600

    watched.supervisor.do(PlanRotation(at))

    assert (watched.state.rotate_at, watched.state.renew_at) == (at, at)
    assert watched.last.result is Result.PLANNED
    watched.advance(3600)
    assert watched.service.calls == ["plan", "renew by rotation"]


class TestDroppedPlan:
    """On a Tuesday that begins with a plan for half past six, over a token of the evening before."""

    EVENING, PLANNED, TRADING, AFTER = (
        datetime(2026, 7, day, hour, minute, tzinfo=KST).timestamp()
        for day, hour, minute in ((13, 22, 0), (14, 6, 30), (14, 10, 0), (14, 16, 0))
    )

    @pytest.fixture
    def told(self) -> list[Notice]:
        return []

    @pytest.fixture
    def broker(self, clock: Clock) -> FakeBroker:
        clock.now = self.EVENING
        return FakeBroker(clock)

    @pytest.fixture
    def start(self, clock: Clock, tmp_path: Path, broker: FakeBroker, told: list[Notice]) -> Callable[[], Supervisor]:
        def started() -> Supervisor:
            supervisor = Supervisor(
                load_settings(policy="notify", mode="demo"),
                lambda _: open_file_service(tmp_path / ".token", clock, broker),
                Callbacks(notice=told.append),
                clock=clock,
            )
            supervisor.read()
            return supervisor

        return started

    @pytest.fixture
    def planned(self, start: Callable[[], Supervisor]) -> Supervisor:
        supervisor = start()
        supervisor.do(Refresh())
        supervisor.do(PlanRotation(self.PLANNED))
        return supervisor

    @staticmethod
    def of_plan(told: list[Notice]) -> list[float]:
        return [one.planned_at for one in told if one.kind is NoticeKind.PLAN_DROPPED]

    def test_is_told_once_by_all_programs_together_and_after_no_restart(
        self, planned: Supervisor, start: Callable[[], Supervisor], clock: Clock, told: list[Notice]
    ) -> None:
        other = start()
        clock.now = self.TRADING
        for one in (planned, other, planned, start()):
            one.tick(resumed=True)

        assert self.of_plan(told) == [self.PLANNED]

    def test_is_not_carried_out_after_all_once_the_market_has_closed(
        self, planned: Supervisor, start: Callable[[], Supervisor], clock: Clock, broker: FakeBroker
    ) -> None:
        clock.now = self.TRADING
        planned.tick(resumed=True)
        clock.now = self.AFTER
        start().tick()

        assert broker.revokes == 0

    def test_is_no_news_where_another_computer_has_carried_it_out(
        self, planned: Supervisor, start: Callable[[], Supervisor], clock: Clock, broker: FakeBroker, told: list[Notice]
    ) -> None:
        other = start()
        clock.now = self.PLANNED
        other.tick()
        clock.now = self.TRADING
        planned.tick(resumed=True)

        assert (broker.revokes, self.of_plan(told)) == (1, [])

    def test_that_was_refused_is_not_tried_again_after_a_restart(
        self,
        planned: Supervisor,
        start: Callable[[], Supervisor],
        told: list[Notice],
        monkeypatch: pytest.MonkeyPatch,
        broker: FakeBroker,
    ) -> None:
        asked: list[float] = []

        def refuse(*_: object) -> None:
            asked.append(broker.clock())
            raise RevokeFailed(NO, code="8015")

        monkeypatch.setattr(broker, "revoke", refuse)
        broker.clock.now = self.PLANNED
        planned.tick()
        broker.clock.advance(60)
        for one in (planned, start()):
            one.tick()

        assert (asked, self.of_plan(told)) == ([self.PLANNED], [self.PLANNED])

    def test_is_told_though_the_record_cannot_be_written(
        self, planned: Supervisor, clock: Clock, told: list[Notice], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object, **__: object) -> bool:
            raise StoreError(NO)

        monkeypatch.setattr(planned.service, "plan_rotation", fail)
        clock.now = self.TRADING
        planned.tick()
        planned.tick()

        assert self.of_plan(told) == [self.PLANNED]
