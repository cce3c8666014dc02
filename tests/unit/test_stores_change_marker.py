from __future__ import annotations

import shutil
import stat

import pytest

from tray_app.stores.change_marker import ChangeSignal

CUTOFF = 1_790_000_000_123_456


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "default.signal"


@pytest.fixture
def signal(path):
    return ChangeSignal(str(path))


def test_stays_while_nothing_changes(signal):
    assert signal.stamp() == signal.stamp()


def test_tells_of_a_change_that_another_made(signal, path):
    before = signal.stamp()

    ChangeSignal(str(path)).change(CUTOFF)

    assert signal.stamp() != before


def test_tells_of_each_of_many_changes_at_once(signal):
    stamps = []
    for _ in range(100):
        signal.change(CUTOFF)
        stamps.append(signal.stamp())

    assert len(set(stamps)) == 100


def test_a_change_returns_its_own_stamp(signal):
    assert signal.change(CUTOFF) == signal.stamp()


def test_everybody_reads_the_same_stamp(signal, path):
    signal.change(CUTOFF)

    assert ChangeSignal(str(path)).stamp() == signal.stamp()


def test_the_cutoff_reaches_everybody(signal, path):
    other = ChangeSignal(str(path))
    before = other.cutoff()

    signal.change(CUTOFF)

    assert (before, other.cutoff()) == (0, CUTOFF)


@pytest.mark.posix
def test_the_file_is_the_owners_alone(signal, path):
    signal.change(CUTOFF)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.posix
@pytest.mark.parametrize("loss", ["file", "folder", "content"])
def test_changes_are_noticed_after_a_loss(loss, signal, path):
    signal.change(CUTOFF)
    before = signal.stamp()
    if loss == "file":
        path.unlink()
    elif loss == "folder":
        shutil.rmtree(path.parent)
    else:
        path.write_bytes(b"")

    ChangeSignal(str(path)).change(CUTOFF + 1)

    assert signal.stamp() != before
    assert signal.cutoff() == CUTOFF + 1


@pytest.mark.posix
@pytest.mark.parametrize("size", [0, 1, 7])
def test_a_file_cut_short_is_a_change_and_no_crash(size, signal, path):
    signal.change(CUTOFF)
    before = signal.stamp()

    with path.open("r+b") as file:
        file.truncate(size)

    assert signal.stamp() != before


@pytest.mark.parametrize("obstacle", ["a folder in its place", "a file in the folder's place"])
def test_without_a_usable_file_everything_may_have_changed(obstacle, signal, path):
    if obstacle == "a folder in its place":
        path.mkdir(parents=True)
    else:
        path.parent.write_text("")

    assert signal.stamp() != signal.stamp()
    assert signal.cutoff() == 0


def test_a_change_that_cannot_be_told_is_no_error(signal, path, caplog):
    path.mkdir(parents=True)

    stamp = signal.change(CUTOFF)

    assert stamp != signal.stamp()
    assert "change signal cannot be written" in caplog.text
