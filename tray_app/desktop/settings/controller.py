"""The settings window and what it asks for, joined."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from tray_app.desktop.settings.actions import SettingsActions
from tray_app.desktop.settings.window import SettingsWindow

if TYPE_CHECKING:
    from collections.abc import Mapping


class SettingsController(QObject):
    """Opens the window, which is made when it is first wanted. `written()` tells that the file is another one.

    Who practises has settings apart from the others, but the same system to log in to: that is left alone.
    """

    # ruff: noqa: N815 - named as Qt's own signals are
    written = Signal()
    openFileRequested = Signal()
    keysRequested = Signal(str)
    """The profile whose keys are to be entered."""
    setupRequested = Signal()

    def __init__(self, environ: Mapping[str, str], parent: QObject | None = None, *, sandbox: bool = False) -> None:
        super().__init__(parent)
        self._actions = SettingsActions(environ, sandbox=sandbox, parent=self)
        self._actions.written.connect(self.written)
        self._window: SettingsWindow | None = None

    @property
    def window(self) -> SettingsWindow | None:
        """For whoever opens a question over it."""
        return self._window

    def open(self, profile: str) -> None:
        """Brings the window up with the settings of that profile."""
        window = self._window = self._window or self._make_window()
        if not window.isVisible():
            self._actions.choose(profile)
        window.bring_up()

    def poll(self) -> None:
        """The file or the system is another one, perhaps."""
        if self._window is not None and self._window.isVisible():
            self._actions.poll()

    def _make_window(self) -> SettingsWindow:
        window = SettingsWindow()
        window.changeRequested.connect(self._actions.change)
        window.profileChosen.connect(self._actions.choose)
        window.openFileRequested.connect(self.openFileRequested)
        window.keysRequested.connect(self.keysRequested)
        window.setupRequested.connect(self.setupRequested)
        self._actions.looked.connect(window.show_settings)
        self._actions.refused.connect(window.show_refusal)
        self._actions.done.connect(window.show_done)
        return window
