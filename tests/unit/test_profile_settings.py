"""Which profiles are watched, and what a damaged or missing settings file may change."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tray_app.settings.load import load_settings
from tray_app.settings.places import settings_file
from tray_app.supervisor.profile_settings import FoundSettings, ProfileSettings


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A settings file that names a data folder."""
    monkeypatch.delenv("KIWOOM_TRAY_DATA_DIR")
    path = Path(settings_file(os.environ))
    path.parent.mkdir(parents=True)
    path.write_text(f'store = "file"\ndata_dir = {str(tmp_path / "chosen")!r}\n')
    return path


def add(file: Path, text: str) -> None:
    file.write_text(file.read_text() + text)


def names(found: FoundSettings) -> list[str]:
    return [one.profile for one in found.settings]


def test_the_first_profile_and_those_with_a_section_are_watched(file: Path) -> None:
    add(file, '[profiles.second]\nmode = "demo"\n')
    found = ProfileSettings("default").read({})
    assert [(one.profile, one.mode) for one in found.settings] == [("default", "real"), ("second", "demo")]
    assert (found.problems, found.gone) == ((), ())


def test_a_profile_that_was_asked_for_alone_is_watched_alone(file: Path) -> None:
    add(file, "[profiles.second]\n[profiles.third]\n")
    assert names(ProfileSettings("third", only_first=True).read({})) == ["third"]


def test_a_profile_that_was_added_needs_no_section(file: Path) -> None:
    profiles = ProfileSettings("default")
    profiles.add("second")
    assert names(profiles.read({})) == ["default", "second"]


def test_the_profile_of_the_environment_is_not_taken_for_another(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIWOOM_PROFILE", "second")
    assert names(ProfileSettings("default", os.environ).read({})) == ["default"]


def test_a_profile_without_its_section_is_gone_but_never_the_first(file: Path) -> None:
    present = {name: load_settings(name) for name in ("default", "second")}
    assert ProfileSettings("default").read(present).gone == ("second",)


@pytest.mark.parametrize("content", ['data_dir = "/half a li', "", None], ids=["damaged", "empty", "gone"])
def test_a_file_that_cannot_be_used_moves_no_token_and_ends_no_profile(
    file: Path, tmp_path: Path, content: str | None
) -> None:
    add(file, "[profiles.second]\n")
    profiles = ProfileSettings("default")
    present = {one.profile: one for one in profiles.read({}).settings}

    if content is None:
        file.unlink()
    else:
        file.write_text(content)
    found = profiles.read(present)

    assert found.gone == ()
    (default,) = found.settings
    assert (default.data_dir, default.store) == (str(tmp_path / "chosen"), "file")


def test_a_line_that_cannot_be_used_is_told_and_no_longer_applies(file: Path) -> None:
    add(file, 'policy = "notify\nwarn_before = ["10m"]\n')
    found = ProfileSettings("default").read({})
    (problem,) = map(str, found.problems)
    assert (problem.startswith(f"{file}, line 3: "), "policy" in problem) == (True, True)
    assert found.settings[0].policy == "notify"


def test_a_problem_of_every_profile_is_told_once(file: Path) -> None:
    add(file, 'policy = "never"\n[profiles.second]\n')
    assert len(ProfileSettings("default").read({}).problems) == 1


@pytest.mark.parametrize("settles", [True, False])
def test_a_file_without_a_data_folder_gets_one_only_if_that_is_wanted(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settles: bool
) -> None:
    monkeypatch.setattr("tray_app.settings.places.checkout_data_dir", lambda: str(tmp_path / "usual"))
    file.write_text('store = "file"\n')
    ProfileSettings("default", settles_data_dir=settles).read({})
    assert load_settings().has_own_data_dir is settles
