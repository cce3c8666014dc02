"""The Korean of the whole program: nothing is missing, and what is compiled is what was written."""

from __future__ import annotations

import gettext
import re
import string
from collections.abc import Callable
from gettext import NullTranslations
from types import ModuleType

import pytest

from tests import ROOT
from tests.scripts import load_script
from tray_app.cli.parser import command_parser
from tray_app.core import language

FOLDER = ROOT / "resources" / "translations"


@pytest.fixture(scope="module")
def update() -> ModuleType:
    return load_script("resources/translations/update.py")


@pytest.fixture(scope="module")
def sentences(update: ModuleType) -> set[str]:
    """What the sources say to users."""
    found: set[str] = update.collect_sentences()
    return found


def places(sentence: str) -> set[str | None]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


def test_every_sentence_of_the_sources_has_a_korean_one_and_no_other_is_kept(
    update: ModuleType, sentences: set[str]
) -> None:
    written = {str(one.id): str(one.string) for one in update.read_sentences() if one.id}
    assert set(written) == sentences
    assert [sentence for sentence, korean in written.items() if not korean] == []


def test_no_english_sentence_has_a_korean_letter_where_the_output_cannot_show_it(sentences: set[str]) -> None:
    language.use("ko")
    language.allow_korean(allowed=False)

    shown = [language.tr(sentence) for sentence in sorted(sentences)]

    assert [sentence for sentence in shown if re.search("[ㄱ-ㆎ가-힣]", sentence)] == []
    assert any("openapi.kiwoom.com > the API application page" in sentence for sentence in shown)


def test_korean_sentences_fill_the_same_places(update: ModuleType) -> None:
    for one in update.read_sentences():
        if one.id:
            assert places(str(one.string)) == places(str(one.id)), one.id


def test_korean_sentences_keep_mnemonics_and_ellipses(update: ModuleType) -> None:
    for one in update.read_sentences():
        if one.id:
            english, korean = str(one.id), str(one.string)
            assert english.count("&") == korean.count("&"), english
            assert english.endswith("…") == korean.endswith("…"), english


@pytest.mark.parametrize(
    "words",
    [
        "",
        "nonsense",
        "get extra",
        "get --format",
        "get --format x",
        "get --no-issue=1",
        "get --min-remaining x",
        "set",
        "set --expires 5",
        "set --expires-in 1 --expires-dt 2",
        "history --days 0",
        "sandbox --port x",
        "--help",
    ],
)
def test_every_word_about_the_usage_is_looked_up_in_the_catalogue(
    words: str,
    sentences: set[str],
    install_language: Callable[[Callable[[], str], Callable[[], NullTranslations]], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    parser = command_parser()
    install_language(lambda: language.KOREAN, lambda: Marking(sentences))
    with pytest.raises(SystemExit):
        parser.parse_args(words.split())
    said = capsys.readouterr()
    assert said.out.startswith("<usage: >") if words == "--help" else said.err.startswith("<<")
    assert "unknown" not in said.err


class Marking(gettext.NullTranslations):
    """Puts what is asked of it between angle brackets, and knows nothing that is not in the sources."""

    def __init__(self, known: set[str]) -> None:
        super().__init__()
        self.known = known

    def gettext(self, message: str) -> str:
        return f"<{message}>" if message in self.known else "unknown"


def test_compiled_catalogue_is_up_to_date(update: ModuleType) -> None:
    compiled = gettext.translation("kiwoom-token", str(FOLDER), languages=["ko"])
    for one in update.read_sentences():
        if one.id:
            assert compiled.gettext(str(one.id)) == one.string
