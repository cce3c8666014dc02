"""The wheel, and environments into which nothing is installed but what it asks for. Nothing is downloaded."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterator
from email.parser import Parser
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from tests import IN_CI, ROOT


def need(*modules: str) -> None:
    """Skip where a program that builds or installs is not there; in CI it has to be."""
    if not IN_CI:
        for one in modules:
            pytest.importorskip(one)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    need("hatchling", "pip")
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-P", "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    (built,) = folder.glob("*.whl")
    return built


class Install:
    """A Python environment and what is installed in it."""

    def __init__(self, folder: Path) -> None:
        venv.create(folder, symlinks=os.name != "nt", with_pip=False)
        self.folder = folder
        self.scripts = folder / ("Scripts" if os.name == "nt" else "bin")
        self.python = self.scripts / ("python.exe" if os.name == "nt" else "python")
        code = "import sysconfig; print(sysconfig.get_path('purelib'))"
        self.packages = Path(self.run_python("-c", code).stdout.strip())

    def run_python(self, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.python), *arguments], capture_output=True, encoding="utf-8", check=True, **options
        )

    def add_wheel(self, wheel: Path) -> None:
        """Let pip install the wheel, as it would for a user, and nothing else."""
        pip = [sys.executable, "-P", "-m", "pip", "--python", str(self.python), "install", "--no-deps", "--no-index"]
        subprocess.run([*pip, str(wheel)], capture_output=True, check=True)

    def add_requirements(self, wheel: Path) -> None:
        """Copy the distributions that the wheel asks for without an extra from the environment of the tests."""
        with zipfile.ZipFile(wheel) as file:
            (metadata,) = (name for name in file.namelist() if name.endswith(".dist-info/METADATA"))
            asked = Parser().parsestr(file.read(metadata).decode("utf-8")).get_all("Requires-Dist") or []
        wanted = [*_wanted(asked, set())]
        done: set[str] = set()
        while wanted:
            requirement = wanted.pop()
            if requirement.name not in done:
                done.add(requirement.name)
                found = distribution(requirement.name)
                self._copy(found)
                wanted += _wanted(found.requires or [], requirement.extras)

    def _copy(self, one: Distribution) -> None:
        for file in one.files or ():
            source = Path(str(one.locate_file(file)))
            if ".." in file.parts or "__pycache__" in file.parts or not source.is_file():
                continue
            target = self.packages / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)


def _wanted(texts: list[str], extras: set[str]) -> Iterator[Requirement]:
    for requirement in map(Requirement, texts):
        if requirement.marker is None or any(requirement.marker.evaluate({"extra": one}) for one in ("", *extras)):
            yield requirement


@pytest.fixture(scope="session")
def base_install(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Install:
    """The wheel and its dependencies without any extra: no Qt."""
    install = Install(tmp_path_factory.mktemp("base") / "env")
    install.add_requirements(wheel)
    install.add_wheel(wheel)
    return install
