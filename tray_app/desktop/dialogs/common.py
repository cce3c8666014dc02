"""What the dialogs have in common."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QDialog,
    QLabel,
    QWidget,
)

from tray_app.desktop.theme.colours import window_tones
from tray_app.desktop.theme.stylesheet import set_text_colour
from tray_app.desktop.widgets.accessible import name_buttons

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


def make_explanation(text: str, parent: QWidget) -> QLabel:
    label = QLabel(text, parent)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    set_text_colour(label, window_tones(label.palette()).quiet)
    return label


def show_dialog(dialog: QDialog) -> None:
    name_buttons(dialog)
    dialog.open()
    dialog.raise_()
    dialog.activateWindow()
