"""The one function from the state of the accounts to what is shown."""

from __future__ import annotations

import math
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from tray_app.core.errors import Remedy
from tray_app.core.language import tr
from tray_app.core.profile import DEFAULT
from tray_app.core.remedies import (
    ASKING,
    expires_in_trading_hours,
    is_failing,
    is_planned_for,
    remedy_for,
    remedy_text,
)
from tray_app.core.renewal_schedule import DAILY
from tray_app.core.state import Action
from tray_app.core.trading import evening_before, opening_of
from tray_app.core.wording import countdown, is_korean_zone, skew_text
from tray_app.desktop.icons.state_icon import LEVELS
from tray_app.desktop.view.icon import icon_of, ring_level
from tray_app.desktop.view.menu import (
    DEFAULT_DAILY,
    copy_text,
    menu_remedy_text,
    menu_status_text,
    refresh_text,
    snooze_text,
)
from tray_app.desktop.view.model import Overview, View
from tray_app.desktop.view.texts import (
    badges_of,
    busy_text,
    headline_text,
    place_problem_text,
    program_name,
    remaining_text,
)
from tray_app.desktop.view.timing import (
    DAY_SECONDS,
    HOUR_SECONDS,
    fraction_left,
    lifetime,
    next_midnight,
    phase_of,
    seconds_left,
)
from tray_app.desktop.view.tooltip import tooltip_text
from tray_app.desktop.view.urgency import most_urgent, running_action
from tray_app.desktop.view.window import (
    confirmed_text,
    elsewhere_text,
    end_text,
    last_event_text,
    last_event_time,
    last_event_tone,
    local_end_text,
    next_event_text,
    place_name,
    profile_lines,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


def view_of(overview: Overview, now: float, platform: str = sys.platform) -> View:
    """Return what to show at `now` (epoch seconds)."""
    state = overview.state
    phase = phase_of(state, now)
    left = seconds_left(state, now)
    working = running_action(state)
    remaining = remaining_text(state, now)
    busy = busy_text(state.busy)
    has_settings_problem = bool(overview.settings_problem)
    helps = remedy_for(state, now, has_settings_problem=has_settings_problem)
    on_panel = state if working else most_urgent(overview.states, now)
    remedy = Remedy.NONE if helps in ASKING else helps
    idle = working is None
    policy = state.policy.partition(" ")[0]
    daily = state.policy if policy == DAILY else DEFAULT_DAILY
    in_trading_hours = expires_in_trading_hours(state, now)
    end = "" if state.expires is None else end_text(state.expires, now, left, in_trading_hours=in_trading_hours)
    zone_differs = state.expires is not None and not is_korean_zone(state.expires)
    skew = skew_text(state.skew_seconds) or overview.calendar_problem
    is_well = helps == Remedy.NONE and left > 0 and not skew and not is_failing(state)
    return View(
        icon=icon_of(on_panel, now, has_settings_problem=has_settings_problem),
        tooltip=tooltip_text(overview, now),
        menu_status=menu_status_text(overview, now),
        can_show_account=False,
        menu_remedy_text=menu_remedy_text(helps, state, now),
        refresh_text=refresh_text(state, helps, now),
        refresh_is_main=helps in ASKING - {Remedy.NONE, Remedy.WAIT},
        can_refresh=idle and helps != Remedy.WAIT,
        can_rotate=idle and left > 0,
        can_copy=left > 0 and working not in {Action.ROTATE, Action.CLEAR, Action.REVOKE},
        can_clear=idle and state.expires is not None,
        copy_text=copy_text(overview.copied_until, now),
        is_copied=overview.copied_until is not None and overview.copied_until > now,
        is_snoozed=overview.is_snoozed(now),
        snooze_text=snooze_text(overview, now),
        policy=policy,
        policy_text=tr("Revoke and reissue daily at {time}", time=daily.partition(" ")[2]),
        daily_policy=daily,
        panel=overview.panel,
        title=program_name(),
        account=state.profile,
        profile="" if state.profile == DEFAULT else state.profile,
        profiles=profile_lines(overview, now),
        phase=phase,
        badges=badges_of(state),
        tone=icon_of(state, now).tone,
        fraction=fraction_left(state, now) if left else 0.0,
        headline=headline_text(state, phase, now),
        countdown=countdown(left),
        remaining=remaining,
        end=end,
        end_is_alarming=in_trading_hours and not is_planned_for(state),
        end_local=local_end_text(state.expires, now) if zone_differs and state.expires is not None else "",
        place=place_name("keyring" if state.hides_token else state.place, platform),
        place_path=state.place_path if state.place == "file" and not state.hides_token else "",
        place_why=place_problem_text(state),
        last=last_event_text(state, now),
        last_at=last_event_time(state, now),
        event_at=None if state.last is None else state.last.at,
        confirmed=confirmed_text(state, now),
        last_tone=last_event_tone(state, left),
        coming=busy if working else next_event_text(state, now),
        skew=skew,
        settings_problem=overview.settings_problem,
        busy=busy,
        working=working,
        remedy=remedy,
        remedy_text=remedy_text(remedy, state.mode),
        can_remedy=idle,
        nothing_to_do=tr("Nothing to do.") if is_well else "",
    )


def tray_view_of(overview: Overview, now: float) -> View:
    """Return what icon and menu show: the account that needs attention, else the chosen one.

    The list of accounts and the tooltip are about all of them.
    """
    view = view_of(overview, now)
    what = elsewhere_text(overview, now)
    if not what or running_action(overview.state) is not None:
        return view
    urgent = most_urgent(overview.states, now)
    shown = view_of(replace(overview, chosen=urgent.profile), now)
    return replace(
        shown,
        tooltip=view.tooltip,
        profiles=view.profiles,
        menu_status=tr("{what} — show", what=what),
        can_show_account=True,
    )


def next_change(overview: Overview, now: float, *, seconds: bool = False) -> float | None:
    """Return the next instant at which the tray shows something else, or None if it never will.

    The window changes then as well. With `seconds`, for a visible window, also the next tick of a countdown counts.
    """
    chosen = overview.state
    instants = [*_tray_changes(overview, now)]
    if seconds:
        ends = [chosen.expires, overview.copied_until]
        instants += [now + ((end - now) % 1 or 1) for end in ends if end is not None and end > now]
    return min((instant for instant in instants if instant > now), default=None)


def _tray_changes(overview: Overview, now: float) -> Iterator[float]:
    """Yield the instants at which the tray changes.

    Only the chosen account is precise to the minute, so that many accounts do not wake the program more often.
    """
    chosen = overview.state
    for state in overview.states:
        if state.renew_at is not None:
            yield state.renew_at
        left = seconds_left(state, now)
        if state.expires is None or not left:
            continue
        if state is chosen or left < HOUR_SECONDS:
            yield state.expires - (left - left % 60 - 1 if left >= 60 else 0)
        if state is not chosen:
            shorter = math.floor((ring_level(state, now) - 1) * lifetime(state) / LEVELS / 60 + 1e-6) * 60
            yield from (state.expires - limit for limit in (shorter + 59, HOUR_SECONDS - 1, 0))
    if len(overview.states) > 1:
        yield from (opening_of(now), evening_before(now + DAY_SECONDS), opening_of(now + DAY_SECONDS))
    told = any(state.expires is not None or state.last is not None for state in overview.states)
    if overview.is_snoozed(now) and overview.snoozed_until is not None:
        told = True
        yield overview.snoozed_until
    if told:
        yield from (next_midnight(now, korean=True), next_midnight(now, korean=False))
