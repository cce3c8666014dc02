"""What the system tells about the session: the messages of Windows, the signals of the buses, gaps in time."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from tests import ROOT
from tests.doubles import Clock, private_bus
from tray_app.desktop import application, macos
from tray_app.desktop.system_events.listener import SystemEventListener
from tray_app.desktop.system_events.windows import Message, WindowsEvents, handle_message
from tray_app.system.clock_jumps import ClockJumpDetector

RESUMED_AUTOMATIC, RESUMED_SUSPEND, SUSPENDING = 0x12, 0x7, 0x4
KEEP_BACK = "QT_MAC_DISABLE_FOREGROUND_APPLICATION_TRANSFORM"
POWER, TIME, LOCK, SETTING, END, QUERY_END = 0x218, 0x1E, 0x2B1, 0x1A, 0x16, 0x11


@pytest.fixture
def events(qtbot: QtBot) -> Iterator[SystemEventListener]:
    one = SystemEventListener()
    yield one
    one.stop()


@pytest.fixture
def on_update(events: SystemEventListener) -> list[Any]:
    told: list[Any] = []
    events.resumed.connect(lambda: told.append("resumed"))
    events.locked.connect(told.append)
    events.ending.connect(lambda: told.append("ending"))
    events.theme_changed.connect(lambda: told.append("theme"))
    return told


def settled(qtbot: QtBot, events: SystemEventListener) -> None:
    qtbot.waitUntil(lambda: is_settled(events), timeout=20_000)


def is_settled(events: SystemEventListener) -> bool:
    """Return True if no event is on its way."""
    return not any(timer.isActive() for timer in events.findChildren(QTimer) if timer.isSingleShot())


# ------------------------------------------------------------------------------------------------------------ gaps


def test_gap_in_time_is_a_resume_told_once(qtbot: QtBot) -> None:
    wall, forward = Clock(), Clock()
    events = SystemEventListener(clock_jumps=ClockJumpDetector(60, wall, forward))
    with qtbot.waitSignal(events.resumed):
        wall.advance(3600)
        events.tick()
    with qtbot.assertNotEmitted(events.resumed, wait=400):
        events.tick()


def test_several_news_of_one_resume_are_one(qtbot: QtBot, events: SystemEventListener, on_update: list[Any]) -> None:
    for message, what in ((POWER, RESUMED_AUTOMATIC), (TIME, 0), (POWER, RESUMED_SUSPEND)):
        handle_message(events, message, what, 0)
    events.tick()
    settled(qtbot, events)
    assert on_update == ["resumed"]


# --------------------------------------------------------------------------------------------------------- Windows


@pytest.mark.parametrize(("message", "what"), [(POWER, RESUMED_AUTOMATIC), (POWER, RESUMED_SUSPEND), (TIME, 0)])
def test_windows_wakes_or_has_its_clock_set(
    qtbot: QtBot, events: SystemEventListener, on_update: list[Any], message: int, what: int
) -> None:
    handle_message(events, message, what, 0)
    settled(qtbot, events)
    assert on_update == ["resumed"]


@pytest.mark.parametrize(("message", "what"), [(POWER, SUSPENDING), (QUERY_END, 0), (END, 0), (LOCK, 5), (0x200, 1)])
def test_other_messages_of_windows_mean_nothing(
    qtbot: QtBot, events: SystemEventListener, on_update: list[Any], message: int, what: int
) -> None:
    handle_message(events, message, what, 0)
    assert is_settled(events)
    assert on_update == []


def test_windows_is_locked_and_unlocked(events: SystemEventListener, on_update: list[Any]) -> None:
    for what in (7, 7, 8, 8):
        handle_message(events, LOCK, what, 1)
    assert on_update == [True, False]


def test_session_of_windows_ends_once_nobody_refuses_any_more(
    events: SystemEventListener, on_update: list[Any]
) -> None:
    handle_message(events, QUERY_END, 0, 0)
    handle_message(events, END, 0, 0)
    assert on_update == []
    handle_message(events, END, 1, 0)
    assert on_update == ["ending"]


@pytest.mark.parametrize(("area", "told"), [("ImmersiveColorSet", ["theme"]), ("Environment", []), (None, [])])
def test_colours_of_the_taskbar_change(
    events: SystemEventListener, on_update: list[Any], area: str | None, told: list[str]
) -> None:
    text = ctypes.create_unicode_buffer(area) if area else None
    handle_message(events, SETTING, 0, ctypes.addressof(text) if text else 0)
    assert on_update == told


def test_hidden_window_reads_its_messages_and_hands_them_on(
    qtbot: QtBot, events: SystemEventListener, on_update: list[Any]
) -> None:
    others = {*QApplication.topLevelWidgets()}
    session = WindowsEvents(events)
    (window,) = {*QApplication.topLevelWidgets()} - others
    assert not window.isVisible()
    message = Message(None, LOCK, 7, 1)
    assert window.nativeEvent(b"windows_generic_MSG", ctypes.addressof(message)) == (False, 0)
    assert on_update == [True]
    session.stop()


_REAL_WINDOW = """
import ctypes, sys
sys.path.insert(0, sys.argv[1])
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication, QWidget
from tray_app.desktop.system_events.listener import SystemEventListener

app = QApplication([])
events = SystemEventListener()
events.resumed.connect(lambda: print("resumed"))
events.locked.connect(lambda is_locked: print("locked", is_locked))
events.theme_changed.connect(lambda: print("theme"))
events.ending.connect(lambda: print("ending"))
events.start()
send = ctypes.windll.user32.SendMessageW
send.argtypes = [ctypes.c_void_p, ctypes.c_uint, ctypes.c_size_t, ctypes.c_ssize_t]
area = ctypes.create_unicode_buffer("ImmersiveColorSet")

def everybody():
    handle = events._source._handle
    print("seen" if ctypes.windll.user32.IsWindowVisible(handle) else "unseen")
    send(handle, 0x2B1, 7, 1)
    send(handle, 0x2B1, 8, 1)
    send(0xFFFF, 0x1A, 0, ctypes.addressof(area))
    send(0xFFFF, 0x218, 0x12, 0)
    send(0xFFFF, 0x1E, 0, 0)

QTimer.singleShot(100, everybody)
QTimer.singleShot(1000, lambda: send(events._source._handle, 0x16, 1, 0))
QTimer.singleShot(1500, app.quit)
app.exec()
events.stop()
"""


@pytest.mark.skipif(sys.platform != "win32", reason="these are messages of Windows")
def test_messages_to_every_window_reach_the_hidden_one() -> None:
    """In a process of its own, because the windows of this one are none that Windows knows."""
    ran = subprocess.run(
        [sys.executable, "-c", _REAL_WINDOW, str(ROOT)],
        env={**os.environ, "QT_QPA_PLATFORM": "windows"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    on_update = ["unseen", "locked True", "locked False", "theme", "resumed", "ending"]
    assert ran.stdout.split("\n")[:-1] == on_update, ran.stderr


# ----------------------------------------------------------------------------------------------------------- Linux


LOCKED = True
SESSION = "/org/freedesktop/login1/session/_32"


class FakeDesktop:
    """logind and a screen saver on one bus, run by a thread that answers."""

    def __init__(self, address: str) -> None:
        from threading import Thread

        from jeepney.io.blocking import open_dbus_connection

        self.connection = open_dbus_connection(address)
        for name in ("org.freedesktop.login1", "org.freedesktop.ScreenSaver"):
            self.connection.bus_proxy.RequestName(name)
        self.asked: list[str] = []
        self.thread = Thread(target=self._answer, daemon=True)
        self.thread.start()

    def _answer(self) -> None:
        from jeepney import HeaderFields, MessageType, new_method_return

        while True:
            try:
                message = self.connection.receive()
            except OSError:
                return
            if message.header.message_type is MessageType.method_call:
                name = message.header.fields[HeaderFields.member]
                answer = ("v", (("s", "2"),)) if name == "Get" else ("o", (SESSION,))
                self.asked.append(name)
                self.connection.send(new_method_return(message, *answer))

    def tell(self, path: str, interface: str, name: str, signature: str, *body: Any) -> None:
        from jeepney import DBusAddress, new_signal

        self.connection.send(new_signal(DBusAddress(path, interface=interface), name, signature, body))

    def sleeps(self, *, begins: bool) -> None:
        self.tell("/org/freedesktop/login1", "org.freedesktop.login1.Manager", "PrepareForSleep", "b", begins)

    def shuts_down(self, *, begins: bool) -> None:
        self.tell("/org/freedesktop/login1", "org.freedesktop.login1.Manager", "PrepareForShutdown", "b", begins)

    def locks(self, session: str = SESSION, *, is_locked: bool) -> None:
        changed = {"LockedHint": ("b", is_locked)}
        properties = "org.freedesktop.DBus.Properties"
        body: tuple[Any, ...] = ("org.freedesktop.login1.Session", changed, [])
        self.tell(session, properties, "PropertiesChanged", "sa{sv}as", *body)

    def saves_the_screen(self, *, is_active: bool) -> None:
        self.tell("/ScreenSaver", "org.freedesktop.ScreenSaver", "ActiveChanged", "b", is_active)


@pytest.fixture
def desktop(short_tmp: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeDesktop]:
    if sys.platform != "linux":
        pytest.skip("only Linux has these buses")
    with private_bus(short_tmp) as (daemon, address):
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
        monkeypatch.delenv("XDG_SESSION_ID", raising=False)
        one = FakeDesktop(address)
        yield one
        daemon.terminate()
        daemon.wait()
        one.thread.join(5)
        one.connection.close()


@pytest.fixture
def listening(
    qtbot: QtBot,
    events: SystemEventListener,
    on_update: list[Any],
    desktop: FakeDesktop,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[Any, Callable[[], None]], None]:
    """Once both buses are listened to: do something once, and wait until it is received."""
    heard: set[str] = set()
    report = events.report_lock

    def report_lock(source: str, *, is_locked: bool) -> None:
        heard.add(source)
        report(source, is_locked=is_locked)

    monkeypatch.setattr(events, "report_lock", report_lock)
    events.start()

    def both_are_heard() -> bool:
        desktop.locks(is_locked=False)
        desktop.saves_the_screen(is_active=False)
        return len(heard) == 2

    qtbot.waitUntil(both_are_heard, timeout=20_000)  # those still on their way come first, and change nothing

    def tells(expected: Any, act: Callable[[], None]) -> None:
        act()
        qtbot.waitUntil(lambda: expected in on_update, timeout=20_000)
        on_update.clear()

    return tells


def test_linux_wakes(desktop: FakeDesktop, listening: Any) -> None:
    listening("resumed", lambda: desktop.sleeps(begins=False))


def test_falling_asleep_is_no_resume(
    qtbot: QtBot, desktop: FakeDesktop, listening: Any, events: SystemEventListener, on_update: list[Any]
) -> None:
    listening(LOCKED, lambda: desktop.saves_the_screen(is_active=True))
    listening("ending", lambda: desktop.locks(is_locked=True) or desktop.shuts_down(begins=True))
    settled(qtbot, events)
    on_update.clear()
    desktop.sleeps(begins=True)
    desktop.shuts_down(begins=False)
    desktop.locks("/org/freedesktop/login1/session/_39", is_locked=False)
    desktop.locks(is_locked=False)
    desktop.saves_the_screen(is_active=False)
    qtbot.waitUntil(lambda: False in on_update, timeout=20_000)
    assert on_update == [False], "locked until the last one says otherwise, and nothing else"


def test_session_is_asked_for_where_the_environment_does_not_name_it(desktop: FakeDesktop, listening: Any) -> None:
    listening(LOCKED, lambda: desktop.locks(is_locked=True))
    assert desktop.asked == ["Get", "GetSession"]


def test_session_that_the_environment_names_is_taken(
    qtbot: QtBot, events: SystemEventListener, desktop: FakeDesktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_SESSION_ID", "2")
    events.start()
    qtbot.waitUntil(lambda: bool(desktop.asked), timeout=20_000)
    assert desktop.asked == ["GetSession"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has these buses")
def test_without_a_bus_the_rest_goes_on(qtbot: QtBot, events: SystemEventListener, on_update: list[Any]) -> None:
    events.start()
    events.report_clock_jump()
    settled(qtbot, events)
    assert on_update == ["resumed"]


# ----------------------------------------------------------------------------------------------------------- macOS


class FakeRuntime:
    """`libobjc` as it is called: real function pointers, because one of them is called by its address."""

    ANSWERS: ClassVar[dict[bytes, int]] = {
        b"sharedApplication": 0x20,
        b"processInfo": 0x21,
        b"stringWithUTF8String:": 0x22,
        b"generalPasteboard": 0x24,
        b"beginActivityWithOptions:reason:": 0x23,
    }

    def __init__(self, *, application: bool = True) -> None:
        self.selectors: dict[int, bytes] = {}
        self.sent: list[tuple[object, ...]] = []
        self.application = application
        self.objc_getClass = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_char_p)(self._class)
        self.sel_registerName = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_char_p)(self._selector)
        send = ctypes.CFUNCTYPE(ctypes.c_void_p, *[ctypes.c_void_p] * 4)
        self.objc_msgSend = send(self._send)

    def _class(self, name: bytes) -> int:
        classes = {b"NSApplication": 0x10, b"NSProcessInfo": 0x11, b"NSString": 0x12, b"NSPasteboard": 0x13}
        return classes[name] if self.application else 0

    def _selector(self, name: bytes) -> int:
        number = 0x100 + len(self.selectors)
        self.selectors[number] = name
        return number

    def _send(self, receiver: int, selector: int, *values: int) -> int:
        name = self.selectors[selector]
        told: list[object] = [*values[: name.count(b":")]]
        if name == b"stringWithUTF8String:":
            told = [ctypes.string_at(values[0])]
        self.sent.append((receiver, name, *told))
        return self.ANSWERS.get(name, 1)


def test_dock_icon_goes() -> None:
    runtime = FakeRuntime()
    assert macos.hide_dock_icon(runtime)
    assert runtime.sent == [(0x10, b"sharedApplication"), (0x20, b"setActivationPolicy:", 1)]


def test_timers_run_on_time_as_long_as_the_program_does() -> None:
    runtime = FakeRuntime()
    assert macos.run_on_time(runtime)
    (*_, text), *others = runtime.sent
    assert text
    assert others == [
        (0x11, b"processInfo"),
        (0x21, b"beginActivityWithOptions:reason:", 0x00EFFFFF, 0x22),
        (0x23, b"retain"),
    ]


@pytest.mark.parametrize("ask", [macos.hide_dock_icon, macos.run_on_time])
def test_nothing_happens_where_there_is_no_such_runtime(ask: Callable[..., bool]) -> None:
    assert not ask(FakeRuntime(application=False))
    if sys.platform != "darwin":
        assert not ask()
    assert not ask(object())


@pytest.mark.parametrize(("background", "expected"), [(True, "1"), (False, None)])
def test_a_program_that_starts_at_login_leaves_the_front_to_others(
    monkeypatch: pytest.MonkeyPatch, *, background: bool, expected: str | None
) -> None:
    """Qt asks when it creates the application, and again when its loop begins."""
    asked: list[str | None] = []

    class Application:
        setQuitOnLastWindowClosed = setApplicationName = instance = staticmethod(lambda *_: None)  # noqa: N815

        def __init__(self, _: list[str]) -> None:
            asked.append(os.environ.get(KEEP_BACK))

    monkeypatch.delenv(KEEP_BACK, raising=False)
    monkeypatch.setattr(application, "QApplication", Application)
    monkeypatch.setattr(application, "install_translator", lambda _: None)
    monkeypatch.setattr(application, "restore_environment", lambda: os.environ.pop(KEEP_BACK, None))
    monkeypatch.setattr(sys, "platform", "darwin")

    application.create_application(background=background)

    assert [*asked, os.environ.get(KEEP_BACK)] == [expected, expected]


def test_opening_the_application_again_shows_its_window_on_macos(qtbot: QtBot) -> None:
    opened: list[bool] = []
    now = [0.0]
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    for left_by_another_test in QApplication.topLevelWidgets():
        left_by_another_test.hide()
    macos.open_when_started_again(app, lambda: opened.append(True), lambda: now[0])

    app.applicationStateChanged.emit(Qt.ApplicationState.ApplicationActive)
    assert opened == []  # of its own start
    now[0] = 60.0
    app.applicationStateChanged.emit(Qt.ApplicationState.ApplicationInactive)
    assert opened == []
    app.applicationStateChanged.emit(Qt.ApplicationState.ApplicationActive)
    assert opened == [True]
    window = QWidget()
    qtbot.addWidget(window)
    window.show()
    app.applicationStateChanged.emit(Qt.ApplicationState.ApplicationActive)
    assert opened == [True]


def test_a_copied_token_is_marked_as_secret_and_stays_on_this_mac() -> None:
    runtime = FakeRuntime()
    macos.copy_concealed("a-token", runtime)
    assert [one for one in runtime.sent if one[0] != 0x12] == [
        (0x13, b"generalPasteboard"),
        (0x24, b"prepareForNewContentsWithOptions:", 1),
        (0x24, b"setString:forType:", 0x22, 0x22),
        (0x24, b"setString:forType:", 0x22, 0x22),
    ]
    texts = [one[2] for one in runtime.sent if one[0] == 0x12]
    assert texts == [b"a-token", b"public.utf8-plain-text", b"", b"org.nspasteboard.ConcealedType"]
