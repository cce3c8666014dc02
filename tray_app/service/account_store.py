"""A store as one account sees it: without tokens of other keys or of the other mode, and without dead ones. What other
tools have stored beside it speaks against its token."""

from __future__ import annotations

import contextlib

from tray_app.core import logs
from tray_app.core.errors import KeyringUnavailable, RedisUnavailable, StoreError
from tray_app.service.ended_tokens import with_ended
from tray_app.service.lock_record import LockRecord, RecordCache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from tray_app.core.token import Token
    from tray_app.kiwoom.keys import AppKeys
    from tray_app.service.ended_tokens import EndedTokens
    from tray_app.service.evidence import Evidence
    from tray_app.service.key_binding import KeyBinding
    from tray_app.service.protocols import TokenExports
    from tray_app.stores.base import Store


class AccountStore:
    """The token of one account: in `store`, or in this process while it could not be stored yet.

    Which reading is for whom: `available` and `stored_quick` are for the seed's API, which goes by the five-minute
    rule; `current` and `unexpired` are for whoever looks after the token, whatever that rule says.
    `current_within_reach`, `present` and `still_unexpired` are `current` for those who go on where the store fails: a
    renewal, a clear, and whoever falls back on the token after a renewal failed.
    """

    def __init__(
        self,
        store: Store,
        clock: Callable[[], float],
        binding: KeyBinding | None,
        exports: TokenExports | None = None,
        ended: EndedTokens | None = None,
    ) -> None:
        self.store = store
        self.ended = ended
        self.unsaved: Token | None = None
        self._clock = clock
        self._binding = binding
        self._exports = exports
        self._last_record = RecordCache(store.lock, clock)
        self.route: Callable[[], str] = str if binding is None else binding.route
        """Return how Kiwoom is reached, as in `KeyBinding.route`."""
        self.version: Callable[[], object] = store.version if ended is None and store.announces else self._whole_version
        """Return what changes with the token and with whether anybody may have it. Cheap enough for every use."""

    def current(self) -> Token | None:
        """Return the stored token, expired or not, also when the five-minute rule hides it. Raises `StoreError`."""
        return self.stored() or self._usable(self.store.read_expiring())

    def current_within_reach(self) -> Token | None:
        """Return what `current` does, or None while Redis does not answer: Kiwoom can be asked without it, and Redis
        gets the token when it is back. Raises `StoreError`, also for a Redis that refuses."""
        try:
            return self.current()
        except RedisUnavailable as error:
            if error.problem != RedisUnavailable.SILENT:
                raise
            logs.warning("%s Kiwoom is asked without it", error)
            return None

    def unexpired(self) -> Token | None:
        """Return the stored token if it is unexpired, else None, whatever the five-minute rule says."""
        token = self.current()
        return token if token is not None and token.is_unexpired(self._clock()) else None

    def stored(self) -> Token | None:
        """Return the stored token, unless the five-minute rule hides it."""
        return self._newest(self._usable)

    def available(self) -> Token | None:
        """Return what `stored` finds, unless nobody may get it (`is_gone`). The lock's record is read
        again only after a change, just as a token in memory is looked up again only then."""

        def unless_gone(token: Token | None) -> Token | None:
            if token is None or not self._is_own(token):
                return None
            if self.store.announces:
                return None if self.is_gone(token) else token
            is_gone = self._last_record.get().is_gone(token)
            return None if is_gone or (self.ended is not None and self.ended.has(token.value)) else token

        return self._newest(unless_gone)

    def _newest(self, accept: Callable[[Token | None], Token | None]) -> Token | None:
        """Return the stored token or the newer one that could not be stored, each as `accept` lets it pass."""
        unsaved = accept(self.unsaved)
        if unsaved is not None and self.read_record().was_cleared(unsaved):
            unsaved = self.unsaved = None
        if unsaved is None or not unsaved.is_unexpired(self._clock()):
            return accept(self.store.read())
        with contextlib.suppress(StoreError):
            token = accept(self.store.read())
            if token == unsaved:  # the store has it after all, so a clear there counts from now on
                self.unsaved = None
            elif token is not None and token.created_at > unsaved.created_at:
                return token
        return unsaved

    def stored_quick(self) -> Token | None:
        """Return what `stored` finds without asking a keyring."""
        token = self.store.read_quick()
        if token is None or (self._binding is not None and not self._binding.owns(token)):
            return None
        return None if self.is_gone(token) else token

    def is_gone(self, token: Token) -> bool:
        """Return True if nobody may get the token, see `LockRecord.is_gone`. May ask Redis."""
        return self.read_record().is_gone(token)

    def is_doubtful(self, token: Token, evidence: Evidence) -> bool:
        """Return True if `evidence`, or what other tools have stored since, speaks against the token and was not
        settled with Kiwoom."""
        is_older = evidence.has_confirmed_another_since(token)
        return is_older or evidence.says_doubtful(token.value) or bool(self.unsettled_rivals(token, evidence))

    def unsettled_rivals(self, token: Token, evidence: Evidence) -> tuple[str, ...]:
        """Return the fingerprints of other tools' tokens that were not compared with this one at Kiwoom."""
        rivals = () if self._exports is None else self._exports.rivals_of(token)
        return tuple(one for one in rivals if not evidence.has_settled(token, one))

    def version_of_write(self, written: object) -> object:
        """Return the `version` of just the write for which the store returned `written`."""
        return written if self.version == self.store.version else self._whole_version(written)

    def present(self) -> tuple[Token | None, StoreError | None]:
        """Return the present token, or the error that makes it unknown whether there is one.

        While the keyring fails, the store `auto` reads the file alone, so finding no token is not certain then.
        """
        try:
            token = self.current()
        except StoreError as error:
            return None, error
        problem = self.store.place().problem
        is_unseen = token is None and problem is not None and problem.problem in KeyringUnavailable.HIDE_TOKEN
        return token, problem if is_unseen else None

    def still_unexpired(self, token: Token | None) -> Token | None:
        """Return the best token to fall back on after renewing failed. `token` was read before; it is not lost if the
        store fails now."""
        stored = None
        with contextlib.suppress(StoreError):
            stored = self.current()
        found = stored or token
        if found is None or not found.is_unexpired(self._clock()):
            return None
        record = self.read_record()
        was_cleared = stored is None and record.was_cleared(found)
        return None if was_cleared or record.is_gone(found) else found

    def of_another(self) -> Token | None:
        """Return the stored token if it belongs to another account. Raises `StoreError`."""
        token = self.store.read() or self.store.read_expiring()
        return None if token is None or self._is_own(token) else token

    def unexpired_of_another(self) -> Token | None:
        """Return the stored token if it is unexpired and known to belong to another account."""
        with contextlib.suppress(StoreError):
            token = self.store.read()
            if token is not None and token.is_unexpired(self._clock()) and not self._is_own(token):
                return token
        return None

    def save(self, token: Token) -> StoreError | None:
        """Store the token; if that fails, keep it in this process and return the error. Needs the lock held."""
        stored = None
        with contextlib.suppress(StoreError):  # a write says better what is wrong, or needs nothing of what is
            stored = self.store.read()
        try:
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
        """Store what could not be stored before, unless it is out of date by now. Needs the lock held."""
        unsaved = self.unsaved
        if unsaved is None:
            return
        with contextlib.suppress(StoreError):
            record = self.read_record()  # first, because a store that cannot be read may well be written
            is_useless = record.is_gone(unsaved) or record.was_cleared(unsaved)
            stored = None if is_useless else self._usable(self.store.read())
            if is_useless or (stored is not None and stored.created_at > unsaved.created_at):
                self.unsaved = None
                return
        self.save(unsaved)

    def forget(self, *, keeps_unsaved: bool = False) -> None:
        """Clear the store; with `keeps_unsaved`, what this process has because it could not be stored stays. A failure
        is only logged, because something more important is going on."""
        if not keeps_unsaved:
            self.unsaved = None
        try:
            self.store.clear()
        except StoreError as error:
            logs.warning("Token not deleted: %s", error)

    def issued_for(self, keys: AppKeys) -> str:
        """Return the `issued_for` of a token that was issued with these keys."""
        return "" if self._binding is None else self._binding.issued_for(keys)

    def has_other_keys(self) -> bool:
        """Return True if there are app keys, and not those of the last failed request. May ask the keyring and Redis,
        never Kiwoom."""
        found = "" if self._binding is None else self._binding.of_profile()
        return found not in {"", self.read_record().last.keys}

    def read_record(self) -> LockRecord:
        """Return the record of whoever holds or held the lock, on whatever computer. May ask Redis.

        What it says about ended tokens is known on this computer from then on, also while Redis does not answer: there
        may be copies of them here.
        """
        record = LockRecord.from_fields(self.store.lock.peek_record(), self._clock())
        if self.ended is not None and self.store.announces:
            self.ended.add_recorded(record.evidence.ended())
        return with_ended(record, self.ended)

    def _whole_version(self, of_store: object = None) -> object:
        record = None if self.store.announces else self.store.lock.record_version()
        ended = None if self.ended is None else self.ended.version()
        return (of_store or self.store.version(), record, ended)

    def _usable(self, token: Token | None) -> Token | None:
        if token is None or not self._is_own(token):
            return None
        return None if self.read_record().evidence.says_ended(token.value) else token

    def _is_own(self, token: Token) -> bool:
        return self._binding is None or self._binding.owns(token, self.store.place().kind)
