"""A plain token file that a program in another time zone has written."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from tests.doubles import Clock
from tests.zones import live_in, read_zone
from tray_app import TokenManager
from tray_app.core.secret import Secret
from tray_app.core.token import UTC, Token, encode_seed
from tray_app.core.writer_zone import as_written
from tray_app.stores.file import FileStore
from tray_app.stores.lock import ThreadLock

WRITTEN = datetime(2026, 3, 3, 3, 0, tzinfo=UTC)
HOUR, DAY = 3600.0, 86400.0
TODAY = None
"""The times as this program has always read them."""

# The reader's zone, by how many seconds `created_at` and `expires_at` are after the file was written, as the reader
# takes them, and by how many the token then expires after it.
TABLE = {
    "own zone": ("UTC", 0.0, DAY, TODAY),
    "own zone, in Korea": ("Asia/Seoul", 0.0, DAY, TODAY),
    "own zone, on a slow disk": ("UTC", -8.0, DAY - 8, TODAY),
    "own zone, the disk's clock is a little behind": ("UTC", 60.0, DAY + 60, TODAY),
    "own zone, the disk's clock is ten minutes ahead": ("UTC", -600.0, DAY - 600, TODAY),
    "own zone, a short token": ("UTC", 0.0, 600.0, TODAY),
    "own zone, expired when it was written": ("UTC", 0.0, -DAY, TODAY),
    "restored with its time, in the own zone": ("UTC", 0.2, DAY, TODAY),
    "copied with a new time an hour and a half and some seconds later": ("UTC", -5430.0, DAY - 5430, TODAY),
    "copied with a new time 9 hours and 20 seconds later": ("UTC", -9 * HOUR - 20, 15 * HOUR - 20, TODAY),
    "copied with a new time a day later to the second": ("UTC", -DAY, -60.0, TODAY),
    "copied with a new time a day and a half later to the second": ("UTC", -1.5 * DAY, -DAY / 2, TODAY),
    "copied with a new time a week later": ("UTC", -7 * DAY, -6 * DAY, TODAY),
    "written by a clock that was days ahead": ("UTC", 3 * DAY, 4 * DAY, TODAY),
    "Korea, read in UTC": ("UTC", 9 * HOUR, 33 * HOUR, DAY),
    "Korea, read in UTC, on a slow disk": ("UTC", 9 * HOUR - 100, 33 * HOUR - 100, DAY - 100),
    "Korea, read in New York": ("America/New_York", 14 * HOUR, 38 * HOUR, DAY),
    "New York, read in Korea": ("Asia/Seoul", -14 * HOUR, 10 * HOUR, TODAY),
    "UTC, read in Korea": ("Asia/Seoul", -9 * HOUR, 15 * HOUR, DAY),
    "UTC, read in Korea, seconds after it was made": ("Asia/Seoul", -9 * HOUR - 3, 15 * HOUR - 3, DAY - 3),
    "India, read in Korea": ("Asia/Seoul", -3.5 * HOUR, 20.5 * HOUR, TODAY),
    "copied an hour later to the second": ("UTC", -HOUR, 23 * HOUR, TODAY),
    "copied 12 hours later to the second, in Korea": ("Asia/Seoul", -12 * HOUR, 12 * HOUR, TODAY),
    "Nepal, read in UTC": ("UTC", 5.75 * HOUR, 29.75 * HOUR, DAY),
    "UTC, read in Nepal": ("Asia/Kathmandu", -5.75 * HOUR, 18.25 * HOUR, DAY),
    "the easternmost, read in New York": ("America/New_York", 19 * HOUR, 43 * HOUR, DAY),
    "the westernmost, read in the easternmost": ("Pacific/Kiritimati", -26 * HOUR, -2 * HOUR, TODAY),
    "a short token of Korea, read in UTC": ("UTC", 9 * HOUR, 10 * HOUR, HOUR),
    "hours in the future, no zone": ("UTC", 5 * HOUR + 400, 29 * HOUR + 400, DAY),
    "hours in the future, further east than any zone": ("Asia/Seoul", 9 * HOUR, 33 * HOUR, DAY),
    "in the future, no zone, and short": ("UTC", 5 * HOUR + 400, 6 * HOUR, 6 * HOUR),
    "created by the local clock, expires by Korea's": ("UTC", 0.0, 33 * HOUR, DAY),
    "created in UTC, expires by Korea's, read in Korea": ("Asia/Seoul", -9 * HOUR, DAY, TODAY),
    "longer than Kiwoom's, by a slow clock": ("UTC", 0.0, DAY + 200, TODAY),
}


@pytest.mark.parametrize(("zone", "created", "expires", "found"), TABLE.values(), ids=TABLE.keys())
def test_when_a_plain_token_expires(
    zone: str, created: float, expires: float, found: float | None, *, monkeypatch: pytest.MonkeyPatch
) -> None:
    live_in(zone, monkeypatch)
    at = WRITTEN.timestamp()
    expires_at, created_at = WRITTEN + timedelta(seconds=expires), WRITTEN + timedelta(seconds=created)

    read = as_written(expires_at, created_at, at)

    if found is TODAY:
        assert read == (expires_at, created_at)
    else:
        assert read[0].timestamp() - at == pytest.approx(found, abs=0.001)
        assert read[1] <= WRITTEN


def put(path: Path, created: datetime, expires: datetime, written: datetime) -> None:
    path.parent.mkdir(exist_ok=True)
    fields = {"access_token": "a-token", "expires_at": expires.isoformat(), "created_at": created.isoformat()}
    path.write_text(json.dumps(fields))
    os.utime(path, (written.timestamp(), written.timestamp()))


def put_as_in(zone: timezone, path: Path, *, made: datetime = WRITTEN, written: datetime | None = None) -> None:
    """Write as the seed's token manager does on a computer of that zone."""
    local = made.astimezone(zone).replace(tzinfo=None)
    put(path, local, local + timedelta(days=1), written or made)


@pytest.fixture(autouse=True)
def own_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    yield
    monkeypatch.undo()
    read_zone()


KST = timezone(timedelta(hours=9))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / ".token"


@pytest.fixture
def clock() -> Clock:
    return Clock(WRITTEN.timestamp())


@pytest.mark.posix
class TestInAContainerOfUtc:
    @pytest.fixture(autouse=True)
    def utc(self, monkeypatch: pytest.MonkeyPatch) -> None:
        live_in("UTC", monkeypatch)

    def test_a_korean_token_that_has_expired_is_not_returned(self, path: Path, clock: Clock) -> None:
        put_as_in(KST, path)
        clock.advance(25 * HOUR)

        manager = TokenManager(store="file", clock=clock)

        assert manager.get_token() is None
        assert not manager.is_token_valid()

    def test_a_korean_token_has_its_true_time_left(self, path: Path, clock: Clock) -> None:
        put_as_in(KST, path)
        clock.advance(HOUR)

        info = TokenManager(store="file", clock=clock).get_token_info()

        assert info["remaining_seconds"] == 23 * HOUR

    def test_a_token_of_the_own_zone_is_what_it_was(self, path: Path, clock: Clock) -> None:
        put_as_in(timezone.utc, path)

        assert TokenManager(store="file", clock=clock).get_token_info()["remaining_seconds"] == DAY

    def test_times_with_a_zone_are_what_they_say(self, path: Path, clock: Clock) -> None:
        put(path, WRITTEN + timedelta(hours=9), WRITTEN + timedelta(hours=33), WRITTEN)

        assert TokenManager(store="file", clock=clock).get_token_info()["remaining_seconds"] == 33 * HOUR

    def test_a_backup_that_is_restored_with_its_time_is_what_it_was(self, path: Path, clock: Clock) -> None:
        put_as_in(timezone.utc, path.with_name("backup"))
        shutil.copy2(path.with_name("backup"), path)
        clock.advance(3 * HOUR)

        assert TokenManager(store="file", clock=clock).get_token_info()["remaining_seconds"] == 21 * HOUR

    def test_a_copy_with_a_new_time_is_what_it_was(self, path: Path, clock: Clock) -> None:
        put_as_in(timezone.utc, path, written=WRITTEN + timedelta(hours=3, seconds=45))
        clock.advance(4 * HOUR)

        assert TokenManager(store="file", clock=clock).get_token_info()["remaining_seconds"] == 20 * HOUR

    def test_what_this_program_wrote_elsewhere_goes_by_its_metadata(
        self, path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        live_in("Asia/Seoul", monkeypatch)
        store = FileStore(str(path), ThreadLock(), clock)
        token = Token(Secret("a-token"), WRITTEN + timedelta(days=9), WRITTEN)
        store.write(token)
        live_in("UTC", monkeypatch)

        assert FileStore(str(path), ThreadLock(), clock).read() == token


@pytest.mark.posix
def test_in_korea_a_token_of_utc_is_valid_for_its_24_hours(
    path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    live_in("Asia/Seoul", monkeypatch)
    put_as_in(timezone.utc, path)
    clock.advance(23 * HOUR)

    assert TokenManager(store="file", clock=clock).get_token() == "a-token"


@pytest.mark.posix
@pytest.mark.parametrize("made", ["2026-10-25T00:30+00:00", "2026-10-25T01:30+00:00", "2026-03-29T00:30+00:00"])
def test_where_the_clock_changes_a_token_expires_no_later_than_it_was_made_to(
    made: str, path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In Berlin, in the hour that the clock repeats, and before the one that it leaves out."""
    live_in("Europe/Berlin", monkeypatch)
    instant = datetime.fromisoformat(made)
    token = Token(Secret("a-token"), instant + timedelta(days=1), instant)
    path.parent.mkdir()
    path.write_text(encode_seed(token))
    os.utime(path, (instant.timestamp(), instant.timestamp()))

    read = FileStore(str(path), ThreadLock(), clock).read()

    assert read is not None
    assert read.expires - instant.timestamp() <= DAY
    assert read.expires - instant.timestamp() >= DAY - HOUR
