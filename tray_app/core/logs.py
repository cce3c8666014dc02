"""The logger `kiwoom`, reached without importing `logging` in programs that never did.

A program that has not imported `logging` has no handler that could show a line, so nothing is lost and the command line
starts faster. Our own programs open their log file with the first line that is severe enough (`on_first`); the package
imported by another program never does.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import logging
    from collections.abc import Callable

DEBUG, INFO, WARNING, ERROR = 10, 20, 30, 40
NAME = "kiwoom"

_open: tuple[int, Callable[[], None]] | None = None
_logger: logging.Logger | None = None


def is_enabled(level: int) -> bool:
    """Return False if a line of that level goes nowhere, so that its values need not be worked out."""
    global _logger  # noqa: PLW0603 - logging has one logger of this name, and looks it up slowly
    if _open is not None and level >= _open[0]:
        return True
    if _logger is None:
        if "logging" not in sys.modules:
            return False
        _logger = kiwoom_logger()
    return _logger.isEnabledFor(level)


def debug(message: str, *values: object) -> None:
    _write(DEBUG, message, values)


def info(message: str, *values: object) -> None:
    _write(INFO, message, values)


def warning(message: str, *values: object) -> None:
    _write(WARNING, message, values)


def error(message: str, *values: object, cause: BaseException | None = None) -> None:
    """Log an error. Our own handlers add where its `cause` was raised, without any values."""
    _write(ERROR, message, values, cause)


def on_first(level: int, open_log: Callable[[], None]) -> None:
    """Call `open_log` once, before the first line of that `level` or above is written."""
    global _open  # noqa: PLW0603 - one log for the process
    _open = (level, open_log)


def forget_first() -> None:
    """Cancel what `on_first` has set, if no such line was written yet."""
    global _open  # noqa: PLW0603 - as above
    _open = None


def protect() -> None:
    """Let what looks like a secret be masked also in lines of a host program, if that has begun to log."""
    if "logging" in sys.modules:
        kiwoom_logger()


def kiwoom_logger() -> logging.Logger:
    """Return the logger `kiwoom`, with the redacting filter on it and on its children, and no output of its own."""
    import logging

    from tray_app.core.redaction import RedactingFilter, RedactingHandler

    logger = logging.getLogger(NAME)
    if not any(isinstance(one, RedactingFilter) for one in logger.filters):
        logger.addFilter(RedactingFilter())
    if not any(isinstance(one, RedactingHandler) for one in logger.handlers):
        logger.handlers.insert(0, RedactingHandler())  # before one that a host program may have put there
    for name, child in list(logger.manager.loggerDict.items()):
        if not name.startswith(f"{NAME}.") or not isinstance(child, logging.Logger):
            continue
        if not any(isinstance(one, RedactingFilter) for one in child.filters):
            child.addFilter(RedactingFilter())
    return logger


def _write(level: int, message: str, values: tuple[object, ...], cause: BaseException | None = None) -> None:
    global _open
    if _open is not None and level >= _open[0]:
        (_, open_log), _open = _open, None
        open_log()
    if is_enabled(level):
        kiwoom_logger().log(level, message, *values, exc_info=cause, stacklevel=3)
