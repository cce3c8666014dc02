"""Windows alone: the user's folder of programs' data, for a program that was started without an environment."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "win32", reason="Windows' own folders")


def test_windows_knows_the_folder_without_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOCALAPPDATA", "APPDATA", "USERPROFILE"):
        monkeypatch.delenv(name, raising=False)

    if sys.platform == "win32":
        from tray_app.system.windows_folders import local_app_data

        folder = Path(local_app_data())

        assert folder.is_absolute()
        assert folder.is_dir()
