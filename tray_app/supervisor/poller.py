"""Looking every few seconds at what nothing reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tray_app.core.clock import is_recent

if TYPE_CHECKING:
    from collections.abc import Callable

    from tray_app.core.state import TokenState


class Poller:
    """Call `look` every `seconds` while a state says that something `is_awaited`."""

    def __init__(
        self,
        seconds: float,
        is_awaited: Callable[[TokenState], bool],
        look: Callable[[], None],
        clock: Callable[[], float],
    ) -> None:
        self._seconds = seconds
        self._is_awaited = is_awaited
        self._look = look
        self._clock = clock
        self._looked_at: float | None = None

    def next_moment(self, state: TokenState) -> float | None:
        """Return when to look next, in seconds of the epoch, or None while there is nothing to wait for."""
        return self._clock() + self._seconds if self._is_awaited(state) else None

    def poll(self, state: TokenState) -> bool:
        """Look if there is something to wait for and it is time; return True if it did."""
        now = self._clock()
        if not self._is_awaited(state) or is_recent(self._looked_at, now, self._seconds):
            return False
        self._looked_at = now
        self._look()
        return True
