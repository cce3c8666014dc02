"""A token in Redis, for several machines behind one public IP.

Keys of one profile, in one slot of a cluster: `kiwoom-token-tray:{profile}:token` (one line of JSON or its
Fernet text, deleted by Redis when the token expires), `:lock` (redis-py's own lock), `:holder` (who got the lock last:
the fence), `:count` (of changes), `:note` (the lock's record). Changes are published on the channel `:changes`.
"""

from __future__ import annotations

import contextlib
import time
import weakref

from tray_app.core import logs
from tray_app.core.errors import RedisUnavailable, StoreError
from tray_app.core.language import msg
from tray_app.core.token import DamagedRecord, Token, decode
from tray_app.stores.base import Place, never_superseded
from tray_app.stores.encryption import Cipher
from tray_app.stores.file import expiry_for_log
from tray_app.stores.lock import ThreadLock
from tray_app.stores.redis_changes import UNSURE_SECONDS, RedisChanges, count_of
from tray_app.stores.redis_lock import LEASE_SECONDS, RedisLock
from tray_app.stores.redis_record import RedisRecord

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tray_app.stores.change_marker import ChangeMarker
    from tray_app.stores.redis_record import RedisEntry
    from tray_app.stores.redis_server import RedisServer

QUICK_ANSWER_SECONDS = 0.05
"""How long `get_token` may wait to learn whether the token is still the stored one. In the same building an answer
takes less than a millisecond."""

_ATTEMPTS = 5


class RedisStore:
    """The store of `KIWOOM_TRAY_STORE=redis`.

    While Redis cannot be used, this process goes on with the token in its memory. A token that could not be written is
    stored once Redis is back, unless somebody else changed it there; so is the token in memory when Redis comes back
    without its data. Another program's value under the key counts as no token, and is neither overwritten nor deleted.
    """

    announces = True
    is_superseded = never_superseded

    def __init__(
        self,
        profile: str,
        server: RedisServer,
        marker: ChangeMarker,
        local_lock: ThreadLock,
        *,
        cipher: Cipher | None = None,
        clock: Callable[[], float] = time.time,
        lock_seconds: float = LEASE_SECONDS,
        writes: ChangeMarker | None = None,
    ) -> None:
        prefix = f"kiwoom-token-tray:{{{profile}}}:"
        self._server = server
        self._clock = clock
        self._cipher = cipher or Cipher()
        self._marker = marker
        self._record = RedisRecord(prefix, server, self._cipher, clock)
        self._changes = RedisChanges(server, self._record.channel, marker)
        self._redis_lock = RedisLock(prefix, server, local_lock, clock, lock_seconds)
        self.lock: ThreadLock = self._redis_lock
        self._writes = writes
        self._turn = ThreadLock()
        self._in_memory: Token | None = None
        self._unwritten = False
        self._count: int | None = None
        self._problem: RedisUnavailable | None = None
        self._confirm_after = 0.0
        server.when_back = _weakly(self._catch_up)

    def version(self) -> object:
        """Ask Redis each time if the token has changed, so that a change on another computer is noticed at the very
        next call. While Redis is slow to answer, its published changes decide, and for this computer `writes`.
        """
        self._confirm()
        changes = self._changes.version()
        if self._writes is None:
            return changes
        written = self._writes.version()
        return (changes, written if isinstance(written, bytes) else None)

    @contextlib.contextmanager
    def announcing(self) -> Iterator[None]:
        """Announce what changed once it is complete: a program that is killed before leaves readers with what they
        had."""

        def announce() -> None:
            count = self._record.announce()
            if self._count == count - 1:
                self._count = count
            self._announce(count)

        try:
            yield
        finally:
            with contextlib.suppress(RedisUnavailable):
                self._turn.during(announce)

    def read(self) -> Token | None:
        return self._turn.during(self._read)

    def read_quick(self) -> Token | None:
        return None

    def read_expiring(self) -> Token | None:
        return None

    def write(self, token: Token) -> object:
        return self._turn.during(lambda: self._write(token, self._redis_lock.holder))

    def wants_rewriting(self) -> bool:
        if not self._cipher.has_keys():
            return False
        try:
            found = self._fetch()
        except RedisUnavailable:
            return False
        return bool(found.raw) and not found.is_foreign and not self._cipher.is_current(found.raw)

    def clear(self) -> bool:
        return self._turn.during(self._clear)

    def expire_soft(self, token: Token) -> bool:
        """Do nothing: `get_token` goes by the expiry, others may use the token until then, and Redis deletes it by
        itself."""
        return token.is_unexpired(self._clock())

    def check(self) -> None:
        """Do nothing: Redis is asked in the background."""

    def place(self) -> Place:
        return Place("redis", self._server.address, self._server.problem or self._problem)

    def watch_paths(self) -> list[str]:
        return [self._marker.path]

    def _confirm(self) -> None:
        if not self._changes.is_sure or self._server.problem is not None or time.monotonic() < self._confirm_after:
            return
        try:
            count = self._record.count(QUICK_ANSWER_SECONDS)
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
            if self._in_memory is None:
                raise
            return self._in_memory  # also after its expiry: Kiwoom is asked then, which needs no Redis
        token = self._decode(found)
        if self._unwritten or self._is_forgotten(found, token):
            token = self._store_unwritten(found, token)
        self._in_memory, self._count = token, found.count
        self._changes.trust()
        return token

    def _write(self, token: Token, holder: bytes | None) -> object:
        try:
            found = self._fetch()
            self._decode(found)
            if found.is_foreign:
                raise self._record.foreign()
            count = self._record.swap(found, token) if holder is None else self._record.write(token, holder)
        except RedisUnavailable as error:
            self._problem = error.again()
            self._in_memory, self._unwritten = token, True
            self._changes.doubt()
            raise
        if count < 0:
            raise StoreError(
                msg("Another computer took over while this one was renewing the token, so it was not stored.")
            )
        self._in_memory = token
        self._note_written(count)
        logs.info("Token saved to Redis (expires at %s)", expiry_for_log(token))
        return self._announce(count)

    def _clear(self) -> bool:
        self._in_memory, self._unwritten = None, False
        for _ in range(_ATTEMPTS):
            found = self._fetch()
            if found.is_foreign:
                return False
            count = self._record.swap(found, None)
            if count >= 0:
                self._note_written(count)
                self._announce(count)
                return bool(found.raw)
        raise StoreError(msg("The token in Redis keeps changing and was not deleted. Try again."))

    def _fetch(self) -> RedisEntry:
        try:
            return self._record.fetch()
        except RedisUnavailable:
            self._changes.doubt()
            raise

    def _decode(self, found: RedisEntry) -> Token | None:
        """Return the token. Raises `EncryptionKeyUnusable`; what is no token is logged without its content."""
        if found.is_foreign:
            self._problem = self._record.foreign()
            logs.error("The Redis key %s holds something of another program", self._record.token_key)
            return None
        if self._problem is not None and self._problem.problem == RedisUnavailable.FOREIGN:
            self._problem = None
        if not found.raw:
            return None
        try:
            return decode(self._cipher.open(found.raw, self._record.token_key).decode())
        except (DamagedRecord, UnicodeDecodeError) as error:
            logs.error("Failed to parse the token in Redis (%s)", type(error).__name__)
            return None

    def _store_unwritten(self, found: RedisEntry, stored: Token | None) -> Token | None:
        """Store the token that could not be written before, unless somebody has changed it since."""
        mine = self._unexpired_in_memory()
        if mine is None or mine == stored or _is_superseded(found, stored, mine, self._count):
            self._unwritten = False
            if not found.is_foreign:
                self._problem = None
            return stored
        if found.is_foreign:
            return mine
        try:
            count = self._record.swap(found, mine)
        except RedisUnavailable as error:
            self._problem = error.again()
            return mine
        if count < 0:  # it has just changed: the next read settles it
            return mine
        self._note_written(count)
        self._announce(count)
        found.count = count
        return mine

    def _is_forgotten(self, found: RedisEntry, stored: Token | None) -> bool:
        """Return True if Redis has lost its data: it has no count of changes, or began to count anew with the token
        that another process had in memory."""
        mine = self._unexpired_in_memory()
        if mine is None or self._count is None:
            return False
        if found.count is None:
            return stored is None
        return found.count < self._count and stored is not None and stored.created_at < mine.created_at

    def _catch_up(self) -> None:
        """Store what Redis may lack now that it is back, before anybody misses it."""
        if self._unexpired_in_memory() is not None:
            with contextlib.suppress(StoreError):
                for _ in range(_ATTEMPTS):  # everybody comes back at once, and nobody may read after this
                    self.read()
                    if not self._unwritten:
                        return

    def _announce(self, count: int) -> object:
        """Announce to this computer that change number `count` is in Redis, and return the version after it."""
        changes = self._changes.on_update(count)
        if self._writes is None:
            return changes
        written = self._writes.change(0)
        return (changes, written if isinstance(written, bytes) else None)

    def _note_written(self, count: int) -> None:
        """Remember that Redis has what this process has, as change number `count`."""
        self._count = count
        self._unwritten = False
        self._problem = None
        self._changes.trust()

    def _unexpired_in_memory(self) -> Token | None:
        token = self._in_memory
        return token if token is not None and token.is_unexpired(self._clock()) else None


def _weakly(method: Callable[[], None]) -> Callable[[], None]:
    """Return a function that calls `method` without keeping its object alive."""
    reference = weakref.WeakMethod(method)

    def call() -> None:
        alive = reference()
        if alive is not None:
            alive()

    return call


def _is_superseded(found: RedisEntry, stored: Token | None, mine: Token, count: int | None) -> bool:
    """Return True if Redis has something newer than `mine`, which was current when it had counted `count` changes."""
    if count is not None and found.count is not None and found.count >= count:
        return found.count > count
    return stored is not None and stored.created_at >= mine.created_at
