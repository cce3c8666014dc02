"""What the desktop shows for a state at a moment: one frozen value that icon, tooltip, menu and window render.

Times are told in whole seconds that are left, rounded up, so every change falls on an instant that
`next_change` can name: the tray wakes once a minute at most, the window once a second while it is seen.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta

from PySide6.QtCore import QCoreApplication

from tray_app.core.errors import KeyringUnavailable, Remedy
from tray_app.core.language import say
from tray_app.core.profile import DEFAULT
from tray_app.core.state import Action, Result, TokenState
from tray_app.core.token import BUFFER_SECONDS, KST, UTC
from tray_app.core.wording import countdown, duration, is_korean_zone, korean_time, local_time, problem_text
from tray_app.desktop.icon import IconSpec, Phase, level_of
from tray_app.desktop.theme import Tone

translate = QCoreApplication.translate

LOW_SECONDS = 600
"""With less than this left the icon takes the shape of little life."""

TOOLTIP_UNITS = 127
"""UTF-16 units that Windows shows of a tooltip."""

SKEW_WORTH_TELLING_SECONDS = 60

_ASSUMED_LIFETIME_SECONDS = 86400.0
"""For a token of which nobody noted when it was issued: what Kiwoom's live for."""

REAL, MOCK, PRACTICE = "real", "mock", "practice"


@dataclass(frozen=True, slots=True)
class Badge:
    """`kind` is `real`, `mock` or `practice`: each has its own colour and edge beside its text."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class View:
    """All texts are plain, in the current language, and without mnemonics; a menu must double their `&`.

    `icon`, `tooltip`, `menu_status`, `refresh_text` and the `can_` flags change only at `next_change`; the
    rest may change every second. `remedy` is a `Remedy` that the remedy button stands for, or empty.
    `fraction` is the part of the window's ring that is filled, 0 to 1.
    """

    icon: IconSpec
    tooltip: str
    menu_status: str
    refresh_text: str
    can_refresh: bool
    can_clear: bool
    can_unlock: bool
    title: str
    profile: str
    badges: tuple[Badge, ...]
    tone: Tone
    fraction: float
    headline: str
    countdown: str
    remaining: str
    end: str
    end_local: str
    place: str
    place_path: str
    place_why: str
    preview: str
    last: str
    last_at: str
    last_tone: Tone
    coming: str
    skew: str
    busy: str
    remedy: str
    remedy_text: str


def view_of(state: TokenState, now: float, platform: str = sys.platform) -> View:
    """What is to be seen of `state` at `now` (epoch seconds)."""
    phase = phase_of(state, now)
    left = seconds_left(state, now)
    icon = _icon(state, now, phase)
    remaining = _remaining(state, now)
    busy = _busy(state.busy)
    remedy = _remedy(state)
    idle = state.busy in {None, Action.LOOK}
    end = "" if state.expires is None else _end(state.expires, now, left)
    zone_differs = state.expires is not None and not is_korean_zone(state.expires)
    return View(
        icon=icon,
        tooltip=_tooltip(state, now),
        menu_status=_menu_status(state, now),
        refresh_text=_refresh_text(state),
        can_refresh=idle,
        can_clear=idle and state.expires is not None,
        can_unlock=idle and _is_locked(state),
        title=_program_name(),
        profile="" if state.profile == DEFAULT else state.profile,
        badges=_badges(state),
        tone=icon.tone,
        fraction=_fraction(state, now) if left else 0.0,
        headline=_headline(state, phase),
        countdown=countdown(left),
        remaining=remaining,
        end=end,
        end_local=_local_end(state.expires, now) if zone_differs and state.expires is not None else "",
        place=_place(state.place, platform),
        place_path=state.place_path if state.place == "file" else "",
        place_why=_place_why(state),
        preview=state.preview if state.expires is not None else "",
        last=_last(state),
        last_at="" if state.last is None else local_time(state.last.at, now),
        last_tone=_last_tone(state, left),
        coming=_coming(state, now),
        skew=_skew(state.skew_seconds),
        busy=busy,
        remedy=remedy,
        remedy_text=_remedy_text(remedy, state.mode),
    )


def next_change(state: TokenState, now: float) -> float | None:
    """The next instant at which icon, tooltip or menu of this state would change, or None if they never will.

    What is in the window changes then as well, or with the seconds of a living token.
    """
    instants: list[float] = []
    if state.expires is not None:
        left = seconds_left(state, now)
        if left:
            instants.append(state.expires - (left - left % 60 - 1 if left >= 60 else 0))
    if state.renew_at is not None:
        instants.append(state.renew_at)
    if state.expires is not None or state.last is not None:
        instants += [_next_midnight(now, korean=True), _next_midnight(now, korean=False)]
    later = [instant for instant in instants if instant > now]
    return min(later) if later else None


def seconds_left(state: TokenState, now: float) -> int:
    """Whole seconds of life left, rounded up: 0 only when it has ended."""
    return math.ceil(round(state.remaining(now), 3))


def phase_of(state: TokenState, now: float) -> Phase:
    if state.expires is None:
        return Phase.NONE
    left = seconds_left(state, now)
    if left <= 0:
        return Phase.EXPIRED
    if left < BUFFER_SECONDS:
        return Phase.ENDING
    return Phase.LOW if left < LOW_SECONDS else Phase.VALID


def shorten(lines: list[str], units: int = TOOLTIP_UNITS) -> str:
    """The lines as one text of at most `units` UTF-16 units, cut at the end."""
    text = "\n".join(line for line in lines if line)
    if _utf16_units(text) <= units:
        return text
    while _utf16_units(text) > units - 1:
        text = text[:-1]
    return text.rstrip() + "…"


def _utf16_units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _icon(state: TokenState, now: float, phase: Phase) -> IconSpec:
    busy = state.busy not in {None, Action.LOOK} or _is_first_look(state)
    level = 0
    if phase is Phase.VALID and not busy:
        left = seconds_left(state, now)
        level = level_of((left - left % 60) / _lifetime(state))
    return IconSpec(phase, level, busy=busy, problem=bool(state.place_problem), stopped=state.stopped)


def _lifetime(state: TokenState) -> float:
    if state.expires is None or state.created is None or state.expires <= state.created:
        return _ASSUMED_LIFETIME_SECONDS
    return state.expires - state.created


def _fraction(state: TokenState, now: float) -> float:
    return min(1.0, state.remaining(now) / _lifetime(state))


def _program_name() -> str:
    return translate("View", "Kiwoom Token Tray")


def _badges(state: TokenState) -> tuple[Badge, ...]:
    real = state.mode == "real"
    badge = Badge(REAL if real else MOCK, translate("View", "Real") if real else translate("View", "Mock"))
    return (badge, Badge(PRACTICE, translate("View", "Practice"))) if state.practice else (badge,)


def _headline(state: TokenState, phase: Phase) -> str:
    if phase is Phase.VALID:
        return translate("View", "Time left")
    if phase is Phase.LOW:
        return translate("View", "Little time left")
    if phase is Phase.ENDING:
        return translate("View", "Ending soon")
    if phase is Phase.EXPIRED:
        return translate("View", "Expired")
    if _is_first_look(state):
        return translate("View", "One moment…")
    return translate("View", "No token")


def _is_first_look(state: TokenState) -> bool:
    """Whether it is not known yet if there is a token."""
    return state.expires is None and state.busy is Action.LOOK and state.last is None


def _remaining(state: TokenState, now: float) -> str:
    """The life left in words, to the minute."""
    if state.expires is None:
        if _is_first_look(state):
            return translate("View", "Looking for the token…")
        return translate("View", "No token")
    left = seconds_left(state, now)
    if left <= 0:
        return translate("View", "The token has expired")
    if left < 60:
        return translate("View", "Less than a minute left")
    return translate("View", "{duration} left").format(duration=duration(left - left % 60))


def _end(expires: float, now: float, left: int) -> str:
    time = korean_time(expires, now)
    if left:
        return translate("View", "Ends {time} (KST)").format(time=time)
    return translate("View", "Ended {time} (KST)").format(time=time)


def _local_end(expires: float, now: float) -> str:
    return translate("View", "{time} on this computer").format(time=local_time(expires, now))


def _short_end(expires: float, now: float) -> str:
    """The end as a clock time; the zone is named where this computer shows another."""
    time = korean_time(expires, now)
    return time if is_korean_zone(expires) else f"{time} KST"


def _status(state: TokenState, now: float) -> str:
    remaining = _remaining(state, now)
    if state.expires is None:
        return remaining
    time = _short_end(state.expires, now)
    if seconds_left(state, now):
        return translate("View", "{remaining} (until {time})").format(remaining=remaining, time=time)
    return translate("View", "{remaining} ({time})").format(remaining=remaining, time=time)


def _tooltip(state: TokenState, now: float) -> str:
    name = [translate("View", "Kiwoom token"), *(badge.text for badge in _badges(state))]
    if state.profile != DEFAULT:
        name.append(state.profile)
    error = say(state.last.error) if state.last is not None and state.last.error is not None else ""
    working = _busy(state.busy) if state.busy is not Action.LOOK else ""
    return shorten([" · ".join(name), _status(state, now), working or error or _place_why(state)])


def _menu_status(state: TokenState, now: float) -> str:
    if state.busy is not None and state.busy is not Action.LOOK:
        return _busy(state.busy)
    return " · ".join([*(badge.text for badge in _badges(state)), _status(state, now)])


def _refresh_text(state: TokenState) -> str:
    known_none = state.expires is None and not _is_first_look(state)
    return translate("View", "Get a token") if known_none else translate("View", "Refresh now")


def _busy(action: Action | None) -> str:
    if action is None:
        return ""
    if action is Action.LOOK:
        return translate("View", "Looking for the token…")
    if action is Action.REFRESH:
        return translate("View", "Asking Kiwoom for a token…")
    if action is Action.ROTATE:
        return translate("View", "Revoking the token and asking for a new one…")
    if action is Action.CLEAR:
        return translate("View", "Clearing the token…")
    if action is Action.REVOKE:
        return translate("View", "Revoking the token at Kiwoom…")
    return translate("View", "Waiting for the keyring to be unlocked…")


def _place(place: str, platform: str) -> str:
    if place == "keyring":
        if platform == "win32":
            return translate("View", "Windows Credential Manager")
        if platform == "darwin":
            return translate("View", "Keychain")
        return translate("View", "Keyring")
    if place == "file":
        return translate("View", "File")
    if place == "memory":
        return translate("View", "Memory only: gone when the program ends")
    return "Redis" if place == "redis" else place


def _place_why(state: TokenState) -> str:
    problem = state.place_problem
    if not problem:
        return ""
    if state.place == "redis":
        return problem_text(problem)
    if problem == KeyringUnavailable.LOCKED:
        return translate("View", "The keyring is locked, so the token lies in a file.")
    if problem == KeyringUnavailable.SILENT:
        return translate("View", "The keyring does not answer, so the token lies in a file.")
    if problem == KeyringUnavailable.MISSING:
        return translate("View", "This computer has no keyring, so the token lies in a file.")
    if problem == KeyringUnavailable.TOO_SMALL:
        return translate("View", "The token does not fit into the keyring, so it lies in a file.")
    return translate("View", "The keyring failed, so the token lies in a file.")


def _last(state: TokenState) -> str:
    if state.last is None:
        return ""
    if state.last.error is not None:
        return say(state.last.error)
    result = state.last.result
    if result is Result.ISSUED:
        return translate("View", "Kiwoom issued a new token.")
    if result is Result.SAME:
        return translate("View", "Kiwoom gave the same token back. Its end stays as it was.")
    if result is Result.ADOPTED:
        return translate("View", "A token that another program got is in use.")
    if result is Result.CLEARED:
        return translate("View", "The token was cleared here. At Kiwoom it may still be alive.")
    if result is Result.REVOKED:
        return translate("View", "The token was revoked at Kiwoom and cleared here.")
    if result is Result.ALREADY_DEAD:
        return translate("View", "Kiwoom no longer accepted the token. It was cleared here.")
    if result is Result.UNLOCKED:
        return translate("View", "The keyring is unlocked.")
    return translate("View", "That did not work.")


def _last_tone(state: TokenState, left: int) -> Tone:
    if state.last is None or state.last.result is not Result.FAILED:
        return Tone.QUIET
    return Tone.BAD if state.stopped or not left else Tone.LOW


def _coming(state: TokenState, now: float) -> str:
    if state.stopped:
        return translate("View", "Paused: it will not try again by itself.")
    if state.renew_at is None:
        if state.policy == "notify" and state.expires is not None:
            return translate("View", "It only warns before the end. Renewing is up to you.")
        return ""
    if state.renew_at <= now:
        return translate("View", "Renews by itself in a moment.")
    time = local_time(state.renew_at, now)
    if state.last is not None and state.last.result is Result.FAILED:
        return translate("View", "Next try: {time}.").format(time=time)
    return translate("View", "Renews by itself: {time}.").format(time=time)


def _skew(seconds: float | None) -> str:
    if seconds is None or abs(seconds) <= SKEW_WORTH_TELLING_SECONDS:
        return ""
    span = duration(abs(seconds))
    if seconds > 0:
        return translate("View", "This computer's clock is {duration} behind Kiwoom's.").format(duration=span)
    return translate("View", "This computer's clock is {duration} ahead of Kiwoom's.").format(duration=span)


def _is_locked(state: TokenState) -> bool:
    error = None if state.last is None else state.last.error
    if error is not None and error.remedy == Remedy.UNLOCK_KEYRING:
        return True
    return state.place_problem == KeyringUnavailable.LOCKED


def _remedy(state: TokenState) -> str:
    """What the one extra button does. Asking again is no extra: the refresh button does it."""
    error = None if state.last is None else state.last.error
    remedy = Remedy.NONE if error is None else error.remedy
    if remedy in {Remedy.NONE, Remedy.RETRY}:
        return Remedy.UNLOCK_KEYRING if _is_locked(state) else Remedy.NONE
    return remedy


def _remedy_text(remedy: str, mode: str) -> str:
    if remedy == Remedy.ENTER_KEYS:
        return translate("View", "Enter the keys…")
    if remedy == Remedy.SWITCH_MODE:
        if mode == "real":
            return translate("View", "Switch to mock")
        return translate("View", "Switch to real")
    if remedy == Remedy.OPEN_PORTAL:
        return translate("View", "Open Kiwoom's site")
    if remedy == Remedy.UNLOCK_KEYRING:
        return translate("View", "Unlock the keyring…")
    if remedy == Remedy.ROTATE:
        return translate("View", "Revoke and renew")
    return ""


def _next_midnight(now: float, *, korean: bool) -> float:
    """When the words for a day change."""
    utc = datetime.fromtimestamp(now, UTC)
    today = utc.astimezone(KST) if korean else utc.astimezone()
    midnight = datetime.combine(today.date() + timedelta(days=1), datetime.min.time())
    return (midnight.replace(tzinfo=KST) if korean else midnight).timestamp()
