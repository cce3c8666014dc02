from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import ROOT
from tests.processes.file_keyring import use_file_keyring
from tests.redis.server import MISSING, PROGRAM, REQUIRED, RealRedis
from tests.sandbox import sandbox_with_keys
from tray_app.kiwoom.sandbox import SandboxKiwoom

PYTHON_PATH = os.pathsep.join([str(ROOT), str(Path(__file__).parent / "host")])
"""Of every program that a test starts, so that it has the keyring of the test if there is one."""

PATIENCE_SECONDS = 60.0


class Worker:
    """A process that runs `worker.py`."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.processes.worker"],
            env={**os.environ, "PYTHONPATH": PYTHON_PATH},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._told: queue.Queue[bytes] = queue.Queue()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, *words: object) -> Any:
        self.send(*words)
        return self.answer()

    def send(self, *words: object) -> None:
        self._process.stdin.write(json.dumps(words).encode() + b"\n")
        self._process.stdin.flush()

    def answer(self) -> Any:
        """What came of the oldest command: the result, or the error's fields as a dictionary."""
        fields = self._read("result", "error")
        return fields.get("result", fields)

    def wait_until(self, word: str) -> None:
        self._read(word)

    def kill(self) -> None:
        self._process.kill()
        self.wait()

    def wait(self) -> int:
        return self._process.wait(PATIENCE_SECONDS)

    def close(self) -> None:
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._listener.join()
        self._process.stdout.close()

    def _read(self, *words: str) -> dict[str, object]:
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                line = self._told.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"the process did not tell {' or '.join(words)}") from None
            assert line, "the process ended"
            fields = json.loads(line)
            if not fields.keys().isdisjoint(words):
                return fields

    def _listen(self) -> None:
        """Windows can wait for a socket, but not for a pipe."""
        for line in self._process.stdout:
            self._told.put(line)
        self._told.put(b"")


@pytest.fixture
def start() -> Iterator[Callable[..., Any]]:
    """Starts `count` processes at once and waits until each is ready; one is returned as itself."""
    workers: list[Worker] = []

    def start_some(count: int | None = None) -> Any:
        new = [Worker() for _ in range(count or 1)]
        workers.extend(new)
        for worker in new:
            worker.wait_until("ready")
        return new if count else new[0]

    yield start_some
    for worker in workers:
        worker.close()


@pytest.fixture
def together() -> Callable[..., list[Any]]:
    """Lets all processes do the same at once; returns what came of it."""

    def do(workers: list[Worker], *words: object) -> list[Any]:
        for worker in workers:
            worker.send(*words)
        return [worker.answer() for worker in workers]

    return do


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[SandboxKiwoom]:
    """A practice Kiwoom that the processes started from here on use."""
    with sandbox_with_keys(monkeypatch) as server:
        yield server


@pytest.fixture
def gate(sandbox: SandboxKiwoom, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Kiwoom answers an issue request only once this is set."""
    opened = threading.Event()
    monkeypatch.setattr(sandbox, "pause", lambda *_: opened.wait(PATIENCE_SECONDS))
    sandbox.set_delay(1)
    yield opened
    opened.set()


@pytest.fixture
def issues(sandbox: SandboxKiwoom) -> Callable[[], int]:
    return lambda: sandbox.counts()["issue"]


@pytest.fixture
def run() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts `kiwoom-token` with these words; what still runs at the end of the test is killed."""
    started: list[subprocess.Popen[str]] = []

    def start(*words: str) -> subprocess.Popen[str]:
        started.append(
            subprocess.Popen(
                [sys.executable, "-m", "tray_app.cli.main", *words],
                env={**os.environ, "PYTHONPATH": PYTHON_PATH},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        return started[-1]

    yield start
    for one in started:
        one.kill()
        one.communicate()


@pytest.fixture
def until() -> Callable[[Callable[[], object]], None]:
    def wait(condition: Callable[[], object]) -> None:
        end = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert time.monotonic() < end, "it never came"
            time.sleep(0.002)

    return wait


@pytest.fixture(params=["file", "auto without a keyring", "auto", "keyring"])
def store(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """Each way in which processes on one machine share a token."""
    monkeypatch.setenv("KIWOOM_TRAY_STORE", request.param.split()[0])
    if request.param in {"auto", "keyring"}:
        use_file_keyring(monkeypatch, tmp_path)
    return request.param


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    return tmp_path / "data" / ".token"


@pytest.fixture
def store_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, free_port: int) -> Iterator[Callable[[str], str]]:
    """Let the token be stored in a store of that kind, with a keyring in a file and a Redis of its own."""
    servers = []

    def rest(kind: str) -> str:
        monkeypatch.setenv("KIWOOM_TRAY_STORE", kind)
        use_file_keyring(monkeypatch, tmp_path)
        if kind == "redis":
            if PROGRAM is None:
                (pytest.fail if REQUIRED else pytest.skip)(MISSING)
            servers.append(RealRedis(tmp_path / "redis", free_port))
            servers[0].start()
            monkeypatch.setenv("KIWOOM_TRAY_REDIS_URL", servers[0].url)
        return kind

    yield rest
    for server in servers:
        server.stop()
