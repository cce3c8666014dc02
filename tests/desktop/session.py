"""A private desktop without a screen, made of the programs that people run.

Xvfb, a D-Bus session bus, openbox, xfce4-panel with its status-icon area, xfce4-notifyd and gnome-keyring, all below
one temporary folder and out of reach of the desktop, keyring and settings of whoever runs the tests.
"""

import contextlib
import ctypes
import glob
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self, TypeVar
from xml.sax.saxutils import escape, quoteattr

from tests import ROOT
from tests.holidays import place_holidays

from . import reaper, secret_service, tray
from .bus import NOTIFICATIONS, Bus, BusError, BusLog, Notice, Signal
from .screen import Screen, ScreenError, Window
from .tray import MenuEntry, StatusIcon

T = TypeVar("T")

PACKAGES = " ".join(
    (ROOT / "tests/debian-packages.txt").read_text().split()
    + (ROOT / "resources/qt-debian-packages.txt").read_text().split()
)
"""Debian packages that the desktop is made of."""

WIDTH, HEIGHT = 1280, 800
PASSWORD = "open sesame"
KEPT = ("PATH", "USER", "LOGNAME", "TZ", "LD_LIBRARY_PATH")
"""All that the programs get of the test run's own environment."""
_PROMPTER = "gcr-prompter"
_BUBBLE = "xfce4-notifyd"
_TRAY_AREA, _EMPTY_AREA = "wrapper-2.0", 16
"""The window class of the panel's status-icon area, and its width in pixels when it has no icon."""
_BUTTON_HEIGHT, _BUTTON_LINE = 31, 20
"""Pixels from the bottom of a bubble to the middle of its buttons, and to a line in them below their labels."""
_SERVICES = Path("/usr/share/dbus-1/services")
_ACTIVATED = ("org.xfce.Xfconf", "org.gnome.keyring.SystemPrompter", "org.gnome.keyring.PrivatePrompter")
"""What the bus may start by itself. The rest is started by the desktop, or is missing on purpose."""


class DesktopError(Exception):
    """The desktop could not be started, or does not do what a desktop does."""


def missing() -> list[str]:
    """What this machine lacks for a desktop; empty when it can run one."""
    names = ("Xvfb", "dbus-daemon", "openbox", "xfce4-panel", "gnome-keyring-daemon", "xdotool", "xprop", "import")
    lacks = [name for name in names if not shutil.which(name)]
    if not _notifyd():
        lacks.append("xfce4-notifyd")
    lacks += [f"{name}.service" for name in _ACTIVATED if not (_SERVICES / f"{name}.service").exists()]
    try:
        ctypes.CDLL("libxcb-cursor.so.0")
    except OSError:
        lacks.append("libxcb-cursor.so.0")
    return lacks


def _notifyd() -> str | None:
    found = glob.glob("/usr/lib/*/xfce4/notifyd/xfce4-notifyd") + glob.glob("/usr/lib*/xfce4/notifyd/xfce4-notifyd")
    return found[0] if found else None


class Program(subprocess.Popen[bytes]):
    """A program on the desktop; what it prints is kept in two files."""

    def __init__(self, command: Sequence[str | Path], name: str, logs: Path, **options: Any) -> None:
        self.name = name
        self.stdout_path = logs / f"{name}.out"
        self.stderr_path = logs / f"{name}.err"
        with self.stdout_path.open("wb") as out, self.stderr_path.open("wb") as err:
            super().__init__(list(command), stdout=out, stderr=err, start_new_session=True, **options)

    def output(self) -> str:
        """What it has printed so far."""
        return self.stdout_path.read_text(encoding="utf-8", errors="replace")

    def error_output(self) -> str:
        """What it has written to standard error so far."""
        return self.stderr_path.read_text(encoding="utf-8", errors="replace")

    def tell(self, line: str) -> None:
        """Writes a line to its standard input (start it with stdin=PIPE)."""
        if self.stdin is None:
            raise DesktopError(f"{self.name} was started without an input")
        self.stdin.write(line.encode() + b"\n")
        self.stdin.flush()


class Desktop:
    """A running desktop; use as a context manager.

    panel, notifications and keyring say which of these are there at the start; language is what LANG says to all of
    its programs; pictures is the folder for screenshots.
    """

    def __init__(
        self,
        *,
        panel: bool = True,
        notifications: bool = True,
        keyring: bool = True,
        language: str = "C.UTF-8",
        pictures: Path | None = None,
    ) -> None:
        self._wanted = {"panel": panel, "notifications": notifications, "keyring": keyring}
        self.language = language
        self._pictures = pictures
        self._programs: list[Program] = []
        self._parts: dict[str, Program] = {}
        self._started = 0
        self._reaper: subprocess.Popen[bytes] | None = None
        self._bus: Bus | None = None
        self._log: BusLog | None = None

    # Start and end

    def __enter__(self) -> Self:
        try:
            self._open()
        except BaseException as error:
            details = self.account()
            self.close()
            error.add_note(details)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _open(self) -> None:
        # Short, because the addresses of Unix sockets are.
        self.folder = Path(tempfile.mkdtemp(prefix="tray-desktop-"))
        self._reaper = subprocess.Popen(
            [sys.executable, "-I", reaper.__file__, str(self.folder)],
            stdin=subprocess.PIPE,
            start_new_session=True,
            env={"PATH": os.environ.get("PATH", "")},
        )
        self.logs = self.folder / "logs"
        self.runtime = self.folder / "run"
        for folder in (self.logs, self.runtime):
            folder.mkdir(mode=0o700)
        if self._pictures is None:
            self._pictures = self.folder / "pictures"
        self.new_home()
        self._home_of_desktop = self._make_home("desktop")
        self._write_panel_settings()
        self._start_x()
        self._start_bus()
        # All at once; then wait for all.
        self._start_part("openbox", ["openbox"])
        if self._wanted["keyring"]:
            self._start_keyring()
        if self._wanted["notifications"]:
            self._start_part("notifyd", [_notifyd() or _BUBBLE])
        if self._wanted["panel"]:
            self._start_panel()
        self.wait_for(
            lambda: "window id" in self.screen.run("xprop", "-root", "_NET_SUPPORTING_WM_CHECK"), "the window manager"
        )
        if self._wanted["keyring"]:
            self.wait_for(lambda: not secret_service.locked(self.bus), "an unlocked keyring", timeout=20)
        if self._wanted["notifications"]:
            self.wait_for(lambda: self.bus.owner(NOTIFICATIONS), "the notification daemon", timeout=20)
        if self._wanted["panel"]:
            self._await_panel()

    def close(self) -> None:
        """Ends every program of the desktop, and its folder. A second call does nothing."""
        if self._log:
            self._log.close()
            self._log = None
        if self._bus:
            self._bus.close()
            self._bus = None
        service, self._reaper = self._reaper, None
        if service is None:
            return
        if service.stdin:
            with contextlib.suppress(BrokenPipeError):
                service.stdin.close()
        try:
            status = service.wait(reaper.PATIENCE + 10)
        finally:
            for program in [*self._programs, *self._parts.values()]:
                self._drop_input(program)
                program.wait(5)
            self._programs.clear()
            self._parts.clear()
        if status:
            raise DesktopError("programs of the desktop would not end")

    @staticmethod
    def _drop_input(program: Program) -> None:
        if program.stdin:
            with contextlib.suppress(OSError):
                program.stdin.close()

    @property
    def bus(self) -> Bus:
        """The desktop's session bus."""
        if self._bus is None:
            raise DesktopError("the desktop is not running")
        return self._bus

    @property
    def log(self) -> BusLog:
        """What was said on the bus."""
        if self._log is None:
            raise DesktopError("the desktop is not running")
        return self._log

    def _start_x(self) -> None:
        reading, writing = os.pipe()
        try:
            self._start_part(
                "xvfb",
                [
                    "Xvfb",
                    "-displayfd",
                    str(writing),
                    "-screen",
                    "0",
                    f"{WIDTH}x{HEIGHT}x24",
                    "-nolisten",
                    "tcp",
                    "-noreset",
                ],
                pass_fds=(writing,),
            )
        finally:
            os.close(writing)
        with os.fdopen(reading, encoding="ascii") as pipe:
            number = pipe.readline().strip()  # ends with the server, should it not come up
        if not number:
            raise DesktopError("Xvfb does not start")
        self.display = f":{number}"
        self.screen = Screen(self._environment(self._home_of_desktop))

    def _start_bus(self) -> None:
        services = self.folder / "services"
        services.mkdir()
        for name in _ACTIVATED:
            shutil.copy(_SERVICES / f"{name}.service", services)
        self.address = f"unix:path={self.runtime}/bus"
        settings = self.folder / "bus.conf"
        settings.write_text(
            f"""<busconfig>
              <type>session</type>
              <listen>{escape(self.address)}</listen>
              <auth>EXTERNAL</auth>
              <servicedir>{escape(str(services))}</servicedir>
              <policy context="default">
                <allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
              </policy>
            </busconfig>""",
            encoding="utf-8",
        )
        daemon = self._start_part("bus", ["dbus-daemon", "--nofork", f"--config-file={settings}", "--print-address=1"])
        self.wait_for(lambda: "guid=" in daemon.output(), "the session bus")
        self._bus = Bus(self.address)
        self._log = BusLog(self.address)

    def _start_part(self, name: str, command: Sequence[str | Path], **options: Any) -> Program:
        environment = self._environment(self._home_of_desktop)
        part = Program(command, name, self.logs, env=environment, cwd=self._home_of_desktop, **_input(options))
        self._parts[name] = part
        self._tell_reaper(part.pid)
        return part

    def _stop_part(self, name: str) -> None:
        part = self._parts.pop(name, None)
        if part is None:
            raise DesktopError(f"{name} is not running")
        self._end(part)

    def _end(self, program: Program) -> None:
        left = reaper.end({program.pid}, f"{reaper.PROGRAM_MARK}={self.folder}/{program.name}".encode())
        self._drop_input(program)
        program.wait(5)
        self._tell_reaper(-program.pid)
        if left:
            raise DesktopError(f"{program.name} would not end")

    def _tell_reaper(self, change: int) -> None:
        if self._reaper is None or self._reaper.stdin is None:
            raise DesktopError("the desktop is not running")
        self._reaper.stdin.write(b"%+d\n" % change)
        self._reaper.stdin.flush()

    def reset(self) -> None:
        """Back to how it was at the start, with an empty home for programs: for the next test."""
        for program in list(self._programs):
            self.stop(program)
        self.new_home()
        if self._wanted["keyring"]:
            if "keyring" not in self._parts:
                self._start_keyring()
                self.wait_for(lambda: not secret_service.locked(self.bus), "an unlocked keyring")
            self.keyring_thaw()
            self._close_prompts()
            if secret_service.locked(self.bus):
                secret_service.unlock_silently(self.bus, PASSWORD)
            secret_service.clear(self.bus)
        if self._wanted["panel"] and "panel" not in self._parts:
            self.panel_start()
        elif not self._wanted["panel"] and "panel" in self._parts:
            self.panel_stop()
        if self._wanted["notifications"] and "notifyd" not in self._parts:
            self.notifications_start()
        for notice in self.notices():
            if notice.id is not None and notice.closed is None and self.bus.owner(NOTIFICATIONS):
                with contextlib.suppress(BusError):
                    path = "/" + NOTIFICATIONS.replace(".", "/")
                    self.bus.call(NOTIFICATIONS, path, NOTIFICATIONS, "CloseNotification", "u", notice.id)
        self.log.clear()

    # Programs

    def new_home(self) -> Path:
        """An empty home folder for the programs started from now on."""
        self._started += 1
        self.home = self._make_home(f"home-{self._started}")
        place_holidays(self.state_folder)
        return self.home

    @property
    def state_folder(self) -> Path:
        """Where the programs started from now on keep what they know."""
        return _state_folder(self.home)

    def _make_home(self, name: str) -> Path:
        home = self.folder / name
        for folder in _folders(home).values():
            folder.mkdir(parents=True, mode=0o700)
        return home

    def env(self, **more: str) -> dict[str, str]:
        """The environment of a program on the desktop, with more added.

        It holds nothing of the test run's own but the names in KEPT. The program's folders are new_home()'s.
        """
        return {**self._environment(self.home), **more}

    def _environment(self, home: Path) -> dict[str, str]:
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        return {
            **kept,
            reaper.MARK: str(self.folder),
            "DISPLAY": self.display if hasattr(self, "display") else "",
            "DBUS_SESSION_BUS_ADDRESS": f"unix:path={self.runtime}/bus",
            "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={self.runtime}/bus",
            "HOME": str(home),
            "XDG_RUNTIME_DIR": str(self.runtime),
            **{name: str(folder) for name, folder in _folders(home).items() if name.startswith("XDG_")},
            "KIWOOM_TRAY_STATE_DIR": str(_state_folder(home)),
            "XDG_CURRENT_DESKTOP": "XFCE",
            "XDG_SESSION_TYPE": "x11",
            "LANG": self.language,
            "NO_AT_BRIDGE": "1",
            "GTK_A11Y": "none",
            "GIO_USE_VFS": "local",
            "GSETTINGS_BACKEND": "memory",
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
        }

    def start(
        self,
        command: Sequence[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        stdin: int | IO[bytes] | None = subprocess.DEVNULL,
    ) -> Program:
        """Starts a program in its home folder; env is added to env()."""
        self._started += 1
        name = f"{Path(command[1] if len(command) > 1 else command[0]).stem}-{self._started}"
        mark = {reaper.PROGRAM_MARK: f"{self.folder}/{name}"}
        program = Program(
            command, name, self.logs, env=self.env(**(env or {}), **mark), cwd=cwd or self.home, stdin=stdin
        )
        self._programs.append(program)
        self._tell_reaper(program.pid)
        return program

    def start_python(self, *arguments: str | Path, **options: Any) -> Program:
        """Starts the interpreter that runs the tests: a script, or "-m" and a module."""
        return self.start([sys.executable, *map(str, arguments)], **options)

    def stop(self, program: Program) -> None:
        """Kills a program and all that it started."""
        if program in self._programs:
            self._programs.remove(program)
            self._end(program)

    def wait_for(self, predicate: Callable[[], T | None], what: str, timeout: float = 30.0) -> T:
        """Asks until the answer is true, and returns it.

        Errors of the desktop count as "not yet". Raises AssertionError after timeout (seconds), with a picture taken
        and with what the programs wrote to standard error.
        """
        done, answer = _poll(predicate, timeout)
        if done:
            return answer
        lines = [f"no sign of {what} within {timeout:g} s; last: {answer!r}"]
        if hasattr(self, "screen"):
            try:
                lines.append(f"picture: {self.screenshot(f'no {what}')}")
            except ScreenError as error:
                lines.append(f"no picture: {error}")
        raise AssertionError("\n".join([*lines, self.account()]))

    def account(self) -> str:
        """What the programs, and parts that ended, have written to standard error lately."""
        lines = [f"{each.name} (status {each.poll()}): {each.error_output()[-2000:]}" for each in self._programs]
        ended = [part for part in self._parts.values() if part.poll() is not None]
        lines += [f"{part.name} ended with {part.poll()}: {part.error_output()[-500:]}" for part in ended]
        return "\n".join(lines)

    # Screen

    def screenshot(self, name: str | Path, window: Window | None = None) -> Path:
        """A PNG of the whole screen or of one window: at a path, or by a name in the folder for pictures."""
        path = Path(name)
        if not path.is_absolute():
            safe = "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in str(name))
            path = (self._pictures or self.folder) / f"{safe.removesuffix('.png')}.png"
        return self.screen.picture(path, window.id if window else None)

    def windows(self) -> list[Window]:
        """The visible windows that have a title."""
        return self.screen.windows()

    def window(self, title: str, timeout: float = 30.0) -> Window:
        """Waits for a visible window whose title contains this."""
        return self.wait_for(
            lambda: next((window for window in self.windows() if title in window.title), None),
            f"a window titled {title!r}",
            timeout,
        )

    def type(self, window: Window, text: str) -> None:
        """Types text into a window."""
        self.screen.focus(window.id)
        self.screen.type(text)

    def press(self, window: Window, *keys: str) -> None:
        """Presses keys in a window by their X names: Return, Escape, ctrl+a."""
        self.screen.focus(window.id)
        self.screen.press(*keys)

    def click(self, window: Window, x: int, y: int, button: int = 1) -> None:
        """Clicks at a place in a window (pixels from its top left)."""
        self.screen.focus(window.id)
        now = self.screen.window(window.id)
        self.screen.click(now.x + x, now.y + y, button)

    # Panel

    def _write_panel_settings(self) -> None:
        settings = self._home_of_desktop / ".config/xfce4/xfconf/xfce-perchannel-xml"
        settings.mkdir(parents=True)
        (settings / "xfce4-panel.xml").write_text(
            _channel(
                "xfce4-panel",
                """<property name="configver" type="int" value="2"/>
                <property name="panels" type="array"><value type="int" value="1"/>
                  <property name="panel-1" type="empty">
                    <property name="position" type="string" value="p=6;x=0;y=0"/>
                    <property name="position-locked" type="bool" value="true"/>
                    <property name="length" type="uint" value="100"/>
                    <property name="size" type="uint" value="28"/>
                    <property name="icon-size" type="uint" value="22"/>
                    <property name="plugin-ids" type="array">
                      <value type="int" value="1"/><value type="int" value="2"/><value type="int" value="3"/>
                    </property>
                  </property>
                </property>
                <property name="plugins" type="empty">
                  <property name="plugin-1" type="string" value="tasklist"/>
                  <property name="plugin-2" type="string" value="separator">
                    <property name="expand" type="bool" value="true"/>
                    <property name="style" type="uint" value="0"/>
                  </property>
                  <property name="plugin-3" type="string" value="systray">
                    <property name="square-icons" type="bool" value="true"/>
                  </property>
                </property>""",
            ),
            encoding="utf-8",
        )
        # Bubbles stay until they are closed, without a fade, so that a slow machine sees what a fast one sees.
        (settings / "xfce4-notifyd.xml").write_text(
            _channel(
                "xfce4-notifyd",
                """<property name="do-fadeout" type="bool" value="false"/>
                <property name="do-slideout" type="bool" value="false"/>
                <property name="initial-opacity" type="double" value="1.0"/>
                <property name="expire-timeout" type="int" value="600"/>
                <property name="expire-timeout-enabled" type="bool" value="false"/>
                <property name="log-level" type="uint" value="0"/>""",
            ),
            encoding="utf-8",
        )

    def _start_panel(self) -> None:
        self._start_part("panel", ["xfce4-panel", "--disable-wm-check"])

    def _await_panel(self) -> None:
        self.wait_for(lambda: self.bus.owner(tray.WATCHER), "the panel's status-icon area", timeout=20)

    def panel_start(self) -> None:
        """Starts the panel, and waits for its status-icon area."""
        if "panel" in self._parts:
            raise DesktopError("the panel is already running")
        self._start_panel()
        self._await_panel()

    def panel_stop(self) -> None:
        """Kills the panel; its status-icon area is gone with it."""
        self._stop_part("panel")
        self.wait_for(lambda: not self.bus.owner(tray.WATCHER), "the end of the status-icon area")

    def items(self) -> list[StatusIcon]:
        """The status icons that the panel knows."""
        found = []
        for service, path in tray.registered(self.bus):
            try:
                found.append(tray.read_icon(self.bus, service, path))
            except BusError:  # it went away in between
                continue
        return found

    def item(self, timeout: float = 30.0) -> StatusIcon:
        """Waits for a status icon, and returns the only one."""
        icons = self.wait_for(self.items, "a status icon", timeout)
        if len(icons) > 1:
            raise DesktopError(f"there are {len(icons)} status icons")
        return icons[0]

    def save_icon(self, path: Path, item: StatusIcon | None = None) -> Path:
        """The largest picture that a status icon sends, as a PNG."""
        width, height, argb = max((item or self.item()).pixmaps)
        rgba = b"".join(argb[at + 1 : at + 4] + argb[at : at + 1] for at in range(0, len(argb), 4))
        command = ["convert", "-size", f"{width}x{height}", "-depth", "8", "rgba:-", str(path)]
        subprocess.run(command, input=rgba, env=self.env(), check=True, timeout=15)
        return path

    def menu(self, item: StatusIcon | None = None) -> list[MenuEntry]:
        """The context menu of a status icon, as the panel shows it."""
        return tray.read_menu(self.bus, item or self.item())

    def choose(self, *entry: str | int, item: StatusIcon | None = None) -> MenuEntry:
        """Clicks a menu entry: by its id, its label, or the labels that lead to it.

        Raises LookupError when there is no such entry, and DesktopError when it is greyed out.
        """
        icon = item or self.item()
        found = tray.find_entry(self.menu(icon), *entry)
        if not found.enabled:
            raise DesktopError(f"the menu entry {found.label!r} is greyed out")
        tray.click_entry(self.bus, icon, found.id)
        return found

    def activate(self, item: StatusIcon | None = None) -> None:
        """A left click on a status icon."""
        self._poke("Activate", item)

    def activate_secondary(self, item: StatusIcon | None = None) -> None:
        """A middle click on a status icon."""
        self._poke("SecondaryActivate", item)

    def ask_context_menu(self, item: StatusIcon | None = None) -> None:
        """The right click of a panel that lets the program show its own menu."""
        self._poke("ContextMenu", item)

    def _poke(self, method: str, item: StatusIcon | None) -> None:
        icon = item or self.item()
        self.bus.call(icon.service, icon.path, tray.ITEM, method, "ii", WIDTH - 20, 14)

    def tray_area(self) -> Window:
        """The panel's status-icon area."""
        windows = self.wait_for(lambda: self.screen.windows("--class", _TRAY_AREA), "the status-icon area")
        return min(windows, key=lambda window: window.y)  # its tooltips and menus lie below

    def click_icon(self, button: int = 1) -> None:
        """Clicks with the mouse on the only icon in the panel: 1 left, 2 middle, 3 right (opens the panel's menu)."""
        x, y = self._icon_place()
        self.screen.click(x, y, button)

    def hover_icon(self) -> None:
        """Rests the mouse on the only icon in the panel, so that its tooltip comes up."""
        x, y = self._icon_place()
        self.screen.run("xdotool", "mousemove", WIDTH // 2, HEIGHT // 2, "sleep", "0.1")
        self.screen.run("xdotool", "mousemove", x - 2, y, "sleep", "0.1", "mousemove", x, y)

    def _icon_place(self) -> tuple[int, int]:
        def find() -> Window | None:
            area = self.tray_area()
            return area if area.width > _EMPTY_AREA else None

        area = self.wait_for(find, "an icon in the panel")
        return area.x + area.width // 2, area.y + area.height // 2

    def signals(self, name: str | None = None) -> list[Signal]:
        """Signals of status icons, menus and notifications so far."""
        return self.log.signals(name)

    # Notices

    def notices(self) -> list[Notice]:
        """Every notification so far."""
        return self.log.notices()

    def notifications_stop(self) -> None:
        """Kills the notification daemon; its bubbles are gone with it, and nothing starts it again."""
        self._stop_part("notifyd")
        self.wait_for(lambda: not self.bus.owner(NOTIFICATIONS), "the end of the notification daemon")

    def notifications_start(self) -> None:
        """Starts the notification daemon, which numbers its bubbles from one again."""
        if "notifyd" in self._parts:
            raise DesktopError("the notification daemon is already running")
        self._start_part("notifyd", [_notifyd() or _BUBBLE])
        self.wait_for(lambda: self.bus.owner(NOTIFICATIONS), "the notification daemon", timeout=20)

    def bubbles(self) -> list[Window]:
        """The notifications on the screen."""
        return sorted(self.screen.windows("--class", _BUBBLE), key=lambda window: window.id)

    def notice(self, text: str = "", timeout: float = 30.0) -> Notice:
        """Waits for a notification on the screen with this in its summary or body; the newest such."""
        return self.wait_for(
            lambda: next(
                (
                    notice
                    for notice in reversed(self.notices())
                    if text in f"{notice.summary}\n{notice.body}" and notice.id is not None
                ),
                None,
            ),
            f"a notice with {text!r}",
            timeout,
        )

    def bubble(self, notice: Notice, timeout: float = 30.0) -> Window:
        """The window of a notification that is open."""

        def find() -> Window:
            # xfce4-notifyd numbers notices and opens windows in one order, and keeps the window of a replaced one. A
            # number that was closed meanwhile is open again.
            last = {other.id: other for other in self.notices() if other.id is not None}
            still = sorted(ident for ident, other in last.items() if other.closed is None)
            windows = self.bubbles()
            if len(windows) != len(still) or notice.id not in still:
                raise LookupError(f"{len(windows)} bubbles; of {sorted(last)} are open {still}, wanted is {notice.id}")
            return windows[still.index(notice.id)]

        return self.wait_for(find, f"the bubble of {notice.summary!r}", timeout)

    def click_notice(self, notice: Notice, action: str | None = None) -> None:
        """Clicks a notification: its text, or the button of one of its actions (by key)."""
        window = self.bubble(notice)
        if action is None:
            self.screen.click(window.x + window.width // 2, window.y + 8)
            return
        place = list(notice.actions).index(action)

        def buttons() -> list[tuple[int, int]] | None:
            found = _button_columns(self.screen.pixels(window), window.width, window.height)
            return found if len(found) == len(notice.actions) else None

        left, right = self.wait_for(buttons, f"{len(notice.actions)} buttons in the bubble")[place]
        self.screen.click(window.x + (left + right) // 2, window.y + window.height - _BUTTON_HEIGHT)

    # Keyring

    def _start_keyring(self) -> None:
        keyring = self._start_part(
            "keyring",
            ["gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets"],
            stdin=subprocess.PIPE,
        )
        if keyring.stdin:
            keyring.stdin.write(PASSWORD.encode())
            keyring.stdin.close()

    def keyring_lock(self) -> None:
        """Locks the keyring: whoever asks it next makes it show its password window."""
        secret_service.lock(self.bus)
        self.wait_for(self.keyring_locked, "a locked keyring")

    def keyring_locked(self) -> bool:
        """Whether the keyring is locked."""
        return secret_service.locked(self.bus)

    def keyring_ask(self) -> None:
        """Makes the keyring show its password window, as a program does that wants something of it."""
        secret_service.ask_to_unlock(self.bus)

    def keyring_prompts(self) -> list[Window]:
        """The keyring's password windows on the screen."""
        return self.screen.windows("--class", _PROMPTER)

    def keyring_prompt(self, timeout: float = 30.0) -> Window:
        """Waits for the keyring's password window."""
        return self.wait_for(self.keyring_prompts, "the keyring's password window", timeout)[0]

    def keyring_unlock(self, timeout: float = 30.0) -> None:
        """Waits for the password window and types the password into it."""
        self._answer_prompt(("ctrl+a",), PASSWORD, ("Return",), timeout)
        self.wait_for(lambda: not self.keyring_locked(), "an unlocked keyring")

    def keyring_refuse(self, timeout: float = 30.0) -> None:
        """Waits for the password window and cancels it."""
        self._answer_prompt((), "", ("Escape",), timeout)

    def _answer_prompt(self, before: Sequence[str], text: str, after: Sequence[str], timeout: float) -> None:
        window = self.keyring_prompt(timeout)
        for _attempt in range(4):  # keys that come before it has grabbed the keyboard are lost
            with contextlib.suppress(ScreenError):
                self.screen.focus(window.id)
                if before:
                    self.screen.press(*before)
                if text:
                    self.screen.type(text)
                self.screen.press(*after)
            if _poll(lambda: not self.keyring_prompts(), timeout=2)[0]:
                return
        raise DesktopError("the password window does not go away")

    def _close_prompts(self) -> None:
        while self.keyring_prompts():
            self.keyring_refuse()

    def keyring_freeze(self) -> None:
        """The keyring stops answering: a hung Secret Service."""
        pid = self._parts["keyring"].pid
        os.kill(pid, signal.SIGSTOP)
        threads = Path(f"/proc/{pid}/task")
        stopped = re.compile(r"^State:\s+T", re.MULTILINE)
        self.wait_for(
            lambda: all(stopped.search((one / "status").read_text()) for one in threads.iterdir()),
            "a keyring that has stopped",
        )

    def keyring_thaw(self) -> None:
        """The keyring goes on."""
        os.kill(self._parts["keyring"].pid, signal.SIGCONT)

    def keyring_kill(self) -> None:
        """The keyring is gone; nothing starts it again before keyring_start."""
        self._stop_part("keyring")
        self.wait_for(lambda: not self.bus.owner(secret_service.SERVICE), "the end of the keyring")

    def keyring_start(self) -> None:
        """Starts the keyring, unlocked."""
        if "keyring" in self._parts:
            raise DesktopError("the keyring is already running")
        self._start_keyring()
        self.wait_for(lambda: not self.keyring_locked(), "an unlocked keyring")

    def secret_store(self, service: str, username: str, secret: str) -> None:
        """Puts a secret where the Python keyring library finds it."""
        secret_service.store(self.bus, service, username, secret)

    def secret_lookup(self, service: str, username: str) -> str | None:
        """The secret of a user at a service, or None; raises BusError when the keyring is locked."""
        return secret_service.lookup(self.bus, service, username)

    def secrets(self) -> list[dict[str, str]]:
        """The attributes of everything in the keyring."""
        return secret_service.entries(self.bus)


def _poll(predicate: Callable[[], Any], timeout: float) -> tuple[bool, Any]:
    """Asks until the answer is true: (whether it was, the last answer or error)."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            answer = predicate()
        except (BusError, ScreenError, DesktopError, LookupError) as error:
            answer = error
        else:
            if answer:
                return True, answer
        if time.monotonic() > deadline:
            return False, answer
        time.sleep(0.03)


def _state_folder(home: Path) -> Path:
    return home / ".local/state/kiwoom-token-tray"


def _folders(home: Path) -> dict[str, Path]:
    return {
        "HOME": home,
        "XDG_CONFIG_HOME": home / ".config",
        "XDG_DATA_HOME": home / ".local/share",
        "XDG_STATE_HOME": home / ".local/state",
        "XDG_CACHE_HOME": home / ".cache",
    }


def _button_columns(pixels: bytes, width: int, height: int) -> list[tuple[int, int]]:
    """Left and right edges of the buttons of a bubble.

    They stand in one row at its bottom, in the order of the actions, grey on white: a line of pixels between the
    labels and the lower edge of the buttons is white but for them.
    """
    row = height - _BUTTON_LINE
    line = pixels[row * width * 3 : (row + 1) * width * 3]
    grey = [line[at * 3 : at * 3 + 3] != b"\xff\xff\xff" for at in range(4, width - 4)]
    edges = [at + 4 for at in range(1, len(grey)) if grey[at] != grey[at - 1]]
    return [(left, right) for left, right in zip(edges[::2], edges[1::2], strict=False) if right - left > 20]


def _input(options: dict[str, Any]) -> dict[str, Any]:
    return {"stdin": subprocess.DEVNULL, **options}


def _channel(name: str, properties: str) -> str:
    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    return f'{head}<channel name={quoteattr(name)} version="1.0">{properties}</channel>\n'
