"""What one process does, the next question to another one knows."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.processes.conftest import PYTHON_PATH
from tests.processes.file_keyring import use_file_keyring
from tray_app.core.token import encode_seed, token_for
from tray_app.kiwoom.sandbox import SandboxKiwoom

DAY = 86400


@pytest.fixture
def pair(store: str, start: Callable[..., Any]) -> Any:
    return start(2)


@pytest.fixture
def keyring_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("KIWOOM_TRAY_STORE", "auto")
    use_file_keyring(monkeypatch, tmp_path)
    return tmp_path / "keyring.json"


@pytest.fixture
def broken(keyring_file: Path) -> Path:
    return keyring_file.with_name(keyring_file.name + ".broken")


def test_what_one_sets_the_other_gets(pair: Any) -> None:
    one, other = pair
    before = other.ask("get_token")

    one.ask("set_token", "token-of-a-test", DAY)

    assert (before, other.ask("get_token")) == (None, "token-of-a-test")


def test_what_one_clears_the_other_does_not_get(pair: Any) -> None:
    one, other = pair
    one.ask("set_token", "token-of-a-test", DAY)
    before = other.ask("get_token")

    one.ask("clear_token")

    assert (before, other.ask("get_token"), other.ask("is_token_valid")) == ("token-of-a-test", None, False)


def test_what_one_renews_the_other_gets(store: str, sandbox: SandboxKiwoom, start: Callable[..., Any]) -> None:
    one, other = start(2)
    one.ask("set_token", "older", 200)
    before = other.ask("get_token")

    renewed = one.ask("ensure_token")

    assert (before, other.ask("get_token")) == (None, renewed)


def test_hundred_changes_are_all_noticed(pair: Any) -> None:
    missed = []
    for n in range(100):
        pair[n % 2].ask("set_token", f"token-{n}", DAY)
        if pair[1 - n % 2].ask("get_token") != f"token-{n}":
            missed.append(n)

    assert missed == []


def test_a_process_that_starts_later_finds_it(pair: Any, start: Callable[..., Any]) -> None:
    pair[0].ask("set_token", "token-of-a-test", DAY)

    assert start().ask("get_token") == "token-of-a-test"


@pytest.mark.parametrize("kind", ["file", "auto"])
@pytest.mark.parametrize(
    ("change", "found"),
    [
        pytest.param(lambda ours, theirs: ours.write_bytes(theirs.read_bytes()), "theirs", id="written in place"),
        pytest.param(lambda ours, theirs: theirs.replace(ours), "theirs", id="replaced"),
        pytest.param(lambda ours, theirs: shutil.copy2(theirs, ours), "theirs", id="copied with its times"),
        pytest.param(lambda ours, theirs: ours.unlink(), None, id="removed"),
        pytest.param(
            lambda ours, theirs: shutil.rmtree(ours.parent), None, id="folder removed", marks=pytest.mark.posix
        ),
        pytest.param(lambda ours, theirs: ours.write_bytes(b""), None, id="emptied"),
    ],
)
def test_a_program_that_knows_only_the_file_is_noticed(
    kind: str,
    change: Callable[..., Any],
    found: str | None,
    *,
    monkeypatch: pytest.MonkeyPatch,
    start: Callable[..., Any],
    token_file: Path,
) -> None:
    monkeypatch.setenv("KIWOOM_TRAY_STORE", kind)
    worker = start()
    worker.ask("set_token", "ours", DAY)
    assert worker.ask("get_token") == "ours"
    theirs = token_for("theirs", DAY, time.time() + 1)
    other = token_file.with_name(".token.theirs")
    other.write_text(encode_seed(theirs))

    change(token_file, other)

    assert worker.ask("get_token") == found


class TestKeyringComesAndGoes:
    def test_while_it_fails_the_file_is_everybodys(
        self, keyring_file: Path, broken: Path, start: Callable[..., Any], token_file: Path
    ) -> None:
        one, other = start(2)
        one.ask("set_token", "in-the-keyring", DAY)
        broken.touch()

        other.ask("set_token", "in-the-file", DAY)

        assert (one.ask("get_token"), token_file.exists()) == ("in-the-file", True)

    def test_when_it_is_back_the_next_write_goes_there_and_the_file_goes(
        self, keyring_file: Path, broken: Path, start: Callable[..., Any], token_file: Path
    ) -> None:
        one, other = start(2)
        broken.touch()
        one.ask("set_token", "in-the-file", DAY)
        broken.unlink()

        other.ask("set_token", "in-the-keyring", DAY)

        assert (one.ask("get_token"), token_file.exists()) == ("in-the-keyring", False)
        assert "in-the-keyring" in keyring_file.read_text()

    def test_what_was_cleared_while_it_failed_stays_cleared(
        self, keyring_file: Path, broken: Path, start: Callable[..., Any]
    ) -> None:
        one, other = start(2)
        one.ask("set_token", "token-of-a-test", DAY)
        broken.touch()
        other.ask("clear_token")

        broken.unlink()

        assert "token-of-a-test" in keyring_file.read_text()
        assert [worker.ask("get_token") for worker in (one, other, start())] == [None] * 3

    def test_an_older_token_in_it_does_not_hide_the_file(
        self, keyring_file: Path, broken: Path, start: Callable[..., Any]
    ) -> None:
        one, other = start(2)
        one.ask("set_token", "older", DAY)
        broken.touch()
        other.ask("set_token", "newer", DAY)

        broken.unlink()

        assert [worker.ask("get_token") for worker in (one, other, start())] == ["newer"] * 3


def test_programs_in_different_folders_without_a_keyring_do_not_drive_each_other_to_kiwoom(
    monkeypatch: pytest.MonkeyPatch,
    sandbox: SandboxKiwoom,
    issues: Callable[[], int],
    start: Callable[..., Any],
    tmp_path: Path,
) -> None:
    """Nobody chose a data folder, so each has its own `./data`, and takes over what the other one got."""
    monkeypatch.delenv("KIWOOM_TRAY_DATA_DIR")
    workers = []
    for name in ("api", "scheduler"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        workers.append(start())

    found = {worker.ask("ensure_token") for _ in range(10) for worker in workers}

    assert (len(found), issues()) == (1, 1)


class TestNeverPlaintext:
    @pytest.fixture
    def kiwoom_token(self, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
        monkeypatch.setenv("KIWOOM_TRAY_STORE", "keyring")

        def run(*arguments: Any) -> Any:
            return subprocess.run(
                [sys.executable, "-m", "tray_app.cli.main", *arguments],
                input="token-of-a-test",
                env={**os.environ, "PYTHONPATH": PYTHON_PATH},
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )

        return run

    @pytest.mark.parametrize("words", [["set", "--expires-in", "1000"], ["get", "--no-issue"], ["status"], ["clear"]])
    def test_without_the_keyring_that_was_asked_for_a_command_fails_with_6(
        self, words: list[str], kiwoom_token: Callable[..., Any]
    ) -> None:
        done = kiwoom_token(*words)

        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (6, "", 1)

    def test_and_writes_the_token_nowhere(self, kiwoom_token: Callable[..., Any], tmp_path: Path) -> None:
        kiwoom_token("set", "--expires-in", "1000")

        assert not [one for one in tmp_path.rglob("*") if one.is_file() and b"token-of-a-test" in one.read_bytes()]


def test_a_keyrings_entry_is_what_the_contract_says(keyring_file: Path, start: Callable[..., Any]) -> None:
    start().ask("set_token", "token-of-a-test", DAY)

    ((name, text),) = json.loads(keyring_file.read_text()).items()
    assert name == "kiwoom-token-tray/default"
    assert list(json.loads(text)) == ["access_token", "expires_at", "created_at", "issued_for"]
