"""Run blocking calls on threads that do not keep the program from ending."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import threading
    from collections.abc import Callable
    from typing import TypeVar

    Result = TypeVar("Result")


_FINISH_SECONDS = 1.0
_unfinished: set[threading.Thread] = set()


async def on_a_thread(act: Callable[[], Result]) -> Result:
    """Call `act` on a thread, under asyncio or trio, and return or raise what it does.

    A caller that is cancelled goes on at once. The thread finishes its work, or ends with the program.
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
    ended: asyncio.Future[None] = loop.create_future()
    context = contextvars.copy_context()
    results: list[Result] = []
    errors: list[BaseException] = []  # not in the future, which does not take each of them

    def tell() -> None:
        if not ended.done():
            ended.set_result(None)

    def work() -> None:
        try:
            results.append(context.run(act))
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is the caller's
            errors.append(error)
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(tell)

    try:
        threading.Thread(target=work, name="kiwoom token", daemon=True).start()
    except RuntimeError:  # no more threads: no request can begin either, so nothing here takes long
        return act()
    await ended
    if errors:
        raise errors.pop()
    return results.pop()


def start_in_background(act: Callable[[], object]) -> None:
    """Call `act` on a daemon thread and return at once; whatever it raises is dropped.

    At the exit the program waits a second at the most for it, so that its writing is not cut short.
    """
    import atexit
    import contextlib
    import threading

    def work() -> None:
        with contextlib.suppress(Exception):
            act()
        _unfinished.discard(threading.current_thread())

    thread = threading.Thread(target=work, name="kiwoom background", daemon=True)
    if not _unfinished:
        atexit.unregister(_finish)
        atexit.register(_finish)
    _unfinished.add(thread)
    try:
        thread.start()
    except RuntimeError:  # no more threads, or the program is ending
        _unfinished.discard(thread)


def _finish() -> None:
    import contextlib

    with contextlib.suppress(KeyboardInterrupt):
        for thread in list(_unfinished):
            thread.join(_FINISH_SECONDS)
