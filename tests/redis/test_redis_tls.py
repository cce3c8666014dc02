from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.certificates import self_made
from tests.ports import free_port
from tests.redis.server import RealRedis
from tests.redis.test_redis_store import write
from tray_app.core.errors import RedisUnavailable
from tray_app.core.token import token_for
from tray_app.stores.redis import RedisStore

OLD = token_for("old-token-of-a-test", 86400, time.time())


@pytest.fixture
def certificate(tmp_path: Path) -> Any:
    return self_made(tmp_path, "127.0.0.1")


@pytest.fixture
def tls_port(new_redis: Callable[..., RealRedis], certificate: Any) -> Any:
    port = free_port()
    paths = dict(zip(("--tls-cert-file", "--tls-key-file"), map(str, certificate), strict=True))
    new_redis(
        *("--tls-port", str(port), "--tls-auth-clients", "no", "--tls-ca-cert-file", str(certificate[0])),
        *(word for option in paths.items() for word in option),
        *("--requirepass", "pass-of-a-test"),
    )
    return port


def test_a_token_travels_over_tls_with_a_password(
    tls_port: Any, certificate: Any, open_store: Callable[..., RedisStore]
) -> None:
    store = open_store(f"rediss://:pass-of-a-test@127.0.0.1:{tls_port}/0?ssl_ca_certs={certificate[0]}")
    write(store, OLD)
    assert store.read() == OLD


def test_an_unknown_certificate_is_refused_in_plain_words(tls_port: Any, open_store: Callable[..., RedisStore]) -> None:
    store = open_store(f"rediss://:pass-of-a-test@127.0.0.1:{tls_port}/0")
    with pytest.raises(RedisUnavailable, match="certificate") as caught:
        store.read()
    assert caught.value.problem == RedisUnavailable.FAILED
    assert "pass-of-a-test" not in str(caught.value)


def test_a_server_without_tls_is_an_error_for_rediss(redis: RealRedis, open_store: Callable[..., RedisStore]) -> None:
    with pytest.raises(RedisUnavailable):
        open_store(redis.url.replace("redis:", "rediss:")).read()
