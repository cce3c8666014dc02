"""What starting at login is, on every system."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Protocol

NAME = "kiwoom-token-tray"
"""Of the entry, on every system."""


@dataclass(frozen=True, slots=True)
class Status:
    """An entry for this program is there (`configured`), starts the program that asks (`as_it_should_be`), and the
    system obeys it (`enabled`): a user may have switched it off in the system's own settings.

    `place` is where the entry is or would be, in the system's own terms; `starts` the command line in it as it
    stands there; `is_lost` tells that the program it starts is gone.
    """

    configured: bool
    as_it_should_be: bool
    enabled: bool
    place: str
    starts: str = ""
    is_lost: bool = False

    @property
    def switched_off(self) -> bool:
        """The entry is there, and the user has switched it off in the system's own settings."""
        return self.configured and not self.enabled


class Autostart(Protocol):
    """One system's way. All of it raises `AutostartFailed`."""

    def status(self) -> Status: ...

    def enable(self) -> None:
        """Starts this program at each login, also where the user had switched that off in the system's settings."""

    def disable(self) -> None:
        """Removes the entry, and what the system has noted about it."""

    def repair(self) -> bool:
        """Lets an entry whose program is gone start this one; tells whether it did.

        An entry that another copy of this program made, which is still there, is the user's choice. What was
        switched off stays off.
        """


def is_gone(command: list[str]) -> bool:
    """Whether a program, or a folder that it is told to run, is not there any more."""
    return not all(os.path.exists(word) for word in command if os.path.isabs(word))
