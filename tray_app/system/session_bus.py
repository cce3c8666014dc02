"""The address of the user's D-Bus session bus, also for a program that was started outside the desktop session."""

from __future__ import annotations

import os
import stat
import sys
from urllib.parse import quote

from tray_app.core import logs
from tray_app.core.pasted import variable
from tray_app.system.user_folders import owner_of_home, runtime_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping

_VARIABLE = "DBUS_SESSION_BUS_ADDRESS"
_NO_BUS = {"/dev/null", "unix:path=/dev/null", "disabled:", "disabled"}


def is_bus_named(environ: Mapping[str, str]) -> bool:
    """Return True if the environment names the bus. Cron, ssh and system units start programs without that variable."""
    return bool(variable(environ, _VARIABLE))


def session_bus_address(environ: Mapping[str, str]) -> str:
    """Return the address that the environment names, then that of the usual place, with a `;` between them as D-Bus
    writes a list to be tried in this order; empty if there is no bus.

    The named one may be that of a session that has ended: a terminal of `tmux` or `screen` goes on with it after the
    next login. The usual place is `bus` in the user's runtime folder, and counts only if it is a socket of this very
    user. Whoever names `/dev/null` or `disabled:` wants no bus, and gets none.
    """
    named, usual = variable(environ, _VARIABLE), _usual_address(environ)
    if usual in named.split(";") or named in _NO_BUS:
        return named
    return ";".join(filter(None, (named, usual)))


def _usual_address(environ: Mapping[str, str]) -> str:
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


def check_own_bus(connected: socket.socket) -> None:
    """Raise `PermissionError` if another user listens at the other end of this connection to the session bus.

    The environment of a terminal outlives its session. An address in `/tmp` or an abstract one is free then, and
    whoever takes it would be given what is meant for the keyring. Root's bus is believed, and so is that of the user
    whom root works for. Systems that do not tell who listens are not asked.
    """
    if sys.platform != "linux":
        return
    import socket
    import struct

    packed = connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("iII"))
    _, user, _ = struct.unpack("iII", packed)
    if user not in {0, os.geteuid(), owner_of_home()}:
        logs.warning("The session bus is not used: another user listens at its address")
        raise PermissionError
