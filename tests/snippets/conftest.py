"""A trader's folder: the code of the pages in it, `kiwoom-token` on the path, and a practice Kiwoom to talk to."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests import IN_CI
from tests.sandbox import sandbox_with_keys
from tests.snippets.pages import ROOT, code
from tray_app import TokenManager
from tray_app.kiwoom.sandbox import SandboxKiwoom

PATIENCE_SECONDS = 60


class Project:
    """A folder in which the code of a page is run as a trader runs it, in a process of its own."""

    def __init__(self, folder: Path, kiwoom: SandboxKiwoom) -> None:
        self.folder = folder
        self.kiwoom = kiwoom

    def put(self, page: str, name: str, replaced: Mapping[str, str] | None = None) -> Path:
        """Write the code into the folder; Kiwoom's address becomes the practice Kiwoom's."""
        text = code(page, name)
        for old, new in (replaced or {}).items():
            assert old in text, f"{page} has no {old}"
            text = text.replace(old, new)
        path = self.folder / name
        path.write_text(text.replace("https://api.kiwoom.com", self.kiwoom.base_url), encoding="utf-8")
        return path

    def start(self, *command: str | Path, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [shutil.which(command[0]) or str(command[0]), *map(str, command[1:])],
            cwd=self.folder,
            env={**os.environ, "PYTHONIOENCODING": "utf-8", **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",  # Windows PowerShell writes in the console's code page
        )

    def run(self, *command: str | Path, stdin: str = "", status: int = 0, **environment: str) -> str:
        """Return what a command prints once it has ended with that status."""
        with self.start(*command, **environment) as program:
            try:
                said, _ = program.communicate(stdin, timeout=PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                program.kill()
                raise
        assert program.returncode == status, said
        return said

    def refuse_present_token(self) -> str:
        """Let Kiwoom refuse the token that is stored now, as after a revoke elsewhere. Return it."""
        token = TokenManager().ensure_token()
        self.kiwoom.revoke_elsewhere(token)
        return token

    @property
    def asked(self) -> tuple[int, int]:
        """How many tokens were issued, and how many other requests came."""
        counts = self.kiwoom.counts()
        return counts["issue"], counts["rest"]


def put_program(path: Path, *command: str) -> None:
    """Make a program of that name that runs a command with the arguments it is given."""
    words = " ".join(f'"{one}"' for one in command)
    path.write_text(f'#!/bin/sh\nexec {words} "$@"\n')
    path.chmod(0o755)


def needs(*programs: str, in_ci: bool = True) -> str:
    """Return the path of the first of these that there is. Skip the test where there is none, or fail `in_ci`."""
    found = next(filter(None, map(shutil.which, programs)), None)
    if found is None:
        _give_up(f"there is no {' or '.join(programs)} here", in_ci=in_ci)
    return str(found)


def needs_package(name: str) -> None:
    """Skip the test without a Python package that the project's extra `test` has; fail in CI."""
    if importlib.util.find_spec(name) is None:
        _give_up(f"the package {name} is not installed here", in_ci=True)


def _give_up(reason: str, *, in_ci: bool) -> None:
    (pytest.fail if in_ci and IN_CI else pytest.skip)(reason)


@pytest.fixture
def project(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Project]:
    folder, programs = tmp_path / "bots", tmp_path / "programs"
    folder.mkdir()
    programs.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    if sys.platform == "win32":
        monkeypatch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
        if shutil.which("kiwoom-token") is None:
            pytest.skip("kiwoom-token is not installed beside this Python")
    else:
        put_program(programs / "kiwoom-token", sys.executable, "-P", "-m", "tray_app.cli.main")
        put_program(programs / "python", sys.executable)
        monkeypatch.setenv("PATH", os.pathsep.join([str(programs), os.environ["PATH"]]))
    with sandbox_with_keys(monkeypatch) as kiwoom:
        monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")
        yield Project(folder, kiwoom)
