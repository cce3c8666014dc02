"""Whatever answers in Kiwoom's name: a token or an error of this program, and no error repeats what was sent."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from unittest import mock

import httpx
from hypothesis import example, given
from hypothesis import strategies as st

from tests.doubles import START
from tests.properties.test_tokens import JSON
from tray_app.core.errors import KiwoomTokenError
from tray_app.core.redaction import traceback_text
from tray_app.core.secret import Secret
from tray_app.kiwoom.broker import Broker, Issued, Liveness
from tray_app.kiwoom.keys import AppKeys

KEY, SECRET, TOKEN = "an-app-key-that-nobody-may-see", "a-secret-that-nobody-may-see", "a-token-that-nobody-may-see"
KEYS = AppKeys(Secret(KEY), Secret(SECRET))

SAID = st.sampled_from(
    [
        TOKEN,
        KEY,
        SECRET,
        f"[8005:{TOKEN}]",
        f"[8030:{SECRET}]",
        f"CODE=1700 {KEY}",
        "[9999:?]",
        "[8015:x]",
        "{code}",
        "%s",
    ]
)
CODES = st.sampled_from([0, "0", 3, "3", 5, -1, 8005, "8005", True, None, 1e400, "", "０"]) | st.integers()
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "token": SAID | JSON,
        "expires_dt": st.sampled_from(["20260923000000", "20260922231300", "", "x" * 14]) | JSON,
        "return_code": CODES | JSON,
        "return_msg": SAID | JSON,
        "acctNo": st.just("12345678"),
    },
)
BODIES = st.one_of(
    FIELDS.map(lambda fields: json.dumps(fields).encode()),
    JSON.map(lambda fields: json.dumps(fields).encode()),
    st.binary(max_size=200),
    st.sampled_from([b"", b"<html>", b"[" * 50_000, b"{" * 70_000, TOKEN.encode()]),
)
HEADERS = st.dictionaries(
    st.sampled_from(["Date", "Retry-After", "Content-Encoding", "Content-Length", "Location"]),
    st.sampled_from(
        [
            "",
            "0",
            "-1",
            "99999999999999999999",
            "Thu, 01 Jan 1970 00:00:00 GMT",
            "Mon, 99 Foo 2026 99:99:99",
            "gzip",
            TOKEN,
        ]
    ),
    max_size=3,
)


class Answering(Broker):
    """A broker to which one answer is given."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        super().__init__("https://api.kiwoom.com", clock=lambda: START)
        self._answer = lambda _: httpx.Response(status, headers=headers, content=iter([body]))

    def open_client(self) -> httpx.Client:
        return httpx.Client(transport=httpx.MockTransport(self._answer), trust_env=False)


def hear(ask: Callable[[], Any]) -> Any:
    """Return what a request brings, or the error after a look at all that can be written of it."""
    try:
        with mock.patch("time.sleep"):
            return ask()
    except KiwoomTokenError as error:
        shown = f"{error} {error!r} {error.values} {error.code} {traceback_text(error)}"
        assert not any(one in shown for one in (KEY, SECRET, TOKEN, "12345678"))
        assert error.retry_after is None or 0 <= error.retry_after <= 3600
        return error


@given(st.integers(100, 599), HEADERS, BODIES)
@example(200, {}, b'{"return_code": 0, "token": "a b", "expires_dt": "20260923000000"}')
@example(200, {}, b'{"return_code": 0, "token": "' + b"x" * 5000 + b'", "expires_dt": "20260923000000"}')
@example(302, {"Location": "http://example.com"}, b"")
def test_any_answer_to_an_issue(status: int, headers: dict[str, str], body: bytes) -> None:
    found = hear(lambda: Answering(status, headers, body).issue(KEYS))
    if isinstance(found, Issued):
        assert found.token.is_unexpired(START)
        assert 200 <= status < 300


@given(st.integers(100, 599), HEADERS, BODIES)
def test_any_answer_to_a_revoke(status: int, headers: dict[str, str], body: bytes) -> None:
    found = hear(lambda: Answering(status, headers, body).revoke(KEYS, Secret(TOKEN)))
    if found is None:
        code = json.loads(body)["return_code"]
        assert str(code).strip() in {"0", "-0", "00", "000", "0000", "00000", "000000"}, "only a 0 confirms it"


@given(st.integers(100, 599), HEADERS, BODIES)
def test_any_answer_to_a_check(status: int, headers: dict[str, str], body: bytes) -> None:
    found = hear(lambda: Answering(status, headers, body).verify(Secret(TOKEN)))
    if found is Liveness.DEAD:
        assert status == 401 or b"8005" in body, "nothing else says that a token is dead"
