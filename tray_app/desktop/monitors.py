"""A monitor for each profile that the desktop watches, and the settings file that names these."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from tray_app.core import logs
from tray_app.core.errors import KiwoomTokenError, known_error
from tray_app.desktop.file_watch import FileWatch, watchable
from tray_app.desktop.worker import Worker
from tray_app.service.settings_changes import change_setting, setting_named
from tray_app.supervisor.profile_settings import FoundSettings, ProfileSettings
from tray_app.system.private_files import version_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tray_app.core.state import TokenState
    from tray_app.core.token import Token
    from tray_app.desktop.monitor import Monitor
    from tray_app.kiwoom.keys import AppKeys
    from tray_app.settings.load import Settings

    Paths = set[str]


class Monitors(QObject):
    """One monitor for each watched profile; the chosen one is shown in full.

    `settings.toml` is watched: a change by any program applies at once. `open_monitor` opens the monitor for a
    profile's settings; with `only_this` no other profile than that of `settings` is watched.

    Signals: `changed()` when there is something else to show, `notice(profile, Notice)` with what to tell the user,
    `notice_over(profile)` when the last notice is no longer true, `copied(profile, Token)` with the token to copy, and
    `reconfigured(Settings)` with the settings of the whole program.
    """

    changed = Signal()
    notice = Signal(str, object)
    notice_over = Signal(str)
    copied = Signal(str, object)
    reconfigured = Signal(object)

    def __init__(
        self,
        settings: Settings,
        environ: Mapping[str, str],
        open_monitor: Callable[[Settings], Monitor],
        *,
        only_this: bool = False,
    ) -> None:
        super().__init__()
        self._profiles = ProfileSettings(settings.profile, environ, only_first=only_this)
        self._open_monitor = open_monitor
        self._has_started = False
        self._problems: tuple[KiwoomTokenError, ...] = settings.problems
        self._refused: tuple[KiwoomTokenError, ...] = ()
        """Why something was not saved or not done, until something is saved or the file becomes another one."""
        self._version: object = None
        self._monitors: dict[str, Monitor] = {}
        self._chosen = settings.profile
        self._reader = Worker("settings", self)
        self._files = FileWatch(self)
        self._files.changed.connect(self.reload)
        self._open(settings)

    @property
    def chosen(self) -> Monitor:
        """The monitor of the profile that is shown in full."""
        return self._monitors[self._chosen]

    @property
    def states(self) -> tuple[TokenState, ...]:
        """The state of each watched profile."""
        return tuple(monitor.state for monitor in self._monitors.values())

    @property
    def problems(self) -> tuple[KiwoomTokenError, ...]:
        """What in the settings cannot be used, and why the last change of them was refused."""
        return self._problems + self._refused

    @property
    def environ(self) -> Mapping[str, str]:
        """The environment to read the settings of each profile with."""
        return self._profiles.environ

    @property
    def settings_file(self) -> str:
        """The path of `settings.toml`."""
        return self._profiles.file

    def mode_of(self, profile: str) -> str:
        """Return the mode of a watched profile, or that of the chosen one for any other."""
        return self._monitors.get(profile, self.chosen).state.mode

    def finders(self) -> dict[str, Callable[[], Token | None]]:
        """Return a function for each profile that returns its present token; not to be called on the GUI thread."""
        return {name: monitor.current_token for name, monitor in self._monitors.items()}

    def start(self) -> None:
        """Read each token and the settings for the first time."""
        self._has_started = True
        for monitor in self._monitors.values():
            monitor.start()
        self.reload()

    def choose(self, profile: str) -> None:
        """Show another profile in full, if it is watched."""
        if profile in self._monitors and profile != self._chosen:
            self._chosen = profile
            self.changed.emit()

    def of(self, profile: str) -> Monitor | None:
        """Return the monitor of a profile, or None if it is not watched, or not any more."""
        return self._monitors.get(profile)

    def enter_keys(self, profile: str, mode: str, keys: AppKeys) -> None:
        """Check and store app keys; a profile that only `kiwoomcli` had so far is watched from now on."""

        def loaded(settings: Settings | None, error: Exception | None) -> None:
            if error is not None:
                self._refused = (known_error(error),)
                self.changed.emit()
            elif settings is not None:
                self._profiles.add(profile)
                if profile not in self._monitors:
                    self._open(settings)
                self.choose(profile)
                self._monitors[profile].enter_keys(mode, keys)

        if profile in self._monitors:
            self._monitors[profile].enter_keys(mode, keys)
        else:
            self._reader.run(lambda: self._profiles.load(profile), loaded)

    def snooze(self, seconds: float) -> None:
        """Show no warnings for `seconds`; 0 ends the snooze."""
        for monitor in self._monitors.values():
            monitor.snooze(seconds)

    def hold(self, is_held: bool) -> None:
        """Hold notices back while nobody is at the screen; afterwards send those that are still true."""
        for monitor in self._monitors.values():
            monitor.hold(is_held)

    def tick(self) -> None:
        """Do now what is due within a minute: the program is awake anyway."""
        for monitor in self._monitors.values():
            monitor.tick()

    def resumed(self) -> None:
        """Check everything again: the computer slept, or its clock was set."""
        for monitor in self._monitors.values():
            monitor.resumed()

    def finish(self, seconds: float) -> None:
        """End all monitors before the program ends; wait for what they are doing, at most `seconds` in total."""
        end = time.monotonic() + seconds
        for monitor in self._monitors.values():
            monitor.end(max(0.0, end - time.monotonic()))

    def set(self, name: str, value: object, profile: str, then: Callable[[], object] = lambda: None) -> None:
        """Save the typed value of a setting, and call `then` once it is saved; it applies like any other change of the
        file."""

        def saved(_: object, error: Exception | None) -> None:
            if error is not None:
                self._refused = (known_error(error),)
                self.changed.emit()
            else:
                self._refused = ()
                self.reload()
                then()

        def save() -> object:
            return change_setting(setting_named(name), value, profile, self.environ, creates_profile=False)

        self._reader.run(save, saved)

    def reload(self) -> None:
        """Read the settings again, and apply them."""
        present = {name: monitor.settings for name, monitor in self._monitors.items()}

        def read() -> tuple[Paths, object, FoundSettings]:
            paths = watchable([self.settings_file])  # before reading the file, so that a later change is noticed
            return paths, version_of(self.settings_file), self._profiles.read(present)

        self._reader.run(read, self._apply)

    def _apply(self, read: tuple[Paths, object, FoundSettings] | None, error: Exception | None) -> None:
        if read is None:
            logs.warning("Settings not read (%s)", type(error).__name__)
            return
        paths, version, found = read
        if self._files.watch(paths):
            self._files.settle()
        if version != self._version:
            self._version, self._refused = version, ()
        self._problems = found.problems
        for settings in found.settings:
            try:
                if settings.profile in self._monitors:
                    self._monitors[settings.profile].apply(settings)
                else:
                    self._open(settings)
            except KiwoomTokenError as problem:  # its store cannot be opened; the present one stays in use
                self._problems += (problem,)
        for profile in found.gone:
            self._close(profile)
        for settings in found.settings:
            if settings.profile == self._profiles.first:
                self.reconfigured.emit(settings)
        self.changed.emit()

    def _open(self, settings: Settings) -> None:
        profile = settings.profile
        monitor = self._monitors[profile] = self._open_monitor(settings)
        monitor.setParent(self)
        monitor.changed.connect(self.changed)
        monitor.notice.connect(lambda notice: self.notice.emit(profile, notice))
        monitor.notice_over.connect(lambda: self.notice_over.emit(profile))
        monitor.copied.connect(lambda token: self.copied.emit(profile, token))
        if self._has_started:
            monitor.start()

    def _close(self, profile: str) -> None:
        monitor = self._monitors.pop(profile, None)
        if monitor is None:
            return
        monitor.end()
        self.notice_over.emit(profile)
        if self._chosen == profile:
            self._chosen = self._profiles.first
