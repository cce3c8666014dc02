"""Texts that tooltip, menu and window share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tray_app.core.errors import KeyringUnavailable, KeysMissing, RateLimited
from tray_app.core.language import tr
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


def headline_text(state: TokenState, phase: Phase, now: float) -> str:
    if phase in {Phase.VALID, Phase.HOUR, Phase.SOON}:
        return tr("Time left")
    if phase is Phase.LOW:
        return tr("Expires soon")
    if phase is Phase.ENDING:
        return tr("About to expire")
    if phase is Phase.EXPIRED and is_planned_now(state, now):
        return tr("Expired, being reissued")
    if phase is Phase.EXPIRED:
        return tr("Expired")
    if phase is Phase.DEAD:
        return tr("Stopped working")
    if phase is Phase.UNCONFIRMED:
        return tr("Not confirmed")
    if state.is_unread:
        return tr("One moment…")
    return _no_token_text(state)


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


def busy_text(action: Action | None) -> str:
    if action is None:
        return ""
    if action is Action.READ:
        return tr("Reading the token…")
    if action is Action.VERIFY:
        return tr("Asking Kiwoom whether the token works…")
    if action is Action.REFRESH:
        return tr("Asking Kiwoom for a token…")
    if action is Action.ROTATE:
        return tr("Revoking the token and issuing a new one…")
    if action is Action.CLEAR:
        return tr("Removing the token…")
    if action is Action.REVOKE:
        return tr("Revoking the token at Kiwoom…")
    return tr("Waiting for {keyring} to be unlocked…", keyring=keyring_name())


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


def place_problem_text(state: TokenState) -> str:
    problem = state.place_problem
    if not problem:
        return ""
    if state.place == "redis":
        return problem_text(problem)
    subject, has_token = keyring_subject(), state.expires is not None
    if state.place == "keyring" or state.hides_token or not has_token:
        return _keyring_problem_text(problem, subject)
    if problem == KeyringUnavailable.LOCKED:
        return tr("{keyring} is locked; the token is stored in a file for now.", keyring=subject)
    if problem == KeyringUnavailable.ASKING:
        return tr("{keyring} is asking for permission.", keyring=subject)
    if problem == KeyringUnavailable.UNREACHABLE:
        return tr("{keyring} cannot be reached from here; the token is stored in a file.", keyring=subject)
    if problem == KeyringUnavailable.SILENT:
        return tr("{keyring} does not answer; the token is stored in a file for now.", keyring=subject)
    if problem == KeyringUnavailable.MISSING:
        return tr("This computer has no keyring; the token is stored in a file.")
    if problem == KeyringUnavailable.TOO_SMALL:
        return tr("The token is too long for {keyring}; it is stored in a file.", keyring=keyring_name())
    return tr("{keyring} failed; the token is stored in a file for now.", keyring=subject)


def _keyring_problem_text(problem: str, subject: str) -> str:
    if problem == KeyringUnavailable.MISSING:
        return tr("This computer has no keyring.")
    if problem == KeyringUnavailable.LOCKED:
        return tr("{keyring} is locked.", keyring=subject)
    if problem == KeyringUnavailable.UNREACHABLE:
        return tr("{keyring} cannot be reached from here.", keyring=subject)
    if problem == KeyringUnavailable.SILENT:
        return tr("{keyring} does not answer.", keyring=subject)
    if problem == KeyringUnavailable.ASKING:
        return tr("{keyring} is asking for permission.", keyring=subject)
    if problem == KeyringUnavailable.FAILED:
        return tr("{keyring} failed.", keyring=subject)
    return problem_text(problem)
