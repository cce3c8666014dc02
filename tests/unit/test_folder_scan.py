"""`kiwoom-token doctor --look-in`: keys and tokens of other programs are found, and never shown."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.command_line import Run, run
from tray_app.cli import folder_scan
from tray_app.core.token import token_for
from tray_app.service.composition import open_service
from tray_app.settings.load import load_settings

__all__ = ["run"]

KEY = "canary-key-of-43-characters-0123456789-abcd"
TOKEN = "canary-token-of-86-characters-" + "0123456789" * 5 + "abcdef"
PLACEHOLDER = "APP_KEY=\nAPP_SECRET=your_secret_here\n"

SEED = json.dumps({"access_token": TOKEN, "expires_at": "2026-11-09T22:47:56", "created_at": "2026-11-08T22:47:56"})
BOT = json.dumps({"token": TOKEN, "expires_dt": "20261109224756"})
KWCLI = json.dumps({"access_token": TOKEN, "expires_at": "2026-11-09T22:47:56+00:00", "credential_fingerprint": "ab"})


@pytest.fixture
def bots(tmp_path: Path) -> Path:
    folder = tmp_path / "bots"
    folder.mkdir()
    return folder


@pytest.fixture
def look(run: Callable[..., Run], bots: Path) -> Callable[..., list[tuple[bool, str]]]:
    """What is found in the folder, as `good` and the text; nothing of it is shown, and nothing there changes."""

    def in_folder(folder: Path = bots) -> list[tuple[bool, str]]:
        def files() -> dict[str, Any]:
            return {str(one): one.read_bytes() if one.is_file() else None for one in bots.rglob("*")}

        before = files()
        ended = run("doctor", "--json", "--look-in", str(folder))
        assert files() == before
        assert "canary" not in ended.out + ended.err
        found = [(one["good"], one["text"]) for one in json.loads(ended.out) if one["name"] == "found"]
        assert ended.status == 1 or all(good for good, _ in found)
        return found

    return in_folder


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        (".env", f"APP_KEY={KEY}\n", folder_scan.KEYS),
        (".env.local", f"export KIWOOM_APP_SECRET='{KEY}'\r\n", folder_scan.KEYS),
        ("real.env", f"# mine\nKIWOOM_SECRETKEY = {KEY}", folder_scan.KEYS),
        ("config.json", json.dumps({"kiwoom": {"appkey": KEY}}), folder_scan.KEYS),
        ("config.yaml", f"secretkey: {KEY}\n", folder_scan.KEYS),
        ("bot.py", f'APP_KEY_MOCK = "{KEY}"\n', folder_scan.KEYS),
        ("run.bat", f"set APP_SECRET={KEY}\r\n", folder_scan.KEYS),
        ("run.ps1", f'$env:APP_KEY="{KEY}"\r\n', folder_scan.KEYS),
        ("saved.token", SEED, folder_scan.SEED_TOKEN),
        (".token", SEED, folder_scan.SEED_TOKEN),
        ("token.json", BOT, folder_scan.BOT_TOKEN),
        ("real-token.json", KWCLI, folder_scan.KWCLI_TOKEN),
        ("client.js", "fetch(`${host}/oauth2/token`)", folder_scan.ISSUES_ITSELF),
    ],
)
def test_is_told_with_what_to_do(look: Any, bots: Path, name: str, content: str, told: str) -> None:
    (bots / name).write_text(content, encoding="utf-8")

    path = str(bots / name)
    assert look() == [(False, f"{path}: {told.format(path=path, folder=bots)}")]


def test_a_file_of_the_portal_is_told_without_the_account_number_in_its_name(look: Any, bots: Path) -> None:
    (bots / "12345678_appkey.txt").write_text(KEY)
    (bots / "12345678_appkey (1).txt").write_text(KEY)
    (bots / "12345678_secretkey.txt").write_text(KEY)

    [(_, copy), (_, one), (_, other)] = look()

    assert copy.startswith(os.path.join(bots, "…_appkey (1).txt: "))
    assert one.startswith(os.path.join(bots, "…_appkey.txt: "))
    assert other.startswith(os.path.join(bots, "…_secretkey.txt: "))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_file_that_notepad_saved_is_read(look: Any, bots: Path, encoding: str) -> None:
    (bots / ".env").write_text(f"APP_KEY={KEY}\n", encoding=encoding)

    assert [good for good, _ in look()] == [False]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (".env", PLACEHOLDER),
        (".env.example", "KIWOOM_APP_KEY=<your key>\n"),
        (".env", "APP_KEY=base64:0123456789012345678901234567890123456789012=\n"),
        ("bot.py", "app_key = os.environ['APP_KEY']\nappkey=settings.app_key\n"),
        ("package.json", '{"name": "bot", "token": "…"}'),
        ("notes.txt", "POST /oauth2/token issues a token"),
        ("list.json", "[1, 2]"),
        ("broken.json", "{" * 100_000),
        ("picture.png", f"APP_KEY={KEY}"),
    ],
)
def test_what_holds_no_secret_is_no_finding(look: Any, bots: Path, name: str, content: str) -> None:
    (bots / name).write_text(content)

    [(good, text)] = look()
    assert good
    assert text.startswith(f"{bots}: no app keys and no tokens")


def test_folders_below_are_looked_at_and_those_of_libraries_are_not(look: Any, bots: Path) -> None:
    for folder in ("one/two", "node_modules/x", "mine/lib", ".git"):
        (bots / folder).mkdir(parents=True)
        (bots / folder / "keys.env").write_text(f"APP_KEY={KEY}")
    (bots / "mine" / "pyvenv.cfg").touch()

    assert [text.split(": ")[0] for _, text in look()] == [str(bots / "one" / "two" / "keys.env")]


def test_the_programs_own_files_are_no_finding(look: Any, tmp_path: Path, run: Callable[..., Run]) -> None:
    assert run("config", "set", "share_bot_file", str(tmp_path / "data" / "bot.json")).status == 0
    assert run("config", "set", "store", "file").status == 0
    open_service(load_settings()).put(token_for(TOKEN, 3600, time.time()))
    assert {".token", "bot.json"} <= set(os.listdir(tmp_path / "data"))

    assert [good for good, _ in look(tmp_path / "data")] == [True]


@pytest.mark.posix
def test_links_and_pipes_are_left_alone(look: Any, bots: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.env").write_text(f"APP_KEY={KEY}")
    (bots / "link.env").symlink_to(tmp_path / "elsewhere.env")
    (bots / "up").symlink_to(tmp_path)
    os.mkfifo(bots / "pipe.env")  # type: ignore[attr-defined,unused-ignore]

    assert [good for good, _ in look()] == [True]


def test_what_is_found_is_never_run(look: Any, bots: Path) -> None:
    (bots / "run.py").write_text(f"open({str(bots / 'ran')!r}, 'w')\nAPP_KEY = '{KEY}'\n")
    (bots / "sitecustomize.py").write_text(f"open({str(bots / 'ran')!r}, 'w')\n")

    look()

    assert not (bots / "ran").exists()


def test_a_folder_that_is_not_there_is_told(look: Any, bots: Path) -> None:
    (bots / "file").touch()
    assert look(bots / "file") == [(False, f"{bots / 'file'} is not a folder.")]
    assert look(bots / "nowhere") == [(False, "The folder was not found.")]


def test_more_files_than_can_be_looked_at_are_told(look: Any, bots: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_scan, "MAX_FILES", 2)
    for number in range(4):
        (bots / f"{number}.txt").write_text("")

    assert look() == [(False, f"{bots}: only the first 2 files were looked at. Name a smaller folder.")]


def test_several_folders_and_unusable_settings(
    run: Callable[..., Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIWOOM_TRAY_STORE", "cloud")
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
        (folder / ".env").write_text(f"APP_KEY={KEY}")

    ended = run("doctor", "--look-in", str(folders[0]), "--look-in", str(folders[1]))

    sign = "✗" if "utf" in (sys.stdout.encoding or "").lower() else "X"
    assert [line for line in ended.out.splitlines() if "found:" in line] == [
        f"{sign} found: {folder / '.env'}: {folder_scan.KEYS}" for folder in folders
    ]
