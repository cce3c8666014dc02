"""One program finds out that the token is dead: no other one is given it from then on, whatever happens meanwhile."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.processes.conftest import PYTHON_PATH
from tray_app import KiwoomAuth, TokenManager
from tray_app.core.token import format_expires_dt, token_for
from tray_app.exports.kwcli import cache_path
from tray_app.kiwoom.keys import clean_keys
from tray_app.kiwoom.sandbox import SANDBOX_APP_KEY, SANDBOX_APP_SECRET, SandboxKiwoom
from tray_app.kiwoom.sandbox.rules import Behaviour

NO_TOKEN = 3


def run(*words: Any, stdin: Any = "", code: Any = None) -> Any:
    """`kiwoom-token` with these words, or Python with `code`, in a process of its own."""
    program = ["-c", code] if code else ["-m", "tray_app.cli.main", *words]
    return subprocess.run(
        [sys.executable, *program],
        env={**os.environ, "PYTHONPATH": PYTHON_PATH},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def pair(sandbox: SandboxKiwoom, store: str, start: Callable[..., Any]) -> Any:
    """Two programs that have the same token in memory."""
    one, other = start(2)
    token = one.ask("ensure_token")
    assert other.ask("get_token") == token
    return one, other, token


def ask_kiwoom(sandbox: SandboxKiwoom, manager: Any) -> Any:
    """A request of a trading program."""
    with httpx.Client(auth=KiwoomAuth(manager), trust_env=False) as client:
        return client.post(f"{sandbox.base_url}/api/dostk/stkinfo", json={"stk_cd": "005930"})


class TestFoundDead:
    def test_by_verify(self, sandbox: SandboxKiwoom, pair: Any) -> None:
        one, other, token = pair
        sandbox.end_tokens()
        assert one.ask("verify") is False
        assert (other.ask("get_token"), other.ask("is_token_valid")) == (None, False)
        status = json.loads(run("status", "--json").stdout)
        assert (status["state"], status["has_token"]) == ("dead", False)
        assert run("get", "--no-issue").returncode == NO_TOKEN
        fresh = other.ask("ensure_token")
        assert fresh not in {None, token}
        assert one.ask("get_token") == run("get").stdout.strip() == fresh

    def test_by_the_command_line(self, sandbox: SandboxKiwoom, pair: Any) -> None:
        one, other, _ = pair
        sandbox.end_tokens()
        assert run("verify").returncode == NO_TOKEN
        assert [worker.ask("get_token") for worker in (one, other)] == [None, None]

    def test_by_a_tool_that_reports_it(self, sandbox: SandboxKiwoom, pair: Any) -> None:
        one, other, token = pair
        sandbox.end_tokens()
        fresh = run("get", "--refused", stdin=token).stdout.strip()
        assert fresh not in {"", token}
        assert [worker.ask("get_token") for worker in (one, other)] == [fresh, fresh]
        assert sandbox.counts() == {"issue": 2, "revoke": 0, "rest": 1}

    def test_by_a_tool_that_wants_none_issued(self, sandbox: SandboxKiwoom, pair: Any) -> None:
        one, other, token = pair
        sandbox.end_tokens()
        assert run("get", "--refused", "--no-issue", stdin=token).returncode == NO_TOKEN
        assert [worker.ask("get_token") for worker in (one, other)] == [None, None]
        assert sandbox.counts()["issue"] == 1

    def test_by_a_trading_program(self, sandbox: SandboxKiwoom, pair: Any) -> None:
        one, other, token = pair
        sandbox.end_tokens()
        manager = TokenManager()
        assert ask_kiwoom(sandbox, manager).json()["return_code"] == 0
        fresh = manager.get_token()
        assert fresh not in {None, token}
        assert [worker.ask("get_token") for worker in (one, other)] == [fresh, fresh]

    def test_by_a_trading_program_that_sees_only_http_401(self, sandbox: SandboxKiwoom, pair: Any) -> None:
        one, other, token = pair
        sandbox.behaviour = Behaviour(dead_token_status=401)
        sandbox.end_tokens()
        assert ask_kiwoom(sandbox, TokenManager()).json()["return_code"] == 0
        assert token not in [worker.ask("get_token") for worker in (one, other)]

    @pytest.mark.parametrize("fault", ["http-500", "1700"])
    def test_by_a_trading_program_that_gets_no_other(self, sandbox: SandboxKiwoom, pair: Any, fault: Any) -> None:
        one, other, token = pair
        sandbox.end_tokens()
        sandbox.set_fault(fault, on="issue")
        assert ask_kiwoom(sandbox, TokenManager()).json()["return_code"] != 0
        assert [worker.ask("get_token") for worker in (one, other)] == [None, None]
        assert "error" in other.ask("ensure_token")
        ran = run("exec", "--", sys.executable, "-c", "import os; print(os.environ['KIWOOM_TOKEN'])")
        assert (ran.returncode != 0, token in ran.stdout + ran.stderr) == (True, False)

    def test_exec_gives_a_new_one(self, sandbox: SandboxKiwoom, pair: Any) -> None:
        one, _, token = pair
        sandbox.end_tokens()
        one.ask("verify")
        ran = run("exec", "--", sys.executable, "-c", "import os; print(os.environ['KIWOOM_TOKEN'])")
        assert ran.stdout.strip() not in {"", token}

    @pytest.mark.parametrize("fault", ["http-500", "1700", "html"])
    def test_while_kiwoom_does_not_say_it_is_left_alone(self, sandbox: SandboxKiwoom, pair: Any, fault: Any) -> None:
        """Two questions without an answer, then a pause for all programs."""
        one, other, token = pair
        sandbox.end_tokens()
        sandbox.set_fault(fault, on="rest")
        assert run("get", "--refused", stdin=token).stdout.strip() == token
        assert json.loads(run("status", "--json").stdout)["state"] == "unconfirmed"
        for _ in range(5):
            one.ask("ensure_token")
            other.ask("get_valid_token")
        assert sandbox.counts()["rest"] == 2

    def test_once_kiwoom_answers_again_the_next_call_gets_a_new_one(self, sandbox: SandboxKiwoom, pair: Any) -> None:
        _, other, token = pair
        sandbox.end_tokens()
        sandbox.set_fault("http-500", on="rest", times=1)
        run("get", "--refused", stdin=token)
        assert other.ask("get_valid_token") not in {None, token}

    def test_one_that_is_said_to_live_longer_than_kiwooms_is_asked_about(
        self, sandbox: SandboxKiwoom, store: str, start: Callable[..., Any]
    ) -> None:
        """A tool in UTC takes Kiwoom's Korean time for its own, so nine hours are added."""
        run("set", "--expires-in", str(33 * 3600), stdin="a-token-that-died-hours-ago")
        assert json.loads(run("status", "--json").stdout)["state"] == "unconfirmed"
        assert start().ask("get_valid_token") != "a-token-that-died-hours-ago"
        assert sandbox.counts() == {"issue": 1, "revoke": 0, "rest": 1}

    def test_by_many_at_once_one_asks_for_another(
        self, sandbox: SandboxKiwoom, store: str, start: Callable[..., Any], together: Any, issues: Any
    ) -> None:
        workers = start(6)
        token = workers[0].ask("ensure_token")
        sandbox.end_tokens()
        fresh = set(together(workers, "replace_refused", token))
        assert len(fresh) == 1
        assert token not in fresh
        assert issues() == 2

    @pytest.mark.parametrize("store", ["file", "auto without a keyring"], indirect=True)
    def test_a_copy_that_comes_back_is_given_to_nobody(
        self, sandbox: SandboxKiwoom, store: str, start: Callable[..., Any], token_file: Path
    ) -> None:
        one, other = start(2)
        token = one.ask("ensure_token")
        record = token_file.read_bytes()
        sandbox.end_tokens()
        fresh = one.ask("replace_refused", token)
        token_file.write_bytes(record)
        assert other.ask("get_token") != token
        assert other.ask("ensure_token") == fresh


@pytest.mark.parametrize("store", ["file", "keyring"], indirect=True)
class TestKilled:
    """The program that finds it out is killed at the worst moment."""

    @pytest.mark.parametrize("target", ["LockedSession.withdraw", "AccountStore.forget"])
    def test_after_the_mark(self, sandbox: SandboxKiwoom, pair: Any, target: Any) -> None:
        one, other, token = pair
        sandbox.end_tokens()
        code = f"""
import os, signal
from tray_app.service.locked_session import LockedSession
from tray_app.service.account_store import AccountStore
{target} = lambda *_: os.kill(os.getpid(), signal.SIGTERM if os.name == "nt" else signal.SIGKILL)
from tray_app import TokenManager
TokenManager().verify()
"""
        assert run(code=code).returncode != 0
        assert [worker.ask("get_token") for worker in (one, other)] == [None, None]
        assert other.ask("ensure_token") not in {None, token}

    @pytest.mark.parametrize("words", [("clear", "--revoke"), ("refresh", "--rotate")])
    def test_between_the_revoke_and_the_clear(self, sandbox: SandboxKiwoom, pair: Any, until: Any, words: Any) -> None:
        one, other, token = pair
        sandbox.set_fault("slow", on="revoke", seconds=60)
        program = subprocess.Popen(
            [sys.executable, "-m", "tray_app.cli.main", *words],
            env={**os.environ, "PYTHONPATH": PYTHON_PATH},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until(lambda: sandbox.counts()["revoke"] == 1)
        program.send_signal(getattr(signal, "SIGKILL", signal.SIGTERM))
        program.wait()
        assert [worker.ask("get_token") for worker in (one, other)] == [None, None]
        assert run("get", "--no-issue").returncode == NO_TOKEN
        assert json.loads(run("status", "--json").stdout)["state"] == "unconfirmed"
        assert other.ask("ensure_token") not in {None, token}

    @pytest.mark.parametrize("words", [("clear", "--revoke"), ("refresh", "--rotate")])
    def test_an_answer_to_a_revoke_that_was_lost(self, sandbox: SandboxKiwoom, pair: Any, words: Any) -> None:
        one, other, token = pair
        sandbox.set_fault("lost-answer", on="revoke", times=1)
        assert run(*words).returncode != 0
        assert [worker.ask("get_token") for worker in (one, other)] == [None, None]
        fresh = other.ask("ensure_token")
        assert fresh not in {None, token}
        assert one.ask("get_token") == fresh

    def test_a_request_to_revoke_that_was_lost_costs_no_token(self, sandbox: SandboxKiwoom, pair: Any) -> None:
        one, other, token = pair
        sandbox.set_fault("drop", on="revoke", times=1)
        assert run("clear", "--revoke").returncode != 0
        assert run("verify").returncode == 0
        assert [worker.ask("get_token") for worker in (one, other)] == [token, token]
        assert sandbox.counts()["issue"] == 1


class TestStoreThatCannotBeWritten:
    def test_a_keyring_that_breaks(
        self, sandbox: SandboxKiwoom, start: Callable[..., Any], store_in: Callable[..., Any], tmp_path: Path
    ) -> None:
        store_in("keyring")
        one, other = start(2)
        token = one.ask("ensure_token")
        assert other.ask("get_token") == token
        sandbox.end_tokens()
        (tmp_path / "keyring.json.broken").touch()
        assert one.ask("replace_refused", token) != token
        assert other.ask("get_token") != token
        (tmp_path / "keyring.json.broken").unlink()
        assert other.ask("get_token") != token
        assert one.ask("ensure_token") not in {None, token}

    def test_a_folder_where_nothing_can_be_deleted(
        self, sandbox: SandboxKiwoom, start: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")
        one, other = start(2)
        token = one.ask("ensure_token")
        assert other.ask("get_token") == token
        sandbox.end_tokens()
        code = """
from tray_app.core.errors import StoreError
from tray_app.stores.file import FileStore
def refuse(*_):
    raise StoreError("Nothing can be deleted here.")
FileStore.clear = FileStore.write = refuse
from tray_app import TokenManager
print(TokenManager().verify())
"""
        assert run(code=code).stdout.strip() == "False"
        assert [worker.ask("get_token") for worker in (one, other)] == [None, None]
        assert run("get", "--no-issue").returncode == NO_TOKEN
        assert json.loads(run("status", "--json").stdout)["state"] == "dead"
        assert other.ask("ensure_token") not in {None, token}


@pytest.mark.parametrize("store", ["file"], indirect=True)
class TestOtherTools:
    """Another tool has got a newer token with the same keys, which ended ours."""

    @pytest.fixture(autouse=True)
    def shared(self, private_places: Path, tmp_path: Path) -> None:
        settings = private_places / "places" / "settings" / "settings.toml"
        settings.parent.mkdir(parents=True)
        path = json.dumps(str(tmp_path / "bot.json"))
        settings.write_text(f"share_kwcli = true\nshare_bot_file = {path}\n", encoding="utf-8")

    def test_in_kiwoomclis_cache(self, sandbox: SandboxKiwoom, pair: Any) -> None:
        one, other, _ = pair
        theirs = sandbox.issue_elsewhere()
        write_cache(theirs)
        assert other.ask("ensure_token") == theirs
        assert one.ask("get_token") == theirs
        assert sandbox.counts()["issue"] == 1
        assert json.loads(run("status", "--json").stdout)["verified_at"]

    def test_dead_in_kiwoomclis_cache_with_nothing_stored_here(self, sandbox: SandboxKiwoom, pair: Any) -> None:
        one, other, token = pair
        path = Path(cache_path("real", None))
        cached = path.read_text()
        run("clear")
        sandbox.end_tokens()
        path.write_text(cached)
        fresh = other.ask("ensure_token")
        assert fresh not in {None, token}
        assert one.ask("get_token") == fresh

    def test_in_kiwoomclis_cache_but_dead_as_well(self, sandbox: SandboxKiwoom, pair: Any) -> None:
        one, other, token = pair
        theirs = sandbox.issue_elsewhere()
        write_cache(theirs)
        sandbox.end_tokens()
        fresh = other.ask("ensure_token")
        assert fresh not in {None, token, theirs}
        assert one.ask("get_token") == fresh

    def test_in_the_bots_file(self, sandbox: SandboxKiwoom, pair: Any, tmp_path: Path) -> None:
        """Nobody knows with which keys a bot got its token: ours is asked about, and issued anew when it is dead."""
        one, other, _ = pair
        theirs = sandbox.issue_elsewhere()
        write_bot_file(tmp_path / "bot.json", theirs)
        assert other.ask("ensure_token") == theirs, "Kiwoom gives the account's one token"
        assert one.ask("get_token") == theirs

    @pytest.mark.parametrize("where", ["kiwoomcli", "bot"])
    def test_whoever_looks_first_is_not_given_the_dead_one(
        self, sandbox: SandboxKiwoom, pair: Any, tmp_path: Path, where: str
    ) -> None:
        one, other, token = pair
        theirs = sandbox.issue_elsewhere()
        write_cache(theirs) if where == "kiwoomcli" else write_bot_file(tmp_path / "bot.json", theirs)
        assert json.loads(run("status", "--json").stdout)["state"] == "unconfirmed"
        assert run("get", "--no-issue").stdout.strip() in {"", theirs}
        assert other.ask("get_valid_token") == theirs
        assert token not in {one.ask("get_token"), run("get").stdout.strip()}

    @pytest.mark.parametrize("where", ["kiwoomcli", "bot"])
    def test_watch_notices_it_by_itself(
        self, sandbox: SandboxKiwoom, pair: Any, tmp_path: Path, until: Any, where: str
    ) -> None:
        one, _, _ = pair
        watch = subprocess.Popen(
            [sys.executable, "-m", "tray_app.cli.main", "watch"],
            env={**os.environ, "PYTHONPATH": PYTHON_PATH},
            stdout=subprocess.PIPE,
        )
        try:
            watch.stdout.readline()  # it knows the token
            theirs = sandbox.issue_elsewhere()
            write_cache(theirs) if where == "kiwoomcli" else write_bot_file(tmp_path / "bot.json", theirs)
            until(lambda: one.ask("get_token") == theirs)
        finally:
            watch.terminate()
            watch.communicate()
        assert sandbox.counts()["issue"] == (1 if where == "kiwoomcli" else 2)

    def test_of_another_account_in_the_bots_file_costs_one_question(
        self, sandbox: SandboxKiwoom, pair: Any, tmp_path: Path
    ) -> None:
        one, other, token = pair
        write_bot_file(tmp_path / "bot.json", "a-token-of-another-account")
        assert [other.ask("ensure_token"), one.ask("ensure_token")] == [token, token]
        assert sandbox.counts() == {"issue": 1, "revoke": 0, "rest": 1}


def write_cache(text: Any) -> None:
    """As `kiwoomcli` does after it has issued a token."""
    keys = clean_keys(SANDBOX_APP_KEY, SANDBOX_APP_SECRET)
    token = token_for(text, 86400, time.time() + 1)
    path = Path(cache_path("real", None))
    present = json.loads(path.read_text())
    present |= {"access_token": text, "expires_at": token.expires_at.isoformat()}
    present |= {"saved_at": token.created_at.isoformat(), "credential_fingerprint": keys.fingerprint()}
    path.write_text(json.dumps(present))


def write_bot_file(path: Path, text: Any) -> None:
    token = token_for(text, 86400, time.time())
    path.write_text(json.dumps({"token": text, "expires_dt": format_expires_dt(token.expires_at)}))
    ahead = time.time() + 1
    os.utime(path, (ahead, ahead))
