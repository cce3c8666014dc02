"""The lock of one profile's token across computers, and the record that its holder leaves."""

from __future__ import annotations

import os
import threading
import time

from tray_app.core import logs
from tray_app.core.errors import LockTimeout, RedisUnavailable, StoreError
from tray_app.core.language import msg
from tray_app.stores.lock import DEFAULT_TIMEOUT_SECONDS, ThreadLock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from tray_app.stores.redis_server import RedisServer

LEASE_SECONDS = 3.0
"""After this Redis frees the lock of a killed holder. A holder that is alive extends its lease in time."""

_POLL_SECONDS = 0.03
_RECORD_SECONDS = 2 * 86400

_GRANT = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[2], ARGV[1])
return 1
"""
"""Records the owner as the last holder of the lock, in one step with checking that it still is the owner."""


class RedisLock(ThreadLock):
    """The lock across computers: this computer's lock first, then redis-py's lock; while Redis is away, the first
    alone.

    Redis frees the lock `seconds` after its holder was killed; a holder that is alive extends it meanwhile. The record
    is stored in Redis, with its times by the server's clock, because two computers' clocks differ.
    """

    def __init__(
        self,
        prefix: str,
        server: RedisServer,
        local: ThreadLock,
        clock: Callable[[], float],
        seconds: float = LEASE_SECONDS,
    ) -> None:
        super().__init__()
        self._server = server
        self._local = local
        self._spare = ThreadLock()
        self._clock = clock
        self._seconds = seconds
        self._lock_key = prefix + "lock"
        self._holder_key = prefix + "holder"
        self._record_key = prefix + "note"
        self._held_local: ThreadLock = local
        self._held: Any = None
        self._released = threading.Event()

    @property
    def holder(self) -> bytes | None:
        """The value that fences a write of the present holder; None while it holds only this computer's lock."""
        return None if self._held is None else self._held.local.token

    def acquire(
        self, timeout: float = DEFAULT_TIMEOUT_SECONDS, on_update: Callable[[dict[str, Any]], bool] | None = None
    ) -> bool:
        deadline = time.monotonic() + timeout
        local = self._acquire_local(timeout, on_update)
        if local is None:
            return False
        try:
            while not self._try_redis():
                if on_update is not None and on_update(self.peek_record()):
                    local.release()
                    return False
                if time.monotonic() >= deadline:
                    raise LockTimeout(  # noqa: TRY301 - the local lock is given back below
                        msg("Another computer has been renewing this token for too long. Try again in a moment.")
                    )
                time.sleep(_POLL_SECONDS * (0.5 + os.urandom(1)[0] / 256))
            self._held_local = local
        except BaseException:
            self._held_local = local
            self.release()
            raise
        return True

    def try_acquire(self) -> bool:
        if not self._local.try_acquire():
            return False
        try:
            self._held_local = self._local
            taken = self._try_redis()
            if not taken:
                self._local.release()
        except BaseException:
            self.release()
            raise
        return taken

    def is_mine(self) -> bool:
        return self._local.is_mine() or self._spare.is_mine()

    def release(self) -> None:
        if not self.is_mine():
            return
        held, self._held = self._held, None
        self._released.set()
        try:
            if held is not None:
                self._server.ask(lambda _: held.release())
        except StoreError:
            logs.debug("The lock in Redis was lost before it was released")
        finally:
            try:
                self._local.release()
            finally:
                self._spare.release()  # each does nothing unless it is this thread's

    def read_record(self) -> dict[str, Any]:
        return self._held_local.read_record() if self._held is None else self.peek_record()

    def peek_record(self) -> dict[str, Any]:
        import json

        def fetch(client: Any) -> tuple[tuple[float, float], Any]:
            return self._measure(client), client.get(self._record_key)

        try:
            (ahead, error), text = self._server.ask(fetch)
            kept = json.loads(text)
            record = kept["note"]
            later = float(kept["clock"]) - ahead
            if abs(later) <= float(kept.get("error", 0.0)) + error:
                later = 0.0  # for all that is known, the two clocks are one
            times = {name: float(record[name]) + later for name in _RECORD_TIMES if record.get(name)}
        except RedisUnavailable:
            return self._held_local.read_record()
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return {}
        if "at" in times:
            times["at"] = min(times["at"], self._clock())
        return {**record, **times}

    def is_lost(self) -> bool:
        """Return True also if the lease ended while this process was stopped, and another computer had the lock since.
        May use the network."""
        if self._held_local.is_lost():
            return True
        try:
            last = None if self._held is None else self._server.ask(lambda client: client.get(self._holder_key))
        except StoreError:
            return False  # then nothing can be written to Redis either
        return last is not None and last != self.holder

    def record_version(self) -> object:
        return self._local.record_version()

    def write_record(self, record: dict[str, Any]) -> None:
        """Write the record. Raises nothing: the token that was just issued matters more."""
        import json

        def put(client: Any) -> None:
            ahead, error = self._measure(client)
            kept = {"clock": ahead, "error": error, "note": record}
            client.set(self._record_key, json.dumps(kept), ex=_RECORD_SECONDS)

        self._held_local.write_record(record)
        if self._held is not None:
            try:
                self._server.ask(put)
            except RedisUnavailable as error:
                logs.warning("The lock's record cannot be written to Redis (%s)", error.problem)

    def _measure(self, client: Any) -> tuple[float, float]:
        """Return how far the server's clock is ahead of this computer's, and by how much that may be wrong: a slow
        answer must not make what happened before it look later."""
        before = self._clock()
        seconds, microseconds = client.time()
        half = (self._clock() - before) / 2
        return seconds + microseconds / 1e6 - before - half, abs(half)

    def _acquire_local(self, timeout: float, on_update: Callable[[dict[str, Any]], bool] | None) -> ThreadLock | None:
        """Take this computer's lock, or one of this process where its file cannot be used. Return None if the wait
        ended."""
        try:
            return self._local if self._local.acquire(timeout, on_update) else None
        except LockTimeout:
            raise
        except StoreError as error:
            logs.warning("Renewing without this computer's lock (%s)", type(error).__name__)
            return self._spare if self._spare.acquire(timeout, on_update) else None

    def _try_redis(self) -> bool:
        """Return True if there is nothing more to wait for: the lock is ours, or Redis is away."""

        def attempt(client: Any) -> Any:
            lock = client.lock(self._lock_key, timeout=self._seconds, thread_local=False)
            if not lock.acquire(blocking=False):
                return None
            granted = client.eval(_GRANT, 2, self._lock_key, self._holder_key, lock.local.token)
            return lock if granted else None

        try:
            self._held = self._server.ask(attempt)
        except RedisUnavailable as error:
            logs.warning("Renewing under this computer's own lock alone (%s)", error.problem)
            return True
        if self._held is None:
            return False
        self._released = threading.Event()
        extending = threading.Thread(
            target=_extend,
            args=(self._server, self._held, self._seconds, self._released),
            name="redis-lock",
            daemon=True,
        )
        try:
            extending.start()
        except RuntimeError:  # then the lease may end before the work does, and `is_lost` tells
            logs.warning("The lease of the lock in Redis is not extended: no thread can be started")
        return True

    def _forget_parent(self) -> None:
        super()._forget_parent()
        self._held = None


_RECORD_TIMES = ("at", "wait_until")


def _extend(server: RedisServer, held: Any, seconds: float, released: threading.Event) -> None:
    """Extend the lease while the lock is held; a daemon, so that it ends with the program."""
    while not released.wait(seconds / 3):
        try:
            server.ask(lambda _: held.reacquire())
        except StoreError:
            logs.debug("The lease of the lock in Redis could not be extended")
