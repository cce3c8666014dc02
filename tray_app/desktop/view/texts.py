"""Texts that tooltip, menu and window share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tray_app.core.errors import KeyringUnavailable, KeysMissing, RateLimited
from tray_app.core.language import msg, tr
from tray_app.core.profile import DEFAULT
from tray_app.core.remedies import is_planned_now, is_repeated
from tray_app.core.state import Action, TokenState
from tray_app.core.wording import (
    duration,
    is_korean_zone,
    keyring_name,
    keyring_subject,
    korean_time,
    local_time,
    problem_text,
    refusal_text,
)
from tray_app.desktop.icons.state_icon import Phase
from tray_app.desktop.view.model import MOCK, REAL, SANDBOX, Badge
from tray_app.desktop.view.timing import seconds_left
from tray_app.desktop.view.urgency import is_not_set_up
from tray_app.kiwoom.codes import NOT_KIWOOM

if TYPE_CHECKING:
    from tray_app.core.errors import KiwoomTokenError


def program_name() -> str:
    return tr("Kiwoom Token Tray")


def badges_of(state: TokenState) -> tuple[Badge, ...]:
    real = state.mode == "real"
    badge = Badge(REAL if real else MOCK, tr("Real") if real else tr("Mock"))
    return (badge, Badge(SANDBOX, tr("Practice"))) if state.sandbox else (badge,)


_HEADLINES = {
    Phase.VALID: msg("Time left"),
    Phase.HOUR: msg("Time left"),
    Phase.SOON: msg("Time left"),
    Phase.LOW: msg("Expires soon"),
    Phase.ENDING: msg("About to expire"),
    Phase.EXPIRED: msg("Expired"),
    Phase.DEAD: msg("Stopped working"),
    Phase.UNCONFIRMED: msg("Not confirmed"),
}


def headline_text(state: TokenState, phase: Phase, now: float) -> str:
    if phase is Phase.NONE:
        return tr("One moment…") if state.is_unread else _no_token_text(state)
    if phase is Phase.EXPIRED and is_planned_now(state, now):
        return tr("Expired, being reissued")
    return tr(_HEADLINES[phase])


def remaining_text(state: TokenState, now: float) -> str:
    """Return the remaining time in words, to the minute."""
    if state.expires is None:
        if state.is_unread:
            return tr("Reading the token…")
        return _no_token_text(state) if state.dead_at is None else tr("The token has stopped working")
    left = seconds_left(state, now)
    if left <= 0:
        return tr("The token has expired")
    if left < 60:
        return tr("Less than a minute left")
    return tr("{duration} left", duration=duration(left - left % 60))


def _no_token_text(state: TokenState) -> str:
    return tr("The token cannot be read") if state.hides_token else tr("No token")


def short_end_text(expires: float, now: float) -> str:
    """Return the time of expiry; it names the zone where this computer shows another."""
    return korean_time(expires, now, names_zone=not is_korean_zone(expires))


def status_text(state: TokenState, now: float) -> str:
    remaining = remaining_text(state, now)
    if state.expires is None:
        return remaining
    time = short_end_text(state.expires, now)
    if seconds_left(state, now):
        return tr("{remaining} (until {time})", remaining=remaining, time=time)
    return tr("{remaining} ({time})", remaining=remaining, time=time)


def attention_text(state: TokenState) -> str:
    """Return what is wrong with an account for which renewal has stopped, in a few words."""
    return tr("no app key") if is_not_set_up(state) else tr("needs attention")


def profile_text(state: TokenState) -> str:
    return " · ".join([_account_name(state.profile), *(badge.text for badge in badges_of(state))])


def title_text(title: str, profile: str) -> str:
    """Return the title of a window that is about the account of a profile; without a `profile` it names none."""
    return f"{title} - {_account_name(profile)}" if profile else title


def _account_name(profile: str) -> str:
    return tr("Default") if profile == DEFAULT else profile


_BUSY = {
    Action.READ: msg("Reading the token…"),
    Action.VERIFY: msg("Asking Kiwoom whether the token works…"),
    Action.REFRESH: msg("Asking Kiwoom for a token…"),
    Action.ROTATE: msg("Revoking the token and issuing a new one…"),
    Action.CLEAR: msg("Removing the token…"),
    Action.REVOKE: msg("Revoking the token at Kiwoom…"),
    Action.UNLOCK: msg("Waiting for {keyring} to be unlocked…"),
}


def busy_text(action: Action | None) -> str:
    return "" if action is None else tr(_BUSY[action], keyring=keyring_name())


def error_text(error: KiwoomTokenError, state: TokenState, now: float) -> str:
    """Return an error as a sentence; missing keys without the command that enters them, because a button does.

    Where the account of `state` is to wait, the sentence says until when.
    """
    if state.renew_at is not None and state.renew_at > now and is_repeated(error, state):
        time, told = local_time(state.renew_at, now), ""
        if isinstance(error, RateLimited):
            told = tr("Kiwoom's request limit was reached. Trying again at {time}.", time=time)
        elif error.message == NOT_KIWOOM:
            told = tr("Kiwoom does not answer properly, perhaps for maintenance. Trying again at {time}.", time=time)
        if told:
            return f"{told} [{error.code}]" if error.code else told
    if isinstance(error, KeysMissing) and "mode" in error.values:
        return tr("No app key for {mode} yet.", mode=tr(str(error.values["mode"])))
    return refusal_text(error, state.mode)


def rotation_text(state: TokenState, now: float) -> str:
    """Return when the token will be revoked and reissued before it expires; empty if it will not."""
    if state.rotate_at is None or (state.expires is not None and state.rotate_at >= state.expires):
        return ""
    return tr("{time}: revoked and reissued.", time=local_time(state.rotate_at, now))


_PROBLEMS = {
    KeyringUnavailable.MISSING: msg("This computer has no keyring."),
    KeyringUnavailable.LOCKED: msg("{keyring} is locked."),
    KeyringUnavailable.UNREACHABLE: msg("{keyring} cannot be reached from here."),
    KeyringUnavailable.SILENT: msg("{keyring} does not answer."),
    KeyringUnavailable.ASKING: msg("{keyring} is asking for permission."),
    KeyringUnavailable.FAILED: msg("{keyring} failed."),
}
_PROBLEMS_WITH_FILE = {
    KeyringUnavailable.MISSING: msg("This computer has no keyring; the token is stored in a file."),
    KeyringUnavailable.LOCKED: msg("{keyring} is locked; the token is stored in a file for now."),
    KeyringUnavailable.UNREACHABLE: msg("{keyring} cannot be reached from here; the token is stored in a file."),
    KeyringUnavailable.SILENT: msg("{keyring} does not answer; the token is stored in a file for now."),
    KeyringUnavailable.ASKING: msg("{keyring} is asking for permission."),
}


def place_problem_text(state: TokenState) -> str:
    problem = state.place_problem
    if not problem or state.place == "redis":
        return problem_text(problem)
    is_in_file = state.place != "keyring" and state.expires is not None and not state.hides_token
    if is_in_file and problem == KeyringUnavailable.TOO_SMALL:
        return tr("The token is too long for {keyring}; it is stored in a file.", keyring=keyring_name())
    if is_in_file:
        failed = msg("{keyring} failed; the token is stored in a file for now.")
        return tr(_PROBLEMS_WITH_FILE.get(problem, failed), keyring=keyring_subject())
    return tr(_PROBLEMS[problem], keyring=keyring_subject()) if problem in _PROBLEMS else problem_text(problem)
