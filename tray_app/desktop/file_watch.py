"""Files that other programs change, watched by the operating system."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from PySide6.QtCore import QFileSystemWatcher, QObject, QTimer, Signal

if TYPE_CHECKING:
    from collections.abc import Iterable

_SETTLE_MILLISECONDS = 30
"""A file that is replaced, or written in pieces, is several events; one signal serves them all."""


class FileWatch(QObject):
    """`changed` tells that something happened to one of the files."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._watcher = QFileSystemWatcher(self)
        self._settle = QTimer(self, singleShot=True, interval=_SETTLE_MILLISECONDS)
        self._settle.timeout.connect(self.changed)
        self._watcher.fileChanged.connect(self.settle)
        self._watcher.directoryChanged.connect(self.settle)

    def settle(self) -> None:
        """`changed` follows soon; a folder in which much happens does not put it off for ever."""
        if not self._settle.isActive():
            self._settle.start()

    def watch(self, wanted: set[str]) -> bool:
        """From now on just these. To be said again after each change: a replaced file is another file to the
        operating system. Tells whether a folder is new among them: what was made in it since somebody looked is not
        told of."""
        watch_paths = {*self._watcher.files(), *self._watcher.directories()}
        if watch_paths - wanted:
            self._watcher.removePaths(list(watch_paths - wanted))
        folders = set(self._watcher.directories())
        if wanted - watch_paths:
            self._watcher.addPaths(list(wanted - watch_paths))
        return not folders.issuperset(self._watcher.directories())


def watchable(paths: Iterable[str]) -> set[str]:
    """The files that are there, and the folder of each, or while that is missing the one in which it would be made."""
    wanted = set()
    for path in paths:
        if os.path.exists(path):
            wanted.add(path)
        folder = os.path.dirname(path)
        while not os.path.isdir(folder) and os.path.dirname(folder) != folder:
            folder = os.path.dirname(folder)
        wanted.add(folder)
    return wanted
