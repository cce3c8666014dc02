from __future__ import annotations

import base64
import http.client
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from tests import ROOT
from tray_app.core.errors import InvalidInput
from tray_app.core.language import use
from tray_app.core.token import parse_expires_dt
from tray_app.kiwoom.sandbox import FAULTS, SANDBOX_APP_KEY, SANDBOX_APP_SECRET, SandboxKiwoom, serve

NOW = datetime(2025, 3, 4, 5, 6, 7, 500_000, tzinfo=timezone.utc).timestamp()


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def kiwoom(clock: Clock) -> Iterator[SandboxKiwoom]:
    with SandboxKiwoom(clock=clock) as sandbox:
        yield sandbox


def ask(sandbox: SandboxKiwoom, method: Any, path: Any, fields: Any = None, **headers: Any) -> Any:
    """One request over a connection of its own: status, headers and the JSON of the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", sandbox.port, timeout=10)
    try:
        body = None if fields is None else json.dumps(fields)
        connection.request(method, path, body, {"Content-Type": "application/json;charset=UTF-8", **headers})
        response = connection.getresponse()
        content = response.read()
        assert response.headers["Date"]
        return response.status, response.headers, json.loads(content) if content.startswith(b"{") else content
    finally:
        connection.close()


def issue(
    sandbox: SandboxKiwoom,
    key: Any = SANDBOX_APP_KEY,
    secret: Any = SANDBOX_APP_SECRET,
    grant_type: str = "client_credentials",
) -> Any:
    fields = {"grant_type": grant_type, "appkey": key, "secretkey": secret}
    status, _, answer = ask(sandbox, "POST", "/oauth2/token", fields)
    assert status == 200
    return answer


def revoke(sandbox: SandboxKiwoom, token: str, key: Any = SANDBOX_APP_KEY, secret: Any = SANDBOX_APP_SECRET) -> Any:
    return ask(sandbox, "POST", "/oauth2/revoke", {"appkey": key, "secretkey": secret, "token": token})[2]


def rest(sandbox: SandboxKiwoom, token: str) -> Any:
    headers = {"authorization": f"Bearer {token}", "api-id": "ka10001"}
    return ask(sandbox, "POST", "/api/dostk/stkinfo", {"stk_cd": "005930"}, **headers)[2]


def account_number(sandbox: SandboxKiwoom, token: str) -> Any:
    headers = {"authorization": f"Bearer {token}", "api-id": "ka00001"}
    return ask(sandbox, "POST", "/api/dostk/acnt", {}, **headers)[2]


def refused_with(code: Any, answer: Any) -> Any:
    return answer["return_code"] != 0 and f"[{code}:" in answer["return_msg"] and "token" not in answer


def test_an_issue_answers_in_kiwooms_form(kiwoom: SandboxKiwoom) -> None:
    answer = issue(kiwoom)
    assert set(answer) == {"expires_dt", "token_type", "token", "return_code", "return_msg"}
    assert re.fullmatch(r"[A-Za-z0-9_-]{86}", answer["token"])
    assert len(base64.urlsafe_b64decode(answer["token"] + "==")) == 64
    assert (answer["return_code"], answer["token_type"]) == (0, "bearer")


def test_the_account_number_is_told_for_a_valid_token_only(kiwoom: SandboxKiwoom) -> None:
    token = issue(kiwoom)["token"]
    answer = account_number(kiwoom, token)
    assert set(answer) == {"acctNo", "return_code", "return_msg"}
    assert answer["return_code"] == 0
    kiwoom.end_tokens()
    assert refused_with("8005", account_number(kiwoom, token))
    assert kiwoom.counts()["rest"] == 2


def test_expires_dt_is_korean_time_and_the_token_is_valid_until_then(kiwoom: SandboxKiwoom, clock: Clock) -> None:
    answer = issue(kiwoom)
    # 05:06:07.5 UTC is 14:06:07.5 in Korea; a day later, rounded up to whole seconds.
    assert answer["expires_dt"] == "20250305140608"
    expires = parse_expires_dt(answer["expires_dt"]).timestamp()
    clock.now = expires - 0.001
    assert rest(kiwoom, answer["token"])["return_code"] == 0
    clock.now = expires
    assert refused_with("8005", rest(kiwoom, answer["token"]))


def test_a_second_issue_returns_the_same_token_with_the_same_expiry(kiwoom: SandboxKiwoom, clock: Clock) -> None:
    first = issue(kiwoom)
    clock.now += 3600
    assert issue(kiwoom) == first
    assert issue(kiwoom, key="another")["token"] != first["token"]


def test_after_its_expiry_another_token_is_issued(kiwoom: SandboxKiwoom, clock: Clock) -> None:
    first = issue(kiwoom)
    clock.now += 86401
    assert issue(kiwoom)["token"] != first["token"]


def test_a_revoke_makes_the_token_invalid_and_the_next_issue_returns_another(kiwoom: SandboxKiwoom) -> None:
    token = issue(kiwoom)["token"]
    assert revoke(kiwoom, token) == {"return_code": 0, "return_msg": "정상적으로 처리되었습니다"}
    assert refused_with("8005", rest(kiwoom, token))
    assert refused_with("8005", revoke(kiwoom, token))
    assert issue(kiwoom)["token"] != token


def test_a_token_of_another_key_is_not_revoked(kiwoom: SandboxKiwoom) -> None:
    token = issue(kiwoom)["token"]
    assert refused_with("8005", revoke(kiwoom, token, key="another"))
    assert rest(kiwoom, token)["return_code"] == 0


def test_the_first_secret_of_a_key_is_its_secret(kiwoom: SandboxKiwoom) -> None:
    token = issue(kiwoom, "key", "secret")["token"]
    assert refused_with("8001", issue(kiwoom, "key", "other"))
    assert refused_with("8002", revoke(kiwoom, token, "key", "other"))
    assert issue(kiwoom, "key", "secret")["token"] == token


def test_a_key_that_starts_with_wrong_is_always_refused(kiwoom: SandboxKiwoom) -> None:
    assert refused_with("8001", issue(kiwoom, "wrong-key"))


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, "8011"),
        ({"grant_type": "password"}, "8012"),
        ({"grant_type": "client_credentials", "appkey": "a"}, "8020"),
        ({"grant_type": "client_credentials", "appkey": "", "secretkey": "b"}, "8020"),
        ({"grant_type": "client_credentials", "appkey": 1, "secretkey": []}, "8020"),
    ],
)
def test_what_is_missing_is_named(
    kiwoom: SandboxKiwoom, fields: dict[Any, Any] | dict[str, int | list[Any] | str] | dict[str, str], code: str
) -> None:
    assert refused_with(code, ask(kiwoom, "POST", "/oauth2/token", fields)[2])


def test_the_lifetime_counts_from_the_next_issue_on(kiwoom: SandboxKiwoom, clock: Clock) -> None:
    first = issue(kiwoom)
    assert ask(kiwoom, "PUT", "/practice/lifetime", {"seconds": 60})[0] == 200
    assert issue(kiwoom) == first
    revoke(kiwoom, first["token"])
    expires = parse_expires_dt(issue(kiwoom)["expires_dt"]).timestamp()
    assert 60 <= expires - clock.now < 61


def test_every_token_can_be_made_invalid(kiwoom: SandboxKiwoom) -> None:
    token = issue(kiwoom)["token"]
    assert ask(kiwoom, "POST", "/practice/end")[0] == 200
    assert refused_with("8005", rest(kiwoom, token))
    assert issue(kiwoom)["token"] != token


def test_a_connection_stays_open_for_several_requests(kiwoom: SandboxKiwoom) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", kiwoom.port, timeout=10)
    for _ in range(3):
        connection.request("GET", "/practice/requests")
        connection.getresponse().read()
        assert connection.sock is not None
    connection.close()


def test_requests_are_counted_and_listed_without_tokens_or_keys(kiwoom: SandboxKiwoom) -> None:
    token = issue(kiwoom)["token"]
    issue(kiwoom)
    kiwoom.set_fault("echo", times=1, on="revoke")
    revoke(kiwoom, token)
    revoke(kiwoom, token)
    rest(kiwoom, token)
    _, _, told = ask(kiwoom, "GET", "/practice/requests")
    assert {name: told[name] for name in ("issue", "revoke", "rest")} == {"issue": 2, "revoke": 2, "rest": 1}
    outcomes = [(each["kind"], each["outcome"]) for each in told["outcomes"]]
    assert outcomes == [
        ("issue", "new"),
        ("issue", "same"),
        ("revoke", "fault echo"),
        ("revoke", "revoked"),
        ("rest", "refused 8005"),
    ]
    assert told["outcomes"][0]["at"] == "2025-03-04T05:06:07.500000+00:00"
    assert not any(text in json.dumps(told) for text in (token, SANDBOX_APP_KEY, SANDBOX_APP_SECRET))


@pytest.mark.parametrize("code", sorted(name for name in FAULTS if name.isdigit()))
def test_every_code_of_kiwoom_is_there_on_demand(kiwoom: SandboxKiwoom, code: str) -> None:
    kiwoom.set_fault(code)
    for answer in (issue(kiwoom), revoke(kiwoom, "x"), rest(kiwoom, "x")):
        assert refused_with(code, answer)


def test_a_fault_happens_as_often_and_where_it_was_asked_for(kiwoom: SandboxKiwoom) -> None:
    assert ask(kiwoom, "PUT", "/practice/fault", {"name": "8030", "times": 2, "on": "issue"})[0] == 200
    assert refused_with("8005", rest(kiwoom, "x"))
    assert [refused_with("8030", issue(kiwoom)) for _ in range(3)] == [True, True, False]


def test_faults_are_cleared(kiwoom: SandboxKiwoom) -> None:
    kiwoom.set_fault("8030")
    kiwoom.set_fault("8050", on="issue")
    assert refused_with("8050", issue(kiwoom))
    assert ask(kiwoom, "DELETE", "/practice/fault")[0] == 200
    assert issue(kiwoom)["return_code"] == 0


def test_a_fault_of_the_issue_leaves_other_requests_and_its_count_alone(kiwoom: SandboxKiwoom) -> None:
    kiwoom.set_fault("no-token", times=1)
    assert refused_with("8005", rest(kiwoom, "x"))
    assert "token" not in issue(kiwoom)
    assert "token" in issue(kiwoom)


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/practice/fault", {"name": "no such"}),
        ("/practice/fault", {"name": ["8030"]}),
        ("/practice/fault", {"name": "8030", "times": 0}),
        ("/practice/fault", {"name": "8030", "times": True}),
        ("/practice/fault", {"name": "8030", "on": "all"}),
        ("/practice/fault", {"name": "8030", "on": ["issue"]}),
        ("/practice/fault", {"name": "slow", "seconds": -1}),
        ("/practice/fault", {"name": "slow", "seconds": "1"}),
        ("/practice/fault", {"name": "8030", "what": 1}),
        ("/practice/fault", {"times": 1}),
        ("/practice/lifetime", {"seconds": 0}),
        ("/practice/lifetime", {"seconds": None}),
        ("/practice/lifetime", {}),
        ("/practice/delay", {"seconds": -1}),
    ],
)
def test_an_order_that_makes_no_sense_is_refused(kiwoom: SandboxKiwoom, path: str, fields: Any) -> None:
    status, _, answer = ask(kiwoom, "PUT", path, fields)
    assert status == 400
    assert answer["error"]
    assert issue(kiwoom)["return_code"] == 0


def test_unknown_paths_and_methods_are_refused(kiwoom: SandboxKiwoom) -> None:
    assert ask(kiwoom, "POST", "/oauth2/nothing", {})[0] == 404
    assert ask(kiwoom, "PUT", "/practice/nothing", {})[0] == 404
    assert ask(kiwoom, "DELETE", "/oauth2/token")[0] == 404
    assert ask(kiwoom, "GET", "/oauth2/token")[0] == 404
    assert ask(kiwoom, "PATCH", "/oauth2/token")[0] == 501


def test_a_body_that_is_too_large_or_of_unknown_length_is_refused(kiwoom: SandboxKiwoom) -> None:
    for header, status in (("Content-Length: 99999999", 413), ("Transfer-Encoding: chunked", 411)):
        with socket.create_connection(("127.0.0.1", kiwoom.port), timeout=10) as connection:
            connection.sendall(f"POST /oauth2/token HTTP/1.1\r\nHost: x\r\n{header}\r\n\r\n".encode())
            assert connection.recv(100).startswith(f"HTTP/1.1 {status} ".encode())


@pytest.mark.parametrize(
    ("name", "status", "start"),
    [
        ("http-429", 429, b""),
        ("http-500", 500, b""),
        ("http-503", 503, b""),
        ("redirect", 302, b""),
        ("html", 200, b"<!DOCTYPE html>"),
        ("empty", 200, b""),
    ],
)
def test_answers_that_are_not_kiwooms_json(kiwoom: SandboxKiwoom, name: str, status: int, start: bytes) -> None:
    kiwoom.set_fault(name, seconds=7)
    got, headers, content = ask(kiwoom, "POST", "/oauth2/token", {})
    assert got == status
    assert content.startswith(start)
    assert headers["Retry-After"] == ("7" if name == "http-429" else None)
    assert headers["Location"] == ("/" if name == "redirect" else None)


def test_broken_json(kiwoom: SandboxKiwoom) -> None:
    kiwoom.set_fault("garbage")
    with pytest.raises(json.JSONDecodeError):
        issue(kiwoom)


def test_answers_with_a_field_that_is_missing_or_wrong(kiwoom: SandboxKiwoom) -> None:
    kiwoom.set_fault("no-return-code", times=1)
    assert "return_code" not in issue(kiwoom)
    kiwoom.set_fault("string-code", times=1)
    assert issue(kiwoom)["return_code"] == "0"
    kiwoom.set_fault("bad-expiry", times=1)
    assert not issue(kiwoom)["expires_dt"].isdigit()
    kiwoom.set_fault("past-expiry", times=1)
    assert issue(kiwoom)["expires_dt"] < "2025"
    kiwoom.set_fault("code-style", times=1)
    assert "CODE=8005" in issue(kiwoom)["return_msg"]


def test_a_new_token_while_the_old_one_stays_valid(kiwoom: SandboxKiwoom) -> None:
    old = issue(kiwoom)["token"]
    kiwoom.set_fault("new-token", times=1)
    new = issue(kiwoom)["token"]
    assert new != old
    assert [rest(kiwoom, each)["return_code"] for each in (old, new)] == [0, 0]
    assert issue(kiwoom)["token"] == new


def test_a_new_token_that_kills_the_old_one(kiwoom: SandboxKiwoom) -> None:
    old = issue(kiwoom)["token"]
    kiwoom.set_fault("kills-old", times=1)
    new = issue(kiwoom)["token"]
    assert [rest(kiwoom, each)["return_code"] for each in (old, new)] == [3, 0]


class TestBehaviour:
    """What the real Kiwoom has been seen to do, or may do, other than the sandbox by default."""

    @pytest.fixture
    def token(self, kiwoom: SandboxKiwoom) -> str:
        return issue(kiwoom)["token"]

    @pytest.mark.parametrize(
        ("reissue", "old_code", "is_same"), [("same", 0, True), ("new", 0, False), ("replace", 3, False)]
    )
    def test_a_second_issue(
        self, kiwoom: SandboxKiwoom, token: str, *, reissue: str, old_code: int, is_same: bool
    ) -> None:
        kiwoom.behaviour.reissue = reissue  # type: ignore[assignment]
        second = issue(kiwoom)["token"]
        assert (second == token) is is_same
        assert rest(kiwoom, token)["return_code"] == old_code
        assert rest(kiwoom, second)["return_code"] == 0

    def test_a_token_that_another_computer_revoked(self, kiwoom: SandboxKiwoom, token: str) -> None:
        other = issue(kiwoom, key="another")["token"]
        kiwoom.revoke_elsewhere(token)
        assert refused_with("8005", rest(kiwoom, token))
        assert rest(kiwoom, other)["return_code"] == 0
        assert issue(kiwoom)["token"] != token

    def test_a_token_that_another_program_replaced(self, kiwoom: SandboxKiwoom, token: str) -> None:
        theirs = kiwoom.issue_elsewhere()
        assert refused_with("8005", rest(kiwoom, token))
        assert rest(kiwoom, theirs)["return_code"] == 0
        assert issue(kiwoom)["token"] == theirs
        assert kiwoom.counts()["issue"] == 2, "another program's request does not count"

    def test_a_dead_token_by_its_http_status(self, kiwoom: SandboxKiwoom) -> None:
        kiwoom.behaviour.dead_token_status = 401
        headers = {"authorization": "Bearer x"}
        for path in ("/api/dostk/stkinfo", "/api/dostk/acnt"):
            status, _, content = ask(kiwoom, "POST", path, {}, **headers)
            assert (status, content) == (401, b"")

    def test_the_code_for_revoking_a_dead_token(self, kiwoom: SandboxKiwoom, token: str) -> None:
        kiwoom.behaviour.dead_revoke_code = "8015"
        assert refused_with("8015", revoke(kiwoom, "x"))
        assert revoke(kiwoom, token)["return_code"] == 0
        assert refused_with("8015", revoke(kiwoom, token))

    def test_a_revoke_that_is_confirmed_in_vain(self, kiwoom: SandboxKiwoom, token: str) -> None:
        kiwoom.behaviour.ignores_revoke = True
        assert revoke(kiwoom, token)["return_code"] == 0
        assert rest(kiwoom, token)["return_code"] == 0
        assert issue(kiwoom)["token"] == token

    def test_a_token_that_outlives_its_expiry(self, kiwoom: SandboxKiwoom, clock: Clock) -> None:
        kiwoom.behaviour.outlives_seconds = 0.9
        first = issue(kiwoom)
        expires = parse_expires_dt(first["expires_dt"]).timestamp()
        clock.now = expires + 0.5
        assert rest(kiwoom, first["token"])["return_code"] == 0
        assert issue(kiwoom) == first
        clock.now = expires + 0.9
        assert refused_with("8005", rest(kiwoom, first["token"]))
        assert issue(kiwoom)["token"] != first["token"]

    def test_a_clock_that_is_off(self, kiwoom: SandboxKiwoom) -> None:
        kiwoom.behaviour.clock_offset = 3600
        _, headers, answer = ask(
            kiwoom,
            "POST",
            "/oauth2/token",
            {"grant_type": "client_credentials", "appkey": SANDBOX_APP_KEY, "secretkey": SANDBOX_APP_SECRET},
        )
        assert headers["Date"] == "Tue, 04 Mar 2025 06:06:07 GMT"
        assert answer["expires_dt"] == "20250305150608"
        assert rest(kiwoom, answer["token"])["return_code"] == 0

    def test_an_answer_that_is_lost_after_the_request_was_carried_out(self, kiwoom: SandboxKiwoom, token: str) -> None:
        kiwoom.set_fault("lost-answer", times=1)
        with pytest.raises(http.client.RemoteDisconnected):
            revoke(kiwoom, token)
        assert refused_with("8005", rest(kiwoom, token))
        assert [each["outcome"] for each in kiwoom.outcomes()][1] == "revoked lost-answer"


def test_a_date_header_that_is_off(kiwoom: SandboxKiwoom, clock: Clock) -> None:
    kiwoom.set_fault("skew", seconds=-120)
    _, headers, _ = ask(kiwoom, "POST", "/oauth2/token", {})
    assert headers["Date"] == "Tue, 04 Mar 2025 05:04:07 GMT"


def test_a_connection_that_is_dropped(kiwoom: SandboxKiwoom) -> None:
    kiwoom.set_fault("drop", times=1)
    with pytest.raises(http.client.RemoteDisconnected):
        issue(kiwoom)


def test_a_request_hangs_until_it_is_released(kiwoom: SandboxKiwoom) -> None:
    kiwoom.set_fault("hang")
    ended = threading.Event()

    def hang() -> None:
        with pytest.raises(http.client.RemoteDisconnected):
            issue(kiwoom)
        ended.set()

    threading.Thread(target=hang, daemon=True).start()
    assert not ended.wait(0.2)
    ask(kiwoom, "DELETE", "/practice/fault")
    assert ended.wait(20)


def test_slow_and_delayed_answers_come_late(kiwoom: SandboxKiwoom) -> None:
    ask(kiwoom, "PUT", "/practice/delay", {"seconds": 0.1})
    kiwoom.set_fault("slow", seconds=0.1, times=1)
    began = time.monotonic()
    assert issue(kiwoom)["return_code"] == 0
    assert time.monotonic() - began >= 0.2


def test_a_dripping_answer_is_whole_in_the_end(kiwoom: SandboxKiwoom) -> None:
    kiwoom.set_fault("drip", seconds=0)
    assert issue(kiwoom)["return_code"] == 0


@pytest.mark.parametrize("name", ["hang", "drip", "slow"])
def test_stop_does_not_wait_for_requests_that_are_stuck(name: str) -> None:
    before = set(threading.enumerate())
    sandbox = SandboxKiwoom()
    sandbox.start()
    sandbox.set_fault(name, seconds=60)
    connection = socket.create_connection(("127.0.0.1", sandbox.port), timeout=10)
    body = json.dumps({"grant_type": "client_credentials", "appkey": "a", "secretkey": "b"})
    connection.sendall(f"POST /oauth2/token HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
    while not sandbox.counts()["issue"]:
        time.sleep(0.01)
    began = time.monotonic()
    sandbox.stop()
    sandbox.stop()
    assert time.monotonic() - began < 30
    for one in {one for one in threading.enumerate() if "request" in one.name} - before:
        one.join(30)
        assert not one.is_alive(), "it gave up on a request that is stuck"
    connection.close()


def test_the_port_is_free_again_after_stop(free_port: int) -> None:
    for _ in range(2):
        with SandboxKiwoom(free_port) as sandbox:
            assert sandbox.base_url == f"http://127.0.0.1:{free_port}"


def test_a_port_in_use_is_one_clear_sentence(kiwoom: SandboxKiwoom) -> None:
    with pytest.raises(InvalidInput, match=f"Port {kiwoom.port} .* in use") as caught:
        SandboxKiwoom(kiwoom.port)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_that_cannot_be_is_refused(port: int) -> None:
    with pytest.raises(InvalidInput):
        SandboxKiwoom(port)


@pytest.mark.parametrize("lifetime", [0, -1, float("nan"), float("inf"), 367 * 86400, True, "60"])
def test_a_lifetime_that_cannot_be_is_refused(lifetime: bool | float | str) -> None:
    with pytest.raises(InvalidInput):
        SandboxKiwoom(lifetime=lifetime)  # type: ignore[arg-type]


def test_many_at_once_get_one_token(kiwoom: SandboxKiwoom) -> None:
    tokens = []
    threads = [threading.Thread(target=lambda: tokens.append(issue(kiwoom)["token"])) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tokens) == 40
    assert len(set(tokens)) == 1


def test_nothing_is_written_to_the_terminal(kiwoom: SandboxKiwoom, capfd: pytest.CaptureFixture[str]) -> None:
    issue(kiwoom)
    ask(kiwoom, "GET", "/nothing")
    kiwoom.set_fault("drop", times=1)
    with pytest.raises(http.client.RemoteDisconnected):
        issue(kiwoom)
    assert capfd.readouterr() == ("", "")


def test_serve_names_the_environment_and_ends_when_it_is_told_to() -> None:
    program = (
        "from tray_app.kiwoom.sandbox import serve\n"
        "serve(0, 3600, lambda line: print(line, flush=True))\n"
        "print('ended')\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", program],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    lines = [process.stdout.readline().rstrip("\n") for _ in range(6)]
    process.terminate()
    rest_of_output, complaints = process.communicate(timeout=60)
    assert re.fullmatch(r"KIWOOM_TRAY_BASE_URL=http://127\.0\.0\.1:\d+", lines[0])
    assert lines[1:3] == ["APP_KEY=practice-app-key", "APP_SECRET=practice-app-secret"]
    assert all(line.startswith("# ") for line in lines[3:])
    assert "KIWOOM_TRAY_DATA_DIR" in lines[-1]
    assert complaints == ""
    if os.name == "posix":
        assert (process.returncode, rest_of_output) == (0, "ended\n")


def test_serve_explains_itself_in_the_language_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    monkeypatch.setattr(SandboxKiwoom, "serve_forever", lambda _: None)
    use("ko")
    serve(0, 3600, lines.append)
    assert all(re.match("# .*[가-힣]", line) for line in lines[3:])
    assert "--sandbox" in lines[-1]


def test_serve_tells_that_the_port_is_in_use(kiwoom: SandboxKiwoom) -> None:
    lines: list[str] = []
    with pytest.raises(InvalidInput):
        serve(kiwoom.port, 60, lines.append)
    assert lines == []


def test_a_token_expires_a_day_later_in_whole_seconds() -> None:
    with SandboxKiwoom() as sandbox:
        expires = parse_expires_dt(issue(sandbox)["expires_dt"])
    left = expires - datetime.now(timezone.utc)
    assert timedelta(seconds=86395) < left <= timedelta(seconds=86401)


@pytest.mark.parametrize(
    ("method", "path", "fields"),
    [
        ("POST", "/practice/end", {}),
        ("POST", "/oauth2/token", {"grant_type": "client_credentials", "appkey": "a-key", "secretkey": "a-secret"}),
        ("PUT", "/practice/fault", {"name": "hang"}),
        ("DELETE", "/practice/fault", None),
    ],
)
def test_a_page_in_a_browser_changes_nothing(kiwoom: SandboxKiwoom, method: str, path: str, fields: Any) -> None:
    before = kiwoom.counts()
    status, _, _ = ask(kiwoom, method, path, fields, Origin="https://a-page.example")
    assert status == 403
    assert kiwoom.counts() == before
