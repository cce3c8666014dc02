"""The record on disk: private, bounded, and never a reason to lose or delay a token."""

from __future__ import annotations

import os
import re
import sqlite3
import stat
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest

from tests import ROOT
from tests.doubles import START, PromptHistory
from tray_app.core.errors import BrokerUnavailable, KeysRefused, StoreError
from tray_app.core.token import Token, token_for
from tray_app.history import database as history_module
from tray_app.history.database import KEPT_EVENTS, KEPT_SECONDS, AnothersDatabase, History, NewerHistory, flush_history
from tray_app.history.draft import EventDraft
from tray_app.history.events import EventKind

DAY = 86400.0
A, B = token_for("token-a-of-a-test", DAY, START), token_for("token-b-of-a-test", DAY, START + 100)
not_as_root = pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() == 0, reason="no folder is closed to this user"
)


@pytest.fixture
def history(tmp_path: Path) -> History:
    return PromptHistory(str(tmp_path / "data" / "history.db"))


def note(history: History, at: float, kind: str, token: Token | None = A, error: object = None) -> None:
    keep(history, [(at, kind, token, error)])


def keep(history: History, happenings: list[Any], profile: str = "default") -> None:
    """Records, and waits until it is written."""
    history.record(profile, happenings)
    assert flush_history(20)


def kinds(history: History, profile: str = "default") -> list[str]:
    return [str(one.kind) for one in history.read(profile)]


def test_what_was_recorded_is_read_again(history: History) -> None:
    error = KeysRefused("Refused for {days} days at {place}.", code="8001", days=3, place="home")
    keep(history, [(START, "issued", A, None), (START + 1, "failed", A, error)])
    issued, failed = history.read("default")
    assert (issued.at, issued.kind, issued.expires, issued.created) == (START, EventKind.ISSUED, A.expires, START)
    assert A.value.fingerprint().startswith(issued.token)
    assert (failed.code, failed.message, failed.values) == ("8001", error.message, {"days": 3, "place": "home"})


def test_no_token_reaches_the_disk(history: History) -> None:
    secret = "WQJCwyqInph" + "x" * 75
    error = BrokerUnavailable("No answer: {body}", body=f"authorization: Bearer {secret}")
    keep(history, [(START, "failed", token_for(secret, DAY, START), error)])
    assert secret[:12].encode() not in Path(history.path).read_bytes()


@pytest.mark.posix
def test_the_file_is_private_from_the_moment_it_exists(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    modes = []
    connect = sqlite3.connect

    def looking(path: str, **options: Any) -> sqlite3.Connection:
        modes.append(stat.S_IMODE(Path(path).stat().st_mode))
        return connect(path, **options)

    monkeypatch.setattr(sqlite3, "connect", looking)
    note(history, START, "issued")
    assert modes == [0o600]
    assert stat.S_IMODE(Path(history.path).parent.stat().st_mode) == 0o700


def test_nothing_is_made_by_reading(history: History) -> None:
    assert history.read("default") == ()
    assert history.profiles() == []
    assert not Path(history.path).parent.exists()


def test_profiles_are_kept_apart(history: History) -> None:
    keep(history, [(START, "issued", A, None)])
    keep(history, [(START, "failed", None, BrokerUnavailable("no answer"))], "부모님")
    assert kinds(history) == ["issued"]
    assert kinds(history, "부모님") == ["failed"]
    assert history.profiles() == ["default", "부모님"]


def test_events_are_read_in_order_of_time(history: History) -> None:
    note(history, START + 50, "issued", B)
    note(history, START, "issued")
    assert [one.at for one in history.read("default")] == [START, START + 50]


def test_the_last_change_before_the_span_comes_along(history: History) -> None:
    note(history, START, "issued")
    note(history, START + 10, "failed", error=BrokerUnavailable("no answer"))
    note(history, START + DAY, "issued", B)
    assert [one.at for one in history.read("default", START + 100)] == [START, START + DAY]


class TestSameAgain:
    def test_a_failure_that_goes_on_is_one_event(self, history: History) -> None:
        for second in range(0, 50, 5):
            note(history, START + second, "failed", error=BrokerUnavailable("no answer"))
        (one,) = history.read("default")
        assert (one.at, one.until, one.times) == (START, START + 45, 10)

    @pytest.mark.parametrize(
        ("later", "error"),
        [
            (7200, BrokerUnavailable("no answer")),
            (5, BrokerUnavailable("other")),
            (5, KeysRefused("no answer", code="1")),
        ],
    )
    def test_another_failure_or_a_later_one_is_another_event(
        self, history: History, later: float, error: Exception
    ) -> None:
        note(history, START, "failed", error=BrokerUnavailable("no answer"))
        note(history, START + later, "failed", error=error)
        assert kinds(history) == ["failed", "failed"]

    def test_something_else_between_parts_them(self, history: History) -> None:
        note(history, START, "failed", error=BrokerUnavailable("no answer"))
        note(history, START + 1, "issued")
        note(history, START + 2, "failed", error=BrokerUnavailable("no answer"))
        assert kinds(history) == ["failed", "issued", "failed"]

    def test_after_the_clock_was_set_back_it_is_another_event(self, history: History) -> None:
        note(history, START, "failed", error=BrokerUnavailable("no answer"))
        note(history, START - 600, "failed", error=BrokerUnavailable("no answer"))
        assert len(history.read("default")) == 2


class TestFound:
    def test_a_token_that_nobody_told_of_is_noted_once(self, history: History) -> None:
        for _ in range(3):
            history.record_found("default", A, START + 5)
        assert kinds(history) == ["seen"]

    def test_one_that_was_told_of_is_no_news(self, history: History) -> None:
        note(history, START, "issued")
        history.record_found("default", A, START + 5)
        assert kinds(history) == ["issued"]

    def test_a_token_that_is_taken_away_by_nobody_is_gone_once(self, history: History) -> None:
        note(history, START, "issued")
        history.record_found("default", None, START + 5)
        history.record_found("default", None, START + 6)
        assert kinds(history) == ["issued", "gone"]
        assert history.read("default")[-1].expires == A.expires

    @pytest.mark.parametrize("kind", ["cleared", "revoked"])
    def test_one_that_was_cleared_is_not_gone(self, history: History, kind: str) -> None:
        note(history, START, "issued")
        note(history, START + 1, kind)
        history.record_found("default", None, START + 5)
        assert kinds(history) == ["issued", kind]

    def test_one_that_reached_its_end_is_not_gone(self, history: History) -> None:
        note(history, START, "issued")
        history.record_found("default", None, START + DAY)
        assert kinds(history) == ["issued"]

    def test_nothing_where_nothing_was_is_no_news(self, history: History) -> None:
        history.record_found("default", None, START)
        assert kinds(history) == []

    def test_a_dead_token_is_no_news(self, history: History) -> None:
        history.record_found("default", A, START + 2 * DAY)
        assert kinds(history) == []

    def test_a_look_that_is_older_than_what_is_known_says_nothing(self, history: History) -> None:
        note(history, START + 100, "issued", B)
        history.record_found("default", A, START + 50)
        history.record_found("default", None, START + 50)
        assert kinds(history) == ["issued"]

    def test_who_made_a_change_corrects_who_only_saw_it(self, history: History) -> None:
        note(history, START, "issued")
        history.record_found("default", None, START + 100.1)
        history.record_found("default", B, START + 100.6)
        keep(history, [(START + 100, "revoked", A, None), (START + 100.5, "issued", B, None)])
        assert kinds(history) == ["issued", "revoked", "issued"]

    def test_a_token_moved_to_another_place_is_not_stored_anew(self, history: History) -> None:
        note(history, START, "issued")
        note(history, START + 9, "stored")
        note(history, START + 10, "stored", B)
        assert kinds(history) == ["issued", "stored"]


class TestBounds:
    def test_events_older_than_the_span_go_at_the_next_write(self, history: History) -> None:
        note(history, START, "issued")
        note(history, START + KEPT_SECONDS + 1, "issued", B)
        assert [one.at for one in history.read("default")] == [START + KEPT_SECONDS + 1]

    def test_no_profile_grows_beyond_its_share_nor_eats_another_ones(
        self, history: History, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(history_module, "KEPT_EVENTS", 20)
        keep(history, [(START, "issued", A, None)], "other")
        keep(history, [(START + n, "cleared", A, None) for n in range(50)])
        assert [one.at for one in history.read("default")] == [START + n for n in range(30, 50)]
        assert kinds(history, "other") == ["issued"]

    def test_a_full_record_stays_small(self, history: History) -> None:
        error = BrokerUnavailable("x" * 200, code="8005")
        keep(history, [(START + n * 4000, "failed", A, error) for n in range(1800)])
        assert Path(history.path).stat().st_size < KEPT_EVENTS * 500


class TestTrouble:
    @pytest.mark.parametrize(
        "content", [b"not a database at all" * 50, b"\0" * 4096, b"SQLite format 3\0" + b"\xff" * 4080]
    )
    def test_a_damaged_file_is_set_aside_and_begun_anew(self, history: History, content: bytes) -> None:
        path = Path(history.path)
        path.parent.mkdir()
        path.write_bytes(content)
        note(history, START, "issued")
        assert kinds(history) == ["issued"]
        assert path.with_name("history.db.damaged").read_bytes() == content

    def test_a_damaged_file_reads_as_an_empty_one(self, history: History) -> None:
        Path(history.path).parent.mkdir()
        Path(history.path).write_bytes(b"no database" * 100)
        assert history.read("default") == ()
        note(history, START, "issued")
        assert kinds(history) == ["issued"]

    def test_pages_overwritten_in_the_middle_are_noticed(self, history: History) -> None:
        keep(history, [(START + n, "cleared", A, None) for n in range(300)])
        content = bytearray(Path(history.path).read_bytes())
        content[4096:] = b"\xaa" * (len(content) - 4096)
        Path(history.path).write_bytes(content)
        history.read("default")
        note(history, START + 1000, "issued")
        assert kinds(history)[-1] == "issued"

    def test_the_journal_of_a_damaged_file_is_not_played_back_into_the_new_one(self, history: History) -> None:
        path = Path(history.path)
        path.parent.mkdir()
        path.write_bytes(b"no database" * 100)
        path.with_name("history.db-journal").write_bytes(b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + b"\1" * 2000)
        note(history, START, "issued")
        assert kinds(history) == ["issued"]

    def test_a_file_that_another_program_has_begun_anew_meanwhile_stays(
        self, history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        anew = PromptHistory(str(tmp_path / "anew" / "history.db"))
        note(anew, START, "issued")
        Path(history.path).parent.mkdir()
        Path(history.path).write_bytes(b"no database" * 100)
        connect = sqlite3.connect

        def overtaken(path: str, **options: Any) -> sqlite3.Connection:
            """Open the damaged file; before it is judged, the other program replaces it."""
            monkeypatch.setattr(sqlite3, "connect", connect)
            Path(path).replace(tmp_path / "damaged.db")
            Path(anew.path).replace(path)
            return connect(tmp_path / "damaged.db", **options)

        monkeypatch.setattr(sqlite3, "connect", overtaken)
        assert kinds(history) == []
        assert kinds(history) == ["issued"]
        assert not Path(history.path + ".damaged").exists()

    @pytest.mark.parametrize("version", [0, 1, 99])
    def test_a_database_of_another_program_stays_as_it_is(self, history: History, version: int) -> None:
        path = Path(history.path)
        path.parent.mkdir()
        with closing(sqlite3.connect(path)) as other:
            other.execute("CREATE TABLE candles (close INTEGER)")
            other.execute(f"PRAGMA user_version = {version}")
        before = path.read_bytes()
        note(history, START, "issued")
        assert [one.name for one in path.parent.iterdir()] == ["history.db"]
        assert path.read_bytes() == before
        with pytest.raises(AnothersDatabase, match="another program"):
            history.read("default")

    def test_a_history_that_another_program_begins_meanwhile_is_no_other_program_s(
        self, history: History, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        Path(history.path).parent.mkdir()
        Path(history.path).touch(mode=0o600)
        was, writes = sqlite3.connect, [lambda: note(history, START, "issued")]

        class Interrupted(sqlite3.Connection):
            def execute(self, *values: Any) -> sqlite3.Cursor:
                answer = super().execute(*values)
                found = answer.fetchall()
                if writes:
                    writes.pop()()
                rows: Any = MagicMock(fetchone=lambda: found[0])
                rows.__iter__.side_effect = lambda: iter(found)
                return rows

        def connect(*values: Any, **named: Any) -> sqlite3.Connection:
            monkeypatch.setattr(sqlite3, "connect", was)
            return was(*values, **named, factory=Interrupted)

        monkeypatch.setattr(sqlite3, "connect", connect)
        assert history.read("default") == ()
        assert kinds(history) == ["issued"]

    def test_tables_that_another_program_has_added_stay(self, history: History) -> None:
        note(history, START, "issued")
        with closing(sqlite3.connect(history.path)) as other:
            other.execute("CREATE TABLE candles (close INTEGER)")
        note(history, START + 1, "cleared")
        assert kinds(history) == ["issued", "cleared"]
        assert not Path(history.path + ".damaged").exists()

    def test_what_was_set_aside_is_never_lost(self, history: History) -> None:
        path = Path(history.path)
        path.parent.mkdir()
        for content in (b"prices of last year", b"prices of this year"):
            path.write_bytes(content)
            note(history, START, "issued")
        assert path.with_name("history.db.damaged").read_bytes() == b"prices of last year"
        assert path.read_bytes() == b"prices of this year"
        with pytest.raises(StoreError, match="Move both away"):
            history.read("default")

    def test_a_newer_record_is_left_alone_and_told_to_the_reader(self, history: History) -> None:
        note(history, START, "issued")
        with closing(sqlite3.connect(history.path)) as newer:
            newer.execute("PRAGMA user_version = 99")
        before = Path(history.path).read_bytes()
        note(history, START + 1, "cleared")
        assert Path(history.path).read_bytes() == before
        with pytest.raises(NewerHistory):
            history.read("default")

    def test_rows_that_nobody_here_can_read_are_passed_over(self, history: History) -> None:
        note(history, START, "issued")
        with closing(sqlite3.connect(history.path)) as hand:
            rest = 'token, created, expires, code, message, "values", by, times, until FROM events'
            hand.execute(f"INSERT INTO events SELECT NULL, at, profile, 'invented', {rest}")
            hand.execute(f"INSERT INTO events SELECT NULL, 'yesterday', profile, kind, {rest}")
            hand.execute("UPDATE events SET \"values\" = '[' WHERE typeof(at) = 'text'")
            hand.commit()
        assert kinds(history) == ["issued"]
        note(history, START + 5, "cleared")
        assert kinds(history) == ["issued", "cleared"]

    def test_while_another_program_holds_the_file_the_record_is_lost_and_nobody_hears_of_it(
        self, history: History, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(history_module, "PATIENCE_SECONDS", 0.05)
        note(history, START, "issued")
        with closing(sqlite3.connect(history.path, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            note(history, START + 1, "cleared")
            with pytest.raises(StoreError):
                history.read("default")
        assert kinds(history) == ["issued"]

    def test_a_disk_that_hangs_keeps_nobody_waiting(self, history: History, monkeypatch: pytest.MonkeyPatch) -> None:
        go_on = threading.Event()
        monkeypatch.setattr(history_module, "make_private_folder", lambda _: go_on.wait(60))
        History(history.path).record(
            "default", [EventDraft(START, "issued", A, None)]
        )  # returns although no disk answers
        assert not flush_history(0.1)
        go_on.set()
        assert flush_history(20)

    @pytest.mark.parametrize(
        "failure", [OSError(28, "No space left on device"), sqlite3.OperationalError("disk is full")]
    )
    def test_a_full_disk_costs_the_record_only(
        self, history: History, monkeypatch: pytest.MonkeyPatch, failure: Exception
    ) -> None:
        def refuse(*_: object) -> None:
            raise failure

        monkeypatch.setattr(sqlite3, "connect", refuse)
        note(history, START, "issued")
        monkeypatch.undo()
        assert kinds(history) == []

    def test_without_sqlite_nothing_is_recorded(self, history: History, monkeypatch: pytest.MonkeyPatch) -> None:
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, "sqlite3", None)
            note(history, START, "issued")
        assert kinds(history) == []

    def test_a_folder_in_its_place_is_told_to_the_reader_alone(self, history: History) -> None:
        Path(history.path).mkdir(parents=True)
        note(history, START, "issued")
        with pytest.raises(StoreError):
            history.read("default")

    @not_as_root
    @pytest.mark.posix
    def test_a_folder_that_is_closed_costs_the_record_only(self, history: History) -> None:
        Path(history.path).parent.mkdir(mode=0o500)
        note(history, START, "issued")
        assert history.read("default") == ()


def test_the_stamp_changes_with_every_event(history: History) -> None:
    versions = [history.version()]
    for n in range(3):
        note(history, START + n, "cleared")
        versions.append(history.version())
    assert len(set(versions)) == 4


def test_what_a_program_told_is_written_before_it_ends(tmp_path: Path) -> None:
    program = (
        "import sys; from tray_app.history import database;"
        "database.PATIENCE_SECONDS = 30;"  # a busy disk needs more than the second of a program
        "database.History(sys.argv[1]).record('default', [(1.79e9, 'cleared', None, None)])"
    )
    path = str(tmp_path / "history.db")
    subprocess.run([sys.executable, "-c", program, path], env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True)
    assert kinds(History(path)) == ["cleared"]


@pytest.mark.posix
def test_a_forked_worker_records_too(history: History) -> None:
    note(history, START, "issued")
    child = os.fork()
    if not child:
        history.record("default", [EventDraft(START + 1, "cleared", A, None)])
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert kinds(history) == ["issued", "cleared"]


def test_a_burst_is_one_write(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    writes: list[int] = []
    keep = History.keep
    monkeypatch.setattr(History, "keep", lambda self, some: (writes.append(len(some)), keep(self, some)))
    for number in range(100):
        History(history.path).record("default", [EventDraft(START + number, "cleared", A, None)])
    assert flush_history(20)
    assert sum(writes) == 100
    assert len(writes) < 20


@pytest.mark.posix
def test_an_interrupt_at_the_end_prints_no_traceback() -> None:
    program = (
        "from tray_app.history import database\n"
        "def interrupted(timeout):\n"
        "    raise KeyboardInterrupt\n"
        "database._writer.flush = interrupted\n"
    )
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    ended = subprocess.run([sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_no_placeholder_has_a_number() -> None:
    """Python 3.12.0 to 3.12.3 warn of `?1` (gh-117995); where warnings are errors, nothing would be written."""
    source = Path(history_module.__file__).read_text(encoding="utf-8")
    assert re.search(r"\?\d", source) is None
