"""Install, update over running programs, and remove: python check_installer.py FOLDER-WITH-THE-INSTALLER

Runs on Windows and under Wine, without administrator's rights. Uses this user's registry, so not where the program is
really in use.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import time
import winreg
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from uuid import UUID

UNINSTALL = r"Software\Microsoft\Windows\CurrentVersion\Uninstall\KiwoomTokenTray"
TOAST_ACTIVATOR = "{56EA2396-78BE-4969-A8EC-960738070703}"
ACTIVATOR = rf"Software\Classes\CLSID\{TOAST_ACTIVATOR}"
APP_ID = r"Software\Classes\AppUserModelId\KiwoomTokenTray"
CLASS_FACTORY = UUID("{00000001-0000-0000-C000-000000000046}")
LOCAL_SERVER = 4
RUN = r"Software\Microsoft\Windows\CurrentVersion\Run"
PLACE = Path(os.environ["LOCALAPPDATA"], "Programs", "Kiwoom Token Tray")
SETTINGS = Path(os.environ["APPDATA"], "kiwoom-token-tray")
STATE = Path(os.environ["LOCALAPPDATA"], "kiwoom-token-tray")
SHORTCUT = Path(os.environ["APPDATA"], "Microsoft", "Windows", "Start Menu", "Programs", "Kiwoom Token Tray.lnk")
TRAY, COMMAND_LINE = PLACE / "kiwoom-token-tray.exe", PLACE / "kiwoom-token.exe"
LONG_PATH = ";".join([r"%USERPROFILE%\bin", "", *(rf"C:\Program Files\Another Tool {number}" for number in range(120))])
PATIENCE_SECONDS = 60
SECONDS_TO_START = 10
"""By then a tray hears that it is asked to quit."""


def main(folder: Path) -> None:
    (installer,) = folder.glob("kiwoom-token-tray-*-setup.exe")
    if PLACE.exists() or SETTINGS.exists():
        raise SystemExit(f"The program is in use here: {PLACE} or {SETTINGS} exists.")
    path_before = read("Environment", "Path")
    try:
        write_path(LONG_PATH)
        check_installer(str(installer))
    finally:
        if path_before is None:
            delete_path()
        else:
            write_path(*path_before)
    print("The installer does what it should.")


def check_installer(installer: str) -> None:
    expect("installs", run(installer, "/S", "/AUTOSTART=1") == 0)
    expect("both programs are there", TRAY.exists() and COMMAND_LINE.exists())
    expect("the command line runs", run(COMMAND_LINE, "--version") == 0)
    expect("it is among the installed apps", read(UNINSTALL, "DisplayName") == ("Kiwoom Token Tray", winreg.REG_SZ))
    expect("it is in the start menu", SHORTCUT.exists())
    expect("with its AppUserModelID", "KiwoomTokenTray".encode("utf-16-le") in SHORTCUT.read_bytes(), firmly=not wine())
    in_shortcut = UUID(TOAST_ACTIVATOR).bytes_le in SHORTCUT.read_bytes()
    expect("and with the class that a click on a notice calls", in_shortcut, firmly=not wine())
    expect("which the notices name too", read(APP_ID, "CustomActivator") == (TOAST_ACTIVATOR, winreg.REG_SZ))
    expect("and which starts the tray", read(rf"{ACTIVATOR}\LocalServer32", "") == (f'"{TRAY}"', winreg.REG_SZ))
    expect("a long PATH has one folder more", read("Environment", "Path") == (f"{LONG_PATH};{PLACE}", 2))
    expect("it starts at login", read(RUN, "kiwoom-token-tray") == (f'"{TRAY}" --background', winreg.REG_SZ))

    subprocess.Popen([str(TRAY), "--background"])
    expect("the tray runs", wait_until(lambda: is_running(TRAY)))
    (PLACE / "_internal" / "of_an_older_version.txt").write_text("x")
    expect("updates over the running tray", run(installer, "/S") == 0)
    expect("what only the older version had is gone", not (PLACE / "_internal" / "of_an_older_version.txt").exists())
    expect("the tray was started again", wait_until(lambda: is_running(TRAY)))
    expect("PATH has the folder once", read("Environment", "Path") == (f"{LONG_PATH};{PLACE}", 2))
    # asked again where it is still starting
    expect("quits when asked", wait_until(lambda: run(TRAY, "--quit") == 0 and not is_running(TRAY)))

    subprocess.Popen([str(TRAY), "--background", "--sandbox"])
    expect("the practice tray runs", wait_until(lambda: is_running(TRAY)))
    time.sleep(SECONDS_TO_START)
    expect("updates over the practice tray", run(installer, "/S") == 0)
    time.sleep(SECONDS_TO_START)
    expect("no tray for real trading was started in its place", not is_running(TRAY))

    with subprocess.Popen([str(COMMAND_LINE), "sandbox"], stdout=subprocess.DEVNULL) as busy:
        wait_until(lambda: is_running(COMMAND_LINE))
        time.sleep(2)
        expect("does not update over a command that runs", run(installer, "/S") == 2)
        expect("and leaves the old one whole", run(COMMAND_LINE, "--version") == 0)
        busy.kill()
    wait_until(lambda: not is_running(COMMAND_LINE))

    SETTINGS.mkdir(parents=True, exist_ok=True)
    (SETTINGS / "settings.toml").write_text('language = "en"\n')
    expect("an update without autostart", run(installer, "/S", "/AUTOSTART=0") == 0)
    expect("takes it away", read(RUN, "kiwoom-token-tray") is None)
    expect("a click on a notice starts the tray", finds_class() and is_running(TRAY))
    uninstall()
    expect("the programs are gone", not TRAY.exists() and not (PLACE / "_internal").exists())
    expect("and their entries", not SHORTCUT.exists() and read(UNINSTALL, "DisplayName") is None)
    expect("and what a click starts", read(ACTIVATOR, "") is None and read(APP_ID, "CustomActivator") is None)
    expect("nothing starts at login", read(RUN, "kiwoom-token-tray") is None)
    expect("PATH is what it was", read("Environment", "Path") == (LONG_PATH, winreg.REG_EXPAND_SZ))
    expect("settings stay", (SETTINGS / "settings.toml").exists())

    expect("installs without autostart", run(installer, "/S", "/AUTOSTART=0") == 0)
    expect("as asked", read(RUN, "kiwoom-token-tray") is None)
    uninstall("/PURGE")
    expect("settings and log go when asked", not SETTINGS.exists() and not STATE.exists())


def expect(what: str, fulfilled: bool, *, firmly: bool = True) -> None:
    print("ok" if fulfilled else "FAILED" if firmly else "not here", what, flush=True)
    if firmly and not fulfilled:
        raise SystemExit(1)


def run(*command: object) -> int:
    return subprocess.run([str(one) for one in command], timeout=300, check=False).returncode


def uninstall(*options: str) -> None:
    """Run the uninstaller in place, so that it can be waited for, and remove it."""
    program = PLACE / "uninstall.exe"
    words = " ".join([f'"{program}"', "/S", *options, f"_?={PLACE}"])  # NSIS wants the last without quotes
    expect("uninstalls", subprocess.run(words, timeout=300, check=False).returncode == 0)
    program.unlink()
    PLACE.rmdir()


def finds_class() -> bool:
    """Ask for the class as Windows does for a click on a notice; it starts the program that serves it."""
    ole32, found = ctypes.WinDLL("ole32"), ctypes.c_void_p()
    ole32.CoInitializeEx(None, 0)
    wanted = UUID(TOAST_ACTIVATOR).bytes_le, LOCAL_SERVER, None, CLASS_FACTORY.bytes_le
    with registered_for_all() if wine() else nullcontext():
        return ole32.CoGetClassObject(*wanted, ctypes.byref(found)) == 0


@contextmanager
def registered_for_all() -> Iterator[None]:
    """Wine 10 looks for no classes of the user alone."""
    program = read(rf"{ACTIVATOR}\LocalServer32", "")
    with winreg.CreateKeyEx(winreg.HKEY_LOCAL_MACHINE, rf"{ACTIVATOR}\LocalServer32") as key:
        winreg.SetValueEx(key, "", 0, winreg.REG_SZ, program[0] if program else None)
    yield
    winreg.DeleteKey(winreg.HKEY_LOCAL_MACHINE, rf"{ACTIVATOR}\LocalServer32")
    winreg.DeleteKey(winreg.HKEY_LOCAL_MACHINE, ACTIVATOR)


def is_running(program: Path) -> bool:
    """Windows lets nobody write to a program that runs."""
    try:
        with program.open("r+b"):
            return False
    except PermissionError:
        return True


def wait_until(is_so: object) -> bool:
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        if is_so():  # type: ignore[operator]
            return True
        time.sleep(0.25)
    return False


def read(key: str, name: str) -> tuple[object, int] | None:
    try:
        with winreg.OpenKey(winreg.HKEY_CURRENT_USER, key) as opened:
            return winreg.QueryValueEx(opened, name)
    except FileNotFoundError:
        return None


def write_path(value: object, kind: int = winreg.REG_EXPAND_SZ) -> None:
    with winreg.CreateKeyEx(winreg.HKEY_CURRENT_USER, "Environment", 0, winreg.KEY_SET_VALUE) as opened:
        winreg.SetValueEx(opened, "Path", 0, kind, value)


def delete_path() -> None:
    with winreg.OpenKey(winreg.HKEY_CURRENT_USER, "Environment", 0, winreg.KEY_SET_VALUE) as opened:
        winreg.DeleteValue(opened, "Path")


def wine() -> bool:
    try:
        winreg.CloseKey(winreg.OpenKey(winreg.HKEY_CURRENT_USER, r"Software\Wine"))
    except FileNotFoundError:
        return False
    return True


if __name__ == "__main__":
    main(Path(sys.argv[1]))
