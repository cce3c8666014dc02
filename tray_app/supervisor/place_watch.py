"""A keyring that does not answer, or failed: nothing reports when that is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tray_app.core.clock import is_recent
from tray_app.core.errors import KeyringUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from tray_app.core.state import TokenState

_SECONDS = 10.0
"""Seconds between two checks."""

_PASSING = frozenset({KeyringUnavailable.SILENT, KeyringUnavailable.FAILED})
"""The problems that may pass without anybody's help."""


class PlaceWatch:
    """Call `check` every few seconds while the keyring has a problem that may pass by itself."""

    def __init__(self, check: Callable[[], None], clock: Callable[[], float]) -> None:
        self._check = check
        self._clock = clock
        self._polled_at: float | None = None

    def next_moment(self, state: TokenState) -> float | None:
        """Return when to check next, in seconds of the epoch, or None while there is nothing to wait for."""
        return self._clock() + _SECONDS if state.place_problem in _PASSING else None

    def poll(self, state: TokenState) -> None:
        """Check if there is something to wait for and it is time."""
        now = self._clock()
        if state.place_problem in _PASSING and not is_recent(self._polled_at, now, _SECONDS):
            self._polled_at = now
            self._check()
