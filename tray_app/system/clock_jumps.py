"""Time that passed unseen: the computer slept, or somebody set its clock."""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

TOLERANCE_SECONDS = 5.0
"""Clocks that the network corrects move by less."""


class ClockJumpDetector:
    """Compare the wall clock with the monotonic one at each call of `gap`.

    `longest` is how many seconds may pass between two calls if nothing happened. The monotonic clock stops during sleep
    on Linux and macOS; on Windows it goes on, and a call that comes too late shows that the computer slept.
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
        """Return True if time passed unseen since the last call."""
        wall, forward = self._wall(), self._forward()
        passed, awake = wall - self._last_wall, forward - self._last_forward
        self._last_wall, self._last_forward = wall, forward
        return abs(passed - awake) > TOLERANCE_SECONDS or awake > self._longest + TOLERANCE_SECONDS
