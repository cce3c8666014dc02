"""`config`: show and change the settings in `settings.toml`."""

from __future__ import annotations

import os
import sys

from tray_app.cli.problems import tell_problems
from tray_app.cli.table import in_columns
from tray_app.core.errors import DONE, AutostartFailed, InvalidInput
from tray_app.core.language import msg, tr, use
from tray_app.core.printable import printable
from tray_app.service.settings_changes import (
    DAILY_MEANS,
    OLD_ACCOUNT_MEANS,
    OLD_PLACE_MEANS,
    change_setting,
    reset_setting,
    setting_named,
)
from tray_app.settings.load import ENVIRONMENT, FILE, PROFILE, UNSET, load_settings
from tray_app.settings.places import settings_file
from tray_app.settings.save import unset_setting
from tray_app.settings.table import TABLE, read_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Any

    from tray_app.service.settings_changes import Changed
    from tray_app.settings.load import Settings
    from tray_app.settings.table import Setting


_MAX_VALUE_CHARACTERS = 4096


def config(options: Namespace) -> int:
    """Run `config list`, `get`, `set`, `unset` or `path`, and return its exit status."""
    if options.action == "path":
        print(settings_file(os.environ))
        return DONE
    settings = load_settings(options.profile).resolved()
    use(settings.language)
    if options.action in {"set", "unset"}:
        return _change(options, settings)
    if options.action == "get":
        setting = setting_named(options.name)
        if _is_unknown(settings, setting):
            raise settings.unknown[setting.name]
        tell_problems(settings.problems)
        print(_text(settings, setting))
        return DONE
    tell_problems(settings.problems)
    if options.json:
        import json

        print(json.dumps([_fields(settings, one) for one in TABLE.values()], indent=2))
    else:
        print("\n".join(in_columns([_row(settings, one) for one in TABLE.values()])))
    return DONE


def _change(options: Namespace, before: Settings) -> int:
    if options.action == "unset" and options.name not in TABLE and unset_setting(options.name, before.profile):
        print(tr("It is not a setting, but it was removed from the file."))
        return DONE
    setting = setting_named(options.name)
    if options.profile is not None and not setting.per_profile:
        raise InvalidInput(msg("{name} is the same for all profiles. Change it without --profile."), name=setting.name)
    if options.action == "set":
        value = read_value(setting, setting.kind.parse(" ".join(options.value)), setting.name)
        changed = change_setting(setting, value, before.profile)
    else:
        changed = reset_setting(setting, before.profile)
    use(changed.settings.language)
    if changed.was_set:
        print(f"{setting.name} = {_text(changed.settings, setting)}")
    else:
        print(tr("{name} was already unset.", name=setting.name))
    _tell_consequences(setting, changed)
    return DONE


def _tell_consequences(setting: Setting, changed: Changed) -> None:
    settings, migrated = changed.settings, changed.migrated
    if setting.name == "policy" and settings.policy.startswith("daily"):
        print(tr(DAILY_MEANS, time=settings.policy.split()[-1]))
    for sentence in migrated.sentences():
        print(sentence)
    if migrated.elsewhere:
        print(tr(OLD_PLACE_MEANS))
    if changed.switches_account:
        print(tr(OLD_ACCOUNT_MEANS))
    tell_problems(settings.problems)
    if settings.source_of(setting.name) == ENVIRONMENT:
        print(tr("{variable} is set and takes precedence.", variable=setting.environment), file=sys.stderr)
    tell_problems(migrated.failures)


def _row(settings: Settings, setting: Setting) -> tuple[str, str, str, str]:
    return (setting.name, _text(settings, setting) or "-", _source(settings, setting), tr(setting.meaning))


def _text(settings: Settings, setting: Setting) -> str:
    if _is_unknown(settings, setting):
        return "?"
    return printable(setting.kind.text(_value(settings, setting)), _MAX_VALUE_CHARACTERS)


def _is_unknown(settings: Settings, setting: Setting) -> bool:
    """Return True if the setting has no value, because its line in the file was not understood."""
    return setting.required and setting.name in settings.unknown


def _value(settings: Settings, setting: Setting) -> Any:
    """Return the value in effect. For start at login that is the operating system's, whatever the file says."""
    if setting.name != "autostart":
        return getattr(settings, setting.name)
    from tray_app import autostart

    try:
        status = autostart.for_this_system().status()
    except AutostartFailed:
        return settings.autostart
    return status.is_on


def _source_name(settings: Settings, setting: Setting) -> str:
    if setting.name in settings.unknown:
        return FILE
    return "system" if setting.name == "autostart" else settings.source_of(setting.name)


def _source(settings: Settings, setting: Setting) -> str:
    source = _source_name(settings, setting)
    if source == ENVIRONMENT:
        return setting.environment
    if source == PROFILE:
        return tr("profile {name}", name=settings.profile)
    names = {UNSET: tr("default"), FILE: "settings.toml", "system": tr("this system")}
    return names.get(source, source)


def _fields(settings: Settings, setting: Setting) -> dict[str, object]:
    return {
        "name": setting.name,
        "value": None if _is_unknown(settings, setting) else _as_json(setting, _value(settings, setting)),
        "source": _source_name(settings, setting),
        "default": setting.kind.write(setting.default),
        "per_profile": setting.per_profile,
        "environment": setting.environment or None,
        "meaning": tr(setting.meaning),
    }


def _as_json(setting: Setting, value: Any) -> object:
    return setting.kind.text(value) if setting.name == "redis_url" else setting.kind.write(value)
