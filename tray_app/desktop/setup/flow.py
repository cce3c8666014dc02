"""The state of the setup wizard: which page is shown, what is known and what is running. The pages render it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, StrEnum
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from tray_app.core import logs
from tray_app.core.errors import KeyringUnavailable, KiwoomTokenError, known_error
from tray_app.desktop.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable

    from tray_app.desktop.setup.actions import (
        AcceptedKeys,
        FoundKeys,
        KeySearch,
        SetupActions,
        StartupOptions,
        StorageInfo,
    )
    from tray_app.kiwoom.keys import AppKeys


ASK_AGAIN_MILLISECONDS = 2000
"""A keyring that did not answer in time may only have been slow to start."""


class Step(StrEnum):
    """A page of the wizard."""

    WELCOME = "welcome"
    KEYS = "keys"
    STORAGE = "storage"
    STARTUP = "startup"
    DONE = "done"


STEPS = tuple(Step)


class Activity(StrEnum):
    """What runs on the worker for the user."""

    IDLE = ""
    CHECKING = "checking"
    UNLOCKING = "unlocking"
    SAVING = "saving"


class SetupResult(Enum):
    """How the wizard ended: the user goes on with an account, or tries the sandbox."""

    CONTINUE = "continue"
    SANDBOX = "sandbox"


@dataclass(frozen=True, slots=True)
class SetupState:
    """All that the pages show.

    `search`, `storage` and `options` are None until they are known; `accepted` is None until Kiwoom has accepted
    keys in this wizard.
    """

    step: Step = Step.WELCOME
    activity: Activity = Activity.IDLE
    search: KeySearch | None = None
    storage: StorageInfo | None = None
    options: StartupOptions | None = None
    accepted: AcceptedKeys | None = None
    error: KiwoomTokenError | None = None


class SetupFlow(QObject):
    """Run what the pages ask for, on two workers: one reads, one changes, so a hung keyring holds up no page.

    `changed` follows each new `state`; `ended(SetupResult)` is emitted once.
    """

    changed = Signal()
    ended = Signal(object)

    def __init__(
        self,
        actions: SetupActions,
        start: Step = Step.WELCOME,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._actions = actions
        self._state = SetupState(start)
        self._has_ended = False
        self._again = QTimer(self, singleShot=True, interval=ASK_AGAIN_MILLISECONDS)
        self._again.timeout.connect(self._poll_keyring)
        self._reader = Worker("setup reads", self)
        self._writer = Worker("setup writes", self)

    @property
    def state(self) -> SetupState:
        return self._state

    def poll(self) -> None:
        """Read what the pages show."""
        self._read(self._actions.startup_options, "options")
        self._poll_keyring()

    def back(self) -> None:
        self._move(-1)

    def skip(self) -> None:
        self._move(1)

    def use_keys(self, found: FoundKeys) -> None:
        """Issue a token with keys that were found on this computer."""
        self._run(Activity.CHECKING, lambda: self._actions.use_keys(found), self._keys_accepted)

    def check_keys(self, mode: str, keys: AppKeys) -> None:
        """Issue a token with these keys, and store them only if that succeeds."""
        self._run(Activity.CHECKING, lambda: self._actions.check_keys(mode, keys), self._keys_accepted)

    def unlock(self) -> None:
        """Let the keyring ask for its password."""
        self._run(Activity.UNLOCKING, self._actions.unlock, lambda _: self.poll_keyring())

    def poll_keyring(self) -> None:
        """Read the keyring again after it may have changed."""
        self._publish(error=None, search=None)
        self._poll_keyring()

    def save_store(self, store: str) -> None:
        """Save the setting `store` (`auto` or `keyring`) and show the next page."""
        storage = self._state.storage
        if storage is None or storage.store == store:
            self._move(1)
            return

        def saved(_: object) -> None:
            self._state = replace(self._state, storage=replace(storage, store=store))
            self._move(1)

        self._run(Activity.SAVING, lambda: self._actions.set_setting("store", store), saved)

    def save_options(self, options: StartupOptions) -> None:
        """Save the options that differ from the present ones and show the next page."""
        before = self._state.options
        if before is None or before == options:
            self._move(1)
            return

        def save() -> None:
            if options.policy != before.policy:
                self._actions.set_setting("policy", options.policy)
            if options.share_kwcli is not None and options.share_kwcli != before.share_kwcli:
                self._actions.set_setting("share_kwcli", options.share_kwcli)
            if options.autostart is not None and options.autostart != before.autostart:
                self._actions.set_autostart(on=options.autostart)

        def saved(_: object) -> None:
            self._state = replace(self._state, options=options)
            self._move(1)

        self._run(Activity.SAVING, save, saved)

    def save_language(self, language: str) -> None:
        self._writer.run(lambda: self._actions.set_setting("language", language), _log_failure)

    def end(self, result: SetupResult = SetupResult.CONTINUE) -> None:
        """End the wizard. What was saved stays, and a check that is still running is finished."""
        if not self._has_ended:
            self._has_ended = True
            self._again.stop()
            self._reader.end()
            self._writer.end()
            self.ended.emit(result)

    def _move(self, steps: int) -> None:
        at = STEPS.index(self._state.step) + steps
        if at >= len(STEPS):
            self.end()
        elif at >= 0:
            self._publish(step=STEPS[at], error=None)

    def _keys_accepted(self, accepted: object) -> None:
        self._publish(accepted=accepted, error=None)
        self._read(self._actions.storage, "storage")
        self._move(1)

    def _poll_keyring(self) -> None:
        self._read(self._actions.find_keys, "search")
        self._read(self._actions.storage, "storage")

    def _read(self, job: Callable[[], object], name: str) -> None:
        def finished(found: object, error: Exception | None) -> None:
            if error is not None:
                self._publish(error=known_error(error))
            else:
                self._found(name, found)

        if not self._has_ended:
            self._reader.run(job, finished)

    def _found(self, name: str, found: object) -> None:
        problem = getattr(found, "problem", "")
        if problem == KeyringUnavailable.SILENT:
            self._again.start()
        is_solved = name == "search" and not problem and isinstance(self._state.error, KeyringUnavailable)
        self._publish(**{name: found}, error=None if is_solved else self._state.error)

    def _run(self, activity: Activity, job: Callable[[], object], then: Callable[[object], None]) -> None:
        if self._state.activity is not Activity.IDLE or self._has_ended:
            return
        self._publish(activity=activity, error=None)

        def finished(result: object, error: Exception | None) -> None:
            self._state = replace(self._state, activity=Activity.IDLE)
            if error is None:
                then(result)
            else:
                self._failed(known_error(error))

        self._writer.run(job, finished)

    def _failed(self, error: KiwoomTokenError) -> None:
        search = self._state.search
        if search is not None and isinstance(error, KeyringUnavailable):
            search = replace(search, problem=error.problem)
        self._publish(error=error, search=search)

    def _publish(self, **changes: object) -> None:
        self._state = replace(self._state, **changes)  # type: ignore[arg-type]
        self.changed.emit()


def _log_failure(_: object, error: Exception | None) -> None:
    if error is not None:
        logs.warning("Language not saved: %s", error)
