"""When to renew a token and when to tell the user something about it: both schedules, fed with the same events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tray_app.core.clock import earliest
from tray_app.core.notice_schedule import NoticeSchedule
from tray_app.core.renewal_schedule import RenewalSchedule

if TYPE_CHECKING:
    from collections.abc import Callable

    from tray_app.core.errors import KiwoomTokenError
    from tray_app.core.notices import Notice
    from tray_app.core.renewal_schedule import Due
    from tray_app.core.token import Token


class TokenSchedule:
    """Feed a `RenewalSchedule` and a `NoticeSchedule` with what became of one profile's token.

    Ask `due` first, and `notices` after what came of it: a request that succeeds makes its warning unnecessary.
    """

    def __init__(
        self,
        policy: str,
        renew_before: float,
        warn_before: tuple[int, ...],
        random: Callable[[], float],
        *,
        quiet_hours: tuple[int, int] | None = None,
        mode: str = "real",
    ) -> None:
        self.renewal = RenewalSchedule(policy, renew_before, random, mode)
        self._notices = NoticeSchedule(self.renewal, warn_before, quiet_hours)

    @property
    def renew_at(self) -> float | None:
        """When Kiwoom is asked next, in seconds of the epoch, or None."""
        return self.renewal.renew_at

    @property
    def stopped_by(self) -> KiwoomTokenError | None:
        """Why Kiwoom is not asked again before the user has helped, or None."""
        return self.renewal.stopped_by

    @property
    def snoozed_until(self) -> float | None:
        """When warnings are due again, in seconds of the epoch, or None."""
        return self._notices.snoozed_until

    def reconfigure(
        self,
        policy: str,
        renew_before: float,
        warn_before: tuple[int, ...],
        quiet_hours: tuple[int, int] | None,
        now: float,
    ) -> None:
        """Apply other settings and plan again. What was reported is not repeated."""
        self._notices.reconfigure(warn_before, quiet_hours, now)
        self.renewal.reconfigure(policy, renew_before, now)

    @property
    def rotate_at(self) -> float | None:
        """When the token is revoked and reissued, if that is what is done next, in seconds of the epoch, or None."""
        return self.renewal.renew_at if self.renewal.rotates_next else None

    def plan_rotation(self, at: float | None) -> None:
        """Revoke and reissue the token once at that instant, whatever the policy; None drops the plan."""
        self.renewal.planned.take(at)

    def snooze(self, until: float, now: float) -> None:
        """Show no warnings before `until`, or before there is another token; a time that has passed ends the snooze."""
        self._notices.snooze(until, now)

    def saw(self, token: Token | None, now: float, *, interrupted: bool = False, died: bool = False) -> None:
        """Take note of what the store has now.

        With `interrupted` the last token was revoked by a rotation that never finished; with `died` Kiwoom said that it
        does not work.
        """
        self._notices.saw(token, self.renewal.saw(token, now, interrupted=interrupted, died=died), now)

    def died(self, token: Token) -> None:
        """Take note that the token which another one replaces had stopped working before its expiry."""
        self._notices.died(token)

    def answered(self, token: Token, now: float, *, same: bool, rotated: bool = False) -> None:
        """Take note of the token that Kiwoom gave; `same` when it is the one that was there, with the same expiry,
        `rotated` when that one was revoked first."""
        seen, in_vain = self.renewal.answered(token, now, same=same, rotated=rotated)
        self._notices.saw(token, seen, now)
        self._notices.answered(token, now, in_vain=in_vain)

    @property
    def is_failing(self) -> bool:
        """True if the last request for a token failed."""
        return self.renewal.failures > 0

    def failed(self, error: KiwoomTokenError, now: float, *, rotating: bool = False, is_doubtful: bool = False) -> bool:
        """Take note of a request that failed; return True if that endangers the token, see `RenewalSchedule.failed`."""
        is_danger = self.renewal.failed(error, now, rotating=rotating, is_doubtful=is_doubtful)
        if is_danger:
            self._notices.failed(error, now)
        return is_danger

    def unreadable(self, error: KiwoomTokenError, *, is_repeated: bool) -> None:
        """Take note that the store cannot be read, while no token is known; `is_repeated` from the second time on."""
        self._notices.unreadable(error, is_repeated=is_repeated)

    def readable(self) -> None:
        """Take note that the store can be read."""
        self._notices.readable()

    def stored(self, error: KiwoomTokenError | None) -> None:
        """Take note that the token was stored, or why it was not."""
        self._notices.stored(error)

    def cleared(self) -> None:
        """Take note that the user cleared the token, and wants none for now."""
        self.renewal.cleared()
        self._notices.cleared()

    def resume(self, now: float) -> None:
        """Try again now: the user has solved what renewal stopped for."""
        if self.renewal.stopped_by is not None:
            self.renewal.resume(now)
            self._notices.resume()

    def due(self, now: float) -> Due | None:
        """Return what to ask Kiwoom for now, or None."""
        return self.renewal.due(now)

    def notices(self, now: float) -> list[Notice]:
        """Return what to tell the user now, each once, and only what is still true."""
        return self._notices.notices(now)

    def still_true(self, notice: Notice, now: float) -> bool:
        """Return True if a notice that was shown may stay on the screen."""
        return self._notices.still_true(notice, now)

    def next_moment(self, now: float) -> float | None:
        """Return when something will be due next, in seconds of the epoch, or None."""
        renew_at = self.renewal.renew_at
        return earliest(None if renew_at is None else max(now, renew_at), self._notices.next_moment(now))
