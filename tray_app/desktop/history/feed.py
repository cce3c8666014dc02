"""The data of the history window, read on a worker and refreshed while the window is visible."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from tray_app.core.errors import KiwoomTokenError, StoreError, known_error, say
from tray_app.core.language import msg, tr
from tray_app.core.token import KST
from tray_app.desktop.file_watch import FileWatch, watchable
from tray_app.desktop.worker import Worker
from tray_app.history.events import Event
from tray_app.history.tabular import as_csv
from tray_app.history.timeline import Week, days_until, week_of
from tray_app.history.words import entry_text, moment_text, summary_text, until_text
from tray_app.system.private_files import reason_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tray_app.core.token import Token
    from tray_app.history.database import History
    from tray_app.history.timeline import Entry

    FindToken = Callable[[], Token | None]
    """Return the present token of a profile. May take time, and may raise `StoreError`."""

_MINUTE_MILLISECONDS = 60_000


@dataclass(frozen=True, slots=True)
class Row:
    """An entry of the list: plain text in the current language."""

    entry: Entry
    when: str
    what: str
    until: str
    program: str

    @property
    def sentence(self) -> str:
        """The whole row as a screen reader says it."""
        return ", ".join(one for one in (self.when, self.what, self.until, self.program) if one)


@dataclass(frozen=True, slots=True)
class Page:
    """All that the window shows.

    `rows` are the entries of the week, newest first. `problem` says why the history could not be read, or is empty.
    `is_kept` is False where nothing is recorded because the token is stored in memory.
    """

    profile: str
    profiles: tuple[str, ...]
    week: Week | None = None
    rows: tuple[Row, ...] = ()
    summary: str = ""
    problem: str = ""
    is_kept: bool = True

    @property
    def text(self) -> str:
        """What is said above the chart: what is wrong, else what the week was like."""
        if self.problem or self.is_kept:
            return self.problem or self.summary
        return tr("The token is stored in memory only, so nothing is recorded.")

    @property
    def is_bad(self) -> bool:
        """True if a token was missing in trading hours, or the history cannot be read."""
        missed = self.week is not None and self.week.gap_seconds() >= 1
        return missed or bool(self.problem)


class HistoryFeed(QObject):
    """Read the history of one account.

    `changed(Page)` carries the result, `exported(message, succeeded)` that of an export. `profiles` maps each account
    to a function that returns its present token; `mode_of` returns an account's mode, `real` or `demo`, whose trading
    hours differ. While it is not active, nothing is read and no timer runs.
    """

    changed = Signal(object)
    exported = Signal(str, bool)

    def __init__(
        self,
        history: History | None,
        profiles: Mapping[str, FindToken],
        clock: Callable[[], float] = time.time,
        parent: QObject | None = None,
        *,
        mode_of: Callable[[str], str] = lambda _: "real",
    ) -> None:
        super().__init__(parent)
        self._mode_of = mode_of
        self._history = history
        self._profiles = dict(profiles)
        self._clock = clock
        self._is_active = False
        self._is_reading = False
        self._read_again = False
        self.page = Page(next(iter(self._profiles), ""), tuple(self._profiles), is_kept=history is not None)
        self._worker = Worker("history", self)
        self._files = FileWatch(self)
        self._files.changed.connect(self.refresh)
        self._minute = QTimer(self, singleShot=True, timerType=Qt.TimerType.CoarseTimer)
        self._minute.timeout.connect(self.refresh)

    def use(self, history: History | None, profiles: Mapping[str, FindToken]) -> None:
        """Switch to another database or other accounts after the settings changed."""
        self._history, self._profiles = history, dict(profiles)
        if self.page.profile not in self._profiles:
            self.choose(next(iter(self._profiles), ""))
        else:
            self.refresh()

    def choose(self, profile: str) -> None:
        """Show the history of that account."""
        self.page = Page(profile, tuple(self._profiles), is_kept=self._history is not None)
        self.refresh()

    def set_active(self, is_active: bool) -> None:
        """Refresh only while the window is visible."""
        self._is_active = is_active
        if is_active:
            self.refresh()
        else:
            self._minute.stop()
            self._files.watch(set())

    def refresh(self) -> None:
        """Read again, if the window is visible."""
        if not self._is_active:
            return
        if self._is_reading:
            self._read_again = True
            return
        self._is_reading, self._read_again = True, False
        history, profile, profiles = self._history, self.page.profile, dict(self._profiles)
        mode = self._mode_of(profile)
        self._worker.run(lambda: _read(history, profile, profiles, self._clock(), mode=mode), self._read)

    def export(self, path: str, entries: Sequence[Entry]) -> None:
        """Write these entries as a CSV file that Excel opens on a double click."""

        def written(_: object, error: Exception | None) -> None:
            if error is None:
                self.exported.emit(tr("The list was saved: {path}", path=path), True)  # noqa: FBT003 - a signal's value
            else:
                reason = say(error) if isinstance(error, KiwoomTokenError) else type(error).__name__
                self.exported.emit(reason, False)  # noqa: FBT003

        profile = self.page.profile
        self._worker.run(lambda: _write(path, as_csv(entries, profile)), written)

    def _read(self, found: tuple[Page, set[str]] | None, error: Exception | None) -> None:
        self._is_reading = False
        if error is not None:
            self._show(Page(self.page.profile, tuple(self._profiles), problem=say(known_error(error))))
        elif found is not None:
            page, watch_paths = found
            if self._is_active:
                self._files.watch(watch_paths)
            if page.profile == self.page.profile:
                self._show(page)
        if self._read_again:
            self.refresh()
        elif self._is_active:
            into_minute = int(self._clock() * 1000) % _MINUTE_MILLISECONDS
            self._minute.start(_MINUTE_MILLISECONDS - into_minute)

    def _show(self, page: Page) -> None:
        self.page = page
        self.changed.emit(page)


def _read(
    history: History | None, profile: str, profiles: Mapping[str, FindToken], now: float, *, mode: str
) -> tuple[Page, set[str]]:
    names = tuple(profiles)
    if history is None:
        return Page(profile, names, week_of(profile, (), now, mode=mode), is_kept=False), set()
    watch_paths = watchable([history.path])
    events = history.read(profile, days_until(now)[0].start)
    week = week_of(profile, events, now, mode=mode)
    if week.life_at(now) is None and profile in profiles:  # the keyring is not asked for what is known
        with contextlib.suppress(KiwoomTokenError):  # the status window says what is wrong with the storage
            week = week_of(profile, events, now, profiles[profile](), mode=mode)
    rows = tuple(_row(entry) for entry in reversed(week.entries))
    return Page(profile, names, week, rows, summary_text(week)), watch_paths


def _row(entry: Entry) -> Row:
    return Row(
        entry,
        f"{moment_text(entry.at)}:{datetime.fromtimestamp(entry.at, KST):%S}",
        entry_text(entry),
        until_text(entry),
        entry.by if isinstance(entry, Event) else "",
    )


def _write(path: str, text: str) -> None:
    try:
        with open(path, "w", encoding="utf-8-sig", errors="replace", newline="") as file:
            file.write(text)
    except OSError as error:
        raise StoreError(
            msg("{path} cannot be written ({reason}). Close it in other programs or choose another folder."),
            path=path,
            reason=reason_of(error),
        ) from None
