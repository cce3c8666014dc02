"""A button that shows that its work is still running."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtGui import (
    QColor,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QPushButton,
    QWidget,
)

from tray_app.desktop.widgets.busy_line import Light

if TYPE_CHECKING:
    pass


class WorkButton(QPushButton):
    """A button along whose lower edge a light runs while what it asked for is being done. It asks once at a time."""

    asked = Signal()

    def __init__(self, name: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self._light = Light(self)
        self.clicked.connect(self._ask)

    def is_working(self) -> bool:
        return self._light.is_on()

    def set_colour(self, colour: QColor) -> None:
        self._light.set_colour(colour)

    def show_work(self, text: str) -> None:
        """`text` says what is being done, or is empty."""
        self._light.show_work(text)
        self.setAccessibleDescription(text)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._light.setGeometry(8, self.height() - 5, self.width() - 16, 3)

    def keep_room_for(self, text: str) -> None:
        """It does not grow when this comes to stand on it."""
        self.ensurePolished()
        now, room = self.text(), 0
        for one in (now, text):
            self.setText(one)
            room = max(room, self.sizeHint().width())
        self.setText(now)
        self.setMinimumWidth(room)

    def _ask(self) -> None:
        if not self.is_working():
            self.asked.emit()
