"""One program of the oracle run: does what chance says, and writes down what it was given and what it learnt.

`python -m tests.endurance.program SEED LOG`; it ends when its standard input is closed. Tokens stand in the log by
their fingerprints, times as seconds of the clock that all programs of a computer share.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TextIO

import httpx

from tray_app import KiwoomAuth, TokenManager
from tray_app.core.errors import KiwoomTokenError
from tray_app.core.secret import Secret
from tray_app.service.composition import open_service
from tray_app.service.outcome import Outcome
from tray_app.settings.load import load_settings


class Program:
    """A token manager in the hands of chance. `is_over` ends it after the present step."""

    def __init__(self, seed: int, log: TextIO) -> None:
        self.is_over = threading.Event()
        self._chance = random.Random(seed)  # noqa: S311 - it decides what is tried, and hides nothing
        self._log = log
        self._manager = TokenManager()
        self._service = open_service(load_settings())
        self._client = httpx.Client(auth=KiwoomAuth(self), trust_env=False, timeout=10)
        self._last = ""
        self._steps = {
            self._get: 30,
            self._ensure: 20,
            self._use: 20,
            self._verify: 8,
            self._refresh: 3,
            self._rotate: 3,
            self._clear: 2,
            self._clear_and_revoke: 2,
            self._set: 3,
            self._report_refused: 1,
            self._run_get: 1,
        }

    @property
    def base_url(self) -> str:
        return self._manager.base_url

    def get_valid_token(self) -> str:
        """For `KiwoomAuth`, as `TokenManager` does it."""
        return self._given("use", self._manager.get_valid_token) or ""

    def replace_refused(self, refused: str) -> str:
        """For `KiwoomAuth`: Kiwoom has just said that this one is dead."""
        try:
            return self._given("replace", lambda: self._manager.replace_refused(refused)) or ""
        finally:
            self._learnt(refused)

    def run(self) -> None:
        names, weights = list(self._steps), list(self._steps.values())
        while not self.is_over.is_set():
            (step,) = self._chance.choices(names, weights)
            with contextlib.suppress(KiwoomTokenError, httpx.HTTPError):
                step()
            time.sleep(self._chance.random() * 0.02)

    def _get(self) -> None:
        self._given("get", self._manager.get_token)

    def _ensure(self) -> None:
        self._given("ensure", self._manager.ensure_token)

    def _use(self) -> None:
        self._client.post(f"{self.base_url}/api/dostk/stkinfo", json={"stk_cd": "005930"})

    def _verify(self) -> None:
        verified = self._service.verify()
        if not verified.is_alive:
            self._learnt(verified.token.value.reveal())

    def _refresh(self) -> None:
        self._given("refresh", lambda: _text(self._service.refresh()))

    def _rotate(self) -> None:
        self._given("rotate", lambda: _text(self._service.refresh(rotate=True)))

    def _clear(self) -> None:
        self._manager.clear_token()

    def _clear_and_revoke(self) -> None:
        self._service.clear(revoke=True)

    def _set(self) -> None:
        """Store a token of nobody, as a user who pastes the wrong one."""
        self._manager.set_token(f"token-of-nobody-{os.getpid()}-{self._chance.getrandbits(64):016x}", 86400)

    def _report_refused(self) -> None:
        if self._last:
            self._given("get --refused", lambda: command("get", "--refused", stdin=self._last))

    def _run_get(self) -> None:
        self._given("get --no-issue", lambda: command("get", "--no-issue"))

    def _given(self, way: str, ask: object) -> str | None:
        began = time.monotonic()
        text: str | None = ask()  # type: ignore[operator]
        if text:
            self._last = text
            self._write(given=Secret(text).fingerprint(), way=way, began=began)
        return text

    def _learnt(self, text: str) -> None:
        self._write(dead=Secret(text).fingerprint(), at=time.monotonic())

    def _write(self, **fields: object) -> None:
        self._log.write(json.dumps(fields) + "\n")
        self._log.flush()


def _text(outcome: Outcome) -> str:
    return outcome.token.value.reveal()


def command(*words: str, stdin: str = "") -> str | None:
    """Run `kiwoom-token`; return the token that it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "tray_app.cli.main", *words], input=stdin, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() if done.returncode == 0 else None


def main() -> None:
    seed, path = sys.argv[1:]
    with Path(path).open("a", encoding="utf-8") as log:
        program = Program(int(seed), log)

        def wait_for_the_end() -> None:
            sys.stdin.read()
            program.is_over.set()

        threading.Thread(target=wait_for_the_end, daemon=True).start()
        print("ready", flush=True)
        program.run()


if __name__ == "__main__":
    main()
