"""A few bytes that change whenever a token changes: cheap to compare, seen by every process at once."""

from __future__ import annotations

import mmap
import os

from tray_app.core import logs
from tray_app.core.errors import StoreError
from tray_app.system.private_files import make_private_folder, open_private

_NONCE_BYTES = 8
_SIZE = 16


class ChangeMarker:
    """A file of 16 bytes, mapped by its readers: a random nonce, then a cutoff in microseconds of the epoch.

    Records created before the cutoff are dead wherever they still lie: this is how a clear reaches a
    keyring that did not answer at the time. A random nonce needs no lock: whatever two writers leave there,
    it differs from what a reader saw before. Readers take the stamp first and read the store after it, so
    that a change in between shows as a change. Writers write the file instead of the map, because only that
    wakes those who watch it.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._map: mmap.mmap | None = None
        self._mapped: tuple[int, int] | None = None

    def version(self) -> object:
        """Equal to the last one only if nothing changed; without a usable file never equal."""
        mapped = self._current()
        return object() if mapped is None else mapped[:_SIZE]

    def invalidated_before(self) -> int:
        """Microseconds of the epoch; 0 when nothing was ever cleared or written."""
        mapped = self._current()
        return 0 if mapped is None else int.from_bytes(mapped[_NONCE_BYTES:_SIZE], "little")

    def change(self, invalidated_before: int) -> object:
        """Tells everybody, and returns the stamp of just this change.

        Raises nothing, because the token itself is already written.
        """
        content = os.urandom(_NONCE_BYTES) + invalidated_before.to_bytes(8, "little")
        try:
            make_private_folder(os.path.dirname(self.path))
            descriptor = open_private(self.path)
            try:
                os.write(descriptor, content)
            finally:
                os.close(descriptor)
        except (OSError, StoreError) as error:
            logs.warning("The change signal cannot be written (%s)", type(error).__name__)
            return object()
        return content

    def _current(self) -> mmap.mmap | None:
        """The map of the file that lies there now.

        A file that somebody removed would never change again, and reading the map of one that somebody cut
        short would kill the process.
        """
        try:
            found = os.stat(self.path)
        except OSError:
            return self._open()
        intact = (found.st_ino, found.st_dev) == self._mapped and found.st_size >= _SIZE
        return self._map if intact else self._open()

    def _open(self) -> mmap.mmap | None:
        try:
            make_private_folder(os.path.dirname(self.path))
            descriptor = open_private(self.path)
            try:
                found = os.fstat(descriptor)
                if found.st_size < _SIZE:
                    os.ftruncate(descriptor, _SIZE)
                self._mapped = (found.st_ino, found.st_dev)
                self._map = mmap.mmap(descriptor, _SIZE, access=mmap.ACCESS_READ)
            finally:
                os.close(descriptor)
        except (OSError, StoreError, ValueError):
            self._map = self._mapped = None
        return self._map
