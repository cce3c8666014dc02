"""What the seed's token file has no place for: the account of its token, and its times with their zone."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import time

from tray_app.core import logs
from tray_app.core.errors import StoreError
from tray_app.core.lean import load_json, sha256
from tray_app.system.atomic_replace import delete_leftovers, delete_private, write_private
from tray_app.system.private_files import (
    TORN_PAUSES_SECONDS,
    FileVersion,
    UnreadableFile,
    open_private,
    overwrite,
    read_private,
    version_from,
    version_of,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tray_app.core.token import Token

_MAX_BYTES = 65536
_SIZE = 1024
"""The file is padded to this many bytes, so that a later write needs no room on the disk."""

_BEGINNING = b'{"check": "'
_CHECK_DIGITS = 16


class TokenMetadata:
    """The file `.token.owner`, which describes the last two writes of the token file by this program.

    Both, because it is written just before the new token file is in place. It belongs to a token file of the same
    version or the same content; a file of another program has no metadata.

    It is overwritten in place: a second file to be renamed would cost almost as much as the token's own. It begins
    with a checksum of the rest, by which a reader tells that it was read in halves. After a loss of power the token is
    read without it.
    """

    def __init__(self, token_path: str) -> None:
        self._token_path = token_path
        self._path = token_path + ".owner"
        self._read: tuple[FileVersion | None, dict[str, Any]] | None = None

    def of(self, content: bytes, version: FileVersion) -> dict[str, Any] | None:
        """Return the metadata of the token file with that version or that content, or None without any.

        The version is compared first, which is quicker. It differs in a copy of the folder, and in the same folder seen
        from a container.
        """
        for one in self._last_two():
            if tuple(one["stamp"]) == version or one.get("content") == _digest(content):
                return one
        return None

    def write(self, token: Token, content: bytes, version: FileVersion, present: FileVersion | None = None) -> None:
        """Describe a write of `token`: the file's content and version. `present` is the version it is about to replace.

        The names of the fields are those that earlier versions of this program read and write. Raises `StoreError`.
        """
        metadata: dict[str, Any] = {
            "stamp": version,
            "content": _digest(content),
            "issued_for": token.issued_for,
            "expires_at": token.expires_at.isoformat(),
            "created_at": token.created_at.isoformat(),
        }
        before = None if present is None else self._of_present(present)
        if before is not None:
            metadata["before"] = {name: value for name, value in before.items() if name not in {"before", "check"}}
        encoded = _encode(metadata)
        try:
            descriptor = open_private(self._path)
            try:
                _check_rights(descriptor)
                overwrite(self._path, descriptor, encoded, _MAX_BYTES)
                self._read = version_from(os.fstat(descriptor)), metadata  # what the next read would find
            finally:
                os.close(descriptor)
        except OSError:  # no private file of ours
            write_private(self._path, encoded, survives_power_cut=False)

    def delete(self) -> None:
        """Delete the file. A failure is only logged, because there is no token in it."""
        try:
            delete_private(self._path)
        except StoreError as error:
            logs.warning("%s", error)
        delete_leftovers(self._path)

    def _of_present(self, version: FileVersion) -> dict[str, Any] | None:
        """Return the metadata of the token file in place. Its content is read only if it has neither version, as in a
        folder that was copied, or after another program wrote it."""
        for one in self._last_two():
            if tuple(one["stamp"]) == version:
                return one
        try:
            found = read_private(self._token_path, _MAX_BYTES)
        except UnreadableFile:
            return None
        return None if found is None else self.of(*found)

    def _last_two(self) -> list[dict[str, Any]]:
        """Return what is known of the last two writes, the later one first."""
        last = self._load()
        both = (last, last.get("before"))
        return [
            one
            for one in both
            if isinstance(one, dict) and "issued_for" in one and isinstance(one.get("stamp"), (list, tuple))
        ]

    def _load(self) -> dict[str, Any]:
        """Return the file's content, empty if there is none or it is damaged."""
        version = version_of(self._path)
        if self._read is None or self._read[0] != version:
            self._read = self._read_anew()
        return self._read[1]

    def _read_anew(self) -> tuple[FileVersion | None, dict[str, Any]]:
        version = None
        for pause in TORN_PAUSES_SECONDS:
            if pause:
                time.sleep(pause)
            try:
                found = read_private(self._path, _MAX_BYTES)
            except UnreadableFile:
                return None, {}
            if found is None:
                return None, {}
            content, version = found
            with contextlib.suppress(ValueError, RecursionError):
                if _is_whole(content):
                    metadata = load_json(content)
                    return version, metadata if isinstance(metadata, dict) else {}
        return version, {}


def _check_rights(descriptor: int) -> None:
    if sys.platform != "win32" and os.fstat(descriptor).st_mode & 0o077:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))


def _encode(metadata: dict[str, Any]) -> bytes:
    import json

    rest = b'", ' + json.dumps(metadata)[1:].encode()
    return (_BEGINNING + _checksum(rest) + rest).ljust(_SIZE)


def _is_whole(content: bytes) -> bool:
    """Return False for what is damaged, or was read while it was written. Earlier versions wrote no checksum."""
    check, rest = content[len(_BEGINNING) :][:_CHECK_DIGITS], content[len(_BEGINNING) + _CHECK_DIGITS :].rstrip()
    return not content.startswith(_BEGINNING) or check == _checksum(rest)


def _checksum(content: bytes) -> bytes:
    return _digest(content)[:_CHECK_DIGITS].encode()


def _digest(content: bytes) -> str:
    return sha256(content).hexdigest()
