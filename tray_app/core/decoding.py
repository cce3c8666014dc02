"""Text that an editor or a shell on Windows may have written."""

from __future__ import annotations

_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_UTF8_MARK = b"\xef\xbb\xbf"


def decode_text(content: bytes, errors: str = "strict") -> str:
    """Return the text, in UTF-8 unless its first bytes are UTF-16's byte order mark; the mark is no part of it.

    Raises `UnicodeDecodeError`, unless `errors` is `replace`.
    """
    if content.startswith(_UTF16_MARKS):
        return content.decode("utf-16", errors)
    return content.removeprefix(_UTF8_MARK).decode("utf-8", errors)
