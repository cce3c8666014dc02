"""Work that may wait, off the GUI thread."""

from __future__ import annotations

import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Qt, Signal, Slot

if TYPE_CHECKING:
    from collections.abc import Callable

    Job = tuple[Callable[[], Any], Callable[[Any, Exception | None], None]]


class Worker(QObject):
    """One daemon thread that does jobs in turn; each result comes back on the thread of this object.

    It starts with the first job. A daemon thread, because a job that hangs must not hold up the end of the program.
    """

    _finished = Signal(object, object, object)

    def __init__(self, name: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._name = name
        self._is_started = False
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._finished.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def run(self, job: Callable[[], Any], then: Callable[[Any, Exception | None], None]) -> None:
        """Calls `then(result, None)` or `then(None, error)` later."""
        self._jobs.put((job, then))
        if not self._is_started:
            self._is_started = True
            threading.Thread(target=self._work, name=self._name, daemon=True).start()

    def end(self) -> None:
        """Lets the thread go once it has done what it was given so far."""
        self._jobs.put(None)

    def _work(self) -> None:
        while (given := self._jobs.get()) is not None:
            job, then = given
            result: Any = None
            error: Exception | None = None
            try:
                result = job()
            except Exception as raised:  # noqa: BLE001 - it is handed to `then`
                error = raised
            try:
                self._finished.emit(then, result, error)
            except RuntimeError:  # the program has ended and Qt's half of this object is gone
                return

    @Slot(object, object, object)
    def _deliver(self, then: Callable[[Any, Exception | None], None], result: Any, error: Exception | None) -> None:
        then(result, error)
