"""What every test stands on: no test can touch the developer's keyring, settings, tokens or network."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ["QT_QPA_PLATFORM"] = "offscreen"
if sys.platform == "win32":  # the offscreen platform looks for fonts nowhere else
    os.environ.setdefault("QT_QPA_FONTDIR", r"C:\Windows\Fonts")

_OURS = ("KIWOOM_", "APP_KEY", "APP_SECRET", "PRD", "MOCK", "PYTHON_KEYRING_")
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


def _loopback_only(event: str, arguments: tuple[object, ...]) -> None:
    """An audit hook cannot be removed again, so no test and no library can get round it."""
    if event != "socket.connect":
        return
    address = arguments[1]
    if isinstance(address, tuple) and address[0] not in {"127.0.0.1", "::1", "localhost"}:
        raise AssertionError(f"a test tried to reach {address[0]}")


sys.addaudithook(_loopback_only)


def _why_no_qt() -> str:
    """What the program says where Qt does not load; asked in a process of its own, lest half of Qt stay in this one."""
    asked = subprocess.run(
        [sys.executable, "-m", "tray_app", "--self-test"],
        cwd=Path(__file__).resolve().parents[1],
        env={**os.environ, "LC_ALL": "C.UTF-8", "PYTHONUTF8": "1"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    return asked.stdout.strip()


WHY_NO_QT = _why_no_qt()


class _NoQt:
    """In the place of a Qt that does not load: what imports it, a module or a test, is skipped."""

    @staticmethod
    def find_spec(name: str, *_: object) -> None:
        if name.partition(".")[0] == "PySide6":
            pytest.skip(WHY_NO_QT, allow_module_level=True)


def pytest_addoption(pluginmanager: pytest.PytestPluginManager) -> None:
    """The earliest hook of this file: pytest-qt has told pytest its settings, and has not yet looked for Qt."""
    if WHY_NO_QT:
        pluginmanager.unregister(name="pytest-qt")
        sys.meta_path.insert(0, _NoQt)


def pytest_configure() -> None:
    if WHY_NO_QT and os.environ.get("CI", "").lower() in {"1", "true"}:
        raise pytest.UsageError(WHY_NO_QT)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What holds by file modes, links, pipes, forks or the removal of an open file is no promise on Windows."""
    if sys.platform == "win32":
        for item in items:
            if item.get_closest_marker("posix"):
                item.add_marker(pytest.mark.skip(reason="Windows has no such thing"))


@pytest.fixture(autouse=True)
def private_places(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """A home of its own for each test, no keyring, and nothing of the developer's environment."""
    for name in list(os.environ):
        if name.startswith(_OURS) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    for name, folder in _FOLDERS.items():
        monkeypatch.setenv(name, str(tmp_path / "places" / folder))
    monkeypatch.setenv("KIWOOM_TRAY_CONFIG_DIR", str(tmp_path / "places" / "settings"))
    monkeypatch.setenv("KIWOOM_TRAY_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("KIWOOM_TRAY_STATE_DIR", str(tmp_path / "places" / "state" / "kiwoom-token-tray"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus")
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus")
    monkeypatch.delenv("FLATPAK_ID", raising=False)
    runtime = tmp_path_factory.getbasetemp() / "run"  # for sockets, whose paths must be short
    runtime.mkdir(mode=0o700, exist_ok=True)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    monkeypatch.setattr("tray_app.autostart.windows.CURRENT_VERSION", rf"Software\kiwoom-token-tray-test-{os.getpid()}")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    history = sys.modules.get("tray_app.history.database")
    if history is not None:  # nothing is written into the folders of another test
        history.flush_history(5)


@pytest.fixture(autouse=True)
def english() -> None:
    """Tests that want Korean say so."""
    from tray_app.core import language

    language.use("en")


@pytest.fixture
def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@pytest.fixture
def short_tmp() -> Path:
    """A folder whose path is short enough for a socket."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)
