"""Where things lie on disk. Functions of the environment; nothing here makes a folder."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

APP_NAME = "kiwoom-token-tray"
SETTINGS_FILE = "settings.toml"


def config_dir(environ: Mapping[str, str]) -> str:
    """The folder of `settings.toml`: `KIWOOM_TRAY_CONFIG_DIR`, else the user's configuration folder."""
    named = environ.get("KIWOOM_TRAY_CONFIG_DIR")
    if named:
        return os.path.abspath(os.path.expanduser(named))
    import platformdirs

    return platformdirs.user_config_dir(APP_NAME, appauthor=False, roaming=True)


def settings_file(environ: Mapping[str, str]) -> str:
    return os.path.join(config_dir(environ), SETTINGS_FILE)


def settings_scope(environ: Mapping[str, str]) -> str:
    """What tells programs apart that live by other settings: stays the same when the settings change."""
    data_dir = environ.get("KIWOOM_TRAY_DATA_DIR")
    return "\n".join([config_dir(environ), os.path.abspath(os.path.expanduser(data_dir)) if data_dir else ""])


def state_dir() -> str:
    """The folder of locks and change signals for tokens that do not rest in a file."""
    import platformdirs

    return platformdirs.user_state_dir(APP_NAME, appauthor=False)


def user_data_dir() -> str:
    """The data folder of an installed program that nobody told another."""
    import platformdirs

    return platformdirs.user_data_dir(APP_NAME, appauthor=False)


def checkout_data_dir() -> str | None:
    """This checkout's `data/`, when the program runs from one."""
    top = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    return os.path.join(top, "data") if os.path.isfile(os.path.join(top, "pyproject.toml")) else None


def default_data_dir() -> str:
    """The data folder where nobody chose one."""
    return checkout_data_dir() or user_data_dir()


def sandbox_dir(environ: Mapping[str, str]) -> str:
    """The folder of everything that practising leaves behind, inside the data folder that would be used."""
    return os.path.join(environ.get("KIWOOM_TRAY_DATA_DIR") or default_data_dir(), "sandbox")


def token_file(data_dir: str, profile: str) -> str:
    """`<data>/.token` for the default profile, else `<data>/<profile>.token`."""
    from tray_app.core.profile import DEFAULT

    return os.path.join(data_dir, ".token" if profile == DEFAULT else f"{profile}.token")
