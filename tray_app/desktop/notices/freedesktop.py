"""Notifications of Linux desktops, which can be replaced and whose buttons report back.

This speaks to `org.freedesktop.Notifications` itself. Qt's own balloon cannot be replaced and reports a click on
urgent ones only (seen with Qt 6.12 and xfce4-notifyd 0.7.3). `desktop-notifier`, used on Windows and macOS, cannot
replace one here either and brings an asyncio loop and a second D-Bus library of 18 MB, while jeepney is needed for
the keyring anyway.
"""

from __future__ import annotations

import contextlib
import threading
from html import escape
from queue import Queue
from typing import TYPE_CHECKING

from jeepney import DBusAddress, HeaderFields, MatchRule, message_bus, new_method_call
from jeepney.io.threading import DBusRouter, Proxy, open_dbus_connection
from jeepney.wrappers import DBusErrorResponse, unwrap_msg

from tray_app.desktop.notices.backend import OPEN

if TYPE_CHECKING:
    from collections.abc import Callable

    from jeepney import Message

    from tray_app.desktop.notices.backend import Notification

_SERVER = DBusAddress(
    "/org/freedesktop/Notifications",
    bus_name="org.freedesktop.Notifications",
    interface="org.freedesktop.Notifications",
)
_TIMEOUT_SECONDS = 5.0
_URGENCY_NORMAL, _URGENCY_CRITICAL = 1, 2
_URGENT_SOUND = "dialog-warning"
"""A name of the Sound Naming Specification of freedesktop.org."""

_SERVERS_OWN_EXPIRY, _NO_EXPIRY = -1, 0


class FreedesktopBackend:
    """Show one notification for each owner. Each call waits for the daemon, so it is not for the GUI thread.

    `pressed(owner, key)` is called on a thread of its own. Raises what jeepney raises when there is no daemon.
    """

    def __init__(self, app_name: str, icon_path: str, pressed: Callable[[str, str], None]) -> None:
        self._app_name = app_name
        self._icon_path = icon_path
        self._pressed = pressed
        self._router: DBusRouter | None = None
        self._signals: Queue[Message | None] = Queue()
        self._server = ""
        self._capabilities: frozenset[str] = frozenset()
        self._shown: dict[str, int] = {}
        """The open notifications."""
        self._last: dict[str, int] = {}
        """Also those closed last: some daemons close a notification before they report which button was pressed."""

    def show(self, notification: Notification) -> None:
        self._check_server()
        actions = []
        if "actions" in self._capabilities:  # daemons without actions show a dialog for a notification that has any
            buttons = (*notification.buttons, (OPEN, notification.open_label))  # some daemons show the last as a button
            actions = [part for button in buttons for part in button]
        body = escape(notification.body, quote=False) if "body-markup" in self._capabilities else notification.body
        hints = {
            "urgency": ("y", _URGENCY_CRITICAL if notification.urgent else _URGENCY_NORMAL),
            "desktop-entry": ("s", self._app_name),
            "transient": ("b", notification.transient),
            **({"sound-name": ("s", _URGENT_SOUND)} if notification.urgent else {}),
        }
        expiry = _NO_EXPIRY if notification.urgent else _SERVERS_OWN_EXPIRY
        fields = (
            self._app_name,
            self._shown.get(notification.owner, 0),
            self._icon_path,
            notification.title,
            body,
            actions,
            hints,
            expiry,
        )
        reply = self._call(new_method_call(_SERVER, "Notify", "susssasa{sv}i", fields))
        self._shown[notification.owner] = self._last[notification.owner] = unwrap_msg(reply)[0]
        self._server = reply.header.fields.get(HeaderFields.sender, self._server)

    def withdraw(self, owner: str) -> None:
        self._check_server()
        ident = self._shown.pop(owner, None)
        if ident is not None:
            with contextlib.suppress(DBusErrorResponse):  # already closed
                unwrap_msg(self._call(new_method_call(_SERVER, "CloseNotification", "u", (ident,))))

    def disconnect(self) -> None:
        """Leave the bus; the next call connects anew."""
        router, self._router = self._router, None
        self._signals.put(None)
        if router is not None:
            _close(router)

    def _check_server(self) -> None:
        """Forget the notifications of a daemon that has restarted, which may reuse their numbers."""
        server = self._server_owner()
        if server and server == self._server:
            return
        self._shown.clear()
        self._last.clear()
        self._capabilities = frozenset(unwrap_msg(self._call(new_method_call(_SERVER, "GetCapabilities")))[0])
        self._server = server or self._server_owner()  # the call may have started it

    def _server_owner(self) -> str:
        try:
            return str(unwrap_msg(self._call(message_bus.GetNameOwner(_SERVER.bus_name)))[0])
        except DBusErrorResponse:
            return ""

    def _call(self, message: Message) -> Message:
        router = self._connect()
        try:
            return router.send_and_get_reply(message, timeout=_TIMEOUT_SECONDS)
        except Exception:
            self.disconnect()  # the bus is gone or hangs: reconnect next time
            raise

    def _connect(self) -> DBusRouter:
        if self._router is None:
            router = DBusRouter(open_dbus_connection("SESSION"))
            rule = MatchRule(type="signal", interface=_SERVER.interface, path=_SERVER.object_path)
            signals: Queue[Message | None] = Queue()
            try:
                Proxy(message_bus, router, timeout=_TIMEOUT_SECONDS).AddMatch(rule)
                router.filter(rule, queue=signals)
                threading.Thread(target=self._listen, args=(signals,), name="notices", daemon=True).start()
            except Exception:
                _close(router)
                raise
            self._router, self._signals, self._server = router, signals, ""  # only one whose buttons are heard
        return self._router

    def _listen(self, signals: Queue[Message | None]) -> None:
        while (message := signals.get()) is not None:
            member, body = message.header.fields.get(HeaderFields.member), message.body
            owner = next((owner for owner, ident in [*self._last.items()] if body[:1] == (ident,)), None)
            if owner is None:
                continue
            if member == "NotificationClosed":
                self._shown.pop(owner, None)
            elif member == "ActionInvoked":
                self._pressed(owner, body[1])


def _close(router: DBusRouter) -> None:
    with contextlib.suppress(OSError):
        router.close()
        router.conn.close()
