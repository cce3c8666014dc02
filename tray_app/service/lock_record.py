"""The record in the profile's lock: the last attempt to ask Kiwoom, and the evidence about the token."""

from __future__ import annotations

from tray_app.service.evidence import Evidence
from tray_app.service.last_attempt import LastAttempt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from tray_app.core.token import Token
    from tray_app.stores.lock import ThreadLock


class LockRecord:
    """Both halves of the record, read together. Only whoever holds the lock writes one back."""

    __slots__ = ("evidence", "last")

    def __init__(self, last: LastAttempt, evidence: Evidence) -> None:
        self.last = last
        self.evidence = evidence

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any], now: float) -> LockRecord:
        """Read the record as it is at `now`, in seconds of the epoch."""
        return cls(LastAttempt.from_record(fields, now), Evidence.from_record(fields, now))

    def is_gone(self, token: Token) -> bool:
        """Return True if nobody may get the token: it is known to be dead, or it was being revoked and the outcome is
        unknown."""
        return self.last.is_revoking(token) or self.evidence.says_dead(token.value)

    def write(self, lock: ThreadLock, *, last: LastAttempt | None = None, evidence: Evidence | None = None) -> None:
        """Replace one half or both, here and in the lock."""
        self.last = last or self.last
        self.evidence = evidence or self.evidence
        lock.write_record({**self.last.to_record(), "evidence": self.evidence.to_record()})
