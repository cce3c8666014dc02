"""The time zone of the process, for a test; on Windows the C library's own."""

from __future__ import annotations

import sys
import time

import pytest

_ON_WINDOWS = {
    "UTC": "UTC0",
    "America/New_York": "EST5EDT",
    "Asia/Seoul": "KST-9",
    "Asia/Kathmandu": "NPT-5:45",
    "Pacific/Kiritimati": "LIN-14",
}
"""Windows' C library knows no names, only offsets, and of summer times the American one."""


def live_in(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`read_zone()` must follow once `monkeypatch` is undone."""
    monkeypatch.setenv("TZ", _ON_WINDOWS[zone] if sys.platform == "win32" else zone)
    read_zone()


def read_zone() -> None:
    """Makes the C library obey the environment."""
    if sys.platform == "win32":
        import ctypes

        ctypes.CDLL("ucrtbase")._tzset()
    else:
        time.tzset()
