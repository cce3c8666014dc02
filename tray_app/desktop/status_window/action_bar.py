"""The buttons at the bottom of the status window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from tray_app.core.errors import Remedy
from tray_app.core.language import tr
from tray_app.core.state import Action
from tray_app.desktop.clipboard import KEEP_SECONDS
from tray_app.desktop.theme.stylesheet import set_main, set_role
from tray_app.desktop.view.menu import copied_text
from tray_app.desktop.widgets.accessible import alert, with_mnemonic
from tray_app.desktop.widgets.basics import make_label, set_text
from tray_app.desktop.widgets.work_button import WorkButton

if TYPE_CHECKING:
    from PySide6.QtGui import QColor

    from tray_app.desktop.view.model import View

_WORK_OF_REMEDY = {
    Remedy.UNLOCK_KEYRING: {Action.UNLOCK},
    Remedy.SWITCH_MODE: {Action.REFRESH},
    Remedy.ROTATE: {Action.ROTATE},
}
"""The actions during which the button of a remedy shows that it works; the others open something."""


class ActionBar(QWidget):
    """What helps now, alone on a row, and below it the buttons that remove, reissue, copy and check the token.

    The main button is `remedy`; where asking Kiwoom is what helps, `refresh` is; where all is well, none is.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.remedy = WorkButton("remedyButton", self)
        set_role(self.remedy, "main")
        self._nothing_to_do = make_label("well", self, centred=True)
        set_role(self._nothing_to_do, "quiet")
        self.offers = QHBoxLayout()
        self.offers.setSpacing(8)
        place = QGridLayout()
        place.addWidget(self.remedy, 0, 0)
        place.addWidget(self._nothing_to_do, 0, 0)
        self.offers.addLayout(place, 1)
        self.clear = WorkButton("clearButton", self)
        self.rotate = WorkButton("rotateButton", self)
        self.copy = WorkButton("copyButton", self)
        self.refresh = WorkButton("refreshButton", self)
        row = QHBoxLayout()
        row.setSpacing(8)
        for button in (self.clear, self.rotate, self.copy):
            row.addWidget(button)
        row.addStretch(1)
        row.addWidget(self.refresh)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(8)
        rows.addLayout(self.offers)
        rows.addLayout(row)

    def main_button(self) -> WorkButton:
        """Return the button that has the focus unless the user moves it: what helps, else the one that asks Kiwoom."""
        return self.remedy if self.remedy.isVisibleTo(self) else self.refresh

    def show_view(self, view: View) -> None:
        self.copy.setEnabled(view.can_copy)
        set_text(self.copy, with_mnemonic(view.copy_text, "Y"))
        was_copied = bool(self.copy.accessibleDescription())
        self.copy.setAccessibleDescription(tr("It is on the clipboard.") if view.is_copied else "")
        if view.is_copied and not was_copied:
            alert(self.copy)
        set_text(self.refresh, with_mnemonic(view.refresh_text, "K"))
        set_main(self.refresh, is_main=view.refresh_is_main)
        set_text(self.remedy, with_mnemonic(view.remedy_text, "E"))
        self.remedy.setVisible(bool(view.remedy))
        self.remedy.show_action(view, _WORK_OF_REMEDY.get(view.remedy, set()), is_possible=view.can_remedy)
        set_text(self._nothing_to_do, view.nothing_to_do)
        self._nothing_to_do.setVisible(not view.remedy)
        for button, actions, is_possible in (
            (self.refresh, {Action.REFRESH, Action.VERIFY}, view.can_refresh),
            (self.rotate, {Action.ROTATE}, view.can_rotate),
            (self.clear, {Action.CLEAR, Action.REVOKE}, view.can_clear),
        ):
            button.show_action(view, actions, is_possible=is_possible)

    def retranslate(self) -> None:
        set_text(self.clear, with_mnemonic(tr("Remove…"), "M"))
        self.clear.setAccessibleName(tr("Remove or revoke the token…"))
        set_text(self.rotate, with_mnemonic(tr("Reissue…"), "R"))
        self.rotate.setAccessibleName(tr("Revoke the token and issue a new one…"))
        self.rotate.setToolTip(self.rotate.accessibleName())
        self.copy.setAccessibleName(tr("Copy the token"))
        self.copy.setToolTip(tr("It is removed from the clipboard after {seconds} s.", seconds=KEEP_SECONDS))

    def set_colour(self, colour: QColor) -> None:
        """Set the colour of the busy lines."""
        for button in (self.remedy, self.refresh, self.rotate, self.clear):
            button.set_colour(colour)

    def reserve_room(self) -> None:
        """Reserve room for the longest text of the copy button and for what helps, so that nothing moves."""
        self.remedy.ensurePolished()
        for widget in (self.remedy, self._nothing_to_do):
            widget.setMinimumHeight(self.remedy.sizeHint().height())
        self.copy.reserve_width_for(with_mnemonic(copied_text(KEEP_SECONDS), "Y"))
