"""Ending a process without what Python does at exit."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


def exit_now(status: int) -> NoReturn:
    """End the process at once: what was printed is flushed, and no exit handler runs."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            try:
                stream.flush()
            except (OSError, ValueError):  # nobody reads it any more
                continue
    os._exit(status)
