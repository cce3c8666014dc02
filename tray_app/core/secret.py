"""A string that gives nothing away by accident."""

from __future__ import annotations

_PREVIEW_CHARACTERS = 6


class Secret:
    """A token, app key or app secret. Only `reveal()` hands the text out.

    `repr`, `str`, `format` and `%s` show a mask; pickling raises `TypeError`.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def preview(self) -> str:
        """The first characters, never more than a quarter of the text, then an ellipsis."""
        return self._text[: min(_PREVIEW_CHARACTERS, len(self._text) // 4)] + "..."

    def fingerprint(self) -> str:
        """The first 16 hex digits of the text's SHA-256: tells two secrets apart, reveals neither."""
        from hashlib import sha256

        return sha256(self._text.encode()).hexdigest()[:16]

    def __repr__(self) -> str:
        return "Secret(***)"

    def __str__(self) -> str:
        return "***"

    def __format__(self, spec: str) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("a secret is not pickled")
