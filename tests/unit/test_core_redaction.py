from __future__ import annotations

import io
import logging
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tray_app.core import logs
from tray_app.core.redaction import RedactingFilter, redact

HIDDEN = "hidden-text-of-a-test"
LONG = "Ab3_-" * 17 + "x"  # 86 characters, as live tokens have


@pytest.fixture
def log() -> Iterator[Any]:
    """The logger `kiwoom` as a host program sees it: with a handler of the host's own."""
    logger = logs.kiwoom_logger()
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(asctime)s - %(name)s - %(levelname)s - %(message)s"))
    logger.addHandler(handler)
    level = logger.level
    logger.setLevel(logging.DEBUG)
    yield logger, stream.getvalue
    logger.removeHandler(handler)
    logger.setLevel(level)


def fail_with(error: Any) -> None:
    raise error


SECRET_LINES = [
    f"authorization: Bearer {HIDDEN}",
    f"Authorization: bearer  {HIDDEN}",
    f"{{'Authorization': 'Bearer {HIDDEN}'}}",
    f'{{"token": "{HIDDEN}", "return_code": 0}}',
    f'{{"token":"{HIDDEN}"}}',
    f'{{"access_token": "{HIDDEN}", "expires_at": "2026-01-01T00:00:00"}}',
    f'{{"grant_type":"client_credentials","appkey":"{HIDDEN}","secretkey":"{HIDDEN}"}}',
    f"{{'appkey': '{HIDDEN}'}}",
    f"app_key={HIDDEN}&app_secret={HIDDEN}",
    f"APP_KEY={HIDDEN}",
    f"APP_SECRET = {HIDDEN}",
    f"secretkey: {HIDDEN}",
    f"token={HIDDEN}",
    f"TOKEN: {HIDDEN}",
    f"accesstoken={HIDDEN}",
    f"KIWOOM_TOKEN={HIDDEN}",
    f"KIWOOM_ACCESS_TOKEN={HIDDEN}",
    f"APP_SECRET_MOCK={HIDDEN}",
]


@pytest.mark.parametrize("line", SECRET_LINES)
def test_what_is_named_as_a_secret_is_masked(line: str) -> None:
    assert HIDDEN not in redact(line)


def test_a_text_as_long_as_a_token_is_masked_wherever_it_stands() -> None:
    assert redact(f"GET /{LONG}?x=1 failed") == "GET /***?x=1 failed"


ORDINARY_LINES = [
    "Loaded valid token from file (expires at 2025-11-09 22:47:56)",
    "Token set (expires in 86400s)",
    "Token saved to file (expires at 2025-11-09 22:47:56)",
    "Token in file has expired",
    "Token file deleted",
    "Token expired, clearing...",
    "Token cleared",
    "Failed to parse token file (invalid JSON)",
    "Token saved to keyring (expires at 2025-11-09 22:47:56)",
    "Keyring not used (locked), token kept in file",
    "Token not renewed, the present one is used (BrokerUnavailable)",
    "토큰을 발급받았습니다 (만료: 2025-11-09 22:47:56)",
    "GET https://api.kiwoom.com/api/dostk/stkinfo 200",
    "550e8400-e29b-41d4-a716-446655440000",
    "",
]


@pytest.mark.parametrize("line", ORDINARY_LINES)
def test_an_ordinary_line_stays_as_it_is(line: str) -> None:
    assert redact(line) == line


@pytest.mark.parametrize("line", ORDINARY_LINES)
def test_an_ordinary_record_keeps_its_message_and_arguments(line: str) -> None:
    record = logging.LogRecord("kiwoom", logging.INFO, __file__, 1, "%s", (line,), None)

    assert RedactingFilter().filter(record)
    assert (record.msg, record.args) == ("%s", (line,))


def test_the_message_is_masked(log: Any) -> None:
    logger, text = log

    logger.info("answer: " + SECRET_LINES[3])

    assert "answer: " in text()
    assert HIDDEN not in text()


def test_arguments_are_masked(log: Any) -> None:
    logger, text = log

    logger.info("%s %d %s", f"Bearer {HIDDEN}", 5, LONG)

    assert "Bearer *** 5 ***" in text()


def test_a_secret_that_only_the_whole_message_shows_is_masked(log: Any) -> None:
    logger, text = log

    logger.info("token=%s", HIDDEN)

    assert "token=***" in text()


def test_the_text_of_an_exception_is_masked(log: Any) -> None:
    logger, text = log

    try:
        fail_with(ValueError(f"bad header: Bearer {HIDDEN}"))
    except ValueError:
        logger.exception("failed")

    assert "ValueError: bad header: Bearer ***" in text()
    assert HIDDEN not in text()


def test_the_cause_of_an_exception_is_masked(log: Any) -> None:
    logger, text = log

    try:
        try:
            fail_with(KeyError(LONG))
        except KeyError as error:
            raise ValueError("outer") from error
    except ValueError:
        logger.exception("failed")

    assert "outer" in text()
    assert LONG not in text()


def test_a_line_that_cannot_be_formatted_does_not_hurt_who_logs_it(log: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    logger, _ = log
    monkeypatch.setattr(logging, "raiseExceptions", False)

    logger.info("%d pieces", "no number")


def test_the_filter_is_put_on_the_logger_once() -> None:
    for _ in range(3):
        logger = logs.kiwoom_logger()

    assert [type(one) for one in logger.filters] == [RedactingFilter]


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error"])
def test_each_level_reaches_the_logger_under_its_name(level: str, log: Any) -> None:
    _, text = log

    getattr(logs, level)("%s of a test", "line")

    assert f" - kiwoom - {level.upper()} - line of a test\n" in text()


@pytest.mark.parametrize("text", ["token_" * 20_000, "://" + ":" * 100_000, '{"at":"https://a",' + '"b":1,' * 20_000])
def test_a_long_line_of_a_host_program_is_masked_in_no_time(text: str) -> None:
    began = time.process_time()

    assert redact(text) in {text, "***"}
    assert time.process_time() - began < 2


def test_a_password_with_colons_is_masked_whole() -> None:
    assert redact("redis://user:a:b@host/0") == "redis://user:***@host/0"
