"""Settings as one profile sees them: environment, then `[profiles.NAME]`, then the file, then the default.

A named profile that `kiwoomcli` knows as an alias has the alias's mode, unless the environment or its own
section says otherwise. The default profile may stand for one of these accounts as well, see `account`.
"""

from __future__ import annotations

import contextlib
import os
import sys

from tray_app.core.errors import InvalidInput, SettingsError
from tray_app.core.language import msg
from tray_app.core.profile import DEFAULT, case_conflict, check_profile
from tray_app.settings.document import read_document
from tray_app.settings.places import is_same_path, is_token_file, settings_file
from tray_app.settings.table import MODES, TABLE, read_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from typing import Any

    from tray_app.core.secret import Secret
    from tray_app.settings.document import Document


_TELLS_CASE = sys.platform not in {"win32", "darwin"}

ENVIRONMENT, PROFILE, FILE, KWCLI, UNSET = "environment", "profile", "file", "kiwoomcli", "default"
"""Where a value comes from; `PROFILE` is the profile's own section, `KWCLI` the alias of the same name."""

_BOT_FILE = "share_bot_file"
_NO_SECTION = msg("{path}, line {line}: the settings of a profile belong under a head such as [profiles.NAME].")


class Settings:
    """The settings of one profile; the names are those of the table.

    `has_own_data_dir` tells whether anybody chose the data folder; `problems` lists what in the file could
    not be used; `sources` has the name of each setting that somebody set, and where.
    """

    __slots__ = (
        "_mode",
        "_mode_of_accounts",
        "account",
        "autostart",
        "base_url",
        "data_dir",
        "encryption_key_file",
        "encryption_keys",
        "has_own_data_dir",
        "language",
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
    policy: str
    renew_before: int
    share_bot_file: str
    share_kwcli: bool
    share_token_file: bool
    warn_before: tuple[int, ...]
    base_url: str | None
    problems: tuple[SettingsError, ...]
    sources: dict[str, str]
    _mode: str | None
    _mode_of_accounts: Callable[[], str]

    @property
    def mode(self) -> str:
        """`real` or `demo`. Looks at `kiwoomcli`'s accounts only when it is asked for and nobody set it."""
        if self._mode is None:
            self._mode = self._mode_of_accounts()
        return self._mode

    @mode.setter
    def mode(self, mode: str) -> None:
        self._mode = mode

    def find_mode_by(self, mode_of_accounts: Callable[[], str]) -> None:
        """What `mode` asks when nobody sets it."""
        self._mode = None
        self._mode_of_accounts = mode_of_accounts

    def source_of(self, name: str) -> str:
        """Where the value of that setting comes from. For the mode, looks at `kiwoomcli`'s accounts."""
        source = self.sources.get(name, UNSET)
        if name == "mode" and self.profile != DEFAULT and source in {FILE, UNSET} and self.profile in _kwcli_aliases():
            return KWCLI
        return source


def profile_name(named: str | None, environ: Mapping[str, str] = os.environ) -> str:
    """`named`, else `KIWOOM_PROFILE`, else `default`. Raises `InvalidInput`."""
    return check_profile(named if named is not None else environ.get("KIWOOM_PROFILE", "").strip() or DEFAULT)


def load_settings(profile: str | None = None, environ: Mapping[str, str] = os.environ, **chosen: object) -> Settings:
    """Reads `settings.toml` and the environment; what is `chosen` by name and not None goes before both.

    Raises `InvalidInput` for a bad profile name, or one that only upper and lower case tell from another, and
    `SettingsError` for a bad environment variable. What is wrong in the file is listed in `problems`, and the rest of
    the file still applies.
    """
    settings = Settings()
    settings.profile = profile_name(profile, environ)
    problems: list[SettingsError] = []
    shared, own = _from_file(settings_file(environ), settings.profile, problems)
    if profile is None and not own and _is_account_of_default(settings.profile, shared, environ):
        settings.profile = DEFAULT
    values = shared | own
    settings.sources = dict.fromkeys(shared, FILE)
    if settings.profile == DEFAULT:
        settings.find_mode_by(lambda: _mode_of_keys(environ, settings.account))
    else:
        values = {name: value for name, value in shared.items() if TABLE[name].inherited} | own
        mode = values.pop("mode", MODES[0]) if "mode" not in own else MODES[0]
        settings.find_mode_by(lambda: _kwcli_aliases().get(settings.profile, mode))
        settings.sources = {name: FILE for name in shared if TABLE[name].inherited} | dict.fromkeys(own, PROFILE)
    for setting in TABLE.values():
        if chosen.get(setting.name) is not None:
            values[setting.name] = read_value(setting, chosen[setting.name], setting.name)
        elif setting.environment and environ.get(setting.environment):
            values[setting.name] = read_value(setting, environ[setting.environment], setting.environment)
            settings.sources[setting.name] = ENVIRONMENT
    settings.has_own_data_dir = "data_dir" in values
    values.setdefault("data_dir", os.path.abspath("data"))
    for setting in TABLE.values():
        if setting.name != "mode" or "mode" in values:
            setattr(settings, setting.name, values.get(setting.name, setting.default))
    settings.base_url = _base_url(environ.get("KIWOOM_TRAY_BASE_URL", "").strip())
    settings.encryption_keys = _encryption_keys(environ.get("KIWOOM_TRAY_ENCRYPTION_KEY", ""))
    _keep_from_token_files(settings, problems)
    settings.problems = tuple(problems)
    return settings


def _kwcli_aliases() -> dict[str, str]:
    from tray_app.settings.kwcli import aliases

    return aliases()


def _mode_of_keys(environ: Mapping[str, str], account: str) -> str:
    """Mock where only mock keys can be meant: by the environment, else by the account that was chosen, else by all
    that `kiwoomcli` has."""
    if environ.get("APP_KEY"):
        return MODES[0]
    if environ.get("APP_KEY_MOCK"):
        return MODES[1]
    aliases = _kwcli_aliases()
    return aliases.get(account) or (MODES[1] if set(aliases.values()) == {MODES[1]} else MODES[0])


def _is_account_of_default(name: str, shared: Mapping[str, str], environ: Mapping[str, str]) -> bool:
    """Whether the environment, as `exec` makes it for `kiwoomcli`, calls by its alias what the default profile is
    here: the same keys, so the same token."""
    if name == DEFAULT or shared.get("account") != name:
        return False
    mode = environ.get("KIWOOM_MODE") or shared.get("mode")
    has_own_keys = environ.get("APP_KEY" if mode == MODES[0] else "APP_KEY_MOCK")
    return not has_own_keys and mode == _kwcli_aliases().get(name)


def chosen_account(environ: Mapping[str, str] = os.environ) -> str:
    """What `account` says this moment, as another program may have kept it since the settings were read."""
    account = read_document(settings_file(environ)).fields.get("account")
    return account if isinstance(account, str) else ""


def named_profiles(environ: Mapping[str, str] = os.environ) -> list[str]:
    """The profiles that have a section of their own in `settings.toml`."""
    sections = read_document(settings_file(environ)).fields.get("profiles")
    return list(sections) if isinstance(sections, dict) else []


def known_profiles(environ: Mapping[str, str] = os.environ) -> list[str]:
    """The default profile, those with a section of their own and the aliases of `kiwoomcli`; each name is usable."""
    known = [DEFAULT]
    sections, aliases = named_profiles(environ), _kwcli_aliases()
    for name in (*sections, *aliases):
        with contextlib.suppress(InvalidInput):
            _refuse_twin(name, sections, lambda: aliases)
            known.append(check_profile(name))
    return list(dict.fromkeys(known))


def _refuse_twin(name: str, sections: Collection[str], find_aliases: Callable[[], Collection[str]]) -> None:
    """One rule on every system, because settings move; but two aliases that `kiwoomcli` has are two accounts wherever
    files tell them apart."""
    if name == DEFAULT:
        return
    other = case_conflict(name, (DEFAULT, *sections))
    if not other and name not in sections:
        aliases = find_aliases()
        other = "" if name in aliases and _TELLS_CASE else case_conflict(name, aliases)
    if other:
        raise InvalidInput(
            msg("There is a profile {other} already, and some computers keep both in one file. Choose another name."),
            other=other,
        )


def _base_url(url: str) -> str | None:
    """Refuses early what keys must not be sent to; the client takes the address apart in full before it does."""
    scheme, _, rest = url.lower().partition("://")
    on_this_computer = rest.startswith(("127.", "localhost", "[::1]"))
    if url and scheme != "https" and not (scheme == "http" and on_this_computer):
        raise SettingsError(
            msg("KIWOOM_TRAY_BASE_URL must be https, or http on this computer itself (127.0.0.1, localhost).")
        )
    return url or None


def _encryption_keys(text: str) -> Secret | None:
    """Refuses early what is no Fernet key: 32 bytes in base64, which are 44 characters."""
    if not text.strip():
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


def _from_file(path: str, profile: str, problems: list[SettingsError]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What stands outside of the profiles' sections, and what stands in this profile's own."""
    values: dict[str, Any] = {}
    own: dict[str, Any] = {}
    document = read_document(path)
    problems += document.problems
    for name, value in document.fields.items():
        if name != "profiles":
            _take(document, (name,), value, values, problems)
    sections = document.fields.get("profiles")
    _refuse_twin(profile, sections if isinstance(sections, dict) else (), _kwcli_aliases)
    if not isinstance(sections, dict | None):
        problems.append(document.problem(_NO_SECTION, ("profiles",)))
    elif sections and not isinstance(sections.get(profile, {}), dict):
        problems.append(document.problem(_NO_SECTION, ("profiles", profile)))
    if isinstance(sections, dict) and isinstance(sections.get(profile), dict):
        for name, value in sections[profile].items():
            _take(document, ("profiles", profile, name), value, own, problems)
        if profile != DEFAULT and own.get(_BOT_FILE):
            _leave_out_if_taken(document, profile, own, problems)
    return values, own


def _leave_out_if_taken(document: Document, profile: str, own: dict[str, Any], problems: list[SettingsError]) -> None:
    """A bot must not get the token of another account: the file is that of the profile which comes first."""
    for other, path in _bot_files_before(document, profile):
        if is_same_path(path, own[_BOT_FILE]):
            message = msg(
                "{path}, line {line}: share_bot_file is left out, because the profile {profile} has that file already."
            )
            problems.append(document.problem(message, ("profiles", profile, _BOT_FILE), profile=other))
            del own[_BOT_FILE]
            return


def _bot_files_before(document: Document, profile: str) -> Iterator[tuple[str, str]]:
    """The profiles before that one which have a file for bots, and which file; the default one is the first."""
    sections = {name: one for name, one in document.fields["profiles"].items() if isinstance(one, dict)}
    of_default = {**document.fields, **sections.pop(DEFAULT, {})}
    for name, fields in {DEFAULT: of_default, **sections}.items():
        if name == profile:
            return
        with contextlib.suppress(ValueError):
            path = TABLE[_BOT_FILE].kind.read(fields.get(_BOT_FILE, ""))
            if path:
                yield name, path


def _keep_from_token_files(settings: Settings, problems: list[SettingsError]) -> None:
    if settings.share_bot_file and is_token_file(settings.share_bot_file, settings.data_dir):
        problems.append(SettingsError(msg("share_bot_file is left out, because it is the file of a token itself.")))
        settings.share_bot_file = ""


def _no_such_setting(name: str) -> str:
    """The name is not repeated: it may be a key that was pasted where a setting belongs."""
    if name in TABLE:
        return msg("{path}, line {line}: this setting is the same for all profiles. Put it before the first section.")
    return msg("{path}, line {line}: there is no such setting. See them all: kiwoom-token config")


def _take(
    document: Document, keys: tuple[str, ...], value: object, values: dict[str, Any], problems: list[SettingsError]
) -> None:
    name = keys[-1]
    setting = TABLE.get(name)
    if setting is None or (len(keys) > 1 and not setting.per_profile):
        problems.append(document.problem(_no_such_setting(name), keys))
    elif name == "redis_url" and "@" in str(value):
        message = msg("{path}, line {line}: a Redis address with a user or password belongs in KIWOOM_TRAY_REDIS_URL.")
        problems.append(document.problem(message, keys))
    else:
        try:
            values[name] = setting.kind.read(value)
        except ValueError as error:
            message = msg("{path}, line {line}: {name} cannot be used. It takes: {expected}")
            problems.append(document.problem(message, keys, name=name, expected=str(error)))
