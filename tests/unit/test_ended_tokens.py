"""The file that tells all stores of a user which tokens ended."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.doubles import Clock, FakeBroker
from tests.file_service import open_file_service
from tray_app.core.errors import BrokerUnavailable, StoreError
from tray_app.core.token import token_for
from tray_app.kiwoom.broker import Issued, Liveness
from tray_app.kiwoom.sandbox import SandboxKiwoom
from tray_app.kiwoom.sandbox.shared import Sandbox
from tray_app.service.composition import open_service
from tray_app.service.ended_tokens import EndedTokens
from tray_app.service.token_service import TokenService
from tray_app.settings.load import load_settings
from tray_app.settings.places import shared_state_dir
from tray_app.stores.file import FileStore

ONE, TWO = "0123456789abcdef", "fedcba9876543210"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "ended-tokens"


def test_what_one_program_tells_another_one_knows(path: Path) -> None:
    reader = EndedTokens(str(path))
    assert reader.fingerprints() == ()

    EndedTokens(str(path)).add([ONE, TWO])

    assert reader.fingerprints() == (ONE, TWO)


def test_what_was_told_already_is_not_told_again(path: Path) -> None:
    EndedTokens(str(path)).add([ONE])
    before = path.read_bytes()

    EndedTokens(str(path)).add([ONE])

    assert path.read_bytes() == before


def test_a_token_that_kiwoom_accepts_after_all_is_no_longer_named(path: Path) -> None:
    EndedTokens(str(path)).add([ONE, TWO])

    EndedTokens(str(path)).remove(ONE)

    assert EndedTokens(str(path)).fingerprints() == (TWO,)


def test_it_does_not_grow_for_ever(path: Path) -> None:
    names = [f"{number:016x}" for number in range(5000)]
    for start in range(0, len(names), 500):
        EndedTokens(str(path)).add(names[start : start + 500])

    assert path.stat().st_size <= 65536
    assert EndedTokens(str(path)).fingerprints()[-1] == names[-1]


def test_what_is_no_fingerprint_is_ignored(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"\x1b[31m\n" + b"a" * 5000 + b"\n\xff\xfe\n" + ONE.encode() + b"\n-\n")

    assert EndedTokens(str(path)).fingerprints() == (ONE,)


@pytest.mark.posix
def test_it_is_for_its_owner_alone(path: Path) -> None:
    EndedTokens(str(path)).add([ONE])

    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


@pytest.mark.posix
@pytest.mark.parametrize("kind", ["folder", "pipe", "link", "second name"])
def test_what_stands_in_its_place_is_neither_read_nor_written(kind: str, path: Path, tmp_path: Path) -> None:
    path.parent.mkdir()
    theirs = tmp_path / "theirs"
    theirs.write_text("precious\n")
    {
        "folder": path.mkdir,
        "pipe": lambda: os.mkfifo(path),
        "link": lambda: path.symlink_to(theirs),
        "second name": lambda: path.hardlink_to(theirs),
    }[kind]()

    EndedTokens(str(path)).add([ONE])

    assert EndedTokens(str(path)).fingerprints() == ()
    assert theirs.read_text() == "precious\n"


def test_tokens_of_the_sandbox_are_told_only_in_its_folder(tmp_path: Path) -> None:
    with SandboxKiwoom() as kiwoom:
        environ = Sandbox(kiwoom.base_url, str(tmp_path / "sandbox"), None).environ
        service = open_service(load_settings(None, environ), environ=environ)
        service.refresh()
        service.refresh(rotate=True)

    assert (tmp_path / "sandbox" / "ended-tokens").exists()
    assert not os.path.exists(os.path.join(shared_state_dir(), "ended-tokens"))


def test_the_last_of_many_is_known_in_every_store(tmp_path: Path, clock: Clock, broker: FakeBroker) -> None:
    ended = EndedTokens(str(tmp_path / "ended-tokens"))
    here = open_file_service(tmp_path / ".token", clock, broker, ended=ended)
    for number in range(40):
        here.put(token := token_for(f"token-{number}-of-a-test", 86400, clock()))
        EndedTokens(ended.path).add([token.value.fingerprint()])
        assert here.current() is None, number
        clock.advance(1)


def two_stores(folder: Path, clock: Clock, broker: FakeBroker) -> tuple[TokenService, TokenService]:
    """Open one account's token in two folders, which know together what has ended."""
    ended = EndedTokens(str(folder / "ended-tokens"))
    here = open_file_service(folder / ".token", clock, broker, ended=ended)
    return here, open_file_service(folder / "there" / ".token", clock, broker, ended=ended)


def test_a_token_that_could_not_be_stored_and_was_cleared_has_not_ended_in_another_store(
    tmp_path: Path, clock: Clock, broker: FakeBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = two_stores(tmp_path, clock, broker)
    token = here.ensure().token

    def refuse(*_: object) -> None:
        raise StoreError("no room")

    monkeypatch.setattr(there.store, "write", refuse)
    assert there.ensure().token.value == token.value
    there.clear()

    assert (here.living(), there.current()) == (token, None)


def test_a_token_that_was_revoked_in_another_store_is_given_to_nobody_when_kiwoom_returns_it_unless_it_works(
    tmp_path: Path, clock: Clock, broker: FakeBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = two_stores(tmp_path, clock, broker)
    token = here.ensure().token
    assert there.ensure().token.value == token.value
    here.clear(revoke=True)
    clock.advance(60)
    monkeypatch.setattr(broker, "issue", lambda _: Issued(token, None))

    for _ in range(2):
        with pytest.raises(BrokerUnavailable, match="revoked token"):
            there.ensure()
        clock.advance(60)
    assert there.current() is None

    broker.living = token  # Kiwoom has revoked nothing after all
    assert (there.ensure().token.value, there.living().value) == (token.value, token.value)


def test_a_record_from_before_kiwoom_accepted_the_token_does_not_name_it_again(path: Path) -> None:
    EndedTokens(str(path)).add([ONE])
    EndedTokens(str(path)).remove(ONE)

    EndedTokens(str(path)).add_recorded([ONE, TWO])
    assert EndedTokens(str(path)).fingerprints() == (TWO,)

    EndedTokens(str(path)).add([ONE])
    assert EndedTokens(str(path)).fingerprints() == (TWO, ONE)


def test_a_token_that_one_account_gets_again_stays_its_own_though_another_one_found_it_dead(
    tmp_path: Path, clock: Clock, broker: FakeBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FileStore, "announces", True)  # as a keyring does
    here, here_too, there, there_too = (
        open_file_service(tmp_path / name / ".token", clock, broker, ended=EndedTokens(str(tmp_path / "ended-tokens")))
        for name in ("here", "here", "there", "there")
    )
    token = there.ensure().token
    assert here.ensure().token.value == token.value
    clock.advance(60)
    with monkeypatch.context() as patch:
        patch.setattr(broker, "verify", lambda _: Liveness.DEAD)
        assert not here.verify().is_alive
    there.refresh()

    assert here_too.tokens.read_record().evidence.says_ended(token.value)
    found = there_too.current()
    assert found is not None
    assert found.value == token.value
