"""Whether Qt can open a window here. Checked before Qt is started, because Qt aborts the process when it cannot."""

from __future__ import annotations

import builtins
import ctypes
import importlib.util
import os
import sys
from typing import TYPE_CHECKING

from tray_app.core.language import tr
from tray_app.system.extras import has_qt, install_command
from tray_app.system.resources import resources_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


_ANSWER_SECONDS = 2.5
"""Less than `doctor` waits for the whole check."""


def display_problem(environ: Mapping[str, str]) -> str:
    """Return a sentence that says why no window can be shown here, or an empty string."""
    if not has_qt():
        return tr("Qt is not installed. Install it: {command}", command=install_command("tray"))
    if sys.platform == "linux":
        named = environ.get("QT_QPA_PLATFORM", "")
        has_display = environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY")
        if not has_display and named.partition(":")[0] not in {"offscreen", "vnc", "minimal"}:
            return tr("There is no screen here.")
    try:
        from PySide6 import QtGui, QtNetwork, QtWidgets  # noqa: F401 - whether they load is the question
    except ImportError as error:
        return tr(
            "Qt cannot be loaded ({reason}); on Debian install: {packages}.", reason=error, packages=_debian_packages()
        )
    _import_as_python_does()
    if sys.platform == "linux" and environ.get("DISPLAY") and not environ.get("QT_QPA_PLATFORM"):
        return _why_no_x11_plugin() or ("" if environ.get("WAYLAND_DISPLAY") else _within_seconds(_why_no_x11_screen))
    return ""


def _debian_packages() -> str:
    """Return the names of the Debian packages that PySide6 needs and does not bring along."""
    with open(os.path.join(resources_folder(), "qt-debian-packages.txt"), encoding="utf-8") as file:
        return " ".join(file.read().split())


def _within_seconds(ask: Callable[[], str]) -> str:
    """Return what `ask` returns; a server that accepts the connection and never answers would block it for ever."""
    from queue import Empty, SimpleQueue
    from threading import Thread

    answer: SimpleQueue[str] = SimpleQueue()
    Thread(target=lambda: answer.put(ask()), name="screen", daemon=True).start()
    try:
        return answer.get(timeout=_ANSWER_SECONDS)
    except Empty:
        return tr("The screen does not answer. Check DISPLAY, or sign in to the desktop again.")


def _import_as_python_does() -> None:
    """Undo PySide's import hook.

    WORKAROUND for PySide 6.0 to 6.11: it reads the source of every module that is imported afterwards, to see whether
    the module wants Qt's names in snake case, and keeps the lines. That takes megabytes and half the time of an import.
    Delete once PySide no longer replaces `builtins.__import__`.
    """
    builtins.__import__ = getattr(builtins, "__orig_import__", builtins.__import__)


def _why_no_x11_screen() -> str:
    """Return why the X server cannot be reached: `DISPLAY` may name one that is gone, or another user's."""
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError:
        return ""  # the plugin loads, so it brings its own
    xcb.xcb_connect.restype = ctypes.c_void_p
    connection = ctypes.c_void_p(xcb.xcb_connect(None, None))
    is_broken = xcb.xcb_connection_has_error(connection)
    xcb.xcb_disconnect(connection)
    return tr("There is no screen here.") if is_broken else ""


def _why_no_x11_plugin() -> str:
    found = importlib.util.find_spec("PySide6")
    for folder in (found.submodule_search_locations or []) if found else []:
        plugin = os.path.join(folder, "Qt", "plugins", "platforms", "libqxcb.so")
        if os.path.exists(plugin):
            try:
                ctypes.CDLL(plugin)
            except OSError as error:
                missing = str(error).partition(":")[0]
                return tr(
                    "Qt cannot use this screen ({reason}); on Debian install: {packages}.",
                    reason=missing,
                    packages=_debian_packages(),
                )
    return ""
