"""The seed's token manager: the same API, file, log lines and flows, coherent with every other process."""

from __future__ import annotations

import os
import threading
import time
import weakref

from tray_app.api.last_returned import last_returned, remember_returned
from tray_app.api.pickling import Pickled
from tray_app.core import logs
from tray_app.core.errors import NoToken, SettingsError, StoreError
from tray_app.core.secret import Secret
from tray_app.core.token import BUFFER_SECONDS, Token, token_for
from tray_app.service.composition import load_chosen, open_service
from tray_app.service.renewal import ENOUGH_SECONDS
from tray_app.service.token_service import CONFIRM_SECONDS
from tray_app.stores.file import expiry_for_log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, SupportsIndex

    from tray_app.service.token_service import TokenService
    from tray_app.settings.load import Settings
    from tray_app.stores.base import Store

_NOTHING_CONFIRMED = (Secret(""), 0.0)
_NOTHING_DOUBTED = (object(), False)


class TokenManager(Pickled):
    """The token of one profile, for Python programs.

    `get_token` answers from memory, but never with a token that another process has replaced or cleared. `data_dir`
    is the folder that holds `.token`. `store` is `auto`, `keyring`, `file`, `redis`, `memory` or a store object. Both
    default to the settings; a token that is stored anywhere else is not shared with other tools. `clock` returns
    seconds of the epoch.

    The constructor reads the token file, as the seed's did. The keyring is asked only at the first use, so an import
    never waits for it.

    A manager can be copied and pickled. A pickle holds its profile, mode, data folder and kind of store, and neither
    a token nor a key: the process that loads it opens the same place, with the keys that it finds there itself.
    """

    _confirmed: tuple[Secret, float]
    _doubted: tuple[object, bool]
    _guard: threading.RLock

    def __init__(
        self,
        profile: str | None = None,
        data_dir: str | os.PathLike[str] | None = None,
        store: str | Store | None = None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._prepare(clock)
        settings = load_chosen(profile, None if data_dir is None else os.fspath(data_dir), store)
        self._begin(settings, None if isinstance(store, str) else store)

    @property
    def base_url(self) -> str:
        """Kiwoom's address for this account: the real or the mock host, or `KIWOOM_TRAY_BASE_URL`.

        Raises `InvalidInput` for an address that is neither https nor this computer.
        """
        return self._service.base_url

    def set_token(self, access_token: str, expires_in: int) -> None:
        """Store a token that expires `expires_in` seconds from now, in memory and in the store.

        Raises `InvalidInput` (a `ValueError`) for a token or a lifetime that cannot be used. When the store cannot
        be written, that is logged and the token stays in memory. A token that is known to be dead is not taken, which
        is logged too.
        """
        given = Secret.of(access_token)
        del access_token  # a traceback with local variables must not show it
        token = token_for(given, expires_in, self._clock())
        logs.info("Token set (expires in %ss)", expires_in)
        with self._guard:
            try:
                version = self._service.put(token)
            except NoToken as error:
                logs.error("Token not saved: %s", error)
                return
            except StoreError as error:
                logs.error("Token not saved: %s", error)
                version = self._version()
            self._held = _Held(version, token, self._app_key())

    def get_token(self) -> str | None:
        """Return the token, or None unless there is one with at least five minutes left."""
        held, version, app_key = self._held, self._version(), self._app_key()
        if held.valid_until >= self._clock() and held.version == version and held.app_key == app_key:
            return held.text
        return self._look(version, app_key)

    def is_token_valid(self) -> bool:
        """Return True if `get_token` returns a token."""
        return self.get_token() is not None

    def clear_token(self) -> None:
        """Delete the token from memory and from the store. Raises `StoreError` when the store cannot delete it."""
        logs.info("Token cleared")
        service = self._service
        with self._guard:
            self._held = _Held(object(), None)
            service.clear()

    def get_token_info(self) -> dict[str, Any]:
        """Return `has_token`, `is_valid`, `expires_at`, `remaining_seconds` and `token_preview`.

        `expires_at` is naive local time in ISO 8601; it and the preview are None without a token.
        """
        with self._guard:
            fresh = self._fresh(self._version(), self._app_key())
            if fresh.valid_until >= self._clock():
                self._held = fresh
        return token_info(fresh.token, self._clock())

    def ensure_token(self, min_remaining: float = ENOUGH_SECONDS) -> str:
        """Return an unexpired token; issue one if the stored one has less than `min_remaining` seconds left.

        While the stored one is unexpired, it is returned when no other can be issued. Of all threads and processes
        that call this at the same time, one asks Kiwoom. Raises `KeysMissing`, `KeysRefused`, `RateLimited`,
        `BrokerUnavailable` and the other `KiwoomTokenError` types.
        """
        try:
            return self._service.ensure(min_remaining).token.value.reveal()
        except StoreError:
            text = TokenManager.get_token(self)  # a subclass's own may call this method
            if text is None:
                raise
            return text

    async def ensure_token_async(self, min_remaining: float = ENOUGH_SECONDS) -> str:
        """Return what `ensure_token` returns, for coroutines under asyncio and trio: it waits on a thread."""
        from tray_app.api.background import on_a_thread

        return await on_a_thread(lambda: self.ensure_token(min_remaining))

    def get_valid_token(self) -> str:
        """Return what `get_token` returns unless there is evidence against it, or else `ensure_token`.

        `kiwoom-client` calls this method of its TokenProvider before each request.
        """
        text = self.get_token()
        if text is None or self._is_doubtful():
            text = self.ensure_token()
        remember_returned(self, Secret(text))
        return text

    def refresh_token(self) -> str:
        """Return another token after Kiwoom refused the one that `get_valid_token` returned last.

        Kiwoom is asked only while the refused token is still the stored one, see `replace_refused`. If
        `get_valid_token` has returned none in this thread or task, Kiwoom is asked now; while a token is valid it
        probably returns the same one.
        """
        refused = last_returned(self)
        outcome = self._service.refresh() if refused is None else self._service.replace_refused(refused)
        remember_returned(self, outcome.token.value)
        return outcome.token.value.reveal()

    def replace_refused(self, refused: str) -> str:
        """Return the token to use after Kiwoom answered `refused` with 8005.

        That is the stored one if it is another already; otherwise a token is issued, with one request for any number of
        callers, and at most once a minute for one refused token. When Kiwoom returns `refused` again, so does this.
        Raises like `ensure_token`.
        """
        value = Secret.of(refused)
        del refused  # a traceback with local variables must not show it
        return self._service.replace_refused(value).token.value.reveal()

    def confirm(self, token: str) -> None:
        """Record that Kiwoom served a request with this token, if it is the stored one.

        `KiwoomAuth` calls this after each request; a program that sends its requests by other means may do so too. It
        returns at once and raises nothing: a thread writes the record, at most once in ten minutes.
        """
        value = Secret.of(token)
        del token
        now = self._clock()
        if self._confirmed[0] == value and abs(now - self._confirmed[1]) < CONFIRM_SECONDS:
            return
        self._confirmed = (value, now)
        from tray_app.api.background import start_in_background

        start_in_background(lambda: self._service.confirm(value, now))

    def doubt(self, token: str) -> None:
        """Record that Kiwoom answered a request with this token with 8005, if it is the stored one.

        Kiwoom is asked about it before anybody gets it again. Unlike `replace_refused` this asks Kiwoom nothing itself.
        `KiwoomAuth` calls it where it cannot send the request once more. Raises `StoreError`.
        """
        value = Secret.of(token)
        del token
        self._service.doubt(value)

    def verify(self) -> bool:
        """Ask Kiwoom if the stored token works, and return the answer. No reader gets a dead token any more.

        Raises `NoToken` without one, and a `BrokerError` when Kiwoom did not say; then nothing changes.
        """
        return self._service.verify().is_alive

    def _prepare(self, clock: Callable[[], float]) -> None:
        """Set what each manager has for itself; a copy does not share it."""
        self._clock = clock
        self._confirmed = _NOTHING_CONFIRMED
        self._doubted = _NOTHING_DOUBTED
        self._guard = threading.RLock()  # a signal handler may call while its own thread is in a call
        self._last_warning = ""
        _managers.add(self)

    def _begin(self, settings: Settings, store: Store | None = None) -> None:
        logs.protect()
        for problem in settings.problems:
            logs.warning("%s", problem)
        service = open_service(settings, store=store, clock=self._clock)
        self._settings, self._own_store = settings, store
        self._use(service, _Held(object(), None))
        self._start()

    def _use(self, service: TokenService, held: _Held) -> None:
        self._held = held
        self._service: TokenService = service
        self._app_key: Callable[[], object] = service.app_key
        self._version: Callable[[], object] = service.tokens.version

    def _start(self) -> None:
        """Do what the seed does when a program starts, as far as that needs no keyring."""
        version, app_key = self._version(), self._app_key()
        try:
            token = self._service.tokens.stored_quick()
        except StoreError as error:
            logs.warning("Token not read: %s", error)
            return
        if token is not None and token.is_valid(self._clock()):
            _log_loaded(self._service, token)
            self._held = _Held(version, token, app_key)
        elif token is not None:
            _log_expired(self._service)
            self._expire_soft(_Held(object(), token))

    def _look(self, version: object, app_key: object) -> str | None:
        """Read the token again and return it: something changed, or less than five minutes are left. `version` and
        `app_key` are from before this call."""
        with self._guard:
            held = self._held
            is_expired = held.token is not None and not held.token.is_valid(self._clock())
            if is_expired and held.is_of(version, app_key):
                logs.info("Token expired, clearing...")
                logs.info("Token cleared")
                self._expire_soft(held)
                return None
            self._held = held = self._fresh(version, app_key)
            if held.token is not None and not held.token.is_valid(self._clock()):
                _log_expired(self._service)
                self._expire_soft(held)
                return None
            return held.text

    def _is_doubtful(self) -> bool:
        """Return True if there is evidence against the token in memory. Reads it only when it may have changed."""
        held, tokens, exports = self._held, self._service.tokens, self._service.exports
        if held.token is None:
            return False
        version = (held.version, None if exports is None else exports.version())
        if self._doubted[0] != version:
            self._doubted = version, tokens.is_doubtful(held.token, tokens.read_record().evidence)
        return self._doubted[1]

    def _fresh(self, version: object, app_key: object) -> _Held:
        held = self._held
        if held.is_of(version, app_key):
            return held
        try:
            token = self._service.tokens.available()
        except StoreError as error:
            if str(error) != self._last_warning:  # once, not at every call
                logs.warning("Token not read: %s", error)
            self._last_warning = str(error)
            return held if held.app_key == app_key and self._still_counts(held.token) else _Held(object(), None)
        self._last_warning = ""
        if token is not None and token.is_valid(self._clock()) and token != held.token:
            _log_loaded(self._service, token)
        return _Held(version, token, app_key)

    def _still_counts(self, token: Token | None) -> bool:
        """Return True unless `token`, which the store cannot be asked about now, is known to be of no use any more."""
        tokens = self._service.tokens
        if token is None:
            return True
        record = tokens.read_record()
        return not (record.is_gone(token) or record.was_cleared(token) or tokens.store.is_superseded(token))

    def _expire_soft(self, held: _Held) -> None:
        """Hide the expired token, and keep its version: whatever replaces it meanwhile counts as a change."""
        self._held = _Held(held.version, None, held.app_key)
        if held.token is None:
            return
        try:
            self._service.expire_soft(held.token)
        except StoreError as error:
            logs.warning("Token not deleted: %s", error)

    def _forget_parent(self) -> None:
        """Replace the lock in a forked child: its holder may be a thread of the parent."""
        self._guard = threading.RLock()


class ModulesManager(TokenManager):
    """The manager that `from tray_app import token_manager` returns, for the environment at its first use.

    Like any other it reads the token file when it is created, which is at the import. A program may complete its
    environment only after that, as with `load_dotenv()`: then the settings are read again.
    """

    def __init__(self) -> None:
        self._settling = threading.RLock()
        self._environment = _environment_hash()
        self._found: tuple[TokenService, _Held] | None = None
        try:
            super().__init__()
        except (SettingsError, StoreError) as error:
            # Raised at the first use, unless it is corrected by then: an import must not fail.
            logs.error("%s", error)
        else:
            self._found = (self._service, self._held)
            del self._service, self._app_key, self._version
        self._held = _Held(object(), None)

    def __getattr__(self, name: str) -> Any:
        """Read the settings at the first use: Python calls this only for a missing attribute, and these three are
        missing until then."""
        if name not in {"_service", "_app_key", "_version"}:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        with self._settling:
            if name not in self.__dict__:
                self._settle()
        return self.__dict__[name]

    def __reduce_ex__(self, protocol: SupportsIndex) -> str | tuple[Any, ...]:
        """Pickle it before its first use as a reference to `tray_app.token_manager`, whatever that is in the other
        process."""
        with self._settling:
            return super().__reduce_ex__(protocol) if "_service" in self.__dict__ else (_modules_manager, ())

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._settling = threading.RLock()
        super().__setstate__(state)

    def _settle(self) -> None:
        if self._found is not None and _environment_hash() == self._environment:
            self._use(*self._found)
        else:
            self._begin(load_chosen(None, None, None))
        del self._environment, self._found

    def _forget_parent(self) -> None:
        super()._forget_parent()
        self._settling = threading.RLock()


def _environment_hash() -> int:
    """Return a number that differs when the environment does. The environment itself may hold the keys."""
    return hash(frozenset(os.environ.items()))


def _modules_manager() -> TokenManager:
    import tray_app

    return tray_app.token_manager


_managers: weakref.WeakSet[TokenManager] = weakref.WeakSet()


def _after_fork() -> None:
    for manager in list(_managers):
        manager._forget_parent()  # noqa: SLF001 - the module's own


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


class _Held:
    """What a manager has in memory: immutable, so that `get_token` needs no lock. A `text` of None never expires.

    It is current while the store's `version` and the environment's `app_key` are the same. Its repr shows no token.
    """

    __slots__ = ("app_key", "text", "token", "valid_until", "version")

    def __init__(self, version: object, token: Token | None, app_key: object = None) -> None:
        self.version = version
        self.app_key = app_key
        self.token = token
        self.text = None if token is None else token.value.reveal()
        self.valid_until = float("inf") if token is None else token.expires - BUFFER_SECONDS

    def is_of(self, version: object, app_key: object) -> bool:
        return self.version == version and self.app_key == app_key

    def __repr__(self) -> str:
        return f"_Held({self.token!r})"

    def __reduce__(self) -> str | tuple[Any, ...]:
        raise TypeError("a token in memory is not pickled")


def _log_loaded(service: TokenService, token: Token) -> None:
    if logs.is_enabled(logs.INFO):
        logs.info("Loaded valid token from %s (expires at %s)", service.store.place().kind, expiry_for_log(token))


def _log_expired(service: TokenService) -> None:
    logs.info("Token in %s has expired", service.store.place().kind)


def token_info(token: Token | None, now: float) -> dict[str, Any]:
    """Return the seed's five keys for a token at `now` (epoch seconds)."""
    if token is None:
        return {
            "has_token": False,
            "is_valid": False,
            "expires_at": None,
            "remaining_seconds": 0,
            "token_preview": None,
        }
    return {
        "has_token": True,
        "is_valid": token.is_valid(now),
        "expires_at": token.expires_at.astimezone().replace(tzinfo=None).isoformat(),
        "remaining_seconds": max(0, int(token.remaining(now))),
        "token_preview": token.value.preview(),
    }
