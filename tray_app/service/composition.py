"""Build what the settings describe: the store, the exports, the broker, and the service over them."""

from __future__ import annotations

import os
import sys
import time

from tray_app.core import logs
from tray_app.core.errors import InvalidInput, SettingsError, StoreError
from tray_app.core.language import msg
from tray_app.core.pasted import variable
from tray_app.core.secret import HiddenMapping, without_traceback
from tray_app.exports.group import Exports
from tray_app.service.ended_tokens import FILE as ENDED
from tray_app.service.ended_tokens import EndedTokens
from tray_app.service.key_binding import KeyBinding
from tray_app.service.other_stores import FILE as ISSUED
from tray_app.service.other_stores import OtherStores
from tray_app.service.token_service import TokenService
from tray_app.settings import places
from tray_app.settings.load import NO_SHARES, chosen_account, load_settings
from tray_app.stores.encryption import Cipher
from tray_app.stores.file import FileStore
from tray_app.stores.lock import ProfileLock, ThreadLock
from tray_app.system.user_folders import account_home

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tray_app.exports.base import Export
    from tray_app.history.database import History
    from tray_app.kiwoom.broker import Broker
    from tray_app.kiwoom.keys import AppKeys
    from tray_app.service.protocols import TokenExports
    from tray_app.settings.load import Settings
    from tray_app.stores.base import Store


def open_service(
    settings: Settings,
    *,
    store: Store | None = None,
    keys: AppKeys | None = None,
    environ: Mapping[str, str] = os.environ,
    clock: Callable[[], float] = time.time,
) -> TokenService:
    """Return the service over `store`, by default the one in the settings. Touches no disk, keyring or network yet.

    `keys` are used instead of those in the environment or the keyring. Raises `SettingsError` when a required setting
    is unknown.
    """
    environ = HiddenMapping(environ)
    settings.require()

    def keys_of_profile() -> AppKeys:
        return keys or find_keys(binding.settings, environ)

    binding = KeyBinding(settings, environ, keys_of_profile)
    folder = _folder_of_all_stores(settings, environ) if store is None else ""
    store = store or open_store(settings, clock)
    others = None
    if folder:
        others = OtherStores(
            os.path.join(folder, ISSUED),
            settings.profile,
            store.place,
            find_keys=keys_of_profile,
            issued_for=binding.issued_for,
            clock=clock,
            cipher=_cipher_of(settings),
            address=settings.base_url or "",
        )
    return TokenService(
        settings.profile,
        store,
        keys_of_profile,
        lambda: open_broker(settings, clock),
        clock,
        exports=_open_exports(settings, keys_of_profile, clock, others),
        key_binding=binding,
        open_history=lambda: _open_history(settings),
        find_base_url=lambda: base_url_of(settings),
        ended=EndedTokens(os.path.join(folder, ENDED)) if folder else None,
    )


def _folder_of_all_stores(settings: Settings, environ: Mapping[str, str]) -> str:
    """Return the folder in which the stores of this user tell each other about their tokens; empty for a token that
    nobody else has, and for a user without a home whose token is in a file: no folder is looked for in the place of a
    home because of this."""
    is_homeless = not account_home() and not variable(environ, "KIWOOM_TRAY_STATE_DIR")
    if settings.store == "memory" or (settings.store == "file" and is_homeless and sys.platform != "win32"):
        return ""
    try:
        return places.shared_state_dir(environ)
    except StoreError:  # which the lock reports
        return ""


def load_chosen(profile: str | None, data_dir: str | None, store: object) -> Settings:
    """Return the settings for a program that may choose a place by itself. Raises like `load_settings`.

    A token that is stored in any other place than the settings' own is not shared with other tools.
    """
    environ = HiddenMapping(os.environ)
    settings = _load(profile, environ, data_dir=data_dir, store=store if isinstance(store, str) else None)
    if data_dir is None and store is None:
        return settings
    settings.require()
    try:
        own = _load(profile, environ)
    except SettingsError:  # nobody chose a folder, and the working folder is gone
        return settings.replace(**NO_SHARES)
    own.require()
    if store in (None, own.store) and places.is_same_path(settings.data_dir, own.data_dir):
        return settings
    return settings.replace(**NO_SHARES)


def _load(profile: str | None, environ: Mapping[str, str], **chosen: object) -> Settings:
    """Return the settings like `load_settings`. The traceback of an error contains none of the variables that it
    read."""
    try:
        return load_settings(profile, environ, **chosen)
    except InvalidInput as error:
        without_traceback(error)
        failure = error
    raise failure


def _open_history(settings: Settings) -> History | None:
    """Return the history of the settings. Called once something has happened, so that reading a token does not load
    it."""
    from tray_app.history.database import open_history

    return open_history(settings)


def _open_exports(
    settings: Settings,
    keys_of_profile: Callable[[], AppKeys],
    clock: Callable[[], float],
    others: OtherStores | None,
) -> TokenExports | None:
    """Return the exports and the other stores of this user, or None without any."""
    exports: list[Export] = []
    if settings.share_kwcli or settings.share_token_file or settings.share_bot_file:
        exports.extend(open_exports(settings, keys_of_profile, clock))
    peers = () if others is None else (others,)
    return Exports(exports, peers) if exports or peers else None


def find_keys(settings: Settings, environ: Mapping[str, str] = os.environ) -> AppKeys:
    """Return the keys of the profile. Raises `KeysMissing` or `SettingsError`."""
    environ = HiddenMapping(environ)
    settings.require()
    from tray_app.kiwoom import keys
    from tray_app.stores.keyring_client import shared_keyring_client

    account = settings.account or chosen_account(environ)
    return keys.find_keys(settings.profile, settings.mode, environ, shared_keyring_client(), account)


def base_url_of(settings: Settings) -> str:
    """Return Kiwoom's address for this account. Raises `InvalidInput` for one that is neither https nor loopback."""
    from tray_app.kiwoom.endpoints import base_url_for

    return base_url_for(settings.mode, settings.base_url)


def open_broker(settings: Settings, clock: Callable[[], float] = time.time) -> Broker:
    """Return the broker. Raises `InvalidInput` for a base URL that is neither https nor loopback."""
    settings.require()
    from tray_app.kiwoom.broker import Broker

    return Broker(base_url_of(settings), clock=clock)


def open_store(settings: Settings, clock: Callable[[], float] = time.time) -> Store:
    """Return the store. Opens no file and asks no keyring or Redis: that happens at the first use.

    Raises `SettingsError` for the store `redis` without an address, and when a required setting is unknown.
    """
    settings.require()
    if settings.store == "memory":
        from tray_app.stores.memory import MemoryStore

        return MemoryStore(clock)
    path = places.token_file(settings.data_dir, settings.profile)
    cipher = _cipher_of(settings)
    if settings.store == "file":
        return FileStore(path, ProfileLock(path + ".lock"), clock, cipher=cipher)
    if settings.store == "redis":
        store = _open_redis(settings, cipher, clock)
        if not settings.share_token_file or cipher.has_keys():
            return store
        from tray_app.stores.mirrored import MirroredStore

        return MirroredStore(store, FileStore(path, ThreadLock(), clock), clock)
    from tray_app.stores.change_marker import ChangeMarker
    from tray_app.stores.fallback import FallbackStore
    from tray_app.stores.keyring import KeyringStore
    from tray_app.stores.keyring_client import shared_keyring_client

    beside = os.path.join(places.shared_state_dir(), settings.profile)
    lock = ProfileLock(beside + ".lock")
    keyring = KeyringStore(settings.profile, shared_keyring_client(), ChangeMarker(beside + ".signal"), lock, clock)
    if settings.store == "keyring":
        return keyring
    file = FileStore(path, lock, clock, cipher=cipher)
    return FallbackStore(keyring, file, clock, keep_file=settings.share_token_file and not cipher.has_keys())


def check_encryption(settings: Settings) -> None:
    """Raise `EncryptionKeyUnusable` if tokens are to be encrypted in a file or in Redis and the key cannot be used."""
    if settings.store in {"auto", "file", "redis"}:
        _cipher_of(settings).seal("")


def _cipher_of(settings: Settings) -> Cipher:
    return Cipher(settings.encryption_keys, settings.encryption_key_file or None, settings.profile)


def _open_redis(settings: Settings, cipher: Cipher, clock: Callable[[], float]) -> Store:
    from tray_app.stores.change_marker import ChangeMarker
    from tray_app.stores.redis import RedisStore
    from tray_app.stores.redis_server import RedisServer

    if settings.redis_url is None:
        raise SettingsError(
            msg(
                "The store redis needs its address in KIWOOM_TRAY_REDIS_URL, such as rediss://user:password@host:6379/0."
            )
        )
    beside = os.path.join(places.shared_state_dir(), settings.profile)
    return RedisStore(
        settings.profile,
        RedisServer(settings.redis_url),
        ChangeMarker(beside + ".redis.signal"),
        ProfileLock(beside + ".lock"),
        cipher=cipher,
        clock=clock,
        writes=ChangeMarker(beside + ".redis.writes"),
    )


def open_exports(
    settings: Settings, find_keys: Callable[[], AppKeys], clock: Callable[[], float] = time.time
) -> Exports:
    """Return the exports. Opens no file and asks no keyring: that happens when a token changes."""
    settings.require()
    exports: list[Export] = []
    if settings.share_kwcli:
        from tray_app.exports.kwcli import KwcliCache

        exports.append(KwcliCache(settings.profile, settings.mode, find_keys, clock))
    if settings.share_token_file and settings.store == "keyring":
        logs.warning("share_token_file does nothing with the store keyring, which keeps no .token")
    elif settings.share_token_file and settings.store != "file":
        from tray_app.exports.files import TokenFileCopy

        path = places.token_file(settings.data_dir, settings.profile)
        cipher = _cipher_of(settings)
        exports.append(TokenFileCopy(path, clock, cipher=cipher, is_store=settings.store == "auto"))
    if settings.share_bot_file:
        from tray_app.exports.files import BotFile

        exports.append(BotFile(settings.share_bot_file, clock))
    return Exports(exports)
