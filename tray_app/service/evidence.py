"""What is known about whether a token works. The expiry is a promise; the fact is what Kiwoom says.

A token is *confirmed* when Kiwoom issued it, answered a check with it, or served a request with it. It is *in doubt*
when there is evidence against it that was not settled with Kiwoom, and *dead* when Kiwoom refused it (8005) or issued a
different one before its expiry.
"""

from __future__ import annotations

from tray_app.core.errors import BrokerUnavailable
from tray_app.core.language import msg

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from tray_app.core.secret import Secret
    from tray_app.core.token import Token

VERSION = 1
_LONGEST_LIFE_SECONDS = 367 * 86400.0
_CLOCKS_DIFFER_SECONDS = 86400.0
"""Other computers write the record in Redis too, with their own clocks. A dead token is dead whatever they show."""

_PAUSE_SECONDS = 5.0
"""How long nobody asks about a doubt again after Kiwoom did not answer twice, and twice as long after each time that
follows. The first one says little: it may be over at once."""

_LONGEST_PAUSE_SECONDS = 60.0
_LONGEST_WAIT_SECONDS = 3600.0
"""The longest wait that Kiwoom can ask for."""

_DID_NOT_SAY = msg("Kiwoom did not say whether the token works. It is asked again in a moment.")

_DEAD_REMEMBERED = 16
"""How many dead tokens are remembered: a copy of one may come back after another was issued."""


class Evidence:
    """What is known about one token. Times are seconds of the epoch, 0 for never.

    `token` is its fingerprint and `expires` its expiry. `confirmed_at`: when Kiwoom last said that it works.
    `doubted_at`: when the first evidence against it came since then. `asked_at`: when Kiwoom was last asked about that
    and did not say, `ask_at`: when it may be asked again. `dead_at`: when Kiwoom last proved that it does not work.
    `settled` are the fingerprints of other tokens that were already compared with it at Kiwoom. `dead` are the
    fingerprints of the tokens that were found dead last, this one or others, and `revoked` of those that were revoked
    on purpose.
    """

    __slots__ = (
        "ask_at",
        "asked_at",
        "confirmed_at",
        "dead",
        "dead_at",
        "doubted_at",
        "expires",
        "revoked",
        "settled",
        "token",
    )

    def __init__(
        self,
        token: str = "",
        expires: float = 0.0,
        *,
        confirmed_at: float = 0.0,
        doubted_at: float = 0.0,
        asked_at: float = 0.0,
        ask_at: float = 0.0,
        dead_at: float = 0.0,
        settled: tuple[str, ...] = (),
        dead: tuple[str, ...] = (),
        revoked: tuple[str, ...] = (),
    ) -> None:
        self.token = token
        self.expires = expires
        self.confirmed_at = confirmed_at
        self.doubted_at = doubted_at
        self.asked_at = asked_at
        self.ask_at = ask_at
        self.dead_at = dead_at
        self.settled = settled[-_DEAD_REMEMBERED:]
        self.dead = dead[-_DEAD_REMEMBERED:]
        self.revoked = revoked[-_DEAD_REMEMBERED:]

    @classmethod
    def from_record(cls, record: Mapping[str, Any], now: float) -> Evidence:
        """Return the evidence in the lock's record. What is damaged or of another version is ignored, and so is a
        confirmation from the future. The result stays the same while the record does."""
        fields = record.get("evidence")
        if not isinstance(fields, dict) or fields.get("version") != VERSION:
            return cls()
        token = fields.get("token")
        if not isinstance(token, str):
            return cls()
        latest = now + _CLOCKS_DIFFER_SECONDS
        return cls(
            token,
            _time(fields, "expires", now + _LONGEST_LIFE_SECONDS),
            confirmed_at=_time(fields, "confirmed_at", now),
            doubted_at=_time(fields, "doubted_at", latest),
            asked_at=_time(fields, "asked_at", now),
            ask_at=_time(fields, "ask_at", now + _LONGEST_WAIT_SECONDS),
            dead_at=_time(fields, "dead_at", latest),
            settled=_fingerprints(fields, "settled"),
            dead=_fingerprints(fields, "dead"),
            revoked=_fingerprints(fields, "revoked"),
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Evidence) and self.to_record() == other.to_record()

    def __hash__(self) -> int:
        return hash((self.token, self.dead_at, self.doubted_at, self.confirmed_at))

    def to_record(self) -> dict[str, object]:
        """Return the JSON object for the lock's record. It contains no token."""
        return {
            "version": VERSION,
            "token": self.token,
            "expires": self.expires,
            "confirmed_at": self.confirmed_at,
            "doubted_at": self.doubted_at,
            "asked_at": self.asked_at,
            "ask_at": self.ask_at,
            "dead_at": self.dead_at,
            "settled": list(self.settled),
            "dead": list(self.dead),
            "revoked": list(self.revoked),
        }

    def confirmed(self, token: Token, now: float) -> Evidence:
        """Return the evidence once Kiwoom has issued the token, or answered a request with it."""
        about = self._about(token)
        return about.replace(
            confirmed_at=now,
            doubted_at=0.0,
            asked_at=0.0,
            ask_at=0.0,
            dead_at=0.0,
            dead=_without(self.dead, about.token),
            revoked=_without(self.revoked, about.token),
        )

    def unknown(self) -> Evidence:
        """Return the evidence without a token, or with one that Kiwoom was not asked about. Dead tokens stay known."""
        return Evidence(dead=self.dead, revoked=self.revoked)

    def doubted(self, token: Token, now: float) -> Evidence:
        """Return the evidence once there is a doubt about the token. Only the first one since it was confirmed
        counts."""
        about = self._about(token)
        return about.replace(doubted_at=about.doubted_at or now)

    def unanswered(self, token: Token, now: float, retry_after: float | None) -> Evidence:
        """Return the evidence once Kiwoom was asked about the token and did not say: it stays in doubt, and nobody asks
        again for `retry_after` seconds or a growing pause."""
        about = self.doubted(token, now)
        pause = min(max(_PAUSE_SECONDS, 2 * (about.ask_at - about.asked_at)), _LONGEST_PAUSE_SECONDS)
        return about.replace(asked_at=now, ask_at=now + max(pause if about.asked_at else 0.0, retry_after or 0.0))

    def died(self, token: Token, now: float) -> Evidence:
        """Return the evidence once Kiwoom has refused the token."""
        return (
            self._about(token)
            .replace(dead_at=now, doubted_at=0.0, asked_at=0.0, ask_at=0.0, settled=())
            .other_died(token.value)
        )

    def other_died(self, value: Secret) -> Evidence:
        """Return the evidence once Kiwoom has refused the token with that value, stored here or not."""
        return self.replace(dead=_with_latest(self.dead, [value.fingerprint()]))

    def ended_elsewhere(self, fingerprints: Sequence[str]) -> Evidence:
        """Return the evidence once the tokens with these fingerprints ended, as other programs found."""
        is_about = self.token in fingerprints
        return self.replace(dead=_with_latest(self.dead, fingerprints), doubted_at=0.0 if is_about else self.doubted_at)

    def superseded(self, issued: Token, now: float, unsaved: tuple[str, ...], revoking: str) -> Evidence:
        """Return the evidence once Kiwoom has issued `issued`.

        If this is about another token that should still be valid, that one is dead, and so are those with the
        fingerprints `unsaved`: whoever has one in memory is not to use it either. The one that was being revoked,
        `revoking`, ended on purpose.
        """
        known = self.token if self.expires > now else ""
        not_found_dead = {issued.value.fingerprint(), revoking, "", *self.revoked}
        found_dead = [one for one in dict.fromkeys((known, *unsaved)) if one not in not_found_dead]
        return self.replace(dead=_with_latest(self.dead, found_dead))

    def with_revoked(self, fingerprint: str) -> Evidence:
        """Return the evidence once the token with that fingerprint ended on purpose: nobody is to use it any more."""
        return self.replace(revoked=_with_latest(self.revoked, [fingerprint]))

    def settled_against(self, token: Token, fingerprints: tuple[str, ...]) -> Evidence:
        """Return the evidence once the token was compared at Kiwoom with those of these fingerprints: they raise no new
        doubt."""
        about = self._about(token)
        settled = _with_latest(about.settled, fingerprints)
        return about.replace(doubted_at=0.0, asked_at=0.0, ask_at=0.0, dead_at=0.0, settled=settled)

    def ended(self) -> frozenset[str]:
        """Return the fingerprints of the tokens that are known to have ended: dead, or revoked on purpose."""
        return frozenset((*self.dead, *self.revoked))

    def is_about(self, value: Secret) -> bool:
        """Return True if this is about the token with that value."""
        return bool(self.token) and self.token == value.fingerprint()

    def says_ended(self, value: Secret) -> bool:
        """Return True if the token with that value is known to have ended: dead, or revoked on purpose."""
        return self.says_dead(value) or (bool(self.revoked) and value.fingerprint() in self.revoked)

    def says_dead(self, value: Secret) -> bool:
        """Return True if the token with that value was found dead; one that was revoked on purpose was not."""
        return bool(self.dead) and value.fingerprint() in self.dead

    def says_doubtful(self, value: Secret) -> bool:
        """Return True if there is evidence against the token with that value that was not settled."""
        return self.doubted_at > 0 and self.is_about(value)

    def has_confirmed_another_since(self, token: Token) -> bool:
        """Return True if Kiwoom confirmed another token after this one was created: whoever stored this one in its
        place may have got it before that, and Kiwoom may have ended it since."""
        is_another = bool(self.token) and not self.is_about(token.value)
        return is_another and self.confirmed_at > token.created_at.timestamp()

    def must_wait(self, token: Token, waiting_since: float, now: float) -> bool:
        """Return True if Kiwoom is not to be asked about the token at `now`: it did not say a moment ago, or while the
        caller waited."""
        is_recent = self.asked_at >= waiting_since or now < self.ask_at
        return self.asked_at > 0 and self.is_about(token.value) and is_recent

    def has_settled(self, token: Token, fingerprint: str) -> bool:
        """Return whether the token was compared at Kiwoom already with the one of that fingerprint."""
        return bool(self.settled) and self.is_about(token.value) and fingerprint in self.settled

    def _about(self, token: Token) -> Evidence:
        if self.is_about(token.value):
            return self
        return self.unknown().replace(token=token.value.fingerprint(), expires=token.expires)

    def replace(self, **changed: Any) -> Evidence:
        """Return the same evidence with these fields changed."""
        return Evidence(**{**{name: getattr(self, name) for name in self.__slots__}, **changed})


def check_not_too_soon(evidence: Evidence, token: Token, now: float) -> None:
    """Raise `BrokerUnavailable` if somebody asked Kiwoom about the token a moment ago and it did not say."""
    if evidence.must_wait(token, float("inf"), now):
        raise BrokerUnavailable(_DID_NOT_SAY, retry_after=max(evidence.ask_at - now, 0.0))


def _time(fields: Mapping[str, Any], name: str, latest: float) -> float:
    value = fields.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return 0.0
    return float(value) if 0 <= value <= latest else 0.0


def _fingerprints(fields: Mapping[str, Any], name: str) -> tuple[str, ...]:
    found = fields.get(name)
    return tuple(one for one in found if isinstance(one, str)) if isinstance(found, list) else ()


def _without(fingerprints: tuple[str, ...], fingerprint: str) -> tuple[str, ...]:
    return tuple(one for one in fingerprints if one != fingerprint)


def _with_latest(fingerprints: tuple[str, ...], latest: Sequence[str]) -> tuple[str, ...]:
    """Return the fingerprints with the `latest` at the end and nowhere else: the first ones are forgotten first."""
    return (*(one for one in fingerprints if one not in latest), *latest)
