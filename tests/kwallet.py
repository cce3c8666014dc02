"""KDE's wallet on a bus: closed at first, it asks its user when a program opens it."""

from __future__ import annotations

from typing import Any

from jeepney import HeaderFields, Message, new_method_return

from tests.bus_service import BusService

HANDLE = 7


class KWalletDaemon(BusService):
    """Use in a `with` statement. `questions` are on the screen; `asked` counts them; `is_open` opens without one."""

    def __init__(self, address: str, name: str = "kwalletd5") -> None:
        super().__init__(address, f"org.kde.{name}")
        self.entries: dict[tuple[str, str], str] = {}
        self.questions: list[Message] = []
        self.asked = 0
        self.is_open = False

    def answer(self, *, allow: bool) -> None:
        """Answer all questions on the screen."""
        with self.lock:
            self.is_open = allow
            for one in self.questions:
                self.connection.send(new_method_return(one, "i", (HANDLE if allow else -1,)))
            self.questions.clear()

    def reply(self, message: Message) -> None:
        member = message.header.fields[HeaderFields.member]
        if member == "open" and not self.is_open:
            self.asked += 1
            self.questions.append(message)
            return
        signature, value = self._value(member, message.body)
        self.connection.send(new_method_return(message, signature, (value,)))

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
