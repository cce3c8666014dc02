"""What there is to show of one profile's token: one immutable value, from which every window, icon and line is made."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from tray_app.core.token import BUFFER_SECONDS

if TYPE_CHECKING:
    from tray_app.core.errors import KiwoomTokenError


class Life(StrEnum):
    """How long a token is still valid; the value is the `state` of `kiwoom-token status`."""

    NONE = "none"
    VALID = "valid"
    ENDING = "ending"
    """It is valid, but for less than five minutes."""
    EXPIRED = "expired"
    DEAD = "dead"
    """Kiwoom said that it does not work, before its expiry; there is no other yet."""
    UNCONFIRMED = "unconfirmed"
    """It has not expired, but there is evidence against it that was not settled with Kiwoom."""


class Action(StrEnum):
    """What is being done with the token at this moment."""

    READ = "read"
    REFRESH = "refresh"
    ROTATE = "rotate"
    CLEAR = "clear"
    REVOKE = "revoke"
    UNLOCK = "unlock"
    VERIFY = "verify"


class Result(StrEnum):
    """How the last action with the token ended."""

    ISSUED = "issued"
    SAME = "same"
    ADOPTED = "adopted"
    CLEARED = "cleared"
    CLEARED_EXPIRED = "cleared-expired"
    REVOKED = "revoked"
    ALREADY_DEAD = "already-dead"
    GONE = "gone"
    """Another program cleared the token."""
    KEPT = "kept"
    """A clear left the stored token alone, because it belongs to other keys."""
    UNLOCKED = "unlocked"
    PLANNED = "planned"
    """The token will be revoked and reissued at a time that was chosen."""
    CONFIRMED = "confirmed"
    """Kiwoom said that the token works."""
    DIED = "died"
    """Kiwoom said that the token does not work, before its expiry."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class LastResult:
    """How the last action ended, `at` in seconds of the epoch.

    `error` is why, when `result` is `FAILED`; for a new token, why it could not be stored. `replaces_dead` tells that
    the token before had stopped working before its expiry, `is_once` that what failed is not tried again with the next
    renewal, and `action` what it was, where that is known.
    """

    result: Result
    at: float
    error: KiwoomTokenError | None = None
    replaces_dead: bool = False
    is_once: bool = False
    action: Action | None = None

    @property
    def is_failed_check(self) -> bool:
        """True if Kiwoom did not say whether the token works."""
        return self.result is Result.FAILED and self.action is Action.VERIFY


@dataclass(frozen=True, slots=True)
class TokenState:
    """What is known about the token, without the token itself. Instants are seconds of the epoch (UTC).

    `place` is where the token is stored (`keyring`, `file`, `redis`, `memory`), `place_path` the file's path or the
    Redis address, and `place_problem` why it is not the keyring or what is wrong with Redis (the `problem` of
    `KeyringUnavailable` and `RedisUnavailable`), or empty; `hides_token` tells that the keyring most likely has a token
    and does not show it. `renew_at` is when the program will ask Kiwoom by itself, or None, and `rotate_at` the same if
    it revokes the token first, by the policy or because somebody planned it; `stopped_by` is the error of the last
    request if that needs the user, so that the program will not ask, or only to see if it is solved; a check since then
    has a result of its own in `last`. `confirmed_at` is when Kiwoom last said that the
    token works, `is_doubtful` whether there is evidence against it since. Without a token, `dead_at` is when the one
    before was found dead, which would have been valid until `dead_expires`. `skew_seconds` is Kiwoom's clock minus this
    computer's. `snoozed_until` is when warnings are shown again, or None.
    """

    profile: str
    mode: str
    policy: str = "auto"
    sandbox: bool = False
    expires: float | None = None
    created: float | None = None
    place: str = ""
    place_path: str = ""
    place_problem: str = ""
    hides_token: bool = False
    busy: Action | None = Action.READ
    last: LastResult | None = None
    renew_at: float | None = None
    rotate_at: float | None = None
    stopped_by: KiwoomTokenError | None = None
    skew_seconds: float | None = None
    snoozed_until: float | None = None
    confirmed_at: float | None = None
    is_doubtful: bool = False
    dead_at: float | None = None
    dead_expires: float | None = None

    def life(self, now: float) -> Life:
        """Return how long the token is still valid at `now`, as far as that is known."""
        return life_of(self.expires, now, is_dead=self.dead_at is not None, is_doubtful=self.is_doubtful)

    @property
    def error(self) -> KiwoomTokenError | None:
        """The error with which the last action ended, or None."""
        return None if self.last is None else self.last.error

    @property
    def stopped(self) -> bool:
        """True if Kiwoom is not asked for a token before the user has helped."""
        return self.stopped_by is not None

    @property
    def is_unread(self) -> bool:
        """True while the store was not read yet, so that it is unknown whether there is a token."""
        return self.expires is None and self.busy is Action.READ and self.last is None

    def remaining(self, now: float) -> float:
        """Return how many seconds the token is still valid, 0 without a valid one."""
        return 0.0 if self.expires is None else max(0.0, self.expires - now)


def life_of(expires: float | None, now: float, *, is_dead: bool = False, is_doubtful: bool = False) -> Life:
    """Return how long a token that expires at `expires` is still valid at `now`; None means no token.

    With `is_dead` the previous token was found dead; with `is_doubtful` there is evidence against the present one.
    """
    if expires is None:
        return Life.DEAD if is_dead else Life.NONE
    if expires <= now:
        return Life.EXPIRED
    if is_doubtful:
        return Life.UNCONFIRMED
    return Life.VALID if expires - now >= BUFFER_SECONDS else Life.ENDING
