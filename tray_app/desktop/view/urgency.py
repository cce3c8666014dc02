"""Which account needs attention first."""

from __future__ import annotations

from tray_app.core.errors import KeysMissing
from tray_app.core.remedies import is_planned_now
from tray_app.core.renewal_schedule import NOTIFY
from tray_app.core.state import Action, Result, TokenState
from tray_app.core.trading import is_trading
from tray_app.desktop.icons.state_icon import Phase
from tray_app.desktop.view.timing import phase_of, seconds_left

_LEAST_URGENT = 99

CLEARED_RESULTS = frozenset(
    {Result.CLEARED, Result.CLEARED_EXPIRED, Result.REVOKED, Result.ALREADY_DEAD, Result.GONE, Result.KEPT}
)


def most_urgent(states: tuple[TokenState, ...], now: float) -> TokenState:
    """Return the state that needs attention first; of equal ones, real trading before mock trading."""
    return min(states, key=lambda state: urgency_order(state, now))


def urgency_order(state: TokenState, now: float) -> tuple[int, bool, int]:
    return urgency(state, now), state.mode != "real", seconds_left(state, now)


WELL = 6
"""The rank of an account with a token that works and nothing else to tell."""


def urgency(state: TokenState, now: float) -> int:
    """Return the rank of a state; 0 is the most urgent."""
    phase = phase_of(state, now)
    if is_not_set_up(state):
        return _LEAST_URGENT
    is_dead = phase in {Phase.NONE, Phase.EXPIRED, Phase.DEAD}
    has_failed = state.last is not None and state.last.result is Result.FAILED
    ranks = (
        state.stopped or phase is Phase.DEAD or (is_dead and has_failed),
        is_dead and is_trading(now, state.mode) and not _is_intended(state, now),
        phase is Phase.ENDING,
        phase in {Phase.LOW, Phase.UNCONFIRMED},
        is_dead and not _is_intended(state, now),
        has_failed or bool(state.place_problem),
        not is_dead,
    )
    return ranks.index(True) if True in ranks else len(ranks)


def is_not_set_up(state: TokenState) -> bool:
    """Return True if the account has no keys yet: a trader may use only the others."""
    return state.expires is None and isinstance(state.error, KeysMissing)


def _is_intended(state: TokenState, now: float) -> bool:
    """Return whether a missing token is as intended: it was cleared, is still being looked up, or is
    just being replaced."""
    if state.expires is not None:
        return is_planned_now(state, now)
    was_cleared = state.last is not None and state.last.result in CLEARED_RESULTS
    return was_cleared or state.is_unread or (state.policy != NOTIFY and state.renew_at is None)


def running_action(state: TokenState) -> Action | None:
    return None if state.busy is Action.READ else state.busy
