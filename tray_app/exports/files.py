"""Files from which other programs on this computer read the token."""

from __future__ import annotations

import contextlib
import time

from tray_app.core.errors import InvalidInput, SettingsError, StoreError
from tray_app.core.language import msg
from tray_app.core.token import clean_token, format_expires_dt, parse_expires_dt
from tray_app.stores.file import FileStore
from tray_app.stores.lock import ThreadLock
from tray_app.system.private_files import delete_leftovers, delete_private, read_private, write_private

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from tray_app.core.secret import Secret
    from tray_app.core.token import Token
    from tray_app.stores.encryption import Cipher

_MAX_BYTES = 65536


class BotFile:
    """A file of `{"token": "…", "expires_dt": "YYYYMMDDHHMMSS"}`, the end in Korean time."""

    setting = "share_bot_file"

    def __init__(self, path: str) -> None:
        self._path = path

    def path(self) -> str:
        return self._path

    def publish(self, token: Token) -> None:
        import json

        content = json.dumps(
            {"token": token.value.reveal(), "expires_dt": format_expires_dt(token.expires_at)}, indent=2
        ).encode()
        if self._read() != content:
            self.check()
            write_private(self._path, content)

    def withdraw(self, token: Token) -> None:
        delete_leftovers(self._path)
        if self._read_token() == token.value.reveal():
            delete_private(self._path)

    def forget(self) -> bool:
        """Also a token that a bot has got by itself. What is no token stays."""
        delete_leftovers(self._path)
        return self._read_token() is not None and delete_private(self._path)

    def holds(self, token: Token) -> bool:
        try:
            return self._read_token() == token.value.reveal()
        except StoreError:
            return False

    def check(self) -> None:
        present = self._read()
        if present and b'"token"' not in present:
            raise StoreError(
                msg("{path} holds something that is not a token, so it is left as it is. Choose another file."),
                path=self._path,
            )

    def rival_of(self, token: Token) -> Secret | None:
        with contextlib.suppress(StoreError, InvalidInput):
            fields, written_at = self._read_fields()
            value = clean_token(str(fields.get("token", "")))
            expires = parse_expires_dt(str(fields.get("expires_dt", "")))
            if value != token.value and written_at > token.created_at.timestamp() and expires.timestamp() > time.time():
                return value
        return None

    def external_token(self) -> Token | None:
        """Nothing: the file does not tell for which keys its token was issued."""
        return None

    def _read(self) -> bytes | None:
        found = read_private(self._path, _MAX_BYTES)
        return None if found is None else found[0]

    def _read_token(self) -> object:
        return self._read_fields()[0].get("token")

    def _read_fields(self) -> tuple[dict[str, object], float]:
        """Return what the file holds, nothing for no JSON object, and when it was written (seconds of the epoch)."""
        import json

        found = read_private(self._path, _MAX_BYTES)
        content, version = found or (b"", (0, 0, 0))
        try:
            fields = json.loads(content.decode("utf-8-sig"))
        except (ValueError, RecursionError):
            fields = None
        return fields if isinstance(fields, dict) else {}, version[0] / 1e9


class TokenFileCopy:
    """A copy in `.token`, in the seed's form, of a token that is stored elsewhere.

    The store that reads the copy as well (`FallbackStore`, `MirroredStore`) finds what a program that knows only the
    file has written over it. A copy that such a program deletes is no clear: the token stays in its store, and the copy
    comes back with the next change.

    With a key in `cipher` nothing is written: a plain copy would make the encryption worthless, and an encrypted
    one helps no program that knows only the file. A copy that was kept before there was a key is then removed,
    unless `is_store` says that the same file is also where the token may rest.
    """

    setting = "share_token_file"

    def __init__(
        self,
        path: str,
        clock: Callable[[], float] = time.time,
        *,
        cipher: Cipher | None = None,
        is_store: bool = True,
    ) -> None:
        self._path = path
        self._file = FileStore(path, ThreadLock(), clock, cipher=cipher)
        self._encrypts = cipher is not None and cipher.has_keys()
        self._is_store = is_store

    def path(self) -> str:
        return self._path

    def publish(self, token: Token) -> None:
        if self._encrypts and not self._is_store:
            self.withdraw(token)
        self.check()
        if self._file.read() != token:
            self._file.write(token)

    def withdraw(self, token: Token) -> None:
        delete_leftovers(self._path)
        present = self._file.read()
        if present is not None and present.value == token.value:
            self._file.clear()

    def forget(self) -> bool:
        return self._file.clear()

    def holds(self, token: Token) -> bool:
        try:
            present = self._file.read()
        except StoreError:
            return False
        return present is not None and present.value == token.value

    def check(self) -> None:
        if self._encrypts:
            raise SettingsError(
                msg("{path} gets no plain copy of a token that is kept encrypted. Switch share_token_file off."),
                path=self._path,
            )

    def rival_of(self, _token: Token) -> Secret | None:
        """Return nothing: the store itself reads what another program writes there."""
        return None

    def external_token(self) -> Token | None:
        """Nothing: the file does not tell for which keys its token was issued."""
        return None
