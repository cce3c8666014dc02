"""A store as one account sees it: without tokens of other keys or the other mode, and without dead ones."""

from __future__ import annotations

import contextlib

from tray_app.core import logs
from tray_app.core.errors import KeyringUnavailable, RedisUnavailable, StoreError
from tray_app.service.lock_record import LockRecord

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from tray_app.core.token import Token
    from tray_app.kiwoom.keys import AppKeys
    from tray_app.service.key_binding import KeyBinding
    from tray_app.stores.base import Store


class AccountStore:
    """The token of one account in `store`, and the one that this process has because it could not be stored yet."""

    def __init__(self, store: Store, clock: Callable[[], float], binding: KeyBinding | None) -> None:
        self.store = store
        self.unsaved: Token | None = None
        self._clock = clock
        self._binding = binding

    def current(self) -> Token | None:
        """Return the record itself, expired or not, whatever the seed's five minutes say. Raises `StoreError`."""
        return self.stored() or self._usable(self.store.read_expiring())

    def current_within_reach(self) -> Token | None:
        """Return the same, or None while Redis does not answer: Kiwoom can be asked without it, and Redis gets the
        token when it is back. Raises `StoreError`, also for a Redis that refuses."""
        try:
            return self.current()
        except RedisUnavailable as error:
            if error.problem != RedisUnavailable.SILENT:
                raise
            logs.warning("%s Kiwoom is asked without it", error)
            return None

    def unexpired(self) -> Token | None:
        """Return the record itself while it is unexpired."""
        token = self.current()
        return token if token is not None and token.lives(self._clock()) else None

    def stored(self) -> Token | None:
        """Return the same without a token that the seed's rule has taken away."""
        unsaved = self._usable(self.unsaved)
        if unsaved is None or not unsaved.lives(self._clock()):
            return self._usable(self.store.read())
        with contextlib.suppress(StoreError):
            token = self._usable(self.store.read())
            if token == unsaved:  # the store has it after all, and a clear there counts from now on
                self.unsaved = None
            elif token is not None and token.created_at > unsaved.created_at:
                return token
        return unsaved

    def available(self) -> Token | None:
        """Return what `stored` finds, unless nobody is to get it (`is_gone`)."""
        token = self.stored()
        return None if token is None or self.is_gone(token) else token

    def stored_quick(self) -> Token | None:
        """Return what `stored` finds, as far as no keyring must be asked for it."""
        token = self.store.read_quick()
        if token is None or (self._binding is not None and not self._binding.owns(token)):
            return None
        return None if self.is_gone(token) else token

    def is_gone(self, token: Token) -> bool:
        """Return whether nobody is to get the token, see `LockRecord.is_gone`. May ask Redis."""
        return self.read_record().is_gone(token)

    def version(self, of_write: object = None) -> object:
        """Return what changes with the token and with what is known about it. Cheap enough for every use.

        `of_write` is what the store returned for a write; the result is then the version of just that one.
        """
        return (self.store.version() if of_write is None else of_write, self.store.lock.record_version())

    def present(self) -> tuple[Token | None, StoreError | None]:
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

    def still_unexpired(self, token: Token | None) -> Token | None:
        """Return the best token to fall back on once renewing failed; `token` is what was read before, which a store
        that fails now does not lose."""
        with contextlib.suppress(StoreError):
            token = self.current() or token
        if token is None or not token.lives(self._clock()):
            return None
        return None if self.is_gone(token) else token

    def holds_anothers(self) -> bool:
        """Return whether a token is stored that belongs to another account."""
        token = self.store.read() or self.store.read_expiring()
        return token is not None and not self._is_own(token)

    def unexpired_of_another(self) -> Token | None:
        """Return the stored token if it is unexpired and known to belong to another account."""
        with contextlib.suppress(StoreError):
            token = self.store.read()
            if token is not None and token.lives(self._clock()) and not self._is_own(token):
                return token
        return None

    def save(self, token: Token) -> StoreError | None:
        """Store the token, or where that fails keep it in this process. Wants the lock held."""
        try:
            stored = self.store.read()
            is_there = stored is not None and stored == token and stored.issued_for == token.issued_for
            if not is_there or self.store.wants_rewriting():
                self.store.write(token)
            self.unsaved = None
        except StoreError as error:
            self.unsaved = token
            logs.error("Token could not be saved (%s)", type(error).__name__)
            return error
        return None

    def save_unsaved(self) -> None:
        """Store what could not be stored before, unless it is out of date meanwhile. Wants the lock held."""
        unsaved = self.unsaved
        if unsaved is None:
            return
        with contextlib.suppress(StoreError):
            stored = self._usable(self.store.read())
            if self.is_gone(unsaved) or (stored is not None and stored.created_at > unsaved.created_at):
                self.unsaved = None
                return
        self.save(unsaved)

    def forget(self) -> None:
        """Clear the store; where that fails it is logged, because something more important is going on."""
        self.unsaved = None
        try:
            self.store.clear()
        except StoreError as error:
            logs.warning("Token not deleted: %s", error)

    def issued_for(self, keys: AppKeys) -> str:
        """Return what a token is bound to that was issued with these keys."""
        return "" if self._binding is None else self._binding.issued_for(keys)

    def read_record(self) -> LockRecord:
        """Return the record of whoever holds or held the lock, on whatever computer. May ask Redis."""
        return LockRecord.from_fields(self.store.lock.peek_record(), self._clock())

    def _usable(self, token: Token | None) -> Token | None:
        if token is None or not self._is_own(token):
            return None
        return None if self.read_record().evidence.says_dead(token.value) else token

    def _is_own(self, token: Token) -> bool:
        return self._binding is None or self._binding.owns(token, self.store.place().kind)
