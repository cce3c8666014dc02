from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.redis.server import RealRedis
from tests.redis.test_redis_store import KEY, clear, write
from tray_app.core.errors import EncryptionKeyUnusable
from tray_app.core.secret import Secret
from tray_app.core.token import token_for
from tray_app.stores.encryption import Cipher, is_sealed
from tray_app.stores.redis import RedisStore

ONE = "T25lT25lT25lT25lT25lT25lT25lT25lT25lT25lT25="
TWO = "VHdvVHdvVHdvVHdvVHdvVHdvVHdvVHdvVHdvVHdvVHc="
OLD = token_for("old-token-of-a-test", 86400, time.time())
NEW = token_for("new-token-of-a-test", 86400, time.time() + 10)


def cipher(*keys: Any) -> Cipher:
    return Cipher(Secret(",".join(keys)) if keys else None)


def test_with_a_key_redis_holds_nothing_readable(redis: RealRedis, open_store: Callable[..., RedisStore]) -> None:
    write(open_store(redis.url, cipher=cipher(ONE)), OLD)
    value = redis.order("GET", KEY)
    assert is_sealed(value)
    assert b"old-token" not in value
    assert open_store(redis.url, cipher=cipher(ONE)).read() == OLD


@pytest.mark.parametrize("keys", [(), (TWO,)], ids=["no key", "wrong key"])
def test_a_computer_without_the_right_key_neither_reads_nor_replaces_the_token(
    redis: RealRedis, open_store: Callable[..., RedisStore], keys: tuple[Any, ...] | tuple[str]
) -> None:
    write(open_store(redis.url, cipher=cipher(ONE)), OLD)
    before = redis.order("GET", KEY)
    store = open_store(redis.url, cipher=cipher(*keys))
    with pytest.raises(EncryptionKeyUnusable):
        store.read()
    with pytest.raises(EncryptionKeyUnusable):
        write(store, NEW)
    assert redis.order("GET", KEY) == before


def test_it_can_forget_the_token_on_demand(redis: RealRedis, open_store: Callable[..., RedisStore]) -> None:
    write(open_store(redis.url, cipher=cipher(ONE)), OLD)
    assert clear(open_store(redis.url)) is True
    assert redis.order("EXISTS", KEY) == 0


def test_a_damaged_encrypted_value_is_left_for_who_has_the_key(
    redis: RealRedis, open_store: Callable[..., RedisStore]
) -> None:
    store = open_store(redis.url, cipher=cipher(ONE))
    write(store, OLD)
    damaged = redis.order("GET", KEY)[:-9]
    redis.order("SET", KEY, damaged)
    with pytest.raises(EncryptionKeyUnusable):
        store.read()
    assert redis.order("GET", KEY) == damaged


def test_a_plain_value_is_read_with_a_key_and_encrypted_at_the_next_write(
    redis: RealRedis, open_store: Callable[..., RedisStore]
) -> None:
    write(open_store(redis.url), OLD)
    store = open_store(redis.url, cipher=cipher(ONE))
    assert store.read() == OLD
    assert not is_sealed(redis.order("GET", KEY))
    write(store, OLD)
    assert is_sealed(redis.order("GET", KEY))


def test_rotated_keys_re_encrypt_at_the_next_write(redis: RealRedis, open_store: Callable[..., RedisStore]) -> None:
    write(open_store(redis.url, cipher=cipher(ONE)), OLD)
    rotated = open_store(redis.url, cipher=cipher(TWO, ONE))
    assert rotated.read() == OLD
    write(rotated, NEW)
    assert open_store(redis.url, cipher=cipher(TWO)).read() == NEW


@pytest.mark.parametrize(
    ("before", "now", "wants"),
    [((ONE,), (TWO, ONE), True), ((ONE,), (ONE, TWO), False), ((), (ONE,), True), ((), (), False)],
)
def test_a_token_that_is_not_encrypted_with_the_first_key_wants_rewriting(
    redis: RealRedis,
    *,
    open_store: Callable[..., RedisStore],
    before: tuple[Any, ...] | tuple[str],
    now: tuple[Any, ...] | tuple[str, str] | tuple[str],
    wants: bool,
) -> None:
    write(open_store(redis.url, cipher=cipher(*before)), OLD)
    store = open_store(redis.url, cipher=cipher(*now))
    assert store.read() == OLD
    assert store.wants_rewriting() is wants


def test_nothing_wants_rewriting_where_there_is_nothing_or_something_else(
    redis: RealRedis, open_store: Callable[..., RedisStore]
) -> None:
    store = open_store(redis.url, cipher=cipher(ONE))
    assert store.wants_rewriting() is False
    redis.order("SET", KEY, "of another program")
    assert store.wants_rewriting() is False


def test_a_token_handed_over_after_an_outage_is_encrypted(
    redis: RealRedis, open_store: Callable[..., RedisStore]
) -> None:
    store = open_store(redis.url, cipher=cipher(ONE))
    write(store, OLD)
    redis.order("FLUSHALL")
    assert store.read() == OLD
    assert is_sealed(redis.order("GET", KEY))
