"""Look for bytes that a parser of the program cannot take: `python -m tests.fuzz settings --seconds 300`.

With `atheris` installed (`pip install atheris`, Linux and macOS) libFuzzer guides it by the branches that are reached;
elsewhere a small loop keeps what reaches a new line. What is worth keeping is small and is put into `corpus/`.
"""

from __future__ import annotations

import argparse
import importlib.util
import logging
import random
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

CORPUS = Path(__file__).with_name("corpus")
_LONGEST = 4096
_PIECES = (b'"', b"\\", b"{", b"}", b"[", b"]", b"=", b"\n", b"\x00", b"\xff", b"9" * 400, b"[" * 999, "가".encode())


def seeds(target: str) -> list[bytes]:
    """Return what is known to be worth beginning with."""
    return [one.read_bytes() for one in sorted((CORPUS / target).iterdir())]


class Loop:
    """Change what reached new lines before, by chance, and keep what reaches new ones again."""

    def __init__(self, take: Callable[[bytes], None], corpus: list[bytes], seed: int) -> None:
        self._take = take
        self._corpus = list(corpus)
        self._chance = random.Random(seed)  # noqa: S311 - it decides what is tried
        self._seen: set[tuple[str, int]] = set()
        self.runs = 0
        for one in corpus:
            self.run(one)

    def step(self) -> None:
        content = bytearray(self._chance.choice(self._corpus))
        for _ in range(self._chance.choice([1, 1, 2, 4, 8])):
            self._change(content)
        if self.run(bytes(content[:_LONGEST])):
            self._corpus.append(bytes(content[:_LONGEST]))

    def run(self, content: bytes) -> bool:
        """Return whether it reaches a new line of the program. Raises what the target raises."""
        self.runs += 1
        before = len(self._seen)
        sys.settrace(self._trace)
        try:
            self._take(content)
        finally:
            sys.settrace(None)
        return len(self._seen) > before

    @property
    def lines(self) -> int:
        return len(self._seen)

    def _trace(self, frame: FrameType, event: str, _: Any) -> Any:
        if "tray_app" not in frame.f_code.co_filename:
            return None
        self._seen.add((frame.f_code.co_filename, frame.f_lineno))
        return self._trace

    def _change(self, content: bytearray) -> None:
        chance = self._chance
        at = chance.randrange(len(content) + 1)
        way = chance.randrange(5)
        if way == 0:
            content[at:at] = chance.choice(_PIECES)
        elif way == 1:
            del content[at : at + chance.randrange(1, 9)]
        elif way == 2 and at < len(content):
            content[at] = chance.randrange(256)
        elif way == 3:
            other = chance.choice(self._corpus)
            start = chance.randrange(len(other) + 1)
            content[at:at] = other[start : start + chance.randrange(1, 40)]
        else:
            content[at:at] = content[max(0, at - 12) : at]


def run_loop(target: str, seconds: float, seed: int) -> int:
    from tests.fuzz.targets import TARGETS

    end = time.monotonic() + seconds
    loop = Loop(TARGETS[target], seeds(target), seed)
    while time.monotonic() < end:
        loop.step()
    print(f"{target}: {loop.runs} inputs, {loop.lines} lines reached, nothing found")
    return 0


def run_atheris(target: str, seconds: float, seed: int) -> int:
    import atheris

    found = CORPUS.parent / "found" / target
    found.mkdir(parents=True, exist_ok=True)
    with atheris.instrument_imports(include=["tray_app"]):
        from tests.fuzz.targets import TARGETS
    words = [sys.argv[0], f"-max_total_time={int(seconds)}", f"-seed={seed}", f"-max_len={_LONGEST}", "-rss_limit_mb=0"]
    atheris.Setup([*words, f"-artifact_prefix={found}/", str(found), str(CORPUS / target)], TARGETS[target])
    atheris.Fuzz()
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Give a parser bytes that nobody wrote.")
    parser.add_argument("target", choices=sorted(one.name for one in CORPUS.iterdir()))
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--loop", action="store_true", help="not with atheris, though it is installed")
    parser.add_argument("--input", type=Path, help="run this file alone")
    options = parser.parse_args()
    logging.disable()
    if options.input:
        from tests.fuzz.targets import TARGETS

        TARGETS[options.target](options.input.read_bytes())
        return 0
    is_guided = importlib.util.find_spec("atheris") is not None and not options.loop
    try:
        return (run_atheris if is_guided else run_loop)(options.target, options.seconds, options.seed)
    except Exception:  # noqa: BLE001 - that is what was looked for
        traceback.print_exc()
        return 1


if __name__ == "__main__":
    sys.exit(main())
