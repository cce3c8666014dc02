"""KDE's wallet, reached over the session bus; `keyring`'s own way to it blocks for as long as it asks its user.

Entries are where `keyring` has them: the folder is the service, the key the user name.
"""

from __future__ import annotations

import os
import time
from typing import Any

from jeepney import DBusAddress, HeaderFields, Message, MessageType, new_method_call
from jeepney.bus_messages import message_bus
from jeepney.wrappers import DBusErrorResponse

from tray_app.stores.keyring_problems import asking, locked
from tray_app.stores.secret_service import CALL_SECONDS, BoundedConnection
from tray_app.system.session_bus import session_bus_address

_NAMES = ("kwalletd6", "kwalletd5", "kwalletd")
_INTERFACE = "org.kde.KWallet"
_APPLICATION = "kiwoom-token-tray"
"""By this name the wallet remembers who may use it; several programs of one name are asked for once."""

_ANSWER_SECONDS = 1.0
"""A wallet that needs nobody to open it does so at once; else it has put a question on the screen."""


class KWallet:
    """A wallet that runs. Everything raises `KeyringUnavailable`, or what the bus answers."""

    def __init__(self, connection: BoundedConnection, name: str) -> None:
        self._connection = connection
        self._address = DBusAddress(f"/modules/{name}", f"org.kde.{name}", _INTERFACE)
        self._handle = -1
        self._question: int | None = None
        """The serial number of the request to open the wallet that is not answered yet."""

    @classmethod
    def find(cls) -> KWallet | None:
        """Return the wallet of this session, if one runs. None is started: that would ask for a password at once."""
        try:
            connection = BoundedConnection(session_bus_address(os.environ), CALL_SECONDS)
        except (OSError, ValueError, RuntimeError):
            return None
        wallet = None
        try:
            for name in _NAMES:
                reply = connection.send_and_get_reply(message_bus.NameHasOwner(f"org.kde.{name}"))
                if reply.header.message_type is MessageType.method_return and reply.body[0]:
                    wallet = cls(connection, name)
                    break
        finally:
            if wallet is None:
                connection.close()
        return wallet

    @property
    def is_asking(self) -> bool:
        """True if its question was on the screen at the last call."""
        return self._question is not None

    def get_password(self, service: str, username: str) -> str | None:
        """Return the secret of the entry, or None without one."""
        self._open(_ANSWER_SECONDS)
        if not self._of_entry("hasEntry", service, username):
            return None
        return str(self._of_entry("readPassword", service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        """Store the entry in place of the present one."""
        self._open(_ANSWER_SECONDS)
        body = (self._handle, service, username, password, _APPLICATION)
        if self._call("writePassword", "issss", *body) != 0:
            raise locked()

    def delete_password(self, service: str, username: str) -> None:
        """Delete the entry; one that is not there is no error."""
        self._open(_ANSWER_SECONDS)
        self._of_entry("removeEntry", service, username)

    def check(self) -> None:
        """Raise if the wallet is closed. Asks the user nothing."""
        if self._question is not None:
            self._open(0)
        elif not self._call("isOpen", "s", self._call("networkWallet", "")):
            raise locked()

    def unlock_for(self, seconds: float) -> None:
        """Let the wallet ask its user, and wait for the answer."""
        self._connection.allow(seconds + CALL_SECONDS)
        self._open(seconds)

    def close(self) -> None:
        self._connection.close()

    def _open(self, seconds: float) -> None:
        """Open the wallet for this program. Raises if its user has not answered within `seconds`, or has refused."""
        self._connection.allow(max(seconds, CALL_SECONDS))
        if self._question is None:
            if self._handle >= 0 and self._call("isOpen", "i", self._handle):
                return
            wallet = self._call("networkWallet", "")
            self._question = next(self._connection.outgoing_serial)
            request = new_method_call(self._address, "open", "sxs", (wallet, 0, _APPLICATION))
            self._connection.send(request, serial=self._question)
        answer = self._answer(self._question, seconds)
        if answer is None:
            raise asking()
        self._question = None
        self._handle = _value_of(answer)
        if self._handle < 0:
            raise locked()

    def _answer(self, serial: int, seconds: float) -> Message | None:
        end = time.monotonic() + seconds
        while True:
            try:
                message = self._connection.receive(timeout=max(0.001, end - time.monotonic()))
            except TimeoutError:
                return None
            if message.header.fields.get(HeaderFields.reply_serial) == serial:
                return message

    def _of_entry(self, method: str, service: str, username: str) -> Any:
        return self._call(method, "isss", self._handle, service, username, _APPLICATION)

    def _call(self, method: str, signature: str, *body: object) -> Any:
        request = new_method_call(self._address, method, signature or None, body)
        return _value_of(self._connection.send_and_get_reply(request))


def _value_of(reply: Message) -> Any:
    if reply.header.message_type is MessageType.error:
        raise DBusErrorResponse(reply)
    return reply.body[0]
