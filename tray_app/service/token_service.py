"""Everything that can be done with one profile's token, one process at a time.

Whoever wants a token issued takes the profile's lock, reads again, decides, asks the broker, writes, and leaves a
note with the lock that tells how the request ended. Whoever waited shares that as soon as the note is there, so
32 callers make one request also when the broker gives the same token back or refuses.
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
    RateLimited,
    SettingsError,
    StoreError,
)
from tray_app.core.language import msg
from tray_app.service.last_attempt import Note, answer_note, failure_note
from tray_app.stores.lock import ThreadLock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any, Protocol

    from tray_app.core.secret import Secret
    from tray_app.core.token import Token
    from tray_app.history.draft import EventDraft
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
        """Where other tools read the token. Nothing here raises: what fails comes back as errors."""

        def publish(self, token: Token) -> tuple[KiwoomTokenError, ...]: ...
        def withdraw(self, token: Token) -> tuple[KiwoomTokenError, ...]: ...
        def forget(self) -> tuple[bool, tuple[KiwoomTokenError, ...]]:
            """Takes away whatever is shared, where nobody can tell which token it is; tells whether there was one."""

        def external_token(self) -> Token | None:
            """A living token of the same keys that another tool has issued by itself."""

    class TokenHistory(Protocol):
        """Where it is kept what happened. Nothing here raises or waits."""

        def record(self, profile: str, drafts: Sequence[EventDraft]) -> None: ...
        def record_found(self, profile: str, token: Token | None, at: float) -> None: ...


ENOUGH_SECONDS = 300.0
"""`ensure` renews a token with less life left than this, unless told otherwise."""


class Outcome:
    """What came of asking for a token: `token`, and how it was come by.

    `ISSUED`: a new one. `SAME`: Kiwoom gave the stored one back with the same end. `ADOPTED`: another process
    did the asking. `FOUND`: there was nothing to ask. `unsaved` is the error that kept it from being
    stored, or None; `unshared` are those that kept it from other tools; `skew_seconds` is Kiwoom's clock minus
    this computer's, or None when nobody asked.
    """

    __slots__ = ("how", "skew_seconds", "token", "unpublished", "unsaved")
    ISSUED, SAME, ADOPTED, FOUND = "issued", "same", "adopted", "found"

    def __init__(
        self,
        token: Token,
        how: str,
        *,
        unsaved: StoreError | None = None,
        unpublished: tuple[KiwoomTokenError, ...] = (),
        skew_seconds: float | None = None,
    ) -> None:
        self.token = token
        self.how = how
        self.unsaved = unsaved
        self.unpublished = unpublished
        self.skew_seconds = skew_seconds

    def is_the_same_as(self, seen: Token | None) -> bool:
        """Whether asking brought nothing new to who saw that token before."""
        return self.how == self.SAME or self.token == seen


class Cleared:
    """What came of a clear: `there` was a token; `revoked` at Kiwoom, or Kiwoom said it was `already_dead`.

    `kept` when what is there belongs to other keys or another mode, and so stayed. `unseen` is why nobody can tell
    whether there was one, or None: it then counts as forgotten all the same. `unshared` are the errors that left
    the token where another tool reads it.
    """

    __slots__ = ("already_dead", "kept", "revoked", "there", "unpublished", "unseen")

    def __init__(self, *, there: bool, revoked: bool = False, already_dead: bool = False) -> None:
        self.there = there
        self.revoked = revoked
        self.already_dead = already_dead
        self.kept = False
        self.unseen: StoreError | None = None
        self.unpublished: tuple[KiwoomTokenError, ...] = ()


class TokenService:
    """One profile's token: look, ensure, refresh, put, clear.

    `find_keys` and `open_broker` are called only when the broker must be asked. `shares` are served after every
    change of the token, while the lock is held; what happened is told to the history that `open_history` gives, after
    the lock is free. Every method may wait for a lock, a disk, a keyring or the
    network, so none belongs on a GUI thread.
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
        account: KeyBinding | None = None,
        open_history: Callable[[], TokenHistory | None] | None = None,
    ) -> None:
        self.profile = profile
        self._account = account
        self._open_history = open_history
        self._happened: list[EventDraft] = []
        self.store = store
        self.app_key: Callable[[], str | None] = (lambda: None) if account is None else account.app_key
        """What the environment names as the app key at this moment: with another, another token is this account's."""
        self.exports = exports
        self._find_keys = find_keys
        self._open_broker = open_broker
        self._clock = clock
        self._unsaved: Token | None = None

    def current(self) -> Token | None:
        """The record itself, living or not, whatever the seed's five minutes say. Raises `StoreError`."""
        return self.stored() or self._own(self.store.read_expiring())

    def stored(self) -> Token | None:
        """The same without a token that the seed's rule has taken away."""
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
        """What `stored` finds, as far as no keyring must be asked for it."""
        token = self.store.read_quick()
        return token if token is None or self._account is None or self._account.owns(token) else None

    def _own(self, token: Token | None) -> Token | None:
        """A token of another mode or of other keys counts as none."""
        return token if token is None or self._is_ours(token) else None

    def _is_ours(self, token: Token) -> bool:
        return self._account is None or self._account.owns(token, self.store.place().kind)

    def place(self) -> Place:
        return self.store.place()

    def living(self) -> Token:
        """The stored token while it lives. Raises `NoToken` without asking the broker, and `StoreError`."""
        token = self.current()
        if token is None or not token.lives(self._clock()):
            raise NoToken(msg("There is no living token. Get one with: kiwoom-token refresh"))
        return token

    def ensure(self, min_remaining: float = ENOUGH_SECONDS) -> Outcome:
        """A living token, issued if the stored one has less than `min_remaining` seconds left.

        While the stored one lives it is given when nothing better can be had. Raises `KeysMissing`,
        `BrokerError` or `StoreError` when there is none; shortly after a failure the same one, without asking
        again, and `SettingsError` where another account takes this profile's token away again and again.
        """

        def enough(token: Token | None) -> bool:
            return token is not None and token.remaining(self._clock()) >= max(min_remaining, 0.001)

        token = self.current()
        if token is not None and enough(token) and not self._last_note().is_about_revoking(token):
            return Outcome(token, Outcome.FOUND)
        try:
            return self._renew(enough, honour_same=True, patient=True)
        except KiwoomTokenError as error:
            living = self._still_living(token)
            if living is None:
                raise
            logs.warning("Token not renewed, the present one is used (%s)", type(error).__name__)
            return Outcome(living, Outcome.FOUND)

    def renew(self, seen: Token | None, *, rotate: bool = False) -> Outcome:
        """Replaces the token that the caller saw near or after its end, unless somebody already has.

        With `rotate` revokes it first. Raises like `refresh`, also while the present token lives. When Kiwoom was
        asked before and gave the same token back, it is not asked again before that ends.
        """

        def replaced(token: Token | None) -> bool:
            return token is not None and token.lives(self._clock()) and token != seen

        return self._renew(replaced, honour_same=True, rotate=rotate)

    def refresh(self, *, rotate: bool = False) -> Outcome:
        """Asks Kiwoom now; with `rotate` revokes the present token first, which ends it for every tool.

        Raises `KeysMissing`, `BrokerError` or `StoreError`; the present token then stays, unless its revoke
        had already succeeded.
        """
        return self._renew(lambda _: False, honour_same=False, rotate=rotate)

    def replace_refused(self, refused: Secret) -> Outcome:
        """Another token than `refused`, which Kiwoom answered with 8005.

        Asks Kiwoom only while `refused` is still the stored one, and because of one refused token once a minute
        at the most, or five seconds after a failure that may pass. When Kiwoom gives that same token back, so
        does this. Raises like `refresh`.
        """

        def replaced(token: Token | None) -> bool:
            return token is not None and token.lives(self._clock()) and token.value != refused

        token = self.current()
        if token is not None and replaced(token):
            return Outcome(token, Outcome.FOUND)
        return self._renew(replaced, honour_same=False, refused=refused)

    def was_interrupted(self, lost: Token | None) -> bool:
        """Whether `lost` is gone because a rotation has revoked it and came to no other: its program was killed, or
        Kiwoom issued none. Nobody wished to be without a token then.
        """
        return lost is not None and Note(self.store.lock.peek_record(), self._clock()).is_about_revoking(lost)

    def publish(self) -> tuple[KiwoomTokenError, ...]:
        """Shares the present token again, if it lives: after a share was switched on, or another program wrote
        the token. What stands right already is not written, and a token of another tool that ends later is taken
        over instead of being overwritten. Returns what went wrong; raises `StoreError`.
        """
        if self.exports is None:
            return ()
        lock = self._take_lock()
        try:
            token = self.current()
            if token is None or not token.lives(self._clock()):
                return ()
            external_token = self._offered_instead_of(token, None)
            if external_token is None:
                return self._publish(token)
            outcome = self._adopt(external_token)
            return outcome.unpublished if outcome.unsaved is None else (outcome.unsaved, *outcome.unpublished)
        finally:
            lock.release()
            self._tell_history()

    def record_found(self, token: Token | None, at: float) -> None:
        """For the history: what a look at `at` found, in case that a program without one has changed it."""
        if token is None and self.store.place().problem is not None:
            return  # where the keyring does not answer, nothing found does not mean that nothing is there
        history = None if self._open_history is None else self._open_history()
        if history is not None:
            history.record_found(self.profile, token, at)

    def put(self, token: Token) -> object:
        """Stores a token that somebody else issued, for this account. Returns the store's stamp of just this write.

        Raises `StoreError`; this process then still has it.
        """
        if self._account is not None and not token.issued_for:
            token = token.bound_to(self._account.known())
        self._unsaved = token
        lock = self._take_lock()
        try:
            version = self.store.write(token)
            self._unsaved = None
            self._publish(token)
            self._note("stored", token)
            return version
        finally:
            lock.release()
            self._tell_history()

    def clear(self, *, revoke: bool = False) -> Cleared:
        """Forgets this account's token here; with `revoke` first ends it at Kiwoom.

        When the revoke fails the token stays and the error is raised: it still lives, and only who holds it
        can revoke it. What cannot be read can be forgotten all the same, and is taken away from the other tools
        before this raises `StoreError` for what cannot be deleted.
        """
        lock = self._take_lock()
        try:
            unseen: StoreError | None = None
            try:
                token = self.current()
                if token is None and self._holds_anothers():
                    cleared = Cleared(there=False)
                    cleared.kept = True
                    return cleared
                unseen = self._why_unseen() if token is None else None
            except StoreError as error:
                token, unseen = None, error
            if revoke and unseen is not None:
                raise unseen
            cleared = Cleared(there=token is not None)
            if revoke and token is not None and token.lives(self._clock()):
                with self._failure_noted(token):
                    self._revoke(token, cleared)
            note = self._last_note()
            if note.revoking:
                lock.write_record(note.finished())  # from now on it is a wish that there is none
            self._unsaved = None
            if unseen is None:
                cleared.unpublished = self._withdraw(token)
                self.store.clear()
            else:
                cleared.unseen = unseen
                was_shared, cleared.unpublished = self._forget_shared()
                cleared.there = self.store.clear() or was_shared
            if cleared.there:
                self._note("revoked" if cleared.revoked else "cleared", token)
            return cleared
        finally:
            lock.release()
            self._tell_history()

    def _why_unseen(self) -> StoreError | None:
        """Why a token may be there though none was found: the store `auto` looks in the file alone while the keyring
        fails. Where there is no keyring at all, there is none in it.
        """
        problem = self.store.place().problem
        return None if problem is None or problem.problem == KeyringUnavailable.MISSING else problem

    def _holds_anothers(self) -> bool:
        token = self.store.read() or self.store.read_expiring()
        return token is not None and not self._is_ours(token)

    def forget_other_account(self, keys: AppKeys) -> None:
        """Clears a token that is known to have been issued for other keys than these. Raises `StoreError`."""
        lock = self._take_lock()
        try:
            token = self.store.read()
            if token is not None and self._account is not None and not self._account.fits(token, keys):
                self._withdraw(token)
                self.store.clear()
                self._note("cleared", token)
        finally:
            lock.release()
            self._tell_history()

    def expire_soft(self, token: Token) -> None:
        """The seed's clear of a token that has no five minutes left. Leaves it to a renewal that is under way."""
        if self.store.lock.try_acquire():
            try:
                self.store.expire_soft(token)
            finally:
                self.store.lock.release()

    def _renew(
        self,
        enough: Callable[[Token | None], bool],
        *,
        honour_same: bool,
        rotate: bool = False,
        refused: Secret | None = None,
        patient: bool = False,
    ) -> Outcome:
        started = self._clock()

        def on_update(fields: dict[str, Any]) -> None:
            if self._account is not None:
                self._account.prepare()  # while Kiwoom takes its time: later all who wait want the processor at once
            note = Note(fields, self._clock())
            if note.answers(started, rotate=rotate):
                note.raise_failure(self._clock())
                self._raise_shared(note)

        try:
            lock = self._take_lock(on_update)
        except _Shared as answer:
            return Outcome(answer.token, Outcome.ADOPTED)
        try:
            token = self.current()
            note = Note(lock.read_record(), self._clock())
            doubtful = token is not None and note.is_about_revoking(token)
            if token is not None and enough(token) and not doubtful:
                return Outcome(token, Outcome.ADOPTED)
            if note.answers(started, rotate=rotate):
                note.raise_failure(self._clock())
                if token is not None and token.lives(self._clock()):  # else who asked could not store it
                    return Outcome(token, Outcome.ADOPTED)
            if (honour_same and not rotate) or refused is not None:
                external_token = self._offered_instead_of(token, refused)
                if external_token is not None:
                    outcome = self._adopt(external_token)
                    if enough(external_token):
                        return outcome
                    token = external_token
            if token is not None and refused is not None and note.is_about_refused(refused, self._clock()):
                note.raise_failure(self._clock())
                return Outcome(token, Outcome.ADOPTED)
            wait = note.seconds_to_wait(self._clock())
            if wait > 0:
                raise RateLimited(
                    msg("Kiwoom asked to wait {seconds} seconds before the next request."),
                    code=note.code,
                    retry_after=wait,
                    seconds=int(wait) + 1,
                )
            asked_so = honour_same and (note.rotated or not rotate)
            if asked_so and token is not None and note.is_final_answer_about(token, self._clock()):
                return Outcome(token, Outcome.ADOPTED)
            with self._failure_noted(token):
                keys = self._find_keys()
            if patient:
                self._refuse_in_vain(note, keys)
            with self._failure_noted(token):
                return self._issue(token, keys, lock, note, rotate=rotate, refused=refused)
        finally:
            lock.release()
            self._tell_history()

    def _offered_instead_of(self, token: Token | None, refused: Secret | None) -> Token | None:
        """What another tool has issued, if it is better than `token`."""
        external_token = None if self.exports is None else self.exports.external_token()
        if external_token is None or external_token.value == refused:
            return None
        if token is None or not token.lives(self._clock()) or token.value == refused:
            return external_token
        return (
            external_token if external_token.value != token.value and external_token.expires > token.expires else None
        )

    def _adopt(self, external_token: Token) -> Outcome:
        logs.info("Token issued by another tool taken over")
        if self._account is not None:
            with contextlib.suppress(KiwoomTokenError):
                keys = self._find_keys()
                external_token = external_token.bound_to(self._issued_for(keys))
                self._account.stay_with(keys)
        unsaved = self._save(external_token)
        self._note("adopted", external_token, unsaved)
        return Outcome(external_token, Outcome.ADOPTED, unsaved=unsaved, unpublished=self._publish(external_token))

    def _refuse_in_vain(self, note: Note, keys: AppKeys) -> None:
        """Raises what asking now would most likely bring, or what it would do to another account."""
        own = self._issued_for(keys)
        if note.failures > 1 and note.is_too_soon(own, self._clock()):
            note.raise_failure(self._clock())
        if note.is_quarrel(own, self._clock()) and self._living_of_another() is not None:
            raise SettingsError(
                msg(
                    "Another program uses the profile {profile} with other keys or in another mode, and each takes the "
                    "other's token away. Give one of them a profile of its own, with --profile or KIWOOM_PROFILE."
                ),
                profile=self.profile,
            )

    def _living_of_another(self) -> Token | None:
        """The stored token if it lives and is known to be of another account."""
        with contextlib.suppress(StoreError):
            token = self.store.read()
            if token is not None and token.lives(self._clock()) and not self._is_ours(token):
                return token
        return None

    def _issued_for(self, keys: AppKeys) -> str:
        return "" if self._account is None else self._account.issued_for(keys)

    def _issue(
        self,
        token: Token | None,
        keys: AppKeys,
        lock: ThreadLock,
        note: Note,
        *,
        rotate: bool,
        refused: Secret | None,
    ) -> Outcome:
        before = token
        other = self._living_of_another() if token is None else None
        own = self._issued_for(keys)
        revoking = note.revoking if token is None or note.is_about_revoking(token) else ""
        broker = self._open_broker()
        if rotate and token is not None and token.lives(self._clock()):
            cleared = Cleared(there=True)
            revoking = token.value.fingerprint()
            lock.write_record(note.begun(revoking, self._clock()))  # should this program be ended, others know
            try:
                self._revoke(token, cleared, keys, broker)
            except BaseException:
                lock.write_record(note.fields)
                raise
            self._note("revoked" if cleared.revoked else "cleared", token)
            self._withdraw(token)
            self._unsaved = token = None
            try:
                self.store.clear()
            except StoreError as error:  # all the more reason to get a new one
                logs.warning("Token not deleted: %s", error)
        try:
            answer = broker.issue(keys)
        except BrokerError as error:
            failures = note.failures_until(self._clock()) + 1
            lock.write_record(
                failure_note(error, self._clock(), refused, revoking=revoking, keys=own, failures=failures)
            )
            raise
        issued = answer.token.bound_to(own) if own else answer.token
        same = before is not None and before.value == issued.value and before.expires_at == issued.expires_at
        kept = before.bound_to(issued.issued_for) if same and before is not None else issued
        how = Outcome.SAME if same else Outcome.ISSUED
        unsaved = self._save(kept)
        self._note(how, kept, unsaved)
        # Only now: whoever waits looks for the token as soon as the note is there.
        replaced = [] if other is None else [*note.replaced, other.issued_for]
        lock.write_record(answer_note(issued, self._clock(), refused, same=same, rotated=rotate, replaced=replaced))
        if self._account is not None:
            self._account.stay_with(keys)
        return Outcome(kept, how, unsaved=unsaved, unpublished=self._publish(kept), skew_seconds=answer.skew_seconds)

    def _save(self, token: Token) -> StoreError | None:
        """Keeps the token in the store, or where that fails in memory."""
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

    def _forget_shared(self) -> tuple[bool, tuple[KiwoomTokenError, ...]]:
        return (False, ()) if self.exports is None else self.exports.forget()

    def _revoke(
        self, token: Token, cleared: Cleared, keys: AppKeys | None = None, broker: TokenBroker | None = None
    ) -> None:
        try:
            (broker or self._open_broker()).revoke(keys or self._find_keys(), token.value)
            cleared.revoked = True
        except errors.TokenRefused as error:
            if error.code != _DEAD_TOKEN_CODE:
                raise
            cleared.already_dead = True

    def _note(self, kind: str, token: Token | None, error: KiwoomTokenError | None = None) -> None:
        """Remembers for the history what happened just now."""
        if self._open_history is not None:
            from tray_app.history.draft import EventDraft

            self._happened.append(EventDraft(self._clock(), kind, token, error))

    @contextlib.contextmanager
    def _failure_noted(self, token: Token | None) -> Iterator[None]:
        try:
            yield
        except KiwoomTokenError as error:
            self._note("failed", token, error)
            raise

    def _tell_history(self) -> None:
        """Once the lock is free: nobody waits for a record."""
        happened = []
        with contextlib.suppress(IndexError):  # another thread may tell of the last one first
            while self._happened:
                happened.append(self._happened.pop(0))
        history = self._open_history() if happened and self._open_history is not None else None
        if history is not None:
            history.record(self.profile, happened)

    def _last_note(self) -> Note:
        return Note(self.store.lock.read_record(), self._clock())

    def _raise_shared(self, note: Note) -> None:
        """Raises the token that came of another's request as `_Shared`, if it is still what the store holds."""
        with contextlib.suppress(StoreError):
            token = self.current()
            if token is not None and token.lives(self._clock()) and note.is_about(token):
                raise _Shared(token)

    def _take_lock(self, on_update: Callable[[dict[str, Any]], None] | None = None) -> ThreadLock:
        """The profile's lock, or where its file cannot be opened a lock of this process: better than no token."""
        try:
            self.store.lock.acquire(on_update=on_update)
        except LockTimeout:
            raise
        except StoreError as error:
            logs.warning("Renewing without the lock of this profile (%s)", type(error).__name__)
            _lock_of_last_resort.acquire()
            return _lock_of_last_resort
        return self.store.lock

    def _still_living(self, token: Token | None) -> Token | None:
        """The best living token once renewing failed; a store that fails now does not lose what was read."""
        with contextlib.suppress(StoreError):
            token = self.current() or token
        return token if token is not None and token.lives(self._clock()) else None


_DEAD_TOKEN_CODE = "8005"  # noqa: S105 - an error code

_lock_of_last_resort = ThreadLock()


class _Shared(Exception):
    """Ends the wait for the lock: the holder has got `token` for everybody."""

    def __init__(self, token: Token) -> None:
        self.token = token
