from __future__ import annotations

import contextlib
import errno
import json
import logging
import os
import re
import shutil
import stat
import sys
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.doubles import START, Clock
from tests.zones import live_in, read_zone
from tray_app.core.errors import StoreError
from tray_app.core.token import token_for
from tray_app.history.database import History
from tray_app.stores import file as file_module
from tray_app.stores.change_marker import ChangeMarker
from tray_app.stores.file import MAX_BYTES, FileStore
from tray_app.stores.lock import ProfileLock, ThreadLock
from tray_app.system import private_files as files

OLD = token_for("old-token-of-a-test", 86400, START)
NEW = token_for("new-token-of-a-test", 86400, START + 10)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / ".token"


@pytest.fixture
def store(path: Path, clock: Clock) -> FileStore:
    return FileStore(str(path), ThreadLock(), clock)


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Nobody writes in place in these tests unless they say so, so there is nothing to wait for."""
    pauses = []  # type: ignore[var-annotated]
    monkeypatch.setattr(file_module.time, "sleep", pauses.append)  # type: ignore[attr-defined]
    return pauses


def put(path: Path, content: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)


def names(path: Path) -> list[str]:
    return sorted(one.name for one in path.parent.iterdir())


def seed_record(value: Any = "token-of-a-test", **fields: Any) -> dict:  # type: ignore[type-arg]
    now = datetime.fromtimestamp(START)  # noqa: DTZ006 - the seed's naive local time
    return {
        "access_token": value,
        "expires_at": (now + timedelta(days=1)).isoformat(),
        "created_at": now.isoformat(),
        **fields,
    }


class TestWriting:
    def test_what_is_written_is_read_back(self, store: FileStore) -> None:
        store.write(OLD)

        assert store.read() == OLD

    def test_the_file_holds_the_seeds_three_keys_as_utf_8(self, store: FileStore, path: Path) -> None:
        store.write(OLD)

        assert list(json.loads(path.read_bytes().decode("utf-8"))) == ["access_token", "expires_at", "created_at"]

    @pytest.mark.posix
    def test_the_folder_is_made_for_its_owner_alone(self, store: FileStore, path: Path) -> None:
        store.write(OLD)

        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700

    @pytest.mark.posix
    def test_the_file_is_its_owners_alone_from_the_moment_it_exists(
        self, store: FileStore, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        modes, was_open = [], os.open

        def watched_open(name: Any, flags: Any, *rest: Any, **options: Any) -> Any:
            descriptor = was_open(name, flags, *rest, **options)
            if flags & os.O_CREAT:
                modes.append((stat.S_IMODE(os.fstat(descriptor).st_mode), bool(flags & os.O_EXCL)))
            return descriptor

        monkeypatch.setattr(os, "open", watched_open)
        before = os.umask(0)
        try:
            store.write(OLD)
            store.write(NEW)
        finally:
            os.umask(before)

        assert set(modes) == {(0o600, True)}
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def test_the_mode_is_never_changed_afterwards(self, store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*_: Any, **__: Any) -> None:
            raise AssertionError("chmod")

        for name in ("chmod", "fchmod", "lchmod"):
            monkeypatch.setattr(os, name, refuse, raising=False)

        store.write(OLD)

    def test_a_reader_finds_the_old_or_the_new_token_and_nothing_between(
        self, store: FileStore, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store.write(OLD)
        seen, was_replace = [], os.replace

        def watched_replace(source: Any, target: Any) -> None:
            seen.append(store.read())  # the metadata is written
            was_replace(source, target)
            seen.append(store.read())

        monkeypatch.setattr(os, "replace", watched_replace)
        store.write(NEW)

        assert seen == [OLD, NEW]

    def test_the_content_is_on_disk_before_it_takes_the_name(
        self, store: FileStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        steps, was_sync, was_replace = [], os.fsync, os.replace
        monkeypatch.setattr(os, "fsync", lambda descriptor: (steps.append("sync"), was_sync(descriptor)))
        monkeypatch.setattr(os, "replace", lambda *names: (steps.append("replace"), was_replace(*names)))

        store.write(OLD)

        assert steps == ["sync", "replace"]

    @pytest.mark.parametrize("step", ["fsync", "replace"])
    def test_a_write_that_fails_leaves_the_old_token_and_nothing_else(
        self, step: Any, store: FileStore, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store.write(OLD)

        def fail(*_: Any) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(os, step, fail)
            with pytest.raises(
                StoreError, match=r"\(No space left on device\)\. Free some space, or choose another folder"
            ):
                store.write(NEW)

        assert store.read() == OLD
        assert names(path) == [".token", ".token.owner"]

    def test_a_failed_write_names_no_token(self, store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*_: Any) -> None:
            raise OSError(errno.EIO, "Input/output error")

        monkeypatch.setattr(os, "fsync", fail)
        with pytest.raises(StoreError) as raised:
            store.write(NEW)

        assert NEW.value.reveal() not in str(raised.value)

    def test_a_folder_that_cannot_be_made_is_an_error_that_says_what_to_do(self, tmp_path: Path, clock: Clock) -> None:
        (tmp_path / "data").write_text("a file")

        with pytest.raises(StoreError, match="KIWOOM_TRAY_DATA_DIR"):
            FileStore(str(tmp_path / "data" / ".token"), ThreadLock(), clock).write(OLD)

    def test_what_killed_writers_left_goes_with_the_next_write(self, store: FileStore, path: Path) -> None:
        put(path.with_name(".token.0123abcd.new"), b'{"access_token": "half')
        os.utime(path.with_name(".token.0123abcd.new"), (1, 1))

        store.write(NEW)

        assert names(path) == [".token", ".token.owner"]

    def test_what_another_is_writing_just_now_stays(self, store: FileStore, path: Path) -> None:
        put(path.with_name(".token.0123abcd.new"), b'{"access_token": "half')

        store.write(NEW)

        assert names(path) == [".token", ".token.0123abcd.new", ".token.owner"]

    @pytest.mark.parametrize("name", [".token.backup.new", ".token.new", "0123abcd.new", "x.token.0123abcd.new"])
    def test_what_somebody_else_keeps_there_stays(self, name: Any, store: FileStore, path: Path) -> None:
        put(path.with_name(name), b"kept")
        os.utime(path.with_name(name), (1, 1))

        store.write(NEW)

        assert path.with_name(name).read_bytes() == b"kept"

    def test_writers_without_a_lock_do_not_fail_because_of_each_other(self, path: Path, clock: Clock) -> None:
        failed = []

        def write_often(token: Any) -> None:
            store = FileStore(str(path), ThreadLock(), clock)
            for _ in range(40):
                try:
                    store.write(token)
                except StoreError as error:
                    failed.append(error)

        writers = [threading.Thread(target=write_often, args=(token,)) for token in (OLD, NEW) * 2]
        for one in writers:
            one.start()
        for one in writers:
            one.join(60)

        assert failed == []
        assert FileStore(str(path), ThreadLock(), clock).read() in {OLD, NEW}
        assert names(path) == [".token", ".token.owner"]

    @pytest.mark.posix
    def test_a_link_put_there_in_the_last_moment_is_not_followed(
        self, store: FileStore, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        victim = tmp_path / "victim"
        victim.write_text("untouched")
        was_open = os.open

        def racing_open(name: Any, flags: Any, *rest: Any, **options: Any) -> Any:
            if flags & os.O_CREAT:
                Path(name).symlink_to(victim)
            return was_open(name, flags, *rest, **options)

        path.parent.mkdir()
        monkeypatch.setattr(os, "open", racing_open)
        with pytest.raises(StoreError):
            store.write(NEW)

        assert victim.read_text() == "untouched"

    @pytest.mark.posix
    def test_a_linked_token_file_is_replaced_and_its_target_stays(
        self, store: FileStore, path: Path, tmp_path: Path
    ) -> None:
        target = tmp_path / "elsewhere"
        put(target, json.dumps(seed_record()).encode())
        path.parent.mkdir()
        path.symlink_to(target)
        assert store.read().value.reveal() == "token-of-a-test"

        store.write(NEW)

        assert store.read() == NEW
        assert "token-of-a-test" in target.read_text()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_file_that_an_editor_or_a_shell_of_windows_has_saved_is_read(
    store: FileStore, path: Path, encoding: str
) -> None:
    put(path, json.dumps(seed_record()).encode(encoding))

    token = store.read()

    assert token is not None
    assert token.value.reveal() == "token-of-a-test"


DAMAGED = {
    "empty": b"",
    "blank": b" \n",
    "truncated": json.dumps(seed_record("half-seen")).encode()[:60],
    "binary": bytes(range(256)),
    "nul bytes": b"\0" * 250,
    "UTF-16 without its mark": json.dumps(seed_record()).encode("utf-16-le"),
    "Latin-1": json.dumps(seed_record(value="t\xf6ken"), ensure_ascii=False).encode("latin-1"),
    "a list": b"[1, 2, 3]",
    "a number": b"5",
    "null": b"null",
    "foreign JSON": b'{"token": "half-seen", "expires_dt": "20251107083713"}',
    "deep JSON": b"[" * 60000,
    "wrong types": json.dumps(seed_record(access_token=["half-seen"], expires_at=5)).encode(),
    "no token": json.dumps(seed_record("")).encode(),
    "a token of two lines": json.dumps(seed_record("half\nseen")).encode(),
    "year 1": json.dumps(seed_record(expires_at="0001-01-01T00:00:00")).encode(),
    "year 9999": json.dumps(seed_record(expires_at="9999-12-31T23:59:59")).encode(),
    "year 10000": json.dumps(seed_record(expires_at="10000-01-01T00:00:00")).encode(),
    "month 13": json.dumps(seed_record(created_at="2026-13-01T00:00:00")).encode(),
    "too large": json.dumps(seed_record(padding="x" * MAX_BYTES)).encode(),
}


class TestDamage:
    @pytest.mark.parametrize("kind", DAMAGED)
    def test_a_damaged_file_is_a_missing_token_and_is_deleted(self, kind: Any, store: FileStore, path: Path) -> None:
        put(path, DAMAGED[kind])

        assert store.read() is None
        assert not path.exists()

    @pytest.mark.parametrize("kind", DAMAGED)
    def test_a_damaged_file_is_logged_without_its_content(
        self, kind: Any, store: FileStore, path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG, "kiwoom")
        put(path, DAMAGED[kind])

        store.read()

        levels = [(one.levelname, one.getMessage().partition(" (")[0]) for one in caplog.records]
        assert levels == [("ERROR", "Failed to parse token file"), ("DEBUG", "Token file deleted")]
        assert "seen" not in caplog.text

    def test_what_is_not_json_is_logged_in_the_seeds_words(
        self, store: FileStore, path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        put(path, b"{")

        store.read()

        assert caplog.messages == ["Failed to parse token file (invalid JSON)"]

    def test_a_byte_order_mark_is_no_damage(self, store: FileStore, path: Path) -> None:
        put(path, b"\xef\xbb\xbf" + json.dumps(seed_record()).encode())

        assert store.read().value.reveal() == "token-of-a-test"

    def test_times_with_a_zone_are_no_damage(self, store: FileStore, path: Path) -> None:
        put(path, json.dumps(seed_record(expires_at="2026-09-22T00:00:00+09:00")).encode())

        assert store.read().expires_at.isoformat() == "2026-09-21T15:00:00+00:00"

    def test_a_huge_file_is_not_read_whole(self, store: FileStore, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path.parent.mkdir()
        with path.open("wb") as file:
            file.truncate(1 << 30)
        sizes, was_read = [], os.read
        monkeypatch.setattr(os, "read", lambda descriptor, size: (sizes.append(size), was_read(descriptor, size))[1])

        assert store.read() is None
        assert max(sizes) == MAX_BYTES + 1

    @pytest.mark.parametrize(("size", "is_read"), [(65536, True), (65537, False)])
    def test_a_file_of_more_than_64_kib_is_none_of_ours(
        self, size: int, is_read: bool, store: FileStore, path: Path
    ) -> None:
        put(path, json.dumps(seed_record()).encode().ljust(size))

        assert (store.read() is not None, path.exists()) == (is_read, is_read)

    def test_an_editor_that_writes_in_place_is_waited_for(
        self, store: FileStore, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put(path, b"")
        monkeypatch.setattr(file_module.time, "sleep", lambda _: put(path, json.dumps(seed_record()).encode()))  # type: ignore[attr-defined]

        assert store.read().value.reveal() == "token-of-a-test"

    def test_a_file_that_was_replaced_while_it_was_judged_stays(
        self, store: FileStore, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put(path, b"{")
        was_version = files.version_of

        def replaced_meanwhile(name: Any) -> Any:
            monkeypatch.setattr(file_module, "version_of", was_version)
            FileStore(str(path), ThreadLock()).write(NEW)
            return was_version(name)

        monkeypatch.setattr(file_module, "version_of", replaced_meanwhile)

        assert store.read() is None
        assert store.read() == NEW


class TestTimeZones:
    @pytest.fixture
    def opened(self, path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
        """Opens the store as a process does where that is the time of the day."""

        def open_in(zone: str) -> Any:
            live_in(zone, monkeypatch)
            return FileStore(str(path), ThreadLock(), clock)

        yield open_in
        monkeypatch.undo()
        read_zone()

    @pytest.mark.parametrize("issued_for", ["", "real:0123456789abcdef"])
    @pytest.mark.parametrize(("here", "there"), [("Asia/Seoul", "UTC"), ("UTC", "Asia/Seoul")])
    def test_what_this_program_wrote_means_the_same_in_each(
        self, opened: Any, here: Any, there: Any, issued_for: Any
    ) -> None:
        opened(here).write(OLD.bound_to(issued_for))

        found = opened(there).read()

        assert (found, found.issued_for) == (OLD, issued_for)

    def test_the_file_itself_holds_the_writers_local_time(self, opened: Any, path: Path) -> None:
        opened("Asia/Seoul").write(OLD)

        ends = json.loads(path.read_bytes())["expires_at"]
        assert datetime.fromisoformat(ends + "+09:00") == OLD.expires_at

    def test_a_copy_of_the_folder_means_the_same(self, opened: Any, path: Path, clock: Clock, tmp_path: Path) -> None:
        opened("Asia/Seoul").write(OLD.bound_to("real:0123456789abcdef"))
        shutil.copytree(path.parent, tmp_path / "copy")
        os.utime(tmp_path / "copy" / ".token")
        opened("UTC")

        found = FileStore(str(tmp_path / "copy" / ".token"), ThreadLock(), clock).read()

        assert (found, found.issued_for) == (OLD, "real:0123456789abcdef")

    def test_a_copy_on_a_full_disk_keeps_its_account(
        self, opened: Any, path: Path, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        opened("Asia/Seoul").write(OLD.bound_to("real:0123456789abcdef"))
        shutil.copytree(path.parent, tmp_path / "copy")
        os.utime(tmp_path / "copy" / ".token")
        store = FileStore(str(tmp_path / "copy" / ".token"), ThreadLock(), clock)

        def fail(_: int) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(os, "fsync", fail)
        for _ in range(3):
            with pytest.raises(StoreError):
                store.write(NEW)

        found = store.read()
        assert found is not None
        assert (found, found.issued_for) == (OLD, "real:0123456789abcdef")

    def test_what_another_program_wrote_is_local_time(self, opened: Any, path: Path) -> None:
        opened("Asia/Seoul").write(OLD)
        put(path, json.dumps(seed_record("another", expires_at="2026-09-22T09:00:00")).encode())

        assert opened("Asia/Seoul").read().expires_at.isoformat() == "2026-09-22T00:00:00+00:00"

    def test_a_token_put_aside_means_the_same(self, opened: Any, clock: Clock) -> None:
        store = opened("UTC")
        store.write(OLD)
        clock.advance(86400 - 200)
        store.expire_soft(OLD)

        assert opened("Asia/Seoul").read_expiring() == OLD

    def test_a_token_with_a_day_to_go_is_not_expired_between_the_note_and_the_file(
        self, opened: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        opened("UTC").write(OLD)
        seen, was_replace = [], os.replace
        store = opened("Asia/Seoul")

        def watched_replace(source: Any, target: Any) -> None:
            seen.append(store.read())  # the metadata is written
            was_replace(source, target)
            seen.append(store.read())

        monkeypatch.setattr(os, "replace", watched_replace)
        store.write(NEW)

        assert seen == [OLD, NEW]

    def test_a_write_that_fails_leaves_the_note_of_what_stays(
        self, opened: Any, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        opened("UTC").write(OLD)
        was_replace = os.replace

        def fail(source: Any, target: Any) -> None:
            if target == str(path):
                raise OSError(errno.EIO, "Input/output error")
            was_replace(source, target)

        store = opened("UTC")
        for _ in range(3):
            with monkeypatch.context() as patch:
                patch.setattr(os, "replace", fail)
                with pytest.raises(StoreError):
                    store.write(NEW)

        assert opened("Asia/Seoul").read() == OLD

    @pytest.mark.parametrize(
        "metadata",
        [
            b"",
            b"[]",
            b"{}",
            b"\xff",
            b"[" * 9999,
            b'{"stamp": 5}',
            b'{"before": 5}',
            b'{"issued_for": "", "stamp": 5}',
            b'{"issued_for": "", "content": "x"}',
        ],
    )
    def test_damaged_metadata_are_none(self, metadata: Any, store: FileStore, path: Path) -> None:
        store.write(OLD)
        path.with_name(".token.owner").write_bytes(metadata)

        assert store.read().value == OLD.value

    @pytest.mark.parametrize("length", [15, 30, 200, 400])
    def test_metadata_that_are_just_being_written_are_read_again(
        self, length: Any, opened: Any, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What is read is the beginning of the new metadata and the rest of the old ones."""
        opened("UTC").write(OLD)
        file = path.with_name(".token.owner")
        before = file.read_bytes()
        opened("UTC").write(NEW)
        whole = file.read_bytes()
        file.write_bytes(whole[:length] + before[length:])
        pauses = []

        def finish_writing(seconds: float) -> None:
            pauses.append(seconds)
            file.write_bytes(whole)

        monkeypatch.setattr(time, "sleep", finish_writing)

        assert opened("Asia/Seoul").read() == NEW
        assert pauses

    @pytest.mark.posix
    def test_what_lies_in_the_place_of_the_metadata_is_replaced_and_not_written_to(
        self, opened: Any, path: Path
    ) -> None:
        path.parent.mkdir(exist_ok=True)
        foreign = path.with_name("foreign")
        for put_in_place in (os.link, os.symlink):
            foreign.write_bytes(b"of somebody else")
            put_in_place(foreign, path.with_name(".token.owner"))

            opened("UTC").write(NEW)

            assert foreign.read_bytes() == b"of somebody else"
            assert opened("Asia/Seoul").read() == NEW
            opened("UTC").clear()

    @pytest.mark.posix
    def test_metadata_that_others_may_read_become_the_owners_alone(self, store: FileStore, path: Path) -> None:
        store.write(OLD.bound_to("real:0123456789abcdef"))
        file = path.with_name(".token.owner")
        file.chmod(0o644)

        store.write(NEW.bound_to("real:0123456789abcdef"))

        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert store.read().issued_for == "real:0123456789abcdef"

    @pytest.mark.skipif(sys.platform != "linux", reason="only Linux lists them")
    def test_many_writes_and_reads_leave_no_file_open(self, store: FileStore, tmp_path: Path) -> None:
        def open_here() -> list[str]:
            """What is open in this test's folder; other threads open and close files elsewhere."""
            found = []
            for one in os.listdir("/proc/self/fd"):
                with contextlib.suppress(FileNotFoundError):
                    found.append(os.readlink(f"/proc/self/fd/{one}"))
            return sorted(one for one in found if one.startswith(str(tmp_path)))

        store.write(OLD)
        before = open_here()

        for _ in range(20):
            store.write(NEW)
            store.read()

        assert open_here() == before

    def test_damaged_times_in_a_note_cost_no_token(self, store: FileStore, path: Path) -> None:
        store.write(OLD)
        file = path.with_name(".token.owner")
        file.write_text(json.dumps({**json.loads(file.read_bytes()), "expires_at": "soon"}))

        assert store.read() == OLD

    def test_a_note_without_times_still_tells_the_account(self, store: FileStore, path: Path) -> None:
        store.write(OLD.bound_to("real:0123456789abcdef"))
        file = path.with_name(".token.owner")
        metadata = json.loads(file.read_bytes())
        file.write_text(json.dumps({name: metadata[name] for name in ("stamp", "issued_for")}))

        assert store.read().issued_for == "real:0123456789abcdef"


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root makes files for others")
class TestRootInTheFolderOfAUser:
    USER = (12345, 12346)

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        folder = tmp_path / "of-a-user"
        folder.mkdir()
        os.chown(folder, *self.USER)
        return folder

    def owners(self, folder: Path) -> Any:
        return {(one.lstat().st_uid, one.lstat().st_gid) for one in folder.rglob("*")}

    def test_all_that_it_writes_is_that_users(self, folder: Path, clock: Clock) -> None:
        path = folder / "new" / "data" / ".token"
        lock = ProfileLock(str(path) + ".lock")
        with lock:
            FileStore(str(path), lock, clock).write(OLD)
        ChangeMarker(str(folder / "state" / "default.signal")).change(1)
        History(str(folder / "history" / "history.db")).keep([("default", (START, "issued", OLD, None))])  # type: ignore[list-item]

        assert {one.name for one in folder.rglob("*") if one.is_file()} == {
            ".token",
            ".token.lock",
            ".token.owner",
            "default.signal",
            "history.db",
        }
        assert self.owners(folder) == {self.USER}

    def test_what_is_there_stays_whose_it_is(self, folder: Path, clock: Clock) -> None:
        lock_file = folder / ".token.lock"
        lock_file.touch()
        with ProfileLock(str(lock_file)):
            pass

        assert lock_file.stat().st_uid == 0

    def test_a_link_is_not_followed(self, folder: Path, tmp_path: Path) -> None:
        victim = tmp_path / "victim"
        victim.touch()
        (folder / ".token.lock").symlink_to(victim)

        with pytest.raises(StoreError), ProfileLock(str(folder / ".token.lock")):
            pass

        assert victim.stat().st_uid == 0

    def test_a_user_that_the_container_does_not_know_is_no_failure(
        self, folder: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: Any) -> None:
            raise OSError(errno.EINVAL, "Invalid argument")

        monkeypatch.setattr(os, "fchown", refuse)
        store = FileStore(str(folder / ".token"), ThreadLock(), clock)
        store.write(OLD)

        assert store.read() == OLD


class TestWhatIsNoFile:
    @pytest.mark.posix
    def test_a_folder_in_its_place_is_an_error_and_stays(self, store: FileStore, path: Path) -> None:
        path.mkdir(parents=True)

        with pytest.raises(StoreError, match="not a file"):
            store.read()
        assert path.is_dir()

    def test_a_folder_in_its_place_refuses_a_write(self, store: FileStore, path: Path) -> None:
        path.mkdir(parents=True)

        with pytest.raises(StoreError):
            store.write(NEW)
        assert path.is_dir()

    @pytest.mark.posix
    def test_a_pipe_in_its_place_does_not_block(self, store: FileStore, path: Path) -> None:
        path.parent.mkdir()
        os.mkfifo(path)
        raised = []

        def read() -> None:
            try:
                store.read()
            except StoreError as error:
                raised.append(str(error))

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        reader.join(10)

        assert raised
        assert "not a file" in raised[0]

    @pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root can give a file away")
    def test_a_file_of_another_user_is_not_believed(self, store: FileStore, path: Path) -> None:
        put(path, json.dumps(seed_record()).encode())
        os.chown(path, 12345, 12345)

        with pytest.raises(StoreError, match="another user"):
            store.read()

    def test_a_file_that_may_not_be_read_is_an_error_and_stays(
        self, store: FileStore, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put(path, json.dumps(seed_record()).encode())

        def refuse(*_: Any) -> None:
            raise PermissionError(errno.EACCES, "Permission denied")

        with monkeypatch.context() as patch:
            patch.setattr(os, "open", refuse)
            with pytest.raises(StoreError, match=r"Permission denied|another program has it open"):
                store.read()

        assert path.exists()

    def test_a_disk_that_fails_while_reading_is_an_error_and_the_file_stays(
        self, store: FileStore, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put(path, json.dumps(seed_record()).encode())

        def fail(*_: Any) -> None:
            raise OSError(errno.EIO, "Input/output error")

        with monkeypatch.context() as patch:
            patch.setattr(os, "read", fail)
            with pytest.raises(StoreError, match="Input/output error"):
                store.read()

        assert path.exists()

    def test_nothing_there_is_no_token(self, store: FileStore) -> None:
        assert store.read() is None

    def test_a_link_to_nowhere_is_no_token(self, store: FileStore, path: Path) -> None:
        path.parent.mkdir()
        path.symlink_to("nowhere")

        assert store.read() is None


class TestClear:
    def test_forgets_the_token(self, store: FileStore, path: Path) -> None:
        store.write(OLD)

        assert store.clear() is True
        assert store.read() is None
        assert list(path.parent.iterdir()) == []

    def test_tells_when_there_was_none(self, store: FileStore) -> None:
        assert store.clear() is False

    @pytest.mark.parametrize("name", [".token", ".token.ending", ".token.owner"])
    def test_leaves_nothing_that_a_killed_writer_left(self, name: str, store: FileStore, path: Path) -> None:
        put(path.with_name(f"{name}.0123abcd.new"), b'{"access_token": "half')

        store.clear()

        assert names(path) == []

    def test_forgets_an_expiring_token_as_well(self, store: FileStore, clock: Clock) -> None:
        store.write(OLD)
        clock.advance(86400 - 200)
        store.expire_soft(OLD)

        assert store.clear() is True
        assert store.read_expiring() is None

    def test_a_file_that_cannot_be_deleted_is_an_error(
        self, store: FileStore, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store.write(OLD)
        put(path.with_name(".token.ending"), b"another")

        def refuse(*_: Any) -> None:
            raise PermissionError(errno.EPERM, "Operation not permitted")

        monkeypatch.setattr(os, "unlink", refuse)
        with pytest.raises(StoreError, match=re.escape(f"{path} cannot be deleted") + ".*by hand"):
            store.clear()

    def test_a_file_that_cannot_be_deleted_is_still_known_to_be_of_its_account(
        self, store: FileStore, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        token = OLD.bound_to("real:0123456789abcdef")
        store.write(token)
        delete = os.unlink

        def refuse(name: Any, *given: Any, **named: Any) -> None:
            if os.fspath(name) == str(path):
                raise PermissionError(errno.EPERM, "Operation not permitted")
            delete(name, *given, **named)

        monkeypatch.setattr(os, "unlink", refuse)
        with pytest.raises(StoreError):
            store.clear()

        found = store.read()
        assert found is not None
        assert found.issued_for == token.issued_for


class TestRetire:
    def test_an_unexpired_token_is_put_aside(self, store: FileStore, path: Path, clock: Clock) -> None:
        store.write(OLD)
        clock.advance(86400 - 200)

        assert store.expire_soft(OLD) is True
        assert (store.read(), store.read_expiring()) == (None, OLD)
        if sys.platform != "win32":
            assert stat.S_IMODE(path.with_name(".token.ending").stat().st_mode) == 0o600

    def test_a_token_put_aside_is_gone_when_it_has_ended(self, store: FileStore, clock: Clock) -> None:
        store.write(OLD)
        clock.advance(86400 - 200)
        store.expire_soft(OLD)
        clock.advance(200)

        assert store.read_expiring() is None

    def test_a_dead_token_is_deleted(self, store: FileStore, path: Path, clock: Clock) -> None:
        store.write(OLD)
        clock.advance(86400)

        assert store.expire_soft(OLD) is True
        assert list(path.parent.iterdir()) == []

    def test_the_next_write_removes_the_token_put_aside(self, store: FileStore, path: Path, clock: Clock) -> None:
        store.write(OLD)
        clock.advance(86400 - 200)
        store.expire_soft(OLD)

        store.write(NEW)

        assert names(path) == [".token", ".token.owner"]

    @pytest.mark.posix
    def test_a_token_put_aside_that_cannot_be_removed_is_no_reason_not_to_store_another(
        self, store: FileStore, path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        store.write(OLD)
        assert store.expire_soft(OLD)
        was_unlink = os.unlink

        def refuse(name: Any, **options: Any) -> None:
            if str(name).endswith(".ending"):
                raise PermissionError(errno.EPERM, "Operation not permitted")
            was_unlink(name, **options)

        monkeypatch.setattr(os, "unlink", refuse)

        store.write(NEW)

        assert store.read() == NEW
        assert f"{path}.ending cannot be deleted" in caplog.text

    def test_leaves_the_token_that_has_taken_its_place(self, store: FileStore, path: Path, clock: Clock) -> None:
        store.write(OLD)
        FileStore(str(path), ThreadLock()).write(NEW)

        assert store.expire_soft(OLD) is False
        assert store.read() == NEW

    def test_leaves_the_one_that_it_has_stored_in_its_place(self, store: FileStore) -> None:
        store.write(OLD)
        store.write(NEW)

        assert store.expire_soft(OLD) is False
        assert store.read() == NEW

    def test_leaves_a_token_that_it_never_saw(self, store: FileStore, path: Path) -> None:
        FileStore(str(path), ThreadLock()).write(OLD)

        assert store.expire_soft(OLD) is False
        assert store.read() == OLD

    @pytest.mark.posix
    def test_what_cannot_be_read_where_one_is_put_aside_is_no_token_and_is_told(
        self, store: FileStore, path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        path.with_name(".token.ending").mkdir(parents=True)

        assert store.read_expiring() is None
        assert f"{path}.ending cannot be read" in caplog.text

    def test_a_damaged_file_put_aside_is_no_token(self, store: FileStore, path: Path) -> None:
        put(path.with_name(".token.ending"), b"{")

        assert store.read_expiring() is None


class TestStamp:
    def test_stays_while_nothing_changes(self, store: FileStore) -> None:
        store.write(OLD)

        assert store.version() == store.version()

    @pytest.mark.parametrize(
        "change",
        [
            lambda path, store: store.write(OLD),
            lambda path, store: store.clear(),
            lambda path, store: path.unlink(),
            lambda path, store: path.write_text(path.read_text() + "\n"),
            lambda path, store: os.utime(path, ns=(1, 1)),
        ],
        ids=["write of the same token", "clear", "rm", "write in place", "touch"],
    )
    def test_tells_of_a_change(self, change: Any, store: FileStore, path: Path) -> None:
        store.write(OLD)
        before = store.version()

        change(path, store)

        assert store.version() != before

    def test_a_write_returns_the_version_of_its_own_file(self, store: FileStore) -> None:
        assert store.write(OLD) == store.version()

    def test_a_write_does_not_take_the_version_of_who_came_after(
        self, store: FileStore, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        was_replace = os.replace

        def and_then_another(source: Any, target: Any) -> None:
            was_replace(source, target)
            if target != str(path):
                return
            monkeypatch.undo()
            FileStore(str(path), ThreadLock()).write(NEW)

        monkeypatch.setattr(os, "replace", and_then_another)

        assert store.write(OLD) != store.version()


class TestAdoptingWhatAnotherProgramWrote:
    """The file counts as this program's own from then on, unless it holds something else by now."""

    @pytest.fixture
    def foreign(self, store: FileStore, path: Path) -> bytes:
        store.write(OLD)
        path.with_name(".token.owner").unlink()
        return path.read_bytes()

    def test_the_token_that_was_read(self, store: FileStore, foreign: bytes) -> None:
        token = store.read()
        assert token is not None
        assert not store.is_own_write()
        store.adopt(token)
        assert store.is_own_write()

    def test_another_token_than_the_one_that_was_read(self, store: FileStore, path: Path, foreign: bytes) -> None:
        token = store.read()
        assert token is not None
        put(path, foreign.replace(b"old-token", b"new-token"))
        store.adopt(token)
        assert not store.is_own_write()

    def test_nothing(self, store: FileStore, path: Path, foreign: bytes) -> None:
        token = store.read()
        assert token is not None
        path.unlink()
        store.adopt(token)
        assert names(path) == []


def test_a_token_whose_metadata_cannot_be_written_is_stored_all_the_same(
    store: FileStore, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (path.parent / ".token.owner" / "in-its-place").mkdir(parents=True)
    store.write(OLD)
    assert store.read() == OLD
    assert "The token file's metadata is not written" in caplog.text
