"""What is known about whether a token works, as every process reads it in the lock's record."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.doubles import START
from tray_app.core.errors import BrokerUnavailable
from tray_app.core.token import token_for
from tray_app.service.evidence import Evidence
from tray_app.service.last_attempt import LastAttempt
from tray_app.service.lock_record import LockRecord
from tray_app.stores.lock import ProfileLock

TOKEN = token_for("a-token-of-a-test", 86400, START)
OTHER = token_for("another-token-of-a-test", 86400, START)


def through_the_record(evidence: Evidence, now: float = START + 100) -> Evidence:
    """Return what another process reads."""
    return Evidence.from_record(json.loads(json.dumps({"evidence": evidence.to_record()})), now)


@pytest.mark.parametrize(
    "evidence",
    [
        Evidence(),
        Evidence().confirmed(TOKEN, START),
        Evidence().confirmed(TOKEN, START).doubted(TOKEN, START + 50),
        Evidence().died(TOKEN, START + 50),
        Evidence().with_revoked(TOKEN.value.fingerprint()).settled_against(OTHER, (TOKEN.value.fingerprint(),)),
    ],
)
def test_another_process_reads_what_this_one_wrote(evidence: Evidence) -> None:
    assert through_the_record(evidence) == evidence


def test_the_record_contains_no_token() -> None:
    record = json.dumps(
        Evidence().confirmed(TOKEN, START).died(OTHER, START).with_revoked(TOKEN.value.fingerprint()).to_record()
    )

    assert "of-a-test" not in record


def test_a_confirmation_ends_every_doubt() -> None:
    evidence = Evidence().doubted(TOKEN, START).died(TOKEN, START).confirmed(TOKEN, START + 10)

    assert not evidence.says_doubtful(TOKEN.value)
    assert not evidence.says_ended(TOKEN.value)
    assert evidence.confirmed_at == START + 10


def test_the_first_doubt_counts() -> None:
    evidence = Evidence().confirmed(TOKEN, START).doubted(TOKEN, START + 10).doubted(TOKEN, START + 20)

    assert evidence.doubted_at == START + 10
    assert evidence.says_doubtful(TOKEN.value)
    assert not evidence.says_doubtful(OTHER.value), "it is about another token"


def test_a_dead_token_stays_dead_when_the_next_one_is_confirmed() -> None:
    evidence = Evidence().died(TOKEN, START).confirmed(OTHER, START + 10).unknown()

    assert evidence.says_dead(TOKEN.value)
    assert not evidence.says_ended(OTHER.value)


def test_a_revoked_token_is_dead_but_nobody_need_be_told() -> None:
    evidence = Evidence().with_revoked(TOKEN.value.fingerprint())

    assert evidence.says_ended(TOKEN.value)
    assert not evidence.says_dead(TOKEN.value)


def test_a_settled_rival_raises_no_new_doubt() -> None:
    evidence = Evidence().doubted(TOKEN, START).settled_against(TOKEN, (OTHER.value.fingerprint(),))

    assert evidence.has_settled(TOKEN, OTHER.value.fingerprint())
    assert not evidence.says_doubtful(TOKEN.value)
    assert not evidence.has_settled(OTHER, TOKEN.value.fingerprint())


def test_only_the_last_dead_tokens_are_remembered() -> None:
    tokens = [token_for(f"dead-token-{number}-of-a-test", 60, START) for number in range(20)]
    evidence = Evidence()
    for token in tokens:
        evidence = evidence.other_died(token.value)

    assert evidence.says_dead(tokens[-1].value)
    assert not evidence.says_dead(tokens[0].value)
    assert len(json.dumps(evidence.to_record())) < 1000


@pytest.mark.parametrize(
    "fields",
    [
        None,
        5,
        {},
        {"version": 99, "token": "x"},
        {"version": 1},
        {"version": 1, "token": 5},
        {"version": 1, "token": []},
    ],
)
def test_a_damaged_record_says_nothing(fields: Any) -> None:
    assert Evidence.from_record({"evidence": fields}, START) == Evidence()


@pytest.mark.parametrize("at", [True, "soon", float("inf"), float("nan"), -5, None, [], 10**400])
def test_a_damaged_time_counts_as_never(at: Any) -> None:
    record = {"evidence": {**Evidence().confirmed(TOKEN, START).to_record(), "confirmed_at": at, "dead_at": at}}

    read = Evidence.from_record(record, START + 10)

    assert (read.confirmed_at, read.dead_at) == (0.0, 0.0)


def test_a_confirmation_from_the_future_is_none_but_a_death_is_one() -> None:
    """The clocks of two computers may differ by hours, and a dead token must never be used."""
    ahead = Evidence().confirmed(TOKEN, START + 3600)
    dead = Evidence().died(TOKEN, START + 3600)

    assert through_the_record(ahead, START).confirmed_at == 0.0
    assert through_the_record(dead, START).dead_at == START + 3600
    assert through_the_record(dead, START).says_ended(TOKEN.value)


def test_the_longest_record_fits(tmp_path: Path) -> None:
    """Two failures in as many words as are kept, and as many tokens as are remembered."""
    names = tuple(f"{number:016x}" for number in range(100))
    at = START + 0.123456
    evidence = Evidence(
        TOKEN.value.fingerprint(),
        TOKEN.expires,
        confirmed_at=at,
        doubted_at=at,
        asked_at=at,
        ask_at=at,
        dead_at=at,
        settled=names,
        dead=names,
        revoked=names,
    )
    error = BrokerUnavailable("가" * 220, retry_after=3600.0, remedy="open-portal")
    last = LastAttempt.failed(error, at, TOKEN.value, revoking=names[0], keys=f"demo:{names[0]}", failures=9)
    lock = ProfileLock(str(tmp_path / "lock"))
    with lock:
        check = LastAttempt.failed_check(error, TOKEN, at)
        LockRecord(last, evidence, at + 500, check, names[:4], cleared=names[4:8]).write(lock)

    record = LockRecord.from_fields(lock.read_record(), START + 1)
    assert (record.evidence, record.unsaved, record.cleared) == (evidence, names[:4], names[4:8])
    assert (record.last.message, record.check.message) == (error.message, error.message)
