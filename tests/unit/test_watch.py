"""`watch`: what a terminal says of a token while it is kept alive."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.doubles import START, Clock
from tests.services import DAY, FakeService
from tray_app.cli.watch import Terminal
from tray_app.core.errors import BrokerUnavailable, KeysRefused, StoreError
from tray_app.core.token import KST, token_for
from tray_app.service.outcome import Outcome
from tray_app.settings.load import Settings, load_settings
from tray_app.settings.places import settings_file
from tray_app.settings.save import save_setting


class Watching:
    """A terminal over a service of the test; `polls` returns the lines that so many seconds bring."""

    def __init__(self, capsys: pytest.CaptureFixture[str], folder: Path) -> None:
        self.capsys = capsys
        self.clock = Clock()
        self.service = FakeService(self.clock, folder)
        self.opened: list[Settings] = []
        self.errors = ""
        self.terminal: Terminal | None = None
        self.profile: str | None = None

    def polls(self, times: int = 1) -> list[str]:
        if self.terminal is None:
            self.terminal = Terminal(load_settings(self.profile), self._open, self.clock)
        for _ in range(times):
            self.terminal.poll()
            self.clock.advance(1)
        said = self.capsys.readouterr()
        self.errors = said.err
        return said.out.splitlines()

    def _open(self, settings: Settings) -> Any:
        self.opened.append(settings)
        return self.service


@pytest.fixture
def watching(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Watching:
    return Watching(capsys, tmp_path)


@pytest.fixture
def notify() -> None:
    save_setting("policy", "notify")


def test_a_token_is_told_once(watching: Watching) -> None:
    watching.service.hold(token_for("a-token-of-a-test", DAY, START))
    (line,) = watching.polls(5)
    assert line.startswith("The token expires ")
    assert "a-token" not in line


def test_a_token_that_is_missing_is_told_and_issued_in_the_same_turn(watching: Watching) -> None:
    first, second = watching.polls(5)
    assert first.startswith("There is no token")
    assert second.startswith("A new token was issued")
    assert watching.service.calls == ["renew"]


@pytest.mark.usefixtures("notify")
def test_what_another_program_does_is_told(watching: Watching) -> None:
    watching.service.hold(token_for("a-token", DAY, START))
    watching.polls()
    watching.service.hold(None)
    (line,) = watching.polls()
    assert line.startswith("There is no token")
    watching.service.hold(token_for("another-token", DAY, START + 5))
    (line,) = watching.polls()
    assert line.startswith("The token expires ")


def test_a_refusal_is_told_once(watching: Watching) -> None:
    watching.service.failure = KeysRefused("Refused.", code="8050")
    lines = watching.polls(100)
    assert len([line for line in lines if "[8050]" in line]) == 1


def test_a_failure_that_lasts_is_told_once(watching: Watching) -> None:
    watching.service.hold(token_for("a-token", DAY, START))
    watching.polls()
    watching.clock.now = START + DAY - 600
    watching.service.failure = BrokerUnavailable("Kiwoom does not answer.")
    lines = watching.polls(60)
    assert len([line for line in lines if "does not answer" in line]) == 1


@pytest.mark.usefixtures("notify")
def test_an_unreadable_store_is_told_once_and_ends_nothing(watching: Watching) -> None:
    watching.service.unreadable = StoreError("It cannot be read.")
    assert watching.polls(200) == ["It cannot be read."]
    watching.service.unreadable = None
    (line,) = watching.polls(60)
    assert line.startswith("There is no token")


def test_what_kept_a_token_from_being_stored_or_published_is_told_on_stderr(watching: Watching) -> None:
    token = token_for("a-token", DAY, START)
    watching.service.answer = Outcome(token, Outcome.ISSUED, unsaved=StoreError("No room to store it."))
    watching.service.unpublished = (StoreError("No room to publish it."),)
    watching.polls()
    assert "No room to store it." in watching.errors
    assert "No room to publish it." in watching.errors


def test_what_to_type_against_an_expiry_in_trading_hours_names_the_profile(watching: Watching) -> None:
    watching.profile = "my swing"
    evening = datetime(2025, 11, 25, 21, 0, tzinfo=KST).timestamp()
    watching.clock.now = evening - 9 * 3600
    watching.service.hold(token_for("a-token-of-a-test", DAY, evening - 9 * 3600))
    watching.polls()
    watching.clock.now = evening

    lines = watching.polls(5)

    assert [line for line in lines if 'refresh --rotate --at 06:30 --profile "my swing"' in line]


def test_quiet_hours_silence_no_line(watching: Watching) -> None:
    save_setting("quiet_hours", "00:00-23:59")
    save_setting("policy", "notify")
    watching.service.hold(token_for("a-token", DAY, START))
    watching.polls()
    watching.clock.now = START + DAY - 1800
    (line,) = watching.polls()
    assert "token expires" in line


class TestChangedSettings:
    def test_apply_without_a_restart(self, watching: Watching) -> None:
        save_setting("policy", "notify")
        assert len(watching.polls(3)) == 1
        save_setting("policy", "auto")
        (line,) = watching.polls(3)
        assert line.startswith("A new token was issued")

    def test_of_another_place_open_another_service(self, watching: Watching, tmp_path: Path) -> None:
        watching.polls()
        save_setting("share_bot_file", str(tmp_path / "bot.json"))
        watching.polls()
        assert [one.share_bot_file for one in watching.opened] == ["", str(tmp_path / "bot.json")]

    def test_that_cannot_be_used_are_told_once_and_the_others_apply(self, watching: Watching) -> None:
        save_setting("policy", "notify")
        watching.polls()
        file = Path(settings_file(os.environ))
        file.write_text('policy = "daily 06:30"\nstore = "nowhere"\n')
        watching.polls(3)
        assert watching.errors.count("store cannot be used") == 1
        file.write_text('policy = "daily 06:30"\nstore = "nowhere"\n# a comment\n')
        watching.polls(3)
        assert watching.errors == ""
