"""The decision whether Kiwoom must be asked, as a table: the stored token, the last attempt and the request."""

from __future__ import annotations

import pytest

from tests.doubles import NO
from tray_app.core.errors import BrokerError, BrokerUnavailable, KeysRefused, RateLimited, say
from tray_app.core.secret import Secret
from tray_app.core.token import Token, token_for
from tray_app.service.last_attempt import LastAttempt
from tray_app.service.renewal import Action, Request, better_of, decide, failure_to_repeat

NOW = 1_790_000_000.0
DAY = 86400.0
STORED = token_for("stored-token-of-a-test", DAY, NOW - 3600)
SHORT = token_for("stored-token-of-a-test", 3700, NOW - 3600)
EXPIRED = token_for("stored-token-of-a-test", 3600, NOW - 3600)
OTHER = token_for("another-token-of-a-test", DAY, NOW - 60)

MOMENT = token_for("stored-token-of-a-test", 3600.5, NOW - 3600)

NOTHING = LastAttempt()
SAME = LastAttempt.succeeded(SHORT, NOW - 10, None, is_same=True, is_rotation=False, replaced=[])
ROTATED_SAME = LastAttempt.succeeded(SHORT, NOW - 10, None, is_same=True, is_rotation=True, replaced=[])
JUST_ISSUED = LastAttempt.succeeded(STORED, NOW + 1, None, is_same=False, is_rotation=False, replaced=[])
JUST_ROTATED = LastAttempt.succeeded(STORED, NOW + 1, None, is_same=False, is_rotation=True, replaced=[])
REVOKING = LastAttempt.rotation_begun(STORED, NOW - 1)


def failed(error: BrokerError, at: float = NOW - 1, refused: Secret | None = None, failures: int = 1) -> LastAttempt:
    return LastAttempt.failed(error, at, refused, revoking="", keys="real:abc", failures=failures)


ENSURE = Request.ensure(NOW, 300)
RENEW = Request.renew(NOW, STORED, rotate=False)
ROTATE = Request.renew(NOW, STORED, rotate=True)
REFRESH = Request.refresh(NOW, rotate=False)
REFRESH_ROTATING = Request.refresh(NOW, rotate=True)
REPLACE = Request.replace(NOW, STORED.value)
WAIT = failed(RateLimited(NO, code="1700", retry_after=30.0))

USE, FAIL, ASK_OTHER_TOOLS, ISSUE = Action.USE, Action.FAIL, Action.ASK_OTHER_TOOLS, Action.ISSUE


@pytest.mark.parametrize(
    ("token", "last", "request_", "first", "then"),
    [
        # a token that is enough is used, unless a rotation has revoked it
        (STORED, NOTHING, ENSURE, USE, USE),
        (STORED, WAIT, ENSURE, USE, USE),
        (STORED, REVOKING, ENSURE, ASK_OTHER_TOOLS, ISSUE),
        (OTHER, NOTHING, RENEW, USE, USE),
        (OTHER, NOTHING, ROTATE, USE, USE),
        (OTHER, NOTHING, REPLACE, USE, USE),
        # one that is not, none, and an expired one want another
        (SHORT, NOTHING, ENSURE, ASK_OTHER_TOOLS, ISSUE),
        (EXPIRED, NOTHING, ENSURE, ASK_OTHER_TOOLS, ISSUE),
        (None, NOTHING, ENSURE, ASK_OTHER_TOOLS, ISSUE),
        (STORED, NOTHING, RENEW, ASK_OTHER_TOOLS, ISSUE),
        (STORED, NOTHING, REPLACE, ASK_OTHER_TOOLS, ISSUE),
        # a rotation and a user's wish go straight to Kiwoom
        (STORED, NOTHING, ROTATE, ISSUE, ISSUE),
        (STORED, NOTHING, REFRESH, ISSUE, ISSUE),
        (STORED, NOTHING, REFRESH_ROTATING, ISSUE, ISSUE),
        # an answer that came while the caller waited is shared, a rotation's by everybody
        (STORED, JUST_ISSUED, REFRESH, USE, USE),
        (STORED, JUST_ISSUED, REFRESH_ROTATING, ISSUE, ISSUE),
        (STORED, JUST_ROTATED, REFRESH_ROTATING, USE, USE),
        (None, JUST_ISSUED, REFRESH, ISSUE, ISSUE),
        (STORED, failed(KeysRefused(NO), NOW + 1), REFRESH, FAIL, FAIL),
        (STORED, failed(KeysRefused(NO), NOW + 1), REFRESH_ROTATING, ISSUE, ISSUE),
        # the same token back is the last word until it expires, but not to a user
        (SHORT, SAME, ENSURE, ASK_OTHER_TOOLS, USE),
        (EXPIRED, SAME, ENSURE, ASK_OTHER_TOOLS, ISSUE),
        (SHORT, SAME, REFRESH, ISSUE, ISSUE),
        (SHORT, SAME, Request.replace(NOW, SHORT.value), ASK_OTHER_TOOLS, ISSUE),
        (SHORT, SAME, Request.renew(NOW, SHORT, rotate=False), ASK_OTHER_TOOLS, USE),
        (SHORT, SAME, Request.renew(NOW, SHORT, rotate=True), ISSUE, ISSUE),
        (SHORT, ROTATED_SAME, Request.renew(NOW, SHORT, rotate=True), USE, USE),
        # nobody asks twice because of one refused token
        (STORED, LastAttempt.succeeded(
            STORED, NOW - 10, STORED.value, is_same=True, is_rotation=False, replaced=[]
        ), REPLACE, ASK_OTHER_TOOLS, USE),
        (STORED, LastAttempt.succeeded(
            STORED, NOW - 61, STORED.value, is_same=True, is_rotation=False, replaced=[]
        ), REPLACE, ASK_OTHER_TOOLS, ISSUE),
        (STORED, failed(BrokerUnavailable(NO), NOW - 1, STORED.value), REPLACE, ASK_OTHER_TOOLS, FAIL),
        (STORED, failed(BrokerUnavailable(NO), NOW - 6, STORED.value), REPLACE, ASK_OTHER_TOOLS, ISSUE),
        # Kiwoom's own wait counts for everybody until it is over
        (None, WAIT, ENSURE, ASK_OTHER_TOOLS, FAIL),
        (STORED, WAIT, REFRESH, FAIL, FAIL),
        (None, failed(RateLimited(NO, retry_after=30.0), NOW - 29.5), ENSURE, ASK_OTHER_TOOLS, FAIL),
        (None, failed(RateLimited(NO, retry_after=30.0), NOW - 31), ENSURE, ASK_OTHER_TOOLS, ISSUE),
        # what is known of a token says nothing once that is gone
        (None, SAME, ENSURE, ASK_OTHER_TOOLS, ISSUE),
        (None, JUST_ISSUED, ENSURE, ASK_OTHER_TOOLS, ISSUE),
        # every unexpired token is enough for whoever asks for no time
        (MOMENT, NOTHING, Request.ensure(NOW, 0), USE, USE),
    ],
)  # fmt: skip
def test_decision(token: Token | None, last: LastAttempt, request_: Request, first: str, then: str) -> None:
    assert decide(token, last, request_, NOW).action is first
    assert decide(token, last, request_, NOW, asked_other_tools=True).action is then


@pytest.mark.parametrize(
    ("token", "request_", "action"), [(None, ENSURE, FAIL), (SHORT, ENSURE, ISSUE), (None, REFRESH, ISSUE)]
)
def test_without_a_token_nobody_but_a_user_ends_one_that_another_program_has_and_could_not_store(
    token: Token | None, request_: Request, action: str
) -> None:
    assert decide(token, NOTHING, request_, NOW, asked_other_tools=True, would_end_unsaved=True).action is action


@pytest.mark.parametrize(
    ("request_", "is_doubtful", "action"),
    [
        (ROTATE, True, Action.VERIFY),
        (ROTATE, False, ISSUE),  # Kiwoom has said that it works: it is revoked now
        (REFRESH_ROTATING, True, ISSUE),  # the user wants it revoked, whatever became of the first time
    ],
)
def test_a_rotation_after_a_lost_answer_finds_out_first_what_became_of_the_revoke(
    request_: Request, action: str, *, is_doubtful: bool
) -> None:
    assert decide(STORED, REVOKING, request_, NOW, is_doubtful=is_doubtful).action is action
    assert decide(STORED, NOTHING, ROTATE, NOW, is_doubtful=True).action is ISSUE


def test_what_became_of_the_revoke_does_not_matter_once_the_token_has_expired() -> None:
    last = LastAttempt.rotation_begun(EXPIRED, NOW - 10)
    assert decide(EXPIRED, last, ROTATE, NOW, is_doubtful=True).action is ISSUE


def test_a_wait_is_said_in_seconds_with_the_brokers_code() -> None:
    error = decide(None, WAIT, REFRESH, NOW).error
    assert isinstance(error, RateLimited)
    assert (error.code, error.retry_after) == ("1700", 29.0)
    assert "30 seconds" in str(error)


@pytest.mark.parametrize(
    ("token", "external", "request_", "is_better"),
    [
        (None, OTHER, ENSURE, True),
        (None, None, ENSURE, False),
        (EXPIRED, OTHER, ENSURE, True),
        (STORED, OTHER, ENSURE, True),  # it expires later
        (OTHER, token_for("third", 60, NOW), ENSURE, False),
        (STORED, STORED, ENSURE, False),
        (STORED, OTHER, REPLACE, True),
        (None, STORED, REPLACE, False),  # that is the refused one
        (STORED, token_for("third", 60, NOW), REPLACE, True),  # any is better than a refused one
        (STORED, token_for("third", DAY, NOW - 3600), ENSURE, False),
        (STORED, token_for("stored-token-of-a-test", 2 * DAY, NOW), ENSURE, False),  # the same token is no other
    ],
)
def test_another_tools_token_is_taken_when_it_serves_better(
    token: Token | None, external: Token | None, request_: Request, is_better: bool
) -> None:
    assert (better_of(token, external, request_) is not None) is is_better


@pytest.mark.parametrize(
    ("error", "failures", "age", "request_", "keys", "repeats"),
    [
        (BrokerUnavailable(NO), 1, 1, ENSURE, "real:abc", False),  # one failure keeps nobody from asking
        (BrokerUnavailable(NO), 2, 1, ENSURE, "real:abc", True),
        (BrokerUnavailable(NO), 2, 6, ENSURE, "real:abc", False),
        (BrokerUnavailable(NO), 3, 6, ENSURE, "real:abc", True),
        (BrokerUnavailable(NO), 20, 59, ENSURE, "real:abc", True),
        (BrokerUnavailable(NO), 20, 61, ENSURE, "real:abc", False),  # never longer than a minute
        (BrokerUnavailable(NO), 20, 1, REFRESH, "real:abc", False),  # a user is never kept from asking
        (KeysRefused(NO), 2, 14, ENSURE, "real:abc", True),
        (KeysRefused(NO), 2, 16, ENSURE, "real:abc", False),
        (KeysRefused(NO), 2, 1, ENSURE, "real:other", False),  # other keys may succeed
    ],
)
def test_a_remembered_failure_is_repeated_for_a_short_while(
    error: Exception, failures: int, age: float, request_: Request, keys: str, *, repeats: bool
) -> None:
    last = failed(error, NOW - age, failures=failures)  # type: ignore[arg-type]
    assert (failure_to_repeat(last, request_, keys, NOW) is not None) is repeats


def test_a_repeated_failure_says_that_it_is_a_pause_and_until_when() -> None:
    last = failed(BrokerUnavailable(NO, code="1999"), NOW - 1.5, failures=3)
    repeated = failure_to_repeat(last, ENSURE, "real:abc", NOW)

    assert isinstance(repeated, BrokerUnavailable)
    assert repeated.pause_seconds == 9
    assert str(repeated) == say(repeated)
    assert say(repeated).endswith("[1999] After these failures Kiwoom is not asked for another 9 s.")


@pytest.mark.parametrize(
    ("failure", "ends"),
    [(BrokerUnavailable(NO), True), (BrokerUnavailable(NO, code="1999"), False), (RateLimited(NO), False)],
)
def test_another_way_to_kiwoom_ends_the_pause_unless_kiwoom_itself_answered(failure: BrokerError, ends: bool) -> None:
    last = failed(failure, NOW - 1, failures=3)

    assert (failure_to_repeat(last, ENSURE, "real:abc", NOW, "by-another-proxy") is None) is ends
