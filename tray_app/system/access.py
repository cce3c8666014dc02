"""Who may use a folder or a file of ours, found out before anything goes wrong."""

from __future__ import annotations

import errno
import os
import stat
import sys

from tray_app.core.errors import Remedy, StoreError
from tray_app.core.language import msg
from tray_app.system.atomic_replace import remove_file, temporary_name
from tray_app.system.private_files import create_private, is_full, reason_of, write_all
from tray_app.system.private_folders import cannot_be_made, make_folder


def check_writable(folder: str, variable: str = "") -> None:
    """Check by a write that files can be made in the folder, or where it is not there, that it can be made. Leaves
    nothing behind. Raises `StoreError`, which names the variable that chooses another folder.
    """
    there = folder
    while not os.path.lexists(there) and there != os.path.dirname(there):
        there = os.path.dirname(there)
    try:
        if not os.path.isdir(there) and variable:
            raise cannot_be_made(folder, os.strerror(errno.ENOTDIR), variable)
        tried = temporary_name(os.path.join(there, ".written"))
        if there == folder:
            _try_to_write(tried)
        else:
            _try_to_make(tried)
        return
    except OSError as error:
        reason, has_no_room = reason_of(error), is_full(error)
    if variable:
        message = msg(
            "Nothing can be written in {path} ({reason}). Make it writable, or choose another folder with {variable}."
        )
        if has_no_room:
            message = msg(
                "Nothing can be written in {path} ({reason}). Free some space, or choose another folder with "
                "{variable}."
            )
        remedy = Remedy.CHOOSE_FOLDER
        raise StoreError(message, remedy=remedy, path=folder, reason=reason, variable=variable)
    raise StoreError(msg("Nothing can be written in {path} ({reason}). Make it writable."), path=folder, reason=reason)


def who_else_may_use(path: str, *, is_secret: bool = True) -> str:
    """Return what is wrong with the rights of a file or folder of ours, in words; empty where nothing is.

    A folder may be read by others, whom its files keep out, and so may a file that `is_secret` does not say is one.
    Root works in the folders of others. Raises `OSError`.
    """
    may_read = not is_secret or os.path.isdir(path)
    if sys.platform == "win32":
        from tray_app.system.windows_security import is_open_to_others

        if not is_open_to_others(path, may_read=may_read):
            return ""
        if os.path.isdir(path):
            return msg(
                'Others may use {path}. Prevent that with: icacls {path} /inheritance:r /grant:r "{user}:(OI)(CI)F"'
            )
        return msg('Others may use {path}. Prevent that with: icacls {path} /inheritance:r /grant:r "{user}:F"')
    found = os.stat(path)
    if os.geteuid() != 0 and found.st_uid not in {0, os.geteuid()}:
        return msg("{path} belongs to another user. Give it back with: sudo chown {user} {path}")
    if stat.S_ISDIR(found.st_mode):
        is_open = found.st_mode & 0o022 and not found.st_mode & stat.S_ISVTX
        return msg("Others may write in {path}. Prevent that with: chmod go-w {path}") if is_open else ""
    if not stat.S_ISREG(found.st_mode):
        return ""  # whoever opens it says that it is no file
    if may_read:
        return msg("Others may write in {path}. Prevent that with: chmod go-w {path}") if found.st_mode & 0o022 else ""
    return msg("Others may read {path}. Prevent that with: chmod go-rwx {path}") if found.st_mode & 0o077 else ""


def _try_to_make(folder: str) -> None:
    make_folder(folder)
    try:
        _try_to_write(os.path.join(folder, "new"))
    finally:
        os.rmdir(folder)


def _try_to_write(path: str) -> None:
    descriptor = create_private(path)
    try:
        write_all(descriptor, bytes(4096))
    finally:
        os.close(descriptor)
        remove_file(path)
