"""What happened to the token is told once, by whoever did it, to tray and command line alike."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

from .session import Desktop
from .trader import Trader

TRAY, TERMINAL = "kiwoom-token-tray", "kiwoom-token"
TITLE = "History"


def told(trader: Trader) -> list[tuple[str, str]]:
    """What happened and which program said so, without the gaps that the time of the test may bring."""
    events: list[dict[str, Any]] = json.loads(trader.done("history", "--json"))
    return [(one["event"], one["program"]) for one in events if one["event"] != "gap"]


def tells(trader: Trader, *events: tuple[str, str]) -> None:
    trader.desktop.wait_for(lambda: told(trader)[-len(events) :] == list(events), f"a history that ends with {events}")


def test_every_change_is_told_once_and_by_whoever_made_it(desktop: Desktop) -> None:
    with Trader(desktop) as trader:
        trader.start_tray()
        trader.sees("left")
        tells(trader, ("issued", TRAY))

        trader.done("clear")
        trader.sees("No token")
        trader.done("refresh")
        trader.sees("left")
        tells(trader, ("cleared", TERMINAL), ("issued", TERMINAL))

        trader.done("refresh", "--rotate")
        tells(trader, ("revoked", TERMINAL), ("issued", TERMINAL))

        trader.write_file("a-token-of-a-plain-writer", 10_830)
        trader.sees("3 h left")
        tells(trader, ("seen", TRAY))
        trader.file.unlink()
        trader.sees("No token")
        tells(trader, ("seen", TRAY), ("gone", TRAY))

        trader.sandbox.set_fault("8001")
        trader.cli("refresh")
        tells(trader, ("gone", TRAY), ("failed", TERMINAL))


def test_the_window_shows_it_and_saves_it_for_a_spreadsheet(desktop: Desktop, tmp_path: Path) -> None:
    with Trader(desktop) as trader:
        program = trader.start_tray()
        trader.sees("left")
        tells(trader, ("issued", TRAY))
        window = trader.open_window()
        trader.press(window, "alt+h", until=lambda: any(TITLE in title for title in trader.windows()))
        history = desktop.window(TITLE)
        desktop.screenshot("history", history)
        target = tmp_path / "history.csv"
        trader.press(history, "alt+e", until=lambda: any("Export" in window.title for window in desktop.windows()))
        dialog = desktop.window("Export")
        desktop.press(dialog, "ctrl+a")
        desktop.type(dialog, str(target))
        desktop.press(dialog, "Return")
        desktop.wait_for(target.is_file, "the saved list")
        rows = list(csv.DictReader(io.StringIO(target.read_text(encoding="utf-8-sig"), newline="")))
        assert [(row["event"], row["program"]) for row in rows] == [("issued", TRAY)]
        trader.press(history, "Escape", until=lambda: not any(TITLE in title for title in trader.windows()))
        assert trader.words(program) == []
