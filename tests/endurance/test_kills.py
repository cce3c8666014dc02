"""A few programs are killed for each kind of store; thousands: `python -m tests.endurance.kills --count 3000`."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.endurance.kills import PYTHON_PATH, ROOT, STORES
from tests.redis.server import MISSING, PROGRAM
from tray_app.stores.lock import DEFAULT_TIMEOUT_SECONDS


@pytest.mark.posix
@pytest.mark.parametrize("store", STORES)
def test_a_killed_program_leaves_nothing_that_stops_the_next(store: str) -> None:
    if store == "redis" and PROGRAM is None:
        pytest.skip(MISSING)
    chosen = ["--count", "12", "--seed", "20261126", "--store", store]
    patience = ["--patience", str(DEFAULT_TIMEOUT_SECONDS - 5)]  # less than a lock that nobody frees is waited for
    command = [sys.executable, "-m", "tests.endurance.kills", *chosen, *patience]
    environ = {**os.environ, "PYTHONPATH": PYTHON_PATH}
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{store}: 12 killed" in done.stdout
