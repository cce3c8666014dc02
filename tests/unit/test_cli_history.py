"""`kiwoom-token history`: for people, for spreadsheets and for programs."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from tests import ROOT, weeks
from tests.doubles import PromptHistory
from tray_app.cli.main import main
from tray_app.core import language
from tray_app.core.errors import BrokerUnavailable
from tray_app.core.token import KST, token_for
from tray_app.history.database import History
from tray_app.history.draft import EventDraft
from tray_app.history.tabular import COLUMNS

Run = tuple[int, str, str]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., Run]:
    def command(*words: str) -> Run:
        try:
            status = main(["history", *words])
        except SystemExit as ended:
            status = int(ended.code or 0)
        said = capsys.readouterr()
        return status, said.out, said.err

    return command


@pytest.fixture
def history(tmp_path: Path) -> History:
    one = PromptHistory(str(tmp_path / "data" / "history.db"))
    now = time.time()
    older = token_for("an-older-token", 20 * 86400, now - 10 * 86400)
    token = token_for("token-of-a-test", 86400, now - 20)
    error = BrokerUnavailable("No answer from {place}, try again.", code="503", place='"home"')
    one.record(
        "default",
        [
            EventDraft(now - 10 * 86400, "issued", older, None),
            EventDraft(now - 20, "issued", token, None),
            EventDraft(now - 10, "failed", token, error),
        ],
    )
    return one


def test_nothing_yet(run: Callable[..., Run]) -> None:
    assert run() == (0, "No events in this period.\n", "")
    assert run("--json") == (0, "[]\n", "")


@pytest.mark.usefixtures("history")
def test_for_people(run: Callable[..., Run]) -> None:
    status, out, _ = run()
    head, issued, failed = out.splitlines()
    assert status == 0
    assert head.split("  ")[0] == "Time (KST)"
    assert f"{datetime.now(KST):%Y}" in issued
    assert "A new token was issued" in issued
    assert failed.endswith('The request failed: No answer from "home", try again. [503]')
    assert issued.index("A new") == failed.index("The request"), "the columns stand under each other"


@pytest.mark.usefixtures("history")
def test_columns_stand_under_each_other_in_korean_too(run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "ko_KR.UTF-8")
    lines = run()[1].splitlines()

    def cells_before(line: str, text: str) -> int:
        return sum(2 if ord(one) >= 0x1100 else 1 for one in line[: line.index(text)])

    assert len({cells_before(line, "  20") if "  20" in line else 0 for line in lines[1:]}) == 1
    language.use("en")


@pytest.mark.usefixtures("history")
def test_days_reach_back_as_far_as_asked(run: Callable[..., Run]) -> None:
    assert len(json.loads(run("--json")[1])) == 2
    assert len(json.loads(run("--json", "--days", "30")[1])) == 3
    assert len(json.loads(run("--json", "--days", "2")[1])) == 2


@pytest.mark.parametrize("words", [("--days", "0"), ("--days", "91"), ("--days", "x"), ("--csv", "--json")])
def test_what_makes_no_sense_is_a_usage_error(run: Callable[..., Run], words: tuple[str, ...]) -> None:
    status, out, err = run(*words)
    assert (status, out) == (2, "")
    assert err.count("\n") == 1


@pytest.mark.usefixtures("history")
def test_for_programs(run: Callable[..., Run]) -> None:
    issued, failed = json.loads(run("--json")[1])
    assert issued["event"] == "issued"
    assert datetime.fromisoformat(issued["time"]).utcoffset() is not None
    assert abs(datetime.fromisoformat(issued["expires"]).timestamp() - time.time() - 86400) < 120
    assert (failed["code"], failed["reason"]) == ("503", 'No answer from "home", try again.')
    assert issued["code"] is None


@pytest.mark.usefixtures("history")
def test_for_a_spreadsheet(run: Callable[..., Run]) -> None:
    rows = list(csv.DictReader(io.StringIO(run("--csv")[1].removeprefix("\ufeff"), newline="")))
    assert [row["event"] for row in rows] == ["issued", "failed"]
    assert rows[1]["reason"] == 'No answer from "home", try again.'
    assert [one.removesuffix(" (KST)") for one in rows[0]] == list(COLUMNS)
    assert [one for one in rows[0] if one.endswith(" (KST)")] == [
        "time (KST)",
        "created (KST)",
        "expires (KST)",
        "until (KST)",
    ]


@pytest.mark.usefixtures("history")
def test_times_for_a_spreadsheet_are_times_and_no_text(run: Callable[..., Run]) -> None:
    (issued, _) = csv.DictReader(io.StringIO(run("--csv")[1].removeprefix("\ufeff"), newline=""))
    for column in ("time (KST)", "expires (KST)"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", issued[column])
    told = datetime.strptime(issued["expires (KST)"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=KST)
    assert abs(told.timestamp() - time.time() - 86400) < 120


@pytest.mark.usefixtures("history")
def test_a_file_of_it_opens_in_excel(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tray_app.cli.main", "history", "--csv"],
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "LC_ALL": "ko_KR.UTF-8", "PYTHONIOENCODING": "cp949"},
    )
    assert done.stdout.startswith(b"\xef\xbb\xbftime (KST),")
    assert done.stdout.count(b"\r\n") == 3
    assert "home" in done.stdout.decode("utf-8-sig")


@pytest.mark.parametrize("start", "=+-@")
def test_no_cell_is_taken_for_a_formula(run: Callable[..., Run], tmp_path: Path, start: str) -> None:
    error = BrokerUnavailable(f"{start}cmd|' /C calc'!A0", code=f"{start}1")
    PromptHistory(str(tmp_path / "data" / "history.db")).record(
        "default", [EventDraft(time.time(), "failed", None, error)]
    )
    (row,) = csv.DictReader(io.StringIO(run("--csv")[1].removeprefix("\ufeff"), newline=""))
    assert row["code"] == f"'{start}1"
    assert row["reason"].startswith(f"'{start}")


@pytest.mark.usefixtures("history")
@pytest.mark.parametrize("form", ["--csv", "--json", "--days=7"])
def test_a_closed_output_is_no_failure(monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    with monkeypatch.context() as closed:
        closed.setattr(sys, "stdout", None)
        assert main(["history", form]) == 0


@pytest.mark.parametrize("form", ["--csv", "--json", "--days=7"])
def test_a_hostile_row_sends_nothing_to_the_terminal_and_costs_nothing(
    run: Callable[..., Run], tmp_path: Path, form: str
) -> None:
    path = tmp_path / "data" / "history.db"
    PromptHistory(str(path)).record(
        "default", [EventDraft(time.time(), "failed", None, BrokerUnavailable("No answer."))]
    )
    evil = "\x1b]0;owned\x07\x1b[2J\u202e\r\n" + "x" * 100_000
    sentences = ["{x:>999999999}", "{x.__class__.__mro__}", "{0:>999999999}", "{x!r:>99999999}", evil]
    with closing(sqlite3.connect(path)) as database, database:
        for sentence in sentences:
            database.execute(
                "INSERT INTO events SELECT NULL, at, profile, kind, ?, created, expires, ?, ?, ?, ?, times, until"
                " FROM events WHERE id = 1",
                (evil, evil, sentence, json.dumps({"x": evil[:500]}), evil),
            )
        for column, value in (("at", "inf"), ("at", -1e300), ("until", "x"), ("kind", evil), ('"values"', "[" * 9999)):
            database.execute("CREATE TEMP TABLE one AS SELECT * FROM events WHERE id = 1")
            database.execute(f"UPDATE one SET id = NULL, {column} = ?", (value,))  # noqa: S608
            database.execute("INSERT INTO events SELECT * FROM one")
            database.execute("DROP TABLE one")

    status, out, _ = run(form)

    assert status == 0
    assert not {"\x1b", "\x07", "\u202e"} & set(out)
    assert len(out) < 20_000
    assert "{x:>999999999}" in out
    if form == "--json":
        assert len(json.loads(out)) == 1 + len(sentences)


@pytest.mark.parametrize("start", "\t\r")
def test_a_control_character_is_escaped_before_it_reaches_a_cell(
    run: Callable[..., Run], tmp_path: Path, start: str
) -> None:
    error = BrokerUnavailable(f"{start}=1+1", code=f"{start}1")
    PromptHistory(str(tmp_path / "data" / "history.db")).record(
        "default", [EventDraft(time.time(), "failed", None, error)]
    )
    (row,) = csv.DictReader(io.StringIO(run("--csv")[1].removeprefix("\ufeff"), newline=""))
    assert (row["code"], row["reason"]) == (repr(start)[1:-1] + "1", repr(start)[1:-1] + "=1+1")


def test_a_gap_in_trading_hours_is_told_too(
    run: Callable[..., Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.time", lambda: weeks.NOW)
    one = PromptHistory(str(tmp_path / "data" / "history.db"))
    one.record("default", [happening for _, happening in weeks.lived_week()])
    gaps = [fields for fields in json.loads(run("--json")[1]) if fields["event"] == "gap"]
    assert [(fields["time"], fields["until"]) for fields in gaps] == [
        ("2026-11-16T09:10:00+09:00", "2026-11-16T09:25:00+09:00"),
        ("2026-11-18T11:40:00+09:00", "2026-11-18T11:52:00+09:00"),
    ]
    assert "No token for 12 min in trading hours" in run()[1]


def test_a_record_that_cannot_be_read_is_said_in_one_line(run: Callable[..., Run], tmp_path: Path) -> None:
    (tmp_path / "data" / "history.db").mkdir(parents=True)
    status, out, err = run()
    assert (status, out) == (1, "")
    assert err.count("\n") == 1
    assert "history.db" in err


def test_a_token_in_memory_has_no_history(run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIWOOM_TRAY_STORE", "memory")
    assert run()[:2] == (0, "The token is stored in memory only, so nothing is recorded.\n")


def test_profiles_have_histories_of_their_own(run: Callable[..., Run], history: History) -> None:
    assert json.loads(run("--json", "--profile", "second")[1]) == []
