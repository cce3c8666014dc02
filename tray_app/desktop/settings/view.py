"""The immutable values that the settings window renders. No Qt here."""

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


NOT_IN_SANDBOX = frozenset({"autostart", "share_kwcli"})
"""What reaches beyond the settings file, to what is the user's own: practising leaves it alone."""


@dataclass(frozen=True, slots=True)
class FieldView:
    """One setting with its typed `value`.

    `variable` is the environment variable that sets it, if one does. `is_set` means that a value of its own can be
    removed, `is_inherited` that the value comes from the other accounts.
    """

    name: str
    value: Any
    variable: str = ""
    is_set: bool = False
    is_inherited: bool = False


@dataclass(frozen=True, slots=True)
class SettingsView:
    """The settings of `profile`, one of `profiles`; `problems` are the parts of the file that cannot be used.

    `is_gone` means that neither the file nor `kiwoomcli` has the profile, so there is nothing of its own to change.
    `autostart` is the answer of the operating system, the error instead of an answer, or None in the sandbox, where the
    fields `NOT_IN_SANDBOX` cannot be changed.
    """

    profile: str
    profiles: tuple[str, ...]
    fields: tuple[FieldView, ...]
    problems: tuple[KiwoomTokenError, ...] = ()
    autostart: Status | KiwoomTokenError | None = None
    is_sandbox: bool = False
    is_gone: bool = False

    def can_change(self, field: FieldView) -> bool:
        """Return True if the user may change the field's value."""
        if self.is_reserved(field) or (self.is_gone and TABLE[field.name].per_profile):
            return False
        return not field.variable or field.name == "autostart"

    def is_reserved(self, field: FieldView) -> bool:
        """Return True if practising leaves the field alone."""
        return self.is_sandbox and field.name in NOT_IN_SANDBOX


def settings_view(
    settings: Settings,
    profiles: Sequence[str],
    autostart: Status | KiwoomTokenError | None = None,
    *,
    is_sandbox: bool = False,
    gone: KiwoomTokenError | None = None,
) -> SettingsView:
    """Return what the window shows; `gone` is the error of a profile that is not there any more.

    May read the disk, because the mode can depend on the accounts of `kiwoomcli`.
    """
    fields = tuple(_field(settings, name) for name in TABLE)
    shown = tuple(dict.fromkeys([DEFAULT, *profiles, settings.profile]))
    problems = settings.problems if gone is None else (*settings.problems, gone)
    return SettingsView(settings.profile, shown, fields, problems, autostart, is_sandbox, gone is not None)


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
