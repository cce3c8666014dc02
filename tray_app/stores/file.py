"""The seed's file: `data/.token`."""

from __future__ import annotations

import contextlib
import time

from tray_app.core import logs
from tray_app.core.digest import sha256_hex
from tray_app.core.errors import StoreError
from tray_app.core.token import DamagedRecord, Token, decode, encode_seed
from tray_app.stores.base import Place
from tray_app.stores.encryption import Cipher, is_sealed
from tray_app.system.private_files import (
    FileVersion,
    UnreadableFile,
    delete_private,
    move_private,
    read_private,
    version_of,
    write_private,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from tray_app.stores.lock import ThreadLock

MAX_BYTES = 65536
"""A token file has some 250 bytes; more is not one."""

_NOTED = ("issued_for", "expires_at", "created_at")

_EDITOR_PAUSE_SECONDS = 0.05
"""An editor that writes in place leaves the file empty for a moment; look again before calling it damaged."""


class FileStore:
    """A token in a private file of JSON with the seed's three keys, encrypted where there is a key.

    Beside it, in `.owner`, it notes each writing of its own: what the token was issued for and its times with their
    zone, which the seed's keys have no place for, so that the file means the same where the local time is another. What
    another program wrote there has no note: its times are local, as the seed's.
    """

    def __init__(
        self,
        path: str,
        lock: ThreadLock,
        clock: Callable[[], float] = time.time,
        *,
        cipher: Cipher | None = None,
    ) -> None:
        self.lock = lock
        self._path = path
        self._ending = path + ".ending"
        self._owner = path + ".owner"
        self._clock = clock
        self._cipher = cipher or Cipher()
        self._seen: tuple[Token, FileVersion] | None = None

    def version(self) -> object:
        return version_of(self._path)

    def read(self) -> Token | None:
        for last in (False, True):
            found = read_private(self._path, MAX_BYTES)
            if found is None:
                return None
            content, version = found
            try:
                token = self._decode(self._cipher.open(content, self._path), content, version)
            except DamagedRecord as error:
                if not last:
                    time.sleep(_EDITOR_PAUSE_SECONDS)
                    continue
                logs.error("Failed to parse token file (%s)", error)
                self._take_away(version, self._delete)
                return None
            self._seen = (token, version)
            return token
        return None

    def read_quick(self) -> Token | None:
        return self.read()

    def read_expiring(self) -> Token | None:
        found = read_private(self._ending, MAX_BYTES)
        if found is None:
            return None
        try:
            token = self._decode(self._cipher.open(found[0], self._ending), *found)
        except DamagedRecord:
            return None
        return token if token.lives(self._clock()) else None

    def write(self, token: Token) -> object:
        """Refuses, as `read` does, where an encrypted token lies that no key here opens."""
        self._check_key()
        content = self._cipher.seal(encode_seed(token))
        failed: list[StoreError] = []

        def note(version: FileVersion) -> None:
            """Before the file is there, so that nobody takes it for one of local time."""
            try:
                self._note(token, content, version)
            except StoreError as error:
                failed.append(error)

        version = write_private(self._path, content, note)
        delete_private(self._ending)
        if failed:
            logs.warning("Not noted what the token was issued for (%s)", failed[0])
        self._seen = (token, version)
        logs.info("Token saved to file (expires at %s)", local_time(token))
        return version

    def wants_rewriting(self) -> bool:
        found = read_private(self._path, MAX_BYTES) if self._cipher.has_keys() else None
        return found is not None and not self._cipher.is_current(found[0])

    def clear(self) -> bool:
        ended = delete_private(self._ending)
        return self._forget() or ended

    def expire_soft(self, token: Token) -> bool:
        if self._seen is None or self._seen[0] != token:
            return False
        return self._take_away(self._seen[1], self._set_aside if token.lives(self._clock()) else self._forget)

    def check(self) -> None:
        """A file is asked at every use."""

    def place(self) -> Place:
        return Place("file", self._path)

    def watch_paths(self) -> list[str]:
        return [self._path]

    def is_as_written(self) -> bool:
        """Whether nobody else has written the file, as far as the note of the last writing tells; or there is none."""
        found = read_private(self._path, MAX_BYTES)
        return found is None or self._noted(*found) is not None

    def note_as_written(self, token: Token) -> None:
        """From now on what lies there counts as written by this program, if it is this token. Wants the lock held."""
        found = read_private(self._path, MAX_BYTES)
        if found is not None and self._seen == (token, found[1]):
            self._note(token, *found)

    def _take_away(self, version: FileVersion, act: Callable[[], object]) -> bool:
        """Only what was judged is taken away: whatever replaced it meanwhile stays."""
        if version_of(self._path) != version:
            return False
        act()
        return True

    def _check_key(self) -> None:
        for path in (self._path, self._ending):
            try:
                found = read_private(path, MAX_BYTES)
            except UnreadableFile:
                continue  # writing says better what is wrong there
            if found is not None and is_sealed(found[0]):
                self._cipher.open(found[0], path)

    def _note(self, token: Token, content: bytes, version: FileVersion) -> None:
        """Keeps the note of the file that still lies there, until the one that this is about has taken its place."""
        import json

        note: dict[str, object] = {
            "stamp": version,
            "content": sha256_hex(content),
            "issued_for": token.issued_for,
            "expires_at": token.expires_at.isoformat(),
            "created_at": token.created_at.isoformat(),
        }
        with contextlib.suppress(UnreadableFile):
            present = read_private(self._path, MAX_BYTES)
            before = None if present is None or present[1] == version else self._noted(*present)
            if before is not None:
                note["before"] = {name: value for name, value in before.items() if name != "before"}
        write_private(self._owner, json.dumps(note).encode())

    def _decode(self, plain: bytes, content: bytes, version: FileVersion) -> Token:
        """With what the note says, if it is about just this file and not about one that replaced it."""
        note = self._noted(content, version)
        if note is not None:
            with contextlib.suppress(DamagedRecord):
                return _decode(plain, {name: str(note[name]) for name in _NOTED if name in note})
        return _decode(plain)

    def _noted(self, content: bytes, version: FileVersion) -> dict[str, Any] | None:
        """The note about the file with that content, or that stamp, which is told faster: a copy of the folder has
        other stamps, and so has the same folder as a container sees it. None when there is none."""
        try:
            found = read_private(self._owner, MAX_BYTES)
        except UnreadableFile:
            return None
        if found is None:
            return None
        import json

        try:
            note = json.loads(found[0])
            for one in (note, note.get("before") or {}):
                if "issued_for" in one and (
                    tuple(one["stamp"]) == version or one.get("content") == sha256_hex(content)
                ):
                    return one
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            pass
        return None

    def _set_aside(self) -> None:
        move_private(self._path, self._ending)
        logs.debug("Token file deleted")

    def _forget(self) -> bool:
        deleted = self._delete()
        delete_private(self._owner)
        return deleted

    def _delete(self) -> bool:
        deleted = delete_private(self._path)
        if deleted:
            logs.debug("Token file deleted")
        return deleted


def local_time(token: Token) -> str:
    """The end in local time, as the seed's log lines show it."""
    return token.expires_at.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _decode(content: bytes, known: dict[str, str] | None = None) -> Token:
    if len(content) > MAX_BYTES:
        raise DamagedRecord("too large")
    try:
        return decode(content.decode("utf-8-sig"), known)
    except UnicodeDecodeError:
        raise DamagedRecord("not UTF-8") from None
