"""Files that are dropped on a window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QDropEvent

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtCore import QMimeData
    from PySide6.QtWidgets import QWidget

_KINDS = frozenset({QEvent.Type.DragEnter, QEvent.Type.DragMove, QEvent.Type.Drop})


class FileDrop(QObject):
    """Let files be dropped anywhere on `target`, and pass their paths to `take` while `can_take` says so.

    They are copied, whatever the other program proposes: some delete a file that they believe to be moved.
    """

    def __init__(
        self, target: QWidget, take: Callable[[list[str]], object], can_take: Callable[[], bool] = lambda: True
    ) -> None:
        super().__init__(target)
        self._take = take
        self._can_take = can_take
        target.setAcceptDrops(True)
        target.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() not in _KINDS or not isinstance(event, QDropEvent):
            return super().eventFilter(watched, event)
        paths = dropped_files(event.mimeData())
        if paths and self._can_take():
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()
            if event.type() == QEvent.Type.Drop:
                self._take(paths)
        else:
            event.ignore()
        return True


def dropped_files(data: QMimeData) -> list[str]:
    """Return the paths of the files that are dragged."""
    return [url.toLocalFile() for url in data.urls() if url.isLocalFile()]
