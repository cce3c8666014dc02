"""What is known about one account's token, and what follows from it: pure, without a clock or a store."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tray_app.core.clock import earliest
from tray_app.core.errors import BrokerUnavailable, SettingsError, TokenRefused
from tray_app.core.renewal_schedule import Due
from tray_app.core.state import Action, LastResult, Result, TokenState
from tray_app.core.token_schedule import TokenSchedule
from tray_app.core.verification_schedule import VerificationSchedule
from tray_app.service.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from tray_app.core.errors import KiwoomTokenError
    from tray_app.core.notices import Notice
    from tray_app.core.planned_rotation import PlannedRotation
    from tray_app.core.token import Token
    from tray_app.service.evidence import Evidence
    from tray_app.service.outcome import Cleared, Verified
    from tray_app.settings.load import Settings
    from tray_app.stores.base import Place
    from tray_app.supervisor.store_reader import StoreReading

_RESULTS = {
    Outcome.ISSUED: Result.ISSUED,
    Outcome.SAME: Result.SAME,
    Outcome.ADOPTED: Result.ADOPTED,
    Outcome.FOUND: Result.ADOPTED,
}


class TokenTracker:
    """Turn what happened to the token into one state, and into what is due next. Instants are seconds of the epoch.

    `token` is the present token, which is not in the `state`, and `planned` the rotation that the user has planned;
    `random` returns numbers from 0 to 1.
    """

    def __init__(
        self, settings: Settings, random: Callable[[], float], *, sandbox: bool, heeds_quiet_hours: bool
    ) -> None:
        self._random = random
        self._heeds_quiet_hours = heeds_quiet_hours
        self._schedule = _schedule_for(settings, self._random, heeds_quiet_hours=self._heeds_quiet_hours)
        self.planned: PlannedRotation = self._schedule.renewal.planned
        self._verification = VerificationSchedule(settings.mode, is_on=settings.verify == "auto")
        self._read_error: KiwoomTokenError | None = None
        self._last_notice: Notice | None = None
        self._before: Token | None = None
        self._arrived_at = 0.0
        self.token: Token | None = None
        self.state = TokenState(profile=settings.profile, mode=settings.mode, policy=settings.policy, sandbox=sandbox)

    def reconfigure(self, settings: Settings, now: float) -> None:
        """Apply other settings of the same account to plans and warnings."""
        quiet_hours = settings.quiet_hours if self._heeds_quiet_hours else None
        self._schedule.reconfigure(settings.policy, settings.renew_before, settings.warn_before, quiet_hours, now)
        self._verification.reconfigure(settings.mode, is_on=settings.verify == "auto")
        is_mended = isinstance(self.state.error, SettingsError) and not settings.problems
        self.state = replace(self.state, policy=settings.policy, last=None if is_mended else self.state.last)

    def change_account(self, settings: Settings) -> None:
        """Begin as at a start: nothing that was reported, tried or requested for the previous account applies."""
        self._schedule = _schedule_for(settings, self._random, heeds_quiet_hours=self._heeds_quiet_hours)
        self.planned = self._schedule.renewal.planned
        self.token = None
        self._verification = VerificationSchedule(settings.mode, is_on=settings.verify == "auto")
        self.set_mode(settings.mode)

    def set_mode(self, mode: str) -> None:
        """Set the mode of the token, `real` or `demo`."""
        self.state = replace(self.state, mode=mode)

    def show(self, place: Place, busy: Action | None) -> TokenState:
        """Update the state and return it. `place` is where the token is stored, `busy` what is being done."""
        token, schedule = self.token, self._schedule
        self.state = replace(
            self.state,
            expires=token.expires if token else None,
            created=token.created_at.timestamp() if token else None,
            place=place.kind,
            place_path=place.path,
            place_problem=place.problem_code,
            hides_token=place.hides_token,
            busy=busy,
            renew_at=schedule.renew_at,
            rotate_at=schedule.rotate_at,
            stopped_by=schedule.stopped_by,
            snoozed_until=schedule.snoozed_until,
        )
        return self.state

    def on_read(self, found: StoreReading, now: float, *, by_another_program: bool) -> None:
        """Process what was read from the store. With `by_another_program`, another token is reported as that
        program's."""
        self.on_readable()
        before = None if self.token is None else self.token.value
        after = None if found.token is None else found.token.value
        if found.died and found.token is None:
            self._finish(Result.DIED, now)
        elif by_another_program and not found.interrupted and after != before:
            if after is not None:
                self._finish(Result.ADOPTED, now)
            elif self.token is not None and self.token.is_unexpired(now):
                self._finish(Result.GONE, now)  # an expired one is tidied away, and why there is no other stays shown
        elif found.check is not None and (self.state.last is None or found.check.at > self.state.last.at):
            self.state = replace(self.state, last=replace(found.check, is_once=not self._schedule.is_failing))
            # Once Kiwoom answers, nothing is to say that it did not. Two that read each other's checks ask no faster.
            self._verification.want(at_once=False)
            self.on_unverified(found.check.at, found.check.error)
        elif before is None and after is not None and self.state.error is not None:
            self.state = replace(self.state, last=None)  # the keyring had hidden it, and a request for another failed
        self._take_evidence(found.evidence, found.token)
        if found.died and found.token is not None and self.token is not None:
            self._schedule.died(self.token)
        if after != before:
            self._arrived_at = 0.0
            if by_another_program and after is not None:
                # It was stored just now, so it counts as checked, unless there is evidence against it.
                self._arrived_at = now
                self._verification.answered()
        self.token = found.token
        self._schedule.saw(found.token, now, interrupted=found.interrupted, died=found.died)
        self._schedule.plan_rotation(found.rotate_at)

    def _take_evidence(self, evidence: Evidence, token: Token | None) -> None:
        """Show what is known about whether the token works, or that the previous one was found dead."""
        is_about = token is not None and evidence.is_about(token.value)
        is_dead = token is None and evidence.dead_at > 0
        self.state = replace(
            self.state,
            confirmed_at=evidence.confirmed_at or None if is_about else None,
            is_doubtful=is_about and evidence.doubted_at > 0,
            dead_at=evidence.dead_at if is_dead else None,
            dead_expires=evidence.expires if is_dead else None,
        )
        last, confirmed_at = self.state.last, self.state.confirmed_at
        if last is not None and last.is_failed_check and confirmed_at is not None and confirmed_at > last.at:
            self._finish(Result.CONFIRMED, confirmed_at)

    def on_readable(self) -> None:
        """Forget that the store could not be read."""
        if self._read_error is not None and self.state.error is self._read_error:
            self.state = replace(self.state, last=None)
        self._read_error = None
        self._schedule.readable()

    def on_unreadable(self, error: KiwoomTokenError, now: float) -> None:
        """Show why the store could not be read, and report it where no token is known. The last known one stays."""
        is_repeated = self._read_error is not None
        self._read_error = error
        self._finish(Result.FAILED, now, error)
        if self.token is None:
            self._schedule.unreadable(error, is_repeated=is_repeated)

    def begin(self, resumes_at: float | None = None) -> None:
        """Remember the present token before an action on it: a read may see the next one first.

        With `resumes_at`, the present instant, renewing goes on: what it had stopped for may have been solved
        elsewhere. If it stops for the same reason again, that is not reported twice.
        """
        self._before = self.token
        if resumes_at is not None:
            self._schedule.renewal.resume(resumes_at)

    def on_answered(self, outcome: Outcome, now: float, *, rotated: bool) -> None:
        """Process the token that Kiwoom was asked for."""
        self._verification.answered()
        self._arrived_at = now
        self.token = outcome.token
        same = outcome.is_the_same_as(self._before)
        if outcome.dead is not None:
            self._schedule.died(outcome.dead)
        self._schedule.answered(outcome.token, now, same=same, rotated=rotated)
        self._schedule.stored(outcome.unsaved)
        result = Result.SAME if same else _RESULTS[outcome.how]
        replaces_dead = not same and (outcome.dead is not None or self.state.dead_at is not None)
        self._finish(result, now, outcome.unsaved, replaces_dead=replaces_dead)
        if outcome.skew_seconds is not None:
            self.state = replace(self.state, skew_seconds=outcome.skew_seconds)

    def on_request_failed(self, error: KiwoomTokenError, now: float, *, rotating: bool) -> None:
        """Show why Kiwoom gave no token, and plan when to ask again."""
        is_repeated = self._schedule.failed(error, now, rotating=rotating, is_doubtful=self.state.is_doubtful)
        self._finish(Result.FAILED, now, error, is_once=not is_repeated)
        if isinstance(error, BrokerUnavailable) and error.was_sent and error.code is None:
            self._verification.want()  # Kiwoom may have issued another token, which may have ended this one

    def on_failed(
        self, error: KiwoomTokenError, now: float, action: Action | None = None, *, until_readable: bool = False
    ) -> None:
        """Show why something failed that changes nothing about when to renew, an `action` if it was one; with
        `until_readable` until the store can be read."""
        if until_readable:
            self._read_error = error
        is_once = not self._schedule.is_failing
        self.state = replace(self.state, last=LastResult(Result.FAILED, now, error, is_once=is_once, action=action))

    def on_verified(self, verified: Verified, now: float, *, is_requested: bool) -> None:
        """Process what Kiwoom said about the token. A dead one is gone; the next read finds that as well.

        That it works is shown where somebody asked (`is_requested`), or where the check before this one failed.
        """
        self._verification.answered()
        is_present = self.token is not None and self.token.value == verified.token.value
        if verified.is_alive:
            if is_present:
                self.state = replace(self.state, confirmed_at=verified.at, is_doubtful=False)
            last = self.state.last
            if is_requested or (last is not None and last.is_failed_check):
                self._finish(Result.CONFIRMED, now)
            return
        dead = verified.token
        if self.token is not None and not is_present:
            return  # a read has found another one in its place meanwhile
        self._schedule.saw(None, now, died=True)
        self.token = None
        self.state = replace(
            self.state, confirmed_at=None, is_doubtful=False, dead_at=verified.at, dead_expires=dead.expires
        )
        self._finish(Result.DIED, now)

    def on_unverified(self, now: float, error: KiwoomTokenError | None, *, is_requested: bool = False) -> None:
        """Take note that Kiwoom did not say whether the token works, which changes nothing about it. Where somebody
        asked (`is_requested`), that is shown, and the check repeated until Kiwoom answers. So is a token that works
        elsewhere only (8010, 8031), until a check says that it works here."""
        if error is not None and (is_requested or isinstance(error, TokenRefused)):
            self.on_failed(error, now, Action.VERIFY)
        if error is not None and is_requested:
            self._verification.want()
        retry_after = None if error is None else error.retry_after
        self._verification.failed(now, retry_after, is_doubtful=self.state.is_doubtful)

    def want_verification(self) -> None:
        """Request another check of the token: much may have happened meanwhile."""
        self._verification.want()

    def on_cleared(self, cleared: Cleared, now: float) -> None:
        """Forget the token that the user cleared."""
        self.token = None
        self._schedule.cleared()
        self._finish(_result_of(cleared), now, cleared.undeleted)

    def on_unlocked(self, token: Token | None, now: float) -> None:
        """Process the token from the unlocked keyring at once, so that it is not taken for another program's."""
        if token is not None:
            self.token = token
            self._schedule.saw(token, now)
        self._finish(Result.UNLOCKED, now)
        self._schedule.resume(now)

    def on_planned(self, at: float, now: float) -> None:
        """Take note that the token is to be revoked and reissued at that instant."""
        self._schedule.plan_rotation(at)
        self._finish(Result.PLANNED, now)

    def snooze(self, seconds: float, now: float) -> None:
        """Warn of nothing for so long; 0 ends that."""
        self._schedule.snooze(now + seconds, now)

    def due(self, now: float) -> Due | None:
        """Return what to ask Kiwoom for now, or None."""
        due = self._schedule.due(now)
        state = self.state
        checked_at = _checked_at(state, self._arrived_at, now)
        if due is None and self._verification.is_due(self.token, checked_at, now, is_doubtful=state.is_doubtful):
            return Due.VERIFY
        return due

    def next_moment(self, now: float, *, without_notices: bool, is_checking: bool) -> float | None:
        """Return when something will be due next, or None. While a check runs, no other check is due."""
        state = self.state
        moments = [self._schedule.renew_at if without_notices else self._schedule.next_moment(now)]
        if not is_checking:
            checked_at = _checked_at(state, self._arrived_at, now)
            moments.append(self._verification.next_moment(self.token, checked_at, now, is_doubtful=state.is_doubtful))
        return earliest(*moments)

    def due_notices(self, now: float) -> list[Notice]:
        """Return what to tell the user now, each once."""
        notices = self._schedule.notices(now)
        if notices:
            self._last_notice = notices[-1]
            # Whoever is told offers what helps in the state of now, not in the one that was published last.
            schedule = self._schedule
            self.state = replace(self.state, renew_at=schedule.renew_at, stopped_by=schedule.stopped_by)
        return notices

    def is_last_notice_over(self, now: float) -> bool:
        """Return True, once, if the last notice has stopped being true."""
        is_over = self._last_notice is not None and not self._schedule.still_true(self._last_notice, now)
        if is_over:
            self._last_notice = None
        return is_over

    def _finish(
        self,
        result: Result,
        now: float,
        error: KiwoomTokenError | None = None,
        *,
        replaces_dead: bool = False,
        is_once: bool = False,
    ) -> None:
        self.state = replace(self.state, last=LastResult(result, now, error, replaces_dead, is_once))


def _schedule_for(settings: Settings, random: Callable[[], float], *, heeds_quiet_hours: bool) -> TokenSchedule:
    return TokenSchedule(
        settings.policy,
        settings.renew_before,
        settings.warn_before,
        random,
        quiet_hours=settings.quiet_hours if heeds_quiet_hours else None,
        mode=settings.mode,
    )


def _result_of(cleared: Cleared) -> Result:
    if cleared.revoked:
        return Result.REVOKED
    if cleared.already_dead:
        return Result.ALREADY_DEAD
    if cleared.had_expired:
        return Result.CLEARED_EXPIRED
    if cleared.was_there or cleared.unseen is not None:
        return Result.CLEARED
    return Result.KEPT if cleared.of_other_keys else Result.GONE


def _checked_at(state: TokenState, arrived_at: float, now: float) -> float | None:
    """Return since when the token needs no check of its own, or None. What lies in the future comes from a clock that
    was set back since, and says nothing: it must not hide what was checked by the present one."""
    moments = state.confirmed_at or 0.0, arrived_at
    return max((one for one in moments if one <= now), default=0.0) or None
