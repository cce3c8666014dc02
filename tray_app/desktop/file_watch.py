"""Files that other programs change, watched by the operating system."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from PySide6.QtCore import QFileSystemWatcher, QObject, QTimer, Signal

if TYPE_CHECKING:
    from collections.abc import Iterable

_SETTLE_MILLISECONDS = 30
"""Replacing or writing a file causes several events; one signal serves them all."""


class FileWatch(QObject):
    """Watch files and folders. `changed` is emitted once for several changes in quick succession."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._watcher = QFileSystemWatcher(self)
        self._settle = QTimer(self, singleShot=True, interval=_SETTLE_MILLISECONDS)
        self._settle.timeout.connect(self.changed)
        self._watcher.fileChanged.connect(self.settle)
        self._watcher.directoryChanged.connect(self.settle)

    def settle(self) -> None:
        """Emit `changed` soon. Ongoing changes in a folder do not delay it for ever."""
        if not self._settle.isActive():
            self._settle.start()

    def watch(self, wanted: set[str]) -> bool:
        """Watch exactly these paths and return True if a folder is new among them.

        Call it again after each change, because a replaced file is another file to the operating system. Changes in a
        new folder since it was last read are not reported, so read it once more.
        """
        present = {*self._watcher.files(), *self._watcher.directories()}
        if present - wanted:
            self._watcher.removePaths(list(present - wanted))
        folders = set(self._watcher.directories())
        if wanted - present:
            self._watcher.addPaths(list(wanted - present))
        return not folders.issuperset(self._watcher.directories())


def watchable(paths: Iterable[str]) -> set[str]:
    """Return what to watch for these paths: the existing files and their folders.

    For a missing folder that is the nearest existing one above it, in which it would be created.
    """
    wanted = set()
    for path in paths:
        if os.path.exists(path):
            wanted.add(path)
        folder = os.path.dirname(path)
        while not os.path.isdir(folder) and os.path.dirname(folder) != folder:
            folder = os.path.dirname(folder)
        wanted.add(folder)
    return wanted
