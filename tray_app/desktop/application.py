"""The QApplication of this process."""

from __future__ import annotations

import sys

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QGuiApplication, QPixmapCache
from PySide6.QtWidgets import QApplication

from tray_app.core.errors import DONE
from tray_app.desktop import APP_ID, APP_NAME
from tray_app.desktop.translation import install_translator
from tray_app.system.child_process import restore_environment


def create_application(*, background: bool = False) -> QApplication:
    """Return the application, created by the first caller. With `background` it does not come to the front."""
    running = QApplication.instance()
    if isinstance(running, QApplication):
        return running
    if sys.platform == "darwin" and background:
        from tray_app.desktop.macos import keep_in_background

        keep_in_background()
    QApplication.setQuitOnLastWindowClosed(False)
    QGuiApplication.setDesktopFileName(APP_NAME)
    app = QApplication([APP_NAME])
    restore_environment()  # Qt knows by now where its plugins are
    app.setApplicationName(APP_NAME)
    QPixmapCache.setCacheLimit(0)  # each panel that asks for the icon fills it, and Qt then wakes every ten seconds
    install_translator(app)
    if sys.platform == "win32":
        import ctypes

        ctypes.windll.shell32.SetCurrentProcessExplicitAppUserModelID(APP_ID)
    elif sys.platform == "darwin":
        from tray_app.desktop.macos import hide_dock_icon, keep_in_background, run_on_time

        if background:
            keep_in_background()
        hide_dock_icon()
        run_on_time()
    return app


def quit_application() -> None:
    """End the event loop. Qt's `quit` asks every window first, and a window that refuses would keep the program."""
    QCoreApplication.exit(DONE)
