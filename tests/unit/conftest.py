"""What many tests of this folder share: a clock, Kiwoom's rule about tokens, and the command line."""

from __future__ import annotations

import pytest

from tests.command_line import run
from tests.doubles import Clock, FakeBroker

__all__ = ["run"]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def broker(clock: Clock) -> FakeBroker:
    return FakeBroker(clock)
