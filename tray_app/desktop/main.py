"""The tray program from start to end."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer

from tray_app.core.errors import DONE, UNEXPECTED
from tray_app.desktop.application import create_application, quit_application
from tray_app.desktop.early_requests import EarlyRequests, let_panel_draw
from tray_app.desktop.single_instance import Command, SingleInstance
from tray_app.desktop.stop_signals import StopSignals
from tray_app.desktop.theme.dark_mode import apply_window_theme
from tray_app.desktop.tray.tray_icon import TrayIcon
from tray_app.settings.places import settings_scope

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tray_app.desktop.monitors import Monitors
    from tray_app.desktop.system_events.listener import SystemEventListener
    from tray_app.kiwoom.keys import AppKeys
    from tray_app.service.outcome import Outcome
    from tray_app.service.token_service import TokenService
    from tray_app.settings.load import Settings


_LAST_SECONDS = 3.0
"""How long a request may still take once the icon is gone, so that a token that Kiwoom has issued is stored."""


def run_desktop(
    settings: Settings,
    environ: Mapping[str, str],
    *,
    sandbox: bool,
    only_this_profile: bool = False,
    background: bool = False,
    show: bool = False,
    is_new: bool = False,
) -> int:
    """Run until the user quits, and return the exit status.

    A second start shows the window of the first one instead, unless it was started with `background`. `is_new` tells
    that the user has just closed the setup wizard.
    """
    app = create_application(background=background)
    signals = StopSignals(app)
    instance = SingleInstance(settings_scope(environ))
    if not instance.is_primary(Command.NOTHING if background else Command.SHOW):
        if sys.stderr is not None:
            print(instance.why_not_started(shows=not background), file=sys.stderr)
        return UNEXPECTED if instance.is_silent else DONE
    apply_window_theme(settings.theme)
    tray = TrayIcon(settings.panel)
    early = EarlyRequests(*tray.requests, instance.shown, instance.quit_requested)
    tray.start()
    if sys.platform == "linux" and tray.is_available():
        let_panel_draw()

    # The icon is shown first; whatever takes time, even just to import, comes after it.
    from tray_app.desktop.controller import DesktopController
    from tray_app.desktop.monitor import Monitor
    from tray_app.desktop.monitors import Monitors
    from tray_app.service.composition import find_keys, open_service
    from tray_app.service.exchange_calendar import install_holidays, update_holidays
    from tray_app.service.login import keep_keys
    from tray_app.stores.keyring_client import shared_keyring_client

    def open_token_service(settings: Settings) -> TokenService:
        return open_service(settings, environ=environ)

    def open_monitor(settings: Settings) -> Monitor:
        keep = _try_keys if sandbox else keep_keys
        keyring = shared_keyring_client()
        return Monitor(
            settings,
            open_token_service,
            keep,
            keyring.unlock,
            check_keyring=keyring.check,
            find_keys=lambda settings: find_keys(settings, environ),
            sandbox=sandbox,
        )

    if not install_holidays(time.time()) and not sandbox:
        with contextlib.suppress(RuntimeError):  # no more threads: what is known so far serves
            threading.Thread(target=update_holidays, args=(time.time(),), name="exchange-holidays", daemon=True).start()
    monitors = Monitors(settings, environ, open_monitor, only_this=only_this_profile)
    controller = DesktopController(monitors, tray, settings, is_new=is_new)
    instance.shown.connect(controller.open_window)
    instance.quit_requested.connect(quit_application)
    if sys.platform == "win32":
        from tray_app.desktop.notices.toast_activator import serve_toast_activator

        serve_toast_activator(instance.shown.emit)
    elif sys.platform == "darwin":
        from tray_app.desktop.macos import open_when_started_again

        open_when_started_again(app, controller.open_window)
    listener = listen_to_system(monitors, tray)
    controller.start(background=background)
    listener.start()
    if not sandbox:
        controller.repair_autostart()
    if show:
        controller.open_window()
    signals.enable()
    QTimer.singleShot(0, early.release)
    status = app.exec()
    listener.stop()
    tray.close()
    monitors.finish(_LAST_SECONDS)
    instance.close()
    return status


def listen_to_system(monitors: Monitors, tray: TrayIcon) -> SystemEventListener:
    """Return a listener, not started yet, that passes the system's events to accounts, tray and program."""
    from tray_app.desktop.system_events.listener import SystemEventListener

    listener = SystemEventListener(monitors)
    listener.resumed.connect(monitors.resumed)
    listener.locked.connect(monitors.hold)
    listener.ending.connect(quit_application)
    listener.theme_changed.connect(tray.refresh_theme)
    monitors.changed.connect(listener.tick)
    return listener


def _try_keys(settings: Settings, keys: AppKeys) -> Outcome:
    """Issue a token with the keys without storing them: the sandbox leaves the user's keyring and settings alone."""
    from tray_app.service.composition import open_service

    return open_service(settings, keys=keys).refresh()
