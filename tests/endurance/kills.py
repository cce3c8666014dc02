"""Programs are killed at random instants while they issue, rotate, store and clear. What do they leave behind?

`python -m tests.endurance.kills --count 3000`. Each time: the token file is whole and its owner's alone, the next
program has the lock at once and a token that works, no good token is lost, all programs see the same one, and what the
killed one left is swept by the next write. Windows has no fork, so there each victim is a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests import ROOT
from tests.ports import free_port
from tests.redis.server import PROGRAM as REDIS
from tests.redis.server import RealRedis
from tray_app.core.errors import BrokerUnavailable, KeyringUnavailable, KiwoomTokenError, NoToken
from tray_app.core.token import Token
from tray_app.kiwoom.sandbox import SANDBOX_APP_KEY, SANDBOX_APP_SECRET
from tray_app.service.composition import open_broker, open_service
from tray_app.service.token_service import TokenService
from tray_app.settings.load import load_settings

PYTHON_PATH = os.pathsep.join([str(ROOT), str(ROOT / "tests" / "processes" / "host")])
STORES = "file", "keyring", "auto", "redis"
CAN_FORK = hasattr(os, "fork")
KEEPS, ENDS = "keeps", "ends"
"""What a victim does: only what leaves a token there, or also what takes it away."""

_PATIENCE_SECONDS = {"redis": 4.5}
_USUAL_PATIENCE_SECONDS = 3.0 if CAN_FORK else 10.0
_LONGEST_DELAY_SECONDS = 0.06 if CAN_FORK else 3.0
_EXPECTED = re.compile(
    r"\.token(\.owner|\.lock|\.ending)?|default\.(lock|signal|keyring|redis\.signal|redis\.writes)|ended-tokens|issued-tokens|history\.db(-journal)?"
)


@dataclass
class Result:
    """What came of one store."""

    store: str
    killed: int = 0
    stages: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    leftovers: int = 0
    violations: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [
            f"{self.store}: {self.killed} killed, {dict(sorted(self.stages.items()))}; the next one had a token after "
            f"{self.slowest:.2f} s at the latest; {self.leftovers} temporary files swept",
            *(f"  WRONG: {one}" for one in self.violations[:20]),
        ]
        return "\n".join(lines)


class Kills:
    """Kill programs that use one store, and look after each."""

    def __init__(self, store: str, folder: Path, seed: int, patience: float) -> None:
        self.result = Result(store)
        self._folder = folder
        self._chance = random.Random(f"kills {seed} {store}")  # noqa: S311 - it decides what is tried
        self._patience = patience or _PATIENCE_SECONDS.get(store, _USUAL_PATIENCE_SECONDS)
        for last in (False, False, False, True):  # all is loaded slowly under Wine or on a busy machine
            try:
                self._open().ensure()
                break
            except (BrokerUnavailable, KeyringUnavailable):
                if last:
                    raise

    def one(self) -> None:
        """Kill one program and look at what it has left."""
        flavour = self._chance.choice([KEEPS, ENDS])
        seed = self._chance.getrandbits(32)
        before = self._stored()
        delay = self._chance.uniform(0, _LONGEST_DELAY_SECONDS)
        (self._fork if CAN_FORK else self._spawn)(flavour, seed, delay)
        self.result.killed += 1
        self._look(flavour, before)

    def _open(self) -> TokenService:
        return open_service(load_settings())

    def _stored(self) -> Token | None:
        with suppress(NoToken):
            return self._open().living()
        return None

    def _fork(self, flavour: str, seed: int, delay: float) -> None:
        number = os.fork()
        if not number:
            with suppress(BaseException):
                be_victim(flavour, seed)
            os._exit(3)
        time.sleep(delay)
        os.kill(number, signal.SIGKILL)
        os.waitpid(number, 0)

    def _spawn(self, flavour: str, seed: int, delay: float) -> None:
        with subprocess.Popen(
            python("tests.endurance.kills", "--victim", flavour, "--seed", str(seed)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as victim:
            assert victim.stdout
            victim.stdout.readline()
            time.sleep(delay)
            victim.kill()

    def _look(self, flavour: str, before: Token | None) -> None:
        """Judge what is there, then go on as the next program does."""
        self._look_at_files()
        try:
            began = time.monotonic()
            stored = self._stored()
            self.result.stages["a token is there" if stored else "none is there"] += 1
            service = self._open()
            is_lost = before is not None and stored is None and not service.tokens.read_record().was_interrupted(before)
            if flavour == KEEPS and is_lost:
                self._wrong("a good token is lost")
            token = service.ensure().token
            self.result.slowest = max(self.result.slowest, time.monotonic() - began)
            if time.monotonic() - began > self._patience:
                self._wrong(f"the next program waited {time.monotonic() - began:.1f} s")
            others = {one.living().value for one in (self._open(), self._open())}
            if others != {token.value}:
                self._wrong("programs see different tokens")
            if not _works(token) and flavour == ENDS:
                # The revoke of the killed one was under way, and has reached Kiwoom after the request of the next.
                self.result.stages["a revoke came late"] += 1
                service.verify()
                token = service.ensure().token
            if not _works(token):
                self._wrong("the token that is given does not work")
            self.result.leftovers += len(self._leftovers())
            service.put(token)
        except KiwoomTokenError as error:
            self._wrong(f"the next program failed: {type(error).__name__}: {error}")
        left = self._leftovers() if CAN_FORK else []  # where a writer's death cannot be told, a minute must pass
        if left:
            self._wrong(f"not swept: {left}")

    def _look_at_files(self) -> None:
        for path in self._files():
            with suppress(FileNotFoundError):
                mode = stat.S_IMODE(path.stat().st_mode)
                if CAN_FORK and mode & 0o077:
                    self._wrong(f"{path.name} has mode {mode:o}")
                if path.name in {".token", ".token.ending"}:
                    self._look_at_token(path)

    def _look_at_token(self, path: Path) -> None:
        try:
            fields = json.loads(path.read_text("utf-8"))
        except ValueError:
            self._wrong(f"{path.name} is torn")
        else:
            if set(fields) != {"access_token", "expires_at", "created_at"}:
                self._wrong(f"{path.name} has other keys")

    def _files(self) -> Iterator[Path]:
        for place in ("data", "state"):
            yield from (one for one in (self._folder / place).rglob("*") if one.is_file())

    def _leftovers(self) -> list[str]:
        return [one.name for one in self._files() if not _EXPECTED.fullmatch(one.name)]

    def _wrong(self, what: str) -> None:
        self.result.violations.append(f"kill {self.result.killed}: {what}")


def _works(token: Token) -> bool:
    return open_broker(load_settings()).verify(token.value).value == "alive"


def be_victim(flavour: str, seed: int) -> None:
    """Use the token until killed."""
    chance = random.Random(seed)  # noqa: S311 - it decides what is tried
    service = open_service(load_settings())
    if not CAN_FORK:
        print("ready", flush=True)
    while True:
        steps = [
            service.ensure,
            service.refresh,
            service.verify,
            lambda: service.put(service.living()),
            lambda: service.doubt(service.living().value),
            lambda: service.replace_refused(service.living().value),
        ]
        if flavour == ENDS:
            steps += [lambda: service.refresh(rotate=True), service.clear, lambda: service.clear(revoke=True)]
        with suppress(KiwoomTokenError):
            chance.choice(steps)()


def python(module: str, *words: str) -> list[str]:
    """Return the command that runs a module, also with a Python that heeds no PYTHONPATH, as the embeddable one."""
    code = f"import runpy, sys; sys.path.insert(0, {str(ROOT)!r}); sys.argv[0] = {module!r}; "
    code += f"runpy.run_module({module!r}, run_name='__main__', alter_sys=True)"
    return [sys.executable, "-c", code, *words]


@contextmanager
def sandbox() -> Iterator[str]:
    """Run the practice Kiwoom in a process of its own, so that this one has no thread when it forks; yield its URL."""
    port = free_port()
    command = python("tray_app.cli.main", "sandbox", "--port", str(port), "--lifetime", "86400")
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as served:
        try:
            assert served.stdout
            served.stdout.readline()
            yield f"http://127.0.0.1:{port}"
        finally:
            served.kill()


@contextmanager
def places(store: str, base_url: str) -> Iterator[Path]:
    """Let this process and its victims use a folder of their own."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        redis = RealRedis(folder / "redis", free_port()) if store == "redis" else None
        environ = {
            **{f"KIWOOM_TRAY_{one}_DIR": str(folder / one.lower()) for one in ("DATA", "CONFIG", "STATE")},
            **{f"XDG_{one}_HOME": str(folder / "xdg") for one in ("CONFIG", "DATA", "STATE", "CACHE")},
            "HOME": str(folder),
            "KIWOOM_TRAY_STORE": store,
            "KIWOOM_TRAY_BASE_URL": base_url,
            "APP_KEY": SANDBOX_APP_KEY,
            "APP_SECRET": SANDBOX_APP_SECRET,
            "FILE_KEYRING": str(folder / "keyring.json"),
            "PYTHONPATH": PYTHON_PATH,
            **({} if redis is None else {"KIWOOM_TRAY_REDIS_URL": redis.url}),
        }
        os.environ.pop("PYTHON_KEYRING_BACKEND", None)
        os.environ.update(environ)
        try:
            if redis is not None:
                redis.start()
            yield folder
        finally:
            if redis is not None:
                redis.stop()


def kill(store: str, count: int, seed: int, patience: float) -> Result:
    """Kill `count` programs that use one store."""
    with sandbox() as base_url, places(store, base_url) as folder:
        kills = Kills(store, folder, seed, patience)
        for _ in range(count):
            kills.one()
        return kills.result


def main() -> int:
    parser = argparse.ArgumentParser(description="Kill programs while they use the token.")
    parser.add_argument("--count", type=int, default=1000, help="for all stores together")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--store", choices=STORES)
    parser.add_argument("--patience", type=float, default=0.0, help="the seconds that the next program may take")
    parser.add_argument("--victim", choices=[KEEPS, ENDS], help=argparse.SUPPRESS)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.victim:
        be_victim(options.victim, options.seed)
    if not options.inside:  # with a keyring that is a file
        environ = {**os.environ, "PYTHONPATH": PYTHON_PATH, "FILE_KEYRING": "set later"}
        return subprocess.call(python("tests.endurance.kills", "--inside", *sys.argv[1:]), env=environ)
    stores = [options.store] if options.store else [one for one in STORES if one != "redis" or REDIS]
    is_good = True
    for store in stores:
        result = kill(store, options.count // len(stores), options.seed, options.patience)
        print(result, flush=True)
        is_good = is_good and not result.violations
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
