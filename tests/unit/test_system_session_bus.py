"""The address of the user's D-Bus session bus, also for programs of cron and ssh."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tray_app.system.session_bus import check_own_bus, is_bus_named, session_bus_address

pytestmark = pytest.mark.posix

NAMED = {"DBUS_SESSION_BUS_ADDRESS": "unix:path=/somewhere/bus"}


@pytest.fixture
def bus(short_tmp: Path) -> Iterator[Path]:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(short_tmp / "bus"))
        yield short_tmp / "bus"


def test_the_environments_own_address_comes_first(bus: Path) -> None:
    environ = {**NAMED, "XDG_RUNTIME_DIR": str(bus.parent)}

    assert session_bus_address(environ) == f"unix:path=/somewhere/bus;unix:path={bus}"
    assert is_bus_named(environ)


def test_the_usual_place_is_in_the_list_once(bus: Path) -> None:
    environ = {"DBUS_SESSION_BUS_ADDRESS": f"unix:path={bus}", "XDG_RUNTIME_DIR": str(bus.parent)}

    assert session_bus_address(environ) == f"unix:path={bus}"


@pytest.mark.parametrize("blank", [" ", "\r", '""'])
def test_a_blank_names_no_bus(blank: str, bus: Path) -> None:
    environ = {"DBUS_SESSION_BUS_ADDRESS": blank, "XDG_RUNTIME_DIR": str(bus.parent)}

    assert session_bus_address(environ) == f"unix:path={bus}"
    assert not is_bus_named(environ)


@pytest.mark.parametrize("nothing", ["/dev/null", "unix:path=/dev/null", "disabled:"])
def test_who_wants_no_bus_gets_none(nothing: str, bus: Path) -> None:
    environ = {"DBUS_SESSION_BUS_ADDRESS": nothing, "XDG_RUNTIME_DIR": str(bus.parent)}

    assert session_bus_address(environ) == nothing


def test_without_it_the_bus_in_the_runtime_folder_is_used(bus: Path) -> None:
    environ = {"XDG_RUNTIME_DIR": str(bus.parent)}

    assert session_bus_address(environ) == f"unix:path={bus}"
    assert not is_bus_named(environ)


def test_a_folder_with_special_characters_is_escaped(short_tmp: Path) -> None:
    folder = short_tmp / "a b"
    folder.mkdir()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "bus"))

        assert session_bus_address({"XDG_RUNTIME_DIR": str(folder)}) == f"unix:path={short_tmp}/a%20b/bus"


@pytest.mark.parametrize("kind", ["missing", "file"])
def test_only_a_socket_is_a_bus(kind: str, tmp_path: Path) -> None:
    if kind == "file":
        (tmp_path / "bus").touch()

    assert session_bus_address({"XDG_RUNTIME_DIR": str(tmp_path)}) == ""


def test_a_bus_of_another_user_does_not_count(bus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: bus.stat().st_uid + 1)

    assert session_bus_address({"XDG_RUNTIME_DIR": str(bus.parent)}) == ""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody tells who listens")
class TestWhoListens:
    @staticmethod
    def check(user: int) -> None:
        """Connect to an address at which that user has begun to listen."""
        with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
            server.bind("")  # an abstract address that is free
            os.seteuid(user)
            try:
                server.listen()
            finally:
                os.seteuid(os.getuid())
            client.connect(server.getsockname())
            check_own_bus(client)

    def test_this_user_is_believed(self) -> None:
        self.check(os.geteuid())

    @pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root can be somebody else")
    def test_another_user_at_the_address_of_an_ended_session_is_not(self) -> None:
        with pytest.raises(PermissionError):
            self.check(1)

    @pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root can be somebody else")
    def test_the_user_whom_root_works_for_is(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        os.chown(tmp_path, 1, 1)
        monkeypatch.setenv("HOME", str(tmp_path))
        self.check(1)
