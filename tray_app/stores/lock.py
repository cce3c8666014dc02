"""One kernel lock per profile, with a note for whoever waited.

The kernel frees the lock when its holder ends or is killed; the file itself is never deleted, because a
lock on a deleted file excludes nobody. Threads of one process take turns before they ask the kernel.
"""

from __future__ import annotations

import os
import sys
import threading
import time
import weakref

from tray_app.core.errors import LockTimeout, StoreError
from tray_app.core.language import msg
from tray_app.stores.files import make_private_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

DEFAULT_TIMEOUT_SECONDS = 30.0
"""Longer than any issue request may take, so a live holder always finishes first."""

_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_BINARY = getattr(os, "O_BINARY", 0)
_MAX_NOTE_BYTES = 4096
_WINDOWS_LOCK_OFFSET = 1 << 20
"""Windows locks bytes against reading too, so the locked byte lies far behind the note."""

if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> bool:
        os.lseek(descriptor, _WINDOWS_LOCK_OFFSET, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(descriptor: int) -> None:
        os.lseek(descriptor, _WINDOWS_LOCK_OFFSET, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


class ThreadLock:
    """The lock of a store that only this process can see."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._note: dict[str, Any] = {}

    def acquire(self, timeout: float = DEFAULT_TIMEOUT_SECONDS) -> None:
        """Raises `LockTimeout` after `timeout` seconds."""
        if not self._turn.acquire(timeout=timeout):
            raise _timed_out()

    def try_acquire(self) -> bool:
        return self._turn.acquire(blocking=False)

    def release(self) -> None:
        self._turn.release()

    def read_note(self) -> dict[str, Any]:
        return dict(self._note)

    def write_note(self, note: dict[str, Any]) -> None:
        self._note = dict(note)

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


class ProfileLock(ThreadLock):
    """The same across processes, by a kernel lock on `path`.

    The note is a small JSON object about the last request to the broker; it is read and written only by the
    holder and never holds a secret.
    """

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path
        self._descriptor: int | None = None
        _locks.add(self)

    def acquire(self, timeout: float = DEFAULT_TIMEOUT_SECONDS) -> None:
        """Raises `LockTimeout` after `timeout` seconds, `StoreError` when the lock file cannot be opened."""
        deadline = time.monotonic() + timeout
        super().acquire(timeout)
        try:
            pause = 0.001
            while not self._try_kernel():
                if time.monotonic() >= deadline:
                    raise _timed_out()  # noqa: TRY301 - the turn is given back below
                time.sleep(pause * (0.5 + os.urandom(1)[0] / 256))
                pause = min(pause * 2, 0.016)
        except BaseException:
            super().release()
            raise

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
                _unlock(self._descriptor)
        finally:
            super().release()

    def read_note(self) -> dict[str, Any]:
        import json

        descriptor = self._open()
        os.lseek(descriptor, 0, os.SEEK_SET)
        text = os.read(descriptor, _MAX_NOTE_BYTES)
        try:
            note = json.loads(text)
        except ValueError:
            return {}
        return note if isinstance(note, dict) else {}

    def write_note(self, note: dict[str, Any]) -> None:
        import json

        descriptor = self._open()
        text = json.dumps(note).encode()
        os.ftruncate(descriptor, 0)
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.write(descriptor, text)

    def _try_kernel(self) -> bool:
        descriptor = self._open()
        if not _try_lock(descriptor):
            return False
        try:
            named, held = os.stat(self._path), os.fstat(descriptor)
            same_file = (named.st_ino, named.st_dev) == (held.st_ino, held.st_dev)
        except FileNotFoundError:
            same_file = False
        if not same_file:  # somebody removed the folder: lock the file that others will find
            self._descriptor = None
            os.close(descriptor)
        return same_file

    def _open(self) -> int:
        if self._descriptor is None:
            make_private_folder(os.path.dirname(self._path))
            try:
                self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | _NOFOLLOW | _BINARY, 0o600)
            except OSError as error:
                raise StoreError(
                    msg("The lock file {path} cannot be opened ({reason}). Mend or remove it."),
                    path=self._path,
                    reason=error.strerror or type(error).__name__,
                ) from None
        return self._descriptor

    def _forget_parent(self) -> None:
        """In a forked child: the parent's turn and its descriptor, which shares the parent's lock, are not ours."""
        self._turn = threading.Lock()
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


_locks: weakref.WeakSet[ProfileLock] = weakref.WeakSet()


def _after_fork() -> None:
    for lock in list(_locks):
        lock._forget_parent()  # noqa: SLF001 - the module's own


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _timed_out() -> LockTimeout:
    return LockTimeout(msg("Another program has been renewing this token for too long. Try again in a moment."))
