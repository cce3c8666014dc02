"""The daily rotation, and the warning of the evening before: no token should expire while the market is open."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from tests.doubles import Clock
from tray_app.core.errors import BrokerUnavailable, KeysRefused, KiwoomTokenError, RevokeFailed, TokenRefused
from tray_app.core.notices import Notice, NoticeKind
from tray_app.core.renewal_schedule import Due
from tray_app.core.secret import Secret
from tray_app.core.token import KST, Token
from tray_app.core.token_schedule import TokenSchedule

MONDAY = datetime(2026, 11, 23, tzinfo=KST)
HOUR = 3600


def at(hours: float, day: int = 0) -> float:
    """Return an hour of the Korean day that is `day` days after Monday, in epoch seconds."""
    return (MONDAY + timedelta(days=day, hours=hours)).timestamp()


def token(created: float, name: str = "one", hours: float = 24) -> Token:
    start = datetime.fromtimestamp(created, KST)
    return Token(Secret(f"{name}-token-of-a-test"), start + timedelta(hours=hours), start)


def unsent() -> BrokerUnavailable:
    error = BrokerUnavailable("no")
    error.was_sent = False
    return error


def schedule(policy: str = "daily 06:30") -> TokenSchedule:
    return TokenSchedule(policy, 600, (), lambda: 0.0)


@pytest.fixture
def clock() -> Clock:
    return Clock(at(15))


class TestRotation:
    def test_a_token_of_the_afternoon_is_rotated_at_the_next_hour_of_rotation(self, clock: Clock) -> None:
        daily = schedule()
        daily.saw(token(clock()), clock())
        assert daily.renew_at == at(6.5, day=1)
        assert daily.due(at(6.5, day=1) - 1) is None
        assert daily.due(at(6.5, day=1)) is Due.ROTATE

    def test_a_token_of_the_hour_of_rotation_is_rotated_a_day_later_and_not_renewed_before(self) -> None:
        daily = schedule()
        daily.saw(token(at(6.5) + 2), at(6.5) + 2)
        assert daily.due(at(6.5, day=1) - 60) is None
        assert daily.due(at(6.5, day=1)) is Due.ROTATE

    def test_a_rotation_that_was_slept_through_is_caught_up_before_the_market_opens(self) -> None:
        daily = schedule()
        daily.saw(token(at(15)), at(15))
        assert daily.due(at(7.9, day=1)) is Due.ROTATE

    def test_no_valid_token_is_revoked_while_the_market_is_open(self) -> None:
        daily = schedule()
        one = token(at(15))
        daily.saw(one, at(15))
        assert daily.due(at(9, day=1)) is None
        assert daily.due(one.expires - 600) is Due.RENEW

    def test_a_computer_that_slept_into_the_session_renews_what_is_about_to_expire_at_once(self) -> None:
        daily = schedule()
        one = token(at(15))
        daily.saw(one, at(15))
        assert daily.due(one.expires - 60) is Due.RENEW

    @pytest.mark.parametrize(
        ("created", "hours", "start", "expected"),
        [
            (15, 24, 24 + 7.5, 24 + 7.5),  # it would expire in the session
            (15, 24, 24 + 9, None),  # the market is open already
            (5, 24, 7, None),  # it expires at night
            (6.5, 24, 6.5, None),  # it expires as the hour of rotation comes
            (6.5, 30, 6.5, 24 + 6.5),  # it was made at that hour, and is in time for the next one
        ],
    )
    def test_a_program_that_starts_catches_up_only_what_saves_the_session(
        self, created: float, hours: float, start: float, expected: float | None
    ) -> None:
        daily = schedule()
        one = token(at(created), hours=hours)
        daily.saw(one, at(start))
        assert daily.rotate_at == (None if expected is None else at(expected))
        assert daily.renew_at == (one.expires - 600 if expected is None else at(expected))

    def test_an_expired_token_is_replaced_at_any_hour(self) -> None:
        daily = schedule()
        daily.saw(token(at(6.5)), at(7))
        assert daily.due(at(9, day=1)) is not None

    def test_a_start_in_the_evening_rotates_a_token_that_would_expire_in_the_session(self) -> None:
        daily = schedule()
        one = token(at(5) + 6 * HOUR)  # made at eleven, it ends at eleven
        daily.saw(one, at(21))
        assert daily.renew_at == at(6.5, day=1)

    def test_the_same_token_back_ends_the_rotations_and_is_told(self, clock: Clock) -> None:
        daily = schedule()
        one = token(clock())
        daily.saw(one, clock())
        now = at(6.5, day=1)
        assert daily.due(now) is Due.ROTATE
        daily.answered(one, now, same=True, rotated=True)
        assert [notice.kind for notice in daily.notices(now)] == [NoticeKind.NOT_ROTATED]
        assert daily.due(one.expires - 1) is None
        assert daily.due(one.expires + 1) is Due.RENEW
        two = token(one.expires, "two")
        daily.answered(two, one.expires + 2, same=False)
        assert daily.renew_at == two.expires - 600

    def test_the_same_token_back_is_told_even_if_it_was_gone_meanwhile(self, clock: Clock) -> None:
        daily = schedule()
        one = token(clock())
        daily.saw(one, clock())
        now = at(6.5, day=1)
        assert daily.due(now) is Due.ROTATE
        daily.saw(None, now)
        daily.answered(one, now, same=True, rotated=True)
        assert [notice.kind for notice in daily.notices(now)] == [NoticeKind.NOT_ROTATED]
        assert daily.due(one.expires - 1) is None

    def test_of_a_token_that_may_be_revoked_already_another_is_asked_for_soon(self) -> None:
        daily = schedule()
        daily.saw(token(at(15)), at(15))
        daily.failed(BrokerUnavailable("no"), at(6.5, day=1), rotating=True)
        daily.failed(RevokeFailed("no"), at(6.5, day=1) + 20, rotating=True, is_doubtful=True)
        assert daily.due(at(6.5, day=1) + 20) is None
        assert daily.due(at(6.5, day=1) + 90) is Due.RENEW
        assert NoticeKind.STOPPED not in [notice.kind for notice in daily.notices(at(6.5, day=1) + 90)]

    def test_a_refused_revoke_of_a_token_that_no_read_has_found_yet_stops_nothing(self) -> None:
        """Another program rotates at the same time."""
        daily = schedule()
        daily.saw(token(at(15)), at(15))
        now = at(6.5, day=1)
        assert daily.due(now) is Due.ROTATE
        daily.saw(None, now, interrupted=True)
        daily.failed(RevokeFailed("no"), now, rotating=True)
        assert (daily.stopped_by, daily.due(now), daily.due(now + 10)) == (None, None, Due.RENEW)

    def test_ends_with_a_clear_so_that_a_refresh_tried_again_revokes_nothing(self) -> None:
        daily = schedule()
        daily.saw(token(at(15)), at(15))
        daily.cleared()
        daily.failed(BrokerUnavailable("no"), at(22))
        assert daily.due(at(22) + 60) is Due.RENEW

    def test_after_a_failed_revoke_the_next_token_is_rotated_again(self) -> None:
        daily = schedule()
        daily.saw(token(at(15)), at(15))
        daily.failed(RevokeFailed("no"), at(6.5, day=1), rotating=True)
        daily.saw(token(at(15, day=1), "two"), at(15, day=1))
        assert daily.rotate_at == at(6.5, day=2)

    def test_a_refused_revoke_is_not_followed_by_a_request_because_the_clock_was_set_back(self) -> None:
        daily = schedule()
        one = token(at(15))
        daily.saw(one, at(15))
        daily.failed(BrokerUnavailable("no"), at(6.5, day=1), rotating=True)
        now = at(6, day=1)
        assert daily.due(now) is Due.ROTATE
        daily.failed(RevokeFailed("no"), now, rotating=True)
        assert (daily.due(now), daily.renew_at) == (None, one.expires - 600)

    def test_one_that_is_tried_again_ends_when_it_is_switched_off(self) -> None:
        daily = schedule()
        one = token(at(15))
        daily.saw(one, at(15))
        now = at(6.5, day=1)
        daily.failed(BrokerUnavailable("no"), now, rotating=True)
        daily.reconfigure("auto", 600, (), None, now)
        assert (daily.rotate_at, daily.renew_at) == (None, one.expires - 600)

    def test_a_failed_revoke_leaves_the_token_to_be_renewed_at_its_expiry(self, clock: Clock) -> None:
        daily = schedule()
        one = token(clock())
        daily.saw(one, clock())
        daily.due(at(6.5, day=1))
        daily.failed(RevokeFailed("no"), at(6.5, day=1), rotating=True)
        assert daily.stopped_by is None
        assert daily.renew_at == one.expires - 600

    def test_without_a_network_the_rotation_is_tried_again(self, clock: Clock) -> None:
        daily = schedule()
        daily.saw(token(clock()), clock())
        now = at(6.5, day=1)
        daily.failed(BrokerUnavailable("no"), now, rotating=True)
        assert daily.due(now) is None
        assert daily.due(now + 60) is Due.ROTATE

    def test_a_token_revoked_without_a_new_one_is_not_taken_for_a_clear(self, clock: Clock) -> None:
        daily = schedule()
        daily.saw(token(clock()), clock())
        now = at(6.5, day=1)
        daily.failed(BrokerUnavailable("no"), now, rotating=True)
        daily.saw(None, now)
        assert daily.due(now + 60) is Due.RENEW

    def test_its_absence_may_be_seen_before_the_failure_is_known(self, clock: Clock) -> None:
        daily = schedule()
        daily.saw(token(clock()), clock())
        now = at(6.5, day=1)
        assert daily.due(now) is Due.ROTATE
        daily.saw(None, now)
        daily.failed(BrokerUnavailable("no"), now, rotating=True)
        assert daily.due(now + 60) is not None

    @pytest.mark.parametrize("policy", ["auto", "daily 06:30"])
    def test_nor_is_one_that_the_user_asked_to_rotate(self, clock: Clock, policy: str) -> None:
        kept = schedule(policy)
        kept.saw(token(clock()), clock())
        kept.failed(BrokerUnavailable("no"), clock(), rotating=True)
        kept.saw(None, clock())
        assert kept.due(clock() + 60) is Due.RENEW

    def test_a_clear_long_after_a_failed_rotation_is_a_clear(self, clock: Clock) -> None:
        daily = schedule()
        daily.saw(token(clock()), clock())
        daily.failed(BrokerUnavailable("no"), clock(), rotating=True)
        daily.saw(None, clock() + HOUR)
        assert daily.due(clock() + 2 * HOUR) is None

    def test_a_refresh_by_the_user_that_brings_the_same_token_leaves_the_rotation_as_planned(
        self, clock: Clock
    ) -> None:
        daily = schedule()
        one = token(clock())
        daily.saw(one, clock())
        daily.answered(one, clock(), same=True)
        assert daily.notices(clock()) == []
        assert daily.due(at(6.5, day=1) - 1) is None
        assert daily.due(at(6.5, day=1)) is Due.ROTATE

    def test_a_failed_refresh_by_the_user_brings_no_rotation_forward(self) -> None:
        daily = schedule()
        daily.saw(token(at(21)), at(21))
        daily.failed(BrokerUnavailable("no"), at(22))
        assert daily.due(at(6.5, day=1) - 1) is None
        assert daily.due(at(6.5, day=1)) is Due.ROTATE

    def test_a_failed_revoke_is_not_repeated(self) -> None:
        daily = schedule()
        one = token(at(8.1))  # it ends right after the opening
        daily.saw(one, at(9))
        daily.failed(RevokeFailed("no"), at(6.5, day=1), rotating=True)
        now = one.expires - 600
        assert daily.due(now) is Due.RENEW
        daily.answered(one, now, same=True)
        assert daily.due(one.expires - 1) is None

    def test_a_failed_revoke_by_the_user_does_not_stop_the_renewal(self) -> None:
        auto = schedule("auto")
        one = token(at(21))
        auto.saw(one, at(21))
        auto.failed(RevokeFailed("no"), at(22), rotating=True)
        assert auto.stopped_by is None
        assert auto.renew_at == one.expires - 600
        assert auto.notices(at(22)) == []

    def test_after_a_weekend_asleep_there_is_one_request(self) -> None:
        daily = schedule()
        daily.saw(token(at(18, day=4)), at(18, day=4))
        assert daily.due(at(9, day=7)) is Due.ROTATE  # nothing is valid any more, so nothing is revoked
        two = token(at(9, day=7), "two")
        daily.answered(two, at(9, day=7), same=False, rotated=True)
        assert daily.renew_at == at(6.5, day=8)

    def test_the_same_token_back_is_told_of_no_rotation_that_the_user_watches(self) -> None:
        auto = schedule("auto")
        one = token(at(21))
        auto.saw(one, at(21))
        auto.answered(one, at(22), same=True, rotated=True)
        assert auto.notices(at(22)) == []


class TestPlannedOnce:
    """`refresh --rotate --at HH:MM`: once, whatever the policy."""

    @pytest.mark.parametrize("policy", ["notify", "auto", "daily 05:00"])
    def test_is_due_at_its_time_under_every_policy(self, policy: str) -> None:
        planned = schedule(policy)
        planned.saw(token(at(5.5)), at(5.5))
        planned.plan_rotation(at(6.5))
        assert (planned.renew_at, planned.rotate_at) == (at(6.5), at(6.5))
        assert planned.due(at(6.5) - 1) is None
        assert planned.due(at(6.5)) is Due.ROTATE

    def test_goes_before_a_renewal_of_the_same_moment(self) -> None:
        planned = schedule("auto")
        one = token(at(7))
        planned.saw(one, at(7))
        planned.plan_rotation(one.expires - 600)
        assert planned.rotate_at == one.expires - 600
        assert planned.due(one.expires - 600) is Due.ROTATE

    @pytest.mark.parametrize("error", [BrokerUnavailable("no"), RevokeFailed("no")])
    def test_outlasts_a_rotation_by_the_user_that_fails_before(self, error: KiwoomTokenError) -> None:
        planned = schedule("notify")
        planned.saw(token(at(11)), at(11))
        planned.plan_rotation(at(6.5, day=1))
        planned.failed(error, at(22), rotating=True)
        assert planned.rotate_at == at(6.5, day=1)

    def test_is_not_put_off_by_a_refresh_of_the_user_that_fails(self) -> None:
        planned = schedule("notify")
        planned.saw(token(at(11)), at(11))
        planned.plan_rotation(at(6.5, day=1))
        planned.failed(BrokerUnavailable("no"), at(6.5, day=1))
        assert planned.due(at(6.5, day=1)) is Due.ROTATE

    @pytest.mark.parametrize("is_refused_in_doubt", [True, False])
    def test_what_may_have_cost_the_token_is_told_though_nothing_is_renewed_by_itself(
        self, *, is_refused_in_doubt: bool
    ) -> None:
        planned = schedule("notify")
        planned.saw(token(at(11)), at(11))
        now = at(6.5, day=1)
        planned.plan_rotation(now)
        planned.failed(BrokerUnavailable("no"), now, rotating=True)
        error = RevokeFailed("no") if is_refused_in_doubt else BrokerUnavailable("no")
        planned.failed(error, now + 10, rotating=True, is_doubtful=True)
        assert NoticeKind.FAILED in [notice.kind for notice in planned.notices(now + 10)]

    def test_is_carried_out_once_though_the_store_still_shows_the_plan(self) -> None:
        planned = schedule("auto")
        planned.saw(token(at(11)), at(11))
        planned.plan_rotation(at(6.5, day=1))
        new = token(at(6.5, day=1), "new")
        planned.answered(new, at(6.5, day=1), same=False, rotated=True)
        planned.plan_rotation(at(6.5, day=1))
        assert planned.due(at(6.5, day=1) + 1) is None
        assert planned.rotate_at is None

    def test_the_end_stays_at_the_quiet_hour_from_then_on(self) -> None:
        planned = schedule("auto")
        now = at(6.5, day=1)
        planned.answered(token(now, "new"), now, same=False, rotated=True)
        for day in range(2, 30):
            renewed = planned.renew_at
            assert renewed is not None
            assert at(6.25, day) < renewed < at(7, day)
            now = at(6.5, day) + 2
            planned.answered(token(now, f"day-{day}"), now, same=False)

    def test_no_warning_in_the_evening_of_what_is_planned_to_be_avoided(self) -> None:
        planned = schedule("auto")
        planned.saw(token(at(11)), at(11))
        planned.plan_rotation(at(6.5, day=1))
        assert planned.notices(at(20.5)) == []

    def test_missed_by_a_computer_that_slept_it_is_made_up_before_the_opening(self) -> None:
        planned = schedule("notify")
        planned.saw(token(at(11)), at(11))
        planned.plan_rotation(at(6.5, day=1))
        assert planned.due(at(7.5, day=1)) is Due.ROTATE

    def test_revokes_nothing_while_the_market_is_open_and_is_dropped(self) -> None:
        planned = schedule("notify")
        planned.saw(token(at(11)), at(11))
        planned.plan_rotation(at(6.5, day=1))
        assert planned.due(at(9, day=1)) is None
        assert planned.rotate_at is None
        planned.plan_rotation(at(6.5, day=1))
        assert planned.due(at(21, day=1)) is None

    def test_that_it_was_dropped_is_told_once(self) -> None:
        planned = schedule("notify")
        one = token(at(11))
        planned.saw(one, at(11))
        planned.plan_rotation(at(6.5, day=1))
        planned.due(at(9, day=1))
        (notice,) = planned.notices(at(9, day=1))
        assert notice == Notice(NoticeKind.PLAN_DROPPED, one.expires, planned_at=at(6.5, day=1))
        assert planned.still_true(notice, at(10, day=1))
        assert planned.notices(at(10, day=1)) == []

    @pytest.mark.parametrize("is_cleared", [True, False])
    def test_that_it_was_dropped_is_no_news_once_the_token_is_another_or_unwanted(self, *, is_cleared: bool) -> None:
        """In quiet hours it had to wait until then."""
        planned = schedule("notify")
        planned.saw(token(at(11)), at(11))
        planned.plan_rotation(at(6.5, day=1))
        planned.due(at(9, day=1))
        if is_cleared:
            planned.cleared()
        else:
            planned.answered(token(at(9.1, day=1), "another"), at(9.1, day=1), same=False)
        assert planned.notices(at(9.2, day=1)) == []

    @pytest.mark.parametrize("policy", ["notify", "auto"])
    def test_is_tried_again_while_kiwoom_does_not_answer_also_once_the_token_is_revoked(self, policy: str) -> None:
        planned = schedule(policy)
        planned.saw(token(at(11)), at(11))
        now = at(6.5, day=1)
        planned.plan_rotation(now)
        planned.failed(BrokerUnavailable("no"), now, rotating=True)
        planned.saw(None, now, interrupted=True)
        assert planned.due(now) is None
        assert planned.due(now + 60) is not None

    def test_a_refused_revoke_ends_the_plan(self) -> None:
        planned = schedule("auto")
        one = token(at(11))
        planned.saw(one, at(11))
        planned.plan_rotation(at(6.5, day=1))
        planned.failed(RevokeFailed("no"), at(6.5, day=1), rotating=True)
        assert (planned.rotate_at, planned.renew_at) == (None, one.expires - 600)

    @pytest.mark.parametrize("policy", ["notify", "auto"])
    @pytest.mark.parametrize("refused", [RevokeFailed("no"), TokenRefused("no", code="8010")])
    def test_a_refused_one_is_told_once_also_after_it_was_put_off(self, refused: KiwoomTokenError, policy: str) -> None:
        planned = schedule(policy)
        one = token(at(11))
        planned.saw(one, at(11))
        now = at(6.5, day=1)
        planned.plan_rotation(now)
        planned.failed(unsent(), now, rotating=True)
        again = planned.rotate_at
        assert again is not None
        planned.failed(refused, again, rotating=True)
        assert planned.notices(again) == [Notice(NoticeKind.PLAN_DROPPED, one.expires, refused, planned_at=now)]
        assert planned.notices(again + 60) == []

    def test_the_same_token_back_is_told(self) -> None:
        planned = schedule("auto")
        one = token(at(11))
        planned.saw(one, at(11))
        now = at(6.5, day=1)
        planned.plan_rotation(now)
        planned.answered(one, now, same=True, rotated=True)
        assert [notice.kind for notice in planned.notices(now)] == [NoticeKind.NOT_ROTATED]
        assert planned.due(one.expires - 1) is None

    def test_can_be_dropped(self) -> None:
        planned = schedule("notify")
        planned.saw(token(at(11)), at(11))
        planned.plan_rotation(at(6.5, day=1))
        planned.plan_rotation(None)
        assert (planned.renew_at, planned.due(at(7, day=1))) == (None, None)


class TestEveningBefore:
    def test_is_told_once_when_the_market_closes(self) -> None:
        auto = schedule("auto")
        one = token(at(11))
        auto.saw(one, at(11))
        assert auto.notices(at(20) - 1) == []
        assert auto.next_moment(at(19)) == at(20)
        assert auto.notices(at(20)) == [Notice(NoticeKind.TRADING_HOURS, one.expires)]
        assert auto.notices(at(21)) == []

    @pytest.mark.parametrize("created", [at(20, day=4), at(11, day=4), at(21), at(5)])
    def test_is_silent_about_an_expiry_at_night_or_at_the_weekend(self, created: float) -> None:
        auto = schedule("auto")
        auto.saw(token(created), created)
        assert auto.notices(created + 12 * HOUR) == []

    def test_is_silent_when_the_token_is_rotated_before(self) -> None:
        daily = schedule()
        daily.saw(token(at(11)), at(11))
        assert daily.notices(at(20)) == []

    @pytest.mark.parametrize("why", ["switched to notify", "stopped"])
    def test_is_told_when_no_rotation_will_come_any_more(self, why: str) -> None:
        daily = schedule()
        daily.saw(token(at(11)), at(11))
        if why == "stopped":
            daily.failed(KeysRefused("no"), at(19))
        else:
            daily.reconfigure("notify", 600, (), None, at(19))
        assert NoticeKind.TRADING_HOURS in [notice.kind for notice in daily.notices(at(20))]

    def test_is_silent_once_the_market_is_open(self) -> None:
        auto = schedule("auto")
        auto.saw(token(at(11)), at(9, day=1))
        assert auto.notices(at(9, day=1)) == []

    def test_is_not_repeated_by_a_program_restarted_that_evening(self) -> None:
        anew = schedule("auto")
        anew.saw(token(at(11)), at(21))
        assert anew.notices(at(21)) == []
        assert anew.next_moment(at(21)) == anew.renew_at

    def test_is_told_by_a_program_restarted_before_that_evening(self) -> None:
        anew = schedule("auto")
        anew.saw(token(at(11)), at(19))
        assert [notice.kind for notice in anew.notices(at(20))] == [NoticeKind.TRADING_HOURS]

    def test_is_told_of_a_token_stored_that_evening(self) -> None:
        auto = schedule("auto")
        auto.saw(token(at(9), "one"), at(19))
        auto.notices(at(20))
        auto.saw(token(at(11), "two"), at(21))
        assert [notice.kind for notice in auto.notices(at(21))] == [NoticeKind.TRADING_HOURS]

    def test_is_told_with_the_policy_that_only_warns(self) -> None:
        notify = schedule("notify")
        notify.saw(token(at(11)), at(11))
        assert [notice.kind for notice in notify.notices(at(22))] == [NoticeKind.TRADING_HOURS]
