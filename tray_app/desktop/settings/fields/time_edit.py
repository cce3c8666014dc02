"""Inputs of a time of the day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt, QTime
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QTimeEdit,
    QWidget,
)

if TYPE_CHECKING:
    pass


class _WheelOnlyWithFocus(QObject):
    """Who scrolls the page must not change what happens to pass under the mouse."""

    def eventFilter(self, watch_paths: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Wheel and isinstance(watch_paths, QWidget) and not watch_paths.hasFocus():
            event.ignore()
            return True
        return super().eventFilter(watch_paths, event)


wheel_only_with_focus = _WheelOnlyWithFocus()


def make_time_edit(name: str, parent: QWidget) -> QTimeEdit:
    edit = QTimeEdit(parent)
    edit.setObjectName(name)
    edit.setDisplayFormat("HH:mm")
    edit.setButtonSymbols(QAbstractSpinBox.ButtonSymbols.NoButtons)
    edit.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    edit.installEventFilter(wheel_only_with_focus)
    return edit


def time_of(minutes: int) -> QTime:
    return QTime(minutes // 60, minutes % 60)
