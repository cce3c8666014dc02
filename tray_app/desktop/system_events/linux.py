"""System events of Linux, received from two D-Bus buses on a thread each.

A bus that is missing or does not answer is ignored; clock jumps are still detected.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Qt, Signal

from tray_app.core import logs

if TYPE_CHECKING:
    from collections.abc import Callable

    from jeepney import MatchRule, Message
    from jeepney.io.blocking import DBusConnection

    from tray_app.desktop.system_events.events import SystemEvents

_TIMEOUT_SECONDS = 5.0
_LOGIN = "org.freedesktop.login1"
_MANAGER = "/org/freedesktop/login1"
_OWN_SESSION = "/org/freedesktop/login1/session/auto"
_SCREEN_SAVERS = ("org.freedesktop.ScreenSaver", "org.gnome.ScreenSaver")
"""Plasma, Xfce and MATE use the first, GNOME and Cinnamon one like the second."""


class LinuxEvents(QObject):
    """Carry what the threads receive to the GUI thread. It has no parent, because the threads need it."""

    clock_jump = Signal()
    ending = Signal()
    lock = Signal(str, bool)

    def __init__(self, events: SystemEvents) -> None:
        super().__init__()
        self._connections: list[DBusConnection] = []
        self._is_over = False
        self._events = events
        later = Qt.ConnectionType.QueuedConnection
        self.clock_jump.connect(events.report_clock_jump, later)
        self.ending.connect(events.ending, later)
        self.lock.connect(self._report_lock, later)
        for bus, receive in (("SYSTEM", self._receive_system), ("SESSION", self._receive_session)):
            with contextlib.suppress(RuntimeError):  # no more threads: the program goes on without this bus
                threading.Thread(target=self._listen, args=(bus, receive), name="session", daemon=True).start()

    def stop(self) -> None:
        """Stop the threads, whatever they wait for."""
        self._is_over = True
        for connection in self._connections:
            with contextlib.suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)

    def _report_lock(self, source: str, is_locked: bool) -> None:
        self._events.report_lock(source, is_locked=is_locked)

    def _listen(self, bus: str, receive: Callable[[DBusConnection], None]) -> None:
        from jeepney.bus import get_bus
        from jeepney.io.blocking import DBusConnection, prep_socket

        try:
            # a bus that ends while it is greeted would leave the socket open
            with prep_socket(get_bus(bus), timeout=_TIMEOUT_SECONDS) as opened, DBusConnection(opened) as connection:
                self._connections.append(connection)
                if not self._is_over:
                    receive(connection)
        except Exception as error:  # noqa: BLE001 - whatever the bus does, the program goes on without it
            logs.debug("The %s bus does not report on the session (%s)", bus, type(error).__name__)

    def _receive_system(self, connection: DBusConnection) -> None:
        from jeepney import MatchRule

        rules = [
            MatchRule(type="signal", interface=f"{_LOGIN}.Manager", member=name, path=_MANAGER)
            for name in ("PrepareForSleep", "PrepareForShutdown")
        ]
        session = _own_session(connection)
        if session:
            properties = "org.freedesktop.DBus.Properties"
            rules.append(MatchRule(type="signal", interface=properties, member="PropertiesChanged", path=session))
        _subscribe(connection, rules)
        while True:
            name, body = _next_signal(connection)
            if name == "PrepareForSleep" and body == (False,):
                self.clock_jump.emit()
            elif name == "PrepareForShutdown" and body == (True,):
                self.ending.emit()
            elif name == "PropertiesChanged" and "LockedHint" in body[1]:
                self.lock.emit("login", bool(body[1]["LockedHint"][1]))

    def _receive_session(self, connection: DBusConnection) -> None:
        from jeepney import HeaderFields, MatchRule

        rules = [MatchRule(type="signal", interface=one, member="ActiveChanged") for one in _SCREEN_SAVERS]
        _subscribe(connection, rules)
        while True:
            message = connection.receive()
            if _signal_name(message) == "ActiveChanged":
                self.lock.emit(message.header.fields[HeaderFields.interface], bool(message.body[0]))


def _subscribe(connection: DBusConnection, rules: list[MatchRule]) -> None:
    from jeepney import message_bus
    from jeepney.io.blocking import Proxy

    for rule in rules:
        Proxy(message_bus, connection, timeout=_TIMEOUT_SECONDS).AddMatch(rule)


def _own_session(connection: DBusConnection) -> str:
    """Return the D-Bus path of this login session; empty where logind does not know it or is missing."""
    from jeepney import DBusAddress, Properties, new_method_call
    from jeepney.wrappers import DBusErrorResponse, unwrap_msg

    def ask(call: Message) -> Any:
        return unwrap_msg(connection.send_and_get_reply(call, timeout=_TIMEOUT_SECONDS))[0]

    try:
        ident = os.environ.get("XDG_SESSION_ID")
        if not ident:
            own = DBusAddress(_OWN_SESSION, bus_name=_LOGIN, interface=f"{_LOGIN}.Session")
            ident = ask(Properties(own).get("Id"))[1]
        manager = DBusAddress(_MANAGER, bus_name=_LOGIN, interface=f"{_LOGIN}.Manager")
        return str(ask(new_method_call(manager, "GetSession", "s", (ident,))))
    except (DBusErrorResponse, TimeoutError):
        return ""


def _next_signal(connection: DBusConnection) -> tuple[str, tuple[Any, ...]]:
    while True:
        message = connection.receive()
        name = _signal_name(message)
        if name:
            return name, message.body


def _signal_name(message: Message) -> str:
    from jeepney import HeaderFields, MessageType

    if message.header.message_type is not MessageType.signal:
        return ""
    return str(message.header.fields[HeaderFields.member])
