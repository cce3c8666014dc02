from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
import time
from pathlib import Path
from typing import Any

import pytest

from tray_app.stores.change_marker import ChangeMarker

CUTOFF = 1_790_000_000_123_456


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "default.signal"


@pytest.fixture
def marker(path: Path) -> ChangeMarker:
    return ChangeMarker(str(path))


def descriptors_of(path: Any) -> list[Any]:
    found = []
    for descriptor in range(3, 200):
        with contextlib.suppress(OSError):
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                found.append(descriptor)
    return found


def test_stays_while_nothing_changes(marker: ChangeMarker) -> None:
    assert marker.version() == marker.version()


def test_tells_of_a_change_that_another_made(marker: ChangeMarker, path: Path) -> None:
    before = marker.version()

    ChangeMarker(str(path)).change(CUTOFF)

    assert marker.version() != before


def test_tells_of_each_of_many_changes_at_once(marker: ChangeMarker) -> None:
    versions = []
    for _ in range(100):
        marker.change(CUTOFF)
        versions.append(marker.version())

    assert len(set(versions)) == 100


def test_a_change_returns_its_own_stamp(marker: ChangeMarker) -> None:
    assert marker.change(CUTOFF) == marker.version()


def test_everybody_reads_the_same_stamp(marker: ChangeMarker, path: Path) -> None:
    marker.change(CUTOFF)

    assert ChangeMarker(str(path)).version() == marker.version()


def test_the_cutoff_reaches_everybody(marker: ChangeMarker, path: Path) -> None:
    other = ChangeMarker(str(path))
    before = other.invalidated_before()

    marker.change(CUTOFF)

    assert (before, other.invalidated_before()) == (0, CUTOFF)


@pytest.mark.posix
def test_the_file_is_the_owners_alone(marker: ChangeMarker, path: Path) -> None:
    marker.change(CUTOFF)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.posix
@pytest.mark.parametrize("loss", ["file", "folder", "content"])
def test_changes_are_noticed_after_a_loss(loss: str, marker: ChangeMarker, path: Path) -> None:
    marker.change(CUTOFF)
    before = marker.version()
    if loss == "file":
        path.unlink()
    elif loss == "folder":
        shutil.rmtree(path.parent)
    else:
        path.write_bytes(b"")

    ChangeMarker(str(path)).change(CUTOFF + 1)

    assert marker.version() != before
    assert marker.invalidated_before() == CUTOFF + 1


@pytest.mark.posix
@pytest.mark.parametrize("size", [0, 1, 7])
def test_a_file_cut_short_is_a_change_and_no_crash(size: int, marker: ChangeMarker, path: Path) -> None:
    marker.change(CUTOFF)
    before = marker.version()

    with path.open("r+b") as file:
        file.truncate(size)

    assert marker.version() != before
    assert marker.version() == marker.version(), "made whole again"


@pytest.mark.posix
def test_a_file_that_got_a_second_name_is_not_trusted(marker: ChangeMarker, path: Path, tmp_path: Path) -> None:
    assert marker.version() == marker.version()

    (tmp_path / "second-name").hardlink_to(path)

    assert marker.version() != marker.version()


@pytest.mark.posix
def test_changes_are_noticed_after_its_folder_was_renamed(marker: ChangeMarker, path: Path) -> None:
    marker.change(CUTOFF)
    before = marker.version()
    path.parent.rename(path.parent.with_name("older"))
    time.sleep(0.1)

    ChangeMarker(str(path)).change(CUTOFF + 1)

    assert marker.version() != before


@pytest.mark.posix
def test_changes_are_noticed_at_once_after_it_was_renamed(marker: ChangeMarker, path: Path) -> None:
    marker.change(CUTOFF)
    before = marker.version()
    path.rename(path.with_name("older"))

    ChangeMarker(str(path)).change(CUTOFF + 1)

    assert marker.version() != before


@pytest.mark.posix
def test_a_file_that_is_gone_is_a_change_and_is_made_anew(marker: ChangeMarker, path: Path) -> None:
    before = marker.change(CUTOFF)
    assert marker.version() == before
    path.unlink()

    after = marker.version()

    assert after != before
    assert ChangeMarker(str(path)).version() == after


@pytest.mark.posix
def test_a_program_that_closes_all_its_files_still_notices(marker: ChangeMarker, path: Path, tmp_path: Path) -> None:
    marker.change(CUTOFF)
    before = marker.version()
    for descriptor in descriptors_of(path):
        os.close(descriptor)
    others = [(tmp_path / str(number)).open("w+b") for number in range(3)]

    ChangeMarker(str(path)).change(CUTOFF + 1)

    assert marker.version() != before
    assert marker.invalidated_before() == CUTOFF + 1
    for other in others:
        other.close()


@pytest.mark.posix
def test_a_program_that_has_closed_all_its_files_reads_it_anew(marker: ChangeMarker, path: Path) -> None:
    marker.change(CUTOFF)
    before = marker.version()
    for descriptor in descriptors_of(path):
        os.close(descriptor)

    assert marker.version() == before


@pytest.mark.posix
@pytest.mark.parametrize("kind", ["hard link", "link", "pipe"])
def test_what_is_no_file_of_its_own_is_neither_read_nor_written_but_replaced(
    kind: str, marker: ChangeMarker, path: Path, tmp_path: Path
) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"0123456789abcdefghij")
    path.parent.mkdir()
    if kind == "hard link":
        path.hardlink_to(victim)
    elif kind == "link":
        path.symlink_to(victim)
    else:
        os.mkfifo(path)

    before = marker.version()
    unusable = before != marker.version()
    version = marker.change(CUTOFF)

    assert unusable
    assert victim.read_bytes() == b"0123456789abcdefghij"
    assert (marker.version(), marker.invalidated_before()) == (version, CUTOFF)


@pytest.mark.posix
def test_a_link_that_leads_nowhere_makes_nothing_there(marker: ChangeMarker, path: Path, tmp_path: Path) -> None:
    path.parent.mkdir()
    path.symlink_to(tmp_path / "nowhere")

    marker.version()
    marker.change(CUTOFF)

    assert not (tmp_path / "nowhere").exists()


@pytest.mark.posix
def test_does_not_keep_files_open_after_its_end(path: Path) -> None:
    for _ in range(50):
        ChangeMarker(str(path)).version()
        ChangeMarker(str(path)).change(CUTOFF)

    assert descriptors_of(path) == []


@pytest.mark.parametrize("obstacle", ["a folder in its place", "a file in the folder's place"])
def test_without_a_usable_file_everything_may_have_changed(obstacle: str, marker: ChangeMarker, path: Path) -> None:
    if obstacle == "a folder in its place":
        path.mkdir(parents=True)
    else:
        path.parent.write_text("")

    assert marker.version() != marker.version()
    assert marker.invalidated_before() == 0


def test_a_change_that_cannot_be_told_is_no_error(
    marker: ChangeMarker, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path.mkdir(parents=True)

    versions = [marker.change(CUTOFF), marker.change(CUTOFF), marker.version()]

    assert len(set(versions)) == 3
    assert "change signal cannot be written" in caplog.text


@pytest.mark.posix
def test_a_change_for_which_the_disk_has_no_room_is_noticed_all_the_same(
    marker: ChangeMarker, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = marker.change(CUTOFF)
    held = path.open("rb")

    def fail(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", fail)
        marker.change(CUTOFF)

    with held:
        assert held.read() == b"", "who has it open must notice, too, where it cannot be removed"
    assert marker.version() != before


def test_what_an_earlier_version_of_this_program_left_is_read_as_it_is(marker: ChangeMarker, path: Path) -> None:
    content = b"a nonce." + CUTOFF.to_bytes(8, "little")
    path.parent.mkdir()
    path.write_bytes(content)

    assert marker.version() == marker.version()
    assert (marker.invalidated_before(), path.read_bytes()) == (CUTOFF, content)


def test_while_something_is_being_changed_no_version_equals_another(tmp_path: Path) -> None:
    """The program that changes it may be killed before it is done."""
    path = tmp_path / "marker"
    writer, reader = ChangeMarker(str(path)), ChangeMarker(str(path))
    writer.change(7)
    assert reader.version() == reader.version()

    writer.begin_change()

    assert reader.version() != reader.version()
    assert reader.invalidated_before() == 7
    after = writer.change(7)
    assert reader.version() == after == reader.version()
