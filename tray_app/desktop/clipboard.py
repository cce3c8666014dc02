"""The copied token on the clipboard: marked as secret, and cleared after a while if it is still there."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QCoreApplication, QMimeData, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QClipboard, QGuiApplication

from tray_app.core.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable

KEEP_SECONDS = 30

_WINDOWS_FORMAT = 'application/x-qt-windows-mime;value="{}"'
_ZERO = b"\0\0\0\0"

_MARKS = {
    "win32": {
        # https://learn.microsoft.com/windows/win32/dataxchg/clipboard-formats#cloud-clipboard-and-clipboard-history-formats
        _WINDOWS_FORMAT.format("ExcludeClipboardContentFromMonitorProcessing"): _ZERO,
        _WINDOWS_FORMAT.format("CanIncludeInClipboardHistory"): _ZERO,
        _WINDOWS_FORMAT.format("CanUploadToCloudClipboard"): _ZERO,
    },
}
_OTHER_MARKS = {"x-kde-passwordManagerHint": b"secret"}


class TokenClipboard(QObject):
    """Copy a token and clear it `KEEP_SECONDS` later, unless something else was copied meanwhile.

    `changed` carries the time at which the copy will be cleared, in epoch seconds, or None once it is gone. The
    middle-button selection of X11 is never written.
    """

    changed = Signal(object)

    def __init__(self, parent: QObject | None = None, clock: Callable[[], float] = time.time) -> None:
        super().__init__(parent)
        self._clock = clock
        self._clipboard = QGuiApplication.clipboard()
        self._fingerprint = ""
        self._copied_until: float | None = None
        self._timer = QTimer(self, singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self.clear)
        self._clipboard.dataChanged.connect(self._clipboard_changed)
        app = QCoreApplication.instance()
        if app is not None:
            app.aboutToQuit.connect(self.clear)

    @property
    def copied_until(self) -> float | None:
        return self._copied_until

    def copy(self, secret: Secret) -> None:
        """Copy `secret` to the clipboard."""
        self._fingerprint = secret.fingerprint()
        self._copied_until = self._clock() + KEEP_SECONDS
        self._timer.start(KEEP_SECONDS * 1000)
        if QGuiApplication.platformName() == "cocoa":
            from tray_app.desktop.macos import copy_concealed

            copy_concealed(secret.reveal())
        else:
            self._clipboard.setMimeData(marked(secret.reveal()), QClipboard.Mode.Clipboard)
        self.changed.emit(self._copied_until)

    def clear(self) -> None:
        """Clear the clipboard if it still holds the token."""
        if self._is_ours():
            self._clipboard.clear(QClipboard.Mode.Clipboard)
        self._forget()

    def _clipboard_changed(self) -> None:
        """Stop the countdown once something else was copied. Qt also reports the copies made here."""
        if self._copied_until is not None and not self._is_ours():
            self._forget()

    def _is_ours(self) -> bool:
        if not self._fingerprint:
            return False
        return Secret(self._clipboard.text(QClipboard.Mode.Clipboard)).fingerprint() == self._fingerprint

    def _forget(self) -> None:
        self._timer.stop()
        self._fingerprint = ""
        if self._copied_until is not None:
            self._copied_until = None
            self.changed.emit(None)


def marked(text: str, platform: str = sys.platform) -> QMimeData:
    """Return `text` with the marks that tell clipboard managers of this platform not to record it."""
    data = QMimeData()
    data.setText(text)
    for name, value in _MARKS.get(platform, _OTHER_MARKS).items():
        data.setData(name, QByteArray(value))
    return data
