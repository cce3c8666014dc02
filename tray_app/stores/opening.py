"""The store that the settings ask for."""

from __future__ import annotations

import os
import time

from tray_app.settings import places
from tray_app.stores.file import FileStore
from tray_app.stores.lock import ProfileLock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from tray_app.settings.load import Settings
    from tray_app.stores.base import Store


def open_store(settings: Settings, clock: Callable[[], float] = time.time) -> Store:
    """Opens no file and asks no keyring: that happens at the first use."""
    if settings.store == "memory":
        from tray_app.stores.memory import MemoryStore

        return MemoryStore(clock)
    path = places.token_file(settings.data_dir, settings.profile)
    if settings.store == "file":
        return FileStore(path, ProfileLock(path + ".lock"), clock)
    from tray_app.stores.auto import AutoStore
    from tray_app.stores.keyring import KeyringStore
    from tray_app.stores.signal import ChangeSignal
    from tray_app.stores.vault import shared_vault

    beside = os.path.join(places.state_dir(), settings.profile)
    lock = ProfileLock(beside + ".lock")
    keyring = KeyringStore(settings.profile, shared_vault(), ChangeSignal(beside + ".signal"), lock, clock)
    if settings.store == "keyring":
        return keyring
    return AutoStore(keyring, FileStore(path, lock, clock), clock, keep_file=settings.share_token_file)
