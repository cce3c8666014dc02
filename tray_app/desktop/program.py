"""The tray program from its start to its end."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from PySide6.QtGui import QGuiApplication, QPixmapCache
from PySide6.QtWidgets import QApplication

from tray_app.core.errors import DONE
from tray_app.core.language import tr
from tray_app.core.state import TokenState
from tray_app.desktop import APP_ID, APP_NAME
from tray_app.desktop.instance import SingleInstance, Wish
from tray_app.desktop.look.theme import apply_window_theme
from tray_app.desktop.stopping import StopSignals, end_program
from tray_app.desktop.translation import install_translator
from tray_app.desktop.tray import Tray
from tray_app.desktop.view import Overview, view_of
from tray_app.settings.places import settings_scope

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tray_app.desktop.monitors import Monitors
    from tray_app.desktop.session.system import SystemSession
    from tray_app.kiwoom.keys import AppKeys
    from tray_app.service.outcome import Outcome
    from tray_app.service.token_service import TokenService
    from tray_app.settings.load import Settings


def run_desktop(
    settings: Settings,
    environ: Mapping[str, str],
    *,
    sandbox: bool,
    only_this_profile: bool = False,
    background: bool = False,
    show: bool = False,
) -> int:
    """Runs until the user quits. A second start shows the first one's window, if it is not for the background."""
    app = application()
    signals = StopSignals(app)
    instance = SingleInstance(settings_scope(environ))
    if not instance.is_first(Wish.NOTHING if background else Wish.SHOW):
        told = tr("It is running already.") if background else tr("It is running already; its window is shown.")
        if sys.stderr is not None:
            print(told, file=sys.stderr)
        return DONE
    instance.quit_requested.connect(end_program)
    apply_window_theme(settings.theme)
    tray = Tray()
    before = TokenState(settings.profile, settings.mode, settings.policy, sandbox=sandbox)
    tray.show_view(view_of(Overview((before,), settings.profile, panel=settings.panel), time.time()))
    tray.start()

    # The icon comes first: what takes time, and be it to load, comes after it.
    from tray_app.desktop.monitor import Monitor
    from tray_app.desktop.monitors import Monitors
    from tray_app.desktop.shell import Shell
    from tray_app.service.composition import open_service
    from tray_app.service.login import keep_keys
    from tray_app.stores.keyring_client import shared_keyring_client

    def open_token_service(settings: Settings) -> TokenService:
        return open_service(settings, environ=environ)

    def open_monitor(settings: Settings) -> Monitor:
        keep = _try_keys if sandbox else keep_keys
        return Monitor(settings, open_token_service, keep, shared_keyring_client().unlock, sandbox=sandbox)

    monitors = Monitors(settings, environ, open_monitor, only_this=only_this_profile)
    shell = Shell(monitors, tray, settings)
    instance.shown.connect(shell.open_window)
    session = _follow_session(monitors, tray)
    shell.start(background=background)
    session.start()
    if not sandbox:
        shell.mend_autostart()
    if show:
        shell.open_window()
    signals.obey()
    status = app.exec()
    session.stop()
    tray.close()
    instance.close()
    return status


def _follow_session(monitors: Monitors, tray: Tray) -> SystemSession:
    from tray_app.desktop.session.system import SystemSession

    session = SystemSession(monitors)
    session.resumed.connect(monitors.resumed)
    session.locked.connect(monitors.hold)
    session.ending.connect(end_program)
    session.theme_changed.connect(tray.refresh_theme)
    monitors.changed.connect(session.tick)
    return session


def _try_keys(settings: Settings, keys: AppKeys) -> Outcome:
    """Practising leaves the user's keyring and settings alone."""
    from tray_app.service.composition import open_service

    return open_service(settings, keys=keys).refresh()


def application() -> QApplication:
    """The one of this process, made by whoever is the first to show something."""
    running = QApplication.instance()
    if isinstance(running, QApplication):
        return running
    QApplication.setQuitOnLastWindowClosed(False)
    QGuiApplication.setDesktopFileName(APP_NAME)
    app = QApplication([APP_NAME])
    app.setApplicationName(APP_NAME)
    QPixmapCache.setCacheLimit(0)  # each panel that asks for the icon fills it, and Qt then wakes every ten seconds
    install_translator(app)
    if sys.platform == "win32":
        import ctypes

        ctypes.windll.shell32.SetCurrentProcessExplicitAppUserModelID(APP_ID)
    elif sys.platform == "darwin":
        from tray_app.desktop.macos import hide_dock_icon

        hide_dock_icon()
    return app
