"""The last net: a log filter that masks whatever looks like a token, a key or a secret."""

from __future__ import annotations

import logging
import re

_MASK = "***"
_NAMED = re.compile(
    r"(?i)(\b\w*(?:token|app_?key|app_?secret|secret_?key)(?:_\w*)?\b[\"']?\s*[:=]\s*[\"']?)[^\s\"',}&]+"
)
_BEARER = re.compile(r"(?i)(\bbearer\s+)\S+")
_LONG_RUN = re.compile(r"eyJ[\w\-]+(?:\.[\w\-]+)*|[A-Za-z0-9_\-]{40,}")
"""Live tokens are 86 characters and app keys 43, all of the base64url alphabet; a JWT begins with `eyJ`."""


def redact(text: str) -> str:
    """`text` with everything masked that could be a secret."""
    text = _BEARER.sub(rf"\1{_MASK}", text)
    text = _NAMED.sub(rf"\1{_MASK}", text)
    return _LONG_RUN.sub(_MASK, text)


class RedactingFilter(logging.Filter):
    """Masks secrets in a record's message, arguments and exception text."""

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            shown = record.getMessage()
        except (TypeError, ValueError):  # logging itself tells whoever wrote the line
            return True
        masked = redact(shown)
        if masked != shown:
            record.msg, record.args = masked, ()
        if record.exc_info and not record.exc_text:
            record.exc_text = redact(logging.Formatter().formatException(record.exc_info))
        return True
