"""What `settings.toml` says, kept as JSON: a TOML parser would take a quarter of the time of `kiwoom-token get`.

An entry counts for just the text that it was made of, so it cannot say anything else. Without the file, with a damaged
one, or for another text, TOML itself is read.
"""

from __future__ import annotations

import contextlib

from tray_app.core.errors import StoreError
from tray_app.core.lean import load_json, sha256
from tray_app.core.secret import Secret
from tray_app.settings.places import toml_cache_file
from tray_app.settings.table import TABLE
from tray_app.system.atomic_replace import write_private
from tray_app.system.private_files import read_private

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_MAX_BYTES = 200_000
_KEPT = 4
"""Texts: a trader has one settings file, and the practice server one of its own."""


def load_toml(text: str) -> dict[str, Any]:
    """Return what the text says in TOML. Raises `ValueError` and `RecursionError`, as `tomllib.loads` does."""
    path = toml_cache_file()
    cached = _read(path).get(_name_of(text)) if path else None
    if isinstance(cached, dict):
        return cached
    import tomllib

    return tomllib.loads(text)


def cache_toml(text: str) -> None:
    """Keep what the text says, if all of it is settings. Raises nothing: without it, TOML is read each time.

    This is for programs that change the settings or follow them. Those that only read write nothing.
    """
    path, name = toml_cache_file(), _name_of(text)
    entries = _read(path) if path else {}
    if not path or name in entries:
        return
    import json
    import tomllib

    # Not in JSON: a date, infinity.
    with contextlib.suppress(StoreError, TypeError, ValueError, RecursionError):
        fields = tomllib.loads(text)
        kept = {**dict(list(entries.items())[1 - _KEPT :]), name: fields}
        content = json.dumps(kept, allow_nan=False).encode()
        if _is_all_understood(fields) and len(content) <= _MAX_BYTES:
            write_private(path, content, survives_power_cut=False)


def _name_of(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _read(path: str) -> dict[str, Any]:
    try:
        found = read_private(path, _MAX_BYTES)
        entries = {} if found is None else load_json(found[0])
    except (StoreError, ValueError, RecursionError):
        return {}
    return entries if isinstance(entries, dict) else {}


def _is_all_understood(fields: dict[str, Any]) -> bool:
    """Return True unless there is a name or a value that is no setting's: it may be a key that was pasted into the
    wrong place, and is not copied. Neither is the address of Redis, which may have a password."""
    others = {name: value for name, value in fields.items() if name != "profiles"}
    profiles = fields.get("profiles", {})
    try:
        for section in (others, *profiles.values()):
            for name, value in section.items():
                if isinstance(TABLE[name].kind.read(value), Secret):
                    return False
    except (AttributeError, KeyError, ValueError, StoreError):
        return False
    return True
