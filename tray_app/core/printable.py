"""Text from elsewhere (a file, another program, Kiwoom), made harmless for a terminal, a log and a spreadsheet."""

from __future__ import annotations

MAX_CHARACTERS = 500


def printable(text: str, limit: int = MAX_CHARACTERS) -> str:
    """Return at most `limit` characters of `text` on one line: control characters, line breaks and marks that turn
    the direction of writing are shown as escapes such as `\\x1b`, so that none of them takes effect."""
    if len(text) > limit:
        text = text[: limit - 1] + "…"
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in text)
