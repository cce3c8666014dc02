"""What people paste where a key or a token is wanted: with quotes, as a whole line of a `.env`, or a file's path."""

from __future__ import annotations

from tray_app.core.errors import InvalidInput
from tray_app.core.language import msg

_QUOTES = "\"'"
_PATH_STARTS = ("/", "./", "../", "~/", ".\\", "..\\", "~\\", "\\\\", "file:")
_FILE_ENDS = (".txt", ".env", ".json", ".csv", ".toml")


def without_quotes(text: str) -> str:
    """Return `text` without a byte order mark, blanks, line ends and one pair of quotes around it."""
    stripped = text.strip("\ufeff \t\r\n")
    if len(stripped) > 1 and stripped[0] in _QUOTES and stripped[-1] == stripped[0]:
        stripped = stripped[1:-1].strip()
    return stripped


def check_is_value(text: str) -> None:
    """Raise `InvalidInput`, which says what was entered instead, when `text` is a line `APP_KEY=…` or a path.

    Kiwoom's keys are letters, digits, `-` and `_`, so they have neither `=` nor `:` before their end, nor slashes.
    """
    name, _, value = text.removeprefix("export ").replace(":", "=", 1).partition("=")
    if text.lower().startswith(_PATH_STARTS) or text.lower().endswith(_FILE_ENDS) or _has_drive(text):
        raise InvalidInput(msg("The path of a file was given instead of a key. Give the text that is in the file."))
    if name.strip().isidentifier() and value.strip("= "):
        raise InvalidInput(msg("A whole line such as APP_KEY=… was given. Give only what follows the = sign."))


def _has_drive(text: str) -> bool:
    return len(text) > 2 and text[0].isalpha() and text[1] == ":" and text[2] in "\\/"
