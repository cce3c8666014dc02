"""SIGTERM to `watch`, as `docker stop` and systemd send it: it ends at once with 0, and loses nothing.

A full disk under its output does not end it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import which
from typing import Any

import pytest

from tests.processes.conftest import PATIENCE_SECONDS, PYTHON_PATH
from tray_app.core.errors import DONE
from tray_app.core.token import token_for
from tray_app.kiwoom.sandbox import SandboxKiwoom
from tray_app.service.composition import open_service
from tray_app.settings.load import load_settings
from tray_app.settings.places import settings_file

pytestmark = [pytest.mark.posix, pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")]
COMMANDS = {
    "watch": ["-m", "tray_app.cli.main", "watch"],
    "the tray without a screen": ["-m", "tray_app", "--background"],
}
CAN_BE_PID_1 = (
    which("unshare") is not None
    and subprocess.run(["unshare", "--pid", "--fork", "true"], capture_output=True, check=False).returncode == 0
)


@pytest.fixture(params=COMMANDS)
def program(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")
    started = []

    def start(*before: str, outputs: Any = (subprocess.PIPE, subprocess.DEVNULL)) -> subprocess.Popen[str]:
        environ = {name: value for name, value in os.environ.items() if name not in {"DISPLAY", "WAYLAND_DISPLAY"}}
        environ.pop("QT_QPA_PLATFORM", None)
        started.append(
            subprocess.Popen(
                [*before, sys.executable, *COMMANDS[request.param]],
                env={**environ, "PYTHONPATH": PYTHON_PATH},
                stdout=outputs[0],
                stderr=outputs[1],
                text=True,
            )
        )
        return started[-1]

    yield start
    for one in started:
        one.kill()
        one.wait()
        if one.stdout is not None:
            one.stdout.close()


@pytest.mark.parametrize("number", ["SIGTERM", "SIGHUP", "SIGINT"])
def test_between_two_looks_it_ends(
    number: str, program: Callable[..., subprocess.Popen[str]], sandbox: SandboxKiwoom
) -> None:
    running = program()
    assert running.stdout.readline()

    running.send_signal(signal.Signals[number])

    assert running.wait(PATIENCE_SECONDS) == DONE


@pytest.mark.parametrize("word", ["watch", "swing"])
def test_a_command_that_only_contains_the_word_is_ended_as_any_other(
    word: str, monkeypatch: pytest.MonkeyPatch, sandbox: SandboxKiwoom
) -> None:
    """0 would say that it has done its work."""
    monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")
    sandbox.set_delay(30)
    running = subprocess.Popen(
        [sys.executable, "-m", "tray_app.cli.main", "exec", "--", "echo", word],
        env={**os.environ, "PYTHONPATH": PYTHON_PATH},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not sandbox.counts()["issue"] and time.monotonic() < deadline:
            time.sleep(0.05)

        running.terminate()

        assert running.wait(PATIENCE_SECONDS) == -signal.SIGTERM
    finally:
        running.kill()
        running.wait()


@pytest.mark.skipif(not CAN_BE_PID_1, reason="no namespace of processes can be made here")
def test_as_pid_1_of_a_container_it_ends(program: Callable[..., subprocess.Popen[str]], sandbox: SandboxKiwoom) -> None:
    """To pid 1 the kernel sends no signal that it has no handler for."""
    container = program("unshare", "--pid", "--fork", "--kill-child")
    assert container.stdout.readline()
    inside = Path(f"/proc/{container.pid}/task/{container.pid}/children").read_text()

    os.kill(int(inside), signal.SIGTERM)

    assert container.wait(PATIENCE_SECONDS) == DONE


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device is always full here")
def test_a_full_disk_under_its_output_does_not_end_it(
    program: Callable[..., subprocess.Popen[str]],
    sandbox: SandboxKiwoom,
    issues: Callable[[], int],
    until: Callable[[Callable[[], object]], None],
) -> None:
    settings = Path(settings_file(os.environ))
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text('theme = "blue"\n')  # which is told at the start
    with open("/dev/full", "w") as full:
        running = program(outputs=(full, full))
    until(lambda: issues() == 1)
    until(lambda: open_service(load_settings()).current() is not None)
    open_service(load_settings()).put(token_for("short-lived-token-of-a-test", 2, time.time()))
    until(lambda: issues() == 2)

    running.terminate()

    assert running.wait(PATIENCE_SECONDS) == DONE


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the limits of another process")
def test_a_crash_leaves_no_memory_on_the_disk(
    program: Callable[[], subprocess.Popen[str]], sandbox: SandboxKiwoom
) -> None:
    import resource

    before = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
    running = program()
    resource.setrlimit(resource.RLIMIT_CORE, before)
    assert running.stdout.readline()

    limits = Path(f"/proc/{running.pid}/limits").read_text().splitlines()

    assert [line.split()[4] for line in limits if line.startswith("Max core file size")] == ["0"]


def test_during_a_request_the_token_is_stored_first(
    program: Callable[..., subprocess.Popen[str]],
    sandbox: SandboxKiwoom,
    issues: Callable[[], int],
    until: Callable[[Callable[[], object]], None],
) -> None:
    sandbox.set_delay(1.5)
    running = program()
    until(lambda: issues() == 1)

    running.send_signal(signal.SIGTERM)

    assert running.wait(PATIENCE_SECONDS) == DONE
    assert open_service(load_settings()).current() is not None
    assert issues() == 1
