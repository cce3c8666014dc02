"""The interface of starting at login, the same for every system."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Protocol

NAME = "kiwoom-token-tray"
"""The name of the entry on every system."""


@dataclass(frozen=True, slots=True)
class Status:
    """The state of the entry that starts this program at login.

    `place` is where the entry is or would be, in the system's terms. `configured` means that there is one,
    `as_it_should_be` that it starts this very copy, and `enabled` that the user has not switched it off in the system's
    own settings. `starts` is its command line; `is_lost` means that the program it starts does not exist any more.
    """

    place: str
    configured: bool = False
    as_it_should_be: bool = False
    enabled: bool = False
    starts: str = ""
    is_lost: bool = False

    @property
    def is_on(self) -> bool:
        """True if the system starts this very copy at login."""
        return self.configured and self.enabled and self.as_it_should_be

    @property
    def switched_off(self) -> bool:
        """True if the user has switched the entry off in the system's own settings."""
        return self.configured and not self.enabled


class Autostart(Protocol):
    """Starting at login on one system. All methods raise `AutostartFailed`."""

    def status(self) -> Status: ...

    def enable(self) -> None:
        """Start this program at each login, even if the user had switched that off in the system's settings."""

    def disable(self) -> None:
        """Remove the entry and what the system has stored about it."""

    def repair(self) -> bool:
        """Let an entry whose program does not exist any more start this copy; return True if anything was changed.

        An entry of another copy that still exists is the user's choice and stays. So does one that is switched off.
        """


def is_gone(command: list[str]) -> bool:
    """Return True if a program, or the package that it should run, does not exist any more."""
    return not all(os.path.exists(word) for word in command if os.path.isabs(word))
