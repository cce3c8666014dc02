"""Windows alone: a file that another program has open can be neither opened in another way nor replaced."""

from __future__ import annotations

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


def retry_sharing_violation(act: Callable[[], Result]) -> Result:
    """Return what `act` returns. On Windows, repeat it for up to two seconds while another program has the file
    open."""
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return act()
        except PermissionError:
            if time.monotonic() >= end:
                raise
        time.sleep(_PAUSE_SECONDS)
