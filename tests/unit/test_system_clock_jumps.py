"""Time that passed unseen."""

from __future__ import annotations

import pytest

from tests.doubles import Clock
from tray_app.system.clock_jumps import ClockJumpDetector


class World:
    def __init__(self) -> None:
        self.wall, self.forward = Clock(), Clock(100.0)
        self.detector = ClockJumpDetector(60.0, self.wall, self.forward)

    def passes(self, wall: float, forward: float) -> bool:
        self.wall.advance(wall)
        self.forward.advance(forward)
        return self.detector.gap()


@pytest.mark.parametrize(
    ("wall", "forward", "is_gap"),
    [
        (60, 60, False),
        (0, 0, False),
        (62, 60, False),
        (3600, 20, True),
        (3600, 3600, True),
        (-3600, 30, True),
        (90, 30, True),
        (64, 64, False),
    ],
    ids=[
        "a tick",
        "at once",
        "clock kept right",
        "sleep",
        "sleep on Windows",
        "clock set back",
        "clock set forward",
        "late",
    ],
)
def test_gap_is_what_clocks_do_not_explain(wall: float, forward: float, is_gap: bool) -> None:
    assert World().passes(wall, forward) is is_gap


def test_gap_is_told_once() -> None:
    world = World()
    assert world.passes(3600, 20)
    assert not world.passes(30, 30)


def test_small_shifts_do_not_add_up() -> None:
    world = World()
    assert not any(world.passes(61, 60) for _ in range(100))
