"""The card of one setting: its name, field, note and the outcome of a change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QAbstractButton,
    QFrame,
    QHBoxLayout,
    QVBoxLayout,
    QWidget,
)

from tray_app.core.errors import KiwoomTokenError, say
from tray_app.core.language import tr
from tray_app.core.profile import DEFAULT
from tray_app.desktop.settings.fields.base import Field
from tray_app.desktop.settings.fields.factory import field_for
from tray_app.desktop.settings.fields.switch import SwitchField
from tray_app.desktop.settings.notes import breakable, note_text, starts_at_login
from tray_app.desktop.theme.colours import window_tones
from tray_app.desktop.theme.stylesheet import set_role, set_text_colour
from tray_app.desktop.widgets.accessible import alert
from tray_app.desktop.widgets.basics import embolden, make_button, make_quiet_text, make_text, set_text

if TYPE_CHECKING:
    from tray_app.desktop.settings.view import FieldView, SettingsView
    from tray_app.desktop.theme.colours import Tones
    from tray_app.settings.table import Setting


class SettingCard(QFrame):
    """One setting: its name, its field, a note and the outcome of a change."""

    change_requested = Signal(str, object)

    def __init__(self, setting: Setting, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName(f"card_{setting.name}")
        set_role(self, "card")
        self.setting = setting
        self.field: Field = field_for(setting, self)
        self._value: object = setting.default
        self._tones = window_tones(self.palette())
        self._outcome_is_error = False
        self._name = make_text(f"{setting.name}_name", self)
        embolden(self._name)
        self._name.setVisible(not isinstance(self.field, SwitchField))
        self._note = make_quiet_text(f"{setting.name}_note", self)
        self._outcome = make_text(f"{setting.name}_outcome", self)
        self._outcome.hide()
        self._default = make_button(f"{setting.name}_default", self)
        set_role(self._default, "small")
        self._default.hide()
        self._default.clicked.connect(lambda: self.change_requested.emit(setting.name, None))
        self.field.edited.connect(self._edited)
        head = QHBoxLayout()
        head.addWidget(self.field if isinstance(self.field, SwitchField) else self._name, 1)
        head.addWidget(self._default, 0, Qt.AlignmentFlag.AlignTop)
        body = QVBoxLayout(self)
        body.setContentsMargins(14, 12, 14, 12)
        body.setSpacing(6)
        body.addLayout(head)
        if not isinstance(self.field, SwitchField):
            body.addWidget(self.field)
        body.addWidget(self._note)
        body.addWidget(self._outcome)
        self.retranslate()

    def show_field(self, field: FieldView, view: SettingsView, *, anew: bool = False) -> None:
        """Show the setting as it is. With `anew`, replace even what the user is typing."""
        value = starts_at_login(view) if self.setting.name == "autostart" else field.value
        self._value = value
        self.field.show_value(value, anew=anew)
        self.field.setEnabled(view.can_change(field))
        self._default.setVisible(field.is_set and self.setting.name != "autostart")
        own = self.setting.per_profile and view.profile != DEFAULT
        set_text(
            self._default,
            tr("Use the shared value") if own else tr("Use default"),
        )
        note = note_text(self.setting, field, view)
        set_text(self._note, breakable(note))
        self._note.setVisible(bool(note))
        self._describe()

    def show_refusal(self, error: KiwoomTokenError) -> None:
        self.field.show_value(self._value, anew=True)
        self.show_outcome(say(error), bad=True)

    def show_outcome(self, text: str, *, bad: bool = False) -> None:
        self._outcome_is_error = bad
        self._outcome.setText(breakable(text))
        self._outcome.setAccessibleName(text)
        self._outcome.setVisible(bool(text))
        self._colour_outcome()
        if text:
            alert(self._outcome)

    def clear_outcome(self) -> None:
        self.show_outcome("")

    def retranslate(self) -> None:
        """Set the fixed texts anew; the others follow with the next `show_field`."""
        set_text(self._name, tr(self.setting.meaning))
        self.field.retranslate()
        self.clear_outcome()
        self._describe()

    def set_tones(self, tones: Tones) -> None:
        self._tones = tones
        self._colour_outcome()

    def _edited(self, value: object) -> None:
        self.clear_outcome()
        self.change_requested.emit(self.setting.name, value)

    def _colour_outcome(self) -> None:
        set_text_colour(self._outcome, self._tones.bad if self._outcome_is_error else self._tones.quiet)

    def _describe(self) -> None:
        """Describe the inputs for screen readers."""
        meaning = tr(self.setting.meaning)
        self.field.setAccessibleName(meaning)
        for one in self.field.inputs():
            told = (f"{meaning}.", self.field.explanation(one), self._note.text())
            one.setAccessibleDescription(" ".join(text for text in told if text))
        first = self.field.inputs()[0]
        if not isinstance(first, QAbstractButton):
            first.setAccessibleName(meaning)
        self._default.setAccessibleName(f"{self._default.text()}: {meaning}")
