"""One account whose token is in two places: what one of them ends at Kiwoom, the other one does not hand out."""

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
from tests.processes.file_keyring import use_file_keyring
from tray_app.cli.watch import Terminal
from tray_app.kiwoom.sandbox import SandboxKiwoom
from tray_app.kiwoom.sandbox.rules import Reissue
from tray_app.service.composition import open_service
from tray_app.settings.load import load_settings


@pytest.fixture(params=["two folders", "a folder and the keyring"])
def places(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[dict[str, str]]:
    """The environments of two programs with the same keys."""
    use_file_keyring(monkeypatch, tmp_path)
    other = {"KIWOOM_TRAY_STORE": "file", "KIWOOM_TRAY_DATA_DIR": str(tmp_path / "other")}
    kind = "file" if request.param == "two folders" else "keyring"
    return [{"KIWOOM_TRAY_STORE": kind, "KIWOOM_TRAY_DATA_DIR": str(tmp_path / "data")}, other]


def run(place: dict[str, str], *words: str, status: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "tray_app.cli.main", *words],
        env={**os.environ, **place, "PYTHONPATH": PYTHON_PATH},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == status, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("way", [("refresh", "--rotate"), ("clear", "--revoke")], ids=" ".join)
@pytest.mark.parametrize("first", [0, 1])
def test_a_token_that_one_ends_is_not_handed_out_by_the_other(
    first: int, way: tuple[str, str], places: list[dict[str, str]], sandbox: SandboxKiwoom
) -> None:
    here, there = places[first], places[1 - first]
    before = run(here, "get")
    assert run(there, "get") == before

    run(here, *way)

    assert json.loads(run(there, "status", "--json"))["has_token"] is False
    assert "from another folder, profile or store" in run(there, "doctor", status=1)
    assert run(there, "get") == run(here, "get") != before


@pytest.mark.parametrize("reissue", ["same", "new", "replace"])
@pytest.mark.parametrize("first", [0, 1])
def test_they_use_one_token_whoever_gets_the_next_one(
    first: int, reissue: Reissue, places: list[dict[str, str]], sandbox: SandboxKiwoom
) -> None:
    sandbox.behaviour.reissue = reissue
    here, there = places[first], places[1 - first]

    token = run(here, "get")
    assert run(there, "get") == token
    assert sandbox.counts()["issue"] == 1

    run(there, "refresh", "--rotate")
    token = run(there, "get")
    assert run(here, "get") == token
    assert run(here, "verify")
    assert run(there, "verify")
    assert sandbox.counts()["issue"] == 2

    run(here, "refresh")
    assert run(there, "get") == run(here, "get")
    assert run(here, "verify")
    assert run(there, "verify")
    assert sandbox.counts()["issue"] == 3


def test_a_running_program_asks_again(
    places: list[dict[str, str]],
    sandbox: SandboxKiwoom,
    start: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in places[1].items():
        monkeypatch.setenv(name, value)
    running = start()
    before = running.ask("ensure_token")
    run(places[0], "get")

    run(places[0], "refresh", "--rotate")

    assert running.ask("ensure_token") == run(places[0], "get") != before


def test_whoever_watches_one_place_goes_on_with_the_token_of_the_other(
    places: list[dict[str, str]], sandbox: SandboxKiwoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.behaviour.reissue = "replace"
    for name, value in places[1].items():
        monkeypatch.setenv(name, value)
    watching = Terminal(load_settings(), open_service)
    watching.poll()
    run(places[0], "refresh")
    assert "not confirmed" in run(places[1], "doctor", status=1)

    watching.poll()
    watching.poll()

    assert run(places[1], "get", "--no-issue") == run(places[0], "get", "--no-issue")
    assert sandbox.counts()["issue"] == 2


def test_what_it_has_in_memory_is_gone_within_seconds(
    places: list[dict[str, str]],
    sandbox: SandboxKiwoom,
    start: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    until: Callable[[Callable[[], object]], None],
) -> None:
    for name, value in places[1].items():
        monkeypatch.setenv(name, value)
    running = start()
    before = running.ask("ensure_token")
    assert running.ask("get_token") == before
    run(places[0], "get")

    run(places[0], "clear", "--revoke")

    until(lambda: running.ask("get_token") is None)
