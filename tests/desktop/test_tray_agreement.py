"""The icon and `kiwoom-token status` tell the same at every moment, whoever changed the token."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from .session import Desktop, Program
from .trader import KEYS, Trader, command_line


@pytest.mark.parametrize("store", ["file", "auto"])
def test_icon_and_command_line_agree_after_every_change(desktop: Desktop, store: str) -> None:
    with Trader(desktop, store=store) as trader:
        trader.start_tray()
        trader.sees("left")
        assert trader.agrees()["store"] == ("file" if store == "file" else "keyring")

        trader.put("a-token-of-the-command-line", 7230)
        trader.sees("2 h left")
        assert trader.agrees()["token_preview"] == "a-toke..."

        trader.done("clear")
        trader.sees("No token")
        assert trader.agrees()["state"] == "none"

        trader.done("refresh")
        trader.sees("left")
        assert trader.agrees()["is_valid"]

        trader.done("clear", "--revoke")
        trader.sees("No token")
        trader.agrees()

        trader.write_file("a-token-of-a-plain-writer", 10_830)
        trader.sees("3 h left")
        status = trader.agrees()
        assert (status["store"], status["state"]) == ("file", "valid")

        trader.file.unlink()
        trader.sees("No token")
        trader.agrees()
        assert trader.issues == 2, "only at the start and for `refresh`"


def test_folder_that_is_removed_and_made_again_is_still_watched(desktop: Desktop) -> None:
    with Trader(desktop) as trader:
        trader.settings(policy="notify")
        trader.start_tray()
        trader.sees("No token")
        for path in trader.data.iterdir():
            path.unlink()
        trader.data.rmdir()
        trader.put("a-token-in-a-new-folder", 7230)
        trader.sees("2 h left", timeout=20)
        trader.write_file("a-token-of-a-plain-writer", 10_830)
        trader.sees("3 h left")


@pytest.mark.parametrize("content", [b"", b"{", b'{"access_token": "x"}', b"\xff\xfe\x00binary", b"a" * 70_000, b"[]"])
def test_damaged_file_is_a_missing_token(desktop: Desktop, content: bytes) -> None:
    with Trader(desktop) as trader:
        trader.settings(policy="notify")
        trader.data.mkdir()
        trader.file.write_bytes(content)
        program = trader.start_tray()
        trader.sees("No token")
        assert trader.agrees()["state"] == "none"
        trader.write_file("a-good-token-after-it", 7230)
        trader.sees("2 h left")
        assert trader.words(program) == []


def test_error_that_is_over_is_no_longer_shown(desktop: Desktop) -> None:
    with Trader(desktop) as trader:
        trader.settings(policy="notify", verify="off")
        trader.write_file("a-token-of-a-plain-writer", 7230)
        trader.start_tray()
        trader.sees("2 h left")
        trader.file.unlink()
        trader.file.mkdir()
        place = str(trader.data)[:20]
        trader.sees("2 h left", place)
        trader.file.rmdir()
        trader.write_file("another-token", 10_830)
        tooltip = trader.sees("3 h left")
        assert place not in tooltip


def texts_on_the_bus(desktop: Desktop) -> str:
    item = desktop.item()
    menu = [entry.label for entry in desktop.menu(item)]
    notices = [f"{notice.summary}\n{notice.body}\n{notice.hints}" for notice in desktop.notices()]
    return "\n".join([item.tooltip, item.tooltip_text, item.title, *menu, *notices])


def written_by(program: Program, folders: list[Path]) -> str:
    found = [program.output(), program.error_output(), command_line(program)]
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file() and path.name != ".token":
                with contextlib.suppress(OSError):
                    found.append(path.read_text(encoding="utf-8", errors="replace"))
    return "\n".join(found)


def test_no_secret_is_ever_shown_or_printed(desktop: Desktop) -> None:
    with Trader(desktop, store="auto") as trader:
        trader.settings(warn_before=["24h", "86300s"])
        program = trader.start_tray()
        trader.sees("left")
        issued = trader.in_keyring()
        assert issued
        secrets = [issued, *KEYS.values()]
        for fault in ("echo", "8030", "garbage", "html"):
            trader.sandbox.set_fault(fault, on="rest", times=1)
            trader.idle()
            before = trader.asked
            trader.ask_kiwoom()
            trader.desktop.wait_for(lambda: trader.asked > before, "a request")  # noqa: B023 - asked at once
            trader.idle()
            seen = texts_on_the_bus(desktop)
            assert not [one for one in secrets if one in seen], fault
        trader.sandbox.set_fault("8030", on="issue")
        trader.sandbox.end_tokens()
        trader.ask_kiwoom()
        desktop.wait_for(desktop.notices, "the refusal is told")
        seen = texts_on_the_bus(desktop)
        assert not [one for one in secrets if one in seen]
        trader.open_window()
        titles = "\n".join(window.title for window in desktop.windows())
        seen = written_by(program, [desktop.home]) + titles
        assert not [one for one in secrets if one in seen]
