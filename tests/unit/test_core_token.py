from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from tests.doubles import START
from tests.zones import live_in, read_zone
from tray_app.core.errors import InvalidInput
from tray_app.core.secret import Secret
from tray_app.core.token import (
    MAX_TOKEN_CHARACTERS,
    DamagedRecord,
    Token,
    decode,
    encode_seed,
    encode_zoned,
    format_expires_dt,
    parse_expires_dt,
    token_for,
    token_until,
)

UTC = timezone.utc
ZONES = ["UTC", "America/New_York", "Asia/Seoul", "Asia/Kathmandu", "Pacific/Kiritimati"]
VALUE = "token-of-a-test"


@pytest.fixture
def in_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    yield lambda zone: live_in(zone, monkeypatch)
    monkeypatch.undo()
    read_zone()


def record(**fields: Any) -> Any:
    return json.dumps(
        {"access_token": VALUE, "expires_at": "2026-09-22T00:00:00", "created_at": "2026-09-21T00:00:00", **fields}
    )


class TestExpiresDt:
    @pytest.mark.parametrize("zone", ZONES)
    def test_is_korean_time_wherever_the_computer_is(self, zone: str, in_zone: Callable[[str], None]) -> None:
        in_zone(zone)

        assert parse_expires_dt("20251107083713") == datetime(2025, 11, 6, 23, 37, 13, tzinfo=UTC)

    @pytest.mark.parametrize("zone", ZONES)
    def test_writing_is_the_inverse_of_reading(self, zone: str, in_zone: Callable[[str], None]) -> None:
        in_zone(zone)

        assert format_expires_dt(parse_expires_dt("20240229235959")) == "20240229235959"

    def test_blanks_around_it_do_not_matter(self) -> None:
        assert parse_expires_dt(" 20251107083713\n") == parse_expires_dt("20251107083713")

    @pytest.mark.parametrize(
        "text",
        [
            "",
            " ",
            "2025110708371",
            "202511070837130",
            "20251307083713",
            "20250230000000",
            "20251107240000",
            "20251107086000",
            "20251107083760",
            "00000101000000",
            "00010101000000",  # before the first UTC instant there is
            "2025-11-07T08:",
            "+2025110708371",
            "2025 107083713",
            "２０２５１１０７０８３７１３",  # digits, but not ASCII
            "²0251107083713",
            "내일 이맘때........",
        ],
    )
    def test_refuses_what_is_not_a_time(self, text: Any) -> None:
        with pytest.raises(InvalidInput):
            parse_expires_dt(text)

    @pytest.mark.parametrize("seconds", [-1, 0, 366 * 86400 + 1])
    def test_a_token_may_not_end_in_the_past_or_beyond_a_year(self, seconds: Any) -> None:
        ends = format_expires_dt(datetime.fromtimestamp(START + seconds, UTC))

        with pytest.raises(InvalidInput):
            token_until(VALUE, ends, START)

    @pytest.mark.parametrize("seconds", [1, 366 * 86400])
    def test_a_token_may_end_within_a_year(self, seconds: Any) -> None:
        ends = format_expires_dt(datetime.fromtimestamp(START + seconds, UTC))

        assert token_until(VALUE, ends, START).remaining(START) == seconds


class TestTokenText:
    @pytest.mark.parametrize(
        "text",
        [
            "",
            " ",
            "\n",
            "a b",
            "a\nb",
            "a\r\nb",
            "a\tb",
            "a\0b",
            "토큰",
            "a\u2028b",
            "\ud800",
            "a\x7fb",
            "a" * 4097,
            None,
            5,
            b"abc",
        ],
        ids=repr,
    )
    def test_refuses_what_cannot_stand_in_a_header(self, text: Any) -> None:
        with pytest.raises(InvalidInput) as raised:
            token_for(text, 86400, START)

        assert not text or not isinstance(text, str) or not text.strip() or text not in str(raised.value)

    def test_blanks_around_it_do_not_matter(self) -> None:
        assert token_for(f"  {VALUE}\r\n", 86400, START).value.reveal() == VALUE

    def test_takes_the_longest_allowed(self) -> None:
        assert token_for("a" * MAX_TOKEN_CHARACTERS, 86400, START).value.reveal() == "a" * MAX_TOKEN_CHARACTERS


class TestLifetime:
    @pytest.mark.parametrize(
        "expires_in",
        [
            0,
            -1,
            -0.0,
            "abc",
            "86400",
            None,
            True,
            False,
            math.nan,
            math.inf,
            -math.inf,
            10 * 365 * 86400,
            [86400],
            1e300,
            10**400,
        ],
        ids=lambda value: repr(value)[:20],
    )
    def test_refuses_what_is_not_a_lifetime(self, expires_in: Any) -> None:
        with pytest.raises(InvalidInput):
            token_for(VALUE, expires_in, START)

    @pytest.mark.parametrize("expires_in", [0.001, 1, 86400, 366 * 86400])
    def test_counts_from_now(self, expires_in: Any) -> None:
        assert token_for(VALUE, expires_in, START).remaining(START) == pytest.approx(expires_in, abs=1e-6)

    def test_lives_until_its_end_and_not_in_it(self) -> None:
        token = token_for(VALUE, 1000, START)

        assert [token.is_unexpired(START + seconds) for seconds in (0, 999.9, 1000, 1000.1)] == [
            True,
            True,
            False,
            False,
        ]

    def test_is_valid_while_five_minutes_are_left(self) -> None:
        token = token_for(VALUE, 1000, START)

        assert [token.is_valid(START + 1000 - left) for left in (300.1, 300, 299.9)] == [True, True, False]


class TestText:
    @pytest.mark.parametrize("zone", ZONES)
    @pytest.mark.parametrize("encode", [encode_seed, encode_zoned])
    def test_is_read_back_as_it_was(self, encode: Any, zone: str, in_zone: Callable[[str], None]) -> None:
        in_zone(zone)
        token = token_for(VALUE, 86400, START + 0.123456)

        assert decode(encode(token)) == token

    @pytest.mark.parametrize("zone", ZONES)
    def test_the_seeds_file_holds_three_keys_and_naive_local_time(
        self, zone: str, in_zone: Callable[[str], None]
    ) -> None:
        in_zone(zone)
        fields = json.loads(encode_seed(token_for(VALUE, 86400, START)))

        assert list(fields) == ["access_token", "expires_at", "created_at"]
        assert fields["access_token"] == VALUE
        assert fields["expires_at"] == datetime.fromtimestamp(START + 86400).isoformat()  # noqa: DTZ006
        assert fields["created_at"] == datetime.fromtimestamp(START).isoformat()  # noqa: DTZ006

    def test_the_seeds_file_is_indented_as_json_indents(self) -> None:
        text = encode_seed(token_for('"quoted"\\', 86400, START))

        assert text == json.dumps(json.loads(text), indent=2)

    @pytest.mark.parametrize("zone", ZONES)
    def test_a_time_with_a_zone_is_read_the_same_everywhere(self, zone: str, in_zone: Callable[[str], None]) -> None:
        in_zone(zone)

        assert decode(record(expires_at="2026-09-22T09:00:00+09:00")).expires_at == datetime(2026, 9, 22, tzinfo=UTC)

    def test_the_keyrings_text_is_one_line_with_zones(self) -> None:
        text = encode_zoned(token_for(VALUE, 86400, START))

        assert "\n" not in text
        assert json.loads(text)["expires_at"].endswith("+00:00")

    @pytest.mark.parametrize("first", [0, 1], ids=["first pass", "second pass"])
    def test_in_the_hour_that_a_clock_repeats_a_token_neither_lives_longer_nor_ages(
        self, first: Any, in_zone: Callable[[str], None]
    ) -> None:
        in_zone("America/New_York")
        created = datetime(2026, 11, 1, 5 + first, 30, tzinfo=UTC)  # 01:30 local time, twice
        token = Token(Secret(VALUE), created + timedelta(minutes=20), created)

        again = decode(encode_seed(token))

        assert again.expires_at <= token.expires_at
        assert again.created_at >= token.created_at

    @pytest.mark.parametrize(
        "text",
        [
            "",
            " ",
            "{",
            "null",
            "[]",
            "5",
            '"text"',
            "{}",
            "[" * 60000,
            "9" * 60000,
            "not json",
            '{"token": "abc", "expires_dt": "20251107083713"}',
            record()[:-20],
            record(access_token=None),
            record(access_token=5),
            record(access_token=""),
            record(access_token="a\nb"),
            record(access_token=["a"]),
            record(expires_at=None),
            record(expires_at=1790000000),
            record(expires_at="tomorrow"),
            record(expires_at=""),
            record(expires_at="2026-13-01T00:00:00"),
            record(expires_at="10000-01-01T00:00:00"),
            record(created_at=None),
            record(created_at={}),
            record(expires_at=math.nan),
        ],
        ids=lambda text: text[:40] or "empty",
    )
    def test_refuses_what_is_not_a_record(self, text: Any) -> None:
        with pytest.raises(DamagedRecord) as raised:
            decode(text)

        assert VALUE not in str(raised.value)

    @pytest.mark.parametrize("zone", ZONES)
    @pytest.mark.parametrize("offset", ["", "Z", "+09:00", "-23:59", "+23:59"])
    @pytest.mark.parametrize("when", ["0001-01-01T00:00:00", "9999-12-31T23:59:59.999999"])
    @pytest.mark.parametrize("field", ["expires_at", "created_at"])
    def test_an_absurd_date_is_refused_or_can_be_shown_and_written(
        self, field: Any, when: Any, offset: Any, zone: str, in_zone: Callable[[str], None]
    ) -> None:
        in_zone(zone)
        try:
            token = decode(record(**{field: when + offset}))
        except DamagedRecord:
            return

        assert decode(encode_zoned(token)) == token
        assert encode_seed(token)
        assert format_expires_dt(token.expires_at)

    def test_more_keys_than_the_seeds_do_not_matter(self) -> None:
        assert decode(record(note="x")).value.reveal() == VALUE
