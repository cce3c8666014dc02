"""What there is to show about one profile's token: one immutable value that everything on a screen renders."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from tray_app.core.token import BUFFER_SECONDS

if TYPE_CHECKING:
    from tray_app.core.errors import KiwoomTokenError


class Life(StrEnum):
    """How much life a token has left; the value is the `state` of `kiwoom-token status`."""

    NONE = "none"
    VALID = "valid"
    ENDING = "ending"
    """It lives, but has less than the seed's five minutes left."""
    EXPIRED = "expired"


class Action(StrEnum):
    """What is being done with the token this moment."""

    LOOK = "look"
    REFRESH = "refresh"
    ROTATE = "rotate"
    CLEAR = "clear"
    REVOKE = "revoke"
    UNLOCK = "unlock"


class Result(StrEnum):
    """How the last thing that was done ended."""

    ISSUED = "issued"
    SAME = "same"
    ADOPTED = "adopted"
    CLEARED = "cleared"
    REVOKED = "revoked"
    ALREADY_DEAD = "already-dead"
    GONE = "gone"
    """Another program took the token away."""
    KEPT = "kept"
    """It was to be cleared, but the one that is there belongs to other keys."""
    UNLOCKED = "unlocked"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class LastResult:
    """`at` is in seconds of the epoch; `error` is set when `result` is `FAILED`."""

    result: Result
    at: float
    error: KiwoomTokenError | None = None


@dataclass(frozen=True, slots=True)
class TokenState:
    """Instants are seconds of the epoch (UTC). The token itself is not in here.

    `place` is where the token rests (`keyring`, `file`, `redis`, `memory`), `place_path` the file's path if it is one,
    `place_problem` why it is not the keyring, or what is wrong with Redis (the `problem` of `KeyringUnavailable` and
    `RedisUnavailable`), or empty.
    `renew_at` is when the program will ask Kiwoom by itself, or None; `stopped` says that it will not,
    because the last error does not mend itself. `skew_seconds` is Kiwoom's clock minus this computer's.
    `snoozed_until` is when warnings are told again, or None.
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
    busy: Action | None = Action.LOOK
    last: LastResult | None = None
    renew_at: float | None = None
    stopped: bool = False
    skew_seconds: float | None = None
    snoozed_until: float | None = None

    def life(self, now: float) -> Life:
        return life_of(self.expires, now)

    def remaining(self, now: float) -> float:
        """Seconds of life left, 0 when there is none."""
        return 0.0 if self.expires is None else max(0.0, self.expires - now)

    def fraction(self, now: float) -> float:
        """The part of the token's life that is left, 0 to 1."""
        if self.expires is None or self.created is None or self.expires <= self.created:
            return 0.0
        return min(1.0, self.remaining(now) / (self.expires - self.created))


def life_of(expires: float | None, now: float) -> Life:
    if expires is None:
        return Life.NONE
    if expires <= now:
        return Life.EXPIRED
    return Life.VALID if expires - now >= BUFFER_SECONDS else Life.ENDING
