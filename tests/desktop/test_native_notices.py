"""The real `desktop-notifier`, as far as Linux has it: on Windows and macOS only its back end differs."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from .session import Desktop, Program

pytest.importorskip("desktop_notifier")


def start(desktop: Desktop) -> Program:
    return desktop.start_python(Path(__file__).with_name("native_notices.py"), stdin=subprocess.PIPE)


def test_shows_it_with_its_buttons_and_tells_what_is_pressed(desktop: Desktop) -> None:
    program = start(desktop)
    program.tell("show")
    notice = desktop.notice("Title")
    assert (notice.urgency, list(notice.actions)) == (2, ["refresh", "snooze-1800"])
    desktop.click_notice(notice, "refresh")
    desktop.wait_for(lambda: program.output() == "main refresh\n", "a press")


def test_takes_it_away(desktop: Desktop) -> None:
    program = start(desktop)
    program.tell("show")
    notice = desktop.notice("Title")
    program.tell("withdraw")
    desktop.wait_for(lambda: notice.closed == 3, "its end")


def test_without_a_daemon_it_says_so(desktop: Desktop) -> None:
    desktop.notifications_stop()
    program = start(desktop)
    program.tell("show")
    desktop.wait_for(lambda: program.output() == "no notices\n", "a word of it")
