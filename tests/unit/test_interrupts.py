"""A signal handler that raises, wherever it comes: Ctrl+C in a notebook, the time limit of a job."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.doubles import START, Clock, FakeBroker
from tests.file_service import open_file_service
from tests.interrupts import interrupted_everywhere
from tray_app.service.token_service import TokenService
from tray_app.stores.lock import ProfileLock

WHERE_THE_LOCK_IS = ("lock.py", "token_service.py", "contextlib.py")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".token"


@pytest.mark.parametrize(
    "act",
    [
        lambda service: service.doubt(service.current().value),
        lambda service: service.confirm(service.current().value, START + 3600),
        lambda service: service.expire_soft(service.current()),
        lambda service: service.refresh(),
    ],
    ids=["doubt", "confirm", "expire_soft", "refresh"],
)
def test_leaves_the_lock_to_others(
    act: Callable[[TokenService], object], path: Path, clock: Clock, broker: FakeBroker
) -> None:
    service, others = open_file_service(path, clock, broker), ProfileLock(f"{path}.lock")
    service.refresh()

    for place in interrupted_everywhere(lambda: act(service), WHERE_THE_LOCK_IS):
        for lock in (others, service.store.lock):
            assert lock.try_acquire(), place
            lock.release()
