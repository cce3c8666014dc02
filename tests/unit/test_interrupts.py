"""A signal handler that raises, wherever it comes: Ctrl+C in a notebook, the time limit of a job."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import chain
from pathlib import Path
from unittest.mock import patch

import pytest

from tests.doubles import START, Clock, FakeBroker
from tests.file_service import open_file_service
from tests.interrupts import Interrupted, interrupted_everywhere
from tray_app.core.errors import LockTimeout
from tray_app.service.token_service import TokenService
from tray_app.stores.lock import ProfileLock, ThreadLock
from tray_app.system.file_lock import try_lock

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
"""Python swallows an exception that comes while an object or a generator ends, and says so."""

WHERE_THE_LOCK_IS = ("lock.py", "token_service.py", "contextlib.py")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".token"


@pytest.mark.parametrize(
    "act",
    [
        lambda service: service.doubt(service.current().value),
        lambda service: service.confirm(service.current().value, START + 3600),
        lambda service: service.expire_soft(service.current()),
        lambda service: service.refresh(),
    ],
    ids=["doubt", "confirm", "expire_soft", "refresh"],
)
def test_leaves_the_lock_to_others(
    act: Callable[[TokenService], object], path: Path, clock: Clock, broker: FakeBroker
) -> None:
    service, others = open_file_service(path, clock, broker), ProfileLock(f"{path}.lock")
    service.refresh()

    for place in interrupted_everywhere(lambda: act(service), WHERE_THE_LOCK_IS):
        for lock in (others, service.store.lock):
            assert lock.try_acquire(), place
            lock.release()


def test_leaves_the_lock_to_a_thread_that_has_taken_it_since(path: Path) -> None:
    lock, others, probe = (ProfileLock(str(path)) for _ in range(3))
    with ThreadPoolExecutor(1) as thread:

        def is_taken_in_a_thread() -> bool:
            return thread.submit(lock.try_acquire).result(20)

        def try_it() -> None:
            with lock.if_free():
                pass

        others.acquire()
        taken: list[bool] = []

        def it_is_free_and_taken() -> None:
            others.release()
            taken.append(is_taken_in_a_thread())

        for place in interrupted_everywhere(try_it, WHERE_THE_LOCK_IS, it_is_free_and_taken):
            if taken[-1]:
                assert not probe.try_acquire(), place
                thread.submit(lock.release).result(20)
            others.acquire()

        assert True in taken


def test_only_one_greenlet_has_a_lock_that_was_made_before_threads_became_greenlets(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = ProfileLock(str(path))
    lock.acquire()
    monkeypatch.setattr("threading.get_ident", lambda: 2)

    assert not lock.try_acquire()
    with pytest.raises(LockTimeout, match="too long"):
        lock.acquire(0.1)
    with pytest.raises(Interrupted):
        lock.acquire(1, on_update=_interrupt)

    monkeypatch.undo()
    assert not ProfileLock(str(path)).try_acquire()
    lock.release()
    assert ProfileLock(str(path)).try_acquire()


@pytest.mark.parametrize("is_any_file_lockable", [True, False], ids=["a file on this computer", "no file"])
def test_leaves_the_substitute_of_a_lock_to_others(
    path: Path, monkeypatch: pytest.MonkeyPatch, *, is_any_file_lockable: bool
) -> None:
    def lock_elsewhere(descriptor: int) -> bool:
        if not is_any_file_lockable or os.path.samestat(os.fstat(descriptor), os.stat(path)):
            raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))
        return try_lock(descriptor)

    monkeypatch.setattr("tray_app.stores.lock.try_lock", lock_elsewhere)
    lock, others = ProfileLock(str(path)), ProfileLock(str(path))
    assert lock.try_acquire()
    lock.release()

    def try_it() -> None:
        with lock.if_free():
            pass

    for place in interrupted_everywhere(try_it, (*WHERE_THE_LOCK_IS, "file_lock.py")):
        for one in (others, lock):
            assert one.try_acquire(), place
            one.release()


def test_leaves_a_lock_to_others_that_is_held_during_one_act() -> None:
    lock = ThreadLock()

    for place in interrupted_everywhere(lambda: lock.during(lambda: None), ("lock.py", "test_interrupts.py")):
        assert lock.try_acquire(), place
        lock.release()


@pytest.mark.skipif(sys.platform == "win32", reason="a lock is not taken away there")
def test_leaves_a_lock_to_others_that_is_being_taken_away(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tray_app.stores.lock._Wait.pause", lambda _: True)
    lock, others, stopped = (ProfileLock(str(path)) for _ in range(3))
    assert stopped.try_acquire()

    places = interrupted_everywhere(lambda: ProfileLock(str(path)).during(lambda: None), ("lock.py",))
    with patch("tray_app.system.atomic_replace._remove_leftovers", side_effect=Interrupted), suppress(Interrupted):
        lock.acquire()
    for place in chain(["while leftovers are removed"], places):
        stopped.release()
        for one in (others, lock, stopped):
            assert one.try_acquire(), place
            if one is not stopped:
                one.release()


def _interrupt(_: object) -> bool:
    raise Interrupted
