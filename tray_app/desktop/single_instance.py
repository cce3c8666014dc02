"""One running program per user and settings folder. A second start sends its command to the first."""

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
"""A running program finishes what it is doing within this time."""
_PAUSE_SECONDS = 0.05
_LONGEST_COMMAND = 16


class Command(Enum):
    """What a second start asks of the running program."""

    NOTHING = b""
    SHOW = b"show\n"
    QUIT = b"quit\n"


class QuitResult(Enum):
    """The outcome of asking the running program to quit."""

    NOT_RUNNING = "none ran"
    ENDED = "ended"
    STILL_RUNNING = "stayed"


class SingleInstance(QObject):
    """Hold the lock of the running program. `shown` and `quit_requested` are emitted when other starts ask for it."""

    shown = Signal()
    quit_requested = Signal()

    def __init__(self, scope: str, parent: QObject | None = None) -> None:
        """Create the lock for `scope`, see `settings_scope`."""
        super().__init__(parent)
        digest = QCryptographicHash.hash(os.path.normcase(scope).encode(), QCryptographicHash.Algorithm.Sha256)
        ident = bytes(digest.toHex().data()).decode()[:16]
        user = os.environ.get("USERNAME", "") if os.name == "nt" else str(os.getuid())
        name = f"kiwoom-token-tray-{user}-{ident}"
        folder = os.environ.get("XDG_RUNTIME_DIR") or QDir.tempPath()
        self.address = name if sys.platform == "win32" else os.path.join(folder, name)
        """Where the running program listens: the name of a pipe on Windows, else the path of a socket."""
        self._lock = QLockFile(os.path.join(folder, f"{name}.lock"))
        self._lock.setStaleLockTime(0)
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._accept_connections)

    def is_primary(self, command: Command = Command.SHOW) -> bool:
        """Return whether no other program runs, and listen if so; otherwise send it the command."""
        if self._lock.tryLock(0):
            QLocalServer.removeServer(self.address)
            if not self._server.listen(self.address):
                logs.warning("A second start cannot reach this one (%s)", self._server.errorString())
            return True
        if command is not Command.NOTHING:
            self._send(command)
        return False

    def quit_running(self, patience: float = _END_SECONDS) -> QuitResult:
        """Ask the running program to quit, and wait for it up to `patience` seconds."""
        if self._lock.tryLock(0):
            self._lock.unlock()
            return QuitResult.NOT_RUNNING
        self._send(Command.QUIT)
        if not self._lock.tryLock(int(patience * 1000)):
            return QuitResult.STILL_RUNNING
        self._lock.unlock()
        return QuitResult.ENDED

    def close(self) -> None:
        """Release the lock; nothing stays on disk."""
        self._server.close()
        self._lock.unlock()

    def _send(self, command: Command) -> None:
        """Send a command. The other program may have only just started and not listen yet."""
        if command is Command.SHOW:
            _allow_foreground()
        deadline = time.monotonic() + _ANSWER_SECONDS
        socket = QLocalSocket()
        while True:
            socket.connectToServer(self.address)
            if socket.waitForConnected(int(_ANSWER_SECONDS * 1000)):
                socket.write(command.value)
                socket.waitForBytesWritten(int(_ANSWER_SECONDS * 1000))
                socket.disconnectFromServer()
                return
            if time.monotonic() > deadline:
                return
            time.sleep(_PAUSE_SECONDS)

    def _accept_connections(self) -> None:
        while (connection := self._server.nextPendingConnection()) is not None:
            connection.disconnected.connect(connection.deleteLater)
            connection.readyRead.connect(partial(self._receive, connection))
            self._receive(connection)  # data may have arrived before the signal was connected

    def _receive(self, connection: QLocalSocket) -> None:
        if not connection.canReadLine():
            if connection.bytesAvailable() > _LONGEST_COMMAND:
                connection.abort()
            return
        command = bytes(connection.readLine(_LONGEST_COMMAND).data())
        if command == Command.SHOW.value:
            self.shown.emit()
        elif command == Command.QUIT.value:
            self.quit_requested.emit()


def _allow_foreground() -> None:
    """Allow the running program to come to the front: Windows leaves that to the program the user has just started."""
    if sys.platform == "win32":
        import ctypes

        any_process = -1
        ctypes.windll.user32.AllowSetForegroundWindow(any_process)
