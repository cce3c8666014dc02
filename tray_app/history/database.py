"""What happened to the tokens of a data folder, in `<data>/history.db`: bounded, for all programs of the machine.

It is only a record. Writing it raises nothing and keeps nobody waiting but the end of a program, for a moment, and
what cannot be written is lost. SQLite's plain rollback journal is used, because the faster one needs shared memory,
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
from tray_app.core.errors import StoreError
from tray_app.core.language import msg
from tray_app.system.private_files import (
    check_private,
    create_private,
    make_private_folder,
    move_private,
    reason_of,
    version_of,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from tray_app.core.errors import KiwoomTokenError
    from tray_app.core.token import Token
    from tray_app.history.events import Event
    from tray_app.settings.load import Settings

    Happening = tuple[float, str, Token | None, KiwoomTokenError | None]
    """When (seconds of the epoch), what (an `EventKind`), the token concerned, and what went wrong."""

FILE = "history.db"
KEPT_SECONDS = 90 * 86400.0
KEPT_EVENTS = 5000
"""Of each profile: years at one token a day, and no more than a megabyte when something fails all the time."""

PATIENCE_SECONDS = 1.0
"""How long a record waits until another program's is written; the end of a program waits for its own twice as long
at the most."""

_BURST_SECONDS = 0.02
_MOST_WAITING = 1000
"""Of more than these the oldest are lost: it is a record and no journal."""

_AGAIN_SECONDS = 3600.0
"""The same failure within this time is the same event."""

_CORRECTED_SECONDS = 1.0
_SCHEMA = 1
_SQLITE_SUFFIXES = ("-journal", "-wal", "-shm")
_DAMAGED_CODES = frozenset({11, 26})
"""SQLITE_CORRUPT, SQLITE_NOTADB."""

_COLUMNS = 'at, profile, kind, token, created, expires, code, message, "values", by, times, until'


class NewerHistory(StoreError):
    """A newer version of this program has written the record in a way that this one does not know."""

    retry = False


class _Damaged(Exception):
    """The file is no record of ours."""


class History:
    """The record of one data folder. Opens the file anew for each use, so that nobody holds it for long."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._complaint = ""

    def record(self, profile: str, happenings: Sequence[Happening]) -> None:
        """Keeps what happened, in a moment, or logs why it cannot. Waits for nothing."""
        _writer.put(self, profile, happenings)

    def record_found(self, profile: str, token: Token | None, at: float) -> None:
        """Keeps what a look at `at` found, if nobody has told about it: a token, or that there is none any more."""
        _writer.put(self, profile, [(at, "gone" if token is None else "seen", token, None)])

    def keep(self, happenings: Sequence[tuple[str, Happening]]) -> None:
        """Writes what happened to which profile, all at once. Raises nothing."""
        try:
            self._write(happenings)
        except Exception as error:  # noqa: BLE001 - the token is safe already; whatever this is costs a record only
            if str(error) != self._complaint:
                self._complaint = str(error)
                logs.warning("History not written (%s: %s)", type(error).__name__, error)
        else:
            self._complaint = ""

    def version(self) -> object:
        """Differs from an earlier one whenever something was recorded since."""
        return version_of(self.path)

    def read(self, profile: str, since: float = 0.0) -> tuple[Event, ...]:
        """What happened from `since` on, and the last event before that brought or took a token; oldest first.

        Raises `StoreError` when the record is there and cannot be read. A damaged one is set aside.
        """
        return tuple(event for event in self._read(_events_since, profile, since) if event is not None)

    def profiles(self) -> list[str]:
        """Of which there is anything to tell. Raises `StoreError` like `read`."""
        return [str(row[0]) for row in self._read(_profiles)]

    def _read(self, ask: Callable[..., Iterator[Any]], *values: object) -> list[Any]:
        if not os.path.exists(self.path):
            return []
        import sqlite3

        before = version_of(self.path)
        try:
            with closing(self._connect()) as database:
                return list(ask(database, *values)) if _schema(database) else []
        except _Damaged:
            self._set_aside(before)
            return []
        except sqlite3.Error as error:
            if _is_damage(error):
                self._set_aside(before)
                return []
            raise StoreError(
                msg("The history in {path} cannot be read ({reason}). Try again in a moment."),
                path=self.path,
                reason=str(error),
            ) from None

    def _write(self, happenings: Sequence[tuple[str, Happening]]) -> None:
        from tray_app.history.events import event_of, program_name

        by = program_name()
        events = [
            event_of(profile, at, kind, token, error=error, by=by) for profile, (at, kind, token, error) in happenings
        ]
        import sqlite3

        self._create()
        before = version_of(self.path)
        try:
            self._add(events)
        except (_Damaged, sqlite3.DatabaseError) as error:
            if not isinstance(error, _Damaged) and not _is_damage(error):
                raise
            self._set_aside(before)
            self._create()
            self._add(events)

    def _add(self, events: Sequence[Event]) -> None:
        with closing(self._connect()) as database:
            database.execute("BEGIN IMMEDIATE")
            if not _schema(database):
                for statement in _TABLES:
                    database.execute(statement)
            for event in events:
                _put(database, event)
            database.execute("COMMIT")

    def _connect(self) -> sqlite3.Connection:
        """Raises `StoreError` where SQLite would wait for a pipe, or write into a file that is not ours alone."""
        import sqlite3

        for path in (self.path, *(self.path + suffix for suffix in _SQLITE_SUFFIXES)):
            try:
                check_private(path)
            except OSError as error:
                raise StoreError(
                    msg("{path} cannot be used ({reason}). Mend or remove it."), path=path, reason=reason_of(error)
                ) from None
        return sqlite3.connect(self.path, timeout=PATIENCE_SECONDS, isolation_level=None)

    def _create(self) -> None:
        """Create an empty file, which is an empty database; SQLite itself would make one that others can read."""
        make_private_folder(os.path.dirname(self.path))
        with contextlib.suppress(FileExistsError):
            os.close(create_private(self.path))

    def _set_aside(self, judged: object) -> None:
        """Only the file that was judged. SQLite itself throws away a journal beside the empty file that comes next."""
        if judged is None or version_of(self.path) != judged:
            return
        logs.error("The history was damaged; it is kept as %s.damaged, and a new one begins", FILE)
        move_private(self.path, self.path + ".damaged")


class _Writer:
    """The one thread of this process that writes records, so that nobody waits for a disk because of them.

    What comes in a burst is written at once. It is a daemon: a disk that hangs does not hold up the end.
    """

    def __init__(self) -> None:
        self._news = threading.Condition()
        self._waiting: deque[tuple[History, str, Happening]] = deque(maxlen=_MOST_WAITING)
        self._put = self._written = 0
        self._thread: threading.Thread | None = None
        self._histories: dict[str, History] = {}
        """One for each file, which remembers what it has complained of."""

    def put(self, history: History, profile: str, happenings: Sequence[Happening]) -> None:
        with self._news:
            self._waiting.extend((history, profile, one) for one in happenings)
            self._put += 1
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="history record", daemon=True)
                try:
                    self._thread.start()
                except RuntimeError:  # the process is ending
                    self._thread = None
            self._news.notify_all()

    def flush(self, timeout: float) -> bool:
        """Waits until what was put is written; False when that takes longer than `timeout` seconds."""
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
    """Waits until all that this process told is written, `timeout` seconds at the most; tells whether it is."""
    return _writer.flush(timeout)


def _after_fork() -> None:
    """The thread is the parent's; what it has not written is the parent's to write."""
    global _writer  # noqa: PLW0603 - one for the process
    _writer = _Writer()


atexit.register(flush_history)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def open_history(settings: Settings) -> History | None:
    """None where the token rests in memory: then nothing about it is left on a disk either. Opens no file."""
    return None if settings.store == "memory" else History(os.path.join(settings.data_dir, FILE))


_TABLES = (
    "CREATE TABLE events (id INTEGER PRIMARY KEY, at REAL NOT NULL, profile TEXT NOT NULL, kind TEXT NOT NULL,"
    " token TEXT NOT NULL, created REAL, expires REAL, code TEXT NOT NULL, message TEXT NOT NULL,"
    ' "values" TEXT NOT NULL, by TEXT NOT NULL, times INTEGER NOT NULL, until REAL NOT NULL)',
    "CREATE INDEX events_of_profile ON events (profile, id)",
    f"PRAGMA user_version = {_SCHEMA}",
)

_BRINGS_OR_TAKES = "kind <> 'failed'"


def _schema(database: sqlite3.Connection) -> int:
    """0 for an empty file. Raises `NewerHistory`, and `_Damaged` for a database of something else."""
    version = int(database.execute("PRAGMA user_version").fetchone()[0])
    if version > _SCHEMA:
        raise NewerHistory(msg("The history was written by a newer version of this program. Update this one."))
    tables = {row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if tables != ({"events"} if version else set()):
        raise _Damaged
    return version


def _is_damage(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED_CODES


def _put(database: sqlite3.Connection, event: Event) -> None:
    """Adds the event, unless it is no news or only the last one again."""
    from tray_app.history.events import BRINGS, FOUND_BY_LOOKING, EventKind

    if event.kind not in FOUND_BY_LOOKING and event.kind is not EventKind.FAILED:
        # Whoever looks may find a change before the one who made it has told: who made it knows better.
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
            (event.at, _row(event)[8], last[0]),
        )
        return
    database.execute(f"INSERT INTO events ({_COLUMNS}) VALUES ({', '.join('?' * 12)})", _row(event))  # noqa: S608
    database.execute("DELETE FROM events WHERE until < ?", (event.at - KEPT_SECONDS,))
    database.execute(
        "DELETE FROM events WHERE profile = ?1 AND id <="
        " (SELECT id FROM events WHERE profile = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
        (event.profile, KEPT_EVENTS),
    )


def _about(event: Event, token_of: Event) -> Event:
    from dataclasses import replace

    return replace(event, token=token_of.token, created=token_of.created, expires=token_of.expires)


def _is_again(event: Event, last: Event) -> bool:
    """Whether the last event went on: a program that fails, or asks in vain, every few seconds."""
    from tray_app.history.events import EventKind

    return (
        event.kind in {EventKind.FAILED, EventKind.SAME}
        and (event.kind, event.token, event.code, event.message, event.by)
        == (last.kind, last.token, last.code, last.message, last.by)
        and 0 <= event.at - last.until < _AGAIN_SECONDS
    )


def _last(database: sqlite3.Connection, profile: str, condition: str) -> tuple[int, Event] | None:
    rows = database.execute(
        f"SELECT {_COLUMNS}, id FROM events WHERE profile = ? AND {condition} ORDER BY id DESC LIMIT 1",  # noqa: S608
        (profile,),
    )
    for row in rows:
        event = _event(row[:12])
        if event is not None:
            return int(row[12]), event
    return None


def _events_since(database: sqlite3.Connection, profile: str, since: float) -> Iterator[Event | None]:
    before = database.execute(
        f"SELECT max(at) FROM events WHERE profile = ? AND at < ? AND {_BRINGS_OR_TAKES}",  # noqa: S608
        (profile, since),
    ).fetchone()[0]
    rows = database.execute(
        f"SELECT {_COLUMNS} FROM events WHERE profile = ? AND (until >= ? OR at = ?) ORDER BY at, id",  # noqa: S608
        (profile, since, before),
    )
    for row in rows:
        yield _event(row)


def _profiles(database: sqlite3.Connection) -> Iterator[Any]:
    yield from database.execute("SELECT DISTINCT profile FROM events ORDER BY profile")


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
    """None for a row that a hand or a newer program has written in another way."""
    import json

    from tray_app.history.events import Event, EventKind

    try:
        at, profile, kind, token, created, expires, code, message, values, by, times, until = row
        return Event(
            float(at),
            str(profile),
            EventKind(kind),
            str(token),
            None if created is None else float(created),
            None if expires is None else float(expires),
            str(code),
            str(message),
            dict(json.loads(values)),
            str(by),
            int(times),
            float(until),
        )
    except (ValueError, TypeError, OverflowError):
        return None
