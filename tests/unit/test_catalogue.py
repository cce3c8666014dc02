"""The Korean of the core and the command line: nothing is missing, and what is compiled is what was written."""

from __future__ import annotations

import gettext
import importlib.util
import string
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).parents[2] / "resources" / "translations"


@pytest.fixture(scope="module")
def update() -> ModuleType:
    spec = importlib.util.spec_from_file_location("update", FOLDER / "update.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def places(sentence: str) -> set[str | None]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


def test_every_sentence_of_the_sources_has_a_korean_one_and_no_other_is_kept(update: ModuleType) -> None:
    written = {str(one.id): str(one.string) for one in update.read_sentences() if one.id}
    assert set(written) == update.collect_sentences()
    assert [sentence for sentence, korean in written.items() if not korean] == []


def test_korean_sentences_fill_the_same_places(update: ModuleType) -> None:
    for one in update.read_sentences():
        if one.id:
            assert places(str(one.string)) == places(str(one.id)), one.id


def test_compiled_catalogue_is_up_to_date(update: ModuleType) -> None:
    compiled = gettext.translation("kiwoom-token", str(FOLDER), languages=["ko"])
    for one in update.read_sentences():
        if one.id:
            assert compiled.gettext(str(one.id)) == one.string
