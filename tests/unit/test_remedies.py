"""The one thing that helps: which it is in a state, and that window, menu, notice and terminal say the same."""

from __future__ import annotations

import shlex
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from tray_app.cli.parser import command_parser
from tray_app.core import language
from tray_app.core.errors import (
    BrokerUnavailable,
    KeyringUnavailable,
    KeysMissing,
    KiwoomTokenError,
    RateLimited,
    Remedy,
    RevokeFailed,
    SettingsError,
    StoreError,
)
from tray_app.core.remedies import remedy_command, remedy_for, remedy_text
from tray_app.core.state import Action, LastResult, Result, TokenState
from tray_app.core.token import KST
from tray_app.kiwoom.codes import error_for

DAY = 86400
NOON = datetime(2025, 11, 25, 12, 0, tzinfo=KST).timestamp()
"""A Tuesday."""
EVENING = datetime(2025, 11, 25, 21, 0, tzinfo=KST).timestamp()
EVERY = {value for name, value in vars(Remedy).items() if name.isupper() and value}


def state(left: float | None, now: float = NOON, **changes: Any) -> TokenState:
    plain = TokenState("default", "real", place="keyring", busy=None, last=LastResult(Result.ISSUED, now - 60))
    if left is not None:
        plain = replace(plain, expires=now + left, created=now + left - DAY, renew_at=now + left)
    return replace(plain, **changes)


def failed(error: KiwoomTokenError, left: float | None = None, **changes: Any) -> TokenState:
    return state(left, last=LastResult(Result.FAILED, NOON - 5, error), **changes)


@pytest.mark.parametrize(
    ("of", "remedy"),
    [
        (state(22 * 3600), Remedy.NONE),
        (state(200), Remedy.NONE),
        (state(200, policy="notify", renew_at=None), Remedy.ROTATE),
        (state(None), Remedy.ISSUE),
        (state(-5), Remedy.ISSUE),
        (state(None, dead_at=NOON), Remedy.ISSUE),
        (state(3600, is_doubtful=True), Remedy.CHECK),
        (TokenState("default", "real"), Remedy.NONE),
        (state(3600, place="file", place_problem="locked"), Remedy.UNLOCK_KEYRING),
        (failed(KeysMissing("None.")), Remedy.ENTER_KEYS),
        (state(3600, stopped_by=KeysMissing("None.")), Remedy.ENTER_KEYS),
        (failed(error_for(3, "[8001:x]")), Remedy.ENTER_KEYS),
        (failed(error_for(3, "[8030:x]")), Remedy.SWITCH_MODE),
        (failed(error_for(3, "[8050:x]")), Remedy.OPEN_PORTAL),
        (failed(error_for(3, "[8010:x]"), 3600), Remedy.ROTATE),
        (failed(KeyringUnavailable("Locked.", problem="locked")), Remedy.UNLOCK_KEYRING),
        (failed(StoreError("Full.", remedy=Remedy.CHOOSE_FOLDER), 3600), Remedy.CHOOSE_FOLDER),
        (failed(SettingsError("Line 3.")), Remedy.FIX_SETTINGS),
        (failed(BrokerUnavailable("Down.")), Remedy.RETRY),
        (failed(RateLimited("Too many."), renew_at=NOON + 60), Remedy.WAIT),
        (failed(RateLimited("Too many."), 3600, renew_at=NOON + 60), Remedy.NONE),
        (failed(RateLimited("Too many.")), Remedy.RETRY),
        (failed(RevokeFailed("No."), 3600), Remedy.CHECK),
        (failed(error_for(3, "[8011:x]"), stopped_by=error_for(3, "[8011:x]")), Remedy.RETRY),
    ],
)
def test_each_state_has_one_remedy(of: TokenState, remedy: str) -> None:
    assert remedy_for(of, NOON) == remedy


def test_settings_that_cannot_be_used_are_mended_unless_something_else_is_wrong() -> None:
    assert remedy_for(state(3600), NOON, has_settings_problem=True) == Remedy.FIX_SETTINGS
    missing = failed(KeysMissing("None."))
    assert remedy_for(missing, NOON, has_settings_problem=True) == Remedy.ENTER_KEYS


@pytest.mark.parametrize(
    ("now", "left", "remedy"),
    [
        (EVENING, 15 * 3600, Remedy.PLAN_ROTATION),
        (EVENING + 10 * 3600, 5 * 3600, Remedy.ROTATE),
        (EVENING, 23 * 3600, Remedy.NONE),
        (NOON, DAY - 60, Remedy.NONE),
    ],
    ids=[
        "in the evening",
        "in the morning, when the quiet hour is over",
        "it ends in the evening",
        "during the market, where reissuing changes nothing",
    ],
)
def test_end_in_trading_hours_is_avoided_when_that_is_possible(now: float, left: float, remedy: str) -> None:
    assert remedy_for(state(left, now), now) == remedy


def test_rotation_before_the_market_opens_leaves_nothing_to_do() -> None:
    of = state(15 * 3600, EVENING, policy="daily 06:30", rotate_at=EVENING + 9.5 * 3600)
    assert remedy_for(of, EVENING) == Remedy.NONE


def test_what_to_do_in_a_terminal_has_no_korean_letter_where_it_cannot_be_shown() -> None:
    language.allow_korean(allowed=False)
    assert all(remedy_command(one, "swing", "real").isascii() for one in EVERY)


def test_every_remedy_has_a_button_and_what_to_type() -> None:
    assert all(remedy_text(one, "real") for one in EVERY)
    texts = [remedy_text(one, "real") for one in EVERY - {Remedy.WAIT}]
    assert len(set(texts)) == len(texts)
    commands = {remedy_command(one, "swing", "real") for one in EVERY - {Remedy.WAIT, Remedy.UNLOCK_KEYRING}}
    assert "" not in commands
    assert "kiwoom-token login --mode demo --profile swing" in commands


@pytest.mark.parametrize("remedy", sorted(EVERY - {Remedy.WAIT, Remedy.UNLOCK_KEYRING, Remedy.OPEN_PORTAL}))
def test_what_to_type_is_a_command_that_is_taken(remedy: str) -> None:
    words = shlex.split(remedy_command(remedy, "my swing", "real"))

    options = command_parser().parse_args(words[1:])

    is_of_all_profiles = options.command == "config"
    assert options.profile == (None if is_of_all_profiles else "my swing")


def test_nothing_is_known_while_the_first_look_is_under_way() -> None:
    assert remedy_for(TokenState("default", "real", busy=Action.READ), NOON) == Remedy.NONE
