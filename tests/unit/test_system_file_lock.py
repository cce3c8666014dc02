"""The kernel's lock on an open file: one holder at a time, and free when its holder is gone."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import ROOT
from tray_app.system.file_lock import cannot_lock, try_lock, unlock

HOLD = """
import os, sys
sys.path.insert(0, sys.argv[2])
from tray_app.system.file_lock import try_lock
print(try_lock(os.open(sys.argv[1], os.O_RDWR)), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "a.lock"
    path.touch()
    return path


@pytest.fixture
def one(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDWR)
    yield descriptor
    os.close(descriptor)


@pytest.fixture
def other(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDWR)
    yield descriptor
    os.close(descriptor)


def test_a_held_lock_is_refused_until_it_is_released(one: int, other: int) -> None:
    assert try_lock(one)
    assert not try_lock(other)

    unlock(one)

    assert try_lock(other)


def test_a_lock_is_free_once_its_holder_was_killed(path: Path, one: int) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path), str(ROOT)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline().strip() == "True"
        held = not try_lock(one)
        holder.kill()

    assert held
    assert try_lock(one)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other numbers for it")
@pytest.mark.parametrize(
    ("number", "is_unable"),
    [(errno.ENOLCK, True), (errno.ENOSYS, True), (errno.EOPNOTSUPP, True), (errno.EACCES, False), (errno.EIO, False)],
)
def test_a_place_that_cannot_lock_is_told_from_a_lock_that_is_held(number: int, is_unable: bool) -> None:
    assert cannot_lock(OSError(number, os.strerror(number))) is is_unable
