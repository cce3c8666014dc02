"""The dialog that asks for the app key and secret."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QHideEvent
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFrame,
    QLabel,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from tray_app.core.language import tr
from tray_app.core.profile import DEFAULT
from tray_app.desktop.dialogs.common import show_dialog
from tray_app.desktop.dialogs.keys_form import KeysForm
from tray_app.desktop.icons.app_icon import app_icon
from tray_app.desktop.theme.colours import window_tones
from tray_app.desktop.theme.stylesheet import switch_role, window_stylesheet
from tray_app.desktop.widgets.busy_line import BusyLine


def ask_keys(parent: QWidget | None, mode: str, profile: str = DEFAULT) -> KeysDialog:
    """Open the form. `keysEntered(mode, key, secret)`, the latter as `Secret`, is emitted unless it is cancelled."""
    dialog = KeysDialog(parent, mode, profile)
    show_dialog(dialog)
    return dialog


_WIDTH, _NARROWEST = 520, 400
_MARGINS, _BELOW_FORM, _TITLE_BAR = 40, 140, 40
"""Below the form are the buttons, and room for the note from which file the keys come."""


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
        self.setStyleSheet(window_stylesheet(self.palette()))  # first, because it resets the palettes of labels
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
        switch_role(self._enter, "main", on=True)
        self._cancel.setObjectName("keysCancel")
        self._retranslate()
        buttons.accepted.connect(self._check)
        buttons.rejected.connect(self.reject)
        body = QVBoxLayout(self)
        body.setContentsMargins(20, 18, 20, 16)
        body.setSpacing(12)
        area = self._area = QScrollArea(self)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        inside = QWidget()
        upper = QVBoxLayout(inside)
        upper.setContentsMargins(0, 0, 0, 0)
        upper.addWidget(self.form)
        upper.addStretch(1)
        area.setWidget(inside)
        body.addWidget(area, 1)
        body.addWidget(self._busy)
        body.addWidget(buttons)
        room = self.screen().availableGeometry()
        width = min(_WIDTH, room.width())
        self.setMinimumWidth(min(_NARROWEST, width))
        needed = self.form.heightForWidth(width - _MARGINS) if self.form.hasHeightForWidth() else 0
        height = max(needed, self.form.sizeHint().height()) + _BELOW_FORM
        self.resize(width, min(height, room.height() - _TITLE_BAR))  # it scrolls on a small screen
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
        QTimer.singleShot(0, self._show_complaint)  # once there is room for its lines
        self.form.key.setFocus()

    def _show_complaint(self) -> None:
        complaint = self.form.findChild(QLabel, "keysComplaint")
        if complaint is not None:
            self._area.ensureWidgetVisible(complaint)

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
