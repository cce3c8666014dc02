"""The badge that says real, mock or practice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import (
    QLabel,
    QWidget,
)

from tray_app.desktop.theme.colours import text_colour
from tray_app.desktop.theme.dark_mode import is_dark, is_high_contrast
from tray_app.desktop.view.model import MOCK, REAL, SANDBOX

if TYPE_CHECKING:
    from tray_app.desktop.view.model import Badge


_COLOURS = {
    # text, ground: on dark windows, on light ones
    REAL: (("#0d1b3d", "#9db9ff"), ("#ffffff", "#23489c")),
    MOCK: (("#e3b8ff", ""), ("#6d2a99", "")),
    SANDBOX: (("#c4ccd2", ""), ("#4c565d", "")),
}


class BadgeLabel(QLabel):
    """A word in a pill: filled for real trading, outlined for mock trading, dashed for the sandbox."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._kind = REAL
        font = self.font()
        font.setBold(True)
        self.setFont(font)
        self.setContentsMargins(11, 4, 11, 4)
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)

    def show_badge(self, badge: Badge | None) -> None:
        self.setVisible(badge is not None)
        if badge is not None and (badge.kind, badge.text) != (self._kind, self.text()):
            self._kind = badge.kind
            self.setText(badge.text)
            self.update()

    def paintEvent(self, _: QPaintEvent) -> None:
        text, ground = _COLOURS[self._kind][0 if is_dark(self.palette()) else 1]
        if is_high_contrast():
            text = text_colour(self.palette()).name()
            ground = ""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        pen = QPen(QColor(ground or text), 1.5)
        if self._kind == SANDBOX:
            pen.setStyle(Qt.PenStyle.DashLine)
        painter.setPen(pen)
        painter.setBrush(QColor(ground) if ground else Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(box, box.height() / 2, box.height() / 2)
        painter.setPen(QColor(text))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self.text())
