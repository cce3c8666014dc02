"""Bring the Korean catalogue up to date: python resources/translations/update.py

Collects every sentence of the sources into `ko/LC_MESSAGES/kiwoom-token.po`, compiles it and lists what is not
translated yet: fill that in and run this again. Exits with 1 while something is missing.
"""

import re
import sys
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir, extract_from_file
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SOURCES = ROOT / "tray_app"
SCRIPTS = (ROOT / "start.py", ROOT / "tests" / "checks.py")
SENTENCES = HERE / "ko" / "LC_MESSAGES" / "kiwoom-token.po"


def main() -> int:
    missing = update_sentences()
    for one in missing:
        print("not translated:", one)
    return 1 if missing else 0


def update_sentences() -> list[str]:
    old = read_sentences()
    still = datetime(2026, 1, 1, tzinfo=UTC)  # the dates of a header would change the file every time
    new = Catalog(locale="ko", project="kiwoom-token-tray", fuzzy=False, creation_date=still, revision_date=still)
    for sentence in collect_sentences():
        new.add(sentence, old[sentence].string if sentence in old else "")
    with SENTENCES.open("wb") as file:
        write_po(file, new, width=0, sort_output=True, omit_header=False)
    with SENTENCES.with_suffix(".mo").open("wb") as file:
        write_mo(file, new)
    return [str(one.id) for one in new if one.id and not one.string]


def read_sentences() -> Catalog:
    with SENTENCES.open("rb") as file:
        return read_po(file, locale="ko")


def collect_sentences() -> set[str]:
    """Return the first arguments of `tr`, `msg` and the error types."""
    errors = re.findall(r"^class (\w+)\(", (SOURCES / "core" / "errors.py").read_text(encoding="utf-8"), re.MULTILINE)
    keywords = dict.fromkeys(("tr", "msg", *errors), (1,))
    found = [text for _, _, text, _, _ in extract_from_dir(SOURCES, [("**.py", "python")], keywords=keywords)]
    found += [one[1] for script in SCRIPTS for one in extract_from_file("python", script, keywords=keywords)]
    return {text for text in found if isinstance(text, str)}


if __name__ == "__main__":
    sys.exit(main())
