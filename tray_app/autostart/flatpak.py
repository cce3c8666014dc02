"""Flatpak: the desktop's portal is asked, which may ask the user.

The portal cannot be asked for the present state, so its last answer is stored in the Flatpak's state folder.
"""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

from tray_app.autostart import files
from tray_app.autostart.base import Status
from tray_app.autostart.program import BACKGROUND
from tray_app.core.errors import AutostartFailed
from tray_app.core.language import msg, tr
from tray_app.settings.places import state_dir
from tray_app.system.child_process import TRAY_PROGRAM

if TYPE_CHECKING:
    from jeepney.io.blocking import DBusConnection

_PORTAL = "org.freedesktop.portal.Desktop"
_PATH = "/org/freedesktop/portal/desktop"
_REQUEST = "org.freedesktop.portal.Request"
_CALL_SECONDS = 5.0
ANSWER_SECONDS = 60.0
"""Long, because the desktop may ask the user."""
_GRANTED = 0


class FlatpakAutostart:
    def __init__(self) -> None:
        self._path = os.path.join(state_dir(), "autostart")
        self._command = [TRAY_PROGRAM, BACKGROUND]

    def status(self) -> Status:
        is_on = files.read(self._path) is not None
        starts = " ".join(self._command) if is_on else ""
        return Status(configured=is_on, as_it_should_be=is_on, enabled=is_on, place=_PORTAL, starts=starts)

    def enable(self) -> None:
        if not self._ask(autostart=True):
            files.remove(self._path)
            raise AutostartFailed(
                msg(
                    "The desktop does not allow starting at login. "
                    "Allow this program to run in the background in the desktop's settings, then try again."
                )
            )
        files.replace(self._path, b"")

    def disable(self) -> None:
        self._ask(autostart=False)
        files.remove(self._path)

    def repair(self) -> bool:
        """Do nothing: a Flatpak does not move."""
        return False

    def _ask(self, *, autostart: bool) -> bool:
        """Return what the portal grants. Raises `AutostartFailed` when it does not answer."""
        from jeepney.io.blocking import open_dbus_connection
        from jeepney.wrappers import DBusErrorResponse

        try:
            with open_dbus_connection("SESSION") as connection:
                return self._request(connection, autostart=autostart)
        except (OSError, KeyError, ValueError, DBusErrorResponse) as error:  # KeyError: the environment names no bus
            raise AutostartFailed(
                msg("The desktop's portal for starting at login does not answer ({reason}). Is it installed?"),
                reason=type(error).__name__,
            ) from None

    def _request(self, connection: DBusConnection, *, autostart: bool) -> bool:
        from jeepney import DBusAddress, MatchRule, message_bus, new_method_call
        from jeepney.io.blocking import Proxy
        from jeepney.wrappers import unwrap_msg

        token = f"kiwoom_{secrets.token_hex(8)}"
        sender = connection.unique_name.removeprefix(":").replace(".", "_")
        rule = MatchRule(type="signal", interface=_REQUEST, member="Response", path=f"{_PATH}/request/{sender}/{token}")
        Proxy(message_bus, connection, timeout=_CALL_SECONDS).AddMatch(rule)
        options = {
            "handle_token": ("s", token),
            "reason": ("s", tr("Keeps one Kiwoom token valid and shows the time left.")),
            "autostart": ("b", autostart),
            "commandline": ("as", self._command),
            "dbus-activatable": ("b", False),
        }
        portal = DBusAddress(_PATH, bus_name=_PORTAL, interface="org.freedesktop.portal.Background")
        call = new_method_call(portal, "RequestBackground", "sa{sv}", ("", options))
        with connection.filter(rule) as answers:
            unwrap_msg(connection.send_and_get_reply(call, timeout=_CALL_SECONDS))
            answer = connection.recv_until_filtered(answers, timeout=ANSWER_SECONDS)
        code, results = answer.body
        return code == _GRANTED and results.get("autostart", ("b", False))[1] is autostart
