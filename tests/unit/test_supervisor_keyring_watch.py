"""A locked keyring is checked every few seconds, only while something waits for it, and asks its user nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.doubles import START, Clock
from tray_app.core.errors import KeyringUnavailable, KiwoomTokenError, NoToken
from tray_app.core.state import LastResult, Result, TokenState
from tray_app.supervisor.jobs import Job, run_now
from tray_app.supervisor.keyring_watch import Answers, KeyringWatch

LOCKED = KeyringUnavailable("The keyring is locked.", problem=KeyringUnavailable.LOCKED)
SILENT = KeyringUnavailable("The keyring does not answer.", problem=KeyringUnavailable.SILENT)

IDLE = TokenState("default", "real", place="keyring")
IN_FILE = TokenState("default", "real", place="file", place_problem=KeyringUnavailable.LOCKED)


class Keyring:
    """What a watch checks; its `answers` are what the supervisor would learn."""

    def __init__(self) -> None:
        self.problem: Exception | None = LOCKED
        self.checks = 0
        self.answers: list[str] = []

    def check(self) -> None:
        self.checks += 1
        if self.problem is not None:
            raise self.problem


@pytest.fixture
def keyring() -> Keyring:
    return Keyring()


@pytest.fixture
def watch(keyring: Keyring, clock: Clock) -> KeyringWatch:
    said = keyring.answers
    answers = Answers(
        unlocked=lambda: said.append("unlocked"),
        still_locked=lambda: said.append("still locked"),
        failed=lambda: said.append("failed"),
    )
    return KeyringWatch(keyring.check, answers, clock, run_now)


def never() -> None:
    pytest.fail("no check was started, so there is no answer")


def failed_with(error: KiwoomTokenError) -> TokenState:
    return TokenState("default", "real", last=LastResult(Result.FAILED, START, error))


def checked_since(stop: KiwoomTokenError) -> TokenState:
    """The user has asked, since renewing stopped, whether the token works: it does."""
    return TokenState("default", "real", last=LastResult(Result.CONFIRMED, START), stopped_by=stop)


@pytest.mark.parametrize("state", [IN_FILE, failed_with(LOCKED), checked_since(LOCKED)])
def test_a_keyring_that_is_awaited_is_checked_every_three_seconds(
    state: TokenState, watch: KeyringWatch, keyring: Keyring, clock: Clock
) -> None:
    started = []
    for _ in range(7):
        started.append(watch.poll(state))
        clock.advance(1)

    assert started == [True, False, False, True, False, False, True]
    assert keyring.checks == 3
    assert watch.next_moment(state) == clock() + 3


@pytest.mark.parametrize("state", [IDLE, failed_with(NoToken("There is no token.")), failed_with(SILENT)])
def test_nothing_is_checked_while_nothing_waits_for_the_user(
    state: TokenState, watch: KeyringWatch, keyring: Keyring
) -> None:
    assert not watch.poll(state)
    assert watch.next_moment(state) is None
    assert keyring.checks == 0


@pytest.mark.parametrize(
    ("problem", "answer"),
    [
        (None, "unlocked"),
        (LOCKED, "still locked"),
        (KeyringUnavailable("It asks.", problem=KeyringUnavailable.ASKING), "still locked"),
        (SILENT, "failed"),
        (OSError("the bus is gone"), "failed"),
    ],
)
def test_the_answer_tells_a_locked_keyring_from_a_broken_one(
    problem: Exception | None, answer: str, watch: KeyringWatch, keyring: Keyring
) -> None:
    keyring.problem = problem
    watch.poll(IN_FILE)

    assert keyring.answers == [answer]


def test_a_clock_that_was_set_back_does_not_stop_the_checks(
    watch: KeyringWatch, keyring: Keyring, clock: Clock
) -> None:
    watch.poll(IN_FILE)
    clock.advance(-3600)

    assert watch.poll(IN_FILE)
    assert keyring.checks == 2


def test_a_read_may_be_first_to_find_the_keyring_unlocked(watch: KeyringWatch) -> None:
    readable = TokenState("default", "real", place="file")

    assert watch.is_token_left_in_file(IN_FILE, readable)
    assert not watch.is_token_left_in_file(IN_FILE, IN_FILE)
    assert not watch.is_token_left_in_file(IDLE, readable), "it was not locked before"
    assert not watch.is_token_left_in_file(IN_FILE, IDLE), "the token is in the keyring already"


def test_without_a_check_nothing_is_ever_done(clock: Clock) -> None:
    jobs: list[Job[Any]] = []
    watch = KeyringWatch(None, Answers(unlocked=never, still_locked=never, failed=never), clock, jobs.append)

    assert not watch.poll(IN_FILE)
    assert watch.next_moment(IN_FILE) is None
    assert not watch.is_token_left_in_file(IN_FILE, TokenState("default", "real", place="file"))
    assert jobs == []
