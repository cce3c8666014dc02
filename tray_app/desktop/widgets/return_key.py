"""What the Return key does in a dialog."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractButton, QWidget

RETURN_KEYS = frozenset({Qt.Key.Key_Return, Qt.Key.Key_Enter})


def pass_return_to_dialog(parent: QWidget, *choices: QAbstractButton) -> None:
    """Let Return press the main button of the dialog: in some desktop themes it presses the focused choice instead."""
    passing_on = _ReturnPassesOn(parent)
    for choice in choices:
        choice.installEventFilter(passing_on)


class _ReturnPassesOn(QObject):
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and event.key() in RETURN_KEYS:
            event.ignore()
            return True
        return super().eventFilter(watched, event)
