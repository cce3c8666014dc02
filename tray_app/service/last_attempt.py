"""How the last request to Kiwoom ended: one part of the lock's record.

Callers that waited for that request share its answer, and those that come soon after do not repeat a failure.
"""

from __future__ import annotations

from tray_app.core import errors
from tray_app.core.errors import BrokerError
from tray_app.core.language import is_message, msg

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from tray_app.core.secret import Secret
    from tray_app.core.token import Token

VERSION = 1
"""The version of the record. One of another version is ignored."""

REFUSED_PAUSE_SECONDS = 60.0
"""How long Kiwoom is not asked again because of the same refused token."""

FAILED_PAUSE_SECONDS = 5.0
"""The same after a failure that may pass by itself. `ensure` waits as long after a second failure in a row, and twice
as long after each that follows."""

LONGEST_PAUSE_SECONDS = 60.0
"""None of these pauses grows longer."""

KEYS_PAUSE_SECONDS = 15.0
"""How long `ensure` does not ask again with the same keys after a failure that does not pass by itself. No longer,
because the cause may be solved at Kiwoom meanwhile."""

LONGEST_WAIT_SECONDS = 3600.0
"""The longest wait that Kiwoom can ask for; only a damaged record has a longer one."""

CONTEST_LENGTH = 3
"""This many valid tokens of other accounts, replaced in a row, mean that two programs contest the profile."""

_UNKNOWN_FAILURE = msg("The last request to Kiwoom failed.")
_LONGEST_TEXT = 300
_LARGEST_WORDS = 1500
"""In bytes of JSON: the record has room for so much beside what is known about tokens, which matters more."""

_LARGEST_NUMBER = 1e15


class LastAttempt:
    """The last request to Kiwoom for one profile's token. Times are seconds of the epoch.

    `at`: when it ended, or began if it is the start of a rotation (`has_begun`). `token`: the fingerprint of the token
    that came back, `is_same` whether it was the stored one, and `ended_unsaved` that it could not be stored and ended
    another program's token which could not be stored either. `error`, `message`, `values`, `code`, `remedy`: the
    failure, if there was one. `retry_at`: until when Kiwoom asked to wait, or 0.
    `refused`: the fingerprint of the refused token that it was about. `revoking`: the fingerprint of a token that a
    rotation revoked before it had another. `keys`: the request's keys as in `Token.issued_for`. `route`: how Kiwoom was
    reached, as in `KeyBinding.route`. `failures`: how many failed in a row. `replaced`: whose valid tokens the last
    ones replaced. `skew`: Kiwoom's clock minus that of the computer which asked, in seconds; 0 if Kiwoom did not say.
    """

    __slots__ = (
        "at",
        "code",
        "ended_unsaved",
        "error",
        "failures",
        "has_begun",
        "is_rotation",
        "is_same",
        "keys",
        "message",
        "refused",
        "remedy",
        "replaced",
        "retry_at",
        "revoking",
        "route",
        "skew",
        "token",
        "values",
    )

    def __init__(
        self,
        at: float = -1.0,
        *,
        token: str = "",
        is_same: bool = False,
        ended_unsaved: bool = False,
        is_rotation: bool = False,
        has_begun: bool = False,
        error: str = "",
        message: str = "",
        values: Mapping[str, object] | None = None,
        code: str | None = None,
        remedy: str = "",
        retry_at: float = 0.0,
        refused: str = "",
        revoking: str = "",
        keys: str = "",
        route: str = "",
        failures: int = 0,
        replaced: tuple[str, ...] = (),
        skew: float = 0.0,
    ) -> None:
        self.at = at
        self.token = token
        self.is_same = is_same
        self.ended_unsaved = ended_unsaved
        self.is_rotation = is_rotation
        self.has_begun = has_begun
        self.error = error
        self.message = message
        self.values = dict(values or {})
        self.code = code
        self.remedy = remedy
        self.retry_at = retry_at
        self.refused = refused
        self.revoking = revoking
        self.keys = keys
        self.route = route
        self.failures = failures
        self.replaced = replaced
        self.skew = skew

    @classmethod
    def from_record(cls, record: Mapping[str, Any], now: float) -> LastAttempt:
        """Return the attempt in the record, as seen at `now`. A record that is damaged, of another version or from the
        future is no attempt.

        Whoever may write to the folder may have written the record: each value is checked and bounded.
        """
        at = _number(record, "at", -1.0)
        if record.get("version") != VERSION or not 0 <= at <= now:
            return cls()
        values, replaced = record.get("values"), record.get("replaced")
        return cls(
            at,
            token=_text(record, "token"),
            is_same=record.get("same") is True,
            ended_unsaved=record.get("killed") is True,
            is_rotation=record.get("rotated") is True,
            has_begun=record.get("begun") is True,
            error=_text(record, "error"),
            message=_text(record, "message"),
            values={name: one for name, one in values.items() if _is_value(name, one)}
            if isinstance(values, dict)
            else {},
            code=_text(record, "code") or None,
            remedy=_text(record, "remedy"),
            retry_at=_number(record, "wait_until"),
            refused=_text(record, "refused"),
            revoking=_text(record, "revoking"),
            keys=_text(record, "keys"),
            route=_text(record, "route"),
            failures=int(_number(record, "failures")),
            replaced=tuple(one for one in replaced[-CONTEST_LENGTH:] if isinstance(one, str))
            if isinstance(replaced, list)
            else (),
            skew=_number(record, "skew"),
        )

    @classmethod
    def succeeded(
        cls,
        token: Token,
        now: float,
        refused: Secret | None,
        *,
        is_same: bool,
        is_rotation: bool,
        replaced: list[str],
        ended_unsaved: bool = False,
        revoking: str = "",
        skew: float | None = None,
    ) -> LastAttempt:
        """Describe a request that brought `token`. `revoking` stays while the token could not be stored."""
        return cls(
            now,
            token=token.value.fingerprint(),
            is_same=is_same,
            ended_unsaved=ended_unsaved,
            is_rotation=is_rotation,
            refused=refused.fingerprint() if refused else "",
            revoking=revoking,
            replaced=tuple(replaced),
            skew=skew or 0.0,
        )

    @classmethod
    def failed(
        cls,
        error: BrokerError,
        now: float,
        refused: Secret | None,
        *,
        revoking: str,
        keys: str,
        failures: int,
        route: str = "",
    ) -> LastAttempt:
        """Describe a request that ended with `error`."""
        return cls(
            now,
            error=type(error).__name__,
            message=error.message,
            values=error.values,
            code=error.code,
            remedy=error.remedy,
            retry_at=now + error.retry_after if error.retry_after else 0.0,
            refused=refused.fingerprint() if refused else "",
            revoking=revoking,
            keys=keys,
            route=route,
            failures=failures,
        )

    @classmethod
    def failed_check(cls, error: BrokerError, token: Token, now: float) -> LastAttempt:
        """Describe a request that was to tell whether the token works, and did not."""
        return cls.failed(error, now, token.value, revoking="", keys="", failures=0)

    @classmethod
    def rotation_begun(cls, revoking: Token, now: float) -> LastAttempt:
        """Describe a rotation that is about to revoke that token, which is no answer yet."""
        return cls(now, has_begun=True, revoking=revoking.value.fingerprint())

    def without_rotation(self) -> LastAttempt:
        """Return the same attempt without what it says about a rotation."""
        return LastAttempt.from_record({**self.to_record(), "begun": False, "revoking": ""}, self.at)

    def to_record(self) -> dict[str, object]:
        """Return the JSON object for the lock's record, of bounded size. It never holds a secret."""
        return {
            "version": VERSION,
            "at": self.at,
            "token": self.token,
            "same": self.is_same,
            "killed": self.ended_unsaved,
            "rotated": self.is_rotation,
            "begun": self.has_begun,
            "error": self.error,
            **self._words(),
            "remedy": self.remedy,
            "wait_until": self.retry_at,
            "refused": self.refused,
            "revoking": self.revoking,
            "keys": self.keys,
            "route": self.route,
            "failures": self.failures,
            "replaced": list(self.replaced),
            "skew": self.skew,
        }

    def failure(self, now: float) -> BrokerError | None:
        """Return the failure that the request met, for whoever waited for it; None for an answer.

        Only sentences of this program are repeated, filled with their own values.
        """
        kind = self._error_type
        if kind is None:
            return None
        import tray_app.kiwoom.broker  # noqa: F401 - marks the sentences that a failure may have

        message = self.message
        values = {name: value for name, value in self.values.items() if f"{{{name}}}" in message}
        try:
            is_ours = is_message(message) and bool(message.format(**values))
        except (LookupError, ValueError):  # the same sentence names other values in another version
            is_ours = False
        if not is_ours:
            message, values = _UNKNOWN_FAILURE, {}
        wait = self.seconds_to_wait(now) or None
        return kind(message, code=self.code, retry_after=wait, remedy=self.remedy, **values)

    def seconds_to_wait(self, now: float) -> float:
        """Return for how many seconds from `now` on Kiwoom asked everybody to wait; 0 when it did not, or when that is
        over."""
        wait = self.retry_at - now
        return wait if 0 < wait <= LONGEST_WAIT_SECONDS else 0.0

    def answers(self, waiting_since: float, *, rotate: bool) -> bool:
        """Return True if the attempt ended after the caller began to wait, and is what the caller waited for."""
        return self.at >= waiting_since and (self.is_rotation or not rotate) and not self.has_begun

    def is_about(self, token: Token) -> bool:
        """Return True if the attempt brought that token."""
        return bool(self.token) and self.token == token.value.fingerprint()

    def is_revoking(self, token: Token) -> bool:
        """Return True if a rotation revoked that token and has not finished."""
        return bool(self.revoking) and self.revoking == token.value.fingerprint()

    def is_final_about(self, token: Token, now: float) -> bool:
        """Return True if Kiwoom returned this same unexpired token: asking again before it expires is useless."""
        return self.is_same and self.is_about(token) and token.is_unexpired(now)

    def is_recent_about_refused(self, refused: Secret, now: float) -> bool:
        """Return True if Kiwoom was asked just now because of that very token."""
        pause = FAILED_PAUSE_SECONDS if self._may_pass else REFUSED_PAUSE_SECONDS
        return bool(self.refused) and self.refused == refused.fingerprint() and now - self.at < pause

    def failures_until(self, now: float) -> int:
        """Return how many requests in a row have failed; 0 when the last of them was long ago."""
        return self.failures if now - self.at < 2 * LONGEST_PAUSE_SECONDS else 0

    def pause_until(self, keys: str, route: str = "") -> float:
        """Return until when (epoch seconds) another request with the same `keys` by the same `route` would most likely
        fail like this one. What Kiwoom itself answered would be the same by any route."""
        if self.route != route and self._error_type is errors.BrokerUnavailable and not self.code:
            return self.at
        pause = KEYS_PAUSE_SECONDS if self.keys == keys else 0.0
        if self._may_pass:
            pause = min(FAILED_PAUSE_SECONDS * 2 ** max(0, min(self.failures - 2, 10)), LONGEST_PAUSE_SECONDS)
        return self.at + pause

    def is_contested(self, own: str, now: float) -> bool:
        """Return True if another account has just taken the profile from the account `own` once more."""
        is_again = own in self.replaced[-1:] and len(self.replaced) >= CONTEST_LENGTH
        return is_again and now - self.at < LONGEST_PAUSE_SECONDS

    def _words(self) -> dict[str, object]:
        """Return what the failure says, or where that is too long nothing of it but what kind it is."""
        import json

        values = {name: one for name, one in self.values.items() if _is_value(name, one)}
        words: dict[str, object] = {"message": self.message, "values": values, "code": self.code}
        if len(json.dumps(words)) <= _LARGEST_WORDS:
            return words
        return {"message": "", "values": {}, "code": None}

    @property
    def _error_type(self) -> type[BrokerError] | None:
        kind = getattr(errors, self.error, None) if self.error else None
        return kind if isinstance(kind, type) and issubclass(kind, BrokerError) else None

    @property
    def _may_pass(self) -> bool:
        return self._error_type is not None and self._error_type.retry


def _number(record: Mapping[str, Any], name: str, default: float = 0.0) -> float:
    value: Any = record.get(name)
    return float(value) if _is_number(value) else default


def _text(record: Mapping[str, Any], name: str) -> str:
    value = record.get(name)
    return value if isinstance(value, str) and value.isprintable() and len(value) <= _LONGEST_TEXT else ""


def _is_value(name: object, value: object) -> bool:
    """Return True if a sentence may be filled with the value: a short printable text, or a number without a thousand
    digits."""
    if isinstance(value, str):
        return isinstance(name, str) and value.isprintable() and len(value) <= _LONGEST_TEXT
    return isinstance(name, str) and _is_number(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < _LARGEST_NUMBER
