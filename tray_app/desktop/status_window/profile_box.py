"""The list of accounts to choose from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QSizePolicy,
    QStyle,
    QStyleOptionComboBox,
    QWidget,
)

from tray_app.desktop.icons.state_icon import list_icon
from tray_app.desktop.theme.dark_mode import is_dark

if TYPE_CHECKING:
    from tray_app.desktop.view.model import ProfileLine


class ProfileBox(QComboBox):
    """The accounts to choose from. The selection follows the view, not the click."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("profileBox")
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(6)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._lines: tuple[ProfileLine, ...] = ()
        self.activated.connect(self._choose)
        self.hide()

    def show_profiles(self, lines: tuple[ProfileLine, ...]) -> None:
        if lines == self._lines:
            return
        if len(lines) != self.count():
            self.clear()
            self.addItems([line.text for line in lines])
        self._lines = lines
        for number, line in enumerate(lines):
            self.setItemText(number, line.text)
        self._show_icons()
        self._show_chosen()
        self.setVisible(bool(lines))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._show_icons()

    def _show_icons(self) -> None:
        dark = is_dark(self.palette())
        for number, line in enumerate(self._lines):
            self.setItemIcon(number, list_icon(line.icon, dark))

    def initStyleOption(self, option: QStyleOptionComboBox) -> None:
        """Shorten a long text with an ellipsis; styles would cut it within a letter."""
        super().initStyleOption(option)
        field = QStyle.SubControl.SC_ComboBoxEditField
        room = self.style().subControlRect(QStyle.ComplexControl.CC_ComboBox, option, field, self).width()
        room -= self.iconSize().width() + 8
        option.currentText = self.fontMetrics().elidedText(self.currentText(), Qt.TextElideMode.ElideRight, room)

    def _show_chosen(self) -> None:
        for number, line in enumerate(self._lines):
            if line.chosen:
                self.setCurrentIndex(number)

    def _choose(self, number: int) -> None:
        line = self._lines[number]
        self._show_chosen()
        if not line.chosen:
            self.chosen.emit(line.name)
