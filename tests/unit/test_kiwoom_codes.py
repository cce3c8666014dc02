from __future__ import annotations

from typing import Any

import pytest

from tray_app.core import errors
from tray_app.core.errors import (
    BrokerError,
    BrokerUnavailable,
    KeysRefused,
    RateLimited,
    Remedy,
    RequestRefused,
    RevokeFailed,
    TokenRefused,
    UnknownFailure,
)
from tray_app.kiwoom.codes import error_for, inner_code, return_number
from tray_app.kiwoom.http_headers import MAX_RETRY_AFTER_SECONDS, http_date, retry_after_seconds

SILENT, KEYS, NO_TOKEN, UNEXPECTED = errors.KIWOOM_SILENT, errors.KEYS, errors.NO_TOKEN, errors.UNEXPECTED

EVERY_CODE = [
    ("1700", RateLimited, SILENT, True, Remedy.RETRY),
    ("1701", RateLimited, SILENT, True, Remedy.RETRY),
    ("1702", RateLimited, SILENT, True, Remedy.RETRY),
    ("1999", BrokerUnavailable, SILENT, True, Remedy.RETRY),
    ("8001", KeysRefused, KEYS, False, Remedy.ENTER_KEYS),
    ("8002", KeysRefused, KEYS, False, Remedy.ENTER_KEYS),
    ("8003", BrokerUnavailable, SILENT, True, Remedy.RETRY),
    ("8005", TokenRefused, NO_TOKEN, False, Remedy.NONE),
    ("8006", BrokerUnavailable, SILENT, True, Remedy.RETRY),
    ("8009", BrokerUnavailable, SILENT, True, Remedy.RETRY),
    ("8010", TokenRefused, NO_TOKEN, False, Remedy.ROTATE),
    ("8011", BrokerError, UNEXPECTED, False, Remedy.NONE),
    ("8012", BrokerError, UNEXPECTED, False, Remedy.NONE),
    ("8015", RevokeFailed, UNEXPECTED, False, Remedy.NONE),
    ("8016", RevokeFailed, UNEXPECTED, False, Remedy.NONE),
    ("8020", KeysRefused, KEYS, False, Remedy.ENTER_KEYS),
    ("8030", KeysRefused, KEYS, False, Remedy.SWITCH_MODE),
    ("8031", TokenRefused, NO_TOKEN, False, Remedy.SWITCH_MODE),
    ("8040", KeysRefused, KEYS, False, Remedy.OPEN_PORTAL),
    ("8050", KeysRefused, KEYS, False, Remedy.OPEN_PORTAL),
    ("8103", RequestRefused, NO_TOKEN, False, Remedy.OPEN_PORTAL),
    ("8200", RequestRefused, NO_TOKEN, False, Remedy.NONE),
]


@pytest.mark.parametrize(("code", "kind", "status", "retry", "remedy"), EVERY_CODE)
def test_a_code_inside_the_message_decides_type_status_retry_and_remedy(
    code: str, kind: Any, status: int, retry: bool, remedy: str
) -> None:
    for form in ("인증에 실패했습니다[{}:글]", "[ {}:글]", "실패 CODE={}", "실패 (code = {})"):
        error = error_for(3, form.format(code))
        assert type(error) is kind
        assert (error.code, error.exit_status, error.retry, error.remedy) == (code, status, retry, remedy)


@pytest.mark.parametrize(("code", "kind"), [row[:2] for row in EVERY_CODE])
def test_a_code_as_return_code_itself_is_understood(code: str, kind: Any) -> None:
    assert type(error_for(code, None)) is kind
    assert type(error_for(int(code), None)) is kind


@pytest.mark.parametrize("code", ["8040", "8050", "8103"])
def test_an_unregistered_ip_names_the_page_of_the_portal(code: str) -> None:
    assert "openapi.kiwoom.com > API 사용신청" in str(error_for(3, f"[{code}:...]"))


def test_the_brokers_words_are_not_taken_over() -> None:
    error = error_for(3, "[8001:appkey=MY-APP-KEY secretkey=MY-SECRET]")
    assert "MY-" not in str(error) + repr(error) + repr(vars(error))


@pytest.mark.parametrize(
    ("return_code", "kind", "retry"),
    [(2, BrokerError, False), ("3", KeysRefused, False), (5, RateLimited, True), (7, UnknownFailure, True)],
)
def test_the_outer_code_decides_when_it_stands_alone(
    return_code: int | str,
    kind: type[BrokerError] | type[KeysRefused] | type[RateLimited] | type[UnknownFailure],
    retry: bool,
) -> None:
    error = error_for(return_code, "실패했습니다")
    assert type(error) is kind
    assert (error.code, error.retry) == (str(return_code), retry)


def test_an_unknown_inner_code_is_unknown_and_may_be_tried_again() -> None:
    error = error_for(3, "[8999:새 오류]")
    assert isinstance(error, BrokerError)
    assert (error.code, error.exit_status, error.retry) == ("8999", UNEXPECTED, True)


def test_an_unknown_inner_code_under_the_rate_limits_outer_code_is_a_rate_limit() -> None:
    error = error_for(5, "[1799:새 제한]")
    assert isinstance(error, RateLimited)
    assert error.code == "1799"


def test_a_known_code_in_the_message_wins_over_an_unknown_one() -> None:
    assert inner_code("[9999:x] (CODE=8005)") == "8005"


@pytest.mark.parametrize("text", [None, 8005, "", "8005", "[80055:x]", "[805:x]", "[८००५:x]", ["[8005:x]"]])
def test_what_is_no_code_is_not_read_as_one(text: int | list[str] | str | None) -> None:
    assert inner_code(text) is None


@pytest.mark.parametrize(
    ("given", "number"),
    [(0, 0), ("0", 0), (" 3 ", 3), ("-1", -1), (True, None), (None, None), ("x", None), ("", None), (0.0, None)],
)
def test_return_code_is_a_number_or_a_numeric_string(given: bool | float | str | None, number: int | None) -> None:
    assert return_number(given) == number


def test_an_absurdly_long_return_code_is_no_number() -> None:
    assert return_number("9" * 5000) is None
    assert return_number(10**5000) is None


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (429, RateLimited, "429"),
        (500, BrokerUnavailable, "HTTP 500"),
        (503, BrokerUnavailable, "HTTP 503"),
        (302, BrokerUnavailable, "HTTP 302"),
        (403, BrokerUnavailable, "HTTP 403"),
        (200, BrokerUnavailable, None),
    ],
)
def test_without_fields_the_http_status_decides(
    status: int, kind: type[BrokerUnavailable] | type[RateLimited], code: str | None
) -> None:
    error = error_for(None, None, http_status=status)
    assert type(error) is kind
    assert (error.code, error.exit_status, error.retry) == (code, SILENT, True)


def test_success_in_the_body_of_a_server_error_is_no_success() -> None:
    assert error_for(0, "정상", http_status=500).code == "HTTP 500"


def test_the_brokers_code_wins_over_the_http_status() -> None:
    assert error_for(3, "[8030:x]", http_status=401).code == "8030"
    assert error_for(5, "[1700:x]", http_status=429).code == "1700"
    assert isinstance(error_for(3, "x", http_status=401), KeysRefused)


def test_only_what_may_be_tried_again_carries_a_waiting_time() -> None:
    assert error_for(5, "[1700:x]", retry_after=7.0).retry_after == 7.0
    assert error_for(3, "[8001:x]", retry_after=7.0).retry_after is None


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0.0),
        (" 30 ", 30.0),
        ("99999999", MAX_RETRY_AFTER_SECONDS),
        ("9" * 400, MAX_RETRY_AFTER_SECONDS),
        ("Thu, 01 Jan 1970 00:17:20 GMT", 40.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("Fri, 01 Jan 2100 00:00:00 GMT", MAX_RETRY_AFTER_SECONDS),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_bounded(header: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(header, now=1000.0) == seconds


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("Thu, 01 Jan 1970 00:01:00 GMT", 60.0),
        ("Thu, 01 Jan 1970 09:01:00 +0900", 60.0),
        ("Thu, 01 Jan 1970 00:01:00 -0000", 60.0),
        ("yesterday", None),
        ("Thu, 99 Jan 1970 00:01:00 GMT", None),
        ("", None),
        (None, None),
    ],
)
def test_an_http_date_is_read_or_ignored(text: str | None, at: float | None) -> None:
    assert http_date(text) == at
