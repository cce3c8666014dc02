"""The history as rows for other programs: fields for JSON, and CSV for a spreadsheet."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from tray_app.core.token import KST
from tray_app.history.timeline import Gap
from tray_app.history.words import entry_text, kind_text, reason_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tray_app.history.events import Event
    from tray_app.history.timeline import Entry

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
_TIMES = ("time", "created", "expires", "until")
_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def as_fields(entry: Entry, profile: str) -> dict[str, object]:
    """Return the fields for JSON: times in ISO 8601 in Korea's zone, `what` and `reason` in the current language."""
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


def as_csv(entries: Iterable[Entry], profile: str, *, with_tokens: bool = True) -> str:
    """Return a header and a line for each entry, with the line ends of CSV.

    Times are Korean ones as `YYYY-MM-DD HH:MM:SS`, which a spreadsheet takes as times; the header names the zone.
    """
    import csv
    import io

    columns = [one for one in COLUMNS if with_tokens or one != "token"]
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([f"{one} (KST)" if one in _TIMES else one for one in columns])
    for entry in entries:
        fields = as_fields(entry, profile)
        writer.writerow([_cell(one, fields[one]) for one in columns])
    return text.getvalue()


def _cell(column: str, value: object) -> str:
    """Return the text of a cell, marked as text where a spreadsheet would take it for a formula."""
    text = "" if value is None else str(value)
    if column in _TIMES:
        return text[: len("YYYY-MM-DDTHH:MM:SS")].replace("T", " ")
    return f"'{text}" if text.startswith(_STARTS_A_FORMULA) else text


def _iso(instant: float | None) -> str | None:
    return None if instant is None else datetime.fromtimestamp(instant, KST).isoformat(timespec="seconds")
