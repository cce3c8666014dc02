"""Start at login, changed off the GUI thread."""

from __future__ import annotations

from PySide6.QtCore import QObject

from tray_app import autostart
from tray_app.core import logs
from tray_app.desktop.worker import Worker


class AutostartWorker(QObject):
    """Switch or repair start at login on a thread. A failure is only logged: the settings window and `doctor` show
    it."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._worker = Worker("autostart", self)

    def repair(self) -> None:
        """Correct the command of start at login, because the program may have been moved."""
        self._worker.run(lambda: autostart.for_this_system().repair(), _log_failure)

    def switch(self, *, on: bool) -> None:
        self._worker.run(lambda: switch_if_different(on=on), _log_failure)


def switch_if_different(*, on: bool) -> None:
    """Switch start at login, unless it is so already: some systems ask the user each time."""
    status = autostart.for_this_system().status()
    if not (status.enabled if on else not status.configured):
        autostart.switch(on=on)


def _log_failure(_: object, error: Exception | None) -> None:
    if error is not None:
        logs.warning("Start at login not changed: %s", error)
