"""A week as a trader's machine may have had it, for tests and for eyes."""

from __future__ import annotations

from datetime import datetime, timedelta

from tray_app.core.errors import BrokerUnavailable
from tray_app.core.token import KST, Token, token_for
from tray_app.history.draft import EventDraft

NOW = datetime(2026, 11, 20, 14, 20, tzinfo=KST).timestamp()  # a Friday
TRAY, BOT, TERMINAL = "kiwoom-token-tray", "morning-bot", "kiwoom-token"

Told = tuple[str, EventDraft]
"""By whom, and what `History.record` takes."""


def at(day: int, clock: str) -> float:
    """`day` is counted from today, which is 0."""
    hours, minutes = clock.split(":")
    today = datetime.fromtimestamp(NOW, KST).replace(hour=0, minute=0, second=0, microsecond=0)
    return (today + timedelta(days=day, hours=int(hours), minutes=int(minutes))).timestamp()


def lived_week() -> list[Told]:
    """Rotated at 06:30 each day; kwcli's token taken over on Sunday; a failing night; on Wednesday cleared at 11:40 and
    issued again at 11:52; on Thursday a bot hands in its own."""
    told: list[Told] = []
    tokens: dict[float, Token] = {}

    def issue(when: float, by: str = TRAY, kind: str = "issued", name: str = "") -> Token:
        token = tokens[when] = token_for(f"token-{name or when}-of-a-test", 86400, when)
        told.append((by, EventDraft(when, kind, token)))
        return token

    def end(when: float, token: Token, kind: str, by: str = TRAY) -> None:
        told.append((by, EventDraft(when, kind, token)))

    before = issue(at(-7, "06:30"))
    for day in range(-6, 1):
        when = at(day, "06:30")
        if day == -5:  # the computer was off, kiwoomcli was used first
            before = issue(at(day, "09:10"), kind="adopted")
            continue
        if day == -4:
            failure = BrokerUnavailable("Kiwoom does not answer ({reason}).", code="503", reason="maintenance")
            told.extend((TRAY, EventDraft(at(day, "02:00") + 300 * n, "failed", before, failure)) for n in range(9))
            before = issue(at(day, "09:25"))
            continue
        end(when, before, "revoked")
        before = issue(when + 0.4)
        if day == -2:
            end(at(day, "11:40"), before, "cleared", TERMINAL)
            before = issue(at(day, "11:52"), TERMINAL, name="again")
        if day == -1:
            before = issue(at(day, "14:05"), BOT, "stored")
        if day == 0:
            told.append((BOT, EventDraft(at(0, "10:30"), "same", before)))
    return told
