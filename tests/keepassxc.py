"""KeePassXC as a Secret Service, as far as its questions go: it asks before each entry is read, written or deleted.

Its permission is given to one connection for as long as that lasts. What it asks is answered by `allow` and `deny`.
"""

from __future__ import annotations

from itertools import count

from jeepney import DBusAddress, HeaderFields, Message, new_error, new_method_return, new_signal

from tests.bus_service import BusService

BUS_NAME = "org.freedesktop.secrets"
COLLECTION = "/org/freedesktop/secrets/collection/passwords"
SECRET = "org.freedesktop.Secret"


class KeePassXC(BusService):
    """Use in a `with` statement. `asked` counts the questions, `open` are those on the screen, `most_open` how many
    there were at once. With `never_asks` it gives everything to everybody; while `is_locked` its database is closed."""

    def __init__(self, address: str) -> None:
        super().__init__(address, BUS_NAME)
        self._numbers = count(1)
        self._granted: set[tuple[str, str]] = set()
        self._prompts: dict[str, tuple[str, list[str]]] = {}
        self._quiet: dict[str, str] = {}
        self.items: dict[str, tuple[dict[str, str], bytes]] = {}
        self.open: list[str] = []
        self.asked = 0
        self.most_open = 0
        self.never_asks = False
        self.is_locked = False
        self.error = ""
        """The name of the error with which every request for a secret is refused."""

    def store(self, service: str, username: str, value: str) -> None:
        path = f"{COLLECTION}/{next(self._numbers)}"
        self.items[path] = ({"service": service, "username": username}, value.encode())

    def value(self, service: str, username: str) -> str | None:
        for attributes, value in self.items.values():
            if (attributes["service"], attributes["username"]) == (service, username):
                return value.decode()
        return None

    def allow(self) -> None:
        """Answer the oldest question on the screen."""
        self._answer(dismissed=False)

    def deny(self) -> None:
        self._answer(dismissed=True)

    def _answer(self, *, dismissed: bool) -> None:
        with self.lock:
            prompt = self.open.pop(0)
            sender, paths = self._prompts[prompt]
            if not dismissed:
                self._granted |= {(sender, path) for path in paths}
                self.is_locked = self.is_locked and not any(path not in self.items for path in paths)
            self._complete(sender, prompt, dismissed, ("ao", [] if dismissed else paths))

    def _complete(self, sender: str, prompt: str, dismissed: bool, result: tuple[str, object]) -> None:
        signal = new_signal(DBusAddress(prompt, interface=f"{SECRET}.Prompt"), "Completed", "bv", (dismissed, result))
        signal.header.fields[HeaderFields.destination] = sender
        self.connection.send(signal)

    def reply(self, message: Message) -> None:
        self.connection.send(self._answer_to(message))
        self._show(message)

    def _show(self, message: Message) -> None:
        """Open the question, which comes after the reply to whoever wants it."""
        path = message.header.fields[HeaderFields.path]
        sender = message.header.fields[HeaderFields.sender]
        if message.header.fields[HeaderFields.member] == "Prompt":
            if path in self._quiet:
                self._complete(sender, path, False, ("o", self._quiet[path]))  # noqa: FBT003 - not dismissed
            else:
                self.asked += 1
                self.open.append(path)
                self.most_open = max(self.most_open, len(self.open))

    def _answer_to(self, message: Message) -> Message:
        fields = message.header.fields
        path, member, sender = fields[HeaderFields.path], fields[HeaderFields.member], fields[HeaderFields.sender]
        body = message.body
        if member == "Get":
            return self._property(message, path, body[1], sender)
        if member == "OpenSession":
            if body[0] != "plain":
                return new_error(message, "org.freedesktop.DBus.Error.NotSupported")
            return new_method_return(message, "vo", (("s", ""), "/org/freedesktop/secrets/session/1"))
        if member == "SearchItems":
            found = [
                path
                for path, (attributes, _) in self.items.items()
                if all(attributes[k] == v for k, v in body[0].items())
            ]
            return new_method_return(message, "ao", (found,))
        if member == "Unlock":
            wanted = [one for one in body[0] if self._is_locked(one, sender)]
            prompt = self._new_prompt(sender, wanted) if wanted else "/"
            return new_method_return(message, "aoo", ([one for one in body[0] if one not in wanted], prompt))
        if member == "CreateItem":
            return self._create(message, sender)
        if member == "GetSecret":
            if self.error or self._is_item_locked(path, sender):
                return new_error(message, self.error or f"{SECRET}.Error.IsLocked", "s", ("It is not given.",))
            return new_method_return(message, "(oayays)", ((body[0], b"", self.items[path][1], "text/plain"),))
        if member == "Delete":
            return new_method_return(message, "o", (self._new_prompt(sender, [path]),))
        if member == "Dismiss":
            if path in self.open:
                self.open.remove(path)
            return new_method_return(message)
        if member == "Prompt":
            return new_method_return(message)
        return new_error(message, "org.freedesktop.DBus.Error.UnknownMethod")

    def _create(self, message: Message, sender: str) -> Message:
        properties, secret, _ = message.body
        attributes = properties[f"{SECRET}.Item.Attributes"][1]
        names = (attributes["service"], attributes["username"])
        present = [one for one, (known, _) in self.items.items() if (known["service"], known["username"]) == names]
        path = present[0] if present else f"{COLLECTION}/{next(self._numbers)}"
        self.items[path] = (attributes, bytes(secret[2]))
        self._granted.add((sender, path))
        prompt = self._new_prompt(sender, [])
        self._quiet[prompt] = path
        return new_method_return(message, "oo", ("/", prompt))

    def _new_prompt(self, sender: str, paths: list[str]) -> str:
        prompt = f"/org/freedesktop/secrets/prompt/{next(self._numbers)}"
        self._prompts[prompt] = (sender, paths)
        return prompt

    def _is_locked(self, path: str, sender: str) -> bool:
        return self._is_item_locked(path, sender) if path in self.items else self.is_locked

    def _is_item_locked(self, path: str, sender: str) -> bool:
        return path in self.items and not self.never_asks and (sender, path) not in self._granted

    def _property(self, message: Message, path: str, name: str, sender: str) -> Message:
        if path in self.items:
            values = {"Label": ("s", "an entry"), "Locked": ("b", self._is_item_locked(path, sender))}
        else:
            values = {"Label": ("s", "Passwords"), "Locked": ("b", self.is_locked), "Items": ("ao", list(self.items))}
        return new_method_return(message, "v", (values[name],))
