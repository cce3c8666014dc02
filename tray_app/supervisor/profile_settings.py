"""The profiles to watch, and the settings that apply to each while `settings.toml` changes."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tray_app.core.errors import KiwoomTokenError
from tray_app.service.migration import carry_over
from tray_app.settings.document import cache_document
from tray_app.settings.load import load_settings, named_profiles
from tray_app.settings.places import settings_file
from tray_app.settings.save import settle_data_dir

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tray_app.settings.load import Settings


@dataclass(frozen=True, slots=True)
class FoundSettings:
    """The result of reading the settings: those of each profile to watch, and what in them cannot be used.

    `gone` are the profiles that are not to be watched any more.
    """

    settings: tuple[Settings, ...]
    problems: tuple[KiwoomTokenError, ...]
    gone: tuple[str, ...]


class ProfileSettings:
    """Read the settings of the profile `first`, and of those with a section of their own unless `only_first`.

    Only in a file that can be used as a whole does a missing section remove a profile, or a missing setting move a
    token. With `settles_data_dir`, such a file gets a data folder for every tool if it names none.
    """

    def __init__(
        self,
        first: str,
        environ: Mapping[str, str] = os.environ,
        *,
        only_first: bool = False,
        settles_data_dir: bool = True,
    ) -> None:
        self.environ = environ
        self.first = first
        self.file = settings_file(environ)
        self._only_first = only_first
        self._settles_data_dir = settles_data_dir
        self._added: list[str] = []

    def add(self, profile: str) -> None:
        """Watch a profile that has no section of its own as well."""
        self._added.append(profile)

    def load(self, profile: str) -> Settings:
        """Return the settings of one profile. May wait for the disk; raises `KiwoomTokenError`."""
        settings = load_settings(profile, self.environ)
        if "mode" not in settings.unknown:
            _ = settings.mode  # looked up here, because that may read a file
        return settings

    def read(self, present: Mapping[str, Settings]) -> FoundSettings:
        """Return the settings of every profile to watch; `present` are those that apply now. May wait for the disk."""
        names = [self.first] if self._only_first else [self.first, *named_profiles(self.environ)]
        found, problems = [], list[KiwoomTokenError]()
        for name in dict.fromkeys(names + self._added):
            try:
                settings = self.load(name)
            except KiwoomTokenError as error:
                problems.append(error)
                continue
            found.append(settings)
            problems += [one for one in settings.problems if str(one) not in map(str, problems)]
        is_whole = not problems and _is_written(self.file)
        for position, settings in enumerate(found):
            try:
                found[position] = self._complete(settings, present.get(settings.profile), is_whole=is_whole)
            except KiwoomTokenError as error:
                problems.append(error)
        if is_whole:
            cache_document(self.file)
        gone = set(present) - {one.profile for one in found} if is_whole else set()
        return FoundSettings(tuple(found), tuple(problems), tuple(gone))

    def _complete(self, settings: Settings, present: Settings | None, *, is_whole: bool) -> Settings:
        """Let a damaged or missing file change neither the account nor the place of a token."""
        if not is_whole and present is not None:
            return carry_over(present, settings)
        if is_whole and self._settles_data_dir:
            return settle_data_dir(settings, self.environ)
        return settings


def _is_written(path: str) -> bool:
    try:
        return os.path.getsize(path) > 0
    except OSError:
        return False
