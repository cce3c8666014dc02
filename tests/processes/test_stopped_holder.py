"""A program that is stopped (Ctrl+Z) while it renews the token: others say who that is, then go on without it."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable

import pytest

from tests.processes.conftest import PATIENCE_SECONDS
from tray_app.core.errors import LockTimeout
from tray_app.kiwoom.sandbox import SandboxKiwoom
from tray_app.kiwoom.sandbox.rules import Reissue
from tray_app.service.composition import open_store
from tray_app.settings.load import load_settings

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who has a lock")

Run = Callable[..., "subprocess.Popen[str]"]
Until = Callable[[Callable[[], object]], None]


@pytest.fixture(autouse=True)
def in_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")


@pytest.fixture
def stop(gate: threading.Event, sandbox: SandboxKiwoom, run: Run, until: Until) -> Callable[..., subprocess.Popen[str]]:
    """Starts `kiwoom-token` with these words, and stops it once it has sent so many requests of that kind."""

    def stop_when(kind: str, count: int, *words: str) -> subprocess.Popen[str]:
        program = run(*words)
        until(lambda: sandbox.counts()[kind] == count)
        program.send_signal(signal.SIGSTOP)
        return program

    return stop_when


def ended(program: subprocess.Popen[str]) -> str:
    """Let the program go on; return what it prints."""
    program.send_signal(signal.SIGCONT)
    printed, told = program.communicate(timeout=PATIENCE_SECONDS)
    assert program.returncode == 0, told
    return printed


def test_is_named_and_the_others_share_its_answer_once_it_goes_on(
    stop: Callable[..., subprocess.Popen[str]], run: Run, gate: threading.Event, sandbox: SandboxKiwoom
) -> None:
    stopped = stop("issue", 1, "get")
    waiting = run("get")

    assert f"(process {stopped.pid})" in waiting.stderr.readline()
    gate.set()

    assert ended(stopped) == ended(waiting) != ""
    assert sandbox.counts()["issue"] == 1


@pytest.mark.parametrize("reissue", ["same", "new", "replace"])
def test_loses_the_lock_and_takes_what_the_others_have_got(
    reissue: Reissue,
    stop: Callable[..., subprocess.Popen[str]],
    run: Run,
    gate: threading.Event,
    sandbox: SandboxKiwoom,
) -> None:
    sandbox.behaviour.reissue = reissue
    stopped = stop("issue", 1, "get")
    gate.set()

    waiting = [run("get") for _ in range(3)]
    (token,) = {ended(one) for one in waiting}

    assert sandbox.counts()["issue"] == 2
    assert ended(stopped) == token == ended(run("get"))
    assert sandbox.counts()["issue"] == 2
    assert run("verify").wait(PATIENCE_SECONDS) == 0


def test_in_a_rotation_is_overtaken_and_does_not_rotate_again(
    stop: Callable[..., subprocess.Popen[str]], run: Run, gate: threading.Event, sandbox: SandboxKiwoom
) -> None:
    gate.set()
    before = ended(run("get"))
    gate.clear()
    stopped = stop("revoke", 1, "refresh", "--rotate")
    gate.set()

    token = ended(run("get"))
    ended(stopped)

    assert token not in {"", before}
    assert ended(run("get")) == token
    assert sandbox.counts()["revoke"] == 1


def test_stores_its_token_when_the_others_got_none(
    stop: Callable[..., subprocess.Popen[str]], run: Run, gate: threading.Event, sandbox: SandboxKiwoom
) -> None:
    stopped = stop("issue", 1, "get")
    sandbox.set_fault("http-500", on="issue", times=1)
    gate.set()
    failed = run("get")
    assert failed.wait(PATIENCE_SECONDS) != 0

    token = ended(stopped)

    assert token == ended(run("get")) != ""


def test_is_named_when_nobody_can_wait_any_longer(stop: Callable[..., subprocess.Popen[str]]) -> None:
    stopped = stop("issue", 1, "get")
    lock = open_store(load_settings()).lock

    with pytest.raises(LockTimeout, match=rf"\(process {stopped.pid}\)"):
        lock.acquire(0.1)
