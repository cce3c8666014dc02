"""A keeper as the settings ask for it."""

from __future__ import annotations

import os
import time

from tray_app.manager.account import Account
from tray_app.manager.keeper import TokenKeeper
from tray_app.settings.load import chosen_account, load_settings
from tray_app.settings.places import is_same_path
from tray_app.stores.opening import open_store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tray_app.kiwoom.client import Broker
    from tray_app.kiwoom.keys import AppKeys
    from tray_app.manager.keeper import TokenShares
    from tray_app.settings.load import Settings
    from tray_app.stores.base import Store
    from tray_app.stores.history import History


def open_keeper(
    settings: Settings,
    *,
    store: Store | None = None,
    keys: AppKeys | None = None,
    environ: Mapping[str, str] = os.environ,
    clock: Callable[[], float] = time.time,
) -> TokenKeeper:
    """Over `store`, or the one that the settings name. Touches no disk, keyring or network by itself.

    `keys` are used instead of those that are found in the environment or the keyring.
    """

    def keys_of_profile() -> AppKeys:
        return keys or find_keys(settings, environ)

    return TokenKeeper(
        settings.profile,
        store or open_store(settings, clock),
        keys_of_profile,
        lambda: open_broker(settings, clock),
        clock,
        shares=_open_shares(settings, keys_of_profile, clock),
        account=Account(settings, environ, keys_of_profile),
        open_history=lambda: _open_history(settings),
    )


def load_chosen(profile: str | None, data_dir: str | None, store: object) -> Settings:
    """The settings for a program that may choose a place by itself, with the errors of `load_settings`.

    In any other place than the settings' own its token is no business of other tools: nothing is shared.
    """
    settings = load_settings(profile, data_dir=data_dir, store=store if isinstance(store, str) else None)
    if data_dir is None and store is None:
        return settings
    own = load_settings(profile)
    if store not in (None, own.store) or not is_same_path(settings.data_dir, own.data_dir):
        settings.share_kwcli = settings.share_token_file = False
        settings.share_bot_file = ""
    return settings


def _open_history(settings: Settings) -> History | None:
    """Called once something has happened, so that whoever only reads a token does not load it."""
    from tray_app.stores.history import open_history

    return open_history(settings)


def _open_shares(
    settings: Settings, keys_of_profile: Callable[[], AppKeys], clock: Callable[[], float]
) -> TokenShares | None:
    """None without any, so that the command line does not load what it does not use."""
    if not (settings.share_kwcli or settings.share_token_file or settings.share_bot_file):
        return None
    from tray_app.shares.opening import open_shares

    return open_shares(settings, keys_of_profile, clock)


def find_keys(settings: Settings, environ: Mapping[str, str] = os.environ) -> AppKeys:
    """Raises `KeysMissing` or `InvalidInput`."""
    from tray_app.kiwoom import keys
    from tray_app.stores.vault import shared_vault

    account = settings.account or chosen_account(environ)
    return keys.find_keys(settings.profile, settings.mode, environ, shared_vault(), account)


def open_broker(settings: Settings, clock: Callable[[], float] = time.time) -> Broker:
    """Raises `InvalidInput` for a base URL that is neither https nor loopback."""
    from tray_app.kiwoom.client import Broker
    from tray_app.kiwoom.connection import base_url_for

    return Broker(base_url_for(settings.mode, settings.base_url), clock=clock)
