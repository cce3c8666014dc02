"""One kernel lock per profile, with a note for whoever waited.

The kernel frees the lock when its holder ends or is killed; the file itself is never deleted, because a
lock on a deleted file excludes nobody. Threads of one process take turns before they ask the kernel.
"""

from __future__ import annotations

import os
import threading
import time
import weakref

from tray_app.core import logs
from tray_app.core.errors import LockTimeout, StoreError
from tray_app.core.language import msg
from tray_app.system.file_lock import try_lock, unlock
from tray_app.system.private_files import make_private_folder, open_private

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

DEFAULT_TIMEOUT_SECONDS = 30.0
"""Longer than any issue request may take, so a live holder always finishes first."""

_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_BINARY = getattr(os, "O_BINARY", 0)
_MAX_NOTE_BYTES = 4096
_REOPENINGS = 3
_TURN_SECONDS = 0.05
"""Threads are woken when it is their turn; so often they also look for a note, all at the same time."""

_QUIET_SECONDS = 0.08
"""Who only writes is done by then; who asks Kiwoom has sent the request, and leaves the processor to those who wait."""

_FIRST_PAUSE_SECONDS = 0.001
_LONGEST_PAUSE_SECONDS = 0.016
_locks: weakref.WeakSet[ThreadLock] = weakref.WeakSet()


class ThreadLock:
    """The lock of a store that only this process can see."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._holder: int | None = None
        self._note: dict[str, Any] = {}
        _locks.add(self)

    def acquire(
        self, timeout: float = DEFAULT_TIMEOUT_SECONDS, on_update: Callable[[dict[str, Any]], bool] | None = None
    ) -> bool:
        """Take the lock; return False when `on_update` ended the wait.

        After a moment of waiting `on_update` is shown each record that is new, at first the one that is there. When
        it returns True the wait is over: the holder's record may already say all that the lock was wanted for.
        Raises `LockTimeout` after `timeout` seconds, and at once in a signal's handler whose own thread has the lock.
        """
        if ThreadLock.try_acquire(self):
            return True
        if self._holder == threading.get_ident():
            raise LockTimeout(msg("This program is just renewing the token itself. Try again in a moment."))
        deadline = time.monotonic() + timeout
        listen = self._listener(on_update)
        while not self._turn.acquire(timeout=max(0.0, min(_TURN_SECONDS, deadline - time.monotonic()))):
            if listen():
                return False
            if time.monotonic() >= deadline:
                raise _timed_out()
        self._holder = threading.get_ident()
        return True

    def try_acquire(self) -> bool:
        taken = self._turn.acquire(blocking=False)
        if taken:
            self._holder = threading.get_ident()
        return taken

    def release(self) -> None:
        self._holder = None
        self._turn.release()

    def read_record(self) -> dict[str, Any]:
        return dict(self._note)

    def peek_record(self) -> dict[str, Any]:
        """The same for who does not hold the lock, of the holder wherever it is. May ask a network."""
        return self.read_record()

    def write_record(self, note: dict[str, Any]) -> None:
        self._note = dict(note)

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()

    def _listener(self, on_update: Callable[[dict[str, Any]], bool] | None) -> Callable[[], bool]:
        shown: dict[str, Any] | None = None
        begin = time.monotonic() + _QUIET_SECONDS

        def listen() -> bool:
            nonlocal shown
            if on_update is None or time.monotonic() < begin or (record := self.read_record()) == shown:
                return False
            shown = record
            return on_update(record)

        return listen

    def _forget_parent(self) -> None:
        """In a forked child: whoever had the turn is a thread of the parent."""
        self._turn = threading.Lock()
        self._holder = None


class ProfileLock(ThreadLock):
    """The same across processes, by a kernel lock on `path`.

    The note is a small JSON object about the last request to the broker. Only the holder writes it; who waits
    reads it too, and takes half a note for none. It never holds a secret.
    """

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path
        self._descriptor: int | None = None

    def acquire(
        self, timeout: float = DEFAULT_TIMEOUT_SECONDS, on_update: Callable[[dict[str, Any]], bool] | None = None
    ) -> bool:
        """Raises also `StoreError`, when the lock file cannot be used."""
        deadline = time.monotonic() + timeout
        if not super().acquire(timeout, on_update):
            return False
        try:
            listen = self._listener(on_update)
            pause = _FIRST_PAUSE_SECONDS
            while not self._try_kernel():
                if listen():
                    super().release()
                    return False
                if time.monotonic() >= deadline:
                    raise _timed_out()  # noqa: TRY301 - the turn is given back below
                time.sleep(pause * (0.5 + os.urandom(1)[0] / 256))
                pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
        except BaseException:
            super().release()
            raise
        return True

    def try_acquire(self) -> bool:
        if not super().try_acquire():
            return False
        try:
            taken = self._try_kernel()
        except BaseException:
            super().release()
            raise
        if not taken:
            super().release()
        return taken

    def release(self) -> None:
        try:
            if self._descriptor is not None:
                unlock(self._descriptor)
        finally:
            super().release()

    def read_record(self) -> dict[str, Any]:
        """Empty when nobody left one, or when it is damaged. On a descriptor of its own, because a thread that does
        not hold the lock may not move the other's."""
        import json

        try:
            descriptor = os.open(self._path, os.O_RDONLY | _NOFOLLOW | _BINARY)
            try:
                note = json.loads(os.read(descriptor, _MAX_NOTE_BYTES))
            finally:
                os.close(descriptor)
        except (OSError, ValueError, RecursionError):
            return {}
        return note if isinstance(note, dict) else {}

    def write_record(self, note: dict[str, Any]) -> None:
        """Raises nothing: a full disk may not cost the token that was just issued."""
        import json

        try:
            descriptor = self._open()
            text = json.dumps(note).encode()
            os.ftruncate(descriptor, 0)
            os.lseek(descriptor, 0, os.SEEK_SET)
            os.write(descriptor, text)
        except (OSError, StoreError) as error:
            logs.warning("The lock's note cannot be written (%s)", type(error).__name__)

    def _try_kernel(self) -> bool:
        for _ in range(_REOPENINGS):
            descriptor = self._open()
            try:
                if not try_lock(descriptor):
                    return False
                if self._is_named(descriptor):
                    return True
            except OSError as error:  # a file system without locks, or one that went away
                raise self._unusable(error) from None
            self._descriptor = None  # somebody removed the folder: lock the file that others will find
            os.close(descriptor)
        return False

    def _is_named(self, descriptor: int) -> bool:
        try:
            named, held = os.stat(self._path), os.fstat(descriptor)
        except FileNotFoundError:
            return False
        return (named.st_ino, named.st_dev) == (held.st_ino, held.st_dev)

    def _open(self) -> int:
        if self._descriptor is None:
            make_private_folder(os.path.dirname(self._path))
            try:
                self._descriptor = open_private(self._path)
            except OSError as error:
                raise self._unusable(error) from None
        return self._descriptor

    def _unusable(self, error: OSError) -> StoreError:
        return StoreError(
            msg("The lock file {path} cannot be opened ({reason}). Mend or remove it."),
            path=self._path,
            reason=error.strerror or type(error).__name__,
        )

    def _forget_parent(self) -> None:
        """The descriptor shares the parent's lock, so it is not ours either."""
        super()._forget_parent()
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _after_fork() -> None:
    for lock in list(_locks):
        lock._forget_parent()  # noqa: SLF001 - the module's own


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _timed_out() -> LockTimeout:
    return LockTimeout(msg("Another program has been renewing this token for too long. Try again in a moment."))
