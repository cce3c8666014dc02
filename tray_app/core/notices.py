"""What a notice says, in the current language: for a bubble on the desktop and for a line in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tray_app.core.language import say, tr
from tray_app.core.renewal_schedule import NoticeKind
from tray_app.core.wording import duration, korean_time

if TYPE_CHECKING:
    from tray_app.core.renewal_schedule import Notice


def notice_text(notice: Notice, now: float) -> tuple[str, str]:
    """Title and body; `now` in seconds of the epoch."""
    end = korean_time(notice.expires, now)
    match notice.kind:
        case NoticeKind.ENDING:
            title = tr("The Kiwoom token ends in {duration}", duration=duration(round(notice.expires - now)))
            return title, tr("It ends {time} (KST).", time=end)
        case NoticeKind.ENDED:
            body = tr("It ended {time} (KST).", time=end)
            return tr("The Kiwoom token has expired"), body if notice.error is None else f"{body} {say(notice.error)}"
        case NoticeKind.FAILED:
            return tr("Renewing the Kiwoom token fails"), _reason(notice, now)
        case NoticeKind.STOPPED:
            return tr("The token cannot be renewed"), _reason(notice, now)
        case NoticeKind.RECOVERED:
            return tr("The Kiwoom token is good again"), tr("It lives until {time} (KST).", time=end)
        case NoticeKind.NOT_ROTATED:
            return tr("Kiwoom gave the revoked token back"), tr("From now on it is renewed after its end.")
        case NoticeKind.TRADING_HOURS:
            body = tr("It ends {time} (KST). Rotate it tonight to avoid that.", time=end)
            return tr("The token will end while the market is open"), body


def _reason(notice: Notice, now: float) -> str:
    """Why, and how long there is time to mend it."""
    reason = "" if notice.error is None else say(notice.error)
    if not notice.expires:
        return reason
    end = korean_time(notice.expires, now)
    life = tr("There is no living token.") if notice.expires <= now else tr("The token ends {time} (KST).", time=end)
    return f"{reason} {life}"
