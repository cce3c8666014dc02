"""Many at once, on the real parts: one request, no torn read, no lost write, no deadlock."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.processes.conftest import PYTHON_PATH
from tray_app import TokenManager
from tray_app.kiwoom.sandbox import SandboxKiwoom

PROCESSES, THREADS = 32, 20
WRITERS, READERS, PAIRS = 8, 3, 1250


@pytest.fixture(autouse=True)
def in_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")


def run(script: Any, *arguments: Any, **environment: Any) -> Any:
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": PYTHON_PATH, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


class TestProcessesAndThreads:
    @pytest.fixture
    def ask_at_once(self, start: Callable[..., Any]) -> Callable[..., Any]:
        """Lets 32 processes and 20 threads of another one ask; returns their tokens."""
        workers = start(PROCESSES)
        manager = TokenManager()

        def ask() -> Any:
            found = []
            threads = [
                threading.Thread(target=lambda: found.append(manager.ensure_token()), daemon=True)
                for _ in range(THREADS)
            ]
            for worker in workers:
                worker.send("ensure_token")
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)
            return found + [worker.answer() for worker in workers]

        ask.workers = workers  # type: ignore[attr-defined]
        return ask

    def test_only_the_one_who_asks_kiwoom_loads_what_that_takes(
        self, sandbox: SandboxKiwoom, ask_at_once: Callable[..., Any]
    ) -> None:
        sandbox.set_delay(0.2)

        ask_at_once()

        assert sum(worker.ask("has loaded", "tray_app.kiwoom.broker") for worker in ask_at_once.workers) <= 1  # type: ignore[attr-defined]

    def test_without_a_token_make_one_request(
        self, sandbox: SandboxKiwoom, issues: Callable[[], int], ask_at_once: Callable[..., Any]
    ) -> None:
        sandbox.set_delay(0.2)

        found = ask_at_once()

        assert (issues(), len(found), len(set(found))) == (1, PROCESSES + THREADS, 1)

    def test_near_the_end_make_one_request_though_the_same_token_comes_back(
        self, sandbox: SandboxKiwoom, issues: Callable[[], int], ask_at_once: Callable[..., Any]
    ) -> None:
        sandbox.set_lifetime(200)  # less than ensure_token wants
        first = TokenManager().ensure_token()
        sandbox.set_delay(0.2)

        found = ask_at_once()

        assert (issues(), set(found)) == (2, {first})


PREFORK = """
import multiprocessing, os, sys
from tray_app import token_manager

def serve(gate, found):
    gate.wait()
    token = token_manager.ensure_token()
    found.put((token, token_manager.get_token()))

context = multiprocessing.get_context(sys.argv[1])
if __name__ == "__main__":
    token_manager.get_token()  # the application was loaded before the fork
    gate, found = context.Event(), context.SimpleQueue()
    workers = [context.Process(target=serve, args=(gate, found)) for _ in range(8)]
    for worker in workers:
        worker.start()
    gate.set()
    answers = [found.get() for _ in workers]
    for worker in workers:
        worker.join()
    print({worker.exitcode for worker in workers} == {0}, len({one for both in answers for one in both}))
    print(token_manager.get_token() == answers[0][0])
"""


@pytest.mark.posix
@pytest.mark.parametrize("kind", ["file", "auto"])
@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_workers_of_a_server_make_one_request(
    monkeypatch: pytest.MonkeyPatch,
    sandbox: SandboxKiwoom,
    issues: Callable[[], int],
    tmp_path: Path,
    *,
    kind: str,
    method: str,
) -> None:
    monkeypatch.setenv("KIWOOM_TRAY_STORE", kind)
    sandbox.set_delay(0.2)
    script = tmp_path / "server.py"
    script.write_text(PREFORK)

    done = subprocess.run(
        [sys.executable, str(script), method],
        env={**os.environ, "PYTHONPATH": PYTHON_PATH},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )

    assert (done.stdout, issues()) == ("True 1\nTrue\n", 1), done.stderr


WRITE = """
import sys
from tray_app import TokenManager
manager = TokenManager()
name, pairs = sys.argv[1], int(sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
for n in range(pairs):
    manager.set_token(f"token-{name}-{n:05}-end", 86400)
    manager.clear_token()
print("done", flush=True)
for line in sys.stdin:
    if line.strip() == "set":
        manager.set_token("the-last-token", 86400)
    print(manager.get_token(), flush=True)
"""

READ = """
import re, sys, threading, time
from tray_app import TokenManager
manager = TokenManager()
print("ready", flush=True)
sys.stdin.readline()
over = threading.Event()
threading.Thread(target=lambda: (sys.stdin.readline(), over.set()), daemon=True).start()
seen, torn = 0, 0
while not over.is_set():
    token = manager.get_token()
    seen += token is not None
    torn += token is not None and not re.fullmatch(r"token-\\d-\\d{5}-end", token)
    time.sleep(0.001)
print(seen > 0, torn, manager.get_token(), flush=True)
sys.stdin.readline()
print(manager.get_token(), flush=True)
"""


@pytest.fixture
def quick_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Ten thousand writes that each wait for a real disk would take minutes."""
    memory = Path("/dev/shm")  # noqa: S108 - a folder of its own is made in it
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        monkeypatch.setenv("KIWOOM_TRAY_DATA_DIR", folder)
        yield Path(folder)


def test_ten_thousand_sets_and_clears_by_eight_tear_and_lose_nothing(quick_disk: Path) -> None:
    writers = [run(WRITE, n, PAIRS) for n in range(WRITERS)]
    readers = [run(READ) for _ in range(READERS)]

    def tell(programs: Any, word: Any) -> list[Any]:
        for program in programs:
            program.stdin.write(word + "\n")
            program.stdin.flush()
        return [program.stdout.readline().strip() for program in programs]

    assert {one.stdout.readline() for one in writers + readers} == {"ready\n"}
    for reader in readers:
        reader.stdin.write("\n")
        reader.stdin.flush()
    finished = tell(writers, "")
    read = tell(readers, "")
    cleared = tell(writers, "get")
    kept = tell(writers[:1], "set") + tell(writers + readers, "get")
    complaints = [program.communicate(timeout=30)[1] for program in writers + readers]

    assert finished == ["done"] * WRITERS
    assert read == ["True 0 None"] * READERS
    assert cleared == ["None"] * WRITERS
    assert kept == ["the-last-token"] * (1 + WRITERS + READERS)
    assert set(complaints) == {""}
    assert json.loads((quick_disk / ".token").read_text())["access_token"] == "the-last-token"
    assert sorted(path.name for path in quick_disk.glob(".token*")) == [".token", ".token.lock", ".token.owner"]
