"""Nothing that lies in the working folder is ever run: a downloaded folder is no place to look for code."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import ROOT
from tray_app.system import child_process
from tray_app.system.child_process import (
    child_environment,
    restore_environment,
    tray_command,
    user_environment,
)

SECRET = "an-app-secret-of-a-test"
TRAPS = [
    *("tray_app/__init__.py", "tray_app/__main__.py", "tray_app/app.py", "settings.py", "core.py"),
    *("argparse.py", "ctypes/__init__.py", "gettext.py", "json/__init__.py", "logging/__init__.py"),
    *("sqlite3/__init__.py", "subprocess.py", "tomllib/__init__.py", "platformdirs.py", "secretstorage.py"),
    *("httpx.py", "keyring/__init__.py", "PySide6/__init__.py"),
]
WAYS = {
    "kiwoom-token": ("script", "tray_app.cli.main"),
    "kiwoom-token-tray": ("script", "tray_app.__main__"),
    "python -m tray_app": ("module", ""),
    "python PATH/tray_app": ("path", ""),
}


@pytest.fixture
def trapped(tmp_path: Path) -> Iterator[Path]:
    """A folder full of modules; each of them would leave its name and the environment behind."""
    folder = tmp_path / "downloads"
    for name in TRAPS:
        trap = folder / name
        trap.parent.mkdir(parents=True, exist_ok=True)
        trap.write_text(
            "import os\n"
            f"open({str(tmp_path / 'caught')!r}, 'a').write({name!r} + ' ' + os.environ.get('APP_SECRET', '-'))\n"
            "raise SystemExit(99)\n"
        )
    yield folder
    caught = tmp_path / "caught"
    assert not caught.exists(), caught.read_text()


def run(way: str, *arguments: str, folder: Path, path: str, **environ: str) -> subprocess.CompletedProcess[str]:
    kind, module = WAYS[way]
    script = folder.parent / "bin" / way
    if kind == "script":
        script.parent.mkdir(exist_ok=True)
        script.write_text(f"from {module} import run\nrun()\n")
    program = {"script": [str(script)], "module": ["-m", "tray_app"], "path": [str(ROOT / "tray_app")]}[kind]
    return subprocess.run(
        [sys.executable, *program, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path, "APP_KEY": "an-app-key", "APP_SECRET": SECRET, **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=150,
        check=False,
    )


@pytest.mark.qt
@pytest.mark.parametrize("more", ["", os.pathsep, os.pathsep + ".", os.pathsep + "./"])
def test_doctor_runs_nothing_of_the_working_folder(trapped: Path, more: str) -> None:
    done = run("kiwoom-token", "doctor", "--json", folder=trapped, path=f"{ROOT}{more}")

    found = {one["name"]: one["text"] for one in json.loads(done.stdout)}
    is_late = "does not answer" in found["screen"]  # within the six seconds that doctor gives it
    assert is_late or found["screen"] == "Qt can use it", done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is always a screen")
def test_doctor_tells_of_a_missing_screen_in_the_language_of_the_settings(tmp_path: Path) -> None:
    settings = tmp_path / "settings"
    settings.mkdir()
    (settings / "settings.toml").write_text('language = "ko"\n')
    places = {"KIWOOM_TRAY_CONFIG_DIR": str(settings), "LC_ALL": "C.UTF-8"}
    screens = {"DISPLAY": "", "WAYLAND_DISPLAY": "", "QT_QPA_PLATFORM": ""}

    done = run("kiwoom-token", "doctor", "--json", folder=tmp_path, path=str(ROOT), **places, **screens)

    found = {one["name"]: one["text"] for one in json.loads(done.stdout)}
    assert found["screen"] == ("여기서는 화면을 쓸 수 없습니다. 터미널에서는 kiwoom-token watch가 같은 일을 합니다.")


@pytest.mark.qt
@pytest.mark.parametrize("way", ["kiwoom-token-tray", "python PATH/tray_app"])
@pytest.mark.parametrize("more", ["", os.pathsep])
def test_tray_runs_nothing_of_the_working_folder(trapped: Path, way: str, more: str) -> None:
    assert run(way, "--self-test", folder=trapped, path=f"{ROOT}{more}").returncode == 0


@pytest.mark.parametrize(
    ("way", "arguments"), [("kiwoom-token", ["--self-test"]), ("kiwoom-token-tray", ["--self-test", "all"])]
)
def test_self_test_runs_nothing_of_the_working_folder(trapped: Path, way: str, arguments: list[str]) -> None:
    assert "get, exec" in run(way, *arguments, folder=trapped, path=f"{ROOT}{os.pathsep}").stdout


@pytest.mark.qt
def test_module_that_was_found_elsewhere_imports_nothing_from_the_working_folder(trapped: Path) -> None:
    for one in (trapped / "tray_app").iterdir():
        one.unlink()
    (trapped / "tray_app").rmdir()

    done = run("python -m tray_app", "--self-test", folder=trapped, path=str(ROOT))

    assert done.returncode == 0, done.stderr


@pytest.mark.qt
def test_checkout_is_run_from_its_own_folder(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tray_app", "--self-test"],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_get_runs_nothing_of_the_working_folder(trapped: Path) -> None:
    done = run("kiwoom-token", "get", "--no-issue", folder=trapped, path=f"{ROOT}{os.pathsep}")

    assert done.returncode == 3, done.stderr


def test_a_child_of_ours_gets_no_secret_and_no_folder_that_moves() -> None:
    environ = {
        "PATH": "/bin",
        "DISPLAY": ":0",
        "APP_KEY": "k",
        "APP_SECRET_MOCK": "s",
        "app_key": "k",
        "KIWOOM_TOKEN": "t",
        "KIWOOM_TRAY_REDIS_URL": "redis://:password@host",
        "KIWOOM_TRAY_DATA_DIR": "/data",
        "PYTHONPATH": os.pathsep.join(["", ".", str(ROOT), "lib"]),
    }

    assert child_environment(environ) == {
        "PATH": "/bin",
        "DISPLAY": ":0",
        "KIWOOM_TRAY_DATA_DIR": "/data",
        "PYTHONPATH": str(ROOT),
    }
    assert "PYTHONPATH" not in child_environment({"PYTHONPATH": "."})


@pytest.mark.qt
@pytest.mark.posix
def test_a_child_of_ours_does_not_import_from_the_working_folder_either(trapped: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(trapped)

    for named in (trapped, link):
        done = run("kiwoom-token", "doctor", "--json", folder=trapped, path=f"{ROOT}{os.pathsep}{named}")
        assert {one["name"]: one["text"] for one in json.loads(done.stdout)}["screen"] == "Qt can use it", done.stderr


def test_start_imports_nothing_from_the_working_folder(trapped: Path) -> None:
    for path in ("", os.pathsep, ".", str(trapped)):
        done = subprocess.run(
            [sys.executable, str(ROOT / "start.py"), "--help"],
            cwd=trapped,
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr


def test_a_frozen_program_starts_the_tray_program_beside_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    suffix = ".exe" if sys.platform == "win32" else ""
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(tmp_path / f"kiwoom-token{suffix}"))
    assert tray_command("--self-test") == []

    (tmp_path / f"kiwoom-token-tray{suffix}").touch()

    assert tray_command("--self-test") == [str(tmp_path / f"kiwoom-token-tray{suffix}"), "--self-test"]


def test_the_working_folder_may_be_gone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def gone() -> str:
        raise FileNotFoundError

    monkeypatch.setattr(os, "getcwd", gone)
    monkeypatch.setattr(sys, "path", ["", str(tmp_path), os.path.dirname(os.__file__)])

    child_process.stop_importing_from_working_folder()

    assert sys.path == [str(tmp_path), os.path.dirname(os.__file__)]


@pytest.fixture
def silent_screen() -> Iterator[dict[str, str]]:
    """An X server that never answers: the system accepts the connection, and nobody reads from it."""
    if sys.platform != "linux":
        pytest.skip("X11")
    with socket.create_server(("127.0.0.1", 0)) as server:
        display = server.getsockname()[1] - 6000
        if display < 0:
            pytest.skip("no port of a screen is free")
        yield {"DISPLAY": f"127.0.0.1:{display}", "WAYLAND_DISPLAY": "", "QT_QPA_PLATFORM": ""}


@pytest.mark.qt
def test_doctor_tells_of_a_screen_that_never_answers(tmp_path: Path, silent_screen: dict[str, str]) -> None:
    done = run("kiwoom-token", "doctor", "--json", folder=tmp_path, path=str(ROOT), **silent_screen)

    found = {one["name"]: one for one in json.loads(done.stdout)}
    assert found["screen"]["good"] is False
    assert found["screen"]["text"].startswith("The screen does not answer. Check DISPLAY")


@pytest.mark.qt
def test_the_tray_goes_on_in_the_terminal_when_the_screen_never_answers(
    tmp_path: Path, silent_screen: dict[str, str]
) -> None:
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "KIWOOM_TRAY_STORE": "file", **silent_screen}
    tray = [sys.executable, str(ROOT / "tray_app"), "--background"]
    with subprocess.Popen(tray, cwd=tmp_path, env=environ, stderr=subprocess.PIPE, encoding="utf-8") as program:
        assert program.stderr is not None
        told = program.stderr.readline()
        program.terminate()
        program.wait(20)
    assert told.startswith("The screen does not answer.")
    assert "in this terminal" in told


# ------------------------------------------------------------------------------------------ what a frozen program's get

BUNDLE = os.path.join(os.sep, "opt", "kiwoom", "_internal")


def joined(*folders: str) -> str:
    return os.pathsep.join(folders)


@pytest.mark.parametrize(
    ("initial", "users"),
    [
        ({"PATH": "/bin", "_PYI_ARCHIVE_FILE": "x", "_PYI_PARENT_PROCESS_LEVEL": "1"}, {"PATH": "/bin"}),
        ({"LD_LIBRARY_PATH": BUNDLE}, {}),
        ({"LD_LIBRARY_PATH": joined(BUNDLE, "/a"), "LD_LIBRARY_PATH_ORIG": "/a"}, {"LD_LIBRARY_PATH": "/a"}),
        ({"LD_LIBRARY_PATH": BUNDLE, "LD_LIBRARY_PATH_ORIG": ""}, {"LD_LIBRARY_PATH": ""}),
        ({"DYLD_LIBRARY_PATH": joined(os.path.join(BUNDLE, "lib"), "/a")}, {"DYLD_LIBRARY_PATH": "/a"}),
        ({"LD_LIBRARY_PATH": f"{BUNDLE}-of-another"}, {"LD_LIBRARY_PATH": f"{BUNDLE}-of-another"}),
        (
            {"QT_PLUGIN_PATH": "/usr/plugins", "VIRTUAL_ENV": "/v"},
            {"QT_PLUGIN_PATH": "/usr/plugins", "VIRTUAL_ENV": "/v"},
        ),
    ],
)
def test_the_users_environment_is_what_the_shell_had(initial: dict[str, str], users: dict[str, str]) -> None:
    assert user_environment(initial, BUNDLE) == users
    assert user_environment({os.fsencode(name): os.fsencode(initial[name]) for name in initial}, BUNDLE) == users


def test_a_frozen_program_gives_the_environment_back(monkeypatch: pytest.MonkeyPatch) -> None:
    shells = {**os.environ, "QT_PLUGIN_PATH": "/the/users", "VIRTUAL_ENV": "/v"}
    shells.pop("QML2_IMPORT_PATH", None)
    monkeypatch.setattr(sys, "initial_environ", {**shells, "_PYI_ARCHIVE_FILE": "x"}, raising=False)
    for name, value in (
        ("VIRTUAL_ENV", ""),
        ("_PYI_ARCHIVE_FILE", "x"),
        ("QT_PLUGIN_PATH", BUNDLE),
        ("QML2_IMPORT_PATH", BUNDLE),
    ):
        monkeypatch.setenv(name, value)

    restore_environment(with_qt=False)
    assert os.environ == {**shells, "QT_PLUGIN_PATH": BUNDLE, "QML2_IMPORT_PATH": BUNDLE}

    restore_environment()
    assert os.environ == shells


def test_an_installed_program_leaves_the_environment_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LD_LIBRARY_PATH", sys.prefix)
    before = {**os.environ}

    restore_environment()

    assert os.environ == before
