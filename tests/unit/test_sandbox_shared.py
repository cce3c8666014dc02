"""Practising: one practice Kiwoom for all who practise, tokens that its end takes along, and a lifetime that holds."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.command_line import Run
from tray_app.core.errors import InvalidInput
from tray_app.kiwoom.sandbox.shared import Sandbox, open_sandbox
from tray_app.service.composition import open_service
from tray_app.service.token_service import TokenService
from tray_app.settings.load import load_settings
from tray_app.settings.places import sandbox_dir


@pytest.fixture
def open_one(private_places: Path) -> Iterator[Callable[..., Sandbox]]:
    opened: list[Sandbox] = []

    def open_one(lifetime: float | None = None) -> Sandbox:
        opened.append(open_sandbox(os.environ, lifetime))
        return opened[-1]

    yield open_one
    for one in opened:
        one.stop()


def service_of(sandbox: Sandbox) -> TokenService:
    return open_service(load_settings(None, sandbox.environ), environ=sandbox.environ)


def test_second_start_uses_the_server_of_the_first(open_one: Callable[..., Sandbox]) -> None:
    first, second = open_one(), open_one()
    assert (first.is_shared, second.is_shared) == (False, True)
    assert first.base_url == second.base_url
    issued = service_of(first).refresh().token
    assert service_of(second).ensure().token.value == issued.value


def test_token_whose_server_has_gone_is_replaced_at_the_start(open_one: Callable[..., Sandbox]) -> None:
    first = open_one()
    issued = service_of(first).refresh().token
    first.stop()
    second = open_one()
    assert not second.is_shared
    assert service_of(second).current() is None
    assert service_of(second).ensure().token.value != issued.value


def test_server_that_was_killed_is_not_taken_for_a_running_one(open_one: Callable[..., Sandbox]) -> None:
    folder = Path(sandbox_dir(os.environ))
    folder.mkdir(parents=True)
    for text in ('{"url": "http://127.0.0.1:9"}', '{"url": "http://example.com:80"}', "[]", "not JSON"):
        (folder / "server.json").write_text(text)
        sandbox = open_one()
        assert not sandbox.is_shared
        sandbox.stop()


@pytest.mark.parametrize("is_running", [False, True])
def test_lifetime_always_holds(open_one: Callable[..., Sandbox], is_running: bool) -> None:
    first = open_one()
    service_of(first).refresh()
    if not is_running:
        first.stop()
    second = open_one(300)
    assert second.is_shared is is_running
    token = service_of(second).refresh().token
    assert 295 <= (token.expires_at - token.created_at).total_seconds() <= 302


def test_lifetime_that_cannot_be_used_is_refused(open_one: Callable[..., Sandbox]) -> None:
    with pytest.raises(InvalidInput):
        open_one(-5)


def test_every_command_can_use_the_sandbox_and_leaves_the_users_own_things_alone(
    run: Callable[..., Run], open_one: Callable[..., Sandbox], monkeypatch: pytest.MonkeyPatch, private_places: Path
) -> None:
    monkeypatch.setenv("KIWOOM_PROFILE", "mine")
    monkeypatch.setenv("APP_KEY", "my-own-key")
    sandbox = open_one()
    got = run("--sandbox", "get")
    assert (got.status, got.err) == (0, "")
    assert got.out.strip() == service_of(sandbox).living().value.reveal()
    status = json.loads(run("--sandbox", "status", "--json").out)
    assert (status["profile"], status["mode"], status["store"]) == ("default", "demo", "file")
    assert os.environ["APP_KEY"] == "my-own-key"
    assert os.environ["KIWOOM_PROFILE"] == "mine"
    assert "KIWOOM_MODE" not in os.environ or os.environ["KIWOOM_MODE"] != "demo"


def test_command_in_the_sandbox_is_found_by_its_name_alone(
    run: Callable[..., Run], private_places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", os.path.dirname(sys.executable))
    ran = run("--sandbox", "exec", "--", os.path.basename(sys.executable), "-c", "raise SystemExit(7)")
    assert ran.status == 7
    assert run("--sandbox", "exec", "--", "no-such-program").status == 127


def test_command_without_a_running_sandbox_has_one_for_itself(
    run: Callable[..., Run], private_places: Path, tmp_path: Path
) -> None:
    written = tmp_path / "out"
    program = (
        "import os, sys; open(sys.argv[1], 'w').write(os.environ['KIWOOM_TRAY_BASE_URL'] + os.environ['KIWOOM_TOKEN'])"
    )
    ran = run("--sandbox", "exec", "--", sys.executable, "-c", program, str(written))
    assert ran.status == 0
    assert "ends with the command" in ran.err
    assert written.read_text().startswith("http://127.0.0.1:")
    assert not (Path(sandbox_dir(os.environ)) / "server.json").exists()
