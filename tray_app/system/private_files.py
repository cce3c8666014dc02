"""Private files: created owner-only, replaced whole, never half-written.

What root makes in the folder of another user is that user's, as a container's root in a folder of the user outside.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys

from tray_app.core.errors import StoreError
from tray_app.core.language import msg
from tray_app.system.sharing_violation import retry_sharing_violation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_BINARY = getattr(os, "O_BINARY", 0)
_NONBLOCK = getattr(os, "O_NONBLOCK", 0)
_NEW = ".new"
_WORD_BYTES = 4
_STALE_NS = 60 * 1_000_000_000
"""A file is written in milliseconds; what is older by this was left by a program that was killed meanwhile."""

FileVersion = tuple[int, int, int]
"""(mtime_ns, ino, size): changes with every replacement, also those within one clock tick."""


class UnreadableFile(StoreError):
    """The path is there but is not a file of ours that can be read."""


def version_of(path: str) -> FileVersion | None:
    try:
        return _version(os.stat(path))
    except OSError:
        return None


def _version(found: os.stat_result) -> FileVersion:
    return (found.st_mtime_ns, found.st_ino, found.st_size)


def make_private_folder(path: str) -> None:
    """The folder and its parents; new ones are the owner's alone. Raises `StoreError`."""
    try:
        _make_folder(path)
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


def read_private(path: str, limit: int) -> tuple[bytes, FileVersion] | None:
    """The file's bytes (at most `limit` + 1) and its stamp; None when it is not there.

    Raises `UnreadableFile` for a folder, a pipe, a file of another user, or one that may not be read.
    """
    try:
        descriptor = retry_sharing_violation(lambda: os.open(path, os.O_RDONLY | _BINARY | _NONBLOCK))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unreadable(path, error.strerror or type(error).__name__) from None
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise _unreadable(path, "not a file")
        if not _is_owned(path, found):
            raise _unreadable(path, "owned by another user")
        return os.read(descriptor, limit + 1), _version(found)
    except OSError as error:
        raise _unreadable(path, error.strerror or type(error).__name__) from None
    finally:
        os.close(descriptor)


def open_private(path: str) -> int:
    """Return a descriptor for reading and writing in place; a missing file is created, empty and the owner's alone.

    Raises `OSError`, also for anything that is not a regular file of this user, for a link, and for a file that has a
    second name: what is written there would end up in somebody else's file.
    """
    flags = os.O_RDWR | _NOFOLLOW | _BINARY | _NONBLOCK
    try:
        descriptor = os.open(path, flags)
    except FileNotFoundError:
        try:
            return create_private(path)
        except FileExistsError:  # another was faster, or a link leads nowhere
            descriptor = os.open(path, flags)
    try:
        _check_writable_in_place(path, os.fstat(descriptor))
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def append_private(path: str, content: bytes) -> None:
    """Append to a file that `open_private` would open. Raises `OSError`."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | _NOFOLLOW | _BINARY | _NONBLOCK)
    try:
        _check_writable_in_place(path, os.fstat(descriptor))
        _check_all_written(os.write(descriptor, content), content)
    finally:
        os.close(descriptor)


if sys.platform == "win32":
    import threading

    _position = threading.Lock()

    def read_at(descriptor: int, size: int) -> bytes:
        """Return the first `size` bytes of the file. Raises `OSError`."""
        with _position:
            os.lseek(descriptor, 0, os.SEEK_SET)
            return os.read(descriptor, size)

    def write_at(descriptor: int, content: bytes) -> None:
        """Write over the beginning of the file. Raises `OSError`, also when there is no room for all of it."""
        with _position:
            os.lseek(descriptor, 0, os.SEEK_SET)
            _check_all_written(os.write(descriptor, content), content)

else:

    def read_at(descriptor: int, size: int) -> bytes:
        """Return the first `size` bytes of the file. Raises `OSError`."""
        return os.pread(descriptor, size, 0)

    def write_at(descriptor: int, content: bytes) -> None:
        """Write over the beginning of the file. Raises `OSError`, also when there is no room for all of it."""
        _check_all_written(os.pwrite(descriptor, content, 0), content)


def create_private(path: str) -> int:
    """The same for a file that must not be there yet. Raises `OSError`."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | _NOFOLLOW | _BINARY, 0o600)
    _give_to_owner_of(os.path.dirname(path), descriptor)
    return descriptor


def write_private(path: str, content: bytes, announce: Callable[[FileVersion], None] | None = None) -> FileVersion:
    """Replaces `path` by a file with `content`, mode 0600 from the moment it exists, on disk when this returns.

    Returns the stamp of that very file, whatever has replaced it since; `announce` is told it just before. Each
    writer has a file of its own, so that where no lock can be had the last one wins and none fails. Raises
    `StoreError`; the old file is then untouched.
    """
    folder, name = os.path.split(path)
    make_private_folder(folder)
    new = f"{path}.{os.urandom(_WORD_BYTES).hex()}{_NEW}"
    try:
        descriptor = create_private(new)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(descriptor)
                version = _version(os.fstat(descriptor))
            if announce is not None:
                announce(version)
            retry_sharing_violation(lambda: os.replace(new, path))
        except BaseException:
            _remove(new)
            raise
    except OSError as error:
        raise StoreError(
            msg("{path} cannot be written ({reason}). Mend the folder or choose another with KIWOOM_TRAY_DATA_DIR."),
            path=path,
            reason=error.strerror or type(error).__name__,
        ) from None
    _remove_stale(folder, name, version[0])
    return version


def move_private(path: str, target: str) -> None:
    """Renames a file over `target`; a missing `path` is no error. Raises `StoreError`."""
    try:
        retry_sharing_violation(lambda: os.replace(path, target))
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


def _check_writable_in_place(path: str, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "not a file")
    if not _is_owned(path, found):
        raise OSError(errno.EPERM, "owned by another user")
    if found.st_nlink > 1:
        raise OSError(errno.EMLINK, "it has another name")


def _check_all_written(written: int, content: bytes) -> None:
    if written != len(content):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _remove(path: str) -> bool:
    try:
        retry_sharing_violation(lambda: os.unlink(path))
    except FileNotFoundError:
        return False
    return True


def _remove_stale(folder: str, name: str, now_ns: int) -> None:
    """Takes away what killed writers of that name left. The disk's own clock tells the age, because that of another
    computer that writes there may differ."""
    with contextlib.suppress(OSError):
        for left in os.listdir(folder):
            if left.startswith(name + ".") and left.endswith(_NEW) and _is_ours(left[len(name) + 1 : -len(_NEW)]):
                path = os.path.join(folder, left)
                if os.lstat(path).st_mtime_ns < now_ns - _STALE_NS:
                    os.unlink(path)


def _is_ours(word: str) -> bool:
    return len(word) == _WORD_BYTES * 2 and set(word) <= set("0123456789abcdef")


def _make_folder(path: str) -> None:
    if os.path.isdir(path):
        return
    parent = os.path.dirname(path)
    if parent not in {"", path}:
        _make_folder(parent)
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        if os.path.isdir(path):  # another was faster
            return
        raise
    if sys.platform != "win32" and os.geteuid() == 0:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | _NOFOLLOW)
        try:
            _give_to_owner_of(parent, descriptor)
        finally:
            os.close(descriptor)


def _give_to_owner_of(folder: str, descriptor: int) -> None:
    """For what was made just now. A user whom a container does not know cannot be given anything."""
    if sys.platform == "win32" or os.geteuid() != 0:
        return
    with contextlib.suppress(OSError):
        owner = os.stat(folder or os.curdir)
        if owner.st_uid != 0:
            os.fchown(descriptor, owner.st_uid, owner.st_gid)


def _is_owned(path: str, found: os.stat_result) -> bool:
    """Return whether the file is this user's or root's. A container's root works in the folder of the user outside,
    and finds files of that user."""
    if sys.platform == "win32" or found.st_uid in {0, os.geteuid()}:
        return True
    return os.geteuid() == 0 and found.st_uid == os.stat(os.path.dirname(path) or os.curdir).st_uid


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
