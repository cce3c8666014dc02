"""The address of the user's D-Bus session bus, also for a program that was started outside the desktop session."""

from __future__ import annotations

import os
import stat
import sys
from urllib.parse import quote

from tray_app.system.user_folders import runtime_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_VARIABLE = "DBUS_SESSION_BUS_ADDRESS"


def is_bus_named(environ: Mapping[str, str]) -> bool:
    """Return True if the environment names the bus. Cron, ssh and system units start programs without that variable."""
    return bool(environ.get(_VARIABLE))


def session_bus_address(environ: Mapping[str, str]) -> str:
    """Return the address that the environment names, else that of the usual place; empty if there is no bus.

    The usual place is `bus` in the user's runtime folder, and counts only if it is a socket of this very user.
    """
    if is_bus_named(environ):
        return environ[_VARIABLE]
    if sys.platform == "win32":
        return ""
    folder = environ.get("XDG_RUNTIME_DIR", "")
    if not os.path.isabs(folder):
        folder = runtime_folder()
    path = os.path.join(folder, "bus")
    try:
        found = os.stat(path)
    except OSError:
        return ""
    if not stat.S_ISSOCK(found.st_mode) or found.st_uid != os.geteuid():
        return ""
    return f"unix:path={quote(path, safe='/-_.*')}"
