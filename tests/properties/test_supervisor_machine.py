"""The supervisor in any order of events: it comes to rest, shows what is stored, and cuts no token while it trades."""

from __future__ import annotations

import random
import shutil
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.doubles import START, Clock
from tests.services import DAY, FakeService
from tray_app.core.errors import (
    BrokerUnavailable,
    KeyringUnavailable,
    KeysRefused,
    KiwoomTokenError,
    RateLimited,
    RevokeFailed,
    StoreError,
)
from tray_app.core.notices import Notice
from tray_app.core.token import token_for
from tray_app.core.trading import is_trading
from tray_app.settings.load import load_settings
from tray_app.supervisor.commands import Clear, Command, Refresh, Rotate, Verify
from tray_app.supervisor.jobs import Job
from tray_app.supervisor.supervisor import Callbacks, Supervisor

POLICIES = st.sampled_from(["auto", "notify", "daily 06:30", "daily 22:00"])
FAILURES = st.sampled_from(
    [
        None,
        BrokerUnavailable("no"),
        RateLimited("no", retry_after=30.0),
        KeysRefused("no"),
        KeysRefused("no", remedy="open-portal"),
        StoreError("no"),
        RevokeFailed("no"),
        RuntimeError("unexpected"),
    ]
)


class Service(FakeService):
    """Notes a rotation of a token that works while the market is open."""

    def __init__(self, clock: Clock, folder: Path) -> None:
        super().__init__(clock, folder)
        self.cut: list[float] = []

    def renew(self, seen: Any, *, rotate: bool = False) -> Any:
        is_unexpired = self.token is not None and self.token.is_unexpired(self.clock())
        if rotate and is_unexpired and is_trading(self.clock()):
            self.cut.append(self.clock())
        return super().renew(seen, rotate=rotate)


class SupervisorMachine(RuleBasedStateMachine):
    """One supervisor; jobs are run at once, or in any order while they are held."""

    def __init__(self) -> None:
        super().__init__()
        random.seed(1)
        self.folder = Path(tempfile.mkdtemp(prefix="machine"))
        self.clock = Clock()
        self.service = Service(self.clock, self.folder)
        self.notices: list[Notice] = []
        self.is_held = False
        self.waiting: list[Job[Any]] = []
        self.number = 0
        self.supervisor = self.start("auto")

    def start(self, policy: str) -> Supervisor:
        self.waiting.clear()
        supervisor = Supervisor(
            load_settings(policy=policy),
            lambda _: self.service,  # type: ignore[arg-type,return-value]
            Callbacks(notice=self.notices.append),
            run_read=self.take,
            run_act=self.take,
            clock=self.clock,
        )
        supervisor.read()
        return supervisor

    def teardown(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def take(self, job: Job[Any]) -> None:
        if self.is_held:
            self.waiting.append(job)
        else:
            job.run()
            job.finish()

    @initialize(policy=POLICIES, has_token=st.booleans())
    def begin(self, policy: str, has_token: bool) -> None:
        if has_token:
            self.another_program_stores(DAY)
        self.supervisor = self.start(policy)

    @rule(policy=POLICIES)
    def restart(self, policy: str) -> None:
        self.supervisor = self.start(policy)

    @rule(policy=POLICIES)
    def settings_change(self, policy: str) -> None:
        self.supervisor.apply(load_settings(policy=policy))

    @rule(seconds=st.sampled_from([1.0, 59.0, 600.0, 3600.0, 30000.0, DAY, -5.0, -7200.0]), resumed=st.booleans())
    def time_passes(self, seconds: float, resumed: bool) -> None:
        self.clock.advance(seconds)
        self.supervisor.tick(resumed=resumed)

    @rule(seconds=st.sampled_from([60.0, 200.0, DAY, 2 * DAY]))
    def another_program_stores(self, seconds: float) -> None:
        self.number += 1
        token = token_for(f"stored-{self.number}", seconds, self.clock())
        self.service.known = self.service.known.confirmed(token, self.clock())
        self.service.hold(token)

    @precondition(lambda self: self.service.token is not None)
    @rule()
    def another_program_clears(self) -> None:
        self.service.known = self.service.known.unknown()
        self.service.hold(None)

    @precondition(lambda self: self.service.token is not None)
    @rule(how=st.sampled_from(["doubted", "died"]))
    def something_speaks_against_it(self, how: str) -> None:
        token = self.service.token
        assert token is not None
        if how == "doubted":
            self.service.known = self.service.known.doubted(token, self.clock())
        else:
            self.service.known = self.service.known.died(token, self.clock())
            self.service.hold(None)

    @rule(is_alive=st.booleans())
    def kiwoom_thinks(self, is_alive: bool) -> None:
        self.service.is_alive = is_alive

    @rule(failure=FAILURES)
    def requests_fail(self, failure: Exception | None) -> None:
        self.service.failure = failure

    @rule(failure=st.sampled_from([None, StoreError("no"), KeyringUnavailable("no", problem="locked")]))
    def reads_fail(self, failure: Exception | None) -> None:
        self.service.unreadable = failure
        self.service.store.number += 1

    @rule(interrupted=st.booleans())
    def a_rotation_is_interrupted(self, interrupted: bool) -> None:
        self.service.interrupted = interrupted

    @rule(command=st.sampled_from([Refresh, Rotate, Verify, lambda: Clear(revoke=False), lambda: Clear(revoke=True)]))
    def user_chooses(self, command: Any) -> None:
        if command is not Verify or self.service.token is not None:
            chosen: Command[Any] = command()
            self.supervisor.do(chosen)

    @rule(seconds=st.sampled_from([0.0, 600.0, 7200.0]))
    def snooze(self, seconds: float) -> None:
        self.supervisor.snooze(seconds)

    @rule(is_held=st.booleans())
    def screen(self, is_held: bool) -> None:
        self.supervisor.hold(is_held)

    @rule()
    def hold_jobs(self) -> None:
        self.is_held = True

    @rule(chance=st.randoms(use_true_random=False))
    def release_jobs(self, chance: random.Random) -> None:
        """Reads and actions are done on two threads; each keeps its order, but not between them."""
        self.is_held = False
        while self.waiting:
            self.take(self.waiting.pop(0))
        chance.random()

    @rule()
    def settle(self) -> None:
        self.release_jobs_now()
        self.supervisor.read()
        told = len(self.notices)
        for _ in range(40):
            moment = self.supervisor.next_moment()
            if moment is None or moment > self.clock():
                break
            self.supervisor.tick()
        else:
            raise AssertionError("it turns in circles")
        assert len(self.notices) - told <= 6, "it tells the same again and again"
        self.shows_what_is_stored()

    def release_jobs_now(self) -> None:
        self.is_held = False
        while self.waiting:
            self.take(self.waiting.pop(0))

    def shows_what_is_stored(self) -> None:
        if self.service.unreadable is not None:
            return
        token, state = self.service.token, self.supervisor.state
        assert state.expires == (None if token is None else token.expires)
        assert self.supervisor.is_idle

    @rule()
    def works_again(self) -> None:
        """Nothing fails any more: a token that is wanted is there within a quarter of an hour."""
        self.service.failure = self.service.unreadable = None
        self.service.is_alive = True
        self.settle()
        policy, state = self.supervisor.settings.policy, self.supervisor.state
        is_wanted = policy != "notify" and state.renew_at is not None
        if is_wanted and (self.service.token is None or not self.service.token.is_unexpired(self.clock())):
            self.clock.advance(901.0)
            self.settle()
            assert self.service.token is not None
            assert self.service.token.is_unexpired(self.clock())

    @invariant()
    def no_token_is_cut_in_trading_hours(self) -> None:
        assert not self.service.cut

    @invariant()
    def errors_are_ours(self) -> None:
        last = self.supervisor.state.last
        assert last is None or last.error is None or isinstance(last.error, KiwoomTokenError)
        assert START  # the clock of these tests begins there


TestSupervisorMachine = SupervisorMachine.TestCase
