"""A real redis-server for one test, and servers that only pretend to be one."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

PROGRAM = shutil.which("redis-server")
MISSING = "redis-server is missing; on Debian and Ubuntu: apt-get install redis-server"
REQUIRED = (os.environ.get("CI") in {"true", "1"} and sys.platform == "linux") or os.environ.get(
    "KIWOOM_TRAY_REQUIRE_REDIS"
) == "1"
"""Where CI installs the server, a test of it may not be skipped."""
PATIENCE_SECONDS = 15


def wait_for(condition: Any, what: str) -> Any:
    """The first true value of `condition()`."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f"waited in vain: {what}")


class RealRedis:
    """redis-server on a loopback port, its data in `folder`; may be stopped and started again."""

    def __init__(self, folder: Path, port: int, *options: str) -> None:
        self.port = port
        self.url = f"redis://127.0.0.1:{port}/0"
        self._folder = folder
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._process = subprocess.Popen(
            [
                str(PROGRAM),
                *("--bind", "127.0.0.1", "--port", str(self.port), "--save", ""),
                *("--dir", str(self._folder), "--logfile", "log"),
                *self._options,
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        wait_for(self._listens, "redis-server listens")

    def stop(self) -> None:
        """Ends it the hard way, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def hang(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def client(self) -> Any:
        import redis

        return redis.Redis.from_url(self.url)

    def order(self, *words: str) -> Any:
        """One command on a connection of its own."""
        with contextlib.closing(self.client()) as client:
            return client.execute_command(*words)

    def _listens(self) -> bool:
        if self._process.poll() is not None:
            raise AssertionError((self._folder / "log").read_text())
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False


def parts(version: object) -> int:
    """How many parts the version of a store has: two once the channel is connected, three while it is not."""
    assert isinstance(version, tuple)
    return len(version)


class FakeServer:
    """Answers whatever is sent to it with the same bytes."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._connections: list[socket.socket] = []
        self.url = f"redis://127.0.0.1:{self._listener.getsockname()[1]}/0"
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        for one in (self._listener, *self._connections):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._connections.append(connection)
                threading.Thread(target=self._answer_all, args=(connection,), daemon=True).start()

    def _answer_all(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while connection.recv(4096):
                connection.sendall(self._answer)
