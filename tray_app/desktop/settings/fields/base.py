"""The base class of the fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import (
    QWidget,
)

if TYPE_CHECKING:
    from PySide6.QtGui import QHideEvent

    from tray_app.settings.table import Setting


_COMMIT_DELAY_MILLISECONDS = 400
"""Milliseconds after the last change until it is committed, because arrow keys pass through unwanted values."""


class Field(QWidget):
    """The input of one setting. `edited(value)` carries a change: as written in the file, or None for the default."""

    edited = Signal(object)

    def __init__(self, setting: Setting, parent: QWidget) -> None:
        super().__init__(parent)
        self.setting = setting
        self.setObjectName(f"field_{setting.name}")
        self._shown: object = None
        self._is_updating = False
        self._commit_timer = QTimer(self, singleShot=True, interval=_COMMIT_DELAY_MILLISECONDS)
        self._commit_timer.timeout.connect(self.commit)

    def show_value(self, value: Any, *, anew: bool = False) -> None:
        """Show the present value. With `anew`, replace even what the user is typing."""
        if anew:
            self._commit_timer.stop()
        elif self._commit_timer.isActive() or self.is_being_edited():
            return
        self._shown = self.setting.kind.write(value)
        self._is_updating = True
        self._display(value)
        self._is_updating = False

    def _display(self, value: Any) -> None:
        """Show `value` in the inputs."""
        raise NotImplementedError

    def value(self) -> object:
        """Return the shown value as written in the file."""
        raise NotImplementedError

    def is_being_edited(self) -> bool:
        return False

    def inputs(self) -> list[QWidget]:
        """Return the widgets that take the keyboard."""
        return []

    def explanation(self, one: QWidget) -> str:  # noqa: ARG002 - most fields say it all in the note below them
        """Return what is explained beside one of the inputs."""
        return ""

    def retranslate(self) -> None:
        """Set the texts anew after a change of the language."""

    def schedule(self) -> None:
        """Commit the change once no other follows."""
        if not self._is_updating:
            self._commit_timer.start()

    def commit(self) -> None:
        """Commit the change now."""
        self._commit_timer.stop()
        if self._is_updating:
            return
        value = self.value()
        if value != self._shown:
            self._shown = value
            self.edited.emit(value)

    def discard(self) -> None:
        """Take back what was typed and would not be committed by itself."""

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        if self._commit_timer.isActive():
            self.commit()
