"""Reads and changes the settings for the window, on a worker."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from tray_app import autostart
from tray_app.core.errors import KiwoomTokenError, SettingsError, known_error
from tray_app.core.language import msg
from tray_app.core.profile import DEFAULT
from tray_app.desktop.settings.view import settings_view
from tray_app.desktop.worker import Worker
from tray_app.service.settings_changes import change_setting, reset_setting
from tray_app.settings.load import known_profiles, load_settings
from tray_app.settings.places import default_data_dir
from tray_app.settings.save import no_section
from tray_app.settings.table import TABLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tray_app.autostart.base import Status
    from tray_app.desktop.settings.view import SettingsView
    from tray_app.service.settings_changes import Changed


class SettingsActions(QObject):
    """Read the settings of one account, and change those of the one that was shown last.

    `loaded(SettingsView)` carries the present settings; `done(name, Changed)` or `refused(name, KiwoomTokenError)` the
    outcome of a change, always followed by `loaded`. `written()` is emitted when the file was changed.
    """

    loaded = Signal(object)
    done = Signal(str, object)
    refused = Signal(str, object)
    written = Signal()

    def __init__(
        self, environ: Mapping[str, str] = os.environ, *, sandbox: bool = False, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._is_sandbox = sandbox
        self._environ = environ
        self._profile = self._shown = DEFAULT
        self._worker = Worker("settings window", self)

    @property
    def profile(self) -> str:
        """The account that was chosen; its settings may not have been read yet."""
        return self._profile

    def poll(self) -> None:
        profile = self._profile

        def loaded(view: SettingsView | None, error: Exception | None) -> None:
            if view is not None:
                self._shown = view.profile
                self.loaded.emit(view)
            elif error is not None:
                self.refused.emit("", known_error(error))

        self._worker.run(lambda: self._view(profile), loaded)

    def choose(self, profile: str) -> None:
        self._profile = profile
        self.poll()

    def change(self, name: str, value: object) -> None:
        """Set a value as written in the file; None removes it from the file."""
        profile = self._shown

        def finished(changed: Changed | None, error: Exception | None) -> None:
            if changed is not None:
                self.done.emit(name, changed)
                self.written.emit()
            elif error is not None:
                self.refused.emit(name, known_error(error))
            self.poll()

        self._worker.run(lambda: _change(name, value, profile, self._environ), finished)

    def _view(self, profile: str) -> SettingsView:
        status = None if self._is_sandbox else _autostart_status()
        settings, profiles = load_settings(profile, self._environ).resolved(), known_profiles(self._environ)
        gone = None if profile in profiles else no_section(profile, self._environ)
        return settings_view(settings, profiles, status, is_sandbox=self._is_sandbox, gone=gone)


def _autostart_status() -> Status | KiwoomTokenError:
    try:
        return autostart.for_this_system().status()
    except KiwoomTokenError as error:
        return error


def _change(name: str, value: object, profile: str, environ: Mapping[str, str]) -> Changed:
    setting = TABLE[name]
    if value is None and name == "data_dir":  # with the tray program, there is always a folder that every tool knows
        value = default_data_dir()
    if value is None:
        return reset_setting(setting, profile, environ)
    try:
        typed = setting.kind.read(value)
    except ValueError as error:
        raise SettingsError(msg("It takes: {expected}"), expected=str(error)) from None
    return change_setting(setting, typed, profile, environ, creates_profile=False)
