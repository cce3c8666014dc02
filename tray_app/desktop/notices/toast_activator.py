"""Clicks on notices in Windows' notification centre, where the installer has registered this COM class for them.

Windows first calls `Activate` of the class, and starts the program for it if need be. Only when that returns S_OK does
it call the handlers that the process has given to its own notice, if it still has them. So both report a press of a
button, and `Buttons` lets the first one count. Any other click shows the window: on a button of an earlier process, or
on the notice itself, whose handler shows the same window.
"""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import os
import sys
import threading
from typing import TYPE_CHECKING
from uuid import UUID

from tray_app.core import logs
from tray_app.desktop import TOAST_ACTIVATOR

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

IID_UNKNOWN = UUID("{00000000-0000-0000-C000-000000000046}")
IID_CLASS_FACTORY = UUID("{00000001-0000-0000-C000-000000000046}")
IID_ACTIVATION_CALLBACK = UUID("{53E31837-6600-4A81-9395-75CFFE746F94}")

_OK = 0
_NO_INTERFACE = 0x80004002 - 2**32
_NO_AGGREGATION = 0x80040110 - 2**32
_MULTI_THREADED = 0
_LOCAL_SERVER = 4
_MULTIPLE_USE = 1

# on 64-bit Windows, and Qt has no other, C functions are called as COM's are
_QueryInterface = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
_Count = ctypes.CFUNCTYPE(ctypes.c_ulong, ctypes.c_void_p)
_CreateInstance = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
_LockServer = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int)
_Activate = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_void_p, ctypes.c_wchar_p, ctypes.c_wchar_p, ctypes.c_void_p, ctypes.c_ulong
)


class Buttons:
    """The buttons of this process's notices, by names that no other process gives. One of each notice can be pressed,
    once, by whoever reports it first."""

    def __init__(self) -> None:
        self._run = os.urandom(8).hex()
        self._numbers = itertools.count()
        self._marks: dict[str, str] = {}
        self._presses: dict[str, Callable[[str], None]] = {}

    def mark(self, owner: str, press: Callable[[str], None]) -> str:
        """Return what follows the keys of the buttons in their names, for a notice that replaces the owner's last."""
        mark = f"@{self._run}-{next(self._numbers)}"
        self._presses.pop(self._marks.get(owner, ""), None)
        self._marks[owner] = mark
        self._presses[mark] = press
        return mark

    def press(self, name: str) -> bool:
        """Call `press(key)` for the button of that name if it still can be pressed; return whether it is one of this
        process. On any thread."""
        key, at, rest = name.partition("@")
        press = self._presses.pop(at + rest, None)
        if press is not None:
            press(key)
        return rest.startswith(self._run)


BUTTONS = Buttons()


class _ComObject:
    """An object with one interface beside IUnknown. References to it are not counted, it stays until the end."""

    def __init__(self, interface: UUID, *methods: Any) -> None:
        self._interfaces = {IID_UNKNOWN.bytes_le, interface.bytes_le}
        unknown = _QueryInterface(self.query_interface), _Count(lambda _: 2), _Count(lambda _: 1)
        self._methods = (*unknown, *methods)
        pointers = [ctypes.cast(one, ctypes.c_void_p) for one in self._methods]
        self._table = (ctypes.c_void_p * len(pointers))(*pointers)
        self._object = ctypes.c_void_p(ctypes.addressof(self._table))
        self.address = ctypes.addressof(self._object)

    def query_interface(self, _this: int, interface: int, found: int) -> int:
        """Write the object's address to `found` if it has the interface at the address `interface`, else null."""
        has_it = ctypes.string_at(interface, 16) in self._interfaces
        ctypes.c_void_p.from_address(found).value = self.address if has_it else None
        return _OK if has_it else _NO_INTERFACE


class ToastActivator(_ComObject):
    """The class object, whose one instance presses a button or else calls `show`, on a thread of COM's."""

    def __init__(self, show: Callable[[], None], buttons: Buttons) -> None:
        super().__init__(IID_CLASS_FACTORY, _CreateInstance(self._create_instance), _LockServer(lambda *_: _OK))
        self._show = show
        self._buttons = buttons
        self._callback = _ComObject(IID_ACTIVATION_CALLBACK, _Activate(self._activate))

    def _create_instance(self, this: int, outer: int | None, interface: int, found: int) -> int:
        if outer:
            ctypes.c_void_p.from_address(found).value = None
            return _NO_AGGREGATION
        return self._callback.query_interface(this, interface, found)

    def _activate(self, _this: int, _app_id: str, arguments: str | None, _inputs: int, _count: int) -> int:
        button = (arguments or "").rpartition("id=")[2]
        with contextlib.suppress(RuntimeError):  # the program has ended and Qt's half of the signal is gone
            if not self._buttons.press(button):
                self._show()
        return _OK


def serve_toast_activator(show: Callable[[], None]) -> None:
    """Register the class for this process. `show` is called on another thread."""
    with contextlib.suppress(RuntimeError):  # no more threads: the buttons of its notices do nothing
        threading.Thread(target=_serve, args=(show,), name="toast-activator", daemon=True).start()


def _serve(show: Callable[[], None]) -> None:
    """Register the class, and stay: it goes with the last thread of the multi-threaded apartment."""
    if sys.platform == "win32":
        activator = ToastActivator(show, BUTTONS)
        try:
            ole32 = ctypes.OleDLL("ole32")
            ole32.CoInitializeEx(None, _MULTI_THREADED)
            ole32.CoRegisterClassObject(
                UUID(TOAST_ACTIVATOR).bytes_le,
                ctypes.c_void_p(activator.address),
                _LOCAL_SERVER,
                _MULTIPLE_USE,
                ctypes.byref(ctypes.c_ulong()),
            )
        except OSError as error:
            logs.warning("Windows cannot report clicks in the notification centre (%s)", error.winerror)
            return
        threading.Event().wait()
