"""Values that show nothing of their content in a repr, a log, a traceback with local variables, or a pickle."""

from __future__ import annotations

from tray_app.core.lean import text_digest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    _MappingOfText = Mapping[str, str]
else:
    _MappingOfText = object

_PREVIEW_CHARACTERS = 6
FINGERPRINT_DIGITS = 16


class Secret:
    """A token, app key or app secret. Only `reveal()` returns the text.

    `repr`, `str`, `format` and `%s` show a mask; pickling and copying raise `TypeError`.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    @classmethod
    def of(cls, text: str | Secret) -> Secret:
        """Return `text` as a secret, or unchanged if it is one already."""
        return text if isinstance(text, Secret) else cls(text)

    def reveal(self) -> str:
        """Return the text itself."""
        return self._text

    def preview(self) -> str:
        """Return the first characters, never more than a quarter of the text, and an ellipsis."""
        return self._text[: min(_PREVIEW_CHARACTERS, len(self._text) // 4)] + "..."

    def fingerprint(self) -> str:
        """Return the first 16 hex digits of the text's SHA-256, which identify the secret without revealing it."""
        return text_digest(self._text)[:FINGERPRINT_DIGITS]

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


class HiddenMapping(_MappingOfText):
    """A view of a mapping, such as the environment, that shows none of its values.

    The repr of `os.environ` shows the app secret, and a traceback with local variables shows that repr. To `isinstance`
    this is no `Mapping`: an error reporter walks through one, as Sentry's does, and reports each value.
    """

    __slots__ = ("_mapping",)

    def __init__(self, mapping: Mapping[str, str]) -> None:
        self._mapping: Mapping[str, str] = mapping.reveal() if isinstance(mapping, HiddenMapping) else mapping

    def reveal(self) -> Mapping[str, str]:
        """Return the mapping itself."""
        return self._mapping

    def __getitem__(self, name: str) -> str:
        if name in self._mapping:
            return self._mapping[name]
        raise KeyError(name)

    def get(self, name: str, default: Any = None) -> Any:
        """Return the value of that name, or `default`."""
        return self._mapping.get(name, default)

    def __contains__(self, name: object) -> bool:
        return name in self._mapping

    def __iter__(self) -> Iterator[str]:
        return iter(self._mapping)

    def __len__(self) -> int:
        return len(self._mapping)

    def __repr__(self) -> str:
        return "HiddenMapping(***)"

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("a hidden mapping is not pickled")


def without_traceback(error: BaseException) -> None:
    """Remove the traceback, and the errors that led to it, from an error that is stored or raised again.

    Their frames may have a secret among their local variables.
    """
    error.__traceback__ = error.__context__ = error.__cause__ = None
