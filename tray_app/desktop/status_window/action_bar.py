"""The buttons at the bottom of the status window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QHBoxLayout, QWidget

from tray_app.core.language import tr
from tray_app.core.state import Action
from tray_app.desktop.clipboard import KEEP_SECONDS
from tray_app.desktop.status_window.mnemonic import with_mnemonic
from tray_app.desktop.theme.stylesheet import set_role
from tray_app.desktop.view.menu import copied_text
from tray_app.desktop.widgets.basics import set_text
from tray_app.desktop.widgets.work_button import WorkButton

if TYPE_CHECKING:
    from PySide6.QtGui import QColor

    from tray_app.desktop.view.model import View


class ActionBar(QWidget):
    """The buttons that remove, reissue, copy and check the token. The last one, `refresh`, is the main one."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.clear = WorkButton("clearButton", self)
        self.rotate = WorkButton("rotateButton", self)
        self.copy = WorkButton("copyButton", self)
        self.refresh = WorkButton("refreshButton", self)
        set_role(self.refresh, "main")
        self.refresh.setDefault(True)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        for button in (self.clear, self.rotate, self.copy):
            row.addWidget(button)
        row.addStretch(1)
        row.addWidget(self.refresh)

    def show_view(self, view: View) -> None:
        self.copy.setEnabled(view.can_copy)
        set_text(self.copy, with_mnemonic(view.copy_text, "Y"))
        self.copy.setAccessibleDescription(tr("It is on the clipboard.") if view.is_copied else "")
        set_text(self.refresh, with_mnemonic(view.refresh_text, "K"))
        for button, actions, is_possible in (
            (self.refresh, {Action.REFRESH}, view.can_refresh),
            (self.rotate, {Action.ROTATE}, view.can_rotate),
            (self.clear, {Action.CLEAR, Action.REVOKE}, view.can_clear),
        ):
            button.show_action(view, actions, is_possible=is_possible)

    def retranslate(self) -> None:
        self.clear.setText(with_mnemonic(tr("Remove…"), "M"))
        self.clear.setAccessibleName(tr("Remove or revoke the token…"))
        self.rotate.setText(with_mnemonic(tr("Reissue…"), "R"))
        self.rotate.setAccessibleName(tr("Revoke the token and issue a new one…"))
        self.rotate.setToolTip(self.rotate.accessibleName())
        self.copy.setAccessibleName(tr("Copy the token"))
        self.copy.setToolTip(tr("It is removed from the clipboard after {seconds} s.", seconds=KEEP_SECONDS))

    def set_colour(self, colour: QColor) -> None:
        """Set the colour of the busy lines."""
        for button in (self.refresh, self.rotate, self.clear):
            button.set_colour(colour)

    def reserve_room(self) -> None:
        """Reserve room for the longest text of the copy button, so that its countdown moves nothing."""
        self.copy.reserve_width_for(with_mnemonic(copied_text(KEEP_SECONDS), "Y"))
