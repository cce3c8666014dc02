"""Environment variables as people write them: `.env` files leave quotes, blanks and carriage returns in the values."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_AROUND = " \t\r\n\ufeff"


def unquoted(text: str) -> str:
    """Return `text` without the blanks, line ends and byte order mark around it, and without one pair of quotes."""
    stripped = text.strip(_AROUND)
    if len(stripped) > 1 and stripped[0] == stripped[-1] and stripped[0] in "\"'":
        return stripped[1:-1].strip(_AROUND)
    return stripped


def variable(environ: Mapping[str, str], name: str) -> str:
    """Return the value of an environment variable as `unquoted` reads it; empty when it is not set."""
    return unquoted(environ.get(name, ""))
