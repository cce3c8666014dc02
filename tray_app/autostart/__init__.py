"""Starting at login. Only the operating system stores its state and is asked each time; nothing is remembered here.

Calls may wait for a disk, `launchctl` or the desktop's question to the user: never make them on the GUI thread.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tray_app.autostart.base import Autostart, Status

__all__ = ["for_this_system", "switch"]


def for_this_system() -> Autostart:
    """Return what starts this copy of the program at login on this system."""
    from tray_app.autostart.program import start_command

    if sys.platform == "win32":
        from tray_app.autostart.windows import WindowsAutostart

        return WindowsAutostart(start_command())
    if sys.platform == "darwin":
        from tray_app.autostart.macos import MacAutostart

        return MacAutostart(start_command())
    if is_flatpak():
        from tray_app.autostart.flatpak import FlatpakAutostart

        return FlatpakAutostart()
    from tray_app.autostart.freedesktop import FreedesktopAutostart

    return FreedesktopAutostart(start_command())


def switch(*, on: bool) -> Status:
    """Switch starting at login on or off and return the status. Raises `AutostartFailed`."""
    autostart = for_this_system()
    if on:
        autostart.enable()
    else:
        autostart.disable()
    return autostart.status()


def is_flatpak() -> bool:
    """Return True if this program runs in a Flatpak, which cannot reach the user's autostart folder."""
    return bool(os.environ.get("FLATPAK_ID")) or os.path.exists("/.flatpak-info")
