"""A window of its own: comes to the front when it is called, and Escape closes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

if TYPE_CHECKING:
    from PySide6.QtGui import QKeyEvent


def bring_to_front(window: QWidget) -> None:
    """Shows a window in front of the others and gives it the keyboard."""
    if window.isMinimized():
        window.showNormal()
    window.show()
    window.raise_()
    window.activateWindow()


class StandingWindow(QWidget):
    """What the windows of this program that are no dialogs have in common."""

    def bring_up(self) -> None:
        bring_to_front(self)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close()
        else:
            super().keyPressEvent(event)
