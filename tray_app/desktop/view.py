"""What the desktop shows at a moment: one frozen value that icon, tooltip, menu and window render.

The icon shows the profile that is most urgent, the tooltip all of them, menu and window the chosen one.

Times are told in whole seconds that are left, rounded up, so every change falls on an instant that
`next_change` can name: the tray wakes once a minute at most, the window once a second while it is seen.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from tray_app.core.errors import KeyringUnavailable, KeysMissing, Remedy
from tray_app.core.language import say, tr
from tray_app.core.profile import DEFAULT
from tray_app.core.renewal_schedule import DAILY, NOTIFY
from tray_app.core.state import Action, Result, TokenState
from tray_app.core.token import BUFFER_SECONDS, KST, UTC
from tray_app.core.trading import evening_before, is_trading, opening_of
from tray_app.core.wording import countdown, duration, is_korean_zone, korean_time, local_time, problem_text
from tray_app.desktop.look.icon import LEVELS, TONES, IconSpec, Phase, level_of
from tray_app.desktop.look.theme import Tone

if TYPE_CHECKING:
    from collections.abc import Iterator

LOW_SECONDS = 600
"""With less than this left the icon takes the shape of little life."""

TOOLTIP_UNITS = 127
"""UTF-16 units that Windows shows of a tooltip."""

SKEW_WORTH_TELLING_SECONDS = 60

SNOOZES_SECONDS = (1800, 3600, 28800)
"""How long warnings can be put off."""

DEFAULT_DAILY = "daily 06:30"
"""What the menu offers while no other hour is set: awake before the market, and early enough to mend what fails."""

_LEAST_URGENT = 99
_DAY_SECONDS = 86400.0
_ASSUMED_LIFETIME_SECONDS = _DAY_SECONDS
"""For a token of which nobody noted when it was issued: what Kiwoom's live for."""

REAL, MOCK, SANDBOX = "real", "mock", "practice"

_CLEARED = frozenset({Result.CLEARED, Result.REVOKED, Result.ALREADY_DEAD, Result.GONE, Result.KEPT})


@dataclass(frozen=True, slots=True)
class Badge:
    """`kind` is `real`, `mock` or `practice`: each has its own colour and edge beside its text."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Overview:
    """All that the desktop has to show: a state for each profile, of which `chosen` is in the window and the menu.

    `snoozed_until` is when warnings are told again, `copied_until` when a copied token leaves the clipboard, both
    in seconds of the epoch. `panel` is the user's word on the panel's brightness: `auto`, `dark` or `light`.
    `settings_problem` says in one sentence what of the settings cannot be used.
    """

    states: tuple[TokenState, ...]
    chosen: str
    snoozed_until: float | None = None
    copied_until: float | None = None
    panel: str = "auto"
    settings_problem: str = ""

    @classmethod
    def of(cls, state: TokenState) -> Overview:
        """The overview of one profile alone."""
        return cls((state,), state.profile)

    @property
    def state(self) -> TokenState:
        """The state of the chosen profile, or of the first one while the chosen one has none."""
        return next((state for state in self.states if state.profile == self.chosen), self.states[0])

    def is_snoozed(self, now: float) -> bool:
        return self.snoozed_until is not None and self.snoozed_until > now


@dataclass(frozen=True, slots=True)
class ProfileLine:
    """A profile as something to choose. `name` is what it is called in the settings, `text` what a user reads."""

    name: str
    text: str
    chosen: bool
    tone: Tone
    icon: IconSpec


@dataclass(frozen=True, slots=True)
class View:
    """All texts are plain, in the current language, and without mnemonics; a menu must double their `&`.

    What the tray shows changes only at `next_change`; `countdown`, `fraction` and `copy_text` may change every
    second. `remedy` is a `Remedy` that the remedy button stands for, or empty. `fraction` is the part of the
    window's ring that is filled, 0 to 1. `working` is what is being done because somebody or the plan wants it,
    so a look is none. `profiles` is empty when there is one only. `elsewhere` says what is more urgent at another
    profile, `elsewhere_profile`, than at the chosen one. `policy` is `notify`, `auto` or `daily`, and `daily_policy`
    the whole setting that the daily entry stands for.
    """

    icon: IconSpec
    tooltip: str
    menu_status: str
    refresh_text: str
    can_refresh: bool
    can_rotate: bool
    can_copy: bool
    can_clear: bool
    copy_text: str
    is_copied: bool
    is_snoozed: bool
    snooze_text: str
    policy: str
    policy_text: str
    daily_policy: str
    panel: str
    title: str
    profile: str
    profiles: tuple[ProfileLine, ...]
    elsewhere: str
    elsewhere_profile: str
    phase: Phase
    badges: tuple[Badge, ...]
    tone: Tone
    fraction: float
    headline: str
    countdown: str
    remaining: str
    end: str
    end_is_alarming: bool
    end_local: str
    place: str
    place_path: str
    place_why: str
    last: str
    last_at: str
    last_tone: Tone
    coming: str
    skew: str
    settings_problem: str
    busy: str
    working: Action | None
    remedy: str
    remedy_text: str


def view_of(overview: Overview, now: float, platform: str = sys.platform) -> View:
    """What is to be seen at `now` (epoch seconds)."""
    state = overview.state
    phase = phase_of(state, now)
    left = seconds_left(state, now)
    working = _working(state)
    remaining = _remaining(state, now)
    busy = _busy(state.busy)
    remedy = _remedy(state)
    idle = working is None
    policy = state.policy.partition(" ")[0]
    daily = state.policy if policy == DAILY else DEFAULT_DAILY
    alarming = _ends_in_trading_hours(state, now)
    end = "" if state.expires is None else _end(state.expires, now, left, alarming=alarming)
    zone_differs = state.expires is not None and not is_korean_zone(state.expires)
    return View(
        icon=_icon(state if working else most_urgent(overview.states, now), now),
        tooltip=_tooltip(overview, now),
        menu_status=_menu_status(overview, now),
        refresh_text=_refresh_text(state),
        can_refresh=idle,
        can_rotate=idle and left > 0,
        can_copy=left > 0 and working not in {Action.ROTATE, Action.CLEAR, Action.REVOKE},
        can_clear=idle and state.expires is not None,
        copy_text=_copy_text(overview.copied_until, now),
        is_copied=overview.copied_until is not None and overview.copied_until > now,
        is_snoozed=overview.is_snoozed(now),
        snooze_text=_snooze_text(overview, now),
        policy=policy,
        policy_text=tr("Renew daily at {time}", time=daily.partition(" ")[2]),
        daily_policy=daily,
        panel=overview.panel,
        title=_program_name(),
        profile="" if state.profile == DEFAULT else state.profile,
        profiles=_profiles(overview, now),
        elsewhere=_elsewhere(overview, now),
        elsewhere_profile=most_urgent(overview.states, now).profile,
        phase=phase,
        badges=_badges(state),
        tone=TONES[phase],
        fraction=_fraction(state, now) if left else 0.0,
        headline=_headline(state, phase),
        countdown=countdown(left),
        remaining=remaining,
        end=end,
        end_is_alarming=alarming,
        end_local=_local_end(state.expires, now) if zone_differs and state.expires is not None else "",
        place=_place(state.place, platform),
        place_path=state.place_path if state.place == "file" else "",
        place_why=_place_why(state),
        last=_last(state),
        last_at=_last_at(state, now),
        last_tone=_last_tone(state, left),
        coming=busy if working else _coming(state, now),
        skew=_skew(state.skew_seconds),
        settings_problem=overview.settings_problem,
        busy=busy,
        working=working,
        remedy=remedy,
        remedy_text=_remedy_text(remedy, state.mode),
    )


def next_change(overview: Overview, now: float, *, seconds: bool = False) -> float | None:
    """The next instant at which the tray would show something else, or None if it never will.

    What is in the window changes then as well. With `seconds`, for a window that is seen, also the next one at which
    a countdown in it goes on.
    """
    chosen = overview.state
    instants = [*_changes_in_the_tray(overview, now)]
    if seconds:
        ends = [chosen.expires, overview.copied_until]
        instants += [now + ((end - now) % 1 or 1) for end in ends if end is not None and end > now]
    later = [instant for instant in instants if instant > now]
    return min(later) if later else None


def _changes_in_the_tray(overview: Overview, now: float) -> Iterator[float]:
    """Only the chosen profile is told to the minute, so that many profiles do not wake the program more often."""
    chosen = overview.state
    for state in overview.states:
        if state.renew_at is not None:
            yield state.renew_at
        left = seconds_left(state, now)
        if state.expires is None or not left:
            continue
        if state is chosen:
            yield state.expires - (left - left % 60 - 1 if left >= 60 else 0)
        else:
            shorter = math.floor((_level(state, now) - 1) * _lifetime(state) / LEVELS / 60 + 1e-6) * 60
            yield from (state.expires - limit for limit in (shorter + 59, LOW_SECONDS - 1, BUFFER_SECONDS - 1, 0))
    if len(overview.states) > 1:
        yield from (opening_of(now), evening_before(now + _DAY_SECONDS), opening_of(now + _DAY_SECONDS))
    told = any(state.expires is not None or state.last is not None for state in overview.states)
    if overview.is_snoozed(now) and overview.snoozed_until is not None:
        told = True
        yield overview.snoozed_until
    if told:
        yield from (_next_midnight(now, korean=True), _next_midnight(now, korean=False))


def most_urgent(states: tuple[TokenState, ...], now: float) -> TokenState:
    """The state that a trader has to know of first; real money before mock where both stand alike."""
    return min(states, key=lambda state: _order(state, now))


def _order(state: TokenState, now: float) -> tuple[int, bool, int]:
    return _urgency(state, now), state.mode != "real", seconds_left(state, now)


_NOT_PRESSING = 4
"""From this rank on nothing has to be done soon."""


def _urgency(state: TokenState, now: float) -> int:
    """The rank of a state, the most urgent first."""
    phase = phase_of(state, now)
    if _is_not_set_up(state):
        return _LEAST_URGENT
    is_dead = phase in {Phase.NONE, Phase.EXPIRED}
    has_failed = state.last is not None and state.last.result is Result.FAILED
    ranks = (
        state.stopped or (is_dead and has_failed),
        is_dead and is_trading(now) and not _is_wanted_so(state),
        phase is Phase.ENDING,
        phase is Phase.LOW,
        is_dead and not _is_wanted_so(state),
        has_failed or bool(state.place_problem),
        not is_dead,
    )
    return ranks.index(True) if True in ranks else len(ranks)


def _is_not_set_up(state: TokenState) -> bool:
    """Whether the profile never had a token because nobody gave it keys: a trader may use the other ones alone."""
    return state.expires is None and state.last is not None and isinstance(state.last.error, KeysMissing)


def _is_wanted_so(state: TokenState) -> bool:
    """Whether nothing is to be done about a missing token: somebody cleared it, or it is still being looked for."""
    if state.expires is not None:
        return False
    was_cleared = state.last is not None and state.last.result in _CLEARED
    return was_cleared or _is_first_look(state) or (state.policy != NOTIFY and state.renew_at is None)


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


def _icon(state: TokenState, now: float) -> IconSpec:
    phase = phase_of(state, now)
    busy = _working(state) is not None or _is_first_look(state)
    level = 0
    if phase is Phase.VALID and not busy:
        level = _level(state, now)
    return IconSpec(phase, level, busy=busy, problem=bool(state.place_problem), stopped=state.stopped)


def _level(state: TokenState, now: float) -> int:
    """How much of the ring is left; it changes with a minute of the time that is left."""
    left = seconds_left(state, now)
    return level_of((left - left % 60) / _lifetime(state))


def _working(state: TokenState) -> Action | None:
    return None if state.busy is Action.LOOK else state.busy


def _is_of_known_age(state: TokenState) -> bool:
    return state.expires is not None and state.created is not None and state.created < state.expires


def _lifetime(state: TokenState) -> float:
    if state.expires is None or state.created is None or state.expires <= state.created:
        return _ASSUMED_LIFETIME_SECONDS
    return state.expires - state.created


def _fraction(state: TokenState, now: float) -> float:
    return min(1.0, state.remaining(now) / _lifetime(state))


def _program_name() -> str:
    return tr("Kiwoom Token Tray")


def _badges(state: TokenState) -> tuple[Badge, ...]:
    real = state.mode == "real"
    badge = Badge(REAL if real else MOCK, tr("Real") if real else tr("Mock"))
    return (badge, Badge(SANDBOX, tr("Practice"))) if state.sandbox else (badge,)


def _headline(state: TokenState, phase: Phase) -> str:
    if phase is Phase.VALID:
        return tr("Time left")
    if phase is Phase.LOW:
        return tr("Little time left")
    if phase is Phase.ENDING:
        return tr("Ending soon")
    if phase is Phase.EXPIRED:
        return tr("Expired")
    if _is_first_look(state):
        return tr("One moment…")
    return tr("No token")


def _is_first_look(state: TokenState) -> bool:
    """Whether it is not known yet if there is a token."""
    return state.expires is None and state.busy is Action.LOOK and state.last is None


def _remaining(state: TokenState, now: float) -> str:
    """The life left in words, to the minute."""
    if state.expires is None:
        if _is_first_look(state):
            return tr("Looking for the token…")
        return tr("No token")
    left = seconds_left(state, now)
    if left <= 0:
        return tr("The token has expired")
    if left < 60:
        return tr("Less than a minute left")
    return tr("{duration} left", duration=duration(left - left % 60))


def _end(expires: float, now: float, left: int, *, alarming: bool) -> str:
    time = _short_end(expires, now)
    if not left:
        return tr("Ended {time}", time=time)
    if alarming and expires < _next_midnight(now, korean=True):
        return tr("Ends at {time}, in trading hours", time=time)
    if alarming:
        return tr("Ends {time}, in trading hours", time=time)
    return tr("Ends {time}", time=time)


def _ends_in_trading_hours(state: TokenState, now: float) -> bool:
    """Whether the token dies while the market is open. Only a rotation at a quiet hour before that avoids it: a
    renewal near the end may bring the same token back, and the one after the end comes too late for an order."""
    if state.expires is None or state.expires <= now or not is_trading(state.expires):
        return False
    rotates = state.policy.startswith(DAILY) and state.renew_at is not None and state.renew_at < state.expires
    return not (rotates and state.renew_at is not None and not is_trading(state.renew_at))


def _local_end(expires: float, now: float) -> str:
    return tr("{time} on this computer", time=local_time(expires, now))


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
        return tr("{remaining} (until {time})", remaining=remaining, time=time)
    return tr("{remaining} ({time})", remaining=remaining, time=time)


def _tooltip(overview: Overview, now: float) -> str:
    name = tr("Kiwoom token")
    if len(overview.states) > 1:
        states = sorted(overview.states, key=lambda one: _order(one, now))
        return shorten([name, *(_line(one, now, is_chosen=one is overview.state) for one in states)])
    state = overview.state
    head = [name, *(badge.text for badge in _badges(state))]
    if state.profile != DEFAULT:
        head.append(state.profile)
    error = say(state.last.error) if state.last is not None and state.last.error is not None else ""
    working = _busy(_working(state))
    trouble = working or error or overview.settings_problem or _place_why(state)
    return shorten([" · ".join(head), _status(state, now), trouble])


def _line(state: TokenState, now: float, *, is_chosen: bool) -> str:
    """One profile in the tooltip of several."""
    if state.stopped:
        status = tr("needs you")
    elif is_chosen or not seconds_left(state, now):
        status = _remaining(state, now)
    else:
        status = tr("until {time}", time=_short_end(state.expires or 0.0, now))
    return f"{_profile_text(state)} · {status}"


def _profile_text(state: TokenState) -> str:
    name = tr("Default") if state.profile == DEFAULT else state.profile
    return " · ".join([name, *(badge.text for badge in _badges(state))])


def _profiles(overview: Overview, now: float) -> tuple[ProfileLine, ...]:
    if len(overview.states) < 2:
        return ()
    return tuple(
        ProfileLine(
            state.profile, _profile_text(state), state is overview.state, TONES[phase_of(state, now)], _icon(state, now)
        )
        for state in overview.states
    )


def _elsewhere(overview: Overview, now: float) -> str:
    """Why the icon does not look as the chosen profile does."""
    urgent = most_urgent(overview.states, now)
    if _urgency(urgent, now) >= min(_urgency(overview.state, now), _NOT_PRESSING):
        return ""
    what = tr("needs you") if urgent.stopped else _headline(urgent, phase_of(urgent, now))
    return f"{_profile_text(urgent)} · {what}"


def _menu_status(overview: Overview, now: float) -> str:
    state = overview.state
    status = _busy(_working(state)) or _status(state, now)
    if len(overview.states) > 1:
        return f"{_profile_text(state)} · {status}"
    return " · ".join([*(badge.text for badge in _badges(state)), status]) if _working(state) is None else status


def _copy_text(copied_until: float | None, now: float) -> str:
    if copied_until is None or copied_until <= now:
        return tr("Copy")
    return copied_text(math.ceil(round(copied_until - now, 3)))


def copied_text(seconds: int) -> str:
    """What the copy button says while the token is on the clipboard for so many more seconds."""
    return tr("Copied · {seconds} s", seconds=seconds)


def _snooze_text(overview: Overview, now: float) -> str:
    if overview.is_snoozed(now) and overview.snoozed_until is not None:
        time = local_time(overview.snoozed_until, now)
        return tr("No warnings until {time}", time=time)
    return tr("Snooze warnings")


def _refresh_text(state: TokenState) -> str:
    known_none = state.expires is None and not _is_first_look(state)
    return tr("Get a token") if known_none else tr("Refresh now")


def _busy(action: Action | None) -> str:
    if action is None:
        return ""
    if action is Action.LOOK:
        return tr("Looking for the token…")
    if action is Action.REFRESH:
        return tr("Asking Kiwoom for a token…")
    if action is Action.ROTATE:
        return tr("Revoking the token and asking for a new one…")
    if action is Action.CLEAR:
        return tr("Clearing the token…")
    if action is Action.REVOKE:
        return tr("Revoking the token at Kiwoom…")
    return tr("Waiting for the keyring to be unlocked…")


def _place(place: str, platform: str) -> str:
    if place == "keyring":
        if platform == "win32":
            return tr("Windows Credential Manager")
        if platform == "darwin":
            return tr("Keychain")
        return tr("Keyring")
    if place == "file":
        return tr("File")
    if place == "memory":
        return tr("Memory only: gone when the program ends")
    return "Redis" if place == "redis" else place


def _place_why(state: TokenState) -> str:
    problem = state.place_problem
    if not problem:
        return ""
    if state.place == "redis":
        return problem_text(problem)
    if problem == KeyringUnavailable.LOCKED:
        if state.expires is None:
            return tr("The keyring is locked.")
        return tr("The keyring is locked, so the token lies in a file.")
    if problem == KeyringUnavailable.SILENT:
        if state.expires is None:
            return tr("The keyring does not answer.")
        return tr("The keyring does not answer, so the token lies in a file.")
    if problem == KeyringUnavailable.MISSING:
        return tr("This computer has no keyring, so the token lies in a file.")
    if problem == KeyringUnavailable.TOO_SMALL:
        return tr("The token does not fit into the keyring, so it lies in a file.")
    return tr("The keyring failed, so the token lies in a file.")


def _last(state: TokenState) -> str:
    if state.last is None:
        return tr("This token was issued.") if _is_of_known_age(state) else ""
    if state.last.error is not None:
        return say(state.last.error)
    result = state.last.result
    if result is Result.ISSUED:
        return tr("Kiwoom issued a new token.")
    if result is Result.SAME:
        return tr("Kiwoom gave the same token back. Its end stays as it was.")
    if result is Result.ADOPTED:
        return tr("A token that another program got is in use.")
    if result is Result.CLEARED:
        return tr("The token was cleared here. At Kiwoom it may still be alive.")
    if result is Result.REVOKED:
        return tr("The token was revoked at Kiwoom and cleared here.")
    if result is Result.ALREADY_DEAD:
        return tr("Kiwoom no longer accepted the token. It was cleared here.")
    if result is Result.GONE:
        return tr("Another program has cleared the token.")
    if result is Result.KEPT:
        return tr("There was no token of this account. The one that is there belongs to other keys and stays.")
    if result is Result.UNLOCKED:
        return tr("The keyring is unlocked.")
    return tr("That did not work.")


def _last_at(state: TokenState, now: float) -> str:
    if state.last is not None:
        return local_time(state.last.at, now)
    return local_time(state.created, now) if state.created is not None and _is_of_known_age(state) else ""


def _last_tone(state: TokenState, left: int) -> Tone:
    if state.last is None or state.last.result is not Result.FAILED:
        return Tone.QUIET
    return Tone.BAD if state.stopped or not left else Tone.LOW


def _coming(state: TokenState, now: float) -> str:
    if state.stopped:
        return tr("Paused: it will not try again by itself.")
    if state.renew_at is None:
        if state.policy == "notify" and state.expires is not None:
            return tr("It only warns before the end. Renewing is up to you.")
        if state.expires is None and state.last is not None and state.last.result in _CLEARED:
            return tr("It waits until you or a program gets a token again.")
        return ""
    if state.renew_at <= now:
        return tr("Renews by itself in a moment.")
    time = local_time(state.renew_at, now)
    if state.last is not None and state.last.result is Result.FAILED:
        return tr("Next try: {time}.", time=time)
    return tr("Renews by itself: {time}.", time=time)


def _skew(seconds: float | None) -> str:
    if seconds is None or abs(seconds) <= SKEW_WORTH_TELLING_SECONDS:
        return ""
    span = duration(abs(seconds))
    if seconds > 0:
        return tr("This computer's clock is {duration} behind Kiwoom's.", duration=span)
    return tr("This computer's clock is {duration} ahead of Kiwoom's.", duration=span)


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
        return tr("Enter the keys…")
    if remedy == Remedy.SWITCH_MODE:
        if mode == "real":
            return tr("Switch to mock")
        return tr("Switch to real")
    if remedy == Remedy.OPEN_PORTAL:
        return tr("Open Kiwoom's site")
    if remedy == Remedy.UNLOCK_KEYRING:
        return tr("Unlock the keyring…")
    if remedy == Remedy.ROTATE:
        return tr("Revoke and renew")
    return ""


def _next_midnight(now: float, *, korean: bool) -> float:
    """When the words for a day change."""
    utc = datetime.fromtimestamp(now, UTC)
    today = utc.astimezone(KST) if korean else utc.astimezone()
    midnight = datetime.combine(today.date() + timedelta(days=1), datetime.min.time())
    return (midnight.replace(tzinfo=KST) if korean else midnight).timestamp()
