"""Starting at login: what is written for each system, what is read back, and who is obeyed."""

from __future__ import annotations

import os
import plistlib
import shutil
import subprocess
import sys
import sysconfig
import threading
import time
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import pytest

from tests.doubles import private_bus
from tray_app import autostart
from tray_app.autostart import freedesktop, macos, windows
from tray_app.autostart.base import NAME, Autostart
from tray_app.autostart.flatpak import FlatpakAutostart
from tray_app.autostart.freedesktop import FreedesktopAutostart, exec_line, exec_words
from tray_app.autostart.macos import MacAutostart
from tray_app.autostart.program import start_command
from tray_app.autostart.windows import WindowsAutostart, command_line, words
from tray_app.core.errors import AutostartFailed

PACKAGE = Path(autostart.__file__).parents[1]
ODD_NAMES = [
    "plain",
    "with space",
    "100% sure",
    "five $HOME",
    "back\\slash",
    "quo\"te'd",
    "`tick`",
    "키움 토큰",
    "semi;colon&amp",
    "tab\tand\nline",
]

# ------------------------------------------------------------------------------------------------- the systems


class FakeRegistry(types.ModuleType):
    """As much of `winreg` as is used, over a dictionary."""

    HKEY_CURRENT_USER = "HKCU"
    KEY_SET_VALUE = 2
    REG_SZ, REG_BINARY = 1, 3

    def __init__(self) -> None:
        super().__init__("winreg")
        self.keys: dict[str, dict[str, tuple[object, int]]] = {}
        self.forbidden = False

    class Key:
        def __init__(self, values: dict[str, tuple[object, int]]) -> None:
            self.values = values

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None: ...

    def OpenKey(self, root: str, path: str, _reserved: int = 0, access: int = 0) -> Key:
        if path not in self.keys:
            raise FileNotFoundError(2, "not found")
        if access and self.forbidden:
            raise PermissionError(13, "Access is denied")
        return self.Key(self.keys[path])

    def CreateKeyEx(self, root: str, path: str, reserved: int = 0, access: int = 0) -> Key:
        self.keys.setdefault(path, {})
        return self.OpenKey(root, path, reserved, access)

    def QueryValueEx(self, key: Key, name: str) -> tuple[object, int]:
        if name not in key.values:
            raise FileNotFoundError(2, "not found")
        return key.values[name]

    def SetValueEx(self, key: Key, name: str, _reserved: int, kind: int, value: object) -> None:
        key.values[name] = (value, kind)

    def DeleteValue(self, key: Key, name: str) -> None:
        if name not in key.values:
            raise FileNotFoundError(2, "not found")
        del key.values[name]


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The real one on Windows, below a key of its own."""
    if sys.platform == "win32":
        import winreg

        yield winreg
        _delete_tree(winreg, windows.CURRENT_VERSION)
    else:
        fake = FakeRegistry()
        monkeypatch.setitem(sys.modules, "winreg", fake)
        yield fake


def _delete_tree(winreg: Any, path: str) -> None:
    try:
        with winreg.OpenKey(winreg.HKEY_CURRENT_USER, path) as key:
            below = [winreg.EnumKey(key, number) for number in range(winreg.QueryInfoKey(key)[0])]
    except FileNotFoundError:
        return
    for name in below:
        _delete_tree(winreg, rf"{path}\{name}")
    winreg.DeleteKey(winreg.HKEY_CURRENT_USER, path)


def run_value(registry: Any) -> object:
    with registry.OpenKey(registry.HKEY_CURRENT_USER, windows.CURRENT_VERSION + r"\Run") as key:
        value, kind = registry.QueryValueEx(key, NAME)
    assert kind == registry.REG_SZ
    return value


def approval(registry: Any) -> object:
    try:
        with registry.OpenKey(
            registry.HKEY_CURRENT_USER, windows.CURRENT_VERSION + r"\Explorer\StartupApproved\Run"
        ) as key:
            return registry.QueryValueEx(key, NAME)[0]
    except FileNotFoundError:
        return None


def task_manager(registry: Any, first_byte: int) -> None:
    """What Task Manager writes when a user throws its switch."""
    version = bytes.fromhex("d40d438dc83bd901") if first_byte & 1 else bytes(8)
    path = windows.CURRENT_VERSION + r"\Explorer\StartupApproved\Run"
    with registry.CreateKeyEx(registry.HKEY_CURRENT_USER, path, 0, registry.KEY_SET_VALUE) as key:
        registry.SetValueEx(key, NAME, 0, registry.REG_BINARY, bytes([first_byte, 0, 0, 0]) + version)


class FakeLaunchd:
    def __init__(self) -> None:
        self.listed = ""
        self.asked: list[tuple[str, ...]] = []

    def __call__(self, *asked: str) -> str:
        self.asked.append(asked)
        if asked[0] == "enable":
            self.listed = self.listed.replace("disabled", "enabled").replace("true", "false")
        return f'\tdisabled services = {{\n\t\t"com.apple.other" => disabled\n\t\t{self.listed}\n\t}}\n'


@pytest.fixture(params=["windows", "macos", "freedesktop"])
def make(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[[list[str]], Autostart]:
    """Makes the autostart of one system for a command; what holds for all is asked of each."""
    if request.param == "windows":
        request.getfixturevalue("registry")
        return WindowsAutostart
    if request.param == "macos":
        monkeypatch.setattr(os, "getuid", lambda: 501, raising=False)
        launchd = FakeLaunchd()
        return lambda command: MacAutostart(command, launchd)
    return FreedesktopAutostart


@pytest.fixture
def program(tmp_path: Path) -> list[str]:
    """A program that is there."""
    file = tmp_path / "some programs" / "kiwoom-token-tray"
    file.parent.mkdir()
    file.touch()
    return [str(file), "--background"]


# --------------------------------------------------------------------------------------------------- on every system


def test_nothing_is_configured_until_somebody_enables_it(
    make: Callable[[list[str]], Autostart], program: list[str]
) -> None:
    one = make(program)
    found = one.status()
    assert not found.configured
    assert not found.enabled
    assert not found.switched_off
    assert found.place
    one.disable()


def test_enabled_starts_this_program_until_it_is_disabled(
    make: Callable[[list[str]], Autostart], program: list[str]
) -> None:
    one = make(program)
    one.enable()
    one.enable()
    found = one.status()
    assert found.configured
    assert found.as_it_should_be
    assert found.enabled
    assert not found.is_lost
    assert program[0] in found.starts
    one.disable()
    assert not one.status().configured


def test_entry_of_another_copy_is_told_and_left_alone(
    make: Callable[[list[str]], Autostart], program: list[str], tmp_path: Path
) -> None:
    make(program).enable()
    other = make([str(tmp_path / "elsewhere"), "--background"])
    found = other.status()
    assert found.configured
    assert found.enabled
    assert not found.as_it_should_be
    assert not other.repair()
    assert make(program).status().as_it_should_be
    other.enable()
    assert other.status().as_it_should_be


def test_entry_of_a_program_that_moved_is_repaired(
    make: Callable[[list[str]], Autostart], program: list[str], tmp_path: Path
) -> None:
    make(program).enable()
    moved = tmp_path / "moved"
    Path(program[0]).rename(moved)
    one = make([str(moved), "--background"])
    assert one.status().is_lost
    assert one.repair()
    assert one.status().as_it_should_be
    assert not one.repair()


def test_repair_makes_no_entry_where_none_was(make: Callable[[list[str]], Autostart], program: list[str]) -> None:
    one = make(program)
    assert not one.repair()
    assert not one.status().configured


# -------------------------------------------------------------------------------------------------------- Windows


def test_windows_runs_the_program_by_its_quoted_path(registry: Any, program: list[str]) -> None:
    WindowsAutostart(program).enable()
    assert run_value(registry) == f'"{program[0]}" --background'


@pytest.mark.parametrize(("first_byte", "is_on"), [(2, True), (6, True), (0, True), (3, False), (7, False)])
def test_switch_of_task_manager_is_obeyed(registry: Any, program: list[str], first_byte: int, is_on: bool) -> None:
    one = WindowsAutostart(program)
    one.enable()
    task_manager(registry, first_byte)
    found = one.status()
    assert found.configured
    assert found.enabled is is_on
    assert found.switched_off is not is_on


def test_enabling_overrules_task_manager_and_disabling_leaves_nothing(registry: Any, program: list[str]) -> None:
    one = WindowsAutostart(program)
    one.enable()
    task_manager(registry, 3)
    one.enable()
    assert one.status().enabled
    task_manager(registry, 3)
    one.disable()
    assert approval(registry) is None


def test_program_that_moved_stays_switched_off_in_task_manager(registry: Any, program: list[str]) -> None:
    WindowsAutostart([r"C:\gone\kiwoom-token-tray.exe" if sys.platform == "win32" else "/gone"]).enable()
    task_manager(registry, 3)
    one = WindowsAutostart(program)
    assert one.repair()
    found = one.status()
    assert found.as_it_should_be
    assert found.switched_off


def test_path_that_windows_would_cut_off_is_refused(registry: Any) -> None:
    one = WindowsAutostart(["C:\\" + "long\\" * 60 + "kiwoom-token-tray.exe", "--background"])
    with pytest.raises(AutostartFailed, match="too long"):
        one.enable()
    assert not one.status().configured


def test_python_of_the_store_is_refused(registry: Any, program: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows, "_is_from_the_store", lambda: True)
    with pytest.raises(AutostartFailed, match=r"python\.org"):
        WindowsAutostart(program).enable()


@pytest.mark.skipif(sys.platform == "win32", reason="the registry is the user's own there")
def test_policy_that_forbids_the_entry_is_told(registry: FakeRegistry, program: list[str]) -> None:
    one = WindowsAutostart(program)
    one.enable()
    registry.forbidden = True
    for act in (one.enable, one.disable):
        with pytest.raises(AutostartFailed, match="Access is denied") as told:
            act()
        assert "\n" not in str(told.value)


def test_words_of_a_command_line_of_windows() -> None:
    command = [r"C:\Program Files\키움\pythonw.exe", r"D:\my tray\tray_app", "--background"]
    assert words(command_line(command)) == command
    assert words(r"C:\tray.exe --background") == [r"C:\tray.exe", "--background"]


# ---------------------------------------------------------------------------------------------------------- macOS


@pytest.fixture
def launchd(monkeypatch: pytest.MonkeyPatch) -> FakeLaunchd:
    monkeypatch.setattr(os, "getuid", lambda: 501, raising=False)
    return FakeLaunchd()


def agent_file() -> Path:
    return Path(os.path.expanduser("~/Library/LaunchAgents/kiwoom-token-tray.plist"))


def test_launch_agent_is_for_a_user_who_sits_at_the_screen(launchd: FakeLaunchd, program: list[str]) -> None:
    MacAutostart(program, launchd).enable()
    assert plistlib.loads(agent_file().read_bytes()) == {
        "Label": "kiwoom-token-tray",
        "ProgramArguments": program,
        "RunAtLoad": True,
        "ProcessType": "Interactive",
        "LimitLoadToSessionType": "Aqua",
    }


@pytest.mark.parametrize("word", ["disabled", "true"])
def test_agent_that_launchd_lists_as_disabled_is_switched_off(
    launchd: FakeLaunchd, program: list[str], word: str
) -> None:
    one = MacAutostart(program, launchd)
    one.enable()
    launchd.listed = f'"kiwoom-token-tray" => {word}'
    assert one.status().switched_off
    one.enable()
    assert ("enable", "gui/501/kiwoom-token-tray") in launchd.asked
    assert one.status().enabled


@pytest.mark.parametrize("listed", ["", '"kiwoom-token-tray" => enabled', '"kiwoom-token-tray-2" => disabled'])
def test_agent_that_launchd_does_not_list_is_on(launchd: FakeLaunchd, program: list[str], listed: str) -> None:
    one = MacAutostart(program, launchd)
    one.enable()
    launchd.listed = listed
    assert one.status().enabled
    one.enable()
    assert not any(asked[0] == "enable" for asked in launchd.asked)


@pytest.mark.parametrize(
    "folder",
    [
        "/private/var/folders/zy/jmx4/T/AppTranslocation/613DF902-6BE1/d/Kiwoom Token Tray.app/Contents/MacOS",
        "/Volumes/Kiwoom Token Tray/Kiwoom Token Tray.app/Contents/MacOS",
        "/Volumes/Kiwoom Token Tray 1/Kiwoom Token Tray.app/Contents/MacOS",
    ],
)
def test_an_application_that_was_not_moved_from_its_image_is_not_started_at_login(
    launchd: FakeLaunchd, program: list[str], folder: str
) -> None:
    passing = MacAutostart([f"{folder}/kiwoom-token-tray", "--background"], launchd)
    with pytest.raises(AutostartFailed, match="Applications"):
        passing.enable()
    assert not passing.status().configured
    MacAutostart(program, launchd).enable()
    Path(program[0]).unlink()
    assert not passing.repair()
    assert program[0] in passing.status().starts


def test_damaged_agent_is_repaired(launchd: FakeLaunchd, program: list[str]) -> None:
    agent_file().parent.mkdir(parents=True)
    agent_file().write_bytes(b"<plist><dict><key>")
    one = MacAutostart(program, launchd)
    assert not one.status().as_it_should_be
    assert one.repair()
    assert one.status().as_it_should_be


@pytest.mark.posix
def test_launchctl_that_is_not_there_or_hangs_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: (_ for _ in ()).throw(FileNotFoundError()))
    assert macos.launchctl("print-disabled", "gui/501") == ""
    monkeypatch.setattr(
        subprocess, "run", lambda *_, **__: (_ for _ in ()).throw(subprocess.TimeoutExpired("launchctl", 5))
    )
    assert macos.launchctl("print-disabled", "gui/501") == ""


# ---------------------------------------------------------------------------------------------------------- Linux


def entry_file() -> Path:
    return Path(os.environ["XDG_CONFIG_HOME"], "autostart", "kiwoom-token-tray.desktop")


def test_entry_has_the_names_and_pictures_of_the_menu_entry(program: list[str]) -> None:
    FreedesktopAutostart(program).enable()
    keys = freedesktop.keys_of(entry_file().read_text(encoding="utf-8"))
    assert keys["Type"] == "Application"
    assert keys["Name[ko]"] == "키움 토큰 트레이"
    assert keys["Icon"] == "kiwoom-token-tray"
    assert exec_words(keys["Exec"]) == program


@pytest.mark.parametrize("name", ODD_NAMES)
def test_exec_line_is_read_back_as_it_was_meant(name: str) -> None:
    command = [f"/opt/{name}/tray", "--background"]
    line = exec_line(command)
    assert "\n" not in line
    assert exec_words(line) == command


@pytest.mark.parametrize(
    ("word", "line"),
    [
        ("/opt/tray", "/opt/tray"),
        ("/my tray", '"/my tray"'),
        ("/a%b", "/a%%b"),
        ("/a$b", r'"/a\\$b"'),
        ("/a\\b", r'"/a\\\\b"'),
        ('/a"b', r'"/a\\"b"'),
    ],
)
def test_exec_line_is_quoted_and_then_escaped(word: str, line: str) -> None:
    """The specification's own words: a literal dollar sign is `\\\\$`, a literal backslash four of them."""
    assert exec_line([word]) == line


@pytest.mark.skipif(not shutil.which("gio"), reason="needs gio of GLib")
@pytest.mark.parametrize("name", ODD_NAMES)
def test_desktop_starts_a_program_of_any_name(tmp_path: Path, name: str) -> None:
    program, trace = tmp_path / name / "tray", tmp_path / "trace"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$#:$1" > "{trace}.new"; mv "{trace}.new" "{trace}"\n')
    program.chmod(0o755)
    one = FreedesktopAutostart([str(program), "--background"])
    one.enable()
    assert one.status().as_it_should_be
    subprocess.run(["gio", "launch", one.status().place], check=True, capture_output=True)
    deadline = time.monotonic() + 60
    while not trace.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert trace.read_text() == "1:--background\n"


@pytest.mark.parametrize("switch", ["Hidden=true", "X-GNOME-Autostart-enabled=false"])
def test_desktop_that_switched_the_entry_off_is_obeyed(program: list[str], switch: str) -> None:
    one = FreedesktopAutostart(program)
    one.enable()
    with entry_file().open("a", encoding="utf-8") as file:
        file.write(switch + "\n")
    assert one.status().switched_off
    Path(program[0]).unlink()
    moved = FreedesktopAutostart([sys.executable, "--background"])
    assert moved.repair()
    assert moved.status().as_it_should_be
    assert moved.status().switched_off, "repaired, and still off"
    moved.enable()
    assert moved.status().enabled


def test_keys_of_an_action_are_not_those_of_the_entry(program: list[str]) -> None:
    one = FreedesktopAutostart(program)
    one.enable()
    with entry_file().open("a", encoding="utf-8") as file:
        file.write("\n[Desktop Action other]\nHidden=true\nExec=/bin/other\n")
    found = one.status()
    assert found.enabled
    assert found.as_it_should_be


def test_repair_keeps_what_the_user_wrote_into_the_entry(program: list[str]) -> None:
    FreedesktopAutostart(["/gone/tray", "--background"]).enable()
    text = entry_file().read_text(encoding="utf-8") + "X-GNOME-Autostart-Delay=30\n"
    entry_file().write_text(text, encoding="utf-8")
    assert FreedesktopAutostart(program).repair()
    assert "X-GNOME-Autostart-Delay=30" in entry_file().read_text(encoding="utf-8")


def test_relative_configuration_folder_is_ignored(monkeypatch: pytest.MonkeyPatch, program: list[str]) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", "relative")
    assert FreedesktopAutostart(program).status().place.startswith(os.path.expanduser("~"))


@pytest.mark.posix
def test_folder_in_the_way_is_told(program: list[str]) -> None:
    entry_file().parent.parent.mkdir(parents=True)
    entry_file().parent.touch()
    with pytest.raises(AutostartFailed, match="autostart") as told:
        FreedesktopAutostart(program).enable()
    assert "\n" not in str(told.value)


# -------------------------------------------------------------------------------------------------------- Flatpak


class Portal(threading.Thread):
    """The desktop's portal on a bus of its own; `answer` is what it does with a request."""

    def __init__(self, address: str, answer: Callable[[bool], tuple[int, bool] | None]) -> None:
        from jeepney.io.blocking import open_dbus_connection

        super().__init__(daemon=True)
        self.answer = answer
        self.asked: list[dict[str, Any]] = []
        self.connection = open_dbus_connection(address)
        self.connection.bus_proxy.RequestName("org.freedesktop.portal.Desktop")

    def run(self) -> None:
        from jeepney import DBusAddress, HeaderFields, MessageType, new_method_return, new_signal

        while True:
            try:
                message = self.connection.receive()
            except OSError:
                return
            if message.header.message_type is not MessageType.method_call:
                continue
            _parent, options = message.body
            self.asked.append({name: value for name, (_, value) in options.items()})
            sender = message.header.fields[HeaderFields.sender].removeprefix(":").replace(".", "_")
            path = f"/org/freedesktop/portal/desktop/request/{sender}/{options['handle_token'][1]}"
            self.connection.send(new_method_return(message, "o", (path,)))
            said = self.answer(options["autostart"][1])
            if said is not None:
                code, autostart_granted = said
                request = DBusAddress(path, interface="org.freedesktop.portal.Request")
                results = {"background": ("b", True), "autostart": ("b", autostart_granted)}
                self.connection.send(new_signal(request, "Response", "ua{sv}", (code, results)))


@pytest.fixture
def portal(short_tmp: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Portal]]:
    with private_bus(short_tmp) as (daemon, address):
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        made: list[Portal] = []

        def make(answer: Callable[[bool], tuple[int, bool] | None]) -> Portal:
            one = Portal(address, answer)
            made.append(one)
            one.start()
            return one

        yield make
        daemon.terminate()
        daemon.wait()
        for one in made:
            one.join(5)
            one.connection.close()


def test_flatpak_asks_the_portal_and_remembers_the_answer(portal: Callable[..., Portal]) -> None:
    desk = portal(lambda wanted: (0, wanted))
    one = FlatpakAutostart()
    assert not one.status().enabled
    one.enable()
    assert FlatpakAutostart().status().enabled
    assert desk.asked[0]["commandline"] == ["kiwoom-token-tray", "--background"]
    assert desk.asked[0]["autostart"] is True
    one.disable()
    assert desk.asked[1]["autostart"] is False
    assert not FlatpakAutostart().status().configured


@pytest.mark.parametrize("refusal", [(1, False), (2, False), (0, False)])
def test_flatpak_tells_that_the_user_or_the_desktop_refused(
    portal: Callable[..., Portal], refusal: tuple[int, bool]
) -> None:
    portal(lambda _: refusal)
    one = FlatpakAutostart()
    with pytest.raises(AutostartFailed, match="does not allow"):
        one.enable()
    assert not one.status().enabled


def test_flatpak_waits_for_the_portal_no_longer_than_its_deadline(
    portal: Callable[..., Portal], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tray_app.autostart.flatpak.ANSWER_SECONDS", 0.2)
    portal(lambda _: None)
    with pytest.raises(AutostartFailed, match="does not answer"):
        FlatpakAutostart().enable()


@pytest.mark.skipif(sys.platform != "linux", reason="Flatpak is there only")
def test_flatpak_without_a_bus_or_a_portal_is_told(
    portal: Callable[..., Portal], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(AutostartFailed, match="does not answer"):
        FlatpakAutostart().enable()
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus")
    with pytest.raises(AutostartFailed, match="does not answer"):
        FlatpakAutostart().enable()


# ---------------------------------------------------------------------------------------- the command, and which system


def test_program_that_was_installed_is_started_by_its_own_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    suffix = ".exe" if sys.platform == "win32" else ""
    (tmp_path / f"kiwoom-token-tray{suffix}").touch()
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python3"))
    assert start_command({}) == [str(tmp_path / f"kiwoom-token-tray{suffix}"), "--background"]


@pytest.fixture
def no_scripts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As from a checkout that nobody installed, which the one that runs the tests may be."""
    monkeypatch.setattr("tray_app.autostart.program._script_folders", lambda: [str(tmp_path / "scripts")])


@pytest.mark.usefixtures("no_scripts")
def test_checkout_is_started_from_any_folder_without_its_environment(tmp_path: Path) -> None:
    command = start_command({})
    assert command[1:] == [str(PACKAGE), "--background"]
    environ = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    (tmp_path / "settings.py").write_text("raise SystemExit('shadowed')")
    ran = subprocess.run(
        [*command[:2], "--help"], cwd=tmp_path, env={**environ, "LC_ALL": "C.UTF-8"}, capture_output=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert b"kiwoom-token-tray" in ran.stdout or sys.platform == "win32"


@pytest.mark.usefixtures("no_scripts")
def test_windows_starts_the_interpreter_without_a_console(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("python.exe", "pythonw.exe"):
        (tmp_path / name).touch()
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python.exe"))
    assert start_command({})[0] == str(tmp_path / "pythonw.exe")


def test_frozen_program_starts_itself(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "renamed"))
    assert start_command({}) == [str(tmp_path / "renamed"), "--background"]


def test_frozen_command_line_starts_the_tray_beside_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    suffix = ".exe" if sys.platform == "win32" else ""
    (tmp_path / f"kiwoom-token-tray{suffix}").touch()
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(tmp_path / f"kiwoom-token{suffix}"))
    assert start_command({})[0] == str(tmp_path / f"kiwoom-token-tray{suffix}")


def test_appimage_is_started_by_its_file_and_another_ones_variable_is_not_believed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "mount" / "usr" / "bin" / "tray"))
    environ = {"APPIMAGE": "/home/user/Tray.AppImage", "APPDIR": str(tmp_path / "mount")}
    assert start_command(environ) == ["/home/user/Tray.AppImage", "--background"]
    environ["APPDIR"] = str(tmp_path / "mou")
    assert start_command(environ)[0].endswith("tray")


@pytest.mark.parametrize(
    ("platform", "flatpak", "kind"),
    [
        ("win32", "", WindowsAutostart),
        ("darwin", "", MacAutostart),
        ("linux", "", FreedesktopAutostart),
        ("linux", "org.example.Tray", FlatpakAutostart),
    ],
)
def test_each_system_has_its_own_way(
    monkeypatch: pytest.MonkeyPatch, platform: str, flatpak: str, kind: type[Autostart]
) -> None:
    sysconfig.get_config_vars()  # which keeps what it reads first, for this system
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setenv("FLATPAK_ID", flatpak)
    assert isinstance(autostart.for_this_system(), kind)


def test_switch_makes_it_so_and_says_how_it_is(monkeypatch: pytest.MonkeyPatch, program: list[str]) -> None:
    monkeypatch.setattr(autostart, "for_this_system", lambda: FreedesktopAutostart(program))
    assert autostart.switch(on=True).enabled
    assert autostart.switch(on=True).enabled
    assert not autostart.switch(on=False).configured
    assert not autostart.switch(on=False).configured


def test_room_is_light(tmp_path: Path) -> None:
    """The settings, the command line and the tray's start all load it."""
    heavy = ("PySide6", "httpx", "keyring", "jeepney", "subprocess")
    ask = (
        f"import sys; sys.path.insert(0, {str(PACKAGE.parent)!r}); import tray_app.autostart as room; "
        "room.for_this_system(); "
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
