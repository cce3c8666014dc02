"""A message with a button beside it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from tray_app.desktop.widgets.accessible import alert
from tray_app.desktop.widgets.basics import make_label, set_text


class MessageRow(QWidget):
    """A message about something that needs attention, and the button that helps. Hidden while there is none."""

    clicked = Signal()

    def __init__(self, label_name: str, button_name: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._label = make_label(label_name, self, wrap=True)
        self._label.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.button = QPushButton(self)
        self.button.setObjectName(button_name)
        self.button.clicked.connect(self.clicked)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self._label, 1)
        row.addWidget(self.button)
        self.hide()

    def show_message(self, text: str, *, has_button: bool) -> None:
        """Show `text`, or nothing if it is empty. The button is left out where another one does the same."""
        is_new = bool(text) and text != self._label.text()
        set_text(self._label, text)
        self.button.setVisible(has_button)
        self.setVisible(bool(text))
        if is_new:
            alert(self._label)
