"""One running program per user and settings folder. A second start sends its command to the first."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from enum import Enum

from PySide6.QtCore import QDir, QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

from tray_app.core import logs
from tray_app.core.errors import KiwoomTokenError
from tray_app.core.language import tr
from tray_app.core.lean import text_digest
from tray_app.settings.places import shared_state_dir
from tray_app.system.file_lock import is_still_at, try_lock
from tray_app.system.private_files import open_private
from tray_app.system.private_folders import make_private_folder
from tray_app.system.user_folders import runtime_folder

_ANSWER_SECONDS = 2.0
_END_SECONDS = 15.0
"""A running program finishes what it is doing within this time."""
_PAUSE_SECONDS = 0.05
_LONGEST_COMMAND = 16
_LONGEST_ADDRESS = 103
"""Bytes that the path of a Unix socket may have on macOS; Linux allows four more."""
_ANSWER = b"done\n"
_REOPENINGS = 3


class Command(Enum):
    """What a second start asks of the running program."""

    NOTHING = b"here\n"
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
        ident = text_digest(os.path.normcase(scope))[:16]
        name = f"kiwoom-token-tray-{_user()}-{ident}"
        folder = _folder(name)
        self.address = name if sys.platform == "win32" else os.path.join(folder, name)
        """Where the running program listens: the name of a pipe on Windows, else the path of a socket."""
        self.is_silent = False
        """Whether the program that runs did not answer."""
        self._lock = _InstanceLock(os.path.join(folder, f"{name}.lock"))
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._accept_connections)

    def is_primary(self, command: Command = Command.SHOW) -> bool:
        """Return whether no other program runs, and listen if so; otherwise send it the command.

        Where nothing can be locked, only an answer of the other one means that it runs.
        """
        is_ours = self._lock.take()
        if is_ours or (is_ours is None and not self._send(command)):
            QLocalServer.removeServer(self.address)
            if not self._server.listen(self.address):
                logs.warning("A second start cannot reach this one (%s)", self._server.errorString())
            return True
        if command is not Command.NOTHING and is_ours is not None:
            self.is_silent = not self._send(command)
        return False

    def why_not_started(self, *, shows: bool = True) -> str:
        """Return what to tell who started a second one."""
        if self.is_silent:
            return tr(
                "It is running already, but does not answer. Stop it with --quit or the system's task manager, "
                "then start it."
            )
        return tr("It is running already; its window is shown.") if shows else tr("It is running already.")

    def quit_running(self, patience: float = _END_SECONDS) -> QuitResult:
        """Ask the running program to quit, and wait for it up to `patience` seconds."""
        is_free = self._lock.take()
        if is_free is None and self._send(Command.QUIT):
            return QuitResult.ENDED
        if is_free is not False:
            self._lock.release()
            return QuitResult.NOT_RUNNING
        self._send(Command.QUIT)
        deadline = time.monotonic() + patience
        while not self._lock.take():
            if time.monotonic() > deadline:
                return QuitResult.STILL_RUNNING
            time.sleep(_PAUSE_SECONDS)
        self._lock.release()
        return QuitResult.ENDED

    def is_running(self) -> bool:
        """Return whether the program is running, and leave it alone."""
        is_free = self._lock.take()
        if is_free is None:
            return self._send(Command.NOTHING)
        if is_free:
            self._lock.release()
        return not is_free

    def close(self) -> None:
        """Release the lock; nothing stays on disk."""
        self._server.close()
        self._lock.release()

    def _send(self, command: Command) -> bool:
        """Send a command; return whether it was answered. The other program may have only just started and not listen
        yet. Nothing is said to another user's program, which could keep this one from starting by an answer."""
        if command is Command.SHOW:
            _allow_foreground()
        deadline = time.monotonic() + _ANSWER_SECONDS
        socket = QLocalSocket()
        while not self._is_anothers():
            socket.connectToServer(self.address)
            if socket.waitForConnected(int(_ANSWER_SECONDS * 1000)):
                socket.write(command.value)
                socket.waitForBytesWritten(int(_ANSWER_SECONDS * 1000))
                is_answered = socket.waitForReadyRead(int(_ANSWER_SECONDS * 1000))
                socket.disconnectFromServer()
                return is_answered
            if time.monotonic() > deadline or not self._lock.is_held:
                return False
            time.sleep(_PAUSE_SECONDS)
        logs.warning("Another user listens at %s", self.address)
        return False

    def _is_anothers(self) -> bool:
        """Return whether another user's socket is in the place of ours: it may be in the folder for temporary files.
        Windows' pipe lets in this user alone."""
        if sys.platform != "win32":
            with contextlib.suppress(OSError):
                return os.lstat(self.address).st_uid not in {0, os.geteuid()}
        return False

    def _accept_connections(self) -> None:
        while (connection := self._server.nextPendingConnection()) is not None:
            connection.disconnected.connect(connection.deleteLater)
            connection.readyRead.connect(self._receive_from_sender)
            self._receive(connection)  # data may have arrived before the signal was connected

    def _receive_from_sender(self) -> None:
        """WORKAROUND: PySide6 6.11 crashes after a connection has ended that a slot holds in a `partial`. Delete once
        a later one outlives a hundred connections of which each was held so."""
        connection = self.sender()
        if isinstance(connection, QLocalSocket):
            self._receive(connection)

    def _receive(self, connection: QLocalSocket) -> None:
        if not connection.canReadLine():
            if connection.bytesAvailable() > _LONGEST_COMMAND:
                connection.abort()
            return
        command = bytes(connection.readLine(_LONGEST_COMMAND).data())
        if any(command == one.value for one in Command):
            connection.write(_ANSWER)
            connection.flush()
        if command == Command.SHOW.value:
            self.shown.emit()
        elif command == Command.QUIT.value:
            self.quit_requested.emit()


class _InstanceLock:
    """A kernel lock on a file, which is free as soon as its holder has ended, however it ended. A process ID may be
    another program's by then, and in a container it is the same one again."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._descriptor: int | None = None
        self.is_held = False
        """Whether another program had it at the last try."""

    def take(self) -> bool | None:
        """Return whether it was free and is ours now; None where nothing can be locked."""
        self.is_held = False
        try:
            for _ in range(_REOPENINGS):
                descriptor = open_private(self._path)
                self.is_held = not try_lock(descriptor)
                if not self.is_held and is_still_at(self._path, descriptor):
                    self._descriptor = descriptor
                    return True
                os.close(descriptor)
                if self.is_held:
                    return False
        except OSError as error:
            logs.warning("Whether another one runs is only asked (%s)", error.strerror)
        return None

    def release(self) -> None:
        """Free it and remove its file."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is None:
            return
        if sys.platform == "win32":  # which removes no open file
            os.close(descriptor)
        with contextlib.suppress(OSError):
            os.unlink(self._path)
        if sys.platform != "win32":
            os.close(descriptor)


def _user() -> str:
    """Return who the user is to the system. Batch files of bots set USERNAME to names of their own."""
    if sys.platform == "win32":
        from tray_app.system.windows_security import user_sid

        return user_sid()
    return str(os.getuid())


def _folder(name: str) -> str:
    """Return where lock and socket `name` are: the user's runtime folder, else that for temporary files. On Windows
    that of the locks, because TEMP differs from one terminal to another: MSYS2 has its own, and Remote Desktop one for
    each session."""
    if sys.platform == "win32":
        with contextlib.suppress(OSError, KiwoomTokenError):
            folder = shared_state_dir()
            make_private_folder(folder)
            return folder
        return QDir.tempPath()
    named = os.environ.get("XDG_RUNTIME_DIR", "")
    for folder in ([named] if os.path.isabs(named) else []) + [runtime_folder()]:
        is_short = len(os.fsencode(os.path.join(folder, name))) <= _LONGEST_ADDRESS
        if is_short and os.path.isdir(folder) and os.access(folder, os.W_OK | os.X_OK):
            return folder
    return QDir.tempPath()


def _allow_foreground() -> None:
    """Allow the running program to come to the front: Windows leaves that to the program the user has just started."""
    if sys.platform == "win32":
        import ctypes

        any_process = -1
        ctypes.windll.user32.AllowSetForegroundWindow(any_process)
