"""The user's home, also where the environment or the password database does not know one.

A container that runs as a bare user number has neither. `os.path.expanduser` then leaves the `~` as it is, and a folder
of that name would be created wherever the program runs.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys

from tray_app.core import logs
from tray_app.core.errors import InvalidInput, StoreError
from tray_app.core.language import msg
from tray_app.core.pasted import has_what_windows_forbids, is_mistyped_path, is_windows_path, unquoted

TEMPORARY_FOLDER = "/tmp"  # noqa: S108 - the same for all programs, wherever TMPDIR points; its owner is checked
RUNTIME_FOLDERS = "/run/user"
_APP_NAME = "kiwoom-token-tray"
stand_ins: list[str] = []


def account_home() -> str:
    """Return the home that all programs of this user share; empty if there is none that can be used.

    That is HOME, but this user's home in the system's password database where HOME is missing, another user's, or a
    folder inside that home, as in a snap. Root with the HOME of another user (`sudo -E`) works for that user, whose
    keyring and locks are meant.
    """
    if sys.platform == "win32":
        return ""
    named, registered = os.environ.get("HOME", ""), _registered_home()
    is_named = os.path.isabs(named) and _is_usable(named) and not is_anothers(named)
    return named if is_named and not (registered and _is_inside(named, registered)) else registered


def _registered_home() -> str:
    import pwd

    for user in (owner_of_home(), os.geteuid()):
        with contextlib.suppress(KeyError):
            folder = pwd.getpwuid(user).pw_dir
            if os.path.isabs(folder) and _is_usable(folder):
                return folder
    return ""


def home() -> str:
    """Return the user's home: HOME, else the system's own, else a private folder among the temporary ones.

    Raises `StoreError` if that folder is another user's.
    """
    if sys.platform == "win32":
        return os.path.expanduser("~")
    named = os.environ.get("HOME", "")
    return named if os.path.isabs(named) else account_home() or private_temporary_folder()


def expand_user(path: str) -> str:
    """Return the path with the home in the place of a leading `~`. Raises `StoreError` as `home` does."""
    if sys.platform != "win32" and (path == "~" or path.startswith("~/")):
        return home() + path[1:]
    return os.path.expanduser(path)


def typed_path(text: str, expected: str) -> str:
    """Return a path that somebody typed, as `unquoted` reads it and with the home in the place of a leading `~`. It may
    be relative.

    Raises `ValueError`, with the words for what is `expected`, for a path that cannot be meant as it is, which shows
    only before it is joined to a folder; and `StoreError` as `home` does.
    """
    path = expand_user(unquoted(text))
    if is_mistyped_path(path) or (os.sep == "\\" and has_what_windows_forbids(path)):
        raise ValueError(expected)
    if os.sep == "/" and is_windows_path(path):
        raise ValueError(msg("a path of this system, with / between the names and without a drive"))
    return path


def absolute_path(path: str) -> str:
    """Return the absolute path. Raises `InvalidInput` for a relative one where the working folder is gone."""
    try:
        return os.path.abspath(path)
    except OSError:
        raise InvalidInput(
            msg("{path} must be an absolute path: the folder that this was started in is gone."), path=path
        ) from None


def real_path(path: str) -> str:
    """Return the absolute path without links; with them where the system cannot follow them, as on a network drive
    that is away. Windows raises for most such drives, though nothing has to exist there."""
    try:
        return os.path.realpath(path)
    except OSError:
        return absolute_path(path)


def runtime_folder() -> str:
    """Return where systemd puts the user's runtime folder, even if it does not exist. Not on Windows."""
    return os.path.join(RUNTIME_FOLDERS, str(os.geteuid()))


def private_temporary_folder() -> str:
    """Return the folder that stands in for a home, created if it is missing; log once how to name a better one.

    It is the user's runtime folder, else one in the temporary folder. Raises `StoreError` if it cannot be made, is
    another user's or others may write to it.
    """
    from tray_app.system.private_folders import make_private_folder

    runtime = runtime_folder()
    folder = os.path.join(TEMPORARY_FOLDER, f"{_APP_NAME}-{os.geteuid()}")
    if is_private_folder(runtime) and os.access(runtime, os.W_OK | os.X_OK):
        folder = os.path.join(runtime, _APP_NAME)
    try:
        make_private_folder(folder, "KIWOOM_TRAY_STATE_DIR")
    except StoreError:
        if not os.path.lexists(folder):  # what is there instead is judged next
            raise
    if not is_private_folder(folder):
        raise StoreError(
            msg(
                "This user has no home folder, and {path} is not safe to use instead. "
                "Set {variable} to a folder of its own."
            ),
            path=folder,
            variable="KIWOOM_TRAY_STATE_DIR",
        )
    if folder not in stand_ins:
        stand_ins.append(folder)
        logs.warning("This user has no home folder: %s is used", folder)
    return folder


def stand_in_for_home() -> str:
    """Return the folder that stands in for a home in this process; empty if none has to."""
    return stand_ins[0] if stand_ins else ""


def is_anothers(folder: str) -> bool:
    """Return True if the folder belongs to another user, or would be given to one if root made it. Root with the HOME
    of a user (`sudo -E`) works for that user. Raises nothing."""
    if sys.platform == "win32":
        return False
    while os.geteuid() == 0 and not os.path.lexists(folder) and folder != os.path.dirname(folder):
        folder = os.path.dirname(folder)
    try:
        return os.stat(folder).st_uid not in {0, os.geteuid(), owner_of_home()}
    except OSError:
        return False


def owner_of_home() -> int:
    """Return the user of the folder that HOME names to root; any other user, or without a folder, this one."""
    named = os.environ.get("HOME", "")
    if os.geteuid() == 0 and os.path.isabs(named):
        with contextlib.suppress(OSError):
            return os.stat(named).st_uid
    return os.geteuid()


def _is_usable(folder: str) -> bool:
    """Return True if files can be created in the folder, or the folder itself in an existing one. A service's user may
    have a home that nobody ever created."""
    while not os.path.lexists(folder) and folder != os.path.dirname(folder):
        folder = os.path.dirname(folder)
    return os.path.isdir(folder) and os.access(folder, os.W_OK | os.X_OK)


def _is_inside(folder: str, outer: str) -> bool:
    folder, outer = real_path(folder), real_path(outer)
    return folder.startswith(os.path.join(outer, ""))


def is_private_folder(folder: str) -> bool:
    """Return True for a folder, and no link to one, that only this user may use. Not on Windows."""
    try:
        found = os.lstat(folder)
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077
