"""What there is to know of the user's session: sleep, the clock, the lock, the end, the taskbar's theme."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

from tray_app.system.clock_jumps import ClockJumpDetector

_LONGEST_TICK_SECONDS = 120.0
"""A minute, and the time that a keyring may take to answer in between."""
_SETTLE_MILLISECONDS = 300
"""A computer that wakes is told of in several ways at once; one signal serves them all."""


class SessionEvents(QObject):
    """`resumed` after a sleep or a change of the clock, once for each; `locked(bool)` when nobody can see the screen
    or somebody can again; `ending` when the session ends, which nobody can refuse any more: the process is killed soon;
    `theme_changed` when Windows has changed the colours of the taskbar, of which Qt does not tell.

    It has no timer that repeats: `tick` is to be called by one that is there anyway, at least once a minute.
    """

    resumed = Signal()
    locked = Signal(bool)
    ending = Signal()
    theme_changed = Signal()

    def __init__(self, parent: QObject | None = None, gaps: ClockJumpDetector | None = None) -> None:
        super().__init__(parent)
        self._gaps = gaps or ClockJumpDetector(_LONGEST_TICK_SECONDS)
        self._away: set[str] = set()
        self._settle = QTimer(self, singleShot=True, interval=_SETTLE_MILLISECONDS)
        self._settle.timeout.connect(self._settled)

    def tick(self) -> None:
        """Looks for a gap in time."""
        if self._gaps.gap():
            self.note_gap()

    def note_gap(self) -> None:
        """The system tells of a sleep that is over, or of a clock that was set."""
        if not self._settle.isActive():
            self._settle.start()

    def note_lock(self, source: str, *, is_locked: bool) -> None:
        """One of those that may know tells how it is now."""
        before = bool(self._away)
        (self._away.add if is_locked else self._away.discard)(source)
        if bool(self._away) != before:
            self.locked.emit(not before)

    def _settled(self) -> None:
        self._gaps.gap()  # this gap was told of; `tick` need not tell again
        self.resumed.emit()
