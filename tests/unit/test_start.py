"""`start.py`: what it decides, reads and writes. No network; one environment is made, without pip."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "start.py"
ADDRESS = "https://index.example/simple/pip/"
WHEEL = b"a wheel"
DIGEST = hashlib.sha256(WHEEL).hexdigest()


@pytest.fixture
def start() -> Any:
    """The script as a module of its own, so that a test may change its constants."""
    spec = importlib.util.spec_from_file_location("start_under_test", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def checkout(start: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with a `pyproject.toml` and an empty `.venv`, which the script takes for its own."""
    root = tmp_path / "checkout"
    (root / ".venv").mkdir(parents=True)
    (root / "pyproject.toml").write_text("[project]\n")
    (root / "start.py").write_text("")
    monkeypatch.setattr(start, "ROOT", root)
    monkeypatch.setattr(start, "VENV", root / ".venv")
    monkeypatch.setattr(start, "PYTHON", root / ".venv" / start.PYTHON.relative_to(SCRIPT.parent / ".venv"))
    return root


def link(name: str, digest: str = DIGEST, attributes: str = "") -> str:
    return f'<a href="../../files/{name}#sha256={digest}" {attributes}>{name}</a><br/>\n'


# ---------------------------------------------------------------------------------------------------- the command line


@pytest.mark.parametrize(
    ("arguments", "routed"),
    [
        ([], ("tray", ["--sandbox"])),
        (["--real"], ("tray", ["--real"])),
        (["--sandbox", "--profile", "test"], ("tray", ["--sandbox", "--profile", "test"])),
        (["test"], ("test", [])),
        (["test", "-m", "not desktop"], ("test", ["-m", "not desktop"])),
        (["--help"], ("help", [])),
        (["test", "--help"], ("test", ["--help"])),
    ],
)
def test_first_argument_decides(start: Any, arguments: list[str], routed: tuple[str, list[str]]) -> None:
    assert start.route(arguments) == routed


def test_help_sets_nothing_up(start: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(start, "set_up", lambda extras: pytest.fail("set up"))
    assert start.main(["--help"]) == 0
    assert "start.py test" in capsys.readouterr().out


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


# -------------------------------------------------------------------------------------------------------- the language


@pytest.mark.parametrize(
    ("variables", "is_korean"),
    [
        ({"LANG": "ko_KR.UTF-8"}, True),
        ({"LANG": "en_US.UTF-8"}, False),
        ({"LC_ALL": "C.UTF-8", "LANG": "ko_KR.UTF-8"}, False),
        ({"LC_ALL": "", "LC_MESSAGES": "ko", "LANG": "C"}, True),
    ],
)
def test_language_follows_the_locale(start: Any, variables: dict[str, str], is_korean: bool) -> None:
    assert start.korean(variables) is is_korean


def test_translations_fill_the_same_places(start: Any) -> None:
    for english, korean in start.KOREAN.items():
        names = [{piece.partition("}")[0] for piece in text.split("{")[1:]} for text in (english, korean)]
        assert names[0] == names[1], english


# ------------------------------------------------------------------------------------------------------- the index page


def test_newest_released_wheel_is_taken(start: Any) -> None:
    page = (
        link("pip-9.0.3-py2.py3-none-any.whl")
        + link("pip-24.10-py3-none-any.whl", attributes='data-requires-python="&gt;=3.8"')
        + link("pip-24.9-py3-none-any.whl")
        + link("pip-24.11.tar.gz")
        + link("pip-25.0b1-py3-none-any.whl")
        + link("pip-26.0-py3-none-any.whl", attributes='data-yanked="broken"')
        + link("pip-27.0-py3-none-any.whl", attributes='data-requires-python="&gt;=3.14"')
        + link("pip-28.0-py3-none-any.whl", digest="12")
    )
    found = start.newest_pip(page, ADDRESS, (3, 11, 2))
    assert found == ("https://index.example/files/pip-24.10-py3-none-any.whl", "pip-24.10-py3-none-any.whl", DIGEST)


def test_links_without_a_hash_do_not_count(start: Any) -> None:
    assert start.newest_pip('<a href="pip-24.0-py3-none-any.whl">pip</a>', ADDRESS, (3, 11, 2)) is None


@pytest.mark.parametrize(
    ("specifier", "allowed"),
    [
        ("", True),
        (">=3.9", True),
        (">=3.12", False),
        (">=2.7, !=3.0.*, !=3.11.*", False),
        (">=2.7,!=3.0.*", True),
        ("<4", True),
        ("<3.11.2", False),
        ("==3.11.*", True),
        ("~=3.10", False),
    ],
)
def test_python_requirement(start: Any, specifier: str, allowed: bool) -> None:
    assert start.allows(specifier, (3, 11, 2)) is allowed


def test_download_keeps_the_promised_file(start: Any, tmp_path: Path) -> None:
    asked: list[str] = []

    def fetch(url: str) -> bytes:
        asked.append(url)
        return WHEEL if url.endswith(".whl") else link("pip-24.0-py3-none-any.whl").encode()

    wheel = start.download_pip(tmp_path, "https://me:word@index.example/simple/", fetch)
    assert wheel.read_bytes() == WHEEL
    assert asked == [
        "https://me:word@index.example/simple/pip/",
        "https://me:word@index.example/files/pip-24.0-py3-none-any.whl",
    ]


def test_login_stays_with_its_server(start: Any, tmp_path: Path) -> None:
    page = f'<a href="https://files.example/pip-24.0-py3-none-any.whl#sha256={DIGEST}">pip</a>'
    asked: list[str] = []

    def fetch(url: str) -> bytes:
        asked.append(url)
        return WHEEL if url.endswith(".whl") else page.encode()

    start.download_pip(tmp_path, "https://me:word@index.example/simple", fetch)
    assert asked[1] == "https://files.example/pip-24.0-py3-none-any.whl"


def test_another_file_than_promised_is_refused(start: Any, tmp_path: Path) -> None:
    def fetch(url: str) -> bytes:
        return b"something else" if url.endswith(".whl") else link("pip-24.0-py3-none-any.whl").encode()

    with pytest.raises(start.SetupError, match="sha256"):
        start.download_pip(tmp_path, "https://index.example/simple", fetch)
    assert list(tmp_path.iterdir()) == []


def test_errors_do_not_show_the_login(start: Any, tmp_path: Path) -> None:
    def fetch(url: str) -> bytes:
        raise OSError("no route")

    with pytest.raises(start.SetupError) as caught:
        start.download_pip(tmp_path, "https://me:word@index.example/simple", fetch)
    assert "word" not in str(caught.value)
    assert "index.example" in str(caught.value)


def test_a_folder_can_be_the_index(start: Any, tmp_path: Path) -> None:
    index = tmp_path / "simple"
    (index / "pip").mkdir(parents=True)
    (index / "pip" / "pip-24.0-py3-none-any.whl").write_bytes(WHEEL)
    (index / "pip" / "index.html").write_text(
        f'<a href="pip-24.0-py3-none-any.whl#sha256={DIGEST}">pip</a>', encoding="utf-8"
    )
    wheel = start.download_pip(tmp_path, index.as_uri(), start.opener({}, []))
    assert wheel.read_bytes() == WHEEL


def test_only_web_and_files_are_fetched(start: Any) -> None:
    with pytest.raises(OSError, match="ftp"):
        start.opener({}, [])("ftp://index.example/pip.whl")


# ------------------------------------------------------------------------------------------------------- pip's settings


def test_settings_in_pips_order(start: Any, tmp_path: Path) -> None:
    shared, own = tmp_path / "shared.conf", tmp_path / "own.conf"
    shared.write_text("[global]\nindex-url = https://shared.example/simple\ncert = /shared.pem\n")
    own.write_text("[global]\nindex_url = https://own.example/simple\n")
    files = [shared, tmp_path / "missing.conf", own]
    assert start.pip_setting("index-url", {}, files) == "https://own.example/simple"
    assert start.pip_setting("cert", {}, files) == "/shared.pem"
    assert start.pip_setting("proxy", {}, files) == ""
    assert start.pip_setting("index-url", {"PIP_INDEX_URL": "https://env.example/"}, files) == "https://env.example/"
    shared.write_text("[install]\nindex-url = https://install.example/simple\n")
    assert start.pip_setting("index-url", {}, files) == "https://install.example/simple"


def test_a_broken_settings_file_is_passed_over(start: Any, tmp_path: Path) -> None:
    broken = tmp_path / "pip.conf"
    broken.write_bytes(b"index-url = \xff\n")
    assert start.pip_setting("index-url", {}, [broken]) == ""


def test_settings_files_can_be_switched_off(start: Any) -> None:
    assert start.pip_config_files({"PIP_CONFIG_FILE": os.devnull}) == []


def test_a_chosen_settings_file_comes_last(start: Any, tmp_path: Path) -> None:
    chosen = tmp_path / "chosen.conf"
    chosen.write_text("")
    assert start.pip_config_files({"PIP_CONFIG_FILE": str(chosen)})[-1] == chosen


def test_environment_leads_pip_nowhere_else(start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    monkeypatch.setenv("PIP_TARGET", "/elsewhere")
    monkeypatch.setenv("PIP_USER", "1")
    clean = start.environment()
    assert "PYTHONPATH" not in clean
    assert "PIP_TARGET" not in clean
    assert clean["PIP_USER"] == "0"
    assert clean["PIP_NO_INPUT"] == "1"


# ------------------------------------------------------------------------------------------------------------ the stamp


def done(start: Any, extras: str = "", **changes: object) -> dict[str, object]:
    return {**start.wanted(extras, {}), "python": "3.11", **changes}


@pytest.mark.parametrize(
    ("changes", "interpreter", "todo"),
    [
        ({}, "3.11", "ready"),
        ({}, "", "build"),
        ({}, "3.13", "build"),
        ({"root": "/elsewhere"}, "3.11", "build"),
        ({"state": "working"}, "3.11", "build"),
        ({"state": "failed"}, "3.11", "install"),
        ({"pyproject": "other"}, "3.11", "install"),
        ({"setup": 0}, "3.11", "install"),
    ],
)
def test_what_the_stamp_leads_to(
    start: Any, checkout: Path, changes: dict[str, object], interpreter: str, todo: str
) -> None:
    assert start.plan(done(start, **changes), start.wanted("", {}), interpreter) == todo


def test_an_environment_made_by_hand_is_used(start: Any, checkout: Path) -> None:
    assert start.plan(start.read_stamp(start.VENV), start.wanted("", {}), "3.12") == "install"


def test_test_tools_are_added_once_and_stay(start: Any, checkout: Path) -> None:
    plain, tested = done(start), done(start, "test")
    assert start.plan(plain, start.wanted("test", plain), "3.11") == "install"
    assert start.plan(tested, start.wanted("test", tested), "3.11") == "ready"
    assert start.plan(tested, start.wanted("", tested), "3.11") == "ready"


def test_a_changed_pyproject_is_noticed(start: Any, checkout: Path) -> None:
    before = done(start)
    (checkout / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    assert start.plan(before, start.wanted("", before), "3.11") == "install"


def test_a_damaged_stamp_counts_as_unfinished(start: Any, checkout: Path) -> None:
    start.write_stamp(start.VENV, done(start))
    assert start.read_stamp(start.VENV) == done(start)
    for text in ("{", "[]", ""):
        (start.VENV / start.STAMP).write_text(text)
        assert start.read_stamp(start.VENV)["state"] == "working"


# ----------------------------------------------------------------------------------------------------------- setting up


def test_set_up_once_then_again_after_a_failure(
    start: Any, checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(start, "get_pip", lambda: None)
    installed: list[str] = []
    monkeypatch.setattr(start, "install", installed.append)

    start.set_up("test")  # really makes an environment, without pip
    assert start.PYTHON.exists()
    assert len(capsys.readouterr().out.splitlines()) == 1
    start.set_up()
    assert installed == ["test"]
    assert capsys.readouterr().out == ""

    def refuse(extras: str) -> None:
        raise start.SetupError("no network")

    (checkout / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    monkeypatch.setattr(start, "install", refuse)
    with pytest.raises(start.SetupError):
        start.set_up()
    monkeypatch.setattr(start, "install", installed.append)
    start.set_up()
    assert installed == ["test", "test"]

    moved = checkout.with_name("moved")
    assert not start.interpreter_version(moved / start.PYTHON.relative_to(checkout))


def test_failure_is_one_line_and_pips_last(
    start: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(extras: str) -> None:
        raise start.SetupError("no network", "\n".join(f"line {number}" for number in range(100)))

    monkeypatch.setattr(start, "set_up", fail)
    monkeypatch.setattr(start, "korean", lambda: False)
    assert start.main([]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "Setting up failed: no network"
    assert lines[-1] == "  line 99"
    assert len(lines) == 1 + start.LAST_LINES


def test_every_check_runs_and_pytest_is_last(
    start: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran: list[list[str]] = []

    def follow(command: list[str]) -> int:
        ran.append(command[2:])
        return 3 if command[2:4] == ["ruff", "check"] else 0

    monkeypatch.setattr(start, "follow", follow)
    monkeypatch.setattr(start, "korean", lambda: False)
    assert start.run_tests(["-m", "not desktop"]) == 3
    assert [command[:2] for command in ran[:2]] == [["ruff", "check"], ["ruff", "format"]]
    assert ran[2:] == [["mypy"], ["pytest", "-m", "not desktop"]]
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2:] == ["== Failed so far: ruff check", '== pytest -m "not desktop"']


@pytest.mark.parametrize(("ci", "status", "says"), [("", 0, "SKIPPED"), ("true", 4, "ERROR")])
def test_tests_run_without_qts_libraries_but_not_in_ci(tmp_path: Path, ci: str, status: int, says: str) -> None:
    (tmp_path / "PySide6").mkdir()
    (tmp_path / "PySide6" / "__init__.py").write_text("raise ImportError('libGL.so.1: cannot open')")
    some = ["tests/unit/test_icon.py", "tests/unit/test_kiwoom_codes.py"]
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
    assert len(told) == 1
    assert "libGL.so.1" in told[0]
    assert "libegl1" in told[0]
    assert (" passed, 1 skipped in " in result.stdout) is (status == 0)


def test_one_set_up_at_a_time(start: Any, checkout: Path) -> None:
    attempt = (
        "import importlib.util, pathlib, sys\n"
        "spec = importlib.util.spec_from_file_location('start', sys.argv[1])\n"
        "start = importlib.util.module_from_spec(spec)\n"
        "spec.loader.exec_module(start)\n"
        "start.ROOT = pathlib.Path(sys.argv[2])\n"
        "start.korean = lambda: False\n"
        "with start.alone():\n"
        "    print('in', flush=True)\n"
    )
    command = [sys.executable, "-c", attempt, str(SCRIPT), str(checkout)]
    with start.alone():
        other = subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8", errors="replace")
        assert other.stdout
        assert other.stdout.readline().startswith("Another start.py")
    said, _ = other.communicate(timeout=30)
    assert said.split() == ["in"]
