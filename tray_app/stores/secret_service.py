"""The Secret Service of a Linux desktop: gnome-keyring, KeePassXC, KWallet.

The `keyring` library would open the service's password window whenever the collection is locked, ask KeePassXC again at
each call, wait for an answer for ever, and lose its connection to the bus when refused. Here the user is asked nothing
without wanting it, every call has a deadline, and every connection is closed. The entries are those that `keyring`
itself would read and write.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections import deque
from typing import TYPE_CHECKING, Any

import secretstorage
from jeepney import DBusAddress, DBusErrorResponse, new_method_call
from jeepney.auth import AuthenticationError
from jeepney.bus import get_connectable_addresses
from jeepney.io.blocking import DBusConnection, prep_socket
from secretstorage.util import BUS_NAME, PROMPT_IFACE, add_match_rules, unlock_objects

from tray_app.core.pasted import unquoted
from tray_app.stores.keyring_problems import asking, locked, missing, no_such_collection, silent, unreachable
from tray_app.system.session_bus import check_own_bus, is_bus_named, session_bus_address
from tray_app.system.user_folders import expand_user

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

    from jeepney import MatchRule, Message
    from keyring.backends.SecretService import Keyring as Properties

    from tray_app.core.errors import KeyringUnavailable

_DEFAULT_COLLECTION = "/org/freedesktop/secrets/aliases/default"
_IS_LOCKED = "org.freedesktop.Secret.Error.IsLocked"
_SERVICE_FILE = f"dbus-1/services/{BUS_NAME}.service"
DATA_FOLDERS = "/usr/local/share:/usr/share"

CALL_SECONDS = 10.0
"""After that, a call that nobody waits for any more frees its thread."""

_SILENT_PROMPT_SECONDS = 1.0
"""KeePassXC answers some writes by a prompt that completes at once, without the user."""


class Permissions:
    """What the Secret Service allows this process, and which entries it has refused.

    KeePassXC gives its permission to one connection, which therefore stays open. `refused` are the entries (service and
    user name) that were found locked in an unlocked collection.
    """

    def __init__(self) -> None:
        self.connection: BoundedConnection | None = None
        self.refused: set[tuple[str, str]] = set()

    def drop_connection(self) -> None:
        """Close the connection that has a permission, if there is one."""
        connection, self.connection = self.connection, None
        if connection is not None:
            connection.close()


class BoundedConnection(DBusConnection):  # type: ignore[misc]
    """A connection to the bus whose calls end by `deadline` (seconds of the monotonic clock) with `TimeoutError`.

    A prompt is dismissed after `prompt_seconds`, with `Unanswered`. `is_first` is False if nobody was at the first
    address of the list.
    """

    def __init__(self, address: str, seconds: float) -> None:
        self.allow(seconds)
        self._prompt = ""
        connected, self.is_first = _connected_socket(address, seconds)
        try:
            super().__init__(connected)
            add_match_rules(self)
        except BaseException:
            connected.close()
            raise

    def allow(self, seconds: float, prompt_seconds: float = _SILENT_PROMPT_SECONDS) -> None:
        """Set how long the next calls may take together, and how long each prompt."""
        self.deadline = time.monotonic() + seconds
        self.prompt_seconds = prompt_seconds

    def send_and_get_reply(self, message: Message, *, timeout: float | None = None) -> Message:
        left = max(0.0, self.deadline - time.monotonic())
        return super().send_and_get_reply(message, timeout=left if timeout is None else min(timeout, left))

    def filter(self, rule: MatchRule, *, queue: deque[Message] | None = None, bufsize: int = 1) -> Any:
        self._prompt = rule.header_fields.get("path", "")
        return super().filter(rule, queue=queue, bufsize=bufsize)

    def recv_until_filtered(self, queue: deque[Message], *, timeout: float | None = None) -> Message:
        """Wait for the prompt's answer, the only message that this method is used for."""
        try:
            return super().recv_until_filtered(queue, timeout=self.prompt_seconds if timeout is None else timeout)
        except TimeoutError:
            self.send(new_method_call(DBusAddress(self._prompt, BUS_NAME, PROMPT_IFACE), "Dismiss"))
            raise Unanswered from None


def _connected_socket(address: str, seconds: float) -> tuple[socket.socket, bool]:
    """Return a socket to the first bus of the list that this user has and that can be reached, and whether that is the
    first one at all. Raises what the last one did; `TimeoutError` at once, because a bus that does not answer is
    there."""
    problem: Exception = ValueError(address)
    for number, one in enumerate(get_connectable_addresses(address)):
        try:
            connected: socket.socket = prep_socket(one, timeout=seconds)
        except TimeoutError:
            raise
        except (OSError, AuthenticationError) as error:
            problem = error
            continue
        try:
            check_own_bus(connected)
        except PermissionError as error:
            connected.close()
            problem = error
        else:
            return connected, number == 0
    raise problem


class Unanswered(Exception):
    """A prompt was opened and nobody has answered it."""


class SecretService:
    """`keyring`'s entries in the Secret Service. `properties` is the backend of `keyring` whose settings apply: scheme,
    application name and preferred collection, which may come from `KEYRING_PROPERTY_…`.

    Everything raises `KeyringUnavailable`. `was_used` returns True if this user's keyring was ever used from here: then
    there is a keyring behind a bus that cannot be reached.
    """

    def __init__(self, properties: Properties, permissions: Permissions, was_used: Callable[[], bool]) -> None:
        self._names: dict[str, str] = properties.schemes[properties.scheme]
        self._application = properties.appid
        self._collection_path = unquoted(getattr(properties, "preferred_collection", "")) or _DEFAULT_COLLECTION
        self._permissions = permissions
        self._was_used = was_used

    def get_password(self, service: str, username: str) -> str | None:
        """Return the secret of the entry, or None without one."""
        with self._unlocked() as collection:
            item = self._usable_item(collection, service, username)
            with contextlib.suppress(secretstorage.ItemNotFoundException):  # another program deletes it just now
                return None if item is None else item.get_secret().decode()
            return None

    def set_password(self, service: str, username: str, password: str) -> None:
        """Store the entry in place of the present one."""
        with self._unlocked() as collection:
            self._usable_item(collection, service, username)
            attributes = {**self._query(service, username), "application": self._application}
            label = f"Password for '{username}' on '{service}'"
            collection.create_item(label, attributes, password.encode(), replace=True)

    def delete_password(self, service: str, username: str) -> None:
        """Delete the entry; one that is not there is no error."""
        with self._unlocked() as collection:
            item = self._usable_item(collection, service, username)
            if item is not None:
                with contextlib.suppress(secretstorage.ItemNotFoundException):
                    item.delete()

    def check(self) -> None:
        """Raise if the collection is locked, or if an entry that was refused before still is. Asks the user nothing."""
        with self._unlocked() as collection:
            for service, username in list(self._permissions.refused):
                self._usable_item(collection, service, username)

    def unlock_for(self, seconds: float) -> None:
        """Let the service ask its user for the password or for permission, and wait for the answer."""
        with self._connected(seconds, prompt_seconds=seconds) as connection:
            collection = self._open_collection(connection, create=True)
            if collection.is_locked() and (collection.unlock() or collection.is_locked()):
                raise locked()
            refused = [
                item.item_path
                for names in sorted(self._permissions.refused)
                for item in collection.search_items(self._query(*names))
                if item.is_locked()
            ]
            if not refused:
                return
            if unlock_objects(connection, refused):
                raise asking()
            if self._permissions.connection is not connection:
                self._permissions.drop_connection()
                self._permissions.connection = connection

    def _query(self, service: str, username: str) -> dict[str, str]:
        return {self._names["username"]: username, self._names["service"]: service}

    def _usable_item(
        self, collection: secretstorage.Collection, service: str, username: str
    ) -> secretstorage.Item | None:
        names = (service, username)
        for item in collection.search_items(self._query(*names)):
            try:
                is_locked = item.is_locked()
            except secretstorage.ItemNotFoundException:  # deleted since it was found
                continue
            if is_locked:
                self._permissions.refused.add(names)
                raise asking()
            self._permissions.refused.discard(names)
            return item
        self._permissions.refused.discard(names)
        return None

    @contextlib.contextmanager
    def _unlocked(self) -> Iterator[secretstorage.Collection]:
        with self._connected(CALL_SECONDS) as connection:
            collection = self._open_collection(connection, create=False)
            if collection.is_locked():
                raise locked()
            yield collection

    def _open_collection(self, connection: BoundedConnection, *, create: bool) -> secretstorage.Collection:
        try:
            return secretstorage.Collection(connection, self._collection_path)
        except (secretstorage.ItemNotFoundException, ValueError):  # the latter for what is no path of D-Bus
            if self._collection_path != _DEFAULT_COLLECTION:
                raise no_such_collection() from None
            if not create:
                raise locked() from None  # making one asks for a password, too
        try:
            return secretstorage.get_default_collection(connection)
        except (Unanswered, secretstorage.PromptDismissedException):
            raise locked() from None  # nobody chose a password for the new one

    @contextlib.contextmanager
    def _connected(self, seconds: float, prompt_seconds: float = _SILENT_PROMPT_SECONDS) -> Iterator[BoundedConnection]:
        with _as_keyring_problems():
            connection = self._connect(seconds)
            connection.allow(seconds, prompt_seconds)
            try:
                if not secretstorage.check_service_availability(connection):
                    raise self._missing(connection)
                yield connection
            except OSError:
                if self._permissions.connection is connection:
                    self._permissions.connection = None
                raise
            finally:
                if self._permissions.connection is not connection:
                    connection.close()

    def _connect(self, seconds: float) -> BoundedConnection:
        permitted = self._permissions.connection
        if permitted is not None:
            with contextlib.suppress(OSError):
                permitted.allow(seconds)
                secretstorage.check_service_availability(permitted)
                return permitted
            self._permissions.drop_connection()
        try:
            return BoundedConnection(session_bus_address(os.environ), seconds)
        except TimeoutError:
            raise
        except (OSError, ValueError, RuntimeError, AuthenticationError):
            if self._is_there():
                raise unreachable() from None
            raise missing() from None

    def _missing(self, connection: BoundedConnection) -> KeyringUnavailable:
        """Return the error for a bus without a Secret Service. Outside the session, which includes a terminal whose own
        session has ended, the service may just not be started."""
        is_in_session = is_bus_named(os.environ) and connection.is_first
        return unreachable() if not is_in_session and self._was_used() else missing()

    def _is_there(self) -> bool:
        """Return True if this user has a Secret Service, though it cannot be reached.

        An installed service counts only for a program outside the session. A program whose environment names a bus that
        does not exist may be in a container, where nobody has a session.
        """
        if self._was_used():
            return True
        folders = [expand_user("~/.local/share"), *DATA_FOLDERS.split(":")]
        folders += os.environ.get("XDG_DATA_DIRS", "").split(":")
        return not is_bus_named(os.environ) and any(
            os.path.isfile(os.path.join(one, _SERVICE_FILE)) for one in folders if os.path.isabs(one)
        )


@contextlib.contextmanager
def _as_keyring_problems() -> Iterator[None]:
    try:
        yield
    except TimeoutError:
        raise silent() from None
    except (Unanswered, secretstorage.PromptDismissedException):
        raise asking() from None
    except secretstorage.LockedException:
        raise locked() from None
    except secretstorage.SecretServiceNotAvailableException:
        raise silent() from None
    except DBusErrorResponse as error:
        if error.name == _IS_LOCKED:
            raise locked() from None
        raise
