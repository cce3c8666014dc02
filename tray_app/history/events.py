"""What can happen to a profile's token, and one event as it is recorded. Instants are seconds of the epoch."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from tray_app.core.printable import printable
from tray_app.core.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tray_app.history.draft import EventDraft

_ID_DIGITS = 8
_MAX_NAME_CHARACTERS = 48
_MAX_SENTENCE_CHARACTERS = 500
_MAX_CODE_CHARACTERS = 16
_MAX_PROFILE_CHARACTERS = 64
_MAX_VALUES = 16
_MAX_NUMBER = 10**12
_LAST_INSTANT = 253_000_000_000.0
"""In the year 9987; later ones cannot be shown in every time zone."""


class EventKind(StrEnum):
    """What can happen; `words.py` has the sentence for each."""

    ISSUED = "issued"
    SAME = "same"
    """Kiwoom returned the stored token, with the same expiry."""
    ADOPTED = "adopted"
    """A token that another tool had issued was adopted."""
    STORED = "stored"
    """A program or a person set one."""
    SEEN = "seen"
    """A token was found that a program without a history, or one on another computer, had stored."""
    FAILED = "failed"
    CLEARED = "cleared"
    REVOKED = "revoked"
    DIED = "died"
    """Kiwoom refused the token before its expiry."""
    GONE = "gone"
    """The token was no longer there, and no program recorded why."""


BRINGS = frozenset({EventKind.ISSUED, EventKind.SAME, EventKind.ADOPTED, EventKind.STORED, EventKind.SEEN})
TAKES = frozenset({EventKind.CLEARED, EventKind.REVOKED, EventKind.DIED, EventKind.GONE})
FOUND_BY_LOOKING = frozenset({EventKind.SEEN, EventKind.GONE})


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to a token, which is named only by the first digits of its fingerprint.

    `message` says what went wrong: an English sentence whose `{name}` places are filled from `values`. `by` is the
    program. The same failure or answer again and again is one event that happened `times` times, from `at` to `until`.
    All texts are printable and bounded.
    """

    at: float
    profile: str
    kind: EventKind
    token: str = ""
    created: float | None = None
    expires: float | None = None
    code: str = ""
    message: str = ""
    values: Mapping[str, object] = field(default_factory=dict)
    by: str = ""
    times: int = 1
    until: float = 0.0

    def is_about_the_token_of(self, other: Event) -> bool:
        """Return True if both are about the same token with the same expiry."""
        ends = self.expires is not None and other.expires is not None and abs(self.expires - other.expires) < 1
        return self.token == other.token and ends


def event_of(profile: str, draft: EventDraft, by: str = "") -> Event:
    """Return the event to record, with everything masked that could be a secret."""
    at, kind, token, error = draft
    return Event(
        at,
        profile,
        EventKind(kind),
        token.value.fingerprint()[:_ID_DIGITS] if token else "",
        token.created_at.timestamp() if token else None,
        token.expires if token else None,
        printable(error.code or "", _MAX_CODE_CHARACTERS) if error else "",
        _sentence(error.message) if error else "",
        _values(error.values) if error else {},
        by,
        until=at,
    )


def stored_event(row: Sequence[object]) -> Event:
    """Return the event of a row that was read: its fields in their order, `values` as a mapping.

    Anything may have written a row: one that is no event raises `ValueError` or `TypeError`, and all text is bounded
    and escaped.
    """
    at, profile, kind, token, created, expires, code, message, values, by, times, until = row
    if not isinstance(values, dict) or len(values) > _MAX_VALUES:
        raise ValueError("no values of a sentence")
    begin, end = _instant(at), _instant(until)
    return Event(
        begin,
        printable(str(profile), _MAX_PROFILE_CHARACTERS),
        EventKind(str(kind)),
        printable(str(token), _ID_DIGITS),
        None if created is None else _instant(created),
        None if expires is None else _instant(expires),
        printable(str(code), _MAX_CODE_CHARACTERS),
        _sentence(str(message)),
        _values(values),
        printable(str(by), _MAX_NAME_CHARACTERS),
        min(max(1, int(str(times))), _MAX_NUMBER),
        max(begin, end),
    )


def _instant(value: object) -> float:
    """Return an instant. Raises `ValueError` for one that cannot be shown."""
    instant = float(str(value))
    if not 0 <= instant <= _LAST_INSTANT:
        raise ValueError("no instant")
    return instant


def program_name(arguments: Sequence[str] = sys.argv) -> str:
    """Return this process's name: that of its script or module, without folder and suffix."""
    folders = arguments[0].replace("\\", "/").split("/") if arguments else [""]
    name = folders[-1]
    if folders[-3:] == ["tray_app", "cli", "main.py"]:
        name = "kiwoom-token"
    elif name == "__main__.py":
        name = folders[-2] if len(folders) > 1 else ""
    name = name.removesuffix(".py").removesuffix(".exe").removesuffix("-script")
    if name in {"", "-", "-c", "-m"}:
        name = "python"
    shown = "".join(one for one in name if one.isprintable())
    return redact("kiwoom-token-tray" if shown == "tray_app" else shown)[:_MAX_NAME_CHARACTERS]


def _sentence(text: str) -> str:
    return printable(redact(text), _MAX_SENTENCE_CHARACTERS)


def _values(values: Mapping[str, object]) -> dict[str, object]:
    """Return the values with numbers as they are and everything else as text."""
    return {printable(str(name), _MAX_NAME_CHARACTERS): _value(value) for name, value in values.items()}


def _value(value: object) -> object:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value if math.isfinite(value) and abs(value) < _MAX_NUMBER else "?"
    return _sentence(str(value))
