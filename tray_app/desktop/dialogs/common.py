"""What the dialogs have in common."""

from __future__ import annotations

from PySide6.QtWidgets import (
    QDialog,
    QLabel,
    QWidget,
)

from tray_app.desktop.theme.stylesheet import set_role
from tray_app.desktop.widgets.basics import make_text


def make_explanation(parent: QWidget) -> QLabel:
    """Return a label for what explains the rest of a dialog."""
    label = make_text("", parent)
    set_role(label, "quiet")
    return label


def show_dialog(dialog: QDialog) -> None:
    dialog.open()
    dialog.raise_()
    dialog.activateWindow()
