"""A token in Redis, for several machines behind one public IP.

Keys of one profile, in one slot of a cluster: `kiwoom-token-tray:{profile}:token` (one line of JSON or its
Fernet text, gone at the token's end), `:lock` (redis-py's own lock), `:holder` (who was given the lock last: the
fence), `:count` (of changes), `:note` (how the last request to the broker ended). Changes are said on the
channel `:changes`.
"""

from __future__ import annotations

import contextlib
import os
import time
import weakref

from tray_app.core import logs
from tray_app.core.errors import LockTimeout, RedisUnavailable, StoreError
from tray_app.core.language import msg
from tray_app.core.token import DamagedRecord, Token, decode, encode_zoned
from tray_app.stores.base import Place
from tray_app.stores.encryption import Cipher, is_sealed
from tray_app.stores.file import local_time
from tray_app.stores.lock import DEFAULT_TIMEOUT_SECONDS, ThreadLock
from tray_app.stores.redis_changes import UNSURE_SECONDS, RedisChanges, count_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from tray_app.stores.change_marker import ChangeMarker
    from tray_app.stores.redis_server import RedisServer

LOCK_SECONDS = 25.0
"""After this Redis frees the lock of a killed holder: longer than a revoke and an issue take, and less than
others wait for the lock."""

MAX_BYTES = 65536
"""A token has some 250 bytes; more is not one."""

CONFIRM_SECONDS = 0.05
"""How long an order may be held up to learn whether the token still is the one: an answer in the same building
takes less than one of these milliseconds."""

_POLL_SECONDS = 0.03
_NOTE_SECONDS = 2 * 86400

_GRANT = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[2], ARGV[1])
return 1
"""
"""Makes the owner of the lock the last one it was given to, in one step with asking whether it still is the owner."""

_WRITE = """
local holder = redis.call('GET', KEYS[3])
if holder and holder ~= ARGV[3] then return -1 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
local count = redis.call('INCR', KEYS[2])
redis.pcall('PUBLISH', KEYS[4], count)
return count
"""
"""The fenced write: refused when the lock has been given to another since, even if it expired meanwhile."""

_SWAP = """
if redis.call('GETRANGE', KEYS[1], 0, ARGV[3]) ~= ARGV[1] then return -1 end
if (redis.call('GET', KEYS[2]) or '') ~= ARGV[2] then return -1 end
if ARGV[4] == '' then
  redis.call('DEL', KEYS[1])
else
  redis.call('SET', KEYS[1], ARGV[4], 'PX', ARGV[5])
end
local count = redis.call('INCR', KEYS[2])
redis.pcall('PUBLISH', KEYS[3], count)
return count
"""
"""Replaces or deletes just what was read."""


class RedisStore:
    """The store of `KIWOOM_TRAY_STORE=redis`.

    While Redis cannot be used, this process goes on with the token that it has in hand. A token that could not
    be written is handed to Redis when it is back, unless somebody else changed it there; so is the token in
    hand when Redis comes back without its memory. Something of another program in the key counts as no token and
    is neither overwritten nor deleted.
    """

    def __init__(
        self,
        profile: str,
        server: RedisServer,
        marker: ChangeMarker,
        local_lock: ThreadLock,
        *,
        cipher: Cipher | None = None,
        clock: Callable[[], float] = time.time,
        lock_seconds: float = LOCK_SECONDS,
        writes: ChangeMarker | None = None,
    ) -> None:
        prefix = f"kiwoom-token-tray:{{{profile}}}:"
        self._server = server
        self._clock = clock
        self._cipher = cipher or Cipher()
        self._marker = marker
        self._token_key = prefix + "token"
        self._count_key = prefix + "count"
        self._holder_key = prefix + "holder"
        self._channel = prefix + "changes"
        self._changes = RedisChanges(server, self._channel, marker)
        self._redis_lock = RedisLock(prefix, server, local_lock, clock, lock_seconds)
        self.lock: ThreadLock = self._redis_lock
        self._writes = writes
        self._turn = ThreadLock()
        self._in_hand: Token | None = None
        self._unwritten = False
        self._count: int | None = None
        self._problem: RedisUnavailable | None = None
        self._confirm_after = 0.0
        server.when_back = _weakly(self._catch_up)

    def version(self) -> object:
        """Whoever relies on what was read asks Redis each time whether it still holds, so that a change on another
        computer shows at the very next look. While Redis is slow to answer, what it says on the channel decides, and
        for this computer `writes`.
        """
        self._confirm()
        changes = self._changes.version()
        if self._writes is None:
            return changes
        written = self._writes.version()
        return (changes, written if isinstance(written, bytes) else None)

    def read(self) -> Token | None:
        with self._turn:
            return self._read()

    def read_quick(self) -> Token | None:
        return None

    def read_expiring(self) -> Token | None:
        return None

    def write(self, token: Token) -> object:
        with self._turn:
            return self._write(token, self._redis_lock.holder)

    def wants_rewriting(self) -> bool:
        if not self._cipher.has_keys():
            return False
        try:
            found = self._fetch()
        except RedisUnavailable:
            return False
        return bool(found.raw) and not found.is_foreign and not self._cipher.is_current(found.raw)

    def clear(self) -> bool:
        with self._turn:
            return self._clear()

    def expire_soft(self, token: Token) -> bool:
        """Leaves it: `get_token` judges by the record, whoever may use it to its end still finds it, and Redis
        deletes it by itself then."""
        return token.lives(self._clock())

    def check(self) -> None:
        """Redis is asked in the background."""

    def place(self) -> Place:
        return Place("redis", self._server.address, self._server.problem or self._problem)

    def watch_paths(self) -> list[str]:
        return [self._marker.path]

    def _confirm(self) -> None:
        if not self._changes.is_sure or self._server.problem is not None or time.monotonic() < self._confirm_after:
            return
        try:
            count = self._server.ask_briefly(lambda client: (client.get(self._count_key),), CONFIRM_SECONDS)
        except RedisUnavailable:
            self._changes.doubt()
            return
        if count is None:
            self._confirm_after = time.monotonic() + UNSURE_SECONDS
        else:
            self._changes.on_update(count_of(count[0]))

    def _read(self) -> Token | None:
        try:
            found = self._fetch()
        except RedisUnavailable:
            if self._in_hand is None:
                raise
            return self._in_hand  # also after its end: then Kiwoom is asked, who does not need Redis
        token = self._decode(found)
        if self._unwritten or self._is_forgotten(found, token):
            token = self._hand_over(found, token)
        self._in_hand, self._count = token, found.count
        self._changes.trust()
        return token

    def _write(self, token: Token, holder: bytes | None) -> object:
        try:
            found = self._fetch()
            self._decode(found)
            if found.is_foreign:
                raise self._foreign()
            if holder is None:
                count = self._swap(found, token)
            else:
                count = self._change(
                    _WRITE,
                    [self._token_key, self._count_key, self._holder_key, self._channel],
                    [self._cipher.seal(encode_zoned(token)), self._milliseconds(token), holder],
                )
        except RedisUnavailable as error:
            self._problem = error.again()
            self._in_hand, self._unwritten = token, True
            self._changes.doubt()
            raise
        if count < 0:
            raise StoreError(
                msg("Another computer took over while this one was renewing the token, so it was not stored.")
            )
        self._in_hand = token
        self._written(count)
        logs.info("Token saved to Redis (expires at %s)", local_time(token))
        return self._announce(count)

    def _clear(self) -> bool:
        self._in_hand, self._unwritten = None, False
        for _ in range(_ATTEMPTS):
            found = self._fetch()
            if found.is_foreign:
                return False
            count = self._swap(found, None)
            if count >= 0:
                self._written(count)
                self._announce(count)
                return bool(found.raw)
        raise StoreError(msg("The token in Redis keeps changing and was not deleted. Try again."))

    def _fetch(self) -> _Found:
        def fetch(client: Any) -> _Found:
            pipe = client.pipeline(transaction=False)
            pipe.get(self._count_key)
            pipe.getrange(self._token_key, 0, MAX_BYTES)
            count, raw = pipe.execute(raise_on_error=False)
            if isinstance(raw, Exception) and "WRONGTYPE" in str(raw):
                return _Found(count, None)
            for answer in (count, raw):
                if isinstance(answer, Exception):
                    raise answer
            return _Found(count, raw)

        try:
            return self._server.ask(fetch)
        except RedisUnavailable:
            self._changes.doubt()
            raise

    def _decode(self, found: _Found) -> Token | None:
        """Raises `EncryptionKeyUnusable`. What is not a token of ours is logged without its content."""
        if found.is_foreign:
            self._problem = self._foreign()
            logs.error("The Redis key %s holds something of another program", self._token_key)
            return None
        if self._problem is not None and self._problem.problem == RedisUnavailable.FOREIGN:
            self._problem = None
        if not found.raw:
            return None
        try:
            return decode(self._cipher.open(found.raw, self._token_key).decode())
        except (DamagedRecord, UnicodeDecodeError) as error:
            logs.error("Failed to parse the token in Redis (%s)", type(error).__name__)
            return None

    def _hand_over(self, found: _Found, stored: Token | None) -> Token | None:
        """Brings the token that could not be written to Redis, unless somebody knew better meanwhile."""
        mine = self._living_in_hand()
        if mine is None or mine == stored or self._is_superseded(found, stored, mine):
            self._unwritten = False
            return stored
        if found.is_foreign:
            return mine
        try:
            count = self._swap(found, mine)
        except RedisUnavailable as error:
            self._problem = error.again()
            return mine
        if count < 0:  # changed this moment: the next read settles it
            return mine
        self._written(count)
        self._announce(count)
        found.count = count
        return mine

    def _is_forgotten(self, found: _Found, stored: Token | None) -> bool:
        """Redis lost its memory: it does not even know that anything ever changed, or began to count anew with
        what somebody else still had in hand."""
        mine = self._living_in_hand()
        if mine is None or self._count is None:
            return False
        if found.count is None:
            return stored is None
        return found.count < self._count and stored is not None and stored.created_at < mine.created_at

    def _catch_up(self) -> None:
        """Redis is back: gives it what it may lack before anybody misses it."""
        if self._living_in_hand() is not None:
            with contextlib.suppress(StoreError):
                for _ in range(_ATTEMPTS):  # everybody comes back at once, and nobody may read after this
                    self.read()
                    if not self._unwritten:
                        return

    def _is_superseded(self, found: _Found, stored: Token | None, mine: Token) -> bool:
        if self._count is not None and found.count is not None and found.count >= self._count:
            return found.count > self._count
        return stored is not None and stored.created_at >= mine.created_at

    def _swap(self, found: _Found, token: Token | None) -> int:
        value = b"" if token is None else self._cipher.seal(encode_zoned(token))
        lifetime = 1 if token is None else self._milliseconds(token)
        expected_count = "" if found.count is None else str(found.count)
        return self._change(
            _SWAP,
            [self._token_key, self._count_key, self._channel],
            [found.raw, expected_count, MAX_BYTES, value, lifetime],
        )

    def _change(self, script: str, keys: list[str], values: list[Any]) -> int:
        return int(self._server.ask(lambda client: client.eval(script, len(keys), *keys, *values)))

    def _announce(self, count: int) -> object:
        """Change number `count` is in Redis: tells this computer, and returns the stamp of that."""
        changes = self._changes.on_update(count)
        if self._writes is None:
            return changes
        written = self._writes.change(0)
        return (changes, written if isinstance(written, bytes) else None)

    def _written(self, count: int) -> None:
        self._count = count
        self._unwritten = False
        self._problem = None
        self._changes.trust()

    def _living_in_hand(self) -> Token | None:
        token = self._in_hand
        return token if token is not None and token.lives(self._clock()) else None

    def _milliseconds(self, token: Token) -> int:
        """A span and no instant, so that the server's clock does not matter."""
        return max(1, int(token.remaining(self._clock()) * 1000))

    def _foreign(self) -> RedisUnavailable:
        return RedisUnavailable(
            msg("The Redis key {key} at {address} holds something of another program. Move it away."),
            problem=RedisUnavailable.FOREIGN,
            key=self._token_key,
            address=self._server.address,
        )


_ATTEMPTS = 5


def _weakly(method: Callable[[], None]) -> Callable[[], None]:
    """A call of `method` that does not keep its object."""
    reference = weakref.WeakMethod(method)

    def call() -> None:
        alive = reference()
        if alive is not None:
            alive()

    return call


class _Found:
    """What Redis has: `raw` (empty when there is nothing) and the count of changes (None when it knows of none)."""

    __slots__ = ("count", "is_foreign", "raw")

    def __init__(self, count: Any, raw: bytes | None) -> None:
        self.count = int(count) if count is not None and bytes(count).isdigit() else None
        self.raw = raw or b""
        ours = is_sealed(self.raw) or b'"access_token"' in self.raw
        self.is_foreign = raw is None or len(self.raw) > MAX_BYTES or (raw != b"" and not ours)


class RedisLock(ThreadLock):
    """This computer's lock first, then redis-py's lock under it; while Redis is away the first alone.

    The note lies in Redis, its times by the server's clock, because two computers' clocks differ.
    """

    def __init__(
        self,
        prefix: str,
        server: RedisServer,
        local: ThreadLock,
        clock: Callable[[], float],
        seconds: float = LOCK_SECONDS,
    ) -> None:
        super().__init__()
        self._server = server
        self._local = local
        self._spare = ThreadLock()
        self._clock = clock
        self._seconds = seconds
        self._lock_key = prefix + "lock"
        self._holder_key = prefix + "holder"
        self._note_key = prefix + "note"
        self._held_local: ThreadLock = local
        self._held: Any = None

    @property
    def holder(self) -> bytes | None:
        """What fences a write of the present holder; None while it holds only this computer's lock."""
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
        except BaseException:
            local.release()
            raise
        self._held_local = local
        return True

    def try_acquire(self) -> bool:
        if not self._local.try_acquire():
            return False
        try:
            taken = self._try_redis()
        except BaseException:
            self._local.release()
            raise
        if taken:
            self._held_local = self._local
        else:
            self._local.release()
        return taken

    def release(self) -> None:
        held, self._held = self._held, None
        try:
            if held is not None:
                self._server.ask(lambda _: held.release())
        except StoreError:
            logs.debug("The lock in Redis was lost before it was released")
        finally:
            self._held_local.release()

    def read_record(self) -> dict[str, Any]:
        return self._held_local.read_record() if self._held is None else self.peek_record()

    def peek_record(self) -> dict[str, Any]:
        import json

        def fetch(client: Any) -> tuple[float, Any]:
            seconds, microseconds = client.time()
            return seconds + microseconds / 1e6, client.get(self._note_key)

        try:
            server_now, text = self._server.ask(fetch)
            kept = json.loads(text or "{}")
            note = kept["note"]
            later = float(kept["clock"]) - (server_now - self._clock())
            times = {name: float(note[name]) + later for name in _NOTE_TIMES if note.get(name)}
        except RedisUnavailable:
            return self._held_local.read_record()
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return {}
        if "at" in times:
            times["at"] = min(times["at"], self._clock())
        return {**note, **times}

    def record_version(self) -> object:
        return self._local.record_version()

    def write_record(self, note: dict[str, Any]) -> None:
        """Raises nothing: the token that was just issued matters more."""
        import json

        def put(client: Any) -> None:
            seconds, microseconds = client.time()
            kept = {"clock": seconds + microseconds / 1e6 - self._clock(), "note": note}
            client.set(self._note_key, json.dumps(kept), ex=_NOTE_SECONDS)

        self._held_local.write_record(note)
        if self._held is not None:
            try:
                self._server.ask(put)
            except RedisUnavailable as error:
                logs.warning("The lock's note cannot be written to Redis (%s)", error.problem)

    def _acquire_local(self, timeout: float, on_update: Callable[[dict[str, Any]], bool] | None) -> ThreadLock | None:
        """A computer whose folder takes no lock file still has the lock in Redis."""
        try:
            return self._local if self._local.acquire(timeout, on_update) else None
        except LockTimeout:
            raise
        except StoreError as error:
            logs.warning("Renewing without this computer's lock (%s)", type(error).__name__)
            return self._spare if self._spare.acquire(timeout, on_update) else None

    def _try_redis(self) -> bool:
        """Whether there is nothing more to wait for: the lock is ours, or there is no Redis that could give it."""

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
            self._held = None
            return True
        return self._held is not None

    def _forget_parent(self) -> None:
        super()._forget_parent()
        self._held = None


_NOTE_TIMES = ("at", "wait_until")
