"""Qt's messages, in the log of the program instead of on a stderr that nobody reads."""

from __future__ import annotations

from PySide6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler

from tray_app.core import logs

_WAYS = {
    QtMsgType.QtDebugMsg: logs.debug,
    QtMsgType.QtInfoMsg: logs.debug,
    QtMsgType.QtWarningMsg: logs.warning,
    QtMsgType.QtCriticalMsg: logs.error,
    QtMsgType.QtFatalMsg: logs.error,
}


def log_qt_messages() -> None:
    """Log Qt's messages from now on."""
    qInstallMessageHandler(_log)


def _log(kind: QtMsgType, context: QMessageLogContext, message: str) -> None:
    _WAYS.get(kind, logs.warning)("Qt (%s): %s", context.category or "default", message)
