"""Write `settings.toml`: one value at a time, leaving comments and everything else as they are."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time

from tray_app.core.errors import SettingsError, StoreError
from tray_app.core.language import msg
from tray_app.core.profile import DEFAULT, normalized
from tray_app.settings.document import cache_document, lines_of, misnamed, read_document, read_text
from tray_app.settings.places import default_data_dir, settings_file
from tray_app.system.atomic_replace import replace_file
from tray_app.system.file_lock import try_lock
from tray_app.system.private_files import open_private, reason_of
from tray_app.system.private_folders import make_folder
from tray_app.system.user_folders import real_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any

    from tomlkit import TOMLDocument
    from tomlkit.items import Table

    from tray_app.settings.load import Settings

_UNWRITABLE = msg("{path} cannot be changed ({reason}). Correct that, then try again.")
_NO_SECTION = msg("{path} has no profile {profile}. Enter its app key to set it up, or choose another profile.")
_PATIENCE_SECONDS = 5.0
_PAUSE_SECONDS = 0.01


def save_setting(
    name: str,
    value: object,
    profile: str = DEFAULT,
    environ: Mapping[str, str] = os.environ,
    *,
    creates_section: bool = True,
) -> None:
    """Write one setting, as its kind writes it; for another profile than the default in `[profiles.NAME]`.

    Raises `SettingsError` when the file is damaged or cannot be written; it is then left as it was. Without
    `creates_section` it raises that for a profile without a section too: one that was removed would come back without
    its mode, as an account for real trading.
    """

    def save(document: TOMLDocument) -> bool:
        import tomlkit

        section: TOMLDocument | Table = document
        if profile != DEFAULT:
            profiles = document.setdefault("profiles", tomlkit.table(is_super_table=True))
            spelled = _as_spelled(profile, profiles)
            if not creates_section and spelled not in profiles:
                raise no_section(profile, environ)
            section = profiles.setdefault(spelled, tomlkit.table())
        section[name] = value
        return True

    _change(save, environ)


def unset_setting(name: str, profile: str = DEFAULT, environ: Mapping[str, str] = os.environ) -> bool:
    """Remove one setting from the file, so that its default applies again; return True if it was there.

    Raises `SettingsError` like `save_setting`.
    """

    def unset(document: TOMLDocument) -> bool:
        profiles: Any = document.get("profiles", {})
        section = document if profile == DEFAULT else profiles.get(_as_spelled(profile, profiles), {})
        return section.pop(name, None) is not None

    return _change(unset, environ)


def no_section(profile: str, environ: Mapping[str, str] = os.environ) -> SettingsError:
    """Return the error of changing a profile that the file does not have."""
    return SettingsError(_NO_SECTION, path=settings_file(environ), profile=profile)


def check_changeable(environ: Mapping[str, str] = os.environ) -> None:
    """Raise the `SettingsError` that a change of the file would meet, because it is damaged or another's."""
    _change(lambda _: False, environ)


def _as_spelled(profile: str, profiles: Iterable[str]) -> str:
    """Return the profile's name as the file spells it, see `normalized`."""
    return next((name for name in profiles if normalized(name) == profile), profile)


def _change(change: Callable[[TOMLDocument], bool], environ: Mapping[str, str]) -> bool:
    """Write the file if `change` returns True for having changed something; return the same."""
    from tomlkit.exceptions import TOMLKitError

    path = settings_file(environ)
    try:
        target = _target_of(path)
        make_folder(os.path.dirname(target))
        with _alone(target):
            document = _parsed(path)
            changed = change(document)
            if changed:
                _replace(target, _checked(document))
                cache_document(target)
            return changed
    except SettingsError as error:
        failure = error.again()
    except StoreError as error:
        failure = SettingsError(_UNWRITABLE, path=path, reason=error.values["reason"])
    except OSError as error:
        failure = SettingsError(_UNWRITABLE, path=path, reason=reason_of(error))
    except UnicodeEncodeError:
        failure = SettingsError(
            msg("This name has characters that cannot be written to {path}. Choose another one."), path=path
        )
    except (TOMLKitError, ValueError, AttributeError, TypeError, RecursionError):
        failure = _damaged(path)
    raise failure  # outside of the handlers: the parser's message repeats the file


def _parsed(path: str) -> TOMLDocument:
    """Return what the file says; nothing without one, unless another file was meant: then raise its `SettingsError`."""
    import tomlkit

    try:
        text = read_text(path)
    except FileNotFoundError:
        problem = misnamed(path)
        if problem is not None:
            raise problem from None
        text = ""
    if "\r" in text.replace("\r\n", ""):
        text = "\n".join(lines_of(text))  # TOML knows no lone CRs
    # WORKAROUND: tomlkit (0.15) appends to a dotted key in the last line, if that has no end, on that line. Delete once
    # tomlkit ends that line first.
    return tomlkit.parse(text + "\n" if text and not text.endswith("\n") else text)


def _target_of(path: str) -> str:
    """Return where the file really is: a linked one stays linked. Raises `OSError` for a link that leads nowhere."""
    if not os.path.islink(path):
        return path
    target = real_path(path)
    if not os.path.exists(target):
        raise OSError(errno.ENOENT, msg("a link that leads nowhere"))
    return target


def _damaged(path: str) -> SettingsError:
    """Return the error of a file that cannot be read, as reading it gives it."""
    for problem in read_document(path).problems:
        return problem
    return SettingsError(
        msg("{path} cannot be changed here as it is written. Is there a value where a section belongs? Use an editor."),
        path=path,
    )


@contextlib.contextmanager
def _alone(path: str) -> Iterator[None]:
    """Lock the file against our other programs, so that each has read what the one before it wrote.

    Where files cannot be locked, or the lock is held for too long, the change is made all the same.
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


def _checked(document: TOMLDocument) -> str:
    """Return the text of the document if it says what the document does. Raises `ValueError`: a damaged file would keep
    every program from starting."""
    import tomllib

    import tomlkit

    text = tomlkit.dumps(document)
    if tomllib.loads(text) != document.unwrap():
        raise ValueError
    return text


def _replace(path: str, text: str) -> None:
    """Write the new file: for its owner alone, or with the access rights of the old one."""
    mode = 0o600
    with contextlib.suppress(FileNotFoundError):
        mode = stat.S_IMODE(os.stat(path).st_mode)
    replace_file(path, text.encode(), mode=mode)


def choose_data_dir(settings: Settings) -> Settings:
    """Return the settings with a data folder: if nobody chose one, this checkout's `data/` when run from one, else the
    user's data folder. Writes nothing."""
    return settings if settings.has_own_data_dir else settings.replace(data_dir=default_data_dir())


def settle_data_dir(settings: Settings, environ: Mapping[str, str] = os.environ) -> Settings:
    """Return the same as `choose_data_dir`, and write the choice for all tools of the machine.

    Raises `SettingsError`.
    """
    if settings.has_own_data_dir:
        return settings
    settled = choose_data_dir(settings).replace(has_own_data_dir=True)
    save_setting("data_dir", settled.data_dir, environ=environ)
    return settled
