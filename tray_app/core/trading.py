"""Korean trading hours and days, as far as this program has to know them. Instants are seconds of the epoch.

KRX trades 09:00-15:30 and NXT 08:00-20:00 on weekdays, Korean time. Mock trading is KRX only.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from tray_app.core.token import KST

if TYPE_CHECKING:
    from collections.abc import Callable

OPENS = time(8, 0)
CLOSES = time(20, 0)
_MOCK_OPENS, _MOCK_CLOSES = time(9, 0), time(15, 30)
_SATURDAY = 5
_CHECK_BEFORE = timedelta(minutes=10)
_LONGEST_CLOSURE_DAYS = 15
"""The exchange was never closed for this many days in a row."""

_is_closed: Callable[[date], bool] = lambda _: False  # noqa: E731 - until a calendar is installed


def install_calendar(is_closed: Callable[[date], bool]) -> None:
    """Set what tells the exchange's closed days; until then weekdays count."""
    global _is_closed  # noqa: PLW0603 - one exchange for the whole process
    _is_closed = is_closed


def is_trading_day(day: date) -> bool:
    """Return whether the exchange is open on that day of the Korean calendar."""
    return day.weekday() < _SATURDAY and not _is_closed(day)


def is_trading(instant: float, mode: str = "real") -> bool:
    """Return True if the market is open at that instant, for real or `demo` (mock) trading."""
    there = datetime.fromtimestamp(instant, KST)
    opens, closes = (_MOCK_OPENS, _MOCK_CLOSES) if mode == "demo" else (OPENS, CLOSES)
    return opens <= there.time() < closes and is_trading_day(there.date())


def is_quiet_time(minutes: int) -> bool:
    """Return True if no market is open at that time of day, given in minutes after midnight in Korea."""
    return not OPENS.hour * 60 <= minutes < CLOSES.hour * 60


def evening_before(instant: float) -> float:
    """Return when trading closes on the day before the one of `instant`."""
    day = datetime.fromtimestamp(instant, KST).date() - timedelta(days=1)
    return datetime.combine(day, CLOSES, KST).timestamp()


def opening_of(instant: float) -> float:
    """Return when trading opens on the day of `instant`."""
    return datetime.combine(datetime.fromtimestamp(instant, KST).date(), OPENS, KST).timestamp()


def last_time_of_day(minutes: int, now: float) -> float:
    """Return the latest instant up to `now` at which a Korean clock showed `minutes` after midnight."""
    there = datetime.fromtimestamp(now, KST)
    today = datetime.combine(there.date(), time(minutes // 60, minutes % 60), KST)
    return (today if today <= there else today - timedelta(days=1)).timestamp()


def last_check_before_trading(now: float, mode: str) -> float:
    """Return the latest instant up to `now` that lay ten minutes before trading began."""
    return _check_before_trading(now, mode, step=-1)


def next_check_before_trading(now: float, mode: str) -> float:
    """Return the first instant after `now` that lies ten minutes before trading begins."""
    return _check_before_trading(now, mode, step=1)


def _check_before_trading(now: float, mode: str, *, step: int) -> float:
    there = datetime.fromtimestamp(now, KST)
    opens = _MOCK_OPENS if mode == "demo" else OPENS
    for days in range(_LONGEST_CLOSURE_DAYS):
        day = there.date() + timedelta(days=step * days)
        check = datetime.combine(day, opens, KST) - _CHECK_BEFORE
        if is_trading_day(day) and (check > there if step > 0 else check <= there):
            return check.timestamp()
    return now + step * _LONGEST_CLOSURE_DAYS * 86400.0
