"""When to warn of a token's expiry, and when to report failures and their end: the policy alone."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from tray_app.core.errors import Remedy
from tray_app.core.notices import Notice, NoticeKind
from tray_app.core.renewal_schedule import Seen
from tray_app.core.trading import evening_before, is_evening_before, is_trading, opening_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tray_app.core.errors import KiwoomTokenError
    from tray_app.core.planned_rotation import DroppedPlan
    from tray_app.core.renewal_schedule import RenewalSchedule
    from tray_app.core.token import Token

_BAD_NEWS = {NoticeKind.FAILED, NoticeKind.STOPPED, NoticeKind.EXPIRED}

_BLIP_SECONDS = 30.0
"""A first failure is not reported when the next try is this soon, nor an expiry when the next request is."""

_LONGEST_WAIT_SECONDS = 60.0
"""A notice that waits for the answer to a request is shown after this time, answer or no answer."""

_URGENT_WARNING_SECONDS = 300.0
_URGENT_FAILURE_SECONDS = 600.0


class NoticeSchedule:
    """Decide what to tell the user about one profile's token, each thing once.

    `renewal` is the same token's schedule, which is read and never changed: a notice waits while a request may still
    make it unnecessary. `warn_before` are seconds before the expiry, 0 meaning the expiry itself. `quiet_hours` are two
    times of day on this computer's clock, in minutes after midnight, between which only urgent notices are due.

    `snoozed_until` is when warnings are due again, in seconds of the epoch, or None.
    """

    def __init__(
        self, renewal: RenewalSchedule, warn_before: tuple[int, ...], quiet_hours: tuple[int, int] | None
    ) -> None:
        self._renewal = renewal
        self._warn_before = warn_before
        self._quiet_hours = quiet_hours
        self._expiring: Token | None = None
        """The token to warn about, also after the five-minute rule has removed it from the store."""
        self._warned: set[float] = set()
        """The thresholds of `warn_before` that need no warning any more."""
        self._trouble: Notice | None = None
        self._unreadable: Notice | None = None
        """The last trouble that came of a store that could not be read."""
        self._not_stored: KiwoomTokenError | None = None
        self._told: set[NoticeKind] = set()
        """The failures that were reported, and are not repeated until they are over."""
        self._owes_good_news = False
        """Bad news was reported, and its end is to be reported as well."""
        self._is_mended = False
        """There has been an unexpired token since the last failure."""
        self._rotated_in_vain: Notice | None = None
        self._dead: Token | None = None
        """The token that died, until that is reported."""
        self._told_dead: Token | None = None
        """The last one whose death was reported. Kiwoom may issue it again and refuse it again, for days."""
        self._told_trading_hours = False
        self._told_dropped: DroppedPlan | None = None
        self._waiting_since: float | None = None
        self._snoozed_at = 0.0
        self.snoozed_until: float | None = None

    def reconfigure(self, warn_before: tuple[int, ...], quiet_hours: tuple[int, int] | None, now: float) -> None:
        """Apply other settings. What was reported is not repeated, and a new threshold that has passed is skipped."""
        expiring = self._expiring
        if expiring is not None:
            added = set(warn_before) - set(self._warn_before)
            self._warned.update(one for one in added if expiring.expires - one <= now)
        self._warn_before = warn_before
        self._quiet_hours = quiet_hours

    def snooze(self, until: float, now: float) -> None:
        """Show no warnings before `until`, or before there is another token; a time that has passed ends the snooze.

        An expired or missing token while the market is open is reported all the same.
        """
        self._snoozed_at, self.snoozed_until = now, until if until > now else None

    def saw(self, token: Token | None, seen: Seen, now: float) -> None:
        """Take note of what the store holds now, and what that means."""
        if token is not None and seen in {Seen.FIRST, Seen.NEW}:
            self._begin(token, now, at_start=seen is Seen.FIRST)
        elif seen is Seen.INTERRUPTED:
            self._expiring = None
        elif seen is Seen.DIED:
            self.died(self._expiring)
        elif seen is Seen.CLEARED:
            self.cleared()

    def died(self, token: Token | None) -> None:
        """Take note that a token stopped working before its expiry."""
        is_told = token is not None and self._told_dead is not None and token.value == self._told_dead.value
        self._dead, self._expiring = None if is_told else token, None

    def answered(self, token: Token, now: float, *, in_vain: bool) -> None:
        """Take note of the token that Kiwoom gave; `in_vain` when a rotation brought the revoked token back."""
        self._end_trouble(token, now)
        if in_vain:
            self._rotated_in_vain = Notice(NoticeKind.NOT_ROTATED, token.expires)
            self._told_trading_hours = True  # rotating by hand would not help either

    def failed(self, error: KiwoomTokenError, now: float) -> None:
        """Take note of a failed request that endangers the token."""
        self._is_mended = False
        if self._trouble is not None and self._trouble.kind is NoticeKind.STOPPED:
            is_over = self._renewal.stopped_by is None and self._trouble is not self._unreadable
            if not is_over and (not _needs_user(error) or _is_alike(self._trouble.error, error)):
                return
            self._told.discard(NoticeKind.STOPPED)  # something else is to be done now
            self._trouble = None
        renew_at = self._renewal.renew_at
        is_tried_again_soon = renew_at is not None and renew_at - now <= _BLIP_SECONDS
        if self._renewal.stopped_by is not None:
            self._trouble = Notice(NoticeKind.STOPPED, error=error)
        elif self._renewal.failures > 1 or not is_tried_again_soon:
            self._trouble = Notice(NoticeKind.FAILED, error=error)

    def unreadable(self, error: KiwoomTokenError, *, is_repeated: bool) -> None:
        """Take note that the store cannot be read; what may pass by itself is reported when it `is_repeated`."""
        needs_user = _needs_user(error)
        if self._trouble is None and (needs_user or is_repeated):
            kind = NoticeKind.STOPPED if needs_user else NoticeKind.FAILED
            self._trouble = self._unreadable = Notice(kind, error=error)

    def readable(self) -> None:
        """Take note that the store can be read: what it has is no news."""
        if self._unreadable is not None and self._trouble is self._unreadable:
            self._told.discard(self._trouble.kind)
            self._owes_good_news = not self._told.isdisjoint(_BAD_NEWS)
            self._trouble = None

    def stored(self, error: KiwoomTokenError | None) -> None:
        """Take note that the token was stored, or why it was not."""
        self._not_stored = error if error is not None and _needs_user(error) else None
        if self._not_stored is None:
            self._told.discard(NoticeKind.NOT_STORED)

    def cleared(self) -> None:
        """Forget the token and what was wrong with it."""
        self._expiring = None
        self._trouble = None
        self._dead = None
        self._told_dropped = self._renewal.planned.dropped
        self._told.clear()
        self._owes_good_news = False

    def resume(self) -> None:
        """Forget why renewal stopped. Should it stop for the same reason again, that is reported again."""
        self._trouble = None
        self._told.discard(NoticeKind.STOPPED)

    def notices(self, now: float) -> list[Notice]:
        """Return what to tell the user now, each once, and only what is still true."""
        due = []
        while (notice := self._next_notice(now)) is not None:
            self._mark_told(notice, now)
            due.append(notice)
        return due

    def still_true(self, notice: Notice, now: float) -> bool:
        """Return True if a notice that was shown may stay on the screen."""
        if notice.kind in {NoticeKind.FAILED, NoticeKind.STOPPED}:
            return self._trouble is not None and self._trouble.kind is notice.kind
        if notice.kind in {NoticeKind.RECOVERED, NoticeKind.NOT_ROTATED, NoticeKind.PLAN_DROPPED}:
            return True
        if notice.kind is NoticeKind.NOT_STORED:
            return self._not_stored is not None
        if notice.kind is NoticeKind.DIED:
            return notice.expires > 0 or self._renewal.token is None
        if self._expiring is None or self._expiring.expires != notice.expires:
            return False
        return notice.kind is NoticeKind.EXPIRED or notice.expires > now

    def next_moment(self, now: float) -> float | None:
        """Return when something may be due next, in seconds of the epoch, or None."""
        if self._next_notice(now) is not None:
            return now
        moments = []
        if self._expiring is not None:
            moments += [self._expiring.expires - one for one in self._warn_before if one not in self._warned]
            if self._must_tell_trading_hours(self._expiring):
                moments.append(evening_before(self._expiring.expires))
        if self.snoozed_until is not None:
            moments += [self.snoozed_until, opening_of(now, self._renewal.mode)]
        if self._quiet_hours is not None and self._is_quiet(now):
            moments.append(_next_time_of_day(self._quiet_hours[1], now))
        return min((one for one in moments if one > now), default=None)

    def _begin(self, token: Token, now: float, *, at_start: bool) -> None:
        self._expiring = token
        self._rotated_in_vain = None
        self._told_dropped = self._renewal.planned.dropped  # what was planned has come in another way
        self.snoozed_until = None  # the snooze was for the previous token's warnings
        self._end_trouble(token, now)
        lifetime = token.expires - token.created_at.timestamp()
        self._warned = {one for one in self._warn_before if one >= lifetime}
        if not token.is_unexpired(now):
            self._warned.update(self._warn_before)  # it had expired before anybody looked: no news
        elif at_start and not _is_last_warning(self._warn_before, token.expires, now):
            self._warned.update(self._passed(token, now))  # a restarted program does not repeat it
        self._told_trading_hours = at_start and evening_before(token.expires) <= now  # nor this

    def _end_trouble(self, token: Token, now: float) -> None:
        """Take note that there is a token: what kept it from being there is over."""
        self._trouble = None
        self._is_mended = token.is_unexpired(now)

    def _next_notice(self, now: float) -> Notice | None:
        if self.snoozed_until is not None and not self._snoozed_at <= now < self.snoozed_until:
            self.snoozed_until = None  # it is over, or the clock was set back and its end means nothing any more
        waits = self._waits_for_an_answer(now)
        is_quiet = self._is_quiet(now)
        for notice in self._candidates(now):
            is_mendable = notice.kind is NoticeKind.DIED and not notice.expires
            if waits and (is_mendable or notice.kind in {NoticeKind.EXPIRING, NoticeKind.EXPIRED}):
                continue
            if is_quiet and not notice.urgent:
                continue
            is_bad = notice.kind in _BAD_NEWS or is_mendable
            if self.snoozed_until is not None and not (is_bad and self._lacks_token_in_trading_hours(now)):
                continue
            return notice
        return None

    def _candidates(self, now: float) -> Iterator[Notice]:
        """Yield what is true and was not told, the most important first."""
        token = self._expiring
        expires = 0.0 if token is None else token.expires
        died = _death(self._dead, self._renewal.token, self._trouble, now)
        dead_expires = 0.0 if died is None or died.expires else died.dead_expires
        trouble = None if self._trouble is None or self._trouble.kind in self._told else self._trouble
        if trouble is not None and trouble.kind is NoticeKind.STOPPED:  # what to do stands above what happened
            yield Notice(trouble.kind, expires, trouble.error, urgent=True, dead_expires=dead_expires)
        if died is not None and died.error is not None:
            yield died  # in place of the notice of that failure
        if trouble is not None and trouble.kind is NoticeKind.FAILED:
            yield Notice(trouble.kind, expires, trouble.error, expires - now < _URGENT_FAILURE_SECONDS)
        present = self._renewal.token
        if died is not None:
            yield died
        if self._owes_good_news and self._is_mended and present is not None and present.is_unexpired(now):
            yield Notice(NoticeKind.RECOVERED, present.expires)
        if token is not None:
            passed = self._passed(token, now)
            trouble = self._trouble if self._renewal.is_automatic else None  # else nobody has asked since
            why = None if trouble is None else trouble.error
            if expires <= now:
                if 0 in passed:
                    yield Notice(NoticeKind.EXPIRED, expires, why, urgent=True)
            elif passed:
                is_planned = self._renewal.renew_at is not None
                urgent = _is_last_warning(self._warn_before, expires, now)
                yield Notice(NoticeKind.EXPIRING, expires, why, urgent, is_planned=is_planned)
        if self._not_stored is not None and NoticeKind.NOT_STORED not in self._told:
            yield Notice(NoticeKind.NOT_STORED, expires, self._not_stored, urgent=True)
        if self._rotated_in_vain is not None:
            yield self._rotated_in_vain
        dropped = self._renewal.planned.dropped
        if dropped is not None and dropped is not self._told_dropped:
            yield Notice(NoticeKind.PLAN_DROPPED, expires, dropped.error, planned_at=dropped.at)
        if (
            token is not None
            and self._must_tell_trading_hours(token)
            and is_evening_before(expires, now, self._renewal.mode)
        ):
            yield Notice(NoticeKind.TRADING_HOURS, expires)

    def _mark_told(self, notice: Notice, now: float) -> None:
        """Mark a notice as shown. Most of them name the expiry, so they stand for the thresholds that have passed,
        too."""
        if notice.dead_expires:
            self._dead, self._told_dead = None, self._dead
        if notice.kind is NoticeKind.NOT_ROTATED:
            self._rotated_in_vain = None
        elif notice.kind is NoticeKind.PLAN_DROPPED:
            self._told_dropped = self._renewal.planned.dropped
            self._told_trading_hours = True  # whoever planned it knew, and this notice names the expiry
        elif notice.kind is NoticeKind.TRADING_HOURS:
            self._told_trading_hours = True
        elif notice.kind is NoticeKind.NOT_STORED:
            self._told.add(notice.kind)
        elif notice.kind is not NoticeKind.DIED and self._expiring is not None:
            self._warned.update(self._passed(self._expiring, now))
        if notice.kind is NoticeKind.RECOVERED:
            self._told.clear()
            self._owes_good_news = False
        if notice.kind is NoticeKind.DIED and notice.error is not None and self._trouble is not None:
            notice = self._trouble
        if notice.kind in _BAD_NEWS:
            self._told.add(notice.kind)
            self._owes_good_news, self._is_mended = True, False

    def _passed(self, token: Token, now: float) -> list[int]:
        return [one for one in self._warn_before if token.expires - one <= now and one not in self._warned]

    def _must_tell_trading_hours(self, token: Token) -> bool:
        """Return whether it is still to be told that the token expires in trading hours. One that is rotated before
        does not."""
        return (
            not self._told_trading_hours
            and not self._renewal.rotates_next
            and is_trading(token.expires, self._renewal.mode)
        )

    def _waits_for_an_answer(self, now: float) -> bool:
        """Return True if a request that is due, running or repeated soon may make a notice unnecessary; not for
        ever."""
        renewal = self._renewal
        expires = now + 1 if self._expiring is None else self._expiring.expires
        soon = _BLIP_SECONDS if expires <= now or renewal.failures else 0.0
        is_in_vain = renewal.failures > 1 and not renewal.failed_at < expires <= now
        if renewal.renew_at is None or is_in_vain or renewal.renew_at - now > soon:
            self._waiting_since = None
            return False
        if self._waiting_since is None or now < self._waiting_since:
            self._waiting_since = now
        return now - self._waiting_since < _LONGEST_WAIT_SECONDS

    def _lacks_token_in_trading_hours(self, now: float) -> bool:
        return is_trading(now, self._renewal.mode) and (
            self._renewal.token is None or not self._renewal.token.is_unexpired(now)
        )

    def _is_quiet(self, now: float) -> bool:
        if self._quiet_hours is None:
            return False
        start, end = self._quiet_hours
        local = _local(now)
        minutes = local.hour * 60 + local.minute
        return start <= minutes < end if start <= end else not end <= minutes < start


def _death(dead: Token | None, present: Token | None, trouble: Notice | None, now: float) -> Notice | None:
    """Return the notice of a token that died, with the one that is there now or why there is none; None without one."""
    if dead is None:
        return None
    if present is not None and present.is_unexpired(now) and present.value != dead.value:
        return Notice(NoticeKind.DIED, present.expires, dead_expires=dead.expires)
    error = None if trouble is None else trouble.error
    return Notice(NoticeKind.DIED, error=error, urgent=True, dead_expires=dead.expires)


def _needs_user(error: KiwoomTokenError) -> bool:
    """Return True if there is something that only the user can do about it."""
    return error.remedy not in {Remedy.NONE, Remedy.RETRY}


def _is_alike(before: KiwoomTokenError | None, error: KiwoomTokenError) -> bool:
    """Return True if the user is to do the same about both."""
    return before is not None and (type(before), before.remedy) == (type(error), error.remedy)


def _is_last_warning(warn_before: tuple[int, ...], expires: float, now: float) -> bool:
    last = min((one for one in warn_before if one), default=0)
    return expires - now <= max(last, _URGENT_WARNING_SECONDS)


def _next_time_of_day(minutes: int, now: float) -> float:
    """Return when this computer's clock next shows so many minutes after midnight, in seconds of the epoch; it shows
    some twice on the day on which it is set back an hour."""
    today = _local(now).date()
    moments = [
        datetime.combine(today + timedelta(days), time(minutes // 60, minutes % 60, fold=fold)).timestamp()
        for days in (0, 1)
        for fold in (0, 1)
    ]
    return min(one for one in moments if one > now)


def _local(now: float) -> datetime:
    return datetime.fromtimestamp(now)  # noqa: DTZ006 - the wall clock of the person who is to be left alone
