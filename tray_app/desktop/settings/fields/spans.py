"""Several durations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QPushButton, QWidget

from tray_app.core.language import tr
from tray_app.core.wording import duration
from tray_app.desktop.settings.fields.base import Field
from tray_app.desktop.widgets.basics import make_button, set_text
from tray_app.desktop.widgets.flow_layout import FlowLayout

if TYPE_CHECKING:
    from tray_app.settings.table import Setting


_USUAL_SPANS = (3600, 1800, 600, 300, 60, 0)


class SpansField(Field):
    """The usual durations and those of the file, each with a switch."""

    def __init__(self, setting: Setting, parent: QWidget) -> None:
        super().__init__(setting, parent)
        self._chips: dict[int, QPushButton] = {}
        self._row = FlowLayout(self)
        self._make(_USUAL_SPANS)

    def _display(self, value: Any) -> None:
        if not set(value) <= set(self._chips):
            self._make({*_USUAL_SPANS, *value})
        for span, chip in self._chips.items():
            chip.setChecked(span in value)

    def value(self) -> object:
        return self.setting.kind.write([span for span, chip in self._chips.items() if chip.isChecked()])

    def inputs(self) -> list[QWidget]:
        return list(self._chips.values())

    def retranslate(self) -> None:
        for span, chip in self._chips.items():
            set_text(chip, duration(span) if span else tr("at expiry"))

    def _make(self, spans: Any) -> None:
        for chip in self._chips.values():
            chip.setParent(None)
            chip.deleteLater()
        self._chips = {}
        for span in sorted(spans, reverse=True):
            chip = self._chips[span] = make_button(f"{self.setting.name}_{span}", self)
            chip.setCheckable(True)
            chip.toggled.connect(self.schedule)
            self._row.addWidget(chip)
        self.retranslate()
