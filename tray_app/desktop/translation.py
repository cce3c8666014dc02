"""The desktop's own words in the current language, beside those of `tray_app.core.language`."""

from __future__ import annotations

import os

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QTranslator
from PySide6.QtGui import QGuiApplication

from tray_app.core import language, logs
from tray_app.system.resources import resources_folder

CATALOGUE = "kiwoom-token-tray_ko.qm"
_installed: list[QTranslator] = []


def catalogue_path() -> str:
    return os.path.join(resources_folder(), "translations", CATALOGUE)


def install_translator(app: QCoreApplication) -> None:
    """Makes `app` speak `core.language.current()`. Call it again after a switch: open windows follow at once."""
    for translator in _installed:
        app.removeTranslator(translator)
    _installed.clear()
    if isinstance(app, QGuiApplication):  # which puts it behind the titles of windows
        app.setApplicationDisplayName(language.tr("Kiwoom Token Tray"))
    if language.current() != language.KOREAN:
        return
    qt = os.path.join(QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath), "qtbase_ko.qm")
    for path in (qt, catalogue_path()):
        translator = QTranslator(app)
        if translator.load(path) and app.installTranslator(translator):
            _installed.append(translator)
        else:
            logs.warning("No Korean words for the windows in %s", os.path.basename(path))
