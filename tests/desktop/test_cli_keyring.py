"""`kiwoom-token` on the real Secret Service: unlocked, locked, hung and gone. It never asks for a password."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest

from tray_app.kiwoom.sandbox import SANDBOX_APP_KEY, SANDBOX_APP_SECRET

from .session import Desktop
from .trader import Trader

TOKEN = "a-token-of-the-command-line"
BOUND_SECONDS = 20.0
"""The keyring's own deadline is two seconds; the rest is a slow machine's."""


@pytest.fixture
def trader(desktop: Desktop) -> Iterator[Trader]:
    with Trader(desktop, store="auto") as one:
        yield one


def test_keys_and_token_live_and_go_in_the_keyring(desktop: Desktop) -> None:
    with Trader(desktop, store="keyring", keys=False) as trader:
        pair = f"  {SANDBOX_APP_KEY}\t\r\n\r\n {SANDBOX_APP_SECRET} \n"
        trader.done("login", "--mode", "demo", "--stdin", stdin=pair)
        assert desktop.secret_lookup("kiwoom-demo", "appkey") == SANDBOX_APP_KEY
        assert desktop.secret_lookup("kiwoom-demo", "secretkey") == SANDBOX_APP_SECRET
        token = trader.done("get").strip()
        assert trader.in_keyring() == token
        assert trader.status()["store"] == "keyring"
        assert (trader.issues, trader.status()["mode"]) == (1, "demo")
        trader.done("clear", "--revoke")
        trader.done("logout")
        assert trader.in_keyring() is None
        assert desktop.secrets() == []
        assert trader.cli("get").returncode == 4
        assert not list(trader.data.glob("*token")), "never in plaintext"


def test_wrong_keys_leave_the_keyring_as_it_was(desktop: Desktop) -> None:
    with Trader(desktop, keys=False) as trader:
        refused = trader.cli("login", "--stdin", stdin="wrong-key\na-secret\n")
        assert refused.returncode == 4
        assert refused.stderr.strip().endswith("[8001]")
        assert desktop.secrets() == []


def test_locked_keyring_is_6_where_it_is_asked_for_and_the_file_where_it_is_not(trader: Trader) -> None:
    desktop = trader.desktop
    desktop.keyring_lock()
    for words in (["get"], ["status"], ["refresh"], ["set", "--expires-in", "60"], ["clear"]):
        failed = trader.cli(*words, stdin=TOKEN, KIWOOM_TRAY_STORE="keyring")
        assert (failed.returncode, failed.stdout) == (6, ""), words
        assert len(failed.stderr.splitlines()) == 1
    assert trader.cli("login", "--stdin", stdin="a-key\na-secret\n").returncode == 6
    assert trader.issues == 0, "nobody is asked when the answer cannot be kept"

    assert trader.done("get").strip() == trader.in_file()
    assert trader.status()["store"] == "file"
    assert desktop.keyring_prompts() == []
    assert desktop.keyring_locked()


def test_hung_keyring_holds_nobody_up(trader: Trader) -> None:
    trader.put(TOKEN, 7230)
    assert trader.in_keyring() == TOKEN
    trader.desktop.keyring_freeze()
    begun = time.monotonic()
    issued = trader.done("get").strip()
    assert time.monotonic() - begun < BOUND_SECONDS
    assert issued == trader.in_file() != TOKEN
    begun = time.monotonic()
    assert trader.cli("status", KIWOOM_TRAY_STORE="keyring").returncode == 6
    assert time.monotonic() - begun < BOUND_SECONDS
    trader.desktop.keyring_thaw()
    trader.put("a-token-after-it", 7230)
    assert trader.in_keyring() == "a-token-after-it"
    assert not trader.file.exists()


def test_clear_reaches_a_keyring_that_could_not_be_asked(trader: Trader) -> None:
    trader.put(TOKEN, 7230)
    trader.desktop.keyring_freeze()
    trader.done("clear")
    trader.desktop.keyring_thaw()
    assert trader.status()["has_token"] is False
    assert trader.cli("get", "--no-issue").returncode == 3


def test_missing_keyring_is_named(trader: Trader) -> None:
    trader.desktop.keyring_kill()
    failed = trader.cli("get", KIWOOM_TRAY_STORE="keyring")
    assert failed.returncode == 6
    assert "There is no keyring on this machine." in failed.stderr
    trader.done("get")
    assert trader.in_file()


def test_outside_the_session_the_bus_at_its_usual_place_is_used(trader: Trader) -> None:
    trader.put(TOKEN, 7230)

    assert trader.done("get", DBUS_SESSION_BUS_ADDRESS="").strip() == TOKEN
    assert trader.issues == 0


@pytest.mark.parametrize("store", ["auto", "keyring"])
def test_out_of_reach_no_plain_text_is_put_beside_the_token_in_the_keyring(trader: Trader, store: str) -> None:
    trader.put(TOKEN, 7230)
    far = {"DBUS_SESSION_BUS_ADDRESS": "", "XDG_RUNTIME_DIR": str(trader.data), "KIWOOM_TRAY_STORE": store}

    for words in (["get"], ["status"], ["refresh"]):
        failed = trader.cli(*words, **far)
        assert (failed.returncode, failed.stdout) == (6, ""), words
        assert "cannot be reached from here" in failed.stderr

    assert not trader.file.exists()
    assert trader.issues == 0


def test_profiles_have_entries_of_their_own(trader: Trader) -> None:
    for name in ("default", "Second"):
        trader.done("--profile", name, "set", "--expires-in", "7230", stdin=f"token-of-{name}")
    assert trader.in_keyring("default") == "token-of-default"
    assert trader.in_keyring("Second") == "token-of-Second"
    trader.done("clear", "--profile", "Second")
    assert trader.in_keyring("Second") is None
    assert trader.done("get").strip() == "token-of-default"


def test_token_never_stands_on_a_command_line_of_a_child(trader: Trader) -> None:
    trader.put(TOKEN, 7230)
    script = "import os; print(open(f'/proc/{os.getpid()}/cmdline').read()); print(os.environ['KIWOOM_TOKEN'])"
    line, token = trader.done("exec", "--", os.path.realpath("/usr/bin/python3"), "-c", script).splitlines()
    assert token == TOKEN
    assert TOKEN not in line
