"""The seed's file: `data/.token`."""

from __future__ import annotations

import contextlib
import time

from tray_app.core import logs
from tray_app.core.decoding import decode_text
from tray_app.core.errors import StoreError
from tray_app.core.secret import without_traceback
from tray_app.core.token import DamagedRecord, Token, decode, encode_seed
from tray_app.stores.base import Place, never_superseded
from tray_app.stores.encryption import Cipher
from tray_app.stores.token_metadata import TokenMetadata
from tray_app.system.atomic_replace import delete_leftovers, delete_private, move_private, write_private
from tray_app.system.private_files import FileVersion, UnreadableFile, read_private, version_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from tray_app.stores.lock import ThreadLock

MAX_BYTES = 65536
"""A token file has some 250 bytes; more is not one."""

_FOLDER_VARIABLE = "KIWOOM_TRAY_DATA_DIR"
_DESCRIBED = ("issued_for", "expires_at", "created_at")
"""The fields of the metadata that describe the token better than the seed's keys do."""

_EDITOR_PAUSE_SECONDS = 0.05
"""An editor that writes in place leaves the file empty for a moment: read it again before treating it as damaged."""


class FileStore:
    """A token in a private file of JSON with the seed's three keys, encrypted if there is a key.

    With its metadata beside it the file means the same in every time zone. A file of another program has none: its
    times are taken as the reader's local time unless `tray_app.core.writer_zone` finds another zone.
    """

    announces = False
    is_superseded = never_superseded

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
        self._expiring_path = path + ".ending"
        self._metadata = TokenMetadata(path)
        self._clock = clock
        self._cipher = cipher or Cipher()
        self._seen: tuple[Token, FileVersion] | None = None
        self.read_quick = self.read

    def version(self) -> object:
        return version_of(self._path)

    def announcing(self) -> contextlib.AbstractContextManager[None]:
        """Announce nothing: the version is the file's own, which other programs write too."""
        return contextlib.nullcontext()

    def read(self) -> Token | None:
        for last in (False, True):
            found = self._load(self._path)
            if found is None:
                return None
            token, problem, version = found
            if token is not None:
                self._seen = (token, version)
                return token
            if last:
                logs.error("Failed to parse token file (%s)", problem)
                _unless_replaced(self._path, version, self._delete)
            else:
                time.sleep(_EDITOR_PAUSE_SECONDS)
        return None

    def peek(self) -> Token | None:
        """Return the token in the file, and leave the file as it is, also a damaged one. Raises `StoreError`."""
        found = self._load(self._path)
        return None if found is None else found[0]

    def read_expiring(self) -> Token | None:
        try:
            found = self._load(self._expiring_path)
        except UnreadableFile as error:
            logs.warning("%s", error)
            return None
        token = None if found is None else found[0]
        return token if token is not None and token.is_unexpired(self._clock()) else None

    def write(self, token: Token) -> object:
        """Write the token; refuse, as `read` does, where there is an encrypted token that no key here opens."""
        present, expiring = version_of(self._path), version_of(self._expiring_path)
        try:
            if present is not None and (self._seen is None or self._seen[1] != present):
                self._check_openable(self._path)
            if expiring is not None:
                self._check_openable(self._expiring_path)
            version = self._replace(token, present)
        except StoreError as error:
            without_traceback(error)  # which holds the content
            failure = error
        else:
            if expiring is not None:
                try:
                    delete_private(self._expiring_path)
                except StoreError as error:
                    logs.warning("%s", error)
            self._seen = (token, version)
            if logs.is_enabled(logs.INFO):
                logs.info("Token saved to file (expires at %s)", expiry_for_log(token))
            return version
        raise failure

    def wants_rewriting(self) -> bool:
        found = read_private(self._path, MAX_BYTES) if self._cipher.has_keys() else None
        return found is not None and not self._cipher.is_current(found[0])

    def clear(self) -> bool:
        """Delete the token, and what killed writers left. Everything is tried before the first `StoreError` is
        raised; a token that stays keeps its metadata, which tell its account and its zone."""
        found = False
        failure: StoreError | None = None
        for path in (self._path, self._expiring_path):
            try:
                found |= self._delete() if path == self._path else delete_private(path)
            except StoreError as error:
                failure = failure or error
            delete_leftovers(path)
        if failure is not None:
            raise failure
        self._metadata.delete()
        return found

    def expire_soft(self, token: Token) -> bool:
        if self._seen is None or self._seen[0] != token:
            return False
        act = self._set_aside if token.is_unexpired(self._clock()) else self._forget
        return _unless_replaced(self._path, self._seen[1], act)

    def check(self) -> None:
        """Do nothing: a file is read at every use."""

    def place(self) -> Place:
        return Place("file", self._path)

    def watch_paths(self) -> list[str]:
        return [self._path]

    def is_own_write(self) -> bool:
        """Return True if the file was written by this program and nobody has written it since; also without a file."""
        found = read_private(self._path, MAX_BYTES)
        return found is None or self._metadata.of(*found) is not None

    def adopt(self, token: Token) -> None:
        """Treat the file as written by this program from now on, if it holds this token. The lock must be held."""
        found = read_private(self._path, MAX_BYTES)
        if found is not None and self._seen == (token, found[1]):
            self._metadata.write(token, *found)

    def _load(self, path: str) -> tuple[Token | None, str, FileVersion] | None:
        """Return the token in the file, or what is wrong with it, and the file's version; None without a file.

        What is wrong is returned and not raised, because a traceback would contain the file's content.
        """
        found = read_private(path, MAX_BYTES)
        if found is None:
            return None
        content, version = found
        try:
            return self._decode(self._cipher.open(content, path), content, version), "", version
        except DamagedRecord as error:
            return None, str(error), version

    def _replace(self, token: Token, present: FileVersion | None) -> FileVersion:
        content = self._cipher.seal(encode_seed(token))
        failures: list[StoreError] = []

        def announce(version: FileVersion) -> None:
            """Write the metadata before the file is in place, so that nobody takes its times for local ones."""
            try:
                self._metadata.write(token, content, version, present)
            except StoreError as error:
                failures.append(error)

        version = write_private(self._path, content, announce, variable=_FOLDER_VARIABLE)
        if failures:
            logs.warning("The token file's metadata is not written (%s)", failures[0])
        return version

    def _check_openable(self, path: str) -> None:
        """Raise `EncryptionKeyUnusable` for a token that no key here opens."""
        try:
            found = read_private(path, MAX_BYTES)
        except UnreadableFile:
            return  # the write itself reports better what is wrong there
        if found is not None:
            self._cipher.open(found[0], path)

    def _decode(self, plain: bytes, content: bytes, version: FileVersion) -> Token:
        """Return the record, with the metadata's fields if they describe just this file."""
        metadata = self._metadata.of(content, version)
        if metadata is not None:
            with contextlib.suppress(DamagedRecord):
                return _decode(plain, {name: str(metadata[name]) for name in _DESCRIBED if name in metadata})
        return _decode(plain, written_at=version[0] / 1e9)

    def _set_aside(self) -> None:
        move_private(self._path, self._expiring_path)
        logs.debug("Token file deleted")

    def _forget(self) -> None:
        self._delete()
        self._metadata.delete()

    def _delete(self) -> bool:
        deleted = delete_private(self._path)
        if deleted:
            logs.debug("Token file deleted")
        return deleted


def expiry_for_log(token: Token) -> str:
    """Return when the token expires in local time, as the seed's log lines show it."""
    return token.expires_at.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _unless_replaced(path: str, version: FileVersion, act: Callable[[], object]) -> bool:
    """Call `act` unless the file has been replaced since that version. Return whether it was called."""
    if version_of(path) != version:
        return False
    act()
    return True


def _decode(content: bytes, known: dict[str, str] | None = None, written_at: float | None = None) -> Token:
    if len(content) > MAX_BYTES:
        raise DamagedRecord("too large")
    try:
        return decode(decode_text(content), known, written_at)
    except UnicodeDecodeError:
        raise DamagedRecord("not text") from None
