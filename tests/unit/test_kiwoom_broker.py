from __future__ import annotations

import contextlib
import errno
import gzip
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from typing import Any

import httpx
import pytest

from tests import ROOT
from tests.answers import Answers
from tests.threads import no_more_threads
from tray_app.core import errors
from tray_app.core.errors import (
    BrokerError,
    BrokerUnavailable,
    KeysRefused,
    KiwoomTokenError,
    RateLimited,
    Remedy,
    RequestRefused,
    RevokeFailed,
    SettingsError,
    TokenRefused,
    UnknownFailure,
)
from tray_app.core.secret import Secret
from tray_app.core.token import parse_expires_dt
from tray_app.kiwoom.broker import TIMEOUT_SECONDS, Broker, Liveness
from tray_app.kiwoom.http_headers import decoded
from tray_app.kiwoom.keys import AppKeys, clean_keys
from tray_app.kiwoom.sandbox import FAULTS, SandboxKiwoom
from tray_app.stores.lock import DEFAULT_TIMEOUT_SECONDS

APP_KEY = "APPKEY-that-nobody-may-see"
APP_SECRET = "APPSECRET-that-nobody-may-see"
TOKEN = "TOKEN-that-nobody-may-see"
ACCOUNT = "8012345611"
KEYS = clean_keys(APP_KEY, APP_SECRET)
NOW = datetime(2025, 3, 4, 5, 6, 7, tzinfo=timezone.utc).timestamp()
IN_A_DAY = "20250305140607"


@pytest.fixture(autouse=True)
def only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test here reach anything but this computer, whatever it tries."""
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def guarded_connect(self: Any, address: Any) -> Any:
        assert address[0] in {"127.0.0.1", "::1"}, "a test reached out of this computer"
        return connect(self, address)

    def guarded_look_up(host: Any, *args: Any, **kwargs: Any) -> Any:
        assert host in {"127.0.0.1", "localhost", "::1"}, "a test looked up a name"
        return look_up(host, *args, **kwargs)

    monkeypatch.setattr(socket.socket, "connect", guarded_connect)
    monkeypatch.setattr(socket, "getaddrinfo", guarded_look_up)


@pytest.fixture
def kiwoom() -> Iterator[SandboxKiwoom]:
    with SandboxKiwoom() as sandbox:
        yield sandbox


@pytest.fixture
def broker(kiwoom: SandboxKiwoom) -> Broker:
    return Broker(kiwoom.base_url)


@pytest.fixture(scope="module")
def other_process() -> Iterator[Any]:
    """The base URL of a sandbox Kiwoom that runs in another process."""
    program = "from tray_app.kiwoom.sandbox import serve; serve(0, 86400, lambda line: print(line, flush=True))"
    process = subprocess.Popen(
        [sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True
    )
    yield process.stdout.readline().strip().partition("=")[2]
    process.terminate()
    process.communicate(timeout=60)


@pytest.fixture
def start_answering() -> Iterator[Callable[..., Any]]:
    with contextlib.ExitStack() as stop:

        def start(fields: Any, **how: Any) -> Any:
            content = fields if isinstance(fields, bytes) else json.dumps(fields, ensure_ascii=False).encode()
            return stop.enter_context(Answers(content, **how))

        yield start


@pytest.fixture
def answering(start_answering: Callable[..., Any]) -> Callable[..., Broker]:
    """Make brokers that always get the same answer."""

    def broker(fields: Any, clock: Callable[..., Any] = lambda: NOW, **how: Any) -> Broker:
        return Broker(start_answering(fields, **how).base_url, clock=clock)

    return broker


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses between requests, in seconds, none of which takes any time."""
    made: list[float] = []
    monkeypatch.setattr(time, "sleep", made.append)
    return made


def compressed(content: bytes, encoding: str) -> bytes:
    if encoding == "deflate":
        return zlib.compress(content)
    if encoding == "bare deflate":
        return zlib.compress(content, wbits=-15)
    for _ in range(encoding.lower().count("gzip")):
        content = gzip.compress(content)
    return content


def good(**changes: Any) -> dict[str, Any]:
    fields = {"expires_dt": IN_A_DAY, "token_type": "bearer", "token": TOKEN, "return_code": 0, "return_msg": "정상"}
    fields.update(changes)
    return {name: value for name, value in fields.items() if value is not ...}


def failure_of(call: Any, *args: Any) -> KiwoomTokenError:
    with pytest.raises(KiwoomTokenError) as caught:
        call(*args)
    assert_gives_nothing_away(caught.value)
    return caught.value


def assert_gives_nothing_away(error: Any) -> None:
    chain = []
    link = error
    while link is not None:
        chain.append(link)
        link = link.__cause__ or link.__context__
    assert chain == [error], "an exception whose frames hold the request hangs on"
    shown = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    shown += str(error) + repr(error) + repr(vars(error)) + repr(error.args)
    # The frame of a test holds its own plain texts; what the product shows is looked for after it.
    product = "".join(part for part in shown.split('  File "') if "tests/unit" not in part.replace("\\", "/"))
    for secret in (APP_KEY, APP_SECRET, TOKEN, ACCOUNT):
        assert secret not in product


class TestIssue:
    def test_returns_the_token_and_its_expiry(self, kiwoom: SandboxKiwoom, broker: Broker) -> None:
        # GIVEN a sandbox Kiwoom; WHEN a token is issued; THEN it is valid for a day.
        before = time.time()
        issued = broker.issue(KEYS)
        assert len(issued.token.value.reveal()) == 86
        assert before <= issued.token.created_at.timestamp() <= time.time()
        assert 86399 <= issued.token.expires - before <= 86402
        assert abs(issued.skew_seconds) < 5  # type: ignore[arg-type]

    def test_again_returns_the_same_token_and_expiry(self, broker: Broker) -> None:
        first, second = broker.issue(KEYS).token, broker.issue(KEYS).token
        assert (first.value, first.expires_at) == (second.value, second.expires_at)

    def test_works_against_another_process(self, other_process: Any) -> None:
        broker = Broker(other_process)
        token = broker.issue(KEYS).token
        broker.revoke(KEYS, token.value)
        assert broker.issue(KEYS).token.value != token.value

    def test_sends_what_the_guide_asks_for_and_nothing_else(self, start_answering: Callable[..., Any]) -> None:
        kiwoom = start_answering(good())
        broker = Broker(kiwoom.base_url + "/gateway/", clock=lambda: NOW)

        broker.issue(KEYS)
        broker.revoke(KEYS, Secret(TOKEN))

        (issue, issue_headers, issue_body), (revoke, revoke_headers, revoke_body) = kiwoom.asked
        assert issue == "POST /gateway/oauth2/token HTTP/1.1"
        assert revoke == "POST /gateway/oauth2/revoke HTTP/1.1"
        for headers in (issue_headers, revoke_headers):
            assert headers["Content-Type"] == "application/json;charset=UTF-8"
            assert "Authorization" not in headers
        assert issue_body == {"grant_type": "client_credentials", "appkey": APP_KEY, "secretkey": APP_SECRET}
        assert revoke_body == {"appkey": APP_KEY, "secretkey": APP_SECRET, "token": TOKEN}

    @pytest.mark.parametrize("changes", [{}, {"return_code": "0"}, {"return_code": ...}, {"token_type": "Bearer"}])
    def test_a_good_answer_in_any_of_its_forms(self, answering: Callable[..., Broker], changes: Any) -> None:
        issued = answering(good(**changes)).issue(KEYS)
        assert issued.token.value.reveal() == TOKEN
        assert issued.token.expires_at == datetime(2025, 3, 5, 5, 6, 7, tzinfo=timezone.utc)
        assert issued.token.created_at == datetime(2025, 3, 4, 5, 6, 7, tzinfo=timezone.utc)
        assert issued.skew_seconds is None

    @pytest.mark.parametrize(
        "changes",
        [
            {"token": ...},
            {"token": ""},
            {"token": "  "},
            {"token": f"{TOKEN}\nX"},
            {"token": f"{TOKEN} X"},
            {"token": "토큰"},
            {"token": 12345},
            {"token": None},
            {"token": "x" * 5000},
            {"expires_dt": ...},
            {"expires_dt": ""},
            {"expires_dt": "내일"},
            {"expires_dt": "20250230000000"},
            {"expires_dt": "20250304140607"},
            {"expires_dt": "20990101000000"},
            {"expires_dt": 20250305140607},
        ],
    )
    def test_an_answer_without_a_usable_token_is_no_token(self, answering: Callable[..., Broker], changes: Any) -> None:
        error = failure_of(answering(good(**changes)).issue, KEYS)
        assert type(error) is BrokerUnavailable
        assert "no usable token" in str(error)

    def test_a_token_beside_a_failure_code_is_not_taken(self, answering: Callable[..., Broker]) -> None:
        assert type(failure_of(answering(good(return_code=3, return_msg="[8030:x]")).issue, KEYS)) is KeysRefused

    def test_a_token_in_a_server_error_is_not_taken(self, answering: Callable[..., Broker]) -> None:
        assert failure_of(answering(good(), status=500).issue, KEYS).code == "HTTP 500"

    @pytest.mark.parametrize("fields", [b"", b"[]", b"null", b"{", b"\xff\xfe", b"[" * 60000, {}, {"return_msg": "?"}])
    def test_an_answer_that_is_not_kiwooms(
        self, answering: Callable[..., Broker], fields: bytes | dict[Any, Any] | dict[str, str]
    ) -> None:
        assert type(failure_of(answering(fields).issue, KEYS)) is BrokerUnavailable

    def test_an_answer_that_is_too_large_is_not_read_to_its_end(self, answering: Callable[..., Broker]) -> None:
        assert type(failure_of(answering(good(padding="x" * 70000)).issue, KEYS)) is BrokerUnavailable

    @pytest.mark.parametrize(
        "encoding", ["gzip", "GZIP", "x-gzip", "deflate", "bare deflate", "gzip, gzip", "identity"]
    )
    def test_an_answer_that_a_gateway_compressed_is_read(self, answering: Callable[..., Broker], encoding: str) -> None:
        asked = answering(
            compressed(json.dumps(good()).encode(), encoding),
            headers=[("Content-Encoding", encoding.removeprefix("bare "))],
        )
        assert asked.issue(KEYS).token.value.reveal() == TOKEN

    def test_an_answer_that_is_not_compressed_as_it_says_is_read(self, answering: Callable[..., Broker]) -> None:
        asked = answering(good(), headers=[("Content-Encoding", "br")])
        assert asked.issue(KEYS).token.value.reveal() == TOKEN

    def test_a_refusal_that_a_gateway_compressed_is_the_refusal(self, answering: Callable[..., Broker]) -> None:
        content = compressed(json.dumps({"return_code": 3, "return_msg": "[8030:x]"}).encode(), "gzip")
        asked = answering(content, headers=[("Content-Encoding", "gzip")])
        assert failure_of(asked.issue, KEYS).code == "8030"
        assert failure_of(asked.revoke, KEYS, Secret(TOKEN)).code == "8030"

    @pytest.mark.parametrize(
        "content", [b"\x0b\x02\x80a brotli answer\x03", b"", gzip.compress(b"{" + b" " * 1_000_000 + b"}")]
    )
    def test_a_compressed_answer_that_cannot_be_read_names_the_gateway(
        self, answering: Callable[..., Broker], content: bytes
    ) -> None:
        asked = answering(content, headers=[("Content-Encoding", "br")])
        for error in (failure_of(asked.issue, KEYS), failure_of(asked.verify, Secret(TOKEN))):
            assert type(error) is BrokerUnavailable
            assert "compressed" in str(error)

    def test_no_more_is_unpacked_than_an_answer_may_have(self) -> None:
        many = zlib.compress(b"x" * 10_000_000)
        tracemalloc.start()
        try:
            assert decoded(many, "deflate", 1000) == b""
            assert tracemalloc.get_traced_memory()[1] < 1_000_000
        finally:
            tracemalloc.stop()
        assert decoded(zlib.compress(b"x" * 1000), "deflate", 1000) == b"x" * 1000

    def test_how_far_the_clocks_differ_is_measured(self, kiwoom: SandboxKiwoom, broker: Broker) -> None:
        kiwoom.set_fault("skew", seconds=120)
        assert 115 < broker.issue(KEYS).skew_seconds < 125  # type: ignore[operator]

    def test_a_clock_that_is_days_off_is_named_as_the_cause(self, answering: Callable[..., Broker]) -> None:
        headers = [("Date", "Tue, 04 Mar 2025 05:06:07 GMT")]
        error = failure_of(answering(good(), headers=headers, clock=lambda: NOW + 3 * 86400).issue, KEYS)
        assert type(error) is BrokerUnavailable
        assert "clock is 72 h 0 min off" in str(error)

    @pytest.mark.parametrize("late", [2, 29, 59, 60.75, -29, -59, -60])
    def test_a_clock_that_is_up_to_a_minute_off_moves_the_end(
        self, answering: Callable[..., Broker], *, late: float
    ) -> None:
        # GIVEN a token that ends in ten seconds by Kiwoom's clock, and a clock that is late or early.
        headers = [("Date", "Wed, 05 Mar 2025 05:05:57 GMT")]
        now = NOW + 86400 - 10 + late
        token = answering(good(), headers=headers, clock=lambda: now).issue(KEYS).token
        assert token.remaining(now) == 10
        assert token.created_at.timestamp() == now

    @pytest.mark.parametrize("late", [61, 89])
    def test_a_clock_that_is_more_than_a_minute_off_is_named(self, answering: Callable[..., Broker], late: int) -> None:
        headers = [("Date", "Wed, 05 Mar 2025 05:06:06 GMT")]
        error = failure_of(answering(good(), headers=headers, clock=lambda: NOW + 86400 - 1 + late).issue, KEYS)
        assert "clock is 1 min off" in str(error)

    def test_it_is_named_at_once_though_the_token_looks_as_if_it_had_just_ended(
        self, start_answering: Callable[..., Answers], waits: list[float]
    ) -> None:
        """To ask again for three seconds brings nothing where Kiwoom's own clock says that the token is valid."""
        kiwoom = start_answering(good(), headers=[("Date", "Wed, 05 Mar 2025 05:04:40 GMT")])
        error = failure_of(Broker(kiwoom.base_url, clock=lambda: NOW + 86400 + 1).issue, KEYS)
        assert "clock is 1 min off" in str(error)
        assert not waits

    @pytest.mark.parametrize("late", [0.5, 1, 4])
    def test_a_token_that_has_just_ended_is_asked_for_again(
        self, start_answering: Callable[..., Answers], waits: list[float], late: float
    ) -> None:
        ended, fresh = good(), good(token="another-token", expires_dt="20250307140607")
        kiwoom = start_answering(fresh, earlier=[json.dumps(ended).encode()] * 2)
        token = Broker(kiwoom.base_url, clock=lambda: NOW + 86400 + late).issue(KEYS).token
        assert token.value == Secret("another-token")
        assert 0 < sum(waits) <= 1

    def test_kiwoom_is_not_asked_for_ever_about_a_token_that_has_just_ended(
        self, answering: Callable[..., Broker], waits: list[float]
    ) -> None:
        error = failure_of(answering(good(), clock=lambda: NOW + 86400 + 1).issue, KEYS)
        assert "no usable token" in str(error)
        assert 2 < sum(waits) <= 3

    @pytest.mark.parametrize("zone", ["UTC", "Asia/Seoul", "America/New_York"])
    def test_expires_dt_is_korean_time_on_a_computer_in_any_zone(self, other_process: Any, zone: str) -> None:
        # GIVEN a process in another time zone; WHEN it issues; THEN the expiry is a day ahead, not nine hours off.
        program = (
            "import sys, time\n"
            "from tray_app.kiwoom.broker import Broker\n"
            "from tray_app.kiwoom.keys import clean_keys\n"
            "token = Broker(sys.argv[1]).issue(clean_keys(sys.argv[2], 'secret')).token\n"
            "print(time.strftime('%z'), token.expires - time.time())\n"
        )
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", program, other_process, f"key-{zone}"],
            env={**os.environ, "PYTHONPATH": str(ROOT), "TZ": zone},
            capture_output=True,
            text=True,
            check=True,
        )
        offset, left = done.stdout.split()
        if os.name == "posix":
            assert offset == {"UTC": "+0000", "Asia/Seoul": "+0900"}.get(zone, offset)
        assert 86390 < float(left) <= 86401


KEYS_ASKED = (KeysRefused, errors.KEYS, False, Remedy.ENTER_KEYS)
PORTAL = (KeysRefused, errors.KEYS, False, Remedy.OPEN_PORTAL)
LIMITED = (RateLimited, errors.KIWOOM_SILENT, True, Remedy.RETRY)
SILENT = (BrokerUnavailable, errors.KIWOOM_SILENT, True, Remedy.RETRY)
DEFECT = (BrokerError, errors.UNEXPECTED, False, Remedy.NONE)
NOT_REVOKED = (RevokeFailed, errors.UNEXPECTED, False, Remedy.NONE)

ISSUED = None
"""The fault does no harm: a token is issued all the same."""

EVERY_FAULT = {
    "1700": ("1700", *LIMITED),
    "1701": ("1701", *LIMITED),
    "1702": ("1702", *LIMITED),
    "1999": ("1999", *SILENT),
    "8001": ("8001", *KEYS_ASKED),
    "8002": ("8002", *KEYS_ASKED),
    "8003": ("8003", *SILENT),
    "8005": ("8005", TokenRefused, errors.NO_TOKEN, False, Remedy.NONE),
    "8006": ("8006", *SILENT),
    "8009": ("8009", *SILENT),
    "8010": ("8010", TokenRefused, errors.NO_TOKEN, False, Remedy.ROTATE),
    "8011": ("8011", *DEFECT),
    "8012": ("8012", *DEFECT),
    "8015": ("8015", *NOT_REVOKED),
    "8016": ("8016", *NOT_REVOKED),
    "8020": ("8020", *KEYS_ASKED),
    "8030": ("8030", KeysRefused, errors.KEYS, False, Remedy.SWITCH_MODE),
    "8031": ("8031", TokenRefused, errors.NO_TOKEN, False, Remedy.SWITCH_MODE),
    "8040": ("8040", *PORTAL),
    "8050": ("8050", *PORTAL),
    "8103": ("8103", RequestRefused, errors.NO_TOKEN, False, Remedy.OPEN_PORTAL),
    "8200": ("8200", RequestRefused, errors.NO_TOKEN, False, Remedy.NONE),
    "http-429": ("429", *LIMITED),
    "http-500": ("HTTP 500", *SILENT),
    "http-503": ("HTTP 503", *SILENT),
    "html": (None, *SILENT),
    "redirect": ("HTTP 302", *SILENT),
    "garbage": (None, *SILENT),
    "empty": (None, *SILENT),
    "drop": (None, *SILENT),
    "hang": (None, *SILENT),
    "drip": (None, *SILENT),
    "lost-answer": (None, *SILENT),
    "no-token": (None, *SILENT),
    "bad-expiry": (None, *SILENT),
    "past-expiry": (None, *SILENT),
    "code-style": ("8005", TokenRefused, errors.NO_TOKEN, False, Remedy.NONE),
    "echo": ("8001", *KEYS_ASKED),
    "slow": ISSUED,
    "no-return-code": ISSUED,
    "string-code": ISSUED,
    "new-token": ISSUED,
    "kills-old": ISSUED,
    "skew": ISSUED,
}


class TestFaults:
    def test_the_table_names_every_fault(self) -> None:
        assert set(EVERY_FAULT) == FAULTS

    @pytest.mark.parametrize("name", sorted(EVERY_FAULT))
    def test_an_issue_under_every_fault(self, kiwoom: SandboxKiwoom, name: str) -> None:
        # GIVEN a Kiwoom that fails; WHEN a token is issued; THEN the error tells a caller what it may do.
        broker = Broker(kiwoom.base_url, timeout=0.5 if name in {"hang", "drip"} else 10)
        kiwoom.set_fault(name, seconds=0.1)
        expected = EVERY_FAULT[name]
        if expected is ISSUED:
            assert len(broker.issue(KEYS).token.value.reveal()) == 86
            return
        error = failure_of(broker.issue, KEYS)
        assert (error.code, type(error), error.exit_status, error.retry, error.remedy) == expected

    @pytest.mark.parametrize("name", sorted(set(EVERY_FAULT) - {"hang", "drip"}))
    def test_a_revoke_under_every_fault_never_claims_more_than_kiwoom_said(
        self, kiwoom: SandboxKiwoom, broker: Broker, name: str
    ) -> None:
        token = broker.issue(KEYS).token.value
        kiwoom.set_fault(name, seconds=0.1)
        if name in {"slow", "string-code", "skew", "no-token", "bad-expiry", "past-expiry", "new-token", "kills-old"}:
            broker.revoke(KEYS, token)
            return
        error = failure_of(broker.revoke, KEYS, token)
        expected = (None, *NOT_REVOKED) if name == "no-return-code" else EVERY_FAULT[name]
        assert (error.code, type(error), error.exit_status, error.retry, error.remedy) == expected

    def test_the_waiting_time_that_kiwoom_asks_for_is_in_the_error(self, kiwoom: SandboxKiwoom, broker: Broker) -> None:
        kiwoom.set_fault("http-429", seconds=17)
        assert failure_of(broker.issue, KEYS).retry_after == 17.0

    @pytest.mark.parametrize("hours", [-2, 0, 2])
    def test_until_when_to_wait_is_by_kiwooms_clock(self, hours: int, start_answering: Callable[..., Any]) -> None:
        headers = [("Date", "Tue, 04 Mar 2025 05:06:07 GMT"), ("Retry-After", "Tue, 04 Mar 2025 05:06:37 GMT")]
        kiwoom = start_answering({"return_code": 5}, status=429, headers=headers)
        broker = Broker(kiwoom.base_url, clock=lambda: NOW + hours * 3600)
        assert failure_of(broker.issue, KEYS).retry_after == 30.0

    def test_a_redirect_is_not_followed(self, kiwoom: SandboxKiwoom, broker: Broker) -> None:
        kiwoom.set_fault("redirect")
        failure_of(broker.issue, KEYS)
        assert kiwoom.counts()["issue"] == 1

    def test_an_issue_whose_answer_is_lost_is_made_good_by_the_next_one(
        self, kiwoom: SandboxKiwoom, broker: Broker
    ) -> None:
        kiwoom.set_fault("lost-answer", times=1)
        failure_of(broker.issue, KEYS)
        assert broker.issue(KEYS).token
        assert [each["outcome"] for each in kiwoom.outcomes()] == ["new lost-answer", "same"]

    def test_another_secret_for_the_same_key_is_refused(self, broker: Broker) -> None:
        broker.issue(KEYS)
        assert failure_of(broker.issue, AppKeys(KEYS.app_key, Secret("another"))).code == "8001"


class TestRevoke:
    def test_makes_the_token_invalid(self, broker: Broker) -> None:
        token = broker.issue(KEYS).token
        broker.revoke(KEYS, token.value)
        assert broker.issue(KEYS).token.value != token.value

    @pytest.mark.parametrize(("code", "kind"), [("8005", TokenRefused), ("8015", RevokeFailed)])
    def test_of_a_dead_token_is_told_apart(
        self, kiwoom: SandboxKiwoom, broker: Broker, code: str, kind: type[RevokeFailed] | type[TokenRefused]
    ) -> None:
        kiwoom.behaviour.dead_revoke_code = code  # type: ignore[assignment]
        error = failure_of(broker.revoke, KEYS, Secret(TOKEN))
        assert (type(error), error.code) == (kind, code)

    @pytest.mark.parametrize("fields", [{}, {"return_msg": "정상적으로 처리되었습니다"}, {"return_code": None}])
    def test_without_a_return_code_is_a_failure(
        self, answering: Callable[..., Broker], fields: dict[Any, Any] | dict[str, None] | dict[str, str]
    ) -> None:
        assert type(failure_of(answering(fields).revoke, KEYS, Secret(TOKEN))) is RevokeFailed

    def test_with_the_code_only_in_the_message_says_that_code(self, answering: Callable[..., Broker]) -> None:
        assert failure_of(answering({"return_msg": "[8005:x]"}).revoke, KEYS, Secret(TOKEN)).code == "8005"

    @pytest.mark.parametrize("return_code", [False, "", "ok", 0.0, [], 20])
    def test_only_a_zero_is_success(
        self, answering: Callable[..., Broker], return_code: bool | float | list[Any] | str
    ) -> None:
        failure_of(answering({"return_code": return_code}).revoke, KEYS, Secret(TOKEN))

    def test_a_zero_in_a_server_error_is_no_success(self, answering: Callable[..., Broker]) -> None:
        assert failure_of(answering({"return_code": 0}, status=502).revoke, KEYS, Secret(TOKEN)).code == "HTTP 502"


class TestVerify:
    def test_of_a_token_that_works(self, kiwoom: SandboxKiwoom, broker: Broker) -> None:
        token = broker.issue(KEYS).token.value
        assert broker.verify(token) is Liveness.ALIVE
        assert kiwoom.outcomes()[-1]["outcome"] == "answered"

    @pytest.mark.parametrize("status", [200, 401])
    def test_of_a_token_that_was_revoked_elsewhere(self, kiwoom: SandboxKiwoom, broker: Broker, status: int) -> None:
        token = broker.issue(KEYS).token.value
        kiwoom.end_tokens()
        kiwoom.behaviour.dead_token_status = status  # type: ignore[assignment]
        assert broker.verify(token) is Liveness.DEAD

    def test_sends_what_the_guide_asks_for_and_no_key(self, start_answering: Callable[..., Any]) -> None:
        kiwoom = start_answering({"acctNo": ACCOUNT, "return_code": 0})
        assert Broker(kiwoom.base_url + "/gateway").verify(Secret(TOKEN)) is Liveness.ALIVE
        line, headers, body = kiwoom.asked[0]
        assert line == "POST /gateway/api/dostk/acnt HTTP/1.1"
        assert headers["Content-Type"] == "application/json;charset=UTF-8"
        assert headers["api-id"] == "ka00001"
        assert headers["authorization"] == f"Bearer {TOKEN}"
        assert body == {}

    @pytest.mark.parametrize(
        ("fields", "status", "expected"),
        [
            ({"return_code": 0}, 200, Liveness.ALIVE),
            ({"return_code": "0", "acctNo": "1"}, 200, Liveness.ALIVE),
            (
                {"return_code": 3, "return_msg": "인증 실패[8005:Token이 유효하지 않습니다]"},
                200,
                Liveness.DEAD,
            ),
            ({"return_code": 3, "return_msg": "CODE=8005"}, 200, Liveness.DEAD),
            ({"return_code": 3, "return_msg": "[8005:x]"}, 401, Liveness.DEAD),
            ({"return_code": 8005, "return_msg": "Token이 유효하지 않습니다"}, 200, Liveness.DEAD),
            ({"return_code": "8005"}, 401, Liveness.DEAD),
            (b"", 401, Liveness.DEAD),
            (b"<html>", 401, Liveness.DEAD),
            ({"return_code": 3, "return_msg": "인증에 실패했습니다"}, 401, Liveness.DEAD),
        ],
    )
    def test_in_any_form_of_the_answer(
        self,
        answering: Callable[..., Broker],
        fields: bytes | dict[str, int | str] | dict[str, int] | dict[str, str],
        status: int,
        expected: Liveness,
    ) -> None:
        assert answering(fields, status=status).verify(Secret(TOKEN)) is expected

    @pytest.mark.parametrize(
        ("fields", "status", "kind", "code"),
        [
            ({"return_code": 3, "return_msg": "[8010:x]"}, 200, TokenRefused, "8010"),
            ({"return_code": 3, "return_msg": "[8031:x]"}, 401, TokenRefused, "8031"),
            ({"return_code": 5, "return_msg": "[1700:x]"}, 200, RateLimited, "1700"),
            ({"return_code": 5, "return_msg": "[1700:x]"}, 401, RateLimited, "1700"),
            ({"return_code": 5, "return_msg": "허용된 요청 개수를 초과"}, 401, RateLimited, "5"),
            ({"return_code": 20}, 401, UnknownFailure, "20"),
            ({"return_code": 3, "return_msg": "인증"}, 200, UnknownFailure, "3"),
            ({"return_code": 0}, 500, BrokerUnavailable, "HTTP 500"),
            ({"return_code": 3, "return_msg": "[8005:x]"}, 502, BrokerUnavailable, "HTTP 502"),
            (b"", 429, RateLimited, "429"),
            (b"<html>", 200, BrokerUnavailable, None),
            (b"", 302, BrokerUnavailable, "HTTP 302"),
            (b"", 403, BrokerUnavailable, "HTTP 403"),
            ({"acctNo": "1"}, 200, BrokerUnavailable, None),
            ({}, 200, BrokerUnavailable, None),
        ],
    )
    def test_raises_when_the_answer_says_nothing_about_the_token(
        self,
        answering: Callable[..., Broker],
        *,
        fields: Any,
        status: int,
        kind: type[BrokerUnavailable] | type[RateLimited] | type[TokenRefused] | type[UnknownFailure],
        code: str | None,
    ) -> None:
        error = failure_of(answering(fields, status=status).verify, Secret(TOKEN))
        assert (type(error), error.code) == (kind, code)

    def test_raises_when_there_is_no_answer(self, kiwoom: SandboxKiwoom) -> None:
        kiwoom.set_fault("hang", on="rest")
        assert type(failure_of(Broker(kiwoom.base_url, timeout=0.3).verify, Secret(TOKEN))) is BrokerUnavailable

    def test_keeps_no_account_number(
        self, start_answering: Callable[..., Any], caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level("DEBUG")
        for fields in ({"acctNo": ACCOUNT, "return_code": 0}, {"acctNo": ACCOUNT, "return_code": 5}):
            broker = Broker(start_answering(fields).base_url)
            with contextlib.suppress(BrokerError):
                broker.verify(Secret(TOKEN))
            assert ACCOUNT not in repr(vars(broker))
        assert ACCOUNT not in caplog.text


class TestDeadline:
    @pytest.mark.parametrize("name", ["hang", "drip", "slow"])
    def test_bounds_the_whole_request(self, kiwoom: SandboxKiwoom, name: str) -> None:
        # GIVEN a server that sends a byte now and then, or none; THEN the caller is free after the deadline.
        kiwoom.set_fault(name, seconds=60 if name == "slow" else 0.2)  # 170 bytes drip for half a minute
        began = time.monotonic()
        error = failure_of(Broker(kiwoom.base_url, timeout=0.4).issue, KEYS)
        assert 0.35 < time.monotonic() - began < 20
        assert "does not answer" in str(error)

    def test_also_of_an_answer_whose_body_drips(self) -> None:
        def drip(server: Any) -> None:
            with server.accept()[0] as connection, contextlib.suppress(OSError):
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n")
                while True:
                    connection.sendall(b"x")
                    time.sleep(0.02)
            hung_up.set()

        hung_up = threading.Event()
        with socket.create_server(("127.0.0.1", 0)) as server:
            threading.Thread(target=drip, args=(server,), daemon=True).start()
            broker = Broker(f"http://127.0.0.1:{server.getsockname()[1]}", timeout=1.5)
            began = time.monotonic()
            failure_of(broker.issue, KEYS)
            assert time.monotonic() - began < 60  # and not 200
            assert hung_up.wait(20), "the connection stays open behind the caller's back"

    @pytest.mark.posix  # Windows wakes no thread that waits
    def test_an_interrupt_ends_the_request_too(self) -> None:
        """Another program may ask next, and this request would end the token that it gets."""

        def serve(server: Any) -> None:
            with server.accept()[0] as connection:
                connection.recv(4096)
                os.kill(os.getpid(), signal.SIGINT)
                while connection.recv(4096):
                    pass
            hung_up.set()

        hung_up = threading.Event()
        with socket.create_server(("127.0.0.1", 0)) as server:
            threading.Thread(target=serve, args=(server,), daemon=True).start()
            broker = Broker(f"http://127.0.0.1:{server.getsockname()[1]}", timeout=60)
            with pytest.raises(KeyboardInterrupt):
                broker.issue(KEYS)
            assert hung_up.wait(20)

    def test_leaves_no_thread_behind(self, kiwoom: SandboxKiwoom) -> None:
        kiwoom.set_fault("hang")
        failure_of(Broker(kiwoom.base_url, timeout=0.2).issue, KEYS)
        give_up = time.monotonic() + 20
        while any(thread.name == "kiwoom-request" for thread in threading.enumerate()):
            assert time.monotonic() < give_up
            time.sleep(0.01)

    def test_a_look_up_that_hangs_is_bounded_too(self, monkeypatch: pytest.MonkeyPatch) -> None:
        release = threading.Event()
        looked_up = threading.Event()

        def look_up(*args: Any, **kwargs: Any) -> None:
            looked_up.set()
            release.wait(60)
            raise OSError

        monkeypatch.setattr(socket, "getaddrinfo", look_up)
        began = time.monotonic()
        failure_of(Broker("http://localhost:9", timeout=1.5).issue, KEYS)
        assert time.monotonic() - began < 30
        assert looked_up.is_set()
        release.set()

    def test_a_process_that_gave_up_ends_at_once(self) -> None:
        # GIVEN a name server that never answers; WHEN the request is given up; THEN nothing keeps the process.
        program = (
            "import socket, time\n"
            "socket.getaddrinfo = lambda *args, **kwargs: time.sleep(600)\n"
            "from tray_app.core.errors import BrokerUnavailable\n"
            "from tray_app.kiwoom.broker import Broker\n"
            "from tray_app.kiwoom.keys import clean_keys\n"
            "try:\n"
            "    Broker('http://localhost:9', timeout=1).issue(clean_keys('key', 'secret'))\n"
            "except BrokerUnavailable as error:\n"
            "    print(error, error.was_sent)\n"
        )
        said = run_alone(program)
        assert "within 1 seconds" in said
        assert said.endswith("False")

    def test_a_slow_import_is_no_part_of_it(self, other_process: Any) -> None:
        """As while a computer starts, or when many programs ask for their first token at once."""
        program = (
            "import sys, time\n"
            "class Slow:\n"
            "    def find_spec(self, name, path=None, target=None):\n"
            "        if name in {'httpx', 'httpcore'}:\n"
            "            time.sleep(2.5)\n"
            "sys.meta_path.insert(0, Slow())\n"
            "from tray_app.kiwoom.broker import Broker\n"
            "from tray_app.kiwoom.keys import clean_keys\n"
            "print(Broker(sys.argv[1], timeout=3).issue(clean_keys('key-of-a-slow-one', 'secret')).token is not None)\n"
        )
        assert run_alone(program, other_process) == "True"

    @pytest.mark.posix
    def test_what_never_loads_does_not_hold_the_caller(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """As certificates on a network drive that hangs, while this program has the lock."""
        is_over = threading.Event()
        broker = Broker("https://127.0.0.1:9")
        broker.loading_timeout = 0.5
        monkeypatch.setattr(broker, "open_client", lambda: is_over.wait(20))

        said = failure_of(broker.issue, KEYS)
        is_over.set()

        assert "could not be loaded within 0.5 seconds" in str(said)
        assert isinstance(said, BrokerUnavailable)
        assert not said.was_sent
        assert not said.was_begun, "others may be able to ask"

    @pytest.mark.parametrize("failure", [OSError(errno.EMFILE, "Too many open files"), KeyError("A_VARIABLE")])
    def test_what_cannot_be_loaded_says_nothing_of_kiwoom(
        self, broker: Broker, monkeypatch: pytest.MonkeyPatch, failure: Exception
    ) -> None:
        def fail() -> None:
            raise failure

        monkeypatch.setattr(broker, "open_client", fail)
        said = failure_of(broker.issue, KEYS)
        assert "could not be loaded" in str(said)
        assert isinstance(said, BrokerUnavailable)
        assert not said.was_begun

    def test_loading_and_asking_take_less_than_the_longest_wait_for_the_lock(self, broker: Broker) -> None:
        assert broker.loading_timeout + TIMEOUT_SECONDS < DEFAULT_TIMEOUT_SECONDS

    def test_nobody_listens(self, free_port: int) -> None:
        assert "does not answer" in str(failure_of(Broker(f"http://127.0.0.1:{free_port}").issue, KEYS))

    def test_what_never_left_is_told_from_what_was_not_answered(
        self, kiwoom: SandboxKiwoom, broker: Broker, free_port: int
    ) -> None:
        unsent = failure_of(Broker(f"http://127.0.0.1:{free_port}").issue, KEYS)
        kiwoom.set_fault("drop")
        unanswered = failure_of(broker.issue, KEYS)

        assert isinstance(unsent, BrokerUnavailable)
        assert isinstance(unanswered, BrokerUnavailable)
        assert (unsent.was_sent, unanswered.was_sent) == (False, True)

    @pytest.mark.parametrize(("scheme", "was_sent"), [("http", True), ("https", False)])
    def test_a_server_that_says_nothing_got_the_request_unless_it_had_to_agree_on_tls_first(
        self, scheme: str, *, was_sent: bool
    ) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            silent = Broker(f"{scheme}://127.0.0.1:{server.getsockname()[1]}", timeout=3)
            error = failure_of(silent.issue, KEYS)

        assert isinstance(error, BrokerUnavailable)
        assert error.was_sent is was_sent

    def test_no_secure_connection_is_said_as_such(self, kiwoom: SandboxKiwoom) -> None:
        error = failure_of(Broker(kiwoom.base_url.replace("http:", "https:")).issue, KEYS)
        assert type(error) is BrokerUnavailable
        assert "secure connection" in str(error)


class TestThreads:
    def test_one_broker_serves_many_threads(self, kiwoom: SandboxKiwoom, broker: Broker) -> None:
        tokens = []
        threads = [threading.Thread(target=lambda: tokens.append(broker.issue(KEYS).token.value)) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(tokens) == 20
        assert len(set(tokens)) == 1


class TestNoThread:
    @pytest.mark.parametrize(
        "ask",
        [
            lambda broker: broker.issue(KEYS),
            lambda broker: broker.verify(Secret("token-of-a-test")),
            lambda broker: broker.revoke(KEYS, Secret("token-of-a-test")),
        ],
        ids=["issue", "verify", "revoke"],
    )
    def test_is_a_request_that_was_not_sent(self, ask: Callable[[Broker], object], broker: Broker) -> None:
        with no_more_threads(), pytest.raises(BrokerUnavailable, match="threads") as raised:
            ask(broker)
        assert not raised.value.was_sent

    def test_is_nothing_to_preload(self, broker: Broker) -> None:
        with no_more_threads():
            broker.preload()


class TestSecrets:
    def test_the_results_show_nothing(self, broker: Broker) -> None:
        issued = broker.issue(KEYS)
        assert issued.token.value.reveal() not in f"{issued} {issued!r} {broker!r} {vars(broker)}"

    def test_the_debug_log_shows_nothing(
        self, kiwoom: SandboxKiwoom, broker: Broker, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level("DEBUG")
        token = broker.issue(KEYS).token.value
        kiwoom.set_fault("echo", times=1)
        failure_of(broker.issue, KEYS)
        broker.verify(token)
        broker.revoke(KEYS, token)
        assert {"httpx", "httpcore"} <= {record.name.partition(".")[0] for record in caplog.records}
        for secret in (APP_KEY, APP_SECRET, token.reveal()):
            assert secret not in caplog.text


def test_the_sandbox_and_the_broker_agree_on_the_expiry(kiwoom: SandboxKiwoom, broker: Broker) -> None:
    token = broker.issue(KEYS).token
    body = json.dumps({"grant_type": "client_credentials", "appkey": APP_KEY, "secretkey": APP_SECRET}).encode()
    answer = httpx.post(f"{kiwoom.base_url}/oauth2/token", content=body, trust_env=False).json()
    assert parse_expires_dt(answer["expires_dt"]) == token.expires_at


def run_alone(program: Any, *arguments: Any) -> str:
    """Run a program in a process of its own; return what it printed."""
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout.strip()


def test_httpx_is_loaded_by_the_first_request_and_no_sooner(other_process: Any) -> None:
    program = (
        "import sys\n"
        "from tray_app.kiwoom.broker import Broker\n"
        "from tray_app.kiwoom.keys import clean_keys\n"
        "broker = Broker(sys.argv[1])\n"
        "print({'httpx', 'httpcore', 'truststore', 'certifi'} & set(sys.modules))\n"
        "broker.issue(clean_keys('key-of-lightness', 'secret'))\n"
        "print('httpx' in sys.modules)\n"
    )
    assert run_alone(program, other_process).splitlines() == ["set()", "True"]


class TestPreload:
    def test_loads_what_the_first_request_takes_while_the_caller_does_something_else(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("SSL_CERT_FILE", raising=False)
        monkeypatch.delenv("SSL_CERT_DIR", raising=False)
        program = (
            "import sys, threading, time\n"
            "from tray_app.kiwoom.broker import Broker\n"
            "broker = Broker('https://api.kiwoom.com')\n"
            "broker.preload()\n"
            "while any(thread.name == 'kiwoom-preload' for thread in threading.enumerate()):\n"
            "    time.sleep(0.01)\n"
            "print({'httpx', 'httpcore', 'truststore'} <= set(sys.modules))\n"
        )
        assert run_alone(program) == "True"

    @pytest.mark.parametrize("failure", [KeyError("A_VARIABLE"), ImportError("x"), SettingsError("x")])
    def test_that_fails_is_told_to_nobody(
        self, broker: Broker, monkeypatch: pytest.MonkeyPatch, failure: Exception
    ) -> None:
        """As httpx does when the host program sets a variable while it reads the environment."""
        unhandled: list[object] = []
        ended = threading.Event()
        monkeypatch.setattr(threading, "excepthook", unhandled.append)

        def fail() -> None:
            ended.set()
            raise failure

        monkeypatch.setattr(broker, "open_client", fail)
        broker.preload()
        assert ended.wait(20)
        for thread in threading.enumerate():
            if thread.name == "kiwoom-preload":
                thread.join(20)
        assert not unhandled

    def test_harms_no_request_that_comes_at_the_same_time(self, broker: Broker) -> None:
        broker.preload()
        assert broker.issue(KEYS).token

    def test_says_nothing_of_what_the_request_will_say(
        self, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", "/no/such/file.pem")
        broker = Broker("https://127.0.0.1:9")
        broker.preload()
        with pytest.raises(SettingsError, match="SSL_CERT_FILE"):
            broker.issue(KEYS)
        assert capfd.readouterr() == ("", "")
