"""A few simulated days for each kind of store; months of them: `python -m tests.endurance.thirty_days --seeds 1000`."""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from tests.endurance.thirty_days import STORES, run_seed

if sys.platform == "win32":
    pytest.skip("the simulated disk is one of POSIX", allow_module_level=True)


@pytest.mark.parametrize("store", STORES)
def test_a_token_that_works_stays_at_hand(store: str) -> None:
    # In a process of its own: what grows here is counted, and other tests have left threads that do something still.
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        for seed, policy in ((20261126, "auto"), (20261127, "daily 06:30")):
            figures = process.submit(run_seed, seed, 4, store, policy).result()
            assert not figures.violations, str(figures)
            assert figures.usable > 0.98 * figures.possible, str(figures)
            assert figures.given, str(figures)
