"""A token in another store, with a copy in `.token` for programs that know only that file."""

from __future__ import annotations

import time

from tray_app.core import logs
from tray_app.core.errors import StoreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from tray_app.core.token import Token
    from tray_app.stores.base import Place, Store
    from tray_app.stores.file import FileStore


class MirroredStore:
    """The token in `store`, or a newer one that another program has written over the copy in `file`.

    `TokenFileCopy` writes the copy. A newer token in it is stored in `store` too, bound to no account. If the copy is
    deleted, the token stays in `store`, and the copy is written again with the next change. While `store` cannot be
    read, the copy is what is known.
    """

    def __init__(self, store: Store, file: FileStore, clock: Callable[[], float] = time.time) -> None:
        self.lock = store.lock
        self.announces = store.announces
        self.announcing = store.announcing
        self._store = store
        self._file = file
        self._clock = clock
        self.read_quick = store.read_quick
        self.read_expiring = store.read_expiring
        self.write = store.write
        self.wants_rewriting = store.wants_rewriting
        self.clear = store.clear
        self.expire_soft = store.expire_soft
        self.check = store.check
        self.is_superseded = store.is_superseded

    def version(self) -> object:
        return (self._store.version(), self._file.version())

    def read(self) -> Token | None:
        written = self._read_copy(of_others=True)
        try:
            stored = self._store.read()
        except StoreError:
            copy = written or self._read_copy()
            if copy is None:
                raise
            return copy
        if written is None or (stored is not None and written.created_at <= stored.created_at):
            return stored
        self._adopt(written)
        return written

    def place(self) -> Place:
        return self._store.place()

    def watch_paths(self) -> list[str]:
        return [*self._store.watch_paths(), *self._file.watch_paths()]

    def _read_copy(self, *, of_others: bool = False) -> Token | None:
        """Return the copy if it has not expired; `of_others` only if another program wrote it."""
        try:
            if of_others and self._file.is_own_write():
                return None
            token = self._file.read()
        except StoreError as error:
            logs.warning("The copied token file is not read: %s", error)
            return None
        return token if token is not None and token.is_unexpired(self._clock()) else None

    def _adopt(self, token: Token) -> None:
        """Store the token in `store`, unless another process holds the lock: that one reads the copy too, and the next
        reader will store it."""
        with self.lock.if_free() as taken:
            if not taken:
                return
            try:
                self._store.write(token)
                self._file.adopt(token)
                logs.info("Token written by another program adopted")
            except StoreError as error:
                logs.warning("Token of another program not stored: %s", error)
