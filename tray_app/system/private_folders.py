"""The folders of this program, made for their owner alone."""

from __future__ import annotations

import errno
import os
import sys

from tray_app.core.errors import Remedy, StoreError
from tray_app.core.language import msg
from tray_app.system.private_files import give_to_owner_of


def make_folder(path: str) -> None:
    """Make the folder and its parents; new ones are for their owner alone. Raises `OSError`."""
    if os.path.isdir(path):
        return
    parent = os.path.dirname(path)
    if parent not in {"", path}:
        make_folder(parent)
    try:
        if sys.platform == "win32":
            from tray_app.system.windows_security import make_folder_for_user

            make_folder_for_user(path)
        else:
            os.mkdir(path, 0o700)
    except FileExistsError:
        if os.path.isdir(path):  # another was faster
            return
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)) from None
    if sys.platform == "win32":
        return
    is_masked = os.lstat(path).st_mode & 0o700 != 0o700  # by a umask that is meant for files, such as 0177
    if is_masked or os.geteuid() == 0:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            if is_masked:
                os.fchmod(descriptor, 0o700)
            give_to_owner_of(parent, descriptor)
        finally:
            os.close(descriptor)


def make_private_folder(path: str, variable: str = "") -> None:
    """Make the folder and its parents, as `make_folder` does. Raises `StoreError`, as `cannot_be_made` words it."""
    try:
        make_folder(path)
    except OSError as error:
        raise cannot_be_made(path, error.strerror or type(error).__name__, variable) from None


def cannot_be_made(path: str, reason: str, variable: str = "") -> StoreError:
    """Return the error about a folder that is missing and cannot be made; `variable`, if there is one, chooses
    another."""
    if not variable:
        return StoreError(
            msg("The folder {path} cannot be made ({reason}). Make it, or remove what is in its place."),
            remedy=Remedy.SHOW_FILE,
            path=path,
            reason=reason,
        )
    return StoreError(
        msg("The folder {path} cannot be made ({reason}). Choose another with {variable}."),
        remedy=Remedy.CHOOSE_FOLDER,
        path=path,
        reason=reason,
        variable=variable,
    )
