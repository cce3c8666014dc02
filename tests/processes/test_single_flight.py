"""Of all processes that want a token at once, one asks Kiwoom."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.processes.conftest import PYTHON_PATH
from tests.processes.file_keyring import use_file_keyring
from tray_app.core.token import decode, encode_seed, token_for
from tray_app.kiwoom.sandbox import SandboxKiwoom

MANY = 8


@pytest.fixture(params=["file", "auto"])
def store(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A lock beside the file, and one in the user's state folder."""
    monkeypatch.setenv("KIWOOM_TRAY_STORE", request.param)
    use_file_keyring(monkeypatch, tmp_path)


@pytest.fixture
def locks(store: None, tmp_path: Path) -> Callable[..., list[Any]]:
    """The lock's file, wherever this store has it."""

    def find() -> list[Any]:
        places = (tmp_path / "data", tmp_path / "places" / "state", tmp_path / "places" / "local")
        return [one for place in places for one in place.rglob("*.lock")]

    return find


class TestOneRequest:
    def test_when_there_is_no_token(
        self,
        store: str,
        sandbox: SandboxKiwoom,
        issues: Callable[[], int],
        start: Callable[..., Any],
        together: Callable[..., list[Any]],
    ) -> None:
        sandbox.set_delay(0.2)

        results = together(start(MANY), "ensure_token")

        assert issues() == 1
        assert len(set(results)) == 1

    def test_when_the_token_has_expired(
        self,
        store: str,
        sandbox: SandboxKiwoom,
        issues: Callable[[], int],
        start: Callable[..., Any],
        together: Callable[..., list[Any]],
    ) -> None:
        workers = start(MANY)
        workers[0].ask("set_token", "expired", 0.001)
        sandbox.set_delay(0.2)

        results = together(workers, "ensure_token")

        assert issues() == 1
        assert (len(set(results)), "expired" in results) == (1, False)

    def test_when_kiwoom_gives_the_same_token_back(
        self,
        store: str,
        sandbox: SandboxKiwoom,
        issues: Callable[[], int],
        start: Callable[..., Any],
        together: Callable[..., list[Any]],
    ) -> None:
        sandbox.set_lifetime(200)  # less than ensure_token wants
        workers = start(MANY)
        first = workers[0].ask("ensure_token")
        sandbox.set_delay(0.2)

        results = together(workers, "ensure_token") + together(workers, "ensure_token")

        assert issues() == 2
        assert set(results) == {first}

    def test_when_kiwoom_does_not_answer(
        self,
        store: str,
        sandbox: SandboxKiwoom,
        issues: Callable[[], int],
        start: Callable[..., Any],
        until: Callable[[Callable[[], object]], None],
    ) -> None:
        workers = start(MANY)
        sandbox.set_fault("hang", on="issue")
        for worker in workers:
            worker.send("ensure_token")
        for worker in workers:
            worker.wait_until("waiting")
        until(lambda: issues() == 1)

        sandbox.clear_faults()

        errors = [worker.answer() for worker in workers]
        assert issues() == 1
        assert [error["error"] for error in errors] == ["BrokerUnavailable"] * MANY

    def test_when_everybody_refreshes(
        self, store: str, gate: threading.Event, issues: Callable[[], int], start: Callable[..., Any]
    ) -> None:
        workers = start(MANY)
        for worker in workers:
            worker.send("refresh_token")
        for worker in workers:
            worker.wait_until("waiting")
        gate.set()

        results = [worker.answer() for worker in workers]

        assert issues() == 1
        assert len(set(results)) == 1


def test_thirty_two_processes_make_one_request(
    monkeypatch: pytest.MonkeyPatch,
    sandbox: SandboxKiwoom,
    issues: Callable[[], int],
    start: Callable[..., Any],
    together: Callable[..., list[Any]],
) -> None:
    monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")
    sandbox.set_delay(0.2)

    results = together(start(32), "ensure_token")

    assert (issues(), len(set(results))) == (1, 1)


def test_kiwooms_wish_to_wait_holds_for_every_process(
    store: str, sandbox: SandboxKiwoom, issues: Callable[[], int], start: Callable[..., Any]
) -> None:
    one, other = start(2)
    sandbox.set_fault("http-429", seconds=60, times=1)

    first, second = one.ask("ensure_token"), other.ask("ensure_token")

    assert (first["error"], second["error"], issues()) == ("RateLimited", "RateLimited", 1)
    assert 0 < second["retry_after"] <= 60


class TestDeath:
    def test_of_who_asks_lets_the_next_one_ask(
        self,
        store: str,
        sandbox: SandboxKiwoom,
        issues: Callable[[], int],
        start: Callable[..., Any],
        until: Callable[[Callable[[], object]], None],
    ) -> None:
        one, other = start(2)
        sandbox.set_fault("hang", on="issue", times=1)
        one.send("ensure_token")
        until(lambda: issues() == 1)
        other.send("ensure_token")
        other.wait_until("waiting")

        one.kill()

        found = other.answer()
        assert isinstance(found, str)
        assert (issues(), other.ask("get_token"), start().ask("get_token")) == (2, found, found)

    def test_of_who_writes_leaves_the_old_token_whole(
        self, monkeypatch: pytest.MonkeyPatch, token_file: Path, start: Callable[..., Any]
    ) -> None:
        monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")
        one, other = start(2)
        one.ask("set_token", "older", 86400)
        one.ask("die while writing")
        one.send("set_token", "newer", 86400)
        one.wait()

        assert other.ask("get_token") == "older"
        assert decode(token_file.read_text()).value.reveal() == "older"

    def test_of_who_writes_does_not_hinder_the_next_write(
        self, monkeypatch: pytest.MonkeyPatch, token_file: Path, start: Callable[..., Any]
    ) -> None:
        monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")
        one, other = start(2)
        one.ask("die while writing")
        one.send("set_token", "never", 86400)
        one.wait()
        for left in token_file.parent.glob("*.new"):  # a minute later
            os.utime(left, (1, 1))

        other.ask("set_token", "newer", 86400)

        assert other.ask("get_token") == "newer"
        assert not list(token_file.parent.glob("*.new"))


class TestLockFile:
    def test_stays_the_same_file(
        self,
        store: str,
        sandbox: SandboxKiwoom,
        locks: Callable[..., list[Any]],
        start: Callable[..., Any],
        together: Callable[..., list[Any]],
    ) -> None:
        workers = start(3)
        together(workers, "ensure_token")
        before = [path.stat().st_ino for path in locks()]
        workers[0].ask("clear_token")
        together(workers, "ensure_token")
        workers[1].kill()

        assert len(before) == 1
        assert [path.stat().st_ino for path in locks()] == before

    @pytest.mark.posix
    def test_excludes_also_after_its_folder_was_removed(
        self,
        store: str,
        sandbox: SandboxKiwoom,
        issues: Callable[[], int],
        *,
        locks: Callable[..., list[Any]],
        start: Callable[..., Any],
        together: Callable[..., list[Any]],
    ) -> None:
        workers = start(MANY)
        workers[0].ask("ensure_token")
        for worker in workers:
            worker.ask("clear_token")  # each has the lock's file open now
        shutil.rmtree(locks()[0].parent)
        sandbox.set_delay(0.2)
        before = issues()

        results = together(workers, "ensure_token")

        assert issues() == before + 1
        assert len(set(results)) == 1


FORK = """
import os, sys, threading
from tray_app import TokenManager
from tray_app.stores.lock import ProfileLock
manager = TokenManager()
asking = threading.Thread(target=manager.ensure_token)
asking.start()
sys.stdin.readline()
acquire = ProfileLock.acquire
child = os.fork()
if child == 0:
    ProfileLock.acquire = lambda *lock, **options: print("waiting", flush=True) or acquire(*lock, **options)
    found = manager.refresh_token()
    os._exit(0 if found == manager.get_token() else 1)
asking.join()
print(os.waitpid(child, 0)[1])
"""


@pytest.mark.posix
def test_a_child_forked_in_the_middle_of_a_request_waits_for_it(
    monkeypatch: pytest.MonkeyPatch,
    gate: threading.Event,
    issues: Callable[[], int],
    until: Callable[[Callable[[], object]], None],
) -> None:
    """The child inherits neither the turn of the parent's thread nor its lock."""
    monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")
    process = subprocess.Popen(
        [sys.executable, "-c", FORK],
        env={**os.environ, "PYTHONPATH": PYTHON_PATH},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    until(lambda: issues() == 1)

    process.stdin.write("now\n")
    process.stdin.flush()
    child = process.stdout.readline()
    gate.set()

    told, _ = process.communicate(timeout=60)

    assert (child, told, issues()) == ("waiting\n", "0\n", 1)


def test_a_file_of_a_plain_writer_is_adopted_by_who_waits(
    monkeypatch: pytest.MonkeyPatch,
    sandbox: SandboxKiwoom,
    issues: Callable[[], int],
    *,
    token_file: Path,
    start: Callable[..., Any],
    until: Callable[[Callable[[], object]], None],
) -> None:
    """Somebody else brings a token while Kiwoom is being asked: nobody is asked twice."""
    monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")
    one, other = start(2)
    sandbox.set_fault("hang", on="issue")
    one.send("ensure_token")
    until(lambda: issues() == 1)
    other.send("ensure_token")
    other.wait_until("waiting")
    token_file.write_text(encode_seed(token_for("brought", 86400, time.time())))

    sandbox.clear_faults()

    assert (one.answer(), other.answer(), issues()) == ("brought", "brought", 1)
