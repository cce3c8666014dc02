"""What became of the app key that a dialog asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from tray_app.core.errors import say
from tray_app.core.state import Result
from tray_app.core.wording import refusal_text
from tray_app.desktop.view.urgency import running_action
from tray_app.settings.save import no_section

if TYPE_CHECKING:
    from tray_app.core.state import LastResult, TokenState
    from tray_app.desktop.dialogs.keys import KeysDialog
    from tray_app.desktop.monitors import Monitors
    from tray_app.kiwoom.keys import AppKeys


class KeysAnswer(QObject):
    """Try the keys of an account, and tell the dialog for them what came of it."""

    def __init__(self, monitors: Monitors, profile: str, dialog: KeysDialog) -> None:
        super().__init__(dialog)
        self._monitors = monitors
        self._profile = profile
        self._dialog = dialog
        self._entered: tuple[str, AppKeys] | None = None
        self._before: LastResult | None = None
        self._problems: tuple[object, ...] = ()
        self._is_watched = False
        monitors.changed.connect(self._follow_account)

    def enter(self, mode: str, keys: AppKeys) -> None:
        """Try the keys once nothing else is being done with the token. Until then they would be ignored, and the
        outcome of the other action taken for their answer."""
        self._entered = (mode, keys)
        self._follow_account()

    def _try(self, mode: str, keys: AppKeys) -> None:
        self._entered = None
        monitor = self._monitors.of(self._profile)
        self._before = None if monitor is None else monitor.state.last
        self._problems = self._monitors.problems
        self._is_watched = monitor is not None
        self._monitors.enter_keys(self._profile, mode, keys)

    def _follow_account(self) -> None:
        """Try the keys once that is possible, and afterwards show what came of them."""
        monitor = self._monitors.of(self._profile)
        if self._entered is not None:
            if monitor is None or running_action(monitor.state) is None:
                self._try(*self._entered)
        elif monitor is None:
            if self._is_watched:  # its section was removed meanwhile
                self._dialog.show_answer(say(no_section(self._profile, self._monitors.environ)))
            elif (problems := self._monitors.problems) and problems != self._problems:
                self._dialog.show_answer(say(problems[-1]))
        else:
            self._is_watched = True
            self._show_outcome(monitor.state)

    def _show_outcome(self, state: TokenState) -> None:
        if running_action(state) is None and state.last is not None and state.last is not self._before:
            error = state.last.error if state.last.result is Result.FAILED else None
            if error is None:
                self._dialog.show_answer("")
            else:
                self._dialog.show_answer(refusal_text(error, self._dialog.form.mode), error.remedy)
