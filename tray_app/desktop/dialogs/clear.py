"""The question how to remove the token."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from tray_app.core.language import tr
from tray_app.desktop.icons.app_icon import app_icon
from tray_app.desktop.theme.stylesheet import fix_box_colours

if TYPE_CHECKING:
    from tray_app.core.state import TokenState
from tray_app.desktop.dialogs.common import RETURN_KEYS, make_explanation, pass_return_to_dialog, show_dialog

LOCAL = "here"


REVOKE = "revoke"


def ask_clear(parent: QWidget | None, state: TokenState, now: float) -> ClearDialog:
    """Opens the question how to clear; `chosen("here"|"revoke")` follows, or nothing when it is cancelled."""
    dialog = ClearDialog(parent, can_revoke=state.remaining(now) > 0)
    show_dialog(dialog)
    return dialog


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
        pass_return_to_dialog(self, self.here, self.revoke)
        self._here_means = make_explanation("", self)
        self._revoke_means = make_explanation("", self)
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
        fix_box_colours(self)
        self.here.setFocus()
        self.accepted.connect(self._answer)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in RETURN_KEYS and isinstance(self.focusWidget(), QRadioButton):
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
        self.chosen.emit(REVOKE if self.revoke.isChecked() else LOCAL)
