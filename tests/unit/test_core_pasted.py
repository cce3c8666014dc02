"""Text as people paste it: quotes and blanks go, and what is no key is recognised."""

from __future__ import annotations

import pytest

from tray_app.core.pasted import mistake_in, unquoted, variable

KEY = "Ab3-_Zz9" * 5


@pytest.mark.parametrize(
    "pasted", [KEY, f"  {KEY}\r\n", f'"{KEY}"', f"'{KEY}'", f"\ufeff{KEY}", f'  " {KEY} "  ', f"\t'{KEY}'\n"]
)
def test_blanks_a_mark_and_one_pair_of_quotes_around_a_key_are_dropped(pasted: str) -> None:
    assert unquoted(pasted) == KEY


@pytest.mark.parametrize("pasted", [f'"{KEY}', f"{KEY}'", f"\"{KEY}'", '"'])
def test_a_quote_without_its_partner_stays(pasted: str) -> None:
    assert unquoted(pasted) == pasted


def test_a_variable_is_read_like_pasted_text_and_empty_when_it_is_not_set() -> None:
    assert variable({"APP_KEY": f' "{KEY}" '}, "APP_KEY") == KEY
    assert variable({}, "APP_KEY") == ""


@pytest.mark.parametrize("line", [f"APP_KEY={KEY}", f"export APP_KEY={KEY}", f"appkey: {KEY}", f"APP_SECRET = {KEY}"])
def test_a_whole_line_is_no_key(line: str) -> None:
    assert "APP_KEY=" in mistake_in(line)


@pytest.mark.parametrize(
    "path",
    [
        "/home/me/appkey.txt",
        "~/key",
        "./key",
        "C:\\Users\\me\\key",
        "d:/keys",
        "my_appkey.TXT",
        "\\\\server\\key",
        ".env",
        "data/.token",
    ],
)
def test_a_path_is_no_key(path: str) -> None:
    assert "path of a file" in mistake_in(path)


@pytest.mark.parametrize("key", [KEY, f"{KEY}=", f"{KEY}==", "-" + KEY])
def test_a_key_is_no_mistake(key: str) -> None:
    assert mistake_in(key) == ""


@pytest.mark.parametrize("word", ["null", "None", "undefined", "nil", "NaN", "$KEY", "%APP_KEY%", "<app-key>"])
def test_what_stands_for_nothing_is_no_key(word: str) -> None:
    assert "nothing was filled in" in mistake_in(word)


def test_the_message_does_not_repeat_the_text() -> None:
    assert KEY not in mistake_in(f"APP_KEY={KEY}")
