"""The heart of the desktop program: connects monitors, tray icon, windows and notifications."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtWidgets import QApplication

from tray_app.core.errors import say
from tray_app.core.language import current, use
from tray_app.desktop.account_actions import AccountActions
from tray_app.desktop.application import quit_application
from tray_app.desktop.autostart import AutostartWorker
from tray_app.desktop.clipboard import TokenClipboard
from tray_app.desktop.notices.notifier import Notifier
from tray_app.desktop.notices.settings_notice import SettingsNotice
from tray_app.desktop.theme.dark_mode import apply_window_theme
from tray_app.desktop.translation import switch_language
from tray_app.desktop.view.build import next_change, tray_view_of, view_of
from tray_app.desktop.view.model import Overview
from tray_app.desktop.windows import Windows
from tray_app.service.exchange_calendar import holidays_problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from tray_app.desktop.monitors import Monitors
    from tray_app.desktop.status_window.window import StatusWindow
    from tray_app.desktop.tray.tray_icon import TrayIcon
    from tray_app.settings.load import Settings


class DesktopController(QObject):
    """Render the state of the monitors, and pass on what the user asks for.

    Windows are imported and created when they are first opened: on most days that is never. `notifier` shows the
    notices, by default through the platform's own service. `is_new` tells that the user has just closed the setup
    wizard.
    """

    def __init__(
        self,
        monitors: Monitors,
        tray: TrayIcon,
        settings: Settings,
        clock: Callable[[], float] = time.time,
        notifier: Notifier | None = None,
        *,
        is_new: bool = False,
    ) -> None:
        super().__init__()
        self._monitors = monitors
        self._tray = tray
        self._settings = settings
        self._clock = clock
        self._status_window: StatusWindow | None = None
        self.windows = Windows(monitors, lambda: self._status_window, clock, self)
        self._clipboard = TokenClipboard(self, clock)
        self._notices = notifier or Notifier(tray.show_balloon, self)
        self._autostart = AutostartWorker(self)
        self._actions = AccountActions(
            monitors,
            self.windows,
            self._notices,
            clipboard=self._clipboard,
            clock=clock,
            is_window_seen=self._is_window_seen,
            is_new=is_new,
            parent=self,
        )
        SettingsNotice(monitors, self._notices, self)
        self._timer = QTimer(self, singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._background = False
        self._connect_monitors()
        self._connect_tray()

    def start(self, *, background: bool) -> None:
        """Show the icon, then start the monitors, which takes longer."""
        self._background = background
        self.render()
        self._tray.start()
        self._monitors.start()

    def repair_autostart(self) -> None:
        self._autostart.repair()

    def open_window(self) -> None:
        """Show the status window. The first time, the event loop runs between importing, creating and showing it."""
        if self._status_window is None:
            import tray_app.desktop.status_window.window  # noqa: F401 - imported now, created in the next turn

            QTimer.singleShot(0, self._create_and_open)
            return
        self.window.show_view(view_of(self.overview(), self._clock()))
        self.window.show_in_front()

    @property
    def window(self) -> StatusWindow:
        """The status window, created by the first caller."""
        if self._status_window is None:
            from tray_app.desktop.status_window.window import StatusWindow

            self._status_window = StatusWindow()
            self._connect_window(self._status_window)
            self._status_window.show_quit(not self._tray.is_available())
        return self._status_window

    def overview(self) -> Overview:
        """Return everything that the desktop shows at present."""
        states = self._monitors.states
        problems = self._monitors.problems
        overview = Overview(
            states,
            self._profile(),
            snoozed_until=max((one.snoozed_until for one in states if one.snoozed_until), default=None),
            panel=self._settings.panel,
            settings_problem=say(problems[0]) if problems else "",
            calendar_problem=holidays_problem(self._clock()),
        )
        return replace(overview, copied_until=self._actions.copied_until(overview.state))

    def render(self) -> None:
        """Show the present state, and render again when something of it changes by itself."""
        overview, now = self.overview(), self._clock()
        view = tray_view_of(overview, now)
        self._tray.show_view(view)
        if self._is_window_seen():
            self.window.show_view(view_of(overview, now))
        self.windows.render()
        moment = next_change(overview, now, seconds=self._is_window_seen())
        if moment is None:
            self._timer.stop()
        else:
            self._timer.start(max(1, int((moment - now) * 1000) + 1))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Minimise the status window instead of closing it where no icon could open it again."""
        if watched is self._status_window and event.type() == QEvent.Type.Close and not self._tray.is_available():
            event.ignore()
            self.window.showMinimized()
            return True
        return super().eventFilter(watched, event)

    def _connect_monitors(self) -> None:
        self._monitors.changed.connect(self.render)
        self._monitors.reconfigured.connect(self._reconfigure)
        self._clipboard.changed.connect(self.render)
        self._monitors.notice_over.connect(self._notices.withdraw)
        self._notices.clicked.connect(self._open_account)
        self._notices.remedy_requested.connect(self._actions.apply)
        self._notices.snooze_requested.connect(self._monitors.snooze)

    def _connect_tray(self) -> None:
        self._tray.clicked.connect(self.open_window)
        self._tray.balloon_clicked.connect(self._notices.balloon_clicked)
        self._tray.available.connect(self._tray_availability_changed)
        menu = self._tray.menu
        menu.open_requested.connect(self.open_window)
        menu.refresh_requested.connect(lambda: self._actions.ask_kiwoom(self._menu_account()))
        menu.remedy_requested.connect(lambda remedy: self._actions.apply(self._menu_account(), remedy))
        menu.copy_requested.connect(lambda: self._actions.copy(self._menu_account()))
        menu.account_requested.connect(lambda: self._open_account(self._menu_account()))
        menu.snooze_requested.connect(self._monitors.snooze)
        menu.profile_chosen.connect(self._monitors.choose)
        menu.policy_chosen.connect(lambda policy: self._actions.choose_policy(self._menu_account(), policy))
        menu.settings_requested.connect(self.windows.open_settings)
        menu.clear_requested.connect(lambda: self._actions.ask_clear(self._menu_account()))
        menu.quit_requested.connect(quit_application)

    def _connect_window(self, window: StatusWindow) -> None:
        actions = self._actions
        window.refresh_requested.connect(lambda: actions.ask_kiwoom(self._profile()))
        window.rotate_requested.connect(lambda: actions.ask_rotate(self._profile()))
        window.copy_requested.connect(lambda: actions.copy(self._profile()))
        window.clear_requested.connect(lambda: actions.ask_clear(self._profile()))
        window.remedy_requested.connect(lambda remedy: actions.apply(self._profile(), remedy))
        window.snooze_requested.connect(self._monitors.snooze)
        window.profile_chosen.connect(self._monitors.choose)
        window.settings_requested.connect(self.windows.open_settings)
        window.history_requested.connect(lambda: self.windows.open_history(self._settings))
        window.open_settings_file_requested.connect(self.windows.open_settings_file)
        window.quit_requested.connect(quit_application)
        window.shown.connect(self.render)
        window.installEventFilter(self)

    def _create_and_open(self) -> None:
        _ = self.window
        QTimer.singleShot(0, self.open_window)

    def _is_window_seen(self) -> bool:
        return self._status_window is not None and self._status_window.is_seen()

    def _tick(self) -> None:
        """Render. While only the tray is shown, once a minute, let the accounts use the same wake-up."""
        self.render()
        if not self._is_window_seen():
            self._monitors.tick()

    def _reconfigure(self, settings: Settings) -> None:
        """Apply the settings of the program itself: language, theme and start at login."""
        before, self._settings = self._settings, settings
        if settings.autostart != before.autostart and not self._monitors.chosen.state.sandbox:
            self._autostart.switch(on=settings.autostart)
        if settings.theme != before.theme:
            apply_window_theme(settings.theme)
        language = current()
        use(settings.language)
        if current() != language:
            app = QApplication.instance()
            if isinstance(app, QApplication):
                switch_language(app)
            self._tray.menu.retranslate()

    def _open_account(self, profile: str) -> None:
        self._monitors.choose(profile)
        self.open_window()

    def _tray_availability_changed(self, is_available: bool) -> None:
        """Show the status window in place of an icon that no panel shows."""
        if self._status_window is not None:
            self._status_window.show_quit(not is_available)
        if is_available:
            if self._status_window is not None and self._status_window.isMinimized():
                self._status_window.hide()
        elif self._background and not self.window.isVisible():
            self.window.show_view(view_of(self.overview(), self._clock()))
            self.window.showMinimized()  # at once: minimised after it was shown, it could stay open
        else:
            self.open_window()

    def _profile(self) -> str:
        return self._monitors.chosen.state.profile

    def _menu_account(self) -> str:
        """Return the name of the account that the menu is about."""
        return self._tray.menu.account or self._settings.profile
