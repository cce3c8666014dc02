"""`sandbox`: a practice Kiwoom on loopback."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tray_app.core.errors import DONE
from tray_app.core.language import tr

if TYPE_CHECKING:
    from collections.abc import Iterator

_NOT_IN_SANDBOX = (
    "APP_KEY",
    "APP_SECRET",
    "KIWOOM_PROFILE",
    "KIWOOM_TRAY_REDIS_URL",
)
"""What of the user's own environment would be used otherwise."""


def sandbox(port: int, lifetime: float) -> int:
    """Serve until Ctrl+C; `port` 0 takes a free one, tokens are valid for `lifetime` seconds."""
    from tray_app.kiwoom.sandbox import serve

    serve(port, lifetime, lambda line: print(line, flush=True))
    return DONE


@contextmanager
def using_sandbox() -> Iterator[None]:
    """Let a command, and every program that it starts, use the practice Kiwoom; nothing of the user's is touched."""
    from tray_app.kiwoom.sandbox.shared import open_sandbox

    kiwoom = open_sandbox()
    before = dict(os.environ)
    for name in _NOT_IN_SANDBOX:
        os.environ.pop(name, None)
    os.environ.update(kiwoom.environ)
    if not kiwoom.is_shared and sys.stderr is not None:
        told = tr("This practice Kiwoom ends with the command. Keep one with: kiwoom-token-tray --sandbox")
        print(told, file=sys.stderr)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        kiwoom.stop()
