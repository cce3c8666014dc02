"""Check if Qt can open a window here, before Qt is started: Qt aborts the process when it cannot."""

from __future__ import annotations

import builtins
import ctypes
import importlib.util
import os
import socket
import struct
import sys
from typing import TYPE_CHECKING

from tray_app.core.language import msg, tr
from tray_app.system.extras import has_qt, install_command
from tray_app.system.resources import resources_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


ANSWER_SECONDS = 2.0
"""Less than `doctor` waits for the whole check."""

_SILENT = msg("The screen does not answer. Check DISPLAY, or sign in to the desktop again.")
_WAYLAND = "wayland"
_WAYLAND_SYNC = struct.pack("=IHHI", 1, 0, 12, 2)
"""The request `wl_display.sync`, which each compositor answers at once."""

_WITHOUT_SCREEN = frozenset({"offscreen", "minimal", "vnc"})


def display_problem(environ: Mapping[str, str]) -> str:
    """Return a sentence that says why no window can be shown here, or an empty string."""
    if not has_qt():
        return tr("Qt is not installed. Install it: {command}", command=install_command("tray"))
    platforms = _platforms(environ) if sys.platform == "linux" else []
    if sys.platform == "linux" and not any(_is_named(one, environ) for one in platforms):
        return _no_screen(environ)
    try:
        from PySide6 import QtGui, QtNetwork, QtWidgets  # noqa: F401 - whether they load is the question
    except ImportError as error:
        return loading_problem(error)
    _import_as_python_does()
    first_problem = ""
    for platform in platforms:  # as Qt does, which takes the first that works, and waits for one that does not answer
        problem = _platform_problem(platform, environ)
        if not problem or problem == tr(_SILENT):
            return problem
        first_problem = first_problem or problem
    return first_problem


def loading_problem(error: ImportError) -> str:
    """Return a sentence that names what Qt lacks of the system."""
    packages = _debian_packages()
    return tr("Qt cannot be loaded ({reason}); on Debian install: {packages}.", reason=error, packages=packages)


def _platforms(environ: Mapping[str, str]) -> list[str]:
    """Return which of its platforms Qt will try, in its order."""
    named = [one.partition(":")[0] for one in environ.get("QT_QPA_PLATFORM", "").split(";")]
    if any(named):
        return [one for one in named if one]
    found = ["xcb"] if environ.get("DISPLAY") else []
    if environ.get("WAYLAND_DISPLAY"):
        found.insert(0 if environ.get("XDG_SESSION_TYPE") == "wayland" else len(found), _WAYLAND)
    return found


def _is_named(platform: str, environ: Mapping[str, str]) -> bool:
    """Return whether the environment names the screen that the platform needs."""
    if platform.startswith(_WAYLAND):
        return bool(environ.get("WAYLAND_DISPLAY"))
    return platform in _WITHOUT_SCREEN or (platform == "xcb" and bool(environ.get("DISPLAY")))


def _no_screen(environ: Mapping[str, str]) -> str:
    """Return the sentence for platforms that nothing here serves."""
    if environ.get("QT_QPA_PLATFORM") and (environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY")):
        return tr("QT_QPA_PLATFORM names what Qt cannot use here. Unset that variable.")
    return tr("There is no screen here.")


def _platform_problem(platform: str, environ: Mapping[str, str]) -> str:
    if not _is_named(platform, environ):
        return _no_screen(environ)
    problem = _why_no_plugin(platform)
    if not problem and platform == "xcb":
        return _within_seconds(_why_no_x11_screen)
    if not problem and platform.startswith(_WAYLAND):
        return _within_seconds(lambda: _why_no_wayland_screen(environ))
    return problem


def _debian_packages() -> str:
    """Return the names of the Debian packages that PySide6 needs and does not bring along."""
    with open(os.path.join(resources_folder(), "qt-debian-packages.txt"), encoding="utf-8") as file:
        return " ".join(file.read().split())


def _within_seconds(ask: Callable[[], str]) -> str:
    """Return what `ask` returns; a server that accepts the connection and never answers would block it for ever."""
    from queue import Empty, SimpleQueue
    from threading import Thread

    answer: SimpleQueue[str] = SimpleQueue()
    try:
        Thread(target=lambda: answer.put(ask()), name="screen", daemon=True).start()
    except RuntimeError:  # no more threads: Qt finds out
        return ""
    try:
        return answer.get(timeout=ANSWER_SECONDS)
    except Empty:
        return tr(_SILENT)


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


def _why_no_wayland_screen(environ: Mapping[str, str]) -> str:
    """Return why the compositor cannot be reached: `WAYLAND_DISPLAY` may name one that is gone."""
    path = os.path.join(environ.get("XDG_RUNTIME_DIR", ""), environ["WAYLAND_DISPLAY"])
    try:
        with socket.socket(socket.AF_UNIX) as compositor:
            compositor.connect(path)
            compositor.sendall(_WAYLAND_SYNC)
            answered = bool(compositor.recv(1))
    except OSError:
        answered = False
    return "" if answered else tr("There is no screen here.")


def _why_no_plugin(platform: str) -> str:
    found = importlib.util.find_spec("PySide6")
    for folder in (found.submodule_search_locations or []) if found else []:
        plugins = os.path.join(folder, "Qt", "plugins", "platforms")
        plugin = os.path.join(plugins, f"libq{platform}.so")
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
