"""`settings.toml` as written: what could be read, and which lines could not.

No message about the file repeats a value, or a name that is no setting's: either may be a password or an app key that
was pasted into the wrong place. The parser's own messages repeat such names, so they are not passed on.
"""

from __future__ import annotations

import contextlib
import errno
import os

from tray_app.core.decoding import decode_text
from tray_app.core.errors import SettingsError
from tray_app.core.language import msg
from tray_app.core.profile import is_profile, normalized
from tray_app.settings.table import TABLE
from tray_app.settings.toml_cache import cache_toml, load_toml
from tray_app.system.private_files import open_regular, reason_of, why_unreachable
from tray_app.system.sharing_violation import retry_sharing_violation

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from typing import Any

_MAX_BYTES = 100_000
"""Fifty times what anybody sets; a longer file was put there by mistake."""

_MOST_LINES_LEFT_OUT = 50
_MOST_LINES_OF_A_STATEMENT = 50

_UNREADABLE = msg("{path} cannot be read ({reason}). Correct or remove it, then try again.")
_FORBIDDEN = msg(
    "{path} cannot be read by this user ({reason}). Correct its owner and permissions, or name another folder in "
    "KIWOOM_TRAY_CONFIG_DIR."
)
_NOT_TOML = msg("{path}, line {line} is not TOML. Correct or remove it.")
_NOT_TOML_OF_KEY = msg("{path}, line {line}: the value of {key} is not TOML. Correct or remove it.")
_NO_EQUALS = msg("{path}, line {line}: there is no = in it. A setting is written as: name = value")
_NO_EQUALS_AFTER = msg("{path}, line {line}: there is no = after {key}.")
_NO_VALUE = msg("{path}, line {line}: {key} has no value.")
_NO_QUOTES = msg('{path}, line {line}: the value of {key} needs straight quotes, as in: {key} = "value"')
_OPEN_STRING = msg("{path}, line {line}: the quotes around the value of {key} are not closed.")
_OPEN_LIST = msg("{path}, line {line}: the bracket in the value of {key} is not closed.")
_BACKSLASH = msg("{path}, line {line}: put the value of {key} in single quotes, because of its backslashes.")
_TWICE = msg("{path}, line {line}: {key} is set twice. Remove one.")
_SIGN = r"[\"'“”‘’`\s\u200b\ufeff]*(?:\+?[=＝]|->|[:：](?!//|[0-9]))"
"""What may stand between the name of a setting and its value; a port or an address after a name is none."""

_HEAD_NO_QUOTES = msg('{path}, line {line}: Quote names with other letters or blanks, such as [profiles."스윙"]')
_HEAD_OPEN = msg("{path}, line {line}: the bracket is not closed.")
_HEAD_TWICE = msg("{path}, line {line}: the section is there twice. Put both together.")


class Unknown:
    """A setting whose line was not understood, so its value is unknown.

    `section` is `()` outside of all sections, `("profiles", NAME)` in one, or None if it is not known. `key` is the
    name of the setting, or empty if it is not known: then it may be any.
    """

    __slots__ = ("key", "problem", "section")

    def __init__(self, section: tuple[str, ...] | None, key: str, problem: SettingsError) -> None:
        self.section = section
        self.key = key
        self.problem = problem


class Document:
    """`fields` is what TOML read from the file, `sections` the fields of each profile's section by the profile's one
    spelling, `unknown` what it could not read, line by line.

    `unreadable` is the error when the file cannot be read as a whole; then there are no fields.
    """

    __slots__ = (
        "_alike",
        "_line_numbers",
        "_lines",
        "fields",
        "path",
        "sections",
        "sections_for_all",
        "text",
        "unknown",
        "unreadable",
    )

    def __init__(self, path: str) -> None:
        self.text = ""
        self.fields: dict[str, Any] = {}
        self.sections: dict[str, Any] = {}
        self.sections_for_all: list[str] = []
        """The names of those that may be meant for any profile: no section, one whose name can be no profile's, or one
        with what counts only outside of all sections."""
        self.unknown: list[Unknown] = []
        self.unreadable: SettingsError | None = None
        self.path = path
        self._lines: list[str] = []
        self._line_numbers: dict[tuple[str, ...], int] | None = None
        self._alike: dict[str, list[str]] = {}

    @property
    def problems(self) -> list[SettingsError]:
        """The errors about what could not be read."""
        if self.unreadable is not None:
            return [self.unreadable.again()]
        return [one.again() for one in dict.fromkeys(one.problem for one in self.unknown)]

    def read(self, text: str) -> None:
        """Read `text` without the lines that are not TOML. A section whose head is broken is left out as a whole."""
        self.text = text
        self._lines = lines = lines_of(text)
        self._note_hidden(lines)
        if self.unreadable is not None:
            return
        for _ in range(_MOST_LINES_LEFT_OUT):
            try:
                self.fields = load_toml("\n".join(lines))
                self._take_sections()
                self._find_sections_that_look_alike(lines)
                return
            except (ValueError, RecursionError) as error:
                fault = _statement_at_fault(error, lines)
            if fault is None:
                break
            left_out = _left_out(lines, *fault)
            self._note_unknown(left_out, lines)
            lines = [*lines[: left_out.start], *([""] * len(left_out)), *lines[left_out.stop :]]
        first = self.unknown[0].problem.values["line"] if self.unknown else 1
        message = msg("{path}, line {line} and others are not TOML. Correct the file, or move it away to start again.")
        self.unreadable = SettingsError(message, path=self.path, line=first)

    def sections_like(self, profile: str) -> list[str]:
        """Return the names of the sections that differ from that of the profile in letter case and blanks at most."""
        return self._alike.get(_folded(profile), [])

    def problem(self, message: str, keys: tuple[str, ...], **values: Any) -> SettingsError:
        """Return the error about the value at these keys; `message` has places for `{path}` and `{line}`."""
        return SettingsError(message, path=self.path, line=self._line_of(keys), **values)

    def _take_sections(self) -> None:
        profiles = self.fields.get("profiles")
        if isinstance(profiles, dict):
            self.sections = {normalized(name): one for name, one in profiles.items()}
        for name, fields in self.sections.items():
            self._alike.setdefault(_folded(name), []).append(name)
            if not isinstance(fields, dict) or any(_is_for_all(one) for one in fields) or not is_profile(name):
                self.sections_for_all.append(name)

    def _find_sections_that_look_alike(self, lines: list[str]) -> None:
        """Make the settings of two sections unknown whose names look alike: for TOML they are two, here they are one
        profile."""
        profiles = self.fields.get("profiles")
        if not isinstance(profiles, dict) or len(self.sections) == len(profiles):
            return
        seen: set[str] = set()
        for spelled in profiles:
            name = normalized(spelled)
            if name in seen:
                problem = SettingsError(_HEAD_TWICE, path=self.path, line=self._line_that_names(spelled, lines))
                self.unknown += [Unknown(("profiles", name), key, problem) for key in TABLE]
            seen.add(name)

    def _line_that_names(self, spelled: str, lines: list[str]) -> int:
        """Return the line with a profile's name in this spelling, which TOML has in quotes, before any value."""
        quoted = {f'"{spelled}"', f"'{spelled}'"}
        for number, line in enumerate(lines, 1):
            before_value = line if line.lstrip().startswith("[") else line.partition("=")[0]
            if not line.lstrip().startswith("#") and any(one in before_value for one in quoted):
                return number
        inside = (number for number, line in enumerate(lines, 1) if spelled in line)
        return next(inside, self._line_of(("profiles", normalized(spelled))))  # the latter where it is in escapes

    def _note_unknown(self, left_out: range, lines: list[str]) -> None:
        """Record which settings the left-out lines may have set: those of a section with its head, or of one
        statement."""
        line = lines[left_out.start].strip()
        values: dict[str, Any] = {"path": self.path, "line": left_out.start + 1}
        is_toml_alone = _statement_length(lines, left_out.start) > 0
        if line.startswith("["):
            message = _HEAD_TWICE if is_toml_alone else _wrong_head(line)
            problem = SettingsError(message, **values)
            section = _section_of_head(line)
            named = {key_of(one.strip())[1] for one in lines[left_out.start + 1 : left_out.stop]}
            self.unknown += [Unknown(section, key, problem) for key in ("", *sorted(named - {""}))]
            return
        section, key = key_of(line)
        if section is None:
            section = _section_around(lines, left_out.start)
        if not is_toml_alone and _lacks_quotes(line, section):
            message = _HEAD_NO_QUOTES
        elif key:
            values["key"] = key
            message = _TWICE if is_toml_alone else _wrong_value(line, key)
        else:
            message = _NOT_TOML if "=" in line else _NO_EQUALS
        problem = SettingsError(message, **values)
        if not key and (line.endswith("]") or "profiles" in line):  # it may have begun another section
            section = None
        self.unknown.append(Unknown(section, key, problem))
        if not is_toml_alone:
            if key:
                problem = SettingsError(_NOT_TOML, path=self.path, line=left_out.start + 1)
            more = "\n".join([_after_key(line), *lines[left_out.start + 1 : left_out.stop]])
            self.unknown += [Unknown(None, one, problem) for one in sorted(_settings_in(more))]

    def _note_hidden(self, lines: list[str]) -> None:
        """Make each setting unknown that follows a character which ends a line for some editors but not for TOML, even
        in a comment. If a section begins there, refuse the whole file."""
        for number, line in enumerate(lines, 1):
            parts = line.splitlines()[1:]
            if not parts:
                continue
            problem = SettingsError(_NOT_TOML, path=self.path, line=number)
            if any(part.lstrip().startswith("[") for part in parts):
                self.unreadable = problem
            hidden = {name for part in parts for name in _settings_in(part)}
            self.unknown += [Unknown(None, one, problem) for one in sorted(hidden)]

    def _line_of(self, keys: tuple[str, ...]) -> int:
        if self._line_numbers is None:
            self._line_numbers = _line_numbers(self._lines)
        if keys in self._line_numbers:
            return self._line_numbers[keys]
        return next((number for number, line in enumerate(self._lines, 1) if keys[-1] in line), 1)


def read_text(path: str) -> str:
    """Return the whole file. Raises `OSError`, also for what is no file or far too large, and `UnicodeDecodeError`."""
    with retry_sharing_violation(lambda: open(path, "rb", opener=open_regular)) as file:
        content = file.read(_MAX_BYTES + 1)
    if len(content) > _MAX_BYTES:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
    return decode(content)


def decode(content: bytes) -> str:
    """Return the text, in UTF-8 unless its first bytes say UTF-16, as some editors write it.

    Raises `UnicodeDecodeError`, also for text with zeros in it, which are another encoding's.
    """
    text = decode_text(content)
    if "\0" in text:
        at = content.index(b"\0")
        raise UnicodeDecodeError("utf-8", content, at, at + 1, "a zero")
    return text


def read_document(path: str) -> Document:
    """Read the file, which may be missing. Raises nothing: what is wrong is in `unknown` and `unreadable`.

    Of a text that is still the same, the document that was made of it last is returned: the settings of many profiles
    are read from it.
    """
    global _latest  # noqa: PLW0603 - one settings file for the process
    document, latest = Document(path), _latest
    try:
        text = read_text(path)
        if latest is not None and (latest.path, latest.text) == (path, text):
            return latest
        document.read(text)
        _latest = document
    except FileNotFoundError:
        reason = why_unreachable(path)
        document.unreadable = SettingsError(_UNREADABLE, path=path, reason=reason) if reason else misnamed(path)
    except OSError as error:
        message = _FORBIDDEN if isinstance(error, PermissionError) else _UNREADABLE
        document.unreadable = SettingsError(message, path=path, reason=reason_of(error))
    except UnicodeDecodeError as error:
        document.unreadable = SettingsError(
            msg("{path}, line {line}: the file is not in UTF-8. Save it as UTF-8 in your editor."),
            path=path,
            line=error.object.count(b"\n", 0, error.start) + 1,
        )
    return document


def cache_document(path: str) -> None:
    """Keep what the file says for programs that only read it, see `toml_cache`. Raises nothing."""
    with contextlib.suppress(OSError, UnicodeDecodeError):
        cache_toml("\n".join(lines_of(read_text(path))))


def lines_of(text: str) -> list[str]:
    """Return the lines as an editor shows them. To TOML, what follows a lone CR is the same line."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


_latest: Document | None = None


def misnamed(path: str) -> SettingsError | None:
    """Return the error where another file was most likely meant for the missing one: the same name in other letters, or
    with the `.txt` that Windows' Notepad adds and its file manager hides."""
    folder, name = os.path.split(path)
    with contextlib.suppress(OSError):
        for one in os.listdir(folder):
            if one.lower() in {name, f"{name}.txt"}:
                sentence = msg("{path} must have the name {name} to be read. Rename it.")
                return SettingsError(sentence, path=os.path.join(folder, one), name=name)
    return None


def _is_for_all(name: str) -> bool:
    return name in TABLE and TABLE[name].required and not TABLE[name].per_profile


def _folded(name: str) -> str:
    return name.strip().casefold()


def _wrong_head(line: str) -> str:
    """Return the message about the head of a section: that it is not TOML, unless the mistake is certain."""
    if _parses(line + "]"):
        return _HEAD_OPEN
    name = _name_in_head(line)
    return _HEAD_NO_QUOTES if name and _parses(f'[profiles."{name}"]') else _NOT_TOML


def _lacks_quotes(line: str, section: tuple[str, ...] | None) -> bool:
    """Return True for a line such as `profiles.스윙.mode = "demo"`, or `스윙 = {…}` in the section `[profiles]`, that
    would be TOML with quotes around the profile's name."""
    names, equals, value = line.partition("=")
    words = [one.strip() for one in names.split(".")]
    at = 0 if section == ("profiles",) else 1
    if not equals or len(words) <= at or (at and words[0] != "profiles") or not is_profile(words[at]):
        return False
    words[at] = f'"{words[at]}"'
    return _parses(f"{'.'.join(words)} = {value}")


def _wrong_value(line: str, key: str) -> str:
    """Return the message about the line of a setting: that its value is not TOML, unless the mistake is certain."""
    before, equals, after = line.partition("=")
    if not equals or before.rpartition(".")[2].strip(" \t\"'") != key:
        return _NO_EQUALS_AFTER
    value = after.strip()
    if not value or value.startswith("#"):
        return _NO_VALUE
    quote = next((one for one in ('"""', "'''", '"', "'") if value.startswith(one)), "")
    if quote and value.count(quote) == 1 and _parses(f"x = {value}{quote}"):
        return _OPEN_STRING
    if value.startswith("[") and _parses(f"x = {value}]"):
        return _OPEN_LIST
    if quote == '"' and "\\" in value and _parses("x = " + value.replace("\\", "\\\\")):
        return _BACKSLASH
    if not quote and value[0] not in "[{" and '"' not in value and _parses('x = "' + value.replace("\\", "/") + '"'):
        return _NO_QUOTES
    return _NOT_TOML_OF_KEY


def _parses(text: str) -> bool:
    import tomllib

    try:
        tomllib.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def key_of(line: str) -> tuple[tuple[str, ...] | None, str]:
    """Return the section, if the line names one itself, and the setting; empty where the line begins with none."""
    found = _match_key(line)
    if found is None:
        return None, ""
    return ("profiles", normalized(found[1].strip("\"'"))) if found[1] else None, found[3]


def _match_key(line: str) -> re.Match[str] | None:
    """Return the match of the setting that the line begins with, or None without one."""
    import re

    found = re.match(r"(?:profiles\s*\.\s*([^\s=.]+)\s*\.\s*)?([\"']?)([A-Za-z0-9_-]+)\2(?![\w.\"'-])", line)
    return found if found is not None and found[3] in TABLE else None


def _after_key(line: str) -> str:
    """Return the line without the setting that it begins with, which `key_of` returns."""
    found = _match_key(line)
    return line if found is None else line[found.end() :]


def _settings_in(text: str) -> set[str]:
    """Return the names of all settings that a text which is not TOML may set, outside of comments: those before a `=`,
    a `:` or another sign that may stand for them, or before a value that the setting takes."""
    import re

    def is_set(name: str) -> bool:
        values = "|".join(map(re.escape, getattr(TABLE[name].kind, "choices", ())))
        follows = rf"{_SIGN}|[\s\"'“”‘’`,;]+(?:{values})\b" if values else _SIGN
        return re.search(rf"(?:(?<![A-Za-z0-9_-])|(?<=\\[nrt])){name}(?:{follows})", text) is not None

    text = re.sub(r"#[^\n]*", "", re.sub(r"\"[^\"\n]*\"|'[^'\n]*'", lambda quoted: quoted[0].replace("#", ""), text))
    return {one for one in TABLE if is_set(one)}


def _section_around(lines: list[str], at: int) -> tuple[str, ...] | None:
    """Return the section that the line belongs to."""
    for line in reversed(lines[:at]):
        if line.lstrip().startswith("[") and _parses(line):
            return _path_in(line)
    return ()


def _section_of_head(line: str) -> tuple[str, ...] | None:
    path = _path_in(line) or _path_in(line + "]")
    if path:
        return path
    name = _name_in_head(line)
    return ("profiles", normalized(name)) if name else None


def _name_in_head(line: str) -> str:
    """Return the profile that a broken head means, or an empty text where that is not certain."""
    import re

    found = re.fullmatch(r"\[\s*profiles\s*\.\s*[\"']?([^\"'.\[\]]+?)[\"']?\s*\]?\s*(?:#.*)?", line)
    return found[1] if found and is_profile(found[1]) else ""


def _statement_at_fault(error: Exception, lines: list[str]) -> tuple[int, int] | None:
    """Return the first and last line, counted from 0, of the statement that is no TOML, else of the one that failed."""
    import re

    found = re.search(r"\(at line (\d+),", str(error))
    named = int(found[1]) if found else len(lines)  # else it is the last statement
    at = 0
    while at < len(lines):
        length = _statement_length(lines, at)
        if not length:
            return at, at
        if named <= at + length:
            return at, at + length - 1
        at += length
    return None


def _statement_length(lines: list[str], at: int) -> int:
    """Return how many lines the statement has that begins on that line; 0 when none does."""
    for length in range(1, min(len(lines) - at, _MOST_LINES_OF_A_STATEMENT) + 1):
        if _parses("\n".join(lines[at : at + length])):
            return length
    return 0


def _left_out(lines: list[str], first: int, last: int) -> range:
    """Return the lines of that statement, and if it is the head of a section, those of the section."""
    end = last + 1
    if lines[first].lstrip().startswith("["):
        while end < len(lines) and not lines[end].lstrip().startswith("["):
            end += 1
    return range(first, end)


def _line_numbers(lines: list[str]) -> dict[tuple[str, ...], int]:
    """Return the line number of each section and each value, by the names that lead to it."""
    numbers: dict[tuple[str, ...], int] = {}
    section: tuple[str, ...] = ()
    for number, line in enumerate(lines, 1):
        if line.lstrip().startswith("["):
            section = _path_in(line)
            numbers.setdefault(section, number)
        elif "=" in line:
            numbers.setdefault(section + _path_in(line.partition("=")[0] + "= 0"), number)
    return numbers


def _path_in(line: str) -> tuple[str, ...]:
    """Return the names that a line of TOML leads to: a section's head, or a key."""
    import tomllib

    try:
        fields: Any = tomllib.loads(line)
    except (ValueError, RecursionError):
        return ()
    path = []
    while isinstance(fields, dict) and fields:
        name = next(iter(fields))
        path.append(normalized(name))
        fields = fields[name]
    return tuple(path)
