from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from tests.doubles import KEYS, START, Clock, FakeBroker
from tests.interrupts import interrupted_everywhere
from tests.redis.server import RealRedis, wait_for
from tests.threads import held_for
from tray_app.core.errors import KeysRefused, LockTimeout, RateLimited, StoreError
from tray_app.core.secret import Secret
from tray_app.core.token import token_for
from tray_app.service.outcome import Outcome
from tray_app.service.token_service import TokenService
from tray_app.stores.lock import ProfileLock, ThreadLock
from tray_app.stores.redis import RedisStore
from tray_app.stores.redis_server import RedisServer

OLD = token_for("old-token-of-a-test", 86400, time.time())
NEW = token_for("new-token-of-a-test", 86400, time.time() + 10)
LOCK = "kiwoom-token-tray:{default}:lock"


def service(store: Any, broker: Any, clock: Any = time.time) -> TokenService:
    return TokenService("default", store, lambda: KEYS, lambda: broker, clock)


def test_one_computer_at_a_time_holds_the_lock(redis: RealRedis, open_store: Callable[..., RedisStore]) -> None:
    here, there = open_store(redis.url), open_store(redis.url)
    here.lock.acquire()
    assert there.lock.try_acquire() is False
    with pytest.raises(LockTimeout):
        there.lock.acquire(timeout=0.1)
    here.lock.release()
    assert there.lock.try_acquire() is True
    there.lock.release()
    assert redis.order("EXISTS", LOCK) == 0


def test_who_could_not_get_the_lock_does_not_keep_its_own_computer_locked(
    redis: RealRedis, open_store: Callable[..., RedisStore]
) -> None:
    here, there = open_store(redis.url), open_store(redis.url)
    with here.lock:
        there.lock.try_acquire()
    with there.lock:
        assert redis.order("EXISTS", LOCK) == 1


def test_the_lock_of_a_killed_holder_is_free_after_three_seconds(
    redis: RealRedis, open_store: Callable[..., RedisStore]
) -> None:
    with open_store(redis.url).lock:
        assert 2000 < redis.order("PTTL", LOCK) <= 3000


def test_who_learns_enough_while_it_waits_for_another_computer_ends_its_wait(
    redis: RealRedis, open_store: Callable[..., RedisStore], tmp_path: Path
) -> None:
    here, there = open_store(redis.url), open_store(redis.url)
    heard: list[dict[str, Any]] = []

    def listen(record: dict[str, Any]) -> bool:
        heard.append(record)
        return record.get("what") == "issued"

    with here.lock:
        here.lock.write_record({"what": "issued"})
        assert there.lock.acquire(timeout=10, on_update=listen) is False
    assert heard == [{"what": "issued"}]
    assert ProfileLock(str(tmp_path / "computer-1" / "lock")).try_acquire() is True


def test_who_waits_without_learning_enough_gets_the_lock(
    redis: RealRedis, open_store: Callable[..., RedisStore]
) -> None:
    here, there = open_store(redis.url), open_store(redis.url)
    with held_for(0.1, here.lock):
        assert there.lock.acquire(timeout=10, on_update=lambda _: False) is True


def test_a_program_on_the_same_computer_is_waited_for_without_redis(
    redis: RealRedis, open_store: Callable[..., RedisStore], tmp_path: Path
) -> None:
    store, neighbour = open_store(redis.url), ProfileLock(str(tmp_path / "computer-0" / "lock"))
    with neighbour:
        neighbour.write_record({"what": "issued"})
        assert store.lock.try_acquire() is False
        with pytest.raises(LockTimeout, match="process"):
            store.lock.acquire(timeout=0.1)
        assert store.lock.acquire(timeout=10, on_update=lambda record: record == {"what": "issued"}) is False
    assert redis.order("EXISTS", LOCK) == 0
    with store.lock:
        assert redis.order("EXISTS", LOCK) == 1


@pytest.mark.parametrize("take", ["acquire", "try_acquire"])
def test_who_is_interrupted_on_the_way_keeps_no_lock(
    take: str, redis: RealRedis, open_store: Callable[..., RedisStore], tmp_path: Path
) -> None:
    class Interrupted(RedisServer):
        def ask(self, act: Any) -> Any:
            raise KeyboardInterrupt

    store = open_store(redis.url, server=Interrupted(Secret(redis.url)))
    with pytest.raises(KeyboardInterrupt):
        getattr(store.lock, take)()
    assert ProfileLock(str(tmp_path / "computer-0" / "lock")).try_acquire() is True


@pytest.mark.parametrize("take", ["acquire", "try_acquire"])
def test_who_is_interrupted_anywhere_leaves_it_to_the_programs_of_this_computer(
    take: str, redis: RealRedis, open_store: Callable[..., RedisStore], tmp_path: Path
) -> None:
    lock, others = open_store(redis.url).lock, ProfileLock(str(tmp_path / "computer-0" / "lock"))

    def use() -> None:
        getattr(lock, take)()
        try:
            lock.release()
        finally:
            lock.release()

    for place in interrupted_everywhere(use, ("lock.py",)):
        assert others.try_acquire(), place
        others.release()


def test_who_is_interrupted_while_it_reads_can_read_again(
    redis: RealRedis, open_store: Callable[..., RedisStore]
) -> None:
    store = open_store(redis.url)
    store.write(OLD)

    for _ in interrupted_everywhere(store.read, ("stores/lock.py", "stores/redis.py")):
        assert store.read() == OLD


@pytest.mark.parametrize("take", ["acquire", "try_acquire"])
def test_who_is_interrupted_while_it_begins_to_extend_the_lease_does_not_extend_it(
    take: str, redis: RealRedis, open_store: Callable[..., RedisStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = open_store(redis.url).lock, open_store(redis.url).lock
    start = threading.Thread.start

    def start_interrupted(thread: threading.Thread) -> None:
        start(thread)
        if thread.name == "redis-lock":
            raise KeyboardInterrupt

    with monkeypatch.context() as during:
        during.setattr(threading.Thread, "start", start_interrupted)
        with pytest.raises(KeyboardInterrupt):
            getattr(here, take)()

    assert there.acquire(timeout=20)
    there.release()


def test_who_could_not_open_the_lock_file_for_a_moment_releases_what_it_took_instead(
    redis: RealRedis, open_store: Callable[..., RedisStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with too many open files; another thread of the program can open it again by then."""
    redis.stop()
    lock = open_store(redis.url).lock
    with monkeypatch.context() as during:
        during.setattr(ProfileLock, "acquire", Mock(side_effect=StoreError("too many open files")))
        assert lock.acquire()
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(lock.acquire).result(20)
        lock.release()
        pool.submit(lock.release).result(20)

    with monkeypatch.context() as during:
        during.setattr(ProfileLock, "acquire", Mock(side_effect=StoreError("too many open files")))
        assert lock.acquire(timeout=1)
    lock.release()


def test_a_holder_knows_whether_another_computer_had_the_lock_since(
    redis: RealRedis, open_store: Callable[..., RedisStore]
) -> None:
    late, quick = open_store(redis.url), open_store(redis.url)
    late.lock.acquire()
    assert late.lock.is_lost() is False
    redis.order("DEL", LOCK)  # as if it had expired while this computer slept
    assert late.lock.is_lost() is False
    with quick.lock:
        assert late.lock.is_lost() is True
    assert late.lock.is_lost() is True
    redis.order("FLUSHALL")
    assert late.lock.is_lost() is False, "who had it since is forgotten, as is the token"
    redis.stop()
    assert late.lock.is_lost() is False, "who cannot write there endangers nothing there"
    late.lock.release()


def test_a_holder_whose_own_computer_has_taken_the_lock_away_has_lost_it(
    redis: RealRedis, open_store: Callable[..., RedisStore], tmp_path: Path
) -> None:
    store = open_store(redis.url)
    with store.lock:
        (tmp_path / "computer-0" / "lock").rename(tmp_path / "older")
        (tmp_path / "computer-0" / "lock").touch()
        assert store.lock.is_lost() is True


@pytest.mark.posix
def test_a_forked_child_does_not_hold_what_its_parent_holds(
    redis: RealRedis, open_store: Callable[..., RedisStore]
) -> None:
    store = open_store(redis.url)
    with store.lock:
        child = os.fork()
        if not child:
            os._exit(0 if store.lock.try_acquire() is False else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_the_times_of_a_record_are_by_the_clock_of_who_reads_it(
    redis: RealRedis, open_store: Callable[..., RedisStore]
) -> None:
    here, there = Clock(time.time()), Clock(time.time() - 300)
    one, other = open_store(redis.url, clock=here), open_store(redis.url, clock=there)
    with one.lock:
        one.lock.write_record({"at": here() + 100, "wait_until": here() + 60})
        assert other.lock.peek_record()["at"] == there(), "nothing has happened in the future"
        one.lock.write_record({"at": here(), "wait_until": here() + 60, "what": "issued"})
        found = other.lock.peek_record()
    assert found["what"] == "issued"
    assert found["at"] == pytest.approx(there(), abs=1)
    assert found["wait_until"] == pytest.approx(there() + 60, abs=1)


@pytest.mark.parametrize("slow", ["who writes", "who reads"])
def test_a_slow_answer_moves_no_time_of_a_record(
    slow: str, redis: RealRedis, open_store: Callable[..., RedisStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What looks later than it was answers a renewal that was asked for after it."""
    server = RedisServer(Secret(redis.url))
    behind_it, other_one = open_store(redis.url, server=server), open_store(redis.url)
    one, other = (behind_it, other_one) if slow == "who writes" else (other_one, behind_it)
    client = server.client()
    tell = client.time

    def late() -> Any:
        told = tell()
        time.sleep(0.3)
        return told

    monkeypatch.setattr(client, "time", late)
    with one.lock:
        at = time.time()
        one.lock.write_record({"at": at, "wait_until": at + 60})
        found = other.lock.peek_record()

    assert (found["at"], found["wait_until"]) == (at, at + 60)


def test_a_record_without_a_time_gets_none(redis: RealRedis, open_store: Callable[..., RedisStore]) -> None:
    store = open_store(redis.url)
    with store.lock:
        store.lock.write_record({"what": "cleared"})
        assert store.lock.read_record() == {"what": "cleared"}


def test_another_profile_is_not_held_up(redis: RealRedis, open_store: Callable[..., RedisStore]) -> None:
    with open_store(redis.url, "first").lock:
        assert open_store(redis.url, "second").lock.try_acquire() is True


def test_a_computer_without_a_lock_file_still_excludes_the_others(
    redis: RealRedis, open_store: Callable[..., RedisStore], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    here, there = open_store(redis.url), open_store(redis.url)
    (tmp_path / "computer-0").write_text("a file where the folder should be")
    with here.lock:
        assert there.lock.try_acquire() is False
    assert there.lock.try_acquire() is True
    assert "Renewing without this computer's lock" in caplog.text


def test_its_lock_file_counts_again_once_it_can_be_used(
    redis: RealRedis, open_store: Callable[..., RedisStore], tmp_path: Path
) -> None:
    store, folder = open_store(redis.url), tmp_path / "computer-0"
    folder.write_text("a file where the folder should be")
    with store.lock:
        pass
    folder.unlink()
    for take in (store.lock.try_acquire, store.lock.acquire):
        assert take() is True
        assert ProfileLock(str(folder / "lock")).try_acquire() is False
        store.lock.release()
        neighbour = ProfileLock(str(folder / "lock"))
        assert neighbour.try_acquire() is True
        neighbour.release()


def test_a_lock_is_held_for_longer_than_its_lease(redis: RealRedis, open_store: Callable[..., RedisStore]) -> None:
    here, there = open_store(redis.url, lock_seconds=2.0), open_store(redis.url)
    with here.lock:
        time.sleep(3)
        assert there.lock.try_acquire() is False
        assert here.lock.is_lost() is False


def test_a_lock_that_was_released_is_extended_no_longer(
    redis: RealRedis, open_store: Callable[..., RedisStore]
) -> None:
    before = set(threading.enumerate())
    with open_store(redis.url).lock:
        (extending,) = [one for one in threading.enumerate() if one.name == "redis-lock" and one not in before]
    wait_for(lambda: not extending.is_alive(), "the thread has ended")


def test_a_holder_that_lost_the_lock_cannot_overwrite_a_newer_token(
    redis: RealRedis, open_store: Callable[..., RedisStore]
) -> None:
    late, quick = open_store(redis.url), open_store(redis.url)
    late.lock.acquire()
    redis.order("DEL", LOCK)  # as if it had expired while this computer slept
    with quick.lock:
        quick.write(NEW)
    with pytest.raises(StoreError, match="took over"):
        late.write(OLD)
    late.lock.release()
    assert quick.read() == late.read() == NEW


def test_it_cannot_even_while_the_other_is_still_at_it(redis: RealRedis, open_store: Callable[..., RedisStore]) -> None:
    late, quick = open_store(redis.url), open_store(redis.url)
    late.lock.acquire()
    redis.order("DEL", LOCK)  # as if it had expired while this computer slept
    with quick.lock:
        with pytest.raises(StoreError, match="took over"):
            late.write(OLD)
        late.lock.release()
        assert redis.order("EXISTS", LOCK) == 1
        quick.write(NEW)
    assert late.read() == NEW


def test_a_holder_whose_lock_expired_but_went_to_nobody_may_still_write(
    redis: RealRedis, open_store: Callable[..., RedisStore]
) -> None:
    late = open_store(redis.url)
    late.lock.acquire()
    redis.order("DEL", LOCK)  # as if it had expired while this computer slept
    late.write(OLD)
    late.lock.release()
    assert open_store(redis.url).read() == OLD


def test_a_fenced_writer_comes_to_the_newer_token(redis: RealRedis, open_store: Callable[..., RedisStore]) -> None:
    clock = Clock()
    late, quick = open_store(redis.url, clock=clock), open_store(redis.url, clock=clock)
    broker = FakeBroker(clock)

    class SlowBroker(FakeBroker):
        def issue(self, keys: Any) -> Any:
            redis.order("DEL", LOCK)  # as if it had expired while this computer slept
            answer = super().issue(keys)
            clock.advance(5)
            service(quick, broker, clock).refresh()
            return answer

    mine = service(late, SlowBroker(clock), clock)
    outcome = mine.refresh()
    assert outcome.unsaved is None
    assert (
        mine.current()
        == quick.read()
        == broker.issue(KEYS).token.__class__(broker.living.value, broker.living.expires_at, quick.read().created_at)
    )


def test_a_late_rotation_neither_revokes_nor_replaces_what_another_computer_got(
    redis: RealRedis, open_store: Callable[..., RedisStore]
) -> None:
    clock = Clock()
    late, quick = open_store(redis.url, clock=clock), open_store(redis.url, clock=clock)
    broker = FakeBroker(clock)

    class SlowBroker(FakeBroker):
        def revoke(self, keys: Any, value: Any) -> None:
            broker.revoke(keys, value)
            redis.order("DEL", LOCK)  # as if it had expired while this computer slept
            clock.advance(5)
            service(quick, broker, clock).ensure()

        def issue(self, keys: Any) -> Any:
            return broker.issue(keys)

    service(quick, broker, clock).ensure()
    outcome = service(late, SlowBroker(clock), clock).refresh(rotate=True)
    assert (outcome.token, outcome.unsaved) == (quick.read(), None)
    assert (broker.issues, broker.revokes) == (2, 1)


def test_who_waited_adopts_what_came_of_it(redis: RealRedis, open_store: Callable[..., RedisStore]) -> None:
    clock = Clock()
    broker = FakeBroker(clock)
    services = [service(open_store(redis.url, clock=clock), broker, clock) for _ in range(4)]
    outcomes: list[Outcome] = []
    threads = [threading.Thread(target=lambda one=one: outcomes.append(one.ensure())) for one in services]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert broker.issues == 1
    assert len({outcome.token for outcome in outcomes}) == 1


def test_a_refusal_on_one_computer_is_told_to_who_waited_on_another(
    redis: RealRedis, open_store: Callable[..., RedisStore]
) -> None:
    broker = FakeBroker(Clock(time.time()))
    broker.failure = KeysRefused("The keys are refused.", code="8001")
    one, other = open_store(redis.url), open_store(redis.url)
    errors: list[Exception] = []

    def ask(store: Any) -> None:
        try:
            service(store, broker).ensure()
        except KeysRefused as error:
            errors.append(error)

    one.lock.acquire()
    threads = [threading.Thread(target=ask, args=(store,)) for store in (other, open_store(redis.url))]
    for thread in threads:
        thread.start()
    wait_for(lambda: redis.order("INFO", "commandstats").get("cmdstat_set", {}).get("calls", 0) > 10, "both wait")
    one.lock.release()
    for thread in threads:
        thread.join()
    assert broker.issues == 1
    assert [error.code for error in errors] == ["8001", "8001"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("ahead", [-300.0, 0.0, 300.0])
def test_kiwooms_wish_to_wait_holds_on_every_computer_whatever_its_clock(
    redis: RealRedis, open_store: Callable[..., RedisStore], ahead: float
) -> None:
    here, there = Clock(time.time()), Clock(time.time() + ahead)
    broker = FakeBroker(here)
    broker.failure = RateLimited("Too many requests.", retry_after=60.0)
    with pytest.raises(RateLimited):
        service(open_store(redis.url, clock=here), broker, here).ensure()
    other = service(open_store(redis.url, clock=there), broker, there)
    there.advance(1)
    with pytest.raises(RateLimited) as caught:
        other.ensure()
    assert broker.issues == 1
    assert 50 < caught.value.retry_after < 62  # type: ignore[operator]


def test_a_same_answer_is_not_asked_for_again_on_another_computer(
    redis: RealRedis, open_store: Callable[..., RedisStore]
) -> None:
    clock = Clock(START)
    broker = FakeBroker(clock)
    here = service(open_store(redis.url, clock=clock), broker, clock)
    there = service(open_store(redis.url, clock=clock), broker, clock)
    first = here.refresh().token
    clock.advance(86400 - 600)
    assert here.refresh().how == Outcome.SAME
    asked = broker.issues
    clock.advance(1)
    assert there.renew(first).how == Outcome.ADOPTED
    assert broker.issues == asked


def test_a_rotation_that_was_not_finished_is_known_on_every_computer(
    redis: RealRedis, open_store: Callable[..., RedisStore]
) -> None:
    clock = Clock(START)
    broker = FakeBroker(clock)
    here, there = service(open_store(redis.url, clock=clock), broker, clock), open_store(redis.url, clock=clock)
    lost = here.refresh().token

    def ended(keys: Any) -> None:
        raise SystemExit

    broker.issue = ended  # type: ignore[assignment]
    with pytest.raises(SystemExit):
        here.refresh(rotate=True)
    assert service(there, broker, clock).current() is None
    assert service(there, broker, clock).tokens.read_record().was_interrupted(lost)


@pytest.mark.parametrize("note", ["no JSON", "[]", '{"note": 5}', '{"clock": "x", "note": {}}', "[" * 5000])
def test_a_damaged_note_is_no_note(redis: RealRedis, open_store: Callable[..., RedisStore], note: str) -> None:
    store = open_store(redis.url)
    redis.order("SET", "kiwoom-token-tray:{default}:note", note)
    with store.lock:
        assert store.lock.read_record() == {}


def test_the_note_holds_no_secret(redis: RealRedis, open_store: Callable[..., RedisStore]) -> None:
    clock = Clock(time.time())
    service(open_store(redis.url, clock=clock), FakeBroker(clock), clock).refresh()
    assert b"token-1-of-a-test" not in redis.order("GET", "kiwoom-token-tray:{default}:note")


def test_a_lock_of_this_process_alone_is_enough_below(redis: RealRedis) -> None:
    from tests.redis.conftest import RedisServer, RedisStore, Secret
    from tray_app.stores.change_marker import ChangeMarker

    store = RedisStore("default", RedisServer(Secret(redis.url)), ChangeMarker(""), ThreadLock())
    with store.lock:
        store.write(OLD)
    assert store.read() == OLD
