"""A token that has stopped working before its expiry: found out, taken away from every reader, replaced."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path

import pytest

from tests.doubles import NO, Clock, FakeBroker, PromptHistory
from tests.file_service import open_file_service
from tests.threads import held_for
from tray_app.core.errors import (
    BrokerError,
    BrokerUnavailable,
    KeysMissing,
    LockLost,
    NoToken,
    RateLimited,
    RevokeFailed,
    StoreError,
    TokenRefused,
)
from tray_app.core.secret import Secret
from tray_app.core.token import Token, encode_seed, token_for
from tray_app.kiwoom.broker import Liveness
from tray_app.kiwoom.keys import AppKeys
from tray_app.service.outcome import Outcome
from tray_app.service.token_service import TokenService
from tray_app.stores.file import FileStore

DAY = 86400.0
WRITE = FileStore.write


class OtherTool:
    """Another tool's place: the token that it has got by itself, and whether its keys are known to be the same."""

    def __init__(self) -> None:
        self.token: Token | None = None
        self.others: list[Token] = []
        """Of further tools, whose keys nobody knows."""
        self.has_our_keys = True
        self.published: Token | None = None

    def publish(self, token: Token) -> tuple[()]:
        self.published = token
        self.token = None
        return ()

    def withdraw(self, fingerprints: Collection[str]) -> tuple[()]:
        if self.published is not None and self.published.value.fingerprint() in fingerprints:
            self.published = None
        return ()

    def hold(self, token: Token) -> bool:
        return self.published == token

    def forget(self) -> tuple[bool, tuple[()]]:
        return False, ()

    def external_token(self) -> Token | None:
        return self.token if self.has_our_keys else None

    def watch_paths(self) -> list[str]:
        return []

    def version(self) -> object:
        return self.token, *self.others

    def rivals_of(self, token: Token) -> tuple[str, ...]:
        known = (self.token, *self.others)
        return tuple(one.value.fingerprint() for one in known if one is not None and one.value != token.value)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / ".token"


@pytest.fixture
def tool() -> OtherTool:
    return OtherTool()


@pytest.fixture
def history(tmp_path: Path) -> PromptHistory:
    return PromptHistory(str(tmp_path / "data" / "history.db"))


@pytest.fixture
def opened(
    path: Path, clock: Clock, broker: FakeBroker, tool: OtherTool, history: PromptHistory
) -> Callable[..., TokenService]:
    return partial(open_file_service, path, clock, broker, exports=tool, history=history)


@pytest.fixture
def service(opened: Callable[..., TokenService]) -> TokenService:
    return opened()


@pytest.fixture
def other(opened: Callable[..., TokenService]) -> TokenService:
    return opened()


def kill(broker: FakeBroker) -> None:
    """The token is revoked elsewhere, a minute later; nobody here is told."""
    broker.clock.advance(60)
    broker.living = None


def texts(service: TokenService) -> str | None:
    token = service.current()
    return None if token is None else token.value.reveal()


class TestClearedElsewhere:
    """Another computer, or a program that knows the file alone, removes the token: the tools here still have it."""

    def test_a_supervisor_takes_it_from_the_tools(self, service: TokenService, path: Path, tool: OtherTool) -> None:
        token = service.ensure().token
        path.unlink()
        service.publish(token)
        assert tool.published is None

    def test_one_that_was_revoked_goes_also_when_nobody_saw_it(
        self, service: TokenService, other: TokenService, path: Path, tool: OtherTool
    ) -> None:
        token = service.ensure().token
        service.clear(revoke=True)
        tool.published = token
        other.publish()
        assert tool.published is None

    def test_the_tools_keep_one_in_its_last_minutes_which_the_original_manager_deletes(
        self, service: TokenService, path: Path, tool: OtherTool, clock: Clock
    ) -> None:
        token = service.ensure().token
        clock.advance(token.expires - clock() - 200)
        path.unlink()
        service.publish(token)
        assert tool.published == token

    def test_the_tools_keep_one_that_cannot_be_read(
        self, service: TokenService, tool: OtherTool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        token = service.ensure().token

        def fail(_: FileStore) -> None:
            raise StoreError("Denied.")

        monkeypatch.setattr(FileStore, "read", fail)
        with pytest.raises(StoreError):
            service.publish(token)
        assert tool.published == token


def refused_by_kiwoom(
    service: TokenService, broker: FakeBroker, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> Token:
    """Have a token that Kiwoom refuses though it would issue it again."""
    token = service.ensure().token
    clock.advance(60)
    monkeypatch.setattr(broker, "verify", lambda _: Liveness.DEAD)
    assert not service.verify().is_alive
    return token


class TestVerify:
    def test_a_token_that_works_is_confirmed_for_every_reader(
        self, service: TokenService, other: TokenService, clock: Clock
    ) -> None:
        service.ensure()
        clock.advance(3600)
        assert service.verify().is_alive
        evidence = other.evidence()
        assert (evidence.confirmed_at, evidence.dead_at) == (clock(), 0)

    def test_a_dead_one_is_taken_away_from_every_reader_and_every_other_tool(
        self, service: TokenService, other: TokenService, *, broker: FakeBroker, tool: OtherTool, path: Path
    ) -> None:
        token = service.ensure().token
        kill(broker)
        assert not service.verify().is_alive
        assert (texts(service), texts(other), tool.published, path.exists()) == (None, None, None, False)
        assert other.evidence().says_ended(token.value)
        assert other.tokens.read_record().was_interrupted(token), "nobody removed it on purpose"

    def test_one_that_kiwoom_refuses_and_issues_again_is_not_called_a_new_one(
        self, service: TokenService, broker: FakeBroker, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        token = service.ensure().token
        clock.advance(60)
        monkeypatch.setattr(broker, "verify", lambda _: Liveness.DEAD)
        for ask in (service.ensure, service.refresh, lambda: service.renew(None)):
            assert not service.verify().is_alive
            outcome = ask()
            assert (outcome.how, outcome.token.value) == (Outcome.SAME, token.value)
            clock.advance(60)

        service.clear()
        assert service.ensure().how == Outcome.ISSUED

    @pytest.mark.parametrize("refusal", [None, RevokeFailed(NO, code="8015"), TokenRefused(NO, code="8005")])
    def test_one_that_kiwoom_refuses_and_issues_again_is_revoked_by_a_rotation(
        self,
        service: TokenService,
        broker: FakeBroker,
        clock: Clock,
        monkeypatch: pytest.MonkeyPatch,
        *,
        refusal: BrokerError | None,
    ) -> None:
        token = refused_by_kiwoom(service, broker, clock, monkeypatch)
        revoke = broker.revoke

        def revoke_or_refuse(keys: AppKeys, value: Secret) -> None:
            revoke(keys, value)
            if refusal is not None:
                raise refusal

        monkeypatch.setattr(broker, "revoke", revoke_or_refuse)
        outcome = service.refresh(rotate=True)

        assert (outcome.how, broker.revokes, broker.issues) == (Outcome.ISSUED, 1, 3)
        assert outcome.token.value != token.value

    def test_one_that_a_rotation_revokes_in_vain_is_given_to_nobody(
        self, service: TokenService, broker: FakeBroker, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        refused_by_kiwoom(service, broker, clock, monkeypatch)
        monkeypatch.setattr(broker, "revoke", lambda *_: None)

        with pytest.raises(BrokerUnavailable, match="revoked token"):
            service.refresh(rotate=True)
        assert (service.current(), broker.issues) == (None, 3)

    @pytest.fixture
    def refused(
        self, service: TokenService, broker: FakeBroker, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> TokenService:
        """The service, whose token Kiwoom refuses and issues again."""
        service.ensure()
        clock.advance(60)
        monkeypatch.setattr(broker, "verify", lambda _: Liveness.DEAD)
        assert not service.verify().is_alive
        return service

    def test_one_whose_rotation_was_stopped_while_it_was_revoked_is_given_to_nobody(
        self, refused: TokenService, broker: FakeBroker, other: TokenService, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def stop(*_: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(broker, "revoke", stop)
        with pytest.raises(KeyboardInterrupt):
            refused.refresh(rotate=True)

        with pytest.raises(BrokerUnavailable, match="revoked token"):
            other.ensure()
        assert other.current() is None

    def test_one_that_another_program_got_meanwhile_is_not_revoked(
        self, refused: TokenService, broker: FakeBroker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        issue = broker.issue

        def stop(keys: AppKeys) -> object:
            monkeypatch.setattr(refused.store.lock, "is_lost", lambda: True)
            return issue(keys)

        monkeypatch.setattr(broker, "issue", stop)
        with pytest.raises(LockLost):
            refused.refresh(rotate=True)
        assert broker.revokes == 0

    @pytest.mark.parametrize("failure", [BrokerUnavailable(NO), TokenRefused(NO, code="8010")])
    def test_what_says_nothing_changes_nothing(
        self, service: TokenService, broker: FakeBroker, failure: Exception
    ) -> None:
        token = service.ensure().token
        broker.failure = failure
        with pytest.raises(type(failure)):
            service.verify()
        assert service.current() == token
        assert service.evidence().dead_at == 0

    @pytest.mark.parametrize(
        ("failure", "is_told"), [(BrokerUnavailable(NO), False), (TokenRefused(NO, code="8010"), True)]
    )
    def test_a_check_in_the_background_tells_every_face_only_what_helps_to_know(
        self, service: TokenService, broker: FakeBroker, clock: Clock, failure: BrokerError, *, is_told: bool
    ) -> None:
        token = service.ensure().token
        clock.advance(600)
        broker.failure = failure
        with pytest.raises(type(failure)):
            service.verify(is_patient=True)
        told = service.tokens.read_record().check_failure(token, clock())
        assert (told is not None and told.code == "8010") == is_told

        clock.advance(600)
        broker.failure = None
        service.verify(is_patient=True)
        assert service.tokens.read_record().check_failure(token, clock()) is None

    def test_without_a_token_kiwoom_is_not_asked(self, service: TokenService, broker: FakeBroker) -> None:
        with pytest.raises(NoToken):
            service.verify()
        assert broker.checks == 0

    def test_an_issued_token_is_confirmed(self, service: TokenService, clock: Clock) -> None:
        service.ensure()
        assert service.evidence().confirmed_at == clock()

    def test_one_that_was_handed_in_is_not(self, service: TokenService) -> None:
        service.ensure()
        service.put(token_for("by-hand-token-of-a-test", DAY, 1_790_000_000.0))
        assert service.evidence().confirmed_at == 0


class TestAPlainWritersToken:
    """A program that knows the file alone stores its token over one that Kiwoom has confirmed."""

    @staticmethod
    def write(path: Path, token: Token) -> None:
        path.write_text(encode_seed(token))

    def test_the_older_one_of_both_is_not_given_once_kiwoom_has_ended_it(
        self, service: TokenService, other: TokenService, broker: FakeBroker, clock: Clock, path: Path
    ) -> None:
        older = token_for("written-a-moment-too-late", DAY, clock())
        clock.advance(0.5)
        service.ensure()
        kill(broker)
        self.write(path, older)
        assert other.evidence(other.current()).says_doubtful(older.value)
        given = other.ensure().token
        assert given.value != older.value
        assert other.evidence().says_dead(older.value)

    def test_one_that_works_is_given_and_asked_about_once(
        self, service: TokenService, other: TokenService, broker: FakeBroker, clock: Clock, path: Path
    ) -> None:
        older = token_for("written-a-moment-too-late", DAY, clock())
        clock.advance(0.5)
        service.ensure()
        broker.living = older
        self.write(path, older)
        assert [other.living(), service.ensure().token, other.ensure().token] == [older] * 3
        assert (broker.checks, broker.issues) == (1, 1)

    def test_it_is_given_while_kiwoom_does_not_say(
        self, service: TokenService, broker: FakeBroker, clock: Clock, path: Path
    ) -> None:
        older = token_for("written-a-moment-too-late", DAY, clock())
        clock.advance(0.5)
        service.ensure()
        broker.failure = BrokerUnavailable(NO)
        self.write(path, older)
        assert [service.ensure().token, service.living()] == [older] * 2

    def test_a_newer_one_is_taken_over_unasked(
        self, service: TokenService, other: TokenService, broker: FakeBroker, clock: Clock, path: Path
    ) -> None:
        service.ensure()
        clock.advance(0.5)
        self.write(path, newer := token_for("written-by-a-plain-program", DAY, clock()))
        assert [service.ensure().token, other.living()] == [newer] * 2
        assert broker.checks == 0

    def test_after_a_clear_nothing_speaks_against_it(
        self, service: TokenService, broker: FakeBroker, clock: Clock, path: Path
    ) -> None:
        before = token_for("kept-by-a-plain-program", DAY, clock())
        clock.advance(0.5)
        service.ensure()
        service.clear()
        self.write(path, before)
        assert service.living() == before
        assert broker.checks == 0


class TestRefusedByKiwoom:
    def test_the_refused_token_is_replaced(self, service: TokenService, broker: FakeBroker) -> None:
        token = service.ensure().token
        kill(broker)
        outcome = service.replace_refused(token.value)
        assert (outcome.how, outcome.dead) == (Outcome.ISSUED, token)

    def test_it_is_recorded_even_while_another_program_holds_the_lock(
        self,
        opened: Callable[..., TokenService],
        service: TokenService,
        other: TokenService,
        *,
        clock: Clock,
    ) -> None:
        refused = service.ensure().token
        other.put(fresh := token_for("fresh-token-of-a-test", DAY, clock()))
        with held_for(0.2, opened().store.lock):
            outcome = service.replace_refused(refused.value)
        assert outcome.token == fresh
        assert other.evidence().says_ended(refused.value), "a program that has it in memory must not use it"

    def test_one_that_is_rotated_away_between_two_looks_is_not_given(
        self, service: TokenService, other: TokenService, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = service.ensure().token
        peek, rotations = service.store.lock.peek_record, [1]

        def peek_and_rotate() -> object:
            record = peek()
            if rotations:
                rotations.pop()
                other.refresh(rotate=True)
            return record

        monkeypatch.setattr(service.store.lock, "peek_record", peek_and_rotate)
        assert service.ensure().token.value != before.value

    def test_while_no_other_can_be_had_nobody_gets_the_refused_one(
        self, service: TokenService, other: TokenService, broker: FakeBroker, tool: OtherTool, clock: Clock
    ) -> None:
        token = service.ensure().token
        clock.advance(60)
        broker.failure = BrokerUnavailable(NO)
        with pytest.raises(BrokerUnavailable):
            service.replace_refused(token.value)
        for one in (service, other):
            with pytest.raises(BrokerUnavailable):
                one.ensure()
            with pytest.raises(NoToken):
                one.living()
        assert tool.published is None

    def test_kiwoom_is_not_asked_at_each_call_because_of_it(
        self, service: TokenService, broker: FakeBroker, clock: Clock
    ) -> None:
        token = service.ensure().token
        clock.advance(60)
        broker.failure = BrokerUnavailable(NO)
        for _ in range(5):
            with pytest.raises(BrokerUnavailable):
                service.replace_refused(token.value)
        assert broker.issues == 2

    def test_when_kiwoom_gives_it_back_it_serves_again(
        self, service: TokenService, other: TokenService, clock: Clock
    ) -> None:
        token = service.ensure().token
        clock.advance(60)
        outcome = service.replace_refused(token.value)
        assert (outcome.how, other.living()) == (Outcome.SAME, token)

    def test_a_tool_that_reports_it_makes_everybody_ask_first(
        self, service: TokenService, other: TokenService, broker: FakeBroker
    ) -> None:
        token = service.ensure().token
        kill(broker)
        service.doubt(token.value)
        assert other.ensure().token != token
        assert (broker.checks, broker.issues) == (1, 2)

    def test_a_tool_that_is_wrong_costs_one_question(
        self, service: TokenService, other: TokenService, broker: FakeBroker
    ) -> None:
        token = service.ensure().token
        service.doubt(token.value)
        assert [one.ensure().token for one in (service, other, service)] == [token] * 3
        assert (broker.checks, broker.issues) == (1, 1)

    def test_while_kiwoom_does_not_say_the_token_is_used(self, service: TokenService, broker: FakeBroker) -> None:
        token = service.ensure().token
        service.doubt(token.value)
        broker.failure = BrokerUnavailable(NO)
        assert service.ensure().token == token

    def test_while_kiwoom_does_not_say_those_who_watch_leave_it_alone_together(
        self, service: TokenService, other: TokenService, broker: FakeBroker, clock: Clock
    ) -> None:
        service.doubt(service.ensure().token.value)
        broker.failure = BrokerUnavailable(NO)
        for _ in range(3):
            for each in (service, other):
                with pytest.raises(BrokerUnavailable):
                    each.verify(is_patient=True)
            clock.advance(0.5)

        assert broker.checks == 2, "the first that is not answered says little"
        with pytest.raises(BrokerUnavailable):
            other.verify()
        assert broker.checks == 3, "a user who asks is not put off"

    def test_a_report_about_another_token_says_nothing(self, service: TokenService, broker: FakeBroker) -> None:
        service.ensure()
        service.doubt(Secret("an-older-token-of-a-test"))
        service.ensure()
        assert broker.checks == 0


class TestOtherTools:
    def issue_elsewhere(self, broker: FakeBroker, clock: Clock, tool: OtherTool) -> Token:
        kill(broker)
        clock.advance(60)
        broker.living = tool.token = token_for("issued-by-another-tool", DAY, clock())
        return tool.token

    def test_a_newer_token_that_works_is_adopted_and_ours_is_dead(
        self, service: TokenService, other: TokenService, broker: FakeBroker, tool: OtherTool, clock: Clock
    ) -> None:
        ours = service.ensure().token
        theirs = self.issue_elsewhere(broker, clock, tool)
        outcome = other.ensure()
        assert (outcome.token.value, broker.issues) == (theirs.value, 1)
        assert texts(service) == theirs.value.reveal()
        assert service.evidence().confirmed_at == clock()
        assert ours.value != theirs.value

    def test_a_dead_token_of_another_tool_is_not_adopted_and_asked_about_once(
        self, service: TokenService, broker: FakeBroker, tool: OtherTool, clock: Clock
    ) -> None:
        ours = service.ensure().token
        clock.advance(60)
        tool.token = token_for("revoked-elsewhere-already", DAY, clock())
        assert [service.ensure().token for _ in range(3)] == [ours] * 3
        assert (broker.checks, broker.issues) == (2, 1)  # theirs, then ours

    def test_with_nothing_stored_a_dead_token_of_another_tool_is_not_adopted_either(
        self, service: TokenService, broker: FakeBroker, tool: OtherTool, clock: Clock
    ) -> None:
        tool.token = token_for("revoked-elsewhere-already", DAY, clock())
        outcome = service.ensure()
        assert (outcome.how, outcome.token) == (Outcome.ISSUED, broker.living)
        assert broker.checks == 1

    def test_with_nothing_stored_one_that_works_is_confirmed(
        self, service: TokenService, broker: FakeBroker, tool: OtherTool, clock: Clock
    ) -> None:
        theirs = self.issue_elsewhere(broker, clock, tool)
        outcome = service.ensure()
        assert (outcome.how, outcome.token.value, broker.issues) == (Outcome.ADOPTED, theirs.value, 0)
        assert service.evidence().confirmed_at == clock()

    def test_with_nothing_stored_one_about_which_kiwoom_does_not_say_stays_in_doubt(
        self, service: TokenService, broker: FakeBroker, tool: OtherTool, clock: Clock
    ) -> None:
        theirs = self.issue_elsewhere(broker, clock, tool)
        broker.failure = BrokerUnavailable(NO)
        assert service.ensure().token.value == theirs.value
        assert service.evidence().says_doubtful(theirs.value)

    def test_each_tool_is_heard_also_after_another_one_was_settled(
        self, service: TokenService, broker: FakeBroker, tool: OtherTool, clock: Clock
    ) -> None:
        ours = service.ensure().token
        clock.advance(60)
        tool.token = token_for("revoked-elsewhere-already", DAY, clock())
        assert service.ensure().token == ours
        asked = broker.checks
        broker.living = token_for("issued-by-a-third-tool", DAY, clock())
        tool.others.append(broker.living)
        assert service.ensure().token.value == broker.living.value
        assert broker.checks > asked

    def test_of_a_tool_whose_keys_nobody_knows_only_the_doubt_counts(
        self, service: TokenService, broker: FakeBroker, tool: OtherTool, clock: Clock
    ) -> None:
        ours = service.ensure().token
        tool.has_our_keys = False
        theirs = self.issue_elsewhere(broker, clock, tool)
        outcome = service.ensure()
        assert outcome.token.value == theirs.value, "Kiwoom gives the account's one token"
        assert service.evidence().dead_at == 0
        assert ours.value != outcome.token.value

    def test_a_token_from_kiwoom_before_ours_expires_means_that_ours_was_dead(
        self, service: TokenService, broker: FakeBroker
    ) -> None:
        ours = service.ensure().token
        kill(broker)
        assert service.refresh().dead == ours


class TestRevoke:
    def test_the_revoked_token_is_not_stored_by_hand(self, service: TokenService, other: TokenService) -> None:
        token = service.ensure().token
        service.clear(revoke=True)

        with pytest.raises(NoToken):
            other.put(token)

        assert (other.tokens.available(), service.tokens.available(), service.store.read()) == (None, None, None)

    def test_a_rotation_that_could_not_be_stored_revokes_nothing(
        self, service: TokenService, broker: FakeBroker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        token = service.ensure().token

        def refuse(_: Token) -> None:
            raise StoreError("The disk is full.")

        monkeypatch.setattr(service.store, "write", refuse)
        with pytest.raises(StoreError):
            service.refresh(rotate=True)
        assert (broker.revokes, service.living()) == (0, token)

    def test_a_rotation_whose_token_cannot_be_stored_any_more_leaves_no_dead_one_to_others(
        self,
        service: TokenService,
        opened: Callable[..., TokenService],
        broker: FakeBroker,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        service.ensure()
        was_write = service.store.write
        writes = []

        def write_once(token: Token) -> object:
            writes.append(token)
            if len(writes) > 1:
                raise StoreError("The disk is full.")
            return was_write(token)

        monkeypatch.setattr(service.store, "write", write_once)
        monkeypatch.setattr(service.store, "clear", lambda: (_ for _ in ()).throw(StoreError("The disk is full.")))
        outcome = service.refresh(rotate=True)
        assert outcome.unsaved is not None
        assert service.living() == outcome.token, "this process has it"
        assert opened().ensure().token.value == outcome.token.value, "others get it from Kiwoom, not the revoked one"
        monkeypatch.undo()
        service.ensure()
        assert opened().living().value == outcome.token.value, "and it is stored as soon as that works"

    def test_an_answer_that_was_lost_leaves_the_token_to_nobody_before_kiwoom_was_asked(
        self, service: TokenService, other: TokenService, broker: FakeBroker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        token = service.ensure().token

        def carried_out_but_lost(*_: object) -> None:
            broker.living = None
            raise BrokerUnavailable(NO)

        monkeypatch.setattr(broker, "revoke", carried_out_but_lost)
        with pytest.raises(BrokerUnavailable):
            service.clear(revoke=True)
        assert other.ensure().token != token

    def test_a_refused_revoke_of_a_dead_token_is_a_clear(
        self, service: TokenService, broker: FakeBroker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        service.ensure()
        kill(broker)

        def refuse(*_: object) -> None:
            raise RevokeFailed(NO, code="8015")

        monkeypatch.setattr(broker, "revoke", refuse)
        cleared = service.clear(revoke=True)
        assert (cleared.already_dead, cleared.revoked, service.current()) == (True, False, None)

    def test_a_refused_revoke_of_a_token_that_works_is_an_error_and_it_stays(
        self, service: TokenService, broker: FakeBroker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        token = service.ensure().token

        def refuse(*_: object) -> None:
            raise RevokeFailed(NO, code="8015")

        monkeypatch.setattr(broker, "revoke", refuse)
        for rotate in (False, True):
            with pytest.raises(RevokeFailed, match="says that it still works"):
                service.refresh(rotate=True) if rotate else service.clear(revoke=True)
        assert service.ensure().token == token
        assert broker.issues == 1
        assert service.evidence().confirmed_at > 0

    def test_a_refused_revoke_that_kiwoom_does_not_explain_is_a_doubt(
        self, service: TokenService, broker: FakeBroker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        token = service.ensure().token

        def refuse(*_: object) -> None:
            raise RevokeFailed(NO, code="8015")

        def stay_silent(*_: object) -> None:
            raise BrokerUnavailable(NO)

        monkeypatch.setattr(broker, "revoke", refuse)
        monkeypatch.setattr(broker, "verify", stay_silent)
        with pytest.raises(RevokeFailed):
            service.clear(revoke=True)
        assert service.evidence().says_doubtful(token.value)

    def test_a_program_that_ends_between_revoke_and_clear_leaves_no_dead_token(
        self, service: TokenService, other: TokenService, broker: FakeBroker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        token = service.ensure().token

        class Killed(BaseException):
            pass

        monkeypatch.setattr(service.store, "clear", lambda: (_ for _ in ()).throw(Killed))
        monkeypatch.setattr(service.exports, "withdraw", lambda _: (_ for _ in ()).throw(Killed))
        with pytest.raises(Killed):
            service.clear(revoke=True)
        assert other.ensure().token != token

    def test_a_cleared_account_stays_without_a_token(self, service: TokenService, other: TokenService) -> None:
        service.ensure()
        service.clear(revoke=True)
        assert (other.current(), other.tokens.read_record().was_interrupted(token_for("x-token", DAY, 1.0))) == (
            None,
            False,
        )


def test_no_token_stands_in_the_locks_record(service: TokenService, broker: FakeBroker, path: Path) -> None:
    token = service.ensure().token
    service.doubt(token.value)
    kill(broker)
    service.ensure()
    record = Path(f"{path}.lock").read_text()
    assert json.loads(record)["evidence"]["version"] == 1
    assert token.value.reveal() not in record


class TestWhatIsKnownStaysKnown:
    """A token that was found dead is given to nobody again, whatever happens next."""

    def test_when_the_token_of_another_tool_is_dead_as_well_neither_is_given(
        self, service: TokenService, broker: FakeBroker, tool: OtherTool, clock: Clock
    ) -> None:
        ours = service.ensure().token
        kill(broker)
        tool.token = token_for("revoked-elsewhere-already", DAY, clock() - 1)
        outcome = service.ensure()
        assert outcome.token.value not in {ours.value, tool.token and tool.token.value}
        assert outcome.how == Outcome.ISSUED
        assert outcome.token == broker.living

    def test_a_dead_token_of_another_tool_is_not_adopted_while_publishing(
        self, service: TokenService, broker: FakeBroker, tool: OtherTool, clock: Clock
    ) -> None:
        ours = service.ensure().token
        clock.advance(60)
        tool.token = token_for("revoked-elsewhere-already", 2 * DAY, clock())
        service.publish()
        assert service.living() == ours
        assert broker.issues == 1

    def test_while_kiwoom_does_not_say_the_token_of_another_tool_is_neither_adopted_nor_overwritten(
        self, service: TokenService, broker: FakeBroker, tool: OtherTool, clock: Clock
    ) -> None:
        ours = service.ensure().token
        clock.advance(60)
        tool.token = theirs = token_for("issued-by-another-tool", 2 * DAY, clock())
        broker.failure = BrokerUnavailable(NO)
        service.publish()
        assert (service.living(), tool.token) == (ours, theirs)

    def test_a_confirmation_does_not_make_another_tools_dead_token_a_doubt_again(
        self, service: TokenService, broker: FakeBroker, tool: OtherTool, clock: Clock
    ) -> None:
        service.ensure()
        clock.advance(60)
        tool.token = token_for("revoked-elsewhere-already", DAY, clock())
        service.ensure()
        clock.advance(600)
        service.verify()
        asked = broker.checks
        service.ensure()
        assert broker.checks == asked

    def test_when_it_comes_back_after_another_was_issued(
        self, service: TokenService, other: TokenService, broker: FakeBroker
    ) -> None:
        dead = service.ensure().token
        kill(broker)
        fresh = service.replace_refused(dead.value).token
        service.store.write(dead)  # as a program does that knows the file alone
        assert other.current() is None
        assert other.ensure().token.value == fresh.value
        assert other.living().value == fresh.value

    def test_to_programs_that_read_a_token_before_it_was_known(
        self, service: TokenService, broker: FakeBroker, path: Path, opened: Callable[..., TokenService]
    ) -> None:
        reader = opened()
        service.ensure()
        copy = path.read_bytes()
        assert reader.tokens.available() is not None
        kill(broker)
        service.verify()

        path.write_bytes(copy)

        assert reader.tokens.available() is None

    def test_when_a_token_was_set_by_hand_meanwhile(
        self, service: TokenService, other: TokenService, broker: FakeBroker, clock: Clock
    ) -> None:
        dead = service.ensure().token
        kill(broker)
        service.verify()
        service.put(token_for("by-hand-token-of-a-test", DAY, clock()))
        service.store.write(dead)
        assert other.current() is None

    def test_when_no_keys_can_be_found_to_replace_it(
        self, opened: Callable[..., TokenService], service: TokenService, other: TokenService
    ) -> None:
        token = service.ensure().token

        def no_keys() -> AppKeys:
            raise KeysMissing("There are no keys.")

        with pytest.raises(KeysMissing):
            opened(find_keys=no_keys).replace_refused(token.value)
        assert other.current() is None

    def test_when_kiwoom_has_asked_to_wait(
        self, service: TokenService, other: TokenService, broker: FakeBroker, clock: Clock
    ) -> None:
        token = service.ensure().token
        clock.advance(60)
        broker.failure = RateLimited(NO, code="1700", retry_after=60)
        with pytest.raises(RateLimited):
            service.refresh()
        clock.advance(1)
        with pytest.raises(RateLimited):
            service.replace_refused(token.value)
        assert other.current() is None

    def test_a_token_that_one_process_could_not_store_does_not_replace_a_newer_one(
        self, service: TokenService, other: TokenService, broker: FakeBroker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as disk:
            disk.setattr(service.store, "write", full_disk)
            unsaved = service.ensure().token
        kill(broker)
        fresh = other.ensure().token
        assert [one.ensure().token.value for one in (service, other)] == [fresh.value] * 2
        assert fresh.value != unsaved.value

    def test_where_the_store_cannot_be_written(
        self, service: TokenService, other: TokenService, broker: FakeBroker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        token = service.ensure().token
        version = other.tokens.version()
        kill(broker)
        for name in ("write", "clear"):
            monkeypatch.setattr(service.store, name, full_disk)
        assert not service.verify().is_alive
        assert other.tokens.version() != version, "whoever has the token in memory looks again"
        assert (other.current(), other.tokens.is_gone(token)) == (None, True)

    def test_an_answer_of_another_clock_is_no_confirmation_and_is_read_alike_each_time(
        self, service: TokenService, other: TokenService, clock: Clock
    ) -> None:
        clock.advance(3600)
        service.ensure()
        clock.advance(-1800)
        first = other.evidence()
        clock.advance(60)
        assert (other.evidence(), first.confirmed_at) == (first, 0)
        assert other.verify().at == clock(), "it was asked and not taken for a fresh answer"


class TestLostRevoke:
    """Nobody knows whether Kiwoom carried a revoke out: until somebody asks, nobody is given the token."""

    @pytest.fixture
    def lost(self, service: TokenService, broker: FakeBroker, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Token]:
        def lose(*, is_carried_out: bool, rotate: bool) -> Token:
            token = service.ensure().token

            def revoke(*_: object) -> None:
                broker.living = None if is_carried_out else broker.living
                raise BrokerUnavailable(NO)

            monkeypatch.setattr(broker, "revoke", revoke)
            with pytest.raises(BrokerUnavailable):
                service.refresh(rotate=True) if rotate else service.clear(revoke=True)
            return token

        return lose

    @pytest.mark.parametrize("rotate", [True, False])
    def test_it_is_hidden_and_in_doubt(self, other: TokenService, lost: Callable[..., Token], *, rotate: bool) -> None:
        token = lost(is_carried_out=True, rotate=rotate)
        assert other.tokens.available() is None
        with pytest.raises(NoToken):
            other.living()
        assert other.evidence().says_doubtful(token.value), "a tray asks Kiwoom about it"

    def test_what_came_after_it_and_could_not_be_stored_is_given_to_nobody_once_kiwoom_has_issued_another(
        self,
        service: TokenService,
        other: TokenService,
        broker: FakeBroker,
        lost: Callable[..., Token],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        lost(is_carried_out=True, rotate=True)
        monkeypatch.setattr(FileStore, "write", refuse_to_write)
        assert service.ensure().unsaved is not None
        broker.living = None
        second = other.ensure()
        assert second.unsaved is not None
        assert (service.tokens.available(), other.tokens.available()) == (None, second.token)

    @pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit, TimeoutError])
    @pytest.mark.parametrize("rotate", [True, False])
    def test_so_it_is_where_the_wait_for_the_answer_was_interrupted(
        self,
        service: TokenService,
        other: TokenService,
        broker: FakeBroker,
        monkeypatch: pytest.MonkeyPatch,
        interrupt: type[BaseException],
        *,
        rotate: bool,
    ) -> None:
        """By Ctrl+C, or by whatever a signal handler of the program raises."""
        token = service.ensure().token

        def revoke(*_: object) -> None:
            broker.living = None
            raise interrupt

        monkeypatch.setattr(broker, "revoke", revoke)
        with pytest.raises(interrupt):
            service.refresh(rotate=True) if rotate else service.clear(revoke=True)

        assert other.tokens.available() is None
        assert other.ensure().token.value != token.value

    def test_an_interrupt_before_the_revoke_was_sent_takes_nothing_away(
        self, service: TokenService, other: TokenService, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        token = service.ensure().token

        def write(*_: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as interrupted:
            interrupted.setattr(service.store, "write", write)
            with pytest.raises(KeyboardInterrupt):
                service.refresh(rotate=True)

        assert other.tokens.available() == token

    @pytest.mark.parametrize("rotate", [True, False])
    def test_that_never_left_this_computer_takes_nothing_away(
        self, service: TokenService, other: TokenService, broker: FakeBroker, *, rotate: bool
    ) -> None:
        token = service.ensure().token
        failure = broker.failure = BrokerUnavailable(NO)
        failure.was_sent = False
        with pytest.raises(BrokerUnavailable):
            service.refresh(rotate=True) if rotate else service.clear(revoke=True)

        assert (other.tokens.available(), other.living()) == (token, token)
        assert not other.evidence().says_doubtful(token.value)

    @pytest.mark.parametrize("rotate", [True, False])
    def test_once_kiwoom_confirms_it_everybody_has_it_again(
        self, service: TokenService, other: TokenService, lost: Callable[..., Token], clock: Clock, *, rotate: bool
    ) -> None:
        token = lost(is_carried_out=False, rotate=rotate)
        clock.advance(60)
        assert service.verify().is_alive
        assert (other.tokens.available(), other.living(), other.ensure().token) == (token, token, token)

    def test_a_rotation_of_the_schedule_issues_another_if_it_was_carried_out(
        self, other: TokenService, lost: Callable[..., Token], broker: FakeBroker
    ) -> None:
        token = lost(is_carried_out=True, rotate=True)
        assert other.renew(token, rotate=True).token == broker.living
        assert broker.checks == 1

    def test_a_rotation_of_the_schedule_revokes_it_if_it_was_not_carried_out(
        self,
        service: TokenService,
        other: TokenService,
        lost: Callable[..., Token],
        broker: FakeBroker,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        token = lost(is_carried_out=False, rotate=True)
        monkeypatch.undo()
        outcome = other.renew(token, rotate=True)
        assert outcome.token.value != token.value
        assert (broker.revokes, service.current()) == (1, outcome.token)

    @pytest.mark.parametrize("is_carried_out", [True, False])
    def test_asking_for_another_token_tells_where_kiwoom_says_nothing_about_it(
        self,
        other: TokenService,
        lost: Callable[..., Token],
        broker: FakeBroker,
        monkeypatch: pytest.MonkeyPatch,
        *,
        is_carried_out: bool,
    ) -> None:
        token = lost(is_carried_out=is_carried_out, rotate=True)

        def fail(*_: object) -> None:
            raise BrokerUnavailable(NO)

        monkeypatch.setattr(broker, "verify", fail)
        outcome = other.renew(token)
        assert (outcome.token.value == token.value) is not is_carried_out
        assert other.living() == other.tokens.available() == outcome.token

    def test_all_programs_together_ask_about_it_once_a_minute(
        self, service: TokenService, other: TokenService, lost: Callable[..., Token], broker: FakeBroker, clock: Clock
    ) -> None:
        token = lost(is_carried_out=True, rotate=True)
        broker.failure = BrokerUnavailable(NO)
        for _ in range(3600):
            clock.advance(1)
            for ask in (lambda: service.verify(is_patient=True), lambda: other.renew(token, rotate=True)):
                with pytest.raises(BrokerUnavailable):
                    ask()

        assert broker.checks <= 70
        assert broker.revokes <= 70

        broker.failure = broker.living = None
        clock.advance(60)
        assert other.renew(token, rotate=True).token == broker.living

    def test_a_program_whose_own_token_was_refused_is_not_given_it(
        self, other: TokenService, lost: Callable[..., Token], broker: FakeBroker
    ) -> None:
        token = lost(is_carried_out=True, rotate=False)
        outcome = other.replace_refused(Secret("an-older-token-of-a-test"))
        assert outcome.token.value != token.value
        assert outcome.token == broker.living


def full_disk(*_: object) -> None:
    raise StoreError("The disk is full.")


def refuse_to_write(*_: object) -> None:
    raise StoreError("no room")


class TestATokenThatCannotBeStored:
    """Only the program that got it has it. At a Kiwoom where another issue ends it, that is known at once."""

    @pytest.fixture(autouse=True)
    def full_disk(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(FileStore, "write", refuse_to_write)

    def test_is_given_to_nobody_once_kiwoom_has_issued_another(
        self, service: TokenService, other: TokenService, broker: FakeBroker
    ) -> None:
        first = service.ensure().token
        assert service.current() == first
        broker.living = None
        second = other.ensure().token
        assert second.value != first.value
        assert (service.current(), other.current()) == (None, second)

    def test_is_not_taken_away_again_and_again(
        self, service: TokenService, other: TokenService, broker: FakeBroker, clock: Clock
    ) -> None:
        service.ensure()
        broker.living = None
        second = other.ensure().token
        for ask in (service.ensure, lambda: service.renew(None)):
            clock.advance(60)
            with pytest.raises(StoreError, match="could not store it"):
                ask()
        assert (other.ensure().token, broker.issues) == (second, 2)

        clock.advance(3600)  # that program may have ended
        assert service.ensure().token.value == second.value
        assert broker.issues == 3

    def test_is_given_to_nobody_once_another_program_clears(
        self, service: TokenService, other: TokenService, broker: FakeBroker
    ) -> None:
        service.ensure()
        broker.failure = BrokerUnavailable(NO)
        with pytest.raises(BrokerUnavailable):
            other.refresh()
        other.clear()
        assert service.current() is None

    def test_is_given_to_nobody_once_another_program_clears_also_if_it_was_pasted(
        self, service: TokenService, other: TokenService, clock: Clock
    ) -> None:
        pasted = token_for("a-token-that-was-pasted", DAY, clock())
        with pytest.raises(StoreError):
            service.put(pasted)
        assert service.current() == pasted
        other.clear()
        assert service.current() is None

    def test_is_remembered_beside_another_program_s(
        self, service: TokenService, other: TokenService, clock: Clock
    ) -> None:
        for program in (service, other):
            with pytest.raises(StoreError):
                program.put(token_for(f"a-token-that-was-pasted-{id(program)}", DAY, clock()))
        other.clear()
        assert (service.current(), other.current()) == (None, None)

    def test_is_given_to_nobody_once_kiwoom_has_issued_another_after_a_failure(
        self, service: TokenService, other: TokenService, broker: FakeBroker, clock: Clock
    ) -> None:
        service.ensure()
        broker.living = None
        broker.failure = BrokerUnavailable(NO)
        with pytest.raises(BrokerUnavailable):
            other.refresh()
        broker.failure = None
        clock.advance(60)
        second = other.refresh().token
        assert (service.current(), other.current()) == (None, second)

    @pytest.mark.parametrize("is_stored", [True, False])
    def test_is_no_reason_to_wait_once_it_died(
        self,
        service: TokenService,
        other: TokenService,
        broker: FakeBroker,
        clock: Clock,
        monkeypatch: pytest.MonkeyPatch,
        *,
        is_stored: bool,
    ) -> None:
        service.ensure()
        broker.living = None
        second = other.ensure().token
        clock.advance(60)
        if is_stored:
            monkeypatch.setattr(FileStore, "write", WRITE)
            other.publish()
        broker.living = None
        assert not other.verify().is_alive
        assert service.ensure().token.value != second.value

    def test_does_not_leave_the_dead_one_before_it_in_the_store(
        self, service: TokenService, broker: FakeBroker, clock: Clock, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(FileStore, "write", WRITE)
        service.put(token_for("a-token-of-yesterday", DAY, clock()))
        monkeypatch.setattr(FileStore, "write", refuse_to_write)
        assert path.exists()
        issued = service.refresh()
        assert issued.dead is not None
        assert (path.exists(), service.current()) == (False, issued.token)

    def test_is_shared_where_kiwoom_gives_the_same(
        self, service: TokenService, other: TokenService, broker: FakeBroker
    ) -> None:
        assert service.ensure().token.value == other.ensure().token.value
        assert service.ensure().token.value == other.ensure().token.value
        assert broker.issues == 2

    def test_is_cleared_by_another_program_too(self, service: TokenService, other: TokenService) -> None:
        service.ensure()
        other.clear()
        assert service.current() is None

    def test_goes_from_other_tools_too_with_such_a_clear(
        self, service: TokenService, other: TokenService, tool: OtherTool
    ) -> None:
        assert service.ensure().token == tool.published
        other.clear()
        assert tool.published is None

    def test_may_be_stored_again_after_such_a_clear(
        self, service: TokenService, other: TokenService, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pasted = token_for("a-token-that-was-pasted", DAY, clock())
        with pytest.raises(StoreError):
            service.put(pasted)
        other.clear()
        monkeypatch.setattr(FileStore, "write", WRITE)

        other.put(pasted)

        assert [one.current() for one in (service, other)] == [pasted] * 2

    def test_may_be_in_memory_again_after_such_a_clear(
        self, service: TokenService, other: TokenService, clock: Clock
    ) -> None:
        pasted = token_for("a-token-that-was-pasted", DAY, clock())
        for clear in (service.clear, other.clear, service.clear):
            with pytest.raises(StoreError):
                service.put(pasted)
            assert service.current() == pasted
            clear()
            assert service.current() is None

    @pytest.mark.parametrize("can_be_read", [True, False])
    def test_is_not_stored_once_there_is_room_after_such_a_clear(
        self,
        service: TokenService,
        other: TokenService,
        path: Path,
        monkeypatch: pytest.MonkeyPatch,
        *,
        can_be_read: bool,
    ) -> None:
        service.ensure()
        other.clear()
        monkeypatch.setattr(FileStore, "write", WRITE)
        if not can_be_read:
            monkeypatch.setattr(FileStore, "read", refuse_to_write)

        service.tokens.save_unsaved()

        assert not path.exists()

    def test_is_the_same_again_if_kiwoom_gives_it_after_such_a_clear(
        self, service: TokenService, other: TokenService
    ) -> None:
        first = service.ensure().token
        other.clear()
        assert other.ensure().token.value == first.value
        assert other.current() == first
        other.clear()
        assert (service.current(), other.current()) == (None, None)

    def test_is_known_to_be_replaced_after_such_a_clear(
        self, service: TokenService, other: TokenService, broker: FakeBroker
    ) -> None:
        first = service.ensure().token
        other.clear()
        broker.living = None
        assert other.ensure().token.value != first.value
        assert service.current() is None

    def test_the_user_may_ask_all_the_same(
        self, service: TokenService, other: TokenService, broker: FakeBroker
    ) -> None:
        service.ensure()
        broker.living = None
        other.ensure()
        assert service.refresh().token == other.current()


def test_a_token_that_was_replaced_early_is_dead_to_who_has_it_in_memory(
    service: TokenService, other: TokenService, broker: FakeBroker, clock: Clock
) -> None:
    first = service.ensure().token
    broker.living = None
    clock.advance(60)
    second = other.refresh().token
    service.store.write(first)  # a copy comes back
    assert service.current() is None
    assert service.evidence().says_dead(first.value)
    assert not service.evidence().says_ended(second.value)
