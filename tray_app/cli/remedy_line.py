"""The line of `doctor` that says what helps: the same remedy as the main button of the window."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from tray_app.cli.finding import Finding
from tray_app.cli.login import how_to_give_keys
from tray_app.core.errors import BrokerError, KeysMissing, KiwoomTokenError, RateLimited, Remedy, say
from tray_app.core.language import msg, tr
from tray_app.core.remedies import remedy_command, remedy_for, remedy_text
from tray_app.core.state import Action, LastResult, Result, TokenState
from tray_app.core.wording import korean_time
from tray_app.service.composition import check_encryption, find_keys, open_service
from tray_app.system.access import check_writable

if TYPE_CHECKING:
    from tray_app.settings.load import Settings

_NAME = msg("what helps")
_IS_NO_FAULT = frozenset({Remedy.NONE, Remedy.ISSUE, Remedy.CHECK, Remedy.ROTATE, Remedy.RETRY, Remedy.WAIT})
"""A token that is missing or expires at a bad moment, or a Kiwoom that was silent, is nothing wrong here."""


def remedy_line(settings: Settings) -> Finding:
    """Return what helps with the account of `settings`, without asking Kiwoom."""
    if not settings.is_usable:
        return _finding(Remedy.FIX_SETTINGS, settings.profile, "real")
    now = time.time()
    state = _state_of(settings, now)
    error = state.error
    if isinstance(error, KeysMissing) and error.variable:
        return Finding(_NAME, say(error), good=False)
    remedy = remedy_for(state, now, has_settings_problem=bool(settings.problems))
    if remedy == Remedy.ENTER_KEYS and (told := how_to_give_keys(settings)):
        return Finding(_NAME, told, good=False)
    return _finding(remedy, settings.profile, settings.mode, error)


def _finding(remedy: str, profile: str, mode: str, error: KiwoomTokenError | None = None) -> Finding:
    text, command = remedy_text(remedy, mode), remedy_command(remedy, profile, mode)
    if remedy == Remedy.SHOW_FILE and error is not None and error.values.get("path"):
        command = str(error.values["path"])  # as the window's button shows that one
    told = f"{text.rstrip('…')}: {command}" if command else text
    if told and isinstance(error, BrokerError) and error.retry_after:
        now = time.time()
        told = tr("wait until {time}. {remedy}", time=korean_time(now + error.retry_after, now), remedy=told)
    return Finding(_NAME, told or tr("nothing to do"), good=remedy in _IS_NO_FAULT)


def _state_of(settings: Settings, now: float) -> TokenState:
    """Return what is stored and known of the token. The first thing that does not work is its last error."""
    state = TokenState(settings.profile, settings.mode, settings.policy, busy=None)
    try:
        keys = find_keys(settings)
        service = open_service(settings)
        token = service.current()
        service.store.check()
        record, place = service.tokens.read_record(), service.store.place()
        if place.kind == "file":
            check_writable(os.path.dirname(place.path), "KIWOOM_TRAY_DATA_DIR")
        service.store.lock.check()
        check_encryption(settings)
    except KiwoomTokenError as error:
        return replace(state, last=LastResult(Result.FAILED, now, error))
    state = replace(state, place=place.kind, place_problem=place.problem_code)
    if token is not None:
        state = replace(
            state,
            expires=token.expires,
            created=token.created_at.timestamp(),
            renew_at=None if settings.policy == "notify" else token.expires,
            is_doubtful=service.tokens.is_doubtful(token, record.evidence),
        )
    issued_for, route = service.tokens.issued_for(keys), service.tokens.route()
    was_with_other_keys = record.last.keys and record.last.keys != issued_for
    failure = None if was_with_other_keys else record.last.failure(now)
    if isinstance(failure, RateLimited) and not failure.retry_after:
        failure.retry_after = max(0.0, record.last.pause_until(issued_for, route) - now)
    unanswered = record.check_failure(token, now)
    if failure is not None:
        return replace(state, last=LastResult(Result.FAILED, now, failure))
    if unanswered is not None:
        return replace(state, last=LastResult(Result.FAILED, now, unanswered, is_once=True, action=Action.VERIFY))
    return state
