"""What is told of a token that is renewed by itself: failures and recovery, silence on request, nothing twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from random import Random

import pytest

from tests.doubles import START, Clock
from tray_app.core.errors import (
    BrokerUnavailable,
    KeyringUnavailable,
    KeysRefused,
    KiwoomTokenError,
    RateLimited,
    Remedy,
    StoreError,
)
from tray_app.core.notices import Notice, NoticeKind, notice_text
from tray_app.core.renewal_schedule import AUTO, NOTIFY
from tray_app.core.token import KST, Token, token_for
from tray_app.core.token_schedule import TokenSchedule
from tray_app.core.trading import is_trading

MINUTE, HOUR, DAY = 60, 3600, 86400
THRESHOLDS = (30 * MINUTE, 10 * MINUTE, 5 * MINUTE, 0)
EXPIRING, EXPIRED, STOPPED = NoticeKind.EXPIRING, NoticeKind.EXPIRED, NoticeKind.STOPPED
FAILED, RECOVERED, TRADING_HOURS = NoticeKind.FAILED, NoticeKind.RECOVERED, NoticeKind.TRADING_HOURS
DOWN = BrokerUnavailable("Kiwoom does not answer.")
REFUSED = KeysRefused("Refused.")
LOCKED = KeyringUnavailable("Locked.", problem=KeyringUnavailable.LOCKED)
UNREADABLE = StoreError("Unreadable.")
MONDAY = datetime(2026, 11, 23, tzinfo=KST)


def korean(hours: float) -> float:
    """Epoch seconds of an hour of a Korean Monday, a trading day."""
    return (MONDAY + timedelta(hours=hours)).timestamp()


def local(hours: float) -> float:
    """Epoch seconds of an hour on this computer's own clock; the night to a Saturday, when nobody trades anywhere."""
    return (datetime(2026, 11, 20) + timedelta(hours=hours)).timestamp()  # noqa: DTZ001


class Kiwoom:
    """Issues the same token while it is valid, or with `generous` a new one each time; `failure` comes instead."""

    def __init__(self, clock: Clock, *, generous: bool = False) -> None:
        self.clock = clock
        self.generous = generous
        self.failure: KiwoomTokenError | None = None
        self.living: Token | None = None
        self.asked = 0

    def issue(self) -> Token:
        self.asked += 1
        if self.failure is not None:
            raise self.failure
        if self.living is None or self.generous or not self.living.is_unexpired(self.clock()):
            self.living = token_for(f"token-{self.asked}-of-a-test", DAY, self.clock())
        return self.living


class World:
    """A program that renews when that is due and then shows its notices, every second, as tray and terminal do.

    `told` is (seconds since the start, notice). While `asleep` it does nothing, while `locked` nobody is told.
    """

    def __init__(self, schedule: TokenSchedule, clock: Clock, kiwoom: Kiwoom) -> None:
        self.schedule, self.clock, self.kiwoom = schedule, clock, kiwoom
        self.begin = clock()
        self.token: Token | None = None
        self.asleep = self.locked = False
        self.told: list[tuple[float, Notice]] = []

    def holds(self, token: Token | None) -> Token | None:
        """Let somebody store this token, or clear it."""
        self.token = self.kiwoom.living = token
        self.schedule.saw(token, self.clock())
        return token

    def run(self, *, until: float, step: float = 1.0) -> World:
        while self.clock() < until:
            if not self.asleep:
                self.tick()
            self.clock.advance(step)
        return self

    def tick(self) -> None:
        if self.schedule.due(self.clock()) is not None:
            self.ask()
        if not self.locked:
            now = self.clock()
            self.told += [(now - self.begin, notice) for notice in self.schedule.notices(now)]

    def ask(self) -> None:
        try:
            answer = self.kiwoom.issue()
        except KiwoomTokenError as error:
            self.schedule.failed(error, self.clock())
            return
        same = self.token is not None and answer.value == self.token.value
        self.token = answer
        self.schedule.answered(answer, self.clock(), same=same)

    @property
    def kinds(self) -> list[NoticeKind]:
        return [notice.kind for _, notice in self.told]

    def left(self, kind: NoticeKind) -> list[float]:
        """Return how many seconds before the expiry this was told."""
        return [notice.expires - self.begin - at for at, notice in self.told if notice.kind is kind]


Make = Callable[..., World]


@pytest.fixture
def make() -> Make:
    def world(
        policy: str = AUTO,
        start: float = START,
        warn_before: tuple[int, ...] = THRESHOLDS,
        quiet_hours: tuple[int, int] | None = None,
        *,
        lifetime: float = DAY,
        generous: bool = False,
    ) -> World:
        clock = Clock(start)
        schedule = TokenSchedule(policy, 600, warn_before, lambda: 0.5, quiet_hours=quiet_hours)
        made = World(schedule, clock, Kiwoom(clock, generous=generous))
        if lifetime:
            made.holds(token_for("the-first-of-a-test", lifetime, start))
        return made

    return world


def ends(world: World) -> float:
    assert world.token is not None
    return world.token.expires


class TestSuccess:
    def test_is_silent_when_a_new_token_comes_before_the_expiry(self, make: Make) -> None:
        world = make(warn_before=(600, 300, 0), generous=True)
        world.run(until=ends(world) + HOUR, step=10)
        assert (world.kinds, world.kiwoom.asked) == ([], 1)

    def test_is_silent_at_the_expiry_when_kiwoom_gives_the_same_token_until_then(self, make: Make) -> None:
        world = make(lifetime=HOUR)
        world.run(until=ends(world) + 10)
        assert world.kinds == [EXPIRING] * 3
        assert world.kiwoom.asked == 2

    def test_a_warning_waits_for_the_answer_to_a_request_that_is_due(self, make: Make) -> None:
        world = make(warn_before=(600,))
        world.clock.now = ends(world) - 600
        assert world.schedule.notices(world.clock()) == []
        world.schedule.answered(token_for("another", DAY, world.clock()), world.clock(), same=False)
        assert world.schedule.notices(world.clock()) == []

    @pytest.mark.parametrize("error", [REFUSED, DOWN], ids=["refused", "down"])
    def test_a_warning_says_why_there_is_no_next_token_yet(self, make: Make, error: KiwoomTokenError) -> None:
        world = make(lifetime=HOUR, warn_before=(300,))
        world.kiwoom.failure = error
        world.run(until=ends(world) - 200)

        warning = next(notice for _, notice in world.told if notice.kind is EXPIRING)
        assert warning.error is error
        _, body = notice_text(warning, world.clock())
        assert str(error) in body
        assert "Nothing to do" not in body

    def test_who_only_wants_warnings_is_not_told_of_an_old_failure(self, make: Make) -> None:
        world = make(NOTIFY, lifetime=HOUR, warn_before=(300,))
        world.kiwoom.failure = DOWN
        for _ in range(3):
            world.ask()
        world.run(until=ends(world) - 200)

        warning = next(notice for _, notice in world.told if notice.kind is EXPIRING)
        assert "Automatic renewal is off" in notice_text(warning, world.clock())[1]

    def test_a_warning_does_not_wait_forever(self, make: Make) -> None:
        world = make(warn_before=(600,))
        world.clock.now = ends(world) - 600
        world.schedule.notices(world.clock())
        world.clock.advance(60)
        assert [one.kind for one in world.schedule.notices(world.clock())] == [EXPIRING]

    def test_after_a_sleep_over_the_expiry_only_what_the_renewal_left_is_told(self, make: Make) -> None:
        world = make()
        world.clock.now = ends(world) + 5 * HOUR
        world.run(until=world.clock() + HOUR)
        assert world.kinds == []

    def test_after_a_sleep_a_network_that_is_back_a_moment_later_is_not_news(self, make: Make) -> None:
        world = make()
        world.kiwoom.failure = DOWN
        world.clock.now = ends(world) + 5 * HOUR
        world.run(until=world.clock() + 5)
        world.kiwoom.failure = None
        world.run(until=world.clock() + HOUR)
        assert world.kinds == []

    def test_after_a_sleep_without_a_network_one_notice_says_it_all(self, make: Make) -> None:
        world = make()
        world.kiwoom.failure = DOWN
        world.clock.now = ends(world) + 5 * HOUR
        world.run(until=world.clock() + DAY)
        assert world.kinds == [FAILED]


class TestFailure:
    def test_is_told_at_the_second_in_a_row_with_the_reason(self, make: Make) -> None:
        world = make(warn_before=())
        world.kiwoom.failure = DOWN
        world.run(until=ends(world) - 600 + 60)
        assert [notice.error for _, notice in world.told] == [DOWN]
        assert (world.kinds, world.left(FAILED)) == ([FAILED], [590])

    def test_that_is_over_at_the_next_try_is_not_told(self, make: Make) -> None:
        world = make(warn_before=())
        world.kiwoom.failure = DOWN
        world.run(until=ends(world) - 595)
        world.kiwoom.failure = None
        world.run(until=ends(world) + HOUR)
        assert world.kinds == []

    @pytest.mark.parametrize(("seconds", "told"), [(30, []), (31, [FAILED]), (300, [FAILED])])
    def test_is_told_at_once_when_the_next_try_is_not_soon(
        self, seconds: float, told: list[NoticeKind], make: Make
    ) -> None:
        world = make(warn_before=())
        world.schedule.failed(RateLimited("Wait.", retry_after=seconds), world.clock())
        assert [one.kind for one in world.schedule.notices(world.clock())] == told

    def test_is_told_at_once_where_nothing_is_retried(self, make: Make) -> None:
        world = make(NOTIFY)
        world.kiwoom.failure = DOWN
        world.ask()
        world.tick()
        assert world.kinds == [FAILED]

    def test_is_told_once_however_long_it_lasts_and_so_is_the_recovery(self, make: Make) -> None:
        world = make()
        world.kiwoom.failure = DOWN
        world.run(until=ends(world) + 3 * DAY, step=5)
        world.kiwoom.failure = None
        world.run(until=world.clock() + HOUR)
        assert world.kinds == [EXPIRING, FAILED, EXPIRING, EXPIRED, RECOVERED]
        assert [notice.urgent for _, notice in world.told] == [False, True, True, True, False]

    def test_its_reason_is_repeated_by_the_expiry_that_replaces_it(self, make: Make) -> None:
        world = make()
        world.kiwoom.failure = DOWN
        world.run(until=ends(world) + HOUR, step=5)
        assert world.kinds[-1] is EXPIRED
        assert world.told[-1][1].error is DOWN

    @pytest.mark.parametrize(("left", "urgent"), [(20 * HOUR, False), (601, False), (599, True), (-10, True)])
    def test_is_urgent_in_the_last_ten_minutes(self, left: float, urgent: bool, make: Make) -> None:
        world = make(NOTIFY, warn_before=())
        world.clock.now = ends(world) - left
        world.schedule.failed(DOWN, world.clock())
        assert [one.urgent for one in world.schedule.notices(world.clock())] == [urgent]

    def test_without_any_token_is_urgent(self, make: Make) -> None:
        world = make(lifetime=0)
        world.kiwoom.failure = DOWN
        world.schedule.saw(None, world.clock())
        world.run(until=world.clock() + MINUTE)
        assert world.told == [(10, Notice(FAILED, error=DOWN, urgent=True))]

    def test_that_becomes_a_refusal_is_told_again_as_a_stop(self, make: Make) -> None:
        world = make(warn_before=())
        world.kiwoom.failure = DOWN
        world.run(until=ends(world) - 500)
        world.kiwoom.failure = REFUSED
        world.run(until=ends(world) + HOUR)
        assert world.kinds == [FAILED, STOPPED]

    def test_is_told_again_when_it_comes_back_after_the_recovery_was_told(self, make: Make) -> None:
        world = make()
        for _ in range(2):
            world.kiwoom.failure = DOWN
            world.run(until=ends(world) + HOUR, step=5)
            world.kiwoom.failure = None
            world.run(until=world.clock() + HOUR, step=5)
        assert [one for one in world.kinds if one in {FAILED, RECOVERED}] == [FAILED, RECOVERED] * 2

    def test_that_the_user_solves_at_the_portal_is_told_also_shortly_before_the_next_try(self, make: Make) -> None:
        world = make(lifetime=0)
        error = KeysRefused("Register this IP.", code="8050", remedy=Remedy.OPEN_PORTAL)
        world.schedule.saw(None, world.clock())
        world.schedule.failed(error, world.clock())
        world.clock.advance(45)
        assert [one.kind for one in world.schedule.notices(world.clock())] == [STOPPED]

    def test_is_no_news_while_the_user_has_to_solve_something(self, make: Make) -> None:
        world = make(NOTIFY, warn_before=())
        for error in (REFUSED, DOWN, DOWN):
            world.schedule.failed(error, world.clock())
            world.tick()
        assert world.kinds == [STOPPED]

    def test_of_the_last_try_before_the_expiry_waits_for_the_try_after_it(self, make: Make) -> None:
        world = make()
        world.kiwoom.failure = DOWN
        world.run(until=ends(world) - 1)
        world.kiwoom.failure = None
        world.run(until=world.clock() + HOUR)
        assert EXPIRED not in world.kinds
        assert world.kinds[-1] is RECOVERED

    def test_that_is_repeated_in_vain_holds_up_no_warning(self, make: Make) -> None:
        warn_before = (570, 540, 300, 60, 10)
        world = make(warn_before=warn_before)
        world.run(until=ends(world) - 700, step=10)
        world.kiwoom.failure = DOWN
        world.run(until=ends(world))
        assert world.left(EXPIRING) == [*warn_before]

    def test_after_the_user_unlocked_the_keyring_is_told_again(self, make: Make) -> None:
        world = make(warn_before=())
        world.schedule.failed(REFUSED, world.clock())
        world.tick()
        world.schedule.resume(world.clock())
        world.kiwoom.failure = REFUSED
        world.tick()
        world.kiwoom.failure = None
        world.ask()
        world.tick()
        assert world.kinds == [STOPPED, STOPPED, RECOVERED]


@pytest.mark.parametrize("policy", [NOTIFY, AUTO])
def test_a_warning_says_whether_the_next_token_comes_by_itself(policy: str, make: Make) -> None:
    world = make(policy, warn_before=(HOUR,))
    world.clock.now = ends(world) - HOUR
    assert [one.is_planned for one in world.schedule.notices(world.clock())] == [policy == AUTO]


@pytest.mark.parametrize("lifetime", [HOUR, HOUR / 2])
def test_a_threshold_as_long_as_the_token_is_valid_is_not_told(lifetime: float, make: Make) -> None:
    world = make(NOTIFY, warn_before=(HOUR,), lifetime=lifetime)
    world.run(until=ends(world) + 1)
    assert world.kinds == []


@pytest.mark.parametrize(("first", "told"), [(True, []), (False, [EXPIRING])])
def test_a_token_that_expires_soon_is_told_of_unless_it_was_there_at_the_start(
    first: bool, told: list[NoticeKind], make: Make
) -> None:
    world = make(NOTIFY, lifetime=0 if first else DAY)
    world.holds(token_for("of-yesterday", DAY, world.clock() - DAY + 20 * MINUTE))
    world.tick()
    assert world.kinds == told


@pytest.mark.parametrize(("hour", "told"), [(19.99, [TRADING_HOURS]), (20, [])])
def test_a_program_that_starts_in_the_evening_does_not_repeat_the_warning(
    hour: float, told: list[NoticeKind], make: Make
) -> None:
    world = make(NOTIFY, korean(hour), (), lifetime=0)
    world.holds(token_for("of-the-morning", DAY, korean(10)))
    world.run(until=korean(21), step=30)
    assert world.kinds == told


def test_what_was_solved_is_not_told_again_before_the_next_answer(make: Make) -> None:
    world = make(warn_before=())
    world.schedule.failed(REFUSED, world.clock())
    world.tick()
    world.schedule.resume(world.clock())
    assert world.schedule.notices(world.clock()) == []
    assert not world.schedule.still_true(world.told[0][1], world.clock())


class TestUnreadableStore:
    @pytest.mark.parametrize(
        ("error", "repeated", "told"),
        [
            (UNREADABLE, False, []),
            (UNREADABLE, True, [FAILED]),
            (LOCKED, False, [STOPPED]),
            (LOCKED, True, [STOPPED]),
        ],
    )
    def test_is_told_once_it_is_no_passing_matter(
        self, error: KiwoomTokenError, repeated: bool, told: list[NoticeKind], make: Make
    ) -> None:
        world = make(lifetime=0)
        world.schedule.unreadable(error, is_repeated=repeated)
        world.tick()
        world.tick()
        assert world.kinds == told

    def test_that_can_be_read_again_is_no_news_and_may_be_told_another_time(self, make: Make) -> None:
        world = make(NOTIFY)
        for _ in range(2):
            world.schedule.unreadable(LOCKED, is_repeated=False)
            world.tick()
            world.schedule.readable()
            world.tick()
        assert world.kinds == [STOPPED] * 2

    def test_does_not_take_the_place_of_a_failure_and_ends_none(self, make: Make) -> None:
        world = make(NOTIFY)
        world.schedule.failed(DOWN, world.clock())
        world.schedule.unreadable(LOCKED, is_repeated=True)
        world.schedule.readable()
        world.tick()
        assert [notice.error for _, notice in world.told] == [DOWN]

    def test_that_a_failed_request_has_followed_does_not_end_with_it(self, make: Make) -> None:
        world = make(NOTIFY)
        world.schedule.unreadable(UNREADABLE, is_repeated=True)
        world.schedule.failed(DOWN, world.clock())
        world.schedule.readable()
        world.tick()
        assert [notice.error for _, notice in world.told] == [DOWN]

    def test_is_over_though_a_request_has_failed_that_is_repeated_soon(self, make: Make) -> None:
        world = make(warn_before=())
        world.schedule.unreadable(UNREADABLE, is_repeated=True)
        world.schedule.failed(DOWN, world.clock())
        world.schedule.readable()
        world.tick()
        assert world.kinds == []

    def test_brings_no_recovery_of_a_token_that_just_could_not_be_stored(self, make: Make) -> None:
        world = make(NOTIFY, warn_before=())
        world.ask()
        world.schedule.stored(LOCKED)
        world.tick()
        world.schedule.unreadable(LOCKED, is_repeated=True)
        world.schedule.readable()
        world.tick()
        assert world.kinds == [NoticeKind.NOT_STORED]


@pytest.mark.parametrize("is_replaced", [False, True])
def test_a_rotation_in_vain_is_told_unless_another_token_is_there_by_then(is_replaced: bool, make: Make) -> None:
    world = make("daily 06:30", warn_before=())
    assert world.token is not None
    world.schedule.answered(world.token, world.clock(), same=True, rotated=True)
    if is_replaced:
        world.holds(token_for("another", DAY, world.clock()))
    assert [one.kind for one in world.schedule.notices(world.clock())] == [NoticeKind.NOT_ROTATED] * (not is_replaced)


class TestNotStored:
    def test_is_told_once_until_a_token_was_stored(self, make: Make) -> None:
        world = make(NOTIFY, warn_before=())
        for error in (LOCKED, LOCKED, None, LOCKED):
            world.schedule.stored(error)
            world.tick()
        assert world.kinds == [NoticeKind.NOT_STORED] * 2

    def test_is_told_also_in_quiet_hours(self, make: Make) -> None:
        world = make(NOTIFY, local(23), (), (22 * 60, 7 * 60))
        world.schedule.stored(LOCKED)
        world.tick()
        assert world.kinds == [NoticeKind.NOT_STORED]

    def test_is_no_news_where_nobody_can_do_anything(self, make: Make) -> None:
        world = make(NOTIFY, warn_before=())
        world.schedule.stored(UNREADABLE)
        world.tick()
        assert world.kinds == []


class TestGone:
    @pytest.mark.parametrize("how", ["another program", "the user", "an interrupted rotation", "Kiwoom"])
    def test_a_token_is_not_warned_about(self, how: str, make: Make) -> None:
        world = make(NOTIFY)
        if how == "the user":
            world.schedule.cleared()
        else:
            world.schedule.saw(None, world.clock(), interrupted=how == "an interrupted rotation", died=how == "Kiwoom")
        world.run(until=ends(world) + 10, step=10)
        assert world.kinds == ([NoticeKind.DIED] if how == "Kiwoom" else [])

    def test_a_token_that_another_program_cleared_takes_its_failure_along(self, make: Make) -> None:
        world = make(NOTIFY)
        world.schedule.failed(DOWN, world.clock())
        world.holds(None)
        world.tick()
        assert world.kinds == []


class TestClearedByTheUser:
    def test_a_token_that_had_died_is_not_told_of(self, make: Make) -> None:
        world = make(NOTIFY)
        world.schedule.saw(None, world.clock(), died=True)
        world.schedule.cleared()
        world.tick()
        assert world.kinds == []

    def test_the_same_failure_of_the_next_token_is_told_again(self, make: Make) -> None:
        world = make(NOTIFY)
        for name in ("second", "third"):
            world.schedule.failed(REFUSED, world.clock())
            world.tick()
            world.schedule.cleared()
            world.holds(token_for(name, DAY, world.clock()))
        assert world.kinds == [STOPPED] * 2


class TestRecovery:
    @pytest.mark.parametrize("by", ["renewal", "same answer", "another program"])
    def test_is_told_once_after_a_failure(self, by: str, make: Make) -> None:
        world = make(NOTIFY, warn_before=())
        world.schedule.failed(DOWN, world.clock())
        world.tick()
        if by == "another program":
            world.holds(token_for("another", DAY, world.clock()))
        else:
            world.kiwoom.generous = by == "renewal"
            world.ask()
        world.run(until=world.clock() + HOUR, step=10)
        assert world.kinds == [FAILED, RECOVERED]
        assert world.told[-1][1].expires == ends(world)

    def test_is_told_after_a_stop(self, make: Make) -> None:
        world = make(warn_before=())
        world.schedule.failed(REFUSED, world.clock())
        world.tick()
        world.ask()
        world.tick()
        assert world.kinds == [STOPPED, RECOVERED]

    def test_is_told_after_an_expiry_that_was_told(self, make: Make) -> None:
        world = make(NOTIFY, warn_before=(0,))
        world.run(until=ends(world) + HOUR, step=10)
        world.holds(token_for("another", DAY, world.clock()))
        world.run(until=world.clock() + HOUR)
        assert world.kinds == [EXPIRED, RECOVERED]

    def test_is_not_told_when_that_token_has_expired_as_well(self, make: Make) -> None:
        world = make(NOTIFY, warn_before=())
        world.schedule.failed(DOWN, world.clock())
        world.tick()
        world.holds(token_for("another", HOUR, world.clock()))
        world.clock.now = ends(world) + 1
        world.tick()
        assert world.kinds == [FAILED]

    def test_is_not_told_when_another_expired_token_comes(self, make: Make) -> None:
        world = make(NOTIFY, warn_before=(0,))
        world.run(until=ends(world) + HOUR, step=10)
        world.holds(token_for("another", 60, world.clock() - HOUR))
        world.run(until=world.clock() + HOUR)
        assert world.kinds == [EXPIRED]

    def test_is_not_told_after_the_user_cleared_the_token(self, make: Make) -> None:
        world = make(warn_before=())
        world.schedule.failed(REFUSED, world.clock())
        world.tick()
        world.schedule.cleared()
        world.holds(token_for("another", DAY, world.clock()))
        world.tick()
        assert world.kinds == [STOPPED]


class TestNobodyThere:
    """While the session is locked, the notices are not asked for."""

    def test_a_failure_that_came_and_went_is_never_told(self, make: Make) -> None:
        world = make()
        world.locked = True
        world.kiwoom.failure = DOWN
        world.run(until=ends(world) + 2 * HOUR, step=5)
        world.kiwoom.failure = None
        world.run(until=world.clock() + HOUR)
        world.locked = False
        world.run(until=world.clock() + HOUR)
        assert world.kinds == []

    def test_what_is_still_true_is_told_once_afterwards(self, make: Make) -> None:
        world = make()
        world.locked = True
        world.kiwoom.failure = DOWN
        world.run(until=ends(world) + 2 * HOUR, step=5)
        world.locked = False
        world.run(until=world.clock() + HOUR)
        assert world.kinds == [FAILED]

    def test_a_recovery_that_is_over_again_is_not_told(self, make: Make) -> None:
        world = make(NOTIFY, warn_before=())
        world.schedule.failed(DOWN, world.clock())
        world.tick()
        world.ask()
        world.schedule.failed(DOWN, world.clock())
        world.tick()
        assert world.kinds == [FAILED]

    def test_a_warning_about_a_token_that_was_replaced_is_not_told(self, make: Make) -> None:
        world = make(NOTIFY)
        world.clock.now = ends(world) - 400
        world.holds(token_for("another", DAY, world.clock()))
        world.tick()
        assert world.kinds == []


class TestSnooze:
    @pytest.mark.parametrize("at", [9, 23])
    def test_silences_the_warnings(self, at: float, make: Make) -> None:
        world = make(NOTIFY, korean(at), lifetime=HOUR)
        world.schedule.snooze(world.clock() + 2 * HOUR, world.clock())
        world.run(until=ends(world))
        assert world.kinds == []

    def test_tells_what_fell_due_meanwhile_once_afterwards(self, make: Make) -> None:
        world = make(NOTIFY, korean(9), lifetime=HOUR)
        world.schedule.snooze(ends(world) - 200, world.clock())
        world.run(until=ends(world))
        assert (world.kinds, world.left(EXPIRING)) == ([EXPIRING], [200])
        assert world.schedule.snoozed_until is None

    def test_is_broken_by_an_expiry_inside_trading_hours(self, make: Make) -> None:
        world = make(NOTIFY, korean(9), lifetime=HOUR)
        world.schedule.snooze(world.clock() + 8 * HOUR, world.clock())
        world.run(until=world.clock() + 8 * HOUR, step=5)
        assert (world.kinds, world.left(EXPIRED)) == ([EXPIRED], [0])

    def test_holds_an_expiry_at_night_until_the_market_opens(self, make: Make) -> None:
        world = make(NOTIFY, korean(3), lifetime=HOUR)
        world.schedule.snooze(world.clock() + 8 * HOUR, world.clock())
        world.run(until=world.clock() + 8 * HOUR, step=5)
        assert [world.begin + at for at, _ in world.told] == [korean(8)]
        assert world.kinds == [EXPIRED]

    @pytest.mark.parametrize(("at", "told_at"), [(9, 9), (3, 8)])
    def test_is_broken_by_a_token_that_died_once_the_market_is_open(
        self, at: float, told_at: float, make: Make
    ) -> None:
        world = make(NOTIFY, korean(at))
        world.schedule.snooze(korean(12), world.clock())
        world.schedule.saw(None, world.clock(), died=True)
        world.run(until=korean(11), step=5)
        assert [(world.begin + when, notice.kind) for when, notice in world.told] == [
            (korean(told_at), NoticeKind.DIED)
        ]

    def test_holds_what_is_neither_an_expiry_nor_a_death(self, make: Make) -> None:
        world = make(NOTIFY, korean(9))
        world.schedule.snooze(korean(12), world.clock())
        world.schedule.cleared()
        world.schedule.stored(LOCKED)
        world.run(until=korean(12), step=5)
        assert world.kinds == []

    @pytest.mark.parametrize("error", [DOWN, REFUSED])
    def test_holds_a_failure_while_the_token_is_valid(self, error: KiwoomTokenError, make: Make) -> None:
        world = make(start=korean(9), warn_before=(0,))
        world.schedule.snooze(korean(10), world.clock())
        world.kiwoom.failure = error
        world.ask()
        world.run(until=korean(10))
        assert world.kinds == []
        world.tick()
        assert world.kinds == [FAILED if error is DOWN else STOPPED]

    def test_is_over_with_a_new_token(self, make: Make) -> None:
        world = make(NOTIFY, korean(9), lifetime=HOUR)
        world.schedule.snooze(world.clock() + 8 * HOUR, world.clock())
        world.clock.advance(10)
        world.holds(token_for("another", HOUR, world.clock()))
        assert world.schedule.snoozed_until is None
        world.run(until=ends(world) + 1)
        assert world.kinds == [EXPIRING] * 3 + [EXPIRED]

    def test_goes_on_when_the_same_token_is_seen_again(self, make: Make) -> None:
        world = make(NOTIFY, korean(9), lifetime=HOUR)
        world.schedule.snooze(korean(17), world.clock())
        world.holds(world.token)
        assert world.schedule.snoozed_until == korean(17)

    def test_is_over_when_the_user_says_so(self, make: Make) -> None:
        world = make(NOTIFY)
        world.schedule.snooze(world.clock() + HOUR, world.clock())
        world.schedule.snooze(world.clock(), world.clock())
        assert world.schedule.snoozed_until is None

    def test_does_not_grow_with_a_clock_that_is_set_back(self, make: Make) -> None:
        world = make(NOTIFY)
        world.schedule.snooze(world.clock() + HOUR, world.clock())
        world.clock.advance(-DAY)
        world.tick()
        assert world.schedule.snoozed_until is None

    def test_its_end_is_a_next_moment(self, make: Make) -> None:
        world = make(NOTIFY, korean(20.5))
        world.schedule.snooze(korean(21), world.clock())
        assert world.schedule.next_moment(world.clock()) == korean(21)


class TestQuietHours:
    NIGHT = (22 * 60, 7 * 60)

    def test_hold_what_is_not_urgent_until_they_are_over(self, make: Make) -> None:
        world = make(NOTIFY, local(21), (8 * HOUR, 5 * MINUTE, 0), self.NIGHT, lifetime=13 * HOUR)
        world.run(until=ends(world) + 1)
        assert [(world.begin + at, notice.kind) for at, notice in world.told] == [
            (local(24 + 7), EXPIRING),
            (ends(world) - 300, EXPIRING),
            (ends(world), EXPIRED),
        ]

    def test_let_through_what_is_urgent(self, make: Make) -> None:
        world = make(NOTIFY, local(22), quiet_hours=self.NIGHT, lifetime=2 * HOUR)
        world.run(until=ends(world) + 1)
        assert (world.kinds, world.left(EXPIRING)) == ([EXPIRING, EXPIRED], [300])

    def test_let_through_what_only_the_user_can_solve(self, make: Make) -> None:
        world = make(NOTIFY, local(23), (), self.NIGHT)
        world.schedule.failed(REFUSED, world.clock())
        world.tick()
        assert world.kinds == [STOPPED]

    def test_keep_for_the_morning_what_is_no_part_of_the_stop_that_broke_them(self, make: Make) -> None:
        world = make(NOTIFY, local(23), (), self.NIGHT, lifetime=3 * DAY)
        assert world.token is not None
        world.schedule.died(world.token)
        world.holds(token_for("another", DAY, world.clock()))
        world.schedule.failed(REFUSED, world.clock())
        world.run(until=local(24 + 8), step=10)
        assert [(world.begin + at, notice.kind) for at, notice in world.told] == [
            (local(23), STOPPED),
            (local(24 + 7), NoticeKind.DIED),
        ]

    def test_forget_what_is_over_in_the_morning(self, make: Make) -> None:
        world = make(NOTIFY, local(22), quiet_hours=self.NIGHT)
        world.schedule.failed(DOWN, world.clock())
        world.run(until=local(24), step=10)
        world.ask()
        world.run(until=local(24 + 8), step=10)
        assert world.kinds == []

    def test_are_broken_by_a_failure_shortly_before_the_expiry(self, make: Make) -> None:
        world = make(NOTIFY, local(22), (), self.NIGHT, lifetime=HOUR)
        world.schedule.failed(DOWN, world.clock())
        world.run(until=ends(world))
        assert (world.kinds, world.left(FAILED)) == ([FAILED], [599])

    @pytest.mark.parametrize(
        ("hours", "quiet"),
        [
            ((22 * 60, 7 * 60), [22, 23.9, 0, 6.9]),
            ((0, 7 * 60), [0, 6.9]),
            ((12 * 60, 13 * 60), [12, 12.9]),
            ((7 * 60, 7 * 60), []),
            (None, []),
        ],
    )
    def test_are_on_this_computers_clock(self, hours: tuple[int, int] | None, quiet: list[float], make: Make) -> None:
        found = []
        for hour in (0, 6.9, 7, 11.9, 12, 12.9, 13, 21.9, 22, 23.9):
            world = make(NOTIFY, local(hour), (), hours)
            world.schedule.failed(DOWN, world.clock())
            if not world.schedule.notices(world.clock()):
                found.append(hour)
        assert sorted(found) == sorted(quiet)

    def test_their_end_is_a_next_moment(self, make: Make) -> None:
        world = make(NOTIFY, local(23), (), self.NIGHT)
        world.schedule.failed(DOWN, world.clock())
        assert world.schedule.next_moment(world.clock()) == local(24 + 7)


class TestReconfigure:
    def test_changed_quiet_hours_hold_at_once(self, make: Make) -> None:
        world = make(NOTIFY, local(23), ())
        world.schedule.failed(DOWN, world.clock())
        world.schedule.reconfigure(NOTIFY, 600, (), (22 * 60, 7 * 60), world.clock())
        assert world.schedule.notices(world.clock()) == []
        assert world.schedule.notices(local(24 + 7))

    def test_a_threshold_that_is_reached_at_that_moment_is_not_told(self, make: Make) -> None:
        world = make(NOTIFY, warn_before=(300,), lifetime=HOUR)
        world.clock.now = ends(world) - 600
        world.schedule.reconfigure(NOTIFY, 600, (600, 300), None, world.clock())
        assert world.schedule.notices(world.clock()) == []

    def test_a_threshold_that_has_passed_is_not_told(self, make: Make) -> None:
        world = make(NOTIFY, warn_before=(300, 0), lifetime=HOUR)
        world.clock.now = ends(world) - 400
        world.schedule.reconfigure(NOTIFY, 600, (1800, 600, 120, 0), None, world.clock())
        world.run(until=ends(world) + 1)
        assert (world.left(EXPIRING), world.kinds[-1]) == ([120], EXPIRED)

    def test_what_was_told_is_not_told_again(self, make: Make) -> None:
        world = make(NOTIFY, lifetime=HOUR)
        world.run(until=ends(world) - 500)
        for warn_before in ((), THRESHOLDS):
            world.schedule.reconfigure(NOTIFY, 600, warn_before, None, world.clock())
        world.run(until=ends(world) + 10)
        assert world.left(EXPIRING) == [1800, 600, 300]

    def test_what_a_snooze_holds_back_is_still_told(self, make: Make) -> None:
        world = make(NOTIFY, lifetime=HOUR)
        world.schedule.snooze(ends(world) - 200, world.clock())
        world.run(until=ends(world) - 250)
        world.schedule.reconfigure(NOTIFY, 600, (600, 300, 0), None, world.clock())
        world.run(until=ends(world))
        assert world.left(EXPIRING) == [200]

    @pytest.mark.parametrize(("policy", "renews"), [("auto", 600), ("notify", None)])
    def test_the_renewal_is_planned_anew(self, policy: str, renews: float | None, make: Make) -> None:
        world = make(NOTIFY if policy == AUTO else AUTO)
        world.schedule.reconfigure(policy, 600, THRESHOLDS, None, world.clock())
        assert world.schedule.renew_at == (None if renews is None else ends(world) - renews)

    def test_the_renewal_moves_with_its_setting(self, make: Make) -> None:
        world = make()
        world.schedule.reconfigure(AUTO, 3600, THRESHOLDS, None, world.clock())
        assert world.schedule.renew_at == ends(world) - 3600

    def test_to_auto_replaces_a_token_that_expired_under_notify(self, make: Make) -> None:
        world = make(NOTIFY)
        world.clock.now = ends(world) + HOUR
        world.schedule.reconfigure(AUTO, 600, THRESHOLDS, None, world.clock())
        world.tick()
        assert (world.kinds, world.kiwoom.asked) == ([], 1)

    @pytest.mark.parametrize(("cleared", "asked"), [(False, 1), (True, 0)])
    def test_without_a_token_one_is_asked_for_unless_the_user_cleared_it(
        self, cleared: bool, asked: int, make: Make
    ) -> None:
        world = make(NOTIFY, lifetime=0)
        world.schedule.saw(None, world.clock())
        if cleared:
            world.schedule.cleared()
        world.schedule.reconfigure(AUTO, 600, THRESHOLDS, None, world.clock())
        world.tick()
        assert world.kiwoom.asked == asked

    @pytest.mark.parametrize("error", [DOWN, REFUSED])
    def test_never_asks_more_often(self, error: KiwoomTokenError, make: Make) -> None:
        world = make(warn_before=())
        world.clock.now = ends(world) - 600
        world.kiwoom.failure = error
        for _ in range(5):
            world.tick()
        planned = world.schedule.renew_at
        for renew_before in (900, 1200, 1500):
            world.schedule.reconfigure(AUTO, renew_before, (300,), None, world.clock())
            world.tick()
        assert (world.kiwoom.asked, world.schedule.renew_at) == (1, planned)

    def test_does_not_ask_for_what_kiwoom_gave_back_before(self, make: Make) -> None:
        world = make()
        world.ask()
        for renew_before in (900, DAY):
            world.schedule.reconfigure(AUTO, renew_before, THRESHOLDS, None, world.clock())
            world.tick()
        assert world.kiwoom.asked == 1

    def test_a_failure_that_was_told_stays_told(self, make: Make) -> None:
        world = make(warn_before=())
        world.kiwoom.failure = DOWN
        world.run(until=ends(world) - 500)
        world.schedule.reconfigure(AUTO, 1200, (), None, world.clock())
        world.run(until=ends(world) - 100)
        assert world.kinds == [FAILED]


class TestNextMoment:
    def test_is_each_threshold_in_turn(self, make: Make) -> None:
        world = make(NOTIFY, korean(21), lifetime=HOUR)
        left = []
        while (moment := world.schedule.next_moment(world.clock())) is not None:
            world.clock.now = moment
            world.tick()
            left.append(ends(world) - moment)
        assert left == list(THRESHOLDS)

    def test_is_the_evening_before_an_expiry_in_trading_hours(self, make: Make) -> None:
        world = make(NOTIFY, korean(10), ())
        assert world.schedule.next_moment(world.clock()) == korean(20)
        world.run(until=korean(20) + 1, step=60)
        assert world.kinds == [TRADING_HOURS]
        assert world.schedule.next_moment(world.clock()) is None

    def test_is_now_while_something_is_due(self, make: Make) -> None:
        world = make(NOTIFY)
        world.schedule.failed(REFUSED, world.clock())
        assert world.schedule.next_moment(world.clock()) == world.clock()

    def test_is_the_opening_at_which_a_snooze_no_longer_holds(self, make: Make) -> None:
        world = make(NOTIFY, korean(3), lifetime=HOUR)
        world.schedule.snooze(korean(12), world.clock())
        world.clock.now = korean(5)
        assert world.schedule.next_moment(world.clock()) == korean(8)

    def test_is_later_than_now_while_what_is_due_is_held_back(self, make: Make) -> None:
        world = make(NOTIFY, korean(21), lifetime=HOUR)
        world.schedule.snooze(korean(23), world.clock())
        world.clock.now = ends(world) - 600
        assert world.schedule.next_moment(world.clock()) == ends(world) - 300

    def test_is_not_the_end_of_quiet_hours_that_have_not_begun(self, make: Make) -> None:
        world = make(NOTIFY, local(12), (), (22 * 60, 7 * 60), lifetime=HOUR)
        assert world.schedule.next_moment(world.clock()) is None

    def test_is_none_without_a_token(self, make: Make) -> None:
        world = make(NOTIFY)
        world.schedule.cleared()
        assert world.schedule.next_moment(world.clock()) is None


class TestStillTrue:
    def test_a_warning_until_the_token_is_replaced_or_expires(self, make: Make) -> None:
        world = make(NOTIFY)
        notice = Notice(EXPIRING, ends(world))
        assert world.schedule.still_true(notice, ends(world) - 1)
        assert not world.schedule.still_true(notice, ends(world))
        world.holds(token_for("another", DAY, world.clock() + 5))
        assert not world.schedule.still_true(notice, world.clock())

    def test_an_expiry_until_there_is_another_token(self, make: Make) -> None:
        world = make(NOTIFY)
        notice = Notice(EXPIRED, ends(world))
        assert world.schedule.still_true(notice, ends(world) + HOUR)
        world.schedule.cleared()
        assert not world.schedule.still_true(notice, ends(world) + HOUR)

    def test_a_failure_until_a_request_succeeds(self, make: Make) -> None:
        world = make(NOTIFY)
        world.schedule.failed(DOWN, world.clock())
        world.tick()
        (_, notice) = world.told[0]
        assert world.schedule.still_true(notice, world.clock())
        world.ask()
        assert not world.schedule.still_true(notice, world.clock())

    def test_a_failure_until_it_becomes_a_stop(self, make: Make) -> None:
        world = make(NOTIFY)
        for error in (DOWN, REFUSED):
            world.schedule.failed(error, world.clock())
            world.tick()
        failed, stopped = (notice for _, notice in world.told)
        assert not world.schedule.still_true(failed, world.clock())
        assert world.schedule.still_true(stopped, world.clock())

    @pytest.mark.parametrize("kind", [RECOVERED, NoticeKind.NOT_ROTATED, NoticeKind.PLAN_DROPPED])
    def test_what_has_happened_for_good(self, kind: NoticeKind, make: Make) -> None:
        world = make(NOTIFY)
        assert world.schedule.still_true(Notice(kind, ends(world)), world.clock()) is True

    def test_a_token_that_is_not_stored_until_one_is(self, make: Make) -> None:
        world = make(NOTIFY)
        notice = Notice(NoticeKind.NOT_STORED, ends(world), LOCKED)
        assert not world.schedule.still_true(notice, world.clock())
        world.schedule.stored(LOCKED)
        assert world.schedule.still_true(notice, world.clock())
        world.schedule.stored(None)
        assert not world.schedule.still_true(notice, world.clock())

    def test_a_death_until_there_is_another_token(self, make: Make) -> None:
        world = make(NOTIFY)
        world.schedule.saw(None, world.clock(), died=True)
        world.tick()
        (_, notice) = world.told[0]
        assert world.schedule.still_true(notice, world.clock())
        world.holds(token_for("another", DAY, world.clock()))
        assert not world.schedule.still_true(notice, world.clock())

    def test_a_death_once_though_kiwoom_issues_and_refuses_the_token_again_and_again(self, make: Make) -> None:
        world = make()
        token = world.token
        assert token is not None
        for _ in range(3):
            world.schedule.saw(None, world.clock(), died=True)
            world.holds(token)
            world.tick()
        assert [notice.kind for _, notice in world.told] == [NoticeKind.DIED]

        world.holds(token_for("another", DAY, world.clock()))
        world.schedule.saw(None, world.clock(), died=True)
        world.holds(token_for("third", DAY, world.clock()))
        world.tick()
        assert [notice.kind for _, notice in world.told] == [NoticeKind.DIED] * 2

    def test_a_death_whose_successor_it_names(self, make: Make) -> None:
        world = make(NOTIFY)
        assert world.token is not None
        world.schedule.died(world.token)
        world.holds(token_for("another", DAY, world.clock()))
        world.tick()
        (_, notice) = world.told[0]
        assert (notice.kind, notice.expires) == (NoticeKind.DIED, ends(world))
        assert world.schedule.still_true(notice, world.clock())

    def test_a_death_is_told_though_its_successor_is_to_be_renewed(self, make: Make) -> None:
        world = make()
        assert world.token is not None
        world.schedule.died(world.token)
        world.holds(token_for("another", DAY, world.clock() - DAY + 500))
        assert [one.kind for one in world.schedule.notices(world.clock())] == [NoticeKind.DIED]

    def test_a_death_names_no_successor_that_has_expired(self, make: Make) -> None:
        world = make(NOTIFY)
        assert world.token is not None
        world.schedule.died(world.token)
        world.holds(token_for("another", HOUR, world.clock() - DAY))
        (notice,) = world.schedule.notices(world.clock())
        assert (notice.kind, notice.expires, notice.urgent) == (NoticeKind.DIED, 0.0, True)

    def test_a_death_names_no_successor_while_the_dead_token_is_still_stored(self, make: Make) -> None:
        world = make(NOTIFY)
        assert world.token is not None
        world.schedule.died(world.token)
        (notice,) = world.schedule.notices(world.clock())
        assert (notice.kind, notice.expires) == (NoticeKind.DIED, 0.0)

    def test_an_evening_warning_until_another_token_is_there(self, make: Make) -> None:
        world = make(NOTIFY)
        notice = Notice(TRADING_HOURS, ends(world))
        assert world.schedule.still_true(notice, world.clock())
        world.holds(token_for("another", DAY, world.clock() + 5))
        assert not world.schedule.still_true(notice, world.clock())


def test_the_expiry_of_a_token_that_the_five_minute_rule_took_away_is_told(make: Make) -> None:
    world = make(NOTIFY)
    world.run(until=ends(world) - 200, step=5)
    end = ends(world)
    world.holds(None)
    world.run(until=end + 10)
    assert world.kinds == [EXPIRING] * 3 + [EXPIRED]


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("policy", [AUTO, NOTIFY, "daily 06:30"])
def test_thirty_days_with_faults_sleeps_and_snoozes(policy: str, seed: int, make: Make) -> None:
    """Nothing is told twice, nothing untrue, a recovery only after bad news, and no plain success."""
    random = Random(seed)  # noqa: S311 - no secret comes of it
    world = make(policy, korean(random.uniform(0, 24)), quiet_hours=random.choice([None, (22 * 60, 7 * 60)]))
    schedule, clock, kiwoom = world.schedule, world.clock, world.kiwoom
    kiwoom.generous = random.random() < 0.3
    until = {"asleep": 0.0, "locked": 0.0, "down": 0.0}
    troubled = False
    seen: list[tuple[float, Notice]] = []
    while clock() < world.begin + 30 * DAY:
        now = clock()
        for what, (odds, hours) in {"asleep": (0.004, 10), "locked": (0.01, 3), "down": (0.008, 5)}.items():
            if now >= until[what] and random.random() < odds:
                until[what] = now + random.uniform(0, hours * HOUR)
        world.asleep, world.locked = now < until["asleep"], now < until["locked"]
        kiwoom.failure = None if now >= until["down"] else random.choice([DOWN, RateLimited("Wait.", retry_after=90)])
        if random.random() < 0.004:
            schedule.snooze(now + random.choice([1800, 3600, 28800]), now)
        if not world.asleep and random.random() < (0.02 if policy == NOTIFY else 0.001):
            world.ask()
        failures = schedule.renewal.failures
        if not world.asleep:
            world.tick()
        for _, notice in world.told[len(seen) :]:
            token = world.token
            assert token is not None
            assert notice.kind in {FAILED, RECOVERED} or notice.expires == token.expires
            if notice.kind is EXPIRING:
                assert token.is_unexpired(now)
            if notice.kind is FAILED:
                assert failures or schedule.renewal.failures
            assert notice.kind is not EXPIRED or not token.is_unexpired(now)
            assert notice.kind is not RECOVERED or (token.is_unexpired(now) and troubled)
            troubled = notice.kind is not RECOVERED and (troubled or notice.kind in {FAILED, EXPIRED})
            if schedule.snoozed_until is not None:
                assert not token.is_unexpired(now)
                assert is_trading(now)
        seen = list(world.told)
        clock.advance(random.choice([1, 20, 60, 300]))
    warnings = [(notice.expires, notice.kind) for _, notice in seen if notice.kind in {EXPIRED, TRADING_HOURS}]
    assert len(warnings) == len(set(warnings))
    ends_told = [notice.expires for _, notice in seen if notice.kind is EXPIRING]
    assert all(ends_told.count(one) <= 3 for one in ends_told)
    runs = [notice.kind for _, notice in seen if notice.kind in {FAILED, RECOVERED}]
    assert all(one is not FAILED or other is RECOVERED for one, other in pairwise(runs))
    assert seen, "a month with such faults has something to tell"
