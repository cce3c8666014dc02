"""A question about the token of an account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt, Signal

from tray_app.desktop.dialogs.scrolling_dialog import ScrollingDialog

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from tray_app.desktop.view.question import QuestionView


class TokenQuestion(ScrollingDialog):
    """Render a `QuestionView`. `withdrawn()` is emitted when the question closes unanswered, because the token that it
    is about is not there any more."""

    withdrawn = Signal()

    def __init__(self, parent: QWidget | None, name: str, view: QuestionView) -> None:
        super().__init__(parent, name)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._view = view

    def show_view(self, view: QuestionView) -> None:
        """Show the question as it is now."""
        if view != self._view:
            self._view = view
            self._render()

    def withdraw(self) -> None:
        self.withdrawn.emit()
        self.reject()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self._render()

    def _render(self) -> None:
        """Show what the view says, in the present language."""
        raise NotImplementedError
