"""Notices: each threshold once, one in the place of the other, and a way to the window."""

from __future__ import annotations

import time
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
        assert "token expires" in first.summary
        assert "token expires" in second.summary
        assert last.summary == "[Real] The Kiwoom token has expired"
        assert {notice.app for notice in shown(desktop)} == {"kiwoom-token-tray"}
        assert last.urgency == 2
        assert trader.issues == 0, "it only warns"
        assert len(desktop.bubbles()) == 1

        trader.put("a-token-that-lives-for-long", 86400)
        good = desktop.notice("works again")
        assert (good.replaces_id, good.urgency) == (last.id, 1)
        assert len(desktop.bubbles()) == 1
        trader.put("one-more-for-seconds", 4)
        desktop.wait_for(lambda: len(shown(desktop)) > 4, "a notice about the next token", 20)
        assert shown(desktop)[4].replaces_id == last.id
        assert len(desktop.bubbles()) == 1


def test_click_on_a_notice_opens_the_window(desktop: Desktop) -> None:
    with Trader(desktop) as trader:
        trader.settings(policy="notify", warn_before=["20m"])
        trader.start_tray()
        trader.sees("No token")
        trader.write_file("a-token", 1204)
        notice = desktop.notice("token expires")
        assert trader.windows() == []
        desktop.bubble(notice)
        desktop.screenshot("tray notice en")
        desktop.click_notice(notice, "default")
        trader.window()


def test_notice_in_korean(desktop: Desktop) -> None:
    with Trader(desktop) as trader:
        trader.settings(policy="notify", warn_before=["20m"])
        trader.start_tray(LANG="ko_KR.UTF-8")
        trader.sees("토큰 없음")
        trader.write_file("a-token", 1204)
        notice = desktop.notice("키움")
        assert notice.summary.startswith("[실전] 키움 토큰 ")
        assert notice.summary.endswith(" 만료")
        assert notice.body.startswith("20분 남았습니다. ")
        assert notice.actions["default"] == "열기"
        assert list(notice.actions.values()) == ["지금 폐기 후 재발급…", "나중에 알림", "열기"]
        desktop.bubble(notice)
        desktop.screenshot("tray notice ko")


def test_what_was_over_before_anybody_looked_is_no_news(desktop: Desktop) -> None:
    with Trader(desktop) as trader:
        trader.settings(policy="notify", warn_before=["30m", "10m", "5m", "0m"])
        trader.write_file("a-token-that-ended-long-ago", -10)
        trader.start_tray()
        trader.sees("The token has expired")
        trader.write_file("a-token-with-thresholds-behind-it", 1230)
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
        trader.write_file("a-token", 1204)
        trader.sees("left (until")
        bubble = desktop.window("[Real] Kiwoom token expires")
        assert bubble.height > 50
        desktop.screenshot("tray notice without a daemon")
        desktop.choose("Quit")
        assert trader.ends(program) == 0


def test_refresh_on_a_notice_asks_kiwoom_and_the_warning_goes(desktop: Desktop) -> None:
    with Trader(desktop) as trader:
        trader.settings(policy="notify", warn_before=["0m"])
        trader.start_tray()
        trader.sees("No token")
        trader.write_file("a-token", 6)
        desktop.click_notice(desktop.notice("has expired"), "issue")
        trader.sees("23 h")
        assert trader.issues == 1
        desktop.notice("works again")
        trader.idle()
        assert len(desktop.bubbles()) == 1, "the warning is gone"
        assert len(shown(desktop)) == 2
        assert trader.windows() == []


def test_warning_goes_when_another_program_renews(desktop: Desktop) -> None:
    with Trader(desktop) as trader:
        trader.settings(policy="notify", warn_before=["20m"])
        trader.start_tray()
        trader.sees("No token")
        trader.write_file("a-token", 1204)
        desktop.bubble(desktop.notice("token expires"))
        trader.put("a-token-that-lives-for-long", 86400)
        desktop.wait_for(lambda: not desktop.bubbles(), "no bubble")
        assert len(shown(desktop)) == 1


def test_snooze_on_a_notice_keeps_the_next_warning_back_until_there_is_another_token(desktop: Desktop) -> None:
    with Trader(desktop) as trader:
        trader.settings(policy="notify", warn_before=["20m", "1184s"])
        trader.start_tray()
        trader.sees("No token")
        second_warning = time.time() + 1204 - 1184
        trader.write_file("a-token", 1204)
        desktop.click_notice(desktop.notice("token expires"), "snooze-1800")
        desktop.wait_for(lambda: not desktop.bubbles(), "no bubble")
        assert time.time() < second_warning
        time.sleep(second_warning + 1.5 - time.time())
        assert len(shown(desktop)) == 1
        trader.write_file("another-token", 1204)
        desktop.wait_for(lambda: len(shown(desktop)) == 2, "a warning about the next token")


def test_failure_is_told_once_and_then_that_it_is_good_again(desktop: Desktop) -> None:
    with Trader(desktop) as trader:
        trader.settings(policy="auto", warn_before=["0s"])
        trader.start_tray()
        trader.sees("23 h")
        trader.idle()
        trader.sandbox.set_fault("http-503", on="issue")
        trader.write_file("a-token-that-is-to-be-renewed", 5)
        failed = desktop.notice("could not be renewed", 60)
        assert failed.urgency == 2
        assert "Kiwoom" in failed.body
        desktop.bubble(failed)
        desktop.screenshot("tray notice failed en")
        trader.sandbox.clear_faults()
        good = desktop.notice("works again", 60)
        desktop.bubble(good)
        desktop.screenshot("tray notice good en")
        assert good.replaces_id == failed.id
        assert [notice.summary for notice in shown(desktop)] == [failed.summary, good.summary]


def test_a_daemon_that_was_started_anew_gets_no_number_of_the_old_one(desktop: Desktop) -> None:
    with Trader(desktop) as trader:
        trader.settings(policy="notify", warn_before=["20m", "0s"])
        trader.start_tray()
        trader.sees("No token")
        trader.write_file("a-token", 1204)
        first = desktop.notice("token expires")
        desktop.notifications_stop()
        desktop.notifications_start()
        trader.write_file("another-token", 6)
        last = desktop.notice("has expired")
        assert (first.replaces_id, last.replaces_id) == (0, 0)
        trader.put("a-token-that-lives-for-long", 86400)
        good = desktop.notice("works again")
        assert good.replaces_id == last.id


def test_no_bubble_outlives_the_program(desktop: Desktop) -> None:
    with Trader(desktop) as trader:
        trader.settings(policy="notify", warn_before=["20m"])
        program = trader.start_tray()
        trader.sees("No token")
        trader.write_file("a-token", 1204)
        notice = desktop.notice("token expires")
        desktop.bubble(notice)
        desktop.choose("Quit")
        assert trader.ends(program) == 0
        desktop.wait_for(lambda: notice.closed == 3, "the end of the bubble")
