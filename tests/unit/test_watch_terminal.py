"""What `kiwoom-token watch` writes of failures and their end, line by line, over a practice Kiwoom."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from tests.doubles import Clock
from tray_app.cli.watch import Terminal
from tray_app.core.token import KST, token_for
from tray_app.kiwoom.practice import PRACTICE_APP_KEY, PRACTICE_APP_SECRET, PracticeKiwoom
from tray_app.manager.keeper import TokenKeeper
from tray_app.manager.opening import open_keeper
from tray_app.settings.load import load_settings

SATURDAY = datetime(2026, 11, 21, 7, tzinfo=KST)


class World:
    def __init__(self, clock: Clock, kiwoom: PracticeKiwoom, capsys: pytest.CaptureFixture[str]) -> None:
        settings = load_settings()
        self.clock, self.kiwoom, self.capsys = clock, kiwoom, capsys
        self.keeper: TokenKeeper = open_keeper(settings, clock=clock)
        self.keeper.put(token_for("a-token-of-a-test", 3600, clock()))
        self.terminal = Terminal(settings, self.keeper, clock)

    def run(self, seconds: float) -> list[str]:
        """The lines of that time."""
        end = self.clock() + seconds
        while self.clock() < end:
            self.terminal.look()
            self.clock.advance(2)
        return self.capsys.readouterr().out.splitlines()


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[World]:
    clock = Clock(SATURDAY.timestamp())
    with PracticeKiwoom(clock=clock) as kiwoom:
        monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")
        monkeypatch.setenv("KIWOOM_TRAY_BASE_URL", kiwoom.base_url)
        monkeypatch.setenv("APP_KEY", PRACTICE_APP_KEY)
        monkeypatch.setenv("APP_SECRET", PRACTICE_APP_SECRET)
        yield World(clock, kiwoom, capsys)


def starting(lines: list[str], words: str) -> list[str]:
    return [line for line in lines if line.startswith(words)]


def test_a_failure_is_one_line_with_the_reason_and_its_end_another(world: World) -> None:
    world.kiwoom.set_fault("http-503", on="issue")
    lines = world.run(timedelta(hours=2).total_seconds())
    (failure,) = starting(lines, "Renewing the Kiwoom token fails. ")
    assert "[HTTP 503]" in failure
    assert "The token ends 08:00 (KST)." in failure
    assert len([line for line in lines if "503" in line]) == 1
    assert starting(lines, "The Kiwoom token has expired. It ended 08:00 (KST).")
    world.kiwoom.clear_faults()
    lines = world.run(1200)
    assert len(starting(lines, "The Kiwoom token is good again. It lives until tomorrow ")) == 1


def test_a_failure_that_the_next_try_mends_is_not_told(world: World) -> None:
    world.kiwoom.set_fault("http-503", on="issue", times=1)
    lines = world.run(timedelta(hours=1).total_seconds())
    assert not [line for line in lines if "fails" in line or "good again" in line or "503" in line]


def test_the_evening_before_names_the_command(world: World) -> None:
    world.clock.now = (SATURDAY + timedelta(days=1, hours=13)).timestamp()
    world.keeper.put(token_for("another-of-a-test", 15 * 3600, world.clock()))
    (line,) = starting(world.run(600), "The token will end while the market is open. ")
    assert line.endswith("(kiwoom-token refresh --rotate)")
