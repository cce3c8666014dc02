"""kiwoomcli's accounts: its aliases, their modes and their keys."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import platformdirs
import pytest

from tests.doubles import KEYS
from tray_app.core.errors import InvalidInput, KeysMissing, SettingsError
from tray_app.core.secret import Secret
from tray_app.kiwoom.keys import AppKeys, find_keys, has_keys
from tray_app.kiwoom.sandbox import SandboxKiwoom
from tray_app.service.composition import find_keys as keys_that_are_used
from tray_app.service.key_binding import KeyBinding
from tray_app.service.login import keep_keys
from tray_app.settings import kwcli, load
from tray_app.settings.load import Settings, known_profiles, load_settings
from tray_app.stores.keyring_problems import unreachable


class MemoryVault:
    def __init__(self) -> None:
        self.entries: dict[tuple[str, str], str] = {}

    def get(self, service: Any, username: Any) -> Any:
        return self.entries.get((service, username))

    def set(self, service: Any, username: Any, value: Any) -> None:
        self.entries[service, username] = value

    def delete(self, service: Any, username: Any) -> None:
        self.entries.pop((service, username), None)


@pytest.fixture
def keyring_client() -> MemoryVault:
    return MemoryVault()


@pytest.fixture
def shared(keyring_client: MemoryVault, monkeypatch: pytest.MonkeyPatch) -> MemoryVault:
    monkeypatch.setattr("tray_app.service.login.shared_keyring_client", lambda: keyring_client)
    return keyring_client


@pytest.fixture
def settings_json() -> Path:
    path = Path(platformdirs.user_config_dir("kiwoom")) / "settings.json"
    path.parent.mkdir(parents=True)
    return path


@pytest.fixture
def settings_toml(private_places: Path) -> Path:
    path = private_places / "places" / "settings" / "settings.toml"
    path.parent.mkdir(parents=True)
    return path


def accounts(path: Path, current: str | None = None, **modes: str) -> None:
    fields = {"profiles": {alias: {"mode": mode} for alias, mode in modes.items()}}
    path.write_text(json.dumps({**fields, "current_profile": current} if current else fields))


def set_up_by_kwcli(keyring_client: MemoryVault, alias: str) -> None:
    service = f"kiwoom-profile-{sha256(alias.encode()).hexdigest()[:16]}"
    keyring_client.set(service, "appkey", f"app-key-of-{len(alias)}")
    keyring_client.set(service, "secretkey", f"secret-of-{len(alias)}")


# --- modes ---


def test_an_alias_brings_its_mode(settings_json: Path) -> None:
    accounts(settings_json, 모의="demo", 실전="real")
    assert load_settings("모의").mode == "demo"
    assert load_settings("실전").mode == "real"
    assert load_settings("another").mode == "real"


def test_a_name_that_differs_from_an_aliass_in_case_alone_is_refused(settings_json: Path) -> None:
    accounts(settings_json, Main="demo")
    assert load_settings("Main").mode == "demo"
    with pytest.raises(InvalidInput, match="profile Main already"):
        load_settings("main")


@pytest.mark.parametrize(("is_case_sensitive", "known"), [(True, ["Main", "main"]), (False, ["Main"])])
def test_two_aliases_that_differ_in_case_alone_are_two_accounts_where_files_tell_them_apart(
    settings_json: Path, monkeypatch: pytest.MonkeyPatch, is_case_sensitive: bool, known: list[str]
) -> None:
    monkeypatch.setattr(load, "HAS_CASE_SENSITIVE_NAMES", is_case_sensitive)
    accounts(settings_json, Main="demo", main="real")
    assert known_profiles() == ["default", *known]
    for name in known:
        assert load_settings(name).profile == name
    if not is_case_sensitive:
        with pytest.raises(InvalidInput):
            load_settings("main")


def test_an_alias_that_differs_from_a_section_in_case_alone_is_refused(
    settings_json: Path, settings_toml: Path
) -> None:
    accounts(settings_json, Main="demo")
    settings_toml.write_text("[profiles.main]\n")
    assert load_settings("main").profile == "main"
    with pytest.raises(InvalidInput):
        load_settings("Main")


def test_the_profile_that_both_programs_select_has_the_aliass_mode(settings_json: Path) -> None:
    accounts(settings_json, 모의="demo")
    settings = load_settings(environ={"KIWOOM_PROFILE": " 모의 "})
    assert (settings.profile, settings.mode) == ("모의", "demo")


@pytest.mark.parametrize(("of_alias", "other"), [("demo", "real"), ("real", "demo")])
def test_an_alias_is_not_used_in_another_mode_as_in_kiwoomcli(settings_json: Path, of_alias: str, other: str) -> None:
    accounts(settings_json, 스윙=of_alias)
    settings = load_settings("스윙", environ={"KIWOOM_MODE": other}).resolved()

    with pytest.raises(SettingsError, match=f"스윙 is for m?.* trading, but KIWOOM_MODE is {other}"):
        settings.require()
    assert load_settings("스윙", environ={"KIWOOM_MODE": of_alias}).mode == of_alias
    assert load_settings("다른", environ={"KIWOOM_MODE": other}).mode == other


def test_a_profiles_own_mode_goes_before_its_alias_in_an_environment_with_a_mode_too(
    settings_json: Path, settings_toml: Path
) -> None:
    accounts(settings_json, 둘째="demo")
    settings_toml.write_text('[profiles."둘째"]\nmode = "real"\n', encoding="utf-8")
    assert load_settings("둘째", environ={**os.environ, "KIWOOM_MODE": "real"}).mode == "real"


def test_with_accounts_that_cannot_be_read_the_environment_decides(settings_json: Path) -> None:
    settings_json.write_text("{", encoding="utf-8")
    assert load_settings("스윙", environ={"KIWOOM_MODE": "demo"}).mode == "demo"


def test_a_profiles_own_section_goes_before_an_aliass_mode_and_the_rest_of_the_file_after_it(
    settings_json: Path, settings_toml: Path
) -> None:
    accounts(settings_json, 모의="demo", 둘째="demo")
    settings_toml.write_text('mode = "real"\n[profiles."둘째"]\nmode = "real"\n', encoding="utf-8")
    assert load_settings("모의").mode == "demo"
    assert load_settings("둘째").mode == "real"


@pytest.mark.parametrize(
    ("modes", "environment", "expected"),
    [
        ({}, {}, "real"),
        ({"모의": "demo"}, {}, "demo"),
        ({"모의": "demo", "둘째": "demo"}, {}, "demo"),
        ({"모의": "demo", "실전": "real"}, {}, "real"),
        ({"모의": "demo"}, {"APP_KEY": "x"}, "real"),
        ({"실전": "real"}, {"APP_KEY_MOCK": "x"}, "demo"),
        ({"모의": "demo"}, {"KIWOOM_MODE": "real"}, "real"),
    ],
)
def test_the_default_profiles_mode_is_mock_only_where_nothing_else_can_be_meant(
    settings_json: Path,
    modes: dict[Any, Any] | dict[str, str],
    environment: dict[Any, Any] | dict[str, str],
    expected: str,
) -> None:
    accounts(settings_json, **modes)
    assert load_settings(environ=environment).mode == expected


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"profiles": []}', '{"profiles": {"a": 1, "b": {"mode": "paper"}}}', "\xff"]
)
def test_settings_of_kiwoomcli_that_cannot_be_read_have_no_accounts_and_tell_no_mode(
    settings_json: Path, content: str
) -> None:
    settings_json.write_bytes(content.encode("latin-1"))
    assert kwcli.aliases() == {}
    for profile in (None, "a"):
        with pytest.raises(SettingsError, match="damaged"):
            _ = load_settings(profile).mode
        settings = load_settings(profile).resolved()
        assert (settings.is_usable, settings.problems != ()) == (False, True)


@pytest.mark.parametrize("by", ["environment", "file", "keys"])
def test_they_do_not_matter_where_the_mode_is_known_without_them(
    settings_json: Path, settings_toml: Path, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    settings_json.write_text("{")
    if by == "environment":
        monkeypatch.setenv("KIWOOM_MODE", "demo")
    elif by == "file":
        settings_toml.write_text('mode = "demo"\n')
    else:
        monkeypatch.setenv("APP_KEY_MOCK", "a-key-of-a-test")
    assert load_settings().resolved().mode == "demo"


def test_a_folder_in_place_of_kiwoomclis_settings_counts_as_none(
    settings_json: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings_json.mkdir()
    assert kwcli.aliases() == {}
    assert "cannot be read" in caplog.text


def test_the_account_that_was_chosen_brings_its_mode(settings_json: Path, settings_toml: Path) -> None:
    accounts(settings_json, 모의="demo", 실전="real")
    settings_toml.write_text('account = "모의"\n', encoding="utf-8")
    assert load_settings().mode == "demo"
    assert load_settings(environ={**os.environ, "APP_KEY": "x"}).mode == "real"


@pytest.mark.parametrize(
    ("section", "environment", "expected"),
    [
        ("", {}, "default"),
        ("", {"KIWOOM_MODE": "demo"}, "default"),
        ("", {"APP_KEY": "of-the-other-mode"}, "default"),
        ("", {"APP_KEY_MOCK": "which-the-alias-does-not-look-at"}, "모의"),
        ("", {"KIWOOM_MODE": "real"}, "모의"),
        ('[profiles."모의"]\npolicy = "notify"\n', {}, "모의"),
    ],
)
def test_the_environments_name_for_the_account_of_the_default_profile_is_the_default_profile(
    settings_json: Path, settings_toml: Path, section: str, environment: dict[Any, Any] | dict[str, str], expected: str
) -> None:
    accounts(settings_json, 모의="demo", 실전="real")
    settings_toml.write_text(f'mode = "demo"\naccount = "모의"\n{section}', encoding="utf-8")
    environ = {**os.environ, "KIWOOM_PROFILE": "모의", **environment}
    assert load_settings(environ=environ).profile == expected
    assert load_settings("모의", environ).profile == "모의"
    assert load_settings(environ={**environ, "KIWOOM_PROFILE": "실전"}).profile == "실전"


# --- the choice ---


def keys_of(alias: str | None) -> AppKeys:
    return AppKeys(Secret("key"), Secret("secret"), alias)


def stay_with(settings: Settings, environ: Mapping[str, str], keys: AppKeys) -> KeyBinding:
    binding = KeyBinding(settings, environ)
    binding.save(binding.adopt_alias(keys))
    return binding


def test_the_alias_whose_keys_a_token_was_issued_with_is_kept_with_its_mode(
    settings_json: Path, settings_toml: Path
) -> None:
    accounts(settings_json, 모의="demo")
    settings = load_settings()
    binding = stay_with(settings, os.environ, keys_of("모의"))
    accounts(settings_json, 모의="demo", 실전="real")
    assert (load_settings().account, load_settings().mode) == ("모의", "demo")
    assert binding.settings.account == "모의"


def test_a_mode_of_the_environment_is_not_kept_nor_the_account_in_the_place_of_another(
    settings_json: Path, settings_toml: Path
) -> None:
    accounts(settings_json, 모의="demo", 실전="real")
    mock = {**os.environ, "KIWOOM_MODE": "demo"}
    stay_with(load_settings(environ=mock), mock, keys_of("모의"))
    assert (load_settings().account, "mode" in load_settings().sources) == ("모의", False)
    settings_toml.write_text('mode = "real"\naccount = "실전"\n', encoding="utf-8")
    stay_with(load_settings(environ=mock), mock, keys_of("모의"))
    assert load_settings().account == "실전"


@pytest.mark.parametrize(("profile", "alias"), [("모의", "모의"), ("default", None)])
def test_keys_that_were_named_keep_nothing(settings_toml: Path, profile: str, alias: str | None) -> None:
    stay_with(load_settings(profile), os.environ, keys_of(alias))
    assert not settings_toml.exists()


def test_a_choice_that_cannot_be_kept_holds_in_this_program(
    settings_toml: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = load_settings()
    settings_toml.mkdir()
    binding = stay_with(settings, os.environ, keys_of("모의"))
    assert binding.settings.account == "모의"
    assert "not kept" in caplog.text


def test_a_program_that_runs_uses_the_account_that_another_has_kept_meanwhile(
    settings_json: Path, settings_toml: Path, keyring_client: MemoryVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tray_app.stores.keyring_client.shared_keyring_client", lambda: keyring_client)
    accounts(settings_json, 첫째="demo", 둘째="demo")
    set_up_by_kwcli(keyring_client, "첫째")
    settings = load_settings(mode="demo")
    settings_toml.write_text('account = "첫째"\n', encoding="utf-8")
    assert keys_that_are_used(settings).alias == "첫째"


# --- keys ---


def test_the_default_profile_uses_the_one_account_that_kiwoomcli_set_up(
    settings_json: Path, keyring_client: MemoryVault
) -> None:
    accounts(settings_json, 모의계좌="demo", 실전계좌="real")
    set_up_by_kwcli(keyring_client, "모의계좌")
    assert find_keys("default", "demo", {}, keyring_client).alias == "모의계좌"
    with pytest.raises(KeysMissing, match="no app keys"):
        find_keys("default", "real", {}, keyring_client)


def test_the_default_profiles_own_keys_go_before_those_of_an_account(
    settings_json: Path, keyring_client: MemoryVault
) -> None:
    accounts(settings_json, 모의계좌="demo")
    set_up_by_kwcli(keyring_client, "모의계좌")
    keyring_client.set("kiwoom-demo", "appkey", "own")
    keyring_client.set("kiwoom-demo", "secretkey", "own-secret")
    assert find_keys("default", "demo", {}, keyring_client).app_key.reveal() == "own"
    environment = {"APP_KEY_MOCK": "of-the-environment", "APP_SECRET_MOCK": "secret"}
    found = find_keys("default", "demo", environment, keyring_client)
    assert (found.app_key.reveal(), found.alias) == ("of-the-environment", None)


def test_among_several_accounts_the_user_chooses_and_nothing_follows_a_switch(
    settings_json: Path, keyring_client: MemoryVault
) -> None:
    accounts(settings_json, current="둘째", 첫째="demo", 둘째="demo")
    for alias in ("첫째", "둘째"):
        set_up_by_kwcli(keyring_client, alias)
    with pytest.raises(KeysMissing, match="첫째, 둘째"):
        find_keys("default", "demo", {}, keyring_client)
    assert find_keys("둘째", "demo", {}, keyring_client).alias == "둘째"


def test_the_account_that_was_chosen_is_used_among_several_and_before_the_own_keys(
    settings_json: Path, keyring_client: MemoryVault
) -> None:
    accounts(settings_json, 첫째="demo", 둘째="demo", 실전계좌="real")
    for alias in ("첫째", "실전계좌"):
        set_up_by_kwcli(keyring_client, alias)
    keyring_client.set("kiwoom-demo", "appkey", "own")
    keyring_client.set("kiwoom-demo", "secretkey", "own-secret")
    assert find_keys("default", "demo", {}, keyring_client, "첫째").alias == "첫째"
    assert find_keys("default", "real", {}, keyring_client, "첫째").alias == "실전계좌"
    environment = {"APP_KEY_MOCK": "of-the-environment", "APP_SECRET_MOCK": "secret"}
    assert find_keys("default", "demo", environment, keyring_client, "첫째").alias is None


def test_an_account_that_kiwoomcli_has_no_more_is_not_replaced_by_the_one_that_is_left(
    settings_json: Path, keyring_client: MemoryVault
) -> None:
    accounts(settings_json, 남은="demo")
    set_up_by_kwcli(keyring_client, "남은")
    with pytest.raises(KeysMissing, match="account 첫째 any more"):
        find_keys("default", "demo", {}, keyring_client, "첫째")


def test_an_account_that_is_called_default_is_found(settings_json: Path, keyring_client: MemoryVault) -> None:
    accounts(settings_json, default="demo")
    set_up_by_kwcli(keyring_client, "default")
    assert find_keys("default", "demo", {}, keyring_client).alias == "default"


# --- login ---


def test_a_login_writes_the_alias_as_kiwoomcli_does(settings_json: Path, shared: MemoryVault) -> None:
    keep_keys(load_settings("가족 계좌", mode="demo"), KEYS, check=False)
    assert settings_json.read_text() == json.dumps(
        {"profiles": {"가족 계좌": {"mode": "demo"}}, "current_profile": "가족 계좌"}, ensure_ascii=True, indent=2
    )
    assert has_keys("가족 계좌", "demo", shared)
    if sys.platform != "win32":
        assert settings_json.stat().st_mode & 0o777 == 0o600


def test_a_login_leaves_kiwoomclis_choice_and_whatever_else_it_keeps(settings_json: Path, shared: MemoryVault) -> None:
    settings_json.write_text(
        '{"profiles": {"실전": {"mode": "real"}}, "current_profile": "실전", "new": [1]}', encoding="utf-8"
    )
    keep_keys(load_settings("모의", mode="demo"), KEYS, check=False)
    assert json.loads(settings_json.read_text()) == {
        "profiles": {"실전": {"mode": "real"}, "모의": {"mode": "demo"}},
        "current_profile": "실전",
        "new": [1],
    }


def test_a_login_of_the_default_profile_makes_no_alias(settings_json: Path, shared: MemoryVault) -> None:
    keep_keys(load_settings(mode="demo"), KEYS, check=False)
    assert not settings_json.exists()
    assert has_keys("default", "demo", shared)


def test_a_login_of_the_default_profile_ends_that_it_stands_for_an_account(
    settings_json: Path, settings_toml: Path, shared: MemoryVault
) -> None:
    accounts(settings_json, 모의="demo")
    settings_toml.write_text('account = "모의"\n', encoding="utf-8")
    keep_keys(load_settings(), KEYS, check=False)
    assert find_keys("default", "demo", {}, shared, load_settings().account).alias is None


def test_a_login_never_overwrites_the_other_modes_keys(settings_json: Path, shared: MemoryVault) -> None:
    accounts(settings_json, 실전="real")
    set_up_by_kwcli(shared, "실전")
    before = dict(shared.entries)
    with pytest.raises(InvalidInput, match="other mode"):
        keep_keys(load_settings("실전", mode="demo"), KEYS, check=False)
    assert shared.entries == before
    assert kwcli.aliases() == {"실전": "real"}


def test_after_a_logout_an_account_may_change_its_mode(settings_json: Path, shared: MemoryVault) -> None:
    accounts(settings_json, 계좌="real")
    keep_keys(load_settings("계좌", mode="demo"), KEYS, check=False)
    assert kwcli.aliases() == {"계좌": "demo"}


def test_keys_that_kiwoom_refuses_leave_no_alias(
    settings_json: Path, shared: MemoryVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SandboxKiwoom() as kiwoom:
        kiwoom.set_fault("8030", on="issue")
        monkeypatch.setenv("KIWOOM_TRAY_BASE_URL", kiwoom.base_url)
        monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")
        with pytest.raises(Exception, match="8030"):
            keep_keys(load_settings("모의", mode="demo"), KEYS)
    assert not settings_json.exists()
    assert shared.entries == {}


@pytest.mark.posix
@pytest.mark.parametrize("depth", [0, 1, 2])
def test_settings_of_kiwoomcli_behind_a_link_that_leads_nowhere_are_not_none(
    depth: int, settings_json: Path, private_places: Path
) -> None:
    """As on a disk that is not mounted: whoever took them for no accounts would trade for real."""
    accounts(settings_json, day="demo")
    assert load_settings(None).mode == "demo"
    link = [settings_json, *settings_json.parents][depth]
    link.rename(private_places / "elsewhere")
    link.symlink_to(private_places / "not-mounted")

    with pytest.raises(SettingsError, match="leads nowhere"):
        kwcli.modes()
    with pytest.raises(SettingsError, match="leads nowhere"):
        _ = load_settings(None).mode


@pytest.mark.parametrize("content", ["{", "[]", "null"])
def test_damaged_settings_of_kiwoomcli_are_left_as_they_are_and_told(
    settings_json: Path, shared: MemoryVault, content: str
) -> None:
    settings_json.write_text(content)
    with pytest.raises(SettingsError, match="damaged"):
        kwcli.keep_alias("모의", "demo")
    assert settings_json.read_text() == content
    assert list(settings_json.parent.iterdir()) == [settings_json]


def test_a_login_stands_though_kiwoomcli_cannot_be_told(
    settings_json: Path, shared: MemoryVault, caplog: pytest.LogCaptureFixture
) -> None:
    settings_json.write_text("{")
    keep_keys(load_settings("모의", mode="demo"), KEYS, check=False)
    assert has_keys("모의", "demo", shared)
    assert "Alias not told to kiwoomcli" in caplog.text


def test_an_alias_that_is_known_already_is_not_written_again(settings_json: Path) -> None:
    kwcli.keep_alias("모의", "demo")
    before = settings_json.stat()
    kwcli.keep_alias("모의", "demo")
    assert settings_json.stat().st_ino == before.st_ino


class OutOfReach:
    """A keyring of a desktop session that this program is not in."""

    def get(self, service: str, username: str) -> str | None:
        raise unreachable()


@pytest.mark.parametrize(
    ("profile", "mode", "told"),
    [
        ("default", "real", "Set APP_KEY and APP_SECRET,"),
        ("default", "demo", "Set APP_KEY_MOCK and APP_SECRET_MOCK,"),
        ("swing", "real", "Run this as a unit of the user"),  # its keys are never in the environment
    ],
)
def test_out_of_reach_of_the_keyring_the_variables_of_just_this_account_are_named(
    profile: str, mode: str, told: str, settings_json: Path
) -> None:
    vault: Any = OutOfReach()

    with pytest.raises(KeysMissing) as raised:
        find_keys(profile, mode, {}, vault)

    assert told in str(raised.value)
