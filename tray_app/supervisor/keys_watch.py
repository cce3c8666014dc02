"""App keys that the renewal waits for: `kiwoomcli setup` or a `login` elsewhere may store them at any time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tray_app.core.clock import is_recent
from tray_app.core.errors import Remedy
from tray_app.core.renewal_schedule import NOTIFY
from tray_app.supervisor.jobs import Job

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from tray_app.core.state import TokenState
    from tray_app.service.token_service import TokenService

_SECONDS = 10.0
"""Seconds between two looks for keys."""


class KeysWatch:
    """Look for other app keys than the missing or refused ones every few seconds, and call `found` once there are."""

    def __init__(
        self,
        found: Callable[[], None],
        find_state: Callable[[], TokenState],
        clock: Callable[[], float],
        run_read: Callable[[Job[Any]], None],
    ) -> None:
        self._found = found
        self._find_state = find_state
        self._clock = clock
        self._run_read = run_read
        self._polled_at: float | None = None

    def next_moment(self) -> float | None:
        """Return when to look next, in seconds of the epoch, or None while nothing waits for keys."""
        return self._clock() + _SECONDS if self._is_awaited() else None

    def poll(self, service: TokenService) -> None:
        """Look for keys if something waits for them and it is time."""
        now = self._clock()
        if self._is_awaited() and not is_recent(self._polled_at, now, _SECONDS):
            self._polled_at = now
            self._run_read(Job(service.tokens.has_other_keys, self._finish))

    def _finish(self, is_found: bool | None, _: Exception | None) -> None:
        if is_found and self._is_awaited():
            self._found()

    def _is_awaited(self) -> bool:
        state = self._find_state()
        error = None if state.last is None else state.last.error
        return state.stopped and state.policy != NOTIFY and error is not None and error.remedy == Remedy.ENTER_KEYS
