"""Korean trading hours: when the market is open, and the moments before it opens."""

from __future__ import annotations

from datetime import datetime

import pytest

from tray_app.core.token import KST
from tray_app.core.trading import (
    evening_before,
    is_quiet_time,
    is_trading,
    last_check_before_trading,
    last_time_of_day,
    next_check_before_trading,
    opening_of,
)


def korean(text: str) -> float:
    """Return an instant in November 2026, of which the 23rd is a Monday: `24 08:00`."""
    return datetime.strptime(f"2026-11-{text}", "%Y-%m-%d %H:%M").replace(tzinfo=KST).timestamp()


@pytest.mark.parametrize(
    ("moment", "real", "demo"),
    [
        ("24 07:59", False, False),
        ("24 08:00", True, False),
        ("24 09:00", True, True),
        ("24 15:29", True, True),
        ("24 15:30", True, False),
        ("24 19:59", True, False),
        ("24 20:00", False, False),
        ("28 10:00", False, False),
        ("29 10:00", False, False),
    ],
)
def test_real_trading_is_longer_than_mock_trading_and_neither_is_on_a_weekend(
    moment: str, real: bool, demo: bool
) -> None:
    assert is_trading(korean(moment)) is real
    assert is_trading(korean(moment), "demo") is demo


@pytest.mark.parametrize(("minutes", "is_quiet"), [(0, True), (479, True), (480, False), (1199, False), (1200, True)])
def test_a_time_of_day_is_quiet_when_no_market_is_open(minutes: int, is_quiet: bool) -> None:
    assert is_quiet_time(minutes) is is_quiet


def test_the_evening_before_is_the_close_of_the_previous_day() -> None:
    assert evening_before(korean("24 10:00")) == korean("23 20:00")


def test_the_opening_is_that_of_the_same_korean_day() -> None:
    assert opening_of(korean("24 23:30")) == korean("24 08:00")
    assert opening_of(korean("25 00:30")) == korean("25 08:00"), "in UTC this is still the 24th"


@pytest.mark.parametrize(
    ("now", "last"), [("24 06:29", "23 06:30"), ("24 06:30", "24 06:30"), ("24 06:31", "24 06:30")]
)
def test_the_last_time_of_day_is_today_once_it_has_come(now: str, last: str) -> None:
    assert last_time_of_day(6 * 60 + 30, korean(now)) == korean(last)


@pytest.mark.parametrize(("mode", "time"), [("real", "07:50"), ("demo", "08:50")])
def test_a_token_is_checked_ten_minutes_before_each_opening(mode: str, time: str) -> None:
    assert next_check_before_trading(korean("24 00:00"), mode) == korean(f"24 {time}")
    assert next_check_before_trading(korean(f"24 {time}"), mode) == korean(f"25 {time}")
    assert last_check_before_trading(korean(f"24 {time}"), mode) == korean(f"24 {time}")


def test_no_check_is_due_before_a_day_without_trading() -> None:
    assert next_check_before_trading(korean("27 12:00"), "real") == korean("30 07:50"), "from Friday to Monday"
    assert last_check_before_trading(korean("29 12:00"), "real") == korean("27 07:50"), "on Sunday"
