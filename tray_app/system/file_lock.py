"""A lock on an open file that the kernel frees when its holder ends or is killed."""

from __future__ import annotations

import os
import sys

_WINDOWS_LOCK_OFFSET = 1 << 20
"""Windows locks bytes against reading too, so the locked byte lies far behind what stands in the file."""

if sys.platform == "win32":
    import msvcrt

    def try_lock(descriptor: int) -> bool:
        """Whether nobody else held it. Raises `OSError` where the file system knows no locks."""
        os.lseek(descriptor, _WINDOWS_LOCK_OFFSET, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def unlock(descriptor: int) -> None:
        """Lets others have it."""
        os.lseek(descriptor, _WINDOWS_LOCK_OFFSET, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def try_lock(descriptor: int) -> bool:
        """Whether nobody else held it. Raises `OSError` where the file system knows no locks."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def unlock(descriptor: int) -> None:
        """Lets others have it."""
        fcntl.flock(descriptor, fcntl.LOCK_UN)
