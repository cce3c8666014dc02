"""The one table of settings: name, kind, default and meaning of each."""

from __future__ import annotations

from tray_app.core.errors import SettingsError
from tray_app.core.language import msg
from tray_app.core.secret import Secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

STORES = ("auto", "keyring", "file", "redis", "memory")
MODES = ("real", "demo")
LANGUAGES = ("auto", "ko", "en")

_UNITS = {"s": 1, "m": 60, "h": 3600}


class Setting:
    """One setting: `read` turns a TOML or environment value into the typed one or raises `ValueError`.

    `per_profile` settings may also stand in `[profiles.NAME]`; what stands outside counts for all profiles, or
    for the default one alone when `inherited` is False. `environment` names a variable that wins.
    """

    __slots__ = ("default", "environment", "inherited", "meaning", "name", "per_profile", "read")

    def __init__(
        self,
        name: str,
        default: object,
        read: Callable[[object], object],
        meaning: str,
        *,
        environment: str = "",
        per_profile: bool = False,
        inherited: bool = True,
    ) -> None:
        self.name = name
        self.default = default
        self.read = read
        self.meaning = meaning
        self.environment = environment
        self.per_profile = per_profile
        self.inherited = inherited


def seconds(value: object) -> int:
    """A span such as `"10m"`, `"90s"` or `"1h"` in seconds; a bare number is seconds. Raises `ValueError`."""
    if isinstance(value, int) and not isinstance(value, bool):
        span = value
    elif isinstance(value, str) and value[-1:] in _UNITS and value[:-1].isascii() and value[:-1].isdigit():
        span = int(value[:-1]) * _UNITS[value[-1]]
    else:
        raise ValueError(msg('a span of time such as "10m", "90s" or "1h"'))
    if not 0 <= span <= 86400:
        raise ValueError(msg("a span of time of at most a day"))
    return span


def _one_of(*choices: str) -> Callable[[object], object]:
    def read(value: object) -> object:
        if value not in choices:
            raise ValueError(", ".join(choices))
        return value

    return read


def _policy(value: object) -> str:
    """`daily HH:MM` names a time of day in Korea."""
    words = value.split() if isinstance(value, str) else []
    if words in (["notify"], ["auto"]):
        return words[0]
    if len(words) == 2 and words[0] == "daily":
        hours, _, minutes = words[1].partition(":")
        is_time = len(hours) == len(minutes) == 2 and hours.isdecimal() and minutes.isdecimal()
        if is_time and int(hours) < 24 and int(minutes) < 60:
            return " ".join(words)
    raise ValueError(msg('notify, auto, or "daily HH:MM" in Korean time'))


def _spans(value: object) -> tuple[int, ...]:
    if not isinstance(value, list) or len(value) > 10:
        raise ValueError(msg('a list of spans such as ["30m", "10m", "5m", "0m"]'))
    return tuple(sorted({seconds(one) for one in value}, reverse=True))


def _folder(value: object) -> str:
    import os

    if not isinstance(value, str) or not value.strip() or "\0" in value:
        raise ValueError(msg("the path of a folder"))
    return os.path.abspath(os.path.expanduser(value.strip()))


def _switch(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true, false")  # noqa: TRY004 - the one error of a reader
    return value


def _file(value: object) -> str:
    """A relative path would be another file for each tool, by the folder it was started in."""
    import os

    if value == "":
        return ""
    path = os.path.expanduser(value.strip()) if isinstance(value, str) and "\0" not in value else ""
    if not os.path.isabs(path) or not os.path.basename(path):
        raise ValueError(msg("the whole path of a file, or nothing"))
    return os.path.normpath(path)


def _redis_url(value: object) -> Secret:
    """The address as a secret, because it may hold a password."""
    from urllib.parse import urlsplit

    text = value.strip() if isinstance(value, str) else ""
    try:
        parts = urlsplit(text)
        usable = bool(parts.path if parts.scheme == "unix" else parts.hostname) and parts.port != 0
        database = parts.path.strip("/")
    except ValueError:
        usable = False
    fits = (
        usable
        and "password" not in parts.query
        and text.isprintable()
        and " " not in text
        and parts.scheme in {"redis", "rediss", "unix"}
    )
    if not fits or (parts.scheme != "unix" and database and not (database.isascii() and database.isdigit())):
        raise ValueError(msg("an address such as rediss://user:password@host:6379/0"))
    return Secret(text)


TABLE: dict[str, Setting] = {
    one.name: one
    for one in (
        Setting("data_dir", None, _folder, msg("The folder that holds .token"), environment="KIWOOM_TRAY_DATA_DIR"),
        Setting("store", "auto", _one_of(*STORES), msg("Where the token rests"), environment="KIWOOM_TRAY_STORE"),
        Setting("redis_url", None, _redis_url, msg("The address of Redis"), environment="KIWOOM_TRAY_REDIS_URL"),
        Setting(
            "encryption_key_file",
            "",
            _file,
            msg("A private file with the keys that encrypt a token in a file or in Redis"),
            environment="KIWOOM_TRAY_ENCRYPTION_KEY_FILE",
        ),
        Setting("language", "auto", _one_of(*LANGUAGES), msg("Language of the program")),
        Setting(
            "mode", None, _one_of(*MODES), msg("Real or mock trading"), environment="KIWOOM_MODE", per_profile=True
        ),
        Setting("policy", "auto", _policy, msg("Only warn, or renew"), per_profile=True),
        Setting("renew_before", 600, seconds, msg("How long before the end to renew"), per_profile=True),
        Setting("warn_before", (1800, 600, 300, 0), _spans, msg("How long before the end to warn"), per_profile=True),
        Setting(
            "share_kwcli",
            default=False,
            read=_switch,
            meaning=msg("Let kiwoomcli use this token"),
            per_profile=True,
            inherited=False,
        ),
        Setting(
            "share_token_file",
            default=False,
            read=_switch,
            meaning=msg("Keep .token as well while the token rests in the keyring"),
            per_profile=True,
            inherited=False,
        ),
        Setting(
            "share_bot_file",
            "",
            _file,
            msg("A file with token and expires_dt for trading bots"),
            per_profile=True,
            inherited=False,
        ),
    )
}


def read_value(setting: Setting, value: object, where: str) -> Any:
    """The typed value. Raises `SettingsError` that names the place and what would fit."""
    try:
        return setting.read(value)
    except ValueError as error:
        raise SettingsError(
            msg("{where} cannot be used. It takes: {expected}"), where=where, expected=str(error)
        ) from None
