"""A setting that is changed for good: what it must never make of an account."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tray_app.core.errors import SettingsError
from tray_app.core.profile import DEFAULT
from tray_app.service import settings_changes
from tray_app.service.settings_changes import change_setting, setting_named
from tray_app.settings import kwcli
from tray_app.settings.load import Settings, load_settings
from tray_app.settings.places import settings_file

POLICY = setting_named("policy")


@pytest.fixture
def file(private_places: Path) -> Path:
    path = Path(settings_file(os.environ))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('[profiles.second]\nmode = "demo"\n')
    return path


def test_a_section_that_is_removed_while_it_is_changed_is_not_made_again_without_its_mode(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load_and_remove(profile: str, environ: Mapping[str, str], **chosen: Any) -> Settings:
        settings = load_settings(profile, environ, **chosen)
        file.write_text("")
        return settings

    monkeypatch.setattr(settings_changes, "load_settings", load_and_remove)

    with pytest.raises(SettingsError, match="no profile second"):
        change_setting(POLICY, "notify", "second")

    assert file.read_text() == ""


@pytest.mark.parametrize("name", ["mode", "policy"])
def test_a_window_makes_no_profile_that_the_file_does_not_have(file: Path, name: str) -> None:
    before = file.read_text()
    value = {"mode": "demo", "policy": "notify"}[name]

    with pytest.raises(SettingsError, match="no profile third"):
        change_setting(setting_named(name), value, "third", creates_profile=False)

    assert file.read_text() == before


def test_an_account_of_kiwoomcli_gets_its_section_with_its_first_setting(file: Path) -> None:
    kwcli.keep_alias("third", "demo")

    change_setting(POLICY, "notify", "third", creates_profile=False)

    assert (load_settings("third").policy, load_settings("third").mode) == ("notify", "demo")


def test_what_is_outside_of_all_sections_needs_none(file: Path) -> None:
    change_setting(POLICY, "notify", DEFAULT, creates_profile=False)
    change_setting(setting_named("theme"), "dark", "third", creates_profile=False)

    assert (load_settings().policy, load_settings().theme) == ("notify", "dark")
