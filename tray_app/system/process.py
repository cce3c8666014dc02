"""Ending a process without what Python does at exit, and without leaving its memory on the disk."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


def forbid_core_dumps() -> None:
    """Let the system write no memory of this process, with a token in it, to the disk when it crashes. Processes that
    it starts inherit that."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def exit_now(status: int) -> NoReturn:
    """End the process at once: what was printed is flushed, and no exit handler runs."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            try:
                stream.flush()
            except (OSError, ValueError):  # nobody reads it any more
                continue
    os._exit(status)
