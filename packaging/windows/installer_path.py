"""Adds the program's folder to the user's PATH, and takes it out again: `kiwoom-token --path add|remove`.

The installer calls it. NSIS itself cuts a long PATH off after 1,023 characters.
"""

from __future__ import annotations

import os
import sys

_LONGEST = 32767
"""How many characters an environment variable may have."""


def run(order: str, folder: str) -> int:
    """Change the PATH in the registry; return 0, or 1 when it cannot be changed and was left as it is."""
    import winreg

    try:
        with winreg.CreateKeyEx(
            winreg.HKEY_CURRENT_USER, "Environment", 0, winreg.KEY_READ | winreg.KEY_SET_VALUE
        ) as key:
            try:
                value, kind = winreg.QueryValueEx(key, "Path")
            except FileNotFoundError:
                value, kind = "", winreg.REG_EXPAND_SZ
            if not isinstance(value, str) or kind not in {winreg.REG_SZ, winreg.REG_EXPAND_SZ}:
                return 1
            changed = with_folder(value, folder) if order == "add" else without_folder(value, folder)
            if changed == value:
                return 0
            if len(changed) > _LONGEST:
                return 1
            if changed:
                winreg.SetValueEx(key, "Path", 0, kind, changed)
            else:
                winreg.DeleteValue(key, "Path")
    except OSError:
        return 1
    _tell_everybody()
    return 0


def with_folder(path: str, folder: str) -> str:
    """Return PATH with the folder at its end, unless it is there already; what was there stays as it was written."""
    if any(_is_same(one, folder) for one in path.split(";")):
        return path
    separator = ";" if path and not path.endswith(";") else ""
    return f"{path}{separator}{folder}"


def without_folder(path: str, folder: str) -> str:
    """Return PATH without the folder, wherever it stands in it."""
    if not any(_is_same(one, folder) for one in path.split(";")):
        return path
    return ";".join(one for one in path.split(";") if not _is_same(one, folder))


def _is_same(one: str, folder: str) -> bool:
    one = os.path.expandvars(one.strip().strip('"'))
    return one.rstrip("\\/").lower() == folder.rstrip("\\/").lower()


def _tell_everybody() -> None:
    """Let the shell read the environment again, so that terminals opened from now on have the new PATH."""
    if sys.platform == "win32":
        import ctypes

        to_all, settings_changed, abort_if_hung = 0xFFFF, 0x1A, 2
        send = ctypes.windll.user32.SendMessageTimeoutW
        send(to_all, settings_changed, 0, "Environment", abort_if_hung, 2000, None)
