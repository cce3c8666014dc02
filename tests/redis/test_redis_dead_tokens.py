"""What one machine learns about a token reaches programs on the other, which share nothing with it but Redis."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.redis.server import wait_for
from tests.redis.test_redis_machines import run
from tray_app.kiwoom.sandbox import SandboxKiwoom

NO_TOKEN = 3


@pytest.fixture
def machines(redis: Any, start_program: Any, machine_environment: Any, sandbox: SandboxKiwoom) -> Any:
    """A program on each of two machines that have the same token, and the environments for commands there."""
    sandbox.set_delay(0)
    left, right = start_program("left", redis.url), start_program("right", redis.url)
    token = left.ask("ensure")
    wait_for(lambda: right.ask("get") == token, "the right one has the token")
    return left, right, token, machine_environment("left", redis.url), machine_environment("right", redis.url)


def test_a_token_found_dead_on_one_is_given_to_nobody_on_the_other(machines: Any, sandbox: SandboxKiwoom) -> None:
    _, right, token, here, there = machines
    sandbox.end_tokens()
    assert run(here, "verify").returncode == NO_TOKEN
    assert right.ask("get") is None
    assert run(there, "get", "--no-issue").returncode == NO_TOKEN
    assert json.loads(run(there, "status", "--json").stdout)["state"] == "dead"
    assert right.ask("ensure") not in {None, token}


def test_a_doubt_on_one_makes_the_other_ask_first(machines: Any, sandbox: SandboxKiwoom) -> None:
    left, right, token, here, there = machines
    sandbox.end_tokens()
    sandbox.set_fault("http-500", on="rest", times=1)
    assert run(here, "get", "--refused", stdin=token).stdout.strip() == token, "Kiwoom does not say"
    assert json.loads(run(there, "status", "--json").stdout)["state"] == "unconfirmed"
    fresh = right.ask("ensure")
    assert fresh not in {None, token}
    wait_for(lambda: left.ask("get") == fresh, "the left one has the new token")


@pytest.mark.parametrize("words", [("clear", "--revoke"), ("refresh", "--rotate")])
def test_a_revoke_whose_answer_was_lost_leaves_the_token_to_nobody_there(
    machines: Any, sandbox: SandboxKiwoom, words: Any
) -> None:
    _, right, token, here, there = machines
    sandbox.set_fault("lost-answer", on="revoke", times=1)
    assert run(here, *words).returncode != 0
    assert right.ask("get") is None, "not from its memory either"
    assert run(there, "get", "--no-issue").returncode == NO_TOKEN
    assert right.ask("ensure") not in {None, token}


def test_a_machine_whose_clock_is_ahead_confirms_nothing_for_the_other(
    machines: Any, sandbox: SandboxKiwoom, redis: Any
) -> None:
    *_, there = machines
    note = json.loads(redis.order("GET", "kiwoom-token-tray:{default}:note"))
    note["note"]["evidence"]["confirmed_at"] += 3600
    redis.order("SET", "kiwoom-token-tray:{default}:note", json.dumps(note))
    asked = sandbox.counts()["rest"]
    assert run(there, "verify").returncode == 0
    assert sandbox.counts()["rest"] == asked + 1


def test_a_dead_token_that_redis_gets_back_is_given_to_nobody(
    machines: Any, sandbox: SandboxKiwoom, redis: Any
) -> None:
    """A restored backup, or a program that hands over what it had."""
    left, _, _, here, there = machines
    stored = redis.order("GET", "kiwoom-token-tray:{default}:token")
    sandbox.end_tokens()
    assert run(here, "verify").returncode == NO_TOKEN
    fresh = left.ask("ensure")
    redis.order("SET", "kiwoom-token-tray:{default}:token", stored)
    assert run(there, "get").stdout.strip() == fresh
