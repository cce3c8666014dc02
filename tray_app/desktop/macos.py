"""Functions of macOS alone, through the Objective-C runtime. Not tried on a Mac yet."""

from __future__ import annotations

import ctypes
from typing import Any

from tray_app.core import logs

_RUNTIME = "/usr/lib/libobjc.A.dylib"
_ACCESSORY = 1
"""`NSApplicationActivationPolicyAccessory`: windows and a menu bar icon, but none in the Dock."""


def hide_dock_icon(runtime: Any = None) -> bool:
    """Remove the program from the Dock, as `LSUIElement` does for a bundle, and return True if that succeeded.

    Call it once a QApplication exists, which puts the program there.
    """
    try:
        objc = runtime or ctypes.CDLL(_RUNTIME)
        objc.objc_getClass.restype = objc.sel_registerName.restype = ctypes.c_void_p
        objc.objc_getClass.argtypes = objc.sel_registerName.argtypes = [ctypes.c_char_p]
        application_class = objc.objc_getClass(b"NSApplication")
        if not application_class:
            return False
        send = ctypes.cast(objc.objc_msgSend, ctypes.c_void_p).value or 0
        get = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)(send)
        put = ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_long)(send)
        application = get(application_class, objc.sel_registerName(b"sharedApplication"))
        return bool(put(application, objc.sel_registerName(b"setActivationPolicy:"), _ACCESSORY))
    except (OSError, AttributeError) as error:
        logs.debug("The Dock icon is not removed (%s)", type(error).__name__)
        return False
