"""What the settings window shows: one immutable picture of one profile's settings. No Qt here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tray_app.core.profile import DEFAULT
from tray_app.settings.load import ENVIRONMENT, FILE, PROFILE
from tray_app.settings.table import TABLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tray_app.autostart.base import Status
    from tray_app.core.errors import KiwoomTokenError
    from tray_app.settings.load import Settings


@dataclass(frozen=True, slots=True)
class FieldView:
    """One setting: its typed `value`, the `variable` of the environment that decides it if one does, whether a value
    of one's own `is_set` that can be taken out again, and whether it `is_inherited` from the other profiles."""

    name: str
    value: Any
    variable: str = ""
    is_set: bool = False
    is_inherited: bool = False


@dataclass(frozen=True, slots=True)
class SettingsView:
    """The settings of `profile`, one of `profiles`; `problems` are what of the file could not be used.

    `autostart` is what the operating system says about starting at login, the error with which it did not say, or
    None where it is not to be asked.
    """

    profile: str
    profiles: tuple[str, ...]
    fields: tuple[FieldView, ...]
    problems: tuple[KiwoomTokenError, ...] = ()
    autostart: Status | KiwoomTokenError | None = None


def settings_view(
    settings: Settings, profiles: Sequence[str], autostart: Status | KiwoomTokenError | None = None
) -> SettingsView:
    """May look at the disk, because the mode can depend on the accounts of `kiwoomcli`."""
    fields = tuple(_field(settings, name) for name in TABLE)
    shown = tuple(dict.fromkeys([DEFAULT, *profiles, settings.profile]))
    return SettingsView(settings.profile, shown, fields, settings.problems, autostart)


def _field(settings: Settings, name: str) -> FieldView:
    setting, source = TABLE[name], settings.source_of(name)
    own = PROFILE if setting.per_profile and settings.profile != DEFAULT else FILE
    return FieldView(
        name,
        setting.default if setting.required and name in settings.unknown else getattr(settings, name),
        variable=setting.environment if source == ENVIRONMENT else "",
        is_set=source == own,
        is_inherited=own == PROFILE and setting.inherited and source not in {PROFILE, ENVIRONMENT},
    )
