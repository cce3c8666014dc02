"""Text from elsewhere is harmless on a terminal, in a log and in a spreadsheet."""

from __future__ import annotations

import pytest

from tray_app.core.printable import MAX_CHARACTERS, printable


@pytest.mark.parametrize("text", ["", "a plain line", "키움 토큰 · 실전투자", "100 %"])
def test_plain_text_stays(text: str) -> None:
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("one\ntwo", r"one\ntwo"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("a\u202eb", r"a\u202eb"),
        ("a\x00b", r"a\x00b"),
        ("line\u2028end", r"line\u2028end"),
    ],
)
def test_what_would_take_effect_is_shown_as_an_escape(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_a_long_text_is_cut_and_says_so() -> None:
    assert printable("x" * MAX_CHARACTERS) == "x" * MAX_CHARACTERS
    assert printable("x" * (MAX_CHARACTERS + 1)) == "x" * (MAX_CHARACTERS - 1) + "…"
    assert printable("abcdef", limit=4) == "abc…"
