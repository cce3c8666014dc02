from __future__ import annotations

import contextlib
import errno
import gc
import json
import os
import re
import shutil
import stat
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tray_app.core.errors import LockTimeout, StoreError
from tray_app.stores.lock import ProfileLock, ThreadLock, local_lock, on_long_wait
from tray_app.system import private_files, sharing_violation
from tray_app.system.atomic_replace import replace_locked
from tray_app.system.file_lock import Holder


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "default.lock"


@pytest.fixture
def lock(path: Path) -> ProfileLock:
    return ProfileLock(str(path))


def taken_by_another(path: Any) -> bool:
    """Return True if a process with its own descriptor cannot take the lock."""
    other = ProfileLock(str(path))
    if other.try_acquire():
        other.release()
        return False
    return True


def test_one_at_a_time(lock: ProfileLock, path: Path) -> None:
    with lock:
        held = taken_by_another(path)

    assert (held, taken_by_another(path)) == (True, False)


@pytest.mark.parametrize("kind", ["thread", "profile"])
def test_threads_take_turns(kind: str, lock: ProfileLock) -> None:
    one = lock if kind == "profile" else ThreadLock()
    inside, most = [], []

    def work() -> None:
        for _ in range(20):
            with one:
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert set(most) == {1}


def test_gives_up_after_its_time(lock: ProfileLock, path: Path) -> None:
    with ProfileLock(str(path)), pytest.raises(LockTimeout):
        lock.acquire(timeout=0.01)


def test_gives_up_on_a_thread_after_its_time(lock: ProfileLock) -> None:
    with lock:
        raised = []

        def wait() -> None:
            try:
                lock.acquire(timeout=0.01)
            except LockTimeout as error:
                raised.append(error)

        thread = threading.Thread(target=wait)
        thread.start()
        thread.join()

    assert len(raised) == 1


@pytest.mark.parametrize("kind", ["thread", "profile"])
def test_a_signals_handler_does_not_wait_for_its_own_thread(kind: str, lock: ProfileLock) -> None:
    one = lock if kind == "profile" else ThreadLock()

    with one, pytest.raises(LockTimeout, match="right now"):
        one.acquire(timeout=3600)


@pytest.mark.parametrize("kind", ["thread", "profile"])
def test_nor_does_it_once_that_thread_had_to_wait_for_the_lock(kind: str, lock: ProfileLock) -> None:
    one = lock if kind == "profile" else ThreadLock()
    is_held = threading.Event()

    def hold() -> None:
        with one:
            is_held.set()
            time.sleep(0.05)

    holder = threading.Thread(target=hold)
    holder.start()
    is_held.wait(20)

    with one, pytest.raises(LockTimeout, match="right now"):
        one.acquire(timeout=5)
    holder.join()


def test_is_usable_again_after_it_gave_up(lock: ProfileLock, path: Path) -> None:
    with ProfileLock(str(path)), pytest.raises(LockTimeout):
        lock.acquire(timeout=0.01)

    with lock:
        assert taken_by_another(path)


class Told(Exception):
    pass


def tell(note: dict[str, Any]) -> bool:
    if note:
        raise Told(note)
    return False


@pytest.mark.posix
@pytest.mark.parametrize("step", ["taken", "released"])
def test_ctrl_c_while_it_is_taken_or_released_leaves_it_to_others(
    step: str, lock: ProfileLock, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    was_flock = fcntl.flock

    def flock(descriptor: int, operation: int) -> None:
        if (operation == fcntl.LOCK_UN) != (step == "released"):
            was_flock(descriptor, operation)
            return
        monkeypatch.setattr("fcntl.flock", was_flock)
        if step == "taken":
            was_flock(descriptor, operation)
        raise KeyboardInterrupt

    monkeypatch.setattr("fcntl.flock", flock)
    with pytest.raises(KeyboardInterrupt), lock:
        pass

    assert not taken_by_another(path)
    with lock:
        assert taken_by_another(path)


@pytest.mark.parametrize("note", [{"at": 1}, {"at": 2, "error": "RateLimited"}])
def test_who_waits_hears_the_holders_note_and_may_leave(
    lock: ProfileLock, path: Path, note: dict[str, int | str] | dict[str, int]
) -> None:
    with ProfileLock(str(path)):
        threading.Timer(0.05, ProfileLock(str(path)).write_record, [note]).start()
        with pytest.raises(Told, match=re.escape(str(note))):
            lock.acquire(timeout=20, on_update=tell)

    with lock:
        assert taken_by_another(path)


def test_a_thread_that_waits_hears_it_too(lock: ProfileLock) -> None:
    told = []

    def wait() -> None:
        try:
            lock.acquire(timeout=20, on_update=tell)
        except Told as raised:
            told.append(raised)

    with lock:
        threads = [threading.Thread(target=wait) for _ in range(5)]
        for thread in threads:
            thread.start()
        lock.write_record({"at": 1})
        for thread in threads:
            thread.join(20)

    assert len(told) == 5


def test_half_a_note_is_heard_as_none(lock: ProfileLock, path: Path) -> None:
    on_update: list[Any] = []
    with ProfileLock(str(path)):
        path.write_text('{"at": 1, "tok')
        with pytest.raises(LockTimeout):
            lock.acquire(timeout=0.3, on_update=on_update.append)  # type: ignore[arg-type]

    assert on_update == [{}]


@pytest.mark.parametrize("kind", ["thread", "profile"])
def test_a_thread_whose_wait_the_record_ends_does_not_have_the_lock(kind: str, lock: ProfileLock) -> None:
    one = lock if kind == "profile" else ThreadLock()
    taken: list[bool] = []
    with one:
        thread = threading.Thread(target=lambda: taken.append(one.acquire(timeout=20, on_update=lambda _: True)))
        thread.start()
        thread.join(20)

    assert taken == [False]


def test_who_has_the_lock_at_once_hears_nothing(lock: ProfileLock) -> None:
    lock.acquire(on_update=tell)
    lock.write_record({"at": 1})
    lock.release()

    lock.acquire(on_update=tell)
    lock.release()


def test_trying_does_not_wait(lock: ProfileLock, path: Path) -> None:
    with ProfileLock(str(path)):
        assert lock.try_acquire() is False

    assert lock.try_acquire() is True
    lock.release()


@pytest.mark.posix
def test_the_file_is_the_owners_alone_and_stays(lock: ProfileLock, path: Path) -> None:
    with lock:
        inode = path.stat().st_ino
    with lock:
        pass

    assert path.stat().st_ino == inode
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.posix
def test_its_file_is_closed_with_the_last_who_knows_it(path: Path) -> None:
    """A program that makes one token manager after another must not run out of files."""
    for _ in range(5):
        with ProfileLock(str(path)):
            assert times_open(path) == 1
        gc.collect()
    assert times_open(path) == 0


def times_open(path: Path) -> int:
    """Return how many of this process's first descriptors lead to the file."""
    wanted, found = path.stat(), 0
    for number in range(512):
        with contextlib.suppress(OSError):
            found += (os.fstat(number).st_ino, os.fstat(number).st_dev) == (wanted.st_ino, wanted.st_dev)
    return found


@pytest.mark.posix
def test_who_was_given_its_number_meanwhile_keeps_his_file(path: Path, tmp_path: Path) -> None:
    """A daemon closes all its descriptors, and the next file that it opens has the number of one of them."""
    one = ProfileLock(str(path))
    number = os.dup(0)
    os.close(number)  # the lock's file has the lowest free number
    with one:
        pass
    other = os.open(tmp_path, os.O_RDONLY)
    os.dup2(other, number)
    os.close(other)
    del one
    gc.collect()
    assert os.fstat(number).st_ino == tmp_path.stat().st_ino
    os.close(number)


@pytest.mark.posix
@pytest.mark.parametrize("gone", ["file", "folder"])
@pytest.mark.parametrize("take", [ProfileLock.acquire, ProfileLock.try_acquire], ids=["acquire", "try"])
def test_after_its_file_is_gone_it_locks_the_one_that_others_find(
    gone: str, take: Callable[..., Any], lock: ProfileLock, path: Path
) -> None:
    with lock:
        pass
    path.unlink() if gone == "file" else shutil.rmtree(path.parent)

    take(lock)

    assert taken_by_another(path)
    lock.release()


@pytest.mark.posix
def test_a_forked_child_does_not_hold_what_its_parent_holds(lock: ProfileLock, path: Path) -> None:
    with lock:
        assert in_a_child(lock.try_acquire) is False
        assert taken_by_another(path), "the child's end frees nothing"

    assert in_a_child(lock.try_acquire) is True
    assert not taken_by_another(path)


@pytest.mark.posix
@pytest.mark.parametrize("kind", ["thread", "profile"])
def test_a_forked_child_may_have_it_once_its_parent_has_released_it(kind: str, lock: ProfileLock) -> None:
    one = lock if kind == "profile" else ThreadLock()

    with one:
        child = forked(lambda: one.acquire(timeout=10))

    assert answer_of(child) is True


def in_a_child(act: Callable[[], bool]) -> bool:
    return answer_of(forked(act))


def forked(act: Callable[[], bool]) -> int:
    child = os.fork()
    if not child:
        status = 2
        try:
            status = int(act())
        finally:
            os._exit(status)
    return child


def answer_of(child: int) -> bool:
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status < 2
    return status == 1


@pytest.mark.posix
class TestHolderThatDoesNotGoOn:
    @pytest.fixture
    def stopped(self, lock: ProfileLock, monkeypatch: pytest.MonkeyPatch) -> None:
        """Whoever has the lock first does not go on."""
        monkeypatch.setattr("tray_app.stores.lock.FIRST_LOOK_SECONDS", 0.0)
        monkeypatch.setattr("tray_app.stores.lock.STOPPED_SECONDS", 0.05)
        monkeypatch.setattr("tray_app.stores.lock.holder_of", lambda _: Holder(1, "bot", is_stopped=not lock.is_lost()))

    @pytest.mark.usefixtures("stopped")
    def test_loses_the_lock_to_one_of_those_who_wait_and_the_record_stays(self, lock: ProfileLock, path: Path) -> None:
        lock.acquire()
        lock.write_record({"at": 1})
        inside, most = [], []

        def work() -> None:
            with ProfileLock(str(path)):
                inside.append(1)
                most.append((len(inside), ProfileLock(str(path)).read_record()))
                inside.pop()

        threads = [threading.Thread(target=work) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)

        assert most == [(1, {"at": 1})] * 6
        assert lock.is_lost()
        lock.release()
        with lock:
            assert not lock.is_lost()
            assert taken_by_another(path)

    @pytest.mark.usefixtures("stopped")
    def test_keeps_it_while_the_folder_is_away(self, lock: ProfileLock, path: Path) -> None:
        with lock:
            shutil.rmtree(path.parent)

            assert not lock.is_lost()

    def test_keeps_it_when_it_goes_on_in_time(
        self, lock: ProfileLock, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        looks = []

        def look(_: str) -> Holder:
            looks.append(1)
            return Holder(1, "bot", is_stopped=len(looks) % 2 == 1)

        monkeypatch.setattr("tray_app.stores.lock.FIRST_LOOK_SECONDS", 0.0)
        monkeypatch.setattr("tray_app.stores.lock.LOOK_EVERY_SECONDS", 0.01)
        monkeypatch.setattr("tray_app.stores.lock.STOPPED_SECONDS", 0.015)
        monkeypatch.setattr("tray_app.stores.lock.holder_of", look)

        with lock, pytest.raises(LockTimeout):
            ProfileLock(str(path)).acquire(1.0)

        assert len(looks) > 4

    @pytest.mark.usefixtures("stopped")
    def test_who_took_it_lets_it_go_and_keeps_no_file_open(self, lock: ProfileLock, path: Path) -> None:
        lock.acquire()
        other = ProfileLock(str(path))

        for loser, winner in ((lock, other), (other, lock)) * 3:
            winner.acquire()
            loser.release()
            assert times_open(path) == 1
            assert taken_by_another(path)
        lock.release()
        before = times_open(path)
        for loser, winner in ((lock, other), (other, lock)) * 3:
            loser.acquire()
            winner.acquire()
            loser.release()
            winner.release()

        assert not taken_by_another(path)
        assert times_open(path) == before

    @pytest.mark.usefixtures("stopped")
    def test_keeps_it_where_it_cannot_be_taken_away(
        self, lock: ProfileLock, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: Any) -> None:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))

        with lock:
            monkeypatch.setattr(os, "replace", refuse)
            with pytest.raises(LockTimeout, match=r"bot \(process 1\)"):
                ProfileLock(str(path)).acquire(20)

            assert not lock.is_lost()
            assert [one.name for one in path.parent.iterdir()] == [path.name]

    @pytest.mark.usefixtures("stopped")
    def test_keeps_it_while_another_one_is_about_to_take_it(self, lock: ProfileLock, path: Path) -> None:
        with lock, local_lock(str(path)), pytest.raises(LockTimeout):
            ProfileLock(str(path)).acquire(0.3)

        assert not lock.is_lost()

    def test_keeps_it_in_every_wait_while_it_is_known_to_run(
        self, lock: ProfileLock, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("tray_app.stores.lock.DEFAULT_TIMEOUT_SECONDS", 0.1)
        monkeypatch.setattr("tray_app.stores.lock.holder_of", lambda _: Holder(77, "bot", is_stopped=False))

        with lock, pytest.raises(LockTimeout, match=r"bot \(process 77\)"):
            ProfileLock(str(path)).acquire(0.1)

        assert not lock.is_lost()

    def test_keeps_it_in_a_shorter_wait_when_nothing_is_known_about_it(
        self, lock: ProfileLock, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("tray_app.stores.lock.FIRST_LOOK_SECONDS", 0.0)
        monkeypatch.setattr("tray_app.stores.lock.holder_of", lambda _: None)

        with lock, pytest.raises(LockTimeout):
            ProfileLock(str(path)).acquire(0.1)

        assert not lock.is_lost()

    def test_is_named_once_to_who_waits_long(
        self, lock: ProfileLock, path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
    ) -> None:
        told: list[Holder] = []
        on_long_wait(told.append)
        request.addfinalizer(on_long_wait)
        monkeypatch.setattr("tray_app.stores.lock.FIRST_LOOK_SECONDS", 0.0)
        monkeypatch.setattr("tray_app.stores.lock.LOOK_EVERY_SECONDS", 0.0)
        monkeypatch.setattr("tray_app.stores.lock.holder_of", lambda _: Holder(77, "bot", is_stopped=False))

        with lock, pytest.raises(LockTimeout):
            ProfileLock(str(path)).acquire(0.2)

        assert [(one.program, one.pid) for one in told] == [("bot", 77)]

    @pytest.mark.parametrize("writes", [True, False])
    def test_about_which_nothing_is_known_loses_it_once_no_request_can_take_that_long(
        self, writes: bool, lock: ProfileLock, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("tray_app.stores.lock.FIRST_LOOK_SECONDS", 0.0)
        monkeypatch.setattr("tray_app.stores.lock.DEFAULT_TIMEOUT_SECONDS", 0.3)
        monkeypatch.setattr("tray_app.stores.lock.holder_of", lambda _: None)
        lock.acquire()
        if writes:
            threading.Timer(0.1, lock.write_record, [{"at": 1}]).start()

        with pytest.raises(LockTimeout) if writes else contextlib.nullcontext():
            ProfileLock(str(path)).acquire(0.3)

        assert lock.is_lost() is not writes
        lock.release()


@pytest.mark.posix
def test_who_finds_that_another_one_took_it_away_does_not_take_it_from_that_one(
    lock: ProfileLock, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    faster: list[int] = []

    def after_another(where: str) -> ThreadLock:
        if not faster:
            faster.append(replace_locked(where, b"{}"))
        return local_lock(where)

    monkeypatch.setattr("tray_app.stores.lock.DEFAULT_TIMEOUT_SECONDS", 0.1)
    monkeypatch.setattr("tray_app.stores.lock.holder_of", lambda _: None)
    monkeypatch.setattr("tray_app.stores.lock.local_lock", after_another)

    with lock, pytest.raises(LockTimeout):
        ProfileLock(str(path)).acquire(0.1)

    assert taken_by_another(path), "the faster one has it"
    os.close(faster[0])


def test_a_folder_in_its_place_is_an_error(lock: ProfileLock, path: Path) -> None:
    path.mkdir(parents=True)

    with pytest.raises(StoreError):
        lock.acquire()


@pytest.mark.posix
def test_a_link_in_its_place_is_not_followed(lock: ProfileLock, path: Path, tmp_path: Path) -> None:
    path.parent.mkdir()
    path.symlink_to(tmp_path / "victim")

    with pytest.raises(StoreError):
        lock.acquire()
    assert not (tmp_path / "victim").exists()


@pytest.mark.posix
@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE])
def test_a_file_system_that_fails_is_an_error_of_ours(
    number: int, lock: ProfileLock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("fcntl.flock", fail)
    with pytest.raises(StoreError):
        lock.acquire()
    monkeypatch.undo()

    with lock:
        pass


@pytest.mark.posix
@pytest.mark.parametrize("number", [errno.EWOULDBLOCK, errno.EACCES])
def test_held_is_held_however_the_system_words_it(
    number: int, lock: ProfileLock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("fcntl.flock", refuse)
    with pytest.raises(LockTimeout):
        lock.acquire(timeout=0.02)
    monkeypatch.undo()

    with lock:
        pass


def test_where_nothing_can_be_written_one_in_the_process_serves(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_folder() -> str:
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found")

    monkeypatch.setattr("tempfile.gettempdir", no_folder)
    monkeypatch.setenv("KIWOOM_TRAY_STATE_DIR", str(path / "file"))
    path.parent.mkdir()
    path.touch()

    with local_lock(str(path)):
        pass


@pytest.mark.posix
class TestPlaceThatCannotLock:
    @pytest.fixture
    def unlockable(self, monkeypatch: pytest.MonkeyPatch, path: Path) -> Callable[..., None]:
        """Makes files unlockable: those of one path, or all."""
        import fcntl

        was_flock = fcntl.flock

        def begin(number: Any, where: Any) -> None:
            def flock(descriptor: Any, operation: Any) -> None:
                if where == "everywhere" or (path.exists() and os.path.samestat(os.fstat(descriptor), path.stat())):
                    raise OSError(number, os.strerror(number))
                was_flock(descriptor, operation)

            monkeypatch.setattr("fcntl.flock", flock)

        return begin

    @pytest.mark.parametrize("where", ["in its place", "everywhere"])
    @pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL])
    def test_a_lock_on_this_computer_serves(
        self, number: int, where: str, lock: ProfileLock, path: Path, unlockable: Callable[..., None]
    ) -> None:
        unlockable(number, where)

        with lock:
            held = taken_by_another(path)
            lock.write_record({"at": 1})

        assert (held, taken_by_another(path)) == (True, False)
        assert ProfileLock(str(path)).peek_record() == {"at": 1}

    @pytest.mark.parametrize("where", ["in its place", "everywhere"])
    def test_threads_still_take_turns(self, where: str, path: Path, unlockable: Callable[..., None]) -> None:
        unlockable(errno.ENOLCK, where)
        inside, most = [], []

        def work() -> None:
            one = ProfileLock(str(path))
            for _ in range(5):
                with one:
                    inside.append(1)
                    most.append(len(inside))
                    inside.pop()

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert set(most) == {1}

    def test_it_is_said_once(
        self, path: Path, caplog: pytest.LogCaptureFixture, unlockable: Callable[..., None]
    ) -> None:
        unlockable(errno.ENOLCK, "in its place")

        for _ in range(3):
            with ProfileLock(str(path)):
                pass

        assert caplog.text.count("cannot be locked") == 1

    def test_a_forked_child_waits_for_its_parent_by_the_lock_on_this_computer(
        self, path: Path, lock: ProfileLock, unlockable: Callable[..., None]
    ) -> None:
        unlockable(errno.ENOLCK, "in its place")

        with lock:
            assert in_a_child(lock.try_acquire) is False
        assert in_a_child(lock.try_acquire) is True

    def test_of_this_computer_is_in_no_folder_that_others_may_use(
        self,
        path: Path,
        lock: ProfileLock,
        unlockable: Callable[..., None],
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
    ) -> None:
        unlockable(errno.ENOLCK, "in its place")
        (tmp_path / "own").write_text("a file where the folder should be")
        monkeypatch.setenv("KIWOOM_TRAY_STATE_DIR", str(tmp_path / "own"))
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
        shared = tmp_path / "temporary" / f"kiwoom-token-tray-{os.geteuid()}"
        shared.mkdir(parents=True)
        shared.chmod(0o777)

        with lock:
            assert taken_by_another(path)
        assert list(shared.iterdir()) == []

        shared.chmod(0o700)
        with ProfileLock(str(path)):
            assert taken_by_another(path)
        assert len(list(shared.iterdir())) == 1

    def test_is_taken_from_a_stopped_holder_where_no_folder_can_be_used(
        self, lock: ProfileLock, path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        (tmp_path / "own").write_text("a file where the folder should be")
        monkeypatch.setenv("KIWOOM_TRAY_STATE_DIR", str(tmp_path / "own"))
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "own"))

        with local_lock(str(path)):
            assert local_lock(str(path)).try_acquire() is False

    def test_that_can_no_longer_be_taken_in_its_folder_is_nobodys(
        self, lock: ProfileLock, unlockable: Callable[..., None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        unlockable(errno.ENOLCK, "in its place")
        monkeypatch.setenv("KIWOOM_TRAY_STATE_DIR", str(tmp_path / "own"))
        with lock:
            pass
        shutil.rmtree(tmp_path / "own")
        (tmp_path / "own").write_text("a file where the folder was")

        assert lock.try_acquire() is False

    def test_two_folders_have_two_locks(self, path: Path, lock: ProfileLock, unlockable: Callable[..., None]) -> None:
        unlockable(errno.ENOLCK, "in its place")

        with lock:
            assert taken_by_another(path.with_name("other.lock")) is False


def test_a_lock_file_that_another_program_has_open_for_a_moment_is_waited_for(
    lock: ProfileLock, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A virus scanner reads each file that was written. Another lock in its place would let two programs ask Kiwoom."""
    was_open, refusals = os.open, iter(range(5))

    def refuse(name: str, *given: Any, **named: Any) -> int:
        if name == str(path) and next(refusals, None) is not None:
            raise PermissionError(errno.EACCES, "Permission denied", name)
        return was_open(name, *given, **named)

    monkeypatch.setattr(sharing_violation, "PATIENCE_SECONDS", 10.0)
    monkeypatch.setattr(os, "open", refuse)

    with lock:
        assert not ProfileLock(str(path)).try_acquire()


class TestNote:
    @pytest.fixture(params=["thread", "profile"])
    def held(self, request: pytest.FixtureRequest, lock: ProfileLock) -> Iterator[ProfileLock | ThreadLock]:
        one = lock if request.param == "profile" else ThreadLock()
        with one:
            yield one

    def test_nobody_has_left_one(self, held: Any) -> None:
        assert held.read_record() == {}

    def test_is_read_back(self, held: Any) -> None:
        held.write_record({"at": 1.5, "error": "RateLimited"})

        assert held.read_record() == {"at": 1.5, "error": "RateLimited"}

    def test_a_shorter_one_takes_the_place_of_a_longer(self, held: Any) -> None:
        held.write_record({"at": 1.5, "message": "x" * 500})
        held.write_record({"at": 2})

        assert held.read_record() == {"at": 2}

    def test_another_process_reads_it(self, lock: ProfileLock, path: Path) -> None:
        with lock:
            lock.write_record({"at": 1})
        other = ProfileLock(str(path))

        with other:
            assert other.read_record() == {"at": 1}

    @pytest.mark.parametrize(
        "content",
        [b"", b"{", b"[1]", b"null", b"5", b'"x"', b"\xff\xfe\0", b"[" * 4096, b'{"a":' * 800, b"{}" * 5000],
        ids=lambda content: repr(content[:8]),
    )
    def test_a_damaged_one_is_none(self, content: bytes, lock: ProfileLock, path: Path) -> None:
        path.parent.mkdir()
        path.write_bytes(content)

        with lock:
            assert lock.read_record() == {}

    def test_one_that_cannot_be_written_is_no_error(self, lock: ProfileLock, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*_: Any) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        with lock:
            monkeypatch.setattr(private_files, "write_at", fail)
            lock.write_record({"at": 1})
            assert lock.read_record() == {}

    def test_is_plain_json(self, lock: ProfileLock, path: Path) -> None:
        with lock:
            lock.write_record({"at": 1})

        assert json.loads(path.read_text()) == {"at": 1}


class TestRecordVersion:
    """What a program compares that has a token in memory."""

    def test_each_write_makes_it_another_one(self, tmp_path: Path) -> None:
        lock, reader = ProfileLock(str(tmp_path / "lock")), ProfileLock(str(tmp_path / "lock"))
        versions = [reader.record_version()]
        with lock:
            for _ in range(200):
                lock.write_record({"at": 1})  # as fast as can be, and just as long
                versions.append(reader.record_version())
        assert len(set(versions)) == len(versions)

    def test_so_it_does_while_the_clock_stands_still(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        lock = ProfileLock(str(tmp_path / "lock"))
        monkeypatch.setattr("time.time_ns", lambda: 1_790_000_000_000_000_000)
        versions = []
        with lock:
            for _ in range(3):
                lock.write_record({"at": 1})
                versions.append(lock.record_version())
        assert len(set(versions)) == 3

    def test_to_take_the_lock_does_not(self, tmp_path: Path) -> None:
        lock = ProfileLock(str(tmp_path / "lock"))
        before = lock.record_version()
        with lock:
            assert lock.record_version() == before

    def test_a_shorter_record_replaces_a_longer_one(self, tmp_path: Path) -> None:
        lock = ProfileLock(str(tmp_path / "lock"))
        with lock:
            lock.write_record({"message": "m" * 300})
            lock.write_record({"at": 1})
        assert ProfileLock(lock.path).read_record() == {"at": 1}

    def test_a_file_that_somebody_filled_up_is_cut_short_again(self, tmp_path: Path) -> None:
        lock = ProfileLock(str(tmp_path / "lock"))
        (tmp_path / "lock").write_bytes(b"x" * 10_000)
        with lock:
            lock.write_record({"at": 1})
        assert lock.read_record() == {"at": 1}

    def test_a_threads_lock_has_a_version_too(self) -> None:
        lock = ThreadLock()
        before = lock.record_version()
        with lock:
            assert lock.record_version() == before
            lock.write_record({"at": 1})
        assert lock.record_version() != before

    def test_no_reader_finds_the_record_empty_while_it_is_replaced(self, tmp_path: Path) -> None:
        lock, reader = ProfileLock(str(tmp_path / "lock")), ProfileLock(str(tmp_path / "lock"))
        is_over = threading.Event()

        def write() -> None:
            with lock:
                while not is_over.is_set():
                    lock.write_record({"message": "m" * 300})
                    lock.write_record({"message": "n" * 300})

        with lock:
            lock.write_record({"message": "m" * 300})
        writer = threading.Thread(target=write)
        writer.start()
        try:
            assert all(reader.read_record() for _ in range(2000))
        finally:
            is_over.set()
            writer.join()
