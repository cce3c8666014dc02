"""What is done while the profile's lock is held: decide, ask Kiwoom, store, publish, and record how it ended."""

from __future__ import annotations

import contextlib

from tray_app.core import errors, logs
from tray_app.core.errors import BrokerError, KiwoomTokenError, LockLost, SettingsError, StoreError
from tray_app.core.language import msg
from tray_app.core.secret import without_traceback
from tray_app.service.ended_tokens import with_ended
from tray_app.service.evidence import check_not_too_soon
from tray_app.service.last_attempt import LastAttempt
from tray_app.service.lock_record import LockRecord
from tray_app.service.outcome import Cleared, Outcome
from tray_app.service.previous_token import PreviousToken, was_refused
from tray_app.service.renewal import Action, Request, better_of, decide, failure_to_repeat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from tray_app.core.secret import Secret
    from tray_app.core.token import Token
    from tray_app.kiwoom.keys import AppKeys
    from tray_app.service.account_store import AccountStore
    from tray_app.service.event_buffer import EventBuffer
    from tray_app.service.evidence import Evidence
    from tray_app.service.protocols import IssuedToken, TokenBroker, TokenExports
    from tray_app.service.renewal import Decision
    from tray_app.stores.base import Store
    from tray_app.stores.lock import ThreadLock

_ALIVE = "alive"
_STILL_WORKS = msg("Kiwoom refused to revoke the token and says that it still works. Try again later.")
_CAME_BACK_DEAD = msg("Kiwoom returned the revoked token, which no longer works. Try again in a moment.")


class LockedSession:
    """The work of one process while it holds the profile's lock.

    `record` is the lock's record. `used_keys` are the keys that brought a token, or None: the caller remembers them
    once the lock is free. `seen` is the token that a renewal began with, `issued` the one that Kiwoom issued.
    """

    def __init__(
        self,
        lock: ThreadLock,
        tokens: AccountStore,
        *,
        find_keys: Callable[[], AppKeys],
        open_broker: Callable[[], TokenBroker],
        exports: TokenExports | None,
        events: EventBuffer,
        clock: Callable[[], float],
        profile: str,
    ) -> None:
        self.record = with_ended(LockRecord.from_fields(lock.read_record(), clock()), tokens.ended)
        self.used_keys: AppKeys | None = None
        self.seen: Token | None = None
        self.issued: Token | None = None
        self._lock = lock
        self._tokens = tokens
        self._find_keys = find_keys
        self._open_broker = open_broker
        self._exports = exports
        self._events = events
        self._clock = clock
        self._profile = profile

    def write(
        self,
        *,
        last: LastAttempt | None = None,
        evidence: Evidence | None = None,
        rotate_at: float | None = None,
        check: LastAttempt | None = None,
        unsaved: tuple[str, ...] | None = None,
        cleared: tuple[str, ...] | None = None,
        was_revoked: bool = True,
    ) -> None:
        """Replace parts of the lock's record, see `LockRecord.replace`. Let every reader know when that changes which
        tokens nobody is to get, or which is in doubt.

        When `last` ends the mark that a token was being revoked, that token counts as revoked from now on, unless
        `evidence` is about it, or `was_revoked` is False: then Kiwoom did not carry the revoke out. Raises `LockLost`.
        """
        self.check_lock()
        before = self.record
        ended = before.last.revoking if last is not None and last.revoking != before.last.revoking else ""
        if ended and was_revoked and (evidence is None or evidence.token != ended):
            evidence = (evidence or before.evidence).with_revoked(ended)
        self.record = before.replace(
            last=last, evidence=evidence, rotate_at=rotate_at, check=check, unsaved=unsaved, cleared=cleared
        )
        is_news = (self.record.gone_tokens(), self.record.doubted()) != (before.gone_tokens(), before.doubted())
        with self._tokens.store.announcing() if is_news else contextlib.nullcontext():
            self.record.write(self._lock)
        if self._tokens.ended is not None:
            now = self.record.evidence
            self._tokens.ended.add(now.ended() - before.evidence.ended())
            if now.token not in now.ended():
                self._tokens.ended.remove(now.token)

    def remember_refused(self, value: Secret) -> None:
        """Record that Kiwoom refuses the token with that value: processes that have it in memory must not use it."""
        if not self.record.evidence.says_ended(value):
            self.write(evidence=self.record.evidence.other_died(value))

    def check_lock(self) -> None:
        """Raise `LockLost` if another process went on while this one was stopped: nothing that was decided before that
        counts any more."""
        if self._lock.is_lost():
            raise LockLost(
                msg("This program was stopped while it renewed the token, and another one took over. Try again.")
            )

    # ------------------------------------------------------------------------------------------------------ renewing

    def renew(self, request: Request) -> Outcome:
        """Do what `decide` says about the request. Raises `KeysMissing`, `BrokerError`, `StoreError`, and `LockLost`
        when another process has gone on meanwhile."""

        def decided(token: Token | None, *, is_doubtful: bool = False, asked_other_tools: bool = False) -> Decision:
            now = self._clock()
            return decide(
                token,
                self.record.last,
                request,
                now,
                is_doubtful=is_doubtful,
                asked_other_tools=asked_other_tools,
                would_end_unsaved=self.record.would_end_unsaved(now),
            )

        self._tokens.save_unsaved()
        try:
            token = self._tokens.current() if request.rotate else self._tokens.current_within_reach()
        except StoreError:
            if request.refused is not None:
                self.remember_refused(request.refused)
            raise
        self.seen = token
        _check_seen(token, request, self._tokens.store, self.record)
        if request.refused is not None and (token is None or token.value != request.refused):
            self.remember_refused(request.refused)
        is_doubtful = token is not None and self.is_doubtful(token)
        decision = decided(token, is_doubtful=is_doubtful)
        if decision.action == Action.VERIFY and token is not None:
            if request.rotate:
                check_not_too_soon(self.record.evidence, token, self._clock())
            token = self.settle_doubt(token, request.waiting_since)
            decision = decided(token)
        if decision.action == Action.ASK_OTHER_TOOLS:
            external = better_of(token, self.external_token(), request)
            outcome = None if external is None else self.adopt_unless_dead(external)
            if outcome is not None:
                token = outcome.token
                if request.is_satisfied_by(token, self._clock()):
                    return outcome
            decision = decided(token, asked_other_tools=True)
        if decision.action == Action.USE and token is not None:
            return Outcome(token, Outcome.ADOPTED)
        if token is not None and token.value == request.refused:
            self._take_away_dead(token)  # whether or not Kiwoom issues another one
        if decision.error is not None:
            raise decision.error
        with self._events.failure_added(token):
            broker = self._open_broker()
            broker.preload()  # while the keyring is asked for the keys
            keys = self._find_keys()
        own, route = self._tokens.issued_for(keys), self._tokens.route()
        failure = failure_to_repeat(self.record.last, request, own, self._clock(), route)
        if failure is not None:
            raise failure
        if request.is_patient:
            self._refuse_contest(own)
        with self._events.failure_added(token):
            return self._issue(token, keys, request, broker)

    def store_late(self, issued: Token) -> Outcome | None:
        """Store a token that came after the lock was lost, if it works and the one that others have got does not.

        It may be stored already, over that of the others, because a write could not be held back any more. Without an
        answer from Kiwoom, what is stored in the end is in doubt.
        """
        token = self._tokens.unexpired()
        if token is not None and not self.record.is_gone(token):
            is_shared = token.value == issued.value and self.record.last.is_about(issued)
            if is_shared or self.settle_doubt(token, self._clock()) is not None:
                return None
        if self.record.evidence.says_ended(issued.value):
            return None
        try:
            if not self._is_alive(issued):
                self.remember_refused(issued.value)
                return None
            evidence = self.record.evidence.confirmed(issued, self._clock())
        except KiwoomTokenError as error:
            self.remember_unanswered(issued, error)
            evidence = self.record.evidence
        unsaved = self._tokens.save(issued)
        self._events.add(Outcome.ISSUED, issued, unsaved)
        attempt = LastAttempt.succeeded(issued, self._clock(), None, is_same=False, is_rotation=False, replaced=[])
        self.write(last=attempt, evidence=evidence, unsaved=self.record.unsaved_with(issued, unsaved))
        return Outcome(issued, Outcome.ISSUED, unsaved=unsaved, unpublished=self.publish(issued))

    def _issue(self, before: Token | None, keys: AppKeys, request: Request, broker: TokenBroker) -> Outcome:
        """Have Kiwoom issue a token, after revoking the stored one (`before`) where the request wants that; store it,
        record it and publish it. Raises `BrokerError`, and `StoreError` before anything is revoked."""
        last = self.record.last
        of_another = self._tokens.unexpired_of_another() if before is None else None
        revoking = last.revoking if before is None or last.is_revoking(before) else ""
        was_unexpired = before is not None and before.is_unexpired(self._clock())
        if before is not None and request.rotate and was_unexpired:
            revoking = before.value.fingerprint()
            self._revoke_first(before, keys, broker)
        previous = PreviousToken(before, of_another, revoking, was_unexpired=was_unexpired)
        self.check_lock()
        try:
            answer = self._ask_for_token(keys, broker, previous, rotates=request.rotate)
            is_suspect = previous.was_revoked(answer.token, self.record.evidence)
            unsure = _check_came_back(answer.token, broker) if is_suspect else None
        except BrokerError as error:
            self._record_failure(error, request, keys, last, previous.revoking)
            if before is not None and before.value == request.refused:
                self._events.add("died", before)
            raise
        own = self._tokens.issued_for(keys)
        issued = answer.token.bound_to(own) if own else answer.token
        has_died = previous.has_died(issued)
        evidence = self.record.evidence
        came_back = evidence.is_about(issued.value) and evidence.says_ended(issued.value)
        how = Outcome.SAME if came_back or previous.is_returned_as(issued) else Outcome.ISSUED
        self.issued = token = previous.to_store(issued)
        self.check_lock()
        unsaved = self._tokens.save(token)
        if has_died:
            self._events.add("died", before)
            if unsaved is not None and not isinstance(unsaved, errors.RedisUnavailable):
                # the dead one is still there; Redis gets the new one once it is back
                self._tokens.forget(keeps_unsaved=True)
        self._events.add(how, token, unsaved)
        self._record_issue(token, request, previous, unsaved, answer.skew_seconds)
        if unsure is not None:
            self.remember_unanswered(token, unsure)
        self.used_keys = keys
        return Outcome(
            token,
            how,
            unsaved=unsaved,
            unpublished=self.publish(token),
            skew_seconds=answer.skew_seconds,
            dead=before if has_died else None,
        )

    def _ask_for_token(
        self, keys: AppKeys, broker: TokenBroker, previous: PreviousToken, *, rotates: bool
    ) -> IssuedToken:
        """Have Kiwoom issue a token. One that it refused and issues again goes on so until it expires, or until a
        rotation revokes it, with a mark in the record as in `revoke`. Raises `BrokerError`, and `LockLost` before
        anything is revoked."""
        answer = broker.issue(keys)
        if not (rotates and was_refused(answer.token, self.record.evidence)):
            return answer
        previous.revoking = answer.token.value.fingerprint()
        self.write(last=LastAttempt.rotation_begun(answer.token, self._clock()))
        with contextlib.suppress(errors.RevokeFailed, errors.TokenRefused):  # as Kiwoom may do with a dead one
            broker.revoke(keys, answer.token.value)
        return broker.issue(keys)

    def _record_issue(
        self, token: Token, request: Request, previous: PreviousToken, unsaved: StoreError | None, skew: float | None
    ) -> None:
        """Record that Kiwoom issued the token, and what that means for others: the `previous` one, and those that could
        not be stored.

        Callers that wait read the token as soon as the record is there, so it has been stored before, if it could be.
        """
        evidence, of_another = self.record.evidence, previous.of_another
        still_unsaved = self.record.unsaved_with(token, unsaved)
        if of_another is None:
            evidence = evidence.superseded(token, self._clock(), self.record.unsaved, previous.revoking)
            still_unsaved = still_unsaved[-1:] if unsaved is not None else ()
        ends_anothers = bool(self.record.unsaved) and not previous.was_unexpired and evidence != self.record.evidence
        attempt = LastAttempt.succeeded(
            token,
            self._clock(),
            request.refused,
            is_same=previous.is_returned_as(token),
            ended_unsaved=unsaved is not None and ends_anothers,
            is_rotation=request.rotate,
            replaced=[] if of_another is None else [*self.record.last.replaced, of_another.issued_for],
            revoking=previous.revoking if unsaved is not None else "",
            skew=skew,
        )
        plan = 0.0 if request.rotate else None
        self._write_confirmed(token, attempt, evidence, rotate_at=plan, unsaved=still_unsaved)

    def _record_failure(
        self, error: BrokerError, request: Request, keys: AppKeys, before: LastAttempt, revoking: str
    ) -> None:
        if isinstance(error, errors.BrokerUnavailable) and not error.was_begun:
            return  # others may be able to ask
        now = self._clock()
        attempt = LastAttempt.failed(
            error,
            now,
            request.refused,
            revoking=revoking,
            keys=self._tokens.issued_for(keys),
            route=self._tokens.route(),
            failures=before.failures_until(now) + 1,
        )
        self.write(last=attempt)

    def _refuse_contest(self, own: str) -> None:
        """Raise `SettingsError` instead of replacing a token of another account that replaces this one's each time."""
        if self.record.last.is_contested(own, self._clock()) and self._tokens.unexpired_of_another() is not None:
            raise SettingsError(
                msg(
                    "Another program uses the profile {profile} with other keys or in another mode, and each takes the "
                    "other's token away. Give one of them a profile of its own, with --profile or KIWOOM_PROFILE."
                ),
                profile=self._profile,
            )

    # ------------------------------------------------------------------------------------------------- dead or alive

    def is_doubtful(self, token: Token) -> bool:
        """Return True if there is evidence against the token: a tool's report, or another token that a tool has got
        since."""
        return self._tokens.is_doubtful(token, self.record.evidence)

    def verify(self, token: Token) -> bool:
        """Ask Kiwoom if the token works, and take it away if it does not. Raises `BrokerError`."""
        if self._is_alive(token):
            last = self.record.last
            last = last.without_rotation() if last.is_revoking(token) else last
            self._write_confirmed(token, last, self.record.evidence)
            return True
        self._take_away_dead(token)
        self._events.add("died", token)
        return False

    def settle_doubt(self, token: Token, waiting_since: float) -> Token | None:
        """Ask Kiwoom about a doubtful token, and about another one that a tool has got for the same keys. Return the
        token to use, or None when it is dead. Without an answer from Kiwoom the token is used as it is.

        Kiwoom is not asked while it is to be left alone (`Evidence.must_wait`), nor when it did not answer somebody
        else since the caller began to wait.
        """
        if self.record.evidence.must_wait(token, waiting_since, self._clock()):
            return token
        rivals = self._tokens.unsettled_rivals(token, self.record.evidence)
        try:
            external = self.external_token() if rivals else None
            if external is not None and external.value.fingerprint() in rivals:
                if self._is_alive(external):
                    self._take_away_dead(token)
                    self._events.add("died", token)
                    return self.adopt(external, is_confirmed=True).token
                self.write(evidence=self.record.evidence.other_died(external.value))
            if not self.verify(token):
                return None
        except KiwoomTokenError as error:
            self.remember_unanswered(token, error)
            return token
        if rivals:
            self.write(evidence=self.record.evidence.settled_against(token, rivals))
        return token

    def remember_unanswered(self, token: Token, error: KiwoomTokenError) -> None:
        """Record that Kiwoom did not say whether the token works: it is in doubt, and Kiwoom left alone for a while."""
        logs.warning("Kiwoom did not say whether the token works (%s)", type(error).__name__)
        retry_after = error.retry_after if isinstance(error, BrokerError) else None
        self.write(evidence=self.record.evidence.unanswered(token, self._clock(), retry_after))

    def _is_alive(self, token: Token) -> bool:
        """Ask Kiwoom whether the token works. Raises `BrokerError`."""
        return self._open_broker().verify(token.value).value == _ALIVE

    def _write_confirmed(
        self,
        token: Token,
        last: LastAttempt,
        evidence: Evidence,
        *,
        rotate_at: float | None = None,
        unsaved: tuple[str, ...] | None = None,
    ) -> None:
        """Record that Kiwoom issued the token or answered a request with it. Readers for whom it was gone see it
        again."""
        was_gone = self.record.is_gone(token)
        confirmed = evidence.confirmed(token, self._clock())
        self.write(last=last, evidence=confirmed, rotate_at=rotate_at, unsaved=unsaved)
        if was_gone:
            _rewrite_for_readers(token, self._tokens.store)

    def _take_away_dead(self, token: Token) -> None:
        """Take a dead token away from every reader. The record names it, so that it stays hidden if it cannot be
        deleted or comes back."""
        self.write(evidence=self.record.evidence.died(token, self._clock()))
        self.withdraw(token)
        self._tokens.forget()

    # ------------------------------------------------------------------------------------------------------ revoking

    def revoke(
        self,
        token: Token,
        keys: AppKeys | None = None,
        broker: TokenBroker | None = None,
        *,
        tries_store: bool = False,
    ) -> Cleared:
        """Revoke the token, with a mark in the record from before the request until the caller has cleared it.

        An answer that is lost on the way leaves the mark, and so does an interrupt (Ctrl+C, a signal handler that
        raises): it is not known whether Kiwoom carried the request out, so nobody gets the token until Kiwoom is asked.
        With `tries_store` the store is first written as it will be with the next token, and raises `StoreError` before
        anything is revoked.
        """
        before, evidence = self.record.last, self.record.evidence
        broker = broker or self._open_broker()
        keys = keys or self._find_keys()
        cleared = Cleared(was_there=True)
        self.write(
            last=LastAttempt.rotation_begun(token, self._clock()), evidence=evidence.doubted(token, self._clock())
        )
        may_be_sent = False
        try:
            if tries_store:
                self._tokens.store.write(token)
            may_be_sent = True
            broker.revoke(keys, token.value)
            cleared.revoked = True
        except BaseException as error:
            if may_be_sent and _leaves_outcome_unknown(error):
                raise
            is_alive = _is_alive_after(error, token, broker)
            if is_alive is not False:
                if is_alive:
                    evidence = evidence.confirmed(token, self._clock())
                elif _leaves_token_unknown(error):
                    evidence = evidence.doubted(token, self._clock())
                self.write(last=before, evidence=evidence, was_revoked=False)
                if tries_store:
                    _rewrite_for_readers(token, self._tokens.store)
                if is_alive and isinstance(error, BrokerError):
                    refused = errors.RevokeFailed(_STILL_WORKS, code=error.code)
                    refused.retry = error.retry  # a code that nobody here knows may pass, as in the night's maintenance
                    raise refused from None
                raise
            cleared.already_dead = True
        self.write(evidence=self.record.evidence.with_revoked(token.value.fingerprint()))
        return cleared

    def _revoke_first(self, token: Token, keys: AppKeys, broker: TokenBroker) -> None:
        """Revoke the token at Kiwoom and remove it here, before another is issued.

        What cannot be undone comes last: a store that cannot be written raises `StoreError` before anything is revoked.
        Should this program be killed meanwhile, the record says so.
        """
        cleared = self.revoke(token, keys, broker, tries_store=True)
        self._events.add("revoked" if cleared.revoked else "cleared", token)
        self.withdraw(token)
        self._tokens.forget()

    # --------------------------------------------------------------------------------------------------- other tools

    def adopt(self, external: Token, *, is_confirmed: bool = False) -> Outcome:
        """Store a token that another tool has issued."""
        logs.info("Token issued by another tool adopted")
        with contextlib.suppress(KiwoomTokenError):
            keys = self._find_keys()
            external = external.bound_to(self._tokens.issued_for(keys))
            self.used_keys = keys
        self.check_lock()
        unsaved = self._tokens.save(external)
        evidence = self.record.evidence
        evidence = evidence.confirmed(external, self._clock()) if is_confirmed else evidence.unknown()
        self.write(evidence=evidence, unsaved=self.record.unsaved_with(external, unsaved))
        self._events.add("adopted", external, unsaved)
        return Outcome(external, Outcome.ADOPTED, unsaved=unsaved, unpublished=self.publish(external))

    def adopt_unless_dead(self, external: Token) -> Outcome | None:
        """Ask Kiwoom about a token that another tool has issued and store it; return None if it is dead. Without an
        answer from Kiwoom it is stored, and stays in doubt."""
        try:
            is_alive = self._is_alive(external)
        except KiwoomTokenError as error:
            outcome = self.adopt(external)
            self.remember_unanswered(outcome.token, error)
            return outcome
        if is_alive:
            return self.adopt(external, is_confirmed=True)
        self.write(evidence=self.record.evidence.other_died(external.value))
        return None

    def external_token(self) -> Token | None:
        """Return an unexpired token that another tool has issued by itself, unless it is known to be dead."""
        token = None if self._exports is None else self._exports.external_token()
        return None if token is None or self.record.evidence.says_ended(token.value) else token

    def publish(self, token: Token) -> tuple[KiwoomTokenError, ...]:
        """Publish the token to the other tools. Return what went wrong."""
        return () if self._exports is None else self._exports.publish(token)

    def withdraw(self, token: Token | None, others: Collection[str] = ()) -> tuple[KiwoomTokenError, ...]:
        """Take the token, and the `others` with these fingerprints, away from the other tools. Return what went
        wrong."""
        fingerprints = {*others, *([] if token is None else [token.value.fingerprint()])}
        return () if self._exports is None or not fingerprints else self._exports.withdraw(fingerprints)


def _is_alive_after(error: BaseException, token: Token, broker: TokenBroker) -> bool | None:
    """Return whether a token still works whose revoke ended with `error`.

    Kiwoom said that it does not (8005), or is asked after a refusal that may be about the token. None when the
    error says nothing about it, or Kiwoom does not say.
    """
    if isinstance(error, errors.TokenRefused) and error.code == errors.DEAD_TOKEN_CODE:
        return False
    if not _leaves_token_unknown(error):
        return None
    try:
        return broker.verify(token.value).value == _ALIVE
    except KiwoomTokenError:
        return None


def _check_came_back(token: Token, broker: TokenBroker) -> KiwoomTokenError | None:
    """Ask Kiwoom about a token that it issued though it was revoked. Return why Kiwoom does not say, or None when the
    token works. Raises `BrokerUnavailable` when it does not: soon there may be another."""
    try:
        is_alive = broker.verify(token.value).value == _ALIVE
    except KiwoomTokenError as error:
        without_traceback(error)
        return error
    if not is_alive:
        raise errors.BrokerUnavailable(_CAME_BACK_DEAD)
    return None


def _check_seen(token: Token | None, request: Request, store: Store, record: LockRecord) -> None:
    """Raise `KeyringUnavailable` while the keyring hides the token that is to be revoked: Kiwoom would only issue the
    same one again. A dead token need not be revoked, nor one whose revoke was sent already."""
    if not request.rotate or token is not None or record.evidence.dead_at or record.last.revoking:
        return
    place = store.place()
    if place.hides_token and place.problem is not None:
        raise place.problem.again()


def _rewrite_for_readers(token: Token, store: Store) -> None:
    """Make every reader read again, also on other computers, which do not see that the record changed."""
    with contextlib.suppress(StoreError):
        store.write(token)


def _leaves_outcome_unknown(error: BaseException) -> bool:
    """Return True if nobody knows whether Kiwoom carried out the request that ended with `error`."""
    if isinstance(error, errors.BrokerUnavailable):
        return error.was_sent
    return not isinstance(error, KiwoomTokenError)


def _leaves_token_unknown(error: BaseException) -> bool:
    """Return True if Kiwoom refused a revoke in a way that may mean that the token did not work any more."""
    is_unexplained = isinstance(error, BrokerError) and error.code in errors.UNEXPLAINED_CODES
    return is_unexplained or isinstance(error, (errors.RevokeFailed, errors.UnknownFailure))
