"""The tray program on a desktop of its own, beside the smallest program with an icon and beside Vorta."""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from tests import ROOT
from tests.bench.timing import Figure
from tests.desktop.session import Desktop, Program
from tests.desktop.trader import Trader, processes_of

VORTA_VARIABLE = "KIWOOM_TRAY_BENCH_VORTA"
"""The path of the `vorta` program to compare with."""

PYTHON_VARIABLE = "KIWOOM_TRAY_BENCH_PYTHON"
"""The Python of an environment that has what the extra `tray` installs and nothing else, as a trader's has. httpx and
httpcore load trio, click, rich and others where the tools of the tests have brought them."""

_STARTS = 11
_FOLDERS = ("DATA", "CONFIG", "STATE")
_TINY = ROOT / "tests" / "desktop" / "tiny_tray.py"


def figures(idle_seconds: float = 60.0) -> Iterator[Figure]:
    """Yield start, memory and idle work of the tray, `idle_seconds` after each has come to rest; with the token in the
    keyring, as a trader has it, and in a file."""
    with Desktop() as desktop:
        with Trader(desktop, store="auto", lifetime=4 * 3600) as trader:
            trader.settings(policy="auto")
            python = os.environ.get(PYTHON_VARIABLE, sys.executable)
            environment = {**trader.environment, "PYTHONPATH": str(ROOT)}
            apart = {f"KIWOOM_TRAY_{one}_DIR": str(desktop.home / "with-a-file" / one) for one in _FOLDERS}
            with_file = {**environment, **apart, "KIWOOM_TRAY_STORE": "file"}
            starts: dict[str, Callable[[], Program]] = {
                "ours": lambda: desktop.start([python, "-m", "tray_app", "--background"], env=environment),
                "file": lambda: desktop.start([python, "-m", "tray_app", "--background"], env=with_file),
                "tiny": lambda: desktop.start([python, str(_TINY)]),
            }
            vorta = os.environ.get(VORTA_VARIABLE, "")
            if vorta:
                starts["vorta"] = lambda: desktop.start([vorta])
            taken = _start_times(desktop, starts)
            yield Figure(
                "tray: start to icon", taken["ours"], "a bare PySide6 tray program", taken["tiny"], "ms", "≤ 1.3"
            )
            yield Figure("tray: start to icon", taken["ours"], "Vorta", taken.get("vorta"), "ms")
            rest = {name: _at_rest(desktop, start, idle_seconds) for name, start in starts.items()}
        ours, with_a_file, tiny = rest["ours"], rest["file"], rest["tiny"]
        yield Figure("tray: RSS at rest", ours["rss"], "a bare PySide6 tray program", tiny["rss"], "MB", "≤ 1.25")
        yield Figure("tray: PSS at rest", ours["pss"], "a bare PySide6 tray program", tiny["pss"], "MB", "≤ 1.25")
        for kind in ("rss", "pss"):
            what = f"tray with the token in a file: {kind.upper()} at rest"
            yield Figure(what, with_a_file[kind], "a bare PySide6 tray program", tiny[kind], "MB", "≤ 1.25")
        yield Figure("tray: RSS at rest", ours["rss"], "Vorta", rest.get("vorta", {}).get("rss"), "MB")
        yield Figure(
            "tray idle: wake-ups a minute, all threads", ours["wakeups"], "Vorta", _of(rest, "wakeups"), "", "≤ 6"
        )
        yield Figure("tray idle: CPU in a minute", ours["cpu"], "Vorta", _of(rest, "cpu"), "ms", "not measurable")


def _of(rest: Mapping[str, Mapping[str, float]], what: str) -> float | None:
    return rest.get("vorta", {}).get(what)


def _start_times(desktop: Desktop, starts: Mapping[str, Callable[[], Program]]) -> dict[str, float]:
    """Return the median milliseconds until the panel has the icon, in turn."""
    taken: dict[str, list[float]] = {name: [] for name in starts}
    for _ in range(_STARTS):
        for name, start in starts.items():
            began = time.perf_counter()
            program = start()
            desktop.wait_for(desktop.items, "the icon", 30)
            taken[name].append((time.perf_counter() - began) * 1e3)
            _stop(desktop, program)
    return {name: statistics.median(one) for name, one in taken.items()}


def _at_rest(desktop: Desktop, start: Callable[[], Program], idle_seconds: float) -> dict[str, float]:
    program = start()
    desktop.wait_for(desktop.items, "the icon", 30)
    time.sleep(idle_seconds)
    before, ticks = _switches(program), _ticks(program)
    began = time.monotonic()
    time.sleep(idle_seconds)
    minutes = (time.monotonic() - began) / 60
    after, used = _switches(program), _ticks(program) - ticks
    memory = _memory(program)
    _stop(desktop, program)
    wakeups = sum(count - before.get(thread, 0) for thread, count in after.items())  # a thread that ended slept
    return {**memory, "wakeups": wakeups / minutes, "cpu": used * 1000 / os.sysconf("SC_CLK_TCK") / minutes}


def _stop(desktop: Desktop, program: Program) -> None:
    desktop.stop(program)
    desktop.wait_for(lambda: not desktop.items(), "no icon", 30)


def _memory(program: Program) -> dict[str, float]:
    rss = pss = 0
    for pid in _pids(program):
        fields = dict(
            line.split(":", 1) for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:] if ":" in line
        )
        rss += int(fields["Rss"].split()[0])
        pss += int(fields["Pss"].split()[0])
    return {"rss": rss / 1024, "pss": pss / 1024}


def _switches(program: Program) -> dict[str, int]:
    """Return how often each thread has woken up so far."""
    found = {}
    for pid in _pids(program):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for line in (task / "status").read_text().splitlines():
                if line.startswith("voluntary_ctxt_switches"):
                    found[str(task)] = int(line.split()[1])
    return found


def _ticks(program: Program) -> int:
    """Return how much of the processor was used so far, in clock ticks."""
    used = 0
    for pid in _pids(program):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        used += int(fields[11]) + int(fields[12])
    return used


def _pids(program: Program) -> set[int]:
    return {pid for pid in processes_of(program) if os.path.exists(f"/proc/{pid}/smaps_rollup")}
