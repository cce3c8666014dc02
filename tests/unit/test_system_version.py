"""The versions that `--version` and `doctor` show."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from tests import ROOT
from tray_app.system.version import (
    LIBRARIES,
    checkout_version,
    library_version,
    library_versions,
    program_version,
    system_version,
)


def test_in_a_checkout_the_version_is_that_of_the_checkout() -> None:
    assert f'version = "{program_version()}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize(
    ("project", "version"),
    [
        ('[project]\nname = "kiwoom-token-tray"\nversion = "1.2.3"\n', "1.2.3"),
        ('[project]\nname = "somebody-elses"\nversion = "1.2.3"\n', ""),
        ('[project]\nname = "kiwoom-token-tray"\n', ""),
        ("\ud800", ""),
    ],
)
def test_only_a_checkout_of_this_program_names_its_version(project: str, version: str, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(project, encoding="utf-8", errors="surrogatepass")

    assert checkout_version(str(tmp_path)) == version


def test_beside_an_installed_package_there_is_no_project(tmp_path: Path) -> None:
    assert checkout_version(str(tmp_path)) == ""


def test_a_librarys_version_is_that_of_its_distribution() -> None:
    assert library_version("httpx") == version("httpx")
    assert library_version("no-such-distribution-of-a-test") == ""
    assert library_versions().keys() == LIBRARIES.keys()


def test_reading_versions_imports_none_of_the_libraries() -> None:
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from tray_app.system.version import library_versions\n"
        "library_versions()\n"
        "print([name for name in ('httpx', 'keyring', 'PySide6', 'redis', 'cryptography') if name in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", program, str(ROOT)], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_the_systems_version_names_the_system() -> None:
    name = {"win32": "Windows", "darwin": "macOS"}.get(sys.platform, "Linux")

    assert name in system_version()
