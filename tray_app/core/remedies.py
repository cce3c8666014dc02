"""The one thing that helps in a state, and its words: on a button, in a menu and in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tray_app.core.errors import KeyringUnavailable, RateLimited, Remedy, RevokeFailed
from tray_app.core.language import tr
from tray_app.core.profile import command_line
from tray_app.core.renewal_schedule import NOTIFY
from tray_app.core.state import Life, Result, TokenState
from tray_app.core.trading import QUIET_MINUTES, QUIET_TIME, is_evening_before, is_trading, next_time_of_day, opening_of
from tray_app.core.wording import keyring_name, local_time

if TYPE_CHECKING:
    from tray_app.core.errors import KiwoomTokenError

LOW_SECONDS = 600
"""With less left, a token that nobody renews is worth reissuing at once."""

CHANGE_SECONDS = 60
"""A change of tokens that takes less is no gap."""

ASKING = frozenset({Remedy.NONE, Remedy.RETRY, Remedy.WAIT, Remedy.ISSUE, Remedy.CHECK})
"""What the button that asks Kiwoom does anyway; every other remedy is a button of its own."""


def remedy_for(state: TokenState, now: float, *, has_settings_problem: bool = False) -> str:
    """Return the `Remedy` that helps at `now` (seconds of the epoch), or `Remedy.NONE` when all is well.

    `has_settings_problem` tells that something in the settings cannot be used.
    """
    error = state.error or state.stopped_by  # which a check may have taken out of sight
    remedy = Remedy.NONE if error is None else _of_error(error, state, now)
    if remedy in {Remedy.NONE, Remedy.RETRY, Remedy.WAIT} and state.place_problem in KeyringUnavailable.UNLOCKABLE:
        return Remedy.UNLOCK_KEYRING
    if remedy == Remedy.NONE and has_settings_problem:
        return Remedy.FIX_SETTINGS
    return remedy if remedy != Remedy.NONE else _of_life(state, now)


def remedy_text(remedy: str, mode: str) -> str:
    """Return what a button says that does this, for an account of this mode; empty for none."""
    match remedy:
        case Remedy.RETRY | Remedy.WAIT:
            return tr("Try again")
        case Remedy.ISSUE:
            return tr("Issue a token")
        case Remedy.CHECK:
            return tr("Check with Kiwoom")
        case Remedy.ENTER_KEYS:
            return tr("Enter the app key…")
        case Remedy.SWITCH_MODE if mode == "real":
            return tr("Try this key for mock trading")
        case Remedy.SWITCH_MODE:
            return tr("Try this key for real trading")
        case Remedy.OPEN_PORTAL:
            return tr("Register this IP…")
        case Remedy.UNLOCK_KEYRING:
            return tr("Unlock {keyring}…", keyring=keyring_name())
        case Remedy.ROTATE:
            return tr("Revoke and reissue…")
        case Remedy.PLAN_ROTATION:
            return tr("Reissue at {time}", time=QUIET_TIME)
        case Remedy.CHOOSE_FOLDER:
            return tr("Choose a folder…")
        case Remedy.CHOOSE_STORE:
            return tr("Choose where to store it…")
        case Remedy.SHOW_FILE:
            return tr("Show the file…")
        case Remedy.FIX_SETTINGS:
            return tr("Open the settings file")
        case _:
            return ""


def remedy_command(remedy: str, profile: str, mode: str) -> str:
    """Return what to type or do in a terminal; empty for nothing."""
    other = "demo" if mode == "real" else "real"
    match remedy:
        case Remedy.RETRY | Remedy.ISSUE:
            return command_line("refresh", profile)
        case Remedy.CHECK:
            return command_line("verify", profile)
        case Remedy.ENTER_KEYS:
            return command_line(f"login --mode {mode}", profile)
        case Remedy.SWITCH_MODE:
            return command_line(f"login --mode {other}", profile)
        case Remedy.ROTATE:
            return command_line("refresh --rotate", profile)
        case Remedy.PLAN_ROTATION:
            return command_line(f"refresh --rotate --at {QUIET_TIME}", profile)
        case Remedy.OPEN_PORTAL:
            return tr("openapi.kiwoom.com > API 사용신청")
        case Remedy.CHOOSE_FOLDER:
            return "kiwoom-token config set data_dir PATH"
        case Remedy.CHOOSE_STORE:
            return "kiwoom-token config set store auto"
        case Remedy.SHOW_FILE:
            return "kiwoom-token config get data_dir"
        case Remedy.FIX_SETTINGS:
            return "kiwoom-token config path"
        case _:
            return ""


def wait_text(state: TokenState, now: float) -> str:
    """Return until when to wait for the next attempt, which comes by itself; empty without one."""
    if state.renew_at is None or state.renew_at <= now:
        return ""
    return tr("Trying again at {time}", time=local_time(state.renew_at, now))


def expires_in_trading_hours(state: TokenState, now: float) -> bool:
    """Return whether the token will expire while the market is open.

    Only a rotation at a quiet hour before that avoids it: renewing before expiry may return the same token, and
    renewing after expiry leaves seconds without one.
    """
    if state.expires is None or state.expires <= now or not is_trading(state.expires, state.mode):
        return False
    return state.rotate_at is None or state.rotate_at >= state.expires or is_trading(state.rotate_at, state.mode)


def is_planned_for(state: TokenState) -> bool:
    """Return whether somebody will issue the next token by itself once this one has expired."""
    return state.policy != NOTIFY and state.renew_at is not None and not state.stopped


def is_planned_now(state: TokenState, now: float) -> bool:
    """Return whether an expiry at this moment is no alarm: the next token comes by itself, within a minute after it."""
    return is_planned_for(state) and (state.expires is None or now - state.expires < CHANGE_SECONDS)


def is_failing(state: TokenState) -> bool:
    """Return whether the last request for a token failed and is repeated by itself."""
    last = state.last if state.renew_at is not None else None
    return last is not None and last.result is Result.FAILED and is_repeated(last.error, state)


def is_repeated(error: KiwoomTokenError | None, state: TokenState) -> bool:
    """Return whether what failed with this error is tried again by itself, at `renew_at` of the state."""
    last = state.last
    return last is None or last.error is not error or not last.is_once


def needs_unlocking(state: TokenState) -> bool:
    """Return whether something waits for a keyring that the user must unlock."""
    is_refused = any(one is not None and one.remedy == Remedy.UNLOCK_KEYRING for one in (state.error, state.stopped_by))
    return is_refused or state.place_problem in KeyringUnavailable.UNLOCKABLE


def _of_error(error: KiwoomTokenError, state: TokenState, now: float) -> str:
    if isinstance(error, RevokeFailed):
        return Remedy.CHECK if state.remaining(now) > 0 else Remedy.NONE
    if error.remedy == Remedy.RETRY and not is_repeated(error, state) and state.remaining(now) > 0:
        return Remedy.CHECK  # another token is not what failed
    if error.remedy == Remedy.RETRY and isinstance(error, RateLimited) and wait_text(state, now):
        return Remedy.NONE if state.remaining(now) > 0 else Remedy.WAIT
    if error.remedy == Remedy.NONE and state.stopped:
        return Remedy.RETRY
    return error.remedy


def _of_life(state: TokenState, now: float) -> str:
    if state.is_unread:
        return Remedy.NONE
    life = state.life(now)
    if life in {Life.NONE, Life.EXPIRED, Life.DEAD}:
        return Remedy.ISSUE
    if life is Life.UNCONFIRMED:
        return Remedy.CHECK
    if not is_planned_for(state) and state.remaining(now) < LOW_SECONDS:
        return Remedy.ROTATE
    if expires_in_trading_hours(state, now) and is_evening_before(state.expires or 0.0, now, state.mode):
        is_in_time = next_time_of_day(QUIET_MINUTES, now) < opening_of(state.expires or 0.0, state.mode)
        return Remedy.PLAN_ROTATION if is_in_time else Remedy.ROTATE
    return Remedy.NONE
