"""What the user can be told about a token, and in which words: in a bubble on the desktop or a line in a terminal."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from tray_app.core.errors import KeyringUnavailable, KeysMissing, Remedy, say
from tray_app.core.language import joined, tr
from tray_app.core.wording import duration, keyring_name, korean_clock, korean_time

if TYPE_CHECKING:
    from tray_app.core.errors import KiwoomTokenError


_IP_NOT_REGISTERED = "8050"


class NoticeKind(StrEnum):
    """What a notice is about."""

    EXPIRING = "expiring"
    EXPIRED = "expired"
    FAILED = "failed"
    """Renewing fails and is tried again. Reported once until it succeeds: at the second failure in a row, or at the
    first when the next try is not soon."""
    STOPPED = "stopped"
    """Renewing failed for something that only the user can solve."""
    RECOVERED = "recovered"
    """The token is valid again after a reported failure, stop or expiry."""
    TRADING_HOURS = "trading-hours"
    """The token will expire while the market is open; reported the evening before."""
    NOT_STORED = "not-stored"
    """The token could not be stored, and that needs the user: it ends with this program."""
    NOT_ROTATED = "not-rotated"
    """Kiwoom gave the revoked token back."""
    PLAN_DROPPED = "plan-dropped"
    """A planned reissue was refused or its moment missed, and the token is what it was."""
    DIED = "died"
    """The token stopped working before its expiry. Reported once there is another, or when none will come soon."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to tell the user. `expires` is the token's expiry in seconds of the epoch, 0 without a token.

    `error` is why there is no next token yet, if Kiwoom or a store was asked for it in vain. Urgent are the last
    warning, the expiry, a stop, and a failure with less than ten minutes left. `dead_expires` is when a token that died
    would have expired; `expires` is then that of the new one, 0 while there is none. `is_planned` tells that the next
    token will be issued by itself. `planned_at` is when the reissue that was dropped should have been.
    """

    kind: NoticeKind
    expires: float = 0.0
    error: KiwoomTokenError | None = None
    urgent: bool = False
    dead_expires: float = 0.0
    is_planned: bool = False
    planned_at: float = 0.0


def notice_text(notice: Notice, now: float, why: str = "") -> tuple[str, str]:
    """Return title and body in the current language; `now` in seconds of the epoch.

    Desktops cut a title after some 45 letters, the account in front of it included, so what must be read comes first.

    `why` says what went wrong, for those who can word it better than the notice's error does.
    """
    why = why or ("" if notice.error is None else say(notice.error))
    end = korean_time(notice.expires, now)
    match notice.kind:
        case NoticeKind.EXPIRING:
            seconds = round(notice.expires - now)
            left = duration(seconds if seconds < 60 else round(seconds / 60) * 60)  # a warning that is a moment late
            title = tr("Kiwoom token expires at {time}", time=korean_clock(notice.expires))
            if why:
                body = joined(tr("{duration} left.", duration=left), why)
            elif notice.is_planned:
                body = tr(
                    "{duration} left. It will be reissued automatically right after it expires. Nothing to do.",
                    duration=left,
                )
            else:
                body = tr("{duration} left. Automatic renewal is off. Reissue it in time.", duration=left)
            return title, body
        case NoticeKind.EXPIRED:
            body = tr("It expired at {time} (KST).", time=end)
            return tr("The Kiwoom token has expired"), joined(body, why)
        case NoticeKind.FAILED:
            return tr("Token could not be renewed"), _reason(notice, now, why)
        case NoticeKind.STOPPED:
            return _what_to_do(notice), _reason(notice, now, why)
        case NoticeKind.NOT_STORED:
            return tr("Token could not be stored"), _reason(notice, now, why)
        case NoticeKind.RECOVERED:
            return tr("The Kiwoom token works again"), tr("It is valid until {time} (KST).", time=end)
        case NoticeKind.NOT_ROTATED:
            return tr("Revoked token came back"), tr(
                "From now on it is reissued right after it expires. Nothing to do."
            )
        case NoticeKind.PLAN_DROPPED:
            planned = tr("It was planned for {time} (KST).", time=korean_time(notice.planned_at, now))
            why = why or tr("That was missed, and no valid token is revoked during trading hours.")
            life = tr("The token expires at {time} (KST).", time=end) if notice.expires > now else ""
            return tr("Planned reissue not done"), joined(planned, why, life)
        case NoticeKind.DIED:
            title = tr("Token stopped working early")
            until = korean_time(notice.dead_expires, now)
            if notice.expires:
                return title, tr(
                    "It should have been valid until {time} (KST). A new one was issued, which expires at {end}. "
                    "There is nothing to do.",
                    time=until,
                    end=end,
                )
            if why:
                told = tr("It should have been valid until {time} (KST).", time=until)
                return title, joined(told, why)
            return title, tr("It should have been valid until {time} (KST). Issue a new one.", time=until)
        case NoticeKind.TRADING_HOURS:
            body = tr("It expires at {time} (KST). Reissue it before the market opens to avoid that.", time=end)
            return tr("Expires during trading hours"), body


def _what_to_do(notice: Notice) -> str:
    """Return the title of a notice that renewal has stopped: what the user has to do."""
    match Remedy.NONE if notice.error is None else notice.error.remedy:
        case Remedy.ENTER_KEYS if isinstance(notice.error, KeysMissing):
            return tr("Enter the Kiwoom app key")
        case Remedy.ENTER_KEYS:
            return tr("Check the Kiwoom app key")
        case Remedy.SWITCH_MODE:
            return tr("Key is for the other mode")
        case Remedy.OPEN_PORTAL if notice.error is not None and notice.error.code == _IP_NOT_REGISTERED:
            return tr("Register this IP at Kiwoom")
        case Remedy.OPEN_PORTAL:
            return tr("Check the IP registration")
        case Remedy.UNLOCK_KEYRING:
            return tr("Unlock {keyring}", keyring=keyring_name())
        case Remedy.ROTATE:
            return tr("Reissue the Kiwoom token")
        case Remedy.SHOW_FILE:
            return tr("Correct or remove a file")
        case Remedy.CHOOSE_FOLDER | Remedy.CHOOSE_STORE:
            return tr("Store the token elsewhere")
        case _:
            return tr("Token renewal has stopped")


def _reason(notice: Notice, now: float, why: str) -> str:
    """Return why, and how much time is left to solve it."""
    if notice.dead_expires:
        return joined(tr("The token stopped working before its expiry."), why)
    error = notice.error
    if notice.expires <= now and isinstance(error, KeyringUnavailable) and error.problem in error.HIDE_TOKEN:
        return why  # nobody knows whether there is one
    if notice.expires <= now:
        life = tr("There is no valid token.")
    else:
        life = tr("The token expires at {time} (KST).", time=korean_time(notice.expires, now))
    return joined(why, life)
