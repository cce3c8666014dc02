"""Where files are stored. Functions of the environment; nothing here creates a folder."""

from __future__ import annotations

import os
import sys

from tray_app.core.errors import SettingsError
from tray_app.core.language import msg
from tray_app.core.pasted import variable
from tray_app.system.user_folders import account_home, home, private_temporary_folder, real_path, typed_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

APP_NAME = "kiwoom-token-tray"
SETTINGS_FILE = "settings.toml"
_HOMES = ("HOME", "XDG_STATE_HOME")
_OF_A_TOKEN = (".token", ".token.ending", ".token.lock", ".token.owner")


def config_dir(environ: Mapping[str, str]) -> str:
    """Return the folder of `settings.toml`: `KIWOOM_TRAY_CONFIG_DIR`, else the user's configuration folder. Raises
    `SettingsError` for a variable with which nothing can be done."""
    named = _named_folder(environ, "KIWOOM_TRAY_CONFIG_DIR")
    if named:
        return named
    return os.path.join(_user_folder("XDG_CONFIG_HOME", ".config", "APPDATA"), APP_NAME)


def settings_file(environ: Mapping[str, str]) -> str:
    """Return the path of `settings.toml`, which need not exist."""
    return os.path.join(config_dir(environ), SETTINGS_FILE)


def settings_scope(environ: Mapping[str, str]) -> str:
    """Return what programs with the same settings have in common; it stays the same when the settings change."""
    return "\n".join([config_dir(environ), _named_folder(environ, "KIWOOM_TRAY_DATA_DIR")])


def shared_state_dir(environ: Mapping[str, str] = os.environ) -> str:
    """Return the folder of locks and change markers for tokens that are not stored in a file.

    They guard the user's one keyring, so the folder is the same for all programs of the user, wherever a terminal from
    a snap or Flatpak points HOME and XDG_STATE_HOME: `KIWOOM_TRAY_STATE_DIR`, else a folder in the `account_home`, else
    one in the temporary folder that only this user can write to. Raises `StoreError` if that is another user's, and
    `SettingsError` as `config_dir` does.
    """
    named = _named_folder(environ, "KIWOOM_TRAY_STATE_DIR")
    if named:
        return named
    if sys.platform == "win32":
        from tray_app.system.windows_folders import local_app_data

        return os.path.join(local_app_data(), APP_NAME)
    folder = account_home()
    if not folder:
        return private_temporary_folder()
    return os.path.join(folder, "Library/Application Support" if sys.platform == "darwin" else ".local/state", APP_NAME)


def state_dir() -> str:
    """Return the folder of logs and of other files that belong to this installation alone."""
    return os.path.join(_user_folder("XDG_STATE_HOME", ".local/state", "LOCALAPPDATA"), APP_NAME)


def toml_cache_file() -> str:
    """Return the file with what was read from `settings.toml`; empty for a user without a home."""
    has_home = sys.platform == "win32" or any(os.path.isabs(os.environ.get(one, "")) for one in _HOMES)
    return os.path.join(state_dir(), "settings.json") if has_home else ""


def user_data_dir() -> str:
    """Return the data folder of an installed program for which nobody chose another."""
    return os.path.join(_user_folder("XDG_DATA_HOME", ".local/share", "LOCALAPPDATA"), APP_NAME)


def checkout_data_dir() -> str | None:
    """Return this checkout's `data/` when the program runs from one, else None."""
    top = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    return os.path.join(top, "data") if os.path.isfile(os.path.join(top, "pyproject.toml")) else None


def default_data_dir() -> str:
    """Return the data folder where nobody chose one."""
    return checkout_data_dir() or user_data_dir()


def sandbox_dir(environ: Mapping[str, str]) -> str:
    """Return the folder of everything that the sandbox leaves behind, inside the data folder that would be used."""
    return os.path.join(_named_folder(environ, "KIWOOM_TRAY_DATA_DIR") or default_data_dir(), "sandbox")


def token_file(data_dir: str, profile: str) -> str:
    """Return `<data>/.token` for the default profile, else `<data>/<profile>.token`."""
    from tray_app.core.profile import DEFAULT

    return os.path.join(data_dir, ".token" if profile == DEFAULT else f"{profile}.token")


def is_token_file(path: str, data_dir: str) -> bool:
    """Return True if the token of some profile, or what belongs to it, may be stored under that name."""
    folder, name = os.path.split(real_path(path))
    return is_same_path(folder, data_dir) and _name(name).endswith(_OF_A_TOKEN)


def is_same_path(one: str, other: str) -> bool:
    """Return True if both paths lead to the same place, as this system compares names; nothing has to exist there."""
    return _name(real_path(one)) == _name(real_path(other))


def kwcli_config_dir() -> str:
    """Return the folder of `kiwoomcli`'s settings: `platformdirs.user_config_dir("kiwoom")`."""
    name = os.path.join("kiwoom", "kiwoom") if sys.platform == "win32" else "kiwoom"
    return os.path.join(_user_folder("XDG_CONFIG_HOME", ".config", "LOCALAPPDATA"), name)


def _named_folder(environ: Mapping[str, str], name: str) -> str:
    """Return the absolute path of the folder that the variable names; empty without one."""
    text = variable(environ, name)
    if not text:
        return ""
    try:
        return os.path.abspath(typed_path(text, msg("the path of a folder")))
    except OSError:
        problem = SettingsError(
            msg("{where} must be an absolute path: the folder that this was started in is gone."), where=name
        )
    except ValueError as error:
        problem = SettingsError(msg("{where} cannot be used. It takes: {expected}"), where=name, expected=str(error))
    raise problem


def _name(path: str) -> str:
    return path.casefold() if sys.platform == "darwin" else os.path.normcase(path)


def _user_folder(xdg_variable: str, below_home: str, windows_variable: str) -> str:
    """Return where `platformdirs` would put our folder, without it: its import takes longer than all of `get`."""
    if sys.platform == "win32":
        return os.environ.get(windows_variable) or _known_folder(windows_variable)
    named = os.environ.get(xdg_variable, "")
    if os.path.isabs(named):
        return named
    return os.path.join(home(), "Library/Application Support" if sys.platform == "darwin" else below_home)


def _known_folder(variable: str) -> str:
    """Return the folder that Windows itself names, for a program that was started without the user's environment."""
    import platformdirs

    return platformdirs.user_data_dir(roaming=variable == "APPDATA")
