"""What the session tells reaches those whom it concerns."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest
from PySide6.QtCore import QObject, Signal
from pytestqt.qtbot import QtBot

from tests import ROOT
from tray_app.desktop import main
from tray_app.desktop.system_events.listener import SystemEventListener
from tray_app.system.clock_jumps import ClockJumpDetector


class Concerned(QObject):
    """Accounts and tray in one, as far as the session concerns them."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.told: list[Any] = []

    def resumed(self) -> None:
        self.told.append("resumed")

    def hold(self, is_held: bool) -> None:
        self.told.append(is_held)

    def refresh_theme(self) -> None:
        self.told.append("theme")


@pytest.fixture
def concerned(qtbot: QtBot) -> Concerned:
    return Concerned()


@pytest.fixture
def session(concerned: Concerned, monkeypatch: pytest.MonkeyPatch) -> SystemEventListener:
    monkeypatch.setattr(main, "quit_application", lambda: concerned.told.append("end"))
    return main.listen_to_system(concerned, concerned)  # type: ignore[arg-type]


def test_resume_and_lock_reach_the_accounts(session: SystemEventListener, concerned: Concerned) -> None:
    session.locked.emit(True)  # noqa: FBT003 - a signal
    session.resumed.emit()
    session.locked.emit(False)  # noqa: FBT003
    assert concerned.told == [True, "resumed", False]


def test_taskbars_theme_reaches_the_icon(session: SystemEventListener, concerned: Concerned) -> None:
    session.theme_changed.emit()
    assert concerned.told == ["theme"]


def test_end_of_the_session_ends_the_program(session: SystemEventListener, concerned: Concerned) -> None:
    session.ending.emit()
    assert concerned.told == ["end"]


def test_whatever_happens_is_an_occasion_to_look_at_the_clock(
    session: SystemEventListener, concerned: Concerned, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    monkeypatch.setattr(ClockJumpDetector, "gap", lambda _: True)
    concerned.changed.emit()
    qtbot.waitUntil(lambda: concerned.told == ["resumed"], timeout=5000)


def test_hidden_tray_loads_no_window_and_nothing_that_only_a_window_a_notice_or_the_network_needs() -> None:
    unwanted = (
        *("tray_app.desktop.status_window", "tray_app.desktop.dialogs", "tray_app.desktop.notices.freedesktop"),
        *("tray_app.desktop.history", "tray_app.desktop.settings", "tray_app.desktop.setup"),
        *("httpx", "http.client", "ssl", "keyring", "jeepney", "sqlite3", "tomlkit", "platformdirs", "hashlib"),
    )
    code = (
        "import linecache, os, sys\n"
        "from tray_app.desktop.display import display_problem\n"
        "assert display_problem(os.environ) == ''\n"
        "import tray_app.desktop.main, tray_app.desktop.monitors, tray_app.desktop.controller\n"
        f"print([name for name in {unwanted} if name in sys.modules])\n"
        "print([path for path in linecache.cache if 'tray_app' in path])"
    )
    environ = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(ROOT)}
    told = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)
    assert told.stdout.splitlines() == ["[]", "[]"], "loaded without need, and sources that were read and kept"
