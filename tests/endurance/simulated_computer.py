"""A computer in this process: its clock, its disk, its keyring, and the programs that share one token on it."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

from tests.endurance.simulated_kiwoom import Kiwoom, SimulatedBroker
from tray_app.api.token_manager import TokenManager
from tray_app.core.errors import KiwoomTokenError
from tray_app.core.secret import Secret
from tray_app.history.database import History
from tray_app.history.draft import EventDraft
from tray_app.service.composition import open_service
from tray_app.settings.load import Settings, load_settings
from tray_app.stores.keyring_problems import locked, silent
from tray_app.supervisor.commands import Clear, Command, Refresh, Rotate
from tray_app.supervisor.supervisor import Callbacks, Supervisor
from tray_app.system.log_file import LogFileHandler

OK, LOCKED, FROZEN = "ok", "locked", "frozen"
_LONGEST_SLEEP_SECONDS = 60.0
_TURNS = 40


@dataclass
class Computer:
    """`true` is Kiwoom's time and `skew` by how much the computer's clock is ahead of it, in seconds."""

    true: float
    chance: random.Random
    skew: float = 0.0
    is_disk_full: bool = False
    keyring: str = OK
    entries: dict[tuple[str, str], str] = field(default_factory=dict)

    def clock(self) -> float:
        return self.true + self.skew

    def sleep(self, seconds: float) -> None:
        self.true += seconds

    @contextlib.contextmanager
    def running(self, folder: Path, kiwoom: Kiwoom, store: str) -> Iterator[None]:
        """Let the program, in this process, run on this computer."""
        places = {"CONFIG": "settings", "DATA": "data", "STATE": "state"}
        environ = {
            **{f"KIWOOM_TRAY_{name}_DIR": str(folder / place) for name, place in places.items()},
            **{f"XDG_{name}_HOME": str(folder / "xdg") for name in ("CONFIG", "DATA", "STATE", "CACHE")},
            "HOME": str(folder),
            "APP_KEY": "an-app-key-of-a-test",
            "APP_SECRET": "a-secret-of-a-test",
            "KIWOOM_MODE": "real",
            "KIWOOM_TRAY_STORE": store,
        }
        handler = LogFileHandler(str(folder / "log" / "tray.log"))
        handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
        logger = logging.getLogger("kiwoom")
        write, pwrite = os.write, os.pwrite

        def write_if_room(descriptor: int, content: bytes) -> int:
            self._need_room(descriptor)
            return write(descriptor, content)

        def pwrite_if_room(descriptor: int, content: bytes, at: int) -> int:
            self._need_room(descriptor)
            return pwrite(descriptor, content, at)

        level = logger.level
        with contextlib.ExitStack() as stack:
            for patch in (
                mock.patch.dict(os.environ, environ),
                mock.patch.object(time, "sleep", self.sleep),
                mock.patch.object(threading, "Thread", ThreadInPlace),
                mock.patch.object(os, "write", write_if_room),
                mock.patch.object(os, "pwrite", pwrite_if_room),
                mock.patch("tray_app.service.composition.open_broker", lambda _, clock: SimulatedBroker(kiwoom, clock)),
                mock.patch("tray_app.stores.keyring_client.shared_keyring_client", return_value=KeyringOf(self)),
                mock.patch("tray_app.history.database.open_history", lambda chosen: PromptHistory(chosen.data_dir)),
            ):
                stack.enter_context(patch)
            stack.callback(logger.setLevel, level)
            stack.callback(logger.removeHandler, handler)
            logger.addHandler(handler)
            logger.setLevel(logging.INFO)
            logging.getLogger("httpx").setLevel(logging.WARNING)
            yield

    def _need_room(self, descriptor: int) -> None:
        """What a file has already can be overwritten on a full disk."""
        if self.is_disk_full and os.fstat(descriptor).st_size == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class ThreadInPlace:
    """A thread that has ended when it was started: its work is done by whoever starts it, which is quick and the same
    each time."""

    def __init__(self, target: Callable[[], object], **_: object) -> None:
        self.start = target


class KeyringOf:
    """The keyring of a simulated computer, as `KeyringClient` shows it. One that hangs may do it all the same."""

    def __init__(self, computer: Computer) -> None:
        self._computer = computer

    def get(self, service: str, username: str) -> str | None:
        self.check()
        return self._computer.entries.get((service, username))

    def set(self, service: str, username: str, value: str) -> None:
        self._change(lambda: self._computer.entries.__setitem__((service, username), value))

    def delete(self, service: str, username: str) -> bool:
        was_there = (service, username) in self._computer.entries
        self._change(lambda: self._computer.entries.pop((service, username), None))
        return was_there

    def check(self) -> None:
        if self._computer.keyring == LOCKED:
            raise locked()
        if self._computer.keyring == FROZEN:
            self._computer.sleep(2.0)
            raise silent()

    def _change(self, change: Callable[[], object]) -> None:
        if self._computer.keyring == FROZEN and self._computer.chance.random() < 0.3:
            change()
        self.check()
        change()


class PromptHistory(History):
    """A history that is written before anybody goes on."""

    def __init__(self, data_dir: str) -> None:
        super().__init__(os.path.join(data_dir, "history.db"))

    def record(self, profile: str, drafts: Sequence[EventDraft]) -> None:
        self.keep([(profile, one) for one in drafts])

    def record_found(self, profile: str, token: object, at: float) -> None:
        self.record(profile, [EventDraft(at, "gone" if token is None else "seen", token)])  # type: ignore[arg-type]


class Program:
    """A tray, or a `watch` with a bot in it: a supervisor and a token manager, each with a service of its own."""

    def __init__(self, computer: Computer, settings: Settings) -> None:
        self._computer = computer
        self.settings = settings
        self.supervisor = Supervisor(
            settings,
            lambda changed: open_service(changed, clock=computer.clock),
            Callbacks(),
            check_keyring=KeyringOf(computer).check,
            clock=computer.clock,
        )
        self.manager = TokenManager(clock=computer.clock)
        self.service = open_service(settings, clock=computer.clock)
        self._seen: list[tuple[int, int, int] | None] = []
        self._woken_at = computer.true
        self.supervisor.read()

    def wakes_at(self) -> float:
        """Return when its timer fires, in true time; an idle minute of the tray is left out."""
        moment = self.supervisor.next_moment()
        is_awaited = self.supervisor.state.place_problem or self.supervisor.service.tokens.unsaved is not None
        longest = _LONGEST_SLEEP_SECONDS * (1 if is_awaited else 15)
        latest = self._woken_at + longest
        return latest if moment is None else min(self._computer.true + moment - self._computer.clock(), latest)

    def wake(self, *, resumed: bool = False) -> bool:
        """Do what its timer does; return whether it comes to rest."""
        self._woken_at = self._computer.true
        self.supervisor.tick(resumed=resumed)
        for _ in range(_TURNS):
            moment = self.supervisor.next_moment()
            if moment is None or moment > self._computer.clock():
                return True
            self.supervisor.tick()
        return False

    def look(self) -> None:
        """See what another program has changed: the files are watched."""
        found = [_version(path) for path in self.supervisor.service.watch_paths()]
        if found != self._seen:
            self._seen = found
            self.supervisor.read()

    def ask(self, way: str) -> str | None:
        """Ask for the token as a bot does; None when there is none."""
        with contextlib.suppress(KiwoomTokenError):
            if way == "get":
                return self.manager.get_token()
            if way == "ensure":
                return self.manager.ensure_token()
            return self.service.living().value.reveal()
        return None

    def report(self, token: str, way: str) -> str | None:
        """Tell that Kiwoom refused the token; return the one to use instead, if that is asked for."""
        with contextlib.suppress(KiwoomTokenError):
            if way == "replace":
                return self.manager.replace_refused(token)
            self.service.doubt(Secret(token))
        return None

    def confirm(self, token: str) -> None:
        with contextlib.suppress(KiwoomTokenError):
            self.service.confirm(Secret(token), self._computer.clock())

    def choose(self, what: str) -> None:
        """Do what a user chooses in the menu."""
        commands: dict[str, Command[object]] = {"refresh": Refresh(), "rotate": Rotate(), "clear": Clear(revoke=False)}  # type: ignore[dict-item]
        self.supervisor.do(commands[what])


def _version(path: str) -> tuple[int, int, int] | None:
    with contextlib.suppress(OSError):
        found = os.stat(path)
        return found.st_mtime_ns, found.st_ino, found.st_size
    return None


def open_settings(policy: str) -> Settings:
    return load_settings().replace(policy=policy)
