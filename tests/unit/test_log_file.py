"""The log file: private, bounded, for several processes, and never a reason for a program to fail."""

from __future__ import annotations

import logging
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import ROOT
from tests.command_line import Run
from tray_app.cli.diagnostics import log_file, start_log
from tray_app.core import logs
from tray_app.core.errors import InvalidInput
from tray_app.system.child_process import COMMAND_LINE_PROGRAM, TRAY_PROGRAM
from tray_app.system.log_file import LogFileHandler, last_lines

SECRET = "Ab3_-" * 17 + "x"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "logs" / "kiwoom-token.log"


@pytest.fixture
def log(path: Path) -> Iterator[Path]:
    stop = start_log(str(path), logs.INFO)
    yield path
    stop()


def test_the_file_is_private_and_made_with_the_first_line(log: Path) -> None:
    logs.debug("of no interest")
    assert not log.exists()

    logs.info("Token saved to %s", "keyring")

    (line,) = log.read_text().splitlines()
    assert line.endswith(f" INFO {os.getpid()} kiwoom test_log_file.py:{line_of('Token saved')} Token saved to keyring")
    if sys.platform != "win32":
        assert stat.S_IMODE(log.stat().st_mode) == 0o600
        assert stat.S_IMODE(log.parent.stat().st_mode) == 0o700


def line_of(text: str) -> int:
    lines = Path(__file__).read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if f'"{text}' in line)


def test_a_host_program_sees_the_place_of_the_call(caplog: pytest.LogCaptureFixture) -> None:
    logs.warning("Keyring not used")
    assert [(one.filename, one.funcName) for one in caplog.records] == [
        ("test_log_file.py", "test_a_host_program_sees_the_place_of_the_call")
    ]


def test_one_line_is_one_line_and_shows_no_secret(log: Path) -> None:
    logs.warning("Answer: %s", f"\x1b[31mone\ntwo token={SECRET}")

    (line,) = log.read_text().splitlines()
    assert line.endswith(r"Answer: \x1b[31mone\ntwo token=***")


@pytest.mark.parametrize("name", ["kiwoom", "kiwoom.child", "kiwoom.child.of.it"])
def test_child_loggers_and_extra_attributes_are_masked(log: Path, name: str) -> None:
    seen: list[logging.LogRecord] = []
    host = logging.Handler()
    host.emit = seen.append  # type: ignore[assignment]
    logger = logging.getLogger(name)
    logs.info("of ours")
    logger.addHandler(host)
    try:
        logger.warning(
            "use %s", f"Bearer {SECRET}", extra={"token": "short", "context": {"body": SECRET}, "attempt": 3}
        )
    finally:
        logger.removeHandler(host)

    (record,) = seen
    assert (record.token, record.attempt) == ("***", 3)  # type: ignore[attr-defined]
    assert SECRET not in repr(vars(record))
    assert SECRET not in log.read_text()
    assert "Bearer ***" in log.read_text()


def test_an_error_is_told_by_kind_and_place_without_its_text(log: Path) -> None:
    def fail(secret: str) -> None:
        raise ZeroDivisionError(secret)

    try:
        try:
            fail("hidden-text")
        except ZeroDivisionError as error:
            raise InvalidInput("It cannot be {what}.", what="used") from error
    except InvalidInput as error:
        logs.error("Failed", cause=error)

    text = log.read_text()
    assert "InvalidInput: It cannot be used." in text
    assert "caused by" in text
    assert " in fail\n" in text
    assert "ZeroDivisionError" in text
    assert "hidden-text" not in text


def handler(path: Path, max_bytes: int) -> logging.Handler:
    one = LogFileHandler(str(path), max_bytes)
    one.setFormatter(logging.Formatter("%(message)s"))
    return one


def write(one: logging.Handler, text: str) -> None:
    one.emit(logging.LogRecord("kiwoom", logging.INFO, __file__, 1, text, (), None))


def test_old_lines_go_when_there_are_too_many(path: Path) -> None:
    one = handler(path, 1000)
    for number in range(1000):
        write(one, f"line {number:05}")

    assert sorted(found.name for found in path.parent.iterdir() if not found.name.endswith(".lock")) == [
        "kiwoom-token.log",
        "kiwoom-token.log.1",
        "kiwoom-token.log.2",
    ]
    assert sum(found.stat().st_size for found in path.parent.iterdir()) < 3500
    lines = last_lines(str(path), 10_000).splitlines()
    assert lines[-1] == "line 00999"
    assert lines == sorted(lines)
    assert last_lines(str(path), 22) == "line 00998\nline 00999\n"


def test_several_processes_lose_and_split_no_line(path: Path) -> None:
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from pathlib import Path\n"
        "from tests.unit.test_log_file import handler, write\n"
        "one = handler(Path(sys.argv[2]), 60_000)\n"
        "for number in range(500): write(one, f'{sys.argv[3]} {number:05} end')\n"
    )
    path.parent.mkdir(parents=True)
    running = [
        subprocess.Popen([sys.executable, "-c", script, str(ROOT), str(path), name], env={**os.environ})
        for name in "abcd"
    ]
    assert [one.wait(60) for one in running] == [0] * 4

    lines = last_lines(str(path), 1_000_000).splitlines()
    assert len(lines) == 2000
    for name in "abcd":
        assert [line for line in lines if line.startswith(name)] == [f"{name} {number:05} end" for number in range(500)]


@pytest.mark.posix
@pytest.mark.parametrize("kind", ["link", "hard link", "dangling link", "pipe", "folder", "full", "file for a folder"])
def test_what_is_no_log_of_ours_is_left_alone_and_harms_nobody(path: Path, tmp_path: Path, kind: str) -> None:
    path.parent.mkdir(parents=True)
    other = tmp_path / "other"
    if kind != "dangling link":
        other.write_text("of somebody else")
    if kind in {"link", "dangling link"}:
        path.symlink_to(other)
    elif kind == "hard link":
        path.hardlink_to(other)
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "full":
        path.symlink_to("/dev/full")
    else:
        path.parent.rmdir()
        path.parent.write_text("")

    write(handler(path, 1000), "a line")

    assert not other.exists() if kind == "dangling link" else other.read_text() == "of somebody else"
    assert last_lines(str(tmp_path / "nothing"), 100) == ""


# The programs


def test_a_library_writes_no_log(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import logging; logging.basicConfig(level=0)\n"
            "from tray_app import TokenManager; from tray_app.core import logs\n"
            "TokenManager().get_token(); logs.error('a line')",
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT), "KIWOOM_TRAY_STORE": "file"},
        capture_output=True,
        check=True,
    )
    assert b"a line" in done.stderr
    assert not Path(log_file(COMMAND_LINE_PROGRAM)).parent.exists()


def test_the_command_line_logs_warnings_alone(run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")
    assert run("status").status == 0
    assert not Path(log_file(COMMAND_LINE_PROGRAM)).exists()

    monkeypatch.setenv("KIWOOM_TRAY_STORE", "auto")  # and there is no keyring
    assert run("set", "--expires-in", "3600", stdin="a-token-of-a-test").err == ""

    lines = Path(log_file(COMMAND_LINE_PROGRAM)).read_text().splitlines()
    assert lines
    assert all(" WARNING " in line for line in lines)
    logs.warning("after the command")
    assert "after the command" not in Path(log_file(COMMAND_LINE_PROGRAM)).read_text()


@pytest.mark.parametrize("words", [("--verbose", "status"), ("status", "--verbose")])
def test_verbose_logs_to_stderr_too(
    run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")
    told = run(*words, "--profile", "..")
    assert told.status == 2
    assert "DEBUG" in told.err
    assert "main.py" in told.err


def test_an_unexpected_error_is_logged_where_it_was_raised(
    run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("hidden-text")

    monkeypatch.setattr("tray_app.cli.token.open_service", fail)
    assert run("status").err == "Something unexpected happened (ZeroDivisionError).\n"

    text = Path(log_file(COMMAND_LINE_PROGRAM)).read_text()
    assert " in fail\n" in text
    assert "hidden-text" not in text


@pytest.mark.parametrize(
    ("program", "module"), [(COMMAND_LINE_PROGRAM, "tray_app.cli.main"), (TRAY_PROGRAM, "tray_app")]
)
def test_each_program_tells_its_version(program: str, module: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", module, "--version"], cwd=ROOT, capture_output=True, encoding="utf-8", check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{program} 0.")


@pytest.mark.parametrize("where", ["thread", "main"])
def test_errors_that_nobody_caught_are_logged_and_show_no_text(tmp_path: Path, where: str) -> None:
    in_thread = "one = threading.Thread(target=fail, name='worker'); one.start(); one.join()"
    script = (
        "import threading\n"
        "from tray_app.cli.diagnostics import install_hooks, log_file, start_log\n"
        "start_log(log_file('kiwoom-token-tray'), 20)\n"
        "install_hooks(lambda kind: print('told', kind))\n"
        "def fail(): raise ZeroDivisionError('hidden-text')\n" + (in_thread if where == "thread" else "fail()")
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert "hidden-text" not in done.stdout + done.stderr
    assert ("told ZeroDivisionError" in done.stdout) is (where == "main")
    text = Path(log_file(TRAY_PROGRAM)).read_text()
    assert "Uncaught error" in text
    assert " in fail\n" in text
    assert "hidden-text" not in text


@pytest.mark.posix
def test_a_crash_leaves_the_stacks_of_all_threads(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "tray.crash"
    script = (
        "import faulthandler, sys\n"
        "from tray_app.cli.diagnostics import watch_for_crashes\n"
        "watch_for_crashes(sys.argv[1])\n"
        "def crash(): faulthandler._sigsegv()\n"
        "crash()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False
    )
    assert done.returncode < 0
    assert "in crash" in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_qt_says_is_logged(log: Path) -> None:
    from PySide6.QtCore import qInstallMessageHandler, qWarning

    from tray_app.desktop.qt_messages import log_qt_messages

    before = qInstallMessageHandler(None)
    try:
        log_qt_messages()
        qWarning(f"a widget says Bearer {SECRET}")
    finally:
        qInstallMessageHandler(before)

    assert "WARNING" in log.read_text()
    assert "a widget says Bearer ***" in log.read_text()
