"""What helps is the main button, the first button of the notice and an entry of the menu; each click is answered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tray_app.kiwoom.sandbox import SANDBOX_APP_KEY, SANDBOX_APP_SECRET

from .session import Desktop
from .trader import Trader


@pytest.fixture
def trader(desktop: Desktop) -> Iterator[Trader]:
    with Trader(desktop) as one:
        yield one


def remedy(trader: Trader) -> tuple[str, bool]:
    """The entry of the menu that says what helps."""
    entry = [one for one in trader.desktop.menu() if one.visible and not one.separator][1]
    return entry.label, entry.enabled


def test_where_nothing_is_wrong_there_is_nothing_to_fix(trader: Trader) -> None:
    trader.start_tray()
    trader.sees("left")
    trader.idle()
    assert remedy(trader) == ("Nothing to fix", False)
    assert "what helps: nothing to do" in trader.cli("doctor").stdout


@pytest.mark.parametrize(
    ("code", "text", "helps"),
    [
        ("8001", "앱키 입력…", "앱키 입력: kiwoom-token login --mode real"),
        ("8030", "이 키로 모의 확인", "이 키로 모의 확인: kiwoom-token login --mode demo"),
        ("8050", "이 IP 등록하기…", "이 IP 등록하기: openapi.kiwoom.com > API 사용신청"),
    ],
)
def test_menu_notice_and_doctor_offer_the_same(trader: Trader, code: str, text: str, helps: str) -> None:
    trader.sandbox.set_fault(code)
    trader.start_tray(LANG="ko_KR.UTF-8")
    notice = trader.desktop.notice("[실전]", 30)
    assert list(notice.actions.values()) == [text, "나중에 알림", "열기"]
    trader.sees(code)
    assert remedy(trader) == (text, True)
    trader.desktop.activate()
    trader.desktop.window("키움 토큰 트레이")
    trader.desktop.screenshot(f"remedy {code} ko")
    assert helps in trader.cli("doctor", LANG="ko_KR.UTF-8").stdout


def test_token_that_cannot_be_stored_is_told_and_a_click_offers_another_folder(trader: Trader) -> None:
    trader.start_tray(KIWOOM_TRAY_DATA_DIR="/proc/data")  # where not even root makes files
    notice = trader.desktop.notice("could not be stored", 30)
    assert next(iter(notice.actions.values())) == "Choose a folder…"
    trader.desktop.bubble(notice)
    trader.desktop.screenshot("token not stored en")
    trader.desktop.click_notice(notice, "choose-folder")
    trader.desktop.window("Folder for the token")


def test_key_of_the_other_mode_is_tried_there_by_a_click(desktop: Desktop) -> None:
    with Trader(desktop, keys=False) as trader:
        trader.sandbox.set_fault("8030", times=1)
        trader.done(
            "login", "--mode", "real", "--stdin", "--no-check", stdin=f"{SANDBOX_APP_KEY}\n{SANDBOX_APP_SECRET}"
        )
        trader.start_tray()
        desktop.notice("other mode", 30)
        trader.desktop.choose("Try this key for mock trading")
        trader.sees("Mock", "left")
        assert trader.status()["mode"] == "demo"


def test_check_from_the_menu_is_answered_in_a_notice(trader: Trader) -> None:
    trader.start_tray(LANG="ko_KR.UTF-8")
    trader.sees("23시간")
    trader.desktop.wait_for(
        lambda: any(one.label == "키움에 확인" and one.enabled for one in trader.desktop.menu()), "an idle program"
    )
    trader.desktop.choose("키움에 확인")
    answer = trader.desktop.notice("키움 토큰")
    assert answer.body.startswith("키움 확인: 아직 유효합니다. 만료 시각은 그대로 ")
    trader.desktop.bubble(answer)
    trader.desktop.screenshot("check answered ko")
    trader.desktop.choose("토큰 복사")
    copied = trader.desktop.wait_for(
        lambda: next((one for one in trader.desktop.notices() if "30초" in one.body), None), "that it was copied"
    )
    assert copied.body == "토큰을 복사했습니다. 30초 뒤 클립보드에서 지워집니다."


def test_keys_are_entered_without_typing(desktop: Desktop) -> None:
    downloads = desktop.home / "Downloads"
    downloads.mkdir()
    for part, text in (("appkey", SANDBOX_APP_KEY), ("secretkey", SANDBOX_APP_SECRET)):
        Path(downloads, f"12345678_{part}.txt").write_text(text)
    with Trader(desktop, keys=False) as trader:
        trader.start_tray()
        trader.desktop.notice("Enter the Kiwoom app key", 30)
        trader.desktop.choose("Enter the app key…")
        dialog = desktop.window("Kiwoom app key")
        desktop.screenshot("keys offered", dialog)
        trader.press(dialog, "alt+d", "alt+k", until=lambda: trader.issues)
        trader.sees("left")
        desktop.wait_for(
            lambda: desktop.secret_lookup("kiwoom-real", "appkey") == SANDBOX_APP_KEY, "the keys in the keyring", 30
        )
        desktop.wait_for(lambda: not [one for one in trader.windows() if "app key" in one], "the end of the dialog")
