"""`kiwoom-token`: what people and scripts type and read. The exit statuses and formats are a contract."""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from keyring.errors import KeyringError

from tests import ROOT
from tests.command_line import Run
from tests.doubles import MemoryKeyring, use_memory_keyring
from tests.sandbox import sandbox_with_keys
from tray_app.cli.main import main
from tray_app.cli.parser import command_parser
from tray_app.core.errors import InvalidInput
from tray_app.core.profile import command_line
from tray_app.core.secret import Secret
from tray_app.core.token import KST
from tray_app.kiwoom import broker as client
from tray_app.kiwoom.keys import AppKeys, find_keys, store_keys
from tray_app.kiwoom.sandbox import SANDBOX_APP_KEY, SANDBOX_APP_SECRET, SandboxKiwoom
from tray_app.settings import kwcli
from tray_app.settings.load import load_settings
from tray_app.settings.save import save_setting
from tray_app.stores.keyring_client import KeyringClient, shared_keyring_client
from tray_app.stores.keyring_problems import unreachable

TOKEN = "a-token-that-somebody-else-issued"

not_as_root = pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() == 0, reason="no folder is closed to this user"
)


@pytest.fixture
def kiwoom(monkeypatch: pytest.MonkeyPatch) -> Iterator[SandboxKiwoom]:
    """A practice Kiwoom, and its keys in the environment."""
    with sandbox_with_keys(monkeypatch) as sandbox:
        yield sandbox


@pytest.fixture
def keyring_client(monkeypatch: pytest.MonkeyPatch) -> MemoryKeyring:
    """A keyring that works."""
    return use_memory_keyring(monkeypatch)


@pytest.fixture
def folder(private_places: Path) -> Path:
    return private_places / "data"


def one_line(text: str) -> str:
    (line,) = text.splitlines()
    return line


def put(run: Callable[..., Run], seconds: float = 3600, token: str = TOKEN) -> None:
    assert run("set", "--expires-in", str(seconds), stdin=token).status == 0


def test_set_does_not_take_the_token_that_was_revoked(run: Callable[..., Run], kiwoom: SandboxKiwoom) -> None:
    revoked = run("get").out
    assert run("clear", "--revoke").status == 0

    got = run("set", "--expires-in", "3600", stdin=revoked)

    assert (got.status, got.out) == (3, "")
    assert "was revoked" in one_line(got.err)


# get


def test_get_prints_the_token_and_nothing_else(run: Callable[..., Run], kiwoom: SandboxKiwoom) -> None:
    got = run("get")
    assert (got.status, got.err) == (0, "")
    token = one_line(got.out)
    assert len(token) > 40
    assert one_line(run("get").out) == token
    assert kiwoom.counts()["issue"] == 1


@pytest.mark.parametrize(("skew", "words"), [(130, "behind"), (-130, "ahead of"), (30, None)])
@pytest.mark.parametrize("command", ["get", "refresh"])
def test_a_clock_that_is_off_is_said_on_stderr(
    command: str, skew: float, words: str | None, run: Callable[..., Run], kiwoom: SandboxKiwoom
) -> None:
    kiwoom.set_fault("skew", on="issue", seconds=skew)
    got = run(command)
    assert got.status == 0
    assert one_line(got.out)
    assert got.err == "" if words is None else f"2 min {words} Kiwoom's" in one_line(got.err)


@pytest.mark.parametrize(("skew", "words"), [(130, "behind"), (-130, "ahead of"), (30, None)])
def test_a_clock_that_was_off_is_still_said_afterwards(
    skew: float, words: str | None, run: Callable[..., Run], kiwoom: SandboxKiwoom
) -> None:
    kiwoom.set_fault("skew", on="issue", seconds=skew)
    run("get")
    told = f"2 min {words} Kiwoom's at "
    assert (told in run("status").out) is (words is not None)
    assert (told in run("doctor").out) is (words is not None)
    assert "Kiwoom's at" not in run("status", "--json").out

    kiwoom.clear_faults()
    run("refresh")
    assert "Kiwoom's at " not in run("status").out


def test_a_pause_after_failures_ends_when_the_address_is_corrected(
    run: Callable[..., Run], kiwoom: SandboxKiwoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIWOOM_TRAY_BASE_URL", "http://127.0.0.1:1")
    for _ in range(3):
        got = run("get")
        assert got.status == 5
    assert "not asked for another" in one_line(got.err)

    monkeypatch.setenv("KIWOOM_TRAY_BASE_URL", kiwoom.base_url)
    assert run("get").status == 0


def test_get_in_every_format(run: Callable[..., Run]) -> None:
    put(run)
    assert run("get", "--format", "raw").out == f"{TOKEN}\n"
    assert run("get", "--format", "header").out == f"authorization: Bearer {TOKEN}\n"
    fields = json.loads(run("get", "--format", "json").out)
    assert (fields["token"], fields["token_type"]) == (TOKEN, "bearer")
    assert re.fullmatch(r"\d{14}", fields["expires_dt"])
    end = datetime.fromisoformat(fields["expires_at"])
    assert end.utcoffset() is not None
    assert end.astimezone(KST).strftime("%Y%m%d%H%M%S") == fields["expires_dt"]
    env = dict(line.split("=", 1) for line in run("get", "--format", "env").out.splitlines())
    assert env == {
        "KIWOOM_TOKEN": TOKEN,
        "KIWOOM_ACCESS_TOKEN": TOKEN,
        "KIWOOM_ACCESS_TOKEN_EXPIRES_AT": fields["expires_at"],
    }
    kwcli = dict(line.split("=", 1) for line in run("get", "--format", "kwcli").out.splitlines())
    assert kwcli == {**env, "KIWOOM_TOKEN_STORE": "memory"}


def test_get_renews_what_ends_soon_and_gives_the_present_one_when_that_fails(
    run: Callable[..., Run], kiwoom: SandboxKiwoom
) -> None:
    put(run, 200)
    kiwoom.set_fault("http-503", on="issue")
    kept = run("get")
    assert (kept.status, kept.out) == (0, f"{TOKEN}\n")
    kiwoom.clear_faults()
    assert run("get", "--min-remaining", "100").out == f"{TOKEN}\n"
    assert kiwoom.counts()["issue"] == 1
    assert one_line(run("get").out) != TOKEN


def test_get_without_issuing(run: Callable[..., Run], kiwoom: SandboxKiwoom) -> None:
    nothing = run("get", "--no-issue")
    assert (nothing.status, nothing.out) == (3, "")
    assert "kiwoom-token refresh" in one_line(nothing.err)
    put(run, 200)
    assert run("get", "--no-issue").out == f"{TOKEN}\n"
    assert run("get", "--no-issue", "--min-remaining", "1000").status == 3
    assert kiwoom.counts()["issue"] == 0


@pytest.mark.parametrize("seconds", ["nan", "inf", "-1", "soon", ""])
def test_get_refuses_a_minimum_that_is_no_span(run: Callable[..., Run], seconds: str) -> None:
    put(run)
    refused = run("get", f"--min-remaining={seconds}")
    assert (refused.status, refused.out) == (2, "")
    one_line(refused.err)


# What Kiwoom answers


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        *((code, 4) for code in ("8001", "8002", "8020", "8030", "8040", "8050")),
        *((code, 5) for code in ("1700", "1701", "1702", "1999", "8003", "8006", "8009")),
        *((name, 5) for name in ("http-429", "http-500", "http-503", "html", "garbage", "empty", "drop", "redirect")),
        *((code, 3) for code in ("8103", "8200", "8010", "8031")),
        *((code, 1) for code in ("8011", "8012")),
    ],
)
def test_exit_status_tells_what_kiwoom_answered(
    run: Callable[..., Run], kiwoom: SandboxKiwoom, fault: str, status: int
) -> None:
    kiwoom.set_fault(fault, on="issue")
    for command in ("get", "refresh"):
        failed = run(command)
        assert (failed.status, failed.out) == (status, "")
        line = one_line(failed.err)
        assert not fault.isdigit() or line.endswith(f"[{fault}]")


def test_kiwoom_that_hangs_is_5(
    run: Callable[..., Run], kiwoom: SandboxKiwoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "Broker", partial(client.Broker, timeout=0.3))
    kiwoom.set_fault("hang", on="issue")
    assert run("get").status == 5


def test_kiwoom_that_is_not_there_is_5(
    run: Callable[..., Run], kiwoom: SandboxKiwoom, monkeypatch: pytest.MonkeyPatch, free_port: int
) -> None:
    monkeypatch.setenv("KIWOOM_TRAY_BASE_URL", f"http://127.0.0.1:{free_port}")
    assert run("get").status == 5


def test_answer_that_repeats_the_keys_shows_none(run: Callable[..., Run], kiwoom: SandboxKiwoom) -> None:
    kiwoom.set_fault("echo", on="issue")
    failed = run("get")
    assert failed.status == 4
    assert SANDBOX_APP_KEY not in failed.err
    assert SANDBOX_APP_SECRET not in failed.err


NO_KEYS = ["a b", "a\nb", "앱키", "APP_KEY=abc", "/home/me/my_appkey.txt", "<your-app-key>", "'half", "x" * 600]


@pytest.mark.parametrize("name", ["APP_KEY", "APP_SECRET"])
@pytest.mark.parametrize("text", NO_KEYS)
def test_a_variable_that_cannot_be_a_key_is_named_and_4(
    run: Callable[..., Run], kiwoom: SandboxKiwoom, monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> None:
    monkeypatch.setenv(name, text)
    refused = run("get")
    assert refused.status == 4
    assert one_line(refused.err).startswith(f"{name} cannot be used. ")
    assert one_line(refused.err).endswith(" Correct it where it is set.")
    assert text.removeprefix("APP_KEY=") not in refused.err
    assert kiwoom.counts()["issue"] == 0


@pytest.mark.parametrize("text", NO_KEYS)
@pytest.mark.parametrize("profile", ["default", "isa"])
def test_what_the_keyring_holds_instead_of_a_key_is_told_with_the_command_and_4(
    run: Callable[..., Run], keyring_client: MemoryKeyring, profile: str, text: str
) -> None:
    store_keys(profile, "real", AppKeys(Secret(text), Secret("a-secret")), shared_keyring_client())
    refused = run("--profile", profile, "get")
    assert refused.status == 4
    assert one_line(refused.err).startswith("The app keys in the keyring cannot be used. ")
    assert one_line(refused.err).endswith(" " + command_line("login", profile))
    assert text.removeprefix("APP_KEY=") not in refused.err


def test_without_keys_it_is_4(
    run: Callable[..., Run], kiwoom: SandboxKiwoom, keyring_client: MemoryKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("APP_KEY")
    half = run("get")
    assert half.status == 4
    assert "APP_KEY" in one_line(half.err)
    monkeypatch.delenv("APP_SECRET")
    none = run("get")
    assert none.status == 4
    assert one_line(none.err).endswith(": kiwoom-token login")
    other = run("--profile", "isa", "get")
    assert one_line(other.err).endswith(": kiwoom-token login --profile isa")
    assert kiwoom.counts()["issue"] == 0


def test_keyring_that_was_asked_for_and_is_not_there_is_6(
    run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    monkeypatch.setenv("KIWOOM_TRAY_STORE", "keyring")
    for words in (["get"], ["status"], ["set", "--expires-in", "60"], ["refresh"]):
        failed = run(*words, stdin=TOKEN)
        assert (failed.status, failed.out) == (6, "")
        assert "keyring" in one_line(failed.err)
    assert not (folder / ".token").exists(), "never in plaintext"


# refresh


def test_refresh_says_whether_the_token_is_new(run: Callable[..., Run], kiwoom: SandboxKiwoom) -> None:
    assert one_line(run("refresh").out).startswith("A new token was issued; it expires ")
    token = run("get").out
    assert one_line(run("refresh").out).startswith("Kiwoom returned the same token; it still expires ")
    assert run("get").out == token
    assert run("refresh", "--rotate").status == 0
    assert run("get").out != token
    assert kiwoom.counts()["revoke"] == 1


def test_a_rotation_is_planned_for_a_time_in_korea(run: Callable[..., Run], kiwoom: SandboxKiwoom) -> None:
    planned = run("refresh", "--rotate", "--at", "06:30")
    assert (planned.status, planned.out) == (3, ""), "there is no token to be reissued"
    run("refresh")
    planned = run("refresh", "--rotate", "--at", "6:30")
    assert planned.status == 0
    told = one_line(planned.out)
    assert told.startswith("The token will be revoked and reissued at 06:30"), "today or tomorrow, as the clock says"
    assert told.endswith("(KST), if the tray or watch is running then.")
    assert kiwoom.counts() == {**kiwoom.counts(), "issue": 1, "revoke": 0}, "nothing is asked before"
    assert run("refresh", "--rotate", "--at", "off").out == "No reissue is planned.\n"


@pytest.mark.parametrize("words", [["--at", "06:30"], ["--rotate", "--at", "24:00"], ["--rotate", "--at", "630"]])
def test_a_plan_that_is_not_understood_is_none(
    run: Callable[..., Run], kiwoom: SandboxKiwoom, words: list[str]
) -> None:
    run("refresh")
    assert run("refresh", *words).status == 2


def test_no_rotation_is_planned_for_trading_hours(
    run: Callable[..., Run], kiwoom: SandboxKiwoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("refresh")
    monkeypatch.setattr("tray_app.core.trading.is_trading_day", lambda _: True)
    refused = run("refresh", "--rotate", "--at", "10:00")
    assert refused.status == 2
    assert "outside trading hours" in one_line(refused.err)


def test_failed_refresh_keeps_the_token(run: Callable[..., Run], kiwoom: SandboxKiwoom) -> None:
    run("refresh")
    token = run("get").out
    for fault in ("8050", "1700", "http-503"):
        kiwoom.set_fault(fault)
        assert run("refresh").status in {4, 5}
        kiwoom.set_fault("8015", on="revoke")
        assert run("refresh", "--rotate").status == 1
        kiwoom.clear_faults()
        assert run("get", "--no-issue").out == token


# clear


def test_clear_forgets_and_revokes_only_when_told(run: Callable[..., Run], kiwoom: SandboxKiwoom, folder: Path) -> None:
    run("refresh")
    assert "stays valid" in one_line(run("clear").out)
    assert not (folder / ".token").exists()
    assert kiwoom.counts()["revoke"] == 0
    assert one_line(run("clear").out) == "There was no token."
    run("refresh")
    assert "revoked at Kiwoom" in one_line(run("clear", "--revoke").out)
    assert kiwoom.counts() == {"issue": 2, "revoke": 1, "rest": 0}


@pytest.mark.posix
def test_a_revoke_is_said_though_something_here_cannot_be_deleted(
    run: Callable[..., Run], kiwoom: SandboxKiwoom, folder: Path
) -> None:
    run("refresh")
    (folder / ".token.ending").mkdir()

    cleared = run("clear", "--revoke")

    assert (cleared.status, cleared.out) == (1, "The token was revoked at Kiwoom.\n")
    assert one_line(cleared.err).startswith(f"{folder / '.token.ending'} cannot be deleted")
    assert run("get", "--no-issue").status == 3
    assert kiwoom.counts()["revoke"] == 1


@pytest.mark.posix
def test_a_rotation_keeps_its_token_whatever_stands_in_the_place_of_the_file(
    run: Callable[..., Run], kiwoom: SandboxKiwoom, keyring_client: MemoryKeyring, folder: Path
) -> None:
    run("refresh")
    before = run("get").out
    (folder / ".token").mkdir(parents=True)

    rotated = run("refresh", "--rotate")

    assert (rotated.status, rotated.err) == (0, "")
    assert run("get").out not in {before, ""}
    assert kiwoom.counts()["issue"] == 2


def test_revoked_is_said_only_when_kiwoom_says_so(run: Callable[..., Run], kiwoom: SandboxKiwoom) -> None:
    run("refresh")
    token = run("get").out
    for fault in ("8015", "8016"):
        kiwoom.set_fault(fault, on="revoke", times=1)
        failed = run("clear", "--revoke")
        assert (failed.status, failed.out) == (1, ""), fault
        assert "revoke" in one_line(failed.err)
        assert run("get", "--no-issue").out == token
    kiwoom.end_tokens()
    dead = run("clear", "--revoke")
    assert dead.status == 0
    assert one_line(dead.out) == "Kiwoom no longer accepted the token; it was removed from this computer."


def test_a_revoke_that_was_carried_out_without_a_word_is_settled_by_asking(
    run: Callable[..., Run], kiwoom: SandboxKiwoom
) -> None:
    run("refresh")
    kiwoom.set_fault("no-return-code", on="revoke", times=1)
    cleared = run("clear", "--revoke")
    assert cleared.status == 0
    assert "revoked" not in one_line(cleared.out)
    assert run("get", "--no-issue").status == 3


@pytest.mark.parametrize("words", [["clear"], ["clear", "--revoke"], ["clear", "--all"]])
def test_an_expired_token_is_not_said_to_be_valid_at_kiwoom(
    run: Callable[..., Run], folder: Path, words: list[str]
) -> None:
    folder.mkdir()
    past = datetime.now(KST) - timedelta(seconds=2)
    fields = {
        "access_token": "an-expired-token",
        "expires_at": past.isoformat(),
        "created_at": (past - timedelta(days=1)).isoformat(),
    }
    (folder / ".token").write_text(json.dumps(fields))

    cleared = run(*words)

    assert one_line(cleared.out).endswith("The token had expired. It was removed from this computer.")
    assert not (folder / ".token").exists()


def test_a_token_that_may_have_been_revoked_is_not_said_to_be_valid_at_kiwoom(
    run: Callable[..., Run], kiwoom: SandboxKiwoom
) -> None:
    run("refresh")
    kiwoom.set_fault("lost-answer", on="revoke", times=1)
    kiwoom.set_fault("http-500", on="rest")
    assert run("clear", "--revoke").status == 5

    cleared = run("clear")

    may_be_valid = "The token was removed from this computer. At Kiwoom it may still be valid."
    assert (cleared.status, one_line(cleared.out)) == (0, may_be_valid)


# set


def test_set_stores_a_token_read_from_standard_input(run: Callable[..., Run]) -> None:
    stored = run("set", "--expires-in", "7200", stdin=f"  {TOKEN}\r\n\n")
    assert (stored.status, stored.err) == (0, "")
    assert one_line(stored.out) == "The token is stored; it expires in 2 h."
    assert run("get").out == f"{TOKEN}\n"


@pytest.mark.parametrize(
    "words", [("set", "--expires-in", "7200"), ("refresh",), ("login", "--stdin")], ids=lambda words: words[0]
)
def test_a_token_that_is_gone_with_the_command_is_not_said_to_be_stored(
    run: Callable[..., Run],
    kiwoom: SandboxKiwoom,
    keyring_client: MemoryKeyring,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
) -> None:
    monkeypatch.setenv("KIWOOM_TRAY_STORE", "memory")
    keys = f"{SANDBOX_APP_KEY}\n{SANDBOX_APP_SECRET}\n"
    done = run(*words, stdin=keys if words[0] == "login" else TOKEN)
    assert done.status == 0
    assert "token is stored;" not in done.out
    assert "The token is stored nowhere" in done.err


def test_set_takes_kiwooms_korean_time(run: Callable[..., Run]) -> None:
    ends = datetime.now(KST).replace(microsecond=0) + timedelta(hours=5)
    assert run("set", "--expires-dt", ends.strftime("%Y%m%d%H%M%S"), stdin=TOKEN).status == 0
    assert datetime.fromisoformat(json.loads(run("status", "--json").out)["expires_at"]) == ends


@pytest.mark.parametrize("text", ["", "   \n ", "two\nlines", "a blank", "한글", "tab\there", "x" * 5000, "nul\0nul"])
def test_set_refuses_what_is_no_token(run: Callable[..., Run], text: str, folder: Path) -> None:
    refused = run("set", "--expires-in", "3600", stdin=text)
    assert (refused.status, refused.out) == (2, "")
    assert text.strip() == "" or text not in one_line(refused.err)
    assert not (folder / ".token").exists()


@pytest.mark.parametrize(
    "span", ["0", "-1", "abc", "315360000", "nan", "inf", "-inf", "1e999", "", "1h", "１０", "1_0"]
)
def test_set_refuses_a_lifetime_that_makes_no_sense(run: Callable[..., Run], span: str, folder: Path) -> None:
    refused = run("set", f"--expires-in={span}", stdin=TOKEN)
    assert (refused.status, refused.out) == (2, "")
    one_line(refused.err)
    assert not (folder / ".token").exists()


@pytest.mark.parametrize("end", ["", "2026", "20261301000000", "20200101000000", "99991231235959", "2026-01-01T00:00"])
def test_set_refuses_an_end_that_makes_no_sense(run: Callable[..., Run], end: str) -> None:
    refused = run("set", f"--expires-dt={end}", stdin=TOKEN)
    assert (refused.status, refused.out) == (2, "")
    one_line(refused.err)


def test_set_wants_exactly_one_end(run: Callable[..., Run]) -> None:
    assert run("set", stdin=TOKEN).status == 2
    assert run("set", "--expires-in", "60", "--expires-dt", "20991231235959", stdin=TOKEN).status == 2


# status


def test_status_in_json_has_the_seeds_keys_and_ours(run: Callable[..., Run]) -> None:
    empty = json.loads(run("status", "--json").out)
    assert empty == {
        "has_token": False,
        "is_valid": False,
        "expires_at": None,
        "remaining_seconds": 0,
        "token_preview": None,
        "profile": "default",
        "mode": "real",
        "state": "none",
        "store": empty["store"],
        "created_at": None,
        "verified_at": None,
    }
    put(run, 3600)
    fields = json.loads(run("status", "--json").out)
    assert list(fields) == list(empty)
    assert (fields["has_token"], fields["is_valid"], fields["state"], fields["store"]) == (True, True, "valid", "file")
    assert 3590 <= fields["remaining_seconds"] <= 3600
    assert fields["token_preview"] == "a-toke..."
    for name in ("expires_at", "created_at"):
        assert datetime.fromisoformat(fields[name]).utcoffset() is not None
    put(run, 200)
    fields = json.loads(run("status", "--json").out)
    assert (fields["is_valid"], fields["state"]) == (False, "ending")


def test_status_never_asks_kiwoom_and_never_shows_the_token(run: Callable[..., Run], kiwoom: SandboxKiwoom) -> None:
    assert run("status").status == 0
    put(run)
    for words in (["status"], ["status", "--json"]):
        assert TOKEN not in run(*words).out
    assert kiwoom.counts()["issue"] == 0


def test_status_of_an_ended_token(run: Callable[..., Run], folder: Path) -> None:
    write_record(folder, -60)
    assert json.loads(run("status", "--json").out)["state"] == "expired"
    assert "ended" in run("status").out
    assert run("get", "--no-issue").status == 3


# verify, and tokens that were refused


def test_verify_says_what_kiwoom_says(run: Callable[..., Run], kiwoom: SandboxKiwoom) -> None:
    run("refresh")
    works = run("verify")
    assert (works.status, works.err) == (0, "")
    assert one_line(works.out).startswith("Kiwoom confirms it")
    assert datetime.fromisoformat(json.loads(run("status", "--json").out)["verified_at"]).utcoffset() is not None
    kiwoom.end_tokens()
    dead = run("verify")
    assert dead.status == 3
    fields = json.loads(run("status", "--json").out)
    assert (fields["state"], fields["has_token"], fields["is_valid"]) == ("dead", False, False)
    assert "stopped working" in run("status").out
    assert run("get", "--no-issue").status == 3
    assert run("get").status == 0
    assert json.loads(run("status", "--json").out)["state"] == "valid"


def test_verify_without_an_answer_changes_nothing(run: Callable[..., Run], kiwoom: SandboxKiwoom) -> None:
    run("refresh")
    token = run("get").out
    kiwoom.set_fault("http-503", times=1)
    silent = run("verify")
    assert (silent.status, silent.out) == (5, "")
    assert run("get", "--no-issue").out == token
    assert f"Last check: {silent.err}" in run("status").out

    run("verify")
    assert "Last check" not in run("status").out


@pytest.mark.parametrize(("code", "status"), [("8200", 5), ("8103", 5), ("garbage", 5), ("8001", 4), ("8050", 4)])
def test_verify_ends_with_5_where_kiwoom_does_not_say_it(
    code: str, status: int, run: Callable[..., Run], kiwoom: SandboxKiwoom
) -> None:
    run("refresh")
    kiwoom.set_fault(code, times=1)

    asked = run("verify")

    assert (asked.status, asked.out) == (status, "")
    assert json.loads(run("status", "--json").out)["state"] == "valid"


def test_a_token_that_may_have_been_revoked_is_shown_as_none_that_works(
    run: Callable[..., Run], kiwoom: SandboxKiwoom
) -> None:
    run("refresh")
    kiwoom.set_fault("lost-answer", times=1, on="revoke")
    assert run("clear", "--revoke").status == 5

    fields = json.loads(run("status", "--json").out)

    assert (fields["has_token"], fields["is_valid"], fields["state"]) == (False, False, "unconfirmed")
    assert fields["token_preview"] is None
    assert "may have been revoked" in run("status").out
    assert run("get", "--no-issue").status == 3


def test_verify_without_a_token_ends_with_3(run: Callable[..., Run], kiwoom: SandboxKiwoom) -> None:
    assert run("verify").status == 3
    assert kiwoom.counts()["rest"] == 0


def test_a_refused_token_is_checked_before_anybody_gets_it(run: Callable[..., Run], kiwoom: SandboxKiwoom) -> None:
    run("refresh")
    token = run("get").out
    assert run("get", "--refused", stdin=token).out == token, "Kiwoom says that it works"
    kiwoom.end_tokens()
    other = run("get", "--refused", stdin=token)
    assert other.status == 0
    assert other.out != token
    assert run("get").out == other.out


def test_a_refused_token_without_another_one_ends_with_3(run: Callable[..., Run], kiwoom: SandboxKiwoom) -> None:
    run("refresh")
    token = run("get").out
    kiwoom.end_tokens()
    assert run("get", "--no-issue", "--refused", stdin=token).status == 3
    assert kiwoom.counts()["issue"] == 1


def test_a_report_about_another_token_asks_nobody(run: Callable[..., Run], kiwoom: SandboxKiwoom) -> None:
    run("refresh")
    token = run("get").out
    assert run("get", "--refused", stdin="another-token-of-a-test").out == token
    assert kiwoom.counts()["rest"] == 0


# What lies in the folder


def write_record(folder: Path, seconds: float) -> None:
    now = datetime.now()  # noqa: DTZ005 - the seed's file holds naive local time
    folder.mkdir(parents=True, exist_ok=True)
    record = {
        "access_token": TOKEN,
        "expires_at": (now + timedelta(seconds=seconds)).isoformat(),
        "created_at": (now - timedelta(days=1)).isoformat(),
    }
    (folder / ".token").write_text(json.dumps(record))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b" ",
        b"{",
        b"null",
        b"[]",
        b'{"access_token": "x"}',
        b"\x80\x81\x00",
        b"{" * 100_000,
        b'"text"',
        b"\xff\xfe{",
    ],
)
def test_damaged_file_is_a_missing_token_and_is_replaced(
    run: Callable[..., Run], kiwoom: SandboxKiwoom, folder: Path, content: bytes
) -> None:
    folder.mkdir()
    (folder / ".token").write_bytes(content)
    assert json.loads(run("status", "--json").out)["state"] == "none"
    got = run("get")
    assert (got.status, got.err) == (0, "")
    assert json.loads((folder / ".token").read_text())["access_token"] == one_line(got.out)


def test_folder_in_the_place_of_the_file_is_told(run: Callable[..., Run], folder: Path) -> None:
    (folder / ".token").mkdir(parents=True)
    failed = run("status")
    assert failed.status == 1
    assert ".token" in one_line(failed.err)


@not_as_root
def test_folder_that_cannot_be_written(run: Callable[..., Run], kiwoom: SandboxKiwoom, folder: Path) -> None:
    folder.mkdir()
    folder.chmod(0o500)
    try:
        refused = run("set", "--expires-in", "3600", stdin=TOKEN)
        assert refused.status == 1
        assert "KIWOOM_TRAY_DATA_DIR" in one_line(refused.err)
        got = run("get")
        assert got.status == 0
        assert len(one_line(got.out)) > 40
        assert "could not be stored" in one_line(got.err)
    finally:
        folder.chmod(0o700)


@pytest.mark.skipif(sys.platform != "linux", reason="a folder in which not even root can make files")
def test_folder_that_cannot_be_made(
    run: Callable[..., Run], kiwoom: SandboxKiwoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIWOOM_TRAY_DATA_DIR", "/proc/kiwoom")
    monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")
    refused = run("set", "--expires-in", "3600", stdin=TOKEN)
    assert refused.status == 1
    assert "KIWOOM_TRAY_DATA_DIR" in one_line(refused.err)
    got = run("get")
    assert got.status == 0
    assert len(one_line(got.out)) > 40
    assert "could not be stored" in one_line(got.err)


# login and logout


def test_login_keeps_the_keys_in_the_keyring(
    run: Callable[..., Run], kiwoom: SandboxKiwoom, keyring_client: MemoryKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("APP_KEY")
    monkeypatch.delenv("APP_SECRET")
    kept = run("login", "--mode", "demo", "--stdin", stdin="\n  my-app-key \t\r\n\r\n\tmy-app-secret  \n")
    assert (kept.status, kept.err) == (0, "")
    assert keyring_client.entries["kiwoom-demo", "appkey"] == "my-app-key"
    assert keyring_client.entries["kiwoom-demo", "secretkey"] == "my-app-secret"
    assert "my-app" not in kept.out
    assert json.loads(run("status", "--json").out)["mode"] == "demo", "the mode is kept, too"
    assert run("get").status == 0
    assert kiwoom.counts()["issue"] == 1
    assert one_line(run("logout").out) == "The app key and secret were removed."
    assert one_line(run("logout").out) == "There were no app keys."


def test_login_takes_the_keys_from_the_files_of_the_portal(
    run: Callable[..., Run],
    kiwoom: SandboxKiwoom,
    keyring_client: MemoryKeyring,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("APP_KEY")
    monkeypatch.delenv("APP_SECRET")
    for part, content in (("appkey", "my-app-key"), ("secretkey", "my-app-secret")):
        (tmp_path / f"12345678_{part}.txt").write_text(content + "\r\n")
    kept = run("login", "--mode", "demo", "--from", str(tmp_path / "12345678_appkey.txt"))
    assert kept.status == 0
    assert keyring_client.entries["kiwoom-demo", "secretkey"] == "my-app-secret"
    assert "They are those of the account ****5678." in kept.out
    assert "****5678_appkey.txt, ****5678_secretkey.txt" in one_line(kept.err)
    assert "12345678" not in kept.out + kept.err
    assert "my-app" not in kept.out + kept.err


def test_login_guesses_no_mode(
    run: Callable[..., Run], keyring_client: MemoryKeyring, tmp_path: Path, kiwoom: SandboxKiwoom
) -> None:
    file = tmp_path / "bot.env"
    file.write_text("APP_KEY=a\nAPP_SECRET=b\nAPP_KEY_MOCK=c\nAPP_SECRET_MOCK=d\n")
    refused = run("login", "--from", str(file))
    assert (refused.status, refused.out) == (2, "")
    assert one_line(refused.err) == (
        "bot.env has keys for real and for mock trading. Say which: --mode real or --mode demo"
    )
    assert keyring_client.entries == {}
    assert kiwoom.counts()["issue"] == 0
    assert run("login", "--no-check", "--mode", "demo", "--from", str(file)).status == 0
    assert keyring_client.entries["kiwoom-demo", "appkey"] == "c"


def test_login_with_wrong_keys_keeps_nothing(
    run: Callable[..., Run], kiwoom: SandboxKiwoom, keyring_client: MemoryKeyring, folder: Path
) -> None:
    refused = run("login", "--stdin", stdin="wrong-key\nsome-secret\n")
    assert (refused.status, refused.out) == (4, "")
    line = one_line(refused.err)
    assert line.endswith("[8001]")
    assert "wrong-key" not in line
    assert keyring_client.entries == {}
    assert not (folder / ".token").exists()


def test_login_unchecked_asks_nobody(
    run: Callable[..., Run], kiwoom: SandboxKiwoom, keyring_client: MemoryKeyring
) -> None:
    kept = run("login", "--no-check", "--stdin", stdin="a-key\na-secret\n")
    assert kept.status == 0
    assert "APP_KEY is set and takes precedence over them." in kept.err
    assert kiwoom.counts()["issue"] == 0


def test_login_in_the_name_of_the_account_that_the_default_profile_stands_for_is_that_accounts(
    run: Callable[..., Run], keyring_client: MemoryKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    kwcli.keep_alias("live", "real")
    save_setting("mode", "real")
    save_setting("account", "live")
    monkeypatch.setenv("KIWOOM_PROFILE", "live")
    run("login", "--no-check", "--stdin", stdin="a-key\na-secret\n")
    assert find_keys("live", "real", {}, shared_keyring_client()).app_key.reveal() == "a-key"
    assert load_settings("default").account == "live"


@pytest.mark.parametrize(
    "text", ["", "only-a-key\n", "three\nlines\nhere\n", "a key\nsecret\n", "key\n비밀\n", "k" * 600 + "\ns\n"]
)
def test_login_refuses_what_are_no_keys(run: Callable[..., Run], keyring_client: MemoryKeyring, text: str) -> None:
    refused = run("login", "--stdin", stdin=text)
    assert (refused.status, refused.out) == (2, "")
    line = one_line(refused.err)
    assert "only-a-key" not in line
    assert keyring_client.entries == {}


def test_login_without_a_terminal_says_what_to_do(run: Callable[..., Run], keyring_client: MemoryKeyring) -> None:
    assert "--stdin" in one_line(run("login").err)
    assert run("login").status == 2


def test_login_without_a_keyring_is_6_and_asks_nobody(run: Callable[..., Run], kiwoom: SandboxKiwoom) -> None:
    assert run("login", "--stdin", stdin="a-key\na-secret\n").status == 6
    assert kiwoom.counts()["issue"] == 0


def test_keyring_that_fails_leaves_the_token_in_the_file(
    run: Callable[..., Run], kiwoom: SandboxKiwoom, keyring_client: MemoryKeyring, folder: Path
) -> None:
    put(run)
    assert keyring_client.entries["kiwoom-token-tray", "default"]
    assert not (folder / ".token").exists()
    keyring_client.broken = KeyringError("broken")
    put(run, token="another-token-of-somebody")
    assert run("get").out == "another-token-of-somebody\n"
    assert f"Stored in: file {folder / '.token'}\n" in run("status").out
    assert (folder / ".token").exists()
    keyring_client.broken = None
    put(run)
    assert not (folder / ".token").exists()
    assert run("get").out == f"{TOKEN}\n"


# Profiles


def test_profile_before_and_after_the_command_and_in_the_environment(
    run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    assert run("--profile", "Second", "set", "--expires-in", "3600", stdin="token-of-second").status == 0
    assert run("set", "--profile", "Third", "--expires-in", "3600", stdin="token-of-third").status == 0
    assert {path.name for path in folder.glob("*.token")} == {"Second.token", "Third.token"}
    assert run("get", "--no-issue").status == 3
    assert run("--profile", "Second", "get").out == "token-of-second\n"
    assert run("get", "--profile", "Third").out == "token-of-third\n"
    monkeypatch.setenv("KIWOOM_PROFILE", "Second")
    assert run("get").out == "token-of-second\n"
    assert run("get", "--profile", "Third").out == "token-of-third\n"
    assert json.loads(run("status", "--json").out)["profile"] == "Second"


@pytest.mark.parametrize("name", ["../../x", "..", "", "a/b", "a\\b", ".hidden", "x" * 65, "nul\0", "con"])
def test_profile_that_is_no_name_is_refused(run: Callable[..., Run], name: str) -> None:
    refused = run("--profile", name, "status")
    assert (refused.status, refused.out) == (2, "")
    one_line(refused.err)


# Everything else that is typed


@pytest.mark.parametrize(
    "url", ["http://example.com", "ftp://127.0.0.1", "example.com", "http://127.0.0.1.evil.example"]
)
def test_base_url_that_keys_must_not_be_sent_to_is_refused(
    run: Callable[..., Run], kiwoom: SandboxKiwoom, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("KIWOOM_TRAY_BASE_URL", url)
    refused = run("refresh")
    assert (refused.status, refused.out) == (2, "")
    one_line(refused.err)


@pytest.mark.parametrize(
    ("name", "value"),
    [("KIWOOM_TRAY_STORE", "cloud"), ("KIWOOM_MODE", "paper"), ("KIWOOM_TRAY_ENCRYPTION_KEY_FILE", "a")],
)
def test_environment_that_cannot_be_used_is_refused(
    run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    refused = run("status")
    assert (refused.status, refused.out) == (2, "")
    assert name in one_line(refused.err)


def test_wrong_usage_is_2_on_one_line_and_repeats_no_secret(run: Callable[..., Run]) -> None:
    secret = "short-word"  # which no pattern would take for a token
    for words in (
        [],
        ["nonsense"],
        [secret],
        ["get", secret],
        ["login", secret, secret],
        ["set", secret, "--expires-in", "60"],
        ["get", "--min-remaining", secret],
        ["get", "--format", secret],
        ["get", f"--no-issue={secret}"],
        ["get", f"--mi={secret}", f"--no={secret}"],
        ["login", "--mode", secret],
        ["refresh", "--revoke", secret],
        ["set", "--expires-in", secret],
        ["set", "--expires-dt", secret],
        ["history", "--days", secret],
        ["sandbox", "--port", secret],
        ["sandbox", "--lifetime", secret],
        ["config", secret],
        ["exec"],
        ["get", "two\nlines"],
        [f"--{secret}"],
    ):
        refused = run(*words)
        assert (refused.status, refused.out) == (2, ""), words
        assert secret not in one_line(refused.err), words


def test_help_is_0_and_names_every_command(run: Callable[..., Run]) -> None:
    help_text = run("--help")
    assert help_text.status == 0
    for command in ("get", "status", "refresh", "clear", "set", "login", "logout", "exec", "watch", "sandbox"):
        assert command in help_text.out
        assert run(command, "--help").status == 0


def test_unexpected_error_is_1_and_shows_no_traceback(run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError(TOKEN)

    monkeypatch.setattr("tray_app.cli.token.open_service", fail)
    failed = run("status")
    assert failed.status == 1
    assert one_line(failed.err) == "Something unexpected happened (ZeroDivisionError)."


def test_no_sentence_of_the_parser_takes_in_what_was_typed() -> None:
    """Whichever Python this is: a sentence that it adds is caught here, and says nothing until then."""
    command_parser()
    names_of_ours = re.compile("required|not allowed|^argument |heading")
    source = Path(argparse.__file__).read_text(encoding="utf-8")
    messages = [found[1] for found in re.findall(r"""\b_\(\s*(['"])(.*?)\1\s*\)""", source)]
    assert "unrecognized arguments: %s" in messages
    for message in messages:
        if not names_of_ours.search(message):
            told = argparse._(message)  # type: ignore[attr-defined]
            if "%" in told:
                told %= ("typed",) if "%.0s" in told else {"choices": "ours", "matches": "ours"}
            assert not re.search("%|typed", told)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", ""])
def test_a_mark_before_a_token_and_a_line_end_after_it_are_no_part_of_it(
    run: Callable[..., Run], encoding: str, end: str
) -> None:
    stored = subprocess.run(
        command("set", "--expires-in", "3600"),
        env={**environment(), "PYTHONIOENCODING": "cp949"},
        input=(TOKEN + end).encode(encoding),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (stored.returncode, stored.stderr) == (0, b"")
    assert one_line(run("get").out) == TOKEN


@pytest.mark.parametrize("line", ["{0}", '"{0}"', "'{0}'", " {0}\r", "\ufeff{0}"])
def test_keys_are_taken_without_what_an_env_file_has_around_them(
    run: Callable[..., Run], keyring_client: MemoryKeyring, line: str
) -> None:
    lines = f"{line.format('a-key')}\n{line.format('a-secret')}\n"
    assert run("login", "--stdin", "--no-check", stdin=lines).status == 0
    assert find_keys("default", "real", {}, shared_keyring_client()).app_secret.reveal() == "a-secret"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("APP_KEY=abc", "A whole line such as APP_KEY=… was given. Give only what follows the = sign."),
        ("${APP_KEY}", "A placeholder was given in which nothing was filled in. Give the text itself."),
        ("<your-app-key>", "A placeholder was given in which nothing was filled in. Give the text itself."),
        ("export APP_KEY='abc'", "A whole line such as APP_KEY=… was given. Give only what follows the = sign."),
        ("appkey:abc", "A whole line such as APP_KEY=… was given. Give only what follows the = sign."),
        ("C:\\Users\\me\\my_appkey.txt", "The path of a file was given instead of a key."),
        ("/home/me/keys", "The path of a file was given instead of a key."),
        ('"~/keys/my_appkey.txt"', "The path of a file was given instead of a key."),
        ("my_appkey.txt", "The path of a file was given instead of a key."),
        ('"an-open-quote', "There are quotes, brackets or other signs in it that no key has."),
        ("a-key;", "There are quotes, brackets or other signs in it that no key has."),
        ("a-key#real", "There are quotes, brackets or other signs in it that no key has."),
    ],
)
def test_what_was_pasted_instead_of_a_key_is_told_and_not_repeated(
    run: Callable[..., Run], keyring_client: MemoryKeyring, line: str, told: str
) -> None:
    refused = run("login", "--stdin", "--no-check", stdin=f"{line}\na-secret\n")
    assert refused.status == 2
    assert one_line(refused.err).startswith(told)
    assert line not in refused.err


@pytest.mark.parametrize(
    "line", ["KIWOOM_TOKEN=abc", "$KIWOOM_TOKEN", "%KIWOOM_TOKEN%", "~/token.txt", '{"token":"abc"}', '"abc']
)
def test_what_was_pasted_instead_of_a_token_is_told_and_not_repeated(run: Callable[..., Run], line: str) -> None:
    refused = run("set", "--expires-in", "3600", stdin=f"{line}\n")
    assert (refused.status, run("get", "--no-issue").out) == (2, "")
    assert line not in one_line(refused.err)


def test_a_token_that_goes_into_a_variable_has_no_cr(run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch) -> None:
    put(run)
    written = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(written, encoding="utf-8", newline="\r\n"))
    assert main(["get", "--format", "env"]) == 0
    assert written.getvalue().startswith(b"KIWOOM_TOKEN=")
    assert b"\r" not in written.getvalue()


# Language


@pytest.mark.parametrize("variable", ["LC_ALL", "LC_MESSAGES", "LANG"])
def test_korean_under_a_korean_locale(
    run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch, variable: str, kiwoom: SandboxKiwoom
) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, "ko_KR.UTF-8")
    kiwoom.set_fault("8050", on="issue", times=1)
    failed = run("refresh")
    assert re.search("[가-힣]", failed.err)
    assert one_line(failed.err).endswith("[8050]")
    assert re.search("[가-힣]", run("status").out)
    monkeypatch.setenv(variable, "en_US.UTF-8")
    assert run("clear").out.isascii()


@pytest.mark.parametrize("encoding", ["cp949", "utf-8"])
def test_korean_is_written_where_its_letters_are(encoding: str) -> None:
    shown = in_a_pipe(encoding, "status")
    assert (shown.returncode, shown.stderr) == (0, b"")
    assert re.search("[가-힣]", shown.stdout.decode(encoding))


def test_where_its_letters_are_not_it_is_english(tmp_path: Path) -> None:
    shown = in_a_pipe("cp1252", "status")
    assert (shown.returncode, shown.stderr) == (0, b"")
    assert shown.stdout.startswith(b"Token: no token")
    for words in (("get", "--no-issue"), ("nonsense",), ("get", "--format", "x"), ("config", "get", "x")):
        refused = in_a_pipe("cp1252", *words)
        assert refused.returncode in {2, 3}
        assert re.fullmatch(rb"[ -~]+\r?\n", refused.stderr), words
        assert b"\\u" not in refused.stderr, words


def test_names_of_the_users_do_no_harm_where_their_letters_are_not(tmp_path: Path) -> None:
    shown = in_a_pipe("cp1252", "status", KIWOOM_TRAY_STORE="file", KIWOOM_TRAY_DATA_DIR=str(tmp_path / "자료"))
    assert (shown.returncode, shown.stderr) == (0, b"")
    assert b"\\uc790\\ub8cc" in shown.stdout


def test_a_pipe_for_the_token_alone_does_not_make_the_error_english(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LC_ALL", "ko_KR.UTF-8")
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), "cp1252"))
    assert main(["get", "--no-issue"]) == 3
    assert re.search("[가-힣]", capsys.readouterr().err)
    assert main(["status", "--profile", "no/such"]) == 2
    assert capsys.readouterr().err.isascii()


def in_a_pipe(encoding: str, *words: str, **environ: str) -> subprocess.CompletedProcess[bytes]:
    """As a program does that reads what another prints; a Windows says `encoding` by itself."""
    return subprocess.run(
        command(*words),
        env={**environment(), "LC_ALL": "ko_KR.UTF-8", "PYTHONIOENCODING": encoding, **environ},
        capture_output=True,
        timeout=60,
        check=False,
    )


def test_language_of_the_settings_goes_before_the_locale(
    run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch, private_places: Path
) -> None:
    settings = private_places / "places" / "settings"
    settings.mkdir(parents=True)
    (settings / "settings.toml").write_text('language = "ko"\n')
    assert re.search("[가-힣]", run("status").out)


def test_problems_of_the_settings_are_told_and_the_rest_holds(run: Callable[..., Run], private_places: Path) -> None:
    settings = private_places / "places" / "settings"
    settings.mkdir(parents=True)
    (settings / "settings.toml").write_text('policy = "never"\nmode = "demo"\n')
    shown = run("status", "--json")
    assert shown.status == 0
    assert "policy" in one_line(shown.err)
    assert json.loads(shown.out)["mode"] == "demo"


# As a process


def test_get_loads_nothing_that_a_stored_token_does_not_take(
    run: Callable[..., Run], kiwoom: SandboxKiwoom, private_places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KIWOOM_TRAY_CONFIG_DIR")
    monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")
    token = one_line(run("get").out)
    monkeypatch.delenv("APP_KEY")
    monkeypatch.delenv("APP_SECRET")
    loaded = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from tray_app.cli.main import main; main(['get'])\n"
            "print(*{name.partition('.')[0] for name in sys.modules})",
        ],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout.split()
    heavy = {
        "PySide6",
        "argparse",
        "dataclasses",
        "enum",
        "hashlib",
        "httpx",
        "json",
        "keyring",
        "logging",
        "platformdirs",
        "re",
    }
    assert loaded[0] == token
    assert (heavy | {"sqlite3"}).isdisjoint(loaded)


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "tray_app.cli.main", *words]


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return {**kept, "PYTHONPATH": str(ROOT)}


def process(*words: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*words), env=environment(), input=stdin, capture_output=True, text=True, timeout=60, check=False
    )


def shell(line: str) -> subprocess.CompletedProcess[str]:
    words = " ".join(command())
    return subprocess.run(
        ["/bin/bash", "-c", f'k() {{ {words} "$@"; }}\n{line}'],
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


posix = pytest.mark.skipif(sys.platform == "win32", reason="a POSIX shell")


def test_exec_runs_a_command_with_the_token_in_its_environment(run: Callable[..., Run]) -> None:
    put(run)
    script = "import os, sys; print(os.environ['KIWOOM_TOKEN'], os.environ.get('KIWOOM_TOKEN_STORE')); sys.exit(7)"
    ran = process("exec", "--", sys.executable, "-c", script)
    assert (ran.returncode, ran.stdout, ran.stderr) == (7, f"{TOKEN} None\n", "")
    ran = process("exec", "--format", "kwcli", "--", sys.executable, "-c", script)
    assert ran.stdout == f"{TOKEN} memory\n"
    assert process("exec").returncode == 2


SECRET = "Ab3_" * 12


def test_what_a_file_or_kiwoom_says_takes_no_effect_on_a_terminal(
    run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile = "\x1b]0;owned\x07\x1b[2J\u202e\n" + "x" * 100_000

    def fail(*_: object) -> None:
        raise InvalidInput("Kiwoom says: {text}", text=hostile)

    monkeypatch.setattr("tray_app.cli.token.open_service", fail)
    told = one_line(run("status").err)
    assert told.startswith(r"Kiwoom says: \x1b]0;owned\x07\x1b[2J\u202e\nxxx")
    assert len(told) < 2100


@pytest.mark.posix
def test_a_path_takes_no_effect_on_a_terminal(
    run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch, private_places: Path
) -> None:
    settings = private_places / "places" / "settings" / "settings.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text('share_bot_file = "/tmp/\\u001b[2J\\u202e"\n')
    monkeypatch.setenv("KIWOOM_TRAY_DATA_DIR", str(private_places / "\x1b[2J\u202e"))
    monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")

    for words in (["status"], ["config"], ["config", "--json"], ["config", "get", "share_bot_file"], ["doctor"]):
        shown = run(*words)
        assert [one for one in shown.out + shown.err if not one.isprintable() and one != "\n"] == [], words


def test_an_alias_takes_no_effect_on_a_terminal(run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tray_app.cli.profiles.aliases", lambda: {"day\x1b[2J": "real"})
    assert r"day\x1b[2J" in run("profiles").out
    assert "\x1b" not in run("profiles").out


@pytest.mark.parametrize("words", [("get",), ("login", "--stdin"), ("doctor",)])
def test_without_a_keyring_the_variables_are_named_and_nothing_that_needs_one(
    run: Callable[..., Run], words: tuple[str, ...]
) -> None:
    refused = run(*words, stdin="a-key\na-secret\n")
    assert refused.status == {"get": 4, "login": 6, "doctor": 1}[words[0]]
    assert "Set APP_KEY and APP_SECRET in the environment" in refused.out + refused.err
    assert "kiwoom-token login" not in refused.out + refused.err


@pytest.mark.parametrize("words", [("get",), ("login", "--stdin"), ("doctor",)])
def test_without_a_keyring_another_profile_is_told_what_works_for_it(
    run: Callable[..., Run], words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIWOOM_MODE", "demo")
    refused = run(*words, "--profile", "scalp", stdin="a-key\na-secret\n")
    assert refused.status == {"get": 4, "login": 6, "doctor": 1}[words[0]]
    assert "KIWOOM_TRAY_STORE=file, APP_KEY_MOCK and APP_SECRET_MOCK" in refused.out + refused.err
    assert "kiwoom-token login" not in refused.out + refused.err


def test_accounts_with_folders_of_their_own_each_keep_their_token_without_a_keyring(
    run: Callable[..., Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the sentence for another profile names."""

    def choose(account: str) -> None:
        monkeypatch.setenv("KIWOOM_TRAY_CONFIG_DIR", str(tmp_path / account / "settings"))
        monkeypatch.setenv("KIWOOM_TRAY_DATA_DIR", str(tmp_path / account / "data"))
        monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")
        monkeypatch.setenv("APP_KEY", f"the-app-key-of-{account}")
        monkeypatch.setenv("APP_SECRET", f"the-app-secret-of-{account}")

    for account in ("one", "two"):
        choose(account)
        put(run, token=f"the-token-of-account-{account}")
    for account in ("one", "two"):
        choose(account)
        assert run("get", "--no-issue").out == f"the-token-of-account-{account}\n"


def test_login_out_of_reach_of_the_keyring_says_how_keys_are_given(
    run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    def check(_: KeyringClient) -> None:
        raise unreachable()

    monkeypatch.setattr(KeyringClient, "check", check)
    refused = run("login", "--stdin", stdin="a-key\na-secret\n")
    assert refused.status == 6
    assert "set APP_KEY and APP_SECRET in the environment" in one_line(refused.err)


@pytest.mark.parametrize("words", [(), ("",)])
def test_exec_of_nothing_is_a_usage_error(run: Callable[..., Run], words: tuple[str, ...]) -> None:
    refused = run("exec", "--", *words)
    assert (refused.status, "after --" in one_line(refused.err)) == (2, True)


@pytest.mark.parametrize("program", ["/nonexistent/program", "nonexistent-program", SECRET])
def test_exec_of_a_missing_command_is_127_and_repeats_nothing(run: Callable[..., Run], program: str) -> None:
    put(run)
    ran = process("exec", "--", program, f"--password={SECRET}")
    assert (ran.returncode, ran.stdout) == (127, "")
    assert one_line(ran.stderr) == "The command after -- was not found. Check its name and PATH."


@pytest.mark.posix
def test_exec_of_what_is_no_program_is_126_and_repeats_nothing(run: Callable[..., Run], tmp_path: Path) -> None:
    put(run)
    file = tmp_path / "notes"
    file.write_text("text")
    ran = process("exec", "--", str(file), SECRET)
    assert ran.returncode == 126
    assert one_line(ran.stderr) == "The command after -- cannot be run (Permission denied)."
    file.write_text("#!/nonexistent/interpreter\n")
    file.chmod(0o700)
    assert process("exec", "--", str(file), SECRET).returncode == 126


@pytest.mark.posix
def test_exec_looks_for_a_bare_name_in_the_path_alone(
    run: Callable[..., Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(run)
    (tmp_path / "bot").touch()
    monkeypatch.chdir(tmp_path)
    ran = process("exec", "--", "bot")
    assert ran.returncode == 127
    assert one_line(ran.stderr) == "The command after -- is not in PATH. It is in this folder: write ./ before it."
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "bot").write_text("#!/nonexistent/interpreter\n")
    (tmp_path / "bin" / "bot").chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    assert process("exec", "--", "bot").returncode == 126


@posix
def test_ctrl_c_during_exec_leaves_the_program_its_own_exit_code(run: Callable[..., Run], tmp_path: Path) -> None:
    """The terminal sends it to both, and the program may have orders to take back."""
    script = (
        "import signal, sys\n"
        "signal.signal(signal.SIGINT, lambda *_: sys.exit(42))\n"
        "print('ready', flush=True)\n"
        "signal.pause()\n"
    )
    started = command("--sandbox", "exec", "--", sys.executable, "-c", script)
    with subprocess.Popen(started, env=environment(), stdout=subprocess.PIPE, start_new_session=True) as ran:
        assert ran.stdout
        assert ran.stdout.readline() == b"ready\n"
        os.killpg(ran.pid, signal.SIGINT)
        assert ran.wait(20) == 42


@posix
def test_ctrl_break_during_exec_leaves_the_program_its_own_exit_code(run: Callable[..., Run]) -> None:
    """Whoever waits for `exec` would take a program for ended that is still taking its orders back."""
    script = (
        "import signal, sys\n"
        "signal.signal(signal.SIGUSR1, lambda *_: sys.exit(42))\n"
        "print('ready', flush=True)\n"
        "signal.pause()\n"
    )
    start = (
        "import signal, subprocess, time\n"
        "signal.SIGBREAK = signal.SIGUSR1\n"
        "begin = subprocess.Popen.__init__\n"
        "def begin_slowly(*given, **named):\n"
        "    begin(*given, **named)\n"
        "    time.sleep(0.5)\n"
        "subprocess.Popen.__init__ = begin_slowly\n"
        "from tray_app.cli.main import run\n"
        "run()\n"
    )
    started = [sys.executable, "-c", start, "--sandbox", "exec", "--", sys.executable, "-c", script]
    with subprocess.Popen(started, env=environment(), stdout=subprocess.PIPE, start_new_session=True) as ran:
        assert ran.stdout
        assert ran.stdout.readline() == b"ready\n"
        os.killpg(ran.pid, signal.SIGUSR1)
        assert ran.wait(20) == 42


@posix
def test_a_program_that_a_signal_ends_has_the_shell_s_exit_code(run: Callable[..., Run]) -> None:
    script = "import os, signal; os.kill(os.getpid(), signal.SIGTERM)"
    ran = process("--sandbox", "exec", "--", sys.executable, "-c", script)
    assert ran.returncode == 128 + signal.SIGTERM


@posix
def test_closed_or_full_outputs_do_no_harm(run: Callable[..., Run]) -> None:
    put(run)
    broken = shell("k get | true; echo ${PIPESTATUS[0]}")
    assert (broken.stdout, broken.stderr) == ("1\n", "")
    for command in ("get", "status", "history --csv", "config path"):
        full = shell(f"k {command} >/dev/full; echo $? >&2")
        told = "The output cannot be written: no space is left. Free some, or write it elsewhere."
        assert full.stderr.splitlines() == [told, "1"]
    for line in ("--version", "--help", "get --help", "login --help"):
        full = shell(f"k {line} >/dev/full; echo $? >&2")
        assert full.stderr.splitlines() == [told, "1"]
        unread = shell(f"k {line} | true; echo ${{PIPESTATUS[0]}} >&2")
        assert unread.stderr in {"0\n", "1\n"}
    for line, status in (("k --sandbox get", 0), ("k get --profile nobody --no-issue", 3), ("k nonsense", 2)):
        unread = shell(f"{line} 2>/dev/full >/dev/null; echo $?")
        assert (unread.stdout, unread.stderr) == (f"{status}\n", "")
        unread = shell(f"({line} 2>&1 >/dev/null; echo $? >&3) 3>&2 | true")
        assert unread.stderr == f"{status}\n"
    closed = shell("k status >&-; echo $? >&2")
    assert closed.stderr == "0\n"
    closed = shell("k get >&-; echo $? >&2")
    assert closed.stderr.splitlines() == ["There is no output to write the token to.", "1"]
    for line, status in (
        ("k get --no-issue --profile nobody 2>&-", 3),
        ("k nonsense 2>&-", 2),
        ("k get >&- 2>&-", 1),
        ("k exec -- true >&-", 0),
        ("k set --expires-in 60 <&-", 2),
        ("k login --stdin <&-", 6),
    ):
        ran = shell(f"{line}\necho $?")
        assert ran.stdout == f"{status}\n", line
        assert "Traceback" not in ran.stderr


@posix
def test_watch_counts_down_on_a_terminal_and_ends_with_ctrl_c(run: Callable[..., Run]) -> None:
    import pty  # not on Windows

    put(run, 7200)
    try:
        parent, child = pty.openpty()
    except OSError as error:  # a bare chroot has no /dev/pts
        pytest.skip(f"there is no terminal here: {error}")
    watch = subprocess.Popen(
        command("watch"), env=environment(), stdin=child, stdout=child, stderr=child, start_new_session=True
    )
    os.close(child)
    try:
        seen = read_until(parent, lambda text: len(set(re.findall(r"1:59:\d\d left", text))) >= 2)
        assert "The token expires" in seen
        assert TOKEN not in seen
        put(run, 3600, "another-token-of-somebody")
        read_until(parent, lambda text: "0:59:" in text)
        os.kill(watch.pid, signal.SIGINT)
        assert watch.wait(60) == 0
    finally:
        watch.kill()
        watch.wait()
        os.close(parent)


def read_until(descriptor: int, enough: Callable[[str], object]) -> str:
    seen = b""
    deadline = time.monotonic() + 60
    while not enough(seen.decode(errors="replace")):
        assert time.monotonic() < deadline, seen
        if select.select([descriptor], [], [], 0.2)[0]:
            seen += os.read(descriptor, 4096)
    return seen.decode(errors="replace")


@posix
def test_watch_without_a_terminal_writes_a_line_for_each_event(
    run: Callable[..., Run], kiwoom: SandboxKiwoom, tmp_path: Path
) -> None:
    kiwoom.set_fault("8050", on="issue", times=1)
    out = tmp_path / "out"
    with out.open("wb") as file:
        watch = subprocess.Popen(command("watch"), env=environment(), stdout=file, stderr=subprocess.STDOUT)
    try:
        wait_for(lambda: "[8050]" in out.read_text())
        put(run)
        wait_for(lambda: "The token expires" in out.read_text())
        run("clear")
        wait_for(lambda: out.read_text().splitlines()[-1].startswith("There is no token"))
        watch.send_signal(signal.SIGINT)
        assert watch.wait(60) == 0
        lines = out.read_text().splitlines()
        assert len([line for line in lines if "[8050]" in line]) == 1
        assert "\r" not in out.read_text()
        assert kiwoom.counts()["issue"] == 1
    finally:
        watch.kill()
        watch.wait()


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@posix
def test_sandbox_prints_what_to_paste_and_ends_in_order() -> None:
    with subprocess.Popen(
        command("sandbox", "--lifetime", "60"), env=environment(), stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        lines = [server.stdout.readline().rstrip("\n") for _ in range(4)]
        pasted = dict(line.split("=", 1) for line in lines[:3])
        assert list(pasted) == ["KIWOOM_TRAY_BASE_URL", "APP_KEY", "APP_SECRET"]
        assert lines[3].startswith("# ")
        got = subprocess.run(
            command("get"), env={**environment(), **pasted}, capture_output=True, text=True, timeout=60, check=False
        )
        assert (got.returncode, got.stderr) == (0, "")
        server.send_signal(signal.SIGTERM)
        assert server.wait(60) == 0


@pytest.mark.parametrize("words", [["--lifetime", "nan"], ["--lifetime", "0"], ["--port", "99999"], ["--port", "x"]])
def test_sandbox_refuses_what_it_cannot_use(run: Callable[..., Run], words: list[str]) -> None:
    refused = run("sandbox", *words)
    assert (refused.status, refused.out) == (2, "")
    one_line(refused.err)


@pytest.mark.parametrize("words", [["get\r"], ["get", "--format", "RAW\r"], ["--profile", '"default"', "get"]])
def test_a_word_has_quotes_another_case_or_the_line_end_of_a_script_from_windows(
    words: list[str], run: Callable[..., Run], folder: Path
) -> None:
    put(run)

    got = run(*words)

    assert (got.status, got.out.strip()) == (0, TOKEN)


def test_the_last_word_of_another_programs_command_line_stays_as_it_is(run: Callable[..., Run], folder: Path) -> None:
    put(run)
    program = "import sys; sys.exit(len(sys.argv[1]))"

    assert process("exec", "--", sys.executable, "-c", program, "four\r").returncode == 5
