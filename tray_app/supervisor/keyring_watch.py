"""A locked keyring that is needed: the login or another program may unlock it at any time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tray_app.core.errors import KeyringUnavailable
from tray_app.core.remedies import needs_unlocking
from tray_app.supervisor.jobs import Job
from tray_app.supervisor.poller import Poller

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


class KeyringWatch(Poller):
    """Check a locked keyring every few seconds. `check` raises while it cannot be used and asks the user nothing;
    without `check` nothing is done."""

    def __init__(
        self,
        check: Callable[[], None] | None,
        answers: Answers,
        clock: Callable[[], float],
        run_read: Callable[[Job[Any]], None],
    ) -> None:
        super().__init__(_SECONDS, self._is_needed, self._look_now, clock)
        self._check = check
        self._answers = answers
        self._run_read = run_read

    def is_token_left_in_file(self, before: TokenState, after: TokenState) -> bool:
        """Return True if the keyring can be used again and the token is still in the file, because a read found that
        before a check did."""
        was_locked = before.place_problem in KeyringUnavailable.UNLOCKABLE
        return self._check is not None and was_locked and not after.place_problem and after.place == "file"

    def _is_needed(self, state: TokenState) -> bool:
        return self._check is not None and needs_unlocking(state)

    def _look_now(self) -> None:
        if self._check is not None:
            self._run_read(Job(self._check, self._finish))

    def _finish(self, _: None, error: Exception | None) -> None:
        if error is None:
            self._answers.unlocked()
        elif isinstance(error, KeyringUnavailable) and error.problem in KeyringUnavailable.UNLOCKABLE:
            self._answers.still_locked()
        else:
            self._answers.failed()
