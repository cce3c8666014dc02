"""A practice Kiwoom on loopback: issues and revokes tokens as the real one does, and fails on demand.

It follows the Kiwoom REST API guide (au10001, au10002) and what public projects measured on the live servers:
while a token lives, issuing again gives the same one; a failure is HTTP 200 with `return_code` other than 0.
Its tokens are random and worth nothing, and it never opens a connection itself.

Besides Kiwoom's own paths it takes orders under `/practice/`:

    PUT    /practice/fault     {"name": "8030", "times": 1 or null, "seconds": 0.5, "on": "issue"|"revoke"|"rest"|null}
    DELETE /practice/fault
    PUT    /practice/lifetime  {"seconds": 86400}     of the tokens issued from now on
    PUT    /practice/delay     {"seconds": 0.2}       before an issue is answered
    POST   /practice/end                              every token ends now
    GET    /practice/requests                         how many requests came, and how each was answered
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import secrets
import signal
import socket
import socketserver
import sys
import threading
import time
from collections import deque
from datetime import datetime, timezone
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, NamedTuple

from tray_app.core.errors import InvalidInput
from tray_app.core.token import MAX_LIFETIME_SECONDS, format_expires_dt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Self

SANDBOX_APP_KEY = "practice-app-key"
SANDBOX_APP_SECRET = "practice-app-secret"  # noqa: S105 - opens nothing but this server
DEFAULT_LIFETIME_SECONDS = 86400.0

ISSUE = "issue"
REVOKE = "revoke"
REST = "rest"

_PATHS = {"/oauth2/token": ISSUE, "/oauth2/revoke": REVOKE, "/api/dostk/stkinfo": REST}
_JSON = "application/json;charset=UTF-8"
_HTML = "text/html;charset=UTF-8"
_MAX_BODY_BYTES = 64 * 1024
_KEPT_OUTCOMES = 1000
_OK = "정상적으로 처리되었습니다"
_MAINTENANCE_PAGE = "<!DOCTYPE html><html><body><h1>시스템 점검 중입니다</h1></body></html>"

_TEXTS = {
    "1700": "허용된 API 요청 개수를 초과하였습니다",
    "1701": "허용된 전체 요청 개수를 초과하였습니다",
    "1702": "허용된 그룹 요청 개수를 초과하였습니다",
    "1999": "예기치 못한 에러가 발생했습니다",
    "8001": "App Key와 Secret Key 검증에 실패했습니다",
    "8002": "App Key와 Secret Key 검증에 실패했습니다",
    "8003": "Access Token을 조회하는데 실패했습니다",
    "8005": "Token이 유효하지 않습니다",
    "8006": "Access Token을 생성하는데 실패했습니다",
    "8009": "Access Token을 발급하는데 실패했습니다",
    "8010": "Token을 발급받은 IP와 서비스를 요청한 IP가 동일하지 않습니다",
    "8011": "grant_type이 들어오지 않았습니다",
    "8012": "grant_type의 값이 맞지 않습니다",
    "8015": "Access Token을 폐기하는데 실패했습니다",
    "8016": "Access Token을 폐기하는데 실패했습니다",
    "8020": "appkey 또는 secretkey가 들어오지 않았습니다",
    "8030": "투자구분(실전/모의)이 달라서 Appkey를 사용할수가 없습니다",
    "8031": "투자구분(실전/모의)이 달라서 Token를 사용할수가 없습니다",
    "8040": "단말기 인증에 실패했습니다",
    "8050": "IP가 등록되지 않았습니다. 키움 REST API 홈페이지 > API 사용신청 화면에서 IP를 등록해주세요.",
    "8103": "단말기 인증에 실패했습니다",
    "8200": "법인 고객은 해당 API를 지원하지 않습니다",
}
_INPUT_CODES = {"8011", "8012", "8020"}

_INSTEAD_OF_AN_ANSWER = {
    "http-429",
    "http-500",
    "http-503",
    "html",
    "redirect",
    "garbage",
    "empty",
    "drop",
    "hang",
    "code-style",
    "echo",
}
_ON_ISSUE_ONLY = {"no-token", "bad-expiry", "past-expiry", "new-token", "kills-old"}
_ON_ANY_ANSWER = {"drip", "slow", "no-return-code", "string-code", "skew"}

FAULTS = frozenset(_TEXTS) | _INSTEAD_OF_AN_ANSWER | _ON_ISSUE_ONLY | _ON_ANY_ANSWER
"""The names that `PracticeKiwoom.set_fault` takes."""

_DEFAULT_SECONDS = {"http-429": 3.0, "drip": 0.1, "slow": 1.0, "skew": 3600.0}


class _Fault:
    def __init__(self, name: str, times: int | None, seconds: float) -> None:
        self.name = name
        self.times = times
        self.seconds = seconds


class _Answer(NamedTuple):
    status: int
    content: bytes
    content_type: str = _JSON
    headers: tuple[tuple[str, str], ...] = ()
    wait: float = 0.0
    """Seconds before the first byte."""
    byte_every: float | None = None
    """Seconds between two bytes; None sends all at once."""
    clock_ahead: float = 0.0
    """Seconds by which the `Date` header is wrong."""


class _Living(NamedTuple):
    app_key: str
    ends: int


_POLL_SECONDS = 0.5 if sys.platform == "win32" else 30.0
"""How often the server wakes up for nothing; requests and `stop` wake it at once. Windows needs it for Ctrl+C."""


class SandboxKiwoom:
    """Listens on 127.0.0.1 from the moment it is made; answers between `start` and `stop`. Thread-safe.

    `port` 0 takes a free one; `lifetime` is in seconds; `clock` gives epoch seconds. Raises `InvalidInput` when the
    port cannot be used or the lifetime is not within 366 days. The first secret seen with an app key is that
    key's secret from then on; an app key that starts with "wrong" is always refused. Usable in a `with` statement.
    """

    def __init__(
        self, port: int = 0, *, lifetime: float = DEFAULT_LIFETIME_SECONDS, clock: Callable[[], float] = time.time
    ) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._released = threading.Event()
        self._secrets: dict[str, str] = {}
        self._current: dict[str, str] = {}
        self._living: dict[str, _Living] = {}
        self._faults: dict[str | None, _Fault] = {}
        self._counts = {ISSUE: 0, REVOKE: 0, REST: 0}
        self._outcomes: deque[dict[str, str]] = deque(maxlen=_KEPT_OUTCOMES)
        self._delay = 0.0
        self.set_lifetime(lifetime)
        self._serving = False
        self._server = _listen(port, self)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Answers on a thread of its own until `stop`."""
        self._serving = True
        threading.Thread(target=self._serve, name="practice-kiwoom", daemon=True).start()

    def serve_forever(self) -> None:
        """Answers on this thread until `stop` is called from another one or an exception ends it."""
        self._serving = True
        try:
            self._serve()
        finally:
            self._serving = False

    def stop(self) -> None:
        """Stops answering, cuts every connection and frees the port. May be called twice."""
        self._stopped.set()
        self.release()
        if self._serving:
            ending = threading.Thread(target=self._server.shutdown, daemon=True)
            ending.start()
            while ending.is_alive():  # a server without requests looks for its end only when somebody knocks
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                    ending.join(0.05)
            self._serving = False
        self._server.server_close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def set_lifetime(self, seconds: float) -> None:
        """How long the tokens issued from now on live, in seconds. Raises `InvalidInput`."""
        seconds = _number(seconds)
        if not 0 < seconds <= MAX_LIFETIME_SECONDS:
            raise InvalidInput("The lifetime must be more than 0 seconds and at most 366 days.")
        self._lifetime = seconds

    def set_delay(self, seconds: float) -> None:
        """How many seconds an issue takes until it is answered. Raises `InvalidInput`."""
        self._delay = _number(seconds)

    def set_fault(
        self, name: str, *, times: int | None = None, seconds: float | None = None, on: str | None = None
    ) -> None:
        """Makes the next `times` requests (None: all, until `clear_faults`) of kind `on` (None: any) go wrong.

        A later fault for the same `on` takes the place of the earlier one. `seconds` means: "http-429" Retry-After,
        "drip" between two bytes, "slow" before the answer, "skew" by how much `Date` is ahead.
        Raises `InvalidInput` for a name outside `FAULTS` or a value that makes no sense.
        """
        if not isinstance(name, str) or name not in FAULTS:
            raise InvalidInput("There is no practice fault of that name.")
        if on is not None and (not isinstance(on, str) or on not in self._counts):
            raise InvalidInput("A practice fault is on issue, revoke, rest or all of them.")
        if times is not None and (isinstance(times, bool) or not isinstance(times, int) or times < 1):
            raise InvalidInput("A practice fault happens 1 time or more.")
        if seconds is None:
            seconds = _DEFAULT_SECONDS.get(name, 0.0)
        fault = _Fault(name, times, _number(seconds, negative=name == "skew"))
        with self._lock:
            self._faults[on] = fault

    def clear_faults(self) -> None:
        """Everything goes right again; requests that hang are released."""
        with self._lock:
            self._faults.clear()
        self.release()

    def release(self) -> None:
        """Ends the requests that hang or drip, without an answer."""
        with self._lock:
            released, self._released = self._released, threading.Event()
        released.set()

    def end_tokens(self) -> None:
        """Every token ends now."""
        with self._lock:
            self._living.clear()
            self._current.clear()

    def counts(self) -> dict[str, int]:
        """How many requests of each kind came: issue, revoke, rest."""
        with self._lock:
            return dict(self._counts)

    def outcomes(self) -> list[dict[str, str]]:
        """The latest requests as `at` (UTC), `kind` and `outcome`; no token and no key stands there."""
        with self._lock:
            return list(self._outcomes)

    def answer(self, kind: str, fields: Mapping[str, object], bearer: str) -> _Answer | None:
        """What to send for a request; None closes the connection without an answer. May wait ("hang")."""
        with self._lock:
            self._counts[kind] += 1
            fault = self._take_fault(kind)
            released = self._released
            answer: _Answer | None
            if fault is None or fault.name in _ON_ANY_ANSWER or fault.name in _ON_ISSUE_ONLY:
                reply, outcome = self._serve_kiwoom(kind, fields, bearer, fault)
                whole = _with_fault(reply, fault)
                answer = whole._replace(wait=whole.wait + self._delay) if kind == ISSUE else whole
            else:
                answer, outcome = _failing(fault, fields), "fault"
            if fault is not None:
                outcome = f"{outcome} {fault.name}"
            at = datetime.fromtimestamp(self._clock(), timezone.utc).isoformat()
            self._outcomes.append({"at": at, "kind": kind, "outcome": outcome})
        if fault is not None and fault.name == "hang" and not self._stopped.is_set():
            released.wait()
        return answer

    def pause(self, seconds: float, released: threading.Event | None = None) -> bool:
        """Waits; False when the server stopped, or `released` its requests, in between."""
        return not (released or self._stopped).wait(seconds) and not self._stopped.is_set()

    def release_signal(self) -> threading.Event:
        """What the next `release` will set."""
        return self._released

    def now(self) -> float:
        return self._clock()

    def _serve(self) -> None:
        self._server.serve_forever(poll_interval=_POLL_SECONDS)

    def _take_fault(self, kind: str) -> _Fault | None:
        for on in (kind, None):
            fault = self._faults.get(on)
            if fault is None or (fault.name in _ON_ISSUE_ONLY and kind != ISSUE):
                continue
            if fault.times is not None:
                fault.times -= 1
                if fault.times == 0:
                    del self._faults[on]
            return fault
        return None

    def _serve_kiwoom(
        self, kind: str, fields: Mapping[str, object], bearer: str, fault: _Fault | None
    ) -> tuple[dict[str, object], str]:
        now = self._clock()
        if kind == REST:
            living = self._living.get(bearer)
            if living is None or living.ends <= now:
                return _failure("8005"), "refused 8005"
            return {"stk_cd": "005930", "stk_nm": "삼성전자", "return_code": 0, "return_msg": _OK}, "answered"
        refusal = self._refusal(kind, fields)
        if refusal is not None:
            return _failure(refusal), f"refused {refusal}"
        app_key = str(fields["appkey"])
        if kind == REVOKE:
            value = str(fields.get("token", ""))
            living = self._living.get(value)
            if living is None or living.app_key != app_key or living.ends <= now:
                return _failure("8005"), "refused 8005"
            self._forget(value)
            return {"return_code": 0, "return_msg": _OK}, "revoked"
        return self._issue(app_key, now, fault.name if fault else "")

    def _refusal(self, kind: str, fields: Mapping[str, object]) -> str | None:
        if kind == ISSUE:
            if not fields.get("grant_type"):
                return "8011"
            if fields["grant_type"] != "client_credentials":
                return "8012"
        app_key, app_secret = fields.get("appkey"), fields.get("secretkey")
        if not isinstance(app_key, str) or not isinstance(app_secret, str) or not app_key or not app_secret:
            return "8020"
        if app_key.startswith("wrong"):
            return "8001"
        if self._secrets.setdefault(app_key, app_secret) != app_secret:
            return "8001" if kind == ISSUE else "8002"
        return None

    def _issue(self, app_key: str, now: float, fault: str) -> tuple[dict[str, object], str]:
        value = self._current.get(app_key)
        lives = value is not None and self._living[value].ends > now
        outcome = "same"
        if value is None or not lives or fault in {"new-token", "kills-old"}:
            outcome = "new"
            if value is not None and (not lives or fault == "kills-old"):
                self._forget(value)
            value = secrets.token_urlsafe(64)
            # Kiwoom names the end in whole seconds. Rounded up, the token lives as long as it says and was asked for.
            self._living[value] = _Living(app_key, math.ceil(now + self._lifetime))
            self._current[app_key] = value
        ends = datetime.fromtimestamp(self._living[value].ends, timezone.utc)
        return {
            "expires_dt": format_expires_dt(ends),
            "token_type": "bearer",
            "token": value,
            "return_code": 0,
            "return_msg": _OK,
        }, outcome

    def _forget(self, value: str) -> None:
        living = self._living.pop(value)
        if self._current.get(living.app_key) == value:
            del self._current[living.app_key]


def serve(port: int, lifetime: float, write_line: Callable[[str], object]) -> None:
    """Runs a practice Kiwoom on this thread until Ctrl+C or SIGTERM.

    `write_line` gets three `NAME=value` lines to paste into an environment, and one that starts with `# `.
    `lifetime` is in seconds. Raises `InvalidInput` when the port or the lifetime cannot be used.
    """
    sandbox = SandboxKiwoom(port, lifetime=lifetime)
    on_main_thread = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGTERM, signal.default_int_handler) if on_main_thread else None
    try:
        write_line(f"KIWOOM_TRAY_BASE_URL={sandbox.base_url}")
        write_line(f"APP_KEY={SANDBOX_APP_KEY}")
        write_line(f"APP_SECRET={SANDBOX_APP_SECRET}")
        write_line("# A practice Kiwoom, on this computer only. Stop it with Ctrl+C.")
        sandbox.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        if before is not None:
            signal.signal(signal.SIGTERM, before)
        sandbox.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # On Windows this option would let two servers share one port instead of telling that it is in use.
    allow_reuse_address = os.name == "posix"
    request_queue_size = 128

    def __init__(self, port: int, sandbox: SandboxKiwoom) -> None:
        self.sandbox = sandbox
        self._connections: set[socket.socket] = set()
        self._changed = threading.Condition()
        super().__init__(("127.0.0.1", port), _Handler)

    def server_bind(self) -> None:
        # Without the host name look-up of HTTPServer, which can take seconds.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._changed:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        with self._changed:
            self._connections.discard(request)
            self._changed.notify_all()

    def server_close(self) -> None:
        super().server_close()
        with self._changed:
            for connection in self._connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            self._changed.wait_for(lambda: not self._connections, timeout=2)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "PracticeKiwoom"
    sys_version = ""
    disable_nagle_algorithm = True
    server: _Server

    def do_POST(self) -> None:
        kind = _PATHS.get(self.path)
        body = self._read_body()
        if body is None:
            return
        if kind is not None:
            bearer = self.headers.get("authorization", "").removeprefix("Bearer ").strip()
            answer = self.server.sandbox.answer(kind, _json_object(body) or {}, bearer)
            if answer is None:
                self.close_connection = True
            else:
                self._send(answer)
        elif self.path == "/practice/end":
            self._order(self.server.sandbox.end_tokens)
        else:
            self._send(_error(HTTPStatus.NOT_FOUND, "There is no such path."))

    def do_PUT(self) -> None:
        sandbox = self.server.sandbox
        orders: dict[str, Callable[..., None]] = {
            "/practice/fault": sandbox.set_fault,
            "/practice/lifetime": sandbox.set_lifetime,
            "/practice/delay": sandbox.set_delay,
        }
        body = self._read_body()
        if body is None:
            return
        fields = _json_object(body)
        order = orders.get(self.path)
        names = {"name", "times", "seconds", "on"} if self.path == "/practice/fault" else {"seconds"}
        needed = "name" if self.path == "/practice/fault" else "seconds"
        if order is None:
            self._send(_error(HTTPStatus.NOT_FOUND, "There is no such path."))
        elif fields is None or not set(fields) <= names or needed not in fields:
            self._send(_error(HTTPStatus.BAD_REQUEST, f"A JSON object with {', '.join(sorted(names))} is needed."))
        else:
            self._order(lambda: order(**fields))

    def do_DELETE(self) -> None:
        if self._read_body() is None:
            return
        if self.path == "/practice/fault":
            self._order(self.server.sandbox.clear_faults)
        else:
            self._send(_error(HTTPStatus.NOT_FOUND, "There is no such path."))

    def do_GET(self) -> None:
        if self.path == "/practice/requests":
            sandbox = self.server.sandbox
            self._send(_json_answer(HTTPStatus.OK, {**sandbox.counts(), "outcomes": sandbox.outcomes()}))
        else:
            self._send(_error(HTTPStatus.NOT_FOUND, "There is no such path."))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        """Nothing: a request line belongs to no one's terminal."""

    def _order(self, order: Callable[[], None]) -> None:
        try:
            order()
        except InvalidInput as error:
            self._send(_error(HTTPStatus.BAD_REQUEST, str(error)))
        else:
            self._send(_json_answer(HTTPStatus.OK, {"done": True}))

    def _read_body(self) -> bytes | None:
        length = self.headers.get("Content-Length", "0").strip()
        if "Transfer-Encoding" in self.headers or not (length.isascii() and length.isdigit() and len(length) < 10):
            self.close_connection = True
            self._send(_error(HTTPStatus.LENGTH_REQUIRED, "A Content-Length is needed."))
            return None
        if int(length) > _MAX_BODY_BYTES:
            self.close_connection = True
            self._send(_error(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The request is too large."))
            return None
        return self.rfile.read(int(length))

    def _send(self, answer: _Answer) -> None:
        sandbox = self.server.sandbox
        if answer.wait and not sandbox.pause(answer.wait):
            self.close_connection = True
            return
        head = [
            f"{self.protocol_version} {answer.status} {HTTPStatus(answer.status).phrase}",
            f"Date: {formatdate(sandbox.now() + answer.clock_ahead, usegmt=True)}",
            f"Content-Type: {answer.content_type}",
            f"Content-Length: {len(answer.content)}",
            *(f"{name}: {value}" for name, value in answer.headers),
            *(["Connection: close"] if self.close_connection else []),
        ]
        raw = "\r\n".join(head).encode() + b"\r\n\r\n" + answer.content
        if answer.byte_every is None:
            self.wfile.write(raw)
            return
        released = sandbox.release_signal()
        for at in range(len(raw)):
            self.wfile.write(raw[at : at + 1])
            if not sandbox.pause(answer.byte_every, released):
                self.close_connection = True
                return


def _listen(port: int, sandbox: SandboxKiwoom) -> _Server:
    if not 0 <= port <= 65535:
        raise InvalidInput("The port must be a number from 0 to 65535.")
    try:
        return _Server(port, sandbox)
    except OSError:
        raise InvalidInput(
            "Port {port} of this computer is in use or not allowed. Choose another one.", port=port
        ) from None


def _failing(fault: _Fault, fields: Mapping[str, object]) -> _Answer | None:
    name = fault.name
    if name in {"drop", "hang"}:
        return None
    if name == "http-429":
        retry_after = ("Retry-After", str(math.ceil(fault.seconds)))
        return _Answer(HTTPStatus.TOO_MANY_REQUESTS, b"", _HTML, (retry_after,))
    if name in {"http-500", "http-503"}:
        return _Answer(int(name.removeprefix("http-")), b"", _HTML)
    if name == "redirect":
        return _Answer(HTTPStatus.FOUND, b"", _HTML, (("Location", "/"),))
    if name == "html":
        return _Answer(HTTPStatus.OK, _MAINTENANCE_PAGE.encode(), _HTML)
    if name == "garbage":
        return _Answer(HTTPStatus.OK, b'{"return_code":0,"token":')
    if name == "empty":
        return _Answer(HTTPStatus.OK, b"")
    if name == "code-style":
        return _json_answer(HTTPStatus.OK, {"return_code": 3, "return_msg": f"{_TEXTS['8005']} (CODE=8005)"})
    if name == "echo":
        received = " ".join(f"{field}={value}" for field, value in fields.items())
        return _json_answer(HTTPStatus.OK, {"return_code": 3, "return_msg": f"[8001:{_TEXTS['8001']}] {received}"})
    return _json_answer(HTTPStatus.OK, _failure(name))


def _with_fault(reply: dict[str, object], fault: _Fault | None) -> _Answer:
    name = fault.name if fault else ""
    seconds = fault.seconds if fault else 0.0
    if name == "no-return-code":
        del reply["return_code"]
    elif name == "string-code":
        reply["return_code"] = str(reply["return_code"])
    elif name == "no-token":
        reply.pop("token", None)
    elif name == "bad-expiry" and "expires_dt" in reply:
        reply["expires_dt"] = "내일 이맘때"
    elif name == "past-expiry" and "expires_dt" in reply:
        reply["expires_dt"] = "20200101000000"
    answer = _json_answer(HTTPStatus.OK, reply)
    if name == "slow":
        return answer._replace(wait=seconds)
    if name == "drip":
        return answer._replace(byte_every=seconds)
    if name == "skew":
        return answer._replace(clock_ahead=seconds)
    return answer


def _failure(code: str) -> dict[str, object]:
    """A refusal as Kiwoom words it: a generic code outside, the one that matters inside."""
    if code.startswith("17"):
        outer, text = 5, "허용된 요청 개수를 초과하였습니다"
    elif code in _INPUT_CODES:
        outer, text = 2, "입력 값 오류입니다"
    else:
        outer, text = 3, "인증에 실패했습니다"
    return {"return_code": outer, "return_msg": f"{text}[{code}:{_TEXTS[code]}]"}


def _error(status: HTTPStatus, text: str) -> _Answer:
    return _json_answer(status, {"error": text})


def _json_answer(status: int, fields: Mapping[str, object]) -> _Answer:
    return _Answer(status, json.dumps(fields, ensure_ascii=False).encode())


def _json_object(content: bytes) -> dict[str, Any] | None:
    try:
        parsed = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None


def _number(seconds: float, *, negative: bool = False) -> float:
    if (
        isinstance(seconds, bool)
        or not isinstance(seconds, (int, float))
        or not math.isfinite(seconds)
        or (seconds < 0 and not negative)
    ):
        raise InvalidInput("The seconds must be a number of 0 or more.")
    return float(seconds)
