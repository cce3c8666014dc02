"""A duration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QHBoxLayout,
    QSpinBox,
    QWidget,
)

from tray_app.core.language import tr
from tray_app.desktop.settings.fields.base import Field
from tray_app.desktop.settings.fields.spin_box import prepare_input

if TYPE_CHECKING:
    from tray_app.settings.table import Setting


class SpanField(Field):
    """A duration in whole minutes, or in seconds where the file has such a value."""

    def __init__(self, setting: Setting, parent: QWidget) -> None:
        super().__init__(setting, parent)
        self._unit = 60
        self._number = QSpinBox(self)
        prepare_input(self._number, f"{setting.name}_number")
        self._number.setRange(0, 1440)
        self._number.setAlignment(Qt.AlignmentFlag.AlignRight)
        self._number.valueChanged.connect(self.schedule)
        body = QHBoxLayout(self)
        body.setContentsMargins(0, 0, 0, 0)
        body.addWidget(self._number)
        body.addStretch(1)
        self.retranslate()

    def _display(self, value: Any) -> None:
        self._unit = 1 if value % 60 else 60
        self._number.setRange(0, 86400 // self._unit)
        self.retranslate()
        self._number.setValue(value // self._unit)

    def value(self) -> object:
        return self.setting.kind.write(self._number.value() * self._unit)

    def inputs(self) -> list[QWidget]:
        return [self._number]

    def retranslate(self) -> None:
        minutes, seconds = tr(" min"), tr(" s")
        self._number.setSuffix(minutes if self._unit == 60 else seconds)
