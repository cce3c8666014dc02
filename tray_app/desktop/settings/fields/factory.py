"""The field that belongs to a setting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import (
    QWidget,
)

from tray_app.desktop.settings.fields.base import Field
from tray_app.desktop.settings.fields.choice import ChoiceField
from tray_app.desktop.settings.fields.hours import HoursField
from tray_app.desktop.settings.fields.line import LineField
from tray_app.desktop.settings.fields.path import PathField
from tray_app.desktop.settings.fields.policy import PolicyField
from tray_app.desktop.settings.fields.span import SpanField
from tray_app.desktop.settings.fields.spans import SpansField
from tray_app.desktop.settings.fields.switch import SwitchField
from tray_app.settings.kinds import Choice, File, Folder, Hours, Policy, RedisAddress, Span, Spans, Switch

if TYPE_CHECKING:
    from tray_app.settings.table import Setting


def field_for(setting: Setting, parent: QWidget) -> Field:
    """Return a field for the kind of the setting."""
    kind = setting.kind
    if isinstance(kind, Choice):
        return ChoiceField(setting, kind, parent)
    if isinstance(kind, (File, Folder)):
        return PathField(setting, parent, folder=isinstance(kind, Folder))
    plain: dict[type, type[Field]] = {
        Switch: SwitchField,
        Policy: PolicyField,
        Span: SpanField,
        Spans: SpansField,
        Hours: HoursField,
    }
    if type(kind) in plain:
        return plain[type(kind)](setting, parent)
    return LineField(setting, parent, example="rediss://host:6379/0" if isinstance(kind, RedisAddress) else "")
