"""Korean trading hours, as far as a token must not end inside them.

KRX trades 09:00-15:30 and NXT 08:00-20:00 on weekdays, Korean time. Holidays are not known here: a token that
is renewed for a holiday harms nobody.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta

from tray_app.core.token import KST

OPENS = time(8, 0)
CLOSES = time(20, 0)
_SATURDAY = 5


def is_trading(instant: float) -> bool:
    """Whether `instant` (epoch seconds) falls inside the trading hours of a weekday."""
    there = datetime.fromtimestamp(instant, KST)
    return there.weekday() < _SATURDAY and OPENS <= there.time() < CLOSES


def is_quiet_time(minutes: int) -> bool:
    """Whether no market is open at that time of day, given in minutes after midnight in Korea."""
    return not OPENS.hour * 60 <= minutes < CLOSES.hour * 60


def evening_before(instant: float) -> float:
    """When trading closes on the day before the one of `instant`, both in epoch seconds."""
    day = datetime.fromtimestamp(instant, KST).date() - timedelta(days=1)
    return datetime.combine(day, CLOSES, KST).timestamp()


def opening_of(instant: float) -> float:
    """When trading opens on the day of `instant`, both in epoch seconds."""
    return datetime.combine(datetime.fromtimestamp(instant, KST).date(), OPENS, KST).timestamp()


def last_time_of_day(minutes: int, now: float) -> float:
    """The latest instant up to `now` at which a Korean clock showed `minutes` after midnight."""
    there = datetime.fromtimestamp(now, KST)
    today = datetime.combine(there.date(), time(minutes // 60, minutes % 60), KST)
    return (today if today <= there else today - timedelta(days=1)).timestamp()
