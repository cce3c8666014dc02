"""Work that may wait, passed to whoever decides on which thread it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Job(Generic[T]):
    """Work that may wait for a lock, a disk, a keyring or the network.

    Call `run` on any thread, and `finish` after it on the thread of whoever made the job. `run` raises nothing: an
    error reaches `then`, which gets the result and None, or None and the error.
    """

    def __init__(self, work: Callable[[], T], then: Callable[[T | None, Exception | None], None]) -> None:
        self._work = work
        self._then = then
        self._result: T | None = None
        self._error: Exception | None = None

    def run(self) -> None:
        """Do the work."""
        try:
            self._result = self._work()
        except Exception as error:  # noqa: BLE001 - it is passed to `then`
            self._error = error

    def finish(self) -> None:
        """Pass the result or the error on."""
        self._then(self._result, self._error)


def run_now(job: Job[T]) -> None:
    """Run a job at once and wait for it, as a program with a single thread does."""
    job.run()
    job.finish()
