"""The words of each notice, the same for a bubble and for a terminal."""

from __future__ import annotations

from datetime import datetime

import pytest

from tray_app.core.errors import KeysMissing, KeysRefused, Remedy
from tray_app.core.language import use
from tray_app.core.notices import Notice, NoticeKind, notice_text
from tray_app.core.token import KST

NOW = datetime(2026, 11, 23, 7, 2, tzinfo=KST).timestamp()
REFUSED = KeysRefused("Refused.", code="8050")


@pytest.mark.parametrize(
    ("notice", "title", "body"),
    [
        (
            Notice(NoticeKind.EXPIRING, NOW + 600),
            "Kiwoom token expires at 07:12",
            "10 min left. Automatic renewal is off. Reissue it in time.",
        ),
        (
            Notice(NoticeKind.EXPIRING, NOW + 597),
            "Kiwoom token expires at 07:11",
            "10 min left. Automatic renewal is off. Reissue it in time.",
        ),
        (
            Notice(NoticeKind.EXPIRING, NOW + 45),
            "Kiwoom token expires at 07:02",
            "45 s left. Automatic renewal is off. Reissue it in time.",
        ),
        (
            Notice(NoticeKind.EXPIRING, NOW + 600, is_planned=True),
            "Kiwoom token expires at 07:12",
            "10 min left. It will be reissued automatically right after it expires. Nothing to do.",
        ),
        (
            Notice(NoticeKind.EXPIRED, NOW - 3600 * 8),
            "The Kiwoom token has expired",
            "It expired at 23:02 yesterday (KST).",
        ),
        (
            Notice(NoticeKind.EXPIRED, NOW - 120, REFUSED),
            "The Kiwoom token has expired",
            "It expired at 07:00 (KST). Refused. [8050]",
        ),
        (
            Notice(NoticeKind.FAILED, NOW + 600, REFUSED),
            "Token could not be renewed",
            "Refused. [8050] The token expires at 07:12 (KST).",
        ),
        (
            Notice(NoticeKind.FAILED, NOW - 1, REFUSED),
            "Token could not be renewed",
            "Refused. [8050] There is no valid token.",
        ),
        (
            Notice(NoticeKind.STOPPED, error=REFUSED),
            "Check the Kiwoom app key",
            "Refused. [8050] There is no valid token.",
        ),
        (
            Notice(NoticeKind.RECOVERED, NOW + 86400),
            "The Kiwoom token works again",
            "It is valid until 07:02 tomorrow (KST).",
        ),
        (
            Notice(NoticeKind.TRADING_HOURS, NOW + 90000),
            "Expires during trading hours",
            "It expires at 08:02 tomorrow (KST). Reissue it before the market opens to avoid that.",
        ),
        (
            Notice(NoticeKind.DIED, error=REFUSED, dead_expires=NOW + 90000),
            "Token stopped working early",
            "It should have been valid until 08:02 tomorrow (KST). Refused. [8050]",
        ),
        (
            Notice(NoticeKind.STOPPED, error=REFUSED, dead_expires=NOW + 90000),
            "Check the Kiwoom app key",
            "The token stopped working before its expiry. Refused. [8050]",
        ),
        (
            Notice(NoticeKind.NOT_ROTATED, NOW),
            "Revoked token came back",
            "From now on it is reissued right after it expires. Nothing to do.",
        ),
        (
            Notice(NoticeKind.PLAN_DROPPED, NOW + 86400, planned_at=NOW - 3600),
            "Planned reissue not done",
            "It was planned for 06:02 (KST). That was missed, and no valid token is revoked during trading hours. "
            "The token expires at 07:02 tomorrow (KST).",
        ),
        (
            Notice(NoticeKind.PLAN_DROPPED, NOW + 86400, REFUSED, planned_at=NOW - 3600),
            "Planned reissue not done",
            "It was planned for 06:02 (KST). Refused. [8050] The token expires at 07:02 tomorrow (KST).",
        ),
        (
            Notice(NoticeKind.PLAN_DROPPED, NOW - 60, REFUSED, planned_at=NOW - 3600),
            "Planned reissue not done",
            "It was planned for 06:02 (KST). Refused. [8050]",
        ),
    ],
)
def test_each_notice_says_what_happened_and_when_it_ends(notice: Notice, title: str, body: str) -> None:
    assert notice_text(notice, NOW) == (title, body)


def test_no_kind_is_without_words() -> None:
    titles = {notice_text(Notice(kind, NOW, REFUSED), NOW)[0] for kind in NoticeKind}
    assert len(titles) == len(NoticeKind)


@pytest.mark.parametrize(
    ("remedy", "title"),
    [
        (Remedy.ENTER_KEYS, "Check the Kiwoom app key"),
        (Remedy.SWITCH_MODE, "Key is for the other mode"),
        (Remedy.OPEN_PORTAL, "Check the IP registration"),
        (Remedy.UNLOCK_KEYRING, "Unlock "),
        (Remedy.ROTATE, "Reissue the Kiwoom token"),
        (Remedy.NONE, "Token renewal has stopped"),
    ],
)
def test_notice_that_renewal_has_stopped_says_what_to_do(remedy: str, title: str) -> None:
    notice = Notice(NoticeKind.STOPPED, error=KeysRefused("Refused.", remedy=remedy))
    assert notice_text(notice, NOW)[0].startswith(title)


def test_notice_about_an_ip_names_it() -> None:
    notice = Notice(NoticeKind.STOPPED, error=KeysRefused("Refused.", code="8050", remedy=Remedy.OPEN_PORTAL))
    assert notice_text(notice, NOW)[0] == "Register this IP at Kiwoom"


def test_notice_that_there_are_no_keys_asks_for_them() -> None:
    notice = Notice(NoticeKind.STOPPED, error=KeysMissing("There are none."))
    assert notice_text(notice, NOW)[0] == "Enter the Kiwoom app key"


@pytest.mark.parametrize("kind", [NoticeKind.FAILED, NoticeKind.STOPPED, NoticeKind.NOT_STORED])
@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("expires", [0.0, NOW + 600])
def test_a_command_in_a_notice_has_nothing_behind_it(kind: NoticeKind, language: str, expires: float) -> None:
    use(language)
    missing = KeysMissing(
        "There are no app keys for {mode}. Enter them with: {command}",
        mode="real trading",
        command="kiwoom-token login",
    )

    assert notice_text(Notice(kind, expires, missing), NOW)[1].endswith(": kiwoom-token login")
