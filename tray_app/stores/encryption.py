"""Encryption of a token in a file or in Redis.

Fernet of the package `cryptography` (AES-128-CBC with HMAC-SHA256). The first key encrypts and all of them
decrypt, so a key is replaced by putting a new one before it and dropping the old one after the next write or refresh.
"""

from __future__ import annotations

import os
import sys

from tray_app.core.errors import EncryptionKeyUnusable, Remedy
from tray_app.core.language import msg
from tray_app.core.profile import DEFAULT, command_line
from tray_app.core.secret import Secret
from tray_app.system.private_files import read_regular, reason_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cryptography.fernet import Fernet, MultiFernet

_MAX_KEY_FILE_BYTES = 65536
_SEALED = b"gAAAAA"
"""How every Fernet text begins until the year 2106: the version byte and the high bytes of the time."""


def is_sealed(content: bytes) -> bool:
    """Return True if this looks like an encrypted text."""
    return content.lstrip().startswith(_SEALED)


class Cipher:
    """The keys of one store. Without keys it writes plain text, and refuses to read what is encrypted.

    `keys` is the value of `KIWOOM_TRAY_ENCRYPTION_KEY` and takes precedence over `key_file`, which is read at the first
    use, and again when a text cannot be decrypted, so that a running program learns of a new key. `profile` is whose
    token it is, for the command that an error suggests.
    """

    def __init__(self, keys: Secret | None = None, key_file: str | None = None, profile: str = DEFAULT) -> None:
        self._keys = keys
        self._key_file = None if keys is not None else key_file
        self._fernet: MultiFernet | None = None
        self._first: Fernet
        self._clear_command = command_line("clear", profile)

    def has_keys(self) -> bool:
        """Return True if what is written is encrypted. Reads no key file."""
        return self._keys is not None or self._key_file is not None

    def seal(self, text: str) -> bytes:
        """Return `text` encrypted with the first key, or as it is without one. Raises `EncryptionKeyUnusable`."""
        if not self.has_keys():
            return text.encode()
        return self._opened().encrypt(text.encode())

    def open(self, content: bytes, where: str) -> bytes:
        """Return what was sealed; a plain text is returned as it is. `where` names the place in an error.

        Raises `EncryptionKeyUnusable` when there is no key, or none that fits: a wrong key looks the same as a damaged
        text, so nothing may be deleted then.
        """
        if not is_sealed(content):
            return content
        if not self.has_keys():
            raise EncryptionKeyUnusable(
                msg(
                    "The token in {where} is encrypted and there is no key. Set KIWOOM_TRAY_ENCRYPTION_KEY, "
                    "or remove the token with: {command}"
                ),
                where=where,
                command=self._clear_command,
            )
        fernet = self._opened()
        from cryptography.fernet import InvalidToken

        for attempt in (fernet, None):
            try:
                return (attempt or self._reopened()).decrypt(content.strip())
            except InvalidToken:
                continue
        raise EncryptionKeyUnusable(
            msg(
                "The token in {where} is encrypted with another key. Add that key after a comma to "
                "KIWOOM_TRAY_ENCRYPTION_KEY, or remove the token with: {command}"
            ),
            where=where,
            command=self._clear_command,
        )

    def is_current(self, content: bytes) -> bool:
        """Return True if `content` is encrypted with the first of the keys, as `seal` would do it now. Raises
        `EncryptionKeyUnusable`, also without keys."""
        if not is_sealed(content):
            return False
        self._reopened()
        from cryptography.fernet import InvalidToken

        try:
            self._first.decrypt(content.strip())
        except InvalidToken:
            return False
        return True

    def _opened(self) -> MultiFernet:
        return self._fernet or self._reopened()

    def _reopened(self) -> MultiFernet:
        if self._fernet is not None and self._key_file is None:
            return self._fernet
        self._first, self._fernet = _fernets_of(self._keys or read_key_file(self._key_file or ""))
        return self._fernet


def check_key_file(path: str) -> None:
    """Raise `EncryptionKeyUnusable` unless the file has keys that can be used here."""
    _fernets_of(read_key_file(path))


def read_key_file(path: str) -> Secret:
    """Return the keys in a file that only its owner can read. Raises `EncryptionKeyUnusable`."""
    try:
        content, found = read_regular(path, _MAX_KEY_FILE_BYTES)
    except OSError as error:
        raise EncryptionKeyUnusable(
            msg("The key file {path} cannot be read ({reason})."),
            remedy=Remedy.SHOW_FILE,
            path=path,
            reason=reason_of(error),
        ) from None
    if sys.platform != "win32" and (found.st_mode & 0o077 or found.st_uid not in {0, os.geteuid()}):
        raise EncryptionKeyUnusable(
            msg("The key file {path} is open to other users. Make it yours alone: chmod 600 {path}"),
            remedy=Remedy.SHOW_FILE,
            path=path,
        )
    from tray_app.settings.document import decode

    try:
        return Secret(decode(content))
    except UnicodeDecodeError:
        return Secret("")  # which is no key


def _fernets_of(keys: Secret) -> tuple[Fernet, MultiFernet]:
    """Return the key that encrypts, and all of them."""
    try:
        from cryptography.fernet import Fernet, MultiFernet
    except ImportError:
        from tray_app.system.extras import install_command

        raise EncryptionKeyUnusable(
            msg("Encryption needs the package cryptography. Install it: {command}"),
            command=install_command("encryption"),
        ) from None
    try:
        fernets = [Fernet(one) for one in keys.reveal().replace(",", " ").split()]
        every = MultiFernet(fernets)  # raises without any key
        return fernets[0], every
    except ValueError:
        raise EncryptionKeyUnusable(
            msg(
                "The encryption key is not a Fernet key. Make one with: "
                'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'
            )
        ) from None
