"""The app key and secret of an account, kept where Kiwoom's own `kiwoomcli` keeps them."""

from __future__ import annotations

from tray_app.core.errors import InvalidInput
from tray_app.core.secret import Secret

_MAX_CHARACTERS = 512


class AppKeys:
    """An app key and its secret. Neither shows in a repr."""

    __slots__ = ("app_key", "app_secret")

    def __init__(self, app_key: Secret, app_secret: Secret) -> None:
        self.app_key = app_key
        self.app_secret = app_secret

    def fingerprint(self) -> str:
        """SHA-256 in hex of `appkey:secretkey`, as `kiwoomcli` computes it."""
        from hashlib import sha256

        return sha256(f"{self.app_key.reveal()}:{self.app_secret.reveal()}".encode()).hexdigest()

    def __repr__(self) -> str:
        return "AppKeys(***)"


def clean_keys(app_key: str, app_secret: str) -> AppKeys:
    """Both texts without the blanks and line breaks around them.

    Raises `InvalidInput` when one is empty, has blanks inside, or is no key at all.
    """
    return AppKeys(_clean(app_key, "app key"), _clean(app_secret, "app secret"))


def _clean(text: str, name: str) -> Secret:
    stripped = text.strip()
    if not stripped:
        raise InvalidInput("The {name} is empty.", name=name)
    if not stripped.isascii() or not stripped.isprintable() or " " in stripped or len(stripped) > _MAX_CHARACTERS:
        raise InvalidInput("The {name} has blanks or foreign characters inside. Copy it again from the portal.", name=name)
    return Secret(stripped)
