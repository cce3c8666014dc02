"""The token cache of Kiwoom's own `kiwoomcli`: it uses this token, and a token that it has issued is adopted.

Source: kwcli 1.0.3, `kiwoom/core/token_store.py` and `auth.py`. It deletes its cache and issues again when the
fingerprint is not that of the keys it finds, a time has no zone, other users may read the file, or less than 600
seconds are left. So in a token's last ten minutes each of its calls issues one, and Kiwoom probably returns the same
token again. Nothing written here can change that; only renewing in time does.
"""

from __future__ import annotations

import os
import sys
import time
from datetime import datetime

from tray_app.core import logs
from tray_app.core.errors import InvalidInput, KeysMissing, StoreError
from tray_app.core.profile import DEFAULT
from tray_app.core.secret import Secret
from tray_app.core.token import MAX_LIFETIME_SECONDS, UTC, Token, clean_token
from tray_app.settings.kwcli import APP_NAME, alias_digest, aliases
from tray_app.system.atomic_replace import delete_leftovers, delete_private, write_private
from tray_app.system.private_files import is_misplaced, read_regular, reason_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from tray_app.kiwoom.keys import AppKeys

_MAX_BYTES = 65536
_CACHE_ENDS = "-token.json"


def cache_path(mode: str, alias: str | None) -> str:
    """Return the file in which `kiwoomcli` caches the token of an alias, or without one that of a mode."""
    of_modes, of_aliases = _cache_folders()
    if alias is None:
        return os.path.join(of_modes, mode + _CACHE_ENDS)
    return os.path.join(of_aliases, f"profile-{alias_digest(alias)}{_CACHE_ENDS}")


def _cache_folders() -> tuple[str, str]:
    """Return the folders of the caches of the modes and of the aliases."""
    import platformdirs

    folder = platformdirs.user_cache_dir(APP_NAME)
    return folder, os.path.join(folder, "profiles")


class KwcliCache:
    """`kiwoomcli`'s caches for one profile and mode: the profile's own, and that of each alias with the same keys.

    `find_keys` returns the keys of the profile's token, `keys_of_alias` those that `kiwoomcli` has for an alias, or
    None. Both may ask a keyring.
    """

    name = "share_kwcli"

    def __init__(
        self,
        profile: str,
        mode: str,
        find_keys: Callable[[], AppKeys],
        clock: Callable[[], float] = time.time,
        *,
        keys_of_alias: Callable[[str], AppKeys | None] | None = None,
    ) -> None:
        self._profile = profile
        self._mode = mode
        self._find_keys = find_keys
        self._keys_of_alias = keys_of_alias or _keys_in_keyring
        self._clock = clock

    def path(self) -> str:
        return cache_path(self._mode, None if self._profile == DEFAULT else self._profile)

    def publish(self, token: Token) -> None:
        keys = self._find_keys()
        own = self._alias_of(keys)
        failure: StoreError | None = None
        for alias in (own, *(one for one in self._others(own) if self._has_keys(one, keys))):
            try:
                self._write(token, alias, keys)
            except StoreError as error:  # of one cache; the others can have it
                failure = failure or error
        if failure is not None:
            raise failure

    def withdraw(self, fingerprints: Collection[str]) -> None:
        self._delete(
            _all_caches(), lambda present: Secret(str(present.get("access_token"))).fingerprint() in fingerprints
        )

    def forget(self) -> bool:
        """Delete every token of the profile's keys; without keys, whatever is in the profile's own caches."""
        try:
            keys = self._find_keys()
        except (KeysMissing, InvalidInput):
            return self._delete(self._own_caches(), lambda present: present.get("mode") == self._mode)
        return self._delete(
            _all_caches(),
            lambda present: (
                present.get("mode") == self._mode and present.get("credential_fingerprint") == keys.fingerprint()
            ),
        )

    def holds(self, token: Token) -> bool:
        found = (_read_if_usable(path) for path in _all_caches())
        return any(one is not None and one.get("access_token") == token.value.reveal() for one in found)

    def check(self) -> None:
        """Do nothing: only the keys can be missing, which asking for a token reports anyway."""

    def external_token(self) -> Token | None:
        try:
            keys = self._find_keys()
        except (KeysMissing, InvalidInput):
            return None
        own = self._alias_of(keys)
        found = []
        for alias in (own, *self._others(own)):
            try:
                found.append(_token_in(_read(cache_path(self._mode, alias)), self._mode, alias, keys, self._clock()))
            except FileNotFoundError:
                continue
            except _Unusable as error:
                if alias == own:  # the other caches may well be of other keys
                    logs.warning("The token in kiwoomcli's cache is not used: %s", error)
        return max(found, key=lambda token: token.expires, default=None)

    def rivals_of(self, token: Token) -> tuple[str, ...]:
        rivals = []
        for path in self._own_caches():
            present = _read_if_usable(path)
            if present is None or present.get("mode") != self._mode:
                continue
            try:
                value = _token_text(present)
                saved, expires = _instant(present.get("saved_at")), _instant(present.get("expires_at"))
            except _Unusable:
                continue
            if value != token.value and saved > token.created_at and expires.timestamp() > self._clock():
                rivals.append(value.fingerprint())
        return tuple(rivals)

    def watch_paths(self) -> list[str]:
        return self._own_caches()

    def _write(self, token: Token, alias: str | None, keys: AppKeys) -> None:
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
        present = _read_if_usable(path)
        if present is not None and {**present, "saved_at": fields["saved_at"]} == fields:
            return
        import json

        write_private(path, json.dumps(fields, ensure_ascii=True, indent=2).encode())
        logs.info("Token shared with kiwoomcli")

    def _delete(self, paths: Iterable[str], is_meant: Callable[[dict[str, object]], bool]) -> bool:
        """Delete each cache that `is_meant` selects; return True if there was one.

        Every one is tried before the first `StoreError` is raised.
        """
        deleted = False
        failure: StoreError | None = None
        for path in paths:
            present = _read_if_usable(path, private=False)  # one that other users may read needs deleting all the more
            if present is not None and is_meant(present):
                try:
                    deleted |= delete_private(path)
                except StoreError as error:
                    failure = failure or error
            delete_leftovers(path)
        if failure is not None:
            raise failure
        return deleted

    def _alias_of(self, keys: AppKeys) -> str | None:
        return keys.alias if self._profile == DEFAULT else self._profile

    def _others(self, own: str | None) -> list[str]:
        """Return the aliases of this mode other than the profile's own."""
        return [alias for alias, mode in aliases().items() if mode == self._mode and alias != own]

    def _has_keys(self, alias: str, keys: AppKeys) -> bool:
        """Return True if `kiwoomcli` has these keys under that alias too.

        Its cache answers that without the keyring, which on macOS may ask its user. If it cannot be found out, the
        alias gets no token.
        """
        present = _read_if_usable(cache_path(self._mode, alias))
        fingerprint = None if present is None else present.get("credential_fingerprint")
        if fingerprint is not None:
            return fingerprint == keys.fingerprint()
        try:
            found = self._keys_of_alias(alias)
        except KeysMissing as error:
            logs.warning("The token is not handed to kiwoomcli for %s: %s", alias, error)
            return False
        return found is not None and found.fingerprint() == keys.fingerprint()

    def _own_caches(self) -> list[str]:
        """Return the caches that may hold this profile's token, without asking the keyring for its keys."""
        if self._profile != DEFAULT:
            return [cache_path(self._mode, self._profile)]
        of_this_mode = self._others(None)
        candidates = [None, *of_this_mode] if len(of_this_mode) == 1 else [None]
        return [cache_path(self._mode, alias) for alias in candidates]


def _all_caches() -> Iterator[str]:
    """Yield every token cache of `kiwoomcli`, also that of an alias it does not know any more, and one that may have
    only a killed writer's leftovers."""
    for folder in _cache_folders():
        try:
            names = os.listdir(folder)
        except OSError:  # there is none
            continue
        caches = {name.partition(_CACHE_ENDS)[0] + _CACHE_ENDS for name in names if _CACHE_ENDS in name}
        yield from (os.path.join(folder, name) for name in sorted(caches))


def _keys_in_keyring(alias: str) -> AppKeys | None:
    from tray_app.kiwoom.keys import keys_of_alias
    from tray_app.stores.keyring_client import shared_keyring_client

    return keys_of_alias(alias, shared_keyring_client())


class _Unusable(Exception):
    """Why a cache is not used, in words for a log. Never contains any of the cache's content."""


def _read_if_usable(path: str, *, private: bool = True) -> dict[str, object] | None:
    try:
        return _read(path, private=private)
    except (FileNotFoundError, _Unusable):
        return None


def _read(path: str, *, private: bool = True) -> dict[str, object]:
    """Return the JSON object in a file of this user, which nobody else may read unless `private` is False.

    Raises `FileNotFoundError` or `_Unusable`; deletes nothing.
    """
    try:
        content, found = read_regular(path, _MAX_BYTES, follow_links=False)
    except FileNotFoundError:
        raise
    except NotADirectoryError:
        raise FileNotFoundError from None
    except OSError as error:
        raise _Unusable(f"it is {reason_of(error)}" if is_misplaced(error) else reason_of(error)) from None
    if sys.platform != "win32":
        if found.st_uid != os.geteuid():
            raise _Unusable("another user owns it")
        if private and found.st_mode & 0o077:
            raise _Unusable("others may read it")
    import json

    try:
        fields = json.loads(content.decode()) if len(content) <= _MAX_BYTES else None
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise _Unusable("it is damaged")
    return fields


def _token_in(fields: dict[str, object], mode: str, alias: str | None, keys: AppKeys, now: float) -> Token:
    if fields.get("mode") != mode:
        raise _Unusable("it is of the other mode")
    if fields.get("credential_fingerprint") != keys.fingerprint() or fields.get("profile") != alias:
        raise _Unusable("it was issued for other keys")
    if str(fields.get("token_type")).lower() != "bearer":
        raise _Unusable("it is not a bearer token")
    ends = _instant(fields.get("expires_at"))
    saved = _instant(fields["saved_at"]) if fields.get("saved_at") else datetime.fromtimestamp(now, UTC)
    value = _token_text(fields)
    left = ends.timestamp() - now
    if left <= 0:
        raise _Unusable("it has expired")
    if left > MAX_LIFETIME_SECONDS:
        raise _Unusable("its expiry is too far ahead")
    return Token(value, ends, min(saved, datetime.fromtimestamp(now, UTC)))


def _token_text(fields: dict[str, object]) -> Secret:
    text = fields.get("access_token")
    try:
        return clean_token(text if isinstance(text, str) else "")
    except InvalidInput:
        raise _Unusable("it is damaged") from None


def _instant(text: object) -> datetime:
    try:
        instant = datetime.fromisoformat(str(text))
        if instant.tzinfo is not None:
            return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _Unusable("it is damaged") from None
    raise _Unusable("a time in it has no zone")
