"""A process that may start no more threads, as in a container with a limit of pids, or at the interpreter's end."""

from __future__ import annotations

from contextlib import AbstractContextManager
from threading import Thread
from typing import Any
from unittest.mock import patch


def no_more_threads() -> AbstractContextManager[Any]:
    return patch.object(Thread, "start", side_effect=RuntimeError("can't start new thread"))
