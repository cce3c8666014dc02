"""A window in the corner of the screen, for desktops where no service shows notifications.

Qt's own balloon is cut off there, or is shown as the tooltip of the icon only.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QFont, QMouseEvent
from PySide6.QtWidgets import QFrame, QLabel, QVBoxLayout, QWidget

from tray_app.desktop.theme.colours import text_colour, window_tones
from tray_app.desktop.theme.stylesheet import set_text_colour
from tray_app.desktop.widgets.accessible import alert
from tray_app.desktop.widgets.basics import make_text

_WIDTH, _MARGIN = 340, 16
_SHOWN_MILLISECONDS = 15_000
"""An urgent notice stays until it is clicked, or until the next one takes its place."""


class Bubble(QFrame):
    """Show one notice at a time without taking the focus. `clicked` is a click on it, which also closes it."""

    clicked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(
            parent,
            Qt.WindowType.ToolTip | Qt.WindowType.FramelessWindowHint | Qt.WindowType.WindowStaysOnTopHint,
        )
        self.setObjectName("bubble")
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.setFrameShape(QFrame.Shape.Box)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._title: QLabel = make_text("bubbleTitle", self)
        font = self._title.font()
        font.setWeight(QFont.Weight.Bold)
        self._title.setFont(font)
        self._body: QLabel = make_text("bubbleBody", self)
        self._is_urgent = False
        rows = QVBoxLayout(self)
        rows.setContentsMargins(14, 12, 14, 12)
        rows.setSpacing(6)
        rows.addWidget(self._title)
        rows.addWidget(self._body)
        self.setFixedWidth(_WIDTH)
        self._end = QTimer(self, singleShot=True, interval=_SHOWN_MILLISECONDS)
        self._end.timeout.connect(self.hide)

    def show_notice(self, title: str, body: str, *, urgent: bool) -> None:
        """Show a notice in place of the one before."""
        self._title.setText(title)
        self._body.setText(body)
        self._is_urgent = urgent
        self._colour_title()
        self.setWindowTitle(title)
        self.setAccessibleName(f"{title}. {body}")
        self.setFixedHeight(self.heightForWidth(_WIDTH))
        room = self.screen().availableGeometry()
        self.move(room.right() - self.width() - _MARGIN, room.top() + _MARGIN)
        self.show()
        self.raise_()
        alert(self)
        if urgent:
            self._end.stop()
        else:
            self._end.start()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._colour_title()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self.hide()
        if event.button() == Qt.MouseButton.LeftButton:
            self.clicked.emit()

    def _colour_title(self) -> None:
        palette = self.palette()
        set_text_colour(self._title, window_tones(palette).bad if self._is_urgent else text_colour(palette))
