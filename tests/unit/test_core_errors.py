"""The errors that callers tell apart: exit status, remedy, and no secret in what they say."""

from __future__ import annotations

import pickle
from collections.abc import Iterator

import pytest

from tray_app.core.errors import (
    AutostartFailed,
    BrokerUnavailable,
    EncryptionKeyUnusable,
    InvalidInput,
    KeyringUnavailable,
    KeysMissing,
    KeysRefused,
    KiwoomTokenError,
    LockTimeout,
    NoToken,
    RateLimited,
    RedisUnavailable,
    Remedy,
    RequestRefused,
    RevokeFailed,
    SettingsError,
    StoreError,
    TokenRefused,
    known_error,
    say,
)


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (InvalidInput, 2),
        (SettingsError, 2),
        (NoToken, 3),
        (RequestRefused, 3),
        (TokenRefused, 3),
        (KeysMissing, 4),
        (KeysRefused, 4),
        (RateLimited, 5),
        (BrokerUnavailable, 5),
        (LockTimeout, 5),
        (KeyringUnavailable, 6),
        (RedisUnavailable, 6),
        (EncryptionKeyUnusable, 6),
        (StoreError, 1),
        (RevokeFailed, 1),
        (AutostartFailed, 1),
    ],
)
def test_each_kind_has_its_exit_status(kind: type[KiwoomTokenError], status: int) -> None:
    assert kind.exit_status == status


def every_kind(kind: type[KiwoomTokenError] = KiwoomTokenError) -> Iterator[type[KiwoomTokenError]]:
    yield kind
    for one in kind.__subclasses__():
        yield from every_kind(one)


@pytest.mark.parametrize("kind", [*every_kind()])
def test_each_kind_reaches_the_caller_of_another_process(kind: type[KiwoomTokenError]) -> None:
    """As from a worker of multiprocessing, which would end with an error that cannot be read there."""
    names_problem = issubclass(kind, (KeyringUnavailable, RedisUnavailable))
    values = {"problem": "locked"} if names_problem else {"code": "8050", "retry_after": 60.0}
    error = kind("{keyring} is locked.", keyring="The keyring", **values)

    received = pickle.loads(pickle.dumps(error))  # noqa: S301 - its own

    assert type(received) is kind
    assert (repr(received), str(received), vars(received)) == (repr(error), str(error), vars(error))


def test_an_error_that_is_told_again_keeps_no_frames() -> None:
    error = KeyringUnavailable("{keyring} is locked.", problem=KeyringUnavailable.LOCKED, keyring="The keyring")
    with pytest.raises(KeyringUnavailable) as raised:
        raise error

    again = raised.value.again()

    assert again.__traceback__ is None
    assert (str(again), again.problem, again.remedy) == (
        "The keyring is locked.",
        KeyringUnavailable.LOCKED,
        Remedy.UNLOCK_KEYRING,
    )


def test_an_error_says_its_sentence_with_its_values_and_the_code() -> None:
    error = BrokerUnavailable("Kiwoom does not answer within {seconds} seconds.", seconds=10, code="HTTP 503")

    assert str(error) == "Kiwoom does not answer within 10 seconds. [HTTP 503]"


def test_a_log_that_shows_the_repr_and_a_program_that_passes_on_the_arguments_say_the_same() -> None:
    """As `asyncio.gather` and Celery do, which make the error anew from its arguments."""
    error = BrokerUnavailable("Kiwoom does not answer within {seconds} seconds.", seconds=10, code="HTTP 503")

    assert repr(error) == "BrokerUnavailable('Kiwoom does not answer within 10 seconds. [HTTP 503]')"
    assert str(BrokerUnavailable(*error.args)) == str(error)


def test_a_sentence_without_values_may_contain_braces() -> None:
    assert str(InvalidInput("not {a place}")) == "not {a place}"


def test_wrong_input_is_a_value_error_for_callers_that_know_no_other() -> None:
    with pytest.raises(ValueError, match="too long"):
        raise InvalidInput("too long")


def test_of_an_error_of_another_library_only_its_kind_is_told() -> None:
    told = known_error(ConnectionError("https://user:a-password@host"))

    assert "ConnectionError" in str(told)
    assert "a-password" not in str(told)


def test_an_error_of_this_program_is_told_as_it_is() -> None:
    error = NoToken("There is no token.")

    assert known_error(error) is error


@pytest.mark.parametrize(
    ("problem", "remedy"),
    [
        (KeyringUnavailable.LOCKED, Remedy.UNLOCK_KEYRING),
        (KeyringUnavailable.ASKING, Remedy.UNLOCK_KEYRING),
        (KeyringUnavailable.MISSING, Remedy.CHOOSE_STORE),
        (KeyringUnavailable.UNREACHABLE, Remedy.CHOOSE_STORE),
        (KeyringUnavailable.TOO_SMALL, Remedy.CHOOSE_STORE),
        (KeyringUnavailable.SILENT, Remedy.RETRY),
        (KeyringUnavailable.FAILED, Remedy.RETRY),
    ],
)
def test_keyring_that_waits_for_its_user_is_unlocked_and_an_unfit_one_is_replaced(problem: str, remedy: str) -> None:
    assert KeyringUnavailable("It cannot be used.", problem=problem).remedy == remedy


@pytest.mark.parametrize(
    ("problem", "remedy"),
    [
        (RedisUnavailable.SILENT, Remedy.RETRY),
        (RedisUnavailable.FULL, Remedy.RETRY),
        (RedisUnavailable.READ_ONLY, Remedy.RETRY),
        (RedisUnavailable.NO_PACKAGE, Remedy.CHOOSE_STORE),
        (RedisUnavailable.REFUSED, Remedy.CHOOSE_STORE),
        (RedisUnavailable.FOREIGN, Remedy.CHOOSE_STORE),
    ],
)
def test_redis_that_may_come_back_is_tried_again_and_another_is_replaced(problem: str, remedy: str) -> None:
    assert RedisUnavailable("It cannot be used.", problem=problem).remedy == remedy


def test_a_missing_package_does_not_come_back_by_itself_and_a_silent_server_does() -> None:
    assert not RedisUnavailable("It is missing.", problem=RedisUnavailable.NO_PACKAGE).retry
    assert RedisUnavailable("It is silent.", problem=RedisUnavailable.SILENT).retry


@pytest.mark.parametrize(
    "error",
    [
        KeyringUnavailable("The keyring failed ({reason}).", problem=KeyringUnavailable.FAILED, reason="OSError"),
        RedisUnavailable("Redis at {address} does not answer.", problem=RedisUnavailable.SILENT, address="host:6379/0"),
    ],
)
def test_an_error_is_raised_again_without_the_frames_of_the_first_time(
    error: KeyringUnavailable | RedisUnavailable,
) -> None:
    with pytest.raises(StoreError) as first:
        raise error

    again = error.again()

    assert first.value.__traceback__ is not None
    assert again.__traceback__ is None
    assert (str(again), again.problem) == (str(error), error.problem)


def test_a_command_stays_last_when_kiwoom_is_left_alone_for_a_moment() -> None:
    failure = BrokerUnavailable("The proxy asks for a password. Add it: http://user:password@host:port")
    failure.pause_seconds = 20

    for told in (say(failure), str(failure)):
        assert "another 20 s." in told
        assert told.endswith("@host:port")


def test_a_package_that_is_missing_is_named_with_what_helps() -> None:
    missing = ModuleNotFoundError("No module named 'httpx._client'", name="httpx._client")

    assert say(known_error(missing)).startswith("The Python package httpx is missing. Install this program again")
