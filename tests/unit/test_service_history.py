"""What a service tells the history: one request is one event, and nothing of it can cost a token."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection
from pathlib import Path

import pytest

import tray_app
from tests.doubles import KEYS, START, Clock, FakeBroker, PromptHistory
from tests.file_service import open_file_service
from tray_app.core.errors import (
    BrokerUnavailable,
    KeyringUnavailable,
    KeysMissing,
    KiwoomTokenError,
    RevokeFailed,
    StoreError,
)
from tray_app.core.token import Token, token_for
from tray_app.history.database import History, open_history
from tray_app.kiwoom.keys import AppKeys
from tray_app.service.token_service import TokenService
from tray_app.settings.load import load_settings
from tray_app.stores.base import Place
from tray_app.stores.file import FileStore
from tray_app.stores.lock import ProfileLock

DAY = 86400


class Shelf:
    """Another tool's place, with a token in it or none."""

    def __init__(self) -> None:
        self.token: Token | None = None

    def publish(self, _: Token) -> tuple[KiwoomTokenError, ...]:
        return ()

    def withdraw(self, _: Collection[str]) -> tuple[KiwoomTokenError, ...]:
        return ()

    def external_token(self) -> Token | None:
        return self.token

    def rivals_of(self, _: Token) -> tuple[()]:
        return ()


@pytest.fixture
def history(tmp_path: Path) -> History:
    return PromptHistory(str(tmp_path / "data" / "history.db"))


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def opened(
    tmp_path: Path, clock: Clock, broker: FakeBroker, history: History, shelf: Shelf
) -> Callable[..., TokenService]:
    path = tmp_path / "data" / ".token"

    def open_one(find_keys: Callable[[], AppKeys] = lambda: KEYS) -> TokenService:
        return open_file_service(
            path,
            clock,
            broker,
            find_keys=find_keys,
            exports=shelf,  # type: ignore[arg-type]
            history=history,
        )

    return open_one


@pytest.fixture
def service(opened: Callable[..., TokenService]) -> TokenService:
    return opened()


@pytest.fixture
def told(history: History) -> Callable[[], list[str]]:
    return lambda: [str(one.kind) for one in history.read("default")]


def test_issued_and_then_the_same_again(service: TokenService, clock: Clock, told: Callable[[], list[str]]) -> None:
    service.ensure()
    service.ensure()
    assert told() == ["issued"]
    clock.advance(60)
    service.refresh()
    assert told() == ["issued", "same"]


def test_a_rotation_is_a_revoke_and_an_issue(
    service: TokenService, clock: Clock, told: Callable[[], list[str]], history: History
) -> None:
    service.ensure()
    clock.advance(60)
    service.refresh(rotate=True)
    assert told() == ["issued", "revoked", "issued"]
    first, revoked, second = history.read("default")
    assert first.token == revoked.token != second.token


def test_a_failure_tells_why(
    service: TokenService, broker: FakeBroker, told: Callable[[], list[str]], history: History
) -> None:
    broker.failure = BrokerUnavailable("Kiwoom does not answer ({reason}).", code="500", reason="busy")
    with pytest.raises(BrokerUnavailable):
        service.ensure()
    assert told() == ["failed"]
    (one,) = history.read("default")
    assert (one.code, one.message, one.values) == ("500", broker.failure.message, {"reason": "busy"})


def test_missing_keys_are_a_failure(opened: Callable[..., TokenService], told: Callable[[], list[str]]) -> None:
    def none() -> AppKeys:
        raise KeysMissing("There are no keys.")

    with pytest.raises(KeysMissing):
        opened(none).ensure()
    assert told() == ["failed"]


def test_the_token_of_another_tool_is_adopted(
    service: TokenService, shelf: Shelf, broker: FakeBroker, clock: Clock, told: Callable[[], list[str]]
) -> None:
    broker.living = shelf.token = token_for("token-of-kiwoomcli", DAY, clock())
    service.ensure()
    assert told() == ["adopted"]


def test_handed_in_cleared_and_revoked(service: TokenService, clock: Clock, told: Callable[[], list[str]]) -> None:
    service.put(token_for("token-of-a-test", DAY, clock()))
    service.clear()
    service.clear()
    service.put(token_for("token-two-of-a-test", DAY, clock()))
    service.clear(revoke=True)
    assert told() == ["stored", "cleared", "stored", "revoked"]


def test_a_revoke_that_fails_leaves_the_token(
    service: TokenService, broker: FakeBroker, told: Callable[[], list[str]]
) -> None:
    service.ensure()
    broker.failure = RevokeFailed("Not revoked.")
    with pytest.raises(RevokeFailed):
        service.clear(revoke=True)
    assert told() == ["issued", "failed"]


def test_the_seeds_rule_is_no_event(service: TokenService, clock: Clock, told: Callable[[], list[str]]) -> None:
    token = service.ensure().token
    clock.advance(DAY - 100)
    service.expire_soft(token)
    service.record_found(service.current(), clock())
    assert told() == ["issued"]


def test_waiters_of_one_request_make_one_event(
    opened: Callable[..., TokenService], told: Callable[[], list[str]]
) -> None:
    threads = [threading.Thread(target=lambda: opened().ensure(), daemon=True) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert told() == ["issued"]


def test_what_a_plain_writer_left_is_seen_once(
    service: TokenService, clock: Clock, tmp_path: Path, told: Callable[[], list[str]]
) -> None:
    FileStore(str(tmp_path / "data" / ".token"), service.store.lock, clock).write(token_for("of-a-bot", DAY, clock()))
    for _ in range(2):
        service.record_found(service.current(), clock())
    assert told() == ["seen"]
    (tmp_path / "data" / ".token").unlink()
    clock.advance(5)
    service.record_found(service.current(), clock())
    assert told() == ["seen", "gone"]


def test_a_keyring_that_does_not_answer_has_not_lost_the_token(
    service: TokenService, clock: Clock, told: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    service.ensure()
    clock.advance(5)
    problem = KeyringUnavailable("It is locked.", problem=KeyringUnavailable.LOCKED)
    monkeypatch.setattr(service.store, "place", lambda: Place("file", "", problem))
    service.record_found(None, clock())
    assert told() == ["issued"]


def test_a_token_that_could_not_be_stored_says_so(
    service: TokenService, monkeypatch: pytest.MonkeyPatch, history: History
) -> None:
    def refuse(_: Token) -> None:
        raise StoreError("The disk is full.")

    monkeypatch.setattr(service.store, "write", refuse)
    service.ensure()
    (one,) = history.read("default")
    assert (one.kind, one.message) == ("issued", "The disk is full.")


def test_it_is_recorded_once_the_lock_is_free(
    service: TokenService, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = []
    record = history.record

    def look(profile: str, happenings: object) -> None:
        free.append(service.store.lock.try_acquire())
        service.store.lock.release()
        record(profile, happenings)  # type: ignore[arg-type]

    monkeypatch.setattr(history, "record", look)
    service.ensure()
    service.put(token_for("token-of-a-test", DAY, START))
    service.clear()
    assert free == [True] * 3


def test_a_token_in_memory_leaves_nothing_on_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIWOOM_TRAY_STORE", "memory")
    assert open_history(load_settings()) is None


def test_reading_a_valid_token_loads_nothing_of_it(tmp_path: Path) -> None:
    token = token_for("token-of-a-test", DAY, time.time())
    code = (
        "import sys; from tray_app.cli.main import main; main(['get']);"
        "print([name for name in sys.modules if 'sqlite' in name or 'history' in name], file=sys.stderr)"
    )
    path = str(tmp_path / "data" / ".token")
    store = FileStore(path, ProfileLock(f"{path}.lock"))
    with store.lock:
        store.write(token)
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(tray_app.__file__).parents[1],
    )
    assert done.stdout.strip() == "token-of-a-test"
    assert done.stderr.strip() == "[]"
