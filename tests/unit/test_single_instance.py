"""One program per user and data folder: who is first, and what the others may ask of it."""

from __future__ import annotations

import contextlib
import os
import platform
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from PySide6.QtCore import QCoreApplication
from PySide6.QtNetwork import QLocalSocket
from pytestqt.qtbot import QtBot

from tests import ROOT
from tray_app.cli.terminal_mark import is_in_terminal, marked_as_in_terminal
from tray_app.desktop.single_instance import Command, QuitResult, SingleInstance
from tray_app.service.key_binding import KeyBinding
from tray_app.settings.load import load_settings


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


@pytest.mark.posix
def test_the_name_of_a_folder_may_be_no_utf_8(qtbot: QtBot, places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a Korean one from an old disk or archive."""
    folder = os.fsdecode(os.fsencode(places) + b"/\xb1\xe8")
    one = SingleInstance(folder)
    assert one.is_primary()
    one.close()

    environ = {"KIWOOM_TRAY_CONFIG_DIR": folder, "KIWOOM_TRAY_DATA_DIR": folder, "SSL_CERT_FILE": folder}
    with marked_as_in_terminal(environ):
        assert is_in_terminal(environ)
    assert KeyBinding(load_settings(environ=environ), environ).route()


def test_data_folders_do_not_meet(qtbot: QtBot, first: SingleInstance, tmp_path: Path) -> None:
    other = SingleInstance(str(tmp_path / "other"))
    assert other.is_primary()
    other.close()


@pytest.mark.parametrize("pieces", [[b"hello\n"], [b"x" * 1000], [b""], [b"show"], [b"SHOW\n"]])
def test_what_is_not_understood_does_nothing(qtbot: QtBot, first: SingleInstance, pieces: list[bytes]) -> None:
    client = QLocalSocket()
    with qtbot.assertNotEmitted(first.shown, wait=100), qtbot.assertNotEmitted(first.quit_requested):
        client.connectToServer(first.address)
        assert client.waitForConnected(2000)
        for piece in pieces:
            client.write(piece)
            client.flush()
            qtbot.wait(10)
        client.disconnectFromServer()


def test_wish_that_comes_in_pieces_is_understood(qtbot: QtBot, first: SingleInstance) -> None:
    client = QLocalSocket()
    with qtbot.waitSignal(first.shown):
        client.connectToServer(first.address)
        assert client.waitForConnected(2000)
        for piece in (Command.SHOW.value[:2], Command.SHOW.value[2:]):
            client.write(piece)
            client.flush()
            qtbot.wait(20)


@pytest.mark.posix
@pytest.mark.skipif(sys.platform == "win32", reason="a file that is open is no leftover there")
def test_what_a_killed_one_left_behind_is_nobodys(qtbot: QtBot, tmp_path: Path, places: Path) -> None:
    """Also when a program of the same number runs meanwhile, as in a container that was started again."""
    one = SingleInstance(str(tmp_path / "data"))
    lock = Path(f"{one.address}.lock")
    lock.write_text(f"{os.getpid()}\n{Path(sys.executable).name}\n{platform.node()}\n")
    left = socket.socket(socket.AF_UNIX)
    left.bind(one.address)
    left.listen()  # and never answers

    assert one.is_primary()

    assert ask(tmp_path, "is_primary()") == "False"
    one.close()
    left.close()


@pytest.mark.skipif(sys.platform != "win32", reason="elsewhere the system has a folder of its own for it")
@pytest.mark.parametrize("names", [("TEMP", "TMP"), ("USERNAME",)])
def test_two_terminals_with_other_variables_still_meet(
    names: tuple[str, ...], qtbot: QtBot, first: SingleInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MSYS2 and Remote Desktop have other folders for temporary files, and batch files of bots a USERNAME."""
    (tmp_path / "other").mkdir()
    for name in names:
        monkeypatch.setenv(name, str(tmp_path / "other"))

    with qtbot.waitSignal(first.shown):
        assert ask(tmp_path, "is_primary()") == "False"


@pytest.mark.posix
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such folder")
@pytest.mark.parametrize("what", ["is not there", "a file", "a path too long for a socket " + "x" * 90])
def test_without_a_usable_runtime_folder_two_still_meet(
    what: str, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a file").touch()
    if what.startswith("a path"):
        (tmp_path / what).mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / what))
    one = SingleInstance(str(tmp_path / "data"))

    assert one.is_primary()
    assert ask(tmp_path, "is_primary()") == "False"
    one.close()


@pytest.mark.posix
@pytest.mark.skipif(sys.platform == "win32", reason="nothing else takes the place of a lock there")
def test_where_nothing_can_be_locked_only_an_answer_counts(qtbot: QtBot, tmp_path: Path) -> None:
    one = SingleInstance(str(tmp_path / "data"))
    Path(f"{one.address}.lock").mkdir()

    assert one.is_primary()
    assert ask(tmp_path, "is_primary()") == "False"
    one.close()
    Path(f"{one.address}.lock").rmdir()


@pytest.mark.posix
@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root can give files away")
def test_another_user_who_answers_in_its_place_does_not_keep_it_from_starting(qtbot: QtBot, tmp_path: Path) -> None:
    one = SingleInstance(str(tmp_path / "data"))
    Path(f"{one.address}.lock").touch()
    theirs = socket.socket(socket.AF_UNIX)
    theirs.bind(one.address)
    theirs.listen()
    for path in (one.address, f"{one.address}.lock"):
        os.chown(path, 1, 1)

    def answer() -> None:
        with contextlib.suppress(OSError):
            while True:
                theirs.accept()[0].sendall(b"done\n")

    Thread(target=answer, daemon=True).start()

    assert one.quit_running() == QuitResult.NOT_RUNNING
    assert not one.is_running()
    assert one.is_primary()
    one.close()
    theirs.close()


def test_one_that_runs_and_does_not_answer_is_told_so(qtbot: QtBot, first: SingleInstance, tmp_path: Path) -> None:
    program = "is_primary() or sys.exit(other.why_not_started())"
    asked = [
        sys.executable,
        "-c",
        "import sys; sys.path.insert(0, sys.argv[2]);"
        "from PySide6.QtCore import QCoreApplication; app = QCoreApplication([]);"
        "from tray_app.desktop.single_instance import *; other = SingleInstance(sys.argv[1]);"
        f"other.{program}",
        str(tmp_path / "data"),
        str(ROOT),
    ]

    told = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=60).stderr

    assert told.startswith("It is running already, but does not answer.")
