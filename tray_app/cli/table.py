"""Text in columns on a terminal, where a Korean letter is two cells wide."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_GAP = "  "


def width_of(text: str) -> int:
    """Return how many cells `text` takes on a terminal."""
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(one) else 2 if east_asian_width(one) in "WF" else 1 for one in text)


def in_columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a line for each row; every column but the last is as wide as its widest text."""
    widths = [max(map(width_of, column)) for column in zip(*rows, strict=True)]
    return [
        _GAP.join(
            text + " " * (width - width_of(text)) if number < len(widths) - 1 else text
            for number, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
