"""Renewal by itself: when it asks Kiwoom, how often, and what it does when Kiwoom refuses."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .session import Desktop
from .trader import Trader


@pytest.fixture
def trader(desktop: Desktop) -> Iterator[Trader]:
    with Trader(desktop) as one:
        yield one


def issued(trader: Trader) -> list[str]:
    return [one["outcome"] for one in trader.sandbox.outcomes() if one["kind"] == "issue"]


def test_auto_gets_the_next_token_right_after_the_end_and_asks_little(trader: Trader) -> None:
    """Kiwoom gives the same token back while it lives: asked once before the end, then once after it."""
    trader.sandbox.set_lifetime(5)
    trader.start_tray()
    trader.sees("left")
    first = trader.in_file()
    trader.sandbox.set_lifetime(86400)
    trader.desktop.wait_for(lambda: trader.in_file() not in {first, None}, "another token", 20)
    trader.sees("h")
    assert trader.agrees()["is_valid"]
    assert issued(trader) == ["new", "same", "new"]


def test_notify_never_asks_by_itself(trader: Trader) -> None:
    trader.settings(policy="notify", warn_before=["1s", "0s"])
    trader.start_tray()
    trader.sees("No token")
    trader.put("a-token-that-lives-for-seconds", 6)
    trader.desktop.notice("has expired", 20)
    trader.sees("The token has expired")
    trader.idle()
    assert trader.issues == 0
    trader.desktop.choose("Issue a token")
    trader.sees("23 h")
    assert trader.issues == 1


@pytest.mark.parametrize("fault", ["1700", "http-503"])
def test_failure_that_passes_keeps_the_token_and_does_not_hammer(trader: Trader, fault: str) -> None:
    trader.start_tray()
    trader.sees("left")
    token = trader.in_file()
    trader.sandbox.set_fault(fault)
    trader.write_file("a-token-that-is-to-be-renewed", 20)
    trader.idle()
    trader.desktop.choose("Check with Kiwoom")
    trader.sees("Less than a minute left", "Kiwoom")
    trader.idle()
    assert trader.in_file() == "a-token-that-is-to-be-renewed"
    asked = trader.issues
    assert asked <= 3
    trader.sandbox.clear_faults()
    trader.desktop.wait_for(lambda: trader.in_file() == token, "the token of Kiwoom", 40)
    assert trader.issues == asked + 1
    assert "refuses" not in trader.sees("23 h")
    assert trader.desktop.notices() == [] or all("renewed" not in one.summary for one in trader.desktop.notices())


def test_request_that_hangs_holds_nothing_up(trader: Trader) -> None:
    program = trader.start_tray()
    trader.sees("left")
    trader.idle()
    trader.sandbox.set_fault("hang")
    trader.desktop.choose("Check with Kiwoom")
    trader.sees("Asking Kiwoom")
    trader.write_file("a-token-of-a-plain-writer", 7230)
    trader.sees("2 h left")
    trader.open_window()
    trader.desktop.choose("Quit")
    assert trader.ends(program, 5) == 0


@pytest.mark.parametrize(
    ("code", "title"),
    [
        ("8001", "Check the Kiwoom app key"),
        ("8030", "Key is for the other mode"),
        ("8050", "Register this IP at Kiwoom"),
    ],
)
def test_refusal_stops_is_told_once_and_goes_on_when_the_user_asks(trader: Trader, code: str, title: str) -> None:
    trader.sandbox.set_fault(code, on="issue")
    trader.start_tray()
    notice = trader.desktop.notice(title)
    assert f"[{code}]" in notice.body
    assert notice.urgency == 2
    tooltip = trader.sees("No token")
    assert "Kiwoom token" in tooltip
    trader.idle()
    assert trader.issues == 1
    trader.desktop.click_notice(notice, "default")
    window = trader.window()
    trader.desktop.screenshot(f"tray window {code}", window)

    trader.desktop.choose("Try again")
    trader.desktop.wait_for(lambda: trader.issues == 2, "a second request")
    trader.idle()
    assert len(trader.desktop.notices()) == 1

    trader.sandbox.clear_faults()
    trader.desktop.choose("Try again")
    trader.sees("23 h")
    assert trader.issues == 3


def test_token_that_another_program_brings_ends_the_stop(trader: Trader) -> None:
    trader.sandbox.set_fault("8050", on="issue", times=1)
    trader.start_tray()
    trader.desktop.notice("Register this IP at Kiwoom")
    trader.put("a-token-of-the-command-line", 8)
    trader.sees("Less than a minute left")
    trader.sees("23 h", timeout=40)
    assert trader.in_file() != "a-token-of-the-command-line"


def test_wrong_keys_are_mended_in_the_window(desktop: Desktop) -> None:
    with Trader(desktop, keys=False) as trader:
        desktop.secret_store("kiwoom-real", "appkey", "wrong-app-key")
        desktop.secret_store("kiwoom-real", "secretkey", "a-secret-of-a-test")
        trader.start_tray()
        notice = desktop.notice("Check the Kiwoom app key")
        assert "[8001]" in notice.body
        trader.idle()
        window = trader.open_window()
        trader.press(window, "alt+e", until=lambda: [one for one in trader.windows() if "app key" in one])
        desktop.screenshot("tray keys dialog", desktop.window("Kiwoom app key"))
        trader.answer("Kiwoom app key", "alt+k", text=("typed-app-key", "typed-app-secret"))
        trader.sees("23 h")
        assert desktop.secret_lookup("kiwoom-real", "appkey") == "typed-app-key"
        assert desktop.secret_lookup("kiwoom-real", "secretkey") == "typed-app-secret"


def test_no_keys_at_all_are_asked_for(desktop: Desktop) -> None:
    with Trader(desktop, keys=False) as trader:
        trader.start_tray()
        trader.sees("No token")
        notice = desktop.notice("Enter the Kiwoom app key")
        assert "No app key for real trading yet." in notice.body
        assert trader.issues == 0
