"""A lock on an open file that the kernel frees when its holder ends or is killed.

"Somebody else holds it" and "this place cannot lock" are different answers, and each system words them in its own way.
"""

from __future__ import annotations

import errno
import os
import sys

_WINDOWS_LOCK_OFFSET = 1 << 20
"""Windows locks bytes against reading too, so the locked byte lies far behind the content."""

if sys.platform == "win32":
    import msvcrt

    HELD_ERRNOS = frozenset({errno.EACCES, errno.EDEADLK, 0})
    """WORKAROUND: Wine 10 sets no errno at all for a lock that is held, so that the one of an earlier failure would be
    taken for its own. Delete the 0 and `_forget_errno` when a later one sets EACCES."""

    CANNOT_LOCK_ERRNOS = frozenset({errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK})

    def _forget_errno() -> None:
        import ctypes

        ctypes.CDLL("ucrtbase")._set_errno(0)  # noqa: SLF001 - its name in C

    def try_lock(descriptor: int) -> bool:
        """Return True if it was free and is ours now. Raises `OSError` where it cannot be locked."""
        os.lseek(descriptor, _WINDOWS_LOCK_OFFSET, os.SEEK_SET)
        _forget_errno()
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            if error.errno in HELD_ERRNOS:
                return False
            raise
        return True

    def unlock(descriptor: int) -> None:
        """Let others have it."""
        os.lseek(descriptor, _WINDOWS_LOCK_OFFSET, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    HELD_ERRNOS = frozenset({errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES})
    """EACCES is what an SMB share answers that is mounted on Linux."""

    CANNOT_LOCK_ERRNOS = frozenset({errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL})

    def try_lock(descriptor: int) -> bool:
        """Return True if it was free and is ours now. Raises `OSError` where it cannot be locked."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in HELD_ERRNOS:
                return False
            raise
        return True

    def unlock(descriptor: int) -> None:
        """Let others have it."""
        fcntl.flock(descriptor, fcntl.LOCK_UN)


def is_still_at(path: str, descriptor: int) -> bool:
    """Return whether others who open the path find this open file: its last holder may have removed or replaced it."""
    try:
        return os.path.samestat(os.lstat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False


class Holder:
    """The process that has a lock. `is_stopped`: it does not run until somebody lets it go on (Ctrl+Z, a debugger)."""

    __slots__ = ("is_stopped", "pid", "program")

    def __init__(self, pid: int, program: str, *, is_stopped: bool) -> None:
        self.pid = pid
        self.program = program
        self.is_stopped = is_stopped


def holder_of(path: str) -> Holder | None:
    """Return who has the lock on that file; None where that cannot be told. Only Linux tells it, of this user's own
    processes."""
    try:
        inode = str(os.stat(path).st_ino)
        with open("/proc/locks", encoding="ascii") as locks:
            fields = [line.split() for line in locks]
        for pid in {one[4] for one in fields if "FLOCK" in one and "->" not in one and one[5].endswith(f":{inode}")}:
            folder = f"/proc/{pid}/fd"
            if any(_is_at(os.path.join(folder, one), path) for one in os.listdir(folder)):
                with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
                    program, _, state = file.read().partition("(")[2].rpartition(") ")
                return Holder(int(pid), program, is_stopped=state[:1] in {"T", "t"})
    except (OSError, IndexError, ValueError):
        pass
    return None


def _is_at(link: str, path: str) -> bool:
    try:
        return os.path.samefile(link, path)
    except OSError:
        return False


def cannot_lock(error: OSError) -> bool:
    """Return True if the error means that files at this place cannot be locked at all."""
    return error.errno in CANNOT_LOCK_ERRNOS
