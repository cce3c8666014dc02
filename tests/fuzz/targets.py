"""What is fuzzed: each target takes any bytes, and raises only when the program has done what it must not."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import httpx

from tray_app.core.errors import InvalidInput, KiwoomTokenError, StoreError
from tray_app.core.redaction import redact, traceback_text
from tray_app.core.secret import Secret
from tray_app.core.token import Token
from tray_app.exports.kwcli import KwcliCache, cache_path
from tray_app.kiwoom.broker import Broker, Issued
from tray_app.kiwoom.keys import AppKeys, clean_keys
from tray_app.service.lock_record import LockRecord
from tray_app.settings.load import load_settings
from tray_app.stores.encryption import read_key_file
from tray_app.stores.file import FileStore
from tray_app.stores.lock import ProfileLock, ThreadLock

NOW = 1_790_000_000.0
SECRETS = "an-app-key-that-nobody-may-see", "a-secret-that-nobody-may-see", "a-token-that-nobody-may-see"
KEYS = AppKeys(Secret(SECRETS[0]), Secret(SECRETS[1]))

_folder = Path(tempfile.mkdtemp(prefix="fuzz"))


def _put(name: str, content: bytes) -> Path:
    path = _folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(0o600)
    return path


def token_file(content: bytes) -> None:
    """A token or none; a damaged file is deleted."""
    path = _put(".token", content)
    store = FileStore(str(path), ThreadLock(), lambda: NOW)
    with contextlib.suppress(StoreError), mock.patch("time.sleep"):  # it may be an encrypted one, without a key
        token = store.read()
        assert (token is not None) == path.exists()
        if token is not None:
            assert token.value.reveal().isascii()
            again = FileStore(str(path), ThreadLock(), lambda: NOW)
            again.write(token)
            assert again.read() == token


def settings_file(content: bytes) -> None:
    """Settings, or an error in words; what is usable is so without any guess."""
    path = _put("settings/settings.toml", content)
    environ = {"KIWOOM_TRAY_CONFIG_DIR": str(path.parent), "KIWOOM_TRAY_DATA_DIR": str(_folder)}
    for profile in (None, "swing"):
        try:
            found = load_settings(profile, environ)
        except InvalidInput:
            continue
        if found.is_usable:
            assert found.store in {"auto", "keyring", "file", "redis", "memory"}
            assert found.resolved().mode in {"real", "demo"} or not found.is_usable
        assert all(str(one) for one in found.problems)


def lock_record(content: bytes) -> None:
    """A record that says at most what it may."""
    path = _put("default.lock", content)
    record = LockRecord.from_fields(ProfileLock(str(path)).read_record(), NOW)
    failure = record.last.failure(NOW)
    assert failure is None or len(str(failure)) < 2000
    assert 0 <= record.last.seconds_to_wait(NOW) <= 3600
    assert record.evidence.confirmed_at <= NOW
    assert len(json.dumps({**record.last.to_record()})) < 16384


class _Answering(Broker):
    def __init__(self, status: int, body: bytes) -> None:
        super().__init__("https://api.kiwoom.com", clock=lambda: NOW)
        self._respond = lambda _: httpx.Response(status, content=iter([body]))

    def open_client(self) -> httpx.Client:
        return httpx.Client(transport=httpx.MockTransport(self._respond), trust_env=False)


def broker_answer(content: bytes) -> None:
    """A token, or an error of ours that repeats no secret. The first byte chooses request and status."""
    choice, body = (content[0], content[1:]) if content else (0, b"")
    broker = _Answering((200, 200, 401, 429, 503)[choice % 5], body)
    asks: list[Callable[[], object]] = [
        lambda: broker.issue(KEYS),
        lambda: broker.revoke(KEYS, Secret(SECRETS[2])),
        lambda: broker.verify(Secret(SECRETS[2])),
    ]
    try:
        found = asks[choice % 3]()
    except KiwoomTokenError as error:
        shown = f"{error} {error!r} {traceback_text(error)}"
        assert not any(one in shown for one in SECRETS)
    else:
        assert not isinstance(found, Issued) or found.token.is_unexpired(NOW)


def kwcli_cache(content: bytes) -> None:
    """A token that another tool has issued, or none; never a text that is none."""
    os.environ["XDG_CACHE_HOME"] = str(_folder / "cache")
    path = _put(os.path.relpath(cache_path("real", None), _folder), content)
    before = path.read_bytes()
    cache = KwcliCache("default", "real", lambda: KEYS, lambda: NOW)
    token = cache.external_token()
    if token is not None:
        assert json.loads(content)["access_token"].strip() == token.value.reveal()
        assert token.is_unexpired(NOW)
        assert cache.holds(Token(Secret(json.loads(content)["access_token"]), token.expires_at, token.created_at))
    assert path.read_bytes() == before


def key_text(content: bytes) -> None:
    """Keys, or an error that does not repeat what was pasted."""
    text = content.decode("utf-8", "replace")
    key, _, secret = text.partition("\n")
    try:
        keys = clean_keys(key, secret)
    except InvalidInput as error:
        assert not any(len(one) > 16 and one in str(error) for one in (key.strip(), secret.strip()))
    else:
        assert keys.app_key.reveal().isprintable()
    path = _put("keys.txt", content)
    with contextlib.suppress(StoreError):
        read_key_file(str(path))
    redact(text)


TARGETS: dict[str, Callable[[bytes], None]] = {
    "token": token_file,
    "settings": settings_file,
    "record": lock_record,
    "answer": broker_answer,
    "kwcli": kwcli_cache,
    "keys": key_text,
}
