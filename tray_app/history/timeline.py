"""The last days of a profile, as the history window draws and lists them. Instants are seconds of the epoch, days are
Korean."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from tray_app.core.remedies import CHANGE_SECONDS
from tray_app.core.token import KST
from tray_app.core.trading import is_trading_day, trading_hours
from tray_app.history.draft import EventDraft
from tray_app.history.events import BRINGS, TAKES, Event, EventKind, event_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tray_app.core.token import Token

DAYS = 7
_DAY_SECONDS = 86400.0

SMALLEST_GAP_SECONDS = 1.0
"""A rotation is two requests in a row; the moment between them is not a gap."""


class Ended(StrEnum):
    """Why a token was no longer used here; the events that take one have the same names."""

    EXPIRED = "expired"
    REPLACED = "replaced"
    CLEARED = "cleared"
    REVOKED = "revoked"
    DIED = "died"
    GONE = "gone"


_PLANNED_ENDS = {Ended.EXPIRED, Ended.REVOKED}
"""A token that is issued within seconds of one of these replaces the one before."""


@dataclass(frozen=True, slots=True)
class Lifespan:
    """The span in which one token was stored and valid.

    While it still is, `end` is in the future and `ended` is None. `came` is the event that brought it, `by` the
    program.
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
    """A span without a valid token, wholly inside or wholly outside the trading hours.

    `is_change` tells that a token expired and the next one was issued within a minute.
    """

    start: float
    end: float
    trading: bool
    is_change: bool = False

    @property
    def at(self) -> float:
        return self.start

    @property
    def seconds(self) -> float:
        return self.end - self.start


Entry = Event | Gap


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the Korean calendar; `session` is when trading begins and ends, None on a day without."""

    start: float
    session: tuple[float, float] | None = None

    @property
    def end(self) -> float:
        return self.start + _DAY_SECONDS

    def is_trading(self, instant: float) -> bool:
        return self.session is not None and self.session[0] <= instant < self.session[1]


@dataclass(frozen=True, slots=True)
class Week:
    """The last days. The lives of tokens do not overlap, gaps are between them, and everything is in order of time.

    `since` is the beginning of what is known about these days.
    """

    profile: str
    now: float
    days: tuple[Day, ...]
    since: float
    lives: tuple[Lifespan, ...] = ()
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
        """The events and the gaps in trading hours, in order of time."""
        return tuple(sorted([*self.events, *(gap for gap in self.gaps if gap.trading)], key=lambda one: one.at))

    def gap_seconds(self) -> float:
        """Return the seconds without a valid token in trading hours, but for changes of tokens."""
        return sum(gap.seconds for gap in self.gaps if gap.trading and not gap.is_change)

    def change_seconds(self) -> float:
        """Return the seconds that changes of tokens took in trading hours."""
        return sum(gap.seconds for gap in self.gaps if gap.trading and gap.is_change)

    def trading_seconds(self) -> float:
        """Return how many seconds of what is known were trading hours."""
        sessions = [day.session for day in self.days if day.session is not None]
        return sum(max(0.0, min(closes, self.now) - max(opens, self.since)) for opens, closes in sessions)

    def life_at(self, instant: float) -> Lifespan | None:
        return next((one for one in self.lives if one.start <= instant < one.end), None)

    def life_until(self, instant: float) -> Lifespan | None:
        """Return the life that ended at that instant."""
        return next((one for one in self.lives if one.end == instant), None)

    def gap_at(self, instant: float) -> Gap | None:
        return next((one for one in self.gaps if one.start <= instant < one.end), None)


def days_until(now: float, count: int = DAYS, mode: str = "real") -> tuple[Day, ...]:
    """Return the last `count` days of the Korean calendar; today is the last of them. `mode` is `real` or `demo`, whose
    trading hours differ."""
    today = datetime.fromtimestamp(now, KST).replace(hour=0, minute=0, second=0, microsecond=0)
    return tuple(_day(today - timedelta(days=back), mode) for back in range(count - 1, -1, -1))


def _day(midnight: datetime, mode: str) -> Day:
    day = midnight.date()
    if not is_trading_day(day):
        return Day(midnight.timestamp())
    opens, closes = (datetime.combine(day, one, KST).timestamp() for one in trading_hours(mode))
    return Day(midnight.timestamp(), (opens, closes))


def week_of(
    profile: str,
    events: Iterable[Event],
    now: float,
    present: Token | None = None,
    *,
    count: int = DAYS,
    mode: str = "real",
) -> Week:
    """Return the last `count` days of a profile.

    `events` are those of the profile in any order, ideally also the last one before these days. `present` is the token
    that is stored now, in case nothing recorded it. `mode` is `real` or `demo`, whose trading hours differ.
    Events after `now` are left out: the clock was set back.
    """
    days = days_until(now, count, mode)
    known = sorted((one for one in events if one.at <= now), key=lambda one: one.at)
    told = list(known)
    if present is not None and present.is_unexpired(now):
        told.append(event_of(profile, EventDraft(now, EventKind.SEEN, present)))
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


def _lives(events: Sequence[Event], now: float) -> list[Lifespan]:
    """Return the lives from events in order of time; none begins before the one before it ended."""
    lives: list[Lifespan] = []
    here: Lifespan | None = None
    before = float("-inf")

    def end(at: float, how: Ended) -> None:
        nonlocal here, before
        if here is not None:
            is_early = at < here.expires
            ended = replace(here, end=at, ended=how) if is_early else replace(here, ended=Ended.EXPIRED)
            before = ended.end
            if ended.end > ended.start:
                lives.append(ended)
        here = None

    for event in events:
        if event.kind in TAKES:
            end(event.at, Ended(event.kind.value))
            before = max(before, event.at)
        elif event.kind in BRINGS and event.expires is not None:
            if here is not None and here.token == event.token and event.at < here.expires:
                here = replace(here, expires=event.expires, end=event.expires)
                continue
            end(event.at, Ended.REPLACED)
            was_there = event.kind in {EventKind.SEEN, EventKind.SAME}
            start = event.at
            if was_there and event.created is not None and before <= event.created <= event.at:
                start = event.created
            if event.expires > start:
                here = Lifespan(event.token, start, event.expires, event.expires, event.kind, event.by)
    if here is not None and here.expires > now:
        lives.append(here)
    else:
        end(now, Ended.EXPIRED)
    return lives


def _gaps(lives: Sequence[Lifespan], since: float, now: float, days: Sequence[Day]) -> Iterator[Gap]:
    at, before = since, None
    for life in [*lives, None]:
        start = now if life is None else life.start
        if start - at >= SMALLEST_GAP_SECONDS:
            is_reissue = life is not None and life.came is EventKind.ISSUED and before in _PLANNED_ENDS
            is_change = is_reissue and start - at < CHANGE_SECONDS
            yield from _split(at, min(start, now), days, is_change=is_change)
        if life is not None:
            at, before = max(at, life.end), life.ended


def _split(start: float, end: float, days: Sequence[Day], *, is_change: bool) -> Iterator[Gap]:
    """Yield the span in pieces that are wholly inside or wholly outside the trading hours."""
    edges = {one for day in days for one in day.session or () if start < one < end}
    at = start
    for edge in [*sorted(edges), end]:
        if edge > at:
            yield Gap(at, edge, any(day.is_trading(at) for day in days), is_change)
        at = edge
