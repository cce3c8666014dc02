"""Windows alone: a file that another program has open can be neither opened in another way nor replaced, and one with
the attribute "read-only" can be neither written, replaced nor deleted, whatever the rights of its folder."""

from __future__ import annotations

import os
import stat
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    Result = TypeVar("Result")

PATIENCE_SECONDS = 2.0 if sys.platform == "win32" else 0.0
_PAUSE_SECONDS = 0.001
"""Short, because many readers leave only short gaps between them."""


def retry_sharing_violation(act: Callable[[], Result], *, over: str = "") -> Result:
    """Return what `act` returns. On Windows, repeat it for up to two seconds while another program has the file
    open. `over` is a file of ours that it writes, replaces or deletes, read-only or not."""
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return act()
        except PermissionError:
            if over and lift_read_only(over):
                over = ""  # once: where the attribute stays all the same, it ends
                continue
            if time.monotonic() >= end:
                raise
        time.sleep(_PAUSE_SECONDS)


def lift_read_only(path: str) -> bool:
    """Take the attribute "read-only" from a file of ours; return whether it had it.

    One click on a folder's properties in Explorer sets it for all files in it, a copy from a disc has it, and nobody
    means by it that tokens are to be issued and not stored. Elsewhere the folder alone decides who replaces its files.
    """
    try:
        if not getattr(os.lstat(path), "st_file_attributes", 0) & stat.FILE_ATTRIBUTE_READONLY:
            return False
        os.chmod(path, stat.S_IREAD | stat.S_IWRITE)
    except OSError:
        return False
    return True
