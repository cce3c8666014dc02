"""The desktop program: monitor, tray, window and notices, joined by signals."""

from __future__ import annotations

import signal
import sys
import time
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QApplication
from shiboken6 import isValid

from tray_app.core.errors import DONE
from tray_app.core.language import tr
from tray_app.core.notices import notice_text
from tray_app.desktop.dialogs import REVOKE, ask_clear, ask_keys, ask_rotate
from tray_app.desktop.instance import SingleInstance
from tray_app.desktop.monitor import Monitor
from tray_app.desktop.notices import APP_NAME, Notices
from tray_app.desktop.translation import install_translator
from tray_app.desktop.tray import Tray
from tray_app.desktop.view import Overview, next_change, view_of
from tray_app.desktop.window import TokenWindow
from tray_app.kiwoom.keys import AppKeys
from tray_app.manager.keeper import Outcome
from tray_app.manager.login import keep_keys
from tray_app.manager.opening import open_keeper
from tray_app.stores.vault import shared_vault

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from PySide6.QtWidgets import QDialog

    from tray_app.core.secret import Secret
    from tray_app.core.watch import Notice
    from tray_app.settings.load import Settings

PORTAL = "https://openapi.kiwoom.com"


def run_desktop(settings: Settings, environ: Mapping[str, str], *, practice: bool, background: bool = False) -> int:
    """Runs until the user quits. A second start shows the first one's window and ends."""
    app = _application()
    instance = SingleInstance(settings.data_dir)
    if not instance.is_first():
        print(tr("It is running already; its window is shown."), file=sys.stderr)
        return DONE
    keeper = open_keeper(settings, environ=environ)
    monitor = Monitor(settings, keeper, _try_keys if practice else keep_keys, shared_vault().unlock, practice=practice)
    shell = Shell(monitor, Tray())
    instance.shown.connect(shell.open_window)
    shell.start(background=background)
    _quit_on_signals(app)
    return app.exec()


def _try_keys(settings: Settings, keys: AppKeys) -> Outcome:
    """Practising leaves the user's keyring and settings alone."""
    return open_keeper(settings, keys=keys).refresh()


class Shell(QObject):
    """Renders the monitor's state and passes the user's wishes on to it."""

    def __init__(self, monitor: Monitor, tray: Tray, clock: Callable[[], float] = time.time) -> None:
        super().__init__()
        self._monitor = monitor
        self._tray = tray
        self._clock = clock
        self._window = TokenWindow()
        self._notices = Notices(tray.balloon, self)
        self._timer = QTimer(self, singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._render)
        self._background = False
        self._question: QDialog | None = None
        monitor.changed.connect(self._render)
        monitor.notice.connect(self._tell)
        self._notices.clicked.connect(self.open_window)
        tray.open_requested.connect(self.open_window)
        tray.refresh_requested.connect(monitor.refresh)
        tray.clear_requested.connect(self._ask_clear)
        tray.quit_requested.connect(QApplication.quit)
        tray.available.connect(self._tray_came_or_went)
        self._window.refreshRequested.connect(monitor.refresh)
        self._window.clearRequested.connect(self._ask_clear)
        self._window.unlockRequested.connect(monitor.unlock)
        self._window.loginRequested.connect(lambda: self._ask_keys(monitor.state.mode))
        self._window.switchModeRequested.connect(lambda: self._ask_keys(_other_mode(monitor.state.mode)))
        self._window.portalRequested.connect(lambda: QDesktopServices.openUrl(QUrl(PORTAL)))
        self._window.rotateRequested.connect(self._ask_rotate)
        self._window.quitRequested.connect(QApplication.quit)
        self._window.shown.connect(self._render)
        self._window.installEventFilter(self)

    def start(self, *, background: bool) -> None:
        """The icon first; everything slow comes after it."""
        self._background = background
        self._render()
        self._tray.start()
        self._monitor.start()

    def open_window(self) -> None:
        self._window.show_view(view_of(Overview.of(self._monitor.state), self._clock()))
        self._window.bring_up()

    def _render(self) -> None:
        overview, now = Overview.of(self._monitor.state), self._clock()
        view = view_of(overview, now)
        self._tray.show_view(view)
        if self._window.isVisible():
            self._window.show_view(view)
        self._schedule(overview, now)

    def _schedule(self, overview: Overview, now: float) -> None:
        moment = next_change(overview, now, seconds=self._window.isVisible())
        if moment is None:
            self._timer.stop()
        else:
            self._timer.start(max(1, int((moment - now) * 1000) + 1))

    def _tell(self, notice: Notice) -> None:
        title, body = notice_text(notice, self._clock())
        self._notices.show(title, body, urgent=notice.urgent)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Where no icon is to be clicked, a closed window could not be opened again: it is minimised instead."""
        if watched is self._window and event.type() == QEvent.Type.Close and not self._tray.is_available():
            event.ignore()
            self._window.showMinimized()
            return True
        return super().eventFilter(watched, event)

    def _tray_came_or_went(self, is_there: bool) -> None:
        """The window stands in for an icon that nobody shows."""
        self._window.show_quit(not is_there)
        if is_there:
            if self._window.isMinimized():
                self._window.hide()
        elif self._background and not self._window.isVisible():
            self._window.show_view(view_of(Overview.of(self._monitor.state), self._clock()))
            self._window.showMinimized()  # at once: minimised after it was shown, it could stay open
        else:
            self.open_window()

    def _ask_clear(self) -> None:
        self._drop_question()
        dialog = self._question = ask_clear(self._dialog_parent(), self._monitor.state, self._clock())
        dialog.chosen.connect(lambda choice: self._monitor.clear(revoke=choice == REVOKE))

    def _ask_rotate(self) -> None:
        self._drop_question()
        dialog = self._question = ask_rotate(self._dialog_parent())
        dialog.confirmed.connect(self._monitor.rotate)

    def _ask_keys(self, mode: str) -> None:
        def entered(chosen: str, app_key: Secret, app_secret: Secret) -> None:
            self._monitor.enter_keys(chosen, AppKeys(app_key, app_secret))

        self._drop_question()
        dialog = self._question = ask_keys(self._dialog_parent(), mode, self._monitor.state.profile)
        dialog.keysEntered.connect(entered)

    def _drop_question(self) -> None:
        """One question at a time. While the window is hidden it has no parent, and this program must keep it alive."""
        if self._question is not None and isValid(self._question):
            self._question.close()

    def _dialog_parent(self) -> TokenWindow | None:
        return self._window if self._window.isVisible() else None


def _other_mode(mode: str) -> str:
    return "demo" if mode == "real" else "real"


def _application() -> QApplication:
    QApplication.setQuitOnLastWindowClosed(False)
    QGuiApplication.setDesktopFileName(APP_NAME)
    app = QApplication([APP_NAME])
    app.setApplicationName(APP_NAME)
    app.setApplicationDisplayName(tr("Kiwoom Token Tray"))
    install_translator(app)
    if sys.platform == "win32":
        import ctypes

        ctypes.windll.shell32.SetCurrentProcessExplicitAppUserModelID("KiwoomTokenTray")
    return app


def _quit_on_signals(app: QApplication) -> None:
    """Ctrl+C and a terminated session end the program in order; Python runs its handlers only when it is woken."""
    import socket

    from PySide6.QtCore import QSocketNotifier

    awake, wake = socket.socketpair()
    wake.setblocking(False)  # noqa: FBT003 - socket takes it by position only
    signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
    notifier = QSocketNotifier(awake.fileno(), QSocketNotifier.Type.Read, app)
    notifier.activated.connect(lambda: awake.recv(64))
    app.setProperty("wakeup_sockets", (awake, wake))
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, lambda *_: app.quit())
