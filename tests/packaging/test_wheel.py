"""What an install brings: the base install has no Qt and does everything that needs none."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests import IN_CI, ROOT
from tests.packaging.conftest import Install, need
from tray_app.kiwoom.sandbox import SANDBOX_APP_KEY, SANDBOX_APP_SECRET, SandboxKiwoom
from tray_app.system import extras

SUFFIX = ".exe" if sys.platform == "win32" else ""


@pytest.fixture
def sandbox() -> Iterator[SandboxKiwoom]:
    with SandboxKiwoom() as server:
        yield server


@pytest.fixture
def environment(sandbox: SandboxKiwoom) -> dict[str, str]:
    return {
        **{name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        "KIWOOM_TRAY_BASE_URL": sandbox.base_url,
        "KIWOOM_TRAY_STORE": "file",
        "KIWOOM_MODE": "demo",
        "APP_KEY_MOCK": SANDBOX_APP_KEY,
        "APP_SECRET_MOCK": SANDBOX_APP_SECRET,
    }


def run(install: Install, program: str, *arguments: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(install.scripts / f"{program}{SUFFIX}"), *arguments],
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def test_wheel_has_what_the_program_reads_and_no_sources_of_it(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()

    assert "tray_app/py.typed" in names
    assert sorted(name.removeprefix("tray_app/resources/") for name in names if "/resources/" in name) == [
        "icons/kiwoom-token-tray.png",
        "icons/starting-on-dark.png",
        "icons/starting-on-light.png",
        "kiwoom-token-tray.desktop",
        "qt-debian-packages.txt",
        "translations/ko/LC_MESSAGES/kiwoom-token.mo",
    ]
    outside = [name for name in names if not name.startswith("tray_app/") and ".dist-info/" not in name]
    assert outside == []


def test_sdist_has_the_tests_and_what_they_read(tmp_path: Path) -> None:
    need("hatchling")
    git = shutil.which("git")
    if git is None and not IN_CI:
        pytest.skip("git is not here, which knows what belongs to the project")
    build = [sys.executable, "-P", "-m", "hatchling", "build", "-t", "sdist", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, capture_output=True, check=True)
    (archive,) = tmp_path.glob("*.tar.gz")

    with tarfile.open(archive) as file:
        names = {name.partition("/")[2] for name in file.getnames()}

    assert git is not None
    tracked = subprocess.run([git, "ls-files"], cwd=ROOT, capture_output=True, encoding="utf-8", check=False).stdout
    assert sorted(set(tracked.split()) - names - {".gitattributes"}) == []
    assert {"start.py", "tests/conftest.py", "resources/translations/update.py", "docs/how-it-works.md"} <= names


def test_base_install_gets_a_token_without_qt(
    base_install: Install, sandbox: SandboxKiwoom, environment: dict[str, str]
) -> None:
    assert not (base_install.packages / "PySide6").exists()

    got = run(base_install, "kiwoom-token", "get", env=environment)

    assert (got.returncode, got.stderr) == (0, "")
    assert len(got.stdout.splitlines()) == 1
    assert sandbox.counts()["issue"] == 1


def test_doctor_of_the_base_install_says_how_to_add_qt_and_finds_nothing_wrong_with_that(
    base_install: Install, environment: dict[str, str]
) -> None:
    found = json.loads(run(base_install, "kiwoom-token", "doctor", "--json", env=environment).stdout)

    screen = next(one for one in found if one["name"] == "screen")
    assert screen["good"] is True
    assert "Qt is not installed" in screen["text"]
    assert "PySide6-Essentials" in screen["text"]
    assert "kiwoom-token-tray[" not in screen["text"]


@pytest.mark.posix
def test_tray_program_of_the_base_install_watches_in_the_terminal(
    base_install: Install, environment: dict[str, str]
) -> None:
    program = [str(base_install.scripts / "kiwoom-token-tray"), "--background"]
    with subprocess.Popen(program, env=environment, stderr=subprocess.PIPE, encoding="utf-8") as tray:
        assert tray.stderr is not None
        told = tray.stderr.readline()
        tray.send_signal(signal.SIGTERM)
        tray.wait(20)

    assert "Qt is not installed. Install it: " in told, "last, so that it can be copied"
    assert "PySide6-Essentials" in told
    assert "in this terminal" in told


def test_asking_a_tray_that_has_no_qt_to_quit_is_one_line(base_install: Install, environment: dict[str, str]) -> None:
    done = run(base_install, "kiwoom-token-tray", "--quit", env=environment)

    assert done.returncode == 1
    assert done.stderr.startswith("Qt is not installed. Install it: ")
    assert done.stderr.count("\n") == 1


def test_types_reach_programs_that_import_the_package(base_install: Install, tmp_path: Path) -> None:
    (tmp_path / "bot.py").write_text("from tray_app import token_manager\nreveal_type(token_manager.get_token())\n")
    mypy = [sys.executable, "-P", "-m", "mypy", "--python-executable", str(base_install.python), "bot.py"]

    checked = subprocess.run(mypy, cwd=tmp_path, capture_output=True, encoding="utf-8", check=False)

    assert "str | None" in checked.stdout, checked.stdout + checked.stderr
    assert "import-untyped" not in checked.stdout


# ----------------------------------------------------------------------------------------------- suggested commands


def named(one: Requirement) -> str:
    return f"{canonicalize_name(one.name)}{one.specifier}"


def requirements(extra: str) -> set[str]:
    """What `pyproject.toml` asks for with an extra on this system, as the name and the versions."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found = map(Requirement, project["optional-dependencies"][extra])
    return {named(one) for one in found if one.marker is None or one.marker.evaluate()}


@pytest.mark.parametrize("extra", ["tray", "redis", "encryption", "socks"])
def test_suggested_packages_are_those_of_the_extras(extra: str) -> None:
    suggested = {named(Requirement(one)) for one in extras.EXTRAS[extra]}

    assert suggested == requirements(extra)


def test_suggested_command_installs_into_the_python_that_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path))

    assert extras.install_command("redis") == f'{sys.executable} -m pip install "redis>=5.2"'
    assert extras.upgrade_command("holidays") == f"{sys.executable} -m pip install --upgrade holidays"

    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    assert extras.install_command("redis") == f'uv pip install --python {sys.executable} "redis>=5.2"'
    assert extras.upgrade_command("holidays") == f"uv pip install --python {sys.executable} --upgrade holidays"
    (tmp_path / "pipx_metadata.json").touch()
    assert extras.install_command("redis") == 'pipx inject kiwoom-token-tray "redis>=5.2"'
    assert extras.upgrade_command("holidays") == "pipx runpip kiwoom-token-tray install --upgrade holidays"


def test_no_text_has_a_package_of_our_name_fetched() -> None:
    """The name is not ours in any registry, so what is installed by it would be somebody else's program."""
    named = re.compile(r"(pip|pipx|uv|uvx)\b[^`\n]*\b(install|run|add)\b[^`\n]*\bkiwoom-token-tray\b")
    folders = ("tray_app", "docs", "resources", "packaging", ".github")
    files = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", ROOT / "start.py"]
    files += [
        file
        for folder in folders
        for file in (ROOT / folder).rglob("*")
        if file.suffix in {".py", ".md", ".po", ".yml"}
    ]

    found = [f"{file}: {match[0]}" for file in files for match in named.finditer(file.read_text(encoding="utf-8"))]

    assert found == []
