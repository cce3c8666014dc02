"""Times, places and problems in words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest

from tests.zones import live_in, read_zone
from tray_app.core import language
from tray_app.core.errors import KeyringUnavailable, RedisUnavailable
from tray_app.core.token import KST
from tray_app.core.wording import (
    countdown,
    duration,
    is_korean_zone,
    keyring_name,
    keyring_subject,
    korean_time,
    local_time,
    mode_text,
    place_text,
    problem_text,
)

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=KST).timestamp()
"""A Tuesday."""


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Take a time zone for one test: `live_in` with what is returned."""
    with monkeypatch.context() as one:
        yield one
    read_zone()


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00:00"), (59.9, "0:00:59"), (3661, "1:01:01"), (90_000, "25:00:00"), (-5, "0:00:00")]
)
def test_a_countdown_shows_hours_minutes_and_seconds_and_stops_at_zero(seconds: float, text: str) -> None:
    assert countdown(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(45, "45 s"), (60, "1 min"), (599, "9 min"), (3600, "1 h"), (79_800, "22 h 10 min"), (-1, "0 s")],
)
def test_a_duration_has_its_two_largest_units(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("days", "text"),
    [
        (0, "12:00"),
        (1, "12:00 tomorrow"),
        (-1, "12:00 yesterday"),
        (2, "12:00 on Thursday"),
        (6, "12:00 on Monday"),
        (7, "12:00 on 2026-12-01"),
        (-2, "12:00 on 2026-11-22"),
    ],
)
def test_a_time_in_korea_names_the_day_unless_it_is_today(days: int, text: str) -> None:
    assert korean_time(NOW + days * 86400, NOW) == text


def test_the_day_is_korean_not_this_computers(zone: pytest.MonkeyPatch) -> None:
    live_in("America/New_York", zone)
    late = datetime(2026, 11, 24, 23, 0, tzinfo=KST).timestamp()

    assert korean_time(late + 7200, late) == "01:00 tomorrow"
    assert local_time(late + 7200, late) == "11:00"
    assert not is_korean_zone(late)


def test_in_korea_both_clocks_show_the_same(zone: pytest.MonkeyPatch) -> None:
    live_in("Asia/Seoul", zone)

    assert local_time(NOW + 86400, NOW) == korean_time(NOW + 86400, NOW)
    assert is_korean_zone(NOW)


def test_a_mode_is_named_in_the_current_language() -> None:
    english = mode_text("real"), mode_text("demo")
    language.use("ko")

    assert english == ("real trading", "mock trading")
    assert (mode_text("real"), mode_text("demo")) == ("실전투자", "모의투자")


def test_a_place_says_what_is_wrong_there() -> None:
    assert place_text("file", "/data/.token", "") == "file /data/.token"
    assert place_text("redis", "host:6379/0", RedisUnavailable.FULL) == "Redis host:6379/0 (Redis is full)"
    assert place_text("file", "/data/.token", KeyringUnavailable.MISSING) == "file /data/.token (there is no keyring)"
    assert place_text("keyring", "", KeyringUnavailable.LOCKED) == keyring_name()


@pytest.mark.parametrize(
    "problem",
    [
        value
        for kind in (KeyringUnavailable, RedisUnavailable)
        for name, value in vars(kind).items()
        if name.isupper() and isinstance(value, str)
    ],
)
def test_every_problem_of_a_store_has_words_in_both_languages(problem: str) -> None:
    english = problem_text(problem)
    language.use("ko")

    assert english
    assert problem_text(problem) not in {"", english}


def test_no_problem_has_no_words() -> None:
    assert problem_text("") == ""


@pytest.mark.parametrize(
    ("platform", "name"),
    [("win32", "Windows Credential Manager"), ("darwin", "the Keychain"), ("linux", "the keyring")],
)
def test_the_keyring_is_called_what_the_system_calls_it(platform: str, name: str) -> None:
    assert keyring_name(platform) == name
    assert name.rsplit(maxsplit=1)[-1] in keyring_subject(platform)
