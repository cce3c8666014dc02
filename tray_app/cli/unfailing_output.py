"""Output that cannot be written, as to a file on a full disk: it is lost, and the program goes on."""

from __future__ import annotations

import contextlib
import os
import sys

from tray_app.system.private_files import is_full

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from typing import Any, TextIO


def unfailing_stderr() -> AbstractContextManager[None]:
    """Drop a warning that cannot be written, without room or a reader: the token it is about is worth more."""
    return _unfailing("stderr", lambda _: True)


def unfailing_stdout() -> AbstractContextManager[None]:
    """Drop a line for which the disk has no room: the program that prints it runs for days. Without a reader the output
    still raises `BrokenPipeError`."""
    return _unfailing("stdout", is_full)


def give_up(stream: TextIO | None) -> None:
    """Drop what could not be written: Python would try again at the exit and print an error of its own."""
    if stream is not None:
        with contextlib.suppress(OSError, ValueError):  # no file at all, as in a notebook
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


@contextlib.contextmanager
def _unfailing(name: str, is_harmless: Callable[[OSError], bool]) -> Iterator[None]:
    stream: TextIO | None = getattr(sys, name)
    if stream is None:
        yield
        return
    setattr(sys, name, _Unfailing(stream, is_harmless))
    try:
        yield
    finally:
        setattr(sys, name, stream)
        try:
            stream.flush()
        except OSError:
            give_up(stream)


class _Unfailing:
    def __init__(self, stream: TextIO, is_harmless: Callable[[OSError], bool]) -> None:
        self._stream = stream
        self._is_harmless = is_harmless

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        with self._lost_if_harmless():
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with self._lost_if_harmless():
            self._stream.flush()

    @contextlib.contextmanager
    def _lost_if_harmless(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if not self._is_harmless(error):
                raise
