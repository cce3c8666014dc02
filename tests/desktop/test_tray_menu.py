"""The icon, its menu and its window, on a practice account: what somebody does on the first day."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from .session import Desktop
from .trader import Trader, processes_of
from .tray import MenuEntry, find_entry

HANGUL = re.compile("[가-힣]")


@pytest.fixture
def trader(desktop: Desktop) -> Iterator[Trader]:
    with Trader(desktop) as one:
        yield one


def labels(trader: Trader) -> list[str]:
    return [entry.label for entry in trader.desktop.menu() if entry.visible and not entry.separator]


def close_panel_menu(desktop: Desktop) -> None:
    def closed() -> bool:
        if len(desktop.screen.ids("--class", "wrapper-2.0")) > 1:
            desktop.screen.press("Escape")
            return False
        return True

    desktop.wait_for(closed, "a closed menu")


@pytest.mark.parametrize(("language", "left"), [("en", "31 min left (until "), ("ko", "31분")])
def test_sandbox_shows_a_token_that_it_got_by_itself(
    desktop: Desktop, language: str, left: str, pictures: Path
) -> None:
    with Trader(desktop) as trader:
        locale = "ko_KR.UTF-8" if language == "ko" else "C.UTF-8"
        program = trader.start_tray("--sandbox", "--lifetime", "1860", LANG=locale)
        tooltip = trader.sees(left)
        assert trader.issues == 0, "practising asked the Kiwoom of the environment"
        assert len(tooltip.encode("utf-16-le")) // 2 <= 127

        status, *rest = [entry for entry in desktop.menu() if entry.visible and not entry.separator]
        assert not status.enabled
        assert left in status.label
        if language == "en":
            assert [entry.label for entry in rest] == [
                "Nothing to fix",
                "Check with Kiwoom",
                "Copy token",
                "Snooze warnings",
                "Renewal",
                "Settings…",
                "Remove or revoke token…",
                "Open",
                "Quit",
            ]
        else:
            assert [bool(HANGUL.search(entry.label)) for entry in rest] == [True] * 9
            assert HANGUL.search(tooltip)
        assert not any(entry.toggle for entry in rest)
        desktop.wait_for(
            lambda: all(entry.enabled for entry in desktop.menu()[3:] if entry.visible), "entries that can be chosen"
        )

        desktop.hover_icon()
        desktop.wait_for(lambda: len(desktop.screen.ids("--class", "wrapper-2.0")) > 1, "the panel's tooltip")
        desktop.screenshot(f"tray tooltip {language}")
        desktop.save_icon(pictures / f"tray icon {language}.png")
        desktop.click_icon(3)
        desktop.screenshot(f"tray menu {language}")
        close_panel_menu(desktop)
        desktop.click_icon()
        window = desktop.wait_for(
            lambda: next((one for one in desktop.windows() if one.wm_class == "kiwoom-token-tray"), None), "the window"
        )
        desktop.screenshot(f"tray window {language}", window)
        program.terminate()
        assert trader.ends(program) == 0


def test_check_asks_once_whether_the_token_works(trader: Trader) -> None:
    trader.start_tray()
    trader.sees("left")
    trader.idle()
    token = trader.in_file()
    before = trader.asked
    trader.desktop.choose("Check with Kiwoom")
    trader.desktop.wait_for(lambda: trader.asked > before, "a request")
    trader.idle()
    window = trader.open_window()
    trader.desktop.screenshot("tray window confirmed", window)
    status = trader.agrees()
    assert status["is_valid"]
    assert status["verified_at"]
    assert trader.in_file() == token
    assert (trader.issues, trader.asked) == (1, before + 1)


def test_clear_here_only_leaves_the_token_at_kiwoom(trader: Trader) -> None:
    trader.start_tray()
    trader.sees("left")
    trader.idle()
    token = trader.in_file()
    trader.desktop.choose("Remove or revoke token…")
    dialog = trader.desktop.window("Remove the token")
    trader.desktop.screenshot("tray clear dialog", dialog)
    trader.answer("Remove the token", "Return")
    trader.sees("No token")
    trader.idle()
    assert not trader.file.exists()
    assert (trader.issues, trader.revokes) == (1, 0)
    assert labels(trader)[2] == "Issue a token"
    assert not next(entry for entry in trader.desktop.menu() if entry.label == "Remove or revoke token…").enabled

    trader.desktop.choose("Issue a token")
    trader.sees("left")
    assert trader.in_file() == token, "it lived on at Kiwoom"


def test_clear_with_revoke_ends_the_token_at_kiwoom(trader: Trader) -> None:
    trader.start_tray()
    trader.sees("left")
    trader.idle()
    trader.desktop.choose("Remove or revoke token…")
    trader.answer("Remove the token", "alt+r", "Return")
    trader.sees("No token")
    assert not trader.file.exists()
    assert (trader.issues, trader.revokes) == (1, 1)


def test_cancelled_clear_changes_nothing(trader: Trader) -> None:
    trader.start_tray()
    trader.sees("left")
    trader.idle()
    token = trader.in_file()
    trader.desktop.choose("Remove or revoke token…")
    trader.answer("Remove the token", "alt+r", "Escape")
    assert trader.agrees()["has_token"]
    assert trader.in_file() == token
    assert trader.revokes == 0


def test_failed_revoke_keeps_the_token_and_says_so(trader: Trader) -> None:
    trader.start_tray()
    trader.sees("left")
    trader.idle()
    token = trader.in_file()
    trader.sandbox.set_fault("8015", on="revoke")
    trader.desktop.choose("Remove or revoke token…")
    trader.answer("Remove the token", "alt+r", "alt+m")
    trader.sees("Kiwoom refused to revoke the token")
    assert trader.in_file() == token
    assert trader.agrees()["is_valid"]


def test_open_menu_stays_sane_while_the_minute_changes(trader: Trader) -> None:
    desktop = trader.desktop
    trader.settings(verify="off")
    trader.start_tray()
    trader.sees("23 h")
    trader.put("a-token-for-the-menu", 3612)
    trader.sees("1 h left")
    desktop.click_icon(3)
    desktop.wait_for(lambda: len(desktop.screen.ids("--class", "wrapper-2.0")) > 1, "the panel's menu")
    trader.sees("59 min left", timeout=40)
    desktop.screenshot("tray menu after a minute")
    assert len(desktop.screen.ids("--class", "wrapper-2.0")) > 1, "it stayed open"
    assert "59 min left" in desktop.menu()[0].label
    desktop.screen.press("Up", "Up", "Return")  # from the end: Quit, Open
    trader.window()


def test_policy_is_chosen_in_the_menu_and_kept(trader: Trader) -> None:
    trader.start_tray()
    trader.sees("left")
    trader.idle()
    renewal = next(entry for entry in trader.desktop.menu() if entry.label == "Renewal")
    assert [(entry.toggle, entry.checked) for entry in renewal.children] == [
        ("radio", False),
        ("radio", True),
        ("radio", False),
    ]
    trader.desktop.choose("Renewal", "Revoke and reissue daily at 06:30")

    def chosen() -> list[bool | None]:
        one = next(entry for entry in trader.desktop.menu() if entry.label == "Renewal")
        return [entry.checked for entry in one.children]

    trader.desktop.wait_for(lambda: chosen() == [False, False, True], "the daily hour as chosen")
    assert "every tool is cut off once" in trader.desktop.notice("Kiwoom token").body
    assert 'policy = "daily 06:30"' in (trader.config / "settings.toml").read_text(encoding="utf-8")


def test_snooze_says_until_when_and_can_be_ended(trader: Trader) -> None:
    def end() -> MenuEntry:
        return find_entry(trader.desktop.menu(), "Warn again")

    trader.start_tray()
    trader.sees("left")
    assert not end().enabled
    trader.desktop.choose("Snooze warnings", "30 min")
    trader.desktop.wait_for(lambda: end().enabled, "warnings that were put off")
    assert any(label.startswith("No warnings until ") for label in labels(trader))
    trader.desktop.choose("Warn again")
    trader.desktop.wait_for(lambda: not end().enabled, "warnings again")


def test_token_is_replaced_from_the_window_by_the_keyboard_alone(trader: Trader) -> None:
    trader.start_tray()
    trader.sees("left")
    trader.idle()
    before = trader.in_file()
    window = trader.open_window()

    def is_asked() -> bool:
        return any("Revoke and reissue" in title for title in trader.windows())

    trader.press(window, "alt+r", until=is_asked)
    trader.answer("Revoke and reissue", "Return")
    assert (trader.issues, trader.revokes) == (1, 0), "Return cancels"
    trader.press(window, "alt+r", until=is_asked)
    trader.desktop.screenshot("tray replace dialog")
    trader.answer("Revoke and reissue", "alt+r")
    trader.desktop.wait_for(lambda: trader.in_file() not in {before, None}, "another token")
    assert (trader.issues, trader.revokes) == (2, 1)


def test_profile_is_chosen_in_the_menu(trader: Trader) -> None:
    trader.config.mkdir(exist_ok=True)
    (trader.config / "settings.toml").write_text('verify = "off"\n[profiles.swing]\nmode = "real"\n', encoding="utf-8")
    trader.write_file("a-token-of-another-account", 5000, "swing.token")
    trader.start_tray()
    trader.sees("swing · Real · until", "Default · Real")
    trader.sees("Default · Real · 2")
    entries = [one for one in find_entry(trader.desktop.menu(), "Profile").children if one.visible]
    assert [(one.label.rpartition(" · until ")[0], one.checked) for one in entries] == [
        ("Default · Real", True),
        ("swing · Real", False),
    ]
    trader.desktop.choose("Profile", entries[1].label)
    trader.desktop.wait_for(
        lambda: trader.desktop.menu()[0].label.startswith("swing · Real · 1 h"), "the other account in the menu"
    )


_CLIPBOARD = """
from PySide6.QtCore import QTimer
from PySide6.QtGui import QGuiApplication
app = QGuiApplication([])
def look():
    data = QGuiApplication.clipboard().mimeData()
    print(repr((data.text(), bytes(data.data("x-kde-passwordManagerHint").data()))), flush=True)
    app.quit()
QTimer.singleShot(300, look)
app.exec()
"""


def test_copied_token_is_marked_and_goes_with_the_program(trader: Trader) -> None:
    def clipboard() -> str:
        reader = trader.desktop.start_python("-c", _CLIPBOARD)
        trader.desktop.wait_for(lambda: reader.poll() is not None, "a look at the clipboard")
        return reader.output().strip()

    program = trader.start_tray()
    trader.sees("left")
    trader.idle()
    assert clipboard() == repr(("", b""))
    trader.desktop.choose("Copy token")
    trader.desktop.wait_for(lambda: clipboard() == repr((trader.in_file(), b"secret")), "the token on the clipboard")
    trader.desktop.choose("Quit")
    assert trader.ends(program) == 0
    assert clipboard() == repr(("", b""))


def test_open_shows_the_window_and_closing_it_keeps_the_program(trader: Trader) -> None:
    program = trader.start_tray()
    trader.sees("left")
    assert trader.windows() == []
    trader.desktop.choose("Open")
    trader.press(trader.window(), "Escape", until=lambda: not trader.windows())
    assert program.poll() is None
    trader.desktop.activate()
    trader.window()


def test_quit_ends_everything_with_status_0(trader: Trader) -> None:
    program = trader.start_tray()
    trader.sees("left")
    trader.open_window()
    trader.desktop.choose("Quit")
    assert trader.ends(program) == 0
    assert processes_of(program) == set()
    trader.desktop.wait_for(lambda: not trader.desktop.items(), "an empty panel")
    assert trader.words(program) == []


def test_keys_typed_while_practising_are_not_kept(desktop: Desktop) -> None:
    with Trader(desktop) as trader:
        program = trader.start_tray("--sandbox")
        trader.sees("left")
        url = re.search(r"http://127\.0\.0\.1:\d+", program.error_output())
        assert url
        fault = {"name": "8001", "times": 1, "on": "issue"}
        assert httpx.put(f"{url[0]}/practice/fault", json=fault, timeout=10).status_code == 200
        assert httpx.post(f"{url[0]}/practice/end", timeout=10).status_code == 200
        trader.idle()
        desktop.choose("Check with Kiwoom")
        desktop.notice("Check the Kiwoom app key")
        trader.idle()
        window = trader.open_window()
        trader.press(window, "alt+e", until=lambda: [one for one in trader.windows() if "app key" in one])
        trader.answer("Kiwoom app key", "alt+k", text=("typed-app-key", "typed-app-secret"))
        desktop.wait_for(lambda: "refuses" not in trader.tooltip(), "a tooltip without the complaint")
        trader.idle()
        assert desktop.secrets() == []
        assert not trader.config.exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_the_program_in_order(trader: Trader, number: signal.Signals) -> None:
    program = trader.start_tray()
    trader.sees("left")
    os.kill(program.pid, number)
    assert trader.ends(program) == 0
    assert processes_of(program) == set()
    assert trader.words(program) == []
