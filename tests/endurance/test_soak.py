"""What the soak says of the figures that it took; the run itself: `python -m tests.endurance.soak --minutes 30`."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest

if sys.platform != "linux":
    pytest.skip("figures of a process are read from /proc", allow_module_level=True)

import os

from tests.endurance.soak import Figures, growth, is_steady, look


def test_figures_of_this_process(tmp_path: object) -> None:
    found = look({os.getpid()}, tmp_path, 60.0, 1)  # type: ignore[arg-type]
    assert found.resident_kb > 1000
    assert found.threads >= 1
    assert found.handles >= 3


@pytest.mark.parametrize(
    ("changed", "steady"),
    [
        ({}, True),
        ({"resident_kb": 101_000}, True),
        ({"resident_kb": 110_000}, False),
        ({"threads": 14}, False),
        ({"handles": 30}, False),
    ],
)
def test_what_grows_is_not_steady(changed: dict[str, int], steady: bool) -> None:
    first = Figures(120.0, resident_kb=100_000, threads=12, handles=24)
    last = replace(first, at=3720.0, **changed)
    assert is_steady([first, last]) is steady
    assert "in a second" in growth([first, last])
