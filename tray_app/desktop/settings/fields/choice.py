"""One of several values, as radio buttons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import (
    QButtonGroup,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from tray_app.desktop.settings.fields.base import Field
from tray_app.desktop.widgets.basics import set_text
from tray_app.desktop.widgets.flow_layout import FlowLayout
from tray_app.desktop.widgets.radio_focus import enter_at_checked
from tray_app.settings.kinds import Choice

if TYPE_CHECKING:
    from tray_app.settings.table import Setting


class ChoiceField(Field):
    def __init__(self, setting: Setting, kind: Choice, parent: QWidget) -> None:
        super().__init__(setting, parent)
        self._kind = kind
        self._group = QButtonGroup(self)
        self._radios = {choice: QRadioButton(self) for choice in kind.choices}
        body = FlowLayout(self, spacing=18) if len(self._radios) <= 3 else QVBoxLayout(self)
        body.setContentsMargins(0, 0, 0, 0)
        if isinstance(body, QVBoxLayout):
            body.setSpacing(6)
        for choice, radio in self._radios.items():
            radio.setObjectName(f"{setting.name}_{choice}")
            self._group.addButton(radio)
            radio.toggled.connect(self.schedule)
            body.addWidget(radio)
        enter_at_checked(self._group)
        self.retranslate()

    def _display(self, value: Any) -> None:
        if value in self._radios:
            self._radios[value].setChecked(True)

    def value(self) -> object:
        return next((choice for choice, radio in self._radios.items() if radio.isChecked()), None)

    def inputs(self) -> list[QWidget]:
        return list(self._radios.values())

    def retranslate(self) -> None:
        for choice, radio in self._radios.items():
            words = self._kind.words(choice)
            set_text(radio, words[:1].upper() + words[1:])
