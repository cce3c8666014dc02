"""The events while the lock is held, buffered until it is released: nobody waits for the history."""

from __future__ import annotations

import contextlib

from tray_app.core.errors import KiwoomTokenError, LockLost

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Protocol

    from tray_app.core.token import Token
    from tray_app.history.draft import EventDraft

    class TokenHistory(Protocol):
        """The history, as far as it is used here. Nothing in it raises or waits."""

        def record(self, profile: str, drafts: Sequence[EventDraft]) -> None: ...
        def record_found(self, profile: str, token: Token | None, at: float) -> None: ...


class EventBuffer:
    """The events of one profile that were not recorded in the history yet."""

    def __init__(
        self, profile: str, clock: Callable[[], float], open_history: Callable[[], TokenHistory | None] | None
    ) -> None:
        self._profile = profile
        self._clock = clock
        self._open_history = open_history
        self._events: list[EventDraft] = []

    def add(self, kind: str, token: Token | None, error: KiwoomTokenError | None = None) -> None:
        """Add an event that happened just now."""
        if self._open_history is not None:
            from tray_app.history.draft import EventDraft

            self._events.append(EventDraft(self._clock(), kind, token, error))

    @contextlib.contextmanager
    def failure_added(self, token: Token | None) -> Iterator[None]:
        """Add an event for an error that is raised meanwhile. A lost lock is none: another process goes on."""
        try:
            yield
        except LockLost:
            raise
        except KiwoomTokenError as error:
            self.add("failed", token, error)
            raise

    def flush(self) -> None:
        """Record everything that was added in the history."""
        events = []
        with contextlib.suppress(IndexError):  # another thread may take the last one first
            while self._events:
                events.append(self._events.pop(0))
        history = self._history() if events else None
        if history is not None:
            history.record(self._profile, events)

    def record_found(self, token: Token | None, at: float) -> None:
        """Record in the history what was found at `at`, in case a program without a history has changed it."""
        history = self._history()
        if history is not None:
            history.record_found(self._profile, token, at)

    def _history(self) -> TokenHistory | None:
        return None if self._open_history is None else self._open_history()
