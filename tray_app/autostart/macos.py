"""macOS: a launch agent of the user.

The switch in System Settings › Login Items can be read only with an administrator's password, so launchd's own list of
disabled services is read instead.
"""

from __future__ import annotations

import os
import plistlib
import shlex
import subprocess
from typing import TYPE_CHECKING

from tray_app.autostart import files
from tray_app.autostart.base import NAME, Status, is_gone
from tray_app.core.errors import AutostartFailed
from tray_app.core.language import msg

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_PATIENCE_SECONDS = 5.0
_IMAGE = "/Volumes/Kiwoom Token Tray"
"""Where the disk image is mounted, with a number behind it the second time."""


def launchctl(*words: str) -> str:
    """Return what `launchctl` prints; an empty text where it cannot be run."""
    try:
        ran = subprocess.run(
            ["/bin/launchctl", *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_PATIENCE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return ran.stdout


class MacAutostart:
    """`ask_launchd` is called with the words of a `launchctl` command."""

    def __init__(self, command: list[str], ask_launchd: Callable[..., str] = launchctl) -> None:
        self._command = command
        self._ask_launchd = ask_launchd
        self._path = os.path.expanduser(f"~/Library/LaunchAgents/{NAME}.plist")

    def status(self) -> Status:
        agent = self._read()
        if agent is None:
            return Status(self._path)
        command = [str(word) for word in agent.get("ProgramArguments", ())]
        at_login = agent.get("RunAtLoad") is True
        return Status(
            configured=True,
            as_it_should_be=command == self._command and at_login,
            enabled=at_login and agent.get("Disabled") is not True and not self._is_disabled(),
            place=self._path,
            starts=shlex.join(command),
            is_lost=not command or is_gone(command),
        )

    def enable(self) -> None:
        """Write the agent, which launchd reads at the next login; the running program is not touched."""
        self._write({})
        if self._is_disabled():
            self._ask_launchd("enable", f"{_domain()}/{NAME}")

    def disable(self) -> None:
        files.remove(self._path)

    def repair(self) -> bool:
        if is_passing(self._command[0]) or not self.status().is_lost:
            return False
        kept = self._read() or {}
        self._write({"Disabled": kept["Disabled"]} if "Disabled" in kept else {})
        return True

    def _read(self) -> dict[str, Any] | None:
        """Return the agent; an empty one for a file that is no property list, which starts nothing."""
        content = files.read(self._path)
        if content is None:
            return None
        try:
            agent = plistlib.loads(content)
        except Exception:  # noqa: BLE001 - damaged lists raise half a dozen kinds
            return {}
        return agent if isinstance(agent, dict) else {}

    def _write(self, kept: dict[str, Any]) -> None:
        if is_passing(self._command[0]):
            raise AutostartFailed(
                msg("The program runs from a temporary folder ({path}). Move it to Applications and open it there."),
                path=self._command[0],
            )
        agent = {
            "Label": NAME,
            "ProgramArguments": self._command,
            "RunAtLoad": True,
            "ProcessType": "Interactive",
            "LimitLoadToSessionType": "Aqua",
            **kept,
        }
        files.replace(self._path, plistlib.dumps(agent))

    def _is_disabled(self) -> bool:
        """Return True if launchd lists it as disabled: `=> true` up to macOS 12, `=> disabled` from then on."""
        lines = {line.strip() for line in self._ask_launchd("print-disabled", _domain()).splitlines()}
        return bool(lines & {f'"{NAME}" => disabled', f'"{NAME}" => true'})


def is_passing(program: str) -> bool:
    """Return True for a program in the mounted disk image, or in the place where macOS runs a downloaded application
    until its user moves it, which is another one at each start."""
    return "/AppTranslocation/" in program or program.startswith(_IMAGE)


def _domain() -> str:
    return f"gui/{os.getuid()}"
