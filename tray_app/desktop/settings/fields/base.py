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


_SETTLE_MILLISECONDS = 400
"""The arrow keys pass through values that nobody means."""


class Field(QWidget):
    """`edited(value)` follows when the user has changed it: as the file would hold it, or None for the default."""

    edited = Signal(object)

    def __init__(self, setting: Setting, parent: QWidget) -> None:
        super().__init__(parent)
        self.setting = setting
        self.setObjectName(f"field_{setting.name}")
        self._shown: object = None
        self._is_putting = False
        self._settle = QTimer(self, singleShot=True, interval=_SETTLE_MILLISECONDS)
        self._settle.timeout.connect(self.flush)

    def show_value(self, value: Any, *, anew: bool = False) -> None:
        """What holds. With `anew` also in the place of what the user is just typing."""
        if anew:
            self._settle.stop()
        elif self._settle.isActive() or self.is_being_typed():
            return
        self._shown = self.setting.kind.write(value)
        self._is_putting = True
        self.put(value)
        self._is_putting = False

    def put(self, value: Any) -> None:
        """Shows the typed value."""
        raise NotImplementedError

    def value(self) -> object:
        """What is shown, as the file would hold it."""
        raise NotImplementedError

    def is_being_typed(self) -> bool:
        return False

    def inputs(self) -> list[QWidget]:
        """What takes the keyboard."""
        return []

    def retranslate(self) -> None:
        """Another language is spoken."""

    def soon(self) -> None:
        """Tells it when no more follows."""
        if not self._is_putting:
            self._settle.start()

    def flush(self) -> None:
        """Tells at once what has been changed."""
        self._settle.stop()
        if self._is_putting:
            return
        value = self.value()
        if value != self._shown:
            self._shown = value
            self.edited.emit(value)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        if self._settle.isActive():
            self.flush()
