"""The language that sentences are in, and where the Korean ones come from."""

from __future__ import annotations

import gettext
from collections.abc import Callable

import pytest

from tray_app.core import language
from tray_app.core.errors import SettingsError, say


class Shouting(gettext.NullTranslations):
    def gettext(self, message: str) -> str:
        return message.upper()


@pytest.fixture
def asked(install_language: Callable[[Callable[[], str], Callable[[], gettext.NullTranslations]], None]) -> list[str]:
    """What of an installed translator was asked for; its language is Korean, its Korean is loud."""
    questions: list[str] = []

    def detect() -> str:
        questions.append("language")
        return language.KOREAN

    def load() -> Shouting:
        questions.append("catalogue")
        return Shouting()

    install_language(detect, load)
    return questions


def test_the_system_is_asked_once_when_a_sentence_is_needed(asked: list[str]) -> None:
    before = list(asked)

    said = [language.tr("The token is stored."), language.tr("Until {0}").format("soon")]

    assert (before, asked) == ([], ["language", "catalogue"])
    assert said == ["THE TOKEN IS STORED.", "UNTIL soon"]


def test_a_chosen_language_asks_nobody(asked: list[str]) -> None:
    language.use("en")

    assert (language.tr("The token is stored."), asked) == ("The token is stored.", [])


def test_every_program_that_imports_the_package_speaks_korean_under_a_korean_locale(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LC_ALL", "ko_KR.UTF-8")
    language.use("auto")

    assert language.tr("not a file") == "파일이 아님"


def test_why_a_file_cannot_be_used_is_said_in_the_users_language() -> None:
    language.use("ko")
    error = SettingsError("{path} cannot be read ({reason}).", path="settings.toml", reason="not a file")
    assert "파일이 아님" in say(error)


def test_names_of_the_users_stay_as_they_are() -> None:
    language.use("ko")
    error = SettingsError("{path}, line {line}: {key} is set twice. Remove one.", path="token", line=3, key="keys")
    assert say(error).startswith("token 3번째 줄: keys")


def test_what_a_setting_takes_is_said_in_the_users_language() -> None:
    language.use("ko")
    error = SettingsError("It takes: {expected}", expected="a duration of at most a day")
    assert "a span" not in say(error)


def test_nothing_follows_a_command_that_is_to_be_typed() -> None:
    command = "There is none. Enter it with: kiwoom-token login"

    assert language.joined(command, "It expires soon.") == f"It expires soon. {command}"
    assert language.joined("It failed.", "", "It expires soon. [1700]") == "It failed. It expires soon. [1700]"
    assert language.joined(command, "Or: pip install x", "Soon.") == f"Soon. {command}\nOr: pip install x"
    assert language.joined("", "") == ""
