"""One state and a moment make everything that is seen."""

from __future__ import annotations

import time
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("PySide6.QtWidgets")

from PySide6.QtWidgets import QApplication

from tests.zones import live_in, read_zone
from tray_app.core import language
from tray_app.core.errors import (
    BrokerError,
    BrokerUnavailable,
    KeyringUnavailable,
    KeysMissing,
    KiwoomTokenError,
    RateLimited,
    Remedy,
    SettingsError,
    StoreError,
    say,
)
from tray_app.core.state import Action, LastResult, Result, TokenState
from tray_app.desktop.icons.state_icon import LEVELS, IconBadge, IconSpec, Phase
from tray_app.desktop.theme.colours import Tone
from tray_app.desktop.translation import install_translator
from tray_app.desktop.view.build import next_change, tray_view_of, view_of
from tray_app.desktop.view.model import Overview, View
from tray_app.desktop.view.texts import error_text
from tray_app.desktop.view.timing import phase_of
from tray_app.desktop.view.tooltip import TOOLTIP_UNITS, shorten
from tray_app.desktop.view.urgency import most_urgent
from tray_app.desktop.view.window import last_event_text
from tray_app.kiwoom.codes import NOT_KIWOOM, error_for

if TYPE_CHECKING:
    from collections.abc import Iterator

DAY = 86400
NOW = 1_763_780_820.0
"""2025-11-22 12:07:00 in Korea."""

REFUSED = error_for(3, "[8050:x]")

TRAY_FIELDS = (
    "icon",
    "tooltip",
    "menu_status",
    "refresh_text",
    "can_refresh",
    "can_copy",
    "can_clear",
    "is_snoozed",
    "snooze_text",
    "profiles",
    "policy",
    "policy_text",
)


@pytest.fixture(autouse=True)
def in_korea(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    live_in("Asia/Seoul", monkeypatch)
    yield
    monkeypatch.undo()
    read_zone()


@pytest.fixture
def korean(qapp: QApplication) -> Iterator[None]:
    language.use("ko")
    install_translator(qapp)
    yield
    language.use("en")
    install_translator(qapp)


def state(left: float | None = 22 * 3600, **changes: Any) -> TokenState:
    """A token with `left` seconds to live at `NOW`; None for no token."""
    plain = TokenState("default", "real", place="keyring", busy=None, last=LastResult(Result.ISSUED, NOW - 60))
    if left is not None:
        plain = replace(plain, expires=NOW + left, created=NOW + left - DAY)
    return replace(plain, **changes)


def failed(error: KiwoomTokenError, left: float | None = None, **changes: Any) -> TokenState:
    return state(left, last=LastResult(Result.FAILED, NOW - 5, error), **changes)


def seen(of: TokenState, now: float, platform: str = "linux") -> View:
    return view_of(Overview((of,), of.profile), now, platform)


def changes_next(of: TokenState, now: float) -> float | None:
    return next_change(Overview((of,), of.profile), now)


def tray(of: TokenState, now: float) -> list[object]:
    view = seen(of, now)
    return [getattr(view, name) for name in TRAY_FIELDS]


@pytest.mark.parametrize(
    ("left", "phase", "countdown", "remaining", "tone"),
    [
        (DAY, Phase.VALID, "24:00:00", "24 h left", Tone.GOOD),
        (79805, Phase.VALID, "22:10:05", "22 h 10 min left", Tone.GOOD),
        (3600, Phase.VALID, "1:00:00", "1 h left", Tone.GOOD),
        (3599, Phase.HOUR, "0:59:59", "59 min left", Tone.GOOD),
        (1800, Phase.HOUR, "0:30:00", "30 min left", Tone.GOOD),
        (1799, Phase.SOON, "0:29:59", "29 min left", Tone.LOW),
        (600, Phase.SOON, "0:10:00", "10 min left", Tone.LOW),
        (599, Phase.LOW, "0:09:59", "9 min left", Tone.LOW),
        (300, Phase.LOW, "0:05:00", "5 min left", Tone.LOW),
        (299, Phase.ENDING, "0:04:59", "4 min left", Tone.BAD),
        (60, Phase.ENDING, "0:01:00", "1 min left", Tone.BAD),
        (59, Phase.ENDING, "0:00:59", "Less than a minute left", Tone.BAD),
        (0.2, Phase.ENDING, "0:00:01", "Less than a minute left", Tone.BAD),
        (0, Phase.EXPIRED, "0:00:00", "The token has expired", Tone.BAD),
        (-5000, Phase.EXPIRED, "0:00:00", "The token has expired", Tone.BAD),
        (None, Phase.NONE, "0:00:00", "No token", Tone.QUIET),
    ],
)
def test_remaining_time(left: float | None, phase: Phase, countdown: str, remaining: str, tone: Tone) -> None:
    view = seen(state(left), NOW)
    assert (view.icon.phase, view.countdown, view.remaining, view.tone) == (phase, countdown, remaining, tone)


def test_countdown_ends_at_the_exact_end() -> None:
    one = state(1)
    assert seen(one, NOW + 0.999).countdown == "0:00:01"
    assert seen(one, NOW + 1).countdown == "0:00:00"


@pytest.mark.parametrize("left", [None, -100, 0, 0.5, 1, 59, 60, 61, 119, 120, 299, 300, 599, 600, 601, 3600, 79805.25])
@pytest.mark.parametrize("busy", [None, Action.REFRESH, Action.READ])
def test_nothing_in_the_tray_changes_before_changes_next(left: float | None, busy: Action | None) -> None:
    one = state(left, busy=busy)
    change = changes_next(one, NOW)
    until = DAY if change is None else change - NOW
    for part in (0.01, 0.3, 0.6, 0.999):
        assert tray(one, NOW + until * part - 0.002) == tray(one, NOW)


@pytest.mark.parametrize("left", [0.5, 1, 59, 60, 61, 119, 120, 299, 300, 599, 600, 601, 3600, 79805.25])
def test_next_change_is_a_change_and_comes_after_now(left: float) -> None:
    one = state(left)
    change = changes_next(one, NOW)
    assert change is not None
    assert NOW < change <= NOW + 61
    assert tray(one, change) != tray(one, NOW)


def test_idle_tray_wakes_at_most_once_a_minute() -> None:
    one, now, wakes = state(7200, renew_at=None), NOW, 0
    while now < NOW + 7200:
        change = changes_next(one, now)
        assert change is not None
        now, wakes = change, wakes + 1
    assert wakes <= 7200 / 60 + 2


def test_next_change_without_anything_to_tell_is_never() -> None:
    assert changes_next(state(None, last=None), NOW) is None


def test_expired_token_changes_at_midnight() -> None:
    one = state(-60)
    change = changes_next(one, NOW)
    assert change is not None
    assert time.strftime("%H:%M:%S", time.localtime(change)) == "00:00:00"
    assert seen(one, NOW).end == "Expired at 12:06"
    assert seen(one, change).end == "Expired at 12:06 yesterday"


def test_next_change_comes_when_a_renewal_is_due() -> None:
    one = state(3630, renew_at=NOW + 3)
    assert changes_next(one, NOW) == NOW + 3
    assert seen(one, NOW + 3).coming == "A new token is issued in a moment."


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, IconSpec(Phase.VALID, 44)),
        ({"busy": Action.READ}, IconSpec(Phase.VALID, 44)),
        ({"busy": Action.REFRESH}, IconSpec(Phase.VALID, busy=True)),
        ({"place_problem": "locked"}, IconSpec(Phase.VALID, 44, badge=IconBadge.LOCKED)),
        ({"place_problem": "missing"}, IconSpec(Phase.VALID, 44, badge=IconBadge.PROBLEM)),
        ({"stopped_by": REFUSED}, IconSpec(Phase.VALID, 44, badge=IconBadge.STOPPED)),
        ({"created": None}, IconSpec(Phase.VALID, 44)),
    ],
)
def test_icon_spec(changes: dict[str, Any], expected: IconSpec) -> None:
    assert seen(state(**changes), NOW).icon == expected


def test_icon_of_a_fresh_token_is_full() -> None:
    assert seen(state(DAY), NOW).icon == IconSpec(Phase.VALID, LEVELS)


def test_start_shows_work_until_the_first_look_is_over() -> None:
    first = seen(TokenState("default", "real"), NOW)
    assert first.icon == IconSpec(Phase.NONE, busy=True)
    assert first.remaining == "Reading the token…"
    assert not first.can_clear


def test_every_action_says_what_it_does() -> None:
    texts = {seen(state(busy=action), NOW).busy for action in Action}
    assert len(texts) == len(Action)
    assert "" not in texts


@pytest.mark.parametrize("action", [action for action in Action if action is not Action.READ])
def test_nothing_can_be_started_while_something_is_done(action: Action) -> None:
    view = seen(state(busy=action), NOW)
    assert (view.can_refresh, view.can_rotate, view.can_clear) == (False, False, False)


def test_token_that_was_there_already_was_issued_when_it_was_made() -> None:
    """As at the first look after the set-up, or after a start."""
    view = seen(state(DAY - 120, last=None), NOW)
    assert (view.last, view.last_at) == ("Issued", "12:05")


@pytest.mark.parametrize("changes", [{"created": None}, {"created": NOW + 3600}, {"expires": None}])
def test_nothing_is_said_of_a_token_that_nobody_noted_when_it_was_issued(changes: dict[str, Any]) -> None:
    view = seen(state(3600, last=None, **changes), NOW)
    assert (view.last, view.last_at) == ("", "")


@pytest.mark.parametrize("result", [result for result in Result if result is not Result.FAILED])
def test_every_result_has_a_sentence(result: Result) -> None:
    view = seen(state(last=LastResult(result, NOW)), NOW)
    assert view.last
    assert view.last != "That did not work."
    assert view.last_tone is (Tone.LOW if result is Result.DIED else Tone.QUIET)


def test_token_that_could_not_be_stored_is_coloured_as_trouble() -> None:
    error = StoreError("It is full.", remedy=Remedy.CHOOSE_FOLDER)
    assert seen(state(last=LastResult(Result.ISSUED, NOW, error)), NOW).last_tone is Tone.LOW


@pytest.mark.parametrize(
    ("error", "mode", "remedy", "text"),
    [
        (error_for(3, "[8001:x]"), "real", Remedy.ENTER_KEYS, "Enter the app key…"),
        (error_for(3, "[8030:x]"), "real", Remedy.SWITCH_MODE, "Try this key for mock trading"),
        (error_for(3, "[8030:x]"), "demo", Remedy.SWITCH_MODE, "Try this key for real trading"),
        (error_for(3, "[8050:x]"), "real", Remedy.OPEN_PORTAL, "Register this IP…"),
        (error_for(3, "[8010:x]"), "real", Remedy.ROTATE, "Revoke and reissue…"),
        (error_for(None, None, http_status=503), "real", "", ""),
        (KeysMissing("No keys.", remedy=Remedy.UNLOCK_KEYRING), "real", Remedy.UNLOCK_KEYRING, "Unlock the keyring…"),
    ],
)
def test_remedy_of_the_last_error(error: KiwoomTokenError, mode: str, remedy: str, text: str) -> None:
    view = seen(failed(error, mode=mode), NOW)
    assert (view.remedy, view.remedy_text) == (remedy, text)
    if error.code == "8030":  # the sentence for everybody does not know the account's mode
        other = "mock" if mode == "real" else "real"
        assert view.last.startswith(f"This key is for {other} trading. Switch to {other}, or enter a key for ")
        assert view.last.endswith("[8030]")
    else:
        assert view.last == say(error)


@pytest.mark.parametrize("problem", ["missing", "locked", "asking", "unreachable", "silent", "too-small", "failed"])
def test_keyring_without_a_fallback_is_not_said_to_have_a_file(problem: str) -> None:
    alone = seen(state(None, place="keyring", place_problem=problem), NOW).place_why
    assert alone
    assert "file" not in alone


def test_token_that_replaces_a_dead_one_says_so() -> None:
    view = seen(state(last=LastResult(Result.ISSUED, NOW, replaces_dead=True)), NOW)
    assert view.last == "The previous token had stopped working early. A new one was issued."


def test_locked_keyring_can_be_unlocked() -> None:
    view = seen(state(place="file", place_path="/d/.token", place_problem="locked"), NOW, "linux")
    assert (view.place, view.place_path, view.remedy) == ("File", "/d/.token", Remedy.UNLOCK_KEYRING)
    assert view.place_why in view.tooltip


@pytest.mark.parametrize(
    ("platform", "name"), [("win32", "Windows Credential Manager"), ("darwin", "Keychain"), ("linux", "Keyring")]
)
def test_keyring_has_the_name_of_the_system(platform: str, name: str) -> None:
    assert seen(state(), NOW, platform).place == name


@pytest.mark.parametrize("problem", sorted(KeyringUnavailable.HIDE_TOKEN))
@pytest.mark.parametrize(("hides", "told"), [(True, "The token cannot be read"), (False, "No token")])
def test_a_token_that_the_keyring_hides_is_not_called_missing(problem: str, told: str, *, hides: bool) -> None:
    view = seen(state(None, place="file", place_problem=problem, hides_token=hides), NOW)

    assert (view.headline, view.remaining) == (told, told)
    assert told in view.tooltip
    assert told in view.menu_status
    assert "stored in a file" not in view.place_why


@pytest.mark.parametrize("problem", sorted(KeyringUnavailable.HIDE_TOKEN))
def test_a_token_that_only_the_keyring_has_is_not_said_to_be_in_a_file(problem: str) -> None:
    """It was read before; a copy, say, has then found the keyring locked."""
    hidden = state(place="file", place_path="/data/.token", place_problem=problem, hides_token=True)
    view = seen(hidden, NOW, "linux")

    assert (view.place, view.place_path) == ("Keyring", "")
    assert view.place_why
    assert "file" not in view.place_why
    assert "file" not in view.tooltip


@pytest.mark.parametrize(
    "error",
    [BrokerUnavailable(NOT_KIWOOM, code="HTTP 500"), RateLimited("Too many.", code="1700"), StoreError("Busy.")],
)
def test_what_the_user_asked_for_once_is_not_said_to_be_tried_again(error: KiwoomTokenError) -> None:
    """A revoke, say, or a copy: what is planned is the next token alone."""
    failed = LastResult(Result.FAILED, NOW - 5, error, is_once=True)
    view = seen(state(last=failed, renew_at=NOW + 80_000), NOW)

    assert "gain at" not in view.last + view.tooltip + view.menu_remedy_text + view.refresh_text
    assert view.coming.startswith("A new token is issued automatically right after it expires")
    assert (view.refresh_text, view.refresh_is_main) == ("Check with Kiwoom", True)  # not a request for a token
    assert view.icon.badge is not IconBadge.FAILING


@pytest.mark.parametrize(
    ("action", "said"),
    [
        (Action.REVOKE, "The token could not be revoked. Kiwoom does not answer."),
        (Action.CLEAR, "The token could not be removed. Kiwoom does not answer."),
        (Action.REFRESH, "Kiwoom does not answer."),
    ],
)
def test_what_the_user_asked_for_is_named_when_it_fails(action: Action, said: str) -> None:
    error = BrokerUnavailable("Kiwoom does not answer.")
    failed = LastResult(Result.FAILED, NOW - 5, error, is_once=True, action=action)
    assert seen(state(last=failed), NOW).last == said


def test_a_revoke_that_kiwoom_refused_says_so_itself() -> None:
    error = error_for(3, "[8015:x]")
    failed = LastResult(Result.FAILED, NOW - 5, error, is_once=True, action=Action.REVOKE)
    assert seen(state(last=failed), NOW).last.startswith("Kiwoom refused to revoke the token.")


def test_a_revoke_is_said_though_the_file_could_not_be_deleted() -> None:
    error = StoreError("{path} cannot be deleted ({reason}). Delete it by hand.", path="/x/.token", reason="busy")
    view = seen(state(None, last=LastResult(Result.REVOKED, NOW - 5, error)), NOW)

    assert view.last == "The token was revoked at Kiwoom. /x/.token cannot be deleted (busy). Delete it by hand."
    assert view.coming == "Waiting until you or a program issues a token again."


def test_tooltip_tells_a_wrong_clock_and_a_planned_reissue() -> None:
    assert "7 min behind" in seen(state(skew_seconds=420.0), NOW).tooltip
    assert "revoked and reissued" in seen(state(rotate_at=NOW + 7200), NOW).tooltip
    assert "revoked" not in seen(state(3600, rotate_at=NOW + 7200), NOW).tooltip


def test_what_is_tried_again_by_itself_asks_for_no_further_try() -> None:
    error = error_for(None, None, http_status=503)

    waiting = seen(failed(error, renew_at=NOW + 60), NOW)
    assert waiting.last == (
        "Kiwoom does not answer properly, perhaps for maintenance. Trying again at 12:08. [HTTP 503]"
    )
    assert waiting.last in waiting.tooltip
    assert "Try again later" in seen(failed(error), NOW).last


def test_failure_is_grave_only_when_no_token_lives_or_nothing_is_tried() -> None:
    error = error_for(None, None, http_status=503)
    assert seen(failed(error, 5000), NOW).last_tone is Tone.LOW
    assert seen(failed(error, 5000, stopped_by=error), NOW).last_tone is Tone.BAD
    assert seen(failed(error, -5), NOW).last_tone is Tone.BAD
    assert seen(failed(error), NOW).last_tone is Tone.BAD


def test_modes_and_sandbox_are_told_everywhere() -> None:
    assert [badge.kind for badge in seen(state(), NOW).badges] == ["real"]
    view = seen(state(mode="demo", sandbox=True), NOW)
    assert [badge.text for badge in view.badges] == ["Mock", "Practice"]
    assert "Mock · Practice" in view.tooltip
    assert "Mock · Practice" in view.menu_status


def test_end_is_korean_time_and_local_time_only_where_it_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    view = seen(state(), NOW)
    assert (view.end, view.end_local) == ("Expires at 10:07 tomorrow", "")
    assert "KST" not in view.tooltip
    live_in("UTC", monkeypatch)
    view = seen(state(), NOW)
    assert (view.end, view.end_local) == ("Expires at 10:07 KST tomorrow", "01:07 tomorrow on this computer")
    assert "10:07 KST tomorrow" in view.tooltip


@pytest.mark.parametrize(
    ("skew", "words"), [(None, ""), (60.0, ""), (-60.0, ""), (180.0, "behind"), (-7200.0, "2 h ahead")]
)
def test_skew_is_told_above_a_minute(skew: float | None, words: str) -> None:
    text = seen(state(skew_seconds=skew), NOW).skew
    assert words in text
    assert bool(words) == bool(text)


def test_holidays_that_are_not_known_are_told_after_a_clock_that_is_off() -> None:
    lacking = {"calendar_problem": "The holidays are not known."}
    assert view_of(overview(state(), **lacking), NOW).skew == "The holidays are not known."
    assert "behind" in view_of(overview(state(skew_seconds=180.0), **lacking), NOW).skew


def test_check_that_was_not_answered_is_no_failing_renewal() -> None:
    error = error_for(5, "[1700:x]")
    assert isinstance(error, BrokerError)
    error.remedy = Remedy.CHECK
    last = LastResult(Result.FAILED, NOW - 5, error, is_once=True, action=Action.VERIFY)
    view = seen(state(5000, last=last, renew_at=NOW + 5000), NOW)
    assert view.last == "Kiwoom's request limit is reached. Wait a moment, then try again. [1700]"
    assert view.coming.startswith("A new token is issued automatically right after it expires")
    assert (view.refresh_text, view.refresh_is_main, view.icon.badge) == ("Check with Kiwoom", True, None)


def test_a_check_that_met_a_refusal_does_not_hide_when_the_next_token_comes() -> None:
    error = error_for(3, "[8050:x]")
    last = LastResult(Result.FAILED, NOW - 5, error, is_once=True, action=Action.VERIFY)
    view = seen(state(5000, last=last, renew_at=NOW + 5000), NOW)
    assert view.coming.startswith("A new token is issued automatically right after it expires")


def test_while_the_clock_is_off_or_a_renewal_fails_nothing_says_that_all_is_well() -> None:
    slow = seen(state(skew_seconds=7200.0), NOW)
    assert (slow.menu_remedy_text, slow.nothing_to_do) == ("This computer's clock is off", "")
    limited = seen(failed(error_for(5, "[1700:x]"), 500, renew_at=NOW + 600), NOW)
    assert limited.nothing_to_do == ""
    assert limited.menu_remedy_text.startswith("Trying again at")
    assert seen(state(), NOW).menu_remedy_text == "Nothing to fix"


def test_what_comes_next() -> None:
    waiting = seen(state(renew_at=NOW + 600), NOW).coming
    assert waiting == "A new token is issued automatically right after it expires, at 10:07 tomorrow."
    daily = state(renew_at=NOW + 600, rotate_at=NOW + 600, policy="daily 12:17")
    assert seen(daily, NOW).coming == "12:17: revoked and reissued."
    assert seen(state(None, renew_at=NOW + 600), NOW).coming == "A new token is issued automatically: 12:17."
    assert seen(state(policy="notify"), NOW).coming.startswith("Automatic renewal is off: you are only warned")
    assert seen(state(-5, policy="notify"), NOW).coming == "Automatic renewal is off. Press “Issue a token”."
    assert seen(state(stopped_by=REFUSED), NOW).coming.startswith("Automatic renewal is paused")
    assert seen(state(stopped_by=REFUSED), NOW).refresh_text == "Try again"
    locked = KeyringUnavailable("Locked.", problem="locked")
    assert seen(failed(locked, stopped_by=locked), NOW).coming == "It continues automatically once this is fixed."
    no_keys = KeysMissing("The keyring is locked.", remedy=Remedy.UNLOCK_KEYRING)
    assert seen(failed(no_keys, stopped_by=no_keys), NOW).coming == "It continues automatically once this is fixed."
    assert (
        seen(failed(KeysMissing("No keys."), stopped_by=KeysMissing("No keys.")), NOW).coming
        == "It continues automatically once this is fixed."
    )
    refused = error_for(3, "[8001:x]")
    assert seen(failed(refused, stopped_by=refused), NOW).coming == "It continues automatically once this is fixed."
    warned_only = failed(refused, stopped_by=refused, policy="notify")
    assert seen(warned_only, NOW).coming == "Press “Try again” once this is fixed."
    retry = failed(error_for(None, None, http_status=503), renew_at=NOW + 120)
    assert seen(retry, NOW).coming == "Next attempt: 12:09."
    asking = state(renew_at=NOW - 1, busy=Action.REFRESH)
    assert seen(asking, NOW).coming == "Asking Kiwoom for a token…"
    gone = state(None, last=LastResult(Result.GONE, NOW))
    assert seen(gone, NOW).coming == "Waiting until you or a program issues a token again."


TUESDAY_NOON = 1_764_039_600.0
"""2025-11-25 12:00:00 in Korea: the market is open."""


def on_tuesday(left: float | None, **changes: Any) -> TokenState:
    """A token with `left` seconds to live at `TUESDAY_NOON`."""
    return state(None if left is None else left + TUESDAY_NOON - NOW, **changes)


@pytest.mark.parametrize(
    ("left", "changes", "alarming", "end"),
    [
        (3600, {}, True, "Expires at 13:00, during trading hours"),
        (DAY, {}, True, "Expires at 12:00 tomorrow, during trading hours"),
        (DAY, {"renew_at": TUESDAY_NOON + DAY - 600}, False, "Expires at 12:00 tomorrow, during trading hours"),
        (DAY, {"policy": "daily 06:30", "rotate_at": TUESDAY_NOON + 66600}, False, "Expires at 12:00 tomorrow"),
        (DAY, {"policy": "daily 06:30", "renew_at": None}, True, "Expires at 12:00 tomorrow, during trading hours"),
        (
            3600,
            {"policy": "daily 06:30", "renew_at": TUESDAY_NOON + 3000, "rotate_at": TUESDAY_NOON + 3000},
            False,
            "Expires at 13:00, during trading hours",
        ),
        (10 * 3600, {}, False, "Expires at 22:00"),
        (-3600, {}, False, "Expired at 11:00"),
        (4 * DAY, {}, False, "Expires at 12:00 on Saturday"),
    ],
)
def test_end_in_trading_hours_is_alarming_unless_somebody_reissues_the_token(
    left: float, changes: dict[str, Any], alarming: bool, end: str
) -> None:
    view = seen(on_tuesday(left, **changes), TUESDAY_NOON)
    assert (view.end_is_alarming, view.end) == (alarming, end)


@pytest.mark.parametrize("problem", ["locked", "silent"])
def test_no_token_lies_in_a_file_where_there_is_none(problem: str) -> None:
    assert "file" in seen(state(place="file", place_problem=problem), NOW).place_why
    assert "file" not in seen(state(None, place="file", place_problem=problem), NOW).place_why


def test_most_urgent_first() -> None:
    refused = error_for(3, "[8050:x]")
    cleared = on_tuesday(None, profile="cleared", last=LastResult(Result.CLEARED, TUESDAY_NOON))
    order = (
        on_tuesday(5000, profile="stopped", stopped_by=refused, last=LastResult(Result.FAILED, TUESDAY_NOON, refused)),
        on_tuesday(5000, profile="stopped mock", mode="demo", stopped_by=refused),
        on_tuesday(-5, profile="expired"),
        on_tuesday(-5, profile="expired mock", mode="demo"),
        on_tuesday(200, profile="ending"),
        on_tuesday(400, profile="low"),
        on_tuesday(5000, profile="failed", last=LastResult(Result.FAILED, TUESDAY_NOON, refused)),
        on_tuesday(5000, profile="short"),
        on_tuesday(80000, profile="long"),
        on_tuesday(3000, profile="mock", mode="demo"),
        cleared,
    )
    rest = tuple(reversed(order))
    for expected in order:
        assert most_urgent(rest, TUESDAY_NOON) is expected
        rest = tuple(one for one in rest if one is not expected)


def test_profile_that_was_never_set_up_is_not_urgent() -> None:
    missing = KeysMissing("No keys.")
    without_keys = LastResult(Result.FAILED, TUESDAY_NOON, missing)
    unused = on_tuesday(None, stopped_by=missing, last=without_keys)
    used = on_tuesday(80000, profile="swing", mode="demo")
    lost_its_keys = on_tuesday(-5, profile="day", stopped_by=missing, last=without_keys)
    assert most_urgent((unused, used), TUESDAY_NOON) is used
    assert most_urgent((unused, used, lost_its_keys), TUESDAY_NOON) is lost_its_keys
    assert most_urgent((unused,), TUESDAY_NOON) is unused


def test_missing_token_is_less_urgent_while_the_market_is_closed() -> None:
    expired, ending = on_tuesday(-5), on_tuesday(200, profile="swing", mode="demo")
    assert most_urgent((ending, expired), TUESDAY_NOON) is expired
    saturday = state(-5), state(200, profile="swing", mode="demo")
    assert most_urgent(saturday, NOW) is saturday[1]


@pytest.mark.parametrize(
    "changes",
    [
        {"last": LastResult(Result.REVOKED, NOW)},
        {"last": LastResult(Result.ALREADY_DEAD, NOW)},
        {"last": LastResult(Result.KEPT, NOW)},
        {"last": LastResult(Result.ISSUED, NOW), "renew_at": None},
        {"last": None, "busy": Action.READ},
    ],
)
def test_profile_without_a_token_because_somebody_wants_it_so_is_not_urgent(changes: dict[str, Any]) -> None:
    quiet = on_tuesday(None, **changes)
    fine = on_tuesday(80000, profile="swing", mode="demo")
    assert most_urgent((quiet, fine), TUESDAY_NOON) is fine


def overview(*states: TokenState, chosen: str = "default", **fields: Any) -> Overview:
    return Overview(states, chosen, **fields)


def test_icon_is_of_the_most_urgent_and_the_window_of_the_chosen() -> None:
    fine, ending = state(), state(200, profile="swing")
    view = view_of(overview(fine, ending), NOW)
    assert view.icon.phase is Phase.ENDING
    assert (view.phase, view.countdown) == (Phase.VALID, "22:00:00")
    assert (view.tone, view.menu_status.startswith("Default · Real")) == (Tone.GOOD, True)


def test_what_is_pressing_elsewhere_is_the_head_of_the_menu_only_if_the_chosen_is_better_off() -> None:
    fine, ending, mock = state(), state(200, profile="swing"), state(250, profile="mock", mode="demo")

    def head(*states: TokenState, chosen: str = "default") -> str:
        view = tray_view_of(overview(*states, chosen=chosen), NOW)
        return view.menu_status if view.can_show_account else ""

    assert head(fine, mock, ending) == "swing · Real · About to expire — show"
    assert head(fine, replace(ending, stopped_by=REFUSED)) == "swing · Real · needs attention — show"
    assert head(fine, ending, chosen="swing") == ""
    assert head(ending, mock, chosen="mock") == ""
    assert head(ending) == ""


def test_work_on_the_chosen_profile_is_seen_at_the_icon() -> None:
    view = view_of(overview(state(busy=Action.REFRESH), state(200, profile="swing")), NOW)
    assert view.icon == IconSpec(Phase.VALID, busy=True)


def test_an_account_without_keys_is_said_to_have_none() -> None:
    missing = KeysMissing("There are no app keys for {mode}. Enter them with: {command}", mode="real", command="x")
    view = view_of(overview(state(), replace(failed(missing, stopped_by=missing), profile="second")), NOW)

    assert view.profiles[1].status == "no app key"
    assert "second · Real · no app key" in view.tooltip


def test_keys_of_the_keyring_that_cannot_be_used_are_said_to_be_wrong() -> None:
    wrong = KeysMissing("They cannot be used. Enter them again with: {command}", command="kiwoom-token login")

    assert error_text(wrong, state(), NOW).startswith("They cannot be used.")


def test_without_automatic_renewal_a_missing_token_waits_for_the_user() -> None:
    missing = KeysMissing("There are no app keys for {mode}. Enter them with: {command}", mode="real", command="x")

    mores: tuple[dict[str, Any], ...] = ({}, {"dead_at": NOW - 60}, {"dead_at": NOW - 60, "last": None})
    for more in mores:
        view = seen(state(None, policy="notify", **more), NOW)
        assert (view.coming, view.refresh_text) == (
            "Automatic renewal is off. Press “Issue a token”.",
            "Issue a token",
        )
    tried = seen(failed(error_for(None, None, http_status=503), policy="notify"), NOW)
    assert (tried.coming, tried.refresh_text) == ("Automatic renewal is off. Press “Try again”.", "Try again")
    assert seen(state(None, policy="notify", last=None), NOW).coming == ""
    assert (
        seen(failed(missing, policy="notify", stopped_by=missing), NOW).coming
        == "Press “Try again” once this is fixed."
    )


def test_tooltip_of_several_has_a_line_for_each_the_most_urgent_first() -> None:
    states = (state(), state(5000, profile="swing", mode="demo"), state(200, profile="parents"))
    lines = view_of(overview(*states, chosen="swing"), NOW).tooltip.splitlines()
    assert lines == [
        "Kiwoom token",
        "parents · Real · until 12:10",
        "Default · Real · until 10:07 tomorrow",
        "swing · Mock · 1 h 23 min left",
    ]


def test_tooltip_of_many_accounts_has_the_most_urgent_one_and_the_chosen_one() -> None:
    states = (state(200, profile="parents"), *(state(5000 + at, profile=f"acct-{at}") for at in range(12)))
    for one in states:
        lines = view_of(overview(*states, chosen=one.profile), NOW).tooltip.splitlines()
        assert lines[1].startswith("parents · Real · ")
        assert any(line.startswith(f"{one.profile} · Real · ") for line in lines)
        assert lines[-1] == "…"


def test_profiles_are_told_only_where_there_are_several() -> None:
    assert seen(state(profile="swing"), NOW).profiles == ()
    lines = view_of(overview(state(), state(200, profile="swing"), chosen="swing"), NOW).profiles
    assert [(line.name, line.text, line.chosen, line.icon.tone) for line in lines] == [
        ("default", "Default · Real", False, Tone.GOOD),
        ("swing", "swing · Real", True, Tone.BAD),
    ]


def test_profile_that_is_chosen_but_gone_leaves_the_first() -> None:
    assert overview(state(), state(profile="swing"), chosen="gone").state.profile == "default"


@pytest.mark.parametrize("left", [None, -5, 100, 299, 300, 450, 600, 601, 3600, 79805.25])
@pytest.mark.parametrize("now", [NOW, TUESDAY_NOON, TUESDAY_NOON - 4 * 3600 - 1, TUESDAY_NOON + 8 * 3600 - 1])
def test_nothing_of_several_profiles_changes_before_next_change(left: float | None, now: float) -> None:
    other = on_tuesday(None if left is None else left + now - TUESDAY_NOON, profile="swing")
    chosen = on_tuesday(4000 + now - TUESDAY_NOON)
    both = overview(chosen, other, snoozed_until=now + 20.5, copied_until=now + 10)

    def tray_at(moment: float) -> list[object]:
        view = view_of(both, moment)
        return [getattr(view, name) for name in TRAY_FIELDS]

    moment = now
    for _ in range(20):
        change = next_change(both, moment)
        assert change is not None
        for part in (0.01, 0.5, 0.999):
            assert tray_at(moment + (change - moment) * part - 0.002) == tray_at(moment)
        moment = change


def test_many_profiles_do_not_wake_the_tray_more_often() -> None:
    others = [state(80000 + 7 * number, profile=f"p{number}") for number in range(7)]
    both, now, wakes = overview(state(80003.5), *others), NOW, 0
    while now < NOW + 7200:
        change = next_change(both, now)
        assert change is not None
        now, wakes = change, wakes + 1
    assert wakes <= 7200 / 60 + 7 * (7200 / (DAY / LEVELS) + 1) + 2


def test_window_that_is_seen_changes_with_the_seconds_of_token_and_copy() -> None:
    living = overview(state(3600.25))
    assert next_change(living, NOW, seconds=True) == pytest.approx(NOW + 0.25, abs=0.001)
    assert next_change(overview(state(-5)), NOW, seconds=True) == next_change(overview(state(-5)), NOW)
    copied = overview(state(-5), copied_until=NOW + 20.5)
    assert next_change(copied, NOW, seconds=True) == pytest.approx(NOW + 0.5, abs=0.001)


def test_copied_token_is_counted_down() -> None:
    copied = overview(state(), copied_until=NOW + 30)
    assert view_of(copied, NOW).copy_text == "Copied · 30 s"
    assert view_of(copied, NOW + 29.5).copy_text == "Copied · 1 s"
    assert view_of(copied, NOW + 29.5).is_copied
    assert view_of(copied, NOW + 30).copy_text == "Copy"
    assert not view_of(copied, NOW + 30).is_copied


@pytest.mark.parametrize(
    ("left", "busy", "can_copy", "can_rotate"),
    [
        (5000, None, True, True),
        (5000, Action.READ, True, True),
        (5000, Action.REFRESH, True, False),
        (5000, Action.ROTATE, False, False),
        (5000, Action.CLEAR, False, False),
        (100, None, True, True),
        (-5, None, False, False),
        (None, None, False, False),
    ],
)
def test_only_a_living_token_can_be_copied_and_replaced(
    left: float | None, busy: Action | None, can_copy: bool, can_rotate: bool
) -> None:
    view = seen(state(left, busy=busy), NOW)
    assert (view.can_copy, view.can_rotate) == (can_copy, can_rotate)


def test_snooze_is_told_until_it_ends() -> None:
    quiet = overview(state(), snoozed_until=NOW + 30)
    assert view_of(quiet, NOW).is_snoozed
    assert view_of(quiet, NOW).snooze_text == "No warnings until 12:07"
    assert next_change(quiet, NOW) == NOW + 1, "the minute of the token comes first"
    assert not view_of(quiet, NOW + 30).is_snoozed


@pytest.mark.parametrize(
    ("setting", "policy", "daily"),
    [
        ("notify", "notify", "daily 06:30"),
        ("auto", "auto", "daily 06:30"),
        ("daily 05:15", "daily", "daily 05:15"),
    ],
)
def test_policy_and_what_the_daily_entry_stands_for(setting: str, policy: str, daily: str) -> None:
    view = seen(state(policy=setting), NOW)
    assert (view.policy, view.daily_policy) == (policy, daily)
    assert daily.removeprefix("daily ") in view.policy_text


def test_broken_settings_are_told_at_the_icon_too() -> None:
    view = view_of(overview(state(), settings_problem="settings.toml, line 3: no."), NOW)
    assert view.settings_problem in view.tooltip
    file = "/home/trader/.config/kiwoom-token-tray/settings.toml"
    long = f"{file}, line 3: mode must be real or demo. Correct or remove that line, then save the file again."
    stopped = state(last=LastResult(Result.FAILED, NOW - 5, SettingsError(long)))
    for told in (overview(state(), settings_problem=long), overview(stopped)):
        assert view_of(told, NOW).tooltip.endswith("\nCheck the settings file")
    assert view.icon.badge is IconBadge.PROBLEM
    several = view_of(overview(state(), state(profile="second"), settings_problem="line 3: no."), NOW)
    assert "Check the settings file" in several.tooltip
    assert several.icon.badge is IconBadge.PROBLEM


@pytest.mark.parametrize("action", [None, *Action])
def test_work_is_what_somebody_wanted_and_not_a_look(action: Action | None) -> None:
    assert seen(state(busy=action), NOW).working is (None if action is Action.READ else action)


@pytest.mark.usefixtures("korean")
def test_tooltip_of_many_profiles_fits_windows() -> None:
    many = [state(79805, profile="가😀" * 8 + str(number)) for number in range(20)]
    tooltip = view_of(overview(*many), NOW).tooltip
    assert len(tooltip.encode("utf-16-le")) // 2 <= TOOLTIP_UNITS


@pytest.mark.usefixtures("korean")
def test_tooltip_fits_windows_whatever_happens() -> None:
    everything = failed(
        error_for(3, "[8050:x]"), 79805, profile="가😀" * 32, mode="demo", sandbox=True, place_problem="failed"
    )
    for action in (None, *Action):
        tooltip = seen(replace(everything, busy=action), NOW).tooltip
        assert len(tooltip.encode("utf-16-le")) // 2 <= TOOLTIP_UNITS


def test_shorten_never_cuts_a_character_in_two() -> None:
    assert shorten(["a" * 126, "b"]) == "a" * 126 + "…"
    assert shorten(["😀" * 64]) == "😀" * 63 + "…"


def test_short_life_of_a_sandbox_token_is_told_like_any_other() -> None:
    one = state(60, created=NOW)
    assert phase_of(one, NOW) is Phase.ENDING
    assert seen(one, NOW).fraction == 1.0


def test_the_part_that_is_left_runs_from_one_to_zero() -> None:
    one = state(1000, created=NOW)
    assert [seen(one, NOW + passed).fraction for passed in (0, 250, 1000, 2000)] == [1.0, 0.75, 0.0, 0.0]
    assert seen(one, NOW - 500).fraction == 1.0, "this computer's clock is behind"


@pytest.mark.parametrize("created", [None, NOW + 7200, NOW + 9000])
def test_a_token_of_unknown_or_impossible_age_counts_as_one_of_a_day(created: float | None) -> None:
    assert seen(state(7200, created=created), NOW).fraction == pytest.approx(2 / 24)


@pytest.mark.usefixtures("korean")
def test_korean_view() -> None:
    view = seen(state(-60, mode="demo", sandbox=True), NOW)
    assert view.headline == "만료됨"
    assert [badge.text for badge in view.badges] == ["모의", "연습"]
    assert view.refresh_text == "토큰 발급"
    assert view.menu_status.startswith("모의 · 연습 · 토큰이 만료되었습니다")


@pytest.mark.usefixtures("korean")
def test_no_english_is_left_in_a_korean_view() -> None:
    states = [state(left, busy=action) for left in (None, -5, 50, 500, 5000) for action in (None, *Action)]
    states += [state(last=LastResult(result, NOW)) for result in Result if result is not Result.FAILED]
    states += [state(place=place) for place in ("file", "memory")]
    words = ("the ", "token", "left", "end", "clear", "renew", "kiwoom")
    for one in states:
        view = seen(one, NOW, "linux")
        for field in fields(View):
            text = getattr(view, field.name)
            if type(text) is str and field.name != "remedy":
                assert not any(word in text.lower() for word in words), (field.name, text)


@pytest.mark.parametrize(
    ("is_doubtful", "says"), [(False, "Kiwoom confirms it is valid."), (True, "Kiwoom returned the same token;")]
)
def test_a_token_that_came_again_and_is_in_doubt_is_not_called_confirmed(*, is_doubtful: bool, says: str) -> None:
    """It was revoked before, and Kiwoom did not say whether it works."""
    same = state(last=LastResult(Result.SAME, NOW), is_doubtful=is_doubtful)
    assert last_event_text(same, NOW).startswith(says)
