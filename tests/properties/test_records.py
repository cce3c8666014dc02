"""The lock's record: whatever stands in it, it is read, bounded, and costs nobody what is known about a dead token."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.doubles import START
from tests.properties.test_tokens import JSON, TOKEN_LETTERS
from tray_app.core.errors import BrokerError, BrokerUnavailable, KeysRefused, RateLimited
from tray_app.core.secret import Secret
from tray_app.core.token import token_for
from tray_app.service.evidence import Evidence
from tray_app.service.last_attempt import LONGEST_WAIT_SECONDS, LastAttempt
from tray_app.service.lock_record import LockRecord
from tray_app.stores.lock import ProfileLock

NUMBERS = st.floats() | st.integers() | st.just(START)
FIELDS = st.fixed_dictionaries(
    {"version": st.sampled_from([1, 2, "1", None, True])},
    optional={
        **dict.fromkeys(("at", "wait_until", "failures"), NUMBERS | JSON),
        **{name: st.text(max_size=400) | JSON for name in ("token", "message", "code", "remedy", "refused", "keys")},
        "error": st.sampled_from(["RateLimited", "KeysRefused", "Exception", "msg", "__name__", "BrokerError", "Any"]),
        **{name: st.booleans() | JSON for name in ("same", "rotated", "begun", "killed")},
        "values": st.dictionaries(st.text(max_size=8), JSON, max_size=4) | JSON,
        "replaced": JSON,
        "revoking": JSON,
        "unsaved": st.lists(st.text(max_size=80) | JSON, max_size=6) | JSON,
        "evidence": st.fixed_dictionaries(
            {"version": st.sampled_from([1, 2])},
            optional={
                **dict.fromkeys(("expires", "confirmed_at", "doubted_at", "dead_at"), NUMBERS | JSON),
                **dict.fromkeys(("token", "settled", "dead", "revoked"), JSON),
            },
        )
        | JSON,
    },
)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@given(FIELDS | st.dictionaries(st.text(max_size=8), JSON, max_size=5))
@example({"version": 1, "at": START, "failures": 1e308})
@example({"version": 1, "at": START, "failures": float("nan")})
@example({"version": 1, "at": START, "error": "RateLimited", "message": "{a.__class__}", "values": {"a": "x"}})
def test_any_record_is_read(fields: dict[str, object]) -> None:
    record = LockRecord.from_fields(fields, START)
    last, evidence = record.last, record.evidence
    assert -1 <= last.at <= START
    assert 0 <= last.seconds_to_wait(START) <= LONGEST_WAIT_SECONDS
    assert last.failures_until(START) == last.failures or last.failures_until(START) == 0
    failure = last.failure(START)
    assert failure is None or isinstance(failure, BrokerError)
    assert failure is None or len(str(failure)) < 2000
    last.pause_until("")
    record.would_end_unsaved(START)
    assert evidence.confirmed_at <= START
    assert len(evidence.dead) <= 8
    token = token_for("a-token", 86400, START)
    for known in (evidence.died(token, START), evidence.doubted(token, START), evidence.confirmed(token, START)):
        assert Evidence.from_record({"evidence": known.to_record()}, START) == known
    again = LastAttempt.from_record(last.to_record(), START)
    assert last.at < 0 or again.to_record() == last.to_record()


@given(st.binary(max_size=200) | JSON.map(lambda found: json.dumps(found).encode()))
@example(b"[" * 4096)
@example(b"9" * 4096)
def test_any_content_of_the_lock_file_is_a_record_or_none(folder: Path, content: bytes) -> None:
    path = folder / "default.lock"
    path.write_bytes(content)
    path.chmod(0o600)
    lock = ProfileLock(str(path))
    assert isinstance(lock.read_record(), dict)
    with lock:
        lock.write_record({"version": 1})
    assert lock.read_record() == {"version": 1}


@given(
    st.sampled_from([BrokerUnavailable, KeysRefused, RateLimited]),
    st.dictionaries(st.sampled_from(["host", "proxy", "reason"]), st.text(max_size=2000), max_size=3),
    st.lists(TOKEN_LETTERS, max_size=20),
    st.text(max_size=400),
)
@example(BrokerUnavailable, {"host": "가" * 300, "proxy": "나" * 300, "reason": "다" * 300}, ["t"] * 20, "라" * 300)
def test_what_is_known_to_be_dead_stays_known_whatever_the_last_error_said(
    folder: Path, kind: type[BrokerError], values: dict[str, str], names: list[str], code: str
) -> None:
    lock = ProfileLock(str(folder / "default.lock"))
    token = token_for("a-dead-token", 86400, START)
    evidence = Evidence()
    for name in names:
        evidence = evidence.other_died(Secret(name)).with_revoked(Secret(name).fingerprint())
    evidence = evidence.died(token, START)
    error = kind("no", code=code, retry_after=5, **values)
    last = LastAttempt.failed(error, START, token.value, revoking="f" * 16, keys="real:" + "a" * 16, failures=3)
    with lock:
        LockRecord(last, evidence).write(lock)
    found = LockRecord.from_fields(lock.read_record(), START)
    assert found.evidence == evidence
    assert (found.last.at, found.last.failures) == (START, 3)
