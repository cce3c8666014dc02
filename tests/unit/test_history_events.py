"""The picture of the last days: what lived when, what was missing, whatever order the record is in."""

from __future__ import annotations

import random
from datetime import datetime
from itertools import pairwise

import pytest

from tests.doubles import START
from tray_app.core import language
from tray_app.core.errors import KeysRefused, RateLimited
from tray_app.core.token import KST, token_for
from tray_app.core.trading import is_trading
from tray_app.history.draft import EventDraft
from tray_app.history.events import Event, EventKind, event_of, program_name
from tray_app.history.timeline import SMALLEST_GAP_SECONDS, Ended, Gap, Week, days_until, week_of
from tray_app.history.words import event_text, gap_text, life_text, summary_text

ISSUED, SAME, ADOPTED, STORED, SEEN = (
    EventKind.ISSUED,
    EventKind.SAME,
    EventKind.ADOPTED,
    EventKind.STORED,
    EventKind.SEEN,
)
FAILED, CLEARED, REVOKED, GONE = EventKind.FAILED, EventKind.CLEARED, EventKind.REVOKED, EventKind.GONE
HOUR, DAY = 3600.0, 86400.0


def kst(text: str) -> float:
    """`11-18 06:30` of 2026, a Wednesday, in Korea."""
    return datetime.strptime(f"2026-{text}", "%Y-%m-%d %H:%M").replace(tzinfo=KST).timestamp()


NOW = kst("11-20 15:00")  # a Friday


def event(when: str | float, kind: EventKind, token: str = "", lives: float = DAY, **more: object) -> Event:
    at = kst(when) if isinstance(when, str) else when
    brings = {"token": token, "created": at, "expires": at + lives} if token else {}
    return Event(at, "default", kind, **{**brings, "until": at, **more})  # type: ignore[arg-type]


def week(*events: Event, now: float = NOW, present: object = None) -> Week:
    return week_of("default", events, now, present)  # type: ignore[arg-type]


def spans(one: Week) -> list[tuple[str, str, Ended | None]]:
    def text(instant: float) -> str:
        return datetime.fromtimestamp(instant, KST).strftime("%m-%d %H:%M")

    return [(text(life.start), text(life.end), life.ended) for life in one.lives]


class TestDays:
    def test_are_the_last_seven_of_the_korean_calendar(self) -> None:
        days = days_until(NOW)
        assert [datetime.fromtimestamp(day.start, KST).strftime("%a %d %H:%M") for day in days] == [
            f"{name} {number} 00:00"
            for name, number in zip(("Sat", "Sun", "Mon", "Tue", "Wed", "Thu", "Fri"), range(14, 21), strict=True)
        ]

    def test_show_trading_hours_on_weekdays_alone(self) -> None:
        days = days_until(NOW)
        assert [day.session is not None for day in days] == [False, False, True, True, True, True, True]
        sessions = [day.session for day in days if day.session is not None]
        assert all(is_trading(opens) and not is_trading(closes) for opens, closes in sessions)

    def test_the_day_changes_at_midnight_in_korea(self) -> None:
        assert days_until(kst("11-20 23:59")) == days_until(NOW)
        assert days_until(kst("11-21 00:00"))[-1].start == days_until(NOW)[-1].end


class TestLives:
    def test_a_token_is_valid_until_another_takes_its_place(self) -> None:
        one = week(event("11-18 06:30", ISSUED, "a"), event("11-19 06:30", ISSUED, "b"), now=kst("11-19 12:00"))
        assert spans(one) == [
            ("11-18 06:30", "11-19 06:30", Ended.EXPIRED),
            ("11-19 06:30", "11-20 06:30", None),
        ]
        assert one.gaps == ()

    @pytest.mark.parametrize(("kind", "how"), [(CLEARED, Ended.CLEARED), (REVOKED, Ended.REVOKED), (GONE, Ended.GONE)])
    def test_what_takes_a_token_away_ends_its_life(self, kind: EventKind, how: Ended) -> None:
        one = week(event("11-19 06:30", ISSUED, "a"), event("11-19 10:00", kind, "a", lives=DAY))
        assert spans(one) == [("11-19 06:30", "11-19 10:00", how)]

    def test_replaced_early(self) -> None:
        one = week(event("11-20 06:30", ISSUED, "a"), event("11-20 10:00", STORED, "b"))
        assert spans(one)[0] == ("11-20 06:30", "11-20 10:00", Ended.REPLACED)

    def test_the_same_token_again_is_the_same_life(self) -> None:
        first = event("11-20 06:30", ISSUED, "a")
        again = [
            event(when, kind, "a", expires=first.expires)
            for when, kind in (("11-20 08:00", SAME), ("11-20 09:00", SEEN))
        ]
        one = week(first, *again)
        assert spans(one) == [("11-20 06:30", "11-21 06:30", None)]
        assert one.lives[0].came is ISSUED

    def test_the_same_token_with_a_later_end_lives_longer(self) -> None:
        one = week(event("11-20 06:30", ISSUED, "a"), event("11-20 08:00", SAME, "a"))
        assert spans(one) == [("11-20 06:30", "11-21 08:00", None)]

    def test_cleared_and_taken_over_again_lives_twice(self) -> None:
        first = event("11-20 06:30", ISSUED, "a")
        one = week(
            first,
            event("11-20 10:00", CLEARED, "a", expires=first.expires),
            event("11-20 11:00", ADOPTED, "a", created=first.at, expires=first.expires),
        )
        assert spans(one) == [("11-20 06:30", "11-20 10:00", Ended.CLEARED), ("11-20 11:00", "11-21 06:30", None)]

    def test_cleared_and_found_again_was_not_there_between(self) -> None:
        first = event("11-20 06:30", ISSUED, "a")
        one = week(
            first,
            event("11-20 10:00", CLEARED, "a", expires=first.expires),
            event("11-20 11:00", SEEN, "a", created=first.at, expires=first.expires),
        )
        assert [gap.seconds for gap in one.gaps] == [HOUR]

    def test_a_found_token_was_there_since_it_was_made(self) -> None:
        one = week(event("11-20 11:00", SEEN, "a", created=kst("11-20 09:00")))
        assert spans(one)[0][0] == "11-20 09:00"
        assert one.gaps == ()

    def test_a_found_token_is_not_older_than_the_last_clear(self) -> None:
        one = week(event("11-20 10:00", CLEARED), event("11-20 11:00", SEEN, "a", created=kst("11-20 09:00")))
        assert spans(one)[0][0] == "11-20 11:00"

    def test_a_dead_token_between_two_changes_nothing(self) -> None:
        one = week(
            event("11-20 06:30", ISSUED, "a"),
            event("11-20 10:00", CLEARED, "a"),
            event("11-20 11:00", SEEN, "b", expires=kst("11-20 08:00")),
            event("11-20 12:00", SEEN, "c", created=kst("11-20 09:00")),
        )
        assert [start for start, _, _ in spans(one)] == ["11-20 06:30", "11-20 12:00"]

    def test_the_same_token_handed_in_after_its_end_lives_twice(self) -> None:
        one = week(event("11-20 06:30", ISSUED, "a", lives=HOUR), event("11-20 10:00", STORED, "a"))
        assert [gap.seconds for gap in one.gaps] == [0.5 * HOUR, 2 * HOUR]

    def test_a_token_that_ended_before_it_was_found_never_lived_here(self) -> None:
        assert week(event("11-20 11:00", SEEN, "a", expires=kst("11-20 10:00"))).lives == ()

    def test_what_nobody_noted_is_known_from_the_present_token(self) -> None:
        now = kst("11-20 15:00")
        one = week(present=token_for("a-token", DAY, now - HOUR), now=now)
        assert spans(one) == [("11-20 14:00", "11-21 14:00", None)]

    def test_the_present_token_that_is_known_changes_nothing(self) -> None:
        token = token_for("a-token", DAY, NOW - HOUR)
        noted = event_of("default", EventDraft(NOW - HOUR, ISSUED, token))
        assert week(noted, present=token) == week(noted)

    def test_events_out_of_order_give_the_same_picture(self) -> None:
        events = [
            event("11-18 06:30", ISSUED, "a"),
            event("11-18 12:00", CLEARED, "a"),
            event("11-18 12:10", ISSUED, "b"),
            event("11-19 12:10", ISSUED, "c"),
        ]
        assert week(*reversed(events)) == week(*events)

    def test_what_lies_ahead_because_the_clock_was_set_back_is_left_out(self) -> None:
        one = week(event("11-20 06:30", ISSUED, "a"), event("11-20 18:00", ISSUED, "b"))
        assert [life.token for life in one.lives] == ["a"]

    def test_a_life_from_before_the_first_day_reaches_into_it(self) -> None:
        one = week(event("11-13 20:00", ISSUED, "a"))
        assert spans(one) == [("11-13 20:00", "11-14 20:00", Ended.EXPIRED)]
        assert one.gaps[0].start == kst("11-14 20:00")


class TestGaps:
    def test_only_trading_hours_cost_money(self) -> None:
        one = week(
            event("11-19 06:30", ISSUED, "a", lives=5 * HOUR),
            event("11-19 11:42", ISSUED, "b", lives=10 * HOUR),
            event("11-20 06:30", ISSUED, "c"),
        )
        assert one.gaps == (
            Gap(kst("11-19 11:30"), kst("11-19 11:42"), trading=True),
            Gap(kst("11-19 21:42"), kst("11-20 06:30"), trading=False),
        )
        assert one.gap_seconds() == 12 * 60

    def test_change_of_tokens_is_none_that_costs_anything(self) -> None:
        one = week(
            event("11-19 06:30", ISSUED, "a", lives=5 * HOUR),
            event(kst("11-19 11:30") + 5, ISSUED, "b", lives=40 * DAY),
        )
        assert [(gap.seconds, gap.is_change) for gap in one.gaps] == [(5, True)]
        assert (one.gap_seconds(), one.change_seconds()) == (0, 5)
        assert gap_text(one.gaps[0]).startswith("5 s without a token (automatic reissue)")
        assert "5 s of automatic reissue" in summary_text(one)
        assert one.entries[1] == one.gaps[0], "it is listed all the same"

    def test_one_over_the_close_is_two(self) -> None:
        one = week(
            event("11-18 06:30", ISSUED, "a", lives=13 * HOUR), event("11-18 20:15", ISSUED, "b", lives=40 * DAY)
        )
        assert one.gaps == (
            Gap(kst("11-18 19:30"), kst("11-18 20:00"), trading=True),
            Gap(kst("11-18 20:00"), kst("11-18 20:15"), trading=False),
        )

    def test_none_before_anything_was_known(self) -> None:
        assert week(event("11-20 14:00", ISSUED, "a")).gaps == ()

    def test_a_failure_without_a_token_begins_one(self) -> None:
        assert week(event("11-20 14:00", FAILED)).gaps == (Gap(kst("11-20 14:00"), NOW, trading=True),)

    def test_an_expired_token_leaves_one_until_now(self) -> None:
        one = week(event("11-19 14:00", ISSUED, "a"))
        assert one.gaps == (Gap(kst("11-20 14:00"), NOW, trading=True),)

    def test_the_instant_of_a_rotation_is_none(self) -> None:
        one = week(
            event("11-20 06:30", ISSUED, "a"),
            event(kst("11-20 09:00"), REVOKED, "a"),
            event(kst("11-20 09:00") + SMALLEST_GAP_SECONDS / 2, ISSUED, "b"),
        )
        assert one.gaps == ()

    def test_nothing_known_nothing_missing(self) -> None:
        assert (week().lives, week().gaps, week().events) == ((), (), ())


def test_whatever_was_recorded_the_picture_is_whole() -> None:
    dice = random.Random(7)  # noqa: S311 - no secret
    kinds = list(EventKind)
    for _ in range(400):
        events = []
        for _ in range(dice.randrange(25)):
            at = NOW - dice.uniform(-DAY, 10 * DAY)
            made = at + dice.uniform(-2 * DAY, DAY / 24)
            ends = dice.choice([None, at + dice.uniform(-DAY, 3 * DAY)])
            events.append(
                Event(at, "default", dice.choice(kinds), dice.choice("abc"), dice.choice([None, made]), ends, until=at)
            )
        present = dice.choice([None, token_for("a-token", dice.uniform(1, DAY), NOW - 100)])
        one = week(*events, present=present)
        pieces = sorted(
            [(life.start, min(life.end, NOW)) for life in one.lives if life.start < NOW]
            + [(gap.start, gap.end) for gap in one.gaps]
        )
        assert all(start < end for start, end in pieces)
        assert all(before[1] <= after[0] for before, after in pairwise(pieces)), "nothing overlaps"
        for before, after in pairwise(pieces):
            assert after[0] - before[1] < SMALLEST_GAP_SECONDS, "nothing is left untold"
        assert all(life.ended is None for life in one.lives if life.end > NOW)
        assert [life for life in one.lives if life.ended is None] in ([], [one.lives[-1]] if one.lives else [])
        assert all(gap.trading == is_trading(gap.start) == is_trading(gap.end - 0.001) for gap in one.gaps)
        for life in one.lives:
            assert life_text(life)


class TestEvent:
    def test_holds_no_token_and_no_secret(self) -> None:
        secret = "WQJCwyqInph" + "k" * 75
        token = token_for(secret, DAY, START)
        error = KeysRefused("refused {what}", code="8001", what=f"token={secret}")
        one = event_of("default", EventDraft(START, FAILED, token, error), "bot")
        assert secret not in repr(one)
        assert secret[:12] not in repr(one)
        assert one.code == "8001"

    def test_the_sentence_can_be_told_in_either_language(self) -> None:
        error = RateLimited("Kiwoom asked to wait {seconds} seconds before the next request.", seconds=4)
        one = event_of("default", EventDraft(START, FAILED, None, error))
        assert "wait 4 seconds" in event_text(one)
        language.use("ko")
        assert "4초" in event_text(one)

    @pytest.mark.parametrize(("mode", "words"), [("real trading", "실전투자 앱키"), ("mock trading", "모의투자 앱키")])
    def test_names_the_mode_in_the_language_of_the_sentence(self, mode: str, words: str) -> None:
        missing = "There are no app keys for {mode}. Enter them with: {command}"
        one = event("11-20 09:00", FAILED, message=missing, values={"mode": mode, "command": "kiwoom-token login"})
        language.use("ko")
        assert words in event_text(one)

    def test_without_a_mode_it_names_none(self) -> None:
        one = event("11-20 09:00", FAILED, message="There are no app keys for {mode}.", values={"mode": ""})
        language.use("ko")
        assert "Language" not in event_text(one)

    @pytest.mark.parametrize("message", ["{missing}", "{", "{0}", "{seconds.real.x}", "{seconds!q}"])
    def test_a_damaged_sentence_is_shown_as_it_is(self, message: str) -> None:
        assert message in event_text(event("11-20 09:00", FAILED, message=message, values={"seconds": 4}))

    def test_repeats_are_told(self) -> None:
        one = event("11-20 09:00", FAILED, times=12, until=kst("11-20 09:40"), code="8005")
        assert "12 times until Fri 11-20 09:40" in event_text(one)
        assert event_text(one).endswith("[8005]")


@pytest.mark.parametrize(
    ("argument", "name"),
    [
        ("/usr/bin/kiwoom-token", "kiwoom-token"),
        (r"C:\Tools\kiwoom-token-tray.exe", "kiwoom-token-tray"),
        ("/x/tray_app/__main__.py", "kiwoom-token-tray"),
        ("/x/tray_app/cli/main.py", "kiwoom-token"),
        (r"C:\x\tray_app\cli\main.py", "kiwoom-token"),
        (r"C:\x\uvicorn\__main__.py", "uvicorn"),
        ("bots/매매봇.py", "매매봇"),
        ("/x/uvicorn/__main__.py", "uvicorn"),
        ("-c", "python"),
        ("", "python"),
    ],
)
def test_a_program_is_named_as_people_know_it(argument: str, name: str) -> None:
    assert program_name([argument]) == name


def test_no_program_name_is_a_secret() -> None:
    assert "k" * 40 not in program_name(["/x/" + "k" * 43])
    assert program_name([]) == "python"


class TestWords:
    def test_a_life_tells_how_it_came_and_how_it_ended(self) -> None:
        text = life_text(
            week(event("11-19 06:30", ISSUED, "3f2a91c4", by="tray"), event("11-19 10:00", CLEARED)).lives[0]
        )
        assert text.splitlines() == [
            "Token 3f2a91c4: Thu 11-19 06:30 to Thu 11-19 10:00 (KST)",
            "A new token was issued (tray).  It was removed from this computer.",
        ]

    def test_a_gap_tells_how_long_and_whether_it_mattered(self) -> None:
        assert gap_text(Gap(kst("11-19 11:40"), kst("11-19 11:52"), trading=True)).startswith(
            "No token for 12 min in trading hours"
        )

    def test_the_week_in_one_sentence(self) -> None:
        assert summary_text(week()) == "No events in this period."
        whole = week(event("11-13 06:30", ISSUED, "a", lives=10 * DAY))
        assert summary_text(whole) == "There was a token in all trading hours."
        today = week(event("11-20 06:30", ISSUED, "a"))
        assert summary_text(today) == "There has been a token in all trading hours since Fri 11-20 06:30."
        weekend = week(event("11-21 06:30", ISSUED, "a"), now=kst("11-21 12:00"))
        assert summary_text(weekend) == "The market has not opened yet since the record began."
        assert "1 h" in summary_text(week(event("11-20 14:00", FAILED)))
