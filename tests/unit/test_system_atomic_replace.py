"""What is written lands whole, and what killed writers left goes."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests import ROOT
from tests.doubles import START
from tests.obstacles import OBSTACLES, put_obstacle
from tray_app.core.token import token_for
from tray_app.exports.files import BotFile
from tray_app.exports.kwcli import KwcliCache, cache_path
from tray_app.stores.file import FileStore
from tray_app.stores.lock import ThreadLock
from tray_app.system.atomic_replace import delete_leftovers, replace_file, write_private
from tray_app.system.private_files import read_private

TOKEN = token_for("a-token-of-a-test", 86400, START)

pytestmark = pytest.mark.posix


class TestReplacing:
    def test_a_mode_is_given_before_the_file_takes_its_name(self, tmp_path: Path) -> None:
        replace_file(str(tmp_path / "entry"), b"content", mode=0o644)

        assert stat.S_IMODE((tmp_path / "entry").stat().st_mode) == 0o644

    @pytest.mark.parametrize("is_network_drive", [False, True])
    def test_macos_is_asked_to_empty_the_disks_own_cache(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_network_drive: bool
    ) -> None:
        import fcntl

        asked: list[str] = []

        def control(_descriptor: int, command: str) -> int:
            asked.append(command)
            if is_network_drive:
                raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))
            return 0

        monkeypatch.setattr(fcntl, "fcntl", control)
        monkeypatch.setattr(fcntl, "F_FULLFSYNC", "F_FULLFSYNC", raising=False)
        monkeypatch.setattr(os, "fsync", lambda _: asked.append("fsync"))
        monkeypatch.setattr(sys, "platform", "darwin")

        replace_file(str(tmp_path / "entry"), b"content")

        assert asked == (["F_FULLFSYNC", "fsync"] if is_network_drive else ["F_FULLFSYNC"])

    def test_a_write_that_is_cut_short_goes_on(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        was_write = os.write
        monkeypatch.setattr(os, "write", lambda descriptor, content: was_write(descriptor, bytes(content[:3])))

        write_private(str(tmp_path / "file"), b"0123456789")

        monkeypatch.undo()
        assert read_private(str(tmp_path / "file"), 100)[0] == b"0123456789"  # type: ignore[index]

    @pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS])
    def test_works_where_files_cannot_be_locked(
        self, number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: Any) -> None:
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr("fcntl.flock", fail)

        write_private(str(tmp_path / "file"), b"one")
        write_private(str(tmp_path / "file"), b"two")

        assert [one.name for one in tmp_path.glob("file*")] == ["file"]


KILLED = """
import os, signal, sys
from tray_app.system.atomic_replace import write_private
def stop(*_):
    if sys.argv[2] == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    print("waiting", flush=True)
    sys.stdin.readline()
os.fsync = stop
write_private(sys.argv[1], b"a living token")
"""


def kill_while_writing(path: Path) -> None:
    with begin_write(path, "killed") as writer:
        assert writer.wait(30) == -signal.SIGKILL


def begin_write(path: Path, end: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", KILLED, str(path), end],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


class TestLeftovers:
    @pytest.fixture
    def left(self, tmp_path: Path) -> Path:
        """What a writer of `.token` leaves that is killed before the file takes its name."""
        kill_while_writing(tmp_path / ".token")
        assert len(list(tmp_path.glob(".token*.new"))) == 1
        return tmp_path

    def test_go_at_once_with_the_next_write(self, left: Path) -> None:
        write_private(str(left / ".token"), b"newer")

        assert list(left.glob(".token*.new")) == []

    @pytest.mark.parametrize(
        "younger", [".token.0123abcd.new", ".token.ending.0123abcd.new", ".token.owner.01ab23cd.new"]
    )
    def test_go_with_a_clear_also_those_of_earlier_versions(self, younger: str, left: Path) -> None:
        (left / younger).write_bytes(b"a living token")

        FileStore(str(left / ".token"), ThreadLock()).clear()

        assert list(left.glob(".token*.new")) == []

    def test_of_a_bot_file_and_of_a_cache_go_when_the_token_is_forgotten(self, tmp_path: Path) -> None:
        cache = Path(cache_path("real", None))
        cache.parent.mkdir(parents=True)
        for path in (tmp_path / "bot.json", cache):
            kill_while_writing(path)

        BotFile(str(tmp_path / "bot.json")).forget()
        KwcliCache("default", "real", lambda: pytest.fail("asked for keys")).withdraw({TOKEN.value.fingerprint()})

        assert list(tmp_path.glob("bot*")) == list(cache.parent.iterdir()) == []

    def test_what_a_living_writer_is_writing_stays(self, tmp_path: Path) -> None:
        writer = begin_write(tmp_path / ".token", "waits")
        assert writer.stdout.readline() == "waiting\n"

        write_private(str(tmp_path / ".token"), b"of another")
        delete_leftovers(str(tmp_path / ".token"))
        writer.communicate("go on\n", timeout=30)

        assert writer.returncode == 0
        assert (tmp_path / ".token").read_bytes() == b"a living token"
        assert list(tmp_path.glob(".token*.new")) == []

    @pytest.mark.parametrize("kind", OBSTACLES)
    def test_what_only_has_such_a_name_is_no_hindrance(self, kind: str, tmp_path: Path) -> None:
        put_obstacle(kind, tmp_path / ".token.0123456789ab.new")

        write_private(str(tmp_path / ".token"), b"content")
        delete_leftovers(str(tmp_path / ".token"))

        assert (tmp_path / ".token").read_bytes() == b"content"
