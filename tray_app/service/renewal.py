"""The decision if Kiwoom must be asked for a token: values in, a decision out."""

from __future__ import annotations

from tray_app.core.errors import RateLimited, StoreError
from tray_app.core.language import msg

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tray_app.core.errors import KiwoomTokenError
    from tray_app.core.secret import Secret
    from tray_app.core.token import Token
    from tray_app.service.last_attempt import LastAttempt

ENOUGH_SECONDS = 300.0
"""`ensure` renews a token with less time left than this, unless told otherwise."""

_SHORTEST_LIFE_SECONDS = 0.001
_MINUTES_FROM_SECONDS = 180.0
"""A wait that is longer is told in minutes."""


class Request:
    """What a caller wants: which tokens satisfy it, and what may be done to get another.

    Make one with `ensure`, `renew`, `refresh` or `replace`. `waiting_since` is when the caller began to wait, in
    seconds of the epoch; an answer that came later is shared. `accepts_same`: once Kiwoom has returned the stored
    token, it is not asked again until that expires. `rotate`: revoke the present token first. `refused`: the token that
    Kiwoom answered with 8005. `is_patient`: a failure a moment ago is not repeated.
    """

    __slots__ = ("accepts_same", "is_patient", "min_remaining", "refused", "rotate", "seen", "waiting_since")

    def __init__(
        self,
        waiting_since: float,
        *,
        accepts_same: bool,
        rotate: bool = False,
        min_remaining: float | None = None,
        seen: Token | None = None,
        refused: Secret | None = None,
        is_patient: bool = False,
    ) -> None:
        self.waiting_since = waiting_since
        self.accepts_same = accepts_same
        self.rotate = rotate
        self.min_remaining = min_remaining
        self.seen = seen
        self.refused = refused
        self.is_patient = is_patient

    @classmethod
    def ensure(cls, now: float, min_remaining: float) -> Request:
        """Request a token with at least `min_remaining` seconds left."""
        at_least = max(min_remaining, _SHORTEST_LIFE_SECONDS)
        return cls(now, accepts_same=True, min_remaining=at_least, is_patient=True)

    @classmethod
    def renew(cls, now: float, seen: Token | None, *, rotate: bool) -> Request:
        """Request another unexpired token than `seen`."""
        return cls(now, accepts_same=True, rotate=rotate, min_remaining=_SHORTEST_LIFE_SECONDS, seen=seen)

    @classmethod
    def refresh(cls, now: float, *, rotate: bool) -> Request:
        """Request that Kiwoom is asked, whatever is stored."""
        return cls(now, accepts_same=False, rotate=rotate)

    @classmethod
    def replace(cls, now: float, refused: Secret) -> Request:
        """Request another unexpired token than the one with the value `refused`."""
        return cls(now, accepts_same=False, min_remaining=_SHORTEST_LIFE_SECONDS, refused=refused)

    def once_overtaken(self, seen: Token | None) -> Request:
        """Return the request after another process went on with it: a rotation is done if there is a token by now that
        was not `seen` before."""
        return Request.renew(self.waiting_since, seen, rotate=True) if self.rotate else self

    def is_satisfied_by(self, token: Token, now: float) -> bool:
        """Return True if the caller can use `token`, so that Kiwoom need not be asked."""
        if self.min_remaining is None or token.remaining(now) < self.min_remaining:
            return False
        return token != self.seen and token.value != self.refused

    @property
    def may_adopt(self) -> bool:
        """True if a token that another tool has issued will do as well as one from Kiwoom."""
        return (self.accepts_same and not self.rotate) or self.refused is not None


class Action:
    """What to do about a request. Plain strings: to import `enum` takes a tenth of the time of `kiwoom-token get`."""

    USE = "use"
    """Give the caller the stored token."""
    FAIL = "fail"
    """Raise the decision's error."""
    VERIFY = "verify"
    """Ask Kiwoom if the stored token works, then decide again."""
    ASK_OTHER_TOOLS = "ask other tools"
    """Find out if another tool has issued a token, then decide again."""
    ISSUE = "issue"
    """Ask Kiwoom."""


class Decision:
    """An action; `error` is what `FAIL` raises."""

    __slots__ = ("action", "error")

    def __init__(self, action: str, error: KiwoomTokenError | None = None) -> None:
        self.action = action
        self.error = error


def decide(
    token: Token | None,
    last: LastAttempt,
    request: Request,
    now: float,
    *,
    is_doubtful: bool = False,
    asked_other_tools: bool = False,
    would_end_unsaved: bool = False,
) -> Decision:
    """Decide what to do about `request`, for whoever holds the profile's lock.

    `token` is the stored one, `last` what the lock's record says, and `is_doubtful` whether there is evidence against
    the token. After `VERIFY` call again with what Kiwoom said: without the token if it is dead, and without the doubt.
    A rotation of the schedule verifies first whether the one before it has revoked the token: it need not be revoked
    again, and as long as Kiwoom does not say, all programs together ask no more often than the checks do.
    With `would_end_unsaved`, asking ends a token that another program has and could not store: only a user who asks
    for a new one does that.
    After `ASK_OTHER_TOOLS` call again with `asked_other_tools`, and with the token that was found if it is better.
    """
    usable = None if token is None or not token.is_unexpired(now) or last.is_revoking(token) else token
    if usable is not None and request.is_satisfied_by(usable, now):
        return Decision(Action.VERIFY if is_doubtful else Action.USE)
    is_scheduled_rotation = request.rotate and request.accepts_same
    is_open = token is not None and token.is_unexpired(now) and last.is_revoking(token)
    if is_scheduled_rotation and is_doubtful and is_open:
        return Decision(Action.VERIFY)
    if last.answers(request.waiting_since, rotate=request.rotate):
        failure = last.failure(now)
        if failure is not None:
            return Decision(Action.FAIL, failure)
        if usable is not None and usable.value != request.refused:  # else it could not be stored
            return Decision(Action.USE)
    if request.may_adopt and not asked_other_tools:
        return Decision(Action.ASK_OTHER_TOOLS)
    if request.refused is not None and last.is_recent_about_refused(request.refused, now):
        failure = last.failure(now)
        if failure is not None:
            return Decision(Action.FAIL, failure)
        if token is not None:
            return Decision(Action.USE)
    wait = last.seconds_to_wait(now)
    if wait > 0:
        return Decision(Action.FAIL, _must_wait(last.code, wait))
    if usable is None and request.min_remaining is not None and would_end_unsaved:
        return Decision(Action.FAIL, _must_be_stored())
    has_final_answer = request.accepts_same and (last.is_rotation or not request.rotate)
    if has_final_answer and token is not None and last.is_final_about(token, now):
        return Decision(Action.USE)
    return Decision(Action.ISSUE)


def better_of(token: Token | None, external: Token | None, request: Request) -> Token | None:
    """Return the unexpired token that another tool has issued if it suits the request better than the stored one, else
    None."""
    if external is None or external.value == request.refused:
        return None
    if token is None or token.value == request.refused:
        return external
    return external if external.value != token.value and external.expires > token.expires else None


def failure_to_repeat(
    last: LastAttempt, request: Request, keys: str, now: float, route: str = ""
) -> KiwoomTokenError | None:
    """Return the failure that asking Kiwoom now with the same `keys` by the same `route` would most likely repeat; None
    for none."""
    pause = last.pause_until(keys, route) - now
    if not request.is_patient or last.failures <= 1 or pause <= 0:
        return None
    failure = last.failure(now)
    if failure is not None:
        failure.pause_seconds = int(pause) + 1
    return failure


def _must_wait(code: str | None, seconds: float) -> RateLimited:
    if seconds >= _MINUTES_FROM_SECONDS:
        return RateLimited(
            msg("Kiwoom asked to wait {minutes} minutes before the next request."),
            code=code,
            retry_after=seconds,
            minutes=int(seconds // 60) + 1,
        )
    return RateLimited(
        msg("Kiwoom asked to wait {seconds} seconds before the next request."),
        code=code,
        retry_after=seconds,
        seconds=int(seconds) + 1,
    )


def _must_be_stored() -> StoreError:
    return StoreError(
        msg(
            "Another program has just got a token and could not store it, and issuing one here may end that one. "
            "See why it cannot be stored: kiwoom-token doctor"
        )
    )
