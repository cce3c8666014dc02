"""When a token is renewed, and what is told of one that nobody renews."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from tests.doubles import START, Clock
from tray_app.core.errors import (
    BrokerUnavailable,
    KeyringUnavailable,
    KeysMissing,
    KeysRefused,
    KiwoomTokenError,
    LockTimeout,
    RateLimited,
    Remedy,
    RequestRefused,
    RevokeFailed,
    StoreError,
)
from tray_app.core.notices import Notice, NoticeKind
from tray_app.core.renewal_schedule import AUTO, NOTIFY, Due
from tray_app.core.token import KST, token_for
from tray_app.core.token_schedule import TokenSchedule
from tray_app.kiwoom.codes import error_for

DAY = 86400
HOUR = 3600
MINUTE = 60
THRESHOLDS = (30 * MINUTE, 10 * MINUTE, 5 * MINUTE, 0)
EXPIRING, EXPIRED, STOPPED = NoticeKind.EXPIRING, NoticeKind.EXPIRED, NoticeKind.STOPPED


class Dice:
    """A `random` that returns the number it was given."""

    def __init__(self, value: float = 0.5) -> None:
        self.value = value

    def __call__(self) -> float:
        return self.value


def still_works() -> RevokeFailed:
    """Kiwoom has refused to revoke a token, with a code that nobody here knows, and says that the token works."""
    error = RevokeFailed("It still works.", code="9999")
    error.retry = True
    return error


@pytest.fixture
def dice() -> Dice:
    return Dice()


@pytest.fixture
def schedules(dice: Dice) -> Callable[..., TokenSchedule]:
    def make(policy: Any = AUTO, renew_before: int = 600, warn_before: Any = THRESHOLDS) -> TokenSchedule:
        return TokenSchedule(policy, renew_before, warn_before, dice)

    return make


@pytest.fixture
def schedule(schedules: Callable[..., TokenSchedule]) -> TokenSchedule:
    return schedules()


def token(clock: Clock, lifetime: Any = DAY, name: str = "token-of-a-test") -> Any:
    return token_for(name, lifetime, clock())


def kinds(notices: Any) -> list[Any]:
    return [one.kind for one in notices]


def told(schedule: TokenSchedule, clock: Clock, *, until: Any, step: int = 1) -> list[Any]:
    """Return the notices of a program that asks every `step` seconds, as (seconds before the expiry, kind)."""
    found = []
    while clock() <= until:
        found += [(one.expires - clock(), one.kind) for one in schedule.notices(clock())]
        clock.advance(step)
    return found


class TestNotices:
    """About a token that nobody renews."""

    @pytest.fixture
    def schedule(self, schedules: Callable[..., TokenSchedule]) -> TokenSchedule:
        return schedules(NOTIFY)

    def test_each_threshold_is_told_once(self, schedule: TokenSchedule, clock: Clock) -> None:
        schedule.saw(one := token(clock), clock())

        assert told(schedule, clock, until=one.expires + 600, step=10) == [
            (1800, EXPIRING),
            (600, EXPIRING),
            (300, EXPIRING),
            (0, EXPIRED),
        ]

    def test_polling_often_brings_no_more_notices(self, schedule: TokenSchedule, clock: Clock) -> None:
        schedule.saw(one := token(clock), clock())
        clock.now = one.expires - 1800

        assert [len(schedule.notices(clock())) for _ in range(5)] == [1, 0, 0, 0, 0]

    def test_seeing_the_token_again_brings_no_more_notices(self, schedule: TokenSchedule, clock: Clock) -> None:
        one = token(clock)
        schedule.saw(one, clock())
        clock.now = one.expires - 1800
        schedule.notices(clock())

        schedule.saw(one, clock())

        assert schedule.notices(clock()) == []

    def test_the_same_token_with_another_creation_time_is_not_a_new_one(
        self, schedule: TokenSchedule, clock: Clock
    ) -> None:
        one = token(clock)
        schedule.saw(one, clock())
        clock.now = one.expires - 1800
        schedule.notices(clock())

        schedule.saw(token(clock, lifetime=1800), clock())

        assert schedule.notices(clock()) == []

    def test_a_new_token_starts_afresh(self, schedule: TokenSchedule, clock: Clock) -> None:
        schedule.saw(one := token(clock), clock())
        clock.now = one.expires - 600
        schedule.notices(clock())
        schedule.saw(two := token(clock, name="another"), clock())

        assert told(schedule, clock, until=two.expires, step=100)[0] == (1800, EXPIRING)

    @pytest.mark.parametrize(
        ("asleep_until", "expected"),
        [
            (-1801, []),
            (-1799, [EXPIRING]),
            (-599, [EXPIRING]),
            (-1, [EXPIRING]),
            (0, [EXPIRED]),
            (5 * DAY, [EXPIRED]),
        ],
    )
    def test_after_a_long_sleep_only_the_last_threshold_is_told(
        self, asleep_until: int, expected: Any, schedule: TokenSchedule, clock: Clock
    ) -> None:
        schedule.saw(one := token(clock), clock())
        clock.now = one.expires + asleep_until

        assert kinds(schedule.notices(clock())) == expected
        assert schedule.notices(clock()) == []

    def test_thresholds_after_those_that_were_slept_through_are_still_told(
        self, schedule: TokenSchedule, clock: Clock
    ) -> None:
        schedule.saw(one := token(clock), clock())
        clock.now = one.expires - 500
        schedule.notices(clock())

        assert told(schedule, clock, until=one.expires + 10) == [(300, EXPIRING), (0, EXPIRED)]

    @pytest.mark.parametrize("ago", [0, 1, DAY])
    def test_a_token_that_expired_before_the_program_started_is_not_news(
        self, ago: int, schedule: TokenSchedule, clock: Clock
    ) -> None:
        one = token(clock, lifetime=3600)
        clock.now = one.expires + ago
        schedule.saw(one, clock())

        assert told(schedule, clock, until=clock() + DAY, step=600) == []

    @pytest.mark.parametrize(
        ("remaining", "expected"),
        [(400, [(300, EXPIRING), (0, EXPIRED)]), (200, [(200, EXPIRING), (0, EXPIRED)])],
        ids=["there is time", "the last warning"],
    )
    def test_a_restarted_program_repeats_only_the_last_warning(
        self, remaining: int, expected: Any, schedule: TokenSchedule, clock: Clock
    ) -> None:
        one = token(clock)
        clock.now = one.expires - remaining
        schedule.saw(one, clock())

        assert told(schedule, clock, until=one.expires + 10) == expected

    @pytest.mark.parametrize(
        ("lifetime", "expected"),
        [
            (3600, [1800, 600, 300, 0]),
            (1800, [600, 300, 0]),
            (1000, [600, 300, 0]),
            (600, [300, 0]),
            (120, [0]),
            (1, [0]),
        ],
    )
    def test_a_token_valid_for_minutes_only_is_not_expiring_from_the_start(
        self, lifetime: int, expected: list[int], schedule: TokenSchedule, clock: Clock
    ) -> None:
        schedule.saw(one := token(clock, lifetime=lifetime), clock())

        assert [left for left, _ in told(schedule, clock, until=one.expires + 10)] == expected

    def test_without_a_token_there_are_no_notices(self, schedule: TokenSchedule, clock: Clock) -> None:
        schedule.saw(None, clock())

        assert told(schedule, clock, until=clock() + DAY, step=600) == []

    def test_a_cleared_token_brings_no_notices(self, schedule: TokenSchedule, clock: Clock) -> None:
        schedule.saw(one := token(clock), clock())
        schedule.cleared()

        assert told(schedule, clock, until=one.expires + 10, step=100) == []

    def test_only_the_chosen_thresholds_are_told(self, schedules: Callable[..., TokenSchedule], clock: Clock) -> None:
        schedule = schedules(NOTIFY, warn_before=(120,))
        schedule.saw(one := token(clock), clock())

        assert told(schedule, clock, until=one.expires + 10) == [(120, EXPIRING)]

    def test_no_expiry_warning_comes_after_the_expiry(
        self, schedules: Callable[..., TokenSchedule], clock: Clock
    ) -> None:
        schedule = schedules(NOTIFY, warn_before=(120,))
        schedule.saw(one := token(clock), clock())
        clock.now = one.expires

        assert schedule.notices(clock()) == []

    def test_without_thresholds_there_are_no_notices(
        self, schedules: Callable[..., TokenSchedule], clock: Clock
    ) -> None:
        schedule = schedules(NOTIFY, warn_before=())
        schedule.saw(one := token(clock), clock())

        assert told(schedule, clock, until=one.expires + 10, step=100) == []

    def test_a_clock_set_back_repeats_and_loses_no_notice(self, schedule: TokenSchedule, clock: Clock) -> None:
        schedule.saw(one := token(clock), clock())
        clock.now = one.expires - 1700
        schedule.notices(clock())
        clock.advance(-3600)

        assert told(schedule, clock, until=one.expires + 10) == [(600, EXPIRING), (300, EXPIRING), (0, EXPIRED)]

    def test_next_moment_is_the_next_threshold(self, schedules: Callable[..., TokenSchedule], clock: Clock) -> None:
        schedule = schedules(NOTIFY)
        schedule.saw(one := token(clock), clock())
        moments = []
        while (moment := schedule.next_moment(clock())) is not None:
            moments.append(one.expires - moment)
            clock.now = moment
            schedule.notices(moment)

        assert moments == [1800, 600, 300, 0]


class TestRenewal:
    def test_comes_ten_minutes_before_the_expiry(self, schedule: TokenSchedule, clock: Clock) -> None:
        schedule.saw(one := token(clock), clock())

        assert schedule.renew_at == one.expires - 600
        assert [schedule.due(one.expires + at) for at in (-600.1, -600, 0)] == [None, Due.RENEW, Due.RENEW]

    def test_comes_as_early_as_the_setting_says(self, schedules: Callable[..., TokenSchedule], clock: Clock) -> None:
        schedule = schedules(renew_before=3600)
        schedule.saw(one := token(clock), clock())

        assert schedule.renew_at == one.expires - 3600

    @pytest.mark.parametrize("lifetime", [1, 60, 600, 2000])
    def test_takes_at_most_a_quarter_of_a_short_lifetime(
        self, lifetime: int, schedule: TokenSchedule, clock: Clock
    ) -> None:
        schedule.saw(one := token(clock, lifetime=lifetime), clock())

        assert schedule.renew_at == pytest.approx(one.expires - lifetime / 4, abs=0.001)

    def test_is_due_at_once_when_there_is_no_token_at_start(self, schedule: TokenSchedule, clock: Clock) -> None:
        schedule.saw(None, clock())

        assert schedule.due(clock())

    def test_is_due_at_once_when_the_token_has_expired_at_start(self, schedule: TokenSchedule, clock: Clock) -> None:
        one = token(clock, lifetime=3600)
        clock.advance(DAY)
        schedule.saw(one, clock())

        assert schedule.due(clock())

    def test_is_due_at_once_after_a_sleep_over_the_expiry(self, schedule: TokenSchedule, clock: Clock) -> None:
        schedule.saw(token(clock), clock())
        clock.advance(3 * DAY)

        assert schedule.due(clock())

    def test_a_new_token_is_renewed_at_its_own_time(self, schedule: TokenSchedule, clock: Clock) -> None:
        schedule.saw(None, clock())
        schedule.answered(one := token(clock), clock(), same=False)

        assert schedule.renew_at == one.expires - 600

    @pytest.mark.parametrize(("drawn", "after"), [(0.0, 1.0), (0.5, 2.0), (1.0, 3.0)])
    def test_after_the_same_answer_comes_right_after_the_expiry(
        self, drawn: float, after: float, schedule: TokenSchedule, clock: Clock, dice: Dice
    ) -> None:
        dice.value = drawn
        one = token(clock)
        schedule.saw(one, clock())
        clock.now = one.expires - 600

        schedule.answered(one, clock(), same=True)

        assert schedule.renew_at == one.expires + after

    def test_after_the_same_answer_never_comes_before_the_expiry(self, schedule: TokenSchedule, clock: Clock) -> None:
        one = token(clock)
        schedule.saw(one, clock())
        clock.now = one.expires - 600
        schedule.answered(one, clock(), same=True)

        for _ in range(600):
            schedule.saw(one, clock())
            assert not schedule.due(clock())
            clock.advance(1)

    def test_a_token_of_another_tool_is_renewed_at_its_own_time(self, schedule: TokenSchedule, clock: Clock) -> None:
        schedule.saw(token(clock, lifetime=3600), clock())
        schedule.saw(one := token(clock, name="another"), clock())

        assert schedule.renew_at == one.expires - 600

    def test_begins_when_notify_is_switched_to_auto_and_there_is_no_token(
        self, schedules: Callable[..., TokenSchedule], clock: Clock
    ) -> None:
        schedule = schedules(NOTIFY)
        schedule.saw(None, clock())
        schedule.reconfigure(AUTO, 600, THRESHOLDS, None, clock())

        assert schedule.due(clock()) is Due.RENEW

    def test_does_not_begin_before_the_store_was_read(
        self, schedules: Callable[..., TokenSchedule], clock: Clock
    ) -> None:
        schedule = schedules(NOTIFY)
        schedule.reconfigure(AUTO, 600, THRESHOLDS, None, clock())

        assert schedule.due(clock()) is None

    def test_a_request_of_the_user_that_failed_under_notify_brings_no_renewal_forward(
        self, schedules: Callable[..., TokenSchedule], clock: Clock
    ) -> None:
        schedule = schedules(NOTIFY)
        schedule.saw(one := token(clock), clock())
        schedule.failed(BrokerUnavailable("no"), clock())
        schedule.reconfigure(AUTO, 600, THRESHOLDS, None, clock())

        assert schedule.renew_at == one.expires - 600

    @pytest.mark.parametrize("happens", ["start", "no token", "end", "sleep", "failure", "portal", "vanished", "same"])
    def test_notify_never_renews(self, happens: str, schedules: Callable[..., TokenSchedule], clock: Clock) -> None:
        schedule = schedules(NOTIFY)
        one = token(clock)
        schedule.saw(None if happens == "no token" else one, clock())
        if happens == "sleep":
            clock.advance(3 * DAY)
        if happens == "end":
            clock.now = one.expires
        if happens == "failure":
            schedule.failed(BrokerUnavailable("no"), clock())
        if happens == "portal":
            schedule.failed(error_for(3, "[8050:no]"), clock())
        if happens == "vanished":
            clock.now = one.expires - 100
            schedule.saw(None, clock())
        if happens == "same":
            schedule.answered(one, clock(), same=True)

        assert not schedule.due(clock() + 10 * DAY)


class TestClear:
    def test_stops_the_renewal(self, schedule: TokenSchedule, clock: Clock) -> None:
        schedule.saw(token(clock), clock())
        schedule.cleared()
        schedule.saw(None, clock())

        assert not schedule.due(clock() + 10 * DAY)

    def test_by_another_program_stops_the_renewal(self, schedule: TokenSchedule, clock: Clock) -> None:
        schedule.saw(token(clock), clock())
        clock.advance(3600)
        schedule.saw(None, clock())

        assert not schedule.due(clock() + 10 * DAY)

    def test_is_told_from_an_interrupted_rotation(self, schedule: TokenSchedule, clock: Clock) -> None:
        schedule.saw(token(clock), clock())
        clock.advance(3600)
        schedule.saw(None, clock(), interrupted=True)

        assert schedule.due(clock() + 9.9) is None, "whoever rotates may be about to store the next one"
        assert schedule.due(clock() + 10) is Due.RENEW

    def test_a_token_lost_to_a_rotation_does_not_cut_the_back_off_short(
        self, schedule: TokenSchedule, clock: Clock
    ) -> None:
        schedule.saw(token(clock), clock())
        schedule.failed(RateLimited("no", retry_after=100.0), clock(), rotating=True)

        schedule.saw(None, clock(), interrupted=True)

        assert schedule.renew_at == clock() + 100

    def test_right_after_a_failed_rotation_is_one_if_there_was_another_token_meanwhile(
        self, schedule: TokenSchedule, clock: Clock
    ) -> None:
        schedule.saw(token(clock), clock())
        schedule.failed(BrokerUnavailable("no"), clock(), rotating=True)
        schedule.saw(token(clock, name="another"), clock())

        schedule.saw(None, clock())

        assert schedule.renew_at is None

    def test_is_none_if_the_token_died_which_is_replaced_at_once_and_then_after_growing_pauses(
        self, schedule: TokenSchedule, clock: Clock
    ) -> None:
        schedule.saw(token(clock), clock())
        schedule.saw(None, clock(), died=True)
        assert schedule.due(clock()) is Due.RENEW
        schedule.failed(BrokerUnavailable("no"), clock())

        schedule.saw(None, clock(), died=True)

        assert schedule.renew_at == clock() + 10

    def test_is_not_undone_by_a_clock_that_is_set_back(self, schedule: TokenSchedule, clock: Clock) -> None:
        schedule.saw(token(clock), clock())
        schedule.failed(BrokerUnavailable("no"), clock())
        schedule.cleared()

        assert schedule.due(clock() - DAY) is None

    @pytest.mark.parametrize(("seconds", "goes_on"), [(59.9, True), (60, False)])
    def test_is_told_from_a_rotation_that_failed_within_the_minute_before(
        self, seconds: float, goes_on: bool, schedule: TokenSchedule, clock: Clock
    ) -> None:
        schedule.saw(token(clock), clock())
        schedule.failed(BrokerUnavailable("no"), clock(), rotating=True)
        clock.advance(seconds)

        schedule.saw(None, clock())

        assert (schedule.renew_at is not None) is goes_on

    def test_in_the_last_five_minutes_stops_the_renewal_too(self, schedule: TokenSchedule, clock: Clock) -> None:
        schedule.saw(one := token(clock), clock())
        clock.now = one.expires - 100
        schedule.cleared()
        schedule.saw(None, clock())

        assert not schedule.due(clock() + 10 * DAY)

    def test_of_a_token_that_the_five_minute_rule_leaves_alone_stops_the_renewal(
        self, schedule: TokenSchedule, clock: Clock
    ) -> None:
        schedule.saw(one := token(clock), clock())
        clock.now = one.expires - 300
        schedule.saw(None, clock())

        assert schedule.renew_at is None

    @pytest.mark.parametrize("left", [299, 1, -1])
    def test_by_the_five_minute_rule_is_followed_by_a_renewal_after_the_expiry(
        self, left: int, schedule: TokenSchedule, clock: Clock
    ) -> None:
        schedule.saw(one := token(clock), clock())
        clock.now = one.expires - left

        schedule.saw(None, clock())

        assert schedule.due(clock()) is None
        assert one.expires + 1 <= schedule.renew_at <= one.expires + 3

    def test_by_the_five_minute_rule_does_not_cut_the_back_off_short(
        self, schedule: TokenSchedule, clock: Clock
    ) -> None:
        schedule.saw(one := token(clock), clock())
        clock.now = one.expires - 100
        schedule.failed(RateLimited("no", retry_after=1000.0), clock())

        schedule.saw(None, clock())

        assert schedule.renew_at == clock() + 1000

    def test_is_over_once_another_tool_stores_a_token(self, schedule: TokenSchedule, clock: Clock) -> None:
        schedule.saw(token(clock), clock())
        schedule.cleared()
        schedule.saw(one := token(clock, name="another"), clock())

        assert schedule.renew_at == one.expires - 600

    def test_ends_a_stop(self, schedule: TokenSchedule, clock: Clock) -> None:
        schedule.saw(token(clock), clock())
        schedule.failed(KeysRefused("no"), clock())

        schedule.cleared()

        assert not schedule.stopped_by


RETRIED = [
    BrokerUnavailable("no"),
    RateLimited("no"),
    LockTimeout("no"),
    StoreError("no"),
    KeyringUnavailable("no", problem=KeyringUnavailable.LOCKED),
]
FINAL = [KeysRefused("no"), KeysMissing("no"), RequestRefused("no")]


def pauses(schedule: TokenSchedule, clock: Clock, count: Any, error: Any = None) -> list[Any]:
    """Return how long the schedule waits after each of `count` failures in a row."""
    found = []
    for _ in range(count):
        schedule.failed(error or BrokerUnavailable("no"), clock())
        found.append(schedule.renew_at - clock())  # type: ignore[operator]
        clock.now = schedule.renew_at  # type: ignore[assignment]
    return found


class TestFailure:
    @pytest.mark.parametrize("error", RETRIED, ids=lambda error: type(error).__name__)
    def test_what_can_pass_by_itself_is_tried_again(
        self, error: KiwoomTokenError, schedule: TokenSchedule, clock: Clock
    ) -> None:
        schedule.saw(None, clock())

        schedule.failed(error, clock())

        assert not schedule.due(clock())
        assert schedule.due(clock() + 3600)
        assert not schedule.stopped_by

    def test_without_a_token_pauses_double_up_to_a_minute(self, schedule: TokenSchedule, clock: Clock) -> None:
        schedule.saw(None, clock())

        assert pauses(schedule, clock, 5) == [10, 20, 40, 60, 60]

    def test_while_the_token_lives_pauses_double_up_to_ten_minutes(
        self, schedules: Callable[..., TokenSchedule], clock: Clock
    ) -> None:
        schedule = schedules(renew_before=2 * 3600)
        schedule.saw(one := token(clock), clock())
        clock.now = one.expires - 2 * 3600

        assert pauses(schedule, clock, 9) == [10, 20, 40, 80, 160, 320, 600, 600, 600]

    @pytest.mark.parametrize("state", ["rotating", "is_doubtful"])
    def test_while_a_revoke_is_undecided_nobody_has_the_token_and_pauses_stay_short(
        self, state: str, schedule: TokenSchedule, clock: Clock
    ) -> None:
        schedule.saw(token(clock), clock())
        found = []
        for _ in range(6):
            schedule.failed(BrokerUnavailable("no"), clock(), **{state: True})
            assert schedule.renew_at is not None
            found.append(schedule.renew_at - clock())
            clock.now = schedule.renew_at

        assert found == [10, 20, 40, 60, 60, 60]

    def test_a_revoke_that_was_never_sent_leaves_the_token_alive_and_pauses_grow(
        self, schedule: TokenSchedule, clock: Clock
    ) -> None:
        schedule.saw(token(clock), clock())
        unsent = BrokerUnavailable("no")
        unsent.was_sent = False
        for _ in range(9):
            schedule.failed(unsent, clock(), rotating=True)

        assert schedule.renew_at == clock() + 600

    @pytest.mark.parametrize(("drawn", "first", "last"), [(0.0, 5, 30), (1.0, 15, 90)])
    def test_the_pauses_of_many_machines_are_spread(
        self, drawn: float, first: int, last: int, *, schedule: TokenSchedule, clock: Clock, dice: Dice
    ) -> None:
        dice.value = drawn
        schedule.saw(None, clock())

        found = pauses(schedule, clock, 20)

        assert (found[0], found[-1]) == (first, last)

    def test_no_failure_whatever_it_is_leads_to_the_next_request_at_once(
        self, schedule: TokenSchedule, clock: Clock
    ) -> None:
        schedule.saw(token_for("a-token-of-a-test", DAY, clock()), clock())
        clock.advance(DAY + 10)
        schedule.failed(RevokeFailed("no"), clock())

        assert schedule.due(clock()) is None

    def test_without_a_token_a_clock_that_was_set_back_delays_nothing(
        self, schedule: TokenSchedule, clock: Clock
    ) -> None:
        schedule.saw(None, clock())
        clock.advance(-DAY)

        assert schedule.due(clock()) is Due.RENEW

    def test_a_clock_that_was_set_back_may_have_been_the_cause(self, schedule: TokenSchedule, clock: Clock) -> None:
        schedule.saw(None, clock())
        schedule.failed(BrokerUnavailable("no"), clock())
        clock.advance(-DAY)

        assert schedule.due(clock()) is Due.RENEW
        schedule.failed(BrokerUnavailable("no"), clock())
        assert schedule.due(clock()) is None

    def test_a_clock_that_was_set_back_is_no_reason_to_ask_once_the_failures_are_over(
        self, schedule: TokenSchedule, clock: Clock
    ) -> None:
        schedule.saw(None, clock())
        schedule.failed(BrokerUnavailable("no"), clock())
        schedule.answered(token(clock), clock(), same=False)

        assert schedule.due(clock() - HOUR) is None

    def test_a_computer_that_is_offline_for_weeks_keeps_trying(self, schedule: TokenSchedule, clock: Clock) -> None:
        schedule.saw(None, clock())

        assert pauses(schedule, clock, 5000)[-1] == 60

    @pytest.mark.parametrize("seconds", [120.0, 1000.0])
    def test_a_longer_pause_that_kiwoom_asks_for_is_honoured(
        self, seconds: float, schedule: TokenSchedule, clock: Clock
    ) -> None:
        schedule.saw(None, clock())
        schedule.failed(RateLimited("no", retry_after=seconds), clock())

        assert [schedule.due(clock() + after) for after in (0, seconds - 1, seconds)] == [None, None, Due.RENEW]

    def test_a_shorter_pause_that_kiwoom_asks_for_does_not_cut_the_back_off(
        self, schedule: TokenSchedule, clock: Clock
    ) -> None:
        schedule.saw(None, clock())
        pauses(schedule, clock, 2)

        assert pauses(schedule, clock, 1, RateLimited("no", retry_after=1.0)) == [40]

    @pytest.mark.parametrize("drawn", [0.0, 0.5, 1.0])
    def test_failures_before_the_expiry_leave_a_try_right_after_it(
        self, drawn: float, schedule: TokenSchedule, clock: Clock, dice: Dice
    ) -> None:
        schedule.saw(one := token(clock), clock())
        clock.now = schedule.renew_at  # type: ignore[assignment]
        dice.value = drawn
        while clock() <= one.expires:
            schedule.failed(BrokerUnavailable("no"), clock())
            clock.now = schedule.renew_at  # type: ignore[assignment]

        assert clock() - one.expires <= 3

    def test_a_success_resets_the_back_off(self, schedule: TokenSchedule, clock: Clock) -> None:
        one = token(clock)
        schedule.saw(one, clock())
        pauses(schedule, clock, 5)
        schedule.answered(one, clock(), same=True)

        assert pauses(schedule, clock, 1) == [10]

    def test_a_new_token_resets_the_back_off(self, schedule: TokenSchedule, clock: Clock) -> None:
        schedule.saw(None, clock())
        pauses(schedule, clock, 5)
        schedule.saw(token(clock), clock())

        assert pauses(schedule, clock, 1) == [10]

    @pytest.mark.parametrize("error", FINAL, ids=lambda error: type(error).__name__)
    def test_what_only_the_user_can_solve_stops_it(
        self, error: KiwoomTokenError, schedule: TokenSchedule, clock: Clock
    ) -> None:
        schedule.saw(token(clock), clock())

        schedule.failed(error, clock())

        assert schedule.stopped_by
        assert not schedule.due(clock() + 10 * DAY)

    @pytest.mark.parametrize("code", ["8040", "8050", "8103"])
    def test_what_is_solved_at_the_portal_is_tried_again_after_growing_pauses(
        self, code: str, schedule: TokenSchedule, clock: Clock
    ) -> None:
        """No program learns that an IP was registered, and nobody may come to press a button."""
        schedule.saw(None, clock())
        error = error_for(3, f"[{code}:no]")

        assert pauses(schedule, clock, 8, error) == [60, 120, 300, 600, 1200, 1800, 1800, 1800]
        assert schedule.stopped_by
        assert len(schedule.notices(clock())) == 1

        schedule.answered(one := token(clock), clock(), same=False)
        assert (bool(schedule.stopped_by), schedule.renew_at) == (False, one.expires - 600)

    @pytest.mark.parametrize("text", ["입력 오류", "인증 실패", "[8005:x]", "[8010:x]", "[8031:x]", "[8015:x]"])
    @pytest.mark.parametrize("outer", [2, 3])
    def test_what_may_be_over_without_a_word_is_tried_again_after_growing_pauses(
        self, outer: int, text: str, schedule: TokenSchedule, clock: Clock
    ) -> None:
        """The computer is back in the network in which the token was issued; or Kiwoom never said what was wrong."""
        schedule.saw(None, clock())
        error = error_for(outer, text)

        assert pauses(schedule, clock, 7, error) == [60, 120, 300, 600, 1200, 1800, 1800]
        assert (bool(schedule.stopped_by), len(schedule.notices(clock()))) == (True, 1)

        schedule.answered(one := token(clock), clock(), same=False)
        assert (bool(schedule.stopped_by), schedule.renew_at) == (False, one.expires - 600)

    @pytest.mark.parametrize("error", [error_for(3, "[8010:x]"), still_works()])
    @pytest.mark.parametrize("policy", [NOTIFY, "auto", "daily 05:00"])
    def test_a_revoke_that_the_user_wanted_and_kiwoom_refuses_here_changes_no_plan(
        self, policy: str, error: KiwoomTokenError, clock: Clock
    ) -> None:
        """Asking for another token would bring the same one, which would then look as if it worked here."""
        schedule = TokenSchedule(policy, 600, (), lambda: 0.5)
        schedule.saw(token(clock), clock())
        planned = schedule.renew_at, schedule.rotate_at

        schedule.failed(error, clock(), rotating=True)

        assert (bool(schedule.stopped_by), schedule.notices(clock())) == (False, [])
        assert (schedule.renew_at, schedule.rotate_at) == planned

    def test_a_rotation_that_kiwoom_refuses_with_an_unknown_code_is_tried_again_at_night(self, clock: Clock) -> None:
        schedule = TokenSchedule("daily 05:00", 600, (), lambda: 0.5)
        schedule.saw(token(clock), clock())
        assert schedule.rotate_at is not None
        clock.now = schedule.rotate_at

        schedule.failed(still_works(), clock(), rotating=True)

        assert schedule.rotate_at == clock() + 10

    def test_such_a_pause_ends_right_after_the_token_that_may_be_in_the_way(
        self, schedule: TokenSchedule, clock: Clock
    ) -> None:
        schedule.saw(one := token(clock), clock())
        clock.now = one.expires - 600

        pauses(schedule, clock, 4, error_for(3, "[8010:x]"))

        assert 1 <= clock() - one.expires <= 3

    @pytest.mark.parametrize("has_token", [True, False])
    @pytest.mark.parametrize("text", ["[8050:x]", "[8010:x]", "인증 실패"])
    def test_it_is_tried_again_also_if_renewing_was_switched_on_since(
        self, text: str, has_token: bool, clock: Clock
    ) -> None:
        schedule = TokenSchedule(NOTIFY, 600, (), lambda: 0.5)
        schedule.saw(token(clock) if has_token else None, clock())
        schedule.failed(error_for(3, text), clock())
        assert (bool(schedule.stopped_by), schedule.renew_at) == (True, None)

        clock.advance(10)
        schedule.reconfigure(AUTO, 600, (), None, clock())

        assert schedule.renew_at == clock() + 50

    @pytest.mark.parametrize("code", ["8001", "8002", "8011", "8012", "8020", "8030", "8200"])
    def test_what_kiwoom_explains_and_only_the_user_can_mend_is_not_tried_again(
        self, code: str, schedule: TokenSchedule, clock: Clock
    ) -> None:
        schedule.saw(None, clock())
        schedule.failed(error_for(3, f"[{code}:x]"), clock())

        assert (bool(schedule.stopped_by), schedule.renew_at) == (True, None)

    def test_a_rotation_that_only_the_portal_can_mend_does_not_come_in_trading_hours(
        self, clock: Clock, dice: Dice
    ) -> None:
        schedule = TokenSchedule("daily 06:30", 600, (), dice)
        clock.now = datetime(2026, 11, 26, 6, 30, tzinfo=KST).timestamp()
        schedule.saw(token_for("one", 2 * DAY, clock() - 100), clock() - 100)
        assert schedule.due(clock()) is Due.ROTATE

        schedule.failed(error_for(3, "[8050:no]"), clock(), rotating=True)

        assert schedule.due(clock() + 60) is Due.ROTATE
        assert schedule.due(clock() + 6 * 3600) is None

    @pytest.mark.parametrize(
        ("policy", "rotating"), [("auto", True), ("daily 06:30", False)], ids=["rotate under auto", "refresh"]
    )
    def test_what_the_user_asked_for_and_the_portal_has_to_mend_is_tried_again_without_revoking(
        self, policy: str, *, rotating: bool, schedules: Callable[..., TokenSchedule], clock: Clock
    ) -> None:
        schedule = schedules(policy)
        clock.now = datetime(2026, 11, 26, 22, tzinfo=KST).timestamp()
        schedule.saw(token(clock), clock())

        schedule.failed(error_for(3, "[8050:no]"), clock(), rotating=rotating)

        assert schedule.due(clock() + 60) is Due.RENEW

    def test_a_stop_is_told_once(self, schedule: TokenSchedule, clock: Clock) -> None:
        schedule.saw(None, clock())
        error = KeysRefused("no")
        for _ in range(3):
            schedule.failed(error, clock())

        assert schedule.notices(clock()) == [Notice(STOPPED, error=error, urgent=True)]
        assert schedule.notices(clock()) == []

    def test_a_stop_does_not_hide_the_expiry(self, schedule: TokenSchedule, clock: Clock) -> None:
        schedule.saw(one := token(clock), clock())
        schedule.failed(KeysRefused("no"), clock())
        schedule.notices(clock())

        assert told(schedule, clock, until=one.expires + 10, step=100)[-1] == (0, EXPIRED)

    def test_nothing_but_a_token_or_a_success_ends_a_stop(self, schedule: TokenSchedule, clock: Clock) -> None:
        one = token(clock)
        schedule.saw(one, clock())
        schedule.failed(KeysRefused("no"), clock())
        schedule.failed(BrokerUnavailable("no"), clock())
        schedule.saw(one, clock())
        clock.now = one.expires - 100
        schedule.saw(None, clock())

        assert schedule.stopped_by
        assert not schedule.due(clock() + 10 * DAY)

    def test_what_is_mended_at_kiwoom_is_tried_at_growing_intervals(
        self, schedule: TokenSchedule, clock: Clock
    ) -> None:
        schedule.saw(None, clock())
        error = KeysRefused("no", code="8050", remedy=Remedy.OPEN_PORTAL)

        assert pauses(schedule, clock, 8, error) == [60, 120, 300, 600, 1200, 1800, 1800, 1800]
        assert schedule.stopped_by
        assert schedule.due(clock()) is Due.RENEW
        assert schedule.notices(clock()) == [Notice(STOPPED, error=error, urgent=True)]

        schedule.saw(token(clock), clock())
        schedule.failed(error, clock())
        assert schedule.renew_at == clock() + 60

    def test_a_new_token_ends_a_stop(self, schedule: TokenSchedule, clock: Clock) -> None:
        schedule.saw(None, clock())
        schedule.failed(KeysRefused("no"), clock())

        schedule.saw(one := token(clock), clock())

        assert (bool(schedule.stopped_by), schedule.renew_at) == (False, one.expires - 600)

    def test_a_success_ends_a_stop(self, schedule: TokenSchedule, clock: Clock) -> None:
        one = token(clock)
        schedule.saw(one, clock())
        schedule.failed(KeysRefused("no"), clock())

        schedule.answered(one, clock(), same=True)

        assert not schedule.stopped_by
        assert schedule.due(one.expires + 3)

    def test_a_stop_that_a_new_token_solved_is_not_told(self, schedule: TokenSchedule, clock: Clock) -> None:
        schedule.saw(None, clock())
        schedule.failed(KeysRefused("no"), clock())
        schedule.saw(token(clock), clock())

        assert schedule.notices(clock()) == []


class TestLongRun:
    @pytest.mark.parametrize("lifetime", [30, 300, 900, 3600, DAY])
    def test_a_broker_that_gives_the_same_token_back_is_asked_twice_per_token(
        self, lifetime: int, schedule: TokenSchedule, clock: Clock
    ) -> None:
        """While a token is valid, Kiwoom answers with the same one."""
        living = None
        asked = 0
        schedule.saw(None, clock())
        end = clock() + 10 * lifetime
        while clock() < end:
            if schedule.due(clock()):
                asked += 1
                if living is None or not living.is_unexpired(clock()):
                    living = token(clock, lifetime, f"token-{asked}")
                    schedule.answered(living, clock(), same=False)
                else:
                    schedule.answered(living, clock(), same=True)
            schedule.notices(clock())
            clock.now = max(clock() + 0.001, schedule.next_moment(clock()) or end)

        assert 18 <= asked <= 22

    def test_a_broker_that_gives_a_new_token_each_time_leaves_no_gap(
        self, schedule: TokenSchedule, clock: Clock
    ) -> None:
        schedule.saw(token(clock), clock())
        gaps = 0
        for n in range(20):
            clock.now = schedule.renew_at  # type: ignore[assignment]
            gaps += not schedule.renewal.token.is_unexpired(clock())
            schedule.answered(token(clock, name=f"token-{n}"), clock(), same=False)

        assert gaps == 0
        assert clock() > START + 19 * (DAY - 600)


@pytest.mark.parametrize("life", [1, 2, 5])
@pytest.mark.parametrize("is_new", [True, False])
def test_tokens_with_lives_of_seconds_are_not_followed(
    life: int, schedule: TokenSchedule, clock: Clock, *, is_new: bool
) -> None:
    schedule.saw(None, clock())
    requests = 0
    until = clock() + 600
    while clock() < until:
        if schedule.due(clock()) is not None:
            requests += 1
            name = f"token-{requests}" if is_new else "token"
            schedule.answered(token_for(name, life, clock()), clock(), same=not is_new and requests > 1)
        clock.advance(0.25)

    assert requests <= 2 * 600 / 5
