"""The OS keyring, and where it cannot be used the file, visibly."""

from __future__ import annotations

import os
import time

from tray_app.core import logs
from tray_app.core.errors import KeyringUnavailable, StoreError
from tray_app.stores.base import Place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from tray_app.core.token import Token
    from tray_app.stores.file import FileStore
    from tray_app.stores.keyring import KeyringStore


_ASK_AGAIN_SECONDS = 10


class FallbackStore:
    """Writes to the keyring, or to the file while the keyring cannot be used.

    A file therefore means that the keyring could not be used at the last write, or that a program that
    knows only the file wrote it: a token in it is the newest one, and it is read without asking the keyring.
    The next write that the keyring takes removes it. What another program wrote is announced by whoever reads it
    first: when the file goes after that, what the keyring has from before does not come back.

    Without a keyring each data folder has a token of its own, so a file counts as superseded only where the
    keyring answers: what was announced since may lie in another folder.

    With `keep_file` that write leaves the file to whoever shares the token there: a file that says the same as
    the keyring is then a copy, and only one that differs from it is newer.
    """

    def __init__(
        self,
        keyring: KeyringStore,
        file: FileStore,
        clock: Callable[[], float] = time.time,
        *,
        keep_file: bool = False,
    ) -> None:
        self.lock = keyring.lock
        self._clock = clock
        self._keyring = keyring
        self._file = file
        self._keep_file = keep_file
        self._file_path = file.place().path
        self._problem: KeyringUnavailable | None = None
        self._in_file = False
        self._tried: Token | None = None
        self._announced: tuple[object, object] = (None, None)

    def version(self) -> object:
        marker = self._keyring.version()
        if marker == self._announced[1]:  # what was announced here is no news here
            marker = self._announced[0]
        if os.access(self._file_path, os.F_OK):
            return (marker, self._file.version())
        if self._problem is not None:  # nothing tells when it is over: ask again now and then
            return (marker, self._clock() // _ASK_AGAIN_SECONDS)
        return marker

    def read(self) -> Token | None:
        unreadable: StoreError | None = None
        in_file = in_keyring = None
        try:
            in_file = self._file.read()
        except StoreError as error:
            unreadable = error
        standing = 0 if in_file is None else self._keyring.standing(in_file)
        superseded = standing < 0
        if self._keep_file or in_file is None or superseded or not in_file.lives(self._clock()):
            in_keyring = self._read_keyring()
        if superseded and self._problem is None:
            in_file = None
        if in_keyring is not None and in_file is not None and in_file.lives(self._clock()) and in_file != in_keyring:
            in_keyring = None
        if in_keyring is None and unreadable is not None:
            raise unreadable
        self._in_file = in_keyring is None and in_file is not None
        if in_keyring is None and in_file is not None and standing > 0:
            self._announce_foreign(in_file)
        return in_keyring or in_file

    def read_quick(self) -> Token | None:
        token = self._file.read()
        standing = 0 if token is None else self._keyring.standing(token)
        if standing < 0:
            token = None
        self._in_file = token is not None and not self._keep_file
        if token is not None and standing > 0:
            self._announce_foreign(token)
        return token

    def read_expiring(self) -> Token | None:
        token = self._file.read_expiring()
        superseded = token is not None and self._problem is None and self._keyring.is_superseded(token)
        return None if superseded else token

    def write(self, token: Token) -> object:
        try:
            version = self._keyring.write(token)
        except KeyringUnavailable as error:
            self._fall_back(error)
            in_file = self._file.write(token)
            self._in_file = True
            return (self._keyring.announce(token), in_file)
        self._problem = None
        self._in_file = False
        if self._keep_file:
            return version
        try:
            self._file.clear()
        except StoreError as error:  # what it holds is older than the signal tells
            logs.warning("Token file not deleted: %s", error)
        return version

    def wants_rewriting(self) -> bool:
        return self._in_file and self._file.wants_rewriting()

    def clear(self) -> bool:
        self._in_file = False
        in_keyring = False
        try:
            in_file = self._file.clear()
        finally:  # a file that cannot be deleted is no reason to keep the other
            try:
                in_keyring = self._keyring.clear()
            except KeyringUnavailable as error:
                self._fall_back(error)
        return in_keyring or in_file

    def expire_soft(self, token: Token) -> bool:
        if self._in_file:
            return self._file.expire_soft(token)
        if self._keep_file:
            self._file.expire_soft(token)
        try:
            return self._keyring.expire_soft(token)
        except KeyringUnavailable as error:
            self._fall_back(error)
            return False

    def check(self) -> None:
        """While the token is in the file: whether that still has to be."""
        if self._in_file or self._problem is not None:
            self._keyring.check()
            problem = self._keyring.place().problem
            if isinstance(problem, KeyringUnavailable):
                self._fall_back(problem)
            else:
                self._problem = None

    def place(self) -> Place:
        if self._problem is not None or self._in_file:
            return Place("file", self._file_path, self._problem)
        return Place("keyring")

    def watch_paths(self) -> list[str]:
        return [*self._file.watch_paths(), *self._keyring.watch_paths()]

    def _announce_foreign(self, token: Token) -> None:
        """Tells of a token that no program of ours has announced. Tried once: where it cannot be told, reading goes on.

        Under the lock, so that it does not undo a clear; whoever holds the lock tells of what comes of it.
        """
        if token == self._tried or not token.lives(self._clock()):
            return
        try:
            if not self.lock.try_acquire():
                return
        except StoreError:  # a folder where nothing can be written
            self._tried = token
            return
        try:
            if self._keyring.standing(token) > 0:  # nobody else has told of it, or of a newer one, meanwhile
                self._tried = token
                before = self._keyring.version()
                self._announced = (before, self._keyring.announce(token))
        finally:
            self.lock.release()

    def _read_keyring(self) -> Token | None:
        try:
            token = self._keyring.read()
        except KeyringUnavailable as error:
            self._fall_back(error)
            return None
        self._problem = None
        return token

    def _fall_back(self, error: KeyringUnavailable) -> None:
        if self._problem is None or self._problem.problem != error.problem:
            logs.warning("Keyring not used (%s), token kept in file", error.problem)
        self._problem = error
