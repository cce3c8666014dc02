"""The results of asking for a token, verifying one, and clearing one."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tray_app.core.errors import KiwoomTokenError, StoreError
    from tray_app.core.token import Token


class Outcome:
    """A token, and how it was obtained.

    `how`: `ISSUED` when it is new; `SAME` when Kiwoom returned the stored one with the same expiry; `ADOPTED` when
    another process or tool had asked; `FOUND` when Kiwoom was not asked. `unsaved` is the error that kept it from being
    stored, or None; `unpublished` are those that kept it from other tools. `skew_seconds` is Kiwoom's clock minus this
    computer's, None when nobody asked. `dead` is the previous token, if that had stopped working before its expiry.
    """

    __slots__ = ("dead", "how", "skew_seconds", "token", "unpublished", "unsaved")
    ISSUED, SAME, ADOPTED, FOUND = "issued", "same", "adopted", "found"

    def __init__(
        self,
        token: Token,
        how: str,
        *,
        unsaved: StoreError | None = None,
        unpublished: tuple[KiwoomTokenError, ...] = (),
        skew_seconds: float | None = None,
        dead: Token | None = None,
    ) -> None:
        self.token = token
        self.dead = dead
        self.how = how
        self.unsaved = unsaved
        self.unpublished = unpublished
        self.skew_seconds = skew_seconds

    def is_the_same_as(self, seen: Token | None) -> bool:
        """Return True if this is nothing new to a caller that had seen the token `seen` before."""
        return self.how == self.SAME or self.token == seen


class Verified:
    """What Kiwoom said about a token: whether it `is_alive`, and when (`at`, in seconds of the epoch)."""

    __slots__ = ("at", "is_alive", "token")

    def __init__(self, token: Token, at: float, *, is_alive: bool) -> None:
        self.token = token
        self.at = at
        self.is_alive = is_alive


class Cleared:
    """What a clear did.

    `was_there`: there was a token. `revoked`: Kiwoom confirmed the revoke; `already_dead`: Kiwoom said that the token
    was not valid any more. `had_expired`: the token's expiry was past; `was_doubtful`: something spoke against it and
    Kiwoom was not asked. `of_other_keys`: the stored token belongs to other keys or another mode, and stayed.
    `unseen`: why it is not known whether there was one, or None; it counts as cleared all the same. `undeleted`: why
    something of a token that Kiwoom has ended is still stored, or None. `unpublished`: the errors that left the token
    where another tool reads it.
    """

    __slots__ = (
        "already_dead",
        "had_expired",
        "of_other_keys",
        "revoked",
        "undeleted",
        "unpublished",
        "unseen",
        "was_doubtful",
        "was_there",
    )

    def __init__(
        self,
        *,
        was_there: bool,
        revoked: bool = False,
        of_other_keys: bool = False,
    ) -> None:
        self.was_there = was_there
        self.revoked = revoked
        self.had_expired = False
        self.was_doubtful = False
        self.of_other_keys = of_other_keys
        self.already_dead = False
        self.unseen: StoreError | None = None
        self.undeleted: StoreError | None = None
        self.unpublished: tuple[KiwoomTokenError, ...] = ()
