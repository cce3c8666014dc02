"""What one machine learns about a token reaches programs on the other, which share nothing with it but Redis."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
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


@pytest.fixture
def watching() -> Iterator[Callable[[dict[str, str]], None]]:
    """Starts `watch` on a machine, and returns once it has read what is stored; it ends with the test."""
    started: list[subprocess.Popen[bytes]] = []

    def start(environment: dict[str, str]) -> None:
        words = [sys.executable, "-m", "tray_app.cli.main", "watch"]
        program = subprocess.Popen(words, env=environment, stdout=subprocess.PIPE)
        started.append(program)
        assert program.stdout is not None
        assert program.stdout.readline()

    yield start
    for program in started:
        program.terminate()
        program.communicate(timeout=30)


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


@pytest.fixture
def tools(machines: Any, tmp_path: Path) -> Any:
    """The files on the right machine from which other tools read the token: the copy, kiwoomcli's cache, a bot's."""
    there = machines[-1]
    there["XDG_CACHE_HOME"] = str(tmp_path / "right" / "cache")
    bot = tmp_path / "right" / "bot.json"
    for name, value in (("share_token_file", "true"), ("share_kwcli", "true"), ("share_bot_file", str(bot))):
        assert run(there, "config", "set", name, value).returncode == 0
    cache = tmp_path / "right" / "cache" / "kiwoom" / "real-token.json"
    return [Path(there["KIWOOM_TRAY_DATA_DIR"]) / ".token", cache, bot]


def have(tools: list[Path], token: str) -> bool:
    return all(path.exists() and token in path.read_text() for path in tools)


@pytest.mark.parametrize("words", [("clear",), ("clear", "--revoke")])
def test_what_one_machine_clears_the_supervisor_of_the_other_takes_from_the_tools_there(
    machines: Any, tools: list[Path], words: tuple[str, ...], watching: Callable[..., None]
) -> None:
    _, _, token, here, there = machines
    watching(there)
    assert have(tools, token)

    assert run(here, *words).returncode == 0

    wait_for(lambda: not any(path.exists() for path in tools), "the tools have no token any more")


def test_a_token_that_was_revoked_while_nobody_ran_there_goes_when_somebody_does(
    machines: Any, tools: list[Path], watching: Callable[..., None]
) -> None:
    _, _, token, here, there = machines
    assert have(tools, token), "from switching it on"
    assert run(here, "clear", "--revoke").returncode == 0
    watching(there)
    wait_for(lambda: not any(path.exists() for path in tools), "the tools have no token any more")


def test_a_token_of_the_other_machine_reaches_the_tools_here_when_a_program_uses_it(
    machines: Any, tools: list[Path]
) -> None:
    _, _, token, here, there = machines
    assert have(tools, token)
    assert run(here, "refresh", "--rotate").returncode == 0
    fresh = run(there, "get").stdout.strip()
    assert fresh not in {"", token}
    assert have(tools, fresh)


def test_a_copy_of_a_token_that_is_known_to_be_revoked_is_not_given_while_redis_is_gone(
    machines: Any, tools: list[Path], redis: Any
) -> None:
    _, _, token, here, there = machines
    assert run(here, "clear", "--revoke").returncode == 0
    assert run(there, "get", "--no-issue").returncode == NO_TOKEN
    assert have(tools[:1], token)

    redis.stop()

    assert token not in run(there, "get", "--no-issue").stdout
    assert run(there, "get").stdout.strip() not in {"", token}
