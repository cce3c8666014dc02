"""Programs on two machines: folders of their own, one Redis, one practice Kiwoom."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.redis.conftest import Program
from tests.redis.server import RealRedis, wait_for
from tray_app.kiwoom.sandbox import SandboxKiwoom

TOGETHER = 4
KEY = "kiwoom-token-tray:{default}:token"


def test_many_programs_on_two_machines_ask_kiwoom_once(
    redis: RealRedis, start_program: Callable[..., Program], sandbox: SandboxKiwoom
) -> None:
    programs = [start_program(name, redis.url) for name in ("left", "right") for _ in range(TOGETHER)]
    for program in programs:
        assert program.ask("get") is None
    for program in programs:
        program.begin("ensure")
    tokens = [program.answer() for program in programs]
    assert len(set(tokens)) == 1
    assert isinstance(tokens[0], str)
    assert sandbox.counts()["issue"] == 1


def test_a_refresh_by_many_at_once_is_one_request(
    redis: RealRedis, start_program: Callable[..., Program], sandbox: SandboxKiwoom
) -> None:
    programs = [start_program(name, redis.url) for name in ("left", "right") for _ in range(TOGETHER)]
    first = programs[0].ask("ensure")
    for program in programs:
        assert program.ask("ensure") == first
    before = sandbox.counts()["issue"]
    results: list[object] = []
    gate = threading.Barrier(len(programs))

    def refresh(program: Any) -> None:
        gate.wait()
        results.append(program.ask("refresh"))

    threads = [threading.Thread(target=refresh, args=(program,)) for program in programs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(results) == {first}
    assert sandbox.counts()["issue"] == before + 1


def test_a_refusal_is_asked_for_once_for_all(
    redis: RealRedis, start_program: Callable[..., Program], sandbox: SandboxKiwoom
) -> None:
    sandbox.set_fault("8030")
    programs = [start_program(name, redis.url) for name in ("left", "right") for _ in range(TOGETHER)]
    for program in programs:
        assert program.ask("get") is None
    for program in programs:
        program.begin("ensure")
    answers = [program.answer() for program in programs]
    assert {answer["status"] for answer in answers} == {4}
    assert sandbox.counts()["issue"] < TOGETHER


def test_what_one_machine_sets_and_clears_the_other_sees(
    redis: RealRedis, start_program: Callable[..., Program]
) -> None:
    left, right = start_program("left", redis.url), start_program("right", redis.url)
    assert left.ask("get") is None
    assert right.ask("get") is None
    left.ask("set first-token-of-a-test")
    wait_for(lambda: right.ask("get") == "first-token-of-a-test", "the right one sees the token")
    right.ask("set second-token-of-a-test")
    wait_for(lambda: left.ask("get") == "second-token-of-a-test", "the left one sees the new token")
    right.ask("clear")
    wait_for(lambda: left.ask("get") is None, "the left one sees the clear")


def test_a_renewal_on_one_machine_reaches_the_other(
    redis: RealRedis, start_program: Callable[..., Program], sandbox: SandboxKiwoom
) -> None:
    left, right = start_program("left", redis.url), start_program("right", redis.url)
    first = left.ask("ensure")
    wait_for(lambda: right.ask("get") == first, "the right one has the token")
    sandbox.end_tokens()
    second = left.ask("refresh")
    assert second != first
    wait_for(lambda: right.ask("get") == second, "the right one has the renewed token")


def test_a_killed_holder_holds_nobody_up_for_long(
    redis: RealRedis, start_program: Callable[..., Program], sandbox: SandboxKiwoom
) -> None:
    left, right = start_program("left", redis.url), start_program("right", redis.url)
    assert left.ask(f"hold {redis.url} 1.0") == "held"
    right.begin("ensure")
    left.process.send_signal(signal.SIGKILL)
    assert isinstance(right.answer(), str)
    assert sandbox.counts()["issue"] == 1


def test_a_redis_that_stops_and_starts_in_the_middle_costs_no_token(
    redis: RealRedis, start_program: Callable[..., Program], sandbox: SandboxKiwoom
) -> None:
    left, right = start_program("left", redis.url), start_program("right", redis.url)
    token = left.ask("ensure")
    for program in (left, right):
        wait_for(lambda one=program: one.ask("get") == token, "both have the token")
    redis.stop()
    assert left.ask("get") == token
    assert left.ask("ensure") == token
    assert right.ask("ensure") == token
    redis.start()
    wait_for(lambda: redis.order("EXISTS", KEY) or not left.ask("get"), "a program gives the token back")
    assert left.ask("get") == token
    right.ask("set new-token-of-a-test")
    wait_for(lambda: left.ask("get") == "new-token-of-a-test", "the left one sees what came after")
    assert sandbox.counts()["issue"] == 1


def run(environment: Any, *words: Any, stdin: str = "") -> Any:
    return subprocess.run(
        [sys.executable, "-c", "from tray_app.cli.main import run; run()", *words],
        env=environment,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_command_line_shares_the_token_and_names_its_place(
    redis: RealRedis, machine_environment: Callable[..., dict[str, str]], sandbox: SandboxKiwoom
) -> None:
    left, right = machine_environment("left", redis.url), machine_environment("right", redis.url)
    got = run(left, "get")
    assert got.returncode == 0, got.stderr
    assert run(right, "get", "--no-issue").stdout == got.stdout
    assert json.loads(run(right, "status", "--json").stdout)["store"] == "redis"
    assert f"Redis 127.0.0.1:{redis.port}/0" in run(right, "status").stdout
    assert run(left, "clear").returncode == 0
    assert run(right, "get", "--no-issue").returncode == 3
    assert sandbox.counts()["issue"] == 1


def test_while_redis_is_gone_the_copy_is_given_and_kiwoom_is_not_asked(
    redis: RealRedis, machine_environment: Callable[..., dict[str, str]], sandbox: SandboxKiwoom
) -> None:
    machine = machine_environment("left", redis.url)
    assert run(machine, "config", "set", "share_token_file", "true").returncode == 0
    before = run(machine, "get")
    redis.stop()

    after = [run(machine, "get"), run(machine, "get", "--no-issue")]

    assert [(one.returncode, one.stdout) for one in after] == [(0, before.stdout)] * 2
    assert sandbox.counts()["issue"] == 1
    run(machine, "clear")
    assert run(machine, "get", "--no-issue").stdout == ""


@pytest.mark.parametrize(
    ("url", "status", "words"),
    [
        ("", 2, "KIWOOM_TRAY_REDIS_URL"),
        ("http://user:pass-of-a-test@127.0.0.1/0", 2, "KIWOOM_TRAY_REDIS_URL"),
        ("redis://user:pass-of-a-test@127.0.0.1:99999/0", 2, "KIWOOM_TRAY_REDIS_URL"),
        ("redis://user:pass-of-a-test@127.0.0.1:1/0", 6, "127.0.0.1:1/0 does not answer"),
        ("redis://user:pass-of-a-test@127.0.0.1:1/0?socket_magic=1", 6, "cannot be used as Redis"),
    ],
)
def test_an_address_that_does_not_work_is_one_clear_line(
    machine_environment: Callable[..., dict[str, str]], sandbox: SandboxKiwoom, url: str, status: int, words: str
) -> None:
    environment = machine_environment("left", url)
    for order in (("get", "--no-issue"), ("status",), ("clear",), ("refresh", "--rotate")):
        got = run(environment, *order)
        assert (got.returncode, got.stdout) == (status, "")
        assert words in got.stderr
        assert got.stderr.count("\n") == 1
        assert "pass-of-a-test" not in got.stderr
    assert sandbox.counts()["issue"] == 0
    got = run(environment, "get")
    assert words in got.stderr
    assert got.stderr.count("\n") == 1
    assert "pass-of-a-test" not in got.stderr
    is_out_of_reach = "does not answer" in words  # Kiwoom may be in reach all the same
    assert (got.returncode, bool(got.stdout)) == (0 if is_out_of_reach else status, is_out_of_reach)
    assert sandbox.counts()["issue"] == int(is_out_of_reach)


def test_a_missing_package_is_one_clear_line(
    machine_environment: Callable[..., dict[str, str]], tmp_path: Path
) -> None:
    environment = machine_environment("left", "redis://127.0.0.1:1/0")
    (tmp_path / "blocked" / "redis").mkdir(parents=True)
    (tmp_path / "blocked" / "redis" / "__init__.py").write_text("raise ImportError('not here')")
    environment["PYTHONPATH"] = f"{tmp_path / 'blocked'}:{environment['PYTHONPATH']}"
    got = run(environment, "get")
    assert got.returncode == 6
    assert got.stderr == f'Redis needs the package redis. Install it: {sys.executable} -m pip install "redis>=5.2"\n'


def test_programs_on_one_machine_know_of_a_change_at_the_very_next_question(
    redis: RealRedis, start_program: Callable[..., Program]
) -> None:
    """No message of Redis has to arrive first."""
    pair = [start_program("left", redis.url) for _ in range(2)]
    for program in pair:
        assert program.ask("get") is None
    missed = []
    for n in range(150):
        one, other = pair[n % 2], pair[1 - n % 2]
        one.ask(f"set token-{n}-of-a-test")
        missed += [n] * (other.ask("get") != f"token-{n}-of-a-test")
        if n % 10 == 0:
            one.ask("clear")
            missed += [n] * (other.ask("get") is not None)
    assert missed == []
