"""Bring the Korean catalogue up to date: python resources/translations/update.py

Collects every sentence of the sources into `ko/LC_MESSAGES/kiwoom-token.po`, compiles it and lists what is not
translated yet: fill that in and run this again. Exits with 1 while something is missing.
"""

import ast
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
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
    """Return the first arguments of `tr`, `msg` and the error types, also of such calls inside each other."""
    errors = re.findall(r"^class (\w+)\(", (SOURCES / "core" / "errors.py").read_text(encoding="utf-8"), re.MULTILINE)
    names = {"tr", "msg", *errors}
    return {
        call.args[0].value
        for file in (*SOURCES.rglob("*.py"), *SCRIPTS)
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and _name_of(call.func) in names and call.args
        if isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str)
    }


def _name_of(function: ast.expr) -> str:
    return getattr(function, "id", "") or getattr(function, "attr", "")


if __name__ == "__main__":
    sys.exit(main())
