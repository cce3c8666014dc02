"""The language of the system, where nobody chose one."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tray_app.core import language
from tray_app.core.errors import SettingsError

KOREAN_FIRST = '(\n    "ko-KR",\n    "en-KR"\n)\n'
ENGLISH_FIRST = '(\n    "en-KR",\n    "ko-KR"\n)\n'


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"LANG": "ko_KR.UTF-8"}, "ko"),
        ({"LANG": "en_US.UTF-8"}, "en"),
        ({"LC_ALL": "C.UTF-8", "LANG": "ko_KR.UTF-8"}, "en"),
        ({"LC_MESSAGES": "ko_KR", "LANG": "en_US"}, "ko"),
    ],
)
def test_the_environment_decides_where_it_names_a_locale(environ: dict[str, str], expected: str) -> None:
    assert language.detect(environ) == expected


@pytest.mark.parametrize(("told", "expected"), [(KOREAN_FIRST, "ko"), (ENGLISH_FIRST, "en"), ("", "en")])
def test_macos_is_asked_for_its_first_language(monkeypatch: pytest.MonkeyPatch, told: str, expected: str) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(
        subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 0, stdout=told, stderr="")
    )
    assert language.detect({}) == expected


@pytest.mark.parametrize("failure", [FileNotFoundError(), subprocess.TimeoutExpired("defaults", 2)])
def test_macos_that_does_not_answer_means_english(monkeypatch: pytest.MonkeyPatch, failure: Exception) -> None:
    def run(*_: object, **__: object) -> None:
        raise failure

    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(subprocess, "run", run)
    assert language.detect({}) == "en"


def test_names_of_the_users_stay_as_they_are() -> None:
    language.use("ko")
    error = SettingsError("{path}, line {line}: there is no setting {name}.", path="token", line=3, name="keys")
    assert language.say(error).startswith("token 3번째 줄: keys")


def test_what_a_setting_takes_is_said_in_the_users_language() -> None:
    language.use("ko")
    error = SettingsError("It takes: {expected}", expected="a duration of at most a day")
    assert "a span" not in language.say(error)
