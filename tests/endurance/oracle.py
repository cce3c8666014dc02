"""Programs that do at random what programs do with a token, beside a Kiwoom that knows which token works when.

`python -m tests.endurance.oracle --seconds N --seed S [--store file|keyring|auto]`

They get, use, verify, set, clear, rotate and refresh the token of one profile; meanwhile it is revoked elsewhere,
answers are lost, the keyring breaks and programs are killed. A token that was given after it had died, but before
anybody could know, is counted. One that was given after a program had learnt that it is dead, or after Kiwoom had
revoked it for a program, is a violation: there must be none. The seed makes the same things be tried again; which
meet is up to the computer.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.processes.conftest import PYTHON_PATH
from tray_app.core.secret import Secret
from tray_app.kiwoom.sandbox import SANDBOX_APP_KEY, SANDBOX_APP_SECRET, SandboxKiwoom
from tray_app.kiwoom.sandbox.answers import Answer

PROGRAMS = 4
STORES = ("file", "keyring", "auto")
_PATIENCE_SECONDS = 60.0


class KnowingKiwoom(SandboxKiwoom):
    """A sandbox that writes down when each token came to life and died, and which it revoked for a program."""

    def __init__(self) -> None:
        super().__init__()
        self.died_at: dict[str, float] = {}
        self.revoked_at: dict[str, float] = {}
        self.alive: dict[str, str] = {}
        self._notes = threading.RLock()

    def answer(self, path: str, fields: Mapping[str, object], bearer: str) -> Answer | None:
        with self._notes:
            answer = super().answer(path, fields, bearer)
            if path == "/oauth2/token":
                self._note_births()
            died = self.note_deaths()
            if path == "/oauth2/revoke":
                self.revoked_at.update(died)
        return answer

    def kill(self, chance: random.Random) -> None:
        """Let the token die as if another computer had done it."""
        with self._notes:
            way = chance.randrange(3)
            if way == 0:
                self.end_tokens()
            elif way == 1:
                self.issue_elsewhere()
            elif self.alive:
                self.revoke_elsewhere(chance.choice(sorted(self.alive.values())))
            self._note_births()
            self.note_deaths()

    def note_deaths(self) -> dict[str, float]:
        """Write down which tokens do not work any more; return when each of them died."""
        now, valid = time.monotonic(), self._rules.valid_tokens()
        died = {name: now for name, token in self.alive.items() if token not in valid}
        for name in died:
            del self.alive[name]
        self.died_at.update(died)
        return died

    def _note_births(self) -> None:
        for token in self._rules.valid_tokens():
            self.alive.setdefault(Secret(token).fingerprint(), token)


@dataclass
class Result:
    """What came of one run."""

    seed: int
    store: str
    given: Counter[str] = field(default_factory=Counter)
    dead_before_evidence: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    deaths: int = 0
    learnt: int = 0
    killed: int = 0
    is_settled: bool = False

    def __str__(self) -> str:
        lines = [
            f"seed {self.seed}, store {self.store}: {sum(self.given.values())} tokens given, {self.deaths} died, "
            f"{self.learnt} times found out, {self.killed} programs killed",
            f"  dead, before anybody could know: {sum(self.dead_before_evidence.values())} "
            f"{dict(self.dead_before_evidence)}",
            f"  dead, after it was known: {len(self.violations)}",
            *(f"    {one}" for one in self.violations[:20]),
        ]
        if not self.is_settled:
            lines.append("  in the end the programs did not agree on a token that works")
        return "\n".join(lines)


class Running:
    """A program under the oracle."""

    def __init__(self, seed: int, log: Path, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.endurance.program", str(seed), str(log)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def wait_until_ready(self) -> None:
        assert self._process.stdout
        assert self._process.stdout.readline() == b"ready\n"

    def kill(self) -> None:
        self._process.kill()
        self._close()

    def end(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        try:
            self._process.wait(_PATIENCE_SECONDS)
        finally:
            self.kill()

    def _close(self) -> None:
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe
            with contextlib.suppress(OSError):
                pipe.close()


def run(folder: Path, *, seconds: float, seed: int, store: str, programs: int = PROGRAMS) -> Result:
    """Let them run for so long, then judge what they wrote down."""
    chance = random.Random(f"{seed} {store}")  # noqa: S311 - it decides what is tried, and hides nothing
    result = Result(seed, store)
    folder.mkdir(parents=True, exist_ok=True)
    logs = [folder / f"{number}.log" for number in range(programs)]
    broken = folder / "keyring.json.broken"
    with KnowingKiwoom() as kiwoom:
        environment = _environment(folder, kiwoom.base_url, store)

        def start(number: int) -> Running:
            return Running(chance.getrandbits(32), logs[number], environment)

        running = [start(number) for number in range(programs)]
        try:
            for one in running:
                one.wait_until_ready()
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                time.sleep(chance.uniform(0.02, 0.3))
                broken.unlink(missing_ok=True)
                what = chance.random()
                if what < 0.5:
                    kiwoom.kill(chance)
                elif what < 0.65:
                    number = chance.randrange(programs)
                    running[number].kill()
                    result.killed += 1
                    running[number] = start(number)
                elif what < 0.8:
                    fault = chance.choice([("lost-answer", "revoke"), ("lost-answer", "issue"), ("http-500", "rest")])
                    kiwoom.set_fault(fault[0], on=fault[1], times=1)
                elif what < 0.9:
                    kiwoom.behaviour.reissue = chance.choice(["same", "same", "replace"])
                elif store != "file":
                    broken.touch()
        finally:
            broken.unlink(missing_ok=True)
            kiwoom.clear_faults()
            for one in running:
                one.end()
        result.is_settled = _settles(kiwoom, environment)
        _judge(result, kiwoom, logs)
    return result


def _settles(kiwoom: KnowingKiwoom, environment: dict[str, str]) -> bool:
    """Whether the next two programs get the same token, which works once Kiwoom was asked."""
    code = "from tray_app import TokenManager as M; m = M(); m.ensure_token(); "
    code += "m.verify() if m.get_token() else None; print(m.ensure_token())"
    texts = set()
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        texts.add(done.stdout.strip())
    return len(texts) == 1 and Secret(texts.pop()).fingerprint() in kiwoom.alive


def _judge(result: Result, kiwoom: KnowingKiwoom, logs: list[Path]) -> None:
    entries = [json.loads(line) for log in logs for line in log.read_text("utf-8").splitlines() if line.endswith("}")]
    known_at = dict(kiwoom.revoked_at)
    for entry in entries:
        if "dead" in entry:
            result.learnt += 1
            known_at[entry["dead"]] = min(entry["at"], known_at.get(entry["dead"], entry["at"]))
    result.deaths = len(kiwoom.died_at)
    works = kiwoom.died_at.keys() | kiwoom.alive.keys()
    for entry in entries:
        name = entry.get("given")
        if name is None:
            continue
        way, began = entry["way"], entry["began"]
        result.given[way] += 1
        if began > known_at.get(name, float("inf")):
            late = (began - known_at[name]) * 1000
            how = "revoked" if name in kiwoom.revoked_at else "found out"
            result.violations.append(f"{way}: {name}, {late:.1f} ms after it was {how}")
        elif name not in works or began > kiwoom.died_at.get(name, float("inf")):
            result.dead_before_evidence[way] += 1


def _environment(folder: Path, base_url: str, store: str) -> dict[str, str]:
    places = {
        name: str(folder / "places" / name.lower())
        for name in (
            "HOME",
            "USERPROFILE",
            "APPDATA",
            "LOCALAPPDATA",
            "XDG_CONFIG_HOME",
            "XDG_DATA_HOME",
            "XDG_STATE_HOME",
            "XDG_CACHE_HOME",
            "KIWOOM_TRAY_CONFIG_DIR",
            "KIWOOM_TRAY_STATE_DIR",
        )
    }
    return {
        **{name: text for name, text in os.environ.items() if name != "PYTHON_KEYRING_BACKEND"},
        **places,
        "PYTHONPATH": PYTHON_PATH,
        "KIWOOM_TRAY_DATA_DIR": str(folder / "data"),
        "KIWOOM_TRAY_STORE": store,
        "KIWOOM_TRAY_BASE_URL": base_url,
        "APP_KEY": SANDBOX_APP_KEY,
        "APP_SECRET": SANDBOX_APP_SECRET,
        "FILE_KEYRING": str(folder / "keyring.json"),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description="Look for a dead token that is given to a program.")
    parser.add_argument("--seconds", type=float, default=60.0, help="for all stores together")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--store", choices=STORES, help="only this one")
    options = parser.parse_args()
    stores = [options.store] if options.store else STORES
    is_good = True
    with tempfile.TemporaryDirectory() as folder:
        for store in stores:
            result = run(Path(folder) / store, seconds=options.seconds / len(stores), seed=options.seed, store=store)
            print(result, flush=True)
            is_good = is_good and not result.violations and result.is_settled
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
