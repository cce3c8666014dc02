"""Times that can be compared: cases in turn, medians, and ratios of what ran side by side."""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Figure:
    """One line of the table: our figure beside a peer's. `ours` and `peer` are in `unit`; `peer` is None where the peer
    is not installed. `goal` is what to reach, in words."""

    what: str
    ours: float
    peer_name: str
    peer: float | None
    unit: str
    goal: str = ""

    @property
    def ratio(self) -> float | None:
        """Return how many times the peer's figure ours is."""
        return None if not self.peer else self.ours / self.peer

    def fields(self) -> dict[str, Any]:
        return {**asdict(self), "ratio": self.ratio}


def in_turn(cases: Mapping[str, Callable[[], object]], *, calls: int, rounds: int = 9) -> dict[str, float]:
    """Return the median seconds of one call of each case; every round times each case once, in another order."""
    taken: dict[str, list[float]] = {name: [] for name in cases}
    names = list(cases)
    for round_number in range(rounds):
        for name in names[round_number % len(names) :] + names[: round_number % len(names)]:
            case = cases[name]
            began = time.perf_counter()
            for _ in range(calls):
                case()
            taken[name].append((time.perf_counter() - began) / calls)
    return {name: statistics.median(one) for name, one in taken.items()}


def programs_in_turn(
    commands: Mapping[str, Sequence[str]],
    *,
    environments: Mapping[str, Mapping[str, str]],
    rounds: int = 25,
    folder: Path,
    peers: Collection[str] = (),
) -> dict[str, float]:
    """Return the median seconds of each command from its start to its end. One of ours that fails raises."""

    def run(name: str) -> Callable[[], object]:
        options: dict[str, Any] = {"env": environments[name], "cwd": folder, "stdin": subprocess.DEVNULL}
        is_peer = name in peers  # without keys of its own one may end with a status of its own
        return lambda: subprocess.run(commands[name], capture_output=True, check=not is_peer, **options)

    cases = {name: run(name) for name in commands}
    for case in cases.values():  # what is compiled or cached once is no part of the figure
        case()
    return in_turn(cases, calls=1, rounds=rounds)


def table(figures: Sequence[Figure]) -> str:
    """Return the figures as a table in Markdown."""
    lines = ["| what | ours | beside | | ratio | goal |", "|---|---|---|---|---|---|"]
    for one in figures:
        peer = _number(one.peer, one.unit) if one.peer is not None else "not installed" if one.peer_name else ""
        ratio = "" if one.ratio is None else f"{one.ratio:.2f}"
        lines.append(
            f"| {one.what} | {_number(one.ours, one.unit)} | {one.peer_name} | {peer} | {ratio} | {one.goal} |"
        )
    return "\n".join(lines)


def _number(value: float, unit: str) -> str:
    return f"{value:.3g} {unit}" if value < 1000 else f"{value:.0f} {unit}"
