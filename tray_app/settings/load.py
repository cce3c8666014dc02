"""Settings as one profile sees them: environment, then `[profiles.NAME]`, then the file, then the default.

A named profile that `kiwoomcli` knows as an alias has the alias's mode, unless its own section says otherwise. Its
keys are for that mode alone, so another one in the environment is refused, as `kiwoomcli` does. The default profile may
stand for one of these accounts as well, see `account`.
"""

from __future__ import annotations

import contextlib
import os
import sys

from tray_app.core.errors import InvalidInput, SettingsError
from tray_app.core.language import msg
from tray_app.core.pasted import variable
from tray_app.core.profile import DEFAULT, MODE_NAMES, case_conflict, check_profile, normalized
from tray_app.settings.document import read_document
from tray_app.settings.file_layers import BOT_FILE, SettingsFile
from tray_app.settings.places import config_dir, default_data_dir, is_token_file, settings_file
from tray_app.settings.table import KEY_VARIABLES, MODES, TABLE, read_value
from tray_app.system.user_folders import is_anothers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from typing import Any

    from tray_app.core.secret import Secret
    from tray_app.settings.document import Document
    from tray_app.settings.table import Setting


HAS_CASE_SENSITIVE_NAMES = sys.platform not in {"win32", "darwin"}

ENVIRONMENT, PROFILE, FILE, KWCLI, UNSET = "environment", "profile", "file", "kiwoomcli", "default"
"""Where a value comes from; `PROFILE` is the profile's own section, `KWCLI` the alias of the same name."""

NO_SHARES = {"share_kwcli": False, "share_token_file": False, BOT_FILE: ""}
"""The settings with which no other tool gets the token."""

_OF_A_LOGIN = set("@?#")
"""What precedes or follows a password in an address."""

_BOT_FILE_IS_TOKEN_FILE = msg("share_bot_file is left out, because it is the file of a token itself.")


class Settings:
    """The settings of one profile, immutable; the names are those of the table. `replace` returns changed ones.

    `has_own_data_dir` is True if somebody chose the data folder; `problems` lists what in the file could not be used;
    `sources` maps each setting that somebody set to where that was. `unknown` has the settings whose lines were not
    understood, and why: those that are required have no value, and reading one raises its error.
    """

    # No dataclass: its import takes as long as a tenth of `kiwoom-token get`.
    __slots__ = (
        "_find_mode",
        "account",
        "autostart",
        "base_url",
        "data_dir",
        "encryption_key_file",
        "encryption_keys",
        "has_own_data_dir",
        "language",
        "mode",
        "panel",
        "policy",
        "problems",
        "profile",
        "quiet_hours",
        "redis_url",
        "renew_before",
        "share_bot_file",
        "share_kwcli",
        "share_token_file",
        "sources",
        "store",
        "theme",
        "unknown",
        "verify",
        "warn_before",
    )

    profile: str
    account: str
    autostart: bool
    panel: str
    quiet_hours: tuple[int, int] | None
    redis_url: Secret | None
    data_dir: str
    encryption_key_file: str
    encryption_keys: Secret | None
    has_own_data_dir: bool
    store: str
    theme: str
    language: str
    mode: str
    """`real` or `demo`. Where nobody set it, the first access reads `kiwoomcli`'s accounts, and raises `SettingsError`
    when they cannot be read."""
    policy: str
    renew_before: int
    share_bot_file: str
    share_kwcli: bool
    share_token_file: bool
    verify: str
    warn_before: tuple[int, ...]
    base_url: str | None
    problems: tuple[SettingsError, ...]
    sources: Mapping[str, str]
    unknown: Mapping[str, SettingsError]
    _find_mode: Callable[[Settings], str]

    def __init__(self, values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{name} cannot be set: settings never change, see replace()")

    def __delattr__(self, name: str) -> None:
        self.__setattr__(name, None)

    def __getattr__(self, name: str) -> Any:
        """Look up the mode, or raise the error of an unknown setting: Python calls this only for what has no value
        yet."""
        if name in TABLE:
            if name in self.unknown:
                raise self.unknown[name].again()
            if name == "mode":
                object.__setattr__(self, name, self._find_mode(self))
                return self.mode
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __repr__(self) -> str:
        return f"Settings({self.profile!r})"

    def replace(self, **changes: object) -> Settings:
        """Return the same settings with these changed; a changed setting is not unknown any more."""
        return Settings(
            {name: getattr(self, name) for name in self.__slots__ if self._has(name)}
            | {"unknown": {name: why for name, why in self.unknown.items() if name not in changes}}
            | changes
        )

    @property
    def is_usable(self) -> bool:
        """True if all required settings are known."""
        return not any(TABLE[name].required for name in self.unknown)

    def require(self) -> None:
        """Raise the `SettingsError` of a required setting that is unknown, if there is one.

        Whatever needs Kiwoom or a store calls this first, because otherwise real trading, plain text or another account
        could take the place of what was meant.
        """
        for name, problem in self.unknown.items():
            if TABLE[name].required:
                raise problem.again()

    def resolved(self) -> Settings:
        """Return the same settings with the mode looked up; where that fails, it is unknown. May wait for a disk."""
        if self._has("mode") or "mode" in self.unknown:
            return self
        try:
            _ = self.mode
        except SettingsError as error:
            unknown = {**self.unknown, "mode": error.again()}
            return self.replace(unknown=unknown, problems=(*self.problems, unknown["mode"]))
        return self

    def source_of(self, name: str) -> str:
        """Return where the value of that setting comes from. For the mode, looks at `kiwoomcli`'s accounts."""
        source = self.sources.get(name, UNSET)
        if name == "mode" and self.profile != DEFAULT and source in {FILE, UNSET} and self.profile in _kwcli_aliases():
            return KWCLI
        return source

    def _has(self, name: str) -> bool:
        """Return True if the setting has a value already."""
        try:
            object.__getattribute__(self, name)
        except AttributeError:
            return False
        return True


def profile_name(named: str | None, environ: Mapping[str, str] = os.environ) -> str:
    """Return `named`, else `KIWOOM_PROFILE`, else `default`. Raises `InvalidInput`."""
    return check_profile(named if named is not None else variable(environ, "KIWOOM_PROFILE") or DEFAULT)


def load_settings(profile: str | None = None, environ: Mapping[str, str] = os.environ, **chosen: object) -> Settings:
    """Read `settings.toml` and the environment. What is `chosen` by name and not None takes precedence over both.

    Raises `InvalidInput` for a bad profile name, or one that differs from another only in upper and lower case, and
    `SettingsError` for a bad environment variable. Errors in the file are listed in `problems`; the required settings
    that are unknown because of them are in `unknown`, and `Settings.require` raises.
    """
    name = profile_name(profile, environ)
    document = read_document(settings_file(environ))
    _refuse_case_conflict(name, document, _kwcli_aliases)
    file = SettingsFile(document, name, config_dir(environ))
    if profile is None and not file.has_own and _is_account_of_default(name, file.shared.values, environ):
        return load_settings(DEFAULT, environ, **chosen)
    found = _resolve(file, name, environ, chosen)
    values = found.values
    values["has_own_data_dir"] = "data_dir" in values or "data_dir" in found.unknown
    if not values["has_own_data_dir"]:
        values["data_dir"] = _seeds_folder(values.get("store"))
    bot_file = values.get(BOT_FILE)
    if bot_file and "data_dir" in values and is_token_file(bot_file, values["data_dir"]):
        file.problems.append(SettingsError(_BOT_FILE_IS_TOKEN_FILE))
        values[BOT_FILE] = ""
    for setting in TABLE.values():
        if setting.name not in found.unknown and setting.name != "mode":
            values.setdefault(setting.name, setting.default)
    return Settings(
        values
        | {
            "profile": name,
            "sources": found.sources,
            "unknown": found.unknown,
            "problems": tuple(file.problems),
            "base_url": _base_url(variable(environ, "KIWOOM_TRAY_BASE_URL")),
            "encryption_keys": _encryption_keys(variable(environ, "KIWOOM_TRAY_ENCRYPTION_KEY")),
            "_find_mode": found.find_mode,
        }
    )


def _seeds_folder(store: object) -> str:
    """Return `./data`, where nobody chose another.

    Raises `SettingsError` if the working folder is gone or the folder is another user's, unless the token is not stored
    in a file anyway.
    """
    folder = None
    with contextlib.suppress(OSError):
        folder = os.path.abspath("data")
    if folder is not None and not is_anothers(folder):
        return folder
    if store in {"keyring", "redis", "memory"}:
        return default_data_dir()
    if folder is None:
        raise SettingsError(
            msg("The folder that this was started in is gone. Name the folder for the token in KIWOOM_TRAY_DATA_DIR.")
        )
    raise SettingsError(
        msg("The folder {path} is another user's. Name the folder for the token in KIWOOM_TRAY_DATA_DIR."), path=folder
    )


class _Resolved:
    """What was found in all places together: the typed `values`, where each comes from, and what is `unknown`."""

    __slots__ = ("find_mode", "sources", "unknown", "values")

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.sources: dict[str, str] = {}
        self.unknown: dict[str, SettingsError] = {}
        self.find_mode: Callable[[Settings], str] = lambda _: MODES[0]


def _resolve(file: SettingsFile, profile: str, environ: Mapping[str, str], chosen: Mapping[str, object]) -> _Resolved:
    found = _Resolved()
    for setting in TABLE.values():
        name = setting.name
        if file.unreadable is not None and setting.is_guarded:
            found.unknown[name] = file.unreadable
        elif name == "mode" and file.address is not None:
            found.unknown[name] = file.address
        elif chosen.get(name) is not None:
            found.values[name] = read_value(setting, chosen[name], name)
        elif setting.environment and (text := variable(environ, setting.environment)):
            found.values[name] = read_value(setting, text, setting.environment)
            found.sources[name] = ENVIRONMENT
        else:
            _take_from(file, setting, profile, found)
        if name in found.unknown and not setting.required:
            found.values[name] = setting.when_unknown
    if profile == DEFAULT:
        found.find_mode = lambda settings: _mode_of_keys(environ, settings.account)
        if "account" in found.unknown and "mode" not in found.values:
            found.unknown.setdefault("mode", found.unknown["account"])
    else:
        found.unknown.pop("account", None)
        _let_alias_decide(found, has_own_mode="mode" in file.own.values)
    return found


def _take_from(file: SettingsFile, setting: Setting, profile: str, found: _Resolved) -> None:
    layers = [(file.own, PROFILE)]
    if setting.inherited or profile == DEFAULT:
        layers.append((file.shared, FILE))
    for layer, source in layers:
        if setting.name in layer.unknown:
            found.unknown[setting.name] = layer.unknown[setting.name]
            return
        if setting.name in layer.values:
            found.values[setting.name] = layer.values[setting.name]
            found.sources[setting.name] = source
            return


def _let_alias_decide(found: _Resolved, *, has_own_mode: bool) -> None:
    """Give a named profile the mode of its `kiwoomcli` alias, which takes precedence over the file's mode for all
    profiles, and refuse another one in the environment."""
    source = found.sources.get("mode")
    if source == ENVIRONMENT and not has_own_mode:
        of_environment = found.values.pop("mode")
        found.find_mode = lambda settings: _agreed_mode(settings.profile, of_environment)
    elif source == FILE:
        of_all = found.values.pop("mode")
        found.find_mode = lambda settings: _kwcli_modes().get(settings.profile, of_all)
    elif "mode" not in found.values:
        found.find_mode = lambda settings: _kwcli_modes().get(settings.profile, MODES[0])


def _agreed_mode(profile: str, of_environment: str) -> str:
    of_alias = _kwcli_aliases().get(profile, of_environment)
    if of_alias != of_environment:
        raise SettingsError(
            msg(
                "The profile {profile} is for {mode}, but KIWOOM_MODE is {variable}. "
                "Remove KIWOOM_MODE from the environment, or choose another profile."
            ),
            profile=profile,
            mode=MODE_NAMES[of_alias],
            variable=of_environment,
        )
    return of_environment


def _kwcli_aliases() -> dict[str, str]:
    from tray_app.settings.kwcli import aliases

    return aliases()


def _kwcli_modes() -> dict[str, str]:
    from tray_app.settings.kwcli import modes

    return modes()


def _mode_of_keys(environ: Mapping[str, str], account: str) -> str:
    """Return `demo` where only mock keys can be meant: by the environment, else by the chosen account, else by all
    accounts of `kiwoomcli`. A mock secret without its key counts too: it must not lead to real trading. A real secret
    alone says nothing, since other programs have an APP_SECRET of their own. Raises `SettingsError` when these decide
    and cannot be read."""
    if variable(environ, KEY_VARIABLES["real"][0]):
        return MODES[0]
    if any(variable(environ, name) for name in KEY_VARIABLES["demo"]):
        return MODES[1]
    modes = _kwcli_modes()
    return modes.get(account) or (MODES[1] if set(modes.values()) == {MODES[1]} else MODES[0])


def _is_account_of_default(name: str, shared: Mapping[str, str], environ: Mapping[str, str]) -> bool:
    """Return True if `name` is the `kiwoomcli` alias of what is the default profile here, in an environment made by
    `exec`: the same keys, so the same token."""
    if name == DEFAULT or shared.get("account") != name:
        return False
    mode = variable(environ, "KIWOOM_MODE").lower() or shared.get("mode")
    has_own_keys = variable(environ, KEY_VARIABLES.get(mode or "", KEY_VARIABLES["demo"])[0])
    return not has_own_keys and mode == _kwcli_aliases().get(name)


def chosen_account(environ: Mapping[str, str] = os.environ) -> str:
    """Return the present value of `account`, which another program may have written since the settings were read."""
    account = read_document(settings_file(environ)).fields.get("account")
    return normalized(account.strip()) if isinstance(account, str) else ""


def named_profiles(environ: Mapping[str, str] = os.environ) -> list[str]:
    """Return the profiles that have a section of their own in `settings.toml`."""
    return list(read_document(settings_file(environ)).sections)


def known_profiles(environ: Mapping[str, str] = os.environ) -> list[str]:
    """Return the default profile, those with a section of their own and the aliases of `kiwoomcli`, as far as their
    names can be used."""
    known = [DEFAULT]
    document, aliases = read_document(settings_file(environ)), _kwcli_aliases()
    for name in (*document.sections, *aliases):
        with contextlib.suppress(InvalidInput):
            _refuse_case_conflict(name, document, lambda: aliases)
            known.append(check_profile(name))
    return list(dict.fromkeys(known))


def _refuse_case_conflict(name: str, document: Document, find_aliases: Callable[[], Collection[str]]) -> None:
    """Refuse a name that differs from another one only in letter case: on every system, because settings are copied
    between them. But two aliases of `kiwoomcli` are two accounts wherever file names distinguish case."""
    if name == DEFAULT:
        return
    other = case_conflict(name, (DEFAULT, *document.sections_like(name)))
    if not other and name not in document.sections:
        aliases = find_aliases()
        other = "" if name in aliases and HAS_CASE_SENSITIVE_NAMES else case_conflict(name, aliases)
    if other:
        raise InvalidInput(
            msg("There is a profile {other} already, and some computers keep both in one file. Choose another name."),
            other=other,
        )


def _base_url(url: str) -> str | None:
    """Refuse early an address that keys must not be sent to, and one that may hold a password; the broker checks it in
    full before it sends any."""
    scheme, _, rest = url.lower().partition("://")
    on_this_computer = rest.startswith(("127.", "localhost", "[::1]"))
    is_safe = scheme == "https" or (scheme == "http" and on_this_computer)
    if url and (not is_safe or set(url) & _OF_A_LOGIN):
        raise SettingsError(
            msg(
                "KIWOOM_TRAY_BASE_URL must be https, or http on this computer itself (127.0.0.1, localhost), without "
                "user name, query or fragment."
            )
        )
    return url or None


def _encryption_keys(text: str) -> Secret | None:
    """Refuse early what is no Fernet key: 32 bytes in base64, which are 44 characters."""
    if not text:
        return None
    import re

    from tray_app.core.secret import Secret

    keys = text.replace(",", " ").split()
    if not all(re.fullmatch(r"[A-Za-z0-9_-]{43}=", key) for key in keys):
        raise SettingsError(
            msg(
                "KIWOOM_TRAY_ENCRYPTION_KEY is not a Fernet key. Make one with: "
                'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'
            )
        )
    return Secret(",".join(keys))
