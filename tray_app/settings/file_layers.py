"""`settings.toml` as one profile reads it: what is set for all profiles, what in the profile's own section, and which
settings are not known because a line was not understood."""

from __future__ import annotations

import contextlib

from tray_app.core.errors import SettingsError
from tray_app.core.language import msg
from tray_app.core.profile import DEFAULT, is_profile
from tray_app.settings.meaning import (
    contradicts,
    is_address,
    is_nearly_default,
    meant_by,
    settings_named_in,
    settings_within,
)
from tray_app.settings.places import is_same_path
from tray_app.settings.table import TABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

    from tray_app.settings.document import Document, Unknown

BOT_FILE = "share_bot_file"

_NO_SECTION = msg("{path}, line {line}: the settings of a profile belong under a header such as [profiles.NAME].")
_NO_SETTING = msg("{path}, line {line}: there is no such setting. See them all: kiwoom-token config")
_ADDRESS = msg(
    "{path}, line {line}: Kiwoom's address is not a setting. Remove the line, and set KIWOOM_TRAY_BASE_URL instead."
)
_NEARLY = msg("{path}, line {line}: there is no such setting. Is it {nearest}?")
_NOT_PER_PROFILE = msg(
    "{path}, line {line}: {name} is the same for all profiles. Put it before the first section of the file."
)
_PASSWORD_IN_FILE = msg(
    "{path}, line {line}: a Redis address with a user or password belongs in KIWOOM_TRAY_REDIS_URL."
)
_BAD_VALUE = msg("{path}, line {line}: {name} cannot be used. It takes: {expected}")
_BOT_FILE_TAKEN = msg(
    "{path}, line {line}: share_bot_file is left out, because the profile {profile} has that file already."
)
_LOOKS_LIKE = msg(
    '{path}, line {line}: the header of this profile\'s section must be [profiles."{profile}"], letter by letter.'
)
_SWALLOWED = msg("{path}, line {line}: the quotes are closed only after further settings. Close them on the same line.")


class Layer:
    """What one part of the file sets: the typed `values`, and the guarded settings that are `unknown` with the
    reason."""

    __slots__ = ("_doubts", "unknown", "values")

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.unknown: dict[str, SettingsError] = {}
        self._doubts: list[tuple[str, SettingsError, object]] = []

    def forget(self, name: str, problem: SettingsError) -> None:
        """Make the setting unknown, because a line that was not understood names it."""
        if TABLE[name].is_guarded:
            self.values.pop(name, None)
            self.unknown.setdefault(name, problem)

    def doubt(self, names: Iterable[str], problem: SettingsError, value: object = None) -> None:
        """Remember that a line which was not understood may have meant each of these settings, and set it to `value`.
        Whether that makes one unknown says `settle`, once all lines were read."""
        self._doubts += [(name, problem, value) for name in names if TABLE[name].is_guarded]

    def settle(self, known: Mapping[str, object]) -> None:
        """Make each doubted setting unknown, unless it is set here or in `known`, and to nothing that contradicts the
        line which was not understood."""
        readable = {**known, **self.values}
        for name, problem, value in self._doubts:
            if name not in readable or contradicts(name, value, readable[name]):
                self.forget(name, problem)


class SettingsFile:
    """`settings.toml` for one profile: `shared` is what is outside of all sections, `own` what is in the profile's."""

    __slots__ = ("_document", "_folder", "_profile", "address", "own", "problems", "shared", "unreadable")

    def __init__(self, document: Document, profile: str, folder: str) -> None:
        """Read `document` for `profile`. A relative path in it is relative to `folder`."""
        self.shared = Layer()
        self.own = Layer()
        self.problems = document.problems
        self.unreadable = document.unreadable
        self.address: SettingsError | None = None
        self._document = document
        self._profile = profile
        self._folder = folder
        for name, value in document.fields.items():
            if name != "profiles":
                self._take((name,), value, self.shared)
        self._take_section()
        for one in document.unknown:
            self._forget(one)
        self.shared.settle({})
        self.own.settle(self.shared.values if profile == DEFAULT else {})

    @property
    def has_own(self) -> bool:
        """True if the profile has a section of its own with anything in it."""
        return bool(self.own.values or self.own.unknown)

    def _take_section(self) -> None:
        document, profile = self._document, self._profile
        profiles, sections = document.fields.get("profiles", {}), document.sections
        section = sections.get(profile, {})
        if not isinstance(profiles, dict) or not isinstance(section, dict):
            problem = document.problem(_NO_SECTION, ("profiles", profile) if sections else ("profiles",))
            self.problems.append(problem)
            self.own.doubt(TABLE, problem)
            return
        for name, value in section.items():
            self._take(("profiles", profile, name), value, self.own)
        about = (*document.sections_like(profile), *document.sections_for_all)
        for other in sections if profile == DEFAULT else dict.fromkeys(about):
            if other != profile:
                self._doubt_what_another_section_says(other, sections[other])
        if profile != DEFAULT and self.own.values.get(BOT_FILE):
            self._leave_out_bot_file_if_taken()

    def _doubt_what_another_section_says(self, other: str, fields: object) -> None:
        """Doubt what another section says: it may be this profile's, misspelled, or hold what only works outside of all
        sections."""
        named = [name for name in fields if name in TABLE] if isinstance(fields, dict) else list(TABLE)
        is_case_conflict = other.strip().casefold() == self._profile.casefold()
        if is_case_conflict or (self._profile == DEFAULT and is_nearly_default(other)):
            problem = self._document.problem(_LOOKS_LIKE, ("profiles", other), profile=self._profile)
            self.problems.append(problem)
            for name in named if is_case_conflict else ():
                self.own.forget(name, problem)
            self.own.doubt(named, problem)
            return
        if not isinstance(fields, dict):
            self._doubt_outside_of_a_section(other, fields)
            return
        if not is_profile(other):  # it counts for no profile, so it may be meant for any
            problem = self._document.problem(_NO_SECTION, ("profiles", other))
            self.problems.append(problem)
            self.own.doubt(named, problem)
        for name in named:
            if TABLE[name].required and not TABLE[name].per_profile and name not in self.shared.values:
                problem = self._document.problem(_NOT_PER_PROFILE, ("profiles", other, name), name=name)
                self.problems.append(problem)
                self.shared.doubt([name], problem)

    def _doubt_outside_of_a_section(self, name: str, value: object) -> None:
        """Doubt what a setting straight below `[profiles]` may have meant: the settings of all, or this profile's."""
        meant = meant_by(name, value)
        if meant:
            problem = self._document.problem(_NO_SECTION, ("profiles", name))
            self.problems.append(problem)
            self._doubt_everywhere(meant, problem)

    def _take(self, keys: tuple[str, ...], value: object, layer: Layer) -> None:
        name = keys[-1]
        setting = TABLE.get(name)
        if swallowed := [one for one in settings_named_in(value) if one != name]:
            problem = self._document.problem(_SWALLOWED, keys)
            self._doubt_everywhere(swallowed, problem)
            if setting is not None:
                layer.forget(name, problem)
        elif setting is None:
            problem = self._doubt_what_was_meant(keys, value, layer)
        elif len(keys) > 1 and not setting.per_profile:
            problem = self._document.problem(_NOT_PER_PROFILE, keys, name=name)
            layer.forget(name, problem)
        elif name == "redis_url" and "@" in str(value):
            problem = self._document.problem(_PASSWORD_IN_FILE, keys)
            layer.forget(name, problem)
        else:
            try:
                layer.values[name] = setting.kind.read_from_file(value, self._folder)
                return
            except ValueError as error:
                problem = self._document.problem(_BAD_VALUE, keys, name=name, expected=str(error))
            layer.forget(name, problem)
            self._doubt_everywhere(settings_within(value), problem)  # below a header such as [theme]
        self.problems.append(problem)

    def _doubt_what_was_meant(self, keys: tuple[str, ...], value: object, layer: Layer) -> SettingsError:
        """Doubt the settings that a wrong name may have meant: the one with a similar name, or any of a profile where a
        section is no profile's. Return the error."""
        inner = list(settings_within(value))
        if inner or isinstance(value, dict):
            problem = self._document.problem(_NO_SETTING, keys)
            self._doubt_everywhere(inner, problem)
            return problem
        meant = meant_by(keys[-1], value)
        if not meant:
            if is_address(keys[-1]):
                self.address = self._document.problem(_ADDRESS, keys)
                return self.address
            return self._document.problem(_NO_SETTING, keys)
        problem = self._document.problem(_NEARLY, keys, nearest=meant[0])
        layer.doubt(meant, problem, value)
        return problem

    def _forget(self, line: Unknown) -> None:
        """Make the setting of a line that is not TOML unknown; if the line's section is not known, in any section."""
        if line.section == ():
            layer = self.shared
        elif line.section is not None and len(line.section) > 1 and line.section[0] == "profiles":
            if line.section[1] != self._profile:
                return
            layer = self.own
        else:
            self._doubt_everywhere([line.key] if line.key else TABLE, line.problem)
            return
        if line.key:
            layer.forget(line.key, line.problem)
        else:
            layer.doubt(TABLE, line.problem)

    def _doubt_everywhere(self, names: Iterable[str], problem: SettingsError) -> None:
        """Doubt these settings outside of all sections and in the profile's own: the line may have meant either."""
        doubted = list(names)
        for layer in (self.shared, self.own):
            layer.doubt(doubted, problem)

    def _leave_out_bot_file_if_taken(self) -> None:
        """Drop the bot file if an earlier profile uses it: a bot must not get the token of another account."""
        for other, path in self._bot_files_before():
            if is_same_path(path, self.own.values[BOT_FILE]):
                keys = ("profiles", self._profile, BOT_FILE)
                self.problems.append(self._document.problem(_BOT_FILE_TAKEN, keys, profile=other))
                del self.own.values[BOT_FILE]
                return

    def _bot_files_before(self) -> Iterator[tuple[str, str]]:
        """Yield the profiles before this one that have a bot file, and the file; the default profile is the first."""
        sections = {name: one for name, one in self._document.sections.items() if isinstance(one, dict)}
        of_default = {**self._document.fields, **sections.pop(DEFAULT, {})}
        for name, fields in {DEFAULT: of_default, **sections}.items():
            if name == self._profile:
                return
            with contextlib.suppress(ValueError):
                path = TABLE[BOT_FILE].kind.read(fields.get(BOT_FILE, ""))
                if path:
                    yield name, path
