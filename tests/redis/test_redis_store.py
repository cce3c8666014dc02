from __future__ import annotations

import gc
import json
import logging
import os
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.doubles import START, Clock
from tests.redis.server import RealRedis, parts, wait_for
from tray_app import TokenManager
from tray_app.core.errors import RedisUnavailable, StoreError
from tray_app.core.secret import Secret
from tray_app.core.token import Token, token_for
from tray_app.core.wording import place_text
from tray_app.stores import redis_changes
from tray_app.stores.change_marker import ChangeMarker
from tray_app.stores.redis import RedisStore
from tray_app.stores.redis_changes import RedisChanges
from tray_app.stores.redis_record import MAX_BYTES
from tray_app.stores.redis_server import RedisServer

OLD = token_for("old-token-of-a-test", 86400, time.time())
NEW = token_for("new-token-of-a-test", 86400, time.time() + 10)
KEY = "kiwoom-token-tray:{default}:token"
COUNT = "kiwoom-token-tray:{default}:count"


def write(store: Any, token: Any) -> Any:
    with store.lock:
        return store.write(token)


def clear(store: Any) -> Any:
    with store.lock:
        return store.clear()


def test_a_token_comes_back_as_it_was_written(redis: RealRedis, open_store: Callable[..., RedisStore]) -> None:
    store = open_store(redis.url)
    write(store, OLD)
    assert store.read() == OLD


def test_another_computer_reads_what_was_written(redis: RealRedis, open_store: Callable[..., RedisStore]) -> None:
    write(open_store(redis.url), OLD)
    assert open_store(redis.url).read() == OLD


def test_an_empty_redis_has_no_token(redis: RealRedis, open_store: Callable[..., RedisStore]) -> None:
    assert open_store(redis.url).read() is None


def test_the_value_is_one_line_of_json_with_zones(redis: RealRedis, open_store: Callable[..., RedisStore]) -> None:
    write(open_store(redis.url), OLD)
    text = redis.order("GET", KEY).decode()
    assert "\n" not in text
    assert json.loads(text) == {
        "access_token": "old-token-of-a-test",
        "expires_at": OLD.expires_at.isoformat(),
        "created_at": OLD.created_at.isoformat(),
    }


def test_redis_forgets_the_token_at_its_end_whatever_this_clock_says(
    redis: RealRedis, open_store: Callable[..., RedisStore]
) -> None:
    clock = Clock(START)
    store = open_store(redis.url, clock=clock)
    write(store, token_for("token-of-a-test", 3600, START))
    assert 3590 < redis.order("TTL", KEY) <= 3600


def test_a_token_that_ends_is_gone_without_anybody_deleting_it(
    redis: RealRedis, open_store: Callable[..., RedisStore]
) -> None:
    store = open_store(redis.url)
    write(store, token_for("token-of-a-test", 0.2, time.time()))
    wait_for(lambda: redis.order("EXISTS", KEY) == 0, "Redis forgets the token")
    assert store.read() is None


def test_each_profile_has_keys_of_its_own_in_one_slot(redis: RealRedis, open_store: Callable[..., RedisStore]) -> None:
    write(open_store(redis.url, "first"), OLD)
    write(open_store(redis.url, "second account"), NEW)
    assert open_store(redis.url, "first").read() == OLD
    keys = {key.decode() for key in redis.order("KEYS", "*")}
    assert {key.split(":")[1] for key in keys} == {"{first}", "{second account}"}


def test_a_clear_reaches_redis_and_tells_whether_there_was_a_token(
    redis: RealRedis, open_store: Callable[..., RedisStore]
) -> None:
    store = open_store(redis.url)
    write(store, OLD)
    assert clear(store) is True
    assert redis.order("EXISTS", KEY) == 0
    assert clear(store) is False


def test_a_unix_socket_and_a_database_number_work(
    new_redis: Callable[..., RealRedis], open_store: Callable[..., RedisStore], short_tmp: Path
) -> None:
    new_redis("--unixsocket", str(short_tmp / "s"))
    store = open_store(f"unix://{short_tmp}/s?db=3")
    write(store, OLD)
    assert store.read() == OLD
    assert store.place().path == f"{short_tmp}/s"


def test_a_token_at_its_end_stays_for_who_wants_to_use_it_up(
    redis: RealRedis, open_store: Callable[..., RedisStore]
) -> None:
    store = open_store(redis.url)
    ending = token_for("token-of-a-test", 100, time.time())
    write(store, ending)
    assert store.expire_soft(ending) is True
    assert open_store(redis.url).read() == ending


def test_the_stamp_of_a_write_stays_until_something_changes(
    redis: RealRedis, open_store: Callable[..., RedisStore]
) -> None:
    here, there = open_store(redis.url), open_store(redis.url)
    here.version()
    here.read()
    wait_for(lambda: parts(here.version()) == 2, "the channel is connected")
    version = write(here, OLD)
    assert here.version() == version
    write(there, NEW)
    wait_for(lambda: here.version() != version, "the change is noticed")
    assert here.read() == NEW


def test_a_change_elsewhere_wakes_who_watches_the_local_file(
    redis: RealRedis, open_store: Callable[..., RedisStore]
) -> None:
    here, there = open_store(redis.url), open_store(redis.url)
    here.version()
    here.read()
    wait_for(lambda: parts(here.version()) == 2, "the channel is connected")
    (watch_paths,) = here.watch_paths()
    wait_for(lambda: os.path.exists(watch_paths), "the file is there")
    with open(watch_paths, "rb") as file:
        before = file.read()

    def now() -> Any:
        with open(watch_paths, "rb") as file:
            return file.read()

    write(there, NEW)
    wait_for(lambda: now() != before, "the file changes")


@pytest.mark.parametrize("deaf", [False, True])
def test_a_change_on_another_computer_shows_at_the_very_next_call(
    redis: RealRedis, open_store: Callable[..., RedisStore], monkeypatch: pytest.MonkeyPatch, *, deaf: bool
) -> None:
    """Also to a program whose listener hears nothing."""
    here, there = TokenManager(store=open_store(redis.url)), TokenManager(store=open_store(redis.url))
    if deaf:
        monkeypatch.setattr(RedisChanges, "_start", lambda changes: None)
        monkeypatch.setattr(redis_changes, "UNSURE_SECONDS", 1e9)
    seen = [here.get_token()]
    wrote = []
    for number in range(100):
        there.set_token(f"token-{number}-of-a-test", 86400)
        wrote.append(f"token-{number}-of-a-test")
        seen.append(here.get_token())
    there.clear_token()
    seen.append(here.get_token())
    assert seen == [None, *wrote, None]


def test_whoever_looks_asks_redis_one_small_question(redis: RealRedis, open_store: Callable[..., RedisStore]) -> None:
    store = open_store(redis.url)
    store.version()
    store.read()
    wait_for(lambda: parts(store.version()) == 2, "the channel is connected")
    before = redis.order("INFO", "commandstats")
    for _ in range(100):
        store.version()
    after = redis.order("INFO", "commandstats")
    asked = {name for name in after if after[name]["calls"] != before.get(name, {"calls": 0})["calls"]}
    of_connecting = {"cmdstat_info", "cmdstat_ping", "cmdstat_hello", "cmdstat_client|setinfo"}
    assert asked - of_connecting == {"cmdstat_get"}
    assert after["cmdstat_get"]["calls"] == before["cmdstat_get"]["calls"] + 100


def test_while_redis_is_slow_the_token_in_hand_is_given_and_the_channel_decides(
    redis: RealRedis, open_store: Callable[..., RedisStore]
) -> None:
    server = RedisServer(Secret(redis.url))
    store, there = open_store(redis.url, server=server), open_store(redis.url)
    here = TokenManager(store=store)
    write(there, OLD)
    wait_for(lambda: here.get_token() and parts(store.version()) == 2, "the channel is connected")
    asked = []
    server.ask_briefly = lambda act, seconds: asked.append(seconds)
    for _ in range(5):
        assert here.get_token() == "old-token-of-a-test"
    assert len(asked) == 1
    write(there, NEW)
    wait_for(lambda: here.get_token() == "new-token-of-a-test", "the channel tells")


def test_without_the_channel_the_stamp_asks_for_a_read_once_a_second(
    new_redis: Callable[..., RealRedis], open_store: Callable[..., RedisStore]
) -> None:
    redis = new_redis()
    redis.order("ACL", "SETUSER", "bot", "on", ">pass-of-a-test", "~*", "+@all", "resetchannels")
    here = open_store(redis.url.replace("//", "//bot:pass-of-a-test@"))
    there = open_store(redis.url)
    first = here.version()
    here.read()
    wait_for(lambda: here.version() != first, "the version asks for another read")
    write(there, OLD)
    write(here, NEW)
    assert there.read() == NEW


def test_a_listener_ends_with_its_store(redis: RealRedis, open_store: Callable[..., RedisStore]) -> None:
    def use_and_forget() -> None:
        store = open_store(redis.url)
        store.version()
        store.read()
        wait_for(lambda: parts(store.version()) == 2, "the channel is connected")

    use_and_forget()
    wait_for(lambda: redis.order("CLIENT", "LIST", "TYPE", "pubsub") in ("", b"", []), "nobody listens any more")


def test_managers_on_two_computers_see_each_others_changes(
    redis: RealRedis, open_store: Callable[..., RedisStore]
) -> None:
    here, there = TokenManager(store=open_store(redis.url)), TokenManager(store=open_store(redis.url))
    assert here.get_token() is None
    there.set_token("first-token-of-a-test", 86400)
    wait_for(lambda: here.get_token() == "first-token-of-a-test", "the token is seen")
    here.set_token("second-token-of-a-test", 86400)
    wait_for(lambda: there.get_token() == "second-token-of-a-test", "the new token is seen")
    there.clear_token()
    wait_for(lambda: here.get_token() is None, "the clear is seen")


def test_a_fork_listens_for_itself(redis: RealRedis, open_store: Callable[..., RedisStore]) -> None:
    manager, other = TokenManager(store=open_store(redis.url)), open_store(redis.url)
    manager.set_token("first-token-of-a-test", 86400)
    assert manager.get_token() == "first-token-of-a-test"
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            wait_for(lambda: manager.get_token() == "new-token-of-a-test", "the child sees the change")
            os.write(writing, b"seen")
        finally:
            os._exit(0)
    write(other, NEW)
    os.close(writing)
    assert os.read(reading, 10) == b"seen"
    os.close(reading)
    os.waitpid(child, 0)


def raw(redis: RealRedis, value: Any) -> None:
    redis.order("SET", KEY, value)


@pytest.mark.parametrize("value", ["hello of another program", '{"other": 1}', "x" * (MAX_BYTES + 9), b"\xff\xfe\x00"])
def test_a_foreign_value_is_no_token_and_is_never_touched(
    redis: RealRedis, open_store: Callable[..., RedisStore], value: bytes | str
) -> None:
    raw(redis, value)
    store = open_store(redis.url)
    assert store.read() is None
    with pytest.raises(RedisUnavailable) as caught:
        write(store, OLD)
    assert caught.value.problem == RedisUnavailable.FOREIGN
    assert clear(store) is False
    kept = redis.order("GET", KEY)
    assert kept == (value if isinstance(value, bytes) else value.encode())


def test_a_foreign_list_in_the_key_is_left_alone(redis: RealRedis, open_store: Callable[..., RedisStore]) -> None:
    redis.order("RPUSH", KEY, "one", "two")
    store = open_store(redis.url)
    assert store.read() is None
    with pytest.raises(RedisUnavailable):
        write(store, OLD)
    assert clear(store) is False
    assert redis.order("LLEN", KEY) == 2


def test_the_token_that_could_not_be_written_over_a_foreign_value_stays_in_hand(
    redis: RealRedis, open_store: Callable[..., RedisStore]
) -> None:
    raw(redis, "hello of another program")
    store = open_store(redis.url)
    with pytest.raises(RedisUnavailable):
        write(store, OLD)
    assert store.read() == OLD
    assert place_text("redis", "here", store.place().problem.problem) == "Redis here (another program uses this key)"
    redis.order("DEL", KEY)
    assert store.read() == OLD
    assert open_store(redis.url).read() == OLD
    assert store.place().problem is None


def test_a_foreign_value_is_told_as_long_as_it_is_there(
    redis: RealRedis, open_store: Callable[..., RedisStore]
) -> None:
    raw(redis, "hello of another program")
    store = open_store(redis.url)
    store.read()
    assert store.place().problem.problem == RedisUnavailable.FOREIGN
    redis.order("DEL", KEY)
    store.read()
    assert store.place().problem is None


@pytest.mark.parametrize("value", ['{"access_token": "cut-off-tok', '{"access_token": 5}', ""])
def test_a_damaged_record_is_a_missing_token_that_the_next_write_replaces(
    redis: RealRedis, open_store: Callable[..., RedisStore], value: str, caplog: pytest.LogCaptureFixture
) -> None:
    raw(redis, value)
    store = open_store(redis.url)
    with caplog.at_level(logging.DEBUG):
        assert store.read() is None
    assert "cut-off-tok" not in caplog.text
    assert redis.order("GET", KEY) == value.encode()
    write(store, OLD)
    assert open_store(redis.url).read() == OLD


def test_a_record_with_a_far_end_is_kept_that_long(redis: RealRedis, open_store: Callable[..., RedisStore]) -> None:
    far = Token(OLD.value, OLD.created_at + timedelta(days=366), OLD.created_at)
    write(open_store(redis.url), far)
    assert redis.order("TTL", KEY) > 365 * 86400


def test_an_announcement_lets_every_computer_read_again(
    redis: RealRedis, open_store: Callable[..., RedisStore]
) -> None:
    here, there = open_store(redis.url), open_store(redis.url)
    write(there, OLD)
    assert here.read() == OLD
    write(there, NEW)
    before = there.version()
    with here.announcing():
        pass
    assert there.version() != before
    assert (here.read(), there.read()) == (NEW, NEW)


@pytest.mark.parametrize("count", ["many", "", "-1", "1e9", "9" * 30, "\x1b[2J"])
def test_what_somebody_else_put_in_place_of_the_count_is_replaced(
    redis: RealRedis, open_store: Callable[..., RedisStore], count: str
) -> None:
    store, other = open_store(redis.url), open_store(redis.url)
    write(store, OLD)
    redis.order("SET", COUNT, count)

    assert clear(store)
    assert other.read() is None

    redis.order("SET", COUNT, count)
    write(store, NEW)
    assert other.read() == NEW


def test_a_token_that_keeps_changing_is_not_said_to_be_cleared(
    redis: RealRedis, open_store: Callable[..., RedisStore]
) -> None:
    server = Contended(Secret(redis.url), lambda: redis.order("INCR", COUNT))
    store = open_store(redis.url, server=server)
    write(store, OLD)
    server.is_contended = True
    with pytest.raises(StoreError, match="keeps changing"):
        clear(store)
    assert redis.order("EXISTS", KEY) == 1
    server.is_contended = False
    assert clear(store) is True


def test_programs_on_one_computer_learn_of_each_others_writes_without_redis(
    redis: RealRedis, open_store: Callable[..., RedisStore], tmp_path: Path
) -> None:
    path = str(tmp_path / "writes")
    server = RedisServer(Secret(redis.url))
    here: Any = open_store(redis.url, writes=ChangeMarker(path))
    there: Any = open_store(redis.url, server=server, writes=ChangeMarker(path))
    server.ask_briefly = lambda act, seconds: None  # too slow to tell
    for store in (here, there):
        store.read()
        wait_for(lambda store=store: parts(store.version()[0]) == 2, "the channel is connected")
    for token in (OLD, NEW):
        _, before = there.version()
        version = write(here, token)
        assert here.version() == version
        _, after = there.version()
        assert after not in {None, before}
        assert there.read() == token
    _, before = there.version()
    clear(here)
    assert there.version()[1] not in {None, before}
    assert there.read() is None


def test_a_quiet_channel_stays_connected(
    redis: RealRedis, open_store: Callable[..., RedisStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_changes, "HEARTBEAT_SECONDS", 0.05)
    monkeypatch.setattr(redis_changes, "SILENCE_SECONDS", 2.0)
    store = open_store(redis.url)
    store.version()
    store.read()
    wait_for(lambda: parts(store.version()) == 2, "the channel is connected")
    before = store.version()
    end = time.monotonic() + 3.0
    while time.monotonic() < end:
        assert store.version() == before
        time.sleep(0.02)


def test_a_count_that_another_program_has_replaced_is_an_error(
    redis: RealRedis, open_store: Callable[..., RedisStore]
) -> None:
    redis.order("LPUSH", COUNT, "x")
    store = open_store(redis.url)
    with pytest.raises(RedisUnavailable) as caught:
        store.read()
    assert caught.value.problem == RedisUnavailable.FOREIGN
    redis.order("DEL", COUNT)
    assert store.read() is None


def test_a_server_that_outlives_its_store_goes_on(redis: RealRedis, open_store: Callable[..., RedisStore]) -> None:
    server = RedisServer(Secret(redis.url))
    store = open_store(redis.url, server=server)
    write(store, OLD)
    del store
    gc.collect()
    server.when_back()
    assert open_store(redis.url, server=server).read() == OLD


class Contended(RedisServer):
    """Somebody changes something after each answer."""

    def __init__(self, url: Secret, change: Callable[[], object]) -> None:
        super().__init__(url)
        self._change = change
        self.is_contended = False

    def ask(self, act: Callable[[Any], Any]) -> Any:
        answer = super().ask(act)
        if self.is_contended:
            self._change()
        return answer
