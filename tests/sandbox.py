"""A practice Kiwoom for a test, with its address and keys in the environment."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tray_app.kiwoom.sandbox import SANDBOX_APP_KEY, SANDBOX_APP_SECRET, SandboxKiwoom


@contextmanager
def sandbox_with_keys(
    monkeypatch: pytest.MonkeyPatch, clock: Callable[[], float] = time.time
) -> Iterator[SandboxKiwoom]:
    """Serve one, which this process and those that it starts use from here on."""
    with SandboxKiwoom(clock=clock) as kiwoom:
        monkeypatch.setenv("KIWOOM_TRAY_BASE_URL", kiwoom.base_url)
        monkeypatch.setenv("APP_KEY", SANDBOX_APP_KEY)
        monkeypatch.setenv("APP_SECRET", SANDBOX_APP_SECRET)
        yield kiwoom
