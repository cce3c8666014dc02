"""Two programs with one token, Kiwoom, and everything that can happen to them in any order: what must hold always."""

from __future__ import annotations

import contextlib
import random
import shutil
import tempfile
from pathlib import Path
from unittest import mock

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.doubles import KEYS, Clock
from tests.endurance.simulated_kiwoom import EVERY_REQUEST, ISSUE, Fault, Kiwoom, SimulatedBroker
from tray_app.core.errors import KiwoomTokenError, NoToken, StoreError
from tray_app.core.secret import Secret
from tray_app.core.token import token_for
from tray_app.service.last_attempt import REFUSED_PAUSE_SECONDS
from tray_app.service.token_service import TokenService
from tray_app.stores.file import FileStore
from tray_app.stores.lock import ProfileLock

WHO = st.integers(0, 1)
FAULTS = st.sampled_from(["http-500", "html", "offline", "timeout", "lost", "1700", "8050", "8015"])


class Disk(FileStore):
    """A token file on a disk that may be full."""

    is_full = False

    def write(self, token: object) -> object:
        if Disk.is_full:
            raise StoreError("no room")
        return super().write(token)  # type: ignore[arg-type]


class TokenMachine(RuleBasedStateMachine):
    """The life of a token at Kiwoom and in the store."""

    def __init__(self) -> None:
        super().__init__()
        random.seed(1)
        Disk.is_full = False
        self.folder = Path(tempfile.mkdtemp(prefix="machine"))
        self.clock = Clock()
        self.kiwoom = Kiwoom(
            now=self.clock,
            pass_time=self.clock.advance,
            latency=lambda: 0.1,
            is_clock_right=lambda: True,
            can_be_stored=lambda: not Disk.is_full,
        )
        self.programs = [self.start(), self.start()]
        self.pasted = 0
        self.reported_at: dict[str, float] = {}

    def start(self) -> TokenService:
        path = str(self.folder / "data" / ".token")
        store = Disk(path, ProfileLock(path + ".lock"), self.clock)
        return TokenService(
            "default", store, lambda: KEYS, lambda: SimulatedBroker(self.kiwoom, self.clock), self.clock
        )

    def teardown(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    @initialize(replaces=st.booleans())
    def choose(self, replaces: bool) -> None:
        self.kiwoom.replaces = replaces

    @rule(who=WHO)
    def ensure(self, who: int) -> None:
        self.given(who, lambda one: one.ensure().token.value.reveal())

    @rule(who=WHO)
    def refresh(self, who: int) -> None:
        self.given(who, lambda one: one.refresh().token.value.reveal())

    @rule(who=WHO)
    def rotate(self, who: int) -> None:
        self.given(who, lambda one: one.refresh(rotate=True).token.value.reveal())

    @rule(who=WHO)
    def renew(self, who: int) -> None:
        self.given(who, lambda one: one.renew(one.current()).token.value.reveal())

    @rule(who=WHO)
    def was_refused(self, who: int) -> None:
        """A tool was refused with the token that it has, and reports that: Kiwoom is asked about it once a minute."""
        refused = self.living(who)
        is_recent = self.clock() - self.reported_at.get(refused or "", 0.0) < REFUSED_PAUSE_SECONDS
        if refused is not None and not self.works(refused) and not is_recent:
            self.kiwoom.known_dead.setdefault(refused, self.clock())
            self.given(who, lambda one: one.replace_refused(Secret(refused)).token.value.reveal())

    @rule(who=WHO)
    def was_refused_by_mistake(self, who: int) -> None:
        refused = self.living(who)
        if refused is not None and self.works(refused):
            self.reported_at[refused] = self.clock() + 1.0
            self.given(who, lambda one: one.replace_refused(Secret(refused)).token.value.reveal())

    @rule(who=WHO)
    def doubt(self, who: int) -> None:
        refused = self.living(who)
        if refused is not None:
            self.try_to(lambda: self.programs[who].doubt(Secret(refused)))

    @rule(who=WHO)
    def verify(self, who: int) -> None:
        self.try_to(self.programs[who].verify)

    @rule(who=WHO, seconds=st.sampled_from([400.0, 86400.0]))
    def put(self, who: int, seconds: float) -> None:
        """The user pastes a token; half the time one that Kiwoom never gave."""
        self.pasted += 1
        value = next((one for one in self.kiwoom.alive if self.works(one)), f"pasted-{self.pasted}")
        self.try_to(lambda: self.programs[who].put(token_for(value, seconds, self.clock())))

    @rule(who=WHO, revoke=st.booleans())
    def clear(self, who: int, revoke: bool) -> None:
        try:
            self.programs[who].clear(revoke=revoke)
        except KiwoomTokenError:
            return
        assert self.living(who) is None
        assert self.living(1 - who) is None

    @rule(who=WHO)
    def restart(self, who: int) -> None:
        self.programs[who] = self.start()

    @rule(seconds=st.sampled_from([1.0, 70.0, 700.0, 7000.0, 86000.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule()
    def dies(self) -> None:
        for token in list(self.kiwoom.alive):
            self.kiwoom.kill(token)

    @rule()
    def is_issued_elsewhere(self) -> None:
        self.kiwoom.issue()

    @rule(name=FAULTS, on=st.sampled_from([EVERY_REQUEST, frozenset({ISSUE})]), times=st.integers(1, 3))
    def fails(self, name: str, on: frozenset[str], times: int) -> None:
        self.kiwoom.faults.append(Fault(name, on, times=times))

    @precondition(lambda self: self.kiwoom.faults)
    @rule()
    def works_again(self) -> None:
        self.kiwoom.faults.clear()

    @rule(is_full=st.booleans())
    def disk(self, is_full: bool) -> None:
        Disk.is_full = is_full

    @rule(who=WHO)
    def settles(self, who: int) -> None:
        """Nothing is wrong any more: within an hour there is a token that works, and both programs have it."""
        self.kiwoom.faults.clear()
        Disk.is_full = False
        self.clock.advance(3601.0)
        one, other = self.programs[who], self.programs[1 - who]
        token = one.ensure().token.value.reveal()
        if not self.works(token):
            assert not one.verify().is_alive
            token = one.ensure().token.value.reveal()
        assert self.works(token)
        other.ensure()
        assert self.living(1 - who) == self.living(who)

    @invariant()
    def nobody_has_a_token_that_is_known_to_be_dead(self) -> None:
        for who in (0, 1):
            token = self.living(who)
            assert token is None or token not in self.kiwoom.known_dead
            assert token is None or self.programs[who].current().is_unexpired(self.clock())

    def given(self, who: int, ask: object) -> None:
        with mock.patch("time.sleep", self.clock.advance):
            try:
                token = ask(self.programs[who])  # type: ignore[operator]
            except KiwoomTokenError:
                return
        assert token not in self.kiwoom.known_dead

    def try_to(self, act: object) -> None:
        with contextlib.suppress(KiwoomTokenError):
            act()  # type: ignore[operator]

    def living(self, who: int) -> str | None:
        try:
            return self.programs[who].living().value.reveal()
        except NoToken:
            return None

    def works(self, token: str) -> bool:
        return self.kiwoom.works(token)


TestTokenMachine = TokenMachine.TestCase
