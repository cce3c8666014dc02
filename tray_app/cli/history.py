"""`history`: what happened to the token, for people, for spreadsheets and for programs."""

from __future__ import annotations

import sys
import time
from datetime import datetime
from typing import TYPE_CHECKING

from tray_app.cli.problems import tell_problems
from tray_app.cli.table import in_columns
from tray_app.core.errors import DONE
from tray_app.core.language import tr, use
from tray_app.core.token import KST
from tray_app.history.database import open_history
from tray_app.history.events import Event
from tray_app.history.tabular import as_csv, as_fields
from tray_app.history.timeline import days_until, week_of
from tray_app.history.words import entry_text, until_text
from tray_app.service.exchange_calendar import install_holidays
from tray_app.settings.load import load_settings

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from tray_app.history.timeline import Entry, Week
    from tray_app.settings.load import Settings


def history(options: Namespace) -> int:
    """Print the events of the last days, oldest first. Raises `StoreError` when the history cannot be read."""
    settings = load_settings(options.profile)
    use(settings.language)
    settings.require()
    tell_problems(settings.problems)
    week = recorded_days(settings, options.days)
    entries = () if week is None else week.entries
    if options.json:
        import json

        print(json.dumps([as_fields(one, settings.profile) for one in entries], ensure_ascii=False))
    elif options.csv:
        _print_csv(as_csv(entries, settings.profile))
    elif week is None:
        print(tr("The token is stored in memory only, so nothing is recorded."))
    elif not entries:
        print(tr("No events in this period."))
    else:
        print(_table(entries))
    return DONE


def recorded_days(settings: Settings, count: int) -> Week | None:
    """Return the last `count` days of a profile; None where nothing is recorded, because the token is in memory only.

    Raises `StoreError` when the history cannot be read.
    """
    record = open_history(settings)
    if record is None:
        return None
    now = time.time()
    install_holidays(now)
    events = record.read(settings.profile, days_until(now, count)[0].start)
    return week_of(settings.profile, events, now, count=count, mode=settings.mode)


def _print_csv(text: str) -> None:
    """Print it; into a file or pipe as UTF-8 with a byte order mark, by which Excel knows it."""
    if not hasattr(sys.stdout, "buffer") or sys.stdout.isatty():
        print(text, end="")
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode("utf-8-sig", "replace"))


def _table(entries: Sequence[Entry]) -> str:
    rows = [(tr("Time (KST)"), tr("Event"), tr("Expires (KST)"), tr("Program"))]
    rows += [
        (
            f"{datetime.fromtimestamp(one.at, KST):%Y-%m-%d %H:%M:%S}",
            entry_text(one),
            until_text(one),
            one.by if isinstance(one, Event) else "",
        )
        for one in entries
    ]
    # A long sentence may run over; the others are aligned.
    return "\n".join(in_columns([(time, token, program, what) for time, what, token, program in rows]))
