"""The notes below the fields."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tray_app.core.errors import KiwoomTokenError, say
from tray_app.core.language import tr
from tray_app.core.profile import DEFAULT
from tray_app.service.settings_changes import OLD_ACCOUNT_MEANS, OLD_PLACE_MEANS

if TYPE_CHECKING:
    from tray_app.desktop.settings.view import FieldView, SettingsView
    from tray_app.settings.table import Setting


def breakable(text: str) -> str:
    """Let long paths wrap instead of widening the window."""
    return re.sub(r"([/\\])", "\\1\u200b", text)


def starts_at_login(view: SettingsView) -> bool:
    """Return True if the operating system starts this program at login, whatever the settings file says."""
    status = view.autostart
    return status is not None and not isinstance(status, KiwoomTokenError) and status.is_on


def note_text(setting: Setting, field: FieldView, view: SettingsView) -> str:
    if field.variable:
        return tr("Set by the environment variable {variable}.", variable=field.variable)
    notes = [_help_text(setting.name)]
    if view.is_reserved(field):
        notes.append(tr("Not available while practising."))
    elif setting.name == "autostart":
        notes.append(_autostart_text(view))
    elif view.profile != DEFAULT and not setting.per_profile:
        notes.append(tr("The same for all profiles."))
    elif field.is_inherited:
        notes.append(tr("Same value as for all profiles."))
    return " ".join(note for note in notes if note)


def _help_text(name: str) -> str:
    if name in {"store", "data_dir"}:
        moves = tr("A valid token is moved too.")
        return f"{moves} {tr(OLD_PLACE_MEANS)}"
    return {
        "mode": " ".join([tr("Each has its own app key and token."), tr(OLD_ACCOUNT_MEANS)]),
        "account": " ".join([tr("Leave empty to use kiwoomcli's only account."), tr(OLD_ACCOUNT_MEANS)]),
        "quiet_hours": tr("By this computer's clock. Urgent warnings are still shown."),
        "share_kwcli": tr("kiwoomcli then uses this token; in its last ten minutes it issues by itself."),
        "share_token_file": tr("In plain text, readable only by you."),
        "share_bot_file": tr("In plain text, readable only by you."),
        "redis_url": tr("An address with a password is not stored here: put it in KIWOOM_TRAY_REDIS_URL."),
        "panel": tr("Choose it so that the icon is clearly visible."),
    }.get(name, "")


def _autostart_text(view: SettingsView) -> str:
    status = view.autostart
    if isinstance(status, KiwoomTokenError):
        return say(status)
    if status is None:
        return ""
    if status.switched_off:
        return tr("Switched off in the system's own settings.")
    if status.configured and not status.as_it_should_be:
        return tr(
            "Another copy of this program starts at login: {command}. Switch this on to start this one instead.",
            command=status.starts,
        )
    return ""
