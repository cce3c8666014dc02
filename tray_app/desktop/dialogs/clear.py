"""The question how to remove the token."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QDialogButtonBox,
    QHBoxLayout,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from tray_app.core.language import tr
from tray_app.desktop.dialogs.common import show_dialog
from tray_app.desktop.dialogs.token_question import TokenQuestion
from tray_app.desktop.theme.stylesheet import set_role
from tray_app.desktop.view.texts import title_text
from tray_app.desktop.widgets.basics import make_quiet_text, set_text
from tray_app.desktop.widgets.return_key import RETURN_KEYS, pass_return_to_dialog

if TYPE_CHECKING:
    from tray_app.desktop.view.question import QuestionView


_WIDTH = 400


def ask_clear(parent: QWidget | None, view: QuestionView) -> ClearDialog:
    """Open the question. `confirmed(bool)` is emitted unless it is cancelled: True to revoke the token, too."""
    dialog = ClearDialog(parent, view)
    show_dialog(dialog)
    return dialog


class ClearDialog(TokenQuestion):
    """Ask whether to remove the token from this computer only, which is preselected, or to revoke it at Kiwoom too."""

    confirmed = Signal(bool)

    def __init__(self, parent: QWidget | None, view: QuestionView) -> None:
        super().__init__(parent, "clearDialog", view)
        self.local = QRadioButton(self)
        self.local.setObjectName("clearLocal")
        self.local.setChecked(True)
        self.revoke = QRadioButton(self)
        self.revoke.setObjectName("clearRevoke")
        pass_return_to_dialog(self, self.local, self.revoke)
        self.revoke.toggled.connect(lambda _: self._name_act())
        self._local_text = make_quiet_text("", self)
        self._revoke_text = make_quiet_text("", self)
        buttons = QDialogButtonBox(self)
        self._clear = buttons.addButton("", QDialogButtonBox.ButtonRole.AcceptRole)
        self._cancel = buttons.addButton("", QDialogButtonBox.ButtonRole.RejectRole)
        self._clear.setObjectName("clearAccept")
        set_role(self._clear, "main")
        self._cancel.setObjectName("clearCancel")
        self._render()
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        body = QVBoxLayout()
        body.setSpacing(4)
        for choice, means in ((self.local, self._local_text), (self.revoke, self._revoke_text)):
            body.addWidget(choice)
            row = QHBoxLayout()
            row.setContentsMargins(24, 0, 0, 8)
            row.addWidget(means)
            body.addLayout(row)
        self.lay_out(body, [buttons], _WIDTH)
        self.local.setFocus()
        self.accepted.connect(self._confirm)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in RETURN_KEYS and isinstance(self.focusWidget(), QRadioButton):
            self._clear.click()
        else:
            super().keyPressEvent(event)

    def _render(self) -> None:
        can_revoke = self._view.can_revoke
        self.setWindowTitle(title_text(tr("Remove the token"), self._view.profile))
        if not can_revoke:
            self.local.setChecked(True)
            if self.focusWidget() is self.revoke:
                self.local.setFocus()
        self.revoke.setEnabled(can_revoke)
        self._clear.setEnabled(self._view.can_answer)
        set_text(self.local, tr("Remove it from this computer &only"))
        set_text(self.revoke, tr("&Revoke it at Kiwoom too"))
        self._local_text.setText(
            tr(
                "Programs on this computer no longer get it. At Kiwoom it stays valid until it expires, and "
                "issuing again may return the same token."
            )
            if can_revoke
            else tr("Programs on this computer no longer get it.")
        )
        self._revoke_text.setText(
            tr("It stops working at once for every program and computer that uses it.")
            if can_revoke
            else tr("The token has expired, so there is nothing to revoke.")
        )
        set_text(self._cancel, tr("Cancel"))
        self.local.setAccessibleDescription(self._local_text.text())
        self.revoke.setAccessibleDescription(self._revoke_text.text())
        self._name_act()

    def _name_act(self) -> None:
        """Let the button say what cannot be undone."""
        set_text(self._clear, tr("Revoke and re&move") if self.revoke.isChecked() else tr("Re&move"))

    def _confirm(self) -> None:
        self.confirmed.emit(self.revoke.isChecked())
