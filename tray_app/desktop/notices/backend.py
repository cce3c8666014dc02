"""What the platforms' notices have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

OPEN = "default"
"""The key of a click on the bubble itself; freedesktop.org's own word for it."""


class NoNotices(Exception):
    """This platform will show nothing: there is no use in trying again."""


@dataclass(frozen=True, slots=True)
class Bubble:
    """One notice. It takes the place of the one before of the same `owner`.

    `buttons` are keys and labels; `fleeting` need not be kept where the desktop keeps notices for later.
    """

    owner: str
    title: str
    body: str
    open_label: str
    buttons: tuple[tuple[str, str], ...] = ()
    urgent: bool = False
    fleeting: bool = False


class Bubbles(Protocol):
    """A way to show them. Not for the GUI thread: calls may wait.

    Raises `NoNotices` when it never will, anything else when it did not this time.
    """

    def show(self, bubble: Bubble) -> None: ...

    def withdraw(self, owner: str) -> None:
        """Takes the bubble of `owner` off the screen, if it is still there."""
