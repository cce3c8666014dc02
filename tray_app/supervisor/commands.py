"""What can be done with a token: at the user's request, or by the supervisor when it is due."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from tray_app.core.errors import NoToken
from tray_app.core.language import msg
from tray_app.core.state import Action

if TYPE_CHECKING:
    from collections.abc import Callable

    from tray_app.core.errors import KiwoomTokenError
    from tray_app.core.token import Token
    from tray_app.kiwoom.keys import AppKeys
    from tray_app.service.outcome import Cleared, Outcome, Verified
    from tray_app.service.token_service import TokenService
    from tray_app.settings.load import Settings
    from tray_app.supervisor.tracker import TokenTracker

T = TypeVar("T")


class Command(Generic[T]):
    """One thing to do with the token; `action` is shown in the state meanwhile.

    `mode` is the mode from then on, or None for the present one. `seen` is the token of the state when it began.
    """

    action: Action
    mode: str | None = None
    seen: Token | None = None

    def begin(self, tracker: TokenTracker) -> None:
        """Take note of the present token, before anything is done."""
        tracker.begin()
        self.seen = tracker.token

    def run(self, service: TokenService) -> T:
        """Do it. May wait for a lock, a disk, a keyring or the network."""
        raise NotImplementedError

    def succeed(self, tracker: TokenTracker, result: T, now: float) -> None:
        """Pass the result to the tracker."""
        raise NotImplementedError

    def fail(self, tracker: TokenTracker, error: KiwoomTokenError, now: float) -> None:
        """Pass the error to the tracker."""
        tracker.on_failed(error, now, self.action)


class Refresh(Command["Outcome"]):
    """Ask Kiwoom for a token now."""

    action = Action.REFRESH

    def run(self, service: TokenService) -> Outcome:
        return service.refresh()

    def succeed(self, tracker: TokenTracker, result: Outcome, now: float) -> None:
        tracker.on_answered(result, now, rotated=False)

    def fail(self, tracker: TokenTracker, error: KiwoomTokenError, now: float) -> None:
        tracker.on_request_failed(error, now, rotating=False)


class Rotate(Command["Outcome"]):
    """Revoke the token of the state, if it is still there, and ask Kiwoom for a new one."""

    action = Action.ROTATE

    def run(self, service: TokenService) -> Outcome:
        _check_unchanged(service, self.seen)
        return service.refresh(rotate=True)

    def succeed(self, tracker: TokenTracker, result: Outcome, now: float) -> None:
        tracker.on_answered(result, now, rotated=True)

    def fail(self, tracker: TokenTracker, error: KiwoomTokenError, now: float) -> None:
        if isinstance(error, NoToken):  # Kiwoom was not asked, so nothing about renewal has failed
            tracker.on_failed(error, now)
        else:
            tracker.on_request_failed(error, now, rotating=True)


class Renew(Refresh):
    """Replace the token that was `seen` near its expiry, unless another program has done so."""

    def run(self, service: TokenService) -> Outcome:
        return service.renew(self.seen)


class RenewByRotation(Rotate):
    """The same, but revoke the token first."""

    def run(self, service: TokenService) -> Outcome:
        return service.renew(self.seen, rotate=True)


class PlanRotation(Command[None]):
    """Plan to revoke and reissue the token at an instant, in seconds of the epoch."""

    action = Action.READ

    def __init__(self, at: float) -> None:
        self._at = at

    def run(self, service: TokenService) -> None:
        service.plan_rotation(self._at)

    def succeed(self, tracker: TokenTracker, result: None, now: float) -> None:  # noqa: ARG002 - there is none
        tracker.on_planned(self._at, now)


class Verify(Command["Verified"]):
    """Ask Kiwoom whether the token works."""

    action = Action.VERIFY

    def run(self, service: TokenService) -> Verified:
        return service.verify()

    def succeed(self, tracker: TokenTracker, result: Verified, now: float) -> None:
        tracker.on_verified(result, now, is_requested=True)

    def fail(self, tracker: TokenTracker, error: KiwoomTokenError, now: float) -> None:
        tracker.on_unverified(now, error, is_requested=True)


class Clear(Command["Cleared"]):
    """Forget the token of the state, if it is still there; with `revoke` revoke it at Kiwoom first."""

    def __init__(self, *, revoke: bool) -> None:
        self.action = Action.REVOKE if revoke else Action.CLEAR
        self._revoke = revoke

    def run(self, service: TokenService) -> Cleared:
        _check_unchanged(service, self.seen)
        return service.clear(revoke=self._revoke)

    def succeed(self, tracker: TokenTracker, result: Cleared, now: float) -> None:
        tracker.on_cleared(result, now)


class Unlock(Command["Token | None"]):
    """Let the keyring ask for its password, then move the token from the file into it."""

    action = Action.UNLOCK

    def __init__(self, unlock_keyring: Callable[[], None]) -> None:
        self._unlock_keyring = unlock_keyring

    def run(self, service: TokenService) -> Token | None:
        self._unlock_keyring()
        token = service.current()
        if token is not None:
            service.put(token)
        return token

    def succeed(self, tracker: TokenTracker, result: Token | None, now: float) -> None:
        tracker.on_unlocked(result, now)


class EnterKeys(Command["Outcome | None"]):
    """Check and store the app keys of a mode; once Kiwoom accepts them, go on in that mode.

    `find_keys` returns the keys; `keep_keys` stores them and the token that came of trying them, if it tried them.
    """

    action = Action.REFRESH

    def __init__(
        self,
        settings: Settings,
        mode: str,
        find_keys: Callable[[], AppKeys],
        keep_keys: Callable[[Settings, AppKeys], Outcome | None],
    ) -> None:
        self.mode: str = mode
        self._settings = settings.replace(mode=mode)
        self._find_keys = find_keys
        self._keep_keys = keep_keys

    def run(self, service: TokenService) -> Outcome | None:  # noqa: ARG002 - these keys need a service of their own
        return self._keep_keys(self._settings, self._find_keys())

    def succeed(self, tracker: TokenTracker, result: Outcome | None, now: float) -> None:
        if result is not None:
            tracker.on_answered(result, now, rotated=False)
        tracker.set_mode(self.mode)


def _check_unchanged(service: TokenService, seen: Token | None) -> None:
    """Raise `NoToken` if the stored token is another than the one that was `seen`, or gone: a change by another program
    may not have been read yet."""
    if seen is None:
        return
    token, unseen = service.tokens.present()
    if unseen is None and (token is None or token.value != seen.value):  # one that cannot be read can be removed
        raise NoToken(msg("The token has changed in the meantime, so nothing was done."))
