"""When to warn and when to renew: the whole policy, without a clock, a network or a screen of its own.

A program that keeps a token tells a `Watch` what it saw and what came of its requests; the watch answers what
is due now and when to look again. The tray and `kiwoom-token watch` both live by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from tray_app.core.errors import RevokeFailed
from tray_app.core.token import BUFFER_SECONDS
from tray_app.core.trading import evening_before, is_trading, last_time_of_day, opening_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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

_BLIP_SECONDS = 30.0
"""Nobody is told of a first failure that is tried again this soon, nor of an end that a request this soon can mend."""

_LONGEST_WAIT_SECONDS = 60.0
"""What waits for the answer to a request is told after this time, answer or no answer."""

_URGENT_WARNING_SECONDS = 300.0
_URGENT_FAILURE_SECONDS = 600.0


class NoticeKind(StrEnum):
    ENDING = "ending"
    ENDED = "ended"
    FAILED = "failed"
    """Renewing fails and is tried again. Told once until it is good again, at the second failure in a row, or at
    the first when the next try is not soon."""
    STOPPED = "stopped"
    """Renewing failed for something that only the user can mend."""
    RECOVERED = "recovered"
    """What was told to have failed, stopped or ended is good again."""
    TRADING_HOURS = "trading-hours"
    """Told the evening before: the token will end while the market is open."""
    NOT_ROTATED = "not-rotated"
    """Kiwoom gave the revoked token back."""


_BAD_NEWS = {NoticeKind.FAILED, NoticeKind.STOPPED, NoticeKind.ENDED}


class Due(StrEnum):
    """What to ask Kiwoom for now."""

    RENEW = "renew"
    ROTATE = "rotate"


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to tell the user. `expires` is the end of the token in seconds of the epoch, 0 without one.

    `error` is what a request for the next token ended with, if that is why.
    Urgent are the last warning, the end, a stop, and a failure with less than ten minutes to live.
    """

    kind: NoticeKind
    expires: float = 0.0
    error: KiwoomTokenError | None = None
    urgent: bool = False


class RenewalSchedule:
    """The watch over one profile's token.

    `policy` is `notify`, `auto` or `daily HH:MM` (Korean time); `renew_before` and `warn_before` are seconds before
    the end, 0 meaning the end itself; `random` gives numbers from 0 to 1 and spreads the requests of many machines.
    `quiet_hours` are two times of day on this computer's clock, in minutes after midnight, between which only
    what is urgent is told.

    Ask `due` first, and `notices` after what came of it: what a request mends at once is not told.
    """

    def __init__(
        self,
        policy: str,
        renew_before: float,
        warn_before: tuple[int, ...],
        random: Callable[[], float],
        *,
        quiet_hours: tuple[int, int] | None = None,
    ) -> None:
        self._rotates_at: int | None = None
        self._set_policy(policy, renew_before)
        self._rotates_next = False
        self._rotation_failed_at: float | None = None
        self._revocable = True
        self._warn_before = tuple(sorted(warn_before, reverse=True))
        self._quiet_hours = quiet_hours
        self._random = random
        self._token: Token | None = None
        self._gives_same = False
        self._unwanted = False
        self._started = False
        self._failures = 0
        self._failed_at = 0.0
        self._ending: Token | None = None
        """The token whose end is told: also after the seed's rule took it from the store."""
        self._warned: set[float] = set()
        self._trouble: Notice | None = None
        self._told: set[NoticeKind] = set()
        """The bad news that is not told again before it is good."""
        self._owes_good_news = False
        self._mended = False
        self._news: Notice | None = None
        self._told_trading_hours = False
        self._waiting_since: float | None = None
        self._snoozed_at = 0.0
        self.snoozed_until: float | None = None
        self.renew_at: float | None = None
        self.stopped = False

    def reconfigure(
        self,
        policy: str,
        renew_before: float,
        warn_before: tuple[int, ...],
        quiet_hours: tuple[int, int] | None,
        now: float,
    ) -> None:
        """The settings changed: plans anew. What was told stays told, and no new threshold is told that has passed."""
        ending = self._ending
        if ending is not None:
            added = set(warn_before) - set(self._warn_before)
            self._warned.update(one for one in added if ending.expires - one <= now)
        self._warn_before = tuple(sorted(warn_before, reverse=True))
        self._quiet_hours = quiet_hours
        if (policy, renew_before) == (self._policy_text, self._renew_before):
            return
        self._set_policy(policy, renew_before)
        backs_off = self._failures > 0 and self.renew_at is not None and not self._rotates_next
        if self._policy == NOTIFY:
            self.renew_at = None
            self._rotates_next = False
        elif self._token is not None and not backs_off:
            self._plan_for(self._token, now)
        elif self.renew_at is None and not self._unwanted and self._started:
            self._plan(now)

    def snooze(self, until: float, now: float) -> None:
        """Peace until then, or until there is another token; a moment that is over ends it.

        Only that there is no living token while the market is open is told all the same.
        """
        self._snoozed_at, self.snoozed_until = now, until if until > now else None

    def saw(self, token: Token | None, now: float, *, interrupted: bool = False) -> None:
        """What the store holds now; `interrupted` when the last token went with a rotation that nobody finished."""
        before, self._token = self._token, token
        first, self._started = not self._started, True
        if token is None:
            self._lost(before, now, at_start=first, interrupted=interrupted)
        elif before is None or (before.value, before.expires_at) != (token.value, token.expires_at):
            self._took(token, now, at_start=first)

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
        self._is_good(token, now)
        if same:
            self._gives_same = True
            self._plan_for(token, now)

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
                self._trouble = Notice(NoticeKind.STOPPED, error=error)
            self.stopped, self._mended = True, False
            self.renew_at = None
            return
        if self._rotates_next and self._token is not None and self.renew_at is not None and now < self.renew_at:
            return  # what the user asked for failed: the quiet hour is still to come
        self._failures += 1
        self._failed_at = now
        self._mended = False
        self._plan(now + self._pause(error, now), rotates=self._rotates_next)
        soon = self.renew_at is not None and self.renew_at - now <= _BLIP_SECONDS
        if not self.stopped and (self._failures > 1 or not soon):
            self._trouble = Notice(NoticeKind.FAILED, error=error)

    def cleared(self) -> None:
        """The user cleared the token: nothing is asked until the user wants one or another tool brings one."""
        self._token = self._ending = None
        self._unwanted = True
        self._trouble = None
        self._told.clear()
        self._owes_good_news = False
        self.renew_at = None
        self.stopped = False

    def resume(self, now: float) -> None:
        """The user mended what it stopped for: it tries again now."""
        if self.stopped:
            self.stopped = False
            self._trouble = None
            self._told.discard(NoticeKind.STOPPED)
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
        """What to tell the user now, each once, and only what is still true."""
        told = []
        while (notice := self._tellable(now)) is not None:
            self._tell(notice, now)
            told.append(notice)
        return told

    def still_true(self, notice: Notice, now: float) -> bool:
        """Whether a notice that was told may stay on the screen."""
        if notice.kind in {NoticeKind.FAILED, NoticeKind.STOPPED}:
            return self._trouble is not None and self._trouble.kind is notice.kind
        if notice.kind in {NoticeKind.RECOVERED, NoticeKind.NOT_ROTATED}:
            return True
        if self._ending is None or self._ending.expires != notice.expires:
            return False
        return notice.kind is NoticeKind.ENDED or notice.expires > now

    def next_moment(self, now: float) -> float | None:
        """When something will be due next (seconds of the epoch), or None."""
        if self._tellable(now) is not None:
            return now
        moments = [] if self.renew_at is None else [max(now, self.renew_at)]
        coming = []
        if self._ending is not None:
            coming += [self._ending.expires - one for one in self._warn_before if one not in self._warned]
            if self._ends_in_trading_hours(self._ending):
                coming.append(evening_before(self._ending.expires))
        if self.snoozed_until is not None:
            coming += [self.snoozed_until, opening_of(now)]
        if self._is_quiet(now):
            coming.append(self._end_of_quiet(now))
        moments += [one for one in coming if one > now]
        return min(moments) if moments else None

    def _tellable(self, now: float) -> Notice | None:
        if self.snoozed_until is not None and not self._snoozed_at <= now < self.snoozed_until:
            self.snoozed_until = None  # it is over, or the clock was set back and nobody knows when it would be
        waits = self._waits_for_an_answer(now)
        quiet = self._is_quiet(now)
        for notice in self._candidates(now):
            if waits and notice.kind in {NoticeKind.ENDING, NoticeKind.ENDED}:
                continue
            if quiet and not notice.urgent:
                continue
            if self.snoozed_until is not None and not (notice.kind in _BAD_NEWS and self._is_missed(now)):
                continue
            return notice
        return None

    def _candidates(self, now: float) -> Iterator[Notice]:
        """What is true and was not told, the most important first."""
        token = self._ending
        expires = 0.0 if token is None else token.expires
        if self._trouble is not None and self._trouble.kind not in self._told:
            urgent = self._trouble.kind is NoticeKind.STOPPED or expires - now < _URGENT_FAILURE_SECONDS
            yield Notice(self._trouble.kind, expires, self._trouble.error, urgent)
        if self._owes_good_news and self._mended and self._token is not None and self._token.lives(now):
            yield Notice(NoticeKind.RECOVERED, self._token.expires)
        if token is not None:
            passed = self._passed(token, now)
            if expires <= now:
                if 0 in passed:
                    why = None if self._trouble is None else self._trouble.error  # it takes that notice's place
                    yield Notice(NoticeKind.ENDED, expires, why, urgent=True)
            elif passed:
                yield Notice(NoticeKind.ENDING, expires, urgent=self._ends_soon(expires, now))
        if self._news is not None:
            yield self._news
        if (
            token is not None
            and self._ends_in_trading_hours(token)
            and evening_before(expires) <= now < opening_of(expires)
        ):
            yield Notice(NoticeKind.TRADING_HOURS, expires)

    def _tell(self, notice: Notice, now: float) -> None:
        """Each of these says when the token ends, so the thresholds that have passed are told with it."""
        if notice.kind is NoticeKind.NOT_ROTATED:
            self._news = None
        elif notice.kind is NoticeKind.TRADING_HOURS:
            self._told_trading_hours = True
        elif self._ending is not None:
            self._warned.update(self._passed(self._ending, now))
        if notice.kind is NoticeKind.RECOVERED:
            self._told.clear()
            self._owes_good_news = False
        if notice.kind in _BAD_NEWS:
            self._told.add(notice.kind)
            self._owes_good_news, self._mended = True, False

    def _passed(self, token: Token, now: float) -> list[int]:
        return [one for one in self._warn_before if token.expires - one <= now and one not in self._warned]

    def _ends_soon(self, expires: float, now: float) -> bool:
        """Whether a warning of it is the last one."""
        last = min((one for one in self._warn_before if one), default=0)
        return expires - now <= max(last, _URGENT_WARNING_SECONDS)

    def _waits_for_an_answer(self, now: float) -> bool:
        """Whether a request that is due, under way or tried again soon may mend it; not for ever."""
        end = now + 1 if self._ending is None else self._ending.expires
        soon = _BLIP_SECONDS if end <= now or self._failures else 0.0
        in_vain = self._failures > 1 and not self._failed_at < end <= now
        if self.renew_at is None or in_vain or self.renew_at - now > soon:
            self._waiting_since = None
            return False
        if self._waiting_since is None or now < self._waiting_since:
            self._waiting_since = now
        return now - self._waiting_since < _LONGEST_WAIT_SECONDS

    def _is_missed(self, now: float) -> bool:
        return is_trading(now) and (self._token is None or not self._token.lives(now))

    def _is_quiet(self, now: float) -> bool:
        if self._quiet_hours is None:
            return False
        start, end = self._quiet_hours
        local = datetime.fromtimestamp(now)  # noqa: DTZ006 - the clock on the wall of who is to be left alone
        minutes = local.hour * 60 + local.minute
        return start <= minutes < end if start <= end else not end <= minutes < start

    def _end_of_quiet(self, now: float) -> float:
        minutes = self._quiet_hours[1] if self._quiet_hours is not None else 0
        today = datetime.fromtimestamp(now)  # noqa: DTZ006 - as above
        end = datetime.combine(today.date(), time(minutes // 60, minutes % 60))
        return (end if end > today else end + timedelta(days=1)).timestamp()

    def _took(self, token: Token, now: float, *, at_start: bool) -> None:
        self._ending = token
        self._gives_same = self._unwanted = False
        self._news = None
        self.snoozed_until = None  # it was wanted from the warnings of the token before
        self._is_good(token, now)
        lifetime = token.expires - token.created_at.timestamp()
        self._warned = {one for one in self._warn_before if one >= lifetime}
        if not token.lives(now):
            self._warned.update(self._warn_before)  # it ended before anybody looked: no news
        elif at_start and not self._ends_soon(token.expires, now):
            self._warned.update(self._passed(token, now))  # a program started anew does not tell it once more
        self._told_trading_hours = at_start and evening_before(token.expires) <= now  # nor this
        self._rotation_failed_at, self._revocable = None, True
        self._plan_for(token, now)

    def _is_good(self, token: Token, now: float) -> None:
        self._failures = 0
        self.stopped = False
        self._trouble = None
        self._mended = token.lives(now)

    def _lost(self, before: Token | None, now: float, *, at_start: bool, interrupted: bool) -> None:
        if at_start:
            self._plan(now)
        elif before is not None:
            # The seed's rule takes a token away in its last five minutes: that is no wish to be without one.
            failed_at = self._rotation_failed_at
            if interrupted or (failed_at is not None and now - failed_at < _LOSS_SECONDS):
                self._ending = None
                self._rotates_next = False  # it was revoked, only the issue failed: that is tried again
                if self.renew_at is None or self.renew_at > now + _LONGEST_PAUSE_SECONDS:
                    self._plan(now + _FIRST_PAUSE_SECONDS)
            elif before.remaining(now) < BUFFER_SECONDS:
                self._plan(max(self.renew_at or 0.0, before.expires + self._spread_after_end()))
            else:
                self.cleared()

    def _set_policy(self, policy: str, renew_before: float) -> None:
        self._policy_text, self._renew_before = policy, renew_before
        self._policy, _, time_of_day = policy.partition(" ")
        self._rotates_at = int(time_of_day[:2]) * 60 + int(time_of_day[3:]) if self._policy == DAILY else None

    def _plan_for(self, token: Token, now: float) -> None:
        rotation = self._rotation_of(token, now)
        if rotation is not None:
            self._plan(rotation, rotates=True)
        elif self._gives_same:
            self._plan(token.expires + self._spread_after_end())
        else:
            self._plan(self._usual_moment(token))

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
