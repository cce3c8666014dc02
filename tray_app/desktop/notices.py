"""Notices: the platform's own where there is a better one than Qt's balloon, else that."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QObject, Signal

from tray_app.core import logs
from tray_app.core.language import resources_folder, say
from tray_app.core.watch import NoticeKind
from tray_app.core.wording import duration, korean_time
from tray_app.desktop.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable

    from tray_app.core.watch import Notice

APP_NAME = "kiwoom-token-tray"
translate = QCoreApplication.translate

_URGENT_SECONDS = 300 + 5
"""The last warning before the end; the notice comes a moment after it is due."""


def notice_text(notice: Notice, now: float) -> tuple[str, str, bool]:
    """Title, body and whether it is urgent."""
    if notice.kind is NoticeKind.STOPPED and notice.error is not None:
        return translate("Notices", "The token cannot be renewed"), say(notice.error), True
    if notice.kind is NoticeKind.ENDED:
        return (
            translate("Notices", "The Kiwoom token has expired"),
            translate("Notices", "Click to get a new one."),
            True,
        )
    if notice.kind is NoticeKind.NOT_ROTATED:
        body = translate("Notices", "From now on it is renewed after its end.")
        return translate("Notices", "Kiwoom gave the revoked token back"), body, False
    if notice.kind is NoticeKind.TRADING_HOURS:
        time = korean_time(notice.expires, now)
        title = translate("Notices", "The token will end while the market is open")
        body = translate("Notices", "It ends {time} (KST). Rotate it tonight to avoid that.").format(time=time)
        return title, body, False
    left = notice.expires - now
    title = translate("Notices", "The Kiwoom token ends in {duration}").format(duration=duration(round(left)))
    body = translate("Notices", "It ends at {time} (KST).").format(time=korean_time(notice.expires, now))
    return title, body, left <= _URGENT_SECONDS


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

        self._worker.run(lambda: self._native.show(title, body, translate("Notices", "Open"), urgent=urgent), done)
