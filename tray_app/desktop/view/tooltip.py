"""The tooltip of the tray icon."""

from __future__ import annotations

from tray_app.core.errors import SettingsError
from tray_app.core.language import tr
from tray_app.core.profile import DEFAULT
from tray_app.core.state import TokenState
from tray_app.core.wording import skew_text
from tray_app.desktop.view.model import Overview
from tray_app.desktop.view.texts import (
    attention_text,
    badges_of,
    busy_text,
    error_text,
    place_problem_text,
    profile_text,
    remaining_text,
    rotation_text,
    short_end_text,
    status_text,
)
from tray_app.desktop.view.timing import seconds_left
from tray_app.desktop.view.urgency import running_action, urgency_order

TOOLTIP_UNITS = 127
"""The length limit of a tooltip on Windows, in UTF-16 units."""


def shorten(lines: list[str]) -> str:
    """Join the lines to a text of at most `TOOLTIP_UNITS` UTF-16 units, cut at the end."""
    text = "\n".join(line for line in lines if line)
    if _utf16_units(text) <= TOOLTIP_UNITS:
        return text
    while _utf16_units(text) > TOOLTIP_UNITS - 1:
        text = text[:-1]
    return text.rstrip() + "…"


def _utf16_units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def tooltip_text(overview: Overview, now: float) -> str:
    name = tr("Kiwoom token")
    if len(overview.states) > 1:
        states = sorted(overview.states, key=lambda one: urgency_order(one, now))
        head = f"{name} · {tr('Check the settings file')}" if overview.settings_problem else name
        lines = {one.profile: _line(one, now, is_chosen=one is overview.state) for one in states}
        return _accounts_text(head, [*lines.values()], lines[overview.state.profile])
    state = overview.state
    title = [name, *(badge.text for badge in badges_of(state))]
    if state.profile != DEFAULT:
        title.append(state.profile)
    error = "" if state.error is None else error_text(state.error, state, now)
    working = busy_text(running_action(state))
    of_settings = error if isinstance(state.error, SettingsError) else overview.settings_problem
    trouble = working or error or of_settings or place_problem_text(state) or skew_text(state.skew_seconds)
    first = [" · ".join(title), status_text(state, now)]
    if trouble and trouble == of_settings and _utf16_units("\n".join([*first, trouble])) > TOOLTIP_UNITS:
        trouble = tr("Check the settings file")  # a path would take the room of what is wrong
    return shorten([*first, trouble or rotation_text(state, now)])


def _accounts_text(head: str, lines: list[str], chosen: str) -> str:
    """Join head and lines, without the last ones where there is no room; the first and the chosen one always stay."""
    shown = [head, *lines]
    more: list[str] = []
    for line in reversed(lines[1:]):
        if _utf16_units("\n".join([*shown, *more])) <= TOOLTIP_UNITS:
            break
        if line != chosen:
            shown.remove(line)
            more = ["…"]
    return shorten([*shown, *more])


def _line(state: TokenState, now: float, *, is_chosen: bool) -> str:
    """Return one of several accounts in the tooltip."""
    if state.stopped:
        status = attention_text(state)
    elif is_chosen or not seconds_left(state, now):
        status = remaining_text(state, now)
    else:
        status = tr("until {time}", time=short_end_text(state.expires or 0.0, now))
    return f"{profile_text(state)} · {status}"
