"""The session bus as a test needs it: calls with a deadline, and a log of what everybody else says on it."""

import threading
from dataclasses import dataclass, field
from typing import Any

from jeepney import DBusAddress, HeaderFields, MatchRule, Message, MessageType, new_method_call
from jeepney.io.blocking import DBusConnection, open_dbus_connection
from jeepney.wrappers import DBusErrorResponse

NOTIFICATIONS = "org.freedesktop.Notifications"
DAEMON = DBusAddress("/org/freedesktop/DBus", "org.freedesktop.DBus", "org.freedesktop.DBus")


class BusError(Exception):
    """A call on the bus failed or was not answered in time."""


class Bus:
    """One connection to the bus. Not for several threads at once."""

    def __init__(self, address: str) -> None:
        self._connection = open_dbus_connection(address, auth_timeout=5.0)

    def close(self) -> None:
        """Leaves the bus."""
        self._connection.close()

    def call(
        self,
        service: str,
        path: str,
        interface: str,
        method: str,
        signature: str = "",
        *body: Any,
        timeout: float = 5.0,
    ) -> tuple[Any, ...]:
        """Calls a method and returns the values of its reply; variants come as pairs (signature, value).

        Raises BusError when the reply is an error or does not come within timeout (seconds).
        """
        message = new_method_call(DBusAddress(path, service, interface), method, signature or None, body)
        try:
            reply = self._connection.send_and_get_reply(message, timeout=timeout)
        except TimeoutError:
            raise BusError(f"{service} did not answer {interface}.{method} within {timeout:g} s") from None
        except OSError as error:
            raise BusError(f"the bus is gone: {error}") from error
        if reply.header.message_type is MessageType.error:
            name = reply.header.fields.get(HeaderFields.error_name)
            raise BusError(f"{service} {interface}.{method}: {name}: {' '.join(map(str, reply.body))}")
        return reply.body

    def get(self, service: str, path: str, interface: str, name: str) -> Any:
        """One property, without its signature."""
        ((_signature, value),) = self.call(
            service, path, "org.freedesktop.DBus.Properties", "Get", "ss", interface, name
        )
        return value

    def get_all(self, service: str, path: str, interface: str) -> dict[str, Any]:
        """All properties of an interface, without their signatures."""
        (values,) = self.call(service, path, "org.freedesktop.DBus.Properties", "GetAll", "s", interface)
        return {name: value for name, (_signature, value) in values.items()}

    def owner(self, name: str) -> str | None:
        """The unique name of whoever owns the name now."""
        try:
            return self._daemon("GetNameOwner", name)
        except BusError:
            return None

    def pid(self, name: str) -> int:
        """The process that owns the name."""
        return int(self._daemon("GetConnectionUnixProcessID", name))

    def _daemon(self, method: str, name: str) -> Any:
        return self.call(DAEMON.bus_name, DAEMON.object_path, DAEMON.interface, method, "s", name)[0]


@dataclass(slots=True)
class Notice:
    """One call of Notify, and what became of it."""

    app: str
    replaces_id: int
    icon: str
    summary: str
    body: str
    actions: dict[str, str]
    """Key → label, in the order given."""
    hints: dict[str, Any]
    timeout: int
    sender: str
    id: int | None = None
    """What the notification daemon returned; None until it did."""
    error: str | None = None
    """The name of the error returned instead."""
    invoked: list[str] = field(default_factory=list)
    """Keys of the actions that were invoked."""
    closed: int | None = None
    """Why it was closed: 1 expired, 2 dismissed by the user, 3 by the program; None while it is open."""

    @property
    def urgency(self) -> int:
        """0 low, 1 normal, 2 critical."""
        return int(self.hints.get("urgency", 1))


@dataclass(frozen=True, slots=True)
class Signal:
    """A signal seen on the bus."""

    sender: str
    path: str
    interface: str
    name: str
    body: tuple[Any, ...]


class BusLog:
    """Listens to notifications and to the signals of status icons and their menus, from its start on."""

    _RULES = (
        MatchRule(type="method_call", interface=NOTIFICATIONS),
        MatchRule(type="method_return", sender=NOTIFICATIONS),
        MatchRule(type="error"),
        MatchRule(type="signal", interface=NOTIFICATIONS),
        MatchRule(type="signal", interface="org.kde.StatusNotifierItem"),
        MatchRule(type="signal", interface="org.kde.StatusNotifierWatcher"),
        MatchRule(type="signal", interface="com.canonical.dbusmenu"),
    )

    def __init__(self, address: str) -> None:
        self._lock = threading.Lock()
        self._notices: list[Notice] = []
        self._signals: list[Signal] = []
        self._pending: dict[tuple[str, int], Notice] = {}
        self._connection: DBusConnection = open_dbus_connection(address, auth_timeout=5.0)
        become = new_method_call(
            DAEMON.with_interface("org.freedesktop.DBus.Monitoring"),
            "BecomeMonitor",
            "asu",
            ([rule.serialise() for rule in self._RULES], 0),
        )
        reply = self._connection.send_and_get_reply(become, timeout=5.0)
        if reply.header.message_type is MessageType.error:
            raise DBusErrorResponse(reply)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="bus log", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stops listening."""
        self._stop.set()
        self._thread.join(5.0)
        self._connection.close()

    def notices(self) -> list[Notice]:
        """Every Notify since the start or the last clear, oldest first."""
        with self._lock:
            return list(self._notices)

    def signals(self, name: str | None = None) -> list[Signal]:
        """Signals since the start or the last clear, oldest first."""
        with self._lock:
            return [signal for signal in self._signals if name in {None, signal.name}]

    def clear(self) -> None:
        """Forgets what was seen so far."""
        with self._lock:
            self._notices.clear()
            self._signals.clear()
            self._pending.clear()

    def _listen(self) -> None:
        while not self._stop.is_set():
            try:
                message = self._connection.receive(timeout=0.1)
            except TimeoutError:
                continue
            except OSError:
                return
            with self._lock:
                self._note(message)

    def _note(self, message: Message) -> None:
        header = message.header
        fields = header.fields
        sender = fields.get(HeaderFields.sender, "")
        if header.message_type is MessageType.method_call:
            if fields.get(HeaderFields.member) == "Notify":
                self._note_notify(message, sender)
        elif header.message_type is MessageType.signal:
            signal = Signal(
                sender,
                fields.get(HeaderFields.path, ""),
                fields.get(HeaderFields.interface, ""),
                fields.get(HeaderFields.member, ""),
                tuple(message.body),
            )
            self._signals.append(signal)
            if signal.interface == NOTIFICATIONS:
                self._note_fate(signal)
        else:
            asked = (fields.get(HeaderFields.destination, ""), fields.get(HeaderFields.reply_serial, 0))
            notice = self._pending.pop(asked, None)
            if notice and header.message_type is MessageType.error:
                notice.error = fields.get(HeaderFields.error_name, "")
            elif notice:
                (notice.id,) = message.body

    def _note_notify(self, message: Message, sender: str) -> None:
        app, replaces, icon, summary, body, actions, hints, timeout = message.body
        notice = Notice(
            app=app,
            replaces_id=replaces,
            icon=icon,
            summary=summary,
            body=body,
            actions=dict(zip(actions[::2], actions[1::2], strict=False)),
            hints={name: value for name, (_signature, value) in hints.items()},
            timeout=timeout,
            sender=sender,
        )
        self._notices.append(notice)
        self._pending[sender, message.header.serial] = notice

    def _note_fate(self, signal: Signal) -> None:
        ident, detail = signal.body[:2] if len(signal.body) > 1 else (0, None)
        last = next((notice for notice in reversed(self._notices) if notice.id == ident), None)
        if last and signal.name == "ActionInvoked":
            last.invoked.append(detail)
        elif last and signal.name == "NotificationClosed":
            last.closed = detail
