"""Profile names: what `kiwoomcli` takes as an account alias, less what a file name cannot hold."""

from __future__ import annotations

from tray_app.core.errors import InvalidInput
from tray_app.core.language import msg

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

DEFAULT = "default"
MODE_NAMES = {"real": msg("real trading"), "demo": msg("mock trading")}
MAX_CHARACTERS = 64
_MAX_BYTES = 200
"""A file name has 255, and the lock's and the temporary file's names are longer than the profile's."""

_EXTRA_CHARACTERS = " ._-"
_WINDOWS_DEVICES = frozenset(
    ["con", "prn", "aux", "nul", *(f"com{n}" for n in range(1, 10)), *(f"lpt{n}" for n in range(1, 10))]
)


def normalized(name: str) -> str:
    """Return the one spelling of names that look alike: macOS splits the letters of 홍길동, other systems do not."""
    if name.isascii():
        return name
    from unicodedata import normalize

    return normalize("NFC", name)


def check_profile(name: str) -> str:
    """Return the name as `normalized` spells it. Raises `InvalidInput` when it cannot name an account and its files."""
    name = normalized(name)
    fits = (
        0 < len(name) <= MAX_CHARACTERS
        and len(name.encode(errors="replace")) <= _MAX_BYTES
        and all(one.isalpha() or one.isdecimal() or one in _EXTRA_CHARACTERS for one in name)
        and name == name.strip()
        and not name.startswith(".")
        and not name.endswith(".")
        and name.partition(".")[0].rstrip().lower() not in _WINDOWS_DEVICES
    )
    if not fits:
        raise InvalidInput(
            msg("This profile name cannot be used. Use 1 to {limit} letters, digits, spaces, '.', '_' or '-'."),
            limit=MAX_CHARACTERS,
        )
    return name


def is_profile(name: str) -> bool:
    """Return True if `check_profile` accepts the name."""
    try:
        check_profile(name)
    except InvalidInput:
        return False
    return True


def command_line(arguments: str, profile: str) -> str:
    """Return the `kiwoom-token` command with these arguments for a profile, as it is typed in any system's shell."""
    if profile == DEFAULT:
        return f"kiwoom-token {arguments}"
    named = f'"{profile}"' if " " in profile else profile
    return f"kiwoom-token {arguments} --profile{'=' if profile.startswith('-') else ' '}{named}"


def case_conflict(name: str, known: Iterable[str]) -> str:
    """Return the first `known` profile before `name` itself that differs from it in upper and lower case alone, or an
    empty text. Some file systems, and Windows' vault, would store both in one place."""
    lower = name.lower()
    first = next((one for one in known if one.lower() == lower), name)
    return "" if first == name else first
