"""Instants of a clock that people and computers set."""

from __future__ import annotations


def is_recent(at: float | None, now: float, seconds: float) -> bool:
    """Return True if the instant `at` is less than `seconds` before `now`, all in seconds of the epoch.

    One that lies ahead of `now` is not recent: the clock was set back since, perhaps by years. Nor is None.
    """
    return at is not None and 0 <= now - at < seconds


def earliest(*moments: float | None) -> float | None:
    """Return the first of these instants, or None if there is none among them."""
    return min((one for one in moments if one is not None), default=None)
