"""Work that may wait, off the GUI thread."""

from __future__ import annotations

import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Qt, Signal, Slot

if TYPE_CHECKING:
    from collections.abc import Callable

    Job = tuple[Callable[[], Any], Callable[[Any, Exception | None], None]]


class _Results(QObject):
    """Has no parent that could be deleted while the thread tells of a result."""

    told = Signal(object, object, object)


class Worker(QObject):
    """One daemon thread that does jobs in turn; each result comes back on the thread of this object, if it still is.

    It starts with the first job. A daemon thread, because a job that hangs must not hold up the end of the program.
    """

    def __init__(self, name: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._name = name
        self._is_started = False
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._results = _Results()
        self._results.told.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def run(self, job: Callable[[], Any], then: Callable[[Any, Exception | None], None]) -> None:
        """Calls `then(result, None)` or `then(None, error)` later."""
        self._jobs.put((job, then))
        if not self._is_started:
            self._is_started = True
            threading.Thread(target=_work, args=(self._jobs, self._results), name=self._name, daemon=True).start()

    def end(self) -> None:
        """Lets the thread go once it has done what it was given so far."""
        self._jobs.put(None)

    @Slot(object, object, object)
    def _deliver(self, then: Callable[[Any, Exception | None], None], result: Any, error: Exception | None) -> None:
        then(result, error)


def _work(jobs: SimpleQueue[Job | None], results: _Results) -> None:
    while (given := jobs.get()) is not None:
        job, then = given
        result: Any = None
        error: Exception | None = None
        try:
            result = job()
        except Exception as raised:  # noqa: BLE001 - it is handed to `then`
            error = raised
        results.told.emit(then, result, error)
