"""Inputs of a time of the day."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, QTime
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QTimeEdit,
    QWidget,
)


class _WheelOnlyWithFocus(QObject):
    """Ignore the mouse wheel over inputs without focus, so that scrolling the page changes no value."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Wheel and isinstance(watched, QWidget) and not watched.hasFocus():
            event.ignore()
            return True
        return super().eventFilter(watched, event)


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
