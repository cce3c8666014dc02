"""`kiwoom-token doctor`: what it finds and how it says so."""

from __future__ import annotations

import io
import json
import os
import re
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.doubles import use_memory_keyring
from tests.sandbox import sandbox_with_keys
from tests.threads import no_more_threads
from tray_app import autostart
from tray_app.autostart.base import Status
from tray_app.cli.diagnostics import log_file
from tray_app.cli.doctor import doctor
from tray_app.core.errors import (
    AutostartFailed,
    BrokerUnavailable,
    InvalidInput,
    KeyringUnavailable,
    KiwoomTokenError,
    RateLimited,
    Remedy,
)
from tray_app.core.remedies import remedy_for, remedy_text
from tray_app.core.token import token_for
from tray_app.history.database import History, flush_history
from tray_app.history.draft import EventDraft
from tray_app.kiwoom.sandbox import SandboxKiwoom
from tray_app.service.composition import open_service
from tray_app.settings.load import load_settings
from tray_app.settings.places import settings_file
from tray_app.stores.keyring_client import KeyringClient
from tray_app.supervisor.supervisor import Callbacks, Supervisor
from tray_app.system.child_process import TRAY_PROGRAM

THERE = Status(configured=True, as_it_should_be=True, enabled=True, place="the place", starts="/the/program")


@pytest.fixture
def never_answers() -> Iterator[Callable[..., Any]]:
    """Stands in for a call that hangs; the checks that wait for it end with the test."""
    over = threading.Event()

    def hang(*_: object) -> None:
        over.wait(60)
        raise KiwoomTokenError("It came too late.")

    yield hang
    over.set()
    for thread in threading.enumerate():
        if thread.name.startswith("check of"):
            thread.join(10)


class Fixed:
    def __init__(self, found: Status | Exception) -> None:
        self.found = found

    def status(self) -> Status:
        if isinstance(self.found, Exception):
            raise self.found
        return self.found


@pytest.mark.parametrize(
    ("found", "good", "text"),
    [
        (Status("p"), True, "off"),
        (THERE, True, "on (the place)"),
        (
            Status(configured=True, as_it_should_be=True, enabled=False, place="p"),
            True,
            "switched off in the system's own settings (p)",
        ),
        (
            Status(configured=True, as_it_should_be=False, enabled=True, place="p", starts="/other"),
            False,
            "another copy of this program starts at login: /other",
        ),
        (
            Status(configured=True, as_it_should_be=False, enabled=True, place="p", starts="/old", is_lost=True),
            False,
            "the program it starts is missing: /old. Start the tray once to repair it.",
        ),
        (AutostartFailed("It {how}.", how="broke"), False, "It broke."),
    ],
)
def test_starting_at_login_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], found: Any, good: bool, text: str
) -> None:
    monkeypatch.setattr(autostart, "for_this_system", lambda: Fixed(found))
    doctor(None, as_json=True)
    findings = {one["name"]: one for one in json.loads(capsys.readouterr().out)}
    assert findings["autostart"] == {"name": "autostart", "good": good, "text": text}
    doctor(None, as_json=False)
    assert f"{'✓' if good else '✗'} autostart: {text}" in capsys.readouterr().out


@pytest.mark.parametrize(("encoding", "signs"), [("utf-8", "✗✓"), ("cp949", "XO")])
def test_signs_are_letters_in_a_file_that_knows_no_signs(
    monkeypatch: pytest.MonkeyPatch, encoding: str, signs: str
) -> None:
    written = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(written, encoding=encoding, errors="backslashreplace"))

    doctor(None, as_json=False)
    sys.stdout.flush()

    assert {line[0] for line in written.getvalue().decode(encoding).splitlines()} == set(signs)


@contextmanager
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[SandboxKiwoom]:
    """Use a practice server with its keys, and a token in the file."""
    with sandbox_with_keys(monkeypatch) as kiwoom:
        monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")
        yield kiwoom


class TestTheToken:
    @pytest.fixture
    def look(self, private_places: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., list[Any]]:
        """What the doctor says, by name; nothing on disk is other than before."""

        def files() -> dict[str, Any]:
            return {str(one): one.read_bytes() if one.is_file() else None for one in private_places.rglob("*")}

        def ask() -> list[Any]:
            before = files()
            doctor(None, as_json=True)
            assert files() == before
            return [(one["name"], one["good"], one["text"]) for one in json.loads(capsys.readouterr().out)]

        return ask

    @pytest.fixture
    def bot_file(self, private_places: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        file = private_places / "bots" / "token.json"
        settings = private_places / "places" / "settings" / "settings.toml"
        settings.parent.mkdir(parents=True)
        settings.write_text(f"share_bot_file = {json.dumps(str(file))}\n")
        monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")
        return file

    @pytest.fixture
    def token(self, bot_file: Path) -> Any:
        token = token_for("a-token-of-a-test", 3600, time.time())
        open_service(load_settings()).put(token)
        assert flush_history(20)
        return token

    def test_that_is_handed_out_is_told(self, look: Callable[..., list[Any]], token: Any) -> None:
        assert ("share", True, "share_bot_file: the token is there") in look()

    def test_that_is_not_handed_out_is_told_and_stays_so(
        self, look: Callable[..., list[Any]], token: Any, bot_file: Path
    ) -> None:
        bot_file.unlink()

        told = "share_bot_file: the token has not been passed on. Pass it on with: kiwoom-token refresh"
        assert ("share", False, told) in look()

    def test_that_cannot_be_handed_out_is_told_with_the_reason(
        self, look: Callable[..., list[Any]], token: Any, bot_file: Path
    ) -> None:
        bot_file.write_text("# the bot's own settings")

        assert [text for name, _, text in look() if name == "share"] == [
            f"{bot_file} contains something that is not a token, so it is left as it is. Choose another file."
        ]

    def test_that_cannot_be_read_is_a_line_of_several(
        self, look: Callable[..., list[Any]], token: Any, private_places: Path
    ) -> None:
        file = Path(load_settings().data_dir) / ".token"
        file.unlink()
        file.mkdir()

        found = look()

        assert [(good, text.startswith(str(file))) for name, good, text in found if name == "token"] == [(False, True)]
        assert "autostart" in {name for name, _, _ in found}

    def test_whose_place_cannot_even_be_opened_is_a_line_too(
        self, look: Callable[..., list[Any]], bot_file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("KIWOOM_TRAY_STORE", "redis")

        assert [good for name, good, _ in look() if name == "token"] == [False]

    def test_of_nobody_is_nothing_to_hand_out(self, look: Callable[..., list[Any]], bot_file: Path) -> None:
        assert "share" not in {name for name, _, _ in look()}


@pytest.mark.parametrize("kind", ["folder", "pipe", "link"])
@pytest.mark.parametrize(
    ("name", "file"),
    [
        *(("data folder", f"data/{one}") for one in ("history.db", "history.db-journal", ".token.owner")),
        *(
            ("lock", f"places/state/kiwoom-token-tray/{one}")
            for one in ("default.signal", "ended-tokens", "issued-tokens")
        ),
        *(("log", f"places/state/kiwoom-token-tray/logs/kiwoom-token{one}") for one in (".log", ".log.lock")),
        *(("log", f"places/state/kiwoom-token-tray/logs/kiwoom-token-tray{one}") for one in (".log", ".crash")),
    ],
)
@pytest.mark.posix
def test_what_stands_in_the_place_of_a_file_of_ours_is_told(
    name: str, file: str, kind: str, private_places: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = private_places / file
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    {"folder": path.mkdir, "pipe": lambda: os.mkfifo(path), "link": lambda: path.symlink_to("nowhere")}[kind]()

    doctor(None, as_json=True)

    wrong = [one for one in json.loads(capsys.readouterr().out) if one["text"].startswith(f"{path} cannot be used (")]
    assert [(one["name"], one["good"]) for one in wrong] == [(name, False)]


def test_an_encryption_key_that_cannot_be_used_is_told_before_there_is_a_token(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")
    monkeypatch.setenv("APP_KEY", "app-key-of-a-test")
    monkeypatch.setenv("APP_SECRET", "secret-of-a-test")
    monkeypatch.setenv("KIWOOM_TRAY_ENCRYPTION_KEY_FILE", str(tmp_path / "gone"))
    found = told(capsys)
    assert (found["token"]["good"], found["what helps"]["good"]) == (False, False)
    assert str(tmp_path / "gone") in found["token"]["text"]
    assert found["what helps"]["text"] == f"Show the file: {tmp_path / 'gone'}"


def test_a_data_folder_is_not_made_by_looking(private_places: Path, capsys: pytest.CaptureFixture[str]) -> None:
    doctor(None, as_json=True)

    found = {one["name"]: one["good"] for one in json.loads(capsys.readouterr().out)}
    assert (found["data folder"], (private_places / "data").exists()) == (True, False)


def test_a_data_folder_that_cannot_be_made_is_told(
    private_places: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = private_places / "file" / "data"
    folder.parent.write_text("")
    monkeypatch.setenv("KIWOOM_TRAY_DATA_DIR", str(folder))

    doctor(None, as_json=True)

    found = {one["name"]: one["text"] for one in json.loads(capsys.readouterr().out)}
    assert found["data folder"].startswith(f"The folder {folder} cannot be made (")


def told(capsys: pytest.CaptureFixture[str], **options: Any) -> dict[str, dict[str, Any]]:
    doctor(None, as_json=True, **options)
    return {one["name"]: one for one in json.loads(capsys.readouterr().out)}


@pytest.mark.usefixtures("private_places")
def test_a_check_without_a_thread_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with no_more_threads():
        found = told(capsys)
    assert (found["autostart"]["good"], "RuntimeError" in found["autostart"]["text"]) == (False, True)


def test_versions_and_the_place_of_the_log_are_told(private_places: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = told(capsys)
    assert found["program"]["text"].startswith("0.")
    assert "httpx " in found["libraries"]["text"]
    assert "Qt " in found["libraries"]["text"]
    assert found["system"]["text"]
    assert found["log"]["text"].startswith(str(private_places))


def test_a_check_that_does_not_end_is_a_finding_and_the_others_go_on(
    never_answers: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tray_app.cli.doctor.CHECK_SECONDS", 1.0)
    monkeypatch.setattr("tray_app.cli.doctor.find_keys", never_answers)
    monkeypatch.setattr("tray_app.cli.doctor.base_url_for", lambda *_: 1 / 0)
    begun = time.monotonic()
    found = told(capsys)
    assert time.monotonic() - begun < 30  # and not 60
    assert (found["keys"]["good"], found["keys"]["text"][:9]) == (False, "no answer")
    assert found["address"]["text"] == "Something unexpected happened (ZeroDivisionError)."
    assert {"token", "screen", "autostart", "log"} <= set(found)


def test_what_does_not_answer_is_named_with_what_helps(
    never_answers: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tray_app.cli.doctor.CHECK_SECONDS", 0.1)
    monkeypatch.setattr(KeyringClient, "backend_name", never_answers)
    monkeypatch.setattr("tray_app.cli.doctor.open_service", never_answers)
    monkeypatch.setattr("tray_app.cli.doctor.tray_command", never_answers)
    monkeypatch.setattr("tray_app.cli.doctor.SCREEN_SECONDS", 0.1)
    monkeypatch.setenv("KIWOOM_TRAY_STORE", "redis")
    monkeypatch.setenv("KIWOOM_TRAY_REDIS_URL", "redis://me:my-password@127.0.0.1:1/2")

    found = {name: (one["good"], one["text"]) for name, one in told(capsys).items()}

    assert found["keyring"] == (
        False,
        "The keyring does not answer. See whether it asks for something; else sign in to the desktop again.",
    )
    assert found["token"] == (False, "Redis at 127.0.0.1:1/2 does not answer.")
    assert found["screen"] == (
        False,
        "The screen does not answer. Check DISPLAY, or sign in to the desktop again.",
    )


def test_settings_that_cannot_be_used_are_a_finding(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KIWOOM_TRAY_STORE", "cloud")
    found = told(capsys)
    assert found["settings"]["good"] is False
    assert "KIWOOM_TRAY_STORE" in found["settings"]["text"]
    assert "screen" in found


def test_without_a_keyring_nobody_is_sent_to_login(capsys: pytest.CaptureFixture[str]) -> None:
    text = told(capsys)["keys"]["text"]
    assert "APP_KEY and APP_SECRET" in text
    assert "login" not in text


class TestReport:
    @pytest.fixture
    def canaries(self, private_places: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """Secrets of every kind, short ones too, in all the places that a report looks at."""
        canaries = {
            "APP_KEY": "canary-key",
            "APP_SECRET": "canary-secret",
            "APP_KEY_MOCK": "canary-mock-key",
            "APP_SECRET_MOCK": "canary-mock-secret",
            "KIWOOM_TOKEN": "canary-of-exec",
            "KIWOOM_TRAY_REDIS_URL": "redis://user:canary-p%40ss@host:6379/0",
        }
        for name, value in canaries.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")
        token = token_for("canary-token", 3600, time.time())
        open_service(load_settings()).put(token)
        error = BrokerUnavailable("No answer to canary-token from {place}", place="canary-secret")
        History(str(private_places / "data" / "history.db")).record(
            "default", [EventDraft(time.time(), "failed", token, error)]
        )
        assert flush_history(20)
        log = Path(log_file(TRAY_PROGRAM))
        log.parent.mkdir(parents=True)
        log.write_text("token=anything Bearer something\ncanary-token canary-key\ncanary-p@ss\nwhat happened before\n")
        return [*canaries.values(), "canary-p", "canary-token", token.value.fingerprint()[:8], "anything"]

    def test_holds_what_a_bug_report_needs_and_no_secret(
        self, canaries: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = tmp_path / "report.zip"
        doctor(None, as_json=False, report=str(path))
        assert str(path) in capsys.readouterr().out
        with zipfile.ZipFile(path) as report:
            parts = {name: report.read(name).decode() for name in report.namelist()}
        assert {"doctor.txt", "settings.txt", "environment.txt", "history.csv", f"logs/{TRAY_PROGRAM}.log"} <= set(
            parts
        )
        assert "python: 3." in parts["doctor.txt"]
        assert "share_token_file = false (default)" in parts["settings.txt"]
        assert "APP_SECRET = (set)" in parts["environment.txt"]
        assert "what happened before" in parts[f"logs/{TRAY_PROGRAM}.log"]
        assert "No answer to *** from ***" in parts["history.csv"]
        for name, text in parts.items():
            assert [one for one in canaries if one in text] == [], name
            assert "canary" not in text, name

    @pytest.mark.posix
    def test_is_private_and_overwrites_nothing(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        path = tmp_path / "report.zip"
        doctor(None, as_json=False, report=str(path))
        assert path.stat().st_mode & 0o777 == 0o600
        before = path.read_bytes()
        with pytest.raises(InvalidInput, match="exists already"):
            doctor(None, as_json=False, report=str(path))
        with pytest.raises(InvalidInput, match="cannot be created"):
            doctor(None, as_json=False, report=str(tmp_path / "nowhere" / "report.zip"))
        assert path.read_bytes() == before

    def test_is_written_whatever_is_wrong(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "data" / "history.db").mkdir(parents=True)
        monkeypatch.setenv("KIWOOM_TRAY_STORE", "cloud")
        doctor(None, as_json=False, report=str(tmp_path / "one.zip"))
        monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")
        doctor(None, as_json=False, report=str(tmp_path / "two.zip"))
        with zipfile.ZipFile(tmp_path / "two.zip") as report:
            assert report.read("history.csv").startswith(b"StoreError: ")

    @pytest.mark.parametrize("line", ['redis_url = "redis://:pass@host', "store = cloud", "[profiles.스윙]"])
    def test_is_written_while_a_line_of_the_settings_is_broken(
        self, line: str, private_places: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        file = Path(settings_file(os.environ))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f'language = "en"\n{line}\n', encoding="utf-8")
        doctor(None, as_json=False, report=str(tmp_path / "report.zip"))
        with zipfile.ZipFile(tmp_path / "report.zip") as report:
            parts = {name: report.read(name).decode() for name in report.namelist()}
        assert "language = en" in parts["settings.txt"]
        assert "line 2" in parts["settings.txt"]
        assert "pass@host" not in str(parts)

    @pytest.mark.parametrize("variable", ["KIWOOM_MODE", "KIWOOM_TRAY_STORE", "KIWOOM_PROFILE"])
    def test_does_not_show_what_was_put_into_the_wrong_variable(
        self, variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv(variable, "canary/secret")
        doctor(None, as_json=False, report=str(tmp_path / "report.zip"))
        with zipfile.ZipFile(tmp_path / "report.zip") as report:
            parts = {name: report.read(name).decode() for name in report.namelist()}
        assert f"{variable} = (set)" in parts["environment.txt"]
        assert "canary" not in str(parts)


def test_a_token_that_is_in_doubt_or_dead_is_not_called_good(
    private_places: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def line() -> Any:
        doctor(None, as_json=True)
        found = {one["name"]: one for one in json.loads(capsys.readouterr().out)}["token"]
        return found["good"], found["text"].rpartition(": ")[2]

    with sandbox(monkeypatch) as kiwoom:
        service = open_service(load_settings())
        token = service.refresh().token
        kiwoom.end_tokens()
        service.doubt(token.value)
        assert line() == (False, "it may have stopped working")
        service.verify()
    good, text = line()
    assert (good, "should have been valid until" in text) == (False, True)


class TestWhatHelps:
    @pytest.fixture
    def line(self, private_places: Path, capsys: pytest.CaptureFixture[str]) -> Callable[[], Any]:
        def ask() -> Any:
            doctor(None, as_json=True)
            found = {one["name"]: one for one in json.loads(capsys.readouterr().out)}["what helps"]
            return found["good"], found["text"]

        return ask

    def test_without_keys_they_are_to_be_entered(
        self, line: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(KeyringClient, "check", lambda _: None)
        assert line() == (False, "Enter the app key: kiwoom-token login --mode real")

    def test_keyring_that_is_locked_is_to_be_unlocked_though_the_token_is_in_the_file(
        self, line: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def locked(_: KeyringClient) -> None:
            raise KeyringUnavailable("It is locked.", problem=KeyringUnavailable.LOCKED)

        monkeypatch.setattr(KeyringClient, "check", locked)
        monkeypatch.setenv("APP_KEY", "a-key")
        monkeypatch.setenv("APP_SECRET", "a-secret")
        monkeypatch.setenv("KIWOOM_TRAY_STORE", "auto")
        open_service(load_settings()).put(token_for("a-token-of-a-test", 80000, time.time()))
        assert line() == (False, remedy_text(Remedy.UNLOCK_KEYRING, "real"))

    def test_without_keys_and_keyring_the_variables_are_named(self, line: Callable[[], Any]) -> None:
        """As `login` does, which has nowhere to store keys."""
        good, text = line()
        assert (good, "Set APP_KEY and APP_SECRET in the environment" in text, "login" in text) == (False, True, False)

    @pytest.mark.parametrize("environment", [{"APP_KEY": "a-key"}, {"APP_KEY": "a key", "APP_SECRET": "a-secret"}])
    def test_variables_that_are_no_keys_are_to_be_corrected_where_they_are_set(
        self, line: Callable[[], Any], monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
    ) -> None:
        for name, text in environment.items():
            monkeypatch.setenv(name, text)

        good, told = line()

        assert (good, told.startswith(("APP_SECRET is not set", "APP_KEY cannot be used"))) == (False, True)

    @pytest.mark.skipif(sys.platform != "linux", reason="a folder where not even root makes files")
    def test_where_the_token_cannot_be_written_another_folder_is_to_be_chosen(
        self, line: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("APP_KEY", "a-key")
        monkeypatch.setenv("APP_SECRET", "a-secret")
        monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")
        monkeypatch.setenv("KIWOOM_TRAY_DATA_DIR", "/proc/data")
        assert line() == (False, "Choose a folder: kiwoom-token config set data_dir PATH")

    @pytest.mark.parametrize("name", ["default.token", ".token", ".token.lock"])
    def test_what_stands_in_the_place_of_a_file_is_to_be_shown(
        self, line: Callable[[], Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
    ) -> None:
        monkeypatch.setenv("APP_KEY", "a-key")
        monkeypatch.setenv("APP_SECRET", "a-secret")
        monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")
        monkeypatch.setenv("KIWOOM_TRAY_DATA_DIR", str(tmp_path))
        (tmp_path / name).mkdir()
        if name == "default.token":  # no file of ours
            assert line() == (True, "Issue a token: kiwoom-token refresh")
        else:
            assert line() == (False, f"Show the file: {tmp_path / name}")

    def test_token_that_is_missing_is_to_be_issued(
        self, line: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("APP_KEY", "a-key")
        monkeypatch.setenv("APP_SECRET", "a-secret")
        monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")
        assert line() == (True, "Issue a token: kiwoom-token refresh")

    def test_while_kiwoom_asks_to_wait_it_says_until_when(
        self, line: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with sandbox(monkeypatch) as kiwoom:
            kiwoom.set_fault("http-429", seconds=600)
            with pytest.raises(RateLimited) as raised:
                open_service(load_settings()).refresh()
            good, text = line()

        assert raised.value.retry_after
        assert good
        assert re.fullmatch(r"wait until \d\d:\d\d( tomorrow)?\. Try again: kiwoom-token refresh", text), text

    def test_check_that_kiwoom_did_not_answer_is_to_be_repeated_as_the_tray_says(
        self, line: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with sandbox(monkeypatch) as kiwoom:
            service, supervisor = open_service(load_settings()), Supervisor(load_settings(), open_service, Callbacks())
            service.refresh()
            supervisor.read()
            kiwoom.set_fault("http-503")
            with pytest.raises(BrokerUnavailable):
                service.verify()
            restarted = Supervisor(load_settings(), open_service, Callbacks())
            for one in (supervisor, restarted):
                one.read()
                assert remedy_for(one.state, time.time()) == Remedy.CHECK
            assert line() == (True, "Check with Kiwoom: kiwoom-token verify")
            kiwoom.clear_faults()
            service.verify()
            for one in (supervisor, restarted):
                one.read()
                assert remedy_for(one.state, time.time()) == Remedy.NONE
            assert line() == (True, "nothing to do")

    def test_settings_that_cannot_be_read_are_to_be_mended(self, line: Callable[[], Any], private_places: Path) -> None:
        settings = private_places / "places" / "settings" / "settings.toml"
        settings.parent.mkdir(parents=True)
        settings.write_text("mode = \n")
        assert line() == (False, "Open the settings file: kiwoom-token config path")

    @pytest.mark.parametrize(
        ("code", "good", "text"),
        [
            ("8050", False, "Register this IP: openapi.kiwoom.com > API 사용신청"),
            ("8030", False, "Try this key for mock trading: kiwoom-token login --mode demo"),
            ("http-503", True, "Try again: kiwoom-token refresh"),
        ],
    )
    def test_what_the_last_request_met_is_known_until_the_keys_are_others(
        self, line: Callable[[], Any], monkeypatch: pytest.MonkeyPatch, code: str, good: bool, text: str
    ) -> None:
        with sandbox_with_keys(monkeypatch) as kiwoom:
            monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")
            kiwoom.set_fault(code)
            with pytest.raises(KiwoomTokenError):
                open_service(load_settings(None)).refresh()
            assert line() == (good, text)
            monkeypatch.setenv("APP_KEY", "another-key")
            assert line() == (True, "Issue a token: kiwoom-token refresh")


def test_all_of_it_is_in_the_language_of_the_settings(
    private_places: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tray_app.cli.doctor.tray_command", lambda *_: [])
    file = Path(settings_file(os.environ))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text('language = "ko"\n', encoding="utf-8")
    doctor(None, as_json=False)
    names = [line[2:].partition(":")[0] for line in capsys.readouterr().out.splitlines()]
    assert names[:4] == ["프로그램", "Python", "운영체제", "라이브러리"]


class TestFolders:
    @pytest.fixture
    def wrong(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[[], list[str]]:
        """What the doctor finds wrong with folders, files and locks."""
        monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")
        monkeypatch.setattr("tray_app.cli.doctor.tray_command", lambda *_: [])

        def ask() -> list[str]:
            doctor(None, as_json=True)
            found = json.loads(capsys.readouterr().out)
            others = {"keys", "screen", "what helps"}
            return [one["text"] for one in found if not one["good"] and one["name"] not in others]

        return ask

    @pytest.fixture
    def data(self, private_places: Path) -> Path:
        data = private_places / "data"
        data.mkdir(0o700)
        return data

    @pytest.mark.skipif(sys.platform == "win32", reason="there are no such pipes")
    def test_pipe_in_place_of_the_token_is_told_as_no_file_and_nothing_else(
        self, wrong: Callable[[], list[str]], data: Path
    ) -> None:
        os.mkfifo(data / ".token", 0o644)
        (data / ".token").chmod(0o644)
        (told,) = wrong()
        assert told == f"{data / '.token'} cannot be read (not a file). Correct or remove it, then try again."

    @pytest.mark.posix
    def test_what_is_no_token_file_is_told_also_while_the_keyring_needs_none(
        self, wrong: Callable[[], list[str]], data: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        use_memory_keyring(monkeypatch)
        monkeypatch.setenv("KIWOOM_TRAY_STORE", "auto")
        (data / ".token").mkdir(mode=0o700)

        assert wrong() == [f"{data / '.token'} cannot be read (not a file). Correct or remove it, then try again."]

    @pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root can give a file away")
    def test_a_token_file_of_another_user_is_told_also_while_the_keyring_works(
        self, wrong: Callable[[], list[str]], data: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        use_memory_keyring(monkeypatch)
        monkeypatch.setenv("KIWOOM_TRAY_STORE", "auto")
        (data / ".token").write_text("{}")
        os.chown(data / ".token", 12345, 12345)

        assert any("owned by another user" in one for one in wrong())

    def test_that_are_the_users_alone_are_good(self, wrong: Callable[[], list[str]], data: Path) -> None:
        assert wrong() == []
        assert list(data.iterdir()) == []

    @pytest.mark.posix
    @pytest.mark.parametrize("name", ["data", "places/settings"])
    def test_in_which_others_may_write_are_told(
        self, name: str, wrong: Callable[[], list[str]], private_places: Path
    ) -> None:
        folder = private_places / name
        folder.mkdir(parents=True)
        folder.chmod(0o777)

        assert wrong() == [f"Others may write in {folder}. Prevent that with: chmod go-w {folder}"]

    @pytest.mark.posix
    def test_a_token_file_that_others_may_read_is_told(self, wrong: Callable[[], list[str]], data: Path) -> None:
        open_service(load_settings()).put(token_for("a-token-of-a-test", 3600, time.time()))
        assert flush_history(20)
        (data / ".token").chmod(0o644)

        assert wrong() == [f"Others may read {data}/.token. Prevent that with: chmod go-rwx {data}/.token"]

    @pytest.mark.posix
    @pytest.mark.parametrize("name", ["history.db", ".token.owner"])
    def test_what_belongs_to_a_token_and_others_may_read_is_told(
        self, name: str, wrong: Callable[[], list[str]], data: Path
    ) -> None:
        open_service(load_settings()).put(token_for("a-token-of-a-test", 3600, time.time()))
        assert flush_history(20)
        (data / name).chmod(0o644)

        assert wrong() == [f"Others may read {data / name}. Prevent that with: chmod go-rwx {data / name}"]

    @pytest.mark.posix
    @pytest.mark.parametrize("put_in_place", [os.symlink, os.link])
    def test_the_rights_of_a_file_that_is_not_ours_are_left_alone(
        self, put_in_place: Callable[..., None], wrong: Callable[[], list[str]], data: Path, private_places: Path
    ) -> None:
        data.mkdir(mode=0o700, exist_ok=True)
        foreign = private_places / "foreign"
        foreign.touch(0o644)
        put_in_place(foreign, data / "history.db")

        told = wrong()

        assert not [one for one in told if "chmod" in one]
        assert [one for one in told if "history.db cannot be used" in one]

    @pytest.mark.posix
    def test_a_file_for_bots_that_others_may_read_is_told(
        self, wrong: Callable[[], list[str]], data: Path, private_places: Path
    ) -> None:
        bots, settings = private_places / "bots.json", private_places / "places" / "settings" / "settings.toml"
        settings.parent.mkdir(parents=True, mode=0o700)
        settings.write_text(f'share_bot_file = "{bots}"\n')
        settings.chmod(0o600)  # whatever the umask is
        open_service(load_settings()).put(token_for("a-token-of-a-test", 3600, time.time()))
        bots.chmod(0o644)

        assert wrong() == [f"Others may read {bots}. Prevent that with: chmod go-rwx {bots}"]

    @pytest.mark.posix
    def test_settings_may_be_read_by_others_and_not_written(
        self, wrong: Callable[[], list[str]], data: Path, private_places: Path
    ) -> None:
        settings = private_places / "places" / "settings" / "settings.toml"
        settings.parent.mkdir(parents=True, mode=0o700)
        settings.touch(0o644)
        assert wrong() == []

        settings.chmod(0o666)

        assert wrong() == [f"Others may write in {settings}. Prevent that with: chmod go-w {settings}"]

    def test_a_lock_that_cannot_be_opened_is_told(self, wrong: Callable[[], list[str]], data: Path) -> None:
        (data / ".token.lock").mkdir()

        (told,) = wrong()

        assert told.startswith(f"The lock file {data / '.token.lock'} cannot be opened")

    def test_a_file_in_the_place_of_one_is_told_with_the_variable(
        self, wrong: Callable[[], list[str]], private_places: Path
    ) -> None:
        (private_places / "data").touch()

        assert any("KIWOOM_TRAY_DATA_DIR" in told for told in wrong())

    @pytest.mark.posix
    def test_a_disk_that_takes_nothing_is_told(
        self, wrong: Callable[[], list[str]], data: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_: Any) -> int:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("tray_app.system.private_files.os.write", full)

        assert any("No space left" in told for told in wrong())
        monkeypatch.undo()
        assert list(data.iterdir()) == []
