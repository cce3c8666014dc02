"""What the tray icon shows for a state."""

from __future__ import annotations

from tray_app.core.state import TokenState
from tray_app.desktop.icons.state_icon import IconSpec, Phase, level_of
from tray_app.desktop.view.timing import lifetime, phase_of, seconds_left
from tray_app.desktop.view.urgency import is_first_check, running_action


def icon_of(state: TokenState, now: float) -> IconSpec:
    phase = phase_of(state, now)
    busy = running_action(state) is not None or is_first_check(state)
    level = 0
    if phase is Phase.VALID and not busy:
        level = ring_level(state, now)
    return IconSpec(phase, level, busy=busy, problem=bool(state.place_problem), stopped=state.stopped)


def ring_level(state: TokenState, now: float) -> int:
    """Return the remaining part of the ring, which changes with the minutes that are left."""
    left = seconds_left(state, now)
    return level_of((left - left % 60) / lifetime(state))
