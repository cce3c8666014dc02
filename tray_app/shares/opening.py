"""The shares that a profile's settings switch on."""

from __future__ import annotations

import time

from tray_app.core import logs
from tray_app.settings import places
from tray_app.shares.group import Shares

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from tray_app.kiwoom.keys import AppKeys
    from tray_app.settings.load import Settings
    from tray_app.shares.base import Share


def open_shares(settings: Settings, find_keys: Callable[[], AppKeys], clock: Callable[[], float] = time.time) -> Shares:
    """Opens no file and asks no keyring: that happens when a token changes."""
    shares: list[Share] = []
    if settings.share_kwcli:
        from tray_app.shares.kwcli import KwcliShare

        shares.append(KwcliShare(settings.profile, settings.mode, find_keys, clock))
    if settings.share_token_file and settings.store == "keyring":
        logs.warning("share_token_file does nothing with the store keyring, which keeps no .token")
    elif settings.share_token_file and settings.store != "file":
        from tray_app.shares.files import TokenFile
        from tray_app.stores.encryption import Cipher

        path = places.token_file(settings.data_dir, settings.profile)
        cipher = Cipher(settings.encryption_keys, settings.encryption_key_file or None)
        shares.append(TokenFile(path, clock, cipher=cipher, is_store=settings.store == "auto"))
    if settings.share_bot_file:
        from tray_app.shares.files import BotFile

        shares.append(BotFile(settings.share_bot_file))
    return Shares(shares)
