"""The daily rotation from end to end: the terminal's and the tray's supervisor, a file, a sandbox Kiwoom on the network
and a clock that goes when it is told to."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from tests.doubles import Clock
from tests.sandbox import sandbox_with_keys
from tray_app import TokenManager
from tray_app.cli.watch import Terminal
from tray_app.core.notices import NoticeKind
from tray_app.core.token import KST
from tray_app.desktop.monitor import Monitor
from tray_app.kiwoom.sandbox import SandboxKiwoom
from tray_app.service.composition import open_service
from tray_app.settings.load import load_settings

MONDAY = datetime(2026, 11, 23, tzinfo=KST)
POLICY = "daily 06:30"


def at(hours: float, day: int = 0) -> float:
    return (MONDAY + timedelta(days=day, hours=hours)).timestamp()


@pytest.fixture
def clock() -> Clock:
    return Clock(at(15))


@pytest.fixture
def kiwoom(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Iterator[SandboxKiwoom]:
    with sandbox_with_keys(monkeypatch, clock) as sandbox:
        monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")
        yield sandbox


@pytest.fixture
def asked(kiwoom: SandboxKiwoom) -> Callable[..., Any]:
    """How often Kiwoom has issued and revoked."""
    return lambda: (kiwoom.counts()["issue"], kiwoom.counts()["revoke"])


@pytest.fixture
def bot_file(private_places: Path) -> Path:
    path = private_places / "bots" / "token.json"
    settings = private_places / "places" / "settings" / "settings.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text(f"share_bot_file = {json.dumps(str(path))}\n")
    return path


@pytest.fixture
def seen(kiwoom: SandboxKiwoom, clock: Clock) -> Any:
    """What a program that only uses the token gets."""
    return TokenManager(clock=clock).get_token


@pytest.fixture
def kept_token_back(kiwoom: SandboxKiwoom) -> None:
    """Kiwoom confirms a revoke and gives the same token back all the same."""
    kiwoom.behaviour.ignores_revoke = True


class TestInTheTerminal:
    @pytest.fixture
    def opened(self, kiwoom: SandboxKiwoom, clock: Clock) -> Callable[..., Terminal]:
        def open_one() -> Terminal:
            return Terminal(load_settings(policy=POLICY), lambda one: open_service(one, clock=clock), clock)

        return open_one

    @pytest.fixture
    def pair(self, opened: Callable[..., Any]) -> Any:
        """Two programs with the same policy that have seen the token of the afternoon."""
        pair = opened(), opened()
        for one in pair:
            one.poll()
        return pair

    def test_it_happens_once_for_all_programs_and_all_tools_have_the_new_token(
        self, bot_file: Path, pair: Any, seen: Any, asked: Callable[..., Any], clock: Clock
    ) -> None:
        before = seen()
        clock.now = at(6.5, day=1)

        for one in (*pair, *pair):
            one.poll()

        assert asked() == (2, 1)
        assert seen() not in {None, before}
        assert json.loads(bot_file.read_text())["token"] == seen()

    def test_a_same_answer_is_told_and_asked_for_once(
        self,
        pair: Any,
        kept_token_back: None,
        seen: Any,
        *,
        asked: Callable[..., Any],
        clock: Clock,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        before = seen()
        clock.now = at(6.5, day=1)

        for _ in range(3):
            for one in pair:
                one.poll()
            clock.advance(60)

        assert (asked(), seen()) == ((2, 1), before)
        assert "Revoked token came back" in capsys.readouterr().out

    def test_after_a_same_answer_the_next_token_comes_right_after_the_end(
        self, pair: Any, kept_token_back: None, asked: Callable[..., Any], *, clock: Clock, seen: Any
    ) -> None:
        before = seen()
        clock.now = at(6.5, day=1)
        for one in pair:
            one.poll()
        clock.now = at(15, day=1) + 4

        for one in pair:
            one.poll()

        assert (asked(), seen() == before) == ((3, 1), False)

    def test_an_issue_that_fails_after_the_revoke_is_tried_again(
        self, kiwoom: SandboxKiwoom, pair: Any, seen: Any, *, asked: Callable[..., Any], clock: Clock
    ) -> None:
        kiwoom.set_fault("http-500", on="issue", times=1)
        clock.now = at(6.5, day=1)
        for one in pair:
            one.poll()
        lost = seen()
        clock.advance(30)

        for one in pair:
            one.poll()

        assert (lost, asked()[1]) == (None, 1)
        assert seen() is not None

    def test_a_computer_that_slept_catches_up_before_the_opening(
        self, pair: Any, asked: Callable[..., Any], clock: Clock
    ) -> None:
        clock.now = at(7.9, day=1)

        for one in pair:
            one.poll()

        assert asked() == (2, 1)

    def test_a_computer_that_slept_into_the_session_revokes_nothing(
        self, pair: Any, asked: Callable[..., Any], clock: Clock
    ) -> None:
        clock.now = at(9, day=1)

        for one in pair:
            one.poll()

        assert asked() == (1, 0)

    def test_after_a_weekend_asleep_there_is_one_request(
        self, pair: Any, asked: Callable[..., Any], clock: Clock
    ) -> None:
        clock.now = at(9, day=7)

        for one in pair:
            one.poll()

        assert asked() == (2, 0)


class TestPlannedOnce:
    """`refresh --rotate --at HH:MM`, kept by whoever supervises the profile at that time."""

    @pytest.fixture
    def pair(self, kiwoom: SandboxKiwoom, clock: Clock, policy: str) -> Any:
        settings = load_settings(policy=policy)
        open_service(settings, clock=clock).refresh()
        pair = [Terminal(settings, lambda one: open_service(one, clock=clock), clock) for _ in range(2)]
        for one in pair:
            one.poll()
        return pair

    @pytest.fixture
    def planned(self, pair: Any, clock: Clock) -> Any:
        open_service(load_settings(), clock=clock).plan_rotation(at(6.5, day=1))
        for one in pair:
            one.poll()
        return pair

    @pytest.mark.parametrize("policy", ["notify", "auto"])
    def test_it_happens_once_for_all_programs_and_not_again(
        self, planned: Any, seen: Any, asked: Callable[..., Any], clock: Clock
    ) -> None:
        before = seen()
        clock.now = at(6.5, day=1)

        for one in (*planned, *planned):
            one.poll()
        clock.now = at(22, day=1)
        for one in planned:
            one.poll()

        assert asked() == (2, 1)
        assert seen() not in {None, before}

    @pytest.mark.parametrize("policy", ["auto"])
    def test_a_program_that_starts_after_it_was_planned_keeps_it_too(
        self, planned: Any, asked: Callable[..., Any], clock: Clock, policy: str
    ) -> None:
        later = Terminal(load_settings(policy=policy), lambda one: open_service(one, clock=clock), clock)
        clock.now = at(6.6, day=1)
        later.poll()
        later.poll()
        assert asked() == (2, 1)

    @pytest.mark.parametrize("policy", ["auto"])
    def test_rotated_by_hand_before_it_is_done_with(
        self, planned: Any, asked: Callable[..., Any], clock: Clock
    ) -> None:
        clock.now = at(22)
        open_service(load_settings(), clock=clock).refresh(rotate=True)
        for one in planned:
            one.poll()
        clock.now = at(6.5, day=1)
        for one in planned:
            one.poll()
        assert asked() == (2, 1)

    @pytest.mark.parametrize("policy", ["auto"])
    def test_dropped_it_is_not_done(
        self, planned: Any, asked: Callable[..., Any], clock: Clock, capsys: pytest.CaptureFixture[str]
    ) -> None:
        service = open_service(load_settings(), clock=clock)
        for plan in (at(6.25, day=1), None):
            service.plan_rotation(plan)
            for one in planned:
                one.poll()
        told = capsys.readouterr().out
        assert told.count("It will be revoked and reissued at 06:15 tomorrow (KST).") == 2
        assert told.count("No reissue is planned.") == 2
        clock.now = at(6.5, day=1)
        for one in planned:
            one.poll()
        assert asked() == (1, 0)


class TestInTheTray:
    @pytest.fixture
    def opened(self, qtbot: QtBot, kiwoom: SandboxKiwoom, clock: Clock) -> Iterator[Callable[..., Any]]:
        made = []

        def open_one() -> Any:
            settings = load_settings(policy=POLICY)
            monitor = Monitor(settings, lambda one: open_service(one, clock=clock), None, None, clock=clock)  # type: ignore[arg-type]
            made.append(monitor)
            notices: list[Any] = []
            monitor.notice.connect(notices.append)
            monitor.start()
            qtbot.waitUntil(lambda: monitor.state.expires is not None and monitor.is_idle, timeout=10_000)
            return monitor, notices

        yield open_one
        for monitor in made:
            qtbot.waitUntil(lambda one=monitor: one.is_idle, timeout=10_000)  # type: ignore[misc]
            monitor.end()

    def test_it_happens_once_for_the_tray_and_the_terminal(
        self, opened: Callable[..., Any], qtbot: QtBot, seen: Any, *, asked: Callable[..., Any], clock: Clock
    ) -> None:
        monitor, _ = opened()
        terminal = Terminal(load_settings(policy=POLICY), lambda one: open_service(one, clock=clock), clock)
        terminal.poll()
        before = seen()
        clock.now = at(6.5, day=1)

        monitor.tick()
        terminal.poll()
        qtbot.waitUntil(lambda: monitor.state.expires == at(6.5, day=2), timeout=10_000)
        terminal.poll()

        assert asked() == (2, 1)
        assert seen() not in {None, before}

    def test_a_same_answer_is_told(
        self,
        opened: Callable[..., Any],
        kept_token_back: None,
        qtbot: QtBot,
        *,
        asked: Callable[..., Any],
        clock: Clock,
    ) -> None:
        monitor, notices = opened()
        clock.now = at(6.5, day=1)

        monitor.tick()
        qtbot.waitUntil(lambda: bool(notices), timeout=10_000)

        assert ([one.kind for one in notices], asked()) == ([NoticeKind.NOT_ROTATED], (2, 1))

    def test_an_issue_that_fails_after_the_revoke_is_tried_again(
        self,
        opened: Callable[..., Any],
        kiwoom: SandboxKiwoom,
        qtbot: QtBot,
        *,
        asked: Callable[..., Any],
        clock: Clock,
    ) -> None:
        monitor, _ = opened()
        kiwoom.set_fault("http-500", on="issue", times=1)
        clock.now = at(6.5, day=1)
        monitor.tick()
        qtbot.waitUntil(lambda: monitor.state.expires is None and monitor.is_idle, timeout=10_000)
        clock.advance(30)

        monitor.tick()
        qtbot.waitUntil(lambda: monitor.state.expires is not None, timeout=10_000)

        assert asked() == (3, 1)

    def test_a_rotation_by_hand_whose_issue_fails_is_finished(
        self,
        opened: Callable[..., Any],
        kiwoom: SandboxKiwoom,
        qtbot: QtBot,
        *,
        asked: Callable[..., Any],
        clock: Clock,
    ) -> None:
        monitor, _ = opened()
        kiwoom.set_fault("http-500", on="issue", times=1)
        monitor.rotate()
        qtbot.waitUntil(lambda: monitor.state.expires is None and monitor.is_idle, timeout=10_000)
        clock.advance(30)

        monitor.tick()
        qtbot.waitUntil(lambda: monitor.state.expires is not None, timeout=10_000)

        assert asked() == (3, 1)
