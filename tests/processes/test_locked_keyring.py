"""A keyring that cannot be asked while somebody clears the token in it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.processes.conftest import PYTHON_PATH
from tests.processes.file_keyring import use_file_keyring
from tray_app.core.errors import KeyringUnavailable
from tray_app.kiwoom.sandbox import SandboxKiwoom


@pytest.mark.parametrize("shares_file", [False, True])
def test_a_program_that_has_the_token_in_memory_does_not_go_on_with_it(
    *,
    shares_file: bool,
    sandbox: SandboxKiwoom,
    start: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    private_places: Path,
) -> None:
    use_file_keyring(monkeypatch, tmp_path)
    monkeypatch.setenv("KIWOOM_TRAY_STORE", "keyring")
    if shares_file:
        settings = private_places / "places" / "settings" / "settings.toml"
        settings.parent.mkdir(parents=True)
        settings.write_text("share_token_file = true\n")
    running = start()
    assert running.ask("ensure_token") == running.ask("get_token")
    broken = tmp_path / "keyring.json.broken"
    broken.touch()

    assert run("clear").returncode == KeyringUnavailable.exit_status
    assert running.ask("get_token") is None
    broken.unlink()
    assert running.ask("get_token") is None


def test_a_token_that_cannot_be_seen_is_not_said_to_be_rotated(
    sandbox: SandboxKiwoom, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, private_places: Path
) -> None:
    """An issue without a revoke would return the very same token."""
    use_file_keyring(monkeypatch, tmp_path)
    monkeypatch.setenv("KIWOOM_TRAY_STORE", "auto")
    token = run("get").stdout
    broken = tmp_path / "keyring.json.broken"
    broken.touch()

    refused = run("refresh", "--rotate")

    assert (refused.returncode, refused.stdout) == (KeyringUnavailable.exit_status, "")
    assert (sandbox.counts()["issue"], sandbox.counts()["revoke"]) == (1, 0)
    assert run("get").stdout == token, "one can be had all the same"
    assert run("refresh", "--rotate").returncode == 0, "it is in the file by now"
    assert run("get").stdout not in {"", token}


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tray_app.cli.main", *words],
        env={**os.environ, "PYTHONPATH": PYTHON_PATH},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
