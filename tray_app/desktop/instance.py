"""One running tray program per user and data folder; a second start shows the first one's window."""

from __future__ import annotations

import os
from hashlib import sha256

from PySide6.QtCore import QDir, QLockFile, QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

from tray_app.core import logs

_ANSWER_MILLISECONDS = 2000
_SHOW = b"show\n"


class SingleInstance(QObject):
    """`is_first()` takes the place; the first one emits `shown` whenever another start asks for the window."""

    shown = Signal()

    def __init__(self, data_dir: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        ident = sha256(os.path.normcase(os.path.abspath(data_dir)).encode()).hexdigest()[:16]
        user = os.environ.get("USERNAME", "") if os.name == "nt" else str(os.getuid())
        self._name = f"kiwoom-token-tray-{user}-{ident}"
        folder = os.environ.get("XDG_RUNTIME_DIR") or QDir.tempPath()
        self._lock = QLockFile(os.path.join(folder, f"{self._name}.lock"))
        self._lock.setStaleLockTime(0)
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._answer)

    def is_first(self) -> bool:
        """Whether no other one runs. Then this one listens; else the other one was asked to show its window."""
        if self._lock.tryLock(0):
            QLocalServer.removeServer(self._name)
            if not self._server.listen(self._name):
                logs.warning("A second start cannot reach this one (%s)", self._server.errorString())
            return True
        socket = QLocalSocket()
        socket.connectToServer(self._name)
        if socket.waitForConnected(_ANSWER_MILLISECONDS):
            socket.write(_SHOW)
            socket.waitForBytesWritten(_ANSWER_MILLISECONDS)
            socket.disconnectFromServer()
        return False

    def _answer(self) -> None:
        while (connection := self._server.nextPendingConnection()) is not None:
            connection.disconnected.connect(connection.deleteLater)
            self.shown.emit()
