"""A program that knows only `data/.token`, as the seed's own token manager, writes it: the very next call knows."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SEED = """
import json, os, sys
from datetime import datetime, timedelta
from pathlib import Path

TOKEN_FILE = Path(sys.argv[1])
now = datetime.now()
data = {
    "access_token": sys.argv[2],
    "expires_at": (now + timedelta(seconds=86400)).isoformat(),
    "created_at": now.isoformat(),
}
TOKEN_FILE.parent.mkdir(parents=True, exist_ok=True)
temp_file = TOKEN_FILE.with_suffix(".tmp")
with open(temp_file, "w", encoding="utf-8") as f:
    json.dump(data, f, indent=2)
temp_file.replace(TOKEN_FILE)
os.chmod(TOKEN_FILE, 0o600)
"""
"""How the seed saves a token."""


@pytest.fixture(params=["auto", "redis"])
def kept(request: pytest.FixtureRequest, store_in: Callable[[str], str], private_places: Path) -> Any:
    """The token is stored elsewhere, with a copy in the file."""
    settings = private_places / "places" / "settings" / "settings.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text("share_token_file = true\n")
    return store_in(request.param)


@pytest.fixture
def write(token_file: Path) -> Callable[..., None]:
    def write(token: Any) -> None:
        subprocess.run([sys.executable, "-c", SEED, str(token_file), token], check=True)

    return write


def test_a_token_that_it_saves_is_taken_over(
    kept: str, start: Callable[..., Any], write: Callable[..., None], token_file: Path
) -> None:
    one, other = start(2)
    one.ask("set_token", "first-token-of-a-test", 86400)
    assert other.ask("get_token") == "first-token-of-a-test"

    write("token-of-the-seed")

    assert [one.ask("get_token"), other.ask("get_token"), start().ask("get_token")] == ["token-of-the-seed"] * 3


def test_into_an_empty_folder_too(kept: str, start: Callable[..., Any], write: Callable[..., None]) -> None:
    one = start()
    assert one.ask("get_token") is None

    write("token-of-the-seed")

    assert one.ask("get_token") == "token-of-the-seed"


@pytest.mark.parametrize("kept", ["redis"], indirect=True)  # with auto the next write moves it
def test_it_moves_to_where_the_token_is_stored(
    kept: str, start: Callable[..., Any], write: Callable[..., None], token_file: Path
) -> None:
    one = start()
    one.ask("set_token", "first-token-of-a-test", 86400)
    write("token-of-the-seed")
    one.ask("get_token")

    token_file.unlink()

    assert [one.ask("get_token"), start().ask("get_token")] == ["token-of-the-seed"] * 2


def test_a_token_that_is_set_after_it_goes_before_it(
    kept: str, start: Callable[..., Any], write: Callable[..., None]
) -> None:
    one, other = start(2)
    write("token-of-the-seed")
    assert one.ask("get_token") == "token-of-the-seed"

    other.ask("set_token", "newer-token-of-a-test", 86400)

    assert [one.ask("get_token"), start().ask("get_token")] == ["newer-token-of-a-test"] * 2


def test_a_copy_that_is_deleted_is_no_clear(kept: str, start: Callable[..., Any], token_file: Path) -> None:
    one = start()
    one.ask("set_token", "first-token-of-a-test", 86400)

    token_file.unlink()

    assert [one.ask("get_token"), start().ask("get_token")] == ["first-token-of-a-test"] * 2


def test_a_clear_takes_both(kept: str, start: Callable[..., Any], write: Callable[..., None], token_file: Path) -> None:
    one, other = start(2)
    write("token-of-the-seed")
    assert one.ask("get_token") == "token-of-the-seed"

    other.ask("clear_token")

    assert [one.ask("get_token"), start().ask("get_token"), token_file.exists()] == [None, None, False]


@pytest.mark.parametrize("kept", ["redis"], indirect=True)
def test_a_copy_that_another_machine_could_not_delete_brings_no_cleared_token_back(
    kept: str, start: Callable[..., Any], token_file: Path
) -> None:
    one = start()
    one.ask("set_token", "first-token-of-a-test", 86400)
    copy, note = token_file.read_bytes(), token_file.with_name(".token.owner")
    stat = token_file.stat()
    assert note.exists()
    hidden = token_file.with_name("hidden")
    token_file.rename(hidden)

    one.ask("clear_token")
    hidden.rename(token_file)

    assert (token_file.read_bytes(), token_file.stat().st_mtime_ns) == (copy, stat.st_mtime_ns)
    assert [one.ask("get_token"), start().ask("get_token")] == [None, None]
