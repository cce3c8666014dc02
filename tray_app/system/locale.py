"""The language of the system, and the Korean sentences of the catalogue on disk."""

from __future__ import annotations

import os
import sys

from tray_app.core.language import ENGLISH, KOREAN
from tray_app.system.resources import resources_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from gettext import NullTranslations

DOMAIN = "kiwoom-token"
"""The catalogue is `translations/ko/LC_MESSAGES/kiwoom-token.mo` in the resources."""


def detect_language(environ: Mapping[str, str] = os.environ) -> str:
    """Return the language of the locale: by the POSIX variables where one is set, else by the settings of Windows or
    macOS."""
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


def korean_catalogue() -> NullTranslations:
    """Return the catalogue. A sentence that it lacks stays in English; so do all where there is no catalogue."""
    import gettext

    folder = os.path.join(resources_folder(), "translations")
    return gettext.translation(DOMAIN, folder, languages=[KOREAN], fallback=True)


def _first_language_of_macos() -> str:
    """Return the first language of the system's settings; a program started at login has no locale in its
    environment."""
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
