from __future__ import annotations

import asyncio
import contextvars
import errno
import gc
import json
import logging
import math
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests import ROOT
from tests.doubles import START, Clock, MemoryKeyring, use_memory_keyring
from tests.sandbox import sandbox_with_keys
from tray_app.api.token_manager import ModulesManager, TokenManager
from tray_app.core.errors import InvalidInput, SettingsError, StoreError
from tray_app.core.token import Token, encode_seed, token_for
from tray_app.history.database import flush_history
from tray_app.kiwoom.sandbox import SandboxKiwoom
from tray_app.service.composition import open_service
from tray_app.service.token_service import TokenService
from tray_app.settings.load import load_settings
from tray_app.stores.fallback import FallbackStore
from tray_app.stores.file import FileStore
from tray_app.stores.keyring import KeyringStore
from tray_app.stores.memory import MemoryStore

DAY = 86400
VALUE = "token-of-a-test"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / ".token"


@pytest.fixture
def opened(clock: Clock) -> Callable[..., TokenManager]:
    """Opens a manager as another process would: nothing shared but the disk and the keyring."""
    return lambda **options: TokenManager(clock=clock, **{"store": "file", **options})


@pytest.fixture
def manager(opened: Callable[..., TokenManager]) -> TokenManager:
    return opened()


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Callable[[], list[tuple[str, str]]]:
    """What was logged since the last call, as (level, message)."""
    caplog.set_level(logging.DEBUG, "kiwoom")

    def taken() -> Any:
        found = [(one.levelname, one.getMessage()) for one in caplog.records if one.name == "kiwoom"]
        caplog.clear()
        return found

    return taken


@pytest.fixture
def system_keyring(monkeypatch: pytest.MonkeyPatch) -> MemoryKeyring:
    return use_memory_keyring(monkeypatch)


def local(instant: Any) -> Any:
    return datetime.fromtimestamp(instant).strftime("%Y-%m-%d %H:%M:%S")  # noqa: DTZ006 - the seed's local time


def refuse(*_: Any) -> None:
    raise OSError(errno.EROFS, "Read-only file system")


class TestSeedsApi:
    def test_a_token_that_was_set_is_got(self, manager: TokenManager) -> None:
        manager.set_token(VALUE, DAY)

        assert (manager.get_token(), manager.is_token_valid()) == (VALUE, True)

    def test_there_is_none_at_first(self, manager: TokenManager) -> None:
        assert (manager.get_token(), manager.is_token_valid()) == (None, False)

    def test_a_cleared_token_is_gone_from_memory_and_disk(self, manager: TokenManager, path: Path) -> None:
        manager.set_token(VALUE, DAY)

        manager.clear_token()

        assert (manager.get_token(), path.exists()) == (None, False)

    def test_clearing_twice_is_no_error(self, manager: TokenManager) -> None:
        manager.clear_token()
        manager.clear_token()

    def test_a_new_program_finds_the_token(self, manager: TokenManager, opened: Callable[..., TokenManager]) -> None:
        manager.set_token(VALUE, DAY)

        assert opened().get_token() == VALUE

    @pytest.mark.parametrize(("left", "found"), [(300.1, VALUE), (300, VALUE), (299.9, None), (1, None), (-1, None)])
    def test_get_token_wants_five_minutes(self, left: Any, found: Any, manager: TokenManager, clock: Clock) -> None:
        manager.set_token(VALUE, DAY)
        clock.advance(DAY - left)

        assert manager.get_token() == found

    @pytest.mark.parametrize(("left", "found"), [(300.1, True), (300, True), (299.9, False), (-1, False)])
    def test_is_token_valid_wants_five_minutes(
        self, left: Any, found: Any, manager: TokenManager, clock: Clock
    ) -> None:
        manager.set_token(VALUE, DAY)
        clock.advance(DAY - left)

        assert manager.is_token_valid() is found

    @pytest.mark.parametrize(("left", "stays"), [(300.1, True), (300, True), (299.9, False), (-1, False)])
    def test_the_load_at_start_wants_five_minutes(
        self,
        left: Any,
        stays: Any,
        *,
        manager: TokenManager,
        opened: Callable[..., TokenManager],
        path: Path,
        clock: Clock,
    ) -> None:
        manager.set_token(VALUE, DAY)
        clock.advance(DAY - left)

        opened()

        assert path.exists() is stays

    def test_a_token_without_five_minutes_is_still_there_for_ensure(self, manager: TokenManager, clock: Clock) -> None:
        manager.set_token(VALUE, DAY)
        clock.advance(DAY - 200)

        assert manager.get_token() is None
        assert manager.ensure_token(min_remaining=0) == VALUE

    def test_a_damaged_file_is_deleted_at_start(self, opened: Callable[..., TokenManager], path: Path) -> None:
        path.parent.mkdir()
        path.write_text("{")

        opened()

        assert not path.exists()

    @pytest.mark.parametrize("value", ["", " ", "a\nb", None, 5])
    def test_what_is_no_token_is_refused_and_the_old_one_stays(self, value: Any, manager: TokenManager) -> None:
        manager.set_token(VALUE, DAY)

        with pytest.raises(ValueError, match="token"):
            manager.set_token(value, DAY)
        assert manager.get_token() == VALUE

    @pytest.mark.parametrize("expires_in", [0, -1, "abc", None, True, math.nan, math.inf, 10 * 365 * DAY])
    def test_what_is_no_lifetime_is_refused_and_the_old_token_stays(
        self, expires_in: Any, manager: TokenManager
    ) -> None:
        manager.set_token(VALUE, DAY)

        with pytest.raises(InvalidInput):
            manager.set_token("another", expires_in)
        assert manager.get_token() == VALUE

    def test_a_refused_token_is_not_logged(self, manager: TokenManager, caplog: pytest.LogCaptureFixture) -> None:
        with pytest.raises(InvalidInput):
            manager.set_token("half-seen \n x", DAY)

        assert "half-seen" not in caplog.text


class TestInfo:
    def test_has_the_seeds_five_keys(self, manager: TokenManager) -> None:
        manager.set_token(VALUE, DAY)

        info = manager.get_token_info()

        assert info == {
            "has_token": True,
            "is_valid": True,
            "expires_at": datetime.fromtimestamp(START + DAY).isoformat(),  # noqa: DTZ006
            "remaining_seconds": DAY,
            "token_preview": "tok...",
        }

    def test_has_the_same_keys_without_a_token(self, manager: TokenManager) -> None:
        assert manager.get_token_info() == {
            "has_token": False,
            "is_valid": False,
            "expires_at": None,
            "remaining_seconds": 0,
            "token_preview": None,
        }

    def test_tells_of_a_token_that_has_no_five_minutes_left(self, manager: TokenManager, clock: Clock) -> None:
        manager.set_token(VALUE, DAY)
        clock.advance(DAY - 200)

        info = manager.get_token_info()

        assert (info["has_token"], info["is_valid"], info["remaining_seconds"]) == (True, False, 200)

    def test_never_shows_the_token(self, manager: TokenManager) -> None:
        manager.set_token(VALUE, DAY)

        assert VALUE not in json.dumps(manager.get_token_info())

    def test_knows_what_another_program_set(self, manager: TokenManager, opened: Callable[..., TokenManager]) -> None:
        opened().set_token(VALUE, DAY)

        assert manager.get_token_info()["has_token"] is True

    def test_says_once_that_it_loaded_a_token(
        self, manager: TokenManager, opened: Callable[..., TokenManager], lines: Callable[[], list[tuple[str, str]]]
    ) -> None:
        opened().set_token(VALUE, DAY)
        lines()

        for _ in range(3):
            manager.get_token_info()

        assert lines() == [("INFO", f"Loaded valid token from file (expires at {local(START + DAY)})")]


class TestLog:
    def test_of_a_token_that_is_set(self, manager: TokenManager, lines: Callable[[], list[tuple[str, str]]]) -> None:
        manager.set_token(VALUE, DAY)

        assert lines() == [
            ("INFO", "Token set (expires in 86400s)"),
            ("INFO", f"Token saved to file (expires at {local(START + DAY)})"),
        ]

    def test_of_a_valid_token_at_start(
        self, manager: TokenManager, opened: Callable[..., TokenManager], lines: Callable[[], list[tuple[str, str]]]
    ) -> None:
        manager.set_token(VALUE, DAY)
        lines()

        opened()

        assert lines() == [("INFO", f"Loaded valid token from file (expires at {local(START + DAY)})")]

    @pytest.mark.parametrize("left", [200, -1])
    def test_of_an_expired_token_at_start(
        self,
        left: Any,
        manager: TokenManager,
        opened: Callable[..., TokenManager],
        clock: Clock,
        lines: Callable[[], list[tuple[str, str]]],
    ) -> None:
        manager.set_token(VALUE, DAY)
        clock.advance(DAY - left)
        lines()

        opened()

        assert lines() == [("INFO", "Token in file has expired"), ("DEBUG", "Token file deleted")]

    @pytest.mark.parametrize("left", [200, -1])
    def test_of_a_token_that_expires(
        self, left: Any, manager: TokenManager, clock: Clock, lines: Callable[[], list[tuple[str, str]]]
    ) -> None:
        manager.set_token(VALUE, DAY)
        clock.advance(DAY - left)
        lines()

        manager.get_token()

        assert lines() == [
            ("INFO", "Token expired, clearing..."),
            ("INFO", "Token cleared"),
            ("DEBUG", "Token file deleted"),
        ]

    def test_of_a_token_that_is_cleared(
        self, manager: TokenManager, lines: Callable[[], list[tuple[str, str]]]
    ) -> None:
        manager.set_token(VALUE, DAY)
        lines()

        manager.clear_token()

        assert lines() == [("INFO", "Token cleared"), ("DEBUG", "Token file deleted")]

    def test_of_a_damaged_file(
        self, opened: Callable[..., TokenManager], path: Path, lines: Callable[[], list[tuple[str, str]]]
    ) -> None:
        path.parent.mkdir()
        path.write_text('{"access_token": "half-seen')

        opened()

        assert lines() == [("ERROR", "Failed to parse token file (invalid JSON)"), ("DEBUG", "Token file deleted")]

    def test_of_nothing_is_nothing(
        self, opened: Callable[..., TokenManager], lines: Callable[[], list[tuple[str, str]]]
    ) -> None:
        manager = opened()
        manager.get_token()
        manager.is_token_valid()
        manager.get_token_info()

        assert lines() == []

    def test_of_an_expiry_comes_once(
        self, manager: TokenManager, clock: Clock, lines: Callable[[], list[tuple[str, str]]]
    ) -> None:
        manager.set_token(VALUE, DAY)
        clock.advance(DAY)
        manager.get_token()
        lines()

        for _ in range(5):
            manager.get_token()

        assert lines() == []

    def test_of_a_failed_write_says_why(
        self, manager: TokenManager, lines: Callable[[], list[tuple[str, str]]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(os, "replace", refuse)

        manager.set_token(VALUE, DAY)

        (_, (level, message)) = lines()
        assert level == "ERROR"
        assert "Read-only file system" in message
        assert "***" not in message


class TestCoherence:
    """Two managers are two processes: they share nothing but the store."""

    @pytest.fixture(params=["file", "auto without a keyring", "auto", "keyring"])
    def pair(
        self, request: pytest.FixtureRequest, opened: Callable[..., TokenManager]
    ) -> tuple[TokenManager, TokenManager]:
        if request.param in {"auto", "keyring"}:
            request.getfixturevalue("system_keyring")
        store = request.param.split()[0]
        return opened(store=store), opened(store=store)

    def test_what_one_sets_the_other_gets(self, pair: tuple[TokenManager, TokenManager]) -> None:
        one, other = pair
        assert other.get_token() is None

        one.set_token(VALUE, DAY)

        assert other.get_token() == VALUE

    def test_what_one_replaces_the_other_gets(self, pair: tuple[TokenManager, TokenManager], clock: Clock) -> None:
        one, other = pair
        one.set_token("older", DAY)
        assert other.get_token() == "older"
        clock.advance(1)

        one.set_token("newer", DAY)

        assert (one.get_token(), other.get_token()) == ("newer", "newer")

    def test_what_one_clears_the_other_does_not_get(self, pair: tuple[TokenManager, TokenManager]) -> None:
        one, other = pair
        one.set_token(VALUE, DAY)
        assert other.get_token() == VALUE

        one.clear_token()

        assert other.get_token() is None

    def test_they_take_turns(self, pair: tuple[TokenManager, TokenManager], clock: Clock) -> None:
        for n in range(10):
            clock.advance(1)
            pair[n % 2].set_token(f"token-{n}", DAY)
            assert [one.get_token() for one in pair] == [f"token-{n}"] * 2

    def test_what_follows_a_write_at_once_is_not_missed(
        self, pair: tuple[TokenManager, TokenManager], clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Another writes between this one's write and its look at the version."""
        one, other = pair
        put = TokenService.put

        def put_and_then_another(service: TokenService, token: Token) -> object:
            monkeypatch.setattr(TokenService, "put", put)
            result = service.put(token)
            clock.advance(1)
            other.set_token("newer", DAY)
            return result

        monkeypatch.setattr(TokenService, "put", put_and_then_another)
        one.set_token("older", DAY)

        assert one.get_token() == "newer"

    def test_what_follows_an_expiry_at_once_is_not_missed(
        self, pair: tuple[TokenManager, TokenManager], clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Another renews between this one's clear of the old token and its look at the version."""
        one, other = pair
        one.set_token("older", DAY)
        clock.advance(DAY - 200)
        expire_soft = TokenService.expire_soft

        def expire_and_then_another(service: TokenService, token: Token) -> None:
            monkeypatch.setattr(TokenService, "expire_soft", expire_soft)
            service.expire_soft(token)
            other.set_token("newer", DAY)

        monkeypatch.setattr(TokenService, "expire_soft", expire_and_then_another)
        one.get_token()

        assert one.get_token() == "newer"

    def test_what_another_renews_in_time_is_taken_instead_of_an_expiry(
        self, pair: tuple[TokenManager, TokenManager], clock: Clock
    ) -> None:
        one, other = pair
        one.set_token("older", DAY)
        clock.advance(DAY - 200)
        other.set_token("newer", DAY)

        assert one.get_token() == "newer"

    def test_nothing_is_read_while_nothing_changes(
        self, pair: tuple[TokenManager, TokenManager], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        one, _ = pair
        one.set_token(VALUE, DAY)

        def fail(*_: Any) -> None:
            raise AssertionError("read")

        for store in (FileStore, KeyringStore, FallbackStore):
            monkeypatch.setattr(store, "read", fail)
        assert [one.get_token() for _ in range(5)] == [VALUE] * 5

    @pytest.mark.parametrize(
        "write",
        [
            lambda path, text: path.write_text(text),
            lambda path, text: path.with_name("x").write_text(text) and os.replace(path.with_name("x"), path),
        ],
        ids=["in place", "os.replace"],
    )
    @pytest.mark.parametrize("store", ["file", "auto"])
    def test_a_plain_writer_of_the_file_is_noticed(
        self, store: Any, write: Any, opened: Callable[..., TokenManager], path: Path, clock: Clock
    ) -> None:
        manager = opened(store=store)
        manager.set_token("older", DAY)
        clock.advance(1)

        write(path, encode_seed(token_for("a-much-newer-token", DAY, clock())))

        assert manager.get_token() == "a-much-newer-token"

    @pytest.mark.parametrize("store", ["file", "auto"])
    @pytest.mark.parametrize(
        "remove",
        [Path.unlink, pytest.param(lambda path: shutil.rmtree(path.parent), marks=pytest.mark.posix)],
        ids=["rm", "rm -r"],
    )
    def test_a_plain_removal_of_the_file_is_noticed(
        self, remove: Any, store: Any, opened: Callable[..., TokenManager], path: Path
    ) -> None:
        manager = opened(store=store)
        manager.set_token(VALUE, DAY)
        assert flush_history(20)  # nothing is written into the folder while it is removed

        remove(path)

        assert manager.get_token() is None

    @pytest.mark.posix
    def test_a_token_written_after_the_folder_was_removed_is_noticed(
        self, manager: TokenManager, opened: Callable[..., TokenManager], path: Path
    ) -> None:
        manager.set_token("older", DAY)
        assert flush_history(20)
        shutil.rmtree(path.parent)
        opened().set_token("newer", DAY)

        assert manager.get_token() == "newer"

    def test_threads_never_get_anything_but_a_whole_token(
        self, manager: TokenManager, opened: Callable[..., TokenManager], clock: Clock
    ) -> None:
        names = {f"token-{n:02}" for n in range(50)}
        wrong, stop = [], threading.Event()

        def read() -> None:
            while not stop.is_set():
                found = manager.get_token()
                if found is not None and found not in names:
                    wrong.append(found)
                if sys.platform == "win32":
                    time.sleep(0.001)  # four that never pause leave nobody a gap to replace the file in

        readers = [threading.Thread(target=read) for _ in range(4)]
        for reader in readers:
            reader.start()
        other = opened()
        for name in sorted(names):
            other.set_token(name, DAY)
        stop.set()
        for reader in readers:
            reader.join()

        assert wrong == []
        assert manager.get_token() == max(names)


class TestBrokenStore:
    @pytest.mark.parametrize("store", ["file", "auto"])
    def test_a_token_that_cannot_be_stored_stays_in_memory(
        self, store: Any, opened: Callable[..., TokenManager], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        manager = opened(store=store)
        monkeypatch.setattr(os, "replace", refuse)

        manager.set_token(VALUE, DAY)

        assert [manager.get_token() for _ in range(3)] == [VALUE] * 3

    @pytest.mark.parametrize("store", ["file", "auto"])
    @pytest.mark.parametrize("blocked", [("data",), ("places/state",), ("data", "places/state")])
    def test_a_token_stays_in_memory_when_nothing_at_all_can_be_written(
        self,
        blocked: Any,
        store: Any,
        opened: Callable[..., TokenManager],
        tmp_path: Path,
        *,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(os, "replace", refuse)
        for folder in blocked:
            (tmp_path / folder).parent.mkdir(exist_ok=True)
            (tmp_path / folder).write_text("a file where the folder should be")
        manager = opened(store=store)

        manager.set_token(VALUE, DAY)

        assert [manager.get_token() for _ in range(3)] == [VALUE] * 3

    def test_a_file_that_cannot_be_read_does_not_lose_the_token_in_memory(
        self, manager: TokenManager, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        manager.set_token(VALUE, DAY)
        os.utime(path, ns=(1, 1))
        monkeypatch.setattr(os, "open", refuse)

        assert manager.get_token() == VALUE

    def test_a_folder_in_the_files_place_is_no_crash(self, opened: Callable[..., TokenManager], path: Path) -> None:
        path.mkdir(parents=True)

        assert opened().get_token() is None

    def test_a_subclass_that_always_wants_a_token_is_told_why_there_is_none(self, path: Path, clock: Clock) -> None:
        class Insistent(TokenManager):
            def get_token(self) -> str | None:
                return super().get_token() or self.ensure_token()

        path.mkdir(parents=True)

        with pytest.raises(StoreError):
            Insistent(store="file", clock=clock).get_token()

    def test_a_clear_that_fails_is_told(self, manager: TokenManager, monkeypatch: pytest.MonkeyPatch) -> None:
        manager.set_token(VALUE, DAY)
        monkeypatch.setattr(os, "unlink", refuse)

        with pytest.raises(StoreError):
            manager.clear_token()

    def test_without_a_keyring_that_was_asked_for_a_token_is_in_memory_only(
        self, opened: Callable[..., TokenManager], tmp_path: Path
    ) -> None:
        manager = opened(store="keyring")

        manager.set_token(VALUE, DAY)

        assert manager.get_token() == VALUE
        assert not [one for one in tmp_path.rglob("*") if one.is_file() and VALUE.encode() in one.read_bytes()]


class TestClock:
    def test_a_clock_set_back_does_not_hide_the_token(self, manager: TokenManager, clock: Clock) -> None:
        manager.set_token(VALUE, DAY)
        clock.advance(-3600)

        assert manager.get_token() == VALUE

    def test_a_long_sleep_is_noticed_at_the_next_use(self, manager: TokenManager, clock: Clock) -> None:
        manager.set_token(VALUE, DAY)
        manager.get_token()
        clock.advance(3 * DAY)

        assert manager.get_token() is None


class TestOpening:
    def test_no_keyring_is_asked(self, system_keyring: MemoryKeyring, opened: Callable[..., TokenManager]) -> None:
        opened(store="auto")
        opened(store="keyring")

        assert system_keyring.calls == 0

    @pytest.mark.parametrize("left", [DAY, 200, -1], ids=["valid", "ending", "expired"])
    def test_no_keyring_is_asked_when_there_is_a_file(
        self, left: Any, system_keyring: MemoryKeyring, opened: Callable[..., TokenManager], path: Path, clock: Clock
    ) -> None:
        path.parent.mkdir()
        path.write_text(encode_seed(token_for(VALUE, DAY, clock())))
        clock.advance(DAY - left)

        opened(store="auto")

        assert system_keyring.calls == 0

    def test_the_keyring_is_asked_at_the_first_use(
        self, system_keyring: MemoryKeyring, opened: Callable[..., TokenManager]
    ) -> None:
        opened(store="auto").set_token(VALUE, DAY)

        assert opened(store="auto").get_token() == VALUE

    def test_an_expired_file_does_not_hide_what_the_keyring_holds(
        self, system_keyring: MemoryKeyring, opened: Callable[..., TokenManager], path: Path, clock: Clock
    ) -> None:
        path.parent.mkdir()
        path.write_text(encode_seed(token_for("old", DAY, clock())))
        clock.advance(DAY)
        opened(store="keyring").set_token(VALUE, DAY)

        assert opened(store="auto").get_token() == VALUE

    def test_nothing_is_written(self, opened: Callable[..., TokenManager], tmp_path: Path) -> None:
        opened()

        assert not (tmp_path / "data").exists()

    def test_the_folder_can_be_named(self, opened: Callable[..., TokenManager], tmp_path: Path) -> None:
        opened(data_dir=tmp_path / "elsewhere").set_token(VALUE, DAY)

        assert (tmp_path / "elsewhere" / ".token").is_file()

    def test_a_profile_has_a_file_of_its_own(self, opened: Callable[..., TokenManager], tmp_path: Path) -> None:
        opened(profile="second account").set_token(VALUE, DAY)

        assert opened().get_token() is None
        assert (tmp_path / "data" / "second account.token").is_file()

    @pytest.mark.parametrize("name", ["", "..", "../../x", "a/b", "CON", "x" * 65])
    def test_a_bad_profile_name_is_refused(self, name: Any, opened: Callable[..., TokenManager]) -> None:
        with pytest.raises(InvalidInput):
            opened(profile=name)

    def test_an_unknown_store_is_refused(self, opened: Callable[..., TokenManager]) -> None:
        with pytest.raises(SettingsError):
            opened(store="cloud")

    def test_a_store_of_ones_own_is_used(self, clock: Clock) -> None:
        store = MemoryStore(clock)
        TokenManager(store=store, clock=clock).set_token(VALUE, DAY)

        assert store.read().value.reveal() == VALUE

    def test_what_is_wrong_in_the_settings_is_logged(
        self, opened: Callable[..., TokenManager], tmp_path: Path, lines: Callable[[], list[tuple[str, str]]]
    ) -> None:
        folder = tmp_path / "places" / "settings"
        folder.mkdir(parents=True)
        (folder / "settings.toml").write_text("langauge = 'ko'")

        opened()

        ((level, message),) = lines()
        assert (level, "there is no such setting" in message) == ("WARNING", True)


class TestIssuing:
    @pytest.fixture
    def sandbox(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[SandboxKiwoom]:
        with sandbox_with_keys(monkeypatch) as server:
            yield server

    @pytest.fixture
    def manager(self, sandbox: SandboxKiwoom) -> TokenManager:
        return TokenManager(store="file")

    def test_ensure_issues_once(self, manager: TokenManager, sandbox: SandboxKiwoom) -> None:
        first = manager.ensure_token()

        assert (manager.ensure_token(), manager.get_token(), sandbox.counts()["issue"]) == (first, first, 1)

    def test_it_is_a_token_provider(self, manager: TokenManager, sandbox: SandboxKiwoom) -> None:
        assert manager.get_valid_token() == manager.get_token()

    def test_the_token_that_was_revoked_is_not_taken_again(
        self, manager: TokenManager, caplog: pytest.LogCaptureFixture
    ) -> None:
        revoked = manager.ensure_token()
        service = open_service(load_settings().replace(store="file"))
        service.clear(revoke=True)

        manager.set_token(revoked, 5000)

        assert (manager.get_token(), manager.is_token_valid(), TokenManager(store="file").get_token()) == (
            None,
            False,
            None,
        )
        assert "was revoked" in caplog.text

    def test_a_refresh_asks_kiwoom(self, manager: TokenManager, sandbox: SandboxKiwoom) -> None:
        assert manager.refresh_token() == manager.refresh_token()
        assert sandbox.counts()["issue"] == 2

    def test_ensure_can_be_awaited(self, manager: TokenManager) -> None:
        assert asyncio.run(manager.ensure_token_async()) == manager.get_token()


def run(code: Any, **environ: Any) -> Any:
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_importing_the_package_loads_nothing_heavy() -> None:
    done = run(
        "import sys; before = set(sys.modules); from tray_app import token_manager; token_manager.get_token(); "
        "print([n for n in sys.modules if n.split('.')[0] in {'PySide6', 'httpx', 'keyring', 'redis', 'tomlkit'}])",
        KIWOOM_TRAY_STORE="file",
    )

    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_the_package_names_what_it_has_before_that_is_loaded() -> None:
    """For the completion of a notebook."""
    done = run("import tray_app; print([one for one in tray_app.__all__ if one not in dir(tray_app)])")

    assert (done.stdout, done.stderr) == ("[]\n", "")


class TestAnotherKeyInTheEnvironment:
    @pytest.fixture(autouse=True)
    def keys(self, monkeypatch: pytest.MonkeyPatch) -> Any:
        def put(name: Any) -> None:
            monkeypatch.setenv("APP_KEY", f"key-of-{name}")
            monkeypatch.setenv("APP_SECRET", f"secret-of-{name}")

        put("one")
        return put

    def test_makes_the_token_of_the_other_a_miss(self, manager: TokenManager, keys: Any) -> None:
        manager.set_token(VALUE, DAY)

        keys("two")

        assert manager.get_token() is None
        assert manager.get_token_info()["has_token"] is False

    def test_that_comes_back_brings_the_token_back(self, manager: TokenManager, keys: Any) -> None:
        manager.set_token(VALUE, DAY)
        keys("two")
        manager.get_token()

        keys("one")

        assert manager.get_token() == VALUE

    @pytest.mark.parametrize("call", ["read", "write"])
    def test_does_so_though_the_store_fails(
        self, manager: TokenManager, keys: Any, monkeypatch: pytest.MonkeyPatch, call: Any
    ) -> None:
        def refuse(*_: Any) -> None:
            raise StoreError("the disk is gone")

        monkeypatch.setattr(FileStore, "write", refuse)
        manager.set_token(VALUE, DAY)
        assert manager.get_token() == VALUE
        if call == "read":
            monkeypatch.setattr(FileStore, "read", refuse)

        keys("two")

        assert manager.get_token() is None

    def test_is_nothing_to_a_named_profile(self, opened: Callable[..., TokenManager], keys: Any) -> None:
        manager = opened(profile="second")
        manager.set_token(VALUE, DAY)

        keys("two")

        assert manager.get_token() == VALUE


class TestTheModulesManager:
    """What a program puts into its environment after the import counts, whatever it uses first."""

    @pytest.fixture
    def manager(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> TokenManager:
        monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")
        manager = ModulesManager()
        monkeypatch.setenv("KIWOOM_TRAY_DATA_DIR", str(tmp_path / "later"))
        return manager

    @pytest.fixture
    def later(self, manager: TokenManager) -> TokenManager:
        """Another program of that environment."""
        return TokenManager()

    @pytest.mark.parametrize(
        "use",
        [
            lambda manager: manager.get_token(),
            lambda manager: manager.get_token_info()["has_token"] and VALUE,
            lambda manager: manager.is_token_valid() and VALUE,
            lambda manager: manager.ensure_token(),
            lambda manager: manager.get_valid_token(),
        ],
    )
    def test_reads(self, manager: TokenManager, later: TokenManager, use: Any) -> None:
        later.set_token(VALUE, DAY)

        assert use(manager) == VALUE

    def test_sets(self, manager: TokenManager, later: TokenManager) -> None:
        manager.set_token(VALUE, DAY)

        assert (later.get_token(), manager.get_token()) == (VALUE, VALUE)

    def test_clears(self, manager: TokenManager, later: TokenManager) -> None:
        later.set_token(VALUE, DAY)

        manager.clear_token()

        assert (later.get_token(), manager.get_token()) == (None, None)

    def test_is_settled_by_the_first_use(
        self, manager: TokenManager, later: TokenManager, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        later.set_token(VALUE, DAY)
        manager.get_token()

        monkeypatch.setenv("KIWOOM_TRAY_DATA_DIR", str(tmp_path / "too late"))

        assert manager.get_token() == VALUE

    def test_tells_once_of_the_token_that_it_has_loaded(
        self, monkeypatch: pytest.MonkeyPatch, lines: Callable[[], list[tuple[str, str]]]
    ) -> None:
        monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")
        TokenManager().set_token(VALUE, DAY)
        lines()

        manager = ModulesManager()
        assert [message.partition(" (")[0] for _, message in lines()] == ["Loaded valid token from file"]

        assert manager.get_token() == VALUE
        assert lines() == []

    def test_has_nothing_that_other_managers_lack(self, manager: TokenManager) -> None:
        assert not hasattr(manager, "token")


@pytest.mark.posix
def test_a_child_forked_while_a_thread_looks_is_not_stuck() -> None:
    done = run(
        """
import os, threading
from tray_app import TokenManager
manager = TokenManager(store="file")
manager.set_token("token-of-a-test", 86400)
os.utime(os.environ["KIWOOM_TRAY_DATA_DIR"] + "/.token", ns=(1, 1))
inside, go_on = threading.Event(), threading.Event()
read = manager._service.store.read

def slow_read():
    inside.set()
    go_on.wait()
    return read()

manager._service.store.read = slow_read
threading.Thread(target=manager.get_token, daemon=True).start()
inside.wait()
child = os.fork()
if child == 0:
    manager._service.store.read = read
    os._exit(0 if manager.get_token() == "token-of-a-test" else 1)
import signal, time
end = time.monotonic() + 20
while time.monotonic() < end:
    done, status = os.waitpid(child, os.WNOHANG)
    if done:
        break
    time.sleep(0.01)
else:
    os.kill(child, signal.SIGKILL)
    status = "stuck"
print(status)
"""
    )

    assert done.stdout == "0\n", done.stderr


def test_a_manager_for_each_request_leaves_nothing_in_the_thread() -> None:
    context = contextvars.copy_context()

    def serve_requests() -> int:
        for _ in range(3):
            manager = TokenManager(store="memory")
            manager.set_token(VALUE, 86400)
            assert manager.get_valid_token() == VALUE
            del manager
            gc.collect()
        return len(contextvars.copy_context())

    assert context.run(serve_requests) <= len(context) + 1
