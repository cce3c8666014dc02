"""When to renew a token: the policy alone, without a clock, a network or a screen of its own."""

from __future__ import annotations

from enum import Enum, StrEnum
from typing import TYPE_CHECKING

from tray_app.core.clock import earliest
from tray_app.core.errors import (
    UNEXPLAINED_CODES,
    BrokerError,
    BrokerUnavailable,
    KeysMissing,
    Remedy,
    RevokeFailed,
    TokenRefused,
)
from tray_app.core.planned_rotation import PlannedRotation
from tray_app.core.token import BUFFER_SECONDS
from tray_app.core.trading import is_trading, last_time_of_day

if TYPE_CHECKING:
    from collections.abc import Callable

    from tray_app.core.errors import KiwoomTokenError
    from tray_app.core.token import Token

NOTIFY = "notify"
AUTO = "auto"
DAILY = "daily"
_DAY_SECONDS = 86400.0

_LARGEST_LEAD = 0.25
"""A token that is valid for minutes only, as from the sandbox, is renewed in the last quarter of its lifetime."""

_AFTER_EXPIRY_SECONDS = 1.0
_JITTER_AFTER_EXPIRY_SECONDS = 2.0
_FIRST_PAUSE_SECONDS = 10.0
_LONGEST_PAUSE_SECONDS = 600.0
_LONGEST_PAUSE_WITHOUT_TOKEN_SECONDS = 60.0
_DOUBLINGS = 10
_LONGEST_WAIT_WITHOUT_TOKEN_SECONDS = BUFFER_SECONDS + _AFTER_EXPIRY_SECONDS + _JITTER_AFTER_EXPIRY_SECONDS
"""For the expiry of a token that the five-minute rule has removed."""
_STOPPED_PAUSES_SECONDS = (60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0)
"""How long to wait for what may be over without anybody telling this program (`_may_end_unseen`); the last again and
again."""
_SHORT_LIFE_SECONDS = 60.0
_SHORTEST_PAUSE_SECONDS = 5.0
"""Once two tokens have come within this time, and the last has a short life, the next is asked for no sooner."""

_LOSS_SECONDS = 60.0
"""A token that disappears this soon after a failed rotation was revoked by that rotation."""


class Due(StrEnum):
    """What to ask Kiwoom for now."""

    RENEW = "renew"
    ROTATE = "rotate"
    VERIFY = "verify"
    """Whether the token still works; nothing is to be issued."""


class Seen(Enum):
    """What the present content of the store means, compared with what was there before."""

    UNCHANGED = "unchanged"
    """It is no news: the same token or still none, or the five-minute rule has removed one that is wanted."""
    FIRST = "first"
    """A token was there when the program started."""
    NEW = "new"
    """Another token has taken the place of the one before, or of none."""
    INTERRUPTED = "interrupted"
    """A rotation has revoked the token and got no other."""
    DIED = "died"
    """Kiwoom said that the token does not work, before its expiry."""
    CLEARED = "cleared"
    """Somebody cleared the token and wants none for now."""


class RenewalSchedule:
    """Decide when one profile's token is to be renewed.

    `policy` is `notify`, `auto` or `daily HH:MM` (Korean time); `renew_before` is in seconds before the expiry, 0
    meaning the expiry itself; `random` returns numbers from 0 to 1 and spreads the requests of many machines. `mode` is
    `real` or `demo`, whose trading hours differ.

    `stopped_by` is the last error if that needs the user, so that nothing is asked before it is solved; only what may
    be over without this program learning of it, as an IP that was not registered, is tried again after growing pauses.
    `failures` counts the failed requests in a row, the last of which was at `failed_at`. `planned` is carried out
    whatever the policy.
    """

    def __init__(self, policy: str, renew_before: float, random: Callable[[], float], mode: str = "real") -> None:
        self.mode = mode
        self._random = random
        self._rotates_at: int | None = None
        """When to rotate, in minutes after midnight in Korea."""
        self._set_policy(policy, renew_before)
        self._rotation_failed_at: float | None = None
        self._can_revoke = True
        self._is_final_answer = False
        """Kiwoom returned the present token, so asking again before it expires is useless."""
        self._is_unwanted = False
        self._has_started = False
        self._renew_at: float | None = None
        self._rotates = False
        """True if the token is to be revoked first at `_renew_at`; False without a token or a moment."""
        self._came_at = self._not_before = float("-inf")
        self.planned = PlannedRotation()
        self.token: Token | None = None
        self.failures = self._stopped_failures = 0
        self.failed_at = 0.0
        self.stopped_by: KiwoomTokenError | None = None

    @property
    def renew_at(self) -> float | None:
        """When to ask Kiwoom next, in seconds of the epoch, or None."""
        return earliest(self._renew_at, self._plan_in_force())

    @property
    def rotates_next(self) -> bool:
        """True if the next request revokes the token first."""
        planned = self._plan_in_force()
        return self._rotates if planned is None else self._renew_at is None or planned <= self._renew_at

    def reconfigure(self, policy: str, renew_before: float, now: float) -> None:
        """Plan again if the settings changed. A pause after a failure is neither shortened nor forgotten."""
        if (policy, renew_before) == (self._policy_text, self._renew_before):
            return
        self._set_policy(policy, renew_before)
        backs_off = self.failures > 0 and self._renew_at is not None and not self._rotates
        if self._policy == NOTIFY:
            self._renew_at, self._rotates = None, False
        elif self.stopped_by is not None and self._renew_at is None and _may_end_unseen(self.stopped_by):
            self._renew_at = max(now, self.failed_at + _STOPPED_PAUSES_SECONDS[0])
        elif self.token is not None and not backs_off:
            self._plan_for(self.token, now)
        elif self._renew_at is None and not self._is_unwanted and self._has_started:
            self._plan(now)

    def saw(self, token: Token | None, now: float, *, interrupted: bool = False, died: bool = False) -> Seen:
        """Take note of what the store has now, and return what that means.

        With `interrupted` the last token was revoked by a rotation that never finished; with `died` Kiwoom said that it
        does not work.
        """
        before, self.token = self.token, token
        is_first, self._has_started = not self._has_started, True
        if token is None:
            if died and before is not None:
                self._plan(now)
                return Seen.DIED
            return self._lose(before, now, is_first=is_first, interrupted=interrupted)
        if before is not None and (before.value, before.expires_at) == (token.value, token.expires_at):
            return Seen.UNCHANGED
        self._is_final_answer = self._is_unwanted = False
        self._rotation_failed_at, self._can_revoke = None, True
        self._forget_failures()
        if 0 <= now - self._came_at < _SHORTEST_PAUSE_SECONDS and token.remaining(now) < _SHORT_LIFE_SECONDS:
            self._not_before = now + _SHORTEST_PAUSE_SECONDS
        self._came_at = now
        self._plan_for(token, now)
        return Seen.FIRST if is_first else Seen.NEW

    @property
    def is_automatic(self) -> bool:
        """True unless the user wants to be warned only."""
        return self._policy != NOTIFY

    def answered(self, token: Token, now: float, *, same: bool, rotated: bool) -> tuple[Seen, bool]:
        """Take note of the token that Kiwoom gave; `same` when it is the one that was there, with the same expiry.

        Return what it means, and whether a rotation was in vain: from then on the token is renewed as with `auto`.
        """
        is_in_vain = same and rotated and (self._rotates_at is not None or self.planned.at is not None)
        if is_in_vain:
            self._rotates_at = None
        if rotated:
            self.planned.end()
        seen = self.saw(token, now)
        self._forget_failures()
        if same:
            self._is_final_answer = True
            self._plan_for(token, now)
        return seen, is_in_vain

    def failed(self, error: KiwoomTokenError, now: float, *, rotating: bool, is_doubtful: bool) -> bool:
        """Take note of a request that failed, and return True if that endangers the token.

        What can pass without anybody at this program is tried again after a growing pause; the rest waits for the user.
        `rotating` when the token was to be revoked first: it may then be gone without another in its place. So may one
        that `is_doubtful`.
        """
        if rotating:
            self._rotation_failed_at = now
        was_planned = rotating and self.planned.is_due(now)
        if isinstance(error, RevokeFailed) and rotating and not error.retry:
            self._can_revoke = False
            if self.token is None or is_doubtful:  # it may be revoked already, and asking for another one tells
                if was_planned:
                    self.planned.end()
                self._plan(now + _FIRST_PAUSE_SECONDS)
                return True
            if was_planned:
                self.planned.drop(error)
            if self._rotates:
                self._plan(self._usual_moment(self.token))
            return False
        is_early = self._renew_at is not None and now < self._renew_at
        if error.retry and self._rotates and is_early and not was_planned:
            return False  # the user's own request failed; the time of the rotation is still to come
        was_refused = rotating and isinstance(error, (TokenRefused, RevokeFailed))
        is_by_hand = is_early or self._policy == NOTIFY
        leaves_token = was_refused and is_by_hand and not is_doubtful
        if was_refused and was_planned and not error.retry:
            # Else it would be due again as soon as Kiwoom issues the same token.
            if leaves_token:
                self.planned.drop(error)
            else:
                self.planned.end()
            was_planned = False
        if leaves_token and not was_planned:
            return False  # the token is what it was before, so what else is planned for it stays
        self.failures += 1
        self.failed_at = now
        if not error.retry:
            self._stop(error, now, rotates=self._rotates and rotating)
            return True
        if isinstance(self.stopped_by, KeysMissing) and isinstance(error, BrokerError):
            self.stopped_by = None  # Kiwoom was asked, so there are keys
        was_unsent = isinstance(error, BrokerUnavailable) and not error.was_sent
        still_works = isinstance(error, RevokeFailed)
        pause = self._pause(error, now, is_certain=not is_doubtful and (was_unsent or still_works or not rotating))
        if was_planned:
            self.planned.postpone(now + pause)
            return True
        self._plan(now + pause, rotates=self._rotates)
        return True

    def cleared(self) -> None:
        """Ask for nothing until the user wants a token or another program stores one."""
        self.token = None
        self._is_unwanted = True
        self._renew_at, self._rotates = None, False
        self.stopped_by = None

    def resume(self, now: float) -> None:
        """Try again now: the user has solved what the renewal stopped for."""
        if self.stopped_by is not None:
            self._forget_failures()
            self._plan(now)

    def due(self, now: float) -> Due | None:
        """Return what to ask Kiwoom for now, or None. No valid token is revoked while the market is open."""
        if self.failures and self._renew_at is not None and now < self.failed_at:
            # The clock was set back, and that it was wrong may have been the cause.
            self._plan(now, rotates=self._rotates)
            self.failed_at = now
        if now < self.failed_at:
            self.planned.advance()
        if self._waits_for_nothing(now):
            self._plan(now)
        if self._plan_in_force() is not None and self.planned.is_due(now):
            if _may_be_revoked(self.token, self.mode, now):
                return Due.ROTATE
            self.planned.drop()
        if self._renew_at is None or now < self._renew_at:
            return None
        if not self._rotates:
            return Due.RENEW
        if self.token is not None and not _may_be_revoked(self.token, self.mode, now):
            self._plan(self._usual_moment(self.token))
            return self.due(now)
        return Due.ROTATE

    def _waits_for_nothing(self, now: float) -> bool:
        """Return whether there is neither a token nor a failure to wait for, only a clock that was set back."""
        is_far = self._renew_at is not None and self._renew_at - now > _LONGEST_WAIT_WITHOUT_TOKEN_SECONDS
        return is_far and self.token is None and not self.failures

    def _plan_in_force(self) -> float | None:
        """Return when a rotation is planned, or None, also while nothing is asked before the user has helped."""
        return self.planned.at if self.stopped_by is None else None

    def _stop(self, error: KiwoomTokenError, now: float, *, rotates: bool) -> None:
        """Wait for the user. What may be over unseen is tried again after a growing pause, with `rotates` by revoking
        first."""
        self.stopped_by = error
        if not _may_end_unseen(error) or self._policy == NOTIFY:
            self._renew_at, self._rotates = None, False
            return
        pause = _STOPPED_PAUSES_SECONDS[min(self._stopped_failures, len(_STOPPED_PAUSES_SECONDS) - 1)]
        self._renew_at = now + _until_expiry(pause, self.token, now, self._spread_after_expiry())
        self._rotates = rotates
        self._stopped_failures += 1

    def _lose(self, before: Token | None, now: float, *, is_first: bool, interrupted: bool) -> Seen:
        if is_first:
            self._plan(now)
        if before is None:
            return Seen.UNCHANGED
        failed_at = self._rotation_failed_at
        if interrupted or (failed_at is not None and now - failed_at < _LOSS_SECONDS):
            self._rotates = False  # it is revoked already; only the issue failed and is tried again
            if self._renew_at is None or self._renew_at > now + _LONGEST_PAUSE_SECONDS:
                self._plan(now + _FIRST_PAUSE_SECONDS)
            return Seen.INTERRUPTED
        if before.remaining(now) < BUFFER_SECONDS:
            self._plan(max(self._renew_at or 0.0, before.expires + self._spread_after_expiry()))
            return Seen.UNCHANGED
        self.cleared()
        return Seen.CLEARED

    def _forget_failures(self) -> None:
        self.failures = self._stopped_failures = 0
        self.stopped_by = None

    def _set_policy(self, policy: str, renew_before: float) -> None:
        self._policy_text, self._renew_before = policy, renew_before
        self._policy, _, time_of_day = policy.partition(" ")
        self._rotates_at = int(time_of_day[:2]) * 60 + int(time_of_day[3:]) if self._policy == DAILY else None

    def _plan_for(self, token: Token, now: float) -> None:
        rotation = self._rotation_of(token, now)
        if rotation is not None:
            self._plan(rotation, rotates=True)
        elif self._is_final_answer:
            self._plan(token.expires + self._spread_after_expiry())
        else:
            self._plan(self._usual_moment(token))
        if self._renew_at is not None and self._not_before <= now + _SHORTEST_PAUSE_SECONDS:  # else the clock was set
            self._renew_at = max(self._renew_at, self._not_before)

    def _plan(self, moment: float, *, rotates: bool = False) -> None:
        is_waiting_for_user = self.stopped_by is not None and self._renew_at is None
        if self._policy != NOTIFY and not is_waiting_for_user:
            self._renew_at = moment
            self._rotates = rotates

    def _usual_moment(self, token: Token) -> float:
        lifetime = token.expires - token.created_at.timestamp()
        return token.expires - min(self._renew_before, lifetime * _LARGEST_LEAD)

    def _rotation_of(self, token: Token, now: float) -> float | None:
        """Return the next time of the rotation while the token is valid, or now if the computer slept through the last
        one and the token would expire while the market is open. None when it expires before, or cannot be revoked."""
        if self._rotates_at is None or not self._can_revoke:
            return None
        last = last_time_of_day(self._rotates_at, now)
        is_missed = token.created_at.timestamp() < last
        is_late = is_missed and is_trading(token.expires, self.mode) and not is_trading(now, self.mode)
        rotation = now if is_late else last + _DAY_SECONDS
        return rotation if rotation < token.expires else None

    def _pause(self, error: KiwoomTokenError, now: float, *, is_certain: bool) -> float:
        """Return for how many seconds to ask nothing. Nobody gets a token whose revoke may have reached Kiwoom."""
        token = self.token
        living = token if is_certain and token is not None and token.is_unexpired(now) else None
        longest = _LONGEST_PAUSE_WITHOUT_TOKEN_SECONDS if living is None else _LONGEST_PAUSE_SECONDS
        pause: float = min(_FIRST_PAUSE_SECONDS * 2 ** min(self.failures - 1, _DOUBLINGS), longest)
        pause *= 0.5 + self._random()
        if living is not None:
            pause = _until_expiry(pause, self.token, now, self._spread_after_expiry())
        return max(pause, error.retry_after or 0.0)

    def _spread_after_expiry(self) -> float:
        return _AFTER_EXPIRY_SECONDS + _JITTER_AFTER_EXPIRY_SECONDS * self._random()


def _until_expiry(pause: float, token: Token | None, now: float, spread: float) -> float:
    """Return the pause in seconds, or less if an unexpired token expires meanwhile: right after that, `spread` seconds
    later, is the one moment not to miss."""
    is_unexpired = token is not None and token.is_unexpired(now)
    return min(pause, token.expires + spread - now) if token is not None and is_unexpired else pause


def _may_be_revoked(token: Token | None, mode: str, now: float) -> bool:
    """Return True unless a valid token would be revoked while the market is open."""
    return token is None or not token.is_unexpired(now) or not is_trading(now, mode)


def _may_end_unseen(error: KiwoomTokenError) -> bool:
    """Return True for what stops a renewal and may be over without this program learning of it: what is mended in
    Kiwoom's portal, what ends in another network (8010) or with the token that is meant, and what Kiwoom refuses
    without saying why."""
    is_about_token = isinstance(error, (TokenRefused, RevokeFailed))
    return error.remedy == Remedy.OPEN_PORTAL or is_about_token or error.code in UNEXPLAINED_CODES
