"""What the headers of an answer say: `Date`, `Retry-After` and `Content-Encoding`."""

from __future__ import annotations

import zlib

_WITH_A_HEADER, _BARE = 47, -15
"""zlib's `wbits`: gzip's or zlib's header, told apart by itself, and what some servers send as `deflate`."""

MAX_RETRY_AFTER_SECONDS = 3600.0
"""The longest `Retry-After` that is honoured, so that a broken header cannot stop a renewal for a day."""


def retry_after_seconds(header: str | None, now: float) -> float | None:
    """Return a `Retry-After` header (seconds or an HTTP date) as seconds from `now` (epoch seconds), by the clock of
    whoever sent it.

    The result is between 0 and `MAX_RETRY_AFTER_SECONDS`, or None when the header is missing or cannot be read.
    """
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        seconds = float(text)
    else:
        at = http_date(text)
        if at is None:
            return None
        seconds = at - now
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_SECONDS)


def http_date(text: str | None) -> float | None:
    """Return an HTTP date as epoch seconds, or None when it cannot be read. A date without a zone is UTC."""
    from datetime import timezone
    from email.utils import parsedate_to_datetime

    if text is None:
        return None
    try:
        at = parsedate_to_datetime(text)
        return (at if at.tzinfo else at.replace(tzinfo=timezone.utc)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def decoded(content: bytes, encodings: str, limit: int) -> bytes:
    """Return the content without what a `Content-Encoding` header lists, `gzip` and `deflate`: a gateway on the way may
    compress it, though `Accept-Encoding: identity` asks for none of that.

    Empty if it is encoded in another way, damaged, or longer than `limit` bytes, of which no more are ever made.
    """
    for one in encodings.lower().split(","):
        if one.strip() not in {"", "identity"}:
            content = _inflated(content, limit)
    return content


def _inflated(content: bytes, limit: int) -> bytes:
    for window in (_WITH_A_HEADER, _BARE):
        try:
            found = zlib.decompressobj(window).decompress(content, limit + 1)
        except zlib.error:
            continue
        return found if len(found) <= limit else b""
    return b""
