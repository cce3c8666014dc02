"""All accounts at a glance: a row for each, with its state, mode and expiry."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QPushButton, QSizePolicy, QVBoxLayout, QWidget

from tray_app.core.language import tr
from tray_app.desktop.icons.state_icon import list_icon
from tray_app.desktop.theme.dark_mode import is_dark
from tray_app.desktop.theme.stylesheet import set_role
from tray_app.desktop.widgets.basics import set_text

if TYPE_CHECKING:
    from tray_app.desktop.view.model import ProfileLine


_NARROWEST = 160


class AccountRow(QPushButton):
    """An account and its state on one line. Where there is no room, the middle of the account's name is left out."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._name = self._status = self._shown = ""
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)  # a button does not shrink by itself

    def show_line(self, line: ProfileLine) -> None:
        self._name, self._status = line.text, f" · {line.status}"
        self.setAccessibleName(self._name + self._status)
        self._elide()
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        hint, metrics = super().sizeHint(), self.fontMetrics()
        around = hint.width() - metrics.horizontalAdvance(self._shown)
        return QSize(around + metrics.horizontalAdvance(self._name + self._status), hint.height())

    def minimumSizeHint(self) -> QSize:
        hint = self.sizeHint()
        return QSize(min(_NARROWEST, hint.width()), hint.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._elide()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._elide()

    def _elide(self) -> None:
        whole, metrics = self._name + self._status, self.fontMetrics()
        name, missing = self._name, self.sizeHint().width() - self.width()
        if missing > 0:
            room = metrics.horizontalAdvance(name) - missing
            name = metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, max(0, room))
        self._shown = name + self._status
        set_text(self, self._shown.replace("&", "&&"))
        self.setToolTip("" if name == self._name else whole)


class AccountList(QWidget):
    """The accounts as buttons, hidden where there is only one. `chosen(name)` is a click on another one."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._lines: tuple[ProfileLine, ...] = ()
        self._rows: list[AccountRow] = []
        self._body = QVBoxLayout(self)
        self._body.setContentsMargins(0, 0, 0, 0)
        self._body.setSpacing(2)
        self.hide()

    def show_profiles(self, lines: tuple[ProfileLine, ...]) -> None:
        if lines == self._lines:
            return
        self._lines = lines
        while len(self._rows) < len(lines):
            self._add_row()
        dark = is_dark(self.palette())
        for number, row in enumerate(self._rows):
            row.setVisible(number < len(lines))
            if number < len(lines):
                line = lines[number]
                row.show_line(line)
                row.setAccessibleDescription(tr("Shown now.") if line.chosen else "")
                row.setChecked(line.chosen)
                row.setIcon(list_icon(line.icon, dark))
        self.setVisible(bool(lines))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            lines, self._lines = self._lines, ()
            self.show_profiles(lines)

    def _add_row(self) -> None:
        row = AccountRow(self)
        row.setObjectName(f"account{len(self._rows)}")
        row.setCheckable(True)
        row.setFlat(True)
        set_role(row, "row")
        row.clicked.connect(partial(self._choose, len(self._rows)))
        self._rows.append(row)
        self._body.addWidget(row)

    def _choose(self, number: int) -> None:
        line = self._lines[number]
        self._rows[number].setChecked(line.chosen)  # it is shown as chosen when a view says so
        if not line.chosen:
            self.chosen.emit(line.name)
