"""SIGTERM, Ctrl+C and a closed terminal end the tray program in order."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests import ROOT

PROGRAM = """
import os, signal, sys
from PySide6.QtCore import QTimer
from tray_app.desktop.application import create_application
from tray_app.desktop.stop_signals import StopSignals

app = create_application()
before = signal.getsignal(signal.SIGTERM)
stop = StopSignals(app)
number = getattr(signal, sys.argv[1])
if sys.argv[2] == "early":  # before the event loop, whose end it would not be
    os.kill(os.getpid(), number)
    print("still there", flush=True)
stop.enable()
if sys.argv[2] == "running":
    QTimer.singleShot(0, lambda: os.kill(os.getpid(), number))
QTimer.singleShot(20_000, lambda: os._exit(99))
status = app.exec()
stop.close()
print("ended in order", signal.getsignal(signal.SIGTERM) == before, flush=True)
os._exit(status)
"""


def run(name: str, when: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, name, when],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.qt
@pytest.mark.posix
@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_a_signal_ends_the_event_loop_and_leaves_the_handlers_as_they_were(name: str) -> None:
    done = run(name, "running")

    assert (done.returncode, done.stdout.split("\n")[0]) == (0, "ended in order True")


@pytest.mark.qt
@pytest.mark.posix
def test_a_signal_before_the_event_loop_is_not_lost() -> None:
    done = run("SIGTERM", "early")

    assert (done.returncode, done.stdout.split("\n")[:2]) == (0, ["still there", "ended in order True"])
