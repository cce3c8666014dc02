"""Notices: the platform's own where there is a better one than Qt's balloon, else that."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from tray_app.core import logs
from tray_app.core.language import resources_folder, tr
from tray_app.desktop.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable

APP_NAME = "kiwoom-token-tray"


class Notices(QObject):
    """`show` puts a notice in the place of the one before; `clicked` tells that the user clicked it.

    `balloon(title, body, urgent)` is what shows it when nothing else can.
    """

    clicked = Signal()

    def __init__(self, balloon: Callable[[str, str, bool], None], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._balloon = balloon
        self._worker: Worker | None = None
        if sys.platform == "linux":
            from tray_app.desktop.freedesktop_notices import FreedesktopNotices

            icon = os.path.join(resources_folder(), "icons", f"{APP_NAME}.png")
            self._native = FreedesktopNotices(APP_NAME, icon, self.clicked.emit)
            self._worker = Worker("notify", self)

    def show(self, title: str, body: str, *, urgent: bool) -> None:
        if self._worker is None:
            self._balloon(title, body, urgent)
            return

        def done(_: object, error: Exception | None) -> None:
            if error is not None:
                logs.warning("Notification daemon not reached (%s)", type(error).__name__)
                self._balloon(title, body, urgent)

        self._worker.run(lambda: self._native.show(title, body, tr("Open"), urgent=urgent), done)
