"""The accounts that the desktop watches over, a monitor for each, and the settings that they live by."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from tray_app.core import logs
from tray_app.core.errors import KiwoomTokenError
from tray_app.desktop.file_watch import FileWatch, watchable
from tray_app.desktop.monitor import Monitor
from tray_app.desktop.worker import Worker
from tray_app.service.migration import carry_over, needs_new_service
from tray_app.service.settings_changes import change_setting, setting_named
from tray_app.settings.load import load_settings, named_profiles
from tray_app.settings.places import settings_file
from tray_app.settings.save import settle_data_dir

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tray_app.core.state import TokenState
    from tray_app.core.token import Token
    from tray_app.kiwoom.keys import AppKeys
    from tray_app.service.token_service import TokenService
    from tray_app.settings.load import Settings


class Accounts(QObject):
    """One monitor for each account, one of them chosen to be looked at.

    `changed` tells that something is to be shown anew, `notice(profile, Notice)` what to tell the user,
    `notice_over(profile)` that the last one is not true any more, `copied(Secret)` brings the chosen account's token,
    `reconfigured(Settings)` what holds for the whole program.
    `settings.toml` is watched: what changes there, by whoever, applies at once.
    """

    changed = Signal()
    notice = Signal(str, object)
    notice_over = Signal(str)
    copied = Signal(object)
    reconfigured = Signal(object)

    def __init__(
        self,
        settings: Settings,
        environ: Mapping[str, str],
        open_service: Callable[[Settings], TokenService],
        open_monitor: Callable[[Settings, TokenService], Monitor],
        *,
        only_this: bool = False,
        parent: QObject | None = None,
    ) -> None:
        """`only_this`: the account was named when the program was started, and no other is shown."""
        super().__init__(parent)
        self.environ = {name: value for name, value in environ.items() if name != "KIWOOM_PROFILE"}
        self._open_service = open_service
        self._open_monitor = open_monitor
        self._only_this = only_this
        self._started = False
        self._problems: tuple[KiwoomTokenError, ...] = settings.problems
        self._monitors: dict[str, Monitor] = {}
        self._more: set[str] = set()
        self._first = self._chosen = settings.profile
        self._reader = Worker("settings", self)
        self.settings_file = settings_file(environ)
        self._files = FileWatch(self)
        self._files.changed.connect(self.reload)
        self._open(settings)

    @property
    def chosen(self) -> Monitor:
        return self._monitors[self._chosen]

    @property
    def states(self) -> tuple[TokenState, ...]:
        return tuple(monitor.state for monitor in self._monitors.values())

    @property
    def problems(self) -> tuple[KiwoomTokenError, ...]:
        """What in `settings.toml` cannot be used."""
        return self._problems

    def mode_of(self, profile: str) -> str:
        """As far as that account is watched, else the mode of the chosen one."""
        return self._monitors.get(profile, self.chosen).state.mode

    def enter_keys(self, profile: str, mode: str, keys: AppKeys) -> None:
        """Tries and keeps them; an account that only `kiwoomcli` knows so far is watched from now on."""

        def read(settings: Settings | None, error: Exception | None) -> None:
            if isinstance(error, KiwoomTokenError):
                self._problems += (error,)
                self.changed.emit()
            elif settings is not None:
                self._more.add(profile)
                if profile not in self._monitors:
                    self._open(settings)
                self.choose(profile)
                self._monitors[profile].enter_keys(mode, keys)

        if profile in self._monitors:
            self._monitors[profile].enter_keys(mode, keys)
        else:
            self._reader.run(lambda: _load(profile, self.environ), read)

    def finders(self) -> dict[str, Callable[[], Token | None]]:
        """For each account what finds its present token; not for the GUI thread."""
        return {name: monitor.current_token for name, monitor in self._monitors.items()}

    def start(self) -> None:
        """The first look at each."""
        self._started = True
        for monitor in self._monitors.values():
            monitor.start()
        self.reload()

    def refresh(self, profile: str) -> None:
        """Asks Kiwoom now, for an account that may not be there any more."""
        if profile in self._monitors:
            self._monitors[profile].refresh()

    def choose(self, profile: str) -> None:
        if profile in self._monitors and profile != self._chosen:
            self._chosen = profile
            self.changed.emit()

    def snooze(self, seconds: float) -> None:
        for monitor in self._monitors.values():
            monitor.snooze(seconds)

    def hold(self, is_held: bool) -> None:
        for monitor in self._monitors.values():
            monitor.hold(is_held)

    def tick(self) -> None:
        """The program is awake: what would be done within a minute is done now."""
        for monitor in self._monitors.values():
            monitor.tick()

    def resumed(self) -> None:
        for monitor in self._monitors.values():
            monitor.resumed()

    def set(self, name: str, value: object, profile: str) -> None:
        """Keeps the typed value of a setting in the file; it then applies like any other change there."""

        def saved(_: object, error: Exception | None) -> None:
            if isinstance(error, KiwoomTokenError):
                self._problems = (error,)
                self.changed.emit()
            else:
                self.reload()

        self._reader.run(lambda: change_setting(setting_named(name), value, profile, self.environ), saved)

    def reload(self) -> None:
        """Reads the settings again and lives by them."""
        present = {name: monitor.settings for name, monitor in self._monitors.items()}
        self._reader.run(lambda: self._read(present), self._apply)

    def _read(self, present: Mapping[str, Settings]) -> _Read:
        wanted = watchable([self.settings_file])
        names = [self._first] if self._only_this else [self._first, *named_profiles(self.environ)]
        names += self._more
        every, problems = [], list[KiwoomTokenError]()
        for name in dict.fromkeys(names):
            try:
                settings = _load(name, self.environ)
            except KiwoomTokenError as error:
                problems.append(error)
                continue
            every.append(settings)
            problems += [one for one in settings.problems if str(one) not in map(str, problems)]
        is_whole = not problems and _holds_anything(self.settings_file)
        for position, settings in enumerate(every):
            try:
                if is_whole:
                    every[position] = settle_data_dir(settings, self.environ)
                elif settings.profile in present:
                    every[position] = carry_over(present[settings.profile], settings)
            except KiwoomTokenError as error:
                problems.append(error)
        return _Read(wanted, every, tuple(problems), is_whole)

    def _apply(self, read: _Read | None, error: Exception | None) -> None:
        if read is None:
            logs.warning("Settings not read (%s)", type(error).__name__)
            return
        if self._files.watch(read.wanted):
            self._files.settle()
        self._problems = read.problems
        for settings in read.settings:
            try:
                if settings.profile in self._monitors:
                    self._change(self._monitors[settings.profile], settings)
                else:
                    self._open(settings)
            except KiwoomTokenError as problem:  # a store that cannot be opened; the present one goes on
                self._problems += (problem,)
        gone = set(self._monitors) - {one.profile for one in read.settings} - {self._first}
        for name in gone if read.is_whole else ():
            self._close(name)
        for settings in read.settings:
            if settings.profile == self._first:
                self.reconfigured.emit(settings)
        self.changed.emit()

    def _change(self, monitor: Monitor, settings: Settings) -> None:
        service = self._open_service(settings) if needs_new_service(monitor.settings, settings) else None
        monitor.apply(settings, service)

    def _enter_mode(self, profile: str, mode: str) -> None:
        monitor = self._monitors[profile]
        self._change(monitor, monitor.settings.replace(mode=mode))

    def _open(self, settings: Settings) -> None:
        monitor = self._monitors[settings.profile] = self._open_monitor(settings, self._open_service(settings))
        monitor.setParent(self)
        monitor.changed.connect(self.changed)
        monitor.notice.connect(lambda notice: self.notice.emit(settings.profile, notice))
        monitor.notice_over.connect(lambda: self.notice_over.emit(settings.profile))
        monitor.copied.connect(self.copied)
        monitor.mode_entered.connect(lambda mode: self._enter_mode(settings.profile, mode))
        if self._started:
            monitor.start()

    def _close(self, name: str) -> None:
        """Its section is gone from the file: nobody wants it watched any more."""
        self._monitors.pop(name).end()
        self.notice_over.emit(name)
        if self._chosen == name:
            self._chosen = self._first


@dataclass(frozen=True, slots=True)
class _Read:
    """What a look at the settings brought: the files and folders to watch, each account's settings, what is wrong.

    `is_whole` when the file is there and all of it can be used: only then does what it does not say mean anything.
    """

    wanted: set[str]
    settings: list[Settings]
    problems: tuple[KiwoomTokenError, ...]
    is_whole: bool


def _load(profile: str, environ: Mapping[str, str]) -> Settings:
    return load_settings(profile, environ).resolved()  # here, because that may take a look at the disk


def _holds_anything(path: str) -> bool:
    try:
        return os.path.getsize(path) > 0
    except OSError:
        return False
