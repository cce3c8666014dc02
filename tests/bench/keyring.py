"""What a keyring that hangs or is locked costs: a program that imports the library, and the tray's GUI thread.

The keyring is the real Secret Service of a desktop of its own. `python -m tests.bench.keyring hung` or `locked` is the
program that is measured there.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

from tests.bench.timing import Figure
from tests.desktop.session import ROOT, Desktop
from tests.desktop.trader import Trader
from tests.desktop.tray import ITEM

_FROZEN_SECONDS = 10.0
_CALLS = 2000


def figures() -> Iterator[Figure]:
    """Yield what a hung and a locked keyring cost."""
    with Desktop() as desktop:
        with Trader(desktop, store="auto") as trader:
            yield from _hung(trader)
            yield _stall(trader)
        with Trader(desktop, store="keyring") as trader:
            yield _locked(trader)


def _hung(trader: Trader) -> Iterator[Figure]:
    trader.desktop.keyring_freeze()
    try:
        asked = _run(trader, "hung")
    finally:
        trader.desktop.keyring_thaw()
    trader.file.unlink()
    yield Figure("hung keyring: a token stored and read, in the file", asked["first"], "", None, "s", "≤ 2.1 s")
    yield Figure("hung keyring: the slowest answer after it", asked["slowest"] * 1e3, "", None, "ms", "≤ 1 ms")
    yield Figure("hung keyring: until the program has ended", asked["end"] * 1e3, "", None, "ms", "at once")


def _locked(trader: Trader) -> Figure:
    trader.desktop.keyring_lock()
    asked = _run(trader, "locked")
    return Figure("locked keyring asked 15 times: more open files", asked["files"], "", None, "", "0")


def _run(trader: Trader, case: str) -> dict[str, Any]:
    """Run this module as a program on the trader's desktop; return what it measured, and `end`, the seconds from its
    last line to its end."""
    ran = subprocess.run(
        [sys.executable, "-m", __name__, case],
        env=trader.desktop.env(**trader.environment, PYTHONPATH=str(ROOT)),
        cwd=trader.desktop.home,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    ended = time.monotonic()  # one clock for all processes
    asked: dict[str, Any] = json.loads(ran.stdout)
    return {**asked, "end": ended - asked["ends"]}


def _stall(trader: Trader) -> Figure:
    """Measure how long a question to the tray's icon waits, which its GUI thread answers, while a check that reads
    the frozen keyring is going on."""
    desktop = trader.desktop
    program = trader.start_tray()
    trader.sees("left")
    trader.idle()
    before = _slowest_answer(desktop)
    desktop.keyring_freeze()
    thaw = threading.Timer(_FROZEN_SECONDS, desktop.keyring_thaw)
    thaw.start()
    desktop.choose("Check with Kiwoom")
    frozen = _slowest_answer(desktop)
    thaw.join()
    desktop.stop(program)
    return Figure(
        "GUI thread: the longest wait while the keyring is frozen for 10 s",
        frozen,
        "the same while it answers",
        before,
        "ms",
        "≤ 50 ms",
    )


def _slowest_answer(desktop: Desktop) -> float:
    """Return the longest wait in milliseconds for what the icon says, asked again and again."""
    icon, slowest = desktop.item(), 0.0
    end = time.monotonic() + _FROZEN_SECONDS
    while time.monotonic() < end:
        began = time.perf_counter()
        desktop.bus.get(icon.service, icon.path, ITEM, "Status")
        slowest = max(slowest, time.perf_counter() - began)
        time.sleep(0.002)
    return slowest * 1e3


def _ask_a_hung_one() -> dict[str, float]:
    from tray_app import TokenManager

    taken = []
    began = time.perf_counter()
    manager = TokenManager()
    manager.set_token("a-token-of-a-benchmark", 7230)
    for _ in range(1 + _CALLS):
        token = manager.get_token()
        taken.append(time.perf_counter() - began)
        if token is None:
            raise AssertionError("no token from the file")
        began = time.perf_counter()
    return {"first": taken[0], "slowest": max(taken[1:])}


def _ask_a_locked_one() -> dict[str, float]:
    from tray_app import TokenManager

    manager = TokenManager()
    files = []
    for _ in range(15):
        manager.get_token()
        files.append(len(os.listdir("/proc/self/fd")))
    return {"files": files[-1] - files[0]}


if __name__ == "__main__":
    measured = _ask_a_hung_one() if sys.argv[1] == "hung" else _ask_a_locked_one()
    print(json.dumps({**measured, "ends": time.monotonic()}), flush=True)
