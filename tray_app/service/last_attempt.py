"""The lock's note: how the last request to Kiwoom ended, for whoever waited for it or comes soon after."""

from __future__ import annotations

from tray_app.core import errors
from tray_app.core.errors import BrokerError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tray_app.core.secret import Secret
    from tray_app.core.token import Token

REFUSED_PAUSE_SECONDS = 60.0
"""How long nobody asks again because of one and the same refused token."""

FAILED_PAUSE_SECONDS = 5.0
"""The same after a failure that may pass by itself. `ensure` waits as long after a second failure in a row, and after
each that follows twice as long."""

LONGEST_PAUSE_SECONDS = 60.0
"""None of these pauses grows longer."""

KEYS_PAUSE_SECONDS = 15.0
"""How long `ensure` does not ask again with the same keys after a failure that does not pass by itself. No longer,
because what is wrong may be set right at Kiwoom meanwhile."""

_QUARREL = 3
"""So many living tokens of others that give way in a row are no change of mind any more."""

_LONGEST_WAIT_SECONDS = 3600.0
"""Nobody is made to wait longer: a longer wait stands only in a damaged note."""


class Note:
    """The note as it was read at `now`, in seconds of the epoch; one that is damaged or of the future tells nothing."""

    def __init__(self, fields: dict[str, Any], now: float) -> None:
        at = fields.get("at")
        trusted = isinstance(at, (int, float)) and at <= now  # after a clock set back it would hold for long
        self.fields = fields if trusted else {}
        self.at = float(self._number("at", -1.0))
        self.rotated = self.fields.get("rotated") is True

    @property
    def code(self) -> str | None:
        code = self.fields.get("code")
        return code if isinstance(code, str) else None

    def seconds_to_wait(self, now: float) -> float:
        """How long Kiwoom asked everybody to wait from `now` on; 0 when it did not, or when that is over."""
        wait = self._number("wait_until", 0.0) - now
        return wait if 0 < wait <= _LONGEST_WAIT_SECONDS else 0.0

    def raise_failure(self, now: float) -> None:
        """Raises for whoever waited the same failure that the request met, if it met one."""
        kind = self._kind
        message, values = self.fields.get("message"), self.fields.get("values")
        if not (isinstance(kind, type) and issubclass(kind, BrokerError) and isinstance(message, str)):
            return
        try:
            failure = kind(
                message,
                code=self.code,
                retry_after=self.seconds_to_wait(now) or None,
                remedy=str(self.fields.get("remedy")),
                **(values if isinstance(values, dict) else {}),
            )
            str(failure)
        except (TypeError, LookupError, ValueError, AttributeError):
            return  # not a note of this program
        raise failure

    def answers(self, started: float, *, rotate: bool) -> bool:
        """Whether it is about a request that whoever began to wait at `started` can share."""
        return self.at >= started and (self.rotated or not rotate) and self.fields.get("begun") is not True

    @property
    def revoking(self) -> str:
        """The fingerprint of the token that a rotation revoked before it had another, or nothing."""
        revoking = self.fields.get("revoking")
        return revoking if isinstance(revoking, str) else ""

    def is_about_revoking(self, token: Token) -> bool:
        return bool(self.revoking) and self.revoking == token.value.fingerprint()

    def begun(self, revoking: str, now: float) -> dict[str, Any]:
        """The note of a rotation that begins now, which is no answer yet."""
        return {"at": now, "begun": True, "revoking": revoking}

    def finished(self) -> dict[str, Any]:
        """This note without what it says of a rotation."""
        return {name: value for name, value in self.fields.items() if name not in {"begun", "revoking"}}

    def is_about(self, token: Token) -> bool:
        return self.fields.get("token") == token.value.fingerprint()

    def is_final_answer_about(self, token: Token, now: float) -> bool:
        """Whether Kiwoom gave this same living token back: asking again before it ends brings nothing."""
        return self.fields.get("same") is True and self.is_about(token) and token.lives(now)

    def is_about_refused(self, refused: Secret, now: float) -> bool:
        """Whether Kiwoom was asked just now because of this very token."""
        pause = FAILED_PAUSE_SECONDS if self._may_pass else REFUSED_PAUSE_SECONDS
        return self.fields.get("refused") == refused.fingerprint() and now - self.at < pause

    @property
    def failures(self) -> int:
        """How many requests in a row have failed."""
        return int(self._number("failures", 0))

    def failures_until(self, now: float) -> int:
        """The same, where they are not over long since."""
        return self.failures if now - self.at < 2 * LONGEST_PAUSE_SECONDS else 0

    def is_too_soon(self, keys: str, now: float) -> bool:
        """Whether the last request failed so lately that another one, with keys of this fingerprint, is in vain."""
        pause = KEYS_PAUSE_SECONDS if self.fields.get("keys") == keys else 0.0
        if self._may_pass:
            pause = min(FAILED_PAUSE_SECONDS * 2 ** max(0, min(self.failures - 2, 10)), LONGEST_PAUSE_SECONDS)
        return now - self.at < pause

    @property
    def replaced(self) -> list[str]:
        """Whose living tokens, as they say themselves, gave way one after the other to those issued last."""
        replaced = self.fields.get("replaced")
        return [str(one) for one in replaced[-_QUARREL:]] if isinstance(replaced, list) else []

    def is_quarrel(self, own: str, now: float) -> bool:
        """Whether another account has just taken the profile once more from the one that is called `own`."""
        replaced = self.replaced
        return own in replaced[-1:] and len(replaced) >= _QUARREL and now - self.at < LONGEST_PAUSE_SECONDS

    @property
    def _kind(self) -> Any:
        """The type of the failure, as far as the note names one of ours."""
        return getattr(errors, str(self.fields.get("error")), None)

    @property
    def _may_pass(self) -> bool:
        return bool(getattr(self._kind, "retry", False))

    def _number(self, name: str, default: float) -> float:
        value = self.fields.get(name)
        return float(value) if isinstance(value, (int, float)) else default


def answer_note(
    token: Token, now: float, refused: Secret | None, *, same: bool, rotated: bool, replaced: list[str]
) -> dict[str, Any]:
    return {
        "at": now,
        "same": same,
        "rotated": rotated,
        "token": token.value.fingerprint(),
        "refused": refused and refused.fingerprint(),
        "replaced": replaced,
    }


def failure_note(
    error: BrokerError, now: float, refused: Secret | None, *, revoking: str, keys: str, failures: int
) -> dict[str, Any]:
    return {
        "at": now,
        "error": type(error).__name__,
        "message": error.message,
        "values": {name: value for name, value in error.values.items() if isinstance(value, (str, int, float))},
        "remedy": error.remedy,
        "code": error.code,
        "wait_until": now + error.retry_after if error.retry_after else 0.0,
        "refused": refused and refused.fingerprint(),
        "revoking": revoking,
        "keys": keys,
        "failures": failures,
    }
