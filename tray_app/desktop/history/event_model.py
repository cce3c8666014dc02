"""The table model of the events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QPersistentModelIndex,
    Qt,
)
from PySide6.QtGui import QColor, QIcon
from PySide6.QtWidgets import (
    QWidget,
)

from tray_app.core.language import tr
from tray_app.desktop.history.marks import kind_of, mark_icons, tone_of
from tray_app.desktop.theme.colours import Tone, Tones
from tray_app.history.events import EventKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tray_app.desktop.history.feed import Row


WHEN, WHAT, _UNTIL, PROGRAM = range(4)

_Index = QModelIndex | QPersistentModelIndex

_ROOT = QModelIndex()


class EventModel(QAbstractTableModel):
    """The events as rows, each with the mark it has in the picture."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: tuple[Row, ...] = ()
        self._icons: dict[tuple[EventKind | None, Tone], QIcon] = {}

    @property
    def rows(self) -> tuple[Row, ...]:
        return self._rows

    def show_rows(self, rows: Sequence[Row]) -> None:
        self.beginResetModel()
        self._rows = tuple(rows)
        self.endResetModel()

    def set_tones(self, tones: Tones, selected: QColor) -> None:
        self._icons = mark_icons(tones, selected)
        if self._rows:
            self.dataChanged.emit(self.index(0, WHEN), self.index(len(self._rows) - 1, WHEN))

    def rowCount(self, parent: _Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: _Index = _ROOT) -> int:
        return 0 if parent.isValid() else PROGRAM + 1

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row, column = self._rows[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return (row.when, row.what, row.until, row.program)[column]
        if role == Qt.ItemDataRole.AccessibleTextRole and column == WHEN:
            return row.sentence
        if role == Qt.ItemDataRole.ToolTipRole and column == WHAT:
            return row.what
        if role == Qt.ItemDataRole.DecorationRole and column == WHEN:
            return self._icons.get((kind_of(row.entry), tone_of(row.entry)))
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role != Qt.ItemDataRole.DisplayRole or orientation is not Qt.Orientation.Horizontal:
            return None
        return (
            tr("Time (KST)"),
            tr("Event"),
            tr("Expires (KST)"),
            tr("Program"),
        )[section]
