"""The dots that show how far the wizard has come."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QPainter,
    QPaintEvent,
)
from PySide6.QtWidgets import (
    QWidget,
)

from tray_app.core.language import tr
from tray_app.desktop.theme.colours import edge_colour, text_colour
from tray_app.desktop.theme.dark_mode import is_high_contrast


class StepDots(QWidget):
    """Show the number of the current step."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("setupDots")
        self._at, self._count = 0, 1
        self._colour = QColor()

    def set_colour(self, colour: QColor) -> None:
        self._colour = colour
        self.update()

    def show_step(self, at: int, count: int) -> None:
        """Show step `at`, counted from 0, of `count`."""
        self._at, self._count = at, count
        self.setAccessibleName(tr("Step {step} of {count}", step=at + 1, count=count))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(16 * self._count, 12)

    def paintEvent(self, _: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        text = text_colour(self.palette())
        faint = text if is_high_contrast() else edge_colour(self.palette())
        left = self.width() / 2 - 8 * (self._count - 1)
        for number in range(self._count):
            painter.setBrush(self._colour if number <= self._at else faint)
            size = 4.5 if number == self._at else 3.0
            painter.drawEllipse(QPointF(left + 16 * number, self.height() / 2), size, size)
