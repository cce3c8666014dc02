"""The store that the settings ask for."""

from __future__ import annotations

import os
import time

from tray_app.core.errors import SettingsError
from tray_app.core.language import msg
from tray_app.settings import places
from tray_app.stores.encryption import Cipher
from tray_app.stores.file import FileStore
from tray_app.stores.lock import ProfileLock, ThreadLock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from tray_app.settings.load import Settings
    from tray_app.stores.base import Store


def open_store(settings: Settings, clock: Callable[[], float] = time.time) -> Store:
    """Opens no file and asks no keyring or Redis: that happens at the first use.

    Raises `SettingsError` for the store `redis` without an address.
    """
    if settings.store == "memory":
        from tray_app.stores.memory import MemoryStore

        return MemoryStore(clock)
    path = places.token_file(settings.data_dir, settings.profile)
    cipher = Cipher(settings.encryption_keys, settings.encryption_key_file or None)
    if settings.store == "file":
        return FileStore(path, ProfileLock(path + ".lock"), clock, cipher=cipher)
    if settings.store == "redis":
        store = _open_redis(settings, cipher, clock)
        if not settings.share_token_file or cipher.has_keys():
            return store
        from tray_app.stores.kept import KeptFileStore

        return KeptFileStore(store, FileStore(path, ThreadLock(), clock), clock)
    from tray_app.stores.auto import AutoStore
    from tray_app.stores.keyring import KeyringStore
    from tray_app.stores.signal import ChangeSignal
    from tray_app.stores.vault import shared_vault

    beside = os.path.join(places.state_dir(), settings.profile)
    lock = ProfileLock(beside + ".lock")
    keyring = KeyringStore(settings.profile, shared_vault(), ChangeSignal(beside + ".signal"), lock, clock)
    if settings.store == "keyring":
        return keyring
    file = FileStore(path, lock, clock, cipher=cipher)
    return AutoStore(keyring, file, clock, keep_file=settings.share_token_file and not cipher.has_keys())


def _open_redis(settings: Settings, cipher: Cipher, clock: Callable[[], float]) -> Store:
    from tray_app.stores.redis import RedisStore
    from tray_app.stores.redis_server import RedisServer
    from tray_app.stores.signal import ChangeSignal

    if settings.redis_url is None:
        raise SettingsError(
            msg(
                "The store redis needs its address in KIWOOM_TRAY_REDIS_URL, such as rediss://user:password@host:6379/0."
            )
        )
    beside = os.path.join(places.state_dir(), settings.profile)
    return RedisStore(
        settings.profile,
        RedisServer(settings.redis_url),
        ChangeSignal(beside + ".redis.signal"),
        ProfileLock(beside + ".lock"),
        cipher=cipher,
        clock=clock,
        writes=ChangeSignal(beside + ".redis.writes"),
    )
