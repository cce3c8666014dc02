"""A token service that a test holds in its hands."""

from __future__ import annotations

import threading
from contextlib import nullcontext
from pathlib import Path

from tests.doubles import Clock
from tray_app.core.errors import KeyringUnavailable, KiwoomTokenError, StoreError
from tray_app.core.token import Token, token_for
from tray_app.service.evidence import Evidence
from tray_app.service.last_attempt import LastAttempt
from tray_app.service.lock_record import LockRecord
from tray_app.service.outcome import Cleared, Outcome, Verified
from tray_app.stores.base import Place

DAY = 86400.0


class FakeStore:
    """A store that only says when it changed; `asked` counts how often it was asked that."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "kept" / ".token"
        self.lock = nullcontext()
        self.number = 0
        self.asked = 0
        self.problem: KeyringUnavailable | None = None

    def place(self) -> Place:
        return Place("memory", problem=self.problem)

    def version(self) -> object:
        self.asked += 1
        return self.number

    def watch_paths(self) -> list[str]:
        return [str(self.path)]

    def check(self) -> None:
        """Nothing is learnt."""


class FakeService:
    """A token service that counts its calls and can be made to fail; `gate` holds up what asks Kiwoom."""

    exports = None

    def __init__(self, clock: Clock, folder: Path) -> None:
        self.clock = clock
        self.store = FakeStore(folder)
        self.token: Token | None = None
        self.unreadable: Exception | None = None
        self.has_keys_entered_elsewhere = False
        self.failure: Exception | None = None
        self.answer: Outcome | None = None
        self.cleared: Cleared | None = None
        self.unpublished: tuple[KiwoomTokenError, ...] = ()
        self.calls: list[str] = []
        self.recorded: list[Token | None] = []
        self.interrupted = False
        self.last_held: Token | None = None
        self.rotate_at: float | None = None
        self.known = Evidence()
        self.is_alive = True
        self.checks = 0
        self.reads = 0
        self.published = 0
        self.withdrawn: list[Token | None] = []
        """What was stored before, as each call of `publish` was told."""
        self.unsaved: Token | None = None
        self.gate = threading.Event()
        self.gate.set()

    def hold(self, token: Token | None) -> None:
        """Let another program change the token."""
        self.last_held = self.token or self.last_held
        self.token = token
        self.store.number += 1

    @property
    def tokens(self) -> FakeService:
        return self

    def has_other_keys(self) -> bool:
        return self.has_keys_entered_elsewhere

    def evidence(self) -> Evidence:
        return self.known

    def read_record(self) -> LockRecord:
        lost = self.last_held if self.interrupted else None
        last = LastAttempt() if lost is None else LastAttempt.rotation_begun(lost, self.clock())
        return LockRecord(last, self.known, self.rotate_at)

    def plan_rotation(self, at: float | None, *, instead_of: float | None = None) -> bool:
        if instead_of is not None and instead_of != self.rotate_at:
            return False
        self.calls.append("plan")
        self.rotate_at = at
        return True

    def watch_paths(self) -> list[str]:
        return self.store.watch_paths()

    def verify(self, *, is_patient: bool = False) -> Verified:
        self.checks += 1
        if self.unreadable is not None:
            raise self.unreadable
        assert self.token is not None
        token = self.token
        if self.is_alive:
            self.known = self.known.confirmed(token, self.clock())
        else:
            self.known = self.known.died(token, self.clock())
            self.hold(None)
        return Verified(token, self.clock(), is_alive=self.is_alive)

    def current(self) -> Token | None:
        self.reads += 1
        if self.unreadable is not None:
            raise self.unreadable
        return self.token

    def present(self) -> tuple[Token | None, StoreError | None]:
        if isinstance(self.unreadable, StoreError):
            return None, self.unreadable
        return self.token, None

    def living(self) -> Token:
        if self.failure is not None:
            raise self.failure
        assert self.token is not None
        return self.token

    def record_found(self, token: Token | None, at: float) -> None:
        self.recorded.append(token)

    def publish(self, seen: Token | None = None) -> tuple[KiwoomTokenError, ...]:
        self.published += 1
        self.withdrawn.append(seen)
        return self.unpublished

    def refresh(self, *, rotate: bool = False) -> Outcome:
        return self.ask("rotate" if rotate else "refresh")

    def renew(self, seen: Token | None, *, rotate: bool = False) -> Outcome:
        return self.ask("renew by rotation" if rotate else "renew")

    def put(self, token: Token) -> None:
        self.calls.append("put")
        self.hold(token)

    def clear(self, *, revoke: bool = False) -> Cleared:
        self.calls.append("revoke" if revoke else "clear")
        self._wait()
        cleared = self.cleared or Cleared(was_there=self.token is not None, revoked=revoke)
        self.hold(None)
        return cleared

    def ask(self, call: str) -> Outcome:
        """Answer as Kiwoom would: with `answer`, else with a new token."""
        self.calls.append(call)
        self._wait()
        outcome = self.answer or Outcome(token_for(f"token-{len(self.calls)}", DAY, self.clock()), Outcome.ISSUED)
        self.known = self.known.confirmed(outcome.token, self.clock())
        self.hold(outcome.token)
        return outcome

    def _wait(self) -> None:
        assert self.gate.wait(10)
        if self.failure is not None:
            raise self.failure
