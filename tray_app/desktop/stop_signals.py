"""A clean end on Ctrl+C, on logout and when the terminal closes."""

from __future__ import annotations

import signal
import socket

from PySide6.QtCore import QCoreApplication, QObject, QSocketNotifier

from tray_app.desktop.application import quit_application
from tray_app.system.signals import stop_signals


class StopSignals(QObject):
    """Catch the stop signals from its creation on, and quit the application on one once `enable()` was called.

    The handlers themselves do nothing, because Python may run them while Qt's own classes are half loaded; and a
    request to quit that comes before the event loop would be lost.
    """

    def __init__(self, app: QCoreApplication) -> None:
        super().__init__(app)
        self._receiver, self._sender = socket.socketpair()
        self._sender.setblocking(False)  # noqa: FBT003 - socket takes it by position only
        self._notifier = QSocketNotifier(self._receiver.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.setEnabled(False)
        self._notifier.activated.connect(self._received)
        self._signals = {signal.SIGINT, *stop_signals()}
        signal.set_wakeup_fd(self._sender.fileno(), warn_on_full_buffer=False)
        self._previous = {one: signal.signal(one, lambda *_: None) for one in self._signals}

    def enable(self) -> None:
        """Let signals end the event loop. Call it right before the loop starts."""
        self._notifier.setEnabled(True)

    def close(self) -> None:
        """Restore the previous handlers."""
        self._notifier.setEnabled(False)
        signal.set_wakeup_fd(-1)
        for one, handler in self._previous.items():
            signal.signal(one, handler)

    def _received(self) -> None:
        if self._signals & set(self._receiver.recv(64)):
            quit_application()
