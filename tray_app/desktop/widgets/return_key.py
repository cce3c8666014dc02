"""What the Return key does."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractButton, QPushButton, QWidget

RETURN_KEYS = frozenset({Qt.Key.Key_Return, Qt.Key.Key_Enter})


def press_focused_button(window: QWidget, event: QKeyEvent) -> bool:
    """Press the push button of `window` that has the focus, if `event` is the Return key, and return True.

    By themselves buttons take that key in some desktop themes only.
    """
    focused = window.focusWidget()
    if event.key() not in RETURN_KEYS or not isinstance(focused, QPushButton):
        return False
    if not event.isAutoRepeat():
        focused.click()
    return True


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
