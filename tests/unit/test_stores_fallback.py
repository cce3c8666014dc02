"""The keyring store, and the one that falls back to the file."""

from __future__ import annotations

import errno
import json
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import keyring
import keyring.core
import pytest

from tests.doubles import Clock, MemoryKeyring
from tray_app.core.errors import KEYRING, KeyringUnavailable, StoreError
from tray_app.core.secret import Secret
from tray_app.core.token import decode, encode_seed, token_for
from tray_app.service.composition import open_store
from tray_app.settings.load import load_settings
from tray_app.stores.change_marker import ChangeMarker
from tray_app.stores.encryption import Cipher
from tray_app.stores.fallback import FallbackStore
from tray_app.stores.file import FileStore
from tray_app.stores.keyring import SERVICE, Announcement, KeyringStore
from tray_app.stores.lock import ThreadLock
from tray_app.stores.memory import MemoryStore

PROBLEMS = [
    KeyringUnavailable.MISSING,
    KeyringUnavailable.LOCKED,
    KeyringUnavailable.SILENT,
    KeyringUnavailable.TOO_SMALL,
    KeyringUnavailable.FAILED,
]
ENTRY = (SERVICE, "default")
HOUR, DAY = 3600.0, 86400.0


class FakeVault:
    """A keyring that answers at once, or with `problem`."""

    def __init__(self) -> None:
        self.entries: dict[tuple[str, str], str] = {}
        self.problem: str | None = None
        self.calls = 0

    def _count(self) -> None:
        self.calls += 1
        if self.problem is not None:
            raise KeyringUnavailable("The keyring cannot be used.", problem=self.problem)

    def check(self) -> None:
        self._count()

    def get(self, service: Any, username: Any) -> Any:
        self._count()
        return self.entries.get((service, username))

    def set(self, service: Any, username: Any, value: Any) -> None:
        self._count()
        self.entries[service, username] = value

    def delete(self, service: Any, username: Any) -> bool:
        self._count()
        return self.entries.pop((service, username), None) is not None


@pytest.fixture
def keyring_client() -> FakeVault:
    return FakeVault()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / ".token"


@pytest.fixture
def opened(keyring_client: Any, clock: Any, path: Path, tmp_path: Path) -> Any:
    """Opens the store as another process would: nothing shared but the vault and the disk."""

    def open_one() -> Any:
        marker = ChangeMarker(str(tmp_path / "state" / "default.signal"))
        lock = ThreadLock()
        in_keyring = KeyringStore("default", keyring_client, marker, lock, clock)
        return FallbackStore(in_keyring, FileStore(str(path), lock, clock), clock)

    return open_one


@pytest.fixture
def store(opened: Callable[[], FallbackStore]) -> FallbackStore:
    return opened()


@pytest.fixture
def in_keyring(keyring_client: Any, clock: Clock, tmp_path: Path) -> KeyringStore:
    """The keyring alone, as a process sees it that does not use the file."""
    marker = ChangeMarker(str(tmp_path / "state" / "default.signal"))
    return KeyringStore("default", keyring_client, marker, ThreadLock(), clock)


@pytest.mark.parametrize(
    ("created", "announced", "announcement"),
    [
        (0.0, 0.0, Announcement.CURRENT),
        (-1.0, 0.0, Announcement.SUPERSEDED),
        (0.0, -1.0, Announcement.UNANNOUNCED),
        (0.0, None, Announcement.UNANNOUNCED),
        (2 * HOUR, 0.0, Announcement.CURRENT),
        (0.0, 2 * HOUR, Announcement.UNANNOUNCED),
    ],
)
def test_a_token_is_compared_with_the_last_announcement_unless_a_clock_was_wrong(
    in_keyring: KeyringStore, clock: Clock, created: float, announced: float | None, announcement: Announcement
) -> None:
    if announced is not None:
        in_keyring.announce_token(token_for("the-announced-one", DAY, clock() + announced))
    assert in_keyring.compare(token_for("a-token", DAY, clock() + created)) is announcement


@pytest.fixture
def keyring_store(keyring_client: Any, clock: Any, tmp_path: Path) -> Any:
    return KeyringStore(
        "default", keyring_client, ChangeMarker(str(tmp_path / "state" / "k.signal")), ThreadLock(), clock
    )


def token(clock: Clock, name: Any = "token-of-a-test", lifetime: Any = 86400) -> Any:
    return token_for(name, lifetime, clock())


class TestReadersMeanwhile:
    """What a reader gets while another program stores a token."""

    def test_a_token_that_was_replaced_while_the_keyring_answered_is_read_again(
        self, in_keyring: KeyringStore, keyring_client: FakeVault, opened: Callable[[], FallbackStore], clock: Clock
    ) -> None:
        in_keyring.write(token(clock, "older"))
        clock.advance(60)
        newer = token(clock, "newer")
        was_get, writers = keyring_client.get, [opened()]

        def get(service: str, username: str) -> str | None:
            answer = was_get(service, username)
            if writers:
                writers.pop().write(newer)
            return answer

        keyring_client.get = get

        assert in_keyring.read() == newer

    def test_one_of_two_that_are_stored_in_another_order_than_they_were_made_is_read_at_each_moment(
        self, in_keyring: KeyringStore, keyring_client: FakeVault, opened: Callable[[], FallbackStore], clock: Clock
    ) -> None:
        earlier = token(clock, "earlier")
        clock.advance(1)
        in_keyring.write(later := token(clock, "later"))
        was_set, found = keyring_client.set, [in_keyring.read()]

        def set_and_read(service: str, username: str, value: str) -> None:
            found.append(in_keyring.read())
            was_set(service, username, value)
            found.append(in_keyring.read())

        keyring_client.set = set_and_read
        opened().write(earlier)

        assert found == [later, later, earlier]


def test_what_was_cleared_stays_so_when_an_earlier_token_cannot_be_stored(
    in_keyring: KeyringStore, keyring_client: FakeVault, clock: Clock
) -> None:
    earlier = token(clock, "earlier")
    clock.advance(60)
    in_keyring.write(token(clock, "cleared"))
    keyring_client.problem = KeyringUnavailable.LOCKED
    clock.advance(60)
    for act in (in_keyring.clear, lambda: in_keyring.write(earlier)):
        with pytest.raises(KeyringUnavailable):
            act()
    keyring_client.problem = None

    assert in_keyring.read() is None


class TestKeyringWorks:
    def test_the_token_lies_in_the_keyring_and_nowhere_on_disk(
        self, store: FallbackStore, keyring_client: FakeVault, clock: Clock, tmp_path: Path
    ) -> None:
        store.write(one := token(clock))

        assert decode(keyring_client.entries[ENTRY]) == one
        assert not [file for file in tmp_path.rglob("*") if file.is_file() and b"token-of-a-test" in file.read_bytes()]

    def test_the_entry_is_one_line(self, store: FallbackStore, keyring_client: FakeVault, clock: Clock) -> None:
        store.write(token(clock))

        assert "\n" not in keyring_client.entries[ENTRY]
        assert list(json.loads(keyring_client.entries[ENTRY])) == ["access_token", "expires_at", "created_at"]

    def test_another_process_reads_it(
        self, store: FallbackStore, opened: Callable[[], FallbackStore], clock: Clock
    ) -> None:
        store.write(one := token(clock))

        assert opened().read() == one

    def test_the_place_is_the_keyring(self, store: FallbackStore, clock: Clock) -> None:
        store.write(token(clock))

        assert (store.place().kind, store.place().problem) == ("keyring", None)

    def test_the_place_is_the_keyring_before_and_after_nothing_is_read(self, store: FallbackStore) -> None:
        places = [store.place().kind]
        for read in (store.read, store.read_quick):
            assert read() is None
            places.append(store.place().kind)

        assert (places, store.wants_rewriting()) == (["keyring"] * 3, False)

    def test_what_was_replaced_or_cleared_is_superseded(self, store: FallbackStore, clock: Clock) -> None:
        store.write(older := token(clock, "older"))
        clock.advance(1)
        store.write(newer := token(clock, "newer"))
        superseded = [store.is_superseded(older), store.is_superseded(newer)]
        store.clear()
        superseded.append(store.is_superseded(newer))

        assert superseded == [True, False, True]

    def test_what_is_announced_is_another_version_and_leaves_the_token(
        self, store: FallbackStore, opened: Callable[[], FallbackStore], clock: Clock
    ) -> None:
        store.write(one := token(clock))
        other = opened()
        other.read()
        before = other.version()
        with store.announcing():
            assert other.version() != other.version(), "whoever changes it may be killed before it is done"

        assert other.version() == other.version() != before
        assert other.read() == one

    def test_a_token_file_goes_with_the_next_write(self, store: FallbackStore, path: Path, clock: Clock) -> None:
        path.parent.mkdir()
        path.write_text(encode_seed(token(clock, "older")))

        store.write(one := token(clock))

        assert not path.exists()
        assert store.read() == one

    def test_a_retired_token_file_goes_with_the_next_write(
        self, store: FallbackStore, path: Path, clock: Clock
    ) -> None:
        path.parent.mkdir()
        path.with_name(".token.ending").write_text(encode_seed(token(clock, "older", 200)))

        store.write(token(clock))

        assert list(path.parent.iterdir()) == []

    def test_a_token_in_the_file_wants_rewriting_once_the_keyring_is_back(
        self, store: FallbackStore, keyring_client: FakeVault, clock: Clock, path: Path
    ) -> None:
        token = token_for("a-token", DAY, clock())
        keyring_client.problem = KeyringUnavailable.LOCKED
        store.write(token)
        assert not store.wants_rewriting()

        keyring_client.problem = None
        assert store.wants_rewriting()
        store.write(token)
        assert not store.wants_rewriting()
        assert not path.exists()

    def test_a_token_file_that_cannot_be_deleted_is_not_read_again(
        self,
        store: FallbackStore,
        opened: Callable[[], FallbackStore],
        path: Path,
        clock: Clock,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        path.parent.mkdir()
        path.write_text(encode_seed(token(clock, "older")))
        clock.advance(1)

        def refuse(*_: Any) -> None:
            raise PermissionError(errno.EPERM, "Operation not permitted")

        monkeypatch.setattr(os, "unlink", refuse)
        store.write(one := token(clock))

        assert opened().read() == one

    def test_what_lies_unreadable_in_the_files_place_does_not_hide_the_keyring(
        self, store: FallbackStore, path: Path, clock: Clock
    ) -> None:
        store.write(one := token(clock))
        path.mkdir(parents=True)

        assert store.read() == one

    @pytest.mark.parametrize("problem", [KeyringUnavailable.LOCKED, KeyringUnavailable.SILENT])
    def test_a_keyring_that_fails_hides_only_a_token_that_it_was_given(
        self,
        problem: str,
        store: FallbackStore,
        opened: Callable[[], FallbackStore],
        keyring_client: FakeVault,
        clock: Clock,
    ) -> None:
        keyring_client.problem = problem
        assert (store.read(), store.place().hides_token) == (None, False)
        keyring_client.problem = None
        store.write(token(clock))
        assert not store.place().hides_token

        keyring_client.problem = problem
        for one in (store, opened()):
            assert (one.read(), one.place().hides_token) == (None, True)
        store.clear()
        assert (store.read(), store.place().hides_token) == (None, False)

    def test_an_expired_token_in_the_file_does_not_show_the_one_in_the_keyring(
        self, store: FallbackStore, path: Path, keyring_client: FakeVault, clock: Clock
    ) -> None:
        expired = encode_seed(token(clock, "expired", 60))
        clock.advance(61)
        store.write(token(clock))
        path.parent.mkdir(exist_ok=True)
        path.write_text(expired)
        keyring_client.problem = KeyringUnavailable.LOCKED

        store.read()

        assert store.place().hides_token

    def test_a_token_in_the_file_is_not_hidden(
        self, store: FallbackStore, keyring_client: FakeVault, clock: Clock
    ) -> None:
        store.write(token(clock))
        keyring_client.problem = KeyringUnavailable.LOCKED
        store.write(newer := token(clock, "newer"))

        assert (store.read(), store.place().hides_token) == (newer, False)

    @pytest.mark.posix
    @pytest.mark.parametrize("make", ["mkdir", "mkfifo"])
    def test_a_keyring_that_works_needs_no_file(
        self, make: str, store: FallbackStore, path: Path, clock: Clock
    ) -> None:
        path.parent.mkdir()
        getattr(os, make)(path)

        assert store.read() is None
        store.write(one := token(clock))
        assert store.read() == one
        assert store.clear()
        assert store.read() is None

    @pytest.mark.posix
    def test_what_is_no_file_is_an_error_where_the_keyring_cannot_be_used(
        self, store: FallbackStore, path: Path, keyring_client: FakeVault
    ) -> None:
        keyring_client.problem = KeyringUnavailable.MISSING
        path.mkdir(parents=True)

        with pytest.raises(StoreError, match="not a file"):
            store.read()
        with pytest.raises(StoreError, match="not a file"):
            store.clear()

    def test_a_keyring_that_works_needs_no_folder_for_the_file(
        self, store: FallbackStore, path: Path, clock: Clock
    ) -> None:
        path.parent.write_text("a file in the place of the data folder")

        assert store.read() is None
        store.write(one := token(clock))
        assert store.read() == one

    @pytest.mark.posix
    def test_a_file_that_may_not_be_read_is_an_error_where_the_keyring_cannot_be_used(
        self, store: FallbackStore, path: Path, keyring_client: FakeVault, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path.parent.mkdir()
        path.touch()
        keyring_client.problem = KeyringUnavailable.MISSING

        def refuse(*_: Any, **__: Any) -> None:
            raise PermissionError(errno.EACCES, "Permission denied")

        monkeypatch.setattr(os, "open", refuse)

        with pytest.raises(StoreError, match="Permission denied"):
            store.read()

    def test_a_program_that_knows_only_the_file_is_heard(
        self, store: FallbackStore, opened: Callable[[], FallbackStore], path: Path, clock: Clock
    ) -> None:
        store.write(token(clock, "older"))
        clock.advance(60)
        path.parent.mkdir(exist_ok=True)
        path.write_text(encode_seed(newer := token(clock, "newer")))

        assert [store.read(), opened().read()] == [newer, newer]

    def test_a_living_file_is_read_without_the_keyring(
        self, store: FallbackStore, path: Path, keyring_client: FakeVault, clock: Clock
    ) -> None:
        path.parent.mkdir()
        path.write_text(encode_seed(token(clock)))

        store.read()

        assert keyring_client.calls == 0

    def test_a_dead_file_does_not_hide_the_keyring(
        self, store: FallbackStore, path: Path, clock: Clock, in_keyring: KeyringStore
    ) -> None:
        path.parent.mkdir()
        path.write_text(encode_seed(token(clock, "dead", 60)))
        clock.advance(61)
        in_keyring.write(one := token(clock))

        assert store.read() == one

    def test_a_dead_file_does_not_take_the_place_of_a_keyring_that_just_cannot_be_reached(
        self, store: FallbackStore, path: Path, keyring_client: FakeVault, clock: Clock
    ) -> None:
        store.write(token(clock))
        path.parent.mkdir()
        path.write_text(encode_seed(token(clock, "dead", 60)))
        clock.advance(61)
        keyring_client.problem = KeyringUnavailable.UNREACHABLE

        with pytest.raises(KeyringUnavailable):
            store.read()

    def test_an_older_entry_of_the_keyring_does_not_hide_a_newer_file(
        self, store: FallbackStore, path: Path, keyring_client: FakeVault, clock: Clock
    ) -> None:
        store.write(token(clock, "older", 86400))
        keyring_client.problem = KeyringUnavailable.SILENT
        clock.advance(60)
        store.write(newer := token(clock, "newer", 600))
        keyring_client.problem = None
        clock.advance(601)

        assert store.read() == newer

    @pytest.mark.parametrize("text", ["", "not json", "{}", "[]", '{"access_token": "half-seen'])
    def test_a_damaged_entry_is_no_token_and_is_not_logged(
        self, text: Any, store: FallbackStore, keyring_client: FakeVault, caplog: pytest.LogCaptureFixture
    ) -> None:
        keyring_client.entries[ENTRY] = text

        assert store.read() is None
        assert "half-seen" not in caplog.text

    def test_a_quick_read_asks_no_keyring(self, store: FallbackStore, keyring_client: FakeVault, clock: Clock) -> None:
        store.write(token(clock))
        keyring_client.calls = 0

        assert store.read_quick() is None
        assert keyring_client.calls == 0

    @pytest.mark.parametrize("lifetime", [60, 86400])
    def test_a_quick_read_of_a_file_asks_no_keyring(
        self, lifetime: Any, store: FallbackStore, path: Path, keyring_client: FakeVault, clock: Clock
    ) -> None:
        path.parent.mkdir()
        path.write_text(encode_seed(one := token(clock, lifetime=lifetime)))
        clock.advance(61)

        assert store.read_quick() == one
        assert keyring_client.calls == 0


class TestFileIsACopy:
    """An export writes the token into the same file."""

    @pytest.fixture
    def store(self, in_keyring: KeyringStore, path: Path, clock: Clock) -> FallbackStore:
        return FallbackStore(in_keyring, FileStore(str(path), in_keyring.lock, clock), clock, keep_file=True)

    @pytest.fixture
    def copied(self, store: FallbackStore, path: Path, clock: Clock) -> Any:
        store.write(one := token(clock))
        path.parent.mkdir(exist_ok=True)
        path.write_text(encode_seed(one))
        return one

    def test_the_token_is_the_keyrings(self, store: FallbackStore, copied: Any) -> None:
        assert (store.read(), store.read_quick(), store.place().kind) == (copied, copied, "keyring")

    def test_a_write_leaves_it_alone(self, store: FallbackStore, copied: Any, path: Path, clock: Clock) -> None:
        before = path.read_text()
        store.write(token(clock, "newer"))

        assert path.read_text() == before

    def test_another_token_in_it_is_newer(self, store: FallbackStore, copied: Any, path: Path, clock: Clock) -> None:
        clock.advance(1)
        path.write_text(encode_seed(newer := token(clock, "newer")))

        assert (store.read(), store.place().kind) == (newer, "file")

    @pytest.mark.parametrize("problem", [KeyringUnavailable.UNREACHABLE, KeyringUnavailable.ASKING])
    def test_it_is_read_while_the_keyring_cannot_be(
        self, problem: str, store: FallbackStore, copied: Any, keyring_client: FakeVault, clock: Clock
    ) -> None:
        keyring_client.problem = problem

        assert store.read() == copied
        with pytest.raises(KeyringUnavailable):
            store.write(token(clock, "newer"))

    def test_a_dead_token_goes_from_both(
        self, store: FallbackStore, copied: Any, path: Path, keyring_client: FakeVault, clock: Clock
    ) -> None:
        store.read()
        clock.advance(86400)

        assert store.expire_soft(copied) is True
        assert (path.exists(), keyring_client.entries) == (False, {})


@pytest.mark.parametrize("problem", PROBLEMS)
class TestKeyringDoesNotWork:
    def test_the_token_goes_into_the_file(
        self,
        problem: Any,
        store: FallbackStore,
        opened: Callable[[], FallbackStore],
        keyring_client: FakeVault,
        clock: Clock,
    ) -> None:
        keyring_client.problem = problem

        store.write(one := token(clock))

        assert [store.read(), opened().read()] == [one, one]

    def test_the_place_is_the_file_and_says_why(
        self, problem: Any, store: FallbackStore, path: Path, keyring_client: FakeVault, clock: Clock
    ) -> None:
        keyring_client.problem = problem

        store.write(token(clock))

        place = store.place()
        assert (place.kind, place.path, place.problem.problem) == ("file", str(path), problem)

    def test_the_log_says_why_once(
        self,
        problem: Any,
        store: FallbackStore,
        keyring_client: FakeVault,
        clock: Clock,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        keyring_client.problem = problem

        for _ in range(3):
            store.write(token(clock))

        assert caplog.messages == [f"Keyring not used ({problem}), token kept in file"]

    def test_a_read_finds_nothing_instead_of_failing(
        self, problem: Any, store: FallbackStore, keyring_client: FakeVault
    ) -> None:
        keyring_client.problem = problem

        assert store.read() is None

    def test_a_clear_succeeds(
        self,
        problem: Any,
        *,
        store: FallbackStore,
        opened: Callable[[], FallbackStore],
        path: Path,
        keyring_client: FakeVault,
        clock: Clock,
    ) -> None:
        keyring_client.problem = problem
        store.write(token(clock))

        assert store.clear() is True
        assert not path.exists()
        assert opened().read() is None

    def test_the_next_write_goes_back_into_the_keyring(
        self, problem: Any, store: FallbackStore, path: Path, keyring_client: FakeVault, clock: Clock
    ) -> None:
        keyring_client.problem = problem
        store.write(token(clock))
        keyring_client.problem = None

        store.write(one := token(clock))

        assert decode(keyring_client.entries[ENTRY]) == one
        assert not path.exists()
        assert store.place().kind == "keyring"

    def test_what_was_cleared_meanwhile_stays_cleared(
        self,
        problem: Any,
        store: FallbackStore,
        opened: Callable[[], FallbackStore],
        keyring_client: FakeVault,
        clock: Clock,
    ) -> None:
        store.write(token(clock))
        keyring_client.problem = problem
        clock.advance(60)
        store.clear()

        keyring_client.problem = None

        assert [store.read(), opened().read()] == [None, None]

    def test_a_token_set_after_that_clear_is_there(
        self,
        problem: Any,
        store: FallbackStore,
        opened: Callable[[], FallbackStore],
        keyring_client: FakeVault,
        clock: Clock,
    ) -> None:
        store.write(token(clock))
        keyring_client.problem = problem
        store.clear()
        keyring_client.problem = None
        clock.advance(1)

        store.write(one := token(clock, "newer"))

        assert opened().read() == one

    def test_the_keyring_is_asked_again_now_and_then(
        self, problem: Any, store: FallbackStore, keyring_client: FakeVault, clock: Clock
    ) -> None:
        store.write(one := token(clock))
        keyring_client.problem = problem
        store.read()
        before = store.version()
        keyring_client.problem = None

        clock.advance(60)

        assert store.version() != before
        assert store.read() == one

    def test_the_keyring_is_not_asked_all_the_time(
        self, problem: Any, store: FallbackStore, keyring_client: FakeVault
    ) -> None:
        keyring_client.problem = problem
        store.read()

        assert store.version() == store.version()

    def test_a_clear_says_why_the_keyring_was_not_asked_and_whether_there_was_anything(
        self, problem: str, store: FallbackStore, keyring_client: FakeVault, clock: Clock
    ) -> None:
        store.write(token_for("a-token", DAY, clock()))
        assert (store.clear(), store.place().problem) == (True, None)
        keyring_client.problem = problem
        assert (store.clear(), store.place().problem_code) == (False, problem)

    def test_a_keyring_that_is_back_is_the_place_again_also_with_nothing_stored(
        self, problem: str, store: FallbackStore, keyring_client: FakeVault
    ) -> None:
        keyring_client.problem = problem
        store.clear()
        keyring_client.problem = None
        store.check()
        assert (store.place().kind, store.place().problem) == ("keyring", None)


@pytest.mark.parametrize("problem", [None, KeyringUnavailable.SILENT])
def test_only_a_token_in_the_file_is_encrypted_with_a_new_key(
    in_keyring: KeyringStore, keyring_client: FakeVault, clock: Clock, path: Path, problem: str | None
) -> None:
    cipher = Cipher(Secret("Zmlyc3Qta2V5LW9mLWEtdGVzdC10aGF0LWlzLW9uZSE="))
    plain = FallbackStore(in_keyring, FileStore(str(path), in_keyring.lock, clock), clock)
    with_key = FallbackStore(in_keyring, FileStore(str(path), in_keyring.lock, clock, cipher=cipher), clock)
    keyring_client.problem = problem
    plain.write(token_for("a-token", DAY, clock()))
    with_key.read()
    assert with_key.wants_rewriting() is (problem is not None)
    with_key.write(token_for("a-token", DAY, clock()))
    assert not with_key.wants_rewriting()


class TestCoherence:
    @pytest.mark.parametrize("problem", [None, *PROBLEMS])
    @pytest.mark.parametrize(
        "change",
        [
            lambda store, clock: store.write(token(clock, "another")),
            lambda store, clock: store.clear(),
        ],
        ids=["write", "clear"],
    )
    def test_the_stamp_tells_of_what_another_process_did(
        self,
        change: Any,
        problem: Any,
        *,
        store: FallbackStore,
        opened: Callable[[], FallbackStore],
        keyring_client: FakeVault,
        clock: Clock,
    ) -> None:
        store.write(token(clock))
        before = store.version()
        other = opened()
        keyring_client.problem = problem
        clock.advance(1)

        change(other, clock)

        assert store.version() != before

    @pytest.mark.parametrize("problem", [None, *PROBLEMS])
    def test_a_write_returns_its_own_stamp(
        self, problem: Any, store: FallbackStore, keyring_client: FakeVault, clock: Clock
    ) -> None:
        store.read()
        keyring_client.problem = problem

        assert store.write(token(clock)) == store.version()

    def test_a_plain_writer_of_the_file_is_noticed(self, store: FallbackStore, path: Path, clock: Clock) -> None:
        store.write(token(clock))
        before = store.version()
        path.parent.mkdir(exist_ok=True)

        path.write_text("x")

        assert store.version() != before

    @pytest.mark.posix
    def test_everything_is_noticed_after_the_state_folder_was_removed(
        self, store: FallbackStore, opened: Callable[[], FallbackStore], clock: Clock, tmp_path: Path
    ) -> None:
        store.write(token(clock))
        before = store.version()
        shutil.rmtree(tmp_path / "state")

        opened().write(one := token(clock, "another"))

        assert store.version() != before
        assert store.read() == one

    def test_a_clear_from_a_clock_that_was_set_back_since_does_not_hold_for_ever(
        self, store: FallbackStore, keyring_client: FakeVault, clock: Clock
    ) -> None:
        clock.advance(86400)
        store.clear()
        clock.advance(-86400)

        store.write(one := token(clock))

        assert store.read() == one

    def test_nor_does_it_hold_for_a_token_that_a_plain_writer_stores(
        self, store: FallbackStore, path: Path, clock: Clock
    ) -> None:
        clock.advance(86400)
        store.clear()
        clock.advance(-86400)

        path.parent.mkdir(exist_ok=True)
        path.write_text(encode_seed(one := token(clock)))

        assert store.read() == store.read_quick() == one

    def test_a_file_that_cannot_be_deleted_does_not_keep_the_keyrings_token(
        self, store: FallbackStore, keyring_client: FakeVault, path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store.write(token(clock))
        path.parent.mkdir(exist_ok=True)
        path.write_text(encode_seed(token(clock, "another")))

        def refuse(*_: Any) -> None:
            raise PermissionError(errno.EPERM, "Operation not permitted")

        monkeypatch.setattr(os, "unlink", refuse)
        with pytest.raises(StoreError):
            store.clear()

        assert keyring_client.entries == {}


class TestAFileOfAnotherProgram:
    @pytest.fixture
    def put(self, path: Path, clock: Clock) -> Any:
        """Writes the file as a program does that knows nothing else."""

        def write(name: Any = "newer", lifetime: Any = 86400) -> Any:
            clock.advance(60)
            path.parent.mkdir(exist_ok=True)
            path.write_text(encode_seed(one := token(clock, name, lifetime)))
            return one

        return write

    @pytest.mark.parametrize("read", [FallbackStore.read, FallbackStore.read_quick], ids=["read", "quick read"])
    def test_leaves_no_token_behind_when_it_goes_after_it_was_read(
        self,
        read: Any,
        *,
        store: FallbackStore,
        opened: Callable[[], FallbackStore],
        put: Any,
        path: Path,
        clock: Clock,
    ) -> None:
        store.write(token(clock, "older"))
        put()
        read(store)

        path.unlink()

        assert [store.read(), opened().read()] == [None, None]

    def test_is_told_of_once(
        self, store: FallbackStore, opened: Callable[[], FallbackStore], put: Any, clock: Clock
    ) -> None:
        store.write(token(clock, "older"))
        one = put()
        store.read()
        told = opened().version()

        for other in (store, opened(), opened()):
            assert (other.read(), other.read_quick()) == (one, one)

        assert opened().version() == told

    def test_is_told_to_all_but_the_one_who_tells(
        self, store: FallbackStore, opened: Callable[[], FallbackStore], put: Any, clock: Clock
    ) -> None:
        store.write(token(clock, "older"))
        put()
        other = opened()
        before = (store.version(), other.version())

        store.read()

        assert (store.version() == before[0], other.version() == before[1]) == (True, False)

    def test_leaves_the_lock_free_once_it_is_told_of(self, store: FallbackStore, put: Any) -> None:
        put()
        store.read()
        taken: list[bool] = []
        other = threading.Thread(target=lambda: taken.append(store.lock.try_acquire()))
        other.start()
        other.join()
        assert taken == [True]

    def test_is_watched_beside_what_the_keyring_s_users_announce(
        self, store: FallbackStore, path: Path, tmp_path: Path
    ) -> None:
        assert store.watch_paths() == [str(path), str(tmp_path / "state" / "default.signal")]

    def test_what_another_changed_meanwhile_is_not_lost_in_the_telling(
        self, store: FallbackStore, opened: Callable[[], FallbackStore], put: Any, clock: Clock
    ) -> None:
        store.write(token(clock, "older"))
        put()
        before = store.version()
        opened().clear()
        put("newest")

        store.read()

        assert store.version() != before

    @pytest.mark.parametrize("problem", PROBLEMS)
    def test_leaves_no_token_behind_when_the_keyring_comes_back(
        self, problem: Any, *, store: FallbackStore, put: Any, path: Path, keyring_client: FakeVault, clock: Clock
    ) -> None:
        store.write(token(clock, "older"))
        keyring_client.problem = problem
        put()
        store.read()

        path.unlink()
        keyring_client.problem = None

        assert store.read() is None

    def test_goes_for_good_with_a_clear(
        self, store: FallbackStore, opened: Callable[[], FallbackStore], put: Any, path: Path, clock: Clock
    ) -> None:
        store.write(token(clock, "older"))
        put()
        other = opened()
        copy = path.read_bytes()
        other.clear()

        path.write_bytes(copy)

        assert [other.read(), store.read()] == [None, None]

    def test_is_not_told_of_while_somebody_holds_the_lock(
        self, store: FallbackStore, opened: Callable[[], FallbackStore], put: Any
    ) -> None:
        one = put()
        other = opened()
        before = other.version()
        with store.lock:
            assert store.read() == one
            assert other.version() == before

        assert store.read() == one
        assert other.version() != before

    def test_that_has_ended_leaves_the_keyrings_token(self, store: FallbackStore, put: Any, clock: Clock) -> None:
        store.write(one := token(clock, "older"))
        put(lifetime=60)
        clock.advance(61)

        assert store.read() == one

    def test_from_the_future_is_not_told_of(self, store: FallbackStore, put: Any, path: Path, clock: Clock) -> None:
        store.write(one := token(clock, "older"))
        clock.advance(86400)
        put()
        clock.advance(-86400)
        store.read()

        path.unlink()

        assert store.read() == one

    def test_from_the_future_does_not_undo_a_clear(
        self, store: FallbackStore, put: Any, path: Path, keyring_client: FakeVault, clock: Clock
    ) -> None:
        store.write(token(clock, "older"))
        keyring_client.problem = KeyringUnavailable.SILENT
        store.clear()
        keyring_client.problem = None
        clock.advance(86400)
        put()
        clock.advance(-86400)
        store.read()

        path.unlink()

        assert store.read() is None

    @pytest.mark.parametrize("obstacle", ["the lock cannot be taken", "the signal cannot be written"])
    def test_is_read_where_nothing_can_be_told(
        self,
        obstacle: Any,
        *,
        store: FallbackStore,
        put: Any,
        tmp_path: Path,
        caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        one = put()
        if obstacle == "the lock cannot be taken":
            monkeypatch.setattr(store.lock, "try_acquire", Mock(side_effect=StoreError("read-only")))
        else:
            (tmp_path / "state" / "default.signal").mkdir(parents=True)

        assert [store.read() for _ in range(3)] == [one] * 3
        assert len(caplog.messages) <= 1


class TestSeveralFolders:
    """Tools started in different folders share the lock and the signal, and without a keyring nothing else."""

    @pytest.fixture
    def elsewhere(self, keyring_client: Any, clock: Any, tmp_path: Path) -> Any:
        marker = ChangeMarker(str(tmp_path / "state" / "default.signal"))
        lock = ThreadLock()
        in_keyring = KeyringStore("default", keyring_client, marker, lock, clock)
        return FallbackStore(in_keyring, FileStore(str(tmp_path / "elsewhere" / ".token"), lock, clock), clock)

    @pytest.mark.parametrize("problem", PROBLEMS)
    def test_without_a_keyring_each_keeps_its_token(
        self, problem: Any, store: FallbackStore, elsewhere: FallbackStore, keyring_client: FakeVault, clock: Clock
    ) -> None:
        keyring_client.problem = problem
        store.write(one := token(clock, "one"))
        clock.advance(60)
        elsewhere.write(two := token(clock, "two"))

        assert [store.read(), elsewhere.read()] == [one, two]

    @pytest.mark.parametrize("problem", PROBLEMS)
    def test_without_a_keyring_each_keeps_its_ending_token(
        self, problem: Any, store: FallbackStore, elsewhere: FallbackStore, keyring_client: FakeVault, clock: Clock
    ) -> None:
        keyring_client.problem = problem
        store.write(one := token(clock, "one", 200))
        store.expire_soft(one)
        clock.advance(60)
        elsewhere.write(token(clock, "two"))

        assert (store.read(), store.read_expiring()) == (None, one)

    def test_with_a_keyring_all_have_the_newest(
        self, store: FallbackStore, elsewhere: FallbackStore, path: Path, clock: Clock
    ) -> None:
        path.parent.mkdir()
        path.write_text(encode_seed(token(clock, "one")))
        clock.advance(60)
        elsewhere.write(two := token(clock, "two"))

        assert [store.read(), elsewhere.read()] == [two, two]

    def test_with_a_keyring_a_clear_is_everybodys(
        self, store: FallbackStore, elsewhere: FallbackStore, path: Path, clock: Clock
    ) -> None:
        path.parent.mkdir()
        path.write_text(encode_seed(token(clock, "one")))
        clock.advance(60)
        elsewhere.clear()

        assert store.read() is None


class TestRetire:
    def test_a_valid_token_stays_in_the_keyring(
        self, store: FallbackStore, keyring_client: FakeVault, clock: Clock
    ) -> None:
        store.write(one := token(clock))
        clock.advance(86400 - 200)

        store.expire_soft(one)

        assert decode(keyring_client.entries[ENTRY]) == one

    def test_a_dead_token_is_deleted_from_the_keyring(
        self, store: FallbackStore, keyring_client: FakeVault, clock: Clock
    ) -> None:
        store.write(one := token(clock))
        clock.advance(86400)

        assert store.expire_soft(one) is True
        assert keyring_client.entries == {}

    def test_a_token_that_took_its_place_stays(
        self, store: FallbackStore, opened: Callable[[], FallbackStore], keyring_client: FakeVault, clock: Clock
    ) -> None:
        store.write(one := token(clock, lifetime=60))
        clock.advance(61)
        opened().write(newer := token(clock, "newer"))

        assert store.expire_soft(one) is False
        assert decode(keyring_client.entries[ENTRY]) == newer

    def test_a_dead_token_in_a_keyring_that_does_not_answer_is_not_said_to_be_gone(
        self, store: FallbackStore, keyring_client: FakeVault, clock: Clock
    ) -> None:
        store.write(one := token(clock))
        clock.advance(86400)
        keyring_client.problem = KeyringUnavailable.LOCKED

        assert store.expire_soft(one) is False
        assert store.place().problem.problem == KeyringUnavailable.LOCKED

    def test_a_valid_token_of_the_file_is_put_aside(
        self, store: FallbackStore, path: Path, keyring_client: FakeVault, clock: Clock
    ) -> None:
        keyring_client.problem = KeyringUnavailable.LOCKED
        store.write(one := token(clock))
        clock.advance(86400 - 200)

        assert store.expire_soft(one) is True
        assert not path.exists()
        assert store.read_expiring() == one

    def test_a_token_put_aside_is_gone_after_a_clear_elsewhere(
        self, store: FallbackStore, in_keyring: KeyringStore, keyring_client: FakeVault, clock: Clock
    ) -> None:
        keyring_client.problem = KeyringUnavailable.LOCKED
        store.write(one := token(clock))
        clock.advance(86400 - 200)
        store.expire_soft(one)
        keyring_client.problem = None
        assert (store.read(), store.read_expiring()) == (None, one)

        in_keyring.clear()

        assert store.read_expiring() is None

    def test_a_token_put_aside_is_gone_after_a_clear(
        self, store: FallbackStore, opened: Callable[[], FallbackStore], keyring_client: FakeVault, clock: Clock
    ) -> None:
        keyring_client.problem = KeyringUnavailable.LOCKED
        store.write(one := token(clock))
        clock.advance(86400 - 200)
        store.expire_soft(one)

        opened().clear()

        assert store.read_expiring() is None


class TestKeyringStore:
    @pytest.mark.parametrize("problem", PROBLEMS)
    @pytest.mark.parametrize("act", ["read", "write", "clear"])
    def test_fails_instead_of_writing_plaintext(
        self,
        act: Any,
        problem: Any,
        *,
        keyring_store: KeyringStore,
        keyring_client: FakeVault,
        clock: Clock,
        tmp_path: Path,
    ) -> None:
        keyring_client.problem = problem

        with pytest.raises(KeyringUnavailable) as raised:
            keyring_store.write(token(clock)) if act == "write" else getattr(keyring_store, act)()

        assert raised.value.exit_status == KEYRING == 6
        assert not [file for file in tmp_path.rglob("*") if file.is_file() and b"token-of-a-test" in file.read_bytes()]

    def test_the_place_says_what_is_wrong(self, keyring_store: KeyringStore, keyring_client: FakeVault) -> None:
        keyring_client.problem = KeyringUnavailable.LOCKED
        with pytest.raises(KeyringUnavailable):
            keyring_store.read()

        assert (keyring_store.place().kind, keyring_store.place().problem.problem) == ("keyring", "locked")

    def test_what_is_remembered_of_it_keeps_no_frame_alive(
        self, keyring_store: KeyringStore, store: FallbackStore, keyring_client: FakeVault
    ) -> None:
        keyring_client.problem = KeyringUnavailable.LOCKED
        with pytest.raises(KeyringUnavailable):
            keyring_store.read()
        store.read()

        assert [one.place().problem.__traceback__ for one in (keyring_store, store)] == [None, None]

    def test_the_place_is_well_again_after_an_answer(
        self, keyring_store: KeyringStore, keyring_client: FakeVault
    ) -> None:
        keyring_client.problem = KeyringUnavailable.LOCKED
        with pytest.raises(KeyringUnavailable):
            keyring_store.read()
        keyring_client.problem = None
        keyring_store.read()

        assert keyring_store.place().problem is None

    def test_the_log_says_what_became_of_a_token_and_names_none(
        self,
        keyring_store: KeyringStore,
        keyring_client: FakeVault,
        clock: Clock,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        with caplog.at_level("INFO"):
            keyring_store.write(token(clock))
            keyring_client.entries[ENTRY] = "no token-of-a-test"
            assert keyring_store.read() is None

        assert "Token saved to keyring (expires at " in caplog.text
        assert "Failed to parse the token in the keyring" in caplog.text
        assert "token-of-a-test" not in caplog.text

    def test_who_watches_its_file_notices_each_change(self, keyring_store: KeyringStore, clock: Clock) -> None:
        (watched,) = keyring_store.watch_paths()
        keyring_store.write(token(clock))
        contents = {Path(watched).read_bytes()}
        keyring_store.clear()
        contents.add(Path(watched).read_bytes())

        assert len(contents) == 2

    def test_a_clear_says_whether_there_was_a_token(self, keyring_store: KeyringStore, clock: Clock) -> None:
        keyring_store.write(token(clock))

        assert (keyring_store.clear(), keyring_store.clear()) == (True, False)

    def test_what_is_in_it_is_never_written_anew_by_itself(self, keyring_store: KeyringStore, clock: Clock) -> None:
        keyring_store.write(token(clock))

        assert keyring_store.wants_rewriting() is False

    def test_it_is_known_to_hold_a_token_though_it_cannot_be_asked(
        self, keyring_store: KeyringStore, clock: Clock
    ) -> None:
        held = [keyring_store.holds_unexpired()]
        keyring_store.write(token(clock))
        held.append(keyring_store.holds_unexpired())
        clock.advance(86400)
        held.append(keyring_store.holds_unexpired())
        keyring_store.write(token(clock))
        held.append(keyring_store.holds_unexpired())
        keyring_store.clear()
        held.append(keyring_store.holds_unexpired())

        assert held == [False, True, False, True, False]

    def test_what_was_cleared_while_it_hung_stays_cleared(
        self, keyring_store: KeyringStore, keyring_client: FakeVault, clock: Clock
    ) -> None:
        keyring_store.write(token(clock))
        keyring_client.problem = KeyringUnavailable.SILENT
        with pytest.raises(KeyringUnavailable):
            keyring_store.clear()
        keyring_client.problem = None

        assert keyring_store.read() is None

    def test_a_write_that_hung_and_lands_late_does_not_bring_an_old_token_back(
        self, store: FallbackStore, keyring_client: FakeVault, clock: Clock
    ) -> None:
        store.write(late := token(clock, "late"))
        text = keyring_client.entries[ENTRY]
        keyring_client.problem = KeyringUnavailable.SILENT
        clock.advance(60)
        store.clear()
        keyring_client.problem = None
        keyring_client.entries[ENTRY] = text

        assert late.is_unexpired(clock())
        assert store.read() is None


def test_the_store_that_the_settings_name_writes_into_the_keyring_of_the_process(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, clock: Clock
) -> None:
    monkeypatch.delenv("PYTHON_KEYRING_BACKEND")
    monkeypatch.setattr(keyring.core, "_keyring_backend", None)
    keyring.set_keyring(backend := MemoryKeyring())

    open_store(load_settings(), clock).write(token(clock))

    assert list(backend.entries) == [ENTRY]
    assert not Path(os.environ["KIWOOM_TRAY_DATA_DIR"]).exists()


def test_a_missing_keyring_under_auto_is_the_file(clock: Clock) -> None:
    store = open_store(load_settings(), clock)

    store.write(token(clock))

    assert (store.place().kind, store.place().problem.problem) == ("file", KeyringUnavailable.MISSING)
    assert (Path(os.environ["KIWOOM_TRAY_DATA_DIR"]) / ".token").is_file()


def test_a_missing_keyring_under_keyring_writes_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, clock: Clock
) -> None:
    monkeypatch.setenv("KIWOOM_TRAY_STORE", "keyring")

    with pytest.raises(KeyringUnavailable):
        open_store(load_settings(), clock).write(token(clock))

    assert not [file for file in tmp_path.rglob("*") if file.is_file() and b"token-of-a-test" in file.read_bytes()]


def test_opening_a_store_touches_neither_disk_nor_keyring(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "no.such.module.Keyring")
    for name in ("auto", "keyring", "file", "memory"):
        open_store(load_settings(store=name))

    assert list(tmp_path.iterdir()) == []


class TestMemory:
    def test_forgets_on_clear(self, clock: Clock) -> None:
        store = MemoryStore(clock)
        store.write(token(clock))

        assert (store.clear(), store.read(), store.clear()) == (True, None, False)

    def test_is_no_file_and_has_a_lock(self, clock: Clock) -> None:
        store = MemoryStore(clock)

        assert (store.place().kind, store.watch_paths(), store.lock.try_acquire()) == ("memory", [], True)

    def test_a_retired_token_is_found_until_its_end(self, clock: Clock) -> None:
        store = MemoryStore(clock)
        before = store.write(one := token(clock, lifetime=200))

        assert store.expire_soft(one) is True
        assert store.version() != before
        assert (store.read(), store.read_expiring()) == (None, one)
        clock.advance(200)
        assert store.read_expiring() is None

    def test_a_retired_token_goes_with_a_clear(self, clock: Clock) -> None:
        store = MemoryStore(clock)
        store.write(one := token(clock))
        store.expire_soft(one)

        assert (store.clear(), store.read_expiring()) == (True, None)

    def test_only_the_present_token_is_retired(self, clock: Clock) -> None:
        store = MemoryStore(clock)
        store.write(one := token(clock))
        store.write(other := token(clock, "another"))

        assert (store.expire_soft(one), store.read()) == (False, other)
        assert not store.wants_rewriting()

    def test_what_is_announced_is_another_version_and_leaves_the_token(self, clock: Clock) -> None:
        store = MemoryStore(clock)
        store.write(one := token(clock))
        before = store.version()

        with store.announcing():
            pass

        assert store.version() != before
        assert (store.read(), store.read_quick()) == (one, one)

    def test_each_change_has_a_stamp_of_its_own(self, clock: Clock) -> None:
        store = MemoryStore(clock)
        versions = [store.version()]
        for n in range(20):
            versions.append(store.write(token(clock, f"token-{n}")))
            store.clear()
            versions.append(store.version())

        assert len(set(versions)) == len(versions)


class TestCheck:
    """Another process fell back to the file; this one reads it without asking the keyring."""

    def test_tells_why_the_token_is_not_in_the_keyring(
        self, opened: Callable[[], FallbackStore], keyring_client: FakeVault, clock: Clock
    ) -> None:
        keyring_client.problem = KeyringUnavailable.LOCKED
        opened().write(token(clock))
        store = opened()
        store.read()

        store.check()

        assert store.place().problem.problem == KeyringUnavailable.LOCKED

    def test_a_keyring_that_is_back_is_no_reason_any_more(
        self, opened: Callable[[], FallbackStore], keyring_client: FakeVault, clock: Clock
    ) -> None:
        keyring_client.problem = KeyringUnavailable.LOCKED
        store = opened()
        store.write(token(clock))
        keyring_client.problem = None

        store.check()

        assert (store.place().kind, store.place().problem) == ("file", None)

    def test_asks_nothing_while_the_token_is_in_the_keyring(
        self, store: FallbackStore, keyring_client: FakeVault, clock: Clock
    ) -> None:
        store.write(token(clock))
        store.read()
        before = keyring_client.calls

        store.check()

        assert keyring_client.calls == before
