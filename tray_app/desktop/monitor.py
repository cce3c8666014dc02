"""What is known about the token, kept up to date: the one source of everything the desktop shows."""

from __future__ import annotations

import os
import random
import time
from copy import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from tray_app.core import logs
from tray_app.core.errors import KiwoomTokenError, known_error
from tray_app.core.renewal_schedule import Due
from tray_app.core.state import Action, LastResult, Result, TokenState
from tray_app.core.token import Token
from tray_app.core.token_schedule import TokenSchedule
from tray_app.desktop.file_watch import FileWatch, watchable
from tray_app.desktop.worker import Worker
from tray_app.service.migration import Migrated, migrate
from tray_app.service.token_service import Outcome
from tray_app.system.private_files import make_private_folder

if TYPE_CHECKING:
    from collections.abc import Callable

    from tray_app.core.notices import Notice
    from tray_app.kiwoom.keys import AppKeys
    from tray_app.service.token_service import Cleared, TokenService
    from tray_app.settings.load import Settings

_LONGEST_SLEEP_SECONDS = 60.0
"""No timer runs longer, so a resumed computer is noticed within a minute."""

_OUTCOMES = {
    Outcome.ISSUED: Result.ISSUED,
    Outcome.SAME: Result.SAME,
    Outcome.ADOPTED: Result.ADOPTED,
    Outcome.FOUND: Result.ADOPTED,
}


class Monitor(QObject):
    """Looks when the store's change signal says so, renews when the policy says so, does what the user asks.

    `changed(TokenState)`, `notice(Notice)`, `notice_over()` when the last one is not true any more, `copied(Secret)`,
    and `mode_entered(str)` when keys were taken that want a keeper of that mode, are its only ways out. Everything
    that may wait runs on two workers: one looks, one acts, so a slow renewal does not keep a change from being seen.
    """

    changed = Signal(object)
    notice = Signal(object)
    notice_over = Signal()
    copied = Signal(object)
    mode_entered = Signal(str)

    def __init__(
        self,
        settings: Settings,
        service: TokenService,
        keep_keys: Callable[[Settings, AppKeys], Outcome | None],
        unlock_keyring: Callable[[], None],
        *,
        sandbox: bool = False,
        clock: Callable[[], float] = time.time,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._settings = settings
        self._service = service
        self._keep_keys = keep_keys
        self._unlock_keyring = unlock_keyring
        self._clock = clock
        self._schedule = _schedule_for(settings)
        self._last_notice: Notice | None = None
        self._token: Token | None = None
        self._version: object = object()
        self._has_read = False
        self._looking = False
        self._done = 0
        self._coming: TokenService | None = None
        self._is_held = False
        self._look_failure: KiwoomTokenError | None = None
        self._state = TokenState(profile=settings.profile, mode=settings.mode, policy=settings.policy, sandbox=sandbox)
        self._looker = Worker("look", self)
        self._actor = Worker("act", self)
        self._files = FileWatch(self)
        self._files.changed.connect(self.look)
        # precise, so that it does not come before who else calls `tick` once a minute
        self._timer = QTimer(self, singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self.tick)

    @property
    def state(self) -> TokenState:
        return self._state

    @property
    def settings(self) -> Settings:
        return self._settings

    @property
    def service(self) -> TokenService:
        return self._service

    def current_token(self) -> Token | None:
        """What the store holds this moment. Not for the GUI thread; raises `StoreError`."""
        return self._service.current()

    def apply(self, settings: Settings, service: TokenService | None) -> None:
        """Goes on under changed settings; with another `keeper`, which takes over once what is being done is done."""
        old, self._settings = self._settings, settings
        self._schedule.reconfigure(
            settings.policy, settings.renew_before, settings.warn_before, settings.quiet_hours, self._clock()
        )
        self._state = replace(self._state, policy=settings.policy)
        if service is not None:
            self._change_keeper(service, old, settings)
        self._publish(busy=self._state.busy)

    def _change_keeper(self, service: TokenService, before: Settings, after: Settings) -> None:
        leaving = self._acting()
        self._coming = service

        def migrated(result: Migrated | None, error: Exception | None) -> None:
            for failure in [] if result is None else result.failures:
                self._show_failure(failure)
            if error is not None:
                self._show_failure(error)
            self._service, self._version, self._has_read = service, object(), False
            if self._state.mode != after.mode:
                self._change_account(after)
            if self._coming is service:
                self._coming = None
            self._looker.run(self._prepare_folders, lambda *_: None)
            self.look()

        self._actor.run(lambda: migrate(before, after, old=leaving, new=service, clock=self._clock), migrated)

    def _change_account(self, settings: Settings) -> None:
        """Nothing that was told, tried or wished of the other one holds: it begins as at a start."""
        self._schedule, self._token = _schedule_for(self._settings), None
        self._state = replace(self._state, mode=settings.mode)

    def start(self) -> None:
        """The first look."""
        self._looker.run(self._prepare_folders, lambda *_: None)
        self.look()

    def end(self) -> None:
        """Nobody wants this account watched any more: what is being done is done to its end, and nothing after it."""
        self._timer.stop()
        self._looker.end()
        self._actor.end()
        self.deleteLater()

    def look(self) -> None:
        """Reads the store if it changed since the last look; while another keeper is coming, once it is there."""
        if self._coming is not None:
            return
        if self._looking:
            self._files.settle()
            return
        self._looking = True
        self._looker.run(self._look_job, self._looked)

    def refresh(self) -> None:
        """Asks Kiwoom now."""
        self._act(Action.REFRESH, self._acting().refresh, self._asked)

    def rotate(self) -> None:
        """Revokes the present token and asks for a new one."""
        service = self._acting()
        self._act(Action.ROTATE, lambda: service.refresh(rotate=True), self._rotated)

    def clear(self, *, revoke: bool) -> None:
        action, service = Action.REVOKE if revoke else Action.CLEAR, self._acting()
        self._act(action, lambda: service.clear(revoke=revoke), self._cleared)

    def unlock(self) -> None:
        """Lets the keyring ask for its password; then the token moves from the file into it."""
        service = self._acting()

        def job() -> Token | None:
            self._unlock_keyring()
            token = service.current()
            if token is not None:
                service.put(token)
            return token

        self._act(Action.UNLOCK, job, self._unlocked)

    def copy(self) -> None:
        """Brings the token itself, for the clipboard."""

        def read(token: object, error: Exception | None) -> None:
            if error is not None:
                self._show_failure(error)
                self._publish(busy=self._state.busy)
            else:
                self.copied.emit(token)

        self._looker.run(lambda: self._service.living().value, read)

    def snooze(self, seconds: float) -> None:
        """Warns of nothing for so long; 0 ends that."""
        now = self._clock()
        self._schedule.snooze(now + seconds, now)
        self._publish(busy=self._state.busy)

    def hold(self, is_held: bool) -> None:
        """While nobody sits at the screen nothing is told; afterwards what is still true."""
        self._is_held = is_held
        if not is_held:
            self.tick()

    def resumed(self) -> None:
        """The computer slept, or its clock was set: everything is judged anew."""
        self.tick()

    def enter_keys(self, mode: str, keys: AppKeys) -> None:
        """Tries the keys, keeps them and stores the token that came of it."""

        settings = copy(self._settings)
        settings.mode = mode

        def kept(outcome: object, before: Token | None) -> None:
            self._asked(outcome, before)
            self._state = replace(self._state, mode=mode)
            self.mode_entered.emit(mode)

        self._act(Action.REFRESH, lambda: self._keep_keys(settings, keys), kept)

    def _acting(self) -> TokenService:
        """Whose turn it is once what was begun is done."""
        return self._coming or self._service

    def _prepare_folders(self) -> None:
        for path in self._service.store.watch_paths():
            make_private_folder(os.path.dirname(path))

    def _look_job(self) -> _Found:
        done = self._done
        wanted = watchable(self._service.store.watch_paths())
        try:
            version = self._service.store.version()
            if version == self._version:
                self._service.store.check()  # on the way, because each job more wakes two threads
                return _Found(wanted)
            at, token = self._clock(), self._service.current()
            interrupted = token is None and self._service.was_interrupted(self._token)
            return _Found(wanted, version=version, token=token, changed=True, at=at, interrupted=interrupted, done=done)
        except Exception as error:  # noqa: BLE001 - shown to the user; the files are watched all the same
            return _Found(wanted, error=error)

    def _looked(self, found: _Found | None, error: Exception | None) -> None:
        self._looking = False
        if found is not None and found.changed and found.done != self._done:
            self.look()
            return
        busy = None if self._state.busy is Action.LOOK else self._state.busy
        if found is not None:
            self._files.watch(found.wanted)
            error = found.error
        if error is not None:
            self._look_failure = self._show_failure(error)
        elif found is not None and found.changed and self._coming is None:
            self._forget_look_failure()
            self._note_other_hands(found)
            self._version, self._token = found.version, found.token
            self._schedule.saw(self._token, self._clock(), interrupted=found.interrupted)
            self._tell_due()
            self._actor.run(lambda: self._service.record_found(found.token, found.at), lambda *_: None)
            self._actor.run(self._service.publish, lambda *_: None)  # its failures are logged where they happen
        self._publish(busy=busy)
        if error is not None or (found is not None and found.changed):
            self._looker.run(self._service.store.check, self._checked)

    def _note_other_hands(self, found: _Found) -> None:
        """What became of the token outside of this program, so that the last thing told is not of an earlier one.

        Nothing at the first look, nor where the token comes to light because its place can be read again.
        """
        had_read, self._has_read = self._has_read, True
        is_same_place = self._service.place().problem_code == self._state.place_problem
        if not had_read or not is_same_place or self._state.busy not in {None, Action.LOOK} or found.interrupted:
            return
        before = None if self._token is None else self._token.value
        after = None if found.token is None else found.token.value
        if after != before:
            result = Result.GONE if after is None else Result.ADOPTED
            self._state = replace(self._state, last=LastResult(result, self._clock()))

    def _checked(self, _: object, error: Exception | None) -> None:
        """Why the token is not where it should be may be known only now."""
        place, state = self._service.place(), self._state
        if error is None and (place.kind, place.problem_code) != (state.place, state.place_problem):
            self._publish(busy=state.busy)

    def _forget_look_failure(self) -> None:
        """What could not be read can be read again."""
        last = self._state.last
        if self._look_failure is not None and last is not None and last.error is self._look_failure:
            self._state = replace(self._state, last=None)
        self._look_failure = None

    def _act(self, action: Action, job: Callable[[], object], then: Callable[[object, Token | None], None]) -> None:
        """`then` gets what came of the job, and the token before it: a look may see the new one first."""
        if self._state.busy not in {None, Action.LOOK}:
            return
        before = self._token
        self._publish(busy=action)

        def done(result: object, error: Exception | None) -> None:
            self._done += 1
            if error is None:
                then(result, before)
            else:
                self._failed(action, self._show_failure(error))
            self._tell_due()
            self._publish(busy=None)
            self.look()

        self._actor.run(job, done)

    def _failed(self, action: Action, error: KiwoomTokenError) -> None:
        """A clear or an unlock that failed changes nothing about when to renew."""
        if action in {Action.REFRESH, Action.ROTATE}:
            self._schedule.failed(error, self._clock(), rotating=action is Action.ROTATE)

    def _rotated(self, result: object, before: Token | None) -> None:
        self._asked(result, before, rotated=True)

    def _asked(self, result: object, before: Token | None, *, rotated: bool = False) -> None:
        if not isinstance(result, Outcome):
            return
        self._token = result.token
        same = result.is_the_same_as(before)
        self._schedule.answered(result.token, self._clock(), same=same, rotated=rotated)
        outcome = Result.SAME if same else _OUTCOMES[result.how]
        last = LastResult(outcome, self._clock(), result.unsaved)
        skew = self._state.skew_seconds if result.skew_seconds is None else result.skew_seconds
        self._state = replace(self._state, last=last, skew_seconds=skew)

    def _cleared(self, result: object, _: Token | None) -> None:
        cleared: Cleared = result  # type: ignore[assignment]
        self._token = None
        self._schedule.cleared()
        self._state = replace(self._state, last=LastResult(_result_of(cleared), self._clock()))

    def _unlocked(self, token: object, _: Token | None) -> None:
        """The token is known at once, lest the look that follows take it for another program's."""
        if isinstance(token, Token):
            self._token = token
            self._schedule.saw(token, self._clock())
        self._state = replace(self._state, last=LastResult(Result.UNLOCKED, self._clock()))
        self._schedule.resume(self._clock())

    def _show_failure(self, raised: Exception) -> KiwoomTokenError:
        error = known_error(raised)
        logs.warning("%s: %s", type(error).__name__, error)
        self._state = replace(self._state, last=LastResult(Result.FAILED, self._clock(), error))
        return error

    def tick(self) -> None:
        """Does what is due, and looks; by itself once a minute. It asks first: what that mends at once, as after a
        sleep, is not told."""
        due = None if self._state.busy is not None else self._schedule.due(self._clock())
        if due is not None:
            seen, rotate, service = self._token, due is Due.ROTATE, self._acting()
            action = Action.ROTATE if rotate else Action.REFRESH
            then = self._rotated if rotate else self._asked
            self._act(action, lambda: service.renew(seen, rotate=rotate), then)
        else:
            self._tell_due()
            self.look()

    def _tell_due(self) -> None:
        if self._is_held:
            return
        now = self._clock()
        for one in self._schedule.notices(now):
            self._last_notice = one
            self.notice.emit(one)
        if self._last_notice is not None and not self._schedule.still_true(self._last_notice, now):
            self._last_notice = None
            self.notice_over.emit()

    def _publish(self, *, busy: Action | None) -> None:
        token, place = self._token, self._service.place()
        self._state = replace(
            self._state,
            expires=token.expires if token else None,
            created=token.created_at.timestamp() if token else None,
            place=place.kind,
            place_path=place.path,
            place_problem=place.problem_code,
            busy=busy,
            renew_at=self._schedule.renew_at,
            stopped=self._schedule.stopped,
            snoozed_until=self._schedule.snoozed_until,
        )
        self.changed.emit(self._state)
        self._start_timer()

    def _start_timer(self) -> None:
        now = self._clock()
        acting = self._state.busy not in {None, Action.LOOK}
        # What is due cannot be told while nobody is there: that moment would be now, again and again.
        next_moment = self._schedule.renew_at if self._is_held else self._schedule.next_moment(now)
        moment = None if acting else next_moment
        wait = _LONGEST_SLEEP_SECONDS if moment is None else min(_LONGEST_SLEEP_SECONDS, moment - now)
        self._timer.start(max(0, int(wait * 1000) + 1))


def _result_of(cleared: Cleared) -> Result:
    if cleared.revoked:
        return Result.REVOKED
    if cleared.already_dead:
        return Result.ALREADY_DEAD
    if cleared.there or cleared.unseen is not None:
        return Result.CLEARED
    return Result.KEPT if cleared.kept else Result.GONE


def _schedule_for(settings: Settings) -> TokenSchedule:
    return TokenSchedule(
        settings.policy, settings.renew_before, settings.warn_before, random.random, quiet_hours=settings.quiet_hours
    )


@dataclass(frozen=True, slots=True)
class _Found:
    """What a look brought: the files and folders to watch, and the token if anything `changed`, as it was `at`.

    `interrupted` when there is none because a rotation was not finished. `done` counts what had been done before:
    a look that read before the latest of it knows nothing of what came of that.
    """

    wanted: set[str]
    version: object = None
    token: Token | None = None
    changed: bool = False
    at: float = 0.0
    interrupted: bool = False
    done: int = 0
    error: Exception | None = None
