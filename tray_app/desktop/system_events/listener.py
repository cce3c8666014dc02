"""The session of the system on which the program runs.

macOS tells of it to programs in Objective-C only; there, a gap in time is all that is noticed.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tray_app.desktop.system_events.events import SessionEvents

if TYPE_CHECKING:
    from tray_app.desktop.system_events.linux import LinuxSession
    from tray_app.desktop.system_events.windows import WindowsSession


class SystemSession(SessionEvents):
    """The events as the system tells of them from `start` to `stop`."""

    _source: LinuxSession | WindowsSession | None = None

    def start(self) -> None:
        """Listens from now on. Never waits."""
        if sys.platform == "win32":
            from tray_app.desktop.system_events.windows import WindowsSession

            self._source = WindowsSession(self)
        elif sys.platform == "linux":
            from tray_app.desktop.system_events.linux import LinuxSession

            self._source = LinuxSession(self)

    def stop(self) -> None:
        """Listens no longer."""
        source, self._source = self._source, None
        if source is not None:
            source.stop()
