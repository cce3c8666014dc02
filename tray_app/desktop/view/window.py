"""The texts of the status window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tray_app.core.errors import EncryptionKeyUnusable, NoToken, Remedy, RevokeFailed, StoreError
from tray_app.core.language import joined, msg, tr
from tray_app.core.remedies import is_failing
from tray_app.core.renewal_schedule import NOTIFY
from tray_app.core.state import Action, Result, TokenState
from tray_app.core.wording import keyring_subject, korean_time, local_time
from tray_app.desktop.theme.colours import Tone
from tray_app.desktop.view.icon import icon_of
from tray_app.desktop.view.model import Overview, ProfileLine
from tray_app.desktop.view.texts import (
    attention_text,
    error_text,
    headline_text,
    profile_text,
    rotation_text,
    short_end_text,
)
from tray_app.desktop.view.timing import is_of_known_age, phase_of
from tray_app.desktop.view.urgency import CLEARED_RESULTS, WELL, most_urgent, urgency

if TYPE_CHECKING:
    from tray_app.core.errors import KiwoomTokenError
    from tray_app.core.state import LastResult

SAME_EVENT_SECONDS = 60
"""What Kiwoom said within this time of the last event is that event."""


def end_text(expires: float, now: float, left: int, *, in_trading_hours: bool) -> str:
    time = short_end_text(expires, now)
    if not left:
        return tr("Expired at {time}", time=time)
    if in_trading_hours:
        return tr("Expires at {time}, during trading hours", time=time)
    return tr("Expires at {time}", time=time)


def local_end_text(expires: float, now: float) -> str:
    return tr("{time} on this computer", time=local_time(expires, now))


def profile_lines(overview: Overview, now: float) -> tuple[ProfileLine, ...]:
    if len(overview.states) < 2:
        return ()
    return tuple(
        ProfileLine(
            state.profile,
            profile_text(state),
            account_status(state, now),
            state is overview.state,
            icon_of(state, now),
        )
        for state in overview.states
    )


def account_status(state: TokenState, now: float) -> str:
    """Return until when the token of an account is valid, or what is wrong."""
    if state.stopped:
        return attention_text(state)
    if state.expires is None or state.expires <= now:
        return headline_text(state, phase_of(state, now), now)
    return tr("until {time}", time=short_end_text(state.expires, now))


def elsewhere_text(overview: Overview, now: float) -> str:
    """Return what another account needs more urgently than the chosen one; empty where nothing is."""
    urgent = most_urgent(overview.states, now)
    if urgency(urgent, now) >= min(urgency(overview.state, now), WELL):
        return ""
    what = attention_text(urgent) if urgent.stopped else headline_text(urgent, phase_of(urgent, now), now)
    return f"{profile_text(urgent)} · {what}"


_KEYRINGS = {"win32": msg("Windows Credential Manager"), "darwin": msg("Keychain"), "linux": msg("Keyring")}
_PLACES = {"file": msg("File"), "memory": msg("Memory only: lost when the program quits"), "redis": "Redis"}


def place_name(place: str, platform: str) -> str:
    if place == "keyring":
        return tr(_KEYRINGS.get(platform, _KEYRINGS["linux"]))
    return tr(_PLACES[place]) if place in _PLACES else place


_RESULTS = {
    Result.ISSUED: msg("A new token was issued."),
    Result.DIED: msg("Kiwoom does not accept the token any more."),
    Result.ADOPTED: msg("A token issued to another program is in use."),
    Result.CLEARED: msg("The token was removed from this computer. At Kiwoom it may still be valid."),
    Result.CLEARED_EXPIRED: msg("The token had expired. It was removed from this computer."),
    Result.REVOKED: msg("The token was revoked at Kiwoom and removed from this computer."),
    Result.ALREADY_DEAD: msg("Kiwoom no longer accepted the token. It was removed from this computer."),
    Result.GONE: msg("Another program has removed the token."),
    Result.KEPT: msg("There was no token of this account. The stored one was issued with other keys and stays."),
    Result.PLANNED: msg("The planned reissue was cancelled."),
}

_FAILURES = {
    Action.CLEAR: msg("The token could not be removed."),
    Action.REVOKE: msg("The token could not be revoked."),
}
"""What a user asked for, where the reason alone does not say what it stopped."""


def last_event_text(state: TokenState, now: float) -> str:
    if state.last is None:
        return tr("Issued") if is_of_known_age(state) else ""
    result = state.last.result
    if state.last.error is not None and result in {Result.REVOKED, Result.ALREADY_DEAD}:
        is_revoked = result is Result.REVOKED
        ended = tr("The token was revoked at Kiwoom.") if is_revoked else tr("Kiwoom no longer accepted the token.")
        return joined(ended, error_text(state.last.error, state, now))
    if state.last.error is not None:
        return joined(_failure_text(state.last), error_text(state.last.error, state, now))
    if state.last.replaces_dead:
        return tr("The previous token had stopped working early. A new one was issued.")
    if result is Result.SAME and state.is_doubtful and state.expires is not None:  # as one that was revoked
        end = korean_time(state.expires, now)
        return tr("Kiwoom returned the same token; it still expires at {end} (KST).", end=end)
    if result in {Result.SAME, Result.CONFIRMED}:
        if state.expires is None:
            return tr("Kiwoom confirms it is valid.")
        return tr("Kiwoom confirms it is valid. It still expires at {time}.", time=short_end_text(state.expires, now))
    if result is Result.PLANNED and state.rotate_at is not None:
        return tr("It will be revoked and reissued at {time} (KST).", time=korean_time(state.rotate_at, now))
    if result is Result.UNLOCKED:
        return tr("{keyring} is unlocked.", keyring=keyring_subject())
    return tr(_RESULTS.get(result, msg("That did not work.")))


def _failure_text(last: LastResult) -> str:
    if last.action not in _FAILURES or isinstance(last.error, NoToken | RevokeFailed):
        return ""  # or the error says it itself
    return tr(_FAILURES[last.action])


def last_event_time(state: TokenState, now: float) -> str:
    if state.last is not None:
        return local_time(state.last.at, now)
    return local_time(state.created, now) if state.created is not None and is_of_known_age(state) else ""


def confirmed_text(state: TokenState, now: float) -> str:
    """Return when Kiwoom last said that the token works, unless the last event says so already."""
    if state.is_doubtful:
        return tr("This token may have stopped working; Kiwoom is being asked.")
    if state.confirmed_at is None or state.expires is None or state.expires <= now:
        return ""
    last = state.last
    if last is not None and last.error is None and abs(last.at - state.confirmed_at) < SAME_EVENT_SECONDS:
        return ""
    return tr("Confirmed by Kiwoom: {time}", time=local_time(state.confirmed_at, now))


def last_event_tone(state: TokenState, left: int) -> Tone:
    if state.last is None or (state.last.error is None and state.last.result is not Result.DIED):
        return Tone.QUIET
    return Tone.BAD if state.stopped or not left else Tone.LOW


def _is_watched(error: KiwoomTokenError | None, state: TokenState) -> bool:
    """Return True for what this program notices by itself once it is solved, by whomever."""
    if isinstance(error, StoreError):
        return not isinstance(error, EncryptionKeyUnusable)
    is_awaited = error is not None and error.remedy in {Remedy.UNLOCK_KEYRING, Remedy.ENTER_KEYS}
    return is_awaited and state.policy != NOTIFY


def next_event_text(state: TokenState, now: float) -> str:
    if state.stopped and state.renew_at is not None:
        return tr(
            "Kiwoom is asked again at {time}, or when you press “Try again”.", time=local_time(state.renew_at, now)
        )
    was_cleared = state.last is not None and state.last.result in CLEARED_RESULTS
    error = None if state.expires is not None or was_cleared else state.error
    if _is_watched(error, state) and state.renew_at is None:
        return tr("It continues automatically once this is fixed.")
    if state.stopped and state.policy == NOTIFY:
        return tr("Press “Try again” once this is fixed.")
    if state.stopped:
        return tr("Automatic renewal is paused until you fix this and press “Try again”.")
    if state.renew_at is None:
        if state.policy == NOTIFY and state.expires is not None and state.expires > now:
            return tr("Automatic renewal is off: you are only warned before it expires.")
        is_known = state.last is not None or state.dead_at is not None or state.expires is not None
        if state.policy == NOTIFY and is_known and not was_cleared:
            if state.last is not None and state.last.result is Result.FAILED:
                return tr("Automatic renewal is off. Press “Try again”.")
            return tr("Automatic renewal is off. Press “Issue a token”.")
        if state.expires is None and was_cleared:
            return tr("Waiting until you or a program issues a token again.")
        return ""
    if state.renew_at <= now:
        return tr("A new token is issued in a moment.")
    time = local_time(state.renew_at, now)
    if is_failing(state):
        return tr("Next attempt: {time}.", time=time)
    if planned := rotation_text(state, now):
        return planned
    if state.expires is not None and state.expires > now:
        time = local_time(state.expires, now)
        return tr("A new token is issued automatically right after it expires, at {time}.", time=time)
    return tr("A new token is issued automatically: {time}.", time=time)
