"""The texts of notices in the current language, for the desktop and for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tray_app.core.errors import KeysMissing, Remedy
from tray_app.core.language import say, tr
from tray_app.core.renewal_schedule import NoticeKind
from tray_app.core.wording import duration, keyring_name, korean_time

if TYPE_CHECKING:
    from tray_app.core.renewal_schedule import Notice


def notice_text(notice: Notice, now: float) -> tuple[str, str]:
    """Return title and body; `now` is in epoch seconds."""
    end = korean_time(notice.expires, now)
    match notice.kind:
        case NoticeKind.ENDING:
            title = tr("The Kiwoom token expires in {duration}", duration=duration(round(notice.expires - now)))
            return title, tr("It expires {time} (KST).", time=end)
        case NoticeKind.ENDED:
            body = tr("It expired {time} (KST).", time=end)
            return tr("The Kiwoom token has expired"), body if notice.error is None else f"{body} {say(notice.error)}"
        case NoticeKind.FAILED:
            return tr("The Kiwoom token could not be renewed"), _reason(notice, now)
        case NoticeKind.STOPPED:
            return _what_to_do(notice), _reason(notice, now)
        case NoticeKind.RECOVERED:
            return tr("The Kiwoom token works again"), tr("It is valid until {time} (KST).", time=end)
        case NoticeKind.NOT_ROTATED:
            return tr("Kiwoom returned the revoked token"), tr("From now on it is reissued right after it expires.")
        case NoticeKind.TRADING_HOURS:
            body = tr("It expires {time} (KST). Reissue it before the market opens to avoid that.", time=end)
            return tr("The token will expire during trading hours"), body


def _what_to_do(notice: Notice) -> str:
    """Return the title of a notice that renewal has stopped: what ends that."""
    match Remedy.NONE if notice.error is None else notice.error.remedy:
        case Remedy.ENTER_KEYS if isinstance(notice.error, KeysMissing):
            return tr("Enter the Kiwoom app key")
        case Remedy.ENTER_KEYS:
            return tr("Check the Kiwoom app key")
        case Remedy.SWITCH_MODE:
            return tr("The Kiwoom app key is for the other mode")
        case Remedy.OPEN_PORTAL:
            return tr("Check the registration at Kiwoom")
        case Remedy.UNLOCK_KEYRING:
            return tr("Unlock {keyring}", keyring=keyring_name())
        case Remedy.ROTATE:
            return tr("Reissue the Kiwoom token")
        case _:
            return tr("The Kiwoom token cannot be renewed")


def _reason(notice: Notice, now: float) -> str:
    """Return why, and how much time is left to solve it."""
    reason = "" if notice.error is None else say(notice.error)
    if not notice.expires:
        return reason
    end = korean_time(notice.expires, now)
    life = tr("There is no valid token.") if notice.expires <= now else tr("The token expires {time} (KST).", time=end)
    return f"{reason} {life}"
