"""Schedules at every boundary: midnight, a month's end, a leap day, opening and closing, weekends and holidays."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.zones import live_in, read_zone
from tray_app.core.errors import BrokerUnavailable, KeysRefused, RateLimited, RevokeFailed, StoreError
from tray_app.core.renewal_schedule import Due
from tray_app.core.token import KST, UTC, token_for
from tray_app.core.token_schedule import TokenSchedule
from tray_app.core.trading import (
    ClosedDays,
    install_closed_days,
    is_trading,
    is_trading_day,
    last_check_before_trading,
    last_time_of_day,
    next_check_before_trading,
)
from tray_app.core.verification_schedule import VerificationSchedule

DAY = 86400.0
BOUNDARIES = [
    datetime.combine(day, moment, KST).timestamp()
    for day in (
        date(2026, 11, 27),  # a Friday
        date(2026, 11, 28),
        date(2026, 11, 30),
        date(2026, 12, 31),
        date(2027, 1, 1),
        date(2028, 2, 28),
        date(2028, 2, 29),
        date(2028, 3, 1),
        date(2026, 3, 8),  # the American clocks change
        date(2026, 11, 1),
    )
    for moment in (
        time(0),
        time(6, 30),
        time(7, 50),
        time(8),
        time(9),
        time(15, 30),
        time(19, 50),
        time(20),
        time(23, 59, 59),
    )
]
INSTANTS = st.builds(
    lambda boundary, seconds: boundary + seconds,
    st.sampled_from(BOUNDARIES),
    st.sampled_from([0.0, -0.001, 0.001, -1.0, 1.0, -600.0, 600.0]) | st.floats(-DAY, DAY),
)
MODES = st.sampled_from(["real", "demo"])
POLICIES = st.sampled_from(
    ["auto", "notify", "daily 00:00", "daily 06:30", "daily 07:59", "daily 20:00", "daily 23:59"]
)
CLOSED = st.sets(st.dates(date(2026, 11, 20), date(2027, 1, 10)), max_size=12)
ERRORS = st.sampled_from(
    [
        BrokerUnavailable("no"),
        RateLimited("no", retry_after=900.0),
        StoreError("no"),
        RevokeFailed("no"),
        KeysRefused("no"),
        KeysRefused("no", remedy="open-portal"),
    ]
)


@contextlib.contextmanager
def closed_on(days: set[date]) -> Iterator[None]:
    install_closed_days(ClosedDays(days))
    try:
        yield
    finally:
        install_closed_days(None)


@given(INSTANTS, MODES, CLOSED)
def test_checks_before_trading_lie_ten_minutes_before_it_on_each_side_of_now(
    now: float, mode: str, closed: set[date]
) -> None:
    with closed_on(closed):
        last, coming = last_check_before_trading(now, mode), next_check_before_trading(now, mode)
        assert last <= now < coming
        assert coming - last >= DAY - 1
        for check in (last, coming):
            assert not is_trading(check, mode)
            assert not is_trading(check + 599, mode)
            assert is_trading(check + 600, mode)


@given(INSTANTS, st.integers(0, 1439))
def test_the_last_time_of_day_lies_within_a_day(now: float, minutes: int) -> None:
    moment = last_time_of_day(minutes, now)
    there = datetime.fromtimestamp(moment, KST)
    assert 0 <= now - moment < DAY
    assert (there.hour * 60 + there.minute, there.second) == (minutes, 0)


@given(INSTANTS, MODES, CLOSED)
def test_nobody_trades_on_a_closed_day(now: float, mode: str, closed: set[date]) -> None:
    with closed_on(closed):
        day = datetime.fromtimestamp(now, KST).date()
        if is_trading(now, mode):
            assert is_trading_day(day)
            assert day.weekday() < 5
            assert day not in closed
            assert is_trading(now, "real"), "mock trading is the shorter one"


@given(INSTANTS, MODES, st.floats(0, 3 * DAY), st.none() | st.floats(-2 * DAY, 2 * DAY), st.booleans())
def test_a_check_is_due_when_it_was_said_to_be(
    now: float,
    mode: str,
    left: float,
    confirmed: float | None,
    is_doubtful: bool,
) -> None:
    schedule = VerificationSchedule(mode, is_on=True)
    schedule.answered()
    token = token_for("a-token", left + 1, now)
    confirmed_at = None if confirmed is None else now + confirmed
    moment = schedule.next_moment(token, confirmed_at, now, is_doubtful=is_doubtful)
    assert moment is not None
    assert moment >= now
    assert schedule.is_due(token, confirmed_at, now, is_doubtful=is_doubtful) == (moment == now)
    if is_trading(now, mode) and is_trading(now + 600, mode):
        assert moment <= now + 600
    if moment < token.expires:
        assert schedule.is_due(token, confirmed_at, moment, is_doubtful=is_doubtful)


@given(
    INSTANTS,
    POLICIES,
    st.sampled_from([0, 60, 600, 7200]),
    st.sampled_from([90.0, 3600.0, DAY, 2 * DAY]),
    st.lists(st.sampled_from(["same", "new", "rotated", "cleared", "died"]) | ERRORS, max_size=12),
    st.floats(0, 1),
)
@example(BOUNDARIES[1], "daily 06:30", 600, DAY, [RevokeFailed("no")], 0.0)
@example(BOUNDARIES[4], "daily 06:30", 600, DAY, [KeysRefused("no", remedy="open-portal")] * 3, 0.0)
def test_a_renewal_never_turns_in_circles_and_revokes_no_token_in_trading_hours(
    now: float, policy: str, renew_before: int, lifetime: float, answers: list[object], drawn: float
) -> None:
    schedule = TokenSchedule(policy, renew_before, (1800, 600, 0), lambda: drawn)
    token = token_for("token", lifetime, now)
    schedule.saw(token, now)
    held: object = token
    for number, answer in enumerate(answers):
        moments = 0
        while (due := schedule.due(now)) is None:
            schedule.notices(now)
            moment = schedule.next_moment(now)
            if moment is None:
                return
            assert moment > now or schedule.due(now), "it waits for a moment that has passed"
            moments += 1
            assert moments < 60, "it turns in circles"
            now = max(moment, now)
        assert policy != "notify"
        if due is Due.ROTATE and held is not None and token.is_unexpired(now):
            assert not is_trading(now)
        if isinstance(answer, Exception):
            if due is Due.RENEW and isinstance(answer, RevokeFailed):
                answer = BrokerUnavailable("no")  # noqa: PLW2901 - nothing was to be revoked
            schedule.failed(answer, now, rotating=due is Due.ROTATE)  # type: ignore[arg-type]
            is_later = schedule.renew_at is None or schedule.renew_at > now
            assert is_later or schedule.due(now) is not due, "it asks the same again at once"
            continue
        if answer == "same" and token.is_unexpired(now):
            schedule.answered(token, now, same=True, rotated=due is Due.ROTATE)
            continue
        if answer == "cleared":
            schedule.cleared()
            assert schedule.due(now + 10 * DAY) is None
            held = None
        elif answer == "died":
            schedule.saw(None, now, died=True)
            held = None
            continue
        held = token = token_for(f"token-{number}", lifetime, now)
        schedule.answered(token, now, same=False, rotated=due is Due.ROTATE)
        assert not schedule.stopped_by
        assert schedule.renew_at is not None
        assert schedule.renew_at <= token.expires + 3


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Seoul"])
def test_what_waits_for_the_end_of_the_quiet_hours_is_told_then(zone: str) -> None:
    """Also on the days on which the clocks are set forward or back, where an hour is missing or comes twice."""
    try:
        with pytest.MonkeyPatch.context() as patch:
            live_in(zone, patch)
            quiet_hours_end_in_time()
    finally:
        read_zone()


@given(
    st.sampled_from(
        [
            datetime(2026, 3, 8, 7, tzinfo=UTC),
            datetime(2026, 11, 1, 6, tzinfo=UTC),
            datetime(2026, 12, 31, 15, tzinfo=UTC),
        ]
    ),
    st.integers(-300, 300),
    st.integers(0, 1439),
    st.integers(1, 500),
)
@example(datetime(2026, 11, 1, 6, tzinfo=UTC), 5, 0, 90)
@example(datetime(2026, 11, 1, 6, tzinfo=UTC), -1, 61, 60)
def quiet_hours_end_in_time(clocks_change: datetime, minutes: int, start: int, length: int) -> None:
    now = clocks_change.timestamp() + minutes * 60.0
    end = (start + length) % 1440
    schedule = TokenSchedule("notify", 0, (36000, 300), lambda: 0.5, quiet_hours=(start, end), mode="demo")
    schedule.saw(token_for("a-token", DAY, now + 36000 - DAY), now - 3600)
    first = now
    while is_quiet(first, start, end):
        first += 60.0
    while not schedule.notices(now):
        moment = schedule.next_moment(now)
        assert moment is not None
        assert moment > now
        now = moment
    assert not is_quiet(now, start, end)
    if first == clocks_change.timestamp():  # a moment of a missing hour, or before the quiet hours come a second time
        first += max(3600.0, (end - minutes_of(first)) * 60.0)
    assert now <= first + 60.0


def is_quiet(now: float, start: int, end: int) -> bool:
    minutes = minutes_of(now)
    return start <= minutes < end if start <= end else not end <= minutes < start


def minutes_of(now: float) -> int:
    local = datetime.fromtimestamp(now)  # noqa: DTZ006 - the quiet hours are those of the wall clock
    return local.hour * 60 + local.minute


@given(st.sampled_from(BOUNDARIES), st.floats(-7200, 7200), MODES)
def test_a_clock_that_is_set_back_delays_no_check_by_more_than_ten_minutes(now: float, jump: float, mode: str) -> None:
    schedule = VerificationSchedule(mode, is_on=True)
    schedule.failed(now, retry_after=3600.0)
    later = now - abs(jump) - 1
    token = token_for("a-token", DAY, later)
    moment = schedule.next_moment(token, now, later, is_doubtful=True)
    assert moment == later


def test_the_boundaries_are_those_of_korea() -> None:
    assert datetime.fromtimestamp(BOUNDARIES[0], KST) == datetime(2026, 11, 27, tzinfo=KST)
    assert timedelta(hours=9) == KST.utcoffset(None)
