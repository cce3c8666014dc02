"""The files of this program: opened without waiting, created for their owner alone, replaced whole, never half-written.

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

from tray_app.core.errors import Remedy, StoreError
from tray_app.core.language import msg
from tray_app.system.file_lock import try_lock
from tray_app.system.sharing_violation import retry_sharing_violation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_BINARY = getattr(os, "O_BINARY", 0)
_NONBLOCK = getattr(os, "O_NONBLOCK", 0)

_NEW = ".new"
_WORD_DIGITS = 12
"""Digits of the hex word in the name of a temporary file. Its writer holds it locked until it replaces the target."""

_UNLOCKED_WORD_DIGITS = 8
"""The same for versions up to 2026, which did not lock the file."""

_STALE_NS = 60 * 1_000_000_000
"""A file is written in milliseconds; an unlocked one that is older than this was left by a program that was killed."""

_NEW_NAME_TRIES = 5

_NOT_A_FILE = msg("not a file")
_LINK = msg("a link")
_SECOND_NAME = msg("it has a second name (hard link)")
_FOREIGN = msg("owned by another user")

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})

OF_THE_SYSTEM = (
    msg("File name too long"),
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
"""(mtime_ns, ino, size): changes with every replacement, also those within one clock tick."""


class UnreadableFile(StoreError):
    """There is something at the path, but no file of ours that can be read."""

    remedy = Remedy.SHOW_FILE


def version_of(path: str) -> FileVersion | None:
    """Return the version of the file at the path, or None without one."""
    try:
        return _version(os.stat(path))
    except OSError:
        return None


def _version(found: os.stat_result) -> FileVersion:
    return (found.st_mtime_ns, found.st_ino, found.st_size)


def reason_of(error: OSError) -> str:
    """Return in words why a file cannot be used: in this module's own words, or in the system's."""
    if error.errno in {errno.EISDIR, errno.ENXIO}:
        return _NOT_A_FILE
    return error.strerror or type(error).__name__


def is_misplaced(error: OSError) -> bool:
    """Return True if something that is no file is in a file's place: a folder, a pipe, a device, a socket or a link."""
    return error.errno in {errno.EISDIR, errno.ENXIO, errno.ELOOP}


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

    Raises `UnreadableFile` for a folder, a pipe, a file of another user, or one that may not be read.
    """
    try:
        content, found = read_regular(path, limit)
        _check_owner(path, found)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UnreadableFile(
            msg("{path} cannot be read ({reason}). Correct or remove it, then try again."),
            path=path,
            reason=reason_of(error),
        ) from None
    return content, _version(found)


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


def append_bounded(path: str, content: bytes, *, limit: int, shortened: Callable[[], bytes]) -> None:
    """Append to a private file, which is made with its folder if it is missing. Where it would have more than `limit`
    bytes, `shortened()` takes the place of what it has. Raises `OSError` and `StoreError`."""
    make_private_folder(os.path.dirname(path))
    os.close(open_private(path))
    if os.stat(path).st_size + len(content) > limit:
        replace_file(path, shortened() + content)
    else:
        append_private(path, content)


def _open_in_place(path: str, flags: int) -> int:
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
    _give_to_owner_of(os.path.dirname(path), descriptor)
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


def replace_file(
    path: str,
    content: bytes,
    *,
    mode: int = 0o600,
    announce: Callable[[FileVersion], None] | None = None,
    survives_power_cut: bool = True,
) -> FileVersion:
    """Replace `path` by a file with `content`; it is for its owner alone until it has `mode`. The content is on the
    disk when this returns, unless a loss of power may cost it.

    Return the version of that very file, whatever has replaced it since; `announce` is told it just before. Each writer
    has a temporary file of its own, so where files cannot be locked the last one wins and none fails. What killed
    writers left is removed. Raises `OSError`; the old file is then untouched.
    """
    new, descriptor = _create_new(path)
    try:
        try:
            _write_all(descriptor, content)
            if mode != 0o600 and sys.platform != "win32":
                os.fchmod(descriptor, mode)
            if survives_power_cut:
                os.fsync(descriptor)
            version = _version(os.fstat(descriptor))
            if announce is not None:
                announce(version)
            if sys.platform != "win32":
                os.replace(new, path)  # while its lock is held
        finally:
            os.close(descriptor)
        if sys.platform == "win32":  # which cannot rename an open file
            retry_sharing_violation(lambda: os.replace(new, path))
    except BaseException:
        with contextlib.suppress(OSError):
            _remove(new)
        raise
    _remove_leftovers(path, stale_before=version[0] - _STALE_NS)
    return version


def replace_locked(path: str, content: bytes) -> int:
    """Replace `path` by a file with `content` that this process has locked; return its descriptor. Raises `OSError`,
    on Windows always: it cannot rename an open file."""
    if sys.platform == "win32":
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    new, descriptor = _create_new(path)
    try:
        _write_all(descriptor, content)
        os.replace(new, path)
    except BaseException:
        os.close(descriptor)
        with contextlib.suppress(OSError):
            _remove(new)
        raise
    _remove_leftovers(path, stale_before=None)
    return descriptor


def write_private(
    path: str,
    content: bytes,
    announce: Callable[[FileVersion], None] | None = None,
    *,
    survives_power_cut: bool = True,
) -> FileVersion:
    """Replace `path` by a private file, as `replace_file` does, creating its folder if it is missing.

    Raises `StoreError`; the old file is then untouched.
    """
    make_private_folder(os.path.dirname(path))
    try:
        return replace_file(path, content, announce=announce, survives_power_cut=survives_power_cut)
    except OSError as error:
        message = msg(
            "{path} cannot be written ({reason}). Make it writable, or choose another with KIWOOM_TRAY_DATA_DIR."
        )
        if error.errno in _FULL:
            message = msg(
                "{path} cannot be written ({reason}). Free some space, or choose another folder with "
                "KIWOOM_TRAY_DATA_DIR."
            )
        raise StoreError(
            message,
            remedy=Remedy.CHOOSE_FOLDER,
            path=path,
            reason=reason_of(error),
        ) from None


def move_private(path: str, target: str) -> None:
    """Rename a file over `target`; a missing `path` is no error. Raises `StoreError`."""
    try:
        retry_sharing_violation(lambda: os.replace(path, target))
    except FileNotFoundError:
        return
    except OSError as error:
        raise _undeletable(path, error) from None


def delete_private(path: str) -> bool:
    """Delete the file; return True if it was there. Raises `StoreError`."""
    try:
        return _remove(path)
    except OSError as error:
        raise _undeletable(path, error) from None


def delete_leftovers(path: str) -> None:
    """Delete what killed writers of that file left beside it, at once: a token may be in it. Raises nothing."""
    _remove_leftovers(path, stale_before=None)


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
    if sys.platform != "win32" and os.geteuid() == 0:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | _NOFOLLOW)
        try:
            _give_to_owner_of(parent, descriptor)
        finally:
            os.close(descriptor)


def make_private_folder(path: str) -> None:
    """Make the folder and its parents, as `make_folder` does. Raises `StoreError`."""
    try:
        make_folder(path)
    except OSError as error:
        raise _unmakeable(path, error.strerror or type(error).__name__) from None


def check_writable(folder: str, variable: str = "") -> None:
    """Check by a write that files can be made in the folder, or where it is not there, that it can be made. Leaves
    nothing behind. Raises `StoreError`, which names the variable that chooses another folder.
    """
    there = folder
    while not os.path.lexists(there) and there != os.path.dirname(there):
        there = os.path.dirname(there)
    try:
        if not os.path.isdir(there) and variable:
            raise _unmakeable(folder, os.strerror(errno.ENOTDIR), variable)
        tried = os.path.join(there, f".written.{os.urandom(_WORD_DIGITS // 2).hex()}{_NEW}")
        if there == folder:
            _try_to_write(tried)
        else:
            _try_to_make(tried)
        return
    except OSError as error:
        reason, is_full = reason_of(error), error.errno in _FULL
    if variable:
        message = msg(
            "Nothing can be written in {path} ({reason}). Make it writable, or choose another folder with {variable}."
        )
        if is_full:
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
            return msg("Others may use {path}. Close it with: icacls {path} /inheritance:r /grant:r {user}:(OI)(CI)F")
        return msg("Others may use {path}. Close it with: icacls {path} /inheritance:r /grant:r {user}:F")
    found = os.stat(path)
    if os.geteuid() != 0 and found.st_uid not in {0, os.geteuid()}:
        return msg("{path} belongs to another user. Give it back with: sudo chown {user} {path}")
    if stat.S_ISDIR(found.st_mode):
        is_open = found.st_mode & 0o022 and not found.st_mode & stat.S_ISVTX
        return msg("Others may write in {path}. Close it with: chmod go-w {path}") if is_open else ""
    if not stat.S_ISREG(found.st_mode):
        return ""  # whoever opens it says that it is no file
    if may_read:
        return msg("Others may write in {path}. Close it with: chmod go-w {path}") if found.st_mode & 0o022 else ""
    return msg("Others may read {path}. Close it with: chmod go-rwx {path}") if found.st_mode & 0o077 else ""


def _try_to_make(folder: str) -> None:
    make_folder(folder)
    try:
        _try_to_write(os.path.join(folder, _NEW))
    finally:
        os.rmdir(folder)


def _try_to_write(path: str) -> None:
    descriptor = create_private(path)
    try:
        _write_all(descriptor, bytes(4096))
    finally:
        os.close(descriptor)
        _remove(path)


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


def _write_all(descriptor: int, content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[os.write(descriptor, left) :]


def _check_all_written(written: int, content: bytes) -> None:
    if written != len(content):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _create_new(path: str) -> tuple[str, int]:
    """Create the file that is to replace `path`, locked where files can be locked: others see that its writer is
    alive."""
    for _ in range(_NEW_NAME_TRIES):
        new = f"{path}.{os.urandom(_WORD_DIGITS // 2).hex()}{_NEW}"
        descriptor = create_private(new)
        try:
            if sys.platform == "win32" or (try_lock(descriptor) and os.fstat(descriptor).st_nlink):
                return new, descriptor
        except OSError:  # files cannot be locked here
            return new, descriptor
        os.close(descriptor)  # another process took it for a leftover before it was locked
        with contextlib.suppress(OSError):
            os.unlink(new)
    raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))


def _remove(path: str) -> bool:
    try:
        retry_sharing_violation(lambda: os.unlink(path))
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _remove_leftovers(path: str, stale_before: int | None) -> None:
    """Remove the temporary files of `path` whose writers are gone. Where that is not known, remove those older than
    `stale_before` (nanoseconds by the disk's own clock, because another computer's may differ), or all for None."""
    folder, name = os.path.split(path)
    with contextlib.suppress(OSError):
        for left in os.listdir(folder or os.curdir):
            word = left[len(name) + 1 : -len(_NEW)]
            if left == f"{name}.{word}{_NEW}" and _is_ours(word):
                with contextlib.suppress(OSError):
                    _remove_leftover(os.path.join(folder, left), word, stale_before)


def _remove_leftover(path: str, word: str, stale_before: int | None) -> None:
    descriptor = open_regular(path, follow_links=False)
    try:
        is_dead = _is_dead(descriptor) if len(word) == _WORD_DIGITS else None
        if is_dead is None:
            is_dead = stale_before is None or os.fstat(descriptor).st_mtime_ns < stale_before
        if is_dead and sys.platform != "win32":
            os.unlink(path)  # while nobody else can lock it
    finally:
        os.close(descriptor)
    if is_dead and sys.platform == "win32":
        os.unlink(path)


def _is_dead(descriptor: int) -> bool | None:
    """Return True if the writer of a temporary file has unlocked it; None where that is not known."""
    if sys.platform == "win32":
        return None
    try:
        return try_lock(descriptor)
    except OSError:
        return None


def _is_ours(word: str) -> bool:
    return len(word) in {_WORD_DIGITS, _UNLOCKED_WORD_DIGITS} and set(word) <= set("0123456789abcdef")


def _give_to_owner_of(folder: str, descriptor: int) -> None:
    """Give the file or folder just created to the owner of the folder above. A user unknown to the container gets
    nothing."""
    if sys.platform == "win32" or os.geteuid() != 0:
        return
    with contextlib.suppress(OSError):
        owner = os.stat(folder or os.curdir)
        if owner.st_uid != 0:
            os.fchown(descriptor, owner.st_uid, owner.st_gid)


def _unmakeable(path: str, reason: str, variable: str = "KIWOOM_TRAY_DATA_DIR") -> StoreError:
    return StoreError(
        msg("The folder {path} cannot be made ({reason}). Choose another with {variable}."),
        remedy=Remedy.CHOOSE_FOLDER,
        path=path,
        reason=reason,
        variable=variable,
    )


def _undeletable(path: str, error: OSError) -> StoreError:
    return StoreError(
        msg("{path} cannot be deleted ({reason}). Delete it by hand."),
        remedy=Remedy.SHOW_FILE,
        path=path,
        reason=reason_of(error),
    )
