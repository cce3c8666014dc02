"""The texts of the tray menu."""

from __future__ import annotations

import math

from tray_app.core.errors import Remedy
from tray_app.core.language import tr
from tray_app.core.remedies import ASKING, is_failing, remedy_text, wait_text
from tray_app.core.renewal_schedule import DAILY
from tray_app.core.state import TokenState
from tray_app.core.trading import QUIET_TIME
from tray_app.core.wording import local_time, skew_text
from tray_app.desktop.view.model import Overview
from tray_app.desktop.view.texts import badges_of, busy_text, profile_text, status_text
from tray_app.desktop.view.urgency import running_action

DEFAULT_DAILY = f"{DAILY} {QUIET_TIME}"
"""The daily time that the menu offers while none is set."""


def menu_status_text(overview: Overview, now: float) -> str:
    state, working = overview.state, busy_text(running_action(overview.state))
    status = working or status_text(state, now)
    if len(overview.states) > 1:
        return f"{profile_text(state)} · {status}"
    return working or " · ".join([*(badge.text for badge in badges_of(state)), status])


def copy_text(copied_until: float | None, now: float) -> str:
    if copied_until is None or copied_until <= now:
        return tr("Copy")
    return copied_text(math.ceil(round(copied_until - now, 3)))


def copied_text(seconds: int) -> str:
    """Return the text of the copy button while the token stays on the clipboard for `seconds` more."""
    return tr("Copied · {seconds} s", seconds=seconds)


def snooze_text(overview: Overview, now: float) -> str:
    if overview.is_snoozed(now) and overview.snoozed_until is not None:
        time = local_time(overview.snoozed_until, now)
        return tr("No warnings until {time}", time=time)
    return tr("Snooze warnings")


def menu_remedy_text(remedy: str, state: TokenState, now: float) -> str:
    """Return the entry that says what helps; where that is another entry, which one."""
    if remedy == Remedy.WAIT:
        return tr("Nothing to fix")  # until when, the entry that asks Kiwoom says
    if remedy == Remedy.NONE:
        waits = wait_text(state, now) if is_failing(state) else ""
        is_off = bool(skew_text(state.skew_seconds))
        return waits or (tr("This computer's clock is off") if is_off else tr("Nothing to fix"))
    if remedy in ASKING:
        return tr("What helps: {what}", what=refresh_text(state, remedy, now))
    return remedy_text(remedy, state.mode)


def refresh_text(state: TokenState, remedy: str, now: float) -> str:
    """Return what the button that asks Kiwoom does: with a valid token, Kiwoom usually returns the same one."""
    if remedy == Remedy.WAIT:
        return wait_text(state, now)
    if remedy in ASKING - {Remedy.NONE}:
        return remedy_text(remedy, state.mode)
    if state.stopped:
        return tr("Try again")
    if state.is_unread or state.remaining(now) > 0:
        return tr("Check with Kiwoom")
    return tr("Issue a token")
