"""What the operating system reports: sleep, clock changes, screen lock, logout, and the theme of the taskbar."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

from tray_app.system.clock_jumps import ClockJumpDetector

_LONGEST_TICK_SECONDS = 120.0
"""One minute, plus the time a keyring may take to answer."""
_SETTLE_MILLISECONDS = 300
"""Waking up is reported in several ways at once; one signal serves them all."""


class SystemEvents(QObject):
    """Signals for what happens to the system.

    `resumed` is emitted once after sleep or a change of the clock, `locked(bool)` when the screen is locked or
    unlocked, `ending` when the session ends and the process is about to be killed, and `theme_changed` when Windows
    has changed the colours of the taskbar, which Qt does not report.

    There is no repeating timer here: call `tick` at least once a minute from one that runs anyway.
    """

    resumed = Signal()
    locked = Signal(bool)
    ending = Signal()
    theme_changed = Signal()

    def __init__(self, parent: QObject | None = None, clock_jumps: ClockJumpDetector | None = None) -> None:
        super().__init__(parent)
        self._clock_jumps = clock_jumps or ClockJumpDetector(_LONGEST_TICK_SECONDS)
        self._away: set[str] = set()
        self._settle = QTimer(self, singleShot=True, interval=_SETTLE_MILLISECONDS)
        self._settle.timeout.connect(self._settled)

    def tick(self) -> None:
        """Check whether the clock has jumped."""
        if self._clock_jumps.gap():
            self.report_clock_jump()

    def report_clock_jump(self) -> None:
        """Report the end of sleep or a change of the clock."""
        if not self._settle.isActive():
            self._settle.start()

    def report_lock(self, source: str, *, is_locked: bool) -> None:
        """Report from one of several sources whether the screen is locked."""
        before = bool(self._away)
        (self._away.add if is_locked else self._away.discard)(source)
        if bool(self._away) != before:
            self.locked.emit(not before)

    def _settled(self) -> None:
        self._clock_jumps.gap()  # reported already; `tick` need not report it again
        self.resumed.emit()
