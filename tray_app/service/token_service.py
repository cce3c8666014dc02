"""One profile's token over a store and Kiwoom, one process at a time.

Whoever wants a token issued takes the profile's lock, reads again, decides (`renewal.decide`), asks Kiwoom, stores
the answer, and leaves in the lock's record how the request ended (`LastAttempt`). Whoever waited shares that answer as
soon as it is recorded, so 32 callers make one request, also when Kiwoom gives the same token back or refuses.
"""

from __future__ import annotations

import contextlib
import time

from tray_app.core import errors, logs
from tray_app.core.errors import (
    BrokerError,
    KeyringUnavailable,
    KiwoomTokenError,
    LockTimeout,
    NoToken,
    SettingsError,
    StoreError,
)
from tray_app.core.language import msg
from tray_app.service.last_attempt import LastAttempt
from tray_app.service.outcome import Cleared, Outcome
from tray_app.service.renewal import ENOUGH_SECONDS, Action, Request, better_of, decide, failure_to_repeat
from tray_app.stores.lock import ThreadLock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any, Protocol

    from tray_app.core.secret import Secret
    from tray_app.core.token import Token
    from tray_app.history.database import Happening
    from tray_app.kiwoom.keys import AppKeys
    from tray_app.service.key_binding import KeyBinding
    from tray_app.stores.base import Place, Store

    class IssuedToken(Protocol):
        @property
        def token(self) -> Token: ...
        @property
        def skew_seconds(self) -> float | None: ...

    class TokenBroker(Protocol):
        """Kiwoom, as far as this program needs it; each call raises `BrokerError`."""

        def issue(self, keys: AppKeys) -> IssuedToken: ...
        def revoke(self, keys: AppKeys, value: Secret) -> None: ...

    class TokenExports(Protocol):
        """Where other tools read the token. Nothing here raises: failures come back as errors."""

        def publish(self, token: Token) -> tuple[KiwoomTokenError, ...]: ...
        def withdraw(self, token: Token) -> tuple[KiwoomTokenError, ...]: ...
        def forget(self) -> tuple[bool, tuple[KiwoomTokenError, ...]]:
            """Remove whatever is published, where nobody can tell which token it is; tell whether there was one."""

        def external_token(self) -> Token | None:
            """Return an unexpired token of the same keys that another tool has issued by itself."""

    class TokenHistory(Protocol):
        """The record of what happened. Nothing here raises or waits."""

        def record(self, profile: str, happenings: Sequence[Happening]) -> None: ...
        def record_found(self, profile: str, token: Token | None, at: float) -> None: ...


_INVALID_TOKEN_CODE = "8005"  # noqa: S105 - an error code


class TokenService:
    """One profile's token: read, ensure, refresh, put, clear.

    `find_keys` and `open_broker` are called only when Kiwoom must be asked. `exports` are served after every change
    of the token, while the lock is held; the history that `open_history` gives is told after its release. Every
    method may wait for a lock, a disk, a keyring or the network, so none belongs on a GUI thread.
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
    ) -> None:
        self.profile = profile
        self.store = store
        self.exports = exports
        self.app_key: Callable[[], str | None] = (lambda: None) if key_binding is None else key_binding.app_key
        """What the environment names as the app key at this moment: with another, another token is this account's."""
        self._find_keys = find_keys
        self._open_broker = open_broker
        self._clock = clock
        self._binding = key_binding
        self._open_history = open_history
        self._find_base_url = find_base_url
        self._events: list[Happening] = []
        self._unsaved: Token | None = None
        self._used_keys: AppKeys | None = None

    @property
    def base_url(self) -> str:
        """Kiwoom's address for this account. Raises `InvalidInput` when the one in the environment cannot be used."""
        return self._find_base_url()

    # ------------------------------------------------------------------------------------------------------- reading

    def current(self) -> Token | None:
        """Return the record itself, expired or not, whatever the seed's five minutes say. Raises `StoreError`."""
        return self.stored() or self._own(self.store.read_expiring())

    def stored(self) -> Token | None:
        """Return the same without a token that the seed's rule has taken away."""
        unsaved = self._own(self._unsaved)
        if unsaved is None or not unsaved.lives(self._clock()):
            return self._own(self.store.read())
        with contextlib.suppress(StoreError):
            token = self._own(self.store.read())
            if token == unsaved:  # the store has it after all, and a clear there counts from now on
                self._unsaved = None
            elif token is not None and token.created_at > unsaved.created_at:
                return token
        return unsaved

    def stored_quick(self) -> Token | None:
        """Return what `stored` finds, as far as no keyring must be asked for it."""
        token = self.store.read_quick()
        return token if token is None or self._binding is None or self._binding.owns(token) else None

    def place(self) -> Place:
        """Return where the token is stored, as far as is known without asking anything slow."""
        return self.store.place()

    def living(self) -> Token:
        """Return the stored token while it is unexpired. Raises `NoToken` without asking Kiwoom, and `StoreError`."""
        token = self.current()
        if token is None or not token.lives(self._clock()):
            raise NoToken(msg("There is no living token. Get one with: kiwoom-token refresh"))
        return token

    def was_interrupted(self, lost: Token | None) -> bool:
        """Whether `lost` is gone because a rotation has revoked it and got no other: its program was killed, or
        Kiwoom issued none. Nobody wished to be without a token then.
        """
        if lost is None:
            return False
        return LastAttempt.from_record(self.store.lock.peek_record(), self._clock()).is_revoking(lost)

    # ------------------------------------------------------------------------------------------------ asking for one

    def ensure(self, min_remaining: float = ENOUGH_SECONDS) -> Outcome:
        """Return a token with at least `min_remaining` seconds left, issuing one if the stored one has less.

        While the stored one is unexpired it is used when nothing better can be had. Raises `KeysMissing`,
        `BrokerError` or `StoreError` when there is none; shortly after a failure the same one, without asking
        again, and `SettingsError` where another account takes this profile's token away again and again.
        """
        request = Request.ensure(self._clock(), min_remaining)
        token = self.current()
        is_enough = token is not None and request.is_satisfied_by(token, self._clock())
        if token is not None and is_enough and not self._last_attempt().is_revoking(token):
            return Outcome(token, Outcome.FOUND)
        try:
            return self._renew(request)
        except KiwoomTokenError as error:
            unexpired = self._still_unexpired(token)
            if unexpired is None:
                raise
            logs.warning("Token not renewed, the present one is used (%s)", type(error).__name__)
            return Outcome(unexpired, Outcome.FOUND)

    def renew(self, seen: Token | None, *, rotate: bool = False) -> Outcome:
        """Replace the token that the caller saw near or after its expiry, unless somebody already has.

        With `rotate` revoke it first. Raises like `refresh`, also while the present token is unexpired. When Kiwoom
        was asked before and gave the same token back, it is not asked again before that expires.
        """
        return self._renew(Request.renew(self._clock(), seen, rotate=rotate))

    def refresh(self, *, rotate: bool = False) -> Outcome:
        """Ask Kiwoom now; with `rotate` revoke the present token first, which ends it for every tool.

        Raises `KeysMissing`, `BrokerError` or `StoreError`; the present token then stays, unless its revoke
        had already succeeded.
        """
        return self._renew(Request.refresh(self._clock(), rotate=rotate))

    def replace_refused(self, refused: Secret) -> Outcome:
        """Return another token than `refused`, which Kiwoom answered with 8005.

        Kiwoom is asked only while `refused` is still the stored one, and because of one refused token once a minute
        at the most, or five seconds after a failure that may pass. When Kiwoom gives that same token back, so
        does this. Raises like `refresh`.
        """
        request = Request.replace(self._clock(), refused)
        token = self.current()
        if token is not None and request.is_satisfied_by(token, self._clock()):
            return Outcome(token, Outcome.FOUND)
        return self._renew(request)

    # ----------------------------------------------------------------------------------------- storing and forgetting

    def put(self, token: Token) -> object:
        """Store a token that somebody else issued for this account. Return the store's version of just this write.

        Raises `StoreError`; this process then still has it.
        """
        if self._binding is not None and not token.issued_for:
            token = token.bound_to(self._binding.known())
        self._unsaved = token
        with self._locked():
            version = self.store.write(token)
            self._unsaved = None
            self._publish(token)
            self._record_event("stored", token)
            return version

    def clear(self, *, revoke: bool = False) -> Cleared:
        """Forget this account's token here; with `revoke` first end it at Kiwoom.

        When the revoke fails the token stays and the error is raised: it is still valid, and only who has it
        can revoke it. What cannot be read can be forgotten all the same, and is taken away from the other tools
        before this raises `StoreError` for what cannot be deleted.
        """
        with self._locked() as lock:
            token, unseen = self._to_be_cleared()
            if token is None and unseen is None and self._holds_anothers():
                return Cleared(there=False, kept=True)
            if revoke and unseen is not None:
                raise unseen
            cleared = Cleared(there=token is not None, unseen=unseen)
            if revoke and token is not None and token.lives(self._clock()):
                with self._failure_recorded(token):
                    self._revoke(token, cleared)
            last = self._last_attempt()
            if last.revoking:
                lock.write_record(last.without_rotation().to_record())  # from now on it is a wish that there is none
            self._unsaved = None
            if unseen is None:
                cleared.unpublished = self._withdraw(token)
                self.store.clear()
            else:
                was_published, cleared.unpublished = (False, ()) if self.exports is None else self.exports.forget()
                cleared.there = self.store.clear() or was_published
            if cleared.there:
                self._record_event("revoked" if cleared.revoked else "cleared", token)
            return cleared

    def forget_other_account(self, keys: AppKeys) -> None:
        """Clear a token that is known to have been issued for other keys than these. Raises `StoreError`."""
        with self._locked():
            token = self.store.read()
            if token is not None and self._binding is not None and not self._binding.fits(token, keys):
                self._withdraw(token)
                self.store.clear()
                self._record_event("cleared", token)

    def expire_soft(self, token: Token) -> None:
        """Take `token`, which has no five minutes left, out of the seed's sight. Leave it to a renewal under way."""
        if self.store.lock.try_acquire():
            try:
                self.store.expire_soft(token)
            finally:
                self.store.lock.release()

    # ------------------------------------------------------------------------------------------- exports and history

    def publish(self) -> tuple[KiwoomTokenError, ...]:
        """Publish the present token again, if it is unexpired: an export was switched on, or another program wrote
        the token. What is right already is not written, and a token of another tool that expires later is adopted
        instead of being overwritten. Return what went wrong; raises `StoreError`.
        """
        if self.exports is None:
            return ()
        with self._locked():
            token = self.current()
            if token is None or not token.lives(self._clock()):
                return ()
            request = Request.refresh(self._clock(), rotate=False)
            external = better_of(token, self.exports.external_token(), request, self._clock())
            if external is None:
                return self._publish(token)
            outcome = self._adopt(external)
            return outcome.unpublished if outcome.unsaved is None else (outcome.unsaved, *outcome.unpublished)

    def record_found(self, token: Token | None, at: float) -> None:
        """Tell the history what a look at `at` found, in case that a program without one has changed it."""
        if token is None and self.store.place().problem is not None:
            return  # where the keyring does not answer, nothing found does not mean that nothing is there
        history = None if self._open_history is None else self._open_history()
        if history is not None:
            history.record_found(self.profile, token, at)

    # ------------------------------------------------------------------------------------------------- under the lock

    @contextlib.contextmanager
    def _locked(self) -> Iterator[ThreadLock]:
        """Hold the profile's lock. What is not urgent waits until it is free again: the history and the settings."""
        lock = self._acquire() or self.store.lock
        try:
            yield lock
        finally:
            self._release(lock)

    def _acquire(self, on_update: Callable[[dict[str, Any]], bool] | None = None) -> ThreadLock | None:
        """Take the profile's lock, or where its file cannot be opened a lock of this process: better than no token.

        Return None when `on_update` ended the wait.
        """
        lock = self.store.lock
        try:
            return lock if lock.acquire(on_update=on_update) else None
        except LockTimeout:
            raise
        except StoreError as error:
            logs.warning("Renewing without the lock of this profile (%s)", type(error).__name__)
            _process_lock.acquire()
            return _process_lock

    def _release(self, lock: ThreadLock) -> None:
        lock.release()
        if self._used_keys is not None and self._binding is not None:
            self._binding.stay_with(self._used_keys)
        self._used_keys = None
        events = []
        with contextlib.suppress(IndexError):  # another thread may take the last one first
            while self._events:
                events.append(self._events.pop(0))
        history = self._open_history() if events and self._open_history is not None else None
        if history is not None:
            history.record(self.profile, events)

    def _renew(self, request: Request) -> Outcome:
        shared: list[Outcome | BrokerError] = []

        def on_update(record: dict[str, Any]) -> bool:
            answer = self._shared_answer(record, request)
            shared.extend([] if answer is None else [answer])
            return answer is not None

        lock = self._acquire(on_update)
        if lock is None:
            answer = shared[-1]
            if isinstance(answer, BrokerError):
                raise answer
            return answer
        try:
            return self._renew_locked(request, lock)
        finally:
            self._release(lock)

    def _shared_answer(self, record: dict[str, Any], request: Request) -> Outcome | BrokerError | None:
        """Return what the lock's holder got from Kiwoom, if the caller can share it; None to go on waiting."""
        if self._binding is not None:
            self._binding.prepare()  # while Kiwoom takes its time: later all who wait want the processor at once
        last = LastAttempt.from_record(record, self._clock())
        if not last.answers(request.waiting_since, rotate=request.rotate):
            return None
        failure = last.failure(self._clock())
        if failure is not None:
            return failure
        with contextlib.suppress(StoreError):
            token = self.current()
            if token is not None and token.lives(self._clock()) and last.is_about(token):
                return Outcome(token, Outcome.ADOPTED)
        return None

    def _renew_locked(self, request: Request, lock: ThreadLock) -> Outcome:
        token = self.current()
        last = LastAttempt.from_record(lock.read_record(), self._clock())
        decision = decide(token, last, request, self._clock())
        if decision.action is Action.ASK_OTHER_TOOLS:
            external = better_of(token, self._external_token(), request, self._clock())
            if external is not None:
                outcome = self._adopt(external)
                if request.is_satisfied_by(external, self._clock()):
                    return outcome
                token = external
            decision = decide(token, last, request, self._clock(), asked_other_tools=True)
        if decision.error is not None:
            raise decision.error
        if decision.action is Action.USE and token is not None:
            return Outcome(token, Outcome.ADOPTED)
        with self._failure_recorded(token):
            keys = self._find_keys()
        failure = failure_to_repeat(last, request, self._issued_for(keys), self._clock())
        if failure is not None:
            raise failure
        if request.is_patient:
            self._refuse_contest(last, self._issued_for(keys))
        with self._failure_recorded(token):
            return self._issue(token, keys, lock, last, request)

    def _issue(
        self, before: Token | None, keys: AppKeys, lock: ThreadLock, last: LastAttempt, request: Request
    ) -> Outcome:
        other = self._unexpired_of_another() if before is None else None
        own = self._issued_for(keys)
        revoking = last.revoking if before is None or last.is_revoking(before) else ""
        broker = self._open_broker()
        if request.rotate and before is not None and before.lives(self._clock()):
            revoking = before.value.fingerprint()
            self._revoke_first(before, keys, broker, lock, last)
        try:
            answer = broker.issue(keys)
        except BrokerError as error:
            failures = last.failures_until(self._clock()) + 1
            now, refused = self._clock(), request.refused
            attempt = LastAttempt.failed(error, now, refused, revoking=revoking, keys=own, failures=failures)
            lock.write_record(attempt.to_record())
            raise
        issued = answer.token.bound_to(own) if own else answer.token
        same = before is not None and before.value == issued.value and before.expires_at == issued.expires_at
        token = before.bound_to(issued.issued_for) if same and before is not None else issued
        how = Outcome.SAME if same else Outcome.ISSUED
        unsaved = self._save(token)
        self._record_event(how, token, unsaved)
        # Only now: whoever waits looks for the token as soon as the record is there.
        replaced = [] if other is None else [*last.replaced, other.issued_for]
        attempt = LastAttempt.succeeded(
            token, self._clock(), request.refused, is_same=same, is_rotation=request.rotate, replaced=replaced
        )
        lock.write_record(attempt.to_record())
        self._used_keys = keys
        published = self._publish(token)
        return Outcome(token, how, unsaved=unsaved, unpublished=published, skew_seconds=answer.skew_seconds)

    def _revoke_first(
        self, token: Token, keys: AppKeys, broker: TokenBroker, lock: ThreadLock, last: LastAttempt
    ) -> None:
        """End the token at Kiwoom and here, before another is issued. Should this program be killed meanwhile, the
        record says so to the next one."""
        lock.write_record(LastAttempt.rotation_begun(token, self._clock()).to_record())
        cleared = Cleared(there=True)
        try:
            self._revoke(token, cleared, keys, broker)
        except BaseException:
            lock.write_record(last.to_record())
            raise
        self._record_event("revoked" if cleared.revoked else "cleared", token)
        self._withdraw(token)
        self._unsaved = None
        try:
            self.store.clear()
        except StoreError as error:  # all the more reason to get a new one
            logs.warning("Token not deleted: %s", error)

    def _revoke(
        self, token: Token, cleared: Cleared, keys: AppKeys | None = None, broker: TokenBroker | None = None
    ) -> None:
        try:
            (broker or self._open_broker()).revoke(keys or self._find_keys(), token.value)
            cleared.revoked = True
        except errors.TokenRefused as error:
            if error.code != _INVALID_TOKEN_CODE:
                raise
            cleared.already_dead = True

    def _adopt(self, external: Token) -> Outcome:
        """Store a token that another tool has issued."""
        logs.info("Token issued by another tool adopted")
        if self._binding is not None:
            with contextlib.suppress(KiwoomTokenError):
                self._used_keys = self._find_keys()
                external = external.bound_to(self._issued_for(self._used_keys))
        unsaved = self._save(external)
        self._record_event("adopted", external, unsaved)
        return Outcome(external, Outcome.ADOPTED, unsaved=unsaved, unpublished=self._publish(external))

    def _refuse_contest(self, last: LastAttempt, own: str) -> None:
        """Raise instead of taking the token away from another account that takes it back each time."""
        if last.is_contested(own, self._clock()) and self._unexpired_of_another() is not None:
            raise SettingsError(
                msg(
                    "Another program uses the profile {profile} with other keys or in another mode, and each takes the "
                    "other's token away. Give one of them a profile of its own, with --profile or KIWOOM_PROFILE."
                ),
                profile=self.profile,
            )

    def _to_be_cleared(self) -> tuple[Token | None, StoreError | None]:
        """Return the present token, or why nobody can tell whether there is one.

        The store `auto` looks in the file alone while the keyring fails; where there is no keyring at all, there is
        no token in it.
        """
        try:
            token = self.current()
        except StoreError as error:
            return None, error
        problem = self.store.place().problem
        is_unseen = token is None and problem is not None and problem.problem != KeyringUnavailable.MISSING
        return token, problem if is_unseen else None

    def _save(self, token: Token) -> StoreError | None:
        """Store the token, or where that fails keep it in memory."""
        try:
            stored = self.store.read()
            is_there = stored is not None and stored == token and stored.issued_for == token.issued_for
            if not is_there or self.store.wants_rewriting():
                self.store.write(token)
            self._unsaved = None
        except StoreError as error:
            self._unsaved = token
            logs.error("Token could not be saved (%s)", type(error).__name__)
            return error
        return None

    def _publish(self, token: Token) -> tuple[KiwoomTokenError, ...]:
        return () if self.exports is None else self.exports.publish(token)

    def _withdraw(self, token: Token | None) -> tuple[KiwoomTokenError, ...]:
        return () if self.exports is None or token is None else self.exports.withdraw(token)

    def _external_token(self) -> Token | None:
        return None if self.exports is None else self.exports.external_token()

    # -------------------------------------------------------------------------------------------------- small questions

    def _own(self, token: Token | None) -> Token | None:
        """Return the token unless it belongs to another mode or other keys."""
        return token if token is None or self._is_own(token) else None

    def _is_own(self, token: Token) -> bool:
        return self._binding is None or self._binding.owns(token, self.store.place().kind)

    def _holds_anothers(self) -> bool:
        token = self.store.read() or self.store.read_expiring()
        return token is not None and not self._is_own(token)

    def _unexpired_of_another(self) -> Token | None:
        """Return the stored token if it is unexpired and known to belong to another account."""
        with contextlib.suppress(StoreError):
            token = self.store.read()
            if token is not None and token.lives(self._clock()) and not self._is_own(token):
                return token
        return None

    def _still_unexpired(self, token: Token | None) -> Token | None:
        """Return the best unexpired token once renewing failed; a store that fails now does not lose what was read."""
        with contextlib.suppress(StoreError):
            token = self.current() or token
        return token if token is not None and token.lives(self._clock()) else None

    def _issued_for(self, keys: AppKeys) -> str:
        return "" if self._binding is None else self._binding.issued_for(keys)

    def _last_attempt(self) -> LastAttempt:
        return LastAttempt.from_record(self.store.lock.read_record(), self._clock())

    def _record_event(self, kind: str, token: Token | None, error: KiwoomTokenError | None = None) -> None:
        """Remember for the history what happened just now."""
        if self._open_history is not None:
            self._events.append((self._clock(), kind, token, error))

    @contextlib.contextmanager
    def _failure_recorded(self, token: Token | None) -> Iterator[None]:
        try:
            yield
        except KiwoomTokenError as error:
            self._record_event("failed", token, error)
            raise


_process_lock = ThreadLock()
"""Where the profile's lock file cannot be used."""
