"""Text as people paste it: a value copied from a `.env` has quotes, blanks and carriage returns around it, and instead
of a key or a token people paste a whole line of it, or a file's path."""

from __future__ import annotations

from tray_app.core.language import msg

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_AROUND = (
    " \t\n\v\f\r\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u200b\u2028\u2029\u202f\u205f\u3000\ufeff"
)
"""Blanks of every script, those without a width, and the byte order mark."""

_QUOTES = "\"'"
_PATH_STARTS = ("/", "./", "../", "~/", ".\\", "..\\", "~\\", "\\\\", "file:")
_NEVER_INSIDE = set("\"'`{}[]<>;,#")
_FORBIDDEN_BY_WINDOWS = frozenset('<>"|?*')
_FILE_ENDS = (".txt", ".env", ".json", ".csv", ".toml", ".token")
_NOTHING = {"null", "none", "nil", "undefined", "nan"}
"""What programs print in the place of a value that is not there: `jq`, Python, JavaScript."""


def unquoted(text: str) -> str:
    """Return `text` without the blanks, line ends and byte order mark around it, and without one pair of quotes."""
    stripped = text.strip(_AROUND)
    if len(stripped) > 1 and stripped[0] == stripped[-1] and stripped[0] in _QUOTES:
        return stripped[1:-1].strip(_AROUND)
    return stripped


def variable(environ: Mapping[str, str], name: str) -> str:
    """Return the value of an environment variable as `unquoted` reads it; empty when it is not set."""
    return unquoted(environ.get(name, ""))


def mistake_in(text: str) -> str:
    """Return the message about what was given instead of a key or token: a line `APP_KEY=…`, a path, the name of a
    variable that nobody filled in, a word for nothing such as `null`, or half of a pair of quotes; empty for none of
    them.

    Kiwoom's keys are letters, digits, `-` and `_`, so they have neither `=` nor `:` before their end, nor slashes.
    The message is returned and not raised, because a traceback would hold the text.
    """
    is_unfilled = text.startswith(("$", "%", "<", "{{")) and text[1:].strip("%<>{}() ").replace("-", "_").isidentifier()
    if is_unfilled or text.lower() in _NOTHING:
        return msg("A placeholder was given in which nothing was filled in. Give the text itself.")
    name, _, value = text.removeprefix("export ").replace(":", "=", 1).partition("=")
    if text.lower().startswith(_PATH_STARTS) or text.lower().endswith(_FILE_ENDS) or _has_drive(text):
        return msg("The path of a file was given instead of a key. Give the text that is in the file.")
    if name.strip().isidentifier() and value.strip("= "):
        return msg("A whole line such as APP_KEY=… was given. Give only what follows the = sign.")
    if set(text) & _NEVER_INSIDE:
        return msg("There are quotes, brackets or other signs in it that no key has. Give the text itself.")
    return ""


def is_mistyped_path(path: str) -> bool:
    """Return True for an empty path, one with a null character, a URL, an option such as `-p`, one with half a pair of
    quotes around it, and one in which a variable or a `~name` was not filled in: a folder of that name would be made.
    """
    has_quote = path[:1] in _QUOTES or path[-1:] in _QUOTES
    is_url = path[:5].lower() == "file:" or "://" in path
    is_nobodys_or_option = path.startswith(("~", "-"))
    return (
        not path
        or "\0" in path
        or has_quote
        or is_url
        or is_nobodys_or_option
        or any(_is_unfilled(one) for one in path.replace("\\", "/").split("/"))
    )


def is_windows_path(path: str) -> bool:
    """Return True for a path that only Windows can follow: with a drive, or relative with backslashes. Any other system
    takes the whole of it for one relative name."""
    return (path[1:2] == ":" and path[0].isalpha()) or ("\\" in path and not path.startswith("/"))


def has_what_windows_forbids(path: str) -> bool:
    r"""Return True for a path with a character that no name on Windows can have; its `\\?\` for long ones is none."""
    return not _FORBIDDEN_BY_WINDOWS.isdisjoint(path.removeprefix("\\\\?\\"))


def _is_unfilled(word: str) -> bool:
    """Return True for `$NAME`, `${NAME}` and `%NAME%`."""
    is_windows_own = len(word) > 2 and word[0] == word[-1] == "%"
    return is_windows_own or (word[:1] == "$" and word[1:].strip("{}").isidentifier())


def plain_number(text: str) -> float:
    """Return a number that is written in ASCII digits, such as `86400`. Raises `ValueError` for any other text, also
    for what Python alone takes for one: full-width digits, `1_000`."""
    if not text.isascii() or "_" in text:
        text = ""  # no traceback shows it
    return float(text)


def _has_drive(text: str) -> bool:
    return len(text) > 2 and text[0].isalpha() and text[1] == ":" and text[2] in "\\/"
