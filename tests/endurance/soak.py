"""The real tray on a real desktop for many minutes, with tokens of one minute: what of it grows?

`python -m tests.endurance.soak --minutes 30`. Memory, threads, open files, wake-ups and processor time come from /proc;
the log's and the history's size from their files. Printed are the figures after the first minutes and at the end.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from dataclasses import astuple, dataclass
from pathlib import Path

from tests.desktop.session import Desktop, missing
from tests.desktop.trader import Trader, processes_of

_WARM_UP_SECONDS = 120.0
_LOOKS = 8
_MOST_MEMORY_GROWTH_KB_PER_HOUR = 6000
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Figures:
    """What the tray's processes use at one moment, all together."""

    at: float
    resident_kb: int = 0
    threads: int = 0
    handles: int = 0
    switches: int = 0
    processor_seconds: float = 0.0
    folder_bytes: int = 0
    issued: int = 0

    def __str__(self) -> str:
        return (
            f"{self.at / 60:6.1f} min  {self.resident_kb:7d} kB  {self.threads:3d} threads  {self.handles:3d} handles  "
            f"{self.switches:8d} wake-ups  {self.processor_seconds:7.2f} s of processor  {self.folder_bytes:7d} B  "
            f"{self.issued:4d} tokens"
        )


def look(processes: set[int], folder: Path, at: float, issued: int) -> Figures:
    """Return what these processes use now."""
    found = Figures(at, issued=issued)
    for number in processes:
        place = Path("/proc") / str(number)
        status = dict(line.split(":", 1) for line in (place / "status").read_text().splitlines() if ":" in line)
        found.resident_kb += int(status["VmRSS"].split()[0])
        found.threads += int(status["Threads"])
        found.handles += len(os.listdir(place / "fd"))
        found.switches += sum(_switches(task) for task in (place / "task").iterdir())
        fields = (place / "stat").read_text().rpartition(")")[2].split()
        found.processor_seconds += (int(fields[11]) + int(fields[12])) / _TICKS
    found.folder_bytes = sum(one.stat().st_size for one in folder.rglob("*") if one.is_file())
    return found


def _switches(task: Path) -> int:
    """How often a thread went to sleep of its own accord, which is as often as it was woken."""
    for line in (task / "status").read_text().splitlines():
        if line.startswith("voluntary_ctxt_switches"):
            return int(line.split()[1])
    return 0


def soak(minutes: float, lifetime: float) -> list[Figures]:
    """Let the tray run; return what it used at some moments, the first after it has warmed up."""
    pictures = Path(tempfile.mkdtemp(prefix="soak"))
    found: list[Figures] = []
    with Desktop(pictures=pictures) as desktop, Trader(desktop, lifetime=lifetime) as trader:
        program = trader.start_tray()
        trader.sees("left", "Less than a minute")
        began = time.monotonic()
        time.sleep(min(_WARM_UP_SECONDS, minutes * 60 / 4))
        pause = (minutes * 60 - (time.monotonic() - began)) / (_LOOKS - 1)
        for number in range(_LOOKS):
            if number:
                time.sleep(pause)
            found.append(look(processes_of(program), desktop.home, time.monotonic() - began, trader.issues))
            print(found[-1], flush=True)
    return found


def growth(found: list[Figures]) -> str:
    """Return what the last figures have more than the first, and per hour what grows with time."""
    first, last = found[0], found[-1]
    hours = max(last.at - first.at, 1.0) / 3600
    return (
        f"more: {last.resident_kb - first.resident_kb} kB, {last.threads - first.threads} threads, "
        f"{last.handles - first.handles} handles; in a second {(last.switches - first.switches) / hours / 3600:.2f} "
        f"wake-ups, {(last.processor_seconds - first.processor_seconds) / hours / 3.6:.2f} ms of processor; in an hour "
        f"{(last.folder_bytes - first.folder_bytes) / hours:.0f} B of files; {last.issued - first.issued} tokens"
    )


def is_steady(found: list[Figures]) -> bool:
    """Whether nothing grew that must not."""
    first, last = found[0], found[-1]
    hours = max(last.at - first.at, 600.0) / 3600
    is_small = (last.resident_kb - first.resident_kb) / hours < _MOST_MEMORY_GROWTH_KB_PER_HOUR
    return is_small and last.threads <= first.threads + 1 and last.handles <= first.handles + 3


def main() -> int:
    parser = argparse.ArgumentParser(description="Run the tray for a while and see what grows.")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--lifetime", type=float, default=60.0, help="of a token, in seconds")
    options = parser.parse_args()
    lacking = missing()
    if lacking:
        print(f"no desktop here: {', '.join(lacking)}")
        return 2
    found = soak(options.minutes, options.lifetime)
    print(growth(found))
    print("steady" if is_steady(found) else f"NOT STEADY: {[astuple(one) for one in found]}")
    return 0 if is_steady(found) else 1


if __name__ == "__main__":
    sys.exit(main())
