"""Times, places and problems in words, in the current language."""

from __future__ import annotations

import sys
from datetime import datetime

from tray_app.core.errors import KeyringUnavailable, KiwoomTokenError, RedisUnavailable, say
from tray_app.core.language import msg, tr
from tray_app.core.printable import printable
from tray_app.core.profile import MODE_NAMES
from tray_app.core.token import KST, UTC

_MAX_PATH_CHARACTERS = 4096
_MAX_SILENT_SKEW_SECONDS = 60

_DAYS = (
    msg("Monday"),
    msg("Tuesday"),
    msg("Wednesday"),
    msg("Thursday"),
    msg("Friday"),
    msg("Saturday"),
    msg("Sunday"),
)

_KEYRING_PROBLEMS = {
    KeyringUnavailable.MISSING: msg("there is no keyring"),
    KeyringUnavailable.LOCKED: msg("{keyring} is locked"),
    KeyringUnavailable.ASKING: msg("{keyring} is asking for permission"),
    KeyringUnavailable.UNREACHABLE: msg("{keyring} cannot be reached from here"),
    KeyringUnavailable.SILENT: msg("{keyring} does not answer"),
    KeyringUnavailable.TOO_SMALL: msg("{keyring} is too small for it"),
    KeyringUnavailable.FAILED: msg("{keyring} failed"),
}

_KEY_OF_OTHER_MODE = "8030"

_REDIS_PROBLEMS = {
    RedisUnavailable.NO_PACKAGE: msg("the Python package redis is missing"),
    RedisUnavailable.SILENT: msg("Redis does not answer"),
    RedisUnavailable.REFUSED: msg("Redis refuses the user or a permission"),
    RedisUnavailable.READ_ONLY: msg("Redis does not accept writes"),
    RedisUnavailable.FULL: msg("Redis is full"),
    RedisUnavailable.FOREIGN: msg("another program uses this key"),
    RedisUnavailable.FAILED: msg("it cannot be used as Redis"),
}


def countdown(seconds: float) -> str:
    """Return `h:mm:ss`, never negative."""
    left = max(0, int(seconds))
    return f"{left // 3600}:{left % 3600 // 60:02}:{left % 60:02}"


def duration(seconds: float) -> str:
    """Return a duration in its two largest units: `22 h 10 min`, `9 min`, `45 s`."""
    left = max(0, int(seconds))
    hours, minutes = left // 3600, left % 3600 // 60
    if hours and minutes:
        return tr("{hours} h {minutes} min", hours=hours, minutes=minutes)
    if hours:
        return tr("{hours} h", hours=hours)
    if minutes:
        return tr("{minutes} min", minutes=minutes)
    return tr("{seconds} s", seconds=left)


def korean_time(instant: float, now: float, *, names_zone: bool = False) -> str:
    """Return the time in Korea, with the day unless it is today: `07:12`, `07:12 tomorrow`, `07:12 on Tuesday`; with
    `names_zone` `07:12 KST tomorrow`."""
    zone = " KST" if names_zone else ""
    return _clock_time(datetime.fromtimestamp(instant, KST), datetime.fromtimestamp(now, KST), zone)


def korean_clock(instant: float) -> str:
    """Return the time of day in Korea, for a place without room for the day."""
    return f"{datetime.fromtimestamp(instant, KST):%H:%M}"


def local_time(instant: float, now: float) -> str:
    """Return the same as `korean_time`, in this computer's time zone."""
    return _clock_time(datetime.fromtimestamp(instant, UTC).astimezone(), datetime.fromtimestamp(now, UTC).astimezone())


def is_korean_zone(instant: float) -> bool:
    """Return True if this computer's clock shows Korean time at that instant."""
    return datetime.fromtimestamp(instant, UTC).astimezone().utcoffset() == KST.utcoffset(None)


def _clock_time(instant: datetime, now: datetime, zone: str = "") -> str:
    time = f"{instant:%H:%M}{zone}"
    days = (instant.date() - now.date()).days
    if days == 0:
        return time
    if days == 1:
        return tr("{time} tomorrow", time=time)
    if days == -1:
        return tr("{time} yesterday", time=time)
    day = tr(_DAYS[instant.weekday()]) if 1 < days < 7 else f"{instant:%Y-%m-%d}"
    return tr("{time} on {day}", day=day, time=time)


def skew_text(seconds: float | None) -> str:
    """Return that this computer's clock is off, by Kiwoom's clock minus this one; empty if it is at most a minute."""
    if seconds is None or abs(seconds) <= _MAX_SILENT_SKEW_SECONDS:
        return ""
    span = duration(round(abs(seconds) / 60) * 60)
    if seconds > 0:
        return tr("This computer's clock is {duration} behind Kiwoom's. Set the clock.", duration=span)
    return tr("This computer's clock is {duration} ahead of Kiwoom's. Set the clock.", duration=span)


def past_skew_text(seconds: float, at: float, now: float) -> str:
    """Return that this computer's clock was off at `at`, as `skew_text` says it of now; empty if it was not."""
    if abs(seconds) <= _MAX_SILENT_SKEW_SECONDS:
        return ""
    span, time = duration(round(abs(seconds) / 60) * 60), korean_time(at, now)
    if seconds > 0:
        return tr("{duration} behind Kiwoom's at {time} (KST). Set it, if nobody has since.", duration=span, time=time)
    return tr("{duration} ahead of Kiwoom's at {time} (KST). Set it, if nobody has since.", duration=span, time=time)


def mode_text(mode: str) -> str:
    """Return `real` or `demo` in words."""
    return tr(MODE_NAMES[mode])


def place_text(kind: str, path: str, problem: str) -> str:
    """Return where a token is stored and what is wrong there: `file /…/.token (the keyring is locked)`."""
    if kind == "keyring":
        return keyring_name()
    if kind == "memory":
        return tr("memory, until the program ends")
    path = printable(path, _MAX_PATH_CHARACTERS)
    where = f"Redis {path}" if kind == "redis" else tr("file {path}", path=path)
    why = problem_text(problem)
    return f"{where} ({why})" if why else where


def refusal_text(error: KiwoomTokenError, mode: str) -> str:
    """Return an error as a sentence, which names the mode that a key is for where an account has this `mode`."""
    if error.code != _KEY_OF_OTHER_MODE or mode not in {"real", "demo"}:
        return say(error)
    if mode == "real":
        told = tr("This key is for mock trading. Switch to mock, or enter a key for real trading.")
    else:
        told = tr("This key is for real trading. Switch to real, or enter a key for mock trading.")
    return f"{told} [{error.code}]"


def problem_text(problem: str) -> str:
    """Return what is wrong with the store, in a few words; empty for nothing."""
    if problem in _KEYRING_PROBLEMS:
        subject = keyring_subject()
        return tr(_KEYRING_PROBLEMS[problem], keyring=subject[:1].lower() + subject[1:])
    why = _REDIS_PROBLEMS.get(problem)
    return tr(why) if why else ""


def keyring_name(platform: str = sys.platform) -> str:
    """Return what this operating system calls its keyring, as a word within a sentence."""
    if platform == "win32":
        return tr("Windows Credential Manager")
    return tr("the Keychain") if platform == "darwin" else tr("the keyring")


def keyring_subject(platform: str = sys.platform) -> str:
    """Return the same as `keyring_name`, as the subject that begins a sentence; in Korean with its particle."""
    if platform == "win32":
        return tr("The Windows Credential Manager")
    return tr("The Keychain") if platform == "darwin" else tr("The keyring")
