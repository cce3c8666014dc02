"""A program that uses the token: does what it reads, one JSON list a line, and tells what came of it."""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import Any

from tray_app import TokenManager
from tray_app.core.errors import KiwoomTokenError
from tray_app.stores.lock import ProfileLock


def tell(**fields: object) -> None:
    print(json.dumps(fields), flush=True)


def tell_when_waiting() -> None:
    """From here on it is too late for this process not to share what the present request brings."""
    acquire = ProfileLock.acquire

    def told(lock: ProfileLock, *arguments: Any, **options: Any) -> bool:
        tell(waiting=True)
        return acquire(lock, *arguments, **options)

    ProfileLock.acquire = told  # type: ignore[assignment]


def die_while_writing(_: object) -> None:
    os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))  # on Windows either ends it on the spot


def main() -> None:
    tell_when_waiting()
    manager = TokenManager()
    tell(ready=True)
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        if name == "die while writing":
            os.fsync = die_while_writing  # type: ignore[assignment]
            tell(result=None)
            continue
        if name == "has loaded":
            tell(result=arguments[0] in sys.modules)
            continue
        try:
            tell(result=getattr(manager, name)(*arguments))
        except KiwoomTokenError as error:
            tell(error=type(error).__name__, code=error.code, retry_after=error.retry_after)


if __name__ == "__main__":
    main()
