"""Files from which other programs on this computer read the token."""

from __future__ import annotations

import contextlib
import time

from tray_app.core.decoding import decode_text
from tray_app.core.errors import InvalidInput, SettingsError, StoreError
from tray_app.core.language import msg
from tray_app.core.secret import Secret
from tray_app.core.token import clean_token, format_expires_dt, parse_expires_dt
from tray_app.stores.file import FileStore
from tray_app.stores.lock import ThreadLock
from tray_app.system.atomic_replace import delete_leftovers, delete_private, write_private
from tray_app.system.private_files import check_private, read_private, reason_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from tray_app.core.token import Token
    from tray_app.stores.encryption import Cipher

_MAX_BYTES = 65536
_FIELDS = {"token", "expires_dt"}


class BotFile:
    """A file of `{"token": "…", "expires_dt": "YYYYMMDDHHMMSS"}`, the expiry in Korean time.

    Only a file that has just these two fields, or an empty one, is ever replaced or deleted. Any other is another
    program's, whose configuration may well have a token among its fields.
    """

    name = "share_bot_file"

    def __init__(self, path: str, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._clock = clock

    def path(self) -> str:
        return self._path

    def publish(self, token: Token) -> None:
        import json

        content = json.dumps(
            {"token": token.value.reveal(), "expires_dt": format_expires_dt(token.expires_at)}, indent=2
        ).encode()
        self.check()
        if self._read()[0] != content:
            write_private(self._path, content)

    def withdraw(self, fingerprints: Collection[str]) -> None:
        delete_leftovers(self._path)
        if Secret(str(self._own_fields().get("token"))).fingerprint() in fingerprints:
            self._delete()

    def forget(self) -> bool:
        """Remove the token, also one that a bot has issued by itself. Anything else stays."""
        delete_leftovers(self._path)
        return self._own_fields().get("token") is not None and self._delete()

    def holds(self, token: Token) -> bool:
        try:
            return self._own_fields().get("token") == token.value.reveal()
        except StoreError:
            return False

    def check(self) -> None:
        """Raise `StoreError` for a link, for what is no file, and for a file with anything else in it."""
        try:
            check_private(self._path)
        except OSError as error:
            raise StoreError(
                msg("{path} cannot be the file for bots ({reason}). Choose another file."),
                path=self._path,
                reason=reason_of(error),
            ) from None
        content = self._read()[0]
        if not content or _fields_in(content):
            return
        raise StoreError(
            msg("{path} belongs to another program, so it is left as it is. Choose another file.")
            if b'"token"' in content
            else msg("{path} contains something that is not a token, so it is left as it is. Choose another file."),
            path=self._path,
        )

    def rivals_of(self, token: Token) -> tuple[str, ...]:
        with contextlib.suppress(StoreError, InvalidInput):
            content, written_at = self._read()
            fields = _fields_in(content)
            value = clean_token(str(fields.get("token", "")))
            expires = parse_expires_dt(str(fields.get("expires_dt", "")))
            is_newer = written_at > token.created_at.timestamp()
            if value != token.value and is_newer and expires.timestamp() > self._clock():
                return (value.fingerprint(),)
        return ()

    def watch_paths(self) -> list[str]:
        return [self._path]

    def external_token(self) -> Token | None:
        """Return None: the file does not say for which keys its token was issued."""
        return None

    def _delete(self) -> bool:
        self.check()
        return delete_private(self._path)

    def _read(self) -> tuple[bytes, float]:
        """Return what the file holds, nothing without one, and when it was written (seconds of the epoch)."""
        content, version = read_private(self._path, _MAX_BYTES) or (b"", (0, 0, 0))
        return content.strip(), version[0] / 1e9

    def _own_fields(self) -> dict[str, object]:
        return _fields_in(self._read()[0])


def _fields_in(content: bytes) -> dict[str, object]:
    """Return the two fields of a file that has just these, with a text, a number or nothing in each; empty for any
    other."""
    import json

    try:
        fields = json.loads(decode_text(content))
    except (ValueError, RecursionError):
        return {}
    if not isinstance(fields, dict) or fields.keys() != _FIELDS:
        return {}
    return {} if any(isinstance(one, (dict, list)) for one in fields.values()) else fields


class TokenFileCopy:
    """A copy in `.token`, in the seed's format, of a token that is stored elsewhere.

    The store that also reads the copy (`FallbackStore`, `MirroredStore`) finds what a program that knows only the file
    has written over it. If such a program deletes the copy, the token stays in its store, and the copy is written again
    with the next change.

    With a key in `cipher` nothing is written: a plain copy would make the encryption worthless, and an encrypted one is
    no use to a program that knows only the file. A plain copy of the same token, from before there was a key, is then
    removed, unless `is_store` says that the token itself may be stored in that file.
    """

    name = "share_token_file"

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
            self.withdraw({token.value.fingerprint()})
        self.check()
        if self._file.read() != token:
            self._file.write(token)

    def withdraw(self, fingerprints: Collection[str]) -> None:
        delete_leftovers(self._path)
        present = self._file.read()
        if present is not None and present.value.fingerprint() in fingerprints:
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
                msg(
                    "A token that is stored encrypted is not copied to {path} in plain text. Switch share_token_file "
                    "off."
                ),
                path=self._path,
            )

    def rivals_of(self, _token: Token) -> tuple[str, ...]:
        """Return none: the store itself reads what another program writes there."""
        return ()

    def watch_paths(self) -> list[str]:
        return []

    def external_token(self) -> Token | None:
        """Return None: the file does not say for which keys its token was issued."""
        return None
