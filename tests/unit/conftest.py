"""What many tests of this folder share: a clock, Kiwoom's rule about tokens, and the command line."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.command_line import run
from tests.doubles import Clock, FakeBroker

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication
    from pytestqt.qtbot import QtBot

__all__ = ["run"]


@pytest.fixture(scope="session")
def qapp(qapp: QApplication) -> QApplication:
    """One application for all tests, in which the cursor of a field does not blink: it would change pictures."""
    qapp.setCursorFlashTime(0)
    return qapp


@pytest.fixture
def qtbot(qtbot: QtBot) -> QtBot:
    """Waits longer than its five seconds: a busy computer is late with a thread or another program."""
    qtbot.waitUntil = partial(qtbot.waitUntil, timeout=30_000)
    qtbot.waitSignal = partial(qtbot.waitSignal, timeout=30_000)
    return qtbot


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def broker(clock: Clock) -> FakeBroker:
    return FakeBroker(clock)
