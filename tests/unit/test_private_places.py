"""No test can touch what belongs to the developer: this is what the fixture of every test promises."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import keyring
import pytest
from keyring.errors import NoKeyringError

from tests import ROOT
from tests.conftest import OWN_HOME
from tray_app import autostart
from tray_app.cli.diagnostics import crash_file, log_file
from tray_app.exports.kwcli import cache_path
from tray_app.settings import places
from tray_app.settings.load import load_settings
from tray_app.system.child_process import COMMAND_LINE_PROGRAM, TRAY_PROGRAM

WINDOWS_FOLDERS = ("APPDATA", "LOCALAPPDATA", "WIN_PD_OVERRIDE_APPDATA", "WIN_PD_OVERRIDE_LOCAL_APPDATA", "USERPROFILE")
XDG_FOLDERS = ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR")


@pytest.fixture
def own_folders(tmp_path: Path, runtime_folder: Path) -> tuple[Path, ...]:
    """The folder of this test, and the one for sockets and what is temporary."""
    return (tmp_path, runtime_folder)


def test_every_place_of_the_program_is_the_tests_own(tmp_path: Path) -> None:
    named = [
        places.config_dir(os.environ),
        places.settings_file(os.environ),
        places.state_dir(),
        places.user_data_dir(),
        places.kwcli_config_dir(),
        places.sandbox_dir(os.environ),
        load_settings().data_dir,
        cache_path("real", None),
        *(file(program) for file in (log_file, crash_file) for program in (COMMAND_LINE_PROGRAM, TRAY_PROGRAM)),
    ]

    assert [place for place in named if tmp_path not in Path(place).parents] == []


@pytest.mark.parametrize("variable", [*XDG_FOLDERS, *WINDOWS_FOLDERS, "HOME", "TMPDIR", "TEMP", "TMP"])
def test_every_folder_of_the_environment_is_the_tests_own(variable: str, own_folders: tuple[Path, ...]) -> None:
    folder = Path(os.environ[variable])

    assert any(own in (folder, *folder.parents) for own in own_folders)


def test_what_is_temporary_is_the_tests_own(own_folders: tuple[Path, ...]) -> None:
    """Where no lock can be had beside the token, one in the folder for temporary files is used."""
    assert Path(tempfile.gettempdir()) in own_folders


def test_a_program_that_a_test_starts_uses_the_same_places(tmp_path: Path) -> None:
    program = (
        "from tray_app.cli.diagnostics import log_folder; import tempfile; print(log_folder(), tempfile.gettempdir())"
    )
    told = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert told.stdout.split() == [os.path.join(places.state_dir(), "logs"), tempfile.gettempdir()]


def test_there_is_no_keyring() -> None:
    with pytest.raises(NoKeyringError):
        keyring.get_password("kiwoom-token-tray", "default")


@pytest.mark.skipif(sys.platform == "win32", reason="its registry is another one for each run")
def test_start_at_login_is_that_of_the_tests_home() -> None:
    assert not autostart.for_this_system().status().configured


def test_no_other_computer_is_reached() -> None:
    with socket.socket() as one, pytest.raises(AssertionError, match="tried to reach"):
        one.connect(("192.0.2.1", 443))


def test_no_other_computer_is_looked_up() -> None:
    with pytest.raises(AssertionError, match="tried to look up"):
        socket.create_connection(("openapi.kiwoom.com", 443))


def test_nothing_is_sent_to_another_computer() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as one, pytest.raises(AssertionError, match="tried to reach"):
        one.sendto(b"", ("192.0.2.1", 9))


@pytest.mark.posix
def test_the_bus_of_the_desktop_is_not_reached() -> None:
    with socket.socket(socket.AF_UNIX) as one, pytest.raises(AssertionError, match="tried to reach"):
        one.connect("/run/user/1000/bus")


@pytest.mark.parametrize(
    "name", [".config/kiwoom-token-tray/settings.toml", ".local/state/kiwoom-token-tray/logs/x.log"]
)
@pytest.mark.posix
def test_the_developers_own_files_are_not_opened(name: str) -> None:
    with pytest.raises(AssertionError, match="tried to use"), open(os.path.join(OWN_HOME, name), "rb"):
        pass
