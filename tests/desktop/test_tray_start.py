"""Starting where not everything is ready: no panel yet, no panel ever, a second start, no screen."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from jeepney import DBusAddress, new_signal
from jeepney.io.blocking import open_dbus_connection

from .session import Desktop, Program
from .trader import TITLE, Trader

MakeDesktop = Callable[..., Desktop]


@pytest.fixture
def trader(desktop: Desktop) -> Iterator[Trader]:
    with Trader(desktop) as one:
        yield one


def kill(program: Program) -> None:
    os.kill(program.pid, signal.SIGKILL)
    program.wait(30)


def minimised(trader: Trader) -> bool:
    known = trader.desktop.screen.run("xdotool", "search", "--name", TITLE).split()
    states = [trader.desktop.screen.run("xprop", "-id", one, "_NET_WM_STATE") for one in known]
    return any("_NET_WM_STATE_HIDDEN" in state for state in states)


def places(trader: Trader) -> set[str]:
    """The locks and sockets of running programs, and of killed ones."""
    return {path.name for path in trader.desktop.runtime.glob("kiwoom-*")}


def hears(program: Program, one: signal.Signals) -> bool:
    """Whether the process has a handler of its own for the signal: until then Python itself is starting."""
    lines = Path(f"/proc/{program.pid}/status").read_text().splitlines()
    (caught,) = [line.split()[1] for line in lines if line.startswith("SigCgt")]
    return bool(int(caught, 16) >> (one - 1) & 1)


def test_icon_comes_with_a_late_panel_and_again_with_each_next_one(trader: Trader) -> None:
    desktop = trader.desktop
    desktop.panel_stop()
    trader.start_tray("--background")
    desktop.wait_for(trader.in_file, "a token")
    desktop.wait_for(lambda: minimised(trader), "a window in place of the icon")
    for _time in range(2):
        desktop.panel_start()
        assert desktop.item().id == "kiwoom-token-tray", "one icon, no more"
        trader.sees("left")
        assert [entry.label for entry in desktop.menu() if entry.label][-1] == "Quit"
        desktop.wait_for(lambda: not minimised(trader), "no window, now that there is an icon")
        desktop.panel_stop()
        desktop.wait_for(lambda: not desktop.items(), "no icon")
    desktop.panel_start()
    desktop.choose("Open")
    trader.window()


def test_without_a_panel_the_window_is_there_and_is_not_lost_by_closing_it(make_desktop: MakeDesktop) -> None:
    desktop = make_desktop(panel=False, notifications=False, keyring=False)
    with Trader(desktop) as trader:
        program = trader.start_tray()
        window = trader.window()
        desktop.wait_for(trader.in_file, "a token")
        before = trader.asked
        trader.press(window, "alt+k", until=lambda: trader.asked > before)
        desktop.screenshot("tray without a panel", window)
        trader.press(window, "Escape", until=lambda: not trader.windows())
        assert minimised(trader)
        assert program.poll() is None
        second = trader.start_tray()
        assert trader.ends(second) == 0
        trader.window()

        desktop.panel_start()
        desktop.item()
        window = trader.window()
        trader.press(window, "Escape", until=lambda: not trader.windows())
        assert not minimised(trader), "closed, because now there is an icon"
        program.terminate()
        assert trader.ends(program) == 0


@pytest.mark.parametrize("way", ["signal", "--quit", "button"])
def test_without_a_panel_it_ends_when_it_is_asked_to(make_desktop: MakeDesktop, way: str) -> None:
    desktop = make_desktop(panel=False, notifications=False, keyring=False)
    with Trader(desktop) as trader:
        program = trader.start_tray()
        window = trader.window()
        if way == "signal":
            program.terminate()
        elif way == "button":
            trader.press(window, "alt+q", until=lambda: program.poll() is not None)
        else:
            assert trader.ends(trader.start_tray("--quit")) == 0
        assert trader.ends(program) == 0


def test_second_start_shows_the_window_of_the_first_and_ends(trader: Trader) -> None:
    first = trader.start_tray()
    trader.sees("left")
    assert trader.windows() == []
    second = trader.start_tray()
    assert trader.ends(second) == 0
    assert trader.words(second) == ["It is running already; its window is shown."]
    trader.window()
    assert first.poll() is None
    assert trader.desktop.item().id == "kiwoom-token-tray", "one icon"


def test_start_for_the_background_leaves_the_window_of_the_first_alone(trader: Trader) -> None:
    first = trader.start_tray("--background")
    trader.sees("left")
    second = trader.start_tray("--background")
    assert trader.ends(second) == 0
    assert trader.words(second) == ["It is running already."]
    third = trader.start_tray("--show")
    assert trader.ends(third) == 0
    trader.window()
    assert first.poll() is None


def test_what_is_clicked_as_soon_as_the_icon_is_there_is_done(trader: Trader) -> None:
    trader.start_tray("--background")
    trader.desktop.activate(trader.desktop.wait_for(trader.desktop.items, "the icon")[0])
    trader.window()


def test_quit_chosen_as_soon_as_the_icon_is_there_quits(trader: Trader) -> None:
    program = trader.start_tray("--background")
    trader.desktop.choose("Quit", item=trader.desktop.wait_for(trader.desktop.items, "the icon")[0])
    assert trader.ends(program) == 0


def test_show_starts_with_the_window(trader: Trader) -> None:
    trader.start_tray("--show")
    trader.window()
    trader.sees("left")


def test_quit_ends_the_running_program_and_leaves_nothing_behind(trader: Trader) -> None:
    before = places(trader)
    first = trader.start_tray()
    trader.sees("left")
    other = trader.start_tray(KIWOOM_TRAY_DATA_DIR=str(trader.data / "other"))
    trader.desktop.wait_for(lambda: len(trader.desktop.items()) == 2, "two icons")
    asked = trader.start_tray("--quit")
    assert trader.ends(asked) == 0
    assert trader.words(asked) == ["It has quit."]
    assert trader.ends(first) == 0
    assert other.poll() is None
    assert trader.ends(trader.start_tray("--quit", KIWOOM_TRAY_DATA_DIR=str(trader.data / "other"))) == 0
    assert trader.ends(other) == 0
    assert places(trader) <= before
    again = trader.start_tray("--quit")
    assert trader.ends(again) == 0
    assert trader.words(again) == ["It is not running."]


def test_quit_needs_no_screen_and_says_when_nothing_comes_of_it(trader: Trader) -> None:
    first = trader.start_tray()
    trader.sees("left")
    os.kill(first.pid, signal.SIGSTOP)
    asked = trader.start_tray("--quit", DISPLAY="")
    assert trader.ends(asked, 40) == 1
    (line,) = trader.words(asked)
    assert "does not quit" in line
    os.kill(first.pid, signal.SIGCONT)
    assert trader.ends(first) == 0, "it was asked, and does so now"


def test_program_that_is_asked_to_end_while_it_starts_ends_in_order(trader: Trader) -> None:
    before = places(trader)
    statuses = []
    for tenths in range(6):
        program = trader.start_tray()
        trader.desktop.wait_for(partial(hears, program, signal.SIGTERM), "a program that has begun")
        time.sleep(tenths / 10)
        program.terminate()
        statuses.append(trader.ends(program))
        assert trader.words(program) == []
    assert statuses == [0] * len(statuses)
    assert places(trader) <= before


def test_computer_that_shuts_down_ends_the_program_in_order(trader: Trader) -> None:
    program = trader.start_tray()
    trader.sees("left")
    login = DBusAddress("/org/freedesktop/login1", interface="org.freedesktop.login1.Manager")

    def told() -> bool:
        bus = open_dbus_connection(trader.desktop.address)
        bus.send(new_signal(login, "PrepareForShutdown", "b", (True,)))
        bus.close()
        return program.poll() is not None

    trader.desktop.wait_for(told, "the end of the program")
    assert program.returncode == 0


def test_killed_program_does_not_keep_the_next_one_out(trader: Trader) -> None:
    first = trader.start_tray()
    trader.sees("left")
    kill(first)
    trader.desktop.wait_for(lambda: not trader.desktop.items(), "no icon")
    second = trader.start_tray()
    trader.sees("left")
    assert second.poll() is None
    third = trader.start_tray()
    assert trader.ends(third) == 0
    trader.window()


def test_other_data_folder_is_another_program(trader: Trader) -> None:
    trader.start_tray()
    trader.sees("left")
    trader.start_tray(KIWOOM_TRAY_DATA_DIR=str(trader.data / "other"))
    trader.desktop.wait_for(lambda: len(trader.desktop.items()) == 2, "two icons")


@pytest.mark.parametrize("display", ["", ":4711"])
def test_without_a_screen_it_watches_in_the_terminal_and_says_so(trader: Trader, display: str) -> None:
    program = trader.start_tray(DISPLAY=display)
    trader.desktop.wait_for(lambda: "it expires" in program.output(), "a line about the token", 20)
    assert "in this terminal" in program.error_output()
    assert trader.desktop.items() == []
    trader.done("clear")
    trader.desktop.wait_for(lambda: "There is no token" in program.output(), "a line about the clear")
    os.kill(program.pid, signal.SIGINT)
    assert trader.ends(program) == 0
    assert "Traceback" not in program.error_output()


def test_wrong_arguments_and_settings_are_told_before_anything_starts(trader: Trader) -> None:
    for arguments, environment in (
        (["--nonsense"], {}),
        (["--profile", "../../x"], {}),
        (["--sandbox", "--lifetime", "nan"], {}),
        ([], {"KIWOOM_TRAY_BASE_URL": "http://example.com"}),
    ):
        program = trader.start_tray(*arguments, **environment)
        assert trader.ends(program) == 2, arguments
        (line,) = trader.words(program)
        assert "Traceback" not in line


def test_damaged_settings_are_told_and_the_rest_goes_on(trader: Trader) -> None:
    trader.config.mkdir()
    (trader.config / "settings.toml").write_text("policy = 'never'\nlanguage = 'en'\n")
    program = trader.start_tray()
    trader.sees("No token")
    assert "policy" in program.error_output()
    assert trader.issues == 0, "what is not understood asks for nothing"


def test_settings_that_cannot_be_read_are_waited_for_in_the_tray_also_once_the_window_is_closed(
    trader: Trader,
) -> None:
    trader.config.mkdir()
    file = trader.config / "settings.toml"
    file.write_text("mode = demo\n")
    trader.start_tray("--background")
    window = trader.desktop.window("Settings")
    trader.sees("Check the settings file")

    def is_closed() -> bool:
        return not any("Settings" in one.title for one in trader.desktop.windows())

    trader.press(window, "Escape", until=is_closed)
    trader.sees("Check the settings file")
    file.write_text('mode = "real"\nlanguage = "en"\n')

    trader.sees("23 h")


def test_first_start_chooses_one_data_folder_for_every_tool(desktop: Desktop) -> None:
    with Trader(desktop) as trader:
        del trader.environment["KIWOOM_TRAY_DATA_DIR"]
        trader.settings(policy="notify")
        (trader.config / "settings.toml").write_text(f'data_dir = "{trader.data}"\npolicy = "notify"\n')
        trader.start_tray()
        trader.sees("No token")
        trader.put("a-token", 7230)
        trader.sees("2 h left")
        assert trader.in_file() == "a-token"


def test_a_tray_whose_working_folder_was_deleted_follows_the_settings(desktop: Desktop) -> None:
    with Trader(desktop) as trader:
        folder = desktop.home / "gone"
        folder.mkdir()
        desktop.start_python("-m", "tray_app", env=trader.environment, cwd=folder)
        trader.sees("23 h")
        folder.rmdir()

        trader.settings(language="ko")

        trader.sees("남은 시간")
