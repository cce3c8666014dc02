"""The course of the set-up: which page is shown, what is known by now, what is being done. Widgets render its state."""

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

    from tray_app.desktop.setup.actions import FoundKeys, Habits, Kept, PlaceFound, Search, SetupActions
    from tray_app.kiwoom.keys import AppKeys


_ASK_AGAIN_MILLISECONDS = 2000
"""A keyring that did not answer in time may only have been slow to start."""


class Step(StrEnum):
    """A page of the set-up; each can be opened by itself."""

    WELCOME = "welcome"
    KEYS = "keys"
    PLACE = "place"
    DAILY = "daily"
    DONE = "done"


STEPS = tuple(Step)


class Doing(StrEnum):
    NOTHING = ""
    CHECKING = "checking"
    UNLOCKING = "unlocking"
    SAVING = "saving"


class Ending(Enum):
    """How the set-up was left: to go on with the account, or to practise."""

    GO_ON = "go on"
    PRACTISE = "practise"


@dataclass(frozen=True, slots=True)
class SetupState:
    """`search`, `place` and `habits` are None until they are known. `kept` tells that Kiwoom accepted keys just now."""

    step: Step = Step.WELCOME
    only: bool = False
    doing: Doing = Doing.NOTHING
    search: Search | None = None
    place: PlaceFound | None = None
    habits: Habits | None = None
    kept: Kept | None = None
    error: KiwoomTokenError | None = None


class SetupFlow(QObject):
    """Does what the pages ask for, on two workers: one looks, one acts, so a hung keyring holds up no page.

    `changed` comes with each new `state`, `ended(Ending)` once.
    """

    changed = Signal()
    ended = Signal(object)

    def __init__(
        self, actions: SetupActions, start: Step = Step.WELCOME, *, only: bool = False, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._actions = actions
        self._state = SetupState(start, only)
        self._has_ended = False
        self._again = QTimer(self, singleShot=True, interval=_ASK_AGAIN_MILLISECONDS)
        self._again.timeout.connect(self._look_at_keyring)
        self._looker = Worker("set-up looks", self)
        self._actor = Worker("set-up acts", self)

    @property
    def state(self) -> SetupState:
        return self._state

    def look(self) -> None:
        """Finds out what the pages show."""
        self._look(self._actions.habits, "habits")
        self._look_at_keyring()

    def back(self) -> None:
        self._go(-1)

    def skip(self) -> None:
        self._go(1)

    def use_keys(self, found: FoundKeys) -> None:
        """Has a token issued with keys that are here already."""
        self._act(Doing.CHECKING, lambda: self._actions.use_keys(found), self._accepted)

    def check_keys(self, mode: str, keys: AppKeys) -> None:
        """Has a token issued with these keys; only then are they kept."""
        self._act(Doing.CHECKING, lambda: self._actions.check_keys(mode, keys), self._accepted)

    def unlock(self) -> None:
        """Lets the keyring ask for its password."""
        self._act(Doing.UNLOCKING, self._actions.unlock, lambda _: self.look_again())

    def look_again(self) -> None:
        """After something about the keyring may have changed."""
        self._publish(error=None, search=None)
        self._look_at_keyring()

    def keep_place(self, store: str) -> None:
        """`auto` or `keyring`."""
        place = self._state.place
        if place is None or place.store == store:
            self._go(1)
            return

        def done(_: object) -> None:
            self._state = replace(self._state, place=replace(place, store=store))
            self._go(1)

        self._act(Doing.SAVING, lambda: self._actions.set_setting("store", store), done)

    def keep_habits(self, habits: Habits) -> None:
        """Switches what differs from how it is."""
        before = self._state.habits
        if before is None or before == habits:
            self._go(1)
            return

        def job() -> None:
            if habits.policy != before.policy:
                self._actions.set_setting("policy", habits.policy)
            if habits.share_kwcli is not None and habits.share_kwcli != before.share_kwcli:
                self._actions.set_setting("share_kwcli", habits.share_kwcli)
            if habits.autostart is not None and habits.autostart != before.autostart:
                self._actions.set_autostart(on=habits.autostart)

        def done(_: object) -> None:
            self._state = replace(self._state, habits=habits)
            self._go(1)

        self._act(Doing.SAVING, job, done)

    def keep_language(self, language: str) -> None:
        self._actor.run(lambda: self._actions.set_setting("language", language), self._logged)

    def end(self, ending: Ending = Ending.GO_ON) -> None:
        """What was done stays. A check that still runs goes on to its end."""
        if not self._has_ended:
            self._has_ended = True
            self._again.stop()
            self._looker.end()
            self._actor.end()
            self.ended.emit(ending)

    def _go(self, steps: int) -> None:
        at = STEPS.index(self._state.step) + steps
        if at >= len(STEPS) or (self._state.only and steps > 0):
            self.end()
        elif at >= 0:
            self._publish(step=STEPS[at], error=None)

    def _accepted(self, kept: object) -> None:
        self._publish(kept=kept, error=None)
        self._look(self._actions.place, "place")
        if not self._state.only:
            self._go(1)

    def _look_at_keyring(self) -> None:
        self._look(self._actions.find_keys, "search")
        self._look(self._actions.place, "place")

    def _look(self, job: Callable[[], object], name: str) -> None:
        def looked(found: object, error: Exception | None) -> None:
            if error is not None:
                self._publish(error=known_error(error))
            else:
                self._found(name, found)

        if not self._has_ended:
            self._looker.run(job, looked)

    def _found(self, name: str, found: object) -> None:
        problem = getattr(found, "problem", "")
        if problem == KeyringUnavailable.SILENT:
            self._again.start()
        is_mended = name == "search" and not problem and isinstance(self._state.error, KeyringUnavailable)
        self._publish(**{name: found}, error=None if is_mended else self._state.error)

    def _act(self, doing: Doing, job: Callable[[], object], then: Callable[[object], None]) -> None:
        if self._state.doing is not Doing.NOTHING or self._has_ended:
            return
        self._publish(doing=doing, error=None)

        def done(result: object, error: Exception | None) -> None:
            self._state = replace(self._state, doing=Doing.NOTHING)
            if error is None:
                then(result)
            else:
                self._failed(known_error(error))

        self._actor.run(job, done)

    def _failed(self, error: KiwoomTokenError) -> None:
        search = self._state.search
        if search is not None and isinstance(error, KeyringUnavailable):
            search = replace(search, problem=error.problem)
        self._publish(error=error, search=search)

    def _publish(self, **changes: object) -> None:
        self._state = replace(self._state, **changes)  # type: ignore[arg-type]
        self.changed.emit()

    @staticmethod
    def _logged(_: object, error: Exception | None) -> None:
        if error is not None:
            logs.warning("Language not kept: %s", error)
