"""The question whether to revoke the token and issue a new one."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QFont
from PySide6.QtWidgets import (
    QDialogButtonBox,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from tray_app.core.language import tr
from tray_app.desktop.dialogs.common import make_explanation, show_dialog
from tray_app.desktop.dialogs.scrolling_dialog import ScrollingDialog

_WIDTH = 400


def ask_rotate(parent: QWidget | None) -> RotateDialog:
    """Open the question. `confirmed()` is emitted unless it is cancelled."""
    dialog = RotateDialog(parent)
    show_dialog(dialog)
    return dialog


class RotateDialog(ScrollingDialog):
    """Ask whether to revoke the token and issue a new one. Cancel is the default button."""

    confirmed = Signal()

    def __init__(self, parent: QWidget | None) -> None:
        super().__init__(parent, "rotateDialog")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._question = QLabel(self)
        self._question.setObjectName("rotateQuestion")
        self._question.setTextFormat(Qt.TextFormat.PlainText)
        self._question.setWordWrap(True)
        font = self._question.font()
        font.setWeight(QFont.Weight.DemiBold)
        self._question.setFont(font)
        self._explanation = make_explanation(self)
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
        body = QVBoxLayout()
        body.setSpacing(8)
        body.addWidget(self._question)
        body.addWidget(self._explanation)
        self.lay_out(body, [buttons], _WIDTH)
        self._cancel.setFocus()
        self.accepted.connect(self.confirmed)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()

    def _retranslate(self) -> None:
        self.setWindowTitle(tr("Revoke and reissue"))
        self._question.setText(tr("Revoke this token and issue a new one now?"))
        self._explanation.setText(
            tr(
                "Every program and computer that uses this token is cut off once. Programs that get it from "
                "here switch to the new one automatically; restart the others."
            )
        )
        self._rotate.setText(tr("&Reissue"))
        self._cancel.setText(tr("Cancel"))
        self.setAccessibleDescription(self._explanation.text())
