"""Reading a store, but the token itself only when it may have changed: a keyring is slow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tray_app.core.clock import is_recent
from tray_app.core.state import Action, LastResult, Result
from tray_app.service.evidence import Evidence

if TYPE_CHECKING:
    from collections.abc import Callable

    from tray_app.core.token import Token
    from tray_app.service.token_service import TokenService

NO_EVIDENCE = Evidence()

_VAIN_SECONDS = 60.0
"""A keyring that passes a check and then fails to be read is not read again for this long."""


@dataclass(frozen=True, slots=True)
class StoreReading:
    """What was in a store at `at` (seconds of the epoch), when its version was `version`.

    `interrupted` tells that the token is missing although nobody cleared it: a rotation revoked it and got no other,
    or the keyring that has it cannot be used. `died` tells that the one before was found dead, whether or not
    there is another. `evidence` is what is known about whether the token is alive, `rotate_at` when it is to be revoked
    and reissued, and `only_evidence` tells that nothing but these and `check` has changed, neither here nor where other
    tools store theirs. `check` is the last check of the token that Kiwoom did not answer, as far as it still counts.
    `problem` is why the store was not in its preferred place, which may have hidden a token.
    """

    token: Token | None
    at: float
    version: tuple[object, ...] = ()
    interrupted: bool = False
    died: bool = False
    evidence: Evidence = NO_EVIDENCE
    rotate_at: float | None = None
    only_evidence: bool = False
    check: LastResult | None = None
    problem: str = ""


class StoreReader:
    """Read the store of one token service.

    `has_read` is True once anything was read and accepted; `has_failed` if the token could not be read at the last
    attempt.
    """

    def __init__(self, service: TokenService, clock: Callable[[], float]) -> None:
        self.service = service
        self.has_read = False
        self.has_failed = False
        self._clock = clock
        self._version: tuple[object, ...] = (object(),)
        self._problem_then = ""
        """The problem with which that version was read."""
        self._vain_at: float | None = None
        self._failed_version: object = object()

    def read(self, seen: Token | None, *, retry: bool) -> StoreReading | None:
        """Return what is stored, or None if that was accepted already. May wait; raises `StoreError`.

        `seen` is the token that the caller knows. Without `retry`, a token that could not be read is not tried again
        before the store's version changes.
        """
        tokens, exports = self.service.tokens, self.service.exports
        record = tokens.read_record()
        evidence, rotate_at = record.evidence, record.rotate_at
        exported = None if exports is None else exports.version()
        version = ((self.service.store.version(), exported), evidence, rotate_at, record.check.at)
        is_known = version == self._version
        is_failed_one = self.has_failed and version == self._failed_version
        if (is_known and not self._is_problem_over()) or (is_failed_one and not retry):
            self.service.store.check()  # in the same job, because a job of its own would wake two more threads
            if not (is_known and self._is_problem_over()):
                return None
        self._failed_version, self.has_failed = version, True
        at, token = self._clock(), self.service.current()
        is_gone = seen is not None and (token is None or token.value != seen.value)
        died = is_gone and seen is not None and evidence.says_dead(seen.value)
        is_lost = token is None and not died
        interrupted = is_lost and (tokens.read_record().was_interrupted(seen) or self._is_hidden(seen, evidence))
        self.has_failed = False
        self._vain_at = at if is_known and self._problem() else None
        only_evidence = self.has_read and version[0] == self._version[0] and token == seen
        if token is not None and evidence.has_confirmed_another_since(token):
            evidence = evidence.doubted(token, at)
        error = record.check_failure(token, at)
        check = None if error is None else LastResult(Result.FAILED, record.check.at, error, action=Action.VERIFY)
        return StoreReading(
            token, at, version, interrupted, died, evidence, rotate_at, only_evidence, check, self._problem()
        )

    def _problem(self) -> str:
        return self.service.store.place().problem_code

    def _is_problem_over(self) -> bool:
        """Return True if a problem that is over by now may have hidden something from the last read."""
        is_vain = is_recent(self._vain_at, self._clock(), _VAIN_SECONDS)
        return bool(self._problem_then) and not self._problem() and not is_vain

    def _is_hidden(self, lost: Token | None, evidence: Evidence) -> bool:
        """Return True if the keyring does not show the token that the record knows as current: nobody cleared it."""
        problem = self.service.store.place().problem
        return lost is not None and problem is not None and evidence.is_about(lost.value)

    def accept(self, found: StoreReading) -> None:
        """Take note that the caller has used what was found: it is read again when the store changes, or once the
        problem with which it was read is over."""
        self._version, self._problem_then = found.version, found.problem
        self.has_read = True
