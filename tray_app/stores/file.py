"""The seed's file: `data/.token`."""

from __future__ import annotations

import time

from tray_app.core import logs
from tray_app.core.errors import StoreError
from tray_app.core.token import DamagedRecord, Token, decode, encode_seed
from tray_app.stores.base import Place
from tray_app.stores.encryption import Cipher, is_sealed
from tray_app.stores.files import (
    Stamp,
    UnreadableFile,
    delete_private,
    move_private,
    read_private,
    stamp_of,
    write_private,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from tray_app.stores.lock import ThreadLock

MAX_BYTES = 65536
"""A token file has some 250 bytes; more is not one."""

_EDITOR_PAUSE_SECONDS = 0.05
"""An editor that writes in place leaves the file empty for a moment; look again before calling it damaged."""


class FileStore:
    """A token in a private file of JSON with the seed's three keys, encrypted where there is a key.

    With `is_copy` it notes each writing of its own, so that what another program wrote there can be told apart.
    """

    def __init__(
        self,
        path: str,
        lock: ThreadLock,
        clock: Callable[[], float] = time.time,
        *,
        cipher: Cipher | None = None,
        is_copy: bool = False,
    ) -> None:
        self.lock = lock
        self._is_copy = is_copy
        self._path = path
        self._ending = path + ".ending"
        self._owner = path + ".owner"
        self._clock = clock
        self._cipher = cipher or Cipher()
        self._seen: tuple[Token, Stamp] | None = None

    def stamp(self) -> object:
        return stamp_of(self._path)

    def read(self) -> Token | None:
        for last in (False, True):
            found = read_private(self._path, MAX_BYTES)
            if found is None:
                return None
            content, stamp = found
            try:
                token = _decode(self._cipher.open(content, self._path))
            except DamagedRecord as error:
                if not last:
                    time.sleep(_EDITOR_PAUSE_SECONDS)
                    continue
                logs.error("Failed to parse token file (%s)", error)
                self._take_away(stamp, self._delete)
                return None
            self._seen = (token, stamp)
            return self._bound(token, stamp)
        return None

    def read_quick(self) -> Token | None:
        return self.read()

    def read_ending(self) -> Token | None:
        found = read_private(self._ending, MAX_BYTES)
        if found is None:
            return None
        try:
            token = _decode(self._cipher.open(found[0], self._ending))
        except DamagedRecord:
            return None
        return self._bound(token, found[1]) if token.lives(self._clock()) else None

    def write(self, token: Token) -> object:
        """Refuses, as `read` does, where an encrypted token lies that no key here opens."""
        self._check_key()
        stamp = write_private(self._path, self._cipher.seal(encode_seed(token)))
        delete_private(self._ending)
        self._note_owner(token, stamp)
        self._seen = (token, stamp)
        logs.info("Token saved to file (expires at %s)", local_time(token))
        return stamp

    def clear(self) -> bool:
        ended = delete_private(self._ending)
        delete_private(self._owner)
        return self._delete() or ended

    def retire(self, token: Token) -> bool:
        if self._seen is None or self._seen[0] != token:
            return False
        return self._take_away(self._seen[1], self._set_aside if token.lives(self._clock()) else self._delete)

    def check(self) -> None:
        """A file is asked at every use."""

    def place(self) -> Place:
        return Place("file", self._path)

    def watched(self) -> list[str]:
        return [self._path]

    def is_as_written(self) -> bool:
        """Whether nobody else has written the file, as far as the note of the last writing tells; or there is none."""
        stamp = stamp_of(self._path)
        return stamp is None or self._noted_owner(stamp) is not None

    def note_as_written(self, token: Token) -> None:
        """From now on what lies there counts as written by this program, if it is this token. Wants the lock held."""
        if self._seen is not None and self._seen[0] == token:
            self._note_owner(token, self._seen[1])

    def _take_away(self, stamp: Stamp, act: Callable[[], object]) -> bool:
        """Only what was judged is taken away: whatever replaced it meanwhile stays."""
        if stamp_of(self._path) != stamp:
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

    def _note_owner(self, token: Token, stamp: Stamp) -> None:
        """What the token was issued for has no place in the seed's three keys: it stands beside them."""
        if not token.issued_for and not self._is_copy:
            delete_private(self._owner)
            return
        import json

        note = {"stamp": stamp, "issued_for": token.issued_for}
        try:
            write_private(self._owner, json.dumps(note).encode())
        except StoreError as error:
            logs.warning("Not noted what the token was issued for (%s)", type(error).__name__)

    def _bound(self, token: Token, stamp: Stamp) -> Token:
        """With what it was issued for, if the note is about just this file and not about one that replaced it."""
        owner = self._noted_owner(stamp)
        return token.bound_to(owner) if owner else token

    def _noted_owner(self, stamp: Stamp) -> str | None:
        """What the token in the file with that stamp was issued for; None when the note is about another file."""
        try:
            found = read_private(self._owner, MAX_BYTES)
        except UnreadableFile:
            return None
        if found is None:
            return None
        import json

        try:
            note = json.loads(found[0])
            return str(note["issued_for"]) if tuple(note["stamp"]) == stamp else None
        except (ValueError, TypeError, KeyError, RecursionError):
            return None

    def _set_aside(self) -> None:
        move_private(self._path, self._ending)
        logs.debug("Token file deleted")

    def _delete(self) -> bool:
        deleted = delete_private(self._path)
        if deleted:
            logs.debug("Token file deleted")
        return deleted


def local_time(token: Token) -> str:
    """The end in local time, as the seed's log lines show it."""
    return token.expires_at.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _decode(content: bytes) -> Token:
    if len(content) > MAX_BYTES:
        raise DamagedRecord("too large")
    try:
        return decode(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise DamagedRecord("not UTF-8") from None
