"""One program per user and data folder: who is first, and what the others may ask of it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from PySide6.QtCore import QCoreApplication
from PySide6.QtNetwork import QLocalSocket
from pytestqt.qtbot import QtBot

from tray_app.desktop.single_instance import Command, QuitResult, SingleInstance

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def places(short_tmp: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The path of a socket must be short."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short_tmp))
    return short_tmp


@pytest.fixture
def first(qtbot: QtBot, tmp_path: Path) -> Iterator[SingleInstance]:
    one = SingleInstance(str(tmp_path / "data"))
    assert one.is_primary()
    yield one
    one.close()


def ask(tmp_path: Path, call: str) -> str:
    """Another process, which asks in its own way; what it prints."""
    program = (
        "import sys; sys.path.insert(0, sys.argv[2]);"
        "from PySide6.QtCore import QCoreApplication; app = QCoreApplication([]);"
        "from tray_app.desktop.single_instance import *;"
        f"print(SingleInstance(sys.argv[1]).{call})"
    )
    asked = [sys.executable, "-c", program, str(tmp_path / "data"), str(ROOT)]
    with subprocess.Popen(asked, stdout=subprocess.PIPE, text=True) as process:
        waiting = Thread(target=process.wait)
        waiting.start()
        while waiting.is_alive():
            QCoreApplication.processEvents()
            waiting.join(0.01)
        assert process.stdout
        return process.stdout.read().strip()


def test_second_start_shows_the_first_ones_window(qtbot: QtBot, first: SingleInstance, tmp_path: Path) -> None:
    with qtbot.waitSignal(first.shown), qtbot.assertNotEmitted(first.quit_requested):
        assert ask(tmp_path, "is_primary()") == "False"


def test_second_start_for_the_background_asks_nothing(qtbot: QtBot, first: SingleInstance, tmp_path: Path) -> None:
    with qtbot.assertNotEmitted(first.shown, wait=200):
        assert ask(tmp_path, "is_primary(Command.NOTHING)") == "False"


def test_quit_waits_until_the_other_one_has_gone(qtbot: QtBot, first: SingleInstance, tmp_path: Path) -> None:
    first.quit_requested.connect(first.close)
    assert ask(tmp_path, "quit_running()") == str(QuitResult.ENDED)
    assert ask(tmp_path, "quit_running()") == str(QuitResult.NOT_RUNNING)


def test_quit_gives_up_on_one_that_stays(qtbot: QtBot, first: SingleInstance, tmp_path: Path) -> None:
    with qtbot.waitSignal(first.quit_requested):
        assert ask(tmp_path, "quit_running(0.3)") == str(QuitResult.STILL_RUNNING)


def test_quit_where_none_runs_takes_no_place(qtbot: QtBot, tmp_path: Path) -> None:
    assert SingleInstance(str(tmp_path / "data")).quit_running() is QuitResult.NOT_RUNNING
    other = SingleInstance(str(tmp_path / "data"))
    assert other.is_primary()
    other.close()


def test_nothing_stays_on_disk(qtbot: QtBot, first: SingleInstance, places: Path) -> None:
    assert sys.platform == "win32" or list(places.iterdir())
    first.close()
    assert list(places.iterdir()) == []


def test_data_folders_do_not_meet(qtbot: QtBot, first: SingleInstance, tmp_path: Path) -> None:
    other = SingleInstance(str(tmp_path / "other"))
    assert other.is_primary()
    other.close()


@pytest.mark.parametrize("pieces", [[b"hello\n"], [b"x" * 1000], [b""], [b"show"], [b"SHOW\n"]])
def test_what_is_not_understood_does_nothing(qtbot: QtBot, first: SingleInstance, pieces: list[bytes]) -> None:
    socket = QLocalSocket()
    with qtbot.assertNotEmitted(first.shown, wait=100), qtbot.assertNotEmitted(first.quit_requested):
        socket.connectToServer(first.address)
        assert socket.waitForConnected(2000)
        for piece in pieces:
            socket.write(piece)
            socket.flush()
            qtbot.wait(10)
        socket.disconnectFromServer()


def test_wish_that_comes_in_pieces_is_understood(qtbot: QtBot, first: SingleInstance) -> None:
    socket = QLocalSocket()
    with qtbot.waitSignal(first.shown):
        socket.connectToServer(first.address)
        assert socket.waitForConnected(2000)
        for piece in (Command.SHOW.value[:2], Command.SHOW.value[2:]):
            socket.write(piece)
            socket.flush()
            qtbot.wait(20)
