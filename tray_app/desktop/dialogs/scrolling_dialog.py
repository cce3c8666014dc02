"""A dialog that fits on a small screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QTimer
from PySide6.QtWidgets import QDialog, QVBoxLayout, QWidget

from tray_app.desktop.icons.app_icon import app_icon
from tray_app.desktop.theme.stylesheet import LOOK_CHANGES, fix_box_colours, set_stylesheet, window_stylesheet
from tray_app.desktop.widgets.basics import make_scroll_area
from tray_app.desktop.widgets.return_key import press_focused_button
from tray_app.desktop.widgets.tool_window import available_room

if TYPE_CHECKING:
    from PySide6.QtGui import QKeyEvent
    from PySide6.QtWidgets import QLayout

_NARROWEST = 300


class ScrollingDialog(QDialog):
    """A dialog whose content scrolls where there is no room for it; what is below, such as buttons, stays in place."""

    def __init__(self, parent: QWidget | None, name: str) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setWindowIcon(app_icon())
        self._area = make_scroll_area("", self)
        self._growth = QTimer(self, singleShot=True, interval=0)
        self._growth.timeout.connect(self._grow)

    def lay_out(self, content: QLayout, below: list[QWidget], width: int, spare: int = 0) -> None:
        """Show `content` above the widgets `below`; `spare` is room for what appears in it later, in pixels."""
        inside = QWidget()
        upper = QVBoxLayout(inside)
        upper.setContentsMargins(0, 0, 0, 0)
        upper.addLayout(content)
        upper.addStretch(1)
        self._area.setWidget(inside)
        body = QVBoxLayout(self)
        body.setContentsMargins(20, 18, 20, 16)
        body.setSpacing(12)
        body.addWidget(self._area, 1)
        for widget in below:
            body.addWidget(widget)
        room = available_room(self)
        width = min(width, room.width())
        self.setMinimumWidth(min(_NARROWEST, width))
        self._restyle()
        inside.ensurePolished()
        margins = body.contentsMargins()
        height = max(upper.totalHeightForWidth(width - margins.left() - margins.right()), 0) + spare
        height += sum(one.sizeHint().height() + body.spacing() for one in below if not one.isHidden())
        self.resize(width, min(height + margins.top() + margins.bottom(), room.height()))

    def grow(self) -> None:
        """Make room for what has appeared, as far as the screen has any, once it is laid out."""
        self._growth.start()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not press_focused_button(self, event):
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in LOOK_CHANGES:
            self._restyle()

    def _restyle(self) -> None:
        """Set the colours for the theme of the windows, which may change while the dialog is open."""
        set_stylesheet(self, window_stylesheet(self.palette()))  # first, because it resets the palettes of labels
        fix_box_colours(self)

    def _grow(self) -> None:
        missing = self._area.verticalScrollBar().maximum()
        highest = max(self.height(), available_room(self).height())
        self.resize(self.width(), min(self.height() + missing, highest))
