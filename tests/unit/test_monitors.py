"""Several profiles side by side, and settings that apply while the program runs."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from tests.doubles import KEYS, START, Clock, FakeBroker
from tray_app.core.state import TokenState
from tray_app.core.token import Token, token_for
from tray_app.desktop.monitor import Monitor
from tray_app.desktop.monitors import Monitors
from tray_app.kiwoom.keys import AppKeys
from tray_app.service.composition import open_store
from tray_app.service.key_binding import KeyBinding
from tray_app.service.outcome import Outcome
from tray_app.service.token_service import TokenService
from tray_app.settings.load import Settings, load_settings
from tray_app.settings.places import settings_file
from tray_app.settings.save import save_setting
from tray_app.supervisor import profile_settings


class World:
    """Monitors over real settings and real token files, and a broker of the test."""

    def __init__(self, qtbot: QtBot) -> None:
        self.qtbot = qtbot
        self.clock = Clock()
        self.broker = FakeBroker(self.clock)
        self.monitors: Monitors | None = None

    def open_service(self, settings: Settings) -> TokenService:
        account = KeyBinding(settings, os.environ)
        store = open_store(settings, self.clock)
        return TokenService(settings.profile, store, lambda: KEYS, lambda: self.broker, self.clock, key_binding=account)

    def keep_keys(self, settings: Settings, _: AppKeys) -> Outcome:
        save_setting("mode", settings.mode, settings.profile)
        return self.open_service(settings).refresh()

    def start(self, profile: str | None = None) -> Monitors:
        monitors = self.monitors = Monitors(
            load_settings(profile),
            os.environ,
            lambda settings: Monitor(settings, self.open_service, self.keep_keys, lambda: None, clock=self.clock),
            only_this=profile is not None,
        )
        read: list[Settings] = []
        monitors.reconfigured.connect(read.append)
        monitors.start()
        self.qtbot.waitUntil(lambda: bool(read), timeout=10_000)
        self.qtbot.waitUntil(lambda: all(state.busy is None for state in monitors.states), timeout=10_000)
        return monitors

    def put(self, monitors: Monitors, token: Token) -> None:
        """Another program stores a token that Kiwoom has issued to it."""
        self.broker.living = token
        monitors.chosen.service.put(token)

    def sees(self, told: object) -> None:
        self.qtbot.waitUntil(told, timeout=10_000)  # type: ignore[arg-type]


@pytest.fixture
def world(qtbot: QtBot) -> Iterator[World]:
    one = World(qtbot)
    yield one
    if one.monitors is not None:
        one.monitors.deleteLater()


@pytest.fixture
def settings() -> Path:
    """The settings file: nothing is asked by itself, and tokens are stored in files."""
    file = Path(settings_file(os.environ))
    file.parent.mkdir(parents=True)
    file.write_text('store = "file"\npolicy = "notify"\n')
    return file


def add(file: Path, text: str) -> None:
    file.write_text(file.read_text() + text)


def names(monitors: Monitors) -> list[str]:
    return [state.profile for state in monitors.states]


def state_of(monitors: Monitors, profile: str) -> TokenState:
    return next(state for state in monitors.states if state.profile == profile)


def test_every_profile_with_a_section_is_watched(world: World, settings: Path) -> None:
    add(settings, '[profiles.second]\nmode = "demo"\n[profiles.third]\n')

    monitors = world.start()

    assert [(state.profile, state.mode) for state in monitors.states] == [
        ("default", "real"),
        ("second", "demo"),
        ("third", "real"),
    ]
    assert monitors.chosen.state.profile == "default"


def test_a_profile_that_was_named_at_the_start_is_the_only_one(world: World, settings: Path) -> None:
    add(settings, "[profiles.second]\n[profiles.third]\n")

    assert names(world.start("third")) == ["third"]


def test_profiles_come_and_go_with_their_sections(world: World, settings: Path) -> None:
    monitors = world.start()
    before = settings.read_text()

    add(settings, "[profiles.second]\n")
    world.sees(lambda: names(monitors) == ["default", "second"])
    monitors.choose("second")
    settings.write_text(before)

    world.sees(lambda: names(monitors) == ["default"])
    assert monitors.chosen.state.profile == "default"


def threads_of_monitors() -> int:
    return sum(thread.name in {"read", "act"} for thread in threading.enumerate())


def test_profiles_that_come_and_go_leave_no_thread_behind(world: World, settings: Path) -> None:
    monitors = world.start()
    before, threads = settings.read_text(), threads_of_monitors()

    for _ in range(3):
        add(settings, "[profiles.second]\n[profiles.third]\n")
        world.sees(lambda: len(names(monitors)) == 3)
        settings.write_text(before)
        world.sees(lambda: names(monitors) == ["default"])

    world.sees(lambda: threads_of_monitors() == threads)


def test_a_folder_that_is_removed_and_made_again_is_watched_again(world: World, settings: Path) -> None:
    monitors = world.start()

    for policy in ("daily 06:30", "auto", "notify"):
        shutil.rmtree(settings.parent)
        settings.parent.mkdir()
        settings.write_text(f'store = "file"\npolicy = "{policy}"\n')

        world.sees(lambda policy=policy: monitors.chosen.state.policy == policy)


def test_a_profile_that_is_not_watched_is_not_chosen(world: World, settings: Path) -> None:
    monitors = world.start()

    monitors.choose("second")

    assert monitors.chosen.state.profile == "default"


@pytest.mark.parametrize("how", ["in place", "replaced"])
def test_a_change_in_the_file_applies_at_once(world: World, settings: Path, how: str) -> None:
    monitors = world.start()
    text = 'store = "file"\npolicy = "daily 06:30"\n'

    if how == "in place":
        settings.write_text(text)
    else:
        other = settings.with_suffix(".new")
        other.write_text(text)
        other.replace(settings)

    world.sees(lambda: monitors.chosen.state.policy == "daily 06:30")


def test_a_second_change_is_seen_as_well(world: World, settings: Path) -> None:
    monitors = world.start()

    for policy in ("daily 06:30", "auto", "notify"):
        save_setting("policy", policy)
        world.sees(lambda policy=policy: monitors.chosen.state.policy == policy)


def test_a_file_that_is_made_later_is_seen(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")
    monitors = world.start()
    world.sees(lambda: monitors.chosen.state.busy is None)

    save_setting("policy", "notify")

    world.sees(lambda: monitors.chosen.state.policy == "notify")


def test_what_is_set_here_is_saved_in_the_file_and_applies(world: World, settings: Path) -> None:
    add(settings, "[profiles.second]\n")
    monitors = world.start()

    done: list[str] = []

    monitors.set("policy", "daily 05:00", "second", then=lambda: done.append("saved"))

    world.sees(lambda: state_of(monitors, "second").policy == "daily 05:00")
    assert done == ["saved"]
    assert state_of(monitors, "default").policy == "notify"
    assert load_settings("second").policy == "daily 05:00"


def test_a_profile_whose_section_is_gone_is_not_made_again_by_a_setting(world: World, settings: Path) -> None:
    before = settings.read_text()
    monitors = world.start()

    monitors.set("policy", "auto", "second", then=lambda: pytest.fail("it was not saved"))

    world.sees(lambda: bool(monitors.problems))
    assert "second" in str(monitors.problems[0])
    assert settings.read_text() == before


def test_why_a_setting_was_refused_stays_in_sight_until_the_file_is_another_one(world: World, settings: Path) -> None:
    monitors = world.start()
    monitors.set("policy", "auto", "second")
    world.sees(lambda: bool(monitors.problems))

    told = []
    monitors.changed.connect(lambda: told.append(monitors.problems))
    monitors.reload()  # as a change of another file in the folder does
    world.sees(lambda: bool(told))
    assert all(told)

    add(settings, 'theme = "dark"\n')
    world.sees(lambda: not monitors.problems)


def test_a_broken_line_is_reported_and_what_it_said_before_no_longer_applies(world: World, settings: Path) -> None:
    add(settings, 'warn_before = ["10m"]\n')
    monitors = world.start()

    settings.write_text('store = "file"\npolicy = "notify\nwarn_before = ["10m"]\n')

    world.sees(lambda: bool(monitors.problems))
    (problem,) = map(str, monitors.problems)
    assert (problem.startswith(f"{settings}, line 2: "), "policy" in problem) == (True, True)
    settings.write_text('store = "file"\npolicy = "notify"\n')
    world.sees(lambda: not monitors.problems)


def test_a_store_that_cannot_be_opened_is_reported_and_the_present_one_stays(world: World, settings: Path) -> None:
    monitors = world.start()
    world.put(monitors, token_for("a-token-of-a-test", 86400, START))
    world.sees(lambda: monitors.chosen.state.expires is not None)

    settings.write_text('store = "redis"\npolicy = "notify"\n')

    world.sees(lambda: bool(monitors.problems))
    assert "KIWOOM_TRAY_REDIS_URL" in str(monitors.problems[0])
    assert monitors.chosen.service.living().value.reveal() == "a-token-of-a-test"


def test_what_cannot_be_saved_is_reported_and_the_file_stays(world: World, settings: Path) -> None:
    monitors = world.start()
    settings.write_text('store = "file"\npolicy = "notify\n')
    world.sees(lambda: bool(monitors.problems))
    told = monitors.problems

    monitors.set("policy", "auto", "default", then=lambda: pytest.fail("it was not saved"))

    world.sees(lambda: monitors.problems != told)
    assert settings.read_text() == 'store = "file"\npolicy = "notify\n'


def test_the_token_moves_with_the_data_folder(
    world: World, settings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KIWOOM_TRAY_DATA_DIR")
    old, new = tmp_path / "old", tmp_path / "new"
    save_setting("data_dir", str(old))
    monitors = world.start()
    world.put(monitors, token_for("a-token-of-a-test", 86400, START))
    world.sees(lambda: monitors.chosen.state.expires is not None)

    save_setting("data_dir", str(new))

    world.sees(lambda: monitors.chosen.state.place_path == str(new / ".token"))
    world.sees(lambda: monitors.chosen.state.expires is not None)
    assert "a-token-of-a-test" in (new / ".token").read_text()
    assert not (old / ".token").exists()


def test_a_token_of_the_other_mode_does_not_count(world: World, settings: Path) -> None:
    monitors = world.start()
    bound = token_for("a-token-of-a-test", 86400, START).bound_to("real:0123456789abcdef")
    world.put(monitors, bound)
    world.sees(lambda: monitors.chosen.state.expires is not None)

    save_setting("mode", "demo")
    world.sees(lambda: (monitors.chosen.state.mode, monitors.chosen.state.expires) == ("demo", None))
    save_setting("mode", "real")

    world.sees(lambda: monitors.chosen.state.expires is not None)


@pytest.mark.parametrize("content", ['data_dir = "/half a li', "", None], ids=["damaged", "empty", "gone"])
def test_a_file_that_cannot_be_used_moves_no_token_and_ends_no_profile(
    world: World, settings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None
) -> None:
    monkeypatch.delenv("KIWOOM_TRAY_DATA_DIR")
    save_setting("data_dir", str(tmp_path / "chosen"))
    add(settings, "[profiles.second]\n")
    monitors = world.start()
    world.put(monitors, token_for("a-token-of-a-test", 86400, START))
    read: list[Settings] = []
    monitors.reconfigured.connect(read.append)

    if content is None:
        settings.unlink()
    else:
        settings.write_text(content)

    world.sees(lambda: bool(read))
    world.sees(lambda: all(state.busy is None for state in monitors.states))
    assert (monitors.chosen.settings.data_dir, monitors.chosen.settings.store) == (str(tmp_path / "chosen"), "file")
    assert monitors.chosen.service.living().value.reveal() == "a-token-of-a-test"
    assert names(monitors) == ["default", "second"]


def test_a_file_without_a_data_folder_gets_one_that_every_tool_knows(
    world: World, settings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KIWOOM_TRAY_DATA_DIR")
    monkeypatch.setattr("tray_app.settings.places.checkout_data_dir", lambda: str(tmp_path / "usual"))
    save_setting("data_dir", str(tmp_path / "chosen"))
    monitors = world.start()

    settings.write_text('store = "file"\npolicy = "notify"\n')

    world.sees(lambda: monitors.chosen.state.place_path == str(tmp_path / "usual" / ".token"))
    assert load_settings().data_dir == str(tmp_path / "usual")


def test_after_keys_of_the_other_mode_were_entered_those_are_used(world: World, settings: Path) -> None:
    monitors = world.start()
    shown: list[tuple[str, bool]] = []
    monitors.chosen.changed.connect(lambda state: shown.append((state.mode, state.expires is not None)))

    monitors.chosen.enter_keys("demo", KEYS)
    world.sees(lambda: monitors.chosen.settings.mode == "demo")
    world.sees(lambda: monitors.chosen.state.busy is None)
    world.clock.advance(60)
    monitors.chosen.refresh()
    world.sees(lambda: world.broker.issues == 2 and monitors.chosen.state.busy is None)

    token = monitors.chosen.current_token()
    assert token is not None
    assert token.issued_for.startswith("demo:")
    assert ("demo", False) not in shown, "the new token did not seem to be gone in between"


def test_a_profile_without_a_section_is_watched_once_its_keys_were_entered(world: World, settings: Path) -> None:
    monitors = world.start()

    monitors.enter_keys("alias", "demo", KEYS)

    world.sees(lambda: names(monitors) == ["default", "alias"])
    world.sees(lambda: monitors.chosen.state.expires is not None)
    assert (monitors.chosen.state.profile, monitors.chosen.state.mode) == ("alias", "demo")


def test_keys_get_an_answer_when_something_unexpected_happens(
    world: World, settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> Settings:
        raise KeyError("no such thing")

    monitors = world.start()
    monkeypatch.setattr(profile_settings, "load_settings", broken)

    monitors.enter_keys("alias", "demo", KEYS)

    world.sees(lambda: bool(monitors.problems))


def test_another_mode_is_another_account_with_a_token_of_its_own(world: World, settings: Path) -> None:
    settings.write_text('store = "file"\npolicy = "auto"\n')
    monitors = world.start()
    world.sees(lambda: monitors.chosen.state.expires is not None)
    monitors.chosen.clear(revoke=False)
    world.sees(lambda: monitors.chosen.state.expires is None and monitors.chosen.state.busy is None)

    save_setting("mode", "demo")

    world.sees(lambda: (monitors.chosen.state.mode, monitors.chosen.state.expires is None) == ("demo", False))
    token = monitors.chosen.current_token()
    assert token is not None
    assert token.issued_for.startswith("demo:")


def test_language_and_theme_reach_the_whole_program(world: World, settings: Path) -> None:
    monitors = world.start()
    told: list[tuple[str, str]] = []
    monitors.reconfigured.connect(lambda one: told.append((one.language, one.theme)))

    add(settings, 'language = "ko"\ntheme = "dark"\n')

    world.sees(lambda: ("ko", "dark") in told)


def test_a_copy_brings_the_token_of_the_chosen_profile(world: World, settings: Path) -> None:
    monitors = world.start()
    copied: list[tuple[str, str]] = []
    monitors.copied.connect(lambda profile, token: copied.append((profile, token.value.reveal())))
    world.put(monitors, token_for("a-token-of-a-test", 86400, START))

    monitors.chosen.copy()

    world.sees(lambda: copied == [("default", "a-token-of-a-test")])


def test_a_copy_without_a_token_says_so(world: World, settings: Path) -> None:
    monitors = world.start()

    monitors.chosen.copy()

    world.sees(lambda: monitors.chosen.state.last is not None)


def test_the_notice_of_a_profile_goes_with_it(world: World, settings: Path) -> None:
    before = settings.read_text()
    add(settings, "[profiles.second]\n")
    monitors = world.start()
    over: list[str] = []
    monitors.notice_over.connect(over.append)

    settings.write_text(before)

    world.sees(lambda: over == ["second"])


def test_a_refresh_is_for_the_profile_that_was_named(world: World, settings: Path) -> None:
    add(settings, "[profiles.second]\n")
    monitors = world.start()

    second = monitors.of("second")
    assert second is not None
    second.refresh()
    assert monitors.of("one that has gone") is None

    world.sees(lambda: state_of(monitors, "second").expires is not None)
    assert (monitors.chosen.state.profile, monitors.chosen.state.expires) == ("default", None)
