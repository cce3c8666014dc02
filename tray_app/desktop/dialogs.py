"""The questions the tray asks. None blocks: they open, answer by a signal and delete themselves."""

# ruff: noqa: N815 - signals are named as Qt's own are
from __future__ import annotations

import re
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QAccessible, QAccessibleEvent, QCloseEvent, QHideEvent, QKeyEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QButtonGroup,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QRadioButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from tray_app.core.errors import InvalidInput
from tray_app.core.language import say, tr
from tray_app.core.profile import DEFAULT
from tray_app.desktop.look.icon import app_icon
from tray_app.desktop.look.style import colour_text, even_boxes
from tray_app.desktop.look.theme import window_tones
from tray_app.kiwoom.keys import clean_keys

if TYPE_CHECKING:
    from tray_app.core.state import TokenState
    from tray_app.kiwoom.keys import AppKeys

HERE = "here"
REVOKE = "revoke"
_RETURN = frozenset({Qt.Key.Key_Return, Qt.Key.Key_Enter})
_MNEMONIC = re.compile(r"\(&.\)|&")


def ask_clear(parent: QWidget | None, state: TokenState, now: float) -> ClearDialog:
    """Opens the question how to clear; `chosen("here"|"revoke")` follows, or nothing when it is cancelled."""
    dialog = ClearDialog(parent, can_revoke=state.remaining(now) > 0)
    _bring_up(dialog)
    return dialog


def ask_rotate(parent: QWidget | None) -> RotateDialog:
    """Opens the question whether to cut every tool once; `confirmed()` follows, or nothing when it is cancelled."""
    dialog = RotateDialog(parent)
    _bring_up(dialog)
    return dialog


def ask_keys(parent: QWidget | None, mode: str, profile: str = DEFAULT) -> KeysDialog:
    """Opens the form for the app key and secret; `keysEntered(mode, key, secret)` follows, both as `Secret`."""
    dialog = KeysDialog(parent, mode, profile)
    _bring_up(dialog)
    return dialog


def leave_return_alone(parent: QWidget, *choices: QAbstractButton) -> None:
    """Some desktops' themes let Return press the choice that has the focus instead of the dialog's main button."""
    passing_on = _ReturnPassesOn(parent)
    for choice in choices:
        choice.installEventFilter(passing_on)


class _ReturnPassesOn(QObject):
    def eventFilter(self, watch_paths: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and event.key() in _RETURN:
            event.ignore()
            return True
        return super().eventFilter(watch_paths, event)


class ClearDialog(QDialog):
    """Clear here only, which is the choice when nothing else is chosen, or end the token for every tool."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None, *, can_revoke: bool) -> None:
        super().__init__(parent)
        self.setObjectName("clearDialog")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowIcon(app_icon())
        self.here = QRadioButton(self)
        self.here.setObjectName("clearHere")
        self.here.setChecked(True)
        self.revoke = QRadioButton(self)
        self.revoke.setObjectName("clearRevoke")
        self.revoke.setEnabled(can_revoke)
        leave_return_alone(self, self.here, self.revoke)
        self._here_means = _explanation("", self)
        self._revoke_means = _explanation("", self)
        buttons = QDialogButtonBox(self)
        self._clear = buttons.addButton("", QDialogButtonBox.ButtonRole.AcceptRole)
        self._cancel = buttons.addButton("", QDialogButtonBox.ButtonRole.RejectRole)
        self._clear.setObjectName("clearAccept")
        self._cancel.setObjectName("clearCancel")
        self._retranslate()
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        body = QVBoxLayout(self)
        body.setContentsMargins(20, 18, 20, 16)
        for choice, means in ((self.here, self._here_means), (self.revoke, self._revoke_means)):
            body.addWidget(choice)
            row = QHBoxLayout()
            row.setContentsMargins(24, 0, 0, 10)
            row.addWidget(means)
            body.addLayout(row)
        body.addStretch(1)
        body.addWidget(buttons)
        self.setMinimumWidth(400)
        even_boxes(self)
        self.here.setFocus()
        self.accepted.connect(self._answer)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in _RETURN and isinstance(self.focusWidget(), QRadioButton):
            self.accept()
        else:
            super().keyPressEvent(event)

    def _retranslate(self) -> None:
        self.setWindowTitle(tr("Clear the token"))
        self.here.setText(tr("On this computer &only"))
        self.revoke.setText(tr("&Revoke at Kiwoom too"))
        self._here_means.setText(
            tr("Programs here no longer get it. At Kiwoom it lives on until its end; asking again may bring it back.")
        )
        self._revoke_means.setText(
            tr("It ends at once for every program and computer that uses it.")
            if self.revoke.isEnabled()
            else tr("The token has expired; there is nothing to revoke.")
        )
        self._clear.setText(tr("&Clear"))
        self._cancel.setText(tr("Cancel"))
        self.here.setAccessibleDescription(self._here_means.text())
        self.revoke.setAccessibleDescription(self._revoke_means.text())

    def _answer(self) -> None:
        self.chosen.emit(REVOKE if self.revoke.isChecked() else HERE)


class RotateDialog(QDialog):
    """A new token in the place of the present one, which ends at once. Nothing happens unless it is asked for."""

    confirmed = Signal()

    def __init__(self, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setObjectName("rotateDialog")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowIcon(app_icon())
        self._question = QLabel(self)
        self._question.setObjectName("rotateQuestion")
        self._question.setTextFormat(Qt.TextFormat.PlainText)
        self._question.setWordWrap(True)
        self._means = _explanation("", self)
        buttons = QDialogButtonBox(self)
        self._rotate = buttons.addButton("", QDialogButtonBox.ButtonRole.AcceptRole)
        self._cancel = buttons.addButton("", QDialogButtonBox.ButtonRole.RejectRole)
        self._rotate.setObjectName("rotateAccept")
        self._cancel.setObjectName("rotateCancel")
        self._rotate.setAutoDefault(False)
        self._cancel.setDefault(True)
        self._retranslate()
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        body = QVBoxLayout(self)
        body.setContentsMargins(20, 18, 20, 16)
        body.setSpacing(12)
        body.addWidget(self._question)
        body.addWidget(self._means)
        body.addStretch(1)
        body.addWidget(buttons)
        self.setMinimumWidth(400)
        self._cancel.setFocus()
        self.accepted.connect(self.confirmed)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()

    def _retranslate(self) -> None:
        self.setWindowTitle(tr("Replace the token"))
        self._question.setText(tr("Revoke this token and get a new one now?"))
        self._means.setText(
            tr(
                "Every program and computer that uses this token is cut off once. Those that take it from here "
                "get the new one by themselves; restart the others."
            )
        )
        self._rotate.setText(tr("&Replace"))
        self._cancel.setText(tr("Cancel"))
        self.setAccessibleDescription(self._means.text())


class SecretField(QLineEdit):
    """A line that shows dots, and drops the blanks and line breaks that copying brings along."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setEchoMode(QLineEdit.EchoMode.Password)
        self.setInputMethodHints(
            Qt.InputMethodHint.ImhHiddenText
            | Qt.InputMethodHint.ImhSensitiveData
            | Qt.InputMethodHint.ImhNoPredictiveText
            | Qt.InputMethodHint.ImhNoAutoUppercase
        )
        self.textChanged.connect(self._trim)

    def _trim(self, text: str) -> None:
        trimmed = text.strip()
        if trimmed != text:
            self.setText(trimmed)


class KeysForm(QWidget):
    """Mode, app key and secret. Nothing typed is ever shown; whoever shows the form lets it `forget`.

    `edited()` tells that something was typed or another mode chosen.
    """

    edited = Signal()

    def __init__(self, parent: QWidget, mode: str) -> None:
        super().__init__(parent)
        self.hint = _explanation("", self)
        self.real = QRadioButton(self)
        self.demo = QRadioButton(self)
        self.real.setObjectName("modeReal")
        self.demo.setObjectName("modeDemo")
        leave_return_alone(self, self.real, self.demo)
        self.choose_mode(mode)
        modes = QButtonGroup(self)
        modes.addButton(self.real)
        modes.addButton(self.demo)
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
        self._key_length = _explanation("", self)
        self._secret_length = _explanation("", self)
        self._complaint = QLabel(self)
        self._complaint.setObjectName("keysComplaint")
        self._complaint.setTextFormat(Qt.TextFormat.PlainText)
        self._complaint.setWordWrap(True)
        self._complaint.setMinimumHeight(2 * self._complaint.fontMetrics().lineSpacing())
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
            name.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)  # level with its field
            form.addRow(name, row)
        self._names[1].setBuddy(self.key)
        self._names[2].setBuddy(self.secret)
        body = QVBoxLayout(self)
        body.setContentsMargins(0, 0, 0, 0)
        body.setSpacing(12)
        body.addWidget(self.hint)
        body.addLayout(form)
        body.addWidget(self._complaint)
        modes.buttonToggled.connect(self._edited)
        self.key.textChanged.connect(self._edited)
        self.secret.textChanged.connect(self._edited)
        self.setFocusProxy(self.key)
        self._retranslate()
        self._colour()

    @property
    def mode(self) -> str:
        return "demo" if self.demo.isChecked() else "real"

    def choose_mode(self, mode: str) -> None:
        (self.demo if mode == "demo" else self.real).setChecked(True)

    def is_filled(self) -> bool:
        return bool(self.key.text()) and bool(self.secret.text())

    def keys(self) -> AppKeys | None:
        """What was typed, when it can be keys; else the form says why it cannot."""
        try:
            keys = clean_keys(self.key.text(), self.secret.text())
        except InvalidInput as error:
            self.complain(say(error))
            return None
        if keys.app_key == keys.app_secret:
            self.complain(tr("Both fields hold the same text. Copy each by itself."))
            return None
        return keys

    def complain(self, text: str) -> None:
        """Stands until something is edited."""
        if text != self._complaint.text():
            self._complaint.setText(text)
            if text:
                QAccessible.updateAccessibility(QAccessibleEvent(self._complaint, QAccessible.Event.Alert))

    def forget(self) -> None:
        self.key.clear()
        self.secret.clear()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.ThemeChange:
            self._colour()
        elif event.type() == QEvent.Type.LanguageChange:
            self._retranslate()

    def _edited(self) -> None:
        for field, label in ((self.key, self._key_length), (self.secret, self._secret_length)):
            length = len(field.text())
            label.setText(_count(length) if length else "")
        self._complaint.clear()
        self.edited.emit()

    def _retranslate(self) -> None:
        self.hint.setText(
            tr(
                "Copy both from openapi.kiwoom.com. Real and mock trading each have their own. "
                "They are kept in this computer's keyring."
            )
        )
        self.real.setText(tr("&Real trading"))
        self.demo.setText(tr("&Mock trading"))
        names = (
            tr("Account"),
            tr("App k&ey"),
            tr("App &secret"),
        )
        for label, name in zip(self._names, names, strict=True):
            label.setText(name)
        for field, name in ((self.key, names[1]), (self.secret, names[2])):
            field.setAccessibleName(_MNEMONIC.sub("", name))

    def _colour(self) -> None:
        even_boxes(self)
        colour_text(self._complaint, window_tones(self.palette()).bad)


class KeysDialog(QDialog):
    """Asks for the keys. All that was typed is dropped when the form closes."""

    keysEntered = Signal(str, object, object)

    def __init__(self, parent: QWidget | None, mode: str, profile: str = DEFAULT) -> None:
        super().__init__(parent)
        self.setObjectName("keysDialog")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowIcon(app_icon())
        self._profile = profile
        self.form = KeysForm(self, mode)
        buttons = QDialogButtonBox(self)
        self._enter = buttons.addButton("", QDialogButtonBox.ButtonRole.AcceptRole)
        self._cancel = buttons.addButton("", QDialogButtonBox.ButtonRole.RejectRole)
        self._enter.setObjectName("keysAccept")
        self._cancel.setObjectName("keysCancel")
        self._retranslate()
        buttons.accepted.connect(self._check)
        buttons.rejected.connect(self.reject)
        body = QVBoxLayout(self)
        body.setContentsMargins(20, 18, 20, 16)
        body.setSpacing(12)
        body.addWidget(self.form)
        body.addStretch(1)
        body.addWidget(buttons)
        self.setMinimumWidth(480)
        self.form.edited.connect(self._edited)
        self._edited()
        self.form.setFocus()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()

    def closeEvent(self, event: QCloseEvent) -> None:
        self.form.forget()
        super().closeEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        if not event.spontaneous():  # not when the window is only minimised
            self.form.forget()
        super().hideEvent(event)

    def _check(self) -> None:
        keys = self.form.keys()
        if keys is None:
            return
        self.form.forget()
        self.keysEntered.emit(self.form.mode, keys.app_key, keys.app_secret)
        self.accept()

    def _edited(self) -> None:
        self._enter.setEnabled(self.form.is_filled())

    def _retranslate(self) -> None:
        title = tr("Kiwoom app key")
        self.setWindowTitle(title if self._profile == DEFAULT else f"{title} - {self._profile}")
        self._enter.setText(tr("Check and &keep"))
        self._cancel.setText(tr("Cancel"))


def _with_length(field: QLineEdit, length: QLabel) -> QWidget:
    """The field, and beside it how much was pasted: enough to see that a copy was cut short."""
    length.setWordWrap(False)
    length.setMinimumWidth(length.fontMetrics().horizontalAdvance(_count(100)))
    row = QWidget(field.parentWidget())
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(field, 1)
    layout.addWidget(length)
    return row


def _count(length: int) -> str:
    return tr("{count} characters", count=length)


def _explanation(text: str, parent: QWidget) -> QLabel:
    label = QLabel(text, parent)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    colour_text(label, window_tones(label.palette()).quiet)
    return label


def _bring_up(dialog: QDialog) -> None:
    dialog.open()
    dialog.raise_()
    dialog.activateWindow()
