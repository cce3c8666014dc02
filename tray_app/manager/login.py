"""Taking new app keys: try them, keep them, remember the mode."""

from __future__ import annotations

from tray_app.kiwoom import keys as key_store
from tray_app.manager.keeper import Outcome, TokenKeeper
from tray_app.manager.opening import open_broker
from tray_app.settings.save import save_setting
from tray_app.stores.opening import open_store
from tray_app.stores.vault import shared_vault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tray_app.kiwoom.keys import AppKeys
    from tray_app.settings.load import Settings


def keep_keys(settings: Settings, keys: AppKeys, *, check: bool = True) -> Outcome | None:
    """Keeps the keys of `settings.profile` and `settings.mode` in the keyring, and the mode in the settings.

    With `check` a token is issued with them first and stored; when Kiwoom refuses, nothing is kept. Raises
    `KeysRefused` and the other `BrokerError` types, `KeyringUnavailable`, `SettingsError`.
    """
    outcome = None
    if check:
        keeper = TokenKeeper(settings.profile, open_store(settings), lambda: keys, lambda: open_broker(settings))
        outcome = keeper.refresh()
    key_store.store_keys(settings.profile, settings.mode, keys, shared_vault())
    save_setting("mode", settings.mode, settings.profile)
    return outcome
