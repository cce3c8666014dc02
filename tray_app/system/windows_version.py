"""Windows alone: the system's name and version, without the call that may hang.

keyring and desktop-notifier ask `platform.system()`. Up to Python 3.11 that starts a `cmd.exe` and waits for its
output, seen under Wine to hang while another child lives; from 3.12 on it asks WMI, which CPython's tracker reports
to be slow or stuck on some computers.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


@contextmanager
def known_system() -> Iterator[None]:
    """Let `platform` have its answer ready meanwhile. Afterwards it is as before: a host program may want it exact."""
    told: Any = None
    if sys.platform == "win32":
        import platform

        if getattr(platform, "_uname_cache", None) is None:
            told = platform
            windows = sys.getwindowsversion()
            version = windows.platform_version or windows[:3]
            told._uname_cache = told.uname_result(  # noqa: SLF001 - there is no other way
                "Windows",
                os.environ.get("COMPUTERNAME", ""),
                str(version[0]),
                ".".join(map(str, version)),
                os.environ.get("PROCESSOR_ARCHITECTURE", ""),
            )
    try:
        yield
    finally:
        if told is not None:
            told._uname_cache = None  # noqa: SLF001
