"""Threads of a test: one that has a lock for a while; and a process that may start no more, as in a container with a
limit of pids, or at the interpreter's end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import Event, Thread
from typing import Any
from unittest.mock import patch


def no_more_threads() -> AbstractContextManager[Any]:
    return patch.object(Thread, "start", side_effect=RuntimeError("can't start new thread"))


@contextmanager
def held_for(seconds: float, lock: AbstractContextManager[None]) -> Iterator[None]:
    """Let another thread have the lock for so long, which the test need not wait for."""
    is_held = Event()

    def hold() -> None:
        with lock:
            is_held.set()
            time.sleep(seconds)

    holding = Thread(target=hold, daemon=True)
    holding.start()
    assert is_held.wait(20)
    try:
        yield
    finally:
        holding.join()
