"""Files that other programs change are noticed, also when they are replaced or appear later."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from tray_app.desktop.file_watch import FileWatch, watchable


@pytest.fixture
def watch(qtbot: QtBot) -> Iterator[FileWatch]:
    watch = FileWatch()
    yield watch
    watch.deleteLater()


def test_an_existing_file_is_watched_with_its_folder(tmp_path: Path) -> None:
    (tmp_path / ".token").touch()

    assert watchable([str(tmp_path / ".token")]) == {str(tmp_path / ".token"), str(tmp_path)}


def test_a_missing_file_is_awaited_in_its_folder(tmp_path: Path) -> None:
    assert watchable([str(tmp_path / ".token")]) == {str(tmp_path)}


def test_a_missing_folder_is_awaited_in_the_nearest_one_above(tmp_path: Path) -> None:
    assert watchable([str(tmp_path / "data" / "deeper" / ".token")]) == {str(tmp_path)}


def test_a_file_that_is_replaced_is_noticed(watch: FileWatch, tmp_path: Path, qtbot: QtBot) -> None:
    path = tmp_path / ".token"
    path.write_text("old")
    watch.watch(watchable([str(path)]))

    with qtbot.waitSignal(watch.changed, timeout=10_000):
        (tmp_path / "new").write_text("new")
        os.replace(tmp_path / "new", path)


def test_a_file_that_appears_is_noticed(watch: FileWatch, tmp_path: Path, qtbot: QtBot) -> None:
    path = tmp_path / ".token"
    watch.watch(watchable([str(path)]))

    with qtbot.waitSignal(watch.changed, timeout=10_000):
        path.write_text("new")


def test_several_changes_in_quick_succession_are_one_signal(watch: FileWatch, qtbot: QtBot) -> None:
    emitted: list[bool] = []
    watch.changed.connect(lambda: emitted.append(True))

    for _ in range(5):
        watch.settle()
    qtbot.waitUntil(lambda: bool(emitted), timeout=10_000)
    qtbot.wait(60)

    assert emitted == [True]


def test_a_new_folder_is_reported_so_that_it_is_read_once_more(watch: FileWatch, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    first = watch.watch({str(tmp_path)})
    again = watch.watch({str(tmp_path)})
    folder.mkdir()

    assert (first, again, watch.watch({str(tmp_path), str(folder)})) == (True, False, True)


def test_a_path_that_is_not_wanted_any_more_is_dropped(watch: FileWatch, tmp_path: Path, qtbot: QtBot) -> None:
    (tmp_path / "other").mkdir()
    watch.watch({str(tmp_path)})
    watch.watch({str(tmp_path / "other")})

    with qtbot.assertNotEmitted(watch.changed, wait=150):
        (tmp_path / "a file").touch()
