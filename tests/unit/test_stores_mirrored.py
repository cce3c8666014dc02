"""A token in another store, with a copy in `.token` that programs without this package read and write."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.doubles import START, Clock
from tray_app.core.errors import StoreError
from tray_app.core.token import Token, encode_seed, token_for
from tray_app.stores.file import FileStore
from tray_app.stores.lock import ThreadLock
from tray_app.stores.memory import MemoryStore
from tray_app.stores.mirrored import MirroredStore

OURS = token_for("our-token-of-a-test", 86400, START).bound_to("real:0123456789abcdef")
NEWER = token_for("newer-token-of-a-test", 86400, START + 60)
OLDER = token_for("older-token-of-a-test", 86400, START - 60)


class BrokenStore(MemoryStore):
    """A store that fails while `failure` is set, and to which nothing can be written while it `is_full`."""

    failure: StoreError | None = None
    is_full = False

    def read(self) -> Token | None:
        if self.failure is not None:
            raise self.failure
        return super().read()

    def write(self, token: Token) -> object:
        if self.failure is not None or self.is_full:
            raise self.failure or StoreError("It is full.")
        return super().write(token)


@pytest.fixture
def clock() -> Clock:
    return Clock(START + 120)


@pytest.fixture
def main(clock: Clock) -> BrokenStore:
    store = BrokenStore(clock)
    store.write(OURS)
    return store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "data" / ".token"
    path.parent.mkdir()
    return path


@pytest.fixture
def store(main: BrokenStore, path: Path, clock: Clock) -> MirroredStore:
    return MirroredStore(main, FileStore(str(path), ThreadLock(), clock), clock)


def write_as_another_program(path: Path, token: Token) -> None:
    path.write_text(encode_seed(token), encoding="utf-8")


def test_the_token_is_that_of_the_store_while_there_is_no_copy(store: MirroredStore) -> None:
    assert store.read() == OURS


def test_a_newer_token_of_another_program_is_returned_and_stored(
    store: MirroredStore, main: BrokenStore, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "kiwoom")
    write_as_another_program(path, NEWER)

    assert store.read() == NEWER
    assert main.read() == NEWER
    assert store.lock.try_acquire()
    assert "Token written by another program adopted" in caplog.messages


def test_so_is_one_where_the_store_has_none(store: MirroredStore, main: BrokenStore, path: Path) -> None:
    main.clear()
    write_as_another_program(path, OLDER)

    assert store.read() == OLDER
    assert main.read() == OLDER


def test_an_adopted_token_belongs_to_no_account(store: MirroredStore, main: BrokenStore, path: Path) -> None:
    write_as_another_program(path, NEWER)
    store.read()

    adopted = main.read()
    assert adopted is not None
    assert adopted.issued_for == ""


def test_an_adopted_token_is_stored_once(store: MirroredStore, main: BrokenStore, path: Path) -> None:
    write_as_another_program(path, NEWER)
    store.read()
    version = main.version()

    assert store.read() == NEWER
    assert main.version() == version


@pytest.mark.parametrize(
    "copy",
    [
        OLDER,
        token_for("token-of-the-same-moment", 86400, START),
        token_for("expired-token-of-a-test", 30, START + 60),
    ],
)
def test_an_older_or_expired_copy_changes_nothing(
    copy: Token, store: MirroredStore, main: BrokenStore, path: Path
) -> None:
    write_as_another_program(path, copy)

    assert store.read() == OURS
    assert main.read() == OURS


@pytest.mark.parametrize("is_ours", [True, False])
def test_while_the_store_cannot_be_read_the_copy_is_what_is_known(
    store: MirroredStore, main: BrokenStore, path: Path, clock: Clock, *, is_ours: bool
) -> None:
    if is_ours:
        FileStore(str(path), ThreadLock(), clock).write(OURS)
    else:
        write_as_another_program(path, OLDER)
    main.failure = StoreError("It is gone.")

    found = store.read()

    assert found is not None
    assert found.value == (OURS if is_ours else OLDER).value
    clock.advance(86400)
    with pytest.raises(StoreError):
        store.read()


def test_a_copy_that_was_deleted_leaves_the_token(store: MirroredStore, path: Path) -> None:
    write_as_another_program(path, NEWER)
    store.read()
    path.unlink()

    assert store.read() == NEWER


def test_a_damaged_copy_is_passed_over(store: MirroredStore, path: Path) -> None:
    path.write_text("{")

    assert store.read() == OURS


def test_an_adopted_token_that_was_cleared_does_not_come_back_from_its_copy(store: MirroredStore, path: Path) -> None:
    write_as_another_program(path, NEWER)
    store.read()

    store.clear()

    assert path.exists()
    assert store.read() is None


@pytest.mark.posix
def test_a_copy_that_cannot_be_read_is_passed_over_and_told(
    store: MirroredStore, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path.mkdir()

    assert store.read() == OURS
    assert "The copied token file is not read" in caplog.text


def test_what_cannot_be_stored_is_returned_all_the_same(
    store: MirroredStore, main: BrokenStore, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_as_another_program(path, NEWER)
    main.is_full = True

    assert store.read() == NEWER
    assert "Token of another program not stored" in caplog.text
    assert (main.read(), store.lock.try_acquire()) == (OURS, True)


def test_while_another_process_holds_the_lock_nothing_is_stored(
    store: MirroredStore, main: BrokenStore, path: Path
) -> None:
    write_as_another_program(path, NEWER)
    with store.lock:
        assert store.read() == NEWER
        assert main.read() == OURS

    assert store.read() == NEWER
    assert main.read() == NEWER


def test_a_copy_is_used_while_the_store_fails(store: MirroredStore, main: BrokenStore, path: Path) -> None:
    write_as_another_program(path, NEWER)
    main.failure = StoreError("The store fails.")

    assert store.read() == NEWER


def test_without_a_copy_the_stores_failure_is_raised(store: MirroredStore, main: BrokenStore) -> None:
    main.failure = StoreError("The store fails.")

    with pytest.raises(StoreError, match="The store fails"):
        store.read()


def test_a_change_of_either_is_noticed(store: MirroredStore, main: BrokenStore, path: Path) -> None:
    versions = [store.version()]
    main.write(NEWER)
    versions.append(store.version())
    write_as_another_program(path, NEWER)
    versions.append(store.version())

    assert len(set(versions)) == 3
    assert str(path) in store.watch_paths()


def test_whatever_else_a_store_does_is_done_by_the_one_that_is_copied(store: MirroredStore, main: BrokenStore) -> None:
    before = store.version()
    with store.announcing():
        pass
    assert (store.version() != before, store.announces) == (True, True)
    assert store.read_quick() == OURS
    assert store.expire_soft(OURS)
    assert (main.read(), store.read_expiring()) == (None, OURS)
    store.write(NEWER)
    assert (main.read(), store.read_expiring()) == (NEWER, None)
    assert not store.wants_rewriting()
    assert not store.is_superseded(NEWER)
    store.check()
    assert store.clear()
    assert main.read() is None
    assert store.place() == main.place()
