"""When to ask Kiwoom, without the user's request, if a token still works: the policy alone.

A check is one small request (ka00001). It is due at the start, after the computer slept, when there is evidence against
the token, shortly before trading begins, and every ten minutes while the market is open. It is never due within a
minute of the last confirmation, and after a check without an answer only after a growing pause.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tray_app.core.trading import is_trading, last_check_before_trading, next_check_before_trading

if TYPE_CHECKING:
    from tray_app.core.token import Token

RECENT_SECONDS = 60.0
"""A token that was confirmed within this time is not asked about again."""

_TRADING_SECONDS = 600.0
_FIRST_PAUSE_SECONDS = 60.0
_LONGEST_PAUSE_SECONDS = 600.0


class VerificationSchedule:
    """Decide when one profile's token is to be verified.

    `mode` is `real` or `demo`, whose trading hours differ. Without `is_on` only the user's own request leads to a
    check. Instants are seconds of the epoch.
    """

    def __init__(self, mode: str, *, is_on: bool) -> None:
        self._mode = mode
        self._is_on = is_on
        self._is_wanted = True
        self._not_before = 0.0
        self._failed_at = 0.0
        self._pause = 0.0

    def reconfigure(self, mode: str, *, is_on: bool) -> None:
        """Apply other settings."""
        self._mode, self._is_on = mode, is_on

    def want(self, *, at_once: bool = True) -> None:
        """Check once more: the computer slept, its clock was set, or there is evidence against the token. Without
        `at_once` a pause after a check that failed goes on."""
        self._is_wanted = True
        if at_once:
            self._not_before = self._pause = 0.0

    def answered(self) -> None:
        """Take note that Kiwoom said whether the token works."""
        self._is_wanted = False
        self._not_before = self._pause = 0.0

    def failed(self, now: float, retry_after: float | None = None, *, is_doubtful: bool = False) -> None:
        """Take note that Kiwoom did not say, and wait for `retry_after` seconds or a growing pause; one in doubt may be
        withheld from everybody, so that pause does not grow."""
        longest = _FIRST_PAUSE_SECONDS if is_doubtful else _LONGEST_PAUSE_SECONDS
        self._pause = min(max(2 * self._pause, _FIRST_PAUSE_SECONDS), longest)
        self._failed_at = now
        self._not_before = now + max(self._pause, retry_after or 0.0)

    def is_due(self, token: Token | None, confirmed_at: float | None, now: float, *, is_doubtful: bool) -> bool:
        """Return True if a check is due. `confirmed_at` is when Kiwoom last said that this token works, or None."""
        moment = self.next_moment(token, confirmed_at, now, is_doubtful=is_doubtful)
        return moment is not None and moment <= now

    def next_moment(
        self, token: Token | None, confirmed_at: float | None, now: float, *, is_doubtful: bool
    ) -> float | None:
        """Return when the next check is due, not before `now`, or None while there is nothing to check."""
        if not self._is_on or token is None or not token.is_unexpired(now):
            return None
        since = confirmed_at if confirmed_at is not None and confirmed_at <= now else 0.0  # the clock was set back
        moments = [max(next_check_before_trading(now, self._mode), since + RECENT_SECONDS)]
        if is_doubtful:
            moments.append(now)
        if self._is_wanted or since < last_check_before_trading(now, self._mode):
            moments.append(since + RECENT_SECONDS)
        next_in_trading = max(now, since + _TRADING_SECONDS)
        if is_trading(next_in_trading, self._mode):
            moments.append(next_in_trading)
        not_before = self._not_before if self._failed_at <= now else 0.0  # the clock was set back
        return max(now, not_before, min(moments))
