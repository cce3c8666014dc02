"""What the tray icon shows for a state."""

from __future__ import annotations

from tray_app.core.remedies import ASKING, is_failing, is_planned_now, needs_unlocking
from tray_app.core.state import TokenState
from tray_app.desktop.icons.state_icon import IconBadge, IconSpec, Phase, level_of
from tray_app.desktop.view.timing import HOUR_SECONDS, lifetime, phase_of, seconds_left
from tray_app.desktop.view.urgency import running_action


def icon_of(state: TokenState, now: float, *, has_settings_problem: bool = False) -> IconSpec:
    """Return the icon of an account; with `has_settings_problem` something in the settings cannot be used."""
    phase = phase_of(state, now)
    busy = running_action(state) is not None or state.is_unread
    level = minutes = 0
    if phase in {Phase.VALID, Phase.HOUR} and not busy:
        level = ring_level(state, now)
    elif phase in {Phase.SOON, Phase.LOW} and not busy:
        minutes = seconds_left(state, now) // 60
    badge = _badge_of(state, has_settings_problem=has_settings_problem)
    return IconSpec(phase, level, minutes, busy, badge, is_planned_now(state, now))


def _badge_of(state: TokenState, *, has_settings_problem: bool) -> IconBadge | None:
    if needs_unlocking(state):
        return IconBadge.LOCKED
    if state.stopped:
        return IconBadge.STOPPED
    if is_failing(state):
        return IconBadge.FAILING
    needs_user = state.error is not None and state.error.remedy not in ASKING
    return IconBadge.PROBLEM if state.place_problem or has_settings_problem or needs_user else None


def ring_level(state: TokenState, now: float) -> int:
    """Return the remaining part of the ring, which changes with the minutes that are left."""
    left = seconds_left(state, now)
    whole = HOUR_SECONDS if phase_of(state, now) is Phase.HOUR else lifetime(state)
    return level_of((left - left % 60) / whole)
