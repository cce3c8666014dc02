"""Inputs of numbers and of times of the day."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, QTime
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QTimeEdit,
    QWidget,
)

_AROUND_TEXT = 12
"""Pixels above and below the text of a line edit together, as in the style sheet."""


class _WheelOnlyWithFocus(QObject):
    """Ignore the mouse wheel over inputs without focus, so that scrolling the page changes no value."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Wheel and isinstance(watched, QWidget) and not watched.hasFocus():
            event.ignore()
            return True
        return super().eventFilter(watched, event)


_wheel_only_with_focus = _WheelOnlyWithFocus()


def prepare_input(box: QAbstractSpinBox, name: str) -> None:
    """Name the input, make it as high as a line edit, and let the wheel change it only while it has the focus."""
    box.setObjectName(name)
    box.setMinimumHeight(box.fontMetrics().height() + _AROUND_TEXT)
    box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    box.installEventFilter(_wheel_only_with_focus)


def make_time_edit(name: str, parent: QWidget) -> QTimeEdit:
    edit = QTimeEdit(parent)
    prepare_input(edit, name)
    edit.setDisplayFormat("HH:mm")
    edit.setButtonSymbols(QAbstractSpinBox.ButtonSymbols.NoButtons)
    return edit


def time_of(minutes: int) -> QTime:
    return QTime(minutes // 60, minutes % 60)
