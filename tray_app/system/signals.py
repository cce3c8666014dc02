"""The signals that ask a program to end in order."""

from __future__ import annotations

import os
import signal
import threading
import time

from tray_app.core.errors import DONE
from tray_app.system.process import exit_now

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Self

_LAST_SECONDS = 8
"""What a turn may still take: a container's host kills ten seconds after it has asked."""


def stop_signals() -> list[signal.Signals]:
    """Return SIGTERM, SIGHUP unless it is ignored, as under nohup, and on Windows Ctrl+Break, which is all that a
    program there can send to one that it started. Ctrl+C (SIGINT) is not among them."""
    hang_up: signal.Signals | None = getattr(signal, "SIGHUP", None)
    heard = [] if hang_up is None or signal.getsignal(hang_up) is signal.SIG_IGN else [hang_up]
    return [signal.SIGTERM, *heard, *_ctrl_break()]


def keyboard_signals() -> list[signal.Signals]:
    """Return what a key sends to every program in the terminal: Ctrl+C, and on Windows Ctrl+Break."""
    return [signal.SIGINT, *_ctrl_break()]


def _ctrl_break() -> list[signal.Signals]:
    ctrl_break: signal.Signals | None = getattr(signal, "SIGBREAK", None)
    return [] if ctrl_break is None else [ctrl_break]


def end_on_stop_signals() -> None:
    """Let the stop signals end the process at once with 0, as long as there is nothing to lose. The first process of a
    container would not hear them at all."""
    for one in stop_signals():
        signal.signal(one, _end_at_once)


def ignore_stop_signals() -> None:
    """Let the stop signals do nothing any more, because the process is about to end."""
    for one in stop_signals():
        signal.signal(one, signal.SIG_IGN)


def _end_at_once(_signal: int, _frame: FrameType | None) -> None:
    """An exception would be raised in the middle of what is being imported."""
    os._exit(DONE)


class StopRequest:
    """Lets a loop end in order when a signal asks for it: at once while it waits, else when its present turn is done.

    Use in a `with` statement; off the main thread it hears nothing. A turn that takes too long ends with the process,
    and a second signal raises `KeyboardInterrupt` in it.
    """

    def __init__(self) -> None:
        self._is_asked = False
        self._is_waiting = False
        self._previous: dict[signal.Signals, object] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            interrupt = [] if signal.getsignal(signal.SIGINT) is signal.SIG_IGN else [signal.SIGINT]
            self._previous = {one: signal.signal(one, self._stop) for one in [*interrupt, *stop_signals()]}
        return self

    def __exit__(self, *_: object) -> None:
        if hasattr(signal, "alarm"):
            signal.alarm(0)
        for one, handler in self._previous.items():
            signal.signal(one, signal.SIG_IGN if handler is _end_at_once else handler)  # type: ignore[arg-type]

    def wait(self, seconds: float) -> bool:
        """Wait, at most until a signal comes; return whether one has come. Raises `KeyboardInterrupt`, too."""
        self._is_waiting = True
        try:
            if not self._is_asked:
                time.sleep(seconds)
        finally:
            self._is_waiting = False
        return self._is_asked

    def _stop(self, _signal: int, _frame: FrameType | None) -> None:
        is_second, self._is_asked = self._is_asked, True
        if self._is_waiting or is_second:
            raise KeyboardInterrupt
        if hasattr(signal, "alarm"):
            signal.signal(signal.SIGALRM, lambda *_: exit_now(DONE))
            signal.alarm(_LAST_SECONDS)
