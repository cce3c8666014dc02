"""What our two programs log about themselves: messages, uncaught errors, crashes. Never for a host program."""

from __future__ import annotations

import os
import sys

from tray_app.core import logs
from tray_app.settings.places import state_dir

TYPE_CHECKING = False
if TYPE_CHECKING:
    import logging
    from collections.abc import Callable
    from threading import ExceptHookArgs
    from types import TracebackType


def log_folder() -> str:
    """Return the folder of the logs, without creating it."""
    return os.path.join(state_dir(), "logs")


def log_file(program: str, folder: str = "") -> str:
    return os.path.join(folder or log_folder(), f"{program}.log")


def crash_file(program: str, folder: str = "") -> str:
    return os.path.join(folder or log_folder(), f"{program}.crash")


def start_log(path: str, level: int, *, to_stderr: bool = False) -> Callable[[], None]:
    """Write the lines of the logger `kiwoom`, from `level` on, to the file, and with `to_stderr` all of them to stderr.

    The file is created with its first line. Return a function that stops logging.
    """
    import logging

    from tray_app.core.redaction import RedactingFilter, RedactingFormatter
    from tray_app.system.log_file import LogFileHandler

    logger = logs.kiwoom_logger()
    before = logger.level
    handlers: list[logging.Handler] = []
    if os.path.isabs(path):  # else there is no home
        handlers.append(LogFileHandler(path))
        handlers[-1].setLevel(logs.DEBUG if to_stderr else level)
    if to_stderr and sys.stderr is not None:
        handlers.append(logging.StreamHandler())
    for handler in handlers:
        handler.addFilter(RedactingFilter())
        handler.setFormatter(RedactingFormatter())
        logger.addHandler(handler)
    logger.setLevel(logs.DEBUG if to_stderr else level)

    def stop() -> None:
        for handler in handlers:
            logger.removeHandler(handler)
            handler.close()
        logger.setLevel(before)

    return stop


def install_hooks(tell: Callable[[str], None]) -> None:
    """Log uncaught errors of any thread, and pass their kind to `tell`: a traceback could show a secret."""
    import threading

    def uncaught(kind: type[BaseException], error: BaseException | None, _: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            return
        logs.error("Uncaught error", cause=error)
        tell(kind.__name__)

    def uncaught_in_thread(told: ExceptHookArgs) -> None:
        if not issubclass(told.exc_type, SystemExit):
            name = told.thread.name if told.thread is not None else "?"
            logs.error("Uncaught error in the thread %s", name, cause=told.exc_value)

    sys.excepthook = uncaught
    threading.excepthook = uncaught_in_thread


def watch_for_crashes(path: str = "") -> None:
    """Let Python write the stacks of all threads when the process crashes: to the file, or without one to stderr.

    The stacks name files, lines and functions, and no values. The file stays open until the process ends.
    """
    import faulthandler

    from tray_app.core.errors import KiwoomTokenError
    from tray_app.system.private_files import open_private
    from tray_app.system.private_folders import make_private_folder

    try:
        if not path:
            if sys.stderr is not None:
                faulthandler.enable()
            return
        if os.path.isabs(path):
            make_private_folder(os.path.dirname(path))
            descriptor = open_private(path)
            os.lseek(descriptor, 0, os.SEEK_END)
            faulthandler.enable(descriptor)
    except (OSError, RuntimeError, ValueError, KiwoomTokenError):  # a nicety: the program starts without it
        return
