"""A token that is gone with the process."""

from __future__ import annotations

import contextlib
import time

from tray_app.stores.base import Place, never_superseded
from tray_app.stores.lock import ThreadLock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tray_app.core.token import Token


class MemoryStore:
    """The store of `KIWOOM_TRAY_STORE=memory`."""

    announces = True
    is_superseded = never_superseded

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.lock = ThreadLock()
        self._clock = clock
        self._token: Token | None = None
        self._expiring: Token | None = None
        self._version = object()

    def version(self) -> object:
        return self._version

    @contextlib.contextmanager
    def announcing(self) -> Iterator[None]:
        yield
        self._version = object()

    def read(self) -> Token | None:
        return self._token

    def read_quick(self) -> Token | None:
        return self._token

    def read_expiring(self) -> Token | None:
        return self._expiring if self._expiring is not None and self._expiring.is_unexpired(self._clock()) else None

    def write(self, token: Token) -> object:
        self._token, self._expiring = token, None
        self._version = object()
        return self._version

    def wants_rewriting(self) -> bool:
        return False

    def clear(self) -> bool:
        had = self._token is not None or self._expiring is not None
        self._token = self._expiring = None
        self._version = object()
        return had

    def expire_soft(self, token: Token) -> bool:
        if self._token is not token:
            return False
        self._token, self._expiring = None, token
        self._version = object()
        return True

    def check(self) -> None:
        """Do nothing: there is nothing to ask."""

    def place(self) -> Place:
        return Place("memory")

    def watch_paths(self) -> list[str]:
        return []
