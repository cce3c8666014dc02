"""Writing `settings.toml`: one value at a time, comments and everything else kept."""

from __future__ import annotations

import contextlib
import os
import stat
import time

from tray_app.core.errors import SettingsError
from tray_app.core.language import msg
from tray_app.core.profile import DEFAULT
from tray_app.settings.document import read_document, read_text
from tray_app.settings.places import default_data_dir, settings_file
from tray_app.system.file_lock import try_lock
from tray_app.system.sharing_violation import retry_sharing_violation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    from tomlkit import TOMLDocument
    from tomlkit.items import Table

    from tray_app.settings.load import Settings

_PATIENCE_SECONDS = 5.0
_PAUSE_SECONDS = 0.01
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_BINARY = getattr(os, "O_BINARY", 0)


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
    target = os.path.realpath(path)  # a linked file stays linked
    try:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with _alone(target):
            try:
                document = tomlkit.parse(read_text(path))
            except FileNotFoundError:
                document = tomlkit.document()
            changed = change(document)
            if changed:
                _replace(target, tomlkit.dumps(document))
            return changed
    except OSError as error:
        failure = SettingsError(
            msg("{path} cannot be changed ({reason})."), path=path, reason=error.strerror or type(error).__name__
        )
    except (TOMLKitError, ValueError, AttributeError, TypeError, RecursionError):
        failure = _damaged(path)
    raise failure  # outside of the handlers: what the parser says repeats the file


def _damaged(path: str) -> SettingsError:
    """What is wrong with the file, in the words of its reader."""
    for problem in read_document(path).problems:
        return problem
    return SettingsError(
        msg("{path} cannot be changed, because something stands where a section belongs. Mend it first."), path=path
    )


@contextlib.contextmanager
def _alone(path: str) -> Iterator[None]:
    """No other program of ours changes the file meanwhile: each has read what the one before it wrote.

    Where there are no locks, or one is held for too long, the change is made all the same.
    """
    try:
        descriptor = os.open(path + ".lock", os.O_RDWR | os.O_CREAT | _NOFOLLOW | _BINARY, 0o600)
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
    """The new file is its owner's alone, or open to whom the old one was."""
    new = path + ".new"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(new)
    try:
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NOFOLLOW | _BINARY, 0o600), "wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileNotFoundError):
            os.chmod(new, stat.S_IMODE(os.stat(path).st_mode))
        retry_sharing_violation(lambda: os.replace(new, path))
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(new)
        raise


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
