"""One profile's token over a store and Kiwoom, one process at a time.

A caller that needs a token takes the profile's lock, reads again, decides (`renewal.decide`), asks Kiwoom, stores the
answer, and writes to the lock's record how the request ended (`LastAttempt`). Callers that waited share that answer as
soon as it is recorded, so 32 callers make one request, also when Kiwoom returns the same token or refuses.
"""

from __future__ import annotations

import contextlib
import time

from tray_app.core import logs
from tray_app.core.errors import (
    BrokerError,
    KiwoomTokenError,
    LockLost,
    LockTimeout,
    NoToken,
    Remedy,
    StoreError,
    TokenRefused,
)
from tray_app.core.language import msg
from tray_app.core.profile import command_line
from tray_app.core.secret import without_traceback
from tray_app.core.writer_zone import has_impossible_lifetime
from tray_app.service.account_store import AccountStore
from tray_app.service.event_buffer import EventBuffer
from tray_app.service.evidence import Evidence, check_not_too_soon
from tray_app.service.last_attempt import LastAttempt
from tray_app.service.locked_session import LockedSession
from tray_app.service.outcome import Cleared, Outcome, Verified
from tray_app.service.renewal import ENOUGH_SECONDS, Request, better_of
from tray_app.service.stale_exports import StaleExports
from tray_app.stores.lock import DEFAULT_TIMEOUT_SECONDS, ThreadLock, local_lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from tray_app.core.secret import Secret
    from tray_app.core.token import Token
    from tray_app.kiwoom.keys import AppKeys
    from tray_app.service.ended_tokens import EndedTokens
    from tray_app.service.event_buffer import TokenHistory
    from tray_app.service.key_binding import KeyBinding
    from tray_app.service.protocols import TokenBroker, TokenExports
    from tray_app.stores.base import Store


CONFIRM_SECONDS = 600.0
"""A request that Kiwoom served with the token is recorded no more often than this."""

_MAX_OVERTAKEN = 5
"""How often a request is begun again because the lock was lost. It is lost each time where Redis forgets it, or answers
with old values, and where a disk shows another file at each look."""

_PATIENCE_WITH_TOKEN_SECONDS = 2.0
"""How long a caller with a token that still works waits for another that is asking Kiwoom, which may not answer."""


class TokenService:
    """One profile's token: read, ensure, refresh, verify, put, clear.

    `find_keys` and `open_broker` are called only when Kiwoom must be asked. `exports` are updated after every change of
    the token, while the lock is held; the history of `open_history` is written after its release. Every method may wait
    for a lock, a disk, a keyring or the network, so none belongs on a GUI thread.
    """

    def __init__(
        self,
        profile: str,
        store: Store,
        find_keys: Callable[[], AppKeys],
        open_broker: Callable[[], TokenBroker],
        clock: Callable[[], float] = time.time,
        *,
        exports: TokenExports | None = None,
        key_binding: KeyBinding | None = None,
        open_history: Callable[[], TokenHistory | None] | None = None,
        find_base_url: Callable[[], str] = lambda: "",
        ended: EndedTokens | None = None,
    ) -> None:
        self.profile = profile
        self.store = store
        self.exports = exports
        self.app_key: Callable[[], object] = (lambda: None) if key_binding is None else key_binding.app_key
        """The app key that the environment names at present: with another one, this account's token is another one."""
        self._find_keys = find_keys
        self._open_broker = open_broker
        self._clock = clock
        self._binding = key_binding
        self._find_base_url = find_base_url
        self._events = EventBuffer(profile, clock, open_history)
        self._local_lock: ThreadLock | None = None
        self.tokens = AccountStore(store, clock, key_binding, exports, ended)
        """The store as this account sees it, for callers that only read."""
        self._stale = StaleExports(self.tokens, clock)

    @property
    def base_url(self) -> str:
        """Kiwoom's address for this account. Raises `InvalidInput` when the one in the environment cannot be used."""
        return self._find_base_url()

    # ------------------------------------------------------------------------------------------------------- reading

    def current(self) -> Token | None:
        """Return the stored token, expired or not, also when the five-minute rule hides it. Raises `StoreError`."""
        return self.tokens.current()

    def watch_paths(self) -> list[str]:
        """Return the files whose change may mean another token, or other evidence about it."""
        ended = "" if self.tokens.ended is None else self.tokens.ended.path
        return [*self.store.watch_paths(), *filter(None, [self.store.lock.path, ended])]

    def living(self) -> Token:
        """Return the stored token while it is unexpired, unless it was being revoked and the outcome is unknown. Asks
        Kiwoom about it while there is evidence against it, never for another. Raises `NoToken` and `StoreError`."""
        asked_at, token, record = self._clock(), self.tokens.unexpired(), self.tokens.read_record()
        if token is None or record.is_gone(token):
            raise _no_token(self.profile, self.tokens)
        if self.tokens.is_doubtful(token, record.evidence):
            with self._locked() as session:
                token = self.tokens.unexpired()
                if token is not None and session.is_doubtful(token):
                    token = session.settle_doubt(token, asked_at)
        if token is None or self.tokens.is_gone(token):
            raise _no_token(self.profile, self.tokens)
        self._stale.replace(token, self.exports, lambda: self.publish(patience=0.0))
        return token

    def evidence(self, token: Token | None = None) -> Evidence:
        """Return what is known about whether the token works. With `token`, the stored one, what other tools have
        stored since speaks against it too. May ask Redis, nothing else."""
        evidence = self.tokens.read_record().evidence
        is_doubtful = token is not None and self.tokens.is_doubtful(token, evidence)
        return evidence.doubted(token, self._clock()) if token is not None and is_doubtful else evidence

    # ------------------------------------------------------------------------------------------------ asking for one

    def ensure(self, min_remaining: float = ENOUGH_SECONDS) -> Outcome:
        """Return a token with at least `min_remaining` seconds left, issuing one if the stored one has less.

        If no better one can be had, the stored one is used while it is unexpired, unless it is known to be dead. Raises
        `KeysMissing`, `BrokerError` or `StoreError` when there is none; shortly after a failure that failure again,
        without asking Kiwoom; and `SettingsError` where another account replaces this profile's token again and again.
        """
        request = Request.ensure(self._clock(), min_remaining)
        token = self.tokens.current_within_reach()
        usable = _answer_to(Request.ensure(self._clock(), 0), token, self._clock(), self.tokens)
        if usable is not None and request.is_satisfied_by(usable, self._clock()) and self.tokens.unsaved is None:
            self._stale.replace(usable, self.exports, lambda: self.publish(patience=0.0))
            return Outcome(usable, Outcome.FOUND)
        patience = None if usable is None else _PATIENCE_WITH_TOKEN_SECONDS
        try:
            return self._renew(request, patience)
        except KiwoomTokenError as error:
            unexpired = self.tokens.still_unexpired(token)
            if unexpired is not None:
                logs.warning("Token not renewed, the present one is used (%s)", type(error).__name__)
                return Outcome(unexpired, Outcome.FOUND)
            if patience is None or not isinstance(error, LockTimeout):
                raise
        return self._renew(request)  # that token has ended meanwhile: whoever asks Kiwoom has the time of any request

    def renew(self, seen: Token | None, *, rotate: bool = False) -> Outcome:
        """Replace the token that the caller saw near or after its expiry, unless another process already has.

        With `rotate` revoke it first. Raises like `refresh`, also while the present token is unexpired. When Kiwoom was
        asked before and returned the same token, it is not asked again before that expires.
        """
        return self._renew(Request.renew(self._clock(), seen, rotate=rotate))

    def refresh(self, *, rotate: bool = False) -> Outcome:
        """Ask Kiwoom now; with `rotate` revoke the present token first, which stops it for every tool.

        Raises `KeysMissing`, `BrokerError` or `StoreError`; the present token then stays, unless its revoke
        had already succeeded.
        """
        return self._renew(Request.refresh(self._clock(), rotate=rotate))

    def plan_rotation(self, at: float | None, *, instead_of: float | None = None) -> bool:
        """Plan to revoke and reissue the token once at that instant (seconds of the epoch); None drops the plan. With
        `instead_of` only if the plan is for that instant; return False if it is not.

        Whoever supervises this profile then, the tray or `watch`, carries it out. Raises `NoToken` without a valid
        token, and `StoreError` where the plan cannot be written down.
        """
        with self._locked() as session:
            if instead_of is not None and session.record.rotate_at != instead_of:
                return False
            if at is not None and self.tokens.unexpired() is None:
                raise _no_token(self.profile, self.tokens)
            session.write(rotate_at=at or 0.0)
            if self.tokens.read_record().rotate_at != at:
                path = self.store.lock.path or self.store.place().path  # that of Redis, whose lock is no file
                raise StoreError(msg("The planned reissue could not be saved in {path}."), path=path)
        return True

    def replace_refused(self, refused: Secret) -> Outcome:
        """Return another token than `refused`, which Kiwoom answered with 8005.

        Kiwoom is asked only while `refused` is still the stored one, and at most once a minute because of one refused
        token, or five seconds after a failure that may pass. When Kiwoom returns that same token, so does this. Raises
        like `refresh`; nobody gets a refused token until Kiwoom says otherwise.
        """
        request = Request.replace(self._clock(), refused)
        found = None
        with contextlib.suppress(StoreError):  # the refusal must be recorded all the same
            found = _answer_to(request, self.current(), self._clock(), self.tokens)
        if found is not None and self.tokens.read_record().evidence.says_ended(refused):
            return Outcome(found, Outcome.FOUND)
        try:
            return self._renew(request)  # which records the refusal: others may still have that token in memory
        except KiwoomTokenError:
            if found is None:
                raise
            return Outcome(found, Outcome.FOUND)

    def verify(self, *, is_patient: bool = False) -> Verified:
        """Ask Kiwoom if the stored token works. A dead one is taken away from every reader at once.

        Of all callers at the same time, one asks Kiwoom. Raises `NoToken`, `StoreError`, and a `BrokerError` when
        Kiwoom did not say; then nothing changes. With `is_patient` Kiwoom is left alone about a token in doubt for a
        moment after it did not say, whoever asked.
        """
        asked_at = self._clock()
        with self._locked() as session:
            token = self.tokens.unexpired()
            if token is None:
                raise _no_token(self.profile, self.tokens)
            evidence = session.record.evidence
            if evidence.is_about(token.value) and evidence.confirmed_at > asked_at:
                return Verified(token, evidence.confirmed_at, is_alive=True)
            if is_patient:
                check_not_too_soon(evidence, token, self._clock())
            try:
                is_alive = session.verify(token)
            except BrokerError as error:
                if error.remedy == Remedy.RETRY:
                    error.remedy = Remedy.CHECK
                if session.is_doubtful(token):
                    session.remember_unanswered(token, error)
                if not is_patient or isinstance(error, TokenRefused):
                    # somebody waits for the answer, or should know it: every face of this program offers what helps
                    session.write(check=LastAttempt.failed_check(error, token, self._clock()))
                raise
            return Verified(token, self._clock(), is_alive=is_alive)

    def doubt(self, refused: Secret) -> None:
        """Record that a tool reports `refused` as refused by Kiwoom. If it is the stored token, the next `ensure` asks
        Kiwoom before it returns that token. Raises `StoreError`."""
        with self._locked() as session:
            token = self.current()
            if token is not None and token.value == refused:
                session.write(evidence=session.record.evidence.doubted(token, self._clock()))

    def confirm(self, value: Secret, at: float) -> None:
        """Record that Kiwoom served a request with `value` at the instant `at` (epoch seconds).

        Does nothing if that is not the stored token, if it was confirmed in the last ten minutes, if there is evidence
        against it since, or while the lock is held. Raises `StoreError`.
        """
        version = self.store.version()
        token = self.current()
        if token is None or token.value != value:
            return
        lock = self.store.lock
        with self._session(lambda: lock if lock.try_acquire() else None) as session:
            if session is None:
                return
            known = session.record.evidence
            evidence = known if known.is_about(value) else known.unknown()
            is_open = evidence.says_doubtful(value) or session.record.check_failure(token, self._clock()) is not None
            is_news = is_open or evidence.confirmed_at + CONFIRM_SECONDS <= at
            if is_news and evidence.doubted_at <= at and self.store.version() == version:
                session.write(evidence=evidence.confirmed(token, at))

    # ----------------------------------------------------------------------------------------- storing and forgetting

    def put(self, token: Token) -> object:
        """Store a token that somebody else issued for this account. Return the `tokens.version` of just this write.

        One with a longer life than Kiwoom's tokens have is in doubt: its true expiry may be hours earlier.

        Raises `StoreError`; the token then stays in this process's memory. Raises `NoToken` for a token that is known
        to be dead, which nobody would get.
        """
        if self._binding is not None and not token.issued_for:
            token = token.bound_to(self._binding.known())
        before, self.tokens.unsaved = self.tokens.unsaved, token
        with self._locked() as session:
            if session.record.is_gone(token):
                self.tokens.unsaved = before
                raise NoToken(
                    msg("This token was revoked, or Kiwoom refused it. Issue another one with: {command}"),
                    command=command_line("refresh", self.profile),
                )
            name, cleared = token.value.fingerprint(), session.record.cleared
            if name in cleared:
                session.write(cleared=tuple(one for one in cleared if one != name))
            try:
                version = self.store.write(token)
            except StoreError as error:
                session.write(unsaved=session.record.unsaved_with(token, error))
                raise
            self.tokens.unsaved = None
            if not session.record.evidence.is_about(token.value):
                evidence = session.record.evidence.unknown()
                is_impossible = has_impossible_lifetime(token.expires_at, token.created_at)
                session.write(evidence=evidence.doubted(token, self._clock()) if is_impossible else evidence)
            session.publish(token)
            self._events.add("stored", token)
            return self.tokens.version_of_write(version)

    def clear(self, *, revoke: bool = False, of_any_keys: bool = False) -> Cleared:
        """Remove this account's token here; with `revoke` first revoke it at Kiwoom. One that was issued with other
        keys or for the other mode stays, unless `of_any_keys`.

        When the revoke fails the token stays and the error is raised: it is still valid, and nobody can revoke it
        without having it. A token that cannot be read is removed all the same, also from the other tools, before this
        raises `StoreError` for what cannot be deleted.
        """
        with self._locked() as session:
            token, unseen = self.tokens.present()
            if token is None and unseen is None:
                anothers = self.tokens.of_another()
                if anothers is not None and not of_any_keys:
                    return Cleared(was_there=False, of_other_keys=True)
                token = anothers
            if revoke and unseen is not None:
                raise unseen
            cleared = Cleared(was_there=token is not None)
            if token is not None and not token.is_unexpired(self._clock()):
                cleared.had_expired = True
            elif token is not None and revoke:
                with self._events.failure_added(token):
                    cleared = session.revoke(token)
            elif token is not None:
                cleared.was_doubtful = session.record.evidence.says_doubtful(token.value)
            session.check_lock()
            cleared.unseen = unseen
            if unseen is None:
                cleared.unpublished = session.withdraw(token, session.record.unsaved)
                _clear(self.store, cleared)
            else:
                was_published, cleared.unpublished = (False, ()) if self.exports is None else self.exports.forget()
                cleared.was_there = self.store.clear() or was_published
            self.tokens.unsaved = None
            record = session.record
            last, evidence = record.last, record.evidence.unknown()
            is_news = last.revoking or evidence != record.evidence or record.unsaved
            if is_news or record.rotate_at is not None:
                # from now on, being without a token is on purpose
                session.write(
                    last=last.without_rotation(),
                    evidence=evidence,
                    rotate_at=0.0,
                    unsaved=(),
                    cleared=(*record.cleared, *record.unsaved),
                )
            if cleared.was_there:
                self._events.add("revoked" if cleared.revoked else "cleared", token)
            return cleared

    def forget_other_account(self, keys: AppKeys) -> None:
        """Remove a token that is known to have been issued for other keys than these. Raises `StoreError`."""
        with self._locked() as session:
            token = self.store.read()
            if token is not None and self._binding is not None and not self._binding.fits(token, keys):
                session.withdraw(token)
                self.store.clear()
                self._events.add("cleared", token)

    def expire_soft(self, token: Token) -> None:
        """Hide `token`, which has less than five minutes left, from the seed's API. While a renewal runs, leave that to
        it."""
        with self.store.lock.if_free() as taken:
            if taken:
                self.store.expire_soft(token)

    # ------------------------------------------------------------------------------------------- exports and history

    def publish(self, seen: Token | None = None, *, patience: float | None = None) -> tuple[KiwoomTokenError, ...]:
        """Publish the present token again, if it is unexpired: an export was switched on, or another program wrote the
        token. What is right already is not written again, and a token of another tool that expires later is adopted
        instead of being overwritten.

        Without a token, withdraw what other tools still read: one that has ended, and `seen`, which was stored here
        until now. Another computer, or a program without these exports, has cleared it. Return what went wrong. Raises
        `StoreError`, also when others hold the lock for longer than `patience` seconds.
        """
        if self.exports is None and self.tokens.unsaved is None:
            return ()
        asked_at = self._clock()
        with self._locked(patience) as session:
            self.tokens.save_unsaved()
            token = self.tokens.unexpired()
            if token is None:
                return self._stale.withdraw(self.exports, session.record, seen)
            if session.is_doubtful(token):
                settled = session.settle_doubt(token, asked_at)
                if settled is None or session.is_doubtful(settled):
                    return ()  # another tool's token may be the one that works
                token = settled
            request = Request.refresh(self._clock(), rotate=False)
            external = better_of(token, session.external_token(), request)
            outcome = None if external is None else session.adopt_unless_dead(external)
            if outcome is None:
                return session.publish(token)
            return outcome.unpublished if outcome.unsaved is None else (outcome.unsaved, *outcome.unpublished)

    def record_found(self, token: Token | None, at: float) -> None:
        """Record in the history what was found at `at`, in case a program without a history has changed it."""
        if token is None and self.store.place().problem is not None:
            return  # while the keyring does not answer, finding no token does not mean that there is none
        self._events.record_found(token, at)

    # ------------------------------------------------------------------------------------------------------- the lock

    @contextlib.contextmanager
    def _locked(self, patience: float | None = None) -> Iterator[LockedSession]:
        """Hold the profile's lock. What is not urgent waits for its release: writing history and settings."""
        with self._session(lambda: self._acquire(patience=patience)) as session:
            if session is not None:  # always: nothing ends the wait but an error
                yield session

    @contextlib.contextmanager
    def _session(self, acquire: Callable[[], ThreadLock | None]) -> Iterator[LockedSession | None]:
        """Work with the lock that `acquire` returns, and release it. Without one there is no session.

        It is taken here, in one step with the `try`: a signal handler may raise in between two functions, as for Ctrl+C
        or the time limit of a job, and this program would have the lock for as long as it runs.
        """
        session = None
        lock = acquire()
        try:
            if lock is not None:
                session = LockedSession(
                    lock,
                    self.tokens,
                    find_keys=self._find_keys,
                    open_broker=self._open_broker,
                    exports=self.exports,
                    events=self._events,
                    clock=self._clock,
                    profile=self.profile,
                )
            yield session
        finally:
            if lock is not None:
                try:
                    lock.release()
                finally:
                    lock.release()  # such an exception may end the first one before it begins
                if session is not None and session.used_keys is not None and self._binding is not None:
                    self._binding.save(self._binding.adopt_alias(session.used_keys))
                self._events.flush()

    def _acquire(
        self, on_update: Callable[[dict[str, Any]], bool] | None = None, patience: float | None = None
    ) -> ThreadLock | None:
        """Take the profile's lock, or where its file cannot be opened another on this computer: better than no token.

        Return None when `on_update` ended the wait.
        """
        lock, timeout = self.store.lock, DEFAULT_TIMEOUT_SECONDS if patience is None else patience
        try:
            return lock if lock.acquire(timeout, on_update) else None
        except LockTimeout:
            raise
        except StoreError as error:
            if self._local_lock is None:
                logs.warning("Renewing without the lock of this profile (%s)", error)
                self._local_lock = local_lock(lock.path)
        return self._local_lock if self._local_lock.acquire(timeout, on_update) else None

    def _renew(self, request: Request, patience: float | None = None, overtaken: int = 0) -> Outcome:
        """Carry the request out, or share the answer that another caller gets. Wait for that one at most `patience`
        seconds, by default as long as a request can take. `overtaken` counts how often the lock was lost before."""
        shared: list[Outcome | BrokerError] = []

        def on_update(record: dict[str, Any]) -> bool:
            answer = self._shared_answer(record, request)
            shared.extend([] if answer is None else [answer])
            return answer is not None

        with self._session(lambda: self._acquire(on_update, patience)) as session:
            if session is None:
                answer = shared[-1]
                if isinstance(answer, BrokerError):
                    raise answer
                return answer
            try:
                return session.renew(request)
            except LockLost:
                if overtaken >= _MAX_OVERTAKEN and session.issued is None:
                    raise
                logs.warning("This program was stopped while it renewed the token, and another one went on")
        if session.issued is not None:
            with self._locked() as later:
                outcome = later.store_late(session.issued)
            if outcome is not None:
                return outcome
        return self._renew(request.once_overtaken(session.seen), patience, overtaken + 1)

    def _shared_answer(self, record: dict[str, Any], request: Request) -> Outcome | BrokerError | None:
        """Return the answer that the lock's holder got from Kiwoom, if the caller can share it; None to go on
        waiting."""
        if self._binding is not None:
            self._binding.prepare()  # now, while Kiwoom takes its time: later all who wait want the processor at once
        last = LastAttempt.from_record(record, self._clock())
        if not last.answers(request.waiting_since, rotate=request.rotate):
            return None
        evidence = Evidence.from_record(record, self._clock())
        is_recorded = request.refused is None or evidence.says_ended(request.refused)  # else nobody would learn of it
        failure = last.failure(self._clock())
        if failure is not None:
            return failure if is_recorded else None
        with contextlib.suppress(StoreError):
            token = self.tokens.unexpired()
            if token is not None and last.is_about(token) and (is_recorded or token.value == request.refused):
                return Outcome(token, Outcome.ADOPTED)
        return None


def _answer_to(request: Request, token: Token | None, now: float, tokens: AccountStore) -> Token | None:
    """Return the stored token if it satisfies the request, is not being revoked, and there is no evidence against
    it."""
    if token is None or not request.is_satisfied_by(token, now):
        return None
    record = tokens.read_record()
    is_usable = not record.is_gone(token) and not tokens.is_doubtful(token, record.evidence)
    return token if is_usable else None


def _clear(store: Store, cleared: Cleared) -> None:
    """Clear the store. Once Kiwoom has ended the token a failure is only noted."""
    try:
        store.clear()
    except StoreError as error:
        if not (cleared.revoked or cleared.already_dead):
            raise
        logs.warning("Token not deleted: %s", error)
        without_traceback(error)
        cleared.undeleted = error


def _no_token(profile: str, tokens: AccountStore) -> NoToken:
    """Return the error for no token. Where the keyring hides one that is not known to be dead, that is what it says."""
    place = tokens.store.place()
    if place.hides_token and not tokens.read_record().evidence.dead_at and (problem := place.problem) is not None:
        values: dict[str, Any] = problem.values
        return NoToken(problem.message, remedy=problem.remedy, **values)
    command = command_line("refresh", profile)
    return NoToken(msg("There is no valid token. Issue one with: {command}"), command=command)
