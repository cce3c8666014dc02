"""Windows sends messages about the session to every top-level window, so there is one that nobody sees."""

from __future__ import annotations

import ctypes
import sys
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from tray_app.core import logs

if TYPE_CHECKING:
    from tray_app.desktop.system_events.events import SystemEvents

_WM_ENDSESSION = 0x0016
_WM_SETTINGCHANGE = 0x001A
_WM_TIMECHANGE = 0x001E
_WM_POWERBROADCAST = 0x0218
_WM_WTSSESSION_CHANGE = 0x02B1
_PBT_APMRESUMESUSPEND = 0x0007
_PBT_APMRESUMEAUTOMATIC = 0x0012
_WTS_SESSION_LOCK = 0x7
_WTS_SESSION_UNLOCK = 0x8
_THIS_SESSION = 0
_TO_A_WINDOW = 0
_COLOURS = "ImmersiveColorSet"


class Message(ctypes.Structure):
    """`MSG`, as far as it is read. Handles and parameters have the width of a pointer."""

    _fields_ = (
        ("hwnd", ctypes.c_void_p),
        ("message", ctypes.c_uint),
        ("wParam", ctypes.c_size_t),
        ("lParam", ctypes.c_ssize_t),
    )


class WindowsEvents:
    def __init__(self, events: SystemEvents) -> None:
        self._window = _Listener(events)
        self._handle = int(self._window.winId())  # makes the window, which is not shown
        if sys.platform == "win32":
            self._register()

    def stop(self) -> None:
        self._window.deleteLater()

    def _register(self) -> None:
        if sys.platform == "win32":
            # a computer that only dozes (Modern Standby) tells those who have registered
            register = ctypes.windll.user32.RegisterSuspendResumeNotification
            register.argtypes, register.restype = [ctypes.c_void_p, ctypes.c_ulong], ctypes.c_void_p
            if not register(self._handle, _TO_A_WINDOW):
                logs.debug("Windows does not report Modern Standby (%s)", ctypes.GetLastError())
            lock = ctypes.windll.wtsapi32.WTSRegisterSessionNotification
            lock.argtypes = [ctypes.c_void_p, ctypes.c_ulong]
            if not lock(self._handle, _THIS_SESSION):
                logs.debug("Windows does not report the screen lock (%s)", ctypes.GetLastError())


class _Listener(QWidget):
    """Only its own messages pass through Python."""

    def __init__(self, events: SystemEvents) -> None:
        super().__init__(None, Qt.WindowType.Tool)
        self._events = events

    def nativeEvent(self, _kind: Any, message: Any) -> object:
        """Handle a message of Windows, and let Qt handle it as well."""
        told = Message.from_address(int(message))
        handle_message(self._events, told.message, told.wParam, told.lParam)
        return False, 0


def handle_message(events: SystemEvents, message: int, what: int, detail: int) -> None:
    """Report what a message of Windows means; `what` and `detail` are its `wParam` and `lParam`."""
    if message == _WM_TIMECHANGE or (
        message == _WM_POWERBROADCAST and what in {_PBT_APMRESUMEAUTOMATIC, _PBT_APMRESUMESUSPEND}
    ):
        events.report_clock_jump()
    elif message == _WM_WTSSESSION_CHANGE and what in {_WTS_SESSION_LOCK, _WTS_SESSION_UNLOCK}:
        events.report_lock("windows", is_locked=what == _WTS_SESSION_LOCK)
    elif message == _WM_SETTINGCHANGE and detail and ctypes.wstring_at(detail) == _COLOURS:
        events.theme_changed.emit()
    elif message == _WM_ENDSESSION and what:  # until then somebody may still refuse
        events.ending.emit()
