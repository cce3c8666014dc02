"""One kernel lock per profile, with a record for whoever waits.

The kernel frees the lock when its holder ends or is killed; the file itself is never deleted, because a
lock on a deleted file excludes nobody. Only a holder that was stopped (Ctrl+Z) loses the lock: whoever waits puts a new
file in the place of the locked one. Threads of one process take turns before they ask the kernel.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
import weakref

from tray_app.core import logs
from tray_app.core.errors import LockTimeout, Remedy, StoreError
from tray_app.core.language import msg
from tray_app.core.lean import load_json, sha256
from tray_app.system.atomic_replace import replace_locked
from tray_app.system.file_lock import cannot_lock, holder_of, is_still_at, try_lock, unlock
from tray_app.system.private_files import TORN_PAUSES_SECONDS, open_private, overwrite, read_regular, reason_of
from tray_app.system.private_folders import make_private_folder
from tray_app.system.sharing_violation import retry_sharing_violation
from tray_app.system.user_folders import is_private_folder, real_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, TypeVar

    from tray_app.system.file_lock import Holder

    T = TypeVar("T")

DEFAULT_TIMEOUT_SECONDS = 30.0
"""Longer than any issue request may take, so a holder that is still running always finishes first."""

FIRST_LOOK_SECONDS = 2.0
"""Whoever waits so long looks who holds the lock, and tells its user: a request has its answer by then, as a rule."""

LOOK_EVERY_SECONDS = 0.5
STOPPED_SECONDS = 3.0
"""A holder that is seen stopped (Ctrl+Z, a debugger) for so long loses the lock, that is five seconds into the wait at
the earliest."""

_OVERSLEPT_SECONDS = 1.0
"""A pause counts for no more than this beyond its length: whoever waits may have been stopped as well."""

_MAX_RECORD_BYTES = 8192
_REOPENINGS = 3

_TURN_SECONDS = 0.05
"""Threads are woken when it is their turn; in between they look for a new record this often, all at the same time."""

_QUIET_SECONDS = 0.08
"""By then a holder that only writes is done, and one that asks Kiwoom has sent its request and leaves the processor to
those who wait."""

_FIRST_PAUSE_SECONDS = 0.001
_LONGEST_PAUSE_SECONDS = 0.016
_LONGEST_BUSY_PAUSE_SECONDS = 1.0
"""A pause that took twice as long as it should tells of a busy processor. With hundreds of waiting programs it is they
who keep it busy, and the one who asks Kiwoom would not come to read the answer."""

_locks: weakref.WeakSet[ThreadLock] = weakref.WeakSet()


class ThreadLock:
    """The lock of a store that only this process can see. `path` is the lock file if other processes see it, else
    empty."""

    path = ""

    def __init__(self) -> None:
        self._turn = threading.RLock()  # it knows whose it is, as soon as it is taken
        self._holder: int | None = None
        self._record: dict[str, Any] = {}
        self._writes = 0
        _locks.add(self)

    def acquire(
        self, timeout: float = DEFAULT_TIMEOUT_SECONDS, on_update: Callable[[dict[str, Any]], bool] | None = None
    ) -> bool:
        """Take the lock; return False when `on_update` ended the wait.

        After a moment of waiting `on_update` is called with the present record, then with each new one. When it returns
        True the wait ends: the holder's record may already answer what the lock was wanted for. Raises `LockTimeout`
        after `timeout` seconds, and at once in a signal handler whose own thread has the lock.
        """
        if ThreadLock.try_acquire(self):
            return True
        if self.is_mine():
            raise LockTimeout(msg("This program is renewing the token right now. Try again in a moment."))
        deadline = time.monotonic() + timeout
        listen = self._listener(on_update)
        try:
            while not self._take_turn(max(0.0, min(_TURN_SECONDS, deadline - time.monotonic()))):
                if listen():
                    return False
                if time.monotonic() >= deadline:
                    raise _timed_out()  # noqa: TRY301 - whatever ends the wait leaves nothing behind
        except BaseException:
            self._give_up()
            raise
        return True

    def try_acquire(self) -> bool:
        """Take the lock if it is free; return True if it is ours now."""
        if self.is_mine():
            return False
        try:
            return self._take_turn(0.0)
        except BaseException:
            self._give_up()
            raise

    def release(self) -> None:
        """Release the lock. Do nothing if this thread does not have it.

        An exception of a signal handler (Ctrl+C, a time limit) may end this before its first line, so it is called
        twice where the lock was held for more than a moment.
        """
        if self.is_mine():
            self._holder = None
            self._turn.release()  # at once: no signal handler runs in between

    def is_mine(self) -> bool:
        """Return whether this thread has the lock."""
        return self._holder == threading.get_ident()

    @contextlib.contextmanager
    def if_free(self) -> Iterator[bool]:
        """Hold the lock if it is free, and yield whether it was."""
        taken = self.try_acquire()
        try:
            yield taken
        finally:
            if taken:
                try:
                    self.release()
                finally:
                    self.release()  # one exception ends one of the two

    def check(self) -> None:
        """Raise `StoreError` if there is something in the lock's place that cannot be locked; make nothing there."""
        if os.path.lexists(self.path):
            with self.if_free():
                pass

    def read_record(self) -> dict[str, Any]:
        """Return the last holder's record; empty without one."""
        return dict(self._record)

    def peek_record(self) -> dict[str, Any]:
        """Return the same without holding the lock, on whatever computer its holder is. May use the network."""
        return self.read_record()

    def is_lost(self) -> bool:
        """Return True if another process took the lock away from this one, which was stopped while it had it."""
        return False

    def write_record(self, record: dict[str, Any]) -> None:
        self._record = dict(record)
        self._writes += 1

    def record_version(self) -> object:
        """Return a value that changes whenever the record is written on this computer. Cheap enough for every use."""
        return self._writes

    def during(self, act: Callable[[], T]) -> T:
        """Call `act` while the lock is held, and return its result. Unlike the end of a `with`, this one's end releases
        the lock wherever a signal handler raises."""
        self.acquire()
        try:
            return act()
        finally:
            try:
                self.release()
            finally:
                self.release()

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *_: object) -> None:
        try:
            self.release()
        finally:
            self.release()

    def _listener(self, on_update: Callable[[dict[str, Any]], bool] | None) -> Callable[[], bool]:
        shown: dict[str, Any] | None = None
        begin = time.monotonic() + _QUIET_SECONDS

        def listen() -> bool:
            nonlocal shown
            if on_update is None or time.monotonic() < begin or (record := self.read_record()) == shown:
                return False
            shown = record
            return on_update(record)

        return listen

    def _take_turn(self, timeout: float) -> bool:
        """Wait at most `timeout` seconds for the turn; return True if it is ours now."""
        if not self._turn.acquire(timeout=timeout):
            return False
        if self._holder is not None:
            # A greenlet has it that runs in the same thread: gevent made threads greenlets after this lock was made.
            self._turn.release()
            time.sleep(min(timeout, _LONGEST_PAUSE_SECONDS))  # in which that one can go on
            return False
        self._holder = threading.get_ident()
        return True

    def _give_up(self) -> None:
        """End an attempt to take the lock. The turn may be ours already, though nothing says so yet."""
        if self._holder is None or self.is_mine():
            self._holder = None
            with contextlib.suppress(RuntimeError):  # it is not
                self._turn.release()

    def _forget_parent(self) -> None:
        """Start anew in a forked child: whoever had the turn is a thread of the parent."""
        self._turn = threading.RLock()
        self._holder = None


class _Pauses:
    """The pauses of one who waits for another process: short at first, and longer while the processor is busy."""

    def __init__(self) -> None:
        self._next = _FIRST_PAUSE_SECONDS
        self._longest = _LONGEST_PAUSE_SECONDS

    def sleep(self) -> float:
        """Pause, and return for how many seconds that counts."""
        pause = self._next * (0.5 + os.urandom(1)[0] / 256)
        began = time.monotonic()
        time.sleep(pause)
        elapsed = time.monotonic() - began
        if elapsed > 2 * pause + _LONGEST_PAUSE_SECONDS:
            self._longest = min(2 * self._longest, _LONGEST_BUSY_PAUSE_SECONDS)
        else:
            self._longest = max(self._longest / 2, _LONGEST_PAUSE_SECONDS)
        self._next = min(2 * self._next, self._longest)
        return min(elapsed, pause + _OVERSLEPT_SECONDS)


class _Wait:
    """One wait for another process, at most `timeout` seconds long. `is_longest`: no request takes that long."""

    def __init__(self, lock: ThreadLock, timeout: float, *, is_longest: bool) -> None:
        self._lock = lock
        self._timeout = timeout
        self._is_longest = is_longest
        self._waited = 0.0
        self._next_look = FIRST_LOOK_SECONDS
        self._stopped_since: float | None = None
        self._has_told = False
        self._record = lock.record_version()
        self._pauses = _Pauses()

    def pause(self) -> bool:
        """Wait for a moment; return True once the holder does not go on, so that the lock may be taken away from it.

        That is a holder that was seen stopped for `STOPPED_SECONDS`, or one about which nothing can be told and which
        wrote nothing in the longest wait. Raises `LockTimeout` at the end of the wait.
        """
        is_over = self._waited >= self._timeout
        if is_over or self._waited >= self._next_look:
            self._next_look = self._waited + LOOK_EVERY_SECONDS
            holder = holder_of(self._lock.path)
            if self._is_stopped(holder) or (is_over and holder is None and self._is_silent()):
                return True
            if is_over:
                raise _timed_out(holder)
            if holder is not None and not self._has_told:
                self._has_told = True
                _tell_waiting(holder)
        self._waited += self._pauses.sleep()
        return False

    def begin_anew(self) -> None:
        """Wait for the process that has just taken the lock away. Its lock file is a new one, so it never counts as
        silent."""
        self._stopped_since = None

    def _is_stopped(self, holder: Holder | None) -> bool:
        if holder is None or not holder.is_stopped:
            self._stopped_since = None
            return False
        if self._stopped_since is None:
            self._stopped_since = self._waited
        return self._waited - self._stopped_since >= STOPPED_SECONDS

    def _is_silent(self) -> bool:
        return self._is_longest and self._lock.record_version() == self._record


class ProfileLock(ThreadLock):
    """The lock of a store that other processes see too: a kernel lock on `path`.

    Where files cannot be locked, as on some network folders, a lock file elsewhere on this computer is used instead, so
    that its programs still make one request together.

    The record is a small JSON object about the last request to the broker. Only the holder writes it. Those who wait
    read it as well, and treat a half-written record as none. It never contains a secret.
    """

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path
        self._file = _LockedFile(path)
        self._substitute: _LockedFile | _ProcessLock | None = None
        self._held: _LockedFile | _ProcessLock | None = None

    def acquire(
        self, timeout: float = DEFAULT_TIMEOUT_SECONDS, on_update: Callable[[dict[str, Any]], bool] | None = None
    ) -> bool:
        """Take the lock like `ThreadLock`; raises also `StoreError`, when the lock file cannot be used."""
        began = time.monotonic()
        if not super().acquire(timeout, on_update):
            return False
        try:
            if self._try_kernel():
                return True
            listen = self._listener(on_update)
            left = timeout - (time.monotonic() - began)
            wait = _Wait(self, left, is_longest=timeout >= DEFAULT_TIMEOUT_SECONDS)
            while not self._try_kernel():
                if listen():
                    super().release()
                    return False
                if wait.pause():
                    if self._take_away():
                        break
                    wait.begin_anew()
        except BaseException:
            self._let_go(self._file, self._substitute)
            raise
        return True

    def try_acquire(self) -> bool:
        if not super().try_acquire():
            return False
        try:
            taken = self._try_kernel()
            if not taken:
                super().release()
        except BaseException:
            self._let_go(self._file, self._substitute)
            raise
        return taken

    def release(self) -> None:
        if not self.is_mine():
            return
        try:
            if self._held is not None:
                self._held.unlock()
                self._held = None
        finally:
            self._let_go(self._held)

    def is_lost(self) -> bool:
        return isinstance(self._held, _LockedFile) and self._held.is_replaced()

    def read_record(self) -> dict[str, Any]:
        """Return the last holder's record; empty without one, or when it is damaged."""
        for pause in TORN_PAUSES_SECONDS:
            if pause:
                time.sleep(pause)
            try:
                # On a descriptor of its own: a thread without the lock must not move the position of the other's.
                content = read_regular(self.path, _MAX_RECORD_BYTES, follow_links=False)[0]
                record = load_json(content) if content else {}
            except ValueError:
                continue  # a record that is just being written can be read in halves
            except (OSError, RecursionError):
                return {}
            return record if isinstance(record, dict) else {}
        return {}

    def write_record(self, record: dict[str, Any]) -> None:
        """Write the record. Raises nothing: a full disk must not cost the token that was just issued."""
        import json

        try:
            self._file.write(json.dumps(record).encode())
        except (OSError, StoreError) as error:
            logs.warning("The lock's record cannot be written (%s)", type(error).__name__)

    def record_version(self) -> object:
        try:
            found = os.stat(self.path)
        except (OSError, ValueError):
            return None
        return (found.st_mtime_ns, found.st_ino) if found.st_size else None

    def _let_go(self, *held: _LockedFile | _ProcessLock | None) -> None:
        """Release the lock after Ctrl+C too, which can come between any two lines: each of `held` may be locked still.
        Or another thread has the lock by now."""
        if not self.is_mine():
            return
        self._held = None
        try:
            for one in held:
                if one is not None:
                    with contextlib.suppress(OSError):
                        one.unlock()
        finally:
            self._holder = None
            self._turn.release()  # not by a function of ours, which Ctrl+C could end before its first line

    def _try_kernel(self) -> bool:
        try:
            taken = self._file.try_lock()
            self._held = self._file if taken else None
        except OSError as error:
            if not cannot_lock(error):
                raise self._unusable(error) from None
            _tell_once(os.path.dirname(self.path), error)
            taken = self._try_substitute()
        return taken

    def _take_away(self) -> bool:
        """Take the lock away from a holder that does not go on; return False if another process was faster, or where
        that cannot be done."""
        with local_lock(self.path).if_free() as is_only_one:
            if not is_only_one:
                return False
            try:
                taken = self._file.replace()
            except OSError as error:
                raise _timed_out(holder_of(self.path)) from error
        if taken:
            logs.warning("The lock is taken away from a program that does not go on")
            self._held = self._file
        return taken

    def _try_substitute(self) -> bool:
        for one in self._substitutes():
            self._substitute = one  # before it is locked, so that it is unlocked whatever ends this
            try:
                taken = one.try_lock()
            except (OSError, StoreError):
                self._substitute = None
                continue
            self._held = one if taken else None
            return taken
        return False

    def _substitutes(self) -> Iterator[_LockedFile | _ProcessLock]:
        if self._substitute is not None:
            yield self._substitute
            return
        for folder in _local_folders():
            yield _LockedFile(os.path.join(folder, f"{_digest(self.path)}.lock"))
        yield _ProcessLock(self.path)

    def _unusable(self, error: OSError) -> StoreError:
        return StoreError(
            msg("The lock file {path} cannot be opened ({reason}). Correct or remove it."),
            remedy=Remedy.SHOW_FILE,
            path=self.path,
            reason=reason_of(error),
        )

    def _forget_parent(self) -> None:
        super()._forget_parent()
        self._held = None
        self._file.forget_parent()
        if self._substitute is not None:
            self._substitute.forget_parent()


class _LockedFile:
    """The kernel's lock on the file that others find at `path`. Raises `OSError`, and `StoreError` for its folder.

    The file stays open as long as the object is there. A program may have closed all its descriptors meanwhile, as a
    daemon does, so that this one leads to another file by now: that one is not closed.
    """

    __slots__ = ("_descriptor", "_found", "path")
    _found: os.stat_result

    def __init__(self, path: str) -> None:
        self.path = path
        self._descriptor: int | None = None

    def try_lock(self) -> bool:
        for _ in range(_REOPENINGS):
            descriptor = self._open()
            taken = try_lock(descriptor)
            if is_still_at(self.path, descriptor):
                return taken
            self._descriptor = None  # somebody removed the folder, or took the lock away: lock what others will open
            os.close(descriptor)
        return False

    def replace(self) -> bool:
        """Put a new file, locked by this process, in the place of the one that somebody else has locked, with the same
        content. Return False if somebody else has done so. Raises `OSError` where an open file cannot be replaced.
        """
        before = self._open()
        if not is_still_at(self.path, before):
            return False
        content, _ = read_regular(self.path, _MAX_RECORD_BYTES, follow_links=False)
        self._descriptor = replace_locked(self.path, content)  # in one step, so that it is unlocked whatever comes
        self._found = os.fstat(self._descriptor)
        os.close(before)
        return True

    def is_replaced(self) -> bool:
        """Return True if another file is in the place of this one by now."""
        return (
            self._descriptor is not None and os.path.exists(self.path) and not is_still_at(self.path, self._descriptor)
        )

    def unlock(self) -> None:
        if self._descriptor is not None:
            unlock(self._descriptor)

    def write(self, content: bytes) -> None:
        overwrite(self.path, self._open(), content, _MAX_RECORD_BYTES)

    def forget_parent(self) -> None:
        """Drop the descriptor, which shares the parent's lock, without unlocking it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _open(self) -> int:
        if self._descriptor is None:
            make_private_folder(os.path.dirname(self.path))
            return self._keep(retry_sharing_violation(lambda: open_private(self.path)))
        return self._descriptor

    def _keep(self, descriptor: int) -> int:
        self._descriptor, self._found = descriptor, os.fstat(descriptor)
        return descriptor

    def __del__(self) -> None:
        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                if os.path.samestat(os.fstat(self._descriptor), self._found):
                    os.close(self._descriptor)


class _ProcessLock:
    """The last resort where no file on this computer can be locked: one lock for each path in this process. Whose it is
    is known as soon as it is taken."""

    __slots__ = ("path",)

    def __init__(self, path: str) -> None:
        self.path = path

    def try_lock(self) -> bool:
        return _process_locks.setdefault(self.path, self) is self

    def unlock(self) -> None:
        if _process_locks.get(self.path) is self:
            del _process_locks[self.path]

    def forget_parent(self) -> None:
        """Nothing is to be dropped: a forked child has none of these locks."""


_process_locks: dict[str, _ProcessLock] = {}
_process_wide = ThreadLock()
_told: set[str] = set()


def _tell_once(folder: str, error: OSError) -> None:
    if folder not in _told:
        _told.add(folder)
        logs.warning("Files in %s cannot be locked (%s); a lock on this computer is used", folder, reason_of(error))


def _local_folders() -> Iterator[str]:
    """Yield the folders for a lock on this computer, the same ones in each of its programs."""
    from tempfile import gettempdir

    from tray_app.settings.places import shared_state_dir

    with contextlib.suppress(StoreError):
        yield os.path.join(shared_state_dir(), "locks")
    user = "" if sys.platform == "win32" else f"-{os.geteuid()}"
    with contextlib.suppress(OSError, StoreError):
        folder = os.path.join(gettempdir(), f"kiwoom-token-tray{user}")
        make_private_folder(folder)
        if sys.platform == "win32" or is_private_folder(folder):
            yield folder


def local_lock(path: str) -> ThreadLock:
    """Return a lock that all programs on this computer share instead of the file at `path`, which cannot be used."""
    for folder in _local_folders():
        lock = ProfileLock(os.path.join(folder, f"{_digest(path)}.lock"))
        with contextlib.suppress(StoreError), lock.if_free():
            return lock
    return _process_wide


def _digest(path: str) -> str:
    return sha256(os.fsencode(real_path(path))).hexdigest()[:32]


def _after_fork() -> None:
    _process_locks.clear()
    for lock in list(_locks):
        lock._forget_parent()  # noqa: SLF001 - the module's own


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _timed_out(holder: Holder | None = None) -> LockTimeout:
    if holder is None:
        return LockTimeout(msg("Another program has been renewing this token for too long. Try again in a moment."))
    return LockTimeout(
        msg(
            "{program} (process {pid}) has been renewing this token for too long. "
            "If it is stopped, let it go on or end it."
        ),
        program=holder.program,
        pid=holder.pid,
    )


def _log_waiting(holder: Holder) -> None:
    logs.warning("Waiting for the lock, which %s (process %s) has", holder.program, holder.pid)


_tell_waiting: Callable[[Holder], None] = _log_waiting


def on_long_wait(tell: Callable[[Holder], None] = _log_waiting) -> None:
    """Call `tell` once for each wait that takes long, with the process that has the lock. Without it that is logged."""
    global _tell_waiting  # noqa: PLW0603 - one output for the process
    _tell_waiting = tell
