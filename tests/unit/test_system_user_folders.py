"""The user's home, also for a user number that no password database knows."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests import ROOT
from tray_app.api.token_manager import ModulesManager
from tray_app.core.errors import StoreError
from tray_app.settings import places
from tray_app.settings.load import load_settings
from tray_app.system import user_folders

pwd = pytest.importorskip("pwd", reason="Windows has no such database")
pytestmark = pytest.mark.posix


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A user without a home and without an entry; returns the folder above the one that stands in."""

    def unknown(_: int) -> None:
        raise KeyError

    for name in ("HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name)
    for name in ("KIWOOM_TRAY_STATE_DIR", "KIWOOM_TRAY_CONFIG_DIR"):
        monkeypatch.delenv(name)
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    monkeypatch.setattr(user_folders, "stand_ins", [])
    monkeypatch.setattr(user_folders, "RUNTIME_FOLDERS", str(tmp_path / "run"))
    monkeypatch.setattr(user_folders, "TEMPORARY_FOLDER", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    return tmp_path / "temporary"


def test_without_a_home_a_private_folder_stands_in_for_all_places(nobody: Path) -> None:
    found = [places.shared_state_dir(), places.config_dir({}), places.user_data_dir(), places.kwcli_config_dir()]

    assert all(Path(one).is_relative_to(nobody) for one in found)
    assert stat.S_IMODE(Path(user_folders.stand_in_for_home()).stat().st_mode) == 0o700
    assert user_folders.expand_user("~/data") == f"{user_folders.stand_in_for_home()}/data"


def test_the_runtime_folder_comes_first(nobody: Path, tmp_path: Path) -> None:
    runtime = tmp_path / "run" / str(os.geteuid())
    runtime.mkdir(parents=True, mode=0o700)

    assert Path(places.shared_state_dir()).is_relative_to(runtime)


def test_where_none_can_be_made_that_is_said_and_an_import_does_not_fail(nobody: Path) -> None:
    nobody.rmdir()
    nobody.touch()

    manager = ModulesManager()
    with pytest.raises(StoreError, match=r"cannot be made .* KIWOOM_TRAY_STATE_DIR"):
        manager.ensure_token()


@pytest.mark.parametrize("trap", ["open to others", "a link"])
def test_a_folder_that_is_not_safe_is_refused_and_the_variable_named(trap: str, nobody: Path, tmp_path: Path) -> None:
    path = nobody / f"kiwoom-token-tray-{os.geteuid()}"
    if trap == "a link":
        (tmp_path / "elsewhere").mkdir()
        path.symlink_to(tmp_path / "elsewhere")
    else:
        path.mkdir()
        path.chmod(0o777)

    with pytest.raises(StoreError, match="Set KIWOOM_TRAY_STATE_DIR"):
        places.shared_state_dir()


def test_a_home_that_nobody_ever_made_is_no_place_for_locks(
    nobody: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(pwd, "getpwuid", lambda _: type("Entry", (), {"pw_dir": str(tmp_path / "file" / "home")}))

    assert Path(places.shared_state_dir()).is_relative_to(nobody)


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="being somebody else needs root")
def test_a_bare_user_number_makes_no_folder_named_like_a_tilde(tmp_path: Path) -> None:
    number = 100_000 + os.getpid()  # nobody's, and no other run's
    working = tmp_path / "working"
    working.mkdir()
    working.chmod(0o777)
    stand_in = Path(f"/tmp/kiwoom-token-tray-{number}")  # noqa: S108 - where the program puts it
    code = (
        f"import os, pwd, sys; sys.path.insert(0, {str(ROOT)!r}); from tray_app.settings import places; "
        f"import tray_app.system.private_files; os.setgid({number}); os.setuid({number}); "
        "print(places.shared_state_dir(), places.config_dir({}))"
    )

    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=working,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )

    try:
        assert [Path(one).is_relative_to(stand_in) for one in done.stdout.split()] == [True, True], done.stderr
        assert list(working.iterdir()) == []
    finally:
        if stand_in.is_dir():
            stand_in.rmdir()


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root works in other users' homes")
def test_root_in_another_users_home_shares_that_users_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `sudo -E kiwoom-token get` does: the keyring that is meant is that user's."""
    homes = {4242: tmp_path / "of-user", 0: tmp_path / "of-root"}
    monkeypatch.setattr(pwd, "getpwuid", lambda user: type("Entry", (), {"pw_dir": str(homes[user])}))
    monkeypatch.delenv("KIWOOM_TRAY_STATE_DIR")
    for user, folder in homes.items():
        folder.mkdir()
        os.chown(folder, user, user)
    inside = homes[4242] / "snap"
    inside.mkdir()
    os.chown(inside, 4242, 4242)

    monkeypatch.setenv("HOME", str(homes[0]))
    assert Path(places.shared_state_dir()).is_relative_to(homes[0])
    for folder in (homes[4242], inside):
        monkeypatch.setenv("HOME", str(folder))
        state = Path(places.shared_state_dir())
        assert state.is_relative_to(homes[4242])
        assert not state.is_relative_to(inside)


def test_what_the_system_cannot_follow_stays_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a file on a network drive before the network is there. On Windows that is an error for most drives."""

    def away(_: str) -> str:
        raise OSError(22, "The network location cannot be reached")

    data = tmp_path / "data"
    monkeypatch.setattr(os.path, "realpath", away)
    monkeypatch.setenv("KIWOOM_TRAY_DATA_DIR", str(data))
    assert places.is_token_file(str(data / ".token"), str(data))
    assert not places.is_token_file(str(tmp_path / ".token"), str(data))
    assert load_settings().problems == ()


@pytest.mark.parametrize("path", ["D:\\bots?", 'D:\\"my bots"\\data', "D:\\bots|data", "D:\\<name>\\data"])
def test_a_path_that_windows_cannot_have_is_refused_there(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sep", "\\")

    with pytest.raises(ValueError, match="the path of a folder"):
        user_folders.typed_path(path, "the path of a folder")


@pytest.mark.parametrize("path", ["D:\\매매 & 봇\\100%", "\\\\server\\share\\data", "\\\\?\\D:\\long", "D:\\a!b^c"])
def test_a_path_that_windows_can_have_is_taken_there(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sep", "\\")

    assert user_folders.typed_path(path, "the path of a folder") == path
