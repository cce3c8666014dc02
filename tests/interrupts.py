"""Exceptions of a signal handler, as Ctrl+C or the time limit of a job raises them, wherever they can come."""

from __future__ import annotations

import contextlib
import gc
import itertools
import sys
from collections.abc import Callable, Iterator
from types import FrameType


class Interrupted(BaseException):
    """What the handler raises."""


def interrupted_everywhere(
    act: Callable[[], object], files: tuple[str, ...], just_before: Callable[[], object] = lambda: None
) -> Iterator[str]:
    """Call `act` again and again, each time interrupted one step later, until it comes to its end. Yield after each
    call where that was. `just_before` is what other threads and programs do right before the exception comes.

    Python runs signal handlers before the first line of a function, and after a call of one that is written in C. Steps
    count only in source files whose paths end with one of `files`.
    """
    for number in itertools.count(1):
        place = _interrupted_at(number, act, files, just_before)
        if not place:
            return
        yield place


def _interrupted_at(
    number: int, act: Callable[[], object], files: tuple[str, ...], just_before: Callable[[], object]
) -> str:
    steps, places = itertools.count(1), []

    def step(frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if event in {"call", "c_return"} and code.co_filename.endswith(files) and next(steps) == number:
            places.append(f"{event} in line {frame.f_lineno} of {code.co_name}")
            just_before()
            raise Interrupted

    gc.disable()  # what ends an object of an earlier test would be interrupted instead
    with contextlib.suppress(Interrupted):
        sys.setprofile(step)
        try:
            act()
        finally:
            sys.setprofile(None)
            gc.enable()
    return "".join(places)
