"""What the setup wizard reads and changes. Each call may wait for disk, keyring or Kiwoom: not for the GUI thread."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tray_app import autostart
from tray_app.core import logs
from tray_app.core.errors import AutostartFailed, KeyringUnavailable, KeysMissing
from tray_app.core.pasted import variable
from tray_app.core.profile import DEFAULT
from tray_app.kiwoom.keys import find_keys, has_keys, keys_of_environment
from tray_app.service.composition import open_service, open_store
from tray_app.service.login import keep_keys, leave_account
from tray_app.service.migration import migrate
from tray_app.service.settings_changes import change_setting
from tray_app.settings import kwcli
from tray_app.settings.save import save_setting, settle_data_dir
from tray_app.settings.table import MODES, TABLE
from tray_app.stores.base import Place
from tray_app.stores.keyring_client import shared_keyring_client

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tray_app.core.errors import KiwoomTokenError
    from tray_app.kiwoom.keys import AppKeys
    from tray_app.service.outcome import Outcome
    from tray_app.settings.load import Settings

KWCLI_PROGRAM = "kiwoomcli"


@dataclass(frozen=True, slots=True)
class FoundKeys:
    """Whose keys were found, without the keys themselves. `alias` is the name of the account in `kiwoomcli`."""

    mode: str
    alias: str = ""
    in_environment: bool = False


@dataclass(frozen=True, slots=True)
class KeySearch:
    """The keys found on this computer.

    `problem` is why the keyring could not be read (a code of `KeyringUnavailable`), `mode` that of the settings.
    """

    found: tuple[FoundKeys, ...] = ()
    problem: str = ""
    mode: str = "real"


@dataclass(frozen=True, slots=True)
class AcceptedKeys:
    """Keys that Kiwoom has accepted: when the first token expires (epoch seconds), and why it could not be stored."""

    mode: str
    expires: float
    unsaved: KiwoomTokenError | None = None


@dataclass(frozen=True, slots=True)
class StorageInfo:
    """Where the token will be stored, as in `Place`; `is_fixed` when an environment variable sets `store`."""

    kind: str
    path: str = ""
    problem: str = ""
    store: str = "auto"
    is_fixed: bool = False


@dataclass(frozen=True, slots=True)
class StartupOptions:
    """Start at login, kiwoomcli and renewal. `autostart` and `share_kwcli` are None where they do not apply."""

    autostart: bool | None = None
    share_kwcli: bool | None = None
    policy: str = "auto"


class SetupActions(Protocol):
    """Everything the wizard may do. Raises subclasses of `KiwoomTokenError`."""

    def find_keys(self) -> KeySearch: ...
    def use_keys(self, found: FoundKeys) -> AcceptedKeys: ...
    def check_keys(self, mode: str, keys: AppKeys) -> AcceptedKeys: ...
    def unlock(self) -> None: ...
    def storage(self) -> StorageInfo: ...
    def startup_options(self) -> StartupOptions: ...
    def set_setting(self, name: str, value: object) -> None: ...
    def set_autostart(self, *, on: bool) -> None: ...


class LocalSetupActions:
    """The actions on this computer, for the account of `settings`, which they keep up to date.

    The chosen language is saved together with the first other change, so that trying the sandbox leaves nothing
    behind.
    """

    def __init__(self, settings: Settings, environ: Mapping[str, str] = os.environ) -> None:
        self._settings = settings
        self._environ = environ
        self._keyring_client = shared_keyring_client()
        self._language: str | None = None

    def find_keys(self) -> KeySearch:
        """Find the keys on this computer. Keys in the environment take precedence over others of their mode."""
        found = [FoundKeys(mode, in_environment=True) for mode in MODES if self._in_environment(mode)]
        problem = ""
        try:
            found += self._in_keyring()
            self._keyring_client.check()
        except KeyringUnavailable as error:
            problem = error.problem
        return KeySearch(tuple(found), problem, self._mode())

    def use_keys(self, found: FoundKeys) -> AcceptedKeys:
        """Issue a token with found keys. Those of one of several `kiwoomcli` accounts become the default account's."""
        profile = self._settings.profile
        if found.in_environment or not found.alias or profile != DEFAULT or self._is_only_alias(found):
            self.settle()
            settings = self._of_mode(found.mode)
            keys = find_keys(profile, found.mode, self._environ, self._keyring_client, found.alias)
            outcome = open_service(settings, keys=keys, environ=self._environ).refresh()
            save_setting("mode", found.mode, profile, self._environ)
            if keys.alias is None and not found.in_environment:
                leave_account(self._environ)
            return self._accepted(found.mode, outcome)
        keys = find_keys(found.alias, found.mode, self._environ, self._keyring_client)
        keys.alias = None
        return self.check_keys(found.mode, keys)

    def check_keys(self, mode: str, keys: AppKeys) -> AcceptedKeys:
        """Issue a token with the keys, then store them. The keyring is checked first, because keys go nowhere else."""
        self._keyring_client.check()
        self.settle()
        outcome = keep_keys(self._of_mode(mode), keys, environ=self._environ)
        if outcome is None:
            raise AssertionError("keys were stored without a check")
        return self._accepted(mode, outcome)

    def unlock(self) -> None:
        """Let the keyring ask for its password and wait for it, two minutes at most."""
        self._keyring_client.unlock()

    def storage(self) -> StorageInfo:
        settings = self._settings
        is_fixed = bool(variable(self._environ, "KIWOOM_TRAY_STORE"))
        if settings.store in {"auto", "keyring"}:
            place = Place("keyring")
            try:
                self._keyring_client.check()
            except KeyringUnavailable as error:
                place = open_store(self._with_store("file")).place() if settings.store == "auto" else place
                place = Place(place.kind, place.path, error)
        else:
            place = open_store(settings).place()
        return StorageInfo(place.kind, place.path, place.problem_code, settings.store, is_fixed)

    def startup_options(self) -> StartupOptions:
        has_kwcli = os.path.exists(kwcli.settings_path()) or shutil.which(KWCLI_PROGRAM) is not None
        return StartupOptions(
            autostart=_is_started_at_login(),
            share_kwcli=self._settings.share_kwcli if has_kwcli or self._settings.share_kwcli else None,
            policy=self._settings.policy,
        )

    def set_setting(self, name: str, value: object) -> None:
        if name == "language":
            self._language = str(value)
            self._settings = self._settings.replace(language=self._language)
            if self._settings.has_own_data_dir:
                self.settle()
            return
        self.settle()
        setting = TABLE[name]
        typed = setting.kind.read(value)
        if name == "store" and value == "keyring":
            self._empty_file()
        change_setting(setting, typed, self._settings.profile, self._environ, creates_profile=False)
        self._settings = self._settings.replace(**{name: typed})

    def set_autostart(self, *, on: bool) -> None:
        autostart.switch(on=on)

    def settle(self) -> None:
        """Write the settings file, so that the next start shows no wizard. Raises `SettingsError`."""
        self._settings = settle_data_dir(self._settings, self._environ)
        if self._language is not None:
            save_setting("language", self._language, environ=self._environ)
            self._language = None

    def _in_environment(self, mode: str) -> bool:
        try:
            return self._settings.profile == DEFAULT and keys_of_environment(mode, self._environ) is not None
        except KeysMissing:
            return False

    def _in_keyring(self) -> list[FoundKeys]:
        profile, accounts = self._settings.profile, kwcli.aliases()
        if profile != DEFAULT:
            mode = accounts.get(profile) or self._mode()
            return [FoundKeys(mode, profile)] if has_keys(profile, mode, self._keyring_client) else []
        named = [("", mode) for mode in MODES] + list(accounts.items())
        return [
            FoundKeys(mode, alias)
            for alias, mode in named
            if not self._in_environment(mode) and has_keys(alias or DEFAULT, mode, self._keyring_client)
        ]

    def _is_only_alias(self, found: FoundKeys) -> bool:
        """Return True if the default account would use these keys anyway."""
        if found.alias == self._settings.account:
            return True
        of_this_mode = [alias for alias, mode in kwcli.aliases().items() if mode == found.mode]
        return of_this_mode == [found.alias] and not has_keys(DEFAULT, found.mode, self._keyring_client)

    def _empty_file(self) -> None:
        """Move a token from the file to the keyring: the user wants it in no file. If the keyring does not take it, it
        stays where it is."""
        before = open_service(self._settings, environ=self._environ)
        if before.current() is None or before.store.place().kind != "file":
            return
        migrated = migrate(self._settings, self._with_store("keyring"), old=before, environ=self._environ)
        if migrated.failures:
            raise migrated.failures[0]

    def _mode(self) -> str:
        """Return the mode to begin with; the user chooses where it is not known."""
        settings = self._settings.resolved()
        return MODES[0] if "mode" in settings.unknown else settings.mode

    def _of_mode(self, mode: str) -> Settings:
        return self._settings.replace(mode=mode)

    def _with_store(self, store: str) -> Settings:
        return self._settings.replace(store=store)

    def _accepted(self, mode: str, outcome: Outcome) -> AcceptedKeys:
        self._settings = self._settings.replace(mode=mode)
        return AcceptedKeys(mode, outcome.token.expires, outcome.unsaved)


def _is_started_at_login() -> bool | None:
    """Return True if the program starts at login; None where the system cannot be asked."""
    try:
        status = autostart.for_this_system().status()
    except AutostartFailed as error:
        logs.warning("Starting at login: %s", error)
        return None
    return status.configured and status.enabled
