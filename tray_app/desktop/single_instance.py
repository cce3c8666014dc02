"""One running tray program per user and settings; a second start tells the first one what is asked of it."""

from __future__ import annotations

import os
import sys
import time
from enum import Enum
from functools import partial

from PySide6.QtCore import QCryptographicHash, QDir, QLockFile, QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

from tray_app.core import logs

_ANSWER_SECONDS = 2.0
_END_SECONDS = 15.0
"""A running program that has something half done ends within this."""
_PAUSE_SECONDS = 0.05
_LONGEST_WISH = 16


class Wish(Enum):
    """What a start that is not the first may want of the one that runs."""

    NOTHING = b""
    SHOW = b"show\n"
    QUIT = b"quit\n"


class Quit(Enum):
    """What became of asking a running program to end."""

    NONE_RAN = "none ran"
    ENDED = "ended"
    STAYED = "stayed"


class SingleInstance(QObject):
    """`is_first()` takes the place; the first one emits `shown` and `quit_requested` as other starts ask for it."""

    shown = Signal()
    quit_requested = Signal()

    def __init__(self, scope: str, parent: QObject | None = None) -> None:
        """`scope` is what one running program serves, see `settings_scope`."""
        super().__init__(parent)
        digest = QCryptographicHash.hash(os.path.normcase(scope).encode(), QCryptographicHash.Algorithm.Sha256)
        ident = bytes(digest.toHex().data()).decode()[:16]
        user = os.environ.get("USERNAME", "") if os.name == "nt" else str(os.getuid())
        name = f"kiwoom-token-tray-{user}-{ident}"
        folder = os.environ.get("XDG_RUNTIME_DIR") or QDir.tempPath()
        self._address = name if sys.platform == "win32" else os.path.join(folder, name)
        self._lock = QLockFile(os.path.join(folder, f"{name}.lock"))
        self._lock.setStaleLockTime(0)
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._answer)

    def is_first(self, wish: Wish = Wish.SHOW) -> bool:
        """Whether no other one runs. Then this one listens; else the other one was told the wish."""
        if self._lock.tryLock(0):
            QLocalServer.removeServer(self._address)
            if not self._server.listen(self._address):
                logs.warning("A second start cannot reach this one (%s)", self._server.errorString())
            return True
        if wish is not Wish.NOTHING:
            self._tell(wish)
        return False

    def end_other(self, patience: float = _END_SECONDS) -> Quit:
        """Asks the one that runs to end, and waits for it up to `patience` seconds."""
        if self._lock.tryLock(0):
            self._lock.unlock()
            return Quit.NONE_RAN
        self._tell(Wish.QUIT)
        if not self._lock.tryLock(int(patience * 1000)):
            return Quit.STAYED
        self._lock.unlock()
        return Quit.ENDED

    def close(self) -> None:
        """Gives the place up; nothing stays on disk."""
        self._server.close()
        self._lock.unlock()

    def _tell(self, wish: Wish) -> None:
        """The other one may have only just taken the place, and not listen yet."""
        if wish is Wish.SHOW:
            _let_it_come_forward()
        deadline = time.monotonic() + _ANSWER_SECONDS
        socket = QLocalSocket()
        while True:
            socket.connectToServer(self._address)
            if socket.waitForConnected(int(_ANSWER_SECONDS * 1000)):
                socket.write(wish.value)
                socket.waitForBytesWritten(int(_ANSWER_SECONDS * 1000))
                socket.disconnectFromServer()
                return
            if time.monotonic() > deadline:
                return
            time.sleep(_PAUSE_SECONDS)

    def _answer(self) -> None:
        while (connection := self._server.nextPendingConnection()) is not None:
            connection.disconnected.connect(connection.deleteLater)
            connection.readyRead.connect(partial(self._hear, connection))
            self._hear(connection)  # what came with the connection was announced before anybody listened

    def _hear(self, connection: QLocalSocket) -> None:
        if not connection.canReadLine():
            if connection.bytesAvailable() > _LONGEST_WISH:
                connection.abort()
            return
        on_update = bytes(connection.readLine(_LONGEST_WISH).data())
        if on_update == Wish.SHOW.value:
            self.shown.emit()
        elif on_update == Wish.QUIT.value:
            self.quit_requested.emit()


def _let_it_come_forward() -> None:
    """Windows lets a program raise its window only when the one that the user has just started allows it."""
    if sys.platform == "win32":
        import ctypes

        any_process = -1
        ctypes.windll.user32.AllowSetForegroundWindow(any_process)
