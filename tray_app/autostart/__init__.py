"""Starting at login. The operating system knows whether it is so, nothing else does: each question is asked of it.

Calls may wait for the disk, for `launchctl` or for the desktop's own question to the user: never on the GUI thread.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tray_app.autostart.base import Autostart, Status

__all__ = ["for_this_system", "switch"]


def for_this_system() -> Autostart:
    """How this program, as it runs now, is started at login on this system."""
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
    """Makes it so, whatever was before, and says how it is now. Raises `AutostartFailed`."""
    autostart = for_this_system()
    if on:
        autostart.enable()
    else:
        autostart.disable()
    return autostart.status()


def is_flatpak() -> bool:
    """Whether this program runs in a Flatpak, which cannot reach the user's autostart folder."""
    return bool(os.environ.get("FLATPAK_ID")) or os.path.exists("/.flatpak-info")
