"""Writing `settings.toml`: one value at a time, comments and everything else kept."""

from __future__ import annotations

import contextlib
import os

from tray_app.core.errors import SettingsError
from tray_app.core.language import msg
from tray_app.core.profile import DEFAULT
from tray_app.core.sharing import patiently
from tray_app.settings.places import SETTINGS_FILE, checkout_data_dir, config_dir, user_data_dir

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from tray_app.settings.load import Settings


def save_setting(name: str, value: object, profile: str = DEFAULT, environ: Mapping[str, str] = os.environ) -> None:
    """Keeps one setting; for another profile than the default in `[profiles.NAME]`.

    Raises `SettingsError` when the file is damaged or cannot be written; it is then left as it was.
    """
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    path = os.path.join(config_dir(environ), SETTINGS_FILE)
    try:
        try:
            with patiently(lambda: open(path, encoding="utf-8-sig")) as file:
                document = tomlkit.parse(file.read())
        except FileNotFoundError:
            document = tomlkit.document()
        section: tomlkit.TOMLDocument | tomlkit.items.Table = document
        if profile != DEFAULT:
            profiles = document.setdefault("profiles", tomlkit.table(is_super_table=True))
            section = profiles.setdefault(profile, tomlkit.table())
        section[name] = value
        _replace(os.path.realpath(path), tomlkit.dumps(document))  # a linked file stays linked
    except (OSError, ValueError, TOMLKitError, AttributeError, TypeError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SettingsError(msg("{path} cannot be changed ({reason})."), path=path, reason=reason) from None


def _replace(path: str, text: str) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    new = f"{path}.{os.getpid()}.new"
    try:
        with open(new, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        patiently(lambda: os.replace(new, path))
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(new)
        raise


def settle_data_dir(settings: Settings, environ: Mapping[str, str] = os.environ) -> None:
    """Where nobody chose a data folder, chooses one for all tools of the machine and keeps it.

    This checkout's `data/` when run from one, else the user's data folder. Raises `SettingsError`.
    """
    if not settings.has_own_data_dir:
        settings.data_dir = checkout_data_dir() or user_data_dir()
        save_setting("data_dir", settings.data_dir, environ=environ)
        settings.has_own_data_dir = True
