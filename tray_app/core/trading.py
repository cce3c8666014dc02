"""Korean trading hours and days, as far as this program has to know them. Instants are seconds of the epoch.

KRX trades 09:00-15:30 and NXT 08:00-20:00 on weekdays that are no holidays, Korean time. Mock trading (`demo`) is KRX
only.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from tray_app.core.token import KST

if TYPE_CHECKING:
    from collections.abc import Iterable

OPENS = time(8, 0)
CLOSES = time(20, 0)
QUIET_MINUTES = 6 * 60 + 30
"""A time of day in Korea at which a reissue disturbs nobody, in minutes after midnight: before the market opens, with
time left to solve a problem."""

QUIET_TIME = f"{QUIET_MINUTES // 60:02}:{QUIET_MINUTES % 60:02}"

_MOCK_HOURS = (time(9, 0), time(15, 30))
_SATURDAY = 5
_CHECK_BEFORE = timedelta(minutes=10)
_LONGEST_CLOSURE_DAYS = 15
"""The exchange was never closed for this many days in a row."""


class ClosedDays:
    """The weekdays on which the exchange is closed. They are known from `first` to `last`; outside, weekdays count."""

    def __init__(self, days: Iterable[date] = (), first: date = date.max, last: date = date.min) -> None:
        self._days = frozenset(days)
        self._first = first
        self._last = last

    def knows(self, day: date) -> bool:
        """Return whether it is known if the exchange is closed on that day."""
        return self._first <= day <= self._last

    def __contains__(self, day: date) -> bool:
        return day in self._days

    @property
    def last(self) -> date:
        """The last day that is known, `date.min` for none."""
        return self._last


_closed_days: ClosedDays | None = None


def install_closed_days(days: ClosedDays | None) -> None:
    """Set the exchange's closed days for this process; without them weekdays count."""
    global _closed_days  # noqa: PLW0603 - one exchange for the whole process
    _closed_days = days


def closed_days() -> ClosedDays | None:
    """Return the exchange's closed days as far as this process knows them, None before any were installed."""
    return _closed_days


def lacks_holidays(instant: float) -> bool:
    """Return whether holidays were looked up, and those of the day of `instant` are not among them: weekdays count."""
    return _closed_days is not None and not _closed_days.knows(datetime.fromtimestamp(instant, KST).date())


def is_trading_day(day: date) -> bool:
    """Return whether the exchange is open on that day of the Korean calendar."""
    return day.weekday() < _SATURDAY and (_closed_days is None or day not in _closed_days)


def trading_hours(mode: str = "real") -> tuple[time, time]:
    """Return when trading opens and closes on a trading day, for real or `demo` (mock) trading."""
    return _MOCK_HOURS if mode == "demo" else (OPENS, CLOSES)


def is_trading(instant: float, mode: str = "real") -> bool:
    """Return True if the market is open at that instant, for real or `demo` (mock) trading."""
    there = datetime.fromtimestamp(instant, KST)
    opens, closes = trading_hours(mode)
    return opens <= there.time() < closes and is_trading_day(there.date())


def is_quiet_time(minutes: int) -> bool:
    """Return True if no market is open at that time of day, given in minutes after midnight in Korea."""
    return not OPENS.hour * 60 <= minutes < CLOSES.hour * 60


def evening_before(instant: float) -> float:
    """Return when all trading ends on the day before the one of `instant`."""
    day = datetime.fromtimestamp(instant, KST).date() - timedelta(days=1)
    return datetime.combine(day, CLOSES, KST).timestamp()


def is_evening_before(instant: float, now: float, mode: str = "real") -> bool:
    """Return True if all trading has ended on the day before the one of `instant`, and has not opened on that one."""
    return evening_before(instant) <= now < opening_of(instant, mode)


def opening_of(instant: float, mode: str = "real") -> float:
    """Return when trading opens on the day of `instant`."""
    return datetime.combine(datetime.fromtimestamp(instant, KST).date(), trading_hours(mode)[0], KST).timestamp()


def next_time_of_day(minutes: int, now: float) -> float:
    """Return the first instant after `now` at which a Korean clock shows `minutes` after midnight."""
    return last_time_of_day(minutes, now) + 86400.0


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
    opens, _ = trading_hours(mode)
    for days in range(_LONGEST_CLOSURE_DAYS):
        day = there.date() + timedelta(days=step * days)
        check = datetime.combine(day, opens, KST) - _CHECK_BEFORE
        if is_trading_day(day) and (check > there if step > 0 else check <= there):
            return check.timestamp()
    return now + step * _LONGEST_CLOSURE_DAYS * 86400.0
