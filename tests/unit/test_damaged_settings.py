"""The tray program with settings that cannot be used: it says so, waits, and goes on once the file is mended."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("PySide6.QtWidgets")

from PySide6.QtWidgets import QPushButton, QSystemTrayIcon
from pytestqt.qtbot import QtBot

from tray_app import app
from tray_app.core.errors import DONE, USAGE
from tray_app.desktop.settings.damaged import DamagedSettingsDialog
from tray_app.settings.load import Settings, load_settings


@pytest.fixture
def file(private_places: Path) -> Path:
    path = private_places / "places" / "settings" / "settings.toml"
    path.parent.mkdir(parents=True)
    path.write_text("mode = demo\n")
    return path


@pytest.fixture
def dialog(file: Path, qtbot: QtBot) -> DamagedSettingsDialog:
    made = DamagedSettingsDialog(load_settings(), load_settings, str(file))
    qtbot.addWidget(made)
    made.show_in_front()
    return made


def test_the_dialog_names_file_line_and_remedy(dialog: DamagedSettingsDialog, file: Path) -> None:
    assert dialog.isVisible()
    assert dialog.problem.text().startswith(f"{file}, line 1: the value of mode needs straight quotes")


def test_it_follows_the_file_until_that_is_mended(
    dialog: DamagedSettingsDialog, file: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr("tray_app.desktop.settings.damaged.alert", lambda widget: told.append(widget.text()))
    file.write_text('mode = "demo"\nstore = keyring\n')
    qtbot.waitUntil(lambda: "line 2: the value of store" in dialog.problem.text(), timeout=10_000)
    assert told[-1] == dialog.problem.text(), "a screen reader says it"

    with qtbot.waitSignal(dialog.mended, timeout=10_000) as mended:
        file.with_name("new").write_text('mode = "demo"\nstore = "memory"\n')
        file.with_name("new").replace(file)

    settings: Settings = mended.args[0]
    assert (settings.mode, settings.store) == ("demo", "memory")


def test_quitting_leaves_the_file_alone(dialog: DamagedSettingsDialog, file: Path, qtbot: QtBot) -> None:
    leave = dialog.findChild(QPushButton, "quit")
    with qtbot.waitSignal(dialog.quit_requested):
        leave.click()
    assert file.read_text() == "mode = demo\n"


@pytest.mark.parametrize("has_tray", [True, False])
def test_closing_it_waits_in_the_tray_and_without_one_quits(
    dialog: DamagedSettingsDialog, monkeypatch: pytest.MonkeyPatch, *, has_tray: bool
) -> None:
    monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", lambda: has_tray)
    asked: list[bool] = []
    dialog.quit_requested.connect(lambda: asked.append(True))

    dialog.close()

    assert asked == ([] if has_tray else [True])
    assert not dialog.isVisible()


def test_the_program_goes_on_with_the_mended_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Any] = []
    monkeypatch.setattr("tray_app.desktop.main.run_desktop", lambda settings, *_, **__: started.append(settings) or 0)

    def wait(settings: Settings, load: Any, _: object) -> Settings:
        assert not settings.is_usable
        file.write_text('mode = "demo"\n')
        return load()

    monkeypatch.setattr("tray_app.desktop.settings.damaged.wait_until_mended", wait)

    assert app.main([]) == DONE
    assert [one.mode for one in started] == ["demo"]


@pytest.mark.parametrize("has_screen", [True, False])
def test_the_program_ends_with_2_when_nobody_mends_it(
    has_screen: bool, file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tray_app.desktop.display.display_problem", lambda _: "" if has_screen else "No screen.")
    monkeypatch.setattr("tray_app.desktop.settings.damaged.wait_until_mended", lambda *_: None)

    assert app.main(["--background"]) == USAGE
    assert capsys.readouterr().err.startswith(f"{file}, line 1")
