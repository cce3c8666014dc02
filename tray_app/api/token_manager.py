"""The seed's token manager: the same API, file, log lines and flows, coherent with every other process."""

from __future__ import annotations

import os
import threading
import time
import weakref
from contextvars import ContextVar

from tray_app.core import logs
from tray_app.core.errors import SettingsError, StoreError
from tray_app.core.secret import Secret
from tray_app.core.token import BUFFER_SECONDS, Token, token_for
from tray_app.service.composition import load_chosen, open_service
from tray_app.service.renewal import ENOUGH_SECONDS
from tray_app.stores.file import local_time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from tray_app.service.token_service import TokenService
    from tray_app.settings.load import Settings
    from tray_app.stores.base import Store


class TokenManager:
    """One profile's token for programs.

    `get_token` answers from memory but never after another process changed or cleared the token. `data_dir`
    is the folder that holds `.token`; `store` is `auto`, `keyring`, `file`, `memory` or a store object;
    both default to the settings, and a token in any other place is not handed to other tools. `clock` gives
    seconds of the epoch.

    The constructor reads a token file, as the seed's did; a keyring is asked only at the first use, so an
    import never waits for one.
    """

    def __init__(
        self,
        profile: str | None = None,
        data_dir: str | os.PathLike[str] | None = None,
        store: str | Store | None = None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._clock = clock
        self._guard = threading.RLock()  # a signal's handler may ask while its own thread is asking
        self._complaint = ""
        self._handed: ContextVar[Secret] = ContextVar("handed")
        settings = load_chosen(profile, None if data_dir is None else os.fspath(data_dir), store)
        self._begin(settings, None if isinstance(store, str) else store)
        _managers.add(self)

    @property
    def base_url(self) -> str:
        """Kiwoom's address for this account: the real or the mock host, or `KIWOOM_TRAY_BASE_URL`.

        Raises `InvalidInput` for an address that is neither https nor this computer.
        """
        return self._service.base_url

    def set_token(self, access_token: str, expires_in: int) -> None:
        """Keeps a token that lives `expires_in` seconds from now, in memory and in the store.

        Raises `InvalidInput` (a `ValueError`) for a token or lifetime that cannot be used. When the store
        cannot be written that is logged, and the token stays in memory.
        """
        token = token_for(access_token, expires_in, self._clock())
        logs.info("Token set (expires in %ss)", expires_in)
        with self._guard:
            try:
                version = self._service.put(token)
            except StoreError as error:
                logs.error("Token not saved: %s", error)
                version = self._version()
            self._held = _Held(version, token, self._app_key())

    def get_token(self) -> str | None:
        """The token, or None when there is none with at least five minutes left."""
        held = self._held
        if held.valid_until >= self._clock() and held.version == self._version() and held.app_key == self._app_key():
            return held.text
        return self._look()

    def is_token_valid(self) -> bool:
        """Whether `get_token` has one to give."""
        return self.get_token() is not None

    def clear_token(self) -> None:
        """Deletes the token from memory and from the store. Raises `StoreError` when the store keeps it."""
        logs.info("Token cleared")
        service = self._service
        with self._guard:
            self._held = _Held(object(), None)
            service.clear()

    def get_token_info(self) -> dict[str, Any]:
        """`has_token`, `is_valid`, `expires_at`, `remaining_seconds` and `token_preview`.

        `expires_at` is naive local time in ISO 8601; it and the preview are None without a token.
        """
        with self._guard:
            fresh = self._fresh()
            if fresh.valid_until >= self._clock():
                self._held = fresh
        return token_info(fresh.token, self._clock())

    def ensure_token(self, min_remaining: float = ENOUGH_SECONDS) -> str:
        """A living token, issued if the stored one has less than `min_remaining` seconds left.

        While the stored one lives it is given when nothing better can be had. Of all threads and processes
        that ask at once one asks Kiwoom. Raises `KeysMissing`, `KeysRefused`, `RateLimited`,
        `BrokerUnavailable` and the other `KiwoomTokenError` types.
        """
        try:
            return self._service.ensure(min_remaining).token.value.reveal()
        except StoreError:
            text = self.get_token()
            if text is None:
                raise
            return text

    async def ensure_token_async(self, min_remaining: float = ENOUGH_SECONDS) -> str:
        """`ensure_token` for coroutines, under asyncio and trio: what may wait runs on a thread."""
        from tray_app.api.background import on_a_thread

        return await on_a_thread(lambda: self.ensure_token(min_remaining))

    def get_valid_token(self) -> str:
        """`get_token`, else `ensure_token`: what `kiwoom-client` asks its TokenProvider for before each request."""
        text = self.get_token() or self.ensure_token()
        self._handed.set(Secret(text))
        return text

    def refresh_token(self) -> str:
        """Another token after Kiwoom refused the one that `get_valid_token` gave here last.

        Asks Kiwoom only while that is still the stored one, see `replace_refused`. Where `get_valid_token` gave
        none, in this thread or task, Kiwoom is asked now, which while a token lives probably gives the same back.
        """
        refused = self._handed.get(None)
        outcome = self._service.refresh() if refused is None else self._service.replace_refused(refused)
        self._handed.set(outcome.token.value)
        return outcome.token.value.reveal()

    def replace_refused(self, refused: str) -> str:
        """The token to use after Kiwoom answered `refused` with 8005.

        The stored one when it is another already; else one issue request, for however many callers, and because
        of one refused token once a minute at the most. When Kiwoom gives `refused` back, so does this. Raises
        like `ensure_token`.
        """
        return self._service.replace_refused(Secret(refused)).token.value.reveal()

    def verify(self) -> bool:
        """Ask Kiwoom whether the stored token works; a token that does not is taken away from every reader at once.

        Raises `NoToken` without one, and a `BrokerError` when Kiwoom did not say; then nothing changes.
        """
        return self._service.verify().is_alive

    def _begin(self, settings: Settings, store: Store | None = None) -> None:
        for problem in settings.problems:
            logs.warning("%s", problem)
        self._use(open_service(settings, store=store, clock=self._clock), _Held(object(), None))
        self._start()

    def _use(self, service: TokenService, held: _Held) -> None:
        self._held = held
        self._service: TokenService = service
        self._app_key: Callable[[], str | None] = service.app_key
        self._version: Callable[[], object] = service.version

    def _start(self) -> None:
        """What the seed does when a program starts, as far as no keyring must be asked for it."""
        version, app_key = self._version(), self._app_key()
        try:
            token = self._service.stored_quick()
        except StoreError as error:
            logs.warning("Token not read: %s", error)
            return
        if token is not None and token.is_valid(self._clock()):
            self._tell_loaded(token)
            self._held = _Held(version, token, app_key)
        elif token is not None:
            self._tell_expired()
            self._expire_soft(_Held(object(), token))

    def _look(self) -> str | None:
        """The way that is not quick: something changed, or the held token has no five minutes left."""
        with self._guard:
            held = self._held
            if held.token is not None and self._still_holds(held) and not held.token.is_valid(self._clock()):
                logs.info("Token expired, clearing...")
                logs.info("Token cleared")
                self._expire_soft(held)
                return None
            self._held = held = self._fresh()
            if held.token is not None and not held.token.is_valid(self._clock()):
                self._tell_expired()
                self._expire_soft(held)
                return None
            return held.text

    def _still_holds(self, held: _Held) -> bool:
        return held.version == self._version() and held.app_key == self._app_key()

    def _fresh(self) -> _Held:
        version, app_key = self._version(), self._app_key()
        held = self._held
        if held.version == version and held.app_key == app_key:
            return held
        try:
            token = self._service.stored()
        except StoreError as error:
            if str(error) != self._complaint:  # said once, not at every call
                logs.warning("Token not read: %s", error)
            self._complaint = str(error)
            is_usable = held.app_key == app_key and (held.token is None or not self._service.is_gone(held.token))
            return held if is_usable else _Held(object(), None)
        self._complaint = ""
        if token is not None and token.is_valid(self._clock()) and token != held.token:
            self._tell_loaded(token)
        return _Held(version, token, app_key)

    def _expire_soft(self, held: _Held) -> None:
        """The stamp stays the judged token's: whatever takes its place meanwhile shows as a change."""
        self._held = _Held(held.version, None, held.app_key)
        if held.token is None:
            return
        try:
            self._service.expire_soft(held.token)
        except StoreError as error:
            logs.warning("Token not deleted: %s", error)

    def _tell_loaded(self, token: Token) -> None:
        logs.info("Loaded valid token from %s (expires at %s)", self._service.place().kind, local_time(token))

    def _tell_expired(self) -> None:
        logs.info("Token in %s has expired", self._service.place().kind)

    def _forget_parent(self) -> None:
        """In a forked child: whoever held the guard is a thread of the parent."""
        self._guard = threading.RLock()


class ModulesManager(TokenManager):
    """The one that `from tray_app import token_manager` gives, for the environment at its first use.

    Like any other it looks for a token file when it is made, which is at the import. A program may complete its
    environment only after that, as with `load_dotenv()`: then the settings are read again.
    """

    def __init__(self) -> None:
        self._settling = threading.RLock()
        self._environment = dict(os.environ)
        self._found: tuple[TokenService, _Held] | None = None
        try:
            super().__init__()
        except SettingsError as error:  # raised at the first use, unless it is mended by then: an import must not fail
            logs.error("%s", error)
            _managers.add(self)
        else:
            self._found = (self._service, self._held)
            del self._service, self._app_key, self._version
        self._held = _Held(object(), None)

    def __getattr__(self, name: str) -> Any:
        """Called only for what is missing, which those three are until one of them is used."""
        if name not in {"_service", "_app_key", "_version"}:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        with self._settling:
            if name not in self.__dict__:
                self._settle()
        return self.__dict__[name]

    def _settle(self) -> None:
        if self._found is not None and dict(os.environ) == self._environment:
            self._use(*self._found)
        else:
            self._begin(load_chosen(None, None, None))
        del self._environment, self._found  # the one holds keys, too

    def _forget_parent(self) -> None:
        super()._forget_parent()
        self._settling = threading.RLock()


_managers: weakref.WeakSet[TokenManager] = weakref.WeakSet()


def _after_fork() -> None:
    for manager in list(_managers):
        manager._forget_parent()  # noqa: SLF001 - the module's own


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


class _Held:
    """What memory holds: immutable, so that `get_token` needs no lock. A `text` of None is valid for ever.

    It holds while the store's `stamp` and the environment's `app_key` are the same.
    """

    __slots__ = ("app_key", "text", "token", "valid_until", "version")

    def __init__(self, version: object, token: Token | None, app_key: str | None = None) -> None:
        self.version = version
        self.app_key = app_key
        self.token = token
        self.text = None if token is None else token.value.reveal()
        self.valid_until = float("inf") if token is None else token.expires - BUFFER_SECONDS


def token_info(token: Token | None, now: float) -> dict[str, Any]:
    """The seed's five keys about a record at `now` (epoch seconds)."""
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
