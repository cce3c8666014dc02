"""What a question about the token of an account shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tray_app.desktop.view.urgency import running_action

if TYPE_CHECKING:
    from tray_app.core.state import TokenState


@dataclass(frozen=True, slots=True)
class QuestionView:
    """A question about the token of an account.

    `profile` is the account's if the question names it, else empty; `can_revoke` means that the token is valid, and
    `can_answer` that nothing else is being done with it.
    """

    profile: str = ""
    can_revoke: bool = True
    can_answer: bool = True


def question_of(state: TokenState, now: float, *, named: bool) -> QuestionView:
    """Return what a question about the token of `state` shows at `now` (epoch seconds); `named` says whose it is."""
    return QuestionView(state.profile if named else "", state.remaining(now) > 0, running_action(state) is None)


def token_of(state: TokenState) -> tuple[object, ...]:
    """Return a value that differs for the next token, and for that of another account."""
    return (state.profile, state.created, state.expires)
