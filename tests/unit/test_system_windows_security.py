"""On Windows what is private is open to this user and the system alone, whatever the folder above allows."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tray_app.system import windows_security
from tray_app.system.access import who_else_may_use
from tray_app.system.atomic_replace import write_private
from tray_app.system.private_files import create_private, open_private, read_at, read_private, write_at

if sys.platform != "win32":
    pytest.skip("Windows alone has such permissions", allow_module_level=True)

import ctypes
from ctypes import wintypes

DACL = 4
EVERYBODY_READS = "D:P(A;;FA;;;{user})(A;;FR;;;WD)"
EVERYBODY_WRITES = "D:P(A;;FA;;;{user})(A;OICI;0x1301bf;;;WD)"


def permit(path: Path, access: str) -> None:
    """Give the file or folder that access list."""
    advapi = ctypes.WinDLL("advapi32")
    descriptor = ctypes.c_void_p()
    assert advapi.ConvertStringSecurityDescriptorToSecurityDescriptorW(
        access.replace("{user}", windows_security.user_sid()), 1, ctypes.byref(descriptor), None
    )
    assert advapi.SetFileSecurityW(str(path), DACL, descriptor)


def permissions_of(path: Any) -> str:
    """As SDDL, such as `D:P(A;;FA;;;S-1-5-21-…)(A;;FA;;;SY)`."""
    advapi = ctypes.WinDLL("advapi32")
    size = wintypes.DWORD()
    advapi.GetFileSecurityW(str(path), DACL, None, 0, ctypes.byref(size))
    descriptor = ctypes.create_string_buffer(size.value)
    assert advapi.GetFileSecurityW(str(path), DACL, descriptor, size, ctypes.byref(size))
    text = wintypes.LPWSTR()
    assert advapi.ConvertSecurityDescriptorToStringSecurityDescriptorW(descriptor, 1, DACL, ctypes.byref(text), None)
    return text.value


def entries_of(path: Any) -> list[str]:
    return sorted(entry.rpartition(";")[2] for entry in permissions_of(path).split(")") if ";" in entry)


def test_a_file_is_open_to_the_user_and_the_system(tmp_path: Path) -> None:
    write_private(str(tmp_path / "data" / ".token"), b"content")

    for path in (tmp_path / "data" / ".token", tmp_path / "data"):
        user, system = entries_of(path)
        assert (user.startswith("S-1-5-21-"), system) == (True, "SY")


def test_it_stays_so_when_it_is_written_again(tmp_path: Path) -> None:
    for content in (b"one", b"two"):
        write_private(str(tmp_path / ".token"), content)

    assert len(entries_of(tmp_path / ".token")) == 2
    assert read_private(str(tmp_path / ".token"), 10)[0] == b"two"


def test_what_is_there_already_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("content")

    with pytest.raises(FileExistsError):
        create_private(str(tmp_path / "file"))


def test_a_path_that_does_not_exist_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        create_private(str(tmp_path / "missing" / "file"))


def test_a_file_in_place_can_be_opened_by_several_at_once(tmp_path: Path) -> None:
    one = open_private(str(tmp_path / "file"))
    other = open_private(str(tmp_path / "file"))

    write_at(one, b"content")

    assert read_at(other, 7, 0) == b"content"
    os.close(one)
    os.close(other)


def test_what_is_private_is_open_to_nobody_else(tmp_path: Path) -> None:
    write_private(str(tmp_path / "data" / ".token"), b"content")

    for path in (tmp_path / "data", tmp_path / "data" / ".token"):
        assert who_else_may_use(str(path)) == ""


@pytest.mark.parametrize("access", [EVERYBODY_READS, EVERYBODY_WRITES])
def test_a_file_that_others_may_use_is_told_with_what_to_do(access: str, tmp_path: Path) -> None:
    write_private(str(tmp_path / ".token"), b"content")
    permit(tmp_path / ".token", access)

    assert "icacls" in who_else_may_use(str(tmp_path / ".token"))


def test_a_folder_may_be_read_by_others_and_not_written(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()

    permit(tmp_path / "data", EVERYBODY_READS)
    assert who_else_may_use(str(tmp_path / "data")) == ""

    permit(tmp_path / "data", EVERYBODY_WRITES)
    assert "icacls" in who_else_may_use(str(tmp_path / "data"))


def test_settings_may_be_read_by_others_and_not_written(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").touch()

    permit(tmp_path / "settings.toml", EVERYBODY_READS)
    assert who_else_may_use(str(tmp_path / "settings.toml"), is_secret=False) == ""

    permit(tmp_path / "settings.toml", EVERYBODY_WRITES)
    assert "icacls" in who_else_may_use(str(tmp_path / "settings.toml"), is_secret=False)
