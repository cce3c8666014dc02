"""A token's text: whatever stands in the file, it is a token or none, and the log says nothing of its content."""

from __future__ import annotations

import json
import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.doubles import START, Clock
from tests.zones import live_in, read_zone
from tray_app.core.errors import EncryptionKeyUnusable, InvalidInput
from tray_app.core.secret import Secret
from tray_app.core.token import (
    UTC,
    DamagedRecord,
    Token,
    clean_token,
    decode,
    encode_seed,
    encode_zoned,
    format_expires_dt,
    parse_expires_dt,
    token_for,
    token_until,
)
from tray_app.stores.encryption import is_sealed
from tray_app.stores.file import FileStore
from tray_app.stores.lock import ThreadLock

TOKEN_LETTERS = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", min_size=1, max_size=120)
INSTANTS = st.datetimes(datetime(1971, 1, 1), datetime(9998, 1, 1), timezones=st.just(UTC))
TOKENS = st.builds(
    Token, st.builds(Secret, TOKEN_LETTERS), INSTANTS, INSTANTS, st.sampled_from(["", "real:", "demo:ab"])
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
TIMES = st.one_of(
    INSTANTS.map(datetime.isoformat),
    st.datetimes().map(datetime.isoformat),
    st.sampled_from(["", "now", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-11-26", "20261126T01"]),
    JSON,
)
RECORDS = st.fixed_dictionaries(
    {},
    optional={
        "access_token": TOKEN_LETTERS | JSON,
        "expires_at": TIMES,
        "created_at": TIMES,
        "issued_for": JSON,
        "more": JSON,
    },
)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@contextmanager
def log_lines() -> Iterator[list[str]]:
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())
    logger = logging.getLogger("kiwoom")
    logger.addHandler(handler)
    try:
        yield lines
    finally:
        logger.removeHandler(handler)


@given(
    st.binary(max_size=400) | RECORDS.map(lambda fields: json.dumps(fields).encode()) | JSON.map(repr).map(str.encode)
)
@example(b"[" * 100_000)
@example(b"gAAAAA")
@example(b'{"access_token": "t", "expires_at": "2026-11-26T00:00:00", "created_at": "9999-12-31T23:59:59"}')
@example(b'{"access_token": "t", "expires_at": ' + b"1" * 5000 + b"}")
@example(b"\xff\xfe" + '{"access_token": "t"}'.encode("utf-16-le"))
def test_any_file_is_a_token_or_none(folder: Path, content: bytes) -> None:
    path = folder / ".token"
    path.write_bytes(content)
    os.chmod(path, 0o600)
    try:
        with log_lines() as lines, mock.patch("time.sleep"):
            token = FileStore(str(path), ThreadLock(), Clock()).read()
    except EncryptionKeyUnusable:
        assert is_sealed(path.read_bytes()), "an encrypted one stays for whoever has the key"
        path.unlink()
        return
    assert token is None or isinstance(token, Token)
    assert path.exists() == (token is not None), "a damaged file is a missing token"
    text = content.decode("utf-8", "replace")
    assert not any(len(text) > 8 and text in line for line in lines)


@given(JSON | RECORDS)
def test_any_json_is_a_token_or_damaged(fields: object) -> None:
    try:
        token = decode(json.dumps(fields))
    except DamagedRecord as error:
        assert str(error) in {"invalid JSON", "not a token record"}
    else:
        assert decode(encode_zoned(token)) == token


@given(TOKENS)
def test_a_record_comes_back_as_it_was_written(token: Token) -> None:
    again = decode(encode_zoned(token))
    assert (again, again.issued_for) == (token, token.issued_for)


@given(TOKENS)
def test_the_file_keeps_the_instants_and_the_owner(folder: Path, token: Token) -> None:
    path = str(folder / ".token")
    FileStore(path, ThreadLock()).write(token)
    again = FileStore(path, ThreadLock()).read()
    assert again is not None
    assert (again, again.issued_for) == (token, token.issued_for)


@pytest.mark.parametrize("zone", ["UTC", "Asia/Seoul", "America/New_York", "Asia/Kathmandu"])
def test_local_time_without_a_zone_never_prolongs_a_token(zone: str) -> None:
    """Also where the clocks are set forward or back for the summer, in that very hour too."""
    try:
        with pytest.MonkeyPatch.context() as patch:
            live_in(zone, patch)
            local_times_prolong_no_token()
    finally:
        read_zone()


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31))
    | st.datetimes(datetime(2026, 11, 1), datetime(2026, 11, 2))
    | st.datetimes(datetime(2026, 3, 8), datetime(2026, 3, 9)),
    st.floats(1, 90000),
)
def local_times_prolong_no_token(when: datetime, lifetime: float) -> None:
    token = token_for("a-token", lifetime, when.replace(tzinfo=UTC).timestamp())
    again = decode(encode_seed(token))
    assert again.value == token.value
    assert again.expires <= token.expires
    assert token.expires - again.expires <= 7200


@given(st.text(max_size=60) | st.text(max_size=60).map(lambda text: f" {text}\r\n"))
def test_any_text_is_a_clean_token_or_refused_without_being_repeated(text: str) -> None:
    try:
        value = clean_token(text)
    except InvalidInput as error:
        assert len(text.strip()) < 9 or text.strip() not in str(error)
    else:
        assert value.reveal() == text.strip()
        assert value.reveal().isascii()
        assert value.reveal().isprintable()


@given(st.datetimes(datetime(1971, 1, 1), datetime(9998, 1, 1)))
def test_kiwooms_time_comes_back(when: datetime) -> None:
    instant = when.replace(microsecond=0, tzinfo=timezone(timedelta(hours=9)))
    assert parse_expires_dt(format_expires_dt(instant)) == instant


@given(st.text(max_size=20) | st.text("0123456789", min_size=14, max_size=14), st.floats(-90, 90))
@example("99991231235959", 0.0)
@example("00010101000000", 0.0)
@example("20240229000000", 0.0)
@example("²0240229000000", 0.0)
def test_any_expiry_is_a_token_of_at_most_a_year_or_refused(text: str, skew: float) -> None:
    try:
        token = token_until("a-token", text, START, skew)
    except InvalidInput:
        return
    assert 0 < token.remaining(START) <= 366 * 86400
