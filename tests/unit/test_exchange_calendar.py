"""The exchange's holidays: no check, no warning and no red mark on a day without trading."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from tray_app.core.errors import StoreError
from tray_app.core.notices import NoticeKind
from tray_app.core.token import KST, Token, token_until
from tray_app.core.token_schedule import TokenSchedule
from tray_app.core.trading import (
    ClosedDays,
    closed_days,
    install_closed_days,
    is_trading,
    is_trading_day,
    lacks_holidays,
)
from tray_app.core.verification_schedule import VerificationSchedule
from tray_app.history.timeline import days_until
from tray_app.service import exchange_calendar
from tray_app.service.exchange_calendar import (
    holidays_problem,
    install_holidays,
    update_holidays,
    update_if_needed,
    write_holidays,
)

CHUSEOK = date(2026, 9, 25)  # a Friday
DAY_AFTER = date(2026, 9, 28)
FILE = Path("kiwoom-token-tray") / "exchange-holidays.json"


def at(day: date, hour: int, minute: int = 0) -> float:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=KST).timestamp()


NOW = at(date(2026, 9, 1), 12)


def day_long(expires: float) -> Token:
    end = datetime.fromtimestamp(expires, KST).strftime("%Y%m%d%H%M%S")
    return token_until("token-of-a-test", end, expires - 86400)


@pytest.fixture
def file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    return tmp_path / FILE


@pytest.fixture
def chuseok() -> None:
    install_closed_days(ClosedDays([date(2026, 9, 24), CHUSEOK], date(2026, 1, 1), date(2026, 12, 31)))


def test_the_exchanges_holidays_come_from_the_package(file: Path) -> None:
    write_holidays(NOW)
    os.utime(file, (NOW, NOW))
    assert install_holidays(NOW)
    assert not is_trading_day(CHUSEOK)
    assert is_trading_day(DAY_AFTER)
    assert not is_trading_day(date(2026, 12, 31)), "the exchange closes for the last day of the year"
    assert holidays_problem(at(CHUSEOK, 9)) == ""


def test_another_process_writes_the_file_and_this_one_never_loads_the_package(file: Path) -> None:
    sys.modules.pop("holidays", None)
    now = time.time()
    update_if_needed(now)
    new_year = date(datetime.fromtimestamp(now, KST).year, 1, 1)
    assert not is_trading_day(new_year)
    assert closed_days() is not None
    assert "holidays" not in sys.modules
    assert file.stat().st_mode & 0o077 == 0 or sys.platform == "win32"


def test_a_file_that_is_a_week_old_counts_until_it_is_renewed(file: Path) -> None:
    write_holidays(NOW)
    os.utime(file, (NOW, NOW - 8 * 86400))
    assert not install_holidays(NOW)
    assert not is_trading_day(CHUSEOK)


@pytest.mark.parametrize(
    "content", ["", "[]", "{", '{"version": 1}', '{"version": 1, "closed": [1], "first": "x", "last": "y"}', "\0" * 99]
)
def test_a_damaged_file_is_no_calendar(file: Path, content: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)
    assert not install_holidays(NOW)
    assert closed_days() is None


def test_where_the_holidays_cannot_be_looked_up_weekdays_count_and_it_says_so(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise subprocess.TimeoutExpired("child", 30)

    assert holidays_problem(at(CHUSEOK, 9)) == "", "not before it was tried"
    monkeypatch.setattr(subprocess, "run", fail)
    update_holidays(NOW)
    assert is_trading_day(CHUSEOK)
    assert "--upgrade holidays" in holidays_problem(at(CHUSEOK, 9))


def test_an_update_that_worked_is_not_logged_as_a_failure(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    update_if_needed(time.time())
    assert file.exists()
    assert caplog.text == ""


@pytest.mark.posix
def test_where_their_file_cannot_be_written_the_folder_is_what_is_named(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.parent.parent.joinpath("is-a-file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(file.parent.parent / "is-a-file"))
    update_holidays(time.time())
    told = holidays_problem(time.time())
    assert "is-a-file" in told
    assert "--upgrade" not in told


def test_where_there_is_no_folder_for_their_file_that_is_told(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> str:
        raise StoreError("There is no folder for it.")

    monkeypatch.setattr(exchange_calendar, "state_dir", refuse)
    update_holidays(NOW)
    assert "There is no folder for it." in holidays_problem(at(CHUSEOK, 9))


def test_data_that_end_before_today_are_told(chuseok: None) -> None:
    assert not lacks_holidays(at(date(2026, 12, 31), 23, 59))
    assert lacks_holidays(at(date(2027, 1, 1), 0))
    assert "weekday" in holidays_problem(at(date(2027, 1, 4), 9))


def test_how_to_update_them_is_looked_for_once(chuseok: None, monkeypatch: pytest.MonkeyPatch) -> None:
    told = holidays_problem(at(date(2027, 1, 4), 9))

    monkeypatch.setattr("tray_app.system.extras.upgrade_command", lambda _: pytest.fail("asked again"))

    assert holidays_problem(at(date(2027, 1, 4), 10)) == told


def test_no_trading_and_no_check_on_a_holiday(chuseok: None) -> None:
    assert not is_trading(at(CHUSEOK, 10))
    token = token_until("token-of-a-test", "20260929000000", at(date(2026, 9, 24), 20))
    schedule = VerificationSchedule("real", is_on=True)
    schedule.answered()
    confirmed = at(date(2026, 9, 24), 21)
    assert schedule.next_moment(token, confirmed, confirmed + 60, is_doubtful=False) == at(DAY_AFTER, 7, 50)


def test_no_warning_in_the_evening_before_a_holiday(chuseok: None) -> None:
    for day, is_warned in ((CHUSEOK, False), (DAY_AFTER, True)):
        schedule = TokenSchedule("auto", 600, (), lambda: 0.0)
        expires = at(day, 11)
        token = day_long(expires)
        schedule.saw(token, expires - 86400)
        kinds = [one.kind for one in schedule.notices(expires - 14 * 3600)]
        assert (NoticeKind.TRADING_HOURS in kinds) is is_warned


@pytest.mark.parametrize(("mode", "is_warned"), [("real", True), ("demo", False)])
def test_mock_trading_ends_when_the_exchange_closes(mode: str, is_warned: bool) -> None:
    expires = at(DAY_AFTER, 16)
    schedule = TokenSchedule("auto", 600, (), lambda: 0.0, mode=mode)
    token = day_long(expires)
    schedule.saw(token, expires - 86400)
    kinds = [one.kind for one in schedule.notices(expires - 19 * 3600)]
    assert (NoticeKind.TRADING_HOURS in kinds) is is_warned


def test_a_holiday_is_drawn_as_a_day_without_trading(chuseok: None) -> None:
    days = {datetime.fromtimestamp(day.start, KST).date(): day for day in days_until(at(DAY_AFTER, 12))}
    assert days[CHUSEOK].session is None
    assert days[DAY_AFTER].session == (at(DAY_AFTER, 8), at(DAY_AFTER, 20))
    mock = {datetime.fromtimestamp(day.start, KST).date(): day for day in days_until(at(DAY_AFTER, 12), mode="demo")}
    assert mock[DAY_AFTER].session == (at(DAY_AFTER, 9), at(DAY_AFTER, 15, 30))
