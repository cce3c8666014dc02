"""The history in words, in the current language."""

from __future__ import annotations

from datetime import datetime
from string import Formatter
from typing import TYPE_CHECKING

from tray_app.core.errors import sentence_of
from tray_app.core.language import msg, tr
from tray_app.core.token import KST
from tray_app.core.wording import duration
from tray_app.history.events import BRINGS, Event, EventKind
from tray_app.history.timeline import Ended

if TYPE_CHECKING:
    from tray_app.history.timeline import Entry, Gap, Lifespan, Week

_KINDS = {
    EventKind.ISSUED: msg("A new token was issued"),
    EventKind.SAME: msg("Kiwoom returned the same token"),
    EventKind.ADOPTED: msg("A token issued by another tool is used from now on"),
    EventKind.STORED: msg("A token was stored by hand"),
    EventKind.SEEN: msg("A token that another program had stored was found"),
    EventKind.FAILED: msg("The request failed"),
    EventKind.CLEARED: msg("The token was removed from this computer"),
    EventKind.REVOKED: msg("The token was revoked at Kiwoom"),
    EventKind.DIED: msg("Kiwoom did not accept the token any more, before its expiry"),
    EventKind.GONE: msg("The token was missing"),
}

_ENDS = {
    Ended.EXPIRED: msg("It expired."),
    Ended.REPLACED: msg("It was replaced by another token."),
    Ended.CLEARED: msg("It was removed from this computer."),
    Ended.REVOKED: msg("It was revoked at Kiwoom."),
    Ended.DIED: msg("It stopped working before its expiry."),
    Ended.GONE: msg("It was removed by another program."),
}

_DAYS = (msg("Mon"), msg("Tue"), msg("Wed"), msg("Thu"), msg("Fri"), msg("Sat"), msg("Sun"))


def day_text(instant: float) -> str:
    """Return the day in Korea: `Tue 11-17`."""
    there = datetime.fromtimestamp(instant, KST)
    return f"{tr(_DAYS[there.weekday()])} {there:%m-%d}"


def moment_text(instant: float) -> str:
    """Return the day and time in Korea: `Tue 11-17 06:30`."""
    return f"{day_text(instant)} {datetime.fromtimestamp(instant, KST):%H:%M}"


def kind_text(kind: EventKind) -> str:
    return tr(_KINDS[kind])


def reason_text(event: Event) -> str:
    """Return what went wrong, or an empty text.

    The sentence comes from a file, so only plain `{name}` places are filled: a width such as `{name:>999999999}` would
    cost gigabytes. A sentence with others is shown as it is.
    """
    if not event.message or not _has_plain_places(event.message):
        return event.message
    try:
        return sentence_of(event.message, event.values)
    except (LookupError, ValueError, TypeError):
        return event.message


def _has_plain_places(sentence: str) -> bool:
    try:
        places = list(Formatter().parse(sentence))
    except ValueError:
        return False
    return all(name is None or (name.isidentifier() and not spec and not how) for _, name, spec, how in places)


def event_text(event: Event) -> str:
    """Return what happened and what went wrong, on one line without a time."""
    text = kind_text(event.kind)
    reason = reason_text(event)
    if event.times > 1:
        text = tr("{what} ({times} times until {end})", what=text, times=event.times, end=moment_text(event.until))
    text = f"{text}: {reason}" if reason else text
    return f"{text} [{event.code}]" if event.code else text


def entry_text(entry: Entry) -> str:
    """Return the entry's line in a list, without a time."""
    if isinstance(entry, Event):
        return event_text(entry)
    if entry.is_change:
        return tr("{duration} without a token (automatic reissue)", duration=duration(entry.seconds))
    return tr("No token for {duration} in trading hours", duration=duration(entry.seconds))


def until_text(entry: Entry) -> str:
    """Return when the token expires that this event brought; an empty text when it brought none."""
    if isinstance(entry, Event) and entry.kind in BRINGS and entry.expires is not None:
        return moment_text(entry.expires)
    return ""


def life_text(life: Lifespan, *, origin: bool = True) -> str:
    """Return from when to when the token was valid, and on a second line how it came, unless `origin` is False, and
    how it ended."""
    span = tr(
        "Token {id}: {start} to {end} (KST)", id=life.token, start=moment_text(life.start), end=moment_text(life.end)
    )
    fate = tr("It is valid.") if life.ended is None else tr(_ENDS[life.ended])
    if not origin:
        return f"{span}\n{fate}"
    came = tr(_KINDS[life.came])
    came = tr("{what} ({program}).", what=came, program=life.by) if life.by else f"{came}."
    return f"{span}\n{came}  {fate}"


def gap_text(gap: Gap) -> str:
    span = tr("{start} to {end} (KST)", start=moment_text(gap.start), end=moment_text(gap.end))
    if gap.trading and gap.is_change:
        return tr("{duration} without a token (automatic reissue): {span}", duration=duration(gap.seconds), span=span)
    if gap.trading:
        return tr("No token for {duration} in trading hours: {span}", duration=duration(gap.seconds), span=span)
    return tr("No token for {duration} outside trading hours: {span}", duration=duration(gap.seconds), span=span)


def summary_text(week: Week) -> str:
    """Return in one sentence whether there was a token in all trading hours."""
    if not week.lives and not week.events:
        return tr("No events in this period.")
    trading = week.gap_seconds()
    if trading < 1 and not week.trading_seconds():
        return tr("The market has not opened yet since the record began.")
    if trading < 1 and week.change_seconds():
        changes = duration(week.change_seconds())
        return tr(
            "There was a token in all trading hours, except for {duration} of automatic reissue.", duration=changes
        )
    if trading < 1 and week.since > week.start:
        return tr("There has been a token in all trading hours since {start}.", start=moment_text(week.since))
    if trading < 1:
        return tr("There was a token in all trading hours.")
    return tr("No token for {duration} in trading hours.", duration=duration(trading))


def mark_text(event: Event) -> str:
    """Return an event with its time and program, on one line."""
    time, what = moment_text(event.at), event_text(event)
    if not event.by:
        return tr("{time} (KST)  {what}", time=time, what=what)
    return tr("{time} (KST)  {what} ({program})", time=time, what=what, program=event.by)


def week_text(week: Week) -> str:
    """Return the picture of these days in words, for people who cannot see it."""
    failures = sum(event.times for event in week.events if event.kind is EventKind.FAILED)
    lines = [summary_text(week)]
    lines += [gap_text(gap) for gap in week.gaps if gap.trading]
    lines.append(tr("Tokens: {tokens}. Failed requests: {failures}.", tokens=len(week.lives), failures=failures))
    return "\n".join(lines)
