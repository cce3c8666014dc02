"""The question whether to revoke the token and issue a new one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QDialogButtonBox,
    QVBoxLayout,
    QWidget,
)

from tray_app.core.language import tr
from tray_app.desktop.dialogs.common import show_dialog
from tray_app.desktop.dialogs.token_question import TokenQuestion
from tray_app.desktop.view.texts import title_text
from tray_app.desktop.widgets.basics import embolden, make_quiet_text, make_text, set_text

if TYPE_CHECKING:
    from tray_app.desktop.view.question import QuestionView

_WIDTH = 400


def ask_rotate(parent: QWidget | None, view: QuestionView) -> RotateDialog:
    """Open the question. `confirmed()` is emitted unless it is cancelled."""
    dialog = RotateDialog(parent, view)
    show_dialog(dialog)
    return dialog


class RotateDialog(TokenQuestion):
    """Ask whether to revoke the token and issue a new one. Cancel is the default button."""

    confirmed = Signal()

    def __init__(self, parent: QWidget | None, view: QuestionView) -> None:
        super().__init__(parent, "rotateDialog", view)
        self._question = make_text("rotateQuestion", self)
        embolden(self._question)
        self._explanation = make_quiet_text("", self)
        buttons = QDialogButtonBox(self)
        self._rotate = buttons.addButton("", QDialogButtonBox.ButtonRole.AcceptRole)
        self._cancel = buttons.addButton("", QDialogButtonBox.ButtonRole.RejectRole)
        self._rotate.setObjectName("rotateAccept")
        self._cancel.setObjectName("rotateCancel")
        self._rotate.setAutoDefault(False)
        self._cancel.setDefault(True)
        self._render()
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        body = QVBoxLayout()
        body.setSpacing(8)
        body.addWidget(self._question)
        body.addWidget(self._explanation)
        self.lay_out(body, [buttons], _WIDTH)
        self._cancel.setFocus()
        self.accepted.connect(self.confirmed)

    def _render(self) -> None:
        self.setWindowTitle(title_text(tr("Revoke and reissue"), self._view.profile))
        if self._view.can_revoke:
            question = tr("Revoke this token and issue a new one now?")
            explanation = tr(
                "Every program and computer that uses this token is cut off once. Programs that get it from "
                "here switch to the new one automatically; restart the others."
            )
        else:
            question = tr("Issue a new token now?")
            explanation = tr("The token has expired, so there is nothing to revoke.")
        self._question.setText(question)
        self._explanation.setText(explanation)
        self._rotate.setEnabled(self._view.can_answer)
        set_text(self._rotate, tr("&Reissue"))
        set_text(self._cancel, tr("Cancel"))
        self.setAccessibleDescription(explanation)
