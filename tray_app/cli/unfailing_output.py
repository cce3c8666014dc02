"""Output that cannot be written, as to a file on a full disk: it is lost, and the program goes on."""

from __future__ import annotations

import contextlib
import os
import sys

from tray_app.system.private_files import is_full

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, TextIO


@contextlib.contextmanager
def unfailing_stderr() -> Iterator[None]:
    """Let no warning fail for want of room or of a reader: it is worth less than the token that it is about."""
    before = sys.stderr
    sys.stderr = _unfailing(before, lambda _: True)
    try:
        yield
    finally:
        sys.stderr = before
        _drop_what_is_left(before)


@contextlib.contextmanager
def unfailing_stdout() -> Iterator[None]:
    """Let no line of a program that runs for days fail for want of room. A reader that is gone is still told by
    `BrokenPipeError`."""
    before = sys.stdout
    sys.stdout = _unfailing(before, is_full)
    try:
        yield
    finally:
        sys.stdout = before
        _drop_what_is_left(before)


def _unfailing(stream: TextIO | None, is_harmless: Callable[[OSError], bool]) -> Any:
    return None if stream is None else _Unfailing(stream, is_harmless)


class _Unfailing:
    def __init__(self, stream: TextIO, is_harmless: Callable[[OSError], bool]) -> None:
        self._stream = stream
        self._is_harmless = is_harmless

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except OSError as error:
            if not self._is_harmless(error):
                raise
            return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError as error:
            if not self._is_harmless(error):
                raise


def _drop_what_is_left(stream: TextIO | None) -> None:
    """Write what Python has kept of the output, or send it nowhere: it would try again at the exit, and complain."""
    if stream is None:
        return
    try:
        stream.flush()
    except OSError:
        with contextlib.suppress(OSError, ValueError):  # no file at all, as in a notebook
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
