"""Notices: by the platform's own means, with buttons, and where these fail by Qt's balloon, which never does."""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QObject, Signal

from tray_app.core import logs
from tray_app.core.language import tr
from tray_app.core.notices import notice_text
from tray_app.core.renewal_schedule import NoticeKind
from tray_app.core.wording import duration
from tray_app.desktop import APP_ID, APP_NAME
from tray_app.desktop.notices.bubble import OPEN, Bubble, NoNotices
from tray_app.desktop.view import SNOOZES_SECONDS
from tray_app.desktop.worker import Worker
from tray_app.system.resources import resources_folder

if TYPE_CHECKING:
    from collections.abc import Callable

    from tray_app.core.renewal_schedule import Notice
    from tray_app.desktop.notices.bubble import Bubbles

_LONGEST_FAREWELL_SECONDS = 0.5
_REFRESH = "refresh"
_SNOOZE = "snooze-"
_WITH_BUTTONS = {NoticeKind.ENDING, NoticeKind.ENDED, NoticeKind.FAILED, NoticeKind.STOPPED}


class Notices(QObject):
    """`show` puts a notice in the place of the one before of the same profile, `withdraw` takes it away again.

    `clicked(profile)`, `refresh_requested(profile)` and `snooze_requested(seconds)` are what the user does with it.
    `balloon(title, body, urgent)` shows it when nothing else can, without buttons. `bubbles` is the platform's own
    way, looked up for the first notice when not given.
    """

    clicked = Signal(str)
    refresh_requested = Signal(str)
    snooze_requested = Signal(int)
    _pressed = Signal(str, str)

    def __init__(
        self,
        balloon: Callable[[str, str, bool], None],
        parent: QObject | None = None,
        *,
        bubbles: Bubbles | None = None,
    ) -> None:
        super().__init__(parent)
        self._balloon = balloon
        self._bubbles: Bubbles | None = bubbles or _PlatformBubbles(self._press)
        self._complained = False
        self._shown: set[str] = set()
        self._worker = Worker("notify", self)
        self._pressed.connect(self._do)
        app = QCoreApplication.instance()
        if app is not None:
            app.aboutToQuit.connect(self.close)

    def show(self, notice: Notice, profile: str, now: float, *, named: bool = False) -> None:
        """`now` in seconds of the epoch; `named` puts the profile's name to the title."""
        title, body = notice_text(notice, now)
        bubble = Bubble(
            profile,
            f"{title} - {profile}" if named else title,
            body,
            tr("Open"),
            _buttons() if notice.kind in _WITH_BUTTONS else (),
            notice.urgent,
            fleeting=notice.kind is NoticeKind.RECOVERED,
        )
        bubbles = self._bubbles
        if bubbles is None:
            self._balloon(bubble.title, bubble.body, bubble.urgent)
            return

        def done(_: object, error: Exception | None) -> None:
            if error is None:
                self._complained = False
            else:
                self._failed(error)
                self._balloon(bubble.title, bubble.body, bubble.urgent)

        self._shown.add(profile)
        self._worker.run(lambda: bubbles.show(bubble), done)

    def withdraw(self, profile: str) -> None:
        """What was told of this profile is not true any more. A balloon goes by itself."""
        bubbles = self._bubbles
        if bubbles is None:
            return

        def done(_: object, error: Exception | None) -> None:
            if error is not None:
                self._failed(error)

        self._shown.discard(profile)
        self._worker.run(lambda: bubbles.withdraw(profile), done)

    def close(self) -> None:
        """The program ends, and nobody would hear a press any more: takes all away, and waits a moment for that."""
        if self._bubbles is None or not self._shown:
            return
        gone = threading.Event()
        for profile in [*self._shown]:
            self.withdraw(profile)
        self._worker.run(gone.set, lambda *_: None)
        gone.wait(_LONGEST_FAREWELL_SECONDS)

    def _failed(self, error: Exception) -> None:
        if isinstance(error, NoNotices):
            self._bubbles = None
        if not self._complained:
            logs.warning("Notices are shown as balloons (%s: %s)", type(error).__name__, error)
            self._complained = True

    def _press(self, owner: str, key: str) -> None:
        """Called on threads of the platform's."""
        try:
            self._pressed.emit(owner, key)
        except RuntimeError:  # the program has ended and Qt's half of this object is gone
            return

    def _do(self, profile: str, key: str) -> None:
        if key == OPEN:
            self.clicked.emit(profile)
        elif key == _REFRESH:
            self.refresh_requested.emit(profile)
        elif key.startswith(_SNOOZE):
            self.snooze_requested.emit(int(key.removeprefix(_SNOOZE)))


def _buttons() -> tuple[tuple[str, str], ...]:
    """The shortest snooze comes first: some desktops show no more than three buttons."""
    first, *others = SNOOZES_SECONDS
    return (
        (_REFRESH, tr("Refresh")),
        (f"{_SNOOZE}{first}", tr("Snooze {duration}", duration=duration(first))),
        *((f"{_SNOOZE}{one}", duration(one)) for one in others),
    )


class _PlatformBubbles:
    """Loads what the platform needs when there is something to show."""

    def __init__(self, pressed: Callable[[str, str], None]) -> None:
        self._pressed = pressed
        self._bubbles: Bubbles | None = None

    def show(self, bubble: Bubble) -> None:
        if self._bubbles is None:
            self._bubbles = _bubbles_of_the_platform(self._pressed)
        self._bubbles.show(bubble)

    def withdraw(self, owner: str) -> None:
        if self._bubbles is not None:
            self._bubbles.withdraw(owner)


def _bubbles_of_the_platform(pressed: Callable[[str, str], None]) -> Bubbles:
    icon = os.path.join(resources_folder(), "icons", f"{APP_NAME}.png")
    made: Bubbles
    if sys.platform == "linux":
        from tray_app.desktop.notices.freedesktop import FreedesktopNotices

        made = FreedesktopNotices(APP_NAME, icon, pressed)
    else:
        from tray_app.desktop.notices.native import NativeNotices

        made = NativeNotices(APP_ID, tr("Kiwoom Token Tray"), icon, pressed)
    return made
