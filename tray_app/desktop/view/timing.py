"""How much of a token's lifetime is left, and when the words for it change."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from tray_app.core.remedies import LOW_SECONDS
from tray_app.core.state import TokenState
from tray_app.core.token import BUFFER_SECONDS, KST, UTC
from tray_app.desktop.icons.state_icon import Phase

HOUR_SECONDS = 3600
"""Below this the ring of the icon is that hour."""

SOON_SECONDS = 1800
"""Below this the icon shows the minutes."""

DAY_SECONDS = 86400.0

_ASSUMED_LIFETIME_SECONDS = DAY_SECONDS
"""For a token whose time of issue is unknown: the lifetime of Kiwoom's tokens."""


def seconds_left(state: TokenState, now: float) -> int:
    """Return the whole seconds left, rounded up: 0 only after expiry."""
    return math.ceil(round(state.remaining(now), 3))


def phase_of(state: TokenState, now: float) -> Phase:
    if state.expires is None:
        return Phase.NONE if state.dead_at is None else Phase.DEAD
    left = seconds_left(state, now)
    if left <= 0:
        return Phase.EXPIRED
    if state.is_doubtful:
        return Phase.UNCONFIRMED
    if left < BUFFER_SECONDS:
        return Phase.ENDING
    if left < LOW_SECONDS:
        return Phase.LOW
    if left < SOON_SECONDS:
        return Phase.SOON
    return Phase.HOUR if left < HOUR_SECONDS else Phase.VALID


def is_of_known_age(state: TokenState) -> bool:
    return state.expires is not None and state.created is not None and state.created < state.expires


def lifetime(state: TokenState) -> float:
    if state.expires is None or state.created is None or state.expires <= state.created:
        return _ASSUMED_LIFETIME_SECONDS
    return state.expires - state.created


def fraction_left(state: TokenState, now: float) -> float:
    """Return the part of the token's lifetime that is left, from 0 to 1."""
    return min(1.0, state.remaining(now) / lifetime(state))


def next_midnight(now: float, *, korean: bool) -> float:
    """Return when the words for a day change."""
    utc = datetime.fromtimestamp(now, UTC)
    today = utc.astimezone(KST) if korean else utc.astimezone()
    midnight = datetime.combine(today.date() + timedelta(days=1), datetime.min.time())
    return (midnight.replace(tzinfo=KST) if korean else midnight).timestamp()
