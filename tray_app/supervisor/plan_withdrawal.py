"""Taking a planned rotation that was dropped out of the record, where it would be due again after a restart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tray_app.supervisor.jobs import Job

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from tray_app.core.planned_rotation import DroppedPlan
    from tray_app.service.token_service import TokenService
    from tray_app.supervisor.tracker import TokenTracker


class PlanWithdrawal:
    """Withdraw each dropped plan once. What another program has seen to, as on a computer that did not sleep, is no
    news: the tracker forgets it."""

    def __init__(self, tracker: TokenTracker, run_act: Callable[[Job[Any]], None]) -> None:
        self._tracker = tracker
        self._run_act = run_act
        self._last: DroppedPlan | None = None
        self.is_running = False

    def start(self, service: TokenService, then: Callable[[Exception | None], None]) -> bool:
        """Withdraw the plan if one was dropped, and call `then` with what failed, or None. Return True while it is not
        known whether there is news."""
        planned = self._tracker.planned
        dropped = planned.dropped

        def finish(was_there: bool | None, error: Exception | None) -> None:
            self.is_running = False
            if was_there is False and planned.dropped is dropped:
                planned.dropped = None
            then(error)

        if dropped is not None and dropped is not self._last and not self.is_running:
            at = dropped.at
            self._last, self.is_running = dropped, True
            self._run_act(Job(lambda: service.plan_rotation(None, instead_of=at), finish))
        return self.is_running
