"""Words that tooltip, menu and window share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tray_app.core.errors import KeyringUnavailable
from tray_app.core.language import tr
from tray_app.core.profile import DEFAULT
from tray_app.core.state import Action, TokenState
from tray_app.core.wording import duration, is_korean_zone, korean_time, problem_text
from tray_app.desktop.icons.state_icon import Phase

if TYPE_CHECKING:
    pass
from tray_app.desktop.view.model import MOCK, REAL, SANDBOX, Badge
from tray_app.desktop.view.timing import seconds_left
from tray_app.desktop.view.urgency import is_first_check


def program_name() -> str:
    return tr("Kiwoom Token Tray")


def badges_of(state: TokenState) -> tuple[Badge, ...]:
    real = state.mode == "real"
    badge = Badge(REAL if real else MOCK, tr("Real") if real else tr("Mock"))
    return (badge, Badge(SANDBOX, tr("Practice"))) if state.sandbox else (badge,)


def headline_text(state: TokenState, phase: Phase) -> str:
    if phase is Phase.VALID:
        return tr("Time left")
    if phase is Phase.LOW:
        return tr("Little time left")
    if phase is Phase.ENDING:
        return tr("Ending soon")
    if phase is Phase.EXPIRED:
        return tr("Expired")
    if is_first_check(state):
        return tr("One moment…")
    return tr("No token")


def remaining_text(state: TokenState, now: float) -> str:
    """Return the remaining time in words, to the minute."""
    if state.expires is None:
        if is_first_check(state):
            return tr("Looking for the token…")
        return tr("No token")
    left = seconds_left(state, now)
    if left <= 0:
        return tr("The token has expired")
    if left < 60:
        return tr("Less than a minute left")
    return tr("{duration} left", duration=duration(left - left % 60))


def short_end_text(expires: float, now: float) -> str:
    """Return the time of expiry; it names the zone where this computer shows another."""
    time = korean_time(expires, now)
    return time if is_korean_zone(expires) else f"{time} KST"


def status_text(state: TokenState, now: float) -> str:
    remaining = remaining_text(state, now)
    if state.expires is None:
        return remaining
    time = short_end_text(state.expires, now)
    if seconds_left(state, now):
        return tr("{remaining} (until {time})", remaining=remaining, time=time)
    return tr("{remaining} ({time})", remaining=remaining, time=time)


def profile_text(state: TokenState) -> str:
    name = tr("Default") if state.profile == DEFAULT else state.profile
    return " · ".join([name, *(badge.text for badge in badges_of(state))])


def busy_text(action: Action | None) -> str:
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


def place_problem_text(state: TokenState) -> str:
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
