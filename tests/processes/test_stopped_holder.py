"""A program that is stopped (Ctrl+Z) while it renews the token keeps the lock: whoever waits is told who that is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from tests.processes.conftest import PATIENCE_SECONDS, PYTHON_PATH
from tray_app.core.errors import LockTimeout
from tray_app.kiwoom.sandbox import SandboxKiwoom
from tray_app.service.composition import open_store
from tray_app.settings.load import load_settings

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who has a lock")


@pytest.fixture
def get(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")
    started = []

    def start() -> subprocess.Popen[str]:
        started.append(
            subprocess.Popen(
                [sys.executable, "-m", "tray_app.cli.main", "get"],
                env={**os.environ, "PYTHONPATH": PYTHON_PATH},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        return started[-1]

    yield start
    for one in started:
        one.kill()
        one.communicate()


@pytest.fixture
def stopped(
    get: Callable[[], subprocess.Popen[str]],
    gate: threading.Event,
    issues: Callable[[], int],
    until: Callable[[Callable[[], object]], None],
) -> subprocess.Popen[str]:
    holder = get()
    until(lambda: issues() == 1)
    holder.send_signal(signal.SIGSTOP)
    return holder


def test_is_named_while_others_wait_and_they_go_on_with_it(
    stopped: subprocess.Popen[str],
    get: Callable[[], subprocess.Popen[str]],
    gate: threading.Event,
    sandbox: SandboxKiwoom,
) -> None:
    waiting = get()

    assert f"(process {stopped.pid})" in waiting.stderr.readline()
    gate.set()
    stopped.send_signal(signal.SIGCONT)

    tokens = [one.communicate(timeout=PATIENCE_SECONDS)[0] for one in (stopped, waiting)]
    assert tokens[0] == tokens[1] != ""
    assert sandbox.counts()["issue"] == 1


def test_is_named_when_nobody_can_wait_any_longer(stopped: subprocess.Popen[str]) -> None:
    lock = open_store(load_settings()).lock

    with pytest.raises(LockTimeout, match=rf"\(process {stopped.pid}\)"):
        lock.acquire(0.1)
