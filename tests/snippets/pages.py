"""The project's Markdown pages: their code, headings and links."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tests import ROOT

TOOLS = ROOT / "docs" / "tools"

_FENCE = re.compile(r"^(?P<fence>```+)(?P<info>[^\n`]*)\n(?P<text>.*?)^(?P=fence)[ \t]*$", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_HEADING = re.compile(r"^(#{1,6}) +(.+?)(?: +#+)?$", re.MULTILINE)
_CODE_SPAN = re.compile(r"(`+)(.+?)\1", re.DOTALL)
_LINK = re.compile(r"\[(?:[^\[\]]|\[[^\]]*\])*\]\(<?([^()\s>]+)>?(?: \"[^\"]*\")?\)")
_HTML_LINK = re.compile(r"(?:href|src)=\"([^\"]+)\"")


class Block(NamedTuple):
    """A fenced piece of code: its language, the file name that stands after it, and the text."""

    language: str
    name: str
    text: str


@cache
def pages() -> tuple[Path, ...]:
    """Return every Markdown file of the project."""
    folders = (ROOT, ROOT / "docs", ROOT / ".github", ROOT / "packaging")
    found = {path for folder in folders[1:] for path in folder.rglob("*.md")} | set(ROOT.glob("*.md"))
    return tuple(sorted(found))


def blocks(page: Path) -> list[Block]:
    found = []
    for match in _FENCE.finditer(page.read_text(encoding="utf-8")):
        language, _, name = match["info"].strip().partition(" ")
        found.append(Block(language, name, match["text"]))
    return found


def code(page: str, name: str) -> str:
    """Return the code with that name on a page of `docs/tools`."""
    [found] = [one.text for one in blocks(TOOLS / page) if one.name == name]
    return found


def prose(page: Path) -> str:
    """Return the page without its code and comments; code in a line of text stays."""
    return _COMMENT.sub("", _FENCE.sub("", page.read_text(encoding="utf-8")))


def code_spans(page: Path) -> list[str]:
    """Return what is set as code within the text, with the line ends inside as blanks."""
    return [" ".join(match[2].split()) for match in _CODE_SPAN.finditer(prose(page))]


def headings(page: Path) -> list[tuple[int, str]]:
    return [(len(match[1]), match[2]) for match in _HEADING.finditer(prose(page))]


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub gives the headings, and those that the page sets itself."""
    found: set[str] = set()
    for _, text in headings(page):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text).replace("`", "").replace("*", "")
        slug = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        count = 0
        while (unique := f"{slug}-{count}" if count else slug) in found:
            count += 1
        found.add(unique)
    return found | set(re.findall(r"<a id=\"([^\"]+)\"", prose(page)))


def links(page: Path) -> list[str]:
    text = _CODE_SPAN.sub("", prose(page))
    return [*_LINK.findall(text), *re.findall(r"!\[[^\]]*\]\(([^()\s]+)\)", text), *_HTML_LINK.findall(text)]
