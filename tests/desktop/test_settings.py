"""What is set on the command line or written into the file holds in the running tray at once."""

from __future__ import annotations

import re
from pathlib import Path

from .session import Desktop
from .trader import Trader
from .tray import find_entry

HANGUL = re.compile("[가-힣]")


def labels(trader: Trader) -> list[str]:
    return [entry.label for entry in trader.desktop.menu() if entry.visible and not entry.separator]


def renewal(trader: Trader) -> str:
    """The entry of the menu that is chosen under Renewal, by its place."""
    entries = [one for one in find_entry(trader.desktop.menu(), "Renewal").children if one.toggle]
    (chosen,) = [number for number, one in enumerate(entries) if one.checked]
    return ("notify", "auto", "daily")[chosen]


def test_the_command_line_changes_the_language_of_the_tray(desktop: Desktop) -> None:
    with Trader(desktop) as trader:
        program = trader.start_tray()
        trader.sees("left")

        trader.done("config", "set", "language", "ko")
        desktop.wait_for(lambda: HANGUL.search(trader.tooltip()), "a Korean tooltip")
        desktop.wait_for(lambda: HANGUL.search(labels(trader)[-1]), "a Korean menu")

        trader.done("config", "unset", "language")
        trader.sees("left")
        assert trader.words(program) == []


def test_policy_set_by_the_command_line_or_by_hand_is_the_one_that_the_menu_shows(desktop: Desktop) -> None:
    with Trader(desktop) as trader:
        trader.start_tray()
        trader.sees("left")
        assert renewal(trader) == "auto"

        trader.done("config", "set", "policy", "notify")
        desktop.wait_for(lambda: renewal(trader) == "notify", "another policy")

        trader.settings(policy="daily 06:30")
        desktop.wait_for(lambda: renewal(trader) == "daily", "another policy")
        assert trader.done("config", "get", "policy") == "daily 06:30\n"


def test_broken_line_is_told_and_the_rest_of_the_file_holds(desktop: Desktop) -> None:
    with Trader(desktop) as trader:
        trader.start_tray()
        trader.sees("left")
        file = trader.config / "settings.toml"
        trader.config.mkdir(exist_ok=True)

        file.write_text('theme = \npolicy = "notify"\n', encoding="utf-8")

        desktop.wait_for(lambda: renewal(trader) == "notify", "another policy")
        refused = trader.cli("config", "set", "theme", "dark")
        assert refused.returncode == 2
        assert "line 1" in refused.stderr
        assert file.read_text(encoding="utf-8") == 'theme = \npolicy = "notify"\n'


def test_valid_token_moves_with_the_store_and_the_tray_goes_on(desktop: Desktop) -> None:
    with Trader(desktop) as trader:
        del trader.environment["KIWOOM_TRAY_STORE"]
        trader.settings(policy="notify")
        trader.start_tray()
        trader.sees("No token")
        trader.put("a-token-of-the-command-line", 7230)
        trader.sees("2 h left")
        assert trader.in_keyring() == "a-token-of-the-command-line"

        said = trader.done("config", "set", "store", "file")

        assert "until they are restarted" in said
        desktop.wait_for(lambda: trader.in_file() == "a-token-of-the-command-line", "the token in the file")
        desktop.wait_for(lambda: trader.in_keyring() is None, "an empty keyring")
        trader.put("another-token-in-the-file", 10_830)
        trader.sees("3 h left")
        trader.agrees()
        assert trader.issues == 0


def test_what_is_chosen_in_the_window_holds_at_once(desktop: Desktop) -> None:
    with Trader(desktop) as trader:
        program = trader.start_tray()
        trader.sees("left")
        desktop.choose("Settings…")
        window = desktop.window("Settings")
        file = trader.config / "settings.toml"

        trader.press(window, "alt+w", until=lambda: 'policy = "notify"' in read(file))
        desktop.wait_for(lambda: renewal(trader) == "notify", "another policy")
        desktop.screenshot("settings")

        trader.done("config", "set", "policy", "auto")
        desktop.wait_for(lambda: renewal(trader) == "auto", "another policy")
        trader.press(window, "alt+w", until=lambda: 'policy = "notify"' in read(file))

        trader.press(window, "Escape", until=lambda: not any("Settings" in title for title in trader.windows()))
        assert trader.words(program) == []


def read(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.exists() else ""
