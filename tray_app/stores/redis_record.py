"""The keys of one profile's token in Redis, and the scripts that change them."""

from __future__ import annotations

import time

from tray_app.core.errors import RedisUnavailable
from tray_app.core.language import msg
from tray_app.core.token import encode_zoned
from tray_app.stores.encryption import is_sealed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from tray_app.core.token import Token
    from tray_app.stores.encryption import Cipher
    from tray_app.stores.redis_server import RedisServer

MAX_BYTES = 65536
"""A token has some 250 bytes; more is not one."""

_COUNT_DIGITS = 15

_KNOWN = f"""
local function known(key)
  local count = redis.pcall('GET', key)
  if type(count) == 'string' and #count <= {_COUNT_DIGITS} and count:match('^%d+$') then return count end
  redis.call('DEL', key)
  return ''
end
"""
"""The count of changes. What somebody else has put in its place could not be counted on from, and is removed."""

_WRITE = f"""{_KNOWN}
local holder = redis.call('GET', KEYS[3])
if holder and holder ~= ARGV[3] then return -1 end
known(KEYS[2])
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
local count = redis.call('INCR', KEYS[2])
redis.pcall('PUBLISH', KEYS[4], count)
return count
"""
"""The fenced write: refused when the lock has been given to another since, even if it expired meanwhile."""

_SWAP = f"""{_KNOWN}
if redis.call('GETRANGE', KEYS[1], 0, ARGV[3]) ~= ARGV[1] then return -1 end
if known(KEYS[2]) ~= ARGV[2] then return -1 end
if ARGV[4] == '' then
  redis.call('DEL', KEYS[1])
else
  redis.call('SET', KEYS[1], ARGV[4], 'PX', ARGV[5])
end
local count = redis.call('INCR', KEYS[2])
redis.pcall('PUBLISH', KEYS[3], count)
return count
"""
"""Replaces or deletes exactly what was read."""

_ANNOUNCE = f"""{_KNOWN}
known(KEYS[1])
local count = redis.call('INCR', KEYS[1])
redis.pcall('PUBLISH', KEYS[2], count)
return count
"""


class RedisEntry:
    """What Redis has: `raw`, empty for nothing, and the count of changes, None when it has none.

    `is_foreign` is True if another program stores something under that key.
    """

    __slots__ = ("count", "is_foreign", "raw")

    def __init__(self, count: Any, raw: bytes | None) -> None:
        is_count = count is not None and bytes(count).isdigit() and len(count) <= _COUNT_DIGITS
        self.count = int(count) if is_count else None
        self.raw = raw or b""
        ours = is_sealed(self.raw) or b'"access_token"' in self.raw
        self.is_foreign = raw is None or len(self.raw) > MAX_BYTES or (raw != b"" and not ours)


class RedisRecord:
    """The token's key and the count of its changes. The methods that read or write it may
    wait for Redis, and raise `RedisUnavailable`."""

    def __init__(
        self, prefix: str, server: RedisServer, cipher: Cipher, clock: Callable[[], float] = time.time
    ) -> None:
        self.token_key = prefix + "token"
        self.count_key = prefix + "count"
        self.channel = prefix + "changes"
        self._holder_key = prefix + "holder"
        self._server = server
        self._cipher = cipher
        self._clock = clock

    def fetch(self) -> RedisEntry:
        """Return what Redis has now."""

        def fetch(client: Any) -> RedisEntry:
            pipe = client.pipeline(transaction=False)
            pipe.get(self.count_key)
            pipe.getrange(self.token_key, 0, MAX_BYTES)
            count, raw = pipe.execute(raise_on_error=False)
            if isinstance(raw, Exception) and "WRONGTYPE" in str(raw):
                return RedisEntry(count, None)
            for answer in (count, raw):
                if isinstance(answer, Exception):
                    raise answer
            return RedisEntry(count, raw)

        return self._server.ask(fetch)

    def count(self, seconds: float) -> Any:
        """Return Redis's count of changes in a tuple, or None without an answer within `seconds`."""
        return self._server.ask_briefly(lambda client: (client.get(self.count_key),), seconds)

    def write(self, token: Token, holder: bytes) -> int:
        """Store the token for the holder of the lock. Return the new count, or -1 when another has the lock now."""
        return self._run(
            _WRITE,
            [self.token_key, self.count_key, self._holder_key, self.channel],
            [self._cipher.seal(encode_zoned(token)), self._milliseconds(token), holder],
        )

    def swap(self, found: RedisEntry, token: Token | None) -> int:
        """Replace just what was found, or delete it. Return the new count, or -1 when it has changed since."""
        value = b"" if token is None else self._cipher.seal(encode_zoned(token))
        lifetime = 1 if token is None else self._milliseconds(token)
        expected_count = "" if found.count is None else str(found.count)
        return self._run(
            _SWAP,
            [self.token_key, self.count_key, self.channel],
            [found.raw, expected_count, MAX_BYTES, value, lifetime],
        )

    def announce(self) -> int:
        """Count a change that leaves the token as it is. Return the new count."""
        return self._run(_ANNOUNCE, [self.count_key, self.channel], [])

    def foreign(self) -> RedisUnavailable:
        """Return the error for something of another program under the token's key."""
        return RedisUnavailable(
            msg("The Redis key {key} at {address} holds another program's data. Move that to another key."),
            problem=RedisUnavailable.FOREIGN,
            key=self.token_key,
            address=self._server.address,
        )

    def _run(self, script: str, keys: list[str], values: list[Any]) -> int:
        return int(self._server.ask(lambda client: client.eval(script, len(keys), *keys, *values)))

    def _milliseconds(self, token: Token) -> int:
        """Return the token's remaining time. A duration is sent, and no instant, so that the server's clock does not
        matter."""
        return max(1, int(token.remaining(self._clock()) * 1000))
