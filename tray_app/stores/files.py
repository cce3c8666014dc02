"""Private files: created owner-only, replaced whole, never half-written."""

from __future__ import annotations

import errno
import os
import stat
import sys

from tray_app.core.errors import StoreError
from tray_app.core.language import msg
from tray_app.core.sharing import patiently

_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_BINARY = getattr(os, "O_BINARY", 0)
_NONBLOCK = getattr(os, "O_NONBLOCK", 0)

Stamp = tuple[int, int, int]
"""(mtime_ns, ino, size): changes with every replacement, also those within one clock tick."""


class UnreadableFile(StoreError):
    """The path is there but is not a file of ours that can be read."""


def stamp_of(path: str) -> Stamp | None:
    try:
        return _stamp(os.stat(path))
    except OSError:
        return None


def _stamp(found: os.stat_result) -> Stamp:
    return (found.st_mtime_ns, found.st_ino, found.st_size)


def make_private_folder(path: str) -> None:
    """The folder and its parents; new ones are the owner's alone. Raises `StoreError`."""
    try:
        os.makedirs(path, mode=0o700, exist_ok=True)
    except OSError as error:
        raise _unmakeable(path, error.strerror or type(error).__name__) from None


def check_writable(folder: str) -> None:
    """Asks whether files may be made in the folder, or it in the one above; makes neither. Raises `StoreError`."""
    there = folder
    while not os.path.lexists(there) and there != os.path.dirname(there):
        there = os.path.dirname(there)
    if not os.path.isdir(there):
        raise _unmakeable(folder, os.strerror(errno.ENOTDIR))
    if not os.access(there, os.W_OK | os.X_OK):
        raise StoreError(msg("Nothing can be written in {path}. Mend its permissions."), path=there)


def read_private(path: str, limit: int) -> tuple[bytes, Stamp] | None:
    """The file's bytes (at most `limit` + 1) and its stamp; None when it is not there.

    Raises `UnreadableFile` for a folder, a pipe, a file of another user, or one that may not be read.
    """
    try:
        descriptor = patiently(lambda: os.open(path, os.O_RDONLY | _BINARY | _NONBLOCK))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unreadable(path, error.strerror or type(error).__name__) from None
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise _unreadable(path, "not a file")
        if sys.platform != "win32" and found.st_uid not in {0, os.geteuid()} and not _is_roots_guest(path, found):
            raise _unreadable(path, "owned by another user")
        return os.read(descriptor, limit + 1), _stamp(found)
    except OSError as error:
        raise _unreadable(path, error.strerror or type(error).__name__) from None
    finally:
        os.close(descriptor)


def write_private(path: str, content: bytes) -> Stamp:
    """Replaces `path` by a file with `content`, mode 0600 from the moment it exists, on disk when this returns.

    Returns the stamp of that very file, whatever has replaced it since.
    The caller holds the lock that guards `path`: the name of the new file is fixed, so that one left by a
    killed writer is overwritten instead of piling up. Raises `StoreError`; the old file is then untouched.
    """
    make_private_folder(os.path.dirname(path))
    new = path + ".new"
    try:
        _remove(new)
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NOFOLLOW | _BINARY, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(descriptor)
                stamp = _stamp(os.fstat(descriptor))
            patiently(lambda: os.replace(new, path))
        except BaseException:
            _remove(new)
            raise
        return stamp
    except OSError as error:
        raise StoreError(
            msg("{path} cannot be written ({reason}). Mend the folder or choose another with KIWOOM_TRAY_DATA_DIR."),
            path=path,
            reason=error.strerror or type(error).__name__,
        ) from None


def move_private(path: str, target: str) -> None:
    """Renames a file over `target`; a missing `path` is no error. Raises `StoreError`."""
    try:
        patiently(lambda: os.replace(path, target))
    except FileNotFoundError:
        return
    except OSError as error:
        raise _undeletable(path, error) from None


def delete_private(path: str) -> bool:
    """Deletes the file; tells whether it was there. Raises `StoreError`."""
    try:
        return _remove(path)
    except OSError as error:
        raise _undeletable(path, error) from None


def _remove(path: str) -> bool:
    try:
        patiently(lambda: os.unlink(path))
    except FileNotFoundError:
        return False
    return True


def _is_roots_guest(path: str, found: os.stat_result) -> bool:
    """A container's root works in the folder of the user outside, and finds files of that user."""
    return sys.platform != "win32" and os.geteuid() == 0 and found.st_uid == os.stat(os.path.dirname(path)).st_uid


def _unmakeable(path: str, reason: str) -> StoreError:
    return StoreError(
        msg("The folder {path} cannot be made ({reason}). Choose another with KIWOOM_TRAY_DATA_DIR."),
        path=path,
        reason=reason,
    )


def _unreadable(path: str, reason: str) -> UnreadableFile:
    return UnreadableFile(
        msg("{path} cannot be read ({reason}). Mend or remove it, then try again."), path=path, reason=reason
    )


def _undeletable(path: str, error: OSError) -> StoreError:
    return StoreError(
        msg("{path} cannot be deleted ({reason}). Delete it by hand."),
        path=path,
        reason=error.strerror or type(error).__name__,
    )
