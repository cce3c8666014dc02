"""The one rotation that the user has planned."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tray_app.core.errors import KiwoomTokenError


class DroppedPlan(NamedTuple):
    """A plan that ended without another token: when it was for, in seconds of the epoch, and why, or None if its
    moment was missed."""

    at: float
    error: KiwoomTokenError | None


class PlannedRotation:
    """When to revoke and reissue the token once.

    The plan is written down in the lock's record, which shows it as it was while it is tried again, and for a moment
    after it is over. `at` is when it is due, in seconds of the epoch, or None without one; `dropped` is the last one
    that was dropped.
    """

    def __init__(self) -> None:
        self.at: float | None = None
        self.dropped: DroppedPlan | None = None
        self._postponed: float | None = None
        self._over: float | None = None

    def is_due(self, now: float) -> bool:
        """Return True if its moment has come."""
        return self.at is not None and self.at <= now

    def take(self, at: float | None) -> None:
        """Take over the plan that the record shows, or that there is none."""
        if at is None or at != self._postponed:
            self.at = None if at == self._over else at
            self._postponed = None

    def postpone(self, at: float) -> None:
        """Try again at that instant."""
        self._postponed = self._postponed or self.at
        self.at = at

    def advance(self) -> None:
        """Wait no longer for the instant of the next try."""
        self.at = self._postponed or self.at

    def end(self) -> None:
        """Take note that it was carried out, or came to something else."""
        self._over, self.at, self._postponed = self._postponed or self.at, None, None

    def drop(self, error: KiwoomTokenError | None = None) -> None:
        """End it because it was refused for good, or was missed."""
        at = self._postponed or self.at
        if at is not None:
            self.dropped = DroppedPlan(at, error)
        self.end()
