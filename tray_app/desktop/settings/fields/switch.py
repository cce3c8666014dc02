"""On or off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QWidget,
)

from tray_app.core.language import tr
from tray_app.desktop.settings.fields.base import Field
from tray_app.desktop.widgets.basics import set_text

if TYPE_CHECKING:
    from tray_app.settings.table import Setting


class SwitchField(Field):
    """A check box with the name of the setting beside it."""

    def __init__(self, setting: Setting, parent: QWidget) -> None:
        super().__init__(setting, parent)
        self._box = QCheckBox(self)
        self._box.setObjectName(f"{setting.name}_switch")
        self._box.toggled.connect(self.commit)
        body = QHBoxLayout(self)
        body.setContentsMargins(0, 0, 0, 0)
        body.addWidget(self._box)
        body.addStretch(1)
        self.retranslate()

    def _display(self, value: Any) -> None:
        self._box.setChecked(value)

    def value(self) -> object:
        return self._box.isChecked()

    def inputs(self) -> list[QWidget]:
        return [self._box]

    def retranslate(self) -> None:
        set_text(self._box, tr(self.setting.meaning))
