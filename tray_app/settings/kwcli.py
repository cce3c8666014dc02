"""`kiwoomcli`'s own settings: the account aliases it knows, each real or mock.

Source: kwcli 1.0.3, `kiwoom/core/profiles.py`. Its file is
`platformdirs.user_config_dir("kiwoom")/settings.json`:
`{"profiles": {"ALIAS": {"mode": "real"}}, "current_profile": "ALIAS"}`.
"""

from __future__ import annotations

import os

from tray_app.core import logs
from tray_app.core.errors import SettingsError
from tray_app.core.language import msg
from tray_app.core.lean import load_json, text_digest
from tray_app.core.profile import normalized
from tray_app.settings.places import kwcli_config_dir
from tray_app.settings.table import MODES
from tray_app.system.atomic_replace import replace_file
from tray_app.system.private_files import read_regular, reason_of, why_unreachable
from tray_app.system.private_folders import make_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

APP_NAME = "kiwoom"
_MAX_BYTES = 1_000_000


def settings_path() -> str:
    """Return the path of `kiwoomcli`'s settings."""
    return os.path.join(kwcli_config_dir(), "settings.json")


def alias_digest(alias: str) -> str:
    """Return the 16 hex digits by which `kiwoomcli` names an alias in the keyring and in its cache.

    It uses the letters as typed at `kiwoomcli setup`, which may be spelled differently from ours.
    """
    as_typed = alias if alias.isascii() else next((one for one in _profiles() if normalized(one) == alias), alias)
    return text_digest(as_typed)[:16]


def aliases() -> dict[str, str]:
    """Return the mode, `real` or `demo`, of each usable alias. With a damaged file there are none."""
    return {normalized(alias): mode for alias, mode in _profiles().items() if mode is not None}


def modes() -> dict[str, str]:
    """Return the mode, `real` or `demo`, of each alias. Without a file there are none.

    Raises `SettingsError` when the file cannot be read, or has a mode that is neither of the two.
    """
    found = _read_profiles()
    if None in found.values():
        raise _damaged()
    return {normalized(alias): mode for alias, mode in found.items() if mode is not None}


def _profiles() -> dict[str, str | None]:
    try:
        return _read_profiles()
    except SettingsError as error:
        logs.warning("%s", error)
        return {}


def _read_profiles() -> dict[str, str | None]:
    """Return the modes by alias, as `kiwoomcli` spells it; None for a mode that is neither `real` nor `demo`."""
    profiles = _read().get("profiles", {})
    if not isinstance(profiles, dict):
        raise _damaged()
    return {
        alias: fields["mode"] if isinstance(fields, dict) and fields.get("mode") in MODES else None
        for alias, fields in profiles.items()
    }


def keep_alias(alias: str, mode: str) -> None:
    """Add an alias to `kiwoomcli`'s settings, which becomes its default where it has no other. The rest of the file
    stays.

    Raises `SettingsError` when the file is damaged or cannot be written; it is then left as it was.
    """
    import json

    fields = _read()
    profiles = fields.get("profiles")
    profiles = dict(profiles) if isinstance(profiles, dict) else {}
    alias = next((one for one in profiles if normalized(one) == alias), alias)
    if profiles.get(alias) == {"mode": mode}:
        return
    profiles[alias] = {"mode": mode}
    fields["profiles"] = profiles
    # Another current alias stays: a login here must not move kiwoomcli's next order to another account.
    fields.setdefault("current_profile", alias)
    path = settings_path()
    try:
        make_folder(os.path.dirname(path))
        replace_file(path, json.dumps(fields, ensure_ascii=True, indent=2).encode())
    except OSError as error:
        raise SettingsError(
            msg("{path} cannot be changed ({reason}). Correct that, then try again."),
            path=path,
            reason=reason_of(error),
        ) from None


def _read() -> dict[str, Any]:
    path = settings_path()
    try:
        content, _ = read_regular(path, _MAX_BYTES)
    except (FileNotFoundError, NotADirectoryError):
        reason = why_unreachable(path)
        if not reason:
            return {}
        raise SettingsError(msg("{path} cannot be read ({reason})."), path=path, reason=reason) from None
    except OSError as error:
        raise SettingsError(msg("{path} cannot be read ({reason})."), path=path, reason=reason_of(error)) from None
    try:
        fields = load_json(content)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise _damaged()
    return fields


def _damaged() -> SettingsError:
    message = msg("{path} is damaged. Repair it, or move it away and run: kiwoomcli setup")
    return SettingsError(message, path=settings_path())
