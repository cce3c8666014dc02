"""A password or key that was pasted into the wrong place of the settings appears in no output and no log."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.command_line import Run
from tray_app.core.errors import UNEXPECTED, USAGE, SettingsError, say
from tray_app.core.language import use
from tray_app.settings.load import load_settings
from tray_app.settings.save import save_setting
from tray_app.settings.table import TABLE

CANARY = "canaryPw7"
"""Short, so that the log's filter, which masks long words, has no part in it."""

COMMANDS = [
    ("config",),
    ("config", "--json"),
    ("config", "get", "store"),
    ("config", "set", "theme", "dark"),
    ("config", "set", "mode", "demo", "--profile", "second"),
    ("config", "unset", "theme"),
    ("get", "--no-issue"),
    ("status",),
    ("status", "--json"),
    ("profiles",),
    ("history",),
    ("doctor",),
    ("doctor", "--json"),
    ("--profile", "second", "status"),
]

SLIPS = [
    'redis_url : "redis://:{}@host"',
    'redis_url "redis://:{}@host"',
    "redis_url = redis://:{}@host",
    'redis_url = "redis://:{}@host',
    'redis_url = "redis://:{}@host"',
    'redis_url = "http://{}"',
    'redis_url = "redis://host"\nredis_url = "redis://:{}@host"',
    "{}",
    "{}=",
    "{} = 1",
    "{}.x = 1\n{}.x = 2",
    '"{}" = 1\n"{}" = 2',
    "{} = 1\n[{}]",
    "[{}]",
    "[{}",
    "[{}]\n[{}]",
    "[[{}]]",
    "[profiles.{} 스윙]",
    "[profiles.스윙{}]",
    "[profiles.second.{}]",
    "[profiles.second]\n{} = 1",
    "[profiles.second]\n{}",
    "[profiles.second]\nmode = '{}'",
    "[profiles]\nsecond = '{}'",
    "profiles = '{}'",
    "store = ['{}']",
    "store = {{ x = '{}' }}",
    "= {}",
    "data_dir = {}",
    'data_dir = "\\{}"',
    'data_dir = "a\\u0000{}"',
    'warn_before = ["{}"]',
    'warn_before = [\n"{}"\n{}',
    "mode = 2026-{}",
    "a = 1\na.{} = 2",
    "a = {{ x = 1 }}\na.{} = 2",
    'mode = """{}',
    "# \x01{}\n{}\x01 = 1",
    '{{"redis_url": "{}"}}',
    *(f'{name} = "{{}}"' for name in TABLE if name not in {"data_dir", "account"}),
    *(f"{name} = {{}}" for name in TABLE),
    *(f"{name} {{}}" for name in TABLE),
]


@pytest.fixture(params=["en", "ko"])
def language(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("LC_ALL", "ko_KR.UTF-8" if request.param == "ko" else "C.UTF-8")
    use("auto")
    return str(request.param)


@pytest.fixture
def file(private_places: Path) -> Path:
    folder = private_places / "places" / "settings"
    folder.mkdir(parents=True)
    return folder / "settings.toml"


@pytest.fixture(autouse=True)
def every_log_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)


@pytest.fixture
def run_and_listen(run: Callable[..., Run], caplog: pytest.LogCaptureFixture) -> Callable[..., tuple[int, str]]:
    """Runs a command; gives its exit status and everything that it printed or logged."""

    def listen(*words: str) -> tuple[int, str]:
        done = run(*words)
        return done.status, done.out + done.err + caplog.text

    return listen


class TestAFile:
    @pytest.mark.parametrize("slip", SLIPS, ids=lambda slip: slip[:40])
    def test_that_has_it_somewhere(
        self, slip: str, language: str, file: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        file.write_text('language = "auto"\n' + slip.replace("{}", CANARY).replace("{{", "{").replace("}}", "}") + "\n")

        told = []
        for profile in (None, "second"):
            try:
                settings = load_settings(profile)
            except SettingsError as error:
                told.append(error)
            else:
                told += settings.problems
        try:
            save_setting("theme", "dark")
        except SettingsError as error:
            told.append(error)

        assert told
        said = [text for one in told for text in (say(one), str(one), repr(one), repr(vars(one)))]
        assert [text for text in said if CANARY in text] == []
        assert CANARY not in caplog.text
        assert all(one.__context__ is None for one in told)

    @pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
    @pytest.mark.parametrize("slip", [*SLIPS[:4], "{}", "{} = 1", "[profiles.스윙{}]"], ids=lambda slip: slip[:40])
    def test_is_repeated_by_no_command(
        self,
        slip: str,
        command: Any,
        run_and_listen: Callable[..., tuple[int, str]],
        file: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("tray_app.cli.doctor.tray_command", lambda *_: [])
        file.write_text(slip.replace("{}", CANARY), encoding="utf-8")

        _, said = run_and_listen(*command)

        assert CANARY not in said


class TestAnArgument:
    @pytest.mark.parametrize(
        "words",
        [
            ("get", CANARY),
            ("set", CANARY, "x"),
            ("unset", CANARY),
            *(("set", name, CANARY) for name in TABLE if name not in {"data_dir", "account"}),
            ("set", "redis_url", f"redis://:{CANARY}@host"),
            ("set", "redis_url", f"redis://host?password={CANARY}"),
            ("set", "redis_url", f"redis://host?p%61ssword={CANARY}"),
            ("set", "account", f"/{CANARY}"),
            ("set", "data_dir", f"{CANARY}\0"),
            ("get", "store", "--profile", f"{CANARY}/x"),
        ],
        ids=lambda words: " ".join(words)[:40],
    )
    def test_of_config_is_refused_and_not_repeated(
        self,
        words: tuple[str, str, str, str] | tuple[str, str, str] | tuple[str, str],
        run_and_listen: Callable[..., tuple[int, str]],
    ) -> None:
        status, said = run_and_listen("config", *words)

        assert status == USAGE
        assert CANARY not in said

    def test_that_stands_in_the_file_is_taken_out_and_not_repeated(
        self, run_and_listen: Callable[..., tuple[int, str]], file: Path
    ) -> None:
        file.write_text(f"{CANARY} = 1\n")

        _, said = run_and_listen("config", "unset", CANARY)

        assert CANARY not in said + file.read_text()

    @pytest.mark.parametrize(
        "words",
        [
            ("login", "--from", CANARY),
            ("login", "--from", f"/nowhere/{CANARY}"),
            ("login", "--from", f"{CANARY}_appkey.txt"),
            ("doctor", "--look-in", CANARY),
        ],
        ids=lambda words: " ".join(words)[:40],
    )
    def test_that_is_no_file_is_not_repeated(
        self, words: tuple[str, str, str], run_and_listen: Callable[..., tuple[int, str]]
    ) -> None:
        status, said = run_and_listen(*words)

        assert status in {USAGE, UNEXPECTED}
        assert "not found" in said
        assert CANARY not in said


class TestAVariable:
    @pytest.mark.parametrize(
        "variable",
        [
            ("KIWOOM_TRAY_STORE", CANARY),
            ("KIWOOM_MODE", CANARY),
            ("KIWOOM_PROFILE", f"{CANARY}/x"),
            ("KIWOOM_TRAY_REDIS_URL", f"http://:{CANARY}@host"),
            ("KIWOOM_TRAY_REDIS_URL", f"redis://:{CANARY}@host:99999999"),
            ("KIWOOM_TRAY_BASE_URL", f"http://me:{CANARY}@host"),
            ("KIWOOM_TRAY_ENCRYPTION_KEY", CANARY),
            ("KIWOOM_TRAY_ENCRYPTION_KEY_FILE", CANARY),
        ],
    )
    @pytest.mark.parametrize("command", [("config",), ("config", "--json"), ("status",), ("doctor",)], ids=" ".join)
    def test_with_a_bad_value_is_named_and_its_value_is_not(
        self,
        variable: tuple[str, str],
        command: tuple[str, str] | tuple[str],
        run_and_listen: Callable[..., tuple[int, str]],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setenv(*variable)

        status, said = run_and_listen(*command)

        assert status == (UNEXPECTED if command == ("doctor",) else USAGE)  # to the doctor it is a finding
        assert CANARY not in said

    def test_with_the_password_of_redis_is_shown_without_it(
        self, run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("KIWOOM_TRAY_REDIS_URL", f"redis://me:{CANARY}@host/0?client_name={CANARY}#{CANARY}")

        shown = run("config", "--json").out

        assert {one["name"]: one["value"] for one in json.loads(shown)}["redis_url"] == "redis://host/0"
