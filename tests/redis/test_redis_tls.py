from __future__ import annotations

import ipaddress
import time
from datetime import datetime, timedelta, timezone

import pytest

from tests.redis.test_redis_store import write
from tray_app.core.errors import RedisUnavailable
from tray_app.core.token import token_for

OLD = token_for("old-token-of-a-test", 86400, time.time())


@pytest.fixture
def certificate(tmp_path):
    """A self-made certificate for 127.0.0.1: the paths of the certificate and its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "redis of a test")])
    now = datetime.now(timezone.utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, private = tmp_path / "redis.crt", tmp_path / "redis.key"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate, private


@pytest.fixture
def tls_port(new_redis, certificate):
    from tests.redis.server import free_port

    port = free_port()
    paths = dict(zip(("--tls-cert-file", "--tls-key-file"), map(str, certificate), strict=True))
    new_redis(
        *("--tls-port", str(port), "--tls-auth-clients", "no", "--tls-ca-cert-file", str(certificate[0])),
        *(word for option in paths.items() for word in option),
        *("--requirepass", "pass-of-a-test"),
    )
    return port


def test_a_token_travels_over_tls_with_a_password(tls_port, certificate, open_store):
    store = open_store(f"rediss://:pass-of-a-test@127.0.0.1:{tls_port}/0?ssl_ca_certs={certificate[0]}")
    write(store, OLD)
    assert store.read() == OLD


def test_an_unknown_certificate_is_refused_in_plain_words(tls_port, open_store):
    store = open_store(f"rediss://:pass-of-a-test@127.0.0.1:{tls_port}/0")
    with pytest.raises(RedisUnavailable, match="certificate") as caught:
        store.read()
    assert caught.value.problem == RedisUnavailable.FAILED
    assert "pass-of-a-test" not in str(caught.value)


def test_a_server_without_tls_is_an_error_for_rediss(redis, open_store):
    with pytest.raises(RedisUnavailable):
        open_store(redis.url.replace("redis:", "rediss:")).read()
