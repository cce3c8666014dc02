"""The token cache of Kiwoom's own `kiwoomcli`: it uses this token, and a token it has issued is taken over.

Source: kwcli 1.0.3, `kiwoom/core/token_store.py` and `auth.py`. It deletes its cache and issues again when the
fingerprint is not that of the keys it finds, a time has no zone, others may read the file, or less than 600
seconds are left. The last means: in a token's last ten minutes each of its calls issues, and Kiwoom probably
gives it this same token back. Nothing that is written here can change that; renewing in time does.
"""

from __future__ import annotations

import os
import stat
import sys
import time
from datetime import datetime

from tray_app.core import logs
from tray_app.core.errors import InvalidInput, KeysMissing
from tray_app.core.profile import DEFAULT
from tray_app.core.token import MAX_LIFETIME_SECONDS, UTC, Token, clean_token
from tray_app.settings.kwcli import APP_NAME, alias_digest, aliases
from tray_app.stores.files import delete_private, write_private

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from tray_app.kiwoom.keys import AppKeys

_MAX_BYTES = 65536
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_BINARY = getattr(os, "O_BINARY", 0)
_NONBLOCK = getattr(os, "O_NONBLOCK", 0)


def cache_path(mode: str, alias: str | None) -> str:
    """Where `kiwoomcli` keeps the token of an alias, or without one that of a mode."""
    import platformdirs

    folder = platformdirs.user_cache_dir(APP_NAME)
    if alias is None:
        return os.path.join(folder, f"{mode}-token.json")
    return os.path.join(folder, "profiles", f"profile-{alias_digest(alias)}-token.json")


class KwcliShare:
    """`kiwoomcli`'s cache for one profile and mode. `find_keys` is what the profile's token is issued with."""

    setting = "share_kwcli"

    def __init__(
        self, profile: str, mode: str, find_keys: Callable[[], AppKeys], clock: Callable[[], float] = time.time
    ) -> None:
        self._profile = profile
        self._mode = mode
        self._find_keys = find_keys
        self._clock = clock

    def path(self) -> str:
        return self._paths()[0]

    def publish(self, token: Token) -> None:
        keys = self._find_keys()
        alias = self._alias_of(keys)
        path = cache_path(self._mode, alias)
        fields = {
            "access_token": token.value.reveal(),
            "token_type": "bearer",
            "expires_at": token.expires_at.isoformat(),
            "mode": self._mode,
            **({} if alias is None else {"profile": alias}),
            "credential_fingerprint": keys.fingerprint(),
            "saved_at": token.created_at.isoformat(),
        }
        present = _look(path)
        if present is not None and {**present, "saved_at": fields["saved_at"]} == fields:
            return
        import json

        write_private(path, json.dumps(fields, ensure_ascii=True, indent=2).encode())
        logs.info("Token handed to kiwoomcli")

    def withdraw(self, token: Token) -> None:
        for path in self._paths():
            present = _look(path, private=False)  # one that others may read is all the more to be taken away
            if present is not None and present.get("access_token") == token.value.reveal():
                delete_private(path)

    def holds(self, token: Token) -> bool:
        found = (_look(path) for path in self._paths())
        return any(one is not None and one.get("access_token") == token.value.reveal() for one in found)

    def offered(self) -> Token | None:
        try:
            keys = self._find_keys()
        except (KeysMissing, InvalidInput):
            return None
        alias = self._alias_of(keys)
        path = cache_path(self._mode, alias)
        try:
            return _token_in(_read(path), self._mode, alias, keys, self._clock())
        except FileNotFoundError:
            return None
        except _UnusableError as error:
            logs.warning("The token in kiwoomcli's cache is not used: %s", error)
            return None

    def _alias_of(self, keys: AppKeys) -> str | None:
        return keys.alias if self._profile == DEFAULT else self._profile

    def _paths(self) -> list[str]:
        """Where this profile's token may have been put, without asking the keyring which keys there are."""
        if self._profile != DEFAULT:
            return [cache_path(self._mode, self._profile)]
        of_this_mode = [alias for alias, mode in aliases().items() if mode == self._mode]
        candidates = [None, *of_this_mode] if len(of_this_mode) == 1 else [None]
        return [cache_path(self._mode, alias) for alias in candidates]


class _UnusableError(Exception):
    """Why a cache is not used, in words for a log. Never carries what stands in it."""


def _look(path: str, *, private: bool = True) -> dict[str, object] | None:
    try:
        return _read(path, private=private)
    except (FileNotFoundError, _UnusableError):
        return None


def _read(path: str, *, private: bool = True) -> dict[str, object]:
    """The object in a file of this user, that nobody else may read unless `private` is False.

    Raises `FileNotFoundError` or `_UnusableError`; deletes nothing.
    """
    if sys.platform == "win32" and os.path.islink(path):
        raise _UnusableError("it is a link")
    try:
        descriptor = os.open(path, os.O_RDONLY | _BINARY | _NOFOLLOW | _NONBLOCK)
    except FileNotFoundError:
        raise
    except NotADirectoryError:
        raise FileNotFoundError from None
    except OSError as error:
        raise _UnusableError("it is a link" if os.path.islink(path) else error.strerror) from None
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise _UnusableError("it is not a file")
        if sys.platform != "win32":
            if found.st_uid != os.geteuid():
                raise _UnusableError("another user owns it")
            if private and found.st_mode & 0o077:
                raise _UnusableError("others may read it")
        content = os.read(descriptor, _MAX_BYTES + 1)
    except OSError as error:
        raise _UnusableError(error.strerror) from None
    finally:
        os.close(descriptor)
    import json

    try:
        fields = json.loads(content.decode()) if len(content) <= _MAX_BYTES else None
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise _UnusableError("it is damaged")
    return fields


def _token_in(fields: dict[str, object], mode: str, alias: str | None, keys: AppKeys, now: float) -> Token:
    if fields.get("mode") != mode:
        raise _UnusableError("it is of the other mode")
    if fields.get("credential_fingerprint") != keys.fingerprint() or fields.get("profile") != alias:
        raise _UnusableError("it was issued for other keys")
    if str(fields.get("token_type")).lower() != "bearer":
        raise _UnusableError("it is not a bearer token")
    ends = _instant(fields.get("expires_at"))
    saved = _instant(fields["saved_at"]) if fields.get("saved_at") else datetime.fromtimestamp(now, UTC)
    try:
        value = clean_token(str(fields["access_token"]))
    except (KeyError, InvalidInput):
        raise _UnusableError("it is damaged") from None
    left = ends.timestamp() - now
    if left <= 0:
        raise _UnusableError("it has ended")
    if left > MAX_LIFETIME_SECONDS:
        raise _UnusableError("its end is too far ahead")
    return Token(value, ends, min(saved, datetime.fromtimestamp(now, UTC)))


def _instant(text: object) -> datetime:
    try:
        instant = datetime.fromisoformat(str(text))
        if instant.tzinfo is not None:
            return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _UnusableError("it is damaged") from None
    raise _UnusableError("a time in it has no zone")
