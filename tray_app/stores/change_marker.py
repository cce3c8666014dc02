"""A few bytes that change whenever a token changes: cheap to compare, and visible to every process at once."""

from __future__ import annotations

import contextlib
import os
import time

from tray_app.core import logs
from tray_app.core.errors import StoreError
from tray_app.system.atomic_replace import delete_private
from tray_app.system.private_files import append_private, open_private, read_at, write_at
from tray_app.system.private_folders import make_private_folder

_NONCE_BYTES = 8
_SIZE = 16

_CHANGING = bytes(_NONCE_BYTES)
"""The nonce while something is being changed: should that program be killed, nobody takes it for unchanged."""

_TRUST_SECONDS = 0.05
"""For how long the open file is assumed to be the one at the path. A file that was written, removed, renamed or
replaced shows that at once by its status time or its number of links; one whose folder was renamed does not."""


class ChangeMarker:
    """A file of 16 bytes: a random nonce, then an instant in microseconds of the epoch.

    Records created before that instant are void wherever they are still stored: this is how a clear reaches a keyring
    that did not answer at the time. A random nonce needs no lock: whichever of two writers comes last, its nonce
    differs from what a reader saw before. Readers take the version first and read the store after it, so that a change
    in between is noticed.

    The file is read, not mapped: a page of a map that the disk has no room for ends the process with SIGBUS.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._file: _MarkerFile | None = None
        self._trusted_until = 0.0

    def version(self) -> object:
        """Return a value that equals the last one only if nothing changed; without a usable file it never does."""
        file = self._file
        if file is not None and time.monotonic() < self._trusted_until:
            try:
                found = os.fstat(file.descriptor)
                if found.st_ctime_ns == file.changed_ns and found.st_nlink == 1:
                    content = read_at(file.descriptor, _SIZE, 0)
                    if len(content) == _SIZE and not content.startswith(_CHANGING):
                        return content
            except OSError:
                pass
        current = self._read()
        return object() if current is None or current.startswith(_CHANGING) else current

    def invalidated_before(self) -> int:
        """Return the instant in microseconds of the epoch; 0 when nothing was ever cleared or stored."""
        content = self._read()
        return 0 if content is None else int.from_bytes(content[_NONCE_BYTES:], "little")

    def change(self, invalidated_before: int) -> object:
        """Announce a change and return its version.

        Raises nothing, because the token itself is already stored. A marker that cannot be written is removed:
        without one, every reader asks the store each time.
        """
        return self._put(os.urandom(_NONCE_BYTES), invalidated_before)

    def begin_change(self) -> None:
        """Let every reader ask the store each time until `change` is called. Raises nothing."""
        self._put(_CHANGING, self.invalidated_before())

    def _put(self, nonce: bytes, invalidated_before: int) -> object:
        content = nonce + invalidated_before.to_bytes(_SIZE - _NONCE_BYTES, "little")
        try:
            try:
                self._write(content)
            except (OSError, StoreError):  # no room, or not a file of ours: a new one may work
                self._remove()
                self._write(content)
        except (OSError, StoreError) as error:
            logs.warning("The change signal cannot be written (%s)", type(error).__name__)
            return object()
        return content

    def _write(self, content: bytes) -> None:
        make_private_folder(os.path.dirname(self.path))
        descriptor = open_private(self.path)
        try:
            write_at(descriptor, content)
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(descriptor, 0)  # readers notice this too, where the file cannot be removed
            raise
        finally:
            os.close(descriptor)

    def _remove(self) -> None:
        with contextlib.suppress(StoreError):
            delete_private(self.path)

    def _read(self) -> bytes | None:
        """Return the content of the file that the path leads to now, creating it if it is missing or empty."""
        self._trusted_until = time.monotonic() + _TRUST_SECONDS
        try:
            if self._file is None or not self._file.is_at(self.path):
                self._file = self._open()
            content = self._file.read()
        except (OSError, StoreError):
            self._file = None
            return None
        return content if len(content) == _SIZE else None

    def _open(self) -> _MarkerFile:
        make_private_folder(os.path.dirname(self.path))
        file = _MarkerFile(open_private(self.path))
        size = file.size()
        if size < _SIZE:
            # Appended, because a change that is announced meanwhile must not be overwritten.
            missing = (os.urandom(_NONCE_BYTES) + bytes(_SIZE - _NONCE_BYTES))[size:]
            append_private(self.path, missing)
        return file


class _MarkerFile:
    """An open marker, closed when the last thread that reads it is done.

    A program may have closed all its descriptors, as a daemon does, and this one may belong to another file by now.
    """

    __slots__ = ("_found", "changed_ns", "descriptor")

    def __init__(self, descriptor: int) -> None:
        found = os.fstat(descriptor)
        self.descriptor = descriptor
        self.changed_ns = found.st_ctime_ns
        self._found = found

    def size(self) -> int:
        return os.fstat(self.descriptor).st_size

    def read(self) -> bytes:
        self.changed_ns = os.fstat(self.descriptor).st_ctime_ns
        return read_at(self.descriptor, _SIZE, 0)

    def is_at(self, path: str) -> bool:
        """Return True if `path` leads to this very file, still whole and under no other name."""
        try:
            named, held = os.lstat(path), os.fstat(self.descriptor)
        except OSError:
            return False
        is_same = os.path.samestat(named, held) and os.path.samestat(held, self._found)
        return is_same and named.st_nlink == 1 and named.st_size >= _SIZE

    def __del__(self) -> None:
        with contextlib.suppress(OSError):
            if os.path.samestat(os.fstat(self.descriptor), self._found):
                os.close(self.descriptor)
