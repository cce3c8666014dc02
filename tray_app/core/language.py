"""The language of what people read: Korean under a Korean locale, else English.

Sentences are in English in the code; the catalogue that `install` was given has them in Korean. Names of keys and codes
are not translated.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol, TextIO

    class Catalogue(Protocol):
        """Sentences in another language, as `gettext` reads them."""

        def gettext(self, message: str, /) -> str: ...


KOREAN = "ko"
ENGLISH = "en"

_KOREAN_NAMES = {"API 사용신청": "the API application page", '"스윙"': '"my account"'}
"""What English sentences call by its Korean name, as Kiwoom's page does, and what says it without the letters."""

_messages: set[str] = set()
_language: str | None = None
_can_show_korean = True
_detect: Callable[[], str] | None = None
_load_korean: Callable[[], Catalogue] | None = None
_catalogue: Catalogue | None = None

_ENDS = (".", "!", "?", "…", ")", "]")
"""The ends of a sentence that does not end in a command."""


def install(detect: Callable[[], str], load_korean: Callable[[], Catalogue]) -> None:
    """Set the functions that detect the system's language, `ko` or `en`, and load the Korean sentences.

    Each is called when it is first needed: a program that prints nothing but a token loads no catalogue.
    """
    global _detect, _load_korean, _catalogue
    _detect, _load_korean, _catalogue = detect, load_korean, None


def msg(message: str) -> str:
    """Mark a sentence for the catalogue without translating it yet."""
    _messages.add(message)
    return message


def is_message(text: str) -> bool:
    """Return True if `text` is a sentence that a loaded module has marked with `msg`."""
    return text in _messages


def use(language: str) -> None:
    """Switch to `ko` or `en`; anything else (`auto`) means the system's language, detected when it is first needed."""
    global _language  # noqa: PLW0603 - one language for the process
    _language = language if language in {KOREAN, ENGLISH} else None


def allow_korean(*, allowed: bool) -> None:
    """Allow Korean. If it is not allowed, everything is in English, and without a Korean letter in it: the output
    cannot show them."""
    global _can_show_korean  # noqa: PLW0603 - one language for the process
    _can_show_korean = allowed


def has_letters(stream: TextIO | None, letters: str) -> bool:
    """Return True if `stream` can show `letters`. A pipe on Windows can show those of that Windows' language only."""
    try:
        letters.encode(getattr(stream, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def current() -> str:
    """Return `ko` or `en`."""
    global _language  # noqa: PLW0603 - one language for the process
    if _language is None:
        _language = ENGLISH if _detect is None else _detect()
    return (_can_show_korean and _language) or ENGLISH


def tr(message: str, /, **values: object) -> str:
    """Return the sentence in the current language, its `{name}` places filled."""
    sentence = _korean(message) if current() == KOREAN else message
    if not _can_show_korean and not sentence.isascii():
        for name, words in _KOREAN_NAMES.items():
            sentence = sentence.replace(name, words)
    return sentence.format(**values) if values else sentence


def joined(*sentences: str) -> str:
    """Return the sentences in one line, empty ones left out, and one that ends in a command behind the others.

    What follows a command reads as its last words, and is copied with it. Where two end in a command, each has a line.
    """
    whole = [one for one in sentences if one.endswith(_ENDS)]
    commands = [one for one in sentences if one and not one.endswith(_ENDS)]
    return " ".join([*whole, "\n".join(commands)]).strip()


def _korean(message: str) -> str:
    global _catalogue  # noqa: PLW0603 - read once
    if _catalogue is None and _load_korean is not None:
        _catalogue = _load_korean()
    return message if _catalogue is None else _catalogue.gettext(message)
