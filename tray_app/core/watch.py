"""When to warn and when to renew: the whole policy, without a clock, a network or a screen of its own.

A program that keeps a token tells a `Watch` what it saw and what came of its requests; the watch answers what
is due now and when to look again. The tray and `kiwoom-token watch` both live by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from tray_app.core.errors import RevokeFailed
from tray_app.core.token import BUFFER_SECONDS
from tray_app.core.trading import evening_before, is_trading, last_time_of_day, opening_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tray_app.core.errors import KiwoomTokenError
    from tray_app.core.token import Token

NOTIFY = "notify"
AUTO = "auto"
DAILY = "daily"
_DAY_SECONDS = 86400.0

_LARGEST_LEAD = 0.25
"""Of a token that lives only minutes, as at the practice server, no more than this part is renewed away."""

_AFTER_END_SECONDS = 1.0
_JITTER_AFTER_END_SECONDS = 2.0
_FIRST_PAUSE_SECONDS = 10.0
_LONGEST_PAUSE_SECONDS = 600.0
_DOUBLINGS = 10
_LOSS_SECONDS = 60.0
"""A token that goes this soon after a rotation that failed went because of it."""


class NoticeKind(StrEnum):
    ENDING = "ending"
    ENDED = "ended"
    STOPPED = "stopped"
    TRADING_HOURS = "trading-hours"
    """Told the evening before: the token will end while the market is open."""
    NOT_ROTATED = "not-rotated"
    """Kiwoom gave the revoked token back."""


class Due(StrEnum):
    """What to ask Kiwoom for now."""

    RENEW = "renew"
    ROTATE = "rotate"


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to tell the user. `expires` is the end of the token in seconds of the epoch."""

    kind: NoticeKind
    expires: float = 0.0
    error: KiwoomTokenError | None = None


class Watch:
    """The watch over one profile's token.

    `policy` is `notify`, `auto` or `daily HH:MM` (Korean time); `renew_before` and `warn_before` are seconds before
    the end, 0 meaning the end itself; `random` gives numbers from 0 to 1 and spreads the requests of many machines.
    """

    def __init__(
        self, policy: str, renew_before: float, warn_before: tuple[int, ...], random: Callable[[], float]
    ) -> None:
        self._policy, _, time_of_day = policy.partition(" ")
        self._rotates_at = int(time_of_day[:2]) * 60 + int(time_of_day[3:]) if self._policy == DAILY else None
        self._rotates_next = False
        self._rotation_failed_at: float | None = None
        self._revocable = True
        self._told_trading_hours = False
        self._renew_before = renew_before
        self._warn_before = tuple(sorted(warn_before, reverse=True))
        self._random = random
        self._token: Token | None = None
        self._started = False
        self._failures = 0
        self._failed_at = 0.0
        self._warned: set[float] = set()
        self._news: Notice | None = None
        self.renew_at: float | None = None
        self.stopped = False

    def saw(self, token: Token | None, now: float) -> None:
        """What the store holds now."""
        before, self._token = self._token, token
        first, self._started = not self._started, True
        if token is None:
            self._lost(before, now, at_start=first)
        elif before is None or (before.value, before.expires_at) != (token.value, token.expires_at):
            self._took(token, now)

    def answered(self, token: Token, now: float, *, same: bool, rotated: bool = False) -> None:
        """Kiwoom gave this token; `same` when it is the one that was there, with the same end.

        When that came of a rotation, rotating brings nothing: from then on the token is renewed as with `auto`.
        """
        in_vain = same and rotated and self._rotates_at is not None
        if in_vain:
            self._rotates_at = None
        self.saw(token, now)
        if in_vain:
            self._news = Notice(NoticeKind.NOT_ROTATED, token.expires)
            self._told_trading_hours = True  # to rotate it by hand would not help either
        self._failures = 0
        self.stopped = False
        if same:
            rotation = self._rotation_of(token, now)
            if rotation is None:
                self._plan(token.expires + self._spread_after_end())
            else:
                self._plan(rotation, rotates=True)

    def failed(self, error: KiwoomTokenError, now: float, *, rotating: bool = False) -> None:
        """A request failed. What can mend itself is tried again, later and later; the rest waits for the user.

        `rotating` when it was to revoke the token first: then the token may be gone without another in its place.
        """
        if rotating:
            self._rotation_failed_at = now
        if isinstance(error, RevokeFailed) and self._token is not None:
            self._revocable = False
            if self._rotates_next:
                self._plan(self._usual_moment(self._token))
            return
        if not error.retry:
            if not self.stopped:
                self._news = Notice(NoticeKind.STOPPED, error=error)
            self.stopped = True
            self.renew_at = None
            return
        if self._rotates_next and self._token is not None and self.renew_at is not None and now < self.renew_at:
            return  # what the user asked for failed: the quiet hour is still to come
        self._failures += 1
        self._failed_at = now
        self._plan(now + self._pause(error, now), rotates=self._rotates_next)

    def cleared(self) -> None:
        """The user cleared the token: nothing is asked until the user wants one or another tool brings one."""
        self._token = None
        self.renew_at = None
        self.stopped = False

    def resume(self, now: float) -> None:
        """The user mended what it stopped for: it tries again now."""
        if self.stopped:
            self.stopped = False
            self._news = None
            self._failures = 0
            self._plan(now)

    def due(self, now: float) -> Due | None:
        """What to ask Kiwoom for now, or None. No living token is revoked while the market is open."""
        if self._failures and self.renew_at is not None and now < self._failed_at:  # the clock was set back
            self._plan(now + self.renew_at - self._failed_at, rotates=self._rotates_next)
            self._failed_at = now
        if self.renew_at is None or now < self.renew_at:
            return None
        if not self._rotates_next:
            return Due.RENEW
        if self._token is not None and self._token.lives(now) and is_trading(now):
            self._plan(self._usual_moment(self._token))
            return self.due(now)
        return Due.ROTATE

    def notices(self, now: float) -> list[Notice]:
        """What to tell the user now, each once; of several that fell due while nobody looked only the last."""
        due: list[Notice] = []
        if self._news is not None:
            due.append(self._news)
            self._news = None
        token = self._token
        if token is None:
            return due
        passed = [one for one in self._warn_before if token.expires - one <= now and one not in self._warned]
        self._warned.update(passed)
        if passed:
            ended = token.expires <= now
            if not ended or 0 in passed:
                due.append(Notice(NoticeKind.ENDED if ended else NoticeKind.ENDING, token.expires))
        if not due and self._ends_in_trading_hours(token) and evening_before(token.expires) <= now:
            self._told_trading_hours = True
            if now < opening_of(token.expires):
                due.append(Notice(NoticeKind.TRADING_HOURS, token.expires))
        return due

    def next_moment(self, now: float) -> float | None:
        """When something will be due next (seconds of the epoch), or None."""
        moments = [] if self.renew_at is None else [self.renew_at]
        if self._token is not None:
            moments += [self._token.expires - one for one in self._warn_before if one not in self._warned]
            if self._ends_in_trading_hours(self._token):
                moments.append(evening_before(self._token.expires))
        return max(now, min(moments)) if moments else None

    def _took(self, token: Token, now: float) -> None:
        self._failures = 0
        self.stopped = False
        self._news = None
        lifetime = token.expires - token.created_at.timestamp()
        self._warned = {one for one in self._warn_before if one >= lifetime}
        if not token.lives(now):
            self._warned.update(self._warn_before)  # it ended before anybody looked: no news
        self._told_trading_hours = False
        self._rotation_failed_at, self._revocable = None, True
        rotation = self._rotation_of(token, now)
        if rotation is None:
            self._plan(self._usual_moment(token))
        else:
            self._plan(rotation, rotates=True)

    def _lost(self, before: Token | None, now: float, *, at_start: bool) -> None:
        if at_start:
            self._plan(now)
        elif before is not None:
            # The seed's rule takes a token away in its last five minutes: that is no wish to be without one.
            if self._rotation_failed_at is not None and now - self._rotation_failed_at < _LOSS_SECONDS:
                self._rotates_next = False  # it was revoked, only the issue failed: that is tried again
                if self.renew_at is None or self.renew_at > now + _LONGEST_PAUSE_SECONDS:
                    self._plan(now + _FIRST_PAUSE_SECONDS)
            elif before.remaining(now) < BUFFER_SECONDS:
                self._plan(max(self.renew_at or 0.0, before.expires + self._spread_after_end()))
            else:
                self.cleared()

    def _usual_moment(self, token: Token) -> float:
        lifetime = token.expires - token.created_at.timestamp()
        return token.expires - min(self._renew_before, lifetime * _LARGEST_LEAD)

    def _rotation_of(self, token: Token, now: float) -> float | None:
        """The next quiet hour of this token's life, or now if the last one was slept through and the market will be
        open at its end; None when it ends before, or cannot be rotated."""
        if self._rotates_at is None or not self._revocable:
            return None
        last = last_time_of_day(self._rotates_at, now)
        missed = token.created_at.timestamp() < last
        rotation = now if missed and is_trading(token.expires) and not is_trading(now) else last + _DAY_SECONDS
        return rotation if rotation < token.expires else None

    def _ends_in_trading_hours(self, token: Token) -> bool:
        """Whether that is still to be told. A token that is rotated before its end does not end there."""
        return not self._told_trading_hours and not self._rotates_next and is_trading(token.expires)

    def _plan(self, moment: float, *, rotates: bool = False) -> None:
        if self._policy != NOTIFY and not self.stopped:
            self.renew_at = moment
            self._rotates_next = rotates

    def _pause(self, error: KiwoomTokenError, now: float) -> float:
        pause: float = min(_FIRST_PAUSE_SECONDS * 2 ** min(self._failures - 1, _DOUBLINGS), _LONGEST_PAUSE_SECONDS)
        pause *= 0.5 + self._random()
        if self._token is not None and self._token.lives(now):  # its end is the one moment not to be missed
            pause = min(pause, self._token.expires + self._spread_after_end() - now)
        return max(pause, error.retry_after or 0.0)

    def _spread_after_end(self) -> float:
        return _AFTER_END_SECONDS + _JITTER_AFTER_END_SECONDS * self._random()
