"""Several computers on one Redis, each a network namespace of Linux: `sudo python -m tests.bench.hosts [--delay-ms N]`.

All hosts want a token at once. Shown are how long the slowest waited beyond the endpoint's 0.2 s, how many requests
reached Kiwoom, and how long a change on one host takes to reach `get_token()` on another.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench.crowd import ENDPOINT_SECONDS
from tests.bench.programs import ROOT, environment_in
from tests.bench.relay import relay_in_background
from tests.ports import free_port
from tests.redis.server import PROGRAM
from tray_app.kiwoom.sandbox import SANDBOX_APP_KEY, SANDBOX_APP_SECRET, SandboxKiwoom

HOSTS = (1, 2, 4, 8)
_BRIDGE, _NETWORK = "ktt-bench", "10.97.0"
_CALLERS = 4
"""Programs on each host."""

_HOST = """
import json, sys, threading, time
from tests.bench.relay import relay_in_background
relay_in_background(("127.0.0.1", int(sys.argv[2])), (sys.argv[1], int(sys.argv[2])))  # only https may leave a host
from tray_app import TokenManager
managers = [TokenManager() for _ in range(int(sys.argv[3]))]
for one in managers: one.get_token()
print("ready", flush=True)
for line in sys.stdin:
    word, *rest = line.split()
    if word == "ensure":
        waits = []
        def ask(manager):
            began = time.perf_counter(); manager.ensure_token(); waits.append(time.perf_counter() - began)
        threads = [threading.Thread(target=ask, args=(one,)) for one in managers]
        for one in threads: one.start()
        for one in threads: one.join()
        print(json.dumps(waits), flush=True)
    elif word == "set":
        managers[0].set_token(rest[0], 80000); print(json.dumps(time.monotonic()), flush=True)
    elif word == "await":
        while managers[0].get_token() != rest[0]: time.sleep(0.0005)
        print(json.dumps(time.monotonic()), flush=True)
"""


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@contextlib.contextmanager
def network(hosts: int, delay_ms: float) -> Iterator[None]:
    """Make so many namespaces on a bridge; what each sends takes `delay_ms`."""
    _ip("link", "add", _BRIDGE, "type", "bridge")
    try:
        _ip("addr", "add", f"{_NETWORK}.1/24", "dev", _BRIDGE)
        _ip("link", "set", _BRIDGE, "up")
        for number in range(hosts):
            name = f"{_BRIDGE}-{number}"
            _ip("netns", "add", name)
            _ip("link", "add", f"kttb{number}", "type", "veth", "peer", "name", "eth0", "netns", name)
            _ip("link", "set", f"kttb{number}", "master", _BRIDGE, "up")
            for words in (
                ("addr", "add", f"{_NETWORK}.{number + 10}/24", "dev", "eth0"),
                ("link", "set", "eth0", "up"),
                ("link", "set", "lo", "up"),
            ):
                _ip("netns", "exec", name, "ip", *words)
            if delay_ms:
                delay = ["tc", "qdisc", "add", "dev", "eth0", "root", "netem", "delay", f"{delay_ms}ms"]
                subprocess.run(["ip", "netns", "exec", name, *delay], check=True, capture_output=True)
        yield
    finally:
        for number in range(hosts):
            with contextlib.suppress(subprocess.CalledProcessError):
                _ip("netns", "del", f"{_BRIDGE}-{number}")
        _ip("link", "del", _BRIDGE)


def measure(hosts: int, delay_ms: float) -> dict[str, float]:
    """Return the figures of so many hosts."""
    with (
        tempfile.TemporaryDirectory() as name,
        network(hosts, delay_ms),
        _redis(Path(name)) as redis_port,
        SandboxKiwoom() as kiwoom,
    ):
        kiwoom.set_delay(ENDPOINT_SECONDS)
        port = kiwoom.port
        relay_in_background((f"{_NETWORK}.1", port), ("127.0.0.1", port))
        programs = [_start(number, Path(name), redis_port, port) for number in range(hosts)]
        try:
            for one in programs:
                _answer(one)
            for one in programs:
                _order(one, "ensure")
            waits = [wait for one in programs for wait in json.loads(_answer(one))]
            requests = kiwoom.counts()["issue"]
            spread = _spread(programs[0], programs[-1]) if hosts > 1 else 0.0
        finally:
            for one in programs:
                one.kill()
                one.wait()
    return {
        "callers": len(waits),
        "requests": requests,
        "slowest, ms beyond the endpoint": (max(waits) - ENDPOINT_SECONDS) * 1e3,
        "a change seen on another host, ms": spread * 1e3,
    }


def _spread(here: subprocess.Popen[str], there: subprocess.Popen[str]) -> float:
    taken = []
    for number in range(9):
        token = f"token-of-the-benchmark-{number}"
        _order(there, f"await {token}")
        time.sleep(0.05)
        _order(here, f"set {token}")
        stored, seen = json.loads(_answer(here)), json.loads(_answer(there))
        taken.append(max(0.0, seen - stored))
    return statistics.median(taken)


def _order(program: subprocess.Popen[str], words: str) -> None:
    assert program.stdin is not None
    program.stdin.write(words + "\n")
    program.stdin.flush()


def _answer(program: subprocess.Popen[str]) -> str:
    assert program.stdout is not None
    return program.stdout.readline()


@contextlib.contextmanager
def _redis(folder: Path) -> Iterator[int]:
    port = free_port()
    server = subprocess.Popen(
        [str(PROGRAM), "--bind", f"{_NETWORK}.1", "--port", str(port), "--save", "", "--protected-mode", "no"],
        cwd=folder,
        stdout=subprocess.DEVNULL,
    )
    try:
        time.sleep(0.5)
        yield port
    finally:
        server.kill()
        server.wait()


def _start(number: int, folder: Path, redis_port: int, kiwoom_port: int) -> subprocess.Popen[str]:
    home = folder / f"host-{number}"
    home.mkdir()
    environment = environment_in(
        home,
        PYTHONPATH=str(ROOT),
        KIWOOM_TRAY_STORE="redis",
        KIWOOM_TRAY_REDIS_URL=f"redis://{_NETWORK}.1:{redis_port}/0",
        KIWOOM_TRAY_BASE_URL=f"http://127.0.0.1:{kiwoom_port}",
        APP_KEY=SANDBOX_APP_KEY,
        APP_SECRET=SANDBOX_APP_SECRET,
    )
    host = [sys.executable, "-c", _HOST, f"{_NETWORK}.1", str(kiwoom_port), str(_CALLERS)]
    return subprocess.Popen(
        ["ip", "netns", "exec", f"{_BRIDGE}-{number}", *host],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.hosts", description=__doc__)
    parser.add_argument("--delay-ms", type=float, default=0.0, help="delay what each host sends (needs netem)")
    options = parser.parse_args()
    if sys.platform != "linux" or os.geteuid() != 0 or PROGRAM is None:
        parser.error("it needs Linux, root (for network namespaces) and redis-server")
    print(
        "| hosts | "
        + " | ".join(("callers", "requests", "slowest beyond the endpoint", "a change seen elsewhere"))
        + " |"
    )
    print("|---|---|---|---|---|")
    for hosts in HOSTS:
        callers, requests, slowest, seen = measure(hosts, options.delay_ms).values()
        print(f"| {hosts} | {callers:.0f} | {requests:.0f} | {slowest:.0f} ms | {seen:.1f} ms |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
