"""KDE's wallet on a bus: closed at first, it asks its user when a program opens it."""

from __future__ import annotations

import contextlib
import threading
from typing import Any

from jeepney import HeaderFields, Message, MessageType, new_method_return
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import Proxy, open_dbus_connection

HANDLE = 7


class KWalletDaemon:
    """Use in a `with` statement. `questions` are on the screen; `asked` counts them; `is_open` opens without one."""

    def __init__(self, address: str, name: str = "kwalletd5") -> None:
        self._connection = open_dbus_connection(address)
        self._name = f"org.kde.{name}"
        self._lock = threading.RLock()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.entries: dict[tuple[str, str], str] = {}
        self.questions: list[Message] = []
        self.asked = 0
        self.is_open = False

    def __enter__(self) -> KWalletDaemon:
        Proxy(message_bus, self._connection).RequestName(self._name)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.sock.shutdown(2)
        self._thread.join(5)
        self._connection.close()

    def answer(self, *, allow: bool) -> None:
        """Answer all questions on the screen."""
        with self._lock:
            self.is_open = allow
            for one in self.questions:
                self._connection.send(new_method_return(one, "i", (HANDLE if allow else -1,)))
            self.questions.clear()

    def _serve(self) -> None:
        with contextlib.suppress(OSError, ValueError):  # until the connection is closed
            while True:
                message = self._connection.receive()
                if message.header.message_type is MessageType.method_call:
                    with self._lock:
                        self._reply(message)

    def _reply(self, message: Message) -> None:
        member = message.header.fields[HeaderFields.member]
        if member == "open" and not self.is_open:
            self.asked += 1
            self.questions.append(message)
            return
        signature, value = self._value(member, message.body)
        self._connection.send(new_method_return(message, signature, (value,)))

    def _value(self, member: str, body: Any) -> tuple[str, object]:
        if member == "networkWallet":
            return "s", "kdewallet"
        if member in {"isOpen", "hasEntry"}:
            return "b", self.is_open if member == "isOpen" else (body[1], body[2]) in self.entries
        if member == "readPassword":
            return "s", self.entries.get((body[1], body[2]), "")
        if member == "writePassword":
            self.entries[body[1], body[2]] = body[3]
        if member == "removeEntry":
            self.entries.pop((body[1], body[2]), None)
        return "i", HANDLE if member == "open" else 0
