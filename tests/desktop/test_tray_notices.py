"""Notices: each threshold once, one in the place of the other, and a way to the window."""

from __future__ import annotations

from collections.abc import Callable

from .bus import Notice
from .session import Desktop
from .trader import Trader

MakeDesktop = Callable[..., Desktop]


def shown(desktop: Desktop) -> list[Notice]:
    return [notice for notice in desktop.notices() if notice.id is not None]


def test_each_threshold_is_told_once_and_in_the_place_of_the_one_before(desktop: Desktop) -> None:
    with Trader(desktop) as trader:
        trader.settings(policy="notify", warn_before=["1h", "6s", "3s", "0s"])
        trader.write_file("a-token-that-ended-long-ago", -3600)
        trader.start_tray()
        trader.sees("The token has expired")
        trader.put("a-token-that-lives-for-seconds", 9)
        trader.sees("Less than a minute left")

        desktop.wait_for(lambda: len(shown(desktop)) >= 3, "three notices", 20)
        trader.sees("The token has expired")
        first, second, last = shown(desktop)
        assert (first.replaces_id, second.replaces_id, last.replaces_id) == (0, first.id, first.id)
        assert "ends in" in first.summary
        assert "ends in" in second.summary
        assert last.summary == "The Kiwoom token has expired"
        assert {notice.app for notice in shown(desktop)} == {"kiwoom-token-tray"}
        assert last.urgency == 2
        assert trader.issues == 0, "it only warns"
        assert len(desktop.bubbles()) == 1

        trader.put("a-token-that-lives-for-long", 86400)
        trader.sees("left (until")
        trader.put("one-more-for-seconds", 4)
        desktop.wait_for(lambda: len(shown(desktop)) > 3, "a notice about the next token", 20)
        assert shown(desktop)[3].replaces_id == last.id


def test_click_on_a_notice_opens_the_window(desktop: Desktop) -> None:
    with Trader(desktop) as trader:
        trader.settings(policy="notify", warn_before=["20m"])
        trader.start_tray()
        trader.sees("No token")
        trader.write_file("a-token", 1201.5)
        notice = desktop.notice("ends in")
        assert trader.windows() == []
        desktop.bubble(notice)
        desktop.screenshot("tray notice en")
        desktop.click_notice(notice, "default")
        trader.window()


def test_notice_in_korean(desktop: Desktop) -> None:
    with Trader(desktop) as trader:
        trader.settings(policy="notify", warn_before=["20m"])
        trader.start_tray(LANG="ko_KR.UTF-8")
        desktop.item()
        trader.write_file("a-token", 1201.5)
        notice = desktop.notice("키움")
        assert "(KST)" in notice.body
        assert list(notice.actions.values()) == ["열기"]
        desktop.bubble(notice)
        desktop.screenshot("tray notice ko")


def test_what_was_over_before_anybody_looked_is_no_news(desktop: Desktop) -> None:
    with Trader(desktop) as trader:
        trader.settings(policy="notify", warn_before=["30m", "10m", "5m", "0m"])
        trader.write_file("a-token-that-ended-long-ago", -10)
        trader.start_tray()
        trader.sees("The token has expired")
        trader.write_file("a-token-with-thresholds-behind-it", 1201.5)
        trader.sees("20 min left")
        trader.done("clear")
        trader.sees("No token")
        trader.idle()
        assert shown(desktop) == []


def test_without_a_notification_daemon_everything_else_goes_on(make_desktop: MakeDesktop) -> None:
    """The bus has nobody who takes notices, as on a bare window manager."""
    desktop = make_desktop(notifications=False, keyring=False)
    with Trader(desktop) as trader:
        trader.settings(policy="notify", warn_before=["20m", "19m"])
        program = trader.start_tray()
        trader.sees("No token")
        trader.write_file("a-token", 1201.5)
        desktop.wait_for(lambda: [one for one in desktop.notices() if one.error], "a refused notice")
        assert "left (until" in desktop.menu()[0].label  # Qt shows its own notice as the icon's tooltip meanwhile
        desktop.choose("Quit")
        assert trader.ends(program) == 0
