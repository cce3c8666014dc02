"""A few bytes that change whenever a token changes: cheap to compare, seen by every process at once."""

from __future__ import annotations

import mmap
import os

from tray_app.core import logs
from tray_app.core.errors import StoreError
from tray_app.stores.files import make_private_folder

_BINARY = getattr(os, "O_BINARY", 0)
_NONCE_BYTES = 8
_SIZE = 16


class ChangeSignal:
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

    def stamp(self) -> object:
        """Equal to the last one only if nothing changed; without a usable file never equal."""
        if self._map is None and not self._open():
            return object()
        return self._map[:_SIZE]  # type: ignore[index]

    def cutoff(self) -> int:
        """Microseconds of the epoch; 0 when nothing was ever cleared or written."""
        if self._map is None and not self._open():
            return 0
        return int.from_bytes(self._map[_NONCE_BYTES:_SIZE], "little")  # type: ignore[index]

    def change(self, cutoff: int) -> None:
        """Tells everybody; raises nothing, because the token itself is already written."""
        try:
            make_private_folder(os.path.dirname(self.path))
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | _BINARY, 0o600)
            try:
                os.write(descriptor, os.urandom(_NONCE_BYTES) + cutoff.to_bytes(8, "little"))
            finally:
                os.close(descriptor)
        except (OSError, StoreError) as error:
            logs.warning("The change signal cannot be written (%s)", type(error).__name__)

    def _open(self) -> bool:
        try:
            make_private_folder(os.path.dirname(self.path))
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | _BINARY, 0o600)
            try:
                if os.fstat(descriptor).st_size < _SIZE:
                    os.ftruncate(descriptor, _SIZE)
                self._map = mmap.mmap(descriptor, _SIZE, access=mmap.ACCESS_READ)
            finally:
                os.close(descriptor)
        except (OSError, StoreError, ValueError):
            return False
        return True
