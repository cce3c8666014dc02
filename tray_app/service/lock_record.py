"""The record in the profile's lock: the last attempt to ask Kiwoom, the evidence about the token, and a plan for it."""

from __future__ import annotations

from tray_app.service.evidence import Evidence
from tray_app.service.last_attempt import LastAttempt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from tray_app.core.token import Token
    from tray_app.stores.lock import ThreadLock


_LONGEST_DELAY_SECONDS = 43200.0
"""A plan that nobody was there to carry out, because the computer slept, is carried out no later than this."""

_FURTHEST_SECONDS = 2 * 86400.0
"""A plan is for the next night; one further ahead stands only in a damaged record."""


class LockRecord:
    """All parts of the record, read together. Only whoever holds the lock writes them back.

    `rotate_at` is when to revoke and reissue the token once, in seconds of the epoch, or None.
    """

    __slots__ = ("evidence", "last", "rotate_at")

    def __init__(self, last: LastAttempt, evidence: Evidence, rotate_at: float | None = None) -> None:
        self.last = last
        self.evidence = evidence
        self.rotate_at = rotate_at

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any], now: float) -> LockRecord:
        """Return the record as seen at `now`, in seconds of the epoch."""
        return cls(LastAttempt.from_record(fields, now), Evidence.from_record(fields, now), _plan(fields, now))

    def is_gone(self, token: Token) -> bool:
        """Return True if nobody may get the token: it is known to be dead, or it was being revoked and the outcome is
        unknown."""
        return self.last.is_revoking(token) or self.evidence.says_dead(token.value)

    def was_interrupted(self, lost: Token | None) -> bool:
        """Return True if `lost` is gone though nobody wished to be without a token: it was found dead, or a rotation
        has revoked it and got no other, because its program was killed or Kiwoom issued none."""
        return lost is not None and (self.last.is_revoking(lost) or self.evidence.says_died(lost.value))

    def gone_tokens(self) -> frozenset[str]:
        """Return the fingerprints of the tokens that nobody is to get."""
        return (self.evidence.ended() | {self.last.revoking}) - {""}

    def doubted(self) -> str:
        """Return the fingerprint of the token that is in doubt, or an empty string."""
        return self.evidence.token if self.evidence.doubted_at else ""

    def replace(
        self, *, last: LastAttempt | None = None, evidence: Evidence | None = None, rotate_at: float | None = None
    ) -> LockRecord:
        """Return the record with these parts in place of its own; 0 for `rotate_at` drops the plan."""
        plan = self.rotate_at if rotate_at is None else rotate_at or None
        return LockRecord(last or self.last, evidence or self.evidence, plan)

    def write(self, lock: ThreadLock) -> None:
        """Put the record into the lock, in place of the one that is there."""
        plan = {} if self.rotate_at is None else {"rotate_at": self.rotate_at}
        lock.write_record({**self.last.to_record(), "evidence": self.evidence.to_record(), **plan})


def _plan(fields: Mapping[str, Any], now: float) -> float | None:
    at = fields.get("rotate_at")
    if isinstance(at, bool) or not isinstance(at, (int, float)):
        return None
    return float(at) if now - _LONGEST_DELAY_SECONDS <= at <= now + _FURTHEST_SECONDS else None
