"""A file that another program has open for a moment."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tray_app.core.errors import SettingsError
from tray_app.history.database import History
from tray_app.settings.save import save_setting
from tray_app.system import sharing_violation as sharing
from tray_app.system.atomic_replace import delete_private, move_private, write_private
from tray_app.system.log_file import LogFileHandler
from tray_app.system.private_files import append_private, open_private


class Refused:
    """Refuses `times` times, as Windows does while another program has the file open."""

    def __init__(self, times: float) -> None:
        self.left = times

    def __call__(self) -> str:
        if self.left > 0:
            self.left -= 1
            raise PermissionError
        return "done"


def test_a_file_that_is_open_for_a_moment_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "PATIENCE_SECONDS", 10.0)
    assert sharing.retry_sharing_violation(Refused(20)) == "done"


@pytest.mark.parametrize("patience", [0.0, 0.05])
def test_one_that_stays_refused_is_told(patience: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "PATIENCE_SECONDS", patience)
    with pytest.raises(PermissionError):
        sharing.retry_sharing_violation(Refused(float("inf")))


class WindowsStatus:
    """What `os.lstat` finds on Windows, where a file without the right to write has the attribute "read-only"."""

    def __init__(self, found: os.stat_result) -> None:
        self._found = found
        self.st_file_attributes = 0 if found.st_mode & stat.S_IWRITE else stat.FILE_ATTRIBUTE_READONLY

    def __getattr__(self, name: str) -> Any:
        return getattr(self._found, name)


@pytest.fixture
def read_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that Windows lets nobody write, replace or delete."""
    path = tmp_path / "ours"
    path.write_bytes(b"before")
    path.chmod(stat.S_IREAD)
    status = os.lstat

    def refusing(act: Callable[..., Any], which: int) -> Callable[..., Any]:
        def refuse(*given: Any, **named: Any) -> Any:
            target = given[which]
            writes = act is not os_open or given[1] & (os.O_WRONLY | os.O_RDWR)
            if writes and os.path.exists(target) and not os.stat(target).st_mode & stat.S_IWRITE:
                raise PermissionError(13, "Permission denied")
            return act(*given, **named)

        return refuse

    os_open = os.open
    for name, which in (("replace", 1), ("unlink", 0), ("open", 0)):
        monkeypatch.setattr(os, name, refusing(getattr(os, name), which))
    monkeypatch.setattr(os, "lstat", lambda *given, **named: WindowsStatus(status(*given, **named)))
    return path


@pytest.mark.posix
class TestReadOnly:
    """A click in Explorer makes all files of a folder read-only. A token that Kiwoom has issued is stored all the
    same."""

    def test_is_replaced(self, read_only: Path) -> None:
        write_private(str(read_only), b"after")

        assert read_only.read_bytes() == b"after"

    def test_is_deleted(self, read_only: Path) -> None:
        assert delete_private(str(read_only))
        assert not read_only.exists()

    def test_is_no_obstacle_to_another_name(self, read_only: Path, tmp_path: Path) -> None:
        (tmp_path / "new").write_bytes(b"after")
        move_private(str(tmp_path / "new"), str(read_only))

        assert read_only.read_bytes() == b"after"

    def test_is_written_in_place(self, read_only: Path) -> None:
        append_private(str(read_only), b" and after")
        os.close(open_private(str(read_only)))

        assert read_only.read_bytes() == b"before and after"

    def test_does_not_stop_the_history(self, read_only: Path) -> None:
        read_only.chmod(stat.S_IREAD | stat.S_IWRITE)
        read_only.write_bytes(b"")
        read_only.chmod(stat.S_IREAD)
        History(str(read_only)).profiles()

        assert read_only.stat().st_mode & stat.S_IWRITE

    def test_loses_no_line_of_the_log(self, read_only: Path) -> None:
        older = read_only.with_name("ours.1")
        older.write_bytes(b"")
        older.chmod(stat.S_IREAD)
        log = LogFileHandler(str(read_only), max_bytes=1)
        log.handle(logging.LogRecord("kiwoom", logging.WARNING, __file__, 1, "a line", None, None))

        assert older.read_bytes() == b"beforea line\n"

    def test_of_a_user_s_own_file_is_heeded(self, read_only: Path) -> None:
        settings = read_only.rename(read_only.with_name("settings.toml"))
        settings.chmod(stat.S_IREAD | stat.S_IWRITE)
        settings.write_bytes(b"")
        settings.chmod(stat.S_IREAD)

        with pytest.raises(SettingsError, match="cannot be changed"):
            save_setting("theme", "dark", environ={"KIWOOM_TRAY_CONFIG_DIR": str(settings.parent)})
