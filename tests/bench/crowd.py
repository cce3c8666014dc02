"""Many programs at the end of a token, and a holder of the lock that is killed."""

from __future__ import annotations

import json
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench.programs import ROOT, environment_in
from tests.bench.timing import Figure
from tray_app.kiwoom.sandbox import SANDBOX_APP_KEY, SANDBOX_APP_SECRET, SandboxKiwoom
from tray_app.stores.lock import ProfileLock

PROCESSES = 32
ENDPOINT_SECONDS = 0.2
_KILLS = 20
_CALLER = """
import json, sys, threading, time
from tray_app import TokenManager
managers = [TokenManager() for _ in range(int(sys.argv[1]))]
waits = []
def ask(manager):
    began = time.perf_counter()
    manager.ensure_token()
    waits.append(time.perf_counter() - began)
threads = [threading.Thread(target=ask, args=(one,)) for one in managers]
print("ready", flush=True)
sys.stdin.readline()
for one in threads: one.start()
for one in threads: one.join()
print(json.dumps(waits), flush=True)
"""
_HOLDER = """
import sys, time
from tray_app.stores.lock import ProfileLock
ProfileLock(sys.argv[1]).acquire()
print("held", flush=True)
time.sleep(60)
"""


def figures(processes: int = PROCESSES) -> Iterator[Figure]:
    """Yield what callers wait for at a token's end, and how long a lock outlives its holder."""
    waits, requests = waits_of(processes, processes=processes)
    beyond = (max(waits) - ENDPOINT_SECONDS) * 1e3
    yield Figure(f"{processes} processes at expiry, 200 ms endpoint: requests", requests, "", None, "", "1")
    yield Figure(
        f"{processes} processes at expiry: the slowest, beyond the endpoint", beyond, "", None, "ms", "≤ 450 ms"
    )
    yield Figure(
        "SIGKILL of the lock's holder: the next one has it after", _after_kill() * 1e3, "", None, "ms", "≤ 50 ms"
    )


def waits_of(callers: int, *, processes: int) -> tuple[list[float], int]:
    """Let so many callers, threads in so many programs, want a token at once; return how long each waited and how many
    requests there were."""
    shares = [callers // processes + (number < callers % processes) for number in range(processes)]
    with tempfile.TemporaryDirectory() as name, SandboxKiwoom() as kiwoom:
        kiwoom.set_delay(ENDPOINT_SECONDS)
        environment = environment_in(
            Path(name),
            PYTHONPATH=str(ROOT),
            KIWOOM_TRAY_BASE_URL=kiwoom.base_url,
            APP_KEY=SANDBOX_APP_KEY,
            APP_SECRET=SANDBOX_APP_SECRET,
        )
        running = [
            subprocess.Popen(
                [sys.executable, "-c", _CALLER, str(share)],
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for share in shares
        ]
        for one in running:
            assert one.stdout is not None
            one.stdout.readline()
        for one in running:
            assert one.stdin is not None
            one.stdin.write("\n")
            one.stdin.flush()
        return [wait for one in running for wait in json.loads(one.communicate()[0])], kiwoom.counts()["issue"]


def _after_kill() -> float:
    taken = []
    with tempfile.TemporaryDirectory() as name:
        path = str(Path(name) / "profile.lock")
        for _ in range(_KILLS):
            holder = subprocess.Popen(
                [sys.executable, "-c", _HOLDER, path],
                env=environment_in(Path(name), PYTHONPATH=str(ROOT)),
                stdout=subprocess.PIPE,
            )
            assert holder.stdout is not None
            holder.stdout.readline()
            lock = ProfileLock(path)
            holder.send_signal(signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
            began = time.perf_counter()
            lock.acquire()
            taken.append(time.perf_counter() - began)
            lock.release()
            holder.communicate()
    return statistics.median(taken)
