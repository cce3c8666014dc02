"""`kiwoom-token-tray`: what it does before there is a window, and where there cannot be one."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
import tomllib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tray_app import app
from tray_app.cli.diagnostics import log_file
from tray_app.desktop.display import display_problem
from tray_app.desktop.single_instance import SingleInstance
from tray_app.history.database import History
from tray_app.kiwoom.sandbox.shared import sandbox_places
from tray_app.service.composition import open_service
from tray_app.settings.places import sandbox_dir, settings_scope
from tray_app.system.child_process import TRAY_PROGRAM
from tray_app.system.extras import install_command


@pytest.fixture
def desktop(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the desktop was started with."""
    started: list[dict[str, Any]] = []

    def run_desktop(settings: Any, environ: Mapping[str, str], **options: Any) -> int:
        started.append({"settings": settings, "environ": environ, **options})
        return 0

    monkeypatch.setattr("tray_app.desktop.main.run_desktop", run_desktop)
    return started


@pytest.fixture
def newcomer(monkeypatch: pytest.MonkeyPatch, desktop: list[dict[str, Any]]) -> list[str]:
    """A computer on which nothing was set up; collects how often the set-up was shown, which is left at once."""
    from tray_app.desktop.setup.flow import SetupResult

    shown: list[str] = []

    def set_up(settings: Any, _: Mapping[str, str]) -> SetupResult:
        shown.append(settings.profile)
        return SetupResult.CONTINUE

    monkeypatch.delenv("KIWOOM_TRAY_DATA_DIR")
    monkeypatch.setattr("tray_app.settings.places.checkout_data_dir", lambda: None)
    monkeypatch.setattr("tray_app.desktop.setup.first_run.set_up", set_up)
    return shown


def status_of(arguments: list[str]) -> int:
    try:
        return app.main(arguments)
    except SystemExit as ended:
        return int(ended.code or 0)


def test_first_start_chooses_the_data_folder_and_writes_it_down(
    desktop: list[dict[str, Any]], newcomer: list[str], private_places: Path
) -> None:
    assert status_of([]) == 0
    chosen = desktop[0]["settings"].data_dir
    assert chosen.startswith(str(private_places))
    settings = private_places / "places" / "settings" / "settings.toml"
    assert tomllib.loads(settings.read_text(encoding="utf-8"))["data_dir"] == chosen


def test_set_up_is_shown_at_the_first_start_only(desktop: list[dict[str, Any]], newcomer: list[str]) -> None:
    assert status_of([]) == 0
    assert status_of([]) == 0
    assert newcomer == ["default"]
    assert len(desktop) == 2


@pytest.mark.parametrize("arguments", [["--background"], ["--sandbox"]])
def test_nobody_is_asked_at_login_or_when_practising(
    desktop: list[dict[str, Any]], newcomer: list[str], arguments: list[str]
) -> None:
    assert status_of(arguments) == 0
    assert newcomer == []


@pytest.mark.parametrize("variable", ["APP_KEY", "APP_SECRET_MOCK", "KIWOOM_TRAY_DATA_DIR"])
def test_who_has_set_up_by_the_environment_is_not_asked(
    desktop: list[dict[str, Any]],
    newcomer: list[str],
    monkeypatch: pytest.MonkeyPatch,
    private_places: Path,
    variable: str,
) -> None:
    monkeypatch.setenv(variable, str(private_places / "x"))
    assert status_of([]) == 0
    assert newcomer == []


def test_own_settings_count_as_set_up(desktop: list[dict[str, Any]], newcomer: list[str], private_places: Path) -> None:
    folder = private_places / "places" / "settings"
    folder.mkdir(parents=True)
    (folder / "settings.toml").write_text('policy = "notify"\n')
    assert status_of([]) == 0
    assert newcomer == []


def test_without_a_screen_nobody_is_asked(newcomer: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tray_app.desktop.display.display_problem", lambda _: "There is no screen here.")
    monkeypatch.setattr("tray_app.cli.watch.watch_over", lambda *_: 0)
    assert status_of([]) == 0
    assert newcomer == []


def test_sandbox_chosen_in_the_set_up_is_that_of_sandbox_and_leaves_no_settings(
    desktop: list[dict[str, Any]], newcomer: list[str], monkeypatch: pytest.MonkeyPatch, private_places: Path
) -> None:
    from tray_app.desktop.setup.flow import SetupResult

    monkeypatch.setattr("tray_app.desktop.setup.first_run.set_up", lambda *_: SetupResult.SANDBOX)
    assert status_of(["--lifetime", "900"]) == 0
    assert desktop[0]["sandbox"]
    assert desktop[0]["settings"].mode == "demo"
    assert desktop[0]["settings"].data_dir.endswith("sandbox")
    assert desktop[0]["show"]
    assert not (private_places / "places" / "settings").exists()


@pytest.mark.parametrize(("arguments", "shows"), [([], True), (["--background"], False)])
def test_who_practises_sees_the_window_unless_it_is_for_the_background(
    desktop: list[dict[str, Any]], arguments: list[str], shows: bool
) -> None:
    assert status_of(["--sandbox", *arguments]) == 0
    assert desktop[0]["show"] is shows


def test_program_that_is_ended_during_the_set_up_ends_and_asks_again(
    desktop: list[dict[str, Any]], newcomer: list[str], monkeypatch: pytest.MonkeyPatch, private_places: Path
) -> None:
    monkeypatch.setattr("tray_app.desktop.setup.first_run.set_up", lambda *_: None)
    assert status_of([]) == 0
    assert desktop == []
    assert not (private_places / "places" / "settings").exists()


def test_sandbox_touches_nothing_of_the_user(
    desktop: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, private_places: Path
) -> None:
    monkeypatch.setenv("APP_KEY", "the-users-own-key")
    monkeypatch.setenv("APP_SECRET", "the-users-own-secret")
    monkeypatch.setenv("KIWOOM_TRAY_STORE", "keyring")
    monkeypatch.setenv("KIWOOM_MODE", "real")
    monkeypatch.setenv("KIWOOM_PROFILE", "Second")
    outcomes = []

    def run_desktop(settings: Any, environ: Mapping[str, str], **_: Any) -> int:
        assert "the-users-own-key" not in environ.values()
        outcomes.append((open_service(settings, environ=environ).refresh(), settings))
        return 0

    monkeypatch.setattr("tray_app.desktop.main.run_desktop", run_desktop)
    assert status_of(["--sandbox", "--lifetime", "900"]) == 0
    ((outcome, settings),) = outcomes
    assert (settings.store, settings.mode, settings.profile) == ("file", "demo", "default")
    assert (private_places / "data" / "sandbox" / ".token").exists()
    assert not (private_places / "data" / ".token").exists()
    lived = outcome.token.expires_at - outcome.token.created_at
    assert 895 <= lived.total_seconds() <= 902
    assert not (private_places / "places" / "settings").exists()


def test_sandbox_ends_with_the_program(desktop: list[dict[str, Any]]) -> None:
    import httpx

    assert status_of(["--sandbox"]) == 0
    with pytest.raises(httpx.TransportError):
        httpx.get(desktop[0]["environ"]["KIWOOM_TRAY_BASE_URL"], timeout=2)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--nonsense"],
        ["extra"],
        ["--profile", "../../x"],
        ["--sandbox", "--lifetime", "nan"],
        ["--lifetime", "x"],
        ["--sandbox", "--profile", "B"],
        ["--show", "--background"],
        ["--quit", "--show"],
    ],
)
def test_wrong_arguments_are_2_on_one_line(
    desktop: list[dict[str, Any]], capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert status_of(arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.splitlines()) == 1
    assert desktop == []


@pytest.mark.parametrize("arguments", [["--quit"], ["--quit", "--sandbox"], ["--quit", "--profile", "Second"]])
def test_quit_where_none_runs_is_done_and_starts_nothing(
    qapp: object,
    desktop: list[dict[str, Any]],
    capsys: pytest.CaptureFixture[str],
    private_places: Path,
    arguments: list[str],
) -> None:
    assert status_of(arguments) == 0
    assert capsys.readouterr().err == "It is not running.\n"
    assert desktop == []
    assert list(private_places.iterdir()) == [], "neither settings nor practice data"


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        ([], False),
        (["--show"], True),
        (["--background"], False),
        (["-Embedding"], True),  # as Windows starts it for a click on a notice
    ],
)
def test_window_is_shown_at_the_start_only_where_that_is_asked_for(
    desktop: list[dict[str, Any]], arguments: list[str], shown: bool
) -> None:
    assert status_of(arguments) == 0
    assert desktop[0]["show"] is shown


def test_wrong_argument_that_is_a_secret_is_not_repeated(
    desktop: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    secret = "Ab3_" * 12
    assert status_of([secret]) == 2
    assert secret not in capsys.readouterr().err


def test_base_url_that_keys_must_not_be_sent_to_is_2(
    desktop: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIWOOM_TRAY_BASE_URL", "http://example.com")
    assert status_of([]) == 2
    assert desktop == []


def test_problems_of_the_settings_are_told_and_it_starts(
    desktop: list[dict[str, Any]], private_places: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = private_places / "places" / "settings"
    folder.mkdir(parents=True)
    (folder / "settings.toml").write_text('policy = "never"\n')
    assert status_of([]) == 0
    assert "policy" in capsys.readouterr().err
    assert len(desktop) == 1


def test_without_a_console_nothing_fails(desktop: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    monkeypatch.setattr(sys, "stdout", None)
    assert status_of(["--sandbox"]) == 0
    assert status_of(["--nonsense"]) == 2


def test_without_a_screen_it_watches_in_the_terminal(
    desktop: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    watch_paths = []
    monkeypatch.setattr("tray_app.desktop.display.display_problem", lambda _: "There is no screen here.")
    monkeypatch.setattr("tray_app.cli.watch.watch_over", lambda settings, _: watch_paths.append(settings.profile) or 0)
    assert status_of(["--profile", "Second"]) == 0
    assert watch_paths == ["Second"]
    assert desktop == []
    assert capsys.readouterr().err.startswith("There is no screen here. The token is watched in this terminal.")


def test_the_command_that_brings_qt_has_nothing_behind_it(
    desktop: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tray_app.desktop.display.has_qt", lambda: False)
    monkeypatch.setattr("tray_app.cli.watch.watch_over", lambda *_: 0)

    assert status_of([]) == 0

    told = capsys.readouterr().err.splitlines()[0]
    assert told.startswith("The token is watched in this terminal.")
    assert told.endswith(install_command("tray"))


def test_quit_names_what_qt_lacks_of_the_system(
    desktop: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As on a Debian with the extra `tray` and without Qt's system libraries, where the tray runs in a terminal."""
    monkeypatch.setitem(sys.modules, "PySide6.QtCore", None)
    monkeypatch.setattr("tray_app.desktop.display.display_problem", lambda _: "There is no screen here.")
    monkeypatch.setattr("tray_app.cli.watch.watch_over", lambda *_: status_of(["--quit"]))

    assert status_of(["--quit"]) == 1
    assert capsys.readouterr().err.startswith("Qt cannot be loaded (")
    assert status_of([]) == 1
    assert capsys.readouterr().err.endswith("\nIt runs in a terminal. End it there with Ctrl+C.\n")


def test_quit_names_a_practice_one_that_goes_on(qapp: object, capsys: pytest.CaptureFixture[str]) -> None:
    folder = sandbox_dir(os.environ)
    practice = SingleInstance(settings_scope(sandbox_places(folder)))
    assert practice.is_primary()
    try:
        assert status_of(["--quit"]) == 0
        assert "--sandbox --quit" in capsys.readouterr().err
    finally:
        practice.close()
    assert status_of(["--quit"]) == 0
    assert capsys.readouterr().err == "It is not running.\n"


def test_quit_names_the_one_that_watches_in_a_terminal(
    qapp: object, desktop: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tray_app.desktop.display.display_problem", lambda _: "There is no screen here.")
    monkeypatch.setattr("tray_app.cli.watch.watch_over", lambda *_: status_of(["--quit"]))

    assert status_of([]) == 1
    assert capsys.readouterr().err.endswith("\nIt runs in a terminal. End it there with Ctrl+C.\n")
    assert status_of(["--quit"]) == 0
    assert capsys.readouterr().err == "It is not running.\n"


def test_a_platform_that_cannot_be_used_is_named_where_there_is_a_screen() -> None:
    assert "QT_QPA_PLATFORM" in display_problem({"QT_QPA_PLATFORM": "nonsense", "DISPLAY": ":0"})
    assert "QT_QPA_PLATFORM" not in display_problem({"QT_QPA_PLATFORM": "nonsense"})


@pytest.fixture
def screens(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Lets Wayland compositors appear in the runtime folder, which answer or only accept; all of Qt's plugins load."""
    monkeypatch.setattr("tray_app.desktop.display._why_no_plugin", lambda _: "")
    monkeypatch.setattr("tray_app.desktop.display._why_no_x11_screen", lambda: "")
    monkeypatch.setattr("tray_app.desktop.display.ANSWER_SECONDS", 1.0)
    servers: list[socket.socket] = []
    accepted: list[socket.socket] = []

    def serve(server: socket.socket, *, answers: bool) -> None:
        with contextlib.suppress(OSError):
            while True:
                accepted.append(server.accept()[0])
                if answers:
                    accepted[-1].recv(64)
                    accepted[-1].sendall(bytes(12))

    def appear(name: str, *, answers: bool) -> None:
        server = socket.socket(socket.AF_UNIX)
        server.bind(os.path.join(os.environ["XDG_RUNTIME_DIR"], name))
        server.listen()
        servers.append(server)
        threading.Thread(target=partial(serve, server, answers=answers), daemon=True).start()

    yield appear
    for one in [*servers, *accepted]:
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()
    for name in ("compositor", "silent"):
        Path(os.environ["XDG_RUNTIME_DIR"], name).unlink(missing_ok=True)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have one screen")
@pytest.mark.parametrize(
    ("environ", "has_screen"),
    [
        ({}, False),
        ({"DISPLAY": ""}, False),
        ({"DISPLAY": ":0"}, True),
        ({"QT_QPA_PLATFORM": "xcb"}, False),
        ({"QT_QPA_PLATFORM": "nonsense", "DISPLAY": ":0"}, False),
        ({"QT_QPA_PLATFORM": "linuxfb"}, False),
        ({"QT_QPA_PLATFORM": "wayland", "DISPLAY": ":0"}, False),
        ({"QT_QPA_PLATFORM": "wayland;xcb", "DISPLAY": ":0"}, True),
        ({"QT_QPA_PLATFORM": "offscreen"}, True),
        ({"QT_QPA_PLATFORM": "vnc:size=640x480"}, True),
        ({"WAYLAND_DISPLAY": "compositor"}, True),
        ({"WAYLAND_DISPLAY": "gone"}, False),
        ({"WAYLAND_DISPLAY": "gone", "DISPLAY": ":0"}, True),
        ({"WAYLAND_DISPLAY": "gone", "DISPLAY": ":0", "XDG_SESSION_TYPE": "wayland"}, True),
        ({"WAYLAND_DISPLAY": "silent"}, False),
        ({"WAYLAND_DISPLAY": "silent", "DISPLAY": ":0", "XDG_SESSION_TYPE": "wayland"}, False),
        ({"WAYLAND_DISPLAY": "silent", "DISPLAY": ":0"}, True),
    ],
)
def test_screen_is_looked_for_before_qt_is_asked(
    screens: Callable[..., None], environ: dict[str, str], has_screen: bool
) -> None:
    screens("compositor", answers=True)
    screens("silent", answers=False)

    problem = display_problem({"XDG_RUNTIME_DIR": os.environ["XDG_RUNTIME_DIR"], **environ})

    assert (problem == "") is has_screen


def test_the_end_of_the_tray_leaves_no_record_unwritten(tmp_path: Path) -> None:
    """The program ends itself once Qt is loaded, and what it told the history is written all the same."""
    program = (
        "import sys; from PySide6.QtCore import QCoreApplication;"
        "from tray_app import app; from tray_app.history.database import History;"
        "app.main = lambda _: print('told') or History(sys.argv[1]).record("
        "'default', [(1.79e9, 'cleared', None, None)]) or 7;"
        "app.run()"
    )
    path = str(tmp_path / "history.db")
    ended = subprocess.run(
        [sys.executable, "-c", program, path],
        env={**os.environ, "PYTHONPATH": str(Path(app.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (7, "told\n", "")
    assert len(History(path).read("default")) == 1


class TestWithoutATerminal:
    @pytest.fixture
    def boxes(self, monkeypatch: pytest.MonkeyPatch, desktop: list[dict[str, Any]]) -> list[str]:
        """What a box said to a user whose program has no standard error, as on Windows."""
        shown: list[str] = []

        def show(title: str, text: str) -> bool:
            assert title == "Kiwoom Token Tray"
            shown.append(text)
            return True

        monkeypatch.setattr("tray_app.app.show_windows_box", show)
        monkeypatch.setattr("tray_app.app.is_stderr_read", lambda: False)
        return shown

    def test_an_option_that_is_not_understood_is_told_in_a_box(self, boxes: list[str]) -> None:
        assert status_of(["--nonsense"]) == 2
        assert len(boxes) == 1
        assert "--nonsense" not in boxes[0]

    def test_a_setting_that_cannot_be_used_is_told_in_a_box(
        self, boxes: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("KIWOOM_TRAY_STORE", "cloud")
        assert status_of([]) == 2
        assert [one for one in boxes if "KIWOOM_TRAY_STORE" in one]

    def test_an_unexpected_failure_is_told_in_a_box_that_names_the_log(
        self, boxes: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object, **_options: object) -> None:
            raise ZeroDivisionError("hidden-text")

        monkeypatch.setattr("tray_app.desktop.main.run_desktop", fail)
        assert status_of([]) == 1
        (told,) = boxes
        assert told.startswith("Something unexpected happened (ZeroDivisionError). The log is in ")
        text = Path(log_file(TRAY_PROGRAM)).read_text()
        assert " in fail\n" in text
        assert "hidden-text" not in text

    def test_a_program_that_starts_shows_no_box(self, boxes: list[str]) -> None:
        assert status_of([]) == 0
        assert boxes == []


def test_with_a_reader_of_standard_error_there_is_no_box(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tray_app.app.show_windows_box", lambda *_: pytest.fail("a box"))
    assert status_of(["--nonsense"]) == 2
    assert "See: kiwoom-token-tray --help" in capsys.readouterr().err


def test_the_start_is_logged(desktop: list[dict[str, Any]], private_places: Path) -> None:
    assert status_of([]) == 0
    assert " starts, Python 3." in Path(log_file(TRAY_PROGRAM)).read_text()


def test_practising_leaves_the_log_of_the_user_alone(desktop: list[dict[str, Any]], private_places: Path) -> None:
    assert status_of(["--sandbox"]) == 0
    assert not Path(log_file(TRAY_PROGRAM)).exists()
    assert list(private_places.rglob(f"sandbox/logs/{TRAY_PROGRAM}.log"))
