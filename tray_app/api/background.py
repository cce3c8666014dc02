"""What may wait, for coroutines: on a thread that does not hold up the end of the program."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    Result = TypeVar("Result")


async def on_a_thread(act: Callable[[], Result]) -> Result:
    """What `act` returns or raises, under asyncio and trio.

    Who is cancelled goes on at once; the thread ends its work, or ends with the program.
    """
    import asyncio

    try:
        is_asyncio = asyncio.current_task() is not None
    except RuntimeError:
        is_asyncio = False
    if is_asyncio:
        return await _on_a_daemon_thread(act)
    from anyio.to_thread import run_sync

    return await run_sync(act, abandon_on_cancel=True)  # trio's threads are daemons; with asyncio anyio's are not


async def _on_a_daemon_thread(act: Callable[[], Result]) -> Result:
    import asyncio
    import contextlib
    import contextvars
    import threading

    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Result] = loop.create_future()
    context = contextvars.copy_context()

    def settle(put: Callable[[Any], None], outcome: object) -> None:
        if not answer.done():
            put(outcome)

    def work() -> None:
        put: Callable[[Any], None] = answer.set_result
        outcome: object
        try:
            outcome = context.run(act)
        except BaseException as error:  # noqa: BLE001 - whatever it is reaches the one who asked
            put, outcome = answer.set_exception, error
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(settle, put, outcome)

    threading.Thread(target=work, name="kiwoom token", daemon=True).start()
    return await answer
