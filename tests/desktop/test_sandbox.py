"""Practising on a desktop: the tray, a second start and the command line share one practice Kiwoom."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from .session import Desktop
from .trader import Trader


@pytest.fixture
def trader(desktop: Desktop) -> Iterator[Trader]:
    with Trader(desktop, keys=False) as one:
        yield one


def sandbox_token(trader: Trader) -> str:
    """The token of the practice Kiwoom, as any tool gets it."""
    return trader.done("--sandbox", "get").strip()


def test_tools_and_a_second_start_use_the_sandbox_of_the_first(trader: Trader) -> None:
    trader.start_tray("--sandbox", "--lifetime", "7200")
    trader.sees("left", timeout=30)
    token = sandbox_token(trader)
    record = json.loads((trader.data / "sandbox" / ".token").read_text(encoding="utf-8"))
    assert record["access_token"] == token
    second = trader.start_tray("--sandbox")
    assert trader.ends(second, 30) == 0
    assert "running already" in second.error_output()
    assert sandbox_token(trader) == token
    assert json.loads(trader.done("--sandbox", "status", "--json"))["is_valid"]


def test_lifetime_of_a_second_start_holds_for_the_first(trader: Trader) -> None:
    trader.start_tray("--sandbox", "--lifetime", "86400", "--background")
    trader.sees("left", timeout=30)
    assert trader.ends(trader.start_tray("--sandbox", "--lifetime", "900"), 30) == 0
    trader.sees("14 min left", timeout=30)


def test_token_whose_server_was_killed_is_replaced_at_the_next_start(trader: Trader) -> None:
    first = trader.start_tray("--sandbox", "--lifetime", "7200", "--background")
    trader.sees("left", timeout=30)
    token = sandbox_token(trader)
    first.kill()
    trader.ends(first)
    trader.desktop.wait_for(lambda: not trader.desktop.items(), "an empty panel")
    trader.start_tray("--sandbox", "--lifetime", "7200", "--background")
    trader.sees("left", timeout=30)
    assert sandbox_token(trader) != token
