"""Windows that come to the front when opened again and close on Escape."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QWidget

from tray_app.desktop.widgets.return_key import press_focused_button

if TYPE_CHECKING:
    from PySide6.QtGui import QKeyEvent

_TITLE_BAR_HEIGHT = 40


def available_room(window: QWidget) -> QSize:
    """Return the room for a window below its title bar, which is small for instance on a small screen at 300 %."""
    room = window.screen().availableGeometry()
    return QSize(room.width(), room.height() - _TITLE_BAR_HEIGHT)


def bring_to_front(window: QWidget) -> None:
    """Show a window in front of the others and give it the focus."""
    if window.isMinimized():
        window.showNormal()
    window.show()
    window.raise_()
    window.activateWindow()


class ToolWindow(QWidget):
    """The base class of the windows that are no dialogs."""

    def show_in_front(self) -> None:
        bring_to_front(self)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close()
        elif not press_focused_button(self, event):
            super().keyPressEvent(event)
