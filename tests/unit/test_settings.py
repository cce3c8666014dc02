from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import platformdirs
import pytest

import tray_app
from tray_app import TokenManager
from tray_app.core.errors import USAGE, InvalidInput, SettingsError
from tray_app.settings import places
from tray_app.settings.kinds import Span, Spans, Switch
from tray_app.settings.load import Settings, load_settings, profile_name
from tray_app.settings.places import config_dir, settings_scope, shared_state_dir, token_file
from tray_app.settings.save import save_setting, settle_data_dir, unset_setting
from tray_app.settings.table import TABLE, read_value


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "settings"


@pytest.fixture
def environ(folder: Path) -> dict[str, Any]:
    return {"KIWOOM_TRAY_CONFIG_DIR": str(folder)}


@pytest.fixture
def file(folder: Path) -> Path:
    folder.mkdir()
    return folder / "settings.toml"


@pytest.fixture
def load(environ: dict[str, str]) -> Callable[..., Settings]:
    return lambda profile=None, **chosen: load_settings(profile, environ, **chosen)


class TestDefaults:
    def test_are_those_of_the_contract(self, load: Callable[..., Settings], tmp_path: Path) -> None:
        settings = load()

        assert (settings.profile, settings.store, settings.mode, settings.policy, settings.language) == (
            "default",
            "auto",
            "real",
            "auto",
            "auto",
        )
        assert (settings.renew_before, settings.warn_before) == (600, (1800, 600, 300, 0))
        assert settings.data_dir == str(tmp_path / "data")
        assert (settings.has_own_data_dir, settings.problems) == (False, ())

    def test_nothing_is_written(self, load: Callable[..., Settings], folder: Path) -> None:
        load()

        assert not folder.exists()

    def test_are_themselves_values_that_the_table_takes(self) -> None:
        for setting in TABLE.values():
            if setting.default is not None and setting.name != "warn_before":
                written = setting.kind.write(setting.default)
                assert read_value(setting, written, setting.name) == setting.default

    def test_only_mock_keys_mean_mock_trading(self, load: Callable[..., Settings], environ: dict[str, str]) -> None:
        environ["APP_KEY_MOCK"] = "key-of-a-test"

        assert load().mode == "demo"

    def test_both_kinds_of_keys_mean_real_trading(self, load: Callable[..., Settings], environ: dict[str, str]) -> None:
        environ |= {"APP_KEY_MOCK": "key-of-a-test", "APP_KEY": "key-of-a-test"}

        assert load().mode == "real"

    @pytest.mark.parametrize("name", ["APP_KEY_MOCK", "APP_SECRET_MOCK"])
    def test_half_a_pair_of_mock_keys_does_not_mean_real_trading(
        self, load: Callable[..., Settings], environ: dict[str, str], name: str
    ) -> None:
        environ |= {"APP_KEY_MOCK": "", "APP_SECRET_MOCK": "", name: "half-of-a-test"}

        assert load().mode == "demo"

    def test_a_secret_of_another_program_does_not_turn_mock_trading_into_real(
        self, load: Callable[..., Settings], environ: dict[str, str]
    ) -> None:
        environ |= {"APP_KEY_MOCK": "key-of-a-test", "APP_SECRET_MOCK": "secret-of-a-test", "APP_SECRET": "another's"}

        assert load().mode == "demo"

    def test_mock_keys_say_nothing_about_another_profile(
        self, load: Callable[..., Settings], environ: dict[str, str]
    ) -> None:
        environ["APP_KEY_MOCK"] = "key-of-a-test"

        assert load("second").mode == "real"


class TestPrecedence:
    LAYERS = ("default", "file", "profile", "environment", "chosen")

    @pytest.mark.parametrize("layer", LAYERS)
    def test_the_nearest_wins(
        self, layer: str, load: Callable[..., Settings], file: Path, environ: dict[str, str]
    ) -> None:
        """`mode` stands in every layer; each row adds one more."""
        layers = self.LAYERS[: self.LAYERS.index(layer) + 1]
        values = {"default": "real", "file": "demo", "profile": "real", "environment": "demo", "chosen": "real"}
        text = f'mode = "{values["file"]}"\n' if "file" in layers else ""
        text += f'[profiles.second]\nmode = "{values["profile"]}"\n' if "profile" in layers else ""
        file.write_text(text)
        if "environment" in layers:
            environ["KIWOOM_MODE"] = values["environment"]

        settings = load("second", **({"mode": values["chosen"]} if "chosen" in layers else {}))

        assert settings.mode == values[layer]

    def test_the_environment_goes_before_the_file(
        self, load: Callable[..., Settings], file: Path, environ: dict[str, str]
    ) -> None:
        file.write_text('store = "memory"')
        environ["KIWOOM_TRAY_STORE"] = "file"

        assert load().store == "file"

    def test_an_empty_variable_is_none(
        self, load: Callable[..., Settings], file: Path, environ: dict[str, str]
    ) -> None:
        file.write_text('store = "memory"')
        environ |= {"KIWOOM_TRAY_STORE": "", "KIWOOM_PROFILE": "", "KIWOOM_TRAY_BASE_URL": ""}

        assert (load().store, load().profile, load().base_url) == ("memory", "default", None)

    def test_a_section_is_its_profiles_alone(self, load: Callable[..., Settings], file: Path) -> None:
        file.write_text('policy = "auto"\n[profiles.second]\npolicy = "notify"\nrenew_before = "1h"\n')

        assert [load(name).policy for name in (None, "second", "third")] == ["auto", "notify", "auto"]
        assert [load(name).renew_before for name in (None, "second", "third")] == [600, 3600, 600]

    @pytest.mark.parametrize("name", ["second", "SECOND", "Default"])
    def test_a_name_that_differs_from_an_earlier_one_in_case_alone_is_refused(
        self, name: str, load: Callable[..., Settings], file: Path
    ) -> None:
        file.write_text("[profiles.Second]\n[profiles.second]\n")

        assert load("Second").profile == "Second"
        with pytest.raises(InvalidInput, match="already"):
            load(name)

    @pytest.mark.parametrize("name", ["내 계좌", "a.b", "with space", "7", "profiles"])
    def test_a_section_can_have_any_profiles_name(self, name: str, load: Callable[..., Settings], file: Path) -> None:
        file.write_text(f'[profiles."{name}"]\npolicy = "notify"\n', encoding="utf-8")

        assert load(name).policy == "notify"

    @pytest.mark.parametrize("line", ['store = "file"', 'data_dir = "/x"', 'language = "ko"'])
    def test_what_concerns_the_whole_machine_does_not_stand_in_a_section(
        self, line: str, load: Callable[..., Settings], file: Path
    ) -> None:
        file.write_text(f"[profiles.second]\n{line}\n")

        settings = load("second")

        assert [
            str(one).startswith(f"{file}, line 2: {line.split(maxsplit=1)[0]} is the same") for one in settings.problems
        ] == [True]
        assert settings.is_usable is (settings.language == "auto" and "language" in line)
        assert load().is_usable is settings.is_usable  # it may have been meant for all of them

    def test_the_profile_can_be_named_by_the_environment(
        self, load: Callable[..., Settings], environ: dict[str, str]
    ) -> None:
        environ["KIWOOM_PROFILE"] = "second"

        assert (load().profile, load("third").profile) == ("second", "third")


BROKEN = {
    "no TOML": "store = ",
    "half a string": 'store = "fi',
    "too deep": "a = " + "[" * 50000,
    "JSON": json.dumps({"store": "file"}),
}


class TestBrokenFile:
    @pytest.mark.parametrize("kind", BROKEN)
    def test_is_reported_and_nothing_is_used_in_its_place(
        self, kind: str, load: Callable[..., Settings], file: Path
    ) -> None:
        file.write_text(BROKEN[kind])

        settings = load()

        assert [f"{file}, line 1" in str(one) for one in settings.problems] == [True]
        with pytest.raises(SettingsError, match="line 1"):
            _ = settings.store

    def test_half_a_list_of_warnings_leaves_the_default_ones(self, load: Callable[..., Settings], file: Path) -> None:
        file.write_text("warn_before = [")

        settings = load()

        assert (settings.warn_before, settings.store, settings.is_usable) == ((1800, 600, 300, 0), "auto", True)

    @pytest.mark.parametrize(
        ("broken", "told"),
        [
            ("policy = notify", ": the value of policy needs straight quotes"),
            ("policy = “notify”", ": the value of policy needs straight quotes"),
            ('policy = "notify', ": the quotes around the value of policy are not closed"),
            ('policy = """notify', ": the quotes around the value of policy are not closed"),
            ("policy = 'notify", ": the quotes around the value of policy are not closed"),
            ('policy : "notify"', ": there is no = after policy"),
            ("policy notify", ": there is no = after policy"),
            ("renew_before = ", ": renew_before has no value"),
            ("renew_before = # later", ": renew_before has no value"),
            ("warn_before = [", ": the bracket in the value of warn_before is not closed"),
            ('data_dir = "C:\\Users\\me"', ": put the value of data_dir in single quotes"),
            ('policy = notify !! "', ": the value of policy is not TOML"),
            ("= 5", " is not TOML"),
            ('warn_before = [\n"30m",\n]\noops', ": there is no = in it"),
            ('language = "en"', ": language is set twice"),
            ("[profiles.second", ": the bracket is not closed"),
            ("[profiles.스윙]", ': Quote names with other letters or blanks, such as [profiles."스윙"]'),
            ('profiles.스윙.mode = "demo"', ': Quote names with other letters or blanks, such as [profiles."스윙"]'),
            ("[profiles.a b]", ': Quote names with other letters or blanks, such as [profiles."스윙"]'),
            ("[profiles.a b.c]", " is not TOML"),
        ],
        ids=lambda one: one[:20],
    )
    def test_a_line_that_is_no_toml_is_named_and_all_others_apply(
        self, broken: str, told: str, load: Callable[..., Settings], file: Path
    ) -> None:
        text = f'language = "ko"\n\n{broken}\nstore = "file"\n\n[profiles.third]\nmode = "demo"\n'
        file.write_text(text, encoding="utf-8")

        settings = load()

        line = 3 + broken.count("\n")
        assert [str(one).startswith(f"{file}, line {line}{told}") for one in settings.problems] == [True]
        assert settings.language == "ko"
        assert load("third").mode == "demo"

    def test_a_profile_in_a_line_of_its_own_needs_quotes_too(self, load: Callable[..., Settings], file: Path) -> None:
        file.write_text('[profiles]\n스윙 = {mode = "demo"}\n', encoding="utf-8")

        (problem,) = load("스윙").problems

        assert str(problem).startswith(f"{file}, line 2: Quote names with other letters")

    def test_what_stands_under_a_broken_head_counts_for_nobody_else(
        self, load: Callable[..., Settings], file: Path
    ) -> None:
        file.write_text('[profiles.second\npolicy = "notify"\n[profiles.third]\npolicy = "daily 06:30"\n')

        assert [load(name).policy for name in (None, "second", "third")] == ["auto", "notify", "daily 06:30"]
        assert [load(name).is_usable for name in (None, "second", "third")] == [True, False, True]

    def test_several_broken_lines_are_all_named(self, load: Callable[..., Settings], file: Path) -> None:
        file.write_text('a b\nlanguage = "ko"\nstore = file\npolicy = "notify"\n')

        settings = load()

        assert ["line 1" in str(settings.problems[0]), "line 3" in str(settings.problems[1])] == [True, True]
        assert (settings.language, settings.policy) == ("ko", "notify")
        with pytest.raises(SettingsError, match="line 3"):
            _ = settings.store

    def test_the_value_of_a_broken_line_is_not_repeated(self, load: Callable[..., Settings], file: Path) -> None:
        file.write_text("redis_url = redis://me:my-password@host\n")

        assert "my-password" not in str(load().problems[0])

    @pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"\x00" * 100, "store = 'file' # 키움".encode("cp949")])
    def test_that_is_no_utf_8_is_reported(self, content: bytes, load: Callable[..., Settings], file: Path) -> None:
        file.write_bytes(content)

        assert len(load().problems) == 1

    def test_a_byte_order_mark_is_no_damage(self, load: Callable[..., Settings], file: Path) -> None:
        file.write_bytes(b'\xef\xbb\xbfstore = "file"')

        assert (load().store, load().problems) == ("file", ())

    @pytest.mark.parametrize(
        "line",
        [
            "renew_before = 10",
            "renew_before = -1",
            "renew_before = true",
            "renew_before = 1.5",
            'renew_before = "10"',
            'renew_before = "10x"',
            'renew_before = "-10m"',
            'renew_before = "２m"',
            'renew_before = "2d"',
            'renew_before = "25h"',
            f'renew_before = "{"9" * 5000}s"',
            'warn_before = "10m"',
            "warn_before = [true]",
            f"warn_before = {list(range(11))}",
            "warn_before = [30, 10]",
            "share_kwcli = 1",
            'unknown = "x"',
            'langauge = "en"',
            "profile = 1",
        ],
        ids=lambda line: line[:40],
    )
    def test_a_bad_line_is_reported_and_the_rest_applies(
        self, line: str, load: Callable[..., Settings], file: Path
    ) -> None:
        file.write_text(f'language = "ko"\n{line}\n', encoding="utf-8")

        settings = load()

        assert len(settings.problems) == 1
        assert (settings.language, settings.store, settings.renew_before) == ("ko", "auto", 600)

    def test_a_bad_line_in_a_section_is_reported_with_its_place(
        self, load: Callable[..., Settings], file: Path
    ) -> None:
        file.write_text('[profiles.second]\nmode = "paper"\npolicy = "notify"\n')

        settings = load("second")

        assert str(settings.problems[0]).startswith(f"{file}, line 2: mode ")
        assert settings.policy == "notify"
        with pytest.raises(SettingsError, match="line 2: mode"):
            _ = settings.mode

    def test_a_bad_section_of_another_profile_is_not_this_ones_problem(
        self, load: Callable[..., Settings], file: Path
    ) -> None:
        file.write_text('[profiles.second]\nmode = "paper"\n')

        assert load().problems == ()

    def test_names_nested_deeper_than_calls_can_be_are_reported(
        self, load: Callable[..., Settings], file: Path
    ) -> None:
        file.write_text(f'{".".join("a" * 3000)} = 1\nmode = "demo"\n')

        settings = load()

        assert (settings.mode, [f"{file}, line 1" in str(one) for one in settings.problems]) == ("demo", [True])

    def test_a_folder_in_its_place_is_reported(self, load: Callable[..., Settings], file: Path) -> None:
        file.mkdir()

        assert len(load().problems) == 1

    def test_a_file_that_may_not_be_read_is_reported(
        self, load: Callable[..., Settings], file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file.write_text("")

        def refuse(*_: Any, **__: Any) -> None:
            raise PermissionError(errno.EACCES, "Permission denied")

        monkeypatch.setattr("builtins.open", refuse)
        settings = load()
        monkeypatch.undo()

        denied = "another program has it open" if sys.platform == "win32" else "Permission denied"
        assert denied in str(settings.problems[0])

    def test_a_password_of_redis_does_not_stand_in_it_and_is_not_repeated(
        self, load: Callable[..., Settings], file: Path
    ) -> None:
        file.write_text('redis_url = "redis://user:hidden-word@host"')

        settings = load()

        assert "hidden-word" not in str(settings.problems[0])


class TestBadEnvironment:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("KIWOOM_TRAY_STORE", "cloud"),
            ("KIWOOM_MODE", "paper"),
            ("KIWOOM_TRAY_DATA_DIR", "a\0b"),
            ("KIWOOM_TRAY_DATA_DIR", '"'),
            ("KIWOOM_TRAY_DATA_DIR", "'/a\r"),
            ("KIWOOM_TRAY_DATA_DIR", "$HOME/a"),
            ("KIWOOM_TRAY_DATA_DIR", "/home/${USER}/a"),
            ("KIWOOM_TRAY_DATA_DIR", "%APPDATA%\\a"),
            ("KIWOOM_TRAY_DATA_DIR", "file:///home/a"),
            ("KIWOOM_TRAY_CONFIG_DIR", '"'),
            ("KIWOOM_TRAY_CONFIG_DIR", "$HOME/a"),
            ("KIWOOM_TRAY_BASE_URL", "http://example.com"),
            ("KIWOOM_TRAY_BASE_URL", "ftp://localhost"),
            ("KIWOOM_TRAY_BASE_URL", "example.com"),
            ("KIWOOM_TRAY_REDIS_URL", "http://host"),
        ],
    )
    def test_is_a_usage_error_that_names_the_variable(
        self, name: str, value: str, load: Callable[..., Settings], environ: dict[str, str]
    ) -> None:
        environ[name] = value

        with pytest.raises(SettingsError, match=name) as raised:
            load()
        assert raised.value.exit_status == USAGE == 2

    @pytest.mark.posix
    @pytest.mark.parametrize("name", ["KIWOOM_TRAY_DATA_DIR", "KIWOOM_TRAY_CONFIG_DIR"])
    def test_the_home_of_nobody_is_no_folder(
        self, name: str, load: Callable[..., Settings], environ: dict[str, str]
    ) -> None:
        environ[name] = "~nobody-of-this-name/a"

        with pytest.raises(SettingsError, match=name):
            load()

    @pytest.mark.parametrize("name", ["..", "../../x", "a/b", ".x", "CON", "x" * 65, "a\0b", "x."])
    def test_a_bad_profile_is_a_usage_error(
        self, name: str, load: Callable[..., Settings], environ: dict[str, str]
    ) -> None:
        environ["KIWOOM_PROFILE"] = name

        with pytest.raises(InvalidInput) as raised:
            load()
        assert raised.value.exit_status == USAGE

    def test_a_bad_redis_address_is_not_repeated(self, load: Callable[..., Settings], environ: dict[str, str]) -> None:
        environ["KIWOOM_TRAY_REDIS_URL"] = "http://user:hidden-word@host"

        with pytest.raises(SettingsError) as raised:
            load()
        assert "hidden-word" not in str(raised.value)

    def test_a_bad_encryption_key_is_not_repeated(self, load: Callable[..., Settings], environ: dict[str, str]) -> None:
        environ["KIWOOM_TRAY_ENCRYPTION_KEY"] = "hidden-word"

        with pytest.raises(SettingsError) as raised:
            load()
        assert "hidden-word" not in str(raised.value)

    @pytest.mark.parametrize("url", ["https://mock.kiwoom.com", "http://127.0.0.1:8080", "http://localhost:1"])
    def test_a_good_base_url_is_taken(self, url: str, load: Callable[..., Settings], environ: dict[str, str]) -> None:
        environ["KIWOOM_TRAY_BASE_URL"] = url

        assert load().base_url == url


class TestProfileName:
    def test_a_name_given_goes_before_the_environment(self) -> None:
        assert profile_name("second", {"KIWOOM_PROFILE": "third"}) == "second"

    def test_an_empty_name_given_is_refused(self) -> None:
        with pytest.raises(InvalidInput):
            profile_name("", {})

    def test_no_name_is_the_default(self) -> None:
        assert profile_name(None, {}) == "default"


class TestScope:
    def test_stays_the_same_when_the_data_folder_is_set_to_another(self, environ: dict[str, str]) -> None:
        before = settings_scope(environ)
        save_setting("data_dir", "/another", environ=environ)

        assert settings_scope(environ) == before

    def test_a_folder_of_the_state_that_was_not_filled_in_is_refused(self, environ: dict[str, str]) -> None:
        with pytest.raises(SettingsError, match="KIWOOM_TRAY_STATE_DIR"):
            shared_state_dir({**environ, "KIWOOM_TRAY_STATE_DIR": "$HOME/state"})

    @pytest.mark.parametrize("name", ["KIWOOM_TRAY_DATA_DIR", "KIWOOM_TRAY_CONFIG_DIR"])
    def test_is_another_where_the_environment_names_other_folders(
        self, name: str, environ: dict[str, str], tmp_path: Path
    ) -> None:
        assert settings_scope({**environ, name: str(tmp_path / "other")}) != settings_scope(environ)


class TestQuietHours:
    @pytest.mark.parametrize(
        ("text", "expected"), [("22:00-07:00", (1320, 420)), ("00:00 - 06:30", (0, 390)), ("", None)]
    )
    def test_are_minutes_of_the_day(
        self, text: str, expected: tuple[int, int] | None, load: Callable[..., Settings], file: Path
    ) -> None:
        file.write_text(f'quiet_hours = "{text}"\n')

        assert (load().quiet_hours, load().problems) == (expected, ())

    @pytest.mark.parametrize("text", ["22-07", "22:00", "22:00-25:00", "07:00-07:00", "22:00-07:60", "-", "７:00-8"])
    def test_refuses_the_rest(self, text: str, load: Callable[..., Settings], file: Path) -> None:
        file.write_text(f'quiet_hours = "{text}"\n', encoding="utf-8")

        assert (load().quiet_hours, len(load().problems)) == (None, 1)


class TestDaily:
    @pytest.mark.parametrize("time", ["00:00", "06:30", "07:59", "20:00", "23:59"])
    def test_rotates_while_no_market_is_open(self, time: str, load: Callable[..., Settings], file: Path) -> None:
        file.write_text(f'policy = "daily {time}"\n')

        assert load().policy == f"daily {time}"

    def test_takes_an_hour_of_one_digit_as_the_command_line_does(
        self, load: Callable[..., Settings], file: Path
    ) -> None:
        file.write_text('policy = "daily 6:30"\n')

        assert load().policy == "daily 06:30"

    @pytest.mark.parametrize("time", ["08:00", "12:00", "19:59"])
    def test_in_trading_hours_is_refused_with_the_reason(
        self, time: str, load: Callable[..., Settings], file: Path
    ) -> None:
        file.write_text(f'policy = "daily {time}"\n')

        assert load().policy == "notify"
        assert "08:00" in str(load().problems[0])


class TestKinds:
    """What a window or the command line does with any setting of the table."""

    SAMPLES: ClassVar = {
        "policy": ["notify", "daily 06:30"],
        "renew_before": ["10m", "90s", "1h", "0m"],
        "mode": ["demo"],
        "warn_before": ["1h, 30m, 90s", "0m", ""],
        "quiet_hours": ["22:00-07:00", ""],
        "share_kwcli": ["true", "false"],
        "share_bot_file": [os.path.abspath("/x/bot.json"), ""],
        "store": ["file"],
        "redis_url": ["redis://host:6379/0"],
        "language": ["ko"],
    }

    @pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in SAMPLES.items() for text in texts])
    def test_what_is_typed_is_kept_and_shown_as_it_was_typed(
        self, name: str, text: str, environ: dict[str, str], load: Callable[..., Settings]
    ) -> None:
        kind = TABLE[name].kind
        save_setting(name, kind.write(kind.read(kind.parse(text))), environ=environ)

        settings = load()

        assert settings.problems == ()
        assert kind.text(getattr(settings, name)) == text

    @pytest.mark.parametrize("word", ["true", "ON", " yes ", "1"])
    def test_a_switch_is_typed_in_many_ways(self, word: str) -> None:
        assert Switch().read(Switch().parse(word)) is True

    @pytest.mark.parametrize("typed", ["30m, 10m", '["30m","10m"]', "[30m,10m]", "'30m' , '10m'", '"30m, 10m"'])
    def test_warnings_are_typed_in_many_ways(self, typed: str) -> None:
        assert Spans().read(Spans().parse(typed)) == (1800, 600)

    def test_a_bare_number_asks_for_its_unit(self) -> None:
        with pytest.raises(ValueError, match="with its unit"):
            Span().read(Span().parse("90"))

    @pytest.mark.parametrize(
        ("name", "written", "meant"),
        [("mode", "Demo", "demo"), ("store", " Keyring ", "keyring"), ("policy", "Daily  06:30", "daily 06:30")],
    )
    def test_letter_case_and_blanks_of_a_known_word_are_forgiven(self, name: str, written: str, meant: str) -> None:
        assert TABLE[name].kind.read(written) == meant

    def test_an_address_is_shown_without_its_password(self) -> None:
        kind = TABLE["redis_url"].kind

        assert kind.text(kind.read("rediss://me:password@host:6379/0")) == "rediss://host:6379/0"


class TestSeconds:
    @pytest.mark.parametrize(
        ("value", "expected"),
        [("90s", 90), ("10m", 600), ("1h", 3600), ("24h", 86400), ("0m", 0), ("10M", 600), (0, 0)],
    )
    def test_reads_spans(self, value: int | str, expected: int) -> None:
        assert Span().read(value) == expected

    @pytest.mark.parametrize("value", ["", "m", "10", 10, "1.5m", "-1m", "1 m", "25h", -1, 86401, True, None, 1.0, []])
    def test_refuses_the_rest(self, value: Any) -> None:
        with pytest.raises(ValueError, match="duration"):
            Span().read(value)


class TestBotFiles:
    """One file is one profile's: a bot must not get the token of another account."""

    TWICE = "share_bot_file = '{0}'\n[profiles.second]\nmode = 'demo'\nshare_bot_file = '{0}'\n"

    @pytest.fixture
    def bots(self, tmp_path: Path) -> str:
        return str(tmp_path / "bots.json")

    def test_that_two_profiles_name_is_the_first_ones(
        self, load: Callable[..., Settings], file: Path, bots: str
    ) -> None:
        file.write_text(self.TWICE.format(bots))

        first, second = load(), load("second")

        assert (first.share_bot_file, first.problems) == (bots, ())
        assert (second.share_bot_file, second.mode) == ("", "demo")
        assert [str(one) for one in second.problems] == [
            f"{file}, line 4: share_bot_file is left out, because the profile default has that file already."
        ]

    def test_of_the_second_is_not_also_the_thirds(self, load: Callable[..., Settings], file: Path, bots: str) -> None:
        section = "[profiles.{}]\nshare_bot_file = '{}'\n"
        file.write_text(section.format("second", bots) + section.format("third", bots))

        assert [load(name).share_bot_file for name in (None, "second", "third")] == ["", bots, ""]

    @pytest.mark.posix
    def test_by_another_name_is_the_same(
        self, load: Callable[..., Settings], file: Path, bots: str, tmp_path: Path
    ) -> None:
        (tmp_path / "link").symlink_to(tmp_path)
        file.write_text(self.TWICE.format(bots).replace(bots, str(tmp_path / "link" / "bots.json"), 1))

        assert load("second").share_bot_file == ""

    def test_that_differ_are_each_ones_own(self, load: Callable[..., Settings], file: Path, bots: str) -> None:
        file.write_text(self.TWICE.format(bots).replace(bots, bots + "2", 1))

        assert (load().share_bot_file, load("second").share_bot_file) == (bots + "2", bots)

    @pytest.mark.parametrize("name", [".token", "second.token", ".token.lock"])
    def test_are_no_token_files(self, load: Callable[..., Settings], file: Path, tmp_path: Path, name: str) -> None:
        path = str(tmp_path / "data" / name)
        file.write_text(f"data_dir = '{tmp_path / 'data'}'\nshare_bot_file = '{path}'\n")

        settings = load()

        assert settings.share_bot_file == ""
        assert [str(one) for one in settings.problems] == [
            "share_bot_file is left out, because it is the file of a token itself."
        ]

    def test_in_the_data_folder_are_fine_under_another_name(
        self, load: Callable[..., Settings], file: Path, tmp_path: Path
    ) -> None:
        path = str(tmp_path / "data" / "token.json")
        file.write_text(f"data_dir = '{tmp_path / 'data'}'\nshare_bot_file = '{path}'\n")

        assert (load().share_bot_file, load().problems) == (path, ())


class TestStrangeFiles:
    @pytest.mark.posix
    def test_a_pipe_holds_up_nobody(self, environ: dict[str, str], folder: Path, load: Callable[..., Settings]) -> None:
        folder.mkdir()
        os.mkfifo(folder / "settings.toml")

        assert ["not a file" in str(problem) for problem in load().problems] == [True]
        with pytest.raises(SettingsError, match="not a file"):
            save_setting("store", "file", environ=environ)

    def test_a_file_that_is_far_too_long_is_not_read(
        self, environ: dict[str, str], file: Path, load: Callable[..., Settings]
    ) -> None:
        file.write_text('store = "file"\n' + "# far too long\n" * 10_000)

        assert ["too large" in str(problem) for problem in load().problems] == [True]
        with pytest.raises(SettingsError, match="too large"):
            load().require()
        with pytest.raises(SettingsError, match="too large"):
            save_setting("policy", "notify", environ=environ)

    @pytest.mark.parametrize("line", ["x", "x = 1", "x{} = 1", "[x{}]", '"'])
    def test_thousands_of_wrong_lines_are_judged_all_the_same(
        self, line: str, file: Path, load: Callable[..., Settings]
    ) -> None:
        file.write_text('store = "file"\n' + "\n".join(line.format(number) for number in range(6000)))

        assert load().problems


class TestSaving:
    def test_what_is_saved_is_loaded(self, environ: dict[str, str], load: Callable[..., Settings]) -> None:
        save_setting("policy", "notify", environ=environ)

        assert load().policy == "notify"

    def test_what_is_taken_back_is_the_default_again(
        self, environ: dict[str, str], load: Callable[..., Settings], file: Path
    ) -> None:
        file.write_text('# of mine\npolicy = "notify"\nstore = "file"\n[profiles.second]\npolicy = "notify"\n')

        assert [unset_setting("policy", environ=environ), unset_setting("policy", environ=environ)] == [True, False]
        assert [unset_setting("policy", name, environ) for name in ("second", "third")] == [True, False]

        assert (load().policy, load().store, load("second").policy) == ("auto", "file", "auto")
        assert "# of mine" in file.read_text()

    def test_a_profiles_setting_is_its_own(self, environ: dict[str, str], load: Callable[..., Settings]) -> None:
        save_setting("mode", "demo", "second", environ)

        assert [load(name).mode for name in (None, "second", "third")] == ["real", "demo", "real"]

    @pytest.mark.parametrize("name", ["내 계좌", "a.b", "with space", "a-b_c", "7", "x" * 64])
    def test_any_profile_name_is_saved(self, name: str, environ: dict[str, str], load: Callable[..., Settings]) -> None:
        save_setting("mode", "demo", name, environ)
        save_setting("policy", "notify", name, environ)

        assert (load(name).mode, load(name).policy, load().problems) == ("demo", "notify", ())

    def test_comments_and_everything_else_stay(self, environ: dict[str, str], file: Path) -> None:
        text = (
            "# of mine\n"
            'store = "file" # because\n'
            "\n"
            "unknown = { x = 1 }\n"
            "\n"
            "[profiles.second] # the other\n"
            '  mode = "demo"\n'
        )
        file.write_text(text)

        save_setting("store", "auto", environ=environ)

        assert file.read_text() == text.replace('"file"', '"auto"')

    def test_a_setting_of_all_does_not_slip_into_a_section(
        self, environ: dict[str, str], file: Path, load: Callable[..., Settings]
    ) -> None:
        file.write_text('[profiles.second]\nmode = "demo"\n')

        save_setting("data_dir", "/somewhere", environ=environ)

        assert tomllib.loads(file.read_text()) == {"data_dir": "/somewhere", "profiles": {"second": {"mode": "demo"}}}

    def test_a_section_is_added_beside_another(self, environ: dict[str, str], file: Path) -> None:
        file.write_text('store = "file"\n[profiles.second]\nmode = "demo"\n')

        save_setting("mode", "real", "third", environ)

        assert tomllib.loads(file.read_text()) == {
            "store": "file",
            "profiles": {"second": {"mode": "demo"}, "third": {"mode": "real"}},
        }

    @pytest.mark.parametrize("before", ["", '[profiles.third]\nmode = "demo"\n'])
    def test_a_section_that_is_gone_is_not_made_again_where_none_is_to_be_created(
        self, before: str, environ: dict[str, str], file: Path
    ) -> None:
        file.write_text(before)

        with pytest.raises(SettingsError, match="no profile second"):
            save_setting("policy", "auto", "second", environ, creates_section=False)

        assert file.read_text() == before

    def test_a_file_with_windows_line_ends_stays_readable(
        self, environ: dict[str, str], file: Path, load: Callable[..., Settings]
    ) -> None:
        file.write_bytes(b'# of mine\r\nstore = "file"\r\n')

        save_setting("policy", "notify", environ=environ)

        assert (load().store, load().policy, "# of mine" in file.read_text()) == ("file", "notify", True)

    @pytest.mark.parametrize("content", ["store = ", "profiles = 5", "[profiles]\nsecond = 5\n", "\xff"])
    def test_a_damaged_file_is_left_as_it_was(self, content: str, environ: dict[str, str], file: Path) -> None:
        file.write_text(content, encoding="latin-1")

        with pytest.raises(SettingsError):
            save_setting("mode", "demo", "second", environ)
        assert file.read_text(encoding="latin-1") == content

    def test_a_write_that_fails_leaves_the_file_as_it_was(
        self, environ: dict[str, str], file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file.write_text('store = "file"\n')

        def refuse(*_: Any) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(os, "replace", refuse)
        with pytest.raises(SettingsError, match="No space left"):
            save_setting("store", "auto", environ=environ)
        assert file.read_text() == 'store = "file"\n'

    def test_a_write_that_fails_leaves_nothing_behind(
        self, environ: dict[str, str], file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: Any) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(os, "replace", refuse)
        with pytest.raises(SettingsError):
            save_setting("store", "auto", environ=environ)
        assert [one.name for one in file.parent.iterdir()] == ["settings.toml.lock"]

    def test_programs_that_save_at_the_same_time_lose_no_change(
        self, environ: dict[str, str], file: Path, load: Callable[..., Settings]
    ) -> None:
        program = (
            "import sys; from tray_app.settings.save import save_setting\n"
            "for one in range(15): save_setting('mode', 'demo', sys.argv[1] + str(one))"
        )
        command = [sys.executable, "-c", program]
        writers = [subprocess.Popen([*command, name], env={**os.environ, **environ}) for name in "ab"]

        assert [writer.wait() for writer in writers] == [0, 0]
        sections = tomllib.loads(file.read_text())["profiles"]
        assert sorted(sections) == sorted(f"{name}{one}" for name in "ab" for one in range(15))

    def test_threads_that_save_at_the_same_time_lose_no_change(self, environ: dict[str, str], file: Path) -> None:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda one: save_setting("mode", "demo", f"p{one}", environ), range(20)))

        assert len(tomllib.loads(file.read_text())["profiles"]) == 20

    @pytest.mark.posix
    @pytest.mark.parametrize("mode", [0o600, 0o640])
    def test_the_file_is_open_to_whom_it_was(self, mode: int, environ: dict[str, str], file: Path) -> None:
        file.write_text("")
        file.chmod(mode)

        save_setting("store", "file", environ=environ)

        assert file.stat().st_mode & 0o777 == mode

    @pytest.mark.posix
    def test_a_new_file_is_its_owners_alone(self, environ: dict[str, str], folder: Path) -> None:
        save_setting("store", "file", environ=environ)

        assert (folder / "settings.toml").stat().st_mode & 0o777 == 0o600

    def test_what_a_killed_writer_left_is_no_hindrance(
        self, environ: dict[str, str], file: Path, load: Callable[..., Settings]
    ) -> None:
        file.with_name("settings.toml.new").write_text("half")

        save_setting("store", "file", environ=environ)

        assert load().store == "file"

    @pytest.mark.posix
    def test_a_file_kept_elsewhere_and_linked_stays_linked(
        self, environ: dict[str, str], file: Path, tmp_path: Path
    ) -> None:
        kept = tmp_path / "dotfiles.toml"
        kept.write_text('store = "file"\n')
        file.symlink_to(kept)

        save_setting("policy", "notify", environ=environ)

        assert file.is_symlink()
        assert tomllib.loads(kept.read_text()) == {"store": "file", "policy": "notify"}


class TestDataFolder:
    def test_a_checkout_settles_on_its_own_folder(self, environ: dict[str, str], load: Callable[..., Settings]) -> None:
        settings = settle_data_dir(load(), environ)

        expected = str(Path(tray_app.__file__).parents[1] / "data")
        assert (settings.data_dir, load().data_dir, load().has_own_data_dir) == (expected, expected, True)

    @pytest.mark.posix
    def test_an_installed_program_settles_on_the_users_folder(
        self, environ: dict[str, str], load: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr("tray_app.settings.places.checkout_data_dir", lambda: None)
        settle_data_dir(load(), environ)

        assert Path(load().data_dir).is_relative_to(tmp_path / "places")

    @pytest.mark.parametrize("by", ["environment", "file"])
    def test_a_folder_that_somebody_chose_stays(
        self, by: str, environ: dict[str, str], folder: Path, load: Callable[..., Settings], tmp_path: Path
    ) -> None:
        if by == "environment":
            environ["KIWOOM_TRAY_DATA_DIR"] = str(tmp_path / "chosen")
        else:
            folder.mkdir()
            (folder / "settings.toml").write_text(f"data_dir = '{tmp_path / 'chosen'}'")
        settings = load()
        before = sorted(folder.rglob("*"))

        settings = settle_data_dir(settings, environ)

        assert settings.data_dir == str(tmp_path / "chosen")
        assert sorted(folder.rglob("*")) == before

    def test_the_users_home_can_be_written_short(
        self, load: Callable[..., Settings], environ: dict[str, str], tmp_path: Path
    ) -> None:
        environ["KIWOOM_TRAY_DATA_DIR"] = "~/kiwoom"

        assert load().data_dir == str(tmp_path / "places" / "home" / "kiwoom")

    def test_the_file_of_the_default_profile_is_the_seeds(self) -> None:
        assert [token_file("/d", name) for name in ("default", "second")] == [
            os.path.join("/d", ".token"),
            os.path.join("/d", "second.token"),
        ]

    def test_the_settings_folder_can_be_named(self, environ: dict[str, str], folder: Path) -> None:
        assert config_dir(environ) == str(folder)

    @pytest.mark.posix
    def test_the_state_folder_is_the_users(self, tmp_path: Path) -> None:
        assert Path(places.state_dir()).is_relative_to(tmp_path / "places")

    @pytest.mark.posix
    def test_locks_and_markers_are_where_they_were_named(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("KIWOOM_TRAY_STATE_DIR", str(tmp_path / "named"))

        assert places.shared_state_dir() == str(tmp_path / "named")

    @pytest.mark.posix
    def test_locks_and_markers_are_in_one_place_wherever_the_terminal_points(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        account = tmp_path / "account"
        (account / "snap/code/current").mkdir(parents=True)
        monkeypatch.delenv("KIWOOM_TRAY_STATE_DIR")
        monkeypatch.setattr("pwd.getpwuid", lambda _: SimpleNamespace(pw_dir=str(account)))
        monkeypatch.setenv("HOME", str(account))
        found = {places.shared_state_dir()}
        for name in ("HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"):
            monkeypatch.setenv(name, str(account / "snap/code/current"))
            found.add(places.shared_state_dir())
            monkeypatch.delenv(name)
            found.add(places.shared_state_dir())

        assert len(found) == 1
        assert Path(found.pop()).is_relative_to(account)

    @pytest.mark.posix
    def test_a_home_elsewhere_has_locks_and_markers_of_its_own(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.delenv("KIWOOM_TRAY_STATE_DIR")
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.setenv("HOME", str(tmp_path / "elsewhere"))

        assert Path(places.shared_state_dir()).is_relative_to(tmp_path / "elsewhere")

    @pytest.mark.posix
    def test_a_home_in_which_nothing_can_be_made_is_none(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.delenv("KIWOOM_TRAY_STATE_DIR")
        monkeypatch.setattr("pwd.getpwuid", lambda _: SimpleNamespace(pw_dir=str(tmp_path)))
        (tmp_path / "file").touch()
        monkeypatch.setenv("HOME", str(tmp_path / "file"))

        assert places.shared_state_dir().startswith(f"{tmp_path}{os.sep}")
        assert not places.shared_state_dir().startswith(f"{tmp_path / 'file'}{os.sep}")

    @pytest.mark.parametrize("named", ["as-here", "relative", ""])
    def test_the_users_folders_are_where_platformdirs_has_them(
        self, named: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.delenv("KIWOOM_TRAY_CONFIG_DIR")
        if named != "as-here" and sys.platform != "win32":
            for variable in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME"):
                monkeypatch.setenv(variable, named)

        found = [config_dir(os.environ), places.state_dir(), places.user_data_dir(), places.kwcli_config_dir()]

        assert all(Path(one).is_relative_to(tmp_path / "places") for one in found)
        assert found == [
            platformdirs.user_config_dir("kiwoom-token-tray", appauthor=False, roaming=True),
            platformdirs.user_state_dir("kiwoom-token-tray", appauthor=False),
            platformdirs.user_data_dir("kiwoom-token-tray", appauthor=False),
            platformdirs.user_config_dir("kiwoom"),
        ]


@pytest.mark.posix
class TestTheWorkingFolderIsGone:
    @pytest.fixture(autouse=True)
    def gone(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        folder = tmp_path / "gone"
        folder.mkdir()
        monkeypatch.chdir(folder)
        folder.rmdir()
        monkeypatch.delenv("KIWOOM_TRAY_DATA_DIR")

    def test_a_folder_that_a_program_names_is_used(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")
        manager = TokenManager(data_dir=tmp_path / "named")

        manager.set_token("a-token-of-a-test", 86400)

        assert TokenManager(data_dir=tmp_path / "named").get_token() == "a-token-of-a-test"

    def test_a_token_that_is_in_no_file_needs_no_folder(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("KIWOOM_TRAY_STORE", "memory")
        manager = TokenManager()

        manager.set_token("a-token-of-a-test", 86400)

        assert manager.get_token() == "a-token-of-a-test"

    def test_else_the_variable_is_named_that_helps(self) -> None:
        with pytest.raises(SettingsError, match="KIWOOM_TRAY_DATA_DIR"):
            load_settings()


def test_the_settings_of_many_profiles_are_read_from_one_document(
    file: Path, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text("".join(f'[profiles.account-{number}]\nmode = "demo"\n' for number in range(20)))
    read: list[str] = []
    loads = tomllib.loads
    monkeypatch.setattr(tomllib, "loads", lambda text: read.append(text) or loads(text))

    for number in range(20):
        assert load_settings(f"account-{number}", environ).mode == "demo"
    assert len(read) == 1

    file.write_text('[profiles.account-1]\nmode = "real"\n')
    assert load_settings("account-1", environ).mode == "real"


def test_an_error_in_the_file_is_a_new_one_each_time(file: Path, environ: dict[str, str]) -> None:
    file.write_text("store = keyring\n")
    first, second = (load_settings(None, environ).problems[0] for _ in range(2))

    assert str(first) == str(second)
    assert first is not second, "one that is raised again and again would keep every traceback"


@pytest.mark.parametrize("text", ['profiles.swing.mode = "demo"', 'mode = "demo"', "[profiles.swing]", "# a comment"])
def test_a_last_line_without_an_end_stays_a_line_of_its_own(file: Path, environ: dict[str, str], text: str) -> None:
    file.write_text(text)
    save_setting("policy", "notify", environ=environ)

    assert file.read_text().startswith(f"{text}\n") or file.read_text().endswith(f"{text}\n")
    assert tomllib.loads(file.read_text()) == {**tomllib.loads(text), "policy": "notify"}


def test_what_would_damage_the_file_is_not_written(
    file: Path, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text('mode = "demo"\n')
    monkeypatch.setattr("tomlkit.dumps", lambda _: 'mode = "demo"policy = "auto"')

    with pytest.raises(SettingsError, match="Use an editor"):
        save_setting("policy", "auto", environ=environ)
    assert file.read_text() == 'mode = "demo"\n'
