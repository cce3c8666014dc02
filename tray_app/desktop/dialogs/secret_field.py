"""The input of a secret."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QLineEdit,
    QWidget,
)


class SecretField(QLineEdit):
    """A password field that strips the spaces and line breaks a copied key comes with."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAcceptDrops(False)  # a file that is dropped is for the form
        self.setEchoMode(QLineEdit.EchoMode.Password)
        self.setInputMethodHints(
            Qt.InputMethodHint.ImhHiddenText
            | Qt.InputMethodHint.ImhSensitiveData
            | Qt.InputMethodHint.ImhNoPredictiveText
            | Qt.InputMethodHint.ImhNoAutoUppercase
        )
        self.textChanged.connect(self._trim)

    def _trim(self, text: str) -> None:
        trimmed = text.strip()
        if trimmed != text:
            self.setText(trimmed)
