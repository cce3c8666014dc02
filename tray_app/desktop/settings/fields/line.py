"""One line of text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QWidget,
)

from tray_app.desktop.settings.fields.base import Field

if TYPE_CHECKING:
    from tray_app.settings.table import Setting


class LineField(Field):
    """One line of text, committed when editing ends. An empty line means the default."""

    def __init__(self, setting: Setting, parent: QWidget, example: str = "") -> None:
        super().__init__(setting, parent)
        self._line = QLineEdit(self)
        self._line.setObjectName(f"{setting.name}_line")
        self._line.setPlaceholderText(example)
        self._line.editingFinished.connect(self.commit)
        self._body = QHBoxLayout(self)
        self._body.setContentsMargins(0, 0, 0, 0)
        self._body.addWidget(self._line, 1)

    def _display(self, value: Any) -> None:
        text = self.setting.kind.text(value)
        if text != self._line.text():
            self._line.setText(text)
            self._line.setCursorPosition(0)
        self._line.setModified(False)
        self._shown = text.strip() or None

    def value(self) -> object:
        return self._line.text().strip() or None

    def discard(self) -> None:
        self._line.setText(str(self._shown or ""))
        self._line.setModified(False)

    def is_being_edited(self) -> bool:
        return self._line.isModified() and self._line.hasFocus()

    def inputs(self) -> list[QWidget]:
        return [self._line]
