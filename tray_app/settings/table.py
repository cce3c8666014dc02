"""The one table of settings: name, kind, default and meaning of each.

What `settings.toml` may contain, what `kiwoom-token config` takes and what the settings window shows all come from it.
"""

from __future__ import annotations

import sys

from tray_app.core.errors import SettingsError
from tray_app.core.language import msg
from tray_app.core.profile import MODE_NAMES
from tray_app.settings.kinds import Alias, Choice, File, Folder, Hours, Kind, Policy, RedisAddress, Span, Spans, Switch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MODES = ("real", "demo")
KEY_VARIABLES = {"real": ("APP_KEY", "APP_SECRET"), "demo": ("APP_KEY_MOCK", "APP_SECRET_MOCK")}
"""The environment variables of the default profile's keys, as in `kiwoomcli`."""

_KEYRING_STORES = {
    "win32": (
        msg("Windows Credential Manager, else a file"),
        msg("Windows Credential Manager, never in plain text"),
    ),
    "darwin": (msg("the Keychain, else a file"), msg("the Keychain, never in plain text")),
}
_AUTO, _KEYRING = _KEYRING_STORES.get(
    sys.platform, (msg("the keyring, else a file"), msg("the keyring, never in plain text"))
)
_STORES = {
    "auto": _AUTO,
    "keyring": _KEYRING,
    "file": msg("a file in the data folder"),
    "redis": msg("Redis, for several computers"),
    "memory": msg("memory, until the program ends"),
}
_CHECKS = {"auto": msg("at the start, before and in trading hours"), "off": msg("only when asked")}
_LANGUAGES = {"auto": msg("as the system"), "ko": "한국어", "en": "English"}
_SHADES = {"auto": msg("as the system"), "dark": msg("dark"), "light": msg("light")}

RENEWAL, NOTICES, SHARING, STORAGE, PROGRAM = "renewal", "notices", "sharing", "storage", "program"
GROUPS = (RENEWAL, NOTICES, SHARING, STORAGE, PROGRAM)


class Setting:
    """One setting. Users read its `meaning`, in `group`.

    `per_profile` settings may also be set in `[profiles.NAME]`; a value outside applies to all profiles, or to the
    default one alone when `inherited` is False. `environment` names a variable that takes precedence.

    Where its line in the file was not understood, `required` settings have no value, and whatever depends on them
    refuses to work; others have the value `when_unknown`.
    """

    __slots__ = (
        "default",
        "environment",
        "group",
        "inherited",
        "kind",
        "meaning",
        "name",
        "per_profile",
        "required",
        "when_unknown",
    )

    def __init__(
        self,
        group: str,
        name: str,
        kind: Kind,
        default: object,
        meaning: str,
        *,
        environment: str = "",
        per_profile: bool = False,
        inherited: bool = True,
        required: bool = False,
        when_unknown: object = None,
    ) -> None:
        self.group = group
        self.name = name
        self.kind = kind
        self.default = default
        self.meaning = meaning
        self.environment = environment
        self.per_profile = per_profile
        self.inherited = inherited
        self.required = required
        self.when_unknown = default if when_unknown is None else when_unknown

    @property
    def is_guarded(self) -> bool:
        """True if a setting that is unknown is treated differently from one that is not set."""
        return self.required or self.when_unknown != self.default


TABLE: dict[str, Setting] = {
    one.name: one
    for one in (
        Setting(
            RENEWAL,
            "policy",
            Policy(),
            "auto",
            msg("Token renewal"),
            per_profile=True,
            when_unknown="notify",  # which revokes nothing and issues nothing
        ),
        Setting(RENEWAL, "renew_before", Span(), 600, msg("Check with Kiwoom before expiry"), per_profile=True),
        Setting(
            RENEWAL,
            "verify",
            Choice(_CHECKS),
            "auto",
            msg("Check that the token works"),
            per_profile=True,
        ),
        Setting(
            RENEWAL,
            "mode",
            Choice(MODE_NAMES),
            None,
            msg("Real or mock trading"),
            environment="KIWOOM_MODE",
            per_profile=True,
            required=True,
        ),
        Setting(RENEWAL, "account", Alias(), "", msg("The kiwoomcli account of the default profile"), required=True),
        Setting(
            NOTICES,
            "warn_before",
            Spans(),
            (1800, 600, 300, 0),
            msg("Warn before expiry"),
            per_profile=True,
        ),
        Setting(NOTICES, "quiet_hours", Hours(), None, msg("Quiet hours (urgent only)")),
        Setting(
            SHARING,
            "share_kwcli",
            Switch(),
            default=False,
            meaning=msg("Let kiwoomcli use this token"),
            per_profile=True,
            inherited=False,
        ),
        Setting(
            SHARING,
            "share_token_file",
            Switch(),
            default=False,
            meaning=msg("Also write the .token file"),
            per_profile=True,
            inherited=False,
        ),
        Setting(
            SHARING,
            "share_bot_file",
            File(),
            "",
            msg("A file with token and expires_dt for trading bots"),
            per_profile=True,
            inherited=False,
        ),
        Setting(
            STORAGE,
            "store",
            Choice(_STORES),
            "auto",
            msg("Where the token is stored"),
            environment="KIWOOM_TRAY_STORE",
            required=True,
        ),
        Setting(
            STORAGE,
            "data_dir",
            Folder(),
            None,
            msg("Folder of the .token file"),
            environment="KIWOOM_TRAY_DATA_DIR",
            required=True,
        ),
        Setting(
            STORAGE,
            "redis_url",
            RedisAddress(),
            None,
            msg("The address of Redis"),
            environment="KIWOOM_TRAY_REDIS_URL",
            required=True,
        ),
        Setting(
            STORAGE,
            "encryption_key_file",
            File(),
            "",
            msg("A private file with the keys that encrypt a token in a file or in Redis"),
            environment="KIWOOM_TRAY_ENCRYPTION_KEY_FILE",
            required=True,
        ),
        Setting(PROGRAM, "language", Choice(_LANGUAGES), "auto", msg("Language")),
        Setting(PROGRAM, "theme", Choice(_SHADES), "auto", msg("Theme")),
        Setting(PROGRAM, "panel", Choice(_SHADES), "auto", msg("Taskbar colour")),
        Setting(PROGRAM, "autostart", Switch(), default=False, meaning=msg("Start when you log in")),
    )
}


def read_value(setting: Setting, value: object, where: str) -> Any:
    """Return the typed value. Raises a `SettingsError` that names the place and what is allowed, and not the value."""
    try:
        return setting.kind.read(value)
    except ValueError as error:
        expected = str(error)
    value = None  # no traceback shows it
    raise SettingsError(msg("{where} cannot be used. It takes: {expected}"), where=where, expected=expected)
