"""The desktop program: accounts, tray, windows and notices, joined by signals."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QProcess, Qt, QTimer, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QApplication
from shiboken6 import isValid

from tray_app import autostart
from tray_app.autostart.program import BACKGROUND, start_command
from tray_app.core import logs
from tray_app.core.language import current, say, use
from tray_app.desktop.clipboard import TokenClipboard
from tray_app.desktop.look.theme import apply_window_theme
from tray_app.desktop.notices.notices import Notices
from tray_app.desktop.stopping import end_program
from tray_app.desktop.translation import install_translator
from tray_app.desktop.view import Overview, next_change, view_of
from tray_app.desktop.worker import Worker
from tray_app.kiwoom.keys import AppKeys

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QDialog, QWidget

    from tray_app.core.notices import Notice
    from tray_app.core.secret import Secret
    from tray_app.desktop.history.window import HistoryWindow
    from tray_app.desktop.monitors import Monitors
    from tray_app.desktop.settings.desk import SettingsDesk
    from tray_app.desktop.tray import Tray
    from tray_app.desktop.window import TokenWindow
    from tray_app.settings.load import Settings

PORTAL = "https://openapi.kiwoom.com"


class Shell(QObject):
    """Renders what the accounts tell and passes the user's wishes on to them.

    Each window is loaded and built when it is first wanted: most days that is never.
    """

    def __init__(
        self, accounts: Monitors, tray: Tray, settings: Settings, clock: Callable[[], float] = time.time
    ) -> None:
        super().__init__()
        self._accounts = accounts
        self._tray = tray
        self._settings = settings
        self._clock = clock
        self._built: TokenWindow | None = None
        self._clipboard = TokenClipboard(self, clock)
        self._notices = Notices(tray.balloon, self)
        self._system = Worker("system", self)
        self._timer = QTimer(self, singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._wake)
        self._background = False
        self._question: QDialog | None = None
        self._history: HistoryWindow | None = None
        self._settings_desk: SettingsDesk | None = None
        self._connect_accounts()
        self._connect_tray()

    def start(self, *, background: bool) -> None:
        """The icon first; everything slow comes after it."""
        self._background = background
        self._render()
        self._tray.start()
        self._accounts.start()

    def mend_autostart(self) -> None:
        """The program may have been moved since it was told to start at login."""
        self._system.run(lambda: autostart.for_this_system().repair(), _log_failure)

    def open_window(self) -> None:
        """The first time the event loop turns between loading, building and showing it."""
        if self._built is None:
            import tray_app.desktop.window  # noqa: F401 - loaded, for the next turn

            QTimer.singleShot(0, self._build_and_open)
            return
        self._window.show_view(view_of(self._overview(), self._clock()))
        self._window.bring_up()

    def _connect_accounts(self) -> None:
        self._accounts.changed.connect(self._render)
        self._accounts.notice.connect(self._tell)
        self._accounts.copied.connect(self._clipboard.copy)
        self._accounts.reconfigured.connect(self._reconfigure)
        self._clipboard.changed.connect(self._render)
        self._accounts.notice_over.connect(self._notices.withdraw)
        self._notices.clicked.connect(self._open_account)
        self._notices.refresh_requested.connect(self._accounts.refresh)
        self._notices.snooze_requested.connect(self._accounts.snooze)

    def _connect_tray(self) -> None:
        tray = self._tray
        tray.open_requested.connect(self.open_window)
        tray.refresh_requested.connect(self._refresh)
        tray.copy_requested.connect(self._copy)
        tray.snooze_requested.connect(self._accounts.snooze)
        tray.profile_chosen.connect(self._accounts.choose)
        tray.policy_chosen.connect(self._choose_policy)
        tray.settings_requested.connect(self._open_settings)
        tray.clear_requested.connect(self._ask_clear)
        tray.quit_requested.connect(end_program)
        tray.available.connect(self._tray_came_or_went)

    @property
    def _window(self) -> TokenWindow:
        if self._built is None:
            from tray_app.desktop.window import TokenWindow

            self._built = TokenWindow()
            self._connect_window(self._built)
            self._built.show_quit(not self._tray.is_available())
        return self._built

    def _build_and_open(self) -> None:
        _ = self._window
        QTimer.singleShot(0, self.open_window)

    def _is_window_seen(self) -> bool:
        return self._built is not None and self._built.is_seen()

    def _connect_window(self, window: TokenWindow) -> None:
        window.refreshRequested.connect(self._refresh)
        window.rotateRequested.connect(self._ask_rotate)
        window.copyRequested.connect(self._copy)
        window.clearRequested.connect(self._ask_clear)
        window.unlockRequested.connect(self._unlock)
        window.loginRequested.connect(lambda: self._ask_keys(self._profile()))
        window.switchModeRequested.connect(lambda: self._ask_keys(self._profile(), other_mode=True))
        window.portalRequested.connect(lambda: QDesktopServices.openUrl(QUrl(PORTAL)))
        window.snoozeRequested.connect(self._accounts.snooze)
        window.profileChosen.connect(self._accounts.choose)
        window.settingsRequested.connect(self._open_settings)
        window.historyRequested.connect(self._open_history)
        window.openSettingsFileRequested.connect(self._open_settings_file)
        window.quitRequested.connect(end_program)
        window.shown.connect(self._render)
        window.installEventFilter(self)

    def _overview(self) -> Overview:
        states = self._accounts.states
        problems = self._accounts.problems
        return Overview(
            states,
            self._profile(),
            snoozed_until=max((one.snoozed_until for one in states if one.snoozed_until), default=None),
            copied_until=self._clipboard.copied_until,
            panel=self._settings.panel,
            settings_problem=say(problems[0]) if problems else "",
        )

    def _wake(self) -> None:
        """What a hidden tray shows goes on once a minute: whoever else wakes as often does so now."""
        self._render()
        if not self._is_window_seen():
            self._accounts.tick()

    def _render(self) -> None:
        overview, now = self._overview(), self._clock()
        view = view_of(overview, now)
        self._tray.show_view(view)
        if self._is_window_seen():
            self._window.show_view(view)
        moment = next_change(overview, now, seconds=self._is_window_seen())
        if moment is None:
            self._timer.stop()
        else:
            self._timer.start(max(1, int((moment - now) * 1000) + 1))

    def _reconfigure(self, settings: Settings) -> None:
        """What holds for the whole program: its language and its colours."""
        before, self._settings = self._settings, settings
        if settings.autostart != before.autostart and not self._accounts.chosen.state.sandbox:
            self._system.run(lambda: _start_at_login(on=settings.autostart), _log_failure)
        if settings.theme != before.theme:
            apply_window_theme(settings.theme)
        spoken = current()
        use(settings.language)
        if current() != spoken:
            app = QApplication.instance()
            if isinstance(app, QApplication):
                install_translator(app)
            self._tray.retranslate()

    def _tell(self, profile: str, notice: Notice) -> None:
        self._notices.show(notice, profile, self._clock(), named=len(self._accounts.states) > 1)

    def _open_account(self, profile: str) -> None:
        self._accounts.choose(profile)
        self.open_window()

    def eventFilter(self, watch_paths: QObject, event: QEvent) -> bool:
        """Where no icon is to be clicked, a closed window could not be opened again: it is minimised instead."""
        if watch_paths is self._built and event.type() == QEvent.Type.Close and not self._tray.is_available():
            event.ignore()
            self._window.showMinimized()
            return True
        return super().eventFilter(watch_paths, event)

    def _tray_came_or_went(self, is_there: bool) -> None:
        """The window stands in for an icon that nobody shows."""
        if self._built is not None:
            self._built.show_quit(not is_there)
        if is_there:
            if self._built is not None and self._built.isMinimized():
                self._built.hide()
        elif self._background and not self._window.isVisible():
            self._window.show_view(view_of(self._overview(), self._clock()))
            self._window.showMinimized()  # at once: minimised after it was shown, it could stay open
        else:
            self.open_window()

    def _refresh(self) -> None:
        self._accounts.chosen.refresh()

    def _copy(self) -> None:
        self._accounts.chosen.copy()

    def _unlock(self) -> None:
        self._accounts.chosen.unlock()

    def _profile(self) -> str:
        return self._accounts.chosen.state.profile

    def _choose_policy(self, policy: str) -> None:
        self._accounts.set("policy", policy, self._profile())

    def _ask_clear(self) -> None:
        from tray_app.desktop.dialogs import REVOKE, ask_clear

        monitor = self._accounts.chosen
        self._drop_question()
        dialog = self._question = ask_clear(self._dialog_parent(), monitor.state, self._clock())
        dialog.chosen.connect(lambda choice: monitor.clear(revoke=choice == REVOKE))

    def _ask_rotate(self) -> None:
        from tray_app.desktop.dialogs import ask_rotate

        monitor = self._accounts.chosen
        self._drop_question()
        dialog = self._question = ask_rotate(self._dialog_parent())
        dialog.confirmed.connect(monitor.rotate)

    def _ask_keys(self, profile: str, *, other_mode: bool = False) -> None:
        from tray_app.desktop.dialogs import ask_keys

        mode = self._accounts.mode_of(profile)
        if other_mode:
            mode = "demo" if mode == "real" else "real"

        def entered(chosen: str, app_key: Secret, app_secret: Secret) -> None:
            self._accounts.enter_keys(profile, chosen, AppKeys(app_key, app_secret))

        self._drop_question()
        dialog = self._question = ask_keys(self._dialog_parent(), mode, profile)
        dialog.keysEntered.connect(entered)

    def _drop_question(self) -> None:
        """One question at a time. While the window is hidden it has no parent, and this program must keep it alive."""
        if self._question is not None and isValid(self._question):
            self._question.close()

    def _dialog_parent(self) -> QWidget | None:
        windows = [self._built, None if self._settings_desk is None else self._settings_desk.window]
        seen = [window for window in windows if window is not None and window.isVisible()]
        return next((window for window in seen if window.isActiveWindow()), seen[0] if seen else None)

    def _open_settings(self) -> None:
        from tray_app.desktop.settings.desk import SettingsDesk

        if self._settings_desk is None:
            sandbox = self._accounts.chosen.state.sandbox
            desk = self._settings_desk = SettingsDesk(self._accounts.environ, self, sandbox=sandbox)
            desk.written.connect(self._accounts.reload)
            desk.openFileRequested.connect(self._open_settings_file)
            desk.keysRequested.connect(self._ask_keys)
            desk.setupRequested.connect(self._open_setup)
            self._accounts.reconfigured.connect(desk.look)
        self._settings_desk.open(self._profile())

    def _open_setup(self) -> None:
        from tray_app.desktop.setup.actions import MachineSetup
        from tray_app.desktop.setup.flow import Ending
        from tray_app.desktop.setup.wizard import open_setup

        def ended(ending: Ending) -> None:
            if ending is Ending.PRACTISE:  # with data of its own, so it runs beside this one
                program, *arguments = start_command()
                QProcess.startDetached(program, ["--sandbox" if one == BACKGROUND else one for one in arguments])
            self._accounts.reload()

        self._drop_question()
        actions = MachineSetup(self._accounts.chosen.settings, self._accounts.environ)
        wizard = self._question = open_setup(self._dialog_parent(), actions)
        wizard.ended.connect(ended)

    def _open_history(self) -> None:
        from tray_app.desktop.history.feed import HistoryFeed
        from tray_app.desktop.history.window import HistoryWindow
        from tray_app.history.database import open_history

        if self._history is None:
            feed = HistoryFeed(open_history(self._settings), self._accounts.finders(), self._clock, self)
            self._history = HistoryWindow(feed)
            self._accounts.reconfigured.connect(
                lambda settings: feed.use(open_history(settings), self._accounts.finders())
            )
        self._history.choose_profile(self._profile())
        self._history.bring_up()

    def _open_settings_file(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(self._accounts.settings_file))


def _start_at_login(*, on: bool) -> None:
    """What the settings window or the command line changed is so already, and some systems ask the user each time."""
    status = autostart.for_this_system().status()
    if not (status.enabled if on else not status.configured):
        autostart.switch(on=on)


def _log_failure(_: object, error: Exception | None) -> None:
    """What failed behind the user's back is told where they look for it: in the settings window, and by `doctor`."""
    if error is not None:
        logs.warning("Start at login not changed: %s", error)
