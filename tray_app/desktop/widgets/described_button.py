"""A radio button or check box with an explanation."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import (
    QMouseEvent,
)
from PySide6.QtWidgets import (
    QCheckBox,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from tray_app.desktop.widgets.basics import make_quiet_text, set_text
from tray_app.desktop.widgets.return_key import pass_return_to_dialog

_INDENT = 26


class DescribedButton(QWidget):
    """A radio button or check box with an explanation below it, which can be clicked as well."""

    def __init__(self, button: QRadioButton | QCheckBox, name: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.button = button
        button.setObjectName(name)
        pass_return_to_dialog(self, button)
        self._description = make_quiet_text(f"{name}Means", self)
        self._description.setContentsMargins(_INDENT, 0, 0, 0)
        body = QVBoxLayout(self)
        body.setContentsMargins(0, 0, 0, 0)
        body.setSpacing(3)
        body.addWidget(button)
        body.addWidget(self._description)

    def set_texts(self, name: str, description: str) -> None:
        if (name, description) != (self.button.text(), self._description.text()):
            set_text(self.button, name)
            self.button.setAccessibleDescription(description)
            self._description.setText(description)
            self._description.setVisible(bool(description))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.button.click()
        super().mousePressEvent(event)
