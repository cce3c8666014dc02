"""The history of a data folder, in `<data>/history.db`: what happened to its tokens, written by all programs.

Writing raises nothing. It happens on a thread of its own, and only a program that exits waits for it, for a moment;
what cannot be written is lost. SQLite's rollback journal is used, because its write-ahead log needs shared memory,
which a network folder does not have.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import threading
import time
from collections import deque
from contextlib import closing

from tray_app.core import logs
from tray_app.core.clock import is_recent
from tray_app.core.errors import StoreError
from tray_app.core.language import msg
from tray_app.core.printable import printable
from tray_app.system.atomic_replace import move_private
from tray_app.system.private_files import check_private, create_private, reason_of, version_of
from tray_app.system.private_folders import make_private_folder
from tray_app.system.sharing_violation import lift_read_only

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from tray_app.core.token import Token
    from tray_app.history.draft import EventDraft
    from tray_app.history.events import Event
    from tray_app.settings.load import Settings

FILE = "history.db"
KEPT_SECONDS = 90 * 86400.0
KEPT_EVENTS = 5000
"""The events stored for each profile: years at one token a day, and at most a megabyte when something fails all the
time."""

PATIENCE_SECONDS = 1.0
"""How long writing waits for another program that writes; a program that exits waits at most twice as long."""

_BURST_SECONDS = 0.02
_MOST_WAITING = 1000
"""When more than these are waiting to be written, the oldest are dropped."""

_AGAIN_SECONDS = 3600.0
"""The same failure again within this time counts as the same event."""

_CORRECTED_SECONDS = 1.0
_SCHEMA = 1
SQLITE_SUFFIXES = ("-journal", "-wal", "-shm")
_DAMAGED_CODES = frozenset({11, 26})
"""SQLITE_CORRUPT, SQLITE_NOTADB."""

_COLUMNS = 'at, profile, kind, token, created, expires, code, message, "values", by, times, until'
_VALUES_COLUMN = 8
_BOUNDED_COLUMNS = (
    "at, substr(profile, 1, 100), substr(kind, 1, 20), substr(token, 1, 20), created, expires, substr(code, 1, 50),"
    ' substr(message, 1, 1000), substr("values", 1, 20000), substr(by, 1, 100), times, until'
)
"""The columns to read, with a limit so that no huge text is read as a whole."""


class NewerHistory(StoreError):
    """A newer version of this program has written the history in a format unknown to this one."""

    retry = False


class AnothersDatabase(StoreError):
    """The file is a database of another program, such as a bot that keeps its prices in the same folder."""

    retry = False


class History:
    """The history of one data folder. The file is opened for each use, so that no program holds it for long."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._complaint = ""

    def record(self, profile: str, drafts: Sequence[EventDraft]) -> None:
        """Record what happened to the profile's tokens, in the background; a failure is logged."""
        _writer.put(self, profile, drafts)

    def record_found(self, profile: str, token: Token | None, at: float) -> None:
        """Record what was found in the store at `at`, a token or none, unless an event says so already."""
        from tray_app.history.draft import EventDraft

        _writer.put(self, profile, [EventDraft(at, "gone" if token is None else "seen", token)])

    def keep(self, drafts: Sequence[tuple[str, EventDraft]]) -> None:
        """Write the events of these profiles in one transaction. Raises nothing."""
        try:
            self._write(drafts)
        except Exception as error:  # noqa: BLE001 - the token is stored already, only its event is lost
            if str(error) != self._complaint:
                self._complaint = str(error)
                logs.warning("History not written (%s: %s)", type(error).__name__, error)
        else:
            self._complaint = ""

    def version(self) -> object:
        """Return a value that changes whenever an event is recorded."""
        return version_of(self.path)

    def read(self, profile: str, since: float = 0.0) -> tuple[Event, ...]:
        """Return the events from `since` on, and the last one before that brought or took a token; oldest first.

        Raises `StoreError` when the history cannot be read. A damaged one is set aside.
        """
        return tuple(event for event in self._read(_events_since, profile, since) if event is not None)

    def profiles(self) -> list[str]:
        """Return the profiles that have events. Raises `StoreError` like `read`."""
        return [printable(str(row[0])) for row in self._read(_profiles)]

    def _read(self, ask: Callable[..., Iterator[Any]], *values: object) -> list[Any]:
        if not os.path.exists(self.path):
            return []
        import sqlite3

        before = version_of(self.path)
        try:
            with closing(self._connect()) as database:
                return list(ask(database, *values)) if _schema(database, self.path) else []
        except sqlite3.Error as error:
            if _is_damage(error):
                self._set_aside(before)
                return []
            raise StoreError(
                msg("The history in {path} cannot be read ({reason}). Try again in a moment."),
                path=self.path,
                reason=str(error),
            ) from None

    def _write(self, drafts: Sequence[tuple[str, EventDraft]]) -> None:
        from tray_app.history.events import event_of, program_name

        by = program_name()
        events = [event_of(profile, draft, by) for profile, draft in drafts]
        import sqlite3

        self._create()
        before = version_of(self.path)
        try:
            self._add(events)
        except sqlite3.DatabaseError as error:
            if not _is_damage(error):
                raise
            self._set_aside(before)
            self._create()
            self._add(events)

    def _add(self, events: Sequence[Event]) -> None:
        with closing(self._connect()) as database:
            database.execute("BEGIN IMMEDIATE")
            if not _schema(database, self.path):
                for statement in _TABLES:
                    database.execute(statement)
            for event in events:
                _put(database, event)
            database.execute("COMMIT")

    def _connect(self) -> sqlite3.Connection:
        """Connect. Raises `StoreError` where SQLite would wait for a pipe, or write into a file that is not ours
        alone."""
        import sqlite3

        for path in (self.path, *(self.path + suffix for suffix in SQLITE_SUFFIXES)):
            try:
                check_private(path)
            except OSError as error:
                raise StoreError(
                    msg("{path} cannot be used ({reason}). Correct or remove it."), path=path, reason=reason_of(error)
                ) from None
        lift_read_only(self.path)
        return sqlite3.connect(self.path, timeout=PATIENCE_SECONDS, isolation_level=None)

    def _create(self) -> None:
        """Create the file, empty and private: SQLite itself would create one that others can read."""
        make_private_folder(os.path.dirname(self.path))
        with contextlib.suppress(FileExistsError):
            os.close(create_private(self.path))

    def _set_aside(self, judged: object) -> None:
        """Rename a damaged file, if it is still the one that was `judged`. SQLite deletes its journal later.

        Raises `StoreError` where one was set aside before: either may be what another program keeps under this name.
        """
        if judged is None or version_of(self.path) != judged:
            return
        aside = self.path + ".damaged"
        if os.path.lexists(aside):
            raise StoreError(
                msg("{path} is no history, and {aside} is there already. Move both away, then try again."),
                path=self.path,
                aside=aside,
            )
        logs.error("The history was damaged; it is now %s.damaged, and a new one begins", FILE)
        move_private(self.path, aside)


class _Writer:
    """The one thread of this process that writes events, so that no caller waits for a disk.

    Events that come in a burst are written together. It is a daemon thread, so a disk that hangs does not keep the
    process from ending.
    """

    def __init__(self) -> None:
        self._news = threading.Condition()
        self._waiting: deque[tuple[History, str, EventDraft]] = deque(maxlen=_MOST_WAITING)
        self._put = self._written = 0
        self._thread: threading.Thread | None = None
        self._histories: dict[str, History] = {}
        """One for each file, because each instance logs the same failure only once."""

    def put(self, history: History, profile: str, drafts: Sequence[EventDraft]) -> None:
        with self._news:
            self._waiting.extend((history, profile, one) for one in drafts)
            self._put += 1
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="history record", daemon=True)
                try:
                    self._thread.start()
                except RuntimeError:  # the process is ending
                    self._thread = None
            self._news.notify_all()

    def flush(self, timeout: float) -> bool:
        """Wait until everything that was put is written; return False when that takes longer than `timeout` seconds."""
        with self._news:
            wanted = self._put
            return self._thread is None or self._news.wait_for(lambda: self._written >= wanted, timeout)

    def _run(self) -> None:
        while True:
            with self._news:
                self._news.wait_for(lambda: bool(self._waiting))
            time.sleep(_BURST_SECONDS)
            with self._news:
                taken, upto = list(self._waiting), self._put
                self._waiting.clear()
            for path in dict.fromkeys(history.path for history, _, _ in taken):
                history = self._histories.setdefault(path, next(one for one, _, _ in taken if one.path == path))
                history.keep([(profile, one) for which, profile, one in taken if which.path == path])
            with self._news:
                self._written = upto
                self._news.notify_all()


_writer = _Writer()


def flush_history(timeout: float = PATIENCE_SECONDS * 2) -> bool:
    """Wait at most `timeout` seconds until everything that this process recorded is written; return True if it is."""
    return _writer.flush(timeout)


def _after_fork() -> None:
    """Start anew in a forked child: the thread and the events that wait for it are the parent's."""
    global _writer  # noqa: PLW0603 - one for the process
    _writer = _Writer()


@atexit.register
def _flush_at_exit() -> None:
    with contextlib.suppress(KeyboardInterrupt):  # the user waits no longer; Python would print a traceback
        flush_history(PATIENCE_SECONDS * 2)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def open_history(settings: Settings) -> History | None:
    """Return the history of the data folder, without opening it; None for a store in memory, which leaves no trace."""
    return None if settings.store == "memory" else History(os.path.join(settings.data_dir, FILE))


_TABLES = (
    "CREATE TABLE events (id INTEGER PRIMARY KEY, at REAL NOT NULL, profile TEXT NOT NULL, kind TEXT NOT NULL,"
    " token TEXT NOT NULL, created REAL, expires REAL, code TEXT NOT NULL, message TEXT NOT NULL,"
    ' "values" TEXT NOT NULL, by TEXT NOT NULL, times INTEGER NOT NULL, until REAL NOT NULL)',
    "CREATE INDEX events_of_profile ON events (profile, id)",
    f"PRAGMA user_version = {_SCHEMA}",
)

_BRINGS_OR_TAKES = "kind <> 'failed'"


def _schema(database: sqlite3.Connection, path: str) -> int:
    """Return the version of the format, 0 for an empty file. Raises `NewerHistory` or `AnothersDatabase`."""
    # in this order, because another program may begin the history meanwhile: tables without a version are another's
    tables = {row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    version = int(database.execute("PRAGMA user_version").fetchone()[0])
    if tables and not (version and "events" in tables):
        raise AnothersDatabase(msg("{path} is a database of another program, so no history is kept here."), path=path)
    if version > _SCHEMA:
        raise NewerHistory(msg("The history was written by a newer version of this program. Update this one."))
    return version if tables else 0


def _is_damage(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED_CODES


def _put(database: sqlite3.Connection, event: Event) -> None:
    """Add the event, unless it says nothing new or repeats the last one."""
    from tray_app.history.events import BRINGS, FOUND_BY_LOOKING, EventKind

    if event.kind not in FOUND_BY_LOOKING and event.kind is not EventKind.FAILED:
        # A reader may find a change before the program that made it has recorded it. That record says more.
        found = EventKind.SEEN if event.kind in BRINGS else EventKind.GONE
        database.execute(
            "DELETE FROM events WHERE profile = ? AND kind = ? AND token = ? AND at >= ?",
            (event.profile, found, event.token, event.at - _CORRECTED_SECONDS),
        )
    last = _last(database, event.profile, "1")
    state = _last(database, event.profile, _BRINGS_OR_TAKES)
    here = state[1] if state is not None and state[1].kind in BRINGS else None
    if event.kind in FOUND_BY_LOOKING and state is not None and state[1].at > event.at:
        return  # what was found is older than what is known
    if event.kind is EventKind.SEEN and (event.expires is None or event.expires <= event.at):
        return
    if event.kind in {EventKind.SEEN, EventKind.STORED} and here is not None and here.is_about_the_token_of(event):
        return
    if event.kind is EventKind.GONE:
        if here is None or here.expires is None or here.expires <= event.at:
            return
        event = _about(event, here)
    if last is not None and _is_again(event, last[1]):
        database.execute(
            'UPDATE events SET times = times + 1, until = ?, "values" = ? WHERE id = ?',
            (event.at, _row(event)[_VALUES_COLUMN], last[0]),
        )
        return
    values = _row(event)
    database.execute(f"INSERT INTO events ({_COLUMNS}) VALUES ({', '.join('?' * len(values))})", values)  # noqa: S608
    database.execute("DELETE FROM events WHERE until < ?", (event.at - KEPT_SECONDS,))
    database.execute(
        "DELETE FROM events WHERE profile = ? AND id <="
        " (SELECT id FROM events WHERE profile = ? ORDER BY id DESC LIMIT 1 OFFSET ?)",
        (event.profile, event.profile, KEPT_EVENTS),
    )


def _about(event: Event, token_of: Event) -> Event:
    from dataclasses import replace

    return replace(event, token=token_of.token, created=token_of.created, expires=token_of.expires)


def _is_again(event: Event, last: Event) -> bool:
    """Return True if the event repeats the last one: a program that fails every few seconds."""
    from tray_app.history.events import EventKind

    return (
        event.kind in {EventKind.FAILED, EventKind.SAME}
        and (event.kind, event.token, event.code, event.message, event.by)
        == (last.kind, last.token, last.code, last.message, last.by)
        and is_recent(last.until, event.at, _AGAIN_SECONDS)
    )


def _last(database: sqlite3.Connection, profile: str, condition: str) -> tuple[int, Event] | None:
    rows = database.execute(
        f"SELECT {_BOUNDED_COLUMNS}, id FROM events WHERE profile = ? AND {condition} ORDER BY id DESC LIMIT 1",  # noqa: S608
        (profile,),
    )
    for *row, number in rows:
        event = _event(row)
        if event is not None:
            return int(number), event
    return None


def _events_since(database: sqlite3.Connection, profile: str, since: float) -> Iterator[Event | None]:
    before = database.execute(
        f"SELECT max(at) FROM events WHERE profile = ? AND at < ? AND {_BRINGS_OR_TAKES}",  # noqa: S608
        (profile, since),
    ).fetchone()[0]
    rows = database.execute(
        f"SELECT {_BOUNDED_COLUMNS} FROM events WHERE profile = ? AND (until >= ? OR at = ?)"  # noqa: S608
        " ORDER BY at DESC, id DESC LIMIT ?",
        (profile, since, before, KEPT_EVENTS),
    )
    for row in reversed(list(rows)):
        yield _event(row)


def _profiles(database: sqlite3.Connection) -> Iterator[Any]:
    yield from database.execute("SELECT DISTINCT substr(profile, 1, 100) FROM events ORDER BY profile LIMIT 1000")


def _row(event: Event) -> tuple[object, ...]:
    import json

    return (
        event.at,
        event.profile,
        str(event.kind),
        event.token,
        event.created,
        event.expires,
        event.code,
        event.message,
        json.dumps(dict(event.values)),
        event.by,
        event.times,
        event.until,
    )


def _event(row: Sequence[Any]) -> Event | None:
    """Return the event of a row, or None for a row that is no event, whoever wrote it."""
    import json

    from tray_app.history.events import stored_event

    try:
        return stored_event([*row[:_VALUES_COLUMN], json.loads(row[_VALUES_COLUMN]), *row[_VALUES_COLUMN + 1 :]])
    except (ValueError, TypeError, OverflowError, RecursionError):
        return None
