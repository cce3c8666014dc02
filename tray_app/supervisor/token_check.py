"""Asking Kiwoom in the background if the token works. The user has not asked for it, so nothing is shown meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tray_app.core.errors import KiwoomTokenError
from tray_app.supervisor.jobs import Job

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from tray_app.service.outcome import Verified
    from tray_app.service.token_service import TokenService
    from tray_app.supervisor.tracker import TokenTracker


class TokenCheck:
    """Run one check at a time, and pass Kiwoom's answer to the tracker."""

    def __init__(self, tracker: TokenTracker, clock: Callable[[], float], run_act: Callable[[Job[Any]], None]) -> None:
        self._tracker = tracker
        self._clock = clock
        self._run_act = run_act
        self.is_running = False

    def start(self, service: TokenService, then: Callable[[Exception | None], None]) -> None:
        """Check the token of `service`, and call `then` with what failed unexpectedly, or None."""
        if self.is_running:
            return
        self.is_running = True

        def finish(verified: Verified | None, error: Exception | None) -> None:
            self.is_running = False
            if verified is not None:
                self._tracker.on_verified(verified, self._clock(), is_requested=False)
            else:
                known = error if isinstance(error, KiwoomTokenError) else None
                self._tracker.on_unverified(self._clock(), known)
            then(None if isinstance(error, KiwoomTokenError) else error)

        self._run_act(Job(lambda: service.verify(is_patient=True), finish))
