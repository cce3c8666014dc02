"""Writing `settings.toml`: one value at a time, comments and everything else kept."""

from __future__ import annotations

import contextlib
import os

from tray_app.core.errors import SettingsError
from tray_app.core.language import msg
from tray_app.core.profile import DEFAULT
from tray_app.core.sharing import patiently
from tray_app.settings.document import read_document
from tray_app.settings.places import checkout_data_dir, settings_file, user_data_dir

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from tomlkit import TOMLDocument
    from tomlkit.items import Table

    from tray_app.settings.load import Settings


def save_setting(name: str, value: object, profile: str = DEFAULT, environ: Mapping[str, str] = os.environ) -> None:
    """Keeps one setting, as its kind writes it; for another profile than the default in `[profiles.NAME]`.

    Raises `SettingsError` when the file is damaged or cannot be written; it is then left as it was.
    """

    def save(document: TOMLDocument) -> bool:
        import tomlkit

        section: TOMLDocument | Table = document
        if profile != DEFAULT:
            profiles = document.setdefault("profiles", tomlkit.table(is_super_table=True))
            section = profiles.setdefault(profile, tomlkit.table())
        section[name] = value
        return True

    _change(save, environ)


def unset_setting(name: str, profile: str = DEFAULT, environ: Mapping[str, str] = os.environ) -> bool:
    """Takes one setting out of the file, so that its default counts again; tells whether it was there.

    Raises `SettingsError` like `save_setting`.
    """

    def unset(document: TOMLDocument) -> bool:
        section: Any = document if profile == DEFAULT else document.get("profiles", {}).get(profile, {})
        return section.pop(name, None) is not None

    return _change(unset, environ)


def _change(change: Callable[[TOMLDocument], bool], environ: Mapping[str, str]) -> bool:
    """Writes the file if `change` says that it changed something, and passes that on."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    path = settings_file(environ)
    try:
        try:
            with patiently(lambda: open(path, encoding="utf-8-sig")) as file:
                document = tomlkit.parse(file.read())
        except FileNotFoundError:
            document = tomlkit.document()
        changed = change(document)
        if changed:
            _replace(os.path.realpath(path), tomlkit.dumps(document))  # a linked file stays linked
    except TOMLKitError as error:
        raise _damaged(path, error) from None
    except (OSError, ValueError, AttributeError, TypeError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SettingsError(msg("{path} cannot be changed ({reason})."), path=path, reason=reason) from None
    return changed


def _damaged(path: str, error: Exception) -> SettingsError:
    """Names the line as the reader of the file does; what stands there is not repeated."""
    for problem in read_document(path).problems:
        values: dict[str, Any] = problem.values
        if "key" in values:
            return SettingsError(
                msg("{path} cannot be changed, because line {line} is not TOML: {key} ({reason}). Mend it first."),
                **values,
            )
    return SettingsError(msg("{path} cannot be changed ({reason})."), path=path, reason=str(error))


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


def choose_data_dir(settings: Settings) -> None:
    """Where nobody chose a data folder, this checkout's `data/` when run from one, else the user's. Keeps nothing."""
    if not settings.has_own_data_dir:
        settings.data_dir = checkout_data_dir() or user_data_dir()


def settle_data_dir(settings: Settings, environ: Mapping[str, str] = os.environ) -> None:
    """Where nobody chose a data folder, chooses one for all tools of the machine and keeps it.

    Raises `SettingsError`.
    """
    if not settings.has_own_data_dir:
        choose_data_dir(settings)
        save_setting("data_dir", settings.data_dir, environ=environ)
        settings.has_own_data_dir = True
