"""The kinds of settings: how a value is read from TOML or typed text, written back and put in words."""

from __future__ import annotations

import contextlib

from tray_app.core.errors import InvalidInput
from tray_app.core.language import msg, tr
from tray_app.core.pasted import unquoted
from tray_app.core.profile import check_profile
from tray_app.core.secret import Secret
from tray_app.system.user_folders import typed_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_UNITS = {"h": 3600, "m": 60, "s": 1}
_MOST_DIGITS = 10
_YES, _NO = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


class Kind:
    """One kind of setting. `read` turns what a file or an environment variable holds into the typed value."""

    __slots__ = ()

    def read(self, value: object) -> Any:
        """Return the typed value. Raises a `ValueError` that says what is allowed, and not what was there."""
        raise NotImplementedError

    def read_from_file(self, value: object, folder: str) -> Any:  # noqa: ARG002 - only a path is relative to it
        """Return the typed value of a line in a file of that folder. Raises as `read` does."""
        return self.read(value)

    def parse(self, text: str) -> object:
        """Return typed text as the value that the file would hold, also where it is typed as it stands in the file, in
        quotes; `read` checks it."""
        return unquoted(text)

    def write(self, value: Any) -> object:
        """Return the typed value as written in the file."""
        return "" if value is None else value

    def text(self, value: Any) -> str:
        """Return the typed value as somebody would type it."""
        return str(self.write(value))

    def words(self, value: Any) -> str:
        """Return the typed value in words of the current language; empty for nothing."""
        return self.text(value)


class Choice(Kind):
    """One of the keys of `named`, whose values are what users read. Letter case does not matter."""

    __slots__ = ("_named",)

    def __init__(self, named: dict[str, str]) -> None:
        self._named = named

    @property
    def choices(self) -> tuple[str, ...]:
        return tuple(self._named)

    def read(self, value: object) -> str:
        word = value.strip().lower() if isinstance(value, str) else ""
        if word not in self._named:
            raise ValueError(", ".join(self._named))
        return word

    def words(self, value: Any) -> str:
        return tr(self._named[value]) if value in self._named else ""


class Switch(Kind):
    """On or off."""

    def read(self, value: object) -> bool:
        if not isinstance(value, bool):
            raise ValueError("true, false")  # noqa: TRY004 - the only error of `read`
        return value

    def parse(self, text: str) -> object:
        word = unquoted(text).lower()
        return True if word in _YES else False if word in _NO else word

    def text(self, value: Any) -> str:
        return "true" if value else "false"

    def words(self, value: Any) -> str:
        return tr("on") if value else tr("off")


class Policy(Kind):
    """`notify`, `auto`, or `daily HH:MM`, a time of day in Korea outside of the trading hours."""

    def read(self, value: object) -> str:
        words = value.lower().split() if isinstance(value, str) else []
        if words in (["notify"], ["auto"]):
            return words[0]
        if len(words) == 2 and words[0] == "daily" and (minutes := time_of_day(words[1])) is not None:
            from tray_app.core.trading import is_quiet_time

            if not is_quiet_time(minutes):
                raise ValueError(msg('"daily HH:MM" in Korean time, before 08:00 or from 20:00 on'))
            return f"daily {minutes // 60:02}:{minutes % 60:02}"
        raise ValueError(msg('notify, auto, or "daily HH:MM" in Korean time'))

    def words(self, value: Any) -> str:
        if value == "notify":
            return tr("warn only")
        if value == "auto":
            return tr("reissue automatically right after expiry")
        return tr("revoke and reissue every day at {time} (KST)", time=value.split()[-1])


class Span(Kind):
    """A duration of at most a day, such as `"10m"`, `"90s"` or `"1h"`, read into whole seconds. Only 0 needs no unit: a
    10 is meant as minutes as often as seconds."""

    def read(self, value: object) -> int:
        text = value.strip().lower() if isinstance(value, str) else ""
        if value == 0 and not isinstance(value, bool | float):
            return 0
        if not (text[-1:] in _UNITS and text[:-1].isascii() and text[:-1].isdigit() and len(text) < _MOST_DIGITS):
            raise ValueError(msg('a duration with its unit, such as "10m", "90s" or "1h"'))
        span = int(text[:-1]) * _UNITS[text[-1]]
        if span > 86400:
            raise ValueError(msg("a duration of at most a day"))
        return span

    def parse(self, text: str) -> object:
        stripped = unquoted(text)
        return 0 if stripped == "0" else stripped

    def write(self, value: Any) -> object:
        for unit, length in _UNITS.items():
            if value and value % length == 0:
                return f"{value // length}{unit}"
        return "0m"

    def words(self, value: Any) -> str:
        from tray_app.core.wording import duration

        return duration(value)


class Spans(Kind):
    """Up to ten durations, read into a tuple of seconds with the longest first; as text with commas between them."""

    def read(self, value: object) -> tuple[int, ...]:
        if isinstance(value, (list, tuple)) and len(value) <= 10:
            with contextlib.suppress(ValueError):
                return tuple(sorted({Span().read(one) for one in value}, reverse=True))
        raise ValueError(msg('a list of durations such as ["30m", "10m", "5m", "0m"]'))

    def parse(self, text: str) -> object:
        """Read durations with commas between them, or as the file has them: `["30m", "10m"]`."""
        spans = [one.strip(" \t\"'") for one in text.strip(" \t\"'").removeprefix("[").removesuffix("]").split(",")]
        return [Span().parse(one) for one in spans if one]

    def write(self, value: Any) -> object:
        return [Span().write(one) for one in value]

    def text(self, value: Any) -> str:
        return ", ".join(Span().text(one) for one in value)

    def words(self, value: Any) -> str:
        return ", ".join(Span().words(one) if one else tr("at expiry") for one in value)


class Hours(Kind):
    """A period of the day by this computer's clock, read into minutes after midnight (from, to); None for none."""

    def read(self, value: object) -> tuple[int, int] | None:
        if value == "":
            return None
        start, dash, end = value.replace(" ", "").partition("-") if isinstance(value, str) else ("", "", "")
        hours = (time_of_day(start), time_of_day(end))
        if not dash or hours[0] is None or hours[1] is None or hours[0] == hours[1]:
            raise ValueError(msg('a part of the day such as "22:00-07:00", or nothing'))
        return (hours[0], hours[1])

    def write(self, value: Any) -> object:
        return "-".join(f"{one // 60:02}:{one % 60:02}" for one in value) if value else ""


class Folder(Kind):
    """The path of a folder, read into an absolute one."""

    def read(self, value: object) -> str:
        return self.read_from_file(value, "")

    def read_from_file(self, value: object, folder: str) -> str:
        """Read a relative path as one below `folder`, the same for each tool wherever it is started."""
        import os

        expected = msg("the path of a folder")
        path = typed_path(value if isinstance(value, str) else "", expected)
        try:
            return os.path.abspath(os.path.join(folder, path))
        except OSError:
            raise ValueError(msg("an absolute path, because the folder that this was started in is gone")) from None


class File(Kind):
    """The absolute path of a file, or nothing. A relative one would mean a different file to each tool, depending on
    the folder it was started in; so would one without a drive on Windows."""

    def read(self, value: object) -> str:
        import os

        if value == "":
            return ""
        expected = msg("the whole path of a file, or nothing")
        path = typed_path(value if isinstance(value, str) else "", expected)
        is_whole = os.path.isabs(path) and (os.sep == "/" or os.path.splitdrive(path)[0])
        if not is_whole or not os.path.basename(path):
            raise ValueError(expected)
        return os.path.normpath(path)


class Alias(Kind):
    """The name of an account that `kiwoomcli` knows, or nothing."""

    def read(self, value: object) -> str:
        if value == "":
            return ""
        try:
            return check_profile(value.strip() if isinstance(value, str) else "")
        except InvalidInput:
            raise ValueError(msg("the name of an account that kiwoomcli knows, or nothing")) from None


class RedisAddress(Kind):
    """The address of a Redis server, read into a secret, because it may contain a password."""

    def read(self, value: object) -> Secret:
        from urllib.parse import unquote, urlsplit

        text = value.strip() if isinstance(value, str) else ""
        try:
            parts = urlsplit(text)
            usable = bool(parts.path if parts.scheme == "unix" else parts.hostname) and parts.port != 0
            database = parts.path.strip("/")
        except ValueError:
            usable = False
        fits = (
            usable
            and "password" not in unquote(parts.query)
            and text.isprintable()
            and " " not in text
            and parts.scheme in {"redis", "rediss", "unix"}
        )
        if not fits or (parts.scheme != "unix" and database and not (database.isascii() and database.isdigit())):
            raise ValueError(msg("an address such as rediss://user:password@host:6379/0"))
        return Secret(text)

    def write(self, value: Any) -> object:
        return "" if value is None else value.reveal()

    def text(self, value: Any) -> str:
        """Return the address without user, password and options, because it is shown."""
        scheme, _, rest = str(self.write(value)).partition("://")
        where = rest.partition("?")[0].partition("#")[0]
        return f"{scheme}://{where.rpartition('@')[2]}" if rest else ""


def time_of_day(text: str) -> int | None:
    """Return `HH:MM` or `H:MM` as minutes after midnight, or None for anything else."""
    hours, _, minutes = text.partition(":")
    are_digits = all(one.isascii() and one.isdecimal() for one in (hours, minutes))
    if not are_digits or len(hours) > 2 or len(minutes) != 2 or int(hours) > 23 or int(minutes) > 59:
        return None
    return int(hours) * 60 + int(minutes)
