from __future__ import annotations

import gc
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests import ROOT
from tests.doubles import KEYS, Clock, FakeBroker
from tests.redis.server import FakeServer, RealRedis, parts, wait_for
from tests.redis.test_redis_store import KEY, clear, write
from tests.threads import no_more_threads
from tray_app import TokenManager
from tray_app.core.errors import RedisUnavailable
from tray_app.core.secret import Secret
from tray_app.core.token import Token, token_for
from tray_app.core.wording import place_text
from tray_app.service.outcome import Outcome
from tray_app.service.token_service import TokenService
from tray_app.stores.encryption import Cipher
from tray_app.stores.redis import RedisStore
from tray_app.stores.redis_server import RedisServer

OLD = token_for("old-token-of-a-test", 86400, time.time())
NEW = token_for("new-token-of-a-test", 86400, time.time() + 10)


def problem_of(call: Any) -> str:
    with pytest.raises(RedisUnavailable) as caught:
        call()
    assert caught.value.exit_status == 6
    return caught.value.problem


def shut_out(redis: RealRedis, user: str) -> None:
    """Refuse the user from now on, and end its connections."""
    redis.order("ACL", "SETUSER", user, "off")
    redis.order("CLIENT", "KILL", "USER", user)


def place_of(store: Any) -> str:
    place = store.place()
    return place_text(place.kind, place.path, place.problem.problem if place.problem else "")


def test_the_token_in_hand_stays_while_redis_is_gone_and_the_place_says_so(
    redis: RealRedis, open_store: Callable[..., RedisStore]
) -> None:
    store = open_store(redis.url)
    write(store, OLD)
    redis.stop()
    assert store.read() == OLD
    assert place_of(store) == f"Redis 127.0.0.1:{redis.port}/0 (Redis does not answer)"


def test_so_does_one_that_was_only_read(redis: RealRedis, open_store: Callable[..., RedisStore]) -> None:
    write(open_store(redis.url), OLD)
    store = open_store(redis.url)
    store.read()
    redis.stop()
    assert store.read() == OLD


def test_while_redis_is_known_to_be_gone_nobody_is_told_to_read_again(
    redis: RealRedis, open_store: Callable[..., RedisStore]
) -> None:
    store = open_store(redis.url)
    write(store, OLD)
    wait_for(lambda: parts(store.version()) == 2, "the channel is connected")
    redis.stop()
    store.read()
    store.read()
    wait_for(lambda: not store._changes._is_connected, "the channel is lost")
    gone = store.version()
    later = time.monotonic() + 2.5  # the version of an unheard channel changes every second
    while time.monotonic() < later:
        assert store.read() == OLD
        assert store.version() == gone
        time.sleep(0.1)
    redis.start()
    wait_for(lambda: store.version() != gone, "it is told that Redis is back")


def test_it_heals_by_itself(redis: RealRedis, open_store: Callable[..., RedisStore]) -> None:
    store = open_store(redis.url)
    write(store, OLD)
    redis.stop()
    store.read()
    redis.start()
    wait_for(lambda: store.place().problem is None, "Redis is back")
    write(open_store(redis.url), NEW)
    assert store.read() == NEW


def test_without_a_token_in_hand_a_redis_that_is_gone_is_an_error(
    redis: RealRedis, open_store: Callable[..., RedisStore]
) -> None:
    redis.stop()
    store = open_store(redis.url)
    assert problem_of(store.read) == RedisUnavailable.SILENT
    assert problem_of(lambda: write(store, OLD)) == RedisUnavailable.SILENT


def test_a_program_whose_token_ends_while_redis_is_gone_asks_kiwoom_and_hands_it_over_later(
    redis: RealRedis, open_store: Callable[..., RedisStore]
) -> None:
    clock = Clock(time.time())
    here, there = open_store(redis.url, clock=clock), open_store(redis.url, clock=clock)
    write(here, OLD)
    broker = FakeBroker(clock)
    service = TokenService("default", here, lambda: KEYS, lambda: broker, clock)
    redis.stop()
    clock.advance(86401)

    outcome = service.ensure()

    assert (outcome.how, outcome.unsaved.problem) == (Outcome.ISSUED, RedisUnavailable.SILENT)
    assert (service.ensure().token, broker.issues) == (outcome.token, 1)
    redis.start()
    wait_for(lambda: service.current() == outcome.token and there.read() == outcome.token, "the others have it too")


def test_a_clear_that_did_not_reach_redis_says_so(redis: RealRedis, open_store: Callable[..., RedisStore]) -> None:
    store = open_store(redis.url)
    write(store, OLD)
    redis.stop()
    assert problem_of(lambda: clear(store)) == RedisUnavailable.SILENT
    assert problem_of(store.read) == RedisUnavailable.SILENT, "nor is it given any more"


def test_a_token_that_has_expired_before_redis_is_back_is_not_stored(
    redis: RealRedis, open_store: Callable[..., RedisStore]
) -> None:
    clock = Clock(time.time())
    here, there = open_store(redis.url, clock=clock), open_store(redis.url)
    redis.stop()
    with pytest.raises(RedisUnavailable):
        write(here, OLD)
    clock.advance(90000)
    redis.start()
    wait_for(lambda: there.read() is None, "Redis is back")
    write(there, NEW)
    wait_for(lambda: here.read() == NEW, "the other computer's token is seen")
    assert there.read() == NEW


def test_a_token_that_could_not_be_written_is_written_when_redis_is_back(
    redis: RealRedis, open_store: Callable[..., RedisStore]
) -> None:
    store = open_store(redis.url)
    write(store, OLD)
    redis.stop()
    with pytest.raises(RedisUnavailable):
        write(store, NEW)
    assert store.read() == NEW
    redis.start()
    other = open_store(redis.url)
    wait_for(lambda: other.read() == NEW, "the token is handed over")
    wait_for(lambda: store.place().problem is None, "nothing is wrong any more")


def test_it_is_not_written_over_what_another_computer_did_meanwhile(
    redis: RealRedis, open_store: Callable[..., RedisStore]
) -> None:
    redis.order("ACL", "SETUSER", "bot", "on", ">pass-of-a-test", "~*", "&*", "+@all")
    here, there = open_store(redis.url.replace("//", "//bot:pass-of-a-test@")), open_store(redis.url)
    write(here, OLD)
    shut_out(redis, "bot")
    with pytest.raises(RedisUnavailable):
        write(here, NEW)
    assert here.read() == NEW
    theirs = token_for("their-token-of-a-test", 86400, time.time())
    write(there, theirs)
    redis.order("ACL", "SETUSER", "bot", "on")
    wait_for(lambda: here.read() == theirs, "the other computer's token is seen")
    assert there.read() == theirs


def test_a_redis_that_lost_its_memory_gets_the_token_back(
    redis: RealRedis, open_store: Callable[..., RedisStore]
) -> None:
    here, there = open_store(redis.url), open_store(redis.url)
    write(here, OLD)
    redis.stop()
    redis.start()
    wait_for(lambda: here.read() == OLD and here.place().problem is None, "Redis is back")
    assert there.read() == OLD


def test_it_gets_it_back_without_anybody_reading(redis: RealRedis, open_store: Callable[..., RedisStore]) -> None:
    here, there = open_store(redis.url), open_store(redis.url)
    write(here, OLD)
    redis.stop()
    assert here.read() == OLD
    redis.start()
    wait_for(lambda: there.read() == OLD, "the token is given back")


def test_a_clear_after_the_loss_counts(redis: RealRedis, open_store: Callable[..., RedisStore]) -> None:
    here, there = open_store(redis.url), open_store(redis.url)
    write(here, OLD)
    redis.order("FLUSHALL")
    clear(there)
    assert here.read() is None


def test_so_it_does_where_many_changes_were_lost(redis: RealRedis, open_store: Callable[..., RedisStore]) -> None:
    here, there = open_store(redis.url), open_store(redis.url)
    for token in (OLD, NEW, OLD):
        write(here, token)
    redis.order("FLUSHALL")
    clear(there)
    assert here.read() is None


def test_the_newer_token_wins_after_a_loss(redis: RealRedis, open_store: Callable[..., RedisStore]) -> None:
    stale, fresh = open_store(redis.url), open_store(redis.url)
    write(stale, OLD)
    write(fresh, NEW)
    redis.order("FLUSHALL")
    assert stale.read() == OLD
    assert fresh.read() == NEW
    assert stale.read() == NEW


@pytest.mark.parametrize(("unwritten", "theirs"), [(OLD, NEW), (NEW, OLD)], ids=["older", "newer"])
def test_of_a_token_that_could_not_be_written_and_one_after_a_loss_the_newer_wins(
    redis: RealRedis, open_store: Callable[..., RedisStore], unwritten: Token, theirs: Token
) -> None:
    redis.order("ACL", "SETUSER", "bot", "on", ">pass-of-a-test", "~*", "&*", "+@all")
    here, there = open_store(redis.url.replace("//", "//bot:pass-of-a-test@")), open_store(redis.url)
    for one in (theirs, unwritten, theirs):
        write(here, one)
    shut_out(redis, "bot")
    with pytest.raises(RedisUnavailable):
        write(here, unwritten)
    redis.order("FLUSHALL")
    write(there, theirs)
    redis.order("ACL", "SETUSER", "bot", "on")
    wait_for(lambda: here.read() == NEW and here.place().problem is None, "Redis is back, with the newer token")
    assert there.read() == NEW


def test_a_manager_keeps_its_token_through_an_outage_and_learns_what_came_after(
    redis: RealRedis, open_store: Callable[..., RedisStore]
) -> None:
    here, there = TokenManager(store=open_store(redis.url)), TokenManager(store=open_store(redis.url))
    here.set_token("first-token-of-a-test", 86400)
    wait_for(lambda: there.get_token() == "first-token-of-a-test", "the token is seen")
    redis.stop()
    assert here.get_token() == there.get_token() == "first-token-of-a-test"
    there.set_token("second-token-of-a-test", 86400)
    assert there.get_token() == "second-token-of-a-test"
    redis.start()
    wait_for(lambda: here.get_token() == "second-token-of-a-test", "the token set meanwhile is seen")
    there.clear_token()
    wait_for(lambda: here.get_token() is None, "the channel is connected again")


def test_a_token_is_handed_over_though_another_computer_does_so_at_the_same_moment(
    redis: RealRedis, open_store: Callable[..., RedisStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = open_store(redis.url), open_store(redis.url)
    write(here, OLD)
    assert there.read() == OLD
    redis.stop()
    with pytest.raises(RedisUnavailable):
        write(there, NEW)
    record = there._record
    swap = record.swap

    def overtaken(found: Any, token: Any) -> Any:
        monkeypatch.setattr(record, "swap", swap)
        wait_for(lambda: here.place().problem is None, "the other is back")
        here.read()
        return swap(found, token)

    monkeypatch.setattr(record, "swap", overtaken)
    redis.start()
    wait_for(lambda: redis.order("GET", KEY) is not None and here.read() == NEW, "the token is handed over")


def test_connections_of_who_is_done_are_closed_without_the_garbage_collector(
    redis: RealRedis, open_store: Callable[..., RedisStore]
) -> None:
    """Left to it, it may finalize a socket before the connection that would have closed it."""

    def connections() -> Any:
        return redis.order("CLIENT", "LIST").count(b"name=kiwoom-token-tray")

    gc.disable()
    try:
        servers = [RedisServer(Secret(redis.url)) for _ in range(3)]
        stores = [open_store(redis.url, server=server) for server in servers]
        for store, server in zip(stores, servers, strict=True):
            store.read()
            with pytest.raises(RedisUnavailable):
                server.ask(lambda client: client.execute_command("NOSUCH"))
        assert connections() == 3
        del store, stores, server, servers
        wait_for(lambda: not connections(), "they are closed")
    finally:
        gc.enable()


def test_one_question_at_a_time_hangs_that_nobody_waits_for(redis: RealRedis) -> None:
    server = RedisServer(Secret(redis.url))
    asked = []

    def act(client: Any) -> Any:
        asked.append(1)
        return client.get(KEY)

    redis.hang()
    for _ in range(50):
        assert server.ask_briefly(act, 0.01) is None
    assert asked == [1]
    wait_for(lambda: server.problem is not None, "its failure is told")
    redis.go_on()
    wait_for(lambda: server.problem is None, "Redis is back")


def test_without_a_thread_for_the_request_it_is_not_asked_until_there_is_one(
    redis: RealRedis, open_store: Callable[..., RedisStore]
) -> None:
    store = open_store(redis.url)
    write(store, OLD)
    with no_more_threads():
        assert store.read() == OLD, "the one in hand"
        assert problem_of(lambda: write(store, NEW)) == RedisUnavailable.SILENT
        with store.lock:
            assert store.read() == NEW
    assert store.read() == NEW
    assert open_store(redis.url).read() == NEW


def test_an_outage_without_a_thread_that_finds_its_end_is_none(redis: RealRedis) -> None:
    server = RedisServer(Secret(redis.url))
    with no_more_threads():
        server.failed(ConnectionError(), 0)
    assert server.ask(lambda client: client.ping())


def test_what_was_asked_before_an_outage_does_not_begin_another(redis: RealRedis) -> None:
    server = RedisServer(Secret(redis.url))
    with pytest.raises(RedisUnavailable):
        server.ask(lambda client: 1 / 0)
    wait_for(lambda: server.problem is None, "Redis is back")
    server.failed(ConnectionError(), 0)
    assert server.problem is None
    server.failed(ConnectionError(), 1)
    assert server.problem is not None


def test_a_renewal_without_redis_goes_on_under_this_computers_lock(
    redis: RealRedis, open_store: Callable[..., RedisStore], caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock(time.time())
    broker = FakeBroker(clock)
    store = open_store(redis.url, clock=clock)
    service = TokenService("default", store, lambda: KEYS, lambda: broker, clock)
    service.ensure()
    clock.advance(86400 - 100)
    broker.living = None
    redis.stop()
    outcome = service.ensure()
    assert outcome.how == Outcome.ISSUED
    assert isinstance(outcome.unsaved, RedisUnavailable)
    assert "Renewing under this computer's own lock alone (redis-silent)" in caplog.text
    assert service.ensure().token == outcome.token
    assert broker.issues == 2
    redis.start()
    other = open_store(redis.url, clock=clock)
    wait_for(lambda: _read(other) == outcome.token, "the token is handed over")
    service.current()
    clear(other)
    wait_for(lambda: service.current() is None, "the clear counts here, too")


def test_without_redis_from_the_start_kiwoom_is_asked_and_redis_gets_the_token_later(
    redis: RealRedis, open_store: Callable[..., RedisStore]
) -> None:
    clock = Clock(time.time())
    broker = FakeBroker(clock)
    redis.stop()
    service = TokenService("default", open_store(redis.url, clock=clock), lambda: KEYS, lambda: broker, clock)

    outcome = service.ensure()

    assert (outcome.how, isinstance(outcome.unsaved, RedisUnavailable)) == (Outcome.ISSUED, True)
    assert (service.ensure().token, broker.issues) == (outcome.token, 1)
    redis.start()
    other = open_store(redis.url, clock=clock)

    def is_handed_over() -> bool:
        service.ensure()
        return bool(_read(other) == outcome.token)

    wait_for(is_handed_over, "the others have it too")
    assert broker.issues == 1


def test_a_rotation_without_redis_revokes_nothing(redis: RealRedis, open_store: Callable[..., RedisStore]) -> None:
    clock = Clock(time.time())
    broker = FakeBroker(clock)
    redis.stop()
    service = TokenService("default", open_store(redis.url, clock=clock), lambda: KEYS, lambda: broker, clock)

    assert problem_of(lambda: service.refresh(rotate=True)) == RedisUnavailable.SILENT
    assert broker.issues == 0


def _read(store: Any) -> Any:
    try:
        return store.read()
    except RedisUnavailable:
        return None


def test_a_redis_that_hangs_is_waited_for_once(
    redis: RealRedis, open_store: Callable[..., RedisStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(redis.url)
    write(store, OLD)
    redis.hang()
    assert store.read() == OLD
    with monkeypatch.context() as patch:
        patch.setattr(store._server, "_client", None)
        useless = SimpleNamespace(close=lambda: None)
        patch.setattr(store._server, "_new_client", lambda: useless)  # whoever asks it now fails in another way
        for _ in range(50):
            assert store.read() == OLD
            assert store.place().problem.problem == RedisUnavailable.SILENT
    redis.go_on()
    wait_for(lambda: store.place().problem is None, "Redis is back")


def test_a_listener_notices_that_redis_hangs_and_reads_again_afterwards(
    redis: RealRedis, open_store: Callable[..., RedisStore]
) -> None:
    store, there = open_store(redis.url), open_store(redis.url)
    here = TokenManager(store=store)
    here.set_token("first-token-of-a-test", 86400)
    version = store.version
    wait_for(lambda: here.get_token() and parts(version()) == 2, "the channel is connected")
    redis.hang()
    wait_for(lambda: parts(version()) == 3, "the channel is lost")
    assert here.get_token() == "first-token-of-a-test"
    redis.go_on()
    write(there, NEW)
    wait_for(lambda: here.get_token() == "new-token-of-a-test", "the change is seen")


@pytest.mark.parametrize(
    "answer",
    [b"HTTP/1.1 400 Bad Request\r\n\r\n", b":x\r\n", b"\x00\xff\xfe\r\n", b"+OK\r\n+hello\r\n", b"*-5\r\n$9\r\n"],
)
def test_what_is_no_redis_is_an_error_and_no_token(open_store: Callable[..., RedisStore], answer: bytes) -> None:
    server = FakeServer(answer)
    try:
        store = open_store(server.url)
        assert problem_of(store.read) in {RedisUnavailable.FAILED, RedisUnavailable.SILENT}
        assert problem_of(lambda: write(store, OLD)) in {RedisUnavailable.FAILED, RedisUnavailable.SILENT}
    finally:
        server.close()


def test_a_replica_reads_but_says_that_it_takes_no_writes(
    redis: RealRedis, open_store: Callable[..., RedisStore]
) -> None:
    write(open_store(redis.url), OLD)
    redis.order("REPLICAOF", "127.0.0.1", "1")
    store = open_store(redis.url)
    assert store.read() == OLD
    assert problem_of(lambda: write(store, NEW)) == RedisUnavailable.READ_ONLY
    assert store.read() == NEW
    assert "Redis does not accept writes" in place_of(store)
    redis.order("REPLICAOF", "NO", "ONE")
    assert store.read() == NEW
    assert open_store(redis.url).read() == NEW


def test_a_user_who_may_only_read_is_told_so(redis: RealRedis, open_store: Callable[..., RedisStore]) -> None:
    write(open_store(redis.url), OLD)
    redis.order("ACL", "SETUSER", "bot", "on", ">pass-of-a-test", "~*", "&*", "+@read", "+ping", "+client")
    store = open_store(redis.url.replace("//", "//bot:pass-of-a-test@"))
    assert store.read() == OLD
    assert problem_of(lambda: write(store, NEW)) == RedisUnavailable.REFUSED


def test_the_documented_permissions_are_enough(redis: RealRedis, open_store: Callable[..., RedisStore]) -> None:
    permissions = (
        "~kiwoom-token-tray:* &kiwoom-token-tray:* +get +set +getrange +del +incr +eval +evalsha +script|load "
        "+publish +subscribe +unsubscribe +ping +time +client|setname"
    )
    redis.order("ACL", "SETUSER", "bot", "reset", "on", ">pass-of-a-test", *permissions.split())
    url = redis.url.replace("//", "//bot:pass-of-a-test@")
    near, store = open_store(url), open_store(url)
    here, there = TokenManager(store=near), TokenManager(store=store)
    assert here.get_token() is None
    wait_for(lambda: parts(near.version()) == 2, "the channel is connected")
    there.set_token("new-token-of-a-test", 86400)
    wait_for(lambda: here.get_token() == "new-token-of-a-test", "the change is seen")
    with store.lock:
        store.lock.write_record({"at": 1.0})
        assert store.lock.read_record()["at"] == pytest.approx(1.0, abs=1)
    there.clear_token()
    wait_for(lambda: here.get_token() is None, "the clear is seen")
    assert near.place().problem is store.place().problem is None


@pytest.mark.parametrize("login", ["", "wrong-pass-of-a-test", "nobody:wrong-pass-of-a-test"])
def test_a_redis_that_demands_a_password_refuses_a_wrong_one_without_showing_it(
    new_redis: Callable[..., RealRedis],
    open_store: Callable[..., RedisStore],
    login: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    redis = new_redis("--requirepass", "pass-of-a-test")
    user, _, password = login.rpartition(":")
    url = redis.url.replace("//", f"//{user}:{password}@") if login else redis.url
    server = RedisServer(Secret(url))
    store = open_store(url, server=server)
    with caplog.at_level(logging.DEBUG), pytest.raises(RedisUnavailable) as caught:
        store.read()
    assert caught.value.problem == RedisUnavailable.REFUSED
    assert "pass-of-a-test" not in str(caught.value) + repr(caught.value) + caplog.text + repr(store.place())
    assert "pass-of-a-test" not in "".join(str(value) for value in vars(server).values())


def test_the_right_password_opens_it(
    new_redis: Callable[..., RealRedis], open_store: Callable[..., RedisStore]
) -> None:
    redis = new_redis("--requirepass", "pass-of-a-test")
    store = open_store(redis.url.replace("//", "//:pass-of-a-test@"))
    write(store, OLD)
    assert store.read() == OLD


def test_a_full_redis_keeps_the_token_in_hand(redis: RealRedis, open_store: Callable[..., RedisStore]) -> None:
    store = open_store(redis.url)
    write(store, OLD)
    redis.order("CONFIG", "SET", "maxmemory", "1")
    assert store.read() == OLD
    assert problem_of(lambda: write(store, NEW)) == RedisUnavailable.FULL
    assert store.read() == NEW
    assert "Redis is full" in place_of(store)
    redis.order("CONFIG", "SET", "maxmemory", "0")
    assert store.read() == NEW
    assert open_store(redis.url).read() == NEW
    assert store.place().problem is None


def test_a_redis_that_cannot_save_to_its_disk_is_one_that_takes_no_writes(
    redis: RealRedis, open_store: Callable[..., RedisStore], tmp_path: Path
) -> None:
    store = open_store(redis.url)
    write(store, OLD)
    (tmp_path / "redis" / "dump.rdb").mkdir()
    redis.order("CONFIG", "SET", "save", "3600 1")
    redis.order("BGSAVE")
    wait_for(lambda: redis.order("INFO", "persistence")["rdb_last_bgsave_status"] == "err", "saving fails")
    assert problem_of(lambda: write(store, NEW)) == RedisUnavailable.READ_ONLY
    assert store.read() == NEW


def test_a_lock_that_redis_cannot_give_is_this_computers_alone(
    redis: RealRedis, open_store: Callable[..., RedisStore]
) -> None:
    here, there = open_store(redis.url), open_store(redis.url)
    redis.stop()
    with here.lock:
        assert there.lock.try_acquire() is True
        there.lock.release()
        here.lock.write_record({"at": 5.0})
        assert here.lock.read_record() == {"at": 5.0}
    redis.start()
    wait_for(lambda: here.place().problem is None, "Redis is back")
    with here.lock:
        assert redis.order("EXISTS", KEY.replace(":token", ":lock")) == 1


def test_a_redis_that_does_not_answer_is_waited_for_no_longer_than_the_deadline(redis: RealRedis) -> None:
    server = RedisServer(Secret(redis.url), deadline=1.0)
    server.ask(lambda client: client.ping())
    redis.hang()
    try:
        assert problem_of(lambda: server.ask(lambda client: client.ping())) == RedisUnavailable.SILENT
    finally:
        redis.go_on()
    wait_for(lambda: server.problem is None, "it is back")


def test_a_redis_that_refuses_to_be_asked_whether_it_is_back_is_back(redis: RealRedis) -> None:
    redis.order("ACL", "SETUSER", "default", "-ping")
    server = RedisServer(Secret(redis.url), deadline=1.0)
    server.ask(lambda client: client.get(KEY))
    redis.hang()
    assert problem_of(lambda: server.ask(lambda client: client.get(KEY))) == RedisUnavailable.SILENT
    redis.go_on()
    wait_for(lambda: server.problem is None, "it is back")


def test_without_the_package_it_says_how_to_get_it() -> None:
    """In a process of its own: threads of earlier tests may still ask whether their server is back."""
    program = (
        "import sys; sys.modules['redis'] = None\n"
        "from tray_app.api.token_manager import TokenManager\n"
        "from tray_app.core.errors import RedisUnavailable\n"
        "manager = TokenManager(store='redis')\n"
        "try: manager.ensure_token()\n"
        "except RedisUnavailable as error: print(error.problem, error)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "KIWOOM_TRAY_REDIS_URL": "redis://127.0.0.1:1/0"}

    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True, timeout=60
    )

    assert done.stdout.startswith(f"{RedisUnavailable.NO_PACKAGE} Redis needs the package redis. Install it: ")


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("redis://user:pass-of-a-test@host/3", "host:6379/3"),
        ("rediss://[::1]:7000", "[::1]:7000/0"),
        ("unix://user:pass-of-a-test@/run/a%20socket", "/run/a socket"),
        ("redis://:pass-of-a-test@host:not-a-port/0", "?"),
    ],
)
def test_its_address_names_neither_user_nor_password(url: str, address: str) -> None:
    assert RedisServer(Secret(url)).address == address


def test_a_record_that_does_not_reach_redis_is_this_computers(
    redis: RealRedis, open_store: Callable[..., RedisStore], caplog: pytest.LogCaptureFixture
) -> None:
    store = open_store(redis.url)
    with store.lock:
        before = store.lock.record_version()
        redis.stop()
        store.lock.write_record({"what": "issued"})
        assert store.lock.read_record() == {"what": "issued"}
        assert store.lock.record_version() not in {None, before}
    assert "record cannot be written to Redis (redis-silent)" in caplog.text


@pytest.mark.parametrize("somebody_wrote", [False, True])
def test_an_announcement_does_not_hide_whether_somebody_has_written_since(
    redis: RealRedis, open_store: Callable[..., RedisStore], *, somebody_wrote: bool
) -> None:
    server = RedisServer(Secret(redis.url), deadline=1.0)
    here, there = open_store(redis.url, server=server), open_store(redis.url)
    theirs = token_for("their-token-of-a-test", 86400, time.time())
    write(here, OLD)
    if somebody_wrote:
        write(there, theirs)
    with here.announcing():
        pass
    redis.hang()
    with pytest.raises(RedisUnavailable):
        write(here, NEW)
    redis.go_on()
    expected = theirs if somebody_wrote else NEW
    wait_for(lambda: (here.read(), there.read()) == (expected, expected), "both have it")


def test_what_encrypts_the_token_is_not_asked_for_while_redis_is_gone(
    redis: RealRedis, open_store: Callable[..., RedisStore]
) -> None:
    store = open_store(redis.url, cipher=Cipher(Secret("T25lT25lT25lT25lT25lT25lT25lT25lT25lT25lT25=")))
    redis.stop()
    assert store.wants_rewriting() is False
