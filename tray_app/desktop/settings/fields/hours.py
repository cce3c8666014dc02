"""From one time of the day to another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QWidget,
)

from tray_app.core.language import tr
from tray_app.desktop.settings.fields.base import Field
from tray_app.desktop.settings.fields.spin_box import make_time_edit, time_of
from tray_app.desktop.widgets.basics import set_text

if TYPE_CHECKING:
    from tray_app.settings.table import Setting


_USUAL_QUIET_HOURS = (22 * 60, 7 * 60)


class HoursField(Field):
    def __init__(self, setting: Setting, parent: QWidget) -> None:
        super().__init__(setting, parent)
        self._box = QCheckBox(self)
        self._box.setObjectName(f"{setting.name}_switch")
        self._start, self._end = (
            make_time_edit(f"{setting.name}_from", self),
            make_time_edit(f"{setting.name}_to", self),
        )
        self._dash = QLabel("–", self)
        body = QHBoxLayout(self)
        body.setContentsMargins(0, 0, 0, 0)
        for one in (self._box, self._start, self._dash, self._end):
            body.addWidget(one)
        body.addStretch(1)
        self._set_times(_USUAL_QUIET_HOURS)
        self._box.toggled.connect(self._switched)
        self._start.timeChanged.connect(self.schedule)
        self._end.timeChanged.connect(self.schedule)
        self.retranslate()

    def _display(self, value: Any) -> None:
        self._box.setChecked(value is not None)
        if value is not None:
            self._set_times(value)
        self._enable()

    def value(self) -> object:
        if not self._box.isChecked():
            return ""
        return "-".join(one.time().toString("HH:mm") for one in (self._start, self._end))

    def inputs(self) -> list[QWidget]:
        return [self._box, self._start, self._end]

    def retranslate(self) -> None:
        set_text(self._box, tr("Every day"))
        self._start.setAccessibleName(tr("From"))
        self._end.setAccessibleName(tr("To"))

    def _set_times(self, hours: tuple[int, int]) -> None:
        self._start.setTime(time_of(hours[0]))
        self._end.setTime(time_of(hours[1]))

    def _enable(self) -> None:
        self._start.setEnabled(self._box.isChecked())
        self._end.setEnabled(self._box.isChecked())

    def _switched(self) -> None:
        self._enable()
        self.commit()
