"""What happened to a profile's token, and the picture of its last days. No disk; instants are seconds of the epoch."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from tray_app.core.redaction import redact
from tray_app.core.token import KST
from tray_app.core.trading import CLOSES, OPENS, is_trading

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tray_app.core.errors import KiwoomTokenError
    from tray_app.core.token import Token

DAYS = 7
_DAY_SECONDS = 86400.0
_ID_DIGITS = 8
_MAX_NAME_CHARACTERS = 48
_MAX_SENTENCE_CHARACTERS = 500

SMALLEST_GAP_SECONDS = 1.0
"""A rotation is two requests in a row: what passes between them is no gap that anybody could mend."""


class EventKind(StrEnum):
    ISSUED = "issued"
    SAME = "same"
    """Kiwoom was asked and gave the stored token back with the same end."""
    ADOPTED = "adopted"
    """Another tool had issued one, which was taken over."""
    STORED = "stored"
    """A program or a person handed one in."""
    SEEN = "seen"
    """One lay there that a program without a history, or on another computer, had written."""
    FAILED = "failed"
    CLEARED = "cleared"
    REVOKED = "revoked"
    GONE = "gone"
    """It was no longer there, and who took it away told nobody."""


BRINGS = frozenset({EventKind.ISSUED, EventKind.SAME, EventKind.ADOPTED, EventKind.STORED, EventKind.SEEN})
TAKES = frozenset({EventKind.CLEARED, EventKind.REVOKED, EventKind.GONE})
FOUND_BY_LOOKING = frozenset({EventKind.SEEN, EventKind.GONE})


class Ended(StrEnum):
    """Why a token's life here was over."""

    EXPIRED = "expired"
    REPLACED = "replaced"
    CLEARED = "cleared"
    REVOKED = "revoked"
    GONE = "gone"


_ENDS = {
    EventKind.CLEARED: Ended.CLEARED,
    EventKind.REVOKED: Ended.REVOKED,
    EventKind.GONE: Ended.GONE,
}


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. No token is in here, only the first digits of its fingerprint.

    `message` is an English sentence whose `{name}` places `values` fill: what went wrong. `by` is the program.
    The same failure or the same answer over and over is one event: it happened `times` times from `at` to `until`.
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
        """Whether both name the same token with the same end."""
        ends = self.expires is not None and other.expires is not None and abs(self.expires - other.expires) < 1
        return self.token == other.token and ends


def event_of(
    profile: str, at: float, kind: str, token: Token | None, *, error: KiwoomTokenError | None = None, by: str = ""
) -> Event:
    """The event as it is kept, with everything masked that could be a secret."""
    return Event(
        at,
        profile,
        EventKind(kind),
        token.value.fingerprint()[:_ID_DIGITS] if token else "",
        token.created_at.timestamp() if token else None,
        token.expires if token else None,
        error.code or "" if error else "",
        redact(error.message)[:_MAX_SENTENCE_CHARACTERS] if error else "",
        _plain(error.values) if error else {},
        by,
        until=at,
    )


def program_name(arguments: Sequence[str] = sys.argv) -> str:
    """What this process is called: the script's or module's name without its folder and ending."""
    folders = arguments[0].replace("\\", "/").split("/") if arguments else [""]
    name = folders[-1]
    if folders[-3:] == ["tray_app", "cli", "main.py"]:
        name = "kiwoom-token"
    elif name == "__main__.py":
        name = folders[-2] if len(folders) > 1 else ""
    name = name.removesuffix(".py").removesuffix(".exe").removesuffix("-script")
    if name in {"", "-", "-c", "-m"}:
        name = "python"
    printable = "".join(one for one in name if one.isprintable())
    return redact("kiwoom-token-tray" if printable == "tray_app" else printable)[:_MAX_NAME_CHARACTERS]


def _plain(values: Mapping[str, object]) -> dict[str, object]:
    plain: dict[str, object] = {}
    for name, value in values.items():
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        plain[name] = value if number else redact(str(value))[:_MAX_SENTENCE_CHARACTERS]
    return plain


@dataclass(frozen=True, slots=True)
class Life:
    """A token from when it was first here until it was no longer of use here.

    `end` lies in the future while it lives, and `ended` is None then. `came` and `by` tell how it got here.
    """

    token: str
    start: float
    end: float
    expires: float
    came: EventKind
    by: str = ""
    ended: Ended | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """A span without a token; one that reaches over the opening or the close is two."""

    start: float
    end: float
    trading: bool

    @property
    def at(self) -> float:
        return self.start

    @property
    def seconds(self) -> float:
        return self.end - self.start


Entry = Event | Gap


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the Korean calendar; `opens` and `closes` are None on a day without trading."""

    start: float
    opens: float | None = None
    closes: float | None = None

    @property
    def end(self) -> float:
        return self.start + _DAY_SECONDS


@dataclass(frozen=True, slots=True)
class Week:
    """The last days as they are drawn. Lives do not overlap; gaps lie between them; all are in order of time.

    `since` is from when on anything is known about these days.
    """

    profile: str
    now: float
    days: tuple[Day, ...]
    since: float
    lives: tuple[Life, ...] = ()
    gaps: tuple[Gap, ...] = ()
    events: tuple[Event, ...] = ()

    @property
    def start(self) -> float:
        return self.days[0].start

    @property
    def end(self) -> float:
        return self.days[-1].end

    @property
    def entries(self) -> tuple[Entry, ...]:
        """What a list of these days tells, in order of time: the events, and the gaps in the trading hours."""
        return tuple(sorted([*self.events, *(gap for gap in self.gaps if gap.trading)], key=lambda one: one.at))

    def gap_seconds(self, *, trading: bool) -> float:
        """How long there was no token, inside or outside the trading hours."""
        return sum(gap.seconds for gap in self.gaps if gap.trading is trading)

    def trading_seconds(self) -> float:
        """How much of what is known were trading hours."""
        spans = [(day.opens, day.closes) for day in self.days if day.opens is not None and day.closes is not None]
        return sum(max(0.0, min(closes, self.now) - max(opens, self.since)) for opens, closes in spans)

    def life_at(self, instant: float) -> Life | None:
        return next((one for one in self.lives if one.start <= instant < one.end), None)

    def life_until(self, instant: float) -> Life | None:
        """The one that ended then."""
        return next((one for one in self.lives if one.end == instant), None)

    def gap_at(self, instant: float) -> Gap | None:
        return next((one for one in self.gaps if one.start <= instant < one.end), None)


def days_until(now: float, count: int = DAYS) -> tuple[Day, ...]:
    """The last `count` days of the Korean calendar, today's last."""
    today = datetime.fromtimestamp(now, KST).replace(hour=0, minute=0, second=0, microsecond=0)
    return tuple(_day(today - timedelta(days=back)) for back in range(count - 1, -1, -1))


def _day(midnight: datetime) -> Day:
    opens = datetime.combine(midnight.date(), OPENS, KST).timestamp()
    if not is_trading(opens):
        return Day(midnight.timestamp())
    return Day(midnight.timestamp(), opens, datetime.combine(midnight.date(), CLOSES, KST).timestamp())


def week_of(
    profile: str, events: Iterable[Event], now: float, present: Token | None = None, *, count: int = DAYS
) -> Week:
    """The picture of the last `count` days.

    `events` are those of one profile in any order, best from before the first of these days on. `present` is the
    token that is there now, for the case that nobody noted it. What is said to have happened after `now`, because
    the clock was set back, is left out.
    """
    days = days_until(now, count)
    known = sorted((one for one in events if one.at <= now), key=lambda one: one.at)
    told = list(known)
    if present is not None and present.lives(now):
        told.append(event_of(profile, now, EventKind.SEEN, present))
    lives = _lives(told, now)
    since = min([one.at for one in told[:1]] + [one.start for one in lives[:1]], default=now)
    start, end = days[0].start, days[-1].end
    return Week(
        profile,
        now,
        days,
        max(since, start),
        tuple(one for one in lives if one.end > start and one.start < end),
        tuple(_gaps(lives, max(since, start), now, days)),
        tuple(one for one in known if one.until >= start or one.at >= start),
    )


def _lives(events: Sequence[Event], now: float) -> list[Life]:
    """Of events in order of time. A life begins where the last one ended at the earliest."""
    lives: list[Life] = []
    here: Life | None = None
    before = float("-inf")

    def end(at: float, how: Ended) -> None:
        nonlocal here, before
        if here is not None:
            ended = replace(here, end=here.expires, ended=Ended.EXPIRED)
            if at < here.expires:
                ended = replace(here, end=at, ended=how)
            before = ended.end
            if ended.end > ended.start:
                lives.append(ended)
        here = None

    for event in events:
        if event.kind in TAKES:
            end(event.at, _ENDS[event.kind])
            before = max(before, event.at)
        elif event.kind in BRINGS and event.expires is not None:
            if here is not None and here.token == event.token and event.at < here.expires:
                here = replace(here, expires=event.expires, end=event.expires)
                continue
            end(event.at, Ended.REPLACED)
            was_there = event.kind in {EventKind.SEEN, EventKind.SAME} and event.created is not None
            start = event.at
            if was_there and event.created is not None and before <= event.created <= event.at:
                start = event.created
            if event.expires > start:
                here = Life(event.token, start, event.expires, event.expires, event.kind, event.by)
    if here is not None and here.expires > now:
        lives.append(here)
    else:
        end(now, Ended.EXPIRED)
    return lives


def _gaps(lives: Sequence[Life], since: float, now: float, days: Sequence[Day]) -> Iterator[Gap]:
    at = since
    for start, end in [*((one.start, one.end) for one in lives), (now, now)]:
        if start - at >= SMALLEST_GAP_SECONDS:
            yield from _split(at, min(start, now), days)
        at = max(at, end)


def _split(start: float, end: float, days: Sequence[Day]) -> Iterator[Gap]:
    """In pieces that lie wholly inside or wholly outside the trading hours."""
    edges = {one for day in days for one in (day.opens, day.closes) if one is not None and start < one < end}
    at = start
    for edge in [*sorted(edges), end]:
        if edge > at:
            yield Gap(at, edge, is_trading(at))
        at = edge
