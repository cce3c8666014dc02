"""`settings.toml` as it was written: what could be read of it, and on which line what could not."""

from __future__ import annotations

import contextlib
import errno
import os

from tray_app.core.errors import SettingsError
from tray_app.core.language import msg
from tray_app.system.private_files import open_regular, reason_of
from tray_app.system.sharing_violation import retry_sharing_violation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_MAX_BYTES = 100_000
"""Fifty times what anybody sets; what is longer was put there by mistake."""

_MOST_LINES_LEFT_OUT = 50
_MOST_LINES_OF_A_STATEMENT = 50


class Document:
    """`fields` is what TOML made of the file; `problems` is what it could not read, line by line."""

    __slots__ = ("_line_numbers", "_lines", "_path", "fields", "problems")

    def __init__(self, path: str) -> None:
        self.fields: dict[str, Any] = {}
        self.problems: list[SettingsError] = []
        self._path = path
        self._lines: list[str] = []
        self._line_numbers: dict[tuple[str, ...], int] | None = None

    def read(self, text: str) -> None:
        """Takes `text` without the lines that are no TOML; a section whose head is broken is left out whole."""
        import tomllib

        self._lines = lines = text.replace("\r\n", "\n").split("\n")
        for _ in range(_MOST_LINES_LEFT_OUT):
            try:
                self.fields = tomllib.loads("\n".join(lines))
                return
            except (ValueError, RecursionError) as error:
                at = _line_at_fault(error, lines)
                if at is None:
                    self.problems = [
                        SettingsError(msg("{path} is not TOML: {reason}"), path=self._path, reason=_reason(error))
                    ]
                    return
                self.problems.append(
                    SettingsError(
                        msg("{path}, line {line}: {key} is not TOML and was left out ({reason})."),
                        path=self._path,
                        line=at + 1,
                        key=_key_of(lines[at]),
                        reason=_reason(error),
                    )
                )
                lines = _without(lines, at)

    def problem(self, message: str, keys: tuple[str, ...], **values: Any) -> SettingsError:
        """What is wrong with the value that these keys lead to; `message` names `{path}` and `{line}`."""
        return SettingsError(message, path=self._path, line=self._line_of(keys), **values)

    def _line_of(self, keys: tuple[str, ...]) -> int:
        if self._line_numbers is None:
            self._line_numbers = _line_numbers(self._lines)
        if keys in self._line_numbers:
            return self._line_numbers[keys]
        return next((number for number, line in enumerate(self._lines, 1) if keys[-1] in line), 1)


def read_text(path: str) -> str:
    """The whole file. Raises `OSError`, also for what is no file or far too large, and `UnicodeDecodeError`."""
    with retry_sharing_violation(lambda: open(path, "rb", opener=open_regular)) as file:
        content = file.read(_MAX_BYTES + 1)
    if len(content) > _MAX_BYTES:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
    return content.decode("utf-8-sig")


def read_document(path: str) -> Document:
    """What stands in the file, which may be missing. Raises nothing: what is wrong is listed in `problems`."""
    document = Document(path)
    try:
        document.read(read_text(path))
    except FileNotFoundError:
        pass
    except OSError as error:
        problem = SettingsError(msg("{path} cannot be read ({reason})."), path=path, reason=reason_of(error))
        document.problems.append(problem)
    except UnicodeDecodeError as error:
        document.problems.append(SettingsError(msg("{path} is not TOML: {reason}"), path=path, reason=_reason(error)))
    return document


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "UTF-8"
    return str(error).partition(" (at ")[0] if isinstance(error, ValueError) else type(error).__name__


def _line_at_fault(error: Exception, lines: list[str]) -> int | None:
    """The line on which the first statement begins that is no TOML by itself, else the one that the error names."""
    at = 0
    while at < len(lines):
        length = _statement_length(lines, at)
        if not length:
            return at
        at += length
    import re

    named = re.search(r"\(at line (\d+),", str(error))
    return int(named[1]) - 1 if named else None


def _statement_length(lines: list[str], at: int) -> int:
    """How many lines the statement takes that begins on that one; 0 when it is none."""
    import tomllib

    for length in range(1, min(len(lines) - at, _MOST_LINES_OF_A_STATEMENT) + 1):
        with contextlib.suppress(ValueError, RecursionError):
            tomllib.loads("\n".join(lines[at : at + length]))
            return length
    return 0


def _without(lines: list[str], at: int) -> list[str]:
    end = at + 1
    if lines[at].lstrip().startswith("["):
        while end < len(lines) and not lines[end].lstrip().startswith("["):
            end += 1
    return [*lines[:at], *([""] * (end - at)), *lines[end:]]


def _key_of(line: str) -> str:
    """What stands before the sign of equality, which is no secret; the value is not repeated."""
    return line.partition("=")[0].strip()[:60]


def _line_numbers(lines: list[str]) -> dict[tuple[str, ...], int]:
    """On which line each value stands, by the names that lead to it."""
    numbers: dict[tuple[str, ...], int] = {}
    section: tuple[str, ...] = ()
    for number, line in enumerate(lines, 1):
        if line.lstrip().startswith("["):
            section = _path_in(line)
        elif "=" in line:
            numbers.setdefault(section + _path_in(line.partition("=")[0] + "= 0"), number)
    return numbers


def _path_in(line: str) -> tuple[str, ...]:
    """The names that a line of TOML leads to: a section's head, or a key."""
    import tomllib

    try:
        fields: Any = tomllib.loads(line)
    except ValueError:
        return ()
    path = []
    while isinstance(fields, dict) and fields:
        name = next(iter(fields))
        path.append(name)
        fields = fields[name]
    return tuple(path)
