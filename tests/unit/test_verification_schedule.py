"""When the program asks by itself whether the token works: a table of moments, and what it does after each answer."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise

import pytest

from tray_app.core.token import KST, Token, token_for
from tray_app.core.verification_schedule import VerificationSchedule

DAY = 86400.0
THURSDAY, FRIDAY, SATURDAY, MONDAY = 26, 27, 28, 30  # of November 2026


def at(day: int, clock: str) -> float:
    """Return that Korean time in November 2026, in seconds of the epoch."""
    hour, minute, *seconds = (int(part) for part in clock.split(":"))
    return datetime(2026, 11, day, hour, minute, seconds[0] if seconds else 0, tzinfo=KST).timestamp()


def token(now: float, days: float = 10) -> Token:
    return token_for("a-token-of-a-test", days * DAY, now)


def settled(mode: str = "real", *, is_on: bool = True) -> VerificationSchedule:
    """A schedule whose check at the start has been answered."""
    schedule = VerificationSchedule(mode, is_on=is_on)
    schedule.answered()
    return schedule


NIGHT = at(THURSDAY, "22:00")


class TestWanted:
    def test_at_the_start_at_once(self) -> None:
        schedule = VerificationSchedule("real", is_on=True)
        assert schedule.is_due(token(NIGHT), None, NIGHT, is_doubtful=False)

    def test_after_the_computer_slept_at_once(self) -> None:
        schedule = settled()
        assert not schedule.is_due(token(NIGHT), NIGHT - 3600, NIGHT, is_doubtful=False)
        schedule.want()
        assert schedule.is_due(token(NIGHT), NIGHT - 3600, NIGHT, is_doubtful=False)

    def test_never_within_a_minute_of_a_confirmation(self) -> None:
        schedule = VerificationSchedule("real", is_on=True)
        assert schedule.next_moment(token(NIGHT), NIGHT - 20, NIGHT, is_doubtful=False) == NIGHT + 40

    def test_a_doubt_does_not_wait_for_that_minute(self) -> None:
        """Kiwoom confirmed it, and a second later a tool was refused with it."""
        assert settled().is_due(token(NIGHT), NIGHT - 1, NIGHT, is_doubtful=True)

    def test_only_while_there_is_a_token_that_has_not_expired(self) -> None:
        schedule = VerificationSchedule("real", is_on=True)
        for one in (None, token(NIGHT - 11 * DAY)):
            assert schedule.next_moment(one, None, NIGHT, is_doubtful=True) is None

    def test_not_at_all_where_it_is_off(self) -> None:
        schedule = VerificationSchedule("real", is_on=False)
        noon = at(THURSDAY, "12:00")
        assert schedule.next_moment(token(noon), None, noon, is_doubtful=True) is None
        schedule.reconfigure("real", is_on=True)
        assert schedule.is_due(token(noon), None, noon, is_doubtful=False)


@pytest.mark.parametrize(
    ("mode", "confirmed", "now", "due"),
    [
        # The market is closed: the next check is ten minutes before it opens.
        ("real", (THURSDAY, "21:00"), (THURSDAY, "22:00"), (FRIDAY, "07:50")),
        ("demo", (THURSDAY, "21:00"), (THURSDAY, "22:00"), (FRIDAY, "08:50")),
        ("real", (FRIDAY, "20:30"), (FRIDAY, "21:00"), (MONDAY, "07:50")),
        ("demo", (SATURDAY, "10:00"), (SATURDAY, "12:00"), (MONDAY, "08:50")),
        # That moment was slept through.
        ("real", (THURSDAY, "07:00"), (THURSDAY, "07:55"), (THURSDAY, "07:55")),
        ("demo", (THURSDAY, "08:49"), (THURSDAY, "08:51"), (THURSDAY, "08:51")),
        # A confirmation a moment before it: a minute later.
        ("real", (THURSDAY, "07:49:30"), (THURSDAY, "07:50"), (THURSDAY, "07:50:30")),
        # A confirmation at or after it serves until ten minutes later, once the market is open.
        ("real", (THURSDAY, "07:50"), (THURSDAY, "07:50"), (THURSDAY, "08:00")),
        ("real", (THURSDAY, "07:55"), (THURSDAY, "07:56"), (THURSDAY, "08:05")),
        ("real", (THURSDAY, "07:50"), (THURSDAY, "08:00"), (THURSDAY, "08:00")),
        # In trading hours every ten minutes.
        ("real", (THURSDAY, "09:00"), (THURSDAY, "09:01"), (THURSDAY, "09:10")),
        ("real", (THURSDAY, "09:00"), (THURSDAY, "09:30"), (THURSDAY, "09:30")),
        ("real", (THURSDAY, "19:50"), (THURSDAY, "19:59"), (FRIDAY, "07:50")),
        ("demo", (THURSDAY, "10:00"), (THURSDAY, "10:09"), (THURSDAY, "10:10")),
        # After them no more, and mock trading closes earlier and opens later.
        ("real", (THURSDAY, "19:59"), (THURSDAY, "20:00"), (FRIDAY, "07:50")),
        ("demo", (THURSDAY, "15:29"), (THURSDAY, "15:30"), (FRIDAY, "08:50")),
        ("demo", (THURSDAY, "07:00"), (THURSDAY, "08:30"), (THURSDAY, "08:50")),
        # Nobody has ever confirmed it.
        ("real", None, (THURSDAY, "22:00"), (THURSDAY, "22:00")),
    ],
)
def test_moments(mode: str, confirmed: tuple[int, str] | None, now: tuple[int, str], due: tuple[int, str]) -> None:
    moment = at(*now)
    confirmed_at = None if confirmed is None else at(*confirmed)
    assert settled(mode).next_moment(token(moment), confirmed_at, moment, is_doubtful=False) == at(*due)


@pytest.mark.parametrize("mode", ["real", "demo"])
def test_a_day_costs_few_checks(mode: str) -> None:
    """Each is answered at once: one before the market opens, and one every ten minutes while it is open."""
    schedule, now = VerificationSchedule(mode, is_on=True), at(THURSDAY, "00:00")
    held, confirmed_at, asked = token(now), None, []
    while now < at(FRIDAY, "00:00"):
        if schedule.is_due(held, confirmed_at, now, is_doubtful=False):
            asked.append(now)
            schedule.answered()
            confirmed_at = now
        moment = schedule.next_moment(held, confirmed_at, now, is_doubtful=False)
        assert moment is not None
        assert moment > now, "it does not turn in circles"
        now = moment
    opens = at(THURSDAY, "09:00" if mode == "demo" else "08:00")
    closes = at(THURSDAY, "15:30" if mode == "demo" else "20:00")
    assert asked[:3] == [at(THURSDAY, "00:00"), opens - 600, opens]
    assert all(later - earlier == 600 for earlier, later in pairwise(asked[1:]))
    assert asked[-1] < closes


class TestNoAnswer:
    def test_the_pauses_grow_to_ten_minutes(self) -> None:
        schedule, now = VerificationSchedule("real", is_on=True), at(THURSDAY, "10:00")
        pauses = []
        for _ in range(6):
            schedule.failed(now)
            moment = schedule.next_moment(token(now), None, now, is_doubtful=True)
            assert moment is not None
            pauses.append(moment - now)
            now = moment
        assert pauses == [60, 120, 240, 480, 600, 600]

    def test_one_in_doubt_is_asked_about_every_minute(self) -> None:
        schedule, one = settled(), token(NIGHT)
        now = NIGHT
        for _ in range(5):
            schedule.failed(now, is_doubtful=True)
            moment = schedule.next_moment(one, NIGHT - 60, now, is_doubtful=True)
            assert moment == now + 60
            now = moment

    def test_kiwoom_may_ask_for_a_longer_one(self) -> None:
        schedule = VerificationSchedule("real", is_on=True)
        schedule.failed(NIGHT, retry_after=900)
        assert schedule.next_moment(token(NIGHT), None, NIGHT, is_doubtful=False) == NIGHT + 900

    def test_an_answer_ends_them(self) -> None:
        schedule = VerificationSchedule("real", is_on=True)
        schedule.failed(NIGHT)
        schedule.failed(NIGHT)
        schedule.answered()
        schedule.failed(NIGHT)
        assert schedule.next_moment(token(NIGHT), None, NIGHT, is_doubtful=True) == NIGHT + 60

    def test_so_does_a_computer_that_wakes_up(self) -> None:
        schedule = VerificationSchedule("real", is_on=True)
        schedule.failed(NIGHT)
        schedule.want()
        assert schedule.is_due(token(NIGHT), None, NIGHT, is_doubtful=False)
        schedule.failed(NIGHT)
        assert schedule.next_moment(token(NIGHT), None, NIGHT, is_doubtful=False) == NIGHT + 60


@pytest.mark.parametrize("set_back", [3600.0, 2 * DAY])
def test_a_clock_that_was_set_back_stops_no_check(set_back: float) -> None:
    """The last confirmation and the pause seem to lie in the future."""
    noon = at(THURSDAY, "12:00")
    schedule = settled()
    schedule.failed(noon + set_back)
    schedule.want()  # the supervisor notices the jump
    moment = schedule.next_moment(token(noon), noon + set_back, noon, is_doubtful=False)
    assert moment is not None
    assert moment <= noon + 600


def test_a_clock_that_was_set_back_ends_a_pause_though_nobody_noticed_the_jump() -> None:
    noon = at(THURSDAY, "12:00")
    schedule = settled()
    schedule.failed(noon + 7200)
    assert schedule.next_moment(token(noon), None, noon, is_doubtful=True) == noon


def test_confirmed_just_before_the_check_before_trading_the_next_one_is_due_when_it_was_announced() -> None:
    now = at(FRIDAY, "07:49:59")
    schedule = settled()
    moment = schedule.next_moment(token(now), now, now, is_doubtful=False)
    assert moment == now + 60
    assert schedule.is_due(token(now), now, moment, is_doubtful=False)
