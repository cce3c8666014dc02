"""Functions of macOS alone, through the Objective-C runtime. Not tried on a Mac yet."""

from __future__ import annotations

import ctypes
import os
import time
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from tray_app.core import logs

if TYPE_CHECKING:
    from collections.abc import Callable

_RUNTIME = "/usr/lib/libobjc.A.dylib"
_ACCESSORY = 1
"""`NSApplicationActivationPolicyAccessory`: windows and a menu bar icon, but none in the Dock."""

_KEEP_BACK = "QT_MAC_DISABLE_FOREGROUND_APPLICATION_TRANSFORM"
"""Without this variable Qt puts a program into the Dock when it is created, and before all others when its loop begins.
A window that is opened later comes to the front all the same, because Qt's `raise` asks for that."""

_USER_INITIATED = 0x00EFFFFF
"""`NSActivityUserInitiatedAllowingIdleSystemSleep`: the program runs on time, and the computer may sleep."""
_REASON = b"Renews tokens and warns before they expire"

_THIS_COMPUTER_ALONE = 1
"""`NSPasteboardContentsCurrentHostOnly`: Universal Clipboard hands it to no other device of the user."""

_STARTING_SECONDS = 5.0
"""A start also makes the program the active one."""


class _ObjectiveC:
    """The runtime, or what stands for it in a test. Raises `OSError` or `AttributeError` where there is none."""

    def __init__(self, runtime: Any = None) -> None:
        self._runtime = objc = runtime or ctypes.CDLL(_RUNTIME)
        objc.objc_getClass.restype = objc.sel_registerName.restype = ctypes.c_void_p
        objc.objc_getClass.argtypes = objc.sel_registerName.argtypes = [ctypes.c_char_p]
        self._send = ctypes.cast(objc.objc_msgSend, ctypes.c_void_p).value or 0

    def named(self, name: bytes) -> int:
        """Return the class; 0 without one."""
        return self._runtime.objc_getClass(name) or 0

    def send(self, receiver: int, message: bytes, *values: int | bytes) -> int:
        """Send a message whose values are whole numbers, objects or texts, and return the object or number."""
        kinds = [ctypes.c_char_p if isinstance(value, bytes) else ctypes.c_void_p for value in values]
        call = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, *kinds)(self._send)
        return call(receiver, self._runtime.sel_registerName(message), *values) or 0


def hide_dock_icon(runtime: Any = None) -> bool:
    """Remove the program from the Dock, as `LSUIElement` does for a bundle, and return True if that succeeded.

    Call it once a QApplication exists, which puts the program there.
    """
    try:
        objc = _ObjectiveC(runtime)
        application_class = objc.named(b"NSApplication")
        if not application_class:
            return False
        application = objc.send(application_class, b"sharedApplication")
        return bool(objc.send(application, b"setActivationPolicy:", _ACCESSORY) & 0xFF)
    except (OSError, AttributeError) as error:
        logs.debug("The Dock icon is not removed (%s)", type(error).__name__)
        return False


def run_on_time(runtime: Any = None) -> bool:
    """Keep the system from slowing this program down as long as it runs, and return True if that succeeded.

    App Nap puts off the timers of a program whose windows nobody sees, by up to many times their length.
    """
    try:
        objc = _ObjectiveC(runtime)
        process, text = objc.named(b"NSProcessInfo"), objc.named(b"NSString")
        if not process or not text:
            return False
        reason = objc.send(text, b"stringWithUTF8String:", _REASON)
        process = objc.send(process, b"processInfo")
        activity = objc.send(process, b"beginActivityWithOptions:reason:", _USER_INITIATED, reason)
        return bool(activity and objc.send(activity, b"retain"))  # it ends when nobody has it
    except (OSError, AttributeError) as error:
        logs.debug("The system may slow this program down (%s)", type(error).__name__)
        return False


def keep_in_background() -> None:
    """Let a program that starts at login leave the front to the one that is there. Call it before a QApplication
    exists, and once more when the environment has been restored: Qt asks at both ends of its start."""
    os.environ[_KEEP_BACK] = "1"


def open_when_started_again(
    app: QApplication, open_window: Callable[[], None], clock: Callable[[], float] = time.monotonic
) -> None:
    """Call `open_window` when the user opens the application that runs already and has no window.

    The system starts no second process then, it tells the first one, which Qt reports as becoming active.
    """
    started = clock()

    def changed(state: Qt.ApplicationState) -> None:
        is_starting = clock() - started < _STARTING_SECONDS
        has_window = any(one.isVisible() for one in QGuiApplication.topLevelWindows())
        if state == Qt.ApplicationState.ApplicationActive and not is_starting and not has_window:
            open_window()

    app.applicationStateChanged.connect(changed)


def copy_concealed(text: str, runtime: Any = None) -> None:
    """Copy `text` to the pasteboard as password managers do; Qt has no way to name the type they use.

    See nspasteboard.org. The pasteboard also holds the plain text, so Qt reads and clears it like any other.
    """
    objc = _ObjectiveC(runtime)

    def string(content: str) -> int:
        return objc.send(objc.named(b"NSString"), b"stringWithUTF8String:", content.encode())

    board = objc.send(objc.named(b"NSPasteboard"), b"generalPasteboard")
    objc.send(board, b"prepareForNewContentsWithOptions:", _THIS_COMPUTER_ALONE)
    objc.send(board, b"setString:forType:", string(text), string("public.utf8-plain-text"))
    objc.send(board, b"setString:forType:", string(""), string("org.nspasteboard.ConcealedType"))
