"""Check new app keys, store them, and save the mode."""

from __future__ import annotations

import os

from tray_app.core import logs
from tray_app.core.errors import InvalidInput, SettingsError
from tray_app.core.language import msg
from tray_app.core.profile import DEFAULT
from tray_app.kiwoom import keys as key_store
from tray_app.service.composition import open_service
from tray_app.settings import kwcli
from tray_app.settings.load import chosen_account
from tray_app.settings.save import save_setting, unset_setting
from tray_app.stores.keyring_client import shared_keyring_client

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from tray_app.kiwoom.keys import AppKeys
    from tray_app.service.outcome import Outcome
    from tray_app.settings.load import Settings


def keep_keys(
    settings: Settings, keys: AppKeys, *, check: bool = True, environ: Mapping[str, str] = os.environ
) -> Outcome | None:
    """Store the keys for `settings.profile` and `settings.mode` in the keyring, and the mode in the settings.

    `kiwoomcli` finds them too: a named profile becomes an alias there. With `check` a token is issued with them first
    and stored; when Kiwoom refuses them, nothing is stored. Raises `InvalidInput` when `kiwoomcli` has keys of the
    other mode under that alias, `KeysRefused` and the other `BrokerError` types, `KeyringUnavailable`, `SettingsError`.
    """
    _refuse_other_account(settings)
    service = open_service(settings, keys=keys, environ=environ)
    outcome = service.refresh() if check else None
    if not check:
        service.forget_other_account(keys)
    key_store.store_keys(settings.profile, settings.mode, keys, shared_keyring_client())
    save_setting("mode", settings.mode, settings.profile, environ)
    if settings.profile == DEFAULT:
        leave_account(environ)
    else:
        try:
            kwcli.keep_alias(settings.profile, settings.mode)
        except SettingsError as error:  # the keys are stored; only kiwoomcli does not know the alias
            logs.warning("Alias not told to kiwoomcli: %s", error)
            if outcome is not None:
                outcome.unpublished += (error,)
    return outcome


def leave_account(environ: Mapping[str, str] = os.environ) -> None:
    """Save that the default profile has keys of its own from now on. Raises `SettingsError`."""
    if chosen_account(environ):
        unset_setting("account", environ=environ)


def _refuse_other_account(settings: Settings) -> None:
    """Raise if the alias has keys of the other mode: it has one keyring entry for both, so these keys would be lost."""
    known = kwcli.aliases().get(settings.profile, settings.mode) if settings.profile != DEFAULT else settings.mode
    if known != settings.mode and key_store.has_keys(settings.profile, settings.mode, shared_keyring_client()):
        raise InvalidInput(
            msg(
                "{profile} is already an account of the other mode ({mode}). Choose another name, or log it out first."
            ),
            profile=settings.profile,
            mode=known,
        )
