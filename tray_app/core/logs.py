"""The logger `kiwoom`, reached without importing `logging` in programs that never did.

A program that has not imported `logging` has no handler that could show a line, so nothing is lost and
the command line starts faster.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import logging

_DEBUG, _INFO, _WARNING, _ERROR = 10, 20, 30, 40


def debug(message: str, *values: object) -> None:
    _write(_DEBUG, message, values)


def info(message: str, *values: object) -> None:
    _write(_INFO, message, values)


def warning(message: str, *values: object) -> None:
    _write(_WARNING, message, values)


def error(message: str, *values: object) -> None:
    _write(_ERROR, message, values)


def kiwoom_logger() -> logging.Logger:
    """The logger `kiwoom`, with the redacting filter on it and no output of its own."""
    import logging

    from tray_app.core.redaction import RedactingFilter

    logger = logging.getLogger("kiwoom")
    if not any(isinstance(one, RedactingFilter) for one in logger.filters):
        logger.addFilter(RedactingFilter())
        logger.addHandler(logging.NullHandler())
    return logger


def _write(level: int, message: str, values: tuple[object, ...]) -> None:
    if "logging" in sys.modules:
        kiwoom_logger().log(level, message, *values)
