"""The large digits of the countdown."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import (
    QFont,
    QFontMetricsF,
    QPainter,
    QPaintEvent,
)
from PySide6.QtWidgets import (
    QWidget,
)

from tray_app.desktop.theme.colours import edge_colour, text_colour


class Countdown(QWidget):
    """Large digits of equal width, so that nothing moves while they change."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("countdown")
        self._text = ""
        self._digit = 0.0
        self._colon = 0.0
        self._room = 0.0
        self._faint = False

    def text(self) -> str:
        return self._text

    def show_text(self, text: str, spoken: str, *, faint: bool = False) -> None:
        """Show `text`. `spoken` is for screen readers: precise to the minute, so that they do not chatter."""
        self._faint = faint
        if spoken != self.accessibleName():
            self.setAccessibleName(spoken)
        if text != self._text:
            longer = len(text) != len(self._text)
            self._text = text
            if longer:
                self.updateGeometry()
            self.update()

    def set_digit_height(self, pixels: float, room: float) -> None:
        """Set the height of the digits; they are smaller where the text would be wider than `room`."""
        self._room = room
        font = QFont(self.font())
        font.setPixelSize(max(12, round(pixels)))
        font.setWeight(QFont.Weight.DemiBold)
        self.setFont(font)
        metrics = QFontMetricsF(font)
        self._digit = max(metrics.horizontalAdvance(digit) for digit in "0123456789")
        self._colon = metrics.horizontalAdvance(":") * 1.15
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        return QSize(round(self._width()), round(QFontMetricsF(self.font()).height()))

    def minimumSizeHint(self) -> QSize:
        return QSize(0, self.sizeHint().height())

    def paintEvent(self, _: QPaintEvent) -> None:
        painter = QPainter(self)
        colour = edge_colour(self.palette()) if self._faint else text_colour(self.palette())
        painter.setPen(colour)
        painter.setFont(self.font())
        scale = min(1.0, self._room / max(1.0, self._width()))
        painter.translate(self.width() / 2, self.height() / 2)
        painter.scale(scale, scale)
        height = float(self.height())
        left = -self._width() / 2
        for character in self._text:
            width = self._colon if character == ":" else self._digit
            painter.drawText(QRectF(left, -height / 2, width, height), Qt.AlignmentFlag.AlignCenter, character)
            left += width

    def _width(self) -> float:
        colons = self._text.count(":")
        return self._colon * colons + self._digit * (len(self._text) - colons)
