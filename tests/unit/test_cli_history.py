"""`kiwoom-token history`: for people, for spreadsheets and for programs."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from tests import weeks
from tests.doubles import PromptHistory
from tray_app.cli.main import main
from tray_app.core import language
from tray_app.core.errors import BrokerUnavailable
from tray_app.core.token import KST, token_for
from tray_app.history.database import History
from tray_app.history.tabular import COLUMNS

ROOT = Path(__file__).resolve().parents[2]
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
            (now - 10 * 86400, "issued", older, None),
            (now - 20, "issued", token, None),
            (now - 10, "failed", token, error),
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
    assert tuple(rows[0]) == COLUMNS


@pytest.mark.usefixtures("history")
def test_a_file_of_it_opens_in_excel(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tray_app.cli.main", "history", "--csv"],
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "LC_ALL": "ko_KR.UTF-8", "PYTHONIOENCODING": "cp949"},
    )
    assert done.stdout.startswith(b"\xef\xbb\xbftime,")
    assert done.stdout.count(b"\r\n") == 3
    assert "home" in done.stdout.decode("utf-8-sig")


@pytest.mark.parametrize("start", "=+-@\t\r")
def test_no_cell_is_taken_for_a_formula(run: Callable[..., Run], tmp_path: Path, start: str) -> None:
    error = BrokerUnavailable(f"{start}cmd|' /C calc'!A0", code=f"{start}1")
    PromptHistory(str(tmp_path / "data" / "history.db")).record("default", [(time.time(), "failed", None, error)])
    (row,) = csv.DictReader(io.StringIO(run("--csv")[1].removeprefix("\ufeff"), newline=""))
    assert row["code"] == f"'{start}1"
    assert row["reason"].startswith(f"'{start}")


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
