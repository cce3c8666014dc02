"""What cannot be read or understood never turns into real trading, plain text or another account."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests import ROOT
from tests.command_line import Run
from tray_app.api.token_manager import ModulesManager
from tray_app.core.errors import DONE, KEYRING, USAGE, SettingsError, say
from tray_app.settings.load import Settings, load_settings
from tray_app.settings.table import TABLE
from tray_app.stores.keyring_client import KeyringClient
from tray_app.stores.keyring_problems import unreachable

MEANT = 'mode = "demo"\nstore = "file"\n# 모의투자, 평문 금지\n'
UNREADABLE = {
    "cp949": MEANT.encode("cp949"),
    "utf-16 without a mark": MEANT.encode("utf-16-le"),
    "half of utf-16": MEANT.encode("utf-16")[:-1],
    "far too large": b"#" * 200_000,
    "another program's": b"\x7fELF\x02\x01\x01" + bytes(range(256)),
    "a thousand wrong lines": b"x\n" * 1000,
    "utf-16 without a mark or a Korean letter": b'm\0o\0d\0e\0=\0"\0d\0e\0m\0o\0"\0',
    "utf-32": MEANT.encode("utf-32"),
}
COMMANDS = [
    ("get",),
    ("get", "--no-issue"),
    ("status",),
    ("status", "--json"),
    ("refresh",),
    ("clear",),
    ("set", "--expires-in", "60"),
    ("login", "--stdin"),
    ("logout",),
    ("exec", "--", "true"),
    ("watch",),
    ("profiles",),
    ("history",),
    ("config", "set", "theme", "dark"),
    ("--profile", "second", "status"),
]
REQUIRED = ["mode", "store", "data_dir", "account", "redis_url", "encryption_key_file"]


@pytest.fixture
def file(private_places: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("KIWOOM_TRAY_DATA_DIR")
    folder = private_places / "places" / "settings"
    folder.mkdir(parents=True)
    return folder / "settings.toml"


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of real trading, and a Kiwoom that would be asked with them."""
    monkeypatch.setenv("APP_KEY", "a-key-of-a-test")
    monkeypatch.setenv("APP_SECRET", "a-secret-of-a-test")
    monkeypatch.setenv("KIWOOM_TRAY_BASE_URL", "http://127.0.0.1:9")


def files_below(folder: Path) -> list[str]:
    return sorted(one.relative_to(folder).as_posix() for one in folder.rglob("*") if one.is_file())


class TestAFileThatCannotBeReadAsAWhole:
    @pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
    def test_lets_nothing_work(
        self,
        command: tuple[str, str, str, str] | tuple[str, str, str] | tuple[str, str] | tuple[str],
        run: Callable[..., Run],
        file: Path,
        keys: None,
        private_places: Path,
    ) -> None:
        file.write_bytes(UNREADABLE["cp949"])

        refused = run(*command, stdin="a-key-of-a-test\na-secret-of-a-test\n")

        assert (refused.status, refused.out) == (USAGE, "")
        assert refused.err == f"{file}, line 3: the file is not in UTF-8. Save it as UTF-8 in your editor.\n"
        assert files_below(private_places) == ["places/settings/settings.toml"] + [
            one for one in files_below(private_places) if one.endswith(".lock")
        ]

    @pytest.mark.parametrize("kind", UNREADABLE)
    def test_of_whatever_kind_is_told_in_one_line_that_names_the_file(
        self, kind: str, run: Callable[..., Run], file: Path, keys: None
    ) -> None:
        file.write_bytes(UNREADABLE[kind])

        refused = run("get")

        assert (refused.status, refused.out) == (USAGE, "")
        assert refused.err.startswith(str(file))
        assert refused.err.count("\n") == 1

    @pytest.mark.parametrize("setting", ["KIWOOM_MODE=demo", "KIWOOM_TRAY_STORE=file"])
    def test_lets_nothing_work_though_the_environment_says_something(
        self, setting: str, run: Callable[..., Run], file: Path, keys: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file.write_bytes(UNREADABLE["cp949"])
        monkeypatch.setenv(*setting.split("="))

        assert run("status").status == USAGE

    @pytest.mark.posix
    @pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root reads everything")
    def test_may_belong_to_another_user(self, run: Callable[..., Run], file: Path) -> None:
        file.write_text(MEANT, encoding="utf-8")
        file.chmod(0)

        refused = run("status")

        assert refused.status == USAGE
        assert "Permission denied" in refused.err

    @pytest.mark.posix
    def test_may_be_no_file(self, run: Callable[..., Run], file: Path) -> None:
        os.mkfifo(file)

        assert run("status").status == USAGE

    @pytest.mark.posix
    @pytest.mark.parametrize("link", ["the file", "its folder"])
    def test_may_be_on_a_disk_that_is_not_there(
        self, link: str, run: Callable[..., Run], file: Path, private_places: Path, keys: None
    ) -> None:
        place = file if link == "the file" else file.parent
        if link == "its folder":
            place.rmdir()
        place.symlink_to(private_places / "not-mounted" / place.name)

        refused = run("get")

        assert (refused.status, refused.out) == (USAGE, "")
        assert refused.err == (
            f"{file} cannot be read (a link that leads nowhere). Correct or remove it, then try again.\n"
        )

    @pytest.mark.parametrize("name", ["settings.toml.txt", "Settings.TOML.txt", "Settings.toml"])
    def test_may_have_the_name_that_an_editor_gave_it(
        self, name: str, run: Callable[..., Run], file: Path, keys: None
    ) -> None:
        misnamed = file.with_name(name)
        misnamed.write_text(MEANT, encoding="utf-8")
        if file.exists():
            pytest.skip("this disk does not tell upper case from lower case")

        refused = run("get")

        assert (refused.status, refused.out) == (USAGE, "")
        assert refused.err == f"{misnamed} must have the name settings.toml to be read. Rename it.\n"
        assert run("config", "set", "theme", "dark").status == USAGE
        assert not file.exists()

    @pytest.mark.parametrize("words", [("list",), ("list", "--json"), ("get", "theme"), ("path",)])
    def test_can_be_asked_about(self, words: tuple[str, str] | tuple[str], run: Callable[..., Run], file: Path) -> None:
        file.write_bytes(UNREADABLE["cp949"])

        shown = run("config", *words)

        assert shown.status == DONE
        assert str(file) in shown.out + shown.err

    def test_does_not_tell_the_mode(self, run: Callable[..., Run], file: Path) -> None:
        file.write_bytes(UNREADABLE["cp949"])

        refused = run("config", "get", "mode")

        assert (refused.status, refused.out, refused.err.count("\n")) == (USAGE, "", 1)

    def test_is_named_by_the_doctor(self, run: Callable[..., Run], file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("tray_app.cli.doctor.tray_command", lambda *_: [])
        file.write_bytes(UNREADABLE["cp949"])

        assert f"{file}, line 3" in run("doctor").out


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_an_encoding_that_its_first_bytes_tell_is_read(encoding: str, file: Path) -> None:
    mark = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}.get(encoding, b"")
    file.write_bytes(mark + MEANT.encode(encoding))

    settings = load_settings()

    assert (settings.mode, settings.store, settings.problems) == ("demo", "file", ())


class TestALineThatIsNotUnderstood:
    @pytest.mark.parametrize("name", REQUIRED)
    @pytest.mark.parametrize("line", ["{} = !", "{} : 'x'", "{}", "{} = ['x']", "{} = 5", "{} = ''\n{} = ''"])
    def test_of_a_required_setting_refuses(
        self, name: str, line: str, run: Callable[..., Run], file: Path, keys: None
    ) -> None:
        if "''" in line:
            line = 'store = "auto"\nstore = "auto"' if name == "store" else line
        file.write_text(line.replace("{}", name) + '\ntheme = "dark"\n')

        refused = run("status")

        assert (refused.status, refused.out) == (USAGE, "")
        assert refused.err.startswith(f"{file}, line ")
        assert name in refused.err
        assert refused.err.count("\n") == 1
        assert load_settings().theme == "dark"

    @pytest.mark.parametrize(
        "line",
        [
            'theme = "dark", mode = "demo", store = "keyring"',
            'theme = "dark" mode = "demo" store = "keyring"',
            'theme = “dark” mode="demo" store="keyring"',
            'share_kwcli = true; mode = "demo"; store = "keyring"',
            r'language = "ko"\nmode = "demo"\nstore = "keyring"',
            'renew_before = "10m"mode = "demo"store = "keyring"',
            'profiles.x.mode = "demo" mode = "demo" store: "keyring"',
            "theme:dark,mode:demo,store:keyring",
            'theme = "dark"; mode＝"demo"; store＝"keyring"',
            'theme = "dark" mode "demo" store "keyring"',
            "policy = notify, mode demo, store keyring",
            '"theme": "dark","mode":demo,"store":keyring',
            "theme = dark, mode -> demo, store += keyring",
        ],
    )
    def test_makes_every_setting_unknown_that_it_names(
        self, line: str, run: Callable[..., Run], file: Path, keys: None
    ) -> None:
        file.write_text(f"{line}\n", encoding="utf-8")

        for command in COMMANDS[:3]:
            refused = run(*command)
            assert (refused.status, refused.out) == (USAGE, "")
            assert refused.err.startswith(f"{file}, line ")
        settings = load_settings()
        for name in ("mode", "store"):
            with pytest.raises(SettingsError):
                getattr(settings, name)

    @pytest.mark.parametrize(
        "line",
        [
            "second = { mode = demo }",
            '"profiles".second.mode = demo',
            'profiles.second = { mode = "demo",, store = "keyring" }',
            'profiles.second]\nmode = "demo"',
        ],
    )
    @pytest.mark.parametrize("head", ['mode = "real"\n', '[profiles.other]\npolicy = "auto"\n'])
    def test_that_may_be_of_another_profile_is_no_value_for_it(self, head: str, line: str, file: Path) -> None:
        file.write_text(f"{head}{line}\n")

        with pytest.raises(SettingsError, match="line "):
            _ = load_settings("second").mode

    @pytest.mark.parametrize(
        "text",
        [
            "redis_url = redis://store:6379/0",
            "autostart = yes # store = account at login",
            r"share_bot_file = C:\bots\account\store.json",
            "warn_before = [30m, 10m]  # part of my policy",
            "theme = dark mode",
            "profiles.mode1.theme = dark",
        ],
    )
    def test_leaves_alone_what_it_only_mentions(self, text: str, file: Path) -> None:
        file.write_text(f'{text}\nmode = "demo"\nstore = "file"\npolicy = "daily 06:30"\n')

        settings = load_settings()

        assert (settings.mode, settings.store, settings.policy) == ("demo", "file", "daily 06:30")
        assert len(settings.problems) == 1

    def test_ends_where_an_editor_ends_it(self, run: Callable[..., Run], file: Path) -> None:
        file.write_bytes(b'# a practice account\rlanguage = "ko"\rmode = "demo"\rstore = "keyring"\r')

        settings = load_settings()
        assert (settings.mode, settings.store, settings.problems) == ("demo", "keyring", ())
        assert run("config", "set", "mode", "real").status == DONE
        assert (load_settings().mode, load_settings().store) == ("real", "keyring")

    @pytest.mark.parametrize("end", ["\v", "\f", "\x85", "\u2028", "\u2029"])
    def test_hides_no_setting_behind_an_end_that_only_some_editors_see(self, end: str, file: Path) -> None:
        for text in (
            f'# a practice account{end}mode = "demo"',
            f'language = "ko"{end}mode = "demo"',
            f"# a practice account{end}mode:demo",
            f'theme = "dark" # dark{end}[profiles.second]\nmode = "demo"',
        ):
            file.write_bytes(text.encode())

            with pytest.raises(SettingsError, match="line 1"):
                _ = load_settings().mode

        file.write_bytes(f"# see{end}the docs\nmode = 'demo'\n".encode())
        assert load_settings().mode == "demo"

    @pytest.mark.parametrize("name", REQUIRED)
    def test_has_no_value_that_anybody_could_use(self, name: str, file: Path) -> None:
        file.write_text(f"{name} = !\n")

        settings = load_settings()

        with pytest.raises(SettingsError, match="line 1"):
            getattr(settings, name)
        with pytest.raises(SettingsError, match="line 1"):
            settings.require()

    @pytest.mark.parametrize("name", [one for one in TABLE if one not in REQUIRED])
    def test_of_any_other_setting_is_told_and_its_default_is_used(
        self, name: str, run: Callable[..., Run], file: Path
    ) -> None:
        file.write_text(f"{name} = !\n")

        done = run("status")

        assert (done.status, "line 1" in done.err, name in done.err) == (DONE, True, True)
        setting = TABLE[name]
        assert getattr(load_settings(), name) == setting.when_unknown

    def test_of_the_policy_leaves_renewing_to_the_user(self, file: Path) -> None:
        file.write_text('policy = "dayly 06:30"\n')

        assert load_settings().policy == "notify"

    @pytest.mark.parametrize(
        ("name", "value"),
        [("KIWOOM_MODE", "demo"), ("KIWOOM_TRAY_STORE", "file"), ("KIWOOM_TRAY_REDIS_URL", "redis://host")],
    )
    def test_does_not_matter_where_the_environment_decides(
        self, name: str, value: str, run: Callable[..., Run], file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        setting = next(one for one in TABLE.values() if one.environment == name)
        file.write_text(f"{setting.name} = !\n")
        monkeypatch.setenv(name, value)

        assert run("status").status == DONE

    @pytest.mark.parametrize(
        ("text", "unknown"),
        [
            ("what is this", REQUIRED),
            ('mode = "demo"\nwhat is this', [one for one in REQUIRED if one != "mode"]),
            ('mode = "demo"\nmode = "real"', ["mode"]),
            ('moed = "demo"', ["mode"]),
            ('data-dir = "/x"', ["data_dir"]),
            ('moed = "demo"\nmode = "demo"', []),
            ('langauge = "ko"', []),
            ('[profils.second]\nmode = "demo"', ["mode"]),
            ('mode = "real"\n[profils.second]\nmode = "demo"', []),
            ('[mode]\nx = "demo"', ["mode"]),
            ('KIWOOM_MODE = "demo"\nKIWOOM_TRAY_STORE = "keyring"', ["mode", "store"]),
            ('trading_mode = "demo"\ntoken-store = "keyring"', ["mode", "store"]),
            ('"모드" = "demo"\n"저장" = "Keyring"', ["mode", "store"]),
            ("demo = true\nkeyring = true", ["mode", "store"]),
            ("is_mock = true", ["mode"]),
            ("useMock = true", ["mode"]),
            ("live = false", ["mode"]),
            ('env = "dev"', ["mode"]),
            ('"모의투자 사용" = true', ["mode"]),
            ("plaintext = false", ["store"]),
            ('mode = "real"\nMODE = "demo"', ["mode"]),
            ('Store = "keyring"\nstore = "file"', ["store"]),
            ('MODE = "Demo"\nmode = "demo"', []),
            ('server_type = "paper"', ["mode"]),
            ('[profiles]\nmode = "demo"\nstore = "keyring"', ["mode", "store"]),
            ("[profiles]\nuse_mock = true", ["mode"]),
            ('[profiles.deafult]\nmode = "demo"', ["mode"]),
            ('mode = "real"\n[profiles.defaults]\nmode = "demo"', []),
            ('[[settings]]\nmode = "demo"', ["mode"]),
            ('[settings]\nMode = "demo"\nuse_keyring = true', ["mode", "store"]),
            ('[theme]\nmode = "demo"', ["mode"]),
            ('[[warn_before]]\nmode = "demo"\nstore = "keyring"', ["mode", "store"]),
            ('mode = "demo"\n[profiles.default.policy]\nstore = "keyring"', ["store"]),
            ('[mode]\nstore = "keyring"', ["mode", "store"]),
            ('trading_mode = "demo"\nmode = "demo"', []),
            ('colour = "red"', []),
            ('[profiles.Default]\nmode = "demo"', ["mode"]),
            ('mode = "real"\n[profiles."default "]\nmode = "demo"', ["mode"]),
            ('[profiles.second]\nmode = "demo"\nstore = "keyring"', ["store"]),
            ('store = "keyring"\n[profiles.second]\nstore = "file"', []),
            ('theme = """dark\nmode = "demo"\nstore = "keyring"\n"""', ["mode", "store"]),
            ('mode = "demo"\nwarn_before = ["""\n[profiles.second]\ndata_dir = "/x"\n"""]', ["data_dir"]),
            ("colour = '''\nmode = 'demo'\n'''", ["mode"]),
            ('mode = "real"\n[profiles.a b.c]\nmode = "demo"', [one for one in REQUIRED if one != "mode"]),
        ],
    )
    def test_may_have_meant_whatever_stands_nowhere_else(
        self, text: str, unknown: list[Any] | list[str], file: Path
    ) -> None:
        file.write_text(text, encoding="utf-8")

        settings = load_settings()

        assert sorted(one for one in settings.unknown if TABLE[one].required) == sorted(unknown)
        assert all(1 <= int(str(one.values["line"])) <= text.count("\n") + 1 for one in settings.unknown.values())
        assert settings.problems or not unknown

    @pytest.mark.parametrize("name", ["base_url", "baseUrl", "host", "api-server"])
    def test_with_an_address_of_kiwoom_lets_nothing_be_issued_elsewhere(
        self, name: str, run: Callable[..., Run], file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file.write_text(f'mode = "real"\nstore = "file"\n{name} = "http://127.0.0.1:9"\n')
        monkeypatch.setenv("KIWOOM_MODE", "real")

        refused = run("get")

        assert (refused.status, refused.out, refused.err.count("\n")) == (USAGE, "", 1)
        assert f"{file}, line 3" in refused.err
        assert "KIWOOM_TRAY_BASE_URL" in refused.err

    @pytest.mark.parametrize(
        ("text", "is_usable"),
        [
            ("[profiles.second]\nmode = !", False),
            ("[profiles.third]\nmode = !", True),
            ("[profiles.second]\nwhat is this", False),
            ("[profiles.third]\nwhat is this", True),
            ('[profiles.second\nmode = "demo"', False),
            ('[profiles.third\nmode = "demo"', True),
            ('[profiles."second"]]\nmode = "demo"', False),
            ('[profiles.a b]\nmode = "demo"', True),
            ('[profiles.a b.c]\nmode = "demo"', False),
            ('[profils.second]\nmode = "demo"', False),
            ('mode = "real"\n[profils.second]\nmode = "demo"', False),
            ('[profils.third]\nmode = "real"\n[profiles.second]\nmode = "demo"', True),
            ('[[profiles.second]]\nmode = "demo"', False),
            ('[profiles]\nsecond = "demo"', False),
            ('[profiles.second]\nmode = "demo"\n[profiles.second]\nmode = "real"', False),
            ('[profiles.third]\nmode = "demo"\n[profiles.third]\nmode = "real"', True),
            ('mode = "real"\nstore = "file"\n[profiles.third\nmode = "demo"', True),
            ('profiles = "second"', False),
            ("profiles.second.mode = demo", False),
            ("profiles.third.mode = demo", True),
            ('[profiles.second,]\nmode = "demo"', False),
            ('[profiles."second,"]\nmode = "demo"', False),
            ('[profiles.“second”]\nmode = "demo"', False),
            ('[profiles."second!"]\ntheme = "dark"', True),
            ('mode = "demo"\n[profiles.""]\nmode = "demo"', False),
            ("account = !", True),
            ("share_kwcli = !", True),
        ],
    )
    def test_of_a_profile_is_that_profiles(self, text: str, is_usable: bool, file: Path) -> None:
        file.write_text(text, encoding="utf-8")

        assert load_settings("second").is_usable is is_usable

    def test_of_a_profile_whose_name_needs_quotes_is_that_profiles(self, file: Path) -> None:
        file.write_text('[profiles.스윙]\nmode = "demo"\n', encoding="utf-8")

        settings = load_settings("스윙")

        assert say(settings.problems[0]) == (
            f'{file}, line 1: Quote names with other letters or blanks, such as [profiles."스윙"]'
        )
        assert (settings.is_usable, load_settings().is_usable) == (False, True)

    def test_can_be_mended_by_config(self, run: Callable[..., Run], file: Path) -> None:
        file.write_text('mode = "paper"\n')

        assert run("config", "set", "mode", "demo").status == DONE
        assert load_settings().mode == "demo"


class TestTheImport:
    def test_of_the_manager_works_and_its_first_use_raises(self, file: Path, caplog: pytest.LogCaptureFixture) -> None:
        file.write_bytes(UNREADABLE["cp949"])

        manager = ModulesManager()

        assert f"{file}, line 3" in caplog.text
        for _ in range(2):
            with pytest.raises(SettingsError, match="line 3"):
                manager.get_token()

    def test_uses_a_file_that_was_mended_meanwhile(self, file: Path) -> None:
        file.write_bytes(UNREADABLE["cp949"])
        manager = ModulesManager()

        file.write_text('store = "file"\nmode = "demo"\n')

        assert manager.get_token() is None
        manager.set_token("a-token-of-a-test", 3600)
        assert manager.get_token() == "a-token-of-a-test"


class TestFrozen:
    def test_settings_never_change(self) -> None:
        settings = load_settings()

        with pytest.raises(AttributeError, match="never change"):
            settings.mode = "demo"
        with pytest.raises(AttributeError):
            del settings.mode
        with pytest.raises(AttributeError):
            _ = settings.no_such_setting

    def test_others_are_made_of_them(self) -> None:
        settings = load_settings()

        other = settings.replace(mode="demo", store="memory")

        assert (other.mode, other.store, other.data_dir) == ("demo", "memory", settings.data_dir)
        assert (settings.mode, settings.store) == ("real", "auto")

    def test_what_is_changed_is_not_unknown_any_more(self, file: Path) -> None:
        file.write_text("mode = !\n")

        settings = load_settings().replace(mode="demo")

        settings.require()
        assert settings.mode == "demo"

    def test_the_mode_is_looked_up_once_and_only_when_it_is_wanted(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[int] = []
        monkeypatch.setattr("tray_app.settings.kwcli.modes", lambda: asked.append(1) or {"a": "demo"})
        settings: Settings = load_settings()
        other = settings.replace(store="memory")
        assert asked == []

        assert (settings.mode, settings.mode, settings.replace(store="file").mode) == ("demo", "demo", "demo")
        assert len(asked) == 1
        assert (other.mode, len(asked)) == ("demo", 2)

    def test_they_show_no_secret(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("KIWOOM_TRAY_REDIS_URL", "redis://:hidden-word@host")

        assert "hidden-word" not in repr(load_settings())


class TestVariables:
    """A `.env` file leaves quotes, blanks and carriage returns in the values."""

    @pytest.mark.parametrize("written", ["demo", ' "demo"\r', "'demo'", "demo\r\n", "\ufeffDemo "])
    def test_are_read_without_them(self, written: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("KIWOOM_MODE", written)
        monkeypatch.setenv("KIWOOM_TRAY_STORE", written.replace("demo", "memory").replace("Demo", "Memory"))

        assert (load_settings().mode, load_settings().store) == ("demo", "memory")

    @pytest.mark.parametrize("nothing", ["", "\r", '""', "''\r", "  "])
    def test_that_hold_nothing_else_are_not_set(self, nothing: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("APP_KEY", nothing)
        monkeypatch.setenv("APP_KEY_MOCK", '"a-key-of-a-test"\r')
        for name in ("KIWOOM_MODE", "KIWOOM_TRAY_STORE", "KIWOOM_PROFILE", "KIWOOM_TRAY_BASE_URL"):
            monkeypatch.setenv(name, nothing)

        settings = load_settings()

        assert (settings.mode, settings.store, settings.profile, settings.base_url) == ("demo", "auto", "default", None)


def run_where_the_folder_is_gone(
    folder: Path, code: str, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run Python code in a working folder that was deleted."""
    gone = folder / "gone"
    gone.mkdir()
    return subprocess.run(
        [sys.executable, "-c", f"import os, sys; os.chdir(sys.argv[1]); os.rmdir(sys.argv[1]); {code}", str(gone)],
        env={**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )


MISTYPED = [
    '"half',
    "'/srv/tokens",
    "/srv/tokens'",
    "file:hunter2",
    " file:/srv/tokens",
    "file:///srv/tokens",
    "$HOME/tokens",
    "%APPDATA%/tokens",
    "-p",
]
OF_NOBODY = ["~nobody-of-this-name", "~nobody-of-this-name/tokens", "~\\tokens"]
OF_WINDOWS = ["C:\\Users\\me\\tokens", "c:/tokens", "C:", "\\\\nas\\tokens", ".\\tokens", "tokens\\mine"]
FOLDER_VARIABLES = ["KIWOOM_TRAY_DATA_DIR", "KIWOOM_TRAY_CONFIG_DIR", "KIWOOM_TRAY_STATE_DIR"]
PATHS = ["data_dir", "encryption_key_file", "share_bot_file"]


@pytest.mark.parametrize(
    "text", [*MISTYPED, *(pytest.param(one, marks=pytest.mark.posix) for one in OF_NOBODY + OF_WINDOWS)]
)
class TestAPathThatCannotBeMeant:
    """It is refused wherever it stands, before it is joined to any folder."""

    @pytest.mark.parametrize("name", PATHS)
    def test_in_the_file_is_unknown(self, name: str, text: str, file: Path, run: Callable[..., Run]) -> None:
        file.write_text(f"store = 'file'\n{name} = {json.dumps(text)}\n")

        settings = load_settings()

        assert name in settings.unknown or getattr(settings, name) == ""
        assert f"line 2: {name} cannot be used" in str(settings.problems[0])
        assert text.strip() not in str(settings.problems[0])
        if TABLE[name].required:
            assert run("set", "--expires-in", "60", stdin="a-token-of-a-test").status == USAGE
            assert files_below(file.parent.parent) == ["settings/settings.toml"]

    def test_in_a_profiles_section_is_left_out(self, text: str, file: Path) -> None:
        file.write_text(f"[profiles.second]\nshare_bot_file = {json.dumps(text)}\n")

        settings = load_settings("second")

        assert "line 2: share_bot_file cannot be used" in str(settings.problems[0])
        assert settings.share_bot_file == ""

    @pytest.mark.parametrize("name", PATHS)
    def test_is_not_written(self, name: str, text: str, file: Path, run: Callable[..., Run]) -> None:
        refused = run("config", "set", name, text)

        assert (refused.status, refused.out) == (USAGE, "")
        assert f"{name} cannot be used" in refused.err
        assert not file.exists()

    @pytest.mark.parametrize("name", [*FOLDER_VARIABLES, "KIWOOM_TRAY_ENCRYPTION_KEY_FILE"])
    def test_in_the_environment_is_refused(
        self, name: str, text: str, file: Path, run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(name, text)
        monkeypatch.setenv("KIWOOM_TRAY_STORE", "auto")

        refused = run("set", "--expires-in", "60", stdin="a-token-of-a-test")

        assert (refused.status, refused.out) == (USAGE, "")
        assert f"{name} cannot be used" in refused.err
        assert files_below(file.parent.parent) == []


@pytest.mark.posix
@pytest.mark.parametrize("text", ["/srv/My\\ Data", "/srv/a:b", "~/a b"])
def test_a_whole_path_with_odd_signs_inside_is_one(text: str, file: Path) -> None:
    file.write_text(f"data_dir = '{text}'\n")

    settings = load_settings()

    assert settings.problems == ()
    assert settings.data_dir == os.path.expanduser(text)


@pytest.mark.parametrize("text", ["\ufefftokens", "\u200btokens ", '"tokens"', "'tokens'"])
def test_what_editors_and_pasting_leave_around_a_path_is_no_part_of_it(text: str, file: Path) -> None:
    file.write_text(f"data_dir = {json.dumps(text)}\n", encoding="utf-8")

    assert load_settings().data_dir == str(file.parent / "tokens")


class TestPlaces:
    def test_a_relative_data_folder_is_beside_the_file(
        self, file: Path, private_places: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file.write_text('data_dir = "tokens"\n')
        (private_places / "elsewhere").mkdir()
        monkeypatch.chdir(private_places / "elsewhere")

        assert load_settings().data_dir == str(file.parent / "tokens")

    @pytest.mark.posix
    @pytest.mark.parametrize("name", ["KIWOOM_TRAY_DATA_DIR", "KIWOOM_TRAY_CONFIG_DIR", "KIWOOM_TRAY_STATE_DIR"])
    def test_a_relative_one_in_a_working_folder_that_is_gone_is_refused_in_words(
        self, name: str, private_places: Path
    ) -> None:
        code = "from tray_app import token_manager; from tray_app.cli.main import main; sys.exit(main(['get']))"
        done = run_where_the_folder_is_gone(private_places, code, {name: "relative", "KIWOOM_TRAY_STORE": "auto"})

        assert (done.returncode, done.stdout) == (USAGE, "")
        told = done.stderr.splitlines()[-1]
        assert told.startswith(name)
        assert "the folder that this was started in is gone" in told
        assert "Traceback" not in done.stderr

    @pytest.mark.posix
    def test_a_working_folder_that_is_gone_does_not_matter(self, file: Path, private_places: Path) -> None:
        file.write_text(f"data_dir = '{private_places / 'tokens'}'\nstore = 'file'\n")
        code = "from tray_app.settings.load import *; print(load_settings().data_dir)"
        done = run_where_the_folder_is_gone(private_places, code)

        assert (done.stdout.strip(), done.stderr) == (str(private_places / "tokens"), "")

    @pytest.mark.posix
    @pytest.mark.parametrize("mask", [0, 0o027, 0o077, 0o177])
    def test_the_settings_folder_is_private_whatever_the_mask(
        self, mask: int, run: Callable[..., Run], private_places: Path
    ) -> None:
        before = os.umask(mask)
        try:
            assert run("config", "set", "theme", "dark").status == DONE
        finally:
            os.umask(before)

        folder = private_places / "places" / "settings"
        assert folder.stat().st_mode & 0o777 == 0o700
        assert (folder / "settings.toml").stat().st_mode & 0o777 == 0o600

    @pytest.mark.posix
    @pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root gives files away")
    def test_what_root_writes_in_a_users_folder_is_that_users(
        self, run: Callable[..., Run], private_places: Path
    ) -> None:
        home = private_places / "places"
        home.mkdir()
        os.chown(home, 4242, 4242)

        run("config", "set", "theme", "dark")

        written = [home / "settings", *(home / "settings").iterdir()]
        assert [(one.name, one.stat().st_uid) for one in written if one.stat().st_uid != 4242] == []
        assert len(written) == 3


@pytest.mark.posix
@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root gives files away")
class TestRootInAnothersFolder:
    USER = 4242

    @pytest.fixture
    def folder(self, file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
        """The working folder, of another user; nobody chose a data folder."""
        folder = tmp_path / "theirs"
        folder.mkdir()
        os.chown(folder, self.USER, self.USER)
        monkeypatch.chdir(folder)
        return folder

    @pytest.mark.parametrize("is_there", [True, False])
    @pytest.mark.parametrize("words", [("get",), ("clear",), ("set", "--expires-in", "3600"), ("status",)])
    def test_no_token_is_stored_or_read_there(
        self, words: tuple[str, ...], is_there: bool, folder: Path, run: Callable[..., Run]
    ) -> None:
        if is_there:
            (folder / "data").mkdir()
            (folder / "data" / ".token").write_bytes(b"theirs")
            for one in (folder / "data", folder / "data" / ".token"):
                os.chown(one, self.USER, self.USER)

        refused = run(*words, stdin="a-token-of-a-test")

        assert (refused.status, refused.out) == (USAGE, "")
        assert "KIWOOM_TRAY_DATA_DIR" in refused.err
        left = [one.name for one in folder.rglob("*")]
        assert left == (["data", ".token"] if is_there else [])

    def test_one_that_was_chosen_is_used(
        self, folder: Path, run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("KIWOOM_TRAY_DATA_DIR", str(folder / "data"))

        assert run("set", "--expires-in", "3600", stdin="a-token-of-a-test").status == DONE
        assert (folder / "data" / ".token").stat().st_uid == self.USER

    def test_so_is_that_of_the_user_whose_home_it_is(
        self, folder: Path, run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HOME", str(folder))

        assert run("set", "--expires-in", "3600", stdin="a-token-of-a-test").status == DONE


class TestNames:
    COMPOSED, APART = "홍길동", "\u1112\u1169\u11bc\u1100\u1175\u11af\u1103\u1169\u11bc"

    @pytest.mark.parametrize("written", [COMPOSED, APART])
    @pytest.mark.parametrize("asked", [COMPOSED, APART])
    def test_that_look_alike_are_one_profile(
        self, written: str, asked: str, run: Callable[..., Run], file: Path
    ) -> None:
        file.write_text(f'[profiles."{written}"]\nmode = "demo"\npolicy = "auto"\n', encoding="utf-8")

        assert (load_settings(asked).profile, load_settings(asked).mode) == (self.COMPOSED, "demo")
        assert run("--profile", asked, "config", "set", "policy", "notify").status == DONE
        assert file.read_text(encoding="utf-8") == f'[profiles."{written}"]\nmode = "demo"\npolicy = "notify"\n'

    @pytest.mark.parametrize(
        ("text", "line"),
        [
            ('[profiles."COMPOSED"]\nmode = "demo"\n[profiles."APART"]\nmode = "real"\n', 3),
            ('[profiles]\n"COMPOSED" = {mode = "demo"}\n"APART" = {mode = "real"}\n', 3),
            ('profiles."APART".mode = "demo"\nprofiles."COMPOSED".mode = "real"\n', 2),
            ('# "APART"\n[profiles."COMPOSED"]\nmode = "demo"\n[profiles."APART"]\nmode = "real"\n', 4),
            ('profiles."COMPOSED".mode = "demo"\nprofiles."APART2".mode = "real"\nprofiles."APART".mode = "real"\n', 3),
            ('\n[profiles."COMPOSED"]\nmode = "demo"\n[profiles."ESCAPED"]\nmode = "real"\n', 2),
        ],
    )
    def test_that_look_alike_twice_are_not_chosen_among(self, text: str, line: int, file: Path) -> None:
        escaped = "".join(f"\\u{ord(letter):04x}" for letter in self.APART)
        text = text.replace("COMPOSED", self.COMPOSED).replace("APART", self.APART).replace("ESCAPED", escaped)
        file.write_text(text, encoding="utf-8")

        settings = load_settings(self.COMPOSED)

        assert [f"line {line}: the section is there twice" in str(one) for one in settings.problems] == [True]
        with pytest.raises(SettingsError):
            _ = settings.mode


class TestAStoreThatCannotBeUsed:
    def test_is_refused_before_it_is_written(self, run: Callable[..., Run], file: Path) -> None:
        """Without a keyring."""
        refused = run("config", "set", "store", "keyring")

        assert (refused.status, refused.out) == (KEYRING, "")
        assert refused.err.count("\n") == 1
        assert not file.exists()

    def test_is_refused_where_it_cannot_be_reached(
        self, run: Callable[..., Run], file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def check(_: KeyringClient) -> None:
            raise unreachable()

        monkeypatch.setattr(KeyringClient, "check", check)

        refused = run("config", "set", "store", "keyring")

        assert (refused.status, refused.out) == (KEYRING, "")
        assert "cannot be reached from here" in refused.err
        assert not file.exists()
