"""The tokens that other stores of this user have of the same keys."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.doubles import KEYS, START, Clock
from tray_app.core.token import Token, token_for
from tray_app.kiwoom.keys import AppKeys
from tray_app.service.other_stores import FILE, OtherStores
from tray_app.stores.base import Place
from tray_app.stores.file import FileStore
from tray_app.stores.lock import ThreadLock

OURS = "real:0123456789abcdef"
DAY = 86400
END = START + DAY


@pytest.fixture
def known(tmp_path: Path) -> Path:
    return tmp_path / "state" / FILE


@pytest.fixture
def store(known: Path, tmp_path: Path, clock: Clock) -> Callable[..., OtherStores]:
    """The store with its token in the folder of that name."""

    def open_one(name: str, address: str = "") -> OtherStores:
        def find_keys() -> AppKeys:
            return KEYS

        place = Place("memory") if name == "memory" else Place("file", str(tmp_path / name / ".token"))
        return OtherStores(
            str(known),
            "default",
            lambda: place,
            find_keys=find_keys,
            issued_for=lambda _: OURS,
            clock=clock,
            address=address,
        )

    return open_one


@pytest.fixture
def stored(tmp_path: Path, clock: Clock) -> Callable[..., Token]:
    """Stores a token in the folder of that name, which was issued after so many seconds."""

    def put(name: str, text: str, after: float = 0.0, issued_for: str = OURS) -> Token:
        token = token_for(text, DAY, START + after).bound_to(issued_for)
        FileStore(str(tmp_path / name / ".token"), ThreadLock(), clock).write(token)
        return token

    return put


def test_an_older_token_of_the_same_keys_is_in_doubt_and_the_newer_one_is_taken_over(
    store: Callable[..., OtherStores], stored: Callable[..., Token]
) -> None:
    old, new = stored("one", "an-old-token"), stored("two", "a-new-token", 60)
    store("one").publish(old)
    store("two").publish(new)

    assert store("one").rivals_of(old) == (new.value.fingerprint(),)
    assert store("one").external_token() == new
    assert store("two").rivals_of(new) == ()
    assert store("two").external_token() is None


@pytest.mark.parametrize("issued_for", ["demo:0123456789abcdef", "real:fedcba9876543210", "real:", ""])
def test_a_token_of_other_keys_or_of_unknown_ones_says_nothing(
    issued_for: str, store: Callable[..., OtherStores], stored: Callable[..., Token]
) -> None:
    own = stored("one", "an-old-token")
    store("two").publish(stored("two", "a-new-token", 60, issued_for))

    assert store("one").rivals_of(own) == ()
    assert store("one").external_token() is None


def test_a_token_from_another_address_says_nothing_about_one_from_kiwoom(
    store: Callable[..., OtherStores], stored: Callable[..., Token], known: Path
) -> None:
    sandbox = "http://127.0.0.1:8765"
    own, new = stored("one", "an-old-token"), stored("two", "a-new-token", 60)
    store("two", sandbox).publish(new)

    assert store("one").rivals_of(own) == ()
    assert store("one").external_token() is None
    assert store("one", sandbox).external_token() == new
    assert b"8765" not in known.read_bytes()


def test_a_token_that_only_one_program_can_see_is_not_written_down(
    store: Callable[..., OtherStores], stored: Callable[..., Token], known: Path
) -> None:
    store("memory").publish(stored("two", "a-token"))

    assert not known.exists()


def test_what_has_expired_says_nothing(
    store: Callable[..., OtherStores], stored: Callable[..., Token], clock: Clock
) -> None:
    store("two").publish(stored("two", "a-new-token"))
    clock.advance(DAY)

    assert store("one").external_token() is None


def test_a_file_that_has_another_token_by_now_is_not_taken_over_and_not_touched(
    store: Callable[..., OtherStores], stored: Callable[..., Token], tmp_path: Path
) -> None:
    store("two").publish(stored("two", "a-new-token"))
    file = tmp_path / "two" / ".token"
    for content in (b"", b"not a token", b'{"access_token": "another"}'):
        file.write_bytes(content)

        assert store("one").external_token() is None
        assert file.read_bytes() == content


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"1e999",
        b"{" * 3000,
        json.dumps({"for": OURS, "token": 5, "at": 1.0, "expires": END, "place": ["file", "x"]}).encode(),
        json.dumps({"for": OURS, "token": "x", "at": "now", "expires": END, "place": ["file", "x"]}).encode(),
        json.dumps({"for": OURS, "token": "x", "at": 1.0, "expires": END, "place": ["ftp", "x"]}).encode(),
        json.dumps({"for": OURS, "token": "x", "at": 1.0, "expires": END, "place": ["file", "\0"]}).encode(),
        json.dumps({"for": OURS, "token": "x", "at": 1.0, "expires": END, "place": ["file"]}).encode(),
        json.dumps({"for": OURS, "token": "x", "at": 1.0, "expires": END, "place": ["file", "\ud800"]}).encode(),
        json.dumps({"for": OURS, "token": "x", "at": 1.0, "expires": END, "place": {"file": 1, "x": 2}}).encode(),
    ],
)
def test_lines_that_nobody_writes_say_nothing_and_hide_no_other(
    line: bytes, store: Callable[..., OtherStores], stored: Callable[..., Token], known: Path
) -> None:
    known.parent.mkdir(parents=True)
    known.touch(0o600)
    known.write_bytes(line + b"\n")
    assert store("one").external_token() is None
    new = stored("two", "a-new-token", 60)
    store("two").publish(new)

    assert store("one").external_token() == new


def test_the_file_stays_small_and_names_no_token(
    store: Callable[..., OtherStores], stored: Callable[..., Token], known: Path
) -> None:
    one = store("one")
    for number in range(400):
        one.publish(token_for(f"token-number-{number}", DAY, START + number).bound_to(OURS))

    assert known.stat().st_size <= 65536
    assert b"token-number" not in known.read_bytes()
    if os.name == "posix":
        assert known.stat().st_mode & 0o777 == 0o600


@pytest.mark.posix
def test_a_pipe_in_place_of_the_file_holds_nobody_up(store: Callable[..., OtherStores], known: Path) -> None:
    known.parent.mkdir(parents=True)
    os.mkfifo(known)

    assert store("one").external_token() is None
