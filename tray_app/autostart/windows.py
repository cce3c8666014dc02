"""Windows: a value in the user's `Run` key, and Task Manager's switch for it in `StartupApproved`.

The switch is a value of the same name with twelve bytes: an even first byte means on, an odd one off, and the time when
it was switched off follows. Without such a value it is on.
"""

from __future__ import annotations

import re
import sys
from typing import Any

from tray_app.autostart.base import NAME, Status, is_gone
from tray_app.core.errors import AutostartFailed
from tray_app.core.language import msg
from tray_app.system.private_files import reason_of

CURRENT_VERSION = r"Software\Microsoft\Windows\CurrentVersion"
_RUN = r"\Run"
_APPROVED = r"\Explorer\StartupApproved\Run"
_LONGEST_COMMAND = 260
"""Windows reads this many characters of a command line in the `Run` key."""
_NO_PACKAGE = 15700
"""What Windows answers for a program that is not from its Store."""


class WindowsAutostart:
    def __init__(self, command: list[str]) -> None:
        self._command = command
        self._line = command_line(command)

    def status(self) -> Status:
        line = _read(_RUN)
        place = rf"HKEY_CURRENT_USER\{CURRENT_VERSION}{_RUN}"
        if not isinstance(line, str):
            return Status(place)
        return Status(
            configured=True,
            as_it_should_be=line.lower() == self._line.lower(),
            enabled=not _is_off(_read(_APPROVED)),
            place=place,
            starts=line,
            is_lost=is_gone(words(line)),
        )

    def enable(self) -> None:
        self._write()
        _remove(_APPROVED)

    def disable(self) -> None:
        _remove(_RUN)
        _remove(_APPROVED)

    def repair(self) -> bool:
        if not self.status().is_lost:
            return False
        self._write()
        return True

    def _write(self) -> None:
        if len(self._line) > _LONGEST_COMMAND:
            raise AutostartFailed(
                msg("The path of this program is too long for Windows to start it at login ({path}). Move it."),
                path=self._command[0],
            )
        if _is_from_the_store():
            raise AutostartFailed(
                msg(
                    "Python from the Microsoft Store cannot have a program started at login. "
                    "Install Python from python.org."
                )
            )
        _set(_RUN, self._line)


def command_line(command: list[str]) -> str:
    """Return the command with its paths in quotes, which no Windows path contains, and its options as they are."""
    return " ".join(word if word.startswith("-") else f'"{word}"' for word in command)


def words(line: str) -> list[str]:
    return [quoted or plain for quoted, plain in re.findall(r'"([^"]*)"|(\S+)', line)]


def _is_off(approval: object) -> bool:
    return isinstance(approval, bytes) and bool(approval) and bool(approval[0] & 1)


def _is_from_the_store() -> bool:
    """Return True if Python is from the Microsoft Store: Windows does not read the registry that such a Python
    writes."""
    if sys.platform == "win32":
        import ctypes

        length = ctypes.c_uint32(0)
        return bool(ctypes.windll.kernel32.GetCurrentPackageFullName(ctypes.byref(length), None) != _NO_PACKAGE)
    return False


def _read(below: str) -> object:
    """Return the value for this program, or None."""
    winreg = _winreg()
    try:
        with winreg.OpenKey(winreg.HKEY_CURRENT_USER, CURRENT_VERSION + below) as key:
            value, _kind = winreg.QueryValueEx(key, NAME)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _failed(error) from None
    return value


def _set(below: str, line: str) -> None:
    winreg = _winreg()
    try:
        with winreg.CreateKeyEx(winreg.HKEY_CURRENT_USER, CURRENT_VERSION + below, 0, winreg.KEY_SET_VALUE) as key:
            winreg.SetValueEx(key, NAME, 0, winreg.REG_SZ, line)
    except OSError as error:
        raise _failed(error) from None


def _remove(below: str) -> None:
    winreg = _winreg()
    try:
        with winreg.OpenKey(winreg.HKEY_CURRENT_USER, CURRENT_VERSION + below, 0, winreg.KEY_SET_VALUE) as key:
            winreg.DeleteValue(key, NAME)
    except FileNotFoundError:
        return
    except OSError as error:
        raise _failed(error) from None


def _winreg() -> Any:
    """Import the module, which type checkers know on Windows alone and tests replace elsewhere."""
    import winreg

    return winreg


def _failed(error: OSError) -> AutostartFailed:
    return AutostartFailed(
        msg(
            "Windows does not let the entry for starting at login be changed ({reason}). "
            "An administrator may have forbidden it."
        ),
        reason=reason_of(error),
    )
