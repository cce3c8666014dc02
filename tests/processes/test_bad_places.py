"""A disk that is full and a lock that belongs to somebody else, both real."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from tests.processes.conftest import PYTHON_PATH
from tray_app.cli.doctor import doctor
from tray_app.core.errors import InvalidInput, StoreError
from tray_app.core.token import decode, encode_seed, token_for
from tray_app.exports.kwcli import cache_path
from tray_app.kiwoom.keys import clean_keys
from tray_app.kiwoom.sandbox import SANDBOX_APP_KEY, SANDBOX_APP_SECRET, SandboxKiwoom
from tray_app.service.composition import open_service
from tray_app.settings.load import load_settings
from tray_app.stores.file import FileStore
from tray_app.stores.lock import ThreadLock

NOBODY = 65534
DAY = 86400

pytestmark = pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() != 0, reason="mounting and being somebody else needs root"
)


@pytest.fixture
def small_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 KiB of its own, as the data folder; yields it."""
    folder = tmp_path / "small"
    folder.mkdir()
    options = ["mount", "-t", "tmpfs", "-o", "size=64k,mode=700", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(options, check=False, capture_output=True).returncode:
        pytest.skip("nothing can be mounted here")
    monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")
    monkeypatch.setenv("KIWOOM_TRAY_DATA_DIR", str(folder))
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path) -> Path:
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while file.write(b"x" * 4096):
                pass
        except OSError:
            pass
    return ballast


class TestFullDisk:
    def test_keeps_the_token_in_memory_and_the_old_one_whole(self, small_disk: Path, start: Callable[..., Any]) -> None:
        one, other = start(2)
        one.ask("set_token", "older", DAY)
        fill(small_disk)

        one.ask("set_token", "newer", DAY)

        assert one.ask("get_token") == "newer"
        assert other.ask("get_token") == "older"
        assert decode((small_disk / ".token").read_text()).value.reveal() == "older"
        names = {path.name for path in small_disk.iterdir()} - {"history.db", "history.db-journal"}
        assert names == {".token", ".token.lock", ".token.owner", "ballast"}

    def test_costs_no_request_and_no_token(
        self, small_disk: Path, sandbox: SandboxKiwoom, issues: Callable[[], int], start: Callable[..., Any]
    ) -> None:
        fill(small_disk)
        one = start()

        found = [one.ask("ensure_token") for _ in range(3)]

        assert (len(set(found)), isinstance(found[0], str), issues()) == (1, True, 1)

    def test_with_room_again_the_next_write_lands(self, small_disk: Path, start: Callable[..., Any]) -> None:
        one, other = start(2)
        ballast = fill(small_disk)
        one.ask("set_token", "only-in-memory", DAY)
        ballast.unlink()

        one.ask("set_token", "on-the-disk", DAY)

        assert other.ask("get_token") == "on-the-disk"

    def test_clears_all_the_same(self, small_disk: Path, start: Callable[..., Any]) -> None:
        one, other = start(2)
        one.ask("set_token", "older", DAY)
        fill(small_disk)

        one.ask("clear_token")

        assert (one.ask("get_token"), other.ask("get_token")) == (None, None)

    def test_leaves_no_half_of_a_report(self, small_disk: Path, capsys: pytest.CaptureFixture[str]) -> None:
        fill(small_disk)

        with pytest.raises(InvalidInput, match="No space left"):
            doctor(None, as_json=False, report=str(small_disk / "report.zip"))

        assert not (small_disk / "report.zip").exists()

    @pytest.mark.parametrize("folder", ["", "new/data"])
    def test_is_told_by_doctor_also_of_a_folder_that_is_not_there(
        self,
        folder: str,
        small_disk: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.setenv("KIWOOM_TRAY_DATA_DIR", str(small_disk / folder))
        fill(small_disk)

        doctor(None, as_json=True)

        found = {one["name"]: (one["good"], one["text"]) for one in json.loads(capsys.readouterr().out)}
        assert found["data folder"][0] is False
        assert "(No space left on device)" in found["data folder"][1]
        assert [one.name for one in small_disk.iterdir()] == ["ballast"]


def test_a_file_that_is_mounted_on_its_own_is_told_with_what_to_do(small_disk: Path, tmp_path: Path) -> None:
    """As a container has a single file of its host's: nothing can be put in its place."""
    token, outside = small_disk / "a folder" / ".token", tmp_path / "on-the-host"
    token.parent.mkdir(mode=0o700)
    for path in (token, outside):
        path.touch(mode=0o600)
    subprocess.run(["mount", "--bind", str(outside), str(token)], check=True)
    try:
        with pytest.raises(StoreError, match="mounted on its own: mount its folder instead"):
            FileStore(str(token), ThreadLock()).clear()
    finally:
        subprocess.run(["umount", str(token)], check=True)


AS_NOBODY = """
import json, logging, os, sys
logging.basicConfig(level=logging.WARNING)
from tray_app import TokenManager
warm = TokenManager(data_dir=sys.argv[2])  # loads what the other user may not be able to load
warm.ensure_token(), TokenManager(data_dir=sys.argv[2]).get_token()
os.setgroups([])
os.setgid(int(sys.argv[1]))
os.setuid(int(sys.argv[1]))
manager = TokenManager()
print(json.dumps([manager.ensure_token(), manager.ensure_token(), manager.get_token()]))
"""


class TestOfAnotherUser:
    @pytest.fixture
    def as_nobody(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Any]:
        """Runs a program as a user to whom the data folder belongs; returns what it printed and complained about."""
        monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")
        depth = 3 if "PYTEST_XDIST_WORKER" in os.environ else 2
        for folder in (tmp_path, *tmp_path.parents[:depth]):  # pytest's own folders are closed to others
            folder.chmod(folder.stat().st_mode | 0o011)
        data = tmp_path / "data"
        data.mkdir()
        os.chown(data, NOBODY, NOBODY)
        (tmp_path / "places").chmod(0o711)  # else nobody could tell that there are no settings

        def run() -> Any:
            return subprocess.run(
                [sys.executable, "-c", AS_NOBODY, str(NOBODY), str(tmp_path / "warm")],
                env={**os.environ, "PYTHONPATH": PYTHON_PATH},
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )

        return run

    def test_a_lock_costs_no_token_and_is_told(
        self, as_nobody: Callable[..., Any], sandbox: SandboxKiwoom, issues: Callable[[], int], tmp_path: Path
    ) -> None:
        lock = tmp_path / "data" / ".token.lock"
        lock.touch(mode=0o600)

        done = as_nobody()

        assert len(set(json.loads(done.stdout))) == 1, done.stderr
        assert issues() == 2, "one of them before it was nobody"
        assert "without the lock" in done.stderr
        assert lock.stat().st_uid == 0

    def test_a_token_is_not_believed_and_that_is_told(
        self, as_nobody: Callable[..., Any], sandbox: SandboxKiwoom, tmp_path: Path
    ) -> None:
        theirs = tmp_path / "data" / ".token"
        theirs.write_text(encode_seed(token_for("of-somebody-else", DAY, time.time())))
        theirs.chmod(0o644)
        os.chown(theirs, 1, 1)

        done = as_nobody()

        assert "of-somebody-else" not in done.stdout
        assert "owned by another user" in done.stderr


def test_a_kwcli_cache_of_another_user_is_not_used(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    sandbox: SandboxKiwoom,
    issues: Callable[[], int],
    start: Callable[..., Any],
) -> None:
    settings = tmp_path / "places" / "settings" / "settings.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text("share_kwcli = true\n")
    monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")
    keys = clean_keys(SANDBOX_APP_KEY, SANDBOX_APP_SECRET)
    now = datetime.now(timezone.utc)
    cache = Path(cache_path("real", None))
    cache.parent.mkdir(parents=True)
    cache.write_text(
        json.dumps(
            {
                "access_token": "of-somebody-else",
                "token_type": "bearer",
                "expires_at": (now + timedelta(days=1)).isoformat(),
                "mode": "real",
                "credential_fingerprint": keys.fingerprint(),
                "saved_at": now.isoformat(),
            }
        )
    )
    cache.chmod(0o600)
    exports = open_service(load_settings()).exports
    usable = exports.external_token()
    os.chown(cache, 1, 1)

    found = start().ask("ensure_token")

    assert usable is not None
    assert usable.value.reveal() == "of-somebody-else"
    assert (found == "of-somebody-else", issues()) == (False, 1)
