"""Writing `settings.toml`: one value at a time, comments and everything else kept."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time

from tray_app.core.errors import SettingsError
from tray_app.core.language import msg
from tray_app.core.profile import DEFAULT
from tray_app.settings.document import read_document, read_text
from tray_app.settings.places import default_data_dir, settings_file
from tray_app.system.file_lock import try_lock
from tray_app.system.private_files import make_folder, open_private, reason_of, replace_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    from tomlkit import TOMLDocument
    from tomlkit.items import Table

    from tray_app.settings.load import Settings

_PATIENCE_SECONDS = 5.0
_PAUSE_SECONDS = 0.01


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
        target = _target_of(path)
        make_folder(os.path.dirname(target))
        with _alone(target):
            try:
                document = tomlkit.parse(read_text(path))
            except FileNotFoundError:
                document = tomlkit.document()
            changed = change(document)
            if changed:
                _replace(target, tomlkit.dumps(document))
    except TOMLKitError as error:
        raise _damaged(path, error) from None
    except (OSError, ValueError, AttributeError, TypeError, RecursionError) as error:
        reason = reason_of(error) if isinstance(error, OSError) else str(error)
        raise SettingsError(msg("{path} cannot be changed ({reason})."), path=path, reason=reason) from None
    return changed


def _target_of(path: str) -> str:
    """Return where the file is: a linked one stays linked. Raises `OSError` for a link that leads nowhere."""
    if not os.path.islink(path):
        return path
    target = os.path.realpath(path)
    if not os.path.exists(target):
        raise OSError(errno.ENOENT, msg("a link that leads nowhere"))
    return target


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


@contextlib.contextmanager
def _alone(path: str) -> Iterator[None]:
    """No other program of ours changes the file meanwhile: each has read what the one before it wrote.

    Where there are no locks, or one is held for too long, the change is made all the same.
    """
    try:
        descriptor = open_private(path + ".lock")
    except OSError:
        yield
        return
    try:
        end = time.monotonic() + _PATIENCE_SECONDS
        with contextlib.suppress(OSError):
            while not try_lock(descriptor) and time.monotonic() < end:
                time.sleep(_PAUSE_SECONDS)
        yield
    finally:
        os.close(descriptor)


def _replace(path: str, text: str) -> None:
    """Write the new file: its owner's alone, or open to whom the old one was."""
    mode = 0o600
    with contextlib.suppress(FileNotFoundError):
        mode = stat.S_IMODE(os.stat(path).st_mode)
    replace_file(path, text.encode(), mode=mode)


def choose_data_dir(settings: Settings) -> None:
    """Where nobody chose a data folder, this checkout's `data/` when run from one, else the user's. Keeps nothing."""
    if not settings.has_own_data_dir:
        settings.data_dir = default_data_dir()


def settle_data_dir(settings: Settings, environ: Mapping[str, str] = os.environ) -> None:
    """Where nobody chose a data folder, chooses one for all tools of the machine and keeps it.

    Raises `SettingsError`.
    """
    if not settings.has_own_data_dir:
        choose_data_dir(settings)
        save_setting("data_dir", settings.data_dir, environ=environ)
        settings.has_own_data_dir = True
