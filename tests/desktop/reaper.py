"""Ends whatever a test desktop started, and removes its folder, when the test run closes it or dies.

Runs as a process of its own: ``python reaper.py FOLDER``. Its standard input is the reading end of a pipe that only
the test run holds open, so the end of input is the end of the test run, a SIGKILL included. Lines ``+N`` and ``-N``
on the pipe add and drop a process session. A process belongs to the desktop if its session was added or if its
environment carries the desktop's mark; the second catches what started a session of its own, the first what hides
its environment (gnome-keyring-daemon with file capabilities does).
"""

import os
import shutil
import signal
import sys
import time
from pathlib import Path

MARK = "TRAY_TEST_DESKTOP"
PROGRAM_MARK = "TRAY_TEST_PROGRAM"
PATIENCE = 10.0


def members(sessions: set[int], mark: bytes | None) -> list[int]:
    """Ids of the living processes in the sessions, or with the mark (``NAME=value``) in their environment."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            state, _parent, _group, session = (entry / "stat").read_text().rpartition(")")[2].split()[:4]
        except OSError:
            continue
        if state in "ZX":
            continue
        if int(session) in sessions or (mark and _has_mark(entry, mark)):
            found.append(int(entry.name))
    return found


def _has_mark(entry: Path, mark: bytes) -> bool:
    try:
        return mark in (entry / "environ").read_bytes().split(b"\0")
    except OSError:
        return False


def end(sessions: set[int], mark: bytes | None = None, patience: float = PATIENCE) -> list[int]:
    """Kills the members until there are none; returns those that would not go within patience (seconds)."""
    deadline = time.monotonic() + patience
    while left := members(sessions, mark):
        for process in left:
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                continue
        if time.monotonic() > deadline:
            return left
        time.sleep(0.02)
    return []


def main() -> None:
    """Listens on the pipe until it closes, then ends the desktop whose folder is the first argument."""
    folder = Path(sys.argv[1])
    sessions: set[int] = set()
    for line in sys.stdin:
        change = int(line)
        if change > 0:
            sessions.add(change)
        else:
            sessions.discard(-change)
    left = end(sessions, f"{MARK}={folder}".encode())
    shutil.rmtree(folder, ignore_errors=True)
    if left:
        sys.exit(f"still running: {left}")


if __name__ == "__main__":
    main()
