"""How the token is renewed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QTime
from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QLabel,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from tray_app.core.language import tr
from tray_app.core.trading import QUIET_MINUTES
from tray_app.desktop.settings.fields.base import Field
from tray_app.desktop.settings.fields.spin_box import make_time_edit, time_of
from tray_app.desktop.widgets.basics import make_quiet_text, set_text
from tray_app.desktop.widgets.radio_focus import enter_at_checked
from tray_app.service.settings_changes import DAILY_MEANS

if TYPE_CHECKING:
    from tray_app.settings.table import Setting


_INDENT = 24


class PolicyField(Field):
    def __init__(self, setting: Setting, parent: QWidget) -> None:
        super().__init__(setting, parent)
        self._radios = {one: QRadioButton(self) for one in ("notify", "auto", "daily")}
        self._means = {one: make_quiet_text(f"policy_{one}_means", self) for one in self._radios}
        self._time = make_time_edit("policy_time", self)
        self._zone = QLabel("KST", self)
        self._display("auto")
        group = QButtonGroup(self)
        body = QVBoxLayout(self)
        body.setContentsMargins(0, 0, 0, 0)
        body.setSpacing(4)
        for one, radio in self._radios.items():
            radio.setObjectName(f"policy_{one}")
            group.addButton(radio)
            radio.toggled.connect(self._chosen)
            row = QHBoxLayout()
            row.addWidget(radio)
            if one == "daily":
                row.addWidget(self._time)
                row.addWidget(self._zone)
            row.addStretch(1)
            body.addLayout(row)
            self._means[one].setContentsMargins(_INDENT, 0, 0, 6)
            body.addWidget(self._means[one])
        enter_at_checked(group)
        self._time.timeChanged.connect(self.schedule)
        self.retranslate()

    def _display(self, value: Any) -> None:
        word, _, time = value.partition(" ")
        self._radios[word].setChecked(True)
        if time:
            self._time.setTime(QTime.fromString(time, "HH:mm"))
        elif not self._time.time().hour():
            self._time.setTime(time_of(QUIET_MINUTES))
        self._time.setEnabled(word == "daily")
        self._tell()

    def value(self) -> object:
        word = next(one for one, radio in self._radios.items() if radio.isChecked())
        return f"daily {self._time.time().toString('HH:mm')}" if word == "daily" else word

    def inputs(self) -> list[QWidget]:
        return [*self._radios.values(), self._time]

    def explanation(self, one: QWidget) -> str:
        return next((self._means[name].text() for name, radio in self._radios.items() if radio is one), "")

    def retranslate(self) -> None:
        set_text(self._radios["notify"], tr("Only &warn"))
        set_text(self._radios["auto"], tr("&Renew automatically"))
        set_text(self._radios["daily"], tr("Revoke and reissue &daily at"))
        self._time.setAccessibleName(tr("Time of the reissue, in Korea"))
        self._means["notify"].setText(tr("You issue the new token yourself."))
        self._means["auto"].setText(
            tr("Reissued right after it expires. If that is in trading hours, expect 1–3 seconds without a token.")
        )
        self._tell()

    def _tell(self) -> None:
        self._means["daily"].setText(tr(DAILY_MEANS, time=self._time.time().toString("HH:mm")))

    def _chosen(self) -> None:
        self._time.setEnabled(self._radios["daily"].isChecked())
        self.schedule()
