"""What a user asks for while the icon is there already and the rest of the program is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEventLoop, QTimer

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from PySide6.QtCore import SignalInstance

_DRAWING_MILLISECONDS = 60
"""How long a panel takes to ask for the icon's picture and to draw it."""


class EarlyRequests:
    """Keep what these signals send, from the creation on, and send it again at `release`, once somebody listens."""

    def __init__(self, *signals: SignalInstance) -> None:
        self._sent: list[tuple[SignalInstance, tuple[Any, ...]]] = []
        self._connected = [(one, self._keeper(one)) for one in signals]
        for signal, keep in self._connected:
            signal.connect(keep)

    def release(self) -> None:
        """Keep nothing more, and send what was kept, in its order."""
        for signal, keep in self._connected:
            signal.disconnect(keep)
        self._connected.clear()
        sent, self._sent = self._sent, []
        for signal, arguments in sent:
            signal.emit(*arguments)

    def _keeper(self, signal: SignalInstance) -> Callable[..., None]:
        return lambda *arguments: self._sent.append((signal, arguments))


def let_panel_draw() -> None:
    """Answer the panel for a moment. A panel of Linux asks this program for the picture, and until the event loop runs
    nobody sees the icon; elsewhere the system has the picture."""
    loop = QEventLoop()
    QTimer.singleShot(_DRAWING_MILLISECONDS, loop.quit)
    loop.exec()
