"""Desktop notifications as Linux desktops take them: one bubble that is replaced, a click that comes back.

Qt's own balloon asks for a new bubble each time and is told of a click on urgent ones only (seen with Qt 6.12
and xfce4-notifyd 0.7.3), so this speaks to `org.freedesktop.Notifications` itself.
"""

from __future__ import annotations

import threading
from queue import Queue
from typing import TYPE_CHECKING

from jeepney import DBusAddress, MatchRule, message_bus, new_method_call
from jeepney.io.threading import DBusRouter, Proxy, open_dbus_connection
from jeepney.wrappers import unwrap_msg

if TYPE_CHECKING:
    from collections.abc import Callable

    from jeepney import Message

_SERVER = DBusAddress(
    "/org/freedesktop/Notifications",
    bus_name="org.freedesktop.Notifications",
    interface="org.freedesktop.Notifications",
)
_TIMEOUT_SECONDS = 5.0
_URGENCY_NORMAL, _URGENCY_CRITICAL = 1, 2
_DEFAULT_EXPIRY = -1


class FreedesktopNotices:
    """One bubble at a time. Not for the GUI thread: each call waits for the notification daemon.

    `clicked` is called on a thread of its own.
    """

    def __init__(self, app_name: str, icon_path: str, clicked: Callable[[], None]) -> None:
        self._app_name = app_name
        self._icon_path = icon_path
        self._clicked = clicked
        self._router: DBusRouter | None = None
        self._shown = 0

    def show(self, title: str, body: str, button: str, *, urgent: bool) -> None:
        """Shows a bubble in the place of the one before. Raises what jeepney raises when there is no daemon."""
        router = self._connected()
        hints = {
            "urgency": ("y", _URGENCY_CRITICAL if urgent else _URGENCY_NORMAL),
            "desktop-entry": ("s", self._app_name),
        }
        actions = ["default", button]
        fields = (self._app_name, self._shown, self._icon_path, title, body, actions, hints, _DEFAULT_EXPIRY)
        try:
            reply = router.send_and_get_reply(
                new_method_call(_SERVER, "Notify", "susssasa{sv}i", fields), timeout=_TIMEOUT_SECONDS
            )
        except Exception:
            self._router = None  # the bus is gone or mute: connect anew next time
            raise
        self._shown = unwrap_msg(reply)[0]

    def _connected(self) -> DBusRouter:
        if self._router is None:
            router = DBusRouter(open_dbus_connection("SESSION"))
            rule = MatchRule(
                type="signal", interface=_SERVER.interface, member="ActionInvoked", path=_SERVER.object_path
            )
            Proxy(message_bus, router, timeout=_TIMEOUT_SECONDS).AddMatch(rule)
            invoked: Queue[Message] = Queue()
            router.filter(rule, queue=invoked)
            threading.Thread(target=self._listen, args=(invoked,), name="notices", daemon=True).start()
            self._router = router
        return self._router

    def _listen(self, invoked: Queue[Message]) -> None:
        while True:
            if invoked.get().body[0] == self._shown:
                self._clicked()
