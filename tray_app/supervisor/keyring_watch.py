"""A locked keyring that is needed: the login or another program may unlock it at any time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tray_app.core.clock import is_recent
from tray_app.core.errors import KeyringUnavailable
from tray_app.core.remedies import needs_unlocking
from tray_app.supervisor.jobs import Job

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from tray_app.core.state import TokenState

_SECONDS = 3.0
"""Seconds between two checks of a locked keyring."""


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What a watch calls after a check: the keyring can be used, it cannot yet, or something else is wrong."""

    unlocked: Callable[[], None]
    still_locked: Callable[[], None]
    failed: Callable[[], None]


class KeyringWatch:
    """Check a locked keyring every few seconds. `check` raises while it cannot be used and asks the user nothing;
    without `check` nothing is done."""

    def __init__(
        self,
        check: Callable[[], None] | None,
        answers: Answers,
        clock: Callable[[], float],
        run_read: Callable[[Job[Any]], None],
    ) -> None:
        self._check = check
        self._answers = answers
        self._clock = clock
        self._run_read = run_read
        self._polled_at: float | None = None

    def next_moment(self, state: TokenState) -> float | None:
        """Return when to check next, in seconds of the epoch, or None while nothing waits for the keyring."""
        return self._clock() + _SECONDS if self._is_awaited(state) else None

    def poll(self, state: TokenState) -> bool:
        """Check the keyring if something waits for it and it is time; return True if a check runs."""
        now = self._clock()
        if self._check is None or not self._is_awaited(state):
            return False
        if is_recent(self._polled_at, now, _SECONDS):
            return False
        self._polled_at = now
        self._run_read(Job(self._check, self._finish))
        return True

    def is_token_left_in_file(self, before: TokenState, after: TokenState) -> bool:
        """Return True if the keyring can be used again and the token is still in the file, because a read found that
        before a check did."""
        was_locked = before.place_problem in KeyringUnavailable.UNLOCKABLE
        return self._check is not None and was_locked and not after.place_problem and after.place == "file"

    def _is_awaited(self, state: TokenState) -> bool:
        return self._check is not None and needs_unlocking(state)

    def _finish(self, _: None, error: Exception | None) -> None:
        if error is None:
            self._answers.unlocked()
        elif isinstance(error, KeyringUnavailable) and error.problem in KeyringUnavailable.UNLOCKABLE:
            self._answers.still_locked()
        else:
            self._answers.failed()
