from __future__ import annotations

import errno
import itertools
import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from tests.doubles import KEYS, START, Clock, FakeBroker
from tests.file_service import open_file_service
from tests.threads import no_more_threads
from tray_app.core.errors import (
    BrokerError,
    BrokerUnavailable,
    KeysMissing,
    KeysRefused,
    KiwoomTokenError,
    LockLost,
    LockTimeout,
    NoToken,
    RateLimited,
    RequestRefused,
    RevokeFailed,
    StoreError,
    TokenRefused,
)
from tray_app.core.language import msg
from tray_app.core.token import token_for
from tray_app.kiwoom.broker import Broker, Issued
from tray_app.kiwoom.codes import error_for
from tray_app.kiwoom.keys import AppKeys
from tray_app.service.outcome import Outcome
from tray_app.service.token_service import TokenService
from tray_app.stores.base import Place
from tray_app.stores.lock import ProfileLock, ThreadLock
from tray_app.stores.memory import MemoryStore
from tray_app.system import file_lock as kernel_lock
from tray_app.system.file_lock import Holder

DAY = 86400


class SlowBroker(FakeBroker):
    """Lets `callers` come together before it answers the first."""

    def __init__(self, clock: Clock, **options: Any) -> None:
        super().__init__(clock, **options)
        self.asked = threading.Event()
        self.answer = threading.Event()

    def issue(self, keys: Any) -> Any:
        self.asked.set()
        self.answer.wait(20)
        self.clock.advance(1)
        return super().issue(keys)


class SlowShares:
    """Is `busy` handing a token out until it is told that it is `over`."""

    def __init__(self, busy: Any, over: Any) -> None:
        self.busy = busy
        self.over = over

    def publish(self, token: Any) -> Any:
        self.busy.set()
        self.over.wait(20)
        return ()

    def withdraw(self, fingerprints: Any) -> Any:
        return ()

    def external_token(self) -> None:
        return None

    def rivals_of(self, token: Any) -> tuple[()]:
        return ()


@contextmanager
def refreshing_while_handed_out(holder: Any, waiter: Any, broker: Any) -> Iterator[Any]:
    """`waiter` refreshes while `holder` has its answer and still hands it out; gives the waiting thread and what it
    finds. Afterwards both are through."""
    handing_out, over = threading.Event(), threading.Event()
    holder.exports = SlowShares(handing_out, over)
    found = []
    asking = threading.Thread(target=holder.refresh, daemon=True)
    waiting = threading.Thread(target=lambda: found.append(waiter.refresh()), daemon=True)
    asking.start()
    broker.asked.wait(20)
    waiting.start()
    broker.answer.set()
    handing_out.wait(20)
    try:
        yield waiting, found
    finally:
        over.set()
        asking.join(20)
        waiting.join(20)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / ".token"


@pytest.fixture
def opened(path: Path, clock: Clock, broker: FakeBroker) -> Callable[..., TokenService]:
    """Opens a service as another process would: nothing shared but the disk and Kiwoom."""

    def open_one(asked: FakeBroker = broker, find_keys: Callable[[], AppKeys] = lambda: KEYS) -> TokenService:
        return open_file_service(path, clock, asked, find_keys=find_keys)

    return open_one


@pytest.fixture
def service(opened: Callable[..., TokenService]) -> TokenService:
    return opened()


def refuse(*_: Any) -> None:
    raise OSError(errno.EROFS, "Read-only file system")


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Any]]:
    """Runs `act(n)` on many threads that all wait for the lock before Kiwoom answers the first."""
    waiting = threading.Semaphore(0)
    acquire = ProfileLock.acquire

    def counted(lock: Any, *arguments: Any, **options: Any) -> Any:
        waiting.release()
        return acquire(lock, *arguments, **options)

    monkeypatch.setattr(ProfileLock, "acquire", counted)

    def run(count: Any, act: Any, broker: Any) -> list[Any]:
        results: list[Any] = [None] * count

        def work(n: Any) -> None:
            try:
                results[n] = act(n)
            except KiwoomTokenError as error:
                results[n] = error

        threads = [threading.Thread(target=work, args=(n,), daemon=True) for n in range(count)]
        for thread in threads:
            thread.start()
        all_wait = all(waiting.acquire(timeout=20) for _ in range(count))
        broker.answer.set()
        for thread in threads:
            thread.join(20)
        assert all_wait, results
        return results

    return run


class TestEnsure:
    def test_issues_when_there_is_none(self, service: TokenService, broker: FakeBroker) -> None:
        outcome = service.ensure()

        assert (outcome.how, outcome.token.value.reveal(), broker.issues) == (Outcome.ISSUED, "token-1-of-a-test", 1)

    def test_stores_what_it_issued(self, service: TokenService, opened: Callable[..., TokenService]) -> None:
        issued = service.ensure().token

        assert opened().current() == issued

    def test_does_not_ask_while_there_is_enough(self, service: TokenService, broker: FakeBroker, clock: Clock) -> None:
        service.ensure()
        clock.advance(DAY - 301)

        assert service.ensure().how == Outcome.FOUND
        assert broker.issues == 1

    def test_asks_for_keys_only_when_it_must_ask_kiwoom(
        self, service: TokenService, opened: Callable[..., TokenService]
    ) -> None:
        service.ensure()

        def none() -> None:
            raise AssertionError("asked for keys")

        assert opened(find_keys=none).ensure().how == Outcome.FOUND

    @pytest.mark.parametrize("min_remaining", [0, -5])
    def test_a_dead_token_is_never_enough(
        self, min_remaining: int, service: TokenService, broker: FakeBroker, clock: Clock
    ) -> None:
        service.ensure()
        clock.advance(DAY)

        assert service.ensure(min_remaining).token.is_unexpired(clock())
        assert broker.issues == 2

    def test_no_more_than_asked_for_is_enough(self, service: TokenService, broker: FakeBroker, clock: Clock) -> None:
        service.ensure()
        clock.advance(DAY - 10)

        assert service.ensure(10).how == Outcome.FOUND

    def test_nobody_with_a_living_token_waits_long_for_another_s_request(
        self, service: TokenService, opened: Callable[..., TokenService], clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Kiwoom may not answer the one who asks; the orders of all others go on meanwhile."""
        waited: list[float] = []

        def never_free(_: object, timeout: float, on_update: object) -> bool:
            waited.append(timeout)
            raise LockTimeout("held")

        living = service.ensure().token
        monkeypatch.setattr(ProfileLock, "acquire", never_free)
        clock.advance(DAY - 200)
        assert opened().ensure().token == living
        assert opened().ensure(100).token == living, "which is enough, and waits for nobody"
        clock.advance(200)
        with pytest.raises(LockTimeout):
            opened().ensure()

        with_token, without = waited
        assert with_token * 10 < without, "without a token there is nothing better to do"

    @pytest.mark.parametrize("failure", [BrokerUnavailable, RateLimited, KeysRefused, RequestRefused])
    def test_a_valid_token_is_used_when_nothing_better_can_be_had(
        self,
        failure: type[BrokerUnavailable] | type[KeysRefused] | type[RateLimited] | type[RequestRefused],
        service: TokenService,
        broker: FakeBroker,
        clock: Clock,
    ) -> None:
        valid = service.ensure().token
        clock.advance(DAY - 60)
        broker.failure = failure("no")

        outcome = service.ensure()

        assert (outcome.token, outcome.how) == (valid, Outcome.FOUND)

    def test_a_valid_token_is_used_without_keys(
        self, service: TokenService, opened: Callable[..., TokenService], clock: Clock
    ) -> None:
        valid = service.ensure().token
        clock.advance(DAY - 60)

        def none() -> None:
            raise KeysMissing("none")

        assert opened(find_keys=none).ensure().token == valid

    def test_a_failure_leaves_the_stored_token(
        self, service: TokenService, opened: Callable[..., TokenService], broker: FakeBroker, clock: Clock
    ) -> None:
        valid = service.ensure().token
        clock.advance(DAY - 60)
        broker.failure = BrokerUnavailable("no")
        service.ensure()

        assert opened().current() == valid

    @pytest.mark.parametrize("failure", [BrokerUnavailable, RateLimited, KeysRefused, RequestRefused])
    def test_without_a_living_one_the_failure_is_told(
        self,
        failure: type[BrokerUnavailable] | type[KeysRefused] | type[RateLimited] | type[RequestRefused],
        service: TokenService,
        broker: FakeBroker,
        clock: Clock,
    ) -> None:
        service.ensure()
        clock.advance(DAY)
        broker.failure = failure("no")

        with pytest.raises(failure):
            service.ensure()

    def test_a_token_retired_by_the_seeds_rule_is_used_to_its_end(
        self, service: TokenService, broker: FakeBroker, clock: Clock
    ) -> None:
        valid = service.ensure().token
        clock.advance(DAY - 200)
        service.expire_soft(service.store.read())  # type: ignore[arg-type]
        broker.failure = BrokerUnavailable("no")

        assert service.store.read() is None
        assert service.ensure().token == valid

    def test_a_token_retired_by_the_seeds_rule_makes_nobody_ask(
        self, service: TokenService, broker: FakeBroker, clock: Clock
    ) -> None:
        service.ensure()
        clock.advance(DAY - 200)
        service.expire_soft(service.store.read())  # type: ignore[arg-type]

        assert service.ensure(100).how == Outcome.FOUND
        assert broker.issues == 1


class TestLiving:
    def test_never_asks_kiwoom(self, service: TokenService, broker: FakeBroker) -> None:
        with pytest.raises(NoToken):
            service.living()
        assert broker.issues == 0

    def test_gives_a_token_to_its_last_second(self, service: TokenService, clock: Clock) -> None:
        service.put(one := token_for("token-of-a-test", 100, clock()))
        clock.advance(99.9)

        assert service.living() == one

    def test_does_not_give_a_dead_one(self, service: TokenService, clock: Clock) -> None:
        service.put(token_for("token-of-a-test", 100, clock()))
        clock.advance(100)

        with pytest.raises(NoToken):
            service.living()


class TestEnough:
    @pytest.mark.parametrize(("left", "asks"), [(300, 0), (299.9, 1)])
    def test_is_a_token_with_five_minutes_left(
        self, left: float, asks: int, service: TokenService, broker: FakeBroker, clock: Clock
    ) -> None:
        service.put(token_for("token-of-a-test", DAY, clock()))
        clock.advance(DAY - left)
        service.ensure()

        assert broker.issues == asks


class TestSameAnswer:
    def test_is_told_and_keeps_the_token(self, service: TokenService, clock: Clock) -> None:
        first = service.ensure().token
        clock.advance(DAY - 200)

        outcome = service.ensure()

        assert (outcome.how, outcome.token) == (Outcome.SAME, first)

    def test_is_asked_for_once_however_often_anybody_ensures(
        self, service: TokenService, opened: Callable[..., TokenService], broker: FakeBroker, clock: Clock
    ) -> None:
        service.ensure()
        clock.advance(DAY - 200)
        for _ in range(10):
            service.ensure()
            opened().ensure()
            clock.advance(10)

        assert broker.issues == 2

    def test_is_asked_for_once_however_often_anybody_renews(
        self, service: TokenService, opened: Callable[..., TokenService], broker: FakeBroker, clock: Clock
    ) -> None:
        seen = service.ensure().token
        clock.advance(DAY - 600)
        outcomes = [one.renew(seen).how for one in (service, opened(), service)]

        assert (outcomes, broker.issues) == ([Outcome.SAME, Outcome.ADOPTED, Outcome.ADOPTED], 2)

    def test_is_asked_again_right_after_the_end(self, service: TokenService, broker: FakeBroker, clock: Clock) -> None:
        service.ensure()
        clock.advance(DAY - 200)
        service.ensure()
        clock.advance(200)

        outcome = service.ensure()

        assert (outcome.how, outcome.token.value.reveal()) == (Outcome.ISSUED, "token-3-of-a-test")

    def test_a_user_who_asks_is_asked_for(self, service: TokenService, broker: FakeBroker, clock: Clock) -> None:
        service.ensure()
        clock.advance(DAY - 200)
        service.ensure()
        clock.advance(1)

        assert service.refresh().how == Outcome.SAME
        assert broker.issues == 3

    def test_about_another_token_means_nothing(self, service: TokenService, broker: FakeBroker, clock: Clock) -> None:
        service.ensure()
        clock.advance(1)
        service.refresh()
        service.put(token_for("set-by-hand", 200, clock()))
        clock.advance(1)

        service.ensure()

        assert broker.issues == 3

    def test_of_a_token_that_is_shorter_than_the_buffer_does_not_loop(
        self, opened: Callable[..., TokenService], clock: Clock
    ) -> None:
        short = FakeBroker(clock, lifetime=60)
        service = opened(short)
        for _ in range(50):
            service.ensure()
            clock.advance(1)

        assert short.issues <= 2

    def test_does_not_rewrite_the_file(self, service: TokenService, path: Path, clock: Clock) -> None:
        service.ensure()
        before = path.stat().st_ino, path.stat().st_mtime_ns
        clock.advance(1)
        assert service.refresh().how == Outcome.SAME

        assert (path.stat().st_ino, path.stat().st_mtime_ns) == before


class TestSingleFlight:
    @pytest.mark.parametrize("shared", [True, False], ids=["one service", "a service each"])
    @pytest.mark.parametrize("call", ["ensure", "refresh", "renew"])
    def test_many_at_once_make_one_request(
        self,
        at_once: Callable[..., list[Any]],
        call: str,
        shared: bool,
        opened: Callable[..., TokenService],
        clock: Clock,
    ) -> None:
        broker = SlowBroker(clock)
        services = [opened(broker)] * 8 if shared else [opened(broker) for _ in range(8)]

        def ask(n: Any) -> Any:
            return services[n].renew(None) if call == "renew" else getattr(services[n], call)()

        results = at_once(8, ask, broker)

        assert broker.issues == 1
        assert {one.token.value.reveal() for one in results} == {"token-1-of-a-test"}
        assert sorted(one.how for one in results) == [Outcome.ADOPTED] * 7 + [Outcome.ISSUED]

    @pytest.mark.parametrize("call", ["ensure", "refresh"])
    def test_many_at_once_make_one_request_when_the_same_token_comes_back(
        self,
        at_once: Callable[..., list[Any]],
        call: str,
        opened: Callable[..., TokenService],
        broker: FakeBroker,
        clock: Clock,
    ) -> None:
        opened().ensure()
        clock.advance(DAY - 200)
        slow = SlowBroker(clock)
        slow.living, slow.issues = broker.living, 0
        services = [opened(slow) for _ in range(8)]

        results = at_once(8, lambda n: getattr(services[n], call)(), slow)

        assert slow.issues == 1
        assert {one.token.value.reveal() for one in results} == {"token-1-of-a-test"}

    @pytest.mark.parametrize(
        "failure",
        [
            BrokerUnavailable(msg("Kiwoom answered."), code="HTTP 503"),
            RateLimited(msg("Too many."), code="1700", retry_after=5.0),
            KeysRefused(msg("Refused."), code="8001", remedy="enter-keys"),
            RequestRefused(msg("Refused because of {reason}."), reason="x"),
        ],
        ids=lambda failure: type(failure).__name__,
    )
    def test_those_who_waited_share_the_failure(
        self,
        at_once: Callable[..., list[Any]],
        failure: BrokerError,
        opened: Callable[..., TokenService],
        clock: Clock,
    ) -> None:
        broker = SlowBroker(clock)
        broker.failure = failure
        services = [opened(broker) for _ in range(8)]

        results = at_once(8, lambda n: services[n].ensure(), broker)

        assert broker.issues == 1
        assert {(type(one), str(one), one.code, one.remedy) for one in results} == {
            (type(failure), str(failure), failure.code, failure.remedy)
        }

    def test_who_comes_after_a_failure_asks_for_himself(
        self, service: TokenService, broker: FakeBroker, clock: Clock
    ) -> None:
        broker.failure = BrokerUnavailable("no")
        with pytest.raises(BrokerUnavailable):
            service.ensure()
        broker.failure = None
        clock.advance(1)

        assert service.ensure().how == Outcome.ISSUED

    @pytest.mark.parametrize("failure", [BrokerUnavailable("no"), RateLimited("no"), KeysRefused("no", code="8001")])
    def test_nobody_asks_at_every_call_while_kiwoom_fails(
        self, opened: Callable[..., TokenService], broker: FakeBroker, clock: Clock, failure: BrokerError
    ) -> None:
        broker.failure = failure
        for _ in range(5):
            with pytest.raises(type(failure)):
                opened(broker).ensure()
            clock.advance(0.1)
        assert broker.issues == 2

        clock.advance(60)
        broker.failure = None
        assert opened(broker).ensure().how == Outcome.ISSUED

    def test_each_failure_makes_the_next_pause_longer_to_a_minute(
        self, service: TokenService, broker: FakeBroker, clock: Clock
    ) -> None:
        broker.failure = BrokerUnavailable("no")
        asked_at: list[float] = []
        for second in range(260):
            with pytest.raises(BrokerUnavailable):
                service.ensure()
            if broker.issues > len(asked_at):
                asked_at.append(second)
            clock.advance(1)

        assert [later - earlier for earlier, later in itertools.pairwise(asked_at)] == [1, 5, 10, 20, 40, 60, 60, 60]

    def test_a_valid_token_is_given_without_asking_after_a_second_failure(
        self, service: TokenService, broker: FakeBroker, clock: Clock
    ) -> None:
        service.put(token_for("living-token", 200, clock()))
        broker.failure = BrokerUnavailable("no")
        found = []

        for _ in range(5):
            found.append(service.ensure().token.value.reveal())
            clock.advance(0.1)

        assert (found, broker.issues) == (["living-token"] * 5, 2)

    def test_a_user_who_refreshes_is_not_kept_waiting(
        self, service: TokenService, broker: FakeBroker, clock: Clock
    ) -> None:
        broker.failure = BrokerUnavailable("no")
        for _ in range(3):
            with pytest.raises(BrokerUnavailable):
                service.refresh()
            clock.advance(0.1)
        broker.failure = None

        assert service.refresh().how == Outcome.ISSUED

    def test_those_who_waited_do_not_adopt_a_dead_token(
        self,
        at_once: Callable[..., list[Any]],
        opened: Callable[..., TokenService],
        path: Path,
        clock: Clock,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Who asked could not store the new token, so the dead one still lies there."""
        opened().put(token_for("dead-token", 60, clock()))
        clock.advance(61)
        broker = SlowBroker(clock)
        services = [opened(broker) for _ in range(4)]
        monkeypatch.setattr(os, "replace", refuse)

        results = at_once(4, lambda n: services[n].ensure(), broker)

        assert {one.token.value.reveal() for one in results} == {"token-1-of-a-test"}

    def test_many_rotations_at_once_are_one(
        self,
        at_once: Callable[..., list[Any]],
        opened: Callable[..., TokenService],
        broker: FakeBroker,
        clock: Clock,
    ) -> None:
        opened().ensure()
        slow = SlowBroker(clock)
        slow.living = broker.living
        services = [opened(slow) for _ in range(6)]

        results = at_once(6, lambda n: services[n].refresh(rotate=True), slow)

        assert (slow.revokes, slow.issues) == (1, 1)
        assert len({one.token.value.reveal() for one in results}) == 1

    def test_a_refresh_that_waited_for_a_rotation_takes_its_token(
        self,
        at_once: Callable[..., list[Any]],
        opened: Callable[..., TokenService],
        broker: FakeBroker,
        clock: Clock,
    ) -> None:
        opened().ensure()
        slow = SlowBroker(clock)
        slow.living = broker.living
        rotating, refreshing = opened(slow), opened(slow)

        def ask(n: Any) -> Any:
            if n == 0:
                return rotating.refresh(rotate=True)
            slow.asked.wait(20)
            return refreshing.refresh()

        first, second = at_once(2, ask, slow)

        assert (second.how, second.token, slow.issues) == (Outcome.ADOPTED, first.token, 1)

    @pytest.mark.parametrize("waits_in", ["another process", "a thread"])
    def test_who_waits_has_the_token_while_the_holder_still_hands_it_out(
        self, opened: Callable[..., TokenService], clock: Clock, waits_in: str
    ) -> None:
        broker = SlowBroker(clock)
        holder = opened(broker)
        waiter = holder if waits_in == "a thread" else opened(broker)

        with refreshing_while_handed_out(holder, waiter, broker) as (waiting, found):
            waiting.join(10)
            had = [(one.how, one.token.value.reveal()) for one in found]

        assert had == [(Outcome.ADOPTED, "token-1-of-a-test")]
        assert broker.issues == 1

    def test_who_waits_does_not_take_an_older_token_for_the_answer(
        self, opened: Callable[..., TokenService], clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The note is there, but the token it is about could not be stored."""
        opened().put(token_for("older-token", 400, clock()))
        broker = SlowBroker(clock)
        monkeypatch.setattr(os, "replace", refuse)

        with refreshing_while_handed_out(opened(broker), opened(broker), broker) as (waiting, found):
            waiting.join(0.2)
            waits = waiting.is_alive()

        assert waits
        assert [one.token.is_unexpired(clock()) for one in found] == [True]

    def test_a_lock_that_is_held_too_long_is_told(
        self, service: TokenService, opened: Callable[..., TokenService], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        other = opened()
        monkeypatch.setattr("tray_app.service.token_service.DEFAULT_TIMEOUT_SECONDS", 0.01)
        with other.store.lock, pytest.raises(LockTimeout):
            service.ensure()

    def test_a_valid_token_is_used_while_the_lock_is_held_too_long(
        self, service: TokenService, opened: Callable[..., TokenService], clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        valid = service.ensure().token
        clock.advance(DAY - 60)
        other = opened()
        monkeypatch.setattr("tray_app.service.token_service._PATIENCE_WITH_TOKEN_SECONDS", 0.01)
        with other.store.lock:
            assert service.ensure().token == valid

    def test_a_token_that_expires_while_the_lock_is_held_is_replaced_by_the_one_that_the_holder_gets(
        self, service: TokenService, opened: Callable[..., TokenService], clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = service.ensure().token
        clock.advance(DAY - 1)
        broker = SlowBroker(clock)
        holder = opened(broker)
        renewing = threading.Thread(target=holder.refresh)
        renewing.start()
        assert broker.asked.wait(20)
        wait_for_lock = service.store.lock.acquire

        def expire_meanwhile(timeout: float, on_update: Any = None) -> bool:
            if timeout > 5:
                broker.answer.set()
                return wait_for_lock(timeout, on_update)
            clock.advance(2)
            return wait_for_lock(0.01, on_update)

        monkeypatch.setattr(service.store.lock, "acquire", expire_meanwhile)
        try:
            found = service.ensure().token
        finally:
            broker.answer.set()
            renewing.join()

        assert found == holder.current()
        assert found != before


class TestNoThread:
    """A real broker in a process that may start no more threads."""

    @pytest.fixture
    def service(self, path: Path, clock: Clock, service: TokenService) -> TokenService:
        service.put(token_for("token-of-a-test", DAY, clock()))
        broker: Any = Broker("http://127.0.0.1:9")
        return open_file_service(path, clock, broker)

    def test_an_unexpired_token_is_used(self, service: TokenService) -> None:
        with no_more_threads():
            assert service.ensure(10**6).token == service.current()

    def test_what_asks_kiwoom_says_so(self, service: TokenService) -> None:
        with no_more_threads():
            for ask in (service.refresh, service.verify, lambda: service.refresh(rotate=True)):
                with pytest.raises(BrokerUnavailable, match="threads"):
                    ask()
        assert service.living() == service.current(), "nothing was sent that could have revoked it"

    def test_other_programs_do_not_pause_because_of_it(
        self, service: TokenService, opened: Callable[..., TokenService], broker: FakeBroker
    ) -> None:
        with no_more_threads():
            for _ in range(4):
                service.ensure(10**6)
        assert opened().ensure(10**6).how == Outcome.ISSUED
        assert broker.issues == 1


class TestUnusableLock:
    @pytest.fixture(autouse=True)
    def no_lock(self, path: Path) -> None:
        (path.parent / ".token.lock").mkdir(parents=True)

    def test_a_token_is_issued_all_the_same(self, service: TokenService) -> None:
        assert service.ensure().how == Outcome.ISSUED

    def test_a_token_is_stored_all_the_same(
        self, service: TokenService, opened: Callable[..., TokenService], clock: Clock
    ) -> None:
        service.put(one := token_for("token-of-a-test", DAY, clock()))

        assert opened().current() == one

    def test_a_token_is_cleared_all_the_same(
        self, service: TokenService, opened: Callable[..., TokenService], clock: Clock
    ) -> None:
        service.put(token_for("token-of-a-test", DAY, clock()))

        service.clear()

        assert opened().current() is None

    def test_threads_of_one_process_still_make_one_request(
        self, at_once: Callable[..., list[Any]], opened: Callable[..., TokenService], clock: Clock
    ) -> None:
        broker = SlowBroker(clock)
        services = [opened(broker) for _ in range(4)]

        at_once(4, lambda n: services[n].ensure(), broker)

        assert broker.issues == 1


class TestWriteFailure:
    @pytest.fixture
    def full(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A disk that takes nothing any more."""
        was_write = os.write

        def write(descriptor: Any, content: Any) -> Any:
            refuse()
            return was_write(descriptor, content)

        monkeypatch.setattr(os, "write", write)
        monkeypatch.setattr(os, "replace", refuse)
        monkeypatch.setattr(os, "ftruncate", refuse)

    def test_after_an_issue_the_token_is_returned(self, full: None, service: TokenService) -> None:
        outcome = service.ensure()

        assert outcome.how == Outcome.ISSUED
        assert isinstance(outcome.unsaved, StoreError)

    def test_this_process_goes_on_with_it(self, full: None, service: TokenService, broker: FakeBroker) -> None:
        issued = service.ensure().token

        assert (service.ensure().token, service.current(), broker.issues) == (issued, issued, 1)

    def test_this_process_goes_on_with_it_when_the_file_cannot_even_be_read(
        self, full: None, service: TokenService, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        issued = service.ensure().token
        monkeypatch.setattr(os, "open", refuse)

        assert service.current() == issued

    def test_a_token_that_was_put_is_kept_in_memory(self, full: None, service: TokenService, clock: Clock) -> None:
        with pytest.raises(StoreError):
            service.put(one := token_for("token-of-a-test", DAY, clock()))

        assert service.current() == one

    def test_it_ends_like_any_other(self, full: None, service: TokenService, clock: Clock) -> None:
        service.ensure()
        clock.advance(DAY)

        with pytest.raises(NoToken):
            service.living()

    def test_a_newer_token_of_another_process_goes_before_it(
        self, service: TokenService, opened: Callable[..., TokenService], clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", refuse)
            service.ensure()
        clock.advance(60)
        opened().put(newer := token_for("newer", 3600, clock()))

        assert service.current() == newer

    def test_an_older_token_of_the_store_does_not(
        self, service: TokenService, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        service.put(token_for("older", DAY, clock()))
        clock.advance(DAY - 10)
        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", refuse)
            issued = service.ensure().token

        assert service.current() == issued

    def test_the_next_write_that_succeeds_ends_it(
        self, service: TokenService, opened: Callable[..., TokenService], clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", refuse)
            service.ensure()
        clock.advance(1)

        assert service.refresh().unsaved is None
        assert opened().current() == service.current()

    def test_a_clear_forgets_it(self, service: TokenService, monkeypatch: pytest.MonkeyPatch) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", refuse)
            service.ensure()

        service.clear()

        assert service.current() is None


class TestRotate:
    def test_revokes_first_and_then_issues(self, service: TokenService, broker: FakeBroker) -> None:
        before = service.ensure().token

        outcome = service.refresh(rotate=True)

        assert (broker.revokes, broker.issues, outcome.how) == (1, 2, Outcome.ISSUED)
        assert outcome.token.value != before.value

    def test_without_a_token_only_issues(self, service: TokenService, broker: FakeBroker) -> None:
        service.refresh(rotate=True)

        assert (broker.revokes, broker.issues) == (0, 1)

    def test_a_dead_token_is_not_revoked(self, service: TokenService, broker: FakeBroker, clock: Clock) -> None:
        service.ensure()
        clock.advance(DAY)

        service.refresh(rotate=True)

        assert (broker.revokes, broker.issues) == (0, 2)

    @pytest.mark.parametrize("failure", [RevokeFailed("no", code="8015"), TokenRefused("no", code="8010")])
    def test_when_the_revoke_fails_the_token_stays_and_none_is_issued(
        self, failure: BrokerError, service: TokenService, broker: FakeBroker, opened: Callable[..., TokenService]
    ) -> None:
        before = service.ensure().token
        broker.failure = failure

        with pytest.raises(type(failure)):
            service.refresh(rotate=True)

        assert (opened().current(), broker.issues) == (before, 1)

    def test_a_token_that_kiwoom_does_not_know_is_no_obstacle(
        self, service: TokenService, broker: FakeBroker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        service.ensure()

        def dead(*_: Any) -> None:
            raise TokenRefused("dead", code="8005")

        monkeypatch.setattr(broker, "revoke", dead)
        broker.living = None

        assert service.refresh(rotate=True).how == Outcome.ISSUED

    def test_when_the_issue_fails_the_revoked_token_is_gone(
        self,
        service: TokenService,
        broker: FakeBroker,
        opened: Callable[..., TokenService],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        service.ensure()

        def fail(_: object) -> None:
            raise BrokerUnavailable("no")

        monkeypatch.setattr(broker, "issue", fail)
        with pytest.raises(BrokerUnavailable):
            service.refresh(rotate=True)

        assert opened().current() is None

    @pytest.mark.parametrize("ask", [TokenService.ensure, TokenService.refresh])
    def test_a_revoked_token_that_kiwoom_returns_is_given_to_nobody_unless_it_works(
        self,
        ask: Callable[[TokenService], Outcome],
        service: TokenService,
        broker: FakeBroker,
        *,
        opened: Callable[..., TokenService],
        monkeypatch: pytest.MonkeyPatch,
        clock: Clock,
    ) -> None:
        before = service.ensure().token
        issue = broker.issue
        clock.advance(60)
        monkeypatch.setattr(broker, "issue", lambda _: Issued(before, None))

        with pytest.raises(BrokerUnavailable, match="revoked token"):
            service.refresh(rotate=True)
        clock.advance(10)
        with pytest.raises(BrokerUnavailable, match="revoked token"):
            ask(opened())
        assert (opened().current(), broker.revokes, broker.checks) == (None, 1, 2)

        monkeypatch.setattr(broker, "issue", issue)
        clock.advance(60)
        assert ask(opened()).token.value != before.value
        assert broker.checks == 2, "a new token is not asked about"

    @pytest.mark.parametrize("is_answered", [True, False])
    def test_a_revoked_token_that_kiwoom_returns_and_that_works_is_the_same_one(
        self, is_answered: bool, service: TokenService, broker: FakeBroker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = service.ensure().token
        monkeypatch.setattr(broker, "revoke", lambda *_: None)
        if not is_answered:
            monkeypatch.setattr(broker, "verify", fail := Mock(side_effect=BrokerUnavailable("no")))

        outcome = service.refresh(rotate=True)

        assert (outcome.how, outcome.token) == (Outcome.SAME, before)
        assert service.evidence().says_doubtful(before.value) is not is_answered
        assert is_answered or fail.call_count == 1

    def test_a_token_that_was_revoked_on_its_own_and_comes_back_dead_is_not_issued(
        self, service: TokenService, broker: FakeBroker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = service.ensure().token
        service.clear(revoke=True)
        monkeypatch.setattr(broker, "issue", lambda _: Issued(before, None))

        with pytest.raises(BrokerUnavailable, match="revoked token"):
            service.ensure()
        assert service.current() is None

    def test_without_keys_nothing_is_revoked(
        self, service: TokenService, opened: Callable[..., TokenService], broker: FakeBroker
    ) -> None:
        service.ensure()

        def none() -> None:
            raise KeysMissing("none")

        with pytest.raises(KeysMissing):
            opened(find_keys=none).refresh(rotate=True)
        assert broker.revokes == 0

    def test_a_file_that_cannot_be_deleted_does_not_keep_the_new_token_away(
        self, service: TokenService, opened: Callable[..., TokenService], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = service.ensure().token
        was_unlink = os.unlink

        def unlink(name: Any) -> None:
            if str(name).endswith(".token"):
                refuse()
            was_unlink(name)

        monkeypatch.setattr(os, "unlink", unlink)
        issued = service.refresh(rotate=True).token

        assert issued.value != before.value
        assert opened().current() == issued


class TestClear:
    def test_forgets_without_asking_kiwoom(
        self, service: TokenService, broker: FakeBroker, opened: Callable[..., TokenService]
    ) -> None:
        service.ensure()

        cleared = service.clear()

        assert (cleared.was_there, cleared.revoked, broker.revokes, opened().current()) == (True, False, 0, None)

    def test_tells_that_there_was_none(self, service: TokenService) -> None:
        assert service.clear().was_there is False

    def test_with_revoke_ends_it_at_kiwoom_as_well(
        self, service: TokenService, broker: FakeBroker, opened: Callable[..., TokenService]
    ) -> None:
        service.ensure()

        cleared = service.clear(revoke=True)

        assert (cleared.revoked, cleared.already_dead, broker.revokes, opened().current()) == (True, False, 1, None)

    @pytest.mark.parametrize(
        "failure",
        [BrokerUnavailable("no"), RevokeFailed("no", code="8015"), TokenRefused("no", code="8010"), RateLimited("no")],
        ids=lambda failure: f"{type(failure).__name__} {failure.code}",
    )
    def test_when_the_revoke_fails_the_token_stays(
        self, failure: BrokerError, service: TokenService, broker: FakeBroker, opened: Callable[..., TokenService]
    ) -> None:
        valid = service.ensure().token
        broker.failure = failure

        with pytest.raises(type(failure)):
            service.clear(revoke=True)

        assert opened().current() == valid

    def test_a_token_that_kiwoom_does_not_know_is_forgotten_and_not_called_revoked(
        self, service: TokenService, broker: FakeBroker, opened: Callable[..., TokenService]
    ) -> None:
        service.ensure()
        broker.failure = TokenRefused("dead", code="8005")

        cleared = service.clear(revoke=True)

        assert (cleared.revoked, cleared.already_dead, opened().current()) == (False, True, None)

    @pytest.mark.parametrize("text", ["폐기 실패", "[9999:x]", "[8015:x]"])
    @pytest.mark.parametrize("outer", [2, 3])
    @pytest.mark.parametrize("ask", [lambda one: one.clear(revoke=True), lambda one: one.refresh(rotate=True)])
    def test_a_refusal_that_kiwoom_does_not_explain_may_mean_that_the_token_is_dead(
        self,
        ask: Callable[[TokenService], Any],
        outer: int,
        text: str,
        service: TokenService,
        *,
        broker: FakeBroker,
        opened: Callable[..., TokenService],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        valid = service.ensure().token
        monkeypatch.setattr(broker, "revoke", Mock(side_effect=error_for(outer, text)))

        with pytest.raises(RevokeFailed, match="still works") as raised:
            ask(service)
        assert raised.value.retry is (text == "[9999:x]")
        assert opened().living() == valid

        broker.living = None
        ask(service)
        assert opened().current() != valid

    def test_a_dead_token_is_not_revoked(self, service: TokenService, broker: FakeBroker, clock: Clock) -> None:
        service.ensure()
        clock.advance(DAY)

        assert service.clear(revoke=True).revoked is False
        assert broker.revokes == 0

    def test_a_retired_token_is_revoked_as_well(self, service: TokenService, broker: FakeBroker, clock: Clock) -> None:
        service.ensure()
        clock.advance(DAY - 200)
        service.expire_soft(service.store.read())  # type: ignore[arg-type]

        assert service.clear(revoke=True).revoked is True

    def test_makes_nobody_ask(self, service: TokenService, broker: FakeBroker) -> None:
        service.ensure()
        service.clear()

        assert service.current() is None
        assert broker.issues == 1


class TestRetire:
    def test_leaves_the_token_to_a_renewal_that_is_under_way(
        self, service: TokenService, opened: Callable[..., TokenService], clock: Clock
    ) -> None:
        valid = service.ensure().token
        clock.advance(DAY - 200)
        with opened().store.lock:
            service.expire_soft(valid)

        assert service.store.read() == valid

    def test_gives_the_lock_back_when_it_fails(
        self, service: TokenService, opened: Callable[..., TokenService], clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        valid = service.ensure().token
        clock.advance(DAY - 200)
        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", refuse)
            with pytest.raises(StoreError):
                service.expire_soft(valid)

        assert opened().store.lock.try_acquire()


class TestNote:
    def limit(self, service: TokenService, broker: FakeBroker, seconds: Any) -> None:
        broker.failure = RateLimited(msg("Too many."), code="1700", retry_after=seconds)
        with pytest.raises(RateLimited):
            service.ensure()
        broker.failure = None

    @pytest.mark.parametrize("call", ["ensure", "refresh"])
    def test_the_next_caller_waits_as_kiwoom_asked(
        self, call: str, service: TokenService, opened: Callable[..., TokenService], broker: FakeBroker, clock: Clock
    ) -> None:
        self.limit(service, broker, 30)
        clock.advance(10)

        with pytest.raises(RateLimited) as raised:
            getattr(opened(), call)()

        assert (raised.value.retry_after, raised.value.code, broker.issues) == (20, "1700", 1)

    def test_after_that_kiwoom_is_asked(
        self, service: TokenService, opened: Callable[..., TokenService], broker: FakeBroker, clock: Clock
    ) -> None:
        self.limit(service, broker, 30)
        clock.advance(30)

        assert opened().ensure().how == Outcome.ISSUED

    def test_a_valid_token_is_used_in_the_meantime(
        self, service: TokenService, opened: Callable[..., TokenService], broker: FakeBroker, clock: Clock
    ) -> None:
        valid = service.ensure().token
        clock.advance(DAY - 100)
        broker.failure = RateLimited(msg("Too many."), code="1700", retry_after=30)
        service.ensure()
        broker.failure = None

        assert opened().ensure().token == valid
        assert broker.issues == 2

    def test_means_nothing_after_the_clock_was_set_back(
        self, service: TokenService, opened: Callable[..., TokenService], broker: FakeBroker, clock: Clock
    ) -> None:
        self.limit(service, broker, 30)
        clock.advance(-3600)

        assert opened().ensure().how == Outcome.ISSUED

    def test_of_a_failure_means_nothing_after_the_clock_was_set_back(
        self, service: TokenService, opened: Callable[..., TokenService], broker: FakeBroker, clock: Clock
    ) -> None:
        broker.failure = BrokerUnavailable("no")
        with pytest.raises(BrokerUnavailable):
            service.ensure()
        broker.failure = None
        clock.advance(-3600)

        assert opened().ensure().how == Outcome.ISSUED

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"\0\xff",
            b"{",
            b"[]",
            b'"x"',
            b"[" * 4000,
            {"at": "yesterday"},
            {"at": None, "error": "KeysRefused", "message": "x"},
            {"at": START, "wait_until": 1e300},
            {"at": START, "wait_until": float("inf")},
            {"at": START, "wait_until": float("nan")},
            {"at": START, "wait_until": "later"},
            {"at": START, "wait_until": START + 40 * DAY},
            {"at": START, "error": "KeyError", "message": "x"},
            {"at": START, "error": "StoreError", "message": "x"},
            {"at": START, "error": "__doc__", "message": "x"},
            {"at": START, "error": "KeysRefused"},
            {"at": START, "error": "KeysRefused", "message": 5},
            {"at": START, "error": "KeysRefused", "message": "{x}", "values": {"y": 1}},
            {"at": START, "error": "KeysRefused", "message": "{x.y.z}", "values": {"x": 1}},
            {"at": START, "error": "KeysRefused", "message": "{", "values": {"x": 1}},
            {"at": START, "error": "KeysRefused", "message": "x", "values": {"code": 1}},
            {"at": START, "error": "KeysRefused", "message": "x", "values": {"self": 1}},
            {"at": START, "same": True, "token": 5},
        ],
        ids=lambda content: content if isinstance(content, bytes) else json.dumps(content)[:60],
    )
    def test_a_damaged_one_is_no_obstacle(self, content: Any, service: TokenService, path: Path) -> None:
        path.parent.mkdir()
        text = content if isinstance(content, bytes) else json.dumps(content).encode()
        path.with_name(".token.lock").write_bytes(text)

        assert service.ensure().how == Outcome.ISSUED

    def test_holds_no_token_and_no_key(
        self, service: TokenService, path: Path, broker: FakeBroker, clock: Clock
    ) -> None:
        issued = service.ensure().token
        clock.advance(1)
        service.refresh()
        clock.advance(1)
        text = path.with_name(".token.lock").read_text()
        broker.failure = KeysRefused(msg("Refused."), code="8001")
        with pytest.raises(BrokerError):
            service.refresh()
        text += path.with_name(".token.lock").read_text()

        assert issued.value.reveal() not in text
        assert KEYS.app_key.reveal() not in text
        assert KEYS.app_secret.reveal() not in text

    @pytest.mark.posix
    def test_a_file_system_without_locks_is_no_obstacle(
        self, service: TokenService, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: Any) -> None:
            raise OSError(errno.ENOLCK, "No locks available")

        monkeypatch.setattr(kernel_lock.fcntl, "flock", fail)  # type: ignore[attr-defined]

        assert service.ensure().how == Outcome.ISSUED


class TestRenew:
    def test_replaces_a_dead_token(self, service: TokenService, clock: Clock) -> None:
        seen = service.ensure().token
        clock.advance(DAY + 2)

        assert service.renew(seen).how == Outcome.ISSUED

    def test_takes_what_somebody_else_got_meanwhile(
        self, service: TokenService, opened: Callable[..., TokenService], broker: FakeBroker, clock: Clock
    ) -> None:
        seen = service.ensure().token
        clock.advance(DAY + 2)
        other = opened().ensure().token

        outcome = service.renew(seen)

        assert (outcome.how, outcome.token, broker.issues) == (Outcome.ADOPTED, other, 2)

    def test_raises_also_while_the_token_is_valid(
        self, service: TokenService, broker: FakeBroker, clock: Clock
    ) -> None:
        seen = service.ensure().token
        clock.advance(DAY - 600)
        broker.failure = BrokerUnavailable("no")

        with pytest.raises(BrokerUnavailable):
            service.renew(seen)


class TestReplaceRefused:
    def test_gives_the_stored_one_when_it_is_another_already(
        self, service: TokenService, opened: Callable[..., TokenService], broker: FakeBroker, clock: Clock
    ) -> None:
        refused = service.ensure().token.value
        opened().put(other := token_for("other", DAY, clock()))

        assert service.replace_refused(refused).token == other
        assert broker.issues == 1

    def test_asks_once_because_of_one_refused_token(
        self, service: TokenService, opened: Callable[..., TokenService], broker: FakeBroker, clock: Clock
    ) -> None:
        refused = service.ensure().token.value
        for one in (service, opened(), service):
            assert one.replace_refused(refused).token.value == refused
            clock.advance(1)

        assert broker.issues == 2

    def test_takes_the_new_one(self, service: TokenService, broker: FakeBroker, clock: Clock) -> None:
        refused = service.ensure().token.value
        broker.living = None
        clock.advance(1)

        assert service.replace_refused(refused).token.value != refused

    def test_many_at_once_make_one_request(
        self,
        at_once: Callable[..., list[Any]],
        opened: Callable[..., TokenService],
        broker: FakeBroker,
        clock: Clock,
    ) -> None:
        refused = opened().ensure().token.value
        clock.advance(1)
        slow = SlowBroker(clock)
        slow.issues = 1
        services = [opened(slow) for _ in range(6)]

        results = at_once(6, lambda n: services[n].replace_refused(refused), slow)

        assert slow.issues == 2
        assert {one.token.value.reveal() for one in results} == {"token-2-of-a-test"}


def test_a_memory_store_serves_as_well(broker: FakeBroker, clock: Clock) -> None:
    service = TokenService("default", MemoryStore(clock), lambda: KEYS, lambda: broker, clock)

    assert [service.ensure().how, service.ensure().how, service.clear().was_there] == [
        Outcome.ISSUED,
        Outcome.FOUND,
        True,
    ]


class TestScheduledRotation:
    def test_by_two_programs_is_one(
        self, broker: FakeBroker, opened: Callable[..., TokenService], clock: Clock
    ) -> None:
        one, other = opened(), opened()
        seen = one.ensure().token

        first = one.renew(seen, rotate=True)
        clock.advance(1)
        second = other.renew(seen, rotate=True)

        assert (first.how, second.how, second.token) == (Outcome.ISSUED, Outcome.ADOPTED, first.token)
        assert (broker.issues, broker.revokes) == (2, 1)

    def test_by_two_programs_is_one_also_when_kiwoom_gives_the_same_back(
        self, broker: FakeBroker, opened: Callable[..., TokenService], clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        one, other = opened(), opened()
        seen = one.ensure().token
        revokes = []
        monkeypatch.setattr(broker, "revoke", lambda *_: revokes.append(1))

        first = one.renew(seen, rotate=True)
        clock.advance(1)
        second = other.renew(seen, rotate=True)

        assert (first.how, second.how, second.token == seen) == (Outcome.SAME, Outcome.ADOPTED, True)
        assert (broker.issues, len(revokes)) == (2, 1)

    def test_an_answer_that_was_the_same_without_a_revoke_does_not_stop_it(
        self, broker: FakeBroker, opened: Callable[..., TokenService], clock: Clock
    ) -> None:
        one = opened()
        seen = one.ensure().token
        one.refresh()
        clock.advance(1)

        outcome = one.renew(seen, rotate=True)

        assert (outcome.how, broker.revokes) == (Outcome.ISSUED, 1)


@pytest.mark.posix
class TestOvertaken:
    """This process is stopped while it asks Kiwoom; another one takes the lock away from it, and is done before it goes
    on."""

    @pytest.fixture(autouse=True)
    def stopped(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("FIRST_LOOK_SECONDS", "STOPPED_SECONDS"):
            monkeypatch.setattr(f"tray_app.stores.lock.{name}", 0.0)
        monkeypatch.setattr("tray_app.stores.lock.holder_of", lambda _: Holder(1, "bot", is_stopped=True))

    @pytest.fixture
    def broker(self, clock: Clock) -> FakeBroker:
        """A Kiwoom that issues another token each time, and ends the one before."""

        class Replacing(FakeBroker):
            def issue(self, keys: AppKeys) -> Any:
                self.living = None
                return super().issue(keys)

        return Replacing(clock)

    @pytest.fixture
    def overtaken(self, opened: Callable[..., TokenService], broker: FakeBroker) -> Callable[..., TokenService]:
        """A service that is overtaken once, during its first call of that method of the broker."""

        def make(method: str, other: Callable[[TokenService], object]) -> TokenService:
            ask = getattr(broker, method)

            def stop(*arguments: Any) -> Any:
                setattr(broker, method, ask)
                answer = ask(*arguments)
                other(opened())
                return answer

            setattr(broker, method, stop)
            return opened()

        return make

    @pytest.mark.parametrize("act", [TokenService.ensure, TokenService.refresh, lambda one: one.refresh(rotate=True)])
    def test_every_time_gives_up_and_asks_kiwoom_nothing(
        self,
        act: Callable[[TokenService], object],
        opened: Callable[..., TokenService],
        broker: FakeBroker,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """As with a Redis that answers with old values."""
        service = opened()
        monkeypatch.setattr(service.store.lock, "is_lost", lambda: True)

        with pytest.raises(LockLost):
            act(service)

        assert (broker.issues, broker.revokes, service.store.lock.try_acquire()) == (0, 0, True)

    def test_takes_what_the_other_got_if_kiwoom_says_that_it_works(
        self, overtaken: Callable[..., TokenService], broker: FakeBroker, opened: Callable[..., TokenService]
    ) -> None:
        outcome = overtaken("issue", TokenService.ensure).ensure()

        assert outcome.token.value.reveal() == "token-2-of-a-test"
        assert (broker.issues, broker.checks) == (2, 1)
        assert opened().current() == outcome.token
        assert opened().store.lock.try_acquire()

    def test_stores_its_own_if_that_came_later_and_ended_what_the_other_got(
        self, overtaken: Callable[..., TokenService], broker: FakeBroker, opened: Callable[..., TokenService]
    ) -> None:
        def other(faster: TokenService) -> None:
            own = broker.living
            faster.ensure()
            broker.living = own

        outcome = overtaken("issue", other).ensure()

        assert (outcome.token.value.reveal(), broker.issues) == ("token-1-of-a-test", 2)
        assert opened().current() == outcome.token
        assert opened().evidence().confirmed_at > 0

    def test_does_not_give_its_own_when_the_other_has_revoked_that(
        self, overtaken: Callable[..., TokenService], broker: FakeBroker
    ) -> None:
        def other(faster: TokenService) -> None:
            assert broker.living is not None
            faster.put(broker.living)
            faster.clear(revoke=True)

        outcome = overtaken("issue", other).ensure()

        assert outcome.token.value.reveal() == "token-2-of-a-test"

    def test_a_write_that_came_over_what_the_other_got_is_checked_with_kiwoom(
        self, opened: Callable[..., TokenService], broker: FakeBroker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stopped = opened()
        write = stopped.store.write

        def stop(token: Any) -> object:
            monkeypatch.setattr(stopped.store, "write", write)
            opened().ensure()
            return write(token)

        monkeypatch.setattr(stopped.store, "write", stop)

        assert stopped.ensure().token.value == broker.living.value == opened().current().value

    def test_stores_its_own_when_the_other_got_none(
        self, overtaken: Callable[..., TokenService], broker: FakeBroker, opened: Callable[..., TokenService]
    ) -> None:
        def other(faster: TokenService) -> None:
            broker.failure = BrokerUnavailable(msg("no"))
            with pytest.raises(BrokerUnavailable):
                faster.ensure()

        outcome = overtaken("issue", other).ensure()

        assert (outcome.how, outcome.token.value.reveal()) == (Outcome.ISSUED, "token-1-of-a-test")
        assert opened().current() == outcome.token

    def test_does_not_revoke_what_the_other_got_after_its_own_revoke(
        self,
        overtaken: Callable[..., TokenService],
        broker: FakeBroker,
        service: TokenService,
        clock: Clock,
    ) -> None:
        before = service.ensure().token
        clock.advance(1)

        outcome = overtaken("revoke", TokenService.ensure).refresh(rotate=True)

        assert outcome.token.value != before.value
        assert (outcome.how, broker.issues, broker.revokes) == (Outcome.ADOPTED, 2, 1)

    def test_still_revokes_what_it_was_to_replace_when_the_other_left_it_there(
        self, overtaken: Callable[..., TokenService], service: TokenService, broker: FakeBroker
    ) -> None:
        before = service.ensure().token

        outcome = overtaken("preload", TokenService.verify).refresh(rotate=True)

        assert outcome.token.value != before.value
        assert (outcome.how, broker.revokes) == (Outcome.ISSUED, 1)

    def test_a_clear_is_not_done_over_what_the_other_stored(
        self,
        overtaken: Callable[..., TokenService],
        service: TokenService,
        opened: Callable[..., TokenService],
        clock: Clock,
    ) -> None:
        service.ensure()
        new = token_for("another-token-of-a-test", 400, clock())

        with pytest.raises(LockLost):
            overtaken("revoke", lambda faster: faster.put(new)).clear(revoke=True)

        assert opened().current().value == new.value

    def test_a_clear_that_did_not_begin_is_not_done_over_what_the_other_stored(
        self, opened: Callable[..., TokenService], clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stopped = opened()
        present = stopped.tokens.present
        new = token_for("another-token-of-a-test", 400, clock())

        def stop() -> object:
            found = present()
            opened().put(new)
            return found

        monkeypatch.setattr(stopped.tokens, "present", stop)

        with pytest.raises(LockLost):
            stopped.clear()

        assert opened().current().value == new.value


def test_a_plan_that_redis_does_not_take_is_an_error_that_names_redis(clock: Clock, broker: FakeBroker) -> None:
    class FullLock(ThreadLock):
        def write_record(self, record: dict[str, Any]) -> None:
            super().write_record({name: value for name, value in record.items() if name != "rotate_at"})

    class FullRedis(MemoryStore):
        def place(self) -> Place:
            return Place("redis", "redis://host:6379/0")

    store = FullRedis(clock)
    store.lock = FullLock()
    service = TokenService("default", store, lambda: KEYS, lambda: broker, clock)
    service.refresh()

    with pytest.raises(StoreError, match="saved in redis://host:6379/0"):
        service.plan_rotation(clock.now + 3600)
