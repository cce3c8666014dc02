"""What the application for macOS is made of."""

from __future__ import annotations

import plistlib
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from tests.packaging.conftest import ROOT
from tests.scripts import load_script

SPEC = ROOT / "packaging" / "kiwoom-token-tray.spec"


@pytest.fixture
def bundle(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the spec gives to PyInstaller's `BUNDLE` on macOS."""
    asked: dict[str, Any] = {}
    analysis = SimpleNamespace(binaries=[], datas=[], pure=[], scripts=[])
    modules: dict[str, dict[str, Any]] = {
        "PyInstaller": {},
        "PyInstaller.depend": {},
        "PyInstaller.depend.bindepend": {"get_imports": lambda _: []},
        "PyInstaller.utils": {},
        "PyInstaller.utils.hooks": {
            "collect_data_files": lambda *_, **__: [],
            "collect_submodules": lambda _: [],
            "copy_metadata": lambda _: [],
        },
    }
    for name, contents in modules.items():
        module = ModuleType(name)
        vars(module).update(contents)
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setenv("PACKAGE_VERSION", "1.2.3")
    monkeypatch.setattr("tray_app.service.exchange_calendar.holidays_record", lambda *_, **__: b"")
    monkeypatch.setattr(sys, "platform", "darwin")
    names = {
        "SPECPATH": str(SPEC.parent),
        "Analysis": lambda *_, **__: analysis,
        "PYZ": lambda *_, **__: None,
        "EXE": lambda *_, **__: None,
        "COLLECT": lambda *_, **__: None,
        "BUNDLE": lambda *_, **values: asked.update(values),
    }
    exec(compile(SPEC.read_text(encoding="utf-8"), str(SPEC), "exec"), names)  # noqa: S102 - a script of ours
    return asked


def test_a_double_click_starts_the_tray_and_not_the_command_line(bundle: dict[str, Any]) -> None:
    """By itself PyInstaller (6.22) takes the program whose name comes first, and forbids windows (`LSBackgroundOnly`)
    if the last one has a console."""
    told = bundle["info_plist"]
    assert told["CFBundleExecutable"] == "kiwoom-token-tray"
    assert told["LSBackgroundOnly"] is False
    assert told["LSUIElement"] is True
    assert plistlib.loads(plistlib.dumps(told)) == told


@pytest.mark.parametrize(
    ("told", "is_right"),
    [
        ({"CFBundleExecutable": "kiwoom-token-tray", "LSBackgroundOnly": False}, True),
        ({"CFBundleExecutable": "kiwoom-token-tray"}, True),
        ({"CFBundleExecutable": "kiwoom-token", "LSBackgroundOnly": False}, False),
        ({"CFBundleExecutable": "kiwoom-token-tray", "LSBackgroundOnly": True}, False),
    ],
)
def test_a_build_that_would_start_something_else_fails(tmp_path: Path, told: dict[str, Any], *, is_right: bool) -> None:
    (tmp_path / "Contents").mkdir()
    (tmp_path / "Contents" / "Info.plist").write_bytes(plistlib.dumps(told))
    build = load_script("packaging/build.py")
    if is_right:
        build.check_application(tmp_path)
    else:
        with pytest.raises(SystemExit):
            build.check_application(tmp_path)
