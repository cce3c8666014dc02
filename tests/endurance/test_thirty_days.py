"""A few simulated days for each kind of store; months of them: `python -m tests.endurance.thirty_days --seeds 1000`."""

from __future__ import annotations

import sys

import pytest

from tests.endurance.thirty_days import STORES, run_seed

if sys.platform == "win32":
    pytest.skip("the simulated disk is one of POSIX", allow_module_level=True)


@pytest.mark.parametrize("store", STORES)
def test_a_token_that_works_stays_at_hand(store: str) -> None:
    for seed, policy in ((20261126, "auto"), (20261127, "daily 06:30")):
        figures = run_seed(seed, days=4, store=store, policy=policy)
        assert not figures.violations, str(figures)
        assert figures.usable > 0.98 * figures.possible, str(figures)
        assert figures.given, str(figures)
