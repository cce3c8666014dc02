"""The record in the profile's lock: the last attempt to ask Kiwoom, the evidence about the token, a plan for it, the
last check of it that failed, and the tokens that could not be stored, or were cleared since."""

from __future__ import annotations

from tray_app.service.evidence import Evidence
from tray_app.service.last_attempt import LastAttempt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from tray_app.core.errors import BrokerError, StoreError
    from tray_app.core.token import Token
    from tray_app.stores.lock import ThreadLock


_LONGEST_DELAY_SECONDS = 43200.0
"""A plan that nobody was there to carry out, because the computer slept, is carried out no later than this."""

_FURTHEST_SECONDS = 2 * 86400.0
"""A plan is for the next night; one further ahead stands only in a damaged record."""

_UNSAVED_PAUSE_SECONDS = 3600.0
"""How long nobody asks again because a token could not be stored, where asking takes that token away."""

_LONGEST_FINGERPRINT = 64
_MOST_UNSAVED = 4

NO_CHECK = LastAttempt()


class LockRecord:
    """All parts of the record, read together. Only whoever holds the lock writes them back.

    `rotate_at` is when to revoke and reissue the token once, in seconds of the epoch, or None. `check` is the last
    check that somebody asked for and to which Kiwoom did not say whether the token works. `unsaved` has the
    fingerprints of the tokens that could not be stored: each is only in the memory of the program that got it.
    `cleared` has those of such tokens that were cleared since, though Kiwoom has not ended them: see `was_cleared`.
    """

    __slots__ = ("check", "cleared", "evidence", "last", "rotate_at", "unsaved")

    def __init__(
        self,
        last: LastAttempt,
        evidence: Evidence,
        rotate_at: float | None = None,
        check: LastAttempt = NO_CHECK,
        unsaved: tuple[str, ...] = (),
        *,
        cleared: tuple[str, ...] = (),
    ) -> None:
        self.last = last
        self.evidence = evidence
        self.rotate_at = rotate_at
        self.check = check
        self.unsaved = unsaved
        self.cleared = cleared

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any], now: float) -> LockRecord:
        """Return the record as seen at `now`, in seconds of the epoch."""
        check = fields.get("check")
        return cls(
            LastAttempt.from_record(fields, now),
            Evidence.from_record(fields, now),
            _plan(fields, now),
            LastAttempt.from_record(check, now) if isinstance(check, dict) else NO_CHECK,
            _names(fields, "unsaved"),
            cleared=_names(fields, "cleared"),
        )

    def is_gone(self, token: Token) -> bool:
        """Return True if nobody may get the token: it is known to have ended, or it was being revoked and the outcome
        is unknown."""
        return self.last.is_revoking(token) or self.evidence.says_ended(token.value)

    def was_cleared(self, token: Token) -> bool:
        """Return True if the token could not be stored, and was cleared since. A program that has it in memory is not
        to use it; the same token may be stored again."""
        return bool(self.cleared) and token.value.fingerprint() in self.cleared

    def was_interrupted(self, lost: Token | None) -> bool:
        """Return True if `lost` is gone though nobody removed it on purpose: it was found dead, or a rotation
        has revoked it and got no other, because its program was killed or Kiwoom issued none."""
        return lost is not None and (self.last.is_revoking(lost) or self.evidence.says_dead(lost.value))

    def check_failure(self, token: Token | None, now: float) -> BrokerError | None:
        """Return why Kiwoom did not say whether the token works when it was last asked; None once it has said so."""
        if token is None or self.check.refused != token.value.fingerprint():
            return None
        confirmed_at = self.evidence.confirmed_at if self.evidence.is_about(token.value) else 0.0
        return self.check.failure(now) if self.check.at > confirmed_at else None

    def unsaved_with(self, token: Token, error: StoreError | None) -> tuple[str, ...]:
        """Return `unsaved` after an attempt to store this token: with its fingerprint if that ended with `error`, else
        without it."""
        name = token.value.fingerprint()
        others = tuple(one for one in self.unsaved if one != name)
        return others if error is None else (*others, name)[-_MOST_UNSAVED:]

    def would_end_unsaved(self, now: float) -> bool:
        """Return whether asking now most likely ends a token that another program has and could not store."""
        name = self.last.token
        is_kept = name in self.unsaved and name not in self.gone_tokens()
        return self.last.ended_unsaved and is_kept and now - self.last.at < _UNSAVED_PAUSE_SECONDS

    def gone_tokens(self) -> frozenset[str]:
        """Return the fingerprints of the tokens that nobody is to get."""
        return (self.evidence.ended() | {self.last.revoking, *self.cleared}) - {""}

    def doubted(self) -> str:
        """Return the fingerprint of the token that is in doubt, or an empty string."""
        return self.evidence.token if self.evidence.doubted_at else ""

    def replace(
        self,
        *,
        last: LastAttempt | None = None,
        evidence: Evidence | None = None,
        rotate_at: float | None = None,
        check: LastAttempt | None = None,
        unsaved: tuple[str, ...] | None = None,
        cleared: tuple[str, ...] | None = None,
    ) -> LockRecord:
        """Return the record with these parts in place of its own; 0 for `rotate_at` drops the plan. The token that
        Kiwoom has issued or confirmed is no cleared one any more."""
        plan = self.rotate_at if rotate_at is None else rotate_at or None
        about = evidence or self.evidence
        names = self.cleared if cleared is None else cleared[-_MOST_UNSAVED:]
        return LockRecord(
            last or self.last,
            about,
            plan,
            check or self.check,
            self.unsaved if unsaved is None else unsaved,
            cleared=tuple(one for one in names if one != about.token),
        )

    def write(self, lock: ThreadLock) -> None:
        """Put the record into the lock, in place of the one that is there."""
        plan = {} if self.rotate_at is None else {"rotate_at": self.rotate_at}
        check = {"check": self.check.to_record()} if self.check.error else {}
        names = {"unsaved": list(self.unsaved), "cleared": list(self.cleared)}
        some = {name: listed for name, listed in names.items() if listed}
        lock.write_record({**self.last.to_record(), "evidence": self.evidence.to_record(), **plan, **check, **some})


class RecordCache:
    """A lock's record, read only when it was written since, on this computer. One that could not be read, or is not
    there, is read again."""

    def __init__(self, lock: ThreadLock, clock: Callable[[], float]) -> None:
        self._lock = lock
        self._clock = clock
        self._read: tuple[object, LockRecord] | None = None

    def get(self) -> LockRecord:
        """Return the record as it was seen when it was last read."""
        version = self._lock.record_version()
        if self._read is None or self._read[0] != version or version is None:
            fields = self._lock.read_record()
            record = LockRecord.from_fields(fields, self._clock())
            self._read = (version, record) if fields else None
            return record
        return self._read[1]


def _plan(fields: Mapping[str, Any], now: float) -> float | None:
    at = fields.get("rotate_at")
    if isinstance(at, bool) or not isinstance(at, (int, float)):
        return None
    return float(at) if now - _LONGEST_DELAY_SECONDS <= at <= now + _FURTHEST_SECONDS else None


def _names(fields: Mapping[str, Any], field: str) -> tuple[str, ...]:
    names = fields.get(field)
    if not isinstance(names, list):
        return ()
    return tuple(one for one in names[-_MOST_UNSAVED:] if isinstance(one, str) and len(one) <= _LONGEST_FINGERPRINT)
