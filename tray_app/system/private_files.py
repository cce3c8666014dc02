"""The files of this program: opened without waiting, created for their owner alone.

Whatever is opened must be a regular file: a pipe would hold the program up, and a device or a folder is a mistake. A
file that is written in place must have only one name, or the content would end up in somebody else's file. What root
creates in the folder of another user is given to that user, because a container's root works in the folder of a user
outside.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
import time

from tray_app.core.errors import Remedy, StoreError
from tray_app.core.language import msg
from tray_app.system.sharing_violation import lift_read_only, retry_sharing_violation

_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_BINARY = getattr(os, "O_BINARY", 0)
_NONBLOCK = getattr(os, "O_NONBLOCK", 0)

_NOT_A_FILE = msg("not a file")
_LINK = msg("a link")
_SECOND_NAME = msg("it has a second name (hard link)")
_FOREIGN = msg("owned by another user")
_BROKEN_LINK = msg("a link that leads nowhere")
_NO_DRIVE = msg("the drive is not connected")
_MOUNTED = msg("mounted on its own: mount its folder instead")
_DENIED_OR_OPEN = msg("access denied, or another program has it open")
_ACCESS_DENIED = 5

OF_THE_SYSTEM = (
    msg("Device or resource busy"),
    msg("Disk quota exceeded"),
    msg("File name too long"),
    msg("File too large"),
    msg("Input/output error"),
    msg("Is a directory"),
    msg("No space left on device"),
    msg("No such file or directory"),
    msg("Not a directory"),
    msg("Operation not permitted"),
    msg("Permission denied"),
    msg("Read-only file system"),
)
"""What the system says in English alone, for the catalogue of other languages."""

FileVersion = tuple[int, int, int]
"""(mtime_ns, ino, size): changes with every replacement and every `overwrite`, also those within one clock tick."""

TORN_PAUSES_SECONDS = (0.0, 0.001, 0.002, 0.004)
"""The pauses before each reading of a file that is overwritten in place: what was read in halves is read again."""

_NEXT_TIME_NS = 1000
"""The times of two overwrites differ by at least this; some file systems store no smaller fraction."""


class UnreadableFile(StoreError):
    """There is something at the path, but no file of ours that can be read."""

    remedy = Remedy.SHOW_FILE


class NotAFile(UnreadableFile):
    """There is a folder, a pipe, a device or a socket at the path, which holds nothing of ours."""


def version_of(path: str) -> FileVersion | None:
    """Return the version of the file at the path, or None without one."""
    try:
        return version_from(os.stat(path))
    except OSError:
        return None


def version_from(found: os.stat_result) -> FileVersion:
    """Return the version of the file with this status."""
    return (found.st_mtime_ns, found.st_ino, found.st_size)


def reason_of(error: OSError) -> str:
    """Return in words why a file cannot be used: in this module's own words, or in the system's."""
    if error.errno in {errno.EISDIR, errno.ENXIO}:
        return _NOT_A_FILE
    if error.errno == errno.EBUSY and _is_mount_point(error.filename, error.filename2):
        return _MOUNTED
    if sys.platform == "win32" and isinstance(error, PermissionError):
        is_of_a_file = error.winerror is None or (error.winerror == _ACCESS_DENIED and error.filename is not None)
        if is_of_a_file:  # one number for both, of C's runtime and of a rename over a file that is open
            return _DENIED_OR_OPEN
    return error.strerror or type(error).__name__


def _is_mount_point(*paths: object) -> bool:
    """Return True if a path is that of a single file which is mounted, as a container has one of its host's. Only Linux
    tells; a file on a share is busy also while another computer has it open."""
    try:
        with open("/proc/self/mountinfo", "rb") as file:
            mounted = {line.split(b" ", 5)[4] for line in file}
    except (OSError, IndexError):
        return False
    escaped = (one.replace("\\", r"\134").replace(" ", r"\040") for one in paths if isinstance(one, str))
    return not mounted.isdisjoint(os.fsencode(os.path.abspath(one)) for one in escaped)


def is_full(error: OSError) -> bool:
    """Return True if the disk, or the user's share of it, has no room left."""
    return error.errno in {errno.ENOSPC, errno.EDQUOT}


def is_misplaced(error: OSError) -> bool:
    """Return True if something that is no file is in a file's place: a folder, a pipe, a device, a socket or a link."""
    return error.errno in {errno.EISDIR, errno.ENXIO, errno.ELOOP}


def why_unreachable(path: str) -> str:
    """Return why there may well be a file, though the system finds none: a folder above it, or the file itself, is a
    link to what is not there, or its drive is not connected. Empty if there is simply no file."""
    while not os.path.lexists(path) and path != os.path.dirname(path):
        path = os.path.dirname(path)
    if os.path.exists(path):
        return ""
    return _BROKEN_LINK if os.path.lexists(path) else _NO_DRIVE


def open_regular(path: str, flags: int = os.O_RDONLY, *, follow_links: bool = True) -> int:
    """Return a descriptor of an existing file, without waiting for anybody.

    Raises `OSError`, also for anything that is not a regular file, and for a link unless `follow_links`.
    """
    return _open_regular(path, flags, follow_links=follow_links)[0]


def _open_regular(path: str, flags: int, *, follow_links: bool) -> tuple[int, os.stat_result]:
    flags |= _BINARY | _NONBLOCK | (0 if follow_links else _NOFOLLOW)
    try:
        descriptor = os.open(path, flags)
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.EMLINK} and os.path.islink(path):
            raise OSError(errno.ELOOP, _LINK) from None
        if sys.platform == "win32" and isinstance(error, PermissionError) and os.path.isdir(path):
            raise OSError(errno.EISDIR, _NOT_A_FILE) from None
        raise
    try:
        found = os.fstat(descriptor)
        _check_regular(path, found, follow_links=follow_links)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor, found


def read_regular(path: str, limit: int, *, follow_links: bool = True) -> tuple[bytes, os.stat_result]:
    """Return the file's bytes, at most `limit` + 1, and what the system knew of it before they were read: whoever wrote
    it in place meanwhile has changed it since. Raises `OSError`."""
    descriptor, found = retry_sharing_violation(lambda: _open_regular(path, os.O_RDONLY, follow_links=follow_links))
    try:
        content = more = os.read(descriptor, limit + 1)
        while more and len(content) < min(found.st_size, limit + 1):
            more = os.read(descriptor, limit + 1 - len(content))
            content += more
        return content, found
    finally:
        os.close(descriptor)


def read_private(path: str, limit: int) -> tuple[bytes, FileVersion] | None:
    """Return the file's bytes, at most `limit` + 1, and its version; None when it is not there.

    Raises `NotAFile` for a folder or a pipe, and `UnreadableFile` for a file of another user, or one that may not be
    read.
    """
    try:
        content, found = read_regular(path, limit)
        _check_owner(path, found)
    except FileNotFoundError:
        return None
    except OSError as error:
        kind = NotAFile if is_misplaced(error) else UnreadableFile
        raise kind(
            msg("{path} cannot be read ({reason}). Correct or remove it, then try again."),
            path=path,
            reason=reason_of(error),
        ) from None
    return content, version_from(found)


def open_private(path: str) -> int:
    """Return a descriptor for reading and writing in place; a missing file is created, empty and for its owner alone.

    Raises `OSError`, also for a link, a file of another user, and one that has a second name.
    """
    try:
        return _open_in_place(path, os.O_RDWR)
    except FileNotFoundError:
        pass
    try:
        return create_private(path)
    except FileExistsError:  # another process was faster, or it is a link to nothing
        return _open_in_place(path, os.O_RDWR)


def check_private(path: str) -> None:
    """Raise `OSError` if what is at the path, if anything is, is no file that `open_private` would open.

    Opens nothing: closing a file frees the POSIX locks that this process has on it, SQLite's among them.
    """
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return
    if stat.S_ISLNK(found.st_mode):
        raise OSError(errno.ELOOP, _LINK)
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EISDIR, _NOT_A_FILE)
    _check_owner(path, found)
    _check_only_name(found)


def append_private(path: str, content: bytes) -> None:
    """Append to a file that `open_private` would open. Raises `OSError`."""
    descriptor = _open_in_place(path, os.O_WRONLY | os.O_APPEND)
    try:
        _check_all_written(os.write(descriptor, content), content)
    finally:
        os.close(descriptor)


def _open_in_place(path: str, flags: int) -> int:
    try:
        descriptor, found = _open_regular(path, flags, follow_links=False)
    except PermissionError:
        if not lift_read_only(path):
            raise
        descriptor, found = _open_regular(path, flags, follow_links=False)
    try:
        _check_owner(path, found)
        _check_only_name(found)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def create_private(path: str) -> int:
    """Return a descriptor for reading and writing of a new file, for its owner alone.

    Raises `OSError`, also for whatever is there already, a link included.
    """
    if sys.platform == "win32":
        from tray_app.system.windows_security import create_file_for_user

        return create_file_for_user(path)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | _NOFOLLOW, 0o600)
    give_to_owner_of(os.path.dirname(path), descriptor)
    return descriptor


if sys.platform == "win32":
    import threading

    _position = threading.Lock()

    def read_at(descriptor: int, size: int, offset: int, /) -> bytes:
        """Return at most `size` bytes of the file from `offset` on, as `os.pread` elsewhere. Raises `OSError`."""
        with _position:
            os.lseek(descriptor, offset, os.SEEK_SET)
            return os.read(descriptor, size)

    def write_at(descriptor: int, content: bytes) -> None:
        """Write over the beginning of the file. Raises `OSError`, also when there is no room for all of it."""
        with _position:
            os.lseek(descriptor, 0, os.SEEK_SET)
            _check_all_written(os.write(descriptor, content), content)

else:
    read_at = os.pread

    def write_at(descriptor: int, content: bytes) -> None:
        """Write over the beginning of the file. Raises `OSError`, also when there is no room for all of it."""
        _check_all_written(os.pwrite(descriptor, content, 0), content)


def overwrite(path: str, descriptor: int, content: bytes, limit: int) -> None:
    """Replace the content of the open file at `path` in one step, padded with spaces up to its former size: nobody
    reads an empty file in between, and a program that is killed here leaves none. What is beyond `limit` bytes is cut
    off.

    The modification time always changes, however coarse the system's clock is. Raises `OSError`.
    """
    before = os.fstat(descriptor)
    write_at(descriptor, content.ljust(min(before.st_size, limit)))
    if before.st_size > limit:
        os.ftruncate(descriptor, max(len(content), limit))
    now = time.time_ns()
    with contextlib.suppress(OSError):
        os.utime(path, ns=(now, max(now, before.st_mtime_ns + _NEXT_TIME_NS)))


def write_all(descriptor: int, content: bytes) -> None:
    """Write all of the content, in as many steps as the system takes. Raises `OSError`."""
    left = memoryview(content)
    while left:
        left = left[os.write(descriptor, left) :]


def give_to_owner_of(folder: str, descriptor: int) -> None:
    """Give the file or folder just created to the owner of the folder above. A user unknown to the container gets
    nothing."""
    if sys.platform == "win32" or os.geteuid() != 0:
        return
    with contextlib.suppress(OSError):
        owner = os.stat(folder or os.curdir)
        if owner.st_uid != 0:
            os.fchown(descriptor, owner.st_uid, owner.st_gid)


def _check_regular(path: str, found: os.stat_result, *, follow_links: bool) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EISDIR, _NOT_A_FILE)
    if sys.platform == "win32" and not follow_links and os.path.islink(path):
        raise OSError(errno.ELOOP, _LINK)


def _check_owner(path: str, found: os.stat_result) -> None:
    """Raise `OSError` unless the file is this user's or root's. A container's root works in the folder of a user
    outside, and finds files of that user."""
    if sys.platform == "win32" or found.st_uid in {0, os.geteuid()}:
        return
    if os.geteuid() != 0 or found.st_uid != os.stat(os.path.dirname(path) or os.curdir).st_uid:
        raise OSError(errno.EPERM, _FOREIGN)


def _check_only_name(found: os.stat_result) -> None:
    if found.st_nlink > 1:
        raise OSError(errno.EMLINK, _SECOND_NAME)


def _check_all_written(written: int, content: bytes) -> None:
    if written != len(content):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
