"""What is opened is a file of ours, or an error in words that names it."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.doubles import START
from tests.obstacles import OBSTACLES, put_obstacle
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
from tray_app.system import windows_security
from tray_app.system.access import who_else_may_use
from tray_app.system.private_files import reason_of

TOKEN = token_for("a-token-of-a-test", 86400, START)
SECRET = b"somebody else's, longer than what is written here: 0123456789"

pytestmark = pytest.mark.posix


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


class WindowsRefusal(PermissionError):
    """What Windows says when a file is replaced that another program has open, or a key may not be written."""

    winerror = 5


@pytest.mark.parametrize(
    ("path", "told"), [("data/.token", "access denied, or another program has it open"), (None, "Access is denied.")]
)
def test_a_file_that_another_program_has_open_is_not_said_to_be_forbidden(
    path: str | None, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "win32")

    assert reason_of(WindowsRefusal(errno.EACCES, "Access is denied.", path)) == told


def test_the_command_that_keeps_others_out_can_be_pasted_into_powershell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which runs what stands in brackets; and names of users have blanks."""
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(windows_security, "is_open_to_others", lambda *_, **__: True)
    (tmp_path / ".token").touch()

    of_folder, of_file = (
        who_else_may_use(str(path)).format(path='"C:\\data"', user="Hong Gildong")
        for path in (tmp_path, tmp_path / ".token")
    )

    assert of_folder.endswith('icacls "C:\\data" /inheritance:r /grant:r "Hong Gildong:(OI)(CI)F"')
    assert of_file.endswith('icacls "C:\\data" /inheritance:r /grant:r "Hong Gildong:F"')


def test_a_file_that_is_busy_and_not_mounted_is_not_said_to_be_mounted(tmp_path: Path) -> None:
    """As on a share of another computer that has it open."""
    busy = OSError(errno.EBUSY, "Device or resource busy", str(tmp_path / ".token"))

    assert reason_of(busy) == "Device or resource busy"
    assert reason_of(OSError(errno.EBUSY, "Device or resource busy")) == "Device or resource busy"
