"""What every test stands on: no test can touch the developer's keyring, settings, tokens or network."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from gettext import NullTranslations
from importlib.abc import Loader
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

import pytest

from tests import IN_CI, ROOT
from tests.holidays import place_holidays
from tests.ports import free_port
from tray_app.core.trading import install_closed_days

os.environ["QT_QPA_PLATFORM"] = "offscreen"
# Without compiled files, each of the thousands of programs that the tests start would compile this one anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
if sys.platform == "win32":  # the offscreen platform looks for fonts nowhere else
    os.environ.setdefault("QT_QPA_FONTDIR", r"C:\Windows\Fonts")

for _ignored in (signal.SIGINT, getattr(signal, "SIGHUP", signal.SIGINT)):
    if signal.getsignal(_ignored) is signal.SIG_IGN:  # as `nohup` and a shell's `&` start it, and the programs after it
        signal.signal(_ignored, signal.default_int_handler if _ignored == signal.SIGINT else signal.SIG_DFL)

_OURS = ("KIWOOM_", "APP_KEY", "APP_SECRET", "PRD", "MOCK", "PYTHON_KEYRING_", "APPIMAGE", "APPDIR", "FLATPAK_ID")
_FOLDERS = {
    "HOME": "home",
    "USERPROFILE": "home",
    "APPDATA": "roaming",
    "LOCALAPPDATA": "local",
    "WIN_PD_OVERRIDE_APPDATA": "roaming",  # platformdirs asks Windows itself, whatever APPDATA says
    "WIN_PD_OVERRIDE_LOCAL_APPDATA": "local",
    "XDG_CONFIG_HOME": "config",
    "XDG_DATA_HOME": "share",
    "XDG_STATE_HOME": "state",
    "XDG_CACHE_HOME": "cache",
}


OWN_HOME = os.path.expanduser("~")
"""The home of whoever runs the tests."""

_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_OWN_BUSES = ("/run/user/", "/run/dbus/", "/var/run/dbus/")
_OWN_FOLDERS = tuple(
    os.path.join(os.path.expanduser(folder), name)
    for folder in (
        *(os.environ[name] for name in _FOLDERS if name not in {"HOME", "USERPROFILE"} and os.environ.get(name)),
        *("~/.config", "~/.local/share", "~/.local/state", "~/.cache", "~/Library/Application Support"),
        *("~/Library/Caches", "~/Library/LaunchAgents", "~/AppData/Roaming", "~/AppData/Local"),
    )
    for name in ("kiwoom", "python_keyring", "autostart")
)
"""The developer's own: settings, state, logs and data of this program (`kiwoom-token-tray`) and of `kiwoomcli`."""

_TEMPORARY = tempfile.gettempdir()


def _text(value: object) -> str:
    return os.fsdecode(value) if isinstance(value, str | bytes | os.PathLike) else ""


def _forbidden(event: str, arguments: tuple[object, ...]) -> str:
    """Return what of the developer's an event of Python would reach; empty for everything else."""
    if event in {"socket.connect", "socket.sendto"}:
        address = arguments[1]
        if isinstance(address, tuple):
            return "" if address[0] in _LOOPBACK else f"reach {address[0]}"
        return "reach the desktop's own bus" if _text(address).startswith(_OWN_BUSES) else ""
    if event == "socket.getaddrinfo":
        host = _text(arguments[0] or "")
        is_name = any(letter.isalpha() for letter in host) and ":" not in host
        return f"look up {host}" if is_name and host not in _LOOPBACK else ""
    if event in {"open", "os.mkdir", "os.rename", "os.remove"} and _text(arguments[0]).startswith(_OWN_FOLDERS):
        return f"use {arguments[0]}"
    return ""


def _keep_out(event: str, arguments: tuple[object, ...]) -> None:
    """An audit hook cannot be removed again, so no test and no library can get round it."""
    what = _forbidden(event, arguments)
    if what:
        raise AssertionError(f"a test tried to {what}")


sys.addaudithook(_keep_out)


def _why_no_qt() -> str:
    """What the program says where Qt does not load; asked in a process of its own, lest half of Qt stay in this one."""
    asked = subprocess.run(
        [sys.executable, "-m", "tray_app", "--self-test"],
        cwd=ROOT,
        env={**os.environ, "LC_ALL": "C.UTF-8", "PYTHONUTF8": "1"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    return asked.stdout.strip()


WHY_NO_QT = _why_no_qt()


class _NoQt(Loader):
    """In the place of a Qt that does not load: whoever imports it, a module or a test, is skipped. It can still be
    found, by the program that looks whether it is installed; and a thread, which cannot be skipped, gets the error."""

    def find_spec(self, name: str, path: Sequence[str] | None = None, _: object = None) -> ModuleSpec | None:
        if name.partition(".")[0] != "PySide6":
            return None
        found = PathFinder.find_spec(name, path)
        if found:
            found.loader = self
        return found

    def create_module(self, spec: ModuleSpec) -> None:
        if threading.current_thread() is threading.main_thread():
            pytest.skip(WHY_NO_QT, allow_module_level=True)
        raise ImportError(WHY_NO_QT, name=spec.name)

    def exec_module(self, _: object) -> None:
        raise AssertionError


def pytest_addoption(pluginmanager: pytest.PytestPluginManager) -> None:
    """The earliest hook of this file: pytest-qt has told pytest its settings, and has not yet looked for Qt."""
    if WHY_NO_QT:
        pluginmanager.unregister(name="pytest-qt")
        sys.meta_path.insert(0, _NoQt())


def pytest_configure() -> None:
    if WHY_NO_QT and IN_CI:
        raise pytest.UsageError(WHY_NO_QT)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What holds by file modes, links, pipes, forks or the removal of an open file is no promise on Windows; and where
    Qt does not load here, it does not in other programs either."""
    if WHY_NO_QT:
        for item in items:
            if item.get_closest_marker("qt"):
                item.add_marker(pytest.mark.skip(reason=WHY_NO_QT))
    if sys.platform == "win32":
        for item in items:
            if item.get_closest_marker("posix"):
                item.add_marker(pytest.mark.skip(reason="Windows has no such thing"))


@pytest.fixture(scope="session")
def runtime_folder() -> Iterator[Path]:
    """A folder for sockets and what is temporary; its path is as short as those of sockets must be."""
    with tempfile.TemporaryDirectory(dir=_TEMPORARY, prefix="tests-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@pytest.fixture(autouse=True)
def private_places(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    runtime_folder: Path,
    request: pytest.FixtureRequest,
) -> Iterator[Path]:
    """A home of its own for each test, no keyring, and nothing of the developer's environment."""
    for name in list(os.environ):
        if name.startswith(_OURS) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    for name, folder in _FOLDERS.items():
        monkeypatch.setenv(name, str(tmp_path / "places" / folder))
    monkeypatch.setenv("KIWOOM_TRAY_CONFIG_DIR", str(tmp_path / "places" / "settings"))
    monkeypatch.setenv("KIWOOM_TRAY_DATA_DIR", str(tmp_path / "data"))
    install_closed_days(None)
    if request.path.parent.name != "unit":  # those start programs
        place_holidays(tmp_path / "places" / "state" / "kiwoom-token-tray")
    monkeypatch.setenv("KIWOOM_TRAY_STATE_DIR", str(tmp_path / "places" / "state" / "kiwoom-token-tray"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    if "keyring.core" in sys.modules:  # no keyring that an earlier test has come to
        monkeypatch.setattr(sys.modules["keyring.core"], "_keyring_backend", None)
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus")
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus")
    for name in ("XDG_RUNTIME_DIR", "TMPDIR", "TEMP", "TMP"):
        monkeypatch.setenv(name, str(runtime_folder))
    monkeypatch.setattr(tempfile, "tempdir", str(runtime_folder))
    monkeypatch.setattr("tray_app.autostart.windows.CURRENT_VERSION", rf"Software\kiwoom-token-tray-test-{os.getpid()}")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    history = sys.modules.get("tray_app.history.database")
    if history is not None:  # nothing is written into the folders of another test
        history.flush_history(5)


@pytest.fixture(autouse=True)
def english() -> None:
    """Tests that want Korean say so, and outputs without its letters are those of one test."""
    from tray_app.core import language

    language.allow_korean(allowed=True)
    language.use("en")


@pytest.fixture
def install_language() -> Iterator[Callable[[Callable[[], str], Callable[[], NullTranslations]], None]]:
    """Put another system's language and another catalogue in the place of this system's, for one test."""
    from tray_app.core import language
    from tray_app.system.locale import detect_language, korean_catalogue

    def install(detect: Callable[[], str], load_korean: Callable[[], NullTranslations]) -> None:
        language.install(detect, load_korean)
        language.use("auto")

    yield install
    language.install(detect_language, korean_catalogue)


@pytest.fixture(name="free_port")
def a_free_port() -> int:
    return free_port()


@pytest.fixture
def short_tmp() -> Iterator[Path]:
    """A folder whose path is short enough for a socket."""
    with tempfile.TemporaryDirectory(dir=_TEMPORARY) as folder:
        yield Path(folder)
