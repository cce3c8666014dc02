"""The interface of the platforms' notifications."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

OPEN = "default"
"""The action of a click on the notification itself, as freedesktop.org calls it."""


class NotificationsUnavailable(Exception):
    """This platform shows no notifications, so retrying is useless."""


@dataclass(frozen=True, slots=True)
class Notification:
    """A notification, which replaces the previous one of the same `owner`.

    `buttons` are pairs of key and label. A `transient` one need not be listed among missed notifications.
    """

    owner: str
    title: str
    body: str
    open_label: str
    buttons: tuple[tuple[str, str], ...] = ()
    urgent: bool = False
    transient: bool = False


class NotificationBackend(Protocol):
    """A way to show notifications. Calls may take time, so they are not for the GUI thread.

    Raises `NotificationsUnavailable` when it never works, anything else when it did not work this time.
    """

    def show(self, notification: Notification) -> None: ...

    def withdraw(self, owner: str) -> None:
        """Remove the notification of `owner`, if it is still shown."""
