"""A message for a user without a terminal: a program that was started by a click would otherwise end in silence."""

from __future__ import annotations

import os
import stat
import sys

_ICON_ERROR = 0x10
_TO_THE_FRONT = 0x10000


def is_stderr_read() -> bool:
    """Return True if somebody reads standard error: a terminal, another program, or a file."""
    if sys.stderr is None:
        return False
    try:
        mode = os.fstat(sys.stderr.fileno()).st_mode
    except (OSError, ValueError):  # replaced by a program that runs ours
        return True
    return sys.stderr.isatty() or stat.S_ISFIFO(mode) or stat.S_ISREG(mode)


def show_windows_box(title: str, text: str) -> bool:
    """Show the text in a box of Windows' own, which needs no Qt; return True if this is Windows."""
    if sys.platform == "win32":
        import ctypes

        ctypes.windll.user32.MessageBoxW(None, text, title, _ICON_ERROR | _TO_THE_FRONT)
        return True
    return False
