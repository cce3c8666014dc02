"""The form for the app key and secret, which dialog and wizard share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QTimer, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QRadioButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from tray_app.core.errors import InvalidInput, say
from tray_app.core.language import tr
from tray_app.core.wording import keyring_name
from tray_app.desktop.dialogs.key_sources import KeySources
from tray_app.desktop.dialogs.secret_field import SecretField
from tray_app.desktop.theme.stylesheet import set_text_colour
from tray_app.desktop.widgets.accessible import alert
from tray_app.desktop.widgets.basics import make_quiet_text, make_text, set_text
from tray_app.desktop.widgets.file_drop import FileDrop
from tray_app.desktop.widgets.radio_focus import enter_at_checked
from tray_app.desktop.widgets.return_key import pass_return_to_dialog
from tray_app.kiwoom.keys import clean_keys

if TYPE_CHECKING:
    from tray_app.desktop.theme.colours import Tones
    from tray_app.kiwoom.key_files import KeyFile
    from tray_app.kiwoom.keys import AppKeys


class KeysForm(QWidget):
    """Mode, app key and secret. Nothing typed is ever shown; whoever shows the form calls `forget` when it closes.

    `edited()` is emitted when something was typed or another mode was chosen.
    """

    edited = Signal()

    def __init__(self, parent: QWidget, mode: str) -> None:
        super().__init__(parent)
        self.hint = make_quiet_text("", self)
        self.sources = KeySources(self)  # Tab stops in the order in which widgets are made
        self.real = QRadioButton(self)
        self.demo = QRadioButton(self)
        self.real.setObjectName("modeReal")
        self.demo.setObjectName("modeDemo")
        pass_return_to_dialog(self, self.real, self.demo)
        self.choose_mode(mode)
        modes = QButtonGroup(self)
        modes.addButton(self.real)
        modes.addButton(self.demo)
        enter_at_checked(modes)
        self._modes = QWidget(self)
        mode_row = QHBoxLayout(self._modes)
        mode_row.setContentsMargins(0, 0, 0, 0)
        mode_row.addWidget(self.real)
        mode_row.addWidget(self.demo)
        mode_row.addStretch(1)
        self.key = SecretField(self)
        self.key.setObjectName("appKey")
        self.secret = SecretField(self)
        self.secret.setObjectName("appSecret")
        self.sources.loaded.connect(self._take)
        self.sources.refused.connect(self.complain)
        FileDrop(self, self.take_files)
        self._key_length = make_quiet_text("", self)
        self._secret_length = make_quiet_text("", self)
        self._complaint = make_text("keysComplaint", self)
        self._complaint.setMinimumHeight(2 * self._complaint.fontMetrics().lineSpacing())
        self._complaint.installEventFilter(self)
        self._scroller = QTimer(self, singleShot=True, interval=0)
        self._scroller.timeout.connect(self._scroll_to_complaint)
        self._rows = (
            self._modes,
            _with_length(self.key, self._key_length),
            _with_length(self.secret, self._secret_length),
        )
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        form.setVerticalSpacing(10)
        self._names = [QLabel(self) for _ in self._rows]
        for name, row in zip(self._names, self._rows, strict=True):
            name.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)  # aligned with its field
            form.addRow(name, row)
        self._names[1].setBuddy(self.key)
        self._names[2].setBuddy(self.secret)
        body = QVBoxLayout(self)
        body.setContentsMargins(0, 0, 0, 0)
        body.setSpacing(12)
        body.addWidget(self.hint)
        body.addWidget(self.sources)
        body.addLayout(form)
        body.addWidget(self._complaint)
        modes.buttonToggled.connect(self._edited)
        self.key.textChanged.connect(self._edited)
        self.secret.textChanged.connect(self._edited)
        self.sources.set_mode(mode)
        self._retranslate()

    @property
    def mode(self) -> str:
        return "demo" if self.demo.isChecked() else "real"

    def choose_mode(self, mode: str) -> None:
        (self.demo if mode == "demo" else self.real).setChecked(True)

    def switch_mode(self) -> None:
        """Choose the other mode."""
        self.choose_mode("demo" if self.mode == "real" else "real")

    def is_filled(self) -> bool:
        return bool(self.key.text()) and bool(self.secret.text())

    def keys(self) -> AppKeys | None:
        """Return the keys that were typed, or None after saying what is wrong with them."""
        try:
            keys = clean_keys(self.key.text(), self.secret.text())
        except InvalidInput as error:
            self.complain(say(error))
            return None
        if keys.app_key == keys.app_secret:
            self.complain(tr("Both fields have the same text. Copy each one separately."))
            return None
        return keys

    def complain(self, text: str) -> None:
        """Show an error until something is edited."""
        if text != self._complaint.text():
            self._complaint.setText(text)
            if text:
                self._scroller.start()  # once there is room for its lines
                alert(self._complaint)

    def _scroll_to_complaint(self) -> None:
        area = self.parentWidget()
        while area is not None and not isinstance(area, QScrollArea):
            area = area.parentWidget()
        if area is not None:
            area.ensureWidgetVisible(self._complaint, 0, 0)

    def has_complaint(self) -> bool:
        return bool(self._complaint.text())

    def forget(self) -> None:
        self.key.clear()
        self.secret.clear()
        self.sources.forget()

    def take_files(self, paths: list[str]) -> None:
        """Fill the fields from files that were dropped."""
        self.sources.read(paths)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._complaint and event.type() == QEvent.Type.Resize and self.has_complaint():
            self._scroller.start()  # it has taken more lines than it had at first
        return super().eventFilter(watched, event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()

    def _take(self, taken: KeyFile) -> None:
        if taken.mode is not None:
            self.choose_mode(taken.mode)
        self.key.setText(taken.keys.app_key.reveal())
        self.secret.setText(taken.keys.app_secret.reveal())

    def _edited(self) -> None:
        self.sources.set_mode(self.mode)
        self._show_lengths()
        self._complaint.clear()
        self.edited.emit()

    def _show_lengths(self) -> None:
        for field, label in ((self.key, self._key_length), (self.secret, self._secret_length)):
            length = len(field.text())
            label.setText(_count_text(length) if length else "")

    def _retranslate(self) -> None:
        self.hint.setText(
            tr(
                "Copy both from openapi.kiwoom.com. Real and mock trading each have their own. "
                "They are stored in {keyring}.",
                keyring=keyring_name(),
            )
        )
        self.sources.retranslate()
        set_text(self.real, tr("&Real trading"))
        set_text(self.demo, tr("&Mock trading"))
        self._names[0].setText(tr("Trading"))
        set_text(self._names[1], tr("App k&ey"))
        set_text(self._names[2], tr("App &secret"))
        self._show_lengths()

    def set_tones(self, tones: Tones) -> None:
        set_text_colour(self._complaint, tones.bad)


def _with_length(field: QLineEdit, length: QLabel) -> QWidget:
    """Return a row of the field and the number of characters in it, which shows when a copy was cut short."""
    length.setWordWrap(False)
    length.setMinimumWidth(length.fontMetrics().horizontalAdvance(_count_text(100)))
    row = QWidget(field.parentWidget())
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(field, 1)
    layout.addWidget(length)
    return row


def _count_text(length: int) -> str:
    return tr("{count} characters", count=length)
