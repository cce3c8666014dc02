from __future__ import annotations

import os
import shlex
from typing import Any

import pytest

from tray_app.cli.parser import command_parser
from tray_app.core.errors import InvalidInput
from tray_app.core.profile import case_conflict, check_profile, command_line
from tray_app.settings.places import token_file

GOOD = [
    "default",
    "a",
    "Alice",
    "second account",
    "내 계좌",
    "키움1",
    "a.b",
    "a-b_c",
    "가" * 64,
    "con1",
    "console",
    "7",
]
BAD = [
    "",
    " ",
    ".",
    "..",
    "...",
    ".x",
    "x.",
    " x",
    "x ",
    "x\n",
    "a/b",
    "a\\b",
    "/etc/passwd",
    "../../x",
    "..\\x",
    "C:x",
    "a:stream",
    "a\0b",
    "a\tb",
    "a\nb",
    "a\u200bb",
    "a\u202eb",
    "a*b",
    "a?b",
    'a"b',
    "a<b",
    "a|b",
    "~",
    "$HOME",
    "%PATH%",
    "😀",
    "x" * 65,
    "CON",
    "con",
    "nul",
    "Com1",
    "lpt9",
    "aux.txt",
    "con.a.b",
    "con .a",
]


@pytest.mark.parametrize("name", GOOD)
def test_takes_what_people_call_accounts(name: str) -> None:
    assert check_profile(name) == name


@pytest.mark.parametrize("name", BAD, ids=ascii)
def test_refuses_what_no_file_can_be_called_everywhere(name: str) -> None:
    with pytest.raises(InvalidInput):
        check_profile(name)


@pytest.mark.parametrize("name", GOOD)
def test_a_profiles_file_lies_in_the_data_folder_itself(name: str) -> None:
    assert os.path.dirname(os.path.normpath(token_file("/data", name))) == os.path.normpath("/data")


def test_no_two_profiles_share_a_file() -> None:
    assert len({token_file("/data", name) for name in GOOD}) == len(GOOD)


def test_the_seeds_file_is_the_default_profiles() -> None:
    assert token_file("/data", "default") == os.path.join("/data", ".token")


@pytest.mark.parametrize(
    ("name", "known", "conflict"),
    [
        ("main", [], ""),
        ("main", ["other", "main"], ""),
        ("main", ["Main"], "Main"),
        ("main", ["main", "Main"], ""),
        ("Main", ["main", "Main"], "main"),
        ("계좌", ["계좌", "다른 계좌"], ""),
        ("Ätna", ["ätna"], "ätna"),
    ],
)
def test_the_first_of_those_that_only_case_tells_apart_counts(
    name: str, known: list[Any] | list[str], conflict: str
) -> None:
    assert case_conflict(name, known) == conflict


@pytest.mark.parametrize("profile", ["default", "swing", "my swing", "내 계좌", "-1", "a.b"])
def test_a_command_names_its_profile_as_a_shell_takes_it(profile: str) -> None:
    words = shlex.split(command_line("refresh", profile))

    options = command_parser().parse_args(words[1:])

    assert (words[0], options.command) == ("kiwoom-token", "refresh")
    assert (options.profile or "default") == profile
