"""Every check, one after another: ruff, mypy and pytest. What `start.py test` runs; the arguments go to pytest."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tray_app.core.language import tr

ROOT = Path(__file__).resolve().parents[1]
WORKERS = min(4, (os.cpu_count() or 1) + 1)
"""One more than there are cores: what starts other programs waits for a quarter of its time."""
SIDE_BY_SIDE = ["-n", str(WORKERS), "--dist", "worksteal"]
DESKTOP_TESTS = ["pytest", "tests/desktop", *SIDE_BY_SIDE]
NO_TESTS = 5
"""pytest's exit status where there are none, as for the desktop on Windows."""


def run_checks(arguments: list[str]) -> int:
    """Run every check and return the status of the first that failed. pytest's closing line is the last one."""
    failed: dict[str, int] = {}
    for check in (["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"], *pytest_commands(arguments)):
        if failed and check[0] == "pytest":
            print("==", tr("Failed so far: {checks}", checks=", ".join(failed)))
        name = subprocess.list2cmdline(check)
        print("==", name, flush=True)
        status = run_module(check)
        if status and (status, check) != (NO_TESTS, DESKTOP_TESTS):
            failed[name] = status
    return next(iter(failed.values()), 0)


def pytest_commands(arguments: list[str]) -> list[list[str]]:
    """Return how pytest is run: first on the desktop, where tests wait more than they work, then the others."""
    if arguments:
        return [["pytest", *arguments]]
    return [DESKTOP_TESTS, ["pytest", "--ignore=tests/desktop", *SIDE_BY_SIDE]]


def run_module(command: list[str]) -> int:
    """Run a module of this Python with its arguments, and return its exit status."""
    with subprocess.Popen([sys.executable, "-P", "-m", *command], cwd=ROOT) as program:
        try:
            return program.wait()
        except KeyboardInterrupt:  # which has reached the program too
            program.wait()
            raise


if __name__ == "__main__":
    sys.exit(run_checks(sys.argv[1:]))
