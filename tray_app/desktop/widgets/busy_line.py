"""A busy indicator."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt, QTimer
from PySide6.QtGui import QColor, QHideEvent, QPainter, QPaintEvent, QShowEvent
from PySide6.QtWidgets import QStyle, QWidget

_STEP_MILLISECONDS = 40


class BusyLine(QWidget):
    """A thin line along which a light runs while something is in progress. It takes no clicks."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._colour = QColor()
        self._at = 0.0
        self._text = ""
        self._timer = QTimer(self, interval=_STEP_MILLISECONDS)
        self._timer.timeout.connect(self._step)

    def text(self) -> str:
        return self._text

    def is_on(self) -> bool:
        return bool(self._text)

    def set_colour(self, colour: QColor) -> None:
        self._colour = colour
        self.update()

    def show_progress(self, text: str) -> None:
        """Show what is in progress, or nothing if `text` is empty."""
        if text != self._text:
            self._text = text
            self.setAccessibleName(text)
            self._run()
            self.update()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._run()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._timer.stop()

    def paintEvent(self, _: QPaintEvent) -> None:
        if not self._text:
            return
        painter = QPainter(self)
        if not self._is_animated():
            painter.fillRect(self.rect(), self._colour)
            return
        length = self.width() * 0.35
        left = self._at * (self.width() + length) - length
        painter.fillRect(QRectF(left, 0, length, self.height()), self._colour)

    def _step(self) -> None:
        self._at = (self._at + 0.022) % 1.0
        self.update()

    def _run(self) -> None:
        if self._text and self.isVisible() and self._is_animated():
            self._timer.start()
        else:
            self._timer.stop()

    def _is_animated(self) -> bool:
        """Return False where the user has switched animations off."""
        return self.style().styleHint(QStyle.StyleHint.SH_Widget_Animation_Duration, None, self) > 0
