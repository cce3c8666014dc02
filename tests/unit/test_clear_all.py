"""`clear --all`: no profile's token stays behind, whatever stands in the way of another's."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from keyring.errors import KeyringError

from tests.command_line import Run
from tests.doubles import MemoryKeyring, use_memory_keyring
from tests.sandbox import sandbox_with_keys
from tray_app.kiwoom.sandbox import SANDBOX_APP_KEY, SANDBOX_APP_SECRET, SandboxKiwoom
from tray_app.settings.places import shared_state_dir

REMOVED = "The token was removed from this computer. At Kiwoom it stays valid until it expires."


@pytest.fixture
def kiwoom(monkeypatch: pytest.MonkeyPatch) -> Iterator[SandboxKiwoom]:
    with sandbox_with_keys(monkeypatch) as sandbox:
        yield sandbox


@pytest.fixture
def keyring_client(monkeypatch: pytest.MonkeyPatch) -> MemoryKeyring:
    return use_memory_keyring(monkeypatch)


@pytest.fixture
def data(private_places: Path) -> Path:
    return private_places / "data"


@pytest.fixture
def settings(private_places: Path) -> Path:
    file = private_places / "places" / "settings" / "settings.toml"
    file.parent.mkdir(parents=True)
    return file


def put(run: Callable[..., Run], *profiles: str) -> None:
    for profile in profiles:
        stored = run("set", "--expires-in", "3600", "--profile", profile, stdin=f"the-token-of-{profile}-and-no-other")
        assert stored.status == 0, stored.err


def test_tokens_of_every_profile_go_from_files_and_from_bots(
    run: Callable[..., Run], data: Path, settings: Path, tmp_path: Path
) -> None:
    bot = tmp_path / "bot.json"
    settings.write_text(f"[profiles.scalp]\nshare_bot_file = {json.dumps(str(bot))}\n")
    put(run, "default", "scalp", "not-in-the-settings")
    assert "the-token-of-scalp" in bot.read_text()

    cleared = run("clear", "--all")

    assert (cleared.status, cleared.err) == (0, "")
    names = ("default", "scalp", "not-in-the-settings")
    assert cleared.out.splitlines() == [f"{name}: {REMOVED}" for name in names]
    assert list(data.glob("*.token")) == []
    assert not (data / ".token").exists()
    assert not bot.exists()
    assert run("clear", "--all").out == "There was no token.\n"


def test_tokens_of_every_profile_go_from_the_keyring(
    run: Callable[..., Run], keyring_client: MemoryKeyring, settings: Path
) -> None:
    put(run, "scalp", "swing")
    assert len(keyring_client.entries) == 2

    cleared = run("clear", "--all")

    assert (cleared.status, cleared.out.splitlines()) == (0, [f"{name}: {REMOVED}" for name in ("scalp", "swing")])
    assert keyring_client.entries == {}


def test_a_token_that_is_about_to_expire_goes_too(run: Callable[..., Run], data: Path) -> None:
    put(run, "scalp")
    (data / "scalp.token").rename(data / "scalp.token.ending")

    assert run("clear", "--all").out == f"scalp: {REMOVED}\n"

    assert list(data.glob("*.ending")) == []


def test_a_token_of_other_keys_goes_too(
    run: Callable[..., Run], kiwoom: SandboxKiwoom, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("refresh")
    monkeypatch.setenv("APP_KEY", "another-account-with-a-key-of-its-own")
    assert "stays" in run("clear").out
    kept = run("clear", "--all", "--revoke")
    assert (kept.status, kept.out, kept.err.partition(":")[0]) == (1, "", "default")
    assert (data / ".token").exists()

    cleared = run("clear", "--all")

    assert (cleared.status, cleared.out) == (0, f"default: {REMOVED}\n")
    assert not (data / ".token").exists()


def test_each_is_revoked_when_told(
    run: Callable[..., Run], kiwoom: SandboxKiwoom, keyring_client: MemoryKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = f"{SANDBOX_APP_KEY}\n{SANDBOX_APP_SECRET}\n"
    assert run("login", "--stdin", "--mode", "real", "--profile", "scalp", stdin=keys).status == 0

    cleared = run("clear", "--all", "--revoke")

    assert (cleared.status, cleared.err) == (0, "")
    assert "scalp: The token was revoked at Kiwoom and removed from this computer." in cleared.out.splitlines()
    assert kiwoom.counts()["revoke"] == 1


@pytest.mark.posix
def test_what_cannot_be_deleted_is_said_and_the_others_go(run: Callable[..., Run], data: Path, settings: Path) -> None:
    settings.write_text('[profiles.scalp]\n[profiles.broken]\nmode = "wrong"\n')
    put(run, "default", "scalp")
    (data / ".token").unlink()
    (data / ".token").mkdir()

    cleared = run("clear", "--all")

    told = cleared.err.splitlines()
    assert cleared.status != 0
    assert [line.partition(":")[0] for line in told] == ["default", "broken"]
    assert str(data / ".token") in told[0]
    assert cleared.out == f"scalp: {REMOVED}\n"
    assert not (data / "scalp.token").exists()


def test_a_keyring_that_cannot_be_read_is_a_failure(
    run: Callable[..., Run], keyring_client: MemoryKeyring, settings: Path
) -> None:
    put(run, "scalp")
    keyring_client.broken = KeyringError("no answer")

    cleared = run("clear", "--all")

    assert (cleared.status, cleared.out) == (6, "")
    assert "\nscalp: Any token stored here counts as removed," in cleared.err


def test_all_and_one_profile_contradict_each_other(run: Callable[..., Run]) -> None:
    refused = run("clear", "--all", "--profile", "scalp")

    assert (refused.status, refused.err) == (2, "Give either --profile or --all.\n")


@pytest.mark.skipif(sys.platform == "win32", reason="the vault's lock is there alone")
def test_a_lock_without_a_token_is_no_profile(run: Callable[..., Run]) -> None:
    state = Path(shared_state_dir())
    state.mkdir(parents=True, exist_ok=True)
    for name in (".vault.lock", "vault.lock"):
        (state / name).touch()

    assert run("clear", "--all").out == "There was no token.\n"

    assert not (state / "vault.signal").exists()
