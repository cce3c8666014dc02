"""An answer that a gateway on the way compressed, though `Accept-Encoding: identity` asks for none of that."""

from __future__ import annotations

import zlib

_WITH_A_HEADER, _BARE = 47, -15
"""zlib's `wbits`: gzip's or zlib's header, told apart by itself, and what some servers send as `deflate`."""


def decoded(content: bytes, encodings: str, limit: int) -> bytes:
    """Return the content without what a `Content-Encoding` header lists, `gzip` and `deflate`.

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
