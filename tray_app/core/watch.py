"""When to warn and when to renew: the whole policy, without a clock, a network or a screen of its own.

A program that keeps a token tells a `Watch` what it saw and what came of its requests; the watch answers what
is due now and when to look again. The tray and `kiwoom-token watch` both live by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from tray_app.core.token import BUFFER_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tray_app.core.errors import KiwoomTokenError
    from tray_app.core.token import Token

NOTIFY = "notify"
AUTO = "auto"

_LARGEST_LEAD = 0.25
"""Of a token that lives only minutes, as at the practice server, no more than this part is renewed away."""

_AFTER_END_SECONDS = 1.0
_JITTER_AFTER_END_SECONDS = 2.0
_FIRST_PAUSE_SECONDS = 10.0
_LONGEST_PAUSE_SECONDS = 600.0


class NoticeKind(StrEnum):
    ENDING = "ending"
    ENDED = "ended"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to tell the user. `expires` is the end of the token in seconds of the epoch."""

    kind: NoticeKind
    expires: float = 0.0
    error: KiwoomTokenError | None = None


class Watch:
    """The watch over one profile's token.

    `policy` is `notify` or `auto`; `renew_before` and `warn_before` are seconds before the end, 0 meaning the
    end itself; `random` gives numbers from 0 to 1 and spreads the requests of many machines.
    """

    def __init__(
        self, policy: str, renew_before: float, warn_before: tuple[int, ...], random: Callable[[], float]
    ) -> None:
        self._policy = policy
        self._renew_before = renew_before
        self._warn_before = tuple(sorted(warn_before, reverse=True))
        self._random = random
        self._token: Token | None = None
        self._started = False
        self._failures = 0
        self._warned: set[float] = set()
        self._stop_notice: Notice | None = None
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

    def answered(self, token: Token, now: float, *, same: bool) -> None:
        """Kiwoom gave this token; `same` when it is the one that was there, with the same end."""
        self.saw(token, now)
        self._failures = 0
        self.stopped = False
        if same:
            self._plan(token.expires + self._spread_after_end())

    def failed(self, error: KiwoomTokenError, now: float) -> None:
        """A request failed. What can mend itself is tried again, later and later; the rest waits for the user."""
        if not error.retry:
            if not self.stopped:
                self._stop_notice = Notice(NoticeKind.STOPPED, error=error)
            self.stopped = True
            self.renew_at = None
            return
        pause = min(_FIRST_PAUSE_SECONDS * 2**self._failures, _LONGEST_PAUSE_SECONDS)
        pause *= 0.5 + self._random()
        self._failures += 1
        self._plan(now + max(pause, error.retry_after or 0.0))

    def cleared(self) -> None:
        """The user cleared the token: nothing is asked until the user wants one or another tool brings one."""
        self._token = None
        self.renew_at = None
        self.stopped = False

    def resume(self, now: float) -> None:
        """The user mended what it stopped for: it tries again now."""
        if self.stopped:
            self.stopped = False
            self._stop_notice = None
            self._failures = 0
            self._plan(now)

    def must_renew(self, now: float) -> bool:
        return self.renew_at is not None and now >= self.renew_at

    def notices(self, now: float) -> list[Notice]:
        """What to tell the user now, each once; of several that fell due while nobody looked only the last."""
        due: list[Notice] = []
        if self._stop_notice is not None:
            due.append(self._stop_notice)
            self._stop_notice = None
        token = self._token
        if token is None:
            return due
        passed = [one for one in self._warn_before if token.expires - one <= now and one not in self._warned]
        self._warned.update(passed)
        if passed:
            ended = token.expires <= now
            if not ended or 0 in passed:
                due.append(Notice(NoticeKind.ENDED if ended else NoticeKind.ENDING, token.expires))
        return due

    def next_moment(self, now: float) -> float | None:
        """When something will be due next (seconds of the epoch), or None."""
        moments = [] if self.renew_at is None else [self.renew_at]
        if self._token is not None:
            moments += [self._token.expires - one for one in self._warn_before if one not in self._warned]
        return max(now, min(moments)) if moments else None

    def _took(self, token: Token, now: float) -> None:
        self._failures = 0
        self.stopped = False
        self._stop_notice = None
        lifetime = token.expires - token.created_at.timestamp()
        self._warned = {one for one in self._warn_before if one >= lifetime}
        if not token.lives(now):
            self._warned.update(self._warn_before)  # it ended before anybody looked: no news
        self._plan(token.expires - min(self._renew_before, lifetime * _LARGEST_LEAD))

    def _lost(self, before: Token | None, now: float, *, at_start: bool) -> None:
        if at_start:
            self._plan(now)
        elif before is not None:
            # The seed's rule takes a token away in its last five minutes: that is no wish to be without one.
            if before.remaining(now) < BUFFER_SECONDS:
                self._plan(max(self.renew_at or 0.0, before.expires + self._spread_after_end()))
            else:
                self.cleared()

    def _plan(self, moment: float) -> None:
        if self._policy == AUTO and not self.stopped:
            self.renew_at = moment

    def _spread_after_end(self) -> float:
        return _AFTER_END_SECONDS + _JITTER_AFTER_END_SECONDS * self._random()
