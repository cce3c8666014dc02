"""Many programs that record at once: nothing is lost, nothing is told twice."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tray_app.history.database import History
from tray_app.kiwoom.sandbox import SandboxKiwoom


@pytest.fixture
def events(tmp_path: Path) -> Callable[..., Any]:
    """What stands in the record once as much does as is expected, and a moment later."""

    def read(expected: Any) -> Any:
        history = History(str(tmp_path / "data" / "history.db"))
        deadline = time.monotonic() + 30
        while len(history.read("default")) < expected and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.2)
        return history.read("default")

    return read


@pytest.fixture(autouse=True)
def in_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")


def test_each_of_many_processes_leaves_its_mark(start: Callable[..., Any], events: Callable[..., Any]) -> None:
    workers = start(6)
    for n in range(3):
        for number, worker in enumerate(workers):
            worker.send("set_token", f"token-{number}-{n}-of-a-test", 3600 + 60 * n)
        for worker in workers:
            worker.answer()

    found = events(18)

    assert [str(one.kind) for one in found] == ["stored"] * 18
    assert len({one.token for one in found}) == 18


def test_many_that_ask_at_once_make_one_event(
    sandbox: SandboxKiwoom, start: Callable[..., Any], together: Callable[..., list[Any]], events: Callable[..., Any]
) -> None:
    together(start(6), "ensure_token")

    requests = sandbox.counts()["issue"]

    assert [str(one.kind) for one in events(requests)] == ["issued"] * requests
