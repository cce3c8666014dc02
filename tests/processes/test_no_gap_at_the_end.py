"""What a bot meets around the end of a token, five times a second, with clocks that are apart."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tray_app.api.token_manager import TokenManager
from tray_app.core.errors import KiwoomTokenError
from tray_app.core.secret import Secret
from tray_app.kiwoom.broker import Broker, Liveness
from tray_app.kiwoom.sandbox import SANDBOX_APP_KEY, SANDBOX_APP_SECRET, SandboxKiwoom

LIFETIME_SECONDS = 4.0
PAUSE_SECONDS = 0.2


@pytest.fixture
def manager(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], TokenManager]:
    def made(base_url: str) -> TokenManager:
        monkeypatch.setenv("KIWOOM_TRAY_BASE_URL", base_url)
        monkeypatch.setenv("APP_KEY", SANDBOX_APP_KEY)
        monkeypatch.setenv("APP_SECRET", SANDBOX_APP_SECRET)
        return TokenManager()

    return made


@pytest.mark.parametrize(("clock_offset", "outlives"), [(0.0, 0.9), (-20.0, 0.5), (20.0, 0.0), (-60.0, 0.0)])
def test_no_call_fails_and_no_dead_token_is_returned(
    manager: Callable[[str], TokenManager], clock_offset: float, outlives: float
) -> None:
    # GIVEN a Kiwoom whose clock is apart, and whose tokens live a little longer than they say.
    with SandboxKiwoom(lifetime=LIFETIME_SECONDS) as kiwoom:
        kiwoom.behaviour.clock_offset = clock_offset
        kiwoom.behaviour.outlives_seconds = outlives
        tokens, broker = manager(kiwoom.base_url), Broker(kiwoom.base_url)
        seen: list[str] = []
        dead: list[str] = []
        failures: list[KiwoomTokenError] = []
        ends = time.monotonic() + 3 * LIFETIME_SECONDS
        # WHEN a bot asks for the token five times a second
        while time.monotonic() < ends:
            try:
                token = tokens.ensure_token(min_remaining=0)
            except KiwoomTokenError as error:
                failures.append(error)
            else:
                seen += [] if token in seen else [token]
                if broker.verify(Secret(token)) is Liveness.DEAD:
                    dead.append(token)
            time.sleep(PAUSE_SECONDS)
        issues = kiwoom.counts()["issue"]
    # THEN no call fails, each token is followed by another, and a dead one is returned for about a second at most.
    assert not failures
    assert len(seen) >= 3
    assert max(map(dead.count, seen)) * PAUSE_SECONDS <= 1.2
    assert issues < 8 * len(seen)
