"""`start.py`: what it decides, downloads, installs and prints. No network; one environment is made, without pip."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests import ROOT, checks
from tests.scripts import load_script

SCRIPT = ROOT / "start.py"


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The script, speaking English."""
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    return load_script("start.py")


@pytest.fixture
def checkout(start: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with a `pyproject.toml` and an empty `.venv`, which the script takes for its own."""
    root = tmp_path / "checkout"
    (root / ".venv").mkdir(parents=True)
    (root / "pyproject.toml").write_text("[project]\n")
    (root / "start.py").write_text("")
    monkeypatch.setattr(start, "ROOT", root)
    for name in ("VENV", "PYTHON", "STAMP"):
        monkeypatch.setattr(start, name, root / getattr(start, name).relative_to(SCRIPT.parent))
    return root


@pytest.fixture
def installed(start: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What pip was asked to install; it is not asked. Every other program is really run."""
    requirements: list[str] = []

    def run(*command: object, failure: str = "") -> Any:
        if "--editable" not in command:
            return run_program(*command, failure=failure)
        requirements.append(str(command[-1]))
        return subprocess.CompletedProcess([], 0, "")

    run_program = start.run
    monkeypatch.setattr(start, "run", run)
    monkeypatch.setattr(start, "install_pip", lambda: None)
    return requirements


# ---------------------------------------------------------------------------------------------------- the command line


@pytest.mark.parametrize(
    ("arguments", "done"),
    [
        ([], [("set up", "tray"), ["-m", "tray_app", "--sandbox"]]),
        (["--real"], [("set up", "tray"), ["-m", "tray_app", "--real"]]),
        (
            ["--sandbox", "--profile", "test"],
            [("set up", "tray"), ["-m", "tray_app", "--sandbox", "--profile", "test"]],
        ),
        (["test"], [("set up", "test"), ["tests/checks.py"]]),
        (["test", "-m", "not desktop"], [("set up", "test"), ["tests/checks.py", "-m", "not desktop"]]),
        (["test", "--help"], [("set up", "test"), ["tests/checks.py", "--help"]]),
        (["--help"], []),
        (["-h"], []),
    ],
)
def test_first_argument_decides(
    start: Any, monkeypatch: pytest.MonkeyPatch, arguments: list[str], done: list[object]
) -> None:
    did: list[object] = []
    monkeypatch.setattr(start, "set_up", lambda task: did.append(("set up", task)))
    monkeypatch.setattr(start, "run_in_place", lambda *command: did.append(list(command)) or 0)

    assert start.main(arguments) == 0

    assert did == done


def test_help_shows_both_commands(start: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert start.main(["--help"]) == 0

    shown = capsys.readouterr().out
    assert "python3 start.py " in shown
    assert "python3 start.py test " in shown


def test_an_older_python_can_read_the_script() -> None:
    tree = ast.parse(SCRIPT.read_text(encoding="utf-8"), feature_version=(3, 7))
    assert not any(isinstance(node, ast.NamedExpr | ast.Match) for node in ast.walk(tree))


def test_an_older_python_is_told_in_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    pretend = (
        "import runpy, sys; sys.version_info = (3, 10, 1, 'final', 0); runpy.run_path(sys.argv[1], run_name='__main__')"
    )
    result = subprocess.run([sys.executable, "-c", pretend, str(SCRIPT)], check=False)
    assert result.returncode == 2
    assert capfd.readouterr().err.splitlines() == [
        "Kiwoom Token Tray needs Python 3.11 or newer; this is Python 3.10.1."
    ]


def test_a_python_with_parts_missing_is_told_what_to_install(capfd: pytest.CaptureFixture[str]) -> None:
    pretend = "import runpy, sys; sys.modules['ssl'] = None; runpy.run_path(sys.argv[1], run_name='__main__')"
    result = subprocess.run([sys.executable, "-c", pretend, str(SCRIPT)], check=False)
    assert result.returncode == 1
    (line,) = capfd.readouterr().err.splitlines()
    assert "`ssl`" in line
    assert f"python3.{sys.version_info[1]}-venv" in line


def test_without_its_folder_that_is_what_it_asks_for(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """As when it is opened inside a ZIP file, from which Windows unpacks it alone."""
    (tmp_path / "start.py").write_bytes(SCRIPT.read_bytes())
    alone = [sys.executable, "-I", "-S", str(tmp_path / "start.py")]
    assert subprocess.run(alone, cwd=tmp_path, check=False).returncode == 1
    assert capfd.readouterr().err.splitlines() == [
        "start.py needs the folder it comes in: unpack all of it, then start it there."
    ]


# -------------------------------------------------------------------------------------------------------- the language


def test_it_speaks_korean_under_a_korean_locale(tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    for name in ("start.py", "tray_app", "resources"):
        (checkout / name).parent.mkdir(exist_ok=True)
        (checkout / name).symlink_to(SCRIPT.parent / name)
    pretend = "import runpy, sys; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-c", pretend, str(checkout / "start.py")],
        env={**os.environ, "LC_ALL": "ko_KR.UTF-8", "PYTHONUTF8": "1"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("설치하지 못했습니다: ")


# ------------------------------------------------------------------------------------------------------------- pip


def no_pip(start: Any, monkeypatch: pytest.MonkeyPatch, told: str) -> str:
    """What a user is told where pip is missing and cannot be downloaded."""
    monkeypatch.setattr(start, "run", lambda *_, failure="": subprocess.CompletedProcess([], 1, told))
    with pytest.raises(start.SetupError) as caught:
        start.install_pip()
    (line,) = str(caught.value).splitlines()
    assert f"python3.{sys.version_info[1]}-venv" in line
    return line


@pytest.mark.parametrize("told", ["", "not to be reached\n"])
def test_without_pip_the_package_to_install_is_named(start: Any, monkeypatch: pytest.MonkeyPatch, told: str) -> None:
    assert told.strip() in no_pip(start, monkeypatch, told)


def test_environment_leads_pip_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    monkeypatch.setenv("PIP_TARGET", "/elsewhere")
    monkeypatch.setenv("PIP_USER", "1")
    clean = load_script("start.py").ENVIRONMENT
    assert "PYTHONPATH" not in clean
    assert "PIP_TARGET" not in clean
    assert clean["PIP_USER"] == "0"
    assert clean["PIP_NO_INPUT"] == "1"


# ----------------------------------------------------------------------------------------------------------- setting up


@pytest.fixture
def done(start: Any, checkout: Path, installed: list[str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was done to a `.venv` that had been set up for the tray program: "make", and what pip was to install."""
    steps = installed

    def make_venv() -> None:
        steps.append("make")
        start.STAMP.unlink(missing_ok=True)

    monkeypatch.setattr(start, "make_venv", make_venv)
    monkeypatch.setattr(start, "venv_version", lambda: "3.11")
    start.set_up("tray")
    steps.clear()
    return steps


def change_stamp(start: Any, **changes: object) -> None:
    start.STAMP.write_text(json.dumps({**json.loads(start.STAMP.read_text()), **changes}))


def test_nothing_is_done_twice(start: Any, done: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    start.set_up("tray")
    assert done == []
    assert capsys.readouterr().out == ""


def test_a_changed_pyproject_brings_it_up_to_date(
    start: Any, done: list[str], checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    (checkout / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    start.set_up("tray")
    assert done == [".[tray]"]
    assert capsys.readouterr().out.splitlines() == ["Bringing .venv up to date…"]


@pytest.mark.parametrize("version", ["", "3.13"])
def test_another_python_makes_it_anew(
    start: Any, done: list[str], monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    monkeypatch.setattr(start, "venv_version", lambda: version)
    start.set_up("tray")
    assert done == ["make", ".[tray]"]


def test_a_moved_checkout_makes_it_anew(start: Any, done: list[str]) -> None:
    change_stamp(start, root="/elsewhere")
    start.set_up("tray")
    assert done == ["make", ".[tray]"]


@pytest.mark.parametrize("left", ["{}", "", "[]", "[1]", '{"root": '])
def test_an_interrupted_set_up_is_done_anew(start: Any, done: list[str], left: str) -> None:
    start.STAMP.write_text(left)
    start.set_up("tray")
    assert done == ["make", ".[tray]"]


def test_an_interruption_leaves_its_mark(start: Any, done: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    change_stamp(start, pyproject="other")
    with monkeypatch.context() as patch:
        patch.setattr(start, "install_pip", interrupt)
        assert start.main([]) == 130
    start.set_up("tray")
    assert done == ["make", ".[tray]"]


def test_a_failure_of_pip_is_not_begun_anew(start: Any, done: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise start.SetupError("no network")

    change_stamp(start, pyproject="other")
    with monkeypatch.context() as patch:
        patch.setattr(start, "install_pip", refuse)
        assert start.main([]) == 1
    start.set_up("tray")
    assert done == [".[tray]"]


def test_an_environment_made_by_hand_is_used(start: Any, done: list[str]) -> None:
    start.STAMP.unlink()
    start.set_up("tray")
    assert done == [".[tray]"]


def test_test_tools_are_added_once_and_stay(
    start: Any, done: list[str], checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start.set_up("test")
    assert done == [".[test]"]
    start.set_up("test")
    start.set_up("tray")
    assert done == [".[test]"]
    (checkout / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    start.set_up("tray")
    assert done == [".[test]", ".[test]"]


def test_extras_exist(start: Any) -> None:
    import tomllib

    project = tomllib.loads((SCRIPT.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for extras in start.EXTRAS.values():
        assert {*extras} <= {*project["optional-dependencies"]}


def test_an_environment_is_really_made(
    start: Any, checkout: Path, installed: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "downloads"
    folder.mkdir()
    for name in ("venv", "pip", "ensurepip", "json", "sitecustomize"):
        (folder / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PYTHONPATH", str(folder))

    start.set_up("test")

    assert installed == [".[test]"]
    assert start.venv_version() == f"3.{sys.version_info[1]}"
    assert not (tmp_path / "ran").exists(), "a file of the working folder was run"
    monkeypatch.setattr(start, "VENV", checkout / "elsewhere")
    assert start.venv_version() == ""


KOREAN = "홍길동"
ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}  # an encoding that no Korean path is in
UTF_8_STARTS = """import os, runpy, sys
sys.argv = sys.argv[1:]
os.environ.update({environment})
started = runpy.run_path(sys.argv[0])
done = started["run"](sys.executable, *started["ALONE"], "-c", "print('{KOREAN}')")
sys.exit(done.stdout.strip() != "{KOREAN}")"""


def test_what_other_pythons_print_is_utf8_in_every_locale() -> None:
    code = UTF_8_STARTS.format(environment=ASCII, KOREAN=KOREAN)
    subprocess.run([sys.executable, "-X", "utf8", "-c", code, str(SCRIPT)], check=True)


def test_a_path_in_korean_does_not_stop_a_python_of_another_encoding(
    start: Any, checkout: Path, installed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a Korean Windows, where Python 3.11 and 3.12 read `.pth` files in cp949, and end when they are not."""
    folder = checkout / KOREAN

    def install_pip() -> None:  # and what pip then does
        (packages,) = start.VENV.glob("[Ll]ib/**/site-packages")
        (packages / "_editable_impl_kiwoom_token_tray.pth").write_text(str(folder), "utf-8")

    folder.mkdir()
    monkeypatch.setattr(start, "install_pip", install_pip)
    start.set_up("tray")

    show = "import os, sys; print(os.fsencode(sys.path[-1]))"
    environment = {**os.environ, **ASCII}
    shown = subprocess.run([start.PYTHON, "-c", show], env=environment, capture_output=True, text=True, check=False)
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.strip() == repr(os.fsencode(folder))


def test_failure_is_one_line_and_the_programs_last(
    start: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program = "import sys; print(*(f'line {n}' for n in range(100)), sep='\\n'); sys.exit(sys.stdin.read() == '')"
    monkeypatch.setattr(start, "set_up", lambda _: start.run(sys.executable, "-c", program, failure=start.PIP_FAILED))
    assert start.main([]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "Setting up failed: pip could not install the packages. Its last lines:"
    assert lines[-1] == "  line 99"
    assert len(lines) == 13


def test_every_check_runs_and_pytest_is_last(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran: list[list[str]] = []

    def run_module(command: list[str]) -> int:
        ran.append(command)
        return 3 if command[:2] == ["ruff", "check"] else 0

    monkeypatch.setattr(checks, "run_module", run_module)
    assert checks.run_checks(["-m", "not desktop"]) == 3
    assert [command[:2] for command in ran[:2]] == [["ruff", "check"], ["ruff", "format"]]
    assert ran[2:] == [["mypy"], ["pytest", "-m", "not desktop"]]
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2:] == ["== Failed so far: ruff check .", '== pytest -m "not desktop"']


@pytest.mark.parametrize(("ci", "status", "says"), [("", 0, "SKIPPED"), ("true", 4, "ERROR")])
def test_tests_run_without_qts_libraries_but_not_in_ci(tmp_path: Path, ci: str, status: int, says: str) -> None:
    (tmp_path / "PySide6").mkdir()
    (tmp_path / "PySide6" / "__init__.py").write_text("raise ImportError('libGL.so.1: cannot open')")
    some = [
        *("tests/unit/test_icon.py", "tests/unit/test_kiwoom_codes.py"),
        "tests/unit/test_stop_signals.py",  # a program that loads Qt
        "tests/unit/test_doctor.py::test_starting_at_login_is_told",  # a thread looks whether Qt is installed
    ]
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *some],
        cwd=SCRIPT.parent,
        env={**os.environ, "PYTHONPATH": str(tmp_path), "CI": ci},
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    assert result.returncode == status, result.stdout + result.stderr
    told = [line for line in (result.stdout + result.stderr).splitlines() if line.startswith(says)]
    assert told
    assert all("libGL.so.1" in line for line in told)
    for package in (SCRIPT.parent / "resources/qt-debian-packages.txt").read_text().split():
        assert package in told[0]
    assert (" passed, " in result.stdout) is (status == 0)


def test_one_set_up_at_a_time(start: Any, checkout: Path) -> None:
    attempt = (
        "import importlib.util, pathlib, sys\n"
        "spec = importlib.util.spec_from_file_location('start', sys.argv[1])\n"
        "start = importlib.util.module_from_spec(spec)\n"
        "spec.loader.exec_module(start)\n"
        "start.ROOT = pathlib.Path(sys.argv[2])\n"
        "with open(start.ROOT / 'start.py', 'rb') as file:\n"
        "    start.wait_for_lock(file)\n"
        "    print('in', flush=True)\n"
    )
    command = [sys.executable, "-u", "-c", attempt, str(SCRIPT), str(checkout)]
    with open(checkout / "start.py", "rb") as file:
        start.wait_for_lock(file)
        other = subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8", errors="replace")
        assert other.stdout
        assert other.stdout.readline().startswith("Another start.py")
    said, _ = other.communicate(timeout=30)
    assert said.split() == ["in"]


@pytest.mark.parametrize("reader", ["README.md", ".ci/run"])
def test_debian_packages_are_named_in_one_place(reader: str) -> None:
    text = (SCRIPT.parent / reader).read_text(encoding="utf-8")

    assert "(cat resources/qt-debian-packages.txt" in text
    assert "libegl1" not in text


# ----------------------------------------------------------------------------------------------- what is not the user's


def give_to_another(monkeypatch: pytest.MonkeyPatch, start: Any, *paths: Path) -> None:
    monkeypatch.setattr(start, "is_anothers", lambda path: path in paths)


@pytest.mark.posix
def test_a_venv_of_another_user_is_to_be_removed(
    start: Any, done: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def denied() -> None:
        raise PermissionError(13, "Permission denied", str(start.STAMP))

    change_stamp(start, pyproject="other")
    (start.VENV / "lib").mkdir()
    give_to_another(monkeypatch, start, start.VENV / "lib")
    monkeypatch.setattr(start, "install_pip", denied)

    assert start.main([]) == 1

    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith(f"sudo rm -rf {start.VENV}")


@pytest.mark.posix
def test_a_folder_of_another_user_is_said_to_be_one(
    start: Any, checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    give_to_another(monkeypatch, start, checkout)
    command = [sys.executable, "-c", "raise PermissionError(13, 'Permission denied')"]
    monkeypatch.setattr(start, "make_venv", lambda: start.run(*command, failure="Python could not make .venv:"))

    assert start.main([]) == 1

    (line,) = capsys.readouterr().err.splitlines()
    assert f"{checkout} belongs to another user." in line


def test_what_is_denied_for_another_reason_is_told_as_it_is(start: Any, checkout: Path) -> None:
    assert start.whose_is_in_the_way(PermissionError(13, "Permission denied", "x")) == ""
    assert start.whose_is_in_the_way(start.SetupError("no network")) == ""


# ---------------------------------------------------------------------------------------------------------- no internet


def test_without_pip_and_internet_the_internet_is_what_is_missing(start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start, "run", lambda *_, failure="": subprocess.CompletedProcess([], 2, "not known\n"))
    with pytest.raises(start.SetupError, match=r"no internet connection.*\(not known\)"):
        start.install_pip()


def test_pip_without_internet_is_told_as_such(start: Any, checkout: Path) -> None:
    said = "print('WARNING: Retrying after connection broken by NewConnectionError'); raise SystemExit(1)"
    with pytest.raises(start.SetupError, match="no internet connection"):
        start.run(sys.executable, "-c", said, failure=start.PIP_FAILED)
