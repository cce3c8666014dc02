"""Brings the Korean up to date: python resources/translations/update.py

There are two catalogues. The windows' is Qt Linguist's: `kiwoom-token-tray_ko.ts`, of the strings in
`tray_app/desktop`. That of the core and the command line is gettext's: `ko/LC_MESSAGES/kiwoom-token.po`.
Both are collected from the sources and compiled. What is not translated yet is told: translate it in the .ts or
.po file and run this again. Ends with 1 while something is missing.
"""

import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

HERE = Path(__file__).resolve().parent
SOURCES = HERE.parents[1] / "tray_app"
WINDOWS = HERE / "kiwoom-token-tray_ko.ts"
SENTENCES = HERE / "ko" / "LC_MESSAGES" / "kiwoom-token.po"
_NOT_OF_THE_WINDOWS = re.compile(r"<context>\s*<name></name>.*?</context>\n", re.DOTALL)
"""Calls of `tr` without a context: sentences of the core, which lie in the gettext catalogue."""


def main() -> int:
    missing = [*update_windows(), *update_sentences()]
    for one in missing:
        print("not translated:", one)
    return 1 if missing else 0


def update_windows() -> list[str]:
    tools = Path(sys.executable).parent
    sources = [str(path) for path in sorted((SOURCES / "desktop").rglob("*.py"))]
    update = [str(tools / "pyside6-lupdate"), *sources, "-ts", str(WINDOWS), "-no-obsolete", "-locations", "none"]
    subprocess.run(update, check=True, stdout=subprocess.DEVNULL)
    text = _NOT_OF_THE_WINDOWS.sub("", WINDOWS.read_text(encoding="utf-8"))
    WINDOWS.write_text(text, encoding="utf-8", newline="\n")
    subprocess.run([str(tools / "pyside6-lrelease"), str(WINDOWS)], check=True, stdout=subprocess.DEVNULL)
    return re.findall(r'<source>([^<]*)</source>\s*<translation type="unfinished"', text)


def update_sentences() -> list[str]:
    old = read_sentences()
    still = datetime(2026, 1, 1, tzinfo=UTC)  # the dates of a header tell nothing and change every time
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
    """All that `tr`, `msg` and the error types take as their first argument."""
    errors = re.findall(r"^class (\w+)\(", (SOURCES / "core" / "errors.py").read_text(encoding="utf-8"), re.MULTILINE)
    keywords = dict.fromkeys(("tr", "msg", *errors), (1,))
    found = extract_from_dir(SOURCES, [("**.py", "python")], keywords=keywords)
    return {text for _, _, text, _, _ in found if isinstance(text, str)}


if __name__ == "__main__":
    sys.exit(main())
