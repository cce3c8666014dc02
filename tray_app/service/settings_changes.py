"""Change a setting permanently: check it, write it, and move the tokens that it concerns."""

from __future__ import annotations

import os

from tray_app.core.errors import InvalidInput, KeyringUnavailable, SettingsError, StoreError
from tray_app.core.language import msg
from tray_app.core.pasted import variable
from tray_app.core.profile import DEFAULT
from tray_app.service.migration import Migrated, migrate
from tray_app.settings.kwcli import modes
from tray_app.settings.load import known_profiles, load_settings, named_profiles
from tray_app.settings.places import is_same_path, is_token_file
from tray_app.settings.save import check_changeable, save_setting, unset_setting
from tray_app.settings.table import TABLE
from tray_app.system.access import check_writable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from tray_app.settings.load import Settings
    from tray_app.settings.table import Setting


DAILY_MEANS = msg(
    "Every day at {time} (KST) the token is revoked and a new one issued: each tool that holds it is cut off once, "
    "and must take the new one."
)
OLD_PLACE_MEANS = msg("Programs that are running read the token from the old place until they are restarted.")
OLD_ACCOUNT_MEANS = msg(
    "Your own programs (bots, API servers) that are running trade with the old account until they are started again."
)


class Changed:
    """The result of a change: the profile's new `settings`, `was_set` whether there was a value to remove, how the
    tokens of all profiles were `migrated`, and `switches_account` whether a profile trades with another account now.
    """

    __slots__ = ("migrated", "settings", "switches_account", "was_set")

    def __init__(self, settings: Settings, *, was_set: bool) -> None:
        self.settings = settings
        self.was_set = was_set
        self.migrated = Migrated()
        self.switches_account = False


def setting_named(name: str) -> Setting:
    """Return the setting of that name.

    Raises `InvalidInput`, which names the most similar one and does not repeat `name`: it may be a secret by mistake.
    """
    if name in TABLE:
        return TABLE[name]
    from difflib import get_close_matches

    near = get_close_matches(name.replace("-", "_").lower(), TABLE, 1)
    if near:
        raise InvalidInput(msg("There is no such setting. Is it {nearest}?"), nearest=near[0])
    raise InvalidInput(msg("There is no such setting. See them all: kiwoom-token config"))


def change_setting(
    setting: Setting,
    value: Any,
    profile: str = DEFAULT,
    environ: Mapping[str, str] = os.environ,
    *,
    creates_profile: bool = True,
) -> Changed:
    """Write the typed `value`; for another profile than the default one in its own section, unless the setting is
    one of the whole machine.

    May wait for a disk, a lock, a keyring or Redis. Raises `SettingsError` when nothing was changed: the file is
    damaged or cannot be written, or the value cannot be used here; `KeyringUnavailable` for the store `keyring` where
    there is no keyring, or none that can be reached from here; and `AutostartFailed`. A profile whose section is
    removed meanwhile is not created again; without `creates_profile` none is that neither the file nor `kiwoomcli` has.
    """
    section = _section(setting, profile)
    is_new = section not in named_profiles(environ)
    creates_section = is_new and (creates_profile or section in known_profiles(environ))
    _check(setting, value, profile, environ)

    def write() -> bool:
        written = setting.kind.write(value)
        save_setting(setting.name, written, section, environ, creates_section=creates_section)
        return True

    return _changed(setting, value, profile, environ, write)


def reset_setting(setting: Setting, profile: str = DEFAULT, environ: Mapping[str, str] = os.environ) -> Changed:
    """Remove the value that `change_setting` wrote. Waits and raises like it."""
    section = _section(setting, profile)
    return _changed(setting, setting.default, profile, environ, lambda: unset_setting(setting.name, section, environ))


def _changed(
    setting: Setting, value: Any, profile: str, environ: Mapping[str, str], write: Callable[[], bool]
) -> Changed:
    """Let a setting have the value from now on. `write` writes that to the file and returns `Changed.was_set`."""
    section = _section(setting, profile)
    concerned = known_profiles(environ) if section == DEFAULT else [section]
    before = {name: load_settings(name, environ).resolved() for name in concerned}
    if setting.name == "autostart":  # the system has it, and the file only repeats it
        from tray_app import autostart

        check_changeable(environ)  # told before the system is touched
        autostart.switch(on=value)
    was_set = write()
    changed = Changed(load_settings(profile, environ).resolved(), was_set=was_set)
    for name in concerned:
        old, new = before[name], load_settings(name, environ).resolved()
        changed.migrated.add(migrate(old, new, environ=environ))
        changed.switches_account |= _account(new) not in {None, _account(old)}
    return changed


def _account(settings: Settings) -> tuple[str, str] | None:
    """Return what decides on the account that a profile trades with, or None while that is unknown."""
    return (settings.mode, settings.account) if settings.unknown.keys().isdisjoint({"mode", "account"}) else None


def _section(setting: Setting, profile: str) -> str:
    return profile if setting.per_profile else DEFAULT


def _check(setting: Setting, value: Any, profile: str, environ: Mapping[str, str]) -> None:
    """Refuse a value that the next program could not use."""
    if setting.name == "redis_url" and "@" in value.reveal():
        raise SettingsError(
            msg("An address with a user or password does not belong in a file. Put it in {variable}."),
            variable=setting.environment,
        )
    if setting.name == "data_dir":
        _as_settings_error(lambda: check_writable(value))
    if setting.name == "encryption_key_file" and value:
        from tray_app.stores.encryption import check_key_file

        _as_settings_error(lambda: check_key_file(value))
    if setting.name == "account" and value:
        _check_account(value)
    if setting.name == "share_bot_file" and value:
        _check_bot_file(value, profile, environ)
    if setting.name == "store" and not variable(environ, setting.environment):
        _check_store(value, load_settings(profile, environ, store=value))


def _check_account(alias: str) -> None:
    known = modes()
    if not known:
        raise SettingsError(msg("kiwoomcli has no accounts on this computer. Set one up with: kiwoomcli setup"))
    if alias not in known:
        raise SettingsError(msg("kiwoomcli does not know that account. It knows: {names}"), names=", ".join(known))


def _as_settings_error(check: Callable[[], None]) -> None:
    """Raise what `check` raises about a place as an error of the setting that names it."""
    try:
        check()
    except StoreError as error:
        values: dict[str, Any] = error.values
        raise SettingsError(error.message, **values) from None


def _check_store(store: str, settings: Settings) -> None:
    from tray_app.service.composition import open_store

    if settings.is_usable:
        open_store(settings)
    if store == "keyring":
        from tray_app.stores.keyring_client import shared_keyring_client

        try:
            shared_keyring_client().check()
        except KeyringUnavailable as error:
            if error.problem in {KeyringUnavailable.MISSING, KeyringUnavailable.UNREACHABLE}:
                raise


def _check_bot_file(path: str, profile: str, environ: Mapping[str, str]) -> None:
    """Refuse a file of another profile, since a bot must not get the token of another account, and one of another
    program."""
    if is_token_file(path, load_settings(profile, environ).data_dir):
        raise SettingsError(msg("A token itself is stored in {path}. Choose another file for bots."), path=path)
    for other in dict.fromkeys([DEFAULT, *named_profiles(environ)]):
        if other != profile and is_same_path(path, load_settings(other, environ).share_bot_file or os.devnull):
            raise SettingsError(
                msg("{path} is the file of the profile {profile}, whose token a bot would get. Choose another."),
                path=path,
                profile=other,
            )
    from tray_app.exports.files import BotFile

    _as_settings_error(BotFile(path).check)
