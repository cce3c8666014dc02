"""Connects the settings window with the actions behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from tray_app.desktop.settings.actions import SettingsActions
from tray_app.desktop.settings.window import SettingsWindow

if TYPE_CHECKING:
    from collections.abc import Mapping


class SettingsController(QObject):
    """Open the settings window, created when it is first opened. `written()` is emitted when the file was changed.

    The sandbox has settings of its own. There the user's start at login, keys and cache of `kiwoomcli` are left alone.
    """

    written = Signal()
    open_file_requested = Signal()
    keys_requested = Signal(str)
    """The account whose keys the user wants to enter."""
    setup_requested = Signal()

    def __init__(self, environ: Mapping[str, str], parent: QObject | None = None, *, sandbox: bool = False) -> None:
        super().__init__(parent)
        self.actions = SettingsActions(environ, sandbox=sandbox, parent=self)
        self.actions.written.connect(self.written)
        self._window: SettingsWindow | None = None

    @property
    def window(self) -> SettingsWindow | None:
        """The window, as parent of a dialog."""
        return self._window

    def open(self, profile: str, group: str = "") -> None:
        """Show the window with the settings of that account, and with one group of them if it is named."""
        window = self._window = self._window or self._make_window()
        if group:
            window.show_section(group)
        if not window.isVisible() or profile != self.actions.profile:
            window.commit()
            self.actions.choose(profile)
        window.show_in_front()

    def poll(self) -> None:
        """Read the settings again, if the window is open."""
        if self._window is not None and self._window.isVisible():
            self.actions.poll()

    def _make_window(self) -> SettingsWindow:
        window = SettingsWindow()
        window.change_requested.connect(self.actions.change)
        window.profile_chosen.connect(self.actions.choose)
        window.open_file_requested.connect(self.open_file_requested)
        window.keys_requested.connect(self.keys_requested)
        window.setup_requested.connect(self.setup_requested)
        self.actions.loaded.connect(window.show_settings)
        self.actions.refused.connect(window.show_refusal)
        self.actions.done.connect(window.show_done)
        return window
