"""A program that is killed, or given no token, after it has revoked one: the others do not take that for a clear."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from tray_app import TokenManager
from tray_app.cli.watch import Terminal
from tray_app.desktop.monitor import Monitor
from tray_app.kiwoom.sandbox import SandboxKiwoom
from tray_app.service.composition import open_service
from tray_app.settings.load import load_settings


@pytest.fixture(autouse=True)
def in_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")


class Ahead:
    """The real clock, which the programs that are killed go by, and what it was put ahead."""

    seconds = 0.0

    def __call__(self) -> float:
        return time.time() + self.seconds

    def advance(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.fixture
def clock() -> Ahead:
    return Ahead()


@pytest.fixture
def manager(sandbox: SandboxKiwoom) -> TokenManager:
    manager = TokenManager()
    manager.ensure_token()
    return manager


@pytest.fixture
def terminal(manager: TokenManager, clock: Ahead) -> Terminal:
    terminal = Terminal(load_settings(), lambda settings: open_service(settings, clock=clock), clock)
    terminal.poll()
    return terminal


@pytest.fixture
def killed(
    manager: TokenManager,
    gate: threading.Event,
    issues: Callable[[], int],
    run: Callable[..., subprocess.Popen[str]],
    until: Callable[[Callable[[], object]], None],
) -> Callable[..., None]:
    """A rotation that is killed between its revoke and Kiwoom's answer to its issue."""

    def kill() -> None:
        rotating = run("refresh", "--rotate")
        until(lambda: issues() == 2)
        rotating.kill()
        rotating.wait()
        gate.set()

    return kill


def test_of_a_killed_program_is_finished_by_the_terminal(
    sandbox: SandboxKiwoom, manager: TokenManager, terminal: Terminal, killed: Callable[..., None], clock: Ahead
) -> None:
    before = manager.get_token()
    killed()
    terminal.poll()
    lost = manager.get_token()
    clock.advance(30)

    terminal.poll()

    assert (lost, sandbox.counts()["revoke"]) == (None, 1)
    assert manager.get_token() not in {None, before}


def test_of_a_killed_program_is_finished_by_the_tray(
    manager: TokenManager, killed: Callable[..., None], clock: Ahead, qtbot: QtBot
) -> None:
    monitor = Monitor(load_settings(), lambda settings: open_service(settings, clock=clock), None, None, clock=clock)  # type: ignore[arg-type]

    def wait(condition: Any) -> None:
        qtbot.waitUntil(lambda: condition() and monitor.is_idle, timeout=10_000)

    monitor.start()
    wait(lambda: monitor.state.expires is not None)
    before = manager.get_token()
    killed()
    monitor.read()
    wait(lambda: monitor.state.expires is None)
    clock.advance(30)

    monitor.tick()
    wait(lambda: monitor.state.expires is not None)
    monitor.end()

    assert manager.get_token() not in {None, before}


def test_that_kiwoom_gave_no_token_is_finished_by_others_too(
    sandbox: SandboxKiwoom,
    manager: TokenManager,
    terminal: Terminal,
    run: Callable[..., subprocess.Popen[str]],
    clock: Ahead,
) -> None:
    sandbox.set_fault("http-500", on="issue", times=1)
    assert run("refresh", "--rotate").wait(30) != 0
    terminal.poll()
    clock.advance(30)

    terminal.poll()

    assert manager.get_token() is not None


def test_that_was_killed_before_the_token_was_forgotten_makes_the_next_who_ensures_ask(
    sandbox: SandboxKiwoom,
    manager: TokenManager,
    run: Callable[..., subprocess.Popen[str]],
    issues: Callable[[], int],
    *,
    until: Callable[[Callable[[], object]], None],
) -> None:
    """Kiwoom has revoked it, the program did not live to hear that."""
    sandbox.set_fault("slow", on="revoke", seconds=60)
    before = manager.get_token()
    rotating = run("refresh", "--rotate")
    until(lambda: sandbox.counts()["revoke"] == 1)
    rotating.kill()
    rotating.wait()

    found = manager.ensure_token()

    assert (found != before, manager.ensure_token() == found, issues()) == (True, True, 2)


def test_a_clear_after_it_is_a_clear(
    sandbox: SandboxKiwoom,
    manager: TokenManager,
    terminal: Terminal,
    killed: Callable[..., None],
    *,
    issues: Callable[[], int],
    clock: Ahead,
) -> None:
    killed()
    manager.clear_token()
    terminal.poll()
    clock.advance(3600)

    terminal.poll()

    assert (manager.get_token(), issues()) == (None, 2)


def test_a_clear_of_the_token_that_came_after_it_is_a_clear(
    sandbox: SandboxKiwoom,
    manager: TokenManager,
    terminal: Terminal,
    killed: Callable[..., None],
    *,
    issues: Callable[[], int],
    clock: Ahead,
) -> None:
    killed()
    manager.ensure_token()
    terminal.poll()
    manager.clear_token()
    terminal.poll()
    clock.advance(3600)

    terminal.poll()

    assert (manager.get_token(), issues()) == (None, 3)
