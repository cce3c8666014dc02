"""SHA-256 and JSON as the standard library has them, without what its modules load: OpenSSL, and regular expressions.

Each costs as much as a tenth of `kiwoom-token get`. CPython's own `random` takes its hash from there for this reason.
Where these parts of CPython are missing or have changed, the modules themselves serve.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from hashlib import sha256
    from typing import Any
else:
    try:
        from _sha2 import sha256
    except ImportError:
        try:
            from _sha256 import sha256  # until Python 3.11
        except ImportError:
            from hashlib import sha256

__all__ = ["load_json", "sha256", "text_digest"]


def text_digest(text: str) -> str:
    """Return the SHA-256 of a text as hex digits. On Linux the text may be the name of a folder that is no UTF-8."""
    return sha256(text.encode(errors="surrogatepass")).hexdigest()


class _Options:
    """What `json.JSONDecoder` hands to its scanner."""

    strict = True
    object_hook = object_pairs_hook = array_hook = None
    parse_float = parse_constant = float
    parse_int = int


def _find_scanner() -> Callable[[str, int], tuple[Any, int]] | None:
    options: Any = _Options
    try:
        from _json import make_scanner

        return make_scanner(options)
    except (ImportError, AttributeError, TypeError):
        return None


_scan = _find_scanner()


def load_json(text: str | bytes) -> Any:
    """Return the value that the JSON text is, in UTF-8 if it is bytes. Raises `ValueError` and `RecursionError`."""
    if isinstance(text, bytes):
        text = text.decode()
    text = text.strip(" \t\r\n")
    if _scan is not None:
        # SystemError: until `json` is loaded, Python 3.11 finds no error to raise for a text that is no JSON.
        try:
            value, end = _scan(text, 0)
        except (StopIteration, SystemError, ValueError):
            end = -1
        if end == len(text):
            return value
    import json

    return json.loads(text)
