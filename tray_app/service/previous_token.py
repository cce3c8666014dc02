"""What was stored before Kiwoom issued a token, and what the new one says about it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tray_app.core.token import Token
    from tray_app.service.evidence import Evidence

_MIN_CORRECTION_SECONDS = 3.0
"""A stored expiry that differs by less than this from the one by Kiwoom's clock stays as it is."""


class PreviousToken:
    """The state of the store before an issue.

    `token` is this account's own token, or None, and `was_unexpired` is about it. `of_another` is an unexpired token of
    other keys, whose place the new one takes. `revoking` is the fingerprint of a token that was or is being revoked,
    or empty.
    """

    __slots__ = ("of_another", "revoking", "token", "was_unexpired")

    def __init__(self, token: Token | None, of_another: Token | None, revoking: str, *, was_unexpired: bool) -> None:
        self.token = token
        self.of_another = of_another
        self.revoking = revoking
        self.was_unexpired = was_unexpired

    def is_returned_as(self, issued: Token) -> bool:
        """Return True if Kiwoom has issued the stored token again."""
        return self.token is not None and self.token.is_same_as(issued)

    def was_revoked(self, issued: Token, evidence: Evidence) -> bool:
        """Return True if Kiwoom has issued a token again that was revoked, or may have been, here or in another store:
        a revoke and an issue may not know of each other yet. One that Kiwoom refused was not."""
        is_returned = evidence.says_ended(issued.value) and not was_refused(issued, evidence)
        return is_returned or issued.value.fingerprint() == self.revoking

    def has_died(self, issued: Token) -> bool:
        """Return True if the stored token had ended before its expiry without being revoked here: Kiwoom has issued
        another one."""
        if self.token is None or self.revoking or not self.was_unexpired:
            return False
        return self.token.value != issued.value

    def to_store(self, issued: Token) -> Token:
        """Return `issued`, or the stored token if Kiwoom has issued that again, with the expiry by Kiwoom's clock if
        that differs."""
        if self.token is None or not self.is_returned_as(issued):
            return issued
        token = self.token.bound_to(issued.issued_for)
        if self.was_unexpired and abs(token.expires - issued.expires) < _MIN_CORRECTION_SECONDS:
            return token
        return token.ending_at(issued.expires_at)


def was_refused(issued: Token, evidence: Evidence) -> bool:
    """Return True if Kiwoom has issued the token again that it refused, which was stored last."""
    return evidence.dead_at > 0 and evidence.is_about(issued.value)
