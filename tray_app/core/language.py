"""The language of what people read: Korean under a Korean locale, else English.

Sentences stand in English in the code; the Korean ones come from the catalogue
`translations/ko/LC_MESSAGES/kiwoom-token.mo` in the resources. Names of keys and codes are not translated.
"""

from __future__ import annotations

import os
import sys

from tray_app.core.errors import KiwoomTokenError
from tray_app.core.printable import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from gettext import NullTranslations
    from typing import TextIO

KOREAN = "ko"
ENGLISH = "en"
DOMAIN = "kiwoom-token"

_MAX_CHARACTERS = 2000
_IN_WORDS = ("expected", "mode")
"""The values of errors that are sentences of ours and no names of the user's."""

_language: str | None = None
_can_show_korean = True
_catalogue: NullTranslations | None = None


def msg(message: str) -> str:
    """Marks a sentence for the catalogue without translating it yet."""
    return message


def resources_folder() -> str:
    """The folder of icons and translations: inside the installed package, or beside it in a checkout."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    inside = os.path.join(package, "resources")
    return inside if os.path.isdir(inside) else os.path.join(os.path.dirname(package), "resources")


def detect(environ: Mapping[str, str] = os.environ) -> str:
    """The language of the locale: the POSIX variables where one is set, else what Windows or macOS shows."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        value = environ.get(name)
        if value:
            return KOREAN if value.lower().startswith("ko") else ENGLISH
    if sys.platform == "win32":
        import ctypes

        primary_language = ctypes.windll.kernel32.GetUserDefaultUILanguage() & 0x3FF
        return KOREAN if primary_language == 0x12 else ENGLISH
    if sys.platform == "darwin":
        return KOREAN if _first_language_of_macos().startswith("ko") else ENGLISH
    return ENGLISH


def _first_language_of_macos() -> str:
    """As in the system's settings; a program that is started at login has no locale in its environment."""
    import subprocess

    try:
        asked = subprocess.run(
            ["/usr/bin/defaults", "read", "-g", "AppleLanguages"],
            capture_output=True,
            text=True,
            timeout=2,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return asked.stdout.strip('( \n"').lower()


def use(language: str) -> None:
    """Switches to `ko` or `en`; anything else (`auto`) means the locale's."""
    global _language, _catalogue  # noqa: PLW0603 - one language for the whole process
    _language = language if language in {KOREAN, ENGLISH} else detect()
    _catalogue = None


def allow_korean(*, allowed: bool) -> None:
    """Without it everything is in English, whatever is chosen: where it goes has no Korean letters."""
    global _can_show_korean  # noqa: PLW0603 - as above
    _can_show_korean = allowed


def has_letters(stream: TextIO | None, letters: str) -> bool:
    """Whether an output can show them. A pipe on a Windows has the letters of that Windows' language only."""
    try:
        letters.encode(getattr(stream, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def current() -> str:
    if _language is None:
        use("auto")
    return (_can_show_korean and _language) or ENGLISH


def tr(message: str, /, **values: object) -> str:
    """`message` in the current language, its `{name}` places filled."""
    sentence = message
    if current() == KOREAN:
        sentence = _korean().gettext(message)
    return sentence.format(**values) if values else sentence


def say(error: KiwoomTokenError) -> str:
    """Return an error as one printable line: the sentence, then the broker's code in brackets. Its values may come from
    a file or from Kiwoom, so nothing in them takes effect on a terminal."""
    in_words = {name: tr(str(error.values[name])) for name in _IN_WORDS if name in error.values}
    sentence = tr(error.message, **{**error.values, **in_words})
    return printable(f"{sentence} [{error.code}]" if error.code else sentence, _MAX_CHARACTERS)


def _korean() -> NullTranslations:
    global _catalogue  # noqa: PLW0603 - read once
    if _catalogue is None:
        import gettext

        folder = os.path.join(resources_folder(), "translations")
        _catalogue = gettext.translation(DOMAIN, folder, languages=[KOREAN], fallback=True)
    return _catalogue
