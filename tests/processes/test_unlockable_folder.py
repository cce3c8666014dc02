"""A folder in which files cannot be locked, as some network folders are: a lock on this computer serves."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.processes.conftest import PYTHON_PATH
from tray_app.kiwoom.sandbox import SandboxKiwoom

A_BOT = """
import fcntl, logging, os, sys
logging.basicConfig(level=logging.WARNING)
was_flock, folder, number = fcntl.flock, sys.argv[1], int(sys.argv[2])

def flock(descriptor, operation):
    if os.readlink(f"/proc/self/fd/{descriptor}").startswith(folder):
        raise OSError(number, os.strerror(number))
    was_flock(descriptor, operation)

fcntl.flock = flock
from tray_app import token_manager
print(token_manager.ensure_token())
"""


@pytest.fixture
def file_store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")
    monkeypatch.setenv("TMPDIR", str(tmp_path.parent))


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel is asked which file it is")
@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EINVAL])
@pytest.mark.parametrize("also", ["", "the state folder"])
@pytest.mark.usefixtures("file_store")
def test_many_programs_make_one_request(
    number: int, also: str, sandbox: SandboxKiwoom, issues: Callable[[], int], tmp_path: Path
) -> None:
    sandbox.set_delay(0.3)
    folder = str(tmp_path if also else tmp_path / "data")

    bots = [
        subprocess.Popen(
            [sys.executable, "-c", A_BOT, folder, str(number)],
            env={**os.environ, "PYTHONPATH": PYTHON_PATH},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    told = [bot.communicate(timeout=60) for bot in bots]

    assert len({out for out, _ in told}) == 1, told
    assert issues() == 1
    assert all(complaint.count("cannot be locked") == 1 for _, complaint in told)


@pytest.mark.usefixtures("file_store")
def test_a_lock_file_that_cannot_be_opened_makes_no_more_requests(
    sandbox: SandboxKiwoom, issues: Callable[[], int], tmp_path: Path
) -> None:
    sandbox.set_delay(0.3)
    (tmp_path / "data" / ".token.lock").mkdir(parents=True)

    bots = [
        subprocess.Popen(
            [sys.executable, "-c", "from tray_app import token_manager\nprint(token_manager.ensure_token())"],
            env={**os.environ, "PYTHONPATH": PYTHON_PATH},
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]

    assert len({bot.communicate(timeout=60)[0] for bot in bots}) == 1
    assert issues() == 1
