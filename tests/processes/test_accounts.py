"""Nothing of one account reaches another: other keys and other profiles, in every store, across real programs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.processes.conftest import PYTHON_PATH
from tests.processes.file_keyring import FileKeyring, use_file_keyring
from tray_app.kiwoom.sandbox import SandboxKiwoom

ONE = {"APP_KEY": "key-of-one", "APP_SECRET": "secret-of-one"}
TWO = {"APP_KEY": "key-of-two", "APP_SECRET": "secret-of-two"}
MOCK = {"APP_KEY_MOCK": "key-of-mock", "APP_SECRET_MOCK": "secret-of-mock", "KIWOOM_MODE": "demo"}


@pytest.fixture(params=["file", "keyring", "redis"])
def stored_in(request: pytest.FixtureRequest, store_in: Callable[[str], str]) -> Any:
    return store_in(request.param)


@pytest.fixture
def kiwoom_token(sandbox: SandboxKiwoom, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Runs `kiwoom-token` with the keys of an account in its environment; returns what it printed, or its status."""
    for name in ("APP_KEY", "APP_SECRET"):
        monkeypatch.delenv(name)

    def run(account: Any, *words: Any, stdin: Any = None) -> Any:
        done = subprocess.run(
            [sys.executable, "-m", "tray_app.cli.main", *words],
            input=stdin,
            env={**os.environ, **account, "PYTHONPATH": PYTHON_PATH},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.stdout.strip() if done.returncode == 0 else done.returncode

    return run


def test_the_same_keys_find_the_token(
    stored_in: str, kiwoom_token: Callable[..., Any], issues: Callable[[], int]
) -> None:
    token = kiwoom_token(ONE, "get")

    assert (kiwoom_token(ONE, "get"), issues()) == (token, 1)


@pytest.mark.parametrize("other", [TWO, MOCK], ids=["other keys", "the other mode"])
def test_other_keys_get_a_token_of_their_own(
    stored_in: str, kiwoom_token: Callable[..., Any], issues: Callable[[], int], other: dict[str, str]
) -> None:
    token = kiwoom_token(ONE, "get")

    assert kiwoom_token(other, "get", "--no-issue") == 3
    assert json.loads(kiwoom_token(other, "status", "--json"))["has_token"] is False
    theirs = kiwoom_token(other, "get")

    assert isinstance(theirs, str)
    assert (theirs == token, issues()) == (False, 2)


def test_a_clear_with_other_keys_revokes_nothing(
    stored_in: str, kiwoom_token: Callable[..., Any], sandbox: SandboxKiwoom
) -> None:
    kiwoom_token(ONE, "get")

    kiwoom_token(TWO, "clear", "--revoke")

    assert sandbox.counts()["revoke"] == 0


def test_a_clear_with_other_keys_leaves_the_token(stored_in: str, kiwoom_token: Callable[..., Any]) -> None:
    token = kiwoom_token(ONE, "get")

    said = kiwoom_token(TWO, "clear")

    assert "stays" in said
    assert kiwoom_token(ONE, "get", "--no-issue") == token


class TestKeysInTheKeyring:
    @pytest.fixture
    def setup(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
        """Puts keys where `kiwoomcli setup` puts them, without a word to anybody."""
        monkeypatch.setenv("KIWOOM_TRAY_STORE", "auto")
        use_file_keyring(monkeypatch, tmp_path)

        def put(account: Any) -> None:
            keyring = FileKeyring()
            keyring.set_password("kiwoom-real", "appkey", account["APP_KEY"])
            keyring.set_password("kiwoom-real", "secretkey", account["APP_SECRET"])

        return put

    def test_that_were_replaced_leave_the_old_account_without_its_token(
        self, setup: Callable[..., None], kiwoom_token: Callable[..., Any], issues: Callable[[], int]
    ) -> None:
        setup(ONE)
        token = kiwoom_token({}, "get")
        assert (kiwoom_token({}, "get"), issues()) == (token, 1)
        setup(TWO)

        assert kiwoom_token({}, "get", "--no-issue") == 3
        theirs = kiwoom_token({}, "get")

        assert isinstance(theirs, str)
        assert (theirs == token, kiwoom_token({}, "get"), issues()) == (False, theirs, 2)

    def test_that_are_gone_leave_the_token(
        self, setup: Callable[..., None], kiwoom_token: Callable[..., Any], tmp_path: Path
    ) -> None:
        setup(ONE)
        token = kiwoom_token({}, "get")
        kiwoom_token({}, "logout")

        assert kiwoom_token({}, "get") == token

    def test_that_were_replaced_reach_a_running_program_with_the_next_token(
        self, setup: Callable[..., None], kiwoom_token: Callable[..., Any], start: Callable[..., Any]
    ) -> None:
        setup(ONE)
        running = start()
        before = running.ask("ensure_token")
        setup(TWO)

        theirs = kiwoom_token({}, "get")

        assert running.ask("get_token") == theirs != before


def test_profiles_have_tokens_of_their_own(stored_in: str, kiwoom_token: Callable[..., Any]) -> None:
    names = ["default", "가족 계좌", "Second", "second-2"]
    for name in names:
        words = ("--profile", name, "set", "--expires-in", "3600")
        assert isinstance(kiwoom_token({}, *words, stdin=f"token-{names.index(name)}"), str)

    found = [kiwoom_token({}, "--profile", name, "get", "--no-issue") for name in names]
    kiwoom_token({}, "--profile", "Second", "clear")
    left = [kiwoom_token({}, "--profile", name, "get", "--no-issue") for name in names]

    assert found == ["token-0", "token-1", "token-2", "token-3"]
    assert left == ["token-0", "token-1", 3, "token-3"]


def test_a_profile_does_not_use_the_keys_of_the_default_one(
    stored_in: str, kiwoom_token: Callable[..., Any], issues: Callable[[], int]
) -> None:
    assert (kiwoom_token(ONE, "--profile", "Second", "get"), issues()) == (4, 0)
