"""A button that shows that its work is still running."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QPushButton, QWidget

from tray_app.desktop.widgets.busy_line import BusyLine

if TYPE_CHECKING:
    from PySide6.QtGui import QColor, QResizeEvent

    from tray_app.core.state import Action
    from tray_app.desktop.view.model import View


class WorkButton(QPushButton):
    """A button with a busy line at its lower edge while its action is running.

    It emits `asked` only when the action is possible and not running.
    """

    asked = Signal()

    def __init__(self, name: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self._busy_line = BusyLine(self)
        self._is_possible = True
        self.clicked.connect(self._clicked)

    def is_working(self) -> bool:
        return self._busy_line.is_on()

    def set_colour(self, colour: QColor) -> None:
        self._busy_line.set_colour(colour)

    def show_progress(self, text: str) -> None:
        """Show what is in progress, or nothing if `text` is empty."""
        self._busy_line.show_progress(text)
        self.setAccessibleDescription(text)

    def show_action(self, view: View, actions: set[Action], *, is_possible: bool) -> None:
        """Show whether one of these actions is possible or running.

        While anything runs, the button that has the focus stays enabled: a disabled one would lose it.
        """
        is_running = view.working in actions
        keeps_focus = view.working is not None and self.window().focusWidget() is self
        self._is_possible = is_possible
        self.setEnabled(is_possible or is_running or keeps_focus)
        self.show_progress(view.busy if is_running else "")

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._busy_line.setGeometry(8, self.height() - 5, self.width() - 16, 3)

    def reserve_width_for(self, text: str) -> None:
        """Reserve the width for this text."""
        self.ensurePolished()
        now, room = self.text(), 0
        for one in (now, text):
            self.setText(one)
            room = max(room, self.sizeHint().width())
        self.setText(now)
        self.setMinimumWidth(room)

    def _clicked(self) -> None:
        if self._is_possible and not self.is_working():
            self.asked.emit()
