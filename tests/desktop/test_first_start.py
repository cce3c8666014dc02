"""The first start on a computer on which nothing was set up: by keys that are typed, found, or not needed."""

from __future__ import annotations

import json
import signal
import tomllib
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from tray_app.kiwoom.sandbox import SANDBOX_APP_KEY, SANDBOX_APP_SECRET

from .session import ROOT, Desktop, Program
from .trader import Trader

TITLE = "Set up Kiwoom Token Tray"


class Newcomer(Trader):
    """A trader whose program is installed, not run from a checkout, and who has set nothing up."""

    def __init__(self, desktop: Desktop) -> None:
        super().__init__(desktop, store="auto", keys=False)
        for name in ("KIWOOM_TRAY_DATA_DIR", "KIWOOM_TRAY_STORE"):
            del self.environment[name]
        site = desktop.home / "site"
        site.mkdir()
        for name in ("tray_app", "resources"):
            (site / name).symlink_to(ROOT / name)
        self.environment["PYTHONPATH"] = str(site)

    def written(self) -> dict[str, object]:
        try:
            return tomllib.loads((self.config / "settings.toml").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}

    def first_start(self) -> Program:
        program = self.start_tray()
        self.desktop.window(TITLE)
        return program

    def keys(self, *names: str) -> None:
        """Presses keys in the set-up."""
        self.desktop.press(self.desktop.window(TITLE), *names)

    def set_up_is_gone(self) -> None:
        self.desktop.wait_for(lambda: not any(TITLE in one.title for one in self.desktop.windows()), "no set-up")


@pytest.fixture
def newcomer(desktop: Desktop) -> Iterator[Newcomer]:
    with Newcomer(desktop) as one:
        yield one


def test_from_typed_keys_to_the_first_token(newcomer: Newcomer) -> None:
    desktop = newcomer.desktop
    newcomer.first_start()
    assert newcomer.written() == {}
    desktop.screenshot("setup welcome")
    newcomer.press(desktop.window(TITLE), "alt+u", "Return")
    newcomer.keys("alt+m", "alt+e")
    desktop.screen.type(f" {SANDBOX_APP_KEY} ")
    newcomer.keys("alt+s")
    desktop.screen.type(f"{SANDBOX_APP_SECRET} ")
    desktop.screenshot("setup keys")
    newcomer.keys("Return")
    desktop.wait_for(newcomer.in_keyring, "the first token")
    desktop.wait_for(lambda: newcomer.written().get("mode") == "demo", "the mode in the settings")
    assert desktop.secret_lookup("kiwoom-demo", "appkey") == SANDBOX_APP_KEY
    assert desktop.secret_lookup("kiwoom-demo", "secretkey") == SANDBOX_APP_SECRET
    desktop.screenshot("setup place")
    newcomer.keys("Escape")
    newcomer.set_up_is_gone()
    newcomer.sees("Mock", "23 h")
    assert newcomer.issues == 1
    assert newcomer.agrees()["store"] == "keyring"


def test_keys_of_kiwoomcli_are_offered_and_used(newcomer: Newcomer) -> None:
    desktop = newcomer.desktop
    folder = Path(desktop.env()["XDG_CONFIG_HOME"]) / "kiwoom"
    folder.mkdir(parents=True)
    accounts = {"profiles": {"main": {"mode": "real"}}, "current_profile": "main"}
    (folder / "settings.json").write_text(json.dumps(accounts), encoding="utf-8")
    service = f"kiwoom-profile-{sha256(b'main').hexdigest()[:16]}"
    desktop.secret_store(service, "appkey", SANDBOX_APP_KEY)
    desktop.secret_store(service, "secretkey", SANDBOX_APP_SECRET)

    newcomer.first_start()
    newcomer.press(desktop.window(TITLE), "alt+n")
    desktop.screenshot("setup found keys")
    newcomer.press(desktop.window(TITLE), "alt+c", until=newcomer.in_keyring)
    newcomer.keys("alt+n")
    desktop.screenshot("setup daily")
    newcomer.press(desktop.window(TITLE), "alt+n", until=lambda: newcomer.written().get("share_kwcli"))
    desktop.screenshot("setup done")
    newcomer.press(desktop.window(TITLE), "alt+f", until=desktop.items)
    newcomer.set_up_is_gone()
    newcomer.sees("Real", "23 h")
    assert newcomer.issues == 1
    assert desktop.secret_lookup("kiwoom-real", "appkey") is None, "used where they lie"
    cache = Path(desktop.env()["XDG_CACHE_HOME"]) / "kiwoom" / "profiles"
    desktop.wait_for(lambda: list(cache.glob("*-token.json")), "the token in kiwoomcli's cache")


def test_locked_keyring_asks_for_its_password_only_on_demand(newcomer: Newcomer) -> None:
    desktop = newcomer.desktop
    desktop.secret_store("kiwoom-real", "appkey", SANDBOX_APP_KEY)
    desktop.secret_store("kiwoom-real", "secretkey", SANDBOX_APP_SECRET)
    desktop.keyring_lock()
    newcomer.first_start()
    newcomer.press(desktop.window(TITLE), "alt+n")
    desktop.screenshot("setup locked keyring")
    assert desktop.keyring_prompts() == []
    newcomer.press(desktop.window(TITLE), "alt+u", until=desktop.keyring_prompts)
    desktop.keyring_unlock()
    # Alt and a letter would be typed into the form as long as the page does not show the keys.
    newcomer.press(desktop.window(TITLE), "Return", until=newcomer.in_keyring)
    assert newcomer.issues == 1


def test_hung_keyring_does_not_hold_up_the_pages(newcomer: Newcomer) -> None:
    newcomer.desktop.keyring_freeze()
    newcomer.first_start()
    newcomer.press(newcomer.desktop.window(TITLE), "alt+n", "alt+i", "alt+i", "alt+i", "alt+f")
    newcomer.set_up_is_gone()
    newcomer.sees("No token")


def test_sandbox_begins_at_once_and_the_next_start_asks_again(newcomer: Newcomer) -> None:
    desktop = newcomer.desktop
    program = newcomer.first_start()
    newcomer.press(desktop.window(TITLE), "alt+p", "Return", until=desktop.items)
    newcomer.sees("Practice", "left")
    assert newcomer.written() == {}
    assert newcomer.issues == 0
    program.terminate()
    assert newcomer.ends(program) == 0
    newcomer.first_start()


def test_skipped_set_up_does_not_come_again(newcomer: Newcomer) -> None:
    program = newcomer.first_start()
    newcomer.press(newcomer.desktop.window(TITLE), "Escape", until=newcomer.desktop.items)
    newcomer.sees("No token")
    assert list(newcomer.written()) == ["data_dir"]
    program.terminate()
    assert newcomer.ends(program) == 0
    newcomer.start_tray()
    newcomer.sees("No token")
    newcomer.set_up_is_gone()


def test_second_start_meanwhile_ends_and_the_set_up_stays_one(newcomer: Newcomer) -> None:
    newcomer.first_start()
    second = newcomer.start_tray()
    assert newcomer.ends(second) == 0
    assert [one.title for one in newcomer.desktop.windows() if TITLE in one.title] == [TITLE]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_program_that_is_ended_meanwhile_ends_and_asks_again(newcomer: Newcomer, how: signal.Signals) -> None:
    program = newcomer.first_start()
    program.send_signal(how)
    assert newcomer.ends(program) == 0
    assert newcomer.desktop.items() == []
    assert newcomer.written() == {}
    newcomer.first_start()


def test_set_up_speaks_the_language_of_the_desktop_and_switches_at_once(newcomer: Newcomer) -> None:
    desktop = newcomer.desktop
    newcomer.start_tray(LANG="ko_KR.UTF-8")
    window = desktop.wait_for(lambda: [one for one in desktop.windows() if "키움" in one.title], "a Korean window")[0]
    desktop.screenshot("setup welcome in Korean")
    newcomer.press(window, "Tab", "Tab", "Tab", "space", until=lambda: newcomer.desktop.window(TITLE, 1))
