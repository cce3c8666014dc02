"""The language of the windows: `core.language` translates the program's own sentences, Qt its own buttons."""

from __future__ import annotations

import os

from PySide6 import QtCore
from PySide6.QtCore import QCoreApplication, QTranslator
from PySide6.QtGui import QGuiApplication

from tray_app.core import language, logs

_installed: list[QTranslator] = []


def install_translator(app: QCoreApplication) -> None:
    """Switch Qt's own texts to `core.language.current()`."""
    for translator in _installed:
        app.removeTranslator(translator)
    _installed.clear()
    if isinstance(app, QGuiApplication):  # Qt appends it to the titles of windows
        app.setApplicationDisplayName(language.tr("Kiwoom Token Tray"))
    if language.current() == language.KOREAN:
        translator = QTranslator(app)
        folder = QtCore.QLibraryInfo.path(QtCore.QLibraryInfo.LibraryPath.TranslationsPath)
        if translator.load(os.path.join(folder, "qtbase_ko.qm")) and app.installTranslator(translator):
            _installed.append(translator)
        else:
            logs.warning("Qt's own buttons stay English: no qtbase_ko.qm in %s", folder)


def switch_language(app: QCoreApplication) -> None:
    """Switch Qt and every open window to `core.language.current()`: each window receives a `LanguageChange` event, also
    where Qt has no catalogue of its own, and sets its texts anew."""
    install_translator(app)
    QCoreApplication.sendEvent(app, QtCore.QEvent(QtCore.QEvent.Type.LanguageChange))
