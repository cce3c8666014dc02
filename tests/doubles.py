"""Stand-ins for the outside world that tests hand in: a clock, a keyring, a broker."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

import keyring.core
import pytest
from keyring.backend import KeyringBackend

from tray_app.core.language import msg
from tray_app.core.secret import Secret
from tray_app.core.token import Token, token_for
from tray_app.history.database import History, flush_history
from tray_app.kiwoom.keys import AppKeys

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tray_app.history.draft import EventDraft

NO = msg("no")
"""What a broker of these tests says when it refuses: only marked sentences are shared with who waited."""

KEYS = AppKeys(Secret("an-app-key-of-a-test"), Secret("a-secret-of-a-test"))
START = 1_790_000_000.0


class Clock:
    """A clock that goes when it is told to; seconds of the epoch."""

    def __init__(self, now: float = START) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


class MemoryKeyring(KeyringBackend):
    """A keyring of one test; `broken` is what its calls raise."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()
        self.entries: dict[tuple[str, str], str] = {}
        self.broken: Exception | None = None
        self.calls = 0

    def get_password(self, service: str, username: str) -> str | None:
        self._count()
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._count()
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._count()
        del self.entries[service, username]

    def _count(self) -> None:
        self.calls += 1
        if self.broken is not None:
            raise self.broken


def use_memory_keyring(monkeypatch: pytest.MonkeyPatch) -> MemoryKeyring:
    """Give this process a keyring that works, in the place of none at all."""
    monkeypatch.delenv("PYTHON_KEYRING_BACKEND")
    memory = MemoryKeyring()
    monkeypatch.setattr(keyring.core, "_keyring_backend", memory)
    return memory


@dataclass
class Issued:
    token: Token
    skew_seconds: float | None = None


class Liveness(Enum):
    ALIVE = "alive"
    DEAD = "dead"


class FakeBroker:
    """Kiwoom's rule: the same token while it lives. `failure` is raised instead of an answer."""

    def __init__(self, clock: Clock, lifetime: float = 86400) -> None:
        self.clock = clock
        self.lifetime = lifetime
        self.failure: Exception | None = None
        self.issues = 0
        self.revokes = 0
        self.checks = 0
        self.living: Token | None = None

    def issue(self, keys: AppKeys) -> Issued:
        self.issues += 1
        if self.failure is not None:
            raise self.failure
        if self.living is None or not self.living.is_unexpired(self.clock()):
            self.living = token_for(f"token-{self.issues}-of-a-test", self.lifetime, self.clock())
        return Issued(Token(self.living.value, self.living.expires_at, token_for("x", 1, self.clock()).created_at))

    def preload(self) -> None:
        """There is nothing to load."""

    def verify(self, token: Secret) -> Liveness:
        self.checks += 1
        if self.failure is not None:
            raise self.failure
        works = self.living is not None and self.living.is_unexpired(self.clock()) and self.living.value == token
        return Liveness.ALIVE if works else Liveness.DEAD

    def revoke(self, keys: AppKeys, value: Secret) -> None:
        self.revokes += 1
        if self.failure is not None:
            raise self.failure
        self.living = None


class PromptHistory(History):
    """A record that is written before anybody goes on."""

    def record(self, profile: str, drafts: Sequence[EventDraft]) -> None:
        super().record(profile, drafts)
        assert flush_history(20)

    def record_found(self, profile: str, token: Token | None, at: float) -> None:
        super().record_found(profile, token, at)
        assert flush_history(20)


@contextmanager
def private_bus(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A D-Bus of one test's own, and its address. Skips where there is no such program."""
    address = f"unix:path={folder}/bus"
    try:
        daemon = subprocess.Popen(
            ["dbus-daemon", "--session", "--nofork", f"--address={address}", "--print-address=1"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    except FileNotFoundError:
        pytest.skip("no dbus-daemon here")
    with daemon:
        assert daemon.stdout
        assert daemon.stdout.readline()
        try:
            yield daemon, address
        finally:
            daemon.terminate()
