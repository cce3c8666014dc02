"""Fixtures: a real desktop for each test. Without the programs the tests skip; in CI they fail."""

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests import IN_CI

if TYPE_CHECKING:
    from .session import Desktop

HERE = Path(__file__).parent
if sys.platform != "linux":
    collect_ignore_glob = ["test_*.py"]  # there is no such desktop elsewhere

_live: "list[Desktop]" = []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test in this folder is a desktop test."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.desktop)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skips, or fails where a desktop is demanded, when there is no desktop to be had."""
    from .session import PACKAGES, missing

    lacks = missing()
    if not lacks:
        return
    reason = f"no desktop here ({', '.join(lacks)} missing); Debian packages: {PACKAGES}"
    demanded = IN_CI or os.environ.get("KIWOOM_TRAY_REQUIRE_DESKTOP") == "1"
    if demanded:
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """Keeps a picture of the desktop and the words of its programs with a failure."""
    report = yield
    if report.when == "call" and report.failed:
        for number, desktop in enumerate(_live):
            with contextlib.suppress(Exception):
                picture = desktop.screenshot(f"failed {item.name} {number}")
                report.sections.append(("picture", str(picture)))
            report.sections.append(("programs", desktop.account()))
        item.session.stash[_failed] = True
    return report


_failed = pytest.StashKey[bool]()


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder for screenshots: KIWOOM_TRAY_PICTURES, else a temporary one."""
    kept = os.environ.get("KIWOOM_TRAY_PICTURES")
    folder = Path(kept).resolve() if kept else tmp_path_factory.mktemp("pictures")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class _Shared:
    """A desktop that lasts for many tests, and is made anew after a test that broke it."""

    def __init__(self, pictures: Path) -> None:
        self._pictures = pictures
        self._desktop: Desktop | None = None

    def get(self) -> "Desktop":
        from .session import Desktop

        if self._desktop is None:
            self._desktop = Desktop(pictures=self._pictures).__enter__()
            _live.append(self._desktop)
        return self._desktop

    def give_back(self, broken: bool) -> None:
        if self._desktop and not broken:
            try:
                self._desktop.reset()
            except Exception:
                self.close()
                raise
        elif broken:
            self.close()

    def close(self) -> None:
        if self._desktop:
            _live.remove(self._desktop)
            self._desktop.close()
            self._desktop = None


@pytest.fixture(scope="session")
def _shared_desktop(pictures: Path) -> Iterator[_Shared]:
    shared = _Shared(pictures)
    yield shared
    shared.close()


@pytest.fixture
def desktop(_shared_desktop: _Shared, request: pytest.FixtureRequest) -> "Iterator[Desktop]":
    """A desktop with all its parts; as new, though the programs behind it outlive the test."""
    yield _shared_desktop.get()
    _shared_desktop.give_back(broken=request.session.stash.get(_failed, False))
    request.session.stash[_failed] = False


@pytest.fixture
def make_desktop(pictures: Path) -> "Iterator[Callable[..., Desktop]]":
    """Makes desktops of their own with the options of Desktop."""
    from .session import Desktop

    with contextlib.ExitStack() as stack:

        def make(**options: Any) -> Desktop:
            made = stack.enter_context(Desktop(**{"pictures": pictures, **options}))
            _live.append(made)
            stack.callback(_live.remove, made)
            return made

        yield make
