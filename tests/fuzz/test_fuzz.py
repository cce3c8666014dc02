"""The corpus of the fuzz targets, and a moment of the loop; longer: `python -m tests.fuzz settings --seconds 300`."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.fuzz.__main__ import CORPUS, Loop, seeds
from tests.fuzz.targets import TARGETS

KEPT = sorted(CORPUS.glob("*/*"))


@pytest.mark.posix
@pytest.mark.parametrize("path", KEPT, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_what_is_in_the_corpus(path: Path) -> None:
    TARGETS[path.parent.name](path.read_bytes())


@pytest.mark.posix
@pytest.mark.parametrize("target", TARGETS)
def test_a_moment_of_the_loop(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)
    loop = Loop(TARGETS[target], seeds(target), 20261126)
    before = loop.lines
    for _ in range(60):
        loop.step()
    assert loop.lines >= before > 20


def test_the_corpus_is_small() -> None:
    assert {one.parent.name for one in KEPT} == set(TARGETS)
    assert sum(one.stat().st_size for one in KEPT) < 50_000
