"""How our programs end: what they printed is whole, and nothing else runs any more."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from tests import ROOT
from tray_app.system.signals import StopRequest, stop_signals


def run(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, sys.argv[1])\n{program}", str(ROOT)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_program_ends_with_its_status_and_all_that_it_printed() -> None:
    done = run(
        "import atexit\n"
        "from tray_app.system.process import exit_now\n"
        "atexit.register(print, 'an exit handler')\n"
        "print('printed', end=''); print('an error', end='', file=sys.stderr)\n"
        "exit_now(5)"
    )

    assert (done.returncode, done.stdout, done.stderr) == (5, "printed", "an error")


@pytest.mark.parametrize("output", ["None", "open(sys.argv[1] + '/pyproject.toml')"], ids=["missing", "closed"])
def test_a_program_ends_also_when_nobody_can_read_what_it_printed(output: str) -> None:
    done = run(
        "from tray_app.system.process import exit_now\n"
        f"sys.stdout = {output}\n"
        "if sys.stdout is not None: sys.stdout.close()\n"
        "exit_now(3)"
    )

    assert done.returncode == 3


def test_a_program_is_asked_to_end_by_sigterm() -> None:
    assert signal.SIGTERM in stop_signals()
    assert signal.SIGINT not in stop_signals()


@pytest.mark.posix
def test_ctrl_break_ends_a_program_in_order_like_a_stop_signal(monkeypatch: pytest.MonkeyPatch) -> None:
    """On Windows it is the only signal that reaches a program in a process group of its own."""
    monkeypatch.setattr(signal, "SIGBREAK", signal.SIGUSR1, raising=False)

    with StopRequest() as stop:
        os.kill(os.getpid(), signal.SIGUSR1)

        assert stop.wait(0)


@pytest.mark.posix
@pytest.mark.parametrize("ignored", [True, False])
def test_a_closed_terminal_ends_a_program_unless_it_runs_under_nohup(ignored: bool) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN if ignored else signal.SIG_DFL)
    try:
        assert (signal.SIGHUP in stop_signals()) is not ignored
    finally:
        signal.signal(signal.SIGHUP, before)
