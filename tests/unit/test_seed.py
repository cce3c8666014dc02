"""The token manager's own documentation, word for word: its examples, its tests and its log lines.

Each runs in a program of its own, in a folder with the application that the examples import from.
"""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests import ROOT

SECURITY = "from tray_app import token_manager\n"

BASIC_USE = """
from app.core.security import token_manager

# 토큰 설정 (자동으로 파일에 저장됨)
token_manager.set_token("access_token_here", 86400)

# 토큰 조회 (파일에서 자동 로드됨)
token = token_manager.get_token()

# 토큰 유효성 확인
if token_manager.is_token_valid():
    print("Token is valid")
"""

INFO = """
from app.core.security import token_manager
info = token_manager.get_token_info()
print(f"Has token: {info['has_token']}")
print(f"Is valid: {info['is_valid']}")
print(f"Expires at: {info['expires_at']}")
print(f"Remaining: {info['remaining_seconds']}s")
"""

CLEAR = """
from app.core.security import token_manager
# 메모리와 파일에서 모두 삭제
token_manager.clear_token()
"""

MIGRATION = """
# 기존 코드 그대로 동작
from app.core.security import token_manager

token = token_manager.get_token()
if not token:
    # 새 토큰 발급
    pass
"""

TEST_SAVING = """
from app.core.security import token_manager

# 토큰 설정
token_manager.set_token("test_token", 86400)

# 파일 확인
import json
with open("data/.token") as f:
    data = json.load(f)
    print(data)
"""

TEST_EXPIRED = """
import json
from datetime import datetime, timedelta

# 만료된 토큰 파일 생성
data = {
    "access_token": "expired_token",
    "expires_at": (datetime.now() - timedelta(days=1)).isoformat(),
    "created_at": datetime.now().isoformat()
}

with open("data/.token", "w") as f:
    json.dump(data, f)
"""

SERVER = """
import logging
logging.basicConfig(
    level=logging.DEBUG, format="%(asctime)s - %(name)s - %(levelname)s - %(message)s", datefmt="%Y-%m-%d %H:%M:%S"
)
"""

START = SERVER + "from app.core.security import token_manager\n"

LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d - (.*)")
TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")


@pytest.fixture(params=["file", "auto"])
def program(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a script in the application's folder: with the store `file`, and with `auto` where there is no keyring."""
    folder = tmp_path / "application"
    (folder / "app" / "core").mkdir(parents=True)
    for package in ("app", "app/core"):
        (folder / package / "__init__.py").touch()
    (folder / "app" / "core" / "security.py").write_text(SECURITY)
    monkeypatch.delenv("KIWOOM_TRAY_DATA_DIR")
    if request.param == "file":
        monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")
    monkeypatch.setenv("PYTHONPATH", f"{folder}{os.pathsep}{ROOT}")

    def run(script: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", script],
            cwd=folder,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done

    run.folder = folder  # type: ignore[attr-defined]
    run.file = folder / "data" / ".token"  # type: ignore[attr-defined]
    return run


def kiwoom_lines(done: Any) -> list[str]:
    """The log's lines without the time; what a missing keyring adds is not the seed's."""
    lines = [LINE.fullmatch(line).group(1) for line in done.stderr.splitlines()]
    return [one for one in lines if one.startswith("kiwoom - ") and "Keyring not used" not in one]


def written(value: Any, remaining: Any, **fields: Any) -> str:
    now = datetime.now()  # noqa: DTZ005 - the seed's naive local time
    return json.dumps(
        {
            "access_token": value,
            "expires_at": (now + timedelta(seconds=remaining)).isoformat(),
            "created_at": now.isoformat(),
            **fields,
        }
    )


def put(program: Any, text: Any) -> None:
    program.file.parent.mkdir(exist_ok=True)
    program.file.write_text(text)


def test_basic_use(program: Any) -> None:
    done = program(BASIC_USE + "print(token)\n")

    assert (done.stdout, done.stderr) == ("Token is valid\naccess_token_here\n", "")


def test_info(program: Any) -> None:
    program(BASIC_USE)

    lines = program(INFO).stdout.splitlines()

    assert lines[:2] == ["Has token: True", "Is valid: True"]
    assert lines[2] == f"Expires at: {json.loads(program.file.read_text())['expires_at']}"
    assert re.fullmatch(r"Remaining: 86[34]\d\ds", lines[3])


def test_info_without_a_token(program: Any) -> None:
    assert program(INFO).stdout.splitlines() == [
        "Has token: False",
        "Is valid: False",
        "Expires at: None",
        "Remaining: 0s",
    ]


def test_clear(program: Any) -> None:
    program(BASIC_USE)

    program(CLEAR)

    assert not program.file.exists()


def test_migration(program: Any) -> None:
    program(MIGRATION)


def test_recipe_1_saving(program: Any) -> None:
    done = program(TEST_SAVING)

    shown = json.loads(done.stdout.replace("'", '"'))
    assert list(shown) == ["access_token", "expires_at", "created_at"]
    assert shown["access_token"] == "test_token"
    created, expires = (datetime.fromisoformat(shown[name]) for name in ("created_at", "expires_at"))
    assert (created.tzinfo, expires - created) == (None, timedelta(seconds=86400))
    assert abs(datetime.now() - created) < timedelta(minutes=1)  # noqa: DTZ005


def test_recipe_2_restart(program: Any) -> None:
    program(BASIC_USE)
    expires = datetime.fromisoformat(json.loads(program.file.read_text())["expires_at"])

    done = program(START)

    expected = f"Loaded valid token from file (expires at {expires:%Y-%m-%d %H:%M:%S})"
    assert kiwoom_lines(done) == [f"kiwoom - INFO - {expected}"]


def test_recipe_3_expired(program: Any) -> None:
    program.file.parent.mkdir()
    program(TEST_EXPIRED)

    done = program(START)

    assert not program.file.exists()
    assert kiwoom_lines(done) == [
        "kiwoom - INFO - Token in file has expired",
        "kiwoom - DEBUG - Token file deleted",
    ]


def test_the_log_of_a_token_that_is_set(program: Any) -> None:
    done = program(SERVER + BASIC_USE)

    expires = datetime.fromisoformat(json.loads(program.file.read_text())["expires_at"])
    assert kiwoom_lines(done) == [
        "kiwoom - INFO - Token set (expires in 86400s)",
        f"kiwoom - INFO - Token saved to file (expires at {expires:%Y-%m-%d %H:%M:%S})",
    ]


def test_the_log_of_a_token_that_is_cleared(program: Any) -> None:
    program(BASIC_USE)

    lines = kiwoom_lines(program(SERVER + CLEAR))

    assert lines[-2:] == ["kiwoom - INFO - Token cleared", "kiwoom - DEBUG - Token file deleted"]


def test_the_log_of_a_token_that_expires_while_the_server_runs(program: Any) -> None:
    put(program, written("ending", 302))
    script = """
import time
token_manager._clock = lambda: time.time() + 10
print(token_manager.get_token())
"""

    done = program(START + script)

    assert done.stdout == "None\n"
    assert kiwoom_lines(done)[1:] == [
        "kiwoom - INFO - Token expired, clearing...",
        "kiwoom - INFO - Token cleared",
        "kiwoom - DEBUG - Token file deleted",
    ]


def test_the_log_of_a_damaged_file(program: Any) -> None:
    put(program, '{"access_token": "half-seen')

    done = program(START)

    assert not program.file.exists()
    assert kiwoom_lines(done) == [
        "kiwoom - ERROR - Failed to parse token file (invalid JSON)",
        "kiwoom - DEBUG - Token file deleted",
    ]
    assert "half-seen" not in done.stderr


def test_no_log_line_shows_the_token(program: Any) -> None:
    done = program(SERVER + BASIC_USE + CLEAR)

    assert "access_token_here" not in done.stderr


@pytest.mark.posix
def test_the_file_is_the_owners_alone_even_under_an_open_umask(program: Any) -> None:
    program("import os; os.umask(0)\n" + BASIC_USE)

    assert stat.S_IMODE(program.file.stat().st_mode) == 0o600


def test_the_file_is_utf_8_without_a_mark(program: Any) -> None:
    program(BASIC_USE)

    assert program.file.read_bytes().decode("utf-8").startswith("{")


def test_the_file_lies_in_the_folder_where_the_server_was_started(program: Any) -> None:
    program(BASIC_USE)

    assert [one.name for one in program.folder.iterdir() if one.name != "app"] == ["data"]


def test_the_file_of_the_original_is_read(program: Any) -> None:
    """With the exact text of the example in the documentation, its times moved to today."""
    put(program, written("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9...", 86400))

    done = program("from app.core.security import token_manager\nprint(token_manager.get_token())")

    assert done.stdout == "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9...\n"


def test_two_servers_use_one_token(program: Any) -> None:
    script = f"""
import subprocess, sys
from app.core.security import token_manager
print(token_manager.get_token())
subprocess.run([sys.executable, "-c", {BASIC_USE!r}], check=True, stdout=subprocess.DEVNULL)
print(token_manager.get_token())
subprocess.run([sys.executable, "-c", {CLEAR!r}], check=True)
print(token_manager.get_token())
"""

    assert program(script).stdout.split() == ["None", "access_token_here", "None"]


def test_the_one_liner_that_deletes_a_token_by_hand(program: Any) -> None:
    program(BASIC_USE)

    program("from app.core.security import token_manager; token_manager.clear_token()")

    assert not program.file.exists()


def test_every_line_bears_the_seeds_time(program: Any) -> None:
    done = program(SERVER + BASIC_USE)

    assert all(TIME.match(line) for line in done.stderr.splitlines())
