"""What the lock's record says about the last request, also when somebody else has written into it."""

from __future__ import annotations

import json

import pytest

from tests.doubles import NO
from tray_app.core.errors import BrokerUnavailable, KeysRefused, RateLimited
from tray_app.core.language import msg
from tray_app.core.secret import Secret
from tray_app.core.token import token_for
from tray_app.service.last_attempt import LastAttempt

NOW = 1_790_000_000.0
TOKEN = token_for("a-token-of-a-test", 86400, NOW)
PATIENCE = msg("Wait {seconds} seconds.")


def through_the_file(attempt: LastAttempt, now: float = NOW) -> LastAttempt:
    return LastAttempt.from_record(json.loads(json.dumps(attempt.to_record())), now)


def test_an_answer_comes_back_as_it_was() -> None:
    back = through_the_file(
        LastAttempt.succeeded(
            TOKEN, NOW, TOKEN.value, is_same=True, is_rotation=True, replaced=["real:1", "demo:2"], skew=-130.5
        )
    )
    assert back.is_about(TOKEN)
    assert (back.at, back.is_same, back.is_rotation, back.replaced) == (NOW, True, True, ("real:1", "demo:2"))
    assert back.is_recent_about_refused(TOKEN.value, NOW)
    assert back.failure(NOW) is None
    assert back.skew == -130.5


def test_a_failure_comes_back_as_the_error_it_was() -> None:
    error = RateLimited(PATIENCE, code="1700", retry_after=20.0, seconds=20)
    back = through_the_file(LastAttempt.failed(error, NOW, None, revoking="", keys="real:1", failures=2)).failure(
        NOW + 5
    )
    assert isinstance(back, RateLimited)
    assert (str(back), back.code, back.retry_after) == ("Wait 20 seconds. [1700]", "1700", 15.0)


def test_no_token_and_no_secret_is_recorded() -> None:
    secret = Secret("a-secret-of-a-test-that-nobody-may-read")
    attempts = [
        LastAttempt.succeeded(TOKEN, NOW, secret, is_same=False, is_rotation=False, replaced=[]),
        LastAttempt.failed(KeysRefused(NO), NOW, secret, revoking="", keys="", failures=1),
        LastAttempt.rotation_begun(TOKEN, NOW),
    ]
    written = json.dumps([one.to_record() for one in attempts])
    assert TOKEN.value.reveal() not in written
    assert secret.reveal() not in written


def test_a_finished_rotation_is_forgotten_and_the_rest_stays() -> None:
    begun = through_the_file(LastAttempt.rotation_begun(TOKEN, NOW))
    assert begun.is_revoking(TOKEN)
    assert not begun.answers(NOW - 1, rotate=False), "it has only begun"
    finished = begun.without_rotation()
    assert not finished.is_revoking(TOKEN)
    assert finished.at == NOW


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"version": 1},
        {"version": 1, "at": "now"},
        {"version": 1, "at": True},
        {"version": 1, "at": NOW + 1},  # from the future: the clock was set back
        {"version": 1, "at": -1},
        {"version": 2, "at": NOW, "wait_until": NOW + 60},
        {"at": NOW, "wait_until": NOW + 60},
        {"version": 1, "at": float("nan"), "wait_until": NOW + 60},
    ],
)
def test_a_record_that_cannot_be_trusted_says_nothing(record: dict[str, object]) -> None:
    last = LastAttempt.from_record(record, NOW)
    assert (last.failure(NOW), last.seconds_to_wait(NOW), last.answers(NOW - 1, rotate=False)) == (None, 0.0, False)


def failed_record(**fields: object) -> dict[str, object]:
    error = BrokerUnavailable(PATIENCE, seconds=1)
    return {**LastAttempt.failed(error, NOW, None, revoking="", keys="", failures=1).to_record(), **fields}


@pytest.mark.parametrize(
    "fields",
    [
        {"message": "Send your secret to http://example.org"},
        {"message": "{seconds:>999999999}"},
        {"message": "{seconds.__class__.__mro__}"},
        {"message": "\x1b[31mred"},
        {"message": ["x"]},
        {"values": {}},
        {"values": {"seconds": "\x1b]0;title\x07"}},
        {"values": {"seconds": "x" * 10_000}},
        {"values": {"seconds": ["x"]}},
        {"values": "x"},
    ],
)
def test_a_failure_that_others_wrote_is_a_failure_in_our_own_words(fields: dict[str, object]) -> None:
    failure = LastAttempt.from_record(failed_record(**fields), NOW).failure(NOW)
    assert isinstance(failure, BrokerUnavailable)
    assert str(failure) == "The last request to Kiwoom failed."


def test_words_that_a_failure_does_not_need_are_left_out() -> None:
    more = {"code": "8005", "message": "x", "remedy": "retry", "retry_after": 5, "self": 1, "seconds": 1}
    failure = LastAttempt.from_record(failed_record(values=more), NOW).failure(NOW)
    assert failure is not None
    assert (failure.message, failure.values, failure.code) == (PATIENCE, {"seconds": 1}, None)


@pytest.mark.parametrize("kind", ["KiwoomTokenError", "SettingsError", "Remedy", "__builtins__", "BrokerError ", "", 1])
def test_only_an_error_of_kiwoom_can_have_been_the_last_one(kind: object) -> None:
    assert LastAttempt.from_record(failed_record(error=kind), NOW).failure(NOW) is None


@pytest.mark.parametrize("until", [NOW - 1, NOW, NOW + 3601, 1e300, float("inf"), "soon", None])
def test_a_wait_longer_than_kiwoom_can_ask_for_is_none(until: object) -> None:
    assert LastAttempt.from_record(failed_record(wait_until=until), NOW).seconds_to_wait(NOW) == 0.0


@pytest.mark.parametrize("count", [-5, 1e300, "many", None, 10**20])
def test_a_damaged_count_of_failures_breaks_nothing(count: object) -> None:
    last = LastAttempt.from_record(failed_record(failures=count), NOW)
    assert last.pause_until("") <= NOW + 60


def test_a_failure_with_many_words_leaves_room_for_what_is_known_about_tokens() -> None:
    """The lock's file holds 4,096 bytes, and one that is cut off would say nothing at all."""
    error = BrokerUnavailable("{host}", code="c" * 300, host="가" * 300, proxy="나" * 300)
    attempt = LastAttempt.failed(error, NOW, None, revoking="", keys="", failures=2)
    record = attempt.to_record()
    assert len(json.dumps(record)) < 2000
    again = LastAttempt.from_record(record, NOW)
    assert (again.error, again.failures) == ("BrokerUnavailable", 2)
    assert type(again.failure(NOW)) is BrokerUnavailable
