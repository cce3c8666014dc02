"""The last safeguard: a log filter that masks whatever looks like a token, a key or a secret.

Secrets have a type that shows nothing (`Secret`); this filter is for whatever escapes it. The filter is on the logger
`kiwoom`, on its child loggers, and on each handler that this program makes. A filter of a logger does not see the
records of its children, but a handler does, before those of the root logger: so `RedactingHandler` masks what a host
program logs through any child. A limit remains: a handler that the host has put on the child itself sees a line first,
if that child is newer than our last line.
"""

from __future__ import annotations

import logging
import re

from tray_app.core.errors import KiwoomTokenError
from tray_app.core.printable import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

_MASK = "***"

# None of these takes more than linear time: a host program's lines may be long.
_NAMED = re.compile(
    r"(?i)(\b\w{0,200}(?:token|app_?key|app_?secret|secret_?key)(?:_\w{0,200})?\b[\"']?\s*[:=]\s*[\"']?)[^\s\"',}&]+"
)
_BEARER = re.compile(r"(?i)(\bbearer\s+)\S+")
_URL_PASSWORD = re.compile(r"(://[^\s/@:]*:)[^\s/@]+(?=@)")
_LONG_RUN = re.compile(r"eyJ[\w\-]+(?:\.[\w\-]+)*|[A-Za-z0-9_\-]{40,}")
"""Kiwoom's tokens are 86 characters and app keys 43, all of the base64url alphabet; a JWT begins with `eyJ`."""

_SECRET_NAME = re.compile(r"(?i)token|app_?key|secret|authorization|password|passwd|credential")
_STANDARD_ATTRIBUTES = frozenset({*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"})

_MAX_CHARACTERS = 4000
_MAX_FRAMES = 40
_MAX_CAUSES = 5


def redact(text: str) -> str:
    """Return `text` with everything masked that could be a secret, by its form or by the name before it."""
    return redact_forms(_NAMED.sub(rf"\1{_MASK}", _BEARER.sub(rf"\1{_MASK}", text)))


def redact_forms(text: str) -> str:
    """Return `text` with everything masked that has the form of a secret, whatever it is called."""
    text = _BEARER.sub(rf"\1{_MASK}", text)
    text = _URL_PASSWORD.sub(rf"\1{_MASK}", text)
    return _LONG_RUN.sub(_MASK, text)


def error_text(error: BaseException) -> str:
    """Return what may be written about an error: the text of our own errors and the system's, and only the kind of any
    other, because its text may repeat its input."""
    kind = type(error).__name__
    if isinstance(error, KiwoomTokenError):
        return f"{kind}: {redact(str(error))}"
    if isinstance(error, OSError) and error.strerror:
        return f"{kind}: {redact(error.strerror)}"
    if isinstance(error, ImportError) and error.name:
        return f"{kind}: {redact(error.name)}"
    return kind


def traceback_text(error: BaseException) -> str:
    """Return where `error` was raised and what caused it: no values and no lines of source, which may hold some."""
    parts = []
    for number, (one, trace) in enumerate(_causes(error)):
        if number:
            parts.append("caused by")
        places: list[str] = []
        while trace is not None:
            code = trace.tb_frame.f_code
            places.append(f"  {code.co_filename}:{trace.tb_lineno} in {code.co_name}")
            trace = trace.tb_next  # noqa: PLW2901 - from the outermost call to the innermost
        parts += places[-_MAX_FRAMES:]
        parts.append(error_text(one))
    return "\n".join(parts)


def _causes(error: BaseException) -> Iterator[tuple[BaseException, TracebackType | None]]:
    one: BaseException | None = error
    for _ in range(_MAX_CAUSES):
        if one is None:
            return
        yield one, one.__traceback__
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)


class RedactingFilter(logging.Filter):
    """Masks secrets in a record's message, arguments, extra attributes, stack and exception text."""

    def filter(self, record: logging.LogRecord) -> bool:
        for name in record.__dict__.keys() - _STANDARD_ATTRIBUTES:
            record.__dict__[name] = _masked(name, record.__dict__[name])
        if record.stack_info:
            record.stack_info = redact(record.stack_info)
        try:
            shown = record.getMessage()
        except Exception:  # noqa: BLE001 - logging itself reports it to whoever wrote the line
            return True
        masked = redact(shown)
        if masked != shown:
            record.msg, record.args = masked, ()
        if record.exc_info and not record.exc_text:
            record.exc_text = redact(logging.Formatter().formatException(record.exc_info))
        return True


class RedactingHandler(logging.NullHandler):
    """Writes nothing, and masks secrets in the records of child loggers before the handlers further up get them."""

    def handle(self, record: logging.LogRecord) -> bool:
        return RedactingFilter().filter(record)


def _masked(name: str, value: object) -> object:
    if isinstance(value, (bool, int, float, type(None))):
        return value
    if _SECRET_NAME.search(name):
        return _MASK
    try:
        shown = value if isinstance(value, str) else repr(value)
    except Exception:  # noqa: BLE001 - of a host program's class, whose line must not raise what it did not before
        return _MASK
    masked = redact(shown)
    return value if masked == shown else masked


class RedactingFormatter(logging.Formatter):
    """The form of our own handlers: time, level, the place in the code, and the message on one line."""

    def format(self, record: logging.LogRecord) -> str:
        try:
            message = record.getMessage()
        except (TypeError, ValueError):
            message = str(record.msg)
        line = (
            f"{self.formatTime(record, '%Y-%m-%d %H:%M:%S%z')} {record.levelname} {record.process} {record.name} "
            f"{record.filename}:{record.lineno} {printable(redact(message), _MAX_CHARACTERS)}"
        )
        if record.exc_info and record.exc_info[1] is not None:
            line += "\n" + traceback_text(record.exc_info[1])
        return line
