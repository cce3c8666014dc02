"""What the dialogs have in common."""

from __future__ import annotations

from PySide6.QtWidgets import QDialog


def show_dialog(dialog: QDialog) -> None:
    dialog.open()
    dialog.raise_()
    dialog.activateWindow()
