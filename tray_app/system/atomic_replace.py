"""Private files written whole: beside their place first, then put there, so that nobody reads a half."""

from __future__ import annotations

import contextlib
import errno
import os
import sys

from tray_app.core.errors import Remedy, StoreError
from tray_app.core.language import msg
from tray_app.system.file_lock import try_lock
from tray_app.system.private_files import (
    FileVersion,
    append_private,
    create_private,
    is_full,
    open_private,
    open_regular,
    reason_of,
    version_from,
    write_all,
)
from tray_app.system.private_folders import make_private_folder
from tray_app.system.sharing_violation import retry_sharing_violation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


_NEW = ".new"
_WORD_DIGITS = 12
"""Digits of the hex word in the name of a temporary file. Its writer holds it locked until it replaces the target."""

_UNLOCKED_WORD_DIGITS = 8
"""The same for versions up to 2026, which did not lock the file."""

_STALE_NS = 60 * 1_000_000_000
"""A file is written in milliseconds; an unlocked one that is older than this was left by a program that was killed."""

_NEW_NAME_TRIES = 5


def replace_file(
    path: str,
    content: bytes,
    *,
    mode: int = 0o600,
    announce: Callable[[FileVersion], None] | None = None,
    survives_power_cut: bool = True,
    even_read_only: bool = False,
) -> FileVersion:
    """Replace `path` by a file with `content`; it is for its owner alone until it has `mode`. The content is on the
    disk when this returns, unless a loss of power may cost it. What Windows calls read-only is replaced if
    `even_read_only`.

    Return the version of that very file, whatever has replaced it since; `announce` is told it before the file is in
    place, and before the disk is waited for, so that what `announce` writes costs no second wait. Each writer has a
    temporary file of its own, so where files cannot be locked the last one wins and none fails. What killed writers
    left is removed. Raises `OSError`; the old file is then untouched.
    """
    new, descriptor = _create_new(path)
    try:
        try:
            write_all(descriptor, content)
            if mode != 0o600 and sys.platform != "win32":
                os.fchmod(descriptor, mode)
            version = version_from(os.fstat(descriptor))
            if announce is not None:
                announce(version)
            if survives_power_cut:
                _flush(descriptor)
            if sys.platform != "win32":
                _put_in_place(new, path, even_read_only=even_read_only)  # while its lock is held
        finally:
            os.close(descriptor)
        if sys.platform == "win32":  # which cannot rename an open file
            _put_in_place(new, path, even_read_only=even_read_only)
    except BaseException:
        with contextlib.suppress(OSError):
            remove_file(new)
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
        write_all(descriptor, content)
        os.replace(new, path)
        _remove_leftovers(path, stale_before=None)
    except BaseException:
        os.close(descriptor)
        with contextlib.suppress(OSError):
            remove_file(new)
        raise
    return descriptor


def write_private(
    path: str,
    content: bytes,
    announce: Callable[[FileVersion], None] | None = None,
    *,
    survives_power_cut: bool = True,
    variable: str = "",
) -> FileVersion:
    """Replace `path` by a private file, as `replace_file` does, creating its folder if it is missing.

    Raises `StoreError`, which names the `variable` that chooses another folder, if there is one; the old file is then
    untouched.
    """
    make_private_folder(os.path.dirname(path), variable)
    try:
        return replace_file(
            path, content, announce=announce, survives_power_cut=survives_power_cut, even_read_only=True
        )
    except OSError as error:
        raise unwritable(path, error, variable) from None


def append_bounded(path: str, content: bytes, *, limit: int, shortened: Callable[[], bytes]) -> None:
    """Append to a private file, which is made with its folder if it is missing. Where it would have more than `limit`
    bytes, `shortened()` takes the place of what it has. Raises `OSError` and `StoreError`."""
    make_private_folder(os.path.dirname(path))
    os.close(open_private(path))
    if os.stat(path).st_size + len(content) > limit:
        replace_file(path, shortened() + content)
    else:
        append_private(path, content)


def move_private(path: str, target: str) -> None:
    """Rename a file over `target`; a missing `path` is no error. Raises `StoreError`."""
    try:
        retry_sharing_violation(lambda: os.replace(path, target), over=target)
    except FileNotFoundError:
        return
    except OSError as error:
        raise _undeletable(path, error) from None


def remove_file(path: str) -> bool:
    """Delete the file; return True if it was there. Raises `OSError`."""
    try:
        retry_sharing_violation(lambda: os.unlink(path), over=path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def delete_private(path: str) -> bool:
    """Delete the file; return True if it was there. Raises `StoreError`."""
    try:
        return remove_file(path)
    except OSError as error:
        raise _undeletable(path, error) from None


def temporary_name(path: str) -> str:
    """Return a new name for a file beside `path`, which is taken for a leftover once nobody has it locked."""
    return f"{path}.{os.urandom(_WORD_DIGITS // 2).hex()}{_NEW}"


def delete_leftovers(path: str) -> None:
    """Delete what killed writers of that file left beside it, at once: a token may be in it. Raises nothing."""
    _remove_leftovers(path, stale_before=None)


def _flush(descriptor: int) -> None:
    """Wait until the content is on the disk. macOS' `fsync` waits for the disk's own cache alone."""
    if sys.platform == "darwin":
        import fcntl

        with contextlib.suppress(OSError):  # a network drive cannot
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
            return
    os.fsync(descriptor)


def _put_in_place(new: str, path: str, *, even_read_only: bool) -> None:
    retry_sharing_violation(lambda: os.replace(new, path), over=path if even_read_only else "")


def _create_new(path: str) -> tuple[str, int]:
    """Create the file that is to replace `path`, locked where files can be locked: others see that its writer is
    alive."""
    for _ in range(_NEW_NAME_TRIES):
        new = temporary_name(path)
        descriptor = create_private(new)
        try:
            if sys.platform == "win32" or (try_lock(descriptor) and os.fstat(descriptor).st_nlink):
                return new, descriptor
        except OSError:  # files cannot be locked here
            return new, descriptor
        os.close(descriptor)  # another process took it for a leftover before it was locked
        with contextlib.suppress(OSError):
            os.unlink(new)
    raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))


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


def unwritable(path: str, error: OSError, variable: str = "") -> StoreError:
    """Return the error for a file that cannot be written; `variable` is the one that chooses another folder."""
    reason = reason_of(error)
    if not variable:
        message = msg("{path} cannot be written ({reason}). Make it writable.")
        if is_full(error):
            message = msg("{path} cannot be written ({reason}). Free some space.")
        return StoreError(message, remedy=Remedy.SHOW_FILE, path=path, reason=reason)
    message = msg("{path} cannot be written ({reason}). Make it writable, or choose another folder with {variable}.")
    if is_full(error):
        message = msg("{path} cannot be written ({reason}). Free some space, or choose another folder with {variable}.")
    return StoreError(message, remedy=Remedy.CHOOSE_FOLDER, path=path, reason=reason, variable=variable)


def _undeletable(path: str, error: OSError) -> StoreError:
    return StoreError(
        msg("{path} cannot be deleted ({reason}). Delete it by hand."),
        remedy=Remedy.SHOW_FILE,
        path=path,
        reason=reason_of(error),
    )
