"""Real Redis servers, stores on them, and programs on machines that share nothing but Redis."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests import ROOT
from tests.redis.server import MISSING, PATIENCE_SECONDS, PROGRAM, REQUIRED, RealRedis
from tray_app.core.secret import Secret
from tray_app.kiwoom.sandbox import SANDBOX_APP_KEY, SANDBOX_APP_SECRET, SandboxKiwoom
from tray_app.stores.change_marker import ChangeMarker
from tray_app.stores.lock import ProfileLock
from tray_app.stores.redis import RedisStore
from tray_app.stores.redis_server import RedisServer


@pytest.fixture
def new_redis(tmp_path: Path, free_port: int) -> Iterator[Callable[..., RealRedis]]:
    """Makes and starts a server with further options."""
    servers: list[RealRedis] = []

    def make(*options: str) -> RealRedis:
        if PROGRAM is None and REQUIRED:
            pytest.fail(MISSING)
        if PROGRAM is None:
            pytest.skip(MISSING)
        server = RealRedis(tmp_path / "redis", free_port, *options)
        servers.append(server)
        server.start()
        return server

    yield make
    for server in servers:
        server.stop()


@pytest.fixture
def redis(new_redis: Callable[..., RealRedis]) -> RealRedis:
    return new_redis()


@pytest.fixture
def open_store(tmp_path: Path) -> Callable[..., RedisStore]:
    """A store on a computer of its own: its lock and its change marker are nobody else's."""
    numbers = count()

    def make(url: str, profile: str = "default", *, server: RedisServer | None = None, **options: Any) -> RedisStore:
        folder = tmp_path / f"computer-{next(numbers)}"
        return RedisStore(
            profile,
            server or RedisServer(Secret(url)),
            ChangeMarker(str(folder / "signal")),
            ProfileLock(str(folder / "lock")),
            **options,
        )

    return make


@pytest.fixture
def sandbox() -> Iterator[SandboxKiwoom]:
    with SandboxKiwoom() as kiwoom:
        kiwoom.set_delay(0.2)
        yield kiwoom


@pytest.fixture
def machine_environment(tmp_path: Path, sandbox: SandboxKiwoom) -> Callable[..., dict[str, str]]:
    """The environment of a program on the machine `name`, whose folders are its own."""

    def make(name: str, url: str) -> dict[str, str]:
        folder = tmp_path / name
        return {
            **os.environ,
            "HOME": str(folder),
            "USERPROFILE": str(folder),
            "XDG_STATE_HOME": str(folder / "state"),
            "KIWOOM_TRAY_STATE_DIR": str(folder / "state" / "kiwoom-token-tray"),
            "KIWOOM_TRAY_CONFIG_DIR": str(folder / "settings"),
            "KIWOOM_TRAY_DATA_DIR": str(folder / "data"),
            "KIWOOM_TRAY_STORE": "redis",
            "KIWOOM_TRAY_REDIS_URL": url,
            "KIWOOM_TRAY_BASE_URL": sandbox.base_url,
            "APP_KEY": SANDBOX_APP_KEY,
            "APP_SECRET": SANDBOX_APP_SECRET,
            "PYTHONPATH": str(ROOT),
        }

    return make


class Program:
    """A running `tests.redis.machine`."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.redis.machine"],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def begin(self, order: str) -> None:
        self.process.stdin.write(order + "\n")
        self.process.stdin.flush()

    def answer(self) -> Any:
        bound = threading.Timer(PATIENCE_SECONDS * 2, self.process.kill)
        bound.start()
        try:
            return json.loads(self.process.stdout.readline())
        finally:
            bound.cancel()

    def ask(self, order: str) -> Any:
        self.begin(order)
        return self.answer()

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def start_program(machine_environment: Callable[..., dict[str, str]]) -> Iterator[Callable[..., Program]]:
    programs: list[Program] = []

    def start(name: str, url: str) -> Program:
        program = Program(machine_environment(name, url))
        programs.append(program)
        return program

    yield start
    for program in programs:
        program.end()
