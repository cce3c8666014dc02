"""Time that passed unseen: the computer slept, or somebody set its clock."""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

TOLERANCE_SECONDS = 5.0
"""Clocks that the network corrects move by less."""


class ClockJumpDetector:
    """Compare the wall clock with the one that only goes forward, whenever asked.

    `longest` is how many seconds may lie between two questions where nothing happened. The forward clock stands still
    during a sleep on Linux and macOS; on Windows it goes on, and a question that comes too late tells of the sleep.
    """

    def __init__(
        self,
        longest: float,
        wall: Callable[[], float] = time.time,
        forward: Callable[[], float] = time.monotonic,
    ) -> None:
        self._longest = longest
        self._wall = wall
        self._forward = forward
        self._last_wall = wall()
        self._last_forward = forward()

    def gap(self) -> bool:
        """Return whether time passed unseen since the last question."""
        wall, forward = self._wall(), self._forward()
        passed, awake = wall - self._last_wall, forward - self._last_forward
        self._last_wall, self._last_forward = wall, forward
        return abs(passed - awake) > TOLERANCE_SECONDS or awake > self._longest + TOLERANCE_SECONDS
