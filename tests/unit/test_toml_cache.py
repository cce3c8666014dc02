from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.test_cli import environment
from tray_app.core.profile import DEFAULT
from tray_app.settings.load import load_settings
from tray_app.settings.places import toml_cache_file
from tray_app.settings.save import save_setting
from tray_app.settings.toml_cache import cache_toml, load_toml
from tray_app.supervisor.profile_settings import ProfileSettings

SETTINGS = 'mode = "demo"\nwarn_before = ["30m", "10m"]\n\n[profiles."스윙"]\nmode = "real"\npolicy = "daily 06:30"\n'


@pytest.fixture
def file() -> Path:
    return Path(toml_cache_file())


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the texts that were read as TOML."""
    texts: list[str] = []
    loads = tomllib.loads
    monkeypatch.setattr(tomllib, "loads", lambda text: texts.append(text) or loads(text))
    return texts


def test_what_is_kept_is_not_read_as_toml_again(parsed: list[str]) -> None:
    cache_toml(SETTINGS)
    parsed.clear()

    assert load_toml(SETTINGS)["profiles"]["스윙"] == {"mode": "real", "policy": "daily 06:30"}
    assert parsed == []


def test_a_changed_text_counts_at_once() -> None:
    cache_toml(SETTINGS)

    assert load_toml(SETTINGS.replace("demo", "real"))["mode"] == "real"
    assert load_toml(SETTINGS)["mode"] == "demo"


def test_whoever_only_reads_the_settings_writes_nothing(tmp_path: Path, file: Path) -> None:
    (tmp_path / "settings.toml").write_text(SETTINGS, "utf-8")
    load_settings(None, {"KIWOOM_TRAY_CONFIG_DIR": str(tmp_path)})

    assert not file.exists()


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_program_that_follows_the_settings_spares_the_others_the_parser(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line_end: str
) -> None:
    (tmp_path / "settings.toml").write_text('data_dir = "data"\n' + SETTINGS, "utf-8", newline=line_end)
    monkeypatch.setenv("KIWOOM_TRAY_CONFIG_DIR", str(tmp_path))
    assert "tomllib" in modules_of_a_reader()

    ProfileSettings(DEFAULT).read({})

    assert {"tomllib", "re"}.isdisjoint(modules_of_a_reader())


def test_a_program_that_changes_the_settings_spares_the_others_the_parser(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIWOOM_TRAY_CONFIG_DIR", str(tmp_path))
    save_setting("mode", "demo")

    assert {"tomllib", "re"}.isdisjoint(modules_of_a_reader())


def modules_of_a_reader() -> set[str]:
    """Return the modules that another program loads to read the settings."""
    code = "import sys; from tray_app.settings.load import load_settings; print(load_settings().mode, *sys.modules)"
    run = [sys.executable, "-c", code]
    result = subprocess.run(run, env=environment(), capture_output=True, text=True, timeout=60, check=True)
    mode, *modules = result.stdout.split()
    assert mode == "demo"
    return set(modules)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has access lists")
def test_the_file_is_its_owners_alone(file: Path) -> None:
    cache_toml(SETTINGS)

    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[1, 2]", b"\xff\xfe", b'{"a": {}}', b"[" * 100_000, b" " * 300_000],
    ids=["empty", "cut off", "a list", "no UTF-8", "another text's", "deep", "too large"],
)
def test_a_damaged_file_is_as_none_and_is_replaced(file: Path, content: bytes, parsed: list[str]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)

    assert load_toml(SETTINGS)["mode"] == "demo"
    cache_toml(SETTINGS)
    parsed.clear()
    assert load_toml(SETTINGS)["mode"] == "demo"
    assert parsed == []


def test_an_entry_that_is_no_table_is_as_none(file: Path) -> None:
    cache_toml(SETTINGS)
    (name,) = json.loads(file.read_text())
    file.write_text(json.dumps({name: "real"}))

    assert load_toml(SETTINGS)["mode"] == "demo"


@pytest.mark.parametrize("make", [Path.mkdir, *([os.mkfifo] if hasattr(os, "mkfifo") else [])])
def test_what_is_no_file_in_its_place_does_no_harm(file: Path, make: Callable[[Path], None]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    make(file)
    cache_toml(SETTINGS)

    assert load_toml(SETTINGS)["mode"] == "demo"


@pytest.mark.parametrize(
    "line",
    [
        'password = "pasted-secret"',
        'mode = "pasted-secret"',
        'redis_url = "redis://:pasted-secret@127.0.0.1"',
        'redis_url = "redis://pasted-secret"',
        '[profiles.x]\nkey = "pasted-secret"',
        '[profiles.x]\npolicy = "pasted-secret"',
        'profiles = "pasted-secret"',
        '[profiles]\nx = "pasted-secret"',
        "[pasted-secret]",
        "expires = 2026-11-27",
    ],
)
def test_what_is_no_setting_is_not_copied(file: Path, line: str) -> None:
    cache_toml(f'policy = "auto"\n{line}\n')

    assert not file.exists()


def test_no_more_than_a_few_texts_are_kept(file: Path, parsed: list[str]) -> None:
    for minutes in range(9):
        cache_toml(f'renew_before = "{minutes}m"')
    parsed.clear()

    assert load_toml('renew_before = "8m"') == {"renew_before": "8m"}
    assert parsed == []
    assert len(json.loads(file.read_text())) == 4


def test_without_a_home_nothing_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")

    cache_toml(SETTINGS)

    assert toml_cache_file() == ""
    assert load_toml(SETTINGS)["mode"] == "demo"


def test_a_home_that_nothing_can_be_written_in_does_no_harm(file: Path) -> None:
    shutil.rmtree(file.parent, ignore_errors=True)
    file.parent.parent.mkdir(parents=True, exist_ok=True)
    file.parent.write_text("a file in the folder's place")
    cache_toml(SETTINGS)

    assert load_toml(SETTINGS)["mode"] == "demo"


def test_a_slip_in_the_file_is_told_each_time(tmp_path: Path) -> None:
    environ = {"KIWOOM_TRAY_CONFIG_DIR": str(tmp_path)}
    (tmp_path / "settings.toml").write_text('mode = "demo"\nstore = keyring\n')

    for _ in range(2):
        settings = load_settings(None, environ)
        assert "store" in settings.unknown
        assert len(settings.problems) == 1
