"""What may wait, for coroutines."""

from __future__ import annotations

import asyncio
import threading
from contextvars import ContextVar
from typing import Any

import pytest
import trio

from tray_app.api.background import on_a_thread

LOOPS = {"asyncio": asyncio.run, "trio": lambda main: trio.run(lambda: main)}


@pytest.fixture(params=LOOPS)
def run(request: pytest.FixtureRequest) -> Any:
    return LOOPS[request.param]


async def give_up_on(act: Any, begun: Any) -> None:
    """Cancels once `act` has begun."""
    try:
        asyncio.current_task()
    except RuntimeError:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(on_a_thread, act)
            while not begun.is_set():
                await trio.sleep(0.001)
            nursery.cancel_scope.cancel()
        return
    task = asyncio.ensure_future(on_a_thread(act))
    while not begun.is_set():
        await asyncio.sleep(0.001)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_brings_back_what_came_of_it(run: Any) -> None:
    async def main() -> None:
        assert await on_a_thread(lambda: "answer") == "answer"
        with pytest.raises(ZeroDivisionError):
            await on_a_thread(lambda: 1 / 0)

    run(main())


def test_brings_back_what_no_coroutine_can_raise(run: Any) -> None:
    """As a mock raises when it has no more answers."""

    async def main() -> None:
        with pytest.raises(RuntimeError, match="StopIteration"):
            await on_a_thread(lambda: next(iter(())))

    run(main())


def test_runs_elsewhere_with_the_callers_context(run: Any) -> None:
    name = ContextVar("name")  # type: ignore[var-annotated]

    async def main() -> Any:
        name.set("of the caller")
        return await on_a_thread(lambda: (name.get(), threading.current_thread() is threading.main_thread()))

    assert run(main()) == ("of the caller", False)


def test_who_is_cancelled_leaves_nothing_that_holds_up_the_end_of_the_program(run: Any) -> None:
    begun, release = threading.Event(), threading.Event()

    def wait() -> None:
        begun.set()
        release.wait()

    try:
        before = set(threading.enumerate())

        run(give_up_on(wait, begun))

        assert [one for one in threading.enumerate() if one not in before and not one.daemon] == []
    finally:
        release.set()


def test_what_comes_after_the_end_of_the_loop_is_no_error(run: Any, recwarn: Any) -> None:
    begun, release = threading.Event(), threading.Event()
    threads = []

    def wait() -> None:
        threads.append(threading.current_thread())
        begun.set()
        release.wait()

    run(give_up_on(wait, begun))
    release.set()
    if run is asyncio.run:
        threads[0].join(20)

    assert not recwarn
