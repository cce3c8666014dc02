"""Keeps one account's token valid: reads it when it changed, renews it when that is due, reports everything once."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tray_app.core import logs
from tray_app.core.clock import earliest, is_recent
from tray_app.core.errors import KeyringUnavailable, KiwoomTokenError, Remedy, known_error
from tray_app.core.renewal_schedule import NOTIFY, Due
from tray_app.core.secret import without_traceback
from tray_app.core.state import Action
from tray_app.service.migration import migrate, needs_new_service
from tray_app.service.outcome import Outcome
from tray_app.supervisor.commands import Renew, RenewByRotation, Unlock
from tray_app.supervisor.jobs import Job, run_now
from tray_app.supervisor.keyring_watch import Answers, KeyringWatch
from tray_app.supervisor.plan_withdrawal import PlanWithdrawal
from tray_app.supervisor.poller import Poller
from tray_app.supervisor.store_reader import StoreReader
from tray_app.supervisor.token_check import TokenCheck
from tray_app.supervisor.tracker import TokenTracker

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from tray_app.core.notices import Notice
    from tray_app.core.state import TokenState
    from tray_app.core.token import Token
    from tray_app.service.migration import Migrated
    from tray_app.service.token_service import TokenService
    from tray_app.settings.load import Settings
    from tray_app.supervisor.commands import Command
    from tray_app.supervisor.store_reader import StoreReading

    T = TypeVar("T")

_RETRY_SECONDS = 60.0
"""A store that could not be read is tried again after this time, though its version is the same."""

_SAVE_PAUSE_SECONDS = 50.0
"""What could not be saved is tried again after this time: less than a minute, so that a face that ticks once a minute
tries at every tick."""

_POLL_SECONDS = 10.0
"""Seconds between two looks for app keys, and between two checks of a keyring that does not answer or failed."""


def _ignore(*_: object) -> None:
    """Do nothing: the default of every callback."""


@dataclass(frozen=True, kw_only=True)
class Callbacks:
    """What a supervisor calls when something is to be shown, on the thread on which it is used.

    `changed` gets each new state, `read` the one after the store was read again, `unreadable` why it could not be read,
    `answered` the result of asking Kiwoom, and `unpublished` why other tools did not get the token. `notice` gets what
    to tell the user, and `notice_over` is called when the last notice is no longer true.
    """

    changed: Callable[[TokenState], None] = _ignore
    read: Callable[[TokenState], None] = _ignore
    unreadable: Callable[[KiwoomTokenError], None] = _ignore
    answered: Callable[[Outcome], None] = _ignore
    unpublished: Callable[[tuple[KiwoomTokenError, ...]], None] = _ignore
    notice: Callable[[Notice], None] = _ignore
    notice_over: Callable[[], None] = _ignore


class Supervisor:
    """Keep the token of one account valid, and do with it what the user asks.

    It has no thread and no timer. Use it on one thread and call `tick` when `next_moment` has come. What may wait is
    passed on as jobs: `run_read` gets those that only read, `run_act` those that change something, each in turn, so
    that a slow renewal does not keep a change from being seen. By default both run at once.

    `open_service` opens the token service for settings and raises `KiwoomTokenError` where it cannot. Without
    `heeds_quiet_hours` notices are due at any time of day. `reads_every` is how many seconds at least lie between two
    reads that nothing but a `tick` asks for; whoever watches the store's files calls `read` when they change.
    `check_keyring` raises while the keyring cannot be used and asks the user nothing; with it the supervisor goes on by
    itself once a locked keyring is unlocked.
    """

    def __init__(
        self,
        settings: Settings,
        open_service: Callable[[Settings], TokenService],
        callbacks: Callbacks,
        *,
        run_read: Callable[[Job[Any]], None] = run_now,
        run_act: Callable[[Job[Any]], None] = run_now,
        sandbox: bool = False,
        heeds_quiet_hours: bool = True,
        check_keyring: Callable[[], None] | None = None,
        reads_every: float = 0.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._reads_every = reads_every
        self._settings = settings
        self._open_service = open_service
        self._callbacks = callbacks
        self._run_read = run_read
        self._run_act = run_act
        self._clock = clock
        self._tracker = TokenTracker(settings, random.random, sandbox=sandbox, heeds_quiet_hours=heeds_quiet_hours)
        self._check = TokenCheck(self._tracker, clock, run_act)
        self._withdrawal = PlanWithdrawal(self._tracker, run_act)
        answers = Answers(
            unlocked=lambda: self.do(Unlock(_ignore)),
            still_locked=lambda: self._publish(self.state.busy),
            failed=self.read,
        )
        self._keyring = KeyringWatch(check_keyring, answers, clock, run_read)
        self._keys = Poller(_POLL_SECONDS, _waits_for_keys, self._look_for_keys, clock)
        self._place = Poller(_POLL_SECONDS, _has_passing_problem, lambda: self._check_place(was_read=False), clock)
        self._reader = StoreReader(open_service(settings), clock)
        self._next_service: TokenService | None = None
        """It takes over once the token has been moved to its store."""
        self._is_reading = False
        self._reads_again = False
        self._read_at = 0.0
        self._read_failed_at: float | None = None
        self._save_tried_at = 0.0
        self._actions_done = 0
        self._is_unsure = False
        """Something failed that may have cost the token, and the store was not read since."""
        self._is_held = False

    @property
    def state(self) -> TokenState:
        """The present state to show."""
        return self._tracker.state

    @property
    def settings(self) -> Settings:
        """The settings that apply at present."""
        return self._settings

    @property
    def service(self) -> TokenService:
        """The token service that is read at present."""
        return self._reader.service

    @property
    def is_idle(self) -> bool:
        """True if nothing is being read or done, so that the state is up to date."""
        return self.state.busy is None and not self._is_reading

    def next_moment(self) -> float | None:
        """Return when to call `tick` at the latest, in seconds of the epoch, or None while there is no such moment."""
        if self._is_acting:
            return None
        # A notice that is held back while nobody is there would be due now, again and again.
        is_silent = self._is_held or self._is_unsure or self._withdrawal.is_running
        tracked = self._tracker.next_moment(
            self._clock(), without_notices=is_silent, is_checking=self._check.is_running
        )
        return earliest(tracked, *(one.next_moment(self.state) for one in (self._keyring, self._keys, self._place)))

    def tick(self, *, resumed: bool = False) -> None:
        """Do what is due, or else send the notices that are due, and read the store if it changed.

        With `resumed` the computer slept or its clock was set, and the token is checked with Kiwoom. Renewing comes
        first: what it solves at once, as after a sleep, is not reported.
        """
        if resumed:
            self._tracker.want_verification()
        if self._renew_if_due():
            return
        self._tell_due()
        if not self._is_acting:
            self._keys.poll(self.state)
        is_asking = not self._is_acting and self._keyring.poll(self.state)
        self._place.poll(self.state)
        if is_asking or self._is_reading:
            return
        if is_recent(self._read_at, self._clock(), self._reads_every) and not resumed:
            self._publish(self.state.busy)  # whoever calls `tick` learns the next moment from it
        else:
            self.read()

    def poll(self) -> None:
        """Do one turn for a face without events to wake it: read the store if it changed, then do and report what is
        due.

        Cheap enough for every second: a store that could not be read is tried again once a minute only.
        """
        self.read(retry=not is_recent(self._read_failed_at, self._clock(), _RETRY_SECONDS))
        if not self._renew_if_due():
            self._tell_due()
            if not self._is_acting:
                self._keyring.poll(self.state)
                self._keys.poll(self.state)

    def read(self, *, retry: bool = True) -> None:
        """Read the store if it changed since it was last read, and with `retry` also one that could not be read."""
        if self._next_service is not None:
            return  # read once it has taken over
        if self._is_reading:
            self._reads_again = True
            return
        self._is_reading, self._reads_again = True, False
        self._read_at = self._clock()
        reader, actions_done, seen = self._reader, self._actions_done, self._tracker.token

        def finish(found: StoreReading | None, error: Exception | None) -> None:
            self._is_reading = False
            if reader is not self._reader or (found is not None and actions_done != self._actions_done):
                self.read()  # the result is older than what is known
                return
            if actions_done == self._actions_done:
                self._is_unsure = False
            self._on_read(found, error)
            if self._reads_again:
                self.read()

        self._run_read(Job(lambda: reader.read(seen, retry=retry), finish))

    def do(self, command: Command[T]) -> None:
        """Do what the user asks, unless something else is being done."""
        if self._is_acting:
            return
        service = self._latest_service
        command.begin(self._tracker)
        self._publish(command.action)

        def finish(result: Any, error: Exception | None) -> None:
            self._actions_done += 1
            now = self._clock()
            self._is_unsure = error is not None
            if error is not None:
                command.fail(self._tracker, _logged(error), now)
            else:
                command.succeed(self._tracker, result, now)
                if isinstance(result, Outcome):
                    self._callbacks.answered(result)
                if command.mode is not None:
                    self._go_on_in(command.mode)
                self._tell_due()
            self._publish(None)
            self.read()  # what failed is told after that

        self._run_act(Job(lambda: command.run(service), finish))

    def copy(self, deliver: Callable[[Token], None]) -> None:
        """Read the token and pass it to `deliver`; if there is none, show why."""
        service = self.service

        def finish(token: Token | None, error: Exception | None) -> None:
            if token is not None:
                deliver(token)
            elif error is not None:
                self._tracker.on_failed(_logged(error), self._clock(), until_readable=True)
                self._publish(self.state.busy)

        self._run_read(Job(service.living, finish))

    def snooze(self, seconds: float) -> None:
        """Show no warnings for so many seconds; 0 ends the snooze."""
        self._tracker.snooze(seconds, self._clock())
        self._publish(self.state.busy)

    def hold(self, is_held: bool) -> None:
        """Hold notices back while nobody is at the screen; afterwards send those that are still true."""
        self._is_held = is_held
        if not is_held:
            self.tick()

    def apply(self, settings: Settings) -> None:
        """Go on under changed settings; the token moves too, once the present action is done.

        Raises `KiwoomTokenError` and changes nothing if their store cannot be opened.
        """
        before = self._settings
        service = self._open_service(settings) if needs_new_service(before, settings) else None
        self._settings = settings
        self._tracker.reconfigure(settings, self._clock())
        if service is not None:
            self._move_to(service, before, settings)
        self._publish(self.state.busy)

    @property
    def _is_acting(self) -> bool:
        return self.state.busy not in {None, Action.READ}

    @property
    def _latest_service(self) -> TokenService:
        """The service that will be in use once the present actions are done."""
        return self._next_service or self._reader.service

    def _go_on_in(self, mode: str) -> None:
        try:
            self.apply(self._settings.replace(mode=mode))
        except KiwoomTokenError as error:
            self._tracker.on_failed(_logged(error), self._clock())

    def _move_to(self, service: TokenService, before: Settings, after: Settings) -> None:
        old = self._latest_service
        self._next_service = service

        def finish(migrated: Migrated | None, error: Exception | None) -> None:
            for failure in [error] if migrated is None else migrated.failures:
                if failure is not None:
                    self._tracker.on_failed(_logged(failure), self._clock())
            self._reader = StoreReader(service, self._clock)
            if self.state.mode != after.mode:
                self._tracker.change_account(self._settings)
            if self._next_service is service:
                self._next_service = None
            self.read()

        self._run_act(Job(lambda: migrate(before, after, old=old, new=service, clock=self._clock), finish))

    def _on_read(self, found: StoreReading | None, error: Exception | None) -> None:
        now = self._clock()
        if error is not None:
            self._read_failed_at = now
            reason = _logged(error)
            self._tracker.on_unreadable(reason, now)
            self._callbacks.unreadable(reason)
        elif found is None:
            if not self._reader.has_failed:
                self._tracker.on_readable()
            was_tried = is_recent(self._save_tried_at, now, _SAVE_PAUSE_SECONDS)
            if self.service.tokens.unsaved is not None and not self._is_acting and not was_tried:
                self._save_tried_at = now
                self._run_act(_publishing(self.service, self._callbacks))
            self._tell_due()
        elif self._next_service is None:
            self._take(found, now)
        self._publish(self.state.busy if self._is_acting else None)
        if error is not None or found is not None:
            self._check_place(was_read=found is not None and not found.only_evidence)

    def _take(self, found: StoreReading, now: float) -> None:
        reader = self._reader
        is_same_place = reader.service.store.place().problem_code == self.state.place_problem
        # A token that appears because its store can be read again is no other program's.
        by_another_program = reader.has_read and is_same_place and not self._is_acting
        seen = self._tracker.token if reader.has_read and is_same_place else None
        reader.accept(found)
        self._read_failed_at = None
        self._tracker.on_read(found, now, by_another_program=by_another_program)
        self._tell_due()
        if found.only_evidence:
            return

        service = reader.service
        self._run_act(Job(lambda: service.record_found(found.token, found.at), lambda _, error: _log_unexpected(error)))
        self._run_act(_publishing(service, self._callbacks, seen))

    def _check_place(self, *, was_read: bool) -> None:
        """Show why the token is not in its preferred place, which may be known only now."""
        service = self.service

        def finish(_: None, error: Exception | None) -> None:
            place, state = self.service.store.place(), self.state
            if error is None and state.place_problem and not place.problem_code:
                self.read()  # what it may have hidden, before it is said to be over
            elif error is None and (place.kind, place.problem_code) != (state.place, state.place_problem):
                self._publish(state.busy)
            if was_read:
                self._callbacks.read(self.state)

        self._run_read(Job(service.store.check, finish))

    def _look_for_keys(self) -> None:
        """Renew once there are other app keys than the missing or refused ones: `kiwoomcli setup` or a `login`
        elsewhere may store them at any time."""

        def finish(is_found: bool | None, _: Exception | None) -> None:
            if is_found and _waits_for_keys(self.state) and not self._is_acting:
                self._tracker.begin(resumes_at=self._clock())  # should Kiwoom be silent now, it is asked again
                self.do(Renew())

        self._run_read(Job(self.service.tokens.has_other_keys, finish))

    def _renew_if_due(self) -> bool:
        def checked(error: Exception | None) -> None:
            self._actions_done += 1  # a read that is under way may return what is no longer true
            _log_unexpected(error)
            self._tell_due()
            self._publish(self.state.busy)
            self.read()

        due = None if self.state.busy is not None else self._tracker.due(self._clock())
        if due is None:
            return False
        if due is Due.VERIFY:
            self._check.start(self.service, checked)
            return False
        self.do(RenewByRotation() if due is Due.ROTATE else Renew())
        return True

    def _tell_due(self) -> None:
        def withdrawn(error: Exception | None) -> None:
            _log_unexpected(error)
            self._tell_due()
            self._publish(self.state.busy)

        if self._is_held or self._is_unsure or self._withdrawal.start(self.service, withdrawn):
            return
        now = self._clock()
        for notice in self._tracker.due_notices(now):
            self._callbacks.notice(notice)
        if self._tracker.is_last_notice_over(now):
            self._callbacks.notice_over()

    def _publish(self, busy: Action | None) -> None:
        before, place = self.state, self.service.store.place()
        if before.place_problem and not place.problem_code and not self._reader.has_failed:
            self._tracker.on_readable()
        state = self._tracker.show(place, busy)
        self._callbacks.changed(state)
        if self._keyring.is_token_left_in_file(before, state):
            self.do(Unlock(_ignore))


def _waits_for_keys(state: TokenState) -> bool:
    is_key_wanted = state.stopped_by is not None and state.stopped_by.remedy == Remedy.ENTER_KEYS
    return is_key_wanted and state.policy != NOTIFY


def _has_passing_problem(state: TokenState) -> bool:
    """Return True if the keyring has a problem that may pass without anybody's help: nothing reports when it is
    over."""
    return state.place_problem in {KeyringUnavailable.SILENT, KeyringUnavailable.FAILED}


def _publishing(
    service: TokenService, callbacks: Callbacks, seen: Token | None = None
) -> Job[tuple[KiwoomTokenError, ...]]:
    """Return the job that gives the token to other tools, and to the store if that could not take it before. Without
    one they lose `seen`, which was stored until now."""

    def published(errors: tuple[KiwoomTokenError, ...] | None, error: Exception | None) -> None:
        _log_unexpected(error)
        if errors:
            callbacks.unpublished(errors)

    return Job(lambda: service.publish(seen), published)


def _logged(raised: Exception) -> KiwoomTokenError:
    error = known_error(raised)
    logs.warning("%s: %s", type(error).__name__, error)
    without_traceback(error)  # the state keeps the error, for as long as it is the last one
    return error


def _log_unexpected(error: Exception | None) -> None:
    """Log an error that nobody expected; the expected ones are logged where they happen."""
    if error is not None and not isinstance(error, KiwoomTokenError):
        _logged(error)
