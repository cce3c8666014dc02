"""A short run of the oracle; a long one is `python -m tests.endurance.oracle --seconds 300 --seed 1`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.endurance.oracle import STORES, run


@pytest.mark.parametrize("store", STORES)
def test_no_token_is_given_after_it_is_known_to_be_dead(tmp_path: Path, store: str) -> None:
    result = run(tmp_path / "run", seconds=3.4, seed=20261126, store=store)
    assert not result.violations, str(result)
    assert result.is_settled, str(result)
    assert result.given
    assert result.learnt, "the programs met dead tokens at all"
