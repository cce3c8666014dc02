"""`kiwoom-token config`: what it shows, writes and refuses, and what a change does to the token and its copies."""

from __future__ import annotations

import json
import os
import time
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.command_line import Run
from tests.doubles import MemoryKeyring, use_memory_keyring
from tray_app import autostart
from tray_app.autostart.base import Status
from tray_app.cli.table import in_columns, width_of
from tray_app.core.errors import DONE, USAGE, AutostartFailed
from tray_app.core.profile import DEFAULT
from tray_app.core.secret import Secret
from tray_app.core.token import token_for
from tray_app.kiwoom.keys import AppKeys, store_keys
from tray_app.service.composition import open_service
from tray_app.service.key_binding import KeyBinding
from tray_app.service.migration import migrate
from tray_app.settings import kwcli
from tray_app.settings.load import load_settings
from tray_app.settings.table import TABLE
from tray_app.stores.keyring_client import shared_keyring_client

TOKEN = "a-token-that-somebody-else-issued"


@pytest.fixture
def config(run: Callable[..., Run]) -> Callable[..., Run]:
    return lambda *words: run("config", *words)


@pytest.fixture
def file(private_places: Path) -> Path:
    folder = private_places / "places" / "settings"
    folder.mkdir(parents=True)
    return folder / "settings.toml"


@pytest.fixture
def keyring_client(monkeypatch: pytest.MonkeyPatch) -> MemoryKeyring:
    """A keyring that works."""
    return use_memory_keyring(monkeypatch)


@pytest.fixture
def data(private_places: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder `./data`, which no variable names."""
    monkeypatch.delenv("KIWOOM_TRAY_DATA_DIR")
    return private_places / "data"


def put(run: Callable[..., Run], *words: str) -> None:
    assert run(*words, "set", "--expires-in", "3600", stdin=TOKEN).status == DONE


def kept(run: Callable[..., Run], *words: str) -> str:
    return run(*words, "get", "--no-issue").out.strip()


def one_line(text: str) -> str:
    (line,) = text.splitlines()
    return line


class TestList:
    def test_shows_each_setting_with_value_source_and_meaning(
        self, config: Callable[..., Run], file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file.write_text('policy = "notify"\n[profiles.second]\nrenew_before = "1h"\n')
        monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")

        rows = {line.split()[0]: line for line in config("list", "--profile", "second").out.splitlines()}

        assert list(rows) == list(TABLE)
        assert rows["policy"].split()[1:3] == ["notify", "settings.toml"]
        assert rows["renew_before"].split()[1:4] == ["1h", "profile", "second"]
        assert rows["store"].split()[1:3] == ["file", "KIWOOM_TRAY_STORE"]
        assert rows["theme"].split()[1:3] == ["auto", "default"]
        assert rows["theme"].endswith(TABLE["theme"].meaning)

    def test_is_what_config_alone_does(self, config: Callable[..., Run]) -> None:
        assert config().out == config("list").out

    @pytest.mark.parametrize("words", [("--json",), ("list", "--json"), ("--json", "list")])
    def test_for_programs(self, config: Callable[..., Run], file: Path, words: tuple[str, str] | tuple[str]) -> None:
        file.write_text('warn_before = ["1h", "0m"]\n')

        rows = {one["name"]: one for one in json.loads(config(*words).out)}

        assert list(rows) == list(TABLE)
        assert (rows["warn_before"]["value"], rows["warn_before"]["source"]) == (["1h", "0m"], "file")
        assert (rows["share_kwcli"]["value"], rows["share_kwcli"]["source"]) == (False, "default")
        assert rows["store"]["environment"] == "KIWOOM_TRAY_STORE"

    def test_never_shows_the_password_of_redis(
        self, config: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("KIWOOM_TRAY_REDIS_URL", "rediss://alice:hunter2@store.example:6380/1")

        shown = [config().out, config("--json").out, config("get", "redis_url").out]

        assert all("store.example" in text and "hunter2" not in text and "alice" not in text for text in shown)

    def test_columns_stand_below_each_other_in_korean(self, config: Callable[..., Run], file: Path) -> None:
        bots = os.path.abspath("/home/토큰/봇.json")
        file.write_text(f"language = 'ko'\nshare_bot_file = '{bots}'\n", encoding="utf-8")

        lines = config().out.splitlines()

        starts = {
            width_of(line[: line.index("설정 안 함" if "설정 안 함" in line else "settings.toml")])
            for line in lines
            if "settings.toml" in line
        }
        assert len(starts) == 1

    def test_tells_what_the_alias_of_kiwoomcli_decides(self, config: Callable[..., Run], file: Path) -> None:
        file.write_text('mode = "real"\n')
        kwcli.keep_alias("second", "demo")

        rows = {one["name"]: one for one in json.loads(config("list", "--json", "--profile", "second").out)}

        assert (rows["mode"]["value"], rows["mode"]["source"]) == ("demo", "kiwoomcli")

    def test_what_is_broken_is_told_with_line_and_key_and_the_rest_applies(
        self, config: Callable[..., Run], file: Path
    ) -> None:
        file.write_text('policy = "sometimes"\nstore = "file"\ntheme = \n')

        shown = config("get", "store")

        assert (shown.status, shown.out) == (DONE, "file\n")
        assert [("line 1" in line, "policy" in line) for line in shown.err.splitlines() if "policy" in line] == [
            (True, True)
        ]
        assert any("line 3" in line and "theme" in line for line in shown.err.splitlines())


class TestSet:
    @pytest.mark.parametrize(
        ("name", "typed", "written"),
        [
            ("policy", ["notify"], "notify"),
            ("policy", ["daily", "07:30"], "daily 07:30"),
            ("renew_before", ["900s"], "15m"),
            ("warn_before", ["5m,", "1h"], ["1h", "5m"]),
            ("warn_before", ['["30m","10m"]'], ["30m", "10m"]),
            ("renew_before", ['"10m"'], "10m"),
            ("mode", ["'demo'"], "demo"),
            ("share_kwcli", ['"true"'], True),
            ("quiet_hours", ["22:00-07:00"], "22:00-07:00"),
            ("quiet_hours", [""], ""),
            ("share_token_file", ["on"], True),
            ("share_bot_file", [""], ""),
            ("redis_url", ["redis://localhost:6379/0"], "redis://localhost:6379/0"),
            ("language", ["ko"], "ko"),
        ],
    )
    def test_keeps_what_was_typed(
        self, config: Callable[..., Run], file: Path, name: str, typed: list[str], written: bool | list[str] | str
    ) -> None:
        done = config("set", name, *typed)

        assert (done.status, done.err) == (DONE, "")
        assert tomllib.loads(file.read_text(encoding="utf-8")) == {name: written}
        assert done.out.startswith(f"{name} = ")

    @pytest.mark.parametrize(
        ("words", "switches"),
        [
            (("set", "mode", "demo"), True),
            (("set", "mode", "real"), False),
            (("unset", "mode"), False),
            (("set", "theme", "dark"), False),
            (("set", "mode", "demo", "--profile", "second"), True),
        ],
    )
    def test_tells_that_running_bots_stay_with_the_old_account(
        self, config: Callable[..., Run], words: tuple[str, ...], *, switches: bool
    ) -> None:
        assert ("trade with the old account" in config(*words).out) is switches

    def test_the_rest_of_the_file_stays_as_it_was(self, config: Callable[..., Run], file: Path) -> None:
        file.write_text('# mine\npolicy = "notify"  # for now\n\n[profiles.second]\nmode = "demo"\n')

        config("set", "theme", "dark")
        config("set", "policy", "auto")

        assert file.read_text() == (
            '# mine\npolicy = "auto"  # for now\ntheme = "dark"\n\n[profiles.second]\nmode = "demo"\n'
        )

    def test_what_a_profile_may_have_of_its_own_goes_into_its_section(
        self, run: Callable[..., Run], file: Path
    ) -> None:
        assert run("--profile", "second", "config", "set", "policy", "notify").status == DONE

        assert tomllib.loads(file.read_text()) == {"profiles": {"second": {"policy": "notify"}}}
        assert [load_settings(name).policy for name in (DEFAULT, "second")] == ["auto", "notify"]

    def test_what_is_the_machines_is_refused_with_a_named_profile(self, run: Callable[..., Run], file: Path) -> None:
        refused = run("config", "set", "language", "ko", "--profile", "second")

        assert refused.status == USAGE
        assert "language" in one_line(refused.err)
        assert not file.exists()

    def test_what_is_the_machines_is_written_for_all_where_only_a_variable_names_the_profile(
        self, config: Callable[..., Run], file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("KIWOOM_PROFILE", "second")

        config("set", "theme", "dark")
        config("set", "policy", "notify")

        assert tomllib.loads(file.read_text()) == {"theme": "dark", "profiles": {"second": {"policy": "notify"}}}

    @pytest.mark.parametrize(
        ("name", "value", "told"),
        [
            ("renew_before", "-10m", "It takes: a duration with its unit"),
            ("renew_before", "-10", "It takes: a duration with its unit"),
            ("warn_before", "-5m,10m", "It takes: a list of durations"),
            ("policy", "-auto", "It takes: notify, auto"),
            ("data_dir", "-p", "It takes: the path of a folder"),
        ],
    )
    def test_a_value_that_begins_like_an_option_is_refused_by_its_setting(
        self, config: Callable[..., Run], name: str, value: str, told: str
    ) -> None:
        refused = config("set", name, value, "--verbose")

        assert refused.status == USAGE
        assert f"{name} cannot be used. {told}" in refused.err

    def test_an_option_after_the_value_is_one(self, run: Callable[..., Run], file: Path) -> None:
        assert run("config", "set", "renew_before", "5m", "--profile", "second").status == DONE
        assert "[profiles.second]" in file.read_text()
        assert run("config", "set", "renew_before", "5m", "--nothing").status == USAGE
        assert "usage:" in run("config", "set", "-h").out

    @pytest.mark.parametrize("action", [("get",), ("set", "x"), ("unset",)])
    def test_an_unknown_name_is_refused_and_the_nearest_one_told(
        self, config: Callable[..., Run], action: tuple[str, str] | tuple[str]
    ) -> None:
        refused = config(action[0], "renew_befor", *action[1:])

        assert (refused.status, refused.out) == (USAGE, "")
        assert "renew_before" in one_line(refused.err)

    def test_a_name_like_no_other_is_refused_too(self, config: Callable[..., Run]) -> None:
        refused = config("get", "zzzzzz")

        assert refused.status == USAGE
        assert "kiwoom-token config" in one_line(refused.err)

    @pytest.mark.parametrize(
        ("name", "value", "takes"),
        [
            ("policy", "daily 09:00", "20:00"),
            ("renew_before", "soon", '"10m"'),
            ("renew_before", "10", "its unit"),
            ("warn_before", "30m 10m", '["30m", "10m"'),
            ("warn_before", "30", '["30m", "10m"'),
            ("store", "paper", "keyring"),
            ("share_kwcli", "perhaps", "true, false"),
            ("share_bot_file", "bot.json", "whole path"),
        ],
    )
    def test_a_bad_value_is_refused_with_what_it_takes(
        self, config: Callable[..., Run], file: Path, name: str, value: str, takes: str
    ) -> None:
        refused = config("set", name, value)

        assert (refused.status, refused.out) == (USAGE, "")
        assert name in one_line(refused.err)
        assert takes in refused.err
        assert not file.exists()

    def test_an_address_with_a_password_is_refused_and_not_repeated(
        self, config: Callable[..., Run], file: Path
    ) -> None:
        refused = config("set", "redis_url", "rediss://trader:hunter2@store.example:6380/1")

        assert refused.status == USAGE
        assert "KIWOOM_TRAY_REDIS_URL" in one_line(refused.err)
        assert "hunter2" not in refused.err
        assert not file.exists()

    def test_redis_without_an_address_is_refused_before_it_is_written(
        self, config: Callable[..., Run], file: Path
    ) -> None:
        refused = config("set", "store", "redis")

        assert refused.status == USAGE
        assert "KIWOOM_TRAY_REDIS_URL" in one_line(refused.err)
        assert not file.exists()

    def test_a_damaged_file_is_left_as_it_is(self, config: Callable[..., Run], file: Path) -> None:
        damaged = 'theme = "dark"\nlanguage = [\nstore = "file"\n'
        file.write_text(damaged)

        refused = config("set", "theme", "light")

        assert refused.status == USAGE
        assert "line 2" in one_line(refused.err)
        assert "language" in refused.err
        assert file.read_text() == damaged

    def test_a_variable_that_goes_before_it_is_told(
        self, config: Callable[..., Run], file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("KIWOOM_MODE", "real")

        done = config("set", "mode", "demo")

        assert (done.status, tomllib.loads(file.read_text())) == (DONE, {"mode": "demo"})
        assert "KIWOOM_MODE" in one_line(done.err)
        assert done.out == "mode = real\n"

    def test_a_daily_rotation_is_told_to_cut_every_tool_once(self, config: Callable[..., Run]) -> None:
        said = config("set", "policy", "daily 07:30").out

        assert "07:30" in said
        assert "cut off once" in said

    def test_answers_in_the_language_that_was_just_chosen(self, config: Callable[..., Run]) -> None:
        config("set", "language", "ko")

        assert "쓸 수 없습니다" in config("set", "policy", "sometimes").err


class TestUnset:
    def test_the_default_counts_again(self, config: Callable[..., Run], file: Path) -> None:
        file.write_text('# mine\npolicy = "notify"\n')

        done = config("unset", "policy")

        assert (done.status, done.out, done.err) == (DONE, "policy = auto\n", "")
        assert file.read_text() == "# mine\n"

    def test_a_profile_follows_the_others_again(self, run: Callable[..., Run], file: Path) -> None:
        file.write_text('policy = "notify"\n[profiles.second]\npolicy = "auto"\n')

        assert run("--profile", "second", "config", "unset", "policy").out == "policy = notify\n"

    def test_what_was_not_set_is_told(self, config: Callable[..., Run], file: Path) -> None:
        done = config("unset", "policy")

        assert (done.status, one_line(done.out)) == (DONE, "policy was already unset.")
        assert not file.exists()

    def test_takes_out_what_is_no_setting_at_all(self, config: Callable[..., Run], file: Path) -> None:
        file.write_text('langauge = "ko"\n')

        assert config("unset", "langauge").status == DONE
        assert file.read_text() == ""


def test_an_account_that_kiwoomcli_does_not_know_is_refused(config: Callable[..., Run], file: Path) -> None:
    refused = config("set", "account", "nosuch")

    assert refused.status == USAGE
    assert "kiwoomcli has no accounts" in one_line(refused.err)
    assert not file.exists()


class TestAutostart:
    """The operating system is asked and told; the file repeats what was asked for."""

    @dataclass
    class System:
        configured: bool = False
        enabled: bool = True
        refuses: bool = False

        def status(self) -> Status:
            return Status("", self.configured, as_it_should_be=True, enabled=self.enabled)

    @pytest.fixture
    def system(self, monkeypatch: pytest.MonkeyPatch) -> System:
        found = self.System()

        def switch(*, on: bool) -> None:
            if found.refuses:
                raise AutostartFailed("The system says no.")
            found.configured = on

        monkeypatch.setattr(autostart, "switch", switch)
        monkeypatch.setattr(autostart, "for_this_system", lambda: found)
        return found

    def test_is_switched_on_and_off(self, config: Callable[..., Run], file: Path, system: System) -> None:
        assert config("set", "autostart", "true").out == "autostart = true\n"
        assert (system.configured, tomllib.loads(file.read_text())) == (True, {"autostart": True})

        config("unset", "autostart")

        assert (system.configured, tomllib.loads(file.read_text())) == (False, {})

    def test_is_what_the_system_says(self, config: Callable[..., Run], file: Path, system: System) -> None:
        file.write_text("autostart = true\n")

        assert config("get", "autostart").out == "false\n"
        (told,) = [one for one in json.loads(config("--json").out) if one["name"] == "autostart"]
        assert (told["value"], told["source"]) == (False, "system")

    def test_is_not_written_when_the_system_refuses(
        self, config: Callable[..., Run], file: Path, system: System
    ) -> None:
        system.refuses = True

        refused = config("set", "autostart", "true")

        assert (refused.status != DONE, one_line(refused.err)) == (True, "The system says no.")
        assert not file.exists()

    @pytest.mark.parametrize("was_on", [True, False])
    def test_stays_as_it_is_when_the_file_cannot_be_written(
        self, config: Callable[..., Run], file: Path, system: System, *, was_on: bool
    ) -> None:
        system.configured, system.enabled = was_on, False
        file.write_text("language = [\n")

        assert config("set", "autostart", str(not was_on).lower()).status != DONE

        assert (system.configured, system.enabled) == (was_on, False)


def test_path_is_where_the_file_is_or_would_be(config: Callable[..., Run], private_places: Path) -> None:
    assert config("path").out.strip() == str(private_places / "places" / "settings" / "settings.toml")


class TestTheToken:
    """What a change of the settings does to a valid token."""

    def test_moves_along_to_another_folder(
        self, run: Callable[..., Run], config: Callable[..., Run], data: Path, private_places: Path
    ) -> None:
        put(run)
        other = private_places / "other"

        done = config("set", "data_dir", str(other))

        assert done.err == ""
        assert str(other / ".token") in done.out
        assert json.loads((other / ".token").read_text())["access_token"] == TOKEN
        assert not (data / ".token").exists()
        assert kept(run) == TOKEN

    def test_moves_from_the_keyring_to_the_file_and_back(
        self, run: Callable[..., Run], config: Callable[..., Run], keyring_client: MemoryKeyring, data: Path
    ) -> None:
        put(run)
        assert not (data / ".token").exists()

        config("set", "store", "file")

        assert keyring_client.entries == {}
        assert kept(run) == TOKEN

        config("set", "store", "keyring")

        assert not (data / ".token").exists()
        assert len(keyring_client.entries) == 1
        assert kept(run) == TOKEN

    def test_stays_where_both_stores_keep_it(
        self, run: Callable[..., Run], config: Callable[..., Run], data: Path
    ) -> None:
        """Without a keyring `auto` keeps it in the file."""
        put(run)

        done = config("set", "store", "file")

        assert (done.out.splitlines()[0], done.err) == ("store = file", "")
        assert kept(run) == TOKEN

    def test_of_every_profile_moves_along(
        self, run: Callable[..., Run], config: Callable[..., Run], data: Path, private_places: Path
    ) -> None:
        put(run)
        put(run, "--profile", "second")
        run("--profile", "second", "config", "set", "policy", "notify")
        other = private_places / "other"

        config("set", "data_dir", str(other))

        assert sorted(one.name for one in other.glob("*.token")) == [".token", "second.token"]
        assert not list(data.glob("*.token"))

    def test_a_newer_one_in_the_new_place_is_kept(
        self, run: Callable[..., Run], config: Callable[..., Run], data: Path, file: Path, private_places: Path
    ) -> None:
        other = private_places / "other"
        config("set", "data_dir", str(other))
        assert run("set", "--expires-in", "7200", stdin="a-token-that-lives-for-longer").status == DONE
        file.write_text("")
        put(run)

        config("set", "data_dir", str(other))

        assert kept(run) == "a-token-that-lives-for-longer"

    def test_stays_where_it_is_when_only_memory_is_left(
        self, run: Callable[..., Run], config: Callable[..., Run], data: Path
    ) -> None:
        put(run)

        done = config("set", "store", "memory")

        assert str(data / ".token") in done.out
        assert (data / ".token").exists()

    def test_goes_into_the_memory_of_a_program_that_goes_on(
        self, run: Callable[..., Run], config: Callable[..., Run], data: Path
    ) -> None:
        put(run)
        before = load_settings()
        old = open_service(before)
        config("set", "store", "memory")
        after = load_settings()
        new = open_service(after)

        migrated = migrate(before, after, old=old, new=new)

        assert migrated.failures == []
        assert new.living().value.reveal() == TOKEN
        assert not (data / ".token").exists()

    def test_stays_when_no_token_can_be_stored_in_the_new_place(
        self, run: Callable[..., Run], config: Callable[..., Run], data: Path, private_places: Path
    ) -> None:
        put(run)
        (private_places / "blocked").write_text("a file where the folder would be")

        refused = config("set", "data_dir", str(private_places / "blocked"))

        assert refused.status == USAGE
        assert "Nothing can be written in" in one_line(refused.err)
        assert json.loads((data / ".token").read_text())["access_token"] == TOKEN
        assert run("get", "--no-issue").out == f"{TOKEN}\n"

    def test_is_encrypted_and_decrypted_with_the_setting(
        self, run: Callable[..., Run], config: Callable[..., Run], data: Path, private_places: Path
    ) -> None:
        fernet = pytest.importorskip("cryptography.fernet").Fernet
        keys = private_places / "keys.txt"
        keys.write_bytes(fernet.generate_key())
        keys.chmod(0o600)
        put(run)

        assert config("set", "encryption_key_file", str(keys)).err == ""
        assert TOKEN not in (data / ".token").read_text()
        assert kept(run) == TOKEN

        assert config("unset", "encryption_key_file").err == ""
        assert json.loads((data / ".token").read_text())["access_token"] == TOKEN
        assert kept(run) == TOKEN

    @pytest.mark.parametrize("content", [None, b"", b"no key", b"\xff\xfen\x00o\x00"])
    def test_a_key_file_that_no_program_could_use_is_refused(
        self, config: Callable[..., Run], file: Path, private_places: Path, content: bytes | None
    ) -> None:
        keys = private_places / "keys.txt"
        if content is not None:
            keys.write_bytes(content)
            keys.chmod(0o600)

        refused = config("set", "encryption_key_file", str(keys))

        assert (refused.status, refused.out) == (USAGE, "")
        assert one_line(refused.err)
        assert not file.exists() or "encryption" not in file.read_text()

    def test_following_twice_changes_nothing(
        self, run: Callable[..., Run], config: Callable[..., Run], data: Path, private_places: Path
    ) -> None:
        put(run)
        before = load_settings()
        config("set", "data_dir", str(private_places / "other"))

        migrated = migrate(before, load_settings())

        assert (migrated.place, migrated.failures) == (None, [])
        assert kept(run) == TOKEN


class TestCopies:
    """What a change of the settings does to the copies that other tools read."""

    def test_begin_at_once(self, run: Callable[..., Run], config: Callable[..., Run], private_places: Path) -> None:
        put(run)
        bots = private_places / "bots" / "token.json"

        config("set", "share_bot_file", str(bots))

        assert json.loads(bots.read_text())["token"] == TOKEN

    @pytest.mark.parametrize("words", [("set", "share_bot_file", ""), ("unset", "share_bot_file")])
    def test_are_taken_away_when_switched_off(
        self,
        run: Callable[..., Run],
        config: Callable[..., Run],
        private_places: Path,
        words: tuple[str, str, str] | tuple[str, str],
    ) -> None:
        put(run)
        bots = private_places / "bots" / "token.json"
        config("set", "share_bot_file", str(bots))

        config(*words)

        assert not bots.exists()
        assert kept(run) == TOKEN

    def test_move_to_another_file(
        self, run: Callable[..., Run], config: Callable[..., Run], private_places: Path
    ) -> None:
        put(run)
        one, two = private_places / "bots" / "1.json", private_places / "bots" / "2.json"
        config("set", "share_bot_file", str(one))

        config("set", "share_bot_file", str(two))

        assert (one.exists(), two.exists()) == (False, True)

    @pytest.mark.parametrize(("before", "is_left"), [("", True), ("live", True), ("family", False)])
    def test_go_with_the_account_whose_token_it_was(
        self,
        config: Callable[..., Run],
        private_places: Path,
        keyring_client: MemoryKeyring,
        before: str,
        is_left: bool,
    ) -> None:
        bots = private_places / "bots" / "token.json"
        for alias in ("live", "family"):
            kwcli.keep_alias(alias, "real")
            store_keys(alias, "real", AppKeys(Secret(alias), Secret("secret")), shared_keyring_client())
        config("set", "account", before)
        config("set", "share_bot_file", str(bots))
        keys = AppKeys(Secret(before or "live"), Secret("secret"))
        settings = load_settings()
        issued = token_for(TOKEN, 86400, time.time()).bound_to(KeyBinding(settings, {}).issued_for(keys))
        open_service(settings).put(issued)

        config("set", "account", "live")

        assert bots.exists() is is_left

    def test_of_another_share_stay(
        self, run: Callable[..., Run], config: Callable[..., Run], private_places: Path, keyring_client: MemoryKeyring
    ) -> None:
        put(run)
        bots = private_places / "bots" / "token.json"
        config("set", "share_bot_file", str(bots))
        config("set", "share_token_file", "true")
        assert (private_places / "data" / ".token").exists()

        config("set", "share_token_file", "false")

        assert bots.exists()
        assert not (private_places / "data" / ".token").exists()
        assert kept(run) == TOKEN

    def test_of_two_accounts_do_not_get_into_one_file(
        self, run: Callable[..., Run], config: Callable[..., Run], private_places: Path, file: Path
    ) -> None:
        put(run)
        bots = private_places / "bots" / "token.json"
        config("set", "share_bot_file", str(bots))
        before = file.read_text()

        refused = run(
            "--profile", "second", "config", "set", "share_bot_file", str(bots.parent / ".." / "bots" / bots.name)
        )

        assert refused.status == USAGE
        assert one_line(refused.err) == (
            f"{bots} is the file of the profile default, whose token a bot would get. Choose another."
        )
        assert file.read_text() == before
        assert config("set", "share_bot_file", str(bots)).status == DONE

    def test_are_not_put_where_a_token_itself_is_stored(
        self, run: Callable[..., Run], config: Callable[..., Run], private_places: Path
    ) -> None:
        put(run)
        of_second = private_places / "data" / "second.token"

        refused = config("set", "share_bot_file", str(of_second))

        assert refused.status == USAGE
        assert one_line(refused.err) == f"A token itself is stored in {of_second}. Choose another file for bots."
        assert not of_second.exists()

    def test_the_file_is_no_copy_where_the_token_itself_is_stored_there(
        self, run: Callable[..., Run], config: Callable[..., Run]
    ) -> None:
        """Without a keyring."""
        put(run)
        config("set", "share_token_file", "true")

        config("set", "share_token_file", "false")

        assert kept(run) == TOKEN


def test_columns_of_wide_letters() -> None:
    assert in_columns([("가나", "x", "1"), ("abc", "한글", "22")]) == ["가나  x     1", "abc   한글  22"]
