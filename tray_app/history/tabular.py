"""The history as rows for other programs: fields for JSON, and CSV for a spreadsheet."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from tray_app.core.token import KST
from tray_app.history.events import Event, Gap
from tray_app.history.words import entry_text, kind_text, reason_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tray_app.history.events import Entry

COLUMNS = (
    "time",
    "profile",
    "event",
    "what",
    "token",
    "created",
    "expires",
    "program",
    "times",
    "until",
    "code",
    "reason",
)
_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def as_fields(entry: Entry, profile: str) -> dict[str, object]:
    """Times in ISO 8601 with the Korean zone. `what` and `reason` are in the current language."""
    return {
        **dict.fromkeys(COLUMNS),
        "time": _iso(entry.at),
        "profile": profile,
        **(_fields_of_gap(entry) if isinstance(entry, Gap) else _fields_of_event(entry)),
    }


def _fields_of_gap(gap: Gap) -> dict[str, object]:
    return {"event": "gap", "what": entry_text(gap), "times": 1, "until": _iso(gap.end)}


def _fields_of_event(event: Event) -> dict[str, object]:
    return {
        "event": str(event.kind),
        "what": kind_text(event.kind),
        "token": event.token or None,
        "created": _iso(event.created),
        "expires": _iso(event.expires),
        "program": event.by,
        "times": event.times,
        "until": _iso(event.until),
        "code": event.code or None,
        "reason": reason_text(event) or None,
    }


def as_csv(entries: Iterable[Entry], profile: str) -> str:
    """A header and a line for each entry, with the line ends that CSV has."""
    import csv
    import io

    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for entry in entries:
        fields = as_fields(entry, profile)
        writer.writerow([_cell(fields[name]) for name in COLUMNS])
    return text.getvalue()


def _cell(value: object) -> str:
    """A text that a spreadsheet would take for a formula is told to be text."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_STARTS_A_FORMULA) else text


def _iso(instant: float | None) -> str | None:
    return None if instant is None else datetime.fromtimestamp(instant, KST).isoformat(timespec="seconds")
