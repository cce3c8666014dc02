"""Notifications of a Linux desktop whose bus answers late. All else is tried with a real daemon, in `tests/desktop`."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.doubles import private_bus

if TYPE_CHECKING:
    from jeepney import MatchRule, Message

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere notifications go another way")

NAME = "org.freedesktop.Notifications"


class LateBus:
    """Answers nobody who wants to hear of pressed buttons."""

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def AddMatch(self, _rule: MatchRule) -> None:
        raise TimeoutError


def test_buttons_report_also_after_the_bus_was_once_too_slow_to_let_them(
    short_tmp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jeepney import DBusAddress, HeaderFields, new_method_return, new_signal
    from jeepney.bus_messages import message_bus
    from jeepney.io.blocking import Proxy, open_dbus_connection

    from tests.bus_service import BusService
    from tray_app.desktop.notices.backend import Notification
    from tray_app.desktop.notices.freedesktop import FreedesktopBackend

    class Daemon(BusService):
        """Shows a notification, of which `press` presses a button."""

        def press(self) -> None:
            emitter = DBusAddress("/" + NAME.replace(".", "/"), interface=NAME)
            with self.lock:
                self.connection.send(new_signal(emitter, "ActionInvoked", "us", (1, "refresh")))

        def reply(self, message: Message) -> None:
            is_first = message.header.fields[HeaderFields.member] == "GetCapabilities"
            signature, value = ("as", ["actions"]) if is_first else ("u", 1)
            self.connection.send(new_method_return(message, signature, (value,)))

    pressed = threading.Event()
    backend = FreedesktopBackend("kiwoom-token-tray", "", lambda _owner, _key: pressed.set())
    notification = Notification("main", "Title", "Body", "Open", (("refresh", "Refresh"),))
    with private_bus(short_tmp) as (_, address):
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        with Daemon(address, NAME) as daemon, open_dbus_connection(address) as observer:
            names = Proxy(message_bus, observer).ListNames
            before = names()
            with monkeypatch.context() as late:
                late.setattr("tray_app.desktop.notices.freedesktop.Proxy", LateBus)
                with pytest.raises(TimeoutError):
                    backend.show(notification)
            assert names() == before, "no connection is left open"

            try:
                backend.show(notification)
                daemon.press()

                assert pressed.wait(20)
            finally:
                backend.disconnect()
