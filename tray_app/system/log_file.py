"""A log file that several processes write, private and bounded: 1 MB and two older ones beside it.

Each line opens the file, appends in one piece and closes it, so no process has a file open that another one renames:
Windows forbids that, and elsewhere it would split the log. Renaming takes a lock; on Windows, where appending is two
steps, so does writing. Writing raises nothing and waits only a moment for that lock: a full disk, or a pipe or a link
in the place of the file, costs the line, never the program.
"""

from __future__ import annotations

import contextlib
import logging
import os
import stat
import sys
import time

from tray_app.core.errors import KiwoomTokenError
from tray_app.system.file_lock import try_lock, unlock
from tray_app.system.private_files import create_private
from tray_app.system.private_folders import make_private_folder
from tray_app.system.sharing_violation import lift_read_only

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_BYTES = 1_000_000
BACKUPS = 2
_WRITE_PATIENCE_SECONDS = 0.2
_PAUSE_SECONDS = 0.002
_FLAGS = (
    os.O_WRONLY | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
)


class LogFileHandler(logging.Handler):
    """Writes records to the file at `path`, which is created with the first of them."""

    def __init__(self, path: str, max_bytes: int = MAX_BYTES) -> None:
        super().__init__()
        self.path = path
        self._max_bytes = max_bytes

    def emit(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(OSError, KiwoomTokenError, ValueError):
            line = (self.format(record) + "\n").encode("utf-8", "backslashreplace")
            if sys.platform == "win32":
                with self._lock(_WRITE_PATIENCE_SECONDS):
                    size = self._append(line)
            else:
                size = self._append(line)
            if size > self._max_bytes:
                with self._lock(0.0) as is_ours:
                    if is_ours:  # else another process is doing it
                        self._rotate()

    def _append(self, line: bytes) -> int:
        """Append the line and return the new size of the file."""
        descriptor = _open(self.path)
        try:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:
                return 0
            os.write(descriptor, line)
            return found.st_size + len(line)
        finally:
            os.close(descriptor)

    def _rotate(self) -> None:
        if os.stat(self.path).st_size <= self._max_bytes:  # another process has done it
            return
        for number in range(BACKUPS, 0, -1):
            newer = f"{self.path}.{number - 1}" if number > 1 else self.path
            older = f"{self.path}.{number}"
            lift_read_only(older)
            with contextlib.suppress(FileNotFoundError):
                os.replace(newer, older)

    @contextlib.contextmanager
    def _lock(self, patience: float) -> Iterator[bool]:
        """Hold the lock of this log, if it can be had within `patience` seconds; yield whether it is held."""
        descriptor = _open(self.path + ".lock")
        try:
            end = time.monotonic() + patience
            while not (is_ours := try_lock(descriptor)) and time.monotonic() < end:
                time.sleep(_PAUSE_SECONDS)
            try:
                yield is_ours
            finally:
                if is_ours:
                    unlock(descriptor)
        finally:
            os.close(descriptor)


def last_lines(path: str, max_bytes: int) -> str:
    """Return the end of a log, at most `max_bytes` of it; an empty text when there is none."""
    parts: list[bytes] = []
    left = max_bytes
    for one in [path, *(f"{path}.{number}" for number in range(1, BACKUPS + 1))]:
        with contextlib.suppress(OSError):
            descriptor = os.open(one, os.O_RDONLY | _FLAGS & ~(os.O_WRONLY | os.O_APPEND))
            try:
                found = os.fstat(descriptor)
                if stat.S_ISREG(found.st_mode) and left > 0:
                    os.lseek(descriptor, max(0, found.st_size - left), os.SEEK_SET)
                    parts.insert(0, os.read(descriptor, left))
                    left -= len(parts[0])
            finally:
                os.close(descriptor)
    return b"".join(parts).decode("utf-8", "replace")


def _open(path: str) -> int:
    try:
        return os.open(path, _FLAGS)
    except FileNotFoundError:
        make_private_folder(os.path.dirname(path))
    except PermissionError:
        if not lift_read_only(path):
            raise
    with contextlib.suppress(FileExistsError):  # another process was faster, or it is a dangling link, refused below
        os.close(create_private(path))
    return os.open(path, _FLAGS)
