"""Linux: an entry in the user's autostart folder, by the Desktop Entry and Autostart specifications."""

from __future__ import annotations

import os
import re
import shlex

from tray_app.autostart import files
from tray_app.autostart.base import NAME, Status, is_gone
from tray_app.system.resources import resources_folder
from tray_app.system.user_folders import expand_user

_GROUP = "[Desktop Entry]"
_EXEC = re.compile(r"^Exec\s*=.*$", re.MULTILINE)
_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_UNESCAPED = {"s": " ", "n": "\n", "t": "\t", "r": "\r", "\\": "\\"}
_PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")
_OFF = {"Hidden": "true", "X-GNOME-Autostart-enabled": "false"}
"""How desktops switch an entry off without deleting it."""


class FreedesktopAutostart:
    def __init__(self, command: list[str]) -> None:
        # GLib 2.74 looks for the program itself under its name with `%` doubled
        self._command = ["env", *command] if "%" in command[0] else command
        folder = os.environ.get("XDG_CONFIG_HOME", "")
        if not os.path.isabs(folder):  # a relative one is ignored, as the specification says
            folder = expand_user("~/.config")
        self._path = os.path.join(folder, "autostart", f"{NAME}.desktop")

    def status(self) -> Status:
        text = self._read()
        if text is None:
            return Status(self._path)
        entry = keys_of(text)
        line = entry.get("Exec", "")
        return Status(
            configured=True,
            as_it_should_be=line == exec_line(self._command),
            enabled=not any(entry.get(key, "").lower() == off for key, off in _OFF.items()),
            place=self._path,
            starts=shlex.join(exec_words(line)),
            is_lost=not line or is_gone(exec_words(line)),
        )

    def enable(self) -> None:
        with open(os.path.join(resources_folder(), f"{NAME}.desktop"), encoding="utf-8") as file:
            self._write(file.read())

    def disable(self) -> None:
        files.remove(self._path)

    def repair(self) -> bool:
        """Change the command alone; whatever else the user or the desktop wrote into the entry stays."""
        if not self.status().is_lost:
            return False
        text = self._read() or ""
        if _EXEC.search(text):
            self._write(text)
        else:
            self.enable()
        return True

    def _read(self) -> str | None:
        content = files.read(self._path)
        return None if content is None else content.decode("utf-8", "surrogateescape")

    def _write(self, text: str) -> None:
        line = "Exec=" + exec_line(self._command)
        text = _EXEC.sub(lambda _: line, text, count=1)
        files.replace(self._path, text.encode("utf-8", "surrogateescape"))


def keys_of(text: str) -> dict[str, str]:
    """Return the keys of the entry itself as written in the file, without those of its actions."""
    found: dict[str, str] = {}
    group = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            group = line
        elif group == _GROUP and "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found[key.rstrip()] = value.lstrip()
    return found


def exec_line(command: list[str]) -> str:
    """Return a command as the value of `Exec`: each word quoted, then the whole escaped."""
    value = " ".join(map(_quoted, command))
    return "".join(_ESCAPES.get(one, one) for one in value)


def exec_words(line: str) -> list[str]:
    """Return the words of a value of `Exec`; the reverse of `exec_line`."""
    value = re.sub(r"\\(.)", lambda found: _UNESCAPED.get(found[1], found[0]), line)
    pieces = re.findall(r'"((?:[^"\\]|\\.)*)"|(\S+)', value, re.DOTALL)
    return [(re.sub(r"\\(.)", r"\1", quoted) or plain).replace("%%", "%") for quoted, plain in pieces]


def _quoted(word: str) -> str:
    word = word.replace("%", "%%")
    return word if _PLAIN.fullmatch(word) else '"' + re.sub(r'(["`$\\])', r"\\\1", word) + '"'
