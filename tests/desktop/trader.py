"""A trader's computer: the tray program, the command line and a practice Kiwoom on one desktop."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from tray_app.core.token import KST
from tray_app.core.wording import korean_time
from tray_app.kiwoom.sandbox import SANDBOX_APP_KEY, SANDBOX_APP_SECRET, SandboxKiwoom

from .screen import ScreenError
from .session import Desktop, Program

TITLE = "Kiwoom Token Tray"
KEYS = {"APP_KEY": SANDBOX_APP_KEY, "APP_SECRET": SANDBOX_APP_SECRET}
TOKEN_SERVICE = "kiwoom-token-tray"
_PACE_SECONDS = 0.15
"""A button that was pressed by its key is down for a tenth of a second, and Escape then only lets it go."""
_NOISE = re.compile(r"qt\.qpa\.|Gtk-|dconf|^\s*$")


class Trader:
    """Everything a user does, and what is to be seen of it. Programs run on Korean time.

    `store` is `KIWOOM_TRAY_STORE`; `keys` puts the practice keys into the environment. Use in a `with` statement.
    """

    def __init__(self, desktop: Desktop, *, store: str = "file", keys: bool = True, lifetime: float = 86400) -> None:
        self.desktop = desktop
        self.sandbox = SandboxKiwoom(lifetime=lifetime)
        self.data = desktop.home / "data"
        self.config = desktop.home / "settings"
        self.environment = {
            "TZ": "KST-9",
            "KIWOOM_TRAY_DATA_DIR": str(self.data),
            "KIWOOM_TRAY_CONFIG_DIR": str(self.config),
            "KIWOOM_TRAY_STORE": store,
            "KIWOOM_TRAY_BASE_URL": self.sandbox.base_url,
            **(KEYS if keys else {}),
        }

    def __enter__(self) -> Self:
        self.sandbox.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.sandbox.stop()

    # What a user starts

    def settings(self, **values: object) -> None:
        """Writes `settings.toml`."""
        self.config.mkdir(exist_ok=True)
        lines = [f"{name} = {json.dumps(value)}\n" for name, value in values.items()]
        (self.config / "settings.toml").write_text("".join(lines), encoding="utf-8")

    def start_tray(self, *arguments: str, **environment: str) -> Program:
        """Starts `kiwoom-token-tray`."""
        return self.desktop.start_python("-m", "tray_app", *arguments, env={**self.environment, **environment})

    def cli(self, *words: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        """Runs `kiwoom-token` to its end."""
        return subprocess.run(
            [sys.executable, "-m", "tray_app.cli.main", *words],
            env=self.desktop.env(**{**self.environment, **environment}),
            cwd=self.desktop.home,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def done(self, *words: str, stdin: str = "", **environment: str) -> str:
        """Runs `kiwoom-token`, which must succeed, and returns what it prints."""
        ran = self.cli(*words, stdin=stdin, **environment)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    def put(self, token: str, seconds: float) -> None:
        """`kiwoom-token set`."""
        self.done("set", "--expires-in", str(seconds), stdin=token)

    def confirm(self, token: str) -> None:
        """Does what a program does whose request Kiwoom has just served."""
        program = (  # not by `token_manager`, which would not wait for a slow disk when the program ends
            "import sys, time; from tray_app.core.secret import Secret;"
            "from tray_app.service.composition import open_service; from tray_app.settings.load import load_settings;"
            "open_service(load_settings()).confirm(Secret(sys.stdin.read()), time.time())"
        )
        subprocess.run(
            [sys.executable, "-c", program],
            env=self.desktop.env(**self.environment),
            cwd=self.desktop.home,
            input=token,
            text=True,
            timeout=60,
            check=True,
        )

    def status(self) -> dict[str, Any]:
        """`kiwoom-token status --json`."""
        fields: dict[str, Any] = json.loads(self.done("status", "--json"))
        return fields

    # Where a token lies

    @property
    def file(self) -> Path:
        return self.data / ".token"

    def write_file(self, token: str, seconds: float, name: str = ".token") -> None:
        """Writes the token file as the seed's own programs do: in place, with local time and no lock."""
        now = time.time()
        self.data.mkdir(exist_ok=True)
        record = {
            "access_token": token,
            "expires_at": _korean(now + seconds),
            "created_at": _korean(now),
        }
        (self.data / name).write_text(json.dumps(record, indent=2), encoding="utf-8")

    def in_file(self) -> str | None:
        try:
            value: str = json.loads(self.file.read_text(encoding="utf-8"))["access_token"]
        except (FileNotFoundError, ValueError):
            return None
        return value

    def in_keyring(self, profile: str = "default") -> str | None:
        """Raises BusError while the keyring is locked."""
        text = self.desktop.secret_lookup(TOKEN_SERVICE, profile)
        return None if text is None else json.loads(text)["access_token"]

    @property
    def issues(self) -> int:
        """How many tokens the practice Kiwoom was asked for."""
        return self.sandbox.counts()["issue"]

    @property
    def asked(self) -> int:
        """How many requests of any kind came to the practice Kiwoom."""
        return sum(self.sandbox.counts().values())

    @property
    def revokes(self) -> int:
        return self.sandbox.counts()["revoke"]

    # What is to be seen

    def tooltip(self) -> str:
        return self.desktop.item().tooltip

    def sees(self, *texts: str, timeout: float = 40.0) -> str:
        """Waits until the icon's tooltip contains all these texts."""

        def found() -> str | None:
            tooltip = self.tooltip()
            return tooltip if all(text in tooltip for text in texts) else None

        return self.desktop.wait_for(found, f"a tooltip with {texts}", timeout)

    def idle(self) -> None:
        """Wait until the menu can be used."""
        self.desktop.wait_for(lambda: self._asking_entry().enabled, "an idle program")

    def ask_kiwoom(self) -> None:
        """Choose the entry that asks Kiwoom, whatever it says at the moment."""
        self.desktop.choose(self._asking_entry().label)

    def _asking_entry(self) -> Any:
        texts = {"Check with Kiwoom", "Issue a token", "Try again"}
        entries = self.desktop.menu()
        return next(one for one in entries if one.label in texts or one.label.startswith("Trying again at"))

    def agrees(self) -> dict[str, Any]:
        """Waits until the icon shows what `kiwoom-token status` says, and returns that."""
        status = self.status()
        if status["expires_at"] is None:
            self.sees("No token")
            return status
        now = time.time()
        end = korean_time(datetime.fromisoformat(status["expires_at"]).timestamp(), now)
        if status["remaining_seconds"] > 0:
            self.sees(" left (until " + end)
        else:
            self.sees("The token has expired (" + end)
        return status

    def window(self) -> Any:
        return self.desktop.window(TITLE)

    def windows(self) -> list[str]:
        """The titles of the program's own windows."""
        return [window.title for window in self.desktop.windows() if TITLE in window.title]

    def open_window(self) -> Any:
        self.desktop.activate()
        return self.window()

    def answer(self, title: str, *keys: str, text: tuple[str, ...] = ()) -> None:
        """Answers a dialog of the program by keys, and waits until it is gone; `text` goes into its fields first."""
        dialog = self.desktop.window(title)
        for number, line in enumerate(text):
            if number:
                self.desktop.screen.press("Tab")
            else:
                self.press(dialog, "Shift_L")
            self.desktop.screen.type(line)
        self.press(dialog, *keys, until=lambda: not any(title in one for one in self.windows()))

    def press(self, window: Any, *keys: str, until: Callable[[], object] = lambda: True) -> None:
        """Presses keys in a window until something has come of it: keys that come before it has the focus are lost."""
        for _attempt in range(4):
            with contextlib.suppress(ScreenError):
                for key in keys:
                    self.desktop.press(window, key)
                    time.sleep(_PACE_SECONDS)
            with contextlib.suppress(AssertionError):
                self.desktop.wait_for(until, "what the keys do", 5)
                return
        raise AssertionError(f"{keys} do nothing")

    def words(self, program: Program) -> list[str]:
        """What the program itself printed, without what Qt and GTK say about a bare desktop."""
        return [line for line in (program.output() + program.error_output()).splitlines() if not _NOISE.search(line)]

    def ends(self, program: Program, timeout: float = 30.0) -> int:
        """Waits for the end of a program and returns its exit status."""
        self.desktop.wait_for(lambda: program.poll() is not None, f"the end of {program.name}", timeout)
        return program.returncode


def processes_of(program: Program) -> set[int]:
    """The processes of the program's session that are alive."""
    found = set()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == program.pid and fields[0] != "Z":
            found.add(int(entry.name))
    return found


def command_line(program: Program) -> str:
    return Path(f"/proc/{program.pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()


def _korean(instant: float) -> str:
    """As the programs' own clock shows it, without a zone."""
    return datetime.fromtimestamp(instant, KST).replace(tzinfo=None).isoformat()
