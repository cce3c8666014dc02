"""A token that stopped working before its expiry: found by the tray, shown in every place, told, and replaced."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from .session import Desktop
from .trader import Trader

DEAD = "The token has stopped working"
NOTICE = "stopped working early"


@pytest.fixture
def trader(desktop: Desktop) -> Iterator[Trader]:
    with Trader(desktop) as one:
        yield one


def dead_token(trader: Trader) -> str:
    """Store a token that works, and let it die elsewhere; nobody here is told."""
    trader.done("refresh")
    token = trader.in_file()
    assert token is not None
    trader.sandbox.end_tokens()
    return token


def test_found_at_the_start_it_is_replaced_at_once_and_told(trader: Trader) -> None:
    dead = dead_token(trader)
    trader.desktop.wait_for(lambda: trader.status()["state"] == "valid", "a token that looks good")
    _confirmed_long_ago(trader)
    trader.start_tray()
    notice = trader.desktop.notice(NOTICE, 30)
    trader.sees("left", "until")
    assert trader.in_file() not in {dead, None}
    assert trader.agrees()["is_valid"]
    assert trader.issues == 2
    assert "new" in notice.body.lower()
    trader.desktop.bubble(notice)
    trader.desktop.screenshot("dead token replaced")


def test_under_notify_icon_tooltip_window_and_notice_say_so_until_the_user_acts(trader: Trader) -> None:
    trader.settings(policy="notify")
    dead_token(trader)
    _confirmed_long_ago(trader)
    trader.start_tray()
    notice = trader.desktop.notice(NOTICE, 30)
    trader.sees(DEAD)
    assert notice.urgency == 2
    assert trader.status()["state"] == "dead"
    assert trader.in_file() is None
    trader.desktop.bubble(notice)
    trader.open_window()
    trader.desktop.screenshot("dead token under notify")
    assert trader.issues == 1
    trader.idle()
    trader.desktop.choose("Issue a token")
    trader.sees("23 h")
    assert trader.agrees()["is_valid"]
    trader.desktop.screenshot("dead token issued anew")


def test_a_report_of_another_tool_makes_the_tray_ask(trader: Trader) -> None:
    trader.start_tray()
    trader.sees("left")
    trader.idle()
    dead = trader.in_file()
    assert dead is not None
    trader.sandbox.end_tokens()
    trader.sandbox.set_fault("http-500", on="rest", times=1)  # so that the command itself learns nothing
    assert trader.done("get", "--refused", stdin=dead).strip() == dead
    trader.desktop.notice(NOTICE, 40)
    trader.sees("left", "until")
    assert trader.in_file() not in {dead, None}
    assert trader.issues == 2


def test_a_different_token_in_the_bots_file_makes_the_tray_ask(trader: Trader) -> None:
    bot = trader.file.with_name("bot.json")
    trader.settings(policy="notify", share_bot_file=str(bot))
    trader.done("refresh")
    trader.start_tray()
    trader.sees("left")
    trader.idle()
    fields = json.loads(bot.read_text(encoding="utf-8"))
    bot.write_text(json.dumps({**fields, "token": trader.sandbox.issue_elsewhere()}), encoding="utf-8")
    notice = trader.desktop.notice(NOTICE, 30)
    trader.sees(DEAD)
    assert trader.status()["state"] == "dead"
    assert trader.issues == 1
    trader.desktop.bubble(notice)
    trader.desktop.screenshot("dead by the bot's file")


def test_what_the_command_line_finds_dead_the_tray_replaces(trader: Trader) -> None:
    trader.start_tray()
    trader.sees("left")
    trader.idle()
    dead = trader.in_file()
    trader.sandbox.end_tokens()
    assert trader.cli("verify").returncode == 3
    trader.desktop.notice(NOTICE, 30)
    trader.desktop.wait_for(lambda: trader.in_file() not in {dead, None}, "another token", 30)
    trader.sees("left", "until")


def _confirmed_long_ago(trader: Trader) -> None:
    """A program that starts within a minute of the last confirmation does not ask at once."""
    record = trader.file.with_name(".token.lock")
    text = record.read_text(encoding="utf-8")
    before, name, rest = text.partition('"confirmed_at": ')
    number, comma, rest = rest.partition(",")
    record.write_text(f"{before}{name}{float(number) - 3600}{comma}{rest}", encoding="utf-8")
