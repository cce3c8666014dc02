"""A short run of the oracle; a long one is `python -m tests.endurance.oracle --seconds 300 --seed 1`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.endurance.oracle import STORES, run


@pytest.mark.parametrize("store", STORES)
def test_no_token_is_given_after_it_is_known_to_be_dead(tmp_path: Path, store: str) -> None:
    for seed in range(20261126, 20261130):  # a busy computer gets to do little in that time
        result = run(tmp_path / str(seed), seconds=3.4, seed=seed, store=store)
        assert not result.violations, str(result)
        assert result.is_settled, str(result)
        if result.given and result.learnt:
            return
    raise AssertionError("the programs met no dead token")
