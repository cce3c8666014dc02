"""A service on a bus of the test's own, whose calls are answered on a thread."""

from __future__ import annotations

import contextlib
import threading
from typing import Self

from jeepney import Message, MessageType
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import Proxy, open_dbus_connection


class BusService:
    """Use in a `with` statement; `reply` answers a method call, and is called with the lock held."""

    def __init__(self, address: str, name: str) -> None:
        self.connection = open_dbus_connection(address)
        self.lock = threading.RLock()
        self._name = name
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        Proxy(message_bus, self.connection).RequestName(self._name)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.sock.shutdown(2)
        self._thread.join(5)
        self.connection.close()

    def reply(self, message: Message) -> None:
        raise NotImplementedError

    def _serve(self) -> None:
        with contextlib.suppress(OSError, ValueError):  # until the connection is closed
            while True:
                message = self.connection.receive()
                if message.header.message_type is MessageType.method_call:
                    with self.lock:
                        self.reply(message)
