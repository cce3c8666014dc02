"""The system events of this operating system.

macOS reports them to Objective-C programs only; there, only clock jumps are detected.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tray_app.desktop.system_events.events import SystemEvents

if TYPE_CHECKING:
    from tray_app.desktop.system_events.linux import LinuxEvents
    from tray_app.desktop.system_events.windows import WindowsEvents


class SystemEventListener(SystemEvents):
    """System events between `start` and `stop`."""

    _source: LinuxEvents | WindowsEvents | None = None

    def start(self) -> None:
        """Start listening. Returns at once."""
        if sys.platform == "win32":
            from tray_app.desktop.system_events.windows import WindowsEvents

            self._source = WindowsEvents(self)
        elif sys.platform == "linux":
            from tray_app.desktop.system_events.linux import LinuxEvents

            self._source = LinuxEvents(self)

    def stop(self) -> None:
        """Stop listening."""
        source, self._source = self._source, None
        if source is not None:
            source.stop()
