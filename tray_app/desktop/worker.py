"""Work that may wait, off the GUI thread."""

from __future__ import annotations

import threading
import weakref
from functools import cache, partial
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
    """Do jobs in turn on one daemon thread, and return each result to the GUI thread while this object exists.

    The thread starts with the first job, and ends with this object. It is a daemon, because a job that hangs must not
    hold up the program's exit.
    """

    def __init__(self, name: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._name = name
        self._thread: threading.Thread | None = None
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._returns = _returns()
        self.destroyed.connect(partial(self._jobs.put, None))

    def run(self, job: Callable[[], Any], then: Then) -> None:
        """Do `job` later on the thread, then call `then(result, None)` or `then(None, error)` on the GUI thread."""
        if self._thread is None:
            thread = threading.Thread(
                target=_work, args=(self._jobs, weakref.ref(self), self._returns), name=self._name, daemon=True
            )
            try:
                thread.start()
            except RuntimeError as error:  # no more threads at present: the next job may get one
                self._returns.returned.emit((weakref.ref(self), then, None, error))
                return
            self._thread = thread
        self._jobs.put((job, then))

    def end(self) -> None:
        """Let the thread end once it has done its present jobs."""
        self._jobs.put(None)

    def finish(self, seconds: float) -> None:
        """End the thread and wait for that at most `seconds`: what it is doing must not be lost."""
        self.end()
        if self._thread is not None:
            self._thread.join(seconds)


class _Returns(QObject):
    """Receive the results of all workers.

    It outlives them: a Qt object that is destroyed on one thread while another emits one of its signals crashes the
    program.
    """

    returned = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.returned.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

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
        except Exception as raised:  # noqa: BLE001 - it is passed to `then`
            error = raised
        try:
            returns.returned.emit((owner, then, result, error))
        except RuntimeError:  # the program is exiting, and Qt's half of the object is gone
            return
