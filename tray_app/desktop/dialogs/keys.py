"""The dialog that asks for the app key and secret."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QCloseEvent, QHideEvent
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QVBoxLayout,
    QWidget,
)

from tray_app.core.language import tr
from tray_app.core.profile import DEFAULT
from tray_app.desktop.dialogs.common import show_dialog
from tray_app.desktop.dialogs.keys_form import KeysForm
from tray_app.desktop.icons.app_icon import app_icon
from tray_app.desktop.theme.colours import window_tones
from tray_app.desktop.widgets.busy_line import BusyLine


def ask_keys(parent: QWidget | None, mode: str, profile: str = DEFAULT) -> KeysDialog:
    """Open the form. `keysEntered(mode, key, secret)`, the latter as `Secret`, is emitted unless it is cancelled."""
    dialog = KeysDialog(parent, mode, profile)
    show_dialog(dialog)
    return dialog


class KeysDialog(QDialog):
    """Ask for the app key and secret, and stay open until `show_answer`: what Kiwoom refuses stays in the fields.

    Whatever was typed is discarded when the dialog closes.
    """

    keysEntered = Signal(str, object, object)  # noqa: N815 - as Qt names signals

    def __init__(self, parent: QWidget | None, mode: str, profile: str = DEFAULT) -> None:
        super().__init__(parent)
        self.setObjectName("keysDialog")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowIcon(app_icon())
        self._profile = profile
        self._is_waiting = False
        self._busy = BusyLine(self)
        self._busy.setFixedHeight(3)
        self._busy.set_colour(window_tones(self.palette()).good)
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
        body.addWidget(self._busy)
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
        if not event.spontaneous():  # not when it is only minimised
            self.form.forget()
        super().hideEvent(event)

    def _check(self) -> None:
        keys = self.form.keys()
        if keys is None:
            return
        self._is_waiting = True
        self._show_waiting()
        self.keysEntered.emit(self.form.mode, keys.app_key, keys.app_secret)

    def show_answer(self, refusal: str) -> None:
        """Close, or say why the keys were refused and let them be corrected."""
        if not self._is_waiting:
            return
        self._is_waiting = False
        if not refusal:
            self.accept()
            return
        self._show_waiting()
        self.form.complain(refusal)
        self.form.key.setFocus()

    def _show_waiting(self) -> None:
        self.form.setEnabled(not self._is_waiting)
        self._busy.show_progress(tr("Asking Kiwoom for a token…") if self._is_waiting else "")
        self._edited()

    def _edited(self) -> None:
        self._enter.setEnabled(self.form.is_filled() and not self._is_waiting)

    def _retranslate(self) -> None:
        title = tr("Kiwoom app key")
        self.setWindowTitle(title if self._profile == DEFAULT else f"{title} - {self._profile}")
        self._enter.setText(tr("Chec&k and save"))
        self._cancel.setText(tr("Cancel"))
