"""Token and keys in the real Secret Service: unlocked, locked, hung, gone and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.keepassxc import KeePassXC
from tray_app.kiwoom.sandbox import SANDBOX_APP_KEY, SANDBOX_APP_SECRET

from . import secret_service
from .session import PASSWORD, Desktop
from .trader import TITLE, Trader

LOCKED = "The keyring is locked"
SILENT = "The keyring does not answer"
MISSING = "This computer has no keyring"


@pytest.fixture
def trader(desktop: Desktop) -> Iterator[Trader]:
    with Trader(desktop, store="auto") as one:
        yield one


def unlock_from_the_window(trader: Trader) -> None:
    window = trader.open_window()
    trader.press(window, "alt+e", until=trader.desktop.keyring_prompts)


def test_login_puts_keys_and_token_into_the_keyring_and_the_tray_finds_both(desktop: Desktop) -> None:
    with Trader(desktop, store="auto", keys=False) as trader:
        said = trader.done("login", "--mode", "demo", "--stdin", stdin=f"{SANDBOX_APP_KEY}\n{SANDBOX_APP_SECRET}\n")
        assert "keyring" in said
        assert desktop.secret_lookup("kiwoom-demo", "appkey") == SANDBOX_APP_KEY
        assert desktop.secret_lookup("kiwoom-demo", "secretkey") == SANDBOX_APP_SECRET
        token = trader.in_keyring()
        assert token
        assert not trader.file.exists()
        trader.start_tray()
        trader.sees("Mock", "23 h")
        assert trader.issues == 1, "the tray took the token that was there"
        assert trader.agrees()["store"] == "keyring"

        trader.idle()
        desktop.choose("Remove or revoke token…")
        trader.answer("Remove the token", "alt+r", "alt+m")
        trader.sees("No token")
        trader.idle()
        assert trader.in_keyring() is None
        desktop.choose("Issue a token")
        trader.sees("23 h")
        assert trader.in_keyring() not in {None, token}
        assert not trader.file.exists()
        assert desktop.keyring_prompts() == []


def test_locked_keyring_is_told_and_unlocking_moves_the_token_into_it(trader: Trader) -> None:
    desktop = trader.desktop
    desktop.keyring_lock()
    trader.start_tray()
    trader.sees("left", LOCKED)
    token = trader.in_file()
    assert token
    assert trader.agrees()["store"] == "file"
    assert desktop.keyring_prompts() == [], "nobody asked for a password"

    unlock_from_the_window(trader)
    desktop.screenshot("tray keyring prompt")
    desktop.keyring_unlock()
    desktop.wait_for(lambda: trader.in_keyring() == token, "the token in the keyring")
    desktop.wait_for(lambda: not trader.file.exists(), "no file")
    desktop.wait_for(lambda: LOCKED not in trader.tooltip(), "a tooltip without the complaint")
    assert trader.agrees()["store"] == "keyring"
    assert trader.issues == 1


def test_unlocked_by_the_login_after_the_start_it_goes_on_by_itself(desktop: Desktop) -> None:
    with Trader(desktop, store="keyring", keys=False) as trader:
        desktop.secret_store("kiwoom-real", "appkey", SANDBOX_APP_KEY)
        desktop.secret_store("kiwoom-real", "secretkey", SANDBOX_APP_SECRET)
        desktop.keyring_lock()
        trader.start_tray()
        trader.sees("No token", "keyring")

        secret_service.unlock_silently(desktop.bus, PASSWORD)

        trader.sees("23 h")
        desktop.wait_for(trader.in_keyring, "the token in the keyring")
        assert desktop.keyring_prompts() == []


def test_a_token_in_the_file_moves_once_the_keyring_is_unlocked_by_another(trader: Trader) -> None:
    trader.desktop.keyring_lock()
    trader.start_tray()
    trader.sees("left", LOCKED)
    token = trader.in_file()

    secret_service.unlock_silently(trader.desktop.bus, PASSWORD)

    trader.desktop.wait_for(lambda: trader.in_keyring() == token, "the token in the keyring")
    trader.desktop.wait_for(lambda: LOCKED not in trader.tooltip(), "a tooltip without the complaint")
    assert not trader.file.exists()
    assert trader.issues == 1


def test_keepassxc_is_asked_once_by_the_button_and_nothing_is_in_plain_text(
    make_desktop: Callable[..., Desktop],
) -> None:
    desktop = make_desktop(keyring=False)
    with KeePassXC(desktop.address) as keepassxc, Trader(desktop, store="auto") as trader:
        trader.settings(policy="notify", verify="off")
        trader.put("a-token-of-keepassxc", 7230)
        for _ in range(2):
            failed = trader.cli("get")
            assert (failed.returncode, failed.stdout) == (6, "")
            assert "asking for permission" in failed.stderr
        trader.start_tray()
        trader.sees("cannot be read", "asking for permission")
        assert keepassxc.asked == 0, "nobody was there to answer"

        window = trader.open_window()
        trader.press(window, "alt+e", until=lambda: keepassxc.open)
        keepassxc.allow()

        trader.sees("2 h left")
        assert (keepassxc.asked, trader.issues) == (1, 0)
        assert not trader.file.exists()


def test_refused_password_is_told_and_harmless(trader: Trader) -> None:
    desktop = trader.desktop
    desktop.keyring_lock()
    trader.start_tray()
    trader.sees("left", LOCKED)
    token = trader.in_file()
    unlock_from_the_window(trader)
    trader.sees("Waiting for the keyring")
    desktop.keyring_refuse()
    trader.sees("left", f"{LOCKED}. Unlock it.")
    trader.idle()
    assert trader.in_file() == token
    assert desktop.keyring_locked()
    assert trader.agrees()["is_valid"]
    assert not desktop.keyring_prompts()

    unlock_from_the_window(trader)
    desktop.keyring_unlock()
    desktop.wait_for(lambda: trader.in_keyring() == token, "the token in the keyring")


def test_token_in_the_keyring_is_there_again_after_unlocking(trader: Trader) -> None:
    """The keyring was locked after the last write: the token in it is not to be had, and none is issued in vain."""
    desktop = trader.desktop
    trader.settings(policy="notify", verify="off")
    trader.put("a-token-in-the-keyring", 7230)
    assert trader.in_keyring() == "a-token-in-the-keyring"
    desktop.keyring_lock()
    trader.start_tray()
    trader.sees("cannot be read", LOCKED)
    unlock_from_the_window(trader)
    desktop.keyring_unlock()
    trader.sees("2 h left")
    assert trader.agrees()["store"] == "keyring"
    assert trader.issues == 0


def test_keys_in_a_locked_keyring_are_used_after_unlocking(desktop: Desktop) -> None:
    with Trader(desktop, store="auto", keys=False) as trader:
        desktop.secret_store("kiwoom-real", "appkey", SANDBOX_APP_KEY)
        desktop.secret_store("kiwoom-real", "secretkey", SANDBOX_APP_SECRET)
        desktop.keyring_lock()
        trader.start_tray()
        trader.sees("No token", "keyring")
        trader.idle()
        assert desktop.keyring_prompts() == []
        unlock_from_the_window(trader)
        desktop.keyring_unlock()
        trader.sees("23 h")
        desktop.wait_for(trader.in_keyring, "the token in the keyring")
        assert trader.issues == 1


def test_icon_is_there_before_a_hung_keyring_answers_and_the_token_works_from_the_file(trader: Trader) -> None:
    desktop = trader.desktop
    desktop.keyring_freeze()
    trader.start_tray()
    assert desktop.item().id == "kiwoom-token-tray"
    trader.sees("left", SILENT)
    token = trader.in_file()
    assert trader.done("get").strip() == token
    trader.open_window()

    desktop.keyring_thaw()
    trader.done("refresh", "--rotate")
    desktop.wait_for(lambda: trader.in_keyring() not in {None, token}, "the next token in the keyring")
    desktop.wait_for(lambda: not trader.file.exists(), "no file")
    desktop.wait_for(lambda: SILENT not in trader.tooltip(), "a tooltip without the complaint")
    assert trader.agrees()["store"] == "keyring"
    assert desktop.keyring_prompts() == []


def test_program_ends_at_once_while_the_keyring_hangs(trader: Trader) -> None:
    trader.desktop.keyring_freeze()
    program = trader.start_tray()
    trader.desktop.item()
    trader.desktop.choose("Quit")
    assert trader.ends(program) == 0


def test_terminated_while_the_password_is_asked_for_it_ends_at_once(trader: Trader) -> None:
    trader.desktop.keyring_lock()
    program = trader.start_tray()
    trader.sees("left", LOCKED)
    unlock_from_the_window(trader)
    program.terminate()
    assert trader.ends(program) == 0


def test_a_token_that_expires_while_the_keyring_with_the_keys_hangs_is_renewed_once_it_answers(
    desktop: Desktop,
) -> None:
    with Trader(desktop, store="auto", keys=False, lifetime=10) as trader:
        desktop.secret_store("kiwoom-real", "appkey", SANDBOX_APP_KEY)
        desktop.secret_store("kiwoom-real", "secretkey", SANDBOX_APP_SECRET)
        trader.start_tray()
        trader.sees("left")
        issues = trader.issues

        desktop.keyring_freeze()
        trader.sees("the app key cannot be read", timeout=40)
        desktop.keyring_thaw()

        desktop.wait_for(lambda: trader.issues > issues, "another token", timeout=30)
        trader.sees("left")


def test_keyring_that_dies_and_comes_back(trader: Trader) -> None:
    desktop = trader.desktop
    desktop.keyring_kill()
    trader.start_tray()
    trader.sees("left", MISSING)
    assert trader.agrees()["store"] == "file"
    desktop.keyring_start()
    trader.done("refresh", "--rotate")
    desktop.wait_for(trader.in_keyring, "the token in the keyring")
    desktop.wait_for(lambda: MISSING not in trader.tooltip(), "a tooltip without the complaint")
    assert not trader.file.exists()

    desktop.keyring_kill()
    trader.sandbox.behaviour.reissue = "new"
    trader.put(trader.sandbox.issue_elsewhere(), 7230)  # one that works, since the tray may ask about it
    trader.sees("2 h left")
    assert trader.agrees()["store"] == "file"


def test_no_password_is_asked_for_unless_the_user_wants_it(trader: Trader) -> None:
    desktop = trader.desktop
    desktop.keyring_lock()
    trader.start_tray()
    trader.sees("left", LOCKED)
    trader.idle()
    before = trader.asked
    desktop.choose("Check with Kiwoom")
    desktop.wait_for(lambda: trader.asked > before, "a request")
    trader.idle()
    trader.put("a-token-of-the-command-line", 7230)
    trader.sees("2 h left")
    trader.done("get")
    desktop.choose("Remove or revoke token…")
    trader.answer("Remove the token", "alt+m")
    trader.sees("No token")
    trader.idle()
    assert desktop.keyring_prompts() == []
    assert [one for one in trader.windows() if one != TITLE] == []
    assert desktop.keyring_locked()
