"""What is opened is a file of ours, what is written lands whole, and what killed writers left goes."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests import ROOT
from tests.doubles import START
from tray_app.autostart import files as autostart_files
from tray_app.core.errors import AutostartFailed, EncryptionKeyUnusable, KiwoomTokenError, SettingsError, StoreError
from tray_app.core.token import token_for
from tray_app.exports.files import BotFile
from tray_app.exports.kwcli import KwcliCache, cache_path
from tray_app.history.database import History
from tray_app.history.draft import EventDraft
from tray_app.settings import kwcli
from tray_app.settings.document import read_document
from tray_app.settings.save import save_setting
from tray_app.stores.encryption import read_key_file
from tray_app.stores.file import FileStore
from tray_app.stores.lock import ProfileLock, ThreadLock
from tray_app.system.private_files import delete_leftovers, read_private, replace_file, write_private

TOKEN = token_for("a-token-of-a-test", 86400, START)
SECRET = b"somebody else's, longer than what is written here: 0123456789"

pytestmark = pytest.mark.posix


def put_obstacle(kind: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as server:
            here = os.open(".", os.O_RDONLY)
            os.chdir(path.parent)  # a socket's path must be short
            server.bind(path.name)
            os.fchdir(here)
            os.close(here)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        raise AssertionError(kind)


OBSTACLES = ["folder", "pipe", "socket", "device"]


def history_of(folder: Path) -> History:
    return History(str(folder / "history.db"))


READERS = {
    "token": (".token", lambda folder: FileStore(str(folder / ".token"), ThreadLock()).read()),
    "bot file": ("bot.json", lambda folder: BotFile(str(folder / "bot.json")).check()),
    "lock": (".token.lock", lambda folder: ProfileLock(str(folder / ".token.lock")).acquire()),
    "key file": ("key", lambda folder: read_key_file(str(folder / "key"))),
    "history": ("history.db", lambda folder: history_of(folder).read("default")),
    "autostart entry": ("x.desktop", lambda folder: autostart_files.read(str(folder / "x.desktop"))),
}


@pytest.mark.parametrize("kind", OBSTACLES)
@pytest.mark.parametrize("name", READERS)
def test_what_is_no_file_is_an_error_in_words_that_names_it(name: str, kind: str, tmp_path: Path) -> None:
    file, read = READERS[name]
    put_obstacle(kind, tmp_path / "data" / file)

    with pytest.raises(KiwoomTokenError, match=file) as raised:
        read(tmp_path / "data")

    assert isinstance(raised.value, StoreError | AutostartFailed | EncryptionKeyUnusable)
    assert "not a file" in str(raised.value) or "a link" in str(raised.value)


@pytest.mark.parametrize("kind", OBSTACLES)
@pytest.mark.parametrize("companion", ["ending", "owner"])
def test_a_token_is_used_whatever_is_in_the_place_of_its_companions(companion: str, kind: str, tmp_path: Path) -> None:
    store = FileStore(str(tmp_path / "data" / ".token"), ThreadLock(), lambda: START)
    put_obstacle(kind, tmp_path / "data" / f".token.{companion}")

    store.write(TOKEN)

    assert store.read().value == TOKEN.value
    assert store.read_expiring() is None


@pytest.mark.parametrize("kind", OBSTACLES)
@pytest.mark.parametrize("companion", ["ending", "owner"])
def test_a_clear_takes_the_token_whatever_is_in_the_place_of_its_companions(
    companion: str, kind: str, tmp_path: Path
) -> None:
    store = FileStore(str(tmp_path / "data" / ".token"), ThreadLock(), lambda: START)
    store.write(TOKEN)
    (tmp_path / "data" / f".token.{companion}").unlink(missing_ok=True)
    put_obstacle(kind, tmp_path / "data" / f".token.{companion}")

    is_refused = (companion, kind) == ("ending", "folder")
    with pytest.raises(StoreError, match="Delete it by hand") if is_refused else contextlib.nullcontext():
        store.clear()

    assert not (tmp_path / "data" / ".token").exists()


@pytest.mark.parametrize("kind", OBSTACLES)
def test_kwclis_settings_that_are_no_file_are_no_aliases(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    put_obstacle(kind, Path(kwcli.settings_path()))

    assert kwcli.aliases() == {}
    assert "settings.json" in caplog.text


@pytest.mark.parametrize("kind", OBSTACLES)
def test_a_cache_of_kwcli_that_is_no_file_holds_no_token(kind: str) -> None:
    put_obstacle(kind, Path(cache_path("real", None)))

    assert KwcliCache("default", "real", lambda: pytest.fail("asked for keys")).holds(TOKEN) is False


@pytest.mark.parametrize("kind", OBSTACLES)
def test_settings_that_are_no_file_are_a_problem_in_words(kind: str, tmp_path: Path) -> None:
    put_obstacle(kind, tmp_path / "settings.toml")

    assert "not a file" in str(read_document(str(tmp_path / "settings.toml")).problems[0])


@pytest.mark.parametrize("kind", [*OBSTACLES, "hard link", "link that leads nowhere"])
def test_settings_are_written_whatever_is_in_the_place_of_their_lock(kind: str, tmp_path: Path) -> None:
    lock = tmp_path / "settings" / "settings.toml.lock"
    victim = tmp_path / "victim"
    lock.parent.mkdir()
    if kind == "hard link":
        victim.write_bytes(SECRET)
        lock.hardlink_to(victim)
    elif kind == "link that leads nowhere":
        lock.symlink_to(victim)
    else:
        put_obstacle(kind, lock)

    save_setting("policy", "notify", environ={"KIWOOM_TRAY_CONFIG_DIR": str(lock.parent)})

    assert "notify" in (lock.parent / "settings.toml").read_text()
    assert (victim.read_bytes() if victim.exists() else None) == (SECRET if kind == "hard link" else None)


def test_settings_that_are_a_link_to_nowhere_make_nothing_there(tmp_path: Path) -> None:
    folder = tmp_path / "settings"
    folder.mkdir()
    (folder / "settings.toml").symlink_to(tmp_path / "nowhere.toml")

    with pytest.raises(SettingsError, match="leads nowhere"):
        save_setting("policy", "notify", environ={"KIWOOM_TRAY_CONFIG_DIR": str(folder)})

    assert list(tmp_path.glob("nowhere*")) == []


@pytest.mark.parametrize("suffix", ["", "-journal", "-wal"])
@pytest.mark.parametrize("kind", ["hard link", "link", "link that leads nowhere"])
def test_the_history_is_neither_read_nor_written_through_a_link(kind: str, suffix: str, tmp_path: Path) -> None:
    history = history_of(tmp_path / "data")
    history.keep([("default", EventDraft(START, "issued", TOKEN, None))])
    place, victim = tmp_path / "data" / f"history.db{suffix}", tmp_path / "victim"
    place.unlink(missing_ok=True)
    if kind != "link that leads nowhere":
        victim.write_bytes(SECRET)
    place.hardlink_to(victim) if kind == "hard link" else place.symlink_to(victim)

    history.keep([("default", EventDraft(START + 1, "issued", TOKEN, None))])
    if kind != "link that leads nowhere" or suffix:
        with pytest.raises(StoreError, match=r"history\.db"):
            history.read("default")

    assert (victim.read_bytes() if victim.exists() else None) == (None if "nowhere" in kind else SECRET)


def test_the_history_does_not_wait_for_a_pipe_in_its_journals_place(tmp_path: Path) -> None:
    history = history_of(tmp_path / "data")
    history.keep([("default", EventDraft(START, "issued", TOKEN, None))])
    os.mkfifo(tmp_path / "data" / "history.db-journal")

    with pytest.raises(StoreError, match=r"history\.db-journal"):
        history.read("default")


def test_the_history_of_a_folder_that_may_only_be_read_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    history = history_of(tmp_path / "data")
    history.keep([("default", EventDraft(START, "issued", TOKEN, None))])
    was_open = os.open

    def read_only(path: Any, flags: Any, *rest: Any) -> Any:
        if flags & (os.O_WRONLY | os.O_RDWR):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        return was_open(path, flags, *rest)

    monkeypatch.setattr(os, "open", read_only)

    assert len(history.read("default")) == 1


NOBODY = 65534


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root can give files away")
def test_what_root_writes_in_the_folder_of_a_user_is_that_users(tmp_path: Path) -> None:
    folder = tmp_path / "settings"
    folder.mkdir(mode=0o700)
    os.chown(folder, NOBODY, NOBODY)

    save_setting("policy", "notify", environ={"KIWOOM_TRAY_CONFIG_DIR": str(folder)})

    assert {one.name: one.stat().st_uid for one in folder.iterdir()} == {
        "settings.toml": NOBODY,
        "settings.toml.lock": NOBODY,
    }


@pytest.mark.parametrize("kind", ["hard link", "link", "link that leads nowhere"])
def test_a_lock_is_neither_taken_nor_written_through_a_link(kind: str, tmp_path: Path) -> None:
    place, victim = tmp_path / "default.lock", tmp_path / "victim"
    if kind != "link that leads nowhere":
        victim.write_bytes(SECRET)
    place.hardlink_to(victim) if kind == "hard link" else place.symlink_to(victim)
    lock = ProfileLock(str(place))

    with pytest.raises(StoreError, match="Correct or remove it"):
        lock.acquire()
    lock.write_record({"at": 1})

    assert (victim.read_bytes() if victim.exists() else None) == (None if "nowhere" in kind else SECRET)


class TestReplacing:
    def test_a_mode_is_given_before_the_file_takes_its_name(self, tmp_path: Path) -> None:
        replace_file(str(tmp_path / "entry"), b"content", mode=0o644)

        assert stat.S_IMODE((tmp_path / "entry").stat().st_mode) == 0o644

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
from tray_app.system import private_files
def stop(*_):
    if sys.argv[2] == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    print("waiting", flush=True)
    sys.stdin.readline()
os.fsync = stop
private_files.write_private(sys.argv[1], b"a living token")
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
        KwcliCache("default", "real", lambda: pytest.fail("asked for keys")).withdraw(TOKEN)

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
