"""What the set-up does to the machine. Each call may wait for disk, keyring or Kiwoom: never on the GUI thread."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tray_app import autostart
from tray_app.core import logs
from tray_app.core.errors import AutostartFailed, InvalidInput, KeyringUnavailable, KeysMissing
from tray_app.core.profile import DEFAULT
from tray_app.core.variables import variable
from tray_app.kiwoom.keys import find_keys, has_keys, keys_of_environment
from tray_app.service.composition import open_service, open_store
from tray_app.service.login import keep_keys, leave_account
from tray_app.settings import kwcli
from tray_app.settings.save import save_setting, settle_data_dir
from tray_app.settings.table import MODES
from tray_app.stores.base import Place
from tray_app.stores.keyring_client import shared_keyring_client

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tray_app.core.errors import KiwoomTokenError
    from tray_app.kiwoom.keys import AppKeys
    from tray_app.service.token_service import Outcome
    from tray_app.settings.load import Settings

KWCLI_PROGRAM = "kiwoomcli"


@dataclass(frozen=True, slots=True)
class FoundKeys:
    """Keys that are here already, without the keys: whose they are. `alias` is `kiwoomcli`'s name for the account."""

    mode: str
    alias: str = ""
    in_environment: bool = False


@dataclass(frozen=True, slots=True)
class Search:
    """What a look for keys brought. `problem` is why the keyring could not be asked (of `KeyringUnavailable`).

    `mode` is the one that the settings name now.
    """

    found: tuple[FoundKeys, ...] = ()
    problem: str = ""
    mode: str = "real"


@dataclass(frozen=True, slots=True)
class Kept:
    """Kiwoom has accepted the keys: the first token's end in seconds of the epoch, and what kept it from its place."""

    mode: str
    ends: float
    unsaved: KiwoomTokenError | None = None


@dataclass(frozen=True, slots=True)
class PlaceFound:
    """Where the token will rest: as in `Place`, and the setting `store`, which an environment variable may fix."""

    kind: str
    path: str = ""
    problem: str = ""
    store: str = "auto"
    is_fixed: bool = False


@dataclass(frozen=True, slots=True)
class Habits:
    """What happens every day. `autostart` and `share_kwcli` are None where there is no such thing."""

    autostart: bool | None = None
    share_kwcli: bool | None = None
    policy: str = "auto"


class SetupActions(Protocol):
    """Everything the set-up may do. Raises `KiwoomTokenError` types."""

    def find_keys(self) -> Search: ...
    def use_keys(self, found: FoundKeys) -> Kept: ...
    def check_keys(self, mode: str, keys: AppKeys) -> Kept: ...
    def unlock(self) -> None: ...
    def place(self) -> PlaceFound: ...
    def habits(self) -> Habits: ...
    def set_setting(self, name: str, value: object) -> None: ...
    def set_autostart(self, *, on: bool) -> None: ...


class MachineSetup:
    """The effects on this machine, for the profile of `settings`, which are kept up to date.

    A language that was chosen is written down together with the first thing that is kept, so that who only
    practises leaves nothing behind.
    """

    def __init__(self, settings: Settings, environ: Mapping[str, str] = os.environ) -> None:
        self._settings = settings
        self._environ = environ
        self._keyring_client = shared_keyring_client()
        self._language: str | None = None

    def find_keys(self) -> Search:
        """Keys in the environment go before all others of their mode, so those are then not looked for."""
        found = [FoundKeys(mode, in_environment=True) for mode in MODES if self._in_environment(mode)]
        problem = ""
        try:
            found += self._in_keyring()
            self._keyring_client.check()
        except KeyringUnavailable as error:
            problem = error.problem
        return Search(tuple(found), problem, self._mode())

    def use_keys(self, found: FoundKeys) -> Kept:
        """A token is issued with them. Those of one of several `kiwoomcli` accounts become the default account's."""
        profile = self._settings.profile
        if found.in_environment or not found.alias or profile != DEFAULT or self._is_only_alias(found):
            self.settle()
            settings = self._of_mode(found.mode)
            keys = find_keys(profile, found.mode, self._environ, self._keyring_client, found.alias)
            outcome = open_service(settings, keys=keys, environ=self._environ).refresh()
            save_setting("mode", found.mode, profile, self._environ)
            if keys.alias is None and not found.in_environment:
                leave_account(self._environ)
            return self._kept(found.mode, outcome)
        keys = find_keys(found.alias, found.mode, self._environ, self._keyring_client)
        keys.alias = None
        return self.check_keys(found.mode, keys)

    def check_keys(self, mode: str, keys: AppKeys) -> Kept:
        """A token is issued with the keys, then they are kept. The keyring is asked first: there is nowhere else."""
        self._keyring_client.check()
        self.settle()
        outcome = keep_keys(self._of_mode(mode), keys)
        if outcome is None:
            raise AssertionError("keys were kept without a check")
        return self._kept(mode, outcome)

    def unlock(self) -> None:
        """Lets the keyring ask for its password and waits for it, two minutes at the most."""
        self._keyring_client.unlock()

    def place(self) -> PlaceFound:
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
        return PlaceFound(place.kind, place.path, place.problem_code, settings.store, is_fixed)

    def habits(self) -> Habits:
        has_kwcli = os.path.exists(kwcli.settings_path()) or shutil.which(KWCLI_PROGRAM) is not None
        return Habits(
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
        if name == "store" and value == "keyring":
            self._leave_the_file()
        save_setting(name, value, self._settings.profile if name in _OF_A_PROFILE else DEFAULT, self._environ)
        self._settings = self._settings.replace(**{name: value})

    def set_autostart(self, *, on: bool) -> None:
        autostart.switch(on=on)

    def settle(self) -> None:
        """From now on there are settings, and the next start does not ask again. Raises `SettingsError`."""
        self._settings = settle_data_dir(self._settings, self._environ)
        if self._language is not None:
            save_setting("language", self._language, environ=self._environ)
            self._language = None

    def _in_environment(self, mode: str) -> bool:
        try:
            return self._settings.profile == DEFAULT and keys_of_environment(mode, self._environ) is not None
        except (KeysMissing, InvalidInput):
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
        """Whether the default account uses its keys anyway."""
        if found.alias == self._settings.account:
            return True
        of_this_mode = [alias for alias, mode in kwcli.aliases().items() if mode == found.mode]
        return of_this_mode == [found.alias] and not has_keys(DEFAULT, found.mode, self._keyring_client)

    def _leave_the_file(self) -> None:
        """What rests in the file goes to the keyring, or away: it was said that it must not lie there."""
        before = open_service(self._settings, environ=self._environ)
        token = before.current()
        if token is None or before.place().kind != "file":
            return
        before.clear()
        open_service(self._with_store("keyring"), environ=self._environ).put(token)

    def _mode(self) -> str:
        """The mode to begin with; where it cannot be told, the user chooses."""
        settings = self._settings.resolved()
        return MODES[0] if "mode" in settings.unknown else settings.mode

    def _of_mode(self, mode: str) -> Settings:
        return self._settings.replace(mode=mode)

    def _with_store(self, store: str) -> Settings:
        return self._settings.replace(store=store)

    def _kept(self, mode: str, outcome: Outcome) -> Kept:
        self._settings = self._settings.replace(mode=mode)
        return Kept(mode, outcome.token.expires, outcome.unsaved)


_OF_A_PROFILE = frozenset({"policy", "share_kwcli"})


def _is_started_at_login() -> bool | None:
    """None where the system cannot be asked."""
    try:
        status = autostart.for_this_system().status()
    except AutostartFailed as error:
        logs.warning("Starting at login: %s", error)
        return None
    return status.configured and status.enabled
