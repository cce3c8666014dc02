"""The words of each notice, the same for a bubble and for a terminal."""

from __future__ import annotations

from datetime import datetime

import pytest

from tray_app.core.errors import KeysRefused
from tray_app.core.notices import Notice, NoticeKind, notice_text
from tray_app.core.token import KST

NOW = datetime(2026, 11, 23, 7, 2, tzinfo=KST).timestamp()
REFUSED = KeysRefused("Refused.", code="8050")


@pytest.mark.parametrize(
    ("notice", "title", "body"),
    [
        (Notice(NoticeKind.ENDING, NOW + 600), "The Kiwoom token ends in 10 min", "It ends 07:12 (KST)."),
        (Notice(NoticeKind.ENDED, NOW - 3600 * 8), "The Kiwoom token has expired", "It ended yesterday 23:02 (KST)."),
        (
            Notice(NoticeKind.ENDED, NOW - 120, REFUSED),
            "The Kiwoom token has expired",
            "It ended 07:00 (KST). Refused. [8050]",
        ),
        (
            Notice(NoticeKind.FAILED, NOW + 600, REFUSED),
            "Renewing the Kiwoom token fails",
            "Refused. [8050] The token ends 07:12 (KST).",
        ),
        (
            Notice(NoticeKind.FAILED, NOW - 1, REFUSED),
            "Renewing the Kiwoom token fails",
            "Refused. [8050] There is no living token.",
        ),
        (Notice(NoticeKind.STOPPED, error=REFUSED), "The token cannot be renewed", "Refused. [8050]"),
        (
            Notice(NoticeKind.RECOVERED, NOW + 86400),
            "The Kiwoom token is good again",
            "It lives until tomorrow 07:02 (KST).",
        ),
        (
            Notice(NoticeKind.TRADING_HOURS, NOW + 90000),
            "The token will end while the market is open",
            "It ends tomorrow 08:02 (KST). Rotate it tonight to avoid that.",
        ),
        (
            Notice(NoticeKind.NOT_ROTATED, NOW),
            "Kiwoom gave the revoked token back",
            "From now on it is renewed after its end.",
        ),
    ],
)
def test_each_notice_says_what_happened_and_when_it_ends(notice: Notice, title: str, body: str) -> None:
    assert notice_text(notice, NOW) == (title, body)


def test_no_kind_is_without_words() -> None:
    titles = {notice_text(Notice(kind, NOW, REFUSED), NOW)[0] for kind in NoticeKind}
    assert len(titles) == len(NoticeKind)
