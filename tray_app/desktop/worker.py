"""Work that may wait, off the GUI thread."""

from __future__ import annotations

import threading
import weakref
from functools import cache
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import shiboken6
from PySide6.QtCore import QObject, Qt, Signal, Slot

if TYPE_CHECKING:
    from collections.abc import Callable

    Then = Callable[[Any, Exception | None], None]
    Job = tuple[Callable[[], Any], Then]
    Returned = tuple[weakref.ref["Worker"], Then, Any, Exception | None]


class Worker(QObject):
    """One daemon thread that does jobs in turn; each result comes back on the GUI thread, while this object is there.

    It starts with the first job. A daemon thread, because a job that hangs must not hold up the end of the program.
    """

    def __init__(self, name: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._name = name
        self._is_started = False
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._returns = _returns()

    def run(self, job: Callable[[], Any], then: Then) -> None:
        """Calls `then(result, None)` or `then(None, error)` later."""
        self._jobs.put((job, then))
        if not self._is_started:
            self._is_started = True
            threading.Thread(
                target=_work, args=(self._jobs, weakref.ref(self), self._returns), name=self._name, daemon=True
            ).start()

    def end(self) -> None:
        """Lets the thread go once it has done what it was given so far."""
        self._jobs.put(None)


class _Returns(QObject):
    """Where the results of all workers arrive. It outlives them, because Qt objects that go on one thread while
    another tells of something through them end the program."""

    told = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.told.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    @Slot(object)
    def _deliver(self, returned: Returned) -> None:
        owner, then, result, error = returned
        worker = owner()
        if worker is not None and shiboken6.isValid(worker):
            then(result, error)


@cache
def _returns() -> _Returns:
    return _Returns()


def _work(jobs: SimpleQueue[Job | None], owner: weakref.ref[Worker], returns: _Returns) -> None:
    while (given := jobs.get()) is not None:
        job, then = given
        result: Any = None
        error: Exception | None = None
        try:
            result = job()
        except Exception as raised:  # noqa: BLE001 - it is handed to `then`
            error = raised
        try:
            returns.told.emit((owner, then, result, error))
        except RuntimeError:  # the program has ended and Qt's half of the object is gone
            return
