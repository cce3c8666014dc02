"""The end of the program. Ctrl+C, a terminated session and a closed terminal bring it about in order."""

from __future__ import annotations

import signal
import socket

from PySide6.QtCore import QCoreApplication, QObject, QSocketNotifier

from tray_app.core.errors import DONE
from tray_app.system.signals import stop_signals


class StopSignals(QObject):
    """Collects signals from its making on, and ends the program for them once `obey()` was called.

    Nothing happens in the handlers themselves: Qt's own classes may be half loaded when Python runs them. And before
    there is an event loop, what ends it is lost.
    """

    def __init__(self, app: QCoreApplication) -> None:
        super().__init__(app)
        self._awake, self._wake = socket.socketpair()
        self._wake.setblocking(False)  # noqa: FBT003 - socket takes it by position only
        self._notifier = QSocketNotifier(self._awake.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.setEnabled(False)
        self._notifier.activated.connect(self._heard)
        self._stopping = {signal.SIGINT, *stop_signals()}
        signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)
        self._before = {one: signal.signal(one, lambda *_: None) for one in self._stopping}

    def obey(self) -> None:
        """To be called right before the event loop."""
        self._notifier.setEnabled(True)

    def close(self) -> None:
        """Gives the signals back to whoever had them before."""
        self._notifier.setEnabled(False)
        signal.set_wakeup_fd(-1)
        for one, handler in self._before.items():
            signal.signal(one, handler)

    def _heard(self) -> None:
        if self._stopping & set(self._awake.recv(64)):
            end_program()


def end_program() -> None:
    """Ends the event loop. Qt's `quit` asks every window first, and one that will not be closed keeps the program."""
    QCoreApplication.exit(DONE)
