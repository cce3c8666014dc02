"""Keys and tokens from standard input, whatever program has written them."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator

import pytest

from tests.doubles import use_memory_keyring
from tray_app.cli.main import main
from tray_app.cli.stdin import read_stdin


def give(content: bytes, monkeypatch: pytest.MonkeyPatch, encoding: str = "cp949") -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content), encoding=encoding))


@pytest.mark.parametrize(
    "content",
    [
        "키 ab\n".encode(),
        codecs.BOM_UTF8 + "키 ab\n".encode(),
        codecs.BOM_UTF16_LE + "키 ab\n".encode("utf-16-le"),
        codecs.BOM_UTF16_BE + "키 ab\n".encode("utf-16-be"),
    ],
    ids=["utf-8", "PowerShell 5", "utf-16-le", "utf-16-be"],
)
def test_text_is_utf_8_whatever_the_systems_encoding(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    give(content, monkeypatch)

    assert read_stdin(100) == "키 ab\n"


def test_what_is_no_utf_8_becomes_characters_that_no_key_has(monkeypatch: pytest.MonkeyPatch) -> None:
    give("실전".encode("cp949"), monkeypatch)

    assert set(read_stdin(100)) == {"\ufffd"}


def test_no_more_than_the_limit_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    give(b"x" * 1000, monkeypatch)

    assert len(read_stdin(10)) == 10


def test_a_program_without_standard_input_gives_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)

    assert read_stdin(10) == ""


def test_an_input_that_a_host_program_has_replaced_is_read_as_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("\ufeffa-key"))

    assert read_stdin(100) == "a-key"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("command", "typed", "reason"),
    [
        (["login"], [], "The app key is empty."),
        (["login"], [""], "The app key is empty."),
        (["login"], ["a-key"], "The app secret is empty."),
        (["set", "--expires-in", "60"], [], "The token is empty. Give the token's text."),
    ],
)
def test_nothing_typed_at_the_terminal_is_nothing_given(
    command: list[str],
    typed: list[str],
    reason: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """`typed`: the answers before end of input, Ctrl+D."""
    use_memory_keyring(monkeypatch)
    answers: Iterator[str] = iter(typed)

    def getpass(prompt: str) -> str:
        try:
            return next(answers)
        except StopIteration:
            raise EOFError from None

    monkeypatch.setattr("getpass.getpass", getpass)
    monkeypatch.setattr("sys.stdin", Terminal())

    status = main(command)

    assert (status, capsys.readouterr().err.strip()) == (2, reason)
