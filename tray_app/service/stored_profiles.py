"""The profiles that may have a token here: those of the settings, and those that were used without being in them."""

from __future__ import annotations

import contextlib
import os

from tray_app.core.errors import StoreError
from tray_app.core.profile import DEFAULT, is_profile
from tray_app.settings.load import known_profiles, load_settings, profile_name
from tray_app.settings.places import shared_state_dir

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MARKERS = (".redis.signal", ".signal")
"""What a store outside the data folder leaves beside its lock for each profile; the longer one first."""

_TOKEN = ".token"  # noqa: S105 - the end of a file's name


def profiles_with_tokens(environ: Mapping[str, str] = os.environ) -> list[str]:
    """Return every profile that may have a token, the default one first. Asks no keyring: none can list its entries."""
    names = [DEFAULT, profile_name(None, environ), *known_profiles(environ)]
    for file in _names_in(shared_state_dir(environ)):
        suffix = next(filter(file.endswith, _MARKERS), "")
        names.append(file.removesuffix(suffix) if suffix else "")
    settings = load_settings(DEFAULT, environ)
    if "data_dir" not in settings.unknown:
        for file in _names_in(settings.data_dir):
            name, found, _ = file.rpartition(_TOKEN)
            names.append((name or DEFAULT) if found else "")
    return [name for name in dict.fromkeys(names) if is_profile(name)]


def _names_in(folder: str) -> Iterator[str]:
    with contextlib.suppress(OSError, StoreError):
        yield from sorted(os.listdir(folder))
