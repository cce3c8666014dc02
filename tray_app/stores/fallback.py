"""The OS keyring, and where it cannot be used the file, visibly."""

from __future__ import annotations

import os
import time

from tray_app.core import logs
from tray_app.core.errors import KeyringUnavailable, StoreError
from tray_app.stores.base import Place
from tray_app.stores.keyring import Announcement
from tray_app.system.private_files import NotAFile, UnreadableFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from tray_app.core.token import Token
    from tray_app.stores.file import FileStore
    from tray_app.stores.keyring import KeyringStore


_ASK_AGAIN_SECONDS = 10


class _State:
    """What this store remembers of its last use.

    `problem` is why the keyring cannot be used, or None, and `hides_token` whether it then most likely has the token.
    `in_file` is True if the current token is in the file. `tried_to_announce` is the last token of another program that
    this store tried to announce, and `marker_before` and `marker_after` are the marker's versions around that
    announcement, which is no change to this store itself.
    """

    __slots__ = ("hides_token", "in_file", "marker_after", "marker_before", "problem", "tried_to_announce")

    def __init__(self) -> None:
        self.problem: KeyringUnavailable | None = None
        self.hides_token = False
        self.in_file = False
        self.tried_to_announce: Token | None = None
        self.marker_before: object = None
        self.marker_after: object = None


class FallbackStore:
    """Stores in the keyring, or in the file while the keyring cannot be used.

    A token in the file therefore means that the keyring could not be used at the last write, or that a program that
    knows only the file wrote it. It is the newest one, and it is read without asking the keyring. The next successful
    write to the keyring removes it. What another program wrote is announced by whoever reads it first: when the file is
    deleted after that, the older token in the keyring does not come back.

    Without a keyring each data folder has a token of its own, so a file counts as superseded only where the
    keyring answers: the announcement may be about a token in another folder.

    With `keep_file` a write leaves the file to the export that copies the token there: a file with the same token as
    the keyring is then a copy, and only one with another token is newer.

    No file is written while a keyring with a valid token just cannot be reached from here, or waits for its user's
    answer: everybody else uses that token, so the problem is raised instead.
    """

    announces = True

    def __init__(
        self,
        keyring: KeyringStore,
        file: FileStore,
        clock: Callable[[], float] = time.time,
        *,
        keep_file: bool = False,
    ) -> None:
        self.lock = keyring.lock
        self.announcing = keyring.announcing
        self._clock = clock
        self._keyring = keyring
        self.is_superseded = keyring.is_superseded
        self._file = file
        self._keep_file = keep_file
        self._file_path = file.place().path
        self._state = _State()

    def version(self) -> object:
        state = self._state
        marker = self._keyring.version()
        if marker == state.marker_after:  # announced here
            marker = state.marker_before
        if os.access(self._file_path, os.F_OK):
            return (marker, self._file.version())
        if state.problem is not None:  # nothing reports when it is over: ask again now and then
            return (marker, self._clock() // _ASK_AGAIN_SECONDS)
        return marker

    def read(self) -> Token | None:
        unreadable: StoreError | None = None
        in_file = in_keyring = None
        try:
            in_file = self._file.read()
        except StoreError as error:
            unreadable = error
        announced = None if in_file is None else self._keyring.compare(in_file)
        superseded = announced is Announcement.SUPERSEDED
        is_file_enough = in_file is not None and in_file.is_unexpired(self._clock())
        if self._keep_file or superseded or not is_file_enough:
            in_keyring = self._read_keyring()
        if superseded and self._state.problem is None:
            in_file, is_file_enough = None, False
        if is_file_enough and in_file != in_keyring:
            in_keyring = None  # the file has the newer one
        if in_keyring is None and unreadable is not None and not self._needs_no_file(unreadable):
            raise unreadable
        if not is_file_enough:
            self._refuse_file()
        self._state.in_file = in_keyring is None and in_file is not None
        self._state.hides_token &= not is_file_enough
        if in_keyring is None and in_file is not None and announced is Announcement.UNANNOUNCED:
            self._announce_foreign(in_file)
        return in_keyring or in_file

    def read_quick(self) -> Token | None:
        try:
            token = self._file.read()
        except NotAFile:  # whether that matters depends on the keyring, which is not asked here
            return None
        announced = None if token is None else self._keyring.compare(token)
        if announced is Announcement.SUPERSEDED:
            token = None
        self._state.in_file = token is not None and not self._keep_file
        if token is not None and announced is Announcement.UNANNOUNCED:
            self._announce_foreign(token)
        return token

    def read_expiring(self) -> Token | None:
        token = self._file.read_expiring()
        superseded = token is not None and self._state.problem is None and self._keyring.is_superseded(token)
        return None if superseded else token

    def write(self, token: Token) -> object:
        try:
            version = self._keyring.write(token)
        except KeyringUnavailable as error:
            self._fall_back(error)
            self._refuse_file()
            in_file = self._file.write(token)
            self._state.in_file, self._state.hides_token = True, False
            return (self._keyring.announce_token(token), in_file)
        self._state.problem, self._state.hides_token = None, False
        self._state.in_file = False
        if self._keep_file:
            return version
        try:
            self._file.clear()
        except StoreError as error:  # what it holds is older than the announcement
            logs.warning("Token file not deleted: %s", error)
        return version

    def wants_rewriting(self) -> bool:
        if not self._state.in_file:
            return False
        self.check()
        return self._state.problem is None or self._file.wants_rewriting()

    def clear(self) -> bool:
        self._state.in_file = False
        in_file = in_keyring = False
        undeleted: StoreError | None = None
        try:
            in_file = self._file.clear()
        except StoreError as error:  # no reason to keep the keyring's
            undeleted = error
        try:
            in_keyring = self._keyring.clear()
        except KeyringUnavailable as error:
            self._fall_back(error)
        if undeleted is not None and not self._is_no_file():
            raise undeleted
        return in_keyring or in_file

    def expire_soft(self, token: Token) -> bool:
        if self._state.in_file:
            return self._file.expire_soft(token)
        if self._keep_file:
            self._file.expire_soft(token)
        try:
            return self._keyring.expire_soft(token)
        except KeyringUnavailable as error:
            self._fall_back(error)
            return False

    def check(self) -> None:
        """Try the keyring again while the token is in the file."""
        if self._state.in_file or self._state.problem is not None:
            self._keyring.check()
            problem = self._keyring.place().problem
            if isinstance(problem, KeyringUnavailable):
                self._fall_back(problem)
            else:
                self._state.problem, self._state.hides_token = None, False

    def place(self) -> Place:
        if self._state.problem is not None or self._state.in_file:
            return Place("file", self._file_path, self._state.problem, hides_token=self._state.hides_token)
        return Place("keyring")

    def watch_paths(self) -> list[str]:
        return [*self._file.watch_paths(), *self._keyring.watch_paths()]

    def _announce_foreign(self, token: Token) -> None:
        """Announce a token that another program stored. Tried only once: reading goes on where it cannot be announced.

        This happens under the lock, so that it does not undo a clear. Whoever holds the lock announces its own change.
        """
        if token == self._state.tried_to_announce or not token.is_unexpired(self._clock()):
            return
        try:
            if not self.lock.try_acquire():
                return
        except StoreError:  # a folder where nothing can be written
            self._state.tried_to_announce = token
            return
        try:
            if self._keyring.compare(token) is Announcement.UNANNOUNCED:  # nobody else has announced it meanwhile
                self._state.tried_to_announce = token
                before = self._keyring.version()
                after = self._keyring.announce_token(token)
                self._state.marker_before, self._state.marker_after = before, after
        finally:
            try:
                self.lock.release()
            finally:
                self.lock.release()  # one exception of a signal handler ends one of the two

    def _needs_no_file(self, error: StoreError) -> bool:
        """Return True if the keyring can be used, so that a file or folder which cannot be read is no hindrance."""
        return self._state.problem is None and isinstance(error, UnreadableFile)

    def _is_no_file(self) -> bool:
        """Return True if the keyring can be used, and what stands in the file's place holds nothing of ours."""
        try:
            self._file.peek()
        except NotAFile as error:
            return self._needs_no_file(error)
        except StoreError:
            pass
        return False

    def _read_keyring(self) -> Token | None:
        try:
            token = self._keyring.read()
        except KeyringUnavailable as error:
            self._fall_back(error)
            return None
        self._state.problem, self._state.hides_token = None, False
        return token

    def _refuse_file(self) -> None:
        """Raise the keyring's problem if it is one for which no file may be used instead."""
        problem = self._state.problem
        if problem is None:
            return
        is_hidden = problem.problem == KeyringUnavailable.UNREACHABLE and self._keyring.holds_unexpired()
        if is_hidden or problem.problem == KeyringUnavailable.ASKING:
            raise problem.again()

    def _fall_back(self, error: KeyringUnavailable) -> None:
        problem = self._state.problem
        if problem is None or problem.problem != error.problem:
            logs.warning("Keyring not used (%s), token kept in file", error.problem)
        self._state.problem = error.again()
        self._state.hides_token = self._keyring.place().hides_token
